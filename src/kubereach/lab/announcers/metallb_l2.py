"""MetalLB's speaker in layer-2 mode: the elected node answers ARP for the service's address (`lab.arp_responder`).

The leader is the candidate with the smallest SHA-256 of `NODE#ADDRESS` (`lab.elected`).

Knobs: `announcer/NODE/alone` takes the node out of the memberlist (TCP and UDP 7946), so that it elects itself and the
others do without it; `announcer/interfaces` is the interface of the L2Advertisement (eth0), which the election does not
look at; `announcer/no-advertisement` is a pool without any L2Advertisement.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from kubereach.lab import segment
from kubereach.lab.elected import candidates, leader
from kubereach.lab.lab import Lab, wait


def start(lab: Lab, node: str) -> None:
    """The responder runs on the node for the addresses that it leads."""
    sync(lab, node)


def sync(lab: Lab, node: str) -> None:
    """The node answers for the addresses that it leads now, and for no other."""
    led = sorted({s.address for name, s in lab.scenario.services.items() if node in leaders(lab, name)})
    interface = _interface(lab)
    wanted = " ".join([interface, *led])
    if _process(lab, node) and _now(lab, node).read_text() == wanted:
        return
    stop(lab, node)
    if led and _has(lab, node):
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
        segment.answers(lab, service.address) == segment.macs(lab, (n for n in leaders(lab, name) if _has(lab, n)))
        for name, service in lab.scenario.services.items()
    )


def _has(lab: Lab, node: str) -> bool:
    """Whether the node has the interface that it should answer on."""
    return lab.run(node, "ip", "link", "show", _interface(lab), check=False).ok


def _interface(lab: Lab) -> str:
    return lab.knob("announcer/interfaces", "eth0")


def leaders(lab: Lab, service: str) -> tuple[str, ...]:
    """The nodes that take themselves for a service's leader: one, unless the memberlist is split."""
    address, found = lab.scenario.services[service].address, candidates(lab, service)
    alone = [node for node in found if lab.knob(f"announcer/{node}/alone")]
    return tuple(
        node for node in found if node in alone or node == leader((n for n in found if n not in alone), address)
    )


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
