"""What Cilium's datapath serves: `cilium-dbg service list`, `cilium-dbg bpf lb list`.

Reads
    Both tables, of releases with and without the protocol behind the port; the blank cells below a frontend.
Ask
    kubectl exec -n kube-system ds/cilium -- cilium-dbg service list
Facts
    Setting of the node, `cilium.service ADDRESS:PORT/PROTOCOL`: one per backend (`10.0.1.5:80 active`), or one with the
    value None where a frontend has none. The type and flags of a frontend are `cilium.service.type …`.
Not read
    Numbers of services and slots.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, subject_of
from kubereach.model.fact import Scalar, Setting

COMMANDS = (r"(?:^|[\s/])cilium(?:-dbg)?\s(?:.*\s)?(?:service\s+list|bpf\s+lb\s+list)\b",)
SIGNATURES = (
    r"ID\s{2,12}Frontend\s{2,50}Service Type\s{2,30}Backend",
    r"SERVICE ADDRESS\s{2,60}BACKEND ADDRESS",
)
ASKS = (
    Ask(
        command="kubectl exec -n kube-system ds/cilium -- cilium-dbg service list",
        where="cluster",
        privilege="exec",
        gives="which addresses a Cilium node serves, and with which pods",
    ),
    Ask(
        command="kubectl exec -n kube-system ds/cilium -- cilium-dbg bpf lb list",
        where="cluster",
        privilege="exec",
        gives="the same from the kernel's own map, with the policy Local",
    ),
)

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\])"
_END = rf"{_ADDRESS}:\d{{1,5}}(?:/(?:TCP|UDP|SCTP|ANY))?(?:/i)?"
_FRONTEND = rf"\d{{1,7}}\s+({_END})\s+([A-Z][A-Za-z]{{4,20}})(?:\s+(.{{1,120}}))?$"
_BACKEND = rf"\s*\d{{1,6}} => ({_END})(?: \((\w[\w -]{{0,30}})\))?(?: \(\d{{1,6}}\))?\s*$"
_SLOT = rf"({_END})?\s+({_END}) \(\d{{1,9}}\) \((\d{{1,9}})\)(?: \[(.{{1,120}})\])?\s*$"


class _Frontend(Struct):
    """A frontend with its backends so far; `end` is exclusive."""

    address: str
    start: int
    end: int
    type: str = ""
    backends: list[tuple[int, str]] = []


def read(capture: Capture) -> Reading:
    """The frontends, and the lines that are none."""
    found: list[_Frontend] = []
    unread: list[int] = []
    for index, line in enumerate(readable(capture.lines)):
        line = line.rstrip()
        current = found[-1] if found and found[-1].end == index else None
        if fresh := _listed(line, index) or _slot(line, index, current):
            if fresh is not current:
                found.append(fresh)
        elif (match := re.match(_BACKEND, line)) and current is not None:
            current.backends.append((index, _worded(match)))
            current.end = index + 1
        elif not (is_noise(line) or re.match(r"ID\s+Frontend|SERVICE ADDRESS|Defaulted container", line)):
            unread.append(index)
    return Reading(tuple(fact for frontend in found for fact in _facts(capture, frontend)), spans(unread))


def _worded(match: re.Match[str]) -> str:
    return f"{match[1]} {match[2]}" if match[2] else match[1]


def _listed(line: str, index: int) -> _Frontend | None:
    """`5   203.0.113.9:80/TCP   LoadBalancer   1 => 10.0.1.5:80/TCP (active)`."""
    match = re.match(_FRONTEND, line)
    if match is None:
        return None
    backend = re.match(_BACKEND, match[3] or "")
    shown = [(index, _worded(backend))] if backend else []
    return _Frontend(match[1], index, index + 1, match[2], shown)


def _slot(line: str, index: int, current: _Frontend | None) -> _Frontend | None:
    """`203.0.113.9:80/TCP   10.0.1.5:80/TCP (5) (1)`: slot 0 is the frontend's own entry with its flags."""
    match = re.match(_SLOT, line)
    if match is None:
        return None
    if match[1] or current is None:
        if not match[1]:
            return None
        current = _Frontend(match[1], index, index, "", [])
    current.end = index + 1
    if match[3] == "0":
        current.type = match[4] or current.type
    else:
        current.backends.append((index, match[2]))
    return current


def _facts(capture: Capture, frontend: _Frontend) -> list[Setting]:
    name = f"cilium.service {frontend.address}"
    span = (frontend.start, frontend.end)
    facts = [_setting(capture, (i, i + 1), name, backend) for i, backend in frontend.backends]
    if not facts:
        facts = [_setting(capture, span, name, None)]
    if frontend.type:
        facts.append(_setting(capture, span, f"cilium.service.type {frontend.address}", frontend.type))
    return facts


def _setting(capture: Capture, place: tuple[int, int], attribute: str, value: Scalar) -> Setting:
    return Setting(
        origin=capture.origin(*place),
        trust=capture.trust,
        taken=capture.taken,
        subject=subject_of(capture.host),
        attribute=attribute,
        value=value,
    )
