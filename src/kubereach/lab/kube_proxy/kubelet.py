"""The chains that kubelet made for kube-proxy up to v1.24 (kubernetes pkg/kubelet/kubelet_network_linux.go)."""

from __future__ import annotations

LAST = 24  # the last minor version in which kube-proxy marks packets that kubelet's rule drops
JUMPS = ("INPUT -j KUBE-FIREWALL", "OUTPUT -j KUBE-FIREWALL")
MARK_DROP = ["-j MARK --set-xmark 0x8000/0x8000"]
_LOCALNET = '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections"'
FIREWALL = [
    '-m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP',
    f"{_LOCALNET} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
]
