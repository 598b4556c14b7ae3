"""`kubectl exec` in the lab, which has no kubelet: the command runs on the node (or pod) where the real one would.

`python -m kubereach.lab.kubernetes.execute LAB exec [-n NS] POD|ds/NAME [-c CONTAINER] -- COMMAND…`
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kubereach.lab.kubernetes.agents import everything
from kubereach.lab.kubernetes.daemons import cluster_of
from kubereach.lab.lab import Lab

_VALUED = ("-n", "--namespace", "-c", "--container")


def place(lab: Lab, words: Sequence[str]) -> tuple[str, list[str]]:
    """The lab's host and the command of a `kubectl exec`. Raises ValueError with kubectl's own message."""
    options: dict[str, str] = {}
    plain: list[str] = []
    stop = words.index("--") if "--" in words else len(words)
    head, inner = list(words[:stop]), list(words[stop + 1 :])
    while head:
        word = head.pop(0)
        name, equals, value = word.partition("=")
        if name in _VALUED:
            options[name.lstrip("-")[:1]] = value if equals else (head.pop(0) if head else "")
        elif not word.startswith("-"):
            plain.append(word)
    wanted = plain[1] if plain[:1] == ["exec"] and len(plain) > 1 else ""
    if not wanted or not inner:
        raise ValueError("error: you must specify a pod and, after --, at least one command for the container")
    namespace, (kind, _, name) = options.get("n", "default"), wanted.rpartition("/")
    for entry in everything(cluster_of(lab)):
        meta = entry["metadata"]
        if entry["kind"] != "Pod" or meta["namespace"] != namespace:
            continue
        owner = meta.get("ownerReferences", [{}])[0].get("name", "")
        if name == (owner if kind in {"ds", "daemonset", "daemonset.apps"} else meta["name"]):
            return (entry["spec"]["nodeName"] if owner else meta["name"]), inner
    raise ValueError(f'Error from server (NotFound): pods "{name}" not found')


def main(words: Sequence[str]) -> int:
    """Replace this process by the command; the exit status where that cannot be."""
    lab = Lab.attach(words[0])
    try:
        host, inner = place(lab, words[1:])
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    own: Path = lab.folder / "bin" / host
    command = lab.argv(host, ["env", f"PATH={own}:{os.environ['PATH']}", *inner])
    return os.execvp(command[0], command)  # noqa: S606 - a list of words, no shell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
