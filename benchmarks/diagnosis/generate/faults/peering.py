"""Faults of the BGP sessions and of what goes over them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import announcing, fault
from benchmarks.diagnosis.generate.flow import ROUTER
from benchmarks.diagnosis.generate.site import BGP, Node, Site

ANY_BGP = Wish(stacks=BGP)
LISTENS = frozenset({"calico", "kube-router"})  # the others only dial
WITH_OWN_DAEMON = frozenset({"calico", "metallb-frr"})  # the node's side prints a BGP table
# What stays announced while the nodes with a pod are silent: Calico's range, from the nodes without one.
FALLBACK = ("ann-from-node-without-endpoint", "proxy-no-local-endpoint")


def _words(site: Site, at_node: str, error: str, at_router: str | None, nodes: Sequence[Node] = ()) -> None:
    for node in nodes or announcing(site):
        node.session.down(at_node, error, at_router)


@fault("bgp-session-blocked", "ann-bgp-session-blocked", ANY_BGP)
def blocked(site: Site) -> None:
    """Measured with BIRD against FRR: dropped, rejected, and no neighbour entry look like this."""
    which = site.rng.choice(("dropped", "rejected", "no-neighbour", "no-neighbour"))
    if which == "dropped":
        word = site.rng.choice(("Connect", "Active"))
        _words(
            site,
            word,
            "" if word == "Connect" else "Socket: Connection timed out",
            site.rng.choice(("Connect", "Active")),
        )
    elif which == "rejected":
        error = site.rng.choice(("Socket: Connection refused", "Socket: No route to host"))
        _words(site, "Active", error, site.rng.choice(("Connect", "Active")))
    else:
        _words(site, "Active", site.rng.choice(("Socket: Connection reset by peer", "Socket: Connection closed")), None)
    site.tells.add(f"179:{which}")


@fault("bgp-rejected-by-peer", "ann-bgp-rejected-by-peer", ANY_BGP)
def rejected(site: Site) -> None:
    """Another AS number than the peer expects, or a neighbour that is shut down there."""
    if site.rng.random() < 0.6:
        # One number for all: it stands in the cluster's configuration.
        error = site.rng.choice(("Received: Bad peer AS", "BGP Error: Bad peer AS"))
        _words(site, "Idle", error, "Active", site.nodes)
        site.tells.add("bad-as")
    else:
        measured = site.rng.choice(("Received: Administrative shutdown", "Socket: Connection closed"))
        _words(site, "Active", measured, "Idle (Admin)")


@fault("bgp-authentication", "ann-bgp-session-auth", ANY_BGP)
def authentication(site: Site) -> None:
    """A password on one side, or two: who gets a segment with the wrong signature drops it, and counts it where a
    socket listens for it.
    """
    site.password = site.rng.random() < 0.7
    nodes = site.nodes if site.password else announcing(site)  # the cluster's password is one for all
    _words(site, "Connect", "", site.rng.choice(("Connect", "Active")), nodes)
    differs = site.password and site.rng.random() < 0.4
    at_node, at_router = ("NotFound", "Unexpected") if site.password else ("Unexpected", "NotFound")
    for node in nodes if site.stack in LISTENS else ():
        node.counters[f"TcpExtTCPMD5{'Failure' if differs else at_node}"] = site.rng.randrange(30, 4000)
    site.router.counters[f"TcpExtTCPMD5{'Failure' if differs else at_router}"] = site.rng.randrange(30, 4000)
    if differs or not site.password:
        site.router.wants_password = [node.ip for node in nodes]
    site.tells.add("179:dropped" if site.router.wants_password else "179:open")


@fault("bgp-multihop-missing", "ann-bgp-session-multihop", Wish(stacks=BGP - {"calico"}))
def multihop(site: Site) -> None:
    """The peer is the router's address in another network, and nobody set multihop."""
    site.router.peer = site.router.office_ip
    site.multihop = False
    words = site.rng.choice(("Idle", "Active", "Connect")), "", site.rng.choice(("Active", "Idle", "Connect"))
    _words(site, *words, site.nodes)


@fault("bgp-wrong-source-address", "ann-bgp-wrong-source-address", Wish(stacks=frozenset({"calico"})))
def wrong_source(site: Site) -> None:
    """Autodetection took a VPN's, a bridge's or a floating address."""
    device = site.rng.choice(("wg0", "tun0", "eth1", "br-lan"))
    net = {"wg0": "10.8.0", "tun0": "10.9.0", "eth1": "10.55.0", "br-lan": "192.168.222"}[device]
    for i, node in enumerate(site.nodes):
        node.extra_addresses.append((f"{net}.{i + 2}/24", device))
    error = site.rng.choice(
        ("Socket: Connection reset by peer", "Socket: Connection closed", "Socket: Connection timed out")
    )
    for node in announcing(site):
        node.peer_source = next(a for a, d in node.extra_addresses if d == device).split("/")[0]
        node.session.down("Active", error, "Active")
    site.tells.add("wrong-source")


@fault("bgp-session-flapping", "ann-bgp-session-flapping", ANY_BGP)
def flapping(site: Site) -> None:
    why = site.rng.choice(("Error: Hold timer expired", "Received: Hold timer expired", "Error: BFD session down"))
    for node in announcing(site):
        node.session.minutes, node.session.drops, node.session.error = 0, site.rng.randrange(20, 400), why
    site.tells.add("flaps")
    site.lose(ROUTER, "silent", share=True)


@fault("bgp-session-stale", "ann-bgp-session-stale", ANY_BGP)
def stale(site: Site) -> None:
    """The router's pair failed over: the new half knows nothing of the session that the nodes still hold up."""
    for node in site.nodes:
        node.session.up = False
        node.session.at_router = site.rng.choice(("Active", "Connect"))
    site.tells.add("router-failed-over")


@fault("bgp-two-speakers", "ann-bgp-two-speakers", Wish(stacks=frozenset({"calico", "metallb-frr"})))
def two_speakers(site: Site) -> None:
    """Another daemon holds port 179 on the node, or a second speaker has the session from the same address."""
    if site.stack == "calico":
        _words(site, "Idle", "Error: No listening socket", "Active")
        for node in announcing(site):
            node.listeners.append('LISTEN 0 4096 0.0.0.0:179 0.0.0.0:* users:(("bgpd",pid=1043,fd=22))')
    else:
        _words(site, "Active", "Received: Connection rejected", "Established")
        for node in announcing(site):
            node.listeners.append('LISTEN 0 8 0.0.0.0:179 0.0.0.0:* users:(("bird",pid=2210,fd=7))')
    site.tells.add("two-speakers")


@fault("bgp-bad-next-hop", "ann-bgp-bad-attributes", ANY_BGP)
def bad_next_hop(site: Site) -> None:
    """The next hop is an address of the node that the router has no route to."""
    for i, node in enumerate(site.nodes):
        node.peer_source = f"169.254.77.{i + 2}" if site.rng.random() < 0.2 else f"10.222.0.{i + 11}"
        node.extra_addresses.append((f"{node.peer_source}/24", "eth1"))
        for prefix in (f"{site.service.address}/32", site.announced):
            site.router.hidden[prefix] = "inaccessible"
    site.tells.add("next-hop")


@fault("calico-bgpfilter-rejects-service", "ann-bgp-export-filter", Wish(stacks=frozenset({"calico"})))
def bgp_filter(site: Site) -> None:
    """A rule that rejects what is inside the pool, or everything but something else."""
    host = f"{site.service.address}/32"
    which = site.rng.choice(("in", "all"))
    site.bgp_filter = "In " + site.pool if which == "in" else "NotIn 10.0.0.0/30"
    for node in site.nodes:
        node.withheld |= {host, site.pool}
    site.version = site.rng.choice(("3.26.1", "3.27.3", "3.28.0"))


@fault("export-policy-rejects", "ann-bgp-export-filter", Wish(stacks=frozenset({"metallb-frr"})))
def export_policy(site: Site) -> None:
    """A route map in the speaker's raw configuration leaves the service's route out."""
    for node in site.nodes:
        node.withheld.add(f"{site.service.address}/32")
    site.tells.add("raw-config")
