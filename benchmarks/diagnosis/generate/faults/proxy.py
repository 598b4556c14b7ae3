"""Faults of the service proxy."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import entry, fault
from benchmarks.diagnosis.generate.flow import PROXY
from benchmarks.diagnosis.generate.site import CILIUM, STACKS, Site

KUBE_PROXY = Wish(stacks=frozenset(STACKS) - CILIUM - {"klipper", "kube-router", "keepalived"})


@fault("service-proxy-down", "proxy-down", KUBE_PROXY)
def proxy_down(site: Site) -> None:
    for node in entry(site):
        node.proxy = site.rng.choice(("CrashLoopBackOff", "ImagePullBackOff", "Error"))
        node.programmed = False
        node.proxy_log = [
            'E0312 09:11:02.113004 1 server.go:498] "Error running ProxyServer" err="unable to create proxier"'
        ]
        site.lose(PROXY, "unreachable", node=node.name, inside=True)


@fault(
    "address-not-programmed",
    "proxy-lb-ip-not-programmed",
    Wish(stacks=frozenset(STACKS) - {"klipper", "keepalived"} - CILIUM),
)
def not_programmed(site: Site) -> None:
    """ipMode Proxy keeps the address out of kube-proxy's rules; kube-router has to be told to take it."""
    if site.stack == "kube-router":
        site.tells.add("kube-router-without-lb")
    else:
        site.service.ip_mode = "Proxy"
        site.minor = max(site.minor, 30)
    for node in site.nodes:
        node.programmed = False
        # The packet follows the node's routes back to the router until its TTL ends, or nobody answers for it.
        site.lose(PROXY, "unreachable", node=node.name, inside=True)


@fault(
    "local-policy-misprogrammed",
    "proxy-etp-local-misprogrammed",
    Wish(stacks=KUBE_PROXY.stacks, policy="Local", modes=frozenset({"iptables", "nftables"})),
)
def misprogrammed(site: Site) -> None:
    """The node is called otherwise in the cluster than kube-proxy calls itself, so no endpoint is local.

    IPVS goes on: since 1.24 it falls back to all endpoints, the node's own among them.
    """
    site.tells.add("hostname-override")
    for node in site.with_pod():
        lost = f'nodes "{node.name}.internal" not found'
        node.proxy_log = [
            f"E0312 09:10:44.120011 1 node.go:130] Failed to retrieve node info: {lost}"
            if site.minor < 27
            else f'E0312 09:10:44.120011 1 server.go:666] "Failed to retrieve node info" err="{lost}"'.replace(
                f'"{node.name}.internal"', f'\\"{node.name}.internal\\"'
            )
        ]
        site.lose(PROXY, "silent", node=node.name)


@fault("source-ranges-deny", "policy-source-ranges", Wish(stacks=frozenset(STACKS) - {"klipper", "keepalived"}))
def source_ranges(site: Site) -> None:
    site.service.ranges = site.rng.choice((("10.1.2.0/24",), ("192.0.2.0/25", "10.123.0.0/16"), ("172.30.8.0/22",)))
    site.lose(PROXY, "silent")


@fault("stale-conntrack", "proxy-stale-conntrack", Wish(stacks=KUBE_PROXY.stacks, modes=frozenset({"iptables"})))
def stale(site: Site) -> None:
    """Entries of a pod that is gone catch a client that keeps its port."""
    site.tells.add("stale-conntrack")
    site.lose(PROXY, "silent", share=True)


@fault("hairpin", "proxy-hairpin", Wish(nodes=2), accept=("misread-same-node-test",), felt=False)
def hairpin(site: Site) -> None:
    """Works from outside and not from a pod that is its own endpoint."""
    site.complaint = "inside"
    site.tells.add("hairpin")
