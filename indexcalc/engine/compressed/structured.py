"""Solving by structure: the cheapest way that the terms of a held matrix allow.

In this order: deltas that all terms have (one smaller matrix, more right-hand sides), a Kronecker product (factor by
factor), labels that all terms have on both sides (block diagonal), parts that share no row and no column, bands and few
entries, sums of Kronecker products (eigenproblems, triangular pairs), and what is of low rank beside any of these
(Woodbury).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import (
    HeldMatrix,
    KroneckerTerm,
    axis_groups,
    carried,
    contracted,
    dense,
    parts_beside,
    products,
    restricted,
    shared_pairs,
)
from indexcalc.engine.compressed.kronecker import arranged, sum_of_products
from indexcalc.engine.compressed.methods import Singular, Solver, by_dense, by_entries, log_of
from indexcalc.graph.ranges import taken


def structured(matrix: HeldMatrix) -> Solver | None:
    """What solves by the structure of the terms, or None."""
    if not matrix.terms or matrix.shape[0] != matrix.shape[1]:
        raise Singular
    pairs = shared_pairs(matrix)
    pure = [(row, column) for row, column in pairs if not carried(matrix, row)]
    if pure:
        return _beside_deltas(matrix, pure)
    groups = axis_groups(matrix)
    chains = products(matrix, groups) if len(groups) > 1 else []
    if len(chains) == 1:
        return _kronecker(matrix, groups, chains[0])
    if len(parts := parts_beside(matrix)) > 1:
        return _direct_sum(matrix, parts)
    found = by_entries(matrix) if any(term.ranges for term in matrix.terms) else None
    if found is None and pairs:
        return _block_diagonal(matrix, pairs)
    if found is None and len(chains) > 1:
        found = sum_of_products(matrix, groups, chains)
    return found or _woodbury(matrix) or by_entries(matrix)


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
    found = arranged(matrix, [*kept_rows, *gone_rows], [*kept_columns, *gone_columns], apply)
    return Solver(method, found, lambda: times * made.logdet())


def _kronecker(matrix: HeldMatrix, groups: Sequence[tuple[int, ...]], chain: KroneckerTerm) -> Solver:
    """A Kronecker product: factor by factor, `inv(A ⊗ B) = inv(A) ⊗ inv(B)`."""
    scale, factors = chain
    if scale == 0:
        raise Singular
    parts = [structured(factor) or by_dense(factor) for factor in factors]
    rows = [axis for group in groups for axis in group if axis < matrix.rows]
    columns = [axis for group in groups for axis in group if axis >= matrix.rows]
    sizes = [factor.shape[0] for factor in factors]
    dims, total = matrix.sizes(columns), prod(sizes)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        x = b.reshape(*sizes, count)
        for place, factor in enumerate(parts):
            x = np.moveaxis(x, place, 0)
            x = np.moveaxis(factor(x.reshape(sizes[place], -1)).reshape(x.shape), 0, place)
        return np.asarray(x.reshape(*dims, count) / scale)

    def logdet() -> Any:
        return total * log_of(scale) + sum(
            total // size * factor.logdet() for size, factor in zip(sizes, parts, strict=True)
        )

    shown = " ⊗ ".join(f"{size}×{size}" for size in sizes)
    return Solver(f"factor by factor: {shown}", arranged(matrix, rows, columns, apply), logdet)


def _direct_sum(matrix: HeldMatrix, parts: Sequence[tuple[int, int, HeldMatrix]]) -> Solver:
    """Parts that share no row and no column: each is solved by itself, for the rows from where it begins."""
    made = [(row, column, part.shape[0], structured(part) or by_dense(part)) for row, column, part in parts]
    n, _ = matrix.shape
    if sum(size for _, _, size, _ in made) < n:
        raise Singular

    def apply(b: Numbers) -> Numbers:
        solved = [(column, one(b[row : row + size])) for row, column, size, one in made]
        return np.concatenate([x for _, x in sorted(solved, key=lambda part: part[0])])

    shown = "; ".join(dict.fromkeys(one.method for *_, one in made))
    return Solver(f"{len(made)} parts beside each other: {shown}", apply, lambda: sum(one.logdet() for *_, one in made))


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
    found = arranged(matrix, [*batch_rows, *kept_rows], [*batch_columns, *kept_columns], apply)
    return Solver(shown, found, lambda: np.linalg.slogdet(core)[1].sum())


# ------------------------------------------------------------------ terms of low rank


def _woodbury(matrix: HeldMatrix) -> Solver | None:
    """What is solved by its structure, and terms of low rank.

    `inv(D + U V') = inv(D) - inv(D) U inv(I + V' inv(D) U) V' inv(D)`; `det(D + U V') = det(D) det(I + V' inv(D) U)`.
    """
    n, _ = matrix.shape
    low = {place: half for place, term in enumerate(matrix.terms) if (half := _halves(matrix, term)) is not None}
    rank = sum(left.shape[1] for left, _ in low.values())
    rest = tuple(term for place, term in enumerate(matrix.terms) if place not in low)
    if not rest or not low or 2 * rank > n:
        return None
    try:
        base = structured(matrix._replace(terms=rest))
    except Singular:
        return None
    if base is None:
        return None
    left = base(np.concatenate([half for half, _ in low.values()], axis=1))
    right = np.concatenate([half for _, half in low.values()], axis=1)
    small = np.eye(rank, dtype=left.dtype) + right.T @ left

    def apply(b: Numbers) -> Numbers:
        x = base(b)
        return np.asarray(x - left @ np.linalg.solve(small, right.T @ x))

    shown = f"{base.method} and rank {rank}: Woodbury, {rank}×{rank}"
    return Solver(shown, apply, lambda: base.logdet() + np.linalg.slogdet(small)[1])


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
        axes = range(matrix.rows) if side is left else range(matrix.rows, len(term.out))
        made.append(_placed(matrix, term, axes, contracted(matrix, part, (*own, *shared))).reshape(-1, rank))
    return made[0], made[1]


def _placed(matrix: HeldMatrix, term: HeldTerm, axes: Sequence[int], core: Numbers) -> Numbers:
    """An array along some axes, put where the ranges of a term say, among zeros."""
    if not term.ranges or all(term.ranges[axis] is None for axis in axes):
        return core
    whole = np.zeros((*matrix.sizes(axes), *core.shape[len(axes) :]), matrix.dtype)
    whole[taken([term.ranges[axis] for axis in axes])] = core
    return whole
