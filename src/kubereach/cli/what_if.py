"""`kubereach what-if`."""

from __future__ import annotations

import click

from kubereach.cli.diagnose import flow_options, sources, stdin
from kubereach.cli.output import write, write_document
from kubereach.cli.status import UNDETERMINED, UNREACHABLE
from kubereach.model.what_if import Effect, Result, WhatIf

_EPILOG = """\b
Examples:
  kubereach what-if outputs/ \\
    --set service/default/web.spec.externalTrafficPolicy=Cluster
  kubereach what-if case.zip --down node/worker-1
  kubereach what-if outputs/ --set cluster.kube-proxy.mode=iptables \\
    --set 'node/worker-1.sysctl net.ipv4.conf.all.rp_filter=0'
  kubereach what-if outputs/ --apply repair.yaml -o json

\b
Exit status: 0 the flow then works and nothing else breaks, 1 it does not, or
something breaks, 2 usage, 3 undetermined, 4 nothing readable."""


@click.command("what-if", epilog=_EPILOG)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--set", "sets", metavar="SUBJECT.PATH=VALUE", multiple=True, help="Set a field or setting.")
@click.option("--down", metavar="node/NAME", multiple=True, help="Take a node away.")
@click.option("--apply", "manifests", metavar="FILE", multiple=True, help="Apply Kubernetes manifests.")
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
    *,
    paths: tuple[str, ...],
    sets: tuple[str, ...],
    down: tuple[str, ...],
    manifests: tuple[str, ...],
    service: str | None,
    address: str | None,
    from_: str | None,
    output: str,
) -> int:
    """Say what a change would do, before it is made: to the flow, and to every service by every entry node.

    PATH is what `diagnose` takes. SUBJECT is KIND/NS/NAME or KIND/NAME (service/default/web, bgppeer/edge), node/NAME,
    cluster or router; PATH the API's own field path, or a setting (kube-proxy.mode, sysctl NAME). A VALUE in brackets
    is JSON; null takes the field away. In manifests, fields that are given replace what is there, lists as a whole;
    status is not applied.
    """
    options = flow_options(service, address, from_)
    given = sources(paths)
    from kubereach.pipeline import load, what_if

    bundle = load(given, stdin())
    applied = load(manifests, None).documents if manifests else ()
    answer = what_if(bundle.documents, options, sets=sets, down=down, manifests=applied, skipped=bundle.skipped)
    if output == "json":
        from kubereach.report import jsonform

        write(jsonform.render(answer), "utf-8")
    else:
        from kubereach.report.what_if import compose

        write_document(compose(answer), output)
    return _status(answer)


def _status(answer: WhatIf) -> int:
    if answer.flow.after.result is Result.UNKNOWN:
        return UNDETERMINED
    broken = any(row.effect is Effect.BREAKS for row in answer.rows if not row.via)
    return UNREACHABLE if broken or answer.flow.after.result is not Result.WORKS else 0
