"""Sums over pairs, `where="i<j"`: what is left out enters nowhere; and roots of differences."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
i, j, k, a = ic.indices("i j k a")
x, s, A = ic.tensor("x", "n d"), ic.tensor("s", "n"), ic.tensor("A", "n n")
POINTS = np.random.default_rng(0).standard_normal((4, 3))
DIFFERENCE = s[i] * ic.ones(j) - ic.ones(i) * s[j]
DISTANCE = ic.norm2(x[i, a] * ic.ones(j) - ic.ones(i) * x[j, a], a)
HELD = {"i<j": np.less, "i<=j": np.less_equal, "i>j": np.greater, "i>=j": np.greater_equal, "i!=j": np.not_equal}
HELD |= {"i==j": np.equal, " i  <j ": np.less, "i!=j, i<j": np.less}


@pytest.mark.parametrize("where", HELD)
def test_a_condition_selects(where: str) -> None:
    numbers = np.arange(16.0).reshape(4, 4)
    held = HELD[where](*np.indices((4, 4)))
    e = A[i, j].sum(i, j, where=where)
    assert e.evaluate(A=numbers) == numbers[held].sum()
    np.testing.assert_array_equal(ic.grad(e, A).evaluate(n=4), held)
    np.testing.assert_array_equal(A[i, j].sum(j, where=where).evaluate(A=numbers), (numbers * held).sum(1))


@pytest.mark.parametrize("where", ["i<j", "i!=j"])
def test_the_energy_of_pairs(where: str) -> None:
    first, second = np.nonzero(HELD[where](*np.indices((4, 4))))
    in_jax = lambda y: (1 / jnp.sqrt(((y[first] - y[second]) ** 2).sum(-1))).sum()  # noqa: E731
    E = (1 / DISTANCE).sum(i, j, where=where)
    made = [E, ic.grad(E, x), ic.hessian(E, x)]
    wanted = [in_jax(POINTS), jax.grad(in_jax)(POINTS), jax.hessian(in_jax)(POINTS)]
    space: dict[str, Any] = {}
    exec(ic.to_source(made, (x,), name="f"), space)
    for found in ([e.evaluate(x=POINTS) for e in made], ic.compile(made, (x,))(POINTS), space["f"](POINTS)):
        for value, expected in zip(found, wanted, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
    assert np.isfinite(ic.derivative(made[2], x).evaluate(x=POINTS)).all()
    for e in made[:2]:
        assert ic.parse(str(e), x="n d") == e


@pytest.mark.parametrize("backend", ["jax", "torch", "dask"])
def test_the_energy_of_pairs_on_other_backends(backend: str) -> None:
    E = (1 / DISTANCE).sum(i, j, where="i<j")
    made = [E, ic.grad(E, x)]
    found, wanted = ic.compile(made, (x,), backend=backend)(POINTS), ic.compile(made, (x,))(POINTS)
    for value, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-5)


WILD = [
    ic.log(DIFFERENCE),
    DIFFERENCE**-6,
    ic.sqrt(DIFFERENCE),
    ic.exp(1 / DIFFERENCE**2),
    DIFFERENCE ** Fraction(1, 3),
]


@pytest.mark.parametrize("e", WILD, ids=str)
def test_what_is_left_out_may_have_no_value(e: Any) -> None:
    numbers, total = np.array([0.0, 1.0, 3.0, 4.5]), e.sum(i, j, where="i>j")
    for value in (total, ic.grad(total, s), ic.hessian(total, s)):
        assert np.isfinite(value.evaluate(s=numbers)).all()


def test_how_it_is_written() -> None:
    for where, sign in {"i<j": "<", "i>j": "<", "i<=j": "<=", "i>=j": "<="}.items():
        e = ic.exp(A[i, j]).sum(i, j, where=where)
        one, other = re.fullmatch(rf"sum\[\w,\w: (\w){sign}(\w)\]\(exp\(A\[\w,\w\]\)\)", str(e)).groups()  # type: ignore[union-attr]
        assert one != other and ic.parse(str(e), A="n n") == e
    T = ic.tensor("T", "n n n")
    e = ic.exp(T[i, j, k]).sum(i, j, k, where="i<j, j<k")
    assert ic.parse(str(e), T="n n n") == e and str(e).count("<") == 2, str(e)
    assert r"\sum_{" in (1 / DISTANCE).sum(i, j, where="i<j").latex()
    with pytest.raises(ic.ParseError, match="conditions are for sums"):
        ic.parse("prod[i,j: i<j](A[i,j])", A="n n")


def test_three_in_order() -> None:
    T = ic.tensor("T", "n n n")
    numbers = np.arange(64.0).reshape(4, 4, 4)
    p, q, r = np.indices((4, 4, 4))
    assert T[i, j, k].sum(i, j, k, where="i<j, j<k").evaluate(T=numbers) == numbers[(p < q) & (q < r)].sum()


@pytest.mark.parametrize(
    ("where", "said"),
    [("i<", "no condition"), ("i<k", "k is not free"), ("i<i", "twice"), ("i~j", "no condition"), ("", "no condition")],
)
def test_what_is_no_condition(where: str, said: str) -> None:
    with pytest.raises(ic.NotationError, match=said):
        A[i, j].sum(i, j, where=where or " ")
    with pytest.raises(ic.DimensionError, match="i runs over m, j over n"):
        ic.tensor("B", "m n")[i, j].sum(i, j, where="i<j")
    with pytest.raises(ic.KindError, match="is a str"):
        A[i, j].sum(i, j, where=i)  # type: ignore[arg-type]


@pytest.mark.parametrize("exponent", [Fraction(1, 2), Fraction(-1, 2), 1.5, -2, 3])
def test_a_root_of_a_difference_keeps_its_sign(exponent: Any) -> None:
    """`s_i - s_j` is minus itself with i and j swapped, and its square root is not: nor is that of a skew matrix."""
    K = ic.tensor("K", "n n", skew=True)
    numbers = np.array([4.5, 3.0, 1.0, 0.5])
    skew = np.triu(np.arange(1.0, 17).reshape(4, 4), 1)
    cases = [(DIFFERENCE, "s", numbers, numbers[:, None] - numbers), (K[i, j], "K", skew - skew.T, skew)]
    for e, name, given, wanted in cases:
        for made in (e**exponent, (e**exponent).simplify()):
            value = made.array(i, j).evaluate(**{name: given})
            above = np.triu_indices(4, 1)
            np.testing.assert_allclose(value[above], wanted[above] ** float(exponent))


CHARGES = ic.tensor("q", "n")
ENERGIES = [
    1 / ic.abs(DIFFERENCE),
    ic.log(ic.abs(DIFFERENCE)),
    ic.hadamard(CHARGES[i] * CHARGES[j], ic.abs(DIFFERENCE) ** -1),
    ic.abs(DIFFERENCE) ** Fraction(3, 2),
    DISTANCE**-12 - DISTANCE**-6,
]


@pytest.mark.parametrize("where", ["i<j", "i!=j"])
@pytest.mark.parametrize("e", ENERGIES, ids=str)
def test_a_pair_sum_is_judged_as_it_is_evaluated(e: Any, where: str) -> None:
    total = e.sum(i, j, where=where)
    D = ic.diff(total, x[k, a] if "x" in total.variables else s[k])
    assert ic.verify(D)
    assert ic.check(str(D), D)
    assert ic.check(f"-({D})", D).faults == ("sign",)


def test_what_cancels_is_judged_by_what_is_added() -> None:
    gap = ic.outer(s, ic.ones("n")) - ic.outer(ic.ones("n"), s)
    skew = ic.tensor("K", "n n", skew=True)
    nothing = (1 / DIFFERENCE).sum(i, j, where="i!=j")
    for e in (ic.tanh(gap).sum(), ic.sin(gap).sum(), s @ s + ic.tanh(skew).sum()):
        assert ic.verify(ic.grad(e, s))
    assert ic.verify(ic.grad(ic.tanh(skew).sum(), skew)) and ic.verify(ic.diff(nothing, s[k]))
    assert not ic.verify(1e-3 * s, of=ic.sin(gap).sum(), wrt=s)


READ = {
    r"\sum_{i<j} A_{ij}": A[i, j].sum(i, j, where="i<j"),
    r"\sum_{j<i} A_{ij}": A[i, j].sum(i, j, where="j<i"),
    r"\sum_{i \ne j} A_{ij}": A[i, j].sum(i, j, where="i!=j"),
    r"\sum_{i,j=1,\, i\neq j}^{n} A_{ij}": A[i, j].sum(i, j, where="i!=j"),
    r"\sum_{i,j: i \ne j} A_{ij}": A[i, j].sum(i, j, where="i!=j"),
    r"\sum_{\substack{i,j\\ i \ne j}} A_{ij}": A[i, j].sum(i, j, where="i!=j"),
    r"\sum_{1 \le i < j \le n} A_{ij}": A[i, j].sum(i, j, where="i<j"),
    r"\sum_{0 \le i \le j < n} A_{ij}": A[i, j].sum(i, j, where="i<=j"),
    r"\sum_i \sum_{j>i} A_{ij}": A[i, j].sum(i, j, where="i<j"),
    r"\sum_{i=1}^n \sum_{j \ne i} A_{ij}": A[i, j].sum(i, j, where="i!=j"),
    r"\sum_{j: j<i} A_{ij}": A[i, j].sum(j, where="j<i"),
    r"\left[\sum_{j \ne i} A_{ij}\right]_i": A[i, j].sum(j, where="i!=j"),
    r"\sum_{i<j} \log|s_i - s_j|": ic.log(ic.abs(DIFFERENCE)).sum(i, j, where="i<j"),
    r"\sum_{i>j} \frac{1}{|s_i - s_j|}": (1 / ic.abs(DIFFERENCE)).sum(i, j, where="i>j"),
    "sum_{i<j} A_ij": A[i, j].sum(i, j, where="i<j"),
    "Σ_{i≠j} A_ij": A[i, j].sum(i, j, where="i!=j"),
    "∑_{i≤j} A[i,j]": A[i, j].sum(i, j, where="i<=j"),
}


@pytest.mark.parametrize("text", READ)
def test_a_condition_below_a_sum_is_read(text: str) -> None:
    assert ic.parse(text, s="n", A="n n") == READ[text]


def test_sums_over_pairs_in_formulas() -> None:
    numbers = np.array([1.0, 2.0, 3.0, 4.0])
    texts = {
        r"\sum_{i<j<k} s_i s_j s_k": 50,
        r"\sum_i s_i \sum_{j<i} s_j": 35,
        r"\sum_{i} (\sum_{j \ne i} s_j)^2": 230,
        r"\sum_{i<j} s_i s_j + \sum_k s_k": 45,
    }
    for text, value in texts.items():
        assert ic.parse(text, s="n").evaluate(s=numbers) == value
    assert ic.check(r"\sum_{i \ne j} A_{ij}", A.sum() - ic.tr(A), A="n n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"\sum_{j \ne i} A_{ij}", "over j alone, for each i, or over both"),
        (r"\sum_{i \ne j \ne k} A_{ij} A_{jk}", "which of them differ"),
        (r"\sum_{i<j} A_{ij} + s_i", "the sum over i before has ended"),
        (r"\prod_{i<j} A_{ij}", "conditions are for sums"),
        (r"\sum_{i<3} s_i", "no conditions between indices"),
        (r"\sum_{2 \le i < j} A_{ij}", "a sum from 2 to n"),
    ],
)
def test_what_a_sum_with_a_condition_is_refused_for(text: str, said: str) -> None:
    with pytest.raises(ic.ParseError, match=said):
        ic.parse(text, s="n", A="n n")


@pytest.mark.parametrize("where", HELD)
def test_a_sum_over_pairs_reads_back(where: str) -> None:
    cube = ic.tensor("T", "n n n")
    for e in (A[i, j], ic.exp(A[i, j]), DIFFERENCE**-2, ic.log(ic.abs(DIFFERENCE)), cube[i, j, k]):
        total = e.sum(*e.indices, where=where)
        for made in (total, ic.grad(total, next(iter(total.variables.values())))):
            assert ic.parse(made.latex(), **made.declarations) == made == ic.parse(str(made), **made.declarations)
