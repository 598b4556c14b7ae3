"""What a router's own lists tell: no neighbour at all, a next hop out of reach, one of several paths in use."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.network import Network
from kubereach.probes import accepted, bgp_session, route_use

TRIED = "me@laptop:~$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n\n"
LEAF = "root@w1:~# ip -br addr\neth0             UP             192.0.2.11/24\n\n"
EMPTY = "router# show bgp summary\n% No BGP neighbors found in VRF default\n"
BIRD = """root@router:~# birdc show route
BIRD 2.0.12 ready.
Table master4:
203.0.113.9/32       {kind} [k8s_w1 2024-04-12{by}] * (100{metric}) [AS65000i]
{via}"""
UNREACHABLE = BIRD.format(kind="unreachable", by=" from 192.0.2.11", metric="/-", via="")
TWO = BIRD.format(kind="unicast", by="", metric="", via="\tvia 192.0.2.11 on eth0\n")
TWO += "                     unicast [k8s_w2 2024-04-12] (100) [AS65000i]\n\tvia 192.0.2.12 on eth0\n"
KERNEL = """
root@router:~# ip route
default via 198.51.100.1 dev eth1
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1
203.0.113.9 {hops}
"""
ONE_HOP = KERNEL.format(hops="via 192.0.2.11 dev eth0 proto bird metric 32")
BOTH_HOPS = KERNEL.format(
    hops="proto bird metric 32\n\tnexthop via 192.0.2.11 dev eth0 weight 1\n\tnexthop via 192.0.2.12 dev eth0 weight 1"
)
SUMMARY = """router# show ip bgp summary
BGP router identifier 192.0.2.1, local AS number 65530
BGP table version is 42, main routing table version 42

Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
192.0.2.11      4        65500    4021    4100       42    0    0 2d03h11m        {}
192.0.2.12      4        65500    4021    4100       42    0    0 2d03h11m        {}
"""


def _network(*parts: str) -> Network:
    return build(read_evidence([Document("post.txt", (TRIED + "".join(parts)).encode())]).facts)


def test_a_router_without_any_neighbour_is_told_from_one_that_lacks_a_node() -> None:
    (alone,) = bgp_session.sightings(_network(LEAF, EMPTY))
    assert alone.answers == {"alone"}


def test_birds_unreachable_route_doubts_the_next_hop_and_is_not_used() -> None:
    network = _network(UNREACHABLE)
    assert network.seen("router", a.NEXT_HOP_DOUBT)
    assert {"no"} in [s.answers for s in route_use.sightings(network) if s.question.about == ("used",)]


@pytest.mark.parametrize(("kernel", "answer"), [(ONE_HOP, "one"), (BOTH_HOPS, "all")])
def test_what_bird_gives_the_kernel_tells_how_many_paths_it_uses(kernel: str, answer: str) -> None:
    spread = [s for s in route_use.sightings(_network(TWO, kernel)) if s.question.about == ("spread",)]
    assert [s.answers for s in spread] == [{answer}]


def test_sessions_of_which_some_carry_routes_are_one_observation() -> None:
    (apart,) = accepted.sightings(_network(SUMMARY.format(1, 0)))
    assert apart.answers == {"apart"}
    assert apart.question.about == ("with", "node/192.0.2.11", "without", "node/192.0.2.12")
    (alike,) = accepted.sightings(_network(SUMMARY.format(1, 1)))
    assert alike.answers == {"some"}
