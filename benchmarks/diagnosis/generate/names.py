"""Names, addresses and versions as people have them. Everything is drawn from the generator's own random source."""

from __future__ import annotations

import ipaddress
from random import Random

SITES = (
    "alder",
    "atlas",
    "basalt",
    "birch",
    "borealis",
    "cedar",
    "cinder",
    "comet",
    "delta",
    "dune",
    "ember",
    "fjord",
    "flint",
    "garnet",
    "harbor",
    "heron",
    "iris",
    "juniper",
    "kepler",
    "lagoon",
    "larch",
    "maple",
    "mesa",
    "nimbus",
    "onyx",
    "orca",
    "pine",
    "prod",
    "quartz",
    "raven",
    "rhea",
    "sable",
    "sirius",
    "slate",
    "tundra",
    "umbra",
    "vega",
    "willow",
    "zephyr",
    "lab",
    "home",
    "k8s",
)
SERVICES = (
    "api",
    "blog",
    "cart",
    "chat",
    "docs",
    "forge",
    "gateway",
    "git",
    "grafana",
    "ingress-nginx-controller",
    "jellyfin",
    "ldap",
    "mail",
    "maps",
    "metrics",
    "nextcloud",
    "nginx",
    "notes",
    "orders",
    "pay",
    "photos",
    "portal",
    "registry",
    "search",
    "shop",
    "storefront",
    "tickets",
    "traefik",
    "vault",
    "video",
    "web",
    "wiki",
)
NAMESPACES = ("default", "web", "prod", "apps", "ingress-nginx", "shop", "team-a", "services", "staging", "media")
POOLS = ("default", "lan", "public", "first-pool", "prod-pool", "lb-pool", "main", "edge", "vips", "pool1")
IMAGES = ("nginx:1.25", "ghcr.io/acme/shop:2.3.1", "registry.k8s.io/ingress-nginx/controller:v1.9.4", "httpd:2.4")
SYSTEMS = (
    ("Ubuntu 22.04.4 LTS", "5.15.0-101-generic", "containerd://1.7.13"),
    ("Ubuntu 24.04 LTS", "6.8.0-35-generic", "containerd://1.7.18"),
    ("Debian GNU/Linux 12 (bookworm)", "6.1.0-21-amd64", "containerd://1.6.31"),
    ("Rocky Linux 9.3 (Blue Onyx)", "5.14.0-362.8.1.el9_3.x86_64", "cri-o://1.28.4"),
    ("Talos (v1.7.4)", "6.6.32-talos", "containerd://1.7.16"),
    ("openSUSE MicroOS", "6.9.3-1-default", "containerd://1.7.17"),
    ("Red Hat Enterprise Linux 8.9 (Ootpa)", "4.18.0-513.el8.x86_64", "cri-o://1.26.1"),
)
NICS = ("eth0", "ens18", "enp1s0", "ens192", "eno1", "bond0", "enp0s31f6")
# Networks of nodes: RFC 1918, RFC 6598, and the documentation ranges that stand for public ones.
NODE_NETWORKS = (
    "192.168.88.0/24",
    "192.168.1.0/24",
    "192.168.178.0/24",
    "10.20.30.0/24",
    "10.0.0.0/24",
    "10.84.3.0/24",
    "172.20.5.0/24",
    "172.31.0.0/22",
    "100.64.12.0/24",
    "198.51.100.0/24",
    "10.10.0.0/22",
)
ROUTED_POOLS = (
    "10.16.0.0/28",
    "10.99.8.16/28",
    "172.29.0.0/27",
    "203.0.113.0/28",
    "100.90.1.0/26",
    "192.168.240.0/24",
    "203.0.113.64/26",
    "10.200.200.0/24",
)
OFFICE_NETWORKS = ("192.168.50.0/24", "10.77.0.0/24", "172.18.9.0/24", "100.72.4.0/24", "10.250.1.0/24")
POD_NETWORKS = ("10.244.0.0/16", "10.42.0.0/16", "172.16.0.0/16", "192.168.128.0/17", "10.233.64.0/18")
SERVICE_NETWORKS = ("10.96.0.0/12", "10.43.0.0/16", "10.152.183.0/24", "172.17.128.0/17")


def disjoint(rng: Random, choices: tuple[str, ...], taken: list[str]) -> str:
    """One of the networks that overlaps none of `taken`."""
    used = [ipaddress.ip_network(net) for net in taken]
    free = [c for c in choices if not any(ipaddress.ip_network(c).overlaps(net) for net in used)]
    return rng.choice(free)


def mac(rng: Random, vendor: str = "") -> str:
    """A hardware address; the first bytes are those of a common virtual or physical vendor."""
    start = vendor or rng.choice(("52:54:00", "bc:24:11", "00:50:56", "dc:a6:32", "3c:ec:ef", "b4:2e:99"))
    return start + "".join(f":{rng.randrange(256):02x}" for _ in range(3))


def suffix(rng: Random, length: int = 5) -> str:
    """Random letters as Kubernetes puts them behind names (no vowels, no look-alikes)."""
    return "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(length))


def node_names(rng: Random, count: int, masters: int) -> list[str]:
    """Names of one scheme; the first `masters` are the control plane."""
    site = rng.choice(SITES)
    scheme = rng.randrange(4)
    if scheme == 0:
        return [f"{site}-m{i + 1}" if i < masters else f"{site}-w{i - masters + 1}" for i in range(count)]
    if scheme == 1:
        return [f"k8s-master-{i}" if i < masters else f"k8s-worker-{i - masters}" for i in range(count)]
    if scheme == 2:
        return [f"{site}-{i + 1}" for i in range(count)]
    return [f"{site}-cp{i:02d}" if i < masters else f"{site}-node{i - masters:02d}" for i in range(count)]
