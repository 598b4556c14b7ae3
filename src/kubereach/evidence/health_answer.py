"""What kube-proxy's answer on a health check node port says of its service.

kube-proxy serves the port for services of type LoadBalancer under policy Local alone, and its body names the service
(kubernetes pkg/proxy/healthcheck/service_health.go). So the answer shows the policy and the port, whatever it counts.
"""

from __future__ import annotations

import re

from kubereach.evidence.capture import Capture
from kubereach.model.fact import ObjectLeaf

# Printed on one line, or indented with tabs; the program's own order of keys.
_BODY = (
    r'\{\s{0,9}"service":\s?\{\s{0,9}"namespace":\s?"([a-z0-9-]{1,63})",\s{0,9}"name":\s?"([a-z0-9-]{1,63})"\s{0,9}\},'
    r'\s{0,9}"localEndpoints":\s?\d{1,6}\b'
)


def leaves(capture: Capture, first: int, end: int, port: int | None) -> tuple[ObjectLeaf, ...]:
    """The service's fields that an answer in the lines `first` to `end` (exclusive) shows, when it came from `port`."""
    match = re.search(_BODY, "\n".join(capture.lines[first:end][:60]))
    if match is None or port is None:
        return ()
    shown = (("externalTrafficPolicy", "Local"), ("healthCheckNodePort", port), ("type", "LoadBalancer"))
    return tuple(
        ObjectLeaf(
            origin=capture.origin(first, end),
            trust=capture.trust,
            taken=capture.taken,
            kind="Service",
            namespace=match[1],
            name=match[2],
            path=f"spec.{field}",
            value=value,
        )
        for field, value in shown
    )
