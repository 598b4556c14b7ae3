"""MetalLB's logs.

Reads: the logs of speakers and controllers, logfmt and JSON, of go-kit (before 0.13) and zap, with or without the
prefixes of `kubectl logs --prefix` and stern; the allocator's error sentence on its own.
Ask: `kubectl logs -n metallb-system -l component=speaker --prefix --tail=-1`
Facts: LogEvent of `metallb-speaker` or `metallb-controller`; the event is the line's own, else its words. A line that
repeats the last one about its subject (peer, address, service) gives no second fact.
Not read: callers, levels, times (the time goes into `taken`), lines of other programs.

Format: metallb internal/logging, speaker/main.go, controller/main.go, internal/bgp/native, internal/layer2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import DecodeError
from msgspec.json import decode, encode

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import LogEvent

COMMANDS = (r"\blogs?\b.*\b(?:metallb|speaker)", r"^stern\b.*\b(?:metallb|speaker)")
_POD = r"(?:\[pod/[\w.-]{1,120}/[\w.-]{1,60}\] |[\w.-]{1,80} (?:[\w-]{1,40} )?)?"
_FILES = "announcer|arp|ndp|bgp|main|k8s|service|layer2_controller|bgp_controller|native|speakerlist|net"
SIGNATURES = (
    rf"{_POD}\{{\"(?:branch|caller|level|controller|ts)\":.*\"(?:localASN|peerASN|pool|protocol|ips|responseMAC)\":",
    rf"{_POD}\{{\"caller\":\"(?:{_FILES})\.go:\d",
    rf"{_POD}(?:(?:level|ts)=\S{{1,40}} ){{0,2}}caller=(?:{_FILES})\.go:\d",
    r"failed to allocate IP for \"[^\"]{1,120}\": ",
)
ASKS = (
    Ask(
        command="kubectl logs -n metallb-system -l component=speaker --prefix --tail=-1",
        where="cluster",
        gives="which node announces the address, and why the others do not",
    ),
)

_DROPPED = {"caller", "ts", "time", "level", "stacktrace", "branch", "goversion", "commit", "controllerGroup"}
_CONTROLLER_EVENTS = {"ipAllocated", "clearAssignment", "poolDeleted", "allocationFailed", "failed-to-allocate-ip"}
_SUBJECTS = ("peer", "service", "ips", "ip", "interface", "name", "key")


def read(capture: Capture) -> Reading:
    """What speakers and controllers said; `pod/NAME` is the device where a prefix names it."""
    facts: list[LogEvent] = []
    unread: list[int] = []
    last: dict[tuple[str, str, str], tuple[str, tuple[tuple[str, str], ...]]] = {}
    for index, line in enumerate(capture.lines):
        pod, body = _prefix(line)
        values = _values(body) if len(body) < 20_000 else None
        if values is None:
            if line.strip():
                unread.append(index)
            continue
        fact = _fact(capture, index, pod, values)
        subject = next((values[key] for key in _SUBJECTS if values.get(key)), "")
        identity = (fact.event, fact.fields)
        if last.get((fact.device, fact.program, subject)) != identity:
            last[fact.device, fact.program, subject] = identity
            facts.append(fact)
    return Reading(facts=tuple(facts), unread=spans(unread))


def _prefix(line: str) -> tuple[str, str]:
    """The pod that `kubectl logs --prefix` or stern names, and the rest of the line."""
    match = re.match(r"\[pod/([\w.-]{1,120})/[\w.-]{1,60}\] (.*)$", line)
    match = match or re.match(
        r"([\w.-]{0,80}(?:speaker|controller|metallb)[\w.-]{0,80})(?: [\w-]{1,40})? ([{\w].*)$", line
    )
    if match and (match[2].startswith("{") or "=" in match[2]):
        return match[1], match[2]
    return "", line.strip()


def _values(body: str) -> dict[str, str] | None:
    """The fields of one line; None when it is no log line of this kind."""
    if body.startswith("{"):
        return _json(body)
    allocation = re.match(r"[Ff]ailed to allocate IP for \"([^\"]{1,200})\": (.{1,500})$", body)
    if allocation:
        return {"event": "failed-to-allocate-ip", "service": allocation[1], "error": allocation[2]}
    zap = re.match(
        r"\d{4}-\d\d-\d\dT\S{8,30}\t(?:DEBUG|INFO|WARN|ERROR)\t(?:([\w.-]{1,60})\t)?([^\t]{1,200})\t?(\{.*)?$", body
    )
    if zap:
        return (_json(zap[3] or "{}") or {}) | {"msg": zap[2]}
    if not re.search(r"\b(?:caller|level|ts)=\S", body) or not re.search(r"\b(?:msg|event|op|error)=", body):
        return None
    found = re.findall(r'(?:^|\s)([A-Za-z_][\w.]{0,60})=("(?:[^"\\]|\\.){0,4000}"|\S*)', body)
    return {key: value.strip('"').replace('\\"', '"') for key, value in found}


def _json(body: str) -> dict[str, str] | None:
    """The fields of a JSON line as text; an object that is no log line gives None."""
    try:
        data = decode(body)
    except (DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(data, dict) or (data and not data.keys() & {"msg", "event", "op", "error"}):
        return None
    return {str(key): value if isinstance(value, str) else encode(value).decode() for key, value in data.items()}


def _event(values: Mapping[str, str]) -> str:
    """The line's own event, or its message (or failed operation) as a slug without quoted names and numbers."""
    if values.get("event"):
        return values["event"]
    text = re.sub(r'"[^"]{0,200}"|\'[^\']{0,200}\'|\S*\d\S*', " ", values.get("msg") or values.get("op") or "error")
    return re.sub(r"[^A-Za-z]+", "-", text).strip("-").lower()[:60].strip("-") or "message"


def _fact(capture: Capture, index: int, pod: str, values: dict[str, str]) -> LogEvent:
    event = _event(values)
    fields = tuple((key, value[:500]) for key, value in list(values.items())[:40] if key not in _DROPPED | {"event"})
    return LogEvent(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=values.get("ts") or values.get("time") or capture.taken,
        device=f"pod/{pod}" if pod else capture.host,
        program=_program((pod, f"{capture.command} {capture.host} {capture.source}"), event, values),
        event=event,
        fields=fields,
    )


def _program(contexts: tuple[str, str], event: str, values: Mapping[str, str]) -> str:
    """Who wrote it: by the pod's name, the event, the command's and file's names; a speaker when nothing tells."""
    pod, around = contexts
    allocates = event in _CONTROLLER_EVENTS or re.match(r"(?:service|allocator)\.go", values.get("caller", ""))
    for text in (pod, "controller" if allocates else "", around):
        for name in ("speaker", "controller"):
            if name in text:
                return f"metallb-{name}"
    return "metallb-speaker"
