"""A second BGP speaker of the node, FRR as a distribution installs it, holds TCP port 179 and the session.

It was there before Calico's, which therefore finds the port taken.
"""

from __future__ import annotations

from kubereach.lab import frr, session_faults, system
from kubereach.lab.lab import Lab
from kubereach.lab.peering import node_end
from kubereach.lab.scenario import Scenario

__all__ = ["enact", "places", "settled", "undo"]


def places(scenario: Scenario) -> tuple[str, ...]:
    return session_faults.places(scenario) if scenario.announcer.kind == "calico-bgp" else ()


def enact(lab: Lab, subject: str) -> None:
    announcer = system.announcer(lab)
    for node in session_faults.affected(lab, subject):
        announcer.stop(lab, node)
        end = node_end(lab, node)
        lines = [f"hostname {node}", f"router bgp {end.asn}", f" bgp router-id {lab.scenario.nodes[node].address}"]
        lines += [" no bgp ebgp-requires-policy", f" neighbor {end.peer} remote-as {end.peer_asn}"]
        lines += [f" neighbor {end.peer} timers connect 1", "exit", "end", ""]
        frr.start(lab, node, ("zebra", "bgpd"), "\n".join(lines))
        announcer.start(lab, node)


def undo(lab: Lab, subject: str) -> None:
    announcer = system.announcer(lab)
    for node in session_faults.affected(lab, subject):
        frr.stop(lab, node)
        announcer.stop(lab, node)
        announcer.start(lab, node)


def settled(lab: Lab, subject: str) -> bool:
    nodes = session_faults.affected(lab, subject)
    return all(frr.session_state(lab, node, node_end(lab, node).peer) == frr.ESTABLISHED for node in nodes)
