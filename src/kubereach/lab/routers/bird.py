"""The router's daemon is BIRD 2. Timers are short, so that a silent fault shows within seconds.

Knobs: see `lab.routers` and `lab.peering`. `birdc show protocols` has a protocol `node_NAME` for each node.
"""

from __future__ import annotations

import re

from kubereach.lab import bird, firewall
from kubereach.lab.lab import Lab
from kubereach.lab.peering import node_end, router_end, static_routes

HOST = "router"


def start(lab: Lab) -> None:
    """BIRD runs with a session for each node that should have one. Raises CommandError."""
    sync(lab)


def sync(lab: Lab) -> None:
    """BIRD's configuration follows the scenario and the knobs; the sessions that are not concerned stay up."""
    firewall.stateful(lab)
    bird.load(lab, HOST, render(lab))


def stop(lab: Lab) -> None:
    """BIRD ends, and takes its routes out of the kernel."""
    bird.stop(lab, HOST)


def protocol(node: str) -> str:
    """The name of BIRD's protocol for a node's session."""
    return "node_" + re.sub(r"\W", "_", node)


def render(lab: Lab) -> str:
    """The router's bird.conf."""
    scenario = lab.scenario
    statics = [f"  route {prefix} via {hop};" for prefix, hop in static_routes(lab).items()]
    installed = "source = RTS_STATIC" if lab.knob("router/not-installed") else "source ~ [ RTS_BGP, RTS_STATIC ]"
    lines = [
        f'log "{bird.log(lab, HOST)}" all;',
        f"router id {next(iter(scenario.router.addresses.values()))};",
        "protocol device { scan time 2; }",
        "protocol direct { ipv4; }",
        "protocol static {",
        "  ipv4;",
        *statics,
        "}",
        "protocol kernel {",
        f"  ipv4 {{ export where {installed}; }};",
        *(["  merge paths on;"] if scenario.router.multipath else []),
        "}",
        *(["protocol bfd {}"] if lab.knob("router/bfd") else []),
    ]
    for node in scenario.nodes if scenario.announcer.kind.endswith("-bgp") else ():
        lines += _session(lab, node)
    return "\n".join([*lines, ""])


def _session(lab: Lab, node: str) -> list[str]:
    if (peer := router_end(lab, node)) is None:
        return []
    return [
        f"protocol bgp {protocol(node)} {{",
        f"  local as {lab.scenario.router.asn};",
        f"  neighbor {peer.address} as {peer.asn};",
        "  connect delay time 1; connect retry time 2; error wait time 2, 5; hold time 9;",
        *([f'  password "{peer.password}";'] if peer.password else []),
        *(["  disabled;"] if peer.shutdown else []),
        *([f"  multihop; source address {node_end(lab, node).peer};"] if peer.multihop else []),
        *(["  bfd;"] if lab.knob("router/bfd") else []),
        f"  ipv4 {{ import {_import(lab)}; export where source = RTS_BGP; }};",
        "}",
    ]


def _import(lab: Lab) -> str:
    """BIRD asks for a policy at every external session (RFC 8212); one that was never written lets nothing in."""
    policy = lab.knob("router/import")
    if policy == "none" or lab.knob("router/rfc8212"):
        return "none"
    return "where net.len < 32" if policy == "aggregates-only" else "all"
