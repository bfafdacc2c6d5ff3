"""The rules of what binds names: braces, arrows to axes, `sum[...]`, and the terms within braces."""

from __future__ import annotations

from typing import Any

from indexcalc.index import Index, unknown
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import closed, flagged, keeping, words_of
from indexcalc.reading.rules.spellings import ALL
from indexcalc.views import declare
from indexcalc.views.array import Array, standing_array
from indexcalc.views.expr import Expr
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS


def read_term(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """A term of braces: no factor sums a name that another carries; at the end all that is not kept is summed."""
    value = yield tree, Scope(scope.kept, every=True)
    value = keeping(value)
    gone = [index for index in value.free if index.name not in scope.kept] if isinstance(value, Expr) else []
    return value.sum(*gone) if gone else value


def read_parens(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`(body)`, which has forgotten what was summed in it."""
    value = yield tree.children[0], scope.inner()
    return closed(value)


def read_braces(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`{i,j: body}`, in which i and j are kept."""
    names, body = tree.children
    return (yield from _bind(reading, tree, words_of(names), body, scope))


def read_arrow(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`body -> [i,j]`, the array with these axes."""
    body, _, names = tree.children
    return (yield from _bound_array(reading, tree, words_of(names), body))


def read_family(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`(x_i y_j)_{ij}`, the array with these entries; the entry of what is an array already, `(A B)_{ij}`."""
    _, names, _, body = tree.children
    order = words_of(names)
    named = [name for name in order if name != "1"]
    value = yield body, Scope(reading.batch | set(named), direct=True)
    if isinstance(value, Array) and value.order:
        return flagged(value[tuple(Index(name) for name in order)], scope.kept.__contains__)
    return _placed(reading, tree, order, _spread(reading, tree, named, value, Scope(reading.batch)))


def read_total(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`sum[i,j](body)`, `Σ_i body`, `max_i body`: the sum, the product, the largest over these indices.

    `sum[i,j: i<j](body)` is a sum over those indices that hold the condition.
    """
    sign, names, *between, body = tree.children
    word, _, bounds = str(sign).partition(" ")
    order = words_of(names)
    value = yield body, Scope(scope.kept | set(order))
    if order == [ALL]:
        if isinstance(value, Array) or not value.order:
            return FUNCTIONS[word](value) if value.order else value
        if value.order > 1:
            raise reading.error(tree, f"{sign} over which of {', '.join(value.names)}?", "write Σ_i")
        order = list(value.names)
    if not isinstance(value, Expr):
        raise reading.error(
            tree, f"{word} over indices, and here are none", f"write {word}(X, axis=0), or index the arrays"
        )
    for name in order:
        if name not in value.names:
            raise reading.error(tree, f"{name} is not free in {value}", f"leave {name} out, or write it on what varies")
    if bounds:
        _within(reading, tree, bounds, value, order)
    indices = [Index(name, True) for name in order]
    held = ",".join("".join(map(str, part.children)) for part in between if getattr(part, "data", "") == "condition")
    if held and word != "sum":
        raise reading.error(tree, f"{word} where {held}", "conditions are for sums: sum[i,j: i<j](...)")
    total = value.sum(*indices, where=held) if word == "sum" else FUNCTIONS[word](value, *indices)
    return flagged(total, scope.kept.__contains__)


def _within(reading: Reading, tree: Any, bounds: str, value: Expr, order: list[str]) -> None:
    """The bounds of a sum are those of its index: from 1 to the dimension, or from 0 to one less."""
    lower, _, upper = bounds.partition(":")
    size = value.node.dims[value.names.index(order[0])]
    last = {"": (str(size), str(size)), "0": (f"{size}-1", f"{size - 1}")}.get(lower if lower == "0" else "", ())
    if len(order) > 1 or lower not in ("", "0", "1") or (upper and upper not in last and not unknown(size)):
        raise reading.error(
            tree, f"a sum from {lower or 1} to {upper or size}, and {order[0]} goes from 1 to {size}",
            "declare the dimension that is meant, or slice the tensor: x[1:]",
        )  # fmt: skip


def read_array(reading: Reading, tree: Any, needed: bool = True, entries: bool = False) -> Steps:
    """A part as an argument that is an array: braces name its axes.

    Where it is not `needed`, indices may stay; `entries` says that powers are of the entries.
    """
    if tree.data == "braces":
        names, body = tree.children
        made = yield from _bound_array(reading, tree, words_of(names), body)
        return standing_array(made.node, [made])
    value = yield tree, Scope(reading.batch, entries=entries)
    if isinstance(value, Expr) and not value.order:
        return Array(value.node, value.inputs, (), reading.vectors)
    if needed and isinstance(value, Expr):
        names = ",".join(value.names)
        raise reading.error(tree, "an array is due here, and this has indices", f"name its axes: {{{names}: ...}}")
    return value


def _bind(reading: Reading, tree: Any, order: list[str], body: Any, scope: Scope) -> Steps:
    """The value of a body in which these names are kept; it varies along each of them, if only as a constant."""
    if len(set(order)) < len(order):
        raise reading.error(tree, f"{', '.join(order)}: a name occurs twice", "name each axis once")
    value = yield body, Scope(scope.kept | set(order), direct=True)
    return _spread(reading, tree, order, value, scope)


def _spread(reading: Reading, tree: Any, order: list[str], value: Any, scope: Scope) -> Expr:
    """A value that varies along each of these names; an array has them as those of its axes."""
    if isinstance(value, Array) and value.order and value.ndim == len(order):
        value = value[tuple(Index(name, True) for name in order)]
    if isinstance(value, Array):
        if value.order:
            raise reading.error(tree, f"{value} has axes without names", "within braces index the arrays: {i: x[i]}")
        value = Expr(value.node, (), value.inputs)
    for name in order:
        if name not in value.names:
            value = value * declare.ones(Index(name, True), dim=reading.sizes.get(name))
    free = [Index(name) for name in dict.fromkeys((*order, *value.names))]
    made: Expr = flagged(Expr(value.node, value.indices, value.inputs, free), scope.kept.__contains__)
    return made


def _bound_array(reading: Reading, tree: Any, order: list[str], body: Any) -> Steps:
    """The array with these axes; a 1 among them is a unit axis."""
    named = [name for name in order if name != "1"]
    value = yield from _bind(reading, tree, named, body, Scope(reading.batch))
    return _placed(reading, tree, order, value)


def _placed(reading: Reading, tree: Any, order: list[str], value: Expr) -> Array:
    """The array whose axes are those of these names, a 1 among them a unit axis."""
    named = [name for name in order if name != "1"]
    more = [name for name in value.names if name not in order]
    if more:
        raise reading.error(
            tree, f"{', '.join(more)} is free, and names no axis", f"the axes named are {', '.join(order)}"
        )
    made = value.array(*(Index(name) for name in named))
    numbers = iter(range(len(named)))
    places = tuple(None if name == "1" else next(numbers) for name in order)
    return Array(made.node, made.inputs, places, reading.vectors)
