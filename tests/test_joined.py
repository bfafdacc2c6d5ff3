"""Joined axes: expressions of kron, vec, commutation and their like that are equal have one form."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_simplify import shuffled

import indexcalc as ic
from indexcalc.engine.compile.run import evaluate
from indexcalc.graph.constructors import delta, regroup, variable
from indexcalc.graph.edge import materialise
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.index import Dim, dim, size
from indexcalc.simplify.passes import canonical, expanded, simplify

kron, vec, tr, eye, swap = ic.kron, ic.vec, ic.tr, ic.eye, ic.commutation
A, M, N = ic.tensor("A", "m n"), ic.tensor("M", "m n"), ic.tensor("N", "m n")
B, C = ic.tensor("B", "p q"), ic.tensor("C", "p q")
D, E = ic.tensor("D", "n r"), ic.tensor("E", "q t")
G, Z, s = ic.tensor("G", "k m"), ic.tensor("Z", "p m"), ic.scalar("s")
U, V, z, w = ic.tensor("U", "n c"), ic.tensor("V", "m c"), ic.tensor("z", "m*n"), ic.tensor("w", "n*q")
X, Y, W = ic.tensor("X", "n n"), ic.tensor("Y", "n n"), ic.tensor("W", "m n")
S = ic.tensor("S", "n n", symmetric=True)
P, Q = ic.tensor("P", "k m"), ic.tensor("Q", "n l")
AB, BB = ic.tensor("A", "b m n"), ic.tensor("B", "b p q")
DB, EB = ic.tensor("D", "b n r"), ic.tensor("E", "b q t")
I = eye("n")  # noqa: E741


def jacobian(y: ic.Array, x: ic.Array) -> ic.Array:
    return ic.derivative(y, x).layout("magnus-neudecker")


EQUAL: dict[str, Callable[[], tuple[Any, Any]]] = {
    "kron of a sum": lambda: (kron(A, B) + kron(A, C), kron(A, B + C)),
    "kron of a sum, applied": lambda: (kron(A, B) @ w + kron(A, C) @ w, kron(A, B + C) @ w),
    "kron of a difference": lambda: (kron(A, B - C) - kron(A, B) + kron(A, C), kron(A, 0 * B)),
    "kron of a sum with a number": lambda: (kron(A, B + 1), kron(A, B) + kron(A, ic.ones("p", "q"))),
    "kron of sums with numbers": lambda: (
        kron(A + 1, B + 1), kron(A, B) + kron(A, ic.ones("p", "q")) + kron(ic.ones("m", "n"), B) + 1,
    ),
    "product of krons": lambda: (kron(A, B) @ kron(D, E), kron(A @ D, B @ E)),
    "product of a sum of krons": lambda: ((kron(A, B) + kron(A, C)) @ kron(D, E), kron(A @ D, (B + C) @ E)),
    "product of krons of batches": lambda: (kron(AB, BB) @ kron(DB, EB), kron(AB @ DB, BB @ EB)),
    "kron of krons": lambda: (kron(kron(A, B), X), kron(A, kron(B, X))),
    "kron of a transpose": lambda: (kron(A, B).T, kron(A.T, B.T)),
    "kron of symmetric matrices": lambda: (kron(S, S).T, kron(S, S)),
    "entrywise product of krons": lambda: (kron(A, B) * kron(M, C), kron(A * M, B * C)),
    "numbers and scalars": lambda: (2 * kron(A, s * B), 2 * s * kron(A, B)),
    "a number that is a dimension": lambda: (kron(tr(eye("m")) * A, B), tr(eye("m")) * kron(A, B)),
    "commuted kron": lambda: (swap("m", "p") @ kron(B, A), kron(A, B) @ swap("n", "q")),
    "commuted sum": lambda: (kron(X + X.T, Y) @ swap("n", "n"), swap("n", "n") @ (kron(Y, X) + kron(Y, X.T))),
    "commutation transposed": lambda: (swap("m", "n").T, swap("n", "m")),
    "commutation of squares": lambda: (swap("n", "n").T, swap("n", "n")),
    "commutation twice": lambda: (swap("m", "n") @ swap("n", "m"), eye("m*n")),
    "commutation of vec": lambda: (swap("m", "n") @ vec(M), vec(M.T)),
    "trace of kron": lambda: (tr(kron(X, X)), tr(X) ** 2),
    "trace of a commuted kron": lambda: (tr(swap("n", "n") @ kron(X, Y)), tr(X @ Y)),
    "trace of commutation": lambda: (tr(swap("n", "n")), tr(I)),
    "vec with vec": lambda: (vec(M) @ vec(N), tr(M.T @ N)),
    "vec with kron": lambda: (kron(A, B).T @ vec(Z), vec(B.T @ Z @ A)),
    "quadratic form of vec": lambda: (vec(X) @ kron(X.T, Y) @ vec(S), tr(X.T @ Y @ S @ X)),
    "vec of the identity": lambda: (vec(I) @ vec(X), tr(X)),
    "kron with vec of the identity": lambda: (kron(I, X) @ vec(I), vec(X)),
    "vec of unvec": lambda: (vec(ic.unvec(z, "m", "n")), z),
    "sum of vec": lambda: (vec(M) + vec(N), vec(M + N)),
    "function of vec": lambda: (ic.exp(s * vec(M)), vec(ic.exp(s * M))),
    "norm of vec": lambda: (ic.norm2(vec(M)), ic.normF(M)),
    "squares of a kron": lambda: (ic.sum(kron(A, B) ** 2), ic.sum(A**2) * ic.sum(B**2)),
    "identities": lambda: (kron(eye("m"), I), eye("m*n")),
    "identities of integers": lambda: (kron(eye(2), eye(3)), eye(6)),
    "kron with an identity": lambda: (s * kron(I, I) + kron(X, I), kron(s * I + X, I)),
    "ones": lambda: (kron(ic.ones("m"), ic.ones("n")), ic.ones("m*n")),
    "ones with vec": lambda: (ic.ones("m*n") @ vec(M), ic.sum(M)),
    "khatri-rao": lambda: (kron(X, G) @ ic.khatri_rao(U, V), ic.khatri_rao(X @ U, G @ V)),
    "diagonal of kron": lambda: (ic.diag(kron(X, Y)), kron(ic.diag(X), ic.diag(Y))),
    "scalar in a product that stays joined": lambda: (kron(A, s * B) @ (w + 1), s * (kron(A, B) @ (w + 1))),
    "sum in a product that stays joined": lambda: (
        kron(A, B).T @ (kron(Z.T @ B, eye("p")) @ ic.tensor("v", "q*p")),
        kron(A.T @ Z.T @ B, B.T) @ ic.tensor("v", "q*p"),
    ),
    "derivative of A X B": lambda: (jacobian(P @ W @ Q, W), kron(Q.T, P)),
    "derivative of a transpose": lambda: (jacobian(W.T, W), swap("m", "n")),
    "derivative of a square": lambda: (jacobian(X @ X, X), kron(X.T, I) + kron(I, X)),
    "derivative of a quadratic": lambda: (
        jacobian(X.T @ S @ X, X), (eye("n*n") + swap("n", "n")) @ kron(I, X.T @ S),
    ),
    "derivative of a direction": lambda: (
        jacobian(W / ic.normF(W), W), eye("m*n") / ic.normF(W) - ic.outer(vec(W), vec(W)) / ic.normF(W) ** 3,
    ),
    "derivative of an inverse": lambda: (jacobian(ic.inv(X), X), -kron(ic.inv(X).T, ic.inv(X))),
    "gradient of a trace": lambda: (ic.grad(tr(kron(X, X)), X), 2 * tr(X) * I),
}  # fmt: skip
SIZES = [
    {"m": 2, "n": 3, "p": 4, "q": 2, "r": 3, "t": 2, "k": 3, "l": 2, "c": 2, "b": 2},
    {"m": 1, "n": 2, "p": 1, "q": 3, "r": 1, "t": 1, "k": 2, "l": 1, "c": 3, "b": 1},
    {"m": 3, "n": 1, "p": 2, "q": 1, "r": 2, "t": 3, "k": 1, "l": 2, "c": 1, "b": 2},
]


def arrays(e: ic.Array, sizes: dict[str, int]) -> dict[str, Any]:
    """Numbers for the inputs of an expression, the same for the same name and shape."""
    made = {}
    for node in topological([e.node]):
        if isinstance(node, Variable):
            shape = [size(d, sizes) for d in node.dims]
            array = np.random.default_rng([ord(node.label), *shape]).uniform(0.3, 1, shape)
            made[node.label] = array + array.T if node.label == "S" else array
    return made


def value(e: ic.Array, sizes: dict[str, int]) -> Any:
    names = {
        name
        for node in topological([e.node])
        for d in (*node.dims, *getattr(node, "sizes", ()))
        if isinstance(d, Dim)
        for name in d.symbols
    }
    return np.asarray(e.evaluate(**arrays(e, sizes), **{name: sizes[name] for name in names}))


@pytest.mark.parametrize("name", EQUAL)
def test_equal_expressions_have_one_form(name: str) -> None:
    left, right = EQUAL[name]()
    assert left == right and hash(left) == hash(right)
    assert left.simplify() == right and right.simplify() == left
    assert left != 2 * right or right == 0
    for sizes in SIZES:
        np.testing.assert_allclose(value(left, sizes), value(right, sizes), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", EQUAL)
def test_the_text_reads_back(name: str) -> None:
    for e in EQUAL[name]():
        simple = e.simplify()
        assert ic.parse(str(simple), **simple.declarations) == e


DIFFERENT = {
    "factors swapped": (kron(X, Y), kron(Y, X)),
    "transposed": (kron(X, Y), kron(X.T, Y)),
    "commutation": (swap("m", "n"), swap("n", "m")),
    "commutation is no identity": (swap("n", "n"), eye("n*n")),
    "order of vec": (vec(M), vec(M, order="C")),
    "other rows of kron": (kron(A, B) @ w, kron(A, B) @ swap("q", "n") @ w),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_expressions_have_different_forms(name: str) -> None:
    left, right = DIFFERENT[name]
    assert left != right
    assert not np.allclose(value(left, SIZES[0]), value(right, SIZES[0]))


def test_what_stands_as_a_kron_prints_as_one() -> None:
    assert str((kron(A, B) @ kron(D, E)).simplify()) == "kron(A @ D, B @ E)"
    assert str((swap("m", "p") @ kron(B, A)).simplify()) == "kron(A, B) @ commutation(n, q)"
    assert str(kron(eye("m"), I).simplify()) == "eye(m*n)"
    assert str(jacobian(X.T @ S @ X, X)) == "(commutation(n, n) + eye(n**2)) @ kron(eye(n), X.T @ S)"


def test_an_identity_and_ones_are_split_into_those_of_the_parts() -> None:
    m, n, k = dim("m"), dim("n"), dim("k")
    whole = regroup(delta(m * n), [(0, 1), (2, 3)], [(0,), (1,), (2,), (3,)], (m, n, m, n))
    assert canonical(whole) == canonical(delta(m, n))
    x = variable("x", (k,))
    ones = ic.Array(regroup(materialise(canonical(x), (k, m * n)), [(0,), (1, 2)], [(0,), (1,), (2,)], (k, m, n)))
    assert expanded(ones.node).axes == (0,)
    scaled = 3 * eye("m*n") * ic.scalar("s")
    split = ic.Array(regroup(scaled.node, [(0, 1), (2, 3)], [(0,), (2,), (1,), (3,)], (m, n, m, n)))
    for sizes in SIZES:
        got = value(split, sizes)
        wanted = np.einsum("ik,jl->ikjl", np.eye(sizes["m"]), np.eye(sizes["n"])) * 3 * arrays(split, sizes)["s"]
        np.testing.assert_allclose(got, wanted)
    assert not any(node.kind == "regroup" for node in topological([expanded(split.node).node]))


@pytest.mark.parametrize("sizes", [(2, 3, 4, 2), (1, 3, 2, 1), (3, 1, 1, 2)])
def test_derivative_of_a_kron(sizes: tuple[int, ...]) -> None:
    m, n, p, q = sizes
    rng = np.random.default_rng(0)
    a, b, g = rng.normal(size=(m, n)), rng.normal(size=(p, q)), rng.normal(size=(m * p, n * q))
    g_of = ic.tensor("G", "m*p n*q")
    given = {"A": a, "B": b}
    first = ic.derivative(kron(A, B), A)
    np.testing.assert_allclose(first.evaluate(**given), jax.jacobian(lambda a: jnp.kron(a, b))(a), atol=1e-12)
    form = first.layout("magnus-neudecker")
    assert ic.parse(str(form), **form.declarations) == form

    def loss(a: Any) -> Any:
        return (g * jnp.exp(jnp.kron(a, b))).sum()

    f = ic.sum(g_of * ic.exp(kron(A, B)))
    np.testing.assert_allclose(ic.grad(f, A).evaluate(**given, G=g), jax.grad(loss)(a), atol=1e-10)
    np.testing.assert_allclose(ic.hessian(f, A).evaluate(**given, G=g), jax.hessian(loss)(a), atol=1e-10)


# ------------------------------------------------------------------ laws, over random expressions


def draw(rows: str, cols: str, rng: random.Random, depth: int) -> ic.Array:
    """A random matrix whose rows and columns join dimensions of one letter each."""
    height, width = "*".join(rows) or "1", "*".join(cols) or "1"
    kind = rng.choice(["leaf", "T", "+", "s", "*", "exp", "kron", "@", "@"]) if depth else "leaf"
    if kind == "leaf" and rows == cols and rng.random() < 0.3:
        return eye(height)
    if kind == "leaf" and len(rows) == 2 and cols == rows[::-1] and rng.random() < 0.5:
        return swap(*rows)
    if (kind == "leaf" and (len(rows) > 1 or len(cols) > 1) and rng.random() < 0.8) or kind == "kron":
        a, b = rng.randint(0, len(rows)), rng.randint(0, len(cols))
        below = max(depth - 1, 0)
        if (a, b) not in ((0, 0), (len(rows), len(cols))):
            return kron(draw(rows[:a], cols[:b], rng, below), draw(rows[a:], cols[b:], rng, below))
        return ic.ones(height, width)
    match kind:
        case "T":
            return draw(cols, rows, rng, depth - 1).T
        case "+":
            return draw(rows, cols, rng, depth - 1) + rng.choice([1, -1, 2]) * draw(rows, cols, rng, depth - 1)
        case "s":
            return ic.scalar("s") * draw(rows, cols, rng, depth - 1)
        case "*":
            return draw(rows, cols, rng, depth - 1) * draw(rows, cols, rng, depth - 1)
        case "exp":
            return ic.exp(ic.scalar("s") * draw(rows, cols, rng, depth - 1))
        case "@":
            middle = "".join(rng.choice("mn") for _ in range(rng.choice([1, 2, 2])))
            return draw(rows, middle, rng, depth - 1) @ draw(middle, cols, rng, depth - 1)
    if rows == cols and rng.random() < 0.4:
        return ic.tensor(f"S_{rows}", height, width, symmetric=True)
    return ic.tensor(f"{rng.choice('AB')}_{rows}_{cols}", height, width)


def numbers(node: Node, sizes: dict[str, int]) -> Any:
    given = {}
    for inner in topological([node]):
        if isinstance(inner, Variable):
            shape = [size(d, sizes) for d in inner.dims]
            array = np.random.default_rng(list(inner.label.encode())).uniform(0.3, 1, shape)
            given[inner] = array + array.T if inner.label[0] == "S" else array
    return evaluate([node], given, sizes)[0]


@pytest.mark.parametrize("seed", range(60))
def test_random_joined_expressions(seed: int) -> None:
    """The forms have the value; they are idempotent, and don't depend on how the expression was written."""
    rng = random.Random(seed)
    e = draw(*("".join(rng.choice("mn") for _ in range(rng.randint(1, 2))) for _ in "rc"), rng, 2)
    (simple,) = simplify([e.node])
    forms = [simple, *(materialise(form(e.node), e.node.dims) for form in (canonical, expanded))]
    for sizes in ({"m": 2, "n": 3}, {"m": 1, "n": 2}, {"m": 2, "n": 1}):
        wanted = numbers(e.node, sizes)
        for form in forms:
            np.testing.assert_allclose(numbers(form, sizes), wanted, rtol=1e-9, atol=1e-9)
    simple.facts.pop("simplified", None)
    assert simplify([simple])[0] is simple
    assert ic.Array(forms[1]) == e and ic.Array(forms[2]) == e
    for regrouped in (False, True):
        assert ic.Array(shuffled(e.node, rng, regrouped)) == e


def test_a_scalar_of_joined_axes_beside_a_function_of_a_symmetric_matrix() -> None:
    """Joined axes are opened there too."""
    a, b, T = ic.tensor("a", "2 m"), ic.tensor("b", "2 m"), ic.tensor("T", "2 2 m")
    for f in (ic.sinm(S), S @ ic.expm(S)):
        e = (ic.stack([a, b]) * T).sum() * f
        assert ic.parse(str(e), **e.declarations) == e == (T[0] * a).sum() * f + (T[1] * b).sum() * f
