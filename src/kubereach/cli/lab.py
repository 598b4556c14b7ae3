"""`kubereach lab`: the described system in miniature, with real daemons, real faults, and evidence as users get it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from kubereach.errors import UsageError

if TYPE_CHECKING:  # the lab is loaded once the command line is known to be right
    from kubereach.lab.fidelity.campaign import Outcome
    from kubereach.lab.lab import Lab

P = ParamSpec("P")
R = TypeVar("R")

_EPILOG = """\b
Examples:
  kubereach lab up calico-local
  kubereach lab fault host-firewall-drop
  kubereach diagnose --lab
  kubereach lab down

\b
A lab is made of network namespaces: it takes root, and touches nothing of the
machine outside them."""

_name = click.option("--name", default="lab", show_default=True, help="Which lab, where there are several.")


def _of_a_lab(verb: Callable[P, R]) -> Callable[P, R]:
    """A verb that finds the system's programs, and whose failing commands end in two lines and not in a traceback."""

    @functools.wraps(verb)
    def wrapped(*words: P.args, **options: P.kwargs) -> R:
        from kubereach.lab.lab import ROOT, CommandError
        from kubereach.lab.tools import complete_path

        complete_path()
        try:
            return verb(*words, **options)
        except CommandError as error:
            hint = "see `kubereach lab status`; `kubereach lab down` takes down what is left"
            raise UsageError(" ".join(str(error).split())[:400], hint) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"{error.filename or 'the lab'}: {error.strerror or error}"
            raise UsageError(what, f"the lab keeps its files in {ROOT}, which must be writable") from error

    return wrapped


@click.group("lab", epilog=_EPILOG)
def command() -> None:
    """Run a system in miniature, break it, and diagnose it."""


@command.command("up", epilog="\b\nExample:\n  kubereach lab up founding-case --no-faults")
@click.argument("scenario", required=False)
@click.option("--faults/--no-faults", default=True, show_default=True, help="Enact the scenario's own faults as well.")
@_name
@_of_a_lab
def up(*, scenario: str | None, faults: bool, name: str) -> None:
    """Bring up SCENARIO: one that comes with kubereach, or a YAML file of one's own."""
    from kubereach.lab import requirements, system
    from kubereach.lab.scenario import load, names

    if scenario is None:
        raise UsageError("which scenario?", f"one of {', '.join(names())}, or a file of your own")
    wanted = load(scenario)
    requirements.check(wanted)
    lab = system.up(name, wanted, faults=faults)
    click.echo(_described(lab))


@command.command("status", epilog="\b\nExample:\n  kubereach lab status")
@click.option("--name", help="Only this lab.")
@_of_a_lab
def status(*, name: str | None) -> None:
    """Say which labs are up, what stands in them, and which faults are enacted."""
    from kubereach.lab.lab import Lab, names

    wanted = (name,) if name else names()
    if not wanted:
        click.echo("No lab is up.")
    for lab in wanted:
        click.echo(_described(Lab.attach(lab)))


def _described(lab: Lab) -> str:
    from kubereach.lab.wiring import address_of

    scenario = lab.scenario
    service = scenario.service
    option = "" if lab.name == "lab" else f" --name {lab.name}"
    named = "" if lab.name == "lab" else f" {lab.name}"
    url = f"http://{service.address}:{service.port}/"
    hosts = [f"  {host:24} {address_of(scenario, host)}" for host in scenario.hosts]
    faults = ", ".join(lab.state.faults) or "none"
    return "\n".join(
        [
            f"Lab {lab.name}: {' '.join(scenario.summary.split())}",
            *hosts,
            f"Service {service.namespace}/{scenario.target} at {service.address}:{service.port}. Faults: {faults}.",
            f"Next: `kubereach lab exec{option} client -- curl -m 5 {url}` or `kubereach diagnose --lab{named}`",
        ]
    )


@command.command(
    "exec",
    epilog="\b\nExamples:\n  kubereach lab exec client -- curl -m 5 http://10.99.8.20/\n"
    "  kubereach lab exec router -- vtysh -c 'show bgp summary'\n"
    "  kubereach lab exec cluster -- kubectl get svc -o wide",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_name
@click.argument("host")
@click.argument("words", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@_of_a_lab
def exec_(*, host: str, words: tuple[str, ...], name: str) -> int:
    """Run a command on HOST: `client`, `router`, a node, a pod, or `cluster` for kubectl. It ends with its status."""
    import subprocess

    from kubereach.lab.lab import Lab
    from kubereach.lab.vantages import vantage_of

    vantage = vantage_of(Lab.attach(name), host)
    settings = [f"{key}={value}" for key, value in vantage.environment.items()]
    typed = words[1:] if words[0] == "--" else words
    return subprocess.call([*vantage.prefix, "env", *settings, *typed])  # noqa: S603 - the user's own command


@command.command(
    "fault",
    epilog="\b\nExamples:\n  kubereach lab fault --list\n  kubereach lab fault host-firewall-drop@node/wk-1",
)
@click.argument("fault", metavar="CODE[@SUBJECT]", required=False)
@click.option("--list", "listed", is_flag=True, help="List the faults that have a place in this lab.")
@_name
@_of_a_lab
def fault_(*, fault: str | None, listed: bool, name: str) -> None:
    """Break something for real: a daemon's configuration, a kernel's setting, a rule, an object."""
    from kubereach.lab import enactment
    from kubereach.lab.lab import Lab

    lab = Lab.attach(name)
    if listed:
        for code in enactment.codes():
            if places := tuple(enactment.module(code).places(lab.state.original)):
                click.echo(f"{code:32} {' '.join(places)}")
        return
    if fault is None:
        raise UsageError("which fault?", "see `kubereach lab fault --list`")
    done = enactment.enact(lab, fault)
    click.echo(f"{done} is enacted. Take it back with `kubereach lab repair {done}`.")


@command.command("repair", epilog="\b\nExample:\n  kubereach lab repair host-firewall-drop")
@click.argument("fault", metavar="CODE[@SUBJECT]")
@_name
@_of_a_lab
def repair(*, fault: str, name: str) -> None:
    """Take an enacted fault back."""
    from kubereach.lab import enactment
    from kubereach.lab.lab import Lab

    click.echo(f"{enactment.undo(Lab.attach(name), fault)} is taken back.")


@command.command("capture", epilog="\b\nExample:\n  kubereach lab capture outputs/ && kubereach diagnose outputs/")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_name
@_of_a_lab
def capture(*, folder: Path, name: str) -> None:
    """Write what every host and the API say now, and what the client gets, as a bundle into the new folder DIR."""
    from kubereach.lab import live
    from kubereach.lab.lab import Lab

    lab = Lab.attach(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty", "name a new folder, so that moments do not get mixed")
    found = live.documents(lab).documents
    folder.mkdir(parents=True, exist_ok=True)
    for document in found:
        (folder / document.name).write_bytes(document.data)
    click.echo(f"{len(found)} outputs are in {folder}. Next: `kubereach diagnose {folder}`")


@command.command(
    "run",
    epilog="\b\nExamples:\n  kubereach lab run founding-case\n"
    "  kubereach lab run calico-local+host-firewall-drop@node/wk-1 --verbose\n"
    "  kubereach lab run 4711 --shrink          a system drawn at random, by its number\n"
    "  kubereach lab run --all --jobs 4",
)
@click.argument("experiments", metavar="[EXPERIMENT]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every scenario with every fault that has a place in it.")
@click.option("--jobs", default=2, show_default=True, help="Labs at once.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the measurements in this folder.")
@click.option(
    "--shrink", is_flag=True, help="Take back the choices of a drawn system that its difference does not need."
)
@click.option("-v", "--verbose", is_flag=True, help="Show also what agrees.")
@_of_a_lab
def run(
    *, experiments: tuple[str, ...], everything: bool, jobs: int, keep: Path | None, shrink: bool, verbose: bool
) -> int:
    """Compare the simulator's predictions with what really happens, and take the lab down again.

    EXPERIMENT is a scenario (with its own faults), SCENARIO+CODE[@SUBJECT], or the number of a system drawn at random.
    It ends with 1 where a prediction differs that is not known to be wrong.
    """
    from kubereach.lab import requirements, scenario
    from kubereach.lab.fidelity import campaign, report, sickbay

    names = list(campaign.systematic(scenario.names())) if everything else list(experiments)
    if not names:
        raise UsageError("which experiment?", f"one of {', '.join(scenario.names())}, a number, or --all")
    for name in names:
        requirements.check(campaign.planned(name))
    cases = sickbay.load()
    outcomes = campaign.run(
        names, jobs, lambda outcome: click.echo(report.as_text(outcome, cases, everything=verbose)), keep
    )
    summary = report.summarise(outcomes, cases)
    share = f"{100 * summary.agreement:.1f} %"
    click.echo(f"{summary.agreeing} of {summary.decided} predictions that say something agree ({share}).")
    if shrink:
        for outcome in outcomes:
            _shrink(outcome)
    return int(bool(summary.unknown or summary.errors))


def _shrink(outcome: Outcome) -> None:
    """Print the smallest system that still differs, as a scenario file."""
    import msgspec

    from kubereach.lab.fidelity import campaign, sickbay
    from kubereach.lab.fidelity.report import summarise

    def differs(found: Outcome) -> bool:
        return bool(summarise([found], sickbay.load()).unknown)

    if outcome.name.isdigit() and differs(outcome):
        small = campaign.shrunk(int(outcome.name), lambda scenario: differs(campaign.one(outcome.name, scenario)))
        click.echo(f"# The smallest system drawn from {outcome.name} that still differs:")
        click.echo(msgspec.yaml.encode(small).decode())


@command.command("down", epilog="\b\nExample:\n  kubereach lab down")
@_name
@_of_a_lab
def down(*, name: str) -> None:
    """Take a lab down, whatever is left of it."""
    from kubereach.lab import lab

    there = name in lab.names()
    lab.down(name)
    click.echo(f"The lab {name} is down." if there else f"There was no lab {name}.")
