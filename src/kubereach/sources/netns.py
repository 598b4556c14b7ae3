"""The hosts of a lab as places: a command runs behind a prefix such as `ip netns exec NAMESPACE`."""

from __future__ import annotations

from collections.abc import Mapping

from kubereach.sources.executor import CommandExecutor, Vantage


def executor(vantages: Mapping[str, Vantage]) -> CommandExecutor:
    """An executor for the places that `vantages` describes."""

    def wrap(where: str, words: tuple[str, ...]) -> list[str]:
        vantage = vantages[where]
        settings = [f"{name}={value}" for name, value in vantage.environment.items()]
        return [*vantage.prefix, "env", *settings, *words]

    return CommandExecutor(tuple(vantages), wrap)
