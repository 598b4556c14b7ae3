"""Hosts that show themselves as nodes by a node port that was tried on them."""

from __future__ import annotations

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import contains, parse_prefix
from kubereach.model.attribute import ADDRESSES, NODE_PORT_RANGE, NODE_PORTS, POOL_ADDRESSES
from kubereach.model.fact import BgpSession, Fact, ProbeKind, ProbeResult, Trust

_KINDS = frozenset({ProbeKind.TCP, ProbeKind.HTTP, ProbeKind.UDP})


def find_node_ports(facts: tuple[Fact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Know the address on which a node port was tried as a node's, unless it is a service's or a pool's.

    Where several addresses were tried and none is known to be a service's, those with a port of the range are nodes,
    if they are anywhere near those that the router peers with.
    """
    given = {a for (_, name), seen in leaves.table.items() if name == ADDRESSES.name for a in _texts(seen.value)}
    pools = [p for (_, name), seen in leaves.table.items() if name == POOL_ADDRESSES.name for p in _texts(seen.value)]
    known = {
        port
        for (_, name), seen in leaves.table.items()
        if name == NODE_PORTS.name and isinstance(seen.value, tuple)
        for port in seen.value
    }
    targets = {f.target for f in facts if isinstance(f, ProbeResult) and f.target}
    peers = {
        f.peer for f in facts if isinstance(f, BgpSession) and "." in f.peer and hosts.resolve(f.device) == "router"
    }
    for fact in facts:
        if not isinstance(fact, ProbeResult) or fact.probe not in _KINDS or fact.port is None or not fact.target:
            continue
        sure = fact.port in known and bool(given)
        likely = fact.port in NODE_PORT_RANGE and (bool(given) or len(targets) > 1)
        likely = likely and (not peers or any(contains(f"{peer}/16", fact.target) for peer in peers))
        free = fact.target not in given | hosts.owners.keys() and not any(_within(p, fact.target) for p in pools)
        if free and (sure or likely):
            hosts.own(hosts.add_node(f"node/{fact.target}"), fact.target, (fact.origin,), Trust.MENTIONED)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, tuple) else ()


def _within(pool: str, address: str) -> bool:
    """Whether an address is in a pool written as a prefix; of a range, its first and last 24 bits are compared."""
    if parse_prefix(pool) is not None:
        return contains(pool, address)
    first, _, last = pool.partition("-")
    return bool(last) and "." in address and first.strip().rpartition(".")[0] == address.rpartition(".")[0]
