"""Which commands may be run: those that only look, known by program, with the options that look and no others.

A command comes from a question or from a reader's Ask; it is held against this list all the same, since a text that
ends up in a shell on somebody's router must not be able to change anything. What is not listed is refused.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

MOST_PACKETS = 200  # of a capture, and of a ping
_SHELL = re.compile(r"[\0\n\r]|\$\(|`")
_OPERATORS = frozenset("|;&<>()")
Rule = Callable[[Sequence[str]], bool]  # the words behind the program -> whether they only look


class RefusedError(Exception):
    """The command is not known to only look."""


def checked(command: str) -> tuple[str, ...]:
    """The words of a command that only looks. Raises RefusedError with the reason.

    Leading `sudo` is taken off; what has no bound of its own (tcpdump, ping) gets one.
    """
    if _SHELL.search(command):
        raise RefusedError("it holds more than one command")
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars="|;&<>()")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = tuple(lexer)
    except ValueError as error:
        raise RefusedError(f"its quotes do not match ({error})") from error
    if any(word and set(word) <= _OPERATORS for word in words) and words != tuple(shlex.split(command)):
        raise RefusedError("it holds more than one command")
    while words[:1] == ("sudo",):
        words = words[1:]
    return _looking(words)


def _looking(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        raise RefusedError("there is no command")
    program, rest = words[0], words[1:]
    rule = _RULES.get(program)
    if rule is None:
        raise RefusedError(f"{program} is not known to only look")
    if program in {"tcpdump", "ping"} and not any(re.match(r"-[a-zA-Z]*c", word) for word in rest):
        rest = ("-c", "40" if program == "tcpdump" else "4", *rest)
    if not rule(rest):
        raise RefusedError(f"{program} is not known to only look with these options")
    return (program, *rest)


def _options(flags: str = "", valued: str = "", long: str = "", words: str = r"[\w.:/%@=-]+", most: int = 4) -> Rule:
    """A rule of options: single-letter `flags`, letters with a value, `--long` ones, and at most `most` plain words."""
    long_names = frozenset(long.split())
    single = re.compile(rf"-[{re.escape(flags)}]+") if flags else None
    with_value = re.compile(rf"-[{re.escape(flags)}]*[{re.escape(valued)}](.*)") if valued else None

    def rule(rest: Sequence[str]) -> bool:
        plain, queue = 0, list(rest)
        while queue:
            word = queue.pop(0)
            if not word.startswith("-") or word == "-":
                plain += 1
                if not re.fullmatch(words, word):
                    return False
            elif word.startswith("--"):
                if word.partition("=")[0][2:] not in long_names:
                    return False
            elif single and single.fullmatch(word):
                continue
            elif with_value and (found := with_value.fullmatch(word)):
                value = found[1] or (queue.pop(0) if queue else "")
                if not value or value.startswith("-"):
                    return False
            else:
                return False
        return plain <= most

    return rule


def _ip(rest: Sequence[str]) -> bool:
    """iproute2: an object that is shown. `-b` and `-n` would run more than that, and elsewhere."""
    plain = list(rest)
    while plain and plain[0].startswith("-"):
        if not re.fullmatch(r"-(?:4|6|o|j|d|s|p|br(?:ief)?|details|statistics|oneline|json|c(?:olor)?)", plain.pop(0)):
            return False
    objects = "a addr address r ro route ru rule n ne neigh neighbor neighbour l link ma maddr nexthop vrf tunnel"
    if not plain or plain[0] not in objects.split() or any(word.startswith("-") for word in plain):
        return False
    verb = plain[1] if len(plain) > 1 else "show"
    return verb in {"show", "sh", "s", "list", "ls", "lst", "l", "get", "table", "dev"} and "exec" not in plain


def _kubectl(rest: Sequence[str]) -> bool:
    words = list(rest)
    inner = words[words.index("--") + 1 :] if "--" in words else []
    head = words[: words.index("--")] if "--" in words else words
    if any(re.match(r"--(?:raw|kubeconfig|server|token|as|filename|kustomize|cache-dir|profile)", w) for w in head):
        return False
    if any(re.match(r"-[fsk]", word) for word in head) or "-f" in head or "--watch" in head or "-w" in head:
        return False
    plain = _without_values(head, {"-n", "--namespace", "-l", "--selector", "-o", "--output", "-c", "--container"})
    if plain[:1] == ["exec"]:
        return "-i" not in head and "-t" not in head and "-it" not in head and _passes(tuple(inner))
    looks = {"get", "describe", "logs", "version", "api-resources", "api-versions", "top", "events", "cluster-info"}
    return bool(plain) and plain[0] in looks and not inner and plain[:2] != ["cluster-info", "dump"]


def _without_values(words: Sequence[str], valued: set[str]) -> list[str]:
    found, queue = [], list(words)
    while queue:
        word = queue.pop(0)
        if word in valued and queue:
            queue.pop(0)
        elif not word.startswith("-"):
            found.append(word)
    return found


def _passes(words: tuple[str, ...]) -> bool:
    try:
        _looking(words)
    except RefusedError:
        return False
    return True


def _bird(rest: Sequence[str]) -> bool:
    plain = [word for word in rest if word not in {"-r", "-v"}]
    return plain[:1] == ["show"] and all(re.fullmatch(r"[\w.:/*\"-]+", word) for word in plain)


def _vtysh(rest: Sequence[str]) -> bool:
    """Pairs of `-c 'show …'`; a pipe of FRR's only filters, but it may be `| redirect` elsewhere."""
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    shows = all(option == "-c" and re.fullmatch(r"sh(?:ow)?(?: [\w.:/-]+)+", text) for option, text in pairs)
    return bool(pairs) and len(rest) % 2 == 0 and shows


def _curl(rest: Sequence[str]) -> bool:
    """A GET or HEAD whose body goes nowhere but the screen."""
    queue, addresses = list(rest), 0
    while queue:
        word = queue.pop(0)
        if re.fullmatch(r"https?://[\w.:\[\]/%?=&+~-]+", word):
            addresses += 1
        elif word in {"-o", "--output"}:
            if not queue or queue.pop(0) != "/dev/null":
                return False
        elif word in {"-m", "--max-time", "--connect-timeout"}:
            if not queue or not re.fullmatch(r"\d{1,2}(?:\.\d+)?", queue.pop(0)):
                return False
        elif word in {"-w", "--write-out"}:
            if not queue or queue.pop(0).startswith("@"):
                return False
        elif not re.fullmatch(r"-[sSvIkg46]+|--(?:silent|show-error|verbose|head|insecure|ipv4|ipv6)", word):
            return False
    return addresses == 1


def _few(rule: Rule) -> Rule:
    """The rule, and a `-c` that is small."""

    def bounded(rest: Sequence[str]) -> bool:
        text = " ".join(rest)
        counts = re.findall(r"(?:^| )-[a-zA-Z]*c ?(\d+)", text)
        return bool(counts) and int(counts[-1]) <= MOST_PACKETS and rule(rest)

    return bounded


def _tcpdump(rest: Sequence[str]) -> bool:
    """A capture on the screen: no file (-w, -r, -F), no program (-z), no other user (-Z)."""
    queue = list(rest)
    while queue and queue[0].startswith("-"):
        word = queue.pop(0)
        if re.fullmatch(r"-[nevtlpqAXS]*[ics]", word):
            if not queue or queue.pop(0).startswith("-"):
                return False
        elif not re.fullmatch(r"-[nevtlpqAXSU]+", word):
            return False
    return not any(word.startswith("-") for word in queue)


def _nmap(rest: Sequence[str]) -> bool:
    """A few ports of one address by connecting: no scripts, no lists of hosts, no files."""
    queue, plain = list(rest), []
    while queue:
        word = queue.pop(0)
        if word == "-p":
            if not queue or not re.fullmatch(r"\d{1,5}(?:,\d{1,5}){0,15}", queue.pop(0)):
                return False
        elif word == "-oX":
            if not queue or queue.pop(0) != "-":
                return False
        elif word.startswith("-"):
            if word not in {"-n", "-Pn", "-sT", "-sS", "--reason", "-T4"}:
                return False
        else:
            plain.append(word)
    return len(plain) == 1 and re.fullmatch(r"[\w.:-]+", plain[0]) is not None


def _sysctl(rest: Sequence[str]) -> bool:
    return bool(rest) and all(re.fullmatch(r"-[ane]|[a-z][\w./-]*", word) and "=" not in word for word in rest)


def _first(*allowed: str) -> Rule:
    """A rule: the first words are one of `allowed`, and no word is more than a name, a number or how to print."""

    def rule(rest: Sequence[str]) -> bool:
        text = " ".join(rest)
        starts = any(text == start or text.startswith(f"{start} ") for start in allowed)
        return starts and all(re.fullmatch(r"[\w.:/=,][\w.:/=,-]*|-[aAnojtw]+", word) for word in rest)

    return rule


def _listing(flags: str, most: int = 2) -> Rule:
    """A rule for iptables and its like: `-L` or `-S` stands first or behind `-t TABLE`."""

    def rule(rest: Sequence[str]) -> bool:
        plain = _without_values(rest, {"-t", "--table", "-c"})
        options = [w for w in rest if w.startswith("-") and w not in {"-t", "--table"}]
        return (
            bool(options)
            and all(
                re.fullmatch(rf"-[{flags}]+|--(?:list|line-numbers|stats|rate|numeric|verbose)", w) for w in options
            )
            and any("L" in w or "S" in w or w == "--list" for w in options)
            and len(plain) <= most
        )

    return rule


_RULES: Mapping[str, Rule] = {
    "arp": _options("aen", most=1),
    "arping": _few(_options("Dqb", "cIwW", most=1)),
    "birdc": _bird,
    "birdcl": _bird,
    "bridge": _first("fdb show", "link show", "vlan show", "mdb show", "fdb", "link", "vlan"),
    "calicoctl": _first("get", "node status", "ipam show", "version"),
    "cilium": _first("bgp peers", "bgp routes", "status"),
    "cilium-dbg": _first("status", "service list", "bpf lb list", "bgp peers", "bgp routes"),
    "conntrack": lambda rest: bool({"-L", "-S", "-C"} & set(rest)) and _options("LSCgn", "fdspo", most=1)(rest),
    "curl": _curl,
    "dig": _options(words=r"[\w.+:@-]+"),
    "dmesg": _options("TxkH"),
    "ethtool": _options("kiaS", most=1),
    "getent": _first("hosts", "ahosts"),
    "host": _options(),
    "ip": _ip,
    "ip6tables": _listing("LSnvxw"),
    "ip6tables-save": _options("c", "t", most=0),
    "ipset": _first("list", "save"),
    "iptables": _listing("LSnvxw"),
    "iptables-legacy-save": _options("c", "t", most=0),
    "iptables-nft-save": _options("c", "t", most=0),
    "iptables-save": _options("c", "t", most=0),
    "ipvsadm": lambda rest: (
        any("L" in w or "S" in w or w == "--list" for w in rest)
        and _options("LnlcS", "tu", "list stats rate numeric connection timeout", most=0)(rest)
    ),
    "kubectl": _kubectl,
    "mtr": _few(_options("nrwbT4", "cP", most=1)),
    "nc": lambda rest: (
        any(re.fullmatch(r"-[a-z]*z[a-z]*", word) for word in rest) and _options("vznu4", "w", most=2)(rest)
    ),
    "netstat": _options("rnatulpe46", most=0),
    "nft": _first("list", "-a list", "-n list", "-nn list", "-j list"),
    "nmap": _nmap,
    "nslookup": _options(),
    "nstat": _options("asz", words=r"\w+"),
    "ping": _few(_options("nO4", "ciIWMst", most=1)),
    "route": _options("n46", most=0),
    "ss": _options("tlnupaeiHo46", words=r"[\w.:=()'-]+"),
    "sysctl": _sysctl,
    "tcpdump": _few(_tcpdump),
    "traceroute": _options("nTIU46", "pwqmf", most=1),
    "uname": _options("arsv", most=0),
    "vtysh": _vtysh,
}
