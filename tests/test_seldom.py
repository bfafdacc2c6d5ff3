"""What formulas seldom have: a form that is not closed, a power that is no whole number, a factor that stays apart.

Each row is an expression, its simplified text, and the same in NumPy, if it has values.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from fractions import Fraction
from inspect import signature
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

import indexcalc as ic
from indexcalc.calculus.rules import rule_of
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.constructors import constant, einsum, elementwise
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.recognise import sum_of_exp

i, j, k, l = ic.indices("i j k l")  # noqa: E741
A, B = ic.tensor("A", "n n"), ic.tensor("B", "n n")
S = ic.tensor("S", "n n", symmetric=True)
P, Q = ic.tensor("P", "n n", positive=True), ic.tensor("Q", "n n", positive=True)
F, G = ic.tensor("F", "m p"), ic.tensor("G", "p m")
C, z = ic.tensor("C", "n n n n", major=True), ic.tensor("z", 6)
T, M = ic.tensor("T", "n n n"), ic.tensor("M", "n n n")
R = ic.tensor("R", "n p n p")
u, h = ic.tensor("u", 9), ic.tensor("h", 3)
x, y = ic.tensor("x", "n"), ic.tensor("y", "n", onehot=True)
s, t = ic.scalar("s"), ic.scalar("t")
p, q = ic.scalar("p", positive=True), ic.scalar("q", positive=True)
a, b, c, d = (ic.tensor(name, shape) for name, shape in zip("abcd", [(1, 1), (3,), (3, 1), (3, 3)], strict=True))
w, V = ic.eigh(S)
inv, det = np.linalg.inv, np.linalg.det
SIZES = {"m": 2, "n": 3, "p": 4}


def spectral(S: Any, f: Callable[[Any], Any]) -> Any:
    """In NumPy: a function of a symmetric matrix by its eigenvalues."""
    w, V = np.linalg.eigh(S)
    return V @ np.diag(f(w)) @ V.T


FORMS: dict[str, tuple[Any, str, Callable[..., Any] | None]] = {
    "joined axes of no product": (
        ic.inv(R[i, j, k, l].matrix(rows=(i, j), cols=(k, l), order="C")),
        'inv(group(R, "i j k l -> (i j) (k l)"))',
        lambda R: inv(R.reshape(12, 12)),
    ),
    "a chain through tensors": (
        ic.inv((T[i, k, l] * M[k, l, j]).array(i, j)),
        "inv(unfold(M, 2) @ unfold(T, 0).T).T",
        lambda T, M: inv(np.einsum("ikl,klj->ij", T, M)),
    ),
    "Kronecker factors that are not square": (
        ic.inv(ic.kron(F, G) + 0),
        "inv(kron(F, G))",
        None,  # its rank is at most 4
    ),
    "a scalar of a Kronecker product": (
        ic.logdet(ic.det(A) ** 2 * ic.kron(A, B)),
        "n*(logdet(A)*(2*n + 1) + logdet(B))",
        lambda A, B: np.log(abs(det(det(A) ** 2 * np.kron(A, B)))),
    ),
    "a block of one entry": (
        ic.det(ic.block([[a, ic.zeros(1, 3)], [c, d]])),
        "det(d)*sum(a)",
        lambda a, d: det(d) * a[0, 0],
    ),
    "an inverse that is none": (ic.inv(0 * A), "inv(zeros(n, n))", None),
    "the trace of a convolution": (
        ic.tr(ic.derivative(ic.correlate(u, h, "same"), u)),
        "9*h[1]",
        lambda h: 9 * h[1],
    ),
    "a diagonal of a convolution": (
        ic.diag(ic.derivative(ic.correlate(u, h, "same"), u)),
        "h[1]*ones(9)",
        lambda h: h[1] * np.ones(9),
    ),
    "exponentials that end": (ic.expm(A) @ ic.expm(-A) + A, "A + eye(n)", lambda A: A + np.eye(3)),
    "exponentials apart": (
        ic.expm(A) @ ic.diagm(x) @ ic.expm(A),
        "expm(A) @ diagm(x) @ expm(A)",
        lambda A, x: expm(A) @ np.diag(x) @ expm(A),
    ),
    "exponentials of a complex direction": (
        ic.expm(1j * A + 1j * B) @ ic.expm(A + B),
        "expm((1j)*(A + B)) @ expm(A + B)",
        lambda A, B: expm((1 + 1j) * (A + B)),
    ),
    "a diagonal by eigenvectors": (V**2 @ w, "diag(S)", lambda S: np.diag(S)),
    "an inverse by eigenvectors": (V @ ic.diagm(1 / w) @ V.T, "inv(S)", lambda S: inv(S)),
    "a scalar between eigenvectors": (
        V @ ic.diagm(w / (s * w.sum())) @ V.T,
        "S/(s*tr(S))",
        lambda S, s: S / s / np.trace(S),
    ),
    "a high power by eigenvectors": (
        V @ ic.diagm(w**7) @ V.T,
        "eigh_v(S) @ diagm(eigvalsh(S)**7) @ eigh_v(S).T",
        lambda S: spectral(S, lambda w: w**7),
    ),
    "another vector between eigenvectors": (
        V @ ic.diagm(ic.exp(w + x)) @ V.T,
        "eigh_v(S) @ diagm(exp(x + eigvalsh(S))) @ eigh_v(S).T",
        lambda S, x: spectral(S, lambda w: np.exp(w + x)),
    ),
    "dimensions that differ by a number": ((ic.ones("n+1").sum() - ic.ones("n").sum()) * x, "x", lambda x: x),
    "a logarithm of a diagonal": (
        ic.log(ic.diag(P)) - ic.diag(ic.log(P)) + p,
        "p*ones(n)",
        lambda P, p: p + np.zeros(3),
    ),
    "a norm beside a third of its square": (
        (x @ x) ** Fraction(1, 3) * ic.norm2(3 * x),
        "norm2(3*x)*(x @ x)**(1/3)",
        lambda x: 3 * (x @ x) ** (5 / 6),
    ),
    "a maximum of axes joined in another order": (
        ic.max(ic.vec(ic.unvec(z, 2, 3).T)),
        'max(group(z, "(i j) -> (j i)", i=3, j=2)[i])',
        lambda z: z.max(),
    ),
    "a part that its other half makes nothing": (
        ic.concatenate([x[:2], -x[2:]]) + ic.concatenate([-x[:2], x[2:]]) + s,
        "s*ones(n)",
        lambda s: s + np.zeros(3),
    ),
    "an inverse beside a tensor with its pairs exchanged": (
        ic.einsum("abij,jkab->abik", ic.inv(C), C),
        "delta(k, l, dim=n)*ones(i, dim=n)*ones(j, dim=n) -> [i,j,k,l]",
        None,
    ),
    "a number in a logarithm": (ic.log(3 * p * ic.exp(s)), "log(3) + log(p) + s", lambda p, s: np.log(3 * p) + s),
    "a negative number in a logarithm": (
        ic.log(-3 * p * ic.exp(s)),
        "log(-3*p*exp(s))",
        None,
    ),
    "one of a row, chosen": (ic.log(y @ P), "y @ log(P)", lambda y, P: np.log(y @ P)),
    "one of a product, chosen": (ic.log(y @ P @ Q), "log(y @ P @ Q)", lambda y, P, Q: np.log(y @ P @ Q)),
    "exponents whose sum is a number": (s**t * s ** (2 - t), "s**2", lambda s: s**2),
    "a root of a power": (ic.sqrt(s**t) * s ** (t + 1), "sqrt(s**t)*s**(t + 1)", lambda s, t: s ** (1.5 * t + 1)),
    "a complex power": (ic.exp(t) ** 1j * ic.exp(s), "exp(s)*exp(t)**(1j)", lambda s, t: np.exp(s + 1j * t)),
    "a power of a complex power": ((p**1j) ** t * p**t, "(p**(1j))**t*p**t", lambda p, t: p ** ((1 + 1j) * t)),
    "a root of a float": ((1.1 * p) ** 0.5, "1.0488088481701516*sqrt(p)", lambda p: np.sqrt(1.1 * p)),
    "a transposed softmax": (
        ic.exp(A.T) / ic.exp(A).sum(axis=0),
        "exp(A).T @ diagm(1/sum(exp(A), axis=0))",
        lambda A: np.exp(A.T) / np.exp(A).sum(axis=0),
    ),
    "a numerator that is nothing": (
        s / (1 + t) ** 2 + s * t / (1 + t) ** 2 - s / (1 + t) + p,
        "p",
        lambda p: p,
    ),
    "unequal blocks": (
        ic.det(ic.block([[F, ic.tensor("W", "m m")], [ic.tensor("Z", "p p"), G]])),
        "det(block([[F, W], [Z, G]]))",
        lambda F, G, W, Z: det(np.block([[F, W], [Z, G]])),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_form_and_its_numbers(name: str) -> None:
    expr, text, numpy = FORMS[name]
    made = expr.simplify()
    assert str(made) == text
    rng = np.random.default_rng(0)
    given = {}
    for tensor in {*expr.inputs, *made.inputs}:
        value = rng.uniform(0.5, 2, [SIZES.get(str(dim), dim) for dim in tensor.dims])
        given[tensor.label] = np.eye(3)[1] if tensor.label == "y" else value + value.T if tensor.label == "S" else value
    if numpy is None:
        return
    wanted = numpy(*(given[name] for name in signature(numpy).parameters))
    for one in (expr, made):
        values = {tensor.label: given[tensor.label] for tensor in one.inputs}
        np.testing.assert_allclose(one.evaluate(values), wanted, rtol=1e-7)


# ------------------------------------------------------------------ nodes made by hand


@pytest.mark.parametrize(("start", "step"), [(0, 1), (2, -1)])
def test_a_diagonal_of_a_selection(start: int, step: int) -> None:
    node = einsum(1, [(constant("selection", (3, 3), (start, step)), "aa")], "a")
    np.testing.assert_array_equal(ic.Array(simplify([node])[0]).evaluate(), np.diag(np.eye(3)[::step]))


def test_a_kind_or_a_function_without_a_row_is_named() -> None:
    with pytest.raises(ic.NoRuleError, match="there is no rule for a variable"):
        rule_of(x.node)
    for row, kind in (
        (elementwise_row, "elementwise function"), (reduction_row, "reduction"), (matrix_row, "matrix function"),
    ):  # fmt: skip
        with pytest.raises(ic.NoRuleError, match=f"{kind} 'moon'.*no such row"):
            row("moon")


def test_nodes_are_no_copies() -> None:
    assert copy.copy(x.node) is x.node is copy.deepcopy(x.node)


def test_what_cancels_in_a_denominator_is_said() -> None:
    with pytest.raises(ic.NotationError, match="a division by zero"):
        (1 / (A - A)).simplify()


def test_a_block_of_places_takes_entries_of_a_tensor() -> None:
    a, B = ic.tensor("a", "m m", integer=True), ic.tensor("B", (9, 4))
    places, given = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), np.arange(36.0).reshape(9, 4)
    np.testing.assert_array_equal(B[a[1:, 1:]].simplify().evaluate(a=places, B=given), given[places[1:, 1:]])


def test_halves_that_are_nothing_together() -> None:
    assert str((ic.concatenate([x[:3], -x[3:]]) + ic.concatenate([-x[:3], x[3:]])).simplify()) == "zeros(n)"


def test_a_diagonal_of_a_deep_chain_is_opened_as_far_as_that_goes() -> None:
    chain = A
    for _ in range(60):
        chain = ic.tanh(chain + A)
    assert ic.diag(chain) == ic.diag(chain.simplify())
    given = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(ic.diag(chain).simplify().evaluate(A=given), np.diag(chain.evaluate(A=given)))


def test_a_mixed_derivative_has_other_meanings() -> None:
    D = ic.hessian(x @ S @ S @ x, S, x)
    report = ic.check("2*x@S", D)
    assert report.verdict == "wrong" and "(n, n, n)" in report.note
    assert ic.check(ic.hessian(x @ S @ S @ x, S, x, structure="free"), D).right


def test_a_sum_of_exponentials_has_its_axes_in_order() -> None:
    made = elementwise("exp", [(A.node, (0, 1))], A.node.dims)
    assert sum_of_exp(einsum(1, [(made, "ij")], "i")) == (A.node, (1,))
    three = elementwise("exp", [(T.node, (0, 1, 2))], T.node.dims)
    assert sum_of_exp(einsum(1, [(three, "ijk")], "ki")) is None
