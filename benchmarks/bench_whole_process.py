"""Whole-process times as ratios to something real, taken in turns in one run: medians of 15.

`kubereach diagnose` on the founding case, `--version` and the bare interpreter, each beside `kubectl version --client`
(or, without kubectl, beside the bare interpreter). Then where the time of a diagnosis goes, stage by stage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
POST = ROOT / "examples/founding-case/post.txt"
RUNS = 15
KUBEREACH = (sys.executable, "-m", "kubereach")


# An installed package has its bytecode; so must what is measured.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def timed(command: tuple[str, ...]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=ENVIRONMENT)
    return time.perf_counter() - begin


def main() -> None:
    kubectl = shutil.which("kubectl")
    commands = {
        "kubectl version --client": (kubectl, "version", "--client") if kubectl else (sys.executable, "-c", "pass"),
        "python -c pass": (sys.executable, "-c", "pass"),
        "kubereach --version": (*KUBEREACH, "--version"),
        "kubereach diagnose -o json": (*KUBEREACH, "diagnose", str(POST), "-o", "json"),
        "kubereach diagnose": (*KUBEREACH, "diagnose", str(POST)),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            elapsed = timed(command)
            if turn:  # the first round warms the caches
                times[name].append(elapsed)
    base = median(times["kubectl version --client"])
    print(f"beside {'kubectl version --client' if kubectl else 'python -c pass'} ({base * 1000:.0f} ms):")
    for name, found in times.items():
        print(f"  {name:28} {median(found) * 1000:6.0f} ms  {median(found) / base:5.2f} x")
    stages()


def stages() -> None:
    begin = time.perf_counter()
    from kubereach.build.assemble import build
    from kubereach.diagnose.observe import collect
    from kubereach.diagnose.rank import rank
    from kubereach.diagnose.roles import judged
    from kubereach.evidence.document import Document
    from kubereach.evidence.intake import read_evidence
    from kubereach.pipeline import Options, diagnose

    marks = [("import", time.perf_counter() - begin)]
    document = Document(POST.name, POST.read_bytes())

    def mark(name: str, since: float) -> float:
        now = time.perf_counter()
        marks.append((name, now - since))
        return now

    begin = time.perf_counter()
    evidence = read_evidence([document])
    begin = mark("read evidence", begin)
    network = build(evidence.facts)
    begin = mark("build", begin)
    groups = collect(network)
    begin = mark("collect sightings", begin)
    ranking = rank(network, groups)
    begin = mark("rank", begin)
    judged(ranking)
    begin = mark("roles", begin)
    diagnose([document], Options())
    mark("the whole again, warm", begin)
    print("stages of one diagnosis:")
    for name, seconds in marks:
        print(f"  {name:28} {seconds * 1000:6.1f} ms")


if __name__ == "__main__":
    main()
