"""Tests by name and tests by address of the same service, told apart where they fared differently."""

from __future__ import annotations

from msgspec.structs import replace

from kubereach.build.target import SERVICE_PROBES
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, Outcome, ProbeKind, ProbeResult
from kubereach.model.network import Flow

_GOOD = frozenset({Outcome.REPLY, Outcome.OPEN})


def by_name(flow: Flow, facts: tuple[AnyFact, ...]) -> tuple[AnyFact, ...]:
    """The facts, with the client's failing tests by a name that leads elsewhere as tests of the flow.

    The name is what the client uses: what it gets by the address says only that the service works for others. A name
    that look-ups lead to the address is no other one, and one that nobody looked up may be anything. One that does not
    resolve at all leads nowhere.
    """
    probes = [f for f in facts if isinstance(f, ProbeResult) and not f.given]
    answers: dict[str, set[str]] = {}
    for fact in probes:
        if fact.probe is ProbeKind.DNS and fact.target_name:
            answers.setdefault(_plain(fact.target_name), set()).update({fact.target, fact.reason, fact.at} - {""})
    astray = {name for name, found in answers.items() if flow.address not in found}
    tried = [f for f in probes if f.probe in SERVICE_PROBES and not f.source.startswith(("node/", "pod/"))]
    named = [f for f in tried if _plain(f.target_name) in astray and f.target != flow.address]
    plain = [f for f in tried if f.target == flow.address and canonical_address(f.target)]
    unresolved = any(
        f.probe is ProbeKind.DNS and f.outcome is Outcome.UNREACHABLE and not f.source.startswith(("node/", "pod/"))
        for f in probes
    )
    if not flow.address or not (named or unresolved) or any(f.outcome in _GOOD for f in named):
        return facts
    if not plain or not all(f.outcome in _GOOD for f in plain):
        return facts
    mine, others = {id(f) for f in named}, {id(f) for f in plain}
    return tuple(
        replace(f, target=flow.address, port=flow.port, source="client")
        if isinstance(f, ProbeResult) and id(f) in mine
        else replace(f, source="elsewhere")
        if isinstance(f, ProbeResult) and id(f) in others
        else f
        for f in facts
    )


def _plain(name: str) -> str:
    return name.lower().rstrip(".")
