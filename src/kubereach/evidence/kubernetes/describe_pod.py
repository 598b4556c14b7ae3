"""`kubectl describe pod`, the containers of pods and pod templates, and the tables inside descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kubereach.evidence.kubernetes.outline import Entry
from kubereach.evidence.kubernetes.paths import REDACTED, is_secret_key, join, redact_argument, typed
from kubereach.evidence.kubernetes.tables import chunks
from kubereach.model.fact import Scalar

Leaf = tuple[str, Scalar, int]
_NOTHING = frozenset({"", "<none>", "<unset>", "<nil>"})


def table(rows: Sequence[Entry]) -> list[tuple[dict[str, str], int]]:
    """The rows of a table under an entry: header, a line of dashes, rows; each with the index of its line."""
    if not rows:
        return []
    shift = rows[0].indent
    columns = [(position + shift, name) for position, name in chunks(rows[0].text)]
    found = []
    for row in (inner for entry in rows[1:] for inner in entry.walk()):
        parts = [(position + row.indent, text) for position, text in chunks(row.text)]
        if all(set(text) <= {"-"} for _, text in parts):
            continue
        found.append((_cells(parts, columns), row.line))
    return found


def _cells(parts: list[tuple[int, str]], columns: list[tuple[int, str]]) -> dict[str, str]:
    """By position when every part but those inside the last column starts at a column, else by count."""
    starts = dict(columns)
    last = columns[-1][0]
    if all(position in starts or position > last for position, _ in parts):
        cells: dict[str, str] = {}
        for position, text in parts:
            name = starts.get(position, columns[-1][1])
            cells[name] = f"{cells[name]}  {text}" if name in cells else text
        return cells
    head = parts[: len(columns) - 1]
    tail = "  ".join(text for _, text in parts[len(columns) - 1 :])
    names = [name for _, name in columns]
    return {**dict(zip(names, (text for _, text in head), strict=False)), **({names[-1]: tail} if tail else {})}


def pod(entries: Sequence[Entry]) -> Iterator[Leaf]:
    """`kubectl describe pod`."""
    for entry in entries:
        label = entry.label or ""
        if label == "Node":
            yield from _node_of_pod(entry)
        elif label in {"Status", "Reason", "Message"}:
            field = {"Status": "phase"}.get(label, label.lower())
            if entry.value:
                yield f"status.{field}", entry.value, entry.line
        elif label == "IP":
            yield "status.podIP", None if entry.value in _NOTHING else entry.value, entry.line
        elif label == "IPs":
            addresses = [child for child in entry.children if child.label == "IP" and child.value]
            for i, child in enumerate(addresses):
                yield f"status.podIPs[{i}].ip", child.value, child.line
        elif label == "Service Account":
            yield "spec.serviceAccountName", entry.value, entry.line
        elif label in {"Controlled By", "Node-Selectors"}:
            yield from _owner_or_selector(entry)
        elif label in {"Containers", "Init Containers"}:
            field = "containers" if label == "Containers" else "initContainers"
            statuses = "containerStatuses" if label == "Containers" else "initContainerStatuses"
            yield from containers(entry, f"spec.{field}", f"status.{statuses}")
        elif label == "Conditions":
            yield from _conditions(entry)


def _node_of_pod(entry: Entry) -> Iterator[Leaf]:
    name, slash, address = entry.value.partition("/")
    yield "spec.nodeName", None if name in _NOTHING else name, entry.line
    if slash and address:
        yield "status.hostIP", address, entry.line


def _owner_or_selector(entry: Entry) -> Iterator[Leaf]:
    if entry.label == "Controlled By" and "/" in entry.value:
        kind, _, name = entry.value.partition("/")
        yield "metadata.ownerReferences[0].kind", kind, entry.line
        yield "metadata.ownerReferences[0].name", name, entry.line
    elif entry.label == "Node-Selectors":
        for text, line in [(entry.value, entry.line), *((child.text, child.line) for child in entry.below())]:
            key, _, value = text.partition("=")
            if key not in _NOTHING:
                yield join("spec.nodeSelector", key), value, line


def _conditions(entry: Entry) -> Iterator[Leaf]:
    for i, (cells, line) in enumerate(table(entry.children)):
        for column in ("Type", "Status", "Reason"):
            if cells.get(column):
                yield f"status.conditions[{i}].{column.lower()}", cells[column], line
        if cells.get("Type") == "Ready" and cells.get("Status"):
            yield "status.conditions.Ready", cells["Status"] == "True", line


def containers(top: Entry, spec: str, status: str) -> Iterator[Leaf]:
    """The containers below `Containers:`; `status` is the path of their statuses, "" in a template."""
    for i, entry in enumerate(child for child in top.children if child.label is not None):
        yield f"{spec}[{i}].name", entry.label, entry.line
        for child in entry.children:
            yield from _container_field(child, f"{spec}[{i}]")
            if status:
                yield from _container_status(child, f"{status}[{i}]")


def _container_field(entry: Entry, base: str) -> Iterator[Leaf]:
    if entry.label == "Image" and entry.value:
        yield f"{base}.image", entry.value, entry.line
    elif entry.label in {"Port", "Ports", "Host Port", "Host Ports"}:
        field = "hostPort" if entry.label.startswith("Host") else "containerPort"
        for j, (number, protocol) in enumerate(re.findall(r"(\d{1,5})/([A-Z]{2,4})", entry.value)):
            if number != "0":
                yield f"{base}.ports[{j}].{field}", int(number), entry.line
            if field == "containerPort":
                yield f"{base}.ports[{j}].protocol", protocol, entry.line
    elif entry.label in {"Args", "Command"}:
        for j, child in enumerate(entry.below()):
            yield f"{base}.{entry.label.lower()}[{j}]", redact_argument(child.text), child.line
    elif entry.label == "Environment":
        variables = [child for child in entry.children if child.label is not None]
        for j, child in enumerate(variables):
            name = child.label or ""
            yield f"{base}.env[{j}].name", name, child.line
            hidden = is_secret_key(name) and not child.value.startswith("<set to")
            yield f"{base}.env[{j}].value", REDACTED if hidden else child.value, child.line


def _container_status(entry: Entry, base: str) -> Iterator[Leaf]:
    if entry.label == "Ready" and entry.value in {"True", "False"}:
        yield f"{base}.ready", entry.value == "True", entry.line
    elif entry.label == "Restart Count":
        yield f"{base}.restartCount", typed(entry.value), entry.line
    elif entry.label == "State" and entry.value:
        yield f"{base}.state", entry.value, entry.line
        reason = entry.child("Reason")
        if reason is not None:
            yield f"{base}.state.reason", reason.value, reason.line
