"""Every stage in order: evidence → network → observations → causes → advice. The only module that knows them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from kubereach.advise.consequences import consequences
from kubereach.advise.difference import same_names
from kubereach.advise.evidence_change import compared
from kubereach.advise.flipping import ends, explained, model_changes
from kubereach.advise.missing import missing
from kubereach.advise.next_probe import MOST_PROBES, next_probes
from kubereach.advise.remedies import remedies
from kubereach.advise.repair import repairs
from kubereach.advise.supposed import Wanted, suppose
from kubereach.advise.whatif import what_if as attempts
from kubereach.build.assemble import build
from kubereach.build.target import PLACEHOLDER, Choice
from kubereach.diagnose.effects import effects
from kubereach.diagnose.explain import (
    Blame,
    because,
    blames,
    cleared,
    contradictions,
    observations,
    supporting,
)
from kubereach.diagnose.masking import hidden
from kubereach.diagnose.observe import Group, collect
from kubereach.diagnose.rank import Ranking, rank
from kubereach.diagnose.reported_walk import reported_walk
from kubereach.diagnose.roles import judged
from kubereach.diagnose.verdict import verdict
from kubereach.errors import UnreadableError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import Evidence, Passage, read_evidence
from kubereach.model.diagnosis import Because, Cause, Diagnosis, Role, Target, UnreadSpan
from kubereach.model.difference import Difference
from kubereach.model.fact import ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.model.what_if import WhatIf

if TYPE_CHECKING:  # whoever brings documents of their own needs no files and archives
    from kubereach.sources.bundle import Bundle
    from kubereach.sources.limits import Skipped


class Options(Struct, frozen=True, kw_only=True):
    """The flow, as far as the command line gives it; the evidence gives the rest."""

    service: str | None = None
    address: str | None = None
    port: int | None = None
    from_: str | None = None


def load(paths: Sequence[str], stdin: BinaryIO | None) -> Bundle:
    """The documents at `paths` (`-` is `stdin`), and what of them was passed over."""
    from kubereach.sources.bundle import load_bundle

    return load_bundle(paths, stdin)


def diagnose(
    documents: Sequence[Document],
    options: Options,
    skipped: Sequence[Skipped] = (),
    *,
    most_probes: int = MOST_PROBES,
) -> Diagnosis:
    """What the documents say about the flow, with at most so many next probes.

    The same documents and options give the same diagnosis.

    Raises UnreadableError when nothing in them is evidence, and UsageError when an option names what is not there.
    """
    evidence, network = _network(documents, options, skipped)
    groups = collect(network)
    ranking = rank(network, groups)
    return _composed(evidence, network, ranking, groups, skipped, most_probes)


def what_if(
    documents: Sequence[Document],
    options: Options,
    *,
    sets: Sequence[str] = (),
    down: Sequence[str] = (),
    manifests: Sequence[Document] = (),
    skipped: Sequence[Skipped] = (),
) -> WhatIf:
    """What changes of the documents' cluster would do to the flow, and to every service by every entry node.

    Raises what `diagnose` raises, and UsageError for a change that cannot be put into the model.
    """
    evidence, network = _network(documents, options, skipped)
    wanted = Wanted(sets=tuple(sets), down=tuple(down), manifests=tuple(manifests))
    supposed = suppose(evidence.facts, network, _same_flow(network), wanted)
    groups = collect(network)
    flow, rows = consequences(rank(network, groups), network, supposed.network, supposed.down, groups)
    return WhatIf(target=_target(network), changes=supposed.changes, flow=flow, rows=rows, assumed=network.assumed)


def diff(
    before: Sequence[Document], after: Sequence[Document], options: Options, *, skipped: Sequence[Skipped] = ()
) -> Difference:
    """What changed from the documents `before` to those `after`, for the flow of `before`.

    Raises what `diagnose` raises.
    """
    (old, network), (new, _) = _network(before, options, skipped), _network(after, Options(), skipped)
    flow = _same_flow(network)
    sides = same_names(old.facts, new.facts, (flow, flow))
    groups = tuple(collect(side.network) for side in sides)
    rankings = tuple(rank(side.network, found) for side, found in zip(sides, groups, strict=True))
    verdicts = [
        verdict(ranking, found, blames(judged(ranking), ranking))
        for ranking, found in zip(rankings, groups, strict=True)
    ]
    changes, one_sided = compared(*sides)
    explanations, undecided = explained((verdicts[0], verdicts[1]), rankings[0], rankings[1], sides)
    return Difference(
        target=_target(sides[0].network),
        verdict_before=verdicts[0],
        verdict_after=verdicts[1],
        ends_before=ends(rankings[0]),
        ends_after=ends(rankings[1]),
        explained_by=explanations,
        undecided=undecided,
        evidence=changes,
        model=model_changes(sides[0].network, sides[1].network),
        not_comparable=one_sided,
    )


def _network(documents: Sequence[Document], options: Options, skipped: Sequence[Skipped]) -> tuple[Evidence, Network]:
    evidence = read_evidence(sorted(documents, key=lambda document: document.name))
    if _says_nothing(evidence):
        raise _unreadable(evidence.wanted, skipped)
    choice = Choice(service=options.service, address=_address(options), client=options.from_)
    return evidence, build(evidence.facts, choice)


def _says_nothing(evidence: Evidence) -> bool:
    """Whether there is no evidence; a lone sentence that the service fails, of no address, is none."""
    bare = [f for f in evidence.facts if isinstance(f, ProbeResult) and f.trust is Trust.MENTIONED and not f.target]
    return len(evidence.facts) == len(bare) <= 1 and len(evidence.understood) == len(bare)


def _same_flow(network: Network) -> Choice:
    """The choice that leads to the network's own flow again, whatever else changes."""
    flow = network.flow
    named = None if flow.service == PLACEHOLDER else flow.service.removeprefix("service/")
    where = Options(address=flow.address or None, port=flow.port)
    return Choice(service=named, address=_address(where), client=flow.client or None)


def _target(network: Network) -> Target:
    flow = network.flow
    return Target(
        service=None if flow.service == PLACEHOLDER else flow.service.removeprefix("service/"),
        address=flow.address or None,
        port=flow.port,
        protocol=flow.protocol,
        from_=flow.client or None,
    )


def _address(options: Options) -> str | None:
    if options.address and options.port:
        return f"[{options.address}]:{options.port}" if ":" in options.address else f"{options.address}:{options.port}"
    return options.address


def _composed(
    evidence: Evidence,
    network: Network,
    ranking: Ranking,
    groups: tuple[Group, ...],
    skipped: Sequence[Skipped],
    most_probes: int,
) -> Diagnosis:
    found = judged(ranking)
    blamed = blames(found, ranking)
    ways_out = remedies(ranking)
    return Diagnosis(
        target=_target(network),
        verdict=verdict(ranking, groups, blamed),
        causes=tuple(_cause(b, blamed, groups, ranking) for b in blamed),
        effects=effects(found),
        residual=round(ranking.residual, 4),
        cleared=cleared(ranking),
        observations=observations(ranking, groups),
        walk=reported_walk(ranking),
        contradictions=contradictions(ranking, network, groups),
        next_probes=next_probes(network, found, groups, ranking.residual, most_probes),
        remedies=ways_out,
        what_if=attempts(ranking, ways_out),
        understood=tuple(Because(origin=found.origin.label(), says=found.text) for found in evidence.understood),
        assumed=network.assumed,
        missing=(*missing(network), *evidence.wanted),
        unread=(*_unread(evidence.unread), *(UnreadSpan(origin=found.name, text=found.why) for found in skipped)),
    )


def _cause(blame: Blame, blamed: tuple[Blame, ...], groups: tuple[Group, ...], ranking: Ranking) -> Cause:
    fault, suspect = blame.suspect.fault, blame.suspect
    first = blamed[0].suspect.fault.code
    return Cause(
        code=fault.code,
        class_=fault.class_,
        subject=suspect.subject,
        role=blame.role,
        probability=round(blame.probability, 4),
        alternative_of=first if blame.excludes and blame.role is Role.ROOT else None,
        owner=fault.owner,
        summary=fault.summary.replace("{name}", suspect.name),
        because=tuple(dict.fromkeys((*because(suspect), *_support(blame, groups, ranking)))),
        repairs=repairs(blame),
        hides=hidden(blame, blamed),
    )


def _support(blame: Blame, groups: tuple[Group, ...], ranking: Ranking) -> tuple[Because, ...]:
    """What speaks for a cause; conditions stand on the configuration that shows them."""
    if blame.role in {Role.ROOT, Role.MISREAD} or not blame.suspect.because:
        return supporting(blame, groups, ranking)
    return ()


def _unread(passages: Sequence[Passage]) -> tuple[UnreadSpan, ...]:
    return tuple(UnreadSpan(origin=passage.origin.label(), text=passage.text) for passage in passages)


def _unreadable(wanted: Sequence[str], skipped: Sequence[Skipped]) -> UnreadableError:
    """The error for an input without evidence, with the first thing that would make it one."""
    reasons = [*wanted, *(f"{found.name} was passed over: {found.why}" for found in skipped)]
    hint = (
        reasons[0] if reasons else "paste what commands printed, with the commands, such as `kubectl get svc -o wide`"
    )
    return UnreadableError("nothing in the input can be read as evidence", hint)
