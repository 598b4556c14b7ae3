"""kubectl's tables and objects of Kubernetes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.diagnosis.generate.flow import answering, candidates
from benchmarks.diagnosis.generate.names import suffix
from benchmarks.diagnosis.generate.render.output import Output, age, columns, dumped, listed
from benchmarks.diagnosis.generate.render.workloads import (
    MODES_WITH_KUBE_PROXY,
    all_pods,
    describe_pod,
    network_policies,
    pod_sockets,
    pods,
)
from benchmarks.diagnosis.generate.site import CILIUM, METALLB, METALLB_ALLOCATES, Site


def outputs(site: Site) -> Iterator[Output]:
    service = site.service
    where = f"-n {service.namespace} "
    yield Output("svc", "", f"kubectl get svc {where}{service.name} -o yaml", dumped(service_object(site)), plain=False)
    yield Output("describe-svc", "", f"kubectl describe svc {where}{service.name}", describe_service(site))
    yield Output("svc-all", "", "kubectl get svc -A -o wide", services(site))
    yield Output(
        "slices", "", f"kubectl get endpointslices {where}-o yaml", listed([endpoint_slice(site)]), plain=False
    )
    yield Output("endpoints", "", f"kubectl get endpoints {where}{service.name}", endpoints(site))
    yield Output("nodes", "", "kubectl get nodes -o wide", nodes(site))
    yield Output("labels", "", "kubectl get nodes --show-labels", labels(site))
    yield Output("pods", "", f"kubectl get pods {where}-o wide --show-labels", pods(site))
    yield Output("pods-all", "", "kubectl get pods -A -o wide", all_pods(site))
    yield Output(
        "version", "", "kubectl version", f"Client Version: v1.{site.minor}.2\nServer Version: v1.{site.minor}.4\n"
    )
    if site.mode in MODES_WITH_KUBE_PROXY and site.stack not in {"klipper", "kube-router"}:
        text = dumped(kube_proxy_map(site))
        yield Output("cm-kube-proxy", "", "kubectl get cm -n kube-system kube-proxy -o yaml", text, plain=False)
    yield Output(
        "netpol", "", f"kubectl get networkpolicies {where}-o yaml", listed(network_policies(site)), plain=False
    )
    for pod in site.pods[:1]:
        if pod.status == "Running" and "selector" not in site.tells:
            yield Output("ss-pod", "", f"kubectl {where}exec {pod.name} -- ss -tln", pod_sockets(site, pod))
        if not pod.ready or pod.listens != "0.0.0.0" or "target-port" in site.tells:
            yield Output("describe-pod", "", f"kubectl describe pod {where}{pod.name}", describe_pod(site))


def ingress(site: Site) -> list[str]:
    """The addresses in the service's status."""
    service = site.service
    return list(service.status_addresses) or ([service.address] if service.address else [])


def service_object(site: Site) -> Mapping[str, object]:
    service = site.service
    external = "external-ips" in site.tells
    spec: dict[str, object] = {
        "allocateLoadBalancerNodePorts": True,
        "clusterIP": service.cluster_ip,
        "clusterIPs": [service.cluster_ip],
        "externalTrafficPolicy": service.policy,
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [
            {
                "name": "http",
                "nodePort": service.node_port,
                "port": service.port,
                "protocol": "TCP",
                "targetPort": service.target,
            }
        ],
        "selector": dict(pair.split("=", 1) for pair in service.selector.split(",")),
        "sessionAffinity": "None",
        "type": "LoadBalancer",
    }
    if external or site.stack == "keepalived":
        spec.pop("allocateLoadBalancerNodePorts")
        spec |= {"type": "ClusterIP" if external else "NodePort", "externalIPs": [service.address]}
        if external:
            spec.pop("externalTrafficPolicy")
    if service.health_port and spec["type"] == "LoadBalancer":
        spec["healthCheckNodePort"] = service.health_port
    if service.wanted:
        spec["loadBalancerIP"] = service.wanted
    if service.class_:
        spec["loadBalancerClass"] = service.class_
    if service.ranges:
        spec["loadBalancerSourceRanges"] = list(service.ranges)
    status = _status(site, str(spec["type"]))
    annotations = dict(service.annotations)
    if service.address and site.stack in METALLB_ALLOCATES and site.version >= "0.14":
        annotations["metallb.io/ip-allocated-from-pool"] = site.pool_name
    if site.stack.startswith("kube-vip") and service.address:
        annotations |= {"kube-vip.io/loadbalancerIPs": service.address}
        if site.leader:
            annotations["kube-vip.io/vipHost"] = site.leader
    key, value = service.labels.split("=")
    metadata = {
        "annotations": annotations,
        "creationTimestamp": "2024-05-02T09:14:31Z",
        "labels": {key: value},
        "name": service.name,
        "namespace": service.namespace,
        "resourceVersion": str(site.rng.randrange(900, 900000)),
    }
    if not annotations:
        del metadata["annotations"]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": status}


def _status(site: Site, kind: str) -> Mapping[str, object]:
    """The service's status: its addresses, or why Cilium's operator gave none."""
    service = site.service
    status: dict[str, object] = {"loadBalancer": {}}
    if ingress(site) and kind == "LoadBalancer":
        mode = {"ipMode": service.ip_mode} if site.minor >= 30 else {}
        status = {"loadBalancer": {"ingress": [{"ip": ip} | mode for ip in ingress(site)]}}
    if not service.address and site.stack in CILIUM:
        reason = next((t.split(":")[1] for t in sorted(site.tells) if t.startswith("cilium:")), "")
        if reason and not site.pool_exists:
            reason = "no_pool"
        if reason:
            status["conditions"] = [
                {"message": "", "reason": reason, "status": "False", "type": "cilium.io/IPAMRequestSatisfied"}
            ]
    return status


def events(site: Site) -> list[tuple[str, str, str, str]]:
    """(type, reason, source, message) as the announcer's controllers write them."""
    service = site.service
    found = list(service.events)
    if (
        service.events_only
        or site.stack not in METALLB_ALLOCATES
        or not service.address
        or "external-ips" in site.tells
    ):
        return found
    if not found:
        found = [("Normal", "IPAllocated", "metallb-controller", f'Assigned IP ["{service.address}"]')]
    if site.stack == "metallb-l2":
        if "announce-failed" in site.tells:
            text = (
                f'the interfaces specified by LB IP "{service.address}" doesn\'t exist in assigned node '
                f'"{site.leader}" with protocol "layer2"'
            )
            return [*found, ("Warning", "announceFailed", "metallb-speaker", text)]
        names = [n for _, n in answering(site) if n] or (
            [site.leader] if site.leader and site.announces_service else []
        )
        for name in names if "memberlist" in site.tells else names[:1]:
            found.append(
                ("Normal", "nodeAssigned", "metallb-speaker", f'announcing from node "{name}" with protocol "layer2"')
            )
    if site.stack in METALLB - {"metallb-l2"}:
        for node in candidates(site)[:5]:
            text = f'announcing from node "{node.name}" with protocol "bgp"'
            found.append(("Normal", "nodeAssigned", "metallb-speaker", text))
    return found


def describe_service(site: Site) -> str:
    service = site.service
    body = service_object(site)
    spec: dict[str, object] = body["spec"]  # type: ignore[assignment]  # built above
    lines = [
        ("Name", service.name),
        ("Namespace", service.namespace),
        ("Labels", service.labels),
        (
            "Annotations",
            "\n                          ".join(f"{k}: {v}" for k, v in service.annotations.items()) or "<none>",
        ),
        ("Selector", service.selector),
        ("Type", str(spec["type"])),
        ("IP Family Policy", "SingleStack"),
        ("IP Families", "IPv4"),
        ("IP", service.cluster_ip),
        ("IPs", service.cluster_ip),
    ]
    if "externalIPs" in spec:
        lines.append(("External IPs", service.address))
    if service.wanted:
        lines.append(("Desired LoadBalancer IP" if site.minor >= 31 else "IP", service.wanted))
    if ingress(site) and spec["type"] == "LoadBalancer":
        mark = f" ({service.ip_mode})" if site.minor >= 31 else ""
        lines.append(("LoadBalancer Ingress", ", ".join(f"{ip}{mark}" for ip in ingress(site))))
    lines += [
        ("Port", f"http  {service.port}/TCP"),
        ("TargetPort", f"{service.target}/TCP"),
        ("NodePort", f"http  {service.node_port}/TCP"),
        ("Endpoints", ",".join(f"{p.ip}:{service.target}" for p in site.ready[:3]) or "<none>"),
        ("Session Affinity", "None"),
    ]
    if "externalTrafficPolicy" in spec:
        lines.append(("External Traffic Policy", service.policy))
    if service.health_port:
        lines.append(("HealthCheck NodePort", str(service.health_port)))
    if service.ranges:
        lines.append(("LoadBalancer Source Ranges", ",".join(service.ranges)))
    text = "".join(f"{name + ':':<26}{value}\n" for name, value in lines)
    if not events(site):
        return text + f"{'Events:':<26}<none>\n"
    text += "Events:\n  Type     Reason            Age    From                 Message\n"
    text += "  ----     ------            ----   ----                 -------\n"
    return text + "".join(f"  {k:<8} {r:<17} {'4m12s':<6} {s:<20} {m}\n" for k, r, s, m in events(site))


def services(site: Site) -> str:
    service = site.service
    rows = [
        (ns, n, "LoadBalancer" if a else "ClusterIP", c, a or "<none>", f"{p}/TCP") for ns, n, c, a, p in site.others
    ]
    external = ",".join(ingress(site)) or "<pending>"
    kind = "ClusterIP" if "external-ips" in site.tells else "NodePort" if site.stack == "keepalived" else "LoadBalancer"
    rows.append(
        (service.namespace, service.name, kind, service.cluster_ip, external, f"{service.port}:{service.node_port}/TCP")
    )
    full = [(*row, age(site), service.selector if row[1] == service.name else f"app={row[1]}") for row in sorted(rows)]
    return columns(("NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"), full)


def endpoint_slice(site: Site) -> Mapping[str, object]:
    service = site.service
    rows = []
    for pod in site.pods if "selector" not in site.tells else []:
        if pod.status in {"Pending", "ImagePullBackOff"} and not pod.ready:
            continue
        row: dict[str, object] = {
            "addresses": [pod.ip],
            "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": False},
            "targetRef": {"kind": "Pod", "name": pod.name, "namespace": service.namespace},
        }
        if pod.counted:
            row["nodeName"] = pod.node
        rows.append(row)
    return {
        "addressType": "IPv4",
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": rows or None,
        "kind": "EndpointSlice",
        "metadata": {
            "labels": {
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": service.name,
            },
            "name": f"{service.name}-{suffix(site.rng)}",
            "namespace": service.namespace,
        },
        "ports": [{"name": "http", "port": service.target, "protocol": "TCP"}],
    }


def endpoints(site: Site) -> str:
    found = ",".join(f"{pod.ip}:{site.service.target}" for pod in site.ready[:3]) or "<none>"
    return columns(("NAME", "ENDPOINTS", "AGE"), [(site.service.name, found, age(site))])


def nodes(site: Site) -> str:
    system, kernel, runtime = site.system
    rows = []
    for node in site.nodes:
        role = "control-plane" if node.control_plane else "<none>"
        state = "Ready" if node.ready else "NotReady"
        rows.append((node.name, state, role, "212d", f"v1.{site.minor}.4", node.ip, "<none>", system, kernel, runtime))
    head = "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"
    return columns(tuple(head.split()), rows)


def labels(site: Site) -> str:
    rows = []
    for node in site.nodes:
        role = "control-plane" if node.control_plane else "<none>"
        marks = ",".join(f"{k}={v}" for k, v in sorted(node.labels.items()))
        rows.append((node.name, "Ready", role, "212d", f"v1.{site.minor}.4", marks))
    return columns(("NAME", "STATUS", "ROLES", "AGE", "VERSION", "LABELS"), rows)


def kube_proxy_map(site: Site) -> Mapping[str, object]:
    strict = str(site.strict_arp).lower() if site.mode == "ipvs" else "false"
    override = 'hostnameOverride: ""\n'
    conf = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\n"
        f'clusterCIDR: {site.pod_network}\n{override}ipvs:\n  excludeCIDRs: null\n  scheduler: ""\n  strictARP: {strict}\n'
        f"kind: KubeProxyConfiguration\nmode: {site.mode}\n"
    )
    metadata = {"labels": {"app": "kube-proxy"}, "name": "kube-proxy", "namespace": "kube-system"}
    return {"apiVersion": "v1", "data": {"config.conf": conf}, "kind": "ConfigMap", "metadata": metadata}
