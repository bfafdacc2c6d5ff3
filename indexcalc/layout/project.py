"""Projection: a derivative's named axes become the rows and columns that a convention wants.

The mathematics has no default layout and there is no global switch: a layout is named where a result is projected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc.errors import Asked, LayoutError, did_you_mean
from indexcalc.graph.node import Node, einsum, regroup
from indexcalc.graph.simplify import simplify
from indexcalc.index import Dimension, Index
from indexcalc.layout.conventions import CONVENTIONS, Groups
from indexcalc.notation.array import Array, ascending, meant
from indexcalc.notation.differentiate import ArrayDerivative, Derivative
from indexcalc.notation.expr import Expr
from indexcalc.notation.view import View

ORDERS = ("C", "F")


class Layout(Array):
    """A tensor laid out: an `Array` that knows its convention, and what was dropped (`note`); it evaluates to the shape
    that it shows.

    `groups` has, for each of its axes, the axes of the derivative that it runs over, the outermost first.
    """

    __slots__ = ("convention", "groups", "note")
    convention: str
    groups: Groups
    note: str


def layout_expr(derivative: Derivative, name: str) -> Layout:
    """The derivative in a named layout, with its free indices as axes."""
    groups = derivative.groups
    top = tuple(
        index for index in (*derivative.of, *(i for group in groups[:-1] for i in group)) if index in derivative.indices
    )
    bottom = tuple(
        index for index in (groups[-1] if groups else ()) if index in derivative.indices and index not in top
    )
    return _layout(derivative, derivative.indices, top, bottom, name)


def layout_array(derivative: ArrayDerivative, name: str) -> Layout:
    """The derivative in a named layout, with its axes by number."""
    axes = tuple(range(derivative.order))
    last = derivative.groups[-1]
    return _layout(derivative, axes, tuple(axis for axis in axes if axis not in last), last, name)


def _layout(view: View, axes: Sequence[Any], top: tuple[Any, ...], bottom: tuple[Any, ...], name: str) -> Layout:
    asked = Asked(lambda: f"({view}).layout({name!r})")
    if name not in CONVENTIONS:
        raise LayoutError(asked, "no convention of this name", did_you_mean(str(name), CONVENTIONS))
    dims = dict(zip(axes, view.node.dims, strict=True))
    note = ""
    if len(top) + len(bottom) > 2 and name in ("numerator", "denominator", "mixed", "cookbook"):
        thin = tuple(axis for axis in (*top, *bottom) if dims[axis] == 1)
        rest = len(top) + len(bottom) - len(thin)
        if rest > 2:
            raise LayoutError(asked, _too_many(view, axes, top, bottom, dims), _choices(view, top, bottom))
        note = f"axes of dimension 1 dropped: {', '.join(map(str, thin))}"
        top, bottom = (tuple(axis for axis in part if axis not in thin) for part in (top, bottom))
    groups = CONVENTIONS[name].place(asked, top, bottom)
    return _laid(view, axes, groups, name, note)


def _laid(view: View, axes: Sequence[Any], groups: Groups, convention: str = "", note: str = "") -> Layout:
    """The view with its axes in these groups; where they are rows and columns, its text means vectors as columns."""
    vectors, turned = meant([view])
    if len(groups) == 2:
        columns = Array(view.node, view.inputs, None, "column")
        vectors, turned = meant([view, columns])
    dims = dict(zip(axes, view.node.dims, strict=True))
    places = ascending(bool(group) for group in groups)
    made = Layout(_grouped(view.node, axes, groups, dims), view.inputs, places, vectors, turned)
    made.convention, made.note, made.groups = convention, note, groups
    return made


def _too_many(
    view: View, axes: Sequence[Any], top: Sequence[Any], bottom: Sequence[Any], dims: dict[Any, Dimension]
) -> str:
    def shown(part: Sequence[Any]) -> str:
        return " ".join(map(str, part)) or "none"

    return (
        f"no matrix holds it: {len(axes)} axes "
        f"({shown(top)} from what was differentiated, {shown(bottom)} from what by)"
    )


def _choices(view: View, top: Sequence[Any], bottom: Sequence[Any]) -> str:
    def group(part: Sequence[Any]) -> str:
        return "(" + ", ".join(map(str, part)) + ("," if len(part) == 1 else "") + ")"

    rows, columns = top or bottom[:1], bottom if top else bottom[1:]
    return (
        'keep the tensor, .layout("jax"); '
        f'flatten it, .layout("magnus-neudecker") or .matrix(rows={group(rows)}, cols={group(columns)}, order="F"); '
        "stack blocks, one matrix for each value of an index, with .array(...); "
        "or contract it with dL/dY, ic.vjp(Y, X, G), which has the shape of X"
    )


def _grouped(node: Node, axes: Sequence[Any], groups: Groups, dims: dict[Any, Dimension]) -> Node:
    """The node with axes joined into groups, the outermost of a group first.

    An empty group is a unit axis, which the node lacks; an axis in no group has dimension 1 and goes.
    """
    flat = [axis for group in groups for axis in group]
    outer: list[tuple[int, ...]] = []
    for group in groups:
        start = sum(map(len, outer))
        outer += [tuple(range(start, start + len(group)))] if group else []
    assert all(dims[axis] == 1 for axis in axes if axis not in flat)
    placed = einsum(1, [(node, axes)], flat)
    inner = [(k,) for k in range(len(flat))]
    joined = regroup(placed, inner, outer, placed.dims)
    (made,) = simplify([joined])
    return made


# ------------------------------------------------------------------ any grouping


def matrix_expr(expr: Expr, rows: Sequence[Index], cols: Sequence[Index], order: str | None) -> Array:
    """The matrix whose rows run over the free indices `rows`, its columns over `cols`."""
    return _matrix(expr, expr.indices, rows, cols, order)


def matrix_array(array: Array, rows: Sequence[int], cols: Sequence[int], order: str | None) -> Array:
    """The matrix whose rows run over the axes `rows`, by number, its columns over `cols`."""
    return _matrix(array, tuple(range(array.order)), rows, cols, order)


def _matrix(view: View, axes: Sequence[Any], rows: Sequence[Any], cols: Sequence[Any], order: str | None) -> Array:
    groups = tuple(tuple(group) if isinstance(group, tuple | list) else (group,) for group in (rows, cols))
    asked = Asked(lambda: f"({view}).matrix(rows={groups[0]}, cols={groups[1]}, order={order!r})")
    named = [axis for group in groups for axis in group]
    free = ", ".join(map(str, axes)) or "none"
    for axis in named:
        if axis not in axes:
            raise LayoutError(asked, f"{axis} is none of its axes ({free})", did_you_mean(str(axis), map(str, axes)))
        if named.count(axis) > 1:
            raise LayoutError(asked, f"{axis} stands twice", f"name each of {free} once")
    missing = [axis for axis in axes if axis not in named]
    if missing:
        raise LayoutError(asked, f"{', '.join(map(str, missing))} is missing", "add it to rows or to cols")
    if order not in (None, *ORDERS):
        raise LayoutError(
            asked, f"order {order!r} is not known", 'write order="F" (column by column) or "C" (row by row)'
        )
    if order is None and any(len(group) > 1 for group in groups):
        raise LayoutError(
            asked,
            "a group of two axes can be run through in two orders",
            'write order="F" (the first index fastest: column-major vec) or order="C" (the last fastest: row-major)',
        )
    if order == "F":
        groups = tuple(group[::-1] for group in groups)
    return _laid(view, axes, groups)
