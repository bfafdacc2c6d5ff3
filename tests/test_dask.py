"""Compiled functions of dask arrays: numbers of NumPy's however the arrays are cut, one pass over the data, memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Any

import dask
import dask.array as da
import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.engine.compile.dask_arrays import OnDask

RNG = np.random.default_rng(9)
X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
LOSS = (ic.softplus(X @ w) - y * (X @ w)).sum() + (w**2).sum() / 2
OUTPUTS = [LOSS, ic.grad(LOSS, w), ic.hessian(LOSS, w)]
DATA = [RNG.normal(size=(70, 3)), RNG.normal(size=3), RNG.normal(size=70)]


def cut(rng: random.Random, array: np.ndarray, along: str, dims: list[str]) -> Any:
    """The array in blocks of random lengths: along one dimension, or along all ("")."""
    chunks = tuple(
        (rng.choice([1, max(1, size // 2), size]) or 1) if not along or dim == along else -1
        for dim, size in zip(dims, array.shape, strict=True)
    )
    return da.from_array(array, chunks=chunks) if array.ndim else array


def agrees(seed: int) -> None:
    """A random expression and its derivatives, of arrays that are cut along one dimension or along all."""
    rng = random.Random(seed)
    twin, sizes = programs.program(rng, 1 + seed % 3), programs.sizes(rng)
    values = programs.arrays(rng, sizes)
    label = rng.choice(list(programs.SHAPES))
    own = ic.indices("e f g")[: len(programs.SHAPES[label].split())]
    slope = twin.expr.diff(programs.TENSORS[label][own] if own else programs.TENSORS[label])
    outputs = [twin.expr, slope]
    names = sorted({variable.label for view in outputs for variable in view.inputs})
    along = rng.choice(["a", "b", "c", ""])
    given_arrays = [cut(rng, values[name], along, programs.SHAPES[name].split()) for name in names]
    wanted = ic.compile(outputs, names)(*[values[name] for name in names])
    found = dask.compute(*ic.compile(outputs, names, backend="dask")(*given_arrays), scheduler="synchronous")
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        exists = np.isfinite(theirs)
        scale = max(1.0, np.max(np.abs(np.asarray(theirs)[exists]), initial=0.0))
        assert np.all(np.abs(ours - theirs)[exists] <= 1e-9 * scale)


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_however_the_arrays_are_cut(seed):
    agrees(seed)


def test_a_sum_over_rows_that_needs_another_one():
    agrees(1047292592537)


A, B = ic.tensor("A", "n n"), ic.tensor("B", "n m")
PROBLEMS = {
    "logistic": (OUTPUTS, (X, w, y), DATA),
    "scatter": ((X - X.mean(axis=0)).T @ (X - X.mean(axis=0)), (X,), DATA[:1]),
    "softmax over the rows": ([ic.softmax(X @ w, axis=0), ic.logsumexp(X @ w, axis=0), ic.max(X, axis=0)], (X, w),
                              DATA[:2]),
    "norms": ([ic.norm2(X @ w), ic.grad(ic.norm2(X @ w), w), ic.norm1(X @ w)], (X, w), DATA[:2]),
    "solve": ([ic.inv(A) @ B, ic.logdet(A @ A.T)], (A, B), [RNG.normal(size=(6, 6)), RNG.normal(size=(6, 2))]),
    "exponential": ([ic.expm(A), ic.derivative(ic.tr(ic.expm(A)), A)], (A,), [RNG.normal(size=(4, 4)) / 4]),
    "rows": ([ic.sigmoid(X) * 2, X * w], (X, w), DATA[:2]),
    "complex": ([X.T @ X, (X @ w).sum()], (X, w), [DATA[0] + 1j, DATA[1]]),
}  # fmt: skip


@pytest.mark.parametrize("blocks", [(20, -1), (7, 2), (-1, -1)])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems(problem, blocks):
    outputs, inputs, values = PROBLEMS[problem]
    made = [da.from_array(v, chunks=blocks[: v.ndim]) if v.ndim else v for v in values]
    found, wanted = ic.compile(outputs, inputs, backend="dask")(*made), ic.compile(outputs, inputs)(*values)
    several = isinstance(wanted, list)
    for ours, theirs in zip(found if several else [found], wanted if several else [wanted], strict=True):
        assert isinstance(ours, da.Array)
        assert ours.shape == np.shape(theirs)
        assert np.allclose(ours.compute(), theirs, rtol=1e-9, atol=1e-9)


def test_a_block_is_read_once_for_all_results():
    reads = []

    def block(block_info: Any = None) -> np.ndarray:
        reads.append(1)
        return np.ones((10, 3))

    x = da.map_blocks(block, chunks=((10,) * 7, 3), dtype=float, meta=np.empty((0, 0)))
    dask.compute(*ic.compile(OUTPUTS, (X, w, y), backend="dask")(x, DATA[1], da.from_array(DATA[2], chunks=10)))
    assert len(reads) == 7


def test_numpy_arrays_and_other_dtypes():
    f = ic.compile(OUTPUTS, (X, w, y), backend="dask")
    assert isinstance(f, OnDask)
    assert np.allclose(f(*DATA)[1].compute(), ic.compile(OUTPUTS[1], (X, w, y))(*DATA))
    single = f(*[da.from_array(value.astype("float32"), chunks=20) for value in DATA])
    assert all(value.dtype == np.float32 == value.compute().dtype for value in single)
    whole = f(da.from_array(DATA[0].astype(int), chunks=20), DATA[1], DATA[2])
    assert all(value.dtype == np.float64 for value in whole)
    assert "blocks" in str(f.plan)


def test_functions_are_given_with_the_inputs():
    L = ic.function("L", "n ->", gradient="G")
    f = ic.compile(ic.grad(L(X @ w), w), (X, w), backend="dask")
    x = da.from_array(DATA[0], chunks=(20, 3))
    assert np.allclose(f(x, DATA[1], G=da.ones(70, chunks=20)).compute(), DATA[0].sum(0))
    with pytest.raises(ic.InputError, match="no function was given"):
        f(x, DATA[1])
    with pytest.raises(ic.InputError, match=r"its value has shape \(3,\)"):
        f(x, DATA[1], G=np.ones(3))


def test_errors():
    f = ic.compile(ic.relu(X @ w).sum(), (X, w), backend="dask")
    with pytest.raises(ic.InputError, match="relu"):
        f(da.from_array(DATA[0] + 1j, chunks=20), DATA[1])
    with pytest.raises(ic.DimensionError):
        f(da.from_array(DATA[0], chunks=20), DATA[1][:2])


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the most memory is read from Linux's /proc")
def test_two_million_rows_in_less_than_500_megabytes():
    """800 MB of rows, made block by block: value, gradient, Hessian and Gram matrix."""
    code = """
import pathlib
import dask, dask.array as da, numpy as np
import indexcalc as ic
X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
loss = (ic.softplus(X @ w) - y*(X @ w)).sum()
f = ic.compile([loss, ic.grad(loss, w), ic.hessian(loss, w), X.T @ X], (X, w, y), backend="dask")
rng = da.random.default_rng(0)
x = rng.random((2_000_000, 50), chunks=(50_000, 50))
made = dask.compute(*f(x, np.zeros(50), da.ones(2_000_000, chunks=50_000)))
peak = next(line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(made[0], made[3][0, 0], int(peak.split()[1]) / 1024)
"""
    run = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    loss, square, megabytes = map(float, done.stdout.split())
    assert loss == pytest.approx(2e6 * np.log(2))
    assert square == pytest.approx(2e6 / 3, rel=1e-2)
    assert megabytes < 500
