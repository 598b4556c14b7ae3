"""What a change does to every service and entry node: each walked in every likely world, before and after.

The worlds are those that the evidence makes likely before the change; what was observed then speaks of no world after
it. A world after the change is the changed network with the same unknowns settled the same way and the same faults in
it, as far as the change leaves room for them; a doubt that the change itself raises (two AS numbers that no longer
agree) is walked both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubereach.advise.next_probe import candidates
from kubereach.advise.outcome import Ended, Ending, Sent, Settling, ending, outcome
from kubereach.diagnose.catalogue import all_suspects, fault_module
from kubereach.diagnose.fault import Presence, Suspect
from kubereach.diagnose.hypothesis import Hypothesis
from kubereach.diagnose.observe import Group, probe
from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_packet
from kubereach.model.address import contains
from kubereach.model.attribute import (
    ADDRESSES,
    AGENT_DOWN,
    CLUSTER_AS,
    CLUSTER_IP,
    DATAPATH_BROKEN,
    ENDPOINTS,
    HEALTH_PORT,
    LB_CIDRS,
    NODE_PORTS,
    PEERS,
    POLICY,
    PORTS,
    PREFERRED,
    PROXY_DOWN,
    SESSION_FAULT,
    Key,
    ServicePort,
)
from kubereach.model.fact import BgpSession
from kubereach.model.network import Network
from kubereach.model.what_if import Effect, Outcome, Result, Row
from kubereach.simulate.walk import Packet
from kubereach.simulate.world import Changes, Shared, World

CONSIDERED_MASS = 0.98
CONSIDERED = 40  # likeliest hypotheses that are walked
MOST_PORTS = 8
DOUBTED = 0.1  # faults that a change makes this probable are walked with and without
MOST_DOUBTS = 2
# What tells services apart without deciding what becomes of their packets.
_NAMES = frozenset(a.name for a in (ADDRESSES, ENDPOINTS, CLUSTER_IP, NODE_PORTS, HEALTH_PORT, PORTS))


Shares = tuple[tuple[float, World, tuple[str, ...]], ...]  # with the commands that would tell them apart


class Sides(Struct, frozen=True):
    """Each likely hypothesis with its world before and after the change."""

    hypotheses: tuple[Hypothesis, ...]
    before: tuple[World, ...]
    after: tuple[Shares, ...]


def consequences(
    ranking: Ranking, network: Network, changed: Network, down: tuple[str, ...], groups: tuple[Group, ...]
) -> tuple[Row, tuple[Row, ...]]:
    """The diagnosed flow's row, and the rows of every service address, as routed and via each node."""
    sides = _sides(ranking, network, changed)
    settle = Settling(candidates(network, groups))

    def row(sent: Sent, alike: tuple[str, ...], residual: float) -> Row:
        was = [(h, h.weight, ending(w, sent, _unchanged)) for h, w in zip(sides.hypotheses, sides.before, strict=True)]
        now = [
            (h, h.weight * share, _ended(world, sent, down, commands))
            for h, shares in zip(sides.hypotheses, sides.after, strict=True)
            for share, world, commands in shares
        ]
        before, after = outcome(was, residual, settle), outcome(now, residual, settle)
        return Row(
            service=sent.service.removeprefix("service/"),
            address=sent.packet.address,
            ports=() if sent.packet.port is None else (sent.packet.port,),
            protocol=sent.packet.protocol,
            source=sent.packet.source,
            via=(sent.via,) if sent.via else (),
            alike=tuple(s.removeprefix("service/") for s in alike),
            effect=effect(before, after, was, now),
            before=before,
            after=after,
        )

    mine = Sent(network.flow.service, service_packet(sides.before[0]))
    flow = row(mine, (), ranking.residual)
    rows = [row(sent, alike, 0.0) for sent, alike in _sendings(sides, network, changed)]
    return flow, tuple(_merged(rows))


def _ended(world: World, sent: Sent, down: tuple[str, ...], commands: tuple[str, ...]) -> Ending:
    if sent.via in down:
        return Ending(Result.FAILS, f"{sent.via.removeprefix('node/')} is down")
    found = ending(world, sent, _Without(down, sent.service))
    return replace(found, open_for=(*found.open_for, *commands))


def effect(before: Outcome, after: Outcome, was: Sequence[Ended], now: Sequence[Ended]) -> Effect:
    """What the change does; where a side is open, it is open unless every world ends as it did before."""
    if Result.UNKNOWN in {before.result, after.result}:
        same = before == after and [e for _, _, e in was] == [e for _, _, e in now]
        return Effect.SAME if same else Effect.OPEN
    order = (Result.FAILS, Result.PARTLY, Result.WORKS)
    step = order.index(after.result) - order.index(before.result)
    return Effect.CLEARED if step > 0 else Effect.BREAKS if step < 0 else Effect.SAME


def _unchanged(world: World) -> World:
    return world


class _Without(Struct, frozen=True):
    """Takes nodes away: agent and proxy stop, nothing passes, pods there are ready no more."""

    down: tuple[str, ...]
    service: str  # the one that is asked for: no other's pods decide its fate

    def __call__(self, world: World) -> World:
        if not self.down:
            return world
        changes: dict[Key, object] = {}
        for node in self.down:
            changes |= {leaf.of(node): True for leaf in (AGENT_DOWN, PROXY_DOWN, DATAPATH_BROKEN)}
        ends = world.get(self.service, ENDPOINTS)
        gone = tuple(replace(e, ready=e.ready and e.node not in self.down) for e in ends)
        if gone != ends:
            changes[ENDPOINTS.of(self.service)] = gone
        return world.changed(changes)


def _sides(ranking: Ranking, network: Network, changed: Network) -> Sides:
    likely = tuple(_likely(ranking.hypotheses or ranking.bases))
    settled = {
        key
        for key in {*network.settings, *changed.settings}
        if _value(network, key) != _value(changed, key) or (key in changed.settings) != (key in network.settings)
    }
    shared = Shared()
    after = tuple(_after(h, changed, settled, shared) for h in likely)
    return Sides(likely, tuple(h.world for h in likely), after)


def _likely(hypotheses: tuple[Hypothesis, ...]) -> Iterator[Hypothesis]:
    total, mass = sum(h.weight for h in hypotheses), 0.0
    for hypothesis in hypotheses[:CONSIDERED]:
        yield hypothesis
        mass += hypothesis.weight
        if mass >= CONSIDERED_MASS * total:
            return


def _value(network: Network, key: Key) -> object:
    seen = network.settings.get(key)
    return None if seen is None else seen.value


def _after(hypothesis: Hypothesis, changed: Network, settled: set[Key], shared: Shared) -> Shares:
    """The hypothesis's world on the changed network, and its share; several where the change raises doubts."""
    choice = {k: v for k, v in hypothesis.world.changes.items() if k == PREFERRED.of("router")}
    kept = {k: v for k, v in {**hypothesis.variant, **choice}.items() if k not in settled}
    world = World(changed, kept, shared)
    raised = _raised(World(hypothesis.world.network, hypothesis.variant), world)
    for suspect in hypothesis.assumed:
        module = fault_module(suspect.fault.code)
        found = next((s for s in module.suspects(world) if s.subject == suspect.subject), None)
        if found is None or found.presence is Presence.ABSENT or (suspect.because and not found.because):
            continue  # the change took away what it rested on
        changes = module.apply(world, found)
        world = world.changed({k: v for k, v in changes.items() if k not in settled})
    shares: list[tuple[float, World, tuple[str, ...]]] = [(1.0, world, ())]
    if _one_sided(hypothesis.world.network, changed):
        rejected = {SESSION_FAULT.of(node): "rejected" for node in changed.nodes}
        asks = tuple(o.command for o in probe("bgp_session").offers(changed) if o.where == "router")[:1]
        shares = [(0.5, world, asks), (0.5, world.changed(rejected), asks)]
    for suspect in raised:
        p = suspect.fault.prior if suspect.prior is None else suspect.prior
        shares = [
            part
            for share, one, asks in shares
            for part in ((share * (1 - p), one, asks), (share * p, one.changed(_applied(one, suspect)), asks))
        ]
    return tuple(shares)


def _one_sided(before: Network, after: Network) -> bool:
    """Whether one end's AS number changes, and nothing says what the other end expects (RFC 4271 section 6.2)."""
    keys = (CLUSTER_AS.of("cluster"), PEERS.of("cluster"))
    numbers = [
        (_value(n, keys[0]), tuple((p.address, p.asn) for p in n.seen("cluster", PEERS) or ())) for n in (before, after)
    ]
    expected = any(
        isinstance(f, BgpSession) and f.device in after.routers and f.peer_as is not None for f in after.observed
    )
    return numbers[0] != numbers[1] and not expected


def _raised(before: World, after: World) -> tuple[Suspect, ...]:
    """The faults that the change gives evidence for, the most doubtful first."""
    known = {s.key: s for s in all_suspects(before)}
    found = []
    for suspect in all_suspects(after):
        old = known.get(suspect.key)
        doubted = suspect.presence is Presence.UNKNOWN and suspect.because and not (old and old.because)
        if doubted and (suspect.prior or suspect.fault.prior) >= DOUBTED:
            found.append(suspect)
    return tuple(sorted(found, key=lambda s: (-(s.prior or s.fault.prior), s.key))[:MOST_DOUBTS])


def _applied(world: World, suspect: Suspect) -> Changes:
    return fault_module(suspect.fault.code).apply(world, suspect)


def _sendings(sides: Sides, network: Network, changed: Network) -> Iterator[tuple[Sent, tuple[str, ...]]]:
    """Every service, address and port, as routed and via each node; services of one fate are walked once."""
    first: dict[object, tuple[str, str]] = {}
    alike: dict[object, list[str]] = {}
    services = tuple(dict.fromkeys((*network.services, *changed.services)))
    for service in services:
        for address in _addresses(network, changed, service):
            fate: object = (_fate(sides.before[0], service, address), _fate(sides.after[0][0][1], service, address))
            if fate in first:
                alike[fate].append(service)
            else:
                first[fate], alike[fate] = (service, address), []
    nodes = tuple(dict.fromkeys((*network.nodes, *changed.nodes)))
    for fate, (service, address) in first.items():
        others = tuple(dict.fromkeys(s for s in alike[fate] if s != service))
        for port in _ports(sides, network, service):
            packet = Packet("client", address, port.port, port.protocol)
            for via in ("", *nodes):
                yield Sent(service, packet, via), others


def _addresses(network: Network, changed: Network, service: str) -> tuple[str, ...]:
    found = [a for n in (network, changed) for a in n.seen(service, ADDRESSES) or ()]
    if service == network.flow.service:
        found.append(network.flow.address)
    return tuple(dict.fromkeys(a for a in found if a))


def _ports(sides: Sides, network: Network, service: str) -> tuple[ServicePort, ...]:
    flow = network.flow
    ports = sides.before[0].get(service, PORTS) or (ServicePort(80),)
    if service == flow.service and flow.port and all(p.port != flow.port for p in ports):
        ports = (ServicePort(flow.port, flow.protocol), *ports)
    return ports[:MOST_PORTS]


def _fate(world: World, service: str, address: str) -> object:
    """What decides a service's fate; equal for services that are told apart by names and numbers alone."""
    network = world.network
    seen = {(k[1], str(s.value)) for k, s in network.settings.items() if k[0] == service and k[1] not in _NAMES}
    ends = network.seen(service, ENDPOINTS)
    where = None if ends is None else frozenset((e.node, e.ready) for e in ends)
    ranges = tuple(r for r in world.get("cluster", LB_CIDRS) if contains(r, address))
    given = address in (network.seen(service, ADDRESSES) or (address,))
    mine = service if service == network.flow.service else ""
    ports = tuple((p.port, p.protocol) for p in network.seen(service, PORTS) or ())
    owner, policy = network.owners.get(address, ""), network.seen(service, POLICY)
    return (frozenset(seen), where, ranges, given, mine, ports, owner, policy)


def _merged(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that differ in the port or the node alone, as one."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        key = (row.service, row.address, row.protocol, bool(row.via), row.effect, row.before, row.after, row.alike)
        groups.setdefault(key, []).append(row)
    for found in groups.values():
        ports = tuple(dict.fromkeys(p for row in found for p in row.ports))
        yield replace(found[0], ports=ports, via=tuple(dict.fromkeys(v for row in found for v in row.via)))
