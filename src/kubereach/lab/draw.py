"""Systems drawn at random, each by a number: topology, announcer, policy, mode and faults.

The same number always draws the same system. What is drawn are choices, so that `simpler` can take them back one by
one when a run fails and somebody wants to know what it needs to fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from random import Random

from msgspec.structs import replace

from kubereach.lab import enactment
from kubereach.lab.scenario import (
    Announcer,
    AnnouncerKind,
    Client,
    Node,
    Pod,
    PodNetwork,
    PodNetworkKind,
    Proxy,
    ProxyMode,
    Router,
    Scenario,
    Service,
)

LAYER2: tuple[AnnouncerKind, ...] = ("metallb-l2", "kube-vip-arp")
WORDS = ("shop", "front", "grafana", "radio", "wiki", "mail", "store", "atlas", "pilot", "quartz")
# How often a drawn system has no, one or two faults.
FAULTS = ((0, 0.15), (1, 0.65), (2, 0.2))


def draw(number: int, modes: tuple[ProxyMode, ...] = ("iptables", "nftables")) -> Scenario:
    """The system with this number; `modes` are those of kube-proxy that the machine can run."""
    random = Random(number)  # noqa: S311 - it has to be the same each time
    kind: AnnouncerKind = random.choices(("calico-bgp", "metallb-bgp", "metallb-l2", "kube-vip-arp"), (5, 3, 3, 1))[0]
    lan = IPv4Network((random.choice((0x0A000000, 0xC0A80000, 0xAC100000)) | random.randrange(1, 250) << 8, 24))
    office = IPv4Network((0x0A640000 | random.randrange(1, 250) << 8, 24))
    pods = IPv4Network((0x0AF00000 | random.randrange(8) << 16, 16))
    word = random.choice(WORDS)
    encapsulation: PodNetworkKind = random.choice(("none", "vxlan")) if kind == "calico-bgp" else "vxlan"
    nodes = _nodes(random, lan, pods)
    layer2 = kind in LAYER2
    address = (
        str(lan[240 + random.randrange(8)]) if layer2 else f"10.99.{random.randrange(250)}.{random.randrange(1, 250)}"
    )
    service = Service(
        address=address,
        cluster_ip=f"10.96.{random.randrange(250)}.{random.randrange(1, 250)}",
        selector={"app": word},
        port=random.choice((80, 80, 8080)),
        target_port=80,
        policy=random.choice(("Cluster", "Local")),
    )
    scenario = Scenario(
        summary=f"drawn by number {number}",
        segments={"lan": str(lan), "office": str(office)},
        router=Router(
            addresses={"lan": str(lan[1]), "office": str(office[1])},
            daemon=random.choice(("frr", "frr", "bird")),
            stateful=random.random() < 0.3,
            multipath=random.random() < 0.3,
        ),
        clients={
            "client": Client(segment="office", address=str(office[20])),
            "neighbour": Client(segment="lan", address=str(lan[77]), accepts_redirects=random.random() < 0.5),
        },
        client=random.choice(("client", "neighbour")),
        nodes=nodes,
        pods=_pods(random, word, nodes),
        services={word: service},
        target=word,
        proxy=Proxy(mode=random.choice(modes), minor=36),
        announcer=Announcer(
            kind=kind,
            asn=random.choice((64512, 65001)),
            mesh=encapsulation == "none" or random.random() < 0.8,
            lb_cidrs=(_pool(random, address),),
        ),
        pod_network=PodNetwork(cidr=str(pods), encapsulation=encapsulation),
    )
    return replace(scenario, faults=_faults(random, scenario))


def _pool(random: Random, address: str) -> str:
    """The pool around an address; with one in three, of this address alone."""
    length = random.choice((32, 28, 24))
    return str(IPv4Network(f"{address}/{length}", strict=False))


def _nodes(random: Random, lan: IPv4Network, pods: IPv4Network) -> dict[str, Node]:
    count = random.randrange(2, 5)
    blocks = list(pods.subnets(new_prefix=26))
    prefix = random.choice(("node-", "k8s-", "wk"))
    names = [f"{prefix}{index}" for index in range(1, count + 1)]
    return {
        name: Node(
            address=str(lan[10 + index]), block=str(blocks[random.randrange(200) * 4 + index]), control_plane=not index
        )
        for index, name in enumerate(names)
    }


def _pods(random: Random, word: str, nodes: dict[str, Node]) -> dict[str, Pod]:
    """One to three pods, on the workers."""
    workers = [name for name, node in nodes.items() if not node.control_plane]
    chosen = [random.choice(workers) for _ in range(random.randrange(1, 4))]
    return {
        f"{word}-{index}": Pod(node=node, address=str(IPv4Network(nodes[node].block)[10 + index]), labels={"app": word})
        for index, node in enumerate(chosen)
    }


def _faults(random: Random, scenario: Scenario) -> tuple[str, ...]:
    wanted = random.choices([n for n, _ in FAULTS], [p for _, p in FAULTS])[0]
    possible = [
        (code, places) for code in enactment.codes() if (places := tuple(enactment.module(code).places(scenario)))
    ]
    chosen = random.sample(possible, min(wanted, len(possible)))
    return tuple(f"{code}@{random.choice(places)}" for code, places in chosen)


def simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios with one choice taken back, the largest steps first; each still holds."""
    for fault in scenario.faults:
        yield replace(scenario, faults=tuple(f for f in scenario.faults if f != fault))
    named = " ".join(scenario.faults)
    used = {pod.node for pod in scenario.pods.values()}
    for name in scenario.nodes:
        if name not in used and name not in named and len(scenario.nodes) > 2:
            yield replace(scenario, nodes={n: node for n, node in scenario.nodes.items() if n != name})
    for name in list(scenario.pods)[1:]:
        if name not in named:
            yield replace(scenario, pods={n: pod for n, pod in scenario.pods.items() if n != name})
    plain = scenario.router
    for change in ({"stateful": False}, {"multipath": False}, {"daemon": "frr"}):
        if replace(plain, **change) != plain:
            yield replace(scenario, router=replace(plain, **change))
    if scenario.proxy.mode == "nftables":
        yield replace(scenario, proxy=replace(scenario.proxy, mode="iptables"))
    others = [name for name in scenario.clients if name != scenario.client]
    for name in others:
        yield replace(scenario, clients={n: c for n, c in scenario.clients.items() if n != name})
