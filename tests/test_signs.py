"""Signs and order as people write them: `x - mu` where it was typed, a tensor of three axes before its vectors."""

from __future__ import annotations

from typing import Any

import pytest
from corpus_case import cases

import indexcalc as ic
from indexcalc.simplify.same import key_of
from indexcalc.writing.typed import as_typed

i, j, k, l, m = ic.indices("i j k l m")  # noqa: E741
x, y, mu = (ic.tensor(name, "n") for name in ("x", "y", "mu"))
A, B, C = (ic.tensor(name, "n n") for name in "ABC")
S = ic.tensor("S", "n n", positive_definite=True)
T = ic.tensor("T", "n n n")
a, b, c = (ic.tensor(name, 3) for name in "abc")
E = ic.epsilon


def distance(u: Any, v: Any) -> Any:
    return (u - v) @ ic.inv(S) @ (u - v)


@pytest.mark.parametrize(("made", "text"), [
    (lambda: distance(x, mu), "(x - mu) @ inv(S) @ (x - mu)"),
    (lambda: distance(mu, x), "(mu - x) @ inv(S) @ (mu - x)"),
    (lambda: ic.grad(distance(x, mu), S), "-outer(inv(S) @ (x - mu), inv(S) @ (x - mu))"),
    (lambda: ic.grad(distance(mu, x), S), "-outer(inv(S) @ (mu - x), inv(S) @ (mu - x))"),
    (lambda: ic.grad(ic.sqrt(distance(x, mu)), x), "inv(S) @ (x - mu)/sqrt((x - mu) @ inv(S) @ (x - mu))"),
    (lambda: ic.grad(ic.sqrt(distance(mu, x)), x), "inv(S) @ (x - mu)/sqrt((mu - x) @ inv(S) @ (mu - x))"),
    (lambda: ic.grad(distance(x, mu), mu), "2*inv(S) @ (mu - x)"),
    (lambda: ic.hessian(ic.exp(-ic.norm2(x - mu) ** 2 / 2), x),
     "exp(-norm2(x - mu)**2/2)*(outer(x - mu, x - mu) - eye(n))"),
    (lambda: ic.grad(ic.logdet(S) + distance(x, mu), S), "inv(S) @ (eye(n) - outer(x - mu, inv(S) @ (x - mu)))"),
    (lambda: ic.tr((A - B).T @ (A - B)), "sum((A - B)**2)"),
    (lambda: ic.tr((B - A).T @ (B - A)), "sum((B - A)**2)"),
])  # fmt: skip
def test_differences_stand_as_they_were_typed(made, text):
    assert str(made()) == text


def test_signs_of_the_source_show_in_every_notation():
    """In LaTeX, in letters, in a layout and in index notation; the derivative is the same as with the other sign."""
    one, other = (ic.grad(distance(*pair), S) for pair in ((x, mu), (mu, x)))
    assert one == other and str(one) != str(other)
    assert r"x - \mu" in one.latex() and "x - μ" in one.unicode() and "(x - mu)" in str(one.layout("numerator"))
    entries = (x[i] - mu[i]) * ic.inv(S)[i, j] * (x[j] - mu[j])
    assert str(-entries / 2) == "-inv(S)[i,j]*(x[j] - mu[j])*(x[i] - mu[i])/2"
    assert "x[l] - mu[l]" in str(ic.sqrt(entries).diff(x[k]))


def test_the_text_does_not_depend_on_what_was_made_before():
    first = str(ic.grad(distance(x, mu), S))
    str(ic.grad(distance(mu, x), S))
    assert str(ic.grad(distance(x, mu), S)) == first
    assert str(ic.parse(first, **ic.grad(distance(x, mu), S).declarations)) == first


def test_signs_keep_the_value():
    """Whatever the sign of what was typed: derivatives of the corpus, and these where a difference is turned."""
    for value, by in ((distance(x, mu) ** 3, S), (ic.norm2(y - x) * distance(x, y), x), ((x - y) @ A @ (x - y), x)):
        made = ic.grad(value, by)
        assert ic.Array(made.shown) == made
    for case in [c for c in cases().values() if " - " in c.row["expr"]][:25]:
        if case.id != "cookbook-89":
            made = ic.derivative(case.value, case.wrt[0], structure="free")
            axes = tuple(range(made.node.order))
            assert key_of(as_typed(made.node, case.value.node), axes) == key_of(made.node, axes)


@pytest.mark.parametrize(("made", "text"), [
    (lambda: E(i, j, k) * a[j] * b[k], "ε[i,j,k]*a[j]*b[k]"),
    (lambda: b[k] * E(i, j, k) * a[j], "ε[i,j,k]*a[j]*b[k]"),
    (lambda: E(i, j, k) * b[j] * a[k], "ε[i,j,k]*b[j]*a[k]"),
    (lambda: E(i, j, k) * a[i] * b[j] * c[k], "ε[i,j,k]*a[i]*b[j]*c[k]"),
    (lambda: E(i, j, k) * E(k, l, m) * a[j] * b[l] * c[m], "ε[i,j,k]*ε[k,l,m]*a[j]*b[l]*c[m]"),
    (lambda: T[i, j, k] * x[j] * y[k], "T[i,j,k]*x[j]*y[k]"),
    (lambda: T[i, j, k] * x[j], "T[i,j,k]*x[j]"),
    (lambda: x[i] * T[i, j, k], "x[i]*T[i,j,k]"),
    (lambda: T[i, j, k] * A[j, l] * B[k, m], "T[i,j,k]*A[j,l]*B[k,m]"),
    (lambda: A[i, j] * B[j, i], "A[i,j]*B[j,i]"),
    (lambda: B[j, i] * A[i, j], "A[i,j]*B[j,i]"),
    (lambda: A[i, j] * B[j, k] * C[k, i], "A[i,j]*B[j,k]*C[k,i]"),
    (lambda: x[i] * A[i, j] * y[j], "x[i]*A[i,j]*y[j]"),
])  # fmt: skip
def test_factors_stand_in_the_order_of_labels(made, text):
    assert str(made()) == text
