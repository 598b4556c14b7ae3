"""`python -m benchmarks.diagnosis [--runs N] [--seed S] [--interviews N] [--jobs N] [--write FILE]`;
`python -m benchmarks.diagnosis --faults CODE … [--runs N] [--kind full]`: N clusters of each of these, a line each;
`python -m benchmarks.diagnosis --dump FOLDER --seed SEED/NUMBER [--faults CODE] [--kind full]`: one cluster's files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from benchmarks.diagnosis.generate.broken import make
from benchmarks.diagnosis.report import written
from benchmarks.diagnosis.score import SAMPLES, Asked, Judged, broken, files_of, interview, judge, judge_all, plan


def _judged(item: tuple[str, tuple[str, ...]]) -> list[Judged]:
    return judge_all(*item)


def _asked(item: tuple[str, tuple[str, ...]]) -> Asked:
    return interview(*item)


def _listed(item: tuple[str, str, str]) -> str:
    """One cluster with one fault, judged from one sample, as a line."""
    seed, code, kind = item
    try:
        cluster = make(seed, [code])
    except LookupError as error:
        return f"{code} {seed} none: {error}"
    found = judge(cluster, kind)
    mark = "right" if found.rank == 1 else "CONFIDENTLY WRONG" if found.wrong else "wrong"
    return f"{code} {seed} {found.stack} {mark} rank={found.rank} first={found.first or 'nothing'} p={found.p:.2f}"


def _dump(folder: Path, seed: str, codes: Sequence[str], kind: str) -> None:
    """Write the files of one cluster of a plan, such as `1/17`, or of given faults, and print its truth."""
    start, _, number = seed.rpartition("/")
    cluster = make(seed, codes) if codes else broken(*next(islice(plan(int(number) + 1, start), int(number), None)))
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files_of(cluster, kind).items():
        (folder / file).write_bytes(content)
    print(f"{cluster.site.stack}: {', '.join(cluster.codes)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=94, help="clusters; each is diagnosed from every sample")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--interviews", type=int, help="clusters that are asked about (default: a twelfth of the runs)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--write", type=Path, help="the page to write (default: print it)")
    parser.add_argument("--dump", type=Path, help="write the files of the cluster --seed SEED/NUMBER into this folder")
    parser.add_argument("--kind", choices=SAMPLES, default="full")
    parser.add_argument("--faults", nargs="+", default=(), metavar="CODE", help="only clusters with one of these")
    args = parser.parse_args()
    if args.dump:
        _dump(args.dump, args.seed, args.faults, args.kind)
        return
    if args.faults:
        items = [(f"{args.seed}-{code}/{i}", code, args.kind) for code in args.faults for i in range(args.runs)]
        with ProcessPoolExecutor(args.jobs) as pool:
            for line in pool.map(_listed, items):
                print(line, flush=True)
        return
    clusters = list(plan(args.runs, args.seed))
    interviews = args.runs // 12 if args.interviews is None else args.interviews
    with ProcessPoolExecutor(args.jobs) as pool:
        asking = pool.map(_asked, clusters[:interviews])
        judged = [one for group in pool.map(_judged, clusters) for one in group]
        asked = list(asking)
    page = written(judged, asked, args.runs, args.seed)
    if args.write:
        args.write.write_text(page, encoding="utf-8")
        print(page.split("## Calibration")[0])
    else:
        print(page)


if __name__ == "__main__":
    main()
