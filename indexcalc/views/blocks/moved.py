"""Entries along an axis moved round, and split."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

from indexcalc.errors import Asked, KindError, NotationError, counted
from indexcalc.graph.constructors import regroup
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Range, falls
from indexcalc.index import Dim, Dimension
from indexcalc.surface import is_integer, public
from indexcalc.views.array import Array, array_from
from indexcalc.views.blocks.along import (
    asked_for,
    flat,
    in_either_view,
    named,
    same_places,
    sliced,
    views_of,
)
from indexcalc.views.blocks.joined import beside, whole
from indexcalc.views.expr import Expr
from indexcalc.views.functions.arguments import opened


@public
def roll(x: Any, shift: Any, axis: Any = None) -> Expr | Array:
    """The entries moved by `shift` places along an axis, what leaves at the end comes in at the front, as in NumPy.

    Entry i of the result is entry i - shift of x. Shifts and axes may be tuples; a shift may be a dimension. Without an
    axis the entries are taken row by row. A symbolic axis is taken to be at least as long as the shift.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.roll(x, 1), ic.roll(x, 1)[1:], ic.roll(x, 1)[0].simplify()
    (roll(x, 1), x[:-1], x[-1])
    """
    asked = asked_for("roll", x, shift=shift, axis=axis)
    (view,) = views_of("roll", [x], asked)
    if isinstance(shift, tuple | list) or isinstance(axis, tuple | list):
        return _rolled_along(view, shift, axis, asked)
    if not isinstance(shift, Dim) and not is_integer(shift):
        raise KindError(asked, f"the shift {shift!r} is no integer", "write an integer, or a dimension")
    if axis is None and isinstance(view, Array):
        entries, (axis,) = flat(view)
        if view.order != 1:
            return _reshaped(roll(entries, shift, axis), view)

    def made(own: list[Array], number: int) -> Array:
        (node,), place, places = same_places(own, number)
        return array_from(_rolled(node, shift, place, asked), own, places)

    return in_either_view("roll", [view], axis, asked, made)


def _rolled_along(view: Array | Expr, shift: Any, axis: Any, asked: Asked) -> Expr | Array:
    axes = list(axis) if isinstance(axis, tuple | list) else [axis]
    shifts = list(shift) if isinstance(shift, tuple | list) else [shift] * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(axes) != len(shifts) or not axes:
        raise NotationError(
            asked, f"{counted(len(shifts), 'shift')} for {counted(len(axes), 'axis')}", "give one for each"
        )
    made: Any = view
    for one, own in zip(shifts, axes, strict=True):
        made = roll(made, one, own)
    return made  # type: ignore[no-any-return]


def _rolled(node: Node, shift: Dimension, axis: int, asked: Asked) -> Node:
    size = node.dims[axis]
    if isinstance(shift, int) and isinstance(size, int):
        shift = shift % size if size else 0
    if shift == 0 or shift == size:
        return node
    cut = -shift if falls(shift) else size - shift
    parts = [Range(cut, 1, size - cut, size), Range(0, 1, cut, size)]
    return beside([whole(sliced(node, axis, part)) for part in parts], axis, asked).node


def _reshaped(made: Any, like: Array) -> Array:
    """A vector in the shape of an array, row by row."""
    node = opened(like)
    if not node.order:
        return like
    single = [(axis,) for axis in range(node.order)]
    return array_from(regroup(made.node, [tuple(range(node.order))], single, node.dims), [like])


@public
def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    """The parts of an array along an axis: so many of one size, or those between the places of a list, as NumPy has it.

    >>> import indexcalc as ic
    >>> W = ic.tensor("W", "3*m d"); m = ic.tensor("b", "m").shape[0]
    >>> ic.split(W, 3)
    [W[:m], W[m:2*m], W[2*m:]]
    >>> [part.shape for part in ic.split(W, [m])]
    [(m, d), (2*m, d)]
    """
    asked = asked_for("split", x, indices_or_sections=indices_or_sections, axis=axis)
    (view,) = views_of("split", [x], asked)
    found: list[Any] = []

    def made(own: list[Array], number: int) -> Array:
        (node,), place, places = same_places(own, number)
        size = node.dims[place]
        for first, last in pairwise(_cuts(indices_or_sections, size, asked)):
            part = sliced(node, place, Range(first, 1, last - first, size))
            found.append(array_from(part, own, places))
        return own[0]

    in_either_view("split", [view], axis, asked, made)
    return [named(one, view.free) for one in found] if isinstance(view, Expr) else found


def _cuts(given: Any, size: Dimension, asked: Asked) -> list[Dimension]:
    """Where the parts begin and end."""
    if isinstance(given, tuple | list):
        cuts = [0, *(_cut(one, size, asked) for one in given), size]
        for first, last in pairwise(cuts):
            if falls(last - first):
                raise NotationError(asked, f"it is cut at {first}, then at {last}", "give places in their order")
        return cuts
    if not is_integer(given) or given < 1:
        raise KindError(asked, f"{given!r} is no number of parts", "write ic.split(x, 3), or a list of places")
    each = [coef / given for _, coef in size.terms] if isinstance(size, Dim) else []
    if (isinstance(size, int) and size % given) or any(coef.denominator > 1 for coef in each):
        raise NotationError(asked, f"{size} entries make no {given} parts of one size", "give a list of places")
    part = size // given if isinstance(size, int) else size / given
    return [part * k for k in range(given + 1)]


def _cut(value: Any, size: Dimension, asked: Asked) -> Dimension:
    if not isinstance(value, Dim) and not is_integer(value):
        raise KindError(asked, f"the place {value!r} is no integer", "write integers or dimensions")
    place = value if isinstance(value, Dim) else operator.index(value)
    place = size + place if falls(place) else place
    if isinstance(size, int) and isinstance(place, int):
        return min(max(place, 0), size)
    return place
