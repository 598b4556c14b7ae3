"""Policy routing: `ip rule`.

Reads
    `ip rule [show]` of IPv4 and IPv6, with names or numbers of tables.
Ask
    ip rule, on the node.
Facts
    One Setting `ip rule` per rule, in the words of the program: `PRIORITY: from … lookup TABLE`.
Not read
    Nothing of it.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.evidence.lines import readable
from kubereach.evidence.reader import Ask, Reading, spans
from kubereach.evidence.terminal import is_noise, subject_of
from kubereach.model.fact import Setting

COMMANDS = (r"(?:^|[\s/])ip(?:\s+-\S{1,10}){0,5}\s+ru(?:l|le)?(?:\s*$|\s*\||\s+(?:sh|show|list|ls|l)\b)",)
SIGNATURES = (r"\d{1,5}:\s{1,8}(?:not )?from \S{2,60}(?: [a-z0-9./:_-]{1,60}){0,12} (?:lookup|goto|blackhole|unreach)",)
ASKS = (Ask(command="ip rule", where="node", gives="whether replies take another table than the main one"),)

_RULE = r"(\d{1,10}):\s{1,8}((?:not )?from \S{2,60}.{0,300})$"


def read(capture: Capture) -> Reading:
    """The rules, and the lines that are none."""
    facts: list[Setting] = []
    unread: list[int] = []
    for index, line in enumerate(readable(capture.lines)):
        match = re.match(_RULE, line.rstrip())
        if match:
            facts.append(
                Setting(
                    origin=capture.origin(index, index + 1),
                    trust=capture.trust,
                    taken=capture.taken,
                    subject=subject_of(capture.host),
                    attribute="ip rule",
                    value=f"{match[1]}: {' '.join(match[2].split())}",
                )
            )
        elif not is_noise(line):
            unread.append(index)
    return Reading(tuple(facts), spans(unread))
