"""A lab's places as plain data for the live sources: how a command gets to a node, the router, a client, a pod.

Places: `cluster` (kubectl), `client` and `client/NAME` for the others, `router`, `node/NAME`, `pod/NS/NAME`.
"""

from __future__ import annotations

from kubereach.errors import UsageError
from kubereach.lab.lab import Lab
from kubereach.lab.tools import CLUSTER, environment
from kubereach.lab.wiring import SWITCH
from kubereach.sources.executor import Vantage
from kubereach.sources.ssh import Target


def vantages(lab: Lab) -> dict[str, Vantage]:
    """Every place of the lab, in its network namespace."""
    found = {CLUSTER: _vantage(lab, SWITCH, CLUSTER)}
    for subject, host in (lab.scenario.subjects() | _other_clients(lab)).items():
        found[subject] = _vantage(lab, host, host)
    return found


def vantage_of(lab: Lab, host: str) -> Vantage:
    """A place by its name here or by the host's own (`wk-1`). Raises UsageError for one that is not there."""
    known = vantages(lab)
    named = {subject: subject for subject in known} | {subject.rpartition("/")[2]: subject for subject in known}
    if host not in named:
        raise UsageError(f"there is no host {host!r} in this lab", f"one of: {', '.join(known)}")
    return known[named[host]]


def _other_clients(lab: Lab) -> dict[str, str]:
    return {f"client/{name}": name for name in lab.scenario.clients if name != lab.scenario.client}


def _vantage(lab: Lab, host: str, named: str) -> Vantage:
    return Vantage(prefix=tuple(lab.argv(host, [])), environment=environment(lab, named))


def ssh_targets(lab: Lab) -> dict[str, Target]:
    """The nodes and the router over SSH, where they run sshd."""
    hosts = {f"node/{name}": name for name in lab.scenario.nodes} | {"router": "router"}
    return {
        place: Target(
            destination=f"root@{host}",
            key=str(lab.folder / "ssh_key"),
            proxy_command=tuple(lab.argv(host, ["socat", "-", "TCP:127.0.0.1:22"])),
        )
        for place, host in hosts.items()
    }
