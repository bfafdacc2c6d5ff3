"""`.to_xarray`: numbers under the names of indices and dimensions, with the coordinates that stay theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import indexcalc as ic
from indexcalc.errors import IndexCalcError

c, y, k = ic.indices("c y k")
X, w = ic.tensor("X", "city year"), ic.tensor("w", "year")
NUMBERS = np.arange(6.0).reshape(2, 3)
CITIES, YEARS = ["Bern", "Oslo"], [2001, 2002, 2003]
GIVEN = xr.DataArray(NUMBERS.T, dims=("year", "city"), coords={"city": CITIES, "year": YEARS})
WEIGHTS = xr.DataArray([1.0, 2.0, 3.0], dims="year", coords={"year": YEARS})


def test_an_array_is_named_by_its_dimensions() -> None:
    made = (X @ w).to_xarray(X=GIVEN, w=WEIGHTS)
    xr.testing.assert_equal(made, xr.DataArray(NUMBERS @ [1, 2, 3], dims="city", coords={"city": CITIES}))
    made = (X.T * 2).to_xarray({X: GIVEN})
    xr.testing.assert_equal(made, 2 * GIVEN)
    assert float(X.sum().to_xarray(X=GIVEN)) == NUMBERS.sum()


def test_an_expr_is_named_by_its_indices() -> None:
    made = (X[c, y] * w[y]).diff(w[k]).to_xarray(X=GIVEN, w=WEIGHTS)
    assert made.dims == ("c", "k")
    assert made.coords["c"].values.tolist() == CITIES
    assert made.coords["k"].values.tolist() == YEARS
    np.testing.assert_array_equal(made, NUMBERS)


def test_a_result_is_an_input_again() -> None:
    made = X.to_xarray(X=GIVEN)
    xr.testing.assert_equal((X + 1).to_xarray(X=made), (X + 1).to_xarray(X=GIVEN))


def test_coordinates_are_those_of_the_dimension_of_the_tensor() -> None:
    T, v = ic.tensor("T", "n", 3), ic.tensor("v", "m")
    stress = xr.DataArray(np.ones((2, 3)), dims=("n", "m"), coords={"n": [1, 2], "m": [7, 8, 9]})
    made = ic.outer(T.sum(axis=1), v).to_xarray({T: stress, "v": [1.0, 2.0]})
    assert made.dims == ("n", "m")
    assert list(made.coords) == ["n"]


def test_dims_are_said() -> None:
    A = ic.tensor("A", "n n")
    made = (A @ A).to_xarray(A=np.eye(2), dims=("row", "column"))
    assert made.dims == ("row", "column")
    many = ic.tr(ic.eye("dims")) * ic.tensor("x", "n")
    np.testing.assert_array_equal(many.to_xarray(x=[1.0, 2.0], dims=3), [3, 6])


@pytest.mark.parametrize("e", [X[:, ::-1], X[:, 1:], ic.rearrange(X, "a b -> (b a)")], ids=str)
def test_coordinates_of_moved_axes_are_left_out(e: Any) -> None:
    made = e.to_xarray(X=GIVEN, dims=[f"axis{place}" for place in range(e.ndim)])
    assert not made.coords
    np.testing.assert_array_equal(made, e.evaluate(X=NUMBERS))


REFUSED: dict[str, tuple[Any, str]] = {
    "one name twice": (lambda: (X.T @ X).to_xarray(X=GIVEN), "2 axes are called year"),
    "no name": (lambda: ic.tensor("F", 3).to_xarray(F=[1, 2, 3]), "axis 0 is 3, which is no name"),
    "a size and no symbol": (lambda: X[:, 1:].to_xarray(X=GIVEN), "year - 1, which is no name"),
    "too few": (lambda: X.to_xarray(X=GIVEN, dims=["a"]), "for 2 axes"),
    "twice": (lambda: X.to_xarray(X=GIVEN, dims=["a", "a"]), "for 2 axes"),
    "no text": (lambda: X.to_xarray(X=GIVEN, dims=[1, 2]), "for 2 axes"),
    "other coordinates": (
        lambda: (X @ w).to_xarray(X=GIVEN, w=WEIGHTS.assign_coords(year=[2002, 2003, 2004])), "along year"),
    "missing input": (lambda: (X @ w).to_xarray(X=GIVEN), "missing input w"),
    "no table": (lambda: X.to_xarray([1]), "values is a dict"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_names_is_refused(name: str) -> None:
    call, words = REFUSED[name]
    with pytest.raises(IndexCalcError, match=words):
        call()
