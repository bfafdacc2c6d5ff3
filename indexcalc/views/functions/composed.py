"""Functions that are one formula of others: choices of entries, moments of samples, and gathers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.functions.entries.choosing import bracket
from indexcalc.graph.constructors import addition, constant, constant_number, dimension, einsum, regroup
from indexcalc.graph.node import Node
from indexcalc.index import Dim, Dimension, dim
from indexcalc.surface import public
from indexcalc.views.array import Array, array_from, reduce_array, standing_array, without_axes
from indexcalc.views.choosing.keys import INTEGERS, integers_of, picked
from indexcalc.views.expr import Expr, reduce_expr
from indexcalc.views.functions.calling import axes_named, entries_of, refused
from indexcalc.views.indexed import must_have
from indexcalc.views.placed import numbered_axes, places_at
from indexcalc.views.view import is_number

# ------------------------------------------------------------------ of entries


@public
def clip(x: Any, min: Any = None, max: Any = None) -> Expr | Array:
    """The entries, none below `min` and none above `max`: `minimum(maximum(x, min), max)`, as NumPy has it.

    At a bound the derivative is 1/2, as for those two.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.clip(x, 0, 1)
    minimum(maximum(x, 0), 1)
    >>> ic.clip(x, max=1)
    minimum(x, 1)
    """
    if min is None and max is None:
        raise NotationError(Asked(lambda: f"clip({x})"), "there is no bound", "write ic.clip(x, 0, 1)")
    value = x if min is None else entries_of("maximum", x, min)
    return value if max is None else entries_of("minimum", value, max)


@public
def hard_tanh(x: Any) -> Expr | Array:
    """The entries, none below -1 and none above 1: `clip(x, -1, 1)`.

    >>> import indexcalc as ic
    >>> ic.hard_tanh(ic.tensor("x", "n"))
    minimum(maximum(x, -1), 1)
    """
    return clip(x, -1, 1)


@public
def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Expr | Array:
    """X where it is positive, `negative_slope*x` elsewhere; at 0 the slope is that of the left side.

    Source: A. Maas, A. Hannun, A. Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.

    >>> import indexcalc as ic
    >>> ic.leaky_relu(ic.tensor("x", "n"), 0.2)
    where(x > 0, x, 0.2*x)
    """
    return entries_of("where", entries_of("greater", x, 0), x, _times(negative_slope, x))


@public
def elu(x: Any, alpha: Any = 1) -> Expr | Array:
    """X where it is positive, `alpha*(exp(x) - 1)` elsewhere; at 0 the slope is alpha.

    Source: D. Clevert, T. Unterthiner, S. Hochreiter, arXiv:1511.07289.

    >>> import indexcalc as ic
    >>> ic.elu(ic.tensor("x", "n"))
    where(x > 0, x, expm1(x))
    """
    return entries_of("where", entries_of("greater", x, 0), x, _times(alpha, entries_of("expm1", x)))


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
"""The constants of selu, with which activations keep mean 0 and variance 1 (arXiv:1706.02515, equation 14)."""


@public
def selu(x: Any) -> Expr | Array:
    """`scale*elu(x, alpha)` with the two constants that keep mean 0 and variance 1.

    Source: G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, arXiv:1706.02515.

    >>> import indexcalc as ic
    >>> ic.selu(ic.scalar("s")).evaluate(s=1).round(4)
    np.float64(1.0507)
    """
    return _times(SCALE, elu(x, ALPHA))


def _times(factor: Any, x: Any) -> Expr | Array:
    made: Expr | Array = factor * x
    return made


# ------------------------------------------------------------------ moments


@public
def var(
    x: Any, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Expr | Array:
    """The variance along free indices or axes: the mean of `(x - mean(x))**2`, over `n - ddof` in place of n.

    `correction` is another name of `ddof`, as NumPy has it. The mean is taken off before anything is squared.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.var(x)
    mean((x - mean(x))**2)
    >>> ic.grad(ic.var(x, ddof=1), x)
    2*(x - mean(x))/(n - 1)
    """
    centred, along, count = _centred_view("var", x, axes_named("var", x, args, axis, keepdims), ddof, correction)
    squares: Expr | Array = centred**2
    total = squares.sum(*along) if isinstance(squares, Expr) else squares.sum(along, keepdims)
    return _over(total, count)


@public
def std(
    x: Any, *args: Any, axis: Any = None, ddof: int = 0, correction: int | None = None, keepdims: bool = False
) -> Expr | Array:
    """The standard deviation along free indices or axes: the root of the variance, see `var`.

    On a slice of equal entries it is 0 and has no derivative: nan comes out, as of `norm2`, by which it is made.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.std(x), ic.grad(ic.std(x), x)
    (norm2(x - mean(x))/sqrt(n), (x - mean(x))/(sqrt(n)*norm2(x - mean(x))))
    """
    centred, along, count = _centred_view("std", x, axes_named("std", x, args, axis, keepdims), ddof, correction)
    if isinstance(centred, Expr):
        return _over(reduce_expr("norm2", centred, along), count ** Fraction(1, 2))
    return _over(reduce_array("norm2", centred, along, keepdims), count ** Fraction(1, 2))


@public
def cov(x: Array, y: Array | None = None, *, ddof: int = 0, correction: int | None = None) -> Array:
    """The covariance of samples, which are the rows of x, or the entries of a vector; with y, of x with y.

    Both are centred first; the sum of products is divided by `n - ddof`, of n samples.

    >>> import indexcalc as ic
    >>> ic.cov(ic.tensor("X", "n d"), ddof=1).shape
    (d, d)
    """
    asked = Asked(lambda: f"cov({x}{'' if y is None else f', {y}'})")
    arrays = [x, x if y is None else y]
    for array in arrays:
        if not isinstance(array, Array) or not 1 <= array.order <= 2:
            raise KindError(asked, f"{array} is no matrix whose rows are samples", "give an Array of one or two axes")
    if arrays[0].node.dims[0] != arrays[1].node.dims[0]:
        raise NotationError(
            asked, f"{arrays[0].node.dims[0]} and {arrays[1].node.dims[0]} samples", "give as many rows of both"
        )
    total = _count(asked, x.node.dims[:1], ddof, correction)
    factors: list[Any] = [(_centred(array.node, (0,)), ("sample", k)[: array.order]) for k, array in enumerate(arrays)]
    node = einsum(1, [*factors, (total, (), -1)], [k for k, array in enumerate(arrays) if array.order == 2])
    return standing_array(node, arrays)


def _over(total: Any, count: Any) -> Expr | Array:
    made: Expr | Array = total / count
    return made


def _centred(node: Node, axes: Sequence[int]) -> Node:
    """The entries less their mean along these axes."""
    kept = [axis for axis in range(node.order) if axis not in axes]
    mean = Array(node, frozenset()).mean(tuple(axes)).node
    return addition([(1, node, range(node.order)), (-1, mean, kept)], node.dims)


def _centred_view(
    name: str, x: Any, named: tuple[Any, ...] | None, ddof: int, correction: int | None
) -> tuple[Any, tuple[Any, ...], Any]:
    """The entries less their mean, what this goes along, and the number of entries less `ddof`, for either view."""
    asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *(named or ()))))})")
    if isinstance(x, Expr):
        for index in named or ():
            must_have(x, index, asked)
        indices = tuple(dict.fromkeys(named or x.free))
        places = [x.indices.index(index) for index in indices]
        count = _count(asked, [x.node.dims[place] for place in places], ddof, correction)
        return Expr(_centred(x.node, places), x.indices, x.inputs, x.free), indices, Expr(count, (), frozenset())
    axes = tuple(numbered_axes(x, named, asked))
    count = _count(asked, [x.shape[axis] for axis in axes], ddof, correction)
    centred = array_from(_centred(x.node, places_at(x, axes)), [x], x.places)
    return centred, axes, Array(count, frozenset())


def _count(asked: Asked, dims: Sequence[Dimension], ddof: int, correction: int | None) -> Node:
    """The number of samples, less what is taken off, under either name."""
    if correction is not None and ddof != 0:
        raise NotationError(asked, "ddof and correction are one thing, given twice", "give one of them")
    less = ddof if correction is None else correction
    count = prod(dims) - less
    if isinstance(count, int) and count <= 0:
        raise NotationError(asked, f"{prod(dims)} samples, and {less} are taken off", "give a smaller ddof")
    return dimension(count) if isinstance(count, Dim) else constant_number(count)


# ------------------------------------------------------------------ chosen by integers


@public
def take(x: Any, idx: Any, axis: int | None = None) -> Array:
    """The entries along an axis at integers: `take(W, idx, axis=0)` is `W[idx]`, as NumPy has it.

    The integers are a list or an array of them, or an integer tensor; below 0 they count from the end. Their axes stand
    in place of the axis. The derivative adds up what the same entry gets.

    >>> import indexcalc as ic
    >>> W, idx = ic.tensor("W", "n d"), ic.tensor("idx", "b", integer=True)
    >>> ic.take(W, idx, axis=0).shape, ic.take(W, [2, 0], axis=1).shape
    ((b, d), (n, 2))
    """
    asked = Asked(lambda: f"take({x}, {idx}{'' if axis is None else f', axis={axis}'})")
    if not isinstance(x, Array):
        raise _of_arrays(x, "take", asked)
    if axis is None and x.ndim != 1:
        found = f"{x} has {counted(x.ndim, 'axis')}, and no axis is named"
        raise NotationError(asked, found, f"write ic.take({x}, idx, axis=0)")
    (place,) = numbered_axes(x, 0 if axis is None else axis, asked)
    key = list(idx) if isinstance(idx, tuple) else idx
    if not isinstance(key, int | np.integer | list | np.ndarray | Array) or isinstance(key, bool):
        raise KindError(asked, f"{idx!r} has no integers", INTEGERS)
    made = picked(x, (*[slice(None)] * place, key))
    assert isinstance(made, Array)
    return made


@public
def take_along_axis(x: Any, idx: Any, axis: int = -1) -> Array:
    """The entries along an axis at integers of their own for each place along the others, as NumPy has it.

    `take_along_axis(Z, y[:, None], 1)[:, 0]` is `Z[b,y[b]]` in index notation.

    >>> import indexcalc as ic
    >>> Z, y = ic.tensor("Z", "b c"), ic.tensor("y", "b", integer=True)
    >>> ic.take_along_axis(Z, y[:, None], 1).shape
    (b, 1)
    """
    asked = Asked(lambda: f"take_along_axis({x}, {idx}, {axis})")
    if not isinstance(x, Array):
        raise _of_arrays(x, "take_along_axis", asked)
    (place,) = numbered_axes(x, axis, asked)
    if x.ndim != x.order:
        raise KindError(asked, f"{x} stands as a column or a row", "index it: x[i]")
    size = x.node.dims[place]
    rows = integers_of(idx, size, asked)
    if len(rows.dims) != x.order:
        raise DimensionError(
            asked, f"{counted(len(rows.dims), 'axis')} of integers for {x.order}", "give y[:, None], say"
        )
    labels: list[Any] = []
    for k, (own, wanted) in enumerate(zip(rows.dims, x.node.dims, strict=True)):
        if k != place and own not in (wanted, 1):
            raise DimensionError(asked, f"axis {k} has {wanted}, and {own} of the integers", "give equal sizes")
        labels.append(("new", k) if k == place else k if own == wanted else ("one", k))
    factors = [
        (x.node, [("place",) if k == place else k for k in range(x.order)]),
        rows.bracket(size, labels, ("place",)),
    ]
    out = [("new", k) if k == place else k for k in range(x.order)]
    node = einsum(1, factors, out, {("new", place): rows.dims[place]})
    return array_from(node, [x, *([idx] if isinstance(idx, Array) else [])])


@public
def one_hot(idx: Any, n: Any) -> Array:
    """1 at the integer, 0 elsewhere, along a last axis of this dimension: `one_hot(idx, n) @ W` is `W[idx]`.

    It is made where it is the result, and nowhere else.

    >>> import indexcalc as ic
    >>> y = ic.tensor("y", "b", integer=True)
    >>> ic.one_hot(y, "c"), ic.one_hot(y, "c").evaluate(y=[1, 0], c=3)
    (one_hot(y, c), array([[0., 1., 0.],
           [1., 0., 0.]]))
    """
    asked = Asked(lambda: f"one_hot({idx}, {n})")
    if isinstance(idx, Expr):
        raise KindError(asked, f"{idx} has names, and the new axis has none", "write ic.one_hot(y, n)[b,c]")
    rows = integers_of(idx, dim(n), asked)
    node = bracket(rows.node, dim(n))
    out = [*range(len(rows.dims)), "place"]
    node = einsum(1, [(node, [*rows.axes, "place"])], out, dict(enumerate(rows.dims)))
    return array_from(node, [idx]) if isinstance(idx, Array) else Array(node, frozenset())


def _of_arrays(x: Any, name: str, asked: Asked) -> KindError:
    if isinstance(x, Expr):
        return KindError(asked, f"{x} has names", "in index notation write the integers as an index: W[y[b],k]")
    return refused(name, x)


# ------------------------------------------------------------------ by order


@public
def median(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Expr | Array:
    """The middle entry in ascending order along free indices or axes, of all entries unless some are named.

    Of an even number it is the mean of the middle two. Entries that tie keep their order: the derivative goes to those
    that a stable sort puts in the middle.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> ic.grad(ic.median(x), x).evaluate(x=[3, 1, 5, 2])
    array([0.5, 0. , 0. , 0.5])
    """
    named = axes_named("median", x, args, axis, keepdims)
    if named is not None and len(named) == 1:
        return reduce_expr("median", x, named) if isinstance(x, Expr) else reduce_array("median", x, named, keepdims)
    array, index = _slice("median", x, named)
    return _shown(reduce_array("median", array, -1), x, named, index, keepdims)


@public
def quantile(x: Any, q: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Expr | Array:
    """The entry at the place `q*(n - 1)` in ascending order, between two on the line that joins them, as NumPy has it.

    A weighted sum of the sorted entries, see `sort`. Source: R. Hyndman, Y. Fan, Sample quantiles in statistical
    packages, 1996, definition 7.

    >>> import indexcalc as ic
    >>> ic.quantile(ic.tensor("x", "n"), 0.25).evaluate(x=[3, 1, 5, 2, 4])
    np.float64(2.0)
    """
    named = axes_named("quantile", x, args, axis, keepdims)
    if not is_number(q) or isinstance(q, bool | complex) or not 0 <= q <= 1:
        raise KindError(Asked(lambda: f"quantile({x}, {q})"), f"q={q!r}", "give a number from 0 to 1, 0.25 say")
    array, index = _slice("quantile", x, named)
    places = reduce_array("sort", array, -1, False, (), True).node
    weights = constant("quantile_weights", places.dims[-1:], Fraction(str(q)).as_integer_ratio())
    axes = range(places.order)
    made = array_from(einsum(1, [(places, axes), (weights, axes[-1:])], axes[:-1]), [array])
    return _shown(made, x, named, index, keepdims)


def _slice(name: str, x: Any, named: tuple[Any, ...] | None) -> tuple[Array, tuple[Any, ...]]:
    """The entries of a view, those along what is named in the last axis of an Array; and the indices that are left."""
    asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *(named or ()))))})")
    index: tuple[Any, ...] = ()
    if isinstance(x, Expr):
        for one in named or ():
            must_have(x, one, asked)
        along = [x.indices.index(one) for one in dict.fromkeys(named or x.free)]
        index = tuple(one for k, one in enumerate(x.indices) if k not in along)
    else:
        along = list(places_at(x, tuple(numbered_axes(x, named, asked))))
    if not along:
        raise NotationError(asked, f"{x} has no axis to go along", f"{name} of a number is the number")
    array = Array(x.node, x.inputs)
    left = [axis for axis in range(array.order) if axis not in along]
    if len(along) == 1:
        return array_from(einsum(1, [(array.node, range(array.order))], [*left, *along]), [array]), index
    outer = (*((axis,) for axis in left), tuple(along))
    split = tuple((axis,) for axis in range(array.order))
    return array_from(regroup(array.node, split, outer, array.node.dims), [array]), index


def _shown(made: Array, x: Any, named: tuple[Any, ...] | None, index: tuple[Any, ...], keepdims: bool) -> Expr | Array:
    """What is left of a view along what is named, as a view of its kind."""
    if isinstance(x, Expr):
        return Expr(made.node, index, x.inputs, [one for one in x.free if one in index])
    return without_axes(x, made.node, numbered_axes(x, named, Asked(lambda: str(x))), keepdims)


OF_ENTRIES: dict[str, Callable[..., Any]] = {f.__name__: f for f in (clip, hard_tanh, leaky_relu, elu, selu)}
MOMENTS = frozenset(f.__name__ for f in (var, std, cov))
"""Functions of samples, whose numbers other programs divide otherwise."""
ALONG: dict[str, Callable[..., Any]] = {f.__name__: f for f in (var, std)}
CHOOSING: dict[str, Callable[..., Any]] = {f.__name__: f for f in (take, take_along_axis, one_hot)}
ORDERED: dict[str, Callable[..., Any]] = {f.__name__: f for f in (median, quantile)}
COMPOSED: dict[str, Callable[..., Any]] = {**OF_ENTRIES, **ALONG, "cov": cov, **CHOOSING, **ORDERED}
