"""How many announcing agents (calico-node, speaker, cilium-agent) are not ready, and which.

Asked of the whole cluster: `0`, `1`, `2+`. Asked of one node: `ready`, `no-session` (its readiness probe says that BGP
is not established), `not-running`, `not-ready` for any reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import AGENT_DOWN, AGENT_NOT_READY, ANNOUNCER, L2_WRONG_INTERFACE, MESH
from kubereach.model.fact import ObjectListing, Trust
from kubereach.model.kube_object import KubeObject
from kubereach.model.network import Network
from kubereach.model.origin import Origin
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.bgp import held, session_up
from kubereach.simulate.world import World

KIND = "agents"
# A rolling update also leaves one pod unavailable for a while.
BACKGROUND: Distribution = {"0": 0.85, "1": 0.1, "2+": 0.05, "ready": 0.85, "no-session": 0.05, "not-running": 0.1}
NO_AGENTS = ("kube-vip-cloud-provider", "cilium-operator", "cilium-envoy")  # no pod of these announces
AGENTS = ("calico-node", "speaker", "cilium", "kube-vip", "kube-router", "frr-k8s")


# Products, their agents' pods, and other pods of theirs.
_PRODUCTS = (
    ("Cilium", "cilium-", r"cilium-operator"),
    ("Calico", "calico-node-", r"calico-(?:kube-controllers|typha)"),
    ("MetalLB", "speaker-", r"(?:metallb-)?controller-[a-z0-9]{8,10}-[a-z0-9]{5}$"),
    ("kube-router", "kube-router-", r"kube-router-"),
)
# Beside these MetalLB's controller may run without its speakers.
_ANNOUNCES_FOR_METALLB = frozenset({"calico", "cilium", "kube-router"})
READY: Distribution = {"ready": 0.95, "not-running": 0.03, "no-session": 0.02}
NO_SESSION: Distribution = {"no-session": 0.9, "not-running": 0.05, "ready": 0.05}


def sightings(network: Network) -> Iterable[Sighting]:
    """The operator's conditions, DaemonSets, and the agents' pods."""
    for entry in network.objects_of("Installation", "TigeraStatus"):
        yield from _conditions(entry)
    for entry in network.objects_of("DaemonSet"):
        wanted, ready = entry.number("status.desiredNumberScheduled"), entry.number("status.numberReady")
        if entry.name in AGENTS and wanted is not None and ready is not None:
            says = f"DaemonSet {entry.name}: {ready} of {wanted} ready"
            yield _count(wanted - ready, entry.origins("status")[0], says)
    yield from _missing(network)
    yield from _unlocated(network)
    for entry in network.objects_of("Pod"):
        node = f"node/{entry.text('spec.nodeName')}"
        ready_leaf = entry.fields.get("status.conditions.Ready")
        if (
            entry.name.startswith(AGENTS)
            and not entry.name.startswith(NO_AGENTS)
            and node in network.nodes
            and ready_leaf is not None
        ):
            yield Sighting(
                question=Question(KIND, node),
                answers=frozenset({"ready"}) if ready_leaf.value else frozenset({"no-session", "not-running"}),
                origins=(ready_leaf.origin,),
                trust=ready_leaf.trust,
                says=f"pod {entry.name} is {'ready' if ready_leaf.value else 'not ready'}",
            )


def _missing(network: Network) -> Iterable[Sighting]:
    """A whole list of pods that holds a product's other pods, or its DaemonSet was shown, and none of its agents."""
    whole = [f for f in network.observed if isinstance(f, ObjectListing) and f.kind == "Pod" and f.complete]
    for fact in (f for f in whole if not f.namespace and not f.selector):
        for product, agent, others in _PRODUCTS:
            if product == "MetalLB" and network.stack & _ANNOUNCES_FOR_METALLB:
                continue
            rest = [n for n in fact.names if re.match(others, n)]
            daemons = any(re.match(agent.rstrip("-"), e.name) for e in network.objects_of("DaemonSet"))
            if (rest or daemons) and not any(re.match(rf"{agent}[a-z0-9]{{5}}$", n) for n in fact.names):
                for node in network.nodes:
                    yield Sighting(
                        question=Question(KIND, node),
                        answers=frozenset({"not-running"}),
                        origins=(fact.origin,),
                        trust=fact.trust,
                        says=f"the list of all pods holds no agent of {product}",
                    )


def _is_agent(name: str) -> bool:
    return re.match(rf"(?:metallb-)?(?:{'|'.join(AGENTS)})-", name) is not None and not name.startswith(NO_AGENTS)


def _unlocated(network: Network) -> Iterable[Sighting]:
    """How many agents are ready where a listing of pods does not say on which nodes they are.

    A single one that is not ready may be any node's; where none is ready, that is every node's.
    """
    pods = [e for e in network.objects_of("Pod") if _is_agent(e.name) and "status.conditions.Ready" in e.fields]
    waiting = [e for e in pods if e.value("status.conditions.Ready") is False]
    if not pods or any(f"node/{e.text('spec.nodeName')}" in network.nodes for e in pods):
        return
    reason = waiting[0].text("status.reason") if waiting else ""
    says = f"{len(pods) - len(waiting)} of {len(pods)} agents are ready" + (f" ({reason})" if reason else "")
    origin = (waiting or pods)[0].fields["status.conditions.Ready"].origin
    if waiting and len(waiting) == len(pods):
        for node in network.nodes:
            yield Sighting(
                question=Question(KIND, node),
                answers=frozenset({"no-session", "not-running"} if not reason else {"not-running"}),
                origins=(origin,),
                trust=Trust.OUTPUT,
                says=says,
            )
    elif waiting:
        yield _count(len(waiting), origin, says)


def _conditions(entry: KubeObject) -> Iterable[Sighting]:
    for condition in entry.elements("status.conditions"):
        message = condition.text("message")
        found = re.search(r"calico-node.{0,40}awaiting (\d+) nodes", message)
        if found:
            yield _count(int(found[1]), condition.origins("message")[0], message)


def _count(missing: int, origin: Origin, says: str) -> Sighting:
    answer = "2+" if missing > 1 else str(max(missing, 0))
    return Sighting(
        question=Question(KIND, "cluster"),
        answers=frozenset({answer}),
        origins=(origin,),
        trust=Trust.OUTPUT,
        says=says,
    )


def ready(world: World, node: str) -> bool:
    """Whether the agent's readiness probe passes.

    calico-node is not ready when not a single BGP session is Established; with the mesh on, its sessions count too
    (calico node/pkg/health/health.go at v3.26.1).
    """
    if world.get(node, AGENT_DOWN) or world.get(node, AGENT_NOT_READY) or _ends(world, node):
        return False
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or session_up(world, node):
        return True
    return world.get("cluster", MESH) and len(world.network.nodes) > 1


def _ends(world: World, node: str) -> bool:
    """kube-vip ends where there is no interface of the name that it was given (pkg/kubevip CheckInterface)."""
    wrong = world.get(node, L2_WRONG_INTERFACE) or world.get("cluster", L2_WRONG_INTERFACE)
    return wrong and world.get("cluster", ANNOUNCER).startswith("kube-vip")


def predict(world: World, question: Question) -> Distribution | None:
    """Count, with a rolling update possible."""
    if question.where != "cluster":
        return _of_node(world, question.where)
    missing = sum(not ready(world, node) for node in world.network.nodes)
    expected = "2+" if missing > 1 else str(missing)
    # The condition may be of another moment than the failure, and a rolling update takes one pod at a time.
    rest = {"0": 0.75, "1": 0.2, "2+": 0.05}
    return {answer: 0.65 * (answer == expected) + 0.35 * p for answer, p in rest.items()}


def _of_node(world: World, node: str) -> Distribution:
    if world.get(node, AGENT_DOWN) or _ends(world, node):
        return {"not-running": 0.9, "no-session": 0.05, "ready": 0.05}
    if world.get("cluster", ANNOUNCER) != "calico-bgp" or world.get(node, AGENT_NOT_READY) or session_up(world, node):
        return READY if ready(world, node) else NO_SESSION
    if world.known("cluster", MESH):
        silent = READY if ready(world, node) else NO_SESSION
    else:  # without the mesh this session was the only one: which it is, nobody has said
        silent = {"ready": 0.5, "no-session": 0.45, "not-running": 0.05}
    own = held(world, node)  # the probe asks the node's own BIRD, which may hold a session that the router forgot
    return {answer: own * READY[answer] + (1 - own) * p for answer, p in silent.items()}


def offers(network: Network) -> Iterable[Offer]:
    """Which pod is not ready, and what its readiness probe says."""
    if (command := _listing(network)) is None:
        return
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node),
            where="any host with kubectl",
            command=command,
            cost=15,
            words={
                "ready": f"the pod on {node.removeprefix('node/')} is ready",
                "no-session": "it is 0/1 and describe says that BGP is not established",
                "not-running": "it is missing, crashing, or not ready for another reason",
            },
        )


def _listing(network: Network) -> str | None:
    """The command that lists the agents; None where who announces has none."""
    announcer = network.seen("cluster", ANNOUNCER) or ""
    product = next(
        (p for p in ("calico", "metallb", "cilium", "kube-vip", "kube-router") if announcer.startswith(p)), ""
    )
    if not announcer:
        return "kubectl get pods -A -o wide"  # which agents there are is open as well
    wait = "   # then describe the one that is not ready"
    return {
        "calico": f"kubectl -n calico-system get pods -l k8s-app=calico-node -o wide{wait}",
        "metallb": f"kubectl -n metallb-system get pods -o wide{wait}",
        "cilium": "kubectl -n kube-system get pods -l k8s-app=cilium -o wide",
        "kube-vip": "kubectl -n kube-system get pods -l app.kubernetes.io/name=kube-vip-ds -o wide",
        "kube-router": "kubectl -n kube-system get pods -l k8s-app=kube-router -o wide",
    }.get(product)


def means(world: World, question: Question) -> str:
    """Whose agent it is."""
    down = [n.removeprefix("node/") for n in world.network.nodes if not ready(world, n)]
    return f"the agent on {', '.join(down)} is not ready" if down else "all agents are ready, or one is being updated"
