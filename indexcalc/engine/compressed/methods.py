"""Ways of solving by one decomposition: of a dense matrix, of bands, of a sparse matrix; and what a way consists of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.held_matrix import HeldMatrix, dense
from indexcalc.engine.compressed.sparse import (
    Diagonals,
    SparseEntries,
    diagonal_offsets,
    diagonals,
    entries,
    entry_count,
    on_bands,
)
from indexcalc.errors import InputError, counted

SPARSE = 0.1
"""A share of all entries: a matrix with more is solved as a dense one;"""
NARROW = 0.2
"""A share of all diagonals: bands of more are solved as a dense matrix too;"""
WIDE = 8
"""and with so many times as many numbers as entries they are left to a sparse decomposition, which fills in less."""

Apply = Callable[[Numbers], Numbers]


class Singular(Exception):
    """The matrix has no inverse."""


class Solver(NamedTuple):
    """`solver(B)` has the solutions for the columns of B, which are flat; `method` says how they are found.

    `logdet()` is the logarithm of the absolute determinant, from the same decomposition.
    """

    method: str
    apply: Apply
    logdet: Callable[[], Any]

    def __call__(self, b: Numbers) -> Numbers:
        """The solutions for right-hand sides (rows, k)."""
        array = np.asarray(b)
        if array.ndim != 2 or array.dtype.kind not in "iufc":
            found = f"right-hand sides of shape {array.shape} and dtype {array.dtype}"
            raise InputError("solve", found, "give numbers, a column for each: (n, k)")
        try:
            return self.apply(array)
        except np.linalg.LinAlgError:
            raise
        except ValueError as error:
            found = f"right-hand sides of shape {array.shape}: {error}"
            raise InputError("solve", found, "give as many rows as the matrix has") from error


def log_of(pivots: Any) -> Any:
    """`sum(log(abs(pivots)))`: the logarithm of a determinant by what stands on the diagonal of triangular factors."""
    return np.log(np.abs(pivots)).sum()


def by_array(array: Numbers) -> Solver:
    """A square array."""
    return Solver(
        f"dense, {array.nbytes:,} bytes",
        lambda b: np.asarray(np.linalg.solve(array, b)),
        lambda: np.linalg.slogdet(array)[1],
    )


def by_dense(matrix: HeldMatrix) -> Solver:
    """The dense matrix of a part."""
    n, _ = matrix.shape
    needed = 2 * n * n * matrix.dtype.itemsize
    if needed > matrix.limit:
        raise InputError(
            "solve",
            f"a dense factorisation of {n} × {n} takes {needed:,} bytes, and the limit is {matrix.limit:,}",
            "use as_linear_operator() with SciPy's solvers, or give a larger memory_limit",
        )
    rows, columns = matrix.axes
    return by_array(dense(matrix, [*rows, *columns]).reshape(n, n))


def by_entries(matrix: HeldMatrix) -> Solver | None:
    """Bands, or a sparse LU decomposition, by SciPy; None where it isn't installed, or the entries are too many."""
    n, _ = matrix.shape
    count, offsets = entry_count(matrix), diagonal_offsets(matrix)
    if offsets:
        width = max(offsets[-1], 0) - min(offsets[0], 0) + 1
        if width <= NARROW * n and width * n <= WIDE * count:
            return _by_bands(diagonals(matrix))
    return by_sparse_lu(entries(matrix), n) if count <= SPARSE * n * n else None


def _by_bands(found: Diagonals) -> Solver | None:
    """A Cholesky decomposition of bands where they are definite, else one by LU; None without SciPy."""
    try:
        from scipy.linalg.lapack import get_lapack_funcs
    except ImportError:
        return None
    above, below, kind, n = found.above, found.below, found.data.dtype, found.data.shape[1]
    shown = f"banded, {below} below the diagonal and {above} above it"
    root = _root_of_bands(found, get_lapack_funcs) if above == below else None
    if root is not None:
        return Solver(shown, _apart(root[0], kind, n), root[1])
    factor, solve = get_lapack_funcs(("gbtrf", "gbtrs"), dtype=kind)
    made, order, info = factor(on_bands(found, above, below, below), below, above, overwrite_ab=True)
    if info:
        raise Singular
    apply = _apart(lambda b: solve(made, below, above, b, order)[0], kind, n)
    return Solver(shown, apply, lambda: log_of(made[above + below]))


def _root_of_bands(found: Diagonals, lapack: Callable[..., Any]) -> tuple[Apply, Callable[[], Any]] | None:
    """What solves with a Hermitian positive definite matrix, from half of its bands, and its logdet; else None."""
    wide, kind = found.above, found.data.dtype
    upper, lower = on_bands(found, wide, 0), on_bands(found, 0, wide)
    n = upper.shape[1]
    near = 100 * float(np.finfo(kind).eps) * float(np.max(np.abs(upper), initial=0.0))
    mirrored = all(np.all(np.abs(lower[k, : n - k].conj() - upper[wide - k, k:]) <= near) for k in range(wide + 1))
    if not mirrored or not np.all(upper[-1].real > 0):
        return None
    if wide == 1 and kind.kind != "c":
        factor, solve = lapack(("pttrf", "pttrs"), dtype=kind)
        pivots, below, info = factor(upper[1], upper[0, 1:], overwrite_d=True, overwrite_e=True)
        return None if info else (lambda b: solve(pivots, below, b)[0], lambda: log_of(pivots))
    factor, solve = lapack(("pbtrf", "pbtrs"), dtype=kind)
    root, info = factor(upper, overwrite_ab=True)
    return None if info else (lambda b: solve(root, b)[0], lambda: 2 * log_of(root[-1]))


def by_sparse_lu(found: SparseEntries, n: int) -> Solver | None:
    """A sparse LU decomposition; None without SciPy."""
    try:
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu
    except ImportError:
        return None
    values, rows, columns = found
    try:
        made = splu(coo_array((values, (rows, columns)), shape=(n, n)).tocsc())
    except RuntimeError:
        raise Singular from None
    kind = values.dtype
    apply = _apart(lambda b: made.solve(np.ascontiguousarray(b, kind)), kind, n)
    return Solver(f"sparse LU of {counted(len(values), 'entry')}", apply, lambda: log_of(made.U.diagonal()))


def _apart(apply: Apply, kind: np.dtype[Any], n: int) -> Apply:
    """The same for n rows, which may be complex where the matrix is not: their two parts apart."""

    def run(b: Numbers) -> Numbers:
        if len(b) != n:
            raise ValueError(f"there are {n} rows")
        if b.dtype.kind != "c" or kind.kind == "c":
            return np.asarray(apply(b))
        return np.asarray(apply(b.real) + 1j * apply(b.imag))

    return run
