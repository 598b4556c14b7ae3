"""Network: everything the evidence says, joined on identity, and nothing that it does not say."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from kubereach.model.attribute import Attribute, Key, T
from kubereach.model.fact import AnyFact, Trust
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin


class Seen(Struct, frozen=True):
    """A leaf that evidence gives: `others` are different values for it that were outweighed, with their origins.

    `rivals` are those of them that are as trusted: which is true, nobody knows.
    """

    value: object
    origins: tuple[Origin, ...] = ()
    trust: Trust = Trust.OUTPUT
    others: tuple[tuple[str, Origin], ...] = ()
    rivals: tuple[object, ...] = ()


class Flow(Struct, frozen=True, kw_only=True):
    """The packet whose way is asked for. Unknown parts are "" or None."""

    service: str  # a subject
    address: str
    port: int | None
    protocol: str = "TCP"
    client: str = ""  # the client's address
    source: str = "client"  # a subject: the client, or the node or pod from inside the cluster that alone tried it


class Network(Struct, frozen=True, kw_only=True):
    """The aggregate. `settings` holds configuration and stated leaves; `observed` what daemons, kernels, routers and
    probes showed, with host names resolved to subjects. Neither holds anything assumed: `assumed` lists in words what
    had to be supposed to give the flow two ends (a second node, a service).
    """

    flow: Flow
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    services: tuple[str, ...]
    settings: Mapping[Key, Seen]
    observed: tuple[AnyFact, ...]
    owners: Mapping[str, str]  # address -> subject
    stack: frozenset[str] = frozenset()  # product words that the evidence shows: calico, metallb, cilium …
    assumed: tuple[str, ...] = ()
    objects: Mapping[ObjectKey, KubeObject] = {}

    def seen(self, subject: str, attribute: Attribute[T]) -> T | None:
        """The value that evidence gives, or None when the leaf is unseen."""
        leaf = self.settings.get((subject, attribute.name))
        return None if leaf is None else leaf.value  # type: ignore[return-value]  # typed by its attribute

    def origins(self, subject: str, attribute: Attribute[T]) -> tuple[Origin, ...]:
        """Where a seen leaf stands; empty for an unseen one."""
        leaf = self.settings.get((subject, attribute.name))
        return () if leaf is None else leaf.origins

    def objects_of(self, *kinds: str) -> tuple[KubeObject, ...]:
        """All objects of `kinds`, in the order of the evidence."""
        return tuple(entry for (kind, _, _), entry in self.objects.items() if kind in kinds)
