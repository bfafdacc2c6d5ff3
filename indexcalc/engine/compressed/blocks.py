"""Grids of compressed blocks: derivatives by several variables as one matrix on the vectors laid end to end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held import Compressed
from indexcalc.engine.compressed.held_matrix import HeldMatrix, entry_by_entry
from indexcalc.engine.compressed.methods import SPARSE
from indexcalc.engine.compressed.operator import Operator, size_told, vector
from indexcalc.engine.compressed.sparse import SparseEntries, entries, entry_count, sparse_of
from indexcalc.errors import InputError
from indexcalc.graph.ranges import Range
from indexcalc.surface import public
from indexcalc.writing.html import code, paragraph, table


@public
class Blocks(Operator):
    """A grid of compressed blocks, which share the arrays that they have in common.

    A vector may come flat, all variables laid end to end, or as a list of arrays, one for each; so does the result.

    >>> import indexcalc as ic
    >>> u, v, A = ic.tensor("u", "n"), ic.tensor("v", "m"), ic.tensor("A", "n m")
    >>> f = u @ A @ v + (u * u).sum()
    >>> H = ic.compressed([[ic.hessian(f, a, b) for b in (u, v)] for a in (u, v)], A=[[1, 2]])
    >>> H.matvec([1, 1, 1])
    array([5., 1., 2.])
    """

    def __init__(self, grid: Sequence[Sequence[Compressed]]) -> None:
        self.grid = tuple(tuple(row) for row in grid)
        for k, row in enumerate(self.grid):
            for j, block in enumerate(row):
                for name, own, first in (
                    ("rows", block.rows, row[0].rows),
                    ("columns", block.columns, self.grid[0][j].columns),
                ):
                    if own != first:
                        raise InputError(
                            "compressed of a grid",
                            f"block {k}, {j} has {name} {own}, the first of its line has {first}",
                            "give blocks of one row the same rows, those of one column the same columns",
                        )
        self.held = self.grid[0][0].held
        self.dtype, self.limit = self.held.dtype, self.held.limit
        self.rows = tuple(row[0].rows for row in self.grid)
        self.columns = tuple(block.columns for block in self.grid[0])
        self._solvers = {}

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The sizes of all rows and of all columns."""
        return sum(map(prod, self.rows)), sum(map(prod, self.columns))

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix."""
        return self.matrix_shape

    def structure(self) -> HeldMatrix | None:
        """The grid as one matrix, whose terms are parts of it; None where a side of a block has several axes."""
        if any(len(side) != 1 for side in (*self.rows, *self.columns)):
            return None
        sizes = self.matrix_shape
        tops, lefts = ([0, *accumulate(map(prod, sides))] for sides in (self.rows, self.columns))
        arrays, terms = self.held.arrays, list[HeldTerm]()
        for top, row in zip(tops, self.grid, strict=False):
            for left, block in zip(lefts, row, strict=False):
                own, arrays = entry_by_entry(block.terms, arrays)
                terms += [_placed(term, (top, left), sizes) for term in own]
        return HeldMatrix(tuple(terms), arrays, 1, self.dtype, self.limit)

    def _few_entries(self) -> SparseEntries | None:
        """The entries of all blocks, if they are few, where `structure` does not tell of them."""
        n, _ = self.matrix_shape
        forms = [block.structure() for row in self.grid for block in row]
        few = sum(map(entry_count, forms)) <= SPARSE * n * n
        return self._entries() if few and self.structure() is None else None

    @property
    def nbytes(self) -> int:
        """The bytes that are held."""
        return self.held.nbytes

    @property
    def dense_nbytes(self) -> int:
        """The bytes that the dense matrix would take."""
        return prod(self.matrix_shape) * self.dtype.itemsize

    def matvec(self, v: Any) -> Any:
        """The product with a vector: flat for a flat one, a list for a list."""
        parts, flat = self._parts(v, self.columns, "matvec")
        made = [_total([block.matvec(x) for block, x in zip(row, parts, strict=True)]) for row in self.grid]
        return _laid(made) if flat else made

    def rmatvec(self, v: Any) -> Any:
        """The product of the conjugate transpose with a vector."""
        parts, flat = self._parts(v, self.rows, "rmatvec")
        turned = zip(*self.grid, strict=True)
        made = [_total([block.rmatvec(x) for block, x in zip(row, parts, strict=True)]) for row in turned]
        return _laid(made) if flat else made

    def _parts(self, v: Any, dims: Sequence[tuple[int, ...]], name: str) -> tuple[list[Numbers], bool]:
        sizes = list(map(prod, dims))
        flat = not isinstance(v, list | tuple) or (all(np.ndim(x) == 0 for x in v) and any(dims))
        if flat:
            array = vector(v, self.dtype, name)
            if array.shape != (sum(sizes),):
                raise InputError(
                    f"{name} of a grid", f"a vector of shape {array.shape}", f"give {sum(sizes)} numbers, or a list"
                )
            pieces = np.split(array, np.cumsum(sizes)[:-1])
            return [piece.reshape(dim) for piece, dim in zip(pieces, dims, strict=True)], True
        parts = [vector(x, self.dtype, name) for x in v]
        if [part.shape for part in parts] != list(dims):
            raise InputError(
                f"{name} of a grid", f"arrays of shapes {[p.shape for p in parts]}", f"give shapes {list(dims)}"
            )
        return parts, False

    def todense(self) -> Numbers:
        """The dense matrix; beyond the memory limit it is an error before anything is allocated."""
        if self.dense_nbytes > self.limit:
            raise InputError(
                "todense() of a grid",
                f"it takes {self.dense_nbytes:,} bytes, and the limit is {self.limit:,}",
                "use matvec, diagonal, trace or solve, or give a larger memory_limit",
            )
        result = np.empty(self.matrix_shape, self.dtype)
        tops, lefts = (np.cumsum([0, *map(prod, dims)]) for dims in (self.rows, self.columns))
        for k, row in enumerate(self.grid):
            for j, block in enumerate(row):
                made = block.todense().reshape(block.matrix_shape)
                result[tops[k] : tops[k + 1], lefts[j] : lefts[j + 1]] = made
        return result

    def tosparse(self, format: str = "csr") -> Any:
        """The matrix in one of SciPy's sparse formats, from the terms of its blocks; needs SciPy.

        >>> import indexcalc as ic
        >>> u, v = ic.tensor("u", "2"), ic.tensor("v", "3")
        >>> f = (u*u).sum()/2 + u[0]*v[2]
        >>> H = ic.compressed([[ic.hessian(f, a, b) for b in (u, v)] for a in (u, v)])
        >>> H.tosparse().toarray()
        array([[1., 0., 0., 0., 1.],
               [0., 1., 0., 0., 0.],
               [0., 0., 0., 0., 0.],
               [0., 0., 0., 0., 0.],
               [1., 0., 0., 0., 0.]])
        """
        return sparse_of(self._entries(), self.matrix_shape, format)

    def _entries(self) -> SparseEntries:
        """The entries that the terms of all blocks have."""
        lefts = np.cumsum([0, *map(prod, self.columns)])
        tops = np.cumsum([0, *map(prod, self.rows)])
        found = [
            (top, left, entries(block.structure()))
            for top, row in zip(tops, self.grid, strict=False)
            for left, block in zip(lefts, row, strict=False)
        ]
        parts = [(one.values, one.rows + top, one.columns + left) for top, left, one in found]
        return SparseEntries(*map(np.concatenate, zip(*parts, strict=True)))

    def diagonal(self) -> Numbers:
        """The diagonal of the matrix, flat."""
        self._square("diagonal()")
        return _laid([self.grid[k][k].diagonal() for k in range(len(self.grid))])

    def trace(self) -> Any:
        """The sum of the diagonal."""
        self._square("trace()")
        return sum(self.grid[k][k].trace() for k in range(len(self.grid)))

    def _square(self, what: str) -> None:
        if self.rows != self.columns:
            raise InputError(
                f"{what} of a grid", f"rows {list(self.rows)}, columns {list(self.columns)}", "give a square grid"
            )

    def solve(self, b: Any, positive_definite: bool = False) -> Any:
        """The x with `matvec(x) = b`: flat for a flat b, a list for a list; `solver().method` says how."""
        parts, flat = self._parts(b, self.rows, "solve")
        x = self.solver(positive_definite)(_laid(parts).reshape(-1, 1))[:, 0]
        return x if flat else self._parts(x, self.columns, "solve")[0]

    def __repr__(self) -> str:
        lines = [f"[{k},{j}] {block}" for k, row in enumerate(self.grid) for j, block in enumerate(row)]
        return "\n".join([*lines, size_told(self.matrix_shape, self.nbytes, self.dense_nbytes)])

    def _repr_html_(self) -> str:
        blocks = table([code(str(block)) for block in row] for row in self.grid)
        return f"{blocks}\n{paragraph(size_told(self.matrix_shape, self.nbytes, self.dense_nbytes))}"


def _placed(term: HeldTerm, first: tuple[int, int], sizes: tuple[int, int]) -> HeldTerm:
    """A term of a block as one of the grid: where its rows and columns begin, and how many there are in all."""
    own = term.ranges or (None, None)
    ranges = []
    for axis, (found, start, size) in enumerate(zip(own, first, sizes, strict=True)):
        picked = Range(0, 1, term.extent(axis), size) if found is None else found
        moved = picked._replace(start=picked.start + start, length=size)
        ranges.append(None if moved.whole else moved)
    return term._replace(ranges=tuple(ranges) if any(ranges) else ())


def _laid(parts: Sequence[Any]) -> Numbers:
    return np.concatenate([np.ravel(part) for part in parts])


def _total(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
