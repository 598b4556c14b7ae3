"""`python -m kubereach.lab.fidelity.judging`: diagnose every fault that the lab can enact, and say how well it went."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import msgspec

from kubereach.diagnose.catalogue import fault_module
from kubereach.errors import KubereachError
from kubereach.evidence.document import Document
from kubereach.lab import scenario
from kubereach.lab.fidelity import campaign, weighing
from kubereach.lab.fidelity.diagnosing import CERTAIN, CLEAR, MOST_QUESTIONS, Judged, judge
from kubereach.lab.lab import CommandError

HEAD = """### Diagnosis of enacted faults

Each fault is enacted in each scenario where it has a place and the client's request then fails. The program gets what
people paste first (`curl -v`, the service, the nodes), and then the real answer to one suggested question after the
other, until a cause is at least {clear:.0%} likely or {most} questions were asked. A named class counts, not a code;
confidently wrong is another class with at least {certain:.0%}.
"""


@click.command()
@click.option("--scenario", "names", multiple=True, help="Only these scenarios.")
@click.option("--fault", "codes", multiple=True, help="Only these faults.")
@click.option("--jobs", default=2, show_default=True, help="Labs at once; most of a run is waiting.")
@click.option("--records", type=click.Path(path_type=Path), default=Path("judged.jsonl"), show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Save each run's outputs in a folder here.")
@click.option("--why", is_flag=True, help="Where the cause is not the first: what each observation costs it.")
def main(
    *, names: tuple[str, ...], codes: tuple[str, ...], jobs: int, records: Path, keep: Path | None, why: bool
) -> None:
    """Run what the records do not hold yet, add it, and print the section as Markdown."""
    past = read(records)
    wanted = [n for n in campaign.systematic(names or scenario.names()) if "+" in n]
    todo = [n for n in wanted if n not in past and (not codes or n.partition("+")[2].partition("@")[0] in codes)]
    folder = keep or (records.parent / "judged" if why else None)

    def one(number: int, name: str) -> Judged:
        base, _, fault = name.partition("+")
        kept = folder / name.replace("/", "_") if folder else None
        try:
            return judge(name, scenario.load(base), fault, f"jd{os.getpid() % 10000}x{number}", kept)
        except (CommandError, KubereachError, OSError) as error:
            truth = fault_module(fault.partition("@")[0]).FAULT.class_
            said = " ".join(str(error).split())[:300]
            return Judged(name=name, fault=fault, truth=truth, hurts=False, verdict="", causes=(), asked=(), error=said)

    with records.open("ab") as file, ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(lambda job: one(*job), enumerate(todo)):
            file.write(msgspec.json.encode(found) + b"\n")
            file.flush()
            click.echo(line(found))
            if why and folder and found.hurts and found.rank != 1:
                for text in _why(found, folder):
                    click.echo(f"    {text}")
    click.echo(as_markdown(read(records).values()))


def read(records: Path) -> dict[str, Judged]:
    """The recorded diagnoses by name; the last one of a name counts, and failed runs do not."""
    if not records.exists():
        return {}
    found = (msgspec.json.decode(text, type=Judged) for text in records.read_bytes().splitlines())
    return {judged.name: judged for judged in found if not judged.error}


def line(found: Judged) -> str:
    """A run in one line."""
    if found.error:
        return f"{found.name}: {found.error}"
    if not found.hurts:
        return f"{found.name}: does not hurt"
    first = ", ".join(f"{name} {p:.2f}" for name, p in found.causes[:3]) or "nothing"
    wrong = "  CONFIDENTLY WRONG" if found.wrongly_certain else ""
    return f"{found.name}: place {found.rank} after {len(found.asked)} questions: {first}{wrong}"


def _why(found: Judged, folder: Path) -> Iterable[str]:
    kept = folder / found.name.replace("/", "_")
    documents = [Document(path.name, path.read_bytes()) for path in sorted(kept.iterdir())]
    weighed = weighing.weigh(documents, scenario.load(found.name.partition("+")[0]), found.fault)
    return weighing.lines(weighed[:8]) if weighed else ("no hypothesis has the fault",)


def as_markdown(judged: Iterable[Judged]) -> str:
    """The section for docs/fidelity.md."""
    hurting = [j for j in judged if j.hurts]
    by_scenario: dict[str, list[Judged]] = {}
    for found in hurting:
        by_scenario.setdefault(found.name.partition("+")[0], []).append(found)
    rows = [_row(name, found) for name, found in sorted(by_scenario.items())]
    if len(rows) > 1:
        rows.append(_row("**all**", hurting))
    table = [
        "| scenario | faults | first | among the first three | confidently wrong | questions |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    missed = [
        f"- {j.name}: {j.truth} at place {j.rank or 'none'}; first is {j.causes[0][0] if j.causes else 'nothing'}"
        + (f" ({j.causes[0][1]:.2f})" if j.causes else "")
        for j in sorted(hurting, key=lambda j: j.name)
        if j.rank != 1
    ]
    head = HEAD.format(clear=CLEAR, most=MOST_QUESTIONS, certain=CERTAIN)
    parts = [head, *table, *rows, "", *(["Not first:", "", *missed] if missed else [])]
    return "\n".join(parts).rstrip() + "\n"


def _row(name: str, found: Sequence[Judged]) -> str:
    count = len(found)
    first = sum(j.rank == 1 for j in found) / count
    three = sum(1 <= j.rank <= 3 for j in found) / count
    wrong = sum(j.wrongly_certain for j in found)
    questions = sum(len(j.asked) for j in found) / count
    return f"| {name} | {count} | {first:.0%} | {three:.0%} | {wrong} | {questions:.1f} |"


if __name__ == "__main__":
    main()
