"""A sum of terms as a matrix: what its rows and columns share, how its axes fall apart, and parts of it as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels
from indexcalc.graph.ranges import Range, Relation, taken


class HeldMatrix(NamedTuple):
    """A sum of terms as a matrix: the first `rows` axes of each term are those of its rows."""

    terms: tuple[HeldTerm, ...]
    arrays: tuple[Numbers, ...]
    rows: int
    dtype: np.dtype[Any]
    limit: int

    def sizes(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The sizes of axes."""
        return tuple(map(self.terms[0].extent, axes))

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes of the rows and those of the columns."""
        return tuple(range(self.rows)), tuple(range(self.rows, len(self.terms[0].out)))

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        rows, columns = self.axes
        return prod(self.sizes(rows)), prod(self.sizes(columns))


def entry_by_entry(
    terms: Sequence[HeldTerm], arrays: Sequence[Numbers]
) -> tuple[tuple[HeldTerm, ...], tuple[Numbers, ...]]:
    """The terms with windows as terms for the entries of what they sum over, each a band; and views of arrays for them.

    >>> windows = Relation(0, (1, 1, -1), (4, 2, 5)), (0, 1, 2)
    >>> term = HeldTerm(1, ((0, (1,)),), (0, 2), {0: 4, 1: 2, 2: 5}, (), (windows,))
    >>> [(one.out, one.ranges) for one in entry_by_entry([term], [np.ones(2)])[0]][1]
    ((3, 3), (None, Range(start=1, step=1, size=4, length=5)))
    """
    held, made = list(arrays), list[HeldTerm]()
    for term in terms:
        inner = [x for _, labels in term.windows for x in labels if x not in term.out]
        for entries in product(*(range(term.sizes[x]) for x in inner)):
            found = _at_entries(term, dict(zip(inner, entries, strict=True)), held) if inner else term
            if found is not None:
                made.append(found)
    return tuple(made), tuple(held)


def _at_entries(term: HeldTerm, at: Mapping[int, int], held: list[Numbers]) -> HeldTerm | None:
    """A term with windows where what they sum over is at these entries; None if it has no entry."""
    sizes, taken_of, place = dict(term.sizes), dict[int, Range](), dict[int, int]()
    for found, labels in term.windows:
        start = found.start + sum(coef * at.get(x, 0) for coef, x in zip(found.coefs, labels, strict=True))
        rest = [k for k, x in enumerate(labels) if x not in at]
        left = Relation(start, tuple(found.coefs[k] for k in rest), tuple(found.sizes[k] for k in rest))
        pair = None if left.never else left.pair
        if pair is None or pair[0].size == 0:
            return None
        fresh = max(sizes) + 1
        sizes[fresh] = int(pair[0].size)
        for one, k in zip(pair, rest, strict=True):
            taken_of[labels[k]], place[labels[k]] = one, fresh
    factors = []
    for number, labels in term.factors:
        key = tuple(at[x] if x in at else taken([taken_of.get(x)])[0] for x in labels)
        if any(x in at or x in place for x in labels):
            held.append(np.asarray(held[number][key]))
            number = len(held) - 1
        factors.append((number, tuple(place.get(x, x) for x in labels if x not in at)))
    ranges = []
    for axis, x in enumerate(term.out):
        own, outer = taken_of.get(x), term.ranges[axis] if term.ranges else None
        both = outer if own is None else own if outer is None else own.within(outer)
        ranges.append(None if both is not None and both.whole else both)
    out = tuple(place.get(x, x) for x in term.out)
    kept = {x: size for x, size in sizes.items() if x not in at and x not in place}
    return HeldTerm(term.coef, tuple(factors), out, kept, tuple(ranges) if any(ranges) else ())


def shared_pairs(matrix: HeldMatrix) -> list[tuple[int, int]]:
    """The rows' axes that are a column's axis in all terms, all of it."""
    rows, columns = matrix.axes
    parts = {axis for term in matrix.terms for axis, found in enumerate(term.ranges) if found is not None}
    pairs: list[tuple[int, int]] = []
    for row in rows:
        for column in columns:
            if (
                not parts & {row, column}
                and column not in {c for _, c in pairs}
                and all(t.out[row] == t.out[column] for t in matrix.terms)
            ):
                pairs.append((row, column))
                break
    return pairs


def carried(matrix: HeldMatrix, axis: int) -> bool:
    """Does a factor have the label of this axis, or another axis, in some term?"""
    return any(
        term.out[axis] in {x for _, labels in term.factors for x in labels} or term.out.count(term.out[axis]) > 2
        for term in matrix.terms
    )


def restricted(matrix: HeldMatrix, axes: Sequence[int]) -> HeldMatrix:
    """The matrix with these axes alone; what else the terms have has to be a delta."""
    terms = tuple(_along(term, axes, term.factors)._replace(coef=term.coef) for term in matrix.terms)
    return matrix._replace(terms=terms, rows=sum(axis < matrix.rows for axis in axes))


def _along(term: HeldTerm, axes: Sequence[int], factors: Sequence[tuple[int, Labels]]) -> HeldTerm:
    """What a term has along these axes, with these factors, labels as they come; without its coefficient."""
    number: dict[int, int] = {}
    for x in (*(term.out[axis] for axis in axes), *(x for _, labels in factors for x in labels)):
        number.setdefault(x, len(number))
    found = tuple(term.ranges[axis] for axis in axes) if term.ranges else ()
    return HeldTerm(
        1,
        tuple((k, tuple(number[x] for x in labels)) for k, labels in factors),
        tuple(number[term.out[axis]] for axis in axes),
        {place: term.sizes[x] for x, place in number.items()},
        found if any(one is not None for one in found) else (),
    )


MOST_PAIRED = 100
"""Terms: of more, no sums of Kronecker products and no parts side by side are looked for, which takes each pair."""


class KroneckerTerm(NamedTuple):
    """A Kronecker product: a number, and a matrix for each group of axes."""

    scale: Any
    factors: list[HeldMatrix]


def products(matrix: HeldMatrix, groups: Sequence[Sequence[int]]) -> list[KroneckerTerm]:
    """The matrix as a sum of Kronecker products, a factor for each group of axes: terms that differ in one are one.

    So `A ⊗ B + A ⊗ C` is `A ⊗ (B + C)`.
    """
    rows = [(scale_of(matrix, term), _split(term, groups)) for term in matrix.terms]
    again = len(rows) <= MOST_PAIRED
    while again:
        again = False
        for (k, one), (j, other) in combinations(enumerate(rows), 2):
            differing = [g for g in range(len(groups)) if one[1][g] != other[1][g]]
            if len(differing) > 1:
                continue
            place = differing[0] if differing else 0
            parts = list(one[1])
            parts[place] = (*_scaled(one[1][place], one[0]), *_scaled(other[1][place], other[0]))
            rows[k] = 1, parts
            del rows[j]
            again = True
            break
    counts = [sum(axis < matrix.rows for axis in group) for group in groups]
    return [
        KroneckerTerm(scale, [matrix._replace(terms=t, rows=count) for t, count in zip(parts, counts, strict=True)])
        for scale, parts in rows
    ]


def _split(term: HeldTerm, groups: Sequence[Sequence[int]]) -> list[tuple[HeldTerm, ...]]:
    """What a term has along each group of axes, without what multiplies it."""
    parts: list[tuple[HeldTerm, ...]] = []
    for group in groups:
        near = factors_near(term, {term.out[axis] for axis in group})
        parts.append((_along(term, group, [term.factors[k] for k in near if term.factors[k][1]]),))
    return parts


def _scaled(terms: Sequence[HeldTerm], scale: Any) -> tuple[HeldTerm, ...]:
    return tuple(term._replace(coef=term.coef * scale) for term in terms)


def parts_beside(matrix: HeldMatrix) -> list[tuple[int, int, HeldMatrix]]:
    """Parts of a matrix that share no row and no column: the first of each, and the part; of one axis on each side."""
    if matrix.axes != ((0,), (1,)) or len(matrix.terms) > MOST_PAIRED:
        return []
    joined = UnionFind()
    spans = [[_span(term, axis) for axis in (0, 1)] for term in matrix.terms]
    for one, other in combinations(range(len(spans)), 2):
        if any(a[0] < b[1] and b[0] < a[1] for a, b in zip(spans[one], spans[other], strict=True)):
            joined.join(one, other)
    made: list[tuple[int, int, HeldMatrix]] = []
    for members in joined.classes(range(len(spans))):
        first = [min(spans[k][axis][0] for k in members) for axis in (0, 1)]
        sizes = [max(spans[k][axis][1] for k in members) - first[axis] for axis in (0, 1)]
        terms = tuple(_within(matrix.terms[k], first, sizes) for k in members)
        made.append((first[0], first[1], matrix._replace(terms=terms)))
    return made


def _span(term: HeldTerm, axis: int) -> tuple[int, int]:
    """The first entry of an axis that a term covers, and that behind the last."""
    found = term.ranges[axis] if term.ranges else None
    if found is None:
        return 0, term.extent(axis)
    low, high = sorted(int(end) for end in found.ends)
    return low, high + 1


def _within(term: HeldTerm, first: Sequence[int], sizes: Sequence[int]) -> HeldTerm:
    """A term of a part that begins at these entries."""
    ranges: list[Range | None] = []
    for axis, (start, size) in enumerate(zip(first, sizes, strict=True)):
        found = term.ranges[axis] if term.ranges else None
        moved = found and found._replace(start=found.start - start, length=size)
        ranges.append(None if moved is not None and moved.whole else moved)
    return term._replace(ranges=tuple(ranges) if any(one is not None for one in ranges) else ())


def axis_groups(matrix: HeldMatrix) -> list[tuple[int, ...]]:
    """The axes in the smallest groups that no factor and no delta of any term joins."""
    joined = UnionFind()
    for term in matrix.terms:
        labels = UnionFind()
        for _, own in term.factors:
            for x in own[1:]:
                labels.join(own[0], x)
        first: dict[int, int] = {}
        for axis, label in enumerate(term.out):
            joined.join(first.setdefault(labels.find(label), axis), axis)
    return [tuple(group) for group in joined.classes(range(len(matrix.terms[0].out)))]


def factors_near(term: HeldTerm, labels: set[int]) -> list[int]:
    """The factors that these labels reach, in order."""
    reached, found = set(labels), set[int]()
    while True:
        more = {k for k, (_, own) in enumerate(term.factors) if reached & set(own)} - found
        if not more:
            return sorted(found)
        found |= more
        reached |= {x for k in more for x in term.factors[k][1]}


def scale_of(matrix: HeldMatrix, term: HeldTerm) -> Any:
    """The number that a term is multiplied by: its coefficient, and its factors without axes."""
    scale: Any = complex(term.coef) if isinstance(term.coef, complex) else float(term.coef)
    for number, labels in term.factors:
        if not labels:
            scale = scale * matrix.arrays[number][()]
    return scale


def dense(matrix: HeldMatrix, axes: Sequence[int]) -> Numbers:
    """The sum of the terms as an array with these axes; what else they have is one of these."""
    total = np.zeros(matrix.sizes(axes), matrix.dtype)
    for term in matrix.terms:
        where = taken([term.ranges[axis] for axis in axes]) if term.ranges else ...
        total[where] += contracted(matrix, term, tuple(term.out[axis] for axis in axes))
    return total


def contracted(matrix: HeldMatrix, term: HeldTerm, out: Labels) -> Numbers:
    """The product of the factors of a term with these labels: a repeated one is a delta. It is not to be written to."""
    distinct = tuple(dict.fromkeys(out))
    scale = scale_of(matrix, term)
    made: Any = np.asarray(scale, matrix.dtype)
    factors = [(number, labels) for number, labels in term.factors if labels]
    if len(factors) == 1 and factors[0][1] == distinct:
        core = matrix.arrays[factors[0][0]]
        made = np.asarray(core if scale == 1 else made * core, matrix.dtype)
    elif factors:
        operands: list[Any] = []
        number = {x: k for k, x in enumerate({x for _, labels in factors for x in labels})}
        for place, labels in factors:
            operands += [matrix.arrays[place], [number[x] for x in labels]]
        has = [x for x in distinct if x in number]
        core = np.einsum(*operands, [number[x] for x in has], optimize=True)
        made = made * core[tuple(slice(None) if x in number else None for x in distinct)]
    core = np.broadcast_to(made, [term.sizes[x] for x in distinct])
    if distinct == out:
        return core
    result = np.zeros([term.sizes[x] for x in out], matrix.dtype)
    letter = {x: k for k, x in enumerate(distinct)}
    np.einsum(result, [letter[x] for x in out], list(range(len(distinct))))[...] = core
    return result
