"""Captures and connection tables on the nodes while the client tries."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.diagnosis.generate.flow import (
    FABRIC,
    FORWARD,
    NODE_IN,
    POD,
    POD_IN,
    PROXY,
    REPLY_OUT,
    RETURN,
    WIRE,
    Loss,
    answering,
    entries,
    loss_at,
    seen_source,
    targets,
)
from benchmarks.diagnosis.generate.render.host import tunnel
from benchmarks.diagnosis.generate.render.output import Output, watched
from benchmarks.diagnosis.generate.site import Node, Pod, Site


def outputs(site: Site) -> Iterator[Output]:
    service = site.service
    if not service.address:
        return
    for node in watched(site):
        expression = f"tcp port {service.port} or tcp port {service.target}"
        yield Output("tcpdump", node.name, f"tcpdump -n -i any {expression}", _footer(traffic(site, node)))
        if site.family == "l2" and "off-link" not in site.tells:
            yield Output(
                "tcpdump-arp",
                node.name,
                f"tcpdump -n -e -i {site.nic_of(node)} arp host {service.address}",
                _footer(_arp(site, node)),
            )
        if site.mode in {"iptables", "nftables"}:
            yield Output("conntrack", node.name, f"conntrack -L -d {service.address}", _tracked(site, node))
    if site.ready:
        yield from _outer(site)
    elsewhere = [pod for node in entries(site) for pod in targets(site, node) if pod.node != node.name]
    if "wrong-source-answers" in site.tells and elsewhere:
        pod = elsewhere[0]
        lines = []
        for i in range(3):
            lines += [
                f"10:00:0{i}.100101 IP {site.client.ip}.51514 > {service.address}.{service.port}: Flags [S], seq 1, win 64240, length 0",
                f"10:00:0{i}.100733 IP {pod.ip}.{service.target} > {site.client.ip}.51514: Flags [S.], seq 9, ack 2, win 65160, length 0",
                f"10:00:0{i}.100760 IP {site.client.ip}.51514 > {pod.ip}.{service.target}: Flags [R], seq 2, win 0, length 0",
            ]
        yield Output(
            "tcpdump-client",
            "client",
            f"tcpdump -n -i eth0 host {service.address} or net {site.pod_network}",
            _footer(lines),
        )


def _outer(site: Site) -> Iterator[Output]:
    """The tunnel's packets at a pod's node: there are always some, of this service or another."""
    port = 4789 if site.cni == "calico" else 8472
    # tcpdump takes 8472 for OTV's port.
    header = "VXLAN, flags [I] (0x08), vni 1" if port == 4789 else "OTV, flags [I] (0x08), overlay 0, instance 1"
    node = next((n for n in site.with_pod()), None)
    other = next((n for n in site.nodes if n is not node), None)
    if site.encapsulation != "vxlan" or node is None or other is None:
        return
    # Calico and flannel leave the outer checksum out, but for what a kernel's fault makes of it.
    cksum = "bad udp cksum 0xffff -> 0x3f1c!" if "bad-checksum" in site.tells else "no cksum"
    lines, count = [], 0
    for second in () if "tunnel-lost" in site.tells else (0, 1, 3):
        count += 1
        lines += [
            f"10:00:0{second}.300101 IP (tos 0x0, ttl 64, id {4000 + second}, offset 0, flags [none], proto UDP (17), length 110)",
            f"    {other.ip}.40122 > {node.ip}.{port}: [{cksum}] {header}",
            f"IP (tos 0x0, ttl 63, id {900 + second}, offset 0, flags [DF], proto TCP (6), length 60)",
            f"    {other.block.replace('.0/24', '.0')}.51514 > {site.ready[0].ip}.{site.service.target}: Flags [S], cksum 0x1f2a (correct), seq 814, win 64240, length 0",
        ]
    text = _footer(lines).replace(f"{len(lines)} packets", f"{count} packets")
    yield Output("tcpdump-outer", node.name, f"tcpdump -vv -n -i {site.nic_of(node)} udp port {port}", text)


def _footer(lines: list[str]) -> str:
    text = "tcpdump: data link type LINUX_SLL2\n" if lines and "  In " in lines[0] else ""
    text += "".join(f"{line}\n" for line in lines)
    return (
        text + f"{len(lines)} packets captured\n{len(lines)} packets received by filter\n0 packets dropped by kernel\n"
    )


def lost(site: Site, node: Node) -> tuple[Pod | None, Loss | None]:
    """The pod that the node hands the client's connection to, and where it is lost."""
    pod = next(iter(targets(site, node)), None)
    loss = loss_at(site, node, pod)
    ahead = [x for x in site.losses if x.stage <= WIRE + 1 and not x.node and not x.share]
    return pod, (min(ahead, key=lambda x: x.stage) if ahead else loss)


def traffic(site: Site, node: Node) -> list[str]:  # noqa: C901  # one case after the other, as the packet goes
    """The packets of one connection with its repetitions, on every interface of the node."""
    if node not in entries(site):
        return _as_backend(site, node)
    pod, loss = lost(site, node)
    stage = loss.stage if loss and not loss.share else 99
    if stage < NODE_IN:
        return []
    service, client, nic = site.service, seen_source(site), site.nic_of(node)
    to_vip = f"IP {client}.51514 > {service.address}.{service.port}: Flags [S], seq 814, win 64240, length 0"
    lines = []
    for second in (0, 1, 3) if stage < REPLY_OUT + 2 else (0,):
        time = f"10:00:0{second}"
        lines.append(f"{time}.100101 {nic:<5} In  {to_vip}")
        if stage == PROXY and not node.programmed and site.family == "bgp":
            # It goes back to the router, which sends it again.
            there = f"{time}.{{}} {nic:<5} {{}} {to_vip}"
            lines += [there.format(100100 + 40 * i, "In " if i % 2 else "Out") for i in range(2, 10)]
        if loss and loss.how == "refused" and stage == PROXY:
            back = f"IP {service.address} > {client}: ICMP {service.address} tcp port {service.port} unreachable, length 68"
            lines.append(f"{time}.100151 {nic:<5} Out {back}")
            return lines
        if loss and loss.how == "prohibited":
            return [
                lines[0],
                f"{time}.100151 {nic:<5} Out IP {node.ip} > {client}: ICMP host {service.address} unreachable - admin prohibited, length 68",
            ]
        if stage <= FORWARD or pod is None:
            continue
        source = client if _source_kept(site) else node.ip
        remote = pod.node != node.name
        out = tunnel(site) if remote and tunnel(site) else nic if remote else _to_pods(site, node)
        lines.append(
            f"{time}.100120 {out:<5} Out IP {source}.51514 > {pod.ip}.{service.target}: Flags [S], seq 814, win 64240, length 0"
        )
        if stage in {FABRIC, POD_IN}:
            continue
        flags = "R." if stage == POD else "S."
        if loss and loss.how == "wrong-source":
            continue
        if not (stage == RETURN and remote and "dsr" in site.tells):
            lines.append(
                f"{time}.100601 {out:<5} In  IP {pod.ip}.{service.target} > {source}.51514: Flags [{flags}], seq 99, ack 815, win 65160, length 0"
            )
            leaving = "eth8" if "second-network" in site.tells else nic
            lines.append(
                f"{time}.100640 {leaving:<5} Out IP {service.address}.{service.port} > {client}.51514: Flags [{flags}], seq 99, ack 815, win 65160, length 0"
            )
        if stage == POD:
            return lines
    if stage >= REPLY_OUT + 2 and pod is not None:
        lines.append(
            f"10:00:00.101101 {nic:<5} In  IP {client}.51514 > {service.address}.{service.port}: Flags [.], ack 100, win 502, length 0"
        )
    return lines


def _source_kept(site: Site) -> bool:
    """Whether pods see the client's own address."""
    return site.local or "wrong-source-answers" in site.tells


def _to_pods(site: Site, node: Node) -> str:
    if site.cni == "flannel":
        return "cni0"
    return f"cali{node.mac.replace(':', '')[:11]}" if site.cni == "calico" else "lxc7f3a"


def _as_backend(site: Site, node: Node) -> list[str]:
    """A node that holds a pod which another node hands the connection to."""
    service = site.service
    for other in entries(site):
        for pod in targets(site, other):
            if pod.node != node.name:
                continue
            loss = loss_at(site, other, pod)
            _, first = lost(site, other)
            stage = min(loss.stage if loss and not loss.share else 99, first.stage if first and not first.share else 99)
            if stage <= FABRIC:
                return []
            source = seen_source(site) if _source_kept(site) else other.ip
            arrive = tunnel(site) or site.nic_of(node)
            lines = [
                f"10:00:00.100301 {arrive:<5} In  IP {source}.51514 > {pod.ip}.{service.target}: Flags [S], seq 814, win 64240, length 0"
            ]
            if stage > POD_IN:
                flags = "R." if stage == POD else "S."
                leave = site.nic_of(node) if loss and loss.how == "wrong-source" else arrive
                lines.append(
                    f"10:00:00.100501 {leave:<5} Out IP {pod.ip}.{service.target} > {source}.51514: Flags [{flags}], seq 99, ack 815, win 65160, length 0"
                )
            return lines
    return []


def _arp(site: Site, node: Node) -> list[str]:
    vip = site.service.address
    asker_mac, asker = (
        (site.client.mac, site.client.ip) if site.client.on_lan else ("48:8f:5a:10:22:01", site.router.ip)
    )
    if "arp-request-lost" in site.tells or "stale-neighbour" in site.tells:  # who has an entry does not ask
        return []
    lines = []
    for second in range(3):
        lines.append(
            f"10:00:0{second}.200101 {asker_mac} > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 60: Request who-has {vip} tell {asker}, length 46"
        )
        mine = [m for m, name in answering(site) if name == node.name]
        if "arp-reply-lost" in site.tells and node.name == site.leader:
            mine = [node.mac]
        lines += [
            f"10:00:0{second}.200151 {m} > {asker_mac}, ethertype ARP (0x0806), length 42: Reply {vip} is-at {m}, length 28"
            for m in mine
        ]
    return lines


def _tracked(site: Site, node: Node) -> str:
    service, client = site.service, seen_source(site)
    pod, loss = lost(site, node)
    end = "conntrack v1.4.7 (conntrack-tools): {} flow entries have been shown.\n"
    if "stale-conntrack" in site.tells and node in entries(site):
        gone = node.block.replace(".0/24", ".251")
        return (
            f"tcp      6 86391 SYN_SENT src={client} dst={service.address} sport=51514 dport={service.port} [UNREPLIED] "
            f"src={gone} dst={node.ip} sport={service.target} dport=51514 mark=0 use=1\n" + end.format(1)
        )
    # The kernel confirms an entry behind the last filter: what one drops is never listed.
    if node not in entries(site) or pod is None or (loss and loss.stage <= FORWARD and not loss.share):
        return end.format(0)
    source = client if _source_kept(site) else node.ip
    answered = loss is None or loss.share or (loss.stage > POD and loss.how != "wrong-source")
    state = (
        "ESTABLISHED" if loss is None or loss.stage > RETURN or loss.share else "SYN_RECV" if answered else "SYN_SENT"
    )
    mark = "" if answered else "[UNREPLIED] "
    assured = "[ASSURED] " if state == "ESTABLISHED" else ""
    return (
        f"tcp      6 57 {state} src={client} dst={service.address} sport=51514 dport={service.port} {mark}"
        f"src={pod.ip} dst={source} sport={service.target} dport=51514 {assured}mark=0 use=1\n" + end.format(1)
    )
