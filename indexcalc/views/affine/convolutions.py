"""Convolutions and correlations, of any number of axes: sums over affine indices, in boxes of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.affine import BOUNDARIES, MODES, Affine, IndexTerm, first_and_count
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted, did_you_mean
from indexcalc.graph.constructors import constant
from indexcalc.graph.ranges import shrinks
from indexcalc.index import Dim, Dimension, Index, dim
from indexcalc.surface import is_integer, public
from indexcalc.views.affine.uses import index_range
from indexcalc.views.array import Array, array_from
from indexcalc.views.expr import Expr


class Placing(NamedTuple):
    """One axis along which arrays are convolved: the first place of the result, its size, and steps along both."""

    start: Dimension
    size: Dimension
    stride: int
    step: int


@public
def convolve(
    x: Any, k: Any, mode: str = "full", *, axes: Any = None, boundary: str = "zero", stride: Any = 1, dilation: Any = 1
) -> Array | Expr:
    """The convolution `y[l] = sum_j k[j] x[l - j]` along axes, as NumPy and SciPy have it.

    "full" has all places where both meet, "valid" those where all of k does, "same" as many as x, from the middle.
    Beside x are zeros, x again or its mirror image, with the `boundary` "zero", "periodic" or "reflect".

    `axes` are those of x, all of them unless told, and k has as many; other axes of x are batches. With two axes more k
    is (out, channel, ...), and the axis of x before the others is that of channels, as in a layer. Of every so many
    places one is kept, the `stride`; entries of k are the `dilation` apart; both are an integer or one for each axis.

    Of two Exprs `axes` says which index of x runs along which of k, `{i: j}`; others that both have are summed.

    >>> import indexcalc as ic
    >>> x, k = ic.tensor("x", 5), ic.tensor("k", 3)
    >>> y = ic.convolve(x, k)
    >>> y, y.evaluate(x=[1, 2, 3, 4, 5], k=[1, 0, -1])
    (convolve(x, k), array([ 1.,  2.,  2.,  2.,  2., -4., -5.]))
    >>> images, kernels = ic.tensor("images", 8, 3, 32, 32), ic.tensor("kernels", 16, 3, 3, 3)
    >>> ic.convolve(images, kernels, "same", axes=(-2, -1), stride=2).shape
    (8, 16, 16, 16)
    """
    made: Array | Expr = _run("convolve", x, k, -1, mode, axes, boundary, stride, dilation)
    return made


@public
def correlate(
    x: Any, k: Any, mode: str = "valid", *, axes: Any = None, boundary: str = "zero", stride: Any = 1, dilation: Any = 1
) -> Array | Expr:
    """The correlation `y[t] = sum_j k[j] x[t + j]` along axes: the convolution with k turned round, not conjugated.

    It is what layers of neural networks call a convolution. The arguments are those of `convolve`.

    >>> import indexcalc as ic
    >>> x, k = ic.tensor("x", 5), ic.tensor("k", 3)
    >>> y = ic.correlate(x, k)
    >>> y, y.evaluate(x=[1, 2, 3, 4, 5], k=[1, 0, -1])
    (correlate(x, k), array([-2., -2., -2.]))
    >>> ic.grad(y.sum(), k), ic.correlate(x, k, "same").shape
    (correlate(x, ones(3)), (5,))
    """
    made: Array | Expr = _run("correlate", x, k, 1, mode, axes, boundary, stride, dilation)
    return made


def _run(name: str, x: Any, k: Any, sign: int, mode: str, axes: Any, boundary: str, stride: Any, dilation: Any) -> Any:
    asked = Asked(lambda: f"{name}({x}, {k}, {mode!r})")
    if mode not in MODES:
        raise KindError(asked, f"mode={mode!r}", did_you_mean(mode, MODES))
    if boundary not in BOUNDARIES[1:] or (boundary != "zero" and mode == "valid"):
        found = f"boundary={boundary!r}" + (" where nothing beside x is met" if boundary in BOUNDARIES else "")
        raise KindError(
            asked, found, did_you_mean(boundary, BOUNDARIES[1:]) if boundary not in BOUNDARIES else 'write mode="same"'
        )
    for value in (x, k):
        if not isinstance(value, Array | Expr) or isinstance(value, Expr) is not isinstance(x, Expr):
            raise KindError(
                asked, f"{value!r} is none of two Arrays, and none of two Exprs", "declare it with ic.tensor(...)"
            )
    if isinstance(x, Expr):
        return _of_exprs(x, k, sign, mode, axes, boundary, stride, dilation, asked)
    along, layer = _axes(x, k, axes, asked)
    rest = [f"b{axis}" for axis in range(x.order)]
    names = {axis: f"t{axis}" for axis in along}
    first = [names.get(axis, rest[axis]) for axis in range(x.order)]
    kernel = [*(["o", rest[along[0] - 1]] if layer else []), *(f"j{axis}" for axis in along)]
    out = ["o" if layer and axis == along[0] - 1 else one for axis, one in enumerate(first)]
    pairs = {names[axis]: f"j{axis}" for axis in along}
    made = _summed(x, k, first, kernel, pairs, sign, mode, boundary, stride, dilation, asked)
    array: Array = made.array(*(Index(one) for one in out))
    return array_from(array.node, [x, k], x.places if x.order == 1 else None)


def _axes(x: Array, k: Array, axes: Any, asked: Asked) -> tuple[list[int], bool]:
    """The axes of x that are run along, and whether k is that of a layer."""
    if axes is None:
        axes = range(x.order) if k.order == x.order else None
    given = [axes] if is_integer(axes) else axes
    if given is None:
        raise NotationError(
            asked, f"{x.order} axes and {k.order}", "say along which axes of the first: axes=(-2, -1), say"
        )
    if not isinstance(given, tuple | list | range) or not all(map(is_integer, given)):
        raise KindError(asked, f"axes={axes!r}", "write an integer, or several: axes=(-2, -1)")
    along = [int(axis) + x.order * (axis < 0) for axis in given]
    if any(not 0 <= axis < x.order for axis in along) or len(set(along)) < len(along) or not along:
        raise NotationError(
            asked, f"axes={axes!r} of {counted(x.order, 'axis')}", "name axes that there are, each once"
        )
    if k.order not in (len(along), len(along) + 2):
        found = f"the second has {counted(k.order, 'axis')}, for {len(along)} to run along"
        raise NotationError(asked, found, "give it as many, or two more in front, out and channel")
    layer = k.order == len(along) + 2
    if layer and (along != list(range(along[0], along[0] + len(along))) or not along[0]):
        raise NotationError(
            asked, f"axes={axes!r}, with no axis of channels before", "put the channels before: axes=(-2, -1)"
        )
    return along, layer


def _of_exprs(
    x: Expr, k: Expr, sign: int, mode: str, axes: Any, boundary: str, stride: Any, dilation: Any, asked: Asked
) -> Expr:
    """Of two expressions, whose indices are matched by a table, or in order where nothing else is shared."""
    if axes is None and len(x.free) == len(k.free):
        axes = dict(zip(x.free, k.free, strict=True))
    if not isinstance(axes, Mapping) or not axes:
        raise KindError(
            asked, f"axes={axes!r}", "say which index of the first runs along which of the second: axes={i: j}"
        )
    for one, other in axes.items():
        if one not in x.free or other not in k.free:
            raise NotationError(asked, f"{one} and {other} are not free in both", "axes={i: j} has an index of each")
    first, kernel = [index.name for index in x.free], [index.name for index in k.free]
    pairs = {one.name: f"{other.name}_run" for one, other in axes.items()}
    inner = {other.name: f"{other.name}_run" for other in axes.values()}
    kernel = [inner.get(name, name) for name in kernel]
    return _summed(
        x.array(*x.free), k.array(*k.free), first, kernel, pairs, sign, mode, boundary, stride, dilation, asked
    )


def _summed(
    x: Array,
    k: Array,
    first: Sequence[str],
    kernel: Sequence[str],
    pairs: Mapping[str, str],
    sign: int,
    mode: str,
    boundary: str,
    stride: Any,
    dilation: Any,
    asked: Asked,
) -> Expr:
    """The sum over affine indices: axes of x with these names, of which `pairs` says along which of k they run."""
    strides, dilations = (
        _each(value, len(pairs), word, asked) for value, word in ((stride, "stride"), (dilation, "dilation"))
    )
    keys: list[Any] = [Index(name) for name in first]
    own: list[Any] = [Index(name) for name in kernel]
    for (name, other), by, apart in zip(pairs.items(), strides, dilations, strict=True):
        size, width = (a.node.dims[row.index(one)] for a, row, one in ((x, first, name), (k, kernel, other)))
        axis = _place(size, width, sign, mode, by, apart, asked)
        t = index_range(axis.size, name, boundary="" if mode == "valid" else boundary)
        j = index_range(width, other)
        keys[first.index(name)] = Affine((IndexTerm(axis.stride, t), IndexTerm(axis.step, j)), axis.start)
        own[kernel.index(other)] = j
    made: Expr = k[tuple(own)] * x[tuple(keys)]
    return Expr(
        made.node, [_plain(index) for index in made.indices], made.inputs, [_plain(index) for index in made.free]
    )


def _plain(index: Index) -> Index:
    return Index(index.name, index.batch)


def _each(value: Any, count: int, word: str, asked: Asked) -> list[int]:
    """One positive integer for each axis."""
    given = [value] * count if is_integer(value) else value
    if (
        not isinstance(given, tuple | list)
        or len(given) != count
        or not all(is_integer(one) and one > 0 for one in given)
    ):
        raise KindError(asked, f"{word}={value!r}", f"write a positive integer, or {count}, one for each axis")
    return [int(one) for one in given]


def _place(
    size: Dimension, width: Dimension, sign: int, mode: str, stride: int, dilation: int, asked: Asked
) -> Placing:
    """Where the result begins, and how long it is: y[t] is the sum of k[j] x[start + stride*t + step*j]."""
    reach = dilation * (width - 1)
    if mode == "same" and isinstance(reach, Dim):
        raise DimensionError(
            asked, f"the middle of {width} entries is not known", 'declare an integer, or write "full"'
        )
    start, length = first_and_count(size, width, sign, mode, dilation)
    if (isinstance(length, int) and length <= 0) or (
        shrinks(size - reach) and mode == "valid" and not isinstance(size, Dim)
    ):
        raise DimensionError(asked, f"{width} entries, {dilation} apart, do not fit into {size}", 'write mode="full"')
    if stride > 1 and isinstance(length, Dim):
        found = f"how many of {length} places a stride of {stride} keeps is not known"
        raise DimensionError(asked, found, 'declare integers; or write x[2*t + j] with t = ic.range("q", "t")')
    return Placing(start, -(-length // stride) if isinstance(length, int) else length, stride, dilation * sign)


def affine_delta(start: Any, *rest: Any) -> Array:
    """The tensor that is 1 where `start` and its places, times their coefficients, add up to 0: these, then dimensions.

    >>> affine_delta(0, 1, 1, -1, 2, 2, 3).evaluate()[1]
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    count = len(rest) // 2
    coefs, sizes = rest[:count], [dim(size) for size in rest[count:]]
    first = int(start) if is_integer(start) else dim(start)
    return Array(constant("affine_delta", sizes, (first, *map(int, coefs))))
