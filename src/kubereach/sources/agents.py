"""The announcing agents' pods: which of them runs on which node, asked of the cluster."""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.sources.executor import Executor

_AGENTS = re.compile(r"(?:calico-node|(?:metallb-)?speaker)-[a-z0-9]{5}")
_COLUMNS = "NS:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName"


class AgentPod(Struct, frozen=True):
    """A pod of an announcing agent, and the node that it speaks for."""

    namespace: str
    name: str
    node: str

    @property
    def container(self) -> str:
        """The container that speaks BGP."""
        return "calico-node" if self.name.startswith("calico-node") else "frr"


def agent_pods(executor: Executor) -> tuple[AgentPod, ...]:
    """The announcing agents' pods; () where the cluster cannot be asked."""
    listed = executor.run("cluster", f"kubectl get pods -A -o custom-columns={_COLUMNS}").text
    rows = [line.split() for line in listed.splitlines()]
    return tuple(AgentPod(*row) for row in rows if len(row) == 3 and _AGENTS.fullmatch(row[1]))


def peer_of(executor: Executor, pod: AgentPod) -> str:
    """The first BGP session outside the mesh, as BIRD in a pod names it; "" where there is none."""
    if pod.container != "calico-node":
        return ""
    where = f"-n {pod.namespace} {pod.name} -c {pod.container}"
    listed = executor.run("cluster", f"kubectl exec {where} -- birdcl show protocols").text
    found = re.search(r"^((?:Global|Node)_\S+) +BGP ", listed, re.MULTILINE)
    return found[1] if found else ""
