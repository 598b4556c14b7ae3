"""MikroTik packet filters and route filters.

Reads: `/ip firewall filter|nat|raw|mangle print` with comments, its `stats` table, `/routing filter print` (v6) and
`/routing/filter/rule/print` (v7), and the same menus of an export.
Ask: `/ip firewall filter print` and `/ip firewall raw print` on the router.
Facts: Setting of the router, `firewall.TABLE[N]` or `routing-filter[N]`: one per rule in force, its keys sorted behind
`chain` and `action`; `firewall.TABLE[N].packets` from `stats`. Disabled and invalid rules are left out.
Not read: comments, logging.

Format: RouterOS manual, "IP/Firewall/Filter"; the list's order is the order of matching, its end accepts.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.routeros import is_section, records
from kubereach.model.fact import Setting

_ACTION = (
    "accept|drop|reject|tarpit|jump|return|log|passthrough|masquerade|src-nat|dst-nat|notrack|fasttrack-connection"
    "|redirect|netmap"
)
_PAIRS = r"(?:[\w.-]{1,40}=\S+\s+){0,6}?"

COMMANDS = (
    r"^/?ip(?:v6)?[ /]firewall[ /](?:filter|nat|raw|mangle)\b",
    r"^/?routing[ /]filter(?:[ /]rule)?(?:[ /](?:print|export)|\s*$)",
)
SIGNATURES = (
    r"\s*(?:\d{1,6}\s+)?(?:[XID]{1,3}\s+)?chain=[\w.-]{1,60}\s+(?:action|rule|prefix|src|dst|protocol|connection)[\w-]{0,20}=",
    rf"\s*(?:/[a-z/ ]{{4,40}} )?add\s+{_PAIRS}(?:chain|action)=[\w.-]{{1,60}}\s+{_PAIRS}(?:chain|action|rule)=",
    r"\s*\d{1,6}\s+(?:[XID]{1,3}\s+)?;;; (?:defconf|special dummy rule)",
    r"/ip firewall (?:filter|nat|raw|mangle)\s*$",
    r"/routing filter(?: rule)?\s*$",
)
ASKS = (
    Ask(
        command="/ip firewall filter print",
        where="router",
        privilege="router",
        gives="whether the router drops what it forwards: invalid connections, or a source it does not expect",
    ),
    Ask(command="/ip firewall raw print", where="router", privilege="router", gives="notrack rules and early drops"),
)

_OMITTED = {"log", "log-prefix", "comment", "bytes", "packets", "disabled", "invalid", "dynamic"}


def read(capture: Capture) -> Reading:
    """The rules of a RouterOS firewall or route filter."""
    found, unread = records(capture.lines, "chain")
    facts: list[Setting] = []
    lost = set(unread)
    menus = {
        index: menu for index, line in enumerate(readable(capture.lines)) if is_section(line) and (menu := _menu(line))
    }
    table = _menu(capture.command)
    following = sorted(menus)
    counts: dict[str, int] = {}
    for record in found:
        values = record.values()
        if "chain" not in values:
            if any(record.text):
                lost.update(range(record.start, record.end))
            continue
        while following and following[0] < record.start:
            table = menus[following.pop(0)]
        menu = table or _guess(values)
        position = counts.get(menu, 0) if record.number is None else record.number
        counts[menu] = position + 1
        if "X" not in record.flags and "I" not in record.flags and values.get("disabled") != "yes":
            facts.append(_setting(capture, record.start, record.end, f"{menu}[{position}]", _rule(values)))
    heads = {record.end: record.number for record in found if not any(record.text) and record.number is not None}
    counters, read_lines = _statistics(capture, sorted(lost), heads, _menu(capture.command) or "firewall.filter")
    return Reading(facts=tuple(facts + counters), unread=spans(lost - read_lines))


def _menu(text: str) -> str:
    """The table that a command or an export's section line names."""
    match = re.match(r"\s*/?ip(?:v6)?[ /]firewall[ /](filter|nat|raw|mangle)\b", text)
    if match:
        return f"firewall.{match[1]}"
    return "routing-filter" if re.match(r"\s*/?routing[ /]filter(?:[ /]rule)?\b", text) else ""


def _guess(values: dict[str, str]) -> str:
    """The table of rules that stand alone, by chain and action."""
    action, chain = values.get("action", ""), values["chain"]
    if "rule" in values or "prefix" in values or action in {"discard"}:
        return "routing-filter"
    if action in {"masquerade", "src-nat", "dst-nat", "redirect", "netmap"} or chain in {"srcnat", "dstnat"}:
        return "firewall.nat"
    if action == "notrack" or (chain == "prerouting" and action in {"drop", "accept"}):
        return "firewall.raw"
    return "firewall.mangle" if action.startswith("mark-") else "firewall.filter"


def _rule(values: dict[str, str]) -> str:
    """`chain=… action=…` and the other keys in order; the action's default is accept."""
    rest = sorted(key for key in values if key not in _OMITTED | {"chain", "action"} and values[key] != "")
    head = [f"chain={values['chain']}"]
    if "rule" not in values:
        head.append(f"action={values.get('action') or 'accept'}")
    return " ".join(head + [f"{key}={values[key]}" for key in rest])


def _setting(capture: Capture, start: int, end: int, attribute: str, value: str | int) -> Setting:
    return Setting(
        origin=capture.origin(start, end),
        trust=capture.trust,
        taken=capture.taken,
        subject=capture.host or "router",
        attribute=attribute,
        value=value,
    )


def _statistics(
    capture: Capture, indices: list[int], heads: dict[int, int], table: str
) -> tuple[list[Setting], set[int]]:
    """The rows of `print stats`: number, chain, action, bytes, packets; `heads` are the numbers of commented rows."""
    facts: list[Setting] = []
    taken: set[int] = set()
    pattern = (
        rf"\s*(?:(\d{{1,6}})\s+)?(?:[XID]{{1,3}}\s+)?[\w.-]{{1,60}}\s+(?:{_ACTION})"
        r"\s+\d{1,3}(?:[ \d]{0,20}\d)?\s{2,}(\d{1,3}(?: \d{3}){0,6}|\d{1,18})\s*$"
    )
    lines = readable(capture.lines)
    for index in indices:
        row = re.match(pattern, lines[index])
        position = int(row[1]) if row and row[1] else heads.get(index)
        if row and position is not None:
            packets = int(row[2].replace(" ", ""))
            facts.append(_setting(capture, index, index + 1, f"{table}[{position}].packets", packets))
            taken.add(index)
    return facts, taken
