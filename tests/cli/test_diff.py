"""`kubereach diff`: what changed between two collections, and which change made the difference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.cli.running import assert_two_lines, run

EXAMPLES = Path(__file__).parents[2] / "examples"
FOUNDING = EXAMPLES / "founding-case" / "bundle"
REPAIRED = EXAMPLES / "founding-case-repaired" / "bundle"

CLUSTER = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}, status: {addresses: [{type: InternalIP, address: 10.0.0.11}]}}
- {apiVersion: v1, kind: Node, metadata: {name: b}, status: {addresses: [{type: InternalIP, address: 10.0.0.12}]}}
- apiVersion: v1
  kind: Service
  metadata: {name: front, namespace: shop, resourceVersion: "17"}
  spec:
    type: LoadBalancer
    externalTrafficPolicy: Local
    ports: [{port: 80, protocol: TCP, targetPort: 8080}]
  status: {loadBalancer: {ingress: [{ip: 203.0.113.10}]}}
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: front-x1, namespace: shop, labels: {kubernetes.io/service-name: front}}
  addressType: IPv4
  ports: [{port: 8080, protocol: TCP}]
  endpoints: [{addresses: [10.42.0.5], nodeName: a, conditions: {ready: true}}]
- {apiVersion: metallb.io/v1beta1, kind: BGPAdvertisement, metadata: {name: all, namespace: metallb-system}, spec: {}}
"""
STATED = """\
- {subject: cluster, attribute: kube-proxy.mode, value: iptables}
- {subject: cluster, attribute: kubernetes.version, value: v1.30.1}
"""
SERVICES = """\
NAMESPACE   NAME    TYPE           CLUSTER-IP   EXTERNAL-IP    PORT(S)        AGE
shop        front   LoadBalancer   10.43.0.20   203.0.113.10   80:30080/TCP   3d
"""


def _bundle(folder: Path, manifest: str, result: str, **files: str) -> str:
    folder.mkdir()
    (folder / "kubectl-get-all-o-yaml.yaml").write_text(manifest)
    (folder / "stated.yaml").write_text(STATED)
    (folder / "observed.yaml").write_text(
        f'- {{probe: http, from: 192.0.2.7, to: "203.0.113.10:80", result: {result}}}\n'
    )
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.txt").write_text(text)
    return str(folder)


def _differ(before: str | Path, after: str | Path) -> tuple[dict[str, Any], int]:
    done = run("diff", str(before), str(after), "-o", "json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(run("schema", "diff").stdout), jsonschema.Draft202012Validator)
    return found, done.returncode


def _changed(found: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    return {(c["subject"], c["what"]): (c["change"], c["before"], c["after"]) for c in found["evidence"]}


def test_the_founding_case_and_its_repair() -> None:
    found, status = _differ(FOUNDING, REPAIRED)
    assert (found["verdict_before"], found["verdict_after"], status) == ("unreachable", "reachable", 1)
    changed = _changed(found)
    assert changed["client", "tcp 10.99.8.20:80"] == ("changed", "filtered", "open")
    assert changed["Installation/default/default", "status.conditions.Ready"][2] == "True: All objects available"
    first, second = found["explained_by"][:2]
    assert "bgp-session-blocked" in first["changes"][0]
    assert "announcing-agent-down" in second["changes"][0]
    assert any("the router has 10.99.8.20/32" in reason["says"] for reason in first["because"])
    assert found["undecided"], "what had been wrong was not decided, and still is not"
    sided = {(s["kind"], s["subject"], s["what"], s["only_in"]) for s in found["not_comparable"]}
    assert ("route", "router", "main 10.99.8.20/32", "after") in sided, "before there was an excerpt of the table only"
    assert ("probe", "node/atlas-w1", "arp 10.99.8.20", "before") in sided
    assert not [c for c in found["evidence"] if c["subject"].startswith("Pod/calico-system")], "never listed before"
    names = {c["subject"] for c in found["evidence"]} | {s["subject"] for s in found["not_comparable"]}
    assert "node/10.40.7.11" not in names, "the second bundle says whose address that is"


def test_of_two_changes_the_one_that_matters(tmp_path: Path) -> None:
    before = _bundle(tmp_path / "before", CLUSTER, "reply")
    later = CLUSTER.replace("ready: true", "ready: false").replace("Policy: Local", "Policy: Cluster")
    after = _bundle(tmp_path / "after", later.replace('"17"', '"18"'), "refused")
    found, status = _differ(before, after)
    assert (found["verdict_before"], found["verdict_after"], status) == ("reachable", "unreachable", 1)
    leaves = {change["leaf"] for change in found["model"]}
    assert len(leaves) >= 2
    (explanation,) = found["explained_by"]
    assert explanation["probability"] >= 0.8
    assert explanation["changes"] == ["service/shop/front endpoints: 10.42.0.5 on a → 10.42.0.5 on a, not ready"]
    assert not [what for _, what in _changed(found) if "resourceVersion" in what]
    text = run("diff", before, after).stdout
    assert text.startswith("REACHABLE → UNREACHABLE: service/shop/front endpoints")


def test_a_pair_of_changes_where_neither_is_enough(tmp_path: Path) -> None:
    """Policy Cluster needs the mesh, and the mesh alone leaves the source untranslated."""
    shutil.copytree(FOUNDING, tmp_path / "after")
    for name, old, new in (
        ("kubectl-describe-bgpconfiguration.txt", "Mesh Enabled:  false", "Mesh Enabled:  true"),
        (
            "kubectl-describe-service-storefront.txt",
            "External Traffic Policy:  Local",
            "External Traffic Policy:  Cluster",
        ),
        ("observed.yaml", "result: timeout", "result: reply"),
        ("nmap.laptop.txt", "80/tcp  filtered", "80/tcp  open"),
    ):
        path = tmp_path / "after" / name
        assert old in path.read_text(), name
        path.write_text(path.read_text().replace(old, new))
    found, _ = _differ(FOUNDING, tmp_path / "after")
    assert found["verdict_after"] == "reachable"
    sets = [" and ".join(e["changes"]) for e in found["explained_by"] if e["probability"] >= 0.5]
    assert any("nodeToNodeMeshEnabled" in s and "externalTrafficPolicy" in s for s in sets), found["explained_by"]


def test_what_was_not_collected_is_not_removed_and_what_a_whole_list_lacks_is(tmp_path: Path) -> None:
    two = SERVICES + "shop        back    LoadBalancer   10.43.0.21   203.0.113.11   80:30081/TCP   3d\n"
    before = _bundle(tmp_path / "before", CLUSTER, "reply", kubectl_get_svc_A=two, ip_neigh_a="10.0.0.1 dev eth0")
    same = _bundle(tmp_path / "same", CLUSTER, "reply")
    found, status = _differ(before, same)
    assert status == 0
    assert not [c for c in found["evidence"] if c["change"] == "removed"]
    assert ("Service/shop/back", "before") in {(s["subject"], s["only_in"]) for s in found["not_comparable"]}
    listed = _bundle(tmp_path / "listed", CLUSTER, "reply", kubectl_get_svc_A=SERVICES)
    found, status = _differ(before, listed)
    assert _changed(found)["Service/shop/back", ""][0] == "removed"
    found, _ = _differ(listed, before)
    assert _changed(found)["Service/shop/back", ""][0] == "added"


def test_the_same_twice_differs_in_nothing() -> None:
    found, status = _differ(FOUNDING, FOUNDING)
    assert status == 0
    assert [found[key] for key in ("evidence", "model", "explained_by", "undecided", "not_comparable")] == [[]] * 5
    assert "nothing that both bundles show has changed" in run("diff", str(FOUNDING), str(FOUNDING)).stdout


def test_what_cannot_be_decided_is_said(tmp_path: Path) -> None:
    """The second bundle holds no attempt of the client's, and nothing of the sessions."""
    after = tmp_path / "after"
    after.mkdir()
    for name in ("kubectl-describe-service-storefront.txt", "kubectl-get-endpoints.txt"):
        shutil.copy(FOUNDING / name, after)
    found, status = _differ(FOUNDING, after)
    assert status == 3
    assert found["verdict_after"] == "undetermined"
    assert found["undecided"]
    assert not [c for c in found["evidence"] if c["change"] == "removed"]


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_every_form_names_the_origins(form: str) -> None:
    done = run("diff", str(FOUNDING), str(REPAIRED), "-o", form)
    assert done.returncode == 1
    assert "nmap.laptop.txt:7" in done.stdout.replace("&#58;", ":")


def test_usage_errors(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("Nothing here.\n")
    for words, status in (((str(FOUNDING),), 2), ((str(FOUNDING), "nowhere"), 2), ((str(FOUNDING), str(empty)), 4)):
        done = run("diff", *words)
        assert done.returncode == status
        assert_two_lines(done)


def test_one_fault_of_two_is_gone() -> None:
    """The flow fails as before, and elsewhere: that is what the first repair did."""
    folder = EXAMPLES / "two-faults-on-a-new-node"
    found, status = _differ(folder / "bundle", folder / "after-the-first-repair")
    assert (found["verdict_before"], found["verdict_after"], status) == ("unreachable", "unreachable", 0)
    assert (found["ends_before"], found["ends_after"]) == (
        "the router has no route to the address",
        "at hazel-3: FORWARD drops it",
    )
    assert "bgp-session-blocked" in found["explained_by"][0]["changes"][0]
    assert _changed(found)["router", "10.73.2.13"] == ("added", None, "Established, 1 prefixes received")


def test_a_bundle_of_another_service() -> None:
    done = run("diff", str(FOUNDING), str(EXAMPLES / "policy-denies" / "post.txt"))
    assert done.returncode == 2
    assert_two_lines(done)
    assert "in the second bundle, the evidence shows no service default/storefront" in done.stderr
