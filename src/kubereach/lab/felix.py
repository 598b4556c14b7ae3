"""What Calico's Felix adds to a node: masquerade of what leaves the pods' network, and the policy of the pods' links.

The chains are those of Calico v3.26 with its iptables dataplane (felix/rules/static.go, nat.go, dispatch.go,
endpoints.go, policy.go), in full for a packet to or from a pod. Not written: the hash in every rule's comment, by which
Felix finds its own rules again; the raw and mangle tables and the chains of host endpoints, as there are none; what
pods may do on their own node; IPv6. With kube-proxy's mode nftables Felix stays with iptables, as in v3.26.

Knobs: `policy/POD` is a network policy that selects the pod and admits one source (a CIDR) or none (`deny`);
`felix/service-loop-prevention` is FelixConfiguration's serviceLoopPrevention (`Drop` or `Reject`): what is still for
an announced address after kube-proxy's rules ends on the node. Felix's own default is `Drop`; here it is off unless
set, as the packet then goes where the node's routes say. `stopped/felix/NODE` says that Felix does not run there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from kubereach.lab import ipset, xtables
from kubereach.lab.ipset import IpSet
from kubereach.lab.lab import Lab
from kubereach.lab.scenario import Scenario
from kubereach.lab.wiring import pod_link, tunnel_address
from kubereach.lab.xtables import Table

OWNED = "cali-.*"
ACCEPTED, PASSED = "0x10000", "0x20000"  # marks: policy accepted the packet; a policy passed it on
ENDPOINT = "0xfff00000"  # the part of the mark that tells where a packet came from that IPVS will forward
OTHER_ENDPOINT = "0x100000"  # it came from no workload
TUNNELS = {"vxlan": "vxlan.calico", "ipip": "tunl0"}

_TAIL = 'FORWARD -m comment --comment "Policy explicitly accepted packet."'
_TAIL += f" -m mark --mark {ACCEPTED}/{ACCEPTED} -j ACCEPT"
_MASQUERADE = "-j MASQUERADE --random-fully"
_STATES = ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-m conntrack --ctstate INVALID -j DROP"]


def sync(lab: Lab, node: str) -> None:
    """Write the node's rules. Raises CommandError."""
    ipset.apply(lab, node, ipsets(lab.scenario, node))
    xtables.apply(lab, node, _tables(lab, node), OWNED)


def clear(lab: Lab, node: str) -> None:
    """Take all of them away. Raises CommandError."""
    xtables.remove(lab, node, _tables(lab, node), OWNED)
    ipset.remove(lab, node, "cali40")


def _tables(lab: Lab, node: str) -> list[Table]:
    policies = {pod: admitted for pod in lab.scenario.pods if (admitted := lab.knob(f"policy/{pod}"))}
    return tables(lab.scenario, node, policies, lab.knob("felix/service-loop-prevention"))


def ipsets(scenario: Scenario, node: str) -> list[IpSet]:
    """The pools, those that are masqueraded, and the node's own addresses without kube-ipvs0's."""
    network = scenario.pod_network
    tunnelled = network.encapsulation != "none"
    own = (scenario.nodes[node].address, "127.0.0.1", *([tunnel_address(scenario, node)] if tunnelled else []))
    return [
        IpSet("cali40all-ipam-pools", "hash:net family inet", (network.cidr,)),
        IpSet("cali40masq-ipam-pools", "hash:net family inet", (network.cidr,) if network.nat_outgoing else ()),
        IpSet("cali40this-host", "hash:ip family inet", own),
    ]


def tables(scenario: Scenario, node: str, policies: dict[str, str], loops: str = "") -> list[Table]:
    """The rules of a node; `policies` as the knobs have them, by pod, `loops` as serviceLoopPrevention."""
    pods = [name for name, pod in scenario.pods.items() if pod.node == node]
    filters = {
        "cali-FORWARD": [
            "-j MARK --set-xmark 0x0/0xe0000",
            f"-m mark --mark 0x0/{ACCEPTED} -j cali-from-hep-forward",
            "-i cali+ -j cali-from-wl-dispatch",
            "-o cali+ -j cali-to-wl-dispatch",
            "-j cali-to-hep-forward",
            "-j cali-cidr-block",
        ],
        "cali-from-hep-forward": [],
        "cali-to-hep-forward": [],
        "cali-cidr-block": _loops(scenario, loops),
        **_workloads(pods, policies),
        **(_ipvs() if scenario.proxy.mode == "ipvs" else {}),
    }
    jumps = ["FORWARD -j cali-FORWARD"]
    if scenario.proxy.mode == "ipvs":
        jumps += ["INPUT -j cali-INPUT", "OUTPUT -j cali-OUTPUT"]
    pools = "-m set --match-set cali40masq-ipam-pools src -m set ! --match-set cali40all-ipam-pools dst"
    nat = {
        "cali-POSTROUTING": ["-j cali-nat-outgoing", *_tunnel(scenario)],
        "cali-nat-outgoing": [f"{pools} {_MASQUERADE}"] if scenario.pod_network.nat_outgoing else [],
    }
    return [
        Table(name="filter", jumps=tuple(jumps), chains=filters, topmost=True, tails=(_TAIL,)),
        Table(name="nat", jumps=("POSTROUTING -j cali-POSTROUTING",), chains=nat, topmost=True),
    ]


def _tunnel(scenario: Scenario) -> list[str]:
    """What the node itself sends into the tunnel gets the tunnel's address, so that the answer comes back by it."""
    if not (device := TUNNELS.get(scenario.pod_network.encapsulation)):
        return []
    not_its_own = "-m addrtype ! --src-type LOCAL --limit-iface-out"
    return [f"-o {device} {not_its_own} -m addrtype --src-type LOCAL {_MASQUERADE}"]


def _loops(scenario: Scenario, prevention: str) -> list[str]:
    announced = scenario.announcer.lb_cidrs if scenario.announcer.kind == "calico-bgp" else ()
    targets = {"Drop": "DROP", "Reject": "REJECT --reject-with icmp-port-unreachable"}
    return [f"-d {cidr} -j {targets[prevention]}" for cidr in announced if prevention in targets]


def _workloads(pods: Iterable[str], policies: dict[str, str]) -> dict[str, list[str]]:
    """The chains of the pods' links: what may leave and what may enter each of them."""
    unknown = '-m comment --comment "Unknown interface" -j DROP'
    links = {pod: pod_link(pod) for pod in pods}
    chains = {
        "cali-from-wl-dispatch": [*(f"-i {link} -g cali-fw-{link}" for link in links.values()), unknown],
        "cali-to-wl-dispatch": [*(f"-o {link} -g cali-tw-{link}" for link in links.values()), unknown],
        "cali-pri-kns.default": [],
        "cali-pro-kns.default": [f"-j MARK --set-xmark {ACCEPTED}/{ACCEPTED}", _accepted()],
    }
    chains["cali-pri-kns.default"] = chains["cali-pro-kns.default"]
    for pod, link in links.items():
        chains[f"cali-fw-{link}"] = [*_STATES, f"-j MARK --set-xmark 0x0/{ACCEPTED}", *_profile("cali-pro-kns.default")]
        chains[f"cali-tw-{link}"] = [*_STATES, f"-j MARK --set-xmark 0x0/{ACCEPTED}"]
        if pod in policies:
            chain = _policy_chain(pod)
            chains[chain] = _admitted(policies[pod])
            chains[f"cali-tw-{link}"] += _policed(chain)
        chains[f"cali-tw-{link}"] += _profile("cali-pri-kns.default")
    return chains


def _accepted(note: str = "") -> str:
    comment = f'-m comment --comment "{note}" ' if note else ""
    return f"{comment}-m mark --mark {ACCEPTED}/{ACCEPTED} -j RETURN"


def _profile(chain: str) -> list[str]:
    """The namespace's profile, which admits everything that no policy is asked about."""
    rest = '-m comment --comment "Drop if no profiles matched" -j DROP'
    return [f"-j {chain}", _accepted("Return if profile accepted"), rest]


def _policed(chain: str) -> list[str]:
    none = f'-m comment --comment "Drop if no policies passed packet" -m mark --mark 0x0/{PASSED} -j DROP'
    return [
        f'-m comment --comment "Start of policies" -j MARK --set-xmark 0x0/{PASSED}',
        f"-m mark --mark 0x0/{PASSED} -j {chain}",
        _accepted("Return if policy accepted"),
        none,
    ]


def _admitted(source: str) -> list[str]:
    """A policy's ingress rules: one source, or none at all."""
    return [] if source == "deny" else [f"-s {source} -j MARK --set-xmark {ACCEPTED}/{ACCEPTED}", _accepted()]


def _policy_chain(pod: str) -> str:
    """A policy's chain for packets to the pod; long names are replaced by their hash, as in felix/hashutils."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(f"default/knp.default.{pod}".encode()).digest()).decode()
    return f"cali-pi-_{digest}"[:28]


def _ipvs() -> dict[str, list[str]]:
    """Under IPVS a packet for a service passes INPUT, and is policed on its way out in OUTPUT."""
    marked = f"-m mark ! --mark 0x0/{ENDPOINT}"
    service, node_port = (f'-m comment --comment "To kubernetes {kind}"' for kind in ("service", "NodePort service"))
    this, ports = "--match-set cali40this-host dst", "-p tcp -m multiport --dports 30000:32767"
    accepted = f'-m comment --comment "Policy explicitly accepted packet." -m mark --mark {ACCEPTED}/{ACCEPTED}'
    return {
        "cali-INPUT": [f"-j MARK --set-xmark 0x0/{ENDPOINT}", "-j cali-forward-check", f"{marked} -j RETURN"],
        "cali-forward-check": [
            "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            f"{ports} {node_port} -m set {this} -g cali-set-endpoint-mark",
            f"{service} -m set ! {this} -g cali-set-endpoint-mark",
        ],
        "cali-set-endpoint-mark": [
            f'-m comment --comment "Non-Cali endpoint mark" -j MARK --set-xmark {OTHER_ENDPOINT}/{ENDPOINT}'
        ],
        "cali-OUTPUT": [f"{marked} -g cali-forward-endpoint-mark"],
        "cali-forward-endpoint-mark": [
            "-o cali+ -j cali-to-wl-dispatch",
            "-j cali-to-hep-forward",
            f"-j MARK --set-xmark 0x0/{ENDPOINT}",
            f"{accepted} -j ACCEPT",
        ],
    }
