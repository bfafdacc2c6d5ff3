"""Solving for sums of Kronecker products, `A X B + C X D = E` among them, by decompositions of their factors alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.held_matrix import HeldMatrix, KroneckerTerm, dense
from indexcalc.engine.compressed.methods import Apply, Singular, Solver, log_of

FEW = 200
"""Unknowns: up to so many a dense matrix is as fast as two eigenproblems."""
APART = 0.25
"""A power of the rounding: a matrix whose pivots differ by more is too near to a singular one to be divided by."""

Side = tuple[tuple[int, ...], tuple[int, ...]]
"""The axes of rows and of columns that one place of Kronecker products has."""


def sum_of_products(
    matrix: HeldMatrix, groups: Sequence[Sequence[int]], chains: Sequence[KroneckerTerm]
) -> Solver | None:
    """What solves for a sum of Kronecker products, `chains`, a factor for each group of axes; None if nothing does."""
    if matrix.shape[0] <= FEW:
        return None
    sides = [
        (tuple(x for x in group if x < matrix.rows), tuple(x for x in group if x >= matrix.rows)) for group in groups
    ]
    parts = []
    for place in range(len(groups)):
        own = [chain.factors[place] for chain in chains]
        n, columns = own[0].shape
        if n != columns or len(own) * n * n * matrix.dtype.itemsize > matrix.limit:
            return None
        parts.append([dense(part, range(len(groups[place]))).reshape(n, n) for part in own])
    scales = np.array([chain.scale for chain in chains])
    return _eigenproblems(matrix, sides, parts, scales) or _triangular(matrix, sides, parts, scales)


def arranged(
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


def _eigenproblems(
    matrix: HeldMatrix, sides: Sequence[Side], parts: Sequence[Sequence[Numbers]], scales: Numbers
) -> Solver | None:
    """Kronecker products of at most two symmetric matrices in each place, one of them definite.

    With W' A W = diag(a) and W' B W = diag(b) in each place, all terms are diagonal in the columns of the W.
    """
    values: Any = None
    vectors = []
    for own in parts:
        both = _diagonalised(own)
        if both is None:
            return None
        vectors.append(both[0])
        values = both[1] if values is None else values[:, :, None] * both[1][:, None, :]
        values = values.reshape(len(own), -1)
    total = scales @ values
    if not np.all(total):
        raise Singular
    sizes = [len(w) for w in vectors]
    order_rows, order_columns = ([axis for side in sides for axis in side[k]] for k in (0, 1))
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

    def logdet() -> Any:
        turned = (prod(sizes) // n * np.linalg.slogdet(w)[1] for n, w in zip(sizes, vectors, strict=True))
        return np.log(np.abs(total)).sum() - 2 * sum(turned)

    shown = ", ".join(f"{n}×{n}" for n in sizes)
    found = arranged(matrix, order_rows, order_columns, apply)
    return Solver(f"generalised eigenproblems of {shown}", found, logdet)


def _triangular(
    matrix: HeldMatrix, sides: Sequence[Side], parts: Sequence[Sequence[Numbers]], scales: Numbers
) -> Solver | None:
    """Two products of any two matrices, by SciPy: `A X B' + C X D' = F`, of which Sylvester's equation is one.

    The generalised Schur form (Moler and Stewart, 1973) makes each pair triangular at once, A = Q S Z', C = Q T Z';
    then a row of what is looked for after the other comes from those below it.
    """
    if len(parts) != 2 or len(scales) != 2:
        return None
    try:
        from scipy.linalg import qz, solve_triangular
    except ImportError:
        return None
    *outer, q, z = qz(scales[0] * parts[0][0], scales[1] * parts[0][1], output="complex")
    *inner, u, w = qz(*parts[1], output="complex")
    pivots = np.einsum("kii,kjj->ij", np.stack(outer), np.stack(inner))
    if not np.all(pivots):
        raise Singular
    n, m = pivots.shape
    rows, columns = ([axis for side in sides for axis in side[k]] for k in (0, 1))
    dims = matrix.sizes(columns)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        right = np.einsum("ri,rsk,sj->ijk", q.conj(), b.reshape(n, m, count), u.conj(), optimize=True)
        made = np.zeros((n, m, count), right.dtype)
        for r in reversed(range(n)):
            below = (np.tensordot(s[r, r + 1 :], made[r + 1 :], 1) for s in outer)
            rest = right[r] - sum(t @ known for t, known in zip(inner, below, strict=True))
            made[r] = solve_triangular(outer[0][r, r] * inner[0] + outer[1][r, r] * inner[1], rest)
        x = np.einsum("ri,ijk,sj->rsk", z, made, w, optimize=True).reshape(*dims, count)
        return np.asarray(x if "c" in (matrix.dtype.kind, b.dtype.kind) else x.real)

    return Solver(
        f"triangular pairs of {n}×{n}, {m}×{m}", arranged(matrix, rows, columns, apply), lambda: log_of(pivots)
    )


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
        root, other = max(roots, key=lambda found: _spread(found[0]), default=(None, None))
        if root is None or other is None or _spread(root) < float(np.finfo(root.dtype).eps) ** APART:
            return None
        inner = np.linalg.solve(root, np.linalg.solve(root, other).T)
        w = np.linalg.solve(root.T, np.linalg.eigh((inner + inner.T) / 2)[1])
    return w, np.stack([np.einsum("ia,ij,ja->a", w, part, w, optimize=True) for part in parts])


def _symmetric(a: Numbers) -> bool:
    scale = float(np.max(np.abs(a), initial=0.0)) * 100 * float(np.finfo(a.dtype).eps)
    return bool(np.allclose(a, a.T, rtol=0, atol=scale))


def _spread(root: Numbers) -> float:
    """The least pivot beside the largest: a matrix is far from singular where its root has no small one."""
    pivots = np.abs(root.diagonal())
    return float(pivots.min() / pivots.max())


def _root(a: Numbers) -> Numbers | None:
    """The Cholesky factor of a matrix or its negative, if one is positive definite."""
    for sign in (1, -1):
        try:
            return np.asarray(np.linalg.cholesky(sign * a))
        except np.linalg.LinAlgError:
            continue
    return None
