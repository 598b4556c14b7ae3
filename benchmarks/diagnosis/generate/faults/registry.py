"""The register of injectors, and how the families choose the nodes that a fault must hit to be felt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.flow import entries, targets
from benchmarks.diagnosis.generate.site import Node, Site


class UnfitError(Exception):
    """The cluster that was drawn cannot have the fault; another one is drawn."""


@dataclass(frozen=True)
class Injector:
    """`code` and `class_` are kubereach's names of what `inject` does. `accept`: classes that say the same truth.
    `felt` is False where the service goes on working.
    """

    code: str
    class_: str
    wish: Wish
    inject: Callable[[Site], None]
    accept: frozenset[str]
    felt: bool


ALL: dict[str, Injector] = {}


def fault(
    code: str, class_: str, wish: Wish | None = None, *, accept: tuple[str, ...] = (), felt: bool = True
) -> Callable[[Callable[[Site], None]], Callable[[Site], None]]:
    """Register the injector of `code`."""

    def register(inject: Callable[[Site], None]) -> Callable[[Site], None]:
        ALL[code] = Injector(code, class_, wish or Wish(), inject, frozenset({class_, *accept}), felt)
        return inject

    return register


def entry(site: Site) -> list[Node]:
    """Where outside traffic enters (all nodes while nothing attracts it)."""
    return entries(site) or site.nodes


def crossing(site: Site) -> list[tuple[Node, str]]:
    """(entry, name of the pod's node) of every way that leads to another node's pod."""
    return [(n, pod.node) for n in entries(site) for pod in targets(site, n) if pod.node != n.name]


def announcing(site: Site) -> list[Node]:
    """The nodes whose silence is felt: those with an endpoint under policy Local, all of them otherwise."""
    by_endpoint = site.local and site.stack not in {"cilium-l2", "kube-vip-arp", "keepalived"}
    return site.with_pod() if by_endpoint else list(site.nodes)


def name_of(site: Site) -> str:
    return f"{site.service.namespace}/{site.service.name}"
