"""Faults of the entry node's kernel and firewall."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import entry, fault
from benchmarks.diagnosis.generate.flow import DATA, FORWARD, NODE_IN, PROXY
from benchmarks.diagnosis.generate.site import CILIUM, STACKS, Site

WITHOUT_CILIUM = frozenset(STACKS) - CILIUM - {"keepalived"}
KUBE_PROXY = frozenset({"iptables", "ipvs", "nftables"})
NETFILTER = Wish(stacks=WITHOUT_CILIUM, modes=KUBE_PROXY)


@fault(
    "reverse-path-filter",
    "ingress-rp-filter-strict",
    Wish(stacks=frozenset(STACKS) - {"klipper", "keepalived"}, on_lan=False),
)
def rp_filter(site: Site) -> None:
    """The client's network is routed by another interface of the node, and rp_filter is 1."""
    for node in entry(site):
        node.sysctls["net.ipv4.conf.all.rp_filter"] = "1"
        node.sysctls[f"net.ipv4.conf.{site.nic_of(node)}.rp_filter"] = "1"
        node.extra_addresses.append((f"10.60.7.{site.nodes.index(node) + 5}/24", "eth9"))
        node.extra_routes.append(f"{site.client.prefix} via 10.60.7.1 dev eth9 proto static")
        node.counters["TcpExtIPReversePathFilter"] = site.rng.randrange(40, 9000)
        site.lose(NODE_IN + 0, "silent", node=node.name)


@fault("martian-source", "ingress-martian-source", Wish(stacks=WITHOUT_CILIUM, on_lan=False))
def martian(site: Site) -> None:
    """The client's address is an address of the node too: a bridge there has the client's network."""
    for node in entry(site):
        node.extra_addresses.append((f"{site.client.ip}/32", "docker0"))
        node.counters["TcpExtIPReversePathFilter"] = 0
        node.sysctls["net.ipv4.conf.all.log_martians"] = "1"
        line = f"IPv4: martian source {site.service.address} from {site.client.ip}, on dev {site.nic_of(node)}"
        node.kernel_log += [line, line]
        site.lose(NODE_IN, "silent", node=node.name)


@fault("host-firewall-drop", "ingress-host-firewall", NETFILTER)
def firewall_drop(site: Site) -> None:
    """A rule of the host, before the translation (raw) or after it (forward)."""
    for node in entry(site):
        count = site.rng.randrange(12, 900)
        node.raw.append((count, f"-A PREROUTING -p tcp -m tcp --dport {site.service.port} -j DROP"))
        site.lose(NODE_IN, "silent", node=node.name)


@fault("host-firewall-reject", "ingress-host-firewall", NETFILTER)
def firewall_reject(site: Site) -> None:
    """firewalld's default zone rejects what it forwards: ICMP admin-prohibited."""
    for node in entry(site):
        node.firewalld = "reject"
        site.lose(PROXY, "prohibited", node=node.name)


@fault("input-filter", "ingress-host-firewall", Wish(stacks=WITHOUT_CILIUM, modes=frozenset({"ipvs"})))
def input_filter(site: Site) -> None:
    """In IPVS mode the address is local, and INPUT sees the service's own port first."""
    for node in entry(site):
        count = site.rng.randrange(12, 900)
        node.input_ += [
            (count * 80, "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            (4411, "-A INPUT -i lo -j ACCEPT"),
            (93, "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"),
            (201, f"-A INPUT -s {site.network} -p tcp -m tcp --dport 6443 -j ACCEPT"),
            (77, "-A INPUT -p tcp -m tcp --dport 179 -j ACCEPT"),
            (count, "-A INPUT -p tcp -j DROP"),
        ]
        site.lose(PROXY, "silent", node=node.name)


@fault("host-policy-drop", "policy-calico-host-endpoint", Wish(stacks=frozenset({"calico"})))
def host_policy(site: Site) -> None:
    """Host endpoints with a policy that admits the failsafe ports and little else, before the translation."""
    site.tells.add("host-endpoints")
    for node in entry(site):
        site.lose(NODE_IN, "silent", node=node.name)


@fault(
    "forwarding-off",
    "ingress-ip-forward-off",
    Wish(stacks=WITHOUT_CILIUM - {"klipper"}, modes=frozenset({"iptables", "nftables"})),
)
def forwarding(site: Site) -> None:
    for node in entry(site):
        for name in (
            "net.ipv4.ip_forward",
            "net.ipv4.conf.all.forwarding",
            f"net.ipv4.conf.{site.nic_of(node)}.forwarding",
        ):
            node.sysctls[name] = "0"
        site.lose(FORWARD, "silent", node=node.name)


@fault(
    "forward-drop",
    "ingress-forward-drop",
    Wish(stacks=WITHOUT_CILIUM - {"kube-router"}, modes=frozenset({"iptables", "nftables"})),
)
def forward_drop(site: Site) -> None:
    """Outside clients are shut out of FORWARD: by a hardening script's policy of DROP, or in Docker's own chain.

    What the nodes and pods send among themselves is let pass, or the cluster would not work at all.
    """
    inner = [f"{node.ip}/32" for node in site.nodes] + [site.pod_network]
    # What the node masquerades (policy Cluster) is accepted by kube-proxy's mark, and Calico accepts what goes to its
    # pods: another chain has to drop first there.
    by_policy = site.local and site.cni != "calico"
    for node in entry(site):
        node.counters["forward-policy"] = site.rng.randrange(20, 9000) if by_policy else 0
        if by_policy:
            node.forward_policy = "DROP"
            node.forward += [(6120, "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")]
            node.forward += [(site.rng.randrange(90), f"-A FORWARD -s {prefix} -j ACCEPT") for prefix in inner]
        else:
            node.forward.append((site.rng.randrange(20, 900), "-A FORWARD -j DOCKER-USER"))
            node.forward += [(6120, "-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN")]
            node.forward += [(site.rng.randrange(90), f"-A DOCKER-USER -s {prefix} -j RETURN") for prefix in inner]
            node.forward.append((site.rng.randrange(20, 900), f"-A DOCKER-USER -i {site.nic_of(node)} -j DROP"))
        site.lose(FORWARD, "silent", node=node.name)


@fault(
    "conntrack-invalid-drop",
    "ingress-conntrack-invalid-drop",
    Wish(stacks=WITHOUT_CILIUM, modes=frozenset({"iptables"})),
)
def invalid(site: Site) -> None:
    """KUBE-FORWARD drops what connection tracking calls invalid, and transfers stall."""
    for node in entry(site):
        node.counters["invalid"] = site.rng.randrange(200, 90000)
        site.lose(DATA, "stall", node=node.name, share=site.rng.random() < 0.5)


@fault("node-table-full", "ingress-node-resource-exhausted", Wish(stacks=WITHOUT_CILIUM))
def table_full(site: Site) -> None:
    limit = site.rng.choice((65536, 131072, 262144))
    for node in entry(site):
        node.sysctls["net.netfilter.nf_conntrack_max"] = str(limit)
        node.sysctls["net.netfilter.nf_conntrack_count"] = str(limit - site.rng.randrange(3))
        node.kernel_log += ["nf_conntrack: nf_conntrack: table full, dropping packet"] * site.rng.randrange(1, 5)
        site.lose(NODE_IN, "silent", node=node.name, share=True)


@fault("node-datapath-broken", "ingress-node-datapath-broken", Wish(stacks=CILIUM))
def datapath(site: Site) -> None:
    """Cilium's programs are not on the interface that the traffic enters by."""
    site.tells.add("devices")
    for node in entry(site):
        site.lose(PROXY, "silent", node=node.name)


@fault(
    "mixed-backends",
    "proxy-mixed-backends",
    Wish(stacks=WITHOUT_CILIUM, modes=frozenset({"iptables"})),
    accept=("ingress-forward-drop",),  # it is a rule of FORWARD that drops, in the other backend
)
def mixed(site: Site) -> None:
    """Old rules in the other backend drop what kube-proxy's accept."""
    for node in entry(site):
        node.legacy_rules += ["-A FORWARD -s 172.17.0.0/16 -j ACCEPT", "-A FORWARD -j DROP"]
        site.lose(FORWARD, "silent", node=node.name)
