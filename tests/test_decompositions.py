"""Decompositions and primary functions of matrices: values, derivatives against JAX, closed forms, text, errors."""

from __future__ import annotations

import math
import pickle
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import pytest
from truths import truth

import indexcalc as ic
from indexcalc.errors import DimensionError, InputError, KindError, NotationError, ParseError
from indexcalc.functions.code.numpy import gaps
from indexcalc.functions.code.shared import frechet
from indexcalc.functions.table import MATRICES, MatrixFunction
from indexcalc.index import Dim, dim, size, smaller, substitute

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

i, j, k, l = ic.indices("i j k l")  # noqa: E741
SIDES = [1, 2, 3, pytest.param(4, marks=pytest.mark.slow)]
SHAPES = [(3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (1, 1)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
each_row = pytest.mark.parametrize("row", MATRICES.values(), ids=lambda row: row.name)

Case = tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[int], Any]]


def general(n: int, seed: int = 0) -> Any:
    """A matrix."""
    return np.random.default_rng(seed).standard_normal((n, n))


def near(n: int, seed: int = 0) -> Any:
    """A matrix near the identity."""
    return np.eye(n) + 0.3 / n * general(n, seed)


def positive(n: int, seed: int = 0) -> Any:
    """A positive definite matrix, not quite symmetric."""
    a = general(n, seed)
    return a @ a.T + np.eye(n) + 0.1 * general(n, seed + 1)


def series(coefs: list[float], middle: float = 0.0) -> Callable[[Any], Any]:
    """The primary function with these coefficients of its power series about a number."""

    def f(x: Any) -> Any:
        eye = jnp.eye(x.shape[-1])

        def step(carry: Any, coef: Any) -> Any:
            total, power = carry
            return (total + coef * power, power @ (x - middle * eye)), None

        return jax.lax.scan(step, (0 * x, eye), jnp.asarray(coefs))[0][0]

    return f


def _root(count: int) -> list[float]:
    coefs = [1.0]
    for n in range(1, count):
        coefs.append(coefs[-1] * (1.5 - n) / n)
    return coefs


LOG = series([0.0, *((-1.0) ** (n + 1) / n for n in range(1, 100))], 1.0)
ROOT = series(_root(100), 1.0)
SINE = series([(-1.0) ** (n // 2) / math.factorial(n) if n % 2 else 0.0 for n in range(40)])
COSINE = series([0.0 if n % 2 else (-1.0) ** (n // 2) / math.factorial(n) for n in range(40)])


def symmetrised(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of the symmetric part."""
    return lambda a: f((a + a.swapaxes(-1, -2)) / 2)


def by_eigenvectors(A: Any) -> Any:
    """The sine of a symmetric matrix, which does not depend on the signs of eigenvectors."""
    w, V = ic.eigh(A)
    return ic.einsum("ia,a,ja->ij", V, ic.sin(w), V)


def _in_jax_by_eigenvectors(a: Any) -> Any:
    w, v = jnp.linalg.eigh(a, symmetrize_input=False)
    return (v * jnp.sin(w)) @ v.T


CASES: dict[str, Case] = {
    "expm": (ic.expm, jsl.expm, general),
    "logm": (ic.logm, LOG, near),
    "sqrtm": (ic.sqrtm, ROOT, near),
    "sinm": (ic.sinm, SINE, general),
    "cosm": (ic.cosm, COSINE, general),
    "cholesky": (ic.cholesky, symmetrised(jnp.linalg.cholesky), positive),
    "eigvalsh": (ic.eigvalsh, symmetrised(jnp.linalg.eigvalsh), general),
    "eigh": (by_eigenvectors, symmetrised(_in_jax_by_eigenvectors), general),
    "power 3": (lambda X: ic.matrix_power(X, 3), lambda x: jnp.linalg.matrix_power(x, 3), general),
}
each_case = pytest.mark.parametrize("name", CASES)


def close(value: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """Are these numbers equal, measured by the largest?"""
    expected = np.asarray(expected)
    assert np.shape(value) == expected.shape
    np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


def differences(f: Callable[[Any], Any], x: Any, step: float = 1e-5) -> Any:
    """The derivative of f by central differences, axes of the argument last."""
    ways = step * np.eye(x.size).reshape(-1, *x.shape)
    columns = [(f(x + way) - f(x - way)) / (2 * step) for way in ways]
    return np.stack(columns, -1).reshape(*np.shape(columns[0]), *x.shape)


# ------------------------------------------------------------------ the table


@each_row
def test_a_row_is_complete(row: MatrixFunction) -> None:
    assert row.formula and row.source and row.domain
    assert (row.rule is None) != (row.slope is None)
    text = row.latex.format("x", **dict.fromkeys(row.params, "p"))
    assert "x" in text and text.count("{") == text.count("}")
    assert hasattr(ic, row.name) == (row.public or row.special is not None)


@each_row
def test_a_value_keeps_its_dtype(row: MatrixFunction) -> None:
    x = np.stack([positive(3), positive(3, 5)])
    params = (2,) if row.params else ()
    for dtype in [np.float32, np.float64] + [np.complex64, np.complex128] * row.holomorphic:
        value = row.numpy(x.astype(dtype), *params)
        assert value.dtype == dtype
        assert value.shape == (2, *row.shape(3, 3))
        close(value, row.numpy(x, *params), 1e-4)


@each_row
def test_no_matrices_and_empty_matrices(row: MatrixFunction) -> None:
    params = (2,) if row.params else ()
    for shape in [(0, 3, 3), (2, 0, 0)]:
        assert row.numpy(np.ones(shape), *params).shape == (shape[0], *row.shape(*shape[1:]))


@each_row
def test_what_is_not_finite_stays_in_its_batch(row: MatrixFunction) -> None:
    x = np.stack([positive(3), positive(3)])
    x[0, 1, 2] = np.nan
    value = row.numpy(x, *((2,) if row.params else ()))
    assert np.isnan(value[0]).any() and np.isfinite(value[1]).all()


# ------------------------------------------------------------------ derivatives


@each_case
@pytest.mark.parametrize("n", SIDES)
def test_derivatives_to_second_order(name: str, n: int) -> None:
    f, in_jax, draw = CASES[name]
    a = draw(n)
    A = ic.tensor("A", "n n" if n % 2 else (n, n))
    first = jax.jacfwd(in_jax)
    wanted = truth("decomposition", f"{name}({n})", [a], lambda: [in_jax(a), first(a), jax.jacfwd(first)(a)])
    close(f(A).evaluate(A=a), wanted[0])
    close(ic.derivative(f(A), A).evaluate(A=a), wanted[1])
    close(ic.derivative(f(A), A, order=2).evaluate(A=a), wanted[2], 1e-8)


@pytest.mark.parametrize("name", ["expm", "sqrtm", "cholesky", "eigh"])
def test_third_derivatives(name: str) -> None:
    f, _, draw = CASES[name]
    A, a = ic.tensor("A", "n n"), draw(2)
    second = ic.derivative(f(A), A, order=2)
    third = ic.derivative(second, A).evaluate(A=a)
    close(third, differences(lambda a: second.evaluate(A=a), a), 1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sqrtm", "cholesky", "eigh"])
def test_scalars_of_a_batch(name: str) -> None:
    f, in_jax, draw = CASES[name]
    if name == "eigh":
        w, V = ic.eigh(ic.tensor("A", "p n n"))
        Y: Any = ic.einsum("pia,pa,pja->pij", V, ic.sin(w), V)
    else:
        Y = f(ic.tensor("A", "p n n"))
    A, a = ic.tensor("A", "p n n"), np.stack([draw(3), draw(3) + 0.1])
    np.testing.assert_allclose(Y.evaluate(A=a), jax.vmap(in_jax)(a), rtol=1e-9, atol=1e-10)
    y = (Y**3).sum()

    def total(x: Any) -> Any:
        return (jax.vmap(in_jax)(x) ** 3).sum()

    close(ic.grad(y, A).evaluate(A=a), jax.grad(total)(a))
    close(ic.hessian(y, A).evaluate(A=a), jax.hessian(total)(a), 1e-8)


def _svd_cases(X: Any) -> dict[str, Any]:
    U, s, Vt = ic.svd(X)
    return {
        "svdvals": ic.svdvals(X),
        "X": ic.einsum("ia,a,aj->ij", U, s, Vt),
        "sin": ic.einsum("ia,a,aj->ij", U, ic.sin(s), Vt),
        "left": ic.einsum("ia,a,ja->ij", U, s**2, U),
        "right": ic.einsum("ai,a,aj->ij", Vt, ic.exp(s), Vt),
    }


@each_shape
@pytest.mark.parametrize("name", ["svdvals", "X", "sin", "left", "right"])
@pytest.mark.parametrize("declared", ["sizes", "symbols"])
def test_singular_values_and_vectors(shape: tuple[int, int], name: str, declared: str) -> None:
    X = ic.tensor("X", shape if declared == "sizes" else "m n")
    x = np.random.default_rng(3).standard_normal(shape)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    expected = {"svdvals": s, "X": x, "sin": (u * np.sin(s)) @ vt, "left": x @ x.T, "right": (vt.T * np.exp(s)) @ vt}
    y = _svd_cases(X)[name]
    first = ic.derivative(y, X)
    close(y.evaluate(X=x), expected[name], 1e-12)
    close(first.evaluate(X=x), differences(lambda x: y.evaluate(X=x), x), 1e-7)
    close(ic.derivative(first, X).evaluate(X=x), differences(lambda x: first.evaluate(X=x), x), 1e-6)


@pytest.mark.slow
def test_singular_values_in_a_batch() -> None:
    X, x = ic.tensor("X", "p m n"), np.random.default_rng(0).standard_normal((2, 3, 4))
    y = (ic.svdvals(X) ** 3).sum()

    def in_jax(x: Any) -> Any:
        return jnp.sum(jnp.linalg.svd(x, compute_uv=False) ** 3)

    close(ic.grad(y, X).evaluate(X=x), jax.grad(in_jax)(x))
    close(ic.hessian(y, X).evaluate(X=x), jax.hessian(in_jax)(x), 1e-8)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3)], ids=str)
def test_the_derivative_of_a_singular_value_is_an_outer_product(shape: tuple[int, int]) -> None:
    X, x = ic.tensor("X", "m n"), np.random.default_rng(1).standard_normal(shape)
    D = ic.derivative(ic.svdvals(X), X)
    assert D.shape == (smaller(dim("m"), dim("n")), dim("m"), dim("n"))
    assert str(D) == "svd_u(X)[j,i]*svd_vt(X)[i,k] -> [i,j,k]"
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    close(D.evaluate(X=x)[1], np.outer(u[:, 1], vt[1]), 1e-12)


def test_the_free_gradient_of_an_eigenvalue_is_an_outer_product() -> None:
    A, a = ic.tensor("A", "n n"), general(4)
    w, V = ic.eigh(A)
    assert ic.derivative(w, A) == ic.einsum("ia,ja->aij", V, V)
    _, v = np.linalg.eigh((a + a.T) / 2)
    close(ic.derivative(w, A).evaluate(A=a)[2], np.outer(v[:, 2], v[:, 2]), 1e-12)


def test_the_product_of_eigenvalues() -> None:
    A, a = ic.tensor("A", "n n"), positive(3)
    y = ic.prod(ic.eigvalsh(A))
    in_jax = symmetrised(jnp.linalg.det)
    close(ic.grad(y, A).evaluate(A=a), jax.grad(in_jax)(a))
    close(ic.hessian(y, A).evaluate(A=a), jax.hessian(in_jax)(a))


def test_equal_eigenvalues_give_finite_derivatives() -> None:
    A = ic.tensor("A", 3, 3)
    w, V = ic.eigh(A)
    assert not ic.derivative(V, A).evaluate(A=np.eye(3)).any()
    close(ic.grad(w.sum(), A).evaluate(A=np.eye(3)), np.eye(3), 1e-14)
    turn = np.linalg.qr(general(3))[0]
    assert np.abs(ic.derivative(V, A).evaluate(A=turn @ np.diag([1.0, 1.0, 2.0]) @ turn.T)).max() < 10
    assert gaps(np.asarray([0.0, 0.0])).tolist() == [[0, 0], [0, 0]]


def test_derivatives_by_a_symmetric_matrix() -> None:
    S, s = ic.tensor("S", "n n", symmetric=True), positive(3)
    s = (s + s.T) / 2
    y = (ic.logm(S) ** 2).sum()
    expected = jax.grad(lambda s: jnp.sum(jnp.log(jnp.linalg.eigvalsh(s)) ** 2))(s)
    close(ic.grad(y, S).evaluate(S=s), (expected + expected.T) / 2)


# ------------------------------------------------------------------ powers with a symbol


@pytest.mark.parametrize("power", [0, 1, 2, 5])
def test_a_power_whose_exponent_is_a_symbol(power: int) -> None:
    X, x = ic.tensor("X", "n n"), positive(3)
    y = ic.matrix_power(X, "k")

    def in_jax(x: Any) -> Any:
        return jnp.linalg.matrix_power(x, power)

    close(y.evaluate(X=x, k=power), in_jax(x))
    close(ic.derivative(y, X).evaluate(X=x, k=power), jax.jacfwd(in_jax)(x))
    close(ic.derivative(y, X, order=2).evaluate(X=x, k=power), jax.jacfwd(jax.jacfwd(in_jax))(x))


def test_the_trace_of_a_power() -> None:
    X, x = ic.tensor("X", "n n"), positive(3)
    D = ic.grad(ic.tr(ic.matrix_power(X, "k")), X)
    assert ic.ones("k").sum() * ic.matrix_power(X, "k - 1").T == D
    for power in (0, 3):
        close(D.evaluate(X=x, k=power), power * np.linalg.matrix_power(x, power - 1).T)
    E = ic.matrix_power(X, "2*k - 1")
    assert ic.matrix_power(X, 2 * dim("k") - 1) == E
    assert "k" not in E.variables


# ------------------------------------------------------------------ closed forms and operators


def test_traces_of_primary_functions_close() -> None:
    X, S = ic.tensor("X", "n n"), ic.tensor("S", "n n", positive_definite=True)
    assert ic.grad(ic.tr(ic.expm(X)), X) == ic.expm(X).T
    assert ic.grad(ic.tr(ic.sinm(X)), X) == ic.cosm(X).T
    assert ic.grad(ic.tr(ic.cosm(X)), X) == -ic.sinm(X).T
    assert ic.grad(ic.tr(ic.logm(X)), X) == ic.inv(X).T
    assert ic.grad(ic.tr(ic.sqrtm(X)), X) == ic.inv(ic.sqrtm(X)).T / 2
    assert ic.grad(ic.tr(S @ ic.logm(S)), S) == ic.logm(S) + ic.eye("n")
    assert ic.grad(ic.tr(X @ ic.expm(X)), X) == (X @ ic.expm(X)).T + ic.expm(X).T


def test_directions_that_commute_close() -> None:
    x, A, B = ic.scalar("x"), ic.tensor("A", "n n"), ic.tensor("B", "n n")
    assert ic.derivative(ic.expm(x * A), x) == A @ ic.expm(x * A)
    assert ic.derivative(ic.expm(x * A @ B), x) == A @ B @ ic.expm(x * A @ B)
    assert ic.derivative(ic.expm(x * A), x, order=2) == A @ A @ ic.expm(x * A)
    assert ic.jvp(ic.sinm(A), A, A) == A @ ic.cosm(A)
    assert ic.jvp(ic.expm(A), A, ic.expm(A)) == ic.expm(A) @ ic.expm(A)
    assert ic.jvp(ic.expm(A), A, A + B) == A @ ic.expm(A) + ic.jvp(ic.expm(A), A, B)
    assert ic.jvp(ic.expm(A), A, A.T) != A.T @ ic.expm(A)
    assert ic.vjp(ic.logm(A), A, ic.eye("n")) == ic.inv(A).T


@pytest.mark.slow
def test_directions_are_taken_in() -> None:
    A, B, C = (ic.tensor(name, "n n") for name in "ABC")
    Y = ic.expm(A)
    J, H = ic.derivative(Y, A), ic.derivative(Y, A, order=2)
    assert str(J) == "Dexpm(A)" and str(H) == "D2expm(A)"
    assert str(ic.jvp(Y, A, B)) == "Dexpm(A, B)"
    assert ic.einsum("ijkl,kl->ij", J, B) == ic.jvp(Y, A, B)
    assert ic.einsum("ijkl,ij->kl", J, B) == ic.vjp(Y, A, B)
    assert ic.einsum("ijklpq,kl,pq->ij", H, B, C) == ic.einsum("ijklpq,pq,kl->ij", H, B, C)
    assert ic.jvp(Y, A, 2 * B + C) == 2 * ic.jvp(Y, A, B) + ic.jvp(Y, A, C)
    y = ic.einsum("ij,ij->", C, Y)
    assert ic.hvp(y, A, B) == ic.einsum("ijkl,kl->ij", ic.hessian(y, A), B)
    values = {"A": general(3), "B": general(3, 1), "C": general(3, 2)}
    in_jax = jax.hessian(lambda a: jnp.sum(values["C"] * jsl.expm(a)))(values["A"])
    close(ic.hvp(y, A, B).evaluate(**values), np.einsum("ijkl,kl", np.asarray(in_jax), values["B"]))


def test_symmetry_and_transposes() -> None:
    A, S = ic.tensor("A", "n n"), ic.tensor("S", "n n", symmetric=True)
    assert ic.expm(A.T) == ic.expm(A).T and ic.expm(A.T) != ic.expm(A)
    assert ic.logm(S) == ic.logm(S).T and ic.sqrtm(A @ A.T) == ic.sqrtm(A @ A.T).T
    assert ic.eigvalsh(A.T) == ic.eigvalsh(A) and ic.svdvals(A.T) == ic.svdvals(A)
    J = ic.derivative(ic.expm(A), A)
    assert J[i, j, k, l] == J[l, k, j, i] and J[i, j, k, l] != J[k, l, i, j]
    D = ic.derivative(ic.expm(S), S, structure="free")
    assert D[i, j, k, l] == D[j, i, l, k]


def test_the_derivative_of_blocks() -> None:
    x, e, g = general(2), general(2, 1), general(2, 2)
    cube = lambda x: x @ x @ x  # noqa: E731
    close(frechet(cube, x, [e]), e @ x @ x + x @ e @ x + x @ x @ e, 1e-12)
    expected = sum(a @ b @ c for a, b, c in [(e, g, x), (e, x, g), (g, e, x), (g, x, e), (x, e, g), (x, g, e)])
    close(frechet(cube, x, [e, g]), expected, 1e-12)
    opened = frechet(cube, x, [e], 1)
    close(np.einsum("ijkl,kl->ij", opened, g), expected, 1e-12)


# ------------------------------------------------------------------ the smaller of two dimensions


def test_the_smaller_of_two_dimensions() -> None:
    m, n = dim("m"), dim("n")
    least = smaller(m, n)
    assert isinstance(least, Dim) and str(least) == "min(m, n)" and least is smaller(n, m)
    assert smaller(2, 5) == 2 and smaller(n, n) is n
    assert size(least * m, {"m": 3, "n": 2}) == 6 and least.symbols == {"m", "n"}
    assert substitute(least, {"m": 3, "n": 7}) == 3 and substitute(least, {"m": n}) is n
    assert pickle.loads(pickle.dumps(least * m + 1)) is least * m + 1
    X = ic.tensor("X", "m n")
    G = ic.tensor("G", ic.svdvals(X).shape)
    y = ic.einsum("a,a->", G, ic.svdvals(X))
    assert ic.grad(y, X).evaluate(X=np.ones((3, 2)), G=np.ones(2)).shape == (3, 2)
    with pytest.raises(DimensionError):
        y.evaluate(X=np.ones((3, 2)), G=np.ones(3))


# ------------------------------------------------------------------ text and errors


def _written() -> list[Any]:
    A, B, C, S = (ic.tensor(name, "n n") for name in "ABCS")
    X, x = ic.tensor("X", "m n"), ic.scalar("x")
    U, s, Vt = ic.svd(X)
    w, V = ic.eigh(A)
    y = ic.einsum("ij,ij->", C, ic.expm(A))
    power = ic.matrix_power(A @ B, "2*k - 1")
    return [
        w, V, U, s, Vt, ic.expm(A @ B + C), ic.derivative(U, X), ic.derivative(V, A), ic.derivative(s, X, order=2),
        ic.derivative(ic.expm(A), A), ic.hessian(y, A), ic.hvp(y, A, B), ic.derivative(ic.expm(A @ B), A),
        power, ic.jvp(power, A, C), ic.derivative(ic.matrix_power(A, "k"), A, order=2),
        ic.grad(ic.tr(ic.matrix_power(A, "k")), A), ic.derivative(ic.sqrtm(x * A), x), ic.svdvals(X)[i] * U[j, i],
        ic.derivative(ic.expm(A), A)[i, j, k, l], ic.logm(S)[i, j] + S[i, j],
    ]  # fmt: skip


@pytest.mark.parametrize("place", range(21))
def test_text_reads_back(place: int) -> None:
    e = _written()[place]
    assert ic.parse(str(e), **e.declarations) == e
    again = pickle.loads(pickle.dumps(e))
    assert again == e and hash(again) == hash(e)
    assert e.latex()


def test_the_text_of_operators() -> None:
    A, B = ic.tensor("A", "n n"), ic.tensor("B", "n n")
    assert str(ic.expm(A)[i, j]) == "expm(A)[i,j]"
    assert ic.parse("D2expm(A, B)", A=A, B=B) == ic.derivative(ic.jvp(ic.expm(A), A, B), A)
    assert ic.parse("matrix_power(A, k - 1)", A=A, dims={"k": "k"}) == ic.matrix_power(A, "k - 1")
    assert ic.expm(A)[i, j].latex() == r"\operatorname{expm}\left(A\right)_{ij}"
    assert ic.matrix_power(A, "k")[i, j].latex() == r"\left(\left(A\right)^{k}\right)_{ij}"
    assert ic.matrix_power(A, "k").latex() == "A^{k}"
    with pytest.raises(ParseError, match="3 arguments"):
        ic.parse("Dexpm(A, B, B)", A=A, B=B)
    with pytest.raises(ParseError, match="direction"):
        ic.parse("Dexpm(A, B)", A=A, B=ic.tensor("B", 2, 2))


X, A, P = ic.tensor("X", "m n"), ic.tensor("A", 2, 2), ic.tensor("P", "n n")
WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ic.expm(X), DimensionError, "square"),
    (lambda: ic.eigh(X), DimensionError, "square"),
    (lambda: ic.cholesky(X), DimensionError, "square"),
    (lambda: ic.matrix_power(X, "k"), DimensionError, "square"),
    (lambda: ic.expm(P[i, j]), NotationError, "indices"),
    (lambda: ic.svd(X[i, j]), NotationError, "indices"),
    (lambda: ic.expm(np.arange(4).reshape(2, 2)), KindError, "no expression"),
    (lambda: ic.eigvalsh(ic.tensor("x", "n")), NotationError, "1 axis"),
    (lambda: ic.svdvals(3), KindError, "no expression"),
    (lambda: ic.matrix_power(P, 0.5), KindError, "exponent"),
    (lambda: ic.matrix_power(P, ic.scalar("s")), KindError, "exponent"),
    (lambda: ic.matrix_power(P, "k").evaluate(P=np.eye(2)), DimensionError, "`k`"),
    (lambda: ic.cholesky(A).evaluate(A=-np.eye(2)), InputError, "positive definite"),
    (lambda: ic.logm(A).evaluate(A=-np.eye(2)), InputError, "negative eigenvalue"),
    (lambda: ic.logm(A).evaluate(A=np.zeros((2, 2))), InputError, "singular"),
    (lambda: ic.eigvalsh(A).evaluate(A=np.eye(2) * 1j), InputError, "real"),
    (lambda: ic.tensor("expm", "n n"), ValueError, "name of a function"),
    (lambda: ic.tensor("svd_u", "n n"), ValueError, "name of a function"),
    (lambda: ic.tensor("D2expm", "n n"), ValueError, "name of a function"),
]


@pytest.mark.parametrize("place", range(len(WRONG)))
def test_wrong_input_is_named(place: int) -> None:
    case, kind, words = WRONG[place]
    with pytest.raises(kind, match=words) as caught:
        case()
    assert isinstance(caught.value, ic.IndexCalcError)


def test_complex_matrices() -> None:
    x = general(3) + 1j * general(3, 1)
    value = ic.expm(ic.tensor("X", "n n")).evaluate(X=x)
    close(value, jsl.expm(jnp.asarray(x)), 1e-12)
    root = ic.sqrtm(ic.tensor("X", "n n")).evaluate(X=-np.eye(2) + 0j)
    close(root @ root, -np.eye(2), 1e-12)


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    with pytest.raises(InputError, match="pip install scipy"):
        ic.expm(A).evaluate(A=np.eye(2))
    assert ic.eigvalsh(A).evaluate(A=np.eye(2)).tolist() == [1, 1]


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize("f", [ic.expm, ic.logm, ic.sqrtm, ic.sinm], ids=lambda f: f.__name__)
def test_along_a_direction_it_takes_the_numbers_of_some_matrices(f: Any) -> None:
    """n**4 numbers would be 2500 matrices."""
    X, V, n = ic.tensor("X", "n n"), ic.tensor("V", "n n"), 50
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((n, n)) / n + 2 * np.eye(n), rng.standard_normal((n, n))
    for e in (ic.jvp(f(X), X, V), ic.grad((V * f(X)).sum(), X), ic.hvp((f(X) ** 2).sum(), X, V)):
        called = ic.compile(e, (X, V))
        called(x, v)
        tracemalloc.start()
        called(x, v)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert taken < 600 * x.nbytes and taken / 2 < ic.preflight(e, n=n).peak_bytes < 20 * taken


def test_along_a_direction_as_by_blocks() -> None:
    rng = np.random.default_rng(0)
    x, e = np.stack([positive(4), positive(4, 5)]), rng.standard_normal((2, 4, 4))
    for name in ("expm", "sqrtm"):
        row = MATRICES[name]
        assert row.along is not None
        close(row.along(x, e), frechet(row.numpy, x, [e]), 1e-11)
        e[1, 0, 0] = np.nan
        assert np.isnan(row.along(x, e)[1]).any() and np.isfinite(row.along(x, e)[0]).all()
        e[1, 0, 0] = 1
