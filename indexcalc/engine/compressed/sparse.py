"""A held matrix as its entries, with their rows and columns, or by its diagonals; and as a sparse array of SciPy.

The number of a row is an affine function of the labels of a term, and so is that of a column. Where both have one
coefficient, entries go along a diagonal; each value of the other labels begins one. So bands, blocks of them and bands
of blocks are all written without a list of entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import HeldMatrix, contracted
from indexcalc.errors import InputError

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
"""SciPy's sparse formats."""

MOST_PARTS = 1000
"""Parts of diagonals: a matrix of more is written entry by entry, which takes less time then."""

ROOMY = 2
"""Times as many numbers as there are entries: more are not written as diagonals."""


class Places(NamedTuple):
    """The number of a row, or of a column, as an affine function of labels: a start, and a coefficient for each."""

    start: int
    coefs: tuple[int, ...]


def places(term: HeldTerm, labels: Sequence[int], axes: Sequence[int]) -> Places:
    """Where the entries of a term stand along these axes, multiplied out: a place for all values of the labels.

    >>> places(HeldTerm(1, (), (0, 1, 0), {0: 4, 1: 3}), (0, 1), (0, 1))
    Places(start=0, coefs=(3, 1))
    """
    start, coefs, stride = 0, dict.fromkeys(labels, 0), 1
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
    rows, columns = (_numbers(places(term, labels, side), sizes) for side in matrix.axes)
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


def diagonal_offsets(matrix: HeldMatrix) -> list[int] | None:
    """Which diagonals the terms of a matrix have, in order; None where they have too many parts of such."""
    parts = [_parts(matrix, term) for term in matrix.terms]
    if sum(prod(len(own) for own in varied) for _, varied in parts) > MOST_PARTS:
        return None
    return sorted({first + sum(at) for first, varied in parts for at in product(*varied)})


def _parts(matrix: HeldMatrix, term: HeldTerm) -> tuple[int, list[range]]:
    """The offset at which a term begins, and what each label adds along which rows and columns run apart."""
    labels = tuple(dict.fromkeys(term.out))
    row, column = (places(term, labels, axes) for axes in matrix.axes)
    apart = [(b - a, term.sizes[x]) for x, a, b in zip(labels, row.coefs, column.coefs, strict=True) if a != b]
    return column.start - row.start, [range(0, by * size, by) for by, size in apart]


def diagonals(matrix: HeldMatrix, offsets: Sequence[int]) -> Diagonals:
    """The matrix by these diagonals, which are all that it has; more than the memory limit is an error."""
    shape = len(offsets), matrix.shape[1]
    require_room(matrix, "diagonals", shape[0], prod(shape) * matrix.dtype.itemsize)
    made = Diagonals(tuple(offsets), np.zeros(shape, matrix.dtype))
    written: set[int] = set()
    for term in matrix.terms:
        _write_diagonals(matrix, term, made, written)
    return made


def _write_diagonals(matrix: HeldMatrix, term: HeldTerm, made: Diagonals, written: set[int]) -> None:
    """Adds a term to diagonals; those that are not `written` yet are 0."""
    labels = tuple(dict.fromkeys(term.out))
    row, column = (places(term, labels, axes) for axes in matrix.axes)
    apart = [k for k, (a, b) in enumerate(zip(row.coefs, column.coefs, strict=True)) if a != b]
    along = [k for k in range(len(labels)) if k not in apart]
    sign, positive = (-1, term._replace(coef=1)) if term.coef == -1 else (1, term)
    core = contracted(matrix, positive, labels).transpose(*apart, *along)
    if not core.size:
        return
    steps = [made.data.itemsize * column.coefs[k] for k in along]
    for at in product(*(range(term.sizes[labels[k]]) for k in apart)):
        first, offset = column.start, column.start - row.start
        for k, value in zip(apart, at, strict=True):
            first += column.coefs[k] * value
            offset += (column.coefs[k] - row.coefs[k]) * value
        number, part = made.offsets.index(offset), core[at]
        where = as_strided(made.data[number, first:], part.shape, steps)
        if number in written:
            (np.add if sign == 1 else np.subtract)(where, part, out=where)
        elif sign == 1:
            where[...] = part
        else:
            np.negative(part, out=where)
        written.add(number)


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
    found = diagonals(matrix, offsets)
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
