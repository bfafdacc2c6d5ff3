"""The functions along axes: their rows of the table, and the Jacobian that a row's rule means.

Sum and mean are products, and the Frobenius norm is `norm2` over two axes: they have no rows. What comes of singular
values is in `spectral.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from indexcalc.functions.code import shared
from indexcalc.functions.code.numpy import exponentials, logsumexp, norm2, softmax
from indexcalc.functions.entries.ordered import ORDERED
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.rational import CUMULATIVE_PRODUCTS, CUMULATIVE_SUMS, PRODUCT, PRODUCTS_OF_OTHERS
from indexcalc.functions.spectral import SPECTRAL
from indexcalc.functions.table import (
    AT_ZERO,
    LARGEST,
    NONZERO,
    REDUCTIONS,
    SMALLEST,
    ReductionFunction,
    Slice,
    reduction_row,
    spread,
)
from indexcalc.graph.constructors import constant, constant_number, delta, reduction
from indexcalc.graph.node import Node, Reduction

Axes = tuple[int, ...]
CUMULATIVE, TRIANGLE = "cumsum", "triangle"
"""The functions along axes that products with triangles of ones are made by."""


def jacobian(node: Reduction) -> Node:
    """The derivative of a reduction by its child.

    Where the axes go it has the child's axes, `dy[kept]/dx[all]`. Where they stay it has the child's axes, then a
    second copy of the reduced ones in their order: `dy[kept, a]/dx[kept, b]`.
    """
    row, child, axes = reduction_row(node.fn), node.child, node.axes
    places = tuple(range(child.order))
    if not row.keeps:
        x = Entry(child, places, child.dims)
        y = Entry(node, [place for place in places if place not in axes], child.dims)
        one = Entry(constant_number(1), (), child.dims)
        return spread(row.rule(Slice(x, y, x, y, one, axes, node.params)))
    reduced = tuple(child.dims[axis] for axis in axes)
    dims = child.dims + reduced
    along = tuple(range(child.order, len(dims)))
    other = [along[axes.index(place)] if place in axes else place for place in places]
    x, y = Entry(child, places, dims), Entry(node, places, dims)
    u, v = Entry(child, other, dims), Entry(node, other, dims)
    same = Entry(delta(*reduced), axes + along, dims)
    return spread(row.rule(Slice(x, y, u, v, same, along, node.params)))


# ------------------------------------------------------------------ numerics


# ------------------------------------------------------------------ rules


def _extreme_rule(s: Slice) -> Entry:
    hit = apply("equal", s.x, s.y)
    return hit / s.total(hit)


def _normp_rule(s: Slice) -> Entry:
    (p,) = s.params
    return apply("sign", s.x) * apply("abs", s.x) ** (p - 1) * s.y ** (1 - p)


def _up_to(s: Slice) -> Entry:
    """1 where u is x or stands before it, along one axis."""
    places = (*s.own, *s.along)
    return Entry(constant("tril", [s.x.dims[place] for place in places]), places, s.x.dims)


def _lower(s: Slice) -> Entry:
    """dY_ij = dX_ij in the triangle, 0 beside it."""
    return s.d * Entry(constant("tril", [s.x.dims[place] for place in s.own], s.params), s.own, s.x.dims)


def lower(x: Any, axes: Axes, k: int, out: Any = None) -> Any:
    """The lower triangle of matrices along two axes, for any batches; `out` may be x.

    Where rows have zeros, and columns, a rectangle is gone through.

    >>> lower(np.ones((2, 2)), (0, 1), -1)
    array([[0., 0.],
           [1., 0.]])
    """
    made = np.array(x) if out is None else out
    if made is not x and out is not None:
        made[...] = x
    matrices = np.moveaxis(made, axes, (-2, -1))
    corner = matrices[..., : max(0, matrices.shape[-1] - 1 - k), max(0, k + 1) :]
    rows, columns = corner.shape[-2:]
    np.copyto(corner, 0, where=~np.tri(rows, columns, k - max(0, k + 1), dtype=bool))
    return made


def _cumprod_rule(s: Slice) -> Entry:
    """The product of the entries up to x without u: u is 1 in it, so that it is right where entries are 0."""
    others = s.x + s.d * (1 - s.x)
    axes = [axis for axis, label in enumerate(others.labels) if label in s.own]
    return _up_to(s) * Entry(reduction("cumprod", others.node, axes, True), others.labels, others.dims)


TIES = "entries that tie share the derivative equally"

ROWS = (
    ReductionFunction(
        "max", "the largest x_a", lambda x, axes: x.max(axis=axes), _extreme_rule, False,
        r"\max_{{{axes}}} \left({}\right)", "definition", kink=TIES, holomorphic=False,
        code="{np}.amax({x}, {axes})",
        branching=LARGEST, unrounded=True, positive=True, between=True, total=True, oracle="jnp.max(x, axes)",
    ),
    ReductionFunction(
        "min", "the smallest x_a", lambda x, axes: x.min(axis=axes), _extreme_rule, False,
        r"\min_{{{axes}}} \left({}\right)", "definition", kink=TIES, holomorphic=False,
        code="{np}.amin({x}, {axes})",
        branching=SMALLEST, unrounded=True, positive=True, between=True, total=True, oracle="jnp.min(x, axes)",
    ),
    ReductionFunction(
        "prod", "the product of all x_a", lambda x, axes: x.prod(axis=axes),
        lambda s: s.reduce("prod_except", s.x), False,
        r"\prod_{{{axes}}} \left({}\right)", "definition, by the product rule",
        code={"numpy": "np.prod({x}, {axes})", "jax": "jnp.prod({x}, {axes})"},
        rational=PRODUCT, positive=True, total=True, oracle="jnp.prod(x, axes)",
    ),
    ReductionFunction(
        "prod_except", "y_a = the product of all x_b with b != a", shared.prod_except,
        lambda s: (1 - s.d) * s.reduce("prod_except", s.u + s.d * (1 - s.u)), True,
        r"\operatorname{{prod\_except}}_{{{axes}}}\left({}\right)", "definition, by the product rule",
        rational=PRODUCTS_OF_OTHERS, positive=True, total=True, workspace=2.0,
        oracle="jnp.prod(x, axes, keepdims=True) / x",
    ),
    ReductionFunction(
        CUMULATIVE, "y_a = the sum of all x_b with b <= a", shared.cumsum, _up_to, True,
        r"\operatorname{{cumsum}}_{{{axes}}}\left({}\right)", "definition", axes=1, public=False,
        rational=CUMULATIVE_SUMS, positive=True, total=True, oracle="jnp.cumsum(x, axes[0])",
    ),
    ReductionFunction(
        TRIANGLE, "the entries with column - row <= k, else 0", lower, _lower, True,
        r"\operatorname{{tril}}\left({}, {k}\right)", "definition", axes=2, public=False, params=("k",),
        admits=lambda k: isinstance(k, int), total=True, workspace=0.25, out=True, code="{np}.tril({x}, {k})",
        oracle="jnp.tril(x, int(k))",
    ),
    ReductionFunction(
        "cumprod", "y_a = the product of all x_b with b <= a", shared.cumprod, _cumprod_rule, True,
        r"\operatorname{{cumprod}}_{{{axes}}}\left({}\right)", "definition, by the product rule", axes=1, public=False,
        rational=CUMULATIVE_PRODUCTS, positive=True, total=True, oracle="jnp.cumprod(x, axes[0])",
    ),
    ReductionFunction(
        "logsumexp", "log(sum of exp(x_a))", logsumexp, lambda s: s.reduce("softmax", s.u), False,
        r"\operatorname{{logsumexp}}_{{{axes}}}\left({}\right)",
        "S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5",
        domain="all real numbers and -inf; no derivative on a slice that is all -inf",
        code={"jax": "jax.scipy.special.logsumexp({x}, {axes})", "torch": "torch.logsumexp({x}, {axes})"},
        real={"jax": "jax.scipy.special.logsumexp({x}, {axis})", "torch": "torch.logsumexp({x}, {axis})"},
        together=exponentials, total=True, workspace=2.0, oracle="jax.scipy.special.logsumexp(x, axes)",
    ),
    ReductionFunction(
        "softmax", "y_a = exp(x_a)/(sum of exp(x_b))", softmax, lambda s: s.y * (s.d - s.v), True,
        r"\operatorname{{softmax}}_{{{axes}}}\left({}\right)",
        "C. Bishop, Pattern Recognition and Machine Learning, equation (4.106)",
        range=(0.0, 1.0),
        real={"jax": "jax.nn.softmax({x}, {axis})", "torch": "torch.softmax({x}, {axis})"},
        zero=False, positive=True, out=True, together=exponentials, total=True, letter="P",
        oracle="jax.nn.softmax(x, axes)",
    ),
    ReductionFunction(
        "log_softmax", "y_a = x_a - log(sum of exp(x_b))", shared.log_softmax, lambda s: s.d - apply("exp", s.v), True,
        r"\operatorname{{log\_softmax}}_{{{axes}}}\left({}\right)",
        "the rule of logsumexp: S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5",
        range=(-math.inf, 0.0),
        real={"jax": "jax.nn.log_softmax({x}, {axis})", "torch": "torch.log_softmax({x}, {axis})"},
        total=True, workspace=1.0, oracle="jax.nn.log_softmax(x, axes)",
    ),
    ReductionFunction(
        "norm1", "sum of |x_a|", lambda x, axes: np.abs(x).sum(axis=axes), lambda s: apply("sign", s.x), False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{1}}}}", "definition",
        inputs=NONZERO, kink="0 at an entry that is 0", holomorphic=False,
        range=(0.0, math.inf),
        code={"numpy": "np.sum(np.abs({x}), {axes})", "torch": "torch.sum(torch.abs({x}), {axes})"},
        branching=AT_ZERO, roots=True, positive=True, total=True, workspace=1.0, oracle="jnp.sum(jnp.abs(x), axes)",
    ),
    ReductionFunction(
        "norm2", "(sum of x_a**2)**(1/2)", norm2, lambda s: s.x / s.y, False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{2}}}}",
        "K. Petersen, M. Pedersen, The Matrix Cookbook, section 2.6",
        kink="nan on a slice that is all 0", holomorphic=False,
        range=(0.0, math.inf),
        unmet="its kink is a point, where all entries are 0", roots=True, positive=True, total=True, norm=True,
        workspace=0.0, oracle="jnp.sqrt(jnp.sum(x**2, axes))",
    ),
    ReductionFunction(
        "normp", "(sum of |x_a|**p)**(1/p)", shared.normp, _normp_rule, False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{{p}}}}}", "definition, by the chain rule",
        domain="all real numbers, p >= 1", inputs=NONZERO, params=("p",),
        admits=lambda p: not isinstance(p, complex) and p >= 1,
        kink="for p > 1 nan on a slice that is all 0; for p = 1 it is 0 at an entry that is 0", holomorphic=False,
        range=(0.0, math.inf),
        branching=AT_ZERO, positive=True, total=True, norm=True, workspace=3.0,
        oracle="jnp.sum(jnp.abs(x) ** p, axes) ** (1 / p)",
    ),
)  # fmt: skip

REDUCTIONS.update({row.name: row for row in (*ROWS, *ORDERED, *SPECTRAL)})
