"""The rules of calls: functions of the table, abstract functions, constants by their dimensions, patterns."""

from __future__ import annotations

import re
from inspect import signature
from math import prod
from typing import Any

from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS
from indexcalc.graph.constructors import regroup
from indexcalc.index import Dimension, dim
from indexcalc.reading.binders import read_array
from indexcalc.reading.constants import CONSTANTS, INDEXED, MADE
from indexcalc.reading.names import Reading, Scope, Steps
from indexcalc.reading.operands import Value, bare_number, groups_of
from indexcalc.views import declare
from indexcalc.views.array import Array, standing_array
from indexcalc.views.functions.apply import WRITTEN as FUNCTIONS

WITHOUT_ROW = frozenset(["normF", "sum", "mean"])
"""Functions along axes that the table lacks: they are products, or another one along two axes."""


def is_along(name: str) -> bool:
    """Is it a function along axes, which are named after the argument or told by `axis=`?

    >>> is_along("softmax"), is_along("inv")
    (True, False)
    """
    return name in WITHOUT_ROW or (name in REDUCTIONS and not REDUCTIONS[name].matrix)


def read_call(reading: Reading, tree: Any, scope: Scope) -> Steps:
    """`name(arguments, keyword=value)`: a constant, an abstract function, a function of the table."""
    token, *rest = tree.children
    name, parts = str(token), rest[0].children if rest else []
    args = [part for part in parts if part.data != "keyword"]
    keywords = {str(part.children[0]): part.children[1] for part in parts if part.data == "keyword"}
    if name in MADE:
        return (yield from _made(reading, tree, name, args, keywords, scope))
    abstract = reading.abstract(name)
    if abstract is not None:
        function, orders = abstract
        arrays = []
        for part in args:
            arrays.append((yield from read_array(reading, part)))
        return function.derivative(orders, *arrays)
    if not args:
        raise reading.error(tree, f"{name}() has no argument", f"write {name}(x[i])")
    if is_along(name):
        return (yield from _along(reading, name, args, keywords, scope))
    return (yield from _applied(reading, tree, name, args, keywords, scope))


def read_string(reading: Reading, tree: Any, scope: Scope) -> Value:
    """Text in quotes where no pattern is due: an error."""
    raise reading.error(tree, "text in quotes means nothing here", "only group(...) takes a pattern")


def _applied(reading: Reading, tree: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A function of entries or of whole arrays."""
    taken = signature(FUNCTIONS[name]).parameters
    for word, part in keywords.items():
        if word not in taken or not isinstance(part, str):
            raise reading.error(tree, f"{name} takes no {word}=", "")
    values = []
    for number, part in enumerate(args):
        if name in ELEMENTWISE or name == "sqrt":
            value = yield part, Scope(scope.kept)
        elif name == "unvec" and number:
            values.append(dim(reading.source(part)))
            continue
        else:
            value = yield from read_array(reading, part)
        values.append(bare_number(value))
    return FUNCTIONS[name](*values, **{word: str(part)[1:-1] for word, part in keywords.items()})


def _along(reading: Reading, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A function along axes: parameters follow its argument, then the names of axes."""
    value = yield args[0], Scope(scope.kept)
    rest: list[Any] = []
    for part in args[1:]:
        if part.data == "name":
            rest.append(reading.index(str(part.children[0]), scope))
        else:
            rest.append(bare_number((yield part, Scope(scope.kept))))
    given: dict[str, Any] = {}
    for word, part in keywords.items():
        if word not in ("axis", "keepdims") or isinstance(part, str):
            raise reading.error(part, f"{name} takes no {word}=", "write axis= or keepdims=")
        text = reading.source(part)
        given[word] = text == "True" if text in ("True", "False") else bare_number((yield part, Scope(scope.kept)))
    return FUNCTIONS[name](value, *rest, **given)


def _made(reading: Reading, tree: Any, name: str, args: list[Any], keywords: dict[str, Any], scope: Scope) -> Steps:
    """A constant with its dimensions, or axes joined and split."""
    if name == "group":
        return (yield from _group(reading, tree, args, keywords))
    if name == "einsum":
        return (yield from _einsum(reading, tree, args))
    texts = [reading.source(part) for part in args]
    wrong = [word for word, part in keywords.items() if word != "dim" or isinstance(part, str)]
    if wrong:
        raise reading.error(tree, f"{name} takes no {wrong[0]}= of this kind", "write dim=n")
    if name in CONSTANTS and not keywords:
        made = CONSTANTS[name](*(int(text) if re.fullmatch(r"-?\d+", text) else text for text in texts))
        return Array(made.node, made.inputs, reading.places(made), reading.vectors)
    size = dim(reading.source(keywords["dim"])) if keywords else None
    for part, text in zip(args, texts, strict=True):
        if not text.isidentifier():
            raise reading.error(part, f"{text!r} is no index", f"write {name}(i, j), or {name}[i,j]")
    indices = [reading.index(text, scope) for text in texts]
    return INDEXED[name](*indices, dim=size) if keywords else INDEXED[name](*indices)


def _einsum(reading: Reading, tree: Any, args: list[Any]) -> Steps:
    """`einsum("ij,jk->ik", A, B)`."""
    if not args or args[0].data != "string":
        raise reading.error(tree, "einsum takes a pattern, then arrays", 'write einsum("ij,jk->ik", A, B)')
    arrays = []
    for part in args[1:]:
        arrays.append((yield from read_array(reading, part)))
    return declare.einsum_array(str(args[0].children[0])[1:-1], *arrays)


def _group(reading: Reading, tree: Any, args: list[Any], keywords: dict[str, Any]) -> Steps:
    """`group(X, "i j -> (i j)")`, with the lengths of what is split as keywords."""
    if len(args) != 2 or args[1].data != "string":
        raise reading.error(tree, "group takes an array and a pattern", 'write group(X, "i j -> (i j)")')
    array = yield from read_array(reading, args[0])
    pattern = str(args[1].children[0])[1:-1]
    left, arrow, right = pattern.partition("->")
    inner, outer = groups_of(left), groups_of(right)
    letters = list(dict.fromkeys(letter for group in inner for letter in group))
    if (
        not arrow
        or len(inner) != array.order
        or sorted(sum(outer, ())) != sorted(letters)
        or len(letters) < len(sum(inner, ()))
    ):
        raise reading.error(
            args[1],
            f"the pattern {pattern!r} does not fit {array.order} axes",
            'write "i j -> (i j)", each letter once a side',
        )
    sizes: dict[str, Dimension] = {letter: dim(reading.source(part)) for letter, part in keywords.items()}
    for group, size in zip(inner, array.node.dims, strict=True):
        if len(group) == 1:
            sizes[group[0]] = size
        missing = [letter for letter in group if letter not in sizes]
        if missing:
            raise reading.error(tree, f"how long is {missing[0]}?", f"write group(..., {missing[0]}=...)")
        if prod(sizes[letter] for letter in group) != size:
            raise reading.error(args[1], f"({' '.join(group)}) does not split an axis of dimension {size}", "")
    place = {letter: k for k, letter in enumerate(letters)}
    split, joined = ([tuple(place[x] for x in group) for group in side] for side in (inner, outer))
    made = regroup(array.node, split, joined, [sizes[letter] for letter in letters])
    return standing_array(made, [array])
