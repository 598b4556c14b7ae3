"""Pods and their policies: the service's own, the announcer's, kube-proxy's, the controllers'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import age, columns
from benchmarks.diagnosis.generate.site import AGENTS, CILIUM, METALLB_ALLOCATES, Node, Pod, Site

MODES_WITH_KUBE_PROXY = ("iptables", "ipvs", "nftables")


def pods(site: Site) -> str:
    rows = []
    for pod in site.pods:
        ready = "1/1" if pod.ready or "selector" in site.tells else "0/1"
        restarts = "14 (3m ago)" if pod.status == "CrashLoopBackOff" else "0"
        ip, node = ("<none>", "<none>") if pod.status == "Pending" else (pod.ip, pod.node)
        rows.append(
            (pod.name, ready, pod.status, restarts, age(site), ip, node, "<none>", "<none>", site.service.labels)
        )
    head = ("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES", "LABELS")
    if not rows:
        return f"No resources found in {site.service.namespace} namespace.\n"
    return columns(head, rows)


def agent_state(site: Site, node: Node) -> tuple[str, str]:
    """(READY, STATUS) of the announcer's pod on `node`; ("", "") where there is none."""
    full = 4 if site.stack == "metallb-frr" else 1
    if node.agent in {"missing", "untolerated"}:
        return "", ""
    if node.agent != "Running":
        return f"0/{full}", node.agent
    # calico-node is not ready while it has no BGP session at all.
    alone = (
        site.stack == "calico"
        and not site.mesh
        and not node.session.believed
        and node.session.at_node not in {"none", ""}
    )
    return (f"0/{full}" if alone else f"{full}/{full}"), "Running"


def all_pods(site: Site) -> str:
    rows: list[tuple[str, ...]] = []
    name, namespace, _ = AGENTS[site.product]
    for node in site.nodes:
        if name and site.stack != "klipper":
            ready, status = agent_state(site, node)
            if ready:
                restarts = "37 (2m ago)" if "Crash" in status else "1"
                rows.append((namespace, f"{name}-{suffix(site.rng)}", ready, status, restarts, node.ip, node.name))
        elif site.stack == "klipper":
            pending = "svclb-pending" in site.tells
            balancer = f"svclb-{site.service.name}-7a91c2de-{suffix(site.rng)}"
            rows.append(
                (
                    "kube-system",
                    balancer,
                    "0/1" if pending else "1/1",
                    "Pending" if pending else "Running",
                    "0",
                    "<none>" if pending else node.block.replace(".0/24", ".3"),
                    "<none>" if pending else node.name,
                )
            )
            if pending:
                rows.append(
                    (
                        "kube-system",
                        f"svclb-traefik-0c4e2a1b-{suffix(site.rng)}",
                        "2/2",
                        "Running",
                        "0",
                        node.block.replace(".0/24", ".2"),
                        node.name,
                    )
                )
        if "svclb-beside" in site.tells:
            balancer = f"svclb-{site.service.name}-7a91c2de-{suffix(site.rng)}"
            rows.append(("kube-system", balancer, "1/1", "Running", "0", node.block.replace(".0/24", ".4"), node.name))
        if site.mode in MODES_WITH_KUBE_PROXY and site.stack not in {"klipper", "kube-router"}:
            good = node.proxy == "Running"
            rows.append(
                (
                    "kube-system",
                    f"kube-proxy-{suffix(site.rng)}",
                    "1/1" if good else "0/1",
                    node.proxy,
                    "0" if good else "52 (88s ago)",
                    node.ip,
                    node.name,
                )
            )
    rows += _controllers(site)
    for pod in site.pods:
        ready = "1/1" if pod.ready or "selector" in site.tells else "0/1"
        rows.append(
            (
                site.service.namespace,
                pod.name,
                ready,
                pod.status,
                "0",
                "<none>" if pod.status == "Pending" else pod.ip,
                "<none>" if pod.status == "Pending" else pod.node,
            )
        )
    full = [(*row[:5], age(site), *row[5:]) for row in sorted(rows)]
    return columns(("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"), full)


def _controllers(site: Site) -> list[tuple[str, ...]]:
    node = site.nodes[-1]
    ip = node.block.replace(".0/24", ".9")
    rows: list[tuple[str, ...]] = [
        ("kube-system", f"coredns-76f75df574-{suffix(site.rng)}", "1/1", "Running", "0", ip, node.name)
    ]
    which = None
    if site.stack in METALLB_ALLOCATES:
        which = ("metallb-system", f"controller-{suffix(site.rng, 9)}-{suffix(site.rng)}")
    elif site.stack in CILIUM:
        which = ("kube-system", f"cilium-operator-{suffix(site.rng, 9)}-{suffix(site.rng)}")
    if which and site.controller != "missing":
        good = site.controller == "Running"
        where = "<none>" if site.controller == "Pending" else node.name
        rows.append((*which, "1/1" if good else "0/1", site.controller, "0" if good else "19 (4m ago)", ip, where))
    return rows


def describe_pod(site: Site) -> str:
    pod = site.pods[0]
    declared = site.service.target + 1 if "target-port" in site.tells else site.service.target
    text = f"Name:             {pod.name}\nNamespace:        {site.service.namespace}\nNode:             {pod.node}\n"
    text += f"Labels:           {site.service.labels}\nStatus:           Running\nIP:               {pod.ip}\n"
    text += f"Containers:\n  app:\n    Image:          nginx:1.25\n    Port:           {declared}/TCP\n"
    ready = str(pod.ready or "selector" in site.tells)
    text += f"    Ready:          {ready}\nConditions:\n  Type              Status\n  Ready             {ready}\n"
    if pod.why:
        text += "Events:\n  Type     Reason     Age                From     Message\n"
        text += "  ----     ------     ----               ----     -------\n"
        return text + f"  Warning  Unhealthy  2m (x41 over 12m)  kubelet  {pod.why}\n"
    return text + "Events:           <none>\n"


def pod_sockets(site: Site, pod: Pod) -> str:
    """`ss -tln` in the pod."""
    port = site.service.target + ("target-port" in site.tells)
    return (
        "State   Recv-Q  Send-Q   Local Address:Port    Peer Address:Port\n"
        f"LISTEN  0       511    {pod.listens:>15}:{port:<9} 0.0.0.0:*\n"
    )


def network_policies(site: Site) -> Sequence[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    key, value = site.service.labels.split("=")
    for which in site.policies:
        rule: list[dict[str, object]] = []
        if which == "namespace":
            rule = [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}]
        if which == "port":
            rule = [{"ports": [{"port": 9113, "protocol": "TCP"}]}]
        spec: dict[str, object] = {"podSelector": {"matchLabels": {key: value}}, "policyTypes": ["Ingress"]}
        if rule:
            spec["ingress"] = rule
        metadata = {
            "name": "default-deny" if which == "deny" else f"allow-{which}",
            "namespace": site.service.namespace,
        }
        found.append(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
        )
    return found
