"""`.equals`: is it mathematically equal? By canonical form, else by numbers; the answer says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from indexcalc.equality.points import random_points
from indexcalc.errors import Asked, DimensionError, KindError
from indexcalc.graph.constructors import addition
from indexcalc.graph.node import Node
from indexcalc.simplify.passes import simplify
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr, lifted, meet
from indexcalc.views.view import View, is_number

TOLERANCE = 1e-9
POINTS = 4


@dataclass(frozen=True, slots=True)
class Equality:
    """An answer, and how it was found."""

    equal: bool
    how: str

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        return f"{'equal' if self.equal else 'different'} ({self.how})"


def equals(first: View, other: object) -> Equality:
    """Whether two expressions have the same values: by simplification of their difference, else at random inputs.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s")
    >>> print((ic.sin(s)**2 + ic.cos(s)**2).equals(1))
    equal (random evaluation: 4 points, largest difference ...)
    """
    difference = _difference(first, other)
    if isinstance(difference, str):
        return Equality(False, difference)
    if difference == 0:
        return Equality(True, "simplification")
    return _by_numbers(difference, first.node)


def _difference(first: View, other: object) -> Any:
    asked = Asked(lambda: f"({first}).equals({other})")
    if isinstance(first, Expr):
        second = lifted(other, first, "equals")
        if set(first.free) != set(second.free):
            return f"free indices {', '.join(map(str, first.free))} against {', '.join(map(str, second.free))}"
        try:
            meet([first, second], "equals")
        except DimensionError as error:
            return error.found
        return first - second
    assert isinstance(first, Array)
    if is_number(other):
        other = first * 0 + other
    if not isinstance(other, Array):
        raise KindError(asked, f"a {type(other).__name__} against an Array", "compare two Arrays, or two Exprs")
    if (first.shape, first.places) != (other.shape, other.places):
        return f"shapes {first.shape} against {other.shape}"
    axes = tuple(range(first.order))
    node = addition([(1, first.node, axes), (-1, other.node, axes)], first.node.dims)
    return Array(simplify([node])[0], first.inputs | other.inputs)


def _by_numbers(difference: View, reference: Node) -> Equality:
    worst, count = 0.0, 0
    for point, (gap, scale) in random_points([difference.node, reference], count=POINTS):
        limit = float(np.max(np.abs(scale), initial=1.0))
        found = float(np.max(np.abs(gap), initial=0.0)) / limit
        if found > TOLERANCE:
            here = point.sizes or "a point"
            return Equality(False, f"random evaluation at {here}: they differ by {found:.1e}, relative")
        worst, count = max(worst, found), count + 1
    if not count:
        return Equality(False, "random evaluation: at no point are both finite")
    return Equality(True, f"random evaluation: {count} points, largest difference {worst:.1e}")
