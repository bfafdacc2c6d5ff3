"""Selections in a product, folded: slices of slices, of units and of ones, and slices beside what puts entries back.

The rewrite: `fold_selections`. A selection is a delta between its short label and an affine function of it, see
`graph/ranges.py`, so what it meets along a summed label is found by the rules of deltas: the entries that both take.
Dimensions that are symbols are taken to be long enough, as slices take them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from indexcalc.graph.constructors import constant
from indexcalc.graph.edge import Draft
from indexcalc.graph.node import Constant, Labels, Node
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import NOTHING, Range, at_least, met, one_entry, range_of, selection_of


class Selecting(NamedTuple):
    """A selection among the factors: entry k of the label `short` is entry k of the range along the label `long`."""

    place: int
    short: int
    long: int
    range: Range


class Zero(Exception):
    """The product is zero: it has no entry that all of its selections take."""


def fold_selections(draft: Draft, out: Sequence[int]) -> bool:
    """Takes selections that meet together; False where the product is zero.

    >>> draft = Draft()
    >>> row, column = draft.fresh([4, 3])
    >>> draft.factors = [(constant("selection", (4, 9), (0, 1)), [row, 2], 1), (constant("unit", (9,), (6,)), [2], 1)]
    >>> fold_selections(draft, [row])
    False
    """
    draft.factors = [
        factor
        for factor in draft.factors
        if not (factor[0].name == "unit" and all(size == 1 for size in factor[0].dims))
    ]
    try:
        while any(range_of(node) is not None for node, _, _ in draft.factors) and _fold_one(draft, out):
            pass
    except Zero:
        return False
    return True


def _fold_one(draft: Draft, out: Sequence[int]) -> bool:
    """Folds one selection; says whether there was one to fold."""
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    found: list[Selecting] = []
    for place, (node, labels, exponent) in enumerate(rows):
        own = range_of(node)
        if own is not None and isinstance(exponent, int) and exponent > 0:
            short, long = labels
            found.append(Selecting(place, short, long, own))
    times = Counter(label for _, labels, _ in rows for label in labels)
    fixed = {draft.find(label) for label in out}
    summed = {label: count for label, count in times.items() if label not in fixed}
    return any(_alone(draft, one, rows, summed) for one in found) or any(
        _pair(draft, one, other, summed) for one in found for other in found if one.place != other.place
    )


Rows = Sequence[tuple[Node, Labels, Number]]


def put(draft: Draft, places: Sequence[int], gone: Sequence[int], *made: tuple[Node, list[int]]) -> bool:
    """Factors go, with labels that are summed in them, and others come in their place.

    >>> draft = Draft()
    >>> put(draft, [], [], (constant("pi"), [])), len(draft.factors)
    (True, 1)
    """
    draft.factors = [factor for k, factor in enumerate(draft.factors) if k not in places]
    draft.drop(gone)
    draft.factors += [(node, labels, 1) for node, labels in made]
    return True


def _alone(draft: Draft, one: Selecting, rows: Rows, summed: dict[int, int]) -> bool:
    """A selection that is no such, or beside a unit: all entries, entries that are summed, one entry."""
    place, short, long, found = one
    if found.whole:
        draft.join(short, long)
        return put(draft, [place], [])
    if short == long:
        return False
    for label in (long, short) if found.size == found.length else (long,):  # all entries, in some order
        if summed.get(label) == 1:
            return put(draft, [place], [label])
    if found.size == 1 and short in summed and isinstance(found.start, int):
        gone = [short] if summed[short] == 1 else []
        return put(draft, [place], gone, (constant("unit", (found.length,), (found.start,)), [long]))
    for other, (node, labels, exponent) in enumerate(rows):
        if type(node) is Constant and node.label == "unit" and len(labels) == 1 and isinstance(exponent, int):
            if exponent > 0 and labels[0] == long and _unit_of_long(draft, one, other, node.params[0], summed):
                return True
            if exponent > 0 and labels[0] == short and _unit_of_short(draft, one, other, node.params[0], summed):
                return True
    return False


def _unit_of_long(draft: Draft, one: Selecting, other: int, at: int, summed: dict[int, int]) -> bool:
    """One entry of an axis is one entry of what is selected of it, or none."""
    apart = at - one.range.start
    if not isinstance(apart, int):
        return False
    number, rest = divmod(apart, one.range.step)
    if rest or number < 0 or at_least(number, one.range.size):
        raise Zero
    if not at_least(one.range.size, number + 1) and not isinstance(one.range.length - one.range.size, int):
        return False
    gone = summed.get(one.long) == 2
    made = constant("unit", (one.range.size,), (number,)), [one.short]
    return put(draft, [one.place, other] if gone else [one.place], [one.long] if gone else [], made)


def _unit_of_short(draft: Draft, one: Selecting, other: int, number: int, summed: dict[int, int]) -> bool:
    """One entry of what is selected is one entry of the whole, counted from the start or from the end."""
    found = one_entry(one.range.start + one.range.step * number, one.range.length)
    gone = summed.get(one.short) == 2
    places, labels = ([one.place, other], [one.short]) if gone else ([one.place], [])
    if isinstance(found.start, int):
        return put(draft, places, labels, (constant("unit", (found.length,), (found.start,)), [one.long]))
    if one.range.size == 1:
        return False
    return put(draft, places, labels, (selection_of(found), [*draft.fresh([1]), one.long]))


def _pair(draft: Draft, one: Selecting, other: Selecting, summed: dict[int, int]) -> bool:
    """Two selections that meet along a label: a slice of a slice, or two of one axis."""
    both = [one.place, other.place]
    if one.long == other.short and summed.get(one.long) == 2:
        made = selection_of(one.range.within(other.range))
        return put(draft, both, [one.long], (made, [one.short, other.long]))
    if one.long != other.long or one.place > other.place:
        return False
    if one.short == other.short:
        apart = one.range.start - other.range.start
        if one.range.step == other.range.step and isinstance(apart, int):
            if apart:
                raise Zero
            return put(draft, [other.place], [])
        return False
    shared = met(one.range, other.range)
    if shared is None:
        return False
    if shared is NOTHING:
        raise Zero
    if summed.get(one.long) != 2 and shared[0].whole and shared[1].whole:
        draft.join(one.short, other.short)
        return put(draft, [other.place], [])
    return summed.get(one.long) == 2 and _shared(draft, one, other, shared)


def _shared(draft: Draft, one: Selecting, other: Selecting, shared: tuple[Range, Range]) -> bool:
    """The entries that two selections of one axis share, in place of the axis."""
    both, (left, right) = [one.place, other.place], shared
    if left.whole and right.whole:
        draft.join(one.short, other.short)
        return put(draft, both, [one.long])
    nodes = [selection_of(found) for found in shared]
    if left.whole or right.whole:
        made, labels = (nodes[1], [one.short, other.short]) if left.whole else (nodes[0], [other.short, one.short])
        return put(draft, both, [one.long], (made, labels))
    (label,) = draft.fresh([left.size])
    return put(draft, both, [one.long], (nodes[0], [label, one.short]), (nodes[1], [label, other.short]))
