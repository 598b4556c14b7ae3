"""Bytes to lines: encodings, line ends, terminal codes and the damage that forums and mail do to a paste.

Every line keeps its number: line `i` of the result is line `i + 1` of the file as an editor shows it.
"""

from __future__ import annotations

import re

_ENTITIES = {
    "gt": ">",
    "lt": "<",
    "amp": "&",
    "quot": '"',
    "apos": "'",
    "nbsp": " ",
}
# Zero-width characters, soft hyphen, direction marks and the BOM vanish; the many blanks become plain spaces.
_INVISIBLE = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)])
_BLANKS = dict.fromkeys([0xA0, 0x1680, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)], " ")
_CONTROLS: dict[int, str | None] = dict.fromkeys([*range(0x09), *range(0x0E, 0x20), 0x7F])
_PLAIN: dict[int, str | None] = {**_CONTROLS, **_INVISIBLE, **_BLANKS, 0x0B: " ", 0x0C: " ", 0x0D: " "}
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def decode(data: bytes) -> str:
    """The text in `data`; never raises. UTF-8 first, UTF-16 by its mark or its zeros, then Shift-JIS, then Latin-1."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    wide = _wide_encoding(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_foreign(data)


def _wide_encoding(data: bytes) -> str:
    """UTF-16 without its mark shows as zeros in every second byte of ASCII text."""
    sample = data[:4096]
    if len(sample) < 4 or b"\0" not in sample:
        return ""
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def _decode_foreign(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    wide = sum(1 for byte in data[:1_000_000] if byte >= 0x80)
    if broken * 10 < wide:  # UTF-8 with a torn character or two
        return text
    try:
        japanese = data.decode("cp932")
    except UnicodeDecodeError:
        return data.decode("latin-1")
    kana = sum(1 for char in japanese[:1_000_000] if "\u3040" <= char <= "\u30ff")
    return japanese if kana * 8 > wide else data.decode("latin-1")


def split(text: str) -> list[str]:
    """Lines as an editor counts them: ended by LF or CR LF, or by CR alone where no LF exists."""
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.rstrip("\r") for line in lines]


def clean(line: str) -> str:
    """`line` as the program printed it: no terminal codes, invisible characters, HTML escapes or trailing blanks."""
    if "\x1b" in line:
        codes = r"\x1b\[[0-?]{0,32}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>]"
        line = re.sub(codes, "", line)
    if not (line.isascii() and line.isprintable()):
        line = line.translate(_PLAIN)
    if "&" in line:
        line = re.sub(r"&(gt|lt|amp|quot|apos|nbsp|#\d{2,5}|#[xX][0-9a-fA-F]{2,4});", _entity, line)
    if "<" in line:
        line = re.sub(r"</?(?:pre|code|details|summary|blockquote|p|br)(?:\s[^<>]{0,80})?/?>", "", line)
    return line.rstrip()


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name.startswith("#"):
        number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        char = chr(number)
        return " " if number == 0xA0 else char if char.isprintable() else ""
    return _ENTITIES[name]


def unquote(lines: list[str]) -> list[str]:
    """Mail quotation marks (`> `, `>>> `) taken off, run by run.

    A run that opens with a request line is what `curl -v` sent, not a quotation.
    """
    result: list[str] = []
    request = in_run = False
    for line in lines:
        quoted = line.lstrip(" ").startswith(">") and len(line) - len(line.lstrip(" ")) < 4
        if quoted and not in_run:
            request = re.match(r"\s{0,3}> (?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT) \S", line) is not None
        in_run = quoted
        result.append(re.sub(r"^(?:[ ]{0,3}>){1,8}[ ]?", "", line) if quoted and not request else line)
    return result


def lines_of(data: bytes) -> list[str]:
    """The cleaned lines of a document."""
    return unquote([clean(unwrapped(line)) for line in split(decode(data))])


def unwrapped(line: str) -> str:
    r"""What a program wrote, out of the envelope of a container runtime's log file.

    Docker: `{"log":"TEXT\n","stream":"stderr","time":"…"}`; CRI: `TIME stderr F TEXT`.
    """
    if line.startswith('{"log":"') and '"stream":"' in line:
        match = re.match(r'\{"log":"((?:[^"\\]|\\.){0,8000})","stream":"std(?:out|err)"', line)
        if match:
            text = re.sub(r"\\[nrt]", " ", match[1].replace("\\\\", "\\"))
            return text.replace('\\"', '"').rstrip()
    elif " std" in line[19:50] and (
        cri := re.match(r"\d{4}-\d\d-\d\dT[\d:.]{8,18}\S{1,6} std(?:out|err) [FP] (.*)$", line)
    ):
        return cri[1]
    return line
