"""One experiment: a system with its faults, measured from every client, and every prediction held against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from kubereach.lab import enactment, measure, system, tables
from kubereach.lab.announcers import kube_vip_arp
from kubereach.lab.fidelity.compare import Comparison, compare, network_of, world_of
from kubereach.lab.kubernetes.agents import everything
from kubereach.lab.kubernetes.objects import Cluster
from kubereach.lab.kubernetes.resources import served
from kubereach.lab.lab import Lab, taken_down
from kubereach.lab.measure import Output, Shot, shoot
from kubereach.lab.scenario import Scenario

STATEFUL = "asymmetric-stateful-router@router"


class Finding(Struct, frozen=True, kw_only=True):
    """What one client's probes and everybody's tables showed, against the prediction."""

    name: str  # what repeats the experiment
    traits: str  # announcer, mode, policy and the rest that decides
    faults: tuple[str, ...]
    client: str
    comparisons: tuple[Comparison, ...]


class Measurement(Struct, frozen=True, kw_only=True):
    """What an experiment gave: each client's documents before the faults (its intent) and after."""

    name: str
    scenario: Scenario
    faults: tuple[str, ...]
    before: dict[str, tuple[Output, ...]]
    after: dict[str, tuple[Output, ...]]


def traits(scenario: Scenario) -> str:
    """What of a system decides most about its packets."""
    return f"{scenario.announcer.kind} {scenario.proxy.mode} {scenario.service.policy}"


def intent(lab: Lab, client: str) -> tuple[Output, ...]:
    """What configuration says now: the objects of the API, every host's addresses and routes, settings of the client.

    Taken before the faults, the prediction has this and the names of the faults, and nothing that was measured.
    """
    named = kube_vip_arp.holders(lab) if lab.scenario.announcer.kind == "kube-vip-arp" else {}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    cluster = Cluster(scenario=lab.scenario, knobs=lab.state.knobs, since=moment, holders=named)
    held = everything(cluster)
    objects = []
    for resource in served(lab.scenario.announcer.kind):
        items = [entry for entry in held if entry["kind"] == resource.kind and entry["apiVersion"] == resource.version]
        listing = {"apiVersion": "v1", "kind": "List", "items": items}
        objects.append(Output(f"kubectl-get-{resource.plural}-A-o-json.json", msgspec.json.encode(listing)))
    return (*objects, *(shoot(lab, shot, name) for name, shot in _tables(lab.scenario, client)))


def _tables(scenario: Scenario, client: str) -> Sequence[tuple[str, Shot]]:
    hosts = {client: "client", "router": "router"} | {node: node for node in scenario.nodes}
    redirects = ("sysctl", "net.ipv4.conf.all.accept_redirects", "net.ipv4.conf.eth0.accept_redirects")
    asked: list[tuple[str, str, tuple[str, ...]]] = [(name, host, ("ip", "addr")) for host, name in hosts.items()]
    asked += [(name, host, ("ip", "route")) for host, name in hosts.items() if host != "router"]
    asked.append(("client", client, redirects))
    return [(name, Shot(host, "-".join(words[:2]).partition(".")[0], words, 5.0)) for name, host, words in asked]


def measured(name: str, scenario: Scenario, lab_name: str) -> Measurement:
    """Bring the system up, enact its faults, measure, take it down. Raises CommandError, UsageError."""
    with taken_down(system.up(lab_name, scenario, faults=False, stays=False)) as lab:
        before = {client: intent(lab, client) for client in scenario.clients}
        faults = tuple(enactment.enact(lab, fault) for fault in scenario.faults)
        outputs = measure.probe(lab)
        daemons = tables.of_daemons(lab)
        after = {client: (*intent(lab, client), *outputs[client], *daemons) for client in scenario.clients}
    return Measurement(name=name, scenario=scenario, faults=faults, before=before, after=after)


def judged(found: Measurement) -> tuple[Finding, ...]:
    """Every prediction of the simulator as it is now, held against what was measured."""
    return tuple(_finding(found, client) for client in found.scenario.clients)


def _finding(found: Measurement, client: str) -> Finding:
    scenario = found.scenario
    standing = (STATEFUL,) if scenario.router.stateful else ()  # a setting of the router, known like any other
    mine = (*standing, *(f for f in found.faults if enactment.concerns(scenario, f, client)))
    world = world_of(network_of(scenario, client, found.before[client]), mine)
    observed = network_of(scenario, client, found.after[client])
    comparisons = compare(world, observed)
    return Finding(name=found.name, traits=traits(scenario), faults=mine, client=client, comparisons=comparisons)
