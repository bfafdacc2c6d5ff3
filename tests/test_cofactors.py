"""The derivative of a determinant: cofactors, at matrices of any rank."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic
from indexcalc.testing import check_derivative

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
X, A, B, T, s = (
    ic.tensor("X", "n n"),
    ic.tensor("A", "n n"),
    ic.tensor("B", "n n"),
    ic.tensor("T", "m n"),
    ic.scalar("s"),
)


def minors(x: Any) -> Any:
    """The cofactors as books define them."""
    n = len(x)
    rest = [[np.delete(np.delete(x, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * np.linalg.det(rest[i][j]) for j in range(n)] for i in range(n)])


def of_rank(n: int, rank: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n))


RANKS = [(n, rank) for n in (1, 2, 3, 4, 5, 8) for rank in sorted({n, n - 1, max(n - 2, 0), 0})]


@pytest.mark.parametrize(("n", "rank"), RANKS)
def test_the_gradient_of_det_at_any_rank(n: int, rank: int) -> None:
    D, x, space = ic.grad(ic.det(X), X), of_rank(n, rank), dict[str, Any]()
    exec(ic.to_source(D, (X,), name="f"), space)
    found = [D.evaluate(X=x), ic.compile(D, (X,))(x), space["f"](x)]
    found += [np.asarray(ic.compile(D, (X,), backend=backend)(x)) for backend in ("jax", "torch")]
    for value in found:
        np.testing.assert_allclose(value, minors(x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_one_singular_member_of_a_batch(n: int) -> None:
    Z = ic.tensor("Z", "N n n")
    x = np.stack([of_rank(n, n - (seed == 1), seed) for seed in range(50)])
    value = ic.grad(ic.det(Z).sum(), Z)
    np.testing.assert_allclose(value.evaluate(Z=x), [minors(one) for one in x], rtol=1e-9, atol=1e-10)


DETS = [ic.det(X), ic.det(A @ X @ B), ic.det(X) ** 2, ic.det(X) * ic.tr(X), ic.det(X + s * A)]


@pytest.mark.parametrize("e", DETS, ids=str)
def test_derivatives_to_second_order(e: Any) -> None:
    assert check_derivative(e, X)
    assert check_derivative(ic.grad(e, X), X)


def test_what_is_written() -> None:
    assert str(ic.grad(ic.det(X), X)) == "cofactor(X)"
    assert str(ic.grad(ic.det(A @ X @ B), X)) == "det(A)*det(B)*cofactor(X)"
    assert str(ic.grad(ic.det(T.T @ T), T)) == "2*T @ cofactor(T.T @ T)"
    assert str(ic.grad(ic.log(ic.det(X)), X)) == "inv(X).T"
    assert (ic.cofactor(X).T @ X).simplify() == ic.det(X) * ic.eye("n")
    assert (X @ ic.cofactor(X).T).simplify() == ic.det(X) * ic.eye("n")
    assert (ic.cofactor(X) / ic.det(X)).simplify() == ic.inv(X).T


def test_composite_arguments_at_singular_matrices() -> None:
    x, a, b = of_rank(3, 2), of_rank(3, 3, 1), of_rank(3, 2, 2)
    slope = jax.grad(lambda x: jnp.linalg.det(a @ x @ b + x))
    e = ic.grad(ic.det(A @ X @ B + X), X)
    np.testing.assert_allclose(e.evaluate(A=a, B=b, X=x), slope(jnp.asarray(x)), rtol=1e-9, atol=1e-9)
