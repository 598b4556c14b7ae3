"""kube-proxy's mode nftables (kubernetes pkg/proxy/nftables/proxier.go, v1.36).

Not written: the table of the family ip6, since a lab has no IPv6.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.lab.kube_proxy import health
from kubereach.lab.kube_proxy.service_port import ServicePort, digest, service_ports
from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario

TABLE = "ip kube-proxy"
_MASQUERADE = "meta mark set meta mark | 0x00004000"
_SERVICE = "ipv4_addr . inet_proto . inet_service : verdict"
_NODE_PORT = "inet_proto . inet_service : verdict"

_CHAINS = """\
	chain filter-prerouting-pre-dnat {
		type filter hook prerouting priority dstnat - 10; policy accept;
		ct state new jump firewall-check
	}
	chain filter-output-pre-dnat {
		type filter hook output priority -110; policy accept;
		ct state new jump firewall-check
	}
	chain filter-input {
		type filter hook input priority filter; policy accept;
		ct state new jump nodeport-endpoints-check
		ct state new jump service-endpoints-check
	}
	chain filter-forward {
		type filter hook forward priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}
	chain filter-output {
		type filter hook output priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}
	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		jump services
	}
	chain nat-output {
		type nat hook output priority -100; policy accept;
		jump services
	}
	chain nat-postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		jump masquerading
	}
	chain nodeport-endpoints-check {
		ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
	}
	chain service-endpoints-check {
		ip daddr . meta l4proto . th dport vmap @no-endpoint-services
	}
	chain firewall-check {
		ip daddr . meta l4proto . th dport vmap @firewall-ips
	}
	chain masquerading {
		meta mark & 0x00004000 != 0x00000000 meta mark set meta mark ^ 0x00004000 masquerade fully-random
		ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random
	}
	chain reject-chain {
		comment "helper for @no-endpoint-services / @no-endpoint-nodeports"
		reject
	}
"""


def sync(lab: Lab, node: str) -> None:
    """Write the node's rules. Raises CommandError."""
    lab.run(node, "nft", "-f", "-", stdin=f"{_GONE}{ruleset(lab.scenario, node)}")
    health.sync(lab, node)


def clear(lab: Lab, node: str) -> None:
    """Take all of them away. Raises CommandError."""
    lab.run(node, "nft", "-f", "-", stdin=_GONE)
    health.clear(lab, node)


_GONE = f"table {TABLE}\ndelete table {TABLE}\n"


def ruleset(scenario: Scenario, node: str) -> str:
    """The table of a node, as `nft list ruleset` prints it."""
    ports = service_ports(scenario, node)
    pods, own = scenario.pod_network.cidr, scenario.nodes[node].address
    masquerade = 'comment "masquerade clusterIP traffic from outside cluster"'
    services = [
        f"ip daddr @cluster-ips ip saddr != {pods} {_MASQUERADE} {masquerade}",
        "ip daddr . meta l4proto . th dport vmap @service-ips",
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
    ]
    strays = [
        'ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"',
        f'ip daddr {scenario.service_cidr} drop comment "Drop traffic to unallocated ClusterIPs"',
    ]
    chains = [_rules("services", services), _rules("cluster-ips-check", strays)]
    body = [*_sets(ports, own), _CHAINS, *chains, *(_service(port, pods, own) for port in ports)]
    return f'table {TABLE} {{\n\tcomment "rules for kube-proxy"\n{"".join(body)}}}\n'


def _sets(ports: Iterable[ServicePort], own: str) -> list[str]:
    """The sets and the verdict maps."""
    live = [port for port in ports if port.endpoints]
    dead = [port for port in ports if not port.endpoints]
    outside = [port for port in ports if port.external]
    unserved = [port for port in outside if not port.external_endpoints]
    fenced = [port for port in outside if port.service.source_ranges]
    served = [port for port in live if port.external]
    hairpins = (f"{address} . {address} . tcp . {number}" for port in live for address, number in _split(port.local))
    no_endpoints = [
        *(f"{_cluster(port)} {_label(port)} : goto reject-chain" for port in dead),
        *(f"{_balanced(port)} {_label(port)} : {_verdict(port)}" for port in unserved),
    ]
    no_node_ports = (f"tcp . {port.service.node_port} {_label(port)} : {_verdict(port)}" for port in unserved)
    firewall = (f"{_balanced(port)} {_label(port)} : goto {_chain('firewall', port)}" for port in fenced)
    services = [
        *(f"{_cluster(port)} : goto {_chain('service', port)}" for port in live),
        *(f"{_balanced(port)} : goto {_chain('external', port)}" for port in served),
    ]
    node_ports = (f"tcp . {port.service.node_port} : goto {_chain('external', port)}" for port in served)
    pair, rejected = "ipv4_addr . ipv4_addr . inet_proto . inet_service", "vmap to drop or reject packets to"
    cluster_ips = (port.service.cluster_ip for port in ports)
    return [
        _block("set hairpin-connections", pair, hairpins, "service hairpin connections"),
        _block("set cluster-ips", "ipv4_addr", cluster_ips, "Active ClusterIPs"),
        _block("set nodeport-ips", "ipv4_addr", [own], "IPs that accept NodePort traffic"),
        _block("map no-endpoint-services", _SERVICE, no_endpoints, f"{rejected} services with no endpoints"),
        _block(
            "map no-endpoint-nodeports", _NODE_PORT, no_node_ports, f"{rejected} service nodeports with no endpoints"
        ),
        _block("map firewall-ips", _SERVICE, firewall, "destinations that are subject to LoadBalancerSourceRanges"),
        _block("map service-ips", _SERVICE, services, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
        _block("map service-nodeports", _NODE_PORT, node_ports, "NodePort traffic"),
    ]


def _chain(kind: str, port: ServicePort) -> str:
    service, name = port.service, port.name.partition("/")[2].partition(":")[0]
    base = f"{service.namespace}/{name}/tcp/{service.port_name}"
    return f"{kind}-{digest(base, 8)}-{base}"


def _cluster(port: ServicePort) -> str:
    return f"{port.service.cluster_ip} . tcp . {port.service.port}"


def _balanced(port: ServicePort) -> str:
    return f"{port.service.address} . tcp . {port.service.port}"


def _label(port: ServicePort) -> str:
    return f'comment "{port.name}"'


def _verdict(port: ServicePort) -> str:
    return "drop" if port.endpoints else "goto reject-chain"


def _split(endpoints: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((address, number) for address, _, number in (endpoint.partition(":") for endpoint in endpoints))


def _block(name: str, kind: str, elements: Iterable[str], comment: str) -> str:
    listed = ", ".join(elements)
    filled = f"\t\telements = {{ {listed} }}\n" if listed else ""
    return f'\t{name} {{\n\t\ttype {kind}\n\t\tcomment "{comment}"\n{filled}\t}}\n'


def _rules(chain: str, rules: Iterable[str]) -> str:
    return f"\tchain {chain} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}\n"


def _choice(chain: str, endpoints: Iterable[str]) -> str:
    """One of the endpoints, each as likely as the others."""
    numbered = [f"{n} : {address} . {number}" for n, (address, number) in enumerate(_split(endpoints))]
    return _rules(
        chain, [f"meta l4proto tcp dnat ip to numgen random mod {len(numbered)} map {{ {', '.join(numbered)} }}"]
    )


def _service(port: ServicePort, pods: str, own: str) -> str:
    """The chains of a service."""
    chains = ""
    if port.endpoints:
        chains += _choice(_chain("service", port), port.endpoints)
    if port.only_local and port.local:
        chains += _choice(_chain("local", port), port.local)
    if port.external and port.endpoints:
        chains += _rules(_chain("external", port), _external(port, pods))
    if port.external and port.service.source_ranges:
        allowed = ", ".join(port.sources(own))
        chains += _rules(_chain("firewall", port), [f"ip saddr != {{ {allowed} }} drop"])
    return chains


def _external(port: ServicePort, pods: str) -> list[str]:
    """What happens to packets for external destinations."""
    everywhere = _chain("service", port)
    if not port.only_local:
        return [_MASQUERADE, f"goto {everywhere}"]
    return [
        f'ip saddr {pods} goto {everywhere} comment "short-circuit pod traffic"',
        f'fib saddr type local {_MASQUERADE} comment "masquerade local traffic"',
        f'fib saddr type local goto {everywhere} comment "short-circuit local traffic"',
        *([f"goto {_chain('local', port)}"] if port.local else []),
    ]
