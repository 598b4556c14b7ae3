"""Everything that a capable person would collect: one module per program or family of programs."""

from __future__ import annotations

import yaml

from benchmarks.diagnosis.generate.broken import Broken
from benchmarks.diagnosis.generate.render import (
    calico,
    capture,
    cilium,
    client,
    host,
    kubernetes,
    metallb,
    others,
    proxy,
    routeros,
    routers,
    speaker_frr,
    vendors,
)
from benchmarks.diagnosis.generate.render.output import Output

SOURCES = (
    client,
    kubernetes,
    metallb,
    calico,
    cilium,
    others,
    speaker_frr,
    host,
    proxy,
    capture,
    routeros,
    routers,
    vendors,
)


def everything(broken: Broken) -> list[Output]:
    """All outputs of a broken cluster, in the order of SOURCES."""
    found: list[Output] = []
    names: set[str] = set()
    for source in SOURCES:
        for output in source.outputs(broken.site):
            if output.text and output.file not in names:
                names.add(output.file)
                found.append(output)
    told = told_of(broken)
    return [*found, Output("observed", "", "observed", yaml.safe_dump(told), plain=False)] if told else found


def told_of(broken: Broken) -> list[dict[str, str]]:
    """What somebody says that he saw, beyond what is pasted."""
    site = broken.site
    target = f"{site.service.address}:{site.service.port}"
    if "others-work" in site.tells:
        other = site.client.prefix.rsplit(".", 1)[0] + ".240"
        return [{"probe": "http", "from": other, "to": target, "result": "reply"}]
    if "owner-without-service" in site.tells:
        return [
            {
                "probe": "arp",
                "from": site.client.ip,
                "to": site.service.address,
                "result": "reply",
                "given": "service deleted",
            }
        ]
    if any(loss.how == "slow" for loss in site.losses):
        return [{"probe": "http", "from": site.client.ip, "to": target, "result": "slow", "note": "63 seconds"}]
    return []
