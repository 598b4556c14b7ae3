"""Cilium: pools, policies, BGP resources, leases, and what `cilium-dbg` and `cilium bgp` print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.diagnosis.generate.flow import exports, received, targets
from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import Output, columns, dumped, listed, watched
from benchmarks.diagnosis.generate.site import CILIUM, Node, Site


def outputs(site: Site) -> Iterator[Output]:
    if site.stack not in CILIUM:
        return
    pools = listed([_pool(site)] if site.pool_exists else [])
    yield Output("pools", "", "kubectl get ciliumloadbalancerippools -o yaml", pools, plain=False)
    if site.stack == "cilium-l2":
        policies = listed([] if site.advertisement == "none" else [_l2_policy(site)])
        yield Output("advertisements", "", "kubectl get ciliuml2announcementpolicies -o yaml", policies, plain=False)
        yield Output("leases", "", "kubectl get leases -n kube-system", _leases(site))
    else:
        adverts = listed([] if site.advertisement == "none" else [_advertisement(site)])
        yield Output("advertisements", "", "kubectl get ciliumbgpadvertisements -o yaml", adverts, plain=False)
        yield Output("peers", "", "kubectl get ciliumbgpclusterconfigs -o yaml", listed(_cluster(site)), plain=False)
        yield Output(
            "peer-config", "", "kubectl get ciliumbgppeerconfigs -o yaml", listed([_peer_config(site)]), plain=False
        )
        yield Output("cilium-bgp", "", "cilium bgp peers", _bgp_peers(site))
        yield Output("cilium-routes", "", "cilium bgp routes advertised ipv4 unicast", _advertised(site))
    yield Output(
        "cilium-config", "", "kubectl get cm -n kube-system cilium-config -o yaml", dumped(_config(site)), plain=False
    )
    for node in watched(site):
        pod = f"kubectl -n kube-system exec cilium-{suffix(site.rng)} -- cilium-dbg service list"
        yield Output("cilium-services", node.name, pod, _services(site, node))


def _object(kind: str, name: str, spec: Mapping[str, object]) -> dict[str, object]:
    return {"apiVersion": "cilium.io/v2alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _pool(site: Site) -> Mapping[str, object]:
    start, _, stop = site.pool.partition("-")
    block = {"start": start, "stop": stop} if stop else {"cidr": start}
    spec: dict[str, object] = {"blocks": [block], "disabled": False}
    if site.pool_limits:
        spec["serviceSelector"] = {"matchLabels": {"lb-pool": "public"}}
    return _object("CiliumLoadBalancerIPPool", site.pool_name, spec)


def _selector(site: Site) -> Mapping[str, object]:
    if "selector-misses" in site.tells:
        return {"matchLabels": {"announce": "yes"}}
    everything = {"matchExpressions": [{"key": "no-such-label", "operator": "NotIn", "values": ["never"]}]}
    key, value = site.service.labels.split("=")
    return everything if site.rng.random() < 0.6 else {"matchLabels": {key: value}}


def _l2_policy(site: Site) -> Mapping[str, object]:
    spec: dict[str, object] = {"externalIPs": False, "loadBalancerIPs": True, "serviceSelector": _selector(site)}
    if site.interfaces:
        spec["interfaces"] = site.interfaces
    return _object("CiliumL2AnnouncementPolicy", "default", spec)


def _advertisement(site: Site) -> Mapping[str, object]:
    advert = {"advertisementType": "Service", "selector": _selector(site), "service": {"addresses": ["LoadBalancerIP"]}}
    found = _object("CiliumBGPAdvertisement", "services", {"advertisements": [advert]})
    found["metadata"] = {"labels": {"advertise": "bgp"}, "name": "services"}
    return found


def _cluster(site: Site) -> Sequence[Mapping[str, object]]:
    if not site.peers:
        return []
    peer = {
        "name": "router",
        "peerASN": site.router.as_number + ("bad-as" in site.tells),
        "peerAddress": site.router.peer or site.router.ip,
        "peerConfigRef": {"name": "peer"},
    }
    instance = {"localASN": site.node_as, "name": "main", "peers": [peer]}
    return [_object("CiliumBGPClusterConfig", "cluster", {"bgpInstances": [instance]})]


def _peer_config(site: Site) -> Mapping[str, object]:
    family = {"advertisements": {"matchLabels": {"advertise": "bgp"}}, "afi": "ipv4", "safi": "unicast"}
    spec: dict[str, object] = {"families": [family]}
    if site.password:
        spec["authSecretRef"] = "bgp-auth"
    return _object("CiliumBGPPeerConfig", "peer", spec)


def _leases(site: Site) -> str:
    rows = [("cilium-operator-resource-lock", f"{site.nodes[-1].name}-{suffix(site.rng, 10)}", "212d")]
    if site.leader and site.service.address and site.announces_service and "announce-failed" not in site.tells:
        rows.append((f"cilium-l2announce-{site.service.namespace}-{site.service.name}", site.leader, "12d"))
    return columns(("NAME", "HOLDER", "AGE"), sorted(rows))


def _bgp_peers(site: Site) -> str:
    rows = []
    # The command asks the agent on each node.
    for node in [n for n in site.nodes if n.agent == "Running"] if site.peers else []:
        session = node.session
        word = {"": "idle"}.get(session.at_node, session.at_node.lower())
        sent = len([p for p in exports(site, node) if p not in node.withheld]) if session.believed else 0
        uptime = ("51h12m3s" if session.minutes else "12s") if session.at_node == "Established" else "0s"
        peer = str(site.router.as_number + ("bad-as" in site.tells))
        address = f"{site.router.peer or site.router.ip}"
        rows.append((node.name, str(site.node_as), peer, address, word, uptime, "ipv4/unicast", "0", str(sent)))
    head = (
        "Node",
        "Local AS",
        "Peer AS",
        "Peer Address",
        "Session State",
        "Uptime",
        "Family",
        "Received",
        "Advertised",
    )
    return columns(head, rows) if rows else "\n".join(("   ".join(head), ""))


def _advertised(site: Site) -> str:
    rows = []
    for node in site.nodes:
        for prefix in received(site, node):
            hop = node.peer_source or node.ip
            rows.append(
                (
                    node.name,
                    str(site.node_as),
                    site.router.ip,
                    prefix,
                    hop,
                    "51h12m",
                    f"[{{Origin: i}} {{AsPath: {site.node_as}}}]",
                )
            )
    head = ("Node", "VRouter", "Peer", "Prefix", "NextHop", "Age", "Attrs")
    return columns(head, rows) if rows else "\n".join(("   ".join(head), ""))


def _config(site: Site) -> Mapping[str, object]:
    devices = "eth9" if "devices" in site.tells else site.nic
    data = {
        "bpf-lb-mode": "dsr" if "dsr" in site.tells else "snat",
        "devices": devices,
        "enable-bgp-control-plane": str(site.family == "bgp").lower(),
        "enable-l2-announcements": str(site.family == "l2").lower(),
        "kube-proxy-replacement": "true",
        "routing-mode": "tunnel" if site.encapsulation == "vxlan" else "native",
        "tunnel-protocol": "vxlan",
    }
    metadata = {"name": "cilium-config", "namespace": "kube-system"}
    return {"apiVersion": "v1", "data": data, "kind": "ConfigMap", "metadata": metadata}


def _services(site: Site, node: Node) -> str:
    service = site.service
    lines = ["ID   Frontend                 Service Type   Backend"]
    rows = [(service.cluster_ip, "ClusterIP", site.ready)]
    if service.address and node.programmed:
        rows.append((service.address, "LoadBalancer", targets(site, node)))
    for i, (address, kind, pods) in enumerate(rows):
        backends = [f"{k + 1} => {pod.ip}:{service.target}/TCP (active)" for k, pod in enumerate(pods)] or [""]
        lines.append(f"{i + 7:<4} {f'{address}:{service.port}/TCP':<24} {kind:<14} {backends[0]}".rstrip())
        lines += [" " * 45 + backend for backend in backends[1:]]
    return "\n".join(lines) + "\n"
