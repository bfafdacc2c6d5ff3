"""`.equals`: is it mathematically equal? By form, exactly modulo primes, or by numbers.

The answer says which, and where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexcalc.equality.branches import said
from indexcalc.equality.decide import Decision, decide
from indexcalc.errors import Asked, DimensionError, KindError
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Node
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr, lifted, meet
from indexcalc.views.view import View, is_number

NOT_MET = "; not met: "
"""What stands in `how` before the sides on which nothing was compared."""


@dataclass(frozen=True, slots=True)
class Equality:
    """An answer, and how it was found; true where both have the same values wherever both exist.

    `where` says where they were found equal, if that is not everywhere: the answer is true where outside of it only
    one of both exists, and not true where they differ there, or were not compared.
    """

    equal: bool
    how: str
    where: str = ""

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        where = f"equal where {self.where}" if self.where else ""
        doubt = "not decided" if NOT_MET in self.how else "different"
        verdict = where or "equal" if self.equal else ", ".join(filter(None, (doubt, where)))
        return f"{verdict} ({self.how})"


def equals(first: View, other: object) -> Equality:
    """Whether two expressions have the same values wherever both exist.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s")
    >>> print(ic.sin(2*s).equals(2*ic.sin(s)*ic.cos(s)))
    equal (by numbers: ... random inputs in float64)
    >>> print(ic.abs(s).equals(s))
    different, equal where s > 0 (by numbers: ...)
    """
    pair = _pair(first, other)
    if isinstance(pair, str):
        return Equality(False, pair)
    one, second, inputs = pair
    return _answer(decide(one, second, inputs, partial=True))


def _answer(found: Decision) -> Equality:
    where = said(found.where, shown)
    how = found.how
    if found.missing and not found.differ:
        how += f"{NOT_MET}{', '.join(said(row, shown) for row in found.missing)}"
    return Equality(found.equal, how, where)


def shown(node: Node) -> str:
    """A node as it is written in matrix notation."""
    return str(Array(node, inputs_of(node)))


def _pair(first: View, other: object) -> Any:
    """The nodes of both with the same axes, and their inputs; a text where their axes differ."""
    asked = Asked(lambda: f"({first}).equals({other})")
    if isinstance(first, Expr):
        second = lifted(other, first, "equals")
        if set(first.free) != set(second.free):
            return f"free indices {', '.join(map(str, first.free))} against {', '.join(map(str, second.free))}"
        try:
            meet([first, second], "equals")
        except DimensionError as error:
            return error.found
        inputs = first.inputs | second.inputs
        one, two = (view.array(*first.free).node for view in (first, second))
        if one.dims == two.dims:
            return one, two, inputs
        gap = first - second  # which gives a delta that met no tensor its dimension
        return gap.array(*first.free).node, (gap * 0).array(*first.free).node, inputs
    assert isinstance(first, Array)
    if is_number(other):
        other = first * 0 + other
    if isinstance(other, Expr) and not other.order:
        other = Array(other.node, other.inputs)
    if not isinstance(other, Array):
        raise KindError(asked, f"a {type(other).__name__} against an Array", "compare two Arrays, or two Exprs")
    if (first.shape, first.places) != (other.shape, other.places):
        return f"shapes {first.shape} against {other.shape}"
    return first.node, other.node, first.inputs | other.inputs
