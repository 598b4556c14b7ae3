"""Calico announces with BIRD on each node.

BIRD 2 runs here, where calico-node has its own BIRD 1.6: same protocols, filters and names, in the syntax of BIRD 2.
The configuration is what confd renders from Calico's objects (Calico 3.26 to 3.32, confd/etc/calico/confd/templates and
confd/pkg/backends/calico/routes.go); `birdc configure` puts a new one in place, as confd does. BIRD waits 2 to 5 s
after an error, where Calico's waits 5 to 30 s, so that a repair shows soon.

Knobs, `announcer/NODE/` + those of `lab.peering`, and
  keep-next-hop   keepOriginalNextHop of the BGPPeer
  no-host-routes  no host routes of services, as Calico before 3.18
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from kubereach.lab import bird
from kubereach.lab.lab import Lab
from kubereach.lab.peering import HOST, kernel_next_hops, next_hops, node_end, rejected, runs, sessions
from kubereach.lab.scenario import BgpFilterRule, Node, Scenario

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
OPERATORS = {"Equal": "=", "NotEqual": "!=", "In": "~", "NotIn": "!~"}


def start(lab: Lab, node: str) -> None:
    """BIRD runs on the node. Raises CommandError."""
    sync(lab, node)


def sync(lab: Lab, node: str) -> None:
    """BIRD's configuration follows the scenario and the knobs; sessions whose options stay the same stay up."""
    bird.load(lab, node, render(lab, node))
    _pod_routes(lab, node)


def stop(lab: Lab, node: str) -> None:
    """BIRD ends; what it programmed into the kernel stays."""
    bird.stop(lab, node)


def session_state(lab: Lab, node: str) -> str:
    """What BIRD says of the node's session with the router: its state, and the last error."""
    return bird.info(lab, node, peer_protocol(lab, node))


def session_up(lab: Lab, node: str) -> bool:
    """Whether the node's session with the router is Established."""
    return session_state(lab, node).startswith(bird.ESTABLISHED)


def settled(lab: Lab) -> bool:
    """Whether the sessions that should be are Established, and the routes that should come of them are there."""
    up = sessions(lab)
    if not all(session_up(lab, node) for node in up):
        return False
    pairs = [(a, b) for a in lab.scenario.nodes for b in lab.scenario.nodes if a != b and meshed(lab, a, b)]
    if not all(
        bird.info(lab, a, f"Mesh_{_identifier(lab.scenario.nodes[b].address)}") == bird.ESTABLISHED for a, b in pairs
    ):
        return False
    told = {node: announced(lab, node) for node in up}
    services = [service.address for service in lab.scenario.services.values()]
    return all(
        kernel_next_hops(lab, "router", address) == next_hops(lab, told, address) for address in services
    ) and all(_has_block(lab, a, lab.scenario.nodes[b]) for a, b in pairs)


def meshed(lab: Lab, one: str, other: str) -> bool:
    """Whether two nodes have a session of the full mesh."""
    asns = {node_end(lab, one).asn, node_end(lab, other).asn}
    return lab.scenario.announcer.mesh and runs(lab, one) and runs(lab, other) and len(asns) == 1


def peer_protocol(lab: Lab, node: str) -> str:
    """The name of BIRD's protocol for the session with the router: of a global BGPPeer, or of one of the node's own."""
    peers = {node_end(lab, name).peer for name in lab.scenario.nodes}
    return f"{'Global' if len(peers) == 1 else 'Node'}_{_identifier(node_end(lab, node).peer)}"


def service_routes(lab: Lab, node: str) -> tuple[str, ...]:
    """The prefixes of services that a node announces of itself (confd/pkg/backends/calico/routes.go).

    An entry of serviceLoadBalancerIPs is announced whole, whatever services there are, unless it is one address.
    """
    scenario = lab.scenario
    if scenario.nodes[node].labels.get(EXCLUDED) == "true":
        return ()
    ranges = [IPv4Network(text) for text in scenario.announcer.lb_cidrs]
    found = [str(network) for network in ranges if network.prefixlen < HOST]
    for name, service in scenario.services.items():
        covering = [network for network in ranges if IPv4Address(service.address) in network]
        local = service.policy == "Local" and bool(scenario.ready_endpoints(name, node))
        single = service.policy == "Cluster" and any(n.prefixlen == HOST for n in covering)
        if covering and (local or single) and not lab.knob(f"announcer/{node}/no-host-routes"):
            found.append(f"{service.address}/{HOST}")
    return tuple(dict.fromkeys(found))


def announced(lab: Lab, node: str) -> tuple[str, ...]:
    """What a node should tell the router about services: its own, and of the mesh what its filter lets through."""
    own = service_routes(lab, node)
    heard = [p for other in lab.scenario.nodes if meshed(lab, node, other) for p in service_routes(lab, other)]
    passed = [p for p in heard if any(IPv4Network(p).subnet_of(IPv4Network(q)) for q in own)]
    return tuple(p for p in dict.fromkeys((*own, *passed)) if _exported(lab, node, IPv4Network(p)))


def _exported(lab: Lab, node: str, prefix: IPv4Network) -> bool:
    if rejected(lab, node, str(prefix)):
        return False
    for rule in lab.scenario.announcer.export_filter:
        if _matches(rule, prefix):
            return rule.action == "Accept"
    return True


def _matches(rule: BgpFilterRule, prefix: IPv4Network) -> bool:
    if not rule.operator:
        return True
    cidr = IPv4Network(rule.cidr)
    holds = prefix == cidr if "Equal" in rule.operator else prefix.subnet_of(cidr)
    return holds != rule.operator.startswith("Not")


def render(lab: Lab, node: str) -> str:
    """The node's bird.cfg, with the files that confd has it include in their places."""
    scenario, own = lab.scenario, lab.scenario.nodes[node]
    statics = service_routes(lab, node)
    return "\n".join(
        [
            f'log "{bird.log(lab, node)}" all;',
            f"router id {own.address};",
            "protocol device { scan time 2; }",
            'protocol direct { ipv4; interface -"cali*", -"kube-ipvs*", "*"; }',
            *_static(own, statics),
            *_filters(scenario, own, statics),
            "protocol kernel {",
            "  ipv4 { import all; export filter calico_kernel_programming; };",
            "  learn; persist; scan time 2; graceful restart; merge paths on; metric 0;",
            "}",
            *(["protocol bfd { multihop { interval 500 ms; multiplier 4; }; }"] if lab.knob("router/bfd") else []),
            "template bgp bgp_template {",
            '  description "Connection to BGP peer";',
            f"  local as {node_end(lab, node).asn};",
            "  multihop;",
            "  graceful restart;",
            "  connect delay time 1;",
            "  connect retry time 3;",
            "  error wait time 2,5;",
            "}",
            *_mesh(lab, node),
            *_peer(lab, node),
            "",
        ]
    )


def _static(own: Node, statics: tuple[str, ...]) -> list[str]:
    routes = [own.block, *statics] if not own.block.endswith("/32") else list(statics)
    return ["protocol static {", "  ipv4;", *(f"  route {prefix} blackhole;" for prefix in routes), "}"]


def _filters(scenario: Scenario, own: Node, statics: tuple[str, ...]) -> list[str]:
    pool = scenario.pod_network.cidr
    kept = [cidr for cidr in scenario.announcer.lb_cidrs if not cidr.endswith("/32")]
    return [
        "# Aggregation of routes on this host; export the block, nothing beneath it.",
        "function calico_aggr() {",
        f"  if ( net = {own.block} ) then {{ accept; }}",
        f"  if ( net ~ {own.block} ) then {{ reject; }}",
        "}",
        "function reject_tunnel_routes() {",
        '  if ( ifname ~ "*.calico" ) then { reject; }',
        "}",
        "function calico_export_to_bgp_peers() {",
        "  calico_aggr();",
        *(f"  if ( net ~ {prefix} ) then {{ accept; }}" for prefix in statics),
        f"  if ( net ~ {pool} ) then {{ accept; }}",
        "}",
        "filter calico_kernel_programming {",
        *(f"  if ( net ~ {cidr} ) then {{ reject; }}" for cidr in kept),
        # Felix programs the pods' routes where they go by a tunnel (IPIP since Calico 3.31).
        *([f"  if ( net ~ {pool} ) then {{ reject; }}"] if scenario.pod_network.encapsulation != "none" else []),
        # BIRD 1.6 never programs the kernel's own routes again, and has no metric of its own.
        "  if ( source = RTS_DEVICE ) then { reject; }",
        "  accept;",
        "}",
    ]


def _mesh(lab: Lab, node: str) -> list[str]:
    lines: list[str] = []
    own = lab.scenario.nodes[node].address
    for other, far in lab.scenario.nodes.items():
        if other == node or not lab.scenario.announcer.mesh:
            continue
        lines += [
            f"protocol bgp Mesh_{_identifier(far.address)} from bgp_template {{",
            f"  neighbor {far.address} as {node_end(lab, other).asn};",
            f"  source address {own};",
            # One side dials, by the order of the addresses as text (the template's `gt`).
            *(["  passive on;"] if far.address > own else []),
            *_channel("reject_tunnel_routes(); calico_export_to_bgp_peers(); reject;"),
            "}",
        ]
    return lines


def _peer(lab: Lab, node: str) -> list[str]:
    end = node_end(lab, node)

    def knob(name: str) -> str:
        return lab.knob(f"announcer/{node}/{name}")

    kept, hop, path = knob("export-reject"), knob("next-hop"), knob("prepend")
    rules = [
        *([f"if ( net ~ {kept} ) then {{ reject; }}"] if kept else []),
        *([f"bgp_next_hop = {hop};"] if hop else []),
        *([f"bgp_path.prepend({path});"] if path else []),
        *map(_rule, lab.scenario.announcer.export_filter),
        "calico_export_to_bgp_peers(); reject;",
    ]
    return [
        f"protocol bgp {peer_protocol(lab, node)} from bgp_template {{",
        f"  neighbor {end.peer} as {end.peer_asn};",
        f"  source address {end.source};",
        *([f'  password "{end.password}";'] if end.password else []),
        *(["  disabled;"] if end.disabled else []),
        *([f"  ttl security on; multihop {knob('ttl-security')};"] if knob("ttl-security") else []),
        *(["  bfd on;"] if lab.knob("router/bfd") else []),
        *_channel(" ".join(rules), "next hop keep;" if knob("keep-next-hop") else ""),
        "}",
    ]


def _rule(rule: BgpFilterRule) -> str:
    verdict = f"{rule.action.lower()};"
    return f"if ( net {OPERATORS[rule.operator]} {rule.cidr} ) then {{ {verdict} }}" if rule.operator else verdict


def _channel(rules: str, *options: str) -> list[str]:
    extra = "".join(f" {option}" for option in options if option)
    return [f"  ipv4 {{ import all; export filter {{ {rules} }}; gateway recursive; add paths on;{extra} }};"]


def _pod_routes(lab: Lab, node: str) -> None:
    """The other nodes' blocks through the IPIP tunnel, which Felix programs."""
    if lab.scenario.pod_network.encapsulation != "ipip":
        return
    for other, far in lab.scenario.nodes.items():
        if other != node:
            lab.run(node, *f"ip route replace {far.block} via {far.address} dev tunl0 onlink proto 80".split())


def _has_block(lab: Lab, node: str, far: Node) -> bool:
    encapsulation = lab.scenario.pod_network.encapsulation
    return encapsulation != "none" or bool(kernel_next_hops(lab, node, str(IPv4Network(far.block)[1])))


def _identifier(address: str) -> str:
    return address.replace(".", "_")
