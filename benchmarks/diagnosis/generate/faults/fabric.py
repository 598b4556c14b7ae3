"""Faults between the nodes."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.flow import DATA, FABRIC
from benchmarks.diagnosis.generate.site import CILIUM, STACKS, Site

TUNNELS = Wish(
    stacks=frozenset(STACKS) - {"keepalived"},
    policy="Cluster",
    encapsulations=frozenset({"vxlan", "ipip"}),
    nodes=2,
    remote=True,
)


@fault("encapsulation-blocked", "fabric-encapsulation-blocked", TUNNELS)
def blocked(site: Site) -> None:
    """A firewall between the nodes drops the tunnel's packets."""
    site.tells.add("tunnel-lost")
    site.lose(FABRIC, "silent", remote=True, inside=True)


@fault(
    "checksum-offload",
    "fabric-checksum-offload",
    Wish(stacks=TUNNELS.stacks - CILIUM, policy="Cluster", encapsulations=frozenset({"vxlan"}), nodes=2, remote=True),
)
def checksum(site: Site) -> None:
    """The outer checksum of masqueraded packets is wrong: the first SYNs are lost, or all (kubernetes issue 88986)."""
    site.tells.add("bad-checksum")
    for node in site.with_pod():
        node.counters["UdpInCsumErrors"] = site.rng.randrange(60, 4000)
    site.lose(FABRIC, site.rng.choice(("slow", "silent")), remote=True, inside=True)


@fault("tunnel-mtu", "return-mtu-pmtud", TUNNELS)
def tunnel_mtu(site: Site) -> None:
    """The pods' MTU leaves no room for the tunnel's header."""
    site.mtu = {"pod": 1500, "link": 1500, "tunnel": 1500}
    site.tells.add("mtu-between-nodes")
    site.lose(DATA, "stall", remote=True, inside=True)


@fault(
    "pod-wrong-network",
    "pod-wrong-network",
    Wish(
        stacks=frozenset({"calico", "metallb-l2", "metallb-bgp", "metallb-frr"}), policy="Cluster", nodes=2, remote=True
    ),
)
def wrong_network(site: Site) -> None:
    """The pods started on the runtime's own bridge: 10.85.0.0/16 exists on every node."""
    for pod in site.pods:
        pod.ip = f"10.85.0.{site.rng.randrange(3, 60)}"
    site.system = ("Rocky Linux 9.3 (Blue Onyx)", "5.14.0-362.8.1.el9_3.x86_64", "cri-o://1.28.4")
    for node in site.nodes:
        node.extra_addresses.append(("10.85.0.1/16", "cni0"))
    site.lose(FABRIC, "silent", remote=True, inside=True)
