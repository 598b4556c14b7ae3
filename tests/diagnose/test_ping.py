"""Who says that a pinged address is unreachable."""

from __future__ import annotations

import pytest

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.pipeline import Options, diagnose
from kubereach.probes.ping import sightings

SERVICE = """
$ kubectl get svc
NAME   TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE
web    LoadBalancer   10.96.10.20   192.0.2.77     80:31000/TCP   5d
"""
LINUX = """
me@laptop:~$ ping -c 3 192.0.2.77
PING 192.0.2.77 (192.0.2.77) 56(84) bytes of data.
From {who} icmp_seq=1 Destination Host Unreachable
From {who} icmp_seq=2 Destination Host Unreachable

--- 192.0.2.77 ping statistics ---
3 packets transmitted, 0 received, +2 errors, 100% packet loss, time 2042ms
"""
MACOS = """
me@laptop ~ % ping 192.0.2.77
PING 192.0.2.77 (192.0.2.77): 56 data bytes
Request timeout for icmp_seq 0
ping: sendto: No route to host
Request timeout for icmp_seq 1
ping: sendto: Host is down
^C
--- 192.0.2.77 ping statistics ---
3 packets transmitted, 0 packets received, 100.0% packet loss
"""
OWN = "\nme@laptop:~$ ip route get 192.0.2.77\n192.0.2.77 dev wlan0 src 192.0.2.5 uid 1000\n    cache\n"


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (LINUX.format(who="192.0.2.5") + OWN, {"unresolved"}),
        (LINUX.format(who="192.0.2.1") + OWN, {"unreachable"}),
        (LINUX.format(who="192.0.2.5"), {"unreachable", "unresolved"}),
        (MACOS, {"unresolved"}),
    ],
)
def test_the_sender_of_the_error_tells_whether_arp_was_answered(text: str, answers: set[str]) -> None:
    network = build(read_evidence((Document("post.txt", (SERVICE + text).encode()),)).facts)
    assert [set(s.answers) for s in sightings(network)] == [answers]


def test_where_the_own_host_says_so_nobody_answers_for_the_address() -> None:
    found = diagnose((Document("post.txt", (SERVICE + LINUX.format(who="192.0.2.5") + OWN).encode()),), Options())
    assert any("nobody answers ARP" in effect.says and effect.probability > 0.9 for effect in found.effects)
