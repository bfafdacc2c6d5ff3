"""Arrays made of parts as forms, and their text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Tiles
from indexcalc.index import Dimension
from indexcalc.simplify.passes import simplify
from indexcalc.simplify.products.tiled import Tiled
from indexcalc.writing.brackets import ATOM
from indexcalc.writing.matrix.form import Form
from indexcalc.writing.matrix.forms import Pick, part, turn, zeros
from indexcalc.writing.matrix.network import Stuck


def tiles_form(found: Tiled, dims: Sequence[Dimension], form: Callable[[Node], Form]) -> Form:
    """The form of cells beside each other; `form` gives that of a node."""

    def made(tiles: int | Tiles | None, own: Sequence[Dimension]) -> Form:
        if tiles is None:
            return zeros(own[0], own[1] if len(own) > 1 else None)
        if not isinstance(tiles, Tiles):
            cell = found.cells[tiles]
            (node,) = simplify([cell.node])
            one = form(node)
            return turn(one) if cell.axes == (1,) else one
        parts = [made(inner, [*own[: tiles.axis], size, *own[tiles.axis + 1 :]]) for size, inner in tiles.cells]
        return beside(tiles.axis, parts, own[0], own[1] if len(own) > 1 else None)

    return made(found.tiles, dims)


def beside(axis: int, parts: Sequence[Form], rows: Dimension | None, cols: Dimension | None) -> Form:
    """Forms beside each other, along rows (0) or columns (1): vectors and numbers stand in a matrix as they are."""
    made = _beside(axis, parts, rows, cols)
    if made.vector:
        return made
    grid = [one.parts for one in parts if one.kind == "tiles" and not one.vector and one.data == 1]
    if axis == 0 and len(grid) == len(parts) and len({len(row) for row in grid}) == 1:
        columns = list(zip(*grid, strict=True))
        other = _beside(0, [_beside(1, list(map(turn, own)), own[0].cols, rows) for own in columns], cols, rows)
    else:
        other = _beside(1 - axis, list(map(turn, parts)), cols, rows)
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
    """One row or column of a matrix, or one entry of a vector, as a slice that has it alone; another form as it is."""
    if form.kind == "turned":
        other = widened(form.parts[0])
        return form if other is form.parts[0] else turn(other)
    if form.kind != "part":
        return form
    inner = form.parts[0]
    rows, cols = form.data
    if form.scalar and inner.vector:
        return part(inner, Pick(rows.range))
    if rows is not None and rows.entry and not form.scalar:
        return turn(part(inner, Pick(rows.range), cols))
    if cols is not None and cols.entry and not form.scalar:
        return part(inner, rows, Pick(cols.range))
    return form


def tiles_text(setter: Any, form: Form) -> str:
    """The text of parts beside each other: vectors as they stand, or in NumPy along a new axis."""
    moved = _rolled(form)
    if moved is not None:
        return f"roll({setter.natural(moved[0])[0]}, {moved[1]}{f', axis={form.data}' if not form.vector else ''})"
    rows = cells_of(form)
    numbers = any(one.scalar for row in rows for one in row)
    if not form.vector and (numbers or (form.data == 0 and any(len(row) > 1 for row in rows))):
        blocks = [f"[{', '.join(_cell_text(setter, form, one) for one in row)}]" for row in rows]
        return f"block([{', '.join(blocks)}])"
    across = [
        one.scalar if form.vector else one.vector and (one.rows, one.cols)[form.data] is None for one in form.parts
    ]
    new = setter.vectors == "numpy" and all(across)
    shown = [setter.natural(one)[0] if new else _cell_text(setter, form, one) for one in form.parts]
    axis = int(setter.vectors == "row") if form.vector else form.data
    return f"{'stack' if new else 'concatenate'}([{', '.join(shown)}]{', axis=1' * axis})"


def _cell_text(setter: Any, form: Form, cell: Form) -> str:
    """A part with as many axes as the whole."""
    cell = widened(cell) if cell.scalar or (setter.vectors == "numpy" and not form.vector) else cell
    if setter.vectors != "numpy":
        if cell.scalar and form.vector:
            raise Stuck("numbers among the entries of a column have no text")
        return str((setter.natural if form.vector else setter.write)(cell)[0])
    if cell.scalar:
        return f"stack([{setter.write(cell)[0]}])" if form.vector else str(setter.write(cell)[0])
    text = (setter.natural if cell.vector else setter.write)(cell)
    if form.vector or not cell.vector:
        return str(text[0])
    return str(setter.within(text, ATOM)) + ("[None]" if cell.rows is None else "[:, None]")


def _rolled(form: Form) -> tuple[Form, str] | None:
    """The form whose last entries these parts have first, and by how many places it was moved; None for others."""
    cells = [widened(one) for one in form.parts]
    if len(cells) != 2 or any(one.kind != "part" or one.parts[0] != cells[0].parts[0] for one in cells):
        return None
    first, second = (one.data[form.data] for one in cells)
    others = [one.data[1 - form.data] for one in cells]
    if first is None or second is None or any(pick is not None for pick in others) or first.entry or second.entry:
        return None
    one, other = first.range, second.range
    if one.step != 1 or other.step != 1 or other.start != 0 or one.start != other.size or one.last + 1 != one.length:
        return None
    if isinstance(one.size, int) or not isinstance(other.size, int):
        return cells[0].parts[0], str(one.size)
    return cells[0].parts[0], str(-other.size)
