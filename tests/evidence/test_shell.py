from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubereach.evidence import shell

CASES = [
    ("sudo -u x ip route", "ip route", ""),
    ("watch -n1 ip neigh", "ip neigh", ""),
    ("watch -n 1 'kubectl get svc -A | grep x'", "kubectl get svc -A | grep x", ""),
    ("time timeout 5 curl -v http://10.9.0.1", "curl -v http://10.9.0.1", ""),
    ("A=b kubectl get svc 2>&1", "kubectl get svc", ""),
    ("ssh -i k -p 2222 root@worker-0 'ip route show'", "ip route show", "worker-0"),
    ("ssh worker-0 ip route show | grep 10", "ip route show | grep 10", "worker-0"),
    ('ssh -o StrictHostKeyChecking=no u@10.0.0.5 "sudo ipvsadm -Ln"', "ipvsadm -Ln", "10.0.0.5"),
    ("kubectl exec -n ns web-abc -c c -- curl -s 10.9.0.1", "curl -s 10.9.0.1", "pod/web-abc"),
    ("kubectl exec -n x ds/calico-node -- birdcl -s /run/bird.ctl show route", "birdcl show route", None),
    ("kubectl -n m exec -it speaker-x2x -- ip r", "ip r", None),
    ("kubectl debug node/w1 -it --image=busybox -- ip route", "ip route", "node/w1"),
    ("docker exec kind-worker ip route", "ip route", "kind-worker"),
    ("docker exec frr vtysh -c 'show bgp summary'", "show bgp summary", None),
    ("crictl exec abc ip r", "ip r", None),
    ("nsenter -t 1 -n ip r", "ip r", ""),
    ("sudo ip netns exec client ping -c1 10.9.0.1", "ping -c1 10.9.0.1", "client"),
    ("toolbox run ip a", "ip a", ""),
    ('vtysh -c "show ip bgp"', "show ip bgp", ""),
    ("do show ip route", "show ip route", ""),
    ("k get svc -A | grep -i lb", "kubectl get svc -A | grep -i lb", ""),
    ("oc get svc", "kubectl get svc", ""),
    ("/usr/sbin/ipvsadm -Ln", "ipvsadm -Ln", ""),
    ("cd /x && kubectl get svc", "kubectl get svc", ""),
    ("ip a; ip r", "", ""),
    ('bash -c "ip a; ip r"', "", ""),
    ("cat <<EOF | kubectl apply -f -", "", ""),
    ("kubectl get svc x -o jsonpath='{.a;b|c}'", "kubectl get svc x -o jsonpath='{.a;b|c}'", ""),
    ("/ip/route/print detail where dst-address in 10.0.0.0/8",) * 2 + ("",),
]


@pytest.mark.parametrize(("line", "command", "host"), CASES)
def test_innermost(line: str, command: str, host: str | None) -> None:
    found = shell.innermost(line)
    assert (found.command, found.host) == (command, host)


@given(st.text(alphabet="sudo ssh -cx'\"|;&bash kubectl exec \\$()<>", max_size=200))
def test_any_line_has_an_answer(line: str) -> None:
    assert isinstance(shell.innermost(line), shell.Innermost)


def test_deep_nesting_ends() -> None:
    assert shell.innermost("sudo " * 2000 + "ip r").command
