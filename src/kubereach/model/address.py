"""IP addresses and prefixes as canonical strings, with the few questions the model asks of them.

Strings keep facts readable and hashable; parsing is cached, since one bundle names few distinct addresses.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=4096)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `text` (a zone such as `%eth0` is dropped), or None."""
    try:
        return ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def parse_prefix(text: str) -> IPv4Network | IPv6Network | None:
    """The network in `text`, host bits cleared; a bare address is a host route; None when it is neither."""
    text = text.strip()
    if text in {"default", "0/0"}:
        text = "0.0.0.0/0"
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def canonical_address(text: str) -> str | None:
    """`text` in its one canonical spelling (RFC 5952 for IPv6), or None when it is no address."""
    address = parse_address(text)
    return None if address is None else str(address)


@lru_cache(maxsize=4096)
def canonical_prefix(text: str) -> str | None:
    """`text` in its one canonical spelling with cleared host bits, or None when it is no prefix."""
    prefix = parse_prefix(text)
    return None if prefix is None else str(prefix)


@lru_cache(maxsize=16384)
def contains(prefix: str, address: str) -> bool:
    """Whether `address` (or a whole prefix) lies inside `prefix`; False when either cannot be read."""
    outer, inner = parse_prefix(prefix), parse_prefix(address)
    if outer is None or inner is None or outer.version != inner.version:
        return False
    return inner.subnet_of(outer)  # type: ignore[arg-type]  # both are of one family, which mypy cannot see


def prefix_length(prefix: str) -> int:
    """The length of `prefix`; -1 when it cannot be read."""
    network = parse_prefix(prefix)
    return -1 if network is None else network.prefixlen


def host_prefix(address: str) -> str:
    """The /32 or /128 of `address`; the text itself when it is no address."""
    return canonical_prefix(address) or address


def family(address: str) -> int:
    """4 or 6; 0 when `address` is neither an address nor a prefix."""
    network = parse_prefix(address)
    return 0 if network is None else network.version
