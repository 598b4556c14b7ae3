"""Every stage in order: evidence → network → observations → causes → advice. The only module that knows them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from kubereach.errors import UnreadableError
from kubereach.evidence.document import Document
from kubereach.evidence.intake import Passage, read_evidence
from kubereach.model.diagnosis import Because, Diagnosis, Target, UnreadSpan, Verdict

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


def diagnose(documents: Sequence[Document], options: Options, skipped: Sequence[Skipped] = ()) -> Diagnosis:
    """What the documents say about the flow; the same documents and options give the same diagnosis.

    Raises UnreadableError when nothing in them is evidence.
    """
    evidence = read_evidence(documents)
    if not evidence.facts and not evidence.understood:
        raise _unreadable(evidence.wanted, skipped)
    return Diagnosis(
        target=Target(service=options.service, address=options.address, port=options.port, from_=options.from_),
        verdict=Verdict.UNDETERMINED,
        understood=tuple(Because(origin=found.origin.label(), says=found.text) for found in evidence.understood),
        missing=evidence.wanted,
        unread=(*_unread(evidence.unread), *(UnreadSpan(origin=found.name, text=found.why) for found in skipped)),
    )


def _unread(passages: Sequence[Passage]) -> tuple[UnreadSpan, ...]:
    return tuple(UnreadSpan(origin=passage.origin.label(), text=passage.text) for passage in passages)


def _unreadable(wanted: Sequence[str], skipped: Sequence[Skipped]) -> UnreadableError:
    """The error for an input without evidence, with the first thing that would make it one."""
    reasons = [*wanted, *(f"{found.name} was passed over: {found.why}" for found in skipped)]
    hint = (
        reasons[0] if reasons else "paste what commands printed, with the commands, such as `kubectl get svc -o wide`"
    )
    return UnreadableError("nothing in the input can be read as evidence", hint)
