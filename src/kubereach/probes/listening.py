"""Where the application listens: `ss -tln` in a pod's own network namespace, by `kubectl exec` or `kubectl debug`.

Asked of the service. Answers: target (the target port, on an address that others reach), loopback (the target port, for
the pod itself alone), other (other ports alone).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import ENDPOINTS, NOT_LISTENING, PORTS, WRONG_TARGET_PORT
from kubereach.model.fact import Setting
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.world import World

KIND = "listening"
BACKGROUND: Distribution = {"target": 0.8, "loopback": 0.08, "other": 0.12}
# The whole list; a filter behind it closes nothing.
_WHOLE = r"(?:\S*/)?(?:ss|netstat)(?:\s+-\w+)*\s*$"


def sightings(network: Network) -> Iterable[Sighting]:
    """Of each of the service's pods whose sockets were listed."""
    flow = network.flow
    pods = {f"pod/{e.pod}": e.port for e in network.seen(flow.service, ENDPOINTS) or () if e.pod}
    shown: dict[str, list[Setting]] = {}
    for fact in network.observed:
        if isinstance(fact, Setting) and fact.attribute.startswith("socket ") and fact.subject in pods:
            shown.setdefault(fact.subject, []).append(fact)
    for pod, sockets in shown.items():
        port = pods[pod] or _target(network)
        mine = [f for f in sockets if f.attribute == f"socket {flow.protocol.lower()} {port}"]
        whole = re.search(_WHOLE, sockets[0].origin.command) is not None
        if port is None or not (mine or whole):
            continue
        own = all(re.match(r"127\.|\[?::1\b|localhost", str(f.value)) for f in mine)
        answer = "other" if not mine else "loopback" if own else "target"
        said = ", ".join(f"{f.value}:{f.attribute.rpartition(' ')[2]}" for f in (mine or sockets)[:3])
        yield Sighting(
            question=Question(KIND, flow.service),
            answers=frozenset({answer}),
            origins=(sockets[0].origin,),
            trust=sockets[0].trust,
            says=f"{pod.removeprefix('pod/')} listens on {said}; the target port is {port}",
        )


def _target(network: Network) -> int | None:
    """The target port by its number, where the service shows it."""
    flow = network.flow
    port = next((p for p in network.seen(flow.service, PORTS) or () if flow.port in {None, p.port}), None)
    return port.target if port is not None and isinstance(port.target, int) else None


def predict(world: World, question: Question) -> Distribution | None:
    """By what is wrong with the pods."""
    if world.get(question.where, WRONG_TARGET_PORT):
        return {"other": 0.95, "loopback": 0.03, "target": 0.02}
    if world.get(question.where, NOT_LISTENING):
        return {"loopback": 0.7, "other": 0.25, "target": 0.05}
    return {"target": 0.97, "other": 0.02, "loopback": 0.01}


def offers(network: Network) -> Iterable[Offer]:
    """The list in a pod of the service, ready or not."""
    flow = network.flow
    pod = next((e.pod for e in network.seen(flow.service, ENDPOINTS) or () if e.pod), "")
    if pod:
        yield Offer(
            question=Question(KIND, flow.service),
            where="any host with kubectl",
            command=f"kubectl -n {flow.service.split('/')[1]} exec {pod} -- ss -tln   "
            "# or, where the image has no ss, the same by kubectl debug --image=nicolaka/netshoot",
            cost=25,
            privilege="exec",
            words={
                "target": "the target port on 0.0.0.0, * or the pod's address",
                "loopback": "the target port on 127.0.0.1 alone",
                "other": "other ports, and not the target port",
            },
        )


def means(world: World, question: Question) -> str:
    """What the pod's sockets are for."""
    return {
        "target": "the application listens where the service sends to",
        "loopback": "the application listens for its own pod alone",
        "other": "the service sends to a port on which nothing listens",
    }.get(likeliest(predict(world, question)), "")
