"""Faults of ARP and of what answers it."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.flow import NODE_IN, WIRE
from benchmarks.diagnosis.generate.names import mac
from benchmarks.diagnosis.generate.site import Site

SPEAKING = frozenset({"metallb-l2", "cilium-l2", "kube-vip-arp"})


@fault(
    "ipvs-no-strict-arp",
    "ann-l2-multiple-responders",
    Wish(stacks=frozenset({"metallb-l2", "kube-vip-arp"}), modes=frozenset({"ipvs"}), nodes=2),
)
def no_strict_arp(site: Site) -> None:
    """Every node holds the address on kube-ipvs0 and its kernel answers for it."""
    site.strict_arp = False
    nodes = list(site.nodes)
    site.rng.shuffle(nodes)
    site.responders = [(n.mac, n.name) for n in nodes]
    if not site.local:
        site.lose(NODE_IN, "silent", share=True)


@fault("l2-two-announcers", "ann-l2-multiple-responders", Wish(stacks=SPEAKING, nodes=2))
def two_announcers(site: Site) -> None:
    """The speakers do not see each other (memberlist's 7946 is blocked), or an old leader keeps the address."""
    leader = site.node(site.leader)
    second = site.rng.choice([n for n in site.nodes if n is not leader])
    site.responders = [(leader.mac, leader.name), (second.mac, second.name)]
    site.tells.add("memberlist")
    site.lose(WIRE, site.rng.choice(("silent", "reset")), share=True)


@fault("vrrp-id-collision", "ann-l2-multiple-responders", Wish(stacks=frozenset({"keepalived"}), nodes=2))
def vrrp_collision(site: Site) -> None:
    site.tells.add("vrrp")
    site.responders = [(site.node(site.leader).mac, site.leader)]
    site.lose(WIRE, "silent", share=True)


@fault("l2-antispoof", "ann-l2-hypervisor-antispoof", Wish(stacks=SPEAKING))
def antispoof(site: Site) -> None:
    """The request reaches the leader and its answer is dropped at the virtual port."""
    site.tells.add("arp-reply-lost")
    site.tells.add(site.rng.choice(("openstack", "vmware", "proxmox")))
    vendor = {"openstack": "fa:16:3e", "vmware": "00:50:56", "proxmox": "bc:24:11"}
    prefix = next(v for k, v in vendor.items() if k in site.tells)
    for node in site.nodes:
        node.mac = mac(site.rng, prefix)
    site.responders = []


@fault(
    "l2-nobody-answers", "ann-l2-no-arp-ndp-reply", Wish(stacks=frozenset({"metallb-l2"}), modes=frozenset({"ipvs"}))
)
def nobody_answers(site: Site) -> None:
    """An external address that nothing announces: bound on kube-ipvs0, and strictARP keeps the kernel silent."""
    site.tells.add("external-ips")
    site.responders = []
    site.announces_service = False


@fault("l2-requests-not-delivered", "ann-l2-arp-not-delivered", Wish(stacks=SPEAKING))
def not_delivered(site: Site) -> None:
    """The segment does not carry the broadcast to the leader: Wi-Fi, a filtering bridge, a VLAN."""
    site.tells.add("arp-request-lost")
    site.responders = []


@fault("l2-stale-entry", "ann-l2-stale-arp-fdb", Wish(stacks=SPEAKING, nodes=2))
def stale_entry(site: Site) -> None:
    """After a failover the router (or the client) keeps the old leader's address."""
    old = site.rng.choice([n for n in site.nodes if n.name != site.leader])
    site.tells.add("stale-neighbour")
    site.router.neighbour[site.service.address] = old.mac
    site.lose(WIRE, "silent")


@fault("l2-wrong-interface", "ann-l2-wrong-interface", Wish(stacks=SPEAKING))
def wrong_interface(site: Site) -> None:
    """The list of interfaces names one that the nodes do not have on this segment."""
    wrong = site.rng.choice([nic for nic in ("eth1", "eno2", "enp3s0", "ens224") if nic != site.nic])
    site.interfaces = [wrong if site.stack != "cilium-l2" else f"^{wrong}$"]
    site.tells.add("announce-failed")
    site.responders = []
    if site.stack == "kube-vip-arp":  # it checks at the start, and ends
        for node in site.nodes:
            node.agent = "CrashLoopBackOff"


@fault("pool-not-on-link", "ann-l2-pool-not-onlink", Wish(stacks=SPEAKING))
def not_on_link(site: Site) -> None:
    """A pool outside the segment's subnet: hosts never ask for it by ARP, they send it to their gateway."""
    site.pool = site.rng.choice(("172.19.255.200-172.19.255.250", "10.111.0.10-10.111.0.50", "192.168.203.64/26"))
    start = site.pool.split("-")[0].split("/")[0]
    head, last = start.rsplit(".", 1)
    site.service.address = f"{head}.{int(last) + site.rng.randrange(1, 9)}"
    site.others = [o for o in site.others if not o[3]]
    site.tells.add("off-link")
    site.lose(WIRE - 1, "silent")
