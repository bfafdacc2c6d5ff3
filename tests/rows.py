"""What tests need of a row of the table: parameters, and its oracle in JAX, in double precision."""

from __future__ import annotations

import jax

from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.functions.table import ElementwiseFunction as Elementwise
from indexcalc.functions.table import MatrixFunction as Matrix
from indexcalc.functions.table import ReductionFunction as Reduction
from indexcalc.testing.programs.operations import PARAMETER
from indexcalc.testing.programs.reference import oracle

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

__all__ = ["PARAMETER", "Row", "of_matrices", "oracle", "params", "rows"]
Row = Elementwise | Reduction | Matrix


def rows() -> list[Row]:
    """All rows of the table."""
    return [*ELEMENTWISE.values(), *REDUCTIONS.values(), *MATRICES.values()]


def params(row: Row) -> tuple[int, ...]:
    """Parameters of the row."""
    return (PARAMETER,) * len(row.params)


def of_matrices(row: Row) -> bool:
    """Is it a function of matrices, along two axes?"""
    return isinstance(row, Matrix) or (isinstance(row, Reduction) and row.axes == 2)
