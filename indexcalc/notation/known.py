"""Pieces of known tensors: written as calls, `unit(2, n)[i]`, `tril(ones(n, n))[i,j]`, `commutation(m, n)[i,j]`."""

from __future__ import annotations

from indexcalc.graph.node import Constant, Product, Regroup
from indexcalc.index import Dimension
from indexcalc.notation.pieces import Applied, Filled, Grouped, Named, Names, Piece


def constant_piece(node: Constant, subs: Names) -> Piece:
    """A known tensor with these subscripts: its name, or a call with its parameters and dimensions.

    >>> from indexcalc.graph.node import constant
    >>> constant_piece(constant("unit", (3,), (2,)), ("i",)).params
    (2, 3)
    """
    if node.label == "tril":
        return Applied("tril", (Filled("ones", node.dims),), subs, params=node.params)
    if node.label == "duplication":
        size = node.dims[0]
        split, whole = (("j", "i"), ("k",)), (("i",), ("j",), ("k",))
        return Grouped(_duplication(size, ()), split, whole, (("j", size), ("i", size)), subs)
    if node.params:
        return Applied(node.label, (), subs, params=(*node.params, *node.dims))
    return Named(node.label, subs)


def _duplication(size: Dimension, subs: Names) -> Piece:
    return Applied("duplication", (), subs, params=(size,))


def joined_piece(node: Regroup, subs: Names) -> Piece | None:
    """Axes joined to a commutation or a duplication matrix, as a call; None for any other."""
    if len(node.outer) != 2 or any(len(group) != 1 for group in node.inner):
        return None
    axis = {group[0]: place for place, group in enumerate(node.inner)}
    rows, columns = (tuple(axis[label] for label in group) for group in node.outer)
    child = node.child
    if isinstance(child, Constant) and child.label == "duplication":
        return _duplication(child.dims[0], subs) if {*rows} == {0, 1} and columns == (2,) else None
    if not isinstance(child, Product) or child.factors or child.coef != 1 or len(rows) != 2 or len(columns) != 2:
        return None
    (a, b), (c, d) = ([child.out[place] for place in places] for places in (rows, columns))
    if child.bound or a == b or (a, b) != (d, c):
        return None
    return Applied("commutation", (), subs, params=(child.sizes[a], child.sizes[b]))
