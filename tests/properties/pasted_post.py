"""A pasted post as its parts: the outputs in it can be left out, put in another order, and renamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Any

from kubereach.evidence.document import Document
from kubereach.pipeline import Options, diagnose
from kubereach.report.jsonform import render

FOUNDING = Path(__file__).parents[2] / "examples" / "founding-case"
PROMPTS = ("$ ", "jana@laptop ~ % ")
Report = dict[str, Any]


@cache
def founding_post() -> str:
    """The text of the example."""
    return (FOUNDING / "post.txt").read_text(encoding="utf-8")


def documents_of(folder: Path) -> tuple[Document, ...]:
    """The files of a bundle, by name."""
    return tuple(Document(p.name, p.read_bytes()) for p in sorted(folder.iterdir()))


def report(*documents: Document) -> Report:
    """The diagnosis as the JSON that scripts get."""
    found: Report = json.loads(printed(*documents))
    return found


def printed(*documents: Document) -> str:
    """The JSON itself."""
    return render(diagnose(documents, Options()))


def report_on(text: str, *others: Document) -> Report:
    """The diagnosis of a pasted text, with files beside it."""
    return report(Document("post.txt", text.encode()), *others)


@cache
def whole() -> Report:
    """The diagnosis of the example as it is. Not to be changed by tests."""
    return report_on(founding_post())


def parts(text: str) -> tuple[str, ...]:
    """The text cut before every prompt, with the comment lines that stand above it; the first part is the prose."""
    lines = text.splitlines()
    starts = []
    for number, line in enumerate(lines):
        if line.startswith(PROMPTS):
            while number and lines[number - 1].startswith("#"):
                number -= 1
            starts.append(number)
    bounds = [0, *starts, len(lines)]
    return tuple("\n".join(lines[a:b]) + "\n" for a, b in pairwise(bounds))


def command_of(part: str) -> str:
    """The command of a part, or `prose`."""
    found = re.search(rf"(?m)^(?:{'|'.join(map(re.escape, PROMPTS))})(.+)$", part)
    return found[1] if found else "prose"


def renumbered(text: str, blocks: Mapping[str, str]) -> str:
    """The text with every address of a block moved to the block that replaces it, prefixes included."""
    table = [(IPv4Network(old), IPv4Network(new)) for old, new in blocks.items()]

    def moved(match: re.Match[str]) -> str:
        address = IPv4Address(match[0])
        for old, new in table:
            if address in old:
                return str(new[int(address) - int(old.network_address)])
        raise AssertionError(f"{address} is in no block")

    return re.sub(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)", moved, text)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with whole words replaced, in one pass."""
    words = "|".join(re.escape(word) for word in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])(?:{words})(?!\w|-\w|\.\w)", lambda m: names[m[0]], text)


def roots(found: Report) -> dict[str, float]:
    """Class → probability of the root causes; of several with one class the largest."""
    return by_class(found, "root")


def by_class(found: Report, *roles: str) -> dict[str, float]:
    """Class → probability of the causes in these roles."""
    result: dict[str, float] = {}
    for cause in found["causes"]:
        if cause["role"] in roles:
            result[cause["class"]] = max(result.get(cause["class"], 0.0), cause["probability"])
    return result


def fingerprint(found: Report) -> dict[tuple[str, str, str], float]:
    """What must not depend on names: class, code and role of every cause, with its probability."""
    return {(c["role"], c["class"], c["code"]): c["probability"] for c in found["causes"]}


def texts(items: Iterable[Mapping[str, Any]], *keys: str) -> str:
    """The named fields of several entries as one text, to look for words in."""
    return "\n".join(" | ".join(str(item[key]) for key in keys) for item in items)
