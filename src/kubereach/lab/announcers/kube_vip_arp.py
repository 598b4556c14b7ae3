"""kube-vip in ARP mode: the leader has the address on its interface, so that its kernel answers.

The leader is chosen by VRRP (RFC 5798, keepalived), where kube-vip has a lease in the API server: the same for a
packet, and the collision of two virtual router IDs is real. Nodes with a ready endpoint come first, then in the
scenario's order.

Knobs: `announcer/NODE/priority` (VRRP's, 1 to 254, above all others), `announcer/interface` (vip_interface: where the
address is put; eth0), `announcer/vrid` (the first service's virtual router ID).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from kubereach.lab import segment
from kubereach.lab.lab import Lab, wait
from kubereach.lab.peering import runs

VRID = 51  # of the first service; the others' follow
INTERVAL = 0.3  # seconds between advertisements (VRRP version 3 has hundredths)


def start(lab: Lab, node: str) -> None:
    """The daemon runs on the node. Raises CommandError."""
    sync(lab, node)


def sync(lab: Lab, node: str) -> None:
    """The configuration follows the scenario and the knobs."""
    text, file = render(lab, node), lab.folder / f"keepalived-{node}.conf"
    if _process(lab, node) and file.exists() and file.read_text() == text:
        return
    lab.write(file.name, text)
    if process := _process(lab, node):
        os.kill(process, signal.SIGHUP)
        return
    run(lab, node, f"keepalived-{node}")
    wait(lambda: bool(_process(lab, node)), 5)


def run(lab: Lab, host: str, name: str) -> int:
    """Run a keepalived (VRRP only) with the lab's file NAME.conf on a host; its process ID."""
    place = lab.folder / name
    pids = ("-p", f"{place}.pid", "-r", f"{place}-vrrp.pid")
    return lab.start(host, "keepalived", "-n", "-l", "-P", "-f", f"{place}.conf", *pids, log="keepalived")


def stop(lab: Lab, node: str) -> None:
    """The daemon ends and gives its addresses up."""
    if process := _process(lab, node):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        wait(lambda: not _process(lab, node), 5)


def settled(lab: Lab) -> bool:
    """Whether exactly the leader answers for each address."""
    return all(
        segment.answers(lab, service.address) == segment.macs(lab, ranking(lab, name)[:1])
        for name, service in lab.scenario.services.items()
    )


def ranking(lab: Lab, service: str) -> tuple[str, ...]:
    """The nodes that would hold a service's address, the leader first."""
    local = lab.scenario.services[service].policy == "Local"  # only then the election looks at pods

    def rank(node: str) -> tuple[int, bool]:
        chosen = int(lab.knob(f"announcer/{node}/priority", "0"))
        pods = (lab.scenario.pods[pod] for pod in lab.scenario.endpoints(service))
        return -chosen, local and not any(pod.node == node for pod in pods)

    return tuple(sorted((node for node in lab.scenario.nodes if runs(lab, node)), key=rank))


def holders(lab: Lab) -> dict[str, str]:
    """Service → the node that holds its address."""
    found = {name: ranking(lab, name)[:1] for name in lab.scenario.services}
    return {name: nodes[0] for name, nodes in found.items() if nodes}


def render(lab: Lab, node: str) -> str:
    """The node's keepalived.conf."""
    lines = ["global_defs {", f"  router_id {node}", "  vrrp_version 3", "  vrrp_garp_master_refresh 5", "}"]
    for name, service in lab.scenario.services.items():
        order = ranking(lab, name)
        if node in order:
            priority = 200 - 10 * order.index(node)
            lines += instance(name, vrid(lab, name), priority, service.address, lab.knob("announcer/interface", "eth0"))
    return "\n".join([*lines, ""])


def vrid(lab: Lab, service: str) -> int:
    """A service's virtual router ID."""
    return int(lab.knob("announcer/vrid", str(VRID))) + list(lab.scenario.services).index(service)


def instance(name: str, number: int, priority: int, address: str, device: str) -> list[str]:
    """One VRRP group that holds `address` on `device`."""
    return [
        f"vrrp_instance {name} {{",
        "  state BACKUP",
        "  interface eth0",
        f"  virtual_router_id {number}",
        f"  priority {priority}",
        f"  advert_int {INTERVAL}",
        "  virtual_ipaddress {",
        f"    {address}/32 dev {device}",
        "  }",
        "}",
    ]


def _process(lab: Lab, node: str) -> int:
    """The daemon's process; 0 for none."""
    try:
        process = int((lab.folder / f"keepalived-{node}.pid").read_text())
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return process if command.startswith(b"keepalived") else 0
