"""Inputs whose axes have names, as those of xarray: placed by the names of the tensor's dimensions, or refused."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import indexcalc as ic

X, w, T = ic.tensor("X", "n m"), ic.tensor("w", "m"), ic.tensor("T", "n", 3)
A, C = ic.tensor("A", "n n"), ic.tensor("C", 2, 3)
NUMBERS = np.arange(6.0).reshape(2, 3)


class Named:
    """An array whose axes have names, and no more than that."""

    def __init__(self, values: Any, dims: tuple[Any, ...]) -> None:
        self.values, self.dims = values, dims


def made(values: Any, dims: tuple[Any, ...]) -> list[Any]:
    """Arrays with named axes: one that only has the attributes, and xarray's where it is installed."""
    if find_spec("xarray") is None:
        return [Named(values, dims)]
    xarray = pytest.importorskip("xarray", reason="a class of our own stands for its arrays in the other tests")
    return [Named(values, dims), xarray.DataArray(values, dims=dims)]


def run(route: str, e: Any, inputs: tuple[Any, ...], values: list[Any]) -> Any:
    """The value of an expression, computed in one of the ways."""
    named = {tensor.node.label: value for tensor, value in zip(inputs, values, strict=True)}
    if route == "evaluate":
        return e.evaluate(named)
    if route == "compressed":
        return e.compressed(named).todense()
    return np.asarray(ic.compile(e, inputs, backend=route)(*values))


ROUTES = ("evaluate", "compressed", "numpy", "jax", "torch", "dask")


@pytest.mark.parametrize("route", ROUTES)
def test_axes_are_placed_by_their_names(route: str) -> None:
    vector = np.array([1.0, 2.0, 3.0])
    for turned, straight in zip(made(NUMBERS.T, ("m", "n")), made(NUMBERS, ("n", "m")), strict=True):
        for matrix in (turned, straight):
            for b in (vector, *made(vector, ("m",))):
                np.testing.assert_allclose(run(route, X @ w, (X, w), [matrix, b]), NUMBERS @ vector)


@pytest.mark.parametrize("route", ROUTES)
def test_one_axis_without_a_symbol_takes_the_name_that_is_left(route: str) -> None:
    for turned in made(NUMBERS.T, ("space", "n")):
        np.testing.assert_allclose(run(route, 2 * T, (T,), [turned]), 2 * NUMBERS)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("tensor", "dims", "values", "word"),
    [
        (X, ("n", "time"), NUMBERS, "m is missing"),
        (X, ("n",), NUMBERS[:, 0], "give it 2 axes"),
        (A, ("n", "n_"), np.eye(2), "n names two axes"),
        (C, ("a", "b"), NUMBERS, "which of a, b is which"),
    ],
)
def test_what_names_do_not_tell_is_refused(route: str, tensor: Any, dims: Any, values: Any, word: str) -> None:
    for value in made(values, dims):
        with pytest.raises(ic.InputError, match=word):
            run(route, 2 * tensor, (tensor,), [value])


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "dask"])
def test_each_call_is_placed_anew(backend: str) -> None:
    """A square array, straight and turned, has one shape: what was made for the one is no good for the other."""
    f = ic.compile(X @ ic.ones("m"), (X,), backend=backend)
    square = np.array([[1.0, 2.0], [3.0, 4.0]])
    for value, sums in [(square, [3, 7]), *((v, [3, 7]) for v in made(square, ("n", "m"))),
                        *((v, [4, 6]) for v in made(square, ("m", "n"))), (square, [3, 7])]:  # fmt: skip
        np.testing.assert_allclose(np.asarray(f(value)), sums)


def test_values_of_functions_and_numbers_to_check_are_told_by_place() -> None:
    u = ic.function("u", "m -> m")
    for value in made(np.ones(3), ("m",)):
        with pytest.raises(ic.InputError, match=r"give \.values"):
            u(w).evaluate(w=np.ones(3), u=lambda _, value=value: value)
        with pytest.raises(ic.InputError, match=r"give \.values"):
            ic.check(value, ic.grad(w @ w, w), at={"w": np.ones(3)})


def test_a_masked_array_is_refused_within_another_too() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    for value in (masked, Named(masked, ("m",))):
        with pytest.raises(ic.InputError, match="mask"):
            (2 * w).evaluate(w=value)
