"""The words that BGP speakers share: states, and what BIRD protocol names tell about the peer."""

from __future__ import annotations

import re

from kubereach.model.address import canonical_address

_STATES = {
    "idle": "Idle",
    "connect": "Connect",
    "active": "Active",
    "opensent": "OpenSent",
    "open_sent": "OpenSent",
    "openconfirm": "OpenConfirm",
    "open_confirm": "OpenConfirm",
    "established": "Established",
    "estab": "Established",
    "establ": "Established",
    "up": "Established",
    "passive": "Active",  # BIRD's word for waiting to be dialled (proto/bgp/bgp.c bgp_get_status)
    "close": "Idle",
    "closing": "Idle",
    "down": "Down",
    "shutdown": "Down",
    "clearing": "Idle",
    "deleted": "Down",
}


def session_state(word: str) -> str:
    """RFC 4271's word for `word` of any vendor, "" when it is none."""
    return _STATES.get(word.strip().lower(), "")


def peer_of_protocol(name: str) -> tuple[str, str]:
    """Address and peer type that Calico puts into a BIRD protocol name (confd's bird.cfg.template).

    `Global_192_0_2_1`, `Mesh_2001_db8__1`, `Node_192_0_2_9_port_1790`; two empty strings for other names.
    """
    match = re.match(r"(Global|Mesh|Node)_([0-9A-Fa-f_]{2,45}?)(?:_port_\d{1,5})?$", name)
    if match is None:
        return "", ""
    kind = {"Global": "global", "Mesh": "node-to-node mesh", "Node": "node specific"}[match[1]]
    for separator in (".", ":"):
        address = canonical_address(match[2].replace("_", separator))
        if address:
            return address, kind
    return "", ""


def number(text: str | None) -> int | None:
    """An AS number or a count (`65500`, `65000.1`), None when it is neither."""
    if not text:
        return None
    if re.match(r"\d{1,10}$", text):
        return int(text)
    dotted = re.match(r"(\d{1,5})\.(\d{1,5})$", text)
    return (int(dotted[1]) << 16) + int(dotted[2]) if dotted else None


def bird_session(column: str, info: str) -> tuple[str, str]:
    """State and last error from BIRD's state and info columns.

    BIRD prints no BGP word for a protocol that is down, only its last error (proto/bgp/bgp.c bgp_get_status); without
    an error it was disabled.
    """
    word, _, rest = info.strip().partition(" ")
    state = session_state(word)
    if state:
        return state, rest.strip()
    if column == "up":
        return "Established", info.strip()
    if column == "down":
        return ("Idle" if info.strip() else "Down"), info.strip()
    return "", info.strip()
