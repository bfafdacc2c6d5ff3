"""Functions along axes and of whole matrices as lines of NumPy, wherever their axes are stored.

They are in closed form where many small matrices have one.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.emit.numpy.function import of_nothing, regular
from indexcalc.engine.emit.numpy.kernels import viewed
from indexcalc.engine.emit.numpy.lines import NumpyLines
from indexcalc.engine.program import Apply, Reduce, Solve
from indexcalc.errors import InputError
from indexcalc.functions.code.numpy import small_cofactors, small_inverses
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import matrix_row, reduction_row

MANY = 40
"""Matrices: from so many on, their closed form beats LAPACK called for each."""


def reduce(lines: NumpyLines, step: Reduce) -> None:
    """A function along axes, wherever they are stored."""
    (use,) = step.uses
    if of_small_matrices(lines, step):
        _small(lines, step)
        return
    held = lines.stored(use)
    row = reduction_row(step.fn)
    axes = tuple(held.order.index(axis) for axis in step.axes)
    shape = lines.program.steps[use.value].shape
    last = ""
    if row.out:
        over = lines.buffers.over(use) if lines.buffers.dying(use) else lines.place([shape[x] for x in held.order])
        last = f", {over}" if over else ""
    function = row.numpy if prod(shape) else of_nothing(step.fn, shape)
    lines.buffers.need_entries(row.workspace, use.value)
    kept = [axis for axis in held.order if step.keeps or axis not in step.axes]
    logical = [axis for axis in range(len(held.order)) if step.keeps or axis not in step.axes]
    lines.quiet = True
    lines.put(lines.kept(lines.along(row, function, held.name, axes, step.params, last)), kept, logical)


def of_small_matrices(lines: NumpyLines, step: Reduce) -> bool:
    """Is it about many matrices of order 3 at most, whose inverses and determinants have a closed form?"""
    shape = lines.program.steps[step.uses[0].value].shape
    batch, order = prod(size for axis, size in enumerate(shape) if axis not in step.axes), shape[step.axes[0]]
    return reduction_row(step.fn).small != "" and batch >= MANY and 1 <= order <= 3 and lines.fixed(order)


def _small(lines: NumpyLines, step: Reduce) -> None:
    """The closed form, with the matrices first and the batch last, where it is contiguous."""
    value = step.uses[0].value
    shape = lines.program.steps[value].shape
    batch = tuple(axis for axis in range(len(lines.buffers.stored[value].order)) if axis not in step.axes)
    order = (*step.axes, *batch)
    found = lines.small.get((value, step.axes))
    if found is None:
        found = lines.small[value, step.axes] = (lines.local("k"), lines.local("e"))
        lines.store_again(value, order)
        lines.buffers.hold(lines.buffers.size(value) + lines.buffers.size(value) // max(1, shape[step.axes[0]] ** 2))
        source = lines.helper(small_cofactors)
        lines.lines.append(f"{', '.join(found)} = {source}({lines.buffers.stored[value].name})")
    cofactors, det = found
    lines.quiet = True
    if step.fn == "inv":
        name = lines.helper(small_inverses, regular)
        more = any(s.fn == "cofactor" for s in lines.program.steps if isinstance(s, Reduce))
        code = f"{name}({cofactors}{'.copy()' if more else ''}, {det})"
        lines.put(code, (step.axes[1], step.axes[0], *batch), range(len(order)))
    elif step.fn == "cofactor":
        lines.put(cofactors, order, range(len(order)))
    else:
        code = f"log(absolute({det}))" if step.fn == "logdet" else f"{det}.copy()"
        lines.put(code, batch, batch)


def apply(lines: NumpyLines, step: Apply) -> None:
    """A function of whole matrices."""
    node, params, row = step.node, step.params, matrix_row(step.fn)
    lines.buffers.need(_workspace(lines, step))

    def call(*arrays: Any) -> Any:
        common = np.result_type(*arrays)
        try:
            return matrix_numbers(node, [array.astype(common, copy=False) for array in arrays], params)
        except np.linalg.LinAlgError as error:
            raise InputError(f"evaluate {step.fn}", f"it has no value: {error}", f"it takes {row.domain}") from None

    name = lines.bound(f"{step.fn}_{lines.number}", call)
    axes = tuple(range(len(step.shape)))
    args = ", ".join(lines.logical(use.value) for use in step.uses)
    lines.put(lines.kept(f"{name}({args})"), axes, axes)


def _workspace(lines: NumpyLines, step: Apply) -> int:
    """The bytes that a function of matrices, or its derivative, takes beside its arguments and its value.

    A derivative of order k is the function on blocks of 2**k times the rows: it has these, and its value there; to join
    the blocks takes 2.75 times them, beside the direction that was spread a quarter of them (`shared.frechet`).
    """
    own = lines.buffers.size(step.uses[0].value)
    rows = lines.program.steps[step.uses[0].value].shape[-1]
    every, one = matrix_row(step.fn).workspace
    if not step.times:
        return round(every * own + one * rows**2 * lines.itemsize)
    left = step.times - len(step.uses) + 1
    blocks: int = own * 4**step.times * rows ** (2 * left)
    single: int = rows**2 * 4**step.times * lines.itemsize
    joined, applied = round(2.75 * blocks), round((2.25 + every) * blocks + one * single)
    return max(joined, applied - lines.buffers.size(lines.number))


def solve(lines: NumpyLines, step: Solve) -> None:
    """Columns for which a matrix is solved."""
    matrix, right = step.uses
    row, column = sorted(matrix.labels, key=lambda label: label not in right.labels)
    name = lines.solver(regular)
    square = lines.operand(matrix)
    other = lines.operand(right)
    rest = tuple(x for x in other.labels if x != row)
    left = viewed(square, (row, column), {})
    sizes = dict(zip(step.out, step.shape, strict=True))
    sizes[row] = sizes[column]
    values = viewed(other, (row, *rest), sizes, ((row,), rest) if len(rest) != 1 else ())
    code = f"{name}({left}, {values})"
    if len(rest) != 1:
        code += f".reshape({tuple(sizes[x] for x in (column, *rest))})"
    lines.put(code, (column, *rest), step.out)
