"""One experiment: a system with its faults, measured from every client, and every prediction held against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kubereach.lab import enactment, measure, system, tables
from kubereach.lab.fidelity.compare import Comparison, compare, network_of, world_of
from kubereach.lab.kubernetes.agents import everything
from kubereach.lab.kubernetes.objects import Cluster
from kubereach.lab.lab import Lab, taken_down
from kubereach.lab.measure import Output, Shot, shoot
from kubereach.lab.scenario import Scenario


class Finding(Struct, frozen=True, kw_only=True):
    """What one client's probes and everybody's tables showed, against the prediction."""

    scenario: str  # its name, or the number it was drawn by
    faults: tuple[str, ...]
    client: str
    comparisons: tuple[Comparison, ...]


def intent(lab: Lab, client: str) -> tuple[Output, ...]:
    """What configuration says, with all well: the objects of the API, and every host's addresses and routes.

    The prediction has this and the names of the faults, and nothing that was measured.
    """
    cluster = Cluster(scenario=lab.scenario, knobs={}, since=datetime(2026, 1, 1, tzinfo=UTC))
    listing = {"apiVersion": "v1", "kind": "List", "items": everything(cluster)}
    objects = Output("kubectl-get-all-A-o-json.json", msgspec.json.encode(listing))
    return (objects, *(shoot(lab, shot, name) for name, shot in _tables(lab.scenario, client)))


def _tables(scenario: Scenario, client: str) -> Sequence[tuple[str, Shot]]:
    hosts = {client: "client", "router": "router"} | {node: node for node in scenario.nodes}
    return [
        (name, Shot(host, f"ip-{words[0]}", ("ip", *words), 5.0))
        for host, name in hosts.items()
        for words in (("addr",), *((("route",),) if host != "router" else ()))
    ]


def run(name: str, scenario: Scenario, lab_name: str) -> tuple[Finding, ...]:
    """Bring the system up, enact its faults, measure, compare, take it down. Raises CommandError, UsageError."""
    with taken_down(system.up(lab_name, scenario, faults=False)) as lab:
        before = {client: intent(lab, client) for client in scenario.clients}
        faults = tuple(enactment.enact(lab, fault) for fault in scenario.faults)
        return tuple(_finding(lab, name, faults, client, documents) for client, documents in before.items())


def _finding(lab: Lab, name: str, faults: tuple[str, ...], client: str, documents: Sequence[Output]) -> Finding:
    outputs = measure.probe(lab, client)
    wanted = replace(lab.state.original, client=client)
    world = world_of(network_of(wanted, client, documents), faults)
    observed = network_of(wanted, client, [*documents, *outputs, *tables.of_daemons(lab)])
    return Finding(scenario=name, faults=faults, client=client, comparisons=compare(world, observed))
