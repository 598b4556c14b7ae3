"""The cluster's own configuration: versions, kube-proxy, Calico, MetalLB."""

from __future__ import annotations

import re

from kubereach.build.leaves import Leaves
from kubereach.build.speakers import speakers_peers
from kubereach.model.address import canonical_address, canonical_prefix
from kubereach.model.attribute import (
    BGP_POOLS,
    CLUSTER_AS,
    CNI,
    ENCAPSULATION,
    EXPORT_FILTERS,
    FILTERS_UNSHOWN,
    KUBERNETES_MINOR,
    L2_POOLS,
    LB_CIDRS,
    MESH,
    NAT_OUTGOING,
    PEERS,
    POOL_ADDRESSES,
    POOL_AUTO_ASSIGN,
    POOLS,
    PROXY_MODE,
    STRICT_ARP,
    FilterRule,
    Peer,
)
from kubereach.model.fact import Fact, Setting, Trust
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]


def build_cluster(objects: Objects, facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """Put every leaf of subject `cluster` and of the pools."""
    for (kind, _, _), entry in objects.items():
        if builder := _BUILDERS.get(kind):
            builder(entry, leaves)
    _put_filters(objects, leaves)
    _put_metallb(objects, leaves)
    for fact in facts:
        if isinstance(fact, Setting) and fact.subject == "cluster":
            _put_stated(fact, leaves)


def minor_version(text: str) -> int | None:
    """24 for `v1.24.3`, None for anything that is no Kubernetes 1.x version."""
    match = re.search(r"\bv?1\.(\d{1,2})(?:\.|\b)", text)
    return int(match[1]) if match else None


def _put_stated(fact: Setting, leaves: Leaves) -> None:
    value, where = str(fact.value).strip(), (fact.origin,)
    match fact.attribute:
        case "kubernetes.version":
            if (minor := minor_version(value)) is not None:
                leaves.put("cluster", KUBERNETES_MINOR, minor, where, fact.trust)
        case "kube-proxy.mode":
            leaves.put("cluster", PROXY_MODE, value.lower(), where, fact.trust)
        case "kube-proxy.strictARP" | "kube-proxy.ipvs.strictARP":
            leaves.put("cluster", STRICT_ARP, value.lower() == "true", where, fact.trust)
        case "cni":
            leaves.put("cluster", CNI, value.lower().split()[0] if value else "", where, fact.trust)


def _node(entry: KubeObject, leaves: Leaves) -> None:
    path = "status.nodeInfo.kubeletVersion"
    if (minor := minor_version(entry.text(path))) is not None:
        leaves.put("cluster", KUBERNETES_MINOR, minor, entry.origins(path), entry.trust(path))


def _config_map(entry: KubeObject, leaves: Leaves) -> None:
    if entry.name != "kube-proxy":
        return
    config = 'data["config.conf"]'
    if f"{config}.mode" in entry.fields:
        # An empty mode is the platform's default, iptables on Linux (kube-proxy.md section 8).
        leaves.put("cluster", PROXY_MODE, entry.text(f"{config}.mode") or "iptables", entry.origins(f"{config}.mode"))
    strict = entry.value(f"{config}.ipvs.strictARP")
    if isinstance(strict, bool):
        leaves.put("cluster", STRICT_ARP, strict, entry.origins(f"{config}.ipvs.strictARP"))


def _bgp_configuration(entry: KubeObject, leaves: Leaves) -> None:
    if entry.name != "default":
        return  # per-node resources honour none of these (calico.md section 1)
    asn = entry.number("spec.asNumber")
    if asn is not None:
        leaves.put("cluster", CLUSTER_AS, asn, entry.origins("spec.asNumber"))
    mesh = entry.value("spec.nodeToNodeMeshEnabled")
    leaves.put("cluster", MESH, mesh is not False, entry.origins("spec.nodeToNodeMeshEnabled") or entry.origins("spec"))
    cidrs = tuple(
        cidr
        for field in ("spec.serviceLoadBalancerIPs", "spec.serviceExternalIPs")
        for element in entry.elements(field)
        if (cidr := canonical_prefix(element.text("cidr")))
    )
    where = entry.origins("spec.serviceLoadBalancerIPs", "spec.serviceExternalIPs") or entry.origins("spec")
    leaves.put("cluster", LB_CIDRS, cidrs, where, entry.trust("spec"))


def _installation(entry: KubeObject, leaves: Leaves) -> None:
    # The operator creates pools from this only when none exists (calico.md section 8), so it is trusted less than
    # an IPPool: what it says may never have been applied.
    for pool in entry.elements("spec.calicoNetwork.ipPools"):
        where = entry.origins("spec.calicoNetwork.ipPools")
        if encapsulation := pool.text("encapsulation"):
            leaves.put("cluster", ENCAPSULATION, _encapsulation(encapsulation), where, Trust.STATED)
        if nat := pool.text("natOutgoing"):
            leaves.put("cluster", NAT_OUTGOING, nat == "Enabled", where, Trust.STATED)
        break


def _encapsulation(word: str) -> str:
    lowered = word.lower()
    if "vxlan" in lowered:
        return "vxlan"
    return "ipip" if "ipip" in lowered else "none"


def _ip_pool(entry: KubeObject, leaves: Leaves) -> None:
    uses = entry.scalars("spec.allowedUses")
    if "LoadBalancer" in uses or not entry.has("spec"):
        return
    vxlan, ipip = entry.text("spec.vxlanMode"), entry.text("spec.ipipMode")
    used = "vxlan" if vxlan not in {"", "Never"} else "ipip" if ipip not in {"", "Never"} else "none"
    leaves.put("cluster", ENCAPSULATION, used, entry.origins("spec"))
    if entry.has("spec.natOutgoing"):
        leaves.put("cluster", NAT_OUTGOING, entry.value("spec.natOutgoing") is True, entry.origins("spec.natOutgoing"))


_BUILDERS = {
    "Node": _node,
    "ConfigMap": _config_map,
    "BGPConfiguration": _bgp_configuration,
    "Installation": _installation,
    "IPPool": _ip_pool,
}


def _put_filters(objects: Objects, leaves: Leaves) -> None:
    """BGP peers, and the export rules that the filters they name add up to."""
    peers: list[Peer] = []
    origins: list[Origin] = []
    for (kind, _, _), entry in objects.items():
        if kind != "BGPPeer" or not entry.has("spec"):
            continue
        address = canonical_address(entry.text("spec.peerIP", "spec.peerAddress").partition(":")[0]) or ""
        node = entry.text("spec.node")
        peers.append(
            Peer(
                address=address,
                asn=entry.number("spec.asNumber", "spec.peerASN"),
                filters=entry.scalars("spec.filters"),
                nodes=(f"node/{node}",) if node else (),
                keep_next_hop=entry.value("spec.keepOriginalNextHop") is True,
                multihop=entry.value("spec.ebgpMultiHop") is True,
            )
        )
        origins += entry.origins("spec")
    for peer, where_named in speakers_peers(objects):
        peers.append(peer)
        origins += where_named
    if peers:
        leaves.put("cluster", PEERS, tuple(peers), dict.fromkeys(origins))
    names = [name for peer in peers for name in peer.filters]
    rules: list[FilterRule] = []
    where: list[Origin] = []
    missing = False
    for name in dict.fromkeys(names):
        found = next((o for (k, _, n), o in objects.items() if k == "BGPFilter" and n == name), None)
        if found is None:
            missing = True
            continue
        rules += [_rule(e) for field in ("spec.exportV4", "spec.exportV6") for e in found.elements(field)]
        where += found.origins("spec.exportV4", "spec.exportV6")
    unshown = missing or (not peers and any(k == "BGPFilter" for k, _, _ in objects))
    if unshown:
        leaves.put("cluster", FILTERS_UNSHOWN, value=True, origins=dict.fromkeys(origins))
    if rules and not missing:
        leaves.put("cluster", EXPORT_FILTERS, tuple(rules), where)


def _rule(element: KubeObject) -> FilterRule:
    return FilterRule(
        action=element.text("action"),
        cidr=canonical_prefix(element.text("cidr")) or "",
        operator=element.text("matchOperator"),
        source=element.text("source"),
        minimum=element.number("prefixLength.min"),
        maximum=element.number("prefixLength.max"),
    )


def _put_metallb(objects: Objects, leaves: Leaves) -> None:
    names = []
    for (kind, _, name), entry in objects.items():
        if kind not in {"IPAddressPool", "AddressPool"}:
            continue
        names.append(name)
        subject = f"pool/{name}"
        if addresses := entry.scalars("spec.addresses"):
            leaves.put(subject, POOL_ADDRESSES, addresses, entry.origins("spec.addresses"), entry.trust("spec"))
        assign = entry.value("spec.autoAssign")
        if isinstance(assign, bool):
            leaves.put(subject, POOL_AUTO_ASSIGN, assign, entry.origins("spec.autoAssign"))
    if names:
        leaves.put("cluster", POOLS, tuple(names))
    for wanted, attribute in (("L2Advertisement", L2_POOLS), ("BGPAdvertisement", BGP_POOLS)):
        found = [o for (k, _, _), o in objects.items() if k == wanted]
        pools = tuple(pool for entry in found for pool in entry.scalars("spec.ipAddressPools") or _all_pools(entry))
        if found:
            leaves.put("cluster", attribute, pools, [o for entry in found for o in entry.origins("spec")])


def _all_pools(entry: KubeObject) -> tuple[str, ...]:
    """An advertisement without any pool selection selects all (metallb.md section 2)."""
    return () if entry.has("spec.ipAddressPoolSelectors") else ("*",)
