"""A held matrix as its entries: those that its terms have, with their rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import HeldMatrix, contracted
from indexcalc.errors import InputError

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
"""SciPy's sparse formats."""


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
    needed = entry_count(matrix) * (matrix.dtype.itemsize + 2 * np.dtype(np.intp).itemsize)
    if needed > matrix.limit:
        found = f"its {entry_count(matrix):,} entries take {needed:,} bytes, and the limit is {matrix.limit:,}"
        raise InputError("the entries of a compressed result", found, "use matvec, or give a larger memory_limit")
    parts = [_entries(matrix, term) for term in matrix.terms]
    return (
        SparseEntries(*map(np.concatenate, zip(*parts, strict=True)))
        if parts
        else SparseEntries(*np.zeros((3, 0), np.intp))
    )


def _entries(matrix: HeldMatrix, term: HeldTerm) -> SparseEntries:
    labels = tuple(dict.fromkeys(term.out))
    rows, columns = (_places(term, labels, side) for side in matrix.axes)
    return SparseEntries(contracted(matrix, term, labels).ravel(), rows, columns)


def _places(term: HeldTerm, labels: Sequence[int], axes: Sequence[int]) -> Numbers:
    """The number of the row, or column, of each entry of a term, these being the axes of the rows."""
    shape = [term.sizes[x] for x in labels]
    total: Any = np.zeros(shape, np.intp)
    for axis in axes:
        own = np.arange(term.sizes[term.out[axis]])
        found = term.ranges[axis] if term.ranges else None
        own = own if found is None else found.start + found.step * own
        across = own.reshape([-1 if x == term.out[axis] else 1 for x in labels])
        total = total * term.extent(axis) + across
    return np.asarray(total).ravel()


def sparse(found: SparseEntries, shape: tuple[int, int], format: str) -> Any:
    """The matrix with these entries, and of this shape, in one of SciPy's formats."""
    asked = f"tosparse(format={format!r})"
    if format not in FORMATS:
        raise InputError(asked, "there is no such format", f"write one of {', '.join(FORMATS)}")
    try:
        from scipy.sparse import coo_array
    except ImportError:
        raise InputError(asked, "SciPy is not installed", "install scipy, or use matvec") from None
    made = coo_array((found.values, (found.rows, found.columns)), shape=shape)
    made.sum_duplicates()
    return made.asformat(format)
