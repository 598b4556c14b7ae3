"""What prose says without being read as a language: product names, versions, and which address is what.

Every statement found has the lowest trust, and is listed with its place so that a person can see what was taken from
the sentence. Two contradicting mentions yield both: neither wins here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from kubereach.evidence.vantage import role_of_address
from kubereach.model.address import canonical_address
from kubereach.model.fact import Setting, Trust
from kubereach.model.origin import Origin


class Mention(Struct, frozen=True):
    """A setting that a line mentions, and how a report puts it."""

    line: int
    setting: Setting
    says: str


# (texts of which every spelling holds one; spelling, subject, attribute, value). Spellings match whole ASCII words,
# so that they are found between the letters of any other script, and not in the names of pods (`calico-node`).
_PRODUCTS = (
    ("calico", "calico", "cluster", "cni", "calico"),
    ("cilium", "cilium", "cluster", "cni", "cilium"),
    ("flannel", "flannel", "cluster", "cni", "flannel"),
    ("canal", "canal", "cluster", "cni", "canal"),
    ("antrea", "antrea", "cluster", "cni", "antrea"),
    ("weave", "weave ?net|weave", "cluster", "cni", "weave"),
    ("kube-ovn", "kube-ovn", "cluster", "cni", "kube-ovn"),
    ("kube-router", "kube-router", "cluster", "cni", "kube-router"),
    ("metallb", "metallb", "cluster", "load-balancer", "metallb"),
    ("kube-vip", "kube-vip", "cluster", "load-balancer", "kube-vip"),
    ("openelb porterlb", "openelb|porterlb", "cluster", "load-balancer", "openelb"),
    ("purelb", "purelb", "cluster", "load-balancer", "purelb"),
    ("klipper servicelb svclb", "klipper(?:-?lb)?|servicelb|svclb", "cluster", "load-balancer", "servicelb"),
    ("cri", "cri-?o", "cluster", "runtime", "cri-o"),
    ("containerd", "containerd", "cluster", "runtime", "containerd"),
    ("rocky", "rocky ?linux", "cluster", "os", "rocky linux"),
    ("alma", "alma ?linux", "cluster", "os", "alma linux"),
    ("ubuntu", "ubuntu", "cluster", "os", "ubuntu"),
    ("debian", "debian", "cluster", "os", "debian"),
    ("centos", "centos", "cluster", "os", "centos"),
    ("rhel enterprise", "rhel|red ?hat enterprise linux", "cluster", "os", "rhel"),
    ("fedora", "fedora(?: ?coreos)?", "cluster", "os", "fedora"),
    ("flatcar", "flatcar", "cluster", "os", "flatcar"),
    ("rasp", "raspbian|raspberry ?pi ?os", "cluster", "os", "raspbian"),
    ("suse sles", "opensuse|sles", "cluster", "os", "suse"),
    ("kubeadm", "kubeadm", "cluster", "kubernetes.distribution", "kubeadm"),
    ("k3s", "k3s", "cluster", "kubernetes.distribution", "k3s"),
    ("k0s", "k0s", "cluster", "kubernetes.distribution", "k0s"),
    ("rke2", "rke2", "cluster", "kubernetes.distribution", "rke2"),
    ("talos", "talos(?: ?linux)?", "cluster", "kubernetes.distribution", "talos"),
    ("microk8s", "microk8s", "cluster", "kubernetes.distribution", "microk8s"),
    ("openshift okd", "openshift|okd", "cluster", "kubernetes.distribution", "openshift"),
    ("kubespray", "kubespray", "cluster", "kubernetes.distribution", "kubespray"),
    ("mikrotik routeros", "mikrotik|routeros", "router", "software", "routeros"),
    ("opnsense", "opnsense", "router", "software", "opnsense"),
    ("pfsense", "pfsense", "router", "software", "pfsense"),
    ("vyos", "vyos", "router", "software", "vyos"),
    ("openwrt", "openwrt", "router", "software", "openwrt"),
    ("edge", "edgeos|edgerouter", "router", "software", "edgeos"),
    ("unifi udm", "unifi(?: ?os)?|udm(?:[ -]?pro)?", "router", "software", "unifi"),
    ("forti", "fortigate|fortios", "router", "software", "fortios"),
)
# How addresses are announced, in the words of several languages.
_LAYER_2 = (
    r"\blayer[- ]?2\b|\bl2[- ]?(?:mode|modus|modo|advert|announce)|\barp[- ]mode\b"
    r"|\bcapa 2\b|\bcouche 2\b|レイヤー ?2|二层"
)
_ANNOUNCED = ((r"\b[ei]?bgp\b", "bgp"), (_LAYER_2, "layer 2"))
_EDGE = (r"(?<![A-Za-z0-9_./@-])", r"(?![A-Za-z0-9_@/-]|\.[A-Za-z])")
_VERSION = r"v?(\d{1,2}(?:\.\d{1,3}){1,2}(?:[-+](?:k3s|rke2r|rc|beta)[\w.]{0,8})?)(?![\w]|\.\d)"
_BESIDE = rf"[\s(:=,]{{0,3}}(?:version|ver\.?)?[\s:(]{{0,2}}{_VERSION}"
_MODES = r"(?<![A-Za-z0-9_./-])(ipvs|iptables|nftables)(?![A-Za-z0-9_/-]|\.[a-z])"
_NEAR_MODE = r"proxy|プロキシ|mode|モード|模式|代理|прокси|режим|modo|프록시|모드"
_KUBERNETES = r"(?<![A-Za-z0-9_./-])(?:kubernetes|k8s|k3s|rke2|kubeadm|microk8s)(?![A-Za-z0-9_/]|\.[a-z])"
_ANY_KEY = "kube|k8s|" + "|".join(key for row in _PRODUCTS for key in row[0].split())
_ANY_PRODUCT = "|".join(row[1] for row in _PRODUCTS)


def mentions(lines: Iterable[tuple[int, str, Origin]]) -> tuple[Mention, ...]:
    """The settings that lines of prose mention; each line comes as (index, text, origin)."""
    found: list[Mention] = []
    modes: list[tuple[int, str, Origin, bool]] = []
    for index, text, origin in lines:
        text = text[:2000]
        if "://" in text:
            text = re.sub(r"\b(?:https?|ftp)://\S{1,500}", " ", text)
        tied = role_of_address(text)
        if tied:
            subject = f"address/{canonical_address(tied[0]) or tied[0]}"
            found.append(_mention(index, origin, subject, "role", tied[1]))
        for subject, attribute, value in _products(text):
            found.append(_mention(index, origin, subject, attribute, value))
        lowered = text.lower()
        for spelling, how in _ANNOUNCED if "bgp" in lowered or "2" in lowered or "arp" in lowered else ():
            if re.search(spelling, lowered):
                found.append(_mention(index, origin, "cluster", "announced-by", how))
        named = set(re.findall(_MODES, lowered) if "ipvs" in lowered or "tables" in lowered else ())
        near = bool(named) and re.search(_NEAR_MODE, text, re.IGNORECASE) is not None
        modes += [(index, mode, origin, near) for mode in sorted(named)]
    return tuple(sorted([*found, *_proxy_modes(modes)], key=lambda mention: mention.line))


def _mention(line: int, origin: Origin, subject: str, attribute: str, value: str) -> Mention:
    setting = Setting(origin=origin, trust=Trust.MENTIONED, subject=subject, attribute=attribute, value=value)
    return Mention(line, setting, f"{subject}: {attribute} = {value}")


def _products(text: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    lowered = text.lower()
    if not re.search(_ANY_KEY, lowered):
        return found
    named = any(key in lowered for key in ("kube", "k8s", "k3s", "rke2"))
    for stated in re.finditer(rf"{_KUBERNETES}([^\d\n]{{0,20}}?){_VERSION}", lowered) if named else ():
        between, version = stated[1], stated[2]
        if version.startswith("1.") and not re.search(_ANY_PRODUCT, between):
            found.append(("cluster", "kubernetes.version", version))
    for keys, spelling, subject, attribute, value in _PRODUCTS:
        if not any(key in lowered for key in keys.split()):
            continue
        places = list(re.finditer(rf"{_EDGE[0]}(?:{spelling})(?:\d{{1,2}})?{_EDGE[1]}", lowered))
        if places:
            found.append((subject, attribute, value))
        if attribute != "kubernetes.distribution":
            beside = (re.match(_BESIDE, lowered[place.end() : place.end() + 40]) for place in places)
            found += [(subject, f"{attribute}.version", version[1]) for version in beside if version]
    return found


def _proxy_modes(modes: list[tuple[int, str, Origin, bool]]) -> list[Mention]:
    """Mode words beside a word for proxy or mode; failing that, `ipvs` where it is the only one in the document.

    `iptables` and `nftables` alone name the firewall just as often.
    """
    chosen = [row for row in modes if row[3]]
    if not chosen and {row[1] for row in modes} == {"ipvs"}:
        chosen = modes
    return [_mention(index, origin, "cluster", "kube-proxy.mode", mode) for index, mode, origin, _ in chosen]
