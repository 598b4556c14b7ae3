"""`kubectl describe` of services, endpoints and endpoint slices, and the values that go on over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubereach.evidence.kubernetes.columns import endpoint_pairs
from kubereach.evidence.kubernetes.describe_pod import table
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


def multi_line(entry: Entry) -> list[tuple[str, int]]:
    """The lines of a value that goes on below itself (Labels, Annotations, Taints …), without `<none>`."""
    lines = [(entry.value, entry.line), *((child.text, child.line) for child in entry.below())]
    return [(text, line) for text, line in lines if text not in _NOTHING]


def comma_list(entry: Entry, path: str) -> Iterator[Leaf]:
    """The elements of a list printed with commas."""
    items = [item.strip() for text, _ in multi_line(entry) for item in text.split(",")]
    for i, item in enumerate(item for item in items if item not in _NOTHING):
        yield f"{path}[{i}]", item, entry.line


def map_of(entry: Entry, path: str, separator: str = ",") -> Iterator[Leaf]:
    """The entries of a map printed as `key=value`, with commas or on lines of their own."""
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
            yield from comma_list(entry, _SERVICE_LISTS[label])
        elif label == "Selector":
            yield from map_of(entry, "spec.selector")
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
            yield from comma_list(entry, f"{base}.addresses")
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
