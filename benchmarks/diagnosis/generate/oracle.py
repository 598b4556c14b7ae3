"""Somebody who can run any command on the broken cluster: the outputs that answer a question, or none."""

from __future__ import annotations

import re
from dataclasses import replace

from benchmarks.diagnosis.generate.flow import entries
from benchmarks.diagnosis.generate.render.client import on_request
from benchmarks.diagnosis.generate.render.output import Output, watched
from benchmarks.diagnosis.generate.site import Site

# (what the command holds, the outputs that answer it), the first that matches; RUNBOOK below walks the same keys.
ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^(?:sudo )?birdc .*show protocols", ("router-bgp",)),
    (r"^(?:sudo )?birdc .*show route", ("router-routes",)),
    (r"birdcl?.*show route export", ("bird-export",)),
    (r"birdcl?.*show protocols", ("bird-protocols",)),
    (r"birdcl?.*show route", ("bird-route",)),
    (r"advertised-routes", ("speaker-sent", "cilium-routes")),
    (r"cilium bgp peers", ("cilium-bgp",)),
    (r"bgp routes", ("cilium-routes",)),
    (r"show (?:ip )?bgp neighbors", ("router-bgp-neighbour", "speaker-neighbour")),
    (r"show bgp summary|routing.bgp|show ip bgp summary", ("router-bgp",)),
    (r"show ip bgp|show bgp", ("router-bgp-table", "router-routes")),
    (r"show ip route|/ip.route.print|show route", ("router-routes",)),
    (r"firewall.filter|firewall filter", ("router-firewall",)),
    (r"firewall.nat", ("router-nat",)),
    (r"show ip arp|/ip.arp", ("router-arp",)),
    (r"arping", ("arping", "router-arp")),
    (r"tcpdump.*\barp\b", ("tcpdump-arp",)),
    (r"tcpdump.*udp port", ("tcpdump-outer",)),
    (r"tcpdump", ("tcpdump",)),
    (r"conntrack -L", ("conntrack",)),
    (r"ipvsadm", ("ipvsadm",)),
    (r"iptables-legacy", ("iptables-legacy",)),
    (r"iptables", ("iptables", "router-firewall")),
    (r"nft ", ("nft",)),
    (r"nstat", ("nstat",)),
    (r"dmesg|journalctl -k", ("dmesg",)),
    (r"\bping\b", ("ping",)),
    (r"traceroute|mtr", ("traceroute",)),
    (r"nmap", ("nmap",)),
    (r"ss -", ("ss",)),
    (r"sysctl", ("sysctl",)),
    (r"ip rule", ("ip-rule",)),
    (r"ip neigh", ("ip-neigh", "client-neigh", "router-arp")),
    (r"ip -?br? ?addr|ip addr|ip a\b", ("ip-addr", "client-addr")),
    (r"ip route get", ("route-get-pod", "route-get-client", "client-route")),
    (r"ip route", ("ip-route",)),
    (r"\bdig\b|nslookup", ("dig",)),
    (r"proxyMode|10249", ("proxy-mode",)),
    (r"lease", ("leases",)),
    (r"get ippools", ("ippools",)),
    (r"bgppeer|ciliumbgpcluster", ("peers",)),
    (r"bgpconfig", ("bgpconf",)),
    (r"bgpfilter", ("bgpfilters",)),
    (r"hostendpoints|globalnetworkpol", ("hostendpoints", "netpol-calico")),
    (r"networkpol", ("netpol",)),
    (r"ipaddresspools|loadbalancerippool", ("pools", "advertisements")),
    (r"advertisement|announcementpolic", ("advertisements",)),
    (r"logs.*speaker|logs.*kube-vip", ("agent-log",)),
    (r"logs.*controller|controller's log", ("controller-log", "describe-svc")),
    (r"logs.*kube-proxy", ("proxy-log",)),
    (r"exec \S+ -- ss", ("ss-pod",)),
    (r"get (?:cm|configmaps?)\b.*kube-proxy", ("cm-kube-proxy",)),
    (r"get (?:po|pods?)\b.*calico-node", ("agents", "pods-all")),
    (r"get (?:po|pods?)\b.*(?:controller|operator|metallb|cilium|kube-system|-A)", ("pods-all",)),
    (r"get pods?\b", ("pods",)),
    (r"describe (?:svc|service)", ("describe-svc",)),
    (r"describe pod", ("describe-pod",)),
    (r"endpointslices", ("slices",)),
    (r"get endpoints", ("endpoints",)),
    (r"get nodes?.*label", ("labels",)),
    (r"get nodes?\b.* -o yaml", ("node-yaml", "nodes")),
    (r"get nodes", ("nodes",)),
    (r"get (?:svc|services?)\b.* -o yaml", ("svc",)),
    (r"get (?:svc|services?) -A|get (?:svc|services?) --all", ("svc-all",)),
    (r"get (?:svc|services?)", ("svc",)),
    (r"cilium-dbg service|bpf lb", ("cilium-services",)),
    (r"healthz|health", ("health",)),
)
# A checklist in the order in which guides have it, from the service outwards.
# fmt: off
RUNBOOK = (
    "svc", "describe-svc", "slices", "pods", "nodes", "labels", "pods-all", "pools", "advertisements", "peers",
    "agent-log", "controller-log", "bgpconf", "leases", "cm-kube-proxy", "netpol", "nc", "ping", "traceroute", "arping",
    "client-route",
    "curl-node", "curl-pod", "ss-pod", "bird-protocols", "cilium-bgp", "speaker-bgp", "bird-export",
    "router-routes", "router-bgp",
    "router-arp", "router-firewall", "router-nat", "ip-addr", "ip-route", "sysctl", "iptables", "ipvsadm", "nft",
    "cilium-services", "tcpdump", "tcpdump-arp", "conntrack", "nstat", "dmesg", "route-get-client", "dig", "ping-size",
)
# fmt: on


# kubectl's short and singular names of the kinds that the outputs have under another name.
KINDS = {"configmap": "cm", "configmaps": "cm", "service": "svc", "services": "svc", "endpointslice": "endpointslices"}


class Oracle:
    """Answers from the full evidence of one cluster."""

    def __init__(self, outputs: list[Output], site: Site) -> None:
        self.outputs = [*outputs, *(o for o in on_request(site) if o.file not in {x.file for x in outputs})]
        self.site = site
        self.names = {node.ip: node.name for node in site.nodes}
        # How somebody is asked who has not named his nodes yet.
        with_pod = site.pods[0].node if site.pods else site.nodes[-1].name
        entered = [node.name for node in entries(site)[:1]]
        others = [node.name for node in watched(site) if node.name not in {with_pod, *entered}]
        self.names["(node with the pod)"] = with_pod
        self.names["(another node)"] = (others or [with_pod])[0] if with_pod in entered else with_pod

    def answer(self, where: str, command: str) -> list[Output]:
        """What the command prints at `where` (node/NAME, router, client, or anything for kubectl)."""
        host = (
            where.removeprefix("node/") if where.startswith("node/") else where if where in {"router", "client"} else ""
        )
        host = self.names.get(host, host)  # who was never told a node's name asks by its address
        found: list[Output] = []
        if command.count("iptables-save") > 1:
            return [o for first in self._one(host, "iptables-save") for o in (first, _after_a_try(first, self.site))]
        for part in re.split(r";\s+", command.split("   #")[0]):
            for one in _one_kind_each(part):
                found += [o for o in self._one(host, one) if o not in found]
        return found

    def _one(self, host: str, command: str) -> list[Output]:
        tried = re.search(r"(?:curl|nc)\b.*?(\d+\.\d+\.\d+\.\d+)[: ](\d+)", command)
        if tried:
            pair = rf"\b{re.escape(tried[1])}[: ]{tried[2]}\b"
            return [
                o
                for o in self.outputs
                if o.key.startswith(("curl", "nc")) and o.host == host and re.search(pair, o.command)
            ][:1]
        if exact := [o for o in self.outputs if o.command == command and o.host == host]:
            return exact
        if same := self._objects(command):
            return same
        for pattern, keys in ANSWERS:
            if re.search(pattern, command):
                return self._of(keys, host)
        return []

    def _objects(self, command: str) -> list[Output]:
        """The outputs that list the kind that `command` lists in YAML."""
        kind = _kind(command)
        if not kind or "-o yaml" not in command:
            return []
        return [o for o in self.outputs if not o.plain and _kind(o.command) == kind]

    def _of(self, keys: tuple[str, ...], host: str) -> list[Output]:
        for key in keys:
            same = [o for o in self.outputs if o.key == key]
            here = [o for o in same if o.host == host] or [o for o in same if not o.host or o.host == "router"]
            if here:
                return here
        return []

    def checklist(self) -> list[list[Output]]:
        """The runbook's outputs in their order, those of all watched hosts together."""
        steps = [[o for o in self.outputs if o.key == key] for key in RUNBOOK]
        return [step for step in steps if step]


def _after_a_try(first: Output, site: Site) -> Output:
    """The same counters once the client has tried again: what drops its packets counts them."""
    node = next((n for n in site.nodes if n.name == first.host), None)
    text = first.text
    for packets, rule in (*node.raw, *node.input_, *node.forward) if node else ():
        old, new = (f"[{n}:{n * 60}] {rule}" for n in (packets, packets + 3))
        text = text.replace(old, new) if packets else text
    dropped = node.counters.get("forward-policy", 0) if node else 0
    if dropped:
        text = text.replace(f":FORWARD DROP [{dropped}:", f":FORWARD DROP [{dropped + 3}:")
    return replace(first, command=f"sudo {first.command}", text=text)


def _kinds(command: str) -> re.Match[str] | None:
    return re.search(r"\bkubectl (?:-n \S+ )?get (?:-n \S+ )?([a-z][\w.,-]*)", command)


def _one_kind_each(command: str) -> list[str]:
    """`kubectl get A,B` as a command for each kind."""
    found = _kinds(command)
    if found is None or "," not in found[1]:
        return [command]
    return [command[: found.start(1)] + kind + command[found.end(1) :] for kind in found[1].split(",")]


def _kind(command: str) -> str:
    found = _kinds(command)
    if found is None or re.search(r"get cm (?!.*kube-proxy)", command):
        return ""
    return KINDS.get(found[1], found[1])
