"""Named steps in what is derived from them: `p = define("p", softmax(z))` has the Jacobian `diagm(p) - outer(p, p)`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Definition, Node, Product, Variable, topological
from indexcalc.graph.numbers import number
from indexcalc.graph.walk import replace
from indexcalc.simplify.passes import simplify


def with_steps(roots: Sequence[Node], nodes: Sequence[Node]) -> list[Node]:
    """What was derived from the roots, with the named steps of these where their values come up again.

    >>> import indexcalc as ic
    >>> z = ic.tensor("z", "n")
    >>> ic.derivative(ic.define("p", ic.softmax(z)), z)
    diagm(p) - outer(p, p)
    """
    steps = [node for node in topological(roots) if isinstance(node, Definition)]
    table: dict[Node, Node] = {}
    for step in steps:
        value = _value(step)
        if value is not None:
            table.setdefault(*value)
    if not table:
        return list(nodes)

    def change(old: Node, new: Node) -> Node:
        return old if isinstance(old, Definition) else table.get(old, new)

    replaced = replace(nodes, change)
    if all(a is b for a, b in zip(replaced, nodes, strict=True)):
        return replaced
    return simplify(replaced)


def _value(step: Definition) -> tuple[Node, Node] | None:
    """The normal form of a step's value but for a number and the order of axes, and the step as that."""
    (value,) = simplify([step.child])
    if not isinstance(value, Product):
        return None if isinstance(value, Variable) else (value, step)
    whole = tuple(range(value.order))
    if len(value.factors) != 1 or not isinstance(value.coef, int | Fraction) or sorted(value.out) != list(whole):
        return value, step
    inner, labels, exponent = value.factors[0]
    if exponent != 1 or sorted(labels) != list(whole) or isinstance(inner, Variable):
        return None if isinstance(inner, Variable) else (value, step)
    return inner, einsum(number(Fraction(1) / value.coef), [(step, value.out)], labels)
