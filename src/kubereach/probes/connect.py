"""A TCP or HTTP connection to the service's own port: curl, nc, nmap on that port, a browser.

Answers: reply (data came), error (an HTTP error status), nameless (a status that a server also gives to a request which
names none of its hosts, or nobody), timeout, refused, unreachable, intermittent, slow,
resets, mixed (it worked and it failed, and nobody says that it comes and goes), broken-off (new connections work, and
another test's open one is reset).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.model.attribute import (
    ADDRESS,
    ANNOUNCER,
    CLIENT_ONLINK,
    CLIENT_ROUTE_WRONG,
    MISREAD,
    NAME_ELSEWHERE,
    PORTS,
    ROUTED,
    SHARED_LAN,
    STALE_NEIGHBOUR,
)
from kubereach.model.fact import Outcome, ProbeKind, ProbeResult, Trust
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.walk import WORKS, Branch, Fate, Packet, Walk, walk
from kubereach.simulate.world import World

KIND = "connect"
BACKGROUND: Distribution = {
    "reply": 0.29,
    "timeout": 0.33,
    "refused": 0.12,
    "unreachable": 0.08,
    "intermittent": 0.08,
    "error": 0.03,
    "nameless": 0.03,
    "slow": 0.02,
    "resets": 0.02,
    "mixed": 0.03,
    "broken-off": 0.01,
}
# What each fate looks like to a client that wants data, and to one that only wants the handshake.
_DATA: dict[Fate, Distribution] = {
    Fate.DELIVERED: {"reply": 0.9, "timeout": 0.02, "error": 0.02, "nameless": 0.06},
    Fate.ERROR: {"error": 0.6, "nameless": 0.22, "reply": 0.09, "resets": 0.09},
    Fate.HOST: {"reply": 0.3, "refused": 0.6, "timeout": 0.1},
    Fate.REFUSED: {"refused": 0.9, "unreachable": 0.04, "timeout": 0.06},
    # BSD and macOS turn the ICMP codes of filters into a refused connection (netinet inetctlerrmap).
    Fate.UNREACHABLE: {"unreachable": 0.75, "refused": 0.15, "timeout": 0.1},
    # The kernel asks three times, a second each; who waits less sees a time-out (Linux arp(7), mcast_solicit).
    Fate.NO_NEIGHBOUR: {"unreachable": 0.5, "timeout": 0.5},
    Fate.NO_ROUTE: {"unreachable": 0.3, "timeout": 0.7},
    # Linux takes ICMP time exceeded for no route to host and gives up at once (tcp_ipv4.c tcp_v4_err); BSD goes on.
    Fate.LOOPS: {"unreachable": 0.55, "timeout": 0.45},
    Fate.LOST: {"timeout": 0.97, "unreachable": 0.02, "refused": 0.01},
    Fate.STALLS: {"timeout": 0.53, "intermittent": 0.14, "mixed": 0.1, "slow": 0.11, "resets": 0.1, "reply": 0.02},
    Fate.PARTIAL: {"timeout": 0.36, "mixed": 0.4, "intermittent": 0.06, "reply": 0.1, "slow": 0.06, "resets": 0.02},
    Fate.SOMETIMES: {"intermittent": 0.35, "mixed": 0.15, "timeout": 0.17, "resets": 0.13, "slow": 0.12, "reply": 0.08},
    Fate.MOVED: {"broken-off": 0.35, "resets": 0.25, "intermittent": 0.2, "mixed": 0.05, "reply": 0.1, "timeout": 0.05},
    # Answers come after 1, 3, 7 or 63 seconds, or never: few wait so long.
    Fate.SLOW: {"slow": 0.25, "timeout": 0.6, "mixed": 0.08, "intermittent": 0.07},
    Fate.INSUFFICIENT: BACKGROUND,
}
# A test from inside whose outcome has nothing to do with the way from outside.
_SHORT_CIRCUITED: Distribution = {"timeout": 0.55, "refused": 0.2, "unreachable": 0.1, "reply": 0.15}
SHORT, KNOWN_WHY = 0.4, 0.1  # how often one fails that nothing explains, and one that the model explains anyway
_HANDSHAKE: dict[Fate, Distribution] = {
    **_DATA,
    Fate.STALLS: {"reply": 0.85, "timeout": 0.05, "intermittent": 0.1},
    Fate.PARTIAL: {"reply": 0.86, "mixed": 0.07, "intermittent": 0.04, "timeout": 0.03},
    Fate.ERROR: {"reply": 1.0},
    # What hits connections that are open for a while lets most new ones pass.
    Fate.SOMETIMES: {"reply": 0.72, "intermittent": 0.12, "mixed": 0.06, "timeout": 0.07, "slow": 0.03},
    Fate.MOVED: {"reply": 0.86, "intermittent": 0.06, "mixed": 0.03, "timeout": 0.03, "resets": 0.02},
}

# What an ingress says to a request for an address, which names no host of its rules, and an API to a stranger.
_OF_ANOTHER_NAME = frozenset({401, 403, 404, 405, 421})

_DATA_ANSWERS: dict[Outcome, frozenset[str]] = {
    Outcome.REPLY: frozenset({"reply"}),
    Outcome.OPEN: frozenset({"reply", "error", "nameless"}),
    Outcome.TIMEOUT: frozenset({"timeout"}),
    Outcome.REFUSED: frozenset({"refused"}),
    Outcome.CLOSED: frozenset({"refused"}),
    Outcome.UNREACHABLE: frozenset({"unreachable"}),
    # nmap calls silence and ICMP errors alike filtered (nmap's port scanning chapter; iptables REJECT is 3/3).
    Outcome.FILTERED: frozenset({"timeout", "unreachable"}),
    Outcome.INTERMITTENT: frozenset({"intermittent"}),
    Outcome.SLOW: frozenset({"slow"}),
    Outcome.RESETS: frozenset({"resets"}),
    Outcome.FAILED: frozenset({"timeout", "unreachable", "refused"}),
}


def sightings(network: Network) -> Iterable[Sighting]:
    """Every connection attempt to the target's own port; one that both works and fails comes and goes."""
    found = list(_attempts(network))
    mixture: list[Sighting] = []
    for question in dict.fromkeys(s.question for s in found):
        mine = [s for s in found if s.question == question]
        good = [s for s in mine if s.answers & {"reply", "nameless"} and s.answers <= _OPEN]
        bad = [s for s in mine if s.answers <= _FAILING]
        if question.about == ("handshake",):  # data that came needed a handshake as well
            good += [s for s in found if s.question == Question(KIND, question.where, ("data",)) and s.answers == _GOOD]
        if question.where == "client" and good and bad:
            # One test, made again in one capture, comes and goes; of two tests nobody says how they differ.
            commands = {_command(s) for s in (*good, *bad)}
            once = good[0].trust is Trust.OUTPUT and commands == {_command(good[0])}
            reset = question.about == ("data",) and all(s.answers == frozenset({"resets"}) for s in bad)
            mixture.append(
                Sighting(
                    question=question,
                    answers=frozenset({"intermittent"}) if once else _BROKEN_OFF if reset else _MIXED,
                    origins=tuple(dict.fromkeys(o for s in (*good, *bad) for o in s.origins)),
                    trust=min(s.trust for s in (*good, *bad)),
                    says=f"{good[0].says}; and {bad[0].says}",
                )
            )
            found = [s for s in found if s not in good and s not in bad]
    yield from _once([*mixture, *found])


def _command(sighting: Sighting) -> str:
    return sighting.origins[0].command or "?"


_FAILING = frozenset({"timeout", "unreachable", "refused", "slow", "resets"})
_NO_HANDSHAKE = frozenset({"timeout", "unreachable", "refused"})
_GOOD = frozenset({"reply"})
_OPEN = frozenset({"reply", "nameless", "error"})
_MIXED = frozenset({"mixed", "intermittent"})
_BROKEN_OFF = frozenset({"broken-off"})


def _once(found: list[Sighting]) -> list[Sighting]:
    """Without those that another one from the same place implies, whose origins go to it: one step decides both.

    No handshake, no data; no data without a handshake; and nmap's `filtered` says less than netcat's time-out.
    """
    left, position = list(found), 0
    while position < len(left):
        one = left[position]
        better = next(
            (i for i, o in enumerate(left) if o is not one and o.trust >= one.trust and _implies(o, one)), None
        )
        if better is None:
            position += 1
            continue
        left[better] = replace(left[better], origins=tuple(dict.fromkeys((*left[better].origins, *one.origins))))
        del left[position]
    return left


def _implies(one: Sighting, other: Sighting) -> bool:
    if one.question.where != other.question.where or not one.answers <= other.answers:
        return False
    if one.question == other.question:
        return True
    if one.question.about == ("handshake",):
        return one.answers <= _NO_HANDSHAKE or one.answers <= _MIXED
    return one.answers == _GOOD


def _attempts(network: Network) -> Iterable[Sighting]:
    for fact in network.observed:
        if not isinstance(fact, ProbeResult) or fact.probe not in {ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP}:
            continue
        if fact.target != network.flow.address or not _served(network, fact.port) or many_ports(fact):
            continue
        if answers := answers_of(fact):
            style = "data" if fact.probe is ProbeKind.HTTP else "handshake"
            port = f":{fact.port}" if fact.port else ""
            yield Sighting(
                question=Question(KIND, vantage(fact.source), (style,)),
                answers=answers,
                origins=(fact.origin,),
                trust=fact.trust,
                says=f"{fact.probe.value} to {fact.target or 'the service'}{port}: {fact.outcome.value}"
                + (f" ({fact.reason})" if fact.reason else ""),
            )


def answers_of(fact: ProbeResult) -> frozenset[str]:
    """What a connection's outcome may be in this probe's words, by status and reason where the tool gives them."""
    reason = fact.reason.lower()
    if fact.http_status in _OF_ANOTHER_NAME and fact.probe is ProbeKind.HTTP and not fact.target_name:
        return frozenset({"nameless"})
    if fact.http_status is not None and fact.http_status >= 400:
        return frozenset({"error"})
    if fact.outcome is Outcome.OPEN and re.search(r"\b(?:ssl|tls|certificate|handshake|http/0\.9)\b", reason):
        return frozenset({"error"})
    if re.search(r"port-unreach|port unreach", reason):
        return frozenset({"refused"})
    if re.search(r"prohibited|no route to host|host.?unreach|admin|time to live|ttl exceeded", reason):
        return frozenset({"unreachable"})
    if fact.outcome is Outcome.FILTERED and re.search(r"no.?response", reason):
        return frozenset({"timeout"})
    return _DATA_ANSWERS.get(fact.outcome, frozenset())


def table_of(style: str) -> dict[Fate, Distribution]:
    """What each fate looks like to a client that wants data, or only the handshake."""
    return _HANDSHAKE if style == "handshake" else _DATA


def many_ports(fact: ProbeResult) -> bool:
    """Whether the result stands for the ports that a scan does not list one by one (`Not shown: 997 …`)."""
    return fact.port is None and fact.trust is Trust.OUTPUT and fact.outcome in {Outcome.CLOSED, Outcome.FILTERED}


def _served(network: Network, port: int | None) -> bool:
    ports = network.seen(network.flow.service, PORTS)
    if network.flow.address in network.owners and port == network.flow.port:
        return True  # a node's own address: the port that was tried is a node port
    return port is None or (port == network.flow.port if ports is None else any(p.port == port for p in ports))


def vantage(source: str) -> str:
    """The subject that a probe was made from: a host of the cluster, the router, or the client."""
    return source if source.startswith(("node/", "pod/", "router", "elsewhere")) else "client"


def predict(world: World, question: Question) -> Distribution | None:
    """From the walk's branches."""
    flow = world.network.flow
    if question.where == "router":
        return None
    if question.where.startswith("elsewhere"):
        return _from_elsewhere(world, question)
    found = walk(world, flow.service, Packet(question.where, flow.address, flow.port or _any_port(world)))
    expected = of_walk(found, table_of(str(question.about[0])))
    if question.where.startswith(("node/", "pod/")) and world.get("client", MISREAD) == "same-node":
        known = found.share(*WORKS) < 0.5  # the model itself says why this one fails
        share = KNOWN_WHY if known else SHORT
        return mixed([(1 - share, expected), (share, _SHORT_CIRCUITED)])
    return expected


def _from_elsewhere(world: World, question: Question) -> Distribution:
    """Another client, behind the router or on the segment, of which nothing else is known.

    What is wrong with the first one's own way is not wrong with its.
    """
    flow = world.network.flow
    own = {leaf.of("client"): False for leaf in (CLIENT_ONLINK, CLIENT_ROUTE_WRONG, NAME_ELSEWHERE, SHARED_LAN)}
    onlink = question.where == "elsewhere/segment" and world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp"))
    own[SHARED_LAN.of("client")] = onlink
    if onlink:
        own[STALE_NEIGHBOUR.of("router")] = False  # a host of the segment asks for itself
    other = world.changed({**own, ROUTED.of("client"): not onlink, ADDRESS.of("client"): ""})
    found = walk(other, flow.service, Packet("client", flow.address, flow.port or _any_port(other)))
    world.reads |= other.reads
    return of_walk(found, _HANDSHAKE if question.about == ("handshake",) else _DATA)


def _any_port(world: World) -> int:
    """The service's first port, where the flow names none."""
    ports = world.get(world.network.flow.service, PORTS)
    return ports[0].port if ports else 80


def of_walk(found: Walk, table: dict[Fate, Distribution]) -> Distribution:
    """A walk's outcome: branches that exist side by side, and differ, come and go.

    One that breaks now and then differs from no other.
    """
    decided = 1 - found.share(Fate.SOMETIMES)
    good = found.share(*WORKS) / decided if decided > 0 else 0.0
    mixture = mixed((b.weight, table[b.fate]) for b in found.branches)
    if found.together and 0.02 < good < 0.98:
        return mixed([(0.56, {"intermittent": 1.0}), (0.15, {"mixed": 1.0}), (0.04, {"resets": 1.0}), (0.25, mixture)])
    return mixture


def offers(network: Network) -> Iterable[Offer]:
    """The connection itself, from outside and from a node with the pod."""
    flow = network.flow
    target = f"{flow.address}:{flow.port or 80}" if ":" not in flow.address else f"[{flow.address}]:{flow.port or 80}"
    words = {
        "reply": "an answer",
        "timeout": "silence until the time-out",
        "refused": "refused at once",
        "unreachable": "no route to host",
        "error": "an HTTP error status",
    }
    if flow.address:
        yield Offer(
            question=Question(KIND, "client", ("data",)),
            where="client",
            command=f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}\\n' http://{target}/",
            cost=15,
            words=words,
        )


def means(world: World, question: Question) -> str:
    """Where and how the packet ends in that world."""
    flow = world.network.flow
    found = walk(world, flow.service, Packet(question.where, flow.address, flow.port or _any_port(world)))
    return "; ".join(dict.fromkeys(_end(b) for b in found.branches))


def _end(branch: Branch) -> str:
    if branch.fate in WORKS or not branch.at:
        return branch.why
    return f"{branch.fate.value} at {branch.at.removeprefix('node/')}: {branch.why}"
