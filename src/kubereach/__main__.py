"""The programs `kubereach` and `kubectl-reach`, and `python -m kubereach`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    from kubereach.cli.main import run

    sys.exit(run(sys.argv))


if __name__ == "__main__":
    main()
