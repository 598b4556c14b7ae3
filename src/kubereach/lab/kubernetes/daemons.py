"""What the cluster's daemons in the lab are doing now: whether they are ready, and what they printed."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from kubereach.lab.announcers import kube_vip_arp
from kubereach.lab.kubernetes.objects import Cluster
from kubereach.lab.lab import Lab


def cluster_of(lab: Lab, *, probed: bool = False) -> Cluster:
    """The lab's cluster as it is now; `probed` asks what the agents' readiness probes say."""
    since = datetime.fromtimestamp((lab.folder / "kubeconfig").stat().st_mtime, UTC)
    named = kube_vip_arp.holders(lab) if lab.scenario.announcer.kind == "kube-vip-arp" else {}
    silent = unready(lab) if probed else {}
    return Cluster(lab.scenario, dict(lab.state.knobs), since, os.uname().release, silent, named)


def unready(lab: Lab) -> dict[str, str]:
    """What calico-node's readiness probe says where it fails: not one BGP session is Established.

    Calico node/pkg/health/health.go at v3.26.1; a node without peers is ready.
    """
    found: dict[str, str] = {}
    for node in lab.scenario.nodes if lab.scenario.announcer.kind == "calico-bgp" else ():
        listed = lab.run(node, str(lab.folder / "bin" / node / "birdcl"), "show", "protocols", check=False)
        sessions = re.findall(r"^[A-Za-z]+_([\d_]+) +BGP .*$", listed.out, re.MULTILINE)
        if not listed.ok or "Unable to connect" in listed.out:
            reason = (
                "Error querying BIRD: unable to connect to BIRDv4 socket: "
                "dial unix /var/run/calico/bird.ctl: connect: connection refused"
            )
        elif sessions and "Established" not in listed.out:
            reason = f"BGP not established with {','.join(name.replace('_', '.') for name in sessions)}"
        else:
            continue
        found[f"calico-node/{node}"] = f"calico/node is not ready: BIRD is not ready: {reason}"
    return found


def logs(lab: Lab, daemon: str, node: str, pod: str, container: str = "") -> list[Path]:
    """The files that hold what a daemon's pod (or, without a daemon, a workload's) prints."""
    if container == "frr":
        return [lab.folder / f"frr-{node}" / "bgpd.log"]
    names = {
        "calico-node": [f"bird-{node}.log"],
        "speaker": [f"speaker.{node}.log"],
        "kube-vip-ds": [f"kube-vip.{node}.log"],
        "kube-proxy": [f"kube-proxy.{node}.log"],
    }.get(daemon, [f"nginx-{pod}/access.log"])
    return [lab.folder / name for name in names]


def as_calico_node(text: str) -> list[str]:
    """BIRD's lines as calico-node prints them: on standard error, without time and class."""
    return [f"bird: {line}" for line in re.sub(r"(?m)^\S+ \S+ <[A-Z]+> ", "", text).splitlines()]
