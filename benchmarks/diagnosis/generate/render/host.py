"""A node's kernel: addresses, routes, neighbours, settings, sockets, counters, log."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from random import Random

from benchmarks.diagnosis.generate.flow import answering
from benchmarks.diagnosis.generate.render.output import Output, watched
from benchmarks.diagnosis.generate.site import Node, Site

TUNNELS = {
    "calico": {"vxlan": "vxlan.calico", "ipip": "tunl0"},
    "flannel": {"vxlan": "flannel.1"},
    "cilium": {"vxlan": "cilium_vxlan"},
}
HEADERS = {"vxlan": 50, "ipip": 20, "none": 0}


def outputs(site: Site) -> Iterator[Output]:
    service = site.service
    for node in watched(site):
        yield Output("ip-addr", node.name, "ip addr", addresses(site, node))
        yield Output("ip-route", node.name, "ip route", routes(site, node))
        yield Output("ip-neigh", node.name, "ip neigh", neighbours(site, node))
        yield Output("ip-rule", node.name, "ip rule", rules(site, node))
        yield Output(
            "sysctl",
            node.name,
            "sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.conf.all.arp_ignore",
            settings(site, node),
        )
        yield Output("ss", node.name, "ss -tlnp", sockets(site, node))
        yield Output("nstat", node.name, "nstat -az", counted_by_kernel(site.rng, node.counters))
        yield Output("dmesg", node.name, "dmesg -T", kernel_log(site, node))
        yield Output("route-get-client", node.name, f"ip route get {site.client.ip}", get(site, node, site.client.ip))
        for pod in site.ready[:1]:
            if pod.node != node.name:
                yield Output("route-get-pod", node.name, f"ip route get {pod.ip}", get(site, node, pod.ip))
        if service.address and site.mode != "ebpf":
            yield Output(
                "route-get-vip", node.name, f"ip route get {service.address}", get(site, node, service.address)
            )


def tunnel(site: Site) -> str:
    """The tunnel's device, or ""."""
    return TUNNELS.get(site.cni, {}).get(site.encapsulation, "tun-kr" if site.encapsulation == "ipip" else "")


def owned(site: Site, node: Node) -> list[tuple[str, str]]:
    """(address, device) of service addresses that the node's kernel holds."""
    service = site.service
    found: list[tuple[str, str]] = []
    if not service.address:
        return found
    if site.mode == "ipvs" and site.has_address(node):
        found.append((service.address, "kube-dummy-if" if site.cni == "kube-router" else "kube-ipvs0"))
    names = [name for _, name in answering(site)] if site.strict_arp else [site.leader]
    if site.stack in {"kube-vip-arp", "keepalived"} and node.name in names:
        found.append((service.address, site.nic_of(node)))
    if site.stack == "kube-vip-bgp" and node.agent == "Running" and site.announces_service:
        found.append((service.address, "lo"))
    return found


def addresses(site: Site, node: Node) -> str:
    length = site.network.split("/")[1]
    nic, service = site.nic_of(node), site.service
    mine = owned(site, node)
    link = site.mtu.get("link", 1500)
    devices: list[tuple[str, str, int, str, str, list[str]]] = [
        (
            "lo",
            "LOOPBACK,UP,LOWER_UP",
            65536,
            "UNKNOWN",
            "loopback 00:00:00:00:00:00",
            ["127.0.0.1/8", *(f"{a}/32" for a, d in mine if d == "lo")],
        ),
        (
            nic,
            "BROADCAST,MULTICAST,UP,LOWER_UP",
            link,
            "UP",
            f"ether {node.mac}",
            [f"{node.ip}/{length}", *(f"{a}/32" for a, d in mine if d == nic)],
        ),
    ]
    extra: dict[str, list[str]] = {}
    for address, device in node.extra_addresses:
        extra.setdefault(device, []).append(address)
    for device, held in extra.items():
        flags = "POINTOPOINT,NOARP,UP,LOWER_UP" if device in {"wg0", "tun0"} else "BROADCAST,MULTICAST,UP,LOWER_UP"
        kind = "none" if device in {"wg0", "tun0"} else f"ether {node.mac[:-2]}7f"
        devices.append((device, flags, 1420 if device == "wg0" else 1500, "UP", kind, held))
    block = ipaddress.ip_network(node.block)
    if tunnel(site):
        mtu = site.mtu.get("tunnel", 1500 - HEADERS[site.encapsulation])
        own = [] if site.cni == "cilium" else [f"{block[0]}/32"]
        devices.append(
            (tunnel(site), "BROADCAST,MULTICAST,UP,LOWER_UP", mtu, "UNKNOWN", f"ether 66:{node.mac[3:]}", own)
        )
    if site.cni == "flannel":
        devices.append(
            (
                "cni0",
                "BROADCAST,MULTICAST,UP,LOWER_UP",
                site.mtu.get("pod", 1450),
                "UP",
                f"ether 8a:{node.mac[3:]}",
                [f"{block[1]}/24"],
            )
        )
    if site.mode == "ipvs":
        device = "kube-dummy-if" if site.cni == "kube-router" else "kube-ipvs0"
        held = [a for a, d in mine if d == device]
        held += [service.cluster_ip] + [a for _, _, c, a, _ in site.others for a in (c, a) if a]
        devices.append((device, "BROADCAST,NOARP", 1500, "DOWN", "ether 5e:0c:1d:77:a1:02", [f"{a}/32" for a in held]))
    for pod in site.pods:
        if pod.node == node.name and site.cni == "calico":
            devices.append(
                (
                    f"cali{node.mac.replace(':', '')[:11]}@if4",
                    "BROADCAST,MULTICAST,UP,LOWER_UP",
                    site.mtu.get("pod", 1500 - HEADERS[site.encapsulation]),
                    "UP",
                    "ether ee:ee:ee:ee:ee:ee",
                    [],
                )
            )
    return "".join(_device(i + 1, *device) for i, device in enumerate(devices))


def _device(index: int, name: str, flags: str, mtu: int, state: str, kind: str, held: list[str]) -> str:
    brd = "00:00:00:00:00:00" if name == "lo" else "ff:ff:ff:ff:ff:ff"
    discipline = "noqueue" if name == "lo" or "cali" in name else "noop" if state == "DOWN" else "fq_codel"
    lines = [
        f"{index}: {name}: <{flags}> mtu {mtu} qdisc {discipline} state {state} group default qlen 1000",
        f"    link/{kind} brd {brd}",
    ]
    if kind == "none":
        lines[1] = "    link/none"
    for address in held:
        scope = "host" if address.startswith("127.") else "global"
        lines += [
            f"    inet {address} scope {scope} {name.split('@')[0]}",
            "       valid_lft forever preferred_lft forever",
        ]
    return "\n".join(lines) + "\n"


def routes(site: Site, node: Node) -> str:
    nic = site.nic_of(node)
    gateway = node.default_via or site.router.ip
    device = next((d for a, d in node.extra_addresses if "/" in a and _inside(gateway, a)), nic)
    lines = [f"default via {gateway} dev {device} proto static", *node.extra_routes]
    for address, extra in node.extra_addresses:
        network = ipaddress.ip_network(address, strict=False)
        if network.prefixlen < 32:
            lines.append(f"{network} dev {extra} proto kernel scope link src {address.split('/')[0]}")
    lines.append(f"{site.network} dev {nic} proto kernel scope link src {node.ip}")
    for other in site.nodes:
        if other is node:
            if site.cni == "calico":
                lines.append(f"blackhole {node.block} proto {'80' if site.encapsulation == 'vxlan' else 'bird'}")
            elif site.cni == "flannel":
                lines.append(f"{node.block} dev cni0 proto kernel scope link src {ipaddress.ip_network(node.block)[1]}")
            elif site.cni == "cilium":
                lines.append(f"{node.block} {_by_cilium(node)}")
        elif len(lines) < 24:
            line = _to_block(site, node, other)
            lines += [line] if line else []
    for pod in site.pods:
        if pod.node == node.name and site.cni == "calico" and not pod.ip.startswith("10.85."):
            lines.append(f"{pod.ip} dev cali{node.mac.replace(':', '')[:11]} scope link")
    return "\n".join(lines) + "\n"


def _inside(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _by_cilium(node: Node) -> str:
    """Cilium takes what leaves by its host device into the tunnel."""
    own = ipaddress.ip_network(node.block)[0]
    return f"via {own} dev cilium_host proto kernel src {own}"


def _to_block(site: Site, node: Node, other: Node) -> str:
    """The route to another node's pods, as the CNI puts it there; "" where nobody does."""
    start = ipaddress.ip_network(other.block)[0]
    if site.cni == "flannel":
        return f"{other.block} via {start} dev flannel.1 onlink"
    if site.cni == "cilium":
        if site.encapsulation == "vxlan":
            return f"{other.block} {_by_cilium(node)}" + (" mtu 1450" if not site.mtu.get("tunnel") else "")
        return f"{other.block} via {other.ip} dev {site.nic} proto kernel"
    if site.cni == "calico" and site.encapsulation == "vxlan":
        return f"{other.block} via {start} dev vxlan.calico onlink"
    if site.cni == "calico" and not site.mesh and not site.reflectors:
        return ""
    proto = "bird" if site.cni == "calico" else "17"
    if site.encapsulation == "ipip":
        return f"{other.block} via {other.ip} dev tunl0 proto {proto} onlink"
    return f"{other.block} via {other.ip} dev {site.nic} proto {proto}"


def get(site: Site, node: Node, address: str) -> str:
    """`ip route get`: the answer of the longest prefix."""
    nic = site.nic_of(node)
    if any(a == address for a, _ in owned(site, node)) or any(
        a.split("/")[0] == address for a, _ in node.extra_addresses
    ):
        return f"local {address} dev lo src {address} uid 0\n    cache <local>\n"
    best: tuple[int, str] = (-1, "")
    for line in routes(site, node).splitlines():
        words = line.split()
        prefix = "0.0.0.0/0" if words[0] == "default" else words[1] if words[0] == "blackhole" else words[0]
        network = ipaddress.ip_network(prefix if "/" in prefix else prefix + "/32")
        if ipaddress.ip_address(address) in network and network.prefixlen > best[0]:
            best = (network.prefixlen, line)
    words = best[1].split()
    if words[0] == "blackhole":
        return "RTNETLINK answers: Invalid argument\n"
    device = words[words.index("dev") + 1]
    source = next(
        (a.split("/")[0] for a, d in node.extra_addresses if d == device),
        node.ip if device == nic else str(ipaddress.ip_network(node.block)[0]),
    )
    via = f" via {words[words.index('via') + 1]}" if "via" in words else ""
    return f"{address}{via} dev {device} src {source} uid 0\n    cache\n"


def neighbours(site: Site, node: Node) -> str:
    nic = site.nic_of(node)
    lines = [f"{site.router.ip} dev {nic} lladdr 48:8f:5a:10:22:01 REACHABLE"]
    for other in [n for n in site.nodes if n is not node][:8]:
        lines.append(
            f"{other.ip} dev {nic} lladdr {other.mac} {site.rng.choice(('REACHABLE', 'STALE', 'STALE', 'DELAY'))}"
        )
    if site.client.on_lan:
        lines.append(f"{site.client.ip} dev {nic} lladdr {site.client.mac} STALE")
    if node.default_via and node.default_via.startswith(site.network.rsplit(".", 1)[0]):
        lines.append(f"{node.default_via} dev {nic} lladdr 00:1b:21:3c:9d:f8 STALE")
    return "\n".join(lines) + "\n"


def rules(site: Site, node: Node) -> str:
    lines = ["0:\tfrom all lookup local", *node.extra_rules]
    if site.cni == "cilium" and "devices" not in site.tells:
        lines.insert(0, "9:\tfrom all fwmark 0x200/0xf00 lookup 2004")
    return "\n".join([*lines, "32766:\tfrom all lookup main", "32767:\tfrom all lookup default"]) + "\n"


def settings(site: Site, node: Node) -> str:
    strict = site.mode == "ipvs" and site.strict_arp
    nic = site.nic_of(node)
    found = {
        "net.ipv4.ip_forward": "1",
        "net.ipv4.conf.all.forwarding": "1",
        "net.ipv4.conf.all.rp_filter": "0",
        f"net.ipv4.conf.{nic}.rp_filter": "2" if "Ubuntu" in site.system[0] else "0",
        "net.ipv4.conf.all.arp_ignore": "1" if strict else "0",
        "net.ipv4.conf.all.arp_announce": "2" if strict else "0",
        "net.netfilter.nf_conntrack_count": str(site.rng.randrange(200, 9000)),
        "net.netfilter.nf_conntrack_max": "262144",
    }
    found |= node.sysctls
    return "".join(f"{name} = {value}\n" for name, value in found.items())


def sockets(site: Site, node: Node) -> str:
    lines = [
        "State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process",
        'LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=801,fd=3))',
        'LISTEN 0      4096       127.0.0.1:10249      0.0.0.0:*    users:(("kube-proxy",pid=2201,fd=11))',
        'LISTEN 0      4096               *:10250            *:*    users:(("kubelet",pid=1144,fd=20))',
        *node.listeners,
    ]
    if site.stack == "calico" and node.agent == "Running" and "two-speakers" not in site.tells:
        lines.append('LISTEN 0      8            0.0.0.0:179        0.0.0.0:*    users:(("bird",pid=2210,fd=7))')
    return "\n".join(lines) + "\n"


def counted_by_kernel(rng: Random, counted: dict[str, int]) -> str:
    """`nstat -az`, as far as it is of interest."""
    found = {
        "IpInReceives": rng.randrange(10**6, 10**8),
        "IpForwDatagrams": rng.randrange(10**5, 10**7),
        "IpOutNoRoutes": 0,
        "UdpInCsumErrors": 0,
        "TcpExtTCPTimeouts": rng.randrange(3, 400),
        "TcpExtListenDrops": 0,
        "TcpExtTCPMD5NotFound": 0,
        "TcpExtTCPMD5Unexpected": 0,
        "TcpExtTCPMD5Failure": 0,
        "TcpExtIPReversePathFilter": 0,
    }
    found |= {name: value for name, value in counted.items() if name.startswith(("TcpExt", "Udp"))}
    return "#kernel\n" + "".join(f"{name:<32}{value:<19}0.0\n" for name, value in found.items())


def kernel_log(site: Site, node: Node) -> str:
    lines = [
        f"[Thu May  2 08:00:0{i} 2024] {text}"
        for i, text in enumerate(("Linux version " + site.system[1], f"{site.nic_of(node)}: link is up"))
    ]
    lines += [f"[Thu May  2 09:2{i % 10}:11 2024] {text}" for i, text in enumerate(node.kernel_log)]
    return "\n".join(lines) + "\n"
