"""Labels that deltas join, and how a value is held: as a core, and how the axes of a node are made from its axes.

A selection joins labels too: one is `start + step` times another one, which is taken in its place everywhere, so that
nothing is multiplied with the selection. What has the one becomes a part of itself along that axis; where two
selections are of one axis, the entries that both take are the solutions of a linear equation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels
from indexcalc.graph.ranges import Range, Relation, met, one_entry
from indexcalc.index import Dimension


class HeldForm(NamedTuple):
    """How a value is held: axis k of the node has the label `out[k]`, the axes of the core have `labels`.

    The labels of the core are all different. A label twice in `out` is a delta; one that `labels` lacks is an axis
    along which the value is constant. `sizes[label]` is the size of a label. `ranges` has, by axis of the node, the
    entries that its label runs over, where these are not all; beside them the node is 0. It is empty if there are none.
    """

    labels: Labels
    out: Labels
    sizes: tuple[int, ...]
    ranges: tuple[Range | None, ...] = ()

    @property
    def plain(self) -> bool:
        """Is there no delta, and no range?"""
        return len(self.sizes) == len(self.out) and not self.ranges

    @property
    def whole(self) -> bool:
        """Is the core the array itself?"""
        return self.labels == self.out and not self.ranges


HeldValue = tuple[int, HeldForm]
"""A value, by its number, and how it is held."""


def whole(shape: Sequence[int]) -> HeldForm:
    """The form of an array that is held as it is."""
    axes = tuple(range(len(shape)))
    return HeldForm(axes, axes, tuple(shape))


class Axis(NamedTuple):
    """An axis that has a label: entry k of the label is entry k of the range, if there is one."""

    label: int
    range: Range | None = None


def axes_of(labels: Sequence[int], ranges: Sequence[Range | None] = ()) -> tuple[Axis, ...]:
    """Axes with these labels."""
    return tuple(map(Axis, labels, ranges)) if ranges else tuple(map(Axis, labels))


class Selected(NamedTuple):
    """Entry k of the label `short` is entry k of the range along the label `long`."""

    short: int
    long: int
    range: Range


class Related(NamedTuple):
    """Where `start` and the labels, times their coefficients, add up to 0."""

    start: Dimension
    coefs: Mapping[int, int]


class Joining:
    """The labels of one product as deltas and selections join them: `sizes` has those of the labels that are left.

    `size(dimension)` gives the size of a dimension that no label has had, None if it can't be written. What is `left`
    are selections of which it isn't known what they have in common with others.
    """

    def __init__(self, sizes: Sequence[int], size: Callable[[Dimension], int | None]) -> None:
        self.joined, self.size = UnionFind(), size
        self.sizes = dict(enumerate(sizes))
        self.selected: list[Selected] = []
        self.places: dict[int, Axis] = {}
        self.left: list[Selected] = []
        self.empty = False

    def attach(self, form: HeldForm, labels: Sequence[int]) -> list[int]:
        """A value is used with these labels: its deltas join them. Gives those of the axes of its core."""
        first: dict[int, int] = {}
        ranges = form.ranges or (None,) * len(labels)
        for inner, label, found in zip(form.out, labels, ranges, strict=True):
            if found is None:
                self.joined.join(first.setdefault(inner, label), label)
        for inner, label, found in zip(form.out, labels, form.ranges, strict=False):
            if found is not None:
                if inner not in first:
                    first[inner] = self._new(form.sizes[inner])
                self.selected.append(Selected(first[inner], label, found))
        return [first[inner] for inner in form.labels]

    def related(self, found: Relation, labels: Sequence[int]) -> Related:
        """A relation of labels, of those that are left once all is settled; one of size 1 has the entry 0."""
        start, coefs = found.start, Counter[int]()
        for coef, axis in zip(found.coefs, map(self.axis, labels), strict=True):
            if axis.range is not None:
                start += coef * axis.range.start
                coef *= axis.range.step
            if self.sizes[axis.label] != 1:
                coefs[axis.label] += coef
        return Related(start, {label: coef for label, coef in coefs.items() if coef})

    def axis(self, label: int) -> Axis:
        """What an axis with this label is, once all is settled."""
        own = self.joined.find(label)
        return self.places.get(own, Axis(own))

    def settle(self) -> None:
        """Every label that is an affine function of another one goes; what no entry meets is `empty`."""
        find = self.joined.find
        self.sizes = {find(label): size for label, size in self.sizes.items()}
        waiting = self._without_circles([Selected(find(x.short), find(x.long), x.range) for x in self.selected])
        while waiting and not self.empty:
            one = waiting.pop()
            if one.short == one.long:
                waiting += self._fixed(one, one.range.start, 1 - one.range.step)
                continue
            others, waiting = waiting, []
            for other in others:
                if other.long == one.long:
                    waiting += self._both(one, other)
                elif other.short == one.long:
                    waiting.append(Selected(one.short, other.long, one.range.within(other.range)))
                else:
                    waiting.append(other)
            self._replace(one)
        self.sizes = {label: size for label, size in self.sizes.items() if label not in self.places}

    def _without_circles(self, selected: Sequence[Selected]) -> list[Selected]:
        """The selections but for those that others imply; where others contradict one, nothing is met.

        Labels that selections with steps of 1 or -1 join are `a + b*root` with one root. One more selection between
        two of them says of the root what is known, or never holds; entry after entry would be found not to be met else.
        """
        kept: list[Selected] = []
        known: dict[int, tuple[int, Dimension, int]] = {}
        for one in selected:
            start, step = one.range.start, one.range.step
            if abs(step) == 1 and one.short != one.long:
                root, a, b = known.setdefault(one.long, (one.long, 0, 1))
                other, c, d = known.setdefault(one.short, (one.short, 0, 1))
                beyond = start + step * c - a
                if root == other and b == step * d:
                    self.empty = self.empty or (isinstance(beyond, int) and beyond != 0)
                    if beyond == 0:
                        continue
                elif root != other:
                    for label, (own, e, f) in list(known.items()):
                        if own == other:
                            known[label] = root, e - f * d * step * beyond, f * d * step * b
            kept.append(one)
        return kept

    def _new(self, size: int) -> int:
        label = max(self.sizes, default=-1) + 1
        self.sizes[label] = size
        return label

    def _replace(self, one: Selected) -> None:
        """The long label is the short one, everywhere."""
        found = None if one.range.whole else one.range
        for label, axis in self.places.items():
            if axis.label == one.long:
                outer = axis.range
                made = found if outer is None else outer if found is None else found.within(outer)
                self.places[label] = Axis(one.short, made)
        self.places[one.long] = Axis(one.short, found)

    def _both(self, one: Selected, other: Selected) -> list[Selected]:
        """What is left of another selection of the same axis once the first one has taken its place."""
        if one.short == other.short:
            return self._fixed(other, other.range.start - one.range.start, one.range.step - other.range.step)
        shared = met(one.range, other.range)
        size = None if shared is None else self.size(shared[0].size)
        if shared is None or size is None:
            self.left.append(other)
            return []
        if size == 0:
            self.empty = True
        if shared[0].whole:
            return [Selected(one.short, other.short, shared[1])]
        if shared[1].whole:
            return [Selected(other.short, one.short, shared[0])]
        label = self._new(size)
        return [Selected(label, one.short, shared[0]), Selected(label, other.short, shared[1])]

    def _fixed(self, one: Selected, value: Dimension, slope: int) -> list[Selected]:
        """The one entry k of the short label with `slope*k = value`, if it is not all of them."""
        if slope == 0 and value == 0:
            return []
        if isinstance(value, int):
            place: Dimension = value // slope if slope and value % slope == 0 else -1
        elif abs(slope) == 1:
            place = value * slope
        else:
            self.left.append(one)
            return []
        found = one_entry(place, one.range.size)
        if isinstance(place, int) and isinstance(one.range.size, int) and not found.fits:
            self.empty = True
            return []
        if not found.fits:
            self.left.append(one)
            return []
        return [Selected(self._new(1), one.short, found)]
