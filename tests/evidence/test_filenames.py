from __future__ import annotations

import pytest

from kubereach.evidence.filenames import name_says


@pytest.mark.parametrize(
    ("name", "command", "host"),
    [
        ("ip-route.worker-0.txt", "ip route", "worker-0"),
        ("evidence/kubectl-get-svc-my-web.yaml", "kubectl get svc my-web -o yaml", ""),
        ("kubectl-get-svc-A-o-wide.txt", "kubectl get svc -A -o wide", ""),
        ("kubectl-get-pods-n-kube-system.txt", "kubectl get pods -n kube-system", ""),
        ("birdcl-show-protocols.worker-0.txt", "birdcl show protocols", "worker-0"),
        ("vtysh-show-ip-bgp.router.txt", "show ip bgp", "router"),
        ("iptables-save.node.txt", "iptables-save", "node"),
        ("iptables-t-nat-L-KUBE-SERVICES.n1.txt", "iptables -t nat -L KUBE-SERVICES", "n1"),
        ("ipvsadm-Ln.node.txt", "ipvsadm -Ln", "node"),
        ("netstat-nutap.node.txt", "netstat -nutap", "node"),
        ("ip-addr-show-kube-ipvs0.node.txt", "ip addr show kube-ipvs0", "node"),
        ("ping.laptop.txt", "ping", "client"),
        ("ip-route-print.mikrotik.txt", "/ip route print", "router"),
        ("routing-bgp-peer-print-status.router.txt", "/routing bgp peer print status", "router"),
        ("oc-describe-service-x.txt", "kubectl describe service x", ""),
        ("sysctl-net.ipv4.ip_forward.worker-0.txt", "sysctl net.ipv4.ip_forward", "worker-0"),
        ("sysctl-net.ipv4.conf.all.forwarding.txt", "sysctl net.ipv4.conf.all.forwarding", ""),
        (
            "sysctl-net.ipv4.ip_forward-net.ipv4.conf.all.rp_filter.n1.txt",
            "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter",
            "n1",
        ),
        ("ping-M-do-s-1472-c-3-10.0.0.1.laptop.txt", "ping -M do -s 1472 -c 3 10.0.0.1", "client"),
        ("sysctl-a.n1.txt", "sysctl -a", "n1"),
        ("ip-route.n1.example.com.txt", "ip route", "n1.example.com"),
        ("ip-route-get-10.0.0.1.worker-0.txt", "ip route get 10.0.0.1", "worker-0"),
        (
            "tcpdump-n-i-any-tcp-port-80-or-tcp-port-8080.n1.txt",
            "tcpdump -n -i any tcp port 80 or tcp port 8080",
            "n1",
        ),
        ("tcpdump-ni-any-host-10.0.0.1.n1.txt", "tcpdump -ni any host 10.0.0.1", "n1"),
        ("observed.yaml", "observed.yaml", ""),
        ("case/stated.yaml", "stated.yaml", ""),
        ("post.txt", "", ""),
        ("my.post.txt", "", ""),
        ("notes.worker-1.txt", "", "worker-1"),
        ("bgppeer.yaml", "", ""),
        ("", "", ""),
        ("....", "", ""),
    ],
)
def test_names(name: str, command: str, host: str) -> None:
    assert name_says(name) == (command, host)
