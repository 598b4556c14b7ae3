"""Who else has a service's address, or gives out the addresses of its pool."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.pools import Pool
from kubereach.model.address_range import ranges_of
from kubereach.model.attribute import ADDRESS_TAKEN, ADDRESSES, ANNOUNCER, POOL_SHARED, PROXY_MODE
from kubereach.model.fact import AnyFact, InterfaceAddress, Setting, Trust
from kubereach.model.network import Flow
from kubereach.model.origin import Origin


def put_other_owner(
    facts: tuple[AnyFact, ...],
    settings: tuple[Setting, ...],
    pools: tuple[Pool, ...],
    flow: Flow,
    hosts: Hosts,
    leaves: Leaves,
) -> None:
    """A node or gateway that has the address; a DHCP range or a second cluster that may give it to others."""
    given = flow.address in (leaves.get(flow.service, ADDRESSES) or ())
    mode, announcer = leaves.table.get(PROXY_MODE.of("cluster")), leaves.table.get(ANNOUNCER.of("cluster"))
    # Otherwise a node's own address is tried for itself, or an external address that any mode but IPVS serves.
    external = bool(announcer) or (mode is not None and mode.value == "ipvs")
    klipper = (leaves.get("cluster", ANNOUNCER) or "") in {"klipper", "kube-vip-arp", "keepalived-arp"}
    ranged = [p for p in pools if p.ranges]
    for subject, (address, origins, trust) in hosts.addresses.items():
        own = origins and not klipper and (subject.startswith("node/") or subject == "router")
        held = address == flow.address or (not flow.address and any(p.holds(address) for p in ranged))
        if (
            own
            and held
            and (not flow.address or (given and external))
            and not _configured_there(facts, subject, address)
        ):
            who = subject.removeprefix("node/")
            leaves.put(flow.service, ADDRESS_TAKEN, f"{address} is the address of {who}", origins[:1], trust)
    if rivals := _rival_pools(ranged):
        leaves.put(flow.service, ADDRESS_TAKEN, rivals[0], (rivals[1],), Trust.STATED)
    for said, origin, trust in _shared_ranges(settings, ranged):
        leaves.put(flow.service, POOL_SHARED, said, (origin,), trust)
        return


def _configured_there(facts: tuple[AnyFact, ...], subject: str, address: str) -> bool:
    """Whether the address is only a service's, bound on the node by kube-proxy or kube-vip."""
    name = subject.removeprefix("node/")
    return any(
        isinstance(f, InterfaceAddress) and f.address == address and f.prefix_length in {32, 128} and name in f.device
        for f in facts
    )


def _shared_ranges(settings: tuple[Setting, ...], pools: list[Pool]) -> Iterator[tuple[str, Origin, Trust]]:
    for fact in settings:
        words = f"{fact.subject} {fact.attribute}".lower()
        others = [p for p in pools if p.origins[:1] != (fact.origin,)]
        rival = "dhcp" in words or re.search(r"(?:other|second|another) cluster", words)
        if rival and (found := _overlapping(str(fact.value), others)):
            yield f"{fact.attribute} {fact.value} overlaps pool {found.name}", fact.origin, fact.trust


def _rival_pools(pools: list[Pool]) -> tuple[str, Origin] | None:
    """Stated pools of several clusters that hold the same addresses."""
    stated = [p for p in pools if p.entry is None and "cluster" in p.name.lower()]
    for index, one in enumerate(stated):
        for two in stated[index + 1 :]:
            if any(a.overlaps(b) for a in one.ranges for b in two.ranges):
                return f"pools {one.name} and {two.name} overlap", two.origins[0]
    return None


def _overlapping(text: str, pools: list[Pool]) -> Pool | None:
    ranges = ranges_of(tuple(re.findall(r"[0-9a-fA-F.:]{3,39}(?:/\d{1,3}|\s?-\s?[0-9a-fA-F.:]{1,39})?", text)[:4]))
    return next((p for p in pools if any(a.overlaps(b) for a in p.ranges for b in ranges)), None)
