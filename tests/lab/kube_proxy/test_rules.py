"""The rules that the lab writes are those that the real kube-proxy wrote for the same objects.

The goldens hold what the real program put on a node, listed by `listed`; their first line names program, version and
command. What the lab leaves out or adds stands in OMITTED and ADDED, each with its reason; all else has to be the same,
in the same order within a chain.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from kubereach.lab.ipset import IpSet
from kubereach.lab.kube_proxy import iptables, ipvs, ipvs_rules, nftables
from kubereach.lab.kube_proxy.service_port import service_ports
from kubereach.lab.scenario import Client, Node, Pod, PodNetwork, Proxy, ProxyMode, Router, Scenario, Service
from kubereach.lab.xtables import Table
from tests.lab.kube_proxy import listed

GOLDEN = Path(__file__).parent / "golden"

OMITTED = {
    r"(mangle|filter|nat) KUBE-PROXY-CANARY": "empty: it only shows kube-proxy that somebody flushed the table",
    r"nat KUBE-NODEPORTS: .*--nfacct-name localhost_nps_accepted_pkts .*": "needs an nf_acct object; without one "
    "kube-proxy writes no rule for node ports on 127.0.0.0/8",
}
# Needs an nf_acct object; without one kube-proxy writes the same rule without the match.
ACCOUNTING = " -m nfacct --nfacct-name ct_state_invalid_dropped_pkts"
ADDED = {  # by kubelet, which did not run where kube-proxy v1.20.2 was captured
    r"nat KUBE-MARK-DROP: .*",
    r"filter KUBE-FIREWALL(: .*)?",
    r"filter (INPUT|OUTPUT): -j KUBE-FIREWALL",
}


def scenario(mode: ProxyMode, minor: int, policy: Literal["Cluster", "Local"], health_port: int = 30425) -> Scenario:
    """The objects for which the real program was captured."""
    return Scenario(
        summary="",
        segments={"lan": "192.168.88.0/24"},
        router=Router(addresses={"lan": "192.168.88.1"}),
        clients={"client": Client(segment="lan", address="192.168.88.111")},
        nodes={
            "master": Node(address="192.168.88.43", block="172.16.219.64/26"),
            "worker": Node(address="192.168.88.63", block="172.16.29.128/26"),
        },
        pods={"nginx": Pod(node="worker", address="172.16.29.154", labels={"app": "nginx"})},
        services={
            "nginx": Service(
                address="10.16.0.1",
                cluster_ip="10.96.44.17",
                port_name="http",
                selector={"app": "nginx"},
                policy=policy,
                health_port=health_port,
            ),
            "kubernetes": Service(
                address="", cluster_ip="10.96.0.1", port=443, port_name="https", selector={"none": "has this"}
            ),
        },
        target="nginx",
        proxy=Proxy(mode=mode, minor=minor),
        pod_network=PodNetwork(cidr="172.16.0.0/16"),
        service_cidr="10.96.0.0/16",
    )


def real(name: str) -> list[str]:
    """What the real program wrote, without what the lab leaves out."""
    facts = (fact.replace(ACCOUNTING, "") for fact in listed.golden((GOLDEN / name).read_text()))
    return [fact for fact in facts if not any(re.fullmatch(pattern, fact) for pattern in OMITTED)]


def saved(tables: list[Table]) -> str:
    """The tables as iptables-save would print them."""
    text = ""
    for table in tables:
        rules = [*table.jumps, *(f"{chain} {rule}" for chain, rules in table.chains.items() for rule in rules)]
        text += f"*{table.name}\n" + "".join(f":{chain} - [0:0]\n" for chain in table.chains)
        text += "".join(f"-A {rule}\n" for rule in rules)
    return text


def set_listing(sets: list[IpSet]) -> str:
    """The sets as `ipset list` would print them."""
    blocks = []
    for item in sets:
        kind, header = item.kind.split(" ", 1)
        blocks.append(f"Name: {item.name}\nType: {kind}\nHeader: {header}\nMembers:\n" + "\n".join(item.members))
    return "\n\n".join(blocks)


def server_listing(commands: list[str]) -> str:
    """Virtual servers given as `ipvsadm -Sn` prints them, as `ipvsadm -Ln` would."""
    words = [command.split() for command in commands]
    return "\n".join(f"TCP {w[2]} {w[4]}" if w[0] == "-A" else f"  -> {w[4]} Masq {w[7]}" for w in words)


def without_kubelet(minor: int, written: list[str]) -> list[str]:
    if minor > 20:
        return written
    return [fact for fact in written if not any(re.fullmatch(pattern, fact) for pattern in ADDED)]


@pytest.mark.parametrize("node", ["master", "worker"])
@pytest.mark.parametrize("policy", ["Cluster", "Local"])
@pytest.mark.parametrize("minor", [20, 36])
def test_iptables(minor: int, policy: Literal["Cluster", "Local"], node: str) -> None:
    written = listed.iptables(saved(iptables.tables(scenario("iptables", minor, policy), node)))
    assert without_kubelet(minor, written) == real(f"iptables-1.{minor}-{policy.lower()}-{node}.txt")


@pytest.mark.parametrize(
    ("policy", "ranges"), [("Cluster", ("10.40.0.0/16",)), ("Local", ("10.40.0.0/16", "192.168.88.0/24"))]
)
def test_iptables_with_source_ranges(policy: Literal["Cluster", "Local"], ranges: tuple[str, ...]) -> None:
    """Of two ranges, one holds the node's own address."""
    system = scenario("iptables", 20, policy)
    fenced = replace(system.services["nginx"], source_ranges=ranges)
    system = replace(system, services={**system.services, "nginx": fenced})
    written = listed.iptables(saved(iptables.tables(system, "worker")))
    assert without_kubelet(20, written) == real(f"iptables-1.20-{policy.lower()}-worker-ranges.txt")


@pytest.mark.parametrize("node", ["master", "worker"])
def test_nftables(node: str) -> None:
    written = listed.nft(nftables.ruleset(scenario("nftables", 36, "Local"), node))
    assert written == real(f"nftables-1.36-local-{node}.txt")


@pytest.mark.parametrize("node", ["master", "worker"])
@pytest.mark.parametrize("minor", [20, 36])
def test_ipvs(minor: int, node: str) -> None:
    system = scenario("ipvs", minor, "Local", health_port=32177)
    bound = "".join(
        f"inet {a}/32 scope global kube-ipvs0\n" for a in ipvs_rules.bound_addresses(service_ports(system, node))
    )
    written = [
        *listed.iptables(saved(ipvs_rules.tables(system, node))),
        *listed.ipset(set_listing(ipvs_rules.ipsets(system, node))),
        *listed.ipvsadm(server_listing(ipvs.virtual_servers(system, node))),
        *listed.bound(bound),
    ]
    assert without_kubelet(minor, written) == real(f"ipvs-1.{minor}-local-{node}.txt")


@pytest.mark.parametrize(("minor", "real_servers"), [(23, 0), (24, 1), (25, 1), (36, 1)])
def test_ipvs_without_a_local_endpoint(minor: int, real_servers: int) -> None:
    servers = ipvs.virtual_servers(scenario("ipvs", minor, "Local"), "master")
    assert len([line for line in servers if line.startswith("-a -t 10.16.0.1:80 ")]) == real_servers
    chains = {
        chain for table in ipvs_rules.tables(scenario("ipvs", minor, "Local"), "master") for chain in table.chains
    }
    assert ("KUBE-IPVS-FILTER" in chains) == (minor >= 26)


def test_ipvs_changes_leave_what_stays() -> None:
    there = ["-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1", "-A -t 10.0.0.2:80 -s rr"]
    wanted = ["-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1", "-A -t 10.0.0.3:80 -s rr"]
    assert ipvs.changes_text(there, wanted).splitlines() == [
        "-D -t 10.0.0.2:80",
        "-d -t 10.0.0.1:80 -r 10.1.0.1:80",
        "-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1",
        "-A -t 10.0.0.3:80 -s rr",
    ]
    assert not ipvs.changes_text(wanted, wanted)
