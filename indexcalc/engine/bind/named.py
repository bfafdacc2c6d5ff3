"""Inputs by name: arrays, sizes and functions that were given are sorted, and what is unknown is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexcalc.engine.bind.inputs import bind, symbols_below
from indexcalc.engine.wanted import Evaluable, Wanted
from indexcalc.errors import Asked, InputError, KindError, did_you_mean
from indexcalc.graph.inputs import joined_inputs
from indexcalc.graph.node import Call, Node, Variable, topological


def bound_inputs(
    wanted: Sequence[Wanted],
    roots: Sequence[Node],
    values: Mapping[Any, Any] | None,
    named: Mapping[str, Any],
    asked: Asked,
) -> tuple[dict[Variable, Any], dict[str, int], dict[str, Any]]:
    """What was given, sorted: the array of each variable, the size of each symbol, functions by name."""
    given = _by_name(values, named)
    functions = {name for root in roots for name in _functions(root)}
    variables = joined_inputs(one.inputs for one in wanted)
    accepted = {variable.label for variable in variables}
    symbols = symbols_below([*roots, *variables])
    arrays: dict[str, Any] = {}
    sizes: dict[str, Any] = {}
    calls: dict[str, Any] = {}
    for name, value in given.items():
        if name in functions:
            calls[name] = value
        elif name in accepted:
            arrays[name] = value
        elif name in symbols:
            sizes[name] = value
        else:
            raise InputError(
                asked,
                f"unknown input {name!r}",
                did_you_mean(name, accepted | symbols | functions),
            )
    standing = {name: how for one in wanted for name, how in one.standing.items()}
    inputs, extents = bind(variables, arrays, sizes, roots=roots, standing=standing)
    return inputs, extents, calls


def keyword_or_input(word: str, value: Any, wanted: Sequence[Wanted], named: dict[str, Any]) -> Any:
    """What a keyword of the call was given: an input that is called so comes first, and is put with the named ones.

    >>> from indexcalc.graph.constructors import variable
    >>> order, named = variable("order", (2,)), {}
    >>> keyword_or_input("order", [1, 2], [Wanted(order, frozenset([order]), {})], named), named
    (None, {'order': [1, 2]})
    """
    roots = [one.node for one in wanted]
    variables = joined_inputs(one.inputs for one in wanted)
    names = {variable.label for variable in variables} | symbols_below([*roots, *variables])
    if value is None or word not in names | {name for root in roots for name in _functions(root)}:
        return value
    named[word] = value
    return None


def _by_name(values: Mapping[Any, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if values is not None and not isinstance(values, Mapping):
        raise KindError(
            "evaluate", f"{type(values).__name__} is no table of inputs", "write evaluate(x=...) or evaluate({x: ...})"
        )
    for key, value in [*(values or {}).items(), *named.items()]:
        if isinstance(key, str):
            name = key
        elif isinstance(key, Evaluable) and isinstance(key.node, Variable):
            name = key.node.label
        elif hasattr(key, "signature"):
            name = key.signature.name
        else:
            raise KindError("evaluate", f"{key!r} is no tensor", "give inputs by name, x=..., or by tensor, {x: ...}")
        if name in found:
            raise InputError("evaluate", f"{name} is given twice", "give it once")
        found[name] = value
    return found


def _functions(node: Node) -> set[str]:
    """The names under which abstract functions and their derivatives are looked up."""
    return {inner.function.title(inner.orders) for inner in topological([node]) if isinstance(inner, Call)}
