"""ARP tables of the large vendors.

Reads: `show ip arp` of Cisco IOS, NX-OS and Arista EOS, `show arp` of Junos, `display arp` of H3C and Huawei.
Ask: `show ip arp` (Cisco, Arista), `show arp` (Junos), `display arp` (H3C, Huawei).
Facts: Neighbour; the interface carries the VLAN's port where one is shown. Incomplete entries have no MAC.
Not read: ages, VLAN numbers, VPN instances.

Format: the vendors' command references.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.address import canonical_address
from kubereach.model.fact import Neighbour

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_DOTTED = r"[0-9a-fA-Fx]{4}\.[0-9a-fA-Fx]{4}\.[0-9a-fA-Fx]{4}"
_DASHED = r"[0-9a-fA-Fx]{4}-[0-9a-fA-Fx]{4}-[0-9a-fA-Fx]{4}"
_COLONS = r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"
_IOS = rf"Internet\s+({_V4})\s+(?:\d{{1,6}}|-)\s+({_DOTTED}|Incomplete)\s+(?:ARPA|SNAP|SAP)\s*(\S{{1,40}})?\s*$"
_NXOS = (
    rf"({_V4})\s+(?:[\d:.]{{1,12}}|-|N/A)\s+({_DOTTED}|INCOMPLETE)\s+"
    r"(\S{1,30}(?:, \S{1,40})?)(?:\s+[*+#]{1,3})?\s*$"
)
_H3C = rf"({_V4})\s+({_DASHED}|Incomplete)\s+(.{{1,100}})$"
_JUNOS = (
    rf"({_COLONS})\s+({_V4})\s+(\S{{1,120}})\s+"
    r"([a-z]{2,4}[\w/.:-]{1,30})(?:\s+\[\S{1,30}\])?(?:\s+\w{1,20})?\s*$"
)
_FURNITURE = (
    r"\s*(?:Protocol\s+Address|Address\s+Age|IP (?i:address)\s+MAC|MAC Address\s+Address|Type: |Flags: "
    r"|Total(?: entries)?\b|IP ARP Table|\W{0,3}[*+#] - |Dynamic:|-{10,}|VPN-INSTANCE|\s*VLAN)"
)

COMMANDS = (r"\bsh(?:ow)?\s+(?:ip\s+)?arp\b", r"^dis(?:play)?\s+arp\b")
SIGNATURES = (
    rf"Internet\s{{1,9}}{_V4}\s{{1,16}}(?:\d{{1,6}}|-)\s{{1,9}}(?:{_DOTTED}|Incomplete)\s",
    rf"{_V4}\s{{1,20}}{_DASHED}\s{{1,20}}\S",
    rf"{_V4}\s{{1,20}}[\d:]{{7,9}}\s{{1,20}}{_DOTTED}\s{{1,20}}\S",
    r"Protocol\s{1,4}Address\s{1,20}Age \(min\)",
)
ASKS = (
    Ask(command="show ip arp", where="router", privilege="router", gives="the MAC address that a Cisco or Arista has"),
    Ask(command="show arp", where="router", privilege="router", gives="the same on a Juniper router"),
    Ask(command="display arp", where="router", privilege="router", gives="the same on a switch of H3C or Huawei"),
)


def read(capture: Capture) -> Reading:
    """The entries, and the lines that are none."""
    facts: list[Neighbour] = []
    unread: list[int] = []
    for index, line in enumerate(readable(capture.lines)):
        entry = _entry(line)
        if entry is not None:
            facts.append(_fact(capture, index, entry))
        elif not (is_noise(line) or re.match(_FURNITURE, line)):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))


def _entry(line: str) -> tuple[str, str, str, str] | None:
    """Address, MAC, interface and kind of one row."""
    if match := re.match(_IOS, line) or re.match(_NXOS, line):
        return match[1], match[2], match[3] or "", ""
    if match := re.match(_H3C, line):
        port = re.search(r"\b((?:[A-Za-z]{2,20}-?[A-Za-z]{0,10})\d[\d/.:]{0,20})\b", match[3])
        kind = re.search(r"(?:^|\s)([DSOMRI])(?:-\d{1,3})?(?:\s|$)", match[3])
        return match[1], match[2], port[1] if port else "", kind[1] if kind else ""
    if match := re.match(_JUNOS, line):
        return match[2], match[1], match[4], ""
    return None


def _fact(capture: Capture, index: int, entry: tuple[str, str, str, str]) -> Neighbour:
    address, mac, interface, kind = entry
    digits = re.sub(r"[.:-]", "", mac.lower())
    resolved = len(digits) == 12 and digits != "incomplete"
    return Neighbour(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        address=canonical_address(address) or address,
        mac=":".join(digits[i : i + 2] for i in range(0, 12, 2)) if resolved else "",
        state={"D": "dynamic", "S": "static"}.get(kind, "") if resolved else "incomplete",
        interface=interface,
    )
