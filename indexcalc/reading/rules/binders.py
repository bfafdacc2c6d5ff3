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

    `sum[i,j: i<j](body)` and `Σ_{i<j} body` are sums over those indices that hold the condition; along one of which
    the body has nothing, as in `Σ_{j<i} x_j`, the sum is free.
    """
    sign, names, *between, body = tree.children
    word, _, bounds = str(sign).partition(" ")
    held = [tuple(map(str, part.children)) for part in between if getattr(part, "data", "") == "condition"]
    listed = order = words_of(names)
    if held and sign.type == "BIG":
        order = _summed(reading, tree, order, held, scope)
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
    order = [name for name in order if name in listed or not _hangs(name, value, held)]
    for name in order:
        if name not in value.names:
            raise reading.error(tree, f"{name} is not free in {value}", f"leave {name} out, or write it on what varies")
    if bounds:
        bounds, further = _compared(bounds, order, scope.kept | reading.left | set(value.names))
        held += further
        _within(reading, tree, bounds, value, order)
    for one, _, other in held:  # Σ_i x_i Σ_{j<i} x_j: the inner sum varies with i by its condition alone
        for near, far in ((one, other), (other, one)):
            if near in order and far not in order and far not in value.names:
                size = value.node.dims[value.names.index(near)]
                value = keeping(value) * declare.ones(Index(far, True), dim=size)
    indices = [Index(name, True) for name in order]
    where = ",".join("".join(row) for row in held)
    if held and word != "sum":
        raise reading.error(tree, f"{word} where {where}", "conditions are for sums: sum[i,j: i<j](...)")
    total = value.sum(*indices, where=where) if word == "sum" else FUNCTIONS[word](value, *indices)
    return flagged(total, scope.kept.__contains__)


def _hangs(name: str, value: Expr, held: list[tuple[str, ...]]) -> bool:
    """Is an index compared with one along which a value varies, and the value constant along it?"""
    pairs = [{one, other} for one, _, other in held if name in (one, other)]
    return name not in value.names and any(pair & set(value.names) for pair in pairs)


def _summed(reading: Reading, tree: Any, listed: list[str], held: list[tuple[str, ...]], scope: Scope) -> list[str]:
    """The indices of a sum with conditions: those that are listed, or all in them that nothing around it has bound.

    `Σ_{k, i<j}` is over k, i and j, `Σ_{i,j: i≠j}` over i and j, and in `Σ_i Σ_{j>i}` the second one is over j, as in
    `y_i = Σ_{j>i}`.
    """
    names = [name for name in listed if name != ALL]
    told = list(dict.fromkeys(name for one, _, other in held for name in (one, other)))
    if set(names) & set(told):
        return names
    open_ = [name for name in told if name not in scope.kept | reading.left]
    if open_ == told and any(sign == "!=" and one > other for one, sign, other in held):
        one, other = told[:2]
        raise reading.error(
            tree, f"a sum over {one} alone, for each {other}, or over both?",
            f"over both: \\sum_{{{other} \\ne {one}}}; over {one}: \\sum_{{{one}: {one} \\ne {other}}}",
        )  # fmt: skip
    return names + open_


def _compared(bounds: str, order: list[str], free: frozenset[str]) -> tuple[str, list[tuple[str, ...]]]:
    """Bounds that are free indices as conditions, beside the bounds that are left: `Σ_{j=1}^{i-1}` is over j < i.

    >>> _compared("1:i-1", ["j"], frozenset("i")), _compared("1:n", ["j"], frozenset("i"))
    (('1:', [('j', '<', 'i')]), ('1:n', []))
    """
    held: list[tuple[str, ...]] = []
    lower, _, upper = bounds.partition(":")
    if len(order) == 1:
        (own,) = order
        first, last = lower.removesuffix("+1"), upper.removesuffix("-1")
        if first in free:
            held.append((first, "<" if first != lower else "<=", own))
            lower = ""
        if last in free:
            held.append((own, "<" if last != upper else "<=", last))
            upper = ""
    return f"{lower}:{upper}", held


def _within(reading: Reading, tree: Any, bounds: str, value: Expr, order: list[str]) -> None:
    """The bounds of a sum are those of its indices: from 1 to the dimension, or from 0 to one less."""
    lower, _, upper = bounds.partition(":")
    for name in order:
        size = value.node.dims[value.names.index(name)]
        last = {"": (str(size), str(size)), "0": (f"{size}-1", f"{size - 1}")}.get(lower if lower == "0" else "", ())
        if lower not in ("", "0", "1") or (upper and upper not in last and not unknown(size)):
            raise reading.error(
                tree, f"a sum from {lower or 1} to {upper or size}, and {name} goes from 1 to {size}",
                f"declare the dimension that is meant, or slice the tensor: x[1:]; up to an index, Σ_{{{name}<=i}}",
            )  # fmt: skip


def read_array(reading: Reading, tree: Any, needed: bool = True, entries: str = "") -> Steps:
    """A part as an argument that is an array: braces name its axes.

    Where it is not `needed`, indices may stay; `entries` says of what powers are of the entries.
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
