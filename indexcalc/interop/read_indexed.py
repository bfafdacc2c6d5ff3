"""SymPy's entries and sums: `Indexed`, `MatrixElement`, `KroneckerDelta`, `LeviCivita`, `Sum`, `Product`.

All is entry by entry, equal names aligned and kept; only a `Sum` sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from indexcalc.errors import DimensionError, NotationError, counted
from indexcalc.graph.constructors import addition, constant, einsum
from indexcalc.index import Dimension, Index, unknown
from indexcalc.interop.read_names import SymPyReader
from indexcalc.views.array import Array, size_number
from indexcalc.views.declare import delta, ones, tensor
from indexcalc.views.expr import UNIT, Expr, align, hadamard_exprs, lifted
from indexcalc.views.functions.constants import unit
from indexcalc.views.view import View, join_inputs


def added(values: Sequence[Any]) -> Any:
    """The sum of views: of Exprs over all their indices, constant along those that a term lacks.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); x = ic.tensor("x", "n")
    >>> added([x[i], x[j]]).free
    (i, j)
    """
    if not any(isinstance(value, Expr) for value in values):
        return reduce(add, values)
    exprs, out, dims = align([lifted(value, UNIT, "+") for value in values], "+")
    place = {index: axis for axis, index in enumerate(out)}
    terms = [(1, expr.node, [place[index] for index in expr.indices]) for expr in exprs]
    return Expr(addition(terms, dims), out, join_inputs(exprs))


def multiplied(reading: SymPyReader, values: Sequence[Any]) -> Any:
    """The product of views entry by entry; a name that two factors have is one that a sum binds, or a batch index."""
    if not any(isinstance(value, Expr) for value in values):
        return reduce(mul, values)
    exprs = [lifted(value, UNIT, "*") for value in values]
    bound = {one.name for one in reading.bound.values()}
    for place, expr in enumerate(exprs):
        for index in expr.free:
            if any(index in other.free for other in exprs[:place]) and not index.batch and index not in bound:
                raise NotationError(
                    reading.asked,
                    f"{index} occurs in two factors, and no Sum says whether it is summed",
                    f'write Sum(..., ({index}, 0, n - 1)); to keep it, ic.from_sympy(..., batch="{index}")',
                )
    return hadamard_exprs(*exprs)


# ------------------------------------------------------------------ entries


def entries(reading: SymPyReader, array: Array, places: Sequence[Any]) -> View:
    """The entries of an array at these places: SymPy's indices, alone or shifted, and integers."""
    keys, at = [], []
    for place, size in zip(places, array.node.dims, strict=True):
        key, index = _picked(reading, array, place, size)
        keys.append(key)
        at += [] if index is None else [index]
    if any(key != slice(None) for key in keys):
        array = array[tuple(keys)]
    if not at:
        return array
    out, bound = list(dict.fromkeys(at)), {one.name for one in reading.bound.values()}
    for index in out:
        if at.count(index) > 1 and not index.batch and index not in bound:
            found = f"{index} occurs twice in {array}, and no Sum says whether it is summed"
            raise NotationError(reading.asked, found, f'write Sum(..., ({index}, 0, n - 1)), or batch="{index}"')
    return Expr(einsum(1, [(array.node, [one.name for one in at])], [one.name for one in out]), out, array.inputs)


def _picked(reading: SymPyReader, array: Array, place: Any, size: Dimension) -> tuple[Any, Index | None]:
    """What a place picks of an axis, as a key, and the index that runs along it, if there is one.

    `i` runs along the axis, or its beginning where a Sum ends before; `i + 1` and `n - 1 - i` along parts of it.
    """
    names = [one for one in getattr(place, "free_symbols", ()) if one in reading.indices]
    names = [place] if place in reading.indices else names
    if not names:
        return _entry(reading, place, size), None
    known = reading.range(names[0])
    start = None if known is None else place - names[0]
    backwards = start is not None and names[0] in start.free_symbols
    start = place + names[0] if backwards else start
    if len(names) > 1 or (place != names[0] and (start is None or names[0] in start.free_symbols)):
        found = f"the index {place} is no symbol"
        raise reading.refusal(place, found, "write one index, or i + 1 where a Sum says its range")
    index = reading.index(names[0])
    first = 0 if start is None else reading.size(start)
    if known is None or (first == 0 and known == size):
        return slice(None), index
    if backwards:
        last = first - known
        return slice(first, None if last == -1 else last, -1), index
    if not _less(known, size) and first == 0:
        found = f"index {place} runs over {known}, its axis of {array} has {size}"
        raise DimensionError(reading.asked, found, "let both have one size")
    return slice(first, first + known), index


def _less(one: Dimension, other: Dimension) -> bool:
    """Is one dimension known to be less than another?"""
    apart = other - one
    return isinstance(apart, int) and apart > 0


def _entry(reading: SymPyReader, place: Any, size: Dimension) -> int:
    """The number of an entry, counted from the end where it is said by the size."""
    if getattr(place, "is_Integer", False):
        return int(place)
    found = reading.size(place) - size
    if not isinstance(found, int) or found >= 0:
        raise reading.refusal(place, f"the entry {place} of an axis of {size}", "count from one end: 0, n - 1")
    return found


def _indexed(reading: SymPyReader, expr: Any) -> View:
    name = reading.name(expr.base.label, str(expr.base.label))
    if expr.base.offset or expr.base.strides is not None:
        raise reading.refusal(expr, f"{name} has an offset or strides of its own", "take a slice")
    shape = [reading.size(size) for size in expr.base.shape] if expr.base.shape else map(reading.range, expr.indices)
    sizes = list(shape)
    if None in sizes:
        found = f"the size of {name} is not said, along {expr.indices[sizes.index(None)]}"
        raise reading.refusal(expr, found, f'write IndexedBase("{name}", shape=(n,)), or Idx("i", n)')
    if len(sizes) != len(expr.indices):
        raise reading.refusal(
            expr,
            f"{name} has {counted(len(sizes), 'axis')} and {counted(len(expr.indices), 'index')}",
            "one index an axis",
        )
    return entries(reading, tensor(name, *sizes), expr.indices)


def _element(reading: SymPyReader, expr: Any) -> View:
    array, places = reading.of(expr.parent), (expr.i, expr.j)
    shown = array.places if array.ndim else (None, None)
    for place, axis in zip(places, shown, strict=True):
        if axis is None and place != 0:
            raise reading.refusal(expr, f"the index {place} of an axis with one entry", "write 0 there")
    kept = [place for place, axis in zip(places, shown, strict=True) if axis is not None]
    return entries(reading, Array(array.node, array.inputs), kept)


def _array_element(reading: SymPyReader, expr: Any) -> View:
    return entries(reading, reading.of(expr.name), expr.indices)


def _delta(reading: SymPyReader, expr: Any) -> View:
    first, second = (int(one) if getattr(one, "is_Integer", False) else reading.index(one) for one in expr.args)
    ranges = [reading.range(one) for one in expr.args]
    known = [size for size in ranges if size is not None]
    if len(set(known)) > 1:
        raise DimensionError(reading.asked, f"{expr}: indices over {known[0]} and {known[1]}", "let both have one size")
    if isinstance(first, Index) and isinstance(second, Index):
        return delta(first, second, dim=known[0] if known else None)
    index, place = (first, second) if isinstance(first, Index) else (second, first)
    if not known or not isinstance(index, Index):
        raise reading.refusal(expr, f"{expr}: the size of the index is not said", 'write Idx("i", n)')
    made: Expr = unit(place, known[0])[index]
    return made


def compared(reading: SymPyReader, expr: Any) -> View:
    """A comparison of two indices of one range: 1 where it holds, else 0."""
    one, other = expr.args
    size = reading.range(one) or reading.range(other)
    if size is None or size != (reading.range(other) or size):
        raise reading.refusal(expr, f"{expr}, and no one range of both", "compare indices of one size, under a Sum")
    if expr.rel_op in (">", ">="):
        one, other = other, one
    first, second = reading.index(one), reading.index(other)
    if expr.rel_op in ("==", "!="):
        same = delta(first, second, dim=size)
        return same if expr.rel_op == "==" else ones(first, second, dim=size) - same
    node = constant("tril", (size, size), () if "=" in expr.rel_op else (-1,))
    return Expr(node, (second, first), frozenset())


def _epsilon(reading: SymPyReader, expr: Any) -> View:
    size = len(expr.args)
    return entries(reading, Array(constant("epsilon", [size] * size)), expr.args)


# ------------------------------------------------------------------ sums and products


def _over(
    reading: SymPyReader, expr: Any, folded: Callable[[Any, Any], Any], constant_along: Callable[[Any, Any], Any]
) -> View:
    """The body, folded along each index; where it lacks one, what that makes of a constant."""
    sizes = []
    for variable, *ends in expr.limits:
        if len(ends) != 2:
            raise reading.refusal(expr, f"{variable} has no range", f"write ({variable}, 0, n - 1)")
        sizes.append(reading.counted(variable, *ends))
    outer = dict(reading.bound)
    for (variable, *_), size in zip(reversed(expr.limits), reversed(sizes), strict=True):
        reading.bound[variable] = reading.bind(variable, size)
    bound = [reading.bound[variable] for variable, *_ in expr.limits]
    body = lifted(reading.of(expr.function), UNIT, "sum")
    reading.bound = outer
    for index, size in bound:
        if index not in body.free:
            body = constant_along(body, size_number(size) if not isinstance(size, int) else size)
            continue
        if unknown(body.dim(index)):
            body = hadamard_exprs(body, ones(index, dim=size))
        if body.dim(index) != size:
            found = f"the sum over {index} runs over {size}, what is summed has {body.dim(index)}"
            raise DimensionError(reading.asked, found, "let both have one size")
        body = folded(body, index)
    return body


def _sum(reading: SymPyReader, expr: Any) -> View:
    return _over(reading, expr, lambda body, index: body.sum(index), lambda body, size: body * size)


def _product(reading: SymPyReader, expr: Any) -> View:
    return _over(reading, expr, lambda body, index: body.prod(index), lambda body, size: body**size)


INDEXED: dict[str, Callable[[SymPyReader, Any], Any]] = {
    "Indexed": _indexed, "MatrixElement": _element, "ArrayElement": _array_element, "KroneckerDelta": _delta,
    "LeviCivita": _epsilon, "Sum": _sum, "Product": _product,
}  # fmt: skip
"""The rule of each class of entries."""
