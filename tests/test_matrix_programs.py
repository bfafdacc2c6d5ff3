"""Random expressions in matrix notation: numbers and two derivatives against JAX, their texts, their closed forms."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrix_jax import NEAREST
from matrix_programs import Program, Twin
from programs import DRAWN
from truths import truth

import indexcalc as ic
from indexcalc.engine.bind.inputs import symbols_below

TOLERANCE = 1e-7
LARGEST = 1e5
"""Examples with larger numbers are left out: what cancels in them is not known to so many digits."""

Numbers = dict[str, np.ndarray]


def close(ours: Any, theirs: Any, scale: float) -> bool:
    """Equal to a relative tolerance, of the largest entry of all that is compared in an example."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.size == theirs.size, (ours.shape, theirs.shape)
    exists = np.isfinite(theirs)
    return bool(np.all(np.abs(ours.reshape(theirs.shape) - theirs)[exists] <= TOLERANCE * scale))


def numbers(array: ic.Array, values: Numbers, sizes: dict[str, int]) -> np.ndarray:
    """The numbers of an Array."""
    needed = {variable.label: values[variable.label] for variable in array.inputs}
    named = symbols_below([array.node, *array.inputs])
    return array.evaluate(needed, **{name: n for name, n in sizes.items() if name in named})


def reads_back(array: Any) -> None:
    """The text is read as an equal expression; a function of zeros, which no rule takes further, as one of its value.

    It prints as itself but for parentheses and the order in which equal parts stand, which is counted.
    """
    text = str(array)
    assert str(array) == text
    read = ic.parse(text, **array.declarations)
    if "zeros(" in text:
        assert array.equals(read), text
    else:
        assert read == array, text
    DRAWN["prints the same" if str(read) == text else "prints otherwise"] += 1


def closed_is_right(array: ic.Array, values: Numbers, sizes: dict[str, int], wanted: np.ndarray, scale: float) -> None:
    """The closed form, if there is one, has the same numbers, also with its parts named."""
    for define in (False, True):
        form = array.formula(define)
        if not form.closed:
            DRAWN["no closed form"] += 1
            return
        read = ic.parse(str(form), **array.declarations)
        assert close(numbers(read, values, sizes), wanted, scale), str(form)
    DRAWN["closed form"] += 1


def second_derivatives(twin: Twin, first: str, second: str, along: Any, across: Any) -> Any:
    """JAX's value, its derivative along one direction, and the derivative of that along another."""

    def slope(inner: Any) -> Any:
        return jax.jvp(lambda value: twin.run({**inner, first: value}), (inner[first],), (along,))[1]

    @jax.jit
    def run(inner: Any) -> Any:
        bend = jax.jvp(lambda value: slope({**inner, second: value}), (inner[second],), (across,))[1]
        return twin.run(inner), slope(inner), bend

    return run


def direction(program: Program, name: str, structure: str, draw: np.random.Generator, like: np.ndarray) -> Any:
    """A random direction, within the structure of the variable where the derivative is to be projected."""
    step = draw.normal(size=like.shape)
    return NEAREST[program.leaves[name].word](step) if structure == "projected" else step


def derivatives(program: Program, expr: ic.Array, by: ic.Array, also: ic.Array, structure: str) -> tuple[Any, Any]:
    """The first and the second derivative, of Arrays or by way of indices: what is free is free in both orders."""
    if expr.order == 0 and program.rng.random() < 0.7:
        return ic.grad(expr, by, structure=structure), ic.hessian(expr, by, also, structure=structure)
    if by is also:
        return ic.derivative(expr, by, structure=structure), ic.derivative(expr, by, 2, structure=structure)
    if structure != "free":
        slope = ic.derivative(expr, by, structure=structure)
        return slope, ic.derivative(slope, also, structure=structure)
    named, first, second = (_named(view, letter) for view, letter in ((expr, "i"), (by, "j"), (also, "k")))
    return ic.diff(named, first, structure=structure), ic.diff(named, first, second, structure=structure)


def _named(view: ic.Array, letter: str) -> Any:
    return view[ic.indices(" ".join(f"{letter}{k}" for k in range(view.order)))] if view.order else view


def check(seed: int) -> None:
    program = Program(seed)
    rng = program.rng
    twin = program.make(program.shape(), 1 + seed % 3)
    draw = np.random.default_rng(seed)
    values = {name: program.numbers(name, draw) for name in program.leaves}
    first, second = rng.choice(list(values)), rng.choice(list(values))
    linear = all(program.leaves[name].word in NEAREST for name in (first, second))
    structure = "projected" if linear else "free"
    along, across = (direction(program, name, structure, draw, values[name]) for name in (first, second))

    def in_jax() -> Any:
        oracle = second_derivatives(twin, first, second, along, across)
        return oracle({name: jnp.asarray(value) for name, value in values.items()})

    wanted = truth("matrix", seed, [twin.expr, first, second, along, across, *values.values()], in_jax)
    scale = max(1.0, *(np.max(np.abs(x), initial=0.0) for x in wanted))
    if not scale < LARGEST:
        DRAWN["left out"] += 1
        return
    expr = twin.expr
    slope, bend = derivatives(program, expr, program.leaves[first].expr, program.leaves[second].expr, structure)
    found = [numbers(one, values, program.sizes) for one in (expr, slope, bend)]
    rows = found[0].shape if expr.order != 1 else (found[0].size,)
    directed = found[1].reshape(-1, along.size) @ along.reshape(-1)
    twice = np.tensordot(found[2].reshape(-1, along.size, across.size), across.reshape(-1), 1) @ along.reshape(-1)
    assert close(found[0], wanted[0], scale), ("value", rows)
    assert close(directed, wanted[1], scale), "first derivative"
    assert close(twice, wanted[2], scale), "second derivative"
    DRAWN[f"{structure} by {program.leaves[first].word or 'plain'}"] += 1
    for array, value in zip((expr, slope, bend), found, strict=True):
        if array.order <= 4:
            reads_back(array)
        if array.order <= 4 and isinstance(array, ic.Array):
            closed_is_right(array, values, program.sizes, value, max(scale, np.max(np.abs(value), initial=0.0)))


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_random_expressions(seed: int) -> None:
    """Values and derivatives agree with JAX; every text reads back; every closed form has the same numbers."""
    check(seed)


# ------------------------------------------------------------------ what was wrong once


A, B, x = ic.tensor("A", "n n"), ic.tensor("B", "m", 2), ic.tensor("x", "n")
S, T = ic.tensor("S", "n n", symmetric=True), ic.tensor("T", "p n n")
u, w, s = ic.row("u", "n"), ic.row("w", "n"), ic.scalar("s")


@pytest.mark.parametrize("array", [ic.mean(B), ic.mean(ic.sin(B)) / 3, ic.mean(B.T @ B), ic.mean(B) ** 2 + ic.sum(B)])
def test_a_mean_over_an_integer_dimension(array):
    """A closed form that says `mean` takes the integer into the mean, too."""
    values = np.random.default_rng(0).normal(size=(3, 2))
    read = ic.parse(str(array), **array.declarations)
    assert np.allclose(read.evaluate(B=values), array.evaluate(B=values))
    assert str(ic.mean(B)) == "mean(B)"


def test_a_fraction_to_the_power_of_a_dimension():
    """It stands in parentheses: `(1/2)**n`."""
    reads_back(ic.derivative(ic.det(A / 2), A, 2))
    reads_back(ic.derivative(ic.det(ic.tanh(A) / 2), A, 2))


def test_numbers_leave_an_array_an_array():
    """`s**2 + 1` is in matrix notation where s is, so the whole prints in it again."""
    array = x @ A @ x / (s**2 + 1)
    read = ic.parse(str(array), **array.declarations)
    assert isinstance(read, ic.Array) and str(read) == str(array) == "x @ A @ x/(s**2 + 1)"
    assert isinstance(ic.parse("2*x[i]/(s**2 + 1)", x=x, s=s), ic.Expr)


def test_names_of_parts_stand_as_rows_do():
    """Where vectors are rows, the parts that a closed form names are rows as well."""
    for array in (ic.exp(-ic.tanh(s * (u**2 + 1) ** w)), ic.logsumexp(ic.log_softmax(ic.gammaln(u**2 + 1)))):
        slope = ic.derivative(array, u)
        read = ic.parse(str(slope.formula(define=True)), **slope.declarations)
        assert read == slope, slope.formula(define=True)


def test_a_power_whose_index_is_summed_under_an_arrow():
    """Base and exponent carry the index alike, in parentheses or not."""
    Q, R = ic.tensor("Q", "k n n"), ic.tensor("R", "k n n")
    reads_back(((1 + Q**2) ** R / (Q**2 + 1)).sum(axis=0))
    read = ic.parse("A[j,i]*(x[i]**2 + 1)**tanh({i: x[i]*x[i]}) -> [j]", A=A, x=x)
    assert read == A @ ic.Array.__pow__(x**2 + 1, ic.tanh(x * x))


def test_a_second_derivative_through_the_exponential_of_a_function():
    """What is gathered into one product may stand in a sum that a rewrite has made."""
    C = ic.tensor("C", 3, 3)
    slope = ic.derivative(s * ic.logdet(ic.tanh(ic.expm(ic.tanh(C) / 2)) / 2 + 3 * ic.eye(3)), C)
    bend = ic.derivative(slope, C)
    draw = np.random.default_rng(0)
    point, step = draw.uniform(-1, 1, (3, 3)), draw.normal(size=(3, 3))
    ahead, behind = (slope.evaluate(C=point + h * step, s=2.0) for h in (1e-5, -1e-5))
    assert np.allclose(np.tensordot(bend.evaluate(C=point, s=2.0), step), (ahead - behind) / 2e-5, atol=1e-8)


def test_diagonals_within_functions():
    """`f(X)[i,i]` and `f(X[i,i])` are one, for sums and reductions too, as deep as functions are nested."""
    assert ic.diag(ic.sin(A) + ic.exp(ic.tanh(A))) == ic.sin(ic.diag(A)) + ic.exp(ic.tanh(ic.diag(A)))
    assert ic.diag(ic.softmax(T, axis=0)[1]) == ic.softmax(ic.einsum("pii->pi", T), axis=0)[1]
    assert ic.diag(ic.softmax(A, axis=0)) != ic.softmax(ic.diag(A), axis=0)
    assert ic.diag(ic.tanh(ic.diagm(x))) == ic.tanh(x)
    assert ic.diag(ic.maximum(A, A.T)) == ic.maximum(ic.diag(A), ic.diag(A))
    whole, entries = A, ic.diag(A)
    for _ in range(40):
        whole, entries = ic.maximum(whole.T, ic.sin(whole)), ic.maximum(entries, ic.sin(entries))
    assert ic.diag(whole) == entries
    for array in (ic.tr(ic.sqrt(ic.softplus(ic.tanh(A)) + 1)), ic.sum(ic.softmax(T, axis=0)[0] * ic.eye("n"))):
        reads_back(ic.hessian(array, A if A.node in array.inputs else T))


def test_a_function_of_a_diagonal_is_turned_as_any_vector() -> None:
    """Its product with a vector is a number, and no outer product."""
    x, B = ic.tensor("x", "n"), ic.tensor("B", "m m")
    number = ic.diag(ic.sin(ic.tensor("A", "n n"))) @ x
    assert str(number) == "x @ sin(diag(A))"
    for made in (number, number * B, number**2 * B**2):
        assert ic.parse(str(made), **made.declarations) == made == ic.parse(made.latex(), **made.declarations)


def test_powers_of_a_diagonal_matrix():
    """A delta to a positive power is itself; to a negative one it is not."""
    assert ic.diagm(x) ** 2 == ic.diagm(x**2)
    reads_back(1 / (ic.diagm(x) ** 2 + 1))
    reads_back(1 / (ic.diagm(ic.diag(A)) ** 3 + 1))
    assert ic.diagm(x + 1) ** -1 != ic.diagm((x + 1) ** -1)


def test_symmetry_goes_through_softmax_and_multiples():
    """A softmax over all of a symmetric matrix is symmetric, that of its rows is not; twice an inverse is."""
    whole, rows = ic.softmax(S, axis=(0, 1)), ic.softmax(S, axis=1)
    assert whole == whole.T and rows != rows.T
    assert str(ic.grad(ic.logsumexp(ic.sym(A)), A)) == "softmax(sym(A))"
    turned = ic.tanh(ic.inv(ic.tanh(S) / 2 + 3 * ic.eye("n")))
    assert turned == turned.T and turned @ turned.T == turned @ turned


@pytest.mark.parametrize("stands", [ic.column, ic.row])
def test_a_kronecker_product_of_vectors_stands_as_they_do(stands):
    """Also where its parts are constants, or sums, that stand as nothing in particular."""
    a, b, c = stands("a", "n"), stands("b", "m"), stands("c", "n*m")
    parts = (a, b), (ic.exp(a), b), (stands(ic.unit(0, "n")), b), (stands(ic.unit(0, "n")), stands(ic.unit(1, "m")))
    for one, two in (*parts, (stands(ic.sum(A, axis=0)), b)):
        reads_back(ic.kron(one, two) / (c**2 + 1))
