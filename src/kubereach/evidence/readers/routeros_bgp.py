"""MikroTik BGP.

Reads: v6 `/routing bgp peer print` (table, detail, status), v7 `/routing/bgp/session/print` and
`/routing/bgp/connection/print`, and the same menus of an export.
Ask: `/routing/bgp/session/print` and `/routing/bgp/connection/print` (v7), `/routing bgp peer print status` (v6).
Facts: BgpSession, BgpListing; Setting `bgp.connection.NAME.KEY` or `bgp.peer.NAME.KEY` of the router.
Not read: message counters, capabilities, timers. A TCP MD5 key is told as `set`, never itself.

Format: RouterOS manual, "Routing/BGP" (v6) and "BGP" (v7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.evidence.bgp import number, session_state
from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import LONGEST, readable, whole
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.routeros import Record, is_cut, is_furniture, is_header, records, where_clause
from kubereach.model.address import canonical_address
from kubereach.model.fact import AnyFact, BgpListing, BgpSession, Setting

COMMANDS = (r"^/?routing[ /]bgp[ /](?:peer|session|connection|template|instance)\b",)
SIGNATURES = (
    r"\s*\d{1,6}\s+[EXI ]{0,6}\s*(?:name=\S+ )?.{0,80}\bremote-address=[0-9A-Fa-f.:]{2,45}\s.*\bremote-as=\d",
    r"\s*\d{1,6}\s+[EXI]{0,3}\s*name=\"?[\w.-]{1,60}\"?\s*$",
    r"\s*remote\.address=[0-9A-Fa-f.:/]{2,50}\s+\.as=\d",
    r"\s*Flags:.*\bE - (?:established|ESTABLISHED)",
    r"\s*#\s+(?:INSTANCE|NAME)\s+(?:INSTANCE\s+)?REMOTE-ADDRESS\s+REMOTE-AS",
    r"\s*add\s+.{0,300}\b(?:remote\.address|remote-address)=[0-9A-Fa-f.:]{2,45}.{0,200}\b(?:remote\.as|remote-as|\.as)=\d",
)
ASKS = (
    Ask(
        command="/routing/bgp/session/print",
        where="router",
        privilege="router",
        gives="which nodes the MikroTik router (v7) has a BGP session with, and why one ended",
    ),
    Ask(
        command="/routing bgp peer print status",
        where="router",
        privilege="router",
        gives="which nodes the MikroTik router (v6) has a BGP session with",
    ),
)

# fmt: off
_SETTINGS = (
    "remote.address", "remote.as", "remote.port", "as", "local.role", "local.address", "local.port", "listen",
    "connect", "multihop", "disabled", "input.filter", "output.filter-chain", "output.network", "output.redistribute",
    "output.default-originate", "nexthop-choice", "tcp-md5-key", "templates", "remote-address", "remote-as",
    "in-filter", "out-filter", "passive", "ttl", "max-prefix-limit", "update-source", "routing-table", "vrf", "afi",
    "address-families", "as-override", "router-id",
)
# fmt: on


def read(capture: Capture) -> Reading:
    """The sessions and the configured peers of a RouterOS router."""
    found, unread = records(capture.lines, "name")
    facts: list[AnyFact] = []
    lost = set(unread)
    sessions = 0
    for record in found:
        values = record.values()
        fresh = list(_facts(capture, record, values))
        sessions += any(isinstance(fact, BgpSession) for fact in fresh)
        facts.extend(fresh)
        if not fresh and not ("name" in values or "as" in values):
            lost.update(range(record.start, record.end))
    rows = [fact for index in sorted(lost) if (fact := _row(capture, index))]
    lost -= {fact.origin.first - capture.first for fact in rows}
    facts.extend(rows)
    listing = _listing(capture, sessions + len(rows), lost)
    if listing is not None:
        facts.append(listing)
    return Reading(facts=tuple(facts), unread=spans(lost))


def _facts(capture: Capture, record: Record, values: dict[str, str]) -> Iterator[AnyFact]:
    """One record is a v6 peer (its settings and, in a print, its state), a v7 session or a v7 connection."""
    peer = values.get("remote.address") or values.get("remote-address")
    if not peer:
        return
    printed = "/connection" not in capture.command and "connection print" not in capture.command
    live = values.keys() & {
        "state",
        "uptime",
        "remote.messages",
        "remote.capabilities",
        "input.procid",
        "output.procid",
    }
    listed = "remote-address" in values and (record.number is not None or record.flags)
    if printed and (live or "E" in record.flags or listed):
        yield _session(capture, record, values)
    if not live or "remote-address" in values:
        yield from _settings(capture, record, values)


def _session(capture: Capture, record: Record, values: dict[str, str]) -> BgpSession:
    state = "Established" if "E" in record.flags else session_state(values.get("state", ""))
    if "X" in record.flags or values.get("disabled") == "yes":
        state = "Down"
    if not state and any(map(is_header, capture.lines[: record.start])):
        state = "Not established"  # v7 names no state beside the flag E: it may be any of the others
    error = values.get("remote.last-notification") or values.get("last-notification") or values.get("last-stopped", "")
    peer = (values.get("remote.address") or values.get("remote-address") or "").partition("/")[0]
    counted = values.get("prefix-count")
    return BgpSession(
        origin=capture.origin(record.start, record.end),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        peer=canonical_address(peer) or "",
        state=state,
        name=values.get("name", ""),
        error="" if state == "Established" else error,
        peer_as=number(values.get("remote.as") or values.get("remote-as")),
        local_as=number(values.get("local.as")),
        local_address=canonical_address(values.get("local.address") or values.get("local-address") or "") or "",
        prefixes_received=number(counted) if state == "Established" else None,
        uptime=values.get("uptime", ""),
    )


def _settings(capture: Capture, record: Record, values: dict[str, str]) -> Iterator[Setting]:
    """The keys of a connection or peer that decide whether and with whom a session comes up."""
    if "X" in record.flags:
        values = values | {"disabled": "yes"}
    menu = "peer" if "remote-address" in values else "connection"
    name = values.get("name") or values.get("remote.address") or values.get("remote-address", "")
    for key in _SETTINGS:
        value = values.get(key, "")
        if value or (key == "tcp-md5-key" and key in values):  # none is worth knowing
            yield Setting(
                origin=capture.origin(record.start, record.end),
                trust=capture.trust,
                taken=capture.taken,
                subject=capture.host or "router",
                attribute=f"bgp.{menu}.{name}.{key}",
                value=("set" if value else "none") if key == "tcp-md5-key" else value,
            )


def _row(capture: Capture, index: int) -> BgpSession | None:
    """A row of v6's short table: ` 0 E default    192.0.2.43       64500`."""
    line = capture.lines[index]
    if len(line) > LONGEST:
        return None
    match = re.match(
        r"\s*\d{1,6}\s+([EX]{0,2})\s+(?:([\w.-]{1,60})\s+){1,2}([0-9A-Fa-f.:]{2,45})\s+(\d{1,10})\s*$", line
    )
    peer = canonical_address(match[3]) if match else None
    if match is None or peer is None:
        return None
    return BgpSession(
        origin=capture.origin(index, index + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        peer=peer,
        state="Established" if "E" in match[1] else "Down" if "X" in match[1] else "",
        peer_as=int(match[4]),
    )


def _listing(capture: Capture, sessions: int, lost: set[int]) -> BgpListing | None:
    """v7 lists in `session` only what is connected or trying: together with the command that closes the scope."""
    command = capture.command
    lines = readable(capture.lines)
    headers = [index for index, line in enumerate(lines) if is_header(line)]
    menu = re.search(r"bgp[ /](?:peer|session)[ /]print", command)
    if not (sessions and headers) and not menu:
        return None
    last = max((index for index, line in enumerate(lines) if not is_furniture(line) and index not in lost), default=0)
    kept = whole(capture.lines, lost, 0, last + 1 if sessions else len(lines)) and not any(map(is_cut, lines))
    return BgpListing(
        origin=capture.origin(headers[0] if headers else 0, last + 1),
        trust=capture.trust,
        taken=capture.taken,
        device=capture.host or "router",
        complete=bool(menu) and bool(headers or sessions) and kept and not where_clause(command),
    )
