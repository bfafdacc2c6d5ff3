"""What the planner re-associates: each rule by operations and notes, and by values against the plain evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.program import Map

RNG = np.random.default_rng(0)


def agrees(outputs: Sequence[Any], arrays: Mapping[str, Any], tolerance: float = 1e-10) -> Any:
    """The plan, whose values are those of the plain evaluation."""
    fast = ic.compile(outputs, tuple(arrays))
    plain = ic.compile(outputs, tuple(arrays), reassociate="safe")
    for ours, theirs in zip(fast(*arrays.values()), plain(*arrays.values()), strict=True):
        assert np.max(np.abs(ours - theirs)) <= tolerance * max(1.0, np.max(np.abs(theirs)))
    return fast.plan


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


# ------------------------------------------------------------------ what only scales


def attention(scaled: bool) -> tuple[Any, dict[str, Any]]:
    """Softmax of the scores of an input, scaled row by row and column by column or not."""
    X, Wq, Wk = ic.tensor("X", "n d"), ic.tensor("Wq", "d e"), ic.tensor("Wk", "d e")
    x = ic.einsum("nd,n,d->nd", X, ic.tensor("s", "n"), ic.tensor("g", "d")) if scaled else X
    arrays = {"X": normal(60, 30), "Wq": normal(30, 4), "Wk": normal(30, 4)}
    more = {"s": normal(60), "g": normal(30)} if scaled else {}
    return ic.softmax((x @ Wq) @ (x @ Wk).T, axis=1), arrays | more


def test_factors_that_scale_leave_a_low_rank_middle() -> None:
    """Eight factors, four of which are matrices: as many operations as with these alone, and the scaling."""
    scaled, plain = (agrees([output], arrays) for output, arrays in (attention(True), attention(False)))
    assert scaled.flops <= plain.flops + 3 * 60 * 30


# ------------------------------------------------------------------ sums


def laplacian(layers: int, shapes: tuple[int, int, int]) -> tuple[Any, dict[str, Any]]:
    """The Laplacian of a tanh network of one output, sample by sample."""
    N, d, h = shapes
    X, W, c = ic.tensor("X", "N d"), ic.tensor("W", "d h"), ic.tensor("c", "h")
    n, i = ic.index("n", batch=True), ic.index("i")
    value = ic.tanh(X @ W)
    arrays = {"X": normal(N, d), "W": normal(d, h), "c": normal(h)}
    if layers == 2:
        value = ic.tanh(value @ ic.tensor("V", "h h"))
        arrays["V"] = normal(h, h) / 4
    u = (value @ c)[n]
    return u.diff(X[n, i]).diff(X[n, i]), arrays


def test_a_trace_goes_into_the_terms_of_a_sum() -> None:
    """No matrix of second derivatives is made: once W D V, and its squares added up."""
    output, arrays = laplacian(2, (50, 6, 24))
    plan = agrees([output], arrays)
    assert any(note.startswith("term by term") for note in plan.notes)
    assert all(prod(step.shape) < 50 * 6 * 24 or step.shape.count(6) < 2 for step in plan.program.steps)
    assert (50, 6, 6) not in {tuple(sorted(step.shape, reverse=True)) for step in plan.program.steps}
    assert plan.flops <= 1.1 * (2 * 50 * 6 * 24 * 24 + 6 * 50 * 24 * 24 + 2 * 50 * 6 * 24 + 6 * 50 * 6 * 24)


def tangent() -> tuple[Any, dict[str, Any]]:
    """The tangent of a compressible neo-Hookean solid, point by point."""
    F, mu, K = ic.tensor("F", "P 3 3"), ic.scalar("mu"), ic.scalar("K")
    n, (i, j, k, l) = ic.index("n", batch=True), ic.indices("i j k l")  # noqa: E741
    J, I1 = ic.det(F), ic.einsum("pij,pij->p", F, F)
    energy = mu / 2 * (I1 * J ** Fraction(-2, 3) - 3) + K / 2 * (J - 1) ** 2
    return energy[n].diff(F[n, i, j]).diff(F[n, k, l]), {"F": np.eye(3) + normal(40, 3, 3) / 9, "mu": 1.5, "K": 0.7}


def test_like_terms_meet_where_a_sum_is_only_scaled() -> None:
    """`mu` times a sum: once it is multiplied out, cofactors have one coefficient, and their derivative has one."""
    output, arrays = tangent()
    plan = agrees([output], arrays)
    assert "multiplied out" in " ".join(plan.notes)
    whole = [step for step in plan.steps if len(step.shape) == 5]
    assert len(whole) <= 6
    assert plan.flops < 0.75 * ic.compile(output, tuple(arrays), sizes={"P": 40}, reassociate="safe").plan.flops


# ------------------------------------------------------------------ a diagonal plus low rank

n, k = 80, 3
s, c, w = ic.tensor("s", "n", positive=True), ic.scalar("c", positive=True), ic.tensor("w", "k")
U, b, v = ic.tensor("U", "n k"), ic.tensor("b", "n"), ic.tensor("v", "n")
NUMBERS = {"s": RNG.uniform(0.5, 2, n), "c": 1.3, "w": RNG.uniform(0.1, 1, k), "U": normal(n, k), "b": normal(n)}
MATRICES = {
    "U U'": (ic.diagm(s) + U @ U.T, "sUb"),
    "weighted": (ic.eye("n") * c + U @ ic.diagm(w) @ U.T, "cwUb"),
    "rank one": (ic.diagm(s) + ic.outer(b, b), "sb"),
    "difference": (ic.diagm(s) - 0.001 * (U @ U.T), "sUb"),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_positive_diagonal_plus_low_rank(name: str) -> None:
    """Determinants, solves and their gradients take no operations of the third order."""
    A, names = MATRICES[name]
    arrays = {name: NUMBERS[name] for name in names}
    loss = ic.logdet(A) + b @ ic.inv(A) @ b
    outputs = [ic.logdet(A), ic.solve(A, b), loss, *ic.grad(loss, [ic.tensor("U", "n k") if "U" in names else b])]
    plan = agrees(outputs, arrays, 1e-9)
    assert any("by Woodbury" in note for note in plan.notes)
    assert (n, n) not in {step.shape for step in plan.steps}
    assert plan.flops < 80 * n * k * k


def test_woodbury_has_its_value() -> None:
    """Against NumPy's own factorisation."""
    A, x, U0 = MATRICES["U U'"][0], NUMBERS["b"], NUMBERS["U"]
    whole = np.diag(NUMBERS["s"]) + U0 @ U0.T
    found = ic.compile([ic.logdet(A), ic.solve(A, b), ic.inv(A)], (s, U, b))(NUMBERS["s"], U0, x)
    wanted = np.linalg.slogdet(whole)[1], np.linalg.solve(whole, x), np.linalg.inv(whole)
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("A", "sizes"),
    [
        (ic.diagm(ic.tensor("t", "n")) + U @ U.T, {"n": 80, "k": 3}),
        (MATRICES["U U'"][0], {"n": 80, "k": 30}),
        (MATRICES["U U'"][0], {"n": 8, "k": 1}),
    ],
    ids=["any sign", "high rank", "small"],
)
def test_other_matrices_are_factorised_as_they_are(A: Any, sizes: dict[str, int]) -> None:
    plan = ic.compile(ic.logdet(A), ("t", "U") if "t[" in str(A) or "(t)" in str(A) else ("s", "U"), sizes=sizes).plan
    assert not any("Woodbury" in note for note in plan.notes)


# ------------------------------------------------------------------ numbers


def test_products_that_are_equal_up_to_a_number_are_one() -> None:
    A, B = ic.tensor("A", "n n"), ic.tensor("B", "n n")
    arrays = {"A": normal(9, 9), "B": normal(9, 9)}
    plan = agrees([3 * (A @ B), ic.exp(2 * (A @ B)), A @ B], arrays)
    assert sum(len(step.uses) == 2 for step in plan.steps) == 1
    assert "made once, up to a number: 3 products" in plan.notes


def test_a_sum_with_itself_is_a_multiple() -> None:
    a, d = ic.tensor("a", "n"), ic.tensor("d", "n")
    t = ic.tanh(a) * d
    plan = agrees([t + t, t], {"a": normal(7), "d": normal(7)})
    assert [type(step) for step in plan.steps].count(Map) == 1
    assert plan.flops == 2 * 7


def test_terms_of_many_factors_share_what_is_dear() -> None:
    """The Hessian of a network by its first layer: one product of pairs of inputs with what both of its terms are."""
    h = ic.tensor("X", "b d")
    for layer in range(3):
        h = ic.relu(h @ ic.tensor(f"W{layer}", "d d"))
    output = h @ ic.tensor("W3", "d d")
    hessian = ic.hessian(ic.logsumexp(output, axis=1).sum(), ic.tensor("W0", "d d"))
    arrays = {"X": normal(10, 10)} | {f"W{layer}": normal(10, 10) for layer in range(4)}
    plan = agrees([hessian], arrays)
    outer = [step for step in plan.steps if len(step.shape) == 4 and len(step.uses) == 2]
    assert len(outer) == 1
    assert plan.flops <= 320_000
