"""Questions can be pasted as they stand: in the words of the router and agents that are seen, for hosts with names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubereach.build.assemble import build
from kubereach.diagnose.observe import probe
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model.network import Network
from kubereach.probes._commands import FIREWALL, ROUTES, SESSIONS, TABLE, capture, in_calico_node, of_router
from kubereach.probes._index import PROBES

EXAMPLES = Path(__file__).parents[2] / "examples"
ANSWERS = EXAMPLES / "founding-case" / "answers"
CURL = "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 ms\n"
ROUTER = {
    "/routing/bgp/session/print": "[admin@router] > /routing/bgp/session/print\n"
    ' 0 E name="w1" remote.address=10.40.7.24 .as=64777 .id=10.40.7.24 local.address=10.40.7.1 .as=64700\n',
    "show ip bgp summary": "router# show ip bgp summary\nBGP router identifier 10.0.0.1, local AS number 64700\n"
    "Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd\n"
    "10.40.7.24      4 64777      10      10        1    0    0 00:10:00        1\n",
    "birdc show protocols all": "root@router:~# birdc show protocols all\nBIRD 2.0.12 ready.\n"
    "Name       Proto      Table      State  Since         Info\n"
    "w1         BGP        ---        up     2023-05-18    Established   \n",
}


def _network(*texts: str) -> Network:
    documents = [Document(f"post{n}.txt", text.encode()) for n, text in enumerate(texts)]
    return build(read_evidence(documents).facts)


@pytest.mark.parametrize("command", ROUTER)
def test_a_router_is_asked_in_its_own_words(command: str) -> None:
    assert of_router(_network(CURL, ROUTER[command]), SESSIONS) == command


def test_a_router_that_nothing_tells_apart_is_asked_in_all() -> None:
    asked = of_router(_network(CURL), SESSIONS)
    assert "vtysh" in asked
    assert "/routing/bgp/session/print" in asked


def test_what_a_router_cannot_show_is_not_asked() -> None:
    network = _network(CURL, ROUTER["/routing/bgp/session/print"])
    assert of_router(network, TABLE) == ""
    assert of_router(network, FIREWALL) == "/ip/firewall/filter/print stats"


def test_ipv6_has_its_own_menus() -> None:
    network = _network("$ curl -m 5 http://[2001:db8::9]/\ncurl: (28) Connection timed out after 5001 ms\n")
    assert "show ipv6 route 2001:db8::9" in of_router(network, ROUTES)


def test_the_agent_s_pod_is_named_where_it_is_known_and_looked_up_where_not() -> None:
    pods = (ANSWERS / "kubectl-get-pods-A-o-wide.txt").read_text()
    known = _network(CURL, f"$ kubectl get pods -A -o wide\n{pods}")
    assert "exec calico-node-k9wlb -c calico-node -- birdcl" in in_calico_node(known, "node/atlas-w1", "show protocols")
    unknown = _network(CURL, "$ ssh atlas-w1 ip route\ndefault via 10.40.7.1 dev eth0\n")
    assert "--field-selector spec.nodeName=atlas-w1" in in_calico_node(unknown, "node/atlas-w1", "show protocols")
    assert in_calico_node(unknown, "node/(another node)", "show protocols") == ""


def test_a_capture_ends_by_itself_and_needs_no_client() -> None:
    asked = capture(_network(CURL))
    assert asked.startswith("sudo timeout 20 tcpdump")
    assert "'tcp port 80'" in asked


@pytest.mark.parametrize("folder", sorted(path.parent.parent.name for path in EXAMPLES.glob("*/bundle/observed.yaml")))
def test_no_question_has_a_gap_to_fill_in(folder: str) -> None:
    files = sorted(path for path in (EXAMPLES / folder / "bundle").iterdir() if path.is_file())
    network = build(read_evidence([Document(path.name, path.read_bytes()) for path in files]).facts)
    commands = [offer.command.partition("   # ")[0] for kind in PROBES for offer in probe(kind).offers(network)]
    assert commands
    gaps = re.compile(r"\b(?:POD|PEER|CLIENT|NODE|NAME|ADDRESS|PORT|NAMESPACE)\b|[<(](?:another )?node")
    assert [command for command in commands if gaps.search(command)] == []
