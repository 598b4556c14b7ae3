"""MikroTik's own addresses.

Reads: `/ip address print` of RouterOS v6 and v7, its detail and terse forms.
Ask: `/ip address print` on the router.
Facts: InterfaceAddress.
Not read: the network, which follows; comments; disabled and invalid addresses are passed over.

Format: RouterOS manual, "IP Addressing".
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.routeros import FLAG, is_furniture, records
from kubereach.model.address import canonical_address
from kubereach.model.fact import InterfaceAddress

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_ROW = (
    rf"\s{{0,6}}(?:\d{{1,6}}\s+)?((?:{FLAG}{{1,5}}\s+){{0,3}})({_V4})/(\d{{1,2}})\s+{_V4}\s+"
    r"([A-Za-z*][\w.<>@-]{0,40})\s*$"
)
_COMMENT = rf"\s{{0,6}}(?:\d{{1,6}}\s+)?(?:{FLAG}{{1,5}}\s+){{0,3}};;; "

COMMANDS = (r"^/?ip[ /]address[ /]+(?:print|export)",)
SIGNATURES = (
    r"\s*#?\s*ADDRESS\s+NETWORK\s+INTERFACE\s*$",
    rf"\s{{0,6}}\d{{1,6}}\s+(?:{FLAG}{{1,4}}\s+)?{_V4}/\d{{1,2}}\s+{_V4}\s+[A-Za-z][\w.-]{{0,40}}\s*$",
    rf"\s{{0,6}}\d{{1,6}}\s+(?:{FLAG}{{1,4}}\s+){{0,3}}address={_V4}/\d{{1,2}} network=",
)
ASKS = (
    Ask(
        command="/ip address print",
        where="router",
        privilege="router",
        gives="which networks the MikroTik router is in, and with which addresses",
    ),
)


def read(capture: Capture) -> Reading:
    """The addresses, in whichever of the two forms each has."""
    lines = readable(capture.lines)
    facts: list[InterfaceAddress] = []
    left: set[int] = set()
    for index, line in enumerate(lines):
        row = re.match(_ROW, line)
        if row and not {"X", "I"} & set(row[1]):
            facts.append(_fact(capture, (index, index + 1), row[2], row[3], row[4]))
        elif not row and not is_furniture(line) and not re.match(_COMMENT, line):
            left.add(index)
    found, _ = records([line if index in left else "" for index, line in enumerate(lines)], "address")
    for record in found:
        values = record.values()
        address, _, length = values.get("address", "").partition("/")
        if canonical_address(address) is None or not length.isdecimal():
            continue
        left -= set(range(record.start, record.end))
        if not {"X", "I"} & set(record.flags):
            facts.append(_fact(capture, (record.start, record.end), address, length, values.get("interface", "")))
    return Reading(tuple(facts), spans(sorted(left)))


def _fact(capture: Capture, place: tuple[int, int], address: str, length: str, interface: str) -> InterfaceAddress:
    return InterfaceAddress(
        origin=capture.origin(*place),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        interface=interface,
        address=canonical_address(address) or address,
        prefix_length=int(length),
    )
