"""The walk as the report shows it: in the likeliest world, each step with what it rests on."""

from __future__ import annotations

from kubereach.diagnose.rank import Ranking
from kubereach.diagnose.roles import service_packet, service_walk
from kubereach.model.attribute import Key
from kubereach.model.diagnosis import WalkReport, WalkStep
from kubereach.model.origin import Origin
from kubereach.simulate.walk import Branch, Fate, Step
from kubereach.simulate.world import World

UNSURE = 0.5


def reported_walk(ranking: Ranking) -> WalkReport:
    """The heaviest failing branch (or the heaviest at all) of the likeliest world, forward and back."""
    if not ranking.hypotheses:
        return WalkReport()
    top = ranking.hypotheses[0]
    branches = service_walk(top.world).branches
    branch = max(branches, key=lambda b: (b.fate is not Fate.DELIVERED, b.weight))
    packet = service_packet(top.world)
    flow = f"{packet.protocol} {top.world.network.flow.client or 'client'} > {packet.address}:{packet.port}"
    forward = tuple(_step(top.world, s, flow) for s in branch.forward)
    return WalkReport(
        forward=(*forward, _end(branch, "forward")), return_=tuple(_step(top.world, s, "") for s in branch.back)
    )


def _step(world: World, step: Step, flow: str) -> WalkStep:
    origins = [o.label() for key in step.keys for o in _seen(world, key)]
    unseen = [key for key in step.keys if key not in world.network.settings]
    return WalkStep(
        kind=step.kind,
        device=step.device,
        says=step.says,
        before=flow,
        after=step.after,
        basis="assumed" if unseen else "derived",
        origins=tuple(dict.fromkeys(origins)),
    )


def _seen(world: World, key: Key) -> tuple[Origin, ...]:
    leaf = world.network.settings.get(key)
    return leaf.origins if leaf else ()


def _end(branch: Branch, direction: str) -> WalkStep:
    return WalkStep(kind=f"end-{direction}", device=branch.at or "client", says=f"{branch.fate.value}: {branch.why}")
