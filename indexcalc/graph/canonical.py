"""The canonical numbering of labels: one form for a product, whatever the order of its factors and its labels.

A product (or a sum, or an elementwise node) is a coloured hypergraph: labels are vertices, factors are edges that
touch labels at numbered slots. Colour refinement tells labels apart by where they occur; what it leaves alike is
individualised one label at a time, and the least form wins (McKay and Piperno, "Practical graph isomorphism II", 2014,
sections 2 and 3). Labels whose swap changes nothing are found first, so that a star of equal legs takes one leaf.
Automorphisms found on the way are the symmetries of the node; one that fixes the free labels and changes the sign
proves that the whole is zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import NO_SYMMETRY, Labels, Perm, Symmetry

LEAVES = 2000
"""So many complete numberings of one component are compared, at most, one of 16 labels in about a millisecond; past it
the form is sound, and says by `exact` that it may not be the canonical one."""


class Hyperedge(NamedTuple):
    """A factor as the search sees it: a colour that can be ordered, its labels, and what its slots allow.

    `odd` says whether a sign of its symmetry counts (it does not under an even exponent).
    """

    colour: Any
    labels: Labels
    symmetry: Symmetry = NO_SYMMETRY
    odd: bool = True


class Labelling(NamedTuple):
    """What the search found: items in order, labels in order, the sign, symmetries, and whether it was exhaustive."""

    items: list[int]
    labels: list[int]
    sign: int
    symmetries: list[tuple[dict[int, int], int]]
    exact: bool
    components: list[tuple[int, int, Any]]


def settle(labels: Sequence[int], symmetry: Symmetry) -> tuple[Labels, int]:
    """The least way to write these labels that the symmetry allows, and its sign (0: it vanishes).

    >>> settle((2, 1), Symmetry((((0, 1), -1),)))
    ((1, 2), -1)
    """
    if not symmetry.blocks and not symmetry.perms:
        return tuple(labels), 1
    if not symmetry.blocks:
        return min(tuple(labels), *[tuple([labels[axis] for axis in perm]) for perm in symmetry.perms]), 1
    best, sign = _sort_blocks(labels, symmetry.blocks)
    for perm in symmetry.perms:
        other, turned = _sort_blocks([labels[axis] for axis in perm], symmetry.blocks)
        if other < best:
            best, sign = other, turned
    return best, sign


def _sort_blocks(labels: Sequence[int], blocks: Iterable[tuple[Labels, int]]) -> tuple[Labels, int]:
    result, sign = list(labels), 1
    for axes, turn in blocks:
        values = [result[axis] for axis in axes]
        if turn < 0:
            if len(set(values)) < len(values):
                return tuple(labels), 0
            swaps = sum(a > b for k, a in enumerate(values) for b in values[k + 1 :])
            sign *= -1 if swaps % 2 else 1
        for axis, value in zip(axes, sorted(values), strict=True):
            result[axis] = value
    return tuple(result), sign


def labelling(items: Sequence[Hyperedge], kinds: Mapping[int, Any]) -> Labelling | None:
    """The canonical order of items and labels, or None where the whole is zero by antisymmetry.

    `kinds` has every label with a key that can be ordered: what tells it apart from outside (bound or free, its
    dimension).
    """
    if len(items) > 1 and len({item.labels for item in items}) == 1 and items[0].labels:
        plain = _alike(items, kinds)
        if plain is not None:
            return plain
    found = []
    for part, labels in _components(items, kinds):
        component = _component([items[k] for k in part], labels, kinds)
        if component is None:
            return None
        found.append((component, part))
    found.sort(key=lambda pair: pair[0][0])
    order: list[int] = []
    numbered: list[int] = []
    symmetries: list[tuple[dict[int, int], int]] = []
    sign, exact = 1, True
    parts: list[tuple[int, int, Any]] = []
    previous: tuple[Any, list[int]] | None = None
    for (form, inner, labels, turned, gens, complete), part in found:
        if previous is not None and previous[0] == form and labels:
            swap = dict(zip(previous[1], labels, strict=True))
            symmetries.append(({**swap, **{b: a for a, b in swap.items()}}, 1))
        previous = (form, labels)
        parts.append((len(order), len(order) + len(part), form))
        order += [part[k] for k in inner]
        numbered += labels
        symmetries += gens
        sign *= turned
        exact &= complete
    return Labelling(order, numbered, sign, symmetries, exact, parts)


def _alike(items: Sequence[Hyperedge], kinds: Mapping[int, Any]) -> Labelling | None:
    """The form of items that differ in colour and have the same labels, no two alike; None if they are not so."""
    labels = items[0].labels
    if len(labels) != len(kinds) or len(set(labels)) < len(labels):
        return None
    if any(item.symmetry is not NO_SYMMETRY for item in items):
        return None
    order = sorted(range(len(items)), key=lambda k: items[k].colour)
    if any(items[a].colour == items[b].colour for a, b in pairwise(order)):
        return None
    numbers = tuple(range(len(labels)))
    form = (tuple((items[k].colour, numbers) for k in order), tuple(kinds[label] for label in labels))
    return Labelling(order, list(labels), 1, [], True, [(0, len(items), form)])


def _components(items: Sequence[Hyperedge], kinds: Mapping[int, Any]) -> list[tuple[list[int], list[int]]]:
    joined = UnionFind()
    for item in items:
        for label in item.labels[1:]:
            joined.join(label, item.labels[0])
    groups: dict[Any, tuple[list[int], list[int]]] = {}
    for label in kinds:
        groups.setdefault(joined.find(label), ([], []))[1].append(label)
    for k, item in enumerate(items):
        root = joined.find(item.labels[0]) if item.labels else (k,)
        groups.setdefault(root, ([], []))[0].append(k)
    return list(groups.values())


Component = tuple[Any, list[int], list[int], int, list[tuple[dict[int, int], int]], bool]


def _component(items: list[Hyperedge], labels: list[int], kinds: Mapping[int, Any]) -> Component | None:
    """(form, order of items, order of labels, sign, symmetries, exhaustive), or None where it vanishes."""
    colours = [item.colour for item in items]
    order = sorted(range(len(items)), key=colours.__getitem__)
    distinct = all(colours[a] != colours[b] for a, b in pairwise(order))
    if distinct and all(item.symmetry is NO_SYMMETRY for item in items):
        number: dict[int, int] = {}
        for k in order:
            for label in items[k].labels:
                number.setdefault(label, len(number))
        for label in labels:
            number.setdefault(label, len(number))
        form = (
            tuple((colours[k], tuple(number[label] for label in items[k].labels)) for k in order),
            tuple(kinds[label] for label in number),
        )
        return form, order, list(number), 1, [], True
    return _Search(items, labels, kinds).run()


class _Search:
    """One connected component: refine, individualise, keep the least leaf."""

    def __init__(self, items: list[Hyperedge], labels: list[int], kinds: Mapping[int, Any]) -> None:
        self.items, self.labels, self.kinds = items, labels, kinds
        ranks = {colour: k for k, colour in enumerate(sorted({item.colour for item in items}))}
        self.ranks = [ranks[item.colour] for item in items]
        self.touching: dict[int, list[int]] = {label: [] for label in labels}
        for k, item in enumerate(items):
            for label in dict.fromkeys(item.labels):
                self.touching[label].append(k)
        slots = [self._slots(item) for item in items]
        self.ways = [
            (item.labels, *(tuple([item.labels[a] for a in p]) for p in item.symmetry.perms)) for item in items
        ]
        widest = max((len(item.labels) for item in items), default=0)
        self.places: dict[int, list[tuple[int, int, int]]] = {label: [] for label in labels}
        for k, ways in enumerate(self.ways):
            for way, row in enumerate(ways):
                for slot, label in zip(slots[k], row, strict=True):
                    self.places[label].append((self.ranks[k] * widest + slot, k, way))
        self.settled = [settle(item.labels, item.symmetry) for item in items]
        self.best: tuple[Any, dict[int, int], int] | None = None
        self.symmetries: list[tuple[dict[int, int], int]] = []
        self.leaves, self.zero = 0, False

    @staticmethod
    def _slots(item: Hyperedge) -> list[int]:
        slots = list(range(len(item.labels)))
        for axes, _ in item.symmetry.blocks:
            for axis in axes:
                slots[axis] = axes[0]
        return slots

    def run(self) -> Component | None:
        colour: dict[int, int] = {}
        previous = -1
        for place, label in enumerate(sorted(self.labels, key=self.kinds.__getitem__)):
            same = place and self.kinds[label] == self.kinds[previous]
            colour[label] = colour[previous] if same else place
            previous = label
        self._walk(colour, (), self.labels)
        if self.zero or self.best is None:
            return None
        _, number, sign = self.best
        labels = sorted(self.labels, key=number.__getitem__)
        rows = [self._row(k, number) for k in range(len(self.items))]
        order = sorted(range(len(self.items)), key=lambda k: (rows[k][0], rows[k][1]))
        shown = (
            tuple((self.items[k].colour, rows[k][1]) for k in order),
            tuple(self.kinds[label] for label in labels),
        )
        return shown, order, labels, sign, self.symmetries, self.leaves < LEAVES

    def _row(self, k: int, number: Mapping[int, int]) -> tuple[int, Labels, int]:
        labels, sign = settle([number[label] for label in self.items[k].labels], self.items[k].symmetry)
        return self.ranks[k], labels, sign if self.items[k].odd or sign == 0 else 1

    def _refine(self, colour: dict[int, int], changed: Iterable[int]) -> dict[int, int]:
        """Split the cells until every two labels of one cell see the same.

        Only what touches a changed label is looked at. A colour is the number of labels in the cells before; a cell
        that splits keeps its colour for its first part.
        """
        cells: dict[int, list[int]] = {}
        for label, value in colour.items():
            cells.setdefault(value, []).append(label)
        changed = set(changed)
        while changed and len(cells) < len(colour):
            near = {x for label in changed for k in self.touching[label] for x in self.items[k].labels}
            split: dict[int, list[int]] = {}
            for label in near:
                split.setdefault(colour[label], []).append(label)
            moves: dict[int, int] = {}
            split = {value: labels for value, labels in split.items() if len(cells[value]) > 1}
            count, rows = self._rows([x for value in split for x in cells[value]], colour)
            for value, labels in split.items():
                cell = cells[value]
                seen: dict[Any, list[int]] = {}
                for label in labels:
                    seen.setdefault(self._sight(label, count, rows), []).append(label)
                if len(labels) < len(cell):
                    others = [label for label in cell if label not in near]
                    seen.setdefault(self._sight(others[0], count, rows), []).extend(others)
                rank = value
                for sight in sorted(seen):
                    for label in seen[sight]:
                        if rank != value:
                            moves[label] = rank
                    rank += len(seen[sight])
            for label, value in moves.items():
                cells[colour[label]].remove(label)
                cells.setdefault(value, []).append(label)
                colour[label] = value
            changed = set(moves)
        return colour

    def _rows(self, near: Iterable[int], colour: Mapping[int, int]) -> tuple[int, dict[int, list[int]]]:
        """The colours of the labels of each factor that touches these, in each order that it allows, as a number.

        Lesser rows have lesser numbers, so what labels see is compared by numbers alone; the first is how many there
        are.
        """
        rows: dict[int, list[Any]] = {}
        for k in {k for label in near for k in self.touching[label]}:
            blocks = [(axes, 1) for axes, _ in self.items[k].symmetry.blocks]
            around = [tuple([colour[x] for x in way]) for way in self.ways[k]]
            rows[k] = [_sort_blocks(row, blocks)[0] for row in around] if blocks else around
        number = {row: n for n, row in enumerate(sorted({row for own in rows.values() for row in own}))}
        return len(number), {k: [number[row] for row in own] for k, own in rows.items()}

    def _sight(self, label: int, count: int, rows: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
        """What a label sees: for each of its factors its slot there and the colours round about, as one number."""
        return tuple(sorted([place * count + rows[k][way] for place, k, way in self.places[label]]))

    def _walk(self, colour: dict[int, int], fixed: tuple[int, ...], changed: Iterable[int]) -> None:
        if self.zero or self.leaves >= LEAVES:
            return
        colour = self._refine(colour, changed)
        cells: dict[int, list[int]] = {}
        for label, value in colour.items():
            cells.setdefault(value, []).append(label)
        open_cells = [(len(cell), value) for value, cell in cells.items() if len(cell) > 1]
        if not open_cells:
            self._leaf(colour)
            return
        size, value = min(open_cells)
        explored: list[int] = []
        for label in cells[value]:
            if explored and self._equivalent(label, explored, fixed):
                continue
            explored.append(label)
            self._walk({**colour, label: value + size - 1}, (*fixed, label), (label,))

    def _equivalent(self, label: int, explored: list[int], fixed: tuple[int, ...]) -> bool:
        """Does a symmetry that leaves the individualised labels alone map this label to an explored one?"""
        for other in explored:
            sign = self._twins(label, other)
            if sign is not None:
                self._symmetry({label: other, other: label}, sign)
                return True
        orbits = UnionFind()
        for moves, _ in self.symmetries:
            if all(moves.get(x, x) == x for x in fixed):
                for a, b in moves.items():
                    orbits.join(a, b)
        return any(orbits.find(label) == orbits.find(other) for other in explored)

    def _twins(self, a: int, b: int) -> int | None:
        """The sign with which the swap of two labels maps the component to itself, or None if it does not."""
        touched = set(self.touching[a]) | set(self.touching[b])
        swap = {a: b, b: a}
        before, after, sign = Counter[Any](), Counter[Any](), 1
        for k in touched:
            item = self.items[k]
            swapped = settle([swap.get(x, x) for x in item.labels], item.symmetry)
            for target, (row, turned) in ((before, self.settled[k]), (after, swapped)):
                target[self.ranks[k], row] += 1
                sign *= turned if item.odd else 1
        return sign if before == after else None

    def _symmetry(self, moves: dict[int, int], sign: int) -> None:
        if sign < 0 and all(a == b or not self._free(a) for a, b in moves.items()):
            self.zero = True
        self.symmetries.append((moves, sign))

    def _free(self, label: int) -> bool:
        return bool(self.kinds[label][0])

    def _leaf(self, number: dict[int, int]) -> None:
        self.leaves += 1
        rows = [self._row(k, number) for k in range(len(self.items))]
        sign = 1
        for row in rows:
            sign *= row[2]
        if sign == 0:
            self.zero = True
            return
        form = sorted((rank, labels) for rank, labels, _ in rows)
        if self.best is None or form < self.best[0]:
            self.best = (form, number, sign)
        elif form == self.best[0]:
            back = {place: label for label, place in number.items()}
            moves = {label: back[place] for label, place in self.best[1].items() if back[place] != label}
            self._symmetry(moves, sign * self.best[2])


def symmetry(order: int, generators: Iterable[SignedPerm]) -> Symmetry:
    """The symmetry that these permutations of the axes generate, each with its sign.

    >>> symmetry(2, [((1, 0), 1)])
    Symmetry(blocks=(((0, 1), 1),), perms=())
    """
    swaps = {1: UnionFind(), -1: UnionFind()}
    others: list[Perm] = []
    given = list(generators)
    if not all(_moves_two(perm) for perm, _ in given):  # a block is carried to another
        given += [(perm, sign) for perm, sign in closed(order, given) or () if _moves_two(perm)]
    for perm, sign in given:
        moved = [axis for axis in range(order) if perm[axis] != axis]
        if len(moved) == 2:
            swaps[sign].join(*moved)
        elif moved and sign > 0:
            others.append(tuple(perm))
    blocks = []
    for sign, joined in swaps.items():
        blocks += [(tuple(group), sign) for group in joined.classes(range(order)) if len(group) > 1]
    if len({axis for axes, _ in blocks for axis in axes}) < sum(len(axes) for axes, _ in blocks):
        blocks = [block for block in blocks if block[1] > 0]
    return Symmetry(tuple(sorted(blocks)), _closure(order, others))


def _moves_two(perm: Perm) -> bool:
    return sum(axis != k for k, axis in enumerate(perm)) == 2


SignedPerm = tuple[Perm, int]
"""A permutation of axes, with the sign that a tensor takes under it."""
LARGEST_GROUP = 720
"""Permutations of axes that a symmetry may have: all orders of six axes. It bounds the terms of a projection, which has
one for each."""


def closed(order: int, generators: Iterable[SignedPerm]) -> tuple[SignedPerm, ...] | None:
    """All that the generators generate, sorted; None where it is too large.

    A permutation with both signs is in it if the generators leave only zero.

    >>> len(closed(4, [((1, 0, 2, 3), -1), ((0, 1, 3, 2), -1), ((2, 3, 0, 1), 1)]))
    8
    """
    moves = list(generators)
    found = dict.fromkeys([(tuple(range(order)), 1)])
    frontier = list(found)
    while frontier:
        step = []
        for perm, sign in frontier:
            for other, turn in moves:
                made = (tuple([perm[axis] for axis in other]), sign * turn)
                if made not in found:
                    found[made] = None
                    step.append(made)
        frontier = step
        if len(found) > 2 * LARGEST_GROUP:
            return None
    return tuple(sorted(found))


def _closure(order: int, generators: list[Perm], limit: int = 48) -> tuple[Perm, ...]:
    identity = tuple(range(order))
    group = {identity}
    frontier = [identity]
    while frontier and len(group) <= limit:
        step = []
        for perm in frontier:
            for generator in generators:
                made = tuple(perm[axis] for axis in generator)
                if made not in group:
                    group.add(made)
                    step.append(made)
        frontier = step
    return tuple(sorted(group - {identity})) if len(group) <= limit else ()
