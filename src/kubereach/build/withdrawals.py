"""Why MetalLB's speakers say that they do not announce the address, in their own log.

The last word of each speaker counts (`event` serviceAnnounced or serviceWithdrawn with its `reason`, metallb.md section
4; speaker/main.go, bgp_controller.go, layer2_controller.go). A speaker whose pod nothing places speaks for a node that
nobody knows, so that a reason which concerns single nodes counts where every speaker that was heard gives it.
"""

from __future__ import annotations

from kubereach.build.hosts import Hosts
from kubereach.build.leaves import Leaves
from kubereach.model.attribute import ENDPOINTS, EXCLUDED, NO_ADVERTISEMENT, POLICY, why
from kubereach.model.fact import AnyFact, LogEvent
from kubereach.model.network import Flow

_EXCLUDED, _UNSELECTED = "nodeLabeledExcludeBalancers", "noMatchingAdvertisement"
_NOWHERE, _ELSEWHERE = "noEndpoints", "noLocalEndpoints"


def put_withdrawals(observed: tuple[AnyFact, ...], flow: Flow, hosts: Hosts, leaves: Leaves) -> None:
    """Put what the speakers' reasons decide; a leaf that is known stands."""
    last: dict[str, LogEvent] = {}
    for fact in observed:
        if isinstance(fact, LogEvent) and fact.program.startswith("metallb") and _concerns(fact, flow):
            last[fact.device] = fact
    reasons = {device: _reason(fact) for device, fact in last.items()}
    for device, fact in last.items():
        alike = set(reasons.values()) == {reasons[device]}
        silent = set(reasons.values()) <= {_EXCLUDED, _ELSEWHERE}  # who has no pod would not announce anyway
        if reasons[device] == _EXCLUDED and (device in hosts.nodes or silent):
            for node in [device] if device in hosts.nodes else hosts.nodes:
                leaves.put(node, EXCLUDED, value=True, origins=(fact.origin,))
                leaves.put(node, why(EXCLUDED), "its speaker withdraws: the node is labelled", (fact.origin,))
        elif reasons[device] == _UNSELECTED and alike and leaves.get("cluster", NO_ADVERTISEMENT) is None:
            leaves.put("cluster", NO_ADVERTISEMENT, value=True, origins=(fact.origin,))
            leaves.put("cluster", why(NO_ADVERTISEMENT), "no advertisement matches, say the speakers", (fact.origin,))
        elif reasons[device] == _NOWHERE and leaves.get(flow.service, ENDPOINTS) is None:
            leaves.put(flow.service, ENDPOINTS, (), (fact.origin,))
        elif reasons[device] == _ELSEWHERE and leaves.get(flow.service, POLICY) is None:
            leaves.put(flow.service, POLICY, "Local", (fact.origin,))  # under Cluster no speaker asks where pods run


def _concerns(fact: LogEvent, flow: Flow) -> bool:
    fields = dict(fact.fields)
    mine = fact.event in {"serviceAnnounced", "serviceWithdrawn"}
    named = f"service/{fields.get('service', '')}" == flow.service
    return mine and (named or flow.address in _addresses(fields))


def _addresses(fields: dict[str, str]) -> set[str]:
    texts = (fields.get("ip", ""), fields.get("ips", ""))
    return {word.strip(' "[]') for text in texts for word in text.split(",")} - {""}


def _reason(fact: LogEvent) -> str:
    return "" if fact.event == "serviceAnnounced" else dict(fact.fields).get("reason", "")
