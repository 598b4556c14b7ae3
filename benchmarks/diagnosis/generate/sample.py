"""What of the evidence gets into somebody's hands: all of it, a forum post, three outputs, or all with one thing wrong.

The client's complaint is in each of them.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from benchmarks.diagnosis.generate.broken import Broken
from benchmarks.diagnosis.generate.render import everything
from benchmarks.diagnosis.generate.render.client import curl
from benchmarks.diagnosis.generate.render.output import Output
from benchmarks.diagnosis.generate.site import Site

KINDS = ("full", "post", "three", "lie")
PARTS = ("post", "three")
Files = dict[str, bytes]

# How often people paste an output, by what it is about; what is not listed is pasted seldom.
POPULAR = {
    "svc": 6, "describe-svc": 9, "svc-all": 7, "slices": 3, "endpoints": 4, "nodes": 5, "labels": 2, "pods": 6,
    "pods-all": 6, "cm-kube-proxy": 2, "netpol": 2, "pools": 6, "advertisements": 5, "peers": 4, "agent-log": 5,
    "controller-log": 3, "ping": 6, "nc": 3, "traceroute": 4, "nmap": 2, "arping": 3, "ip-addr": 3, "ip-route": 4,
    "iptables": 2, "ipvsadm": 2, "tcpdump": 4, "router-routes": 6, "router-bgp": 6, "router-firewall": 2,
    "bird-protocols": 5, "bird-route": 2, "bgpconf": 5, "curl-node": 5, "curl-pod": 2, "leases": 3, "cilium-bgp": 5,
    "speaker-bgp": 4, "describe-pod": 3, "ss-pod": 2, "cilium-services": 2, "router-arp": 2, "client-route": 1,
    "dig": 4, "observed": 3, "ping-size": 3, "dmesg": 1, "agents": 3, "agent-spec": 4,
}  # fmt: skip
# What a symptom makes people look at next, whatever its cause turns out to be.
BY_SYMPTOM = {
    "pending": ("describe-svc", "pools", "controller-log", "pods-all", "svc-all", "svc"),
    "refused": ("slices", "endpoints", "pods", "describe-pod", "curl-pod", "ss-pod", "svc"),
    "l2": ("arping", "advertisements", "agent-log", "leases", "tcpdump-arp", "router-arp", "agent-spec"),
    "bgp": ("router-bgp", "router-bgp-neighbour", "router-routes", "bird-protocols", "speaker-bgp", "cilium-bgp",
            "bgpconf", "peers", "agent-log"),
    "inside": ("tcpdump", "iptables", "ipvsadm", "netpol", "conntrack", "curl-node", "curl-pod", "nft", "ip-route"),
    "client": ("dig", "curl-address", "client-route", "observed", "client-neigh", "ping-size", "traceroute"),
}  # fmt: skip
ABOUT = {
    "icmp": {
        "en": "The service works in the browser but I cannot ping its address. What is wrong?",
        "de": "Die Seite geht im Browser, aber die Adresse lässt sich nicht anpingen. Was ist da falsch?",
        "es": "El servicio funciona en el navegador, pero no puedo hacer ping a su dirección.",
        "fr": "Le service fonctionne dans le navigateur, mais l'adresse ne répond pas au ping.",
    },
    "": {
        "en": "I can't get this service to work from my PC, any ideas? It worked in the old cluster.",
        "de": "Ich komme von meinem PC nicht auf den Dienst, hat jemand eine Idee? Im alten Cluster ging es.",
        "es": "No consigo llegar al servicio desde mi PC, ¿alguna idea? En el clúster anterior funcionaba.",
        "fr": "Je n'arrive pas à joindre ce service depuis mon PC, une idée ? Sur l'ancien cluster cela marchait.",
    },
}
BETWEEN = {
    "en": ("Here is what I have so far:", "And this:", "Some more output in case it helps:", "On the node:", "Thanks!"),
    "de": ("Das habe ich bisher:", "Und das hier:", "Noch etwas Ausgabe:", "Auf dem Knoten:", "Danke!"),
    "es": ("Esto es lo que tengo:", "Y esto:", "Más salida por si ayuda:", "En el nodo:", "¡Gracias!"),
    "fr": ("Voici ce que j'ai :", "Et ceci :", "Encore une sortie :", "Sur le nœud :", "Merci !"),
}


def sampled(broken: Broken, kind: str) -> Files:
    """File names and bytes of one sample, whatever was rendered before: that draws from the site's source of chance."""
    broken = broken.without(())
    rng = Random(f"{broken.seed}/{kind}")
    outputs = everything(broken)
    if kind == "full":
        return as_files(outputs)
    if kind == "lie":
        return as_files(lied(rng, broken, outputs))
    found = _chosen(rng, broken, outputs, kind)
    return as_files(found) if kind == "three" else {"post.txt": _post(rng, broken.site, found).encode()}


def chosen(broken: Broken, kind: str) -> list[Output]:
    """The outputs of a sample that is a part of the evidence."""
    again = broken.without(())
    return _chosen(Random(f"{broken.seed}/{kind}"), again, everything(again), kind)


def _chosen(rng: Random, broken: Broken, outputs: list[Output], kind: str) -> list[Output]:
    """The complaint with three outputs, or with the four to eight of a post."""
    first = complaint(outputs, broken.site)
    rest = [o for o in outputs if o not in first]
    return [*first, *picked(rng, broken.site, rest, 3 if kind == "three" else rng.randrange(4, 9))]


def as_files(outputs: list[Output]) -> Files:
    """A bundle, with commands that no file's name can hold in a terminal's way."""
    found = {}
    for o in outputs:
        head = f"$ {o.command}\n" if o.headed else ""
        found["observed.yaml" if o.key == "observed" else o.file] = (head + o.text).encode()
    return found


def complaint(outputs: list[Output], site: Site) -> list[Output]:
    """What shows that something is wrong: the client's curl, the failing ping, or the address that does not come."""
    if not site.service.address:
        return [o for o in outputs if o.key == "svc-all"]
    keys = {
        "icmp": ("ping", "curl"),
        "inside": ("curl-node", "curl"),
        "port": ("curl-port",),
        "multipath": ("router-routes", "curl"),
        "breaks": ("curl-long", "curl"),
    }
    wanted = keys.get(site.complaint, ("router-routes", "curl") if site.complaint == "listing" else ("curl",))
    found: list[Output] = []
    for key in wanted:
        found += [
            o for o in outputs if o.key == key and (key != "curl-node" or not o.text.rstrip().endswith("left intact"))
        ][:1]
    return found


def symptom(site: Site) -> str:
    from benchmarks.diagnosis.generate.flow import entries, outcome

    if not site.service.address:
        return "pending"
    if "refused" in outcome(site):
        return "refused"
    if site.client.name or "others-work" in site.tells:
        return "client"
    return "inside" if entries(site) and site.rng.random() < 0.5 else site.family if site.family != "host" else "inside"


def picked(rng: Random, site: Site, outputs: list[Output], count: int) -> list[Output]:
    """Outputs as people choose them: by habit, and every second one by what the symptom suggests."""
    near = [o for o in outputs if o.key in BY_SYMPTOM[symptom(site)]]
    left = list(outputs)
    chosen: list[Output] = []
    for i in range(count):
        pool = [o for o in near if o not in chosen] if i % 2 == 0 else []
        pool = pool or [o for o in left if o not in chosen]
        if not pool:
            break
        weights = [POPULAR.get(o.key, 1) for o in pool]
        chosen.append(rng.choices(pool, weights)[0])
    return chosen


def lied(rng: Random, broken: Broken, outputs: list[Output]) -> list[Output]:
    """One observation is wrong: a misreported test of the client, or an old output from when all was well."""
    shown = [i for i, o in enumerate(outputs) if o.key == "curl"]
    if shown and rng.random() < 0.5:
        index = shown[0]
        honest = outputs[index].text
        others = [curl(broken.site, how) for how in ("ok", "silent", "refused", "unreachable", "stall")]
        false = rng.choice([text for text in others if text != honest])
        return [replace(o, text=false) if i == index else o for i, o in enumerate(outputs)]
    healthy = {(o.key, o.host, o.command): o for o in everything(broken.healthy())}
    old = [
        i
        for i, o in enumerate(outputs)
        if o.key != "curl" and healthy.get((o.key, o.host, o.command), o).text != o.text
    ]
    old = [i for i in old if outputs[i].key in POPULAR and outputs[i].key != "observed"]
    if not old:
        return outputs
    index = rng.choice(old)
    o = outputs[index]
    return [healthy[(o.key, o.host, o.command)] if i == index else x for i, x in enumerate(outputs)]


def _post(rng: Random, site: Site, outputs: list[Output]) -> str:
    """One text: prose in a language, and the outputs with their prompts as terminals show them."""
    language = rng.choice(sorted(BETWEEN))
    about = ABOUT.get(site.complaint, ABOUT[""])[language]
    lines = [
        about,
        "",
        rng.choice(
            (f"Kubernetes v1.{site.minor}, {_product(site)}.", _product(site), f"{_product(site)} {site.version}")
        ),
        "",
    ]
    fenced = rng.random() < 0.6
    user = rng.choice(("root", "admin", "ubuntu"))
    for output in outputs:
        lines += [rng.choice(BETWEEN[language][:4]), ""]
        lines += ["```"] if fenced else []
        if output.key == "observed":
            lines += [output.text.rstrip()]
        else:
            lines += [_prompt(output, user, site) + output.command, output.text.rstrip()]
        lines += ["```", ""] if fenced else [""]
    return "\n".join([*lines, BETWEEN[language][4]]) + "\n"


def _prompt(output: Output, user: str, site: Site) -> str:
    if output.host == "router":
        if site.router.kind.startswith("routeros"):
            return "[admin@MikroTik] > "
        return "router# " if site.router.kind in {"ios", "eos"} else "root@router:~# "
    if output.host in {"", "client"}:
        return "me@laptop:~$ "
    return f"{user}@{output.host}:~# "


def _product(site: Site) -> str:
    names = {
        "calico": "Calico with BGP, MetalLB controller",
        "metallb": "MetalLB",
        "cilium": "Cilium",
        "kube-vip": "kube-vip",
        "kube-router": "kube-router",
        "klipper": "k3s with ServiceLB",
        "keepalived": "keepalived",
    }
    return names[site.product]
