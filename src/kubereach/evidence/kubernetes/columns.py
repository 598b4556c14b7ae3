"""What the columns of `kubectl get` mean, kind by kind: cells in, (API path, value) pairs out.

The columns are those of kubernetes/pkg/printers/internalversion/printers.go and of the additionalPrinterColumns of the
custom resources. `<none>`, `<unset>` and `<unknown>` give no pair unless they say that something is absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from kubereach.evidence.kubernetes.kinds import kind_of
from kubereach.evidence.kubernetes.paths import canonical_scalar, join, typed
from kubereach.model.address import canonical_address
from kubereach.model.fact import Scalar

Cells = Mapping[str, str]
Pairs = Iterator[tuple[str, Scalar]]
_NOTHING = frozenset({"", "<none>", "<unset>", "<unknown>", "<nil>", "<invalid>"})
_PHASES = frozenset({"Pending", "Running", "Succeeded", "Failed", "Unknown"})
IDENTITY = frozenset({"NAME", "NAMESPACE"})


def leaves(kind: str, cells: Cells) -> list[tuple[str, Scalar]]:
    """The fields that one row shows."""
    mapper = _MAPPERS.get(kind)
    pairs = list(_generic(cells) if mapper is None else mapper(cells))
    pairs += _labels(cells.get("LABELS", ""), "metadata.labels")
    return [(path, canonical_scalar(value)) for path, value in pairs]


def split_endpoint(text: str) -> tuple[str, int | None]:
    """`10.0.0.1:80`, `[2001:db8::1]:80` or a bare address → canonical address and port."""
    match = re.fullmatch(r"\[([^\]]{1,60})\]:(\d{1,5})|([^:\s]{1,253}):(\d{1,5})", text)
    if match:
        host, port = (match[1], match[2]) if match[1] else (match[3], match[4])
        return canonical_address(host) or host, int(port)
    return canonical_address(text) or text, None


def endpoint_pairs(text: str) -> Pairs:
    """The ENDPOINTS cell (also of `describe service`): the ready addresses, first three only when `+ N more...`.

    `subsets` is None when no address is shown. An empty cell differs from `<none>`: the subsets exist and hold no
    ready address (formatEndpoints in kubectl), which gives `subsets[0].addresses` None too.
    """
    listed, _, more = text.partition("+")
    members = [split_endpoint(part.strip()) for part in listed.split(",") if part.strip() not in _NOTHING]
    if not members:
        yield "subsets", None
        if not text.strip():
            yield "subsets[0].addresses", None
        return
    yield from _subset_pairs(members, whole=not more)
    if more:
        yield "subsets[0].more", typed(more.split()[0]) if more.split() else None


def _subset_pairs(members: list[tuple[str, int | None]], *, whole: bool) -> Pairs:
    by_address: dict[str, list[int]] = {}
    for address, port in members:
        by_address.setdefault(address, []).extend([] if port is None else [port])
    groups: dict[tuple[int, ...], list[str]] = {}
    every = tuple(dict.fromkeys(port for _, port in members if port is not None))
    for address, ports in by_address.items():
        groups.setdefault(tuple(sorted(set(ports))) if whole else every, []).append(address)
    for s, (numbers, addresses) in enumerate(groups.items()):
        for i, address in enumerate(addresses):
            yield f"subsets[{s}].addresses[{i}].ip", address
        for i, number in enumerate(numbers):
            yield f"subsets[{s}].ports[{i}].port", number


def _shown(cells: Cells, **paths: str) -> Pairs:
    """Pairs for the columns that are shown and not empty; keyword `INTERNAL_IP` means column `INTERNAL-IP`."""
    for column, path in paths.items():
        value = cells.get(column.replace("__", " ").replace("_", "-"), "")
        if value not in _NOTHING:
            yield path, typed(value)


def _texts(cells: Cells, **paths: str) -> Pairs:
    """As `_shown`, for fields that are strings in the API even if they look like numbers."""
    for column, path in paths.items():
        value = cells.get(column.replace("__", " ").replace("_", "-"), "")
        if value not in _NOTHING:
            yield path, value


def _labels(text: str, path: str) -> Pairs:
    if text in _NOTHING:
        return
    for part in text.split(","):
        key, _, value = part.strip().partition("=")
        if key:
            yield join(path, key), value


def _json_list(text: str, path: str) -> Pairs:
    """`["a","b"]` as printed for a list field; anything else stays one text."""
    items = re.findall(r'"((?:[^"\\]|\\.){0,400})"', text) if text.startswith("[") else text.split(",")
    for i, item in enumerate(item for item in items if item not in _NOTHING):
        yield f"{path}[{i}]", item


def _service(cells: Cells) -> Pairs:
    yield from _texts(cells, TYPE="spec.type", CLUSTER_IP="spec.clusterIP")
    external = cells.get("EXTERNAL-IP", "")
    is_balancer = cells.get("TYPE", "LoadBalancer") == "LoadBalancer"
    if external == "<pending>":
        yield "status.loadBalancer.ingress", None
    elif cells.get("TYPE") == "ExternalName":
        yield from _texts(cells, EXTERNAL_IP="spec.externalName")
    elif external not in _NOTHING:
        for i, item in enumerate(_external(external)):
            field = "ip" if canonical_address(item) else "hostname"
            yield (f"status.loadBalancer.ingress[{i}].{field}" if is_balancer else f"spec.externalIPs[{i}]"), item
    yield from _service_ports(cells.get("PORT(S)", ""))
    yield from _labels(cells.get("SELECTOR", ""), "spec.selector")


def _external(text: str) -> list[str]:
    """The addresses of an EXTERNAL-IP cell; old kubectls cut it after 16 characters: the last is no address then."""
    items = text.split(",")
    return items[:-1] if len(items) > 1 and items[-1].endswith("...") else items


def _service_ports(text: str) -> Pairs:
    index = 0
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,5})(?::(\d{1,5}))?/([A-Z]{1,8})", part.strip())
        if match is None:
            continue
        yield f"spec.ports[{index}].port", int(match[1])
        if match[2]:
            yield f"spec.ports[{index}].nodePort", int(match[2])
        yield f"spec.ports[{index}].protocol", match[3]
        index += 1


def _pod(cells: Cells) -> Pairs:
    ready, status = cells.get("READY", ""), cells.get("STATUS", "")
    if ready not in _NOTHING:
        yield "status.ready", ready
    if status not in _NOTHING:
        yield ("status.phase" if status in _PHASES else "status.reason"), status
    have, slash, want = ready.partition("/")
    if slash and have != want:
        yield "status.conditions.Ready", False
    elif slash and status == "Running":
        yield "status.conditions.Ready", True
    restarts = cells.get("RESTARTS", "").split(" ")[0]
    if restarts.isdecimal() and len(restarts) < 10:
        yield "status.restarts", int(restarts)
    yield from _texts(cells, IP="status.podIP", NODE="spec.nodeName")


def _node(cells: Cells) -> Pairs:
    if "IPV4" in cells or "ASN" in cells:
        yield from _calico_node(cells)
    states = cells.get("STATUS", "").split(",")
    if states[0] in {"Ready", "NotReady", "Unknown"}:
        yield "status.conditions.Ready", states[0] == "Ready"
        yield "spec.unschedulable", "SchedulingDisabled" in states
    if "ROLES" in cells:
        yield "metadata.roles", None if cells["ROLES"] in _NOTHING else cells["ROLES"]
    yield from _texts(
        cells,
        VERSION="status.nodeInfo.kubeletVersion",
        INTERNAL_IP="status.addresses.InternalIP",
        EXTERNAL_IP="status.addresses.ExternalIP",
        OS_IMAGE="status.nodeInfo.osImage",
        KERNEL_VERSION="status.nodeInfo.kernelVersion",
        CONTAINER_RUNTIME="status.nodeInfo.containerRuntimeVersion",
    )


def _calico_node(cells: Cells) -> Pairs:
    """`calicoctl get nodes -o wide`; an AS number in parentheses is the cluster's default, not the node's own."""
    yield from _texts(cells, IPV4="spec.bgp.ipv4Address", IPV6="spec.bgp.ipv6Address")
    asn = cells.get("ASN", "")
    if asn not in _NOTHING:
        yield ("table.ASN", asn) if asn.startswith("(") else ("spec.bgp.asNumber", typed(asn))


def _endpoints(cells: Cells) -> Pairs:
    yield from endpoint_pairs(cells.get("ENDPOINTS", ""))


def _endpoint_slice(cells: Cells) -> Pairs:
    yield from _texts(cells, ADDRESSTYPE="addressType")
    ports = [p.strip() for p in cells.get("PORTS", "").partition("+")[0].split(",") if p.strip() not in _NOTHING]
    for i, port in enumerate(ports):
        yield f"ports[{i}].port", typed(port)
    listed, _, more = cells.get("ENDPOINTS", "").partition("+")
    addresses = [a.strip() for a in listed.split(",") if a.strip() not in _NOTHING]
    if not addresses:
        yield "endpoints", None
    for i, address in enumerate(addresses):
        yield f"endpoints[{i}].addresses[0]", address
    if more.split():
        yield "endpoints.more", typed(more.split()[0])


def _ip_address_pool(cells: Cells) -> Pairs:
    yield from _shown(cells, AUTO__ASSIGN="spec.autoAssign", AVOID__BUGGY__IPS="spec.avoidBuggyIPs")
    yield from _json_list(cells.get("ADDRESSES", ""), "spec.addresses")


def _advertisement(cells: Cells) -> Pairs:
    for column, path in (
        ("IPADDRESSPOOLS", "spec.ipAddressPools"),
        ("INTERFACES", "spec.interfaces"),
        ("PEERS", "spec.peers"),
    ):
        yield from _json_list(cells.get(column, ""), path)
    yield from _texts(
        cells, IPADDRESSPOOL__SELECTORS="spec.ipAddressPoolSelectors", NODE__SELECTORS="spec.nodeSelectors"
    )


def _service_status(cells: Cells) -> Pairs:
    """MetalLB's ServiceL2Status and ServiceBGPStatus: which node announces a service."""
    yield from _texts(
        cells,
        ALLOCATED__NODE="status.node",
        NODE="status.node",
        SERVICE__NAME="status.serviceName",
        SERVICE__NAMESPACE="status.serviceNamespace",
    )


def _tigera_status(cells: Cells) -> Pairs:
    for column in ("AVAILABLE", "PROGRESSING", "DEGRADED"):
        if cells.get(column) in {"True", "False"}:
            yield f"status.conditions.{column.capitalize()}", cells[column] == "True"


def _ingress(cells: Cells) -> Pairs:
    yield from _texts(cells, CLASS="spec.ingressClassName", HOSTS="table.HOSTS", PORTS="table.PORTS")
    for i, item in enumerate(part for part in cells.get("ADDRESS", "").split(",") if part not in _NOTHING):
        yield f"status.loadBalancer.ingress[{i}].{'ip' if canonical_address(item) else 'hostname'}", item


def _lease(cells: Cells) -> Pairs:
    yield from _texts(cells, HOLDER="spec.holderIdentity")


def _event(cells: Cells) -> Pairs:
    yield from _texts(cells, LAST__SEEN="lastSeen", TYPE="type", REASON="reason", MESSAGE="message", FROM="source")
    kind, _, name = cells.get("OBJECT", "").partition("/")
    if name:
        known = kind_of(kind)
        yield "involvedObject.kind", known.name if known else kind
        yield "involvedObject.name", name


def _daemon_set(cells: Cells) -> Pairs:
    yield from _shown(
        cells,
        DESIRED="status.desiredNumberScheduled",
        CURRENT="status.currentNumberScheduled",
        READY="status.numberReady",
        UP_TO_DATE="status.updatedNumberScheduled",
        AVAILABLE="status.numberAvailable",
    )
    yield from _labels(cells.get("NODE SELECTOR", cells.get("NODE-SELECTOR", "")), "spec.template.spec.nodeSelector")


def _replicated(cells: Cells) -> Pairs:
    ready, slash, wanted = cells.get("READY", "").partition("/")
    if ready not in _NOTHING:
        yield "status.readyReplicas", typed(ready)
    if slash:
        yield "spec.replicas", typed(wanted)
    yield from _shown(
        cells,
        DESIRED="spec.replicas",
        CURRENT="status.replicas",
        UP_TO_DATE="status.updatedReplicas",
        AVAILABLE="status.availableReplicas",
    )


def _bgp_peer(cells: Cells) -> Pairs:
    yield from _texts(cells, PEERIP="spec.peerIP", ADDRESS="spec.peerAddress", BFD__PROFILE="spec.bfdProfile")
    yield from _shown(cells, MULTI__HOPS="spec.ebgpMultiHop")
    asn = cells.get("ASN", "")
    if asn not in _NOTHING:
        yield ("spec.peerASN" if "ADDRESS" in cells else "spec.asNumber"), typed(asn)
    node = cells.get("NODE", "")
    if node not in _NOTHING and node not in {"(global)", "(all)"}:
        yield ("spec.nodeSelector" if re.search(r"[=()!]", node) else "spec.node"), node


def _bgp_configuration(cells: Cells) -> Pairs:
    yield from _shown(
        cells,
        LOGSEVERITY="spec.logSeverityScreen",
        MESHENABLED="spec.nodeToNodeMeshEnabled",
        ASNUMBER="spec.asNumber",
    )


def _ip_pool(cells: Cells) -> Pairs:
    yield from _shown(
        cells,
        CIDR="spec.cidr",
        SELECTOR="spec.nodeSelector",
        NAT="spec.natOutgoing",
        IPIPMODE="spec.ipipMode",
        VXLANMODE="spec.vxlanMode",
        DISABLED="spec.disabled",
        DISABLEBGPEXPORT="spec.disableBGPExport",
    )


def _generic(cells: Cells) -> Pairs:
    for column, value in cells.items():
        if column not in IDENTITY and column != "LABELS" and value != "":
            yield join("table", column), None if value in _NOTHING else typed(value)


_MAPPERS: dict[str, Callable[[Cells], Pairs]] = {
    "Service": _service,
    "Pod": _pod,
    "Node": _node,
    "Endpoints": _endpoints,
    "EndpointSlice": _endpoint_slice,
    "IPAddressPool": _ip_address_pool,
    "L2Advertisement": _advertisement,
    "BGPAdvertisement": _advertisement,
    "Lease": _lease,
    "ServiceL2Status": _service_status,
    "ServiceBGPStatus": _service_status,
    "TigeraStatus": _tigera_status,
    "Ingress": _ingress,
    "Event": _event,
    "DaemonSet": _daemon_set,
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "BGPPeer": _bgp_peer,
    "BGPConfiguration": _bgp_configuration,
    "IPPool": _ip_pool,
}
