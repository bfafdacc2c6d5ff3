"""The command line of fuzzing: `python -m indexcalc.testing fuzz --seconds 60 --seed 1`, and `texts` likewise."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from functools import partial

from indexcalc.errors import counted
from indexcalc.progress import show_progress
from indexcalc.testing.fuzzing import fuzz
from indexcalc.testing.texts import fuzz_texts


def arguments() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m indexcalc.testing",
        description="Random programs, or changed texts, for so many seconds: what was drawn, and each failure.",
    )
    parser.add_argument("what", choices=("fuzz", "texts"), help="programs, or texts for the reader")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to try (60)")
    parser.add_argument("--seed", type=int, default=None, help="what to draw; without it at random")
    parser.add_argument("--count", type=int, default=None, help="how many at most")
    parser.add_argument("--having", default="", help="programs with this operation, layout, backend, printer, question")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz; 0 where nothing failed, else 1.

    >>> main(["texts", "--seed", "0", "--count", "3"])
    3 texts, seed 0: 0 answered wrongly
    0
    """
    options = arguments().parse_args(argv)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for SciPy: in small matrices threads wait for each other
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    if options.what == "texts":
        tried, broken = fuzz_texts(seed, options.seconds, options.count, print, show_progress)
        print(f"{counted(tried, 'text')}, seed {seed}: {len(broken)} answered wrongly")
        return 1 if broken else 0
    say = partial(print, end="\n\n", flush=True)
    run = fuzz(seed, options.seconds, options.count, say=say, progress=show_progress, having=options.having)
    print(run.table())
    print(f"{len(run.failures)} failed")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
