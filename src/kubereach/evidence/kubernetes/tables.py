"""Tables of columns as kubectl prints them, and as people paste them."""

from __future__ import annotations

import re

AGE = r"<unknown>|<invalid>|(?:\d{1,6}(?:ms|[ywdhms])){1,4}"
_CELL_FORMS = {
    "AGE": AGE,
    "TYPE": r"ClusterIP|NodePort|LoadBalancer|ExternalName|Normal|Warning",
    "CLUSTER-IP": r"None|<none>|[0-9a-fA-F.:]{2,45}",
    "EXTERNAL-IP": r"<none>|<pending>|<nodes>|[0-9a-zA-Z.:,-]{2,400}",
    "PORT(S)": r"<none>|[\d:/A-Z,]{1,2000}",
    "READY": r"\d{1,6}/\d{1,6}|\d{1,6}",
    "RESTARTS": r"\d{1,9}(?: \([^)]{1,30}\))?",
    "IP": r"<none>|[0-9a-fA-F.:]{2,45}",
    "INTERNAL-IP": r"<none>|[0-9a-fA-F.:]{2,45}",
    "ENDPOINTS": r"<none>|<unset>|[\[0-9a-fA-F].{1,2000}",
    "VERSION": r"v?\d.{0,80}",
    "ADDRESSTYPE": r"IPv4|IPv6|FQDN",
    "ASN": r"\(?[\dx.]{1,12}\)?",
    "PEERIP": r"[0-9a-fA-F.:]{2,45}",
    "CIDR": r"[0-9a-fA-F.:]{2,45}/\d{1,3}",
}
_TWO_WORD_COLUMNS = (
    "NOMINATED NODE",
    "READINESS GATES",
    "LAST SEEN",
    "FIRST SEEN",
    "AUTO ASSIGN",
    "AVOID BUGGY IPS",
    "IPADDRESSPOOL SELECTORS",
    "NODE SELECTORS",
    "NODE SELECTOR",
    "ALLOCATED NODE",
    "SERVICE NAME",
    "SERVICE NAMESPACE",
    "BFD PROFILE",
    "MULTI HOPS",
    "IPS AVAILABLE",
)


def chunks(line: str) -> list[tuple[int, str]]:
    """The parts of `line` between runs of two or more blanks, each with its first position."""
    return [(match.start(), match.group().rstrip()) for match in re.finditer(r"\S+(?: \S+)*", line)]


def header_columns(line: str) -> list[tuple[int, str]]:
    """The columns of a header line with their positions; [] when it is no header.

    A header is words in capitals. Up to two stray tokens behind them (a number or an age that slipped there in a paste)
    are dropped. A header whose blanks were collapsed is split at every blank.
    """
    found = chunks(line)
    while len(found) > 1 and len(found[-1][1]) <= 8 and re.fullmatch(rf"(?:{AGE}|\d{{1,6}})", found[-1][1]):
        found.pop()
    if not found or not all(re.fullmatch(r"[A-Z][A-Z0-9 ()/_.-]{0,60}", text) for _, text in found):
        return []
    if any(len(text.split()) > 3 or text.startswith(("NAME ", "NAMESPACE ")) for _, text in found):
        return _collapsed_header(line)
    return found


def _collapsed_header(line: str) -> list[tuple[int, str]]:
    for name in _TWO_WORD_COLUMNS:
        line = line.replace(name, name.replace(" ", "\0"))
    return [(match.start(), match.group().replace("\0", " ")) for match in re.finditer(r"[^ ]+", line)]


def read_row(line: str, columns: list[tuple[int, str]]) -> dict[str, str] | None:
    """The cells of `line` by column name; None when it is no row under this header.

    In this order: by the header's positions when every part starts at one of them, by runs of blanks when their number
    fits, by single blanks when that number fits, and else the order-keeping assignment whose forms fit best. Cells
    whose form is known (addresses, ages, `x/y`) must speak for the row, unless it stands exactly under the header.
    """
    found = chunks(line)
    if not found:
        return None
    aligned = _aligned(found, columns)
    cells = aligned or _counted(line, found, columns) or (_assign(found, columns) if len(found) > 1 else None)
    if cells is None or columns[0][1] not in cells:
        return None
    score = sum(_speaks(name, text) for name, text in cells.items())
    return cells if score > 0 or (aligned is not None and score == 0) else None


def _aligned(found: list[tuple[int, str]], columns: list[tuple[int, str]]) -> dict[str, str] | None:
    starts = dict(columns)
    if found[0][0] != columns[0][0] or any(position not in starts for position, _ in found):
        return None
    if len(found) * 2 < len(columns) or (len(found) == 1 and " " in found[0][1]):
        return None
    return {starts[position]: text for position, text in found}


def _counted(line: str, found: list[tuple[int, str]], columns: list[tuple[int, str]]) -> dict[str, str] | None:
    names = [name for _, name in columns]
    if len(columns) <= len(found) <= len(columns) + 2 and len(columns) > 1:
        return dict(zip(names, (text for _, text in found), strict=False))
    words = re.findall(r"\S+(?: \(\d[^()]{0,20}\))?", line)
    if len(words) == len(columns) > 1:
        return dict(zip(names, words, strict=True))
    return None


def _speaks(name: str, text: str) -> int:
    """1 when `text` has the form that column `name` demands, -1 when it has not, 0 when the column has none."""
    form = _CELL_FORMS.get(name)
    if form is None or text == "":
        return 0
    return 1 if re.fullmatch(form, text) else -1


def _assign(found: list[tuple[int, str]], columns: list[tuple[int, str]]) -> dict[str, str] | None:
    """The best order-keeping assignment of fewer parts than columns: forms first, then nearness (small: ≤ 20 x 20)."""
    if len(columns) > 24 or len(found) > len(columns):
        return None
    # best[j] after i parts: (score, chosen columns), the last chosen column being < j
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())] * (len(columns) + 1)
    for i, (position, text) in enumerate(found):
        following: list[tuple[float, tuple[int, ...]]] = [(float("-inf"), ())] * (len(columns) + 1)
        for j, column in enumerate(columns):
            score, chosen = best[j]
            taken = (score + _fit(text, position, column, first=i == 0 and j == 0), (*chosen, j))
            following[j + 1] = max(following[j], taken, key=lambda option: option[0])
        best = following
    score, chosen = best[-1]
    if score <= 0 or 0 not in chosen:
        return None
    return {columns[j][1]: text for j, (_, text) in zip(chosen, found, strict=True)}


def _fit(text: str, position: int, column: tuple[int, str], *, first: bool) -> float:
    start, name = column
    near = -min(abs(position - start), 100) / 100
    return near + 3 * (1 if first else _speaks(name, text))
