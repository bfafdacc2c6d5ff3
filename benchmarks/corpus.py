"""What deriving the identities of the corpus costs: `python benchmarks/corpus.py`. See README.md beside it."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from corpus_case import Case, cases

from indexcalc import show_progress
from indexcalc.errors import IndexCalcError

ROUNDS = 3
LIMITS = {"derive": (3.0, 500.0), "closed form": (float("inf"), 500.0)}
"""For each part the largest median and the largest time, in milliseconds."""


def times(row: dict[str, object], layout: str) -> tuple[float, float]:
    """Deriving and simplifying, then finding the closed form, in milliseconds; the text has been read before."""
    case = Case(row)
    assert case.value is not None
    start = time.perf_counter()
    result = case.result(layout)
    result = result.simplify()
    middle = time.perf_counter()
    result.formula()
    return 1e3 * (middle - start), 1e3 * (time.perf_counter() - middle)


def main() -> None:
    found: dict[str, list[tuple[float, str]]] = {part: [] for part in LIMITS}
    for number, case in enumerate(cases().values(), 1):
        show_progress(number, len(cases()), "cases timed")
        for layout in case.expected:
            try:
                rounds = []
                for _ in range(ROUNDS):
                    gc.collect()
                    rounds.append(times(case.row, layout))
            except IndexCalcError as error:
                print(f"{case.id} {layout}: {error.found}")
                continue
            for part, values in zip(LIMITS, zip(*rounds, strict=True), strict=True):
                found[part].append((statistics.median(values), f"{case.id} {layout}"))
    print(f"{'part':<12} | {'cases':>5} | {'median ms':>9} | {'95 % ms':>8} | {'slowest ms':>10} | slowest")
    for part, values in found.items():
        values.sort()
        middle, most = values[len(values) // 2][0], values[-1]
        print(f"{part:<12} | {len(values):>5} | {middle:>9.2f} | {values[len(values) * 95 // 100][0]:>8.2f} | "
              f"{most[0]:>10.1f} | {most[1]}")  # fmt: skip
        if middle > LIMITS[part][0] or most[0] > LIMITS[part][1]:
            print(f"  over the limit of {LIMITS[part][0]:.0f} ms in the median, {LIMITS[part][1]:.0f} ms at most")


if __name__ == "__main__":
    main()
