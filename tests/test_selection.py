"""Nothing that is not selected reaches a value or a derivative: choices, kinks, masks, and what lies under them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic
from indexcalc.graph.constructors import ONE, addition
from indexcalc.simplify.selection import is_condition

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

b, i = ic.index("b", batch=True), ic.index("i")
z, A, X, S = ic.tensor("z", "n"), ic.tensor("A", "m n"), ic.tensor("X", "N n"), ic.tensor("S", "n n")
AT = np.array([-1.0, 16.0, 0.0])
root: Callable[[Any], Any] = lambda x: ic.sqrt(ic.sqrt(x))  # noqa: E731


def everywhere(e: Any, names: Any, arrays: Any, expected: Any) -> None:
    """The value from `evaluate`, from compiled functions on every backend, and from source."""
    inputs = dict(zip([t.node.label for t in names], arrays, strict=True))
    found = [e.evaluate(**inputs)]
    found += [
        ic.compile(e, names, backend=backend)(*arrays) for backend in (None, "jax", "dask") if backend is not None
    ]
    found.append(ic.compile(e, names)(*arrays))
    space: dict[str, Any] = {}
    exec(ic.to_source(e, names, name="f"), space)
    found.append(space["f"](*arrays))
    for value in found:
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-12, atol=1e-300)


def test_the_selection_goes_with_the_product_to_its_end() -> None:
    e = ic.where(z > 0, root(z), 0).sum()
    everywhere(ic.grad(e, z), (z,), (AT,), [0, 1 / 32, 0])
    everywhere(ic.hessian(e, z), (z,), (AT,), np.diag([0, -3 / 16 * 16**-1.75, 0]))
    everywhere(ic.grad(ic.grad(e, z).sum(), z), (z,), (AT,), [0, -3 / 16 * 16**-1.75, 0])


def test_under_a_sum_a_batch_and_a_product_with_a_vector() -> None:
    v = ic.tensor("v", "n")
    everywhere(ic.vjp(ic.where(z > 0, root(z), 0), z, v), (z, v), (AT, np.ones(3)), [0, 1 / 32, 0])
    everywhere(ic.jvp(ic.where(z > 0, root(z), 0), z, v), (z, v), (AT, np.ones(3)), [0, 1 / 32, 0])
    rows = ic.where(X[b, i] > 0, root(X[b, i]), 0).sum(i)
    everywhere(rows.diff(X[b, i]), (X,), (np.stack([AT, -AT]),), [[0, 1 / 32, 0], [1 / 4, 0, 0]])


@pytest.mark.parametrize(
    ("e", "at", "expected"),
    [
        (ic.where(z < 100, ic.exp(z), z).sum(), [0.0, 1000.0], [1, 1]),
        (ic.where(z > 0, ic.log(z), 1 / (z - 1)).sum(), [2.0, 0.0], [0.5, -1]),
        (ic.where(z > 0, ic.log(z) * z, z**2).sum(), [1.0, -2.0], [1, -4]),
        ((ic.relu(ic.sqrt(z) - 1) ** 2).sum(), [4.0, 0.0], [0.5, 0]),
        ((ic.relu(ic.sqrt(z) - 1) ** 1.5).sum(), [4.0, 0.0], [0.375, 0]),
        (ic.maximum(ic.sqrt(z), 1).sum(), [4.0, 0.0], [0.25, 0]),
        (ic.minimum(ic.maximum(ic.sqrt(z), 1), 3).sum(), [4.0, 0.0], [0.25, 0]),
        (ic.max(ic.sqrt(z)), [4.0, 0.0], [0.25, 0]),
        (ic.min(-ic.sqrt(z)), [4.0, 0.0], [-0.25, 0]),
        (ic.where(z, 1 / z, 0).sum(), [4.0, 0.0], [-1 / 16, 0]),
        (ic.where(z > 0, 0, ic.log(-z)).sum(), [-4.0, 0.5], [-1 / 4, 0]),
        (((z > 0) * ic.log(z)).sum(), [4.0, -1.0], [1 / 4, 0]),
        (((1 - (z > 0)) / z).sum(), [4.0, -1.0], [0, -1]),
        (ic.where(z > 1, ic.sqrt(z), 0).sum() ** 2, [4.0, 0.0], [1, 0]),
    ],
    ids=str,
)  # fmt: skip
def test_a_branch_that_is_not_taken_counts_nowhere(e: Any, at: Any, expected: Any) -> None:
    everywhere(ic.grad(e, z), (z,), (np.asarray(at),), expected)


def test_what_lies_under_a_choice_and_runs_along_other_labels() -> None:
    """Every entry of u needs the root of every entry of z."""
    u, at = A @ ic.sqrt(z), np.array([1.0, 0.0, 4.0])
    for chosen in (ic.where(u > 9, ic.exp(u), 0), ic.relu(u - 9), ic.maximum(u, 9)):
        everywhere(ic.grad(chosen.sum(), z), (A, z), (np.ones((2, 3)), at), [0, 0, 0])
    partly = ic.grad(ic.where(z > 0, (A @ ic.log(z)).sum() * z, 0).sum(), z)
    value = partly.evaluate(A=np.ones((2, 3)), z=np.array([1.0, 2.0, 4.0]))
    at = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(value, 2 * np.log(at).sum() + 2 * at.sum() / at)


def test_rows_of_a_matrix_that_are_not_selected() -> None:
    """A row counts where its condition holds; what is infinite in another one does not reach it."""
    m, rows = ic.tensor("m", "N"), np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]])
    e = ic.where(m > 0, ic.log(X) @ z, 0)
    inputs = (np.array([1.0, -1.0]), rows, np.ones(3))
    everywhere(ic.grad(e.sum(), z), (m, X, z), inputs, np.log(rows[0]))
    everywhere(ic.grad(e.sum(), X), (m, X, z), inputs, [1 / rows[0], [0, 0, 0]])
    everywhere(ic.derivative(e, z), (m, X, z), inputs, [np.log(rows[0]), [0, 0, 0]])


def test_triangles_select() -> None:
    at = np.array([[1.0, 2.0], [0.0, 3.0]])
    everywhere(ic.triu(ic.log(S)).sum(), (S,), (at,), np.log(6))
    everywhere(ic.grad(ic.triu(ic.log(S)).sum(), S), (S,), (at,), [[1, 1 / 2], [0, 1 / 3]])
    everywhere(ic.grad(ic.tril(ic.sqrt(S), -1).sum(), S), (S,), (at.T,), [[0, 0], [1 / 2 / np.sqrt(2), 0]])


def test_against_jax_where_every_branch_is_finite() -> None:
    """To second order, with both conditions met: the same as of choices that JAX derives."""
    x = np.random.default_rng(0).uniform(-2, 2, 6)
    ours = ic.where(z > 0, ic.sin(z) * z, ic.exp(z)).sum() * ic.maximum(z, 0.3).sum()

    def theirs(z: Any) -> Any:
        return jnp.where(z > 0, jnp.sin(z) * z, jnp.exp(z)).sum() * jnp.maximum(z, 0.3).sum()

    np.testing.assert_allclose(ic.grad(ours, z).evaluate(z=x), jax.grad(theirs)(x), rtol=1e-12)
    np.testing.assert_allclose(ic.hessian(ours, z).evaluate(z=x), jax.hessian(theirs)(x), rtol=1e-12)


def test_the_condition_is_written_once() -> None:
    s = ic.scalar("s")
    assert str(ic.grad(ic.where(s > 0, ic.sqrt(s), 0), s)) == "(s > 0)/(2*sqrt(s))"
    assert str(ic.grad(ic.where(s > 0, s**2, s), s)) == "2*s*(s > 0) + (s <= 0)"
    assert str((s > 0) ** 2 * (s > 0)) != "(s > 0)" and ((s > 0) ** 2 * (s > 0)).simplify() == (s > 0)


def test_no_choice_no_cost() -> None:
    """A product whose factors are finite stays the product that it is."""
    from indexcalc.simplify.selection import select

    W = ic.tensor("W", "n m")
    D = ic.grad((ic.relu(X @ W) ** 2).sum(), W).node
    assert select([D]) == [D]


def test_values_come_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        everywhere(ic.where(z > 0, ic.log(z), 0), (z,), (np.array([-1.0, 0.0, 1.0]),), [0, 0, 0])


def test_a_sum_of_ones_is_no_condition() -> None:
    two = addition([(1, ONE, ()), (1, ONE, ())], ())
    assert not is_condition(two)
    assert is_condition((1 - (z > 0))[i].node)


COMPLEX = {
    "bounded": (lambda z: ic.exp(-(z**2)), 40j),
    "a pole": (ic.tanh, 1j * np.pi / 2),
    "overflows": (ic.sin, 800j),
    "a pole of its derivative": (ic.sigmoid, 1j * np.pi),
}
"""Functions that are finite at real numbers, and complex ones at which they are not."""


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "dask", "source"])
def test_what_is_finite_at_real_numbers_alone_is_chosen_beside_complex_ones(name: str, backend: str) -> None:
    f, where = COMPLEX[name]
    x, z = ic.tensor("x", "n"), ic.tensor("z", "n")
    slope = ic.grad(ic.where(x > 0, f(z), 0).sum(), z)
    xs, zs = np.array([-1.0, 2.0]), np.array([where, 1 + 1j])
    if backend == "source":
        space: dict[str, Any] = {}
        exec(ic.to_source(slope, (x, z)), space)
        made = space["program"](xs, zs)
    else:
        pytest.importorskip(backend)
        made = np.asarray(ic.compile(slope, (x, z), backend=backend)(xs, zs))
    alone = slope.evaluate(x=[2.0], z=[1 + 1j])
    np.testing.assert_allclose(made, [0, *alone], rtol=1e-5)


def test_a_sum_up_to_each_entry_meets_what_is_selected_alone() -> None:
    """It is a cumulative sum, forwards in values and backwards in gradients, and no array of pairs."""
    x = ic.tensor("x", "n")
    at = np.array([1.0, 2.0, -700.0, 3.0, 710.0])
    e = ic.log(ic.cumsum(ic.exp(x)))
    for view, wanted in (
        (e, lambda x: jnp.log(jnp.cumsum(jnp.exp(x)))),
        (ic.grad(e.sum(), x), jax.grad(lambda x: jnp.log(jnp.cumsum(jnp.exp(x))).sum())),
        (ic.grad((1 / ic.cumsum(x)).sum(), x), jax.grad(lambda x: (1 / jnp.cumsum(x)).sum())),
    ):
        plan = ic.compile(view, x, sizes={"n": 500}).plan
        assert "where" not in str(plan) and plan.peak_bytes < 10 * 8 * 500
        np.testing.assert_allclose(view.evaluate(x=at[:4]), wanted(at[:4]), rtol=1e-12)
    assert np.isinf(e.evaluate(x=[1.0, 800.0])[1]) and e.evaluate(x=[1.0, 800.0])[0] == 1
