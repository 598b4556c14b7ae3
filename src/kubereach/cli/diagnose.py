"""`kubereach diagnose`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from kubereach.cli.output import write, write_document
from kubereach.cli.status import exit_status
from kubereach.errors import UsageError
from kubereach.model.address import canonical_address
from kubereach.model.diagnosis import Diagnosis

if TYPE_CHECKING:  # the engine is loaded once the command line is known to be right
    from kubereach.pipeline import Options

_ASKED = 50  # questions that the interview may choose from
_EPILOG = """\b
Examples:
  kubereach diagnose post.txt
  kubereach diagnose outputs/ --address 203.0.113.10:80 --from 10.40.7.5
  ssh worker-0 ip route | kubereach diagnose - more-outputs.txt
  kubereach diagnose case.tar.gz -o json | jq .causes[0]
  kubereach diagnose --interactive post.txt
  kubereach diagnose --lab                 the lab that is up, live

\b
Exit status: 0 reachable or merely misread, 1 unreachable or degraded,
2 usage, 3 undetermined, 4 nothing readable."""


@click.command("diagnose", epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--service", metavar="NS/NAME", help="The service, where the evidence holds several.")
@click.option("--address", metavar="IP[:PORT]", help="The address (and port) that cannot be reached.")
@click.option("--from", "from_", metavar="IP", help="The client's address.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="The report's form; markdown fits into an issue.",
)
@click.option("--live", is_flag=True, help="Collect from the running cluster (not there yet).")
@click.option("-i", "--interactive", is_flag=True, help="Ask for further outputs until the cause is clear.")
@click.option(
    "--lab",
    metavar="[NAME]",
    is_flag=False,
    flag_value="lab",
    help="Collect from a lab that is up (see `kubereach lab`).",
)
@click.option("-v", "--verbose", is_flag=True, help="Show also what was not understood.")
@click.option("-q", "--quiet", is_flag=True, help="Show only the verdict, its cause and the flow.")
def command(
    *,
    paths: tuple[str, ...],
    service: str | None,
    address: str | None,
    from_: str | None,
    output: str,
    live: bool,
    interactive: bool,
    lab: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Say why a client cannot reach a service address, and what will make it work.

    PATH is a text file (a pasted post will do), a folder of command outputs, a .zip or .tar.gz of one, or - for
    standard input. Without PATH, what is piped in is read.
    """
    if live:
        raise UsageError(*_no_live(paths))
    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other", "leave one of them out")
    if lab is not None and paths:
        raise UsageError("--lab collects by itself and takes no PATH", "leave out one of them")
    if lab is not None and interactive:
        raise UsageError("--lab collects by itself and asks nobody", "leave out --interactive")
    options = flow_options(service, address, from_)
    if lab is not None:
        diagnosis = _of_the_lab(lab, options)
    else:
        diagnosis = _asked(paths, options) if interactive else _read(paths, options)
    render(diagnosis, output, 2 if verbose else 0 if quiet else 1)
    return exit_status(diagnosis)


def _read(paths: tuple[str, ...], options: Options) -> Diagnosis:
    given = sources(paths)
    from kubereach.pipeline import diagnose, load

    bundle = load(given, stdin())
    return diagnose(bundle.documents, options, bundle.skipped)


def _asked(paths: tuple[str, ...], options: Options) -> Diagnosis:
    """The diagnosis after as many questions as it took; its next probes are cut to what a report shows."""
    from msgspec.structs import replace

    from kubereach.advise.next_probe import MOST_PROBES
    from kubereach.cli import interactive
    from kubereach.pipeline import diagnose, load

    interactive.require_terminal()
    if "-" in paths:
        raise UsageError(
            "--interactive reads the answers from standard input, so that - cannot be a PATH", "leave it out"
        )
    bundle = load(paths, None) if paths else None
    documents = list(bundle.documents) if bundle else [interactive.beginning()]
    skipped = bundle.skipped if bundle else ()
    found = interactive.interviewed(
        documents,
        lambda known: diagnose(known, options, skipped, most_probes=_ASKED),
        lambda name: load((name,), None).documents,
    )
    return replace(found, next_probes=found.next_probes[:MOST_PROBES])


def _of_the_lab(name: str, options: Options) -> Diagnosis:
    """The diagnosis of a lab that is up: what its hosts say now, by the same engine, of its own flow by default."""
    from kubereach.lab import live
    from kubereach.lab.lab import Lab
    from kubereach.lab.tools import complete_path
    from kubereach.lab.wiring import address_of
    from kubereach.pipeline import Options, diagnose

    complete_path()
    running = Lab.attach(name)
    flow = live.flow(running)
    given = options != Options()
    client = address_of(running.scenario, running.scenario.client)
    own = Options(service=f"{flow.namespace}/{flow.service}", address=flow.address, port=flow.port, from_=client)
    return diagnose(live.documents(running).documents, options if given else own)


def _no_live(paths: tuple[str, ...]) -> tuple[str, str]:
    from kubereach.cli.plugin import is_resource

    named = f" of {paths[0]}" if paths and is_resource(paths[0]) else ""
    what = f"the live diagnosis{named} (--live) is not part of this version"
    example = "kubectl get svc,nodes,pods -A -o yaml > outputs/kubectl-get.yaml"
    return what, f"save outputs into a folder (say `{example}`) and run `kubereach diagnose outputs/`"


def sources(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths, or standard input when something is piped in. Raises UsageError when there is neither."""
    if paths:
        return paths
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "nothing to diagnose: no PATH is given and nothing is piped in",
            "save the post or the outputs to a file and run `kubereach diagnose FILE`",
        )
    return ("-",)


def stdin() -> BinaryIO | None:
    """Standard input as bytes; None when it is closed."""
    return None if sys.stdin is None else sys.stdin.buffer


def flow_options(service: str | None, address: str | None, from_: str | None) -> Options:
    """The flow as the options name it. Raises UsageError for one that cannot be."""
    if service is not None and not re.fullmatch(r"[a-z0-9.-]{1,253}/[a-z0-9.-]{1,253}", service):
        raise UsageError(f"--service {service!r} is not of the form NS/NAME", "write it like `--service default/nginx`")
    from kubereach.pipeline import Options

    host, port = (None, None) if address is None else _endpoint(address)
    client = None if from_ is None else canonical_address(from_)
    if from_ is not None and client is None:
        raise UsageError(f"--from {from_!r} is no IP address", "write it like `--from 10.40.7.5`")
    return Options(service=service, address=host, port=port, from_=client)


def _endpoint(text: str) -> tuple[str, int | None]:
    """IP[:PORT] → address and port; a port after IPv6 needs the brackets of `[2001:db8::1]:80`."""
    found = re.fullmatch(r"\[([^\]]{1,60})\](?::(\d{1,5}))?|([^:\[\]]{1,60})(?::(\d{1,5}))?", text)
    if found:
        host, port = found[1] or found[3], found[2] or found[4]
    else:  # bare IPv6
        host, port = "" if text.startswith("[") else text, None
    address = canonical_address(host)
    if address is None or (port is not None and not 0 < int(port) < 65536):
        raise UsageError(
            f"--address {text!r} is not of the form IP[:PORT]",
            "write it like `--address 203.0.113.10:80` or `--address [2001:db8::1]:80`",
        )
    return address, None if port is None else int(port)


def render(diagnosis: Diagnosis, output: str, detail: int) -> None:
    """Write the report to standard output."""
    if output == "json":
        from kubereach.report import jsonform

        write(jsonform.render(diagnosis), "utf-8")
        return
    from kubereach.report.document import Detail, compose

    write_document(compose(diagnosis, Detail(detail)), output)
