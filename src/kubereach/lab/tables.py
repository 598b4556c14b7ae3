"""What the daemons of a lab's hosts print of their sessions and routes, as a person would ask them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kubereach.lab import frr
from kubereach.lab.lab import Lab
from kubereach.lab.measure import Output
from kubereach.lab.operation import operation

BIRD = ("show protocols all", "show route")
FRR = ("show bgp summary", "show bgp ipv4 unicast", "show ip route")


@operation
def of_daemons(lab: Lab) -> tuple[Output, ...]:
    """The tables of every BGP daemon that runs, one document a command and host."""
    return tuple(output for host in ("router", *lab.scenario.nodes) for output in _of(lab, host))


def _of(lab: Lab, host: str) -> Iterator[Output]:
    if socket := bird_socket(lab, host):
        for words in BIRD:
            said = lab.run(host, "birdc", "-s", str(socket), *words.split(), check=False).out
            yield _output("birdc", words, host, f"birdc {words}", said)
    if frr.running(lab, host, "bgpd"):
        for words in FRR:
            said = frr.vtysh(lab, host, words, check=False)
            yield _output("vtysh", words, host, f"vtysh -c '{words}'", said)


def bird_socket(lab: Lab, host: str) -> Path | None:
    """The control socket of a host's BIRD, where one runs."""
    socket = lab.folder / f"bird-{host}.ctl"
    return socket if socket.exists() else None


def _output(program: str, words: str, host: str, typed: str, said: str) -> Output:
    return Output(f"{program}-{words.replace(' ', '-')}.{host}.txt", f"$ {typed}\n{said}".encode())
