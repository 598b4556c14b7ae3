"""What the machine must have for a lab: the programs of the scenario's daemons, and network namespaces."""

from __future__ import annotations

import shutil

from kubereach.errors import UsageError
from kubereach.lab import guest_kernel
from kubereach.lab.frr import DAEMONS
from kubereach.lab.lab import execute
from kubereach.lab.scenario import Scenario
from kubereach.lab.tools import SYSTEM_PATH

# program → Debian package
_ALWAYS = {
    "ip": "iproute2",
    "sysctl": "procps",
    "nginx": "nginx-light",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "socat": "socat",
    "iptables-save": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "curl": "curl",
    "ping": "iputils-ping",
    "tcpdump": "tcpdump",
}
_PROXIES = {
    "iptables": {"iptables-restore": "iptables"},
    "nftables": {"nft": "nftables"},
    "ipvs": {"ipvsadm": "ipvsadm", "ipset": "ipset"},
}
_DAEMONS = {
    "bird": {"bird": "bird2"},
    "frr": {f"{DAEMONS}/bgpd": "frr", f"{DAEMONS}/frr-reload.py": "frr-pythontools"},
    "vrrp": {"keepalived": "keepalived"},
}
_SPEAKS = {"calico-bgp": "bird", "metallb-bgp": "frr", "kube-vip-arp": "vrrp"}


def packages(scenario: Scenario) -> tuple[str, ...]:
    """The Debian packages that the scenario needs and that are not installed."""
    daemons = {scenario.router.daemon, _SPEAKS.get(scenario.announcer.kind, "")}
    wanted = dict(_ALWAYS) | _PROXIES[scenario.proxy.mode]
    for daemon in sorted(daemons - {""}):
        wanted |= _DAEMONS[daemon]
    missing = (package for program, package in wanted.items() if not shutil.which(program, path=SYSTEM_PATH))
    return tuple(sorted(set(missing)))


def check(scenario: Scenario) -> None:
    """Raises UsageError that names what is missing, and what to do about it."""
    if missing := packages(scenario):
        names = " ".join(missing)
        raise UsageError(f"programs of the lab are missing: {names}", f"on Debian: `apt-get install {names}`")
    if any(guest_kernel.reasons(scenario)):
        return  # the lab's hosts will be in a guest, which says itself what it needs
    if not execute(["unshare", "--net", "true"], check=False).ok:
        hint = "run it on a machine, or in a container with the capabilities NET_ADMIN and SYS_ADMIN"
        raise UsageError("this machine lets nobody make network namespaces", hint)
