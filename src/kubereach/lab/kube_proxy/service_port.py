"""What kube-proxy makes of a Service before it writes rules: one ServicePort with its endpoints as a node sees them.

The hashes are those of pkg/proxy/iptables/proxier.go: portProtoHash and servicePortEndpointChainName.
"""

from __future__ import annotations

import base64
import hashlib
from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

from kubereach.lab.scenario import Scenario, Service


class ServicePort(Struct, frozen=True, kw_only=True):
    """A port of a Service: `name` as `namespace/name[:port]`, `endpoints` and those `local` to the node as `A:PORT`."""

    name: str
    service: Service
    endpoints: tuple[str, ...]
    local: tuple[str, ...]

    @property
    def only_local(self) -> bool:
        """Whether externalTrafficPolicy is Local: a ClusterIP service has none."""
        return self.external and self.service.policy == "Local"

    @property
    def external(self) -> bool:
        """Whether it can be reached from outside: type LoadBalancer, with an address and a node port."""
        return bool(self.service.address)

    @property
    def external_endpoints(self) -> tuple[str, ...]:
        """The endpoints for packets from outside."""
        return self.local if self.only_local else self.endpoints

    @property
    def hash(self) -> str:
        """What its chains' names end with."""
        return digest(f"{self.name}tcp")

    def endpoint_hash(self, endpoint: str) -> str:
        """What the name of an endpoint's chain ends with."""
        return digest(f"{self.name}tcp{endpoint}")

    def from_node(self, own: str) -> bool:
        """Whether a source range holds the address `own` of the node, which then may use the service itself."""
        return any(IPv4Address(own) in IPv4Network(allowed) for allowed in self.service.source_ranges)

    def sources(self, own: str) -> tuple[str, ...]:
        """Who may use the load balancer's address on that node: from it, packets come from the service's address."""
        return (*self.service.source_ranges, *([self.service.address] if self.from_node(own) else []))


def digest(text: str, length: int = 16) -> str:
    """The first characters of the SHA-256 in base 32."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:length]


def service_ports(scenario: Scenario, node: str) -> tuple[ServicePort, ...]:
    """Every service's port, in the scenario's order (kube-proxy's own is that of a Go map: none)."""
    return tuple(_service_port(scenario, name, node) for name in scenario.services)


def _service_port(scenario: Scenario, name: str, node: str) -> ServicePort:
    service = scenario.services[name]

    def at(*where: str) -> tuple[str, ...]:
        pods = scenario.ready_endpoints(name, *where)
        return tuple(f"{scenario.pods[pod].address}:{service.target_port}" for pod in pods)

    port = f":{service.port_name}" if service.port_name else ""
    return ServicePort(name=f"{service.namespace}/{name}{port}", service=service, endpoints=at(), local=at(node))
