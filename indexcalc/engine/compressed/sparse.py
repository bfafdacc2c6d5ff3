"""A held matrix as its entries, with their rows and columns, or by its diagonals; and as a sparse array of SciPy.

The number of a row is an affine function of the labels of a term, and so is that of a column. Where both have one
coefficient, entries go along a diagonal; each value of the other labels begins one. So bands, blocks of them and bands
of blocks are all written without a list of entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import HeldMatrix, contracted
from indexcalc.errors import InputError
from indexcalc.graph.node import Labels

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
"""SciPy's sparse formats."""

MOST_PARTS = 1000
"""Parts of diagonals: a matrix of more is written entry by entry, which takes less time then."""

KEPT = 64
"""Layouts of diagonals that are kept, as many as plans of compressed results."""

ROOMY = 2
"""Times as many numbers as there are entries: more are not written as diagonals."""


class Places(NamedTuple):
    """The number of a row, or of a column, as an affine function of labels: a start, and a coefficient for each."""

    start: int
    coefs: tuple[int, ...]


def places(term: HeldTerm, axes: Sequence[int]) -> Places:
    """Where the entries of a term stand along these axes, multiplied out: a place for all values of its labels.

    >>> places(HeldTerm(1, (), (0, 1, 0), {0: 4, 1: 3}), (0, 1))
    Places(start=0, coefs=(3, 1))
    """
    start, coefs, stride = 0, dict.fromkeys(term.out, 0), 1
    for axis in reversed(axes):
        found = term.ranges[axis] if term.ranges else None
        start += stride * (0 if found is None else int(found.start))
        coefs[term.out[axis]] += stride * (1 if found is None else found.step)
        stride *= term.extent(axis)
    return Places(start, tuple(coefs.values()))


class SparseEntries(NamedTuple):
    """SparseEntries of a matrix, and where they stand; those at one place are added up."""

    values: Numbers
    rows: Numbers
    columns: Numbers


def entry_count(matrix: HeldMatrix) -> int:
    """How many entries the terms have."""
    return sum(prod(term.sizes[x] for x in set(term.out)) for term in matrix.terms)


def entries(matrix: HeldMatrix) -> SparseEntries:
    """The entries that the terms of a matrix have: one for each value of the labels of its axes."""
    require_entries(matrix)
    parts = [_entries(matrix, term) for term in matrix.terms]
    return (
        SparseEntries(*map(np.concatenate, zip(*parts, strict=True)))
        if parts
        else SparseEntries(*np.zeros((3, 0), np.intp))
    )


def require_entries(matrix: HeldMatrix) -> None:
    """An error before anything is allocated, where the entries and their places take more than the memory limit."""
    count = entry_count(matrix)
    require_room(matrix, "entries", count, count * (matrix.dtype.itemsize + 2 * np.dtype(np.intp).itemsize))


def require_room(matrix: HeldMatrix, what: str, count: int, needed: int) -> None:
    """An error before anything is allocated, where entries or diagonals take more than the memory limit."""
    if needed > matrix.limit:
        found = f"its {count:,} {what} take {needed:,} bytes, and the limit is {matrix.limit:,}"
        raise InputError(f"the {what} of a compressed result", found, "use matvec, or give a larger memory_limit")


def _entries(matrix: HeldMatrix, term: HeldTerm) -> SparseEntries:
    labels = tuple(dict.fromkeys(term.out))
    sizes = [term.sizes[x] for x in labels]
    rows, columns = (_numbers(places(term, side), sizes) for side in matrix.axes)
    return SparseEntries(contracted(matrix, term, labels).ravel(), rows, columns)


def _numbers(at: Places, sizes: Sequence[int]) -> Numbers:
    """The number of the row, or column, of each entry of a term, whose labels have these sizes."""
    total: Any = np.full(sizes, at.start, np.intp)
    for axis, (coef, size) in enumerate(zip(at.coefs, sizes, strict=True)):
        total += (coef * np.arange(size)).reshape([-1 if k == axis else 1 for k in range(len(sizes))])
    return np.asarray(total).ravel()


# ------------------------------------------------------------------ diagonals


class Diagonals(NamedTuple):
    """The diagonals of a matrix that are not 0, as SciPy's `dia_array` has them: `data[k, j]` is in column j.

    Its row is `j - offsets[k]`; the offsets are in order.
    """

    offsets: tuple[int, ...]
    data: Numbers

    @property
    def above(self) -> int:
        """How far the last diagonal is above the main one."""
        return max(self.offsets[-1], 0) if self.offsets else 0

    @property
    def below(self) -> int:
        """How far the first diagonal is below the main one."""
        return max(-self.offsets[0], 0) if self.offsets else 0


def diagonal_offsets(matrix: HeldMatrix) -> tuple[int, ...] | None:
    """Which diagonals the terms of a matrix have, in order; None where they have too many parts of such."""
    return _layout(tuple(map(_key, matrix.terms)), matrix.rows).offsets


class DiagonalPart(NamedTuple):
    """Entries of a term that lie on one diagonal: where they are in its core, and the columns that they have.

    `diagonal` counts the offsets; where nothing was written on that before, the part is `fresh`, and `lasting` if
    nothing is written on it afterwards. Without a step `columns` has the first column alone.
    """

    at: tuple[int, ...]
    diagonal: int
    columns: slice
    fresh: bool
    lasting: bool


class TermParts(NamedTuple):
    """How a term lies on diagonals: its coefficient, what it is without that, and its parts.

    The core has these labels, and then these axes, along the last of which entries are so many columns apart; there is
    a part for each value of the first axes, along which rows and columns run apart. The core is that of an earlier
    term, the one of this number, or its own.
    """

    coef: float | complex
    term: HeldTerm
    core: int
    labels: Labels
    axes: tuple[int, ...]
    steps: tuple[int, ...]
    parts: tuple[DiagonalPart, ...]


class DiagonalLayout(NamedTuple):
    """Which diagonals a matrix has, and how each of its terms lies on them; None where that is too many parts."""

    offsets: tuple[int, ...] | None
    terms: tuple[TermParts, ...]


def _key(term: HeldTerm) -> tuple[Any, ...]:
    return (*term[:3], tuple(term.sizes.items()), term.ranges)


@lru_cache(maxsize=KEPT)
def _layout(keys: tuple[tuple[Any, ...], ...], rows: int) -> DiagonalLayout:
    """How terms with these keys lie on diagonals: it depends on no number that is held, so it is found once."""
    terms = [HeldTerm(coef, factors, out, dict(sizes), ranges) for coef, factors, out, sizes, ranges in keys]
    made = [_parts(term, rows) for term in terms]
    if sum(prod(len(own) for own in varied) for _, _, varied in made) > MOST_PARTS:
        return DiagonalLayout(None, ())
    offsets = tuple(sorted({first + sum(at) for first, _, varied in made for at in product(*varied)}))
    count = Counter(first + sum(at) for first, _, varied in made for at in product(*varied))
    alone = [any(count[first + sum(at)] == 1 for at in product(*varied)) for first, _, varied in made]
    written: set[int] = set()
    cores: dict[Any, int] = {}
    found: list[TermParts] = []
    for place in sorted(range(len(terms)), key=lambda k: not alone[k]):
        term, (offset, apart, varied) = terms[place], made[place]
        labels, column = tuple(dict.fromkeys(term.out)), places(term, range(rows, len(term.out)))
        along = tuple(k for k in range(len(labels)) if k not in apart)
        steps = tuple(column.coefs[k] for k in along)
        parts = []
        for at in product(*(range(len(own)) for own in varied)):
            here = offset + sum(own[k] for own, k in zip(varied, at, strict=True))
            first = column.start + sum(column.coefs[axis] * k for axis, k in zip(apart, at, strict=True))
            columns = slice(first, None)
            if len(steps) == 1 and steps[0] > 0:
                columns = slice(first, first + steps[0] * (term.sizes[labels[along[0]]] - 1) + 1, steps[0])
            diagonal = offsets.index(here)
            parts.append(DiagonalPart(at, diagonal, columns, diagonal not in written, count[here] == 1))
            written.add(diagonal)
        coef = complex(term.coef) if isinstance(term.coef, complex) else float(term.coef)
        plain = term._replace(coef=1)
        core = cores.setdefault(_key(plain._replace(ranges=())), len(found))
        found.append(TermParts(coef, plain, core, labels, (*apart, *along), steps, tuple(parts)))
    return DiagonalLayout(offsets, tuple(found))


def _parts(term: HeldTerm, rows: int) -> tuple[int, tuple[int, ...], list[range]]:
    """The offset at which a term begins, the labels along which rows and columns run apart, and what each adds."""
    row, column = places(term, range(rows)), places(term, range(rows, len(term.out)))
    sizes = [term.sizes[x] for x in dict.fromkeys(term.out)]
    by = [b - a for a, b in zip(row.coefs, column.coefs, strict=True)]
    apart = tuple(k for k, step in enumerate(by) if step)
    return column.start - row.start, apart, [range(0, by[k] * sizes[k], by[k]) for k in apart]


def diagonals(matrix: HeldMatrix) -> Diagonals:
    """The matrix by its diagonals, of which it has not too many; more than the memory limit is an error."""
    offsets, terms = _layout(tuple(map(_key, matrix.terms)), matrix.rows)
    assert offsets is not None
    shape = len(offsets), matrix.shape[1]
    require_room(matrix, "diagonals", shape[0], prod(shape) * matrix.dtype.itemsize)
    data = np.zeros(shape, matrix.dtype)
    cores: list[Numbers] = []
    known: dict[tuple[int, tuple[int, ...], Any], tuple[float | complex, Numbers]] = {}
    for coef, term, number, labels, axes, steps, parts in terms:
        made = cores[number] if number < len(cores) else contracted(matrix, term, labels)
        cores.append(made)
        core = made.transpose(axes) if len(axes) > 1 else made
        for at, diagonal, columns, fresh, lasting in parts if core.size else ():
            where = data[diagonal, columns]
            if columns.step is None:
                where = as_strided(where, core[at].shape, [data.itemsize * step for step in steps])
            scale, part = known.get((number, at, abs(coef)), (1, core[at]))
            _write(where, coef / scale, part, fresh)
            if lasting and scale == 1:
                known[number, at, abs(coef)] = coef, where
    return Diagonals(offsets, data)


def _write(where: Numbers, scale: float | complex, part: Numbers, fresh: bool) -> None:
    """Writes a multiple of a part, where nothing is yet, or adds it."""
    if scale not in (1, -1):
        if fresh:
            np.multiply(part, scale, out=where)
            return
        scale, part = 1, part * scale
    if not fresh:
        (np.add if scale == 1 else np.subtract)(where, part, out=where)
    elif scale == 1:
        where[...] = part
    else:
        np.negative(part, out=where)


def on_bands(found: Diagonals, above: int, below: int, more: int = 0) -> Numbers:
    """The rows of LAPACK's band matrices, from the last diagonal above to the last one below; `more` are left free."""
    bands: Any = np.zeros((more + above + below + 1, found.data.shape[1]), found.data.dtype)
    for offset, row in zip(found.offsets, found.data, strict=True):
        if -below <= offset <= above:
            bands[more + above - offset] = row
    return np.asarray(bands)


# ------------------------------------------------------------------ SciPy


def sparse(matrix: HeldMatrix, shape: tuple[int, int], format: str) -> Any:
    """A held matrix of this shape in one of SciPy's formats: by its diagonals, where these are not much more."""
    made = scipy_sparse(format)
    offsets = diagonal_offsets(matrix) if matrix.terms else None
    if offsets is None or len(offsets) * shape[1] > ROOMY * entry_count(matrix):
        return sparse_of(entries(matrix), shape, format)
    if format != "dia":
        require_entries(matrix)
    found = diagonals(matrix)
    return made.dia_array((found.data, found.offsets), shape=shape).asformat(format)


def sparse_of(found: SparseEntries, shape: tuple[int, int], format: str) -> Any:
    """The matrix with these entries, and of this shape, in one of SciPy's formats."""
    made = scipy_sparse(format).coo_array((found.values, (found.rows, found.columns)), shape=shape)
    made.sum_duplicates()
    return made.asformat(format)


def scipy_sparse(format: str) -> Any:
    """SciPy's module of sparse arrays; that it isn't installed, or has no such format, is an error."""
    asked = f"tosparse(format={format!r})"
    if format not in FORMATS:
        raise InputError(asked, "there is no such format", f"write one of {', '.join(FORMATS)}")
    try:
        import scipy.sparse
    except ImportError:
        raise InputError(asked, "SciPy is not installed", "install scipy, or use matvec") from None
    return scipy.sparse
