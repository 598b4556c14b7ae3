"""A healthy cluster, drawn at random inside what a fault needs."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from random import Random

from benchmarks.diagnosis.generate import names
from benchmarks.diagnosis.generate.flow import candidates
from benchmarks.diagnosis.generate.site import (
    CILIUM,
    L2,
    ROUTERS,
    STACKS,
    Client,
    Node,
    Pod,
    Router,
    Service,
    Site,
)

VERSIONS = {
    "metallb": ("0.13.7", "0.13.12", "0.14.5", "0.14.8", "0.15.2"),
    "calico": ("3.26.1", "3.27.3", "3.28.0", "3.29.1"),
    "cilium": ("1.15.6", "1.16.3", "1.17.1"),
    "kube-vip": ("0.8.0", "0.8.7"),
    "kube-router": ("2.1.0", "2.2.1"),
    "klipper": ("1.28.8", "1.30.4"),
    "keepalived": ("2.2.8",),
}


# Few people run large clusters on their own hardware, and a diagnosis of one takes a minute.
LARGE = 0.02


@dataclass(frozen=True)
class Wish:
    """What a fault needs of the cluster; empty means that it does not matter."""

    stacks: frozenset[str] = frozenset(STACKS) - {"keepalived"}
    policy: str = ""
    modes: frozenset[str] = frozenset({"iptables", "ipvs", "nftables", "ebpf"})
    encapsulations: frozenset[str] = frozenset({"none", "vxlan", "ipip"})
    routers: frozenset[str] = frozenset(ROUTERS)
    on_lan: bool | None = None
    nodes: int = 1
    remote: bool = False  # a node without a pod has to exist, and traffic has to enter there

    def also(self, other: Wish) -> Wish | None:
        """Both wishes at once, or None where they exclude each other."""
        policy = self.policy or other.policy
        on_lan = other.on_lan if self.on_lan is None else self.on_lan
        merged = Wish(
            stacks=self.stacks & other.stacks,
            policy=policy,
            modes=self.modes & other.modes,
            encapsulations=self.encapsulations & other.encapsulations,
            routers=self.routers & other.routers,
            on_lan=on_lan,
            nodes=max(self.nodes, other.nodes),
            remote=self.remote or other.remote,
        )
        fits = {self.policy, other.policy} - {"", policy} == set() and {self.on_lan, other.on_lan} - {
            None,
            on_lan,
        } == set()
        return merged if fits and all((merged.stacks, merged.modes, merged.encapsulations, merged.routers)) else None


def draw(rng: Random, wish: Wish) -> Site | None:
    """A working cluster that fulfils the wish; None where the draw cannot."""
    stack = rng.choice(sorted(wish.stacks))
    cni, encapsulations, modes = _fabric(rng, stack)
    mode = _one(rng, modes, wish.modes)
    encapsulation = _one(rng, encapsulations, wish.encapsulations)
    kind = _one(rng, ROUTERS, wish.routers)
    if not mode or not encapsulation or not kind:
        return None
    network = rng.choice(names.NODE_NETWORKS)
    taken = [network]
    l2 = stack in L2 or stack == "klipper"
    pool = "" if l2 else names.disjoint(rng, names.ROUTED_POOLS, taken)
    taken += [pool] if pool else []
    office = names.disjoint(rng, names.OFFICE_NETWORKS, taken)
    pods = names.disjoint(rng, names.POD_NETWORKS, [*taken, office])
    services = names.disjoint(rng, names.SERVICE_NETWORKS, [*taken, office, pods])
    hosts = [str(h) for h in ipaddress.ip_network(network).hosts()]
    nodes = _nodes(rng, wish, hosts, pods)
    on_lan = wish.on_lan if wish.on_lan is not None else rng.random() < (0.6 if l2 else 0.25)
    product = stack.split("-")[0] if not stack.startswith("kube") else stack.removesuffix("-arp").removesuffix("-bgp")
    policy = wish.policy or rng.choice(("Cluster", "Local"))
    address, pool = _address(rng, hosts, pool)
    service = _service(rng, address, services, policy)
    site = Site(
        rng=rng,
        stack=stack,
        cni=cni,
        encapsulation=encapsulation,
        mode=mode,
        minor=_minor(rng, mode),
        version=rng.choice(VERSIONS[product]),
        network=network,
        nic=rng.choice(names.NICS),
        nodes=nodes,
        pods=_pods(rng, wish, nodes, service),
        service=service,
        pool=pool,
        pool_name=rng.choice(names.POOLS),
        pool_exists=True,
        router=_router(rng, kind, hosts[0], network, office),
        client=_client(rng, hosts, network, office, on_lan=on_lan),
        node_as=rng.choice((64512, 65001, 65010, 65500, 64600)),
        pod_network=pods,
        system=rng.choice(names.SYSTEMS),
        others=_others(rng, service, services, pool),
        mesh=rng.random() < 0.7 or encapsulation in {"none", "ipip"},
    )
    site.announced = pool if stack == "calico" else ""
    if kind == "routeros6":
        site.router.multipath = False
    _settle(site, wish)
    return site


def _settle(site: Site, wish: Wish) -> None:
    """The leader, and who holds the address of k3s's ServiceLB."""
    if site.stack == "klipper":
        able = site.with_pod() if site.local else site.nodes
        entry = [n for n in able if n not in site.with_pod()] or able if wish.remote else able
        site.service.address = site.rng.choice(entry).ip
        return
    if site.stack in L2:
        able = candidates(site)
        if site.stack in {"cilium-l2", "kube-vip-arp"} and site.local:
            able = [n for n in able if n in site.with_pod()] or able
        if wish.remote and not site.local:
            able = [n for n in able if n not in site.with_pod()] or able
        site.leader = site.rng.choice(able).name if able else ""


def _one(rng: Random, having: tuple[str, ...], wanted: frozenset[str]) -> str:
    both = [value for value in having if value in wanted]
    return rng.choice(both) if both else ""


def _fabric(rng: Random, stack: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(CNI, encapsulations, proxy modes) as the stack has them."""
    if stack in CILIUM:
        return "cilium", ("vxlan", "none"), ("ebpf",)
    if stack == "kube-router":
        return "kube-router", ("none", "ipip"), ("ipvs",)
    if stack == "keepalived":
        return "flannel", ("vxlan",), ("iptables",)
    if stack == "klipper":
        return "flannel", ("vxlan",), ("iptables",)
    modes = ("iptables", "iptables", "ipvs", "nftables")
    if stack == "calico":
        return "calico", ("none", "ipip", "vxlan"), modes
    return ("flannel", ("vxlan",), modes) if rng.random() < 0.5 else ("calico", ("vxlan", "ipip"), modes)


def _minor(rng: Random, mode: str) -> int:
    if mode == "nftables":
        return rng.choice((31, 32, 33))
    return rng.choice((22, 24, 25, 26, 28, 29, 30, 31, 32) if mode != "ebpf" else (27, 28, 29, 30, 31, 32))


def _nodes(rng: Random, wish: Wish, hosts: list[str], pods: str) -> list[Node]:
    count = max(wish.nodes, rng.choice((1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 8)))
    if rng.random() < LARGE:
        count = rng.choice((12, 24, 50))
    masters = 0 if count == 1 else 1 if count < 6 else 3
    start = rng.randrange(10, 90 if len(hosts) < 300 else 180)
    blocks = list(ipaddress.ip_network(pods).subnets(new_prefix=24))
    system = rng.choice(("52:54:00", "bc:24:11", "00:50:56", "dc:a6:32", "3c:ec:ef"))
    found = []
    for i, name in enumerate(names.node_names(rng, count, masters)):
        labels = {
            "beta.kubernetes.io/arch": "amd64",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
        }
        if i < masters:
            labels["node-role.kubernetes.io/control-plane"] = ""
        found.append(Node(name, hosts[start + i], names.mac(rng, system), str(blocks[i]), i < masters, labels))
    return found


def _pods(rng: Random, wish: Wish, nodes: list[Node], service: Service) -> list[Pod]:
    workers = [n for n in nodes if not n.control_plane] or nodes
    most = len(workers) if not wish.remote else max(1, len(workers) - 1)
    count = min(rng.choice((1, 1, 1, 2, 2, 3)), most)
    hashed = names.suffix(rng, 10)
    found = []
    for node in rng.sample(workers, count):
        ip = str(ipaddress.ip_network(node.block)[rng.randrange(5, 200)])
        found.append(Pod(f"{service.name}-{hashed}-{names.suffix(rng)}", node.name, ip))
    return found


def _address(rng: Random, hosts: list[str], pool: str) -> tuple[str, str]:
    """(the service's address, its pool): a range at the end of the nodes' network, or inside the routed pool."""
    if pool:
        members = list(ipaddress.ip_network(pool).hosts())
        return str(members[rng.randrange(min(len(members), 13))]), pool
    first = min(len(hosts), 254) - rng.choice((15, 21, 31, 54))
    return hosts[first + rng.randrange(10)], f"{hosts[first]}-{hosts[first + 10]}"


def _service(rng: Random, address: str, services: str, policy: str) -> Service:
    name = rng.choice(names.SERVICES)
    port, target = rng.choice(((80, 80), (80, 8080), (443, 8443), (8080, 8080), (80, 3000), (8443, 443)))
    cluster_ip = str(ipaddress.ip_network(services)[rng.randrange(20, 200)])
    node_port = rng.randrange(30001, 32700)
    health = rng.randrange(30001, 32700) if policy == "Local" else 0
    label = rng.choice((f"app={name}", f"app.kubernetes.io/name={name}", f"k8s-app={name}"))
    return Service(
        rng.choice(names.NAMESPACES), name, cluster_ip, address, port, target, node_port, policy, health, label, label
    )


def _others(rng: Random, service: Service, services: str, pool: str) -> list[tuple[str, str, str, str, int]]:
    """Services around it, some with addresses of the same pool."""
    network = ipaddress.ip_network(services)
    found = [("default", "kubernetes", str(network[1]), "", 443), ("kube-system", "kube-dns", str(network[10]), "", 53)]
    if "-" in pool:
        first, last = (ipaddress.ip_address(end) for end in pool.split("-"))
        free = [str(first + i) for i in range(int(last) - int(first) + 1)]
    else:
        free = [str(h) for h in list(ipaddress.ip_network(pool).hosts())[:13]]
    free = [a for a in free if a != service.address]
    for i, name in enumerate(rng.sample([n for n in names.SERVICES if n != service.name], rng.choice((0, 1, 2, 4, 9)))):
        address = free[i] if rng.random() < 0.5 and i < len(free) else ""
        found.append((rng.choice(names.NAMESPACES), name, str(network[11 + i]), address, rng.choice((80, 443, 9090))))
    return found


def _router(rng: Random, kind: str, ip: str, network: str, office: str) -> Router:
    uplink = rng.choice(("203.0.113.254", "198.51.100.254", "192.0.2.1"))
    office_ip = str(ipaddress.ip_network(office)[1])
    return Router(kind, ip, network, uplink, office_ip, rng.choice((64499, 65530, 65000, 64900)))


def _client(rng: Random, hosts: list[str], network: str, office: str, *, on_lan: bool) -> Client:
    own = network if on_lan else office
    ip = hosts[rng.randrange(3, 9)] if on_lan else str(ipaddress.ip_network(office)[rng.randrange(10, 200)])
    return Client(ip, own, on_lan, names.mac(rng, "a4:83:e7"))
