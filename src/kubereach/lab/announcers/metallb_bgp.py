"""MetalLB announces with FRR on each node, as its FRR mode configures it (internal/bgp/frr/templates, 0.13 to 0.15).

zebra and bgpd run on the node; bgpd does not listen (`-p 0`), it dials, and takes no route. A service is one host
route, from every node under policy Cluster, from the nodes with a ready endpoint under policy Local. MetalLB's FRR
lets its own choice be the router ID; it is the node's address here, so that ties are broken by what one can see, and
a change of a route map takes 1 s to work, not 5.

Knobs: those of `lab.peering`; `announcer/no-advertisement` is a pool without any BGPAdvertisement.
"""

from __future__ import annotations

from kubereach.lab import frr
from kubereach.lab.elected import candidates
from kubereach.lab.lab import Lab
from kubereach.lab.peering import HOST, kernel_next_hops, next_hops, node_end, rejected, sessions

DIALS_ONLY = ("-p", "0", "-A", "127.0.0.1")


def start(lab: Lab, node: str) -> None:
    """FRR runs on the node. Raises CommandError."""
    daemons = ("zebra", "bgpd", *(("bfdd",) if lab.knob("router/bfd") else ()))
    frr.start(lab, node, daemons, render(lab, node), {"bgpd": DIALS_ONLY})


def sync(lab: Lab, node: str) -> None:
    """FRR's configuration follows the scenario and the knobs."""
    if lab.knob("router/bfd"):
        frr.run_daemon(lab, node, "bfdd")
    frr.load(lab, node, render(lab, node))


def stop(lab: Lab, node: str) -> None:
    """FRR ends."""
    frr.stop(lab, node)


def session_state(lab: Lab, node: str) -> str:
    """The state of the node's session with the router."""
    return frr.session_state(lab, node, node_end(lab, node).peer)


def session_up(lab: Lab, node: str) -> bool:
    """Whether the node's session with the router is Established."""
    return session_state(lab, node) == frr.ESTABLISHED


def settled(lab: Lab) -> bool:
    """Whether the sessions that should be are Established, and the routes that should come of them are there."""
    up = sessions(lab)
    if not all(session_up(lab, node) for node in up):
        return False
    told = {node: announced(lab, node) for node in up}
    addresses = [service.address for service in lab.scenario.services.values()]
    return all(kernel_next_hops(lab, "router", address) == next_hops(lab, told, address) for address in addresses)


def announced(lab: Lab, node: str) -> tuple[str, ...]:
    """The prefixes that a node should tell the router."""
    return tuple(prefix for prefix in _served(lab, node) if not rejected(lab, node, prefix))


def _served(lab: Lab, node: str) -> list[str]:
    services = lab.scenario.services.items()
    return list(
        dict.fromkeys(f"{service.address}/{HOST}" for name, service in services if node in candidates(lab, name))
    )


def render(lab: Lab, node: str) -> str:
    """The node's frr.conf."""
    scenario, end = lab.scenario, node_end(lab, node)
    peer = end.peer

    def knob(name: str) -> str:
        return lab.knob(f"announcer/{node}/{name}")

    sent = announced(lab, node)
    permitted = [f"seq {n} permit {prefix}" for n, prefix in enumerate(sent, 1)] or ["seq 1 deny any"]
    lead = f" neighbor {peer}"
    lines = [
        "frr defaults traditional",
        f"hostname {node}",
        "no ipv6 forwarding",
        "ip nht resolve-via-default",
        "bgp route-map delay-timer 1",
        "!",
        *(f"ip prefix-list {peer}-pl-ipv4 {entry}" for entry in permitted),
        "!",
        f"route-map {peer}-in deny 20",
        "exit",
        "!",
        f"route-map {peer}-out permit 1",
        f" match ip address prefix-list {peer}-pl-ipv4",
        *([f" set as-path prepend {knob('prepend')}"] if knob("prepend") else []),
        *([f" set ip next-hop {knob('next-hop')}"] if knob("next-hop") else []),
        "exit",
        "!",
        f"router bgp {end.asn}",
        f" bgp router-id {scenario.nodes[node].address}",
        " no bgp ebgp-requires-policy",
        " no bgp default ipv4-unicast",
        " no bgp network import-check",
        f"{lead} remote-as {end.peer_asn}",
        *([f"{lead} password {end.password}"] if end.password else []),
        *([f"{lead} shutdown"] if end.disabled else []),
        *([f"{lead} ebgp-multihop 255"] if end.multihop else []),
        *([f"{lead} bfd"] if lab.knob("router/bfd") else []),
        f"{lead} timers 30 90",
        f"{lead} timers connect 2",
        f"{lead} update-source {end.source}",
        " !",
        " address-family ipv4 unicast",
        *(f"  network {prefix}" for prefix in _served(lab, node)),
        f"  neighbor {peer} activate",
        f"  neighbor {peer} route-map {peer}-in in",
        f"  neighbor {peer} route-map {peer}-out out",
        " exit-address-family",
        "exit",
        "!",
        "end",
        "",
    ]
    return "\n".join(lines)
