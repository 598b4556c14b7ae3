"""What configuration, statements and both ends' listings say of BGP peering: AS numbers, hops, addresses.

The two sides of a session must agree on each other's AS number (RFC 4271 section 6.2); an eBGP peer outside the node's
subnets needs multihop (RFC 4271 section 5.1.3 and every speaker's connected check); the speaker's own address must be
one that the peer knows (Calico's annotation projectcalico.org/IPv4Address against the node's addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.address import canonical_address, canonical_prefix, contains, parse_address
from kubereach.model.attribute import (
    BGP_ADDRESS_DOUBT,
    CLUSTER_AS,
    LB_CIDRS,
    MESH,
    PEER_AS_DOUBT,
    PEER_AUTH_DOUBT,
    PEER_MULTIHOP,
    PEER_ON_LINK,
    PEERS,
    RANGES_SEEN,
)
from kubereach.model.fact import (
    AnyFact,
    BgpSession,
    InterfaceAddress,
    ProbeKind,
    ProbeResult,
    Route,
    RouteLookup,
    Setting,
    Trust,
)
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.origin import Origin

Objects = dict[ObjectKey, KubeObject]
_AS = r"(?:.{0,60}[.\b ])?(?:as(?:n|[ ._-]?number)?|local[ ._-]?asn?|my[ ._-]?asn?|remote[ ._-]?asn?|peer[ ._-]?asn?)"
_OFF = frozenset({"off", "false", "disabled", "no", "0"})


def put_stated_peering(facts: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """The leaves that statements about the cluster's BGP configuration and its peers give."""
    cidrs: list[str] = []
    where: list[Origin] = []
    for fact in facts:
        if not isinstance(fact, Setting):
            continue
        kind, _, _name = fact.subject.partition("/")
        value = str(fact.value).strip().lower()
        if kind in {"cluster", "bgpconfiguration"} and re.search(
            r"service(?:LoadBalancer|External)IPs", fact.attribute
        ):
            if prefix := canonical_prefix(value):
                cidrs.append(prefix)
                where.append(fact.origin)
        elif kind in {"cluster", "bgpconfiguration"} and re.search(r"node.?to.?node.?mesh", fact.attribute, re.I):
            leaves.put("cluster", MESH, value not in _OFF, (fact.origin,), fact.trust)
        elif kind == "peer" and re.fullmatch(r"(?:directly[ -])?(?:on-?link|connected)", fact.attribute):
            leaves.put("router", PEER_ON_LINK, value in {"true", "yes"}, (fact.origin,), fact.trust)
        elif re.search(r"multi-?hop", fact.attribute, re.I):
            leaves.put(
                "router", PEER_MULTIHOP, value not in {*_OFF, "unset", "not set", "none"}, (fact.origin,), fact.trust
            )
        if (
            kind == "router"
            and re.match(r"addr", fact.attribute)
            and not re.search(r"earlier|old|former", fact.attribute)
        ) and (address := canonical_address(value)):
            hosts.own("router", address, (fact.origin,), fact.trust)
    if cidrs:
        leaves.put("cluster", LB_CIDRS, tuple(dict.fromkeys(cidrs)), where, Trust.STATED)


def put_peering(observed: tuple[AnyFact, ...], objects: Objects, hosts: Hosts, leaves: Leaves) -> None:
    """The doubts that arise when both ends, or a speaker and its node, are compared."""
    _put_as_numbers(observed, hosts, leaves)
    _put_on_link(observed, hosts, leaves)
    _put_multihop(objects, leaves)
    _put_authentication(observed, objects, leaves)
    _put_speaker_addresses(observed, objects, hosts, leaves)
    _put_mesh_addresses(observed, hosts, leaves)
    _put_ranges(observed, hosts, leaves)
    for fact in observed:
        if isinstance(fact, Route) and fact.device == "router" and fact.paraphrased:
            for hop in fact.next_hops:
                if re.fullmatch(r"[A-Za-z][\w.-]{0,62}", hop.via):  # a next hop that is named, not numbered
                    hosts.add_node(f"node/{hop.via}")


def _put_ranges(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """What the nodes announce, as their export listings and the router's BGP routes by them show it."""
    found = [
        fact
        for fact in observed
        if isinstance(fact, Route)
        and not fact.paraphrased
        and (
            fact.table.startswith("export")
            or (
                fact.device == "router"
                and fact.protocol == "bgp"
                and any(hosts.owners.get(hop.via) in hosts.nodes for hop in fact.next_hops if hop.via)
            )
        )
    ]
    if found:
        prefixes = tuple(dict.fromkeys(fact.prefix for fact in found))
        leaves.put("cluster", RANGES_SEEN, prefixes, (found[0].origin,))


def _put_as_numbers(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Each side's own number against what the other side expects of it."""
    own: dict[str, tuple[int, Origin]] = {}  # side -> its own number
    expected: dict[str, tuple[int, Origin]] = {}  # side -> the number that the other side expects of it
    if (asn := leaves.get("cluster", CLUSTER_AS)) is not None:
        for origin in leaves.table[CLUSTER_AS.of("cluster")].origins[:1]:
            own["cluster"] = (asn, origin)
    for peer in leaves.get("cluster", PEERS) or ():
        if peer.asn is not None and (origins := leaves.table[PEERS.of("cluster")].origins):
            expected.setdefault("router", (peer.asn, origins[0]))
    for fact in observed:
        if isinstance(fact, BgpSession):
            _from_session(fact, hosts, own, expected)
        elif isinstance(fact, Setting) and re.fullmatch(_AS, fact.attribute, re.I) and str(fact.value).isdecimal():
            _from_setting(fact, hosts, own, expected)
    texts = [
        (f"{side} is AS {own[side][0]} and the other side expects AS {expected[side][0]}", expected[side][1])
        for side in ("cluster", "router")
        if side in own and side in expected and own[side][0] != expected[side][0]
    ]
    if texts:
        leaves.put("router", PEER_AS_DOUBT, texts[0][0], (texts[0][1],), Trust.STATED)
    elif own.keys() & expected.keys():
        side = next(iter(own.keys() & expected.keys()))
        leaves.put("router", PEER_AS_DOUBT, "", (expected[side][1],), Trust.STATED)


_Sides = dict[str, tuple[int, Origin]]


def _from_session(fact: BgpSession, hosts: Hosts, own: _Sides, expected: _Sides) -> None:
    if "mesh" in fact.peer_type:
        return
    at_router = fact.device == "router" or hosts.owners.get(fact.peer) in hosts.nodes
    here, there = ("router", "cluster") if at_router else ("cluster", "router")
    if fact.local_as is not None:
        own.setdefault(here, (fact.local_as, fact.origin))
    if fact.peer_as is not None:
        expected.setdefault(there, (fact.peer_as, fact.origin))


def _from_setting(fact: Setting, hosts: Hosts, own: _Sides, expected: _Sides) -> None:
    kind, _, name = fact.subject.partition("/")
    number, lowered = int(str(fact.value)), fact.attribute.lower()
    other = re.search(r"remote|peer|neighbou?r", lowered)
    side = "cluster" if kind in {"cluster", "node", "speaker"} or hosts.owners.get(name) in hosts.nodes else ""
    side = side or ("router" if kind in {"router", "peer"} else "")
    if not side:
        return
    if kind == "peer" or other:
        target = side if kind == "peer" else {"cluster": "router", "router": "cluster"}[side]
        expected.setdefault(target, (number, fact.origin))
    else:
        own.setdefault(side, (number, fact.origin))


def _put_on_link(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Whether the peer's address lies in a subnet of some node's interface, where those are shown."""
    peers = [p.address for p in leaves.get("cluster", PEERS) or () if p.address]
    peers = peers or [a for a in (hosts.addresses.get("router", ("",))[0],) if a]
    subnets = [
        (f"{f.address}/{f.prefix_length}", f.origin)
        for f in observed
        if isinstance(f, InterfaceAddress)
        and f.device in hosts.nodes
        and 8 <= f.prefix_length < 31
        and "." in f.address
    ]
    if distant := _distant(observed, hosts, peers):
        leaves.put("router", PEER_ON_LINK, value=False, origins=(distant.origin,), trust=Trust.STATED)
    if not peers or not subnets:
        return
    inside = [origin for subnet, origin in subnets if any(contains(subnet, peer) for peer in peers)]
    leaves.put("router", PEER_ON_LINK, bool(inside), tuple(inside[:1]) or (subnets[0][1],), Trust.STATED)


def _distant(observed: tuple[AnyFact, ...], hosts: Hosts, peers: list[str]) -> ProbeResult | RouteLookup | None:
    """A trace from a node to the peer, or a look-up, with a router in between."""
    for fact in observed:
        if isinstance(fact, ProbeResult) and fact.probe is ProbeKind.TRACEROUTE and fact.target in peers:
            between = [hop for hop in fact.hops if hop and hop != fact.target]
            if fact.source in hosts.nodes and between and fact.hops[-1] == fact.target:
                return fact
        elif isinstance(fact, RouteLookup) and fact.device in hosts.nodes and fact.address in peers and fact.via:
            return fact
    return None


def _put_multihop(objects: Objects, leaves: Leaves) -> None:
    for (kind, _, _), entry in objects.items():
        if kind in {"BGPPeer", "CiliumBGPPeerConfig"} and entry.has("spec"):
            value = next((entry.value(p) for p in ("spec.ebgpMultiHop", "spec.ebgpMultihop") if entry.has(p)), False)
            used = value is True or (isinstance(value, int) and value > 1)
            leaves.put("router", PEER_MULTIHOP, used, entry.origins("spec")[:1])


def _put_authentication(observed: tuple[AnyFact, ...], objects: Objects, leaves: Leaves) -> None:
    """A password that one side has and the other has not; whether two passwords agree, nobody shows."""
    sides: dict[str, tuple[bool, Origin]] = {}
    for (kind, _, _), entry in objects.items():
        if kind in {"BGPPeer", "CiliumBGPPeerConfig"} and entry.has("spec"):
            fields = [p for p in entry.fields if re.match(r"spec\.(?:.*password|authSecretRef)", p, re.I)]
            sides["cluster"] = (bool(fields), entry.origins("spec")[0])
    for fact in observed:
        if isinstance(fact, Setting) and re.search(r"password|md5|authentication|tcp-?ao", fact.attribute, re.I):
            kind = fact.subject.partition("/")[0]
            side = "router" if kind in {"router", "switch"} else "cluster" if kind in {"cluster", "node"} else ""
            if side:
                used = str(fact.value).strip().lower() not in {*_OFF, "none", "unset", "not set", "empty", "", '""'}
                if used or side not in sides:
                    sides[side] = (used, fact.origin)
    if len(sides) > 1:
        (here, origin), (there, _) = sides["cluster"], sides["router"]
        has, lacks = ("the cluster", "the router") if here else ("the router", "the cluster")
        says = f"{has} has a password for the session and {lacks} has none" if here != there else ""
        leaves.put("router", PEER_AUTH_DOUBT, says, (origin,), Trust.STATED)


def _put_mesh_addresses(observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Nodes that the mesh knows by an address of another network than the one that this node talks to the router from.

    The mesh uses the addresses that Calico detected, and so does each node towards the router.
    """
    sessions = [f for f in observed if isinstance(f, BgpSession) and f.device in {*hosts.nodes, ""}]
    own = {f.device: f for f in sessions if "mesh" not in f.peer_type and "." in f.local_address}
    for fact in sessions:
        mine, owner = own.get(fact.device), hosts.owners.get(fact.peer, "")
        if mine and "mesh" in fact.peer_type and "." in fact.peer and owner in hosts.nodes:
            near = any(contains(f"{address}/16", fact.peer) for address in (mine.local_address, mine.peer) if address)
            if not near:
                doubt = f"the mesh knows it by {fact.peer}, where {mine.local_address} talks to the router"
                leaves.put(owner, BGP_ADDRESS_DOUBT, doubt, (fact.origin,), fact.trust)


def _put_speaker_addresses(observed: tuple[AnyFact, ...], objects: Objects, hosts: Hosts, leaves: Leaves) -> None:
    """Speakers whose address is none of the node's, or one that comes and goes."""
    for subject, address, origin in _speaker_addresses(observed, objects, hosts):
        own = [f for f in observed if isinstance(f, InterfaceAddress) and f.device == subject and _usable(f.address)]
        here = next((f for f in own if f.address == address), None)
        internal = hosts.addresses.get(subject, ("",))[0]
        doubt = ""
        if here is not None and here.prefix_length in {32, 128}:
            same = [f for f in own if f.interface == here.interface and 0 <= f.prefix_length < here.prefix_length]
            if same:
                doubt = f"{address} is an extra host address of {here.interface}, beside {same[0].address}"
        elif own and here is None:
            doubt = f"{address} is on none of the interfaces that are shown"
        elif internal and internal != address and canonical_address(internal):
            doubt = f"{address} is not the node's address {internal}"
        if doubt or own or internal:
            leaves.put(subject, BGP_ADDRESS_DOUBT, doubt, (origin,), Trust.STATED)


def _usable(address: str) -> bool:
    parsed = parse_address(address)
    return parsed is not None and not parsed.is_link_local and not parsed.is_loopback


def _speaker_addresses(
    observed: tuple[AnyFact, ...], objects: Objects, hosts: Hosts
) -> Iterable[tuple[str, str, Origin]]:
    for (kind, _, name), entry in objects.items():
        if kind == "Node":
            paths = ('metadata.annotations["projectcalico.org/IPv4Address"]', "spec.bgp.ipv4Address")
            for path in paths:
                if address := canonical_address(entry.text(path).partition("/")[0]):
                    yield hosts.resolve(f"node/{name}"), address, entry.origins(path)[0]
    for fact in observed:
        if (
            isinstance(fact, Setting)
            and fact.subject.startswith("node/")
            and re.search(r"ipv4address", fact.attribute, re.I)
        ) and (address := canonical_address(str(fact.value).partition("/")[0])):
            yield hosts.resolve(fact.subject), address, fact.origin
