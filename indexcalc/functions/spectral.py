"""The functions of matrices that come of singular values: their rows, numerics and rules.

Each runs along exactly two axes, the rows and columns of a matrix X = U S V^T; all other axes are batches. The axes of
a reduction are sorted, and simplification may present the transposed argument, so which axis has the rows is not told.
It need not be: each is equivariant, f(X^T) = f(X)^T (norm_nuc: invariant), and so is its rule.

The derivative of norm_nuc is `polar`, whose derivative needs only `polar` and the pseudo-inverse, whose derivative
needs only itself: so there are derivatives of every order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from indexcalc.functions.code import numpy, shared
from indexcalc.functions.entry import Entry
from indexcalc.functions.rational import PSEUDO_INVERSE_T
from indexcalc.functions.table import ReductionFunction, Slice
from indexcalc.graph.constructors import addition, delta, einsum, reduction, regroup
from indexcalc.graph.node import Node

Axes = tuple[int, ...]


# ------------------------------------------------------------------ numerics


def along(function: Callable[[Any], Any]) -> Callable[[Any, Axes], Any]:
    """The function of the matrices along the last two axes as one along any two; nan where an entry is not finite."""

    def called(x: Any, axes: Axes) -> Any:
        value = finite(function, np.moveaxis(x, axes, (-2, -1)))
        return np.moveaxis(value, (-2, -1), axes) if value.ndim == x.ndim else value

    return called


def finite(function: Callable[[Any], Any], x: Any) -> Any:
    """The value, nan for matrices with entries that are not finite, of which LAPACK may make an error."""
    bad = ~np.isfinite(x).all(axis=(-2, -1))
    if not bad.any():
        return function(x)
    value = function(np.where(bad[..., None, None], np.eye(*x.shape[-2:], dtype=x.dtype), x))
    return np.where(bad[(..., *(None for _ in range(value.ndim - bad.ndim)))], np.nan, value)


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
    """dP = P Ω + (I - P P^T) dX H^+ with ΩH + HΩ = P^T dX - dX^T P, from X = PH with H = P^T X.

    X has full rank. Ω is solved for with a pseudo-inverse. For more rows than columns H is regular; for more columns
    P P^T = I, and what Ω has between the row space and its complement is the change of the row space.
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
        "norm_nuc", "the sum of the singular values", along(numpy.norm_nuc), lambda s: s.reduce("polar", s.x), False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{*}}}}",
        "G. Watson, Characterization of the subdifferential of some matrix norms, Linear Algebra and its Applications "
        "170, 1992",
        domain="real matrices",
        kink="a matrix that has not full rank: its derivative there is the subgradient of least norm",
        holomorphic=False, axes=2,
        unmet="both signs of the determinant are drawn", iterated=True,
        oracle="jnp.sum(jnp.linalg.svd(x, compute_uv=False), -1)",
    ),
    ReductionFunction(
        "polar", "the polar factor U V^T of X = U S V^T", along(numpy.polar), _polar_rule, True,
        r"\operatorname{{polar}}_{{{axes}}}\left({}\right)", "N. Higham, Functions of Matrices, chapter 8",
        domain="real matrices; where the rank is not full, U V^T without the singular values that are 0",
        kink="a matrix that has not full rank", holomorphic=False, axes=2,
        unmet="both signs of the determinant are drawn", iterated=True,
        workspace=3.0, oracle="jnp.matmul(*jnp.linalg.svd(x, full_matrices=False)[::2])",
    ),
    ReductionFunction(
        "pinv_t", "the transpose of the pseudo-inverse, U S^+ V^T", along(shared.pinv_t), _pinv_t_rule, True,
        r"{{{}}}^{{+}}",
        "G. Golub, V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose "
        "variables separate, SIAM Journal on Numerical Analysis 10, 1973",
        domain="real matrices; singular values within rounding of 0, beside the largest, count as 0",
        kink="where the rank changes", holomorphic=False, axes=2, public=False, matrix="pinv", turned=True,
        unmet="ranks below the full one are met at other sizes", rational=PSEUDO_INVERSE_T, iterated=True,
        workspace=3.0, oracle="jnp.linalg.pinv(x).mT",
    ),
)  # fmt: skip
