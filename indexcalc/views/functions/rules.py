"""Rules of functions of one's own: what is declared as their derivative, and as their code, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from indexcalc import later
from indexcalc.errors import DimensionError, KindError, NotationError, counted
from indexcalc.graph import constructors as graph
from indexcalc.graph.node import Call, Node, Variable
from indexcalc.graph.samples import for_samples, parameters
from indexcalc.graph.signature import Signature
from indexcalc.graph.walk import substitute, variables
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.view import View, is_number, to_number

DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
"""The name of something in a module of Python."""


def coded(given: Mapping[str, Any], asked: str) -> tuple[tuple[str, Any], ...]:
    """The code of a function by its targets: functions, or dotted names of such.

    >>> coded({"numpy": "scipy.special.j0", "jax": None}, "function")
    (('numpy', 'scipy.special.j0'),)
    """
    found = []
    for target, one in given.items():
        if one is None:
            continue
        if not callable(one) and not (isinstance(one, str) and DOTTED.fullmatch(one)):
            instead = f'give a function of arrays, or its name: {target}="scipy.special.j0"'
            raise KindError(asked, f"{target}={one!r} is no function", instead)
        found.append((target, one))
    return tuple(found)


def rules_of(function: Signature, given: Any, asked: str) -> tuple[Node | None, ...]:
    """The derivative by each argument, as nodes of the `parameters` of the function; shapes are checked."""
    rules = list(given) if isinstance(given, list | tuple) else [given]
    count = len(function.args)
    if len(rules) != count:
        found = f"{counted(len(rules), 'rule')} for {counted(count, 'argument')}"
        raise NotationError(asked, found, "give derivative= a list with a rule for each, None where there is none")
    return tuple(None if rule is None else _rule(function, k, rule, asked) for k, rule in enumerate(rules))


def _rule(function: Signature, k: int, given: Any, asked: str) -> Node:
    """The rule by argument k as a node."""
    known = parameters(function)
    due = (*function.value, *function.args[k])
    what = f"derivative={given!r}" if isinstance(given, View) else f"its rule by argument {k + 1}"
    made = given
    if callable(given) and not isinstance(given, View):
        views = [Array(one, frozenset([one])) for one in known]
        made = given(*(views if _takes_value(given, len(known) - 1, asked) else views[:-1]))
    if is_number(made) and not due:
        made = Array(graph.constant_number(to_number(made)), frozenset())
    if isinstance(made, Expr) and made.order:
        raise NotationError(asked, f"{what} has indices: {made}", "give the Array with these axes: (...).array(i, j)")
    if not isinstance(made, View):
        raise KindError(asked, f"{what} gives {made!r}, which is no expression", "write it with functions of ic")
    node = made.node
    others = [one for one in variables([node]) if one not in known]
    if others and made is given:
        node = _in_parameters(node, others, known[:-1], asked)
    elif others:
        found = f"{what} has the tensor {others[0].label}, which is no argument"
        raise NotationError(asked, found, f"make {others[0].label} an argument of the function")
    if node.dims != due:
        found = f"{what} has the dimensions {node.dims}, and should have {due}"
        raise DimensionError(asked, found, "its axes are those of the value, then those of the argument")
    return node


def _takes_value(given: Any, count: int, asked: str) -> bool:
    """Does a rule of so many arguments take the value as well? One that takes neither number is an error."""
    try:
        words = signature(given).parameters.values()
    except (TypeError, ValueError):
        return False
    places = [one for one in words if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    needed = len([one for one in places if one.default is Parameter.empty])
    if needed == count + 1:
        return True
    if needed > count or (len(places) < count and all(one.kind is not Parameter.VAR_POSITIONAL for one in words)):
        found = f"a rule of {needed} arguments, and the function has {count}"
        raise NotationError(asked, found, "give it these arguments, and the value last if it needs that")
    return False


def _in_parameters(node: Node, tensors: list[Variable], known: tuple[Variable, ...], asked: str) -> Node:
    """An expression in one tensor, which is the argument."""
    if len(known) > 1 or len(tensors) > 1:
        names = ", ".join(sorted(one.label for one in tensors))
        raise NotationError(
            asked, f"which argument is which of {names}?", "give a function of the arguments: lambda x, y: ..."
        )
    (tensor,), (parameter,) = tensors, known
    if tensor.dims != parameter.dims:
        raise DimensionError(
            asked, f"{tensor.label} has {tensor.dims}, the argument {parameter.dims}", "declare it alike"
        )
    (made,) = substitute([node], {tensor: parameter})
    return made


def of_order(node: Call) -> Node:
    """The call; a derivative of a function of one's own is what its rule says.

    >>> import indexcalc as ic
    >>> f, s = ic.function("f", "->", derivative=lambda x: ic.cos(x)), ic.scalar("s")
    >>> f.derivative((2,), s)
    -sin(s)
    """
    if not node.function.rules or not any(node.orders):
        return node
    known = parameters(node.function)[:-1]
    made: Node = graph.call(node.function, (0,) * len(known), known)
    for one, times in zip(known, node.orders, strict=True):
        for _ in range(times):
            made = later.simplest(*later.derive(later.simplest(made), [one]))
    rows = zip(node.children, node.labels, strict=True)
    return for_samples(made, dict(zip(known, rows, strict=True)), node.batch)
