"""One axis of one view or several: that of an Array by number, that of an Expr by its index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from indexcalc.errors import Asked, KindError, NotationError
from indexcalc.graph.constructors import constant_number, einsum, regroup
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Range, selection_of
from indexcalc.index import Dim, Index
from indexcalc.views.array import Array, array_from, size_number
from indexcalc.views.expr import Expr
from indexcalc.views.functions.arguments import opened
from indexcalc.views.functions.calling import refused
from indexcalc.views.indexed import must_have
from indexcalc.views.placed import numbered_axes, true_axes
from indexcalc.views.view import View, is_number, to_number
from indexcalc.writing.standing import Places


def asked_for(name: str, x: object, **named: object) -> Asked:
    """What was asked, for an error."""

    def text() -> str:
        first = f"[{', '.join(map(str, x))}]" if isinstance(x, list | tuple) else str(x)
        return f"{name}({', '.join([first, *(f'{word}={value}' for word, value in named.items())])})"

    return Asked(text)


def views_of(name: str, given: object, asked: Asked) -> list[Any]:
    """The views in a list: all Arrays, or all Exprs with the same indices; numbers are Arrays without axes."""
    if isinstance(given, View) or not isinstance(given, list | tuple):
        raise KindError(asked, f"a {type(given).__name__} is no list of expressions", f"write ic.{name}([x, y])")
    if not given:
        raise NotationError(asked, "there is nothing to join", f"write ic.{name}([x, y])")
    made = [_view(name, one) for one in given]
    exprs = [one for one in made if isinstance(one, Expr)]
    if exprs and len(exprs) < len(made):
        raise KindError(asked, "some have indices, others places", "index all of them, or none")
    for one in exprs[1:]:
        if set(one.free) != set(exprs[0].free):
            found = f"{exprs[0]} has the indices {_listed(exprs[0])}, {one} has {_listed(one)}"
            raise NotationError(asked, found, "all have the same indices")
    return made


def _listed(x: Expr) -> str:
    return ", ".join(map(str, x.free)) or "none"


def _view(name: str, one: object) -> Array | Expr:
    if isinstance(one, Dim):
        return size_number(one)
    if is_number(one):
        return Array(constant_number(to_number(one)), frozenset())
    if not isinstance(one, Array | Expr):
        raise refused(name, one)
    return one


def in_either_view(
    name: str, views: Sequence[Any], axis: Any, asked: Asked, made: Callable[[list[Array], int], Array]
) -> Expr | Array:
    """What `made` gives of Arrays along an axis by number: of Exprs with the axis that an index names."""
    first = views[0]
    if isinstance(first, Array):
        return made(list(views), axis_of(first, axis, asked))
    if not isinstance(axis, Index):
        raise NotationError(
            asked, f"the axis of what has indices is one of {_listed(first)}", f"write axis={_one(first)}"
        )
    must_have(first, axis, asked)
    return named(made([one.array(*first.free) for one in views], first.free.index(axis)), first.free)


def named(array: Array, indices: Sequence[Index]) -> Expr:
    """An Array with its axes named."""
    return array[tuple(indices)]


def _one(x: Expr) -> str:
    return str(x.free[0]) if x.free else "i"


def axis_of(array: Array, axis: Any, asked: Asked) -> int:
    """An axis that is shown, by number, counted from 0."""
    if isinstance(axis, list | tuple) or axis is None:
        raise KindError(asked, f"the axis {axis!r} is no integer", "name one axis: axis=0")
    (found,) = numbered_axes(array, axis, asked)
    return found


def flat(array: Array) -> tuple[Array, tuple[int, ...]]:
    """All entries along one axis, row by row, as NumPy takes them where none is named; and which axis this is.

    A vector stays as it stands.
    """
    if array.order == 1:
        return array, true_axes(array)
    node = opened(array)
    single = [(axis,) for axis in range(node.order)]
    if not single:
        return array_from(einsum(1, [(node, ())], ["one"], {"one": 1}), [array]), (0,)
    return array_from(regroup(node, single, [tuple(range(node.order))], node.dims), [array]), (0,)


# ------------------------------------------------------------------ nodes


def same_places(arrays: Sequence[Array], axis: int) -> tuple[list[Node], int, Places | None]:
    """Nodes with the axis that is shown, which one it is, and the places that a result of all of them has.

    Unit axes that all show alike stay such, unless it is this one.
    """
    places = arrays[0].places
    place = places[axis]
    if all(array.places == places for array in arrays) and place is not None:
        return [array.node for array in arrays], place, places
    return [opened(array) for array in arrays], axis, None


def sliced(node: Node, axis: int, found: Range) -> Node:
    """The entries of a range of an axis."""
    if found.whole:
        return node
    labels = list(range(node.order))
    labels[axis] = node.order
    return einsum(1, [(node, labels), (selection_of(found), (axis, node.order))], range(node.order))
