"""Whether the backend of iptables that the service proxy does not use holds rules of its own that refuse.

Asked of a node. Answers: refuses (in FORWARD, what goes to the pods), harmless (it is empty, or lets that pass).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.attribute import MIXED_BACKENDS, PROXY_MODE, TWO_BACKENDS
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.walk import on_node
from kubereach.simulate.world import World

KIND = "other_backend"
BACKGROUND: Distribution = {"refuses": 0.03, "harmless": 0.97}


def sightings(network: Network) -> Iterable[Sighting]:
    """The listing is in the leaves: what it decides is no chance (build.other_backend)."""
    return ()


def predict(world: World, question: Question) -> Distribution | None:
    """From the world's leaf."""
    if on_node(world, question.where, MIXED_BACKENDS):
        return {"refuses": 0.95, "harmless": 0.05}
    return {"refuses": 0.02, "harmless": 0.98}


def offers(network: Network) -> Iterable[Offer]:
    """The other listing on each node, where iptables is in use and nobody looked yet."""
    if (network.seen("cluster", PROXY_MODE) or "") in {"ebpf", "nftables"}:
        return
    for node in network.nodes:
        if (node, TWO_BACKENDS.name) not in network.settings:
            yield Offer(
                question=Question(KIND, node),
                where=node,
                command="sudo iptables-legacy-save",
                cost=20,
                privilege="root",
                words={"refuses": "a FORWARD that drops", "harmless": "nothing, or no rule that drops"},
            )


def means(world: World, question: Question) -> str:
    """Whether both backends agree."""
    mixed = on_node(world, question.where, MIXED_BACKENDS)
    return "rules of the other backend drop the flow" if mixed else "the other backend holds nothing in the way"
