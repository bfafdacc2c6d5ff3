"""The structure of a matrix: its rows and columns as a layout has them, and its blocks, zero, δ, bands or dense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.drawing.pattern import Pattern, Sizes, pattern
from indexcalc.engine.bind.inputs import size_of
from indexcalc.errors import Asked, InputError
from indexcalc.graph.constructors import einsum
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.layout.project import Pair, project
from indexcalc.simplify.passes import simplify
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.projection import held
from indexcalc.views.expr import Expr
from indexcalc.views.view import View, refuse_layout

STRUCTURES = ("zero", "δ", "band", "dense")
"""What a block may be, from the least to the most."""


class BlockMatrix(NamedTuple):
    """A matrix of blocks: where it may differ from 0, what its axes run over, how large and of what kind blocks are."""

    pattern: Pattern
    rows: str
    columns: str
    block: tuple[int, int]
    structures: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        high, wide = self.pattern.shape
        counts = {name: sum(row.count(name) for row in self.structures) for name in STRUCTURES}
        parts = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        size = f"{self.block[0]} × {self.block[1]}"
        return f"{high} × {wide}, rows {self.rows}, columns {self.columns}; blocks of {size}: {parts}"


def structure_of_block(block: Pattern) -> str:
    """What a block is: zero, a diagonal, a band (half of the diagonals at most, no corner beside them), or dense.

    >>> [structure_of_block(np.tri(5, 5, k, bool) & ~np.tri(5, 5, -2, bool)) for k in (-9, 0, 1, 5)]
    ['zero', 'band', 'band', 'dense']
    >>> structure_of_block(np.eye(3, dtype=bool))
    'δ'
    """
    rows, columns = np.nonzero(block)
    if not len(rows):
        return "zero"
    low, high = (rows - columns).max(), (columns - rows).max()
    if low <= 0 and high <= 0 and min(block.shape) > 1:
        return "δ"
    is_long = min(len(set(rows)), len(set(columns))) > 1
    is_narrow = 2 * (low + high + 1) <= sum(block.shape) and low < block.shape[0] - 1 and high < block.shape[1] - 1
    return "band" if is_long and is_narrow else "dense"


def block_matrix(view: View, layout: str | None, sizes: Sizes, asked: Asked) -> BlockMatrix:
    """The blocks of an expression: its rows and columns, as this layout has them, or as its axes are, rows first."""
    node, groups, names = _groups(view, layout, asked)
    shape = {axis: size_of(dim, sizes) for axis, dim in enumerate(node.dims)}
    if 0 in shape.values():
        raise InputError(asked, "an axis of size 0, so there is nothing to draw", "give sizes of at least 1")
    order = [axis for group in groups for axis in group]
    found = pattern(simplify([einsum(1, [(node, range(node.order))], order)])[0], sizes, asked)
    matrix = found.reshape([prod(shape[axis] for axis in group) for group in groups])
    inner = [prod(shape[axis] for axis in group[1:]) for group in groups]
    whole = matrix.shape
    sides = [[1, whole[k]] if len(group) < 2 else [inner[k]] for k, group in enumerate(groups)]
    tried = [(high, wide) for high in sides[0] for wide in sides[1]] if max(map(len, groups)) > 1 else [whole]
    made = [(block, _blocks(matrix, *block)) for block in tried]
    block, structures = min(made, key=lambda one: _told(one[1], *one[0]))
    rows, columns = (_named([(names[axis], shape[axis]) for axis in group]) for group in groups)
    return BlockMatrix(matrix, rows, columns, block, structures)


def _blocks(matrix: Pattern, high: int, wide: int) -> tuple[tuple[str, ...], ...]:
    """The structures of blocks of this size."""
    return tuple(
        tuple(structure_of_block(matrix[r : r + high, c : c + wide]) for c in range(0, matrix.shape[1], wide))
        for r in range(0, matrix.shape[0], high)
    )


def _told(structures: Sequence[Sequence[str]], high: int, wide: int) -> tuple[int, int]:
    """What makes blocks tell little: the entries in those that are bands or dense; among equals, many blocks."""
    blocks = [one for row in structures for one in row]
    return high * wide * sum(one in STRUCTURES[2:] for one in blocks), len(blocks)


def _groups(view: View, layout: str | None, asked: Asked) -> tuple[Any, tuple[tuple[int, ...], ...], list[str]]:
    """A node, the axes that rows and columns run over, the outermost first, and the names of axes."""
    node = view.node
    names = (
        [index.name for index in view.indices] if isinstance(view, Expr) else [LETTERS[k] for k in range(view.order)]
    )
    if not isinstance(view, Derivative | ArrayDerivative):
        if layout is not None:
            refuse_layout(view, f"plot(layout={layout!r})")
        half = (node.order + 1) // 2
        free = [view.indices.index(index) for index in view.free] if isinstance(view, Expr) else list(range(node.order))
        return node, (tuple(free[:half]), tuple(free[half:])), names
    own = held(view)
    if layout is not None:
        laid = project(own, layout, asked)
        if CONVENTIONS[layout].pack:
            title = dict(zip(own.axes, names, strict=True))
            axes = [" ".join(_title(axis, title) for axis in group) for group in laid.groups]
            return laid.node, _halved(range(laid.node.order)), axes
        groups = [tuple(own.axes.index(axis) for axis in group) for group in laid.groups]
        if len(groups) == 2:
            return node, (groups[0], groups[1]), names
        return node, _halved([axis for group in groups for axis in group]), names
    places = [tuple(own.axes.index(axis) for axis in part) for part in own.parts]
    return node, (tuple(axis for part in places[:-1] for axis in part), places[-1]), names


def _title(axis: Any, titles: Mapping[Any, str]) -> str:
    """The name of an axis of a layout; two that are one stand in braces."""
    return f"{{{titles[axis.first]} {titles[axis.second]}}}" if isinstance(axis, Pair) else titles[axis]


def _halved(axes: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    half = (len(axes) + 1) // 2
    return tuple(axes[:half]), tuple(axes[half:])


LETTERS = tuple("ijklmnpqrstuvwxyzabcdefgh")
"""The names of axes that have none."""


def _named(axes: Sequence[tuple[str, int]]) -> str:
    """What an axis runs over: `i=4`, `(k=4, l=3)`, the outermost first."""
    texts = [f"{name}={size}" for name, size in axes]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})" if texts else "1"
