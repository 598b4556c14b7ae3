"""Statements about routes and links, as the facts that a listing would give.

A person says `route.198.51.100.7/32: present` or `next hops of 10.0.0.0/26: [a, b]` of a router, `ip route default` or
`interface eth1 mtu` of a node. What a subject, an attribute and a value of this vocabulary mean does not depend on who
says it, so probes and faults read them like the program's own output, with the trust of a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.routers import named_router
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.fact import AnyFact, Interface, InterfaceAddress, NextHop, Route, RouteListing, Setting

EVERY_NODE = "*"  # a next hop that stands for all nodes
_V4 = r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?"
_V6 = r"[0-9a-fA-F:]{3,39}:[0-9a-fA-F:]{0,20}(?:/\d{1,3})?"
_PREFIX = rf"(?<![\w:])(?<!\d\.)({_V4}|{_V6})(?![\w:]|\.\d)"
_ABSENT = r"(?:absent|missing|none|no|false|not (?:present|there|installed|known)|unreachable|empty|null)\b"
# Words that make the statement one about another state or time.
_ELSEWHEN = r"\b(?:while|when|if|after|before|during|until|earlier|once|unless)\b"
_DEFAULT = (
    r"(?:ip |kernel |bird )?(?:route[s .]*)?default(?:[ .-]?(?:route|gateway|gw))?|(?:default[ .-])?(?:gateway|gw)"
)


def said(facts: Iterable[AnyFact]) -> tuple[AnyFact, ...]:
    """What the Settings among `facts` say of routes, links and interface addresses."""
    found: list[AnyFact] = []
    hops: dict[tuple[str, str], list[Setting]] = {}
    for fact in facts:
        if not isinstance(fact, Setting) or re.search(_ELSEWHEN, fact.attribute):
            continue
        attribute = fact.attribute.lower()
        if re.search(r"next[ ._-]?hop", attribute) and _device(fact) and _prefix(fact):
            hops.setdefault((fact.subject, fact.attribute), []).append(fact)
        elif re.search(r"\broutes?\b", attribute) and _device(fact) and _prefix(fact):
            found.append(_route(fact))
        elif _device(fact) and re.fullmatch(_DEFAULT, attribute):
            found += _default(fact)
        else:
            found += _link(fact)
    # How many there are says nothing of which.
    found += [_next_hops(group) for group in hops.values() if not all(str(f.value).isdecimal() for f in group)]
    return tuple(found)


def _device(fact: Setting) -> str:
    """The device of a route: a router, a peer (which is one), a node."""
    kind = fact.subject.partition("/")[0]
    if kind == "router":
        return named_router(fact)
    if kind in {"peer", "switch", "gateway"}:
        return "router"
    return fact.subject if kind == "node" and "*" not in fact.subject else ""


def _prefix(fact: Setting) -> str:
    match = re.search(_PREFIX, fact.attribute)
    return (canonical_prefix(match[1]) or "") if match else ""


def _table(attribute: str) -> str:
    lowered = attribute.lower()
    return "bird" if "bird" in lowered else "bgp" if "bgp" in lowered else "main"


def _route(fact: Setting) -> Route | RouteListing:
    value, prefix = str(fact.value).strip(), _prefix(fact)
    device, table = _device(fact), _table(fact.attribute)
    if fact.value is None or re.match(_ABSENT, value.lower()):
        return RouteListing(
            origin=fact.origin, trust=fact.trust, given=fact.given, device=device, prefix=prefix, complete=True
        )
    inactive = re.search(r"\b(?:inactive|not (?:active|used|selected|best|installed)|unused|hidden)\b", value.lower())
    static = "static" in f"{fact.attribute} {value}".lower()
    return Route(
        origin=fact.origin,
        trust=fact.trust,
        given=fact.given,
        device=device,
        prefix=prefix,
        next_hops=_via(value),
        protocol="static" if static else "bgp" if table in {"bgp", "bird"} else "unknown",
        active=False if inactive else True if _via(value) else None,
        table=table,
        paraphrased=True,
    )


def _via(value: str) -> tuple[NextHop, ...]:
    if re.search(r"\b(?:all|every|each) (?:of )?(?:the )?(?:nodes?|workers?|hosts?|members?)\b", value.lower()):
        return (NextHop(via=EVERY_NODE),)
    found = [canonical_address(m) or "" for m in re.findall(_PREFIX, value)]
    return tuple(NextHop(via=address) for address in dict.fromkeys(found) if address)


def _next_hops(group: list[Setting]) -> Route:
    """One route from the list of its next hops; `active` or `used` in the attribute says that they are in use."""
    first = group[0]
    hops: list[NextHop] = []
    for fact in group:
        value = str(fact.value).strip()
        if found := _via(value):
            hops += found
        elif re.fullmatch(r"(?:node/)?[\w-][\w.-]{0,62}", value) and not value.isdecimal():
            hops.append(NextHop(via=value.removeprefix("node/")))
    used = re.search(r"\b(?:active|used|best|installed|chosen|selected)\b", first.attribute.lower())
    return Route(
        origin=first.origin,
        trust=first.trust,
        given=first.given,
        device=_device(first),
        prefix=_prefix(first),
        next_hops=tuple(hops),
        protocol="bgp",
        active=True if used else None,
        table=_table(first.attribute),
        paraphrased=True,
    )


def _default(fact: Setting) -> list[AnyFact]:
    """A node's default route; of a client or router it says nothing about the way back."""
    value = str(fact.value).strip().lower()
    if not fact.subject.startswith("node/"):
        return []
    common = {"origin": fact.origin, "trust": fact.trust, "given": fact.given}
    if fact.value is None or re.match(_ABSENT, value):
        return [RouteListing(device=fact.subject, prefix="0.0.0.0/0", complete=True, **common)]  # type: ignore[arg-type]
    hops = _via(value)
    if not hops:
        return []
    return [
        Route(device=fact.subject, prefix="0.0.0.0/0", next_hops=hops, active=True, paraphrased=True, **common)  # type: ignore[arg-type]
    ]


def _link(fact: Setting) -> list[AnyFact]:
    kind = fact.subject.partition("/")[0]
    if kind not in {"node", "router", "client"}:
        return []
    common = {"origin": fact.origin, "trust": fact.trust, "given": fact.given, "device": fact.subject}
    named = re.fullmatch(
        r"(?:interface|link|nic|dev(?:ice)?)[ ./]([\w@.:-]{1,20}?)[ .](mtu|addr(?:ess(?:es)?)?|ip)", fact.attribute
    )
    plain = re.fullmatch(r"mtu(?: of)?(?:[ .]([\w@.:-]{1,20}))?", fact.attribute)
    number = re.match(r"(\d{3,5})\b", str(fact.value))
    if number and (plain or (named and named[2] == "mtu")):
        name = (plain[1] if plain else named[1] if named else "") or ""
        return [Interface(name=name, mtu=int(number[1]), **common)]  # type: ignore[arg-type]
    if named and named[2] != "mtu":
        address, _, length = str(fact.value).partition("/")
        if canonical := canonical_address(address):
            size = int(length) if length.isdecimal() else -1
            return [InterfaceAddress(interface=named[1], address=canonical, prefix_length=size, **common)]  # type: ignore[arg-type]
    return []
