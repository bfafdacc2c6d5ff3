"""Brackets of integers that are chosen themselves, and of integers that are known.

The rewrites: `open_bracket` (`[a[c]_k = i]` is the sum over b of `[c_k = b] [a_b = i]`, so `W[a[c]]` is `W[a][c]`),
`fold_listed` (entries that are picked of integers that are known are known) and `recognise_sorts` (`x[argsort(x)]` is
`sort(x)`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexcalc.functions.entries.choosing import (
    ARANGE,
    LISTED,
    PLACES_IN_ORDER,
    bracket,
    chooser_of,
    is_whole,
    listed,
    run_of,
)
from indexcalc.functions.entries.ordered import SORTED
from indexcalc.graph.constructors import constant, einsum, reduction
from indexcalc.graph.edge import Draft
from indexcalc.graph.node import Constant, Labels, Node, Product, Reduction
from indexcalc.graph.ranges import Range, range_of, selection_of
from indexcalc.index import Dimension


def picked_label(node: Node, labels: Sequence[int]) -> int | None:
    """The label of which a factor picks one entry for each place along its others, if it is one that does.

    >>> picked_label(constant("selection", (2, 5), (1, 1)), (7, 3)), picked_label(constant("unit", (5,), (1,)), (3,))
    (3, 3)
    """
    if range_of(node) is not None:
        return labels[1]
    if type(node) is Constant and node.label == "unit" and node.order == 1:
        return labels[0]
    found = chooser_of(node)
    return None if found is None else labels[found.place]


def open_bracket(args: Sequence[tuple[Node, Labels]], dims: Sequence[Dimension]) -> Node | None:
    """`[a[c]_k = i]` as the sum over b of `[c_k = b] [a_b = i]`; None for what is no bracket of integers so chosen.

    Exactly one b counts for each k, so the bracket of the sum is the sum of the brackets.

    >>> from indexcalc.graph.constructors import variable
    >>> a = variable("a", (5,), ["integer"])
    >>> picked = einsum(1, [(constant("selection", (2, 5), (1, 1)), "kb"), (a, "b")], "k")
    >>> [child.name for child in open_bracket([(picked, (0,)), (constant("arange", (9,)), (1,))], (2, 9)).children]
    ['selection', 'equal']
    """
    for (places, along), (integers, axes) in (args, args[::-1]):
        is_bracket = type(places) is Constant and places.label == ARANGE and along[0] not in axes
        if not is_bracket or type(integers) is not Product or integers.coef != 1:
            continue
        value = _value(integers)
        if value is not None:
            return _opened(integers, value, axes, along[0], dims, places.dims[0])
    return None


def _value(node: Product) -> int | None:
    """Which factor has the integers, where all others pick entries of it, each of a label that is summed."""
    if any(f.exponent != 1 for f in node.factors) or len(node.factors) < 2:
        return None
    found = [k for k, f in enumerate(node.factors) if picked_label(f.node, f.labels) is None]
    if len(found) != 1 or not is_whole(node.factors[found[0]].node):
        return None
    own = node.factors[found[0]].labels
    times = Counter(x for f in node.factors for x in f.labels)
    summed = [x for x in own if x not in node.out]
    picked = [picked_label(f.node, f.labels) for k, f in enumerate(node.factors) if k != found[0]]
    alone = len(set(own)) == len(own) and sorted(summed) == sorted(x for x in picked if x is not None)
    free = all(x in node.out or (x in summed and times[x] == 2) for x in times)
    return found[0] if alone and free and len(set(node.out)) == len(node.out) else None


def _opened(node: Product, value: int, axes: Labels, place: int, dims: Sequence[Dimension], size: Dimension) -> Node:
    where: dict[int, int] = dict(zip(node.out, axes, strict=True))
    factors = []
    for k, (inner, labels, _) in enumerate(node.factors):
        own = tuple(where.get(x, ("summed", x)) for x in labels)
        factors.append((bracket(inner, size), (*own, place)) if k == value else (inner, own))
    return einsum(1, factors, range(len(dims)), dict(enumerate(dims)))


def fold_listed(draft: Draft, out: Sequence[int]) -> None:
    """Entries that are picked of known integers, of which nothing else is seen, become known integers, or one entry.

    >>> draft = Draft()
    >>> short, long, place = draft.fresh([3, 4, 9])
    >>> draft.factors = [(constant("selection", (3, 4), (1, 1)), [short, long], 1)]
    >>> draft.factors.append((bracket(listed([4, 0, 7, 2]), 9), [long, place], 1))
    >>> fold_listed(draft, [short, place])
    >>> chooser_of(draft.factors[0][0]).integers.params
    (0, 7, 2)
    """
    while _fold_one(draft, out):
        pass


def _fold_one(draft: Draft, out: Sequence[int]) -> bool:
    fixed = {draft.find(label) for label in out}
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    times = Counter(label for _, labels, _ in rows for label in labels)
    for k, (node, labels, exponent) in enumerate(rows):
        found = chooser_of(node)
        if found is None or exponent != 1 or type(found.integers) is not Constant or found.integers.label != LISTED:
            continue
        label, place = labels[found.labels[0]], labels[found.place]
        if label in fixed or times[label] != 2:
            continue
        for other, (picker, own, power) in enumerate(rows):
            if other != k and power == 1 and picked_label(picker, own) == label:
                made = _taken(picker, own, label, found.integers.params, node.dims[found.place], place)
                if made is not None:
                    draft.factors = [f for n, f in enumerate(draft.factors) if n not in (k, other)]
                    draft.factors.append((*made, 1))
                    draft.drop([label])
                    return True
    return False


def _taken(
    picker: Node, labels: Labels, label: int, values: Sequence[int], size: Dimension, place: int
) -> tuple[Node, list[int]] | None:
    """The bracket of the integers that are picked, or the unit vector of the one."""
    found = range_of(picker)
    if found is not None:
        if not isinstance(found.start, int) or not isinstance(found.size, int) or labels.count(label) > 1:
            return None
        taken = [values[found.start + found.step * k] for k in range(found.size)]
        return _of_listed(taken, size), [labels[0], place]
    if type(picker) is Constant:
        value = values[picker.params[0]]
        return (constant("unit", (size,), (value,)), [place]) if value >= 0 else None
    chooser = chooser_of(picker)
    assert chooser is not None
    if type(chooser.integers) is not Constant or chooser.integers.label != LISTED:
        return None
    taken = [values[value] for value in chooser.integers.params]
    return _of_listed(taken, size), [labels[chooser.labels[0]], place]


def _of_listed(values: Sequence[int], size: Dimension) -> Node:
    """What picks entries at integers that are known: a selection where they follow each other as those of a slice."""
    run = (values[0], 1) if len(values) == 1 else run_of(values)
    found = None
    if run is not None and min(values) >= 0:
        found = selection_of(Range(run[0], run[1], len(values), size))
    return bracket(listed(values), size) if found is None else found


def recognise_sorts(draft: Draft, out: Sequence[int]) -> None:
    """Entries that are chosen in their own order are sorted: `[argsort(x)_k = i] x_i`, summed over i, is `sort(x)_k`.

    >>> from indexcalc.graph.constructors import reduction, variable
    >>> draft, x = Draft(), variable("x", (5,))
    >>> place, entry = draft.fresh([5, 5])
    >>> draft.factors = [(bracket(reduction(PLACES_IN_ORDER, x, (0,), True), 5), [place, entry], 1), (x, [entry], 1)]
    >>> recognise_sorts(draft, [place])
    >>> [node.name for node, _, _ in draft.factors]
    ['sort']
    """
    fixed = {draft.find(label) for label in out}
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    times = Counter(label for _, labels, _ in rows for label in labels)
    for k, (node, labels, exponent) in enumerate(rows):
        found = chooser_of(node)
        if (
            found is None
            or exponent != 1
            or type(found.integers) is not Reduction
            or found.integers.fn != PLACES_IN_ORDER
        ):
            continue
        child, (axis,), place = found.integers.child, found.integers.axes, labels[found.place]
        own = [labels[x] for x in found.labels]
        entries = (*own[:axis], place, *own[axis + 1 :])
        other = next((n for n, row in enumerate(rows) if row == (child, entries, 1)), None)
        if other is None or place in fixed or times[place] != 2:
            continue
        draft.factors = [f for n, f in enumerate(draft.factors) if n not in (k, other)]
        draft.factors.append((reduction(SORTED, child, (axis,), True), own, 1))
        draft.drop([place])
        recognise_sorts(draft, out)
        return
