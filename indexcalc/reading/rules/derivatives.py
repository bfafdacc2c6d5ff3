"""The rules of the question itself: `∂f/∂x`, `∂/∂x f`, `∇_x f`."""

from __future__ import annotations

from typing import Any

from indexcalc.errors import counted
from indexcalc.graph.node import Variable
from indexcalc.graph.walk import variables
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.views.array import Array
from indexcalc.views.derivatives.differentiate import derivative, diff, grad, hessian
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import AbstractFunction


def asked_of(tree: Any) -> tuple[list[Any], Any]:
    """The variables of `∂/∂x f`, and what follows; None where nothing does.

    >>> from indexcalc.reading.tokens.passes import parse_tree
    >>> from indexcalc.reading.tokens.words import Words
    >>> variables, body = asked_of(parse_tree("∂/∂x f", Words()).children[0])
    >>> len(variables), body.children[0]
    (1, Token('NAME', 'f'))
    """
    parts = tree.children[1:]
    if not hasattr(parts[0], "data"):
        variables = [parts[k + 1] for k, part in enumerate(parts) if getattr(part, "type", "") == "OVER"]
        return variables, parts[-1] if getattr(parts[-2], "type", "") == "ADJACENT" else None
    return [], parts[0]


def read_derived(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`∂/∂x f`, `∇_x f`: the derivative of the product that follows."""
    variables, body = asked_of(tree)
    if body is None:
        raise reading.error(tree, f"{reading.source(tree)} of what?", "write what is derived after it")
    value = yield body, Scope(scope.kept)
    return (yield from _derived(reading, tree, value, variables, str(tree.children[0]).count("∇")))


def read_quotient(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`d(x'x)/dx`, `∂f/∂x`, `∂²f/∂x∂y`; `dL/dY` of an abstract function is its gradient at Y."""
    _, body, *parts = tree.children
    function = reading.known.get(str(body.children[0])) if body.data == "name" else None
    if isinstance(function, AbstractFunction) and len(parts) == 2 and len(function.signature.args) == 1:
        argument = yield parts[1], Scope(reading.batch)
        return function.derivative((1,), argument)
    value = yield body, Scope(scope.kept)
    return (yield from _derived(reading, tree, value, parts[1::2], 0))


def _derived(reading: Reading, tree: Any, value: Any, variables: list[Any], nablas: int) -> Steps:
    """The derivative of a value by variables, which stand as names, with indices where the value has them."""
    if not variables:
        own = [name for name in value.variables if name in reading.known]
        if len(own) != 1:
            raise reading.error(tree, f"by which of {', '.join(own) or 'no variable'}?", "write ∇_x f")
        targets: list[Any] = [reading.known[own[0]]] * (nablas or 1)
    else:
        targets = []
        for part in variables:
            targets.append((yield part, Scope(reading.batch)))
    _depends(reading, tree, value, targets)
    if any(isinstance(target, Expr) and target.order for target in targets) or (
        isinstance(value, Expr) and value.order
    ):
        return diff(value, *targets)
    if isinstance(value, Expr):
        value = Array(value.node, value.inputs, (), reading.vectors)
    if value.order and nablas and len(targets) == 1:
        raise reading.error(
            tree,
            f"∇ of what has {counted(value.order, 'axis')} has two readings",
            "write ∂(...)/∂x, the derivative with its layouts",
        )
    if not value.order:
        return grad(value, targets[0]) if len(targets) == 1 else hessian(value, *targets)
    made = value
    for target in targets:
        made = derivative(made, target)
    return made


def _depends(reading: Reading, tree: Any, value: Any, targets: list[Any]) -> None:
    """A derivative that is zero is not silent: `dx/dt` of two declared tensors is refused, `d(x'x)/dt` is told."""
    for target in targets:
        if not set(variables([target.node])) & set(variables([value.node])):
            by = ", ".join(target.variables)
            if isinstance(value.node, Variable):
                raise reading.error(
                    tree,
                    f"the derivative of {value} by {by} is 0: both are declared",
                    "define it in the text: x = t y; dx/dt",
                )
            reading.note(f"a derivative by {by} is 0: nothing in it depends on {by}")
