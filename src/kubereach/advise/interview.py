"""A diagnosis in questions and answers: what to ask next, an answer as a document, and what it changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from kubereach.advise.collect import KUBECTL, Item, remaining
from kubereach.evidence import cutting, prompt
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.evidence.shell import innermost
from kubereach.model.diagnosis import Diagnosis, Role, Verdict

CLEAR = 0.9  # a cause of this probability needs no further question
MUCH = 0.5  # bits that make a question worth a login before anything else
SERVICE = "kubectl get service"
NODES = "kubectl get nodes -o wide"
NOTICEABLE = 0.005  # a probability that moved by less did not move


# What RouterOS alone prints above a listing, or in it.
_ROUTEROS = rb"(?m)^(?:Flags: |Columns: )|\bremote[.-]address=|\bdst-address="


class Answer(Struct, frozen=True):
    """A pasted answer: the document that it became, how many facts it holds, and how many lines nobody understood."""

    document: Document
    facts: int
    unread: int


class Move(Struct, frozen=True):
    """A leading cause before and after an answer; 0.0 where it is none. `code` is "" for the residual."""

    code: str
    summary: str
    before: float
    after: float


def is_clear(diagnosis: Diagnosis) -> bool:
    """Whether one cause stands out so far that asking on is idle, or nothing is wrong at all."""
    found = leading(diagnosis)
    return max(found.values(), default=0.0) >= CLEAR if found else diagnosis.verdict is Verdict.REACHABLE


def leading(diagnosis: Diagnosis) -> dict[tuple[str, str], float]:
    """The roots and misreads: (code, subject) → probability."""
    leads = {Role.ROOT, Role.MISREAD}
    return {(c.code, c.subject): c.probability for c in diagnosis.causes if c.role in leads}


def next_item(diagnosis: Diagnosis, done: Collection[Item], skipped: Collection[Item] = ()) -> Item | None:
    """The best question that is not among `done`, or None.

    The diagnosis's own order, but that what was not collected at all and needs no special right comes before what needs
    a login or root and is not sure to tell much: its worth cannot be computed while nothing is known of it, and it
    costs little. Whoever had to skip a question can hardly answer others that need the same access: those come last.
    """
    told = {spelling for item in done for spelling in _told(item)}
    items = [item for item in remaining(diagnosis) if not told & _told(item)]
    asked = {probe.command: probe.gain_bits for probe in diagnosis.next_probes}
    out_of_reach = {_access(item) for item in skipped}
    within = [item for item in items if _access(item) not in out_of_reach]
    cheap = [i for i in within if i.where == KUBECTL and i.privilege == "none" and i.command not in asked]
    best = within[0] if within else None
    if diagnosis.target.service is None and (service := next((i for i in within if SERVICE in i.command), None)):
        return service  # what nobody has named yet can hardly be asked about
    names = next((item for item in within if item.command == NODES), None)
    nameless = any(NODES in line for line in diagnosis.missing) and best and re.match(r"node/[\d.:a-f]+$", best.where)
    if names and nameless:
        return names  # somebody must know which of the named nodes that is
    if best and best.privilege in {"root", "router"} and cheap and asked.get(best.command, 0.0) < MUCH:
        return cheap[0]
    return next(iter((*within, *items)), None)


def _told(item: Item) -> set[tuple[str, str]]:
    """The place and every spelling of the command: another one of the same is the same question."""
    return {(item.where, spelling) for spelling in _spellings(item.command)}


def _access(item: Item) -> tuple[str, str]:
    """What a question needs: a login on some host, with a right. Kubectl without a right is nobody's hindrance."""
    if item.where == KUBECTL and item.privilege == "none":
        return item.where, item.command
    return item.where, item.privilege


def as_document(name: str, item: Item, pasted: bytes) -> Answer:
    """The answer to `item` as a document, below the command that it answers, so that its reader is found.

    A command that was pasted along stands as it is, unless it is the very one that was asked for: then it says less of
    the place than the question did. Where none fits, the text speaks for itself.
    """
    text = pasted.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = [_judged(Document(name, candidate)) for candidate in dict.fromkeys(_candidates(item, text))]
    return next((answer for answer in found if answer.facts), found[-1])


def moves(before: Diagnosis, after: Diagnosis) -> tuple[Move, ...]:
    """The leading causes whose probability moved, the likeliest after the answer first."""
    was, now = leading(before), leading(after)
    said = {(c.code, c.subject): c.summary for c in (*before.causes, *after.causes)}
    found = [Move(key[0], said[key], was.get(key, 0.0), now.get(key, 0.0)) for key in said if key in was or key in now]
    found.append(Move("", "something that kubereach does not know", before.residual, after.residual))
    moved = [move for move in found if abs(move.after - move.before) >= NOTICEABLE]
    return tuple(sorted(moved, key=lambda m: (-m.after, -m.before, m.code, m.summary)))


def _judged(document: Document) -> Answer:
    evidence = read_evidence((document,))
    unread = sum(max(p.origin.last - p.origin.first + 1, 1) for p in evidence.unread)
    return Answer(document, len(evidence.facts), unread)


def _candidates(item: Item, text: bytes) -> Iterator[bytes]:
    head, _, rest = text.lstrip(b"\n").partition(b"\n")
    typed = head.decode("utf-8", "replace")
    if cutting.is_command(typed):
        same = _same(typed, item.command)
        if not same or _names_host(typed, item):
            yield text
        text = rest if same else text
    menus = item.where == "router" and re.search(_ROUTEROS, text) is not None
    for command in sorted(_spellings(item.command), key=lambda c: c.startswith("/") is not menus):
        yield f"{_prompt(item.where, command)}\n".encode() + text
    yield text


def _spellings(command: str) -> Iterator[str]:
    """The command without its comment, then what the comment names in its place (`# MikroTik: …; Cisco: …`)."""
    plain, _, comment = command.partition("   # ")
    yield plain.strip()
    for found in re.finditer(r": ((?:/|show |vtysh |birdc )[^;]+)", comment):
        yield found[1].strip()


def _same(typed: str, command: str) -> bool:
    wanted = innermost(command.partition("   # ")[0]).command
    return innermost(re.sub(r"^[^#$>%]{0,80}[#$>%]\s*", "", typed)).command == wanted or typed.strip().endswith(wanted)


def _names_host(typed: str, item: Item) -> bool:
    """Whether the prompt says where it ran; where kubectl runs says nothing of the node that it asks."""
    found = prompt.parse(typed)
    return found is not None and bool(found.host) and not item.command.startswith("kubectl")


def _prompt(where: str, command: str) -> str:
    """A prompt line as it would stand on that host. What runs in a node's pod is said of the node."""
    kind, _, name = where.partition("/")
    if kind == "node" and re.fullmatch(r"[A-Za-z0-9][\w.-]{0,80}", name):
        return f"root@{name}:~# {innermost(command).command or command}"
    if kind == "router":
        if command.startswith("/"):
            return f"[admin@router] > {command}"
        return f"router# {command}" if command.startswith("show ") else f"root@router:~# {command}"
    return f"user@client:~$ {command}" if kind == "client" else f"$ {command}"
