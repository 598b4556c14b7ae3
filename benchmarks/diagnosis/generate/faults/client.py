"""Faults of the client alone."""

from __future__ import annotations

from benchmarks.diagnosis.generate.draw import Wish
from benchmarks.diagnosis.generate.faults.registry import fault
from benchmarks.diagnosis.generate.flow import CLIENT, NAME
from benchmarks.diagnosis.generate.site import BGP, L2, Site


@fault("client-name-elsewhere", "client-name-resolves-elsewhere")
def name_elsewhere(site: Site) -> None:
    """The name has an old or a public record, or none."""
    site.client.name = f"{site.service.name}.{site.rng.choice(('example.org', 'home.arpa', 'corp.example.com'))}"
    site.client.resolves = site.rng.choice(("203.0.113.200", site.spare(), ""))
    site.lose(NAME, "silent" if site.client.resolves else "no-name")


@fault("client-route-wrong", "client-wrong-prefix-or-route", Wish(stacks=L2 - {"keepalived"} | BGP, on_lan=False))
def route_wrong(site: Site) -> None:
    """A VPN's route takes the packets another way; other clients reach the service."""
    address = site.service.address
    net = ".".join(address.split(".")[:2]) + ".0.0/16"
    site.client.routes.append(f"{net} via 10.212.134.1 dev tun0 proto static metric 50")
    site.tells.add("others-work")
    site.lose(CLIENT, "silent")
