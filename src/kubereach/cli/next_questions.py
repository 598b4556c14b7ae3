"""`kubereach next`."""

from __future__ import annotations

import click

from kubereach.cli.diagnose import flow_options, sources, stdin
from kubereach.cli.output import write, write_document

_EPILOG = """\b
Examples:
  kubereach next post.txt
  kubereach next outputs/ --limit 1
  kubereach next case.tar.gz -o json | jq -r '.questions[0].command'

\b
Exit status: 0 when the list is printed (it may be empty), 2 usage,
4 nothing readable."""


@click.command("next", epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--service", metavar="NS/NAME", help="The service, where the evidence holds several.")
@click.option("--address", metavar="IP[:PORT]", help="The address (and port) that cannot be reached.")
@click.option("--from", "from_", metavar="IP", help="The client's address.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="At most so many.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="The form.",
)
def command(
    *, paths: tuple[str, ...], service: str | None, address: str | None, from_: str | None, limit: int, output: str
) -> None:
    """List the questions whose answers would tell most about the cause, best first.

    PATH is what `diagnose` takes. For each question: where to run the command, what right it needs, whether it changes
    anything, and what each answer would mean. First comes what gives the most information per second of somebody's
    time; what only reads comes before what changes anything.
    """
    options = flow_options(service, address, from_)
    given = sources(paths)
    from kubereach.pipeline import diagnose, load

    bundle = load(given, stdin())
    diagnosis = diagnose(bundle.documents, options, bundle.skipped, most_probes=limit)
    from kubereach.report import questions

    if output == "json":
        from kubereach.report import jsonform

        write(jsonform.render(questions.next_list(diagnosis)), "utf-8")
    else:
        write_document(questions.compose(diagnosis), output)
