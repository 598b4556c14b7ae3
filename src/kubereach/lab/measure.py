"""What a client, a node and everybody on the way really see: the lab's active probes, as the texts that tools print.

The outputs are documents of a bundle (`COMMAND.HOST.txt`), read by the readers of any other. A capture runs on every
host meanwhile; since the lab knows that it was complete, what it did not see is stated too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path

import dpkt
import msgspec
from msgspec import Struct

from kubereach.lab.lab import CommandError, Lab, wait
from kubereach.lab.operation import operation
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import address_of

PATIENCE = 2  # seconds until a connection counts as timed out
TRIES = 3  # connections, so that what comes and goes shows
SLL2 = 276  # the link type of a capture on `any` (LINKTYPE_LINUX_SLL2)


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
def probe(lab: Lab) -> dict[str, tuple[Output, ...]]:
    """For each client every probe of the target service, from there and from the cluster's own hosts.

    Captures run on every host. In its bundle the client is `client`, whatever its name is in the lab.
    """
    scenario = lab.scenario
    for client in scenario.clients:
        lab.run(client, "ip", "neigh", "flush", "dev", "eth0", check=False)
        lab.run(client, "ip", "route", "flush", "cache", check=False)  # redirects of an earlier state
    with captures(lab) as folder, ThreadPoolExecutor(4) as pool:
        pending = {client: pool.submit(_outside, lab, client) for client in scenario.clients}
        inside = tuple(pool.map(lambda shot: shoot(lab, shot, shot.host), from_cluster(scenario)))
        outside = {client: future.result() for client, future in pending.items()}
    return {client: (*outside[client], *inside, *_captured(scenario, folder, client)) for client in scenario.clients}


def _outside(lab: Lab, client: str) -> tuple[Output, ...]:
    return tuple(shoot(lab, shot, "client") for shot in from_client(lab.scenario, client))


def from_client(scenario: Scenario, client: str) -> tuple[Shot, ...]:
    """The probes of a client, in the order in which a person would try them."""
    service = scenario.service
    address, port = service.address, service.port
    url = f"http://{address}:{port}/" if port != 80 else f"http://{address}/"
    curl = ("curl", "-sS", "-v", "-m", str(PATIENCE))
    ports = f"22,{port},179,4444"
    shots = [
        Shot(client, "ping", ("ping", "-n", "-c", "4", "-i", "0.8", "-W", "2", address), 10),
        *(Shot(client, f"curl-{i}", (*curl, url), PATIENCE + 3) for i in range(TRIES)),
        Shot(client, "nmap", ("nmap", "-n", "-Pn", "-p", ports, "--reason", "--max-retries", "1", address), 20),
        Shot(client, "traceroute", ("traceroute", "-n", "-w", "1", "-q", "1", "-m", "4", address), 12),
        Shot(
            client,
            "traceroute-T",
            ("traceroute", "-n", "-T", "-p", str(port), "-w", "1", "-q", "1", "-m", "4", address),
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
        # No BGP, no IPv6 noise. Without immediate mode, what came in the last second is lost when it is told to end.
        words = (
            "tcpdump",
            "--immediate-mode",
            "-ni",
            "any",
            "-U",
            "-s",
            "128",
            "-w",
            str(file),
            "ip or arp",
            "and not tcp port 179",
        )
        processes.append((lab.start(host, *words, log="tcpdump"), file))
    try:
        if not wait(lambda: all(file.exists() and file.stat().st_size >= 24 for _, file in processes), 20):
            raise CommandError("the captures do not start")
        yield folder
    finally:
        for process, _ in processes:
            lab.end(process)


class Seen(Struct, frozen=True):
    """A packet of a capture, as far as it matters here."""

    source: str
    destination: str
    kind: str  # syn, synack, other
    port: int = 0  # the destination's


OTHER_HOST = 3  # the packet type of a frame that is for another host (linux/if_packet.h), which a switch flooded


def packets(path: Path) -> Iterator[tuple[float, bytes, Seen | None]]:
    """The packets of a capture on `any`: time, frame, and what it is if IPv4 for this host; a torn end ends it."""
    with path.open("rb") as file, suppress(dpkt.Error, ValueError):
        for stamp, data in dpkt.pcap.Reader(file):
            found = None
            with suppress(dpkt.Error):
                frame = dpkt.sll2.SLL2(data)
                if isinstance(frame.data, dpkt.ip.IP) and frame.type != OTHER_HOST:
                    found = _seen(frame.data)
            yield stamp, data, found


def _seen(packet: dpkt.ip.IP) -> Seen:
    ends = (str(IPv4Address(packet.src)), str(IPv4Address(packet.dst)))
    inner = packet.data
    if not isinstance(inner, dpkt.tcp.TCP):
        return Seen(*ends, "other")
    flags = inner.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)
    kind = {dpkt.tcp.TH_SYN: "syn", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK: "synack"}.get(flags, "other")
    return Seen(*ends, kind, inner.dport)


def _captured(scenario: Scenario, folder: Path, client: str) -> tuple[Output, ...]:
    """The captures without the other clients' packets, and whether each node's saw the client's SYN."""
    others = {address_of(scenario, other) for other in scenario.clients if other != client}
    service, source = scenario.service, address_of(scenario, client)
    pods = [scenario.pods[name] for name in scenario.endpoints(scenario.target)]
    own = packets(folder / f"{client}.pcap")
    tried = next((stamp for stamp, _, p in own if p and p.kind == "syn" and p.destination == service.address), 0.0)
    outputs, statements = [], []
    for host in scenario.hosts:
        mine = [p for p in packets(folder / f"{host}.pcap") if not (p[2] and {p[2].source, p[2].destination} & others)]
        outputs.append(Output(f"tcpdump.{'client' if host == client else host}.pcap", _file(mine)))
        if host in scenario.nodes:
            # Translated on another node, it has the pod's address and port by now.
            ends = {(service.address, service.port), *((pod.address, service.target_port) for pod in pods)}
            syns = ((p.source, (p.destination, p.port)) for _, _, p in mine if p and p.kind == "syn")
            there = any(origin == source and end in ends for origin, end in syns)
            if not there and (not mine or mine[-1][0] < tried):
                continue  # it ended before the client tried, and so knows nothing
            statements.append(_statement(source, f"{service.address}:{service.port}", host, there=there))
    return (*outputs, Output("observed.yaml", msgspec.yaml.encode(statements)))


def _statement(source: str, target: str, node: str, *, there: bool) -> dict[str, str]:
    seen = "seen" if there else "not-seen"
    return {"probe": "capture", "from": source, "to": target, "at": f"node/{node}", "result": seen}


def _file(kept: Sequence[tuple[float, bytes, Seen | None]]) -> bytes:
    """A capture file of link type LINUX_SLL2."""
    file = BytesIO()
    writer = dpkt.pcap.Writer(file, snaplen=262144, linktype=SLL2)
    for stamp, data, _ in kept:
        writer.writepkt(data, stamp)
    return file.getvalue()


def write(folder: Path, outputs: Sequence[Output]) -> None:
    """A bundle on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for output in outputs:
        (folder / output.name).write_bytes(output.data)
