"""What the speakers' own words for not announcing decide."""

from __future__ import annotations

import json

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a
from kubereach.model.network import Network

TRIED = "me@laptop:~$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n\n"
COMMAND = "$ kubectl logs -n metallb-system -l component=speaker --prefix --tail=-1\n"


def _line(pod: str, reason: str, address: str = "203.0.113.9") -> str:
    event = {"event": "serviceWithdrawn", "reason": reason, "msg": "withdrawing service announcement"}
    if not reason:
        event = {"event": "serviceAnnounced", "msg": "service has IP, announcing"}
    about = {"ip" if reason else "ips": [address], "service": "web/shop", "protocol": "bgp", "level": "info"}
    return f"[pod/speaker-{pod}/speaker] " + json.dumps({"ts": "2024-05-02T09:20:11Z", **event, **about})


def _built(*lines: str) -> Network:
    text = TRIED + COMMAND + "\n".join(lines) + "\n"
    return build(read_evidence([Document("post.txt", text.encode())]).facts)


def _excluded(network: Network) -> set[str]:
    return {node for node in network.nodes if network.seen(node, a.EXCLUDED)}


def test_a_label_counts_for_all_nodes_where_every_speaker_names_it() -> None:
    network = _built(_line("aaaaa", "nodeLabeledExcludeBalancers"), _line("bbbbb", "nodeLabeledExcludeBalancers"))
    assert _excluded(network) == set(network.nodes)
    assert _excluded(_built(_line("aaaaa", "nodeLabeledExcludeBalancers"), _line("bbbbb", "notOwner"))) == set()


def test_the_last_word_of_a_speaker_counts() -> None:
    back = _built(_line("aaaaa", "nodeLabeledExcludeBalancers"), _line("aaaaa", ""))
    assert _excluded(back) == set()


def test_no_advertisement_no_endpoint_and_policy_local() -> None:
    assert _built(_line("aaaaa", "noMatchingAdvertisement")).seen("cluster", a.NO_ADVERTISEMENT)
    empty = _built(_line("aaaaa", "noEndpoints"))
    assert empty.seen(empty.flow.service, a.ENDPOINTS) == ()
    local = _built(_line("aaaaa", "noLocalEndpoints"))
    assert local.seen(local.flow.service, a.POLICY) == "Local"


def test_another_address_says_nothing() -> None:
    other = _built(_line("aaaaa", "noEndpoints", address="203.0.113.77"))
    assert other.seen(other.flow.service, a.ENDPOINTS) is None
