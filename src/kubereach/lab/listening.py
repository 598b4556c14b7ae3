"""Whether a server is there yet."""

from __future__ import annotations

from kubereach.lab.lab import Lab


def listens(lab: Lab, host: str, port: int) -> bool:
    """Whether a server listens on a TCP port of a host, at an IPv4 address (proc(5): /proc/net/tcp, state 0A)."""
    rows = [line.split() for line in lab.run(host, "cat", "/proc/net/tcp").out.splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)
