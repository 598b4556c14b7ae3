"""The JSON forms of iproute2: `ip -j route`, `ip -j route get`, `ip -j addr`, `ip -j neigh`.

Reads
    One array, on one line or pretty-printed (-p), of routes, lookups, links with addresses, or neighbours. Each object
    is put into the words of the plain form and read by its reader, so that both forms mean the same.
Ask
    ip -j route; ip -j addr; on the node.
Facts
    Those of the plain forms. Their origin is the whole array.
Not read
    What the plain forms do not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading
from kubereach.evidence.readers import ip_addr, ip_neigh, ip_route, ip_route_get
from kubereach.evidence.terminal import is_noise
from kubereach.model.fact import AnyFact

COMMANDS = (r"(?:^|[\s/])ip(?:\s+-\S{1,10}){0,4}\s+-j(?:son|s|so)?\s",)
SIGNATURES = (r"\[\s{0,4}\{\s{0,4}\"(?:dst|ifindex|type)\":", r"\[\{\}?,?\{?\"ifindex\":")
ASKS = (Ask(command="ip -j route", where="node", gives="the node's routes, for programs"),)

_VALUES = (
    ("from", "from"), ("nhid", "nhid"), ("gateway", "via"), ("dev", "dev"), ("table", "table"), ("protocol", "proto"),
    ("scope", "scope"), ("prefsrc", "src"), ("metric", "metric"), ("uid", "uid"),
)  # fmt: skip

Object = dict[str, object]


def read(capture: Capture) -> Reading:
    """The facts of the first array; what stands around it is unread."""
    lines = capture.lines
    start = next((i for i, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    found = _array(lines, start)
    if found is None:
        return Reading((), ((0, len(lines)),) if any(not is_noise(line) for line in lines) else ())
    objects, end = found
    words, reader = _plain(objects, capture.command)
    plain = Capture(
        source=capture.source,
        lines=tuple(words),
        command=capture.command,
        host=capture.host,
        taken=capture.taken,
        trust=capture.trust,
    )
    origin = capture.origin(start, end)
    facts: tuple[AnyFact, ...] = tuple(msgspec.structs.replace(fact, origin=origin) for fact in reader(plain).facts)
    around = ((0, start), (end, len(lines)))
    return Reading(facts, tuple((a, b) for a, b in around if any(not is_noise(line) for line in lines[a:b])))


def _array(lines: tuple[str, ...], start: int) -> tuple[list[Object], int] | None:
    """The objects of the array that begins in line `start`, and the line after its end."""
    if start == len(lines):
        return None
    depth, end = 0, start
    for line in lines[start:]:
        bare = re.sub(r'"(?:[^"\\]|\\.){0,9999}"', "", line)
        depth += bare.count("[") - bare.count("]")
        end += 1
        if depth <= 0:
            break
    try:
        decoded = msgspec.json.decode("\n".join(lines[start:end]), type=list[dict[str, object]])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return [entry for entry in decoded if entry], end


def _plain(objects: list[Object], command: str) -> tuple[list[str], Callable[[Capture], Reading]]:
    """The objects in the plain form's words, and who reads those."""
    if any("ifname" in entry for entry in objects):
        return [line for entry in objects for line in _link(entry)], ip_addr.read
    if any("state" in entry and "dst" in entry for entry in objects):
        return [_neighbour(entry) for entry in objects], ip_neigh.read
    lookup = " get " in f"{command} " or any("uid" in entry or "cache" in entry for entry in objects)
    return [_route(entry) for entry in objects], ip_route_get.read if lookup else ip_route.read


def _text(entry: Object, key: str) -> str:
    value = entry.get(key)
    return " ".join(str(value).split()) if isinstance(value, str | int) else ""


def _list(entry: Object, key: str) -> list[Object]:
    value = entry.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _flags(entry: Object) -> list[str]:
    value = entry.get("flags")
    return [str(flag) for flag in value if isinstance(flag, str)] if isinstance(value, list) else []


def _route(entry: Object) -> str:
    """`[TYPE] DST via GATEWAY dev NAME …`, with its legs in the same line."""
    parts = [_text(entry, "type"), _text(entry, "dst")]
    for key, word in _VALUES:
        if value := _text(entry, key):
            parts += [word, value]
    if not _text(entry, "gateway"):
        parts += [word for via in [entry.get("via")] if isinstance(via, dict) for word in ("via", _text(via, "host"))]
    for leg in _list(entry, "nexthops"):
        parts += ["nexthop", "via", _text(leg, "gateway"), "dev", _text(leg, "dev"), *_flags(leg)]
    return " ".join(part for part in [*parts, *_flags(entry)] if part)


def _link(entry: Object) -> list[str]:
    """A link's first line, its MAC, and a line for each address."""
    flags, number = ",".join(_flags(entry)), _text(entry, "ifindex") or "0"
    state = f" state {_text(entry, 'operstate')}" if "operstate" in entry else ""
    lines = [f"{number}: {_text(entry, 'ifname')}: <{flags}> mtu {_text(entry, 'mtu') or 0}{state}"]
    lines.append(f"    link/{_text(entry, 'link_type') or 'none'} {_text(entry, 'address')}")
    for address in _list(entry, "addr_info"):
        family = "inet6" if _text(address, "family") == "inet6" else "inet"
        lines.append(
            f"    {family} {_text(address, 'local')}/{_text(address, 'prefixlen')} scope {_text(address, 'scope')}"
        )
    return lines


def _neighbour(entry: Object) -> str:
    states = entry.get("state")
    state = " ".join(str(word) for word in states) if isinstance(states, list) else ""
    mac = f" lladdr {_text(entry, 'lladdr')}" if _text(entry, "lladdr") else ""
    return f"{_text(entry, 'dst')} dev {_text(entry, 'dev')}{mac} {state}"
