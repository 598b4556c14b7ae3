"""The cluster's own daemons and their settings as objects: kube-proxy, Calico, MetalLB, kube-vip.

Shapes: kubeadm's kube-proxy, the Tigera operator's calico-node (namespace calico-system), and the manifests of MetalLB
0.14 and kube-vip. The pods' network is Calico's in every scenario, whoever announces. Knobs: `stopped/announcer/NODE`,
`stopped/kube-proxy/NODE`, `announcer/no-advertisement`, `announcer/interfaces`, and those of a node's end of its
session (`lab.peering`) that an object holds.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network

from kubereach.lab.kubernetes.objects import Cluster, Object, core, made, namespace, pod, suffix

CALICO = "crd.projectcalico.org/v1"
METALLB = "metallb.io/v1beta1"
_ENCAPSULATION = {"none": ("Never", "Never"), "ipip": ("Always", "Never"), "vxlan": ("Never", "Always")}
# announcer → (daemon, namespace, container, image, label of its pods)
_AGENTS = {
    "calico-node": ("calico-system", "calico-node", "docker.io/calico/node:v3.29.1", ("k8s-app", "calico-node")),
    "speaker": ("metallb-system", "speaker", "quay.io/metallb/speaker:v0.14.9", ("component", "speaker")),
    "kube-vip-ds": ("kube-system", "kube-vip", "ghcr.io/kube-vip/kube-vip:v0.8.9", ("name", "kube-vip-ds")),
    "kube-proxy": ("kube-system", "kube-proxy", "registry.k8s.io/kube-proxy:{version}", ("k8s-app", "kube-proxy")),
}
ANNOUNCERS = {
    "calico-bgp": "calico-node",
    "metallb-bgp": "speaker",
    "metallb-l2": "speaker",
    "kube-vip-arp": "kube-vip-ds",
}


def everything(cluster: Cluster) -> list[Object]:
    """All objects of the cluster."""
    found = core(cluster)
    kind = cluster.scenario.announcer.kind
    daemons = dict.fromkeys(("kube-proxy", "calico-node", ANNOUNCERS[kind]))
    for daemon in daemons:
        found += _daemon(cluster, daemon)
    found += [_proxy_config(cluster), *_calico(cluster)]
    if kind.startswith("metallb"):
        found += _metallb(cluster)
    present = {(o["kind"], o["metadata"]["name"]) for o in found}
    wanted = dict.fromkeys(o["metadata"].get("namespace", "") for o in found)
    return found + [namespace(cluster, n) for n in wanted if n and ("Namespace", n) not in present]


def pod_name(daemon: str, node: str) -> str:
    """The name of a daemon's pod on a node."""
    return f"{daemon}-{suffix(f'{daemon} {node}')}"


def stopped(cluster: Cluster, daemon: str, node: str) -> bool:
    """Whether the daemon does not run on the node."""
    if daemon == "kube-proxy":
        return cluster.knobs.get(f"stopped/kube-proxy/{node}", "") not in {"", "lags"}
    announces = daemon == ANNOUNCERS[cluster.scenario.announcer.kind]
    return announces and bool(cluster.knobs.get(f"stopped/announcer/{node}"))


def _daemon(cluster: Cluster, daemon: str) -> list[Object]:
    """A DaemonSet, its pods, and what kubelet said of those whose readiness probe fails."""
    where, container, image, (key, value) = _AGENTS[daemon]
    image = image.format(version=cluster.version)
    labels = {key: value}
    pods, events = [], []
    for node, place in cluster.scenario.nodes.items():
        dead = stopped(cluster, daemon, node)
        why = cluster.unready.get(f"{daemon}/{node}", "")
        entry = pod(
            cluster,
            pod_name(daemon, node),
            where,
            node,
            address=place.address,
            labels={**labels, "controller-revision-hash": suffix(daemon, 10), "pod-template-generation": "1"},
            container=container,
            image=image,
            ready=not dead and not why,
            host_network=True,
            owner=("DaemonSet", daemon),
            beside=_beside(cluster, daemon),
        )
        if dead:
            _crashed(entry, container)
        elif why:
            events.append(_unhealthy(cluster, entry, container, why))
        pods.append(entry)
    ready = sum(entry["status"]["containerStatuses"][0]["ready"] for entry in pods)
    count = len(pods)
    containers: Object = {
        "containers": [{"name": container, "image": image}],
        "hostNetwork": True,
        "nodeSelector": {"kubernetes.io/os": "linux"},
    }
    daemon_set = made(
        cluster,
        "DaemonSet",
        daemon,
        where,
        version="apps/v1",
        labels=labels,
        spec={
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": containers},
            "updateStrategy": {"type": "RollingUpdate"},
        },
        status={
            "currentNumberScheduled": count,
            "desiredNumberScheduled": count,
            "numberAvailable": ready,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberUnavailable": count - ready,
            "updatedNumberScheduled": count,
        },
    )
    return [daemon_set, *pods, *events]


def _beside(cluster: Cluster, daemon: str) -> dict[str, str]:
    """The containers beside a daemon's own: MetalLB speaks BGP with FRR (its default since 0.14)."""
    speaks = daemon == "speaker" and cluster.scenario.announcer.kind == "metallb-bgp"
    return {"frr": "quay.io/frrouting/frr:9.1.0"} if speaks else {}


def _crashed(entry: Object, container: str) -> None:
    """The status of a pod whose container keeps ending."""
    status = entry["status"]["containerStatuses"][0]
    message = f"back-off 5m0s restarting failed container={container} pod={entry['metadata']['name']}"
    status |= {
        "started": False,
        "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": None, "finishedAt": None}},
    }


def _unhealthy(cluster: Cluster, entry: Object, container: str, why: str) -> Object:
    """The kubelet's event about a failing readiness probe."""
    meta = entry["metadata"]
    return made(
        cluster,
        "Event",
        f"{meta['name']}.{suffix(why, 16)}",
        meta["namespace"],
        involvedObject={
            "apiVersion": "v1",
            "kind": "Pod",
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
            "fieldPath": f"spec.containers{{{container}}}",
        },
        reason="Unhealthy",
        message=f"Readiness probe failed: {why}",
        type="Warning",
        count=3,
        source={"component": "kubelet", "host": entry["spec"]["nodeName"]},
        reportingComponent="kubelet",
        firstTimestamp=cluster.time,
        lastTimestamp=cluster.time,
    )


def _proxy_config(cluster: Cluster) -> Object:
    proxy = cluster.scenario.proxy
    text = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
        "bindAddress: 0.0.0.0\n"
        f"clusterCIDR: {cluster.scenario.pod_network.cidr}\n"
        "iptables:\n  masqueradeAll: false\n  masqueradeBit: 14\n"
        f'ipvs:\n  scheduler: ""\n  strictARP: {str(proxy.strict_arp).lower()}\n'
        "kind: KubeProxyConfiguration\n"
        f"mode: {proxy.mode}\n"
    )
    labels = {"app": "kube-proxy"}
    return made(cluster, "ConfigMap", "kube-proxy", "kube-system", labels=labels, data={"config.conf": text})


def _calico(cluster: Cluster) -> list[Object]:
    """The pods' pool with its blocks, and the BGP settings where Calico speaks BGP."""
    scenario, network = cluster.scenario, cluster.scenario.pod_network
    ipip, vxlan = _ENCAPSULATION[network.encapsulation]
    lengths = [IPv4Network(node.block).prefixlen for node in scenario.nodes.values()]
    spec = {
        "allowedUses": ["Workload", "Tunnel"],
        "blockSize": max(lengths, default=26),
        "cidr": network.cidr,
        "ipipMode": ipip,
        "natOutgoing": network.nat_outgoing,
        "nodeSelector": "all()",
        "vxlanMode": vxlan,
    }
    found = [made(cluster, "IPPool", "default-ipv4-ippool", version=CALICO, spec=spec)]
    for name, node in scenario.nodes.items():
        block = {"cidr": node.block, "deleted": "false", "node": name, "state": "confirmed"}
        affinity = f"{name}-{node.block.replace('.', '-').replace('/', '-')}"
        found.append(made(cluster, "BlockAffinity", affinity, version=CALICO, spec=block))
    return found + (_calico_bgp(cluster) if scenario.announcer.kind == "calico-bgp" else [])


def _calico_bgp(cluster: Cluster) -> list[Object]:
    announcer = cluster.scenario.announcer
    settings: Object = {
        "asNumber": announcer.asn,
        "logSeverityScreen": "Info",
        "nodeToNodeMeshEnabled": announcer.mesh,
    }
    if announcer.lb_cidrs:
        settings["serviceLoadBalancerIPs"] = [{"cidr": cidr} for cidr in announcer.lb_cidrs]
    found = [made(cluster, "BGPConfiguration", "default", version=CALICO, spec=settings)]
    filters = ["services"] if announcer.export_filter else []
    found += _peers(cluster, "BGPPeer", "", CALICO, lambda node: _calico_peer(cluster, node, filters))
    if announcer.export_filter:
        rules = []
        for rule in announcer.export_filter:
            match = {"cidr": rule.cidr, "matchOperator": rule.operator} if rule.cidr else {}
            rules.append({"action": rule.action, **match})
        found.append(made(cluster, "BGPFilter", filters[0], version=CALICO, spec={"exportV4": rules}))
    return found


def _metallb(cluster: Cluster) -> list[Object]:
    announcer, where = cluster.scenario.announcer, "metallb-system"
    pool = {"addresses": list(announcer.lb_cidrs), "autoAssign": True, "avoidBuggyIPs": False}
    found = [made(cluster, "IPAddressPool", "pool", where, version=METALLB, spec=pool)]
    advertised: Object = {"ipAddressPools": ["pool"]}
    if interfaces := cluster.knobs.get("announcer/interfaces", ""):
        advertised["interfaces"] = interfaces.split(",")
    kind = "L2Advertisement" if announcer.kind == "metallb-l2" else "BGPAdvertisement"
    if not cluster.knobs.get("announcer/no-advertisement"):
        found.append(made(cluster, kind, "pool", where, version=METALLB, spec=advertised))
    if announcer.kind == "metallb-l2":
        return found
    return found + _peers(cluster, "BGPPeer", where, f"{METALLB[:-1]}2", lambda node: _metallb_peer(cluster, node))


def _peers(cluster: Cluster, kind: str, where: str, version: str, spec: Callable[[str], Object]) -> list[Object]:
    """The nodes' settings for the router as BGPPeers: one for all nodes where they agree, else one a node."""
    wanted = {node: spec(node) for node in cluster.scenario.nodes}
    first = next(iter(wanted.values()))
    if all(peer == first for peer in wanted.values()):
        return [made(cluster, kind, "router", where, version=version, spec=first)]
    found = []
    for node, peer in wanted.items():
        one: Object = {"node": node}
        if where:
            one = {"nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": node}}]}
        found.append(made(cluster, kind, f"router-{node}", where, version=version, spec={**peer, **one}))
    return found


def _calico_peer(cluster: Cluster, node: str, filters: list[str]) -> Object:
    """The spec of a node's BGPPeer."""
    router = cluster.scenario.router

    def knob(name: str, default: str = "") -> str:
        return cluster.knobs.get(f"announcer/{node}/{name}", default)

    peer: Object = {
        "asNumber": int(knob("peer-asn", str(router.asn))),
        "peerIP": knob("peer", cluster.scenario.gateway(cluster.scenario.nodes[node].segment)),
    }
    if knob("password"):
        peer["password"] = {"secretKeyRef": {"name": "bgp-secrets", "key": "router"}}
    if knob("keep-next-hop"):
        peer["keepOriginalNextHop"] = True
    if knob("ttl-security"):
        peer["ttlSecurity"] = int(knob("ttl-security"))
    return peer | ({"filters": filters} if filters else {})


def _metallb_peer(cluster: Cluster, node: str) -> Object:
    """The spec of the BGPPeer that a node uses."""
    scenario = cluster.scenario

    def knob(name: str, default: str) -> str:
        return cluster.knobs.get(f"announcer/{node}/{name}", default)

    peer: Object = {
        "myASN": int(knob("asn", str(scenario.announcer.asn))),
        "peerASN": int(knob("peer-asn", str(scenario.router.asn))),
        "peerAddress": knob("peer", scenario.gateway(scenario.nodes[node].segment)),
    }
    if source := knob("source", ""):
        peer["sourceAddress"] = source
    if knob("multihop", ""):
        peer["ebgpMultiHop"] = True
    if password := knob("password", ""):
        peer["password"] = password
    return peer
