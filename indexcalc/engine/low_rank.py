"""A diagonal plus what is of low rank: its inverse by Woodbury's identity, its determinant by the determinant lemma.

`inv(D + L R') = inv(D) - inv(D) L inv(K) R' inv(D)` and `det(D + L R') = det(D) det(K)` with `K = I + R' inv(D) L` (M.
Woodbury, Inverting modified matrices, 1950). K has the order of the rank. The diagonal has to be known to be positive:
only then does `inv(D)` exist because the matrix is what it is declared to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from indexcalc.engine.bind.inputs import size_of
from indexcalc.functions.table import INV, LOG, LOGDET
from indexcalc.graph.constructors import addition, delta, einsum, elementwise, reduction
from indexcalc.graph.node import Node, Product, Reduction, Sum, Term
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.walk import replace
from indexcalc.simplify.intervals import is_positive

RANK, ORDER = 4, 16
"""Times: the order is at least so many ranks, and at least so much; else one factorisation takes no longer."""


class LowRank(NamedTuple):
    """`sign * (diag(diagonal) + left right')`: the sides have an axis of the order and one of the rank."""

    diagonal: Node
    left: Node
    right: Node
    sign: int

    @property
    def over(self) -> tuple[Node, Node]:
        """The sides over the diagonal: they are kept as they are, or products would be made of their factors."""
        left, right = (einsum(1, [(self.diagonal, "i", -1), (side, "ia")], "ia") for side in (self.left, self.right))
        return left, right


class SmallerRoots(NamedTuple):
    """Roots, the matrices whose inverses and determinants they lack, and what is best kept as a value."""

    roots: list[Node]
    matrices: list[Node]
    kept: frozenset[Node]


def of_low_rank(roots: Sequence[Node], sizes: Mapping[str, int] | None) -> SmallerRoots:
    """The roots with inverses and determinants of a positive diagonal plus low rank by those of small matrices.

    Without sizes they stay as they are.

    >>> from indexcalc.graph.constructors import variable
    >>> s, U = variable("s", (99,), ["positive"]), variable("U", (99, 2))
    >>> parts = [(1, einsum(1, [(s, "i")], "ii"), (0, 1)), (1, einsum(1, [(U, "ia"), (U, "ja")], "ij"), (0, 1))]
    >>> roots, found, _ = of_low_rank([reduction("logdet", addition(parts, (99, 99)), (0, 1), False)], {})
    >>> [term.node.dims for term in roots[0].terms], len(found)
    ([(), ()], 1)
    """
    if sizes is None:
        return SmallerRoots(list(roots), [], frozenset())
    known: dict[Node, LowRank | None] = {}
    inverses: set[Node] = set()

    def change(old: Node, new: Node) -> Node:
        if isinstance(new, Sum) and not inverses.isdisjoint(new.children):
            return _flat(new, inverses)
        if not isinstance(new, Reduction) or new.fn not in FORMS or not isinstance(new.child, Sum):
            return new
        if new.child not in known:
            known[new.child] = split(new.child, sizes)
        found = known[new.child]
        if found is not None:
            new = FORMS[new.fn](new, found)
            inverses.update([new] if new.dims else [])
        return new

    made = replace(list(roots), change)
    split_up = {node: found for node, found in known.items() if found is not None}
    return SmallerRoots(made, list(split_up), frozenset(side for found in split_up.values() for side in found.over))


def split(node: Sum, sizes: Mapping[str, int]) -> LowRank | None:
    """A matrix as a positive diagonal and a product of two sides of few columns, if it is that."""
    if node.order != 2 or not all(isinstance(term.node, Product) for term in node.terms):
        return None
    diagonals = [term for term in node.terms if len(set(_product(term).out)) < len(_product(term).out)]
    others = [term for term in node.terms if term not in diagonals]
    if not diagonals or len(others) != 1 or len(others[0].labels) != 2:
        return None
    for sign in (1, -1):
        rows = [(multiply(sign, term.coef), _diagonal(_product(term)), (0,)) for term in diagonals]
        diagonal = addition(rows, node.dims[:1])
        sides = _sides(others[0], sign) if is_positive(diagonal) else None
        if sides is not None:
            order, rank = size_of(node.dims[0], sizes), size_of(sides[0].dims[1], sizes)
            return LowRank(diagonal, *sides, sign) if order >= max(ORDER, RANK * rank) else None
    return None


def _flat(node: Sum, inner: Collection[Node]) -> Node:
    """A sum with the terms of some of its terms: the diagonal of an inverse has to be seen, not to be written out."""
    terms: list[tuple[Number, Node, Sequence[int]]] = []
    for coef, child, labels in node.terms:
        if child in inner and isinstance(child, Sum):
            terms += [(multiply(coef, own), part, [labels[x] for x in axes]) for own, part, axes in child.terms]
        else:
            terms.append((coef, child, labels))
    return addition(terms, node.dims)


def _product(term: Term) -> Product:
    assert isinstance(term.node, Product)
    return term.node


def _diagonal(node: Product) -> Node:
    """What stands on the diagonal of a product that has one."""
    return einsum(node.coef, list(node.factors), node.out[:1], dict(enumerate(node.sizes)))


def _sides(term: Term, sign: int) -> tuple[Node, Node] | None:
    """The sides of a product of matrices, cut where one label goes through, or none; the left one times the sign."""
    node = _product(term)
    row, column = (node.out[term.labels.index(axis)] for axis in (0, 1))
    right = [f for f in node.factors if column in f.labels]
    left = [f for f in node.factors if column not in f.labels]
    if not right or any(row in f.labels for f in right) or not any(row in f.labels for f in left):
        return None
    through = {x for f in right for x in f.labels} & {x for f in left for x in f.labels}
    if len(through) > 1:
        return None
    (rank,) = through or {len(node.sizes)}
    dims = dict(enumerate(node.sizes)) | ({} if through else {rank: 1})
    own = [{x: dims[x] for x in (*_labels(side), rank)} for side in (left, right)]
    coef = multiply(sign, multiply(term.coef, node.coef))
    return einsum(coef, left, (row, rank), own[0]), einsum(1, right, (column, rank), own[1])


def _labels(factors: Sequence[tuple[Node, Sequence[int], object]]) -> set[int]:
    return {x for _, labels, _ in factors for x in labels}


def _small(found: LowRank) -> Node:
    """`I + R' inv(D) L`."""
    rank = found.left.dims[1]
    inner = einsum(1, [(found.right, "ia"), (found.over[0], "ib")], "ab")
    return addition([(1, delta(rank), (0, 1)), (1, inner, (0, 1))], (rank, rank))


def _inverse(node: Reduction, found: LowRank) -> Node:
    """`inv(D) - inv(D) L inv(K) R' inv(D)`."""
    small = reduction(node.fn, _small(found), (0, 1), node.keeps, node.params)
    whole = einsum(1, [(found.diagonal, "i", -1)], "ii")
    left, right = found.over
    rest = einsum(1, [(left, "ia"), (small, "ab"), (right, "jb")], "ij")
    return addition([(found.sign, whole, (0, 1)), (-found.sign, rest, (0, 1))], node.dims)


def _log_determinant(node: Reduction, found: LowRank) -> Node:
    """`sum(log(D)) + logdet(K)`."""
    logs = elementwise(LOG, [(found.diagonal, (0,))], found.diagonal.dims)
    small = reduction(node.fn, _small(found), (0, 1), node.keeps, node.params)
    return addition([(1, einsum(1, [(logs, "i")], ""), ()), (1, small, ())], ())


FORMS = {INV: _inverse, LOGDET: _log_determinant}
"""The functions of a matrix that are made of its parts."""
