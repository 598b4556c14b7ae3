"""A repair is proposed only as far as the second walk proves it."""

from __future__ import annotations

import pytest

from kubereach.advise import whatif
from kubereach.advise.repair import proved
from kubereach.advise.settings import Setting
from kubereach.advise.whatif import what_if
from kubereach.build.assemble import build
from kubereach.diagnose.catalogue import removed
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import Ranking, rank
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.diagnosis import Disruption, Owner, Repair
from kubereach.simulate.world import Changes, World
from tests.diagnose.small_network import ASH, HOST, OAK, SERVICE, proxied, via
from tests.properties.pasted_post import FOUNDING, documents_of

USELESS = Repair(summary="raise the number of router replicas")


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    network = build(read_evidence(documents_of(FOUNDING / "bundle")).facts)
    return rank(network, collect(network))


def _irrelevant(world: World) -> Changes:
    return {a.NAT_OUTGOING.of("cluster"): True}


def test_a_useless_repair_is_not_proved(ranking: Ranking) -> None:
    world = ranking.hypotheses[0].world
    repair = proved(world, world.changed(_irrelevant(world)), USELESS)
    assert not repair.proved
    assert repair.clears == ()
    assert any("still fails" in effect for effect in repair.side_effects)


def test_a_repair_that_claims_to_be_proved_is_not_believed(ranking: Ranking) -> None:
    world = ranking.hypotheses[0].world
    boast = Repair(summary="restart everything", proved=True, clears=("default/storefront from the client",))
    assert not proved(world, world.changed(_irrelevant(world)), boast).proved
    assert proved(world, world.changed(_irrelevant(world)), boast).clears == ()


def test_the_same_way_a_useful_repair_is_proved(ranking: Ranking) -> None:
    best = ranking.hypotheses[0]
    repair = proved(best.world, removed(best.world, best.assumed), USELESS)
    assert repair.proved
    assert repair.clears == ("default/storefront from the client",)


def test_a_useless_change_that_people_try_is_not_proved(ranking: Ranking, monkeypatch: pytest.MonkeyPatch) -> None:
    useless = Setting(
        leaves=_irrelevant,
        words=lambda _: ("switch natOutgoing on", ("kubectl edit ippool",)),
        owner=Owner.CLUSTER,
        disruption=Disruption.CLUSTER,
    )
    monkeypatch.setattr(whatif, "TRIED", (useless,))
    (tried,) = what_if(ranking)
    assert not tried.proved
    assert tried.clears == ()


def test_what_works_already_is_not_repaired() -> None:
    world = proxied("iptables", 28, "Local", via(OAK))
    assert not proved(world, world.changed(_irrelevant(world)), USELESS).proved


def test_a_change_that_breaks_the_service_says_so() -> None:
    world = proxied("iptables", 28, "Local", via(OAK))
    broken = proved(world, world.changed({a.STATIC_ROUTES.of("router"): ((HOST, ASH),)}), USELESS)
    assert not broken.proved
    assert len(broken.breaks) == 1
    assert SERVICE.removeprefix("service/") in broken.breaks[0]
