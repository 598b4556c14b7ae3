"""Probabilities, roles and owners in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.diagnosis import Cause, Owner, Role, Target

# Lower bounds, first match wins. The words follow the usual scale of likelihood statements (Mastrandrea et al. 2010,
# the IPCC's guidance note), with finer steps near one.
_LIKELIHOODS = (
    (0.99, "certain"),
    (0.95, "almost certain"),
    (0.80, "very likely"),
    (0.60, "likely"),
    (0.40, "about as likely as not"),
    (0.15, "possible"),
    (0.02, "unlikely"),
    (0.0, "very unlikely"),
)

ROLES = {
    Role.ROOT: "Root cause",
    Role.CONTRIBUTING: "Contributing",
    Role.LATENT: "Latent",
    Role.MISREAD: "Nothing broken, but misread",
}

OWNERS = {
    Owner.CLUSTER: "whoever runs the cluster",
    Owner.HOST: "whoever runs the hosts",
    Owner.NETWORK: "whoever runs the router or network",
    Owner.CLIENT: "the client's side",
    Owner.APPLICATION: "whoever owns the application",
}

PRIVILEGES = {
    "none": "no special rights",
    "exec": "needs kubectl exec",
    "root": "needs root",
    "router": "needs a login on the router",
}


def percent(probability: float) -> str:
    """`83%`; never 0% or 100% for what is neither impossible nor certain."""
    if 0 < probability < 0.01:
        return "<1%"
    if 0.99 < probability < 1:
        return ">99%"
    return f"{probability * 100:.0f}%"


def likelihood(probability: float) -> str:
    """`very likely, 83%`."""
    word = next((word for bound, word in _LIKELIHOODS if probability >= bound), "very unlikely")
    return f"{word}, {percent(probability)}"


def sentence(text: str) -> str:
    """`text` ending like a sentence."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:。！？" else f"{text}."


def qualified(text: str, qualification: str) -> str:
    """`text (qualification).`, with one full stop at the end."""
    return f"{text.strip().rstrip('.。')} ({qualification})."


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """`a, b and c`."""
    *head, last = list(words) or [""]
    return f"{', '.join(head)} {conjunction} {last}" if head else last


def endpoint(target: Target) -> str:
    """`203.0.113.1:80`, with the brackets of IPv6; "" when no address is known."""
    if target.address is None:
        return ""
    host = f"[{target.address}]" if ":" in target.address else target.address
    return host if target.port is None else f"{host}:{target.port}"


def flow(target: Target) -> str:
    """`192.0.2.111 to 203.0.113.1:80/TCP (service default/web)`, as far as it is known."""
    address = endpoint(target)
    named = f"{address}/{target.protocol}" if address and target.port is not None else address
    service = f"service {target.service}" if target.service else ""
    goal = f"{named} ({service})" if named and service else named or service
    if not goal:
        return "the evidence names neither a service nor an address" if not target.from_ else f"from {target.from_}"
    return f"{target.from_} to {goal}" if target.from_ else f"an unnamed client to {goal}"


def line_count(label: str) -> int:
    """How many lines the origin `post.txt:3-9` spans; 1 for what names no range."""
    found = re.search(r":(\d{1,9})-(\d{1,9})$", label)
    return max(int(found[2]) - int(found[1]) + 1, 1) if found else 1


def places(labels: Iterable[str]) -> str:
    """`post.txt:3, 9-12, ip-route.txt:1`: origins, with a source that repeats itself named once."""
    shown: list[str] = []
    source = ""
    for label in labels:
        found = re.fullmatch(r"(.*):(\d{1,9}(?:-\d{1,9})?)", label)
        if found and found[1] == source:
            shown.append(found[2])
            continue
        source = found[1] if found else ""
        shown.append(label)
    return ", ".join(shown)


def host(where: str, command: str) -> str:
    """Where a command is typed, in words: `node/w1` is "node w1", and a stand-in for a host nobody named is described.

    What kubectl runs in a node's pod is typed wherever kubectl is.
    """
    if command.startswith(("kubectl ", "cilium ")):
        return "any host with kubectl"
    kind, slash, name = where.partition("/")
    if not slash:
        return f"the {where}" if where in {"client", "router"} else where
    described = name.strip("()")
    if described == name:
        return f"{kind} {name}"
    return f"the {described}" if described.startswith("node ") else described


def count(number: int, noun: str) -> str:
    """`1 line`, `3 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def rivals(causes: Iterable[Cause]) -> list[Cause]:
    """The leading causes (roots and misreads) that the evidence does not separate well.

    The first leads; an alternative of it belongs to the headline when it is at least half as probable.
    """
    leading = [cause for cause in causes if cause.role in (Role.ROOT, Role.MISREAD)]
    if not leading:
        return []
    first = leading[0]
    close = [
        cause
        for cause in leading[1:]
        if cause.alternative_of == first.code and cause.probability >= first.probability / 2
    ]
    return [first, *close]
