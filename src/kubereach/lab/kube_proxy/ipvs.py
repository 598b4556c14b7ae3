"""kube-proxy's mode ipvs (kubernetes pkg/proxy/ipvs/proxier.go): virtual servers, kube-ipvs0, ipsets and chains.

What a node without an endpoint does for policy Local depends on the version: up to v1.23 its virtual server has no
real server, from v1.24 on it has those of all nodes, without masquerade; KUBE-IPVS-FILTER came with v1.26.

Differs from the real program: a real server that goes is deleted at once, where kube-proxy first lets its connections
end; kube-ipvs0 is a bridge without ports where the kernel has no dummy devices.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.lab import ipset, xtables
from kubereach.lab.kube_proxy import health
from kubereach.lab.kube_proxy.ipvs_rules import bound_addresses, ipsets, tables
from kubereach.lab.kube_proxy.service_port import ServicePort, service_ports
from kubereach.lab.lab import CommandError, Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import tunnel_address

DEVICE = "kube-ipvs0"
OWNED = "KUBE-.*"
FALLBACK = 24  # the minor version from which on policy Local falls back to endpoints of other nodes


def sync(lab: Lab, node: str) -> None:
    """Write the node's rules. Raises CommandError, also where the kernel has no IPVS."""
    scenario = lab.scenario
    ports = service_ports(scenario, node)
    there = _saved(lab, node)
    lab.sysctl(node, *_settings(scenario))
    _bind(lab, node, bound_addresses(ports))
    ipset.apply(lab, node, ipsets(scenario, node))
    xtables.apply(lab, node, tables(scenario, node), OWNED)
    if changes := changes_text(there, virtual_servers(scenario, node)):
        lab.run(node, "ipvsadm", "-R", stdin=changes)
    health.sync(lab, node)


def clear(lab: Lab, node: str) -> None:
    """Take all of them away. Raises CommandError."""
    xtables.remove(lab, node, tables(lab.scenario, node), OWNED)
    lab.run(node, "ipvsadm", "-C")
    lab.run(node, "ip", "link", "del", DEVICE, check=False)
    ipset.remove(lab, node, "KUBE-")
    health.clear(lab, node)


def virtual_servers(scenario: Scenario, node: str) -> list[str]:
    """The virtual servers with their real servers, as `ipvsadm -Sn` prints them."""
    return [line for port in service_ports(scenario, node) for line in _servers(scenario, node, port)]


def _servers(scenario: Scenario, node: str, port: ServicePort) -> list[str]:
    service, minor = port.service, scenario.proxy.minor
    outside = port.external_endpoints or (port.endpoints if minor >= FALLBACK else ())
    lines = _server(f"{service.cluster_ip}:{service.port}", port.endpoints)
    if port.external:
        lines += _server(f"{service.address}:{service.port}", outside)
        for address in _node_addresses(scenario, node):
            lines += _server(f"{address}:{service.node_port}", outside)
    return lines


def _server(virtual: str, real: Iterable[str]) -> list[str]:
    return [f"-A -t {virtual} -s rr", *(f"-a -t {virtual} -r {endpoint} -m -w 1" for endpoint in real)]


def _node_addresses(scenario: Scenario, node: str) -> list[str]:
    """Where node ports are served: at all of the node's addresses, but those on kube-ipvs0."""
    tunnelled = scenario.pod_network.encapsulation != "none"
    return [
        scenario.nodes[node].address,
        *([tunnel_address(scenario, node)] if tunnelled else []),
        *(["127.0.0.1"] if scenario.proxy.minor < 22 else []),
    ]


def changes_text(there: Iterable[str], wanted: Iterable[str]) -> str:
    """The text for `ipvsadm -R` that makes `wanted` of what is `there`; connections of what stays are kept."""
    old, new = list(there), list(wanted)
    gone = {_virtual(line) for line in old} - {_virtual(line) for line in new}
    lines = [f"-D -t {virtual}" for virtual in sorted(gone)]
    lost = [line for line in old if line.startswith("-a") and line not in new and _virtual(line) not in gone]
    lines += [" ".join(["-d", *line.split()[1:5]]) for line in lost]
    return "".join(f"{line}\n" for line in [*lines, *(line for line in new if line not in old)])


def _virtual(line: str) -> str:
    return line.split()[2]


def _saved(lab: Lab, node: str) -> list[str]:
    found = lab.run(node, "ipvsadm", "-Sn", check=False)
    if not found.ok:
        raise CommandError(
            f"the kernel has no IPVS (ip_vs), which kube-proxy's mode ipvs needs: {found.out.strip()[:200]}"
        )
    return [" ".join(line.split()) for line in found.out.splitlines() if line.startswith(("-A", "-a"))]


def _settings(scenario: Scenario) -> list[str]:
    """The kernel's settings that it makes; strictARP's are never taken back."""
    names = ("conntrack", "expire_nodest_conn", "expire_quiescent_template")
    arp = ["net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2"]
    return [*(f"net.ipv4.vs.{name}=1" for name in names), *(arp if scenario.proxy.strict_arp else [])]


def _bind(lab: Lab, node: str, wanted: tuple[str, ...]) -> None:
    """Put the addresses on kube-ipvs0, which stays down: their local routes are there all the same."""
    listed = lab.run(node, "ip", "-4", "-o", "address", "show", "dev", DEVICE, check=False)
    if not listed.ok and not lab.run(node, "ip", "link", "add", DEVICE, "type", "dummy", check=False).ok:
        lab.run(node, "ip", "link", "add", DEVICE, "type", "bridge")
    there = [line.split()[3].partition("/")[0] for line in listed.out.splitlines()] if listed.ok else []
    lines = [
        *(f"address del {address}/32 dev {DEVICE}" for address in there if address not in wanted),
        *(f"address add {address}/32 dev {DEVICE}" for address in dict.fromkeys(wanted) if address not in there),
    ]
    if lines:
        lab.run(node, "ip", "-batch", "-", stdin="".join(f"{line}\n" for line in lines))
