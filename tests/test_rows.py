"""A function is one row: its columns say what its numbers do, and a row that is added is known everywhere.

The rows that are added at run time, one of each table, go through all that the library does with a function.
"""

from __future__ import annotations

import importlib.util
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from rows import Row, oracle, params, rows

import indexcalc as ic
from indexcalc.functions.code.text import MODULES
from indexcalc.functions.entry import apply
from indexcalc.functions.primary import primary
from indexcalc.functions.table import (
    ELEMENTWISE,
    MATRICES,
    NONZERO,
    REDUCTIONS,
    ElementwiseFunction,
    MatrixFunction,
    ReductionFunction,
)
from indexcalc.graph.constructors import einsum
from indexcalc.simplify.intervals import values
from indexcalc.views.functions import apply as public
from indexcalc.views.functions.decompositions import matrix_function

ROOT = Path(__file__).resolve().parent.parent
each_elementwise = pytest.mark.parametrize("row", ELEMENTWISE.values(), ids=lambda row: row.name)
each_reduction = pytest.mark.parametrize("row", REDUCTIONS.values(), ids=lambda row: row.name)
ENDS = np.asarray([0.0, -0.0, 1e-308, -1e-308, 1.0, -1.0, 800.0, -800.0, 1e308, -1e308, np.inf, -np.inf, np.nan])
"""Where functions overflow, divide by zero or have no value."""


def drawn(row: ElementwiseFunction, count: int = 400) -> list[Any]:
    """Arguments from the intervals of the row."""
    rng = np.random.default_rng(0)
    return [rng.uniform(*interval, count) for interval in row.inputs]


def slices(row: ReductionFunction) -> Any:
    """Arguments of a reduction: slices along two axes of one dimension."""
    return np.random.default_rng(0).uniform(*row.inputs, (50, 3, 3))


def reduced(row: ReductionFunction, x: Any) -> Any:
    """The values along the last two axes, or the last one, batches first."""
    return row.numpy(x, (2,) if row.axes == 1 else (1, 2), *params(row))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_value_is_an_array_of_its_own(n: int) -> None:
    """No function gives its argument back, or a part of it: compiled code writes over what nobody reads again."""
    rng = np.random.default_rng(0)
    for row in rows():
        for k in (1, 2, 3) if row.params else (0,):
            x, axes = [rng.uniform(0.2, 1, (n, n)) + 2 * np.eye(n)], ()
            if isinstance(row, ElementwiseFunction):
                x = [rng.uniform(*interval, (n, n)) for interval in row.inputs]
            elif isinstance(row, ReductionFunction):
                axes = ((0, 1) if row.axes == 2 else (1,),)
            value = row.numpy(*x, *axes, *(k,) * len(row.params))
            assert not any(np.shares_memory(value, one) for one in x), (row.name, k)


def test_a_first_power_beside_its_derivative() -> None:
    A = ic.tensor("A", 3, 3)
    power = ic.matrix_power(ic.tanh(A), "k")
    outputs = [power + power.T, ic.derivative(power + power.T, A)]
    x = np.random.default_rng(0).normal(size=(3, 3))
    for k in (1, 2):
        wanted = [view.evaluate(A=x, k=k) for view in outputs]
        for found in (ic.compile(outputs, A)(x, k=k), ic.compile(outputs, A)(x, k=k)):
            assert all(np.allclose(one, other) for one, other in zip(found, wanted, strict=True))
    scope: dict[str, Any] = {}
    exec(ic.to_source(ic.matrix_power(A, "k"), A), scope)
    assert not np.shares_memory(scope["program"](x, k=1), x)


# ------------------------------------------------------------------ facts: what a column says, the numbers say


def within(row: ElementwiseFunction | ReductionFunction, value: Any) -> None:
    """Do the values lie in the range of the row, without 0 where it says so?"""
    low, high = row.range
    assert (value >= low - 1e-12).all() and (value <= high + 1e-12).all()
    assert row.zero or (value != 0).all()


@each_elementwise
def test_values_lie_in_the_range(row: ElementwiseFunction) -> None:
    within(row, row.numpy(*drawn(row), *params(row)))


@each_reduction
def test_values_of_slices_lie_in_the_range(row: ReductionFunction) -> None:
    x = slices(row)
    value = reduced(row, x)
    within(row, value)
    if row.between:
        along = (2,) if row.axes == 1 else (1, 2)
        low, high = x.min(along, keepdims=row.keeps), x.max(along, keepdims=row.keeps)
        assert (low <= value).all() and (value <= high).all()
    if row.positive:
        assert (reduced(row, abs(x) + 0.1) > 0).all() and (reduced(row, np.maximum(x, 0)) >= 0).all()


@each_elementwise
def test_what_is_monotone_does_not_fall(row: ElementwiseFunction) -> None:
    args = drawn(row, 30)
    for k, (low, high) in enumerate(row.inputs):
        grid = np.linspace(low, high, 200)
        others = [grid[:, None] if k == n else arg[None, :] for n, arg in enumerate(args)]
        steps = np.diff(row.numpy(*others, *params(row)), axis=0)
        assert not row.monotone or (steps >= -1e-12).all()


@each_elementwise
def test_what_is_positive_of_positive_arguments(row: ElementwiseFunction) -> None:
    args = [abs(arg) + 1e-3 if high > 1 else np.minimum(abs(arg) + 1e-3, high)
            for arg, (_, high) in zip(drawn(row), row.inputs, strict=True)]  # fmt: skip
    value = row.numpy(*args, *params(row))
    assert not row.positive or (value > 0).all()


@each_elementwise
def test_what_is_commutative(row: ElementwiseFunction) -> None:
    if row.arity == 2:
        x, y = np.round(np.abs(drawn(row))) + 1
        assert np.array_equal(row.numpy(x, y), row.numpy(y, x), equal_nan=True) == row.commutative


@each_elementwise
def test_what_is_calm_never_warns(row: ElementwiseFunction) -> None:
    """And what is not does for some argument, so that no row misses the column."""
    warned = False
    for args in itertools.product(ENDS, repeat=row.arity):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            row.numpy(*[np.asarray([arg]) for arg in args], *params(row))
        warned = warned or bool(caught)
        if warned:
            break
    assert warned != row.calm


@each_elementwise
def test_what_is_holomorphic_has_complex_steps(row: ElementwiseFunction) -> None:
    """A function that is said to be holomorphic, and is not, has another derivative along an imaginary step."""
    if not row.holomorphic:
        return
    args = [
        arg if row.arity > 1 else np.concatenate([arg, -arg]) if row.inputs[0][0] < 0 else arg for arg in drawn(row)
    ]
    step = 1e-30
    for k, arg in enumerate(args):
        ahead = [arg + 1j * step if j == k else other + 0j for j, other in enumerate(args)]
        slopes = np.imag(row.numpy(*ahead, *params(row))) / step
        h = 1e-6 * np.maximum(1, abs(arg))
        one, other = ([x + s * h if j == k else x for j, x in enumerate(args)] for s in (1, -1))
        differences = (row.numpy(*one, *params(row)) - row.numpy(*other, *params(row))) / (2 * h)
        np.testing.assert_allclose(slopes, differences, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", [row for row in rows() if getattr(row, "out", False)], ids=lambda row: row.name)
def test_what_takes_out_may_write_over_its_argument(row: Any) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3))
    params = [0 for _ in row.params]
    axes = () if isinstance(row, ElementwiseFunction) else ((0, 1) if row.axes == 2 else (1,),)
    expected, over = row.numpy(x, *axes, *params), x.copy()
    assert row.numpy(over, *axes, *params, out=over) is over and np.array_equal(over, expected)


@pytest.mark.parametrize("row", [row for row in ELEMENTWISE.values() if row.python], ids=lambda row: row.name)
def test_what_python_has(row: ElementwiseFunction) -> None:
    text = f"math.{row.python}(x)" if row.python.isidentifier() else f"x {row.python} y"
    for args in zip(*drawn(row, 20), strict=True):
        value = eval(text, {"math": __import__("math"), **dict(zip("xy", map(float, args), strict=False))})
        np.testing.assert_allclose(value, row.numpy(*map(np.asarray, args)), rtol=1e-13)


@pytest.mark.parametrize("row", [row for row in REDUCTIONS.values() if row.axes != 1], ids=lambda row: row.name)
def test_what_the_number_of_axes_says(row: ReductionFunction) -> None:
    x = slices(row)
    value, turned = reduced(row, x), reduced(row, x.swapaxes(1, 2))
    np.testing.assert_allclose(turned, value.swapaxes(1, 2) if row.keeps else value, rtol=1e-9, atol=1e-12)
    if row.of_sets:
        flat = row.numpy(x.reshape(50, 9)[:, ::-1], (1,), *params(row))
        np.testing.assert_allclose(flat, value, rtol=1e-12)


@pytest.mark.parametrize("row", [row for row in REDUCTIONS.values() if row.opened], ids=lambda row: row.name)
def test_what_opens_a_product(row: ReductionFunction) -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 20, 3, 3))
    one, other, both = (reduced(row, x) for x in (a, b, a @ b))
    made = other @ one if row.keeps else one + other if row.name.startswith("log") else one * other
    np.testing.assert_allclose(both, made, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("row", [row for row in rows() if getattr(row, "together", None)], ids=lambda row: row.name)
def test_what_comes_together(row: Any) -> None:
    x = np.random.default_rng(0).standard_normal((3, 3))
    alone = isinstance(row, ReductionFunction) and row.axes != 2
    made = row.together(x, (0,), (row.name,)) if alone else row.together(x, (row.name,))
    expected = row.numpy(x) if isinstance(row, ElementwiseFunction) else row.numpy(x, (0,) if alone else (0, 1))
    np.testing.assert_allclose(made[0], expected, rtol=1e-12)


# ------------------------------------------------------------------ rows that are added


SOFTSIGN = ElementwiseFunction(
    "softsign", "x/(1 + |x|)", lambda x: x / (1 + np.abs(x)), (lambda x, y: (1 + apply("abs", x)) ** -2,),
    r"\operatorname{{softsign}}\left({}\right)", "definition", inputs=(NONZERO,), holomorphic=False,
    kink="the derivative at 0 is 1", range=(-1.0, 1.0), monotone=True, positive=True,
    code="{0} / (1 + {np}.abs({0}))", oracle="jax.nn.soft_sign(x)",
)  # fmt: skip
ENERGY = ReductionFunction(
    "energy", "half the sum of x_a**2", lambda x, axes: (x * x).sum(axis=axes) / 2, lambda s: s.x, False,
    r"\operatorname{{energy}}_{{{axes}}}\left({}\right)", "definition", range=(0.0, np.inf), positive=True,
    code="{np}.sum({x}**2, {axes}) / 2", oracle="jnp.sum(x**2, axes) / 2",
)  # fmt: skip
CUBE = MatrixFunction(
    "cube", "the third power of a matrix", lambda x: x @ x @ x, r"\operatorname{{cube}}\left({}\right)", "definition",
    slope=lambda x, params: einsum(3, [(primary("matrix_power", x, (2,)), range(x.order))], range(x.order)),
    turned=True, code="{x} @ {x} @ {x}", oracle="x @ x @ x",
)  # fmt: skip
ADDED: list[Row] = [SOFTSIGN, ENERGY, CUBE]


@pytest.fixture(params=ADDED, ids=lambda row: row.name)
def row(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Row]:
    """A row that the table gets for one test, and the function that the package makes of it."""
    added: Row = request.param
    table, made = {
        ElementwiseFunction: (ELEMENTWISE, public.elementwise_function),
        ReductionFunction: (REDUCTIONS, public.reduction_function),
        MatrixFunction: (MATRICES, matrix_function),
    }[type(added)]
    monkeypatch.setitem(table, added.name, added)  # type: ignore[arg-type]
    for functions in (public.FUNCTIONS, public.WRITTEN):
        monkeypatch.setitem(functions, added.name, made(added.name))
    return added


X = ic.tensor("X", "n n")
GIVEN = np.random.default_rng(0).uniform(0.3, 2.0, (3, 3))


def value_of(row: Row) -> Any:
    """The function of an Array, along its columns if it is a reduction."""
    called = public.FUNCTIONS[row.name]
    return called(X, axis=1) if isinstance(row, ReductionFunction) else called(X)


def in_jax(row: Row) -> Callable[[Any], Any]:
    """The same by the oracle."""
    call = oracle(row)
    return (lambda x: call(x, (1,))) if isinstance(row, ReductionFunction) else call


def close(value: Any, expected: Any) -> None:
    """Are these numbers equal?"""
    np.testing.assert_allclose(np.asarray(value), np.asarray(expected), rtol=1e-9, atol=1e-11)


def test_an_added_row_is_read_and_written(row: Row) -> None:
    y = value_of(row)
    assert row.name in str(y) and ic.parse(str(y), X=X) == y
    assert row.latex.split("{{")[1].split("}}")[0] in y.latex()
    i, j = ic.indices("i j")
    indexed = y[i, j] if y.ndim == 2 else y[i]
    assert ic.parse(str(indexed), X=X) == indexed
    assert row.latex.split("{{")[1].split("}}")[0] in indexed.latex()
    with pytest.raises(ic.NameRefused, match=row.name):
        ic.tensor(row.name, "n")


def test_an_added_row_has_derivatives(row: Row) -> None:
    y, f = value_of(row), in_jax(row)
    first = ic.derivative(y, X)
    close(y.evaluate(X=GIVEN), f(jnp.asarray(GIVEN)))
    close(first.evaluate(X=GIVEN), jax.jacfwd(f)(jnp.asarray(GIVEN)))
    close(ic.derivative(first, X).evaluate(X=GIVEN), jax.jacfwd(jax.jacfwd(f))(jnp.asarray(GIVEN)))
    assert ic.verify(first)


@pytest.mark.parametrize("target", MODULES)
def test_an_added_row_runs_everywhere(row: Row, target: str) -> None:
    y = value_of(row)
    gradient = ic.derivative(y, X)
    for view in (y, gradient):
        expected = view.evaluate(X=GIVEN)
        array = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.tensor}[target](GIVEN)
        close(ic.compile(view, (X,), backend=target)(array), expected)
        space: dict[str, Any] = {}
        exec(ic.to_source(view, (X,), target=target, name="made"), space)
        close(space["made"](array), expected)


def test_an_added_row_is_judged_and_explained(row: Row) -> None:
    y = value_of(row)
    total = y.sum()
    D = ic.grad(total, X)
    assert ic.check(str(D), D)
    assert not ic.check(f"2*({D})", D)
    assert row.name in str(ic.explain(total, X))


def rerun(page: str) -> str:
    """The page with what its sessions print, by `docs/rerun.py`."""
    spec = importlib.util.spec_from_file_location("rerun", ROOT / "docs" / "rerun.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made: str = tool.rerun(page)
    return made


PAGE = (ROOT / "docs" / "functions.md").read_text("utf-8")


def test_the_page_of_functions_is_that_of_the_table() -> None:
    assert rerun(PAGE) == PAGE, "python docs/rerun.py docs/functions.md writes it"


def test_an_added_row_is_on_the_page_of_functions(row: Row) -> None:
    """The page is run, and nothing of it is mended by hand."""
    made, line = rerun(PAGE), f"{row.name}: {row.formula}; {row.domain}"
    assert f"{line}\n" in made and made != PAGE


def test_an_added_row_has_its_signs(row: Row) -> None:
    low, high, _ = values(value_of(row).node)
    if not isinstance(row, MatrixFunction):
        assert (low, high) == row.range
        r = ic.tensor("r", "n n", positive=True)
        y = public.FUNCTIONS[row.name](r)
        assert ic.abs(y) == y
