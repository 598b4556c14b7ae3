"""The kinds: what `kubectl get WORD` means, and which kinds have no namespace.

Names and groups are those of `kubectl api-resources` (Kubernetes 1.36) and of the custom resources of Calico, MetalLB,
Cilium, kube-vip, OpenELB, k3s and the Gateway API.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct


class Kind(Struct, frozen=True):
    """A kind, its API group ("" for the core group, and where several projects share the name) and its scope."""

    name: str
    group: str = ""
    namespaced: bool = True


CALICO = "projectcalico.org"
METALLB = "metallb.io"

# NAME PLURAL [SHORT…], one kind a line; groups are headed by `@GROUP`, cluster-scoped kinds are marked with `-`.
_TABLE = """
@
-Node nodes no
-Namespace namespaces ns
-PersistentVolume persistentvolumes pv
-ComponentStatus componentstatuses cs
ConfigMap configmaps cm
Endpoints endpoints ep
Event events ev
Pod pods po
Secret secrets
Service services svc
ServiceAccount serviceaccounts sa
ReplicationController replicationcontrollers rc
PersistentVolumeClaim persistentvolumeclaims pvc
@apps
DaemonSet daemonsets ds
Deployment deployments deploy
ReplicaSet replicasets rs
StatefulSet statefulsets sts
@batch
CronJob cronjobs cj
Job jobs
@autoscaling
HorizontalPodAutoscaler horizontalpodautoscalers hpa
@coordination.k8s.io
Lease leases
@discovery.k8s.io
EndpointSlice endpointslices
@apiextensions.k8s.io
-CustomResourceDefinition customresourcedefinitions crd crds
@networking.k8s.io
-IngressClass ingressclasses
Ingress ingresses ing
-IPAddress ipaddresses ip
NetworkPolicy networkpolicies netpol
-ServiceCIDR servicecidrs
@projectcalico.org
-BGPConfiguration bgpconfigurations bgpconfig bgpconfigs
-BGPFilter bgpfilters
-BGPPeer bgppeers
-BlockAffinity blockaffinities
-CalicoNodeStatus caliconodestatuses
-ClusterInformation clusterinformations clusterinfo
-FelixConfiguration felixconfigurations felixconfig felixconfigs
-GlobalNetworkPolicy globalnetworkpolicies gnp
-GlobalNetworkSet globalnetworksets
-HostEndpoint hostendpoints hep
-IPAMBlock ipamblocks
-IPAMConfig ipamconfigs
-IPAMConfiguration ipamconfigurations
-IPAMHandle ipamhandles
-IPPool ippools
-IPReservation ipreservations
-KubeControllersConfiguration kubecontrollersconfigurations
NetworkSet networksets
-Tier tiers
WorkloadEndpoint workloadendpoints wep
@operator.tigera.io
-Installation installations
-APIServer apiservers
-TigeraStatus tigerastatuses tigerastatus
@metallb.io
AddressPool addresspools
BFDProfile bfdprofiles
BGPAdvertisement bgpadvertisements
Community communities
ConfigurationState configurationstates
IPAddressPool ipaddresspools
L2Advertisement l2advertisements
MetalLB metallbs
ServiceBGPStatus servicebgpstatuses
ServiceL2Status servicel2statuses
@frrk8s.metallb.io
FRRConfiguration frrconfigurations
-FRRNodeState frrnodestates
BGPSessionState bgpsessionstates
@cilium.io
-CiliumBGPAdvertisement ciliumbgpadvertisements cbgpadvert
-CiliumBGPClusterConfig ciliumbgpclusterconfigs cbgpcluster
-CiliumBGPNodeConfig ciliumbgpnodeconfigs cbgpnode
-CiliumBGPNodeConfigOverride ciliumbgpnodeconfigoverrides cbgpnodeoverride
-CiliumBGPPeerConfig ciliumbgppeerconfigs cbgppeer
-CiliumBGPPeeringPolicy ciliumbgppeeringpolicies bgpp
-CiliumClusterwideNetworkPolicy ciliumclusterwidenetworkpolicies ccnp
CiliumEndpoint ciliumendpoints cep
-CiliumL2AnnouncementPolicy ciliuml2announcementpolicies l2announcement
-CiliumLoadBalancerIPPool ciliumloadbalancerippools lbippool lbippools ippool
CiliumNetworkPolicy ciliumnetworkpolicies cnp
-CiliumNode ciliumnodes cn
CiliumNodeConfig ciliumnodeconfigs
@network.openelb.io
-BgpConf bgpconfs
-BgpPeer openelbbgppeers
-Eip eips
@helm.cattle.io
HelmChart helmcharts
HelmChartConfig helmchartconfigs
@gateway.networking.k8s.io
-GatewayClass gatewayclasses gc
Gateway gateways gtw
HTTPRoute httproutes
TCPRoute tcproutes
"""


@lru_cache(maxsize=1)
def _by_word() -> dict[str, Kind]:
    """Every word for a kind: its plural, its short names and the kind itself, in lower case."""
    words: dict[str, Kind] = {}
    group = ""
    for line in _TABLE.split("\n"):
        if line.startswith("@"):
            group = line[1:]
        elif line:
            name, *others = line.lstrip("-").split()
            kind = Kind(name, group, not line.startswith("-"))
            for word in (*others, name.lower()):
                words.setdefault(word, kind)
    words["ippool"] = words["ippools"]  # Calico's singular; Cilium's short name is the rarer meaning
    return words


def kind_of(word: str) -> Kind | None:
    """The kind that `kubectl get WORD` means (`svc`, `bgppeers.crd.projectcalico.org`, `deployment.apps`), or None.

    A group written out wins: `bgppeers.metallb.io` is MetalLB's, a bare `bgppeer` Calico's.
    """
    resource, _, group = word.strip().lower().partition(".")
    known = _by_word().get(resource)
    if known is None:
        return None
    group = canonical_group(group)
    if not group or group == known.group:
        return known
    return Kind(known.name, group, group == METALLB or known.namespaced)


def kind_or_guess(word: str) -> Kind | None:
    """`kind_of`, or for an unknown resource its singular with a capital; None when `word` is no resource name."""
    known = kind_of(word)
    if known is not None:
        return known
    resource, _, group = word.strip().partition(".")
    if not resource.replace("-", "").isalnum() or not resource.isascii():
        return None
    if resource.endswith("ies"):
        resource = resource[:-3] + "y"
    elif resource.endswith("s") and not resource.endswith("ss"):
        resource = resource[:-1]
    return Kind(resource[:1].upper() + resource[1:], canonical_group(group))


def canonical_group(group: str) -> str:
    """An API group without a version; Calico's two (with and without its API server) are one."""
    first, _, rest = group.partition(".")
    if first[:1] == "v" and first[1:2].isdecimal():
        group = rest
    return CALICO if group == "crd.projectcalico.org" else group


def group_of_api_version(api_version: str) -> str:
    """`projectcalico.org/v3` → `projectcalico.org`; `v1` → ""."""
    group, slash, _ = api_version.partition("/")
    return canonical_group(group) if slash else ""


def is_cluster_scoped(kind: str, group: str) -> bool:
    """Whether objects of this kind have no namespace; False for unknown kinds."""
    known = _by_word().get(kind.lower())
    if known is None or known.name != kind:
        return False
    if group and group != known.group:
        return group == CALICO and kind == "Node"
    return not known.namespaced


def namespace_of(kind: str, group: str, shown: str | None) -> str | None:
    """The namespace for an ObjectLeaf: "" for a cluster-scoped kind, else what the evidence shows, or None."""
    return "" if is_cluster_scoped(kind, group) else (shown or None)
