"""kube-proxy's mode iptables (kubernetes pkg/proxy/iptables/proxier.go, v1.36).

Not written: the accounting matches (`-m nfacct`) and with them the rule for node ports on 127.0.0.0/8, as kube-proxy
itself does where the kernel has no nf_acct objects; the empty canary chains, which only show a flush to kube-proxy.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from kubereach.lab import xtables
from kubereach.lab.kube_proxy.service_port import ServicePort, service_ports
from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.xtables import Table

OWNED = "KUBE-.*"
MARK = "0x4000/0x4000"  # iptables.masqueradeBit: 14

Rules = dict[str, list[str]]


def sync(lab: Lab, node: str) -> None:
    """Write the node's rules. Raises CommandError."""
    lab.sysctl(node, "net.ipv4.conf.all.route_localnet=1")  # localhostNodePorts, the default
    xtables.apply(lab, node, tables(lab.scenario, node), OWNED)


def clear(lab: Lab, node: str) -> None:
    """Take all of them away. Raises CommandError."""
    xtables.remove(lab, node, ("filter", "nat"), OWNED)


def tables(scenario: Scenario, node: str) -> list[Table]:
    """The rules of a node."""
    nat: Rules = {chain: [] for chain in ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ")}
    filters: Rules = {
        chain: []
        for chain in (
            "KUBE-SERVICES",
            "KUBE-EXTERNAL-SERVICES",
            "KUBE-NODEPORTS",
            "KUBE-PROXY-FIREWALL",
            "KUBE-FORWARD",
            "KUBE-FIREWALL",
        )
    }
    for port in service_ports(scenario, node):
        _nat(nat, port, scenario, node)
        _filter(filters, port)
    nat["KUBE-SERVICES"].append(
        f"{_comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')}"
        " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
    )
    nat["KUBE-MARK-MASQ"] = [f"-j MARK --set-xmark {MARK}"]
    nat["KUBE-POSTROUTING"] = [
        f"-m mark ! --mark {MARK} -j RETURN",
        "-j MARK --set-xmark 0x4000/0x0",
        f"{_comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully",
    ]
    filters["KUBE-FORWARD"] = [
        "-m conntrack --ctstate INVALID -j DROP",
        f"{_comment('kubernetes forwarding rules')} -m mark --mark {MARK} -j ACCEPT",
        f"{_comment('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]
    filters["KUBE-FIREWALL"].append(
        f"! -s 127.0.0.0/8 -d 127.0.0.0/8 {_comment('block incoming localnet connections')}"
        " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
    )
    return [
        Table(name="filter", jumps=_FILTER_JUMPS, chains=filters),
        Table(name="nat", jumps=_NAT_JUMPS, chains=nat),
    ]


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'


_NEW = "-m conntrack --ctstate NEW"
_FIREWALL = f"{_NEW} {_comment('kubernetes load balancer firewall')} -j KUBE-PROXY-FIREWALL"
_PORTALS = f"{_NEW} {_comment('kubernetes service portals')} -j KUBE-SERVICES"
_EXTERNAL = f"{_NEW} {_comment('kubernetes externally-visible service portals')} -j KUBE-EXTERNAL-SERVICES"
_FILTER_JUMPS = (
    "INPUT -j KUBE-FIREWALL",
    f"INPUT {_FIREWALL}",
    f"INPUT {_comment('kubernetes health check service ports')} -j KUBE-NODEPORTS",
    f"INPUT {_EXTERNAL}",
    f"FORWARD {_FIREWALL}",
    f"FORWARD {_comment('kubernetes forwarding rules')} -j KUBE-FORWARD",
    f"FORWARD {_PORTALS}",
    f"FORWARD {_EXTERNAL}",
    "OUTPUT -j KUBE-FIREWALL",
    f"OUTPUT {_FIREWALL}",
    f"OUTPUT {_PORTALS}",
)
_NAT_JUMPS = (
    f"PREROUTING {_comment('kubernetes service portals')} -j KUBE-SERVICES",
    f"OUTPUT {_comment('kubernetes service portals')} -j KUBE-SERVICES",
    f"POSTROUTING {_comment('kubernetes postrouting rules')} -j KUBE-POSTROUTING",
)


def _nat(nat: Rules, port: ServicePort, scenario: Scenario, node: str) -> None:
    if not port.endpoints:
        return
    service, pods = port.service, scenario.pod_network.cidr
    everywhere, outside, here = f"KUBE-SVC-{port.hash}", f"KUBE-EXT-{port.hash}", f"KUBE-SVL-{port.hash}"
    cluster_ip = f"-d {service.cluster_ip}/32 -p tcp {_comment(f'{port.name} cluster IP')}"
    cluster_ip += f" -m tcp --dport {service.port}"
    nat["KUBE-SERVICES"].append(f"{cluster_ip} -j {everywhere}")
    nat[everywhere] = [f"! -s {pods} {cluster_ip} -j KUBE-MARK-MASQ", *_choice(port, port.endpoints)]
    if port.external:
        first = f"KUBE-FW-{port.hash}" if service.source_ranges else outside
        nat["KUBE-SERVICES"].append(
            f"-d {service.address}/32 -p tcp {_comment(f'{port.name} loadbalancer IP')}"
            f" -m tcp --dport {service.port} -j {first}"
        )
        nat["KUBE-NODEPORTS"].append(f"-p tcp {_comment(port.name)} -m tcp --dport {service.node_port} -j {outside}")
        nat[outside] = _outside(port, pods)
        if service.source_ranges:
            nat[first] = _source_ranges(port, scenario.nodes[node].address, outside)
        if port.only_local and port.local:
            nat[here] = _choice(port, port.local)
    for endpoint in port.endpoints:
        nat[f"KUBE-SEP-{port.endpoint_hash(endpoint)}"] = [
            f"-s {endpoint.partition(':')[0]}/32 {_comment(port.name)} -j KUBE-MARK-MASQ",
            f"-p tcp {_comment(port.name)} -m tcp -j DNAT --to-destination {endpoint}",
        ]


def _outside(port: ServicePort, pods: str) -> list[str]:
    """The dispatcher for external destinations."""
    everywhere, here = f"KUBE-SVC-{port.hash}", f"KUBE-SVL-{port.hash}"
    if not port.only_local:
        return [
            f"{_comment(f'masquerade traffic for {port.name} external destinations')} -j KUBE-MARK-MASQ",
            f"-j {everywhere}",
        ]
    local = "-m addrtype --src-type LOCAL"
    return [
        f"-s {pods} {_comment(f'pod traffic for {port.name} external destinations')} -j {everywhere}",
        f"{_comment(f'masquerade LOCAL traffic for {port.name} external destinations')} {local} -j KUBE-MARK-MASQ",
        f"{_comment(f'route LOCAL traffic for {port.name} external destinations')} {local} -j {everywhere}",
        *([f"-j {here}"] if port.local else []),
    ]


def _source_ranges(port: ServicePort, own: str, outside: str) -> list[str]:
    """Who may use the load balancer's address."""
    label = _comment(f"{port.name} loadbalancer IP")
    rules = [f"-s {IPv4Network(source)} {label} -j {outside}" for source in port.sources(own)]
    return [*rules, _comment(f"other traffic to {port.name} will be dropped by KUBE-PROXY-FIREWALL")]


def _choice(port: ServicePort, endpoints: tuple[str, ...]) -> list[str]:
    """One of the endpoints, each as likely as the others."""
    rules = []
    for left, endpoint in zip(range(len(endpoints), 0, -1), endpoints, strict=True):
        chance = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
        rules.append(f"{_comment(f'{port.name} -> {endpoint}')}{chance} -j KUBE-SEP-{port.endpoint_hash(endpoint)}")
    return rules


def _filter(filters: Rules, port: ServicePort) -> None:
    service = port.service
    reject = "-j REJECT --reject-with icmp-port-unreachable"
    why, target = ("has no local endpoints", "-j DROP") if port.endpoints else ("has no endpoints", reject)
    note = _comment(f"{port.name} {why}")
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
        rest = _comment(f"{port.name} traffic not accepted by KUBE-FW-{port.hash}")
        filters["KUBE-PROXY-FIREWALL"].append(
            f"-d {service.address}/32 -p tcp {rest} -m tcp --dport {service.port} -j DROP"
        )
    if port.only_local:
        label = _comment(f"{port.name} health check node port")
        filters["KUBE-NODEPORTS"].append(f"-p tcp {label} -m tcp --dport {service.health_port} -j ACCEPT")
