"""Everything between the wire and the application that configuration decides, put into leaves in one go."""

from __future__ import annotations

from kubereach.build.host_policies import put_host_policies
from kubereach.build.hosts import Hosts
from kubereach.build.kernel import put_kernel, put_proxy_mode
from kubereach.build.leaves import Leaves
from kubereach.build.netfilter import put_netfilter
from kubereach.build.pods import put_pods
from kubereach.build.policies import put_policies
from kubereach.build.stated_endpoints import put_stated_endpoints
from kubereach.model.attribute import NOT_PROGRAMMED
from kubereach.model.fact import Fact, ObjectListing
from kubereach.model.kube_object import KubeObject, ObjectKey
from kubereach.model.network import Flow


def put_dataplane(
    objects: dict[ObjectKey, KubeObject], facts: tuple[Fact, ...], hosts: Hosts, flow: Flow, leaves: Leaves
) -> None:
    """Put the leaves of the nodes' kernels and filters, of policies, and of the pods behind the service."""
    put_stated_endpoints(facts, hosts, leaves)
    put_proxy_mode(facts, objects, leaves)
    put_netfilter(facts, hosts, flow, leaves)
    put_kernel(facts, hosts, flow, leaves)
    put_pods(objects, facts, flow, leaves)
    listed = frozenset(f.kind for f in facts if isinstance(f, ObjectListing) and f.complete)
    put_policies(objects, facts, flow, leaves, listed)
    put_host_policies(objects, hosts, flow, leaves)


def put_ip_mode(objects: dict[ObjectKey, KubeObject], hosts: Hosts, flow: Flow, leaves: Leaves) -> None:
    """`ipMode: Proxy` in a service's status: kube-proxy leaves the address alone on every node (KEP-1860)."""
    for (kind, namespace, name), entry in objects.items():
        if kind != "Service" or flow.service != f"service/{namespace}/{name}":
            continue
        for element in entry.elements("status.loadBalancer.ingress"):
            if element.text("ip") == flow.address and element.text("ipMode") == "Proxy":
                for node in hosts.nodes:
                    leaves.put(node, NOT_PROGRAMMED, value=True, origins=element.origins("ipMode"))
