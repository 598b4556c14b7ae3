"""A repair is proposed only as far as the second walk proves it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kubereach.advise import whatif
from kubereach.advise.repair import proved, repairs
from kubereach.advise.settings import Setting
from kubereach.advise.whatif import what_if
from kubereach.build.assemble import build
from kubereach.diagnose.catalogue import fault_module, removed
from kubereach.diagnose.explain import blames
from kubereach.diagnose.observe import collect
from kubereach.diagnose.rank import Ranking, rank
from kubereach.diagnose.roles import judged
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.diagnosis import Disruption, Owner, Repair
from kubereach.model.network import Seen
from kubereach.simulate.world import Changes, World
from tests.diagnose.small_network import ASH, HOST, OAK, SERVICE, endpoints, proxied, via
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


def test_no_repair_of_a_cause_is_proved_that_changes_nothing(ranking: Ranking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a fault's module says of its repair, the second walk decides."""
    blamed = blames(judged(ranking), ranking)
    assert any(repair.proved for blame in blamed for repair in repairs(blame))
    for blame in blamed:
        monkeypatch.setattr(fault_module(blame.suspect.fault.code), "remove", lambda _world, _suspect: {})
    for blame in blamed:
        for repair in repairs(blame):
            assert not repair.proved, blame.suspect.key
            assert repair.clears == ()
            assert any("still fails" in effect for effect in repair.side_effects)


def test_a_repair_tells_what_becomes_of_every_other_service() -> None:
    """Two services behind one silent peering: its repair clears both, and a static route for one clears one."""
    other = "service/default/mail"
    one = proxied("iptables", 28, "Local", ("router", a.IMPORT_POLICY, "none"))
    settings = {**one.network.settings, a.ADDRESSES.of(other): Seen(("203.0.113.21",))}
    settings |= {a.ENDPOINTS.of(other): Seen(endpoints(ASH)), a.POLICY.of(other): Seen("Local")}
    world = World(replace(one.network, settings=settings, services=(SERVICE, other)))
    both = proved(world, world.changed({a.IMPORT_POLICY.of("router"): "accept"}), USELESS)
    assert both.proved
    assert both.clears == ("default/web from the client", "default/mail at 203.0.113.21 from the client")
    alone = proved(world, world.changed({a.STATIC_ROUTES.of("router"): (("203.0.113.21/32", ASH),)}), USELESS)
    assert not alone.proved
    assert alone.clears == ("default/mail at 203.0.113.21 from the client",)


def test_what_works_already_is_not_repaired() -> None:
    world = proxied("iptables", 28, "Local", via(OAK))
    assert not proved(world, world.changed(_irrelevant(world)), USELESS).proved


def test_a_change_that_breaks_the_service_says_so() -> None:
    world = proxied("iptables", 28, "Local", via(OAK))
    broken = proved(world, world.changed({a.STATIC_ROUTES.of("router"): ((HOST, ASH),)}), USELESS)
    assert not broken.proved
    assert len(broken.breaks) == 1
    assert SERVICE.removeprefix("service/") in broken.breaks[0]
