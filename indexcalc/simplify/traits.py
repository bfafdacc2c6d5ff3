"""What a node offers to the rewrites of products and of sums: found once a node, since most offer nothing."""

from __future__ import annotations

from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import EXP, LOG, POWER, reduction_row
from indexcalc.graph.node import Elementwise, Matrix, Node, Product, Reduction, Sum, topological
from indexcalc.simplify.identities.entrywise import SUMS

OF_MATRIX, NORM, RAISED, NESTED_SUMS, CHOOSES, PAIRED, LOGARITHM, SQUARED, OVER_SUM = (1 << k for k in range(9))
"""As a factor: a function of matrices inside, a norm, a power or an exponential, sums in the terms of a sum, a bracket
of integers. As a term: a function that an identity begins with, a logarithm, the square of a norm, a negative power of
a sum."""


def traits(node: Node) -> int:
    """What a node offers, as bits.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> traits(variable("x", ())), traits(elementwise("exp", [(variable("x", ()), ())], ())) == RAISED
    (0, True)
    """
    if "traits" not in node.facts:
        for inner in topological([node], lambda inner: "traits" in inner.facts):
            inner.facts["traits"] = _found(inner)
    known: int = node.facts["traits"]
    return known


def _found(node: Node) -> int:
    if isinstance(node, Elementwise):
        inside = traits(node.args[0].node) & OF_MATRIX if len(node.args) == 1 else 0
        raised = RAISED if node.fn in (EXP, POWER) else 0
        raised |= CHOOSES if chooser_of(node) is not None else 0
        return inside | raised | (PAIRED if node.fn in SUMS else 0) | (LOGARITHM if node.fn == LOG else 0)
    if isinstance(node, Product):
        return _of_product(node)
    if isinstance(node, Sum):
        nested = any(type(f.node) is Sum for t in node.terms if isinstance(t.node, Product) for f in t.node.factors)
        return NESTED_SUMS if nested else 0
    if isinstance(node, Reduction):
        row = reduction_row(node.fn)
        inside = OF_MATRIX if row.axes == 2 else traits(node.child) & OF_MATRIX
        return inside | (NORM if row.norm else 0)
    return OF_MATRIX if isinstance(node, Matrix) else 0


def _of_product(node: Product) -> int:
    found = 0
    for factor in node.factors:
        inner = traits(factor.node)
        found |= inner & (PAIRED | (OF_MATRIX if len(node.factors) == 1 else 0))
        if type(factor.node) is Sum and factor.exponent.real < 0:
            found |= OVER_SUM
        if inner & NORM and isinstance(factor.exponent, int) and factor.exponent > 0 and factor.exponent % 2 == 0:
            found |= SQUARED
    return found
