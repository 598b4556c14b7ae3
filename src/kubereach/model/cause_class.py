"""The public vocabulary of `causes[].class`: what kind of thing is wrong, whoever's product it happens in.

A fault has its own, finer code and belongs to exactly one class. Classes are added where none fits; none is ever
renamed or removed, because other people's scripts match on them. Groups follow the packet's way, from the allocation
of the address to the client.
"""

from __future__ import annotations

from typing import NamedTuple


class CauseClass(NamedTuple):
    """A class, the group (the part of the way) it belongs to, and what it means in one line."""

    name: str
    group: str
    means: str


_GROUPS: dict[str, dict[str, str]] = {
    "allocation": {
        "alloc-no-pool": "no address pool exists, or none admits this service, so its address stays pending",
        "alloc-pool-exhausted": "every address of the pool is taken, so the service stays pending",
        "alloc-request-refused": "the service asks for an address, family or sharing that cannot be granted",
        "alloc-class-not-handled": "no installed controller takes care of the service's loadBalancerClass",
        "alloc-unusable-address": "the service got an address that no host can use, such as a broadcast one",
        "alloc-controller-down": "the controller that hands out addresses is not running or may not write them down",
        "alloc-pool-overlap": "the pool holds addresses that something else owns: nodes, a gateway, DHCP, a cluster",
        "alloc-host-port-taken": "the port that must be opened on the nodes already belongs to something else",
        "alloc-two-lb-controllers": "two controllers fight over the address of the same service",
    },
    "announcement": {
        "ann-no-advertisement-object": "there is a pool and nothing that says its addresses are to be announced",
        "ann-service-not-selected": "the announcer runs and leaves out this service",
        "ann-node-excluded": "a label or selector rules out every node that could announce",
        "ann-no-eligible-node-endpoints": "no node counts as having a ready endpoint, so none announces",
        "ann-from-node-without-endpoint": "a node with no ready endpoint announces the address and draws the traffic",
        "ann-node-agent-down": "the announcing agent is not running or not ready where it should announce",
    },
    "announcement-l2": {
        "ann-l2-arp-not-delivered": "the ARP or NDP request never arrives at the node that would answer",
        "ann-l2-no-arp-ndp-reply": "the request arrives, and nothing on the node is meant or allowed to answer",
        "ann-l2-hypervisor-antispoof": "the hypervisor's port security drops frames for an address it does not know",
        "ann-l2-multiple-responders": "more than one node answers for the address",
        "ann-l2-pool-not-onlink": "the pool lies outside the subnet of the segment that the nodes are on",
        "ann-l2-stale-arp-fdb": "a neighbour or switch still sends to where the address used to be",
        "ann-l2-wrong-interface": "the address is announced on an interface that leads to no client, or on none",
    },
    "announcement-bgp": {
        "ann-bgp-session-blocked": "no TCP connection to the BGP peer comes about",
        "ann-bgp-session-multihop": "the peer is some hops away and multihop is not set",
        "ann-bgp-session-stale": "the two ends disagree on the session's state after a failover or restart",
        "ann-bgp-rejected-by-peer": "the peer ends the session with a NOTIFICATION",
        "ann-bgp-session-auth": "password, TCP-AO or TTL security differ, so segments vanish without a word",
        "ann-bgp-session-flapping": "the session keeps coming up and going down",
        "ann-bgp-two-speakers": "two BGP daemons want the same peer or the same port 179",
        "ann-bgp-wrong-source-address": "the speaker talks from, or is expected at, another address than its own",
        "ann-bgp-export-filter": "a filter on the node holds the route back",
        "ann-bgp-bad-attributes": "the route carries a next hop or AS path that the receiver has no use for",
    },
    "router": {
        "router-no-route": "the router has no route to the address, and nothing was set up to give it one",
        "router-not-propagated": "one router has the route, and the one on the client's way does not",
        "router-wrong-table": "the route stands in another VRF or table than the packet is looked up in",
        "router-import-policy": "the router receives the route and its policy refuses it",
        "router-route-not-installed": "the router knows the route and does not forward by it",
        "router-multipath-disabled": "the router uses one of several equal next hops",
        "router-ecmp-rehash": "a change among the next hops moves open connections to nodes that do not know them",
        "router-firewall-drop": "the router's own firewall drops the connection",
        "router-nat-hairpin": "address translation on the router rewrites the flow or turns it back",
    },
    "node-ingress": {
        "ingress-rp-filter-strict": "the node's reverse-path filter drops the packet",
        "ingress-martian-source": "the packet claims to come from an address that the node itself owns",
        "ingress-conntrack-invalid-drop": "the node drops packets of a connection that it saw only half of",
        "ingress-forward-drop": "a policy or rule of the FORWARD chain drops the packet",
        "ingress-ip-forward-off": "the node's kernel is not set to forward",
        "ingress-host-firewall": "a host firewall drops the packet as it comes in",
        "ingress-node-resource-exhausted": "a table of the kernel, such as conntrack, is full",
        "ingress-node-datapath-broken": "the data path does not cover the interface, or lost the rules that it needs",
    },
    "service-proxy": {
        "proxy-down": "the service proxy does not run or does not keep up on the node",
        "proxy-lb-ip-not-programmed": "the node has no rule for the address",
        "proxy-no-local-endpoint": "the service is of policy Local and the packet enters a node that has no endpoint",
        "proxy-etp-local-misprogrammed": "the proxy or network plugin gets policy Local wrong",
        "proxy-hairpin": "the client is part of the cluster, and its packet is cut short or sent in a loop",
        "proxy-stale-conntrack": "an old connection entry still leads to where the service used to be",
        "proxy-mixed-backends": "legacy iptables and nftables rules are both in force and disagree",
    },
    "policy": {
        "policy-networkpolicy": "a network policy denies the packet",
        "policy-calico-host-endpoint": "a policy that the network plugin applies to hosts drops the packet",
        "policy-source-ranges": "the client is outside the service's loadBalancerSourceRanges",
    },
    "fabric": {
        "fabric-no-pod-route": "the node that the packet enters has no working route to the pod's node",
        "fabric-encapsulation-blocked": "something between the nodes drops the tunnel's packets",
        "fabric-checksum-offload": "offloading leaves wrong checksums, and the far side discards the packets",
    },
    "pod": {
        "pod-no-ready-endpoints": "the pods exist and none is ready",
        "pod-selector-mismatch": "the service's selector finds no pod, or pods of something else",
        "pod-port-mismatch": "the service's targetPort is not the port that the container opened",
        "pod-not-listening": "the application listens on another address, or does not listen",
        "app-layer-error": "the packet arrives, and the application above answers with an error",
        "pod-wrong-network": "the pod got its address from another network plugin's configuration",
    },
    "return-path": {
        "return-asymmetric-stateful-firewall": "a stateful device sees only one direction of the connection",
        "return-wrong-interface-multihomed": "the reply leaves through another interface than the request came in by",
        "return-no-route-to-client": "the node or pod has no right route back to the client",
        "return-source-not-translated": "the reply misses the node that translated, and comes from the wrong address",
        "return-mtu-pmtud": "packets are too big for the way, and the word of it does not get through",
        "return-antispoof": "a check of source addresses outside the cluster drops the reply",
        "return-dsr-dropped": "something on the way refuses replies that are returned directly",
    },
    "client": {
        "client-onlink-pool-bgp": "the client takes the address for a neighbour's and asks by ARP; nobody answers",
        "client-wrong-prefix-or-route": "the client's own mask, route or proxy leads elsewhere",
        "client-name-resolves-elsewhere": "the name that the client uses stands for another address",
    },
    "misread": {
        "misread-icmp-to-vip": "ping, traceroute or a port that is not served tell nothing about the service",
        "misread-wrong-port": "the port that was tried is not one that this address serves",
        "misread-same-node-test": "a test from inside the cluster tells nothing about the way from outside",
        "misread-expected-behaviour": "the output looks wrong and is as designed",
    },
}

CLASSES: dict[str, CauseClass] = {
    name: CauseClass(name, group, means) for group, members in _GROUPS.items() for name, means in members.items()
}
