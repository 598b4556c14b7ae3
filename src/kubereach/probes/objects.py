"""What the cluster's objects say: the announcer's own, network policies, endpoints, the nodes.

Asked of the cluster about a product's own objects (`calico`, `metallb`, `cilium`): fine, no-advertisement, interface
(named wrongly), filter, not-selected, mesh (host routes are passed on), excluded. About `policies`: none, some, laid
(on the service's pods). About `endpoints`: ready, none. About `labels` of the pods: matching (some bear what the
selector asks for), unmatched. About `nodes`: fine, other-address (the announcer took another one than the node's),
excluded.
`build` decides from the objects what they decide; these questions only say what asking for them is worth.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.build.target import PLACEHOLDER
from kubereach.model import attribute as a
from kubereach.model.fact import ObjectListing
from kubereach.model.network import Network
from kubereach.probes.question import Distribution, Offer, Question, Sighting, likeliest
from kubereach.simulate.announced import excluded, ready_endpoints
from kubereach.simulate.world import World

KIND = "objects"
BACKGROUND: Distribution = {
    "fine": 0.8,
    "no-advertisement": 0.05,
    "interface": 0.02,
    "filter": 0.04,
    "not-selected": 0.05,
    "mesh": 0.02,
    "excluded": 0.02,
    "none": 0.5,
    "some": 0.3,
    "laid": 0.2,
    "ready": 0.9,
    "other-address": 0.05,
    "matching": 0.9,
    "unmatched": 0.1,
}
_CALICO = "kubectl get bgpconfigurations,bgppeers,bgpfilters,ippools -o yaml"
METALLB = "kubectl get -n metallb-system ipaddresspools,l2advertisements,bgpadvertisements,bgppeers.metallb.io -o yaml"


CILIUM = (
    "kubectl get ciliumloadbalancerippools,ciliuml2announcementpolicies,ciliumbgpadvertisements,ciliumbgpclusterconfigs"
    " -A -o yaml"
)
# What decides most of a service's fate, in one answer.
_FIRST = "kubectl get services,endpointslices,nodes,networkpolicies -A -o yaml"
_PRODUCTS = {"calico": "calico", "metallb": "metallb", "cilium": "cilium"}


def about_service(network: Network, alone: str) -> str:
    """The command that shows the service's own objects: `alone`, or all of them at once where none was shown yet."""
    service = network.flow.service
    unseen = not any((service, leaf.name) in network.settings for leaf in (a.POLICY, a.ENDPOINTS))
    return _FIRST if unseen and not listed(network, "NetworkPolicy", "Node") else alone


def sightings(network: Network) -> Iterable[Sighting]:
    """None: what objects decide is in the world already."""
    return ()


def predict(world: World, question: Question) -> Distribution | None:
    """What somebody who reads the objects finds."""
    service, about = world.network.flow.service, question.about[0]
    if about == "policies":
        if world.get(service, a.POLICY_DROP):
            return {"laid": 0.9, "some": 0.08, "none": 0.02}
        return {"none": 0.7, "some": 0.22, "laid": 0.08}
    if about == "endpoints":
        return {"ready": 0.97, "none": 0.03} if ready_endpoints(world, service) else {"none": 0.97, "ready": 0.03}
    if about == "labels":
        unmatched = not ready_endpoints(world, service) and world.get(service, a.WHY_EMPTY) == "selector"
        return {"unmatched": 0.95, "matching": 0.05} if unmatched else {"matching": 0.95, "unmatched": 0.05}
    nodes = world.network.nodes
    if about == "nodes":
        if any(world.get(node, a.SESSION_FAULT) == "wrong-source" for node in nodes):
            return {"other-address": 0.8, "fine": 0.2}
        if any(excluded(world, node) for node in nodes):
            return {"excluded": 0.9, "fine": 0.1}
        return {"fine": 0.97, "other-address": 0.02, "excluded": 0.01}
    if _PRODUCTS.get(str(about), "") not in world.get("cluster", a.ANNOUNCER):
        # Another product's objects: it is there for something else, or only to give out addresses.
        return {"fine": 0.4, "no-advertisement": 0.6}
    return _announcer(world, service)


def _announcer(world: World, service: str) -> Distribution:
    """The first oddity that stands in the announcer's own objects."""
    wrong: tuple[tuple[object, str, float], ...] = (
        (world.get("cluster", a.NO_ADVERTISEMENT), "no-advertisement", 0.95),
        (any(world.get(node, a.L2_WRONG_INTERFACE) for node in world.network.nodes), "interface", 0.9),
        (world.get("cluster", a.EXPORT_FILTERS) or world.get("cluster", a.EXTRA_EXPORT_FILTER), "filter", 0.75),
        (world.get(service, a.NOT_SELECTED), "not-selected", 0.85),
        (world.get("cluster", a.RELAYED), "mesh", 0.9),
        (any(excluded(world, node) for node in world.network.nodes), "excluded", 0.3),
    )
    found = next(((answer, p) for there, answer, p in wrong if there), None)
    return {found[0]: found[1], "fine": 1 - found[1]} if found else {"fine": 0.98, "filter": 0.02}


def offers(network: Network) -> Iterable[Offer]:
    """The objects that were not shown yet."""
    service, shown = network.flow.service, network.settings
    if not listed(network, "BGPConfiguration", "BGPFilter") and "calico" in network.stack - {"metallb"}:
        words = {
            "filter": "a BGPFilter that rejects the address",
            "no-advertisement": "no serviceLoadBalancerIPs",
            "mesh": "nodeToNodeMeshEnabled beside a peer of another AS",
            "not-selected": "serviceLoadBalancerIPs without the address",
            "fine": "serviceLoadBalancerIPs with the address, and no filter against it",
        }
        yield _offer("calico", _CALICO, words)
    if not listed(network, "L2Advertisement", "BGPAdvertisement") and "metallb" in network.stack:
        words = {
            "no-advertisement": "no advertisement, or none that selects the pool",
            "interface": "interfaces that no node has",
            "not-selected": "an advertisement that leaves the service or its nodes out",
            "fine": "an advertisement that selects the pool",
        }
        yield _offer("metallb", METALLB, words)
    if not listed(network, "CiliumL2AnnouncementPolicy", "CiliumBGPAdvertisement") and "cilium" in network.stack:
        words = {
            "no-advertisement": "no policy or advertisement",
            "interface": "interfaces that no node has",
            "not-selected": "selectors that leave the service out",
            "fine": "one that selects the service",
        }
        yield _offer("cilium", CILIUM, words)
    if not any((service, leaf.name) in shown for leaf in (a.POLICY_DROP, a.POLICIES_IN_PLACE)):
        words = {
            "laid": "a network policy that selects the service's pods",
            "none": "no network policy",
            "some": "network policies for other pods",
        }
        yield _offer("policies", about_service(network, "kubectl get networkpolicies -A -o yaml"), words)
    if (service, a.ENDPOINTS.name) not in shown:
        words = {"ready": "addresses whose conditions say ready", "none": "no ready address"}
        yield _offer("endpoints", about_service(network, "kubectl get endpointslices -A -o yaml"), words)
    ready = any(e.ready for e in network.seen(service, a.ENDPOINTS) or ())
    if not ready and (service, a.WHY_EMPTY.name) not in shown and service != PLACEHOLDER:
        words = {"matching": "pods with the labels of the service's selector", "unmatched": "pods, and none with them"}
        yield _offer("labels", f"kubectl -n {service.split('/')[1]} get pods --show-labels", words)
    if not any((node, a.LABELS.name) in shown for node in network.nodes):
        words = {"other-address": "an annotation with another address than the node's", "excluded": "the label"}
        yield _offer("nodes", about_service(network, "kubectl get nodes -o yaml"), words)


def listed(network: Network, *kinds: str) -> bool:
    """Whether any listing or object of these kinds was shown."""
    listings = [f for f in network.observed if isinstance(f, ObjectListing) and f.kind in kinds]
    return bool(listings) or any(True for _ in network.objects_of(*kinds))


def _offer(about: str, command: str, words: dict[str, str]) -> Offer:
    return Offer(
        question=Question(KIND, "cluster", (about,)),
        where="any host with kubectl",
        command=command,
        cost=15,
        words=words,
    )


def means(world: World, question: Question) -> str:
    """What stands in the objects there."""
    return likeliest(predict(world, question)).replace("-", " ")
