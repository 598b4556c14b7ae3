"""File names of a bundle: `COMMAND.HOST.txt`, with dashes for the spaces of the command."""

# ruff: noqa: SIM905  (long word lists read better as text)
from __future__ import annotations

import re

from kubereach.evidence.commands import KNOWN
from kubereach.evidence.kubernetes.kinds import kind_of
from kubereach.evidence.prompt import host_name

_DOT = "\N{ONE DOT LEADER}"  # stands for a dot that ends no part
_EXTENSIONS = frozenset("txt log yaml yml json out md conf rsc text stdout xml pcap pcapng cap".split())
_KEPT = ("iptables-legacy-save", "iptables-nft-save", "ip6tables-save", "iptables-save", "cilium-dbg", "cilium-health")
# Words of these letters alone are options: `netstat-nutap`, `ipvsadm-Ln`, `ss-ltn`.
_OPTIONS = {
    "netstat": "nutaplrWegi",
    "ss": "ltnupaeiom46",
    "ipvsadm": "LnlcSA",
    "iptables": "LnvxStw",
    "ip6tables": "LnvxStw",
    "iptables-save": "ctM",
    "ip6tables-save": "ctM",
    "conntrack": "LEGDSpfo",
    "tcpdump": "inevXc",
    "arping": "cIDAUw",
    "ping": "cIsMn",
    "nmap": "pPsSnTUv",
    "sysctl": "anw",
    "dmesg": "TwHk",
    "route": "n46",
    "arp": "ane",
    "nstat": "asz",
    "mtr": "rnwcT",
    "traceroute": "nTpImU",
    "curl": "vIskm",
    "ethtool": "kiSK",
}
_WITH_VALUE = {"t", "i", "I", "c", "p", "w", "m", "l", "o"}
# A capture's filter starts with one of these (pcap-filter(7)).
_FILTER = frozenset("port host net src dst tcp udp icmp icmp6 arp ip ip6 vlan ether proto not and or portrange".split())
_KUBECTL = frozenset({"kubectl", "oc", "calicoctl", "k"})
# Programs whose arguments hold dots, so that only the last part of their files' names may be a host.
_DOTTED = _KUBECTL | frozenset("sysctl cat curl wget dig nslookup host ping traceroute mtr nc nmap openssl".split())
# A sysctl's last word, where it could be a host's name too; others hold an underscore, which no host's name does.
_SYSCTL_ENDS = frozenset("forwarding mtu somaxconn hostname domainname swappiness".split())
_HOST = r"[A-Za-z][A-Za-z0-9-]{0,62}"
_LETTERS = frozenset({"A", "n", "o", "l"})
_ROUTEROS = frozenset({"ip", "ipv6", "routing", "interface", "tool", "system", "export"})


def name_says(path: str) -> tuple[str, str]:
    """(command, host) as the file name tells them, each "" when it does not.

    `observed.yaml` and `stated.yaml` are their own commands: their readers go by that name.
    """
    base = path.replace("\\", "/").rsplit("/", 1)[-1][:300]
    if base in {"observed.yaml", "stated.yaml", "observed.yml", "stated.yml"}:
        return base.replace(".yml", ".yaml"), ""
    # The dots of an address belong to the command: `ip-route-get-10.0.0.1.worker-0.txt`.
    held = re.sub(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d])", lambda m: m[0].replace(".", _DOT), base)
    parts = held.split(".")
    extension = parts.pop().lower() if len(parts) > 1 and parts[-1].lower() in _EXTENSIONS else ""
    parts = [part for part in parts if part.lower() != "log"] or parts
    stem, host = _stem_and_host(parts)
    vantage = {"laptop": "client", "": ""}.get(host.lower(), host_name(host))
    command = _command(stem.replace(_DOT, "."), extension, host.lower()) if stem else ""
    if not command and not re.search(r"node|work|master|router|client|tik|control|gw|laptop|switch|boot|\d", host):
        vantage = ""
    return command, vantage


def _stem_and_host(parts: list[str]) -> tuple[str, str]:
    """The command's words and the host, each "" where the parts between the dots do not tell them."""
    program, last = parts[0].partition("-")[0], parts[-1]
    if len(parts) == 1:
        return last, ""
    if len(parts) == 2 and re.fullmatch(r"[A-Za-z][\w-]{0,62}", last) and program != "sysctl":
        return parts[0], last
    labels = parts[1:] if program not in _DOTTED else parts[-1:]
    if program not in KNOWN or not all(re.fullmatch(_HOST, label) for label in labels):
        return (".".join(parts), "") if program == "sysctl" else ("", "")
    if program == "sysctl" and last in _SYSCTL_ENDS:
        return ".".join(parts), ""
    return ".".join(parts[: -len(labels)]), ".".join(labels)


def _command(stem: str, extension: str, host: str) -> str:
    kept = next((name for name in _KEPT if stem == name or stem.startswith(f"{name}-")), "")
    name, _, rest = (kept, "", stem[len(kept) + 1 :]) if kept else stem.partition("-")
    words = [word for word in rest.split("-") if word]
    if host in {"mikrotik", "routeros", "router"} and name in _ROUTEROS and not _iproute2(words):
        return f"/{name} {' '.join(words)}".strip()
    if name not in KNOWN:
        return ""
    if name in _KUBECTL:
        return _kubectl("calicoctl" if name == "calicoctl" else "kubectl", words, extension)
    if name == "vtysh":
        return " ".join(words)
    if name == "sysctl":
        words = re.split(r"-(?=(?:net|kernel|vm|fs)\.)|(?<=^a)-", rest)
    if name in _OPTIONS:
        words = _with_options(name, words)
    if name == "ip" and words[:1] in (["a"], ["addr"], ["address"], ["l"], ["link"]) and words[1:2] == ["show"]:
        words = [*words[:2], *(["-".join(words[2:])] if words[2:] else [])]  # a device's name may hold dashes
    return " ".join([name, *words])


def _iproute2(words: list[str]) -> bool:
    return not {"print", "export"} & set(words) and words[-1:] != ["detail"]


def _with_options(name: str, words: list[str]) -> list[str]:
    result: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "stats" and name == "ipvsadm":
            result.append("--stats")
        elif len(word) <= 5 and set(word) <= set(_OPTIONS[name]):
            result.append(f"-{word}")
            if name == "tcpdump" and word.endswith("i") and index < len(words):
                stop = next((i for i in range(index + 1, len(words)) if words[i] in _FILTER), len(words))
                result.append("-".join(words[index:stop]))  # an interface's name may hold dashes
                return [*result, *words[stop:]]
            if (
                (word in _WITH_VALUE or (name == "ping" and word in "Ms"))
                and index < len(words)
                and not words[index].isupper()
            ):
                result.append(words[index])
                index += 1
        elif name == "sysctl" or (name == "tcpdump" and word in _FILTER):
            return [*result, *words[index - 1 :]]
        else:
            result.append("-".join(words[index - 1 :]))
            break
    return result


def _kubectl(name: str, words: list[str], extension: str) -> str:
    """The verb and the kind are words, single letters are options, and the rest is an object's name with its dashes."""
    options: list[str] = []
    plain: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word in _LETTERS and len(plain) >= 2:
            stop = next((i for i in range(index, len(words)) if words[i] in _LETTERS), len(words))
            stop = index if word == "A" else stop
            options.append(" ".join([f"-{word}", "-".join(words[index:stop])]).strip())
            index = stop
        else:
            plain.append(word)
    if plain[:1] == ["node"] and name == "calicoctl":
        return " ".join([name, *plain])
    head = 1 if plain[:1] == ["logs"] else 2
    if plain[-2:] == ["show", "labels"]:
        plain, options = plain[:-2], [*options, "--show-labels"]
    if "w" in plain[head:]:
        plain, options = [*plain[:head], *(w for w in plain[head:] if w != "w")], [*options, "-w"]
    if plain[:1] == ["get"] and len(plain) > head and all(kind_of(word) for word in plain[1:]):
        plain = ["get", ",".join(plain[1:])]  # several kinds at once
    object_name = "-".join(plain[head:])
    if extension in {"yaml", "yml", "json"} and "get" in plain[:1] and not any(o.startswith("-o") for o in options):
        options.append("-o json" if extension == "json" else "-o yaml")
    return " ".join([name, *plain[:head], *([object_name] if object_name else []), *options])
