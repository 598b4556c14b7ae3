"""Field names of the API, and the labels that `kubectl describe` makes of them.

The label is computed as kubectl does it (smartLabelFor in k8s.io/kubectl/pkg/describe/describe.go, which splits with
github.com/fatih/camelcase): a name with anything but letters and hyphens stays as it is; the rest is split where the
case changes, the last capital of a run going with the small letters behind it (`IPs` → `I Ps`); API, URL, UID, OSB and
GUID are written in capitals. Going back needs the names: those below, and a guess for all others.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ACRONYMS = frozenset({"API", "URL", "UID", "OSB", "GUID"})

_META = """apiVersion kind metadata name namespace labels annotations creationTimestamp deletionTimestamp finalizers
generation generateName ownerReferences resourceVersion selfLink uid managedFields controller blockOwnerDeletion spec
status data type conditions lastTransitionTime lastHeartbeatTime lastUpdateTime lastProbeTime message observedGeneration
reason selector matchLabels matchExpressions key operator values value enabled disabled"""

_CALICO = """asNumber peerIP peerSelector nodeSelector node keepOriginalNextHop nextHopMode password secretKeyRef
sourceAddress maxRestartTime numAllowedLocalASNumbers ttlSecurity filters reachableBy reversePeering localASNumber
localWorkloadSelector keepaliveTime logSeverityScreen nodeToNodeMeshEnabled nodeMeshMaxRestartTime nodeMeshPassword
serviceClusterIPs serviceExternalIPs serviceLoadBalancerIPs serviceLoadBalancerAggregation listenPort bindMode
communities prefixAdvertisements cidr prefix ignoredInterfaces localWorkloadPeeringIPV4 localWorkloadPeeringIPV6
programClusterRoutes action matchOperator source interface prefixLength min max peerType priority asPathPrefix
operations setPriority addCommunity prependASPath allowedUses assignmentMode blockSize disableBGPExport ipipMode
natOutgoing vxlanMode namespaceSelector calicoNetwork bgp hostPorts ipPools encapsulation linuxDataplane
multiInterfaceMode firstFound canReach cidrs interfaces skipInterface kubernetes linuxPolicySetupTimeoutSeconds
containerIPForwarding mtu nodeAddressAutodetection windowsDataplane cni ipam controlPlaneReplicas flexVolumePath
kubeletVolumePluginPath logging logFileMaxAgeDays logFileMaxCount logFileMaxSize logSeverity nodeUpdateStrategy
rollingUpdate maxUnavailable maxSurge nonPrivileged variant calicoVersion computed imageSet imagePullSecrets
kubernetesProvider nodeMetricsPort registry imagePath imagePrefix typhaMetricsPort typhaDeployment calicoNodeDaemonSet
controlPlaneNodeSelector controlPlaneTolerations serviceCIDRs proxy kubeProxyManagement bpfNetworkBootstrap
bpfEnabled bpfExternalServiceMode bpfDataIfacePattern bpfKubeProxyIptablesCleanupEnabled bpfLogLevel
bpfConnectTimeLoadBalancing bpfConnectTimeLoadBalancingEnabled bpfDSROptoutCIDRs bpfDisableUnprivileged
bpfEnforceRPF bpfExtToServiceConnmark bpfHostConntrackBypass bpfHostNetworkedNATWithoutCTLB
bpfKubeProxyEndpointSlicesEnabled bpfKubeProxyHealthzPort bpfLBMode bpfPSNATPorts bpfPolicyDebugEnabled
bpfRedirectToPeer bpfMapSizeConntrack bpfMapSizeNATFrontend bpfExcludeCIDRsFromNAT chainInsertMode
defaultEndpointToHostAction failsafeInboundHostPorts failsafeOutboundHostPorts floatingIPs iptablesBackend
iptablesFilterAllowAction iptablesMangleAllowAction iptablesMarkMask ipipEnabled vxlanEnabled vxlanMTU vxlanPort
vxlanVNI wireguardEnabled wireguardMTU interfaceExclude interfacePrefix externalNodesList allowVXLANPacketsFromWorkloads
allowIPIPPacketsFromWorkloads nftablesMode nftablesFlowTableOffload reportingInterval natPortRange natOutgoingAddress
natOutgoingExclusions serviceLoopPrevention routeSource routeSyncDisabled removeExternalRoutes deviceRouteProtocol
deviceRouteSourceAddress workloadSourceSpoofing healthEnabled healthPort healthHost ignorePodsInNamespaces
expectedIPs interfaceName profiles ports order tier types ingress egress applyOnForward preDNAT doNotTrack protocol
notProtocol nets notNets notSelector notPorts serviceAccountSelector serviceAccounts services destination icmp http
ingressRules egressRules performanceHints affinity deleted state handleID allocations attributes unallocated
strictAffinity autoAllocateBlocks maxBlocksPerHost clusterGUID clusterType datastoreReady bgpNode classes
updatePeriodSeconds agent peers role routes number birdVersion routerID lastBootTime lastReconfigurationTime"""

_METALLB = """addresses autoAssign avoidBuggyIPs serviceAllocation serviceSelectors namespaces namespaceSelectors
ipAddressPools ipAddressPoolSelectors nodeSelectors aggregationLength aggregationLengthV6 localPref myASN peerASN
dynamicASN peerAddress peerPort holdTime keepaliveTime routerID bfdProfile ebgpMultiHop passwordSecret vrf
disableMP connectTime enableGracefulRestart dualStackAddressFamily unnumbered receiveInterval transmitInterval
detectMultiplier echoInterval echoMode passiveMode minimumTtl serviceName serviceNamespace allocatedIPs available
assignedIPv4 assignedIPv6 availableIPv4 availableIPv6 lastError result bgpBackend loadBalancerClass speakerNodeSelector
nodesSelector routers neighbors toAdvertise toReceive allowed mode raw rawConfig"""

_CILIUM = """blocks start stop allowFirstLastIPs serviceSelector externalIPs loadBalancerIPs virtualRouters localASN
exportPodCIDR podIPPoolSelector serviceAdvertisements connectRetryTimeSeconds holdTimeSeconds keepAliveTimeSeconds
eBGPMultihopTTL gracefulRestart restartTimeSeconds advertisedPathAttributes families afi safi advertisements
advertisementType service bgpInstances peerConfigRef localPort timers transport ebgpMultihop authSecretRef
endpointSelector ingressDeny egressDeny fromEntities toEntities fromEndpoints toEndpoints fromCIDR toCIDR fromCIDRSet
toCIDRSet toPorts group localAddress autoDiscovery peeringState peeringStateUp establishedTime routeCount received
advertised security podCIDRs podCIDR encryption health"""

_CORE = """clusterIP clusterIPs externalTrafficPolicy internalTrafficPolicy allocateLoadBalancerNodePorts
healthCheckNodePort ipFamilies ipFamilyPolicy loadBalancer loadBalancerIP loadBalancerSourceRanges sessionAffinity
sessionAffinityConfig clientIP timeoutSeconds trafficDistribution publishNotReadyAddresses port nodePort targetPort
appProtocol ip ipMode hostname holderIdentity leaseDurationSeconds acquireTime renewTime leaseTransitions rules host
paths path pathType backend ingressClassName defaultBackend tls hosts secretName gatewayClassName listeners
allowedRoutes parentRefs hostnames backendRefs matches sectionName addressType endpoints ready serving terminating
nodeName zone targetRef podSelector ipBlock except policyTypes from to endPort group names plural singular scope
versions served storage accepted acceptedNames storedVersions replicas strategy template containers image command args
env envFrom volumeMounts volumes tolerations effect serviceAccountName hostNetwork dnsPolicy resources limits requests
capacity allocatable nodeInfo unschedulable machineID systemUUID bootID kernelVersion osImage
operatingSystem architecture containerRuntimeVersion kubeletVersion taints providerID chart valuesContent repo
targetNamespace bootstrap set version secretRef configMapRef jobName failurePolicy"""

_LISTS = """conditions finalizers ownerReferences filters serviceClusterIPs serviceExternalIPs serviceLoadBalancerIPs
communities prefixAdvertisements ipPools exportV4 importV4 exportV6 importV6 operations allowedUses cidrs addresses
ipAddressPools ipAddressPoolSelectors serviceSelectors namespaceSelectors nodeSelectors interfaces peers namespaces
matchExpressions values blocks virtualRouters serviceAdvertisements advertisedPathAttributes families advertisements
bgpInstances neighbors fromEntities toEntities fromEndpoints toEndpoints fromCIDR toCIDR fromCIDRSet toCIDRSet
ingressDeny egressDeny ipFamilies clusterIPs externalIPs loadBalancerIPs loadBalancerSourceRanges ingress egress paths
hosts tls listeners parentRefs hostnames backendRefs matches policyTypes from to except versions storedVersions
endpoints tolerations taints containers volumes volumeMounts args command env envFrom imagePullSecrets expectedIPs
profiles types nets notNets notPorts toPorts ignoredInterfaces classes routes controlPlaneTolerations routers
toAdvertise failsafeInboundHostPorts failsafeOutboundHostPorts externalNodesList allocations attributes podCIDRs
serviceCIDRs ports bpfDSROptoutCIDRs shortNames categories natOutgoingExclusions servers"""

# Strings of the API that look like numbers or booleans when printed.
_TEXTS = frozenset({"resourceVersion", "uid", "kubeletVersion", "version", "name", "lastError", "logFileMaxSize"})

# Maps whose keys are the user's own: a label such as `App` stands for the key `app`.
_FREE_MAPS = frozenset(
    {"matchLabels", "labels", "annotations", "selector", "limits", "requests", "capacity", "allocatable", "data"}
)


def label_of(field: str) -> str:
    """The label under which `kubectl describe` prints `field`."""
    if not all(character.isalpha() or character == "-" for character in field):
        return field
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+|[A-Z]+|[^\WA-Z\d_]+|-+", field)
    return " ".join(part.upper() if part.upper() in _ACRONYMS else part[:1].upper() + part[1:] for part in parts)


@lru_cache(maxsize=1)
def known_fields() -> frozenset[str]:
    """Every field name that can be found again from its label."""
    return frozenset(" ".join((_META, _CALICO, _METALLB, _CILIUM, _CORE, _LISTS)).split())


@lru_cache(maxsize=1)
def _lists() -> frozenset[str]:
    return frozenset(_LISTS.split())


@lru_cache(maxsize=1)
def _by_label() -> dict[str, str]:
    return {label_of(field): field for field in sorted(known_fields(), reverse=True)}


def field_of(label: str, parent: str = "") -> str:
    """The field that `label` stands for inside field `parent`; the best guess for an unknown one."""
    if parent in _FREE_MAPS:
        return _free_key(label)
    known = _by_label().get(label)
    if known is not None:
        return known
    words = label.replace(" - ", "-").split(" ")
    if len(words) == 1 and not re.fullmatch(r"[A-Z][a-z]*|[A-Z]{2,12}", label):
        return label  # a name with digits, dots or a small first letter was printed as it is
    first = words[0].lower() if words[0] in _ACRONYMS or not words[0][:2].isupper() else words[0]
    return first + "".join(words[1:])


def _free_key(label: str) -> str:
    if re.fullmatch(r"[A-Z][a-z]*(?: (?:- )?[A-Z][A-Za-z]*)*", label):
        return label.replace(" - ", "-").replace(" ", "").lower()
    return label


def is_list(field: str) -> bool:
    """Whether `field` is known to hold a list."""
    return field in _lists()


def is_text(field: str) -> bool:
    """Whether `field` is known to hold a string, even if it looks like a number."""
    return field in _TEXTS
