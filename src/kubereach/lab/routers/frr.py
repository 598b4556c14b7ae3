"""The router's daemon is FRR: zebra, bgpd, staticd, and bfdd where BFD is wanted.

Its configuration is put in place by FRR's own frr-reload.py, which changes what differs and leaves the rest alone.
Timers are those of FRR's `datacenter` profile (keepalive 3 s, hold 9 s), so that a silent fault shows within seconds;
a change of a route map takes 1 s to work, not 5.
Knobs: see `lab.routers` and `lab.peering`.
"""

from __future__ import annotations

from kubereach.lab import firewall, frr
from kubereach.lab.lab import Lab
from kubereach.lab.peering import router_end, static_routes

HOST = "router"


def start(lab: Lab) -> None:
    """The daemon runs with a session for each node that should have one. Raises CommandError."""
    firewall.stateful(lab)
    frr.start(lab, HOST, ("zebra", "staticd", "bgpd", *(("bfdd",) if lab.knob("router/bfd") else ())), render(lab))


def sync(lab: Lab) -> None:
    """Its configuration follows the scenario and the knobs; the sessions that are not concerned stay up."""
    firewall.stateful(lab)
    if lab.knob("router/bfd"):
        frr.run_daemon(lab, HOST, "bfdd")
    if frr.load(lab, HOST, render(lab)) and lab.scenario.announcer.kind.endswith("-bgp"):
        # bgpd looks at what it has again only when told so, where the need of a policy changes.
        frr.vtysh(lab, HOST, "clear bgp ipv4 unicast * soft in")


def stop(lab: Lab) -> None:
    """The daemon ends."""
    frr.stop(lab, HOST)


def vtysh(lab: Lab, *commands: str) -> str:
    """What the router's vtysh prints for `commands`."""
    return frr.vtysh(lab, HOST, *commands)


def render(lab: Lab) -> str:
    """The router's frr.conf."""
    scenario, announcer = lab.scenario, lab.scenario.announcer
    lines = ["frr defaults traditional", f"hostname {HOST}", "no ipv6 forwarding"]
    lines += ["bgp route-map delay-timer 1", "zebra route-map delay-timer 1"]
    lines += [f"ip route {prefix} {hop}" for prefix, hop in static_routes(lab).items()]
    if lab.knob("router/not-installed"):
        lines += ["ip protocol bgp route-map NOT-INSTALLED", "route-map NOT-INSTALLED deny 10", "exit"]
    lines.append("!")
    if not announcer.kind.endswith("-bgp"):
        return "\n".join([*lines, "end", ""])
    lines += [
        f"router bgp {scenario.router.asn}",
        f" bgp router-id {next(iter(scenario.router.addresses.values()))}",
        " bgp log-neighbor-changes",
        " bgp bestpath compare-routerid",
    ]
    if not lab.knob("router/rfc8212"):
        lines.append(" no bgp ebgp-requires-policy")
    active = []
    for node in scenario.nodes:
        if (peer := router_end(lab, node)) is None:
            continue
        lead = f" neighbor {peer.address}"
        active.append(peer.address)
        lines += [f"{lead} remote-as {peer.asn}", f"{lead} description {node}"]
        lines += [f"{lead} timers 3 9", f"{lead} timers connect 2"]
        lines += [f"{lead} password {peer.password}"] if peer.password else []
        lines += [f"{lead} shutdown"] if peer.shutdown else []
        lines += [f"{lead} ebgp-multihop 255"] if peer.multihop else []
        lines += [f"{lead} bfd"] if lab.knob("router/bfd") else []
    policy = lab.knob("router/import")
    lines += [" !", " address-family ipv4 unicast"]
    lines.append(f"  maximum-paths {max(2, len(scenario.nodes)) if scenario.router.multipath else 1}")
    for address in active:
        # As most routers: RFC 7911's additional paths are used only where somebody asks for them.
        lines += [f"  neighbor {address} disable-addpath-rx"]
        lines += [f"  neighbor {address} prefix-list FROM-NODES in"] if policy else []
    lines += [" exit-address-family", "exit", "!"]
    if policy == "aggregates-only":
        lines += ["ip prefix-list FROM-NODES seq 5 permit 0.0.0.0/0 ge 1 le 31"]
    elif policy == "none":
        lines += ["ip prefix-list FROM-NODES seq 5 deny any"]
    return "\n".join([*lines, "end", ""])
