"""Statements (stated.yaml, prose) about leaves that no object carries, in the words people use for them."""

from __future__ import annotations

import re

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address
from kubereach.model.attribute import LABELS, POOL_ADDRESSES, ROUTED
from kubereach.model.fact import Fact, Setting


def put_stated(facts: tuple[Fact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Put what can be put; a Setting that maps to no leaf stays among the observed facts for the probes to read."""
    labels: dict[str, list[tuple[str, str]]] = {}
    for fact in facts:
        if not isinstance(fact, Setting):
            continue
        kind, _, name = fact.subject.partition("/")
        if kind == "pool" and fact.attribute in {"addresses", "spec.addresses"}:
            leaves.put(fact.subject, POOL_ADDRESSES, (str(fact.value),), (fact.origin,), fact.trust)
        elif kind == "node" and (match := re.fullmatch(r"(?:metadata\.)?labels?[.\[\" ]+(.+?)[\"\]]*", fact.attribute)):
            labels.setdefault(name, []).append((match[1], "" if fact.value is None else str(fact.value)))
            subject = "cluster" if "*" in name else hosts.resolve(f"node/{name}")
            leaves.put(subject, LABELS, tuple(labels[name]), (fact.origin,), fact.trust)
        elif fact.subject == "client" and fact.attribute == "on-link":
            leaves.put("client", ROUTED, str(fact.value).lower() != "true", (fact.origin,), fact.trust)
        elif fact.subject == "client" and (address := canonical_address(str(fact.value))):
            hosts.own("client", address, (fact.origin,), fact.trust)
