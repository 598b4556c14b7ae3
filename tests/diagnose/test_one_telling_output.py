"""A failing test and one output that tells: the cause that it tells of leads, or is among the first three."""

from __future__ import annotations

import pytest

from kubereach.evidence.document import Document
from kubereach.pipeline import Options, diagnose

TRIED = "me@laptop:~$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 milliseconds\n\n"
DIRECT_RETURN = """$ kubectl get cm -n kube-system cilium-config -o yaml
apiVersion: v1
data:
  bpf-lb-mode: dsr
  enable-bgp-control-plane: 'true'
  kube-proxy-replacement: 'true'
kind: ConfigMap
metadata:
  name: cilium-config
  namespace: kube-system
"""
NO_AGENTS = """$ kubectl get pods -A -o wide
NAMESPACE     NAME                              READY   STATUS    RESTARTS   AGE   IP            NODE
apps          docs-7d4b9c6f88-r5t66             1/1     Running   0          6d    10.244.1.29   w1
kube-system   cilium-operator-7c9f6d5b8-jvcj5   1/1     Running   0          3d    10.244.3.9    w3
kube-system   coredns-76f75df574-v2jpv          1/1     Running   0          12d   10.244.3.10   w3
"""
FILTER = """$ kubectl get bgpfilters -o yaml
apiVersion: v1
items:
- apiVersion: crd.projectcalico.org/v1
  kind: BGPFilter
  metadata:
    name: routes
  spec:
    exportV4:
    - action: Reject
      cidr: 10.0.0.0/30
      matchOperator: NotIn
kind: List
"""
MESH = """root@m1:~# kubectl -n calico-system exec calico-node-vch94 -c calico-node -- birdcl show protocols all
BIRD v0.3.3+birdv1.6.8 ready.
name     proto    table    state  since       info
static1  Static   master   up     09:12:44
Mesh_10_8_0_3 BGP      master   up     09:12:44    Established
Mesh_10_8_0_4 BGP      master   up     09:12:44    Established
Global_192_0_2_1 BGP      master   up     09:12:44    Established
  Description:    Connection to BGP peer
  BGP state:          Established
    Neighbor address: 192.0.2.1
    Neighbor AS:      65530
    Source address:   192.0.2.86
"""
NO_NEIGHBOUR = """router# show bgp summary
% No BGP neighbors found in VRF default

root@w1:~# ip -br addr
lo               UNKNOWN        127.0.0.1/8
eth0             UP             192.0.2.11/24
"""


@pytest.mark.parametrize(
    ("output", "code", "within"),
    [
        (DIRECT_RETURN, "direct-return-dropped", 1),
        (NO_AGENTS, "announcing-agent-down", 1),
        (FILTER, "calico-bgpfilter-rejects-service", 1),
        (MESH, "bgp-wrong-source-address", 1),
        (NO_NEIGHBOUR, "router-no-announcer", 3),
    ],
)
def test_the_cause_is_found(output: str, code: str, within: int) -> None:
    found = diagnose([Document("post.txt", (TRIED + output).encode())], Options())
    codes = list(dict.fromkeys(cause.code for cause in found.causes))
    assert code in codes[:within], codes[:5]
