"""einops' patterns for axes: `rearrange`, `reduce` and `repeat` of Arrays.

A side of a pattern has an entry an axis: a name, `1`, a group in brackets, the outermost name first, or `...` for the
axes that are not named. What splits an axis has its sizes as keywords, all of them but one; they are integers or
symbols, and multiply to the axis exactly. A. Rogozhnikov, Einops: clear and reliable tensor manipulations with
Einstein-like notation, ICLR 2022.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain, count
from math import prod
from typing import Any, NamedTuple, TypeGuard

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted, did_you_mean
from indexcalc.functions.table import REDUCTIONS
from indexcalc.graph.constructors import dimension, einsum, reduction, regroup
from indexcalc.graph.node import Node
from indexcalc.index import Dim, Dimension, dim
from indexcalc.surface import public
from indexcalc.views.array import Array, standing_array
from indexcalc.views.expr import Expr
from indexcalc.views.patterns import REST

TOKENS = re.compile(r"\.\.\.|[^\W\d]\w*|\d+|[()]|\S")
SUMMED = ("sum", "mean")
"""Reductions that are products."""
Label = Hashable
Group = tuple[Label, ...]
Size = int | str | Dim


class Arrangement(NamedTuple):
    """A pattern as it was read: the names of each axis, before and after, and the size of each that is new there."""

    before: list[Group]
    after: list[Group]
    sizes: dict[Label, Dimension]


@public
def rearrange(x: Array, pattern: str, /, **sizes: Size) -> Array:
    """The axes in another order, split and joined, as einops writes it.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "batch 12")
    >>> ic.rearrange(x, "b (head width) -> head b width", head=3).shape
    (3, batch, 4)
    """
    asked = _asked("rearrange", x, pattern, sizes)
    sides = _read(x, pattern, sizes, asked)
    _same(sides, asked, gone="write ic.reduce(x, pattern, 'sum')", new="write ic.repeat(x, pattern, ...)")
    return _arranged(x, sides, "sum")


@public
def reduce(x: Array, pattern: str, /, reduction: str, **sizes: Size) -> Array:
    """The axes that are missing after the arrow reduced, as einops writes it.

    `reduction` is "sum", "mean", "max", "min", "prod", or another function of the table that reduces any axes.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "batch 12")
    >>> ic.reduce(x, "b (step width) -> b step", "max", width=4).shape
    (batch, 3)
    """
    asked = _asked("reduce", x, pattern, {"reduction": reduction, **sizes})
    row = REDUCTIONS.get(reduction)
    if reduction not in SUMMED and (row is None or not row.public or not row.of_sets or row.params):
        known = [*SUMMED, *(name for name, row in REDUCTIONS.items() if row.public and row.of_sets and not row.params)]
        raise NotationError(asked, f"there is no reduction {reduction!r}", did_you_mean(reduction, known))
    sides = _read(x, pattern, sizes, asked)
    _same(sides, asked, new="write ic.repeat(x, pattern, ...) of the result")
    return _arranged(x, sides, reduction)


@public
def repeat(x: Array, pattern: str, /, **sizes: Size) -> Array:
    """The entries repeated along the axes that are new after the arrow, as einops writes it.

    >>> import indexcalc as ic
    >>> ic.repeat(ic.tensor("x", "n"), "n -> batch n", batch="b").shape
    (b, n)
    """
    asked = _asked("repeat", x, pattern, sizes)
    sides = _read(x, pattern, sizes, asked)
    _same(sides, asked, gone="write ic.reduce(x, pattern, 'sum') first")
    return _arranged(x, sides, "sum")


def _asked(verb: str, x: Any, pattern: Any, more: Mapping[str, Any]) -> Asked:
    return Asked(lambda: f"{verb}({', '.join([str(x), repr(pattern), *(f'{k}={v!r}' for k, v in more.items())])})")


# ------------------------------------------------------------------ what is written


def _read(x: Any, pattern: str, given: Mapping[str, Any], asked: Asked) -> Arrangement:
    if not isinstance(x, Array):
        instead = "place its axes: .array(i, j)" if isinstance(x, Expr) else "declare it: ic.tensor(...)"
        raise KindError(asked, f"{x!r} is no Array", instead)
    left, arrow, right = pattern.partition("->")
    if not arrow or "->" in right:
        raise NotationError(asked, "a pattern has one arrow", '"batch (a b) -> a batch b", say')
    numbers = count()
    before, after = (_groups(side, numbers, asked) for side in (left, right))
    for side in (before, after):
        names = [label for group in side for label in group]
        twice = next((label for label in names if names.count(label) > 1), None)
        if twice is not None:
            raise NotationError(asked, f"{twice} stands twice on one side", "a diagonal is written with ic.einsum")
    before, after = _opened(before, after, x, asked)
    known = _sizes(given, [*before, *after], asked)
    _split(x, before, known, asked)
    for label in chain(*after):
        if label not in known:
            raise NotationError(asked, f"the size of {label} is not said", f"write {label}=..., an integer or a symbol")
    return Arrangement(before, after, known)


def _groups(side: str, numbers: Any, asked: Asked) -> list[Group]:
    """The entries of a side, each a group of names; a number is a name of its own, with its size."""
    groups: list[Group] = []
    inside: list[Label] | None = None
    for token in TOKENS.findall(side):
        label: Label = (next(numbers), int(token)) if token.isdecimal() else token
        if token in "()":
            if (token == "(") != (inside is None):
                raise NotationError(asked, f"brackets within brackets, or one alone, in {side.strip()!r}", "pair them")
            groups += [] if inside is None else [tuple(inside)]
            inside = [] if inside is None else None
        elif not (token == REST or token.isdecimal() or token.isidentifier()):
            raise NotationError(asked, f"{token!r} in {side.strip()!r}", "names, 1, brackets, ..., with spaces between")
        elif inside is None:
            groups.append((label,))
        else:
            inside.append(label)
    if inside is not None:
        raise NotationError(asked, f"an open bracket in {side.strip()!r}", "close it")
    return groups


def _opened(before: list[Group], after: list[Group], x: Array, asked: Asked) -> tuple[list[Group], list[Group]]:
    """The sides with the axes that `...` stands for, each under a name of its own."""
    rest = (REST,) in before
    named = len(before) - rest
    if any(REST in group and len(group) > 1 for group in before):
        raise NotationError(asked, "... in a group before the arrow", "name what the group is made of")
    if named > x.order or (not rest and named != x.order):
        found = f"the pattern names {counted(named, 'axis')}, {x} has {x.order}"
        raise NotationError(asked, found, "one name, group or 1 an axis, or `...` for the others")
    if not rest and any(REST in group for group in after):
        raise NotationError(asked, "... after the arrow alone", "write it on both sides")
    axes = [(REST, axis) for axis in range(x.order - named)]
    place = before.index((REST,)) if rest else 0
    opened = [*before[:place], *((axis,) for axis in axes), *before[place + rest :]]
    spread: list[Group] = []
    for group in after:
        if group == (REST,):
            spread += [(axis,) for axis in axes]
        else:
            spread.append(tuple(chain(*(axes if label == REST else (label,) for label in group))))
    return opened, spread


def _sizes(given: Mapping[str, Any], groups: Sequence[Group], asked: Asked) -> dict[Label, Dimension]:
    """The sizes that were given by keyword, and those of numbers."""
    labels = set(chain(*groups))
    known: dict[Label, Dimension] = {label: label[1] for label in labels if _is_number(label)}
    for name, size in given.items():
        if name not in labels:
            names = [label for label in labels if isinstance(label, str)]
            raise NotationError(asked, f"{name} is no axis of the pattern", did_you_mean(name, names))
        known[name] = dim(size)
    return known


def _is_number(label: Any) -> TypeGuard[tuple[int, int]]:
    return isinstance(label, tuple) and label[0] != REST


def _split(x: Array, before: Sequence[Group], known: dict[Label, Dimension], asked: Asked) -> None:
    """Finds the sizes of the names before the arrow: of each axis all but one are known, or all, and go with it."""
    for axis, (group, size) in enumerate(zip(before, x.node.dims, strict=True)):
        left = [label for label in group if label not in known]
        told = prod([known[label] for label in group if label in known])
        shown = f"axis {axis} of {x}, of dimension {size}"
        if len(left) > 1:
            found = f"{shown}, is split into {', '.join(map(str, group))}, and {len(left)} sizes are not said"
            raise NotationError(asked, found, f"write {left[0]}=..., an integer or a symbol")
        if left:
            rest = size if told == 1 else _over(size, told)
            if rest is None:
                raise DimensionError(asked, f"{shown}, is no multiple of {told}", f"say all: {left[0]}=... too")
            known[left[0]] = rest
        elif told != size:
            found = f"{shown}, and {'*'.join(_word(label) for label in group) or '1'} is {told}"
            raise DimensionError(asked, found, "give sizes that multiply to it")


def _word(label: Any) -> str:
    return str(label[1]) if isinstance(label, tuple) else str(label)


def _over(size: Dimension, by: Dimension) -> Dimension | None:
    """One dimension over another, where that is a dimension."""
    if isinstance(size, int):
        return size // by if isinstance(by, int) and by and size % by == 0 else None
    if by == 0:
        return None
    found = size / by
    return found if isinstance(found, int | Dim) else None


def _same(sides: Arrangement, asked: Asked, gone: str = "", new: str = "") -> None:
    """No axis but one of size 1 is missing after the arrow, or new; `gone` and `new` say what to write, if not."""
    before, after = (set(chain(*side)) for side in (sides.before, sides.after))
    for told, labels, where in ((gone, before - after, "before"), (new, after - before, "after")):
        for label in labels if told else ():
            if not (_is_number(label) and sides.sizes[label] == 1):
                raise NotationError(asked, f"{_word(label)} stands {where} the arrow alone", told)


# ------------------------------------------------------------------ what it means


def _arranged(x: Array, sides: Arrangement, how: str) -> Array:
    before, after = (list(chain(*side)) for side in (sides.before, sides.after))
    single = all(len(group) == 1 for group in (*sides.before, *sides.after))
    if set(before) == set(after) and not single:
        place = {label: number for number, label in enumerate(before)}
        inner, outer = (
            [tuple(place[label] for label in group) for group in side] for side in (sides.before, sides.after)
        )
        return standing_array(regroup(x.node, inner, outer, [sides.sizes[label] for label in before]), [x])
    node = _cut(x.node, sides.before, sides.sizes)
    gone = [label for label in before if label not in after]
    if how not in SUMMED and gone:
        node = reduction(how, node, [before.index(label) for label in gone], False)
        before = [label for label in before if label in after]
    factors: list[Any] = [(node, before)]
    factors += [(dimension(sides.sizes[label]), (), -1) for label in gone] if how == "mean" else []
    node = einsum(1, factors, after, {label: sides.sizes[label] for label in after})
    return standing_array(_joined(node, sides.after), [x])


def _cut(node: Node, groups: Sequence[Group], sizes: Mapping[Label, Dimension]) -> Node:
    """The node with an axis for each name."""
    place = count()
    inner = [tuple(next(place) for _ in group) for group in groups]
    flat = list(chain(*groups))
    return regroup(node, inner, [(k,) for k in range(len(flat))], [sizes[label] for label in flat])


def _joined(node: Node, groups: Sequence[Group]) -> Node:
    """The node with the axes of each group as one."""
    place = count()
    outer = [tuple(next(place) for _ in group) for group in groups]
    return regroup(node, [(k,) for k in range(node.order)], outer, node.dims)
