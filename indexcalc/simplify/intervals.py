"""Between which numbers the entries of a node lie, for real inputs: a sign analysis by intervals.

What is known of a function is the column `range` of its row. Sums and products follow interval arithmetic, an even
power is not negative, and a sum over labels keeps a sign.
"""

from __future__ import annotations

from math import inf, isnan

from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
from indexcalc.graph.facts import counts
from indexcalc.graph.node import (
    Constant,
    Definition,
    Elementwise,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number

Interval = tuple[float, float]
ANY: Interval = (-inf, inf)


def bounds(roots: list[Node]) -> dict[Node, Interval]:
    """The interval of each node below the roots.

    >>> from indexcalc.graph.constructors import addition, elementwise, variable
    >>> s = elementwise("sigmoid", [(variable("x", (3,)), (0,))], (3,))
    >>> one_minus = addition([(-1, s, (0,)), (2, s, (0,))], (3,))
    >>> bounds([one_minus])[s]
    (0.0, 1.0)
    """
    found: dict[Node, Interval] = {}
    for node in topological(roots):
        found[node] = _bounds(node, found)
    return found


def _bounds(node: Node, known: dict[Node, Interval]) -> Interval:
    match node:
        case Variable():
            if "stochastic" in node.assumptions and "positive" in node.assumptions:
                return (0.0, 1.0)
            return (0.0, inf) if "positive" in node.assumptions else ANY
        case Constant():
            return (-1.0, 1.0) if node.label == "epsilon" else (0.0, 4.0)
        case Definition() | Regroup():
            return known[node.child]
        case Elementwise():
            row = ELEMENTWISE[node.fn]
            if node.fn in ("maximum", "minimum"):
                (a, b), (c, d) = (known[child] for child in node.children)
                return (max(a, c), max(b, d)) if node.fn == "maximum" else (min(a, c), min(b, d))
            return row.range
        case Reduction():
            if node.fn in ("max", "min"):
                return known[node.child]
            return REDUCTIONS[node.fn].range
        case Sum():
            total = (0.0, 0.0)
            for term in node.terms:
                scaled = _times(_number(term.coef), known[term.node])
                total = (total[0] + scaled[0], total[1] + scaled[1])
            return _sound(total)
        case Product():
            value = _number(node.coef)
            for factor in node.factors:
                value = _times(value, _power(known[factor.node], factor.exponent))
            if not counts(node):
                value = ANY
            if len(node.sizes) > len(set(node.out)):
                value = (0.0 if value[0] >= 0 else -inf, 0.0 if value[1] <= 0 else inf)
            if len(set(node.out)) < len(node.out):
                value = (min(value[0], 0.0), max(value[1], 0.0))
            return value
    return ANY


def _number(value: Number) -> Interval:
    try:
        return ANY if isinstance(value, complex) else (float(value), float(value))
    except OverflowError:
        return ANY


def _times(a: Interval, b: Interval) -> Interval:
    ends = [x * y if x and y else 0.0 for x in a for y in b]
    return _sound((min(ends), max(ends)))


def _power(a: Interval, exponent: Number) -> Interval:
    if isinstance(exponent, complex):
        return ANY
    if exponent == 1:
        return a
    if a[0] >= 0 or (isinstance(exponent, int) and exponent % 2 == 0):
        if a[0] >= 0 and a[1] <= 1 and exponent >= 0:
            return (0.0, 1.0)
        if isinstance(exponent, int) and exponent % 2 == 0 and exponent > 0 and max(abs(a[0]), abs(a[1])) <= 1:
            return (0.0, 1.0)
        return (0.0, inf)
    if not isinstance(exponent, int):
        return (0.0, inf)
    return ANY


def _sound(value: Interval) -> Interval:
    return (-inf if isnan(value[0]) else value[0], inf if isnan(value[1]) else value[1])
