"""Source takes integers, as the library does; and no result is a view of an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import indexcalc as ic

jax.config.update("jax_enable_x64", True)
x, A, X = ic.tensor("x", "n"), ic.tensor("A", "n n"), ic.tensor("X", "n m")
TALL = ic.tensor("X", 3, 2)
GIVEN = {
    "x": np.array([3, 1, 2]),
    "A": np.array([[5, 1, 0], [1, 6, 2], [0, 2, 7]]),
    "X": np.array([[1, 2], [3, 5], [2, 2]]),
}
MADE: dict[str, Any] = {
    "power": x**-2,
    "inverse": 1 / x,
    "root": x**0.5,
    "third": x / 3,
    "half": 0.5 * x + 1,
    "quotient": (x @ x) ** -2 * x,
    "mean": X.mean(),
    "exponent": 2**x,
    "rayleigh": ic.grad(x @ A @ x / (x @ x), x),
    "norm": ic.hessian(ic.norm2(x), x),
    "sigmoid": ic.grad(ic.softplus(X.T @ x).sum(), x),
    "softmax": ic.softmax(X, axis=1),
    "logsumexp": ic.logsumexp(x),
    "normp": ic.normp(x, 3),
    "polygamma": ic.polygamma(2, x),
    "inv": ic.inv(A) @ x,
    "cholesky": ic.cholesky(A),
    "svdvals": ic.svdvals(TALL),
    "nuclear": ic.norm_nuc(TALL),
    "erf": ic.erf(x),
    "gelu": ic.gelu(x),
    "gammaln": ic.gammaln(x),
    "sums": A @ x + 2 * x,
}
ARRAYS: dict[str, Callable[[Any], Any]] = {"numpy": lambda a: a, "jax": jnp.asarray, "torch": torch.as_tensor}


def function_of(e: ic.Array, target: str) -> tuple[Callable[..., Any], list[str]]:
    space: dict[str, Any] = {}
    exec(ic.to_source(e, e.variables, target=target), space)
    return space["program"], list(e.variables)


@pytest.mark.parametrize("target", ARRAYS)
@pytest.mark.parametrize("name", MADE)
def test_source_takes_integers(name: str, target: str) -> None:
    program, names = function_of(MADE[name], target)
    value = np.asarray(program(*(ARRAYS[target](GIVEN[own]) for own in names)))
    np.testing.assert_allclose(value, MADE[name].evaluate(**{own: GIVEN[own] for own in names}), rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", "torch"])
@pytest.mark.parametrize("name", ["norm", "softmax", "third"])
def test_floats_keep_their_precision(name: str, target: str) -> None:
    program, names = function_of(MADE[name], target)
    for dtype in ("float32", "complex64") if name == "third" else ("float32",):
        value = np.asarray(program(*(ARRAYS[target](GIVEN[own].astype(dtype)) for own in names)))
        assert value.dtype == dtype


def test_a_size_that_is_the_smaller_of_two_is_refused() -> None:
    """It was looked for without an end."""
    with pytest.raises(ic.DimensionError, match="min"):
        ic.to_source(ic.svdvals(X), (X,))


z, Z = ic.tensor("z", 4), ic.tensor("Z", 2, 2)
VIEWS = [
    Z, Z.T, Z + 0, Z[0], Z[:, 1], ic.diag(Z), ic.vec(Z), ic.vec(Z, order="C"), ic.vec(Z.T), ic.unvec(z, 2, 2),
    ic.unvec(z, 2, 2, order="C"), ic.unvec(ic.vec(Z), 2, 2).T, z[1:3], z[::-1], ic.column(z).T, Z[None],
]  # fmt: skip


@pytest.mark.parametrize("e", VIEWS, ids=str)
def test_no_result_is_a_view_of_an_input(e: ic.Array) -> None:
    """Who writes into a result changes no input."""
    (name,) = e.variables
    given = np.arange(4.0).reshape(4 if name == "z" else (2, 2))
    results = {"evaluate": e.evaluate({name: given})}
    for backend in ("numpy", "torch"):
        array = given if backend == "numpy" else torch.as_tensor(given)
        results[f"compile {backend}"] = ic.compile(e, (name,), backend=backend)(array)
        results[f"source {backend}"] = function_of(e, backend)[0](array)
    for how, value in results.items():
        assert not np.shares_memory(np.asarray(value), given), how
    both = ic.compile([e, e], (name,))(given)
    assert not np.shares_memory(*both)
