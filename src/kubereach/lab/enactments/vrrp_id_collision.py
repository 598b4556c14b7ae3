"""Another VRRP group on the segment uses the service's virtual router ID, with a higher priority.

keepalived compares the addresses of an advertisement with its own and drops it when they differ, after having counted
it as a sign of a living master: both groups keep a master, each one's backups come and go, and the logs tell. A router
that does not compare them (RFC 5798 section 7.1 asks for a log entry only) would give way.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from kubereach.lab.announcers.kube_vip_arp import instance, run, vrid
from kubereach.lab.lab import Lab
from kubereach.lab.places import target
from kubereach.lab.scenario import Scenario

NAME = "keepalived-foreign"
PRIORITY = 250


def places(scenario: Scenario) -> tuple[str, ...]:
    """A client in the nodes' segment plays the other group."""
    possible = scenario.announcer.kind == "kube-vip-arp" and _neighbour(scenario)
    return target(scenario) if possible else ()


def enact(lab: Lab, subject: str) -> None:
    scenario = lab.scenario
    own = next(iter(scenario.nodes.values()))
    address = str(scenario.prefix(own.segment)[-6])
    group = instance("foreign", vrid(lab, scenario.target), PRIORITY, address, "eth0")
    lab.write(f"{NAME}.conf", "\n".join(["global_defs {", "  vrrp_version 3", "}", *group, ""]))
    lab.set_knobs({_knob(subject): str(run(lab, _neighbour(scenario), NAME))})


def undo(lab: Lab, subject: str) -> None:
    with suppress(ProcessLookupError, ValueError):
        os.kill(int(lab.knob(_knob(subject))), signal.SIGTERM)
    lab.set_knobs({_knob(subject): None})


def _neighbour(scenario: Scenario) -> str:
    segments = {node.segment for node in scenario.nodes.values()}
    return next((name for name, client in scenario.clients.items() if client.segment in segments), "")


def _knob(subject: str) -> str:
    return f"enactment/vrrp/{subject}"
