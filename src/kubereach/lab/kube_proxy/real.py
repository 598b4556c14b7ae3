"""The real kube-proxy 1.20.2 on every node, in the scenario's mode (iptables, ipvs), against a real API server.

Kubelet's part (KUBE-FIREWALL, the rule of KUBE-MARK-DROP) is not there: no kubelet runs.
"""

from __future__ import annotations

import time
from pathlib import Path

from kubereach.lab import kubernetes_build, xtables
from kubereach.lab.kubernetes import control_plane
from kubereach.lab.lab import CommandError, Lab, wait

PROGRAM = "kube-proxy"
WRITING = 60.0  # seconds until a change is in the rules; it writes once a second, and starts slowly in a guest


def sync(lab: Lab, node: str) -> None:
    """The API has the scenario's objects, kube-proxy runs on the node, and its rules stay. Raises CommandError."""
    control_plane.start(lab)
    if not _process(lab, node):
        _start(lab, node)
    # It is not told when a change is in place: two dumps that are the same, longer apart than it takes to begin.
    if not wait(lambda: _same(lab, node), WRITING, 0.0):
        raise CommandError(f"kube-proxy's rules on {node} do not settle; see {lab.folder}/{PROGRAM}.{node}.log")


def _start(lab: Lab, node: str) -> None:
    proxy, pods = lab.scenario.proxy, lab.scenario.pod_network.cidr
    words = [
        f"--kubeconfig={control_plane.kubeconfig(lab)}",
        f"--hostname-override={node}",
        f"--proxy-mode={proxy.mode}",
        f"--cluster-cidr={pods}",
        f"--ipvs-strict-arp={str(proxy.strict_arp).lower()}",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
        # The machine's own settings stay as they are.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
        "--feature-gates=EndpointSliceProxying=false",  # 1.20 serves another version of EndpointSlice than the lab's
    ]
    process = lab.start(node, str(kubernetes_build.program(PROGRAM)), *words, log=PROGRAM)
    lab.write(f"{PROGRAM}-{node}.pid", str(process))


def _same(lab: Lab, node: str) -> bool:
    first = _rules(lab, node)
    time.sleep(1.5)
    return "KUBE-SERVICES" in first and _rules(lab, node) == first


def _rules(lab: Lab, node: str) -> str:
    chains = lab.run(node, f"{xtables.prefix(lab, node)}-save").out
    servers = lab.run(node, "ipvsadm", "-Sn").out if lab.scenario.proxy.mode == "ipvs" else ""
    return "\n".join(line for line in (chains + servers).splitlines() if not line.startswith(("#", ":")))


def clear(lab: Lab, node: str) -> None:
    """Kube-proxy ends, and takes its rules away (its option --cleanup)."""
    if process := _process(lab, node):
        lab.end(process)
    lab.run(node, str(kubernetes_build.program(PROGRAM)), "--cleanup", check=False)


def _process(lab: Lab, node: str) -> int | None:
    """kube-proxy's process on a node, if it runs."""
    try:
        process = int((lab.folder / f"{PROGRAM}-{node}.pid").read_text())
        runs = PROGRAM.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return process if runs else None
