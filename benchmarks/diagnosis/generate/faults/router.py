"""Faults of the router: its policy, its table, its filters."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.flow import DATA, NODE_IN, RETURN, ROUTER, Route
from benchmarks.diagnosis.generate.site import BGP, Site

ANY_BGP = Wish(stacks=BGP)
OFF_LAN = Wish(stacks=BGP, on_lan=False)


@fault("router-import-filter", "router-import-policy", ANY_BGP)
def import_filter(site: Site) -> None:
    site.router.accepts = "none"
    site.router.policy_missing = site.router.kind == "frr" and site.rng.random() < 0.6


@fault(
    "router-import-filter-host-routes",
    "router-import-policy",
    Wish(
        stacks=frozenset({"calico"}),
        policy="Local",
        nodes=3,
        routers=frozenset({"routeros6", "routeros7", "frr", "bird"}),
    ),
    accept=("ann-from-node-without-endpoint", "proxy-no-local-endpoint"),
)
def import_host_routes(site: Site) -> None:
    """A filter for the exact range lets the aggregate in and keeps the host routes out."""
    site.router.accepts = "aggregate"


@fault(
    "router-multipath-disabled",
    "router-multipath-disabled",
    Wish(stacks=BGP, policy="Cluster", nodes=3, routers=frozenset({"frr", "ios", "eos", "bird"})),
    felt=False,
)
def multipath(site: Site) -> None:
    """Nothing fails: all traffic enters at one node."""
    site.router.multipath = False
    site.complaint = "multipath"


@fault("router-no-announcer", "router-no-route", ANY_BGP)
def no_announcer(site: Site) -> None:
    """Neither side has a peer for the other."""
    site.router.neighbours, site.peers = False, False
    for node in site.nodes:
        node.session.down("none", "", None)


@fault("route-not-installed", "router-route-not-installed", ANY_BGP)
def not_installed(site: Site) -> None:
    """In the BGP table, and not in the one that forwards."""
    for prefix in (f"{site.service.address}/32", site.announced):
        site.router.hidden[prefix] = "rib-failure"


@fault("router-static-wins", "router-route-not-installed", ANY_BGP)
def static_wins(site: Site) -> None:
    """An old static route for the address leads to a host that is not of the cluster."""
    old = site.spare()
    site.router.static.append(Route(f"{site.service.address}/32", old, "static"))
    site.lose(ROUTER, "silent")


@fault(
    "router-wrong-table",
    "router-wrong-table",
    Wish(stacks=BGP, on_lan=False, routers=frozenset({"frr", "ios", "routeros7"})),
)
def wrong_table(site: Site) -> None:
    site.router.vrf = site.rng.choice(("K8S", "servers", "vrf-lab"))


@fault("other-router-lacks-route", "router-not-propagated", OFF_LAN)
def other_router(site: Site) -> None:
    """The client's own gateway is another device, which never learned the route."""
    site.router.behind, site.router.office_ip = site.router.office_ip, ""
    site.router.links.append(("10.255.255.0/30", "10.255.255.1", "eth3"))
    site.router.static.append(Route(site.client.prefix, "10.255.255.2", "static"))
    site.lose(ROUTER, site.rng.choice(("silent", "silent", "unreachable")))


@fault(
    "router-firewall-drop",
    "router-firewall-drop",
    Wish(stacks=BGP, on_lan=False, routers=frozenset({"routeros6", "routeros7", "frr"})),
)
def firewall(site: Site) -> None:
    site.router.firewall.append("drop-pool")
    site.lose(ROUTER, "silent")


@fault(
    "router-nat",
    "router-nat-hairpin",
    Wish(stacks=BGP, on_lan=False, routers=frozenset({"routeros6", "routeros7", "frr"})),
)
def nat(site: Site) -> None:
    """A destination rule takes every packet for the port, or a source rule gives the clients an address of old."""
    site.router.nat.append(site.rng.choice(("dst-all", "src-clients")))
    site.lose(ROUTER if site.router.nat == ["dst-all"] else RETURN, "silent")


@fault(
    "router-ecmp-rehash",
    "router-ecmp-rehash",
    Wish(stacks=BGP, policy="Cluster", nodes=3, routers=frozenset({"frr", "bird", "eos"})),
    felt=False,
)
def rehash(site: Site) -> None:
    """Established connections break when a next hop goes or comes; new ones work."""
    site.tells.add("rehash")
    site.complaint = "breaks"
    site.nodes[-1].session.drops = 1


@fault(
    "asymmetric-stateful-router",
    "return-asymmetric-stateful-firewall",
    Wish(stacks=BGP, on_lan=True, routers=frozenset({"routeros6", "routeros7", "frr"})),
)
def asymmetric(site: Site) -> None:
    """Client and nodes share the segment, and the router drops what it calls invalid."""
    site.router.firewall.append("drop-invalid")
    site.lose(DATA, "stall")


@fault(
    "one-sided-state-expires",
    "return-asymmetric-stateful-firewall",
    Wish(stacks=BGP, policy="Cluster", on_lan=True, routers=frozenset({"ios"})),
)
def expires(site: Site) -> None:
    """Answers go to the client past the firewall, which forgets the flow of which it sees one half."""
    site.router.firewall.append("half-state")
    site.lose(DATA, "stall", share=True)


@fault("client-onlink-pool", "client-onlink-pool-bgp", Wish(stacks=BGP, on_lan=True))
def onlink_pool(site: Site) -> None:
    """The routed pool lies inside the segment's own subnet, so clients there ask for it by ARP."""
    import ipaddress

    base = ipaddress.ip_address(site.network.split("/")[0]) + 192
    site.pool = f"{base}/27"
    site.service.address = str(base + site.rng.randrange(3, 20))
    site.others = [o for o in site.others if not o[3]]
    if site.announced:
        site.announced = site.pool
    site.lose(NODE_IN - 2, "unreachable")
    site.tells.add("asks-by-arp")
