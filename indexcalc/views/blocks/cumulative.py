"""Sums and products of the entries up to each one, along an axis.

A cumulative sum is a product with the triangle of ones, which no program builds: linear, so that its derivative is the
sum from the other end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.errors import NotationError, counted
from indexcalc.graph.constructors import constant, einsum, reduction
from indexcalc.graph.node import Node
from indexcalc.surface import public
from indexcalc.views.array import Array, array_from
from indexcalc.views.blocks.along import asked_for, flat, in_either_view, same_places, views_of
from indexcalc.views.expr import Expr
from indexcalc.views.functions.calling import axes_named


@public
def cumsum(x: Any, *args: Any, axis: Any = None) -> Expr | Array:
    """The sums of the entries up to each one along an axis, as NumPy has it: y_k = x_0 + ... + x_k.

    The axis of an Array is a number, that of an Expr an index, which need not be named where there is one; without an
    axis the entries of an Array are taken row by row.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.cumsum(x), ic.cumsum(x) == ic.tril(ic.ones("n", "n")) @ x
    (cumsum(x), True)
    >>> ic.cumsum(x).evaluate(x=[1, 2, 3])
    array([1., 3., 6.])
    """
    return _along(cumsum.__name__, x, args, axis, _summed)


@public
def cumprod(x: Any, *args: Any, axis: Any = None) -> Expr | Array:
    """The products of the entries up to each one along an axis, as NumPy has it: y_k = x_0 ... x_k.

    Axes are named as those of `cumsum`. The derivative of y_k by x_j, j <= k, is the product of the others up to k: it
    holds where entries are 0.

    >>> import indexcalc as ic
    >>> ic.cumprod(ic.tensor("x", "n")).evaluate(x=[2, 0, 3])
    array([2., 0., 0.])
    """
    name = cumprod.__name__
    return _along(name, x, args, axis, lambda node, place: reduction(name, node, (place,), True))


def _summed(node: Node, axis: int) -> Node:
    size, labels = node.dims[axis], list(range(node.order))
    labels[axis] = node.order
    return einsum(1, [(constant("tril", (size, size)), (axis, node.order)), (node, labels)], range(node.order))


def _along(name: str, x: Any, args: tuple[Any, ...], axis: Any, function: Callable[[Node, int], Node]) -> Expr | Array:
    """The function of the entries along an axis."""
    asked = asked_for(name, x, **{} if axis is None else {"axis": axis})
    (view,) = views_of(name, [x], asked)
    named = axes_named(name, view, args, axis)
    if named is None:
        if isinstance(view, Array):
            view, named = flat(view)
        elif len(view.free) != 1:
            found = f"which of the indices {', '.join(map(str, view.free)) or 'none'}?"
            raise NotationError(asked, found, f"name one: ic.{name}(x[i], axis=i)")
        else:
            named = view.free
    if len(named) != 1:
        raise NotationError(asked, counted(len(named), "axis"), f"{name} runs along one: axis=0")

    def made(own: list[Array], number: int) -> Array:
        (node,), place, places = same_places(own, number)
        return array_from(function(node, place), own, places)

    return in_either_view(name, [view], named[0], asked, made)
