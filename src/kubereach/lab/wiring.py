"""The hosts and the wires of a lab: namespaces, a switch with one bridge a segment, addresses, routes, pods' links.

Pods are wired as Calico wires them: a /32, a default route by 169.254.1.1, proxy ARP on the node's end `caliHASH`
(Calico cni-plugin/internal/pkg/utils: the hash is of namespace and pod name).
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Address, IPv4Network

from kubereach.lab.lab import Lab, execute
from kubereach.lab.scenario import Scenario

SWITCH = "switch"
POD_GATEWAY = "169.254.1.1"
OVERHEAD = {"none": 0, "ipip": 20, "vxlan": 50}  # bytes that encapsulation adds to an IPv4 packet
PROTO_BIRD = "bird"
PROTO_FELIX = "80"  # Felix's own routes (Calico felix/dataplane/linux: DefaultRouteProtocol)


def pod_link(pod: str, namespace: str = "default") -> str:
    """The node's end of a pod's link."""
    digest = hashlib.sha1(f"{namespace}.{pod}".encode(), usedforsecurity=False).hexdigest()
    return f"cali{digest[:11]}"


def tunnel_address(scenario: Scenario, node: str) -> str:
    """The address of a node's tunnel: the first of its block."""
    return str(IPv4Network(scenario.nodes[node].block)[0])


def mac(scenario: Scenario, host: str, segment: str) -> str:
    """A host's hardware address in a segment: locally administered, and readable as its IPv4 address."""
    return hardware_address(address_of(scenario, host, segment))


def hardware_address(address: str) -> str:
    """The hardware address of the interface that has `address`."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in IPv4Address(address).packed)


def address_of(scenario: Scenario, host: str, segment: str = "") -> str:
    """A host's own address; the router's in `segment`."""
    if host == "router":
        return scenario.router.addresses[segment or next(iter(scenario.segments))]
    if host in scenario.clients:
        return scenario.clients[host].address
    return scenario.nodes[host].address if host in scenario.nodes else scenario.pods[host].address


def wire(lab: Lab) -> None:
    """Make every host with its links, addresses, routes and kernel settings. Raises CommandError."""
    scenario = lab.scenario
    added = "".join(f"netns add {lab.namespace(host)}\n" for host in (SWITCH, *scenario.hosts))
    execute(["ip", "-batch", "-"], stdin=added)
    placed = [("router", segment) for segment in scenario.segments]
    placed += [(name, client.segment) for name, client in scenario.clients.items()]
    placed += [(name, node.segment) for name, node in scenario.nodes.items()]
    plugs = [line for host, segment in placed for line in _cable(lab, host, lab.interface(host, segment), segment)]
    bridges = [line for segment in scenario.segments for line in _bridge(segment)]
    _batch(lab, SWITCH, ["link set lo up", *bridges, *plugs])
    for host in dict.fromkeys(host for host, _ in placed):
        _batch(lab, host, [line for at, segment in placed if at == host for line in _plug(lab, host, segment)])
    for name in scenario.pods:
        _wire_pod(lab, name)
    for name in scenario.nodes:
        _wire_pod_network(lab, name)
    _settings(lab)


def bridge(segment: str) -> str:
    """The switch's bridge for a segment."""
    return f"br-{segment}"


def port(host: str, segment: str) -> str:
    """The switch's port that a host is plugged into; an interface's name has at most 15 characters."""
    return "p" + hashlib.sha1(f"{host} {segment}".encode(), usedforsecurity=False).hexdigest()[:10]


def _bridge(segment: str) -> list[str]:
    return [f"link add {bridge(segment)} type bridge", f"link set {bridge(segment)} up"]


def _batch(lab: Lab, host: str, lines: list[str]) -> None:
    execute(["ip", "-netns", lab.namespace(host), "-batch", "-"], stdin="\n".join(lines) + "\n")


def _plug(lab: Lab, host: str, segment: str) -> list[str]:
    """The host's side of its interface in a segment."""
    scenario = lab.scenario
    device = lab.interface(host, segment)
    length = scenario.prefix(segment).prefixlen
    lines = ["link set lo up", *_interface(device, f"{address_of(scenario, host, segment)}/{length}")]
    return lines if host == "router" else [*lines, f"route add default via {scenario.gateway(segment)} dev {device}"]


def _cable(lab: Lab, host: str, device: str, segment: str, address: str = "") -> list[str]:
    """The switch's side of an interface; its hardware address is that of `address` (the host's own)."""
    plug, hardware = (
        port(f"{host} {device}", segment),
        hardware_address(address or address_of(lab.scenario, host, segment)),
    )
    return [
        f"link add {plug} type veth peer name {device} netns {lab.namespace(host)} address {hardware}",
        f"link set {plug} master {bridge(segment)} up",
    ]


def _interface(device: str, address: str) -> list[str]:
    return [f"address add {address} dev {device}", f"link set {device} up"]


def plug_in(lab: Lab, host: str, device: str, segment: str, address: str) -> None:
    """Give a host an interface in a segment with an address (`A/LENGTH`)."""
    _batch(lab, SWITCH, _cable(lab, host, device, segment, address.partition("/")[0]))
    _batch(lab, host, _interface(device, address))


def _wire_pod(lab: Lab, name: str) -> None:
    pod = lab.scenario.pods[name]
    link, mtu = pod_link(name), 1500 - OVERHEAD[lab.scenario.pod_network.encapsulation]
    far = lab.namespace(name)
    _batch(
        lab,
        pod.node,
        [
            f"link add {link} mtu {mtu} type veth peer name eth0 mtu {mtu} netns {far}",
            f"link set {link} address ee:ee:ee:ee:ee:ee up",
            f"route add {pod.address} dev {link} scope link",
        ],
    )
    lab.sysctl(pod.node, f"net.ipv4.conf.{link}.proxy_arp=1", f"net.ipv4.neigh.{link}.proxy_delay=0")
    _batch(
        lab,
        name,
        [
            "link set lo up",
            "link set eth0 up",
            f"address add {pod.address}/32 dev eth0",
            f"route add {POD_GATEWAY} dev eth0 scope link",
            f"route add default via {POD_GATEWAY} dev eth0",
        ],
    )


def _wire_pod_network(lab: Lab, node: str) -> None:
    """What Felix does on a node: the block's blackhole under VXLAN, and the tunnel with its peers."""
    encapsulation = lab.scenario.pod_network.encapsulation
    if encapsulation == "vxlan":
        _batch(lab, node, vxlan(lab.scenario, node))
    elif encapsulation == "ipip":
        own = tunnel_address(lab.scenario, node)
        lab.script(
            node,
            "ip link set tunl0 up mtu 1480 2>/dev/null || ip link add tunl0 type ipip ttl 64\n"
            f"ip link set tunl0 up mtu 1480\nip address add {own}/32 dev tunl0\n",
        )


def vxlan(scenario: Scenario, node: str) -> list[str]:
    """The commands of `ip` for a node's VXLAN device, static neighbours and routes.

    As Felix programs them (Calico felix/dataplane/linux/vxlan_mgr.go).
    """
    device = "vxlan.calico"
    own = scenario.nodes[node]
    options = f"id 4096 dstport 4789 local {own.address} dev eth0 nolearning"
    lines = [
        f"link add {device} address {_tunnel_mac(scenario, node)} mtu 1450 type vxlan {options}",
        f"address add {tunnel_address(scenario, node)}/32 dev {device}",
        f"link set {device} up",
        f"route add blackhole {own.block} proto {PROTO_FELIX}",
    ]
    for other, far in scenario.nodes.items():
        if other == node:
            continue
        address, hardware = tunnel_address(scenario, other), _tunnel_mac(scenario, other)
        lines += [
            f"neigh replace {address} lladdr {hardware} dev {device} nud permanent",
            f"route add {far.block} via {address} dev {device} onlink proto {PROTO_FELIX}",
        ]
    return lines


def forwarding_entries(scenario: Scenario, node: str) -> list[str]:
    """The commands of `bridge` that tell a node's VXLAN device where the other tunnels end."""
    return [
        f"fdb append {_tunnel_mac(scenario, other)} dev vxlan.calico dst {far.address} self permanent"
        for other, far in scenario.nodes.items()
        if other != node
    ]


def _tunnel_mac(scenario: Scenario, node: str) -> str:
    return "66:00:" + ":".join(f"{byte:02x}" for byte in IPv4Address(scenario.nodes[node].address).packed)


def _settings(lab: Lab) -> None:
    scenario = lab.scenario
    for name, client in scenario.clients.items():
        taken = int(client.accepts_redirects)
        lab.sysctl(name, *_on("accept_redirects", taken), *_on("secure_redirects", 0), *_on("rp_filter", 0))
    # The provider behind the router drops what is addressed to nobody, in silence.
    lab.run("router", "ip", "route", "add", "blackhole", "default")
    for host in (*scenario.clients, "router", *scenario.nodes, *scenario.pods):
        lab.sysctl(host, "net.ipv4.icmp_ratelimit=0")  # else how many probes came before decides what is seen
    send = int(scenario.router.sends_redirects)
    devices = [lab.interface("router", segment) for segment in scenario.segments]
    lab.sysctl(
        "router", "net.ipv4.ip_forward=1", *_on("rp_filter", 0, *devices), *_on("send_redirects", send, *devices)
    )
    for name in scenario.nodes:
        # Loose, as systemd sets it; a node never redirects its segment's hosts (Calico and most manuals turn it off).
        lab.sysctl(name, "net.ipv4.ip_forward=1", *_on("rp_filter", 2), *_on("send_redirects", 0))
        if scenario.pod_network.encapsulation == "vxlan":
            execute(
                ["bridge", "-netns", lab.namespace(name), "-batch", "-"],
                stdin="\n".join(forwarding_entries(scenario, name)) + "\n",
            )


def _on(setting: str, value: int, *devices: str) -> list[str]:
    return [f"net.ipv4.conf.{device}.{setting}={value}" for device in ("all", "default", *(devices or ("eth0",)))]


def node_port(lab: Lab, node: str) -> str:
    """The switch's port that a node is plugged into."""
    segment = lab.scenario.nodes[node].segment
    return port(f"{node} {lab.interface(node, segment)}", segment)
