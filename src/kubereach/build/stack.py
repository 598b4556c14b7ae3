"""Which products the evidence shows, and which of them announces the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.build.leaves import Leaves
from kubereach.model.address import contains
from kubereach.model.attribute import ANNOUNCER, LB_CIDRS, PROXY_MODE
from kubereach.model.fact import (
    BgpSession,
    Fact,
    Interface,
    InterfaceAddress,
    LogEvent,
    ObjectListing,
    Packet,
    Route,
    Setting,
    Trust,
)
from kubereach.model.kube_object import CILIUM_LEASE, KubeObject, ObjectKey
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

WORDS = (
    "calico",
    "metallb",
    "cilium",
    "kube-vip",
    "klipper",
    "servicelb",
    "kube-router",
    "openelb",
    "flannel",
    "weave",
    "mikrotik",
    "routeros",
    "pfsense",
    "opnsense",
    "fortigate",
    "cisco",
    "arista",
    "juniper",
    "vyos",
    "edgeos",
    "unifi",
    "frr",
    "bird",
    "k3s",
    "talos",
    "openstack",
    "vmware",
    "keepalived",
)
KIND_WORDS = {
    "BGPConfiguration": "calico",
    "BGPFilter": "calico",
    "FelixConfiguration": "calico",
    "HostEndpoint": "calico",
    "GlobalNetworkPolicy": "calico",
    "IPPool": "calico",
    "Installation": "calico",
    "IPAddressPool": "metallb",
    "L2Advertisement": "metallb",
    "BGPAdvertisement": "metallb",
    "CiliumL2AnnouncementPolicy": "cilium",
    "CiliumBGPPeeringPolicy": "cilium",
    "CiliumBGPClusterConfig": "cilium",
    "CiliumLoadBalancerIPPool": "cilium",
    "CiliumBGPAdvertisement": "cilium",
    "CiliumBGPPeerConfig": "cilium",
}
# The links that the pods' networks make on a node.
LINK_WORDS = (
    (r"cali[0-9a-f]|vxlan\.calico", "calico"),
    (r"lxc[0-9a-f]|cilium_", "cilium"),
    (r"flannel", "flannel"),
    (r"kube-bridge|kube-dummy-if", "kube-router"),
    (r"weave$", "weave"),
)
# Whose pods, namespaces and tools a command that printed something names.
COMMAND_WORDS = (
    (r"calico-(?:node|system)\b|\bcalicoctl\b", "calico"),
    (r"\bmetallb-system\b", "metallb"),
    (r"\bcilium-dbg\b|\bcilium (?:bgp|status|config|service|bpf)\b|k8s-app=cilium\b", "cilium"),
    (r"\bkube-router\b", "kube-router"),
    (r"\bkube-vip\b(?!-cloud)", "kube-vip"),
)
# What only these products call their pods, settings and leases.
_NAMED = frozenset({"ConfigMap", "Pod", "DaemonSet", "Lease"})
NAMES = (
    (r"kube-?vip(?!-cloud)|plndr-(?:svcs|cp)-lock", "kube-vip"),
    (r"cilium-(?:operator|l2announce|config|envoy)|cilium-[a-z0-9]{5}$|cilium$", "cilium"),
    (r"calico-(?:node|typha|kube-controllers)", "calico"),
    (r"kube-router", "kube-router"),
)
# A kind whose presence says who announces.
KIND_ANNOUNCERS = {
    "CiliumL2AnnouncementPolicy": "cilium-l2",
    "CiliumBGPPeeringPolicy": "cilium-bgp",
    "CiliumBGPClusterConfig": "cilium-bgp",
    "L2Advertisement": "metallb-l2",
    "BGPAdvertisement": "metallb-bgp",
}
# Whose log speaks of a BGP peer.
_LOGGED_PEERS = (("metallb", "metallb-bgp"), ("kube-vip", "kube-vip-bgp"))
# Where these are, keepalived holds the address of the API server more often than a service's.
BESIDE_KEEPALIVED = frozenset({"metallb", "cilium", "calico", "kube-vip", "klipper", "servicelb", "openelb"})
LAYER2_WORDS = ("layer 2", "layer2", " l2", "arp", "vrrp")


def find_stack(objects: dict[ObjectKey, KubeObject], facts: tuple[Fact, ...]) -> frozenset[str]:
    """The product words that objects, statements and programs show."""
    found = {KIND_WORDS[kind] for kind, _, _ in objects if kind in KIND_WORDS}
    for fact in facts:
        found |= _shown(fact)
    for (kind, namespace, name), entry in objects.items():
        if kind == "Service":
            notes = entry.mapping("metadata.annotations")
            found |= {word for word in ("metallb", "kube-vip") if any(word in key for key in notes)}
        if kind in _NAMED:
            found |= {word for pattern, word in NAMES if re.match(pattern, name)}
        if kind in {"Pod", "DaemonSet"} and name.startswith("svclb-"):
            found.add("servicelb")
        if namespace in {"calico-system", "metallb-system"}:
            found.add(namespace.removesuffix("-system"))
    return frozenset(found)


def _shown(fact: Fact) -> set[str]:
    """The product words of one statement, program, session, listing or link."""
    found: set[str] = set()
    if isinstance(fact, Setting):
        text = f"{fact.attribute} {fact.value}".lower()
        if re.match(r"firewall\.(?:filter|nat|raw|mangle)\[|routing-filter\[", fact.attribute):
            found.add("routeros")
        words = {word for word in WORDS if word in text}
        # k3s enforces network policies with kube-router's code, whose chains tell nothing of who announces.
        found |= words - {"kube-router"} if re.match(r"iptables\.|nft\.", fact.attribute) else words
    elif isinstance(fact, LogEvent):
        found |= {word for word in WORDS if word in fact.program}
    elif isinstance(fact, BgpSession) and fact.peer_type:
        found.add("calico")
    elif isinstance(fact, ObjectListing) and fact.kind in KIND_WORDS:
        found.add(KIND_WORDS[fact.kind])  # who has none of them has their definition
    found |= {word for pattern, word in COMMAND_WORDS if re.search(pattern, fact.origin.command)}
    return found | {word for link in _links(fact) for pattern, word in LINK_WORDS if re.match(pattern, link)}


def _links(fact: Fact) -> tuple[str, ...]:
    if isinstance(fact, Route):
        return tuple(hop.interface for hop in fact.next_hops)
    if isinstance(fact, (InterfaceAddress, Packet)):
        return (fact.interface,)
    return (fact.name,) if isinstance(fact, Interface) else ()


def put_announcer(
    stack: frozenset[str],
    objects: dict[ObjectKey, KubeObject],
    facts: tuple[Fact, ...],
    flow: Flow | None,
    leaves: Leaves,
) -> None:
    """Put who announces the flow's address, as surely as it is known, and the defaults that come with it.

    `flow` is None where a host has the address on an interface of its own, so that a kernel answers for it.
    """
    if flow and (external := _external(objects, flow, stack, leaves)):
        leaves.put("cluster", ANNOUNCER, "kernel-l2", external)
        return
    _by_record(objects, flow, leaves)
    _by_bird(facts, flow, leaves)
    _by_kind(objects, leaves)
    if leaves.get("cluster", LB_CIDRS):
        seen = leaves.table[LB_CIDRS.of("cluster")]
        leaves.put("cluster", ANNOUNCER, "calico-bgp", seen.origins, seen.trust)
    for name, origin, trust in (*_of_options(facts), *_of_kube_vip(objects)):
        leaves.put("cluster", ANNOUNCER, name, (origin,), trust)
    for fact in facts:
        if not isinstance(fact, Setting) or fact.attribute != "load-balancer":
            continue
        if name := announcer_named(str(fact.value)):
            leaves.put("cluster", ANNOUNCER, name, (fact.origin,), min(fact.trust, Trust.STATED))
    _by_peers(facts, leaves)
    _guess(stack, leaves)
    announcer = leaves.get("cluster", ANNOUNCER) or ""
    if announcer.startswith("cilium") and leaves.get("cluster", PROXY_MODE) is None:
        # Cilium's announcers need its kube-proxy replacement (others.md section 1).
        leaves.put("cluster", PROXY_MODE, "ebpf", (), Trust.MENTIONED)


def _by_peers(facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """Whoever has a BGP peer announces by BGP."""
    for fact in facts:
        if isinstance(fact, LogEvent) and "peer" in dict(fact.fields):
            for program, announcer in _LOGGED_PEERS:
                if fact.program.startswith(program):
                    leaves.put("cluster", ANNOUNCER, announcer, (fact.origin,), fact.trust)
        elif isinstance(fact, BgpSession) and re.search(r"\bmetallb-system\b|\bspeaker-\w", fact.origin.command):
            leaves.put("cluster", ANNOUNCER, "metallb-bgp", (fact.origin,), Trust.STATED)  # its own FRR has a peer


def _by_record(objects: dict[ObjectKey, KubeObject], flow: Flow | None, leaves: Leaves) -> None:
    """Whoever keeps a record of the service's announcement: Cilium its Lease, MetalLB its status and its event.

    Cilium names the Lease cilium-l2announce-NAMESPACE-NAME (others.md section 1); MetalLB's speaker keeps a
    ServiceL2Status a service and node, and says the protocol in its event nodeAssigned (metallb.md).
    """
    _, namespace, service = flow.service.split("/", 2) if flow else ("", "", "")
    for (kind, _, name), entry in objects.items():
        announcer, path = "", "metadata.name"
        if kind == "Lease" and name == f"{CILIUM_LEASE}{namespace}-{service}":
            announcer, path = "cilium-l2", "spec.holderIdentity"
        elif kind == "ServiceL2Status" and service and entry.text("status.serviceName") == service:
            announcer, path = "metallb-l2", "status.serviceName"
        elif kind == "Event" and entry.text("reason") == "nodeAssigned":
            said = re.search(r'announcing from node .{1,80} with protocol "(layer2|bgp)"', entry.text("message"))
            announcer, path = f"metallb-{said[1].replace('layer2', 'l2')}" if said else "", "message"
        if announcer:
            leaves.put("cluster", ANNOUNCER, announcer, entry.origins(path)[:1])
            return
    for (kind, _, name), entry in objects.items():
        if kind == "Lease" and name.startswith(CILIUM_LEASE):  # of another service, or of one not shown
            leaves.put("cluster", ANNOUNCER, "cilium-l2", entry.origins("spec.holderIdentity")[:1], Trust.MENTIONED)
            return


def _by_bird(facts: tuple[Fact, ...], flow: Flow | None, leaves: Leaves) -> None:
    """A node's BIRD that has a route of its own for the address announces it (calico.md section 4)."""
    for fact in facts:
        own = isinstance(fact, Route) and fact.table == "bird" and fact.kind == "blackhole" and fact.device != "router"
        if flow and flow.address and isinstance(fact, Route) and own and contains(fact.prefix, flow.address):
            leaves.put("cluster", ANNOUNCER, "calico-bgp", (fact.origin,), fact.trust)
            return


def _by_kind(objects: dict[ObjectKey, KubeObject], leaves: Leaves) -> None:
    for kind, announcer in KIND_ANNOUNCERS.items():
        where = [o for (k, _, _), entry in objects.items() if k == kind for o in entry.origins("spec", "metadata")]
        if any(k == kind for k, _, _ in objects):
            leaves.put("cluster", ANNOUNCER, announcer, where[:1])
            return


def _external(
    objects: dict[ObjectKey, KubeObject], flow: Flow, stack: frozenset[str], leaves: Leaves
) -> tuple[Origin, ...]:
    """Where the address stands in spec.externalIPs, given by no load balancer, and so announced by none.

    Calico, Cilium and kube-router announce such addresses too where they are told to; keepalived asks no service.
    """
    calico = "calico" in stack and not stack & {"metallb", "kube-vip"}
    if calico or leaves.get("cluster", LB_CIDRS) is not None or stack & {"cilium", "kube-router", "keepalived"}:
        return ()
    _, namespace, name = flow.service.split("/", 2)
    entry = objects.get(("Service", namespace, name))
    if entry is None or not flow.address or flow.address not in entry.scalars("spec.externalIPs"):
        return ()
    given = {element.text("ip") for element in entry.elements("status.loadBalancer.ingress")}
    return () if flow.address in given else entry.origins("spec.externalIPs")[:1]


def _of_options(facts: tuple[Fact, ...]) -> Iterator[tuple[str, Origin, Trust]]:
    """The announcers that options of the cluster turn on."""
    for fact in facts:
        if isinstance(fact, Setting) and fact.subject == "cluster" and (name := mode_option(fact)):
            yield name, fact.origin, fact.trust


def _of_kube_vip(objects: dict[ObjectKey, KubeObject]) -> Iterator[tuple[str, Origin, Trust]]:
    """The mode that kube-vip's environment turns on: `bgp_enable` or `vip_arp` (kube-vip's flags and variables)."""
    for (kind, _, name), entry in objects.items():
        if kind not in {"DaemonSet", "Pod"} or not re.match(r"kube-?vip(?!-cloud)", name):
            continue
        for path, leaf in entry.fields.items():
            announcer = {"bgp_enable": "kube-vip-bgp", "vip_arp": "kube-vip-arp"}.get(str(leaf.value))
            value = entry.fields.get(f"{path.removesuffix('.name')}.value")
            if announcer and re.search(r"\.env\[\d+\]\.name$", path) and value and str(value.value).lower() == "true":
                yield announcer, value.origin, Trust.OUTPUT


def mode_option(fact: Setting) -> str:
    """The announcer that an option turns on (`bgp_enable: true`, `l2announcements: enabled`); "" for none."""
    attribute, said = fact.attribute.lower(), str(fact.value).strip().lower()
    if not re.match(r"(?:true|enabled|yes|on|1)\b", said):
        return ""
    for words, name in (
        (r"kube-?vip.*bgp", "kube-vip-bgp"),
        (r"kube-?vip.*arp", "kube-vip-arp"),
        (r"cilium.*l2-?announcement|^(?:enable-)?l2-?announcements?(?:\.enabled)?$", "cilium-l2"),
        (r"cilium.*bgp-?control-?plane|^(?:enable-)?bgp-?control-?plane(?:\.enabled)?$", "cilium-bgp"),
    ):
        if re.search(words, attribute):
            return name
    return ""


def announcer_named(text: str) -> str:
    """The announcer that a free description such as `MetalLB 0.13.9, layer 2` means; "" for none."""
    lowered = f" {text.lower()}"
    if lowered.strip() in {"none", "no", "false", "not installed", "nothing", "absent"}:
        return "kernel-l2"
    mode = "l2" if any(word in lowered for word in LAYER2_WORDS) else "bgp" if "bgp" in lowered else ""
    for product in ("metallb", "cilium"):
        if product in lowered and mode:
            return f"{product}-{mode}"
    if "kube-vip" in lowered:
        return {"bgp": "kube-vip-bgp", "l2": "kube-vip-arp"}.get(mode, "")
    if "calico" in lowered:
        return "calico-bgp"
    if "klipper" in lowered or "servicelb" in lowered:
        return "klipper"
    if "kube-router" in lowered:
        return "kube-router"
    if "keepalived" in lowered:
        return "keepalived-arp"
    if "openelb" in lowered:
        return "other-l2" if mode == "l2" else "openelb"
    return {"bgp": "other-bgp", "l2": "other-l2"}.get(mode, "")


def _guess(stack: frozenset[str], leaves: Leaves) -> None:
    if leaves.get("cluster", ANNOUNCER) is not None:
        return
    for word, announcer in (
        ("klipper", "klipper"),
        ("servicelb", "klipper"),
        ("kube-router", "kube-router"),
        ("openelb", "openelb"),
    ):
        if word in stack and not (announcer == "klipper" and "metallb" in stack):  # beside it, who announces is open
            leaves.put("cluster", ANNOUNCER, announcer, (), Trust.MENTIONED)
            return
    if "keepalived" in stack and not stack & BESIDE_KEEPALIVED:
        leaves.put("cluster", ANNOUNCER, "keepalived-arp", (), Trust.MENTIONED)
