"""Keys that are arrays of integers, as NumPy has them, and indices that depend on others, `Z[b, y[b]]`.

Entries are chosen by a product with brackets, see `functions/entries/choosing`, so derivatives are those of a product.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted, shorten
from indexcalc.functions.entries.choosing import bracket, is_whole, listed, run_of
from indexcalc.functions.table import elementwise_row
from indexcalc.graph.constructors import einsum, regroup
from indexcalc.graph.node import Elementwise, Node, Product
from indexcalc.index import Dim, Dimension, Index
from indexcalc.views import select
from indexcalc.views.array import Array, array_from, standing_array
from indexcalc.views.expr import Expr
from indexcalc.views.placed import context_of
from indexcalc.views.view import View, join_inputs
from indexcalc.writing.standing import ascending

INTEGERS = 'declare them, idx = ic.tensor("idx", "b", integer=True), or give a list or an array of integers'


def picked(array: Array, keys: tuple[Any, ...]) -> Expr | Array:
    """What `array[keys]` is: an `Expr` for indices, an Array for integers, slices, None, `...` and arrays of integers.

    >>> import indexcalc as ic
    >>> X, y = ic.tensor("X", "n m"), ic.tensor("y", "b", integer=True)
    >>> X[y].shape, X[:, [2, 0]].shape, X[y[:, None], [2, 0]].shape
    ((b, m), (n, 2), (b, 2))
    """
    if not any(isinstance(key, list | np.ndarray | View) and not is_integer(key) for key in keys):
        made: Expr | Array = select.picked(array, keys)
        return made
    asked = Asked(lambda: f"({array})[{', '.join(map(_written, keys))}]")
    if any(isinstance(key, Expr | Index) for key in keys):
        return _indexed(array, keys, asked)
    return _chosen(array, keys, asked)


def is_integer(key: Any) -> bool:
    """Is this one Python or NumPy integer?"""
    if isinstance(key, View):
        return False
    try:
        operator.index(key)
    except TypeError:
        return False
    return not isinstance(key, bool) and getattr(key, "ndim", 0) == 0


def _written(key: Any) -> str:
    if isinstance(key, np.ndarray):
        return shorten(str(key.tolist()))
    if isinstance(key, slice):
        bounds = ["" if bound is None else str(bound) for bound in (key.start, key.stop, key.step)]
        return ":".join(bounds[: 2 + (key.step is not None)])
    return "..." if key is Ellipsis else str(key)


# ------------------------------------------------------------------ integers


class Integers(NamedTuple):
    """Integers as a node, and the axis of the whole that each of its axes is; the whole has these dimensions."""

    node: Node
    axes: tuple[int, ...]
    dims: tuple[Dimension, ...]

    def bracket(self, size: Dimension, labels: Sequence[Any], place: Any) -> tuple[Node, tuple[Any, ...]]:
        """The factor that says at which entry of an axis they are: `labels` has one for each axis of the whole."""
        return bracket(self.node, size), (*(labels[axis] for axis in self.axes), place)


def integers_of(key: Any, size: Dimension, asked: str | Asked) -> Integers:
    """The integers of a key for an axis of this dimension: known ones, which must be its entries, or an integer tensor.

    A vector of integers is one however it stands.

    >>> integers_of([[0, -1]], 5, "").node.dims
    (1, 2)
    """
    if isinstance(key, Array):
        if not is_whole(key.node):
            if isinstance(key.node, Elementwise) and elementwise_row(key.node.fn).condition:
                chosen = "choose entries by ic.where(c, x, 0), or count those that do by a product with c"
                raise KindError(asked, f"{key} is an Array, no index", chosen)
            raise KindError(asked, f"{key} is not known to have integers alone", INTEGERS)
        return _without_copies(key.node)
    values = np.asarray(key)
    if not values.size:
        values = values.astype(int)
    if values.dtype.kind not in "iu":
        raise KindError(asked, f"{_written(key)} has no integers: its dtype is {values.dtype}", INTEGERS)
    entries = values.ravel().tolist()
    if isinstance(size, int):
        outside = [value for value in entries if not -size <= value < size]
        if outside:
            found = f"entry {outside[0]} of an axis of dimension {size}"
            raise NotationError(asked, found, f"they are -{size} to {size - 1}" if size else "it has none")
        entries = [value + size if value < 0 else value for value in entries]
    node: Node = listed(entries)
    if values.ndim != 1:
        labels = tuple(range(values.ndim))
        node = regroup(node, (labels,), tuple((x,) for x in labels), values.shape)
    return Integers(node, tuple(range(values.ndim)), node.dims)


def _without_copies(node: Node) -> Integers:
    """Without axes along which they are constant, and with the others in their own order."""
    if isinstance(node, Product) and len(node.factors) == 1 and node.coef == 1 and not node.bound:
        ((inner, labels, exponent),) = node.factors
        if exponent == 1 and len(set(labels)) == len(labels) and len(set(node.out)) == len(node.out):
            return Integers(inner, tuple(node.out.index(x) for x in labels), node.dims)
    return Integers(node, tuple(range(node.order)), node.dims)


# ------------------------------------------------------------------ indices that depend on others


def _indexed(array: Array, keys: Sequence[Any], asked: Asked) -> Expr:
    """The `Expr` of an Array whose indices are names, or integers with names: these are kept, as in a function."""
    if len(keys) != array.order:
        found = f"{counted(len(keys), 'index')} for {counted(array.order, 'axis')} of dimensions {array.shape}"
        raise NotationError(asked, found, "give one index for each axis")
    for key in keys:
        if not isinstance(key, Expr | Index):
            raise KindError(asked, f"{_written(key)} beside indices", "pick entries first, then name the axes left")
        if isinstance(key, Expr) and not is_whole(key.node):
            raise KindError(asked, f"{key} is not known to have integers alone", INTEGERS)
    plain = [key for key in keys if isinstance(key, Index)]
    inner = [index for key in keys if isinstance(key, Expr) for index in key.indices]
    twice = [index for index in plain if not index.batch and plain.count(index) > 1]
    if any(index in inner for index in twice):
        found = f"{twice[0]} is summed, and an index depends on it"
        raise NotationError(asked, found, "make it a batch index, or give another name")
    factors: list[Any] = [(array.node, [("place", k) if isinstance(key, Expr) else key for k, key in enumerate(keys)])]
    sizes: dict[Index, Dimension] = {}
    for k, key in enumerate(keys):
        own = (
            [(key, array.node.dims[k])]
            if isinstance(key, Index)
            else list(zip(key.indices, key.node.dims, strict=True))
        )
        for index, size in own:
            if sizes.setdefault(index, size) != size:
                raise DimensionError(asked, f"index {index} has {sizes[index]} and {size}", "use another index")
        if isinstance(key, Expr):
            factors.append((bracket(key.node, array.node.dims[k]), (*key.indices, ("place", k))))
    out = [index for index in sizes if index not in twice]
    views: list[View] = [array, *(key for key in keys if isinstance(key, Expr))]
    summed = frozenset(index.name for index in twice)
    return Expr(einsum(1, factors, out), out, join_inputs(views), summed=summed)


# ------------------------------------------------------------------ arrays of integers


def _chosen(array: Array, keys: Sequence[Any], asked: Asked) -> Array:
    """The entries as NumPy chooses them: arrays of integers are broadcast, and their axes stand where they stood.

    They stand in front where a slice, None or `...` is between two of them.
    """
    full = _full(array, keys, asked)
    basic, choices = _apart(array, full)
    made = select.selected(array, basic, asked)
    if not choices:
        return made
    axes = [k for k, key in enumerate(_kept(full)) if _is_array(key)]
    places = [place for axis in axes if (place := made.places[axis]) is not None]
    if len(places) < len(axes):
        raise NotationError(asked, "an axis of dimension 1 has the entry 0 alone", "write 0 or `:`")
    rows = [integers_of(key, made.node.dims[place], asked) for key, place in zip(choices, places, strict=True)]
    sizes, labels = _broadcast(rows, asked)
    factors: list[Any] = [(made.node, range(made.order))]
    for one, place, own in zip(rows, places, labels, strict=True):
        factors.append(one.bracket(made.node.dims[place], own, place))
    shown: list[Any] = list(made.places)
    first = axes[0]
    advanced = [k for k, key in enumerate(full) if _is_array(key) or is_integer(key)]
    if advanced[-1] - advanced[0] >= len(advanced):
        first = 0
    left = [place for axis, place in enumerate(shown) if axis not in axes]
    before = sum(axis not in axes for axis in range(first))
    out = [*left[:before], *(("new", k) for k in range(len(sizes))), *left[before:]]
    ones = {("new", k): size for k, size in enumerate(sizes)}
    node = einsum(1, factors, [label for label in out if label is not None], ones)
    views = [array, *(key for key in choices if isinstance(key, Array))]
    if None in out and node.order:
        return array_from(node, views, ascending(label is not None for label in out))
    inputs, vectors, turned = context_of(views)
    if node.order == 1 and array.ndim == 1:
        return Array(node, inputs, None, vectors, turned)
    return standing_array(node, views)


def _is_array(key: Any) -> bool:
    return isinstance(key, list | np.ndarray | Array) and not is_integer(key)


def _full(array: Array, keys: Sequence[Any], asked: Asked) -> list[Any]:
    """One key for each axis that is shown, and those that make new axes; arrays of bools are the places of True."""
    found: list[Any] = []
    for key in keys:
        if isinstance(key, list | np.ndarray) and (own := np.asarray(key)).dtype == bool and own.ndim:
            start = sum(one is not None and one is not Ellipsis for one in found)
            _check_mask(array, own, start, Ellipsis in [one for one in found if not _is_array(one)], asked)
            found += list(np.nonzero(own))
        else:
            found.append(key)
    used = sum(key is not None and key is not Ellipsis for key in found)
    if used > array.ndim:
        raise NotationError(
            asked, f"{counted(used, 'key')} for {counted(array.ndim, 'axis')}", "give at most one for each axis"
        )
    dots = [k for k, key in enumerate(found) if key is Ellipsis]
    if len(dots) > 1:
        raise NotationError(asked, "`...` occurs twice", "write it once")
    at = dots[0] if dots else len(found)
    return [*found[:at], *[slice(None)] * (array.ndim - used), *found[at + 1 :]]


def _check_mask(array: Array, mask: Any, start: int, behind: bool, asked: Asked) -> None:
    sizes = array.shape[start : start + mask.ndim]
    if (
        behind
        or len(sizes) < mask.ndim
        or any(isinstance(size, int) and size != n for size, n in zip(sizes, mask.shape, strict=True))
    ):
        found = f"a mask of shape {mask.shape}, for axes of dimensions {tuple(sizes)}"
        raise DimensionError(asked, found, "give a mask that has the shape of the first axes")


def _apart(array: Array, full: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The keys with slices in place of arrays, and the arrays; a list that is a slice is one."""
    choices = [key for key in full if _is_array(key)]
    if len(choices) == 1 and not isinstance(choices[0], Array) and not any(map(is_integer, full)):
        axis = next(k for k, key in enumerate(key for key in full if key is not None) if _is_array(key))
        run = _as_slice(choices[0], array.shape[axis])
        if run is not None:
            return [run if _is_array(key) else key for key in full], []
    return [slice(None) if _is_array(key) else key for key in full], choices


def _as_slice(key: Any, size: Dimension) -> slice | None:
    """Known integers that follow each other, as a slice."""
    values = np.asarray(key)
    if values.shape == (0,):
        return slice(0, 0)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        return None
    if isinstance(size, int):
        if not all(-size <= value < size for value in values.tolist()):
            return None
        values = values % size
    if len(values) == 1:
        (only,) = values.tolist()
        return slice(only, only + 1 if only != -1 else None)
    run = run_of(values.tolist())
    if run is None or len({value < 0 for value in values.tolist()}) > 1:
        return None
    start, step = run
    stop = int(values[-1]) + (1 if step > 0 else -1)
    crosses = stop == 0 if step > 0 and start < 0 else stop == -1 and start >= 0
    return slice(start, None if crosses else stop, step)


def _kept(full: Sequence[Any]) -> list[Any]:
    """The keys that leave an axis."""
    return [key for key in full if not is_integer(key)]


def _broadcast(rows: Sequence[Integers], asked: Asked) -> tuple[list[Dimension], list[list[Any]]]:
    """The dimensions that arrays of integers have together, and for each of them a label for each of its axes."""
    order = max(len(one.dims) for one in rows)
    sizes: list[Dimension] = [1] * order
    for one in rows:
        for axis, size in enumerate(one.dims, start=order - len(one.dims)):
            if size != 1 and sizes[axis] not in (1, size):
                found = f"arrays of integers have {sizes[axis]} and {size} along one axis"
                raise DimensionError(asked, found, "give integers whose axes go together, as idx[:, None] and idx")
            sizes[axis] = size if size != 1 else sizes[axis]
    labels: list[list[Any]] = []
    for k, one in enumerate(rows):
        start = order - len(one.dims)
        labels.append(
            [
                ("new", axis) if size == sizes[axis] else ("one", k, axis)
                for axis, size in enumerate(one.dims, start=start)
            ]
        )
    return sizes, labels


def flattened(array: Array) -> Array:
    """All entries in one axis, row by row."""
    node = array.node
    labels = tuple(range(node.order))
    sizes: Dimension = prod(node.dims)
    assert isinstance(sizes, int | Dim)
    return array_from(regroup(node, tuple((x,) for x in labels), (labels,), node.dims), [array])
