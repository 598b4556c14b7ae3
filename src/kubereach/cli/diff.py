"""`kubereach diff`."""

from __future__ import annotations

import click

from kubereach.cli.diagnose import flow_options, stdin
from kubereach.cli.output import write, write_document
from kubereach.cli.status import UNDETERMINED
from kubereach.model.diagnosis import Verdict

_EPILOG = """\b
Examples:
  kubereach diff monday/ tuesday/
  kubereach diff before.tar.gz after.tar.gz --service shop/front -o json

\b
Exit status: 0 the verdict is the same, 1 it changed, 2 usage,
3 one of the two is undetermined, 4 nothing readable."""
_CHANGED = 1


@click.command("diff", epilog=_EPILOG)
@click.argument("before")
@click.argument("after")
@click.option("--service", metavar="NS/NAME", help="The service, where the evidence holds several.")
@click.option("--address", metavar="IP[:PORT]", help="The address (and port) that cannot be reached.")
@click.option("--from", "from_", metavar="IP", help="The client's address.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="The form.",
)
def command(
    *, before: str, after: str, service: str | None, address: str | None, from_: str | None, output: str
) -> int:
    """Say what changed between two collections of one cluster, and which change made the difference.

    BEFORE and AFTER are each what `diagnose` takes as PATH. Evidence is joined on what it is about; what only one of
    them covers is listed apart and never called removed. The changes are put into the model of BEFORE until the flow
    fares as in AFTER: the smallest sets that do it are the explanation.
    """
    options = flow_options(service, address, from_)
    from kubereach.pipeline import diff, load

    first, second = load((before,), stdin()), load((after,), stdin())
    found = diff(first.documents, second.documents, options, skipped=(*first.skipped, *second.skipped))
    if output == "json":
        from kubereach.report import jsonform

        write(jsonform.render(found), "utf-8")
    else:
        from kubereach.report.difference import compose

        write_document(compose(found), output)
    if Verdict.UNDETERMINED in {found.verdict_before, found.verdict_after}:
        return UNDETERMINED
    return _CHANGED if found.verdict_before is not found.verdict_after else 0
