"""Kubernetes objects put together again from their leaves."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kubereach.evidence.kubernetes.kinds import kind_of
from kubereach.model.fact import Fact, ObjectLeaf, Scalar, Setting
from kubereach.model.kube_object import KubeObject, ObjectKey

# stated.yaml names objects by these subjects; the kind's own spelling is the API's.
STATED_LISTS = frozenset({"spec.ports", "spec.externalIPs", "spec.loadBalancerSourceRanges"})
UNNAMED = "(stated)"
# A pool with one of these is Calico's IPPool; MetalLB's has addresses.
CALICO_POOL_FIELDS = ("spec.cidr", "spec.ipipMode", "spec.vxlanMode", "spec.natOutgoing", "spec.blockSize")
STATED_KINDS = {"service": "Service", "pod": "Pod", "node": "Node", "pool": "IPAddressPool"}


def gather(facts: Iterable[Fact]) -> dict[ObjectKey, KubeObject]:
    """All objects that `facts` show, stated settings of objects included.

    An object whose namespace is not shown is the one of its kind and name whose namespace is; otherwise it is in
    `default`, where kubectl without a context setting looks. The name of a file (`kubectl-get-endpoints-n-web-shop`)
    does not tell where a namespace ends and a name begins: other objects of that name do.
    """
    leaves: list[tuple[str, str | None, str, str, Scalar, Fact]] = []
    positions: dict[tuple[str, str], int] = {}
    for fact in map(_of_its_kind, facts):
        if isinstance(fact, ObjectLeaf):
            leaves.append((fact.kind, fact.namespace, fact.name, fact.path, fact.value, fact))
        elif isinstance(fact, Setting) and (stated := _stated_object(fact)):
            leaves.append((*stated, _path(fact, positions), fact.value, fact))
    namespaces: dict[tuple[str, str], list[str]] = {}
    shown = {(namespace, name) for _, namespace, name, *_ in leaves if namespace}
    for kind, namespace, name, *_ in leaves:
        if namespace:
            namespaces.setdefault((kind, name), []).append(namespace)
    objects: dict[ObjectKey, KubeObject] = {}
    for kind, namespace, name, path, value, fact in leaves:
        shorter = (namespace or "").removesuffix(f"-{name}")
        by_file = (shorter, name) in shown and f"n-{namespace}" in fact.origin.source
        where = (shorter if by_file else namespace) or next(iter(namespaces.get((kind, name), ())), "default")
        entry = objects.setdefault((kind, where, name), KubeObject(kind, where, name))
        entry.add(path, value, fact)
    return objects


def _of_its_kind(fact: Fact) -> Fact:
    """`CiliumBGPPeeringPolicy.spec.x` said of the cluster is said of an object of that kind."""
    if not isinstance(fact, Setting) or fact.subject != "cluster":
        return fact
    word, _, path = fact.attribute.replace(" ", ".").partition(".")
    if not word[:1].isupper() or not path.startswith(("spec", "status", "metadata")) or kind_of(word) is None:
        return fact
    return replace(fact, subject=f"{word}/{UNNAMED}", attribute=path)


def _path(fact: Setting, positions: dict[tuple[str, str], int]) -> str:
    """The attribute as a path: people leave the index of a list out, or write `[*]` for it."""
    path = fact.attribute.replace("[*]", "[0]")
    if path not in STATED_LISTS:
        return path
    position = positions.get((fact.subject, path), 0)
    positions[(fact.subject, path)] = position + 1
    return f"{path}[{position}]"


def _stated_object(fact: Setting) -> tuple[str, str | None, str] | None:
    kind, _, rest = fact.subject.partition("/")
    if kind in STATED_KINDS and rest and fact.attribute.startswith(("spec.", "status.", "metadata.")):
        namespace, _, name = rest.rpartition("/")
        calico = kind == "pool" and fact.attribute.startswith(CALICO_POOL_FIELDS)
        return "IPPool" if calico else STATED_KINDS[kind], namespace or None, name
    known = kind_of(kind) if kind[:1].isupper() else None
    if known is None or not fact.attribute.startswith(("spec.", "status.", "metadata.")):
        return None
    namespace, _, name = rest.rpartition("/")
    return known.name, namespace or None, name or UNNAMED


def labels_match(entry: KubeObject, path: str, labels: dict[str, str], namespace: str = "") -> bool:
    """Whether the label selector at `path` of an object matches `labels`; no selector matches everything.

    Cilium's selectors may also ask for the pseudo label `io.kubernetes.service.namespace`.
    """
    every = {**labels, "io.kubernetes.service.namespace": namespace}
    base = f"{path}." if path else ""
    for key, wanted in entry.mapping(f"{base}matchLabels").items():
        if every.get(key) != wanted:
            return False
    return all(_expression(element, every) for element in entry.elements(f"{base}matchExpressions"))


def _expression(element: KubeObject, labels: dict[str, str]) -> bool:
    key, values = element.text("key"), element.scalars("values")
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(element.text("operator"), True)
