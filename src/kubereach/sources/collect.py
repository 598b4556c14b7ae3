"""What to run where: every reader's passive Asks at the places that an executor knows, and the answer to one question.

The outputs become documents named `COMMAND.HOST.txt` with the command in their first line, as in a bundle that somebody
saved by hand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from kubereach.evidence.catalogue import formats
from kubereach.evidence.document import Document
from kubereach.sources.executor import PATIENCE, Executor, Output
from kubereach.sources.limits import Skipped

CLUSTER, CLIENT, ROUTER = "cluster", "client", "router"
AT_ONCE = 4  # commands that run side by side
# Programs that put packets of their own on the wire: they are asked one by one, not collected.
_ACTIVE = frozenset({"arping", "curl", "dig", "mtr", "nc", "nmap", "ping", "tcpdump", "traceroute"})
# Formats that another one's command gives as well.
_REPEATED = frozenset({"ip_json", "route_table"})
# What a host that is no node is asked of what nodes are asked: a client may not be root.
_OF_A_CLIENT = ("ip addr", "ip route", "ip neigh", "ip rule", "ip route get ADDRESS")
_EVERYWHERE = ("ip neigh",)
_NO_SUCH_KIND = "the server doesn't have a resource type"
# The commands of routers that speak another language, for a question in FRR's.
_BIRD = (
    (r"vtysh -c 'show bgp summary'", "birdc show protocols all"),
    (r"vtysh -c 'show ip route (\S+)'", r"birdc show route for \1 all"),
    (r"vtysh -c 'show bgp ipv4 unicast'", "birdc show route all"),
)


class Flow(Struct, frozen=True, kw_only=True):
    """What is asked for: a service, its address and port."""

    namespace: str
    service: str
    address: str
    port: int

    def fill(self, command: str) -> str:
        """`command` with the flow's names in place of its placeholders."""
        command = re.sub(r"\bsvc NAME\b", f"svc -n {self.namespace} {self.service}", command)
        return command.replace("ADDRESS", self.address).replace("PORT", str(self.port))


class Collected(Struct, frozen=True):
    """The documents, and what was not to be had, each with the reason."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...] = ()


def collect(executor: Executor, flow: Flow) -> Collected:
    """The client's own try, and then everything passive that a reader reads, from every place."""
    tried = [complain(executor, flow)] if CLIENT in executor.places else []
    wanted = list(_wanted(executor, flow))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outputs = [*tried, *pool.map(lambda ask: executor.run(*ask), wanted)]
    documents: dict[str, Document] = {}
    skipped = []
    for output in outputs:
        if reason := _why_not(output):
            skipped.append(Skipped(name_of(output), reason))
        else:
            documents.setdefault(name_of(output), document(output))
    return Collected(tuple(documents.values()), tuple(skipped))


def complain(executor: Executor, flow: Flow) -> Output:
    """What the client gets."""
    return executor.run(CLIENT, flow.fill("curl -sv -m 5 -o /dev/null http://ADDRESS:PORT/"))


def _why_not(output: Output) -> str:
    """Why an output is no evidence, "" when it is."""
    if output.refused:
        return f"not run: {output.refused}"
    if not output.there:
        return "there is no such program"
    if output.status and not output.text.strip():
        return f"it printed nothing and ended with {output.status}"
    return _NO_SUCH_KIND if _NO_SUCH_KIND in output.text and output.status else ""


def _wanted(executor: Executor, flow: Flow) -> Iterator[tuple[str, str]]:
    """(place, command) of every passive Ask that can be filled in, each once."""
    asks = [a for entry in formats() if entry.name not in _REPEATED for a in entry.asks if _passive(a.command)]
    agents = agent_pods(executor)
    for place in executor.places:
        kind = place.partition("/")[0]
        for ask in asks:
            for_kind = ask.where == kind
            if kind == ROUTER:  # a router may be a Linux host as well
                for_kind |= ask.where == "node" or ask.command in _EVERYWHERE
            elif kind == "node":
                for_kind |= ask.command in _EVERYWHERE
            elif kind == CLIENT:
                for_kind = ask.command in _OF_A_CLIENT
            if for_kind:
                yield from ((place, command) for command in _filled(ask.command, flow, agents))


def _passive(command: str) -> bool:
    words = [word for word in command.split() if word != "sudo"]
    return words[0] not in _ACTIVE


def _filled(command: str, flow: Flow, agents: Sequence[AgentPod]) -> Iterator[str]:
    """The command for each of what its placeholders stand for; none when one is not known."""
    filled = flow.fill(command)
    if re.search(r"\bNODE\b(?!-)", filled):
        for node in dict.fromkeys(pod.node for pod in agents):
            yield re.sub(r"\bNODE\b(?!-)", node, filled)
    elif re.search(r"\bNODE-POD\b|\bNAME\b", filled) and "kubectl" in filled:
        for pod in agents:
            if f"-n {pod.namespace} " in filled and f"-c {pod.container}" in filled:
                yield re.sub(r"\bNODE-POD\b|\bNAME\b", pod.name, filled)
    elif not re.search(r"\b(?:NAME|Global_ADDRESS)\b", filled):
        yield filled


class AgentPod(Struct, frozen=True):
    """A pod of an announcing agent."""

    namespace: str
    name: str
    node: str

    @property
    def container(self) -> str:
        """The container that speaks BGP."""
        return "frr" if self.namespace == "metallb-system" else "calico-node"


_AGENTS = re.compile(r"(?:calico-node|(?:metallb-)?speaker)-[a-z0-9]{5}")


def agent_pods(executor: Executor) -> tuple[AgentPod, ...]:
    """The announcing agents' pods with their nodes, where the cluster can be asked."""
    if CLUSTER not in executor.places:
        return ()
    columns = "NS:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName"
    listed = executor.run(CLUSTER, f"kubectl get pods -A -o custom-columns={columns}").text
    rows = [line.split() for line in listed.splitlines()]
    return tuple(AgentPod(*row) for row in rows if len(row) == 3 and _AGENTS.fullmatch(row[1]))


def answer(executor: Executor, flow: Flow, where: str, command: str) -> tuple[Document, ...]:
    """What comes out when somebody does what a question asks; () where that cannot be done here.

    `where` and `command` are those of `next_probes`: a comment behind `#` says when to run it, `;` separates commands,
    and what only filters for the eye (`| grep …`) is left out.
    """
    text, _, comment = command.partition(" #")
    outputs = []
    for part in text.split(";"):
        part = re.sub(r"\s*\|\s*(?:grep|head|tail|less)\b.*", "", part).strip()
        found = _one(executor, flow, where, part, comment) if part else []
        if not found:
            return ()
        outputs += found
    merged: dict[str, list[Output]] = {}
    for output in outputs:
        merged.setdefault(name_of(output), []).append(output)
    return tuple(Document(name, b"".join(document(o).data for o in group)) for name, group in merged.items())


def _one(executor: Executor, flow: Flow, where: str, command: str, comment: str) -> list[Output]:
    place = CLUSTER if command.startswith("kubectl ") or where.endswith("kubectl") else where
    filled = _with_pod(executor, flow.fill(command), where)
    if not filled or re.search(r"\b(?:POD|PEER|NAMESPACE|NAME|NODE)\b", filled):
        return []
    outputs = _ask(executor, flow, place, filled, comment)
    if any(not output.there or output.status for output in outputs) and "your router's own command" in comment:
        for pattern, other in _BIRD:
            if found := re.fullmatch(pattern, filled):
                outputs = _ask(executor, flow, place, found.expand(other), comment)
    return [] if any(_why_not(output) for output in outputs) else outputs


def _ask(executor: Executor, flow: Flow, place: str, command: str, comment: str) -> list[Output]:
    """Run it when the comment says: once, while the client tries, or before and after a try."""

    def client_tries() -> None:
        complain(executor, flow)

    if re.match(r"(?:sudo )?tcpdump\b", command):
        return [executor.during(place, command, client_tries)]
    if "before and after" in comment:
        before = executor.run(place, command)
        client_tries()
        return [before, executor.run(place, command)]
    if "while the client tries" in comment:
        with ThreadPoolExecutor(1) as pool:
            trying = pool.submit(client_tries)
            output = executor.run(place, command)
            trying.result(PATIENCE)
            # A try that failed is still in the tables; one that has not begun was not there yet.
            return [executor.run(place, command) if not output.text.strip() else output]
    return [executor.run(place, command)]


def _with_pod(executor: Executor, command: str, where: str) -> str:
    """The command with the pod of the node that it asks for, and the peer as BIRD there names it."""
    if not re.match(r"kubectl .*\bexec\b", command):
        return command
    node = where.removeprefix("node/")
    namespace = re.search(r"-n (\S+)", command)
    pods = [p for p in agent_pods(executor) if p.node == node and namespace and p.namespace == namespace[1]]
    if not pods:
        return command if "/" in command.split(" exec ", 1)[1].split()[0] else ""
    command = re.sub(r"(?<= exec )(?:ds/\S+|POD)", pods[0].name, command)
    if re.search(r"\bPEER\b", command):
        head = command.partition(" -- ")[0]
        listed = executor.run(CLUSTER, f"{head} -- birdcl show protocols").text
        peer = re.search(r"^((?:Global|Node)_\S+) +BGP ", listed, re.MULTILINE)
        command = re.sub(r"\bPEER\b", peer[1] if peer else "PEER", command)
    return command


def name_of(output: Output) -> str:
    """`COMMAND.HOST.txt`: the innermost command in words and dashes, and the host it ran on."""
    words = output.command.removeprefix("sudo ")
    if words.startswith("vtysh -c "):
        words = "vtysh " + " ".join(shlex.split(words)[2::2])
    slug = re.sub(r"[^\w.]+", "-", words).strip("-.")[:100]
    host = output.where.rpartition("/")[2]
    return f"{slug}.txt" if output.where == CLUSTER else f"{slug}.{host}.txt"


def document(output: Output) -> Document:
    """An output as a document: the command behind a prompt, and what it printed."""
    end = "" if output.text.endswith("\n") or not output.text else "\n"
    return Document(name_of(output), f"$ {output.command}\n{output.text}{end}".encode())
