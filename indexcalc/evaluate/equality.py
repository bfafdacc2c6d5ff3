"""`.equals`: is it mathematically equal? By canonical form, else by numbers; the answer says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from indexcalc.errors import Asked, DimensionError, KindError
from indexcalc.evaluate import run
from indexcalc.evaluate.declared import respecting
from indexcalc.graph.node import Call, Node, Variable, addition
from indexcalc.graph.simplify import simplify
from indexcalc.graph.walk import topological
from indexcalc.index import Dim
from indexcalc.index import size as evaluate_size
from indexcalc.notation.array import Array
from indexcalc.notation.expr import Expr, _lift, meet
from indexcalc.notation.view import View, is_number

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
        second = _lift(other, first, "equals")
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
    order = topological([difference.node, reference])
    if any(isinstance(node, Call) for node in order):
        return Equality(False, "canonical forms differ, and abstract functions have no numbers")
    rng = np.random.default_rng(0)
    variables = [node for node in order if isinstance(node, Variable)]
    symbols = sorted(
        {
            s
            for node in order
            for dim in (*node.dims, *getattr(node, "sizes", ()))
            if isinstance(dim, Dim)
            for s in dim.symbols
        }
    )
    worst = 0.0
    for point in range(POINTS):
        sizes = {name: 1 + (2 * k + point) % 4 for k, name in enumerate(symbols)}
        arrays = {v: rng.uniform(0.2, 0.9, tuple(evaluate_size(d, sizes) for d in v.dims)) for v in variables}
        arrays = {v: symmetrised(v, value) for v, value in arrays.items()}
        gap, scale = run.evaluate([difference.node, reference], arrays, sizes)
        limit = float(np.max(np.abs(scale), initial=1.0))
        found = float(np.max(np.abs(gap), initial=0.0)) / limit
        if not found <= TOLERANCE:
            return Equality(False, f"random evaluation at {sizes or 'a point'}: they differ by {found:.1e}, relative")
        worst = max(worst, found)
    return Equality(True, f"random evaluation: {POINTS} points, largest difference {worst:.1e}")


def symmetrised(variable: Node, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The entries made to be what the variable was declared with."""
    return respecting(variable, value)
