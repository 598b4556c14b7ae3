"""Descriptions: `kubectl describe` of built-in kinds and of any custom resource.

Reads: Service, Endpoints, EndpointSlice, Node, Pod, ConfigMap, DaemonSet (and Deployment, as far as alike), every
custom resource with its labels turned back into field names, the events below, several objects in one output, and
rows of events that stand alone.
Ask: `kubectl describe svc NAME` and its kin.
Facts: ObjectLeaf with API paths; events as objects of kind Event, and Setting `events: none` of a service that has
none; for a service its Endpoints too; ObjectListing when the command names no object.
Not read: text around the descriptions, and descriptions whose kind neither they nor the command tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.command import parse_command
from kubereach.evidence.kubernetes.describe_builtin import (
    MAPPERS,
    is_silent,
    kind_of_entries,
    pods_of_node,
)
from kubereach.evidence.kubernetes.describe_custom import Leaf, flatten
from kubereach.evidence.kubernetes.describe_pod import table
from kubereach.evidence.kubernetes.describe_service import multi_line, service_endpoints
from kubereach.evidence.kubernetes.kinds import Kind, group_of_api_version, is_cluster_scoped, kind_of, namespace_of
from kubereach.evidence.kubernetes.outline import Entry, outline
from kubereach.evidence.kubernetes.paths import LAST_APPLIED, REDACTED, canonical_scalar, is_secret_key, join
from kubereach.evidence.kubernetes.yaml_leaves import text_leaves
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import AnyFact, ObjectLeaf, ObjectListing, Scalar, Setting

_TOOL = r"(?:\S{0,60}/)?(?:(?:k3s|microk8s|rke2) )?(?:kubectl|oc|k|kubecolor|microk8s\.kubectl)"
COMMANDS = (rf"^{_TOOL}(?: \S{{1,200}}){{0,12}}? describe\b",)
SIGNATURES = (
    r"\s{0,8}x?Name:\s{3,}[\w.:-]+\s*$",
    r"\s*(?:Normal|Warning)\s{2,}[A-Z][A-Za-z]+\s{2,}(?:<unknown>|\d+[smhdy]\S*)(?: \(x\d+ over \S+\))?\s{2,}\S",
)
ASKS = (
    Ask(command="kubectl describe svc NAME", where="cluster", gives="policies, endpoints and events of the service"),
    Ask(command="kubectl describe node NODE", where="cluster", gives="conditions, labels and taints of the node"),
    Ask(
        command="kubectl describe bgppeers,bgpconfigurations,bgpfilters", where="cluster", gives="Calico's BGP settings"
    ),
    Ask(
        command="kubectl -n metallb-system describe ipaddresspools,l2advertisements,"
        "bgpadvertisements,bgppeers.metallb.io",
        where="cluster",
        gives="MetalLB's pools and how it announces them",
    ),
)
_EVENT_ROW = (
    r"\s*(Normal|Warning)\s{2,}(\S{1,80})\s{2,}((?:<unknown>|\d\S{0,12})(?: \(x\d{1,9} over [^)]{1,20}\))?)\s{2,}"
    r"([^\s,]{1,120}(?:, \S{1,253})?)\s{2,}(\S.*)$"
)


class _Described:
    """One object: its identity, found in its first lines."""

    __slots__ = ("entries", "kind", "name", "namespace")

    def __init__(self, entries: list[Entry], asked: Kind | None) -> None:
        values = {entry.label: entry.value for entry in entries if entry.label is not None}
        self.entries = entries
        self.name = values.get("Name", "")
        shown = values.get("Kind")
        builtin = kind_of_entries(entries)
        if shown and re.fullmatch(r"[A-Za-z0-9]{1,80}", shown):
            self.kind: Kind | None = Kind(shown, group_of_api_version(values.get("API Version", "")))
        elif builtin and (asked is None or asked.name not in MAPPERS):
            self.kind = kind_of(builtin)
        else:
            self.kind = asked
        self.namespace: str | None = values.get("Namespace")

    @property
    def is_custom(self) -> bool:
        """Whether kubectl printed it by the generic rules, which show a `Kind:`."""
        return any(entry.label == "Kind" for entry in self.entries)


class _Reader:
    """One pass over the descriptions of a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.command = parse_command(capture.command)
        # A letter typed into a running terminal stands before the line that came next.
        self.lines = [
            re.sub(r"^x(?=[A-Z][A-Za-z ]{1,40}:|\s{2,}\S)", "", line.replace("\xa0", " ")) for line in capture.lines
        ]
        self.facts: list[AnyFact] = []
        self.seen: set[int] = set()
        self.names: dict[Kind, list[str]] = {}
        self.whole = False  # whether the last object goes on to its events

    def read(self) -> Reading:
        starts = [i for i, line in enumerate(self.lines) if re.match(r"\s{0,16}Name:(?:\s+\S|\s*$)", line)]
        starts = [i for i in starts if self._is_start(i)]
        for start, end in zip(starts, [*starts[1:], len(self.lines)], strict=False):
            self._object(start, end)
        self._lone_events()
        self._nothing_found()
        self._list()
        unread = [i for i, line in enumerate(self.lines) if line.strip() and i not in self.seen]
        return Reading(tuple(self.facts), spans(unread))

    def _is_start(self, index: int) -> bool:
        """A top `Name:`: one of the next lines names what every description shows, at the same indentation."""
        indent = len(self.lines[index]) - len(self.lines[index].lstrip())
        following = [line for line in self.lines[index + 1 : index + 8] if line.strip()][:4]
        pattern = rf"\s{{{indent}}}(?:Namespace|Labels|Roles|Priority|Annotations|Selector|API Version):"
        return any(re.match(pattern, line) for line in following) or not following

    def _object(self, start: int, end: int) -> None:
        lines = self.lines[start:end]
        indent = len(lines[0]) - len(lines[0].lstrip())
        lines = [line[indent:] if not line[:indent].strip() else line for line in lines]
        body_end = next((i for i, line in enumerate(lines) if line.startswith("Events:")), len(lines))
        data = next((i for i in range(body_end) if lines[i].rstrip() == "Data"), None)
        # The dashes of `describe endpointslice` become blanks, so that indentation alone gives the structure.
        body = [re.sub(r"^(\s+)- (?=[A-Z])", r"\1  ", line) for line in lines[: body_end if data is None else data]]
        entries = outline(body, start)
        described = _Described([entry for entry in entries if entry.indent == 0], self.command.kind)
        if data is not None and described.kind is None:
            described.kind = kind_of("configmap")
        if described.kind is None or not described.name:
            return
        self.names.setdefault(described.kind, []).append(described.name)
        self.whole = body_end < len(lines)
        self._metadata(described)
        if data is not None:
            self._data(described, lines[data:body_end], start + data)
        if described.is_custom:
            self._custom(described)
        else:
            self._builtin(described)
        if self.whole:
            self._events(described, outline(lines[body_end:], start + body_end))

    def _metadata(self, described: _Described) -> None:
        for entry in described.entries:
            if entry.label == "Name":
                self._emit(described, [("metadata.name", entry.value, entry.line)])
            if entry.label in {"Labels", "Annotations"}:
                self._emit(described, _keys(entry))
            if entry.label in {"Name", "Namespace", "Labels", "Annotations"}:
                self.seen.update(inner.line for inner in entry.walk())

    def _custom(self, described: _Described) -> None:
        skipped = {"Name", "Namespace", "Labels", "Annotations", "Kind", "API Version", "Events"}
        for entry in described.entries:
            if entry.label in {"Kind", "API Version"}:
                self.seen.add(entry.line)
            elif entry.label not in skipped and entry.label is not None and _is_top_field(entry):
                self.seen.update(inner.line for inner in entry.walk() if inner.label is not None and inner.children)
                self._emit(described, flatten([entry]))

    def _builtin(self, described: _Described) -> None:
        kind = described.kind.name if described.kind else ""
        mapper = MAPPERS.get(kind)
        if mapper is None:
            return
        self._emit(described, mapper(described.entries))
        if kind == "Service":
            self._emit(described, service_endpoints(described.entries), kind=Kind("Endpoints"))
            self.seen.update(entry.line for entry in described.entries if entry.label == "Endpoints")
        if kind == "Node":
            for namespace, name, line in pods_of_node(described.entries):
                self._leaf(Kind("Pod"), name, namespace, ("spec.nodeName", described.name, line))
        for entry in described.entries:
            if is_silent(kind, entry) or any(inner.line in self.seen for inner in entry.walk()):
                self.seen.update(inner.line for inner in entry.walk())

    def _data(self, described: _Described, lines: list[str], first: int) -> None:
        """The `Data` part of a ConfigMap: `KEY:`, a line of dashes, the value as it is. `first` is its first line."""
        stop = next((i for i, line in enumerate(lines) if line.rstrip() == "BinaryData"), len(lines))
        heads = [i for i in range(stop - 1) if lines[i].rstrip().endswith(":") and lines[i + 1].rstrip() == "----"]
        for head, behind in zip(heads, [*heads[1:], stop], strict=False):
            text = "\n".join(lines[head + 2 : behind]).rstrip()
            path = join("data", lines[head].rstrip()[:-1])
            inner = text_leaves(text, path)
            if inner is None:
                inner = [(path, text, 0 if text else -2)]
            self._emit(described, [(leaf, value, first + head + 2 + line) for leaf, value, line in inner])
            self.seen.update(range(first + head, first + behind))
        # `Data` and `BinaryData` with the lines under them.
        self.seen.update(first + i for i in (0, 1, stop, stop + 1) if i < len(lines))

    def _events(self, described: _Described, entries: list[Entry]) -> None:
        top = entries[0]
        self.seen.add(top.line)
        if not top.children:
            if described.kind is not None and described.kind.name == "Service" and top.value == "<none>":
                self._without_events(described, top.line)
            return
        self.seen.add(top.children[0].line)
        for cells, line in table(top.children):
            if cells.get("Reason") and cells.get("Type") in {"Normal", "Warning"}:
                self._event(cells, line, described)
        self.seen.update(c.line for c in top.children if set(c.text) <= {"-", " "})

    def _without_events(self, described: _Described, line: int) -> None:
        self.facts.append(
            Setting(
                origin=self.capture.origin(line, line + 1),
                trust=self.capture.trust,
                taken=self.capture.taken,
                subject=f"service/{described.namespace or 'default'}/{described.name}",
                attribute="events",
                value="none",
            )
        )

    def _lone_events(self) -> None:
        """Rows of events outside any description, as people cut them out."""
        for index, line in enumerate(self.lines):
            if index in self.seen:
                continue
            match = re.match(_EVENT_ROW, line)
            if match:
                cells = dict(zip(("Type", "Reason", "Age", "From", "Message"), match.groups(), strict=True))
                self._event(cells, index, None)
            elif re.match(r"\s{0,16}(?:Type\s{2,40}Reason\s{2,80}Age\s|-{4}\s{2,40}-{4,80}\s)", line):
                self.seen.add(index)

    def _nothing_found(self) -> None:
        """`No resources found in NS namespace.`: an empty listing."""
        for index, line in enumerate(self.lines):
            if index not in self.seen and re.match(
                r"\s*No resources found(?:\.| in \S{1,253} namespace\.?)?\s*$", line
            ):
                self.seen.add(index)
                self.whole = True
                self.names.update({kind: [] for kind in self.command.kinds if kind not in self.names})

    def _event(self, cells: dict[str, str], line: int, described: _Described | None) -> None:
        leaves: list[Leaf] = []
        if described is not None and described.kind is not None:
            leaves = [
                ("involvedObject.kind", described.kind.name, line),
                ("involvedObject.name", described.name, line),
            ]
        columns = (("Type", "type"), ("Reason", "reason"), ("Age", "lastSeen"), ("LastSeen", "lastSeen"))
        for column, field in (*columns, ("From", "source"), ("Message", "message")):
            if cells.get(column):
                leaves.append((field, cells[column], line))
        namespace = (described.namespace if described is not None else self.command.namespace) or None
        for leaf in leaves:
            self._leaf(Kind("Event"), f"{self.capture.source}:{self.capture.first + line}", namespace, leaf)

    def _emit(self, described: _Described, leaves: Iterable[Leaf], kind: Kind | None = None) -> None:
        kind = kind or described.kind
        if kind is not None:
            for leaf in leaves:
                self._leaf(kind, described.name, described.namespace, leaf)

    def _leaf(self, kind: Kind, name: str, namespace: str | None, leaf: tuple[str, Scalar, int]) -> None:
        path, value, line = leaf
        self.seen.add(line)
        self.facts.append(
            ObjectLeaf(
                origin=self.capture.origin(line, line + 1),
                trust=self.capture.trust,
                taken=self.capture.taken,
                kind=kind.name,
                api_group=kind.group,
                name=name,
                namespace=namespace if namespace == "" else namespace_of(kind.name, kind.group, namespace),
                path=path,
                value=canonical_scalar(value),
            )
        )

    def _list(self) -> None:
        command = self.command
        if command.verb != "describe" or command.names:
            return
        last = max(self.seen, default=0)
        # An unread line between the objects, or behind them one of an object that was not recognised.
        left = [i for i, line in enumerate(self.lines) if line.strip() and i not in self.seen]
        described = r"\s{0,16}(?:Labels|Annotations|API Version|Events):"
        gaps = any(i < last or re.match(described, self.lines[i]) for i in left)
        for kind, names in self.names.items():
            if kind_matches(kind, command.kinds):
                self.facts.append(
                    ObjectListing(
                        origin=self.capture.origin(),
                        trust=self.capture.trust,
                        taken=self.capture.taken,
                        kind=kind.name,
                        names=tuple(names),
                        namespace="" if is_cluster_scoped(kind.name, kind.group) else command.namespace,
                        selector=command.selector,
                        complete=self.whole and not gaps and not command.filtered,
                    )
                )


def kind_matches(kind: Kind, asked: tuple[Kind, ...]) -> bool:
    """Whether a described kind is one that the command asked for."""
    return any(kind.name.lower() == other.name.lower() for other in asked)


def _is_top_field(entry: Entry) -> bool:
    """Spec, Status and such, rather than a sentence with a colon."""
    return entry.label in {"Metadata", "Spec", "Status", "Data"} or (
        bool(entry.children) and re.fullmatch(r"[A-Z][a-z]+(?: [A-Z][a-z]*){0,3}", entry.label or "") is not None
    )


def _keys(entry: Entry) -> list[Leaf]:
    """Labels (`key=value`) or annotations (`key: value`, the value possibly on the next line)."""
    annotations = entry.label == "Annotations"
    path = "metadata.annotations" if annotations else "metadata.labels"
    pattern = r"([\w./-]{1,317}):(?:\s(.*)|)$" if annotations else r"([\w./-]{1,317})=(.*)$"
    found: list[tuple[str, str, int]] = []
    for text, line in multi_line(entry):
        match = re.match(pattern, text)
        if match:
            found.append((match[1], (match[2] or "").strip(), line))
        elif found and annotations:
            key, value, first = found[-1]
            found[-1] = (key, f"{value} {text}".strip(), first)
    return [
        (join(path, key), REDACTED if is_secret_key(key) else value, line)
        for key, value, line in found
        if key != LAST_APPLIED
    ]


def read(capture: Capture) -> Reading:
    """A capture of descriptions → facts; see the module's heading."""
    return _Reader(capture).read()
