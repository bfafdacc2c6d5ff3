"""The rules of lists of arrays: arrays made of parts, in brackets as NumPy has them, and the matrices of LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc.functions.table import REDUCTIONS
from indexcalc.index import symbol
from indexcalc.reading.rules.names import Reading, Scope, Steps
from indexcalc.reading.rules.operands import bare_number
from indexcalc.views.array import Array, standing_as
from indexcalc.views.blocks.joined import block, concatenate, stack
from indexcalc.views.blocks.table import BLOCKS
from indexcalc.views.expr import Expr

CELLS = "bmatrix"
"""What rows of blocks are, as LaTeX has them."""
LISTED = {*BLOCKS, CELLS} - REDUCTIONS.keys()
"""Functions of lists of arrays, or with lists of numbers."""


def read_listing(
    reading: Reading, tree: Any, name: str, args: Sequence[Any], keywords: dict[str, Any], scope: Scope
) -> Steps:
    """`concatenate([x, y], axis=0)`, `block([[A, B], [C, D]])`, `roll(x, 1)`."""
    if name == "split":
        raise reading.error(tree, "split gives several arrays", "write slices: x[:n], x[n:]")
    values: list[Any] = []
    for number, part in enumerate(args):
        values.append((yield from _nested(reading, part, scope, number > 0 and name != CELLS)))
    given = {}
    for word, part in keywords.items():
        if isinstance(part, str):
            raise reading.error(tree, f"{name} takes no {word}= of this kind", "write axis=0")
        given[word] = yield from _nested(reading, part, scope, True)
    if name == CELLS:
        return cells(values)
    return BLOCKS[name](*values, **given)


def _nested(reading: Reading, part: Any, scope: Scope, plain: bool) -> Steps:
    """A list, or what stands in it; `plain` where names are dimensions or indices."""
    if part.data == "call" and str(part.children[0]) == "[":
        made = []
        for one in part.children[1].children if len(part.children) > 1 else ():
            made.append((yield from _nested(reading, one, scope, plain)))
        return made
    if plain and part.data == "name":
        name = str(part.children[0])
        return symbol(name) if name in reading.symbols else reading.index(name, scope)
    return bare_number((yield part, Scope(scope.kept)))


def cells(rows: list[list[Any]]) -> Array:
    """Rows of blocks as mathematics has them: vectors are columns, transposed ones rows, alone in a column one vector.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
    >>> cells([[x], [y]]), cells([[x, y]])
    (concatenate([x, y]), stack([x, y], axis=1))
    """
    if all(len(row) == 1 and (not _order(row[0]) or _is_column(row[0])) for row in rows):
        return _one_column([row[0] for row in rows])
    wide = [any(_is_wide(row[k]) for row in rows if k < len(row)) for k in range(len(rows[0]))]
    flat = [any(map(_is_flat, row)) for row in rows]
    return block(
        [
            [_standing(one, low or row) for one, row in zip(own, wide, strict=False)]
            for own, low in zip(rows, flat, strict=True)
        ]
    )


def _one_column(parts: Sequence[Any]) -> Array:
    """Vectors and numbers below each other, as one vector."""
    if not any(map(_order, parts)):
        return stack(list(parts))  # type: ignore[return-value]
    upright = any(isinstance(one, Array) and one.ndim == 2 for one in parts)
    own: list[Any] = [one if _order(one) else stack([one]) for one in parts]
    joined = [standing_as(one, "column") if upright and one.ndim == 1 else one for one in own]
    return concatenate(joined)  # type: ignore[return-value]


def _order(one: Any) -> int:
    return one.order if isinstance(one, Array | Expr) else 0


def _is_column(one: Any) -> bool:
    return isinstance(one, Array) and one.order == 1 and one.standing in ("column", "numpy") and not one.flipped


def _is_wide(one: Any) -> bool:
    """Is it a row, or a matrix of more than one column, as far as is known?"""
    return isinstance(one, Array) and (one.flipped or (_order(one) == 2 and one.shape[-1] != 1))


def _is_flat(one: Any) -> bool:
    """Is it a number, or a row?"""
    return not _order(one) or (isinstance(one, Array) and (one.flipped or (one.ndim == 2 and one.shape[0] == 1)))


def _standing(one: Any, row: bool) -> Any:
    """A plain vector as a column; as a row where it was transposed, beside a number or a row, or below a matrix."""
    if isinstance(one, Array) and one.standing == "numpy" and one.order == 1:
        return one[None] if one.flipped or row else one[:, None]
    return one
