"""Signs as they were typed: `x - mu` in what comes of `(x - mu).T @ inv(S) @ (x - mu)`, not `mu - x`.

The normal form of a sum has a sign of its own, whatever was typed. Where a product has a sum an even number of times,
(a - b)^2k = (b - a)^2k, its sign is free: then it is that of the expression that was differentiated. Elsewhere what is
written takes a minus before a product into a sum, and so the sign does not show.
"""

from __future__ import annotations

from collections.abc import Mapping

from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.node import Node, Product, Sum, Term, topological
from indexcalc.graph.numbers import multiply
from indexcalc.graph.walk import replace
from indexcalc.simplify.passes import simplify

LARGEST = 300
"""Nodes of an expression whose signs are looked up: an arbitrary limit; a longer text is not read for its signs."""
Turned = Mapping[Node, Node]
"""Sums in normal form that stand the other way, and these as they were typed."""


def as_typed(node: Node, source: Node) -> Node:
    """The node with the sums among its factors as they are in the source, the sign before them.

    >>> from indexcalc.graph.constructors import variable
    >>> a, b = variable("a", ()), variable("b", ())
    >>> typed, other = (addition([(c, a, ()), (-c, b, ())], ()) for c in (1, -1))
    >>> square = einsum(1, [(other, (), 2)], ())
    >>> as_typed(square, typed) is einsum(1, [(typed, (), 2)], ())
    True
    """
    turned = _turned_in(source)
    below = topological([node]) if turned else []
    if len(below) > LARGEST or not any(one in turned for one in below):
        return node

    def change(old: Node, new: Node) -> Node:
        if not isinstance(old, Product) or not isinstance(new, Product):
            return new
        coef, factors = new.coef, []
        for (inner, _, _), factor in zip(old.factors, new.factors, strict=True):
            if inner in turned and isinstance(factor.exponent, int):
                coef = multiply(coef, -1) if factor.exponent % 2 else coef
                factor = factor._replace(node=turned[inner])
            factors.append(factor)
        return einsum(coef, factors, new.out, dict(enumerate(new.sizes)))

    return replace([node], change)[0]


def _turned_in(source: Node) -> Turned:
    """The sums of a source whose normal forms might stand the other way, by these."""
    found: Turned | None = source.facts.get("typed signs")
    if found is None:
        below = topological([source])
        sums = [n for n in below if isinstance(n, Sum) and _has_minus(n)] if len(below) <= LARGEST else []
        typed = dict.fromkeys(n for n in simplify(sums) if isinstance(n, Sum))
        found = {other: n for n in typed if (other := _negated(n)) not in typed}
        source.facts["typed signs"] = found
    return found


def _has_minus(node: Sum) -> bool:
    return any(not isinstance(term.coef, complex) and term.coef < 0 for term in node.terms)


def _negated(node: Sum) -> Node:
    return addition([Term(multiply(-1, t.coef), t.node, t.labels) for t in node.terms], node.shape)
