"""The vocabulary of command lines: which words start one, and whether what follows reads like arguments.

A `#` may be a root prompt or a comment, and a line without a prompt may be a command or a sentence that starts with
a command's name ("ping only shows on the master"). Such lines count as commands only when their arguments fit.
"""

# ruff: noqa: SIM905  (long word lists read better as text)
from __future__ import annotations

import re
from functools import lru_cache

_KUBECTL_VERBS = frozenset(
    "get describe logs exec api-resources version cluster-info top explain events debug apply create delete edit patch "
    "label annotate rollout scale expose run port-forward cordon drain config auth taint wait proxy cp replace".split()
)
_CTL = frozenset("get node ipam version cluster create apply delete patch replace datastore convert".split())
_CILIUM = frozenset(
    "status bgp service bpf endpoint config monitor node statedb connectivity lrp encrypt map policy metrics identity "
    "ip shell version".split()
)
_IP_OBJECTS = frozenset(
    "a addr address r ro route rule ru l link n ne neigh neighbor neighbour netns maddr mroute tunnel vrf xfrm monitor "
    "nexthop".split()
)
_SHOW = frozenset(
    "ip ipv6 bgp route routes protocols protocol interfaces interface int running-config run arp mac vrf version bfd "
    "evpn status symbols ospf lldp vlan configuration firewall nat conntrack security system service policy memory "
    "mpls route-map prefix-list access-lists spanning-tree standby vrrp track cef hosts log logging babel roa".split()
)
# The second word that is not an option must be one of these.
_VERBS: dict[str, frozenset[str]] = {
    "kubectl": _KUBECTL_VERBS,
    "k": _KUBECTL_VERBS,
    "oc": _KUBECTL_VERBS | {"adm", "debug", "project", "status"},
    "microk8s": frozenset({"kubectl", "status", "enable", "disable"}),
    "microk8s.kubectl": _KUBECTL_VERBS,
    "k3s": frozenset({"kubectl", "crictl", "check-config"}),
    "rke2": frozenset({"kubectl"}),
    "minikube": frozenset({"kubectl", "service", "status", "tunnel", "ssh", "ip"}),
    "calicoctl": _CTL,
    "cilium": _CILIUM,
    "cilium-dbg": _CILIUM,
    "cilium-health": frozenset({"status", "get"}),
    "ip": _IP_OBJECTS,
    "bridge": frozenset({"fdb", "link", "vlan", "mdb", "monitor"}),
    "birdc": frozenset({"show", "configure", "enable", "disable", "restart", "reload", "dump", "eval"}),
    "birdcl": frozenset({"show", "configure", "enable", "disable", "restart", "reload", "dump", "eval"}),
    "show": _SHOW,
    "sh": _SHOW,
    "do": frozenset({"show", "sh"}),
    "display": frozenset({"arp", "ip", "bgp", "interface", "mac-address", "current-configuration", "version", "vlan"}),
    "nft": frozenset({"list", "monitor", "add", "insert", "delete", "flush"}),
    "ipset": frozenset({"list", "save", "test", "add", "del"}),
    "systemctl": frozenset("status restart start stop enable disable is-active cat show mask daemon-reload".split()),
    "docker": frozenset({"exec", "ps", "inspect", "network", "logs", "run"}),
    "podman": frozenset({"exec", "ps", "inspect", "network", "logs", "run"}),
    "nerdctl": frozenset({"exec", "ps", "inspect", "logs", "run"}),
    "crictl": frozenset({"ps", "exec", "pods", "logs", "inspect", "inspectp", "info"}),
    "talosctl": frozenset("get read logs dmesg netstat pcap service services version list health".split()),
    "kubeadm": frozenset({"config", "token", "version", "certs", "init", "join", "upgrade"}),
    "helm": frozenset({"list", "ls", "get", "install", "upgrade", "repo", "template", "status", "show"}),
    "gobgp": frozenset({"neighbor", "global"}),
    "firewall-cmd": frozenset(),
    "ufw": frozenset({"status", "allow", "deny", "disable", "enable", "show"}),
    "nmcli": frozenset({"con", "connection", "device", "dev", "c", "d", "general"}),
    "networkctl": frozenset({"status", "list"}),
    "resolvectl": frozenset({"status", "query"}),
    "virsh": frozenset({"list", "net-list", "net-dumpxml", "dumpxml"}),
    "netsh": frozenset({"interface", "int", "advfirewall"}),
    "ovs-vsctl": frozenset({"show", "list"}),
    "etcdctl": frozenset({"get", "member", "endpoint"}),
    "kubeproxy": frozenset(),
}
# These say something only with an option, an address, a path or a name with a dot.
_TAKES_TARGET = frozenset(
    "ping ping6 arping ndisc6 traceroute traceroute6 tracepath tracert mtr nmap curl wget nc ncat netcat telnet ssh "
    "tcpdump tshark conntrack iptables ip6tables ebtables ss netstat sysctl ethtool arp route dig nslookup host "
    "journalctl iperf iperf3 hping3 nping httping cat tail head grep ls lsof tcptraceroute nsenter vtysh watch sudo "
    "time timeout for while openssl getent getenforce setenforce lsmod modprobe uname tc arp-scan fping hey ab ipvsadm "
    "nstat dmesg pathping test-netconnection tnc invoke-webrequest bpftool pwru kubectl-calico k9s xh http "
    "crontab rpm dnf apt yum doas ipvsadm-save nc.openbsd lldpctl zgrep awk sed env bash chroot".split()
)
_ALONE = frozenset(
    "ifconfig ipconfig iptables-save ip6tables-save iptables-legacy-save iptables-nft-save ipvsadm dmesg lsmod nstat "
    "getenforce netstat arp ss route sestatus hostnamectl lscpu ipvsadm-save toolbox".split()
)
KNOWN = frozenset(_VERBS) | _TAKES_TARGET | _ALONE
# A command line holds none of these: the line is a sentence. Command words of `ip` (to, from, via, dev) are not here.
_SENTENCE = frozenset(
    "only the is are was were on and of for with not but my this that these when while if it its i we you your can "
    "cannot works work worked working fails fail failed failing shows showing shown says gives returns returned "
    "received responses response output outputs result results does doesn't doesnt don't also both as at so then than "
    "there here command commands using used because after before should would could will still".split()
)
_ROUTEROS_MENUS = r"/(?:ip|ipv6|routing|interface|tool|system|log|export|ping|queue|mpls|certificate|user)\b"


def known(command: str) -> bool:
    """Whether the first word of `command` names a program (or a router's menu)."""
    word = first_word(command)
    return word in KNOWN or (command.startswith("/") and re.match(_ROUTEROS_MENUS, command) is not None)


def first_word(command: str) -> str:
    """The program's name: the first word that is no assignment, without its folder."""
    for word in command[:300].split(None, 6)[:6]:
        if "=" in word and re.match(r"[A-Za-z_]\w{0,60}=", word):
            continue
        if "/" not in word:
            return word
        return word.rsplit("/", 1)[-1] if not re.match(_ROUTEROS_MENUS, word) else word
    return ""


@lru_cache(maxsize=2048)
def plausible(command: str) -> bool:
    """Whether `command` reads as a command line and not as a sentence that starts with a program's name."""
    command = command[:600]
    bare = re.sub(r"'[^']{0,300}'|\"[^\"]{0,300}\"", " -q ", command)
    if any(ord(char) > 0x2E7F or (ord(char) > 0x7F and char.isalpha()) for char in bare):
        return False
    if re.match(_ROUTEROS_MENUS, command):
        return re.search(r"\b(?:print|export|ping|monitor|fetch|sniffer|traceroute|get|torch)\b", command) is not None
    words = bare.split()
    while words and (re.match(r"[A-Za-z_]\w{0,60}=", words[0]) or words[0] in {"sudo", "time", "doas"}):
        words = words[1:]
    if not words or any(word.lower().rstrip(".,!?:;") in _SENTENCE for word in words[1:]):
        return False
    name = words[0].rsplit("/", 1)[-1]
    if name not in KNOWN or words[0].endswith((":", ".", ",")):
        return False
    return _arguments_fit(name, words[1:])


def _arguments_fit(name: str, words: list[str]) -> bool:
    if not words:
        return name in _ALONE
    if words[-1].endswith((".", "?", "!", ",")) and len(words) > 3 and not words[-1].startswith(("-", "/", ".")):
        return False
    if name == "ip":
        return _ip_fits(words)
    if name in _VERBS:
        values = [word for word in words[:8] if not word.startswith("-")]
        return bool(set(values[:3]) & _VERBS[name]) or (not _VERBS[name] and words[0].startswith("-"))
    if name in {"traceroute", "conntrack"} and words[0] in {"to", "v1.4.7"}:
        return False
    return any(_argument(word) for word in words[:12]) and not re.match(r"v\d+\.\d|\(", words[0])


def _ip_fits(words: list[str]) -> bool:
    """`ip route 10.0.0.0/8 10.0.0.1` is a router's configuration, not a command of iproute2."""
    values = [word for word in words if not word.startswith("-")]
    if not values or values[0] not in _IP_OBJECTS:
        return False
    verbs = frozenset("show s sh list ls l get g add a del d replace flush exec save".split())
    return len(values) == 1 or values[1] in verbs or values[1] in {"table", "dev", "type", "proto", "|", "vrf"}


def _argument(word: str) -> bool:
    if word.startswith("-") and len(word) > 1 and word[1] != "-" * 1:
        return True
    if word.startswith("--") and len(word) > 2 and word[2].isalpha():
        return True
    return word == "localhost" or re.search(r"\w[./:=@]\w|^[/~.]/?\w|^<[\w-]+>$|^\$\w|^::", word) is not None
