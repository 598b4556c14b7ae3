"""Faults of giving out the address."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import UnfitError, fault, name_of
from benchmarks.diagnosis.generate.flow import CLIENT, NODE_IN, WIRE
from benchmarks.diagnosis.generate.names import mac
from benchmarks.diagnosis.generate.site import BGP, CILIUM, L2, METALLB, METALLB_ALLOCATES, Site

ALLOCATED = Wish(stacks=(METALLB_ALLOCATES | CILIUM))


def _pending(site: Site) -> None:
    site.service.address = ""
    site.leader = ""


def _failed(site: Site, why: str) -> None:
    """The event of MetalLB's controller, or the condition of Cilium's operator."""
    site.service.events_only = True
    if site.stack not in CILIUM:
        message = f'Failed to allocate IP for "{name_of(site)}": {why}'
        site.service.events = [("Warning", "AllocationFailed", "metallb-controller", message)]


@fault("no-pool-for-service", "alloc-no-pool", ALLOCATED)
def no_pool(site: Site) -> None:
    """No pool: MetalLB writes no event. A pool that does not admit the service: `no available IPs`."""
    _pending(site)
    site.service.events_only = True
    which = site.rng.choice(("none", "no-auto", "namespace"))
    if which == "none":
        site.pool_exists = False
        return
    site.pool_limits = which if site.stack not in CILIUM else "selector"
    _failed(site, "no available IPs")
    site.tells.add("cilium:no_pool")


@fault("pool-exhausted", "alloc-pool-exhausted", ALLOCATED)
def exhausted(site: Site) -> None:
    """Other services hold every address of a small pool."""
    base = site.service.address
    start, last = base.rsplit(".", 1)
    count = site.rng.choice((1, 2, 3, 4))
    held = [f"{start}.{(int(last) + i) % 250 + 2}" for i in range(count)]
    held.sort(key=lambda a: int(a.rsplit(".", 1)[1]))
    if len(held) == 1:
        site.pool = f"{held[0]}/32"
    else:
        low = int(held[0].rsplit(".", 1)[1])
        held = [f"{start}.{low + i}" for i in range(count)]
        site.pool = f"{held[0]}-{held[-1]}"
    site.others = [o for o in site.others if not o[3]]
    site.others += [("apps", f"taken-{i}", f"10.96.7.{20 + i}", a, 443) for i, a in enumerate(held)]
    if site.announced:
        site.announced = f"{base}/32"
    _pending(site)
    _failed(site, "no available IPs")
    site.tells.add("cilium:out_of_ips")


@fault("address-request-refused", "alloc-request-refused", Wish(stacks=METALLB_ALLOCATES))
def refused(site: Site) -> None:
    """An address outside the pools, or one that another service holds."""
    outside = site.rng.random() < 0.5
    wanted = "198.18.7.20" if outside else site.service.address
    if not outside:
        site.others.append(("apps", "first-come", "10.96.7.77", wanted, site.service.port))
    _pending(site)
    if site.rng.random() < 0.5:
        site.service.wanted = wanted
    else:
        site.service.annotations["metallb.universe.tf/loadBalancerIPs"] = wanted
    if outside:
        _failed(site, f'["{wanted}"] is not allowed in config')
    else:
        why = f'can\'t change sharing key for "{name_of(site)}", address also in use by apps/first-come'
        _failed(site, why)


@fault("allocating-controller-down", "alloc-controller-down", ALLOCATED)
def controller_down(site: Site) -> None:
    _pending(site)
    site.service.events_only = True
    site.controller = site.rng.choice(("CrashLoopBackOff", "ImagePullBackOff", "Pending", "missing"))


@fault("load-balancer-class-unhandled", "alloc-class-not-handled", ALLOCATED)
def class_unhandled(site: Site) -> None:
    """The service names a class of nobody, or none while the controller serves one class alone."""
    _pending(site)
    site.service.events_only = True
    if site.stack in CILIUM or site.rng.random() < 0.7:
        site.service.class_ = site.rng.choice(("nil", "metallb", "kube-vip.io/kube-vip-class", "internal"))
    else:
        site.lb_class_option = "metallb.io/metallb"


@fault("two-load-balancer-controllers", "alloc-two-lb-controllers", Wish(stacks=METALLB, nodes=2))
def two_controllers(site: Site) -> None:
    """k3s's ServiceLB runs beside MetalLB and overwrites the status with the nodes' addresses."""
    given = [n.ip for n in site.nodes[:6]]
    site.service.status_addresses = tuple([*given] if site.rng.random() < 0.6 else [*given, site.service.address])
    site.tells.add("svclb-beside")
    site.announces_service = False
    message = f'Assigned IP ["{site.service.address}"]'
    site.service.events = [
        ("Normal", "IPAllocated", "metallb-controller", message),
        ("Normal", "EnsuringLoadBalancer", "service-controller", "Ensuring load balancer"),
        (
            "Normal",
            "UpdatedIngressIP",
            "service-lb-controller",
            f"LoadBalancer Ingress IP addresses updated: {given[0]}",
        ),
    ]


@fault("host-port-taken", "alloc-host-port-taken", Wish(stacks=frozenset({"klipper"})))
def host_port(site: Site) -> None:
    """Another pod holds the port on every node: the svclb pods stay Pending."""
    _pending(site)
    site.service.events_only = True
    site.tells.add("svclb-pending")


@fault("unusable-address", "alloc-unusable-address", Wish(stacks=BGP | {"metallb-l2"}))
def unusable(site: Site) -> None:
    """The pool's first or last address, which is the network or broadcast address of the segment."""
    if site.stack in L2:
        base = site.network.split("/")[0].rsplit(".", 1)[0]
        end = ".255"
        site.service.address, site.pool = base + end, f"{base}.240-{base}.255"
        if not site.network.endswith("/24"):
            raise UnfitError("no broadcast address there")
        site.lose(CLIENT, "unreachable")
    else:
        start = site.pool.split("/")[0]
        if not start.endswith(".0"):
            raise UnfitError("devices refuse what looks like the network or broadcast address of a /24")
        site.service.address = start
        site.lose(NODE_IN - 1, "silent")
    site.tells.add("buggy-address")


@fault("address-owned-twice", "alloc-pool-overlap", Wish(stacks=frozenset({"metallb-l2", "kube-vip-arp"})))
def owned_twice(site: Site) -> None:
    """Another host of the segment, or a second cluster, has the address too: connections to it are refused or lost."""
    leader = site.node(site.leader)
    vendor = site.rng.choice(("00:11:32", leader.mac[:8]))
    site.responders = [(leader.mac, leader.name), (mac(site.rng, vendor), "")]
    site.rng.shuffle(site.responders)
    site.tells.add("owner-without-service")
    site.lose(WIRE, "refused" if site.rng.random() < 0.5 else "silent", share=True)
