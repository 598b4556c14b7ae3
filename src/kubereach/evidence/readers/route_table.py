"""The kernel's routes as the older programs print them: `route -n`, `netstat -rn`, Windows `route print`.

Reads
    net-tools of Linux (both programs), BSD and macOS (IPv4 and IPv6, shortened networks, cloned host routes), Windows
    (`route print` and `netstat -r`, active and persistent routes, IPv4 and IPv6, in any language).
Ask
    netstat -rn, on a client without `ip`; route -n, on an old Linux host.
Facts
    One Route per row; a RouteListing of the table, complete when the command is known and has no filter. A cloned host
    route of BSD that shows a MAC address is a Neighbour. Windows prints the interface's address for its name.
Not read
    Counters, windows, expiry times, the interface list of Windows.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, is_piped, words
from kubereach.model.address import canonical_address, canonical_prefix, parse_address
from kubereach.model.fact import AnyFact, Neighbour, NextHop, Route, RouteListing

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_V6 = r"[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}"
_LINUX = rf"({_V4}|default)\s+({_V4}|\*|-)\s+({_V4})\s+(!?[UGHRDMACNn]{{1,8}}|!H?)\s+(.{{1,80}})$"
_LINUX6 = (
    rf"((?:{_V6}|\[?::\]?)/\d{{1,3}})\s+({_V6}|\[?::\]?)\s+(!?[UGHRDMACNnae!]{{1,8}})\s+"
    r"\d{1,10}\s.{0,60}?(\S{1,20})$"
)
_BSD = (
    r"(\S{1,60})\s+(\S{1,60})\s+([A-Z][A-Za-z0-9]{0,14})\s+(?:\d{1,9}\s+\d{1,12}\s+)?(?:\d{1,6}\s+)?"
    r"([a-z][\w.-]{1,19})(?:\s+(?:\d{1,9}|!))?$"
)
_WORD = r"[^\W\d_](?:[^\W\d_]|[ -]){3,40}?"  # on-link, default: in the system's language
_WINDOWS = rf"\s{{1,12}}({_V4})\s+({_V4})\s+({_V4}|{_WORD})\s+(?:({_V4})\s+)?(\d{{1,6}}|[^\W\d]\S{{3,20}})\s*$"
_WINDOWS6 = rf"\s{{1,4}}\d{{1,4}}\s+\d{{1,6}}\s+({_V6}/\d{{1,3}}|::/0)\s*(?:\s({_V6}|{_WORD}))?$"
_FURNITURE = (
    r"\s*(?:Kernel IP(?:v6)? routing table|Destination\s+|Routing tables|Internet6?:|IPv[46] |={10,}"
    r"|Active Routes|Persistent Routes|Interface List|Network Destination|If\s+Metric|None\s*$"
    r"|\d{1,4}\s?\.{3}(?:[0-9a-f]{2} ?){0,6}\.{3})"
)

COMMANDS = (
    r"(?:^|[\s/])netstat(?:\.exe)?\s(?:.*\s)?-[a-zA-Z46]*r",
    r"^(?:\S{1,60}[/\\])?route(?:\.exe)?(?:\s+-[46neFC]{1,4}|\s+PRINT|\s+print)*\s*$",
    r"^(?:\S{1,60}[/\\])?route(?:\.exe)?\s+(?:-[46]\s+)?(?:print|PRINT)\b",
)
SIGNATURES = (
    r"Kernel IP(?:v6)? routing table\s*$",
    r"Destination\s+Gateway\s+(?:Genmask\s+)?Flags\s+",
    rf"{_V4}\s+{_V4}\s+{_V4}\s+U[GHRDMAC]{{0,4}}\s+\d{{1,6}}\s+\d{{1,6}}\s+\d{{1,6}}\s+\S{{1,20}}$",
    r"default\s{2,40}\S{3,45}\s{1,20}UG[A-Za-z]{1,8}\s{1,20}(?:\d{1,9}\s{1,20}\d{1,12}\s{1,20})?[a-z]{2,6}\d",
    r"Network Destination\s{2,20}Netmask\s{2,20}Gateway",
    rf"\s{{1,12}}0\.0\.0\.0\s{{2,20}}0\.0\.0\.0\s{{2,20}}{_V4}\s{{2,20}}{_V4}\s{{1,12}}\d{{1,6}}$",
)
ASKS = (
    Ask(command="netstat -rn", where="client", gives="the way that a macOS or BSD client takes"),
    Ask(command="route print", where="client", gives="the way that a Windows client takes"),
    Ask(command="route -n", where="node", gives="the routes of a host without `ip`"),
)


class _Row(Struct, kw_only=True):
    """What one line says."""

    prefix: str
    via: str = ""
    interface: str = ""
    flags: str = "U"
    protocol: str = "unknown"
    kind: str = "unicast"


def read(capture: Capture) -> Reading:
    """The routes, and the lines that are none."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    seen = False
    for index, line in enumerate(readable(capture.lines)):
        line = line.rstrip()
        found = _line(capture, index, line)
        if found is not None:
            facts.append(found)
        elif re.match(_FURNITURE, line):
            seen = True
        elif not (is_noise(line) or (capture.command and _label(line))):
            unread.append(index)
    if capture.command and (facts or seen):
        whole = not (is_piped(capture.command) or unread) and _unfiltered(capture.command)
        common = _common(capture, 0, len(capture.lines))
        facts.append(RouteListing(**common, complete=whole))  # type: ignore[arg-type]
    return Reading(tuple(facts), spans(unread))


def _label(line: str) -> bool:
    """A heading of Windows in any language: `Aktive Routen:`, or the names of four columns."""
    if len(re.split(r"\s{2,}", line.strip()[:200])) >= 4 and not re.search(r"\d", line):
        return True
    return re.match(r"[^\W\d_]{3,20}(?: [^\W\d_]{3,20}){0,2}\s?:$", line) is not None


def _unfiltered(command: str) -> bool:
    """Whether nothing but options and `print` follow: a pattern would leave rows out."""
    rest = [word.lower() for word in words(command)[1:] if not word.startswith("-")]
    return all(word in {"print", "route", "netstat", "inet", "inet6"} for word in rest)


def _common(capture: Capture, start: int, end: int) -> dict[str, object]:
    origin = capture.origin(start, end)
    return {"origin": origin, "trust": capture.trust, "taken": capture.taken, "device": capture.host}


def _line(capture: Capture, index: int, line: str) -> Route | Neighbour | None:
    row = _linux(line) or _windows(line) or _bsd(line)
    common = _common(capture, index, index + 1)
    if row is None:
        return None
    if re.fullmatch(r"(?:[0-9a-fA-F]{1,2}[:.]){5}[0-9a-fA-F]{1,2}", row.via):
        mac = ":".join(part.zfill(2) for part in re.split(r"[:.]", row.via.lower()))
        return Neighbour(address=row.prefix.partition("/")[0], mac=mac, interface=row.interface, **common)  # type: ignore[arg-type]
    via = canonical_address(row.via) or ""
    if via in {"0.0.0.0", "::"}:
        via = ""
    active = "U" in row.flags and "!" not in row.flags
    kind = "unreachable" if "!" in row.flags or "R" in row.flags.strip("RU") else row.kind
    kind = "blackhole" if "B" in row.flags else kind
    return Route(
        prefix=row.prefix,
        next_hops=(NextHop(via=via, interface=row.interface),) if via or row.interface else (),
        protocol="static" if "S" in row.flags and via else row.protocol if via else "connected",
        kind=kind,
        active=active or None,
        **common,  # type: ignore[arg-type]
    )


def _linux(line: str) -> _Row | None:
    """`0.0.0.0  10.0.0.1  0.0.0.0  UG  0 0 0 eth0`; a rejecting route has `!`, and `-` for gateway and interface."""
    if match := re.match(_LINUX, line):
        interface = match[5].split()[-1].strip("-")
        prefix = _masked("0.0.0.0" if match[1] == "default" else match[1], match[3])
        return _row(prefix, match[2], interface, match[4])
    if match := re.match(_LINUX6, line):
        return _row(canonical_prefix(re.sub(r"[\[\]]", "", match[1])), match[2].strip("[]"), match[4], match[3])
    return None


def _row(prefix: str | None, via: str, interface: str, flags: str = "U") -> _Row | None:
    return _Row(prefix=prefix, via=via, interface=interface, flags=flags) if prefix else None


def _masked(address: str, mask: str) -> str:
    return canonical_prefix(f"{address}/{mask}") or ""


def _windows(line: str) -> _Row | None:
    """Destination, mask, gateway (or the word for on-link), interface, metric; a persistent route has no interface."""
    if match := re.match(_WINDOWS, line):
        own = match[3] in {match[4], "127.0.0.1"}  # before Windows Vista, its own address stood for on-link
        # A persistent route is shown without its interface, and need not be in force.
        flags = "U" if match[4] else ""
        return _row(_masked(match[1], match[2]), "" if own else match[3], match[4] or "", flags)
    if match := re.match(_WINDOWS6, line):
        return _row(canonical_prefix(match[1]), match[2] or "", "")
    return None


def _bsd(line: str) -> _Row | None:
    """`default  10.0.0.1  UGScg  en0`, `10.1/16  link#4  UCS  en0`, `10.0.0.7  0:1c:42:0:0:18  UHLWI  en0  1187`."""
    match = re.match(_BSD, line)
    if match is None or "U" not in match[3]:
        return None
    gateway = match[2].partition("%")[0]
    link = re.match(r"link#\d|[0-9a-f]{1,2}[:.]|[a-z]{2,8}\d{1,3}$", gateway)
    if not (link or canonical_address(gateway) or gateway == match[4]):
        return None
    return _row(_abbreviated(match[1], gateway, host="H" in match[3]), gateway, match[4], match[3])


def _abbreviated(text: str, gateway: str, *, host: bool) -> str:
    """BSD leaves out trailing zero octets and takes the length from those that are left (`10.1` is 10.1.0.0/16)."""
    text = re.sub(r"%[\w.-]{1,20}", "", text)
    if text == "default":
        return "::/0" if ":" in gateway and parse_address(gateway) else "0.0.0.0/0"
    if ":" in text:
        return canonical_prefix(text) or ""
    network, slash, length = text.partition("/")
    octets = network.split(".")
    if len(octets) > 4 or not all(octet.isdecimal() for octet in octets):
        return ""
    width = length if slash else "32" if host or len(octets) == 4 else str(8 * len(octets))
    return canonical_prefix(".".join([*octets, "0", "0", "0"][:4]) + "/" + width) or ""
