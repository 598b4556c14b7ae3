"""Manifests: `kubectl get -o yaml` and `-o json`, applied YAML, lists and several documents in one text.

Reads: any kind, every field; YAML inside ConfigMap data (kube-proxy's `config.conf`, MetalLB's old `config`) below its
key; the leading part of a document that breaks in the middle; indented pastes.
Ask: `kubectl get svc NAME -o yaml` and its kin.
Facts: ObjectLeaf per leaf (None for null, `{}` and `[]`), ObjectListing per kind of a List.
Not read: documents without a kind, unless the command names it; the data of Secrets, passwords (redacted),
managedFields and the last applied configuration; text around the documents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubereach.evidence.capture import Capture
from kubereach.evidence.kubernetes.command import parse_command
from kubereach.evidence.kubernetes.kinds import Kind, group_of_api_version, is_cluster_scoped, namespace_of
from kubereach.evidence.kubernetes.yaml_leaves import (
    MAX_LEAVES,
    Leaf,
    TooLargeError,
    child,
    compose_leading,
    items,
    leaves_of,
    pairs,
    shape,
    text_of,
)
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import AnyFact, ObjectLeaf, ObjectListing

if TYPE_CHECKING:
    from yaml import Node

_TOOL = r"(?:\S{0,60}/)?(?:(?:k3s|microk8s|rke2) )?(?:kubectl|oc|k|kubecolor|calicoctl|microk8s\.kubectl)"
COMMANDS = (
    rf"^{_TOOL}\b.{{0,400}} (?:-[A-Za-z]{{0,4}}o|--output)[ =]?(?:yaml|json)\b",
    r"^(?:cat|less|more|vim?|nano) \S{1,300}\.(?:ya?ml|json)$",
)
SIGNATURES = (
    r"\s{0,16}(?:- )?apiVersion: ?[\"']?(?:[a-z0-9.-]{1,100}/)?v[0-9][a-z0-9]{0,12}[\"']?\s*$",
    r"\s{0,16}\"apiVersion\": ?\"(?:[a-z0-9.-]{1,100}/)?v[0-9][a-z0-9]{0,12}\",?\s*$",
    r"kind: ?[A-Z][A-Za-z0-9]{2,60}\s*$",
    r"\{\s{0,8}\"(?:apiVersion|kind)\":",
)
ASKS = (
    Ask(command="kubectl get svc,endpointslices -A -o yaml", where="cluster", gives="services and endpoints in full"),
    Ask(command="kubectl get nodes -o yaml", where="cluster", gives="addresses, labels and conditions of the nodes"),
    Ask(command="kubectl get cm -n kube-system kube-proxy -o yaml", where="cluster", gives="kube-proxy's mode"),
    Ask(
        command="kubectl get bgpconfigurations,bgppeers,bgpfilters,ippools -o yaml",
        where="cluster",
        gives="Calico's BGP",
    ),
    Ask(
        command="kubectl get -n metallb-system ipaddresspools,l2advertisements,"
        "bgpadvertisements,bgppeers.metallb.io -o yaml",
        where="cluster",
        gives="MetalLB's pools and how it announces them",
    ),
)
_MAX_DOCUMENTS = 10_000
_TOP = r"(?:[a-z][A-Za-z0-9]{0,40} ?:(?:\s|$)|- ?|#|\.\.\.\s*$|[\"'][A-Za-z]{1,40}[\"'] ?:)"
_START = r"(?:(?:- )?(?:apiVersion|kind|metadata|spec|status|items|data|subsets) ?:(?:\s|$)|---|\{)"


class _Reader:
    """One pass over the documents of a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.command = parse_command(capture.command)
        self.facts: list[AnyFact] = []
        self.seen: set[int] = set()
        self.budget = 2 * MAX_LEAVES  # of the whole capture: aliases in many documents add up
        self.cut: int | None = None  # the line of the first object that the budget did not reach
        self.whole = False  # whether the present document was read to its end

    def read(self) -> Reading:
        for start, end in _documents(self.capture.lines)[:_MAX_DOCUMENTS]:
            self._document(start, end)
        lines = self.capture.lines
        return Reading(
            tuple(self.facts), spans(i for i, line in enumerate(lines) if line.strip() and i not in self.seen)
        )

    def _document(self, start: int, end: int) -> None:
        first = self.capture.lines[start]
        indent = len(first) - len(first.lstrip())
        lines = [
            line[indent:] if not line[:indent].strip() else line.lstrip() for line in self.capture.lines[start:end]
        ]
        if all(not line.strip() or line.lstrip().startswith("#") or line.startswith("---") for line in lines):
            self.seen.update(range(start, end))  # an empty document
            return
        root, length = compose_leading(lines)
        self.cut = None
        self.whole = length == len(lines)
        if root is not None and self._objects(root, start):
            self.seen.update(range(start, start + length if self.cut is None else self.cut))

    def _objects(self, root: Node, start: int) -> bool:
        """Emit the objects of one document; False when it is no Kubernetes object."""
        if shape(root) == "sequence":
            members = [member for member in items(root) if _kind_of(member) is not None]
            for member in members:
                self._object(member, _kind_of(member), start)
            return bool(members)
        if shape(root) != "mapping":
            return False
        kind = text_of(child(root, "kind"))
        if child(root, "items") is not None and (kind.endswith("List") or not kind):
            self.whole &= bool(kind)  # kubectl prints it behind the items
            return self._list(root, kind.removesuffix("List"), start)
        identity = _kind_of(root) or self._fragment_kind(root)
        if identity is None:
            return False
        self._object(root, identity, start)
        return True

    def _fragment_kind(self, root: Node) -> Kind | None:
        """The kind of a document that shows none, if the command names it."""
        parts = {"metadata", "spec", "status", "data", "subsets"}
        return self.command.kind if any(key in parts for key, _ in pairs(root)) else None

    def _object(self, node: Node, kind: Kind | None, start: int) -> str:
        if kind is None:
            return ""
        metadata = child(node, "metadata")
        names = self.command.names
        name = text_of(child(metadata, "name")) or (names[0] if len(names) == 1 else "")
        shown = text_of(child(metadata, "namespace")) or self.command.namespace
        for path, value, line in self._leaves(node, kind, start):
            self.facts.append(
                ObjectLeaf(
                    origin=self.capture.origin(start + line, start + line + 1),
                    trust=self.capture.trust,
                    taken=self.capture.taken,
                    kind=kind.name,
                    api_group=kind.group,
                    name=name,
                    namespace=namespace_of(kind.name, kind.group, shown),
                    path=path,
                    value=value,
                )
            )
        return name

    def _leaves(self, node: Node, kind: Kind, start: int) -> list[Leaf]:
        """The leaves of one object; [] (and `cut` set) when the budget does not reach it."""
        found: list[Leaf] = []
        try:
            for key, value in pairs(node):
                if key in {"apiVersion", "kind"} or (kind.name == "Secret" and key in {"data", "stringData"}):
                    continue
                opened = kind.name == "ConfigMap" and key == "data"
                found += leaves_of(value, key, within=opened, budget=min(MAX_LEAVES, self.budget - len(found)))
        except TooLargeError:
            self.cut = self.cut if self.cut is not None else start + node.start_mark.line
            return []
        self.budget -= len(found)
        return found

    def _list(self, root: Node, item_kind: str, start: int) -> bool:
        names: dict[Kind, list[str]] = {kind: [] for kind in self.command.kinds}
        default = Kind(item_kind, group_of_api_version(text_of(child(root, "apiVersion")))) if item_kind else None
        for member in items(child(root, "items")):
            kind = _kind_of(member) or default or self.command.kind
            if kind is None:
                continue
            same = next((known for known in names if known.name == kind.name), kind)
            names.setdefault(same, []).append(self._object(member, kind, start))
        for kind, listed in names.items():
            self._listing(kind, listed, start + root.start_mark.line, start + root.end_mark.line)
        return True

    def _listing(self, kind: Kind, names: list[str], first: int, behind: int) -> None:
        command = self.command
        end = min(max(behind, first + 1), len(self.capture.lines))
        self.facts.append(
            ObjectListing(
                origin=self.capture.origin(first, end),
                trust=self.capture.trust,
                taken=self.capture.taken,
                kind=kind.name,
                names=tuple(names),
                namespace="" if is_cluster_scoped(kind.name, kind.group) else command.namespace,
                selector=command.selector,
                complete=self.cut is None
                and self.whole
                and command.verb == "get"
                and not command.filtered
                and kind in command.kinds,
            )
        )


def _kind_of(node: Node) -> Kind | None:
    name = text_of(child(node, "kind"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,80}", name):
        return None
    return Kind(name, group_of_api_version(text_of(child(node, "apiVersion"))))


def _documents(lines: tuple[str, ...]) -> list[tuple[int, int]]:
    """The ranges of lines that look like one document each; what stands between them is foreign text."""
    found: list[tuple[int, int]] = []
    index = 0
    while index < len(lines):
        text = lines[index].lstrip()
        if not re.match(_START, text):
            index += 1
            continue
        indent = len(lines[index]) - len(text)
        end = _json_end(lines, index, indent) if text.startswith("{") else _yaml_end(lines, index, indent)
        found.append((index, end))
        index = end
    return found


def _json_end(lines: tuple[str, ...], start: int, indent: int) -> int:
    if lines[start].rstrip().endswith("}"):
        return start + 1
    closing = re.compile(rf"\s{{0,{indent}}}\}}\s*$")
    return next((i + 1 for i in range(start + 1, len(lines)) if closing.match(lines[i])), len(lines))


def _yaml_end(lines: tuple[str, ...], start: int, indent: int) -> int:
    """Where a document that starts in line `start` ends: before the next `---` or the first line of foreign text."""
    for index in range(start + 1, len(lines)):
        line = lines[index]
        text = line.lstrip()
        depth = len(line) - len(text)
        if not text or depth > indent:
            continue
        if depth < indent and not text.startswith("#"):
            return index
        if text.startswith("---") or not re.match(_TOP, text):
            return index
    return len(lines)


def read(capture: Capture) -> Reading:
    """A capture of manifests → facts; see the module's heading."""
    return _Reader(capture).read()
