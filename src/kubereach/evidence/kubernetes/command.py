"""A kubectl (oc, calicoctl …) command line, as far as a reader needs it."""

from __future__ import annotations

import re

from msgspec import Struct

from kubereach.evidence.kubernetes.kinds import CALICO, Kind, kind_or_guess

_VALUE_FLAGS = {
    "-n": "namespace",
    "--namespace": "namespace",
    "-l": "selector",
    "--selector": "selector",
    "-o": "output",
    "--output": "output",
    "--field-selector": "field_selector",
    "-L": "label_columns",
    "--label-columns": "label_columns",
    "-f": "filename",
    "--filename": "filename",
    "-c": "config",
    "--config": "config",
}
_IGNORED_WITH_VALUE = frozenset(
    [
        "--context",
        "--kubeconfig",
        "--cluster",
        "--user",
        "--sort-by",
        "--template",
        "-s",
        "--server",
        "--as",
        "--as-group",
        "--request-timeout",
        "--chunk-size",
        "-v",
        "--v",
        "--token",
        "--raw",
        "--subresource",
    ]
)
_STOP = ("|", ">", ";", "&", "2>", "<")


class KubectlCommand(Struct, frozen=True, kw_only=True):
    """What a command line asks for.

    `namespace` is "" for the context's own and None for all. `filtered` is True when a pipe, a name, a field selector
    or a watch stands between the cluster and the output.
    """

    verb: str = ""
    tool: str = ""
    kinds: tuple[Kind, ...] = ()
    names: tuple[str, ...] = ()
    namespace: str | None = ""
    selector: str = ""
    output: str = ""
    filtered: bool = False
    show_labels: bool = False
    headers: bool = True

    @property
    def kind(self) -> Kind | None:
        """The kind, when the command names exactly one."""
        return self.kinds[0] if len(self.kinds) == 1 else None


def parse_command(text: str) -> KubectlCommand:
    """`text` parsed; the empty command when it is no `get` or `describe` of kubectl or one of its kin."""
    tokens = [re.sub(r"[\"']", "", token) for token in re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+", text[:4000])]
    start = next((i for i, token in enumerate(tokens) if _tool(token)), None)
    if start is None:
        return KubectlCommand()
    flags, words, piped = _split(tokens[start + 1 :])
    if not words or words[0] not in {"get", "describe", "apply", "edit", "create"}:
        return KubectlCommand()
    kinds, names = _resources(words[1:])
    if _tool(tokens[start]) == "calicoctl":  # its nodes and network policies are not those of Kubernetes
        kinds = tuple(Kind(kind.name, CALICO, kind.namespaced and kind.name != "Node") for kind in kinds)
    everywhere = "-A" in flags or "--all-namespaces" in flags
    return KubectlCommand(
        verb=words[0],
        tool=_tool(tokens[start]),
        kinds=kinds,
        names=names,
        namespace=None if everywhere else flags.get("namespace", ""),
        selector=flags.get("selector", ""),
        output=flags.get("output", ""),
        filtered=piped or bool(names) or bool(flags.keys() & {"field_selector", "-w", "--watch", "--watch-only"}),
        show_labels="--show-labels" in flags,
        headers="--no-headers" not in flags,
    )


def _tool(token: str) -> str:
    name = token.rpartition("/")[2]
    return name if name in {"kubectl", "oc", "k", "calicoctl", "kubectl.exe", "microk8s.kubectl", "kubecolor"} else ""


def _split(tokens: list[str]) -> tuple[dict[str, str], list[str], bool]:
    """Flags (by name, with their value), bare words, and whether the output went through anything else."""
    flags: dict[str, str] = {}
    words: list[str] = []
    rest = iter(tokens)
    for part in rest:
        if part.startswith(_STOP):
            return flags, words, part.startswith("|")
        name, equals, value = part.partition("=")
        if not part.startswith("-") or part == "-":
            words.append(part)
        elif name in _VALUE_FLAGS:
            flags[_VALUE_FLAGS[name]] = value if equals else next(rest, "")
        elif name in _IGNORED_WITH_VALUE:
            if not equals:
                next(rest, "")
        elif part[:2] in {"-n", "-o", "-l"} and not part.startswith("--"):
            flags[_VALUE_FLAGS[part[:2]]] = part[2:].removeprefix("=")
        elif part.startswith("-A") and len(part) > 2:  # -Aowide
            flags["-A"] = ""
            flags["output"] = part[2:].removeprefix("o")
        elif equals != "=" or value != "false":
            flags[name] = value
    return flags, words, False


def _resources(words: list[str]) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """`svc nginx`, `svc,pods`, `svc/nginx pod/x`, `all` → kinds and object names."""
    if not words:
        return (), ()
    if "/" in words[0]:
        pairs = [word.partition("/") for word in words]
        kinds = tuple(dict.fromkeys(k for pair in pairs if (k := kind_or_guess(pair[0])) is not None))
        return kinds, tuple(pair[2] for pair in pairs)
    if words[0] == "all":
        return (), tuple(words[1:])
    found = [kind_or_guess(word) for word in words[0].split(",") if word]
    return tuple(kind for kind in found if kind is not None), tuple(words[1:])
