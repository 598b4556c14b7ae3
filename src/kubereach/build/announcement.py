"""What configuration decides about announcing: which objects select the pool, the service and the nodes.

Puts NO_ADVERTISEMENT, NOT_SELECTED, EXCLUDED and AGENT_NODES with the reason in words beside each (`why`), from
MetalLB's advertisements (metallb.md section 2), Cilium's policies (others.md section 1) and kube-router's options
(others.md section 4). What is not shown decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.build.objects import labels_match
from kubereach.build.pools import Objects, Pool, find_pools
from kubereach.model.attribute import (
    AGENT_NODES,
    ANNOUNCER,
    EXCLUDED,
    LABELS,
    NO_ADVERTISEMENT,
    NO_AGENT_RUNS,
    NOT_SELECTED,
    Attribute,
    why,
)
from kubereach.model.fact import Fact, ObjectListing, Setting, Trust
from kubereach.model.kube_object import KubeObject
from kubereach.model.network import Flow
from kubereach.model.origin import Origin

METALLB_ADVERTISEMENTS = ("L2Advertisement", "BGPAdvertisement")
CILIUM_L2 = "CiliumL2AnnouncementPolicy"
CILIUM_KINDS = (CILIUM_L2, "CiliumBGPPeeringPolicy", "CiliumBGPAdvertisement")
NO_WORDS = frozenset(
    {"", "none", "0", "absent", "missing", "false", "[]", "{}", "not created", "not found", "no resources found", "no"}
)
_RUNS_ON = r"(?:spec\.|pods?\.)?(?:nodeNames?|nodes?|runs on|scheduled on)(?:\[\d+\])?"
AGENT_NAMES = re.compile(r"(?:metallb-)?speaker|calico-node|cilium(?:-agent)?|kube-vip(?:-ds)?|kube-router")


def put_announcement(objects: Objects, facts: tuple[Fact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put what objects and statements decide for the flow's service."""
    _put_no_advertisement(objects, facts, flow, leaves)
    _put_not_selected(objects, facts, flow, leaves)
    _put_excluded(objects, hosts, leaves)
    _put_agent_nodes(objects, facts, hosts, leaves)
    _put_none_runs(objects, leaves)


def _put_none_runs(objects: Objects, leaves: Leaves) -> None:
    """That the pods of every announcing agent wait or crash, as their status says it (CrashLoopBackOff, Err…)."""
    pods = [
        o
        for (k, _, n), o in objects.items()
        if k == "Pod" and re.match(rf"(?:{AGENT_NAMES.pattern})-[a-z0-9]{{5}}$", n) and o.has("status")
    ]
    reasons = [o.text("status.reason") for o in pods]
    if pods and all(re.search(r"Error|BackOff|ErrImage|Invalid|Init:|Pending|ContainerCreating", r) for r in reasons):
        where = [o for pod in pods for o in pod.origins("status.reason")]
        leaves.put("cluster", NO_AGENT_RUNS, reasons[0], where[:2])


def _put(
    leaves: Leaves,
    subject: str,
    attribute: Attribute[bool],
    said: str,
    where: Iterable[Origin],
    trust: Trust = Trust.OUTPUT,
) -> None:
    origins = tuple(where)[:1]
    leaves.put(subject, attribute, value=True, origins=origins, trust=trust)
    leaves.put(subject, why(attribute), said, origins, trust)


def _put_no_advertisement(objects: Objects, facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> None:
    announcer = leaves.get("cluster", ANNOUNCER) or ""
    if said := _said_missing(facts, announcer):
        _put(leaves, "cluster", NO_ADVERTISEMENT, f"{said.attribute}: {said.value}", (said.origin,), said.trust)
    adverts = [o for (k, _, _), o in objects.items() if k in METALLB_ADVERTISEMENTS]
    pools = [p for p in find_pools(objects, facts) if p.product == "metallb" and p.ranges]
    # A service that still waits for its address will get one of any of them.
    concerned = [p for p in pools if p.holds(flow.address)][:1] if flow.address else pools
    if not adverts or not concerned or any(_selects(a, p) for a in adverts for p in concerned):
        return
    names = ", ".join(dict.fromkeys(n for a in adverts for n in a.scalars("spec.ipAddressPools"))) or "a label selector"
    said_so = f"pool {concerned[0].name} is selected by no advertisement (they name {names})"
    _put(leaves, "cluster", NO_ADVERTISEMENT, said_so, adverts[0].origins("spec", "metadata"))


def _selects(advert: KubeObject, pool: Pool) -> bool:
    if pool.entry is None or (advert.namespace and pool.entry.namespace and advert.namespace != pool.entry.namespace):
        return pool.entry is None
    names = advert.scalars("spec.ipAddressPools")
    selectors = list(advert.elements("spec.ipAddressPoolSelectors"))
    labels = pool.entry.mapping("metadata.labels")
    if selectors and not pool.entry.has("metadata"):
        return True
    return pool.name in names or any(labels_match(s, "", labels) for s in selectors) or not (names or selectors)


def _said_missing(facts: tuple[Fact, ...], announcer: str) -> Setting | None:
    """`L2Advertisement: none`, `advertisements: missing`, said of the cluster, a pool or the kind itself."""
    wanted = {"metallb-l2": "l2", "metallb-bgp": "bgp", "cilium-l2": "l2", "cilium-bgp": "bgp"}.get(announcer, "")
    for fact in facts:
        if not isinstance(fact, Setting) or not says_none(fact):
            continue
        words = f"{fact.subject} {fact.attribute}".lower()
        kinds = re.findall(
            r"(l2|bgp)[ -]?advertisements?\b|cilium(l2)announcementpolic|cilium(bgp)advertisement", words
        )
        if kinds and (not wanted or any(wanted in kind for kind in kinds)) and not fact.attribute.startswith("spec"):
            return fact
        if re.search(r"^(?:metallb\.)?advertisement(?:s| objects?)?$", fact.attribute, re.I):
            return fact
    return None


def says_none(fact: Setting) -> bool:
    """Whether a statement's value is a word for nothing."""
    return ("" if fact.value is None else str(fact.value).strip().lower()) in NO_WORDS


def _put_not_selected(objects: Objects, facts: tuple[Fact, ...], flow: Flow, leaves: Leaves) -> None:
    _, namespace, name = flow.service.split("/", 2)
    service = objects.get(("Service", namespace, name)) or KubeObject("Service", namespace, name)
    shown = service.has("metadata.labels") or service.has("metadata.name")
    for reason, where, trust in (
        *_by_cilium_l2(objects, service, shown=shown),
        *_by_cilium_bgp(objects, service, shown=shown),
        *_by_metallb_selector(objects, service, shown=shown),
        *_by_options(facts, service),
        *_by_arguments(objects, service),
    ):
        _put(leaves, flow.service, NOT_SELECTED, reason, where, trust)
        return


Reason = tuple[str, tuple[Origin, ...], Trust]


def _of_kind(objects: Objects, *kinds: str) -> list[KubeObject]:
    return [o for (k, _, _), o in objects.items() if k in kinds]


def _by_cilium_l2(objects: Objects, service: KubeObject, *, shown: bool) -> Iterator[Reason]:
    """Both loadBalancerIPs and externalIPs default to false; a serviceSelector must match."""
    policies = [p for p in _of_kind(objects, CILIUM_L2) if p.has("spec")]
    labels = service.mapping("metadata.labels")
    external = bool(service.scalars("spec.externalIPs"))
    reasons = []
    for policy in policies:
        field = "spec.externalIPs" if external else "spec.loadBalancerIPs"
        where, trust = policy.origins("spec"), policy.trust("spec")
        whole = policy.has("metadata") or policy.has("spec.interfaces") or policy.has("spec.nodeSelector")
        if policy.value(field) is not True and (whole or field in policy.fields):
            reasons.append((f"policy {policy.name} does not set {field.removeprefix('spec.')}", where, trust))
        elif shown and not labels_match(policy, "spec.serviceSelector", labels, service.namespace):
            reasons.append((f"policy {policy.name}'s serviceSelector does not match the service", where, trust))
        else:
            return
    yield from reasons[:1]


def _by_cilium_bgp(objects: Objects, service: KubeObject, *, shown: bool) -> Iterator[Reason]:
    """Version 1: no serviceSelector, no services. Version 2: an advertisement of type Service with a selector."""
    labels = service.mapping("metadata.labels")
    reasons = []
    for policy in _of_kind(objects, "CiliumBGPPeeringPolicy"):
        for router in policy.elements("spec.virtualRouters"):
            where, trust = tuple(f.origin for f in router.fields.values()), policy.trust("spec")
            known = (
                any(not p.startswith("serviceSelector") for p in router.fields) or "serviceSelector" in router.fields
            )
            if not known:
                continue
            if not router.has("serviceSelector") or ("serviceSelector" in router.fields):
                reasons.append((f"policy {policy.name} has no serviceSelector", where, trust))
            elif shown and not labels_match(router, "serviceSelector", labels, service.namespace):
                reasons.append((f"policy {policy.name}'s serviceSelector does not match the service", where, trust))
            else:
                return
    for advert in _of_kind(objects, "CiliumBGPAdvertisement"):
        for element in advert.elements("spec.advertisements"):
            if element.text("advertisementType") != "Service":
                continue
            where, trust = tuple(f.origin for f in element.fields.values()), advert.trust("spec")
            kinds = element.scalars("service.addresses")
            if kinds and not {"LoadBalancerIP", "ExternalIP"} & set(kinds):
                reasons.append((f"{advert.name} announces {', '.join(kinds)} only", where, trust))
            elif not element.has("selector"):
                reasons.append((f"{advert.name} has no selector for services", where, trust))
            elif shown and not labels_match(element, "selector", labels, service.namespace):
                reasons.append((f"{advert.name}'s selector does not match the service", where, trust))
            else:
                return
    yield from reasons[:1]


def _by_metallb_selector(objects: Objects, service: KubeObject, *, shown: bool) -> Iterator[Reason]:
    adverts = [a for a in _of_kind(objects, *METALLB_ADVERTISEMENTS) if list(a.elements("spec.serviceSelectors"))]
    others = [a for a in _of_kind(objects, *METALLB_ADVERTISEMENTS) if a not in adverts]
    labels = service.mapping("metadata.labels")
    if adverts and not others and shown:
        every = [s for a in adverts for s in a.elements("spec.serviceSelectors")]
        if not any(labels_match(s, "", labels, service.namespace) for s in every):
            yield "no advertisement's serviceSelectors match the service", adverts[0].origins("spec"), Trust.OUTPUT


def _by_options(facts: tuple[Fact, ...], service: KubeObject) -> Iterator[Reason]:
    """kube-router announces load-balancer and external addresses only when told so; kube-vip serves if svc_enable."""
    external = bool(service.scalars("spec.externalIPs"))
    option = r"advertise[-_ ]external[-_ ]ip" if external else r"advertise[-_ ]load-?balancer[-_ ]ip"
    for fact in facts:
        if not isinstance(fact, Setting):
            continue
        words, off = fact.attribute.lower(), says_none(fact)
        about = re.search(option, words) or re.search(r"svc_enable|enable-?services|services\.enabled?$", words)
        if about and off and fact.subject in {"cluster", "kube-router", "kube-vip", "daemonset/kube-router"}:
            yield f"{fact.attribute} is off", (fact.origin,), fact.trust
        mine = fact.subject in {f"service/{service.namespace}/{service.name}", f"service/{service.name}"}
        if mine and words.endswith('kube-vip.io/ignore"]') and str(fact.value).lower() == "true":
            yield "the service is marked kube-vip.io/ignore", (fact.origin,), fact.trust


def _by_arguments(objects: Objects, service: KubeObject) -> Iterator[Reason]:
    """kube-router's own arguments, where they are shown: advertising is off unless asked for."""
    external = bool(service.scalars("spec.externalIPs"))
    option = "--advertise-external-ip" if external else "--advertise-loadbalancer-ip"
    for entry in _of_kind(objects, "DaemonSet", "Pod"):
        if not entry.name.startswith("kube-router"):
            continue
        paths = [p for p in entry.fields if re.search(r"\.(?:args|command)\[\d+\]$", p)]
        given = {str(entry.fields[p].value) for p in paths}
        noted = service.mapping("metadata.annotations").get("kube-router.io/service.advertise.loadbalancerip") == "true"
        if paths and not noted and not {option, f"{option}=true"} & given:
            yield f"kube-router runs without {option}", (entry.fields[paths[0]].origin,), Trust.OUTPUT


def _put_excluded(objects: Objects, hosts: Hosts, leaves: Leaves) -> None:
    """Nodes whose labels are shown and match no nodeSelector of the advertisements and policies."""
    choosers = _of_kind(objects, *METALLB_ADVERTISEMENTS, *CILIUM_KINDS)
    if not choosers:
        return
    for node in hosts.nodes:
        entry = next((o for (k, _, n), o in objects.items() if k == "Node" and f"node/{n}" == node), None)
        seen = leaves.table.get(LABELS.of(node))
        stated = dict(seen.value) if seen and isinstance(seen.value, tuple) else {}
        labels = (entry.mapping("metadata.labels") if entry else {}) or stated
        name = node.removeprefix("node/")
        every = {"kubernetes.io/hostname": name, **labels}
        known = bool(labels)
        refusing = [a for a in choosers if not _node_admitted(a, every, known=known)]
        if len(refusing) == len(choosers):
            said = f"the node selector of {refusing[0].kind} {refusing[0].name} does not match {name}"
            _put(leaves, node, EXCLUDED, said, refusing[0].origins("spec"))


def _node_admitted(chooser: KubeObject, labels: dict[str, str], *, known: bool) -> bool:
    selectors = list(chooser.elements("spec.nodeSelectors"))
    if not selectors and not chooser.has("spec.nodeSelector"):
        return True
    if not known and not any(_by_name_only(s, p) for s, p in _selector_paths(chooser, selectors)):
        return True  # the labels that would decide are not shown
    return any(labels_match(s, p, labels) for s, p in _selector_paths(chooser, selectors))


def _selector_paths(chooser: KubeObject, selectors: list[KubeObject]) -> list[tuple[KubeObject, str]]:
    return [(s, "") for s in selectors] or [(chooser, "spec.nodeSelector")]


def _by_name_only(selector: KubeObject, path: str) -> bool:
    base = f"{path}." if path else ""
    keys = set(selector.mapping(f"{base}matchLabels"))
    keys |= {e.text("key") for e in selector.elements(f"{base}matchExpressions")}
    return keys == {"kubernetes.io/hostname"}


def _put_agent_nodes(objects: Objects, facts: tuple[Fact, ...], hosts: Hosts, leaves: Leaves) -> None:
    """Which nodes run the announcing agent: a complete listing of its pods, or a statement."""
    listed = {n for f in facts if isinstance(f, ObjectListing) and f.kind == "Pod" and f.complete for n in f.names}
    pods = [
        (o.text("spec.nodeName"), o)
        for (k, _, n), o in objects.items()
        if k == "Pod" and re.match(rf"(?:{AGENT_NAMES.pattern})-[a-z0-9]{{5}}$", n) and o.text("spec.nodeName")
    ]
    if pods and {o.name for _, o in pods} <= {n.rpartition("/")[2] for n in listed}:
        nodes = tuple(dict.fromkeys(hosts.add_node(f"node/{n}") for n, _ in pods))
        where = pods[0][1].origins("spec.nodeName")
        leaves.put("cluster", AGENT_NODES, nodes, where[:1])
        return
    stated: list[Setting] = []
    for fact in facts:
        if not isinstance(fact, Setting) or not fact.value:
            continue
        kind, _, rest = fact.subject.partition("/")
        agent = kind in {"daemonset", "ds", "speaker", "agent"} and (
            not rest or AGENT_NAMES.fullmatch(rest.rpartition("/")[2]) or kind in {"speaker", "agent"}
        )
        by_name = re.fullmatch(r"(?:\S+ )?speakers?(?: pods?)?[ .](?:nodes?|run on|on nodes)", fact.attribute)
        if (agent and re.fullmatch(_RUNS_ON, fact.attribute)) or (fact.subject == "cluster" and by_name):
            stated.append(fact)
    names = [n.strip() for f in stated for n in str(f.value).split(",") if re.fullmatch(r"[\w.-]{1,63}", n.strip())]
    if names:
        nodes = tuple(dict.fromkeys(hosts.resolve(f"node/{n.removeprefix('node/')}") for n in names))
        leaves.put("cluster", AGENT_NODES, nodes, (stated[0].origin,), stated[0].trust)
