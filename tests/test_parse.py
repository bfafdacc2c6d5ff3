"""Parsing: what text means, that printed text reads back, and what wrong text is told."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import TENSORS, program

import indexcalc as ic
from indexcalc.errors import IndexCalcError, KindError, NameRefused, ParseError
from indexcalc.graph.constructors import regroup
from indexcalc.index import dim
from indexcalc.reading.reader import parse

i, j, k, m = ic.indices("i j k m")
inner, outer = ic.indices("in out")
n = ic.index("n", batch=True)
x, y, a = (ic.tensor(name, "N") for name in "xya")
W, A, X, b = ic.tensor("W", "N M"), ic.tensor("A", "N N"), ic.tensor("X", "M N"), ic.tensor("b", "M")
u, loss = ic.function("u", "N -> M"), ic.function("L", "M ->", gradient="G")
s = ic.Expr(ic.scalar("s").node, ())
KNOWN = {"x": "N", "y": "N", "a": "N", "W": "N M", "A": "N N", "X": "M N", "b": "M", "s": ""}

MEANINGS = [
    ("x[i]*W[i,j] + b[j]", x[i] * W[i, j] + b[j]),
    ("x_i W_ij + b_j", x[i] * W[i, j] + b[j]),
    ("x_i W_{ij} + b_{j}", x[i] * W[i, j] + b[j]),
    ("W_{in,out} x_{in}", x[inner] * W[inner, outer]),
    ("x_i (W_ij - 1)", x[i] * (W[i, j] - 1)),
    ("2x_i", 2 * x[i]),
    ("exp x_i", ic.exp(x[i])),
    ("-x_i**2", -(x[i] ** 2)),
    ("- -x_i", x[i]),
    ("x_i^2", x[i] ** 2),
    ("2**-1*x[i]", x[i] / 2),
    ("1e-3 x[i] + .5x[i]", 1e-3 * x[i] + 0.5 * x[i]),
    ("(1+2j)*x[i]", (1 + 2j) * x[i]),
    ("x[i]*y[j]/s/2", x[i] * y[j] / (2 * s)),
    ("x[i] ∘ y[i]", ic.hadamard(x[i], y[i])),
    ("A[i,i]", A[i, i]),
    ("δ_ij x_j", x[i]),
    ("delta[i,j]*x[j]", x[i]),
    ("{i,j: exp(x[i])*δ[i,j]}", ic.exp(x[i]).diff(x[j])),
    ("{i: x[i]*A[i,k]*y[k]*a[k]}", ic.einsum("i,ik,k,k->i", x, A, y, a)[i]),
    ("{i: A[k,k]*y[k]*x[i]}", ic.einsum("kk,k,i->i", A, y, x)[i]),
    ("{i: (A[k,k])*y[k]*x[i]}", ic.einsum("kk,l,i->i", A, y, x)[i]),
    ("{i: x[i]*(A[i,k] + A[k,i])*y[k]}", ic.hadamard(x[i], (A[i, k] + A[k, i]) * y[k])),
    ("{i: x[i]*(A[i,k]*y[k] - a[i])}", ic.hadamard(x[i], A[i, k] * y[k] - a[i])),
    ("{i: x[i]/y[i] - 1}", ic.hadamard(x[i], y[i] ** -1) - 1),
    ("{i,j: x[i]} + A[i,j]", x[i] * ic.ones(j) + A[i, j]),
    ("{i: y[k]}", y[k].sum(k) * ic.ones(i, dim="N")),
    ("sum[k](X[k,i]*X[k,j]*b[k])", ic.einsum("ni,nj,n->ij", X, X, b)[i, j]),
    ("sum[i](exp(x[i]))*x[i]", ic.exp(x[i]).sum(i) * x[i]),
    ("sum[i,j](A[i,j])", A[i, j].sum(i, j)),
    ("exp({i: x[i]*y[i]})", ic.exp(ic.hadamard(x[i], y[i]))),
    ("max(A[i,j], j)", ic.max(A[i, j], j)),
    ("mean(x[i])", x[i].mean(i)),
    ("logsumexp(A[i,j], i, j) + normp(x[i], 3)", ic.logsumexp(A[i, j], i, j) + ic.normp(x[i], 3)),
    ("normF(W_ij)", ic.normF(W[i, j])),
    ("polygamma(1, x[i])", ic.polygamma(1, x[i])),
    ("where(x[i] >= y[i], x[i], 0)", ic.where(ic.greater_equal(x[i], y[i]), x[i], 0)),
    ("(x[i] == y[i])*s", ic.equal(x[i], y[i]) * s),
    ("x[i]**y[i]", x[i] ** y[i]),
    ("sqrt(s)", ic.sqrt(s)),
    ("pi*x[i]", ic.pi * x[i]),
    ("sum(x[i])/N", x[i].mean(i)),
    ("t = x_i y_i; t x_j", (x[i] * y[i]) * x[j]),
    ("z_j = x_i W_ij\nz_j z_j", (x[i] * W[i, j]) * (x[k] * W[k, j])),
    ("t1 = {p,q: x[p]*y[q]}; t1[j,i]", y[i] * x[j]),
    ("h = x_i y_i", x[i] * y[i]),
    ("(x_i\n + y_i)\n", x[i] + y[i]),
    ("ones[j]*x[i] + A[i,j]", x[i] * ic.ones(j) + A[i, j]),
    ("softmax(delta(i, j, dim=N), i)", ic.softmax(ic.delta(i, j, dim="N"), i)),
    ("zeros(N)[i]", 0 * x[i]),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_text_means_what_the_arithmetic_means(text: str, meaning: ic.Expr) -> None:
    assert agree(parse(text, dims={"i": "N"}, **KNOWN), meaning)


ARRAYS = [
    ("x[i]*W[i,j] + b[j] -> [j]", x @ W + b),
    ("x @ W + b", x @ W + b),
    ("x W + b", x @ W + b),
    ("W' x", W.T @ x),
    ("W^T x", W.T @ x),
    ("Wᵀ x", W.T @ x),
    ("2*W", 2 * W),
    ("Y = X @ x; Y + b", X @ x + b),
    ("sum(W, axis=0)", W.sum(0)),
    ("softmax(W, axis=1)", ic.softmax(W, axis=1)),
    ("exp(A)", ic.exp(A)),
    ("δ[i,j]*x[i] -> [i,j]", ic.einsum("i->ii", x)),
    ("delta(i, j, dim=N) -> [i,j]", ic.eye("N")),
    ("eye(N)", ic.eye("N")),
    ("zeros(M, N + 1)", ic.zeros("M", "N+1")),
    ("ones(M, N)", ic.ones("M", "N")),
    ('group(W, "i j -> (j i)")', ic.Array(regroup(W.node, [(0,), (1,)], [(1, 0)], W.shape))),
]


@pytest.mark.parametrize(("text", "meaning"), ARRAYS, ids=[text for text, _ in ARRAYS])
def test_arrays(text: str, meaning: ic.Array) -> None:
    assert parse(text, **KNOWN) == meaning


def test_declarations_may_be_tensors_functions_and_expressions() -> None:
    assert parse("u(x)[j]", u=u, x=x) == u(x)[j]
    assert parse("Du({i: A[i,k]*x[k]})[j,k]", u=u, x=x, A=A) == ic.derivative(u(x), x).substitute({x: A @ x})[j, k]
    assert parse("L(b)", L=loss, b=b) == loss(b)
    assert parse("r_i r_i", r=x[j] - y[j]) == (x[i] - y[i]) * (x[i] - y[i])
    assert parse("c*x[i]", c=2, x=("N",)) == 2 * x[i]


def test_batch_indices_are_never_summed_by_a_product() -> None:
    assert parse("X[n,i]*X[n,j]", X="M N", batch="n") == X[n, i] * X[n, j]
    assert parse("X[n,i]*W[i,j] + b[j]", X="M N", W="N M", b="M", batch="n") == X[n, i] * W[i, j] + b[j]
    with pytest.raises(ParseError, match="third time"):
        parse("X[n,i]*X[n,j]*b[n]", X="M N", b="M")


def test_the_longest_declared_name_wins() -> None:
    assert parse("x_i", x="N", x_i="").order == 0
    assert parse("x_i_j", x_i="N") == ic.tensor("x_i", "N")[j]
    assert parse("Sigma_ij", Sigma="N N") == parse("Σ_ij", Sigma="N N") == ic.tensor("Sigma", "N N")[i, j]


def test_definitions_check_their_indices() -> None:
    assert parse("y_j = x_i W_ij", x="N", W="N M").free == (j,)
    with pytest.raises(ParseError, match="right side has the free indices j, the left k"):
        parse("y_k = x_i W_ij", x="N", W="N M")
    with pytest.raises(ParseError, match="the left none"):
        parse("y = x_i W_ij", x="N", W="N M")


def test_unknown_dimensions_come_from_dims() -> None:
    read = parse("x[i]*δ[j,k]", x="N", dims={"j": "M", "k": "M"})
    assert read.dim(j) == dim("M")
    assert parse("{i,j: exp(x[i])}", x="N", dims={"j": "M"}).shape == (dim("N"), dim("M"))
    with pytest.raises(ParseError, match="index i has dimension N, and dims says M"):
        parse("x[i]", x="N", dims={"i": "M"})


# ------------------------------------------------------------------ round trips


def same(expr: Any) -> None:
    """The text reads back, and prints the same again."""
    text = str(expr)
    read = parse(text, **expr.declarations)
    assert str(read) == text
    assert read == expr or expr.order == 0


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_printed_text_reads_back(seed: int) -> None:
    rng = random.Random(seed)
    try:
        made = program(rng, rng.choice([1, 2, 2, 3])).expr
    except IndexCalcError:
        return
    for expr in (made, made.simplify(), made.array(*made.free)):
        read = parse(str(expr), **expr.declarations)
        assert agree(read, expr), str(expr)


@given(st.integers(0, 2**32))
def test_printed_derivatives_read_back(seed: int) -> None:
    rng = random.Random(seed)
    try:
        made = program(rng, rng.choice([1, 2])).expr
    except IndexCalcError:
        return
    name = rng.choice(list(made.variables))
    fresh = [ic.index(letter) for letter in "uvw"[: TENSORS[name].order]]
    target = TENSORS[name][tuple(fresh)] if fresh else ic.Expr(TENSORS[name].node, ())
    expr = made.diff(target)
    if len(str(expr)) < 400:
        assert agree(parse(str(expr), **expr.declarations), expr), str(expr)


def agree(read: Any, expr: Any) -> bool:
    """Are they equal, by their canonical forms or, where that search ends early, by their text?"""
    if isinstance(read, ic.Expr) is not isinstance(expr, ic.Expr):
        return not expr.order and bool(read == expr)
    return bool(read == expr) or str(read) == str(expr)


@pytest.mark.parametrize(
    "step",
    [lambda e: e + e, lambda e: ic.hadamard(e, e), lambda e: ic.hadamard(e, ic.sin(e))],
    ids=["y + y", "y*y", "y*sin(y)"],
)
def test_ladders_read_back(step: Callable[[ic.Expr], ic.Expr]) -> None:
    expr = x[i]
    for _ in range(64):
        expr = step(expr)
    same(expr)


@pytest.mark.slow
def test_deep_chains_read_back() -> None:
    expr = x[i]
    for _ in range(5_000):
        expr = ic.sin(expr)
    same(expr)


@pytest.mark.parametrize(
    "expr",
    [
        ic.softmax(X[n, i], i).diff(X[n, j]),
        ic.norm2(x[i]).diff(x[j]).diff(x[k]),
        (x[i] * W[i, j] + b[j]).diff(W[i, k]),
        ic.exp(x[i] * ic.delta(j, k)),
        ic.epsilon(i, j, k) * ic.tensor("v", 3)[k],
        ic.derivative(u(A @ x), x)[i, j],
        ic.grad(loss(x @ W), W)[i, j],
        ic.zeros("N", "M")[i, j],
        ic.zeros(i),
        ic.where(ic.less(x[i], 0), x[i], -x[i]),
        ic.Array(regroup(W.node, [(0,), (1,)], [(1, 0)], W.shape)),
        ic.derivative(ic.exp(x @ W), W),
        ic.define("Y", x @ W)[j] ** 2,
    ],
    ids=str,
)
def test_results_read_back(expr: Any) -> None:
    same(expr)


# ------------------------------------------------------------------ wrong text

WRONG = [
    ("", "column 1: expected .*; found the text ends"),
    ("x[i] +", r"column 7: expected .*a name.*; found the text ends"),
    ("exp(x[i]", r"column 9: expected \), ,; found the text ends\n  instead: close the bracket"),
    ("x[i])", r"column 5: expected .*; found '\)'\n  instead: no open bracket waits for \)"),
    ("x[i]] ", r"column 5"),
    ("x[i] $ 2", r"column 6: '\$' has no meaning here"),
    ("x[2*i]", r"column 1: \(x\)\[2\*i\]: nothing tells how far i runs"),
    ("foo[i]", "column 1: 'foo' is not declared"),
    ("x[i]*xx[i]", r"column 6: 'xx' is not declared\n  instead: did you mean 'x'"),
    ("tanhh(x[i])", r"column 1: 'tanhh' is not declared\n  instead: did you mean 'tanh'"),
    ("exp * x_i", r"column 1: exp is a function, and stands without its argument\n  instead: write exp"),
    ("δ x_i", "column 1: 'δ' is not declared"),
    ("x[i,j]", "column 1: .*2 indices for 1 axis"),
    ("x_i W_i", "column 5: .*1 index for 2 axes"),
    ("x[i]*x[i]*y[i]", "column 11: .*index i occurs a third time"),
    ("x[i]/y[i]", "column 6: .*both carry i"),
    ("x[i] + b[j]", "column 8: .*lacks the free index j"),
    ("x[i] + b[i]", "column 8: .*index i: x .axis 0. has N, b .axis 0. has M"),
    ("x[i]*W", "column 6: W: it has 2 axes and no indices"),
    ("x[i];\ny[i] + z[i]", r"line 2, column 8: 'z' is not declared"),
    ("x = x[i]", "column 1: 'x' means something already"),
    ("exp = x[i]*y[i]", "column 1: 'exp' means something already"),
    ("x[i] = 2 = 3", "column 10: expected .*; found '='\n  instead: a definition is"),
    ("x[i] + 1 = y[i]", "column 1: only a name can be defined"),
    ("{i,i: x[i]}", "column 1: i, i: a name occurs twice"),
    ("sum[k](x[i])", "column 1: .*k is not free"),
    ("max(A[i,j])", "column 1: .*along which index"),
    ("maximum(x[i])", "column 1: .*1 argument"),
    ("exp()", r"column 1: exp\(\) has no argument"),
    ("x^2", r"column 1: a power of what is no square matrix has two readings\n  instead: write x\*\*2 .*x'x"),
    ("A[i,j]'", "column 1: .*a transpose is matrix notation"),
    ("x[i] @ y[i]", "column 8: .*`@` is matrix notation"),
    ("u(x_i)", "column 3: an array is due here"),
    ('group(x, "i j -> i")', "column 10: the pattern 'i j -> i' does not fit 1 axis"),
    ('x + "i"', "column 5"),
    ("1/0", "column 3: a division by zero"),
    ("9**9**9**9", "column 4: a number too large"),
    ("1e999 x_i", "column 1: .*only finite numbers"),
    ("1" * 500, "column 1: a number of 500 digits"),
    ("(" * 400 + "s" + ")" * 400, r"column 301: more than 300 brackets.*\n  instead: name the inner parts first"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=lambda value: value[:20])
def test_wrong_text_is_told_where_and_what(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse(text, u=u, **KNOWN)


def test_wrong_declarations() -> None:
    with pytest.raises(NameRefused, match="exp"):
        parse("x[i]", exp="N")
    with pytest.raises(KindError, match="declares nothing"):
        parse("x[i]", x=object())
    with pytest.raises(KindError, match="text is a str"):
        parse(3)  # type: ignore[arg-type]
    with pytest.raises(ParseError, match="vectors"):
        parse("x[i]", x="N", vectors="columns")


def test_hostile_text_does_not_overflow_the_stack() -> None:
    assert parse("-" * 9_999 + "s", s="").node == (-s).node
    assert parse("s**" * 500 + "s", s="").order == 0
    assert str(parse("+".join(["s"] * 3_000), s="")).count("s") == 3_000
    assert parse("s" + "'" * 2_000, s="") == ic.scalar("s")


M, v = ic.tensor("A", "n n"), ic.tensor("x", "n")
POWERS = {
    "‖A^2 x‖": ic.norm2(M @ M @ v),
    r"\|A^2 x - b\|^2": ic.norm2(M @ M @ v - ic.tensor("b", "n")) ** 2,
    r"\|(A^2 + A) x\|": ic.norm2((M @ M + M) @ v),
    r"\|I - A^2\|_F": ic.normF(ic.eye("n") - M @ M),
    r"\|A^3 x\|_1": ic.norm1(ic.matrix_power(M, 3) @ v),
    "sum(A^2 x)": (M @ M @ v).sum(),
    "sum((A x)^2)": ((M @ v) ** 2).sum(),
    "‖x^2‖": ic.norm2(v**2),
}


@pytest.mark.parametrize("text", POWERS)
def test_a_power_of_a_matrix_that_has_one_meaning(text: str) -> None:
    assert ic.parse(text, A=M, x=v, b="n") == POWERS[text]


def test_letters_of_known_tensors_that_stand_alone() -> None:
    for text in (r"x + \epsilon", "x + eps", "x/(‖x‖ + ε)", r"\epsilon^2 x", r"\varepsilon_i x_i"):
        with pytest.raises(ic.ParseError, match=r"is not declared, and Levi-Civita.*\n.*eps=") as told:
            ic.parse(text, x="n")
        assert "function" not in str(told.value)
    with pytest.raises(ic.ParseError, match=r'Kronecker.*\n.*delta_=""'):
        ic.parse(r"x + \delta", x="n")
    eps, steps, delta = ic.scalar("eps"), ic.tensor("eps", "n"), ic.scalar("delta_")
    assert ic.parse(r"x + \epsilon", x=v, eps=eps) == ic.parse("x + ε", x=v, eps=eps) == v + eps
    assert ic.parse(r"\epsilon_i x_i", x=v, eps=steps) == steps @ v
    assert ic.parse(r"\delta x", x=v, delta_=delta) == delta * v
    assert ic.parse(r"\epsilon_{ijk} v_j w_k", v="3", w="3", eps=eps) == ic.parse("ε_ijk v_j w_k", v="3", w="3")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("where(u > 1/a, u, a)", "where(u > 1/a, u, a)"),
        ("atan2(u, a)", "atan2(u, a)"),
        ("logaddexp(u, a)", "logaddexp(u, a)"),
        ("maximum(1/a, u)", "maximum(1/a, u)"),
        ("minimum(u.T, 1/a)", "minimum(u.T, 1/a)"),
    ],
)
def test_a_dimension_is_an_argument_beside_an_array(text: str, shown: str) -> None:
    read = ic.parse(text, u="a")
    assert str(read) == shown or str(read) == shown.replace("u.T", "u")
    assert ic.parse(str(read), **read.declarations) == read == ic.parse(read.latex(), **read.declarations)
