"""Arrays made of parts as forms: which terms of a sum lie beside each other, and what stands in each place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from indexcalc.graph.constructors import addition, einsum
from indexcalc.graph.node import Node, Product, Sum, Term
from indexcalc.graph.ranges import Box, Range, Tiles, tiling
from indexcalc.index import Dimension
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.products.beside import factors_of, placed
from indexcalc.writing.brackets import ATOM
from indexcalc.writing.matrix.forms import Form, Pick, part, turn, zeros
from indexcalc.writing.matrix.network import Stuck


class Cell(NamedTuple):
    """What stands in one place: a node, and which axes of the whole array it has."""

    node: Node
    axes: tuple[int, ...]


class Tiled(NamedTuple):
    """A sum as cells beside each other, which cover the array, and the terms that are none."""

    tiles: Tiles
    cells: tuple[Cell, ...]
    rest: tuple[Term, ...]


def tiled(node: Sum) -> Tiled | None:
    """The terms of a sum that lie beside each other, those of one place added; None where they don't cover it.

    >>> from indexcalc.graph.constructors import constant, variable
    >>> rows = [(1, einsum(1, [(variable(name, (2,)), "i"), (constant("selection", (2, 4), (k, 1)), "ij")], "j"), (0,))
    ...         for name, k in (("x", 2), ("y", 0))]
    >>> [cell.node.label for cell in tiled(addition(rows, (4,))).cells]
    ['x', 'y']
    """
    boxes: dict[Box, list[Term]] = {}
    rest: list[Term] = []
    for term in node.terms:
        box = tuple(_in_place(term, axis) if axis in term.labels else None for axis in range(node.order))
        if any(box):
            boxes.setdefault(box, []).append(term)
        else:
            rest.append(term)
    found = tiling(list(boxes), node.dims, gaps=True) if len(boxes) > 1 else None
    if not isinstance(found, Tiles):
        return None
    return Tiled(found, tuple(_cell(terms, box, node.dims) for box, terms in boxes.items()), tuple(rest))


def _cell(terms: Sequence[Term], box: Box, dims: Sequence[Dimension]) -> Cell:
    """The sum of what these terms have in their one place."""
    rows = [_inner(term, box) for term in terms]
    axes = [axis for axis in range(len(dims)) if not all(axis in gone for _, _, gone in rows)]
    sizes = [dims[axis] if (own := box[axis]) is None else own.size for axis in axes]
    made = []
    for term, (inner, places, _) in zip(terms, rows, strict=True):
        kept = [k for k, axis in enumerate(places) if axis in axes]
        part = einsum(1, [(inner, range(inner.order))], kept)
        made.append((term.coef, part, [axes.index(places[k]) for k in kept]))
    (node,) = simplify([addition(made, sizes)])
    return Cell(node, tuple(axes))


def _inner(term: Term, box: Box) -> tuple[Node, list[int], set[int]]:
    """What a term puts in its place: a node, its axes among those of the array, and those of which it is one entry."""
    factors, out = factors_of(term.node)
    coef = term.node.coef if isinstance(term.node, Product) else 1
    sizes = term.node.sizes if isinstance(term.node, Product) else term.node.dims
    kept, labels, places, gone = list(factors), [], [], set()
    for label, axis in zip(out, term.labels, strict=True):
        factor = next((f for f in factors if box[axis] and _puts(f.node, f.labels, label, out)), None)
        if factor in kept:
            kept.remove(factor)
        own = label if factor is None else factor.labels[0]
        if factor is not None and factor.node.name == "unit":
            gone.add(axis)
            continue
        carrying = [f for f in kept if own in f.labels]
        if sizes[own] == 1 and all(f.node.name == "selection" for f in carrying):
            gone.add(axis)
        labels.append(own)
        places.append(axis)
    having = {x for f in kept for x in f.labels} | set(labels)
    return einsum(coef, kept, labels, {x: sizes[x] for x in having}), places, gone


def _in_place(term: Term, axis: int) -> Range | None:
    """The range of an axis in which a term lies, where no other factor has that axis."""
    factors, out = factors_of(term.node)
    label = out[term.labels.index(axis)]
    alone = sum(f.labels.count(label) for f in factors) == out.count(label) == 1
    return placed(term.node, term.labels.index(axis)) if alone else None


def _puts(node: Node, labels: Sequence[int], label: int, out: Sequence[int]) -> bool:
    """Does this factor put what a product is into a range of the axis with this label?"""
    if node.name == "unit":
        return label in labels
    return node.name == "selection" and labels[1] == label and labels[0] not in out


def tiles_form(found: Tiled, dims: Sequence[Dimension], form: Callable[[Node], Form]) -> Form:
    """The form of cells beside each other; `form` gives that of a node."""

    def made(tiles: int | Tiles | None, own: Sequence[Dimension]) -> Form:
        if tiles is None:
            return zeros(own[0], own[1] if len(own) > 1 else None)
        if not isinstance(tiles, Tiles):
            cell = found.cells[tiles]
            one = form(cell.node)
            return turn(one) if cell.axes == (1,) else one
        parts = [made(inner, [*own[: tiles.axis], size, *own[tiles.axis + 1 :]]) for size, inner in tiles.cells]
        return beside(tiles.axis, parts, own[0], own[1] if len(own) > 1 else None)

    return made(found.tiles, dims)


def beside(axis: int, parts: Sequence[Form], rows: Dimension | None, cols: Dimension | None) -> Form:
    """Forms beside each other, along rows (0) or columns (1): vectors and numbers stand in a matrix as they are."""
    made = _beside(axis, parts, rows, cols)
    if not made.vector:
        grid = [one.parts for one in parts if one.kind == "tiles" and one.data != axis]
        turned = list(map(turn, parts))
        if axis == 0 and len(grid) == len(parts) and len({len(row) for row in grid}) == 1:
            columns = list(zip(*grid, strict=True))
            turned = [_beside(1, list(map(turn, own)), own[0].cols, rows) for own in columns]
        other = _beside(axis if turned[0].kind == "tiles" and axis == 0 else 1 - axis, turned, cols, rows)
        made.turn_of, other.turn_of = other, made
    return made


def _beside(axis: int, parts: Sequence[Form], rows: Dimension | None, cols: Dimension | None) -> Form:
    cost = 3 + sum(one.cost + 1 for one in parts) + 3 * axis
    return Form("tiles", tuple(parts), axis, rows, cols, cost)


def cells_of(form: Form) -> list[list[Form]]:
    """Rows of blocks, each a list: one row, or one column, where there are no others."""
    if form.data == 1:
        return [list(form.parts)]
    inner: list[Any] = [one.parts if one.kind == "tiles" and one.data == 1 else (one,) for one in form.parts]
    return [list(row) for row in inner]


def widened(form: Form) -> Form:
    """One row of a matrix, or one entry of a vector, as a slice that has it alone; any other form as it is."""
    inner = form.parts[0] if form.kind == "turned" else form
    if inner.kind != "part" or inner.data[0] is None or not inner.data[0].entry:
        return form
    rows, cols = inner.data
    if cols is not None and cols.entry:
        return form
    return part(inner.parts[0], Pick(rows.range), cols)


def tiles_text(setter: Any, form: Form) -> str:
    """The text of parts beside each other: vectors as they stand, or in NumPy along a new axis."""
    rows = cells_of(form)
    if not form.vector and form.data == 0 and any(len(row) > 1 for row in rows):
        blocks = [f"[{', '.join(_cell_text(setter, form, one) for one in row)}]" for row in rows]
        return f"block([{', '.join(blocks)}])"
    new = setter.vectors == "numpy" and all(one.scalar if form.vector else one.vector for one in form.parts)
    shown = [setter.natural(one)[0] if new else _cell_text(setter, form, one) for one in form.parts]
    axis = int(setter.vectors == "row") if form.vector else form.data
    return f"{'stack' if new else 'concatenate'}([{', '.join(shown)}]{', axis=1' * axis})"


def _cell_text(setter: Any, form: Form, cell: Form) -> str:
    """A part with as many axes as the whole."""
    if setter.vectors != "numpy":
        if cell.scalar and form.vector:
            raise Stuck("numbers among the entries of a column have no text")
        return str((setter.natural if form.vector else setter.write)(cell)[0])
    cell = widened(cell)
    if cell.scalar:
        return f"stack([{setter.write(cell)[0]}])" if form.vector else str(setter.write(cell)[0])
    text = (setter.natural if cell.vector else setter.write)(cell)
    if form.vector or not cell.vector:
        return str(text[0])
    return str(setter.within(text, ATOM)) + ("[None]" if cell.rows is None else "[:, None]")
