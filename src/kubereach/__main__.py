"""The programs `kubereach` and `kubectl-reach`, and `python -m kubereach`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        from kubereach.cli.main import run

        status = run(sys.argv)
    except KeyboardInterrupt:  # while it was still loading, or already leaving
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
