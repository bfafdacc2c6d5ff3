"""Memory: what is foretold is what a call takes, and the limit is on what is alive at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.functions.matrix_series import frechet
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS

CLOSE = 1.2
"""How far a peak may be from what was foretold."""
RNG = np.random.default_rng(0)
X, A, B = ic.tensor("X", "n n"), ic.tensor("A", "n n"), ic.tensor("B", "n n")
S = ic.tensor("S", "n n", symmetric=True)
x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
D, w, t = ic.tensor("D", "N d"), ic.tensor("w", "d"), ic.tensor("t", "N")
Z, F = ic.tensor("Z", "N c"), ic.tensor("F", "p 3 3")
W, V, Q = ic.tensor("W", "d h"), ic.tensor("V", "h h"), ic.tensor("Q", "d d")
DATA = {"N": 1000, "d": 200}
PROGRAMS: dict[str, tuple[Any, dict[str, int]]] = {
    "kron": (ic.kron(X, A), {"n": 20}),
    "softmax": (ic.softmax(Z, axis=1), {"N": 2000, "c": 200}),
    "Jacobian of softmax": (ic.derivative(ic.softmax(x), x), {"n": 400}),
    "chain": (X @ A @ B @ X + X, {"n": 300}),
    "Hessian": (ic.hessian(ic.log(1 + ic.exp(D @ w)).sum(), w), DATA),
    "expm": (ic.expm(X), {"n": 150}),
    "expm along a direction": (ic.jvp(ic.expm(X), X, A), {"n": 80}),
    "logm": (ic.logm(X), {"n": 150}),
    "matrix_power": (ic.matrix_power(X, 20), {"n": 300}),
    "gradient of inverses": (ic.grad(ic.logdet(X) + x @ ic.inv(X) @ y, X), {"n": 300}),
    "gradient of a Cholesky factor": (ic.grad(ic.cholesky(S).sum(), S), {"n": 200}),
    "gradient of eigenvalues": (ic.grad(ic.tanh(ic.eigvalsh(S)).sum(), S), {"n": 250}),
    "pseudo-inverse": (ic.pinv(D), {"N": 500, "d": 200}),
    "batch": (ic.einsum("nij,nkl->nijl", F, ic.inv(F)), {"p": 40_000}),
    "sigmoid": (ic.sigmoid(D) * ic.softplus(D), DATA),
    "entries": (ic.sin(D) * ic.cos(D) + D**3, DATA),
    "norms": (ic.normp(D, 3) + ic.norm1(D) + ic.logsumexp(D, axis=1).sum(), DATA),
    "outer products": (ic.outer(x, y) + ic.outer(y, x) + ic.outer(x, x), {"n": 600}),
    "layers": (ic.grad((ic.tanh(D @ W @ V) ** 2).sum(), W), {"N": 1000, "d": 100, "h": 200}),
    "attention": (ic.grad((ic.softmax((D @ Q) @ D.T, axis=1) @ D).sum(), Q), {"N": 400, "d": 50}),
    "vec": (ic.kron(ic.vec(X), ic.vec(A)), {"n": 24}),
}


def peak_of(call: Callable[[], Any]) -> tuple[int, Any]:
    """The most bytes at once of a second call, its results included, and these; nothing is kept from the first one."""
    call()
    ic.free_workspace()
    tracemalloc.start()
    made = call()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, made


def definite(*shape: int) -> Any:
    """Numbers; of square matrices, definite ones."""
    made = RNG.random(shape)
    if len(shape) > 1 and shape[-1] == shape[-2]:
        made = made @ np.swapaxes(made, -1, -2) / shape[-1] + np.eye(shape[-1])
    return made


def inputs_of(view: Any, sizes: dict[str, int]) -> dict[str, Any]:
    """Arrays by name."""
    shapes = {v.label: [sizes.get(str(d), d) for d in v.dims] for v in view.inputs}
    return {name: definite(*shapes[name]) for name in sorted(shapes)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_preflight_is_what_compiled_functions_and_evaluate_take(name: str) -> None:
    view, sizes = PROGRAMS[name]
    arrays = inputs_of(view, sizes)
    told = ic.preflight(view, **sizes).peak_bytes
    assert told >= 10**6
    f = ic.compile(view, list(arrays))
    compiled, one = peak_of(lambda: f(*arrays.values()))
    evaluated, other = peak_of(lambda: view.evaluate(**arrays))
    assert told / CLOSE <= compiled <= CLOSE * told, f"told {told:,}, compiled takes {compiled:,}"
    assert told / CLOSE <= evaluated <= CLOSE * told, f"told {told:,}, evaluate takes {evaluated:,}"
    assert f.plan.peak_bytes == told
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["kron", "expm", "outer products", "batch"])
def test_the_limit_is_on_what_is_alive_at_once(name: str) -> None:
    view, sizes = PROGRAMS[name]
    arrays = inputs_of(view, sizes)
    told = ic.preflight(view, **sizes).peak_bytes
    for run in (
        lambda limit: ic.compile(view, list(arrays), memory_limit=limit)(*arrays.values()),
        lambda limit: view.evaluate(arrays, memory_limit=limit),
        lambda limit: ic.compile(view, list(arrays), memory_limit=limit, sizes=sizes),
    ):
        run(told)
        tracemalloc.start()
        with pytest.raises(ic.InputError, match=rf"takes {told:,} bytes at once, .*the limit is {told - 1:,}"):
            run(told - 1)
        assert tracemalloc.get_traced_memory()[1] < max(told // 2, 2**20), "nothing was allocated"
        tracemalloc.stop()


def test_constants_count_and_are_not_made_before_the_limit_is_known() -> None:
    every = ic.ones("n", "n")
    v = (ic.tril(every) * ic.tril(every.T, 1).T) @ x  # a triangle alone would be a cumulative sum
    told = ic.preflight(v, n=1001).peak_bytes
    assert told >= 2 * 8 * 1001 * 1001
    tracemalloc.start()
    with pytest.raises(ic.InputError, match=r"the limit is 1,000,000"):
        v.evaluate(x=np.ones(1001), memory_limit=10**6)
    with pytest.raises(ic.InputError, match=r"the limit is 1,000,000"):
        ic.compile(v, (x,), memory_limit=10**6)(np.ones(1001))
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    tracemalloc.stop()


def test_complex_numbers_and_single_precision_count_their_own_bytes() -> None:
    view = ic.exp(D) * 2
    for dtype in (np.float32, np.complex64, np.complex128):
        told = ic.preflight(view, dtype=dtype, **DATA).peak_bytes
        array = np.ones((1000, 200), dtype)
        found, _ = peak_of(lambda array=array: view.evaluate(D=array))
        assert told / CLOSE <= found <= CLOSE * told


# ------------------------------------------------------------------ the columns of the table of functions

NEAR = 1.5
"""How far the workspace of a row may be from what is measured, beside a fifth of the argument"""
OBJECTS = 20_000
"""and the bytes of Python's own objects. Arrays are of 256 kB and more, where NumPy reuses what nobody else has."""


def require_near(claimed: float, call: Callable[[], Any], size: int) -> None:
    """What a function takes beside arguments and value, in arrays of this size, is about what its row claims."""
    with np.errstate(all="ignore"):
        found, made = peak_of(call)
    values = made if isinstance(made, tuple) else (made,)
    measured, slack = (found - sum(np.asarray(value).nbytes for value in values)) / size, 0.2 + OBJECTS / size
    assert claimed / NEAR - slack <= measured <= NEAR * claimed + slack, (claimed, measured)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_workspace_of_functions_of_entries(name: str) -> None:
    row = ELEMENTWISE[name]
    draws = row.inputs if len(row.inputs) == row.arity else row.inputs * row.arity
    args = [np.linspace(max(low, -5), min(high, 5), 50_000) for low, high in draws]
    params = [1] * len(row.params)
    require_near(row.workspace, lambda: row.numpy(*args, *params), args[0].nbytes)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_workspace_of_functions_along_axes(name: str) -> None:
    row = REDUCTIONS[name]
    arrays = [(definite(300, 300), (0, 1)), (definite(200, 8, 8), (1, 2))] if row.axes == 2 else []
    for axes in () if row.axes == 2 else ((0,), (1,), (0, 1))[: 2 if row.axes else 3]:
        arrays.append((definite(300, 200), axes))
    for array, axes in arrays:
        params = [3] * len(row.params)
        call = lambda array=array, axes=axes: row.numpy(array, axes, *params)  # noqa: B023, E731
        require_near(row.workspace, call, array.nbytes)


@pytest.mark.parametrize("name", MATRICES)
def test_workspace_of_functions_of_matrices(name: str) -> None:
    row, params = MATRICES[name], [3] * len(MATRICES[name].params)
    (every, one), orders = row.workspace, (1, 2) if row.slope is not None else ()
    for shape in ((40, 40), (30, 6, 6)):
        array = definite(*shape)
        alone = every + one / (1 if len(shape) == 2 else shape[0])
        require_near(alone, lambda array=array: row.numpy(array, *params), array.nbytes)
        for order in orders if len(shape) == 2 else ():
            call = lambda array=array, k=order: np.ascontiguousarray(  # noqa: E731
                frechet(lambda blocks: row.numpy(blocks, *params), array, [array] * k)
            )
            claimed = max(2.75 * 4**order, (2.25 + every + one) * 4**order - 1)
            require_near(claimed, call, array.nbytes)


# ------------------------------------------------------------------ other libraries


def test_under_torch_what_is_alive_at_once_is_counted() -> None:
    pytest.importorskip("torch", reason="it counts what PyTorch's programs take")
    a = np.ones((100, 100))
    view = ic.exp(X) @ ic.sin(A)
    f = ic.compile(view, (X, A), backend="torch")
    f(a, a)
    told = f.plan.peak_bytes
    assert told == 3 * a.nbytes
    ic.compile(view, (X, A), backend="torch", memory_limit=told)(a, a)
    with pytest.raises(ic.InputError, match=f"takes {told:,} bytes at once"):
        ic.compile(view, (X, A), backend="torch", memory_limit=told - 1)(a, a)


def test_under_jax_xla_says_what_it_takes() -> None:
    pytest.importorskip("jax", reason="it reads what XLA says of a program")
    a = np.ones((100, 100), np.float32)
    view = ic.exp(X) @ ic.sin(A)
    f = ic.compile(view, (X, A), backend="jax")
    f(a, a)
    analysis = f.lower(a, a).compile().memory_analysis()
    told = analysis.temp_size_in_bytes + analysis.output_size_in_bytes
    assert f.plan.peak_bytes == told >= a.nbytes
    with pytest.raises(ic.InputError, match=f"takes {told:,} bytes at once, as jax says after it has compiled"):
        ic.compile(view, (X, A), backend="jax", memory_limit=told - 1)(a, a)


def test_under_dask_a_block_of_each_worker_counts() -> None:
    dask = pytest.importorskip("dask", reason="it counts what dask's blocks take")
    da = pytest.importorskip("dask.array", reason="it counts what dask's blocks take")
    data = da.ones((10_000, 20), chunks=(1000, 20))
    f = ic.compile(ic.exp(D) * 2, (D,), backend="dask", memory_limit=4 * 2 * 8 * 1000 * 20)
    with dask.config.set(num_workers=4):
        assert f(data).sum().compute() > 0
        with pytest.raises(ic.InputError, match=r"by blocks of N=2000, d=20 in each of 4 workers"):
            f(data.rechunk((2000, 20)))
    with dask.config.set(num_workers=2):
        assert f(data.rechunk((2000, 20))).shape == (10_000, 20)
