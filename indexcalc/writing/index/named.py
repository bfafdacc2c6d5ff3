"""What stands in index notation as a name with subscripts: tensors, definitions, functions of whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.functions.entries.choosing import ONE_HOT, chooser_of
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import is_zero, sample_arrays, transpose
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Variable,
)
from indexcalc.index import unknown
from indexcalc.writing.index.words import fresh_names
from indexcalc.writing.known import constant_piece, joined_piece
from indexcalc.writing.syntax import Applied, Filled, Grouped, Named, Names, Piece, Plain

Argument = Callable[[Node], Piece]
"""How an array is written as an argument of a function: its name, or its entries in braces."""


def named_piece(node: Node, subs: Names, argument: Argument) -> Piece:
    """The name of a node with its subscripts; `argument` writes the arrays inside it.

    >>> from indexcalc.graph.constructors import variable
    >>> named_piece(variable("A", (2, 2)), ("i", "j"), lambda inner: Named(inner.name))
    Named(name='A', subs=('i', 'j'), latex='')
    """
    if is_zero(node):
        return Filled("zeros", node.dims, subs) if node.order else Plain(0)
    return NAMED[type(node)](node, subs, argument)


def filled_piece(node: Node) -> Filled | None:
    """A node as `eye` or `ones` of its dimensions; None if it is neither."""
    plain = isinstance(node, Product) and not node.factors and node.coef == 1 and node.bound == 0
    if not plain or not isinstance(node, Product) or any(map(unknown, node.dims)):
        return None
    if node.out == (0, 0):
        return Filled("eye", node.dims[:1])
    return Filled("ones", node.dims) if len(set(node.out)) == node.order else None


def is_upright(node: Node) -> bool:
    """Is the name of this node, without indices, the array with its axes as they are?"""
    if (found := chooser_of(node)) is not None:
        return (*found.labels, found.place) == tuple(range(node.order))
    if not isinstance(node, Reduction) or not node.keeps:
        return True
    return not reduction_row(node.fn).turned and node.axes == (node.order - 2, node.order - 1)


def _called(node: Call, subs: Names, argument: Argument) -> Piece:
    """An abstract function of arrays, or its derivative: a gradient that has a name is written as that."""
    if node.is_gradient:
        return Named(node.name, subs)
    return called_piece(node, tuple(map(argument, sample_arrays(node))), subs)


def called_piece(node: Call, args: tuple[Piece, ...], subs: Names = ()) -> Piece:
    """An abstract function, or its derivative, of what is written so."""
    primes = node.function.primes(node.orders)
    return Applied(node.name, args, subs, node.function.name, node.orders, (), primes, node.function.latex)


def _applied(node: Matrix, subs: Names, argument: Argument) -> Piece:
    """A matrix function, or its derivative in directions."""
    times = (node.times,) if node.times else ()
    return Applied(node.name, tuple(map(argument, node.children)), subs, node.fn, times, node.params)


def _whole(node: Reduction, subs: Names, argument: Argument) -> Piece:
    """A function of whole matrices, which are put last among the axes of its argument."""
    row, last = reduction_row(node.fn), tuple(range(node.child.order))[-2:]
    front = [axis for axis in range(node.child.order) if axis not in node.axes]
    child = transpose(node.child, [*front, *node.axes]) if node.axes != last else node.child
    if subs and row.keeps:
        ends = [subs[axis] for axis in node.axes]
        subs = (*(subs[axis] for axis in front), *(reversed(ends) if row.turned else ends))
    return Applied(row.matrix, (argument(child),), subs)


def _grouped(node: Regroup, subs: Names, argument: Argument) -> Piece:
    """Axes joined and split, as a pattern."""
    fresh = fresh_names(())
    letters = [next(fresh) for _ in node.sizes]
    inner = tuple(tuple(letters[x] for x in group) for group in node.inner)
    outer = tuple(tuple(letters[x] for x in group) for group in node.outer)
    sizes = tuple((letters[x], node.sizes[x]) for group in node.inner if len(group) > 1 for x in group)
    return Grouped(argument(node.child), inner, outer, sizes, subs)


def _one_hot(node: Elementwise, subs: Names, argument: Argument) -> Piece:
    """A bracket of integers and places, which come last."""
    found = chooser_of(node)
    assert found is not None, "functions of entries are spelled out"
    where = tuple(subs[axis] for axis in (*found.labels, found.place)) if subs else ()
    return Applied(ONE_HOT, (argument(found.integers),), where, params=(node.dims[found.place],))


def _filled(node: Product, subs: Names, argument: Argument) -> Piece:
    """An identity, of which entries are taken at affine indices."""
    found = filled_piece(node)
    assert found is not None, "products are spelled out"
    return found._replace(subs=subs)


NAMED: dict[type[Node], Callable[[Any, Names, Argument], Piece]] = {
    Variable: lambda node, subs, argument: Named(node.label, subs, node.latex),
    Constant: lambda node, subs, argument: constant_piece(node, subs),
    Definition: lambda node, subs, argument: Named(node.label, subs),
    Elementwise: _one_hot,
    Product: _filled,
    Regroup: lambda node, subs, argument: joined_piece(node, subs) or _grouped(node, subs, argument),
    Reduction: _whole,
    Matrix: _applied,
    Call: _called,
}
"""How each kind is named. Sums have no name, nor products but identities, nor functions of entries but brackets."""
