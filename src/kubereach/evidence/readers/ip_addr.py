"""The addresses and links of a host: `ip addr`, `ip link`, `ifconfig`.

Reads
    `ip [-4|-6] [-d] [-s] addr` and `link`, `-br`, `-o`; ifconfig of Linux (net-tools old and new), BSD and macOS;
    excerpts of single lines.
Ask
    ip addr, on the node.
Facts
    One Interface per link (flags, state, mtu, mac) and one InterfaceAddress per address. A device that does not exist
    is a LogEvent `no-such-device`.
Not read
    Counters, queues, lifetimes, masters and peers.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.address import canonical_address, prefix_length
from kubereach.model.fact import AnyFact, Interface, InterfaceAddress, LogEvent

COMMANDS = (
    r"(?:^|[\s/])ip(?:\s+-(?!j)\S{1,10}(?:\s+inet6?)?){0,5}\s+(?:a|ad|addr|address|l|li|link)(?:\s*$|\s+(?!add|del|set)\S)",
    r"(?:^|[\s/])ifconfig(?:\s|$)",
)
SIGNATURES = (
    r"\d{1,5}: \S{1,40}: <[A-Z_,\d-]{0,160}> mtu \d",
    r"\s{2,8}inet6? [0-9a-fA-F.:]{2,45}(?:/\d{1,3})? (?:.{0,80} )?scope (?:global|host|link|site)\b",
    r"\s{2,8}link/(?:ether|loopback|ipip|none|sit|gre) ",
    r"\d{1,5}: \S{1,40}\s{1,20}inet6? [0-9a-fA-F.:]{2,45}/\d",
    r"\S{1,20}: flags=\d{1,6}<[A-Z_\d,]{0,200}>\s{1,2}(?:metric \d\s)?\s{0,2}mtu \d",
    r"\S{1,20}\s{1,10}Link encap:\S",
    r"\s{1,10}inet (?:addr:)?\d{1,3}(?:\.\d{1,3}){3}\s{1,2}(?:netmask|Bcast:|Mask:|broadcast)",
)
ASKS = (Ask(command="ip addr", where="node", gives="the addresses that the node owns, and on which interface"),)

_STATES = "UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT|NOTPRESENT|TESTING"
_SAYS_NOTHING = (
    r"\s+(?:valid_lft|altname|link-netns|RX|TX|[\d ]{9,120}$|options=|nd6 options|media:|groups:|id |member:|maxage|"
    r"Configuration:|root id|ipfilter|scopeid|loop |vxlan |veth |bridge |ipip |dummy |alias |collisions:|Interrupt:|"
    r"UP BROADCAST|UP LOOPBACK|inet6? addr: ?$|device |promiscuity|prog/xdp|tun |bond |vlan |type |hwaddr|vf |ageing)"
    r"|RTNETLINK answers"
)


class _Link:
    """The link that the following lines belong to: facts are frozen, so what is known is kept until the next one."""

    __slots__ = ("first", "flags", "last", "mac", "mtu", "name", "shown", "state")

    def __init__(self) -> None:
        self.first = self.last = 0
        self.name = self.state = self.mac = ""
        self.flags: tuple[str, ...] = ()
        self.mtu: int | None = None
        self.shown = False


def read(capture: Capture) -> Reading:
    """The links and addresses, and the lines that are neither."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    link = _Link()
    for index, line in enumerate(capture.lines):
        line = line.rstrip()
        opened = _opening(line)
        if opened is not None:
            facts.extend(_interface(capture, link))
            link = opened
            link.first = link.last = index
            facts.extend(_addresses(capture, link, index, line))
        elif found := _body(capture, link, index, line):
            facts.extend(found)
        elif not (_detail(link, line) or is_noise(line)):
            unread.append(index)
    facts.extend(_interface(capture, link))
    return Reading(tuple(facts), spans(unread))


def _opening(line: str) -> _Link | None:
    """The first line of a link, in any of the forms."""
    return _ip_link(line) or _brief(line) or _ifconfig(line)


def _ip_link(line: str) -> _Link | None:
    """`2: eth0@if6: <FLAGS> mtu 1500 … state UP …`, or `2: eth0    inet …` of -o."""
    link = _Link()
    if match := re.match(r"\d{1,5}: (\S{1,40}?)(?:@\S{1,40})?: <([A-Z_,\d-]{0,200})>(.{0,400})$", line):
        link.name, link.flags, link.shown = match[1], tuple(filter(None, match[2].split(","))), True
        mtu, state = re.search(r"\bmtu (\d{1,6})", match[3]), re.search(r"\bstate (\S{1,20})", match[3])
        link.mtu, link.state = int(mtu[1]) if mtu else None, state[1] if state else ""
        if mac := re.search(r"link/\S{1,12} ([0-9a-f:]{17})\b", match[3]):
            link.mac = mac[1]
        return link
    if match := re.match(r"\d{1,5}: (\S{1,40})\s{1,20}inet6? ", line):
        link.name = match[1]
        return link
    return None


def _brief(line: str) -> _Link | None:
    """`eth0@if6  UP  192.0.2.1/24 …` or `eth0  UP  02:00:… <FLAGS>` of -br."""
    match = re.match(rf"(\S{{1,40}}?)(?:@\S{{1,40}})?\s{{2,30}}({_STATES})(?:\s{{1,30}}(\S.{{0,2000}}))?$", line)
    if match is None:
        return None
    link = _Link()
    link.name, link.state, link.shown = match[1], match[2], True
    if mac := re.match(r"([0-9a-f:]{17}) <([A-Z_,\d-]{0,200})>", match[3] or ""):
        link.mac, link.flags = mac[1], tuple(mac[2].split(","))
    return link


def _ifconfig(line: str) -> _Link | None:
    """`eth0: flags=4163<UP,…>  mtu 1500`, or `eth0  Link encap:Ethernet  HWaddr 02:00:…`."""
    link = _Link()
    if match := re.match(r"(\S{1,20}): flags=[\da-f]{1,8}<([A-Z_\d,]{0,200})>(?:.{0,40}?mtu (\d{1,6}))?", line):
        link.name, link.flags, link.shown = match[1], tuple(filter(None, match[2].split(","))), True
        link.mtu = int(match[3]) if match[3] else None
        return link
    if match := re.match(r"(\S{1,20})\s{1,10}Link encap:.{1,40}?(?:HWaddr ([0-9A-Fa-f:]{17}).{0,20})?$", line):
        link.name, link.mac, link.shown = match[1], (match[2] or "").lower(), True
        return link
    return None


def _addresses(capture: Capture, link: _Link, index: int, line: str) -> list[AnyFact]:
    """The addresses in the first line of a link: several with -br, one with -o."""
    if "<" in line and "inet" not in line:
        return []
    facts: list[AnyFact] = []
    for address, length in re.findall(r"(?:^|\s)([0-9a-fA-F.:]{3,45})/(\d{1,3})(?=\s|$|\\)", line[:4000]):
        canonical = canonical_address(address)
        if canonical:
            facts.append(_address(capture, index, link.name, canonical, int(length)))
            if re.match(r"\d{1,5}: ", line):
                break
    return facts


def _body(capture: Capture, link: _Link, index: int, line: str) -> list[AnyFact]:
    """An address line, or a device that does not exist."""
    link.last = index if link.name and line[:1] in {" ", "\t"} else link.last
    if match := re.match(r'Device "?(\S{1,20}?)"? does not exist|(\S{1,20}): error fetching interface', line):
        event = (("device", match[1] or match[2].rstrip(":")),)
        return [_log(capture, index, event)]
    match = re.match(
        r"\s{1,12}inet6? (?:addr: ?)?([0-9a-fA-F.:]{2,45})(?:%\S{1,20}?)?(?:/(\d{1,3}))?(?:\s{1,3}(.{0,200}))?$", line
    )
    address = canonical_address(match[1]) if match else None
    if match is None or address is None:
        return []
    rest = match[3] or ""
    name = link.name
    if not name and (label := re.search(r"scope \S{1,12}(?: \w{1,20}){0,3} (\S{1,20})$", rest)):
        name = label[1]
    return [_address(capture, index, name, address, int(match[2]) if match[2] else _mask(rest))]


def _mask(text: str) -> int:
    """The length of a mask in dotted, hexadecimal or ifconfig's other forms; -1 when there is none."""
    if match := re.search(r"(?:prefixlen |peer \S{2,45}/)(\d{1,3})", text):
        return int(match[1])
    match = re.search(r"(?:netmask |Mask:)(0x[0-9a-f]{8}|[\d.]{7,15})", text)
    if match is None:
        return -1
    if match[1].startswith("0x"):
        return int(match[1], 16).bit_count()
    return prefix_length(f"0.0.0.0/{match[1]}")


def _detail(link: _Link, line: str) -> bool:
    """Other lines of a link."""
    if match := re.match(r"\s+(?:link/\S{1,12}|ether|lladdr)(?: ([0-9a-f:]{17})\b)?", line):
        link.mac = link.mac or match[1] or ""
    elif match := re.match(r"\s+(?:[A-Z]{2,12} ){1,8} ?MTU:(\d{1,6})", line):
        link.mtu, link.flags = int(match[1]), tuple(line.split("MTU")[0].split())
    elif match := re.match(r"\s+status: (\w{1,20})", line):
        link.state = match[1]
    else:
        return re.match(_SAYS_NOTHING, line) is not None
    return True


def _interface(capture: Capture, link: _Link) -> list[AnyFact]:
    if not link.shown:
        return []
    return [
        Interface(
            origin=capture.origin(link.first, link.last + 1),
            trust=capture.trust,
            taken=capture.taken,
            device=capture.host,
            name=link.name,
            flags=link.flags,
            state=link.state,
            mtu=link.mtu,
            mac=link.mac if link.mac != "00:00:00:00:00:00" else "",
        )
    ]


def _address(capture: Capture, index: int, interface: str, address: str, length: int) -> InterfaceAddress:
    return InterfaceAddress(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        interface=interface,
        address=address,
        prefix_length=length if -1 <= length <= 128 else -1,
    )


def _log(capture: Capture, index: int, fields: tuple[tuple[str, str], ...]) -> LogEvent:
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="ip-addr",
        event="no-such-device",
        fields=fields,
    )
