"""`ic.minimize_args`: what SciPy's optimizers find, and its derivatives, are those of the scalar by its tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from scipy.optimize import approx_fprime, minimize

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.interop.packing import MASKED

RNG = np.random.default_rng(0)
X, w, b, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.scalar("b"), ic.tensor("y", "n")
LOGISTIC = ic.softplus(-y * (X @ w + b)).sum() + 0.5 * (w @ w + b**2)


def data(n: int, d: int) -> dict[str, Any]:
    points = RNG.normal(size=(n, d))
    return {"X": points, "y": np.where(points @ np.arange(1, d + 1) + 0.3 * RNG.normal(size=n) > 0, 1.0, -1.0)}


def newton(given: dict[str, Any], steps: int = 30) -> Any:
    """Logistic regression solved directly: Newton's steps, written in NumPy."""
    wide = np.column_stack([given["X"], np.ones(len(given["X"]))])
    x = np.zeros(wide.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(given["y"] * (wide @ x)))
        slope = -wide.T @ (given["y"] * p) + x
        x = x - scipy.linalg.solve(wide.T * (p * (1 - p)) @ wide + np.eye(len(x)), slope)
    return x


@pytest.mark.parametrize(("n", "d"), [(20, 3), (5, 1)])
@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-ncg", "L-BFGS-B"])
def test_logistic_regression(n: int, d: int, method: str) -> None:
    given = data(n, d)
    problem = ic.minimize_args(LOGISTIC, [w, b], given)
    products = {"hessp": problem.hessp} if method in ("Newton-CG", "trust-ncg") else {}
    result = minimize(**problem, **products, method=method, tol=1e-10)
    found, wanted = problem.unpack(result.x), newton(given)
    np.testing.assert_allclose(found["w"], wanted[:-1], rtol=1e-4)
    np.testing.assert_allclose(found["b"], wanted[-1], rtol=1e-4)
    assert found["b"].shape == ()


def test_a_start_and_bounds() -> None:
    s = ic.tensor("s", "d", positive=True)
    y = ic.tensor("y", "d")
    f = (s - ic.log(s) * y).sum()
    problem = ic.minimize_args(f, "s", y=[1.0, 2.0], s=[3.0, 3.0])
    assert [*problem.keys()] == ["fun", "x0", "jac", "bounds"]
    np.testing.assert_array_equal(problem["x0"], [3, 3])
    assert all(0 < low < 1e-99 and high is None for low, high in problem["bounds"])
    np.testing.assert_allclose(problem.unpack(minimize(**problem).x)["s"], [1, 2], rtol=1e-4)
    np.testing.assert_array_equal(ic.minimize_args(f, "s", y=[1.0, 2.0])["x0"], [1, 1])
    assert ic.minimize_args(LOGISTIC, w, {**data(3, 2), "b": 0.0})["bounds"] is None


A = ic.tensor("A", "n n")
STRUCTURES = {
    "plain": (ic.tensor("S", "n m"), 6),
    "symmetric": (ic.tensor("S", "n n", symmetric=True), 6),
    "skew": (ic.tensor("S", "n n", skew=True), 3),
    "lower": (ic.tensor("S", "n n", lower=True), 6),
    "upper": (ic.tensor("S", "n n", upper=True), 6),
    "diagonal": (ic.tensor("S", "n n", diagonal=True), 3),
    "symmetric of order 3": (ic.tensor("S", "n n n", symmetric=True), 10),
    "skew of order 3": (ic.tensor("S", "n n n", skew=True), 1),
    "stiffness": (ic.tensor("S", "m m m m", symmetric=[(0, 1), (2, 3)], major=True), 6),
    "curvature": (ic.tensor("S", "n n n n", skew=[(0, 1), (2, 3)], major=True), 6),
    "pair of slots": (ic.tensor("S", "m n n", symmetric=[(1, 2)]), 12),
    "batch of lower ones": (ic.tensor("S", "m n n", lower=True), 12),
    "column": (ic.column("S", "n"), 3),
    "scalar": (ic.scalar("S"), 1),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_independent_entries_are_packed(name: str) -> None:
    S, count = STRUCTURES[name]
    weight = ic.tensor("C", *S.node.dims)
    plain = ic.einsum(S, [*range(S.order)], [*range(S.order)]) if S.standing != "column" else ic.eye("n") @ S
    weight = ic.column(weight) if S.standing == "column" else weight
    f = (ic.exp(plain * weight)).sum() + (plain * plain * weight).sum() * plain.sum()
    sizes = {"n": 3, "m": 2}
    shape = [sizes.get(str(dim), dim) for dim in S.node.dims]
    problem = ic.minimize_args(f, S, C=RNG.normal(size=shape))
    assert problem["x0"].shape == (count,)
    x, p = RNG.normal(size=count) / 2, RNG.normal(size=count)
    tensor = problem.unpack(x)["S"]
    again = ic.minimize_args(f, S, C=RNG.normal(size=shape), S=tensor)
    np.testing.assert_array_equal(again["x0"], x)
    value, slope = problem.fun(x)
    assert value == pytest.approx(float(f.evaluate(S=tensor, C=problem.data["C"])))
    np.testing.assert_allclose(slope, approx_fprime(x, lambda z: problem.fun(z)[0], 1e-7), rtol=2e-4, atol=2e-5)
    step = 1e-5
    differences = (problem.fun(x + step * p)[1] - problem.fun(x - step * p)[1]) / (2 * step)
    np.testing.assert_allclose(problem.hessp(x, p), differences, rtol=1e-5, atol=1e-7)


def test_names_of_directions_are_new() -> None:
    dw = ic.tensor("d1_w", "d")
    problem = ic.minimize_args(((w - dw) ** 2 * w).sum(), w, d1_w=[1.0, 2.0])
    np.testing.assert_allclose(problem.hessp([1.0, 1.0], [1.0, 0.0]), [2.0, 0.0])


def test_functions_and_sizes_are_given_as_to_evaluate() -> None:
    u = ic.function("u", "d ->")
    calls = {"u": lambda w: w @ w, "Du": lambda w: 2 * w}
    problem = ic.minimize_args(u(w) + ic.tr(ic.eye("k")) * w.sum(), w, {**calls, "k": 2, "d": 3})
    value, slope = problem.fun([1.0, 0.0, 0.0])
    assert value == pytest.approx(3)
    np.testing.assert_allclose(slope, [4, 2, 2])


REFUSED: dict[str, tuple[Any, str]] = {
    "not a scalar": (lambda: ic.minimize_args(w, w), "has axes"),
    "missing data": (lambda: ic.minimize_args(LOGISTIC, [w, b], X=np.ones((2, 3))), "missing input y"),
    "unknown data": (lambda: ic.minimize_args(LOGISTIC, [w, b], data(4, 2), z=1), "unknown input"),
    "no size": (lambda: ic.minimize_args((w * w).sum(), w), "give d="),
    "no tensor": (lambda: ic.minimize_args(w @ w, [w + w], d=2), "no tensor"),
    "an index": (lambda: ic.minimize_args(w @ w, [w[ic.index("i")]], d=2), "no tensor"),
    "unknown name": (lambda: ic.minimize_args(w @ w, "v", d=2), "no variable"),
    "twice": (lambda: ic.minimize_args(w @ w, [w, "w"], d=2), "twice"),
    "none": (lambda: ic.minimize_args(w @ w, [], d=2), "no tensor"),
    "unknown function": (lambda: ic.minimize_args(w @ w, w, d=2, f=abs), "unknown function"),
    "a function for a number": (lambda: ic.minimize_args(w @ w, w, d=abs), "give d="),
    "not in it": (lambda: ic.minimize_args(w @ w, [w, b], d=2), "does not occur"),
    "too many": (lambda: ic.minimize_args(w @ w, w, d=10**30), "the limit"),
    "no keyword": (lambda: ic.minimize_args(w @ w, w, d=2)["x1"], "no keyword"),
    "a named step": (lambda: ic.minimize_args((Z := ic.define("Z", w * w)).sum(), Z, d=2), "no tensor"),
    "definite": (lambda: ic.minimize_args(ic.tr(P := ic.tensor("P", 2, 2, positive_definite=True)), P), "L @ L.T"),
    "constant": (lambda: ic.minimize_args((c := ic.tensor("c", 2, constant=True)) @ c, c), "constant"),
    "complex": (lambda: ic.minimize_args(w @ w, w, w=[1j]), "complex"),
    "start without structure": (
        lambda: ic.minimize_args(ic.tr(STRUCTURES["symmetric"][0]), "S", S=np.arange(4.0).reshape(2, 2)), "S"),
    "another length": (lambda: ic.minimize_args(w @ w, w, d=2).unpack([1, 2, 3]), "2 numbers"),
    "no numbers": (lambda: ic.minimize_args(w @ w, w, d=2).fun("x"), "no vector"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_packed_is_refused(name: str) -> None:
    call, words = REFUSED[name]
    with pytest.raises(IndexCalcError, match=words):
        call()


def test_each_mask_is_tried() -> None:
    assert {*MASKED} <= {*STRUCTURES}


def test_an_expr_is_minimised_too() -> None:
    i = ic.index("i")
    step = ic.define("R", w * w)
    problem = ic.minimize_args(step[i] * w[i], w, d=2)
    np.testing.assert_allclose(problem.fun([1.0, 2.0])[1], [3, 12])
