"""Single contractions: `python benchmarks/kernels.py` prints, for each, the program's time beside the best NumPy known.

Columns: the best hand-written form, the compiled program, NumPy's einsum, and its `optimize=True`. A row misses where
the program takes more than 1.3 times the best of the others; for single calls on small arrays, 3 µs more than it.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from speed import warm_heap

import indexcalc as ic

ROUNDS = 15
Call = Callable[[], Any]

SMALL = (
    ("ij,j->i", {"i": 3, "j": 3}, "A @ x", lambda A, x: A @ x),
    ("ij,jk->ik", {"i": 3, "j": 3, "k": 3}, "A @ B", lambda A, B: A @ B),
    ("i,i->", {"i": 3}, "x @ y", lambda x, y: x @ y),
    ("ij->ji", {"i": 3, "j": 3}, "A.T", lambda A: A.T),
    ("ii->", {"i": 3}, "trace", np.trace),
    ("i,ij,j->", {"i": 3, "j": 3}, "x @ A @ y", lambda x, A, y: x @ A @ y),
    ("ij,jk,kl->il", {"i": 3, "j": 3, "k": 3, "l": 3}, "A @ B @ C", lambda A, B, C: A @ B @ C),
    ("ni,n,nj->ij", {"n": 10, "i": 3, "j": 3}, "A.T @ (w*B)", lambda A, w, B: A.T @ (w[:, None] * B)),
    ("ij,jk,kl,lm,m->i", {"i": 3, "j": 3, "k": 3, "l": 3, "m": 3}, "from the right",
     lambda A, B, C, D, x: A @ (B @ (C @ (D @ x)))),
)  # fmt: skip
"""Tiny contractions: what counts is the call."""

LARGE = (
    ("bij,bjk->bik", {"b": 1000, "i": 3, "j": 3, "k": 3}, "A @ B", lambda A, B: A @ B),
    ("bij,bjk->bik", {"b": 1000, "i": 10, "j": 10, "k": 10}, "A @ B", lambda A, B: A @ B),
    ("bij,bjk->bik", {"b": 100, "i": 50, "j": 50, "k": 50}, "A @ B", lambda A, B: A @ B),
    ("bij,bjk->bik", {"b": 8, "i": 300, "j": 300, "k": 300}, "A @ B", lambda A, B: A @ B),
    ("bij,bj->bi", {"b": 1000, "i": 20, "j": 20}, "matmul", lambda A, x: (A @ x[:, :, None])[:, :, 0]),
    ("bi,bi->b", {"b": 10000, "i": 30}, "einsum", None),
    ("bij,bkj->bik", {"b": 100, "i": 50, "j": 50, "k": 50}, "A @ B.mT", lambda A, B: A @ B.mT),
    ("ijb,jkb->ikb", {"i": 10, "j": 10, "k": 10, "b": 1000}, "matmul of copies",
     lambda A, B: np.matmul(A.transpose(2, 0, 1).copy(), B.transpose(2, 0, 1).copy()).transpose(1, 2, 0)),
    ("bhtd,bhsd->bhts", {"b": 4, "h": 4, "t": 128, "s": 128, "d": 32}, "A @ B.mT", lambda A, B: A @ B.mT),
    ("bi,bj->bij", {"b": 1000, "i": 50, "j": 50}, "multiply", lambda A, B: A[:, :, None] * B[:, None]),
    ("bi,bj->bij", {"b": 10000, "i": 3, "j": 3}, "multiply", lambda A, B: A[:, :, None] * B[:, None]),
    ("abi,abj->abij", {"a": 30, "b": 30, "i": 30, "j": 30}, "multiply", lambda A, B: A[..., None] * B[:, :, None]),
    ("abi,abj->abj", {"a": 30, "b": 30, "i": 30, "j": 30}, "sum first", lambda A, B: A.sum(2)[..., None] * B),
    ("ij,ij->ij", {"i": 1000, "j": 1000}, "A * B", lambda A, B: A * B),
    ("ij,j->ij", {"i": 1000, "j": 1000}, "A * x", lambda A, x: A * x),
    ("ij,i->ij", {"i": 1000, "j": 1000}, "A * x[:, None]", lambda A, x: A * x[:, None]),
    ("i,j->ij", {"i": 1000, "j": 1000}, "outer", lambda x, y: x[:, None] * y),
    ("ik,jl->ijkl", {"i": 30, "k": 30, "j": 30, "l": 30}, "multiply", lambda A, B: A[:, None, :, None] * B[:, None, :]),
    ("ij,ij->", {"i": 1000, "j": 1000}, "vdot", np.vdot),
    ("ij,ji->", {"i": 1000, "j": 1000}, "einsum", None),
    ("ij,ij->i", {"i": 1000, "j": 1000}, "einsum", None),
    ("ij,ij->j", {"i": 1000, "j": 1000}, "einsum", None),
    ("ji,kj->ik", {"i": 500, "j": 500, "k": 500}, "A.T @ B.T", lambda A, B: A.T @ B.T),
    ("ijk,kl->ijl", {"i": 50, "j": 50, "k": 50, "l": 50}, "reshape, gemm",
     lambda A, B: (A.reshape(-1, 50) @ B).reshape(50, 50, 50)),
    ("ijk,jl->ilk", {"i": 50, "j": 50, "k": 50, "l": 50}, "matmul over i", lambda A, B: B.T @ A),
    ("ijk,il->ljk", {"i": 50, "j": 50, "k": 50, "l": 50}, "reshape, gemm",
     lambda A, B: (B.T @ A.reshape(50, -1)).reshape(50, 50, 50)),
    ("ijk,jkl->il", {"i": 60, "j": 60, "k": 60, "l": 60}, "reshape, gemm",
     lambda A, B: A.reshape(60, -1) @ B.reshape(-1, 60)),
    ("ijkl,kl->ij", {"i": 40, "j": 40, "k": 40, "l": 40}, "reshape, gemv",
     lambda A, B: (A.reshape(1600, -1) @ B.ravel()).reshape(40, 40)),
    ("ijkl,jl->ik", {"i": 40, "j": 40, "k": 40, "l": 40}, "einsum", None),
    ("n,ni,nj->ij", {"n": 2000, "i": 200, "j": 100}, "gemm", lambda w, A, B: (A * w[:, None]).T @ B),
    ("nij,jk,nkl->nil", {"n": 500, "i": 20, "j": 20, "k": 20, "l": 20}, "two matmuls", lambda A, B, C: A @ B @ C),
    ("ij,ik,il->jkl", {"i": 500, "j": 20, "k": 20, "l": 20}, "outer, gemm",
     lambda A, B, C: (np.einsum("ij,ik->ijk", A, B).reshape(500, -1).T @ C).reshape(20, 20, 20)),
    ("ir,jr,kr->ijk", {"i": 60, "j": 60, "k": 60, "r": 8}, "outer, gemm",
     lambda A, B, C: (np.einsum("ir,jr->ijr", A, B).reshape(-1, 8) @ C.T).reshape(60, 60, 60)),
    ("ijk,jr,kr->ir", {"i": 80, "j": 80, "k": 80, "r": 8}, "Khatri-Rao, gemm",
     lambda T, B, C: T.reshape(80, -1) @ np.einsum("jr,kr->jkr", B, C).reshape(-1, 8)),
    ("ijk,ir,kr->jr", {"i": 80, "j": 80, "k": 80, "r": 8}, "gemm, einsum",
     lambda T, A, C: np.einsum("jir,ir->jr", (T.reshape(-1, 80) @ C).reshape(80, 80, 8).transpose(1, 0, 2), A)),
)  # fmt: skip
"""A contraction, its sizes, and the best form known: its name, and the form, or None where that is einsum."""


def median(calls: dict[str, Call]) -> dict[str, float]:
    """Median CPU seconds of each call, rounds in turns and orders: what runs before leaves its mark on the heap."""
    times, samples = {}, {name: [] for name in calls}
    for name, call in calls.items():
        call()
        start = time.process_time_ns()
        call()
        times[name] = max(1, min(2000, int(4e6 / max(1, time.process_time_ns() - start))))
    order = list(calls)
    for turn in range(ROUNDS):
        for name in order[turn % len(order) :] + order[: turn % len(order)][::-1]:
            call = calls[name]
            call()
            start = time.process_time_ns()
            for _ in range(times[name]):
                call()
            samples[name].append((time.process_time_ns() - start) / times[name] / 1e9)
    return {name: statistics.median(own) for name, own in samples.items()}


def compiled(spec: str, arrays: list[Any]) -> Call:
    """The program of a contraction."""
    tensors = [ic.tensor(f"T{k}", " ".join(own)) for k, own in enumerate(spec.partition("->")[0].split(","))]
    f = ic.compile(ic.einsum(spec, *tensors), tensors)
    f(*arrays)
    return lambda: f(*arrays)


def row(spec: str, sizes: dict[str, int], name: str, form: Any, small: bool) -> str:
    """A line of the table."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=[sizes[x] for x in own]) for own in spec.partition("->")[0].split(",")]
    calls: dict[str, Call] = {"indexcalc": compiled(spec, arrays)}
    if form is not None:
        calls["best"] = lambda: form(*arrays)
        assert np.allclose(form(*arrays), calls["indexcalc"]())
    calls["einsum"] = lambda: np.einsum(spec, *arrays)
    calls["optimize"] = lambda: np.einsum(spec, *arrays, optimize=True)
    found = median(calls)
    best = min(seconds for column, seconds in found.items() if column != "indexcalc")
    columns = ("indexcalc", "best", "einsum", "optimize")
    ratios = [f"{found[column] / best:.2f}" if column in found else "-" for column in columns]
    over = found["indexcalc"] - best
    missed = over > 3e-6 if small else found["indexcalc"] > 1.3 * best
    shown = "x".join(map(str, sizes.values()))
    cells = [f"`{spec}` {shown}", name, f"{1e6 * best:.2f} µs", *ratios, f"{1e6 * over:+.2f} µs" if small else ""]
    return f"| {' | '.join(cells)} | {'missed' if missed else ''} |"


def main() -> None:
    """The table."""
    warm_heap()
    print("| contraction | best form | best | indexcalc | best form | einsum | optimize=True | over | |")
    print("|" + "---|" * 9)
    for table in (SMALL, LARGE):
        for spec, sizes, name, form in table:
            print(row(spec, sizes, name, form, table is SMALL), flush=True)


if __name__ == "__main__":
    main()
