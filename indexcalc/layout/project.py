"""Projection: a derivative's named axes become the rows and columns that a convention wants.

The mathematics has no default layout and there is no global switch: a layout is named where a result is projected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from indexcalc.calculus.structure import RESTRICTING
from indexcalc.errors import Asked, IndexCalcError, LayoutError, counted, did_you_mean
from indexcalc.graph.constructors import addition, einsum, regroup
from indexcalc.graph.edge import even, symmetry_of
from indexcalc.graph.node import Definition, Node, Variable
from indexcalc.index import Dimension
from indexcalc.layout.conventions import CONVENTIONS, Groups, Pack
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.same import is_symmetric
from indexcalc.writing.standing import Places, ascending
from indexcalc.writing.typed import as_typed

ORDERS = ("C", "F")


class Held(NamedTuple):
    """What is laid out: a node, what its axes are called, and those that belong to the value and to each variable.

    `targets` has the variables, and `structures` which derivative by a structured one it is.
    """

    node: Node
    axes: tuple[Any, ...]
    parts: tuple[tuple[Any, ...], ...]
    targets: tuple[Node, ...] = ()
    structures: tuple[str, ...] = ()


class Laid(NamedTuple):
    """A node laid out.

    `places` are those of its axes (None for a unit axis), `groups` what each axis that is shown runs over, the
    outermost first, and `note` says what was dropped.
    """

    node: Node
    places: Places
    groups: Groups
    note: str = ""


def project(held: Held, name: str, asked: Asked) -> Laid:
    """The derivative that is held, in a named layout.

    Errors: LayoutError where there is no such convention, or where it holds no such derivative.

    >>> from indexcalc.graph.constructors import variable
    >>> laid = project(Held(variable("A", (2, 3)), (0, 1), ((0,), (1,))), "denominator", Asked(lambda: "A"))
    >>> laid.groups, laid.node.dims
    (((1,), (0,)), (3, 2))
    """
    if not isinstance(name, str) or name not in CONVENTIONS:
        raise LayoutError(asked, "no convention of this name", did_you_mean(str(name), CONVENTIONS))
    row = CONVENTIONS[name]
    if row.pack:
        held = packed(held, row.pack, asked)
    dims = dict(zip(held.axes, held.node.dims, strict=True))
    top, bottom = (axis for part in held.parts[:-1] for axis in part), held.parts[-1]
    return _placed(held, (tuple(top), bottom), dims, row.place, asked)


def _placed(held: Held, ends: tuple[Any, Any], dims: dict[Any, Dimension], place: Any, asked: Asked) -> Laid:
    top, bottom = ends
    note = ""
    try:
        groups = place(asked, top, bottom)
    except LayoutError as error:
        thin = tuple(axis for axis in (*top, *bottom) if dims[axis] == 1)
        rest = len(top) + len(bottom) - len(thin)
        if len(top) + len(bottom) < 3 or error.instead:
            raise
        if rest > 2:
            raise LayoutError(asked, _too_many(held.axes, top, bottom), _choices(top, bottom)) from None
        note = f"axes of dimension 1 dropped: {', '.join(map(str, thin))}"
        groups = place(asked, *(tuple(axis for axis in part if axis not in thin) for part in (top, bottom)))
    return grouped(held.node, held.axes, groups, note)


# ------------------------------------------------------------------ symmetric pairs


class Pair(NamedTuple):
    """Two axes of a symmetric tensor that are one axis of a layout."""

    first: Any
    second: Any

    def __str__(self) -> str:
        return f"{{{self.first} {self.second}}}"


def packed(held: Held, pack: Pack, asked: Asked) -> Held:
    """What is laid out, with each symmetric pair of axes as one axis; see `layout/conventions.py`."""
    count = len(held.parts) - 1
    found = False
    for place in reversed(range(count + 1)):  # the variables first: that may be what makes the value symmetric
        part = held.parts[place]
        batch = tuple(axis for axis in part if getattr(axis, "batch", False))
        own = tuple(axis for axis in part if axis not in batch)
        if len(own) < 2:
            continue
        if len(own) % 2:
            raise LayoutError(asked, f"{counted(len(own), 'axis')} ({_listed(own)}) do not go in pairs", _UNPACKED)
        pairs = tuple(Pair(*own[k : k + 2]) for k in range(0, len(own), 2))
        target = held.targets[place - 1] if place else None
        if target is not None and held.structures[place - 1 - count] == "independent":
            held = held._replace(node=_projected(held, pairs, asked))
        for k, pair in enumerate(pairs):
            known = target is None or _varies_symmetrically(target, 2 * k, 2 * k + 1)
            held = _joined(held, pair, target, known, pack.variable if place else pack.value, asked)
        parts = list(held.parts)
        parts[place] = (*batch, *pairs)
        held, found = held._replace(parts=tuple(parts)), True
    if not found:
        raise LayoutError(asked, "it has no symmetric pair of axes to make one axis of", _UNPACKED)
    return held


_UNPACKED = 'name another layout: "jax" keeps all axes, "magnus-neudecker" and "vec-rows" flatten them'


def _joined(
    held: Held, pair: Pair, target: Node | None, known: bool, places: Callable[[Dimension], Node], asked: Asked
) -> Held:
    """The pair of axes made one."""
    rows, columns = (held.node.dims[held.axes.index(axis)] for axis in pair)
    what = f"{pair.first} and {pair.second} of {target.name if target else 'what was differentiated'}"
    if rows != columns:
        raise LayoutError(asked, f"not symmetric: the axes {what} have dimensions {rows} and {columns}", _UNPACKED)
    if target is None and not is_symmetric(held.node, *(held.axes.index(axis) for axis in pair)):
        found = f"the axes {what} are not known to be symmetric"
        raise LayoutError(asked, found, "differentiate its symmetric part, ic.sym(Y), or name another layout")
    if target is not None and not known:
        instead = f'declare it: ic.tensor("{target.name}", ..., symmetric=True); or name another layout'
        raise LayoutError(asked, f"the axes {what} are not declared symmetric", instead)
    try:
        constant = places(rows)
    except IndexCalcError as error:
        raise LayoutError(asked, error.found, error.instead) from None
    axes = (*(axis for axis in held.axes if axis not in pair), pair)
    (node,) = simplify([einsum(1, [(held.node, held.axes), (constant, (*pair, pair))], axes)])
    return held._replace(node=node, axes=axes)


def _varies_symmetrically(target: Node, first: int, second: int) -> bool:
    """Are the variations of this tensor all that are symmetric in these two axes, and no others?"""
    if isinstance(target, Definition):
        return is_symmetric(target.child, first, second)
    blocks = even(symmetry_of(target)).blocks
    words = target.assumptions & RESTRICTING if isinstance(target, Variable) else frozenset()
    return words <= {"symmetric", "positive_definite", "major"} and any({first, second} <= {*b} for b, _ in blocks)


def _projected(held: Held, pairs: Sequence[Pair], asked: Asked) -> Node:
    """The projected derivative, from that by the independent entries: half of it off the diagonal."""
    if len(pairs) > 1:
        raise LayoutError(
            asked, 'structure="independent" of a tensor of order 4 has no such layout', 'write structure="projected"'
        )
    (pair,) = pairs
    diagonal = [pair.first if axis == pair.second else axis for axis in held.axes]
    on = einsum(1, [(held.node, diagonal)], diagonal)
    return addition(
        [(Fraction(1, 2), held.node, range(len(held.axes))), (Fraction(1, 2), on, range(len(held.axes)))],
        held.node.dims,
    )


# ------------------------------------------------------------------ rows and columns


def grouped(node: Node, axes: Sequence[Any], groups: Groups, note: str = "") -> Laid:
    """The node with its axes in these groups, the outermost of a group first."""
    dims = dict(zip(axes, node.dims, strict=True))
    return Laid(_grouped(node, axes, groups, dims), ascending(bool(group) for group in groups), groups, note)


def _too_many(axes: Sequence[Any], top: Sequence[Any], bottom: Sequence[Any]) -> str:
    return (
        f"no matrix holds it: {counted(len(axes), 'axis')} "
        f"({_listed(top) or 'none'} from what was differentiated, {_listed(bottom) or 'none'} from what by)"
    )


def _listed(axes: Sequence[Any]) -> str:
    return " ".join(map(str, axes))


def _choices(top: Sequence[Any], bottom: Sequence[Any]) -> str:
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
    return as_typed(made, node)


# ------------------------------------------------------------------ any grouping


def matrix_of_groups(
    node: Node, axes: tuple[Any, ...], rows: Sequence[Any], cols: Sequence[Any], order: str | None, title: object
) -> Laid:
    """The matrix whose rows run over some of the axes, its columns over the others."""
    groups = tuple(tuple(group) if isinstance(group, tuple | list) else (group,) for group in (rows, cols))
    asked = Asked(lambda: f"({title}).matrix(rows={groups[0]}, cols={groups[1]}, order={order!r})")
    named = [axis for group in groups for axis in group]
    free = ", ".join(map(str, axes)) or "none"
    for axis in named:
        if not any(axis is one or (type(axis) is type(one) and axis == one) for one in axes):
            raise LayoutError(asked, f"{axis} is none of its axes ({free})", did_you_mean(str(axis), map(str, axes)))
    for axis in named:
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
    return grouped(node, axes, groups)
