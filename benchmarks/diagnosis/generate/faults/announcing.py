"""Faults of who announces the address at all."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import announcing, crossing, fault
from benchmarks.diagnosis.generate.flow import PROXY, Route
from benchmarks.diagnosis.generate.site import BGP, CILIUM, L2, METALLB, Site

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
WITH_AGENTS = (L2 | BGP) - {"keepalived"}
# The half of the same truth that the other code names: the node attracts, and the policy makes it drop.
BOTH_HALVES = ("proxy-no-local-endpoint", "ann-from-node-without-endpoint")


@fault("announcing-agent-down", "ann-node-agent-down", Wish(stacks=WITH_AGENTS))
def agent_down(site: Site) -> None:
    """Crashing, not scheduled, or not ready for a reason of its own."""
    state = site.rng.choice(("CrashLoopBackOff", "ImagePullBackOff", "missing"))
    # Where a DaemonSet has no pod on the endpoints' nodes alone, that is `endpoints-not-counted`.
    for node in site.nodes if state == "missing" else announcing(site):
        node.agent = state
        node.agent_why = site.rng.choice(("OOMKilled", "Error", "bad image", "unable to read the configuration"))
        node.session.down("", "", site.rng.choice(("Active", "Connect")))
    if site.local and site.stack in {"metallb-l2"}:
        site.leader = ""


@fault("no-advertisement", "ann-no-advertisement-object", Wish(stacks=METALLB | CILIUM))
def no_advertisement(site: Site) -> None:
    site.advertisement = "none" if site.stack in CILIUM or site.rng.random() < 0.6 else "other"
    _silent(site)


def _silent(site: Site) -> None:
    """No node announces this service, and nothing else about the announcer changes."""
    site.announces_service = False
    site.leader = ""


@fault("node-excluded", "ann-node-excluded", Wish(stacks=METALLB | {"calico"}))
def excluded(site: Site) -> None:
    """The exclusion label on every node that could announce; MetalLB heeds it since 0.14.2, Calico the value "true"."""
    if site.stack == "calico":
        for node in site.nodes:
            node.labels[EXCLUDE] = "true"
        return
    site.version = site.rng.choice(("0.14.5", "0.14.8", "0.15.2"))
    for node in announcing(site):
        node.labels[EXCLUDE] = site.rng.choice(("", "", "true"))
    if site.stack == "metallb-l2":
        site.leader = ""


@fault("service-not-selected", "ann-service-not-selected", Wish(stacks=CILIUM | {"calico", "kube-router"}))
def not_selected(site: Site) -> None:
    """Outside Calico's ranges, without the label that Cilium's selector asks for, or not advertised by kube-router."""
    if site.stack == "calico":
        site.announced = site.rng.choice(("10.250.0.0/28", "172.31.250.0/26", ""))
    else:
        site.tells.add("selector-misses")
    _silent(site)


@fault("endpoints-not-counted", "ann-no-eligible-node-endpoints", Wish(stacks=METALLB | {"cilium-bgp"}, policy="Local"))
def not_counted(site: Site) -> None:
    """Endpoints without a node, or on nodes where no agent runs."""
    if site.stack == "cilium-bgp" or site.rng.random() < 0.5:
        for pod in site.pods:
            pod.counted = False
    else:
        for node in site.with_pod():
            node.agent = "untolerated"
            node.session.down("", "", site.rng.choice(("Active", "Connect")))
            node.labels["dedicated"] = "ingress"
        site.tells.add("taint")
    _silent(site)


@fault(
    "attracts-without-endpoint",
    "ann-from-node-without-endpoint",
    Wish(stacks=frozenset({"cilium-l2", "kube-vip-arp", "metallb-bgp", "cilium-bgp"}), policy="Local", nodes=3),
    accept=BOTH_HALVES,
)
def attracts(site: Site) -> None:
    """A lease that ignores endpoints, or a static route of the router to a node without a pod."""
    without = [n for n in site.nodes if n not in site.with_pod()]
    node = site.rng.choice(without)
    if site.stack in L2:
        site.leader = node.name
        site.lease_stays = True
        return
    site.router.static.append(Route(f"{site.service.address}/32", node.ip, "static"))


@fault(
    "no-local-endpoint-policy",
    "proxy-no-local-endpoint",
    Wish(stacks=frozenset({"klipper", "cilium-l2", "kube-vip-arp"}), policy="Local", nodes=3),
    accept=BOTH_HALVES,
)
def no_local_endpoint(site: Site) -> None:
    """The client's packets enter at a node without a pod."""
    node = site.rng.choice([n for n in site.nodes if n not in site.with_pod()])
    if site.stack == "klipper":
        site.service.address = node.ip
        site.service.status_addresses = (node.ip,)
        site.lose(PROXY, "silent", node=node.name)
    else:
        site.leader = node.name
        site.lease_stays = True


@fault(
    "aggregate-alone",
    "ann-from-node-without-endpoint",
    Wish(stacks=frozenset({"calico"}), policy="Local", nodes=3),
    accept=BOTH_HALVES,
)
def aggregate_alone(site: Site) -> None:
    """Calico before 3.18 has no host routes of load-balancer addresses, a static announcement none either."""
    site.version = "3.17.6"
    site.aggregate_only = True


@fault(
    "host-routes-passed-on",
    "ann-from-node-without-endpoint",
    Wish(stacks=frozenset({"calico"}), policy="Local", nodes=3, encapsulations=frozenset({"none", "ipip"})),
    accept=BOTH_HALVES,
)
def passed_on(site: Site) -> None:
    """With the mesh, every node exports the host route it learned, with itself as next hop (calico issue 5235)."""
    site.mesh, site.relays, site.keep_next_hop = True, True, False


@fault(
    "route-reflector-drops",
    "ann-service-not-selected",
    Wish(stacks=frozenset({"calico"}), policy="Local", nodes=4, on_lan=False),
    accept=("ann-from-node-without-endpoint",),
)
def reflector_drops(site: Site) -> None:
    """Only the reflectors peer with the router, and they do not pass on host routes (Calico before 3.27.3)."""
    site.version, site.reflectors, site.mesh = "3.26.1", True, False
    host = f"{site.service.address}/32"
    reflectors = [n for n in site.nodes if n not in site.with_pod()][:2]
    for node in site.nodes:
        node.labels["route-reflector"] = "true" if node in reflectors else "false"
        node.withheld.add(host)
        if node not in reflectors:
            node.session.down("none", "", None)


@fault(
    "no-pod-route",
    "fabric-no-pod-route",
    Wish(
        stacks=frozenset({"calico"}), policy="Cluster", encapsulations=frozenset({"none", "ipip"}), nodes=2, remote=True
    ),
)
def no_pod_route(site: Site) -> None:
    """Mesh off, no reflector and no VXLAN: nobody tells a node of another node's block."""
    from benchmarks.diagnosis.generate.flow import FORWARD

    site.mesh = False
    if crossing(site):
        site.lose(FORWARD, "silent", remote=True, inside=True)
