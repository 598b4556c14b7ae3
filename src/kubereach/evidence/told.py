"""What a person says they tried: connections and pings, from where, and what came of them.

A post's first sentence is often its only statement of the symptom: from the nodes it works, from outside it hangs. It
is read clause by clause, with the word lists of evidence.told_words, and trusted as prose is. What names no place
inside is the client's; what names no address is meant of the service itself, whose address the model knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubereach.evidence import told_capture
from kubereach.evidence import told_words as words
from kubereach.model.address import canonical_address
from kubereach.model.fact import NODES, SOME_POD, AnyFact, Outcome, ProbeKind, ProbeResult, Trust
from kubereach.model.origin import Origin

_ADDRESS = (
    r"(?<![A-Za-z0-9_.:/-])(?:https?://|tcp )?((?:\d{1,3}\.){3}\d{1,3})(?::(\d{1,5})| port (\d{1,5}))?"
    r"(?![A-Za-z0-9_/-]*\.\d)(?!/\d)"
)
_SENTENCE = r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)\s+|[。！？]|\n"
_ITEM = r"\s*(?:#{1,6}\s|[-*+>]\s|\d{1,2}[.)]\s)"
# Sections of a report form that speak of another state than the present one.
_OTHER_SECTION = r"expect|solution|workaround|feature|proposal|checklist|before you|soll|attendu|esperad|期待|期望"
# Lines of logs and configuration that a paste left without a fence.
_LOG = (
    r"^\s*[\[{<]?\d{4}[-/]\d\d|\blevel=|\bts=|^\s*[{\[\"']|\"\s*:\s*[\"{\[]|^[EWI]\d{4}\b|^\s*[\w.-]+:\s*\S*$"
    r"|\w=\S+ \w+="
)
_WIDEST = 600  # characters of a line, and of a sentence
_LONGEST = 40  # lines of a paragraph: more is no prose that anybody wrapped
_HOW = (
    (words.SOMETIMES, Outcome.INTERMITTENT),
    (words.REFUSED, Outcome.REFUSED),
    (words.UNREACHABLE, Outcome.UNREACHABLE),
    (words.RESETS, Outcome.RESETS),
    (words.SILENT, Outcome.TIMEOUT),
    (words.FAILS, Outcome.FAILED),
)
_SAYS = {NODES: "from inside the cluster", SOME_POD: "from a pod", "client": "from outside"}


class Told(Struct, frozen=True):
    """A test or capture that the lines from index `first` to `last` tell of, and how a report puts it."""

    first: int
    last: int
    fact: AnyFact
    says: str


class _Test(Struct, frozen=True):
    """A test that is told, before it is known whether the post agrees with itself."""

    first: int
    last: int
    fact: ProbeResult
    says: str


class _Clause(Struct, frozen=True):
    """One statement: where from ("" when it does not say), by what, and what came of it (None: not said)."""

    place: str
    probe: ProbeKind
    outcome: Outcome | None
    only: bool
    address: str = ""
    port: int | None = None


def told(lines: Iterable[tuple[int, str, Origin]]) -> tuple[Told, ...]:
    """The tests that lines of prose tell of; each line comes as (index, text, origin).

    Of two that contradict each other, neither is kept: a sentence about another service reads the same. So does a
    success from outside where nothing fails anywhere and no address is named: nobody asks for help about that.
    """
    found: list[_Test] = []
    captures: list[tuple[told_capture.Seen, Told]] = []
    for paragraph in _paragraphs(lines):
        place = ""
        for first, last, sentence in _sentences(paragraph):
            origin = Origin(paragraph[0][2].source, first + 1, last + 1)
            captures += _captures(first, last, origin, sentence)
            clauses = list(_clauses(sentence, place))
            tests = [clause for clause in clauses if clause.outcome is not None]
            place = tests[-1].place if tests else ""
            found += [_told(first, last, origin, clause) for clause in tests if clause.place in _SAYS]
    agreed = (Told(one.first, one.last, one.fact, one.says) for one in _agreed(found))
    return (*agreed, *_undisputed(captures))


def _captures(first: int, last: int, origin: Origin, sentence: str) -> Iterable[tuple[told_capture.Seen, Told]]:
    """What a sentence says that captures saw."""
    for part, place, before in _wire_parts(sentence):
        if words.ELSEWHEN.search(part) or words.WISH.search(part) or words.CONDITION.search(part):
            continue
        for seen in told_capture.captured(part, place, before):
            if fact := told_capture.fact_of(seen, origin):
                yield seen, Told(first, last, fact, told_capture.says(seen))


def _wire_parts(sentence: str) -> Iterator[tuple[str, str, str]]:
    """The parts of a sentence, each with its place and what the part before said of a capture.

    A part that names no place speaks of where the one before was; the first, of wherever the sentence names.
    """
    parts = [part for part in re.split(words.CONTRAST, sentence) if part and part.strip()]
    places = [NODES if words.ON_NODE.search(part) else _place(part) for part in parts]
    place = next((found for found in places if found), "")
    before = ""
    for part, found in zip(parts, places, strict=True):
        place = found or place
        yield part, place, before
        before = told_capture.subject_of(part, place, before)


def _undisputed(captures: list[tuple[told_capture.Seen, Told]]) -> Iterable[Told]:
    """One telling of each kind, where none says the opposite: of two services, or two moments."""
    first: dict[tuple[str, str], Told] = {}
    said: dict[tuple[str, str], set[bool]] = {}
    for seen, one in captures:
        first.setdefault((seen.what, seen.place), one)
        said.setdefault((seen.what, seen.place), set()).add(seen.there)
    return (first[kind] for kind in sorted(first) if len(said[kind]) == 1)


def _paragraphs(lines: Iterable[tuple[int, str, Origin]]) -> Iterator[list[tuple[int, str, Origin]]]:
    """Lines that follow each other, without the sections about what is expected or was solved."""
    current: list[tuple[int, str, Origin]] = []
    elsewhere = False
    for index, text, origin in lines:
        heading = re.match(r"\s*(?:#{1,6}\s|\*\*[^*]{1,80}\*\*:?\s*$)", text) is not None
        if heading:
            elsewhere = re.search(_OTHER_SECTION, text, re.IGNORECASE) is not None
        ends = heading or len(current) == _LONGEST or re.match(_ITEM, text)
        if current and (ends or current[-1][0] != index - 1):
            yield current
            current = []
        if not elsewhere and not re.search(_LOG, text[:_WIDEST]):
            current.append((index, text[:_WIDEST], origin))
            if heading:
                yield current
                current = []
    if current:
        yield current


def _sentences(paragraph: Sequence[tuple[int, str, Origin]]) -> Iterator[tuple[int, int, str]]:
    """Sentences with the index of their first and last line; a wrapped one goes over several lines."""
    text, starts = "", []
    for index, line, _ in paragraph:
        starts.append((len(text), index))
        bare = re.sub(rf"^{_ITEM}", " ", line).replace("`", "").replace("**", "").replace("_", " ")
        text += re.sub(r"(?<! ) {2,}", " ", bare) + " "
    at = 0
    for sentence in re.split(rf"({_SENTENCE})", text):
        start, at = at, at + len(sentence)
        if len(sentence.strip()) > 3:
            inside = [index for offset, index in starts if offset < at]
            before = [index for offset, index in starts if offset <= start + len(sentence) - len(sentence.lstrip())]
            yield before[-1], inside[-1], sentence[:_WIDEST]


def _clauses(sentence: str, before: str) -> Iterator[_Clause]:
    """The statements of a sentence; one that names no place is made where the one before was, at first `before`."""
    previous: _Clause | None = None
    place = before
    seen = {part for part, at, about in _wire_parts(sentence) if told_capture.subject_of(part, at, about)}
    for part in re.split(words.CONTRAST, sentence):
        if not part or part in seen or words.OTHER_ADDRESS.search(part):
            continue
        if words.CONDITION.search(part):
            return
        place = "" if place == _NOWHERE else place
        for fragment in re.split(r"(?<!\d),\s|，", part):
            clause = _clause(fragment, place)
            if words.ELSEWHEN.search(part):
                clause = replace(clause, outcome=None)
            elif clause.outcome is None and clause.place and previous is not None and _elliptic(fragment, previous):
                clause = _opposite(previous, clause.place)
            elif previous is not None and not words.CONNECTS.search(fragment) and clause.probe is ProbeKind.TCP:
                clause = replace(clause, probe=previous.probe)  # "I can ping it and get an answer"
            previous, place = clause, clause.place
            yield clause
            if clause.only and clause.place == NODES and clause.outcome is Outcome.REPLY:
                yield _opposite(clause, "client")


def _elliptic(part: str, previous: _Clause) -> bool:
    """Whether a clause says the opposite of the one before, of another place: "… but not from my laptop"."""
    if len(part.split()) > 8:
        return False
    pattern = words.NOT_SO if previous.outcome is Outcome.REPLY else words.NOW_IT_DOES
    return pattern.search(part) is not None


def _opposite(clause: _Clause, place: str) -> _Clause:
    if clause.outcome is None:
        return replace(clause, place=place)
    worked = clause.outcome is Outcome.REPLY
    return replace(clause, place=place, outcome=Outcome.FAILED if worked else Outcome.REPLY, only=False)


def _clause(part: str, before: str) -> _Clause:
    addresses = {match for match in re.findall(_ADDRESS, part) if canonical_address(match[0])}
    address, port = "", ""
    if len({match[0] for match in addresses}) == 1:
        address, *ports = max(addresses, key=lambda match: len(match[1] + match[2]))
        port = "".join(ports)
    place = _place(part) or before
    about = bool(address) or words.THING.search(part) is not None
    outcome = None if len({match[0] for match in addresses}) > 1 else _outcome(part, place, about=about)
    return _Clause(
        place=place or ("client" if outcome is not None else ""),
        probe=_probe(part),
        outcome=outcome,
        only=words.ONLY.search(part) is not None,
        address=address,
        port=int(port) if port and int(port) < 65536 else None,
    )


def _probe(part: str) -> ProbeKind:
    if words.ARP.search(part):
        return ProbeKind.ARP
    return ProbeKind.PING if words.PING.search(part) else ProbeKind.TCP


_NOWHERE = "?"


def _place(part: str) -> str:
    """Where the clause says that the test was made; "" when it says nothing, `_NOWHERE` when that is not understood."""
    outside = words.OUTSIDE.search(part) is not None
    inside = words.INSIDE.search(words.ITS_PLACE.sub(" ", words.OUTSIDE.sub(" ", part))) is not None
    if outside:
        return _NOWHERE if inside else "client"
    if inside:
        return NODES
    if words.ROUTER.search(part):
        return "router"
    if words.POD.search(part):
        return SOME_POD
    return _NOWHERE if words.SOMEWHERE.search(part) else ""


def _outcome(part: str, place: str, *, about: bool) -> Outcome | None:
    """What came of it; None when the clause does not say, or does not say it of the service."""
    if not place and not about and not words.ARP.search(part):
        return None
    if words.ARP.search(part):
        failed = words.FAILS.search(part) is not None or words.NO_ARP.search(part) is not None
        return Outcome.TIMEOUT if failed else Outcome.REPLY if words.ANSWERED.search(part) and place else None
    for pattern, outcome in _HOW:
        if pattern.search(part):
            return outcome
    worked = words.WORKS.search(part)
    if not place or worked is None or words.WISH.search(part):
        return None
    if words.NOT_SO.search(part) is None:
        return Outcome.REPLY
    return Outcome.FAILED if words.NOT_SO.search(part[: worked.start()]) else None  # "it doesn't seem to work"


def _told(first: int, last: int, origin: Origin, clause: _Clause) -> _Test:
    outcome = clause.outcome or Outcome.FAILED
    fact = ProbeResult(
        origin=origin,
        trust=Trust.MENTIONED,
        probe=clause.probe,
        source=clause.place,
        target=clause.address,
        port=clause.port,
        outcome=outcome,
    )
    what = f"{clause.probe.value} to {clause.address or 'the service'}" + (f":{clause.port}" if clause.port else "")
    return _Test(first, last, fact, f"{_SAYS[clause.place]}, {what}: {outcome.value}")


_GOOD = frozenset({Outcome.REPLY})


def _agreed(found: list[_Test]) -> tuple[_Test, ...]:
    """One for each place, probe and target: the most exact one where all agree whether it works."""
    kept: list[_Test] = []
    for key in dict.fromkeys(_key(one) for one in found):
        group = [one for one in found if _key(one) == key]
        if len({one.fact.outcome in _GOOD for one in group}) > 1:
            continue
        exact = [one for one in group if one.fact.outcome is not Outcome.FAILED]
        differ = len({one.fact.outcome for one in exact}) > 1
        general = [one for one in group if one.fact.outcome is Outcome.FAILED]
        if differ and not general:
            continue
        kept.append((general if differ else exact or general)[0])
    failed = any(one.fact.outcome not in _GOOD for one in kept if one.fact.probe is ProbeKind.TCP)
    return tuple(one for one in kept if failed or not _fine_outside(one.fact))


def _fine_outside(fact: ProbeResult) -> bool:
    return fact.probe is ProbeKind.TCP and fact.source == "client" and fact.outcome in _GOOD and not fact.target


def _key(one: _Test) -> tuple[str, ProbeKind, str]:
    return one.fact.source, one.fact.probe, one.fact.target
