"""Closed forms: random products and sums against their index form, as NumPy reads the text, and what people expect."""

from __future__ import annotations

import collections
import random
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.graph.constructors import addition, einsum, variable
from indexcalc.index import dim
from indexcalc.views.array import Array
from indexcalc.writing.matrix.formula import closed_form
from indexcalc.writing.matrix.network import Stuck
from indexcalc.writing.matrix.text import Typesetter

SIZES = {"na": 3, "nb": 4, "nc": 2, "nd": 5, "ne": 1, "nf": 6}
FOUND: collections.Counter[str] = collections.Counter()


class Draw:
    """One random expression over up to six indices: matrices, vectors, powers, deltas; its variables' numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.letters = "abcdef"[: self.rng.randint(2, 6)]
        self.dims = {letter: f"n{letter}" for letter in self.letters}
        if self.rng.random() < 0.4:
            self.dims = {letter: self.rng.choice(["na", "nb"]) for letter in self.letters}
        self.values: dict[str, Any] = {}
        self.pool: dict[tuple[str, ...], list[str]] = collections.defaultdict(list)

    def factor(self) -> tuple[Any, tuple[str, ...], int]:
        rng = self.rng
        order = 2 if rng.random() < 0.75 else 1
        labels = tuple(rng.choice(self.letters) for _ in range(order))
        if order == 2 and labels[0] == labels[1] and rng.random() < 0.9:
            labels = (labels[0], rng.choice([x for x in self.letters if x != labels[0]]))
        shape = tuple(self.dims[label] for label in labels)
        known = self.pool[shape]
        if not known or rng.random() > 0.3:
            known.append(f"{'A' if order == 2 else 'v'}{len(self.values)}")
            self.values[known[-1]] = self.numbers.uniform(0.5, 1.5, [SIZES[s] for s in shape])
        name = rng.choice(known)
        return variable(name, [dim(s) for s in shape]), labels, rng.choice([1, 1, 1, 1, 2, -1])

    def product(self, most: int) -> tuple[Any, list[Any]]:
        factors = [self.factor() for _ in range(self.rng.randint(1, most))]
        return factors, sorted({label for _, labels, _ in factors for label in labels})

    def node(self) -> Any:
        factors, used = self.product(8)
        out = self.rng.sample(used, min(len(used), self.rng.randint(0, 2)))
        if len(out) == 1 and self.rng.random() < 0.2:
            out = out * 2
        return einsum(self.rng.choice([1, 1, 2, -1]), factors, out)

    def sum(self) -> Any:
        """A sum of products of one shape; a term may be constant along an axis."""
        shape = self.rng.sample(self.letters, self.rng.randint(0, 2))
        terms = []
        for _ in range(self.rng.randint(2, 4)):
            factors, used = self.product(4)
            out = [label for label in shape if label in used]
            node = einsum(self.rng.choice([1, 2, -1, -3]), factors, out)
            terms.append((1, node, [shape.index(label) for label in out]))
        return addition(terms, [dim(self.dims[label]) for label in shape])


def as_numpy(columns: bool) -> dict[str, Any]:
    """The names that a text may use, as NumPy has them, or as columns."""
    if columns:
        return {**oracle.FUNCTIONS, **SIZES}
    flat = {"diag": np.diagonal, "sum": np.sum, "mean": np.mean, "ones": lambda *s: np.ones(s), "outer": np.outer}
    return {**oracle.FUNCTIONS, "zeros": lambda *s: np.zeros(s), **flat, **SIZES}


def check(node: Any, values: dict[str, Any]) -> None:
    try:
        form = closed_form(node)
    except Stuck:
        FOUND["stuck"] += 1
        return
    FOUND["form"] += 1
    wanted = np.asarray(Array(node).evaluate({n: values[n] for n in Array(node).variables}, **_missing(node, values)))
    for vectors in ("numpy", "column", "row"):
        text = Typesetter(vectors).text(form)
        names = as_numpy(vectors != "numpy")
        for name, value in values.items():
            turned = {"numpy": value, "column": oracle.column(value), "row": oracle.column(value).T}[vectors]
            names[name] = turned if value.ndim == 1 else value
        if vectors == "row":
            names |= {name: _in_rows(names[name]) for name in ("sum", "mean", "diag", "ones")}
        found = np.asarray(eval(text, {"__builtins__": {}, **names}))
        if vectors != "numpy":
            assert found.size == wanted.size, text
            found = found.reshape(wanted.shape)
        assert found.shape == wanted.shape, text
        np.testing.assert_allclose(found, wanted, rtol=1e-8, err_msg=f"{text}   {vectors}")


def _in_rows(function: Any) -> Any:
    """A function that makes columns, making rows."""

    def made(*args: Any, **kwargs: Any) -> Any:
        value = np.asarray(function(*args, **kwargs))
        one = function is not oracle.FUNCTIONS["ones"] or len(args) == 1
        stands = one and value.ndim == 2 and value.shape[1] == 1
        return value.T if stands else value

    return made


def _missing(node: Any, values: dict[str, Any]) -> dict[str, int]:
    present = {str(d) for v in Array(node).inputs for d in v.dims}
    return {s: SIZES[s] for s in {str(d) for d in (*node.dims, *getattr(node, "sizes", ()))} - present if s in SIZES}


@given(st.integers(0, 2**32))
def test_products(seed: int) -> None:
    """The closed form of a product of up to eight factors has the product's numbers, in each orientation of vectors."""
    draw = Draw(seed)
    check(draw.node(), draw.values)


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_sums(seed: int) -> None:
    """So has that of a sum of products, factored."""
    draw = Draw(seed)
    check(draw.sum(), draw.values)


def test_divisors_that_share_an_index_stand_apart() -> None:
    """In parentheses the shared index would be summed by itself."""
    A, B, C = ic.tensor("A", "n m"), ic.tensor("B", "p m"), ic.tensor("C", "q m")
    array = ic.einsum("nl,ml,jl->nmj", A, 1 / B, 1 / C)
    assert str(array) == "A[i,l]/B[j,l]/C[k,l] -> [i,j,k]"
    assert ic.parse(str(array), **array.declarations) == array


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_texts_read_back(seed: int) -> None:
    """The text of an Array reads back as an equal Array, and prints as itself."""
    draw = Draw(seed)
    array = Array(draw.rng.choice([draw.node, draw.sum])())
    read = ic.parse(str(array), **array.declarations)
    assert read == array, str(array)


# ------------------------------------------------------------------ what people expect


@pytest.fixture
def names() -> dict[str, Any]:
    return {
        "X": ic.tensor("X", "m n"), "w": ic.tensor("w", "n"), "y": ic.tensor("y", "m"), "A": ic.tensor("A", "n n"),
        "x": ic.column("x", "n"), "S": ic.tensor("S", "n n", symmetric=True), "c": ic.column("c", "n"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wrt", "expected"),
    [
        ("norm2(X @ w - y)**2", "w", "2*X.T @ (X @ w - y)"),
        ("x.T @ A @ x", "x", "(A + A.T) @ x"),
        ("x.T @ S @ x", "x", "2*S @ x"),
        ("c.T @ inv(A) @ x", "x", "inv(A).T @ c"),
        ("logdet(A)", "A", "inv(A).T"),
        ("det(A)", "A", "cofactor(A)"),
        ("tr(A @ A @ A)", "A", "3*(A @ A).T"),
        ("tr(A)**2 + tr(A)", "A", "(2*tr(A) + 1)*eye(n)"),
        ("exp(tr(A))", "A", "exp(tr(A))*eye(n)"),
        ("sum(exp(X @ w))", "w", "X.T @ exp(X @ w)"),
        ("sum(softplus(X @ w)) - y @ X @ w", "w", "X.T @ (sigmoid(X @ w) - y)"),
        ("logsumexp(x)", "x", "softmax(x)"),
        ("norm2(x)", "x", "x/norm2(x)"),
        ("mean((x - mean(x))**2)", "x", "2*(x - mean(x))/n"),
        ("normF(X)**2", "X", "2*X"),
    ],
)
def test_gradients(names: dict[str, Any], text: str, wrt: str, expected: str) -> None:
    assert str(ic.grad(ic.parse(text, **names), names[wrt])) == expected


@pytest.mark.parametrize(
    ("text", "wrt", "expected"),
    [
        ("x.T @ A @ x", "x", "A + A.T"),
        ("sum(softplus(X @ w))", "w", "X.T @ diagm(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X"),
        ("logsumexp(x)", "x", "diagm(softmax(x)) - softmax(x) @ softmax(x).T"),
    ],
)
def test_hessians(names: dict[str, Any], text: str, wrt: str, expected: str) -> None:
    assert str(ic.hessian(ic.parse(text, **names), names[wrt])) == expected


def test_ring_of_rings_has_no_form() -> None:
    """Four indices that all join: the smallest product of five matrices that matrix notation cannot hold."""
    A, B, C, D, E = (ic.tensor(name, "n n") for name in "ABCDE")
    array = ic.einsum("ik,il,jk,jl,kl->ij", A, B, C, D, E)
    written = array.formula()
    assert not written.closed
    assert "K4" in written.why
    assert 'einsum("ac,ad,bc,bd,cd->ab", A, B, C, D, E)' in written.nearest[-1]
    assert str(ic.einsum("ik,il,jk,jl,kl->kl", A, B, C, D, E)) == "E*(A.T @ B)*(C.T @ D)"


def test_repeated_parts_get_names(names: dict[str, Any]) -> None:
    X, G = names["X"], ic.tensor("G", "m n")
    pulled = ic.vjp(ic.softmax(X @ names["A"], axis=1), X, G)
    written = pulled.formula(define=True)
    assert str(written) == ("(P*(G - sum(G*P, axis=1, keepdims=True))) @ A.T with P = softmax(X @ A, axis=1)")
    assert ic.parse(str(written), **pulled.declarations) == pulled


def test_tensors_say_what_is_nearest() -> None:
    X, W = ic.tensor("X", "m n"), ic.tensor("W", "n p")
    written = ic.derivative(X @ W, W).formula()
    assert written.why == "it has 4 axes, and a matrix holds two"
    assert written.nearest[0] == "as a matrix of its vecs, kron(eye(p), X)"


def test_kronecker_products_of_vectors_and_matrices() -> None:
    """NumPy's `kron` takes a plain vector for a row: only columns have a text."""
    A, B, C = ic.tensor("A", "m n"), ic.tensor("B", "p q"), ic.tensor("C", "q")
    tall = ic.khatri_rao(A, ic.outer(B.sum(axis=0), ic.ones("n")))
    assert not tall.formula().closed
    assert ic.parse(str(tall), **tall.declarations) == tall
    assert str(ic.vec(ic.outer(C, B.sum(axis=1)))) == "kron(sum(B, axis=1), C)"
    x, a = ic.column("x", "m"), ic.column("a", "n")
    assert str(ic.derivative(x @ a.T, x).layout("magnus-neudecker")) == "kron(a, eye(m))"


def test_a_column_and_a_row_stand_behind_what_has_both() -> None:
    """By themselves they do not add."""
    c, r, v = ic.column("c", "m"), ic.row("r", "n"), ic.column("v", "m*n")
    total = c + (r - ic.unvec(v, "m", "n"))
    assert str(total) == "-unvec(v, m, n) + c + r"
    assert ic.parse(str(total), **total.declarations) == total


def test_joined_axes_stay_joined_beside_a_plain_vector() -> None:
    A, B, x = ic.tensor("A", "n n"), ic.tensor("B", "m m"), ic.column("x", "n*m")
    assert str(ic.grad(x.T @ ic.kron(A, B) @ x, x)) == "(kron(A, B) + kron(A.T, B.T)) @ x"


def test_ladders_and_towers_print_in_index_notation() -> None:
    """A part that is used twice would double a formula at each step; definitions keep the text linear."""
    A = ic.tensor("A", "n n")
    ladder, tower = A, A
    lengths = []
    for rung in range(1, 25):
        ladder, tower = ladder @ ladder + A, ic.sin(ic.sin(ic.sin(tower)))
        if rung in (12, 24):
            lengths.append(len(str(ladder)))
    assert lengths[1] < 3 * lengths[0]
    assert " with C = " in str(tower)
    assert ic.parse(str(tower), **tower.declarations) == tower


def test_an_axis_of_dimension_1_is_numpys() -> None:
    X, x = ic.tensor("X", "n d"), ic.tensor("x", "n")
    m = ic.mean(X, axis=1, keepdims=True)
    for e, text in (
        (m + 1, "(mean(X, axis=1) + 1)[:, None]"),
        (ic.exp(m), "exp(mean(X, axis=1)[:, None])"),
        (x[None] * 2, "2*x[None]"),
        ((m + 1).T, "(mean(X, axis=1) + 1)[None]"),
        (X - m / ic.sqrt(ic.var(X, axis=1, keepdims=True)), None),
        (ic.parse("(mean(X, axis=1) + 1)[:, None]*X", X="n d"), "diagm(mean(X, axis=1) + 1) @ X"),
    ):
        assert text in (None, str(e)) and "1*" not in str(e), str(e)
        read = ic.parse(str(e), **e.declarations)
        assert read == e and read.shape == e.shape
