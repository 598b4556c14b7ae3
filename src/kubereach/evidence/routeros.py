"""What all RouterOS prints have in common: key=value pairs, numbered records with flags, headers and prompts.

RouterOS documentation, "Command Line Interface": `print`, `print detail`, `print terse`; checked against v6 and v7.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct, field

from kubereach.evidence.lines import readable

# Every letter that route, BGP, firewall and ARP prints use as a flag, in v6 and v7.
FLAG = r"[XADIHUFCSPBEcsbdorivmgya+]"


@lru_cache(maxsize=1)
def _key() -> re.Pattern[str]:
    return re.compile(r"(?:^|(?<=\s))(\.?[A-Za-z][A-Za-z0-9.-]{0,60})=")


@lru_cache(maxsize=1)
def _quoted() -> re.Pattern[str]:
    return re.compile(r'"((?:[^"\\]|\\.)*)"')


def pairs(text: str) -> dict[str, str]:
    """The `key=value` pairs of `text`; a value runs to the next key, since v6 prints blanks in bare values.

    v7 prints `remote.address=… .as=…`: a key with a leading dot continues the group of the key before it.
    """
    values: dict[str, str] = {}
    group = ""
    match = _key().search(text)
    while match:
        key, position = match[1], match.end()
        quoted = _quoted().match(text, position)
        following = _key().search(text, quoted.end() if quoted else position)
        value = quoted[1] if quoted else text[position : following.start() if following else len(text)]
        if key.startswith("."):
            key = group + key
        else:
            group = key.rpartition(".")[0] or key
        values.setdefault(key, " ".join(value.split()))
        match = following
    return values


class Record(Struct):
    """One numbered (or, in v7, merely flagged) entry of a print; `end` is exclusive."""

    start: int
    end: int
    flags: str
    text: list[str] = field(default_factory=list)
    comment: str = ""
    number: int | None = None
    added: bool = False

    def values(self) -> dict[str, str]:
        """Its key=value pairs; an export breaks lines anywhere and marks that with a backslash."""
        pieces = [line[:-1] if line.endswith("\\") else line + " " for line in self.text]
        return pairs("".join(pieces))


def is_furniture(line: str) -> bool:
    """Whether `line` is a blank, a header, a flag legend, a pager's line or an empty prompt: read, and no fact."""
    text = line.strip()
    if not text or text.startswith(("Flags:", "Columns:", "-- [Q quit")):
        return True
    if re.match(r"\[[^\s\]@]{1,64}@[^\]]{0,64}\] ?(?:/[\w/ -]{0,80})?>\s*$", text):
        return True
    if (
        is_section(text)
        or re.match(r"#\s+[A-Z]", text)
        or re.match(r"[A-Z][A-Z-]{2,20}(?:\s+[A-Z#][A-Z/-]{0,20}){2,12}\s*$", text)
    ):
        return True
    return re.match(r"(?:[A-Za-z+*] - [A-Za-z][\w-]{0,30}(?: [a-z]{1,20})?[,;]?\s*){1,20}$", text) is not None


def is_section(line: str) -> bool:
    """Whether `line` names the menu of the export lines below it: `/ip firewall filter`."""
    return re.match(r"\s*/(?:ip|ipv6|routing)(?:[ /][a-z0-9-]{1,20}){1,4}\s*$", line) is not None


def is_header(line: str) -> bool:
    """Whether `line` opens a print: from here on, what is not listed is not there."""
    return re.match(r"\s*(?:Flags:|Columns:|#\s+[A-Z])", line) is not None


def is_cut(line: str) -> bool:
    """Whether `line` says that the print was cut off: the pager, or a person's dots."""
    text = line.strip()
    return text.startswith("-- [Q quit") or re.match(r"(?:\.{3,}|…|\[\.{3}\]|<snip>|\[snip\])$", text) is not None


def records(lines: Sequence[str], first_key: str) -> tuple[list[Record], list[int]]:
    """The key=value records in `lines`, and the indices that are neither record nor furniture.

    A record opens with a number, with flags, or (v7, no number, no flags) with `first_key`.
    """
    found: list[Record] = []
    unread: list[int] = []
    open_record: Record | None = None
    for index, line in enumerate(readable(lines)):
        if is_furniture(line):
            open_record = None if line.strip() else open_record
            continue
        opening = _opening(line, first_key)
        if open_record is not None and not any(open_record.text) and line.lstrip().startswith(first_key + "="):
            open_record.text.append(line.strip())  # the pairs below a `;;; comment`
            open_record.end = index + 1
        elif opening is not None:
            open_record = msgspec.structs.replace(opening, start=index, end=index + 1)
            found.append(open_record)
        elif open_record is not None and _continues(line, open_record):
            open_record.text.append(line.strip())
            open_record.end = index + 1
        else:
            open_record = None
            unread.append(index)
    return found, unread


def _opening(line: str, first_key: str) -> Record | None:
    """The record that `line` opens: a numbered or flagged one of a print, or an `add` of an export."""
    added = re.match(r"\s*(?:/[a-z][a-z0-9/ -]{2,60}\s)?add\s+([A-Za-z][\w.-]{0,60}=.*)$", line)
    if added:
        return Record(start=0, end=0, flags="", text=[added[1].strip()], added=True)
    # Possessive: two adjacent runs of blanks would share out a long one in every way, in quadratic time.
    pattern = rf"\s*+(\d{{1,6}})?\s*+((?:{FLAG}{{1,6}}\s++){{0,4}})(;;;\s?.*|\.?[A-Za-z][\w.-]{{0,60}}=.*)?$"
    match = re.match(pattern, line)
    if match is None or not (match[3] or match[1]):
        return None
    rest = match[3] or ""
    if not match[1] and not match[2].strip() and not rest.startswith(first_key + "="):
        return None
    if not rest and not match[2].strip():
        return None
    flags = "".join(match[2].split())
    number = int(match[1]) if match[1] else None
    if rest.startswith(";;;"):
        return Record(start=0, end=0, flags=flags, text=[""], comment=rest[3:].strip(), number=number)
    return Record(start=0, end=0, flags=flags, text=[rest.strip()], number=number)


def _continues(line: str, record: Record) -> bool:
    """Whether an indented line belongs to the record above it: pairs, or the wrapped tail of a value."""
    if not line[:1].isspace():
        return False
    if re.match(r"\s+(?:[^\s=]{1,60}\s+){0,4}\.?[A-Za-z][\w.-]{0,60}=", line) or record.text[-1].endswith("\\"):
        return True
    return bool(record.text and record.text[-1]) and len(line.split()) <= 3 and "=" not in line


def where_clause(command: str) -> str:
    """What follows `where` in a print command, or its `from=[find …]`; "" for a whole print."""
    match = re.search(r"\bwhere\b(.*)|\bfrom=(.*)|\bpeer=(\S+)", command)
    return next((part.strip() for part in match.groups() if part is not None), "") if match else ""
