"""`python -m benchmarks.diagnosis [--runs N] [--seed S] [--interviews N] [--jobs N] [--write FILE]`
and `python -m benchmarks.diagnosis --dump FOLDER --seed SEED/NUMBER --runs N [--kind full]` for one cluster's files.
"""

from __future__ import annotations

import argparse
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

from benchmarks.diagnosis.generate.sample import KINDS, sampled
from benchmarks.diagnosis.report import written
from benchmarks.diagnosis.score import Asked, Judged, broken, interview, judge_all, plan


def _judged(item: tuple[str, tuple[str, ...]]) -> list[Judged]:
    return judge_all(*item)


def _asked(item: tuple[str, tuple[str, ...]]) -> Asked:
    return interview(*item)


def _dump(folder: Path, seed: str, kind: str) -> None:
    """Write the files of one cluster of a plan, such as `1/17`, and print its truth."""
    start, _, number = seed.rpartition("/")
    name, codes = next(islice(plan(int(number) + 1, start), int(number), None))
    cluster = broken(name, codes)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in sampled(cluster, kind).items():
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
    parser.add_argument("--kind", choices=KINDS, default="full")
    args = parser.parse_args()
    if args.dump:
        _dump(args.dump, args.seed, args.kind)
        return
    clusters = list(plan(args.runs, args.seed))
    interviews = args.runs // 12 if args.interviews is None else args.interviews
    with Pool(args.jobs) as pool:
        asking = pool.imap(_asked, clusters[:interviews])
        judged = [one for group in pool.imap(_judged, clusters) for one in group]
        asked = list(asking)
    page = written(judged, asked, args.runs, args.seed)
    if args.write:
        args.write.write_text(page, encoding="utf-8")
        print(page.split("## Calibration")[0])
    else:
        print(page)


if __name__ == "__main__":
    main()
