"""A list of outputs to collect, as text, as Markdown for an issue or a mail, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby

import msgspec

from kubereach.advise.collect import Item
from kubereach.report.clean import clean
from kubereach.report.words import host

PRIVILEGES = {
    "none": "no special rights",
    "exec": "the right to `kubectl exec`",
    "root": "root",
    "router": "a login there",
}
_RETURN = (
    "Paste every output below its command into one file, or save each as COMMAND.HOST.txt "
    "(ip-route.worker-0.txt) in a folder; an output that says “not found” counts too."
)


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: `head` says for what, `ranked` that the order is by worth and not by place."""

    head: str
    items: tuple[Item, ...]
    ranked: bool = False
    note: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What `kubereach collect-list -o json` prints: the contract `kubereach/collect-list/v1`."""

    schema: str = "kubereach/collect-list/v1"
    head: str
    ranked: bool
    note: str
    items: tuple[Item, ...]


def as_json(found: Collection) -> str:
    """`found` as indented JSON."""
    listed = Listed(head=found.head, ranked=found.ranked, note=found.note, items=found.items)
    return msgspec.json.format(msgspec.json.encode(listed), indent=2).decode() + "\n"


def as_text(found: Collection, width: int) -> str:
    """`found` for a terminal or a mail; commands are never broken."""
    lines = [*textwrap.wrap(found.head, width), ""]
    if found.note:
        lines += [*textwrap.wrap(found.note, width), ""]
    for title, items in _groups(found):
        lines.append(title)
        for item in items:
            lines.append(f"  {clean(item.command)}")
            indent = " " * 6
            lines += textwrap.wrap(
                _why(item), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )
        lines.append("")
    return "\n".join([*lines, *textwrap.wrap(_RETURN, width), ""])


def as_markdown(found: Collection) -> str:
    """`found` with the commands of each place in one block, to be copied at once."""
    lines = [f"## {found.head}", ""]
    if found.note:
        lines += [found.note, ""]
    for title, items in _groups(found):
        lines += [f"### {title}", "", "```sh"]
        for item in items:
            lines += [f"# {_why(item)}", clean(item.command)]
        lines += ["```", ""]
    return "\n".join([*lines, _RETURN, ""])


def _typed(item: Item) -> str:
    return f"{clean(host(item.where, item.command))} ({PRIVILEGES.get(item.privilege, item.privilege)})"


def _groups(found: Collection) -> list[tuple[str, Sequence[Item]]]:
    """Ranked items one by one under their numbers, others by place and privilege."""
    if found.ranked:
        return [(f"{number}. On {_typed(item)}", [item]) for number, item in enumerate(found.items, start=1)]
    grouped = groupby(found.items, key=lambda item: (item.where, item.privilege))
    by_place: dict[tuple[str, str], list[Item]] = {}
    for key, items in grouped:
        by_place.setdefault(key, []).extend(items)
    return [
        (f"On {where} ({PRIVILEGES.get(privilege, privilege)})", items)
        for (where, privilege), items in by_place.items()
    ]


def _why(item: Item) -> str:
    condition = f"{item.only_if}: " if item.only_if else ""
    separates = f"; separates {', '.join(item.separates)}" if item.separates else ""
    return clean(f"{condition}{item.gives}{separates}").strip()
