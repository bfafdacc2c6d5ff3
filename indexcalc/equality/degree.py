"""Of which degree is a rational expression? The bound that says how often an equality that fails may hold by chance."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from indexcalc.functions.rational import Degrees, scaled
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
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
from indexcalc.index import size

UNKNOWN: Degrees = (1, 0)
"""What is not rational stands as a variable of its own."""


def degrees(root: Node, sizes: Mapping[str, int]) -> Degrees:
    """A bound for the degrees of numerators and of the common denominator of the entries, at these sizes.

    >>> from indexcalc.graph.constructors import reduction, variable
    >>> degrees(reduction("det", variable("A", (3, 3)), (0, 1), False), {})
    (3, 0)
    """
    found: dict[Node, Degrees] = {}
    for node in topological([root]):
        found[node] = _degrees(node, found, sizes)
    return found[root]


def unknowns(root: Node, sizes: Mapping[str, int]) -> int:
    """How many entries stand as variables of their own.

    Two of them may be taken for one where arguments meet by chance.
    """
    functions = [
        n
        for n in topological([root])
        if n.children and _degrees(n, dict.fromkeys(n.children, (7, 7)), sizes) == UNKNOWN
    ]
    return sum(_entries(node, sizes) for node in functions)


def _entries(node: Node, sizes: Mapping[str, int]) -> int:
    return prod(size(dim, sizes) for dim in node.dims)


def _degrees(node: Node, known: Mapping[Node, Degrees], sizes: Mapping[str, int]) -> Degrees:
    match node:
        case Variable():
            return _of_variable(node, sizes)
        case Constant():
            return (0, 0)
        case Definition() | Regroup():
            return known[node.child]
        case Product():
            parts = [_power(known[f.node], f.exponent, _entries(f.node, sizes)) for f in node.factors]
            return sum(a for a, _ in parts), sum(b for _, b in parts)
        case Sum():
            below = sum(known[child][1] for child in set(node.children))
            return max((known[c][0] + below - known[c][1] for c in node.children), default=0), below
        case Reduction():
            return _reduction(node, known[node.child], sizes)
        case Elementwise():
            exponent = elementwise_row(node.fn).whole and not known[node.args[1].node][0]
            return scaled(known[node.args[0].node], MOST) if exponent else UNKNOWN
        case Matrix():
            rational = matrix_row(node.fn).rational
            if rational is None or not all(isinstance(value, int) for value in node.params):
                return UNKNOWN
            if node.times and (node.times > 1 or rational.slope is None):
                return UNKNOWN
            shape = tuple(size(dim, sizes) for dim in node.children[0].dims[-2:])
            batches = max(1, _entries(node.children[0], sizes) // max(1, prod(shape)))
            a, b = rational.degrees(known[node.children[0]], shape, batches, *node.params)
            return a + sum(known[e][0] for e in node.children[1:]), b + sum(known[e][1] for e in node.children[1:])
        case Call():
            return UNKNOWN
    raise AssertionError(node.kind)


MOST = 32
"""What an exponent that is a dimension counts as: the sizes that are drawn are smaller."""


def _of_variable(node: Variable, sizes: Mapping[str, int]) -> Degrees:
    if "orthogonal" in node.assumptions:
        n = size(node.dims[-1], sizes)
        return n + 1, n
    if "stochastic" in node.assumptions:
        rows = max(1, _entries(node, sizes) // max(1, size(node.dims[-1], sizes)))
        return rows, rows
    return (1, 0)


def _power(inner: Degrees, exponent: Number, entries: int) -> Degrees:
    if not isinstance(exponent, int):
        return UNKNOWN
    a, b = inner
    if exponent >= 0:
        return exponent * a, exponent * b
    return -exponent * (b + (entries - 1) * a), -exponent * entries * a


def _reduction(node: Reduction, inner: Degrees, sizes: Mapping[str, int]) -> Degrees:
    rational = reduction_row(node.fn).rational
    if rational is None:
        return UNKNOWN
    shape = tuple(size(node.child.dims[axis], sizes) for axis in node.axes)
    batches = max(1, _entries(node.child, sizes) // max(1, prod(shape)))
    return rational.degrees(inner, shape, batches)
