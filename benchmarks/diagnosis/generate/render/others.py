"""kube-vip, kube-router and keepalived: settings, leases, logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.diagnosis.generate.render.output import Output, columns, dumped, watched
from benchmarks.diagnosis.generate.site import Site


def outputs(site: Site) -> Iterator[Output]:
    if site.stack.startswith("kube-vip"):
        yield Output(
            "agent-spec", "", "kubectl get ds -n kube-system kube-vip-ds -o yaml", dumped(_kube_vip(site)), plain=False
        )
        if site.stack == "kube-vip-arp":
            rows = [("plndr-svcs-lock", site.leader or "", "40d")]
            yield Output("leases", "", "kubectl get leases -n kube-system", columns(("NAME", "HOLDER", "AGE"), rows))
        yield Output(
            "agent-log", "", "kubectl logs -n kube-system -l app.kubernetes.io/name=kube-vip-ds --tail=-1", _log(site)
        )
    if site.stack == "kube-router":
        yield Output(
            "agent-spec",
            "",
            "kubectl get ds -n kube-system kube-router -o yaml",
            dumped(_kube_router(site)),
            plain=False,
        )
        yield Output("agent-log", "", "kubectl logs -n kube-system -l k8s-app=kube-router --tail=-1", _gobgp(site))
    if site.stack == "keepalived":
        for node in watched(site):
            yield Output("agent-log", node.name, "journalctl -u keepalived", _keepalived(site, node.name))


def _daemonset(name: str, container: dict[str, object]) -> Mapping[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [container], "hostNetwork": True}}},
    }


def _kube_vip(site: Site) -> Mapping[str, object]:
    bgp = site.stack == "kube-vip-bgp"
    values = {
        "vip_arp": str(not bgp).lower(),
        "vip_interface": site.interfaces[0] if site.interfaces else site.nic,
        "svc_enable": "true",
        "vip_leaderelection": str(not bgp).lower(),
        "bgp_enable": str(bgp).lower(),
    }
    if bgp and site.peers:
        values |= {
            "bgp_as": str(site.node_as),
            "bgp_peeraddress": site.router.peer or site.router.ip,
            "bgp_peeras": str(site.router.as_number + ("bad-as" in site.tells)),
        }
        if site.password:
            values["bgp_peerpass"] = "(hidden)"
        if site.router.peer and site.multihop:
            values["bgp_multihop"] = "true"
    env = [{"name": name, "value": value} for name, value in values.items()]
    image = f"ghcr.io/kube-vip/kube-vip:v{site.version}"
    return _daemonset("kube-vip-ds", {"args": ["manager"], "env": env, "image": image, "name": "kube-vip"})


def _kube_router(site: Site) -> Mapping[str, object]:
    args = ["--run-router=true", "--run-firewall=true", "--run-service-proxy=true", f"--cluster-asn={site.node_as}"]
    if "selector-misses" not in site.tells:
        args.append("--advertise-loadbalancer-ip=true")
    args += ["--run-loadbalancer=true", f"--loadbalancer-ip-range={site.pool}"]
    if site.peers:
        args += [
            f"--peer-router-ips={site.router.peer or site.router.ip}",
            f"--peer-router-asns={site.router.as_number + ('bad-as' in site.tells)}",
        ]
    if "kube-router-without-lb" in site.tells:
        args.append("--service-external-ip-range=10.250.0.0/24")
    image = f"docker.io/cloudnativelabs/kube-router:v{site.version}"
    return _daemonset("kube-router", {"args": args, "image": image, "name": "kube-router"})


def _log(site: Site) -> str:
    lines = []
    for node in watched(site):
        if node.agent != "Running" and "announce-failed" not in site.tells:
            continue
        lines.append(f'time="2024-05-02T09:20:10Z" level=info msg="Starting kube-vip.io [v{site.version}]"')
        if "announce-failed" in site.tells:
            nic = site.interfaces[0]
            text = f"{nic} is not valid interface, reason: get {nic} failed, error: Link not found"
            lines.append(f'time="2024-05-02T09:20:10Z" level=fatal msg="{text}"')
            continue
        if site.leader == node.name and site.service.address:
            text = f"[service] adding VIP [{site.service.address}] for [{site.service.namespace}/{site.service.name}]"
            lines.append(f'time="2024-05-02T09:20:12Z" level=info msg="{text}"')
    return "\n".join(lines) + "\n" + (_gobgp(site) if site.family == "bgp" else "")


def _gobgp(site: Site) -> str:
    """The lines of GoBGP inside kube-router and kube-vip about the router's session."""
    lines = []
    peer = site.router.peer or site.router.ip
    for node in watched(site) if site.peers else []:
        session = node.session
        if node.agent != "Running":
            continue
        common = f"Key={peer} Topic=Peer"
        for i in range(4 if session.drops else int(session.believed)):
            lines.append(f'time="2024-05-02T09:2{i}:10Z" level=info msg="Peer Up" {common} State=BGP_FSM_OPENCONFIRM')
            if session.drops:
                lines.append(
                    f'time="2024-05-02T09:2{i}:40Z" level=info msg="Peer Down" {common} State=BGP_FSM_ESTABLISHED '
                    "Reason=hold-timer-expired"
                )
        if "Bad peer AS" in session.error:
            lines.append(
                f'time="2024-05-02T09:20:10Z" level=warning msg="sent notification" {common} Code=2 Subcode=2 Data="Bad peer AS"'
            )
        elif "Administrative" in session.error:
            lines.append(
                f'time="2024-05-02T09:20:10Z" level=warning msg="received notification" {common} Code=6 Subcode=2'
            )
        elif session.error.startswith("Socket"):
            lines.append(
                f'time="2024-05-02T09:20:10Z" level=debug msg="failed to connect" {common} Error="{session.error[8:].lower()}"'
            )
    return "".join(f"{line}\n" for line in lines)


def _keepalived(site: Site, name: str) -> str:
    lines = [
        f"May 02 09:20:10 {name} Keepalived_vrrp[1022]: (VI_1) Entering {'MASTER' if name == site.leader else 'BACKUP'} STATE"
    ]
    if "vrrp" in site.tells:
        for _ in range(site.rng.randrange(2, 6)):
            which = site.rng.randrange(3)
            what = (
                "(VI_1) Entering BACKUP STATE",
                "(VI_1) Entering MASTER STATE",
                f"bogus VRRP packet received on {site.nic} !!!",
            )[which]
            lines.append(f"May 02 09:2{site.rng.randrange(10)}:31 {name} Keepalived_vrrp[1022]: {what}")
        lines.append(f"May 02 09:30:01 {name} Keepalived_vrrp[1022]: (VI_1) received an invalid passwd!")
    return "\n".join(lines) + "\n"
