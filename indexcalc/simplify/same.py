"""When two nodes are the same expression: the key that equal ones have in common."""

from __future__ import annotations

from typing import Any

from indexcalc.graph.canonical import settle
from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Definition, Node
from indexcalc.graph.numbers import Number
from indexcalc.graph.walk import replace
from indexcalc.simplify.passes import canonical, expanded, simplify

Key = tuple[Number, Node, tuple[int, ...], frozenset[Any]]


def simplest(node: Node) -> Node:
    """The simplified node, remembered."""
    if "simplified" in node.facts:
        return node
    found: Node | None = node.facts.get("simplest")
    if found is None:
        (found,) = simplify([node])
        if found is not node:
            node.facts["simplest"] = found
    return found


def key_of(node: Node, axes: tuple[Any, ...]) -> Key:
    """What equal expressions have in common; `axes` names the axes of the node, with anything that can be ordered."""
    coef, flat, places = expanded(simplest(node))
    if coef == 0:
        return 0, flat, (), frozenset(axes)
    ranks = {name: rank for rank, name in enumerate(sorted(axes))}
    labels, sign = settle([ranks[axes[place]] for place in places], symmetry_of(flat))
    return coef * sign, flat, labels, frozenset(axes)


def is_exhaustive(node: Node) -> bool:
    """Was the search for the canonical form exhaustive? If not, equal expressions may have two keys."""
    simple = simplest(node)
    flat = canonical(simple).node
    expanded(simple)
    return "inexact" not in simple.facts and "inexact" not in flat.facts


def without_definitions(node: Node) -> Node:
    """The node with named steps opened."""
    (opened,) = replace([node], lambda old, new: new.child if isinstance(new, Definition) else new)
    return opened


def is_symmetric(node: Node, first: int, second: int) -> bool:
    """Does the node stay what it is where these axes change places?

    As far as its normal form, or that with named steps opened, tells.

    >>> from indexcalc.graph.constructors import delta, variable
    >>> is_symmetric(delta(3), 0, 1), is_symmetric(variable("A", (3, 3)), 0, 1)
    (True, False)
    """
    axes = tuple(range(node.order))
    swapped = list(axes)
    swapped[first], swapped[second] = second, first
    for one in (node, without_definitions(node)):
        other = einsum(1, [(one, axes)], swapped)
        if key_of(one, axes) == key_of(other, axes):
            return True
    return False
