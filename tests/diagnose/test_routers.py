"""What a router shows decides: its rules, its translation, whose gateway the client uses, where a trace goes on."""

from __future__ import annotations

import pytest

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis
from kubereach.pipeline import Options, diagnose

FAILING = """\
me@laptop:~$ curl -v -m 5 http://10.99.0.5/
*   Trying 10.99.0.5:80...
* Connection timed out after 5001 milliseconds
curl: (28) Connection timed out after 5001 milliseconds
me@laptop:~$ ip route get 10.99.0.5
10.99.0.5 via 10.20.50.1 dev eth0 src 10.20.50.77 uid 1000
"""
ROUTES = """\
Flags: D - DYNAMIC; A - ACTIVE; c - CONNECT, s - STATIC, b - BGP; + - ECMP
Columns: DST-ADDRESS, GATEWAY, ROUTING-TABLE, DISTANCE
#      DST-ADDRESS     GATEWAY       ROUTING-TABLE  DISTANCE
0  As  0.0.0.0/0       203.0.113.1   main                  1
  DAb  10.99.0.5/32    10.20.30.21   main                 20
  DAc  10.20.30.0/24   bridge        main                  0
  DAc  10.20.50.0/24   vlan50        main                  0
"""
NAT = """\
Flags: X - disabled, I - invalid, D - dynamic
 0    ;;; defconf: masquerade
      chain=srcnat action=masquerade out-interface-list=WAN
 1    chain=dstnat action=dst-nat to-addresses=10.20.30.9 to-ports=8080 protocol=tcp dst-port={port}{more}
"""
FILTER = """\
Flags: X - disabled, I - invalid, D - dynamic
 0    chain=forward action=accept connection-state=established,related,untracked
 1    chain=forward action=drop src-address={source} dst-address=10.99.0.0/24
 2    chain=forward action=drop connection-state=new connection-nat-state=!dstnat in-interface-list=WAN
"""


def of(**files: str) -> Diagnosis:
    names = {"client": "client.txt", "routes": "ip-route-print.router.txt", "nat": "ip-firewall-nat-print.router.txt"}
    names["filter"] = "ip-firewall-filter-print.router.txt"
    texts = {"client": FAILING, "routes": ROUTES} | files
    return diagnose([Document(names[k], text.encode()) for k, text in texts.items()], Options())


def probability(found: Diagnosis, code: str) -> float:
    return sum(c.probability for c in found.causes if c.code == code)


def test_a_rule_against_the_clients_is_the_cause() -> None:
    assert probability(of(filter=FILTER.format(source="10.20.50.0/24")), "router-firewall-drop") > 0.9


def test_a_rule_against_others_is_not() -> None:
    assert probability(of(filter=FILTER.format(source="10.20.60.0/24")), "router-firewall-drop") < 0.03


def test_a_translation_of_everything_for_the_port_is_the_cause() -> None:
    assert probability(of(nat=NAT.format(port=80, more="")), "router-nat") > 0.9


@pytest.mark.parametrize("more", ["", " dst-address=203.0.113.7"])
def test_one_that_the_packets_do_not_meet_is_not(more: str) -> None:
    port = 80 if more else 443
    assert probability(of(nat=NAT.format(port=port, more=more)), "router-nat") < 0.03


def test_the_client_s_way_tells_its_own_fault_from_the_router_s() -> None:
    beside = probability(of(), "client-route-wrong")
    through = FAILING.replace("via 10.20.50.1 dev eth0", "via 10.8.0.1 dev tun0")
    assert beside < 0.03
    assert probability(of(client=through), "client-route-wrong") > 5 * beside
