"""Routing tables by the names that vendors give to VRFs."""

from __future__ import annotations

import re


def vrf_of(command: str) -> str:
    """The table that a command asks for; `main` for the one outside any VRF."""
    match = re.search(r"\bvrf[ =]([\w.-]{1,40})", command)
    return table_of(match[1]) if match else "main"


def table_of(vrf: str) -> str:
    """The table of a VRF's name."""
    return "main" if vrf in {"default", "all", "global", "master"} else vrf
