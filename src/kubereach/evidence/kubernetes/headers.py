"""What the headers of tables tell: the kind, and the columns of a table pasted without its header."""

from __future__ import annotations

# Kinds by the columns that give them away; the first whose columns are all there.
_STRONG = (
    ("Service", "", ("TYPE", "CLUSTER-IP")),
    ("Service", "", ("CLUSTER-IP", "PORT(S)")),
    ("Pod", "", ("READY", "STATUS", "RESTARTS")),
    ("Node", "", ("STATUS", "ROLES", "VERSION")),
    ("Node", "", ("STATUS", "ROLES", "AGE")),
    ("EndpointSlice", "discovery.k8s.io", ("ADDRESSTYPE", "ENDPOINTS")),
    ("Endpoints", "", ("ENDPOINTS",)),
    ("Event", "", ("LAST SEEN", "REASON")),
    ("IPAddressPool", "metallb.io", ("AUTO ASSIGN", "AVOID BUGGY IPS")),
    ("L2Advertisement", "metallb.io", ("IPADDRESSPOOLS", "INTERFACES")),
    ("BGPAdvertisement", "metallb.io", ("IPADDRESSPOOLS", "PEERS")),
    ("ServiceL2Status", "metallb.io", ("ALLOCATED NODE", "SERVICE NAME")),
    ("ServiceBGPStatus", "metallb.io", ("NODE", "SERVICE NAME", "SERVICE NAMESPACE")),
    ("BGPPeer", "metallb.io", ("ADDRESS", "ASN", "MULTI HOPS")),
    ("BGPPeer", "projectcalico.org", ("PEERIP", "NODE", "ASN")),
    ("BGPConfiguration", "projectcalico.org", ("MESHENABLED", "ASNUMBER")),
    ("Lease", "coordination.k8s.io", ("HOLDER",)),
    ("DaemonSet", "apps", ("DESIRED", "CURRENT", "UP-TO-DATE", "NODE SELECTOR")),
    ("ReplicaSet", "apps", ("DESIRED", "CURRENT", "READY")),
    ("Deployment", "apps", ("READY", "UP-TO-DATE", "AVAILABLE")),
    ("CiliumLoadBalancerIPPool", "cilium.io", ("CONFLICTING", "IPS AVAILABLE")),
    ("TigeraStatus", "operator.tigera.io", ("AVAILABLE", "PROGRESSING", "DEGRADED")),
    ("Ingress", "networking.k8s.io", ("CLASS", "HOSTS")),
    ("IPPool", "projectcalico.org", ("CIDR", "SELECTOR")),
)

HEADERLESS = {
    ("calicoctl", "BGPPeer"): ("NAME", "PEERIP", "NODE", "ASN"),
    ("calicoctl", "IPPool"): ("NAME", "CIDR", "SELECTOR"),
    ("calicoctl", "BGPConfiguration"): ("NAME", "LOGSEVERITY", "MESHENABLED", "ASNUMBER"),
    ("kubectl", "Service"): ("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"),
    ("kubectl", "Pod"): ("NAME", "READY", "STATUS", "RESTARTS", "AGE"),
    ("kubectl", "Node"): ("NAME", "STATUS", "ROLES", "AGE", "VERSION"),
    ("kubectl", "Endpoints"): ("NAME", "ENDPOINTS", "AGE"),
}


def kind_of_columns(columns: tuple[str, ...]) -> tuple[str, str] | None:
    """(kind, API group) that a header gives away, or None."""
    shown = set(columns)
    return next(((kind, group) for kind, group, needed in _STRONG if shown.issuperset(needed)), None)
