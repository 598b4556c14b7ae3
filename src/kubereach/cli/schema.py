"""`kubereach schema`."""

from __future__ import annotations

import click

from kubereach.cli.output import write


@click.command(
    "schema",
    epilog="\b\nExample:\n  kubereach schema > diagnosis.schema.json",
)
def command() -> None:
    """Print the JSON Schema of what `kubereach diagnose -o json` prints."""
    from kubereach.report.jsonform import schema

    write(schema(), encoding="utf-8")
