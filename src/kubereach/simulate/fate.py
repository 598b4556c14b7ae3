"""What a walk is made of: packets, steps, branches, and the closed set of ways in which they end."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from kubereach.model import attribute as a


class Fate(StrEnum):
    """How a branch ends, seen from the sender."""

    DELIVERED = "delivered"  # the application answered
    ERROR = "error"  # the application answered with an error
    HOST = "host"  # a node's own stack answered in the service's name
    REFUSED = "refused"  # RST or ICMP port unreachable
    UNREACHABLE = "unreachable"  # ICMP host or administratively prohibited
    NO_NEIGHBOUR = "no neighbour"  # nobody answers ARP or NDP
    NO_ROUTE = "no route"  # the router knows no way
    LOOPS = "loops"  # between router and node until the TTL is used up
    LOST = "lost"  # silence
    STALLS = "stalls"  # the handshake completes and no data comes
    PARTIAL = "large transfers stall"  # small answers arrive
    SOMETIMES = "comes and goes"  # works, and at times does not
    MOVED = "moves"  # established connections end up where nobody knows them
    SLOW = "slow"  # seconds of retransmissions first
    INSUFFICIENT = "insufficient information"


PARTLY = frozenset({Fate.PARTIAL, Fate.SOMETIMES, Fate.MOVED, Fate.SLOW})  # works, badly
UNKNOWN_SOURCE = "the client does not know"  # how branches end whose answers have a foreign source
WORKS = frozenset({Fate.DELIVERED})


class Packet(Struct, frozen=True):
    """What is sent: `source` is a subject; `port` is None for ICMP."""

    source: str
    address: str
    port: int | None
    protocol: str = "TCP"


class Step(Struct, frozen=True):
    """One step; `keys` are the leaves it rests on."""

    kind: str
    device: str
    says: str
    before: str = ""
    after: str = ""
    keys: tuple[a.Key, ...] = ()


class Branch(Struct, frozen=True):
    """One way: its weight, where it enters the cluster, how it ends. `direct` when the reply bypasses the router."""

    weight: float
    fate: Fate
    at: str
    why: str
    entry: str = ""
    endpoint: str = ""
    direct: bool = False
    forward: tuple[Step, ...] = ()
    back: tuple[Step, ...] = ()


class Walk(Struct, frozen=True):
    """All branches; `together` when they exist side by side."""

    branches: tuple[Branch, ...]
    together: bool = False

    def share(self, *fates: Fate) -> float:
        """The weight of the branches that end so."""
        return sum(b.weight for b in self.branches if b.fate in fates)

    def works(self) -> bool:
        """Whether every branch delivers."""
        return all(b.fate in WORKS for b in self.branches)
