"""MikroTik's ARP table.

Reads: `/ip arp print` of RouterOS v6 and v7, its detail and terse forms.
Ask: `/ip arp print` on the router.
Facts: Neighbour; the state is v7's STATUS, else `complete` or `incomplete` by the flag C; unresolved without a MAC.
Not read: comments; disabled and invalid entries are passed over.

Format: RouterOS manual, "ARP".
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.routeros import FLAG, is_furniture, records
from kubereach.model.address import canonical_address
from kubereach.model.fact import Neighbour

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_MAC = r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"
_ROW = (
    rf"\s{{0,6}}(?:\d{{1,6}}\s+)?((?:{FLAG}{{1,5}}\s+){{0,3}})({_V4})\s+(?:({_MAC})\s+)?([A-Za-z][\w.<>-]{{0,40}})"
    r"(?:\s+(reachable|stale|delay|probe|failed|incomplete|permanent|noarp))?\s*$"
)

COMMANDS = (r"^/?ip[ /]arp[ /]+(?:print|export)",)
SIGNATURES = (
    r"\s*#?\s*ADDRESS\s+MAC-ADDRESS\s+INTERFACE",
    rf"\s{{0,6}}\d{{1,6}}\s+(?:{FLAG}{{1,4}}\s+){{1,2}}{_V4}\s+{_MAC}\s+[A-Za-z][\w.-]{{0,40}}\s*(?:[a-z]{{4,12}})?$",
    rf"\s{{0,6}}\d{{1,6}}\s+(?:{FLAG}{{1,4}}\s+){{0,3}}address={_V4} mac-address=",
)
ASKS = (
    Ask(
        command="/ip arp print",
        where="router",
        privilege="router",
        gives="which MAC address the MikroTik router has for the address or its next hop",
    ),
)


def read(capture: Capture) -> Reading:
    """The entries, in whichever of the two forms each has."""
    lines = readable(capture.lines)
    facts: list[Neighbour] = []
    left: list[int] = []
    for index, line in enumerate(lines):
        row = re.match(_ROW, line)
        if row and not {"X", "I"} & set(row[1]):
            facts.append(_fact(capture, (index, index + 1), row[1], (row[2], row[3] or "", row[4], row[5] or "")))
        elif not row and not is_furniture(line):
            left.append(index)
    if not left:
        return Reading(tuple(facts))
    keyed, unread = _keyed(capture, lines, set(left))
    return Reading((*facts, *keyed), spans(unread))


def _keyed(capture: Capture, lines: list[str], left: set[int]) -> tuple[list[Neighbour], list[int]]:
    """The records of `key=value` pairs among the lines that are no rows."""
    found, _ = records([line if index in left else "" for index, line in enumerate(lines)], "address")
    facts: list[Neighbour] = []
    for record in found:
        values = record.values()
        if not canonical_address(values.get("address", "")):
            continue
        left -= set(range(record.start, record.end))
        if {"X", "I"} & set(record.flags):
            continue
        entry = (
            values["address"],
            values.get("mac-address", ""),
            values.get("interface", ""),
            values.get("status", ""),
        )
        facts.append(_fact(capture, (record.start, record.end), record.flags, entry))
    return facts, sorted(left)


def _fact(capture: Capture, place: tuple[int, int], flags: str, entry: tuple[str, str, str, str]) -> Neighbour:
    address, mac, interface, status = entry
    return Neighbour(
        origin=capture.origin(*place),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        address=canonical_address(address) or address,
        mac=mac.lower(),
        state=status or ("complete" if "C" in flags and mac else "" if mac else "incomplete"),
        interface=interface,
    )
