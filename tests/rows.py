"""What tests need of a row of the table: parameters, arguments, and its oracle in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.functions.table import ElementwiseFunction as Elementwise
from indexcalc.functions.table import MatrixFunction as Matrix
from indexcalc.functions.table import ReductionFunction as Reduction

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

Row = Elementwise | Reduction | Matrix
PARAMETER = 3
"""The value of every parameter in tests: an order, a power, a norm."""


def rows() -> list[Row]:
    """All rows of the table."""
    return [*ELEMENTWISE.values(), *REDUCTIONS.values(), *MATRICES.values()]


def params(row: Row) -> tuple[int, ...]:
    """Parameters of the row."""
    return (PARAMETER,) * len(row.params)


def of_matrices(row: Row) -> bool:
    """Is it a function of matrices, along two axes?"""
    return isinstance(row, Matrix) or (isinstance(row, Reduction) and row.axes == 2)


def oracle(row: Row) -> Callable[..., Any]:
    """The row in JAX, called as its `numpy` is: arguments, the axes of a reduction, parameters."""
    names = ["x", "y", "z"][: row.arity] if isinstance(row, Elementwise) else ["x"]
    names += ["axes"] * (isinstance(row, Reduction) and not row.axes)
    text = f"lambda {', '.join([*names, *row.params])}: {row.oracle}"
    call: Callable[..., Any] = eval(text, {"jax": jax, "jnp": jnp, "np": np})
    if not (isinstance(row, Reduction) and row.axes):
        return call

    def along(x: Any, axes: tuple[int, ...], *values: Any) -> Any:
        result = call(jnp.moveaxis(x, axes, (-2, -1)), *values)
        return jnp.moveaxis(result, (-2, -1), axes) if result.ndim == x.ndim else result

    return along
