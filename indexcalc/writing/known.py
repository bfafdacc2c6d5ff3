"""Pieces of known tensors: written as calls, `unit(2, n)[i]`, `tril(ones(n, n))[i,j]`, `commutation(m, n)[i,j]`."""

from __future__ import annotations

from indexcalc.functions.entries.choosing import ARANGE, LISTED
from indexcalc.graph.node import Constant, Node, Product, Regroup
from indexcalc.graph.ranges import range_of
from indexcalc.writing.slices import slice_text
from indexcalc.writing.syntax import (
    Applied,
    Filled,
    Grouped,
    Named,
    Names,
    Picked,
    Piece,
)

PLACES = {"duplication": True, "elimination": False, "voigt": False}
"""Constants with three axes, of which two make the rows of a matrix that has a name (True), or its columns."""


def constant_piece(node: Constant, subs: Names) -> Piece:
    """A known tensor with these subscripts: its name, or a call with its parameters and dimensions.

    >>> from indexcalc.graph.constructors import constant
    >>> constant_piece(constant("unit", (3,), (2,)), ("i",)).params
    (2, 3)
    """
    if node.label == "tril":
        return Applied("tril", (Filled("ones", node.dims),), subs, params=node.params)
    if node.label in PLACES:
        size = node.dims[0]
        pair, whole = ("j", "i"), (("i",), ("j",), ("k",))
        split: tuple[Names, ...] = (pair, ("k",)) if PLACES[node.label] else (("k",), pair)
        return Grouped(_places(node, ()), split, whole, (("j", size), ("i", size)), subs)
    if (found := range_of(node)) is not None:
        return Picked(Filled("eye", (found.length,)), (slice_text(found),), subs)
    if node.label == LISTED:
        return Applied(node.label, (), subs, params=node.params)
    if node.params or node.label == ARANGE:
        return Applied(node.label, (), subs, params=(*node.params, *node.dims))
    return Named(node.label, subs)


def selected_of(node: Node) -> Piece | None:
    """What a selection by itself is a part of, the unit matrix; None for what is no selection."""
    found = range_of(node)
    return None if found is None else Filled("eye", (found.length,))


def _places(node: Constant, subs: Names) -> Piece:
    return Applied(node.label, (), subs, params=(*node.params, node.dims[0]))


def places_matrix(node: Regroup) -> tuple[Constant, bool] | None:
    """The constant that makes this a matrix that has a name, and whether it is transposed.

    The first two axes of the constant are joined as a column-major vec; None for anything else.

    >>> import indexcalc as ic
    >>> places_matrix(ic.voigt("strain", 2).node)
    (<constant ... dims=(2, 2, 3)>, False)
    """
    child = node.child
    if not isinstance(child, Constant) or child.label not in PLACES or len(node.outer) != 2:
        return None
    if any(len(group) != 1 for group in node.inner):
        return None
    axis = {group[0]: place for place, group in enumerate(node.inner)}
    groups = [tuple(axis[label] for label in group) for group in node.outer]
    joined = next((group for group in groups if len(group) == 2), ())
    if joined != (1, 0) and (joined != (0, 1) or child.label == "elimination"):
        return None
    return child, (len(groups[0]) == 2) != PLACES[child.label]


def joined_piece(node: Regroup, subs: Names) -> Piece | None:
    """Axes joined to a commutation or a duplication matrix, or their like, as a call; None for any other."""
    named = places_matrix(node)
    if named is not None:
        return None if named[1] else _places(named[0], subs)
    if len(node.outer) != 2 or any(len(group) != 1 for group in node.inner):
        return None
    axis = {group[0]: place for place, group in enumerate(node.inner)}
    rows, columns = (tuple(axis[label] for label in group) for group in node.outer)
    child = node.child
    if not isinstance(child, Product) or child.factors or child.coef != 1 or len(rows) != 2 or len(columns) != 2:
        return None
    (a, b), (c, d) = ([child.out[place] for place in places] for places in (rows, columns))
    if child.bound or a == b or (a, b) != (d, c):
        return None
    return Applied("commutation", (), subs, params=(child.sizes[a], child.sizes[b]))
