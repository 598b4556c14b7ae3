"""`kubectl version`: the versions of the client and of the API server.

Reads: the short form, and the old `version.Info{…}` form.
Ask: `kubectl version`.
Facts: Setting `kubernetes.version` of the subject `cluster`, from the server's line.
Not read: the client's version is passed over; it says nothing about the cluster.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.model.fact import AnyFact, Setting

COMMANDS = (
    r"^(?:\S{0,60}/)?(?:(?:k3s|microk8s|rke2) )?(?:kubectl|oc|k|kubecolor|microk8s\.kubectl)\b.{0,200} version\b",
)
SIGNATURES = (
    r"\s*Server Version: v\d+\.\d+\.\d+\S*\s*$",
    r"\s*Server Version: version\.Info\{",
)
ASKS = (Ask(command="kubectl version", where="cluster", gives="the version of the API server"),)
_SILENT = (
    r"\s*(?:Client Version|Kustomize Version|Kubernetes Version|WARNING: version difference|WARNING: This version)\b"
)


def read(capture: Capture) -> Reading:
    """A capture of versions → facts; see the module's heading."""
    facts: list[AnyFact] = []
    unread: list[int] = []
    for index, line in enumerate(capture.lines):
        match = re.match(r"\s*(?:Server|Kubernetes) Version: (?:.{0,200}GitVersion:\")?(v\d[\w.+-]{0,60})", line)
        if match:
            facts.append(
                Setting(
                    origin=capture.origin(index, index + 1),
                    trust=capture.trust,
                    taken=capture.taken,
                    subject="cluster",
                    attribute="kubernetes.version",
                    value=match[1],
                )
            )
        elif line.strip() and not re.match(_SILENT, line):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))
