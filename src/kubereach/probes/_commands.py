"""Commands in the words of the stack that is seen, so that they can be pasted as they stand.

A router that nothing tells apart is asked in FRR's words, with the others' behind them as a comment
(`COMMAND   # MikroTik: COMMAND; Cisco, Arista: COMMAND`), which `advise.interview` knows how to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubereach.model import attribute as a
from kubereach.model.fact import BgpListing, BgpSession, Neighbour, ProbeResult, Route, RouteListing
from kubereach.model.network import Network

ROUTEROS_6, ROUTEROS_7, MIKROTIK, VTYSH, BIRD, CLI = "routeros 6", "routeros 7", "mikrotik", "vtysh", "bird", "cli"
_FIRST: tuple[tuple[str, str], ...] = (
    (r"/?routing/|/ip/", ROUTEROS_7),  # menus with slashes came with version 7
    (r"/?routing bgp (?:peer|instance)", ROUTEROS_6),
    (r"/(?:ip|ipv6|routing) |/?ip (?:route|firewall|arp) print", MIKROTIK),
    (r"(?:sudo )?vtysh\b", VTYSH),
    (r"(?:sudo )?birdc6?\b", BIRD),
    (r"sh(?:ow)? ", CLI),
)
# Which rule counts a try is seen from two listings.
COUNTERS_TWICE = "sudo iptables-save -c; sleep 15; sudo iptables-save -c   # let the client try meanwhile"
SESSIONS: Mapping[str, str] = {
    ROUTEROS_7: "/routing/bgp/session/print",
    ROUTEROS_6: "/routing bgp peer print status",
    MIKROTIK: "/routing/bgp/session/print   # RouterOS 6: /routing bgp peer print status",
    VTYSH: "vtysh -c 'show bgp summary'",
    BIRD: "birdc show protocols all",
    CLI: "show ip bgp summary",
    "": "vtysh -c 'show bgp summary'   # MikroTik: /routing/bgp/session/print; Cisco, Arista: show ip bgp summary",
}
ROUTES: Mapping[str, str] = {
    ROUTEROS_7: "/ip/route/print detail where ADDRESS in dst-address",
    ROUTEROS_6: "/ip route print detail where ADDRESS in dst-address",
    MIKROTIK: "/ip route print detail where ADDRESS in dst-address",
    VTYSH: "vtysh -c 'show ip route ADDRESS'",
    BIRD: "birdc show route all for ADDRESS",
    CLI: "show ip route ADDRESS",
    "": "vtysh -c 'show ip route ADDRESS'   # MikroTik: /ip route print detail where ADDRESS in dst-address; "
    "Cisco, Arista: show ip route ADDRESS",
}
TABLE: Mapping[str, str] = {
    VTYSH: "vtysh -c 'show bgp ipv4 unicast'",
    CLI: "show ip bgp",
    "": "vtysh -c 'show bgp ipv4 unicast'   # Cisco, Arista: show ip bgp",
}
FIREWALL: Mapping[str, str] = {
    ROUTEROS_7: "/ip/firewall/filter/print stats",
    ROUTEROS_6: "/ip firewall filter print stats",
    MIKROTIK: "/ip firewall filter print stats",
    VTYSH: COUNTERS_TWICE,
    BIRD: COUNTERS_TWICE,
    "": f"{COUNTERS_TWICE}; MikroTik: /ip firewall filter print stats",
}


def router_language(network: Network) -> str:
    """What the router understands, from the commands whose outputs are seen, or the product's name; "" if unknown."""
    shown = (BgpListing, BgpSession, Neighbour, Route, RouteListing)
    commands = [
        f.origin.command for f in network.observed if isinstance(f, shown) and f.device == "router" and f.origin.command
    ]
    found = [name for command in commands for pattern, name in _FIRST if re.match(pattern, command)]
    exact = [name for name in found if name != MIKROTIK]
    if exact or found:
        return (exact or found)[0]
    if network.stack & {"mikrotik", "routeros"}:
        return MIKROTIK
    if network.stack & {"cisco", "arista"}:
        return CLI
    return VTYSH if network.stack & {"vyos", "frr"} and not network.stack & {"metallb"} else ""


def of_router(network: Network, table: Mapping[str, str]) -> str:
    """The command of `table` in the router's language, "" where that has none that could be read."""
    language = router_language(network)
    command = table.get(language, "")
    address = network.flow.address
    if ":" in address:
        command = re.sub(r"show ip route", "show ipv6 route", command)
        command = re.sub(r"/ip([ /])(route|firewall)", r"/ipv6\1\2", command)
        command = command.replace("ipv4 unicast", "ipv6 unicast")
    return command.replace("ADDRESS", address)


def in_calico_node(network: Network, node: str, words: str) -> str:
    """`birdcl WORDS` in the calico-node pod of a node; "" where nothing tells the pod.

    The socket's path is that of calico/node's own service script (node/filesystem/etc/service/available/bird/run).
    """
    command = f"birdcl -s /var/run/calico/bird.ctl {words}"
    return _in_pod(network, node, "calico-node", "calico-system", "k8s-app=calico-node", command)


def in_speaker(network: Network, node: str, words: str) -> str:
    """`vtysh -c WORDS` in the FRR beside MetalLB's speaker of a node; "" where nothing tells the pod."""
    return _in_pod(network, node, "speaker", "metallb-system", "component=speaker", f"vtysh -c '{words}'", "frr")


def _in_pod(network: Network, node: str, agent: str, usual: str, label: str, command: str, container: str = "") -> str:
    pods = [p for p in network.objects_of("Pod") if re.match(rf"(?:metallb-)?{agent}-", p.name)]
    mine = next((p for p in pods if f"node/{p.text('spec.nodeName')}" == node), None)
    spaces = {p.namespace for p in pods}
    space = mine.namespace if mine is not None else next(iter(spaces)) if len(spaces) == 1 else usual
    if mine is not None:
        pod = mine.name
    elif not (where := _selector(network, node)):
        return ""
    else:
        pod = f'"$(kubectl -n {space} get pod -l {label} --field-selector {where} -o name)"'
    return f"kubectl -n {space} exec {pod} -c {container or agent} -- {command}"


def _selector(network: Network, node: str) -> str:
    """Agents are on the host's network: their pod's address is the node's."""
    name = node.removeprefix("node/")
    if "(" in name:
        return ""
    return f"status.podIP={name}" if network.owners.get(name) == node else f"spec.nodeName={name}"


def capture(network: Network) -> str:
    """A capture of the client's connections, which ends by itself: by its address, or by the ports on both sides."""
    flow = network.flow
    if flow.client:
        wanted = f"host {flow.client} and tcp"
    else:
        ports: list[int | str] = [flow.port or 80]
        ports += [p.target for p in network.seen(flow.service, a.PORTS) or () if p.target and p.port == flow.port]
        wanted = f"'{' or '.join(f'tcp port {port}' for port in dict.fromkeys(ports))}'"
    return f"sudo timeout 20 tcpdump -eni any {wanted}   # let the client try meanwhile"


def don_t_fragment(network: Network) -> str:
    """The option of the client's ping that keeps packets whole: iputils has -M, BSD and macOS have -D."""
    systems = {f.client_os for f in network.observed if isinstance(f, ProbeResult) and f.source == "client"}
    return "-D" if "bsd" in systems else "-M do"
