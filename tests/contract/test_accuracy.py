"""A small slice of the accuracy benchmark as a gate, and what makes the benchmark's truth independent."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import islice
from pathlib import Path

from benchmarks.diagnosis.generate.broken import make
from benchmarks.diagnosis.generate.faults import ALL
from benchmarks.diagnosis.generate.sample import KINDS, sampled
from benchmarks.diagnosis.score import broken, judge, plan

from kubereach.diagnose.faults._index import FAULTS

ROOT = Path(__file__).parents[2]
MOST_NODES = 8  # a diagnosis of a large cluster takes many times as long
# Of each sample: how many clusters, and how many must have a true class first, and among the first three. The page
# docs/accuracy.md has the real figures; these floors are what no change may fall below unnoticed.
FLOORS = {"full": (30, 26, 28), "three": (10, 1, 3)}
MOST_WRONG = 1


def test_every_fault_has_an_injector_of_its_class() -> None:
    classes = {code: class_ for code, (_, class_) in FAULTS.items()}
    assert {code: injector.class_ for code, injector in ALL.items()} == classes


def test_the_generator_runs_without_kubereach() -> None:
    """The truth is not the simulator's opinion: with kubereach unimportable, every sample is still made."""
    program = (
        "import sys; sys.modules['kubereach'] = None\n"
        "from benchmarks.diagnosis.generate.broken import make\n"
        "from benchmarks.diagnosis.generate.oracle import Oracle\n"
        "from benchmarks.diagnosis.generate.sample import KINDS, sampled\n"
        "assert all(sampled(make('x', ['bgp-session-blocked']), kind) for kind in KINDS) and Oracle\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Also in another process, where strings hash otherwise."""
    program = (
        "import hashlib\n"
        "from benchmarks.diagnosis.generate.broken import make\n"
        "from benchmarks.diagnosis.generate.sample import KINDS, sampled\n"
        "cluster = make('again', ['no-advertisement'])\n"
        "print(hashlib.sha256(repr([sampled(cluster, k) for k in KINDS]).encode()).hexdigest())\n"
    )
    cluster = make("again", ["no-advertisement"])
    mine = hashlib.sha256(repr([sampled(cluster, kind) for kind in KINDS]).encode()).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == mine


def test_every_injector_finds_a_cluster_and_all_is_printed() -> None:
    """Also where a second fault hides what the first one's outputs are about."""
    for code in ALL:
        assert make(f"{code}/0", [code]).codes == (code,)
    for seed, codes in plan(len(ALL), "printed"):
        assert sampled(broken(seed, codes), "post")


def test_accuracy_does_not_fall() -> None:
    most = max(count for count, _, _ in FLOORS.values())
    drawn = (broken(seed, codes) for seed, codes in plan(2 * most, "gate"))
    clusters = list(islice((c for c in drawn if len(c.site.nodes) <= MOST_NODES), most))
    wrong = 0
    for kind, (count, first, among_three) in FLOORS.items():
        judged = [judge(cluster, kind) for cluster in clusters[:count]]
        wrong += sum(one.wrong for one in judged)
        assert sum(one.rank == 1 for one in judged) >= first
        assert sum(1 <= one.rank <= 3 for one in judged) >= among_three
    assert wrong <= MOST_WRONG
