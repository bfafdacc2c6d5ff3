"""The rules of names and their subscripts: indices, entries, slices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from indexcalc.errors import counted
from indexcalc.functions.entries.choosing import is_whole
from indexcalc.index import Dimension, dim
from indexcalc.reading.rules.binders import read_array
from indexcalc.reading.rules.constants import INDEXED
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import Value, flagged, letters_of
from indexcalc.views import declare
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import AbstractFunction

INTEGER = re.compile(r"[-+]?\d+")
"""An integer, which counts from the end below 0."""


def read_name(reading: Reading, tree: Any, scope: Scope) -> Any:
    """`x`, or `x_ij` with the subscripts written into the name."""
    (token,) = tree.children
    value, tail = reading.resolve(token)
    if tail:
        return indexed(reading, tree, value, letters_of(tail, None), scope)
    if isinstance(value, AbstractFunction):
        raise reading.error(tree, f"{token} is a function, and stands without its argument", f"write {token}(x)")
    return flagged(value, lambda name: scope.every or name in scope.kept)


def read_indexed(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`x[i]`, `x_{ij}`, `X[0,j]`, `X[1:3,:]`, `W[idx]`, `Z[b,y[b]]`."""
    base, subs = tree.children
    value: Any = INDEXED.get(str(base.children[0])) if base.data == "name" and not reading.declares(base) else None
    if value is None:
        value = yield from read_array(reading, base, needed=False)
    if hasattr(subs, "children"):
        plain = list(map(_is_index, subs.children))
        if any(getattr(sub, "data", "") == "within" for sub in subs.children):
            return dependent(reading, tree, value, subs.children, scope)
        if all(plain) and all(integers_named(reading, sub) is None for sub in subs.children):
            return indexed(reading, tree, value, [str(name) for name in subs.children], scope)
        affine = [_is_affine(reading, sub) for sub in subs.children]
        if any(affine) and all(own or _is_index(sub) for own, sub in zip(affine, subs.children, strict=True)):
            return indexed(reading, tree, value, [_words(sub) for sub in subs.children], scope)
        return entries(reading, tree, value, subs.children, scope)
    letters = letters_of(str(subs)[2:-1], value.order if isinstance(value, Array) else None)
    return indexed(reading, tree, value, letters, scope)


def indexed(reading: Reading, tree: Any, value: Any, names: Sequence[str], scope: Scope) -> Any:
    """A tensor or a constant with these indices."""
    for name in names:
        if name.isdigit():
            entry = ",".join(names)
            raise reading.error(
                tree, f"{entry} is no index, and an entry is counted from 0 here",
                f"write [{','.join('0' * len(names))}] for the first entry, or declare the name {reading.source(tree)}",
            )  # fmt: skip
    if any(not name.isidentifier() for name in names) and not isinstance(value, Array | Expr):
        raise reading.error(tree, f"{reading.source(tree)} has an affine index", "index a tensor so: x[i+1]")
    indices: list[Any] = [reading.affine(tree, name, scope) for name in names]
    if isinstance(value, Array):
        return value[tuple(indices)]
    if isinstance(value, Expr):
        if value.free and len(indices) == len(value.free):
            return value.array(*value.free)[tuple(indices)]
        raise reading.error(
            tree, f"this has the indices {', '.join(map(str, value.free)) or 'none'} already", "leave the brackets out"
        )
    if value is declare.epsilon and len(indices) < 2:
        raise reading.undeclared(tree, "epsilon", "n")
    if value is declare.delta and len(indices) != 2:
        raise reading.error(tree, f"δ with {counted(len(indices), 'index')}", "write δ[i,j]")
    return value(*indices)


def integers_named(reading: Reading, sub: Any) -> Array | None:
    """The integer tensor with axes that a subscript names, if it does."""
    value = reading.known.get(str(sub)) if isinstance(sub, str) else None
    return value if isinstance(value, Array) and value.order and is_whole(value.node) else None


def dependent(reading: Reading, tree: Any, value: Any, subs: Sequence[Any], scope: Scope) -> Value:
    """Entries at indices, of which some are integers that depend on others, `Z[b,y[b]]`."""
    if not isinstance(value, Array):
        raise reading.error(tree, f"entries {reading.source(tree)} of what is no array", "write x[i], x[0] or X[1:3,:]")
    keys: list[Any] = []
    for sub in subs:
        if getattr(sub, "data", "") == "within":
            token, inner = sub.children
            keys.append(dependent(reading, sub, reading.resolve(token)[0], inner.children, scope))
        elif isinstance(sub, str) and str(sub).isidentifier():
            keys.append(reading.index(str(sub), scope))
        else:
            raise reading.error(tree, f"{reading.source(tree)}: an index beside none", "give one index for each axis")
    return cast(Value, value[tuple(keys)])


def _is_index(sub: Any) -> bool:
    """Is this subscript an index?"""
    return isinstance(sub, str) and str(sub).isidentifier() and sub != "None"


def _is_affine(reading: Reading, sub: Any) -> bool:
    """Is this subscript an affine function of indices, as `i+1`? One of dimensions alone is an entry."""
    names = [token for token in sub.children if token.type == "NAME"] if getattr(sub, "data", "") == "bound" else []
    return any(str(token) not in reading.symbols for token in names)


def _words(sub: Any) -> str:
    """A subscript as it is typed."""
    return str(sub) if isinstance(sub, str) else "".join(map(str, sub.children))


def entries(reading: Reading, tree: Any, value: Any, subs: Sequence[Any], scope: Scope) -> Value:
    """Entries of an array, by integers, slices and integer tensors; beside integers names are indices: `X[0,j]`."""
    if not isinstance(value, Array):
        raise reading.error(tree, f"entries {reading.source(tree)} of what is no array", "write x[i], x[0] or X[1:3,:]")
    keys = [_key(reading, sub) for sub in subs]
    names = [key for key in keys if isinstance(key, str)]
    picked = value[tuple(slice(None) if isinstance(key, str) else key for key in keys)]
    if not names:
        return cast(Value, picked)
    if any(not isinstance(key, str | int) for key in keys):
        raise reading.error(tree, f"the index {names[0]} beside a slice", f"pick entries first: X[0,:][{names[0]}]")
    return cast(Value, picked[tuple(reading.index(name, scope) for name in names)])


def _key(reading: Reading, sub: Any) -> Any:
    """A subscript: an index as its name, an entry as its number, a slice."""
    if isinstance(sub, str):
        found = integers_named(reading, sub)
        if found is not None:
            return found
        return int(sub) if sub.isdigit() else {"None": None, "...": Ellipsis}.get(sub, str(sub))
    if sub.data == "listed":
        words = list(map(_words, sub.children))
        if not all(INTEGER.fullmatch(word) for word in words):
            raise reading.error(sub, f"{reading.source(sub)} is no list of integers", "write X[[0,2]]")
        return list(map(int, words))
    if sub.data == "bound":
        *_, last = sub.children
        names = [token for token in sub.children if token.type == "NAME"]
        if (names or len(sub.children) == 2) and all(str(name) in reading.symbols for name in names):
            return _bound(reading, sub)
        mark = next((token for token in sub.children[1:] if token.type in ("SIGN", "TIMES")), last)
        raise reading.error(mark, f"expected ,, ]; found {str(mark)!r}", "an index is a name, an entry an integer")
    parts: list[list[Any]] = [[]]
    for child in sub.children:
        if getattr(child, "type", "") == "COLON":
            parts.append([])
        else:
            parts[-1].append(_bound(reading, child))
    return slice(*[part[0] if part else None for part in parts])


def _bound(reading: Reading, bound: Any) -> Dimension:
    """An integer, or a polynomial of dimension symbols."""
    tokens: list[Any] = [bound] if isinstance(bound, str) else bound.children
    for token in tokens:
        if token.type == "NAME" and str(token) not in reading.symbols:
            raise reading.unknown(token)
    text = str(bound) if isinstance(bound, str) else reading.source(bound)
    plain = "".join(text.split())
    return int(plain) if INTEGER.fullmatch(plain) else dim(text.removeprefix("+"))
