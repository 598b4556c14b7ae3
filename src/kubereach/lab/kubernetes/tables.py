"""Objects printed as tables by the API server, for `kubectl get` and `-o wide`.

Columns and cells are those of kubernetes pkg/printers/internalversion/printers.go (v1.36) and of the
additionalPrinterColumns in MetalLB's custom resource definitions (v0.14); ages those of apimachinery util/duration.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from kubereach.lab.kubernetes.objects import Object

NONE = "<none>"
Cells = list[object]


def table(kind: str, objects: list[Object], now: datetime) -> Object:
    """A meta.k8s.io/v1 Table of objects of one kind."""
    columns, cells = _KINDS.get(kind, (_PLAIN, _plain))
    rows = [
        {
            "cells": cells(o, age(o, now)),
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]},
        }
        for o in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "1000"},
        "columnDefinitions": [_column(name) for name in columns.split("|")],
        "rows": rows,
    }


def _column(name: str) -> Object:
    """A column; those that only `-o wide` shows are marked with `+`."""
    title = name.lstrip("+")
    return {
        "name": title,
        "type": "string",
        "format": "name" if title == "Name" else "",
        "description": "",
        "priority": int(name.startswith("+")),
    }


def age(entry: Object, now: datetime) -> str:
    """How long ago an object was made, in at most two units."""
    made = datetime.strptime(entry["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return duration(int((now - made).total_seconds()))


def duration(seconds: int) -> str:
    """util/duration.HumanDuration."""
    seconds = max(seconds, 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return _two(days, "d", hours % 24, "h") if days < 8 else f"{days}d"


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first}{unit}{second}{smaller}" if second else f"{first}{unit}"


def _pairs(labels: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _name(entry: Object) -> str:
    return str(entry["metadata"]["name"])


_PLAIN = "Name|Age"


def _plain(entry: Object, old: str) -> Cells:
    return [_name(entry), old]


def _service(entry: Object, old: str) -> Cells:
    spec = entry["spec"]
    given = [i.get("ip") or i.get("hostname") for i in entry["status"]["loadBalancer"].get("ingress", ())]
    outside = [*given, *(a for a in spec.get("externalIPs", ()) if a not in given)]
    pending = "<pending>" if spec["type"] == "LoadBalancer" else NONE
    ports = (
        f"{p['port']}:{p['nodePort']}/{p['protocol']}" if p.get("nodePort") else f"{p['port']}/{p['protocol']}"
        for p in spec["ports"]
    )
    return [
        _name(entry),
        spec["type"],
        spec["clusterIP"],
        ",".join(outside) or pending,
        ",".join(ports),
        old,
        _pairs(spec.get("selector")),
    ]


def _pod(entry: Object, old: str) -> Cells:
    statuses = entry["status"]["containerStatuses"]
    ready = sum(bool(status["ready"]) for status in statuses)
    waiting = next((s["state"]["waiting"]["reason"] for s in statuses if "waiting" in s["state"]), "")
    return [
        _name(entry),
        f"{ready}/{len(statuses)}",
        waiting or entry["status"]["phase"],
        str(sum(status["restartCount"] for status in statuses)),
        old,
        entry["status"]["podIP"],
        entry["spec"]["nodeName"],
        NONE,
        NONE,
    ]


def _node(entry: Object, old: str) -> Cells:
    labels, status, info = entry["metadata"]["labels"], entry["status"], entry["status"]["nodeInfo"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])
    roles = sorted(key.partition("/")[2] for key in labels if key.startswith("node-role.kubernetes.io/"))
    inside = next((a["address"] for a in status["addresses"] if a["type"] == "InternalIP"), NONE)
    state = "Ready" if ready else "NotReady"
    if entry["spec"].get("unschedulable"):
        state += ",SchedulingDisabled"
    return [
        _name(entry),
        state,
        ",".join(roles) or NONE,
        old,
        info["kubeletVersion"],
        inside,
        NONE,
        info["osImage"],
        info["kernelVersion"],
        info["containerRuntimeVersion"],
    ]


def _endpoints(entry: Object, old: str) -> Cells:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in entry.get("subsets", ())
        for port in subset["ports"]
        for address in subset.get("addresses", ())
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [_name(entry), ",".join(found[:3]) + more or NONE, old]


def _slice(entry: Object, old: str) -> Cells:
    ports = ",".join(str(port["port"]) for port in entry["ports"] or ()) or "<unset>"
    found = [address for endpoint in entry["endpoints"] or () for address in endpoint["addresses"]]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [_name(entry), entry["addressType"], ports, ",".join(found[:3]) + more or "<unset>", old]


def _daemon_set(entry: Object, old: str) -> Cells:
    status, template = entry["status"], entry["spec"]["template"]["spec"]
    containers = template["containers"]
    return [
        _name(entry),
        status["desiredNumberScheduled"],
        status["currentNumberScheduled"],
        status["numberReady"],
        status["updatedNumberScheduled"],
        status["numberAvailable"],
        _pairs(template.get("nodeSelector")),
        old,
        ",".join(c["name"] for c in containers),
        ",".join(c["image"] for c in containers),
        _pairs(entry["spec"]["selector"]["matchLabels"]),
    ]


def _event(entry: Object, old: str) -> Cells:
    about = entry["involvedObject"]
    return [old, entry["type"], entry["reason"], f"{about['kind'].lower()}/{about['name']}", entry["message"]]


def _list(spec: Object, field: str) -> str:
    """A list as the API server prints a JSONPath of one: as JSON, nothing where the field is missing."""
    return json.dumps(spec[field], separators=(",", ":")) if field in spec else ""


def _pool(entry: Object, _old: str) -> Cells:
    spec = entry["spec"]
    switches = [
        str(spec.get(field, default)).lower() for field, default in (("autoAssign", True), ("avoidBuggyIPs", False))
    ]
    return [_name(entry), *switches, _list(spec, "addresses")]


def _advertisement(entry: Object, _old: str) -> Cells:
    spec = entry["spec"]
    lists = [_list(spec, field) for field in ("ipAddressPools", "ipAddressPoolSelectors")]
    return [_name(entry), *lists, _list(spec, "interfaces" if entry["kind"] == "L2Advertisement" else "peers")]


_KINDS: dict[str, tuple[str, Callable[[Object, str], Cells]]] = {
    "Service": ("Name|Type|Cluster-IP|External-IP|Port(s)|Age|+Selector", _service),
    "Pod": ("Name|Ready|Status|Restarts|Age|+IP|+Node|+Nominated Node|+Readiness Gates", _pod),
    "Node": (
        "Name|Status|Roles|Age|Version|+Internal-IP|+External-IP|+OS-Image|+Kernel-Version|+Container-Runtime",
        _node,
    ),
    "Endpoints": ("Name|Endpoints|Age", _endpoints),
    "EndpointSlice": ("Name|AddressType|Ports|Endpoints|Age", _slice),
    "DaemonSet": (
        "Name|Desired|Current|Ready|Up-to-date|Available|Node Selector|Age|+Containers|+Images|+Selector",
        _daemon_set,
    ),
    "ConfigMap": ("Name|Data|Age", lambda o, old: [_name(o), len(o.get("data", ())), old]),
    "Namespace": ("Name|Status|Age", lambda o, old: [_name(o), o["status"]["phase"], old]),
    "Lease": ("Name|Holder|Age", lambda o, old: [_name(o), o["spec"].get("holderIdentity", ""), old]),
    "NetworkPolicy": (
        "Name|Pod-Selector|Age",
        lambda o, old: [_name(o), _pairs(o["spec"].get("podSelector", {}).get("matchLabels")), old],
    ),
    "Event": ("Last Seen|Type|Reason|Object|Message", _event),
    "IPAddressPool": ("Name|Auto Assign|Avoid Buggy IPs|Addresses", _pool),
    "L2Advertisement": ("Name|IPAddressPools|IPAddressPool Selectors|Interfaces", _advertisement),
    "BGPAdvertisement": ("Name|IPAddressPools|IPAddressPool Selectors|+Peers", _advertisement),
}
