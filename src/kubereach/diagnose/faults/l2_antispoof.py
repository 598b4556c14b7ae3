"""Hypervisor or port security drops frames for the address.

What happens   OpenStack port security, VMware forged transmits, a cloud network or dynamic ARP inspection knows
               one address per port.
How it looks   works on the nodes, no other host gets an answer; the platform is virtual
Confirm        the port's allowed addresses on the platform
Fix            allow the address pair, or MAC and IP spoofing on the ports
Not to be confused with  l2-requests-not-delivered (physical segment)
References     OpenStack allowed_address_pairs; MetalLB cloud compatibility
"""

from __future__ import annotations

from collections.abc import Iterable

from kubereach.diagnose.chance import Chance
from kubereach.diagnose.decided import decided
from kubereach.diagnose.fault import Fault, Plan, Suspect, speaks_layer2
from kubereach.model.attribute import ANTISPOOF, PLATFORM
from kubereach.model.diagnosis import Owner
from kubereach.simulate.world import Changes, World

FAULT = Fault(
    code="l2-antispoof",
    class_="ann-l2-hypervisor-antispoof",
    layer="announcement-l2",
    owner=Owner.NETWORK,
    prior=Chance(0.012, "virtual and cloud networks only, where it is the default"),
    summary="the hypervisor or switch drops frames for an address that it does not know the node to have",
)
# How often a platform drops frames for addresses that its ports were not given (its own defaults).
PLATFORMS = {
    "openstack": Chance(0.25, "port security is on by default"),
    "cloud": Chance(0.2, "providers drop addresses that they did not give out"),
    "hyper-v": Chance(0.06, "MAC spoofing is refused by default, which hurts where the answer has another MAC"),
    "vmware": Chance(0.05, "forged transmits are refused by default, as before"),
    "proxmox": Chance(0.03, "its firewall has an IP filter that somebody must switch on"),
    "kvm": Chance(0.015, "libvirt's clean-traffic filter must be switched on"),
}


def suspects(world: World) -> Iterable[Suspect]:
    if not speaks_layer2(world):
        return ()
    platform = world.network.seen("cluster", PLATFORM) or ("openstack" if "openstack" in world.network.stack else "")
    return decided(world, FAULT, ("cluster", ANTISPOOF), PLATFORMS.get(platform))


def apply(world: World, suspect: Suspect) -> Changes:
    return {ANTISPOOF.of(suspect.subject): True}


def remove(world: World, suspect: Suspect) -> Changes:
    return {ANTISPOOF.of(suspect.subject): False}


def repair(world: World, suspect: Suspect) -> Plan:
    return Plan(
        summary="allow the pool's addresses on the nodes' ports",
        commands=("openstack port set --allowed-address ip-address=POOL PORT",),
    )
