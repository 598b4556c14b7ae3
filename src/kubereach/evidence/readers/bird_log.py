"""Logs of routing daemons.

Reads: BIRD's log (its own file, and as calico-node prints it), FRR's and Quagga's bgpd log lines that name a peer,
and the %BGP messages of Cisco IOS, NX-OS and Arista EOS.
Ask: `kubectl logs -n calico-system NODE-POD -c calico-node` or `kubectl logs -n metallb-system NAME -c frr`.
Facts: LogEvent of `bird` (session-error, session-up, session-down, started, shutdown, protocol-restarting,
protocol-disabled, protocol-enabled) and of `bgpd` (notification, adjchange-up, adjchange-down, and others by their
words). A message that repeats the last one about its peer gives no second fact.
Not read: confd's, Felix's and zebra's lines.

Format: BIRD sysdep/unix/log.c, proto/bgp/bgp.c bgp_log_error; FRR bgpd/bgp_debug.c, bgp_fsm.c.
"""

from __future__ import annotations

import re

from kubereach.evidence.bgp import peer_of_protocol
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.address import canonical_address
from kubereach.model.fact import LogEvent

_TIME = r"(?P<time>\d{4}[-/]\d\d[-/]\d\d[ T][\d:.]{5,15}Z?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
_BIRD = (
    rf"(?:{_TIME} )?(?:[\w.-]{{1,60}} )?(?:<(?P<class>[A-Z]{{3,7}})>|bird6?(?:\[\d{{1,8}}\])?:) (?P<text>.{{1,600}})$"
)
_FRR = (
    rf"(?:{_TIME} )?(?:[\w.-]{{1,60}} )?(?:(?:warnings|informational|notifications|debugging|errors|critical): )?"
    r"(?:BGP|bgpd(?:\[\d{1,8}\])?): ?(?:\[[A-Z0-9]{5}-[A-Z0-9]{5}\])?(?:\[EC \d{1,12}\])? ?(?P<text>.{1,600})$"
)
# Cisco IOS and NX-OS (`show logging`), and Arista EOS, which words the same message in its own way.
_CISCO = (
    r"(?:.{0,60}[ :])?%BGP-\d-(?:ADJCHANGE|NOTIFICATION): {1,4}(?:neighbor|peer) (?P<peer>[0-9A-Fa-f.:]{2,45})"
    r"(?: \(.{0,60}\))? ?(?P<text>.{0,300})$"
)

COMMANDS = (
    r"\bbird\.log\b",
    r"^journalctl\b.*\b(?:bird|frr|bgpd)\b",
    r"\bfrr(?:/frr)?\.log\b|\bbgpd\.log\b",
    r"^sh(?:ow)? log(?:ging)?\b",
    r"\blogs\b.*\bcalico-node\b",
)
_CLASS = r"<(?:RMT|ERR|WARN|INFO|FATAL|BUG|AUTH|TRACE|DBG)>"
_SAYS = r"(?:\[[A-Z0-9]{5}-[A-Z0-9]{5}\]|%(?:ADJCHANGE|NOTIFICATION)|\S{0,40}\d{1,3}\.\d{1,3}\.\d{1,3}\.\d)"
SIGNATURES = (
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})? {_CLASS} \S",
    r"bird6?(?:\[\d{1,8}\])?: (?:Mesh|Global|Node)_[0-9A-Fa-f_]{2,60}: ",
    rf"(?:\d{{4}}/\d\d/\d\d [\d:.]{{8,15}} )?(?:[\w.-]{{1,60}} )?(?:BGP|bgpd\[\d{{1,8}}\]): {_SAYS}",
    r".{0,60}%(?:BGP-\d-(?:ADJCHANGE|NOTIFICATION)|TCP-6-BADAUTH): ",
)
ASKS = (
    Ask(
        command="kubectl logs -n calico-system NODE-POD -c calico-node",
        where="cluster",
        privilege="none",
        gives="why BIRD's sessions on one node ended",
    ),
)

_OWN = (
    ("started", r"Started$"),
    ("shutdown", r"Shutdown completed|Shutting down"),
    ("protocol-restarting", r"Restarting protocol (?P<protocol>\S{1,120})"),
    ("protocol-disabled", r"Disabling protocol (?P<protocol>\S{1,120})"),
    ("protocol-enabled", r"Enabling protocol (?P<protocol>\S{1,120})"),
    ("reconfigured", r"Reconfigur(?:ed|ing|ation)"),
    ("graceful-restart", r"Graceful restart (?P<msg>.{1,60})"),
    ("session-up", r"(?P<protocol>\S{1,120}): (?:BGP session established|State changed to up)"),
    ("session-down", r"(?P<protocol>\S{1,120}): (?:State changed to (?:down|start|stop|flush)|BGP session closed)"),
    ("session-error", r"(?P<protocol>\S{1,120}): (?P<error>(?:Received|Error|Socket|BGP Error)(?:: .{1,300}|$))"),
    (
        "address-in-use",
        r"(?:.{0,60}: )?(?P<error>bind: Address (?:already )?in use|.{0,60}Cannot (?:bind|open) .{1,80})",
    ),
)
_VRF = r"(?:in vrf \S{1,40} )?"
_FRR_OWN = (
    (
        "notification",
        r"%NOTIFICATION: (?P<direction>received from|sent to) neighbor (?P<peer>\S{2,60}) (?P<error>.{1,200})",
    ),
    ("adjchange-down", rf"%ADJCHANGE: neighbor (?P<peer>[^\s(]{{2,60}})\S{{0,40}} {_VRF}Down ?(?P<error>.{{0,120}})"),
    ("adjchange-up", rf"%ADJCHANGE: neighbor (?P<peer>[^\s(]{{2,60}})\S{{0,40}} {_VRF}Up"),
)

_Fields = tuple[tuple[str, str], ...]


def read(capture: Capture) -> Reading:
    """What the daemons wrote about themselves and their peers."""
    facts: list[LogEvent] = []
    unread: list[int] = []
    last: dict[tuple[str, str], tuple[str, _Fields]] = {}
    for index, line in enumerate(readable(capture.lines)):
        found = _event(line) if len(line) < 2000 else None
        if found is None:
            if line.strip():
                unread.append(index)
            continue
        program, event, fields, time = found
        subject = next((value for key, value in fields if key in {"peer", "protocol"}), "")
        if event and last.get((program, subject)) != (event, fields):
            last[program, subject] = (event, fields)
            facts.append(
                LogEvent(
                    origin=capture.origin(index, index + 1),
                    trust=capture.trust,
                    taken=time or capture.taken,
                    device=capture.host,
                    program=program,
                    event=event,
                    fields=fields,
                )
            )
    return Reading(facts=tuple(facts), unread=spans(unread))


def _event(line: str) -> tuple[str, str, _Fields, str] | None:
    """Program, event, fields and time of one line; an empty event for a line that is understood and says nothing."""
    frr = re.match(_FRR, line)
    if frr:
        found = _frr(frr["text"])
        return ("bgpd", *found, frr["time"] or "") if found else None
    cisco = re.match(_CISCO, line)
    if cisco:
        return "bgpd", *_cisco(cisco["peer"], cisco["text"].strip()), ""
    bird = re.match(_BIRD, line)
    if bird is None:
        return _unsigned(line)
    for event, pattern in _OWN:
        match = re.match(pattern, bird["text"])
        if match:
            fields = [(key, value.strip()) for key, value in match.groupdict().items() if value]
            peer = peer_of_protocol(match.groupdict().get("protocol") or "")[0]
            return "bird", event, tuple(fields + ([("peer", peer)] if peer else [])), bird["time"] or ""
    if bird["class"] in {"ERR", "FATAL", "BUG", "AUTH", "WARN", "RMT"}:
        return "bird", "error", (("msg", bird["text"].strip()),), bird["time"] or ""
    return None


def _cisco(peer: str, text: str) -> tuple[str, _Fields]:
    """`neighbor X Up`, `neighbor X Down REASON`; Arista: `peer X (VRF …) old state A event B new state C`."""
    words = re.match(r"old state (\w{2,20}) event (\w{2,30}) new state (\w{2,20})", text)
    if words or re.match(r"(?:vpn vrf \S{1,40} )?(?:Up|Down)\b", text):
        up = words[3] == "Established" if words else text.startswith("Up")
        if words and not up and words[1] != "Established":
            return "", ()  # a step between two attempts
        reason = words[2] if words else text.partition("Down")[2].strip()
        fields = (("peer", peer), *((("error", reason),) if reason and not up else ()))
        return ("adjchange-up" if up else "adjchange-down"), fields
    return "notification", (("peer", peer), ("error", text))


def _unsigned(line: str) -> tuple[str, str, _Fields, str] | None:
    """`%TCP-6-BADAUTH: No MD5 digest from A(PORT) to B(PORT)` of Cisco IOS and Arista EOS, for BGP's port."""
    found = re.match(
        r".{0,60}%TCP-6-BADAUTH: (?P<what>(?:No|Invalid) (?:MD5|TCP-AO) \w{3,8}) from (?P<peer>[0-9A-Fa-f.:]{2,45})"
        r"\((?P<from>\d{1,5})\) to [0-9A-Fa-f.:]{2,45}\((?P<to>\d{1,5})\)",
        line,
    )
    if found is None or "179" not in {found["from"], found["to"]}:
        return None
    return "bgpd", "bad-authentication", (("peer", found["peer"]), ("error", f"{found['what']} (authentication)")), ""


def _frr(text: str) -> tuple[str, _Fields] | None:
    """Event and fields of a bgpd message; other messages count when they name a peer."""
    for event, pattern in _FRR_OWN:
        match = re.match(pattern, text)
        if match:
            fields = [(key, value.strip()) for key, value in match.groupdict().items() if value and value.strip()]
            return event, tuple(fields)
    peer = re.search(r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}:[0-9a-f:]{2,40})(?![\w./])", text)
    address = canonical_address(peer[1]) if peer else None
    if peer is None or address is None:
        return None
    words = re.sub(r"[^a-z]+", "-", (text[: peer.start()] + text[peer.end() :]).partition(",")[0].lower()).strip("-")
    return words[:60].strip("-") or "message", (("peer", address), ("msg", text.strip()))
