"""The sides of identities: read from their text, and made into nodes for a given matrix.

A head such as `log(diag(cholesky))` is a chain of functions from the inside out; all are of one matrix, whose last two
axes are its rows and columns, and whose first ones are batches.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS, apply_matrix
from indexcalc.graph.constructors import addition, constant, einsum, elementwise, reduction
from indexcalc.graph.edge import Edge, is_symmetric_matrix, scaled, upright
from indexcalc.graph.node import Elementwise, Matrix, Node, Product, Reduction
from indexcalc.graph.numbers import Number, number
from indexcalc.simplify.normaliser import Normaliser

HALF = Fraction(1, 2)
DELTA = "δ"
MATRIX = "A"
"""How the matrix itself is written, that all else is a function of."""


class SideFactor(NamedTuple):
    """A factor of a side: functions from the inside out, a letter for each axis, and an exponent."""

    head: tuple[str, ...]
    letters: str
    exponent: Number = 1


@cache
def side_of(text: str) -> tuple[SideFactor, ...]:
    """The factors of a side.

    >>> for part in side_of("inv(cholesky)[i,a] eigvalsh[a]**-1"):
    ...     print(*part)
    ('cholesky', 'inv') ia 1
    ('eigvalsh',) a -1
    """
    parts = []
    for word in text.split():
        found = re.fullmatch(r"([\wδ()]+)(?:\[([a-z,]*)\])?(?:\*\*([-/\d]+))?", word)
        assert found is not None, word
        head, letters, exponent = found.groups()
        names = tuple(reversed(head.rstrip(")").split("(")))
        parts.append(SideFactor(names, (letters or "").replace(",", ""), number(Fraction(exponent or 1))))
    return tuple(parts)


# ------------------------------------------------------------------ nodes for a head


def _last(x: Node) -> tuple[int, int]:
    return x.order - 2, x.order - 1


def _symmetric(x: Node) -> Node:
    """(A + A^T)/2."""
    if is_symmetric_matrix(x):
        return x
    *batch, rows, columns = range(x.order)
    return addition([(HALF, x, range(x.order)), (HALF, x, (*batch, columns, rows))], x.dims)


def _product(x: Node, left: str, right: str) -> Node:
    """A^T A or A A^T."""
    batch = tuple(range(x.order - 2))
    return einsum(1, [(x, (*batch, *left)), (x, (*batch, *right))], (*batch, "i", "j"))


def _diagonal(x: Node) -> Node:
    batch = tuple(range(x.order - 2))
    return einsum(1, [(x, (*batch, "i", "i"))], (*batch, "i"))


def _trace(x: Node) -> Node:
    batch = tuple(range(x.order - 2))
    return einsum(1, [(x, (*batch, "i", "i"))], batch)


MADE: dict[str, Callable[[Node], Node]] = {
    "sym": _symmetric,
    "minus": lambda x: scaled(-1, x),
    "half": lambda x: scaled(HALF, x),
    "gram": lambda x: _product(x, "ai", "aj"),
    "outer": lambda x: _product(x, "ia", "ja"),
    "diag": _diagonal,
    "tr": _trace,
    "tril": lambda x: constant("tril", x.dims[-2:], ()),
}
"""What stands in a head and is no function of the library."""


def applied(name: str, x: Node) -> Node:
    """What a name in a head is, of the matrix x; of its last axis, or its entries, where the function is such.

    >>> from indexcalc.graph.constructors import variable
    >>> applied("diag", variable("A", (3, 3))).dims, applied("expm", variable("A", (3, 3))).name
    ((3,), 'expm')
    """
    if name in MADE:
        return MADE[name](x)
    if name in MATRICES:
        return apply_matrix(name, x)
    if name in ELEMENTWISE:
        return elementwise(name, [(x, range(x.order))], x.dims)
    row = REDUCTIONS[name]
    return reduction(name, x, _last(x) if row.axes == 2 else [x.order - 1], row.keeps)


def head_of(work: Normaliser, head: tuple[str, ...], matrix: Node) -> Edge:
    """The normal form of what a head is for this matrix.

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.simplify.passes import Pass
    >>> head_of(Pass(), ("cholesky", "inv"), variable("P", (3, 3))).node.name
    'inv'
    """
    edge = work.renormalise(matrix)
    dims = matrix.dims
    for name in head:
        if name != MATRIX:
            made = applied(name, upright(edge, dims))
            edge, dims = work.edge(made), made.dims
    return edge


# ------------------------------------------------------------------ the matrix that a node is a function of


def below(node: Node) -> Node | None:
    """What a node is a function of, if it is one of one argument: an entry-wise one, a diagonal, one of matrices.

    >>> from indexcalc.graph.constructors import variable
    >>> below(apply_matrix("expm", variable("A", (3, 3)))).name
    'A'
    """
    if type(node) is Elementwise and len(node.args) == 1:
        return node.args[0].node
    if isinstance(node, Matrix):
        return node.children[0] if not node.times and len(node.children) == 1 and not node.params else None
    if type(node) is Reduction:
        return node.child
    if type(node) is Product and len(node.factors) == 1 and node.coef == 1 and node.factors[0].exponent == 1:
        return node.factors[0].node
    return None


def names_in(node: Node, names: frozenset[str], depth: int = 4) -> list[Node]:
    """The functions with these names that a node is a function of, itself among them, from the outside in.

    >>> from indexcalc.graph.constructors import variable
    >>> root = apply_matrix("sqrtm", apply_matrix("expm", variable("A", (3, 3))))
    >>> [node.name for node in names_in(root, frozenset(["expm", "sqrtm"]))]
    ['sqrtm', 'expm']
    """
    found: list[Node] = []
    inner: Node | None = node
    for _ in range(depth):
        if inner is None:
            break
        if isinstance(inner, Matrix | Reduction) and inner.fn in names:
            found.append(inner)
        inner = below(inner)
    return found
