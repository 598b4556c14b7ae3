"""A scenario as Kubernetes objects: nodes, pods, services and their endpoints, as JSON of the API.

The shapes are those that `kubectl get -o yaml` shows on Kubernetes 1.36; fields that came with a later version than
the scenario's are left out. Knobs: `object/…` holds one more object as JSON. `announcer/NODE/source` is the address
that Calico found for the node, `announcer/NODE/asn` its own AS number, `policy/POD` a network policy (`lab.felix`).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from msgspec import Struct

from kubereach.lab.scenario import Node, Scenario, Service
from kubereach.lab.wiring import tunnel_address

Object = dict[str, Any]  # an API object: JSON, whose types end here
PATCH = 2  # of every version: v1.24.2, v1.36.2
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery util/rand: no vowels, no 0, 1 and 3
_TUNNEL = {"vxlan": "IPv4VXLANTunnelAddr", "ipip": "IPv4IPIPTunnelAddr"}


class Cluster(Struct, frozen=True):
    """A scenario at a moment. `since` is when it came up (UTC); `unready` says what an agent's readiness probe prints.

    The keys of `unready` are `calico-node/NODE` and the like.
    """

    scenario: Scenario
    knobs: Mapping[str, str]
    since: datetime
    kernel: str = ""
    unready: Mapping[str, str] = {}
    holders: Mapping[str, str] = {}  # service → the node that kube-vip says holds its address

    @property
    def time(self) -> str:
        """`since` as the API writes times."""
        return timestamp(self.since)

    @property
    def version(self) -> str:
        """The version of Kubernetes."""
        return f"v1.{self.scenario.proxy.minor}.{PATCH}"


def timestamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds, as the API writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def suffix(text: str, length: int = 5) -> str:
    """The random-looking end of a generated name, the same for the same text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in digest[:length])


def made(
    cluster: Cluster,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    version: str = "v1",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **parts: object,
) -> Object:
    """An object with its metadata; `parts` are its other fields."""
    uid = uuid.uuid5(uuid.NAMESPACE_URL, f"{version}/{kind}/{namespace}/{name}")
    metadata: Object = {"name": name, "uid": str(uid), "creationTimestamp": cluster.time, "resourceVersion": "1000"}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def condition(
    cluster: Cluster, kind: str, *, true: bool, reason: str = "", message: str = "", **more: object
) -> Object:
    """A status condition."""
    found: Object = {"type": kind, "status": str(true), "lastTransitionTime": cluster.time, **more}
    return found | ({"reason": reason, "message": message} if reason else {})


def core(cluster: Cluster) -> list[Object]:
    """Namespaces, nodes, the scenario's pods, its services with their endpoints, and what knobs add."""
    scenario = cluster.scenario
    namespaces = dict.fromkeys(("default", "kube-system", *(s.namespace for s in scenario.services.values())))
    found = [namespace(cluster, name) for name in namespaces]
    found += [_node(cluster, name, node) for name, node in scenario.nodes.items()]
    found += [_workload(cluster, name) for name in scenario.pods]
    found.append(_kubernetes(cluster))
    for name, service in scenario.services.items():
        found += [_service(cluster, name, service), _endpoints(cluster, name), _slice(cluster, name)]
    found += [_policy(cluster, path.partition("/")[2], value) for path, value in _policies(cluster)]
    found += [json.loads(text) for path, text in cluster.knobs.items() if path.startswith("object/")]
    return found


def _policies(cluster: Cluster) -> list[tuple[str, str]]:
    return [(path, value) for path, value in cluster.knobs.items() if path.startswith("policy/") and value]


def _policy(cluster: Cluster, name: str, admitted: str) -> Object:
    """A network policy that selects a pod by its labels and admits one source, or nobody (`deny`)."""
    pod = cluster.scenario.pods[name]
    spec: Object = {"podSelector": {"matchLabels": dict(pod.labels)}, "policyTypes": ["Ingress"]}
    if admitted != "deny":
        spec["ingress"] = [{"from": [{"ipBlock": {"cidr": admitted}}]}]
    label = next(iter(pod.labels.values()), name)
    return made(cluster, "NetworkPolicy", f"{label}-ingress", "default", version="networking.k8s.io/v1", spec=spec)


def namespace(cluster: Cluster, name: str) -> Object:
    """A namespace."""
    labels = {"kubernetes.io/metadata.name": name}
    return made(cluster, "Namespace", name, labels=labels, spec={}, status={"phase": "Active"})


def _node(cluster: Cluster, name: str, node: Node) -> Object:
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **({"node-role.kubernetes.io/control-plane": ""} if node.control_plane else {}),
        **node.labels,
    }
    length = cluster.scenario.prefix(node.segment).prefixlen
    source = cluster.knobs.get(f"announcer/{name}/source", node.address)
    annotations = {"projectcalico.org/IPv4Address": f"{source}/{length}"}
    if asn := cluster.knobs.get(f"announcer/{name}/asn"):
        annotations["projectcalico.org/ASNumber"] = asn
    if tunnel := _TUNNEL.get(cluster.scenario.pod_network.encapsulation):
        annotations[f"projectcalico.org/{tunnel}"] = tunnel_address(cluster.scenario, name)
    pressures = [
        condition(
            cluster, f"{what}Pressure", true=False, reason=f"KubeletHasNo{what}Pressure", message="kubelet is well"
        )
        for what in ("Memory", "Disk")
    ]
    resources = {"cpu": "2", "memory": "4Gi", "pods": "110"}
    return made(
        cluster,
        "Node",
        name,
        labels=labels,
        annotations=annotations,
        spec={},
        status={
            "addresses": [{"type": "InternalIP", "address": node.address}, {"type": "Hostname", "address": name}],
            "capacity": resources,
            "allocatable": resources,
            "conditions": [
                condition(
                    cluster,
                    "NetworkUnavailable",
                    true=False,
                    reason="CalicoIsUp",
                    message="Calico is running on this node",
                    lastHeartbeatTime=cluster.time,
                ),
                *pressures,
                condition(
                    cluster,
                    "Ready",
                    true=True,
                    reason="KubeletReady",
                    message="kubelet is posting ready status",
                    lastHeartbeatTime=cluster.time,
                ),
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "containerd://1.7.24",
                "kernelVersion": cluster.kernel,
                "kubeProxyVersion": cluster.version if cluster.scenario.proxy.minor < 33 else "",
                "kubeletVersion": cluster.version,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": "",
            },
        },
    )


def pod(
    cluster: Cluster,
    name: str,
    namespace: str,
    node: str,
    *,
    address: str,
    labels: Mapping[str, str],
    container: str,
    image: str,
    ready: bool,
    ports: tuple[int, ...] = (),
    host_network: bool = False,
    owner: tuple[str, str] = ("", ""),
    beside: Mapping[str, str] | None = None,
) -> Object:
    """A running pod; `owner` is kind and name of its controller, `beside` are more containers with their images."""
    containers = {container: image, **(beside or {})}
    reason = (
        {} if ready else {"reason": "ContainersNotReady", "message": f"containers with unready status: [{container}]"}
    )
    conditions = [
        condition(cluster, "Initialized", true=True),
        {**condition(cluster, "Ready", true=ready), **reason},
        {**condition(cluster, "ContainersReady", true=ready), **reason},
        condition(cluster, "PodScheduled", true=True),
    ]
    found = made(
        cluster,
        "Pod",
        name,
        namespace,
        labels=labels,
        spec={
            "containers": [
                {
                    "name": name,
                    "image": program,
                    "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": port, "protocol": "TCP"} for port in ports],
                    "resources": {},
                }
                for name, program in containers.items()
            ],
            "dnsPolicy": "ClusterFirst",
            "nodeName": node,
            "priority": 0,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "tolerations": [{"operator": "Exists"}],
            **({"hostNetwork": True} if host_network else {}),
        },
        status={
            "conditions": conditions,
            "containerStatuses": [
                {
                    "name": name,
                    "image": program,
                    "imageID": "",
                    "ready": ready,
                    "started": True,
                    "restartCount": 0,
                    "lastState": {},
                    "state": {"running": {"startedAt": cluster.time}},
                }
                for name, program in containers.items()
            ],
            "hostIP": cluster.scenario.nodes[node].address,
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "qosClass": "BestEffort",
            "startTime": cluster.time,
        },
    )
    if owner[0]:
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(owner)))
        reference = {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "uid": uid, "controller": True}
        found["metadata"]["ownerReferences"] = [reference]
    return found


def _workload(cluster: Cluster, name: str) -> Object:
    wanted = cluster.scenario.pods[name]
    container = wanted.labels.get("app", "web")
    found = pod(
        cluster,
        name,
        "default",
        wanted.node,
        address=wanted.address,
        labels=wanted.labels,
        container=container,
        image="nginx:1.27",
        ready=wanted.ready,
        ports=(wanted.port,),
    )
    found["metadata"]["annotations"] = {"cni.projectcalico.org/podIP": f"{wanted.address}/32"}
    return found


def _kubernetes(cluster: Cluster) -> Object:
    """The API's own service, at the first address of the services' range."""
    address = str(IPv4Network(cluster.scenario.service_cidr)[1])
    spec = {
        "clusterIP": address,
        "clusterIPs": [address],
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return made(cluster, "Service", "kubernetes", "default", labels=labels, spec=spec, status={"loadBalancer": {}})


def _service(cluster: Cluster, name: str, service: Service) -> Object:
    port: Object = {"port": service.port, "protocol": "TCP", "targetPort": service.target_port}
    spec: Object = {
        "clusterIP": service.cluster_ip,
        "clusterIPs": [service.cluster_ip],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [port | ({"name": service.port_name} if service.port_name else {})],
        "selector": dict(service.selector),
        "sessionAffinity": "None",
        "type": "LoadBalancer" if service.address else "ClusterIP",
    }
    if not service.address:
        return made(cluster, "Service", name, service.namespace, spec=spec, status={"loadBalancer": {}})
    spec["ports"][0]["nodePort"] = service.node_port
    spec |= {"allocateLoadBalancerNodePorts": True, "externalTrafficPolicy": service.policy}
    if service.policy == "Local":
        spec["healthCheckNodePort"] = service.health_port
    if service.source_ranges:
        spec["loadBalancerSourceRanges"] = list(service.source_ranges)
    mode = {"ipMode": "VIP"} if cluster.scenario.proxy.minor >= 30 else {}
    status = {"loadBalancer": {"ingress": [{"ip": service.address, **mode}]}}
    holder = cluster.holders.get(name)
    notes = {"kube-vip.io/vipHost": holder} if holder else None
    return made(cluster, "Service", name, service.namespace, annotations=notes, spec=spec, status=status)


def _target(pod_name: str, address: str, node: str) -> Object:
    return {
        "ip": address,
        "nodeName": node,
        "targetRef": {"kind": "Pod", "name": pod_name, "namespace": "default"},
    }


def _endpoints(cluster: Cluster, name: str) -> Object:
    """The Endpoints object, which its controller writes beside the slices."""
    scenario, service = cluster.scenario, cluster.scenario.services[name]
    subset: Object = {}
    for matched in scenario.endpoints(name):
        place = scenario.pods[matched]
        key = "addresses" if place.ready else "notReadyAddresses"
        subset.setdefault(key, []).append(_target(matched, place.address, place.node))
    if subset:
        named = {"name": service.port_name} if service.port_name else {}
        subset["ports"] = [{**named, "port": service.target_port, "protocol": "TCP"}]
    labels = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"} if scenario.proxy.minor >= 33 else {}
    found = made(cluster, "Endpoints", name, service.namespace, labels=labels)
    return found | ({"subsets": [subset]} if subset else {})


def _slice(cluster: Cluster, name: str) -> Object:
    scenario, service = cluster.scenario, cluster.scenario.services[name]
    endpoints = [
        {
            "addresses": [scenario.pods[matched].address],
            "conditions": {
                "ready": scenario.pods[matched].ready,
                "serving": scenario.pods[matched].ready,
                "terminating": False,
            },
            "nodeName": scenario.pods[matched].node,
            "targetRef": {"kind": "Pod", "name": matched, "namespace": "default"},
        }
        for matched in scenario.endpoints(name)
    ]
    return made(
        cluster,
        "EndpointSlice",
        f"{name}-{suffix(name)}",
        service.namespace,
        version="discovery.k8s.io/v1",
        labels={
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "kubernetes.io/service-name": name,
        },
        addressType="IPv4",
        endpoints=endpoints or None,
        ports=[{"name": service.port_name, "port": service.target_port, "protocol": "TCP"}] if endpoints else None,
    )
