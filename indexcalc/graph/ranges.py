"""Ranges: the entries that a slice takes of an axis, and what slices of slices, and those that meet, have in common.

A selection is a known tensor with two axes, the entries that are taken and those that they are taken of: 1 where
`long = start + step*short`, else 0. So it is a delta between a label and an affine function of another one. Sizes are
integers, or polynomials of symbols that are taken to be long enough, as in `views/select.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

from indexcalc.graph.constructors import constant
from indexcalc.graph.node import Constant, Node
from indexcalc.index import Dim, Dimension, number, substitute


class Range(NamedTuple):
    """The entries `start`, `start + step`, ... of an axis of dimension `length`: `size` of them, from the first, 0."""

    start: Dimension
    step: int
    size: Dimension
    length: Dimension

    @property
    def whole(self) -> bool:
        """Are these all entries, in order?"""
        return self.start == 0 and self.size == self.length and (self.step == 1 or self.size == 1)

    @property
    def last(self) -> Dimension:
        """The last entry, if there is any."""
        return self.start + self.step * (self.size - 1)

    @property
    def ends(self) -> tuple[Dimension, Dimension]:
        """The lowest entry and the highest one, if there are any."""
        return (self.start, self.last) if self.step > 0 else (self.last, self.start)

    @property
    def turned(self) -> Range:
        """The same entries, the last one first."""
        return Range(self.last, -self.step, self.size, self.length)

    @property
    def fits(self) -> bool:
        """Is it known that these are entries of the axis?"""
        low, high = self.ends
        within = at_least(low, 0) and at_least(self.length - 1, high) and at_least(self.size, 0)
        return self.size == 0 or within

    def at(self, sizes: Mapping[str, int]) -> Range:
        """The same entries where symbols have these sizes; `fits` says whether these are entries of the axis."""
        start, size, length = (number(value, sizes) for value in (self.start, self.size, self.length))
        return Range(start, self.step, size, length)  # type: ignore[arg-type]

    def within(self, outer: Range) -> Range:
        """What these entries of the entries of `outer` are, of its axis.

        >>> Range(1, 2, 3, 8).within(Range(9, -1, 8, 10))
        Range(start=8, step=-2, size=3, length=10)
        """
        step = 1 if self.size == 1 else outer.step * self.step
        return Range(outer.start + outer.step * self.start, step, self.size, outer.length)


def one_entry(place: Dimension, length: Dimension) -> Range:
    """One entry of an axis."""
    return Range(place, 1, 1, length)


def at_least(one: Dimension, other: Dimension, least: int = 0) -> bool:
    """Is a dimension at least another one, whatever the sizes of symbols are, from the `least` on?

    False where it isn't known.

    >>> from indexcalc.index import dim
    >>> at_least(dim("n"), 0), at_least(dim("n"), dim("n - 1")), at_least(dim("n"), 3)
    (True, True, False)
    >>> at_least(dim("n"), 1), at_least(dim("n"), 1, 1)
    (False, True)
    """
    difference = one - other
    if isinstance(difference, Dim):
        rising = difference.plain and all(coef >= 0 for mono, coef in difference.terms if mono)
        return rising and substitute(difference, dict.fromkeys(difference.symbols, least)) >= 0
    return difference >= 0


def larger(one: Dimension, other: Dimension) -> Dimension | None:
    """The larger of two dimensions, symbols being long enough; None if it isn't known which that is.

    >>> from indexcalc.index import dim
    >>> larger(dim("n"), 3), larger(2, dim("n - 1")), larger(dim("n"), dim("m"))
    (n, n - 1, None)
    """
    for a, b in ((one, other), (other, one)):
        rest = a - b
        if at_least(a, b) or (
            isinstance(rest, Dim) and rest.plain and all(coef > 0 for mono, coef in rest.terms if mono)
        ):
            return a
    return None


def shrinks(size: Dimension) -> bool:
    """Is a size smaller where a symbol is larger, so that it is none where symbols are large enough?

    >>> from indexcalc.index import dim
    >>> shrinks(dim("6 - n")), shrinks(dim("n - 6"))
    (True, False)
    """
    return isinstance(size, Dim) and any(mono and coef < 0 for mono, coef in size.terms)


def falls(value: Dimension) -> bool:
    """Is it negative where symbols are large enough, however they compare?

    >>> from indexcalc.index import dim
    >>> falls(dim("6 - n")), falls(dim("n - 6")), falls(dim("n - k")), falls(-2)
    (True, False, False, True)
    """
    if isinstance(value, int):
        return value < 0
    return all(coef < 0 for mono, coef in value.terms if mono)


def steps_between(first: Dimension, last: Dimension, step: int) -> Dimension | None:
    """How many of the entries `first`, `first + step`, ... come before `last`; None where it depends on symbols.

    That is `(last - first)/step`, rounded up: symbols whose coefficients are multiples of the step are not rounded.

    >>> from indexcalc.index import dim
    >>> steps_between(1, dim("2*n"), 2), steps_between(dim("n - 1"), -1, -1), steps_between(0, dim("n"), 2)
    (n, n, None)
    """
    apart = last - first
    if isinstance(apart, int):
        return -(-apart // step)
    if abs(step) == 1:
        return apart * step  # type: ignore[no-any-return]
    if any(mono and (coef / step).denominator > 1 for mono, coef in apart.terms):
        return None
    rest = int(next((coef for mono, coef in apart.terms if not mono), 0))
    return (apart - rest) * Fraction(1, step) - rest // -step  # type: ignore[no-any-return]


def range_of(node: Node) -> Range | None:
    """The range of a selection, whose axes are short and long; None for any other node.

    >>> from indexcalc.index import dim
    >>> range_of(constant("selection", (3, dim("n")), (-3, 1)))
    Range(start=n - 3, step=1, size=3, length=n)
    """
    if type(node) is not Constant or node.label != "selection":
        return None
    (size, length), (start, step) = node.shape, node.params
    return Range(start + length if isinstance(start, int) and start < 0 else start, step, size, length)


def entries_taken(node: Node) -> list[Range] | None:
    """What a known tensor takes, if it is one that selects: of its last axis, or, as a unit, one entry of each axis.

    >>> entries_taken(constant("unit", (3, 4), (2, 0)))
    [Range(start=2, step=1, size=1, length=3), Range(start=0, step=1, size=1, length=4)]
    """
    if type(node) is Constant and node.label == "unit":
        return [one_entry(place, length) for place, length in zip(node.params, node.shape, strict=True)]
    found = range_of(node)
    return None if found is None else [found]


def selection_of(found: Range) -> Constant:
    """The selection with this range.

    >>> from indexcalc.index import dim
    >>> selection_of(Range(dim("n - 3"), 1, 3, dim("n"))).params
    (-3, 1)
    """
    return constant("selection", (found.size, found.length), (found.start, 1 if found.size == 1 else found.step))


NOTHING = (Range(0, 1, 0, 0), Range(0, 1, 0, 0))
"""What two ranges have in common that share no entry."""


def met(one: Range, other: Range, inside: bool = True) -> tuple[Range, Range] | None:
    """The entries that two ranges of one axis share, as entries of each of the two, in the order of the first.

    None where it isn't known. Both lie within the axis, unless they need not be `inside`. They are the solutions of
    `start₁ + step₁ a = start₂ + step₂ b`, a linear equation in integers: `a = first + along*t` and
    `b = place + beside*t` for all t that lie within both.

    >>> a, b = met(Range(1, 1, 9, 10), Range(0, 1, 9, 10))
    >>> (a.start, a.step, a.size), (b.start, b.step, b.size)
    ((0, 1, 8), (1, 1, 8))
    >>> a, b = met(Range(0, 2, 10, 20), Range(19, -3, 7, 20))
    >>> [2 * (a.start + a.step * t) for t in range(a.size)], [19 - 3 * (b.start + b.step * t) for t in range(b.size)]
    ([4, 10, 16], [4, 10, 16])
    """
    apart, common = other.start - one.start, gcd(one.step, other.step)
    if isinstance(apart, int) and apart % common:
        return NOTHING
    if one == other:
        every = Range(0, 1, one.size, one.size)
        return every, every
    if not all(isinstance(value, int) for value in (apart, one.size, other.size)):
        return _met_side_by_side(one, other, inside) if abs(one.step) == abs(other.step) == 1 else None
    along, beside = abs(other.step) // common, one.step * other.step // common // abs(other.step)
    first = apart // common * pow(one.step // common, -1, along) % along if along > 1 else 0
    place = (one.step * first - apart) // other.step
    low, end = -(first // along), -((first - one.size) // along)
    if beside > 0:
        low, end = max(low, -(place // beside)), min(end, -((place - other.size) // beside))
    else:
        low, end = max(low, -((other.size - 1 - place) // -beside)), min(end, -((-place - 1) // -beside))
    if low >= end:
        return NOTHING
    return (
        Range(first + along * low, along, end - low, one.size),
        Range(place + beside * low, beside, end - low, other.size),
    )


def _met_side_by_side(one: Range, other: Range, inside: bool) -> tuple[Range, Range] | None:
    """The same for entries side by side, of an axis whose dimension may be a symbol.

    They begin at the larger of two entries and end at the smaller of two, if it is known which these are: none lies
    before the axis or behind it, where they lie inside.
    """
    (low, high), (others_low, others_high) = one.ends, other.ends
    if inside:
        first, last = _larger(low, others_low, 0), _larger(-high, -others_high, 1 - one.length)
    else:
        first, last = _later(low, others_low), _later(-1 * high, -1 * others_high)
    if first is None or last is None:
        return None
    size = 1 - last - first
    if at_least(0, size):
        return NOTHING
    if shrinks(size) and size not in (one.size, other.size):
        return None
    start = first if one.step > 0 else -last
    places = [(start - found.start) * found.step for found in (one, other)]
    return Range(places[0], 1, size, one.size), Range(places[1], one.step * other.step, size, other.size)


def _later(one: Dimension, other: Dimension) -> Dimension | None:
    """The larger of two dimensions, if it is known whatever sizes there are, none of them 0."""
    return other if at_least(other, one, 1) else one if at_least(one, other, 1) else None


def _larger(one: Dimension, other: Dimension, least: Dimension) -> Dimension | None:
    """The larger of two dimensions, both at least the `least`; None if it isn't known which that is."""
    if one == least or at_least(other, one):
        return other
    return one if other == least or at_least(one, other) else None


# ------------------------------------------------------------------ boxes

Box = Sequence[Range | None]
"""What a part of an array covers: a range an axis, None for all of it."""


class Tiles(NamedTuple):
    """Parts beside each other along an axis: the size of each, and its number, tiles in it, or None for none."""

    axis: int
    cells: tuple[tuple[Dimension, int | Tiles | None], ...]


def apart(one: Box, other: Box) -> bool:
    """Is it known that two parts share no entry?

    >>> apart([Range(0, 1, 2, 5), None], [Range(2, 1, 3, 5), None])
    True
    """
    pairs = zip(one, other, strict=True)
    return any(a is not None and b is not None and met(a, b) is NOTHING for a, b in pairs)


def tiling(boxes: Sequence[Box], dims: Sequence[Dimension], gaps: bool = False) -> int | Tiles | None:
    """How these parts lie beside each other and cover an array, or None; `gaps` may be left within what is cut twice.

    >>> from indexcalc.index import dim
    >>> n, m = dim("n"), dim("m")
    >>> tiling([[Range(n, 1, m, n + m)], [Range(0, 1, n, n + m)]], [n + m])
    Tiles(axis=0, cells=((n, 1), (m, 0)))
    """
    return _cut(boxes, dims, list(range(len(boxes))), list(range(len(dims))), gaps, False)


def _cut(
    boxes: Sequence[Box], dims: Sequence[Dimension], which: list[int], axes: list[int], gaps: bool, inner: bool
) -> int | Tiles | None:
    if len(which) == 1 and all(boxes[which[0]][axis] is None for axis in axes):
        return which[0]
    for axis in axes:
        groups: dict[tuple[Dimension, Dimension], list[int]] = {}
        for k in which:
            found = boxes[k][axis]
            if found is None or (found.step != 1 and found.size != 1):
                break
            groups.setdefault((found.start, found.size), []).append(k)
        else:
            rest = [other for other in axes if other != axis]
            cells = _chained(groups, dims[axis], gaps and inner)
            made = [(size, own and _cut(boxes, dims, own, rest, gaps, True)) for size, own in cells]
            if cells and all(own is None or tile is not None for (_, own), (_, tile) in zip(cells, made, strict=True)):
                return Tiles(axis, tuple(made))  # type: ignore[arg-type]
    return None


def _chained(
    groups: dict[tuple[Dimension, Dimension], list[int]], length: Dimension, gaps: bool
) -> list[tuple[Dimension, list[int] | None]]:
    """What lies beside each other along an axis, from the first entry to the last; nothing where that isn't known."""
    cells: list[tuple[Dimension, list[int] | None]] = []
    left, end = dict(groups), 0
    while left:
        found = [at for at in left if at[0] == end]
        if not found and gaps:
            found = [at for at in left if at_least(at[0], end) and all(at_least(other, at[0]) for other, _ in left)]
        if len(found) != 1:
            return []
        ((start, size),) = found
        cells += [(start - end, None)] if start != end else []
        cells.append((size, left.pop((start, size))))
        end = start + size
    if end != length and not (gaps and at_least(length, end)):
        return []
    return cells + ([(length - end, None)] if end != length else [])


# ------------------------------------------------------------------ relations of several labels


class Relation(NamedTuple):
    """Where `start + sum of coefs[k]*entry[k]` is 0, for entries of axes with these sizes: `x[t + j]` is one of three.

    It is a delta between a label and an affine function of others.
    """

    start: Dimension
    coefs: tuple[int, ...]
    sizes: tuple[Dimension, ...]

    @property
    def ends(self) -> tuple[Dimension, Dimension]:
        """The least value and the largest, if there are any entries."""
        low = high = self.start
        for coef, size in zip(self.coefs, self.sizes, strict=True):
            low, high = (low + coef * (size - 1), high) if coef < 0 else (low, high + coef * (size - 1))
        return low, high

    @property
    def never(self) -> bool:
        """Is it known that no entries meet?"""
        low, high = self.ends
        apart = isinstance(self.start, int) and self.start % gcd(*self.coefs) != 0
        return apart or at_least(low, 1) or at_least(-1, high)

    def solved(self, place: int) -> bool:
        """Is there one entry along this axis, whatever the others are?"""
        own, rest = self.coefs[place], self.without(place)
        low, high = rest.ends if own < 0 else (-rest.ends[1], -rest.ends[0])
        return abs(own) == 1 and at_least(low, 0) and at_least(self.sizes[place] - 1, high)

    def without(self, place: int, entry: Dimension = 0) -> Relation:
        """The relation of the other axes, where this one is at one entry."""
        coefs, sizes = list(self.coefs), list(self.sizes)
        del sizes[place]
        return Relation(self.start + coefs.pop(place) * entry, tuple(coefs), tuple(sizes))

    def through(self, place: int, found: Range) -> Relation:
        """The relation where an axis is a range of another, which it picks of."""
        coefs, sizes = list(self.coefs), list(self.sizes)
        start = self.start + coefs[place] * found.start
        coefs[place], sizes[place] = coefs[place] * found.step, found.size
        return Relation(start, tuple(coefs), tuple(sizes))

    @property
    def pair(self) -> tuple[Range, Range] | None:
        """Of two axes: the entries of each that meet, in one order; None if it isn't known which they are.

        >>> [(one.start, one.step, one.size) for one in Relation(-2, (1, 1), (5, 9)).pair]
        [(0, 1, 3), (2, -1, 3)]
        """
        (a, b), (size, length) = self.coefs, self.sizes
        return met(Range(self.start, a, size, size), Range(0, -b, length, length), inside=False)


def relation_of(node: Node) -> Relation | None:
    """The relation of an affine delta; None for any other node."""
    if type(node) is not Constant or node.label != "affine_delta":
        return None
    start, *coefs = node.params
    return Relation(start, tuple(coefs), node.shape)


def affine_delta(found: Relation) -> tuple[Constant, tuple[int, ...]]:
    """The affine delta of a relation, with its axes in order, and the axis of the relation that each is.

    Most coefficients are positive, the largest come first, and they have no common factor.

    >>> node, axes = affine_delta(Relation(0, (2, -2, -2), (7, 5, 3)))
    >>> node.params, node.shape, axes
    ((0, 1, 1, -1), (3, 5, 7), (2, 1, 0))
    """
    common = gcd(*found.coefs, found.start) if isinstance(found.start, int) else 1

    def turned(sign: int) -> tuple[Any, ...]:
        coefs = [sign * coef // common for coef in found.coefs]
        axes = sorted(range(len(coefs)), key=lambda k: (-coefs[k], str(found.sizes[k])))
        start = sign * found.start // common if isinstance(found.start, int) else sign * found.start
        shape = [found.sizes[k] for k in axes]
        return sum(c < 0 for c in coefs), [-coefs[k] for k in axes], [*map(str, shape)], str(start), start, shape, axes

    _, coefs, _, _, start, shape, axes = min((turned(1), turned(-1)), key=lambda row: row[:4])
    return constant("affine_delta", shape, (start, *(-coef for coef in coefs))), tuple(axes)


def taken(ranges: Sequence[Range | None], gone: Sequence[int] = ()) -> tuple[slice | int, ...]:
    """The index for ranges of integers.

    >>> taken([None, Range(2, -1, 3, 5)])
    (slice(None, None, None), slice(2, None, -1))
    """
    where: list[slice | int] = []
    for k, found in enumerate(ranges):
        if found is None:
            where.append(slice(None))
            continue
        start, size = int(found.start), int(found.size)
        end = start + found.step * size
        part = slice(start, end if end >= 0 else None, found.step) if size else slice(0, 0)
        where.append(start if k in gone else part)
    return tuple(where)
