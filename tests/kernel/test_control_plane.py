"""Real daemons in namespaces: what the router learns, who answers on the segment, and what a broken session leaves."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from kubereach.lab import bird, frr, scenario, system, wiring
from kubereach.lab.announcers import metallb_l2
from kubereach.lab.enactment import enact, undo
from kubereach.lab.lab import Lab, taken_down, wait
from kubereach.lab.scenario import AnnouncerKind, Scenario
from kubereach.lab.segment import macs

TOOLS = (
    "ip",
    "bird",
    "birdc",
    "vtysh",
    "/usr/lib/frr/bgpd",
    "/usr/lib/frr/frr-reload.py",
    "keepalived",
    "arping",
    "nft",
)
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

LOCAL = scenario.load("calico-local")
SERVICE, ON_SEGMENT = LOCAL.service.address, "10.20.30.240"
WITH_ENDPOINT, LOWEST = "10.20.30.21", "10.20.30.11"
ALL = ("10.20.30.11", "10.20.30.21", "10.20.30.22")


@contextmanager
def control_plane(meant: Scenario) -> Iterator[Lab]:
    """The hosts, the router's daemon and the announcers of a scenario, settled; neither servers nor kube-proxy."""
    with taken_down(Lab.create(f"cp{os.getpid()}", meant)) as lab:
        wiring.wire(lab)
        system.router(lab).start(lab)
        for node in meant.nodes:
            system.announcer(lab).start(lab, node)
        system.settle(lab)
        yield lab


def announced(kind: AnnouncerKind, *, local: bool = True, **router: object) -> Scenario:
    """calico-local with another announcer, policy or router."""
    address = SERVICE if kind.endswith("-bgp") else ON_SEGMENT
    service = replace(LOCAL.service, address=address, policy="Local" if local else "Cluster")
    return replace(
        LOCAL,
        announcer=replace(LOCAL.announcer, kind=kind),
        router=replace(LOCAL.router, **router),
        services={"shop": service},
    )


def routes(lab: Lab) -> dict[str, tuple[str, ...]]:
    """Prefix → next hops of the router's kernel routes for the service's range."""
    found: dict[str, tuple[str, ...]] = {}
    prefix = ""
    for line in lab.run("router", "ip", "-4", "route").out.splitlines():
        prefix = prefix if line.startswith(("\t", " ")) else line.split()[0]
        if prefix.startswith("10.99.8.") and (hop := re.search(r"via (\S+)", line)):
            found[prefix] = tuple(sorted((*found.get(prefix, ()), hop[1])))
    return found


def asked(lab: Lab) -> set[str]:
    """The hardware addresses that answer a client of the segment."""
    printed = lab.run("neighbour", "arping", "-c", "1", "-w", "0.4", ON_SEGMENT, check=False).out
    return set(re.findall(r"from ([0-9a-f:]{17})", printed))


def test_calico_and_an_frr_router_through_a_fault_of_one_session() -> None:
    with control_plane(LOCAL) as lab:
        healthy = {"10.99.8.16/28": (LOWEST,), SERVICE: (WITH_ENDPOINT,)}
        assert routes(lab) == healthy
        # Calico's service routes never get into a node's own kernel.
        assert "10.99.8." not in lab.run("wk-1", "ip", "-4", "route").out
        enact(lab, "bgp-session-blocked@node/wk-1")
        assert routes(lab) == {"10.99.8.16/28": (LOWEST,)}
        assert "Connection " in bird.birdc(lab, "wk-1", "show", "protocols", "Global_10_20_30_1")
        undo(lab, "bgp-session-blocked")
        system.settle(lab)
        assert routes(lab) == healthy
        enact(lab, "bgp-authentication@node/wk-1")
        assert "Socket" not in bird.info(lab, "wk-1", "Global_10_20_30_1")  # the kernel drops in silence
        undo(lab, "bgp-authentication")
        system.settle(lab)
        enact(lab, "host-routes-passed-on@cluster")
        assert routes(lab)[SERVICE] == (LOWEST,)  # a node without an endpoint
        undo(lab, "host-routes-passed-on")
        system.settle(lab)
        enact(lab, "router-import-filter-host-routes@router")
        assert routes(lab) == {"10.99.8.16/28": (LOWEST,)}
        # All that left the other nodes' sessions as they were.
        seen = frr.vtysh(lab, "router", "show bgp neighbors 10.20.30.22")
        assert "Connections established 1;" in seen


def test_calico_under_policy_cluster_and_a_bird_router_with_multipath() -> None:
    with control_plane(announced("calico-bgp", local=False, daemon="bird", multipath=True)) as lab:
        assert routes(lab) == {"10.99.8.16/28": ALL}
        enact(lab, "router-multipath-disabled@router")
        assert routes(lab) == {"10.99.8.16/28": (LOWEST,)}
        undo(lab, "router-multipath-disabled")
        enact(lab, "bgp-two-speakers@node/wk-1")
        assert bird.info(lab, "wk-1", "Global_10_20_30_1") == "Error: No listening socket"
        undo(lab, "bgp-two-speakers")
        system.settle(lab)
        enact(lab, "router-static-wins@router")
        assert routes(lab) == {"10.99.8.16/28": ALL, SERVICE: ("10.20.30.250",)}


def test_metallb_with_frr_on_the_nodes() -> None:
    with control_plane(announced("metallb-bgp", multipath=True)) as lab:
        assert routes(lab) == {SERVICE: (WITH_ENDPOINT,)}
        system.change_service(lab, lambda service: replace(service, policy="Cluster"))
        system.settle(lab)
        assert routes(lab) == {SERVICE: ALL}
        assert not lab.run("wk-1", "ss", "-Hltn", "sport = :179").out  # it dials and does not listen
        enact(lab, "announcing-agent-down@node/wk-1")
        assert routes(lab) == {SERVICE: (ALL[0], ALL[2])}
        assert "10.20.30.1 " not in lab.run("wk-2", "ip", "-4", "route", "show", "proto", "bgp").out


def test_metallb_on_the_segment() -> None:
    with control_plane(announced("metallb-l2", local=False)) as lab:
        (leader,) = metallb_l2.leaders(lab, "shop")
        assert asked(lab) == macs(lab, [leader])
        assert ON_SEGMENT not in lab.run(leader, "ip", "address").out  # no interface has it
        other = next(node for node in lab.scenario.nodes if node != leader)
        enact(lab, f"l2-two-announcers@node/{other}")
        assert asked(lab) == macs(lab, [leader, other])
        undo(lab, "l2-two-announcers")
        # A new leader tells the segment: the client's entry changes though nobody asked again.
        lab.run("neighbour", "ping", "-c", "1", "-W", "1", ON_SEGMENT, check=False)
        enact(lab, f"announcing-agent-down@node/{leader}")
        (successor,) = metallb_l2.leaders(lab, "shop")
        (hardware,) = macs(lab, [successor])
        assert wait(lambda: hardware in lab.run("neighbour", "ip", "neigh", "show", ON_SEGMENT).out, 5)
        enact(lab, "l2-wrong-interface@cluster")
        assert asked(lab) == set()


def test_kube_vip_has_the_address_on_the_leaders_interface() -> None:
    with control_plane(announced("kube-vip-arp", local=False)) as lab:
        assert asked(lab) == macs(lab, ["cp-1"]), "under policy Cluster the election does not look at pods"
        assert f"{ON_SEGMENT}/32" in lab.run("cp-1", "ip", "address", "show", "dev", "eth0").out
        enact(lab, "announcing-agent-down@node/cp-1")
        assert asked(lab) == macs(lab, ["wk-1"])
        enact(lab, "vrrp-id-collision@service/default/shop")
        log = lab.folder / "keepalived.wk-1.log"
        assert wait(lambda: "not present in MASTER advert" in log.read_text(), 5)


def test_a_stateful_router_has_the_rules_of_one() -> None:
    with control_plane(replace(LOCAL, router=replace(LOCAL.router, stateful=True))) as lab:
        assert "ct state invalid counter packets 0 bytes 0 drop" in lab.run("router", "nft", "list", "ruleset").out
        lab.change(LOCAL)
        system.router(lab).sync(lab)
        assert not lab.run("router", "nft", "list", "ruleset").out
