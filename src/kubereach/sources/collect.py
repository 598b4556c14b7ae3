"""What to run where: every reader's passive Asks at the places that an executor knows, and the answer to one question.

The outputs become documents named `COMMAND.HOST.txt` with the command in their first line, as in a bundle that somebody
saved by hand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from kubereach.evidence.catalogue import formats
from kubereach.evidence.document import Document
from kubereach.sources.agents import AgentPod, agent_pods, peer_of
from kubereach.sources.executor import PATIENCE, Executor, Output
from kubereach.sources.limits import Skipped

CLUSTER, CLIENT, ROUTER = "cluster", "client", "router"
AT_ONCE = 4  # commands that run side by side
# Programs that put packets of their own on the wire: they are asked one by one, not collected.
_ACTIVE = frozenset({"arping", "curl", "dig", "mtr", "nc", "nmap", "ping", "tcpdump", "traceroute"})
# Commands that another one's output repeats, and those that no shell has.
_REPEATED = re.compile(
    r"ip -j|netstat|route\b|kubectl (?:-n \S+ )?describe (?!svc)|kubectl get (?:svc|endpointslices|nodes) (?!.*yaml)"
)
_VENDORS = re.compile(r"/|show\b|display\b")
# What any user may ask of a client, and what is asked of nodes and routers besides their own Asks.
_OF_A_CLIENT = frozenset({"ip addr", "ip route", "ip neigh", "ip rule", "ip route get ADDRESS"})
_EVERYWHERE = frozenset({"ip neigh"})
_OPEN = re.compile(r"\b(?:POD|NODE-POD|PEER|NAMESPACE|NAME|NODE)\b")  # placeholders of Asks and questions
# The commands of a router that runs BIRD, for a question in FRR's.
_BIRD = (
    (r"vtysh -c 'show bgp summary'", "birdc show protocols all"),
    (r"vtysh -c 'show ip route (\S+)'", r"birdc show route for \1 all"),
)


class Flow(Struct, frozen=True, kw_only=True):
    """What is asked for: a service, its address and port; `on_segment` is a place on the nodes' own segment."""

    namespace: str
    service: str
    address: str
    port: int
    on_segment: str = ""

    def fill(self, command: str) -> str:
        """`command` with the flow's names in place of its placeholders."""
        command = re.sub(r"\bsvc NAME\b", f"svc -n {self.namespace} {self.service}", command)
        return re.sub(r"\bADDRESS\b", self.address, re.sub(r"\bPORT\b", str(self.port), command))


class Collected(Struct, frozen=True):
    """The documents, and what was not to be had, each with the reason."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...] = ()


class _Errand(Struct, frozen=True):
    """A command to run at a place; `host` is the one that it shows, where that is another."""

    place: str
    command: str
    host: str = ""

    def run(self, executor: Executor) -> Output:
        return executor.run(self.place, self.command)

    def during(self, executor: Executor, action: Callable[[], object]) -> Output:
        return executor.during(self.place, self.command, action)

    @property
    def name(self) -> str:
        """`COMMAND.HOST.txt`: the innermost command in words and dashes, and the host that it shows."""
        words = self.command.removeprefix("sudo ")
        if self.host:
            words = words.partition(" -- ")[2] or words
        if words.startswith("vtysh -c "):
            words = "vtysh " + " ".join(shlex.split(words)[2::2])
        slug = re.sub(r"[^\w.]+", "-", words).strip("-.")[:100]
        # Another client than the flow's is just some host: its name would make it one of the network's.
        host = self.host or ("" if self.place.startswith(f"{CLIENT}/") else self.place.rpartition("/")[2])
        return f"{slug}.txt" if host in {"", CLUSTER} else f"{slug}.{host}.txt"

    def document(self, *outputs: Output) -> Document:
        """The outputs as a document: each behind a prompt with its command."""
        texts = (o.text if o.text.endswith("\n") or not o.text else f"{o.text}\n" for o in outputs)
        return Document(self.name, "".join(f"$ {self.command}\n{text}" for text in texts).encode())


def collect(executor: Executor, flow: Flow) -> Collected:
    """The client's own try, and then everything passive that a reader reads, from every place."""
    errands = list(_errands(executor, flow))
    tried = [(_try(flow), complain(executor, flow))] if CLIENT in executor.places else []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outputs = pool.map(lambda errand: errand.run(executor), errands)
        results = [*tried, *zip(errands, outputs, strict=True)]
    documents: dict[str, Document] = {}
    skipped = []
    for errand, output in results:
        if reason := _why_not(output):
            skipped.append(Skipped(errand.name, reason))
        else:
            documents.setdefault(errand.name, errand.document(output))
    return Collected(tuple(documents.values()), tuple(skipped))


def _try(flow: Flow) -> _Errand:
    return _Errand(CLIENT, flow.fill("curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/"))


def complain(executor: Executor, flow: Flow) -> Output:
    """What the client gets."""
    return _try(flow).run(executor)


def _why_not(output: Output) -> str:
    """Why an output is no evidence, "" when it is."""
    if output.refused:
        return f"not run: {output.refused}"
    if not output.there:
        return "there is no such program"
    if output.status and not output.text.strip():
        return f"it printed nothing and ended with {output.status}"
    # What kubectl says of itself; what a command inside a pod says is evidence.
    failed = re.match(r"(?:error|Error from server|Unable to connect to the server|The connection to)\b.*", output.text)
    return failed[0] if failed and output.status and output.command.startswith("kubectl") else ""


def _errands(executor: Executor, flow: Flow) -> Iterator[_Errand]:
    """Every passive Ask that can be filled in, at every place that it is for."""
    asks = [ask for entry in formats() for ask in entry.asks if _passive(ask.command)]
    pods = agent_pods(executor) if CLUSTER in executor.places else ()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        peers = dict(zip(pods, pool.map(lambda pod: peer_of(executor, pod), pods), strict=True))
    for place in executor.places:
        kind, _, name = place.partition("/")
        for ask in asks:
            if kind == CLIENT:  # another client's routes are not this flow's
                wanted = not name and ask.command in _OF_A_CLIENT
            elif kind in {"node", ROUTER}:  # a router may be a Linux host like a node
                wanted = ask.where in {kind, "node"} or ask.command in _EVERYWHERE
            else:
                wanted = ask.where == kind
            if wanted:
                yield from _filled(flow, place, ask.command, peers)


def _passive(command: str) -> bool:
    program = next(word for word in command.split() if word != "sudo")
    return program not in _ACTIVE and not _VENDORS.match(program) and not _REPEATED.match(command)


def _filled(flow: Flow, place: str, command: str, peers: Mapping[AgentPod, str]) -> Iterator[_Errand]:
    """The command for each of what its placeholders stand for; none when one of them is not known.

    `peers` are the agents' pods, with their session outside the mesh ("" for none).
    """
    filled = flow.fill(command)
    if not re.search(r"\b(?:NODE-POD|NAME)\b", filled):
        if not _OPEN.search(filled):
            yield _Errand(place, filled)
        return
    for pod, peer in peers.items():
        if f"-n {pod.namespace} " in filled and f"-c {pod.container}" in filled:
            own = re.sub(r"\bPEER\b", peer or "PEER", re.sub(r"\b(?:NODE-POD|NAME)\b", pod.name, filled))
            if not _OPEN.search(own):
                yield _Errand(place, own, pod.node if " -- " in own else "")


def answer(executor: Executor, flow: Flow, where: str, command: str) -> tuple[Document, ...]:
    """What comes out when somebody does what a question asks; () where that cannot be done here.

    `where` and `command` are those of `next_probes`: a comment behind `#` says when to run it, `;` separates commands,
    and what only filters for the eye (`| grep …`) is left out.
    """
    text, _, comment = command.partition(" #")
    documents: dict[str, Document] = {}
    for part in text.split(";"):
        part = re.sub(r"\s*\|\s*(?:grep|head|tail|less)\b.*", "", part).strip()
        found = _answer(executor, flow, where, part, comment) if part else None
        if found is None:
            return ()
        documents[found.name] = found
    return tuple(documents.values())


def _answer(executor: Executor, flow: Flow, where: str, command: str, comment: str) -> Document | None:
    place = flow.on_segment if "on the nodes' segment" in comment else where
    errand = _errand(executor, flow.fill(command), place) if place else None
    if errand is None or _OPEN.search(errand.command):
        return None
    outputs = _ask(executor, flow, errand, comment)
    if any(_why_not(output) or output.status for output in outputs) and "your router's own command" in comment:
        for pattern, other in _BIRD:
            if found := re.fullmatch(pattern, errand.command):
                errand = _Errand(errand.place, found.expand(other))
                outputs = _ask(executor, flow, errand, comment)
    return None if any(_why_not(output) for output in outputs) else errand.document(*outputs)


def _errand(executor: Executor, command: str, where: str) -> _Errand | None:
    """Where a question's command is run: kubectl's in the cluster, into the pod of the node that is asked."""
    if not command.startswith("kubectl ") and not where.endswith("kubectl"):
        return _Errand(where, command)
    found = re.search(r"-n (\S+).* exec (\S+)", command)
    if found is None:
        return _Errand(CLUSTER, command)
    node = where.removeprefix("node/")
    pod = next((p for p in agent_pods(executor) if (p.node, p.namespace) == (node, found[1])), None)
    if pod is None:
        return None
    own = command.replace(f" exec {found[2]}", f" exec {pod.name}", 1)
    if re.search(r"\bPEER\b", own):
        own = re.sub(r"\bPEER\b", peer_of(executor, pod) or "PEER", own)
    return _Errand(CLUSTER, own, node)


def _ask(executor: Executor, flow: Flow, errand: _Errand, comment: str) -> list[Output]:
    """Run it when the comment says: once, while the client tries, or before and after a try."""

    def client_tries() -> None:
        complain(executor, flow)

    if re.match(r"(?:sudo )?tcpdump\b", errand.command):
        return [errand.during(executor, client_tries)]
    if "before and after" in comment:
        before = errand.run(executor)
        client_tries()
        return [before, errand.run(executor)]
    if "while the client tries" in comment:
        with ThreadPoolExecutor(1) as pool:
            trying = pool.submit(client_tries)
            output = errand.run(executor)
            trying.result(PATIENCE)
        # A try that failed is still in the tables; one that had not begun was not there yet.
        return [output if _shows(output) else errand.run(executor)]
    return [errand.run(executor)]


def _shows(output: Output) -> bool:
    """Whether an output is more than a summary that says nothing was there."""
    return any(line.strip() and " 0 flow entries" not in line for line in output.text.splitlines())
