"""Descriptions of built-in kinds: each has a form of its own in k8s.io/kubectl/pkg/describe/describe.go.

Each function takes the top entries of one description and yields leaves (path, value, index of the line).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kubereach.evidence.kubernetes.describe_pod import containers, pod, table
from kubereach.evidence.kubernetes.describe_service import (
    comma_list,
    endpoint_slice,
    endpoints,
    map_of,
    multi_line,
    service,
)
from kubereach.evidence.kubernetes.fields import field_of
from kubereach.evidence.kubernetes.outline import Entry
from kubereach.evidence.kubernetes.paths import typed
from kubereach.model.fact import Scalar

Leaf = tuple[str, Scalar, int]
_NOTHING = frozenset({"", "<none>", "<unset>", "<nil>"})

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


def node(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe node`, but for the pods that it lists (see `pods_of_node`)."""
    for entry in entries:
        label = entry.label or ""
        if label in _NODE_FIELDS and entry.value not in _NOTHING:
            yield _NODE_FIELDS[label], typed(entry.value), entry.line
        elif label == "Roles":
            yield "metadata.roles", None if entry.value in _NOTHING else entry.value, entry.line
        elif label == "PodCIDRs":
            yield from comma_list(entry, "spec.podCIDRs")
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
            yield from map_of(entry, "spec.selector.matchLabels")
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
