"""The rule of definitions, `y_j = x_i W_ij`, and the dimensions that are told for free indices."""

from __future__ import annotations

from typing import Any

from indexcalc.errors import ParseError
from indexcalc.graph.walk import resize
from indexcalc.index import Dimension, Index, unknown
from indexcalc.reading.rules.binders import read_array
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import letters_of, words_of
from indexcalc.views.array import Array
from indexcalc.views.declare import checked_name
from indexcalc.views.expr import Expr


def read_definition(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`Y = body`, `y[j] = body`, `y_j = body`: the value of the body, which the name has from here on."""
    target, body = tree.children
    name, subs = _target(reading, target)
    reading.left = frozenset(letters_of(name.rpartition("_")[2], None) if subs is None and "_" in name else subs or ())
    if body.data == "braces" and subs is None:
        value = yield from read_array(reading, body)
    else:
        value = yield body, scope
    reading.left = frozenset()
    free = value.names if isinstance(value, Expr) else ()
    if subs is None and "_" in name:
        head, _, tail = name.rpartition("_")
        letters = letters_of(tail, None)
        if head and (sorted(letters) == sorted(free) or (free and len(set(letters)) == len(letters))):
            name, subs = head, letters
    if name in reading.known or reading.is_function(name):
        raise reading.error(target, f"{name!r} means something already", f"use another name, {name}_ say")
    checked_name(name, "parse")
    if sorted(subs or ()) != sorted(free):
        shown = ", ".join(free) or "none"
        raise reading.error(
            target,
            f"the right side has the free indices {shown}, the left {', '.join(subs or ()) or 'none'}",
            f"write {name}[{','.join(free)}] = ..." if free else f"write {name} = ...",
        )
    if isinstance(value, Expr):
        value = sized(reading, value)
        placed = value.array(*(Index(letter) for letter in subs or ()))
        reading.known[name] = Array(placed.node, placed.inputs, reading.places(placed), reading.vectors)
        return value
    reading.known[name] = value
    return value


def sized(reading: Reading, value: Expr) -> Expr:
    """An expression whose free indices have the dimensions that were declared for them."""
    table: dict[str, Dimension] = {}
    for index, size in zip(value.indices, value.node.dims, strict=True):
        wanted = reading.sizes.get(index.name, size)
        if wanted == size:
            continue
        if not unknown(size):
            raise ParseError(reading.text, f"index {index} has dimension {size}, and dims says {wanted}", "")
        table[str(size)] = wanted
    if not table:
        return value
    (node,) = resize([value.node], table)
    return Expr(node, value.indices, value.inputs, value.free)


def _target(reading: Reading, target: Any) -> tuple[str, list[str] | None]:
    """The name that a statement defines, and its indices if they stand in brackets."""
    if target.data == "name":
        return str(target.children[0]), None
    if target.data == "indexed" and target.children[0].data == "name":
        base, subs = target.children
        names = words_of(subs) if hasattr(subs, "children") else letters_of(str(subs)[2:-1], None)
        return str(base.children[0]), names
    raise reading.error(
        target, "only a name can be defined, and an equation is no expression",
        "write Y = ..., y[j] = ... or y_j = ...; ic.check compares the sides of an equation",
    )  # fmt: skip
