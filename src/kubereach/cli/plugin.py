"""kubereach as a kubectl plugin: `kubectl reach svc/NAME` is `diagnose --live`, all else is the same program."""

from __future__ import annotations

import os
import re

_KINDS = (
    "svc|service|services|ing|ingress|ingresses|gateway|gateways|httproute|httproutes|po|pod|pods|no|node|nodes"
    "|ep|endpoints|deploy|deployment|deployments|ds|daemonset|daemonsets|sts|statefulset|statefulsets"
)


def words(argv: list[str]) -> tuple[str, list[str]]:
    """The program's name for help texts, and the words to parse, from argv.

    Called as `kubectl-reach` (kubectl finds plugins by that name), a leading TYPE/NAME is `diagnose --live TYPE/NAME`
    and a leading path is `diagnose PATH`.
    """
    name = os.path.basename(argv[0] if argv else "").removesuffix(".exe")
    rest = argv[1:]
    if name not in {"kubectl-reach", "kubectl_reach"}:
        return "kubereach", rest
    if rest and is_resource(rest[0]):
        return "kubectl reach", ["diagnose", "--live", *rest]
    if rest and (rest[0] == "-" or os.path.exists(rest[0])):
        return "kubectl reach", ["diagnose", *rest]
    return "kubectl reach", rest


def is_resource(word: str) -> bool:
    """Whether `word` is TYPE/NAME of something that kubectl knows (`svc/web`), as opposed to a path."""
    return re.fullmatch(rf"(?i)(?:{_KINDS})(?:\.[a-z0-9.-]{{1,200}})?/[a-z0-9.-]{{1,253}}", word) is not None
