"""Faults of the way back."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import entry, fault
from benchmarks.diagnosis.generate.flow import DATA, REPLY_OUT, RETURN
from benchmarks.diagnosis.generate.site import BGP, CILIUM, STACKS, Site

ROUTED = frozenset(STACKS) - {"klipper", "keepalived"}


@fault("return-route-missing", "return-no-route-to-client", Wish(stacks=ROUTED, on_lan=False))
def no_route(site: Site) -> None:
    """The nodes' default route leads to a gateway that does not know the client."""
    other = site.spare()
    for node in site.nodes:
        node.default_via = other
        site.lose(REPLY_OUT, "silent", node=node.name)


@fault("return-wrong-interface", "return-wrong-interface-multihomed", Wish(stacks=ROUTED, on_lan=False))
def wrong_interface(site: Site) -> None:
    """The nodes have a second network, and answer by its default route."""
    for i, node in enumerate(site.nodes):
        node.extra_addresses.append((f"10.61.8.{i + 5}/24", "eth8"))
        node.default_via = "10.61.8.1"
        node.sysctls["net.ipv4.conf.all.rp_filter"] = "2"
        site.lose(REPLY_OUT, "silent", node=node.name)
    site.tells.add("second-network")


@fault(
    "return-source-untranslated",
    "return-source-not-translated",
    Wish(
        stacks=frozenset({"metallb-l2", "metallb-bgp", "metallb-frr", "calico"}),
        policy="Cluster",
        modes=frozenset({"iptables"}),
        nodes=2,
        remote=True,
    ),
)
def untranslated(site: Site) -> None:
    """The entry node does not masquerade, and the other node's pod answers the client itself."""
    for node in entry(site):
        site.lose(RETURN, "wrong-source", node=node.name, remote=True)
    site.tells.add("wrong-source-answers")


@fault("return-antispoof", "return-antispoof", Wish(stacks=BGP, on_lan=False))
def antispoof(site: Site) -> None:
    """uRPF or source guard at the nodes' port drops answers with the service's address as source."""
    site.tells.add("urpf")
    site.lose(RETURN, "silent")


@fault("direct-return-dropped", "return-dsr-dropped", Wish(stacks=CILIUM, policy="Cluster", nodes=2, remote=True))
def direct_return(site: Site) -> None:
    """loadBalancer.mode=dsr, and the fabric drops packets with the option or the foreign source."""
    site.tells.add("dsr")
    site.lose(RETURN, "silent", remote=True)


@fault("mtu-blackhole", "return-mtu-pmtud", Wish(stacks=ROUTED, on_lan=False))
def mtu(site: Site) -> None:
    """A link to the client carries less than 1500 bytes, and the ICMP error is lost."""
    site.mtu = {"path": site.rng.choice((1400, 1420, 1476, 1492))}
    site.tells.add("path-mtu")
    site.lose(DATA, "stall")
