"""A second interface of a node, by which its routes lead back to the clients; nobody is behind it."""

from __future__ import annotations

from kubereach.lab.lab import Lab
from kubereach.lab.places import clients

DEVICE, ADDRESS, GATEWAY = "eth1", "192.0.2.2", "192.0.2.1"


def add(lab: Lab, node: str) -> None:
    """The interface, with routes to every client that are better than the ones there are."""
    routes = "".join(f"ip route add {client}/32 via {GATEWAY} dev {DEVICE}\n" for client in clients(lab))
    lab.script(
        node,
        f"ip link add {DEVICE} type veth peer name far1\nip link set far1 up\nip link set {DEVICE} up\n"
        f"ip address add {ADDRESS}/24 dev {DEVICE}\n"
        f"ip neigh replace {GATEWAY} lladdr 02:00:00:00:00:fe dev {DEVICE} nud permanent\n{routes}",
    )


def remove(lab: Lab, node: str) -> None:
    """The interface goes, and its routes with it."""
    lab.run(node, "ip", "link", "del", DEVICE)
