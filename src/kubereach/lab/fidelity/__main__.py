"""`python -m kubereach.lab.fidelity`: run a campaign, and write what it found to docs/fidelity.md."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click

from kubereach.lab import requirements, scenario
from kubereach.lab.fidelity import campaign, judging, picture, report, sickbay
from kubereach.lab.fidelity.campaign import Outcome
from kubereach.lab.fidelity.compare import SAYS

HEAD = """# How true the simulator is

Every experiment brings up a system in network namespaces with real daemons (BIRD, FRR, keepalived, a layer-2
responder), kube-proxy's rules and a real kernel, breaks it for real, and measures it from every client and node: ping,
TCP to four ports, HTTP, traceroute over UDP and TCP, arping, captures on every host, routes and sessions. What the
outputs show is read as a user's evidence would be, and compared with what the simulator predicts from the healthy
configuration and the name of the fault alone.

A prediction says something when one answer has at least {says:.0f} %. It agrees when reality shows that answer. This
page is written by `make fidelity`; an experiment is repeated by its name, `kubereach lab run NAME`.
"""
PICTURE = "founding-case-vxlan"  # shown whole


@click.command()
@click.option("--runs", default=0, show_default=True, help="Systems drawn at random.")
@click.option("--first", default=1, show_default=True, help="The first one's number.")
@click.option("--systematic/--no-systematic", default=True, help="Every scenario with every fault.")
@click.option("--scenario", "names", multiple=True, help="Only these scenarios of the systematic part.")
@click.option("--jobs", default=4, show_default=True, help="Labs at once; most of an experiment is waiting.")
@click.option(
    "--kept",
    type=click.Path(path_type=Path),
    default=Path("fidelity"),
    show_default=True,
    help="The folder of measurements. What is there is not run again, but judged anew by the simulator as it is now.",
)
@click.option("--write", "page", type=click.Path(path_type=Path), help="Write the page.")
def main(
    *,
    runs: int,
    first: int,
    systematic: bool,
    names: tuple[str, ...],
    jobs: int,
    kept: Path,
    page: Path | None,
) -> None:
    """Measure what is not in the folder of measurements yet, and say how well the simulator predicts all of them."""
    wanted = [*(campaign.systematic(names or scenario.names()) if systematic else ()), *campaign.drawn(first, runs)]
    todo = [name for name in wanted if not campaign.file_of(kept, name).exists()]
    for name in dict.fromkeys(name.partition("+")[0] for name in todo):
        requirements.check(campaign.planned(name))
    done = campaign.run(todo, jobs, lambda outcome: click.echo(_line(outcome)), kept)
    before = [campaign.file_of(kept, name) for name in wanted if name not in set(todo)]
    with ProcessPoolExecutor() as pool:
        found = [*pool.map(campaign.again, before), *done]
    cases = sickbay.load()
    click.echo(report.as_markdown(found, cases, "All"))
    if page:
        diagnosed = judging.read(kept / "judged.jsonl").values()
        more = [judging.as_markdown(diagnosed)] if diagnosed else []
        if (file := campaign.file_of(kept, PICTURE)).exists():
            more.append(picture.as_markdown(campaign.measurement(file), campaign.again(file)))
        page.write_text(_page(found, cases, more), encoding="utf-8")
    summary = report.summarise(found, cases)
    cured = summary.cured if systematic and runs and not names else ()
    if cured:
        click.echo(f"no longer wrong, so to be taken out of the sickbay: {', '.join(cured)}")
    sys.exit(bool(summary.unknown or summary.errors or cured))


def _line(outcome: Outcome) -> str:
    if outcome.error:
        return f"{outcome.name}: {outcome.error}"
    found = [c for finding in outcome.findings for c in finding.comparisons]
    decided = [c for c in found if c.decided]
    return f"{outcome.name}: {sum(c.agrees for c in decided)} of {len(decided)}, {len(found) - len(decided)} open"


def _page(found: list[Outcome], cases: tuple[sickbay.Case, ...], more: list[str]) -> str:
    drawn = [o for o in found if o.name.isdigit()]
    planned = [o for o in found if not o.name.isdigit()]
    parts = [
        HEAD.format(says=100 * SAYS),
        report.as_markdown(planned, cases, "Scenarios that come with kubereach"),
        report.as_markdown(drawn, cases, "Systems drawn at random"),
    ]
    parts += more
    if cases:
        parts.append("### The sickbay\n")
        parts += [f"- **{case.name}**: {case.cause} {case.expectation}" for case in cases]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    main()
