"""What the client sees: curl, nc, ping, traceroute, nmap, arping, its own routes, DNS; and the same from nodes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from benchmarks.diagnosis.generate.flow import (
    CLIENT,
    DATA,
    FABRIC,
    FORWARD,
    NAME,
    NODE_IN,
    POD,
    POD_IN,
    PROXY,
    REPLY_OUT,
    WIRE,
    answering,
    entries,
    loss_at,
    targets,
    tries,
)
from benchmarks.diagnosis.generate.render.host import owned
from benchmarks.diagnosis.generate.render.output import Output, watched
from benchmarks.diagnosis.generate.site import Node, Site

OK = "ok"


def outputs(site: Site) -> Iterator[Output]:
    service, client = site.service, site.client
    vip = service.address
    if not vip:
        return
    url = f"http://{client.name or vip}:{service.port}/"
    yield Output("curl", "client", f"curl -v -m 5 {url}", "".join(curl(site, how) for how in attempts(site)))
    if "rehash" in site.tells:
        yield Output("curl-long", "client", f"curl -v -o /dev/null {url}backup.tar", _broken_off(site))
    by_address = [OK] if client.name else attempts(site)
    yield Output("nc", "client", f"nc -vz -w 3 {vip} {service.port}", "".join(netcat(site, how) for how in by_address))
    works = site.complaint not in {"", "icmp"}  # nobody pings what answers, unless the ping is the complaint
    if not works:
        yield Output("ping", "client", f"ping -c 3 {vip}", ping(site))
        yield Output("traceroute", "client", f"traceroute -n {vip}", traceroute(site))
    yield Output("nmap", "client", f"nmap -Pn --reason -p {service.port} {vip}", nmap(site))
    yield Output("client-route", "client", f"ip route get {vip}", _route(site))
    yield Output("client-addr", "client", "ip addr", _addresses(site))
    yield from _on_segment(site, works=works)
    if client.name:
        yield Output("dig", "client", f"dig {client.name}", _dig(site))
        yield Output(
            "curl-address", "client", f"curl -v -m 5 http://{vip}:{service.port}/", curl(site, OK, (vip, service.port))
        )
    if "rehash" in site.tells or any(
        loss.how == "stall" for loss in site.losses
    ):  # who sees transfers stall suspects their size
        fits = site.mtu.get("path", 1500) >= 1500
        for size, answer in ((1472, fits), (1200, True)):
            yield Output(
                "ping-size",
                "client",
                f"ping -M do -s {size} -c 3 {site.nodes[-1].ip}",
                _sized(site, size, site.nodes[-1].ip, answer=answer),
            )
    for node in watched(site) if site.family == "bgp" and site.peers else ():
        command = f"nc -vz -w 3 {site.router.peer or site.router.ip} 179"
        yield Output("nc-179", node.name, command, router_port(site, node))
    yield from _from_nodes(site, url=f"http://{vip}:{service.port}/", works=works)
    if site.complaint == "port":
        wrong = service.node_port if site.rng.random() < 0.7 else service.target + 1
        yield Output(
            "curl-port",
            "client",
            f"curl -v -m 5 http://{vip}:{wrong}/",
            curl(site, "refused" if site.mode == "ipvs" else "silent", to=(vip, wrong)),
        )


def _on_segment(site: Site, *, works: bool) -> Iterator[Output]:
    if site.client.on_lan and not works:
        yield Output("arping", "client", f"arping -c 3 -I eth0 {site.service.address}", arping(site))
    if site.client.on_lan:
        yield Output("client-neigh", "client", "ip neigh", _neighbours(site))


def _from_nodes(site: Site, url: str, *, works: bool) -> Iterator[Output]:
    """The service and its pod, tried on the nodes."""
    service = site.service
    for node in watched(site):
        how = inside(site, node)
        if how and (not works or site.complaint == "inside"):
            yield Output("curl-node", node.name, f"curl -v -m 5 {url}", curl(site, how))
        for pod in site.pods[:1]:
            if pod.status == "Running" and "selector" not in site.tells:
                text = curl(site, _to_pod(site, node), to=(pod.ip, service.target))
                yield Output("curl-pod", node.name, f"curl -v -m 5 http://{pod.ip}:{service.target}/", text)


def router_port(site: Site, node: Node) -> str:
    """`nc` to the BGP port of the peer: whatever keeps the session down, a plain connection may well come about."""
    peer = site.router.peer or site.router.ip
    how = next((tell.partition(":")[2] for tell in site.tells if tell.startswith("179:")), "open")
    if node.session.up or how == "open" or (how == "no-neighbour" and "reset" not in node.session.error):
        return f"Connection to {peer} 179 port [tcp/bgp] succeeded!\n"
    words = {"dropped": "timed out: Operation now in progress", "no-neighbour": "failed: Connection refused"}
    refused = "No route to host" if "No route" in node.session.error else "Connection refused"
    return f"nc: connect to {peer} port 179 (tcp) {words.get(how, f'failed: {refused}')}\n"


def on_request(site: Site) -> Iterator[Output]:
    """Tests that few people make unless they are asked for: ping where all works, pings of a size, node ports."""
    vip = site.service.address
    if not vip:
        return
    for node in site.nodes:
        if how := by_node_port(site, node):
            port = (node.ip, site.service.node_port)
            text = curl(site, how, to=port)
            yield Output("curl-node-port", "client", f"curl -v -m 5 http://{port[0]}:{port[1]}/", text)
    for node in site.nodes:
        command = f"ip route get {vip} from {site.client.ip} iif {site.nic_of(node)}"
        yield Output("route-get-forwarded", node.name, command, _forwarded(site, node))
    if not site.client.on_lan:
        yield Output(
            "client-neigh",
            "client",
            "ip neigh",
            f"{site.router.office_ip} dev eth0 lladdr 48:8f:5a:10:22:09 REACHABLE\n",
        )
    yield Output("ping", "client", f"ping -c 3 {vip}", ping(site))
    path = site.mtu.get("path", 1500)
    for target in (vip, *(node.ip for node in site.nodes)):
        for size in (1472, 1200):
            answered = (target != vip or ping_reply(site)[0] == "reply") and size + 28 <= path
            command = f"ping -M do -s {size} -c 3 {target}"
            yield Output(f"ping-{size}", "client", command, _sized(site, size, target, answer=answered))


def _forwarded(site: Site, node: Node) -> str:
    """What the kernel would make of a packet of the client (its source check comes first, then forwarding)."""
    nic = site.nic_of(node)
    refused = ""
    if any(a.split("/")[0] == site.client.ip for a, _ in node.extra_addresses):
        refused = "Invalid argument"
    elif node.sysctls.get("net.ipv4.conf.all.rp_filter") == "1" and node.extra_routes:
        refused = "Invalid cross-device link"
    elif node.sysctls.get("net.ipv4.ip_forward") == "0":
        refused = "No route to host"
    if refused:
        return f"RTNETLINK answers: {refused}\n"
    vip, client = site.service.address, site.client.ip
    if site.mode == "ipvs" and site.has_address(node):
        return f"local {vip} from {client} dev lo table local \n    cache <local> iif {nic} \n"
    if ip_address(vip) in ip_network(site.network):
        return f"{vip} from {client} dev {nic} \n    cache iif {nic} \n"
    return f"{vip} from {client} via {site.router.ip} dev {nic} \n    cache iif {nic} \n"


def attempts(site: Site) -> list[str]:
    """What three tries of the client show: one result, or both of an intermittent one."""
    found = tries(site)
    good = [t for t in found if t.loss is None or t.loss.share]
    bad = [t.loss.how for t in found if t.loss]
    if not bad:
        return [OK]
    if not good:
        return [site.rng.choice(bad)]
    mixed = [OK, site.rng.choice(bad), site.rng.choice([OK, bad[0]]), site.rng.choice(bad)]
    site.rng.shuffle(mixed)
    return mixed


def inside(site: Site, node: Node) -> str:
    """A test on a node: kube-proxy's rules there catch the connection before it leaves; "" where it is hard to say."""
    if not site.ready:
        return "refused" if site.mode == "ipvs" else ""
    if site.complaint == "inside" and "hairpin" in site.tells:
        return "silent" if any(p.node == node.name for p in site.ready) else OK
    own = any(p.node == node.name for p in site.ready)
    if site.mode == "ebpf" and site.family == "l2" and not node.programmed:
        return ""
    if node.programmed and not site.has_address(node):
        return ""  # it goes to the router, and by its route to a pod's node
    if site.mode == "ipvs" and site.local and not own and site.minor >= 24:
        # The source is the service's address, unless the CNI masquerades what leaves by its tunnel.
        return OK if site.encapsulation != "none" else "silent"
    if not node.programmed:
        return "silent"
    if own and site.policies and len({p.node for p in site.ready}) > 1:
        return ""  # a pod's own node is always admitted, and others are not
    for loss in site.losses:
        if own and site.policies and loss.stage == POD_IN:
            continue
        if loss.inside and (not loss.node or loss.node == node.name) and not (loss.remote and own):
            return loss.how
    return OK


def by_node_port(site: Site, node: Node) -> str:
    """What the client gets from the node port, which leaves the announcement out; "" where it is hard to say.

    What is lost on the node or on the way back may be lost for the service's own address and port alone.
    """
    pods = targets(site, node)
    losses = [
        loss
        for loss in site.losses
        if loss.stage >= NODE_IN
        and (not loss.node or loss.node == node.name)
        and (not loss.pod or loss.pod in {pod.name for pod in pods})
        and (not loss.remote or any(pod.node != node.name for pod in pods))
    ]
    if any(loss.share or not FORWARD <= loss.stage <= POD for loss in losses):
        return ""
    if not pods or losses or site.local:
        first = loss_at(site, node, pods[0] if pods else None)
        return OK if first is None else first.how if first.stage >= PROXY else ""
    return OK


def _to_pod(site: Site, node: Node) -> str:
    """A test of the pod's own address from a node."""
    pod = site.pods[0]
    if not pod.ready:
        return "not-ready"  # the page by which its readiness probe fails
    for loss in site.losses:
        if loss.inside and loss.stage >= FABRIC - 1 and not (loss.remote and pod.node == node.name):
            if loss.stage == POD_IN and site.policies and pod.node == node.name:
                continue  # a pod's own node is always admitted
            if "bad-checksum" in site.tells and loss.stage == FABRIC:
                continue  # only packets whose source was translated are hit
            if "target-port" in site.tells:
                return "refused"
            return loss.how
    return OK


def curl(site: Site, how: str, to: tuple[str, int] | None = None) -> str:
    ip, port = to or (site.service.address, site.service.port)
    name = site.client.name if not to and how in {"no-name"} | ({how} if site.client.name else set()) else ""
    if how == "no-name":
        return f"* Could not resolve host: {name}\n* Closing connection 0\ncurl: (6) Could not resolve host: {name}\n"
    if name and site.client.resolves and how != OK:
        ip = site.client.resolves
    head = f"*   Trying {ip}:{port}...\n"
    host = name or ip
    if how in {"silent", "wrong-source", "slow"}:
        return (
            head
            + "* Connection timed out after 5001 milliseconds\n* Closing connection 0\ncurl: (28) Connection timed out after 5001 milliseconds\n"
        )
    if how == "refused":
        return (
            head
            + f"* connect to {ip} port {port} failed: Connection refused\n* Failed to connect to {host} port {port} after 1 ms: Couldn't connect to server\ncurl: (7) Failed to connect to {host} port {port} after 1 ms: Couldn't connect to server\n"
        )
    if how in {"prohibited", "unreachable"}:
        return (
            head
            + f"* connect to {ip} port {port} failed: No route to host\n* Failed to connect to {host} port {port} after 3059 ms: Couldn't connect to server\ncurl: (7) Failed to connect to {host} port {port} after 3059 ms: Couldn't connect to server\n"
        )
    head += f"* Connected to {host} ({ip}) port {port} (#0)\n> GET / HTTP/1.1\n> Host: {host}:{port}\n> User-Agent: curl/7.88.1\n> Accept: */*\n>\n"
    if how == "stall":
        return (
            head
            + "* Operation timed out after 5000 milliseconds with 0 bytes received\n* Closing connection 0\ncurl: (28) Operation timed out after 5000 milliseconds with 0 bytes received\n"
        )
    if how == "reset":
        return (
            head
            + "* Recv failure: Connection reset by peer\n* Closing connection 0\ncurl: (56) Recv failure: Connection reset by peer\n"
        )
    status = {"http": site.http, "not-ready": "503 Service Unavailable"}.get(how, "200 OK")
    body = "<html>" + status + "</html>\n"
    return (
        head
        + f"< HTTP/1.1 {status}\n< Server: nginx/1.25.3\n< Content-Type: text/html\n< Content-Length: {len(body)}\n<\n{body}* Connection #0 to host {host} left intact\n"
    )


def _broken_off(site: Site) -> str:
    """A download that another node than before gets the rest of."""
    ip, port = site.service.address, site.service.port
    return (
        f"*   Trying {ip}:{port}...\n* Connected to {ip} ({ip}) port {port} (#0)\n> GET /backup.tar HTTP/1.1\n"
        f"> Host: {ip}:{port}\n> User-Agent: curl/7.88.1\n> Accept: */*\n>\n< HTTP/1.1 200 OK\n< Server: nginx/1.25.3\n"
        "< Content-Type: application/x-tar\n< Content-Length: 8120934400\n<\n* Recv failure: Connection reset by peer\n"
        "* Closing connection 0\ncurl: (56) Recv failure: Connection reset by peer\n"
    )


def netcat(site: Site, how: str) -> str:
    ip, port = site.service.address, site.service.port
    if how in {"silent", "wrong-source", "slow", "no-name"}:
        return f"nc: connect to {ip} port {port} (tcp) timed out: Operation now in progress\n"
    if how == "refused":
        return f"nc: connect to {ip} port {port} (tcp) failed: Connection refused\n"
    if how in {"prohibited", "unreachable"}:
        return f"nc: connect to {ip} port {port} (tcp) failed: No route to host\n"
    return f"Connection to {ip} {port} port [tcp/*] succeeded!\n"


def nmap(site: Site) -> str:
    """nmap tries again and again: a part of the connections that works is enough for `open`."""
    ways = attempts(site)
    how = OK if OK in ways else ways[0]
    state, why = {
        "refused": ("closed", "conn-refused") if site.rng.random() < 0.5 else ("filtered", "port-unreach"),
        "prohibited": ("filtered", "host-prohibited"),
        "unreachable": ("filtered", "host-unreach"),
        "silent": ("filtered", "no-response"),
        "wrong-source": ("filtered", "no-response"),
        "no-name": ("open", "syn-ack"),
    }.get(how, ("open", "syn-ack"))
    if site.client.name:
        state, why = "open", "syn-ack"
    port = site.service.port
    return (
        f"Starting Nmap 7.93 ( https://nmap.org )\nNmap scan report for {site.service.address}\nHost is up, received user-set.\n\n"
        f"PORT     STATE    SERVICE REASON\n{f'{port}/tcp':<8} {state:<8} http    {why}\n\nNmap done: 1 IP address (1 host up) scanned in 2.05 seconds\n"
    )


def ping_reply(site: Site) -> tuple[str, Node | None]:
    """(reply, silent, unreachable or port; the node that says it)."""
    before = [
        loss
        for loss in site.losses
        if loss.stage <= WIRE + 1 and not loss.share and loss.stage > NAME and not loss.node
    ]
    nobody = site.client.on_lan and site.family != "bgp" and not answering(site) and "off-link" not in site.tells
    if "asks-by-arp" in site.tells or (nobody and site.family == "l2"):
        return "unreachable", None
    if before or not entries(site):
        return "silent", None
    node = entries(site)[0]
    loss = loss_at(site, node, next(iter(targets(site, node)), None))
    tcp_alone = bool(node.raw or node.input_ or node.firewalld)
    if loss and loss.stage == NODE_IN and not tcp_alone and not loss.share:
        return "silent", node
    if any(device for address, device in owned(site, node) if address == site.service.address) or site.family == "host":
        if site.mode == "ipvs" and site.minor >= 26 and site.cni != "kube-router":
            return "port", node
        back = [
            x
            for x in site.losses
            if x.stage >= REPLY_OUT and x.stage < DATA and x.how == "silent" and (not x.node or x.node == node.name)
        ]
        return ("silent" if back and not back[0].remote else "reply"), node
    return "silent", node


def ping(site: Site) -> str:
    vip = site.service.address
    what, node = ping_reply(site)
    head = f"PING {vip} ({vip}) 56(84) bytes of data.\n"
    if what == "reply":
        redirect = ""
        if site.client.on_lan and site.family == "bgp" and node and site.rng.random() < 0.6:
            redirect = f"From {site.router.ip}: icmp_seq=1 Redirect Host(New nexthop: {node.ip})\n"
        hop = 64 if site.client.on_lan else 63
        lines = "".join(
            f"64 bytes from {vip}: icmp_seq={i} ttl={hop} time=0.{site.rng.randrange(300, 900)} ms\n" for i in (1, 2, 3)
        )
        return (
            head
            + redirect
            + lines
            + f"\n--- {vip} ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time 2003ms\nrtt min/avg/max/mdev = 0.412/0.501/0.690/0.089 ms\n"
        )
    if what == "unreachable":
        lines = "".join(f"From {site.client.ip} icmp_seq={i} Destination Host Unreachable\n" for i in (1, 2, 3))
        return (
            head
            + lines
            + f"\n--- {vip} ping statistics ---\n3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2049ms\n"
        )
    if what == "port" and node:
        lines = "".join(f"From {vip} icmp_seq={i} Destination Port Unreachable\n" for i in (1, 2, 3))
        return (
            head
            + lines
            + f"\n--- {vip} ping statistics ---\n3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2049ms\n"
        )
    return head + f"\n--- {vip} ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time 2034ms\n"


def traceroute(site: Site) -> str:
    vip = site.service.address
    what, _ = ping_reply(site)
    lines = [f"traceroute to {vip} ({vip}), 30 hops max, 60 byte packets"]
    hops: list[str] = []
    if any(loss.stage == CLIENT for loss in site.losses) and site.client.routes:
        hops = ["10.212.134.1"]
    elif "asks-by-arp" not in site.tells and (
        not site.client.on_lan or site.family == "bgp" or "off-link" in site.tells
    ):
        hops = [site.router.behind or (site.router.ip if site.client.on_lan else site.router.office_ip)]
        if not entries(site) and not site.losses:
            hops.append(site.router.uplink)
    lines += [f" {i + 1}  {hop}  0.{site.rng.randrange(300, 900)} ms  0.391 ms  0.377 ms" for i, hop in enumerate(hops)]
    if what == "reply":
        lines.append(f" {len(hops) + 1}  {vip}  0.612 ms  0.590 ms  0.577 ms")
    elif what == "unreachable":
        lines.append(f" {len(hops) + 1}  {site.client.ip}  3059.112 ms !H  3059.090 ms !H  3059.071 ms !H")
    else:
        lines += [f" {len(hops) + i}  * * *" for i in range(1, 6)]
    return "\n".join(lines) + "\n"


def arping(site: Site) -> str:
    vip = site.service.address
    found = [mac for mac, _ in answering(site)]
    if site.family == "host":
        found = [n.mac for n in site.nodes if n.ip == vip]
    if site.mode == "ipvs" and not site.strict_arp:
        found = found or [n.mac for n in site.nodes]
    lines = [f"ARPING {vip} from {site.client.ip} eth0"]
    # The first request is a broadcast, the next ones go to whoever answered last (iputils arping.c recv_pack).
    heard = found[:4] + found[:4][-1:] * 2
    lines += [f"Unicast reply from {vip} [{mac.upper()}]  0.{site.rng.randrange(600, 990)}ms" for mac in heard]
    count = len(heard)
    return (
        "\n".join([*lines, f"Sent 3 probes ({'1' if found else '3'} broadcast(s))", f"Received {count} response(s)"])
        + "\n"
    )


def _route(site: Site) -> str:
    vip, client = site.service.address, site.client
    if client.routes:
        return f"{vip} via 10.212.134.1 dev tun0 src 10.212.134.77 uid 1000\n    cache\n"
    on_link = client.on_lan and (
        (site.family == "l2" and "off-link" not in site.tells) or site.family == "host" or "asks-by-arp" in site.tells
    )
    if on_link:
        return f"{vip} dev eth0 src {client.ip} uid 1000\n    cache\n"
    gateway = site.router.ip if client.on_lan else site.router.behind or site.router.office_ip
    return f"{vip} via {gateway} dev eth0 src {client.ip} uid 1000\n    cache\n"


def _addresses(site: Site) -> str:
    client = site.client
    length = client.prefix.split("/")[1]
    text = (
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n"
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n"
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n"
        f"    link/ether {client.mac} brd ff:ff:ff:ff:ff:ff\n    inet {client.ip}/{length} scope global dynamic eth0\n"
    )
    if client.routes:
        text += (
            "5: tun0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1400 qdisc fq_codel state UNKNOWN group default qlen 500\n"
            "    link/none\n    inet 10.212.134.77/24 scope global tun0\n"
        )
    return text


def _neighbours(site: Site) -> str:
    lines = [f"{site.router.ip} dev eth0 lladdr 48:8f:5a:10:22:01 REACHABLE"]
    vip = site.service.address
    if site.family in {"l2", "host"} and "off-link" not in site.tells:
        known = site.router.neighbour.get(vip) or next((m for m, _ in answering(site)), "")
        if site.family == "host":
            known = next((n.mac for n in site.nodes if n.ip == vip), "")
        lines.append(f"{vip} dev eth0 lladdr {known} REACHABLE" if known else f"{vip} dev eth0  FAILED")
    if "asks-by-arp" in site.tells:
        lines.append(f"{vip} dev eth0  FAILED")
    return "\n".join(lines) + "\n"


def _dig(site: Site) -> str:
    name, answer = site.client.name, site.client.resolves
    status = "NOERROR" if answer else "NXDOMAIN"
    text = f"; <<>> DiG 9.18.24 <<>> {name}\n;; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {status}, id: 40112\n;; flags: qr rd ra; QUERY: 1, ANSWER: {1 if answer else 0}, AUTHORITY: 0, ADDITIONAL: 1\n\n;; QUESTION SECTION:\n;{name}.\t\tIN\tA\n\n"
    if answer:
        text += f";; ANSWER SECTION:\n{name}.\t300\tIN\tA\t{answer}\n\n"
    return text + f";; Query time: 2 msec\n;; SERVER: {site.router.ip}#53({site.router.ip}) (UDP)\n"


def _sized(site: Site, size: int, target: str, *, answer: bool) -> str:
    hop = 64 if site.client.on_lan else 63
    head = f"PING {target} ({target}) {size}({size + 28}) bytes of data.\n"
    if answer:
        lines = "".join(f"{size + 8} bytes from {target}: icmp_seq={i} ttl={hop} time=0.5{i}1 ms\n" for i in (1, 2, 3))
        return (
            head
            + lines
            + f"\n--- {target} ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time 2003ms\n"
        )
    return (
        head + f"\n--- {target} ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time 2044ms\n"
    )
