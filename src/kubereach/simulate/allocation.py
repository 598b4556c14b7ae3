"""What allocators say when they give no address: kinds of messages by reason (metallb.md 1, others.md 1 to 4)."""

from __future__ import annotations

from collections.abc import Mapping

# reason (the value of ALLOCATION_FAULT) -> what kinds of message its controller writes, see probes.allocation_message
MESSAGES: Mapping[str, Mapping[str, float]] = {
    "no-pool": {"no-pool": 0.45, "none-free": 0.35, "not-admitted": 0.15, "refused": 0.05},
    "exhausted": {"none-free": 0.6, "full": 0.4},
    "refused": {"refused": 0.8, "none-free": 0.1, "not-admitted": 0.1},
    "class": {"class": 0.9, "none-free": 0.02, "other": 0.08},
    "controller": {"controller": 0.9, "other": 0.1},
    "host-port": {"host-port": 0.9, "other": 0.1},
}
