"""A sum of terms as a matrix: what its rows and columns share, how its axes fall apart, and parts of it as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels


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


def shared_pairs(matrix: HeldMatrix) -> list[tuple[int, int]]:
    """The rows' axes that are a column's axis in all terms."""
    rows, columns = matrix.axes
    pairs: list[tuple[int, int]] = []
    for row in rows:
        for column in columns:
            if column not in {c for _, c in pairs} and all(t.out[row] == t.out[column] for t in matrix.terms):
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
    kept = set(axes)
    terms = []
    for term in matrix.terms:
        out = tuple(term.out[axis] for axis in axes)
        used = set(out) | {x for _, labels in term.factors for x in labels}
        terms.append(term._replace(out=out, sizes={x: s for x, s in term.sizes.items() if x in used}))
    return matrix._replace(terms=tuple(terms), rows=sum(axis < matrix.rows for axis in kept))


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


def part_of(matrix: HeldMatrix, term: HeldTerm, axes: Sequence[int]) -> Numbers:
    """What a term has along these axes, without its coefficient."""
    out = tuple(term.out[axis] for axis in axes)
    factors = tuple(term.factors[k] for k in factors_near(term, set(out)))
    return contracted(matrix, term._replace(coef=1, factors=factors), out)


def scale_of(matrix: HeldMatrix, term: HeldTerm) -> Any:
    """The number that a term is multiplied by: its coefficient, and its factors without axes."""
    scale: Any = complex(term.coef) if isinstance(term.coef, complex) else float(term.coef)
    for number, labels in term.factors:
        if not labels:
            scale = scale * matrix.arrays[number][()]
    return scale


def dense(matrix: HeldMatrix, axes: Sequence[int]) -> Numbers:
    """The sum of the terms as an array with these axes; what else they have is one of these."""
    total: Numbers | None = None
    for term in matrix.terms:
        made = contracted(matrix, term, tuple(term.out[axis] for axis in axes))
        total = made if total is None else total + made
    assert total is not None
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
