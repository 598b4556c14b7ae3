"""The ipsets and the iptables chains of kube-proxy's mode ipvs, by version (kubernetes pkg/proxy/ipvs/proxier.go).

The sets of protocols and address types that a lab has no service for stay empty, as they do in a cluster. Not written:
the sets of IPv6, since a lab has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from kubereach.lab.ipset import IpSet
from kubereach.lab.kube_proxy import kubelet
from kubereach.lab.kube_proxy.chains import (
    FORWARD,
    FORWARD_BY_POD,
    HEALTH_RULES,
    MARK_MASQUERADE,
    NAT_JUMPS,
    NEW,
    POSTROUTING,
    REJECT,
    comment,
)
from kubereach.lab.kube_proxy.service_port import ServicePort, service_ports
from kubereach.lab.scenario import Scenario
from kubereach.lab.xtables import Table

PROXY_FIREWALL, ACCESS_FILTER, OUT_FILTER = 25, 26, 29  # the minor versions that brought these chains

_PAIR, _TRIPLE = "hash:ip,port family inet", "hash:ip,port,ip family inet"
_NET, _PORT = "hash:ip,port,net family inet", "bitmap:port range 0-65535"
_TYPES = {
    "KUBE-LOOP-BACK": _TRIPLE,
    "KUBE-CLUSTER-IP": _PAIR,
    "KUBE-EXTERNAL-IP": _PAIR,
    "KUBE-EXTERNAL-IP-LOCAL": _PAIR,
    "KUBE-LOAD-BALANCER": _PAIR,
    "KUBE-LOAD-BALANCER-FW": _PAIR,
    "KUBE-LOAD-BALANCER-LOCAL": _PAIR,
    "KUBE-LOAD-BALANCER-SOURCE-IP": _TRIPLE,
    "KUBE-LOAD-BALANCER-SOURCE-CIDR": _NET,
    "KUBE-NODE-PORT-TCP": _PORT,
    "KUBE-NODE-PORT-LOCAL-TCP": _PORT,
    "KUBE-NODE-PORT-UDP": _PORT,
    "KUBE-NODE-PORT-LOCAL-UDP": _PORT,
    "KUBE-NODE-PORT-SCTP-HASH": _PAIR,
    "KUBE-NODE-PORT-LOCAL-SCTP-HASH": _PAIR,
    "KUBE-HEALTH-CHECK-NODE-PORT": _PORT,
    "KUBE-IPVS-IPS": "hash:ip family inet",
}
_COMMENTS = {
    "KUBE-LOOP-BACK": "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    "KUBE-CLUSTER-IP": "Kubernetes service cluster ip + port for masquerade purpose",
    "KUBE-LOAD-BALANCER": "Kubernetes service lb portal",
    "KUBE-LOAD-BALANCER-FW": "Kubernetes service load balancer ip + port for load balancer with sourceRange",
    "KUBE-LOAD-BALANCER-LOCAL": "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
    "KUBE-LOAD-BALANCER-SOURCE-IP": (
        "Kubernetes service load balancer ip + port + source IP for packet filter purpose"
    ),
    "KUBE-LOAD-BALANCER-SOURCE-CIDR": (
        "Kubernetes service load balancer ip + port + source cidr for packet filter purpose"
    ),
    "KUBE-NODE-PORT-TCP": "Kubernetes nodeport TCP port for masquerade purpose",
    "KUBE-NODE-PORT-LOCAL-TCP": "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
    "KUBE-HEALTH-CHECK-NODE-PORT": "Kubernetes health check node port",
}


def bound_addresses(ports: Iterable[ServicePort]) -> tuple[str, ...]:
    """The addresses that every node puts on kube-ipvs0, whatever its endpoints."""
    return tuple(address for port in ports for address in (port.service.cluster_ip, port.service.address) if address)


def ipsets(scenario: Scenario, node: str) -> list[IpSet]:
    """Every set of a node."""
    ports = service_ports(scenario, node)
    outside = [port for port in ports if port.external]
    local = [port for port in outside if port.only_local]
    fenced = [port for port in outside if port.service.source_ranges]
    own = scenario.nodes[node].address
    loops = [endpoint.split(":") for port in ports for endpoint in port.local]
    members: dict[str, Iterable[str]] = {
        "KUBE-LOOP-BACK": (f"{address},tcp:{number},{address}" for address, number in loops),
        "KUBE-CLUSTER-IP": (f"{port.service.cluster_ip},tcp:{port.service.port}" for port in ports),
        "KUBE-LOAD-BALANCER": map(_balanced, outside),
        "KUBE-LOAD-BALANCER-FW": map(_balanced, fenced),
        "KUBE-LOAD-BALANCER-LOCAL": map(_balanced, local),
        "KUBE-LOAD-BALANCER-SOURCE-IP": (
            f"{_balanced(port)},{port.service.address}" for port in fenced if port.from_node(own)
        ),
        "KUBE-LOAD-BALANCER-SOURCE-CIDR": (
            f"{_balanced(port)},{network}" for port in fenced for network in _networks(port.service.source_ranges)
        ),
        "KUBE-NODE-PORT-TCP": (str(port.service.node_port) for port in outside),
        "KUBE-NODE-PORT-LOCAL-TCP": (str(port.service.node_port) for port in local),
        "KUBE-HEALTH-CHECK-NODE-PORT": (str(port.service.health_port) for port in local),
        "KUBE-IPVS-IPS": bound_addresses(ports),
    }
    return [IpSet(name, _TYPES[name], tuple(members.get(name, ()))) for name in _names(scenario.proxy.minor)]


def _names(minor: int) -> list[str]:
    since = {"KUBE-HEALTH-CHECK-NODE-PORT": HEALTH_RULES, "KUBE-IPVS-IPS": ACCESS_FILTER}
    return [name for name in _TYPES if minor >= since.get(name, 0)]


def _balanced(port: ServicePort) -> str:
    return f"{port.service.address},tcp:{port.service.port}"


def _networks(ranges: Iterable[str]) -> Iterable[IPv4Network]:
    """The ranges, with 0.0.0.0/0 in two halves: no hash holds a prefix of length 0."""
    for text in ranges:
        network = IPv4Network(text)
        yield from network.subnets() if network.prefixlen == 0 else (network,)


def tables(scenario: Scenario, node: str) -> list[Table]:
    """The chains of a node. A set without members has no rule, except in the filter chains."""
    minor, filled = scenario.proxy.minor, {item.name for item in ipsets(scenario, node) if item.members}
    old = minor <= kubelet.LAST
    nat = {
        "KUBE-SERVICES": _services(scenario, filled),
        "KUBE-POSTROUTING": [
            *_matched(filled, "KUBE-LOOP-BACK", "dst,dst,src", "MASQUERADE"),
            *POSTROUTING,
        ],
        "KUBE-NODE-PORT": [
            *_matched(filled, "KUBE-NODE-PORT-LOCAL-TCP", "dst", "RETURN", "-p tcp "),
            *_matched(filled, "KUBE-NODE-PORT-TCP", "dst", "KUBE-MARK-MASQ", "-p tcp "),
        ],
        "KUBE-LOAD-BALANCER": [
            *(_matched(filled, "KUBE-LOAD-BALANCER-FW", "dst,dst", "KUBE-FIREWALL") if old else []),
            *_matched(filled, "KUBE-LOAD-BALANCER-LOCAL", "dst,dst", "RETURN"),
            "-j KUBE-MARK-MASQ",
        ],
        "KUBE-MARK-MASQ": MARK_MASQUERADE,
    }
    if old:
        nat |= {"KUBE-FIREWALL": [*_sources(filled), "-j KUBE-MARK-DROP"], "KUBE-MARK-DROP": kubelet.MARK_DROP}
    return [
        Table(name="filter", jumps=_filter_jumps(minor), chains=_filter(scenario, node, filled)),
        Table(name="nat", jumps=NAT_JUMPS, chains=nat),
    ]


def _set(name: str, match: str) -> str:
    return f"-m set --match-set {name} {match}"


def _matched(filled: set[str], name: str, match: str, target: str, first: str = "") -> list[str]:
    rule = f"{first}{comment(_COMMENTS[name])} {_set(name, match)} -j {target}"
    return [rule] if name in filled else []


def _sources(filled: set[str]) -> list[str]:
    return [
        *_matched(filled, "KUBE-LOAD-BALANCER-SOURCE-CIDR", "dst,dst,src", "RETURN"),
        *_matched(filled, "KUBE-LOAD-BALANCER-SOURCE-IP", "dst,dst,src", "RETURN"),
    ]


def _services(scenario: Scenario, filled: set[str]) -> list[str]:
    cluster = f"! -s {scenario.pod_network.cidr} "
    accepted = [name for name in ("KUBE-CLUSTER-IP", "KUBE-LOAD-BALANCER") if name in filled]
    return [
        *(["-s 127.0.0.0/8 -j RETURN"] if scenario.proxy.minor >= ACCESS_FILTER else []),
        *_matched(filled, "KUBE-LOAD-BALANCER", "dst,dst", "KUBE-LOAD-BALANCER"),
        *_matched(filled, "KUBE-CLUSTER-IP", "dst,dst", "KUBE-MARK-MASQ", cluster),
        "-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
        *(f"{_set(name, 'dst,dst')} -j ACCEPT" for name in accepted),
    ]


def _filter_jumps(minor: int) -> tuple[str, ...]:
    firewall = f"{comment('kube-proxy firewall rules')} -j KUBE-PROXY-FIREWALL"
    access = comment("kubernetes ipvs access filter")
    jumps = {
        f"INPUT {access} -j KUBE-IPVS-FILTER": minor >= ACCESS_FILTER,
        f"INPUT {firewall}": minor >= PROXY_FIREWALL,
        f"INPUT {comment('kubernetes health check rules')} -j KUBE-NODE-PORT": minor >= HEALTH_RULES,
        f"FORWARD {firewall}": minor >= PROXY_FIREWALL,
        f"FORWARD {comment('kubernetes forwarding rules')} -j KUBE-FORWARD": True,
        f"OUTPUT {access} -j KUBE-IPVS-OUT-FILTER": minor >= OUT_FILTER,
    }
    return (*(jump for jump, there in jumps.items() if there), *(kubelet.JUMPS if minor <= kubelet.LAST else ()))


def _filter(scenario: Scenario, node: str, filled: set[str]) -> dict[str, list[str]]:
    minor = scenario.proxy.minor
    chains = {"KUBE-FORWARD": FORWARD if minor >= HEALTH_RULES else FORWARD_BY_POD}
    if minor <= kubelet.LAST:
        chains["KUBE-FIREWALL"] = kubelet.FIREWALL
    if minor >= HEALTH_RULES:
        health = "KUBE-HEALTH-CHECK-NODE-PORT"
        chains["KUBE-NODE-PORT"] = _matched({health}, health, "dst", "ACCEPT")
    if minor >= PROXY_FIREWALL:
        fence = _matched(filled, "KUBE-LOAD-BALANCER-FW", "dst,dst", "KUBE-SOURCE-RANGES-FIREWALL")
        chains |= {"KUBE-PROXY-FIREWALL": fence, "KUBE-SOURCE-RANGES-FIREWALL": [*_sources(filled), "-j DROP"]}
    if minor >= ACCESS_FILTER:
        chains["KUBE-IPVS-FILTER"] = _access(minor)
    if minor >= OUT_FILTER:
        chains["KUBE-IPVS-OUT-FILTER"] = _no_access(scenario, node)
    return chains


def _access(minor: int) -> list[str]:
    """Only the services' own ports are open at their addresses. What returned before the REJECT grew by version."""
    returned = {
        "KUBE-LOAD-BALANCER": True,
        "KUBE-CLUSTER-IP": True,
        "KUBE-EXTERNAL-IP": True,
        "KUBE-EXTERNAL-IP-LOCAL": minor >= 30,
    }
    return [
        *(f"{_set(name, 'dst,dst')} -j RETURN" for name, there in returned.items() if there),
        *([f"{_set('KUBE-HEALTH-CHECK-NODE-PORT', 'dst')} -j RETURN"] if minor >= 28 else []),
        f"{NEW} {_set('KUBE-IPVS-IPS', 'dst')} {REJECT}",
    ]


def _no_access(scenario: Scenario, node: str) -> list[str]:
    """Under IPVS the node itself comes from the service's address, which no range would catch."""
    own = scenario.nodes[node].address
    return [
        f"-s {port.service.address}/32 -m ipvs --vaddr {port.service.address} --vproto 6"
        f" --vport {port.service.port} -j DROP"
        for port in service_ports(scenario, node)
        if port.external and port.service.source_ranges and not port.from_node(own)
    ]
