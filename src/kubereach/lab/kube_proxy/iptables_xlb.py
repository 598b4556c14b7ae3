"""The chains of kube-proxy's mode iptables while it had KUBE-XLB (kubernetes pkg/proxy/iptables/proxier.go, v1.20.2).

Kubelet's chains come with them: what kube-proxy marks to be dropped, kubelet's rule drops, in INPUT and OUTPUT alone.
Not written: the empty canary chains, which only show a flush to kube-proxy.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from kubereach.lab.kube_proxy import kubelet
from kubereach.lab.kube_proxy.chains import (
    FORWARD,
    FORWARD_BY_POD,
    HEALTH_RULES,
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

_PORTALS = f"{NEW} {comment('kubernetes service portals')} -j KUBE-SERVICES"
_EXTERNAL = f"{NEW} {comment('kubernetes externally-visible service portals')} -j KUBE-EXTERNAL-SERVICES"

Rules = dict[str, list[str]]


def tables(scenario: Scenario, node: str) -> list[Table]:
    """The rules of a node."""
    health = scenario.proxy.minor >= HEALTH_RULES
    nat: Rules = {"KUBE-SERVICES": [], "KUBE-NODEPORTS": []}
    filters: Rules = {"KUBE-SERVICES": [], "KUBE-EXTERNAL-SERVICES": []}
    ports = service_ports(scenario, node)
    for port in ports:
        _nat(nat, port, scenario, node)
        _filter(filters, port)
    nat["KUBE-SERVICES"].append(NODE_PORTS)
    nat |= {
        "KUBE-POSTROUTING": POSTROUTING,
        "KUBE-MARK-MASQ": MARK_MASQUERADE,
        "KUBE-MARK-DROP": kubelet.MARK_DROP,
    }
    if health:
        filters["KUBE-NODEPORTS"] = [health_check(port) for port in ports if port.only_local]
    filters["KUBE-FORWARD"] = ["-m conntrack --ctstate INVALID -j DROP", *(FORWARD if health else FORWARD_BY_POD)]
    filters["KUBE-FIREWALL"] = kubelet.FIREWALL
    jumps = (
        *([f"INPUT {comment('kubernetes health check service ports')} -j KUBE-NODEPORTS"] if health else []),
        f"INPUT {_EXTERNAL}",
        f"FORWARD {comment('kubernetes forwarding rules')} -j KUBE-FORWARD",
        f"FORWARD {_PORTALS}",
        f"FORWARD {_EXTERNAL}",
        f"OUTPUT {_PORTALS}",
        *kubelet.JUMPS,
    )
    return [Table(name="filter", jumps=jumps, chains=filters), Table(name="nat", jumps=NAT_JUMPS, chains=nat)]


def _nat(nat: Rules, port: ServicePort, scenario: Scenario, node: str) -> None:
    service, pods = port.service, scenario.pod_network.cidr
    everywhere, dispatcher = f"KUBE-SVC-{port.hash}", f"KUBE-XLB-{port.hash}"
    if port.only_local:
        nat[dispatcher] = _dispatcher(port, pods) if port.endpoints else []
    if not port.endpoints:
        return
    cluster_ip = to(service.cluster_ip, service.port, f"{port.name} cluster IP")
    nat["KUBE-SERVICES"] += [f"! -s {pods} {cluster_ip} -j KUBE-MARK-MASQ", f"{cluster_ip} -j {everywhere}"]
    nat[everywhere] = choice(port, port.endpoints, [port.name] * len(port.endpoints))
    if port.external:
        target = dispatcher if port.only_local else everywhere
        balanced = to(service.address, service.port, f"{port.name} loadbalancer IP")
        nat["KUBE-SERVICES"].append(f"{balanced} -j KUBE-FW-{port.hash}")
        nat[f"KUBE-FW-{port.hash}"] = _firewall(port, scenario.nodes[node].address, target)
        at_node = f"-p tcp {comment(port.name)} -m tcp --dport {service.node_port}"
        marked = f"-s 127.0.0.0/8 {at_node}" if port.only_local else at_node
        nat["KUBE-NODEPORTS"] += [f"{marked} -j KUBE-MARK-MASQ", f"{at_node} -j {target}"]
    nat |= endpoint_chains(port)


def _firewall(port: ServicePort, own: str, target: str) -> list[str]:
    """The load balancer's address: masquerade under policy Cluster, the source ranges, and the rest to be dropped."""
    label = comment(f"{port.name} loadbalancer IP")
    allowed = [f"-s {IPv4Network(source)} " for source in port.sources(own)] or [""]
    return [
        *([] if port.only_local else [f"{label} -j KUBE-MARK-MASQ"]),
        *(f"{source}{label} -j {target}" for source in allowed),
        f"{label} -j KUBE-MARK-DROP",
    ]


def _dispatcher(port: ServicePort, pods: str) -> list[str]:
    """Policy Local: pods and the node itself get any endpoint, all others one of the node's."""
    everywhere, local = f"KUBE-SVC-{port.hash}", "-m addrtype --src-type LOCAL"
    redirect = comment("Redirect pods trying to reach external loadbalancer VIP to clusterIP")
    notes = (f"Balancing rule {n} for {port.name}" for n in range(len(port.local)))
    return [
        f"-s {pods} {redirect} -j {everywhere}",
        f"{comment(f'masquerade LOCAL traffic for {port.name} LB IP')} {local} -j KUBE-MARK-MASQ",
        f"{comment(f'route LOCAL traffic for {port.name} LB IP to service chain')} {local} -j {everywhere}",
        *(choice(port, port.local, notes) or [f"{comment(f'{port.name} has no local endpoints')} -j KUBE-MARK-DROP"]),
    ]


def _filter(filters: Rules, port: ServicePort) -> None:
    if port.endpoints:
        return
    service, note = port.service, f"{port.name} has no endpoints"
    filters["KUBE-SERVICES"].append(f"{to(service.cluster_ip, service.port, note)} {REJECT}")
    if port.external:
        node_port = f"-m addrtype --dst-type LOCAL -m tcp --dport {service.node_port}"
        filters["KUBE-EXTERNAL-SERVICES"] += [
            f"{to(service.address, service.port, note)} {REJECT}",
            f"-p tcp {comment(note)} {node_port} {REJECT}",
        ]
