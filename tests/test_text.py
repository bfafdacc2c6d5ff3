"""Text and LaTeX: what is printed, that it depends on the expression alone, and that it stays short."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.graph.constructors import (
    addition,
    call,
    constant,
    constant_number,
    delta,
    dimension,
    einsum,
    elementwise,
    regroup,
    variable,
)
from indexcalc.graph.node import KINDS, Elementwise, Node, Product, Signature, Sum
from indexcalc.index import dim
from indexcalc.writing.brackets import ATOM, COMPARISON, POWER, PRODUCT, SUM, TALL, level_of, wrapped
from indexcalc.writing.index.arrange import Arranger
from indexcalc.writing.index.latex import array_latex, expr_latex
from indexcalc.writing.index.named import NAMED, filled_piece, named_piece
from indexcalc.writing.index.opened import Legibility
from indexcalc.writing.index.order import Walk
from indexcalc.writing.index.outline import Outline
from indexcalc.writing.index.pages import definitions_of
from indexcalc.writing.index.terms import Addend, in_order, number_last
from indexcalc.writing.index.text import array_text, expr_text, str_piece
from indexcalc.writing.index.words import fresh_names, words
from indexcalc.writing.syntax import Filled, Named, Plain, Plus, Power, Ref, Size, Times

i, j, k, m = ic.indices("i j k m")
n, q = ic.indices("n q", batch=True)
x, y, a, b, p = (ic.tensor(name, "N") for name in "xyabp")
z, t = ic.tensor("z", "M"), ic.tensor("t", "M")
W, X, A, Sigma = ic.tensor("W", "N M"), ic.tensor("X", "M N"), ic.tensor("A", "N N"), ic.tensor("Sigma", "N N")
T, Z = ic.tensor("T", "N N N"), ic.tensor("Z", "B C")
s = ic.Expr(ic.scalar("s").node, ())
u, loss = ic.function("u", "N -> M"), ic.function("L", "M ->", gradient="G")
f = ic.function("f", "N, M ->")
residual = X[i, j] * x[j] - t[i]
logistic = ic.softplus(X[n, j] * x[j]).sum(n)
softmax = ic.softmax(x[i])

EXPRESSIONS = [
    # plain products and sums
    (x[i] * W[i, j] + z[j], "x[i]*W[i,j] + z[j]"),
    (W[i, j] * x[i], "x[i]*W[i,j]"),
    ((x[i] * W[i, j]).diff(W[i, k]), "x[i]*δ[j,k]"),
    (X[i, j] * x[j], "X[i,j]*x[j]"),
    (y[j] * A[i, j] * x[i], "x[i]*A[i,j]*y[j]"),
    (A[i, i], "A[i,i]"),
    (x[i] ** 2 * y[i], "x[i]**2*y[i]"),
    (x[i] * x[i], "x[i]*x[i]"),
    (A[j, i] + A[i, j], "A[i,j] + A[j,i]"),
    (y[j] * x[i], "x[i]*y[j]"),
    (X[n, i] * W[i, j] + z[j], "X[n,i]*W[i,j] + z[j]"),
    (2 * s * x[i] * (y[j] * a[j]), "2*s*a[j]*y[j]*x[i]"),
    ((residual**2).sum(i).diff(x[k]), "2*X[i,k]*(X[i,j]*x[j] - t[i])"),
    (x[i] * ic.ones(j), "x[i]*ones[j]"),
    (x[i] * ic.ones(j) + A[i, j], "A[i,j] + x[i]*ones[j]"),
    # explicit sums
    (ic.exp(x[i]).sum(i), "sum[i](exp(x[i]))"),
    (A[i, j].sum(i), "sum[i](A[i,j])"),
    ((x[i] ** 3).sum(i), "sum[i](x[i]**3)"),
    ((x[i] ** 2).sum(i), "x[i]*x[i]"),
    (((x[i] - y[i]) ** 2).sum(i), "sum[i]((x[i] - y[i])**2)"),
    (ic.hadamard(x[i], y[i], a[i]).sum(i), "sum[i](a[i]*x[i]*y[i])"),
    (x[i].mean(i), "sum[i](x[i])/N"),
    (
        logistic.diff(x[k]).diff(x[m]),
        "sum[i](X[i,k]*X[i,m]*sigmoid(X[i,j]*x[j])*(1 - sigmoid(X[i,j]*x[j])))",
    ),
    # braces
    (ic.exp(x[i]).diff(x[j]), "{i,j: exp(x[i])*δ[i,j]}"),
    (softmax.diff(x[j]), "{i,j: softmax(x[i])*(δ[i,j] - softmax(x[j]))}"),
    (ic.hadamard(p[i], ic.delta(i, j) - p[j] * ic.ones(i)), "{i,j: p[i]*(δ[i,j] - p[j])}"),
    (ic.hadamard(x[i], y[i]), "{i: x[i]*y[i]}"),
    (ic.tanh(W[j, i] * x[j]).diff(x[k]), "{i,k: W[k,i]*(1 - tanh(x[j]*W[j,i])**2)}"),
    (ic.exp(ic.hadamard(x[i], y[i])), "exp({i: x[i]*y[i]})"),
    (ic.hadamard(a[i], ic.exp(ic.hadamard(x[i], y[i]))), "{i: a[i]*exp(x[i]*y[i])}"),
    (ic.softmax(Z[n, i], i).diff(Z[n, j]), "{n,i,j: softmax(Z[n,i], i)*(δ[i,j] - softmax(Z[n,j], j))}"),
    (ic.hadamard(x[i], y[i] ** -1), "{i: x[i]/y[i]}"),
    (ic.hadamard(ic.delta(i, j), ic.delta(j, k), ic.ones(i)), "{i,j,k: δ[i,j]*δ[j,k]}"),
    # functions
    (ic.max(x[i]), "max(x[i])"),
    (ic.softmax(A[i, j], j), "softmax(A[i,j], j)"),
    (ic.logsumexp(A[i, j], i, j), "logsumexp(A[i,j], i, j)"),
    (ic.normF(A[i, j]), "normF(A[i,j])"),
    (ic.normF(T[k, i, j], i, j), "normF(T[k,i,j], i, j)"),
    (ic.normp(x[i], 3), "normp(x[i], 3)"),
    (ic.normp(A[i, j], 3, j), "normp(A[i,j], 3, j)"),
    (ic.polygamma(1, x[i]), "polygamma(1, x[i])"),
    (ic.less(x[i], y[i]), "(x[i] < y[i])"),
    (ic.not_equal(x[i], y[j]), "(x[i] != y[j])"),
    (ic.where(ic.greater(x[i], 0), x[i], y[i]), "where(x[i] > 0, x[i], y[i])"),
    (x[i] ** s, "x[i]**s"),
    (u(x)[j], "u(x)[j]"),
    (u(A @ x)[j], "u({i: A[i,k]*x[k]})[j]"),
    (ic.derivative(u(x), x)[j, k], "Du(x)[j,k]"),
    (ic.derivative(u(x), x, order=2)[i, j, k], "D2u(x)[i,j,k]"),
    (ic.grad(f(x, z), z)[j], "D01f(x, z)[j]"),
    (ic.grad(loss(x @ W), W)[i, j], "x[i]*G[j]"),
    (ic.softmax(ic.delta(i, j, dim="N"), i), "softmax(delta(i, j, dim=N), i)"),
    (ic.exp(ic.delta(i, j) * x[j]), "exp(x[j]*δ[i,j])"),
    # numbers, signs, exponents
    (x[i] / 2, "x[i]/2"),
    (x[i] * Fraction(3, 2), "3*x[i]/2"),
    (0.1 * x[i], "0.1*x[i]"),
    ((1 + 2j) * x[i], "(1+2j)*x[i]"),
    (X[i, j] * x[j] / (s * 3), "X[i,j]*x[j]/(3*s)"),
    (x[i] / ic.norm2(x[j]), "x[i]/norm2(x[j])"),
    (ic.sqrt(x[i]), "sqrt(x[i])"),
    ((x[i] * x[i]) ** Fraction(-1, 2), "1/sqrt(x[i]*x[i])"),
    (x[i] ** Fraction(3, 2), "x[i]**(3/2)"),
    ((x[i] * x[i]) ** 2, "(x[i]*x[i])**2"),
    (-2 * (a[i] - x[i]), "2*(x[i] - a[i])"),
    (-(x[i] + a[i]), "-(a[i] + x[i])"),
    (1 - ic.tanh(x[i]) ** 2, "1 - tanh(x[i])**2"),
    (1 + ic.exp(x[i]), "1 + exp(x[i])"),
    (x[i] * x[i] + 1, "x[i]*x[i] + 1"),
    (-1 + x[i], "x[i] - 1"),
    (ic.delta(i, j) - A[i, j], "δ[i,j] - A[i,j]"),
    (ic.norm2(x[i]).diff(x[j]).diff(x[k]), "δ[j,k]/norm2(x[i]) - x[j]*x[k]/norm2(x[i])**3"),
    (ic.pi * x[i], "pi*x[i]"),
    (ic.epsilon(i, j, k), "ε[i,j,k]"),
    (ic.delta(i, j) * ic.delta(i, j), "δ[i,j]*δ[i,j]"),
    (0 * x[i], "zeros(N)[i]"),
]


@pytest.mark.parametrize(("expr", "text"), EXPRESSIONS, ids=[text for _, text in EXPRESSIONS])
def test_expressions_print_as_people_write_them(expr: ic.Expr, text: str) -> None:
    assert str(expr) == text


ARRAYS = [
    (x, "x"),
    (x @ W + z, "x[j]*W[j,i] + z[i] -> [i]"),
    (ic.derivative(x @ W, W), "x[j]*delta(i, k, dim=M) -> [i,j,k]"),
    (ic.eye("N"), "eye(N)"),
    (ic.zeros("M", "N"), "zeros(M, N)"),
    (ic.ones("M", "N"), "ones(M, N)"),
    (A.T, "A[j,i] -> [i,j]"),
    (ic.einsum("i->ii", x), "x[i]*δ[i,j] -> [i,j]"),
    (ic.define("Y", x @ W), "Y"),
    (u(u(x) @ X), "u({i: u(x)[j]*X[j,i]})"),
    (loss(z), "L(z)"),
    (ic.Array(dimension(dim("N"))), "N"),
    (ic.Array(regroup(W.node, [(0,), (1,)], [(0, 1)], W.shape)), 'group(W, "i j -> (i j)")'),
    (
        ic.Array(regroup(x.node, [(0, 1)], [(1,), (0,)], [dim(2), dim(3)])),
        'group(x, "(i j) -> j i", i=2, j=3)',
    ),
]


@pytest.mark.parametrize(("array", "text"), ARRAYS, ids=[text for _, text in ARRAYS])
def test_arrays_print_with_their_axes(array: ic.Array, text: str) -> None:
    assert array_text(array.node) == text


def test_nodes_of_every_shape_print() -> None:
    size = dim("N")
    v = variable("v", [size])
    assert expr_text(constant_number(Fraction(1, 2)), ()) == "1/2"
    assert expr_text(constant("unit", [size], (1,)), ["i"]) == "unit(1, N)[i]"
    assert expr_text(einsum(1, [(dimension(size), (), -1)], ()), ()) == "1/N"
    assert expr_text(einsum(1, [(dimension(dim("N + 1")), ()), (v, "i")], "i"), ["i"]) == "(N + 1)*v[i]"
    assert expr_text(einsum(1, [(v, "i")], "ij", {"j": size}), ["i", "j"]) == "v[i]*ones[j]"
    assert expr_text(einsum(1, [(v, "i")], "iii"), ["i", "j", "k"]) == "{i,j,k: v[i]*δ[i,j]*δ[j,k]}"
    assert expr_text(delta(size), ["b", "a"]) == "δ[a,b]"
    wide = elementwise("exp", [(v, (0,))], [size, size])
    assert expr_text(wide, ["i", "j"]) == "exp(v[i])*ones[j]"
    lone = addition([(1, v, [0]), (2, constant_number(3), [])], [size, size])
    assert expr_text(lone, ["i", "j"]) == "(v[i] + 6)*ones[j]"
    assert expr_text(call(Signature("g", ((),), ()), (0,), [constant_number(2)]), ()) == "g(2)"


def test_greek_letters_on_request() -> None:
    expr = Sigma[i, j] * ic.tensor("mu", "N")[j]
    assert str(expr) == "Sigma[i,j]*mu[j]"
    assert expr.unicode() == "Σ[i,j]*μ[j]"
    product = ic.delta(i, j) * ic.epsilon(j, k, m)
    assert expr_text(product.node, product.names, ascii=True) == "epsilon[j,k,m]*delta[i,j]"


@pytest.mark.parametrize(
    ("expr", "latex"),
    [
        (x[i] * W[i, j] + z[j], r"x_{i}\,W_{ij} + z_{j}"),
        (x[i] * ic.delta(j, k), r"x_{i}\,\delta_{jk}"),
        (ic.exp(x[i]).diff(x[j]), r"\left[\exp\left(x_{i}\right)\,\delta_{ij}\right]_{ij}"),
        (ic.exp(x[i]).sum(i), r"\sum_{i} \exp\left(x_{i}\right)"),
        (ic.hadamard(a[i], A[i, j] * x[j]), r"\left[a_{i}\,\sum_{j} A_{ij}\,x_{j}\right]_{i}"),
        (x[i] / 2, r"\frac{x_{i}}{2}"),
        (x[i] / ic.norm2(x[j]), r"\frac{x_{i}}{\underset{j}{\left\lVert x_{j}\right\rVert_{2}}}"),
        (ic.sqrt(x[i]), r"\sqrt{x_{i}}"),
        (Sigma[i, j] ** 2, r"\Sigma_{ij}^{2}"),
        (ic.tensor("S", "N", latex=r"\hat{s}")[i], r"\hat{s}_{i}"),
        (ic.tensor("W1", "N")[i] * x[j], r"{W_{1}}_{i}\,x_{j}"),
        (ic.tensor("w_in", "N")[ic.index("in1")], r"\mathrm{w\_in}_{\mathrm{in1}}"),
        (ic.tanh(x[i]) ** 2, r"{\tanh\left(x_{i}\right)}^{2}"),
        (ic.derivative(u(x), x)[j, k], r"\mathrm{D}u\left(x\right)_{jk}"),
        (1e-5 * x[i], r"1 \cdot 10^{-5}\,x_{i}"),
        (ic.less(x[i], y[i]) * s, r"s\,\left[x_{i} < y_{i}\right]"),
    ],
    ids=str,
)
def test_latex(expr: ic.Expr, latex: str) -> None:
    assert expr_latex(expr.node, expr.names, expr.batch) == latex


def test_latex_of_arrays() -> None:
    assert array_latex(W.node) == "W"
    assert array_latex((x @ W).node) == r"\left(\sum_{j} x_{j}\,W_{ji}\right)_{i}"


# ------------------------------------------------------------------ the text depends on the expression alone


def test_text_does_not_depend_on_the_order_of_typing() -> None:
    """Products of up to six factors, shuffled, with other labels and other groups, have one text."""
    size = dim("N")
    tensors = {name: variable(name, [size] * order) for name, order in zip("xyABTs", (1, 1, 2, 2, 3, 0), strict=True)}
    for seed in range(400):
        draw = random.Random(seed)
        labels = "abcde"[: draw.randint(1, 5)]
        factors = []
        for _ in range(draw.randint(1, 6)):
            node: Node = draw.choice(list(tensors.values()))
            places = [draw.choice(labels) for _ in range(node.order)]
            if draw.random() < 0.2:
                node = elementwise("exp", [(node, range(node.order))], node.dims)
            factors.append((node, places, draw.choice([1, 1, 1, 2, -1])))
        used = sorted({label for _, places, _ in factors for label in places})
        out = draw.sample(used, draw.randint(0, min(3, len(used))))
        names = dict(zip(sorted(out), "pqr", strict=False))
        texts = set()
        for turn in range(4):
            new = dict(zip(labels, draw.sample("uvwxyz", len(labels)), strict=True))
            rows = [
                (node, [new[label] for label in places], e) for node, places, e in draw.sample(factors, len(factors))
            ]
            order = draw.sample(out, len(out))
            if turn > 1 and len(rows) > 2:
                rest = {label for _, places, _ in rows[2:] for label in places} | {new[label] for label in order}
                kept = sorted({label for _, places, _ in rows[:2] for label in places} & rest)
                rows = [(einsum(1, rows[:2], kept), kept, 1), *rows[2:]]
            node = einsum(1, rows, [new[label] for label in order])
            texts.add(expr_text(node, [names[label] for label in order]))
        assert len(texts) == 1, texts


def test_sums_are_ordered_by_what_they_say() -> None:
    terms = [x[i], y[i], a[i] * s, ic.exp(x[i]), -b[i]]
    texts = set()
    for seed in range(20):
        mixed = random.Random(seed).sample(terms, len(terms))
        texts.add(str(sum(mixed[1:], mixed[0])))
        texts.add(str(mixed[0] + (mixed[1] + (mixed[2] + mixed[3])) + mixed[4]))
    assert texts == {"s*a[i] + exp(x[i]) + x[i] + y[i] - b[i]"}


def test_text_does_not_depend_on_the_hash_seed() -> None:
    script = """
import indexcalc as ic
i, j, k, m = ic.indices("i j k m")
n = ic.index("n", batch=True)
x, X, t = ic.tensor("x", "N"), ic.tensor("X", "M N"), ic.tensor("t", "M")
logistic = ic.softplus(X[n, j] * x[j]).sum(n)
print(logistic.diff(x[k]).diff(x[m]), ic.softmax(x[i]).diff(x[j]).diff(x[k]))
e = x[i]
for _ in range(12):
    e = ic.hadamard(e + ic.sin(e), ic.exp(e))
print(e.diff(x[j]))
"""
    texts = set()
    for seed in "123":
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        texts.add(done.stdout)
    assert len(texts) == 1


# ------------------------------------------------------------------ long text


@pytest.mark.parametrize(
    "step",
    [lambda e: e + e, lambda e: ic.hadamard(e, e), lambda e: ic.hadamard(e, ic.sin(e))],
    ids=["y + y", "y*y", "y*sin(y)"],
)
def test_ladders_print_in_text_that_grows_with_the_rungs(step: Callable[[ic.Expr], ic.Expr]) -> None:
    lengths = []
    for rungs in (64, 128):
        expr = x[i]
        for _ in range(rungs):
            expr = step(expr)
        lengths.append(len(str(expr)))
    assert lengths[0] < 4000
    assert lengths[1] < 2.5 * lengths[0]
    assert " with t1 = {i: " in str(expr)


def test_definitions_take_names_that_mean_nothing_else() -> None:
    t1 = ic.tensor("t1", "N")
    expr = t1[i]
    for _ in range(64):
        expr = expr + expr
    assert " with t2 = {i: t1[i] + t1[i] + t1[i] + t1[i]}, t3 = {i: t2[i] + " in str(expr)


def test_scalar_definitions_stand_without_braces() -> None:
    expr = x[i] * x[i] + s
    for _ in range(64):
        expr = expr * expr + 1
    assert " with t1 = x[i]*x[i] + s, t2 = t1*t1 + 1, " in str(expr)


@pytest.mark.slow
def test_deep_and_long_expressions_print() -> None:
    chain, total, product = x[i], x[i], x[i]
    for _ in range(20_000):
        chain = ic.sin(chain)
    for number in range(3_000):
        total = total + number * a[i]
        product = product * s
    for expr in (chain, total, product):
        text = str(expr)
        assert len(text) < 500_000
        depth = deepest = 0
        for letter in text:
            depth += (letter in "([{") - (letter in ")]}")
            deepest = max(deepest, depth)
        assert deepest < 120


@pytest.mark.parametrize("one", [0.3, 1e-20, 1j, 2 - 1j, 2, Fraction(2, 3)])
@pytest.mark.parametrize("other", [0.7, -0.7, 3j, -1, Fraction(-1, 3)])
@pytest.mark.parametrize("outside", [-1, -2, 1j, -0.5])
def test_numbers_in_a_sum_keep_their_place(one: Any, other: Any, outside: Any) -> None:
    """The text means what it was made from, whatever is taken out of a sum: a sign, a common divisor, a number."""
    A, B, C, D = (ic.tensor(name, "n") for name in "ABCD")
    y = D + outside * C * (one * A + other * B)
    given = {name: np.array([k + 2.0, 3.0 - k]) for k, name in enumerate("ABCD")}
    assert np.allclose(eval(str(y), dict(given)), y.evaluate(**given), rtol=1e-13)
    assert np.allclose(eval(str(y.simplify()), dict(given)), y.evaluate(**given), rtol=1e-13)
    assert "-0" not in str(y).replace("-0.", "")


# ------------------------------------------------------------------ the parts, each alone


def test_names_that_nothing_else_has():
    assert words((x[i] * W[i, j]).node) == {"x", "W", "N", "M"}
    assert [name for name, _ in zip(fresh_names("ik"), range(11), strict=False)][-3:] == ["t", "i1", "j1"]


def test_an_outline_defines_what_would_be_written_again_and_again():
    inner = x[i]
    for _ in range(12):
        inner = ic.exp(inner + inner * inner)
    assert not Outline((x[i] * W[i, j]).node).defined
    assert Outline(inner.node).defined


def test_what_plain_text_would_misread():
    twice = (2 * x[i] * W[i, j]).node
    read = Legibility(Outline(twice))
    assert read.abused((x[i] * W[i, j]).node) == frozenset()
    assert read.abused(ic.hadamard(x[i], y[i]).node) == {0}
    assert read.flat(twice).coef == 2


def test_factors_in_the_order_of_a_chain():
    product = (W[i, j] * z[j] * x[i]).node
    (part,) = Walk(Legibility(Outline(product)).flat(product), {}).components()
    assert [item.node.name for item in part.items] == ["x", "W", "z"]


def test_terms_in_their_order():
    def written(coef, node):
        flat = Legibility(Outline(node)).flat(node)
        return Addend(coef, flat, [], []), Named(node.name) if node.order else Plain(coef)

    terms = [written(-1, x.node), written(3, constant_number(1)), written(1, y.node)]
    assert [str_piece(piece) for _, piece in in_order(terms, str_piece)] == ["y", "3", "x"]
    assert [str_piece(piece) for _, piece in number_last(terms)] == ["x", "y", "3"]


def test_each_kind_has_a_name_or_is_spelled_out():
    assert {*NAMED, Product, Sum, Elementwise} == set(KINDS)
    assert str_piece(named_piece(f(x, z).node, (), lambda node: Named(node.name))) == "f(x, z)"
    assert filled_piece(delta(4)) == Filled("eye", (4,)) and filled_piece(W.node) is None


def test_definitions_stand_before_they_are_used():
    one, two = x.node, y.node
    needs = {one: Plus((Ref(two), Plain(1))), two: Plain(2)}

    def named(piece):
        parts = piece.terms if isinstance(piece, Plus) else (piece,)
        return [part.node for part in parts if isinstance(part, Ref)]

    assert [node for node, _ in definitions_of(Ref(one), needs.__getitem__, named)] == [two, one]


def test_an_arranger_writes_pieces():
    arranger = Arranger((x[i] * W[i, j]).node, (), str_piece)
    assert str_piece(arranger.expression(["j"])) == "x[i]*W[i,j]"
    assert str_piece(arranger.array()) == "x[j]*W[j,i] -> [i]"


def test_brackets_stand_where_a_text_binds_too_loosely():
    one, two = Named("a"), Named("b")
    pieces = [Plus((one, two)), Times(2, (one,)), Power(one, two), one]
    assert [level_of(piece) for piece in pieces] == [SUM, PRODUCT, POWER, ATOM]
    assert level_of(Size(dim("n"))) == ATOM and level_of(Size(dim("n + 1"))) == SUM
    levels = (COMPARISON, SUM, PRODUCT, POWER, ATOM)
    shown = [wrapped("x", level, PRODUCT, TALL) for level in levels]
    assert shown == [r"\left(x\right)", r"\left(x\right)", "x", "x", "x"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("(-1/2)**s", "(-1/2)**s"), ("(1/2)**s", "(1/2)**s"), ("(s**2)**s", "(s**2)**s"), ("s**(-2)**s", "s**((-2)**s)")],
)
def test_a_bracket_is_written_once(text, shown):
    assert str(ic.parse(text, s="")) == shown


def test_a_diagonal_of_what_keeps_its_axes_within_a_sum_reads_back():
    """`softmax(A[i,i], i)` would be another function: an index of its own, and a delta."""
    A, B = ic.tensor("A", "b b"), ic.tensor("B", "b b")
    for inner in (ic.softmax(A, axis=0), ic.polar(A), ic.softmax(A * B, axis=1) * A):
        D = ic.derivative(ic.diag(ic.sigmoid(B - inner)), B)
        assert ic.parse(str(D), **D.declarations) == D and ic.parse(D.latex(), **D.declarations) == D
