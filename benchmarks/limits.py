"""What the hand-written NumPy of `by_hand` takes: the limits of the library's programs, beside what is known of them.

`python benchmarks/limits.py` prints each one's time as a multiple of a 500x500 `ji,kj->ik`, beside the multiple that is
known from another machine, and marks those that are more than 1.3 times slower than that.
"""

# ruff: noqa: E402 (threads are counted when NumPy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import math

import numpy as np
from problems import PROBLEMS
from speed import best_time, warm_heap

KNOWN = {
    ("quadratic form Hessian", (100,)): 11.65e-6,
    ("quadratic form Hessian", (1000,)): 2.026e-3,
    ("quadratic form Hessian", (2000,)): 28.41e-3,
    ("logistic value+gradient", (20, 10)): 10.74e-6,
    ("logistic value+gradient", (200, 100)): 17.27e-6,
    ("logistic value+gradient", (2000, 1000)): 1.26e-3,
    ("logistic Hessian", (20, 10)): 11.68e-6,
    ("logistic Hessian", (200, 100)): 108.3e-6,
    ("logistic Hessian", (2000, 1000)): 32.24e-3,
    ("factorisation value+gradient", (20, 20, 5)): 6.944e-6,
    ("factorisation value+gradient", (200, 200, 5)): 49.36e-6,
    ("factorisation Hessian", (20, 20, 5)): 9.163e-6,
    ("factorisation Hessian", (100, 100, 5)): 86.74e-6,
    ("factorisation Hessian", (200, 200, 5)): 388.5e-6,
    ("factorisation Hessian, compressed", (20, 20, 5)): 3.455e-6,
    ("factorisation Hessian, compressed", (100, 100, 5)): 4.122e-6,
    ("factorisation Hessian, compressed", (200, 200, 5)): 5.379e-6,
    ("network Hessian, 3 layers", (10, 10)): 80.66e-6,
    ("network Hessian, 3 layers", (100, 30)): 4.79e-3,
    ("network Hessian, 10 layers", (10, 10)): 171.5e-6,
    ("network Hessian, 10 layers", (20, 20)): 839.6e-6,
    ("network Hessian, 10 layers", (30, 30)): 3.247e-3,
    ("d(AXB)/dX", (5,)): 3.199e-6,
    ("d(AXB)/dX", (20,)): 98.1e-6,
    ("d(AXB)/dX", (40,)): 2.113e-3,
    ("softmax Jacobian", (64, 10)): 35.75e-6,
    ("softmax Jacobian", (1000, 10)): 428.4e-6,
    ("softmax Jacobian", (1000, 100)): 18.25e-3,
    ("elasticity tangent", (1,)): 29.39e-6,
    ("elasticity tangent", (100,)): 117.4e-6,
    ("elasticity tangent", (1000,)): 426.9e-6,
    ("elasticity tangent", (10000,)): 4.968e-3,
    ("elasticity tangent", (100000,)): 106.9e-3,
    ("CP gradients", (10, 3)): 23.02e-6,
    ("CP gradients", (30, 5)): 91.7e-6,
    ("CP gradients", (100, 10)): 2.893e-3,
    ("CP gradients", (200, 10)): 26.95e-3,
}
"""Seconds on the machine on which the 500x500 product takes UNIT, by problem and size."""
UNIT = 3.753e-3


def main() -> None:
    """Each limit against what is known of it."""
    warm_heap()
    A, B = np.random.default_rng(0).standard_normal((2, 500, 500))
    unit = best_time(lambda: np.dot(A.T, B.T))
    print(f"500x500 ji,kj->ik: {1e3 * unit:.2f} ms")
    print(f"{'problem':34} {'size':16} {'time/unit':>10} {'known':>10} {'ratio':>6}")
    for problem in PROBLEMS:
        for size in problem.sizes:
            known = KNOWN.get((problem.name, size), math.nan)
            arrays = problem.make(*size)
            found = best_time(lambda p=problem, a=arrays: p.limit(*a)) / unit
            ratio = found / (known / UNIT)
            mark = "  slower than known" if ratio > 1.3 else ""
            print(f"{problem.name:34} {size!s:16} {found:10.4f} {known / UNIT:10.4f} {ratio:6.2f}{mark}", flush=True)


if __name__ == "__main__":
    main()
