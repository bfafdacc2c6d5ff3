"""Whole numbers that choose entries: Iverson's bracket `[a_b = i]` between integers a and the places i of an axis.

A gather `x[a]` is the product `[a_b = i] x_i`, summed over i, and its transpose, which adds up what one place gets,
is the product `[a_b = i] g_b`, summed over b: so derivatives are those of products. The bracket is the comparison
`equal` of the integers with the places `arange(n)`, which is never made where it is a factor; integers below 0 count
from the end of the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from indexcalc.graph.constructors import as_number, constant, elementwise
from indexcalc.graph.node import (
    Constant,
    Definition,
    Elementwise,
    Labels,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
)
from indexcalc.graph.ranges import entries_taken
from indexcalc.index import Dimension


class Chooser(NamedTuple):
    """A bracket: its axes `labels` are those of the `integers`, axis `place` is the one along which they choose."""

    node: Node
    integers: Node
    labels: Labels
    place: int

    @property
    def name(self) -> str:
        """A name to speak of the integers by."""
        return self.integers.name


def chooser_of(node: Node) -> Chooser | None:
    """The integers of a bracket, and its axes; None for any other node.

    >>> from indexcalc.graph.constructors import variable
    >>> chooser_of(bracket(variable("a", (3,), ["integer"]), 5))[2:]
    ((0,), 1)
    """
    if type(node) is not Elementwise or node.fn != EQUAL:
        return None
    for (places, along), (integers, labels) in (node.args, node.args[::-1]):
        if not (type(places) is Constant and places.label == ARANGE and len(set(labels)) == len(labels)):
            continue
        if along[0] not in labels and len(labels) + 1 == node.order and is_whole(integers):
            return Chooser(node, integers, labels, along[0])
    return None


EQUAL, ARANGE, LISTED = "equal", "arange", "integers"
"""The names of the comparison, and of the known tensors that are places of an axis and integers as they are given."""
ONE_HOT = "one_hot"
"""How a bracket is written."""


def bracket(integers: Node, size: Dimension) -> Node:
    """`[a_b = i]`: the axes of the integers, then the places of an axis of this dimension.

    >>> bracket(listed([0, 2]), 3).dims
    (2, 3)
    """
    own, dims = tuple(range(integers.order)), (*integers.dims, size)
    return elementwise(EQUAL, [(integers, own), (constant(ARANGE, (size,)), (integers.order,))], dims)


def listed(values: Sequence[int]) -> Constant:
    """A vector of integers that are known.

    >>> listed([0, 2]).params
    (0, 2)
    """
    return constant(LISTED, (len(values),), tuple(int(value) for value in values))


def is_whole(node: Node) -> bool:
    """Are all entries integers, whatever numbers the variables have that were not declared to be?

    >>> from indexcalc.graph.constructors import variable
    >>> is_whole(variable("a", (3,), ["integer"])), is_whole(variable("x", (3,)))
    (True, False)
    """
    if isinstance(node, Variable):
        return "integer" in node.assumptions
    if isinstance(node, Constant):
        return node.label in WHOLE
    if isinstance(node, Reduction):
        return node.fn == PLACES_IN_ORDER
    if isinstance(node, Regroup | Definition):
        return is_whole(node.child)
    if isinstance(node, Sum):
        return all(type(t.coef) is int and _is_whole_factor(t.node) for t in node.terms)
    if not isinstance(node, Product) or type(node.coef) is not int:
        return False
    return all(type(f.exponent) is int and f.exponent > 0 and _is_whole_factor(f.node) for f in node.factors)


PLACES_IN_ORDER = "argsort"
"""The row whose values number entries."""
WHOLE = {ARANGE, LISTED}
"""The known tensors that number entries."""


def _is_whole_factor(node: Node) -> bool:
    """Is this a tensor of integers, what selects a part of one, a bracket, or an integer?"""
    if isinstance(node, Constant):
        return node.label in WHOLE or entries_taken(node) is not None
    return is_whole(node) or isinstance(as_number(node), int) or chooser_of(node) is not None


def run_of(values: Sequence[int]) -> tuple[int, int] | None:
    """The start and the step of integers that follow each other as those of a slice do; None for others.

    >>> run_of([1, 3, 5]), run_of([2, 0, 1])
    ((1, 2), None)
    """
    if len(values) < 2:
        return None
    steps = np.diff(values)
    return (int(values[0]), int(steps[0])) if steps[0] and (steps == steps[0]).all() else None
