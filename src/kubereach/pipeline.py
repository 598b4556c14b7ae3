"""Every stage in order: evidence → network → observations → causes → advice. The only module that knows them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from kubereach.model.diagnosis import Diagnosis, Target, Verdict

if TYPE_CHECKING:
    from kubereach.evidence.document import Document


class Options(Struct, frozen=True, kw_only=True):
    """The flow, as far as the command line gives it; the evidence gives the rest."""

    service: str | None = None
    address: str | None = None
    port: int | None = None
    from_: str | None = None


def load(paths: Sequence[str], stdin: BinaryIO | None) -> tuple[Document, ...]:
    """The documents at `paths` (`-` is `stdin`). Raises UnreadableError where nothing can be read."""
    from kubereach.sources.bundle import load as load_bundle

    return tuple(load_bundle(paths, stdin))


def diagnose(documents: Sequence[Document], options: Options) -> Diagnosis:
    """What the documents say about the flow. The same documents and options give the same diagnosis."""
    from kubereach.evidence.intake import read_evidence

    read_evidence(documents)
    target = Target(service=options.service, address=options.address, port=options.port, from_=options.from_)
    return Diagnosis(target=target, verdict=Verdict.UNDETERMINED)
