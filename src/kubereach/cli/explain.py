"""`kubereach explain`."""

from __future__ import annotations

from importlib import import_module

import click

from kubereach.cli.output import write
from kubereach.errors import UsageError
from kubereach.model.cause_class import CLASSES, CauseClass


def _completions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's
    """The codes and classes that begin with what is typed."""
    return sorted(word for word in {*faults_by_code(), *CLASSES} if word.startswith(incomplete))


@click.command(
    "explain",
    epilog="\b\nExamples:\n  kubereach explain ann-bgp-session-blocked\n  kubereach explain            (lists all)",
)
@click.argument("name", metavar="[CODE|CLASS]", required=False, shell_complete=_completions)
def command(*, name: str | None) -> None:
    """Describe a cause by its code, or a class of causes and what belongs to it.

    Codes and classes stand in every report (`causes[].code` and `causes[].class` of the JSON). Without one, all
    classes are listed.
    """
    faults = faults_by_code()
    if name is None:
        write(_all(faults))
    elif name in faults:
        write(_fault(name, *faults[name]))
    elif name in CLASSES:
        write(_class(CLASSES[name], faults))
    else:
        raise UsageError(f"{name!r} is neither a cause nor a class of causes", _nearest(name, [*faults, *CLASSES]))


def faults_by_code() -> dict[str, tuple[str, str]]:
    """Every fault by its code: (module, class)."""
    try:
        index: dict[str, tuple[str, str]] = import_module("kubereach.diagnose.faults._index").FAULTS
    except ModuleNotFoundError:
        return {}
    return index


def _all(faults: dict[str, tuple[str, str]]) -> str:
    lines: list[str] = []
    group = ""
    for entry in CLASSES.values():
        if entry.group != group:
            group = entry.group
            lines += ["", group.upper()]
        lines.append(f"  {entry.name}: {entry.means}")
        lines += [f"      {code}" for code in _members(entry, faults)]
    return "\n".join(lines[1:]) + "\n"


def _class(entry: CauseClass, faults: dict[str, tuple[str, str]]) -> str:
    members = _members(entry, faults)
    lines = [entry.name, "", f"{entry.means[0].upper()}{entry.means[1:]}.", f"Part of the way: {entry.group}.", ""]
    if members:
        lines += ["Causes of this class:", *(f"  {code}" for code in members)]
    else:
        lines.append("No cause of this class is in the catalogue yet.")
    return "\n".join(lines) + "\n"


def _members(entry: CauseClass, faults: dict[str, tuple[str, str]]) -> list[str]:
    return sorted(code for code, (_, class_name) in faults.items() if class_name == entry.name)


def _fault(code: str, module: str, class_name: str) -> str:
    """The fault's documentation under a head of its particulars."""
    qualified = module if "." in module else f"kubereach.diagnose.faults.{module}"
    loaded = import_module(qualified)
    fault = loaded.FAULT
    means = CLASSES[class_name].means if class_name in CLASSES else ""
    lines = [code, "", f"Class:  {class_name} ({means})", f"Layer:  {fault.layer}", f"Owner:  {fault.owner}"]
    lines += [f"Prior:  {fault.prior:g} before any evidence: {fault.prior.why}", "", (loaded.__doc__ or "").strip()]
    return "\n".join(lines) + "\n"


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.5)
    if not close:
        close = [word for word in known if name and name in word][:3]
    return f"did you mean {' or '.join(close)}?" if close else "run `kubereach explain` for the list"
