"""Arrays joined: parts beside each other along an axis, along a new one, in blocks, and copies of one.

A joined array is a sum of its parts, each put into its places by a transposed selection, so its derivative by a part is
a slice, and no kind of node is needed for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.graph.constructors import addition, constant, einsum, regroup
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Range, selection_of
from indexcalc.index import Dim, Dimension, Index, dim
from indexcalc.surface import is_integer, public
from indexcalc.views.array import Array, array_from
from indexcalc.views.blocks.along import asked_for, axis_of, flat, in_either_view, named, same_places, views_of
from indexcalc.views.expr import Expr
from indexcalc.views.functions.arguments import opened
from indexcalc.views.placed import true_axes


class Parts(NamedTuple):
    """An array as its parts: nodes, and by axis where each begins; `dims` has the dimensions of all of it."""

    parts: tuple[tuple[Node, tuple[Dimension, ...]], ...]
    dims: tuple[Dimension, ...]

    @property
    def node(self) -> Node:
        """The sum of the parts, each in its places."""
        terms = [(1, _placed(node, starts, self.dims), range(len(self.dims))) for node, starts in self.parts]
        return addition(terms, self.dims)


def whole(node: Node) -> Parts:
    """A node as its only part."""
    return Parts(((node, (0,) * node.order),), node.dims)


def _placed(node: Node, starts: Sequence[Dimension], dims: Sequence[Dimension]) -> Node:
    """A node in its places, beside which all is 0."""
    out = list(range(node.order))
    factors: list[tuple[Any, ...]] = []
    for axis, (start, size, length) in enumerate(zip(starts, node.dims, dims, strict=True)):
        if size == length:
            continue
        out[axis] = node.order + axis
        if size == 1 and isinstance(start, int):
            factors.append((constant("unit", (length,), (start,)), (out[axis],)))
        else:
            factors.append((selection_of(Range(start, 1, size, length)), (axis, out[axis])))
    return einsum(1, [(node, range(node.order)), *factors], out)


def beside(pieces: Sequence[Parts], axis: int, asked: str | Asked) -> Parts:
    """Pieces beside each other along an axis; all others are equal, or it is an error.

    >>> from indexcalc.graph.constructors import variable
    >>> beside([whole(variable("x", (2,))), whole(variable("y", (3,)))], 0, "x, y").dims
    (5,)
    """
    first, end = pieces[0].dims, 0
    parts = []
    for number, piece in enumerate(pieces):
        for k, (one, other) in enumerate(zip(first, piece.dims, strict=True)):
            if k != axis and one != other:
                found = f"axis {k}: part 0 has {one}, part {number} has {other}"
                raise DimensionError(asked, found, "parts differ along the axis alone along which they are joined")
        parts += [(node, (*at[:axis], at[axis] + end, *at[axis + 1 :])) for node, at in piece.parts]
        end = end + piece.dims[axis]
    return Parts(tuple(parts), (*first[:axis], end, *first[axis + 1 :]))


@public
def concatenate(arrays: Any, axis: Any = 0) -> Expr | Array:
    """The arrays beside each other along an axis that they have, as NumPy has it; of Exprs `axis` is their index.

    Its derivative by a part is the slice that the part takes. With `axis=None` all entries in one vector.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "m")
    >>> z = ic.concatenate([x, y]); z, z.shape
    (concatenate([x, y]), (m + n,))
    >>> ic.grad((z**3).sum(), y)
    3*y**2
    """
    asked = asked_for("concatenate", arrays, axis=axis)
    views = views_of("concatenate", arrays, asked)
    if axis is None and isinstance(views[0], Array):
        views = [flat(one)[0] for one in views]
        axis = true_axes(views[0])[0]

    def made(own: list[Array], number: int) -> Array:
        counts = {one.ndim for one in own}
        if len(counts) > 1:
            found = f"{own[0]} has {counted(own[0].ndim, 'axis')}, another has {max(counts - {own[0].ndim})}"
            raise NotationError(asked, found, "give all of them as many axes: x[None], x[:, None]")
        nodes, place, places = same_places(own, number)
        return array_from(beside(list(map(whole, nodes)), place, asked).node, own, places)

    if isinstance(views[0], Array) and not views[0].ndim:
        raise NotationError(asked, f"{views[0]} has no axis", "write ic.stack([a, b]) for numbers")
    return in_either_view("concatenate", views, axis, asked, made)


@public
def stack(arrays: Any, axis: Any = 0) -> Expr | Array:
    """The arrays, all of one shape, along a new axis; of Exprs `axis` is a new index.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
    >>> ic.stack([x, y]).shape, ic.stack([x, y], axis=-1)[:, 0] == x
    ((2, n), True)
    """
    asked = asked_for("stack", arrays, axis=axis)
    views = views_of("stack", arrays, asked)
    first = views[0]
    if isinstance(first, Expr):
        if not isinstance(axis, Index) or axis in first.free:
            raise NotationError(asked, "the new axis of what has indices is a new index", "write axis=k")
        own = [one.array(*first.free) for one in views]
        return named(array_from(_stacked(own, 0, asked), own), (axis, *first.free))
    number = axis_of(first[None], axis, asked)
    return array_from(_stacked(views, number, asked), views)


def _stacked(arrays: Sequence[Array], axis: int, asked: Asked) -> Node:
    nodes = [opened(one) for one in arrays]
    for node in nodes:
        if node.dims != nodes[0].dims:
            raise DimensionError(asked, f"{nodes[0].dims} meets {node.dims}", "all have one shape")
    return beside([whole(_with_ones(node, axis)) for node in nodes], axis, asked).node


def _with_ones(node: Node, *axes: int) -> Node:
    """A node with new axes of dimension 1, counted in the result."""
    out: list[Any] = list(range(node.order))
    for axis in axes:
        out.insert(axis, ("one", axis))
    return einsum(1, [(node, range(node.order))], out, {label: 1 for label in out if isinstance(label, tuple)})


@public
def block(arrays: Any) -> Array:
    """The array of blocks in nested lists, as NumPy has it: the innermost lists are joined along the last axis.

    A list in a list is a matrix of blocks, `ic.block([[A, B], [C, D]])`; a column and a row, declared as such, and
    numbers have their places in it. Zero blocks take nothing.

    >>> import indexcalc as ic
    >>> A, b = ic.tensor("A", "n n"), ic.column("b", "n")
    >>> ic.block([[A, b], [b.T, 1]]).shape
    (n + 1, n + 1)
    """
    asked = Asked(lambda: f"block({_nested(arrays)})")
    if not isinstance(arrays, list):
        raise KindError(asked, f"a {type(arrays).__name__} is no list of blocks", "write ic.block([[A, B], [C, D]])")
    depth = _depth(arrays, asked)
    views = views_of("block", _leaves(arrays), asked)
    if any(isinstance(one, Expr) for one in views):
        raise NotationError(asked, "a block has indices", "write the Arrays, ic.block([[A, B]]), then index: [i,j]")
    order = max(depth, *(one.ndim for one in views))
    nodes = iter([_with_ones(opened(one), *range(order - one.ndim)) for one in views])

    def joined(row: Any, level: int) -> Parts:
        if not isinstance(row, list):
            return whole(next(nodes))
        return beside([joined(one, level - 1) for one in row], order - level, asked)

    return array_from(joined(arrays, depth).node, views)


def _nested(given: Any) -> str:
    return f"[{', '.join(map(_nested, given))}]" if isinstance(given, list) else str(given)


def _depth(given: Any, asked: Asked) -> int:
    """How many lists stand in each other, the same everywhere."""
    if not isinstance(given, list):
        return 0
    found = {_depth(one, asked) for one in given}
    if len(found) != 1:
        raise NotationError(asked, "lists of different depths, or an empty one", "write [[A, B], [C, D]]")
    return 1 + found.pop()


def _leaves(given: Any) -> list[Any]:
    return [leaf for one in given for leaf in _leaves(one)] if isinstance(given, list) else [given]


@public
def tile(A: Any, reps: Any) -> Array:
    """The array repeated so many times along each axis, as NumPy has it; a number is meant for the last axis.

    >>> import indexcalc as ic
    >>> ic.tile(ic.tensor("x", "n"), 3).shape, ic.tile(ic.tensor("A", "n m"), (2, 1)).shape
    ((3*n,), (2*n, m))
    """
    asked = asked_for("tile", A, reps=reps)
    if isinstance(A, Expr):
        raise NotationError(asked, f"{A} has indices", f"write the Array, (...).array({', '.join(map(str, A.free))})")
    (array,) = views_of("tile", [A], asked)
    times = [_count(one, asked) for one in (reps if isinstance(reps, tuple | list) else (reps,))]
    node = _with_ones(opened(array), *range(max(0, len(times) - array.ndim)))
    times = [*[1] * (node.order - len(times)), *times]
    count = node.order
    copies = [count + axis for axis, number in enumerate(times) if number != 1]
    sizes = (*node.dims, *(number for number in times if number != 1))
    if not copies:
        return array_from(node, [array])
    repeated = einsum(1, [(node, range(count))], [*range(count), *range(count, len(sizes))], dict(enumerate(sizes)))
    place = {axis: count + k for k, axis in enumerate(label - count for label in copies)}
    groups = [(place[axis], axis) if axis in place else (axis,) for axis in range(count)]
    return array_from(regroup(repeated, [(label,) for label in range(len(sizes))], groups, sizes), [array])


def _count(value: Any, asked: Asked) -> Dimension:
    """How many times: an integer, or a dimension."""
    if not isinstance(value, Dim) and (not is_integer(value) or value < 0):
        raise KindError(
            asked, f"{value!r} is no number of times", "write an integer, or a dimension such as x.shape[0]"
        )
    return dim(value)
