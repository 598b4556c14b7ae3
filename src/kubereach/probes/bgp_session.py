"""The state of BGP sessions: `birdcl show protocols`, `calicoctl node status`, the router's own list.

Asked of a node's end, of the router's end, or of a mesh session, whose other end is a node too.
Answers are classes of state and last error: established, connecting (SYN unanswered), active, idle, refused, reset,
closed, no-route, no-path (the peer is on no link), rejected, bad-peer-as, shutdown, auth, no-listening-socket,
hold-timer, bfd, neighbor-lost, graceful-restart, not-running, deconfigured (the other end took it out), absent (the
router has other neighbours, and no such one), alone (it has none at all). Of nodes whose end
is up while the router's is down: out-of-step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kubereach.model.attribute import AGENT_DOWN, ANNOUNCER, BEHIND_REFLECTOR, NOBODY_ANNOUNCES, SESSION_FAULT
from kubereach.model.fact import BgpListing, BgpSession, LogEvent, Setting
from kubereach.model.network import Network
from kubereach.probes._commands import SESSIONS, in_calico_node, in_speaker, of_router
from kubereach.probes.question import KUBECTL, Distribution, Offer, Question, Sighting, mixed
from kubereach.simulate.session import half_open, shown, shown_of_mesh
from kubereach.simulate.world import World

KIND = "bgp_session"
BACKGROUND: Distribution = {
    "established": 0.5,
    "connecting": 0.08,
    "active": 0.08,
    "idle": 0.05,
    "refused": 0.04,
    "reset": 0.03,
    "closed": 0.03,
    "no-route": 0.03,
    "rejected": 0.02,
    "bad-peer-as": 0.02,
    "shutdown": 0.02,
    "absent": 0.02,
    "alone": 0.01,
    "auth": 0.01,
    "no-listening-socket": 0.01,
    "hold-timer": 0.02,
    "bfd": 0.01,
    "neighbor-lost": 0.01,
    "graceful-restart": 0.01,
    "not-running": 0.02,
    "out-of-step": 0.05,
    "no-path": 0.01,
    "deconfigured": 0.005,
    "one-of-two": 0.01,
}
DOWN = frozenset(BACKGROUND) - {"established", "absent", "alone", "out-of-step", "one-of-two"}
# How often a router that lacks a node has no neighbour at all: one that nobody told of the cluster often speaks no BGP;
# one that lacks an entry has the other nodes' or another router's more often than not. Estimates.
_ALONE_UNTOLD, _ALONE = 0.75, 0.35
# The first text that occurs in a last error decides (BIRD proto/bgp/packets.c and bgp.c; FRR bgpd messages).
_ERRORS = (
    ("bad peer as", "bad-peer-as"),
    ("remote as", "bad-peer-as"),
    ("asn mismatch", "bad-peer-as"),
    ("as mismatch", "bad-peer-as"),
    ("unexpected peer as", "bad-peer-as"),
    ("peer asn", "bad-peer-as"),
    ("as number", "bad-peer-as"),
    ("no path to specified neighbo", "no-path"),
    ("not directly connected", "no-path"),
    # What comes in place of an OPEN is a NOTIFICATION (RFC 4271 section 4.1: type 3).
    ("not open, got 3", "rejected"),
    ("address already in use", "no-listening-socket"),
    ("address in use", "no-listening-socket"),
    ("no listening socket", "no-listening-socket"),
    ("connection refused", "refused"),
    ("reset by peer", "reset"),
    ("connection closed", "closed"),
    ("no route to host", "no-route"),
    ("unreachable", "no-route"),
    ("timed out", "connecting"),
    ("i/o timeout", "connecting"),  # Go's words for it, and the next
    ("deadline exceeded", "connecting"),
    ("connection rejected", "rejected"),
    ("connection collision", "rejected"),
    ("administrative shutdown", "shutdown"),
    ("administratively", "shutdown"),
    ("admin", "shutdown"),
    ("cease/connection", "rejected"),
    ("hold timer", "hold-timer"),
    ("holdtime", "hold-timer"),
    ("bfd", "bfd"),
    ("md5", "auth"),
    ("authentication", "auth"),
    ("password", "auth"),
    ("neighbor lost", "neighbor-lost"),
    ("link down", "neighbor-lost"),
    ("graceful restart", "graceful-restart"),
    ("de-configured", "deconfigured"),
    ("received:", "rejected"),
    ("notification", "rejected"),
    ("eof", "closed"),  # Go's word for a connection that the other end has closed
)
_STATES = {
    "established": "established",
    "connect": "connecting",
    "opensent": "connecting",
    "openconfirm": "connecting",
    "active": "active",
    "idle": "idle",
    "down": "shutdown",
}

# Why an earlier session ended, which says nothing of why there is none now (RFC 4486 section 3).
_PAST = r"other configuration change|administrative reset"
_STATED = r"bgp\W?(?:session|peer|neighbou?r)?\W?stat(?:e|us)"


def classify(state: str, error: str) -> str:
    """The class of a state word and a last error's text; "" when neither says anything."""
    lowered = error.lower()
    word = _STATES.get(state.lower().partition(" ")[0], "")
    if word == "established" or (word and re.search(_PAST, lowered)):
        return word
    return next((name for text, name in _ERRORS if text in lowered), "") or word


def sightings(network: Network) -> Iterable[Sighting]:
    """Sessions that daemons and routers list, stated ones, and a router's whole list that lacks a node."""
    found = list(_shown(network))
    if two := _two_daemons(network):
        # One session, of which one daemon has the place and the other is refused: one observation.
        found = [s for s in found if s.question.about == ("mesh",) or not set(s.origins) & set(two.origins)]
        yield two
    if both := _half_open(found):
        yield both[0]
        found = [s for s in found if s not in both[1]]
    yield from found


def _half_open(found: list[Sighting]) -> tuple[Sighting, list[Sighting]] | None:
    """The nodes that believe in a session which the router has not: one observation, with the sightings it replaces.

    TCP tells only who sends (RFC 9293 section 3.5.1), so an end can hold for hours what the other has forgotten.
    """
    ends: dict[str, dict[str, set[frozenset[str]]]] = {}
    for s in found:
        if s.question.about in {("node",), ("router",)}:
            ends.setdefault(s.question.where, {}).setdefault(str(s.question.about[0]), set()).add(s.answers)
    somewhere = ends.get("", {}).get("node") == {frozenset({"established"})}
    where = sorted(
        node
        for node, shown in ends.items()
        if (shown.get("node") == {frozenset({"established"})} or (somewhere and "node" not in shown))
        and "router" in shown
        and all(a <= DOWN for a in shown["router"])
    )
    if somewhere and any(a == frozenset({"established"}) for e in ends.values() for a in e.get("router", ())):
        return None  # it may be of the node whose session is up
    if not where:
        return None
    mine = {*where, ""} if somewhere else set(where)
    parts = [s for s in found if s.question.about in {("node",), ("router",)} and s.question.where in mine]
    sighting = Sighting(
        question=Question(KIND, where[0], ("both", *where[1:])),
        answers=frozenset({"out-of-step"}),
        origins=tuple(dict.fromkeys(o for s in parts for o in s.origins)),
        trust=min(s.trust for s in parts),
        says="; ".join(s.says for s in parts[:3]),
    )
    return sighting, parts


def _two_daemons(network: Network) -> Sighting | None:
    """A peer that refuses one daemon of a node at once while another daemon's session with it is up.

    A router keeps one session for each address of a neighbour (RFC 4271 section 6.8).
    """
    up = [
        f
        for f in network.observed
        if isinstance(f, BgpSession) and f.state == "Established" and f.device != "router" and f.peer
        if f.peer_type in {"global", "node specific"} or re.match(r"Global_|Node_", f.name)
    ]
    for fact in network.observed:
        if not isinstance(fact, LogEvent) or not re.match(r"metallb|kube-vip|cilium|kube-router", fact.program):
            continue
        fields = dict(fact.fields)
        refused = classify("", fields.get("error", "")) in {"rejected", "closed", "reset"}
        named = re.sub(r"\]?:179$", "", fields.get("peer", "").strip("[")).partition("(")[0]
        mine = [s for s in up if s.peer == named and (fact.device not in network.nodes or s.device == fact.device)]
        if refused and mine:
            return Sighting(
                question=Question(KIND, mine[0].device if mine[0].device in network.nodes else "", ("daemons",)),
                answers=frozenset({"one-of-two"}),
                origins=(fact.origin, mine[0].origin),
                trust=min(fact.trust, mine[0].trust),
                says=f"{fact.program} is refused by {named} and another daemon's session with it is Established",
            )
    return None


def _shown(network: Network) -> Iterable[Sighting]:
    settled = _settled(network)
    for fact in network.observed:
        if isinstance(fact, BgpSession) and (fact.peer in settled or (settled and fact.device == "router")):
            continue  # another router's session, or the list of one of several routers
        if isinstance(fact, Setting) and fact.subject.removeprefix("peer/") in settled:
            continue
        if isinstance(fact, BgpSession):
            yield from _session(network, fact)
        elif isinstance(fact, LogEvent) and fact.program not in {"felix", "confd"}:
            yield from _logged(network, fact)
        elif isinstance(fact, Setting) and re.fullmatch(_STATED, fact.attribute):
            yield from _stated(network, fact)
    yield from _absent(network)
    yield from _up_by_logs(network)


def _up_by_logs(network: Network) -> Iterable[Sighting]:
    """A speaker whose log says last that the session is up, where no list of its sessions is shown."""
    last: dict[tuple[str, str], LogEvent] = {}
    for fact in network.observed:
        if isinstance(fact, LogEvent) and re.fullmatch(r"(?:session|peer)-?(?:up|down)", fact.event, re.IGNORECASE):
            last[fact.device, dict(fact.fields).get("peer", "")] = fact
    listed = any(isinstance(f, BgpSession) and f.device != "router" and f.state for f in network.observed)
    for (device, peer), fact in last.items():
        if fact.event.lower().endswith("up") and device != "router" and not listed:
            node = device if device in network.nodes else ""
            says = f"{fact.program}: the session with {peer} came up, and stays"
            yield _sighting(node, "node", "established", fact, says)


def _settled(network: Network) -> frozenset[str]:
    """Peers of the nodes that are up while another one is not: the complaint is about the other one."""
    states: dict[str, set[bool]] = {}
    for fact in network.observed:
        if isinstance(fact, Setting) and fact.subject.startswith("peer/") and re.fullmatch(_STATED, fact.attribute):
            peer, state = fact.subject.removeprefix("peer/"), str(fact.value)
        elif isinstance(fact, BgpSession) and fact.device != "router" and "mesh" not in fact.peer_type:
            peer, state = fact.peer, fact.state
        else:
            continue
        if peer and network.owners.get(peer) not in network.nodes:
            states.setdefault(peer, set()).add(classify(state, "") == "established")
    up = frozenset(peer for peer, seen in states.items() if seen == {True})
    return up if len(up) < len(states) else frozenset()


def _logged(network: Network, fact: LogEvent) -> Iterable[Sighting]:
    """The errors that daemons write about their peers."""
    fields = dict(fact.fields)
    device = fact.device if fact.device in network.nodes else ""
    if fact.event == "not-running" and fact.program in {"bird", "calico-node"}:
        yield _sighting(device, "node", "not-running", fact, f"{fact.program} is not running")
        return
    error = fields.get("error", "")
    about_peer = "peer" in fields or "protocol" in fields or "peerASN" in fields
    if error and (about_peer or fact.event == "address-in-use") and (answer := classify("", error)):
        end = "router" if fact.device == "router" else "node"
        yield _sighting(device, end, answer, fact, f"{fact.program}: {fact.event} {error}"[:160])


def _stated(network: Network, fact: Setting) -> Iterable[Sighting]:
    """The state in a person's words; the peer that is named is the session's other end."""
    kind, _, name = fact.subject.partition("/")
    owner = network.owners.get(name, "")
    node = fact.subject if fact.subject in network.nodes else ""
    end = "router" if kind == "router" or (kind == "peer" and owner in network.nodes) else "node"
    if kind == "peer" and owner in network.nodes:
        node = owner
    text = str(fact.value).lower()
    says = f"{fact.subject}: session {fact.value}"
    answer = classify(str(fact.value), str(fact.value))
    if answer and not text.startswith(("not ", "never")):
        yield _sighting(node, end, answer, fact, says)
    elif re.match(r"not |never|down|fail|broken|lost", text):
        yield Sighting(
            question=Question(KIND, node, (end,)),
            answers=DOWN,
            origins=(fact.origin,),
            trust=fact.trust,
            says=says,
        )


def _session(network: Network, fact: BgpSession) -> Iterable[Sighting]:
    answer = classify(fact.state, fact.error)
    says = f"session with {fact.peer or fact.name}: {fact.state} {fact.error}".strip()
    if not answer and fact.state.startswith("Not ") and fact.device == "router":
        where, trust = network.owners.get(fact.peer, ""), fact.trust
        yield Sighting(
            question=Question(KIND, where, ("router",)), answers=DOWN, origins=(fact.origin,), trust=trust, says=says
        )
    if not answer:
        return
    if fact.device == "router":
        node = network.owners.get(fact.peer, "")
        yield _sighting(node, "router", answer, fact, says)
    elif "mesh" in fact.peer_type:
        yield _sighting(fact.device, "mesh", answer, fact, says, network.owners.get(fact.peer, ""))
    elif (owner := network.owners.get(fact.peer, "router")) == "router":
        yield _sighting(fact.device, "node", answer, fact, says)
    elif owner in network.nodes and not fact.device:
        yield _sighting(owner, "router", answer, fact, says)  # who lists nodes as neighbours is no node


def _absent(network: Network) -> Iterable[Sighting]:
    """Nodes that the router's whole list lacks; those behind route reflectors are not meant to be in it."""
    if network.seen("cluster", BEHIND_REFLECTOR):
        return
    listings = [f for f in network.observed if isinstance(f, BgpListing) and f.device == "router" and f.complete]
    listed = {
        network.owners.get(f.peer) for f in network.observed if isinstance(f, BgpSession) and f.device == "router"
    }
    known = {owner for owner in network.owners.values() if owner in network.nodes}
    lacking = [node for node in network.nodes if node not in listed and node in known] if listings else []
    for node in lacking:
        first = node == lacking[0]  # that a list is empty is one observation, and not one of each node
        answers = {"absent"} if listed else {"alone"} if first else {"absent", "alone"}
        yield Sighting(
            question=Question(KIND, node, ("router",)),
            answers=frozenset(answers),
            origins=(listings[0].origin,),
            trust=listings[0].trust,
            says="the router lists no session with it" if listed else "the router lists no session at all",
        )


def _sighting(
    node: str, end: str, answer: str, fact: BgpSession | LogEvent | Setting, says: str, peer: str = ""
) -> Sighting:
    return Sighting(
        question=Question(KIND, node, (end, peer) if peer else (end,)),
        answers=frozenset({answer}),
        origins=(fact.origin,),
        trust=fact.trust,
        says=says,
    )


def predict(world: World, question: Question) -> Distribution | None:
    """What that end shows; with an unknown node, any of them."""
    smear = 0.04  # other words for the same state
    if world.known("cluster", ANNOUNCER) and world.get("cluster", ANNOUNCER).endswith(("-l2", "-arp")):
        return None  # whatever sessions there are (a CNI's, say) have nothing to do with the service's addresses
    if question.about[0] == "daemons":
        nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
        chance = max([0.7 if world.get(node, SESSION_FAULT) == "two-speakers" else 0.004 for node in nodes])
        return {"one-of-two": chance, "each": 1 - chance}
    if question.about[0] == "both":
        named = [str(n) for n in (question.where, *question.about[1:])]
        nodes = [n for n in named if n in world.network.nodes] or list(world.network.nodes)
        chance = min([half_open(world, node) for node in nodes])  # a list: every node's leaf counts as read
        return {"out-of-step": chance, "in-step": 1 - chance}
    if question.about[0] == "node" and question.where in world.network.nodes and world.get(question.where, AGENT_DOWN):
        return {"not-running": 1.0}  # who does not run shows no state
    return mixed([(1 - smear, mixed((1.0, words) for words in _words(world, question))), (smear, BACKGROUND)])


def _words(world: World, question: Question) -> list[Distribution]:
    nodes = [question.where] if question.where in world.network.nodes else list(world.network.nodes)
    if question.about[0] != "mesh":
        if question.about[0] == "node":
            return [shown(world, node, at_router=False) for node in nodes]
        return [_listed(world, node) for node in nodes]
    others = [str(p) for p in question.about[1:]] or list(world.network.nodes)
    pairs = [(node, peer) for node in nodes for peer in others if node != peer]
    return [shown_of_mesh(world, node, peer) for node, peer in pairs] or [BACKGROUND]


def _listed(world: World, node: str) -> Distribution:
    """The router's end, with a neighbour that it lacks told apart by whether it has others."""
    found = dict(shown(world, node, at_router=True))
    absent = found.pop("absent", 0.0)
    alone = _ALONE_UNTOLD if world.get("router", NOBODY_ANNOUNCES) else _ALONE
    return {**found, "absent": absent * (1 - alone), "alone": absent * alone}


def offers(network: Network) -> Iterable[Offer]:
    """The router's list first: one command shows every node's session."""
    command = of_router(network, SESSIONS)
    for node in network.nodes:
        name = node.removeprefix("node/").strip("()")
        words = dict.fromkeys(DOWN, f"{name} in another state than Established")
        words |= {"established": f"{name} Established", "absent": f"no line for {name}", "alone": "no neighbour at all"}
        yield Offer(
            question=Question(KIND, node, ("router",)),
            where="router",
            command=command,
            cost=25,
            privilege="router",
            words=words,
        )
        where, own = _own_end(network, node)
        if own:
            yield Offer(
                question=Question(KIND, node, ("node",)),
                where=where,
                command=own,
                cost=40 if where == node else 20,
                privilege="exec",
                words={
                    "established": "Established",
                    "bad-peer-as": "Received: Bad peer AS",
                    "refused": "Socket: Connection refused",
                    "reset": "Socket: Connection reset by peer",
                    "connecting": "Connect, without an error",
                    "active": "Active, without an error",
                    "idle": "Idle",
                    "closed": "Connection closed",
                    "no-route": "Socket: No route to host",
                    "rejected": "Received: an error",
                    "shutdown": "Down or disabled",
                    "hold-timer": "Hold timer expired",
                    "bfd": "BFD session down",
                    "neighbor-lost": "Neighbor lost",
                    "flaps": "up and down by turns",
                    "not-running": "no BIRD to talk to",
                    "no-listening-socket": "Error: No listening socket",
                },
            )


def _own_end(network: Network, node: str) -> tuple[str, str]:
    """Where the node's end of the session is shown, and the command; "" where no output tells of it."""
    announcer = network.seen("cluster", ANNOUNCER)
    if announcer == "cilium-bgp":
        return KUBECTL, "cilium bgp peers"
    if announcer == "metallb-bgp":
        return node, in_speaker(network, node, "show bgp summary")
    calico = announcer == "calico-bgp" or (announcer is None and "calico" in network.stack)
    return node, in_calico_node(network, node, "show protocols all") if calico else ""


def means(world: World, question: Question) -> str:
    """Whether that session carries routes."""
    if question.about[0] == "daemons":
        return "two daemons of one node want the same session, and only one has it"
    name = question.where.removeprefix("node/") or "a node"
    other = "another node" if question.about[0] == "mesh" else "the router"
    if question.about[0] == "both":
        return "one end holds a session that the other end has not, or has no more"
    up = mixed((1.0, words) for words in _words(world, question)).get("established", 0.0)
    state = "up" if up > 0.9 else "down" if up < 0.5 else "not surely up"
    return f"the session between {name} and {other} is {state}"
