"""Rules that several of kube-proxy's chains share, as `iptables-save` prints them."""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.lab.kube_proxy.service_port import ServicePort

MARK = "0x4000/0x4000"  # iptables.masqueradeBit: 14
MARK_MASQUERADE = [f"-j MARK --set-xmark {MARK}"]
REJECT = "-j REJECT --reject-with icmp-port-unreachable"
NEW = "-m conntrack --ctstate NEW"


def comment(text: str) -> str:
    """The match that says what a rule is for."""
    return f'-m comment --comment "{text}"'


POSTROUTING = [
    f"-m mark ! --mark {MARK} -j RETURN",
    "-j MARK --set-xmark 0x4000/0x0",
    f"{comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully",
]
_ANSWERS = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
_MARKED = f"{comment('kubernetes forwarding rules')} -m mark --mark {MARK} -j ACCEPT"
FORWARD = [_MARKED, f"{comment('kubernetes forwarding conntrack rule')} {_ANSWERS}"]
FORWARD_BY_POD = [  # up to v1.20, when the rules had once named the pods' range
    _MARKED,
    f"{comment('kubernetes forwarding conntrack pod source rule')} {_ANSWERS}",
    f"{comment('kubernetes forwarding conntrack pod destination rule')} {_ANSWERS}",
]
HEALTH_RULES = 21  # the minor version that brought the rules for health check node ports
NAT_JUMPS = (
    f"PREROUTING {comment('kubernetes service portals')} -j KUBE-SERVICES",
    f"OUTPUT {comment('kubernetes service portals')} -j KUBE-SERVICES",
    f"POSTROUTING {comment('kubernetes postrouting rules')} -j KUBE-POSTROUTING",
)
NODE_PORTS = (
    f"{comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')}"
    " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
)


def to(address: str, port: int, note: str) -> str:
    """The match of TCP to an address and a port."""
    return f"-d {address}/32 -p tcp {comment(note)} -m tcp --dport {port}"


def health_check(port: ServicePort) -> str:
    """The rule that opens a service's health check node port."""
    label = comment(f"{port.name} health check node port")
    return f"-p tcp {label} -m tcp --dport {port.service.health_port} -j ACCEPT"


def choice(port: ServicePort, endpoints: Iterable[str], notes: Iterable[str]) -> list[str]:
    """One of the endpoints, each as likely as the others; `notes` are the rules' comments."""
    rules, listed = [], list(endpoints)
    for left, endpoint, note in zip(range(len(listed), 0, -1), listed, notes, strict=True):
        chance = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
        rules.append(f"{comment(note)}{chance} -j KUBE-SEP-{port.endpoint_hash(endpoint)}")
    return rules


def endpoint_chains(port: ServicePort) -> dict[str, list[str]]:
    """The chain of every endpoint: a pod that reaches itself is masqueraded, then the destination is rewritten."""
    return {
        f"KUBE-SEP-{port.endpoint_hash(endpoint)}": [
            f"-s {endpoint.partition(':')[0]}/32 {comment(port.name)} -j KUBE-MARK-MASQ",
            f"-p tcp {comment(port.name)} -m tcp -j DNAT --to-destination {endpoint}",
        ]
        for endpoint in port.endpoints
    }
