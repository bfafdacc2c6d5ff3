"""Products in products: when a factor gives its place to its own factors."""

from __future__ import annotations

from indexcalc.graph.edge import Draft, power
from indexcalc.graph.node import Node, Product
from indexcalc.graph.numbers import Number
from indexcalc.simplify.intervals import is_positive

Attached = tuple[Node, list[int], Number]


def opens(node: Node, exponent: Number) -> bool:
    """May this factor be opened, its factors taking its place?

    A power only where nothing is summed inside it, a negative one only where no delta
    is, and a power that is no integer only where all in it is positive.
    """
    if type(node) is not Product:
        return False
    if exponent == 1:
        return True
    delta = len(set(node.out)) < len(node.out)
    if _only_placed(node):
        return True
    if node.bound or (delta and (isinstance(exponent, complex) or exponent < 0)):
        return False
    if isinstance(exponent, int):
        return True
    if isinstance(exponent, complex) or power(node.coef, exponent) is None:
        return False
    return is_positive(node) and all(is_positive(factor.node) for factor in node.factors)


def _only_placed(node: Product) -> bool:
    """Is this one tensor with its axes turned, or a diagonal of it?"""
    alone = len(node.factors) == 1 and node.coef == 1 and node.factors[0].exponent == 1
    return alone and set(node.factors[0].labels) == set(node.out) and len(set(node.out)) == len(node.out)


def opened(draft: Draft, factor: Attached | None) -> list[Attached]:
    """A factor that was attached to the draft of a product, a product opened into its factors."""
    if factor is None:
        return []
    node, labels, exponent = factor
    if isinstance(node, Product) and opens(node, exponent):
        return draft.open(node, labels, exponent)
    return [factor]
