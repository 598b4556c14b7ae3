"""The kernel's counters: `nstat -az`, `netstat -s`.

Reads
    nstat's three columns; of `netstat -s` (Linux) the lines that count drops.
Ask
    nstat -az, on the node, before and after a try.
Facts
    One Setting `nstat NAME` per counter that is not zero (of TCP MD5: zero as well), as a number. It counts from the
    start of the machine (nstat without -a: from its last call).
Not read
    Rates, and other counters at zero.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, subject_of
from kubereach.model.fact import Setting

COMMANDS = (r"(?:^|[\s/])nstat\b", r"(?:^|[\s/])netstat\s+-\w*s")
SIGNATURES = (
    r"#kernel\s*$",
    r"(?:Ip|Icmp|Tcp|Udp|TcpExt|IpExt|Ip6|Icmp6|Udp6|MPTcpExt)[A-Z]\w{2,40}\s{1,40}\d{1,20}\s{1,20}\d{1,9}\.\d$",
)
ASKS = (Ask(command="nstat -az", where="node", gives="what the kernel has dropped, and why"),)

# `netstat -s` says in words what nstat names (net-tools statistics.c).
_WORDS = (
    (r"(\d{1,20}) packets? rejected in established connections because of timestamp", "TcpExtPAWSEstab"),
    (r"IPReversePathFilter: (\d{1,20})", "TcpExtIPReversePathFilter"),
    (r"(\d{1,20}) times the listen queue of a socket overflowed", "TcpExtListenOverflows"),
    (r"(\d{1,20}) SYNs to LISTEN sockets (?:dropped|ignored)", "TcpExtListenDrops"),
    (r"(\d{1,20}) dropped because of missing route", "IpOutNoRoutes"),
    (r"(\d{1,20}) with invalid addresses", "IpInAddrErrors"),
    (r"(\d{1,20}) forwarded", "IpForwDatagrams"),
)
# Counters of which it is worth knowing that they are zero: nothing but a fault raises them.
ZERO_TELLS = ("TcpExtTCPMD5",)
_FURNITURE = r"#\w{2,10}\s*$|\s*(?:Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt|Ip6|Sctp):\s*$"


def read(capture: Capture) -> Reading:
    """The counters, and the lines that are none."""
    facts: list[Setting] = []
    unread: list[int] = []
    words = "netstat" in capture.command
    for index, line in enumerate(readable(capture.lines)):
        match = re.match(r"([A-Z][A-Za-z0-9_]{3,60})\s{1,60}(\d{1,20})(?:\s{1,30}\d{1,12}\.\d{1,3})?\s*$", line)
        name, value = (match[1], match[2]) if match else _worded(line) if words else ("", "")
        if name:
            if int(value) or name.startswith(ZERO_TELLS):
                facts.append(_fact(capture, index, name, int(value)))
        elif not (is_noise(line) or re.match(_FURNITURE, line) or (words and re.match(r"\s{4}\S", line))):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))


def _worded(line: str) -> tuple[str, str]:
    for form, name in _WORDS:
        if match := re.match(rf"\s{{2,8}}{form}", line):
            return name, match[1]
    return "", ""


def _fact(capture: Capture, index: int, name: str, value: int) -> Setting:
    return Setting(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        subject=subject_of(capture.host),
        attribute=f"nstat {name}",
        value=value,
    )
