"""A 1×1 product of columns is a number, also to functions of matrices: values, derivatives, what stays refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import indexcalc as ic
from indexcalc import DimensionError, IndexCalcError, NotationError
from indexcalc.functions.table import REDUCTIONS
from indexcalc.views.functions.apply import MATRIX_FUNCTIONS
from indexcalc.views.functions.decompositions import DECOMPOSITIONS
from indexcalc.views.functions.one_by_one import ONE_BY_ONE

A, B = ic.tensor("A", "n n"), ic.tensor("B", "p q")
x, y, b, v = ic.column("x", "n"), ic.column("y", "n"), ic.column("b", "m"), ic.tensor("v", "m")
q = x.T @ A @ x
OF_NO_MATRIX = {"unfold", "cross", "commutation", "duplication", "elimination", "voigt", "unit"}
"""Matrix functions of three entries, and those that take dimensions alone."""


def test_each_function_of_matrices_has_its_number() -> None:
    along_two = {name for name, row in REDUCTIONS.items() if row.axes == 2 and row.public}
    assert set(ONE_BY_ONE) == {*MATRIX_FUNCTIONS, *DECOMPOSITIONS, *along_two} - OF_NO_MATRIX


# of q, and what NumPy has for the matrix [[q]]
OF_ONE: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "tr": (ic.tr(q), np.trace), "det": (ic.det(q), np.linalg.det), "inv": (ic.inv(q), np.linalg.inv),
    "pinv": (ic.pinv(q), np.linalg.inv), "logdet": (ic.logdet(q), lambda Q: np.linalg.slogdet(Q)[1]),
    "adj": (ic.adj(q), lambda Q: np.ones((1, 1)) + 0 * Q), "cofactor": (ic.cofactor(q), lambda Q: 1 + 0 * Q),
    "matrix_power": (ic.matrix_power(q, 3), lambda Q: Q @ Q @ Q), "diag": (ic.diag(q), np.diag),
    "matrix_power -2": (ic.matrix_power(q, -2), lambda Q: np.linalg.inv(Q @ Q)),
    "matrix_power 0": (ic.matrix_power(q, 0), lambda Q: 1 + 0 * Q),
    "diagm": (ic.diagm(q), lambda Q: np.diag(Q[0])), "tril": (ic.tril(q), np.tril), "triu": (ic.triu(q), np.triu),
    "tril -1": (ic.tril(q, -1), lambda Q: np.tril(Q, -1)), "triu 1": (ic.triu(q, 1), lambda Q: np.triu(Q, 1)),
    "tril 1": (ic.tril(q, 1), lambda Q: np.tril(Q, 1)), "triu -1": (ic.triu(q, -1), lambda Q: np.triu(Q, -1)),
    "vec": (ic.vec(q), np.ravel), "vech": (ic.vech(q), np.ravel), "unvec": (ic.unvec(q, 1, 1), np.ravel),
    "sym": (ic.sym(q), lambda Q: (Q + Q.T) / 2), "cholesky": (ic.cholesky(q), np.linalg.cholesky),
    "eigvalsh": (ic.eigvalsh(q), np.linalg.eigvalsh), "expm": (ic.expm(q), np.exp),
    "svdvals": (ic.svdvals(q), lambda Q: np.linalg.svd(Q)[1]), "norm_nuc": (ic.norm_nuc(q), np.abs),
    "logm": (ic.logm(q), np.log), "sqrtm": (ic.sqrtm(q), np.sqrt), "sinm": (ic.sinm(q), np.sin),
    "cosm": (ic.cosm(q), np.cos), "polar": (ic.polar(q), np.sign), "eigh": (ic.eigh(q)[0] * ic.eigh(q)[1], np.ravel),
    "svd": (ic.svd(q)[0] * ic.svd(q)[1] * ic.svd(q)[2], np.ravel),
    "kron": (ic.kron(q, q), lambda Q: np.kron(Q, Q)), "khatri_rao": (ic.khatri_rao(q, q), lambda Q: np.kron(Q, Q)),
    "outer": (ic.outer(q, q), lambda Q: Q @ Q), "solve": (ic.solve(q, q**3), lambda Q: np.linalg.solve(Q, Q**3)),
    "@": (q @ q, lambda Q: Q @ Q), "mT": (q.mT, np.transpose),
}  # fmt: skip


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", OF_ONE)
def test_values_and_derivatives_are_those_of_the_matrix_of_one_entry(name: str, n: int) -> None:
    f, matrix = OF_ONE[name]
    assert (f.shape, f.ndim) == ((), 0)
    rng = np.random.default_rng(n)
    given = {"x": rng.uniform(0.5, 1, n), "A": rng.uniform(0.2, 1, (n, n))}

    def number(entry: float) -> float:
        return float(np.reshape(matrix(np.full((1, 1), entry)), ()))

    x0, both = given["x"], given["A"] + given["A"].T
    entry, h = float(x0 @ given["A"] @ x0), 1e-3
    near = [number(entry + k * h) for k in (-2, -1, 0, 1, 2)]
    slope = np.dot(near, [1, -8, 0, 8, -1]) / (12 * h)
    bend = np.dot(near, [-1, 16, -30, 16, -1]) / (12 * h**2)
    assert_allclose(f.evaluate(given), number(entry), rtol=1e-12)
    assert_allclose(ic.grad(f, x).evaluate(given).ravel(), slope * both @ x0, rtol=1e-6, atol=1e-9)
    second = bend * np.outer(both @ x0, both @ x0) + slope * both
    assert_allclose(ic.hessian(f, x).evaluate(given), second, rtol=1e-5, atol=1e-7)


def test_of_a_negative_number() -> None:
    minus = -(x.T @ x)
    given = {"x": [0.5, 2.0]}
    assert_allclose(ic.logdet(minus).evaluate(given), np.log(4.25))
    assert_allclose(ic.svdvals(minus).evaluate(given), 4.25)
    U, s, Vt = ic.svd(minus)
    assert_allclose((U * s * Vt).evaluate(given), -4.25)
    assert_allclose(ic.pinv(x.T @ x).evaluate(x=[0.0, 0.0]), 0)


def test_beside_a_number_the_other_is_multiplied() -> None:
    assert ic.kron(q, B) == ic.kron(B, q) == q * B
    assert ic.kron(B, q, A) == q * ic.kron(B, A)
    assert ic.kron(q, b) == q * b
    assert ic.kron(q, v) == q * v
    assert ic.khatri_rao(q, b) == q * b
    assert ic.outer(b, q) == q * b
    assert ic.outer(q, b) == q * b.T
    assert ic.outer(q, b.T) == q * b.T
    assert ic.solve(q, b.T) == b.T / q
    assert ic.solve(q, y.T @ x) == (y.T @ x) / q
    assert (ic.outer(q, v).shape, ic.outer(v, q).shape) == ((1, "m"), ("m", 1))
    assert q @ ic.tensor("R", 1, "m") == q * ic.tensor("R", 1, "m")


def test_text_has_them_too() -> None:
    given = {"x": "n", "A": "n n", "vectors": "column"}
    assert ic.parse("tr(x^T A x)", **given) == q
    assert ic.parse("inv(x'x) A", **given) == A / (x.T @ x)
    assert ic.parse("kron(x'x, A)", **given) == (x.T @ x) * A


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: ic.tr(ic.scalar("s")), NotationError, "takes a matrix, and s has no axes"),
        (lambda: ic.inv(ic.tensor("u", "n") @ ic.tensor("u", "n")), NotationError, "takes a matrix"),
        (lambda: ic.cross(q, q), NotationError, "takes a vector"),
        (lambda: ic.unvec(q, 1, 2), DimensionError, "makes no matrix of 1 times 2"),
        (lambda: ic.vec(q, order="Z"), NotationError, "order='Z'"),
        (lambda: ic.matrix_power(q, 0.5), IndexCalcError, "no integer"),
        (lambda: ic.solve(q, b), DimensionError, "has 1"),
        (lambda: ic.khatri_rao(q, B), DimensionError, "number of columns"),
        (lambda: q @ A, NotationError, "@ takes no scalars"),
        (lambda: ic.inv(0 * q), NotationError, "division by zero"),
    ],
)
def test_what_is_no_matrix_of_one_entry_is_refused(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()
