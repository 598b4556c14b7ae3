"""Prompts: whether a line is one, which host it names, and what was typed behind it."""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.commands import first_word, known, plausible


class Prompt(Struct, frozen=True):
    """A prompt line. `typed` is "" for a prompt that waits; `indent` is what stands before it."""

    typed: str
    host: str = ""
    taken: str = ""
    indent: int = 0


_TIME = r"(?:\[?(?P<taken>(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d(?::\d\d)?)\]?\s+)?"
_VENV = r"(?:\([\w.:@/-]{1,60}\)\s?)?"
_AT = r"(?P<user>[\w.-]{1,40})@(?P<host>[A-Za-z0-9_][\w.-]{0,80}?)"
# Each has the groups `cmd` and perhaps `host`, `taken`, `menu`. SURE prompts need no known command behind them.
_SURE: tuple[str, ...] = (
    # [admin@MikroTik] /ip route> print   [root@host ~]# ip a   [admin@MikroTik] <SAFE> >
    rf"{_TIME}{_VENV}\[{_AT}(?:[ :]?[~/][^\]\n]{{0,120}}|[ ][^\]\n]{{1,120}})?\]\s?"  # noqa: ISC004
    r"(?P<menu>/[a-z0-9/ -]{1,80})?(?:<SAFE>\s?)?(?P<sign>[#$>%])\s*(?P<cmd>.*)$",
    # root@host:~# ip a   user@host:~/dir$ …   user@mac ~ % …   user@router> show route
    rf"{_TIME}{_VENV}{_AT}(?:\s?[:(]\s?[^\s#$>%]{{0,120}}|\s[~/][^\s#$>%]{{0,120}}|\s[\w.-]{{1,60}})?\s?(?P<sign>[#$>%❯])"  # noqa: ISC004
    r"(?=\s|$|[a-z])\s*(?P<cmd>.*)$",
    r"PS(?P<win> [A-Za-z]:[^>\n]{0,160}| /[^>\n]{0,160}|)>\s+(?P<cmd>.*)$",
    r"(?P<win>[A-Za-z]:\\[^>\n]{0,160})>\s*(?P<cmd>.*)$",
    r"(?:ba|z|k|da|a)?sh-\d[\d.]{0,6}[#$]\s+(?P<cmd>.*)$",
    r"\[[\w.-]{1,40}\]\[(?P<user>[\w.-]{1,40})@(?P<host>[\w.-]{1,80})\][^:\n]{0,100}:\s(?P<cmd>.*)$",
)
_ARROW = rf"{_TIME}{_VENV}(?:[~/][\w./~-]{{0,80}}\s+)?(?P<sign>[❯➜λ»›▶⇒→$])(?P<gap>\s*)(?P<cmd>.*)$"
# These look like much else: the command behind them must be known, with fitting arguments.
_WEAK = (
    rf"{_TIME}(?P<host>[A-Za-z][\w.-]{{0,62}})(?:\((?:config|conf)[\w-]{{0,30}}\))?\s?(?P<sign>[#>$%])\s?(?P<cmd>.*)$",
    r"(?P<host>[A-Za-z][\w.-]{0,62}):\s?[~/][^\s#$>]{0,100}\s?[#$]\s?(?P<cmd>.*)$",
    r"(?P<host>[A-Za-z][\w.-]{0,62})\s[~/][^\s#$>]{0,100}\s?[#$%]\s?(?P<cmd>.*)$",
    r"<(?P<host>[A-Za-z][\w.-]{0,62})>\s?(?P<cmd>.*)$",
    r"\[[~*]?(?P<host>[A-Za-z][\w.-]{0,62})\]\s?(?P<cmd>(?:display|show|ping|tracert)\b.*)$",
    r"[~/][\w./-]{0,80} ?[#$%] (?P<cmd>.*)$",
    r"[#>%]\s?(?P<cmd>.*)$",
)
_SIGNS = "[#$>%❯➜λ»›▶⇒→:\\]]"
_QUOTES = {0x201C: '"', 0x201D: '"', 0x201E: '"', 0x2018: "'", 0x2019: "'", 0x2013: "-", 0x2014: "--", 0x2212: "-"}


def parse(line: str) -> Prompt | None:
    """The prompt in `line`, or None. Only the first 4,000 characters count."""
    text = line[:4000].strip()
    if not text or not re.search(_SIGNS, text[:300]):
        return None
    indent = len(line[:4000]) - len(line[:4000].lstrip())
    return _sure(text, indent) or _arrow(text, indent) or _weak(text, indent)


def straighten(command: str) -> str:
    """`command` with the quotes and dashes that word processors curl put straight."""
    return command.strip() if command.isascii() else command.translate(_QUOTES).strip()


def _sure(text: str, indent: int) -> Prompt | None:
    if not re.search(r"[#$>%❯:]", text[:260]):
        return None
    for pattern in _SURE:
        match = re.match(pattern, text)
        if match is None:
            continue
        groups = match.groupdict()
        typed = straighten(match["cmd"])
        if typed and not re.match(r"[\w./~:({\"'!?-]", typed):
            continue
        menu = groups.get("menu")
        if menu:
            typed = f"{menu.strip()} {typed}".strip() if typed and not typed.startswith("/") else typed
        host = host_name(groups.get("host") or "") if groups.get("win") is None else "client"
        return Prompt(typed, host, groups.get("taken") or "", indent)
    return None


def _arrow(text: str, indent: int) -> Prompt | None:
    match = re.match(_ARROW, text)
    if match is None:
        return None
    typed = straighten(match["cmd"])
    if match["sign"] in "➜→⇒":
        folder = re.match(r"(?:~|[\w./~-]{1,60})\s+(?:git:\([^)\s]{1,60}\)\s+)?(?:[✗✔]\s+)?(?=\S)", typed)
        if folder and not known(typed):
            typed = typed[folder.end() :]
        if match["sign"] != "➜" and not plausible(typed):
            return None
    if not typed:
        return Prompt("", "", match["taken"] or "", indent) if match["sign"] in "$❯➜" else None
    if not match["gap"] and not plausible(typed):
        return None
    if not re.match(r"[A-Za-z_./~({\[\"']", typed) or not (known(typed) or match["sign"] in "$❯➜"):
        return None
    return Prompt(typed, "", match["taken"] or "", indent)


def _weak(text: str, indent: int) -> Prompt | None:
    if not re.search(r"[#>$%\]]", text[:180]):
        return None
    for pattern in _WEAK:
        match = re.match(pattern, text)
        if match is None:
            continue
        typed = straighten(match["cmd"])
        host = match.groupdict().get("host") or ""
        if not typed or not plausible(typed):
            continue
        if host.lower() in {"bird", "bird6"}:
            return Prompt(typed if typed.startswith("bird") else f"birdc {typed}", "", "", indent)
        return Prompt(typed, host_name(host), match.groupdict().get("taken") or "", indent)
    return None


def bare(line: str) -> str:
    """The command in a line without a prompt (backticks, bold, heading marks and a final colon taken off), or ""."""
    text = line[:2000].strip()
    if not text or not (text[0].isalpha() or text[0] in "`*#/-_"):
        return ""
    head = text.lstrip("`*#_- ").split(None, 1)
    if not head or not known(head[0].rstrip("`:*") if "=" not in head[0] else text):
        return ""
    text = re.sub(r"^(?:#{1,6}\s|[-*]\s|\*\*|__){0,2}\s?`{0,2}", "", text)
    text = re.sub(r"`{0,2}(?:\*\*|__)?\s?[::]?\s?(?:\*\*|__)?$", "", text)
    text = straighten(text)
    return text if first_word(text) and plausible(text) else ""


def named(line: str) -> str:
    """The command that a line of prose starts with or quotes between backticks, when there is exactly one; else ""."""
    quoted = re.findall(r"`([^`\n]{4,300})`", line[:4000]) if "`" in line else []
    quoted = [text for text in quoted if plausible(straighten(text))]
    if quoted:
        return straighten(quoted[0]) if len(quoted) == 1 else ""
    if not known(line.strip()):
        return ""
    ascii_head = re.match(r"[\x20-\x7e]{4,300}", line.strip())
    head = ascii_head[0].rstrip(" :([\"'") if ascii_head else ""
    return head if head != line.strip() and plausible(head) else ""


def host_name(host: str) -> str:
    """The vantage that a prompt's host name stands for: bare names stay, except where they say what they are."""
    name = host.strip(".-")
    lowered = name.lower()
    if lowered in {"localhost", ""}:
        return ""
    if lowered.partition(".")[0] in {"mikrotik", "routeros", "router", "opnsense", "pfsense", "vyos", "openwrt"}:
        return "router"
    if re.search(r"macbook|laptop|imac|mac-mini|thinkpad|desktop-", lowered) or lowered in {"mac", "client"}:
        return "client"
    if re.search(r"-[0-9a-f]{7,10}-[a-z0-9]{5}$", lowered):
        return f"pod/{name}"
    return name
