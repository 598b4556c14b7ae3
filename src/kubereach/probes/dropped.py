"""The word of the program that dropped it: what a filter, a datapath or a kernel counter says of the flow's packets.

Asked of a node, about the place: `input` (logged on its way to the host), `forward` (logged between two interfaces),
`policy` (a CNI's policy verdict at the endpoint), `host-policy` (the same at the host itself), `tunnel` (an ICMP
prohibition in answer to encapsulated packets). Answer: dropped. About `source-check` (the kernel's reverse-path
counter) and `md5` (its counters of segments with an unexpected or missing TCP MD5 signature): counted, none. About
`invalid` (kube-proxy's rule for what the connection table calls so): flood, counted, few, none. About
`rules` (a node's list of the service proxy's rules): missing, there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import (
    ANNOUNCER,
    ENDPOINTS,
    FORWARD_DROP,
    HOST_ENDPOINT_DROP,
    HOST_FIREWALL,
    INPUT_FIREWALL,
    NODE_DROPS_INVALID,
    NODE_PORTS,
    POLICY_DROP,
    PORTS,
    PROXY_DOWN,
    PROXY_MODE,
    RANGES_DENY,
    RP_FILTER_DROP,
    SESSION_FAULT,
    SESSION_WAY,
    TUNNEL_BLOCKED,
)
from kubereach.model.fact import AnyFact, LogEvent, Packet, Setting
from kubereach.model.network import Network
from kubereach.probes.bgp_port import DIAL_ONLY
from kubereach.probes.question import Distribution, Offer, Question, Sighting
from kubereach.simulate.walk import on_node
from kubereach.simulate.world import World

KIND = "dropped"
BACKGROUND: Distribution = {
    "dropped": 0.02,
    "counted": 0.12,
    "flood": 0.08,
    "few": 0.3,
    "none": 0.6,
    "missing": 0.05,
    "there": 0.95,
}
# The prefixes that firewalls write before a packet that they do not let pass (ufw, firewalld, Shorewall, people).
_REFUSED = r"block|drop|reject|den(?:y|ied)|refus|prohibit"
# Interfaces behind which pods are: what the flow's client sends there has been translated.
_TO_PODS = r"cni|cali|veth|lxc|flannel|vxlan|tunl|weave|docker|kube|cilium|ovn|azv"
TUNNEL_PORTS = frozenset({4789, 8472, 6081, 51820, 51821, 5473, 8285})
# Modes whose rules iptables does not show.
WITHOUT_IPTABLES = frozenset({"ebpf", "nftables", "kube-router"})
_MD5 = r"nstat TcpExtTCPMD5(?:NotFound|Unexpected|Failure)"  # Linux net/ipv4/tcp_ipv4.c, since 2.6.20
FLOOD = 1000
_INVALID = "--ctstate INVALID -j DROP"
MANY = 50  # a counter that any stray packet raises says something from here on


def sightings(network: Network) -> Iterable[Sighting]:
    """Each place once."""
    done: set[Question] = set()
    for fact in network.observed:
        for where, about, answer, says in _places(network, fact):
            question = Question(KIND, where, (about,))
            if question not in done:
                done.add(question)
                yield Sighting(
                    question=question,
                    answers=frozenset({answer}),
                    origins=(fact.origin,),
                    trust=fact.trust,
                    says=says,
                )


Place = tuple[str, str, str, str]  # subject, what about, answer, in words


def _places(network: Network, fact: AnyFact) -> Iterable[Place]:
    if isinstance(fact, LogEvent):
        fields = dict(fact.fields)
        if fact.event == "packet-logged":
            yield from _logged(network, fact, fields)
        elif fact.event == "no-proxy-rules" and fact.device in network.nodes:
            if (network.seen("cluster", PROXY_MODE) or "") in WITHOUT_IPTABLES:
                return  # its rules stand elsewhere
            yield fact.device, "rules", "missing", "the node has no rules of the service proxy"
        elif re.match(r"policy-den", fact.event) and _of_flow(network, *_ends(fields)):
            yield from _denied(network, fact, fields)
    elif isinstance(fact, Setting) and (fact.subject in network.nodes or fact.subject == "router"):
        yield from _counters(network, fact)
    elif isinstance(fact, Packet) and fact.what == "icmp-unreachable" and answers_tunnel(network, fact):
        where = network.owners.get(fact.source, "cluster")
        says = f"{fact.source} refuses encapsulated packets: {fact.info or fact.what}"
        yield where if where in network.nodes else "cluster", "tunnel", "dropped", says


def _counters(network: Network, fact: Setting) -> Iterable[Place]:
    """What a host's kernel or rules have counted so far."""
    counted = str(fact.value)
    many = counted.isdecimal() and int(counted) >= MANY
    if re.fullmatch(_MD5, fact.attribute):
        yield from _signatures(network, fact)
    elif fact.subject == "router":
        return
    if fact.attribute == "nstat TcpExtIPReversePathFilter" and (many or counted == "0"):
        says = f"the reverse-path filter dropped {fact.value} packets"
        yield fact.subject, "source-check", "counted" if many else "none", says
    if fact.attribute.startswith("iptables.filter.KUBE-FORWARD[") and counted.isdecimal():
        rule = fact.attribute.removesuffix(".packets")
        shown = (f for f in network.observed if isinstance(f, Setting) and f.attribute == rule)
        if any(_INVALID in str(f.value) for f in shown):
            number = int(counted)
            answer = "flood" if number >= FLOOD else "counted" if many else "few" if number else "none"
            yield fact.subject, "invalid", answer, f"KUBE-FORWARD dropped {counted} packets as invalid"


def _signatures(network: Network, fact: Setting) -> Iterable[Place]:
    """A host's counters of TCP MD5 signatures: one that is not 0, or that all are."""
    if str(fact.value) != "0":
        yield fact.subject, "md5", "counted", f"{fact.attribute.removeprefix('nstat ')} is {fact.value}"
        return
    others = [
        f.value
        for f in network.observed
        if isinstance(f, Setting) and f.subject == fact.subject and re.fullmatch(_MD5, f.attribute)
    ]
    if all(str(value) == "0" for value in others):
        yield fact.subject, "md5", "none", "the kernel counts no wrong TCP MD5 signature"


def _logged(network: Network, fact: LogEvent, fields: dict[str, str]) -> Iterable[Place]:
    """A line of a LOG rule whose prefix says that the packet was refused, with the service's address and port."""
    if not re.search(_REFUSED, fields.get("prefix", ""), re.IGNORECASE):
        return
    port = fields.get("dpt", "")
    translated = fields.get("src") == network.flow.client != "" and re.match(_TO_PODS, fields.get("out", ""))
    if not translated and not _of_flow(network, fields.get("dst", ""), int(port) if port.isdecimal() else None):
        return
    node = fact.device if fact.device in network.nodes else network.owners.get(fields.get("dst", ""), "cluster")
    about = "forward" if fields.get("out") else "input"
    says = f"{fields.get('prefix', '')} {fields.get('src', '')} → {fields.get('dst', '')}:{port}".strip()
    yield node if node in network.nodes else "cluster", about, "dropped", says


def _denied(network: Network, fact: LogEvent, fields: dict[str, str]) -> Iterable[Place]:
    """A CNI's policy verdict: at a pod's endpoint by the pods' policies, at the host's by those of hosts."""
    address, _ = _ends(fields)
    host = address in network.owners or re.search(r"->\s*(?:host|1)$|bpf_host", " ".join(fields.values()))
    where = fact.device if fact.device in network.nodes else "cluster"
    yield where, "host-policy" if host else "policy", "dropped", f"{fact.program}: {fact.event} to {address}"


def _ends(fields: dict[str, str]) -> tuple[str, int | None]:
    match = re.fullmatch(r"\[?(.{2,45}?)\]?(?::(\d{1,5}))?", fields.get("destination", ""))
    if match is None:
        return "", None
    return match[1], int(match[2]) if match[2] else None


def _of_flow(network: Network, address: str, port: int | None) -> bool:
    """Whether a packet to this address and port can be the flow's: the service's own, a pod's, or a node's."""
    flow = network.flow
    endpoints = network.seen(flow.service, ENDPOINTS) or ()
    served = network.seen(flow.service, PORTS) or ()
    ports: set[int | str | None] = {flow.port, *(p.port for p in served), *(p.target for p in served)}
    ports |= {*(e.port for e in endpoints), *(network.seen(flow.service, NODE_PORTS) or ())}
    if address in {e.address for e in endpoints if e.address} | {flow.address}:
        return True
    return port is not None and port in ports


def answers_tunnel(network: Network, fact: Packet) -> bool:
    """Whether an ICMP error goes back to where encapsulated packets for its sender came from."""
    return any(
        isinstance(other, Packet)
        and other.source == fact.destination
        and other.destination == fact.source
        and (other.destination_port in TUNNEL_PORTS or other.what in {"vxlan", "ipip"})
        for other in network.observed
    )


def _counts_signatures(world: World, *, at_router: bool) -> float:
    """How often an end counts segments with a wrong signature.

    Only a socket that listens or is open checks one (Linux net/ipv4/tcp_ipv4.c, tcp_v4_rcv): a node whose speaker only
    dials has none but its own, which an unsigned answer reaches where the node is the one that asks for a password.
    """
    if at_router or world.get("cluster", ANNOUNCER) not in DIAL_ONLY:
        return 0.9
    return {"auth:router-asks": 0.05, "auth:node-asks": 0.4}.get(world.get("cluster", SESSION_WAY), 0.25)


def predict(world: World, question: Question) -> Distribution | None:
    """Dropped where a fault of the world drops it there."""
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    about = str(question.about[0])
    if about == "rules":
        down = any(world.get(node, PROXY_DOWN) for node in nodes)
        if world.get("cluster", PROXY_MODE) in WITHOUT_IPTABLES:
            return None
        return {"missing": 0.85, "there": 0.15} if down else {"missing": 0.02, "there": 0.98}
    if about == "md5":
        password = "auth" in {world.get(node, SESSION_FAULT) for node in nodes}  # every node's leaf counts as read
        chance = _counts_signatures(world, at_router=question.where == "router") if password else 0.01
        return {"counted": chance, "none": 1 - chance}
    found = [_drops(world, node, about) for node in nodes]  # every node's leaf counts as read
    caught = any(found)
    if about == "invalid":
        if any(on_node(world, node, NODE_DROPS_INVALID) for node in nodes):
            return {"flood": 0.6, "counted": 0.3, "few": 0.07, "none": 0.03}
        # Scans and late segments raise it everywhere.
        return {"flood": 0.08, "counted": 0.2, "few": 0.39, "none": 0.33}
    if about == "source-check":
        return {"counted": 0.8, "none": 0.2} if caught else {"counted": 0.1, "none": 0.9}
    return {"dropped": 0.8 if caught else 0.01}


def _drops(world: World, node: str, about: str) -> bool:
    service = world.network.flow.service
    if about == "input":
        return bool(on_node(world, node, HOST_FIREWALL)) | bool(on_node(world, node, INPUT_FIREWALL))
    if about == "forward":
        return on_node(world, node, FORWARD_DROP) | bool(on_node(world, node, HOST_FIREWALL))
    if about == "policy":
        return world.get(service, POLICY_DROP)
    if about == "host-policy":
        return on_node(world, node, HOST_ENDPOINT_DROP) | world.get(service, RANGES_DENY)
    if about == "tunnel":
        return on_node(world, node, TUNNEL_BLOCKED)
    return on_node(world, node, RP_FILTER_DROP)


def offers(network: Network) -> Iterable[Offer]:
    """The kernel's counters, which everybody may read."""
    for node in network.nodes:
        yield Offer(
            question=Question(KIND, node, ("md5",)),
            where=node,
            command="nstat -az",
            cost=20,
            words={"counted": "TcpExtTCPMD5Unexpected or …NotFound is not 0", "none": "all TcpExtTCPMD5… are 0"},
        )
        yield Offer(
            question=Question(KIND, node, ("source-check",)),
            where=node,
            command="nstat -az TcpExtIPReversePathFilter   # before and after a try",
            cost=30,
            words={"counted": "the number grows", "none": "it stays"},
        )


def means(world: World, question: Question) -> str:
    """What dropped it."""
    words = {
        "input": "the host's own filter drops the flow's packets",
        "forward": "the node's filter drops what it forwards",
        "policy": "a network policy refuses the flow's packets",
        "host-policy": "a policy for hosts refuses the flow's packets",
        "tunnel": "encapsulated packets between the nodes are refused",
        "md5": "the two ends of the BGP session do not have the same password",
        "invalid": "the node drops what its connection table calls invalid",
        "source-check": "the kernel drops packets whose source it would reach another way",
        "rules": "the service proxy does not work there",
    }
    return words.get(str(question.about[0]), "")
