"""Two bundles of one cluster brought to the same names, so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterator

from kubereach.advise.evidence_change import OTHER_BUNDLE, Side
from kubereach.build.assemble import build
from kubereach.build.target import Choice
from kubereach.errors import UsageError
from kubereach.model.fact import AnyFact, Setting, Trust
from kubereach.model.network import Network
from kubereach.model.origin import Origin


def same_names(
    before: tuple[AnyFact, ...], after: tuple[AnyFact, ...], choices: tuple[Choice, Choice]
) -> tuple[Side, Side]:
    """Both networks; a node that one bundle knows by its address alone bears the name that the other gives it.

    Raises UsageError where the second bundle does not show the service.
    """
    first = build(before, choices[0])
    try:
        second = build(after, choices[1])
    except UsageError as error:
        message = f"{error.message[0].lower()}{error.message[1:]}"
        raise UsageError(f"in the second bundle, {message}", error.hint) from None
    named = (*_names(first, second), *before), (*_names(second, first), *after)
    return Side(build(named[0], choices[0]), named[0]), Side(build(named[1], choices[1]), named[1])


def _names(nameless: Network, named: Network) -> Iterator[AnyFact]:
    """Statements of the names that `named` gives to nodes known as `node/ADDRESS` in `nameless`."""
    for address, subject in nameless.owners.items():
        other = named.owners.get(address, "")
        if subject == f"node/{address}" and other in named.nodes and other != subject:
            yield Setting(
                origin=Origin(source=OTHER_BUNDLE),
                trust=Trust.STATED,
                subject=other,
                attribute="address",
                value=address,
            )
