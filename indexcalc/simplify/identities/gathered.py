"""Identities among the factors of a product: its functions of one matrix, and that matrix itself.

The rewrite: `identify`, by the rows of `table.GATHERED`. Where a left side has been found, its factors go, with the
labels that are summed in it, and those of the right side come in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from indexcalc.functions.table import MATRICES, REDUCTIONS
from indexcalc.graph.edge import Draft, Edge, power
from indexcalc.graph.node import Constant, Labels, Node, Product, Reduction
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.simplify.identities.sides import DELTA, MATRIX, SideFactor, below, head_of, names_in, side_of
from indexcalc.simplify.identities.spectral import by_eigenvalues, join_exponentials
from indexcalc.simplify.identities.table import GATHERED, Identity
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened
from indexcalc.simplify.products.cancel import arrangements

GRAMS = frozenset(("gram", "outer"))
ANCHORS = (MATRICES.keys() | REDUCTIONS.keys()) - {"inv"}
"""The functions by which a matrix is found that identities are looked for; or it is that of an inverse Gram matrix."""
NEEDS = [
    (row, frozenset(name for part in side_of(row.left) for name in part.head if name in ANCHORS | GRAMS))
    for row in GATHERED
]
"""The rows, with what has to be there."""
USED = frozenset[str](["expm"]).union(*(names for _, names in NEEDS))


class Matched(NamedTuple):
    """How far a left side has been found: letters with their labels, and how much of which factor is taken."""

    labels: dict[str, int]
    taken: dict[int, Number]
    coef: Number


def identify(work: Normaliser, draft: Draft, out: Sequence[int]) -> None:
    """Rewrites a product by the identities of functions of matrices, while one is found.

    >>> import indexcalc as ic
    >>> S = ic.tensor("S", "n n", symmetric=True)
    >>> w, V = ic.eigh(S)
    >>> (V @ V.T).simplify(), (S @ V).simplify()
    (eye(n), eigh_v(S) @ diagm(eigvalsh(S)))
    """
    while any(_is_anchor(node) for node, _, _ in draft.factors) and (
        _identify_one(work, draft, out) or by_eigenvalues(work, draft, out) or join_exponentials(work, draft, out)
    ):
        pass


def _is_anchor(node: Node) -> bool:
    return bool(names_in(node, USED)) or _of_gram(node) is not None


def _of_gram(node: Node) -> Node | None:
    """X, if this is the inverse of X^T X or X X^T."""
    if type(node) is not Reduction or node.fn != "inv" or type(node.child) is not Product or node.order != 2:
        return None
    nodes = {factor.node for factor in node.child.factors}
    return nodes.pop() if len(node.child.factors) == 2 and len(nodes) == 1 else None


def _identify_one(work: Normaliser, draft: Draft, out: Sequence[int]) -> bool:
    """Rewrites by one identity; says whether there was one."""
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    fixed = {draft.find(label) for label in out}
    matrices: dict[Node, set[str]] = {}
    for node, _, _ in rows:
        for inner in names_in(node, USED):
            if (matrix := below(inner)) is not None and matrix.order >= 2:
                matrices.setdefault(matrix, set()).add(inner.name)
        if (matrix := _of_gram(node)) is not None:
            matrices.setdefault(matrix, set()).update(GRAMS)
    return any(
        needs <= names and row.when(matrix) and _by(work, draft, fixed, rows, row, matrix)
        for matrix, names in matrices.items()
        for row, needs in NEEDS
    )


Rows = Sequence[tuple[Node, Labels, Number]]


def _by(work: Normaliser, draft: Draft, fixed: set[int], rows: Rows, row: Identity, matrix: Node) -> bool:
    """Rewrites by this identity of this matrix, if its left side is there."""
    parts = side_of(row.left)
    outermost = {node.name for node, _, _ in rows}
    if any(part.head[-1] not in outermost for part in parts if part.head != (MATRIX,)):
        return False
    edges = [head_of(work, part.head, matrix) for part in parts]
    kept = {letter for part in side_of(row.right) for letter in part.letters}
    for batch in _batches(rows, edges, matrix.order - 2):
        for found in _left(rows, list(zip(parts, edges, strict=True)), batch, Matched({}, {}, 1)):
            bound = {found.labels[letter] for letter in found.labels if letter not in kept}
            if _closed(rows, found, bound, fixed):
                _replace(work, draft, found, bound, batch, row, matrix)
                if work.trace is not None:
                    work.trace.because(row.name)
                return True
    return False


def _batches(rows: Rows, edges: Sequence[Edge], count: int) -> Iterator[Labels]:
    """The labels of batches that the first part may have."""
    if count == 0:
        yield ()
        return
    edge = next(edge for edge in edges if not isinstance(edge.node, Constant))
    for node, labels, _ in rows:
        if node is edge.node and set(range(count)) <= set(edge.axes):
            yield tuple(labels[edge.axes.index(axis)] for axis in range(count))


def _left(rows: Rows, left: Sequence[tuple[SideFactor, Edge]], batch: Labels, found: Matched) -> Iterator[Matched]:
    """The ways in which the rest of a left side stands among the factors."""
    if not left:
        yield found
        return
    (part, edge), *rest = left
    raised = power(edge.coef, part.exponent)
    own_batch = () if isinstance(edge.node, Constant) else batch
    if raised is None or raised == 0 or len(edge.axes) < len(own_batch) + len(part.letters):
        return
    coef = multiply(found.coef, power(raised, -1) or 1)
    for place, (node, labels, exponent) in enumerate(rows):
        if node is not edge.node or not _has(add(exponent, -found.taken.get(place, 0)), part.exponent):
            continue
        for turned, sign in arrangements(node, labels):
            own = [turned[edge.axes.index(axis)] for axis in range(len(edge.axes))]
            known = _bound(found.labels, part.letters, own, own_batch)
            if known is not None:
                taken = found.taken | {place: add(found.taken.get(place, 0), part.exponent)}
                yield from _left(rows, rest, batch, Matched(known, taken, multiply(coef, sign)))


def _has(left: Number, wanted: Number) -> bool:
    """Is so high a power of a factor left?"""
    if left == wanted:
        return True
    return isinstance(left, int) and isinstance(wanted, int) and left * wanted > 0 and abs(left) >= abs(wanted)


def _bound(known: dict[str, int], letters: str, own: Sequence[int], batch: Labels) -> dict[str, int] | None:
    """The labels of letters once a part stands on these; None where that does not fit."""
    if tuple(own[: len(batch)]) != batch:
        return None
    made = dict(known)
    for letter, label in zip(letters, own[len(batch) :], strict=True):
        if made.setdefault(letter, label) != label:
            return None
    return made


def _closed(rows: Rows, found: Matched, bound: set[int], fixed: set[int]) -> bool:
    """Do the labels that are to go occur nowhere else?"""
    others = [label for letter, label in found.labels.items() if label in bound]
    if len(others) > len(bound) or bound & fixed:
        return False
    return all(
        add(exponent, -found.taken.get(place, 0)) == 0
        for place, (_, labels, exponent) in enumerate(rows)
        if not bound.isdisjoint(labels)
    )


def _replace(
    work: Normaliser, draft: Draft, found: Matched, bound: set[int], batch: Labels, row: Identity, matrix: Node
) -> None:
    """The factors of the left side go, those of the right one come."""
    draft.coef = multiply(multiply(draft.coef, row.coef), found.coef)
    left = []
    for place, (node, labels, exponent) in enumerate(draft.factors):
        rest = add(exponent, -found.taken.get(place, 0))
        if rest != 0:
            left.append((node, labels, rest))
    draft.factors = left
    draft.drop(bound)
    where = dict(found.labels)
    for part in side_of(row.right):
        if part.head == (DELTA,):
            draft.join(*(where[letter] for letter in part.letters))
            continue
        edge = head_of(work, part.head, matrix)
        for letter in part.letters:
            if letter not in where:
                where[letter] = draft.fresh([matrix.dims[-1]])[0]
        places = [*batch, *(where[letter] for letter in part.letters)]
        draft.factors += opened(draft, draft.attach(edge, places, part.exponent))
