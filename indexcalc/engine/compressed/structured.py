"""Solving by structure: the cheapest way that the terms of a held matrix allow.

In this order: deltas that all terms have (one smaller matrix, more right-hand sides), one Kronecker product (factor by
factor), labels that all terms have on both sides (block diagonal), Kronecker terms of at most two symmetric matrices a
factor, one of them definite (generalised eigenproblems), a diagonal and terms of low rank (Woodbury). Where a term
covers a part of the matrix alone, as a band does, by bands or as a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import (
    HeldMatrix,
    axis_groups,
    carried,
    contracted,
    dense,
    factors_near,
    part_of,
    restricted,
    scale_of,
    shared_pairs,
)
from indexcalc.engine.compressed.sparse import entries, entry_count
from indexcalc.errors import InputError, counted

FEW = 200
"""Unknowns: up to so many a dense matrix is as fast as two eigenproblems."""

SPARSE = 0.1
"""A share of all entries: a matrix with more is solved as a dense one;"""
WIDE = 8
"""times as many numbers as there are entries: wider bands are left to a sparse decomposition, which fills in less."""

Apply = Callable[[Numbers], Numbers]


class Singular(Exception):
    """The matrix has no inverse."""


class Solver(NamedTuple):
    """`solver(B)` has the solutions for the columns of B, which are flat; `method` says how they are found."""

    method: str
    apply: Apply

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


def structured(matrix: HeldMatrix) -> Solver | None:
    """What solves by the structure of the terms, or None."""
    if not matrix.terms or matrix.shape[0] != matrix.shape[1]:
        raise Singular
    if any(term.ranges for term in matrix.terms):
        return _sparse(matrix)
    pairs = shared_pairs(matrix)
    pure = [(row, column) for row, column in pairs if not carried(matrix, row)]
    if pure:
        return _beside_deltas(matrix, pure)
    groups = axis_groups(matrix)
    if len(matrix.terms) == 1 and len(groups) > 1:
        return _kronecker(matrix, groups)
    if pairs:
        return _block_diagonal(matrix, pairs)
    if len(groups) > 1 and matrix.shape[0] > FEW:
        found = _eigenproblems(matrix, groups)
        if found is not None:
            return found
    return _woodbury(matrix)


def _arranged(
    matrix: HeldMatrix, rows: Sequence[int], columns: Sequence[int], apply: Callable[[Numbers], Numbers]
) -> Apply:
    """`apply` takes right-hand sides (*rows, k), and gives solutions (*columns, k), axes in these orders."""
    own, wanted = matrix.axes
    dims = matrix.sizes(own)
    back = [list(columns).index(column) for column in wanted]

    def run(b: Numbers) -> Numbers:
        count = b.shape[-1]
        made = apply(b.reshape(*dims, count).transpose(*rows, len(rows)))
        return np.asarray(made.transpose(*back, len(back)).reshape(-1, count))

    return run


def _beside_deltas(matrix: HeldMatrix, pure: Sequence[tuple[int, int]]) -> Solver:
    """Deltas that all terms have: one smaller matrix, solved for more right-hand sides."""
    rows, columns = matrix.axes
    gone_rows, gone_columns = [row for row, _ in pure], [column for _, column in pure]
    kept_rows = [row for row in rows if row not in gone_rows]
    kept_columns = [column for column in columns if column not in gone_columns]
    inner = restricted(matrix, [*kept_rows, *kept_columns])
    made = structured(inner) or by_dense(inner)
    dims, batch = matrix.sizes(kept_columns), matrix.sizes(gone_rows)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        return made(b.reshape(inner.shape[0], -1)).reshape(*dims, *batch, count)

    times = prod(batch)
    method = f"{times} right-hand sides for δ ⊗ a {inner.shape[0]}×{inner.shape[1]} matrix: {made.method}"
    return Solver(method, _arranged(matrix, [*kept_rows, *gone_rows], [*kept_columns, *gone_columns], apply))


def _of_bands(bands: Numbers, below: int, above: int) -> Solver:
    """Entry i, j in row `above + i - j` of the bands, column j; one that is positive definite is factored once."""
    from scipy.linalg import cho_solve_banded, cholesky_banded, solve_banded

    if _is_hermitian(bands, below, above):
        try:
            factor = cholesky_banded(bands[: above + 1])
            shown = f"banded and positive definite, {above} beside the diagonal"
            return Solver(shown, lambda b: np.asarray(cho_solve_banded((factor, False), b)))
        except np.linalg.LinAlgError:
            pass
    shown = f"banded, {below} below the diagonal and {above} above it"
    return Solver(shown, lambda b: np.asarray(solve_banded((below, above), bands, b)))


def _is_hermitian(bands: Numbers, below: int, above: int) -> bool:
    """Is each band below the diagonal the conjugate of one above it?"""
    length = bands.shape[1]
    return below == above and all(
        np.array_equal(bands[above + k, : length - k], bands[above - k, k:].conj()) for k in range(above + 1)
    )


def _sparse(matrix: HeldMatrix) -> Solver | None:
    """Bands, or a sparse LU decomposition, by SciPy; None where it isn't installed, or the entries are too many."""
    n, _ = matrix.shape
    if entry_count(matrix) > SPARSE * n * n:
        return None
    try:
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu
    except ImportError:
        return None
    values, rows, columns = entries(matrix)
    above, below = (int(np.max(apart, initial=0)) for apart in (columns - rows, rows - columns))
    if (above + below + 1) * n <= WIDE * len(values):
        bands = np.zeros((above + below + 1, n), matrix.dtype)
        np.add.at(bands, (above + rows - columns, columns), values)
        return _of_bands(bands, below, above)
    try:
        made = splu(coo_array((values, (rows, columns)), shape=(n, n)).tocsc())
    except RuntimeError:
        raise Singular from None

    def apply(b: Numbers) -> Numbers:
        parts = [b.real, b.imag] if b.dtype.kind == "c" and matrix.dtype.kind != "c" else [b]
        solved = [made.solve(np.ascontiguousarray(part, matrix.dtype)) for part in parts]
        return np.asarray(solved[0] if len(solved) == 1 else solved[0] + 1j * solved[1])

    return Solver(f"sparse LU of {counted(len(values), 'entry')}", apply)


def _kronecker(matrix: HeldMatrix, groups: Sequence[tuple[int, ...]]) -> Solver:
    """One Kronecker product: factor by factor."""
    (term,) = matrix.terms
    scale = scale_of(matrix, term)
    parts: list[tuple[tuple[int, ...], tuple[int, ...], Solver]] = []
    for group in groups:
        own = {term.out[axis] for axis in group}
        factors = tuple(term.factors[k] for k in factors_near(term, own) if term.factors[k][1])
        labels = own.union(*(found for _, found in factors))
        part = HeldTerm(1, factors, tuple(term.out[a] for a in group), {x: term.sizes[x] for x in labels})
        rows = [axis for axis in group if axis < matrix.rows]
        one = matrix._replace(terms=(part,), rows=len(rows))
        parts.append((tuple(rows), tuple(a for a in group if a >= matrix.rows), structured(one) or by_dense(one)))
    order_rows = [axis for rows, _, _ in parts for axis in rows]
    order_columns = [axis for _, columns, _ in parts for axis in columns]
    sizes = [prod(matrix.sizes(rows)) for rows, _, _ in parts]
    dims = matrix.sizes(order_columns)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        x = b.reshape(*sizes, count)
        for place, (_, _, factor) in enumerate(parts):
            x = np.moveaxis(x, place, 0)
            x = np.moveaxis(factor(x.reshape(sizes[place], -1)).reshape(x.shape), 0, place)
        return np.asarray(x.reshape(*dims, count) / scale)

    shown = " ⊗ ".join(f"{size}×{size}" for size in sizes)
    return Solver(f"factor by factor: {shown}", _arranged(matrix, order_rows, order_columns, apply))


def _block_diagonal(matrix: HeldMatrix, pairs: Sequence[tuple[int, int]]) -> Solver | None:
    """Labels that all terms have on both sides: one small matrix for each of their values."""
    rows, columns = matrix.axes
    batch_rows, batch_columns = [row for row, _ in pairs], [column for _, column in pairs]
    kept_rows = [row for row in rows if row not in batch_rows]
    kept_columns = [column for column in columns if column not in batch_columns]
    batch, n, m = matrix.sizes(batch_rows), prod(matrix.sizes(kept_rows)), prod(matrix.sizes(kept_columns))
    if n != m:
        raise Singular
    if 2 * prod(batch) * n * n * matrix.dtype.itemsize > matrix.limit:
        return None
    core = dense(matrix, [*batch_rows, *kept_rows, *kept_columns]).reshape(*batch, n, n)
    dims = matrix.sizes(kept_columns)
    if n == 1 and not np.all(core):
        raise Singular

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        b = b.reshape(*batch, n, count)
        x = b / core if n == 1 else np.linalg.solve(core, b)
        return np.asarray(x.reshape(*batch, *dims, count))

    shown = "diagonal" if n == 1 else f"block diagonal, {prod(batch)} blocks {n}×{n}"
    return Solver(shown, _arranged(matrix, [*batch_rows, *kept_rows], [*batch_columns, *kept_columns], apply))


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
    made = dense(matrix, [*rows, *columns]).reshape(n, n)
    return Solver(f"dense, {made.nbytes:,} bytes", lambda b: np.asarray(np.linalg.solve(made, b)))


# ------------------------------------------------------------------ several terms


def _eigenproblems(matrix: HeldMatrix, groups: Sequence[tuple[int, ...]]) -> Solver | None:
    """Kronecker terms that have at most two symmetric matrices for each factor, one of them definite.

    With W' A W = diag(a) and W' B W = diag(b) for each factor, all terms are diagonal in the columns of the W.
    """
    sides = []
    values: Any = None
    vectors = []
    for group in groups:
        rows = [axis for axis in group if axis < matrix.rows]
        columns = [axis for axis in group if axis >= matrix.rows]
        n = prod(matrix.sizes(rows))
        if n != prod(matrix.sizes(columns)) or n * n * matrix.dtype.itemsize > matrix.limit:
            return None
        parts = [part_of(matrix, term, [*rows, *columns]).reshape(n, n) for term in matrix.terms]
        found = _diagonalised(parts)
        if found is None:
            return None
        vectors.append(found[0])
        values = found[1] if values is None else values[:, :, None] * found[1][:, None, :]
        values = values.reshape(len(parts), -1)
        sides.append((rows, columns))
    scales = np.array([scale_of(matrix, term) for term in matrix.terms])
    total = scales @ values
    if not np.all(total):
        raise Singular
    sizes = [len(w) for w in vectors]
    order_rows = [axis for rows, _ in sides for axis in rows]
    order_columns = [axis for _, columns in sides for axis in columns]
    dims = matrix.sizes(order_columns)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        x = b.reshape(*sizes, count)
        for place, w in enumerate(vectors):
            x = np.moveaxis(np.tensordot(w, x, (0, place)), 0, place)
        x = x / total.reshape(*sizes, 1)
        for place, w in enumerate(vectors):
            x = np.moveaxis(np.tensordot(w, x, (1, place)), 0, place)
        return np.asarray(x.reshape(*dims, count))

    shown = ", ".join(f"{n}×{n}" for n in sizes)
    return Solver(f"generalised eigenproblems of {shown}", _arranged(matrix, order_rows, order_columns, apply))


def _diagonalised(parts: Sequence[Numbers]) -> tuple[Numbers, Numbers] | None:
    """W, and the diagonals of W' A W for each of these matrices, of which at most two are different."""
    distinct: list[Numbers] = []
    for part in parts:
        if not any(np.array_equal(part, other) for other in distinct):
            distinct.append(part)
    if len(distinct) > 2 or any(np.iscomplexobj(part) or not _symmetric(part) for part in distinct):
        return None
    if len(distinct) == 1:
        w = np.linalg.eigh(distinct[0])[1]
    else:
        roots = [(root, other) for a, other in (distinct, distinct[::-1]) if (root := _root(a)) is not None]
        if not roots:
            return None
        root, other = roots[0]
        inner = np.linalg.solve(root, np.linalg.solve(root, other).T)
        w = np.linalg.solve(root.T, np.linalg.eigh((inner + inner.T) / 2)[1])
    return w, np.stack([np.einsum("ia,ij,ja->a", w, part, w, optimize=True) for part in parts])


def _symmetric(a: Numbers) -> bool:
    scale = float(np.max(np.abs(a), initial=0.0)) * 100 * float(np.finfo(a.dtype).eps)
    return bool(np.allclose(a, a.T, rtol=0, atol=scale))


def _root(a: Numbers) -> Numbers | None:
    """The Cholesky factor of a matrix or its negative, if one is positive definite."""
    for sign in (1, -1):
        try:
            return np.asarray(np.linalg.cholesky(sign * a))
        except np.linalg.LinAlgError:
            continue
    return None


def _woodbury(matrix: HeldMatrix) -> Solver | None:
    """A diagonal and terms of low rank: `inv(D + U V') = inv(D) - inv(D) U inv(I + V' inv(D) U) V' inv(D)`."""
    rows, columns = matrix.axes
    n, _ = matrix.shape
    if matrix.sizes(rows) != matrix.sizes(columns):
        return None
    straight = [t for t in matrix.terms if t.out[: len(rows)] == t.out[len(rows) :]]
    low = [_halves(matrix, term) for term in matrix.terms if term not in straight]
    halves = [half for half in low if half is not None]
    rank = sum(half.shape[1] for half, _ in halves)
    if not straight or len(halves) < len(low) or not halves or 2 * rank > n:
        return None
    diagonal = dense(matrix._replace(terms=tuple(straight)), rows).reshape(n, 1)
    if not np.all(diagonal):
        return None
    left = np.concatenate([half for half, _ in halves], axis=1) / diagonal
    right = np.concatenate([half for _, half in halves], axis=1)
    small = np.eye(rank, dtype=left.dtype) + right.T @ left

    def apply(b: Numbers) -> Numbers:
        x = b / diagonal
        return np.asarray(x - left @ np.linalg.solve(small, right.T @ x))

    return Solver(f"diagonal and rank {rank}: Woodbury, {rank}×{rank}", apply)


def _halves(matrix: HeldMatrix, term: HeldTerm) -> tuple[Numbers, Numbers] | None:
    """A term as `U V'`: no factor has labels of rows and of columns."""
    rows, columns = (set(term.out[: matrix.rows]), set(term.out[matrix.rows :]))
    if rows & columns or len(rows) < matrix.rows or len(columns) < len(term.out) - matrix.rows:
        return None
    left: list[int] = []
    right: list[int] = []
    for place, (_, labels) in enumerate(term.factors):
        if set(labels) & rows and set(labels) & columns:
            return None
        (right if set(labels) & columns else left).append(place)
    inside = [{x for k in side for x in term.factors[k][1]} for side in (left, right)]
    shared = sorted(inside[0] & inside[1])
    rank = prod(term.sizes[x] for x in shared)
    made = []
    for side, own in ((left, term.out[: matrix.rows]), (right, term.out[matrix.rows :])):
        part = term._replace(coef=term.coef if side is left else 1, factors=tuple(term.factors[k] for k in side))
        made.append(contracted(matrix, part, (*own, *shared)).reshape(-1, rank))
    return made[0], made[1]
