"""Whether the service's pods demand the PROXY header, which the load balancer in front of the cluster writes.

Who gets to the pods without that load balancer, as clients inside the cluster do, sends none and is refused
(HAProxy's PROXY protocol, section 2; ingress-nginx's use-proxy-protocol).
"""

from __future__ import annotations

import re

from kubereach.build.leaves import Leaves
from kubereach.model.attribute import PROXY_PROTOCOL
from kubereach.model.fact import Fact, LogEvent, Setting
from kubereach.model.kube_object import KubeObject, ObjectKey

_NAME = r"proxy[-_. ]?protocol"
_OFF = r"\s*(?:false|no|off|disabled|none|0)?\s*$"


def put_proxy_protocol(objects: dict[ObjectKey, KubeObject], facts: tuple[Fact, ...], leaves: Leaves) -> None:
    """Put the leaf from settings, annotations, statements and the error log."""
    for (kind, _, _), entry in objects.items():
        if kind not in {"ConfigMap", "Service"}:
            continue
        for path, leaf in entry.fields.items():
            if re.search(_NAME, path, re.IGNORECASE) and not re.match(_OFF, str(leaf.value), re.IGNORECASE):
                leaves.put("cluster", PROXY_PROTOCOL, value=True, origins=(leaf.origin,), trust=leaf.trust)
    for fact in facts:
        if isinstance(fact, LogEvent) and "proxy-protocol" in fact.event:
            leaves.put("cluster", PROXY_PROTOCOL, value=True, origins=(fact.origin,), trust=fact.trust)
        elif isinstance(fact, Setting) and fact.subject.partition("/")[0] in {"cluster", "service", "load-balancer"}:
            said = f"{fact.attribute}: {fact.value}"
            denied = re.search(r"\b(?:no|not|off|false|dis\w{2,8}|without)\b", said)
            if re.search(_NAME, said, re.IGNORECASE) and not denied:
                leaves.put("cluster", PROXY_PROTOCOL, value=True, origins=(fact.origin,), trust=fact.trust)
