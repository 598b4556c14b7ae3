"""What one command printed at one place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from benchmarks.diagnosis.generate.flow import entries
from benchmarks.diagnosis.generate.site import Node, Site

# The C library's emitter where PyYAML was built with it: ten times as fast.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
LONGEST_NAME = 90


@dataclass(frozen=True)
class Output:
    """`key` names the question, `host` where it ran ("" where kubectl runs). `plain` is False for YAML."""

    key: str
    host: str
    command: str
    text: str
    plain: bool = True

    @property
    def _stem(self) -> str:
        words = "sysctl" if self.key == "sysctl" else self.command
        return re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-")

    @property
    def headed(self) -> bool:
        """Whether the file's name cannot hold the command, so that it stands above its output."""
        lost = re.search(r"[/'\"]| -- ", self.command) is not None and self.host != "router"
        return self.plain and (lost or len(self._stem) > LONGEST_NAME)

    @property
    def file(self) -> str:
        """The name in a bundle: COMMAND.HOST.txt."""
        stem = self._stem[:LONGEST_NAME]
        host = f".{self.host}" if self.host else ""
        return f"{stem}{host}.{'txt' if self.plain else 'yaml'}"


def dumped(value: object) -> str:
    """`value` as kubectl prints YAML."""
    return yaml.dump(value, Dumper=DUMPER, default_flow_style=False, width=4000)


def listed(items: Sequence[Mapping[str, object]]) -> str:
    """A List as kubectl prints it."""
    return dumped({"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {"resourceVersion": ""}})


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as kubectl pads it: three blanks between the columns."""
    if not rows:
        return "No resources found\n"
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = ["   ".join(str(cell).ljust(widths[i]) for i, cell in enumerate(row)).rstrip() for row in [head, *rows]]
    return "\n".join(lines) + "\n"


def watched(site: Site) -> list[Node]:
    """The nodes that a person would log in to: where traffic enters, where the pod is, and one more."""
    chosen: list[Node] = []
    pods = [site.node(pod.node) for pod in site.pods]
    for node in [*entries(site)[:2], *pods[:2], *site.nodes]:
        if node not in chosen:
            chosen.append(node)
    return chosen[:3]


def age(site: Site) -> str:
    return site.rng.choice(("3d4h", "12d", "47h", "6d2h", "90d", "5h12m", "214d"))
