"""Programs that run tile by tile: they give what they give whole, at all sizes of tiles, and less is alive at once."""

from __future__ import annotations

import random
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from programs import INDEX, TENSORS, arrays, program, sizes

import indexcalc as ic
from indexcalc.engine.compile import arranged, loops, staged
from indexcalc.engine.emit.numpy.function import SPACE

x, y, X, F = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("X", "n 3"), ic.tensor("F", "n 3 3")
A, W = ic.tensor("A", "n m"), ic.tensor("W", "m m")
idx = ic.tensor("idx", "n", integer=True)
i, j, k = ic.indices("i j k")
ONE = ic.ones("n")
p = ic.range("n", "p", boundary="zero")
RNG = np.random.default_rng(0)


def pairs(where: str) -> Any:
    """Energy and forces of pairs."""
    apart = ((X[i, k] * ONE[j] - X[j, k] * ONE[i]) ** 2).sum(k)
    energy = ic.exp(-apart).sum(i, j, where=where)
    return [energy, -ic.grad(energy, X)]


def flow() -> Any:
    """A step of heat, and the gradient of its misfit."""
    after = (x[p] + 0.1 * (x[p + 1] - 2 * x[p] + x[p - 1])).array(p)
    return [after, ic.grad(((after - y) ** 2).sum() / 2, x)]


def variation() -> Any:
    loss = ic.sqrt((x[1:] - x[:-1]) ** 2 + 0.1).sum()
    return [loss, ic.grad(loss, x), ic.jvp(ic.grad(loss, x), x, y)]


def layers() -> Any:
    loss = (ic.softmax(ic.tanh(A @ W) @ W, axis=1) * A).sum()
    return [loss, ic.grad(loss, W), ic.grad(loss, A)]


HARD: dict[str, Any] = {
    "variation": variation,
    "second differences": lambda: ic.grad(((x[2:] - 2 * x[1:-1] + x[:-2]) ** 4).sum(), x),
    "differences of differences": lambda: ic.tanh(ic.exp(x[1:] - x[:-1])[1:] - ic.exp(x[1:] - x[:-1])[:-1]),
    "far slices": lambda: ic.exp(x[7:]) * ic.sin(x[:-7]) + ic.cos(x[3:-4]),
    "slices backwards": lambda: ic.exp(x)[::-1] * ic.sin(x) + ic.tanh(x[::-1]),
    "every other": lambda: [ic.exp(x[0:12:2]) * y[1:7], ic.grad((ic.exp(x[0:12:2]) ** 2 * y[1:7]).sum(), x)],
    "heat": flow,
    "centred": lambda: ic.tanh(x - x.sum() * 0.1) * ic.exp(x),
    "normalised twice": lambda: ic.softmax(ic.sin(x) - ic.softmax(x, axis=0), axis=0),
    "cumulated": lambda: ic.exp(ic.cumsum(ic.tanh(x), axis=0)) * ic.sin(x),
    "pairs below": lambda: pairs("i<j"),
    "pairs above": lambda: pairs("i>j"),
    "pairs with themselves": lambda: pairs("i<=j"),
    "all pairs": lambda: [ic.exp(-((X[i, k] * ONE[j] - X[j, k] * ONE[i]) ** 2).sum(k)).sum(j).array(i)],
    "batch of matrices": lambda: [ic.einsum("nij,njk->nik", ic.inv(F), ic.tanh(F)), ic.logdet(F).sum(), ic.det(F)],
    "layers": layers,
    "both ways": lambda: (ic.exp(A) @ W) * ic.sin(A) + ic.exp(A).sum(0) + ic.exp(A).sum(1)[:, None],
    "chosen rows": lambda: [ic.exp(A[idx]) * ic.sin(A), ic.grad((ic.tanh(A[idx]) * A).sum(), A)],
    "a diagonal": lambda: ic.diag(ic.exp(ic.outer(x, y)) * ic.sin(ic.outer(x, y))) * x,
    "on a diagonal": lambda: ic.diagm(ic.exp(x)) * ic.outer(x, y) + ic.outer(ic.sin(x), y),
    "joined": lambda: ic.concatenate([ic.exp(x) * y, ic.sin(x) * y]),
    "results twice": lambda: [ic.exp(x) * y, ic.exp(x) * y, x, x, ic.exp(x) * y + 1],
}
TENSOR_OF = {v.node.label: v for v in (x, y, X, F, A, W, idx)}


def given(outputs: Any, dtype: Any = float, n: int = 13) -> tuple[list[Any], list[np.ndarray]]:
    """The inputs of outputs, and arrays for them."""
    outs = outputs if isinstance(outputs, list) else [outputs]
    names = sorted({one.label for out in outs for one in out.inputs})
    made = []
    for one in (TENSOR_OF[name] for name in names):
        shape = [{"n": n, "m": 5}.get(str(dim), dim) for dim in one.node.dims]
        value = RNG.integers(0, n, shape) if one is idx else RNG.uniform(0.2, 1.2, shape).astype(dtype)
        if np.dtype(dtype).kind == "c":
            value = value + 0.1j * RNG.normal(size=shape) if one is not idx else value
        made.append(value + 2 * np.eye(3, dtype=dtype) if one is F else value)
    return [TENSOR_OF[name] for name in names], made


def tiled(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """From here on programs are cut into tiles of so many bytes, whatever it is worth; 0: they are not."""
    for module, name, value in (
        (loops, "LARGE", 0 if size else 2**60), (loops, "SAVED", -1), (staged, "BESIDE", 0), (staged, "LEAST", 0),
        (loops, "WORKING_SET", max(size, 2**10)), (staged, "WORKING_SET", size), (arranged, "SHARE", 1e9),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def apart(results: list[Any], inputs: list[np.ndarray]) -> bool:
    """Does no result share memory with another one, or with an input?"""
    every = [*inputs, *(one for one in results if isinstance(one, np.ndarray))]
    return not any(np.shares_memory(a, b) for m, a in enumerate(every) for b in every[:m] if a is not b) and all(
        one is not other for m, one in enumerate(every[len(inputs) :]) for other in every[: len(inputs) + m]
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("name", HARD)
def test_tiles_of_all_sizes_give_what_the_whole_gives(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = HARD[name]()
    inputs, data = given(outputs, dtype)
    tiled(monkeypatch, 0)
    try:
        wanted = ic.compile(outputs, inputs)(*data)
    except ic.IndexCalcError:
        assert dtype == np.complex128
        return
    wanted = wanted if isinstance(outputs, list) else [wanted]
    for size in (1, 500, 2000):
        tiled(monkeypatch, size)
        f = ic.compile(outputs, inputs, order="C" if size == 500 else None)
        found = f(*data)
        assert "tiles" in str(f.plan) or size > 1
        found = found if isinstance(outputs, list) else [found]
        for a, b in zip(found, wanted, strict=True):
            assert np.shape(a) == np.shape(b) and a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-4 if dtype == np.float32 else 1e-11)
        assert apart(found, data)


@pytest.mark.parametrize("seed", range(40))
def test_drawn_programs_give_in_tiles_what_they_give_whole(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    drawn, dims = program(rng, 3), sizes(rng)
    inputs = [one for one in TENSORS.values() if one.node.label in {v.label for v in drawn.expr.inputs}]
    outputs = [
        drawn.expr,
        ic.grad(drawn.expr.sum(*(INDEX[x] for x in drawn.names)) if drawn.names else drawn.expr, inputs[0]),
    ]
    numbers = arrays(rng, dims)
    data = [np.asarray(numbers[one.node.label]) for one in inputs]
    tiled(monkeypatch, 0)
    wanted = ic.compile(outputs, inputs)(*data)
    for size in (1, 600):
        tiled(monkeypatch, size)
        for a, b in zip(ic.compile(outputs, inputs)(*data), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_the_same_array_twice_and_arrays_that_overlap_are_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [ic.exp(x) * y + x, ic.tanh(x[1:] - y[:-1])]
    base = RNG.normal(size=30)
    tiled(monkeypatch, 300)
    f = ic.compile(outputs, (x, y))
    for a, b in ((base, base), (base[:-1], base[1:]), (base[::2], base[15:]), (base[::-1], base)):
        before = base.copy()
        found = f(a, b)
        np.testing.assert_allclose(found[0], np.exp(a) * b + a)
        np.testing.assert_allclose(found[1], np.tanh(a[1:] - b[:-1]))
        assert np.array_equal(base, before) and apart(found, [base])


def test_threads_call_one_function_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tiled(monkeypatch, 2000)
    f = ic.compile(pairs("i<j"), (X,))
    data = [RNG.normal(size=(31, 3)) for _ in range(4)]
    wanted, found = [f(one) for one in data], dict[int, list[Any]]()

    def call(number: int) -> None:
        for _ in range(20):
            found[number] = f(data[number])

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for number in range(4):
        for a, b in zip(found[number], wanted[number], strict=True):
            assert np.array_equal(a, b)


# ------------------------------------------------------------------ what is cut, and what it takes


def test_pairs_take_a_tile_and_half_of_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    n, entries = 1200, list[int]()

    def counted(value: Any, **named: Any) -> Any:
        entries.append(value.size)
        return np.exp(value, **named)

    monkeypatch.setitem(SPACE, "exp", counted)
    f = ic.compile(pairs("i<j"), (X,))
    f(RNG.normal(size=(n, 3)))
    assert "tiles" in str(f.plan) and f.plan.peak_bytes < loops.WORKING_SET + 2**20 < 8 * n * n
    assert n * n / 2 <= sum(entries) < 0.6 * n * n


@pytest.mark.parametrize("n", [1_500_000, 1_700_001])
def test_a_long_chain_takes_its_result_and_a_tile(n: int) -> None:
    outputs = variation()[2]
    f = ic.compile(outputs, (x, y))
    data = RNG.normal(size=n), RNG.normal(size=n)
    f(*data)
    tracemalloc.start()
    f(*data)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found <= 1.05 * f.plan.peak_bytes + 2**16 and f.plan.peak_bytes <= 8 * n + loops.WORKING_SET


def test_what_is_made_at_once_stays_together() -> None:
    """An inverse and a determinant of one matrix are factored once, though a loop needs the one of them alone."""
    K = ic.tensor("K", "n n")
    loss = ic.logdet(K) / 2 + (x @ ic.inv(K) @ x) / 2
    made = ic.compile([loss, ic.grad(loss, K) * ic.exp(K) * ic.sin(K) * ic.tanh(K)], (K, x), sizes={"n": 1500})
    steps = made.plan.program.steps
    parts = loops.stages(made.plan.program, 8)
    assert any(isinstance(part, loops.Loop) for part in parts)
    for part in parts:
        numbers = part.steps if isinstance(part, loops.Loop) else part
        names = {getattr(steps[k], "fn", "") for k in numbers}
        assert ("inv" in names) == ("logdet" in names)


def test_a_loop_never_takes_more_memory_than_the_whole() -> None:
    """The terms of this Hessian are written into one another, which tiles would not do."""
    energy = pairs("i<j")[0]
    job = ic.compile(ic.hessian(energy, X), (X,), sizes={"n": 500}).job
    taken = [arranged.arrange(job._replace(whole=whole), {"n": 500}, float).code.peak for whole in (False, True)]
    assert taken[0] <= taken[1]


def test_evaluate_runs_the_same_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = variation()[1]
    n = 700_000
    data = RNG.normal(size=n)
    assert np.array_equal(outputs.evaluate(x=data), ic.compile(outputs, (x,))(data))


def test_small_programs_and_products_of_matrices_run_whole() -> None:
    B = ic.tensor("B", "n n")
    assert "tiles" not in str(ic.compile(variation(), (x, y), sizes={"n": 10_000}).plan)
    assert "tiles" not in str(ic.compile(B @ B @ B, (B,), sizes={"n": 1500}).plan)


# ------------------------------------------------------------------ fewer passes


def calls(outputs: Any, inputs: Any, n: int) -> str:
    """The lines of a program."""
    job = ic.compile(outputs, inputs, sizes={"n": n}).job
    return "\n".join(arranged.lines_of(job, ic.compile(outputs, inputs, sizes={"n": n}).plan.program, float).lines)


def test_a_step_of_heat_and_its_adjoint_hold_the_misfit_once() -> None:
    """Each is one multiple of the array, slices of another, and the misfit is the step less its target."""
    text = calls(flow(), (x, y), 1000)
    assert text.count("multiply(") == 4 and text.count("add(") == 4 and text.count("subtract(") == 1


def test_sums_that_have_the_terms_of_another_have_that(monkeypatch: pytest.MonkeyPatch) -> None:
    z = ic.tensor("z", "n")
    total = ic.exp(x) + 2 * ic.sin(y) + 3 * z
    outputs = [total, ic.tanh(2 * ic.exp(x) + 4 * ic.sin(y) + 6 * z - ic.cos(x))]
    data = [RNG.normal(size=50) for _ in range(3)]
    f = ic.compile(outputs, (x, y, z))
    found = f(*data)
    whole = np.exp(data[0]) + 2 * np.sin(data[1]) + 3 * data[2]
    np.testing.assert_allclose(found[0], whole)
    np.testing.assert_allclose(found[1], np.tanh(2 * whole - np.cos(data[0])))
    sums = [step for step in f.plan.steps if type(step).__name__ == "Add"]
    assert sorted(len(step.parts) for step in sums) == [2, 3]


def test_neighbours_that_overlap_are_added_in_one_pass() -> None:
    text = calls(ic.grad(((x[1:] - x[:-1]) ** 4).sum(), x), (x,), 1000)
    assert "zeros" not in text and text.count("subtract(") == 2


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("shift", [1, 3, 5, 9])
def test_two_slices_are_added_where_they_meet(signs: tuple[int, int], shift: int) -> None:
    a, b = ic.tensor("a", "n-9 2"), ic.tensor("b", "n-9 2")
    B = ic.tensor("B", "n 2")
    total = ((signs[0] * a * B[:-9] + signs[1] * b * B[shift : shift - 9 if shift < 9 else None]) ** 1).sum()
    data = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2)), RNG.normal(size=(15, 2))
    wanted = np.zeros((15, 2))
    wanted[:6] += signs[0] * data[0]
    wanted[shift : shift + 6] += signs[1] * data[1]
    np.testing.assert_allclose(ic.compile(ic.grad(total, B), (a, b, B))(*data), wanted)


@pytest.mark.parametrize("exponent", [2, 3, 4, -1, -2, -3, 0.5, -0.5, 1.5, -1.5])
def test_powers_in_place_are_powers(exponent: float) -> None:
    data = RNG.uniform(0.5, 2, size=100)
    before = data.copy()
    base = ic.exp(x)
    np.testing.assert_allclose(ic.compile(base**exponent, (x,))(data), np.exp(data) ** exponent, rtol=1e-13)
    np.testing.assert_allclose(ic.compile([base, base**exponent], (x,))(data)[0], np.exp(data))
    assert np.array_equal(data, before)


def test_safe_programs_cut_no_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum over the axis of a loop is added up whole, digit for digit as without tiles."""
    outputs = [ic.tanh(ic.exp(x) * y), (ic.tanh(ic.exp(x) * y) ** 2).sum()]
    data = [RNG.normal(size=999) for _ in range(2)]
    found = []
    for size in (0, 2000):
        tiled(monkeypatch, size)
        f = ic.compile(outputs, (x, y), reassociate="safe")
        found.append(f(*data))
        assert ("tiles" in str(f.plan)) == (size > 0)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
