"""What programs say to have dropped, and by which interface an answer leaves, single out the cause."""

from __future__ import annotations

import pytest

from kubereach.evidence.document import Document
from kubereach.pipeline import Options, diagnose

VIP, CLIENT = "10.77.1.50", "10.99.3.8"
OBSERVED = f'- {{probe: http, from: {CLIENT}, to: "{VIP}:443", result: timeout}}\n'
OBSERVED += f'- {{probe: http, from: node/birch, to: "{VIP}:443", result: reply}}\n'
SYN = f"10:00:01.000001 IP {CLIENT}.40100 > {VIP}.443: Flags [S], seq 1, win 64240, length 0\n"
SYN_ACK = f"10:00:01.000201 IP {VIP}.443 > {CLIENT}.40100: Flags [S.], seq 9, ack 2, win 65160, length 0\n"
LOGGED = f"[ 10.5] {{prefix}} IN=eth0 OUT= SRC={CLIENT} DST={VIP} LEN=60 TTL=63 PROTO=TCP SPT=40100 DPT={{port}} SYN\n"
BLOCKED = LOGGED.format(prefix="[UFW BLOCK]", port=443)


def _causes(**files: str) -> list[tuple[str, float]]:
    named = {"observed.yaml": OBSERVED, **{name.replace("__", "-") + ".txt": text for name, text in files.items()}}
    found = diagnose([Document(name=n, data=t.encode()) for n, t in named.items()], Options())
    return [(c.class_, c.probability) for c in found.causes]


@pytest.mark.parametrize("prefix", ["[UFW BLOCK]", "nft-drop:", "FINAL_REJECT:"])
def test_a_refused_packet_of_the_flow_in_the_log_names_the_firewall(prefix: str) -> None:
    causes = _causes(dmesg=f"$ dmesg\n{LOGGED.format(prefix=prefix, port=443)}")
    assert causes[0][0] == "ingress-host-firewall"
    assert causes[0][1] > 0.5


@pytest.mark.parametrize(
    "log",
    [LOGGED.format(prefix="[UFW ALLOW]", port=443), BLOCKED.replace(VIP, "10.77.1.2", 1).replace("DPT=443", "DPT=23")],
)
def test_a_packet_that_was_let_pass_or_is_not_of_the_flow_names_nothing(log: str) -> None:
    firewall = dict(_causes(dmesg=f"$ dmesg\n{log}")).get("ingress-host-firewall", 0.0)
    assert firewall < 0.4


def test_an_answer_by_another_interface_than_the_request() -> None:
    causes = _causes(
        came=f"birch# tcpdump -nei ens5 port 443\n{SYN}", left=f"birch# tcpdump -ni ens6 port 443\n{SYN_ACK}"
    )
    assert causes[0][0] == "return-wrong-interface-multihomed"


def test_an_answer_by_the_same_interface_is_not_that() -> None:
    causes = _causes(both=f"birch# tcpdump -ni ens5 port 443\n{SYN}{SYN_ACK}")
    assert "return-wrong-interface-multihomed" not in [c for c, _ in causes[:3]]


def test_a_bgp_peer_is_not_the_address_that_is_asked_for() -> None:
    scan = "Nmap scan report for 10.77.0.1\nHost is up.\n\nPORT    STATE    SERVICE\n179/tcp filtered bgp\n"
    found = diagnose(
        [
            Document(name="observed.yaml", data=OBSERVED.encode()),
            Document(name="scan.txt", data=f"birch$ nmap -p 179 10.77.0.1\n{scan}".encode()),
        ],
        Options(),
    )
    assert found.target.address == VIP
