"""`kubereach schema`."""

from __future__ import annotations

from importlib import import_module

import click

from kubereach.cli.output import write

# verb → (module, type) of what it prints as JSON. Data, so that a schema imports no other verb's types.
TYPES = {
    "diagnose": ("kubereach.model.diagnosis", "Diagnosis"),
    "next": ("kubereach.model.next_list", "NextList"),
    "what-if": ("kubereach.model.what_if", "WhatIf"),
    "diff": ("kubereach.model.difference", "Difference"),
    "collect-list": ("kubereach.report.collection", "Listed"),
    "formats": ("kubereach.evidence.catalogue", "Formats"),
}


@click.command(
    "schema",
    epilog="""\b
Examples:
  kubereach schema > diagnosis.schema.json
  kubereach schema next""",
)
@click.argument("verb", type=click.Choice([*TYPES]), default="diagnose", metavar="[VERB]")
def command(*, verb: str) -> None:
    """Print the JSON Schema of what `kubereach VERB -o json` prints.

    VERB is diagnose (without one), next, what-if, diff, collect-list or formats.
    """
    from kubereach.report.jsonform import schema

    module, name = TYPES[verb]
    write(schema(getattr(import_module(module), name)), encoding="utf-8")
