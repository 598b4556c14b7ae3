"""Who owns which address on the wire, as a host believes: `ip neigh`, `arp -an`.

Reads
    `ip neigh` (with -s), `arp -a` and `arp -n` of Linux, BSD and macOS, `arp -a` of Windows.
Ask
    ip neigh, on the host in question.
Facts
    One Neighbour per entry; the MAC is "" when it is not resolved (FAILED, INCOMPLETE), the state is as printed.
Not read
    Ages and counters.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.address import canonical_address
from kubereach.model.fact import Neighbour

COMMANDS = (
    (
        r"(?:^|[\s/])ip(?:\s+-(?!j)\S{1,10}){0,5}\s+n(?:e|ei|eig|eigh|eighbor|eighbour)?(?:\s*$|\s+(?!add|del|flush|"
        r"replace)\S|\s*\|)"
    ),
    r"^(?:\S{0,40}/)?arp(?:\.exe)?(?:\s+-\w{1,4}|\s*$)",
)
SIGNATURES = (
    (
        r"[0-9a-fA-F.:]{3,45} dev \S{1,20} (?:lladdr [0-9a-f:]{17} )?.{0,80}?(?:REACHABLE|STALE|DELAY|PROBE|"
        r"FAILED|INCOMPLETE|PERMANENT|NOARP)\b"
    ),
    r"\S{1,255} \([\d.]{7,15}\) at (?:[0-9a-f:]{11,17}|<incomplete>|\(incomplete\)) ",
    r"Address\s{2,40}HWtype\s{1,9}HWaddress",
    r"[\d.]{7,15}\s{1,30}ether\s{1,9}[0-9a-f:]{17}\s{1,9}C?M?\s",
    r"\s{2}[\d.]{7,15}\s{1,30}(?:[0-9a-f]{2}-){5}[0-9a-f]{2}\s",
)
ASKS = (Ask(command="ip neigh", where="client", gives="the MAC address that the host has for the address"),)

_HEADS = r"Address\s+HWtype|\s+(?:Internet|Adresse|Direcci|Indirizzo|Endere)\w*\s.{3,60}$|Entries: \d|Neighbor\s|RTNETL"
_STATES = "REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE"


def read(capture: Capture) -> Reading:
    """The neighbours, and the lines that are none."""
    facts: list[Neighbour] = []
    unread: list[int] = []
    interface = ""
    for index, line in enumerate(capture.lines):
        line = line.rstrip()
        entry = _ip(line) or _arp(line) or _table(line, interface)
        if entry is not None:
            facts.append(_neighbour(capture, index, entry))
        elif match := re.match(r"[^\W\d_]{4,16}\s?: ([\d.]{7,15}) --- 0x", line):  # the word is translated
            interface = match[1]
        elif not (is_noise(line) or re.match(_HEADS, line)):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))


def _ip(line: str) -> tuple[str, str, str, str] | None:
    """`ADDRESS dev NAME [lladdr MAC] [used …] [router] STATE` as address, MAC, state, interface."""
    match = re.match(
        rf"([0-9a-fA-F.:%\w]{{2,60}}) dev (\S{{1,20}})((?: \S{{1,60}}){{0,12}}?)\s{{1,3}}({_STATES})\b", line
    )
    if match is None:
        match = re.match(rf"([0-9a-fA-F.:%\w]{{2,60}})()((?: \S{{1,60}}){{0,12}}?)\s{{1,3}}({_STATES})\s*$", line)
    if match is None or canonical_address(match[1]) is None:
        return None
    mac = re.search(r"lladdr ([0-9a-f:]{17})", match[3])
    return match[1], mac[1] if mac else "", match[4], match[2]


def _arp(line: str) -> tuple[str, str, str, str] | None:
    """`NAME (ADDRESS) at MAC [ether] [PERM] on NAME`, of Linux and BSD."""
    form = (
        r"\S{1,255} \(([\d.]{7,15})\) at ([0-9a-fA-F:]{11,17}|<incomplete>|\(incomplete\)|<from_interface>)(.{0,80})$"
    )
    match = re.match(form, line)
    if match is None:
        return None
    interface = re.search(r"\bon (\S{1,20})", match[3])
    resolved = ":" in match[2]
    state = "" if resolved else "incomplete"
    if "PERM" in match[3] or "permanent" in match[3]:
        state = "permanent"
    return match[1], _mac(match[2]) if resolved else "", state, interface[1] if interface else ""


def _table(line: str, interface: str) -> tuple[str, str, str, str] | None:
    """A row of Linux `arp -n` or Windows `arp -a`."""
    if match := re.match(
        r"(\S{1,60})\s{1,30}(?:ether\s{1,9})?([0-9a-fA-F:]{17})\s{1,9}(C?M?P?)\s{1,30}(?:\S{1,20}\s{1,20})?(\S{1,20})$",
        line,
    ):
        return match[1], _mac(match[2]), "permanent" if "M" in match[3] else "", match[4]
    if match := re.match(r"(\S{1,60})\s{1,30}\(incomplete\)\s{1,60}(\S{1,20})$", line):
        return match[1], "", "incomplete", match[2]
    if match := re.match(
        r"\s{1,4}([\d.]{7,15})\s{1,30}((?:[0-9a-fA-F]{2}-){5}[0-9a-fA-F]{2})\s{1,20}(\S{1,20})$", line
    ):
        return match[1], _mac(match[2].replace("-", ":")), match[3], interface
    return None


def _mac(text: str) -> str:
    """BSD leaves out leading zeros."""
    return ":".join(part.zfill(2) for part in text.lower().split(":"))


def _neighbour(capture: Capture, index: int, entry: tuple[str, str, str, str]) -> Neighbour:
    address, mac, state, interface = entry
    return Neighbour(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        address=canonical_address(address) or address,
        mac=mac,
        state=state,
        interface=interface,
    )
