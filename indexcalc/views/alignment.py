"""Arrays that meet entry by entry: their axes aligned, the last with the last, as NumPy does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from indexcalc.errors import Asked, DimensionError, KindError
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Node
from indexcalc.index import Dimension
from indexcalc.views.placed import Placed, places_at
from indexcalc.writing.standing import Places


class Aligned(NamedTuple):
    """Arrays among common axes: nodes with the axes that each has, the dimensions of these, and the places shown."""

    edges: list[tuple[Node, list[int]]]
    dims: list[Dimension]
    places: Places


def sizes_shown(array: Placed) -> list[Dimension | None]:
    """The dimension of each axis that is shown, None for a unit axis."""
    return [None if place is None else array.node.dims[place] for place in array.places]


def common_sizes(rows: Sequence[Sequence[Dimension | None]], args: Sequence[Placed], operation: str) -> list[Any]:
    """The dimensions that axes take which meet, the last with the last; None where none but unit axes do."""
    count = max(map(len, rows))
    dims: list[Dimension | None] = [None] * count
    origin: list[Placed | None] = [None] * count
    for arg, row in zip(args, rows, strict=True):
        for axis, dim in enumerate(row, start=count - len(row)):
            if dim is None or (dim == 1 and dims[axis] is not None):
                continue
            if dims[axis] is None or dims[axis] == 1:
                dims[axis], origin[axis] = dim, arg
            elif dim != dims[axis]:
                first = origin[axis]
                raise DimensionError(
                    Asked(lambda: f" {operation} ".join(f"({one})" for one in args)),
                    f"axis {axis - count}: {first} has {dims[axis]}, {arg} has {dim}",
                    "axes that meet have one size; only an axis declared with the integer 1 is stretched",
                )
    return dims


def broadcast(args: Sequence[Placed], operation: str) -> Aligned:
    """Arrays among common axes, as NumPy aligns them."""
    _one_kind(args, operation)
    dims = common_sizes([sizes_shown(arg) for arg in args], args, operation)
    number = {axis: k for k, axis in enumerate(axis for axis, dim in enumerate(dims) if dim is not None)}
    edges = []
    for arg in args:
        start = len(dims) - arg.ndim
        true = [(axis, dim) for axis, dim in enumerate(sizes_shown(arg)) if dim is not None]
        kept = [axis for axis, dim in true if dim != 1 or dims[start + axis] == 1]
        node = arg.node
        if len(kept) < arg.order:
            node = einsum(1, [(node, range(arg.order))], places_at(arg, kept))
        edges.append((node, [number[start + axis] for axis in kept]))
    shown = tuple(None if dim is None else number[axis] for axis, dim in enumerate(dims))
    return Aligned(edges, [dim for dim in dims if dim is not None], shown)


KINDS = {"column": "a column", "row": "a row", "numpy": "a plain order-1 tensor"}


def _one_kind(args: Sequence[Placed], operation: str) -> None:
    """Vectors that meet entry by entry all stand alike, or it is an error."""
    kinds = {arg.standing: arg for arg in args if arg.order == 1 and arg.standing}
    if len(kinds) < 2:
        return
    (kind, one), (other, second) = list(kinds.items())[:2]
    if "numpy" in (kind, other):
        plain, upright = (one, other) if kind == "numpy" else (second, kind)
        instead = f"declare it as {KINDS[upright]}: ic.{upright}({plain})"
    else:
        instead = f"write ({second}).T for two {kind}s, ic.outer({one}, {second}) for all products"
    raise KindError(
        Asked(lambda: f" {operation} ".join(f"({arg})" for arg in args)),
        f"{one} {_shape(one)} is {KINDS[kind]}, {second} {_shape(second)} is {KINDS[other]}",
        instead,
    )


def _shape(array: Placed) -> str:
    return "×".join(map(str, array.shape)) if array.ndim > 1 else f"({array.shape[0]},)"
