"""The tables of `kubectl get`, and of oc and `calicoctl get`.

Reads: plain and wide tables of any resource, `-A`, `--show-labels`, several tables in a row (`get all`,
`get svc,pods`), tables with columns that slipped in a paste, tables without a header when the command is known, and
`No resources found`.
Ask: `kubectl get svc -A -o wide` and its kin.
Facts: ObjectLeaf per field that a column shows (other columns as `table.COLUMN`), ObjectListing per table.
Not read: rows that do not fit under their header, and everything that is no table.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.columns import leaves
from kubereach.evidence.kubernetes.command import KubectlCommand, parse_command
from kubereach.evidence.kubernetes.headers import HEADERLESS, kind_of_columns
from kubereach.evidence.kubernetes.kinds import Kind, is_cluster_scoped, kind_of, namespace_of
from kubereach.evidence.kubernetes.paths import join
from kubereach.evidence.kubernetes.tables import header_columns, read_row
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import AnyFact, ObjectLeaf, ObjectListing, Scalar

_TOOL = r"(?:\S{0,60}/)?(?:(?:k3s|microk8s|rke2) )?(?:kubectl|oc|k|kubecolor|calicoctl|microk8s\.kubectl)"
COMMANDS = (rf"^(?!.{{0,400}}-o(?:utput)?[ =]?(?:yaml|json|name|go-t|custom)){_TOOL}(?: \S{{1,200}}){{0,12}}? get\b",)
SIGNATURES = (
    r"\s*(?:NAMESPACE\s+)?NAME\s+TYPE\s+CLUSTER-IP\b",
    r"\s*(?:NAMESPACE\s+)?NAME\s+READY\s+(?:STATUS|UP-TO-DATE|AGE)\b",
    r"\s*NAME\s+STATUS\s+ROLES\b",
    r"\s*(?:NAMESPACE\s+)?NAME\s+(?:ADDRESSTYPE\s+PORTS\s+)?ENDPOINTS\b",
    r"\s*NAMESPACE\s+NAME\s+[A-Z][A-Z0-9()-]+\b",
    r"\s*(?:NAMESPACE\s+)?LAST SEEN\s+(?:TYPE\s+REASON|FIRST SEEN)\b",
    r"\s*(?:NAMESPACE\s+)?NAME\s+(?:AUTO ASSIGN|IPADDRESSPOOLS|HOLDER|PEERIP|LOGSEVERITY|DESIRED\s+CURRENT)\b",
    r"\s*NAME\s+(?:CIDR\s+SELECTOR|DISABLED\s+CONFLICTING|AVAILABLE\s+PROGRESSING)\b",
)
ASKS = (
    Ask(command="kubectl get svc -A -o wide", where="cluster", gives="the services and their addresses"),
    Ask(
        command="kubectl get nodes -o wide --show-labels", where="cluster", gives="node addresses, readiness and labels"
    ),
    Ask(command="kubectl get endpointslices -A", where="cluster", gives="the ready endpoints of each service"),
    Ask(command="kubectl get pods -A -o wide", where="cluster", gives="where the pods run, and whether they are ready"),
    Ask(command="kubectl get leases -A", where="cluster", gives="who announces an address (Cilium, kube-vip)"),
)
_INGRESS, _EARLIER = "status.loadBalancer.ingress[", "status.loadBalancer.earlier"
_FIRST_COLUMNS = frozenset({"NAME", "NAMESPACE", "LAST SEEN", "SCOPE"})


class _Table:
    """The table being read: its columns, its kind if known, and what was found so far."""

    __slots__ = ("broken", "columns", "dirty", "first", "kind", "last", "names", "rows")

    def __init__(self, columns: list[tuple[int, str]], kind: Kind | None, first: int) -> None:
        self.columns = columns
        self.kind = kind
        self.first = self.last = first
        self.names: dict[Kind, list[str]] = {}
        # A watch prints an object again when it changes: the last row is what holds.
        self.rows: dict[tuple[Kind, str | None, str], list[AnyFact]] = {}
        self.broken = False  # a line inside, or right behind, that is no row
        self.dirty = False


class _Reader:
    """One pass over the lines of a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.command = parse_command(capture.command)
        self.facts: list[AnyFact] = []
        self.unread: list[int] = []
        self.table: _Table | None = None

    def read(self) -> Reading:
        for index, raw in enumerate(self.capture.lines):
            line = raw.replace("\t", "   ").replace("\xa0", " ").rstrip()
            if not line.strip():
                if self.table is not None:
                    self.table.dirty = True
            elif not self._line(index, line):
                self.unread.append(index)
                if self.table is not None:
                    self.table.broken |= not self.table.dirty
        self._close()
        self._list_the_rest()
        return Reading(tuple(self.facts), spans(self.unread))

    def _line(self, index: int, line: str) -> bool:
        """Read one line; False when it is none of ours."""
        columns = header_columns(line)
        if columns and columns[0][1] in _FIRST_COLUMNS and (len(columns) > 1 or self.command.kind is not None):
            self._close()
            self.table = _Table(columns, self._kind(tuple(name for _, name in columns)), index)
            return True
        if line.strip() in {"...", "…", "[...]", "<snip>"} and self.table is not None:
            self.table.broken = True
            return True
        if self._nothing_found(index, line) or re.match(r"\s*Warning: .{0,80}deprecated", line):
            return True
        if self.table is None:
            self.table = self._headerless(index)
        return self.table is not None and self._row(self.table, index, line)

    def _kind(self, columns: tuple[str, ...]) -> Kind | None:
        """The kind of a table: what its columns give away, made finer by the command when both agree."""
        shown = kind_of_columns(columns)
        asked = self.command.kind
        if asked is not None and (shown is None or shown[0] == asked.name):
            return asked
        return None if shown is None else Kind(shown[0], shown[1], not is_cluster_scoped(*shown))

    def _headerless(self, index: int) -> _Table | None:
        kind = self.command.kind
        if kind is None or self.command.verb != "get":
            return None
        tool = "calicoctl" if self.command.tool == "calicoctl" else "kubectl"
        names = HEADERLESS.get((tool, kind.name))
        if names is None:
            return None
        if self.command.namespace is None and kind.namespaced:
            names = ("NAMESPACE", *names)
        # Positions that no row has: rows are then split by their blanks and forms alone.
        table = _Table([(-1, name) for name in names], kind, index)
        table.broken = self.command.headers  # the paste begins somewhere inside
        return table

    def _row(self, table: _Table, index: int, line: str) -> bool:
        cells = read_row(line, table.columns)
        if cells is None:
            return False
        name, kind = cells.get("NAME", ""), table.kind
        prefix, slash, rest = name.partition("/")
        if slash and (named := kind_of(prefix)) is not None:
            kind, name = named, rest
        is_event = kind is not None and kind.name == "Event"
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", cells.get("NAMESPACE", "default")):
            return False
        if kind is None or not (is_event or re.fullmatch(r"[A-Za-z0-9][\w.:@/-]{0,252}", name)):
            return False
        if table.dirty and table.broken and not all(cells.get(n) for n in ("NAME", "AGE") if n in cells):
            return False
        self._emit(table, kind, name if name else f"{self.capture.source}:{self.capture.first + index}", cells, index)
        table.names.setdefault(kind, []).append(name)
        table.last, table.dirty = index, False
        return True

    def _emit(self, table: _Table, kind: Kind, name: str, cells: dict[str, str], index: int) -> None:
        namespace = namespace_of(kind.name, kind.group, cells.get("NAMESPACE") or self.command.namespace)
        shown = leaves(kind.name, cells)
        if self.command.kind == kind:
            shown += [pair for pair in _selected(self.command) if pair[0] not in {path for path, _ in shown}]
        before = table.rows.get((kind, namespace, name), ())
        shown += _before([f for f in before if isinstance(f, ObjectLeaf)], shown) if kind.name == "Service" else []
        table.rows[kind, namespace, name] = [
            ObjectLeaf(
                origin=self.capture.origin(index, index + 1),
                trust=self.capture.trust,
                taken=self.capture.taken,
                kind=kind.name,
                api_group=kind.group,
                name=name,
                namespace=namespace,
                path=path,
                value=value,
            )
            for path, value in shown
        ]

    def _nothing_found(self, index: int, line: str) -> bool:
        """`No resources found in NS namespace.` and an unknown type: an empty listing that closes its scope."""
        match = re.match(r"\s*No resources found(?:\.|\s+in (\S{1,253}) namespace\.?)?\s*$", line)
        missing = re.match(r"\s*error: the server doesn't have a resource type \"([\w.-]{1,200})\"", line)
        asked = kind_of(missing[1]) if missing else None
        kinds = (asked,) if asked is not None else () if missing else self.command.kinds
        if not kinds or not (match or missing):
            return False
        namespace = None if missing else (match[1] if match and match[1] else self.command.namespace)
        for kind in kinds:
            table = _Table([], kind, index)
            table.names[kind] = []
            self._list(table, kind, namespace, complete=bool(missing) or self._closes(kind))
        return True

    def _list_the_rest(self) -> None:
        """Of several kinds asked for at once, kubectl prints no word on those of which there is no object."""
        listed = {fact.kind for fact in self.facts if isinstance(fact, ObjectListing) and fact.complete}
        shown = listed | {fact.kind for fact in self.facts if isinstance(fact, ObjectLeaf)} | {"Event"}
        rest = [kind for kind in self.command.kinds if kind.name not in shown]
        if len(self.command.kinds) < 2 or not listed or self.unread:
            return
        for kind in rest:
            table = _Table([], kind, 0)
            table.last = len(self.capture.lines) - 1
            table.names[kind] = []
            self._list(table, kind, self.command.namespace, complete=self._closes(kind))

    def _close(self) -> None:
        table, self.table = self.table, None
        if table is None:
            return
        self.facts += [fact for facts in table.rows.values() for fact in facts]
        in_rows = any(name == "NAMESPACE" for _, name in table.columns)
        for kind in table.names:
            if kind.name != "Event":
                namespace = None if in_rows else self.command.namespace
                self._list(table, kind, namespace, complete=not table.broken and self._closes(kind))

    def _closes(self, kind: Kind) -> bool:
        """Whether the command asked for all objects of `kind` in its namespace."""
        command = self.command
        return command.verb == "get" and not command.filtered and (not command.kinds or kind in command.kinds)

    def _list(self, table: _Table, kind: Kind, namespace: str | None, *, complete: bool) -> None:
        self.facts.append(
            ObjectListing(
                origin=self.capture.origin(table.first, table.last + 1),
                trust=self.capture.trust,
                taken=self.capture.taken,
                kind=kind.name,
                names=tuple(dict.fromkeys(table.names[kind])),  # a watch repeats them
                namespace="" if is_cluster_scoped(kind.name, kind.group) else namespace,
                selector=self.command.selector,
                complete=complete,
            )
        )


def _before(before: list[ObjectLeaf], shown: list[tuple[str, Scalar]]) -> list[tuple[str, Scalar]]:
    """The addresses that a watch showed of a service before, where they are others than now."""
    had = [str(f.value) for f in before if f.path.startswith((_INGRESS, _EARLIER)) and f.value]
    now = {str(value) for path, value in shown if path.startswith(_INGRESS)}
    earlier = [address for address in dict.fromkeys(had) if address not in now]
    return [(f"{_EARLIER}[{index}]", address) for index, address in enumerate(earlier)] if now else []


def _selected(command: KubectlCommand) -> list[tuple[str, str]]:
    """The labels that every listed object has because the selector asked for them (equality and existence only)."""
    labels: list[tuple[str, str]] = []
    for part in re.split(r",(?![^(]{0,200}\))", command.selector):
        match = re.fullmatch(r"\s*([\w./-]{1,300})\s*(?:={1,2}\s*([\w.-]{0,63}))?\s*", part)
        if match:
            labels.append((join("metadata.labels", match[1]), match[2] or ""))
    return labels


def read(capture: Capture) -> Reading:
    """A capture of tables → facts; see the module's heading."""
    return _Reader(capture).read()
