"""What enactments of faults of BGP sessions have in common: their places, and the sessions that they take down."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.lab import system
from kubereach.lab.lab import Lab
from kubereach.lab.peering import agrees
from kubereach.lab.places import CLUSTER, each_node, name, speaks_bgp
from kubereach.lab.scenario import Scenario

# Up still, or BIRD's word for how the session ended when the router was configured anew (RFC 4486): not what it shows
# for as long as the fault lasts.
PASSING = re.compile("Established|Received: (Other configuration change|Peer de-configured)")


def places(scenario: Scenario) -> tuple[str, ...]:
    """Each node, and all nodes at once where there are several."""
    if not speaks_bgp(scenario):
        return ()
    return (*each_node(scenario), *((CLUSTER,) if len(scenario.nodes) > 1 else ()))


def affected(lab: Lab, subject: str) -> tuple[str, ...]:
    """The nodes that a subject stands for."""
    return tuple(lab.scenario.nodes) if subject == CLUSTER else (name(subject),)


def set_router(lab: Lab, subject: str, setting: str, value: str | None) -> None:
    """Set a knob of the router's end of the sessions, and let the router follow."""
    lab.set_knobs({f"router/peer/{node}/{setting}": value for node in affected(lab, subject)})
    system.router(lab).sync(lab)


def set_nodes(lab: Lab, nodes: Iterable[str], setting: str, value: str | None) -> None:
    """Set a knob of the nodes' end, and let the announcers that run follow."""
    chosen = tuple(nodes)
    lab.set_knobs({f"announcer/{node}/{setting}": value for node in chosen})
    for node in chosen:
        if not lab.knob(f"stopped/announcer/{node}"):
            system.announcer(lab).sync(lab, node)


def settled(lab: Lab, subject: str) -> bool:
    """Whether the sessions that cannot be up are down, and the router's routes follow."""
    announcer = system.announcer(lab)
    down = [node for node in affected(lab, subject) if not agrees(lab, node)]
    said = [announcer.session_state(lab, node) for node in down]
    return not any(PASSING.search(state) for state in said) and bool(announcer.settled(lab))
