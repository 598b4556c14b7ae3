"""Of a value that several outputs show differently, the one that most of them show stands."""

from __future__ import annotations

from kubereach.build.assemble import build
from kubereach.evidence.document import Document
from kubereach.evidence.intake import read_evidence
from kubereach.model import attribute as a

DESCRIBED = "Name: shop\nNamespace: web\nType: LoadBalancer\nIP: 10.96.0.7\nLoadBalancer Ingress: 198.51.100.{}\n"
DESCRIBED += "Port: http  80/TCP\nExternal Traffic Policy: Cluster\n"
LISTED = "NAMESPACE NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE\n"
LISTED += "web shop LoadBalancer 10.96.0.7 198.51.100.{} 80:30080/TCP 3d\n"
YAML = "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  namespace: web\nspec:\n  type: LoadBalancer\n"
YAML += "  ports:\n  - port: 80\nstatus:\n  loadBalancer:\n    ingress:\n    - ip: 198.51.100.{}\n"


def _address(described: int, listed: int, yaml: int) -> str:
    parts = (
        ("kubectl-describe-svc-n-web-shop.txt", DESCRIBED.format(described)),
        ("kubectl-get-svc-A.txt", LISTED.format(listed)),
        ("kubectl-get-svc-n-web-shop-o-yaml.yaml", YAML.format(yaml)),
    )
    network = build(read_evidence([Document(name, text.encode()) for name, text in parts]).facts)
    (address,) = network.seen("service/web/shop", a.ADDRESSES) or ()
    return address


def test_two_outputs_outvote_one_whichever_comes_first() -> None:
    assert _address(9, 8, 8) == "198.51.100.8"
    assert _address(8, 9, 8) == "198.51.100.8"
    assert _address(8, 8, 9) == "198.51.100.8"


def test_two_outputs_without_an_address_outvote_one_that_shows_it() -> None:
    pending = LISTED.replace("198.51.100.{}", "<pending>")
    without = "\n".join(line for line in DESCRIBED.splitlines() if "Ingress" not in line) + "\n"
    parts = (
        ("kubectl-describe-svc-n-web-shop.txt", without),
        ("kubectl-get-svc-A.txt", pending),
        ("kubectl-get-svc-n-web-shop-o-yaml.yaml", YAML.format(9)),
    )
    network = build(read_evidence([Document(name, text.encode()) for name, text in parts]).facts)
    assert network.seen("service/web/shop", a.ADDRESSES) == ()
