"""API paths as strings, and scalar values in their one spelling."""

from __future__ import annotations

import re

from kubereach.model.address import canonical_address
from kubereach.model.fact import Scalar

REDACTED = "<redacted>"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def join(path: str, key: str) -> str:
    """`path` and one more key: plain with a dot, in `["…"]` when the key itself holds dots, brackets or blanks."""
    if not key or any(character in key for character in '.[]"\\ \t'):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{key}" if path else key


def canonical_scalar(value: Scalar) -> Scalar:
    """`value`, with an IPv6 address (and the address part of a prefix) in its canonical spelling."""
    if not isinstance(value, str) or value.count(":") < 2 or len(value) > 64:
        return value
    address, slash, length = value.partition("/")
    canonical = canonical_address(address) if "[" not in value and "%" not in value else None
    return value if canonical is None else canonical + slash + length


def typed(text: str) -> Scalar:
    """What kubectl printed for a scalar: `true`, `false`, `<nil>` and integers typed, everything else as text."""
    if text in {"true", "false"}:
        return text == "true"
    if text == "<nil>":
        return None
    if len(text) < 18 and re.fullmatch(r"-?(?:0|[1-9][0-9]*)", text):
        return int(text)
    return canonical_scalar(text)


def is_secret_key(key: str) -> bool:
    """Whether a field, variable or option of this name holds a secret itself (a reference to one does not)."""
    word = key.lower().replace("-", "").replace("_", "")
    return word.endswith(
        ("password", "passwd", "passphrase", "secretkey", "authkey", "apikey", "privatekey")
    ) or word in {
        "token",
        "authtoken",
        "bearertoken",
        "psk",
        "passwords",
        "peerrouterpasswords",
    }


def redact_argument(text: str) -> str:
    """A program argument without its secret: `--peer-router-passwords=<redacted>`."""
    match = re.match(r"(--?[A-Za-z][\w-]{0,60})=", text)
    if match and is_secret_key(match[1].lstrip("-")):
        return f"{match[1]}={REDACTED}"
    return text
