"""Input that cannot be read, or only in part: what to do next is said, and nothing ever ends in a traceback."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
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


ALIASES = "\n".join(
    ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: x}", "a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
)
MIXED = (
    b"$ kubectl get svc -A\n"
    + "Ünïcode\n".encode("latin-1")
    + "ワーカー\n".encode("cp932")
    + "ワーカー\n".encode()
    + "kaputt".encode("utf-16")
    + b"\nNAMESPACE   NAME    TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE\n"
    b"shop        front   LoadBalancer   10.96.1.1    203.0.113.9   80:30080/TCP   3d\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("aliases.yaml", ALIASES.encode()),
        ("observed.yaml", ALIASES.encode() + b"\n- {probe: ping, from: client, to: 10.0.0.1, result: *a39}\n"),
        ("deep.yaml", b"apiVersion: v1\nkind: Service\nspec: " + b"[" * 20_000 + b"]" * 20_000),
        ("deep.json", b'{"apiVersion": "v1", "kind": "List", "items": [' * 20_000),
        ("self.yaml", b"apiVersion: v1\nkind: Service\nmetadata: &m\n  name: x\n  <<: *m\nspec: &s {a: *s}\n"),
        ("noise.txt", b"".join(random.Random(3).choices((b"ab ", b"1.2.3.4 ", b": ", b"\n", b"-"), k=400_000))),
        ("blanks.txt", (b" " * 1500 + b"x\n") * 500),
        ("broken.pcap", b"\xd4\xc3\xb2\xa1" + NOISE),
        ("broken.pcapng", b"\x0a\x0d\x0d\x0a" + NOISE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_files_end_soon_and_in_little_memory(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    limited = f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({1 << 30}, {1 << 30})); "
    limited += "from kubereach.__main__ import main; sys.argv = ['kubereach', *sys.argv[1:]]; sys.exit(main())"
    words = [sys.executable, "-c", limited, "diagnose", str(path), "-o", "json"]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    _says_what_to_do_next(done)


def test_encodings_mixed_in_one_file_keep_what_can_be_read(tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_bytes(MIXED)
    report = json.loads(_run(str(post), "-o", "json").stdout)
    assert report["target"]["address"] == "203.0.113.9"


def test_an_archive_with_a_bomb_and_a_way_out_is_read_but_for_these(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.txt", "$ curl http://203.0.113.8/\ncurl: (7) Connection refused\n")
        archive.writestr("bomb.txt", b" \n" * (40 << 20))
        archive.writestr("post.txt", "$ curl -m 5 http://203.0.113.9/\ncurl: (28) Connection timed out after 5001 ms\n")
    report = json.loads(_run(str(path), "-o", "json").stdout)
    assert report["target"]["address"] == "203.0.113.9"
    assert {span["origin"] for span in report["unread"]} >= {"../../outside.txt", "bomb.txt"}
    assert not (tmp_path.parent / "outside.txt").exists()


def test_words_where_a_number_belongs(tmp_path: Path) -> None:
    attributes = (
        "nstat TcpExtIPReversePathFilter",
        "asNumber",
        "kubernetes.version",
        "mtu",
        "sysctl net.netfilter.nf_conntrack_count",
        "sysctl net.ipv4.conf.all.rp_filter",
        "spec.ports[0].port",
    )
    for value in ("many", "²", "-", "1e99", "'0x10'"):
        lines = [f"- {{subject: node/w1, attribute: {name!r}, value: {value}}}" for name in attributes]
        (tmp_path / "stated.yaml").write_text("\n".join(lines), encoding="utf-8")
        done = _run(str(tmp_path))
        assert done.returncode in {0, 1, 3, 4}
        assert b"Traceback" not in done.stderr, done.stderr.decode()
