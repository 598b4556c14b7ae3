"""MetalLB: pools and advertisements (also where only its controller runs), logs of controller and speakers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.diagnosis.generate.faults.registry import name_of
from benchmarks.diagnosis.generate.flow import answering, candidates, shut_out
from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import Output, dumped, listed, watched
from benchmarks.diagnosis.generate.site import METALLB, METALLB_ALLOCATES, Node, Site

HOME = "-n metallb-system "


def outputs(site: Site) -> Iterator[Output]:
    if site.stack not in METALLB_ALLOCATES:
        return
    pools = listed([pool(site)] if site.pool_exists else [])
    yield Output("pools", "", f"kubectl get ipaddresspools {HOME}-o yaml", pools, plain=False)
    for kind, items in (("l2advertisements", l2(site)), ("bgpadvertisements", bgp(site))):
        yield Output("advertisements", "", f"kubectl get {kind} {HOME}-o yaml", listed(items), plain=False)
    if site.stack in METALLB and site.family == "bgp":
        yield Output("peers", "", f"kubectl get bgppeers.metallb.io {HOME}-o yaml", listed(peers(site)), plain=False)
    if site.stack in METALLB:
        text = "".join(speaker_log(site, node) for node in watched(site))
        yield Output("agent-log", "", f"kubectl logs {HOME}-l component=speaker --prefix --tail=-1", text)
    yield Output("controller-spec", "", f"kubectl get deploy {HOME}controller -o yaml", controller(site), plain=False)
    yield Output("controller-log", "", f"kubectl logs {HOME}deploy/controller", controller_log(site))


def _object(kind: str, name: str, spec: Mapping[str, object], version: str = "v1beta1") -> Mapping[str, object]:
    metadata = {"name": name, "namespace": "metallb-system"}
    found = {"apiVersion": f"metallb.io/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    return found if spec else {k: v for k, v in found.items() if k != "spec"}


def pool(site: Site) -> Mapping[str, object]:
    spec: dict[str, object] = {
        "addresses": [site.pool],
        "autoAssign": site.pool_limits != "no-auto",
        "avoidBuggyIPs": False,
    }
    if site.pool_limits == "namespace":
        spec["serviceAllocation"] = {"namespaces": ["ingress-public"], "priority": 10}
    return _object("IPAddressPool", site.pool_name, spec)


def _selection(site: Site) -> dict[str, object]:
    """Which pools an advertisement is for: its own by name, every pool, or one that is not there."""
    if site.advertisement == "other":
        return {"ipAddressPools": [f"{site.pool_name}-old"]}
    return {"ipAddressPools": [site.pool_name]} if site.rng.random() < 0.6 else {}


def l2(site: Site) -> Sequence[Mapping[str, object]]:
    if site.stack != "metallb-l2" or site.advertisement == "none":
        return []
    spec = _selection(site)
    if site.interfaces:
        spec["interfaces"] = site.interfaces
    return [_object("L2Advertisement", f"{site.pool_name}-l2", spec)]


def bgp(site: Site) -> Sequence[Mapping[str, object]]:
    if site.stack not in {"metallb-bgp", "metallb-frr"} or site.advertisement == "none":
        return []
    return [_object("BGPAdvertisement", f"{site.pool_name}-bgp", _selection(site))]


def peers(site: Site) -> Sequence[Mapping[str, object]]:
    if not site.peers:
        return []
    wrong = 1 if "bad-as" in site.tells else 0
    spec: dict[str, object] = {
        "myASN": site.node_as,
        "peerASN": site.router.as_number + wrong,
        "peerAddress": site.router.peer or site.router.ip,
        "peerPort": 179,
    }
    if site.router.peer and site.multihop:
        spec["ebgpMultiHop"] = True
    if site.password:
        spec["passwordSecret"] = {"name": "bgp-password", "namespace": "metallb-system"}
    return [_object("BGPPeer", "router", spec, "v1beta2")]


def speaker_log(site: Site, node: Node) -> str:
    """The lines of one speaker about this service, as logfmt's JSON with its pod before it."""
    if node.agent != "Running":
        return ""
    base = {"level": "info", "ts": "2024-05-02T09:20:11Z"}
    name = name_of(site)
    found: list[Mapping[str, object]] = []
    protocol = "layer2" if site.stack == "metallb-l2" else "bgp"
    about = {"event": "serviceAnnounced", "ips": [site.service.address], "msg": "service has IP, announcing"}
    announced = (
        {"caller": "main.go:420"} | base | about | {"pool": site.pool_name, "protocol": protocol, "service": name}
    )
    withdrawn = {
        "caller": "main.go:445",
        "event": "serviceWithdrawn",
        "ip": [site.service.address] if site.service.address else [],
    }
    withdrawn |= base | {"msg": "withdrawing service announcement", "service": name, "protocol": protocol}
    answers = [n for _, n in answering(site)]
    if not site.service.address or "external-ips" in site.tells:
        pass
    elif (
        (protocol == "layer2" and (node.name in answers and (site.strict_arp or node.name == site.leader)))
        or (protocol == "layer2" and site.leader == node.name and site.announces_service)
        or (protocol == "bgp" and node in candidates(site))
    ):
        found.append(announced)
    elif site.advertisement != "all" or (not site.announces_service and not site.local):
        pass
    elif not site.ready:
        found.append(withdrawn | {"reason": "noEndpoints" if not site.local else "noLocalEndpoints"})
    elif shut_out(site, node):
        found.append(withdrawn | {"level": "warn", "reason": "nodeLabeledExcludeBalancers"})
    else:
        found.append(withdrawn | {"reason": "notOwner" if protocol == "layer2" else "noLocalEndpoints"})
    found += _sessions(site, node, base)
    pod = f"[pod/speaker-{suffix(site.rng)}/speaker] "
    return "".join(f"{pod}{json.dumps(line)}\n" for line in found)


def _sessions(site: Site, node: Node, base: dict[str, str]) -> Sequence[Mapping[str, object]]:
    """What the native BGP implementation says of its session."""
    if site.stack != "metallb-bgp" or not site.peers:
        return []
    peer = f"{site.router.peer or site.router.ip}:179"
    common: dict[str, object] = {
        "caller": "native.go:102",
        "localASN": site.node_as,
        "peer": peer,
        "peerASN": site.router.as_number,
    }
    up = common | base | {"event": "sessionUp", "msg": "BGP session established"}
    session = node.session
    if session.drops:
        down = common | base | {"event": "sessionDown", "level": "warn", "msg": "BGP session down"}
        return [up, down] * 4
    if session.believed:
        return [up]
    failure = common | base | {"level": "error", "msg": "failed to connect to peer", "op": "connect"}
    return [failure | {"error": _dial_error(site, node, peer)}] * 3


def _dial_error(site: Site, node: Node, peer: str) -> str:
    error = node.session.error
    if "Bad peer AS" in error:
        return f'read OPEN from "{peer}": unexpected peer ASN {site.router.as_number}, want {site.router.as_number + 1}'
    if "Administrative" in error or "closed" in error:
        return f'read OPEN from "{peer}": EOF'
    if "reset" in error:
        return f'read OPEN from "{peer}": read tcp {node.ip}:51022->{peer}: read: connection reset by peer'
    if "refused" in error:
        return f'dial "{peer}": connection refused'
    if "No route" in error:
        return f'dial "{peer}": no route to host'
    return f'dial "{peer}": i/o timeout'


def controller(site: Site) -> str:
    """The controller's Deployment, with its arguments and how many of its pods are ready."""
    if site.controller == "missing":
        return 'Error from server (NotFound): deployments.apps "controller" not found\n'
    args = ["--port=7472", "--log-level=info"]
    if site.lb_class_option:
        args.append(f"--lb-class={site.lb_class_option}")
    image = f"quay.io/metallb/controller:v{site.version}"
    status: dict[str, object] = {"observedGeneration": 1, "replicas": 1}
    status |= {"readyReplicas": 1} if site.controller == "Running" else {"unavailableReplicas": 1}
    return dumped(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "controller", "namespace": "metallb-system"},
            "spec": {
                "replicas": 1,
                "template": {"spec": {"containers": [{"args": args, "image": image, "name": "controller"}]}},
            },
            "status": status,
        }
    )


def controller_log(site: Site) -> str:
    if site.controller == "missing":
        return 'Error from server (NotFound): deployments.apps "controller" not found\n'
    if site.controller == "Pending":
        return ""
    base = '{"branch":"main","caller":"main.go:178","commit":"fb1bc2f","goversion":"gc / go1.22","level":"info",'
    lines = [
        base
        + f'"msg":"MetalLB controller starting version {site.version}","ts":"2024-05-02T09:00:01Z","version":"{site.version}"}}'
    ]
    if site.controller != "Running":
        lines.append(
            '{"caller":"main.go:250","error":"the server was unable to return a response","level":"error","msg":"failed to run"}'
        )
    for _, reason, _, message in site.service.events:
        if reason == "AllocationFailed":
            why = message.split(": ", 1)[1].replace('"', '\\"')
            lines.append(
                '{"caller":"service.go:160","error":"' + why + '","event":"allocateFailed","level":"error",'
                f'"msg":"IP allocation failed","op":"allocateIPs","service":"{name_of(site)}","ts":"2024-05-02T09:20:10Z"}}'
            )
    if site.service.address and "external-ips" not in site.tells:
        lines.append(
            f'{{"caller":"service.go:150","event":"ipAllocated","ip":["{site.service.address}"],"level":"info",'
            f'"msg":"IP address assigned by controller","service":"{name_of(site)}","ts":"2024-05-02T09:20:10Z"}}'
        )
    return "\n".join(lines) + "\n"
