"""What was not collected and nearly always matters, with the command that gives it. Never read as absent."""

from __future__ import annotations

from kubereach.build.target import PLACEHOLDER
from kubereach.model.attribute import ADDRESS, ADDRESSES, ANNOUNCER, ENDPOINTS, POLICY, PROXY_MODE
from kubereach.model.fact import ProbeKind, ProbeResult
from kubereach.model.network import Network


def missing(network: Network) -> tuple[str, ...]:
    """One line for each gap, the most telling first."""
    flow = network.flow
    known = flow.service != PLACEHOLDER
    namespace, _, name = flow.service.removeprefix("service/").partition("/")
    which = f"-n {namespace} {name}" if known else "-A"
    gaps = []
    if not known or network.seen(flow.service, ADDRESSES) is None or network.seen(flow.service, POLICY) is None:
        gaps.append(f"The service's address, ports and policy: `kubectl get service {which} -o yaml`")
    if unnamed_nodes(network):
        gaps.append("Which node has which address: `kubectl get nodes -o wide`")
    if network.seen(flow.service, ENDPOINTS) is None:
        gaps.append("Where its pods are, and whether they are ready: `kubectl get endpointslices -A -o yaml`")
    if not _tested(network):
        target = f"http://{flow.address or 'ADDRESS'}:{flow.port or 'PORT'}/"
        gaps.append(f"What a client outside gets: `curl -sv -m 5 {target}`, and `ping` and `traceroute` of the address")
    if network.seen("cluster", ANNOUNCER) is None:
        gaps.append("Who announces the address: `kubectl get pods -A -o wide`, and the load balancer's own resources")
    if network.seen("cluster", PROXY_MODE) is None:
        gaps.append("How nodes handle it: `kubectl -n kube-system get configmap kube-proxy -o yaml`")
    return tuple(gaps)


def unnamed_nodes(network: Network) -> tuple[str, ...]:
    """The nodes that are known by an address alone, while others are known by a name alone: some may be the same."""
    nodes = [node for node in network.nodes if "(" not in node]
    addressed = [node for node in nodes if network.owners.get(node.removeprefix("node/")) == node]
    named = [node for node in nodes if node not in addressed and network.seen(node, ADDRESS) is None]
    return tuple(addressed) if named else ()


def _tested(network: Network) -> bool:
    return any(
        isinstance(fact, ProbeResult) and fact.source == "client" and fact.probe in {ProbeKind.TCP, ProbeKind.HTTP}
        for fact in network.observed
    )
