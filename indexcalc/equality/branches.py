"""Where a formula has branches: every condition and kink in a graph, and its sides.

A `Branch` is a difference of two nodes whose sign decides something: `x > 1` compares, `relu(x)` chooses at 0,
`maximum(x, y)` where x = y. Of a maximum along an axis each place is a side, of `==` the place itself and the rest.
What only ends a domain (`log` at 0) is a branch whose sides need not all be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.equality.arithmetic import Array
from indexcalc.equality.reals import Reals
from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import AHEAD, Decider, elementwise_row, reduction_row
from indexcalc.graph.constructors import addition, constant_number, einsum, is_zero, reduction
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.walk import variables
from indexcalc.simplify.intervals import bounds
from indexcalc.simplify.passes import simplify

BELOW, ABOVE, UNCLEAR = -1, 1, 1 << 20
"""Sides of a sign; `UNCLEAR` is so near to the threshold that rounding decides."""
APART = UNCLEAR + 1
"""The sides of a place where rounding decides, and of all others."""
RANK = 1 << 10
"""The side of a place in an order is its rank times this number, more than an axis that is looked at has places."""
WINNER = -2
"""The side of a maximum that each entry is on where it is the largest: entry by entry, as the sides of a sign are."""


class Branch(NamedTuple):
    """A condition or a kink: `left - right` is `gap`, whose sign decides.

    `kind` is "threshold" (sides below and above), "same" (equal, or not), "true" (a condition that is put together:
    met, or not), "place" (the largest entry along `axes`: each place a side), "order" (the entry of each rank along the
    one of `axes`: each rank of each place a side). An `optional` one ends a domain.
    """

    kind: str
    gap: Node
    left: Node
    right: Node
    operators: tuple[str, str] = ("<", ">")
    axes: tuple[int, ...] = ()
    optional: bool = False

    @property
    def placed(self) -> bool:
        """Are its sides places along axes?"""
        return self.kind in ("place", "order")

    def sides(self, count: int = 2) -> tuple[int, ...]:
        """The sides there are; `count` is how many places the axes have."""
        if self.kind == "order":
            return tuple(RANK * rank + place for rank in range(count) for place in range(count))
        return {"threshold": (BELOW, ABOVE), "same": (0, 1), "true": (0, 1)}.get(self.kind, tuple(range(count)))

    def seen(self, at: Reals) -> Array:
        """The side of each entry at each point: points first, then all entries in one axis."""
        with np.errstate(all="ignore"):
            return self._seen(at.base(self.gap), at.rounding(self.gap))

    def _seen(self, value: Array, noise: Array) -> Array:
        if self.kind == "place":
            return _places(value, noise, self.axes)
        if self.kind == "order":
            return _ranked(value, noise, self.axes)
        value, noise = (np.real(a).reshape(len(value), -1) for a in (value, noise))
        near = (np.abs(value) <= noise) & (noise > 0)
        unclear = ~np.isfinite(value) | near & ((self.kind == "threshold") | (value != 0))
        found = np.sign(value) if self.kind == "threshold" else (value != 0).astype(float)
        return np.asarray(np.where(unclear, UNCLEAR, np.nan_to_num(found)), int)

    def margin(self, at: Reals, side: int) -> Array:
        """How far each entry lies on a side, at each point: positive where it does, beyond rounding."""
        with np.errstate(all="ignore"):
            return self._margin(at.base(self.gap), at.rounding(self.gap), side)

    def _margin(self, value: Array, noise: Array, side: int) -> Array:
        if self.kind == "place":
            return _lead(value, self.axes, side)
        if self.kind == "order":
            return _apart(value, self.axes, side)
        value = np.real(value).reshape(len(value), -1)
        noise = noise.reshape(len(value), -1)
        if self.kind == "threshold":
            found = value * side - noise
        else:
            found = np.where((value != 0) == bool(side), 1.0, -np.abs(value))
        return np.asarray(np.nan_to_num(found, nan=-np.inf, posinf=-np.inf, neginf=-np.inf))

    def impossible(self, side: int) -> bool:
        """Is it shown by intervals that this side is never met?"""
        if self.placed:
            return False
        low, high = bounds([self.gap])[self.gap]
        if self.kind == "threshold":
            return low >= 0 if side == BELOW else high <= 0
        return (low > 0 or high < 0) if side == 0 else low == high == 0


class Side(NamedTuple):
    """One side of a branch."""

    branch: Branch
    side: int


def _slices(value: Array, axes: Sequence[int]) -> Array:
    """The slices along the axes (those of the node) as the last axis, all others as the middle one."""
    own = tuple(1 + axis for axis in axes)
    moved = np.moveaxis(value, own, range(value.ndim - len(own), value.ndim))
    rest = value.ndim - len(own)
    return np.asarray(moved.reshape(len(value), prod(moved.shape[1:rest]), prod(moved.shape[rest:])))


def _places(value: Array, noise: Array, axes: Sequence[int]) -> Array:
    entries, rounding = _slices(value, axes), _slices(noise, axes)
    if entries.shape[-1] < 2:
        return np.zeros(entries.shape[:-1], int)
    place = entries.argmax(axis=-1)
    order = np.sort(entries, axis=-1)
    gap = order[..., -1] - order[..., -2]
    return np.asarray(np.where((gap <= rounding.max(axis=-1)) & (gap > 0) | ~np.isfinite(gap), UNCLEAR, place))


def _lead(value: Array, axes: Sequence[int], side: int) -> Array:
    entries = _slices(value, axes)
    if side == WINNER:
        if entries.shape[1] != 1 or entries.shape[2] < 2:
            return np.full(entries.shape[:2], -np.inf)
        order = np.sort(entries, axis=-1)
        others = np.where(entries == order[..., -1:], order[..., -2:-1], order[..., -1:])
        return np.asarray(np.nan_to_num(entries - others, nan=-np.inf)[:, 0])
    if side >= entries.shape[-1]:
        return np.full(entries.shape[:-1], -np.inf)
    others = np.delete(entries, side, axis=-1) if entries.shape[-1] > 1 else entries - 1
    return np.asarray(np.nan_to_num(entries[..., side] - others.max(axis=-1), nan=-np.inf))


def _ranked(value: Array, noise: Array, axes: Sequence[int]) -> Array:
    """The place of the entry of each rank, slice by slice; unclear where a neighbour is as near as rounding."""
    entries, rounding = _slices(value, axes), _slices(noise, axes)
    order = np.argsort(entries, axis=-1, kind="stable")
    gaps = np.diff(np.take_along_axis(entries, order, axis=-1), axis=-1)
    near = (gaps <= rounding.max(axis=-1, keepdims=True, initial=0)) & (gaps > 0) | ~np.isfinite(gaps)
    unclear = np.zeros(order.shape, bool)
    unclear[..., 1:] |= near
    unclear[..., :-1] |= near
    ranks = RANK * np.arange(order.shape[-1])
    return np.asarray(np.where(unclear, UNCLEAR, ranks + order).reshape(len(value), -1))


def _apart(value: Array, axes: Sequence[int], side: int) -> Array:
    """How far the entry at a place lies within a rank: to its neighbours, or less the way to the entry that has it."""
    entries = np.real(_slices(value, axes))
    rank, place = divmod(side, RANK)
    if side < 0 or max(rank, place) >= entries.shape[-1]:
        return np.full((len(value), entries[0].size), -np.inf)
    order, own = np.sort(entries, axis=-1), entries[..., place]
    ends = np.full((*own.shape, 1), np.inf)
    wide = np.concatenate([-ends, order, ends], axis=-1)
    gap = np.minimum(own - wide[..., rank], wide[..., rank + 2] - own)
    found = np.full(entries.shape, -np.inf)
    found[..., rank] = np.where(own == order[..., rank], np.minimum(gap, 1.0), -np.abs(own - order[..., rank]))
    return np.asarray(np.nan_to_num(found, nan=-np.inf).reshape(len(value), -1))


# ------------------------------------------------------------------ found in a graph


def branches_of(roots: Iterable[Node]) -> list[Branch]:
    """The branches of all nodes below the roots, each once.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> x = variable("x", (3,))
    >>> [branch.kind for branch in branches_of([elementwise("relu", [(x, (0,))], (3,))])]
    ['threshold']
    """
    found: dict[Any, Branch] = {}
    for node in topological(roots):
        for branch in _of(node):
            (gap,) = simplify([branch.gap])
            if is_zero(gap) or (isinstance(gap, Product) and not gap.factors and branch.kind != "true"):
                continue
            if gap.order and not variables([gap]):  # a triangle: no side of an input
                continue
            key = (branch.kind, gap, branch.axes)
            known = found.get(key)
            if known is None or (known.optional and not branch.optional):
                found[key] = branch._replace(gap=gap)
    return list(found.values())


def _of(node: Node) -> list[Branch]:
    match node:
        case Elementwise():
            return _elementwise(node)
        case Reduction():
            return _reduction(node)
        case Product():
            return [branch for f in node.factors if not isinstance(f.exponent, int) for branch in _root(f.node)]
        case Variable() | Constant() | Sum() | Regroup() | Matrix() | Call() | Definition():
            return []
    raise AssertionError(node.kind)


def _elementwise(node: Elementwise) -> list[Branch]:
    where = elementwise_row(node.fn).branches
    if where is None or chooser_of(node) is not None:
        return []
    first = node.args[0].node
    match where.decides:
        case Decider.ARGUMENT:
            return [_against(arg.node, where.at) for arg in node.args]
        case Decider.FIRST:
            return [_against(first, where.at)._replace(optional=where.ends)]
        case Decider.CONDITION:
            return _condition(first)
    left, right = node.args
    equality = where.decides is Decider.EQUALITY
    if equality and is_zero(right.node):
        return _condition(left.node)
    gap = addition([(1, left.node, left.labels), (-1, right.node, right.labels)], node.shape)
    return [Branch("same" if equality else "threshold", gap, left.node, right.node, where.operators)]


def _condition(node: Node) -> list[Branch]:
    """What chooses between two values: a comparison is a branch itself, anything else is true or not."""
    if isinstance(node, Elementwise) and elementwise_row(node.fn).condition and len(node.args) > 1:
        return []
    kind = "true" if _is_condition(node) else "same"
    return [Branch(kind, node, node, constant_number(0), ("==", "!="))]


def _is_condition(node: Node) -> bool:
    """Is this put together of comparisons alone: are its values 0 and other whole numbers, on open sets each?"""
    if isinstance(node, Elementwise):
        row = elementwise_row(node.fn)
        larger = row.unrounded and row.branches == AHEAD
        return row.condition or (larger and all(map(_is_condition, node.children)))
    if isinstance(node, Product | Sum):
        return all(map(_is_condition, node.children))
    return isinstance(node, Variable) and bool(node.assumptions & {"mask", "onehot"})


def _reduction(node: Reduction) -> list[Branch]:
    row, child, zero = reduction_row(node.fn), node.child, constant_number(0)
    if row.absolute:
        seen = reduction(row.absolute, child, node.axes, node.keeps)
        return [Branch("threshold", seen, seen, zero, optional=True)]
    where = row.branches
    if where is None:
        return []
    if where.decides is Decider.ARGUMENT:
        return [_against(child, where.at)]
    if where.decides is Decider.ORDER:
        return [Branch("order", child, child, zero, axes=node.axes)]
    axes = range(child.order)
    entries = einsum(-1, [(child, axes)], axes) if where.decides is Decider.SMALLEST else child
    return [Branch("place", entries, child, zero, axes=node.axes)]


def _against(node: Node, threshold: int) -> Branch:
    """A branch where the node is a number."""
    number = constant_number(threshold)
    axes = tuple(range(node.order))
    gap = node if not threshold else addition([(1, node, axes), (-threshold, constant_number(1), ())], node.dims)
    return Branch("threshold", gap, node, number)


def _root(base: Node) -> list[Branch]:
    """What a root of a node branches by: where the node ends, and where an even power in it is 0."""
    return [_against(base, 0)._replace(optional=True), *(_against(node, 0) for node in _raised_evenly(base))]


def _raised_evenly(node: Node) -> Iterator[Node]:
    """What stands to an even power in a product, or in a product within it, as in `x**2*y` that is not simplified."""
    for f in node.factors if isinstance(node, Product) else ():
        if isinstance(f.exponent, int):
            yield from _raised_evenly(f.node) if f.exponent % 2 else (f.node,)


# ------------------------------------------------------------------ pairs


def never_together(one: Side, other: Side) -> bool:
    """Is it shown that two sides, of the same entry, exclude each other: by the sum or difference of both gaps?

    >>> from indexcalc.graph.constructors import variable
    >>> x = variable("x", ())
    >>> below, above = Side(_against(x, 0), BELOW), Side(_against(x, 1), ABOVE)
    >>> never_together(below, above), never_together(above, below._replace(side=ABOVE))
    (True, False)
    """
    if {one.branch.kind, other.branch.kind} != {"threshold"} or one.branch.gap.dims != other.branch.gap.dims:
        return False
    axes = tuple(range(one.branch.gap.order))
    # both side*gap > 0, so their sum is positive: impossible where it never is
    (total,) = simplify([addition([(s.side, s.branch.gap, axes) for s in (one, other)], one.branch.gap.dims)])
    return bounds([total])[total][1] <= 0 if not is_zero(total) else True


def gap_of(sides: Sequence[Side]) -> Callable[[Reals], Array]:
    """How far each point lies on all of these sides at once: the best of its entries, where they have the same ones."""

    def measured(at: Reals) -> Array:
        margins = together([side.branch.margin(at, side.side) for side in sides], np.minimum)
        return np.asarray(np.minimum.reduce([m.max(axis=1, initial=-np.inf) for m in margins]))

    return measured


def together(rows: Sequence[Array], join: Any) -> list[Array]:
    """What is known of entries, joined entry by entry where there are as many."""
    groups: dict[int, list[Array]] = {}
    for row in rows:
        groups.setdefault(row.shape[1], []).append(row)
    return [np.asarray(join.reduce(group)) for group in groups.values()]


# ------------------------------------------------------------------ in words


def said(sides: Sequence[Side], text: Callable[[Node], str]) -> str:
    """The sides in words, `x > 0 and abs(y) <= 1`; `text` writes a node."""
    return " and ".join(dict.fromkeys(_said(side, text) for side in sides))


def _said(side: Side, text: Callable[[Node], str]) -> str:
    branch = side.branch
    if side.side in (UNCLEAR, APART):
        tied = side.side == UNCLEAR
        if branch.placed:
            return f"{'a tie' if tied else 'no tie'} in {text(branch.left)}"
        return f"{text(branch.left)} {'==' if tied else '!='} {text(branch.right)}"
    if branch.kind == "place":
        return f"place {side.side} of {text(branch.left)} is the largest"
    if branch.kind == "order":
        rank, place = divmod(side.side, RANK)
        return f"place {place} of {text(branch.left)} is number {rank} in ascending order"
    if branch.kind == "true":
        return f"{text(branch.left)} {'!=' if side.side else '=='} 0"
    below = side.side == (BELOW if branch.kind == "threshold" else 0)
    return f"{text(branch.left)} {branch.operators[0 if below else 1]} {text(branch.right)}"
