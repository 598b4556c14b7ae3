"""Descriptions of built-in kinds: each has a form of its own in k8s.io/kubectl/pkg/describe/describe.go.

Each function takes the top entries of one description and yields leaves (path, value, index of the line).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from kubereach.evidence.kubernetes.columns import endpoint_pairs
from kubereach.evidence.kubernetes.describe_pod import containers, pod, table
from kubereach.evidence.kubernetes.fields import field_of
from kubereach.evidence.kubernetes.outline import Entry
from kubereach.evidence.kubernetes.paths import join, typed
from kubereach.model.address import canonical_address
from kubereach.model.fact import Scalar

Leaf = tuple[str, Scalar, int]
_NOTHING = frozenset({"", "<none>", "<unset>", "<nil>"})

_SERVICE_FIELDS = {
    "Type": "spec.type",
    "IP Family Policy": "spec.ipFamilyPolicy",
    "IP": "spec.clusterIP",
    "External Name": "spec.externalName",
    "Desired LoadBalancer IP": "spec.loadBalancerIP",
    "LoadBalancer IP": "spec.loadBalancerIP",
    "Session Affinity": "spec.sessionAffinity",
    "External Traffic Policy": "spec.externalTrafficPolicy",
    "Internal Traffic Policy": "spec.internalTrafficPolicy",
    "HealthCheck NodePort": "spec.healthCheckNodePort",
    "LoadBalancer Class": "spec.loadBalancerClass",
    "Traffic Distribution": "spec.trafficDistribution",
}
_SERVICE_LISTS = {
    "IP Families": "spec.ipFamilies",
    "IPs": "spec.clusterIPs",
    "External IPs": "spec.externalIPs",
    "LoadBalancer Source Ranges": "spec.loadBalancerSourceRanges",
}
_NODE_FIELDS = {
    "Unschedulable": "spec.unschedulable",
    "PodCIDR": "spec.podCIDR",
    "ProviderID": "spec.providerID",
    "ExternalID": "spec.externalID",
}
_DAEMON_SET_FIELDS = {
    "Desired Number of Nodes Scheduled": "status.desiredNumberScheduled",
    "Current Number of Nodes Scheduled": "status.currentNumberScheduled",
    "Number of Nodes Scheduled with Up-to-date Pods": "status.updatedNumberScheduled",
    "Number of Nodes Scheduled with Available Pods": "status.numberAvailable",
    "Number of Nodes Misscheduled": "status.numberMisscheduled",
}

# Top labels that say nothing this project needs; they count as read.
_SILENT = frozenset(
    {
        *(
            "Non-terminated Pods",
            "Lease",
            "Capacity",
            "Allocatable",
            "Allocated resources",
            "CreationTimestamp",
            "Start Time",
            "Priority",
        ),
        *(
            "Volumes",
            "QoS Class",
            "Tolerations",
            "Priority Class Name",
            "Pods Status",
            "NewReplicaSet",
            "MinReadySeconds",
        ),
        *("OldReplicaSets", "StrategyType", "RollingUpdateStrategy", "Replicas", "Update Strategy", "Volume Claims"),
        *(
            "Network",
            "SeccompProfile",
            "Service Account",
            "Cluster IP",
            "External Port",
            "Node-Selector",
            "Resource Version",
        ),
    }
)


def multi_line(entry: Entry) -> list[tuple[str, int]]:
    """The lines of a value that goes on below itself (Labels, Annotations, Taints …), without `<none>`."""
    lines = [(entry.value, entry.line), *((child.text, child.line) for child in entry.below())]
    return [(text, line) for text, line in lines if text not in _NOTHING]


def _comma_list(entry: Entry, path: str) -> Iterator[Leaf]:
    items = [item.strip() for text, _ in multi_line(entry) for item in text.split(",")]
    for i, item in enumerate(item for item in items if item not in _NOTHING):
        yield f"{path}[{i}]", item, entry.line


def _map(entry: Entry, path: str, separator: str = ",") -> Iterator[Leaf]:
    for text, line in multi_line(entry):
        for part in text.split(separator):
            key, _, value = part.strip().partition("=")
            if key:
                yield join(path, key), value, line


def service(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe service`, but for its endpoints (see `service_endpoints`)."""
    port = -1
    has_ingress = False
    kind: Entry | None = None
    for entry in entries:
        label = entry.label or ""
        if label == "Type":
            kind = entry
        if label in _SERVICE_FIELDS and entry.value not in _NOTHING:
            yield _SERVICE_FIELDS[label], typed(entry.value), entry.line
        elif label in _SERVICE_LISTS:
            yield from _comma_list(entry, _SERVICE_LISTS[label])
        elif label == "Selector":
            yield from _map(entry, "spec.selector")
        elif label == "LoadBalancer Ingress":
            has_ingress = True
            yield from _ingress(entry)
        elif label in {"Port", "TargetPort", "NodePort"}:
            port += label == "Port"
            yield from _service_port(entry, max(port, 0))
    if kind is not None and kind.value == "LoadBalancer" and port >= 0 and not has_ingress:
        # kubectl prints the ingress, when there is one, between the type and the first port.
        yield "status.loadBalancer.ingress", None, kind.line


def _ingress(entry: Entry) -> Iterator[Leaf]:
    items = [item.strip() for text, _ in multi_line(entry) for item in text.split(",")]
    for i, item in enumerate(item for item in items if item):
        match = re.fullmatch(r"(\S+?)(?: \((VIP|Proxy)\))?", item)
        address = match[1] if match else item
        field = "ip" if canonical_address(address) else "hostname"
        yield f"status.loadBalancer.ingress[{i}].{field}", address, entry.line
        if match and match[2]:
            yield f"status.loadBalancer.ingress[{i}].ipMode", match[2], entry.line


def _service_port(entry: Entry, index: int) -> Iterator[Leaf]:
    match = re.fullmatch(r"(?:(\S{1,63})\s+)?([\w.-]{1,63})/([A-Z]{1,8})", entry.value)
    if match is None:
        return
    base = f"spec.ports[{index}]"
    if entry.label == "Port":
        if match[1] and match[1] not in _NOTHING:
            yield f"{base}.name", match[1], entry.line
        yield f"{base}.port", typed(match[2]), entry.line
        yield f"{base}.protocol", match[3], entry.line
    else:
        yield f"{base}.{'targetPort' if entry.label == 'TargetPort' else 'nodePort'}", typed(match[2]), entry.line


def service_endpoints(entries: Sequence[Entry]) -> list[Leaf]:
    """The leaves of the Endpoints object that `kubectl describe service` shows, all ports together."""
    shown = [entry for entry in entries if entry.label == "Endpoints"]
    if not shown:
        return []
    listed = [entry.value.partition("+") for entry in shown]
    more = sum(int(m[1]) for _, _, rest in listed if (m := re.match(r"\s*(\d{1,6}) more", rest)))
    members = [part.strip() for part, _, _ in listed if part.strip() not in _NOTHING]
    text = ",".join(members) if members else ("<none>" if any(part.strip() for part, _, _ in listed) else "")
    line = next((entry.line for entry in shown if entry.value not in _NOTHING), shown[0].line)
    return [(path, value, line) for path, value in endpoint_pairs(f"{text} + {more} more..." if more else text)]


def endpoints(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe endpoints`."""
    top = next((entry for entry in entries if entry.label == "Subsets"), None)
    if top is None:
        return
    if not top.children:
        yield "subsets", None, top.line
    subset = -1
    for entry in top.children:
        subset += entry.label == "Addresses" or subset < 0
        base = f"subsets[{subset}]"
        if entry.label in {"Addresses", "NotReadyAddresses"}:
            field = "addresses" if entry.label == "Addresses" else "notReadyAddresses"
            items = [item.strip() for item in entry.value.split(",") if item.strip() not in _NOTHING]
            if not items and field == "addresses":
                yield f"{base}.{field}", None, entry.line
            for i, item in enumerate(items):
                yield f"{base}.{field}[{i}].ip", item, entry.line
        elif entry.label == "Ports":
            yield from _ports(entry, f"{base}.ports")


def _ports(entry: Entry, path: str) -> Iterator[Leaf]:
    for i, (cells, line) in enumerate(table(entry.children)):
        for column, field in (("Name", "name"), ("Port", "port"), ("Protocol", "protocol")):
            if cells.get(column, "") not in _NOTHING:
                yield f"{path}[{i}].{field}", typed(cells[column]) if field == "port" else cells[column], line


def endpoint_slice(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe endpointslice`, whose dashes the caller has replaced by blanks."""
    for entry in entries:
        if entry.label == "AddressType":
            yield "addressType", entry.value, entry.line
        elif entry.label == "Ports":
            yield from _ports(entry, "ports")
        elif entry.label == "Endpoints":
            yield from _slice_endpoints(entry)


def _slice_endpoints(top: Entry) -> Iterator[Leaf]:
    if not top.children:
        yield "endpoints", None, top.line
    index = -1
    for entry in top.children:
        index += entry.label == "Addresses" or index < 0
        base = f"endpoints[{index}]"
        if entry.label == "Addresses":
            yield from _comma_list(entry, f"{base}.addresses")
        elif entry.label == "Conditions":
            for child in entry.children:
                if child.label is not None and child.value not in _NOTHING:
                    yield f"{base}.conditions.{child.label.lower()}", typed(child.value), child.line
        elif entry.label == "TargetRef" and "/" in entry.value:
            kind, _, name = entry.value.partition("/")
            yield f"{base}.targetRef.kind", kind, entry.line
            yield f"{base}.targetRef.name", name, entry.line
        elif entry.label in {"NodeName", "Hostname", "Zone"} and entry.value not in _NOTHING:
            yield f"{base}.{entry.label[0].lower()}{entry.label[1:]}", entry.value, entry.line


def node(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe node`, but for the pods that it lists (see `pods_of_node`)."""
    for entry in entries:
        label = entry.label or ""
        if label in _NODE_FIELDS and entry.value not in _NOTHING:
            yield _NODE_FIELDS[label], typed(entry.value), entry.line
        elif label == "Roles":
            yield "metadata.roles", None if entry.value in _NOTHING else entry.value, entry.line
        elif label == "PodCIDRs":
            yield from _comma_list(entry, "spec.podCIDRs")
        elif label == "Taints":
            yield from _taints(entry)
        elif label == "Addresses":
            yield from _node_addresses(entry)
        elif label == "Conditions":
            yield from conditions(entry)
        elif label == "System Info":
            for child in entry.children:
                if child.label and child.value:
                    yield f"status.nodeInfo.{_node_info(child.label)}", child.value, child.line


def _node_addresses(entry: Entry) -> Iterator[Leaf]:
    """By type, as tables give them; a second one of a type (dual stack) as `InternalIP[1]`."""
    count: dict[str, int] = {}
    for child in entry.children:
        if child.label is not None and child.value:
            nth = count[child.label] = count.get(child.label, -1) + 1
            yield f"status.addresses.{child.label}{f'[{nth}]' if nth else ''}", child.value, child.line


def _node_info(label: str) -> str:
    return {"Kube-Proxy Version": "kubeProxyVersion", "OS Image": "osImage"}.get(label) or field_of(label)


def _taints(entry: Entry) -> Iterator[Leaf]:
    for i, (text, line) in enumerate(multi_line(entry)):
        taint, _, effect = text.rpartition(":")
        key, equals, value = taint.partition("=")
        yield f"spec.taints[{i}].key", key, line
        if equals:
            yield f"spec.taints[{i}].value", value, line
        yield f"spec.taints[{i}].effect", effect, line


def conditions(entry: Entry) -> Iterator[Leaf]:
    """A table of conditions; Ready also as `status.conditions.Ready`, the way tables of nodes and pods give it."""
    for i, (cells, line) in enumerate(table(entry.children)):
        for column in ("Type", "Status", "Reason", "Message"):
            if cells.get(column):
                yield f"status.conditions[{i}].{column.lower()}", cells[column], line
        if cells.get("Type") == "Ready" and cells.get("Status"):
            yield "status.conditions.Ready", cells["Status"] == "True", line


def pods_of_node(entries: Sequence[Entry]) -> list[tuple[str, str, int]]:
    """The pods that a description of a node lists: (namespace, name, line)."""
    top = next((entry for entry in entries if entry.label == "Non-terminated Pods"), None)
    rows = table(top.children) if top is not None else []
    return [(cells["Namespace"], cells["Name"], line) for cells, line in rows if {"Namespace", "Name"} <= cells.keys()]


def daemon_set(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe daemonset`, also for deployments and stateful sets as far as they have the same lines."""
    for entry in entries:
        label = entry.label or ""
        if label in _DAEMON_SET_FIELDS:
            yield _DAEMON_SET_FIELDS[label], typed(entry.value), entry.line
        elif label == "Selector":
            yield from _map(entry, "spec.selector.matchLabels")
        elif label == "Pod Template":
            for child in entry.children:
                if child.label in {"Containers", "Init Containers"}:
                    field = "containers" if child.label == "Containers" else "initContainers"
                    yield from containers(child, f"spec.template.spec.{field}", "")


MAPPERS: dict[str, Callable[[Sequence[Entry]], Iterator[Leaf]]] = {
    "Service": service,
    "Endpoints": endpoints,
    "EndpointSlice": endpoint_slice,
    "Node": node,
    "Pod": pod,
    "DaemonSet": daemon_set,
    "Deployment": daemon_set,
    "StatefulSet": daemon_set,
    "ReplicaSet": daemon_set,
}

_GIVEAWAYS = (
    ("EndpointSlice", {"AddressType", "Endpoints"}),
    ("Endpoints", {"Subsets"}),
    ("Service", {"Selector", "Type", "Session Affinity"}),
    ("Service", {"IP", "Port", "TargetPort"}),
    ("Service", {"Selector", "Type", "IP"}),
    ("Node", {"System Info"}),
    ("Node", {"Roles", "Taints"}),
    ("Pod", {"Containers", "Node"}),
    ("DaemonSet", {"Desired Number of Nodes Scheduled"}),
)


def kind_of_entries(entries: Sequence[Entry]) -> str:
    """The built-in kind that the top labels give away, or ""."""
    labels = {entry.label for entry in entries}
    return next((kind for kind, needed in _GIVEAWAYS if labels >= needed), "")


def is_silent(kind: str, entry: Entry) -> bool:
    """Whether a top entry that gave no leaf is known to say nothing (in a known kind), rather than foreign text."""
    label = entry.label or ""
    if label in _SILENT or label in {"Name", "Namespace", "Labels", "Annotations", "Selector", "Events"}:
        return True
    return kind in MAPPERS and (entry.value in _NOTHING) and label[:1].isupper() and not entry.children
