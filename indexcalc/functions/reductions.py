"""The functions along axes: their rows of the table, and the Jacobian that a row's rule means.

Sum and mean are products, and the Frobenius norm is `norm2` over two axes: they have no rows. What comes of singular
values is in `spectral.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from indexcalc.functions import texts
from indexcalc.functions.entry import Entry, apply
from indexcalc.functions.spectral import SPECTRAL
from indexcalc.functions.table import NONZERO, REDUCTIONS, ReductionFunction, Slice, reduction_row, spread
from indexcalc.graph.constructors import constant_number, delta
from indexcalc.graph.node import Node, Reduction

Axes = tuple[int, ...]


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


def _prod_except(x: Any, axes: Axes) -> Any:
    """At each entry the product of the others of its slice, right where there are zeros: nothing is divided."""
    last = range(-len(axes), 0)
    moved = np.moveaxis(x, axes, last)
    kept = moved.shape[: moved.ndim - len(axes)]
    flat = moved.reshape(*kept, math.prod(moved.shape[len(kept) :]))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    return np.moveaxis((before * after).reshape(moved.shape), last, axes)


def _top(x: Any, axes: Axes) -> Any:
    """The largest real part of each slice, or 0 where that is infinite: what exponents are measured from."""
    top = x.real.max(axis=axes, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, np.zeros_like(top))


def _logsumexp(x: Any, axes: Axes) -> Any:
    """The logarithm of the sum of exponentials; -inf for a slice that is all -inf."""
    top = _top(x, axes)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(x - top).sum(axis=axes)) + top.squeeze(axes)


def _softmax(x: Any, axes: Axes, out: Any = None) -> Any:
    """The exponentials over their sum; `out` may be x itself."""
    weights = np.subtract(x, _largest(x, axes), out=out)
    np.exp(weights, out=weights)
    weights /= np.add.reduce(weights, axis=axes, keepdims=True)
    return weights


def _largest(x: Any, axes: Axes) -> Any:
    return np.maximum.reduce(x.real, axis=axes, keepdims=True, initial=-np.inf)


def exponentials(x: Any, axes: Axes, wanted: Sequence[str], out: Any = None) -> list[Any]:
    """Both of "softmax" and "logsumexp" along axes, in the order that is wanted, by one exponential; `out` may be x.

    >>> exponentials(np.zeros(4), (0,), ("softmax", "logsumexp"))
    [array([0.25, 0.25, 0.25, 0.25]), np.float64(1.3862943611198906)]
    """
    top = _largest(x, axes)
    weights = np.subtract(x, top, out=out)
    np.exp(weights, out=weights)
    total = np.add.reduce(weights, axis=axes, keepdims=True)
    weights /= total
    logarithm = np.where(np.isfinite(top), np.log(total) + top, top).squeeze(axes)
    made = {"softmax": weights, "logsumexp": logarithm[()]}
    return [made[name] for name in wanted]


def _log_softmax(x: Any, axes: Axes) -> Any:
    """The logarithm of softmax, finite where softmax underflows."""
    shifted = x - _top(x, axes)
    return shifted - np.log(np.exp(shifted).sum(axis=axes, keepdims=True))


def _norm(x: Any, axes: Axes, p: Any) -> Any:
    """The p-norm, measured from the largest entry, so that no power overflows."""
    size = np.abs(x)
    top = size.max(axis=axes, keepdims=True, initial=0)
    top = np.where((top > 0) & np.isfinite(top), top, np.ones_like(top))
    return top.squeeze(axes) * ((size / top) ** float(p)).sum(axis=axes) ** (1 / float(p))


# ------------------------------------------------------------------ rules


def _extreme_rule(s: Slice) -> Entry:
    hit = apply("equal", s.x, s.y)
    return hit / s.total(hit)


def _normp_rule(s: Slice) -> Entry:
    (p,) = s.params
    return apply("sign", s.x) * apply("abs", s.x) ** (p - 1) * s.y ** (1 - p)


TIES = "entries that tie share the derivative equally"

ROWS = (
    ReductionFunction(
        "max", "the largest x_a", lambda x, axes: x.max(axis=axes), _extreme_rule, False,
        r"\max_{{{axes}}} \left({}\right)", "definition", kink=TIES, holomorphic=False,
        code="{np}.amax({x}, {axes})",
    ),
    ReductionFunction(
        "min", "the smallest x_a", lambda x, axes: x.min(axis=axes), _extreme_rule, False,
        r"\min_{{{axes}}} \left({}\right)", "definition", kink=TIES, holomorphic=False,
        code="{np}.amin({x}, {axes})",
    ),
    ReductionFunction(
        "prod", "the product of all x_a", lambda x, axes: x.prod(axis=axes),
        lambda s: s.reduce("prod_except", s.x), False,
        r"\prod_{{{axes}}} \left({}\right)", "definition, by the product rule",
        code=texts.PROD,
    ),
    ReductionFunction(
        "prod_except", "y_a = the product of all x_b with b != a", _prod_except,
        lambda s: (1 - s.d) * s.reduce("prod_except", s.u + s.d * (1 - s.u)), True,
        r"\operatorname{{prodexcept}}_{{{axes}}}\left({}\right)", "definition, by the product rule",
        code=texts.PROD_EXCEPT,
    ),
    ReductionFunction(
        "logsumexp", "log(sum of exp(x_a))", _logsumexp, lambda s: s.reduce("softmax", s.u), False,
        r"\operatorname{{logsumexp}}_{{{axes}}}\left({}\right)",
        "S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5",
        domain="all real numbers and -inf; no derivative on a slice that is all -inf",
        code=texts.LOGSUMEXP,
    ),
    ReductionFunction(
        "softmax", "y_a = exp(x_a)/(sum of exp(x_b))", _softmax, lambda s: s.y * (s.d - s.v), True,
        r"\operatorname{{softmax}}_{{{axes}}}\left({}\right)",
        "C. Bishop, Pattern Recognition and Machine Learning, equation (4.106)",
        range=(0.0, 1.0),
        code=texts.SOFTMAX,
    ),
    ReductionFunction(
        "log_softmax", "y_a = x_a - log(sum of exp(x_b))", _log_softmax, lambda s: s.d - apply("exp", s.v), True,
        r"\operatorname{{log\,softmax}}_{{{axes}}}\left({}\right)",
        "the rule of logsumexp: S. Boyd, L. Vandenberghe, Convex Optimization, section 3.1.5",
        range=(-math.inf, 0.0),
        code=texts.LOG_SOFTMAX,
    ),
    ReductionFunction(
        "norm1", "sum of |x_a|", lambda x, axes: np.abs(x).sum(axis=axes), lambda s: apply("sign", s.x), False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{1}}}}", "definition",
        inputs=NONZERO, kink="0 at an entry that is 0", holomorphic=False,
        range=(0.0, math.inf),
        code=texts.NORM1,
    ),
    ReductionFunction(
        "norm2", "(sum of x_a**2)**(1/2)", lambda x, axes: _norm(x, axes, 2), lambda s: s.x / s.y, False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{2}}}}",
        "K. Petersen, M. Pedersen, The Matrix Cookbook, section 2.6",
        kink="nan on a slice that is all 0", holomorphic=False,
        range=(0.0, math.inf),
        code=texts.NORM2,
    ),
    ReductionFunction(
        "normp", "(sum of |x_a|**p)**(1/p)", _norm, _normp_rule, False,
        r"\underset{{{axes}}}{{\left\lVert {}\right\rVert_{{{p}}}}}", "definition, by the chain rule",
        domain="all real numbers, p >= 1", inputs=NONZERO, params=("p",),
        kink="for p > 1 nan on a slice that is all 0; for p = 1 it is 0 at an entry that is 0", holomorphic=False,
        range=(0.0, math.inf),
        code=texts.NORMP,
    ),
)  # fmt: skip

REDUCTIONS.update({row.name: row for row in (*ROWS, *SPECTRAL)})
