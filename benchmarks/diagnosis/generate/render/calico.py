"""Calico: its resources, and BIRD 1.6 on the nodes as confd configures it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.diagnosis.generate.flow import exports
from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import Output, dumped, listed, watched
from benchmarks.diagnosis.generate.render.workloads import agent_state
from benchmarks.diagnosis.generate.site import Node, Site

SINCE = "09:12:44"


def outputs(site: Site) -> Iterator[Output]:
    if site.cni == "calico":
        yield Output("ippools", "", "kubectl get ippools -o yaml", listed([_pool(site)]), plain=False)
    if site.stack != "calico":
        return
    yield Output(
        "bgpconf", "", "kubectl get bgpconfigurations default -o yaml", dumped(_configuration(site)), plain=False
    )
    yield Output("peers", "", "kubectl get bgppeers -o yaml", listed(_peers(site)), plain=False)
    filters = listed([_filter(site)] if site.bgp_filter else [])
    yield Output("bgpfilters", "", "kubectl get bgpfilters -o yaml", filters, plain=False)
    if "host-endpoints" in site.tells:
        yield Output(
            "hostendpoints", "", "kubectl get hostendpoints -o yaml", listed(_host_endpoints(site)), plain=False
        )
        yield Output(
            "netpol-calico",
            "",
            "kubectl get globalnetworkpolicies -o yaml",
            listed([_global_policy(site)]),
            plain=False,
        )
    agents = _agents(site)
    yield Output("agents", "", "kubectl -n calico-system get pods -l k8s-app=calico-node -o wide", agents)
    for node in watched(site):
        pod = f"kubectl -n calico-system exec calico-node-{suffix(site.rng)} -c calico-node -- birdcl"
        yield Output("bird-protocols", node.name, f"{pod} show protocols all", protocols(site, node))
        yield Output("bird-route", node.name, f"{pod} show route", routes(site, node))
        export = f"show route export Global_{site.router.ip.replace('.', '_')}"
        if node.session.at_node != "none":  # else there is no such protocol to ask about
            yield Output("bird-export", node.name, f"{pod} {export}", exported(site, node))
        yield Output("node-yaml", "", f"kubectl get node {node.name} -o yaml", dumped(_node(site, node)), plain=False)


def _node(site: Site, node: Node) -> Mapping[str, object]:
    source = node.peer_source if "wrong-source" in site.tells and node.peer_source else node.ip
    length = site.network.split("/")[1] if source == node.ip else "24"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {"projectcalico.org/IPv4Address": f"{source}/{length}"},
            "labels": node.labels,
            "name": node.name,
        },
        "spec": {"podCIDR": node.block},
        "status": {
            "addresses": [{"address": node.ip, "type": "InternalIP"}, {"address": node.name, "type": "Hostname"}]
        },
    }


def _meta(name: str) -> dict[str, str]:
    return {"name": name, "resourceVersion": "1841"}


def _pool(site: Site) -> Mapping[str, object]:
    modes = {"none": ("Never", "Never"), "ipip": ("Always", "Never"), "vxlan": ("Never", "Always")}[site.encapsulation]
    spec = {
        "allowedUses": ["Workload", "Tunnel"],
        "blockSize": 26,
        "cidr": site.pod_network,
        "ipipMode": modes[0],
        "natOutgoing": True,
        "nodeSelector": "all()",
        "vxlanMode": modes[1],
    }
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "IPPool",
        "metadata": _meta("default-ipv4-ippool"),
        "spec": spec,
    }


def _configuration(site: Site) -> Mapping[str, object]:
    spec: dict[str, object] = {
        "asNumber": site.node_as,
        "logSeverityScreen": "Info",
        "nodeToNodeMeshEnabled": site.mesh,
    }
    if site.announced and not site.aggregate_only:
        spec["serviceLoadBalancerIPs"] = [{"cidr": site.announced}]
    elif site.announced:
        # Before 3.18 there is no field for load-balancer addresses: the range goes in as external addresses.
        spec["serviceExternalIPs"] = [{"cidr": site.announced}]
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "BGPConfiguration",
        "metadata": _meta("default"),
        "spec": spec,
    }


def _peers(site: Site) -> Sequence[Mapping[str, object]]:
    if not site.peers:
        return []
    spec: dict[str, object] = {"asNumber": site.router.as_number + ("bad-as" in site.tells), "peerIP": site.router.ip}
    if site.keep_next_hop and site.mesh:
        spec["keepOriginalNextHop"] = True
    if site.bgp_filter:
        spec["filters"] = ["services"]
    if site.password:
        spec["password"] = {"secretKeyRef": {"key": "password", "name": "bgp-secrets"}}
    found = []
    if site.reflectors:
        spec["nodeSelector"] = "route-reflector == 'true'"
        inner = {"nodeSelector": "all()", "peerSelector": "route-reflector == 'true'"}
        found.append(_peer("nodes-to-reflectors", inner))
    return [*found, _peer("router", spec)]


def _peer(name: str, spec: dict[str, object] | dict[str, str]) -> Mapping[str, object]:
    return {"apiVersion": "crd.projectcalico.org/v1", "kind": "BGPPeer", "metadata": _meta(name), "spec": spec}


def _filter(site: Site) -> Mapping[str, object]:
    operator, cidr = site.bgp_filter.split(" ")
    rule = {"action": "Reject", "cidr": cidr, "matchOperator": operator}
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "BGPFilter",
        "metadata": _meta("services"),
        "spec": {"exportV4": [rule]},
    }


def _host_endpoints(site: Site) -> Sequence[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for node in site.nodes[:12]:
        spec = {"expectedIPs": [node.ip], "interfaceName": "*", "node": node.name}
        metadata = {"labels": {"host": "k8s"}, "name": f"{node.name}-auto-hep"}
        found.append(
            {"apiVersion": "crd.projectcalico.org/v1", "kind": "HostEndpoint", "metadata": metadata, "spec": spec}
        )
    return found


def _global_policy(site: Site) -> Mapping[str, object]:
    """What the nodes and pods send among themselves is let in, or the cluster would not work at all."""
    inner = [*(f"{node.ip}/32" for node in site.nodes), site.pod_network]
    ingress = [
        {"action": "Allow", "source": {"nets": inner}},
        {"action": "Allow", "protocol": "TCP", "destination": {"ports": [22, 179, 6443, 10250]}},
        {"action": "Deny"},
    ]
    spec = {
        "applyOnForward": True,
        "ingress": ingress,
        "order": 10,
        "preDNAT": True,
        "selector": "host == 'k8s'",
        "types": ["Ingress"],
    }
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "hosts"},
        "spec": spec,
    }


def _agents(site: Site) -> str:
    from benchmarks.diagnosis.generate.render.output import columns

    rows = []
    for node in site.nodes:
        ready, status = agent_state(site, node)
        if ready:
            rows.append((f"calico-node-{suffix(site.rng)}", ready, status, "2", "12d", node.ip, node.name))
    return columns(("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"), rows)


def protocols(site: Site, node: Node) -> str:
    """`birdcl show protocols all` as calico-node's BIRD prints it."""
    if node.agent != "Running":
        return "unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    lines = ["BIRD v0.3.3+birdv1.6.8 ready.", "name     proto    table    state  since       info"]
    lines += [
        f"{n:<8} {p:<8} master   up     {SINCE}    "
        for n, p in (("static1", "Static"), ("kernel1", "Kernel"), ("device1", "Device"), ("direct1", "Direct"))
    ]
    if site.mesh:
        for other in [n for n in site.nodes if n is not node][:4]:
            far = other.peer_source if "wrong-source" in site.tells and other.peer_source else other.ip
            name = f"Mesh_{far.replace('.', '_')}"
            astray = far.startswith("192.168.222.")  # a bridge of the host's own
            good = other.agent == "Running" and not astray
            word = (
                "up     " + SINCE + "    Established"
                if good
                else f"start  {SINCE}    Active        Socket: {'No route to host' if astray else 'Connection refused'}"
            )
            lines.append(f"{name} BGP      master   {word}")
    session = node.session
    if site.peers and session.at_node != "none":
        name = f"Global_{site.router.ip.replace('.', '_')}"
        up = session.believed
        since = SINCE if session.minutes else "11:58:0" + str(site.rng.randrange(10))
        state = "up" if up else "start"
        error = "" if up else session.error  # BIRD forgets the last error when a session is up
        lines.append(f"{name} BGP      master   {state:<6} {since}    {session.at_node:<13} {error}".rstrip())
        lines += ["  Description:    Connection to BGP peer", "  Preference:     100"]
        if up:
            count = len([p for p in exports(site, node) if p not in node.withheld]) + 1
            lines += [f"  Routes:         0 imported, {count} exported, 0 preferred"]
        lines += [f"  BGP state:          {session.at_node}", f"    Neighbor address: {site.router.ip}"]
        lines += [f"    Neighbor AS:      {site.router.as_number + ('bad-as' in site.tells)}"]
        if up:
            lines += [
                "    Session:          external multihop AS4",
                f"    Source address:   {node.peer_source or node.ip}",
            ]
        elif session.error:
            lines += [f"    Last error:       {session.error}"]
    return "\n".join(lines) + "\n"


def routes(site: Site, node: Node) -> str:
    if node.agent != "Running":
        return "unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    gateway = node.default_via or site.router.ip
    lines = [
        "BIRD v0.3.3+birdv1.6.8 ready.",
        f"0.0.0.0/0          via {gateway} on {site.nic_of(node)} [kernel1 {SINCE}] * (10)",
    ]
    own = exports(site, node)
    host = f"{site.service.address}/32"
    for prefix in own:
        if prefix == host and node not in site.with_pod() and site.relays:
            other = site.with_pod()[0]
            lines.append(
                f"{prefix:<18} via {other.ip} on {site.nic} [Mesh_{other.ip.replace('.', '_')} {SINCE}] * (100/0) [i]"
            )
        else:
            lines.append(f"{prefix:<18} blackhole [static1 {SINCE}] * (200)")
    lines.append(f"{node.block:<18} blackhole [static1 {SINCE}] * (200)")
    for other in [n for n in site.nodes if n is not node][:6] if site.mesh else []:
        lines.append(
            f"{other.block:<18} via {other.ip} on {site.nic} [Mesh_{other.ip.replace('.', '_')} {SINCE}] * (100/0) [i]"
        )
    lines.append(f"{site.network:<18} dev {site.nic_of(node)} [direct1 {SINCE}] * (240)")
    return "\n".join(lines) + "\n"


def exported(site: Site, node: Node) -> str:
    if node.agent != "Running":
        return "unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    lines = ["BIRD v0.3.3+birdv1.6.8 ready."]
    if node.session.believed:
        sent = [p for p in exports(site, node) if p not in node.withheld]
        lines += [f"{p:<18} blackhole [static1 {SINCE}] * (200)" for p in [*sent, node.block]]
    return "\n".join(lines) + "\n"
