"""A BGPFilter keeps the host route from being sent.

What happens   An exportV4 or exportV6 rule of the peer's filters rejects the service's route. The first rule that
               matches decides; without a match Calico's own filter lets service routes out. NotIn a prefix does not
               match a route inside it.
How it looks   the session is up, the route is in the node's BIRD and not at the router
Confirm        `birdcl show route noexport PEER` on the node
Fix            accept the pool before the rule that rejects
Not to be confused with  router-import-filter (the router refuses what was sent)
References     Calico BGPFilter reference; confd bird templates at v3.26.1
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.fault import Fault, Plan, Presence, Suspect
from kubereach.model.address import host_prefix
from kubereach.model.attribute import (
    ANNOUNCER,
    EXPORT_FILTERS,
    EXTRA_EXPORT_FILTER,
    FILTERS_UNSHOWN,
    POLICY,
    FilterRule,
)
from kubereach.model.diagnosis import Owner
from kubereach.simulate.announcers.calico_bgp import passes
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="calico-bgpfilter-rejects-service",
    class_="ann-bgp-export-filter",
    layer="announcement-bgp",
    owner=Owner.CLUSTER,
    prior=Chance(0.012, "estimate: few clusters use BGPFilters, and those that do wrote them for such routes"),
    summary="an export filter keeps the service's route from the router",
)

UNSHOWN = Chance(0.25, "where a filter is in use and its rules were not collected")


def suspects(world: World) -> Iterable[Suspect]:
    if world.get("cluster", ANNOUNCER) != "calico-bgp":
        return
    rules = world.network.seen("cluster", EXPORT_FILTERS)
    if rules is None:
        named = world.network.origins("cluster", FILTERS_UNSHOWN)
        because = tuple((o, "a filter is in use that was not shown whole") for o in named[:1])
        prior = UNSHOWN if world.network.seen("cluster", FILTERS_UNSHOWN) else None
        yield Suspect(fault=FAULT, subject="cluster", prior=prior, because=because)
        return
    route = host_prefix(world.network.flow.address)
    where = world.network.origins("cluster", EXPORT_FILTERS)
    if passes(rules, route):
        shown = "; ".join(f"{r.action} {r.operator} {r.cidr}".strip() for r in rules)
        says = f"no rule rejects {route}: {shown}"
        yield Suspect(fault=FAULT, subject="cluster", presence=Presence.ABSENT, because=tuple((o, says) for o in where))
    else:
        says = f"a rule rejects {route}"
        yield Suspect(
            fault=FAULT, subject="cluster", presence=Presence.PRESENT, because=tuple((o, says) for o in where)
        )


def apply(world: World, suspect: Suspect) -> Changes:
    """Where only the aggregate is announced, a filter that hurts rejects that too."""
    alone = world.get(world.network.flow.service, POLICY) != "Local"
    if alone or world.network.seen("cluster", FILTERS_UNSHOWN):
        return {EXPORT_FILTERS.of("cluster"): (FilterRule("Reject"),)}
    return {EXTRA_EXPORT_FILTER.of("cluster"): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {EXTRA_EXPORT_FILTER.of("cluster"): False, EXPORT_FILTERS.of("cluster"): ()}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="let the filter accept the pool's prefixes, host routes included",
        commands=(
            "kubectl edit bgpfilter NAME   # exportV4: action Accept, matchOperator In, cidr POOL, before the reject",
        ),
    )
