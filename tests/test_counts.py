"""What the plans of the benchmark problems claim, counted from outside: a NumPy that sees every call and its arrays.

Products are counted in floating-point operations, by kernel; allocations are those that Python's tracer sees.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.compile import loops
from indexcalc.engine.emit.numpy.function import SPACE
from indexcalc.engine.program import (
    Contract,
    Map,
    Solve,
    flops,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

from problems import PROBLEMS, Problem
from structures import STRUCTURES

EVERY = {problem.name: problem for problem in (*PROBLEMS, *STRUCTURES)}
NAMED = {name: problem for name, problem in EVERY.items() if not problem.held}


class Seen:
    """Calls of NumPy: how many, and the operations of those that multiply and add."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.products = 0

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def call(*args: Any, **options: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            result = function(*args, **options)
            self.products += operations(name, args, result)
            return result

        return call


def operations(name: str, args: Any, result: Any) -> int:
    """Multiplications and additions of one call that is a product of two arrays with axes; 0 for others."""
    if name in ("dot", "matmul"):
        return 2 * np.size(result) * args[0].shape[-1]
    if name == "einsum":
        spec, *arrays = args
        if len(arrays) < 2:
            return 0
        letters = {x: size for own, a in zip(spec.partition("->")[0].split(","), arrays, strict=True)
                   for x, size in zip(own, a.shape, strict=True)}  # fmt: skip
        summed = len(letters) > len(spec.partition("->")[2])
        return prod(letters.values()) * (1 + summed)
    return 0


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """NumPy's functions as the programs find them, watched."""
    watcher = Seen()
    for name, function in list(SPACE.items()):
        if callable(function):
            monkeypatch.setitem(SPACE, name, watcher.watched(name, function))
    return watcher


def program(problem: Problem, size: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """The compiled function and its arrays."""
    outputs, inputs = problem.express()
    return ic.compile(outputs, inputs), problem.make(*size)


def middle(problem: Problem) -> tuple[int, ...]:
    return problem.sizes[1]


@pytest.mark.parametrize("name", EVERY)
def test_a_program_has_the_values_of_the_hand_written_form(name: str) -> None:
    problem = EVERY[name]
    arrays = problem.make(*problem.sizes[0])
    if problem.held:
        found, wanted = problem.product(arrays)(), problem.limit(*arrays)(problem.direction(arrays))
    else:
        found, wanted = program(problem, problem.sizes[0])[0](*arrays), problem.limit(*arrays)
    several = isinstance(wanted, list)
    for a, b in zip(found if several else [found], wanted if several else [wanted], strict=True):
        assert np.allclose(a, b, rtol=1e-9, atol=1e-9 * np.max(np.abs(b)))


# ------------------------------------------------------------------ operations

PRODUCTS = {"dot", "matmul", "einsum", "outer"}


@pytest.mark.parametrize("name", NAMED)
def test_the_products_that_run_are_those_of_the_plan(name: str, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of products by BLAS and einsum, exactly; what one call does for several steps is what these claim.

    Whole: of a triangle tiles make its own entries alone.
    """
    monkeypatch.setattr(loops, "LARGE", 2**60)
    f, arrays = program(NAMED[name], middle(NAMED[name]))
    f(*arrays)
    seen.products, seen.calls = 0, {}
    f(*arrays)
    kernels = dict(enumerate(f.plan.kernels))
    claimed = 0
    for number, step in enumerate(f.plan.program.steps):
        if isinstance(step, Contract) and len(step.uses) == 2 and kernels[number] in PRODUCTS:
            claimed += flops(step)
    fused = sum(flops(step) for k, step in enumerate(f.plan.program.steps) if kernels[k] == "at once")
    singles = [step for step in f.plan.program.steps if isinstance(step, Contract) and len(step.uses) == 1]
    sums = 2 * sum(prod(step.shape) for step in singles) + 2 * sum(np.size(a) for a in arrays)
    assert 0 <= seen.products - claimed <= 2 * fused + sums


BOUNDS: dict[str, Callable[..., float]] = {
    "quadratic form Hessian": lambda n: 2 * n**2,
    "logistic value+gradient": lambda m, n: 4 * m * n + 20 * m,
    "logistic Hessian": lambda m, n: 2 * m * n**2 + 3 * m * n + 20 * m,
    "factorisation value+gradient": lambda m, n, k: 4 * m * n * k + 6 * m * n,
    "factorisation Hessian": lambda m, n, k: 2 * n * k**2 + 2 * m**2 * k**2,
    "d(AXB)/dX": lambda n: 1.1 * n**4,
    "softmax Jacobian": lambda N, C: 4 * N * C**2,
    "CP gradients": lambda n, r: 4 * n**3 * r + 24 * n**2 * r,
    "Gaussian Hessian in mean": lambda N, d: 40 * d**3,
    "Gaussian Hessian in precision": lambda N, d: 2 * d**4 + 20 * d**3,
    "Gaussian Hessian in covariance": lambda N, d: 3 * N * d**2 + 12 * d**4,
    "Poisson gradient+Hessian": lambda m, n: 2 * m * n**2 + 8 * m * n,
    "Student-t Hessian": lambda N, d: 5 * N * d**2 + 12 * N * d + 6 * d**2,
    "attention value+gradients": lambda t, d: 13 * t**2 * d + 20 * t**2,
    "Gaussian process value+gradient": lambda n: 12 * n**3 + 20 * n**2,
}
"""Operations that a plan may claim, of the sizes: what a hand-written form takes, with little to spare."""


@pytest.mark.parametrize("name", BOUNDS)
def test_a_plan_takes_no_more_operations_than_a_hand_written_form(name: str) -> None:
    problem = NAMED[name]
    f, arrays = program(problem, middle(problem))
    f(*arrays)
    assert f.plan.flops <= BOUNDS[name](*middle(problem)), f.plan


# ------------------------------------------------------------------ calls, memory


CALLS = {
    "quadratic form Hessian": 1, "logistic value+gradient": 8, "logistic Hessian": 7,
    "factorisation value+gradient": 6, "factorisation Hessian": 4, "d(AXB)/dX": 2,
    "softmax Jacobian": 5, "CP gradients": 16, "Student-t Hessian": 22, "Poisson gradient+Hessian": 9,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls_of_numpy(name: str, seen: Seen) -> None:
    """No step is made twice, nothing is copied that need not be: calls from the lines of a program."""
    f, arrays = program(NAMED[name], NAMED[name].sizes[0])
    f(*arrays)
    seen.calls = {}
    f(*arrays)
    assert sum(seen.calls.values()) <= CALLS[name], seen.calls


@pytest.mark.parametrize("name", NAMED)
def test_memory_is_what_the_plan_claims(name: str) -> None:
    """The most bytes at once, results included, as Python's tracer sees them: the claim is a bound, and tight."""
    problem = NAMED[name]
    f, arrays = program(problem, middle(problem))
    f(*arrays)
    ic.free_workspace()
    tracemalloc.start()
    f(*arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 1.2 * f.plan.peak_bytes + 2**17, (peak, f.plan)
    assert 0.97 * f.plan.peak_bytes <= peak, (peak, f.plan)


def test_large_results_are_made_in_place() -> None:
    """A Hessian with a delta is one allocation, and so is a Kronecker product."""
    for name in ("factorisation Hessian", "d(AXB)/dX"):
        problem = NAMED[name]
        f, arrays = program(problem, problem.sizes[-1])
        result = f(*arrays)
        tracemalloc.start()
        f(*arrays)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.02 * result.nbytes + 100_000


# ------------------------------------------------------------------ held-out structure


def test_exponentials_are_taken_once(seen: Seen) -> None:
    """Value, gradient and Hessian share z and what is made of it."""
    X, y, w = ic.tensor("X", "m n"), ic.tensor("y", "m"), ic.tensor("w", "n")
    loss = (ic.exp(X @ w) - y * (X @ w)).sum()
    f = ic.compile([loss, ic.grad(loss, w), ic.hessian(loss, w)], (X, y, w))
    f(np.ones((50, 3)), np.ones(50), np.zeros(3))
    assert sum(isinstance(step, Map) and step.fn == "exp" for step in f.plan.program.steps) == 1
    assert seen.calls["exp"] == 1


def test_a_loss_is_added_up_term_by_term(seen: Seen) -> None:
    """Neither `y z` nor the difference is ever an array; of a centring both are, and where that is asked for."""
    X, y, w, m = ic.tensor("X", "m n"), ic.tensor("y", "m"), ic.tensor("w", "n"), ic.tensor("m", "n")
    arrays = np.linspace(-1, 1, 150).reshape(50, 3), np.linspace(0, 1, 50), np.ones(3)
    loss = (ic.exp(X @ w) - y * (X @ w)).sum()
    f = ic.compile(loss, (X, y, w))
    assert np.isclose(f(*arrays), np.exp(arrays[0] @ arrays[2]).sum() - arrays[1] @ (arrays[0] @ arrays[2]))
    assert seen.calls == {"dot": 2, "exp": 1, "einsum": 1} and "added up term by term" in str(f.plan)
    seen.calls.clear()
    ic.compile(loss, (X, y, w), reassociate="safe")(*arrays)
    assert seen.calls == {"dot": 1, "exp": 1, "multiply": 1, "subtract": 1, "einsum": 1}
    centred = ic.compile((X * X - m).sum(), (X, m), sizes={"m": 9, "n": 3}).plan
    assert "term by term" not in str(centred)


def test_powers_of_one_array_are_made_from_each_other(seen: Seen) -> None:
    """Energy and forces of Lennard-Jones: x**-3, x**-6, x**-7 and x**-4 are a reciprocal and five products."""
    x = ic.tensor("x", "n")
    f = ic.compile([(x**-6 - x**-3).sum(), ic.grad((x**-6 - x**-3).sum(), x)], (x,))
    f(np.linspace(1, 2, 50))
    powers = {"divide", "square", "sqrt", "power"}
    assert {name: times for name, times in seen.calls.items() if name in powers} == {"divide": 1}
    assert seen.calls["multiply"] <= 7


def test_a_root_that_is_there_gives_its_reciprocal(seen: Seen) -> None:
    """Value and gradient of a norm of differences: one square root."""
    x = ic.tensor("x", "n")
    loss = ic.sqrt(x**2 + 1).sum()
    f = ic.compile([loss, ic.grad(loss, x)], (x,))
    values = np.linspace(-2, 2, 50)
    np.testing.assert_allclose(f(values)[1], values / np.sqrt(values**2 + 1), rtol=1e-15)
    assert seen.calls["sqrt"] == 1


def test_results_in_c_order_are_made_so_where_a_product_can(seen: Seen) -> None:
    A, B = ic.tensor("A", "m n"), ic.tensor("B", "p n")
    for output in (A @ B.T, (A @ B.T).T):
        f = ic.compile(output, (A, B), order="C")
        assert f(np.ones((4, 3)), np.ones((5, 3))).flags.owndata
    assert seen.calls == {"dot": 2, "ascontiguousarray": 2}


def test_a_product_with_what_is_held_is_one_call(seen: Seen) -> None:
    """The coefficient of `2 δ_ik (V'V)_jl` is multiplied in once, whatever is multiplied by the Hessian then."""
    T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
    H = ic.hessian(((T - U @ V.T) ** 2).sum(), U).compressed(V=np.ones((7, 3)), m=5)
    H.matvec(np.ones(15))
    seen.calls.clear()
    for vector in (np.arange(15.0), np.ones(15), np.ones((5, 3))):
        wanted = 14 * vector.reshape(5, 3).sum(axis=1, keepdims=True) * np.ones(3)
        assert np.allclose(H.matvec(vector), wanted.reshape(vector.shape))
    assert seen.calls == {"dot": 3}


def test_a_solve_replaces_an_inverse_that_is_applied_once() -> None:
    A, b = ic.tensor("A", "n n"), ic.tensor("b", "n")
    plan = ic.compile(ic.inv(A) @ b, (A, b), sizes={"n": 50}).plan
    assert [type(step) for step in plan.steps] == [Solve]
