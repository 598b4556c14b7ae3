"""Where the lab keeps what took time to get: a folder of the user's, safe to delete at any time."""

from __future__ import annotations

import os
from pathlib import Path


def folder(name: str) -> Path:
    """The cache folder `name` (XDG Base Directory Specification), which need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "kubereach" / name
