"""Nothing is broken: what somebody looked at means something else."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.site import BGP, CILIUM, METALLB, STACKS, Site

MOST = frozenset(STACKS) - {"keepalived", "klipper"}


@fault(
    "misread-icmp",
    "misread-icmp-to-vip",
    Wish(stacks=METALLB | CILIUM | {"calico"}, modes=frozenset({"iptables", "nftables", "ebpf"})),
    felt=False,
)
def icmp(site: Site) -> None:
    """No kernel owns the address, so ping fails while the service works."""
    site.complaint = "icmp"


@fault("misread-wrong-port", "misread-wrong-port", Wish(stacks=MOST), felt=False)
def wrong_port(site: Site) -> None:
    site.complaint = "port"


@fault(
    "misread-same-node",
    "misread-same-node-test",
    Wish(
        stacks=frozenset({"calico"}),
        modes=frozenset({"ipvs"}),
        encapsulations=frozenset({"none"}),
        policy="Local",
        nodes=3,
    ),
    accept=("proxy-hairpin",),
    felt=False,
)
def same_node(site: Site) -> None:
    """IPVS on a node without a pod: the node's own test fails, clients outside are served."""
    site.minor = max(site.minor, 24)
    site.complaint = "inside"


@fault("misread-expected", "misread-expected-behaviour", Wish(stacks=BGP, policy="Cluster", nodes=2), felt=False)
def expected(site: Site) -> None:
    """Every node announces under policy Cluster; somebody takes that for a fault."""
    site.complaint = "listing"
