"""Repairs: a fault taken out of the model, and the walk repeated for this flow and every other service."""

from __future__ import annotations

from kubereach.diagnose.catalogue import fault_module, removed
from kubereach.diagnose.explain import Blame
from kubereach.diagnose.fault import Suspect
from kubereach.diagnose.roles import service_walk
from kubereach.model.address import contains
from kubereach.model.attribute import ADDRESSES, ENDPOINTS, LB_CIDRS, POLICY, PORTS, SOURCE_RANGES
from kubereach.model.diagnosis import Repair, Role
from kubereach.simulate.walk import Packet, Walk, walk, walk_via
from kubereach.simulate.world import World

MOST_ENTRIES = 8  # nodes by which every service is walked


def repairs(blame: Blame) -> tuple[Repair, ...]:
    """The way to take the blamed fault out, with what the second walk showed."""
    world = blame.held_in.world
    others = tuple(s for s in blame.held_in.assumed if s.key != blame.suspect.key)
    if blame.role is Role.LATENT:
        # It bites only once the others are gone, so that is where its repair has to prove itself.
        world, others = removed(world, others), ()
    plan = fault_module(blame.suspect.fault.code).repair(world, blame.suspect)
    return (
        proved(
            world,
            removed(world, (blame.suspect,)),
            Repair(
                summary=plan.summary,
                commands=plan.commands,
                side_effects=plan.side_effects,
                condition=plan.condition,
            ),
            others=others,
        ),
    )


def proved(before: World, after: World, repair: Repair, others: tuple[Suspect, ...] = ()) -> Repair:
    """The repair with `proved`, `clears` and `breaks` as the walks say; nothing else sets them.

    `others` are further faults of the same world: where the flow still fails, they are named as the condition.
    """
    flow = before.network.flow
    was, now = service_walk(before), service_walk(after)
    more, breaks = compared(before, after, most_entries=0)
    mine = f"{_flow_name(before, flow.service)} at {flow.address} from the client"
    clears = tuple(text for text in more if not text.startswith(mine))
    if now.works() and not was.works():
        clears = (f"{_flow_name(before, flow.service)} from the client", *clears)
    condition = repair.condition
    if not now.works() and others:
        freed = removed(after, others)
        if service_walk(freed).works():
            condition = " and ".join(
                filter(None, (condition, f"also {', '.join(s.fault.code for s in others)} is mended"))
            )
    effects = repair.side_effects
    if not now.works() and not was.works():
        effects = (*effects, "the flow still fails: " + "; ".join(dict.fromkeys(b.why for b in now.branches)))
    return Repair(
        summary=repair.summary,
        commands=repair.commands,
        proved=now.works() and not was.works(),
        clears=clears,
        breaks=breaks,
        side_effects=effects,
        condition=condition,
    )


def compared(before: World, after: World, most_entries: int = MOST_ENTRIES) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What works only after a change, and what no longer does: each service, as routed and by each entry node.

    Of services that share one fate, one is walked and stands for all.
    """
    clears: list[str] = []
    breaks: list[str] = []
    nodes = before.network.nodes[:most_entries]
    for (service, address), alike in _representatives(before).items():
        ports = before.get(service, PORTS)
        packet = Packet("client", address, ports[0].port if ports else 80)
        others = f" and {alike - 1} more like it" if alike > 1 else ""
        name = f"{_flow_name(before, service)} at {address}"
        step = _step(walk(before, service, packet), walk(after, service, packet))
        if step:
            (clears if step > 0 else breaks).append(f"{name} from the client{others}")
        steps = {n: _step(walk_via(before, service, packet, n), walk_via(after, service, packet, n)) for n in nodes}
        for told, sign in ((clears, 1), (breaks, -1)):
            entries = [node.removeprefix("node/") for node, step in steps.items() if step == sign]
            if entries:
                told.append(f"{name} for what enters at {' or '.join(entries)}{others}")
    return tuple(clears), tuple(breaks)


def _step(was: Walk, now: Walk) -> int:
    return now.works() - was.works()


def _representatives(world: World) -> dict[tuple[str, str], int]:
    """One service and address for each set of leaves that decide a service's fate, and how many have the same."""
    ranges = world.get("cluster", LB_CIDRS)
    first: dict[object, tuple[str, str]] = {}
    counted: dict[tuple[str, str], int] = {}
    for service in world.network.services:
        nodes = frozenset((e.node, e.ready) for e in world.network.seen(service, ENDPOINTS) or ())
        shown = world.network.seen(service, ENDPOINTS) is not None
        for address in world.get(service, ADDRESSES):
            if not address:
                continue
            covered = tuple(r for r in ranges if contains(r, address))
            mine = service if service == world.network.flow.service else ""
            policy, admitted = world.get(service, POLICY), world.get(service, SOURCE_RANGES)
            key = first.setdefault((policy, nodes, shown, admitted, covered, mine), (service, address))
            counted[key] = counted.get(key, 0) + 1
    return counted


def _flow_name(world: World, service: str) -> str:
    return service.removeprefix("service/") if service in world.network.services else "the flow"
