"""The next questions alone, as the object that is printed and as a document."""

from __future__ import annotations

from typing import Literal

from kubereach.model.diagnosis import Diagnosis, NextProbe
from kubereach.model.next_list import Asked, NextList
from kubereach.report import findings, grounds
from kubereach.report.blocks import Block, Document, Heading, faint, paragraph, plain, strong
from kubereach.report.words import count, flow


def next_list(diagnosis: Diagnosis) -> NextList:
    """What `kubereach next -o json` prints of a diagnosis."""
    return NextList(
        target=diagnosis.target,
        verdict=diagnosis.verdict,
        questions=tuple(_asked(probe) for probe in diagnosis.next_probes),
        missing=diagnosis.missing,
    )


def compose(diagnosis: Diagnosis) -> Document:
    """The questions of a diagnosis, best first; where there are none, what was not collected at all."""
    head = paragraph(faint(f"Flow: {flow(diagnosis.target)}"))
    if diagnosis.next_probes:
        title = f"{count(len(diagnosis.next_probes), 'question')} worth asking, the most information per second first"
        return Document((strong(title), plain(".")), (head, *findings.next_probes(diagnosis)))
    blocks: list[Block] = [head]
    if gaps := grounds.missing(diagnosis):
        blocks += [Heading((plain("Not collected yet"),)), *gaps]
    return Document((strong("No question would tell causes apart"), plain(" as far as is known.")), tuple(blocks))


def who(where: str) -> Literal["cluster", "node", "router", "client"]:
    """Who must run what is asked for at `where`."""
    kind = where.partition("/")[0]
    if kind == "node":
        return "node"
    if kind == "router":
        return "router"
    return "client" if kind == "client" else "cluster"


def _asked(probe: NextProbe) -> Asked:
    return Asked(
        who=who(probe.where),
        where=probe.where,
        command=probe.command,
        gain_bits=probe.gain_bits,
        cost_seconds=probe.cost_seconds,
        privilege=probe.privilege,
        risk=probe.risk,
        separates=probe.separates,
        if_answer=probe.if_answer,
    )
