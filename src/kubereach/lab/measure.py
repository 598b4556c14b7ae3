"""What a client, a node and everybody on the way really see: the lab's active probes, as the texts that tools print.

The outputs are documents of a bundle (`COMMAND.HOST.txt`), read by the readers of any other. A capture runs on every
host meanwhile; since the lab knows that it was complete, what it did not see is stated too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path

import dpkt
import msgspec
from msgspec import Struct

from kubereach.lab.lab import Lab, wait
from kubereach.lab.operation import operation
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import address_of

PATIENCE = 2  # seconds until a connection counts as timed out
TRIES = 4  # connections, so that what comes and goes shows


class Output(Struct, frozen=True):
    """A document of a bundle: its name there, and its bytes."""

    name: str
    data: bytes


class Shot(Struct, frozen=True):
    """One command of the probes: `name` is the document's, without the host."""

    host: str
    name: str
    argv: tuple[str, ...]
    seconds: float


@operation
def probe(lab: Lab, client: str) -> tuple[Output, ...]:
    """Every probe of the target service from a client, and from the cluster's own hosts, with captures on every host.

    In the bundle the client is `client`, whatever its name is in the lab.
    """
    scenario = lab.scenario
    with captures(lab) as folder:
        lab.run(client, "ip", "neigh", "flush", "dev", "eth0", check=False)
        lab.run(client, "ip", "route", "flush", "cache", check=False)  # redirects of an earlier state
        outside = [shoot(lab, shot, "client") for shot in from_client(scenario, client)]
        with ThreadPoolExecutor(4) as pool:
            inside = list(pool.map(lambda shot: shoot(lab, shot, shot.host), from_cluster(scenario)))
    return (*outside, *inside, *_captured(scenario, folder, client))


def from_client(scenario: Scenario, client: str) -> tuple[Shot, ...]:
    """The probes of a client, in the order in which a person would try them."""
    service = scenario.service
    address, port = service.address, service.port
    url = f"http://{address}:{port}/" if port != 80 else f"http://{address}/"
    curl = ("curl", "-sS", "-v", "-m", str(PATIENCE))
    ports = f"22,{port},179,4444"
    shots = [
        Shot(client, "ping", ("ping", "-n", "-c", "3", "-i", "0.3", "-W", "1", address), 8),
        *(Shot(client, f"curl-{i}", (*curl, url), PATIENCE + 3) for i in range(TRIES)),
        Shot(client, "nmap", ("nmap", "-n", "-Pn", "-p", ports, "--reason", "--max-retries", "1", address), 20),
        Shot(client, "traceroute", ("traceroute", "-n", "-w", "1", "-q", "1", "-m", "5", address), 12),
        Shot(
            client,
            "traceroute-T",
            ("traceroute", "-n", "-T", "-p", str(port), "-w", "1", "-q", "1", "-m", "5", address),
            12,
        ),
    ]
    if IPv4Address(address) in scenario.prefix(scenario.clients[client].segment):
        shots.append(Shot(client, "arping", ("arping", "-c", "3", "-w", "3", "-I", "eth0", address), 8))
    return tuple(shots)


def from_cluster(scenario: Scenario) -> tuple[Shot, ...]:
    """A connection from each node and each pod of another service."""
    service = scenario.service
    curl = ("curl", "-sS", "-v", "-m", str(PATIENCE), f"http://{service.address}:{service.port}/")
    return tuple(Shot(node, "curl", curl, PATIENCE + 3) for node in scenario.nodes)


def shoot(lab: Lab, shot: Shot, host: str) -> Output:
    """Run one probe; its output behind the line that was typed."""
    result = lab.run(shot.host, *shot.argv, timeout=shot.seconds, check=False)
    return Output(f"{shot.name}.{host}.txt", f"$ {' '.join(shot.argv)}\n{result.out}".encode())


@contextmanager
def captures(lab: Lab) -> Iterator[Path]:
    """Captures on every host while the body runs; the folder with HOST.pcap."""
    folder = lab.folder / "captures"
    folder.mkdir(exist_ok=True)
    processes = []
    for host in lab.scenario.hosts:
        file = folder / f"{host}.pcap"
        file.unlink(missing_ok=True)
        # No name look-ups, no BGP, no IPv6 noise; -U so that nothing is lost at the end.
        words = ("tcpdump", "-ni", "any", "-U", "-s", "128", "-w", str(file), "ip or arp", "and not tcp port 179")
        processes.append((lab.start(host, *words, log="tcpdump"), file))
    wait(lambda: all(file.exists() and file.stat().st_size >= 24 for _, file in processes), 5)
    try:
        yield folder
    finally:
        for process, _ in processes:
            lab.end(process)


class Seen(Struct, frozen=True):
    """A packet of a capture, as far as it matters here."""

    source: str
    destination: str
    kind: str  # syn, synack, echo, other


def packets(path: Path) -> Iterator[Seen]:
    """The IPv4 packets of a capture with link type LINUX_SLL2 or LINUX_SLL; a torn end ends it."""
    with path.open("rb") as file, suppress(dpkt.Error, ValueError):
        reader = dpkt.pcap.Reader(file)
        frame = dpkt.sll2.SLL2 if reader.datalink() == 276 else dpkt.sll.SLL
        for _, data in reader:
            with suppress(dpkt.Error):
                packet = frame(data).data
                if isinstance(packet, dpkt.ip.IP):
                    yield Seen(str(IPv4Address(packet.src)), str(IPv4Address(packet.dst)), _kind(packet))


def _kind(packet: dpkt.ip.IP) -> str:
    inner = packet.data
    if isinstance(inner, dpkt.tcp.TCP):
        return {dpkt.tcp.TH_SYN: "syn", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK: "synack"}.get(inner.flags & 0x12, "other")
    return "echo" if isinstance(inner, dpkt.icmp.ICMP) and inner.type == dpkt.icmp.ICMP_ECHO else "other"


def _captured(scenario: Scenario, folder: Path, client: str) -> tuple[Output, ...]:
    """The captures themselves, and what each node's did not see."""
    outputs = [
        Output(f"tcpdump.{'client' if host == client else host}.pcap", path.read_bytes())
        for host in scenario.hosts
        if (path := folder / f"{host}.pcap").exists()
    ]
    service, source = scenario.service, address_of(scenario, client)
    statements = []
    for node in scenario.nodes:
        there = any(
            seen.kind == "syn" and seen.source == source and seen.destination == service.address
            for seen in packets(folder / f"{node}.pcap")
        )
        statements.append(
            {
                "probe": "capture",
                "from": source,
                "to": f"{service.address}:{service.port}",
                "at": f"node/{node}",
                "result": "seen" if there else "not-seen",
            }
        )
    return (*outputs, Output("observed.yaml", msgspec.yaml.encode(statements)))


def write(folder: Path, outputs: Sequence[Output]) -> None:
    """A bundle on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for output in outputs:
        (folder / output.name).write_bytes(output.data)
