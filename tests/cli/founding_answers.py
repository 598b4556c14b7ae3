"""Somebody with access to the founding case's cluster, who pastes what is short and names the file of what is long."""

from __future__ import annotations

import re
from pathlib import Path

FOUNDING = Path(__file__).parents[2] / "examples" / "founding-case"
ANSWERS = FOUNDING / "answers"
LONG = 12  # lines that nobody pastes

# (what the command holds, where it runs if that matters, the output)
_KNOWN = (
    (r"get services,", "", "kubectl-get-services-endpointslices-nodes-networkpolicies-A-o-yaml.yaml"),
    (r"get service\b", "", "kubectl-get-service-A-o-yaml.yaml"),
    (r"get pods -A", "", "kubectl-get-pods-A-o-wide.txt"),
    (r"get networkpolicies", "", "kubectl-get-networkpolicies-A-o-yaml.yaml"),
    (r"get nodes -o wide", "", "kubectl-get-nodes-o-wide.txt"),
    (r"curl .*:31877/", "the client", "curl-node-port.laptop.txt"),
    (r"exec calico-node-k9wlb .*birdcl .*show protocols", "", "birdcl-show-protocols-all.atlas-w1.txt"),
    (r"/routing/bgp/session/print", "the router", "routing-bgp-session-print.router.txt"),
)


def someone_with_access(where: str, command: str) -> str:
    """What is typed at the terminal in reply to a question."""
    for pattern, place, name in _KNOWN:
        if re.search(pattern, command) and where.startswith(place):
            text = (ANSWERS / name).read_text(encoding="utf-8")
            if len(text.splitlines()) > LONG:
                return f"file {ANSWERS.relative_to(FOUNDING) / name}\n"
            return f"{text.rstrip()}\n.\n"
    return "skip\n"
