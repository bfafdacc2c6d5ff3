"""What stands in brackets after an Array: indices, which give an `Expr`, or integers, slices, None and `...`.

An integer is a contraction with a unit vector, a slice one with a selection matrix, so derivatives follow from those of
a contraction. Every bound is known from the text alone: where a dimension is a symbol, it is taken to be long enough,
and evaluation says so if it is not.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from indexcalc.affine import Affine
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.graph.constructors import constant, einsum
from indexcalc.graph.ranges import Range, falls, one_entry, selection_of, steps_between
from indexcalc.index import Dim, Dimension, Index, dim
from indexcalc.views.affine.uses import used
from indexcalc.views.array import Array, array_from, standing_array
from indexcalc.views.expr import Expr
from indexcalc.views.view import View
from indexcalc.writing.standing import ascending


def picked(array: Array, keys: tuple[Any, ...]) -> Any:
    """What `array[keys]` is: an `Expr` for indices, an Array for integers, slices, None and `...`."""
    asked = Asked(lambda: f"({array})[{', '.join(map(_written, keys))}]")
    indices = [one for one in keys if isinstance(one, Index | Affine)]
    if len(indices) == len(keys) and (keys or not array.order):
        return indexed(array, indices, asked)
    return selected(array, keys, asked)


def _written(key: Any) -> str:
    """A key as it is typed."""
    if not isinstance(key, slice):
        return "..." if key is Ellipsis else str(key)
    bounds = ["" if bound is None else str(bound) for bound in (key.start, key.stop, key.step)]
    return ":".join(bounds[: 2 + (key.step is not None)])


def indexed(array: Array, indices: Sequence[Index | Affine], asked: str | Asked) -> Expr:
    """The `Expr` of an Array with these indices: a name that occurs twice is summed, a batch name kept."""
    if len(indices) != array.order:
        raise NotationError(
            asked,
            f"{counted(len(indices), 'index')} for {counted(array.order, 'axis')} of dimensions {array.shape}",
            "give one index for each axis",
        )
    if any(isinstance(index, Affine) or index.span is not None for index in indices):
        return used(array, indices, asked)
    return _named(array, [index for index in indices if isinstance(index, Index)], asked)


def _named(array: Array, indices: Sequence[Index], asked: str | Asked) -> Expr:
    """The `Expr` of an Array with plain indices."""
    batch: dict[str, bool] = {}
    for index in indices:
        if batch.setdefault(index.name, index.batch) != index.batch:
            raise NotationError(asked, f"{index} is a batch index at one axis only", "give one of them another name")
    dims: dict[Index, tuple[int, Dimension]] = {}
    for axis, (index, size) in enumerate(zip(indices, array.node.dims, strict=True)):
        first = dims.setdefault(index, (axis, size))
        if first[1] != size:
            raise DimensionError(
                asked, f"index {index}: axis {first[0]} has {first[1]}, axis {axis} has {size}", "use another index"
            )
    out = [index for index in dict.fromkeys(indices) if index.batch or indices.count(index) == 1]
    summed = frozenset(index.name for index in indices if index not in out)
    if any(indices.count(index) > 2 and not index.batch for index in indices):
        index = next(index for index in indices if indices.count(index) > 2)
        raise NotationError(asked, f"{index} occurs {indices.count(index)} times", "use ic.einsum, or a batch index")
    node = einsum(1, [(array.node, [index.name for index in indices])], [index.name for index in out])
    return Expr(node, out, array.inputs, summed=summed)


def selected(array: Array, keys: Sequence[Any], asked: str | Asked) -> Array:
    """The entries of an Array as NumPy picks them; a symbolic dimension is taken to be long enough.

    A column picked from stays a column; what integers leave with one axis stands as vectors are meant in the Array.

    >>> import indexcalc as ic
    >>> X = ic.tensor("X", "n m")
    >>> X[0].shape, X[:, 1:].shape, X[..., None, -1].shape, X[::-1, :2].shape
    ((m,), (n, m - 1), (n, 1), (n, 2))
    """
    full = _full(array, keys, asked)
    factors: list[Any] = [(array.node, range(array.order))]
    out: list[Any] = []
    ones: dict[Any, Dimension] = {}
    left = iter(array.places)
    for number, key in enumerate(full):
        if key is None:
            ones["new", number] = 1
            out.append(("new", number))
            continue
        place = next(left)
        if place is None:
            _along_unit(key, asked)
            out += [None] if isinstance(key, slice) else []
        elif isinstance(key, slice):
            size = array.node.dims[place]
            picked = _range(key, size, asked)
            out.append(place)
            if not picked.whole:
                out[-1] = ("part", place)
                factors.append((selection_of(picked), (out[-1], place)))
        else:
            factors.append(_entry(key, array.node.dims[place], place, asked))
    node = einsum(1, factors, [label for label in out if label is not None], ones)
    if None in out and node.order:
        return array_from(node, [array], ascending(label is not None for label in out))
    return array_from(node, [array]) if None in full else standing_array(node, [array])


def _full(array: Array, keys: Sequence[Any], asked: str | Asked) -> list[Any]:
    """One key for each axis that is shown, and those that make new axes; integers are plain ones."""
    found: list[Any] = []
    for key in keys:
        if isinstance(key, Index | Affine):
            first = ", ".join(":" if isinstance(one, Index | Affine) else _written(one) for one in keys)
            fresh = (letter for letter in "jklmpq" if letter not in map(str, keys))
            left = ", ".join(
                str(one) if isinstance(one, Index | Affine) else next(fresh) for one in keys if not _is_integer(one)
            )
            whole = str(array) if str(array).isidentifier() else f"({array})"
            instead = f"pick entries first, then name the axes that are left: {whole}[{first}][{left}]"
            raise KindError(asked, f"{key} is an index, beside keys that are none", instead)
        if key is None or key is Ellipsis or isinstance(key, slice | Dim):
            found.append(key)
            continue
        if not _is_integer(key):
            found_text = f"{key!r} is {'an' if isinstance(key, View) else 'a'} {type(key).__name__}, no index"
            instead = 'make one: i = ic.index("i"); or give integers and slices'
            chosen = "choose entries by ic.where(c, x, 0), or count those that do by a product with c"
            raise KindError(asked, found_text, chosen if isinstance(key, View) else instead)
        found.append(operator.index(key))
    used = sum(key is not None and key is not Ellipsis for key in found)
    if used > array.ndim:
        raise NotationError(
            asked, f"{counted(used, 'key')} for {counted(array.ndim, 'axis')}", "give at most one for each axis"
        )
    rest = [slice(None)] * (array.ndim - used)
    places = [k for k, key in enumerate(found) if key is Ellipsis]
    if len(places) > 1:
        raise NotationError(asked, "`...` occurs twice", "write it once")
    at = places[0] if places else len(found)
    return [*found[:at], *rest, *found[at + 1 :]]


def _along_unit(key: Any, asked: str | Asked) -> None:
    """A unit axis has the one entry 0."""
    whole = isinstance(key, slice) and (key.start, key.stop) in ((None, None), (0, None), (None, 1), (0, 1))
    if not whole and key not in (0, -1):
        raise NotationError(asked, "an axis of dimension 1 has the entry 0 alone", "write 0 or `:`")


def _entry(key: Dimension, size: Dimension, place: int, asked: str | Asked) -> tuple[Any, tuple[Any, ...]]:
    """The factor that picks one entry along an axis."""
    if isinstance(size, int) and isinstance(key, int):
        if not -size <= key < size:
            raise NotationError(asked, f"entry {key} of an axis of dimension {size}", f"they are 0 to {size - 1}")
        key %= size
    if isinstance(key, int) and key >= 0:
        return constant("unit", (size,), (key,)), (place,)
    return selection_of(one_entry(_from_start(key, size), size)), (("entry", place), place)


def _range(key: slice, size: Dimension, asked: str | Asked) -> Range:
    """The entries that a slice picks along an axis of this dimension."""
    start, stop, step = (_bound(value, asked) for value in (key.start, key.stop, key.step))
    step = 1 if step is None else step
    if not isinstance(step, int) or step == 0:
        raise NotationError(asked, f"the step {step}", "a step is an integer, and not 0")
    if all(not isinstance(value, Dim) for value in (start, stop, size)):
        run = range(*slice(start, stop, step).indices(size))  # type: ignore[arg-type]
        return Range(run.start if run else 0, step, len(run), size)
    ends: tuple[Dimension, Dimension] = (0, size) if step > 0 else (size - 1, -1)
    first = ends[0] if start is None else _from_start(start, size)
    last = ends[1] if stop is None else _from_start(stop, size)
    count = steps_between(first, last, step)
    if count is None:
        found = f"how many entries these are depends on the value of {last - first}"
        raise NotationError(asked, found, "give bounds that are a multiple of the step apart: X[0:6:2], X[::2] of 2*n")
    if falls(count):
        order = "smaller" if step > 0 else "larger"
        raise NotationError(asked, f"it begins at {first} and ends at {last}", f"write the {order} bound first")
    return Range(first, step, count, size)


def _from_start(bound: Dimension, size: Dimension) -> Dimension:
    """A bound as a place counted from the start: `-3` and `-k` count from the end."""
    return size + bound if falls(bound) else bound


def _bound(value: Any, asked: str | Asked) -> Dimension | None:
    if value is None or isinstance(value, Dim):
        return value
    if not _is_integer(value):
        raise KindError(asked, f"a bound {value!r}", "write integers, or dimensions such as X.shape[0]")
    return operator.index(value)


def _is_integer(value: Any) -> bool:
    """Is this a Python or NumPy integer?"""
    try:
        operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool) and getattr(value, "ndim", 0) == 0


def selection(start: object, step: int, size: object, length: object) -> Array:
    """The matrix of a slice: row k has a 1 in column `start + k*step`; a negative start counts from the end.

    >>> selection(1, 2, 3, "n").shape
    (3, n)
    """
    first = start if isinstance(start, int) else dim(start)
    return Array(constant("selection", (dim(size), dim(length)), (first, step)))
