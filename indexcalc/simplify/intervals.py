"""Between which numbers the entries of a node lie, for real inputs, and whether they may be 0: the analysis of signs.

What is known of a function is in its row: `range`, `zero`, `monotone`, `positive`, `between`. Sums and products follow
interval arithmetic, an even power is not negative, and a sum over labels keeps a sign. What is written exists, so the
power of something that is not positive is none unless its exponent is an integer, and 1/x is never 0.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan
from typing import Any, NamedTuple

import numpy as np

from indexcalc.functions.table import POWER, elementwise_row, reduction_row
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
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number
from indexcalc.index import may_be_negative

Interval = tuple[float, float]
ANY: Interval = (-inf, inf)


class Values(NamedTuple):
    """The least and the largest that an entry may be, and whether it may be 0."""

    low: float
    high: float
    zero: bool = True


ALL = Values(-inf, inf)
NOT_NEGATIVE = Values(0.0, inf)
POSITIVE = Values(0.0, inf, False)


def bounds(roots: list[Node]) -> dict[Node, Interval]:
    """The interval of each node below the roots.

    >>> from indexcalc.graph.constructors import addition, elementwise, variable
    >>> s = elementwise("sigmoid", [(variable("x", (3,)), (0,))], (3,))
    >>> one_minus = addition([(-1, s, (0,)), (2, s, (0,))], (3,))
    >>> bounds([one_minus])[s]
    (0.0, 1.0)
    """
    return {node: _found(node)[:2] for node in topological(roots)}


def is_positive(node: Node) -> bool:
    """Are all entries known to be positive numbers, so that |x| is x, and (x**2)**(1/2) too?

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> r = variable("r", (), ["positive"])
    >>> is_positive(einsum(2, [(r, (), -1)], ())), is_positive(variable("x", ()))
    (True, False)
    """
    low, _, zero = values(node)
    return low >= 0 and not zero


def values(node: Node) -> Values:
    """What the entries of a node may be, found once."""
    for inner in topological([node], lambda inner: "values" in inner.facts):
        _found(inner)
    return _of(node)


def _found(node: Node) -> Values:
    """The same where it is known for the children."""
    known: Values | None = node.facts.get("values")
    if known is None:
        found: Values = VALUES[type(node)](node)
        low, high = (-inf if isnan(found.low) else found.low), (inf if isnan(found.high) else found.high)
        known = node.facts["values"] = Values(low, high, found.zero and low <= 0 <= high)
    return known


def _of(node: Node) -> Values:
    known: Values = node.facts["values"]
    return known


def _variable(node: Variable) -> Values:
    if "mask" in node.assumptions:
        return Values(0.0, 1.0)
    if "positive" not in node.assumptions:
        return ALL
    return Values(0.0, 1.0, False) if "stochastic" in node.assumptions else POSITIVE


def _constant(node: Constant) -> Values:
    return {"epsilon": Values(-1.0, 1.0), "pi": Values(3.0, 4.0)}.get(node.label, NOT_NEGATIVE)


def _function(node: Elementwise) -> Values:
    """The range of the function, of which the values at the ends of the arguments leave a part where it is monotone."""
    row, args = elementwise_row(node.fn), [_of(child) for child in node.children]
    if node.fn == POWER and args[0].low >= 0:
        return Values(0.0, inf, args[0].zero)
    low, high = row.range
    if row.monotone:
        with np.errstate(all="ignore"):
            low = np.fmax(low, row.numpy(*[np.float64(arg.low) for arg in args]))
            high = np.fmin(high, row.numpy(*[np.float64(arg.high) for arg in args]))
    return _positive_of(row.positive, args, Values(float(low), float(high), row.zero))


def _reduction(node: Reduction) -> Values:
    row, child = reduction_row(node.fn), _of(node.child)
    return child if row.between else _positive_of(row.positive, [child], Values(*row.range, row.zero))


def _sum(node: Sum) -> Values:
    terms = [_times(_number(term.coef), _of(term.node)) for term in node.terms]
    apart = all(t.low >= 0 for t in terms) or all(t.high <= 0 for t in terms)
    zero = not apart or all(t.zero for t in terms)
    return Values(sum(t.low for t in terms), sum(t.high for t in terms), zero)


def _positive_of(positive: bool, args: list[Values], found: Values) -> Values:
    """What is found, where a function has positive values of positive arguments.

    None below 0 of those that are not negative.
    """
    if not positive or any(arg.low < 0 for arg in args):
        return found
    return Values(max(found.low, 0.0), found.high, found.zero and any(arg.zero for arg in args))


def _product(node: Product) -> Values:
    found = _number(node.coef)
    for factor in node.factors:
        found = _times(found, _power(_of(factor.node), factor.exponent))
    if not _counts(node):
        return ALL
    if len(node.sizes) > len(set(node.out)):
        apart = found.low >= 0 or found.high <= 0
        found = Values(0.0 if found.low >= 0 else -inf, 0.0 if found.high <= 0 else inf, found.zero or not apart)
    if len(set(node.out)) < len(node.out):
        found = Values(min(found.low, 0.0), max(found.high, 0.0))
    return found


def _counts(node: Product) -> bool:
    """Are the labels that nothing has numbers of entries, not negative as `n - 8` may be?"""
    lone = set(range(len(node.sizes))) - {label for f in node.factors for label in f.labels} - set(node.out)
    return not any(may_be_negative(node.sizes[label]) for label in lone)


def _number(value: Number) -> Values:
    if isinstance(value, complex):
        return ALL
    try:
        return Values(float(value), float(value), value == 0)
    except OverflowError:
        return POSITIVE if value > 0 else Values(-inf, 0.0, False)


def _times(a: Values, b: Values) -> Values:
    ends = [x * y if x and y else 0.0 for x in a[:2] for y in b[:2]]
    return Values(min(ends), max(ends), a.zero or b.zero)


def _power(a: Values, exponent: Number) -> Values:
    if isinstance(exponent, complex):
        return ALL
    if exponent == 1:
        return a
    zero, even = a.zero and exponent > 0, isinstance(exponent, int) and exponent % 2 == 0
    if isinstance(exponent, int) and not even and a.low < 0:
        return Values(-inf, inf, zero)
    small = exponent > 0 and (a.low >= 0 or even) and max(abs(a.low), abs(a.high)) <= 1
    return Values(0.0, 1.0 if small else inf, zero)


VALUES: dict[type[Node], Callable[[Any], Values]] = {
    Variable: _variable,
    Constant: _constant,
    Product: _product,
    Sum: _sum,
    Regroup: lambda node: _of(node.child),
    Definition: lambda node: _of(node.child),
    Elementwise: _function,
    Reduction: _reduction,
    Matrix: lambda node: ALL,
    Call: lambda node: ALL,
}
"""For each kind of node what its entries may be, from what those of its children may be."""
