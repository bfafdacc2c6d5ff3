"""The exponent of a power of a matrix: an integer, or a symbol whose size is told at evaluation."""

from __future__ import annotations

from typing import Any

from indexcalc import later
from indexcalc.errors import Asked, KindError
from indexcalc.graph.node import Node, Product, Sum, Term
from indexcalc.graph.numbers import Number, number
from indexcalc.index import Dim, Dimension, dim
from indexcalc.views.view import View, is_number, to_number


def exponent_of(name: str, X: Any, k: Any) -> Dimension:
    """The exponent of a power: an integer, or a polynomial of symbols, as text, or as an expression without axes.

    >>> exponent_of("matrix_power", "X", "2*k - 1"), exponent_of("matrix_power", "X", 3)
    (2*k - 1, 3)
    """
    if isinstance(k, View) and not k.node.order:
        found = _as_dimension(k.node)
        if found is not None:
            return found
    elif isinstance(k, Dim | str):
        return dim(k)
    elif is_number(k):
        value = to_number(k)
        if isinstance(value, int):
            return value
    raise KindError(
        Asked(lambda: f"{name}({X}, {k})"),
        f"the exponent {k} is no integer and no dimension",
        'write ic.matrix_power(X, 3) or (X, "k"); ic.sqrtm is the power 1/2',
    )


def _as_dimension(node: Node) -> Dimension | None:
    """The polynomial of symbols that a node without axes is, if it is one."""
    (node,) = later.expand([node])
    total: Dimension = 0
    for coef, inner, _ in node.terms if isinstance(node, Sum) else (Term(1, node, ()),):
        value = _monomial(coef, inner)
        if value is None:
            return None
        total = total + value
    return total


def _monomial(coef: Number, node: Node) -> Dimension | None:
    """A number times dimensions, as a dimension; None for anything else."""
    if not isinstance(node, Product) or not isinstance(number(coef * node.coef), int):
        return None
    value: Any = number(coef * node.coef)
    for size in node.sizes:
        value = value * size
    for factor in node.factors:
        inner = factor.node
        if not isinstance(inner, Product) or inner.factors or inner.coef != 1:
            return None
        if not isinstance(factor.exponent, int) or factor.exponent < 1:
            return None
        for size in inner.sizes:
            value = value * size**factor.exponent
    found: Dimension = value
    return found
