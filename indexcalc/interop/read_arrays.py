"""SymPy's matrices and arrays: a rule for each class of its matrix expressions and of its array expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import count
from operator import add, mul
from typing import Any

from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Node
from indexcalc.index import Dimension
from indexcalc.interop.read_names import SymPyReader
from indexcalc.views.array import Array, array_from
from indexcalc.views.blocks.joined import concatenate
from indexcalc.views.declare import column, eye, ones, row, tensor, zeros
from indexcalc.views.functions.matrices import det, diag, diagm, inv, matrix_power, tr
from indexcalc.views.functions.products import kron


def _standing(reading: SymPyReader, shape: Sequence[Any], made: Callable[..., Array]) -> Array:
    """A matrix, a column where it has one column, or a row where it has one row."""
    rows, cols = map(reading.size, shape)
    if cols == 1 and rows != 1:
        return column(made(rows))
    return row(made(cols)) if rows == 1 and cols != 1 else made(rows, cols)


def _symbol(reading: SymPyReader, expr: Any) -> Array:
    name = reading.name(expr, expr.name)
    return _standing(reading, expr.shape, lambda *sizes: tensor(name, *sizes))


def _array_symbol(reading: SymPyReader, expr: Any) -> Array:
    return tensor(reading.name(expr, str(expr.name)), *map(reading.size, expr.shape))


def _filled(made: Callable[..., Array]) -> Callable[[SymPyReader, Any], Array]:
    return lambda reading, expr: _standing(reading, expr.shape, made)


def _wide(made: Callable[..., Array]) -> Callable[[SymPyReader, Any], Array]:
    return lambda reading, expr: made(*map(reading.size, expr.shape))


def _of_all(fold: Callable[[Any, Any], Any]) -> Callable[[SymPyReader, Any], Any]:
    return lambda reading, expr: reduce(fold, map(reading.of, expr.args))


def _of_matrix(function: Callable[[Array], Any]) -> Callable[[SymPyReader, Any], Any]:
    """A function of a matrix; of a product that is 1×1 it is that of its entry."""

    def rule(reading: SymPyReader, expr: Any) -> Any:
        value = reading.of(expr.args[0])
        return function(value if value.ndim else one_by_one(value))

    return rule


def one_by_one(value: Any) -> Array:
    """A scalar as the matrix that it is to SymPy."""
    return Array(einsum(1, [(value.node, ())], [0, 1], {0: 1, 1: 1}), value.inputs)


def _times(one: Any, other: Any) -> Any:
    """The product of matrices, or of a scalar and a matrix."""
    sizes = [getattr(value, "ndim", 0) for value in (one, other)]
    return one @ other if all(sizes) else one * other


def _power(reading: SymPyReader, expr: Any) -> Any:
    base = reading.of(expr.base)
    if not getattr(expr.exp, "is_Integer", False):
        raise reading.refusal(expr, f"the power {expr.exp} of a matrix", "an integer; of the entries, HadamardPower")
    exponent = int(expr.exp)
    return matrix_power(base, exponent) if base.ndim else base**exponent


def _entrywise_power(reading: SymPyReader, expr: Any) -> Any:
    base, exponent = expr.args
    return power(reading, reading.of(base), exponent)


def power(reading: SymPyReader, base: Any, exponent: Any) -> Any:
    """A power entry by entry; a number as exponent stays one."""
    if getattr(exponent, "is_Rational", False):
        return base ** (int(exponent) if exponent.q == 1 else _fraction(exponent))
    if getattr(exponent, "is_Float", False):
        return base ** float(exponent)
    return base ** reading.of(exponent)


def _fraction(value: Any) -> Any:
    return Fraction(int(value.p), int(value.q))


def _applied(reading: SymPyReader, expr: Any) -> Array:
    """A function of one letter, of each entry."""
    (letter,) = expr.function.signature
    value = reading.of(expr.expr)
    outer = reading.values
    reading.values = {**outer, letter: value}
    made = reading.of(expr.function.expr)
    reading.values = outer
    if not isinstance(made, Array):
        raise reading.refusal(expr, f"indices within the function {expr.function}", "write the whole with indices")
    if made.ndim == value.ndim:
        return made
    filled = einsum(1, (), range(value.order), dict(enumerate(value.node.dims)))
    return made * array_from(filled, [value], value.places)


def _slice(reading: SymPyReader, expr: Any) -> Array:
    value = reading.of(expr.parent)
    keys = [
        slice(reading.size(start), reading.size(stop), int(step))
        for start, stop, step in (expr.rowslice, expr.colslice)
    ]
    kept = [key for key, place in zip(keys, value.places, strict=True) if place is not None]
    made = Array(value.node, value.inputs)[tuple(kept)]
    return array_from(made.node, [value], value.places)


def _blocks(reading: SymPyReader, expr: Any) -> Array:
    """Blocks beside each other; columns below each other are one column."""
    rows = [[reading.of(one) for one in row] for row in expr.blocks.tolist()]
    made: list[Any] = [concatenate(row, axis=1) if len(row) > 1 else row[0] for row in rows]
    return made[0] if len(made) == 1 else concatenate(made)  # type: ignore[return-value]


# ------------------------------------------------------------------ arrays of any order


def whole(reading: SymPyReader, expr: Any) -> tuple[Node, Any]:
    """The node with all axes that SymPy has, those of one entry among them, and what it was made from."""
    value = reading.of(expr)
    places = value.places if getattr(value, "ndim", 0) else (None,) * len(getattr(expr, "shape", ()))
    sizes: dict[Any, Dimension] = {axis: 1 for axis, place in enumerate(places) if place is None}
    true = [axis for axis, place in enumerate(places) if place is not None]
    return einsum(1, [(value.node, true)], range(len(places)), sizes), value.inputs


def _joined(parts: Sequence[tuple[Node, Any]], labels: Sequence[Sequence[Any]], out: Sequence[Any]) -> Array:
    inputs = frozenset().union(*(own for _, own in parts))
    return Array(einsum(1, [(node, at) for (node, _), at in zip(parts, labels, strict=True)], out), inputs)


def _tensor_product(reading: SymPyReader, expr: Any) -> Array:
    parts, number = [whole(reading, arg) for arg in expr.args], count()
    labels = [[next(number) for _ in range(node.order)] for node, _ in parts]
    return _joined(parts, labels, [label for at in labels for label in at])


def _traced(keeps: bool) -> Callable[[SymPyReader, Any], Array]:
    """Groups of axes that are summed, or become one axis each, which are the last."""

    def rule(reading: SymPyReader, expr: Any) -> Array:
        part = whole(reading, expr.args[0])
        groups = [tuple(map(int, group)) for group in expr.args[1:]]
        of = {axis: group for group in groups for axis in group}
        labels = [of.get(axis, (axis,)) for axis in range(part[0].order)]
        left = [(axis,) for axis in range(part[0].order) if axis not in of]
        return _joined([part], [labels], [*left, *(groups if keeps else [])])

    return rule


def _permuted(reading: SymPyReader, expr: Any) -> Array:
    part = whole(reading, expr.expr)
    return _joined([part], [range(part[0].order)], [int(axis) for axis in expr.permutation.array_form])


def _array_sum(reading: SymPyReader, expr: Any) -> Array:
    return reduce(add, [Array(*whole(reading, arg)) for arg in expr.args])


ARRAYS: dict[str, Callable[[SymPyReader, Any], Any]] = {
    "MatrixSymbol": _symbol, "ArraySymbol": _array_symbol, "MatAdd": _of_all(add), "MatMul": _of_all(_times),
    "HadamardProduct": _of_all(mul), "KroneckerProduct": _of_all(kron), "MatPow": _power,
    "Inverse": _of_matrix(inv), "Determinant": _of_matrix(det), "Trace": _of_matrix(tr),
    "Transpose": lambda reading, expr: reading.of(expr.arg).T,
    "DiagMatrix": _of_matrix(diagm), "DiagonalMatrix": _of_matrix(lambda value: diagm(diag(value))),
    "DiagonalOf": _of_matrix(lambda value: column(diag(value))),
    "HadamardPower": _entrywise_power, "ElementwiseApplyFunction": _applied, "MatrixSlice": _slice,
    "BlockMatrix": _blocks, "BlockDiagMatrix": _blocks,
    "Identity": lambda reading, expr: eye(reading.size(expr.rows)),
    "ZeroMatrix": _filled(zeros), "OneMatrix": _filled(ones), "ZeroArray": _wide(zeros), "OneArray": _wide(ones),
    "ArrayTensorProduct": _tensor_product, "ArrayContraction": _traced(False), "ArrayDiagonal": _traced(True),
    "PermuteDims": _permuted, "ArrayAdd": _array_sum, "ArrayElementwiseApplyFunc": _applied,
}  # fmt: skip
"""The rule of each class of matrices and arrays."""
