"""`kubereach formats`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from kubereach.cli.output import output_width, write
from kubereach.errors import UsageError

if TYPE_CHECKING:
    from kubereach.evidence.catalogue import Format
    from kubereach.evidence.reader import Ask

_PLACES = {"cluster": "any host with kubectl", "node": "the node", "pod": "the pod", "client": "the client"}
_RIGHTS = {"none": "", "exec": ", with `kubectl exec`", "root": ", as root", "router": ", with a login there"}


@click.command(
    "formats",
    epilog="\b\nExamples:\n  kubereach formats\n  kubereach formats tcpdump\n"
    "  kubereach formats -o json | jq -r '.formats[].asks[].command'",
)
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(*, words: tuple[str, ...], output: str) -> None:
    """List every text that kubereach reads, the command that prints it, and where to run it.

    With WORD, only the formats that mention every one of them. Words in capitals inside commands (ADDRESS, PORT, NODE,
    NAME) stand for your own.
    """
    from kubereach.evidence.catalogue import formats

    found = [entry for entry in formats() if all(_mentions(entry, word.lower()) for word in words)]
    if not found:
        raise UsageError(f"no format mentions {' and '.join(words)}", "run `kubereach formats` for all of them")
    write(*((_json(found), "utf-8") if output == "json" else (_text(found, output_width()), None)))


def _mentions(entry: Format, word: str) -> bool:
    asks = " ".join(f"{ask.command} {ask.where}" for ask in entry.asks)
    return word in f"{entry.name} {entry.title} {entry.reads} {asks}".lower()


def _json(found: list[Format]) -> str:
    from kubereach.evidence.catalogue import Formats
    from kubereach.report.jsonform import render

    return render(Formats(formats=tuple(found)))


def _text(found: list[Format], width: int) -> str:
    lines: list[str] = []
    for entry in found:
        lines += [f"{entry.name}: {entry.title}", *_wrapped(f"Reads {entry.reads}", width)]
        if not entry.asks:
            lines.append("  Written by people, not printed by a command.")
        for ask in entry.asks:
            lines += [f"  $ {ask.command}", *_wrapped(f"on {_where(ask)}: {ask.gives}", width, 6)]
        lines.append("")
    return "\n".join([*lines, f"{len(found)} formats."]) + "\n"


def _where(ask: Ask) -> str:
    return f"{_PLACES.get(ask.where, f'the {ask.where}')}{_RIGHTS.get(ask.privilege, '')}"


def _wrapped(text: str, width: int, indent: int = 2) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=" " * indent, subsequent_indent=" " * indent)
