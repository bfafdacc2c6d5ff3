"""Layouts: each against its definition, with NumPy, from the Jacobian that JAX computes."""

from __future__ import annotations

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic
from indexcalc.layout.conventions import CONVENTIONS

i, j, k, p, q, r = ic.indices("i j k p q r")
rng = np.random.default_rng(0)
VALUES = {
    "s": np.float64(0.7),
    "x": rng.normal(size=3),
    "X": rng.normal(size=(3, 2)),
    "a": rng.normal(size=2),
    "A": rng.normal(size=(4, 3)),
    "B": rng.normal(size=(2, 5)),
}
s, x, X = ic.scalar("s"), ic.tensor("x", "n"), ic.tensor("X", "n m")
a, A, B = ic.tensor("a", "m"), ic.tensor("A", "g n"), ic.tensor("B", "m h")
VARIABLES = {0: s, 1: x, 2: X}
NUMBERS = {0: VALUES["s"], 1: VALUES["x"], 2: VALUES["X"]}


def numbers(view):
    return np.asarray(view.evaluate({v.label: VALUES[v.label] for v in view.inputs}))


def close(ours, expected):
    ours, expected = np.asarray(ours), np.asarray(expected)
    assert ours.shape == expected.shape, (ours.shape, expected.shape)
    return np.allclose(ours, expected, rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------ nine derivatives, in both notations

VALUE = {
    0: lambda s, x, X: jnp.sin(s) * (x @ x) + jnp.sum(X**3) * s + VALUES["A"].sum(0) @ X @ VALUES["a"],
    1: lambda s, x, X: jnp.sin(VALUES["A"] @ x) * s**2 + VALUES["A"] @ X @ VALUES["a"],
    2: lambda s, x, X: (
        jnp.outer(jnp.sin(VALUES["A"] @ x), VALUES["a"] @ VALUES["B"]) * s + VALUES["A"] @ jnp.tanh(X) @ VALUES["B"]
    ),
}

ARRAYS = {
    0: ic.sin(s) * (x @ x) + (X**3).sum() * s + A.sum(axis=0) @ X @ a,
    1: ic.sin(A @ x) * s**2 + A @ X @ a,
    2: ic.einsum("i,j->ij", ic.sin(A @ x), a @ B) * s + A @ ic.tanh(X) @ B,
}

EXPRS = {
    0: ic.sin(s) * x[i] * x[i] + (X[i, j] ** 3).sum(i, j) * s + A[k, i] * X[i, j] * a[j] * ic.ones(k),
    1: ic.sin(A[i, k] * x[k]) * s**2 + A[i, p] * X[p, q] * a[q],
    2: ic.sin(A[i, k] * x[k]) * a[p] * B[p, j] * s + A[i, p] * ic.tanh(X[p, q]) * B[q, j],
}
FREE = {0: (), 1: (i,), 2: (i, j)}
NEW = {0: (), 1: (ic.index("u"),), 2: ic.indices("u v")}
ORDERS = list(itertools.product((0, 1, 2), repeat=2))
each = pytest.mark.parametrize(("top", "bottom"), ORDERS, ids=lambda order: ["scalar", "vector", "matrix"][order])


def jacobian(top, bottom):
    """JAX's Jacobian: axes of the value, then of the variable."""
    return np.asarray(jax.jacobian(VALUE[top], bottom)(*NUMBERS.values()))


def expr_derivative(top, bottom):
    variable = VARIABLES[bottom]
    return EXPRS[top].diff(variable[NEW[bottom]] if bottom else variable)


def views(top, bottom):
    return [ic.derivative(ARRAYS[top], VARIABLES[bottom]), expr_derivative(top, bottom)]


def numerator(J, top, bottom):
    """Contract, section 8: the axes of the numerator, then those of the denominator reversed.

    Two of them are rows and columns; one alone is a column if it comes from the numerator, a row if from the
    denominator.
    """
    J = np.transpose(J, (*range(top), *range(top, top + bottom)[::-1]))
    if top + bottom == 2:
        return J
    assert top + bottom < 2
    return J.reshape((-1, 1) if top else (1, -1))


def vec(array):
    """Column by column: the first index runs fastest."""
    return array.reshape(-1, order="F")


def magnus(J, top, bottom):
    """`∂ vec Y / ∂ (vec X)'`: entry (a, b) is the derivative of entry a of vec Y by entry b of vec X."""
    rows = J.shape[:top]
    flat = np.array([vec(J[place]) for place in np.ndindex(*rows)]).reshape(*rows, -1)
    return np.array([vec(flat[..., column]) for column in range(flat.shape[-1])]).T


EXPECTED = {
    "numerator": lambda J, top, bottom: numerator(J, top, bottom),
    "denominator": lambda J, top, bottom: numerator(J, top, bottom).T,
    "mixed": lambda J, top, bottom: numerator(J, top, bottom).T if top == 0 else numerator(J, top, bottom),
    "cookbook": lambda J, top, bottom: numerator(J, top, bottom).T if top == 0 else numerator(J, top, bottom),
    "gradient": lambda J, top, bottom: J,
    "jax": lambda J, top, bottom: J,
    "tensor": lambda J, top, bottom: J,
    "magnus-neudecker": magnus,
}
MATRICES = ("numerator", "denominator", "mixed", "cookbook")


def test_every_convention_is_tested():
    assert set(EXPECTED) <= set(CONVENTIONS)


@each
@pytest.mark.parametrize("name", EXPECTED)
def test_a_layout_is_its_definition(name, top, bottom):
    J = jacobian(top, bottom)
    for D in views(top, bottom):
        assert close(numbers(D.layout("jax")), J), "the derivative itself"
        if name in MATRICES and top + bottom > 2:
            with pytest.raises(ic.LayoutError):
                D.layout(name)
        elif name == "gradient" and top:
            with pytest.raises(ic.LayoutError) as caught:
                D.layout(name)
            assert "of a scalar" in caught.value.found and "jax" in caught.value.instead
        else:
            made = D.layout(name)
            assert close(numbers(made), EXPECTED[name](J, top, bottom))
            assert made.note == "" and made.convention == name


def test_shapes_that_the_books_know():
    """Scalar by vector 1×n; vector by scalar m×1; scalar by matrix like Xᵀ; matrix by scalar like Y."""
    shapes = {
        (top, bottom): views(top, bottom)[0].layout("numerator").shape for top, bottom in ORDERS if top + bottom <= 2
    }
    n, m, g, h = X.shape[0], X.shape[1], A.shape[0], B.shape[1]
    assert shapes == {(0, 0): (1, 1), (0, 1): (1, n), (1, 0): (g, 1), (0, 2): (m, n), (2, 0): (g, h), (1, 1): (g, n)}


# ------------------------------------------------------------------ second derivatives


def second(name, H, top, first, last):
    """The derivative of the first derivative: its numerator has the axes of y and of the first variable."""
    return EXPECTED[name](H, top + first, last)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 0), (0, 1), (0, 0), (1, 2), (2, 2)])
def test_second_derivatives_of_a_scalar(first, last):
    H = np.asarray(jax.jacobian(jax.jacobian(VALUE[0], first), last)(*NUMBERS.values()))
    arrays = ic.hessian(ARRAYS[0], VARIABLES[first], VARIABLES[last])
    two = {0: (), 1: (p,), 2: (p, q)}[last]
    exprs = expr_derivative(0, first).diff(VARIABLES[last][two] if last else VARIABLES[last])
    for D in (arrays, exprs):
        assert close(numbers(D.layout("jax")), H)
        assert close(numbers(D.layout("magnus-neudecker")), second("magnus-neudecker", H, 0, first, last))
        for name in ("numerator", "denominator"):
            if first + last <= 2:
                assert close(numbers(D.layout(name)), second(name, H, 0, first, last))
            else:
                with pytest.raises(ic.LayoutError):
                    D.layout(name)


def test_a_hessian_has_rows_from_the_first_variable():
    y = ic.tensor("y", "m")
    D = ic.hessian(x @ X @ y, x, y)
    VALUES["y"] = VALUES["a"]
    assert close(numbers(D.layout("numerator")), VALUES["X"]) and close(numbers(D.layout("denominator")), VALUES["X"].T)
    assert close(numbers((x[i] * X[i, j] * y[j]).diff(x[p], y[q]).layout("numerator")), VALUES["X"])


# ------------------------------------------------------------------ axes of dimension 1


def test_declared_unit_axes_are_dropped_and_the_result_says_so():
    R, C = ic.tensor("R", 1, 3), ic.tensor("C", 3, 2)
    given = {"R": rng.normal(size=(1, 3)), "C": rng.normal(size=(3, 2))}
    D = ic.derivative(ic.sin(R @ C), R)
    J = np.asarray(jax.jacobian(lambda v: jnp.sin(v @ given["C"]))(given["R"]))
    made = D.layout("numerator")
    assert close(made.evaluate(given), J[0, :, 0, :]) and "dimension 1 dropped" in made.note
    assert close(D.layout("denominator").evaluate(given), J[0, :, 0, :].T)
    assert close(D.layout("jax").evaluate(given), J) and D.layout("jax").note == ""
    u, v = ic.indices("u v")
    D = ic.sin(R[i, k] * C[k, j]).diff(R[u, v])
    assert close(D.layout("mixed").evaluate(given), J[0, :, 0, :]) and "i, u" in D.layout("mixed").note


def test_a_symbol_is_not_dropped():
    D = ic.derivative(ic.tensor("R", "one 3") @ ic.tensor("C", 3, 2), ic.tensor("R", "one 3"))
    with pytest.raises(ic.LayoutError):
        D.layout("numerator")


# ------------------------------------------------------------------ any grouping


def flattened(J, rows, cols, order):
    """Rows run over some axes, columns over others, the first of a group fastest (F) or last (C)."""
    moved = np.transpose(J, (*rows, *cols))
    height = int(np.prod(moved.shape[: len(rows)]))
    made = np.empty((height, moved.size // height))
    for place in np.ndindex(*moved.shape):
        at = []
        for group in (range(len(rows)), range(len(rows), moved.ndim)):
            number, step = 0, 1
            for axis in group if order == "F" else reversed(group):
                number += step * place[axis]
                step *= moved.shape[axis]
            at.append(number)
        made[tuple(at)] = moved[place]
    return made


@pytest.mark.parametrize("order", ["F", "C"])
def test_every_grouping_of_a_matrix_by_a_matrix(order):
    J = jacobian(2, 2)
    D, E = views(2, 2)
    names = (*FREE[2], *NEW[2])
    for axes in itertools.permutations(range(4)):
        for cut in range(5):
            rows, cols = axes[:cut], axes[cut:]
            expected = flattened(J, rows, cols, order)
            assert close(numbers(D.matrix(rows=rows, cols=cols, order=order)), expected)
            named = [tuple(names[axis] for axis in group) for group in (rows, cols)]
            assert close(numbers(E.matrix(rows=named[0], cols=named[1], order=order)), expected)


def test_magnus_neudecker_is_a_grouping():
    D, E = views(2, 2)
    assert D.layout("magnus-neudecker") == D.matrix(rows=(0, 1), cols=(2, 3), order="F")
    u, v = NEW[2]
    assert E.layout("magnus-neudecker") == E.matrix(rows=(i, j), cols=(u, v), order="F")


def test_a_plain_expression_has_a_matrix_too():
    assert (A[i, j] * x[k]).matrix(rows=(i,), cols=(k, j), order="C").shape == (A.shape[0], X.shape[0] * X.shape[0])
    assert A[i, j].matrix(rows=j, cols=i) == A.T and A.matrix(rows=[1], cols=[0]) == A.T
    assert close(numbers((2 * x).matrix(rows=(0,), cols=())), 2 * VALUES["x"][:, None])
    assert close(numbers(x[i].matrix(rows=(), cols=(i,))), VALUES["x"][None])
    assert x[i].diff(x[j]).array(j, i).shape == (x.shape[0],) * 2


# ------------------------------------------------------------------ errors


def test_too_many_axes_offers_the_choices():
    for D, shown in zip(views(2, 1), ((0, 1, 2), ("i", "j", "u")), strict=True):
        for name in MATRICES:
            with pytest.raises(ic.LayoutError) as caught:
                D.layout(name)
            error = caught.value
            assert isinstance(error, ValueError) and name in error.asked
            assert "3 axes" in error.found and all(str(axis) in error.found for axis in shown)
            for choice in (
                '.layout("jax")',
                "magnus-neudecker",
                ".matrix(rows=",
                'order="F"',
                "stack blocks",
                "ic.vjp",
            ):
                assert choice in error.instead


def test_the_offered_matrix_is_right_to_write():
    """What the error offers works when it is typed."""
    u, v = NEW[2]
    for D in views(2, 2):
        with pytest.raises(ic.LayoutError) as caught:
            D.layout("numerator")
        (call,) = re.findall(r'\.matrix\(.*order="F"\)', caught.value.instead)
        assert eval(f"D{call}", {"D": D, "i": i, "j": j, "u": u, "v": v}) == D.layout("magnus-neudecker")


MISUSES = [
    (lambda D: D.layout("numerater"), "'numerater'", "no convention", "'numerator'"),
    (lambda D: D.matrix(rows=(0,), cols=(1,), order="F"), "matrix", "2 is missing", "rows or to cols"),
    (lambda D: D.matrix(rows=(0, 1), cols=(2,)), "matrix", "two orders", 'order="F"'),
    (lambda D: D.matrix(rows=(0, 0), cols=(1, 2), order="C"), "matrix", "0 stands twice", "once"),
    (lambda D: D.matrix(rows=(0, 3), cols=(1, 2), order="C"), "matrix", "3 is none of its axes (0, 1, 2)", ""),
    (lambda D: D.matrix(rows=(0, 1), cols=(2,), order="fortran"), "matrix", "'fortran' is not known", '"F"'),
]


@pytest.mark.parametrize(("misuse", "asked", "found", "instead"), MISUSES)
def test_misuses(misuse, asked, found, instead):
    with pytest.raises(ic.LayoutError) as caught:
        misuse(ic.derivative(ARRAYS[1], X))
    error = caught.value
    assert asked in error.asked and found in error.found and instead in error.instead


def test_misuses_with_names():
    E = expr_derivative(1, 2)
    u, v = NEW[2]
    for misuse, found in [
        (lambda: E.matrix(rows=(i,), cols=(u,)), "v is missing"),
        (lambda: E.matrix(rows=(i, u), cols=(v,)), "two orders"),
        (lambda: E.matrix(rows=(i, u), cols=(v, u), order="F"), "u stands twice"),
        (lambda: E.matrix(rows=(i, k), cols=(u, v), order="F"), "k is none"),
        (lambda: (E + 0).layout("jax"), "no derivative"),
    ]:
        with pytest.raises(ic.LayoutError) as caught:
            misuse()
        assert found in caught.value.found
