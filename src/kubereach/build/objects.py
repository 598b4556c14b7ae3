"""Kubernetes objects put together again from their leaves."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.model.fact import Fact, ObjectLeaf, Scalar, Setting
from kubereach.model.kube_object import KubeObject, ObjectKey

# stated.yaml names objects by these subjects; the kind's own spelling is the API's.
STATED_KINDS = {"service": "Service", "pod": "Pod", "node": "Node", "pool": "IPAddressPool"}


def gather(facts: Iterable[Fact]) -> dict[ObjectKey, KubeObject]:
    """All objects that `facts` show, stated settings of objects included.

    An object whose namespace is not shown is the one of its kind and name whose namespace is; otherwise it is in
    `default`, where kubectl without a context setting looks.
    """
    leaves: list[tuple[str, str | None, str, str, Scalar, Fact]] = []
    for fact in facts:
        if isinstance(fact, ObjectLeaf):
            leaves.append((fact.kind, fact.namespace, fact.name, fact.path, fact.value, fact))
        elif isinstance(fact, Setting) and (stated := _stated_object(fact)):
            leaves.append((*stated, fact.attribute, fact.value, fact))
    namespaces: dict[tuple[str, str], list[str]] = {}
    for kind, namespace, name, *_ in leaves:
        if namespace:
            namespaces.setdefault((kind, name), []).append(namespace)
    objects: dict[ObjectKey, KubeObject] = {}
    for kind, namespace, name, path, value, fact in leaves:
        where = namespace or next(iter(namespaces.get((kind, name), ())), "default")
        entry = objects.setdefault((kind, where, name), KubeObject(kind, where, name))
        entry.add(path, value, fact)
    return objects


def _stated_object(fact: Setting) -> tuple[str, str | None, str] | None:
    kind, _, rest = fact.subject.partition("/")
    if kind not in STATED_KINDS or not rest or not fact.attribute.startswith(("spec.", "status.", "metadata.")):
        return None
    namespace, _, name = rest.rpartition("/")
    return STATED_KINDS[kind], namespace or None, name
