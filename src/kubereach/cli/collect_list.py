"""`kubereach collect-list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kubereach.cli.diagnose import flow_options
from kubereach.cli.output import output_width, write
from kubereach.errors import UnreadableError

if TYPE_CHECKING:
    from kubereach.pipeline import Options
    from kubereach.report.collection import Collection

_EPILOG = """\b
Examples:
  kubereach collect-list --service shop/front
  kubereach collect-list --service shop/front --address 203.0.113.10:80
  kubereach collect-list post.txt -o markdown

Nothing is run: the list is for you, or for whoever has access."""


@click.command("collect-list", epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--service", metavar="NS/NAME", help="The service.")
@click.option("--address", metavar="IP[:PORT]", help="The address (and port) that cannot be reached.")
@click.option("--from", "from_", metavar="IP", help="The client's address.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="The form.",
)
def command(
    *, paths: tuple[str, ...], service: str | None, address: str | None, from_: str | None, output: str
) -> None:
    """List the commands whose outputs would decide, with where to run each and what right it needs.

    Without PATH the whole list, by place. With PATH (as for `diagnose`, - for standard input) only what that evidence
    leaves open: the questions that separate its causes, best first, then what is missing.
    """
    options = flow_options(service, address, from_)
    found = _open_questions(paths, options) if paths else _everything(options)
    from kubereach.report import collection

    if output == "json":
        write(collection.as_json(found), "utf-8")
    elif output == "markdown":
        write(collection.as_markdown(found), "utf-8")
    else:
        write(collection.as_text(found, output_width()))


def _everything(options: Options, note: str = "") -> Collection:
    from kubereach.advise.collect import Names, full
    from kubereach.report.collection import Collection

    namespace, _, name = (options.service or "NAMESPACE/NAME").partition("/")
    address, port = options.address or "ADDRESS", str(options.port or "PORT")
    named = f" {options.service}" if options.service else " a service"
    at = f" at {address}" if options.address else ""
    return Collection(
        head=f"What decides why{named}{at} cannot be reached",
        items=full(Names(namespace=namespace, service=name, address=address, port=port)),
        note=note,
    )


def _open_questions(paths: tuple[str, ...], options: Options) -> Collection:
    from kubereach.advise.collect import remaining
    from kubereach.cli.diagnose import stdin
    from kubereach.pipeline import diagnose, load
    from kubereach.report.collection import Collection

    bundle = load(paths, stdin())
    try:
        diagnosis = diagnose(bundle.documents, options, bundle.skipped)
    except UnreadableError as error:
        return _everything(options, f"Note: {error.message} ({error.hint}); so this is the whole list.")
    target = diagnosis.target
    named = target.service or target.address or options.service or "the service"
    at = f" at {target.address}" if target.service and target.address else ""
    items = remaining(diagnosis)
    note = "" if items else "The evidence leaves no question open that another output would decide."
    return Collection(head=f"What would decide it for {named}{at}, best first", items=items, ranked=True, note=note)
