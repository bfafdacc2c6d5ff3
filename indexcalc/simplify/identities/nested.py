"""Identities of a function of a function of a matrix.

The rewrite: `nested`, by the rows of `table.NESTED`.
"""

from __future__ import annotations

from typing import Any

from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import materialise
from indexcalc.graph.node import Elementwise, Matrix, Node, Product, Reduction
from indexcalc.simplify.identities.sides import below, head_of, side_of
from indexcalc.simplify.identities.table import NESTED, Identity
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.rewriting.rewrite import Rewrite

BY_NAME: dict[str, list[Identity]] = {}
for _row in NESTED:
    BY_NAME.setdefault(side_of(_row.left)[0].head[-1], []).append(_row)


def nested(work: Normaliser, node: Elementwise | Matrix | Reduction) -> Node | None:
    """A shorter form of a function of a function of a matrix; None where there is none.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n n")
    >>> ic.logdet(ic.expm(A)).simplify(), ic.inv(ic.expm(A)).simplify()
    (tr(A), expm(-A))
    """
    for row in BY_NAME.get(node.fn, ()):
        (part,) = side_of(row.left)
        matrix = _within(node, part.head)
        if matrix is not None and row.when(matrix):
            if work.trace is not None:
                work.trace.because(row.name)
            return _right(work, row, part.letters, matrix)
    return None


def _within(node: Node, head: tuple[str, ...]) -> Node | None:
    """The matrix that a node is these functions of, the last one first; None if it is not."""
    inner: Node | None = node
    for name in reversed(head):
        if inner is None or not _is(inner, name):
            return None
        inner = below(inner)
    return inner if inner is not None and inner.order >= 2 and node.order <= inner.order else None


def _is(node: Node, name: str) -> bool:
    """Is it the function with this name, of the last axes of its argument, or their diagonal?"""
    if isinstance(node, Product):
        return name == "diag" and node.out[:-1] == tuple(range(node.order - 1)) and _is_diagonal(node)
    if isinstance(node, Reduction):
        own = node.child.order
        return node.fn == name and node.axes in ((own - 2, own - 1), (own - 1,))
    return isinstance(node, Elementwise | Matrix) and node.fn == name


def _is_diagonal(node: Product) -> bool:
    (factor,) = node.factors if len(node.factors) == 1 else (None,)
    own = node.order - 1
    return factor is not None and factor.labels == (*range(own), own, own) and node.out == tuple(range(own + 1))


def _right(work: Normaliser, row: Identity, letters: str, matrix: Node) -> Node:
    """The right side of an identity."""
    batch: tuple[Any, ...] = tuple(range(matrix.order - 2))
    factors = []
    for part in side_of(row.right):
        edge = head_of(work, part.head, matrix)
        dims = [*matrix.dims[:-2], *(matrix.dims[-1] for _ in part.letters)]
        factors.append((materialise(edge, dims), (*batch, *part.letters), part.exponent))
    return einsum(row.coef, factors, (*batch, *letters))


NESTED_FUNCTIONS = Rewrite(
    "identities of functions of functions of matrices", "the rows of identities of a function of a function, below",
    lambda work, node, *depth: nested(work, node),
    "N. Higham, Functions of Matrices, chapter 1", ("logdet(expm(A))", "tr(A)"),
)  # fmt: skip
