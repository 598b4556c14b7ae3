"""Documents to evidence: cut, read by command, recognise what is left, and account for every line.

The central mechanism: a command's output goes to the readers that know the command; what they leave goes to the
readers that know a line of it by its look; what nobody reads is prose, and listed as unread but for the tokens that
need no language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum

from msgspec import Struct

from kubereach.evidence import cutting, filenames, prompt, prose, shell, sniff
from kubereach.evidence.capture import Capture
from kubereach.evidence.decoding import lines_of
from kubereach.evidence.document import Document
from kubereach.evidence.pcap import is_pcap, lines_of_pcap
from kubereach.evidence.told import told as tellings
from kubereach.model.fact import AnyFact
from kubereach.model.origin import Origin

_SHOWN = 300  # characters of an unread passage that are carried along
_MANY_PASSAGES = 500  # unread passages of one document; more is noise
_WINDOW = 32  # lines that a reader is first offered on recognition
_IMAGE = (
    r"!\[[^\]]{0,200}\]\([^)]{0,500}\)|<img\b|\S\.(?:png|jpe?g|gif|webp|bmp|heic)\)?$|\[image[:\]]"
    r"|(?:enter )?image description here|ここに画像の説明を入力してください|在此处输入图片描述|在这里输入图像描述"
    r"|introduce? (?:la )?descripción de (?:la )?imagen|Geben Sie hier die Bildbeschreibung ein|"
    r"entrez la description de l'image ici|введите описание изображения|여기에 이미지 설명|insira a descrição da imagem"
)
_IMAGE_BYTES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


class LineState(IntEnum):
    """What became of a line."""

    UNREAD = 0
    BLANK = 1
    READ = 2  # output that a reader read
    COMMAND = 3  # a command or an empty prompt
    UNDERSTOOD = 4  # prose with a token that was taken
    MARK = 5  # a code fence


class Passage(Struct, frozen=True):
    """A place in the input, with its text (the beginning of it) or what was understood there."""

    origin: Origin
    text: str


class Evidence(Struct, frozen=True):
    """Everything that was found in the input, and everything that was not understood.

    `captures` are the outputs that readers read, `understood` what was taken from prose, `unread` the rest, and
    `wanted` asks for what the input only points at: pictures, and commands without their output.
    """

    facts: tuple[AnyFact, ...] = ()
    captures: tuple[Capture, ...] = ()
    unread: tuple[Passage, ...] = ()
    understood: tuple[Passage, ...] = ()
    wanted: tuple[str, ...] = ()


def read_evidence(documents: Sequence[Document]) -> Evidence:
    """What `documents` say. Never raises on any input; empty or unreadable documents yield empty evidence."""
    facts: list[AnyFact] = []
    captures: list[Capture] = []
    unread: list[Passage] = []
    understood: list[Passage] = []
    wants: list[tuple[str, str]] = []
    for document in documents:  # one at a time: the lines of a large one are let go before the next
        part = _DocumentReader(document).run()
        facts += part.facts
        captures += part.captures
        unread += part.unread()
        understood += part.understood
        wants += part.wants
    shown = {capture.command for capture in captures if capture.command}
    return Evidence(
        facts=tuple(facts),
        captures=tuple(captures),
        unread=tuple(unread),
        understood=tuple(understood),
        wanted=tuple(dict.fromkeys(text for command, text in wants if command not in shown)),
    )


def account(document: Document) -> tuple[LineState, ...]:
    """What became of each line of `document`."""
    return tuple(_DocumentReader(document).run().states)


class _DocumentReader:
    """One pass over one document; the attributes collect its evidence."""

    def __init__(self, document: Document) -> None:
        self.source = document.name
        self.image = document.data.startswith(_IMAGE_BYTES) and b"\0" in document.data[:4096]
        self.pcap = is_pcap(document.data)
        self.lines: list[str] = [] if self.image else _lines(document.data)
        self.states = [LineState.UNREAD if line else LineState.BLANK for line in self.lines]
        self.recogniser = sniff.Recogniser("\n".join(self.lines))
        self.facts: list[AnyFact] = []
        self.captures: list[Capture] = []
        self.understood: list[Passage] = []
        self.wants: list[tuple[str, str]] = []
        self.vantages: tuple[tuple[int, str], ...] = ()

    def run(self) -> _DocumentReader:
        if self.image:
            self.wants.append(("", f"{self.source} is a picture: paste what it shows as text."))
            return self
        segments = self.segments()
        for segment in segments:
            self.read_segment(segment)
        self.captures.sort(key=lambda capture: capture.first)
        self.read_prose(segments)
        self.understood.sort(key=lambda passage: passage.origin.first)
        return self

    def segments(self) -> tuple[cutting.Segment, ...]:
        """The document as one output when its name says so, else cut at its prompts."""
        command, host = filenames.name_says(self.source)
        command = "tcpdump -n -e -r FILE" if self.pcap else command
        first = next((line for line in self.lines if line), "")
        if command and not cutting.is_command(first):
            typed = "" if command.endswith(".yaml") else command
            return (cutting.Segment(start=0, end=len(self.lines), command=command, typed=typed, host=host),)
        found = cutting.cut(self.lines, lambda line: bool(self.recogniser.readers(line)))
        self.vantages = found.vantages
        return tuple(_at_host(segment, host) for segment in found.segments) if host else found.segments

    def read_segment(self, segment: cutting.Segment) -> None:
        if segment.kind == "mark":
            self.states[segment.start] = LineState.MARK
            return
        for index in range(segment.at, segment.start) if segment.at >= 0 else ():
            if self.lines[index] and self.states[index] == LineState.UNREAD:
                self.states[index] = LineState.COMMAND
        if segment.kind == "comment":
            return
        self.read_by_command(segment)
        self.read_by_look(segment)
        # What follows a blank line is no output, unless a reader has just said otherwise.
        silent = segment.start >= segment.end or not self.lines[segment.start]
        if silent and not any(self.states[i] == LineState.READ for i in range(segment.start, segment.end)):
            self.want(segment.typed)

    def capture(self, segment: cutting.Segment, start: int, end: int, *, own: bool) -> Capture:
        """Lines `start` to `end` as a capture; `own` says that the segment's command is known to have printed them."""
        return Capture(
            source=self.source,
            lines=_dedent(self.lines[start:end], segment.indent if own else None),
            first=start + 1,
            command=segment.command if own else "",
            typed=segment.typed if own else "",
            host=segment.host,
            taken=segment.taken,
        )

    def read_by_command(self, segment: cutting.Segment) -> None:
        left = [(segment.start, segment.end)]
        for name in sniff.by_command(segment.command):
            left = [rest for start, end in left for rest in self.offer(name, segment, start, end, own=True)]

    def offer(self, name: str, segment: cutting.Segment, start: int, end: int, *, own: bool) -> list[tuple[int, int]]:
        """Give lines `start` to `end` to the reader `name`; the ranges that it left."""
        capture = self.capture(segment, start, end, own=own)
        reading = sniff.read(name, capture)
        left = sniff.unread_lines(reading, capture.lines)
        self.keep(capture, reading.facts, left, start)
        return [(start + first, start + last) for first, last in sniff.runs(left)]

    def keep(self, capture: Capture, facts: Sequence[AnyFact], left: list[bool], start: int) -> None:
        read = [i for i, line in enumerate(capture.lines) if line and not left[i]]
        if not read:
            return
        self.facts.extend(facts)
        for index in read:
            self.states[start + index] = LineState.READ
        self.captures.append(_narrow(capture, read[0], read[-1] + 1))

    def read_by_look(self, segment: cutting.Segment) -> None:
        """Offer what is left to the readers that know a line of it, from that line on."""
        untouched = not any(self.states[i] == LineState.READ for i in range(segment.start, segment.end))
        index = segment.start
        while index < segment.end:
            if self.states[index] != LineState.UNREAD:
                index += 1
                continue
            names = self.recogniser.readers(self.lines[index])
            end = self.end_of_rest(index, segment.end) if names else index
            for name in names:
                if self.read_window(name, segment, index, end, own=untouched and segment.at >= 0):
                    break
            if self.states[index] == LineState.UNREAD:
                index += 1

    def end_of_rest(self, index: int, end: int) -> int:
        """Where the lines that nobody has read yet end, seen from `index`."""
        while index < end and self.states[index] in {LineState.UNREAD, LineState.BLANK}:
            index += 1
        return index

    def read_window(self, name: str, segment: cutting.Segment, start: int, end: int, *, own: bool) -> bool:
        """Offer a few lines, and twice as many while the reader reads on: the cost stays in line with what is read."""
        size = _WINDOW
        while True:
            stop = min(start + size, end)
            capture = self.capture(segment, start, stop, own=own)
            reading = sniff.read(name, capture)
            left = sniff.unread_lines(reading, capture.lines)
            last = max((i for i, line in enumerate(capture.lines) if line and not left[i]), default=-1)
            if stop < end and last >= size // 2:
                size *= 2
                continue
            if last >= 0:
                self.keep(capture, reading.facts, left, start)
            return last >= 0

    def want(self, typed: str) -> None:
        """Ask for the output of a command that some reader would read."""
        command = shell.innermost(typed).command if typed else ""
        if sniff.by_command(command):
            self.wants.append((command, f"Paste the output of `{typed}` as text."))

    def read_prose(self, segments: Sequence[cutting.Segment]) -> None:
        """Take tokens, pictures and named commands from the lines of prose."""
        lines = list(self.prose_lines(segments))
        named = ""
        for index in lines:
            text = self.lines[index]
            if _is_image(text[:2000]):
                if not named:
                    self.wants.append(("", f"{self.source}:{index + 1} is a picture: paste what it shows as text."))
                named = ""
                continue
            command = "" if text.startswith("#") else prompt.bare(text) or prompt.named(text)
            self.want(command)
            named = command
        told = [(index, self.lines[index], Origin(self.source, index + 1, index + 1)) for index in lines]
        for index, host in self.vantages:
            if self.states[index] == LineState.UNREAD:
                place = Origin(self.source, index + 1, index + 1)
                self.understood.append(Passage(place, f"what follows was run at: {host}"))
                self.states[index] = LineState.UNDERSTOOD
        for test in tellings(told):
            self.facts.append(test.fact)
            self.understood.append(Passage(test.fact.origin, test.says))
            for index in range(test.first, test.last + 1):
                if self.states[index] == LineState.UNREAD:
                    self.states[index] = LineState.UNDERSTOOD
        for mention in prose.mentions(told):
            self.facts.append(mention.setting)
            self.understood.append(Passage(mention.setting.origin, mention.says))
            self.states[mention.line] = LineState.UNDERSTOOD

    def prose_lines(self, segments: Sequence[cutting.Segment]) -> Iterator[int]:
        """Unread lines outside code that are no part of an output: comments, loose lines, and what follows a blank."""
        for segment in segments:
            if segment.code and segment.kind != "comment":
                continue
            after_blank = not segment.typed and not segment.command
            for index in range(segment.start, segment.end):
                line = self.lines[index]
                after_blank = after_blank or not line
                if self.states[index] == LineState.UNREAD and (after_blank or cutting.looks_like_prose(line)):
                    yield index

    def unread(self) -> Iterator[Passage]:
        """The unread lines, folded to passages; where there are very many, blank lines part them no more."""
        passages = sniff.runs(state == LineState.UNREAD for state in self.states)
        if len(passages) > _MANY_PASSAGES:
            passages = self.bridged(passages)
        for start, end in passages:
            text = "\n".join(line[:_SHOWN] for line in self.lines[start : min(end, start + 12)])
            yield Passage(Origin(self.source, start + 1, end), text[:_SHOWN])

    def bridged(self, passages: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """`passages` with those made one that nothing but blank lines part."""
        joined = passages[:1]
        for start, end in passages[1:]:
            before = joined[-1]
            if all(state == LineState.BLANK for state in self.states[before[1] : start]):
                joined[-1] = (before[0], end)
            else:
                joined.append((start, end))
        return joined


def _is_image(text: str) -> bool:
    """Whether a line stands for a picture; most lines hold none of the signs of one, and that is told fast."""
    signs = ("[", "<", ".", "mage", "Bild", "bild")
    if text.isascii() and not any(sign in text for sign in signs):
        return False
    return re.search(_IMAGE, text, re.IGNORECASE) is not None


def _lines(data: bytes) -> list[str]:
    return lines_of_pcap(data) if is_pcap(data) else lines_of(data)


def _at_host(segment: cutting.Segment, host: str) -> cutting.Segment:
    if segment.host:
        return segment
    return cutting.Segment(**{**{name: getattr(segment, name) for name in segment.__struct_fields__}, "host": host})


def _dedent(lines: Sequence[str], indent: int | None) -> tuple[str, ...]:
    """`lines` without the margin of the prompt, or of their first line when they were recognised by their look."""
    if indent is None:
        first = lines[0] if lines else ""
        indent = len(first) - len(first.lstrip())
    if not indent:
        return tuple(lines)
    return tuple(line[indent:] if not line[:indent].strip() else line for line in lines)


def _narrow(capture: Capture, start: int, end: int) -> Capture:
    return Capture(
        source=capture.source,
        lines=capture.lines[start:end],
        first=capture.first + start,
        command=capture.command,
        typed=capture.typed,
        host=capture.host,
        taken=capture.taken,
        trust=capture.trust,
    )
