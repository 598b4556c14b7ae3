"""Somebody who can run any command on the broken cluster: the outputs that answer a question, or none."""

from __future__ import annotations

import re

from benchmarks.diagnosis.generate.render.client import on_request
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.site import Site

# (what the command holds, the outputs that answer it), the first that matches; RUNBOOK below walks the same keys.
ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
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
    (r"iptables", ("iptables",)),
    (r"nft ", ("nft",)),
    (r"nstat", ("nstat",)),
    (r"dmesg|journalctl -k", ("dmesg",)),
    (r"ping -M do -s 1472", ("ping-1472",)),
    (r"ping -M do", ("ping-1200",)),
    (r"\bping\b", ("ping",)),
    (r"traceroute|mtr", ("traceroute",)),
    (r"nmap", ("nmap",)),
    (r"ss -", ("ss",)),
    (r"sysctl", ("sysctl",)),
    (r"ip rule", ("ip-rule",)),
    (r"ip neigh", ("ip-neigh", "client-neigh")),
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
    (r"get cm.*kube-proxy", ("cm-kube-proxy",)),
    (r"exec \S+ -- ss", ("ss-pod",)),
    (r"get pods.*calico-node", ("agents", "pods-all")),
    (r"get pods.*(?:controller|operator|metallb|cilium|kube-system|-A)", ("pods-all",)),
    (r"get pods?\b", ("pods",)),
    (r"describe (?:svc|service)", ("describe-svc",)),
    (r"describe pod", ("describe-pod",)),
    (r"endpointslices", ("slices",)),
    (r"get endpoints", ("endpoints",)),
    (r"get nodes?.*label", ("labels",)),
    (r"get node \S+ -o yaml", ("node-yaml",)),
    (r"get nodes", ("nodes",)),
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


class Oracle:
    """Answers from the full evidence of one cluster."""

    def __init__(self, outputs: list[Output], site: Site) -> None:
        self.outputs = [*outputs, *(o for o in on_request(site) if o.file not in {x.file for x in outputs})]
        self.names = {node.ip: node.name for node in site.nodes}

    def answer(self, where: str, command: str) -> list[Output]:
        """What the command prints at `where` (node/NAME, router, client, or anything for kubectl)."""
        host = (
            where.removeprefix("node/") if where.startswith("node/") else where if where in {"router", "client"} else ""
        )
        host = self.names.get(host, host)  # who was never told a node's name asks by its address
        found: list[Output] = []
        for part in re.split(r";\s+", command.split("   #")[0]):
            found += [o for o in self._one(host, part) if o not in found]
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
        for pattern, keys in ANSWERS:
            if re.search(pattern, command):
                return self._of(keys, host)
        return []

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
