"""Whose tests are the client's, where hosts are known by nothing but the names in their prompts."""

from __future__ import annotations

import re

from msgspec.structs import replace

from kubereach.build.hosts import CLIENT_NAMES, MASTER_NAMES, WORKER_NAMES, Hosts
from kubereach.build.target import SERVICE_PROBES
from kubereach.model.address import canonical_address
from kubereach.model.fact import NODES, AnyFact, Outcome, ProbeResult, Trust
from kubereach.model.network import Flow

_NODE_LIKE = (
    r"(?:^|[-_.]|k[38]s)(?:masters?|workers?|nodes?|control-?plane|cp|kube\w*|k3s|k8s|rke2?|microk8s)(?:$|[-_.\d])"
)
_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN})


def some_node(source: str) -> str:
    """The source of a test made on "a node", where it is not known on which; "" for any other name."""
    return NODES if source.lower() in MASTER_NAMES | WORKER_NAMES else ""


def apart_hosts(facts: tuple[AnyFact, ...], flow: Flow, hosts: Hosts) -> tuple[AnyFact, ...]:
    """`facts` with the tests of a strange host that succeeds apart from those of the client, which fails.

    Tests at two prompts are of two places. Where one fails, it is the client's; the other host is a node where
    its name says so or kubectl was run on it, as most people do on a control plane, and another client otherwise.
    """
    tests = [f for f in facts if isinstance(f, ProbeResult) and f.probe in SERVICE_PROBES and _of(f, flow)]
    good = {f.source for f in tests if f.outcome in _GOOD} - {f.source for f in tests if f.outcome not in _GOOD}
    failing = [f for f in tests if f.outcome not in _GOOD and _outside(f.source, hosts)]
    strange = {name for name in good if name and name.lower() not in CLIENT_NAMES and not hosts.resolve(name)}
    if not failing or not strange:
        return facts
    places = {name: NODES if _of_cluster(name, facts) else "elsewhere" for name in strange}
    return tuple(
        replace(f, source=places[f.source]) if isinstance(f, ProbeResult) and f.source in places else f for f in facts
    )


def _of(fact: ProbeResult, flow: Flow) -> bool:
    told = fact.trust is Trust.MENTIONED and not fact.target
    return told or fact.target == flow.address


def _outside(source: str, hosts: Hosts) -> bool:
    """Whether a source is the client's or a stranger's; a test without a source is nobody's in particular."""
    if not source or source == NODES or source.startswith("pod/"):
        return False
    return canonical_address(source) is None and hosts.resolve(source) in {"", "client"}


def _of_cluster(name: str, facts: tuple[AnyFact, ...]) -> bool:
    """Whether the host's name is one for nodes, or kubectl was run at its prompt."""
    if re.search(_NODE_LIKE, name, re.IGNORECASE):
        return True
    return any(f.origin.host == name and re.search(r"\bkubectl\b", f.origin.command) for f in facts)
