"""The derivative of a determinant: cofactors, at matrices of any rank."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

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


def minors_of_pairs(x: Any) -> Any:
    """The second derivatives of det as books define them: without the rows i, k and the columns j, l, with a sign."""
    n = len(x)
    made = np.zeros((n, n, n, n))
    for i, j, k, l in np.ndindex(n, n, n, n):  # noqa: E741
        if i != k and j != l:
            sign = (-1) ** (i + j + k + l) * np.sign(k - i) * np.sign(l - j)
            made[i, j, k, l] = sign * np.linalg.det(np.delete(np.delete(x, (i, k), 0), (j, l), 1))
    return made


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


SECOND = [ic.hessian(ic.det(X), X), ic.hvp(ic.det(X), X, A), ic.jvp(ic.adj(X), X, A)]
BOTH = ic.compile(SECOND, (X, A))


def second(x: Any, v: Any) -> list[Any]:
    wanted = minors_of_pairs(x)
    along = np.einsum("ijkl,kl", wanted, v)
    return [wanted, along, along.T]


def agree(found: Any, wanted: Any) -> None:
    for value, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("n", "rank"), [*RANKS, (5, 2), (8, 3)])
def test_the_second_derivative_of_det_at_any_rank(n: int, rank: int) -> None:
    x, v = of_rank(n, rank), np.random.default_rng(5).standard_normal((n, n))
    agree(BOTH(x, v), second(x, v))


@pytest.mark.parametrize("n", [3, 5])
def test_the_second_derivative_on_every_backend(n: int) -> None:
    x, v, space = of_rank(n, n - 2), np.random.default_rng(5).standard_normal((n, n)), dict[str, Any]()
    exec(ic.to_source(SECOND, (X, A), name="f"), space)
    agree(space["f"](x, v), second(x, v))
    for backend in ("jax", "torch", "dask"):
        agree(ic.compile(SECOND, (X, A), backend=backend)(x, v), second(x, v))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_the_second_derivative_with_one_singular_member(n: int) -> None:
    Z, W = ic.tensor("Z", "N n n"), ic.tensor("W", "N n n")
    x = np.stack([of_rank(n, n - (seed == 1), seed) for seed in range(50)])
    w = np.random.default_rng(9).standard_normal(x.shape)
    value = ic.hvp(ic.det(Z).sum(), Z, W).evaluate(Z=x, W=w)
    wanted = [np.einsum("ijkl,kl", minors_of_pairs(a), b) for a, b in zip(x, w, strict=True)]
    np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("e", [ic.cofactor(X), ic.adj(X) @ B, ic.cofactor(A @ X + B)], ids=str)
def test_derivatives_of_cofactors_to_second_order(e: Any) -> None:
    assert check_derivative(e, X)
    assert check_derivative(ic.derivative(e, X), X)


def test_third_derivatives_need_an_inverse() -> None:
    third, x = ic.derivative(ic.det(X), X, order=3), of_rank(4, 4)
    wanted = jax.jacfwd(jax.jacfwd(jax.jacfwd(jnp.linalg.det)))(jnp.asarray(x))
    np.testing.assert_allclose(third.evaluate(X=x), wanted, rtol=1e-8, atol=1e-8)
    with pytest.raises(ic.InputError, match="derivatives of det above the second"):
        third.evaluate(X=np.diag([1.0, 2.0, 3.0, 0.0]))


def test_second_derivatives_as_a_person_writes_them() -> None:
    H = ic.hessian(ic.det(X), X)
    assert str(ic.hvp(ic.det(X), X, A)) == "Dadj(X, A).T"
    assert ic.parse(str(ic.hvp(ic.det(X), X, A)), X="n n", A="n n") == ic.hvp(ic.det(X), X, A)
    i, j, k, l = ic.indices("i j k l")  # noqa: E741
    inverse, cofactors = ic.inv(X), ic.cofactor(X)
    by_inverses = cofactors[k, l] * inverse[j, i] - cofactors[i, l] * inverse[j, k]
    answer = by_inverses.equals(H[i, j, k, l])
    assert answer and "exact" in answer.how, answer
    assert not (2 * by_inverses).equals(H[i, j, k, l])
    Z, n = ic.tensor("Z", "N n n"), ic.tr(ic.eye("n"))
    assert ic.jvp(ic.adj(Z), Z, Z).equals((n - 1) * ic.adj(Z))


def test_the_code_of_cofactors_has_derivatives_where_a_matrix_is_singular() -> None:
    for n, rank in [(3, 1), (5, 3), (5, 5)]:
        x, space = of_rank(n, rank), dict[str, Any]()
        wanted = minors_of_pairs(x)
        exec(ic.to_source(ic.cofactor(X), (X,), name="f", target="jax"), space)
        np.testing.assert_allclose(jax.jacrev(space["f"])(jnp.asarray(x)), wanted, rtol=1e-8, atol=1e-8)
        exec(ic.to_source(ic.cofactor(X), (X,), name="f", target="torch"), space)
        found = torch.autograd.functional.jacobian(space["f"], torch.tensor(x))  # type: ignore[no-untyped-call]
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8)
