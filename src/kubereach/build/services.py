"""Services, their ports and their endpoints, from objects of any completeness."""

from __future__ import annotations

import re

from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address
from kubereach.model.attribute import (
    ADDRESSES,
    CLUSTER_IP,
    EARLIER_ADDRESSES,
    ENDPOINTS,
    ENDPOINTS_UNCOUNTED,
    HEALTH_PORT,
    NODE_PORTS,
    OVERWRITTEN,
    POLICY,
    PORTS,
    SOURCE_RANGES,
    Endpoint,
    ServicePort,
    why,
)
from kubereach.model.fact import Scalar, Trust
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
INGRESS = "status.loadBalancer.ingress"
EARLIER = "status.loadBalancer.earlier"


def service_subject(service: KubeObject) -> str:
    """`service/NS/NAME`."""
    return f"service/{service.namespace}/{service.name}"


def build_services(objects: Objects, leaves: Leaves) -> tuple[str, ...]:
    """Put the leaves of every LoadBalancer-like service; returns their subjects.

    A service counts when its type is LoadBalancer or unseen, or when it has external addresses; where there is none
    of these, those of type NodePort count.
    """
    services = [service for (kind, _, _), service in objects.items() if kind == "Service"]
    chosen = [s for s in services if s.text("spec.type") in {"LoadBalancer", ""} or _addresses(s)]
    chosen = chosen or [s for s in services if s.text("spec.type") == "NodePort"]
    behind = _Behind(objects)
    for service in chosen:
        subject = service_subject(service)
        assigned = _assigned(objects, service)
        _put_service(service, subject, tuple(dict.fromkeys((*_addresses(service), *assigned))), leaves)
        for address, where in assigned.items():
            said = f"the controller assigned {address}, and the status holds {', '.join(_addresses(service))}"
            leaves.put(subject, OVERWRITTEN, value=True, origins=where)
            leaves.put(subject, why(OVERWRITTEN), said, where)
        _put_endpoints(behind, service, subject, leaves)
    if not services and (unseen := _behind_one(behind)):
        chosen = [unseen]
        _put_endpoints(behind, unseen, service_subject(unseen), leaves)
    return tuple(service_subject(service) for service in chosen)


def _behind_one(behind: _Behind) -> KubeObject | None:
    """The service that nobody showed, where endpoints of one alone were asked for."""
    found = {key for key in (*behind.endpoints, *behind.slices) if key != ("default", "kubernetes") and key[1]}
    return KubeObject("Service", *next(iter(found))) if len(found) == 1 else None


def _addresses(service: KubeObject) -> tuple[str, ...]:
    found = [element.text("ip") for element in service.elements(INGRESS)]
    found += str(service.value(INGRESS) or "").split(",")  # as people write it
    found += service.scalars("spec.externalIPs")
    found += service.scalars(EARLIER)  # one that comes and goes is the service's as well
    return tuple(dict.fromkeys(a for a in map(canonical_address, found) if a))


def _put_service(service: KubeObject, subject: str, addresses: tuple[str, ...], leaves: Leaves) -> None:
    empty = [p for p in (INGRESS, "status.loadBalancer") if p in service.fields and _nothing(service.value(p))]
    given = {e.origins("ip") for e in service.elements(INGRESS)}
    lacking = [origin for path in empty for origin in service.shown_by(path)]
    if given and len(lacking) > len(given):
        # More outputs lack an address than show one: it is from another time.
        leaves.put(subject, ADDRESSES, (), lacking)
    if addresses or empty:
        where = service.origins(INGRESS, "status.loadBalancer", "spec.externalIPs")
        leaves.put(subject, ADDRESSES, addresses, where, service.trust(INGRESS, "spec.externalIPs"))
    if earlier := service.scalars(EARLIER):
        leaves.put(subject, EARLIER_ADDRESSES, earlier, service.origins(EARLIER))
    if policy := service.text("spec.externalTrafficPolicy"):
        path = "spec.externalTrafficPolicy"
        leaves.put(subject, POLICY, policy, service.origins(path), service.trust(path))
    if node_ports := tuple(p for e in service.elements("spec.ports") if (p := e.number("nodePort"))):
        leaves.put(subject, NODE_PORTS, node_ports, service.origins("spec.ports"), service.trust("spec.ports"))
    if port := service.number("spec.healthCheckNodePort"):
        leaves.put(subject, HEALTH_PORT, port, service.origins("spec.healthCheckNodePort"))
    ports = tuple(_port(element) for element in service.elements("spec.ports") if element.number("port"))
    if ports := ports or tuple(filter(None, map(written_port, service.scalars("spec.ports")))):
        leaves.put(subject, PORTS, ports, service.origins("spec.ports"), service.trust("spec.ports"))
    if cluster_ip := canonical_address(service.text("spec.clusterIP")):
        leaves.put(subject, CLUSTER_IP, cluster_ip, service.origins("spec.clusterIP"))
    path = "spec.loadBalancerSourceRanges"
    if ranges := service.scalars(path):
        leaves.put(subject, SOURCE_RANGES, ranges, service.origins(path), service.trust(path))
    elif _whole(service):
        leaves.put(subject, SOURCE_RANGES, (), service.origins("spec.type"), service.trust("spec.type"))


def _whole(service: KubeObject) -> bool:
    """Whether the API server's own rendering was shown: it leaves no field out that is set."""
    return service.has("metadata.resourceVersion") and service.has("spec.type") and service.has("spec.ports")


def _assigned(objects: Objects, service: KubeObject) -> dict[str, tuple[Origin, ...]]:
    """Addresses that MetalLB's events assigned and the status does not hold: somebody else wrote the status since."""
    status = {canonical_address(e.text("ip")) for e in service.elements(INGRESS)}
    found: dict[str, tuple[Origin, ...]] = {}
    for (kind, _, _), entry in objects.items():
        mine = kind == "Event" and entry.text("reason") == "IPAllocated"
        if not mine or not status or entry.text("involvedObject.name") != service.name:
            continue
        said = re.match(r'Assigned IP \[?"?([0-9a-fA-F.:]+)', entry.text("message"))
        address = canonical_address(said[1]) if said else None
        if address in status:
            return {}
        if address:
            found[address] = entry.origins("message")
    return found


def _nothing(value: Scalar) -> bool:
    """Whether a status is empty, or a person's word for it."""
    return value is None or str(value).strip().lower() in {"", "pending", "<pending>", "none", "<none>"}


def written_port(text: str) -> ServicePort | None:
    """A port as kubectl's PORT(S) column and people write it: `80`, `80/TCP`, `80:30080/TCP`."""
    match = re.fullmatch(r"(\d{1,5})(?::(\d{1,5}))?(?:/(TCP|UDP|SCTP))?", text.strip().upper())
    if match is None:
        return None
    return ServicePort(int(match[1]), match[3] or "TCP", int(match[2]) if match[2] else None)


def _port(element: KubeObject) -> ServicePort:
    target = element.value("targetPort")
    return ServicePort(
        port=element.number("port") or 0,
        protocol=element.text("protocol") or "TCP",
        node_port=element.number("nodePort"),
        target=target if isinstance(target, int | str) and not isinstance(target, bool) else None,
        name=element.text("name"),
    )


class _Behind:
    """What may stand behind services, by what it is looked up by: many services must not search all of it each."""

    def __init__(self, objects: Objects) -> None:
        self.endpoints: dict[tuple[str, str], KubeObject] = {}
        self.slices: dict[tuple[str, str], list[KubeObject]] = {}
        self.pods: dict[str, list[KubeObject]] = {}
        self.pod_at: dict[tuple[str, str], KubeObject] = {}
        for (kind, namespace, name), entry in objects.items():
            if kind == "Endpoints":
                self.endpoints[namespace, name] = entry
            elif kind == "EndpointSlice":
                self.slices.setdefault((namespace, _service_of(entry)), []).append(entry)
            elif kind == "Pod" and (address := canonical_address(entry.text("status.podIP"))):
                self.pods.setdefault(namespace, []).append(entry)
                self.pod_at.setdefault((namespace, address), entry)


def _put_endpoints(behind: _Behind, service: KubeObject, subject: str, leaves: Leaves) -> None:
    found: list[Endpoint] = []
    origins: list[Origin] = []
    key = (service.namespace, service.name)
    listed = behind.endpoints.get(key)
    if listed is not None:
        found += _from_endpoints(listed)
        origins += listed.origins("subsets")
    for entry in behind.slices.get(key, ()):
        found += _from_slice(entry)
        origins += entry.origins("endpoints")
    if nameless := _without_node(behind.slices.get(key, [])):
        leaves.put(subject, ENDPOINTS_UNCOUNTED, value=True, origins=nameless)
    shown = listed is not None or key in behind.slices
    if listed is not None and key in behind.slices:
        apart = ([*_from_endpoints(listed)], [e for entry in behind.slices[key] for e in _from_slice(entry)])
        if any(e.ready for e in apart[0]) != any(e.ready for e in apart[1]):  # of two times: either may be the true one
            for ends, entries, path in zip(
                apart, ([listed], behind.slices[key]), ("subsets", "endpoints"), strict=True
            ):
                where = [o for entry in entries for o in entry.origins(path, "metadata")]
                located = tuple(_locate(endpoint, behind, service.namespace) for endpoint in ends)
                leaves.put(subject, ENDPOINTS, located, where)
            return
    pods = behind.pods.get(service.namespace, [])
    if not shown:
        found, origins = _from_pods(pods, service)
        shown = bool(found)
    trust = Trust.OUTPUT
    if not shown:
        found, origins = _namesakes(pods, service)
        shown, trust = bool(found), Trust.MENTIONED
    if shown:
        located = tuple(_locate(endpoint, behind, service.namespace) for endpoint in found)
        unique = {endpoint.address: endpoint for endpoint in sorted(located, key=lambda e: bool(e.node))}
        leaves.put(subject, ENDPOINTS, tuple(unique.values()), dict.fromkeys(origins), trust)


def _service_of(entry: KubeObject) -> str:
    owner = entry.mapping("metadata.labels").get("kubernetes.io/service-name")
    return owner or entry.name.rpartition("-")[0]


def _from_endpoints(entry: KubeObject) -> list[Endpoint]:
    found = []
    for subset in entry.elements("subsets"):
        port = next((p.number("port") for p in subset.elements("ports")), None)
        for path, ready in (("addresses", True), ("notReadyAddresses", False)):
            for element in subset.elements(path):
                if address := canonical_address(element.text("ip")):
                    node = element.text("nodeName")
                    pod = element.text("targetRef.name")
                    found.append(Endpoint(address, f"node/{node}" if node else "", ready, port, pod))
    return found


def _from_slice(entry: KubeObject) -> list[Endpoint]:
    port = next((p.number("port") for p in entry.elements("ports")), None)
    found = []
    for element in entry.elements("endpoints"):
        ready = element.value("conditions.ready") is not False
        node = element.text("nodeName")
        for text in element.scalars("addresses"):
            if address := canonical_address(text):
                pod = element.text("targetRef.name")
                found.append(Endpoint(address, f"node/{node}" if node else "", ready, port, pod))
    return found


def _without_node(slices: list[KubeObject]) -> tuple[Origin, ...]:
    """Where slices are printed whole, have ready endpoints, and name no node for any of them."""
    ready = [
        (entry, element)
        for entry in slices
        for element in entry.elements("endpoints")
        if element.value("conditions.ready") is True
    ]
    if not ready or any(element.text("nodeName") for _, element in ready):
        return ()
    return ready[0][0].origins("endpoints")[:1]


def _from_pods(pods: list[KubeObject], service: KubeObject) -> tuple[list[Endpoint], list[Origin]]:
    """The pods that the selector names, where endpoints were not collected but labels were."""
    selector = service.mapping("spec.selector")
    found: list[Endpoint] = []
    origins: list[Origin] = []
    for pod in pods if selector else ():
        labels = pod.mapping("metadata.labels")
        if labels and all(labels.get(k) == v for k, v in selector.items()):
            ready = pod.value("status.conditions.Ready") is not False
            found.append(Endpoint(_pod_address(pod), "", ready, None, pod.name))
            origins += pod.origins("status.podIP")
    return found, origins


def _pod_address(pod: KubeObject) -> str:
    return canonical_address(pod.text("status.podIP")) or ""


def _namesakes(pods: list[KubeObject], service: KubeObject) -> tuple[list[Endpoint], list[Origin]]:
    """Pods without labels shown whose controller has the service's own name, as charts name both; ready ones only."""
    found: list[Endpoint] = []
    origins: list[Origin] = []
    owned = rf"{re.escape(service.name)}-(?:[a-z0-9]{{5,10}}-)?(?:[a-z0-9]{{5}}|\d{{1,3}})"
    for pod in pods:
        if not pod.name.startswith(f"{service.name}-") or pod.mapping("metadata.labels"):
            continue
        if re.fullmatch(owned, pod.name) and pod.value("status.conditions.Ready") is True:
            found.append(Endpoint(_pod_address(pod), "", ready=True, pod=pod.name))
            origins += pod.origins("status.podIP")
    return found, origins


def _locate(endpoint: Endpoint, behind: _Behind, namespace: str) -> Endpoint:
    """The same endpoint with the node of its pod, where the pod's row shows it."""
    pod = None if endpoint.node else behind.pod_at.get((namespace, endpoint.address))
    node = pod.text("spec.nodeName") if pod else ""
    if pod is None or not node:
        return endpoint
    return Endpoint(endpoint.address, f"node/{node}", endpoint.ready, endpoint.port, pod.name)
