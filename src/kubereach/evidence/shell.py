"""Command lines: pipes, sequences, and the wrappers around the command that printed something."""

# ruff: noqa: SIM905  (long word lists read better as text)
from __future__ import annotations

import re

from msgspec import Struct


class Token(Struct, frozen=True):
    """A word of a command line without its quotes, and where it stands."""

    text: str
    start: int
    end: int


class Innermost(Struct, frozen=True):
    """The command that ran, and where: `host` is "" when the line does not say, None when it says "elsewhere"."""

    command: str
    host: str | None = ""
    pod: str = ""


_OPERATORS = ("&&", "||", "|&", ";", "|", "&")
_SILENT = frozenset("cd export clear set source . sleep alias unset true exit logout".split())
_PLAIN_WRAPPERS: dict[str, frozenset[str]] = {  # wrapper: its options that take a value in the next word
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-r", "-t"}),
    "doas": frozenset({"-u"}),
    "watch": frozenset({"-n", "--interval"}),
    "time": frozenset({"-f", "-o"}),
    "nohup": frozenset(),
    "stdbuf": frozenset({"-o", "-e", "-i"}),
    "unbuffer": frozenset(),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "command": frozenset(),
    "exec": frozenset(),
    "env": frozenset({"-u"}),
    "timeout": frozenset({"-k", "-s"}),
    "chroot": frozenset(),
    "toolbox": frozenset({"-c", "--container"}),
}
_SSH_VALUES = frozenset("-i -p -o -l -F -J -L -R -D -b -c -E -e -m -S -W -w -Q -I -B".split())
_EXEC_VALUES = frozenset(
    "-n --namespace -c --container --context --kubeconfig --cluster --image -u --user -e --env -w --workdir --profile "
    "--target --restart --pod-running-timeout -l --labels --overrides".split()
)
_AGENTS = r"(?:calico-node|speaker|metallb|cilium|kube-proxy|kube-router|frr-k8s|kube-vip|kube-flannel|canal|weave-net)"


def tokens(line: str, limit: int = 400) -> list[Token]:
    """The words of `line`; quotes keep a word together, an unclosed quote reaches to the end."""
    found: list[Token] = []
    pattern = re.compile(r"""(?:"[^"]{0,4000}"|'[^']{0,4000}'|\\.|[^\s"'\\]|["'\\])+""")
    for match in pattern.finditer(line[:8000]):
        text = match[0]
        if '"' in text or "'" in text:
            text = re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda quoted: quoted[1] or quoted[2] or "", text)
        found.append(Token(text, match.start(), match.end()))
        if len(found) >= limit:
            break
    return found


def pieces(line: str) -> list[tuple[str, str]]:
    """`line` cut at its operators outside quotes: (operator before, command) pairs."""
    result: list[tuple[str, str]] = []
    operator, start = "", 0
    line = line[:8000]
    pattern = r"\"[^\"]{0,4000}\"|'[^']{0,4000}'|\\.|&&|\|\||\|&|(?<![0-9>&])&(?![>&])|;|\|"
    for match in re.finditer(pattern, line):
        if match[0] in _OPERATORS:
            result.append((operator, line[start : match.start()].strip()))
            operator, start = match[0], match.end()
    result.append((operator, line[start:].strip()))
    return [(before, text) for before, text in result if text]


def innermost(line: str) -> Innermost:
    """What `line` ran in the end; "" as command when several commands share the output."""
    return _innermost(line, depth=8)


def _innermost(line: str, depth: int) -> Innermost:
    sequence: list[str] = []
    for operator, text in pieces(line):
        if operator in {"|", "|&"} and sequence:
            sequence[-1] += f" | {text}"
        else:
            sequence.append(text)
    speaking = [text for text in sequence if not _is_silent(text)]
    if len(speaking) != 1 or re.match(r"(?:for|while|until|if|do|done|then)\b(?! show)", speaking[0]):
        return Innermost("")
    found = _unwrap(speaking[0], depth)
    return Innermost("", found.host, found.pod) if "<<" in found.command else found


def _is_silent(text: str) -> bool:
    words = text.split(None, 1)
    return words[0] in _SILENT or (len(words) == 1 and re.match(r"[A-Za-z_]\w*=", words[0]) is not None)


def _unwrap(line: str, depth: int) -> Innermost:
    head, bar, rest = _first_pipe(line)
    words = tokens(head)
    while words and re.match(r"[A-Za-z_]\w{0,60}=", words[0].text):
        words = words[1:]
    if not words or not depth:
        return Innermost(line.strip())
    name = words[0].text.rsplit("/", 1)[-1] if not words[0].text.startswith(("/ip", "/ro", "/in", "/to")) else ""
    step = _step(name, words, head)
    tail = f" | {rest}" if bar else ""
    if step is None:
        return Innermost(_spell(name, words, head) + tail)
    inner = _innermost(step.command, depth - 1) if step.command else step
    # The innermost host wins; None ("elsewhere") is kept unless something inside says where.
    return Innermost(inner.command + tail if inner.command else "", inner.host or step.host, inner.pod or step.pod)


def _first_pipe(line: str) -> tuple[str, bool, str]:
    parts = pieces(line)
    if len(parts) < 2:
        return line.strip(), False, ""
    return parts[0][1], True, " | ".join(text for _, text in parts[1:])


def _step(name: str, words: list[Token], line: str) -> Innermost | None:
    """One wrapper taken off, or None when `words` are the innermost command."""
    if name in _PLAIN_WRAPPERS:
        return _plain(name, words, line)
    if name == "ssh":
        return _ssh(words, line)
    if name in {"bash", "sh", "zsh", "ash", "cmd"}:
        return _shell_string(words, line)
    if name == "vtysh":
        return _vtysh(words)
    if name in {"kubectl", "k", "oc", "microk8s", "k3s", "rke2", "minikube", "microk8s.kubectl"}:
        return _kubectl(name, words, line)
    if name in {"docker", "podman", "nerdctl", "crictl", "lxc", "multipass", "limactl"}:
        return _container(words, line)
    if name == "nsenter":
        return _nsenter(words, line)
    if name == "ip" and [word.text for word in words[1:3]] == ["netns", "exec"] and len(words) > 4:
        return Innermost(_from(words, 4, line), words[3].text)
    return None


def _from(words: list[Token], index: int, line: str) -> str:
    """The command that starts at word `index`: a single quoted word is a command line of its own."""
    if index >= len(words):
        return ""
    if index == len(words) - 1 and " " in words[index].text:
        return words[index].text
    return line[words[index].start :]


def _skip_options(words: list[Token], index: int, values: frozenset[str]) -> int:
    while index < len(words) and words[index].text.startswith("-") and words[index].text != "-":
        if words[index].text == "--":
            return index + 1
        index += 2 if words[index].text in values else 1
    return index


def _plain(name: str, words: list[Token], line: str) -> Innermost | None:
    index = _skip_options(words, 1, _PLAIN_WRAPPERS[name])
    if name in {"timeout", "chroot"}:
        index += 1
    if name == "toolbox" and index < len(words) and words[index].text in {"run", "enter"}:
        index = _skip_options(words, index + 1, _PLAIN_WRAPPERS[name])
    while name in {"env", "sudo"} and index < len(words) and re.match(r"[A-Za-z_]\w*=", words[index].text):
        index += 1
    inner = _from(words, index, line)
    return Innermost(inner) if inner else None


def _ssh(words: list[Token], line: str) -> Innermost | None:
    index = _skip_options(words, 1, _SSH_VALUES)
    if index >= len(words):
        return None
    host = words[index].text.rsplit("@", 1)[-1]
    index = _skip_options(words, index + 1, _SSH_VALUES)
    return Innermost(_from(words, index, line), host)


def _shell_string(words: list[Token], line: str) -> Innermost | None:
    for index, word in enumerate(words[1:4], 1):
        if re.match(r"-[a-z]*c$", word.text) and index + 1 < len(words):
            return Innermost(words[index + 1].text if " " in words[index + 1].text else _from(words, index + 1, line))
    return None


def _vtysh(words: list[Token]) -> Innermost | None:
    said = [words[i + 1].text for i, word in enumerate(words[:-1]) if word.text in {"-c", "--command"}]
    said = [text for text in said if not re.match(r"conf|terminal", text)]
    return Innermost(said[0]) if len(said) == 1 else None


def _kubectl(name: str, words: list[Token], line: str) -> Innermost | None:
    texts = [word.text for word in words]
    if name in {"microk8s", "k3s", "rke2", "minikube"}:
        if "kubectl" not in texts[1:2]:
            return None
        index = 3 if texts[2:3] == ["--"] else 2
        return Innermost("kubectl " + _from(words, index, line))
    verb = _skip_options(words, 1, _EXEC_VALUES)
    if texts[verb : verb + 1] == ["node-shell"] and "--" in texts:
        return Innermost(_from(words, texts.index("--") + 1, line), _first_value(words, verb + 1))
    if verb >= len(texts) or texts[verb] not in {"exec", "debug", "run"}:
        return None
    target = _first_value(words, verb + 1)
    inner = _after_separator(words, verb + 1, line)
    return Innermost(inner, *_pod_host(target)) if inner else None


def _first_value(words: list[Token], index: int) -> str:
    index = _skip_options(words, index, _EXEC_VALUES)
    return words[index].text if index < len(words) else ""


def _after_separator(words: list[Token], index: int, line: str) -> str:
    for place in range(index, len(words)):
        if words[place].text == "--":
            return _from(words, place + 1, line)
    target = _skip_options(words, index, _EXEC_VALUES)
    return _from(words, _skip_options(words, target + 1, _EXEC_VALUES), line)


def _pod_host(target: str) -> tuple[str | None, str]:
    """The vantage of a command inside `target`, and the pod whose node would tell more.

    An agent on the host's network sees what its node sees, and its name does not say which node that is.
    """
    kind, slash, name = target.partition("/")
    if slash and kind in {"node", "no", "nodes"}:
        return f"node/{name}", ""
    pod = name if slash else target
    if kind in {"ds", "daemonset", "daemonsets"} or re.match(_AGENTS, pod):
        return None, pod
    return (f"pod/{pod}" if pod else None), ""


def _container(words: list[Token], line: str) -> Innermost | None:
    if len(words) < 4 or words[1].text not in {"exec", "shell"}:
        return None
    index = _skip_options(words, 2, _EXEC_VALUES)
    if index >= len(words):
        return None
    target = words[index].text
    inner = _from(words, _skip_options(words, index + 1, frozenset()), line)
    is_machine = words[0].text in {"lxc", "multipass", "limactl"} or re.search(
        r"worker|control-plane|master|node|server|agent|talos", target
    )
    return Innermost(inner, target if is_machine else None) if inner else None


def _nsenter(words: list[Token], line: str) -> Innermost | None:
    texts = [word.text for word in words]
    index = _skip_options(words, 1, frozenset({"-t", "--target", "-S", "-G", "-N"}))
    inner = _from(words, index, line)
    own = any(texts[i : i + 2] in (["-t", "1"], ["--target", "1"]) for i in range(len(texts))) or "-t1" in texts
    return Innermost(inner, "" if own else None) if inner else None


def _spell(name: str, words: list[Token], line: str) -> str:
    """The innermost command in the one spelling that readers expect."""
    rest = re.sub(r"\s*(?:2>&1|[12&]?>\s?/dev/null)(?=\s|$)", "", line[words[0].end :]).strip()
    if name in {"k", "oc", "microk8s.kubectl", "kubectl.exe"}:
        name = "kubectl"
    if name in {"birdc", "birdcl", "birdc6", "birdcl6"}:
        rest = re.sub(r"^(?:-[sv6r]*s\s+\S+\s*|-[vr6]+\s+)+", "", rest)
    if name == "do" and rest.startswith("sh"):
        return rest
    if name == "sh" or (name == "show" and rest):
        return f"show {rest}"
    return f"{name or words[0].text} {rest}".strip()
