"""The nodes' links and the segment: interfaces, platform, uplink, who holds the address, and who else may own it.

Sources: metallb.md section 3 (interfaces, failing environments), others.md sections 1 to 4, probes.md section 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.ownership import put_other_owner
from kubereach.build.pools import Objects, find_pools
from kubereach.model.address import canonical_address, contains, parse_prefix
from kubereach.model.attribute import (
    ANNOUNCER,
    ANTISPOOF,
    CLEARING_HELPS,
    CLIENT_PROXY,
    CLIENT_ROUTE_WRONG,
    L2_WRONG_INTERFACE,
    LEASE_HOLDER,
    LOOPBACK_ADDRESS,
    MACS,
    NICS,
    PLATFORM,
    POOL_OFFLINK,
    ROUTED,
    SPLIT_MEMBERS,
    STATIC_ROUTES,
    UNUSABLE_ADDRESS,
    UPLINK,
    Attribute,
    why,
)
from kubereach.model.fact import (
    AnyFact,
    Interface,
    InterfaceAddress,
    LogEvent,
    Neighbour,
    Packet,
    ProbeResult,
    Route,
    Setting,
    Trust,
)
from kubereach.model.kube_object import CILIUM_LEASE, KubeObject
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

VIRTUAL = re.compile(
    r"^(?:lo|kube-ipvs0|kube-dummy-if|cali|tunl|vxlan|flannel|cni|veth|lxc|cilium|docker|dummy|nodelocaldns)"
)
# What platform words and the first three octets of a MAC mean (IEEE registry; the vendors' own defaults).
PLATFORM_WORDS = (
    ("openstack", r"openstack|neutron"),
    ("vmware", r"vmware|vsphere|esxi|vcenter"),
    (
        "cloud",
        r"\baws\b|\bec2\b|azure|\bgcp\b|google cloud|hetzner|digital ?ocean|\bovh\b|oracle cloud|linode|vultr|equinix",
    ),
    ("hyper-v", r"hyper-?v\b"),
    ("proxmox", r"proxmox|\bpve\b"),
    ("kvm", r"\bkvm\b|libvirt|qemu|nutanix|ovirt|rhev|xen\b|xcp-ng|virtualbox|vagrant"),
)
OUIS = {
    "fa:16:3e": "openstack",
    "00:50:56": "vmware",
    "00:0c:29": "vmware",
    "00:15:5d": "hyper-v",
    "bc:24:11": "proxmox",
    "52:54:00": "kvm",
    "08:00:27": "kvm",
}
_PLATFORM_FIELDS = (
    r"hypervisor|platform|virtuali[sz]ation|infrastructure|cloud|provider|hardware|host(?:ed|ing)|environment"
    r"|distribution|machine"
)
# Settings of platforms that let a port speak only for its own address, and the values that mean so.
_SPOOF_ON = (
    r"port[_ -]?security|anti-?spoof|spoof\w* (?:protection|guard|check|filter)|source.?dest|src.?dst.?check|ip-?filter"
    r"|arp (?:inspection|filter|proxy protection)|\bdai\b|ip source guard|mac filter"
)
_SPOOF_OFF = r"forged ?transmits?|mac (?:address )?(?:spoofing|changes)|disable.?port.?security"
_YES = frozenset({"true", "yes", "on", "enabled", "1", "active", "present", "accept", "allow", "allowed"})
_NO = frozenset(
    {"false", "no", "off", "disabled", "0", "reject", "rejected", "deny", "denied", "blocked", "not allowed"}
)


def put_segment_leaves(
    objects: Objects,
    facts: tuple[AnyFact, ...],
    observed: tuple[AnyFact, ...],
    flow: Flow,
    hosts: Hosts,
    leaves: Leaves,
) -> None:
    """Put everything about links, given the flow; `observed` has its devices resolved."""
    settings = tuple(f for f in facts if isinstance(f, Setting))
    _put_nics(settings, observed, hosts, leaves)
    _put_platform(settings, observed, leaves)
    _put_spoofing(settings, flow, leaves)
    _put_uplink(settings, leaves)
    _put_loopback(settings, leaves)
    _put_hints(settings, observed, leaves)
    _put_holder(objects, settings, observed, flow, hosts, leaves)
    _put_interface_choice(objects, settings, flow, leaves)
    _put_client(settings, flow, leaves)
    _put_address_itself(objects, settings, facts, flow, hosts, leaves)
    _put_on_link(observed, flow, hosts, leaves)


def _say(
    leaves: Leaves,
    key: tuple[str, Attribute[bool]],
    said: str,
    where: Iterable[Origin],
    trust: Trust = Trust.OUTPUT,
) -> None:
    subject, attribute = key
    origins = tuple(where)[:1]
    leaves.put(subject, attribute, value=True, origins=origins, trust=trust)
    leaves.put(subject, why(attribute), said, origins, trust)


def _node_of(subject: str, hosts: Hosts) -> str:
    """The node that a statement is about; `cluster` for all."""
    kind, _, name = subject.partition("/")
    if kind != "node":
        return ""
    return "cluster" if "*" in name or not name else hosts.resolve(subject)


def _put_nics(settings: tuple[Setting, ...], observed: tuple[AnyFact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """(interface, address/length or "") pairs, and the MACs, of each node."""
    found: dict[str, dict[tuple[str, str], Origin]] = {}
    macs: dict[str, dict[str, Origin]] = {}
    for fact in observed:
        if isinstance(fact, InterfaceAddress) and fact.device:
            text = f"{fact.address}/{fact.prefix_length}" if fact.prefix_length >= 0 else fact.address
            found.setdefault(fact.device, {})[(fact.interface, text)] = fact.origin
        elif isinstance(fact, Interface) and fact.device:
            found.setdefault(fact.device, {}).setdefault((fact.name, ""), fact.origin)
            if fact.mac:
                macs.setdefault(fact.device, {})[fact.mac.lower()] = fact.origin
        elif isinstance(fact, Neighbour) and fact.mac and hosts.owners.get(fact.address, "") in hosts.nodes:
            macs.setdefault(hosts.owners[fact.address], {})[fact.mac.lower()] = fact.origin
    for fact in settings:
        node = _node_of(fact.subject, hosts) or (fact.subject if fact.subject in {"router", "client"} else "")
        if not node or fact.value is None:
            continue
        for name, text in _stated_nic(fact):
            found.setdefault(node, {})[(name, text)] = fact.origin
        if mac := _mac(str(fact.value)):
            macs.setdefault(node, {})[mac] = fact.origin
    for node, pairs in found.items():
        leaves.put(node, NICS, tuple(pairs), tuple(pairs.values())[:1])
    for node, owned in macs.items():
        leaves.put(node, MACS, tuple(owned), tuple(owned.values())[:1])


def _mac(text: str) -> str:
    match = re.fullmatch(r"\s*((?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2})\s*", text)
    return match[1].lower().replace("-", ":") if match else ""


def _stated_nic(fact: Setting) -> Iterator[tuple[str, str]]:
    """Names in `interfaces: [eno1, eth0]`, addresses in `interface eth1 addresses` and `interface.eth1.address`."""
    value = str(fact.value)
    if re.fullmatch(
        r"(?:network )?(?:interfaces?|nics?|devices?|links?)(?: names?)?(?:\[\d+\])?(?:\.name)?", fact.attribute
    ):
        for name in re.findall(r"[A-Za-z][\w.@-]{1,15}", value)[:8]:
            yield name, ""
        yield "lo", ""  # who lists a node's interfaces is taken to list them all
    named = re.match(r"(?:interface|nic|link|dev(?:ice)?)[ ./]([A-Za-z][\w@:-]{1,15})(?:[ .](.*))?$", fact.attribute)
    if named and named[1] not in {"of", "names", "name", "list", "uplink"}:
        addresses = [a for a in re.findall(r"[0-9a-fA-F.:]{3,39}/\d{1,3}", value) if parse_prefix(a)]
        single = canonical_address(value)
        for text in addresses or ([single] if single else [""]):
            yield named[1], text


def _put_platform(settings: tuple[Setting, ...], observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    for fact in settings:
        text = f"{fact.attribute} {fact.value}".lower()
        kind = fact.subject.partition("/")[0]
        if kind in {"node", "cluster"} and re.search(_PLATFORM_FIELDS, fact.attribute.lower()):
            for name, words in PLATFORM_WORDS:
                if re.search(words, text):
                    leaves.put("cluster", PLATFORM, name, (fact.origin,), fact.trust)
                    return
        if kind == "node" and (name := OUIS.get(_mac(str(fact.value))[:8], "")):
            leaves.put("cluster", PLATFORM, name, (fact.origin,), Trust.MENTIONED)
            return
    for seen in observed:
        macs: tuple[str, ...] = seen.macs if isinstance(seen, ProbeResult) else ()
        if isinstance(seen, Interface) or (isinstance(seen, Packet) and seen.what == "arp-reply"):
            macs = (seen.mac,)
        if name := next((OUIS[m.lower()[:8]] for m in macs if m.lower()[:8] in OUIS), ""):
            leaves.put("cluster", PLATFORM, name, (seen.origin,), Trust.MENTIONED)
            return


def _put_spoofing(settings: tuple[Setting, ...], flow: Flow, leaves: Leaves) -> None:
    """Port security and its kin: on without the address among the allowed ones, or off."""
    allowed = [f for f in settings if re.search(r"allowed[_ -]?address", f.attribute, re.I)]
    if any(flow.address and flow.address in str(f.value) for f in allowed):
        leaves.put("cluster", ANTISPOOF, value=False, origins=(allowed[0].origin,), trust=allowed[0].trust)
        return
    for fact in settings:
        said, attribute = str(fact.value).strip().lower(), fact.attribute.lower()
        on = re.search(_SPOOF_ON, attribute)
        off = re.search(_SPOOF_OFF, attribute)
        if fact.subject == "client" or not (on or off) or "before" in attribute:
            continue
        word = re.split(r"[\s,;(]", said)[0]
        blocks = word in _YES if on else word in _NO
        passes = word in _NO if on else word in _YES
        if blocks:
            _say(leaves, ("cluster", ANTISPOOF), f"{fact.attribute}: {fact.value}", (fact.origin,), fact.trust)
        elif passes:
            leaves.put("cluster", ANTISPOOF, value=False, origins=(fact.origin,), trust=fact.trust)


def _put_hints(settings: tuple[Setting, ...], observed: tuple[AnyFact, ...], leaves: Leaves) -> None:
    """That clearing a cache helps, and that the announcers do not hear each other."""
    clearing = (
        r"(?:clear|flush|delet|remov)\w*.{0,25}\b(?:arp|neigh\w*|mac|fdb|cache)|arping.{0,20}(?:gratuitous|-U|-A)"
    )
    for fact in settings:
        said = f"{fact.attribute}: {fact.value}".lower()
        if re.search(clearing, said) and not re.search(r"\b(?:no effect|does not|doesn't|false|no help|not)\b", said):
            leaves.put("segment", CLEARING_HELPS, value=True, origins=(fact.origin,), trust=fact.trust)
        cut = re.search(r"block|clos|drop|filter|fail|timeout|refus|unreach|split|false", said)
        if re.search(r"\b7946\b|memberlist", said) and cut:
            leaves.put("cluster", SPLIT_MEMBERS, value=True, origins=(fact.origin,), trust=fact.trust)
    for seen in observed:
        words = f"{seen.event} {dict(seen.fields).get('msg', '')}".lower() if isinstance(seen, LogEvent) else ""
        if "memberlist" in words and re.search(r"fail|timeout|suspect|refus|unable|no response", words):
            leaves.put("cluster", SPLIT_MEMBERS, value=True, origins=(seen.origin,), trust=seen.trust)


def _put_loopback(settings: tuple[Setting, ...], leaves: Leaves) -> None:
    """kube-vip in BGP mode may hold the addresses on lo."""
    for fact in settings:
        if re.search(r"vip_interface|bgp_routerinterface|services?_interface", fact.attribute) and fact.value == "lo":
            leaves.put("cluster", LOOPBACK_ADDRESS, value=True, origins=(fact.origin,), trust=fact.trust)


def _put_uplink(settings: tuple[Setting, ...], leaves: Leaves) -> None:
    """What carries the nodes' frames, where it is one of the kinds that are known to swallow ARP."""
    for fact in settings:
        if fact.subject.partition("/")[0] not in {"node", "cluster"}:
            continue
        text, attribute = f"{fact.attribute} {fact.value}".lower(), fact.attribute.lower()
        if re.search(r"\bwlan\d|wi-?fi|wireless|\bwlp\d", text):
            leaves.put("cluster", UPLINK, "wifi", (fact.origin,), fact.trust)
        elif re.search(r"macvlan|ipvlan|macvtap", text) and not attribute.startswith("cni"):
            leaves.put("cluster", UPLINK, "macvlan", (fact.origin,), fact.trust)
        elif re.search(r"uplink|interface|nic\b|bridge|segment|network", attribute) and re.search(
            r"\bbridge|\bvlan|trunk|\bbond|igmp|multicast|hairpin", text
        ):
            leaves.put("cluster", UPLINK, "bridge", (fact.origin,), fact.trust)


def _put_holder(
    objects: Objects,
    settings: tuple[Setting, ...],
    observed: tuple[AnyFact, ...],
    flow: Flow,
    hosts: Hosts,
    leaves: Leaves,
) -> None:
    """The node that a lease, a status, an event, an annotation or a statement says to hold the address."""
    _, namespace, name = flow.service.split("/", 2)
    for holder, origin, trust in (
        *_holder_in_objects(objects, namespace, name),
        *_holder_stated(settings, flow),
        *_holder_in_logs(observed, flow),
        *_holder_bound(observed, flow),
    ):
        if re.fullmatch(r"[\w][\w.-]{0,62}", holder):
            leaves.put(flow.service, LEASE_HOLDER, hosts.resolve(f"node/{holder}"), (origin,), trust)
            return


Held = tuple[str, Origin, Trust]


def _holder_in_objects(objects: Objects, namespace: str, name: str) -> Iterator[Held]:
    for (kind, _, entry_name), entry in objects.items():
        if kind == "Lease" and entry_name in {f"{CILIUM_LEASE}{namespace}-{name}", "plndr-svcs-lock"}:
            path = "spec.holderIdentity"
        elif kind == "ServiceL2Status" and entry.text("status.serviceName") == name:
            path = "status.node"
        elif (
            kind == "Service" and entry_name == name and "kube-vip.io/vipHost" in entry.mapping("metadata.annotations")
        ):
            path = 'metadata.annotations["kube-vip.io/vipHost"]'
        else:
            continue
        if path in entry.fields and entry.text(path):
            yield entry.text(path), entry.fields[path].origin, entry.fields[path].trust
    events = [
        entry for (kind, _, _), entry in objects.items() if kind == "Event" and entry.text("reason") == "nodeAssigned"
    ]
    for entry in sorted(events, key=lambda e: _seconds(e.text("lastSeen"))):  # the last one holds
        if match := re.search(r'announcing from node "([^"]{1,63})" with protocol "layer2"', entry.text("message")):
            yield match[1], entry.fields["message"].origin, Trust.STATED  # stays in the history after a withdrawal


def _seconds(age: str) -> float:
    """An age as kubectl prints it (`6m`, `3d2h`, `2m (x4 over 9m)`) in seconds; what is none is oldest."""
    first = re.match(r"(?:\d{1,6}[ywdhms]){1,4}", age)
    units = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d{1,6})([ywdhms])", first[0]) if first else []
    return sum(int(number) * units[unit] for number, unit in parts) if parts else float("inf")


def _holder_stated(settings: tuple[Setting, ...], flow: Flow) -> Iterator[Held]:
    words = (
        r"(?:l2 |arp )?(?:lease[ .]?)?(?:holder(?:identity)?|leader|announc(?:er|ing node)|announced (?:by|from)"
        r"|speaker|elected node|owner node|vip[ ._]?host)|(?:spec\.)?holderIdentity|lease"
    )
    for fact in settings:
        subject = fact.subject
        mine = subject in {flow.service, "cluster"} or subject.startswith(("lease", "address/", "service/"))
        if mine and re.fullmatch(words, fact.attribute, re.I) and isinstance(fact.value, str):
            yield fact.value.removeprefix("node/"), fact.origin, fact.trust


def _holder_in_logs(observed: tuple[AnyFact, ...], flow: Flow) -> Iterator[Held]:
    for fact in observed:
        if isinstance(fact, LogEvent) and fact.event == "serviceAnnounced" and fact.device.startswith("node/"):
            fields = dict(fact.fields)
            if fields.get("protocol") == "layer2" and (not flow.address or flow.address in str(fields)):
                yield fact.device.removeprefix("node/"), fact.origin, Trust.STATED


def bound(address: str, facts: Iterable[AnyFact]) -> tuple[InterfaceAddress, ...]:
    """Where an address is on an interface of a host's own, on which no proxy binds it everywhere."""
    found = (f for f in facts if isinstance(f, InterfaceAddress) and f.address == address != "")
    return tuple(f for f in found if not VIRTUAL.match(f.interface))


def _holder_bound(observed: tuple[AnyFact, ...], flow: Flow) -> Iterator[Held]:
    """The node with the address on an interface on which the proxy does not bind it everywhere; one of several."""
    for fact in bound(flow.address, observed):
        if fact.device.startswith("node/"):
            yield fact.device.removeprefix("node/"), fact.origin, fact.trust


def _nics(leaves: Leaves, node: str) -> tuple[tuple[str, str], ...]:
    return (leaves.get(node, NICS) or ()) + (leaves.get("cluster", NICS) or ())


def _put_interface_choice(objects: Objects, settings: tuple[Setting, ...], flow: Flow, leaves: Leaves) -> None:
    """Interface lists and expressions that name nothing the nodes have; an address on the wrong one of two links."""
    subjects = {s for s, a in leaves.table if a == NICS.name and (s.startswith("node/") or s == "cluster")}
    for node in sorted(subjects):
        every = {n.partition("@")[0] for n, _ in _nics(leaves, node) if n}
        # Without `lo` it is an excerpt, which proves nothing about the others.
        names = {n for n in every if not VIRTUAL.match(n)} if "lo" in every else set()
        for chosen, regex, where, trust in _choices(objects, settings):
            if names and not any(_named(c, n, regex=regex) for c in chosen for n in names):
                said = f"{', '.join(chosen)} names none of the interfaces {', '.join(sorted(names))}"
                _say(leaves, (node, L2_WRONG_INTERFACE), said, where, trust)
        if found := _misplaced(_nics(leaves, node), flow.address):
            seen = leaves.table[NICS.of(node)]
            _say(leaves, (node, L2_WRONG_INTERFACE), found, seen.origins, seen.trust)


def _named(chosen: str, name: str, *, regex: bool) -> bool:
    if not regex:
        return chosen == name
    try:
        return len(chosen) < 200 and re.search(chosen, name) is not None
    except re.error:
        return chosen == name


Chosen = tuple[tuple[str, ...], bool, tuple[Origin, ...], Trust]


def _choices(objects: Objects, settings: tuple[Setting, ...]) -> Iterator[Chosen]:
    """The interfaces that advertisements, policies and options name; whether as regular expressions."""
    for (kind, _, _), entry in objects.items():
        if kind in {"L2Advertisement", "CiliumL2AnnouncementPolicy"} and (names := entry.scalars("spec.interfaces")):
            where = entry.origins("spec.interfaces")
            yield names, kind.startswith("Cilium"), where, entry.trust("spec.interfaces")
        elif kind in {"DaemonSet", "Pod"}:
            yield from _of_kube_vip(entry)
        elif kind == "Eip" and (name := entry.text("spec.interface")) and name != "can_reach":
            yield (name,), False, entry.origins("spec.interface"), Trust.OUTPUT
    groups: dict[str, list[Setting]] = {}
    for fact in settings:
        policy = re.search(
            r"(?:l2 ?announcement\w*|l2advertisement|policy|advertisement)\S*[ .]interfaces?", fact.attribute, re.I
        )
        option = re.fullmatch(r"(?:kube-vip\.)?(?:vip_interface|services?[_.]?interface)", fact.attribute, re.I)
        stated = fact.subject.partition("/")[0].lower() in {"policy", "l2advertisement", "ciliuml2announcementpolicy"}
        if (policy or option or (stated and "interfaces" in fact.attribute)) and isinstance(fact.value, str):
            groups.setdefault(fact.attribute.partition("[")[0], []).append(fact)
    for attribute, group in groups.items():
        names = tuple(str(f.value) for f in group)
        regex = not re.search(r"vip_interface|services?[_.]?interface", attribute, re.I)
        if names != ("lo",):
            yield names, regex, (group[0].origin,), group[0].trust


def _of_kube_vip(entry: KubeObject) -> Iterator[Chosen]:
    """The interface for services in kube-vip's environment: vip_servicesinterface, else vip_interface."""
    named: dict[str, tuple[str, Origin]] = {}
    for path, leaf in entry.fields.items():
        value = entry.fields.get(f"{path.removesuffix('.name')}.value")
        if re.search(r"\.env\[\d+\]\.name$", path) and value and value.value:
            named[str(leaf.value)] = (str(value.value), value.origin)
    name, origin = named.get("vip_servicesinterface") or named.get("vip_interface") or ("lo", None)
    if name != "lo" and origin is not None:
        yield (name,), False, (origin,), Trust.OUTPUT


def _misplaced(nics: tuple[tuple[str, str], ...], address: str) -> str:
    """The address bound on one interface while the subnet of another holds it."""
    holding = {n for n, text in nics if address and text.partition("/")[0] == address and not VIRTUAL.match(n)}
    subnets = {n for n, text in nics if "/" in text and text.partition("/")[0] != address and contains(text, address)}
    subnets = {n for n in subnets if not VIRTUAL.match(n)}
    if holding and subnets and not holding & subnets:
        return f"{address} is on {', '.join(sorted(holding))}, its subnet on {', '.join(sorted(subnets))}"
    return ""


def _put_address_itself(
    objects: Objects,
    settings: tuple[Setting, ...],
    facts: tuple[AnyFact, ...],
    flow: Flow,
    hosts: Hosts,
    leaves: Leaves,
) -> None:
    """Whether the address lies in the nodes' subnets, is usable there, and belongs to nobody else."""
    announcer = leaves.get("cluster", ANNOUNCER) or ""
    listed = [s for s, a in tuple(leaves.table) if a == NICS.name and s.startswith(("node/", "cluster"))]
    whole = any("lo" in {n for n, _ in _nics(leaves, s)} for s in listed)
    nics = [pair for s in listed for pair in _nics(leaves, s) if not VIRTUAL.match(pair[0])]
    prefixes = [text for _, text in nics if "/" in text]
    networks = {str(p) for text in prefixes if (p := parse_prefix(text)) and p.prefixlen < p.max_prefixlen - 1}
    stated = [
        (f, str(f.value))
        for f in settings
        if re.fullmatch(r"(?:lan |node )?subnet(?:s|\.\S+)?|network|lan|segment", f.attribute)
    ]
    networks |= {
        str(p) for f, text in stated if f.subject.partition("/")[0] in {"node", "cluster"} and (p := parse_prefix(text))
    }
    if flow.address and networks:
        own = [n for n in networks if contains(n, flow.address)]
        layer2 = announcer.endswith(("-l2", "-arp"))
        same = [n for n in networks if (":" in n) == (":" in flow.address)]
        if layer2 and (whole or stated) and same and not own and not leaves.get("router", STATIC_ROUTES):
            where = next((leaves.table[k].origins for k in leaves.table if k[1] == NICS.name), ())
            where = where or tuple(f.origin for f, _ in stated)
            said = f"{flow.address} is in none of the nodes' subnets {', '.join(sorted(same))}"
            _say(leaves, (flow.service, POOL_OFFLINK), said, where, Trust.STATED)
        for network in own:
            parsed = parse_prefix(network)
            if parsed and parsed.version == 4 and flow.address in {str(parsed[0]), str(parsed[-1])}:
                kind = "network" if flow.address == str(parsed[0]) else "broadcast"
                said = f"{flow.address} is the {kind} address of {network}"
                where = next((leaves.table[k].origins for k in leaves.table if k[1] == NICS.name), ())
                _say(leaves, (flow.service, UNUSABLE_ADDRESS), said, where)
    put_other_owner(facts, settings, find_pools(objects, facts), flow, hosts, leaves)


def _put_on_link(observed: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """The address is on the segment where somebody resolved it there, or where a node has a connected route for it."""
    if leaves.table.get(POOL_OFFLINK.of(flow.service)):
        return
    for fact in observed:
        resolved = isinstance(fact, Neighbour) and fact.address == flow.address and bool(fact.mac)
        connected = isinstance(fact, Route) and fact.on_link and fact.device in hosts.nodes
        network = parse_prefix(fact.prefix) if isinstance(fact, Route) and connected else None
        subnet = network is not None and 0 < network.prefixlen < network.max_prefixlen - 1
        if resolved or (subnet and contains(str(network), flow.address)):
            leaves.put(flow.service, POOL_OFFLINK, value=False, origins=(fact.origin,), trust=fact.trust)


def _put_client(settings: tuple[Setting, ...], flow: Flow, leaves: Leaves) -> None:
    """A proxy or VPN of the client, and a mask that is wider than the nodes' own."""
    for fact in settings:
        if fact.subject != "client" or str(fact.value).strip().lower() in {"", "none", "false", "no", "unset"}:
            continue
        if re.search(r"https?_proxy|all_proxy|\bproxy\b(?!-?arp)|\bvpn\b", fact.attribute, re.I):
            leaves.put("client", CLIENT_PROXY, value=True, origins=(fact.origin,), trust=fact.trust)
    for fact in settings:
        subnet = str(fact.value) if "/" in str(fact.value) and fact.subject == "client" else ""
        named = re.fullmatch(r"(?:lan |own )?(?:subnet|network|segment|prefix|vlan)", fact.attribute)
        if flow.address and named and parse_prefix(subnet):
            leaves.put("client", ROUTED, not contains(subnet, flow.address), (fact.origin,), fact.trust)
    mine = [p for n, text in leaves.get("client", NICS) or () if "/" in text and (p := parse_prefix(text))]
    theirs = [
        p
        for s, a in tuple(leaves.table)
        if a == NICS.name and s != "client"
        for _, text in _nics(leaves, s)
        if "/" in text and (p := parse_prefix(text)) and p.prefixlen < p.max_prefixlen - 1
    ]
    for own in mine:
        inside = [p for p in theirs if p.version == own.version and p != own and contains(str(own), str(p))]
        held = flow.address and contains(str(own), flow.address)
        if held and inside and not any(contains(str(p), flow.address) for p in inside):
            said = f"the client's prefix {own} is wider than the segment's {inside[0]} and holds {flow.address}"
            _say(leaves, ("client", CLIENT_ROUTE_WRONG), said, leaves.table[NICS.of("client")].origins, Trust.STATED)
