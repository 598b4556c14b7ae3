from __future__ import annotations

from pathlib import Path

import pytest

from kubereach.cli.plugin import is_resource, words


@pytest.mark.parametrize("word", ["svc/web", "service/web", "Service/web", "services.v1/web", "ing/a.b", "po/x-1"])
def test_resources_of_kubectl(word: str) -> None:
    assert is_resource(word)


@pytest.mark.parametrize("word", ["svc", "svc/", "svc/a/b", "./svc/web", "outputs/post.txt", "-", "--help", "svc/Ä"])
def test_what_is_no_resource(word: str) -> None:
    assert not is_resource(word)


def test_a_resource_means_live_only_as_the_plugin() -> None:
    assert words(["/usr/bin/kubectl-reach", "svc/web", "-n", "x"]) == (
        "kubectl reach",
        ["diagnose", "--live", "svc/web", "-n", "x"],
    )
    assert words(["/usr/bin/kubereach", "svc/web"]) == ("kubereach", ["svc/web"])


def test_paths_and_verbs_work_as_the_plugin(tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.touch()
    assert words(["kubectl-reach", str(post)]) == ("kubectl reach", ["diagnose", str(post)])
    assert words(["kubectl-reach.exe", "-"]) == ("kubectl reach", ["diagnose", "-"])
    assert words(["kubectl-reach", "diagnose", "x"]) == ("kubectl reach", ["diagnose", "x"])
    assert words(["kubectl-reach"]) == ("kubectl reach", [])
