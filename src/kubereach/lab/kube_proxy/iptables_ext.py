"""The chains of kube-proxy's mode iptables since KUBE-EXT (kubernetes pkg/proxy/iptables/proxier.go, v1.36).

Not written: the accounting matches (`-m nfacct`) and with them the rule for node ports on 127.0.0.0/8, as kube-proxy
itself does where the kernel has no nf_acct objects; the empty canary chains, which only show a flush to kube-proxy.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from kubereach.lab.kube_proxy.chains import (
    FORWARD,
    MARK_MASQUERADE,
    NAT_JUMPS,
    NEW,
    NODE_PORTS,
    POSTROUTING,
    REJECT,
    choice,
    comment,
    endpoint_chains,
    health_check,
    to,
)
from kubereach.lab.kube_proxy.service_port import ServicePort, service_ports
from kubereach.lab.scenario import Scenario
from kubereach.lab.xtables import Table

FIRST = 24  # the first minor version in this form

_FIREWALL = f"{NEW} {comment('kubernetes load balancer firewall')} -j KUBE-PROXY-FIREWALL"
_PORTALS = f"{NEW} {comment('kubernetes service portals')} -j KUBE-SERVICES"
_EXTERNAL = f"{NEW} {comment('kubernetes externally-visible service portals')} -j KUBE-EXTERNAL-SERVICES"
_FILTER_JUMPS = (
    "INPUT -j KUBE-FIREWALL",
    f"INPUT {_FIREWALL}",
    f"INPUT {comment('kubernetes health check service ports')} -j KUBE-NODEPORTS",
    f"INPUT {_EXTERNAL}",
    f"FORWARD {_FIREWALL}",
    f"FORWARD {comment('kubernetes forwarding rules')} -j KUBE-FORWARD",
    f"FORWARD {_PORTALS}",
    f"FORWARD {_EXTERNAL}",
    "OUTPUT -j KUBE-FIREWALL",
    f"OUTPUT {_FIREWALL}",
    f"OUTPUT {_PORTALS}",
)
_LOCALNET = (
    f"! -s 127.0.0.0/8 -d 127.0.0.0/8 {comment('block incoming localnet connections')}"
    " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
)

Rules = dict[str, list[str]]


def tables(scenario: Scenario, node: str) -> list[Table]:
    """The rules of a node."""
    nat: Rules = {"KUBE-SERVICES": [], "KUBE-NODEPORTS": []}
    filters: Rules = {
        "KUBE-SERVICES": [],
        "KUBE-EXTERNAL-SERVICES": [],
        "KUBE-NODEPORTS": [],
        "KUBE-PROXY-FIREWALL": [],
    }
    for port in service_ports(scenario, node):
        _nat(nat, port, scenario, node)
        _filter(filters, port)
    nat["KUBE-SERVICES"].append(NODE_PORTS)
    nat |= {"KUBE-POSTROUTING": POSTROUTING, "KUBE-MARK-MASQ": MARK_MASQUERADE}
    filters["KUBE-FORWARD"] = ["-m conntrack --ctstate INVALID -j DROP", *FORWARD]
    filters["KUBE-FIREWALL"] = [_LOCALNET]
    return [
        Table(name="filter", jumps=_FILTER_JUMPS, chains=filters),
        Table(name="nat", jumps=NAT_JUMPS, chains=nat),
    ]


def _balance(port: ServicePort, endpoints: tuple[str, ...]) -> list[str]:
    return choice(port, endpoints, (f"{port.name} -> {endpoint}" for endpoint in endpoints))


def _nat(nat: Rules, port: ServicePort, scenario: Scenario, node: str) -> None:
    if not port.endpoints:
        return
    service, pods = port.service, scenario.pod_network.cidr
    everywhere, outside, here = f"KUBE-SVC-{port.hash}", f"KUBE-EXT-{port.hash}", f"KUBE-SVL-{port.hash}"
    cluster_ip = to(service.cluster_ip, service.port, f"{port.name} cluster IP")
    nat["KUBE-SERVICES"].append(f"{cluster_ip} -j {everywhere}")
    nat[everywhere] = [f"! -s {pods} {cluster_ip} -j KUBE-MARK-MASQ", *_balance(port, port.endpoints)]
    if port.external:
        first = f"KUBE-FW-{port.hash}" if service.source_ranges else outside
        balanced = to(service.address, service.port, f"{port.name} loadbalancer IP")
        nat["KUBE-SERVICES"].append(f"{balanced} -j {first}")
        nat["KUBE-NODEPORTS"].append(f"-p tcp {comment(port.name)} -m tcp --dport {service.node_port} -j {outside}")
        nat[outside] = _outside(port, pods)
        if service.source_ranges:
            nat[first] = _source_ranges(port, scenario.nodes[node].address, outside)
        if port.only_local and port.local:
            nat[here] = _balance(port, port.local)
    nat |= endpoint_chains(port)


def _outside(port: ServicePort, pods: str) -> list[str]:
    """The dispatcher for external destinations."""
    everywhere, here = f"KUBE-SVC-{port.hash}", f"KUBE-SVL-{port.hash}"
    if not port.only_local:
        return [
            f"{comment(f'masquerade traffic for {port.name} external destinations')} -j KUBE-MARK-MASQ",
            f"-j {everywhere}",
        ]
    local = "-m addrtype --src-type LOCAL"
    return [
        f"-s {pods} {comment(f'pod traffic for {port.name} external destinations')} -j {everywhere}",
        f"{comment(f'masquerade LOCAL traffic for {port.name} external destinations')} {local} -j KUBE-MARK-MASQ",
        f"{comment(f'route LOCAL traffic for {port.name} external destinations')} {local} -j {everywhere}",
        *([f"-j {here}"] if port.local else []),
    ]


def _source_ranges(port: ServicePort, own: str, outside: str) -> list[str]:
    """Who may use the load balancer's address."""
    label = comment(f"{port.name} loadbalancer IP")
    rules = [f"-s {IPv4Network(source)} {label} -j {outside}" for source in port.sources(own)]
    return [*rules, comment(f"other traffic to {port.name} will be dropped by KUBE-PROXY-FIREWALL")]


def _filter(filters: Rules, port: ServicePort) -> None:
    service = port.service
    why, target = ("has no local endpoints", "-j DROP") if port.endpoints else ("has no endpoints", REJECT)
    note = comment(f"{port.name} {why}")
    if not port.endpoints:
        filters["KUBE-SERVICES"].append(
            f"-d {service.cluster_ip}/32 -p tcp {note} -m tcp --dport {service.port} {target}"
        )
    if not port.external:
        return
    if not port.external_endpoints:
        filters["KUBE-EXTERNAL-SERVICES"] += [
            f"-d {service.address}/32 -p tcp {note} -m tcp --dport {service.port} {target}",
            f"-p tcp {note} -m addrtype --dst-type LOCAL -m tcp --dport {service.node_port} {target}",
        ]
    if port.endpoints and service.source_ranges:
        rest = comment(f"{port.name} traffic not accepted by KUBE-FW-{port.hash}")
        filters["KUBE-PROXY-FIREWALL"].append(
            f"-d {service.address}/32 -p tcp {rest} -m tcp --dport {service.port} -j DROP"
        )
    if port.only_local:
        filters["KUBE-NODEPORTS"].append(health_check(port))
