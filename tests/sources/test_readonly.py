"""What may run on somebody's hosts: what the questions ask, and nothing that changes anything."""

from __future__ import annotations

import shlex

import pytest

from kubereach.evidence.catalogue import formats
from kubereach.sources.readonly import RefusedError, checked

# Commands of a vendor's own shell, of Windows, and those that run until somebody stops them.
ELSEWHERE = ("/", "show ", "display ", "Test-NetConnection", "route print", "kubectl exec -n kube-system ds/cilium")


def test_what_the_readers_ask_for_may_run() -> None:
    asks = [ask.command for entry in formats() for ask in entry.asks if not ask.command.startswith(ELSEWHERE)]
    assert len(asks) > 40
    for command in asks:
        filled = command.replace("ADDRESS", "10.0.0.1").replace("PORT", "80")
        words = tuple(word for word in shlex.split(filled) if word != "sudo")
        assert checked(filled) == words


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /",
        "ip route del default",
        "ip -batch /tmp/x",
        "ip netns exec other ip route",
        "ip link set eth0 down",
        "ip route show; reboot",
        "ip route | sh",
        "ip route\nreboot",
        "ip addr $(reboot)",
        "ip route > /etc/passwd",
        "sysctl -w net.ipv4.ip_forward=0",
        "sysctl net.ipv4.ip_forward=0",
        "sysctl -p",
        "nft add rule ip x y drop",
        "nft flush ruleset",
        "nft -f /tmp/x",
        "iptables -F",
        "iptables -t nat -A OUTPUT -j DROP",
        "iptables-save -f /etc/passwd",
        "iptables-save -M /tmp/x",
        "ipvsadm -C",
        "ipvsadm -D -t 10.0.0.1:80",
        "conntrack -D -d 10.0.0.1",
        "conntrack -F",
        "ss -K dst 10.0.0.1",
        "birdc disable all",
        "birdcl -s /tmp/x show protocols",
        "birdcl configure",
        "vtysh -c 'configure terminal' -c 'no router bgp'",
        "vtysh -c 'show bgp summary' -c 'clear bgp *'",
        "vtysh -c 'show run | redirect /tmp/x'",
        "vtysh -f /tmp/x",
        "kubectl delete pod x",
        "kubectl get pods -w",
        "kubectl get --raw /api",
        "kubectl get pods --kubeconfig /tmp/x",
        "kubectl apply -f x.yaml",
        "kubectl exec -n a pod -- rm -rf /",
        "kubectl exec -it -n a pod -- birdcl show protocols",
        "kubectl exec -n a pod -- sh -c 'birdcl show protocols'",
        "kubectl logs -f pod",
        "curl -X DELETE http://10.0.0.1/",
        "curl -d x http://10.0.0.1/",
        "curl -o /etc/passwd http://10.0.0.1/",
        "curl -T /etc/shadow http://10.0.0.1/",
        "curl -K /tmp/x",
        "curl file:///etc/shadow",
        "curl -w @/etc/shadow http://10.0.0.1/",
        "tcpdump -n -c 4 -w /tmp/x host 10.0.0.1",
        "tcpdump -n -c 4 -z reboot host 10.0.0.1",
        "tcpdump -n -c 100000 host 10.0.0.1",
        "ping -f 10.0.0.1",
        "ping -c 100000 10.0.0.1",
        "nmap --script vuln 10.0.0.1",
        "nmap -p 1-65535 10.0.0.1",
        "nmap -p 80 10.0.0.0/8",
        "nc -l 80",
        "nc -e /bin/sh 10.0.0.1 80",
        "dmesg -C",
        "arp -d 10.0.0.1",
        "arp -s 10.0.0.1 02:00:00:00:00:01",
        "ipset destroy x",
        "ipset save -f /tmp/x",
        "calicoctl delete bgppeer x",
        "ip route 'unterminated",
        "",
        "sudo",
        "/ip route print",
    ],
)
def test_whatever_else_is_refused(command: str) -> None:
    with pytest.raises(RefusedError):
        checked(command)


def test_what_has_no_end_gets_one() -> None:
    assert checked("sudo tcpdump -eni any host 10.0.0.1 and tcp")[:3] == ("tcpdump", "-c", "40")
    assert checked("ping 10.0.0.1") == ("ping", "-c", "4", "10.0.0.1")
    quoted = checked("tcpdump -ni any 'tcp port 80 or tcp[tcpflags] & tcp-rst != 0'")
    assert quoted[-1] == "tcp port 80 or tcp[tcpflags] & tcp-rst != 0"
