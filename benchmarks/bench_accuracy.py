"""How often the right cause leads: every case of a folder, with the rank and probability of its cause.

    python benchmarks/bench_accuracy.py [FOLDER]

A case is a folder with `case.yaml` (`cause`, `explains`) and `evidence/`; near-misses are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from kubereach.evidence.document import Document
from kubereach.model.diagnosis import Diagnosis, Role
from kubereach.pipeline import Options, diagnose

CASES = Path(__file__).parents[1] / "tests" / "cases"


def first_causes(found: Diagnosis) -> list[tuple[str, float]]:
    """Classes of the roots and misreadings with their probabilities, the likeliest first, each once."""
    classes: dict[str, float] = {}
    for cause in found.causes:
        if cause.role in {Role.ROOT, Role.MISREAD}:
            classes.setdefault(cause.class_, cause.probability)
    return sorted(classes.items(), key=lambda item: -item[1])


def judged(folder: Path, case: dict[str, Any]) -> tuple[int, float, str]:
    """Rank of the right class (0 when it is not listed), its probability, and the class that leads."""
    files = sorted((folder / "evidence").iterdir())
    found = diagnose([Document(file.name, file.read_bytes()) for file in files], Options())
    listed = first_causes(found)
    names = [name for name, _ in listed]
    rank = names.index(case["cause"]) + 1 if case["cause"] in names else 0
    return rank, dict(listed).get(case["cause"], 0.0), names[0] if names else "nothing"


def main(folder: Path) -> None:
    """Print one line per case, and the sums."""
    ranks = []
    for path in sorted(folder.glob("*/case.yaml")):
        case = yaml.safe_load(path.read_text(encoding="utf-8"))
        if case.get("explains", "yes") != "yes":
            continue
        rank, probability, leader = judged(path.parent, case)
        ranks.append(rank)
        print(f"{path.parent.name:<48} rank {rank or '-'}  {probability:5.2f}  leads: {leader}")
    print(f"{len(ranks)} cases, {ranks.count(1)} right, {sum(1 for r in ranks if 1 <= r <= 3)} among the first three")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CASES)
