"""Functions of matrices as nodes that know which of their axes may be exchanged.

With a further matrix E_0 the derivative D^k f(X)[E_1, ..., E_k] of a primary function becomes the number
tr(E_0 D^k f(X)[...]), which is the same for any order of E_0, ..., E_k: so the value, transposed, counts as one more
direction (N. Higham, Functions of Matrices, chapter 3).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from indexcalc.functions.table import apply_matrix, matrix_row
from indexcalc.graph.canonical import symmetry
from indexcalc.graph.edge import is_symmetric_matrix
from indexcalc.graph.node import Matrix, Node, Perm


def is_primary(node: Matrix) -> bool:
    """Is this a primary function, or a derivative of one?"""
    return matrix_row(node.fn).slope is not None


def pairs_of(node: Matrix) -> list[tuple[int, int]]:
    """The axes of a derivative in pairs: columns and rows of the value, then rows and columns of open directions."""
    batch = node.children[0].order - 2
    rest = list(range(batch, node.order))
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    return [pairs[0][::-1], *pairs[1:]]


def remember_exchanges(node: Matrix) -> None:
    """A function of symmetric matrices is symmetric; the directions of a derivative may be exchanged."""
    if "symmetry" in node.facts or matrix_row(node.fn).turned is not True:
        return
    pairs = pairs_of(node)
    moves: list[Perm] = []
    for (a, b), (c, d) in pairwise(pairs):
        swap = list(range(node.order))
        swap[a], swap[b], swap[c], swap[d] = c, d, a, b
        moves.append(tuple(swap))
    if all(map(is_symmetric_matrix, node.children)):
        turned = list(range(node.order))
        for a, b in pairs:
            turned[a], turned[b] = b, a
        moves.append(tuple(turned))
    if moves:
        node.facts["symmetry"] = symmetry(node.order, [(move, 1) for move in moves])


def primary(fn: str, x: Node, params: tuple[Any, ...] = ()) -> Matrix:
    """The function of square matrices along the last two axes."""
    made = apply_matrix(fn, x, params)
    remember_exchanges(made)
    return made
