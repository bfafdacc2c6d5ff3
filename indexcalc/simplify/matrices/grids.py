"""Inverses and determinants of matrices of blocks.

With blocks on one side of the diagonal only, the determinant is the product of those of the blocks on it, and without
any beside it the inverse has their inverses: identities of all such matrices. On request, `.expand()`, two rows of
blocks are taken apart by the Schur complement S = D - C inv(A) B, which takes A to be invertible:
det = det(A) det(S), and inv = [[inv(A) + inv(A) B inv(S) C inv(A), -inv(A) B inv(S)], [-inv(S) C inv(A), inv(S)]].

F. Zhang (editor), The Schur Complement and Its Applications, section 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.table import DET, INV
from indexcalc.graph.constructors import addition, einsum, reduction, zeros
from indexcalc.graph.edge import Edge
from indexcalc.graph.node import Node, Reduction, Sum
from indexcalc.graph.ranges import selection_of
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.products.tiled import Grid, grid


def invert_blocks(work: Normaliser, node: Reduction) -> Edge | None:
    """The inverse, determinant or its logarithm of a matrix of blocks, by those of its blocks; None for any other.

    >>> import indexcalc as ic
    >>> A, B, D = ic.tensor("A", "n n"), ic.tensor("B", "n m"), ic.tensor("D", "m m")
    >>> ic.logdet(ic.block([[A, B], [ic.zeros("m", "n"), D]])) == ic.logdet(A) + ic.logdet(D)
    True
    """
    found = grid(node.child) if isinstance(node.child, Sum) and node.axes == (0, 1) else None
    if found is None or len(found.ranges) < 2:
        return None
    made = _triangular(node, found)
    if made is None and work.blocks and len(found.ranges) == 2 and (0, 0) in found.blocks:
        made = _schur(node, found)
    return None if made is None else work.renormalise(made)


def _triangular(node: Reduction, found: Grid) -> Node | None:
    beside = [place for place in found.blocks if place[0] != place[1]]
    count = range(len(found.ranges))
    if any((k, k) not in found.blocks for k in count) or (node.keeps and beside):
        return None
    if not (all(row < column for row, column in beside) or all(row > column for row, column in beside)):
        return None
    return _of_diagonal(node, found, [_function(node, found.blocks[k, k]) for k in count])


def _schur(node: Reduction, found: Grid) -> Node:
    a = found.blocks[0, 0]
    sizes = [own.size for own in found.ranges]
    b, c, d = (
        found.blocks.get((row, column), zeros((sizes[row], sizes[column]))) for row, column in ((0, 1), (1, 0), (1, 1))
    )
    inverse = reduction(INV, a, (0, 1), True)
    schur = addition([(1, d, (0, 1)), (-1, _product(c, inverse, b), (0, 1))], d.dims)
    if not node.keeps:
        return _of_diagonal(node, found, [_function(node, a), _function(node, schur)])
    last = reduction(INV, schur, (0, 1), True)
    first = addition([(1, inverse, (0, 1)), (1, _product(inverse, b, last, c, inverse), (0, 1))], a.dims)
    beside = _product(inverse, b, last), _product(last, c, inverse)
    terms = [(1, first, 0, 0), (-1, beside[0], 0, 1), (-1, beside[1], 1, 0), (1, last, 1, 1)]
    return addition([(coef, _placed(one, found, row, column), (0, 1)) for coef, one, row, column in terms], node.dims)


def _function(node: Reduction, block: Node) -> Node:
    """The function of a block; the determinant of one entry is that."""
    if node.fn == DET and block.dims == (1, 1):
        return einsum(1, [(block, (0, 1))], ())
    return reduction(node.fn, block, (0, 1), node.keeps)


def _of_diagonal(node: Reduction, found: Grid, values: Sequence[Node]) -> Node:
    """The value of a matrix by those of the blocks on its diagonal: a product, a sum, or the matrix of these blocks."""
    if node.keeps:
        return addition([(1, _placed(one, found, k, k), (0, 1)) for k, one in enumerate(values)], node.dims)
    if node.fn == DET:
        return einsum(1, [(one, ()) for one in values], ())
    return addition([(1, one, ()) for one in values], ())


def _product(*matrices: Node) -> Node:
    return einsum(1, [(one, (k, k + 1)) for k, one in enumerate(matrices)], (0, len(matrices)))


def _placed(block: Node, found: Grid, row: int, column: int) -> Node:
    rows, columns = (selection_of(found.ranges[k]) for k in (row, column))
    return einsum(1, [(block, (0, 1)), (rows, (0, 2)), (columns, (1, 3))], (2, 3))
