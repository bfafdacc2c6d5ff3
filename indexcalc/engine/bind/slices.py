"""Slices at sizes that are known: one that takes what an axis does not have is an error that names both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexcalc.errors import InputError
from indexcalc.graph.node import Node, Product, Variable, topological
from indexcalc.graph.ranges import Range, entries_taken
from indexcalc.writing.slices import bracketed


def require_entries(roots: Sequence[Node], sizes: Mapping[str, int]) -> None:
    """Every slice takes entries of its axis, at these sizes, or it is an error.

    >>> from indexcalc.graph.constructors import constant, einsum, variable
    >>> from indexcalc.index import dim
    >>> part = constant("selection", (dim("n - 5"), dim("n")), (5, 1))
    >>> require_entries([einsum(1, [(part, "ij"), (variable("x", (dim("n"),)), "j")], "i")], {"n": 3})
    Traceback (most recent call last):
        ...
    indexcalc.errors.InputError: the slice x[5:]: it begins at entry 5, and axis 0 of x has 3 entries
      instead: give a longer input
    """
    order = topological(roots)
    for node in order:
        for found in entries_taken(node) or ():
            own = found.at(sizes)
            if not own.fits:
                _refuse(order, node, found, own)


def _refuse(order: Sequence[Node], node: Node, found: Range, own: Range) -> None:
    name, axis = _taken_from(order, node) if node.order < 3 else ("", 0)
    keys = bracketed([None] * axis + [found], [axis] if found.size == 1 else ())
    of = f"axis {axis} of {name}" if name else "the axis"
    low, high = own.ends
    if isinstance(own.size, int) and own.size < 0:
        entries = f"it begins at entry {own.start}"
    else:
        entries = f"it takes entry {low}" if own.size == 1 else f"it takes the entries {low} to {high}"
    has = f"{of} has {own.length} {'entry' if own.length == 1 else 'entries'}"
    raise InputError(f"the slice {name}{keys}", f"{entries}, and {has}", "give a longer input")


def _taken_from(order: Sequence[Node], node: Node) -> tuple[str, int]:
    """The name of a tensor that is sliced so, and the axis; no name where it is none."""
    for product in order:
        if not isinstance(product, Product):
            continue
        longs = {factor.labels[-1] for factor in product.factors if factor.node is node}
        for factor in product.factors:
            if isinstance(factor.node, Variable) and not longs.isdisjoint(factor.labels):
                return factor.node.label, next(k for k, x in enumerate(factor.labels) if x in longs)
    return "", 0
