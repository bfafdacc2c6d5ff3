"""What is known to be positive, entry by entry: where |x| is x, and (x**2)**(1/2) too."""

from __future__ import annotations

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
from indexcalc.index import may_be_negative

ALWAYS = {"exp", "sigmoid", "softplus", "cosh"}
"""The elementwise functions that have positive values for real arguments."""
KEEPS = {"maximum", "minimum"}
REDUCED = {"softmax"}


def is_positive(node: Node) -> bool:
    """Are all entries known to be positive numbers? Real arguments are taken for granted.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> r = variable("r", (), ["positive"])
    >>> is_positive(einsum(2, [(r, (), -1)], ())), is_positive(variable("x", ()))
    (True, False)
    """
    for inner in topological([node], lambda inner: "positive" in inner.facts):
        inner.facts["positive"] = _is_positive(inner)
    found: bool = node.facts["positive"]
    return found


def counts(node: Product) -> bool:
    """Are the labels that nothing has numbers of entries, not negative as `n - 8` may be?"""
    lone = set(range(len(node.sizes))) - {label for f in node.factors for label in f.labels} - set(node.out)
    return not any(may_be_negative(node.sizes[label]) for label in lone)


def _is_positive(node: Node) -> bool:
    known = all(child.facts["positive"] for child in node.children)
    match node:
        case Variable():
            return "positive" in node.assumptions
        case Constant():
            return node.label == "pi"
        case Product():
            plain = not isinstance(node.coef, complex) and node.coef > 0 and len(set(node.out)) == len(node.out)
            return known and plain and counts(node) and all(not isinstance(f.exponent, complex) for f in node.factors)
        case Sum():
            return known and all(not isinstance(term.coef, complex) and term.coef > 0 for term in node.terms)
        case Elementwise():
            return node.fn in ALWAYS or (known and node.fn in KEEPS)
        case Reduction():
            return node.fn in REDUCED or (known and node.fn in ("max", "min", "prod", "norm1", "norm2", "normp"))
        case Regroup() | Definition():
            return known
    return False
