"""What the reader of text does with operands: products, subscripts, and which indices a product keeps."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from indexcalc.errors import NotationError, counted
from indexcalc.graph.constructors import as_number
from indexcalc.graph.walk import resize
from indexcalc.index import Dim, Dimension, told_by, unknown
from indexcalc.reading.rules.spellings import (
    colon,
    dot,
    is_vector,
    left_quotient,
    product,
    quotient,
    tensor_product,
    times_sign,
    two_readings,
)
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr, hadamard_exprs
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS

Value = Expr | Array


def beside(first: Any, second: Any) -> Any:
    """Two operands side by side: `@` in matrix notation, `*` in index notation."""
    arrays = isinstance(first, Array) and first.order and second.order
    if arrays and is_vector(first) and is_vector(second) and first.places == second.places and first.ndim == 2:
        two_readings(
            f"{first} {second}", f"{first}' {second} for the sum of products", f"{first} ∘ {second} for the entries"
        )
    if arrays and first.standing == second.standing == "numpy" and second.flipped and not first.flipped:
        return FUNCTIONS["outer"](first, second)
    return first @ second if arrays else first * second


def circle(first: Any, second: Any) -> Any:
    """The product that keeps equal names."""
    return hadamard_exprs(first, second) if isinstance(first, Expr) else first * second


PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "*": operator.mul, ".*": operator.mul, "": beside, "@": operator.matmul, "/": operator.truediv, "∘": circle,
    "⊘": operator.truediv,
    "·": dot, ":": colon, "⊗": tensor_product, "×": times_sign, "times": product, "over": quotient, "\\": left_quotient,
}  # fmt: skip
"""What a sign between two operands makes of them; a dialect spells its own signs as these."""
APART = {"⊗", "×"}
"""Signs beside which dimensions may differ."""
MATRIX_SIGNS = {"", "@", "times", "\\"}
"""Signs that sum the last axis of what is before them."""


def symbols_of(values: Iterable[Value | AbstractFunction], dims: Iterable[Dimension]) -> set[str]:
    """The dimension symbols of tensors, of functions, and of the dimensions that are told."""
    sizes = list(dims)
    for value in values:
        if isinstance(value, AbstractFunction):
            sizes += value.signature.value
            sizes += [size for arg in value.signature.args for size in arg]
        else:
            sizes += value.node.dims
            sizes += [size for variable in value.inputs for size in variable.dims]
    return {name for size in sizes if isinstance(size, Dim) for name in size.symbols}


def words_of(names: Any) -> list[str]:
    """The words of a list of names, as it was read."""
    return [str(name) for name in names.children]


def letters_of(text: str, order: int | None) -> list[str]:
    """Subscripts without brackets: one a letter, or parted by commas; one word if there is one axis."""
    if "," in text or " " in text.strip():
        return text.replace(",", " ").split()
    text = text.strip()
    found = re.findall(r"[^\W\d_]\d*", text)
    if "".join(found) != text or (order == 1 and len(found) > 1):
        return [text]
    return found


def groups_of(side: str) -> list[tuple[str, ...]]:
    """One side of a pattern: `i (j k)` is the groups i and j, k."""
    return [tuple((inner or single).split()) for inner, single in re.findall(r"\(([^()]*)\)|(\w+)", side)]


def flagged(value: Any, kept: Callable[[str], bool]) -> Any:
    """An expression whose indices are batch indices exactly where `kept` says so."""
    if not isinstance(value, Expr) or not value.indices:
        return value
    indices, free = ([replace(index, batch=kept(index.name)) for index in row] for row in (value.indices, value.free))
    return Expr(value.node, indices, value.inputs, free, value.summed)


def keeping(value: Any) -> Any:
    """A factor whose names no product sums."""
    return closed(flagged(value, lambda name: True))


def closed(value: Any) -> Any:
    """An expression that has forgotten which names were summed in it."""
    return Expr(value.node, value.indices, value.inputs, value.free) if isinstance(value, Expr) else value


def bare_number(value: Any) -> Any:
    """A plain number where the expression is one."""
    number = as_number(value.node)
    return value if number is None else number


def pair(first: Any, second: Any) -> tuple[Any, Any]:
    """Two operands in one notation; what has no axes goes with either, and numbers leave an Array what it is."""
    if isinstance(first, Expr) == isinstance(second, Expr):
        return first, second
    bare = first if isinstance(first, Array) else second
    indexed = second if bare is first else first
    if bare.order and indexed.order:
        raise NotationError(
            str(bare),
            f"it has {counted(bare.order, 'axis')} and no indices, beside an expression that has them",
            f"write ({bare})[{','.join('ijklmnpq'[: bare.order])}]",
        )
    if bare.order or not (indexed.order or indexed.inputs):
        indexed = Array(indexed.node, indexed.inputs)
    else:
        bare = Expr(bare.node, (), bare.inputs)
    return (bare, indexed) if isinstance(first, Array) else (indexed, bare)


def in_one_notation(values: Sequence[Any]) -> list[Any]:
    """Arguments in one notation: what has no axes, as a dimension, goes with an Array that has some."""
    placed = next((value for value in values if isinstance(value, Array) and value.order), None)
    if placed is None:
        return list(values)
    return [pair(placed, value)[1] if isinstance(value, Expr) else value for value in values]


def resized(value: Any, table: dict[str, Dimension]) -> Any:
    """An array with dimensions that were not told yet."""
    (node,) = resize([value.node], table)
    return Array(node, value.inputs, value.places, value.vectors, value.turned, value.flipped)


def settled(first: Any, second: Any, sign: str) -> tuple[Any, Any] | None:
    """Two arrays, one of which has a length that the other tells: of `I`, of a vector of ones; None if none has."""
    if not (isinstance(first, Array) and isinstance(second, Array)):
        return None
    table: dict[str, Dimension] = {}
    for pair_met in meetings(first, second, sign):
        one, other = (table.get(str(size), size) for size in pair_met)
        if one == other or not (unknown(one) or unknown(other)):
            continue
        found = told_by(one, other) or told_by(other, one)
        if found is not None:
            table[found[0]] = found[1]
            continue
        gone, kept = (one, other) if unknown(one) else (other, one)
        table = {name: kept if size == gone else size for name, size in table.items()} | {str(gone): kept}
    return (resized(first, table), resized(second, table)) if table else None


def meetings(first: Any, second: Any, sign: str) -> list[tuple[Dimension, Dimension]]:
    """The dimensions that have to agree where two operands meet at a sign."""
    if isinstance(first, Expr) or isinstance(second, Expr):
        sizes = dict(zip(second.names, second.node.dims, strict=True)) if isinstance(second, Expr) else {}
        own = zip(first.names, first.node.dims, strict=True) if isinstance(first, Expr) else ()
        return [(size, sizes[name]) for name, size in own if name in sizes]
    if sign in APART:
        return []
    one, other = first.shape, second.shape
    if sign in MATRIX_SIGNS or (sign == "·" and max(len(one), len(other)) == 2 and first.order + second.order > 2):
        return [(one[-1], other[-2] if len(other) > 1 else other[-1])] if one and other else []
    return list(zip(reversed(one), reversed(other), strict=False))
