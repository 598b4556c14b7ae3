"""What a person says a packet capture showed: a request that arrives at a node, or none, and whether it is answered.

"tcpdump on the node shows the SYN, but no reply" splits the way in two as well as the capture itself would. It is read
where the sentence names a node: a capture of an unnamed place shows nothing about where the packet got to.
"""

from __future__ import annotations

from msgspec import Struct

from kubereach.evidence import told_words as words
from kubereach.model.fact import NODES, SERVICE, AnyFact, Outcome, Packet, ProbeKind, ProbeResult, Trust
from kubereach.model.origin import Origin


class Seen(Struct, frozen=True):
    """Packets of a kind that were seen, or in vain waited for: `request`, `answer`, `arp-request`, `arp-reply`."""

    what: str
    there: bool
    place: str = ""


def captured(part: str, place: str, before: str) -> tuple[Seen, ...]:
    """What a part of a sentence says that a capture at `place` saw; `before` is the subject of the part before it."""
    subject = subject_of(part, place, before)
    if not subject:
        return ()
    if subject == "arp":
        return _arp(part, place)
    unanswered = words.UNANSWERED.search(part)
    rest = part[: unanswered.start()] + part[unanswered.end() :] if unanswered else part
    found = [Seen("answer", there=False, place=place)] if unanswered else []
    if answer := words.SYN_ACK.search(rest):
        found.append(Seen("answer", there=_affirmed(rest, answer.start()), place=place))
    elif request := words.REQUEST.search(rest):
        found.insert(0, Seen("request", there=_affirmed(rest, request.end()), place=place))
    return tuple(found)


def subject_of(part: str, place: str, before: str) -> str:
    """What the part says was seen on a wire: `arp` or `tcp`; "" when it speaks of no capture.

    `before` is the subject of the part before it, which this one may go on about without naming it.
    """
    arp = words.ARP.search(part) is not None
    request = words.REQUEST.search(part) is not None
    named = words.CAPTURE.search(part) is not None
    named = named or (place == NODES and words.ARRIVES.search(part) is not None and (request or arp))
    if not named and before:
        about = arp or request or words.UNANSWERED.search(part) or words.SYN_ACK.search(part)
        named = bool(about) and not words.CONNECTS.search(part)
    if not named:
        return ""
    return "arp" if arp or (before == "arp" and not request) else "tcp"


def _arp(part: str, place: str) -> tuple[Seen, ...]:
    replies = words.ARP_REPLY.search(part)
    asked = words.ARP_REQUEST.search(part)
    silent = words.UNANSWERED.search(part)
    found: list[Seen] = []
    if asked and not (silent and silent.start() < asked.start()):  # else it is what nobody answers
        found.append(Seen("arp-request", there=_affirmed(part, asked.start()), place=place))
    if replies or silent:
        there = silent is None and replies is not None and _affirmed(part, replies.start())
        found.append(Seen("arp-reply", there=there, place=place))
    return tuple(found)


def _affirmed(part: str, end: int) -> bool:
    return not (words.NOT_SO.search(part[:end]) or words.NOTHING.search(part[:end]))


def fact_of(seen: Seen, origin: Origin) -> AnyFact | None:
    """The fact that stands for what was seen; None where it depends on a place that is not told."""
    outcome = Outcome.SEEN if seen.there else Outcome.NOT_SEEN
    if seen.what == "arp-reply":  # answers go to the asker alone, wherever they are heard
        return ProbeResult(
            origin=origin,
            trust=Trust.MENTIONED,
            probe=ProbeKind.ARP,
            source="client",
            target="",
            outcome=Outcome.REPLY if seen.there else Outcome.TIMEOUT,
        )
    if seen.place != NODES:
        return None
    if seen.what == "arp-request" and seen.there:
        return Packet(origin=origin, trust=Trust.MENTIONED, device=NODES, what="arp-request", destination=SERVICE)
    return ProbeResult(
        origin=origin,
        trust=Trust.MENTIONED,
        probe=ProbeKind.CAPTURE,
        source=SERVICE if seen.what == "answer" else "",
        target="",
        outcome=outcome,
        protocol="ARP" if seen.what == "arp-request" else "TCP",
        at=NODES,
    )


def says(seen: Seen) -> str:
    """How a report puts it."""
    what = {"request": "a request for the service", "answer": "an answer of the service"}.get(seen.what, seen.what)
    where = "on a node" if seen.place == NODES else "in a capture"
    return f"{where}, {what.replace('-', ' ')}: {'seen' if seen.there else 'not seen'}"
