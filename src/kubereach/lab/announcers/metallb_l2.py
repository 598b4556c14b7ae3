"""MetalLB's speaker in layer-2 mode: the elected node answers ARP for the service's address (`lab.arp_responder`).

The leader is the candidate with the smallest SHA-256 of `NODE#ADDRESS` (MetalLB speaker/layer2_controller.go).

Knobs: `announcer/split` is a memberlist (TCP and UDP 7946) whose members do not hear each other, so that every node
elects itself; `announcer/interfaces` is the interface of the L2Advertisement (eth0), which is not part of the election.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from kubereach.lab import segment
from kubereach.lab.elected import candidates
from kubereach.lab.lab import Lab, wait


def start(lab: Lab, node: str) -> None:
    """The responder runs on the node for the addresses that it leads."""
    sync(lab, node)


def sync(lab: Lab, node: str) -> None:
    """The node answers for the addresses that it leads now, and for no other."""
    led = sorted({s.address for name, s in lab.scenario.services.items() if node in leaders(lab, name)})
    interface = lab.knob("announcer/interfaces", "eth0")
    wanted = " ".join([interface, *led])
    if _process(lab, node) and _now(lab, node).read_text() == wanted:
        return
    stop(lab, node)
    if led and lab.run(node, "ip", "link", "show", interface, check=False).ok:
        process = lab.start(
            node, sys.executable, "-m", "kubereach.lab.arp_responder", interface, *led, log="arp_responder"
        )
        lab.write(_now(lab, node).name, wanted)
        lab.write(_pid(lab, node).name, str(process))


def stop(lab: Lab, node: str) -> None:
    """The node answers for nothing any more."""
    if process := _process(lab, node):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        wait(lambda: not _process(lab, node), 3)
    _pid(lab, node).unlink(missing_ok=True)


def settled(lab: Lab) -> bool:
    """Whether exactly the leaders answer on their segments."""
    return all(
        segment.answers(lab, service.address) == segment.macs(lab, leaders(lab, name))
        for name, service in lab.scenario.services.items()
    )


def leaders(lab: Lab, service: str) -> tuple[str, ...]:
    """The nodes that answer for a service: one, or all candidates where no speaker hears another."""
    found = candidates(lab, service)
    if lab.knob("announcer/split"):
        return found
    address = lab.scenario.services[service].address
    return tuple(sorted(found, key=lambda node: sha256(f"{node}#{address}".encode()).digest())[:1])


def _process(lab: Lab, node: str) -> int:
    """The responder's process; 0 for none."""
    try:
        process = int(_pid(lab, node).read_text())
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return process if b"arp_responder" in command else 0


def _pid(lab: Lab, node: str) -> Path:
    return lab.folder / f"arp_responder.{node}.pid"


def _now(lab: Lab, node: str) -> Path:
    return lab.folder / f"arp_responder.{node}.now"
