"""The functions of matrices that come of singular values: their rows, numerics and rules.

Each runs along exactly two axes, the rows and columns of a matrix X = U S V^T; all other axes are batches. The axes of
a reduction are sorted, and simplification may present the transposed argument, so which axis has the rows is not told.
It need not be: each is equivariant, f(X^T) = f(X)^T (norm_nuc: invariant), and so is its rule.

The derivative of norm_nuc is `polar`, whose derivative needs only `polar` and the pseudo-inverse, whose derivative
needs only itself: so there are derivatives of every order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from indexcalc.functions import texts
from indexcalc.functions.entry import Entry
from indexcalc.functions.table import ReductionFunction, Slice
from indexcalc.graph.constructors import addition, delta, einsum, reduction, regroup
from indexcalc.graph.node import Node

Axes = tuple[int, ...]


# ------------------------------------------------------------------ numerics


def _svd(x: Any, axes: Axes) -> tuple[Any, Any, Any]:
    """U, s, V^T of each slice, its axes last; s is nan for a slice with entries that are not finite."""
    moved = np.moveaxis(x, axes, (-2, -1))
    bad = ~np.isfinite(moved).all(axis=(-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(bad, np.zeros_like(moved), moved), full_matrices=False)
    return u, np.where(bad[..., 0], np.full_like(s, np.nan), s), vt


def _compose(x: Any, axes: Axes, weigh: Any) -> Any:
    """U weigh(s) V^T, the weight being 0 for what rounding cannot tell from a singular value of 0."""
    u, s, vt = _svd(x, axes)
    size = max(10, *(x.shape[axis] for axis in axes))
    cut = np.finfo(s.dtype).eps * size * s.max(axis=-1, keepdims=True, initial=0)
    small = s <= cut
    weights = np.where(small, np.zeros_like(s), weigh(np.where(small, np.ones_like(s), s)))
    return np.moveaxis((u * weights[..., None, :]) @ vt, (-2, -1), axes)


def _norm_nuc(x: Any, axes: Axes) -> Any:
    """The sum of the singular values."""
    return _svd(x, axes)[1].sum(axis=-1)


def _polar(x: Any, axes: Axes) -> Any:
    """U V^T, without the singular values that are 0."""
    return _compose(x, axes, lambda s: s / s)


def _pinv_t(x: Any, axes: Axes) -> Any:
    """U S^+ V^T."""
    return _compose(x, axes, lambda s: 1 / s)


# ------------------------------------------------------------------ rules


def _inverse(matrices: Node) -> Node:
    """The pseudo-inverse of symmetric matrices along the last two axes."""
    return reduction("pinv_t", matrices, (matrices.order - 2, matrices.order - 1), True)


def _inverse_operator(h: Node) -> Node:
    """The pseudo-inverse of Ω -> ΩH + HΩ for symmetric H along the last two axes, as [..., r,j, p,l]."""
    *batch, n, _ = h.dims
    first = len(batch)
    lead, (r, j, p, q) = tuple(range(first)), range(first, first + 4)
    out = (*lead, r, j, p, q)
    terms = [einsum(1, [(delta(n), a), (h, (*lead, *b))], out) for a, b in [((r, p), (q, j)), ((j, q), (r, p))]]
    dims = (*batch, n, n, n, n)
    split = tuple((label,) for label in out)
    joined = (*split[:first], (r, j), (p, q))
    matrix = regroup(addition([(1, term, out) for term in terms], dims), split, joined, dims)
    return regroup(_inverse(matrix), joined, split, dims)


def _polar_rule(s: Slice) -> Entry:
    """From X = PH with H = P^T X, for X of full rank.

    dP = P Ω + (I - P P^T) dX H^+, where ΩH + HΩ = P^T dX - dX^T P, solved with a pseudo-inverse. For more rows than
    columns H is regular; for more columns P P^T = I, and what Ω has between the row space and its complement is the
    change of the row space.
    """
    (i, j), (k, l), lead = s.own, s.along, s.batch  # noqa: E741
    x, y = s.x.node, s.y.node
    h = einsum(1, [(y, s.at("p", "q")), (x, s.at("p", "r"))], (*lead, "q", "r"))
    operator, inverse = _inverse_operator(h), (_inverse(h), (*lead, l, j))
    here, there = (y, s.at(i, "r")), (y, s.at(k, "p"))
    turned = s.product(here, (operator, (*lead, "r", j, "p", l)), there) - s.product(
        here, (operator, (*lead, "r", j, l, "p")), there
    )
    rows = (delta(x.dims[i]), (i, k))
    return turned + s.product(rows, inverse) - s.product(here, (y, s.at(k, "r")), inverse)


def _pinv_t_rule(s: Slice) -> Entry:
    """For Y = (X^+)^T and X of constant rank: dY = -Y dX^T Y + (I - X Y^T) dX Y^T Y + Y Y^T dX (I - X^T Y)."""
    (i, j), (k, l) = s.own, s.along  # noqa: E741
    x, y = s.x.node, s.y.node
    rows, columns = (delta(x.dims[i]), (i, k)), (delta(x.dims[j]), (j, l))
    left, right = [(y, s.at(i, "p")), (y, s.at(k, "p"))], [(y, s.at("q", l)), (y, s.at("q", j))]
    project_rows, project_columns = [(x, s.at(i, "r")), (y, s.at(k, "r"))], [(x, s.at("r", l)), (y, s.at("r", j))]
    return (
        s.product(rows, *right) - s.product(*project_rows, *right)
        + s.product(*left, columns) - s.product(*left, *project_columns)
        - s.product((y, s.at(i, l)), (y, s.at(k, j)))
    )  # fmt: skip


SPECTRAL = (
    ReductionFunction(
        "norm_nuc", "the sum of the singular values", _norm_nuc, lambda s: s.reduce("polar", s.x), False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{*}}}}",
        "G. Watson, Characterization of the subdifferential of some matrix norms, Linear Algebra and its Applications "
        "170, 1992",
        domain="real matrices",
        kink="a matrix that has not full rank: its derivative there is the subgradient of least norm",
        holomorphic=False, axes=2,
        code=texts.NORM_NUC,
    ),
    ReductionFunction(
        "polar", "the polar factor U V^T of X = U S V^T", _polar, _polar_rule, True,
        r"\operatorname{{polar}}_{{{axes}}}\left({}\right)", "N. Higham, Functions of Matrices, chapter 8",
        domain="real matrices; where the rank is not full, U V^T without the singular values that are 0",
        kink="a matrix that has not full rank", holomorphic=False, axes=2,
        code=texts.POLAR,
    ),
    ReductionFunction(
        "pinv_t", "the transpose of the pseudo-inverse, U S^+ V^T", _pinv_t, _pinv_t_rule, True,
        r"{{{}}}^{{+}}",
        "G. Golub, V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose "
        "variables separate, SIAM Journal on Numerical Analysis 10, 1973",
        domain="real matrices; singular values within rounding of 0, beside the largest, count as 0",
        kink="where the rank changes", holomorphic=False, axes=2, public=False, matrix="pinv", turned=True,
        code=texts.PINV_T,
    ),
)  # fmt: skip
