"""Matrix functions: values and derivatives against JAX, simplification, text, and what is wrong input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from truths import truth

import indexcalc as ic

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]


def _vech(x: Any) -> Any:
    columns, rows = np.triu_indices(x.shape[-1])
    return x[..., rows, columns]


def _khatri_rao(a: Any, b: Any) -> Any:
    return jnp.einsum("...ik,...jk->...ijk", a, b).reshape(*a.shape[:-2], -1, a.shape[-1])


def _columns(x: Any) -> Any:
    return jnp.swapaxes(x, -1, -2).reshape(*x.shape[:-2], -1)


def _kron(a: Any, b: Any) -> Any:
    rows, columns = a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1]
    return jnp.einsum("...ij,...kl->...ikjl", a, b).reshape(*a.shape[:-2], rows, columns)


def _diagm(v: Any) -> Any:
    return v[..., None] * jnp.eye(v.shape[-1])


def _cofactor(x: Any) -> Any:
    return jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x).mT


Table = dict[str, tuple[Callable[..., Any], Callable[..., Any]]]

SQUARE: Table = {
    "inv": (ic.inv, jnp.linalg.inv),
    "det": (ic.det, jnp.linalg.det),
    "logdet": (ic.logdet, lambda x: jnp.linalg.slogdet(x)[1]),
    "cofactor": (ic.cofactor, _cofactor),
    "adj": (ic.adj, lambda x: _cofactor(x).mT),
    "tr": (ic.tr, lambda x: jnp.trace(x, axis1=-2, axis2=-1)),
    "diag": (ic.diag, lambda x: jnp.diagonal(x, axis1=-2, axis2=-1)),
    "sym": (ic.sym, lambda x: (x + x.mT) / 2),
    "vech": (ic.vech, _vech),
    "power 3": (lambda x: ic.matrix_power(x, 3), lambda x: x @ x @ x),
    "power 9": (lambda x: ic.matrix_power(x, 9), lambda x: jnp.linalg.matrix_power(x, 9)),
    "power 0": (lambda x: ic.matrix_power(x, 0), lambda x: jnp.linalg.matrix_power(x, 0)),
    "power -2": (
        lambda x: ic.matrix_power(x, -2),
        lambda x: jnp.linalg.inv(x) @ jnp.linalg.inv(x),
    ),
    "quadratic": (lambda x: ic.inv(x @ x.mT), lambda x: jnp.linalg.inv(x @ x.mT)),
    "det of sum": (lambda x: ic.det(x + x.mT * x), lambda x: jnp.linalg.det(x + x.mT * x)),
}
ANY: Table = {
    "pinv": (ic.pinv, jnp.linalg.pinv),
    "tril": (ic.tril, jnp.tril),
    "triu 1": (lambda x: ic.triu(x, 1), lambda x: jnp.triu(x, 1)),
    "tril -1": (lambda x: ic.tril(x, -1), lambda x: jnp.tril(x, -1)),
    "vec": (ic.vec, _columns),
    "vec C": (
        lambda x: ic.vec(x, order="C"),
        lambda x: x.reshape(*x.shape[:-2], -1),
    ),
    "kron": (lambda x: ic.kron(x, x), lambda x: _kron(x, x)),
    "khatri_rao": (lambda x: ic.khatri_rao(x, x), lambda x: _khatri_rao(x, x)),
    "gram": (lambda x: ic.logdet(x @ x.mT + 1), lambda x: jnp.linalg.slogdet(x @ x.mT + 1)[1]),
}
VECTORS: Table = {
    "diagm": (ic.diagm, _diagm),
    "outer": (lambda v: ic.outer(v, v), lambda v: v[..., :, None] * v[..., None, :]),
    "cross": (lambda v: ic.cross(v, v**2), lambda v: jnp.cross(v, v**2)),
    "kron": (lambda v: ic.kron(v, v), lambda v: jnp.einsum("...i,...j->...ij", v, v).reshape(*v.shape[:-1], -1)),
}


def compare(table: Table, name: str, x: Any) -> None:
    """Value, first and second derivative at x, in declared sizes and in symbols."""
    ours, theirs = table[name]
    first = jax.jacfwd(theirs)
    wanted = truth("matrices", name.replace(" ", ""), [x], lambda: [theirs(x), first(x), jax.jacfwd(first)(x)])
    X = ic.tensor("X", *x.shape)
    Y = ours(X)
    np.testing.assert_allclose(Y.evaluate(X=x), wanted[0], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(ic.derivative(Y, X).evaluate(X=x), wanted[1], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(ic.derivative(Y, X, order=2).evaluate(X=x), wanted[2], rtol=1e-6, atol=1e-5)


def draw(*shape: int) -> Any:
    """Entries of well conditioned matrices."""
    x = np.random.default_rng(sum(shape)).normal(size=shape) / 2
    return x + np.eye(*shape[-2:]) * 1.5


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (2, 3, 3)], ids=str)
@pytest.mark.parametrize("name", SQUARE)
def test_functions_of_square_matrices(name: str, shape: tuple[int, ...]) -> None:
    compare(SQUARE, name, draw(*shape))


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (3, 2), (2, 1, 2)], ids=str)
@pytest.mark.parametrize("name", ANY)
def test_functions_of_matrices(name: str, shape: tuple[int, ...]) -> None:
    compare(ANY, name, draw(*shape))


@pytest.mark.parametrize("name", VECTORS)
def test_functions_of_vectors(name: str) -> None:
    """Of a vector, and of a batch of them; two axes of `kron` are no batch."""
    for shape in [(3,)] if name == "kron" else [(3,), (2, 3)]:
        compare(VECTORS, name, np.random.default_rng(0).normal(size=shape))


@pytest.mark.slow
def test_a_matrix_of_dimension_4() -> None:
    for name in ("inv", "det", "logdet", "cofactor"):
        compare(SQUARE, name, draw(4, 4))


def test_cofactors_of_singular_matrices() -> None:
    F = ic.tensor("F", 3, 3)
    x = np.diag([1.0, 2.0, 0.0])
    np.testing.assert_allclose(ic.cofactor(F).evaluate(F=x), np.diag([0.0, 0.0, 2.0]), atol=1e-14)
    assert ic.det(F).evaluate(F=x) == 0
    z = np.random.default_rng(1).normal(size=(3, 3)) * (1 + 0.5j)
    value = ic.cofactor(F).evaluate(F=z)
    np.testing.assert_allclose(value, np.linalg.det(z) * np.linalg.inv(z).T, rtol=1e-10)


def test_solve_and_its_derivatives() -> None:
    A, b = ic.tensor("A", 3, 3), ic.tensor("b", 3)
    a, c = draw(3, 3), np.arange(3.0)
    x = ic.solve(A, b)
    np.testing.assert_allclose(x.evaluate(A=a, b=c), np.linalg.solve(a, c), rtol=1e-12)
    expected = jax.jacfwd(lambda a: jnp.linalg.solve(a, c))(a)
    np.testing.assert_allclose(ic.derivative(x, A).evaluate(A=a, b=c), expected, rtol=1e-9)


def test_constants() -> None:
    X, S = ic.tensor("X", "m n"), ic.tensor("S", "n n", symmetric=True)
    x = np.arange(6.0).reshape(2, 3)
    assert ic.commutation("m", "n") @ ic.vec(X) == ic.vec(X.T)
    np.testing.assert_array_equal((ic.commutation("m", "n") @ ic.vec(X)).evaluate(X=x), x.T.reshape(-1, order="F"))
    s = x.T @ x
    np.testing.assert_array_equal((ic.duplication("n") @ ic.vech(S)).evaluate(S=s), s.reshape(-1, order="F"))
    np.testing.assert_array_equal((X @ ic.unit(1, "n")).evaluate(X=x), x[:, 1])
    np.testing.assert_array_equal(ic.unit(0, 2, 2, 3).evaluate(), [[0, 0, 1], [0, 0, 0]])
    assert ic.unvec(ic.vec(X), "m", "n") == X
    assert ic.unvec(ic.vec(X, order="C"), "m", "n", order="C") == X


# ------------------------------------------------------------------ simplification

A, B, C, P = ic.tensor("A", "n n"), ic.tensor("B", "n n"), ic.tensor("C", "n n"), ic.tensor("P", "p p")
G, H, t = ic.tensor("G", "b n n"), ic.tensor("H", "b n n"), ic.tensor("t", "b")
X, W, v, w, s = ic.tensor("X", "m n"), ic.tensor("W", "m n"), ic.tensor("v", "n"), ic.tensor("w", "m"), ic.scalar("s")
F = ic.tensor("F", 3, 3)
S, K = ic.tensor("S", "n n", symmetric=True), ic.tensor("K", "n n", skew=True)
Q, D = ic.tensor("Q", "n n", orthogonal=True), ic.tensor("D", "n n", positive_definite=True)
R = ic.tensor("R", "b n n", orthogonal=True)
I = ic.eye("n")  # noqa: E741
r, u = ic.scalar("r", positive=True), ic.tensor("u", "n", positive=True)
p, T = ic.tensor("p", "n", stochastic=True), ic.tensor("T", "m n", stochastic=True)
inv, det, logdet, tr, diagm, kron = ic.inv, ic.det, ic.logdet, ic.tr, ic.diagm, ic.kron
i, j, k = ic.indices("i j k")

RULES: dict[str, tuple[Any, Any]] = {
    "inverse of an inverse": (inv(inv(A)), A),
    "inverse of a multiple": (inv(3 * s * A), inv(A) / (3 * s)),
    "inverse of the negative": (inv(-A), -inv(A)),
    "inverse of a multiple by a sum": (inv((v @ v) * A), inv(A) / (v @ v)),
    "inverse of a product": (inv(A @ B.T @ C), inv(C) @ inv(B).T @ inv(A)),
    "inverse of a product with one that is not square": (inv(A @ X.T @ X @ B), inv(B) @ inv(X.T @ X) @ inv(A)),
    "inverse of products in batches": (inv(G @ H), inv(H) @ inv(G)),
    "inverse of a diagonal": (inv(diagm(v)), diagm(1 / v)),
    "inverse with a diagonal": (inv(diagm(v) @ A), inv(A) @ diagm(1 / v)),
    "inverse of the identity": (inv(I), I),
    "inverse of a Kronecker product": (inv(kron(A, P, B)), kron(inv(A), inv(P), inv(B))),
    "inverse of symmetric": (inv(S).T, inv(S)),
    "inverse of a Gram matrix": (inv(X.T @ X).T, inv(X.T @ X)),
    "inverse of skew": (inv(K).T, -inv(K)),
    "cofactors of symmetric": (ic.cofactor(S).T, ic.cofactor(S)),
    "inverse of orthogonal": (inv(Q), Q.T),
    "det of a product": (det(A @ B), det(A) * det(B)),
    "det of a multiple": (det(2 * s * F), 8 * s**3 * det(F)),
    "det of a multiple by a symbol": (det(s * A), s ** ic.tr(I) * det(A)),
    "det of a transpose": (det(A.T), det(A)),
    "det of an inverse": (det(inv(A)), 1 / det(A)),
    "det of a diagonal": (det(diagm(v)), v.prod()),
    "det of the identity": (det(I), ic.scalar("s") ** 0),
    "det of a Kronecker product": (det(kron(A, P)), det(A) ** tr(ic.eye("p")) * det(P) ** tr(I)),
    "det of products in batches": (det(G @ H), det(G) * det(H)),
    "logdet of a product": (logdet(A @ inv(B)), logdet(A) - logdet(B)),
    "logdet of a multiple": (logdet(s * A), tr(I) * ic.log(ic.abs(s)) + logdet(A)),
    "logdet of a positive multiple": (logdet(r * A), tr(I) * ic.log(r) + logdet(A)),
    "logdet of a diagonal": (logdet(diagm(u)), ic.log(u).sum()),
    "logdet of a Kronecker product": (logdet(kron(A, P)), tr(ic.eye("p")) * logdet(A) + tr(I) * logdet(P)),
    "log of det, positive definite": (ic.log(det(D)), logdet(D)),
    "log of |det|": (ic.log(ic.abs(det(A))), logdet(A)),
    "cancels left": (inv(A) @ A @ C, C),
    "cancels right": (A @ inv(A), I),
    "cancels transposed": (inv(A).T @ A.T, I),
    "cancels a sum": (inv(A + 2 * I) @ (A + 2 * I) @ v, v),
    "cancels a product": (inv(X.T @ X) @ X.T @ X @ v, v),
    "cancels a weighted product": (inv(X.T @ diagm(w) @ X) @ X.T @ diagm(w) @ X @ v, v),
    "cancels symmetric": (inv(S) @ S.T, I),
    "cancels skew": (K.T @ inv(K), -I),
    "cancels in a trace": (tr(inv(A) @ A), tr(I)),
    "cancels in part": (inv(A.T @ D @ A) @ A.T @ D, inv(A)),
    "cancels in batches": (inv(G) @ G @ H, H),
    "orthogonal rows": (Q @ Q.T, I),
    "orthogonal columns": (Q.T @ Q @ A, A),
    "orthogonal in batches": (R.mT @ R @ G, G),
    "root of a square": (ic.sqrt(4 * r**2), 2 * r),
    "abs of positive": (ic.abs(u), u),
    "sign of positive": (ic.sign(u), ic.ones("n")),
    "exponentials": (ic.exp(2 * v) * ic.exp(-v) ** 2, ic.ones("n")),
    "exponentials of a difference": (ic.exp(v - u) * ic.exp(u - v) * v, v),
    "stochastic vector": (p.sum(), s**0),
    "stochastic rows": (T @ ic.ones("n"), ic.ones("m")),
    "unit vectors": (ic.unit(1, "n") @ ic.unit(1, "n") * v, v),
    "other unit vectors": (ic.unit(1, "n") @ ic.unit(0, "n") * v, 0 * v),
    "a unit vector twice": (ic.unit(1, "n") * ic.unit(1, "n"), ic.unit(1, "n")),
    "Kronecker and commutation": (ic.commutation("n", "p") @ ic.commutation("p", "n"), ic.eye("n*p")),
    "vec of unvec": (
        ic.vec(ic.unvec(kron(ic.tensor("a", 2), ic.tensor("c", 3)), 2, 3)),
        kron(ic.tensor("a", 2), ic.tensor("c", 3)),
    ),
    "Kronecker products": (kron(A, P) @ kron(B, P), kron(A @ B, P @ P)),
    "vec of a product": (ic.vec(A @ X.T @ W), kron(W.T, A) @ ic.vec(X.T)),
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "not its transpose": (inv(A) @ A.T, I),
    "entry by entry": (inv(A) * A, I),
    "another": (inv(A) @ B, I),
    "in part only": (inv(X.T @ X) @ X.T @ W, I),
    "not squared": (Q @ Q, I),
    "in the wrong order": (inv(A @ B), inv(A) @ inv(B)),
    "a diagonal": (ic.einsum("ik,kk->i", inv(A), A), ic.ones("n")),
    "roots of any sign": (ic.sqrt(s**2), s),
    "other exponents": (ic.exp(v) * ic.exp(-u), ic.ones("n")),
}


@pytest.mark.parametrize("name", RULES)
def test_simplification(name: str) -> None:
    first, second = RULES[name]
    assert first == second
    assert hash(first) == hash(second)
    difference = (first - second).simplify()
    assert difference == 0


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_stays_apart(name: str) -> None:
    first, second = DIFFERENT[name]
    assert first != second


@pytest.mark.parametrize("name", RULES)
def test_simplification_is_sound(name: str) -> None:
    """Numbers of the expression as written, and of what it is said to be."""
    from indexcalc.engine.bind.declared import respecting
    from indexcalc.engine.bind.inputs import size_of
    from indexcalc.engine.compile import run

    rng = np.random.default_rng(3)
    sizes = {"m": 4, "n": 2, "p": 3, "b": 2}
    both = RULES[name]
    arrays = {}
    for variable in sorted({x for view in both for x in view.inputs}, key=lambda x: x.label):
        shape = tuple(size_of(d, sizes) for d in variable.dims)
        arrays[variable] = respecting(variable, rng.uniform(0.2, 1.5, shape))
    values = run.evaluate([view.node for view in both], arrays, sizes)
    np.testing.assert_allclose(*np.broadcast_arrays(*values), rtol=1e-8, atol=1e-8)


# ------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (inv(F)[i, j], "inv(F)[i,j]"),
        (det(F).diff(F[i, j]), "cofactor(F)[i,j]"),
        (logdet(F).diff(F[i, j]), "inv(F)[j,i]"),
        (inv(X.T @ X)[k, j], "inv({i,l: X[m1,i]*X[m1,l]})[k,j]"),
        (ic.pinv(X)[i, j], "pinv(X)[i,j]"),
        (det(G)[k], "det(G)[k]"),
        (ic.cofactor(F)[i, j], "cofactor(F)[i,j]"),
        (ic.unit(2, "n")[i], "unit(2, n)[i]"),
        (ic.commutation("m", "n")[i, j], "commutation(m, n)[i,j]"),
        (ic.duplication("n")[i, j], "duplication(n)[i,j]"),
        (ic.tril(X)[i, j], "{i,j: X[i,j]*tril(ones(m, n))[i,j]}"),
    ],
    ids=str,
)
def test_text_reads_back(view: Any, text: str) -> None:
    if "m1" not in text:
        assert str(view) == text
    assert ic.parse(str(view), **view.declarations) == view
    assert view.latex()


@pytest.mark.parametrize("name", RULES)
def test_rules_read_back(name: str) -> None:
    for view in RULES[name]:
        for one in (view, view.simplify()):
            assert ic.parse(str(one), **one.declarations) == one


def test_latex() -> None:
    assert inv(F)[j, i].latex() == r"\left({F}^{-1}\right)_{ji}"
    assert det(F).latex() == r"\det\left(F\right)"


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: det(F[i, j]), "det is a function of a whole matrix"),
        (lambda: inv(X), "square matrix, and the last two axes have m and n"),
        (lambda: inv(v), "takes a matrix, and v has 1 axis"),
        (lambda: tr(s), "takes a matrix, and s has no axes"),
        (lambda: inv(np.eye(3)), "is no expression"),
        (lambda: diagm(s), "takes a vector, and s has no axes"),
        (lambda: ic.unvec(v, 2, 3), "makes no matrix of 2 times 3"),
        (lambda: ic.vec(X, order="X"), "order='X'"),
        (lambda: ic.cross(v, v), "the cross product is for dimension 3"),
        (lambda: ic.khatri_rao(X, P), "has n columns"),
        (lambda: ic.matrix_power(A, 0.5), "no integer and no dimension"),
        (lambda: ic.unit(3, 3), "there is no place 3 among 3"),
        (lambda: ic.unit(0, 1, "n"), "3 arguments"),
        (lambda: ic.tril(A, 0.5), "the offset 0.5 is no integer"),
        (lambda: ic.solve(A, w), "has n"),
        (lambda: inv(F).evaluate(F=np.zeros((3, 3))), "singular"),
    ],
)
def test_wrong_input(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ic.IndexCalcError, match=message):
        call()


@pytest.mark.parametrize(
    ("word", "array", "message"),
    [
        ("diagonal", np.ones((2, 2)), "numbers off the diagonal"),
        ("lower", np.ones((2, 2)), "numbers above the diagonal"),
        ("upper", np.ones((2, 2)), "numbers below the diagonal"),
        ("toeplitz", np.arange(4.0).reshape(2, 2), "along a diagonal differ"),
        ("orthogonal", np.ones((2, 2)), "is not the identity"),
        ("positive", np.zeros((2, 2)), "not above 0"),
        ("positive_definite", -np.eye(2), "an eigenvalue is not above 0"),
        ("stochastic", np.ones((2, 2)), "does not sum to 1"),
        ("symmetric", np.arange(4.0).reshape(2, 2), "declared symmetric"),
        ("skew", np.ones((2, 2)), "declared skew"),
    ],
)
def test_inputs_are_what_they_were_declared(word: str, array: Any, message: str) -> None:
    M = ic.tensor("M", 2, 2, **{word: True})
    with pytest.raises(ic.InputError, match=message):
        M.evaluate(M=array)


COLUMN, ROW, PLAIN = ic.tensor("c", 3, 1), ic.tensor("r", 1, 3), ic.tensor("p", 3)
NUMBERS = {"c": np.array([[1.0], [2.0], [4.0]]), "r": np.array([[3.0, 5.0, 7.0]]), "p": np.array([2.0, 3.0, 5.0])}


@pytest.mark.parametrize("one", [COLUMN, ROW, COLUMN.T, ic.eye(3) @ COLUMN, ROW @ ic.eye(3)])
def test_what_is_declared_one_wide_is_a_vector(one: ic.Array) -> None:
    """n×1 and 1×n are no batches where a vector is asked for."""
    own = {name: NUMBERS[name] for name in one.variables}
    flat = one.evaluate(**own).ravel()
    both = own | {"p": NUMBERS["p"]}
    np.testing.assert_array_equal(ic.diagm(one).evaluate(**own), np.diag(flat))
    np.testing.assert_array_equal(ic.outer(one, PLAIN).evaluate(**both), np.outer(flat, both["p"]))
    np.testing.assert_array_equal(ic.outer(PLAIN, one).evaluate(**both), np.outer(both["p"], flat))
    np.testing.assert_array_equal(ic.cross(one, PLAIN).evaluate(**both), np.cross(flat, both["p"]))
    np.testing.assert_array_equal(ic.kron(one, PLAIN).evaluate(**both), np.kron(flat, both["p"]))
    np.testing.assert_array_equal(ic.kron(PLAIN, one).evaluate(**both), np.kron(both["p"], flat))
    for made in (ic.diagm(one), ic.outer(one, PLAIN), ic.cross(one, PLAIN), ic.kron(PLAIN, one)):
        assert ic.parse(str(made), **made.declarations) == made


def test_batches_of_vectors_stay_batches() -> None:
    """Only one of the last two axes, and only the integer 1, is taken for a view's."""
    B, C = ic.tensor("B", "b n"), ic.tensor("C", "b n", 1)
    assert ic.diagm(B).shape == ic.diagm(C).shape == ic.diagm(C.mT).shape == ("b", "n", "n")
    assert ic.kron(COLUMN, COLUMN).shape == (9, 1) and ic.kron(COLUMN, ROW).shape == (3, 3)
    assert ic.diagm(ic.tensor("q", 1, 1)).shape == (1, 1)
