"""A lab's evidence as a user's captures get it: the same Asks, run live, as documents for the same readers."""

from __future__ import annotations

from kubereach.evidence.document import Document
from kubereach.lab.lab import Lab
from kubereach.lab.operation import operation
from kubereach.lab.vantages import vantages
from kubereach.model.diagnosis import NextProbe
from kubereach.sources import collect
from kubereach.sources.collect import Collected, Flow
from kubereach.sources.netns import executor


def flow(lab: Lab) -> Flow:
    """The flow that the lab's scenario asks for."""
    scenario, service = lab.scenario, lab.scenario.service
    segments = {node.segment for node in scenario.nodes.values()}
    near = [name for name, client in scenario.clients.items() if client.segment in segments]
    return Flow(
        namespace=service.namespace,
        service=scenario.target,
        address=service.address,
        port=service.port,
        on_segment="client" if scenario.client in near else f"client/{near[0]}" if near else "",
    )


@operation
def documents(lab: Lab) -> Collected:
    """The passive evidence of every host and of the cluster, and what the client gets."""
    return collect.collect(executor(vantages(lab)), flow(lab))


def answer(lab: Lab, probe: NextProbe) -> tuple[Document, ...]:
    """What a question's command prints in the lab; () where it cannot be asked there."""
    return ask(lab, probe.where, probe.command)


@operation
def ask(lab: Lab, where: str, command: str) -> tuple[Document, ...]:
    """What a command prints at a place of the lab, its capitals filled in; () where it cannot be asked there."""
    return collect.answer(executor(vantages(lab)), flow(lab), where, command)
