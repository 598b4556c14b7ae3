"""Packets that Cilium's datapath drops: `cilium monitor --type drop`.

Reads
    Drop lines of the monitor, and of `hubble observe --verdict DROPPED` in its compact form.
Ask
    kubectl exec -n kube-system ds/cilium -- cilium-dbg monitor --type drop
Facts
    One LogEvent of `cilium-monitor` per reason and flow, with the count in its fields: the event is the reason as slug
    (`service-backend-not-found`), the fields are source, destination, protocol, identities and the place in the code.
Not read
    Other events, hash values.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise
from kubereach.model.fact import LogEvent

COMMANDS = (r"(?:^|[\s/])cilium(?:-dbg)?\s(?:.*\s)?monitor\b", r"(?:^|[\s/])hubble\s+observe\b")
SIGNATURES = (
    r"xx drop \([^()]{3,80}\) (?:flow|to)",
    r"\w{3} [ \d]\d [\d:.]{8,15}: \S{3,120} (?:\(\S{1,60}\) )?(?:->|<>|<-) \S{3,120} .{0,120}\bDROPPED\b",
)
ASKS = (
    Ask(
        command="kubectl exec -n kube-system ds/cilium -- cilium-dbg monitor --type drop",
        where="cluster",
        privilege="exec",
        gives="why Cilium drops packets of the flow, while the client tries",
    ),
)

_DROP = (
    r"xx drop \(([^()]{3,80})\) (?:flow \S{1,24} )?(?:to endpoint (\d{1,9}))?[, ]{0,2}(?:ifindex \S{1,20}, )?"
    r"(?:file (\S{1,60}(?: line |:)\d{1,7}))?[, ]{0,4}(?:identity (\S{1,80}))?: (.{3,300})$"
)
_HUBBLE = (
    r"(?:\w{3} [ \d]\d [\d:.]{8,15}: |[\d:.]{8,15} \S{0,60} )(\S{3,120})(?: \((\S{1,60})\))? (->|<>|<-) (\S{3,120})"
    r"(?: \((\S{1,60})\))? (.{1,120}?) DROPPED(?: \((.{1,160})\))?\s*$"
)
_SILENT = (
    r"Listening for events|Press Ctrl-C|level=|time=|CPU \d|>> |-> |<- |Policy verdict|Defaulted container|\[pre-xlate"
    r"|\w{3} [ \d]\d [\d:.]{8,15}: .{0,300}policy-verdict"
)


def read(capture: Capture) -> Reading:
    """The drops, folded, and the lines that are none."""
    folds: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    unread: list[int] = []
    for index, line in enumerate(readable(capture.lines)):
        found = _drop(line.rstrip()) or _hubble(line.rstrip())
        if found is not None:
            place = folds.setdefault(found, [index, index, 0])
            place[1], place[2] = index, place[2] + 1
        elif not (is_noise(line) or re.match(_SILENT, line)):
            unread.append(index)
    facts = tuple(_fact(capture, event, fields, place) for (event, fields), place in folds.items())
    return Reading(facts, spans(unread))


def _drop(line: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """`xx drop (REASON) flow 0x… to endpoint 0, …, identity A->B: SOURCE -> DESTINATION tcp SYN`."""
    match = re.match(_DROP, line)
    if match is None:
        return None
    flow = re.match(r"(\S{3,60}) -> (\S{3,60})(?: (.{1,60}))?$", match[5])
    fields = {
        "source": _without_port(flow[1]) if flow else "",
        "destination": flow[2] if flow else "",
        "protocol": (flow[3] or "") if flow else match[5][:60],
        "identity": match[4] or "",
        "place": match[3] or "",
    }
    return _slug(match[1]), tuple((key, value) for key, value in fields.items() if value)


def _without_port(end: str) -> str:
    """A client's port is another one for each connection, and says nothing."""
    return re.sub(r"(?<=[\d\]]):\d{1,5}$", "", end)


def _hubble(line: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    match = re.match(_HUBBLE, line)
    if match is None:
        return None
    fields = {"source": _without_port(match[1]), "destination": match[4], "protocol": match[7] or ""}
    return _slug(match[6]), tuple((key, value) for key, value in fields.items() if value)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[a-z]{1,30}|\d{1,9}", text.lower()))[:60]


def _fact(capture: Capture, event: str, fields: tuple[tuple[str, str], ...], place: list[int]) -> LogEvent:
    first, last, count = place
    return LogEvent(
        origin=capture.origin(first, last + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host,
        program="cilium-monitor",
        event=event,
        fields=(*fields, ("count", str(count))),
    )
