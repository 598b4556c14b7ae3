"""Kernel settings: `sysctl NAME`, `sysctl -a`, lines of sysctl.conf.

Reads
    `name = value` and `name=value`, of the net, kernel, vm and fs trees.
Ask
    sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter, on the node.
Facts
    One Setting per line, with the attribute `sysctl NAME`. Its subject is the capture's host (`node/NAME` for a bare
    name), "" when that is unknown.
Not read
    Names that do not exist or may not be read.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.fact import Scalar, Setting

COMMANDS = (r"(?:^|[\s/])sysctl(?:\s|$)", r"(?:^|\s)cat\s+/etc/sysctl")
SIGNATURES = (r"net\.(?:ipv4|ipv6|core|netfilter|bridge|nf_conntrack\w{0,20})\.[\w./@-]{2,80} ?= ?-?\d",)
ASKS = (
    Ask(
        command="sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.all.arp_ignore "
        "net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
        where="node",
        gives="whether the node forwards, and which packets and ARP requests it drops",
    ),
)

_ROOMS = frozenset(["client", "router", "cluster", "outside"])


def read(capture: Capture) -> Reading:
    """The settings, and the lines that are none."""
    facts: list[Setting] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        match = re.match(
            (
                r"\s{0,8}-?((?:net|kernel|vm|fs|user|dev|debug|abi|"
                r"crypto)[./][\w./@-]{1,120}?)\s{0,3}[=:]\s{0,3}(.{0,400})$"
            ),
            line,
        )
        if match:
            facts.append(_setting(capture, index, match[1], match[2].strip()))
        elif not (is_noise(line) or re.match(r"sysctl: |\* Applying |#\s{0,3}$|;", line)):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))


def _setting(capture: Capture, index: int, name: str, value: str) -> Setting:
    if re.match(r"\w{1,9}/", name):
        # The other spelling swaps the two separators: eth0.40 holds a dot then.
        name = name.translate(str.maketrans("./", "/."))
    host = capture.host
    return Setting(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        subject=host if not host or "/" in host or host in _ROOMS else f"node/{host}",
        attribute=f"sysctl {name}",
        value=_scalar(value),
    )


def _scalar(text: str) -> Scalar:
    """A whole number where it is one."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
