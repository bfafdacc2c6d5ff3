"""Affine deltas in a product, folded: at units and entries of axes of dimension 1, beside selections, and summed.

The rewrite: `fold_entries`, which folds selections too. An affine delta is 1 where an affine function of its labels is
0, see `Relation` in `graph/ranges.py`: of two labels that is a pair of selections, of one a unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from indexcalc.graph.constructors import constant
from indexcalc.graph.edge import Draft
from indexcalc.graph.node import Constant, Labels, Node
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import (
    NOTHING,
    Range,
    Relation,
    affine_delta,
    at_least,
    range_of,
    relation_of,
    selection_of,
)
from indexcalc.simplify.products.selections import Zero, fold_selections, put


class Meeting(NamedTuple):
    """An affine delta among the factors: its place there, its labels and its relation."""

    place: int
    labels: Labels
    relation: Relation


Row = tuple[Node, Labels, Number]


def fold_entries(draft: Draft, out: Sequence[int]) -> bool:
    """Folds selections and affine deltas; False where the product is zero.

    >>> draft = Draft()
    >>> t, j, entry = draft.fresh([4, 3, 6])
    >>> node, _ = affine_delta(Relation(0, (1, 1, -1), (4, 3, 6)))
    >>> draft.factors = [(node, [t, j, entry], 1), (constant("unit", (3,), (2,)), [j], 1)]
    >>> fold_entries(draft, [t, entry]), [(node.name, node.params) for node, _, _ in draft.factors]
    (True, [('unit', (2,)), ('selection', (2, 1))])
    """
    try:
        while fold_selections(draft, out):
            if not _fold_one(draft, out):
                return True
    except Zero:
        pass
    return False


def _fold_one(draft: Draft, out: Sequence[int]) -> bool:
    """Folds one affine delta; says whether there was one to fold."""
    if not any(relation_of(node) for node, _, _ in draft.factors):
        return False
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    fixed = set(map(draft.find, out))
    summed = {x: n for x, n in Counter(x for _, own, _ in rows for x in own).items() if x not in fixed}
    for place, (node, labels, exponent) in enumerate(rows):
        found = relation_of(node)
        if found is None or not isinstance(exponent, int) or exponent < 1:
            continue
        if found.never:
            raise Zero
        one = Meeting(place, labels, found)
        if exponent > 1 or affine_delta(found)[0] is not node or _again(one, rows):
            return _replaced(draft, one) if exponent > 1 or not _again(one, rows) else put(draft, [place], [])
        if _known(draft, one, rows) or _alone(draft, one, summed) or _picked(draft, one, rows, summed):
            return True
    return False


def _replaced(draft: Draft, one: Meeting, others: Sequence[int] = (), gone: Sequence[int] = ()) -> bool:
    """An affine delta in its normal form, in place of it and of other factors; labels that are summed may be gone."""
    made, axes = affine_delta(one.relation)
    return put(draft, [one.place, *others], gone, (made, [one.labels[axis] for axis in axes]))


def _again(one: Meeting, rows: Sequence[Row]) -> bool:
    """Is there the same affine delta before this one? It is 0 or 1, and itself to any power."""
    rule = rows[one.place][0].facts["symmetry"]
    same = [labels for node, labels, _ in rows[: one.place] if node is rows[one.place][0]]
    groups = [axes for axes, _ in rule.blocks] + [(k,) for k in range(len(one.labels))]
    return any(all({labels[k] for k in axes} == {one.labels[k] for k in axes} for axes in groups) for labels in same)


def _known(draft: Draft, one: Meeting, rows: Sequence[Row]) -> bool:
    """An affine delta with a label twice, with one of dimension 1, or with one at which there is a unit."""
    units = {
        labels[0]: node.params[0]
        for node, labels, exponent in rows
        if type(node) is Constant and node.label == "unit" and len(labels) == 1 and exponent == 1
    }
    found, labels = one.relation, list(one.labels)
    for label in one.labels:
        place = labels.index(label)
        if found.sizes[place] == 1 or label in units:
            found = found.without(place, 0 if found.sizes[place] == 1 else units[label])
        elif labels.count(label) > 1:
            coef, last = found.coefs[place], len(labels) - 1 - labels[::-1].index(label)
            coefs = [c + coef * (k == last) for k, c in enumerate(found.coefs)]
            found = found._replace(coefs=tuple(coefs)).without(place)
        elif found.coefs[place] == 0:
            found = found.without(place)
        else:
            continue
        del labels[place]
    if len(labels) == 2 and _two(draft, one.place, found, labels):
        return True
    if len(labels) == 1 and _one(draft, one.place, found, labels[0]):
        return True
    if len(labels) == len(one.labels):
        return False
    if labels:
        return _replaced(draft, Meeting(one.place, tuple(labels), found))
    if found.start != 0 and isinstance(found.start, int):
        raise Zero
    return found.start == 0 and put(draft, [one.place], [])


def _one(draft: Draft, place: int, found: Relation, label: int) -> bool:
    """A relation of one label: one entry of it, or none."""
    (coef,), (size,) = found.coefs, found.sizes
    if not isinstance(found.start, int):
        return False
    entry, rest = divmod(-found.start, coef)
    if rest or entry < 0 or at_least(entry, size):
        raise Zero
    return at_least(size, entry + 1) and put(draft, [place], [], (constant("unit", (size,), (entry,)), [label]))


def _two(draft: Draft, place: int, found: Relation, labels: Sequence[int]) -> bool:
    """A relation of two labels: entries of the one that are those of the other."""
    shared, (one, other) = found.pair, labels
    if shared is None:
        return False
    if shared is NOTHING:
        raise Zero
    left, right = shared
    if left.whole and right.whole:
        draft.join(one, other)
        return put(draft, [place], [])
    nodes: list[Constant | None] = [None if part.whole else selection_of(part) for part in shared]
    if any(node is None and not part.whole for node, part in zip(nodes, shared, strict=True)):
        return False
    short = one if left.whole else other if right.whole else draft.fresh([left.size])[0]
    rows = zip(nodes, labels, strict=True)
    return put(draft, [place], [], *((node, [short, long]) for node, long in rows if node is not None))


def _alone(draft: Draft, one: Meeting, summed: dict[int, int]) -> bool:
    """An affine delta summed over a label that nothing else has: 1, where each entry of the others meets one."""
    for place, label in enumerate(one.labels):
        if summed.get(label) == 1 and one.relation.solved(place):
            return put(draft, [one.place], [label])
    return False


def _picked(draft: Draft, one: Meeting, rows: Sequence[Row], summed: dict[int, int]) -> bool:
    """An affine delta that meets a selection along a summed label: one of the label that is left.

    A selection that may be too long for its axis stays, as evaluation is to say so.
    """
    for other, (node, labels, exponent) in enumerate(rows):
        found = range_of(node)
        if found is None or exponent != 1 or labels[0] == labels[1] or not found.fits:
            continue
        for end, label in enumerate(labels):
            if summed.get(label) != 2 or label not in one.labels:
                continue
            place = one.labels.index(label)
            made = one.relation.through(place, found) if end else _of_whole(one.relation, place, found)
            if made is not None:
                own = tuple(labels[1 - end] if x == label else x for x in one.labels)
                return _replaced(draft, Meeting(one.place, own, made), [other], [label])
    return False


def _of_whole(relation: Relation, place: int, found: Range) -> Relation | None:
    """The relation of the axis of which entries are selected, where it meets no others of them."""
    if abs(found.step) != 1 or not relation.solved(place):
        return None
    coefs, sizes = list(relation.coefs), list(relation.sizes)
    coefs[place] *= found.step
    sizes[place] = found.length
    return Relation(relation.start - coefs[place] * found.start, tuple(coefs), tuple(sizes))
