"""Solving with a compressed matrix: the cheapest way that the structure of its terms allows.

In this order: deltas that all terms have (one smaller matrix, more right-hand sides), one Kronecker product (factor by
factor), labels that all terms have on both sides (block diagonal), Kronecker terms of at most two symmetric matrices a
factor, one of them definite (generalised eigenproblems), a diagonal and terms of low rank (Woodbury), a dense matrix,
and conjugate gradients where the matrix is said to be positive definite and is too large to be dense.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.errors import InputError
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels

if TYPE_CHECKING:
    from indexcalc.engine.compressed.compressed import Operator

FEW = 200
"""Up to so many unknowns a dense matrix is as fast as two eigenproblems."""
STEPS = 10
"""Conjugate gradients take at most so many steps for each unknown."""

Apply = Callable[[Numbers], Numbers]


class Solver(NamedTuple):
    """`solver(B)` has the solutions for the columns of B, which are flat; `method` says how they are found."""

    method: str
    apply: Apply

    def __call__(self, b: Numbers) -> Numbers:
        """The solutions for right-hand sides (rows, k)."""
        return self.apply(b)


class Matrix(NamedTuple):
    """A sum of terms as a matrix: the first `rows` axes of each term are those of its rows."""

    terms: tuple[HeldTerm, ...]
    arrays: tuple[Numbers, ...]
    rows: int
    dtype: np.dtype[Any]
    limit: int

    def sizes(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The sizes of axes."""
        return tuple(self.terms[0].sizes[self.terms[0].out[axis]] for axis in axes)

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes of the rows and those of the columns."""
        return tuple(range(self.rows)), tuple(range(self.rows, len(self.terms[0].out)))

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        rows, columns = self.axes
        return prod(self.sizes(rows)), prod(self.sizes(columns))


class Singular(Exception):
    """The matrix has no inverse."""


def solver(matrix: Operator, positive_definite: bool) -> Solver:
    """What solves for a compressed matrix or a grid of blocks."""
    from indexcalc.engine.compressed.compressed import Compressed

    rows, columns = matrix.matrix_shape
    asked = "solve"
    if rows != columns:
        raise InputError(asked, f"the matrix is {rows} × {columns}", "give a square one; SciPy's lsqr takes others")
    try:
        with np.errstate(all="ignore"):
            if isinstance(matrix, Compressed):
                made = _compressed(matrix, positive_definite)
            else:
                made = _whole(matrix, positive_definite)
            _probe(matrix, made)
    except (Singular, np.linalg.LinAlgError):
        raise InputError(
            asked, "the matrix is singular", "add a multiple of the identity, or solve for fewer unknowns"
        ) from None
    return made


def _compressed(matrix: Any, positive_definite: bool) -> Solver:
    if not matrix.terms:
        raise Singular
    held = matrix.held
    form = Matrix(matrix.terms, held.arrays, len(matrix.rows), held.dtype, held.limit)
    found = structured(form)
    return found if found is not None else _whole(matrix, positive_definite)


def _whole(matrix: Operator, positive_definite: bool) -> Solver:
    """A dense matrix, or conjugate gradients."""
    rows, _ = matrix.matrix_shape
    limit = matrix.limit
    needed = 2 * rows * rows * matrix.dtype.itemsize
    if needed <= limit:
        dense = matrix.todense().reshape(rows, rows)
        return Solver(f"dense, {dense.nbytes:,} bytes", lambda b: np.asarray(np.linalg.solve(dense, b)))
    if not positive_definite:
        raise InputError(
            "solve",
            f"no structure of the terms helps, and a dense factorisation takes {needed:,} bytes of {limit:,}",
            "write positive_definite=True where it is, for conjugate gradients; or use as_linear_operator() with SciPy",
        )
    return Solver("conjugate gradients", lambda b: np.stack([_conjugate_gradients(matrix, v) for v in b.T], axis=1))


def _probe(matrix: Operator, made: Solver) -> None:
    """A vector at random shows whether the matrix is singular to working precision."""
    if made.method == "conjugate gradients" or not matrix.matrix_shape[0]:
        return
    v = np.random.default_rng(0).standard_normal(matrix.matrix_shape[1]).astype(np.zeros(0, matrix.dtype).real.dtype)
    size = float(np.linalg.norm(v))
    forth = np.ravel(matrix.matvec(v))
    back = made(v.reshape(-1, 1))
    spread = float(np.linalg.norm(forth)) / size * float(np.linalg.norm(back)) / size
    if not spread < 0.01 / float(np.finfo(matrix.dtype).eps):
        raise Singular


def _conjugate_gradients(matrix: Operator, b: Numbers) -> Numbers:
    """The solution by conjugate gradients (Hestenes and Stiefel, 1952); no convergence is an error."""
    x, residual = np.zeros_like(b), b.copy()
    direction, size = residual.copy(), float(np.vdot(residual, residual).real)
    enough = (10 * float(np.finfo(matrix.dtype).eps)) ** 2 * size
    for _ in range(STEPS * len(b)):
        if size <= enough:
            return x
        image = np.ravel(matrix.matvec(direction))
        bent = float(np.vdot(direction, image).real)
        if bent <= 0:
            raise InputError("solve", "the matrix is not positive definite", "leave positive_definite=True out")
        x += size / bent * direction
        residual -= size / bent * image
        before, size = size, float(np.vdot(residual, residual).real)
        direction = residual + size / before * direction
    raise InputError(
        "solve",
        f"conjugate gradients did not converge in {STEPS * len(b)} steps",
        "use as_linear_operator() with SciPy's solvers and a preconditioner",
    )


# ------------------------------------------------------------------ by structure


def structured(matrix: Matrix) -> Solver | None:
    """What solves by the structure of the terms, or None."""
    if matrix.shape[0] != matrix.shape[1]:
        raise Singular
    pairs = _pairs(matrix)
    pure = [(row, column) for row, column in pairs if not _carried(matrix, row)]
    if pure:
        return _beside_deltas(matrix, pure)
    groups = _groups(matrix)
    if len(matrix.terms) == 1 and len(groups) > 1:
        return _kronecker(matrix, groups)
    if pairs:
        return _block_diagonal(matrix, pairs)
    if len(groups) > 1 and matrix.shape[0] > FEW:
        found = _eigenproblems(matrix, groups)
        if found is not None:
            return found
    return _woodbury(matrix)


def _pairs(matrix: Matrix) -> list[tuple[int, int]]:
    """The rows' axes that are a column's axis in all terms."""
    rows, columns = matrix.axes
    pairs: list[tuple[int, int]] = []
    for row in rows:
        for column in columns:
            if column not in {c for _, c in pairs} and all(t.out[row] == t.out[column] for t in matrix.terms):
                pairs.append((row, column))
                break
    return pairs


def _carried(matrix: Matrix, axis: int) -> bool:
    """Does a factor have the label of this axis, or another axis, in some term?"""
    return any(
        term.out[axis] in {x for _, labels in term.factors for x in labels} or term.out.count(term.out[axis]) > 2
        for term in matrix.terms
    )


def _restricted(matrix: Matrix, axes: Sequence[int]) -> Matrix:
    """The matrix with these axes alone; what else the terms have has to be a delta."""
    kept = set(axes)
    terms = []
    for term in matrix.terms:
        out = tuple(term.out[axis] for axis in axes)
        used = set(out) | {x for _, labels in term.factors for x in labels}
        terms.append(term._replace(out=out, sizes={x: s for x, s in term.sizes.items() if x in used}))
    return matrix._replace(terms=tuple(terms), rows=sum(axis < matrix.rows for axis in kept))


def _arranged(
    matrix: Matrix, rows: Sequence[int], columns: Sequence[int], apply: Callable[[Numbers], Numbers]
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


def _beside_deltas(matrix: Matrix, pure: Sequence[tuple[int, int]]) -> Solver:
    """Deltas that all terms have: one smaller matrix, solved for more right-hand sides."""
    rows, columns = matrix.axes
    gone_rows, gone_columns = [row for row, _ in pure], [column for _, column in pure]
    kept_rows = [row for row in rows if row not in gone_rows]
    kept_columns = [column for column in columns if column not in gone_columns]
    inner = _restricted(matrix, [*kept_rows, *kept_columns])
    made = structured(inner) or _dense(inner)
    dims, batch = matrix.sizes(kept_columns), matrix.sizes(gone_rows)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        return made(b.reshape(inner.shape[0], -1)).reshape(*dims, *batch, count)

    times = prod(batch)
    method = f"{times} right-hand sides for δ ⊗ a {inner.shape[0]}×{inner.shape[1]} matrix: {made.method}"
    return Solver(method, _arranged(matrix, [*kept_rows, *gone_rows], [*kept_columns, *gone_columns], apply))


def _kronecker(matrix: Matrix, groups: Sequence[tuple[int, ...]]) -> Solver:
    """One Kronecker product: factor by factor."""
    (term,) = matrix.terms
    scale = _scale(matrix, term)
    parts: list[tuple[tuple[int, ...], tuple[int, ...], Solver]] = []
    for group in groups:
        own = {term.out[axis] for axis in group}
        factors = tuple(term.factors[k] for k in _near(term, own) if term.factors[k][1])
        labels = own.union(*(found for _, found in factors))
        part = HeldTerm(1, factors, tuple(term.out[a] for a in group), {x: term.sizes[x] for x in labels})
        rows = [axis for axis in group if axis < matrix.rows]
        one = matrix._replace(terms=(part,), rows=len(rows))
        parts.append((tuple(rows), tuple(a for a in group if a >= matrix.rows), structured(one) or _dense(one)))
    order_rows = [axis for rows, _, _ in parts for axis in rows]
    order_columns = [axis for _, columns, _ in parts for axis in columns]
    sizes = [prod(matrix.sizes(rows)) for rows, _, _ in parts]
    dims = matrix.sizes(order_columns)

    def apply(b: Numbers) -> Numbers:
        count = b.shape[-1]
        x = b.reshape(*sizes, count)
        for place, (_, _, part) in enumerate(parts):
            x = np.moveaxis(x, place, 0)
            x = np.moveaxis(part(x.reshape(sizes[place], -1)).reshape(x.shape), 0, place)
        return np.asarray(x.reshape(*dims, count) / scale)

    shown = " ⊗ ".join(f"{size}×{size}" for size in sizes)
    return Solver(f"factor by factor: {shown}", _arranged(matrix, order_rows, order_columns, apply))


def _block_diagonal(matrix: Matrix, pairs: Sequence[tuple[int, int]]) -> Solver | None:
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


def _dense(matrix: Matrix) -> Solver:
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


def _eigenproblems(matrix: Matrix, groups: Sequence[tuple[int, ...]]) -> Solver | None:
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
        parts = [_part(matrix, term, [*rows, *columns]).reshape(n, n) for term in matrix.terms]
        found = _diagonalised(parts)
        if found is None:
            return None
        vectors.append(found[0])
        values = found[1] if values is None else values[:, :, None] * found[1][:, None, :]
        values = values.reshape(len(parts), -1)
        sides.append((rows, columns))
    scales = np.array([_scale(matrix, term) for term in matrix.terms])
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


def _woodbury(matrix: Matrix) -> Solver | None:
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


def _halves(matrix: Matrix, term: HeldTerm) -> tuple[Numbers, Numbers] | None:
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
        made.append(_contracted(matrix, part, (*own, *shared)).reshape(-1, rank))
    return made[0], made[1]


# ------------------------------------------------------------------ parts of terms


def _groups(matrix: Matrix) -> list[tuple[int, ...]]:
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


def _near(term: HeldTerm, labels: set[int]) -> list[int]:
    """The factors that these labels reach, in order."""
    reached, found = set(labels), set[int]()
    while True:
        more = {k for k, (_, own) in enumerate(term.factors) if reached & set(own)} - found
        if not more:
            return sorted(found)
        found |= more
        reached |= {x for k in more for x in term.factors[k][1]}


def _part(matrix: Matrix, term: HeldTerm, axes: Sequence[int]) -> Numbers:
    """What a term has along these axes, without its coefficient."""
    out = tuple(term.out[axis] for axis in axes)
    factors = tuple(term.factors[k] for k in _near(term, set(out)))
    return _contracted(matrix, term._replace(coef=1, factors=factors), out)


def _scale(matrix: Matrix, term: HeldTerm) -> Any:
    scale: Any = complex(term.coef) if isinstance(term.coef, complex) else float(term.coef)
    for number, labels in term.factors:
        if not labels:
            scale = scale * matrix.arrays[number][()]
    return scale


def dense(matrix: Matrix, axes: Sequence[int]) -> Numbers:
    """The sum of the terms as an array with these axes; what else they have is one of these."""
    total: Numbers | None = None
    for term in matrix.terms:
        made = _contracted(matrix, term, tuple(term.out[axis] for axis in axes))
        total = made if total is None else total + made
    assert total is not None
    return total


def _contracted(matrix: Matrix, term: HeldTerm, out: Labels) -> Numbers:
    """The product of the factors of a term with these labels: a repeated one is a delta."""
    distinct = tuple(dict.fromkeys(out))
    made: Any = np.asarray(_scale(matrix, term), matrix.dtype)
    factors = [(number, labels) for number, labels in term.factors if labels]
    if factors:
        operands: list[Any] = []
        number = {x: k for k, x in enumerate({x for _, labels in factors for x in labels})}
        for place, labels in factors:
            operands += [matrix.arrays[place], [number[x] for x in labels]]
        has = [x for x in distinct if x in number]
        core = np.einsum(*operands, [number[x] for x in has], optimize=True)
        made = made * core[tuple(slice(None) if x in number else None for x in distinct)]
    core = np.broadcast_to(made, [term.sizes[x] for x in distinct])
    if distinct == out:
        return np.array(core, matrix.dtype)
    result = np.zeros([term.sizes[x] for x in out], matrix.dtype)
    letter = {x: k for k, x in enumerate(distinct)}
    np.einsum(result, [letter[x] for x in out], list(range(len(distinct))))[...] = core
    return result
