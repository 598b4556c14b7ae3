"""Statements of where a service's pods run, in the words that people use for it → endpoints."""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address
from kubereach.model.attribute import ENDPOINTS, Endpoint
from kubereach.model.fact import Fact, Setting, Trust
from kubereach.model.origin import Origin

# `endpoints.nodeName`, `endpoints.ready.nodes`, `pods.nodes`, of a service.
_NODES = (
    r"(?:ready[. ])?(?:endpoints?|pods?|backends?)(?:\[\d{1,3}\])?[. ]"
    r"(?:\w{1,12}[. ])?(?:spec\.)?(?:nodes?|nodeNames?)$"
)
# `pods of service NS/NAME`, `endpoints.ready.service/NS/NAME`, of a node, with their number.
_COUNT = r"(?:ready[. ])?(?:pods|endpoints|backends)[. ](?:\w{1,10}[. ])?service[ /]([\w-]{1,63}/[\w.-]{1,63})$"


def put_stated_endpoints(facts: tuple[Fact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Put the endpoints that statements place, where no object shows them."""
    placed: dict[str, list[Endpoint]] = {}
    empty: dict[str, list[str]] = {}
    origins: dict[str, list[Origin]] = {}
    for fact in facts:
        if not isinstance(fact, Setting):
            continue
        if fact.subject.startswith("service/") and re.match(_NODES, fact.attribute) and fact.value:
            node = hosts.resolve(str(fact.value), node_like=True)
            if node.startswith("node/"):
                placed.setdefault(fact.subject, []).append(Endpoint(_beside(fact, facts), node))
                origins.setdefault(fact.subject, []).append(fact.origin)
        elif fact.subject.startswith("node/") and (found := re.match(_COUNT, fact.attribute)):
            service, node = f"service/{found[1]}", hosts.resolve(fact.subject)
            origins.setdefault(service, []).append(fact.origin)
            if str(fact.value) == "0":
                empty.setdefault(service, []).append(node)
            elif "*" not in node:
                placed.setdefault(service, []).append(Endpoint("", node))
    for service, where in origins.items():
        if leaves.get(service, ENDPOINTS) is None:
            found_here = placed.get(service) or _elsewhere(hosts, empty.get(service, []))
            leaves.put(service, ENDPOINTS, tuple(dict.fromkeys(found_here)), where, Trust.STATED)


def _beside(place: Setting, facts: tuple[Fact, ...]) -> str:
    """The address of the same element of a list: `endpoints[0].ip` beside `endpoints[0].nodeName`."""
    element = place.attribute.rpartition(".")[0]
    if not element.endswith("]"):
        return ""
    names = {f"{element}.{word}" for word in ("ip", "address", "podIP")}
    said = (f.value for f in facts if isinstance(f, Setting) and f.subject == place.subject and f.attribute in names)
    return next((a for value in said if (a := canonical_address(str(value)))), "")


def _elsewhere(hosts: Hosts, without: list[str]) -> list[Endpoint]:
    """Where nodes are known to run none, the pods run on another one."""
    other = next((node for node in hosts.nodes if node not in without), "")
    return [Endpoint("", other or hosts.add_node("node/(another node)"))]
