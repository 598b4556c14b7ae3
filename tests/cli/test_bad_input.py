"""Input that cannot be read, or only in part: what to do next is said, and nothing ever ends in a traceback."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

NOISE = random.Random(5).randbytes(4096)
FOREIGN = """\
Guten Tag, seit gestern komme ich nicht mehr auf meine Seite. Der Browser zeigt nichts an, und der Kollege sagt, es
liege am Netz. Was soll ich tun?

Здравствуйте, страница не открывается уже второй день, помогите пожалуйста.
ページが開きません。どうすればよいですか。
"""
HALF_A_TABLE = """\
$ kubectl get svc -A
NAMESPACE     NAME         TYPE           CLUSTER-IP      EXTERNAL-IP    PORT(S)
default       kubernetes   ClusterIP      10.96.0.1       <none>         443/TCP
shop          fro
"""
CUT_YAML = """\
apiVersion: v1
kind: Service
metadata:
  name: front
  namespace: shop
spec:
  externalTrafficPolicy: Local
  ports:
  - name: http
    nodePort: 31
    po"""
CUT_JSON = '{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Service", "metadata": {"name": "fr'
ADVICE = "Try this:\n\n$ kubectl -n kube-system logs ds/kube-proxy\n$ birdcl show protocols\n"


def _run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kubereach", "diagnose", *words],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def _says_what_to_do_next(done: subprocess.CompletedProcess[bytes]) -> None:
    assert b"Traceback" not in done.stdout + done.stderr
    if done.returncode == 4:
        first, second = done.stderr.decode().splitlines()
        assert first.startswith("error: ")
        assert second.startswith("next:  ")
        assert len(second) > 20
        assert done.stdout == b""
    else:
        assert done.returncode == 3, (done.returncode, done.stderr)
        assert done.stderr == b""
        report = json.loads(done.stdout)
        assert report["verdict"] == "undetermined"
        assert report["next_probes"] or report["missing"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n\t\n\r\n",
        NOISE,
        b"\x00" * 2000,
        b"\x7fELF\x02\x01\x01" + NOISE,
        FOREIGN.encode(),
        FOREIGN.encode("utf-16"),
        FOREIGN.encode("koi8-r", "ignore"),
        HALF_A_TABLE.encode(),
        CUT_YAML.encode(),
        CUT_JSON.encode(),
        b"{" * 5000,
        b"- " * 5000,
        b"&a [*a, *a]\n" * 20,
        b"x" * 1_000_000,
        b"$ " * 20_000,
        b"observed\n- {probe: http, from: ",
        ADVICE.encode(),
    ],
    ids=[
        "empty",
        "blank",
        "noise",
        "nulls",
        "program",
        "prose",
        "prose-utf16",
        "prose-koi8",
        "half-a-table",
        "cut-yaml",
        "cut-json",
        "braces",
        "dashes",
        "aliases",
        "one-line",
        "prompts",
        "cut-observed",
        "advice",
    ],
)
def test_input_that_says_nothing_exits_3_or_4_with_a_next_step(content: bytes, tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_bytes(content)
    by_name = _run(str(post), "-o", "json")
    _says_what_to_do_next(by_name)
    piped = _run("-", "-o", "json", stdin=content)
    _says_what_to_do_next(piped)
    assert piped.returncode == by_name.returncode


@pytest.mark.parametrize(
    "names", [("stated.yaml",), ("observed.yaml",), ("kubectl-get-svc-o-yaml.yaml",), ("ip-route.txt", "ping.txt")]
)
def test_files_whose_names_promise_more_than_they_hold(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(NOISE[:600] + b"\n- {subject: cluster\n")
    _says_what_to_do_next(_run(str(tmp_path), "-o", "json"))


def test_half_a_table_keeps_its_half_and_shows_the_rest(tmp_path: Path) -> None:
    """The cut row is listed as not understood, with its place."""
    post = tmp_path / "post.txt"
    post.write_text(HALF_A_TABLE + "\n$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 ms\n")
    done = _run(str(post), "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode in {1, 3}
    assert any(span["origin"] == "post.txt:4" for span in report["unread"])
    assert report["target"]["address"] == "203.0.113.9"


def test_a_readable_file_beside_unreadable_ones_still_counts(tmp_path: Path) -> None:
    (tmp_path / "screenshot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + NOISE)
    (tmp_path / "broken.yaml").write_text(CUT_YAML)
    (tmp_path / "observed.yaml").write_text('- {probe: http, from: client, to: "203.0.113.9:80", result: timeout}\n')
    done = _run(str(tmp_path), "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode in {1, 3}
    assert report["target"]["address"] == "203.0.113.9"
    assert "screenshot.png is a picture: paste what it shows as text." in report["missing"]
    assert [span["origin"] for span in report["unread"]] == ["broken.yaml:11"]
