"""Outputs of two times in one bundle: neither is dropped in silence, and the flow is the one complained about."""

from __future__ import annotations

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis
from kubereach.pipeline import Options, diagnose

TRIED = "$ curl -m 5 http://192.168.8.40/\ncurl: (7) Failed to connect to 192.168.8.40 port 80: Connection refused\n"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web, resourceVersion: "81"}
spec:
  type: LoadBalancer
  clusterIP: 10.96.7.7
  externalTrafficPolicy: Cluster
  ports: [{port: 80, targetPort: 8080, protocol: TCP}]
  selector: {app: shop}
status: {loadBalancer: {INGRESS}}
"""
SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: shop-x7, namespace: web, labels: {kubernetes.io/service-name: shop}}
endpoints:
- {addresses: [10.244.1.9], conditions: {ready: true}, nodeName: w1}
ports: [{port: 8080}]
"""
NO_ENDPOINTS = "NAME   ENDPOINTS   AGE\nshop   <none>      9d\n"
TABLE = """\
NAMESPACE   NAME   TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE
web         shop   LoadBalancer   10.96.7.7    <pending>     80:30080/TCP   9d
web         old    LoadBalancer   10.96.7.8    192.168.8.40  80:30081/TCP   9d
"""
DESCRIBED = """\
Name:                     shop
Namespace:                web
Type:                     LoadBalancer
IP:                       10.96.7.7
LoadBalancer Ingress:     192.168.8.40
Port:                     http  80/TCP
"""


def _diagnosed(**texts: str) -> Diagnosis:
    names = {key: key.replace("__", ".").replace("_", "-") for key in texts}
    return diagnose([Document(names[key], text.encode()) for key, text in texts.items()], Options())


def test_either_list_of_endpoints_may_be_the_true_one() -> None:
    """The refusal fits an empty list; what the other list says is told as a contradiction."""
    found = _diagnosed(
        curl__client__txt=TRIED,
        kubectl_get_svc_n_web_shop_o_yaml__yaml=SERVICE.replace("INGRESS", "ingress: [{ip: 192.168.8.40}]"),
        kubectl_get_endpointslices_n_web_o_yaml__yaml=SLICE,
        kubectl_get_endpoints_n_web_shop__txt=NO_ENDPOINTS,
    )
    assert found.causes[0].class_ in {"pod-no-ready-endpoints", "pod-selector-mismatch"}
    assert any("10.244.1.9" in f"{c.expected} {c.seen}" for c in found.contradictions)


def test_an_address_that_most_outputs_lack_is_of_another_time() -> None:
    """Two outputs say that the service waits for its address, one shows one that another service has by now."""
    found = _diagnosed(
        kubectl_get_svc_A__txt=TABLE,
        kubectl_get_svc_n_web_shop_o_yaml__yaml=SERVICE.replace("{INGRESS}", "{}"),
        kubectl_describe_svc_n_web_shop__txt=DESCRIBED,
    )
    assert found.target.service == "web/shop"
    assert not found.target.address
    assert any("192.168.8.40" in f"{c.expected} {c.seen}" for c in found.contradictions)


def test_namespaces_that_only_begin_alike_stay_apart() -> None:
    """`team` and `team-shop` may both have a service `shop`: a table's own column says so, a file's name does not."""
    table = TABLE.replace("web         shop", "web-shop    shop").replace("web         old ", "web         shop")
    found = _diagnosed(kubectl_get_svc_A__txt=table, curl__client__txt=TRIED)
    assert found.target.service == "web/shop"
    assert found.target.address == "192.168.8.40"
