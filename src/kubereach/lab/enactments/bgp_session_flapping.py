"""The session is restarted every three seconds, as by a health check that kills the daemon again and again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from kubereach.lab import frr, system
from kubereach.lab.bird import socket
from kubereach.lab.lab import Lab
from kubereach.lab.peering import node_end
from kubereach.lab.session_faults import affected, places

__all__ = ["enact", "places", "settled", "undo"]

PERIOD = 3  # seconds


def enact(lab: Lab, subject: str) -> None:
    for node in affected(lab, subject):
        if lab.scenario.announcer.kind == "calico-bgp":
            again = ["birdc", "-s", str(socket(lab, node)), "restart", system.announcer(lab).peer_protocol(lab, node)]
        else:
            place = str(frr.folder(lab, node))
            peer = node_end(lab, node).peer
            again = ["vtysh", "--config_dir", place, "--vty_socket", place, "-c", f"clear bgp ipv4 unicast {peer}"]
        loop = f'while "$@"; do sleep {PERIOD}; done'
        process = lab.start(node, "sh", "-c", loop, "flapping", *again, log="flapping")
        lab.set_knobs({_knob(node): str(process)})


def undo(lab: Lab, subject: str) -> None:
    for node in affected(lab, subject):
        with suppress(ProcessLookupError, ValueError):
            os.killpg(int(lab.knob(_knob(node))), signal.SIGTERM)
        lab.set_knobs({_knob(node): None})


def settled(lab: Lab, subject: str) -> bool:
    return not any(system.announcer(lab).session_up(lab, node) for node in affected(lab, subject))


def _knob(node: str) -> str:
    return f"enactment/flapping/{node}"
