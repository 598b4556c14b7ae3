"""Tests and captures that somebody only tells of: which address they were of, and on which hosts.

A person says "from the nodes it works" of no node in particular, and names the address once in ten sentences. Where a
program's output or a statement shows the same test, the telling adds nothing and is left out.
"""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.target import SERVICE_PROBES
from kubereach.model.attribute import ADDRESSES, ALLOCATION_CLEARED, ENDPOINTS
from kubereach.model.fact import NODES, SERVICE, AnyFact, Outcome, Packet, ProbeKind, ProbeResult, Trust
from kubereach.model.network import Flow

_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN})
_REASONS = ("no-pool", "exhausted", "refused", "class", "controller", "host-port")


def of_service(facts: tuple[AnyFact, ...], flow: Flow, hosts: Hosts) -> tuple[AnyFact, ...]:
    """`facts` with the told tests sent to the flow's address, without those that something better shows."""
    shown = {_same(f, hosts) for f in facts if isinstance(f, ProbeResult) and not _is_told(f) and _meant(f, flow)}
    kept: list[AnyFact] = []
    listened = any(_listened(f) for f in facts)
    for fact in facts:
        if _is_told_capture(fact):
            kept += () if listened or not flow.address else (_of_address(fact, flow.address),)
        elif not isinstance(fact, ProbeResult) or not _is_told(fact) or not _meant(fact, flow):
            kept.append(fact)
        elif _same(fact, hosts) not in shown:
            kept.append(replace(fact, target=flow.address))
    return tuple(kept)


def _listened(fact: AnyFact) -> bool:
    """Whether the fact is of a capture that is shown, beside which the telling adds nothing."""
    shown = isinstance(fact, Packet) or (isinstance(fact, ProbeResult) and fact.probe is ProbeKind.CAPTURE)
    return shown and not _is_told_capture(fact)


def _is_told_capture(fact: AnyFact) -> bool:
    if isinstance(fact, Packet):
        return fact.trust is Trust.MENTIONED
    return isinstance(fact, ProbeResult) and fact.probe is ProbeKind.CAPTURE and _is_told(fact)


def _of_address(fact: AnyFact, address: str) -> AnyFact:
    """The told capture as one of the service's address."""
    if isinstance(fact, Packet):
        return replace(fact, destination=address)
    if isinstance(fact, ProbeResult) and fact.protocol == "ARP":
        return replace(fact, target=address)
    return replace(fact, source=address) if isinstance(fact, ProbeResult) and fact.source == SERVICE else fact


def on_nodes(
    observed: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves
) -> tuple[Flow, tuple[AnyFact, ...]]:
    """The flow and `observed` with the tests and captures of unnamed nodes put on nodes.

    A success is put where it says least, on a node with a ready endpoint, and a failure on one without: who tests on
    "the nodes" names none, and seldom means each.
    """
    ends = [e.node for e in leaves.get(flow.service, ENDPOINTS) or () if e.node in hosts.nodes]
    first = next(iter([*ends, *hosts.nodes]), "")
    second = next((node for node in hosts.nodes if node not in {first, *ends}), "")
    spread: list[AnyFact] = []
    for fact in observed:
        if isinstance(fact, Packet) and fact.device == NODES:
            fact = replace(fact, device=first)
        if isinstance(fact, ProbeResult) and fact.at == NODES:
            # Nobody listens for a connection on a node that it does not come to; ARP requests come to all of them.
            fact = replace(fact, at=first if fact.protocol == "ARP" else "cluster")
        if not isinstance(fact, ProbeResult) or fact.source != NODES:
            spread.append(fact)
            continue
        spread.append(replace(fact, source=first if fact.outcome in _GOOD else second or first))
    return replace(flow, source=second or first) if flow.source == NODES else flow, tuple(spread)


def put_tried(observed: tuple[AnyFact, ...], flow: Flow, leaves: Leaves) -> None:
    """Put that the service has an address where somebody tried it, though none is shown: <pending> cannot be tried."""
    kinds = {*SERVICE_PROBES, ProbeKind.ARP}
    told = [f for f in observed if isinstance(f, ProbeResult) and not f.target and f.probe in kinds]
    if told and not flow.address and leaves.get(flow.service, ADDRESSES) is None:
        leaves.put(flow.service, ALLOCATION_CLEARED, _REASONS, (told[0].origin,), Trust.MENTIONED)


def _is_told(fact: ProbeResult) -> bool:
    return fact.trust is Trust.MENTIONED


def _meant(fact: ProbeResult, flow: Flow) -> bool:
    """Whether the test is one of the flow's address; a telling that names no address and no host is."""
    return fact.target == flow.address or (_is_told(fact) and not fact.target and not fact.target_name)


def _same(fact: ProbeResult, hosts: Hosts) -> tuple[str, bool]:
    """From what kind of place, and whether it is a connection: what makes two tests the same here."""
    source = NODES if fact.source == NODES else hosts.resolve(fact.source) or fact.source
    kind = source.partition("/")[0]
    return kind if kind in {NODES, "node", "pod", "router"} else "client", fact.probe in SERVICE_PROBES
