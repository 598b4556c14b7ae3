"""`kubereach what-if`: a change is put into the evidence, and everything walks again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.running import assert_two_lines, run

EXAMPLES = Path(__file__).parents[2] / "examples"
FOUNDING = str(EXAMPLES / "founding-case" / "bundle")
REPAIRED = str(EXAMPLES / "founding-case-repaired" / "bundle")
IPV6 = str(EXAMPLES / "ipv6-peer-refuses" / "bundle")
CLUSTER = "service/default/storefront.spec.externalTrafficPolicy=Cluster"
NO_ROUTE = "nobody tells the node where the other's pods are"

# Two services behind MetalLB over BGP, each with one pod, on different nodes.
SHOP = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}, status: {addresses: [{type: InternalIP, address: 10.0.0.11}]}}
- {apiVersion: v1, kind: Node, metadata: {name: b}, status: {addresses: [{type: InternalIP, address: 10.0.0.12}]}}
"""
SERVICE = """\
- apiVersion: v1
  kind: Service
  metadata: {name: NAME, namespace: shop}
  spec:
    type: LoadBalancer
    externalTrafficPolicy: Local
    ports: [{port: 80, protocol: TCP, targetPort: 8080, nodePort: 30080}]
  status: {loadBalancer: {ingress: [{ip: ADDRESS}]}}
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: NAME-x1, namespace: shop, labels: {kubernetes.io/service-name: NAME}}
  addressType: IPv4
  ports: [{port: 8080, protocol: TCP}]
  endpoints: [{addresses: [POD], nodeName: NODE, conditions: {ready: true}}]
"""
METALLB = """\
- apiVersion: metallb.io/v1beta1
  kind: BGPAdvertisement
  metadata: {name: all, namespace: metallb-system}
  spec: {}
"""


def _service(name: str, address: str, pod: str, node: str) -> str:
    text = SERVICE
    for word, value in (("NAME", name), ("ADDRESS", address), ("POD", pod), ("NODE", node)):
        text = text.replace(word, value)
    return text


@pytest.fixture
def shop(tmp_path: Path) -> str:
    folder = tmp_path / "shop"
    folder.mkdir()
    services = (_service("front", "203.0.113.10", "10.42.0.5", "a"), _service("back", "203.0.113.11", "10.42.1.5", "b"))
    (folder / "kubectl-get-all-o-yaml.yaml").write_text(SHOP + "".join(services) + METALLB)
    (folder / "observed.yaml").write_text('- {probe: http, from: 192.0.2.7, to: "203.0.113.10:80", result: reply}\n')
    (folder / "stated.yaml").write_text(
        "- {subject: cluster, attribute: kube-proxy.mode, value: iptables}\n"
        "- {subject: cluster, attribute: kubernetes.version, value: v1.30.1}\n"
    )
    return str(folder)


def _asked(*words: str) -> tuple[dict[str, Any], int]:
    done = run("what-if", *words, "-o", "json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(run("schema", "what-if").stdout), jsonschema.Draft202012Validator)
    return found, done.returncode


def _side(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["effect"], row["before"]["result"], row["after"]["result"]


def _rows(found: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str, str]]:
    return {(r["service"], v): _side(r) for r in found["rows"] for v in r["via"] or ("as routed",)}


def test_policy_cluster_does_not_help_without_routes_to_the_pods() -> None:
    found, status = _asked(FOUNDING, "--set", CLUSTER)
    assert status == 1
    assert _side(found["flow"]) == ("stays", "fails", "fails")
    assert NO_ROUTE in found["flow"]["after"]["why"]
    assert found["changes"][0]["before"] == "Local"
    assert found["changes"][0]["origin"].startswith("kubectl-describe-service-storefront.txt:")
    vias = {via for _, via in _rows(found)}
    assert vias == {"as routed", "node/atlas-w1", "node/10.40.7.11"}


def test_and_does_with_the_mesh_only_if_the_agent_runs() -> None:
    mesh = "bgpconfiguration/default.spec.nodeToNodeMeshEnabled=true"
    both, status = _asked(FOUNDING, "--set", CLUSTER, "--set", mesh)
    assert status == 3, "where calico-node is down on the worker, which the evidence leaves open, the mesh tells nobody"
    assert _side(both["flow"]) == ("open", "fails", "insufficient information")
    alone, status = _asked(FOUNDING, "--set", mesh)
    assert status == 1
    assert "the pod's own address" in alone["flow"]["after"]["why"], "untranslated, it is lost on the way back"


def test_the_policy_alone_mends_a_bundle_with_a_mesh_only_if_the_agent_runs(tmp_path: Path) -> None:
    for file in Path(FOUNDING).iterdir():
        text = file.read_text().replace("Node To Node Mesh Enabled:  false", "Node To Node Mesh Enabled:  true")
        (tmp_path / file.name).write_text(text)
    found, status = _asked(str(tmp_path), "--set", CLUSTER)
    assert (_side(found["flow"]), status) == (("open", "fails", "insufficient information"), 3)


def test_a_node_that_goes_takes_the_service_with_it_that_runs_there_alone(shop: str) -> None:
    found, status = _asked(shop, "--down", "node/b")
    rows = _rows(found)
    assert rows["shop/front", "as routed"] == ("stays", "works", "works")
    assert rows["shop/back", "as routed"] == ("breaks", "works", "fails")
    assert status == 1, "the flow works, and another service breaks"
    assert next(r for r in found["rows"] if r["via"] == ["node/b"])["after"]["why"] == "b is down"
    text = run("what-if", shop, "--down", "b").stdout
    assert "BREAKS\n• shop/back at 203.0.113.11:80, as routed: works → fails" in text


def test_manifests_replace_the_fields_that_they_give(shop: str, tmp_path: Path) -> None:
    manifest = tmp_path / "repair.yaml"
    manifest.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: back, namespace: shop}\n"
        "spec: {externalTrafficPolicy: Cluster}\nstatus: {loadBalancer: {}}\n"
    )
    found, _ = _asked(shop, "--apply", str(manifest), "--service", "shop/back")
    assert [(c["path"], c["before"], c["after"]) for c in found["changes"]] == [
        ("spec.externalTrafficPolicy", "Local", "Cluster")
    ]
    rows = _rows(found)
    assert rows["shop/back", "node/a"] == ("cleared", "fails", "works")
    assert rows["shop/front", "node/b"] == ("stays", "fails", "fails")


def test_what_a_change_takes_away_no_longer_counts() -> None:
    """The router's refusal rests on two AS numbers that differ; with equal ones nothing of it is left."""
    found, status = _asked(IPV6, "--set", "bgpconfiguration/default.spec.asNumber=64890")
    assert (_side(found["flow"]), status) == (("cleared", "fails", "works"), 0)


def test_one_end_of_a_session_alone_decides_nothing() -> None:
    found, status = _asked(REPAIRED, "--set", "bgpconfiguration/default.spec.asNumber=64999")
    assert (_side(found["flow"]), status) == (("open", "works", "insufficient information"), 3)
    assert any("bgp" in command for command in found["flow"]["after"]["settled_by"])


def test_unknown_stays_unknown_on_both_sides(tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text(
        "$ kubectl get svc -n shop front\n"
        "NAME    TYPE           CLUSTER-IP    EXTERNAL-IP    PORT(S)        AGE\n"
        "front   LoadBalancer   10.43.0.20    203.0.113.10   80:30080/TCP   3d\n\n"
        "$ kubectl get nodes\nNAME   STATUS   ROLES    AGE   VERSION\n"
        "a      Ready    <none>   3d    v1.30.1\nb      Ready    <none>   3d    v1.30.1\n"
    )
    found, status = _asked(str(post), "--down", "node/a")
    assert status == 3
    assert _side(found["flow"]) == ("open", *["insufficient information"] * 2)
    for side in ("before", "after"):
        assert found["flow"][side]["settled_by"]


def test_services_of_one_fate_stand_together(shop: str) -> None:
    folder = Path(shop)
    more = "".join(_service(f"more-{i}", f"203.0.113.{20 + i}", f"10.42.1.{20 + i}", "b") for i in range(40))
    (folder / "kubectl-get-all-o-yaml.yaml").write_text(
        (folder / "kubectl-get-all-o-yaml.yaml").read_text().replace(METALLB, more + METALLB)
    )
    found, _ = _asked(shop, "--down", "node/b")
    broken = [r for r in found["rows"] if r["effect"] == "breaks" and not r["via"]]
    assert sorted(len(r["alike"]) + 1 for r in broken) == [41]


def test_what_stands_so_already_changes_nothing(shop: str) -> None:
    done = run("what-if", shop, "--set", "service/shop/front.spec.externalTrafficPolicy=Local")
    assert done.returncode == 0
    assert "stands at Local already" in done.stdout


@pytest.mark.parametrize(
    ("change", "says", "hint"),
    [
        ("service/shop/front.spec.externalTrafficPolicy=Clutser", "cannot be 'Clutser'", "Cluster, Local"),
        ("service/shop/front.spec.sessionAffinity=ClientIP", "does not depend on", "spec.externalTrafficPolicy"),
        ("service/shop/frnt.spec.externalTrafficPolicy=Local", "shows no service/shop/frnt", "shop/front"),
        ("node/c.sysctl net.ipv4.ip_forward=1", "shows no node/c", "node/a"),
        ("node/a.sysctl net.ipv4.tcp_sack=1", "does not depend on", "ip_forward"),
        ("cluster.kube-proxy.mode=fast", "cannot be 'fast'", "ipvs"),
        ("service/shop/front.spec.ports[0].port=http", "cannot be 'http'", "number"),
        ("shop/front", "not of the form", "--set"),
        ("widget/front.spec.x=1", "no kind", "kubectl"),
    ],
)
def test_what_is_not_understood_is_an_error_with_a_hint(shop: str, change: str, says: str, hint: str) -> None:
    done = run("what-if", shop, "--set", change)
    assert done.returncode == 2
    assert_two_lines(done)
    first, second = done.stderr.splitlines()
    assert says in first
    assert hint in second


def test_a_file_that_is_no_manifest_and_no_change_at_all(shop: str) -> None:
    done = run("what-if", shop, "--apply", str(EXAMPLES / "founding-case" / "README.md"))
    assert done.returncode == 4
    assert_two_lines(done)
    done = run("what-if", shop)
    assert done.returncode == 2
    assert_two_lines(done)


def test_settings_that_no_object_holds() -> None:
    found, _ = _asked(FOUNDING, "--set", "cluster.kube-proxy.mode=iptables")
    assert "no local endpoint" in found["flow"]["after"]["why"]
    found, _ = _asked(FOUNDING, "--set", "node/atlas-w1.sysctl net.ipv4.ip_forward=0")
    assert _rows(found)["default/storefront", "node/atlas-w1"] == ("breaks", "works", "fails")


def test_markdown_and_html_say_the_same() -> None:
    for form in ("markdown", "html"):
        done = run("what-if", FOUNDING, "--set", CLUSTER, "-o", form)
        assert done.returncode == 1
        assert "This change does not alter it" in done.stdout
