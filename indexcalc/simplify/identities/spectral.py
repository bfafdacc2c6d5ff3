"""Functions of matrices by their eigenvalues, and products of exponentials.

The rewrites: `by_eigenvalues` (V f(diag(w)) V^T is f(A), for f of exponentials, logarithms, powers, sums and products)
and `join_exponentials` (exp(a X) exp(b X) is exp((a + b) X)).

N. Higham, Functions of Matrices, chapter 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from indexcalc.functions.primary import primary
from indexcalc.graph.constructors import addition, delta, einsum, reduction
from indexcalc.graph.edge import Draft, scaled, upright
from indexcalc.graph.node import Elementwise, Factor, Labels, Matrix, Node, Product, Sum, Term
from indexcalc.graph.numbers import Number, add, multiply, number
from indexcalc.simplify.identities.sides import head_of
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened

OF_ENTRIES = {"exp": "expm", "log": "logm", "sin": "sinm", "cos": "cosm"}
"""Functions of entries, and those of matrices that they are of the eigenvalues."""
ROOTS = {Fraction(1, 2): False, Fraction(-1, 2): True}
HIGHEST = 4
"""The highest power of a matrix that is written out as a product."""


class _Nameless(Exception):
    """A function of eigenvalues that has no name among those of matrices."""


class Around(NamedTuple):
    """A function of eigenvalues between eigenvectors: the places of both, the labels at the ends and inside."""

    vectors: tuple[int, ...]
    values: list[int]
    batch: Labels
    ends: tuple[int, int]
    middle: int


def by_eigenvalues(work: Normaliser, draft: Draft, out: Sequence[int]) -> bool:
    """Puts a function of a matrix in place of eigenvectors around one of its eigenvalues; was there one?

    >>> import indexcalc as ic
    >>> S = ic.tensor("S", "n n", symmetric=True)
    >>> w, V = ic.eigh(S)
    >>> (V @ ic.diagm(3 * ic.exp(w) + 1) @ V.T).simplify()
    3*expm(S) + eye(n)
    """
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    fixed = {draft.find(label) for label in out}
    for place, (node, _, _) in enumerate(rows):
        found = _around(rows, place) if isinstance(node, Matrix) and node.fn == "eigh_v" else None
        if found is None or found.middle in fixed:
            continue
        matrix = node.children[0]
        w = upright(head_of(work, ("eigvalsh",), matrix), node.dims[:-1])
        values = [Factor(rows[k][0], tuple(range(rows[k][0].order)), rows[k][2]) for k in found.values]
        try:
            made = _product_of(work, values, w, matrix)
        except _Nameless:
            continue
        draft.factors = [one for k, one in enumerate(draft.factors) if k not in (*found.vectors, *found.values)]
        draft.drop([found.middle])
        draft.factors += opened(draft, draft.attach(work.renormalise(made), [*found.batch, *found.ends], 1))
        return True
    return False


def _around(rows: Sequence[tuple[Node, Labels, Number]], place: int) -> Around | None:
    """What stands between the eigenvectors at this place and their transpose; None where there is no such."""
    node, (*front, row, middle), exponent = rows[place]
    batch = tuple(front)
    met = [k for k, (_, labels, _) in enumerate(rows) if middle in labels and k != place]
    vectors = [k for k in met if rows[k][0] is node]
    values = [k for k in met if k not in vectors and rows[k][1] == (*batch, middle)]
    if exponent not in (1, 2) or len(vectors) != 2 - exponent or not values or len(vectors) + len(values) < len(met):
        return None
    if not vectors:
        return Around((place,), values, batch, (row, row), middle)
    _, (*others, column, end), power = rows[vectors[0]]
    fits = power == 1 and tuple(others) == batch and end == middle and middle not in (row, column)
    return Around((place, vectors[0]), values, batch, (row, column), middle) if fits else None


def _symmetric_part(work: Normaliser, matrix: Node) -> Node:
    return upright(head_of(work, ("sym",), matrix), matrix.dims)


def _matrix_of(work: Normaliser, node: Node, w: Node, matrix: Node) -> Node:
    """The function of the matrix that a node, along the axes of its eigenvalues w, is of these."""
    if node is w:
        return _symmetric_part(work, matrix)
    if isinstance(node, Sum):
        return _sum_of(work, node, w, matrix)
    if isinstance(node, Elementwise) and node.fn in OF_ENTRIES and node.args[0].labels == tuple(range(node.order)):
        inner = _matrix_of(work, node.args[0].node, w, matrix)
        return upright(work.edge(primary(OF_ENTRIES[node.fn], inner)), matrix.dims)
    if isinstance(node, Product) and not node.bound and node.out == tuple(range(node.order)):
        return scaled(node.coef, _product_of(work, node.factors, w, matrix))
    raise _Nameless


def _sum_of(work: Normaliser, node: Sum, w: Node, matrix: Node) -> Node:
    """The sum of functions of the eigenvalues as one of functions of the matrix; a number is a multiple of the unit."""
    axes, terms = tuple(range(matrix.order)), []
    for coef, inner, labels in node.terms:
        if labels == tuple(range(node.order)):
            made = _matrix_of(work, inner, w, matrix)
        elif labels:
            raise _Nameless
        else:
            unit = (delta(matrix.dims[-1]), axes[-2:])
            made = einsum(1, [(inner, ()), unit], axes, dict(enumerate(matrix.dims)))
        terms.append((coef, made, axes))
    return upright(work.edge(addition(terms, matrix.dims)), matrix.dims)


def _product_of(work: Normaliser, factors: Sequence[Factor], w: Node, matrix: Node) -> Node:
    """The product of functions of the eigenvalues, as one of functions of the matrix, which commute."""
    batch, whole = tuple(range(matrix.order - 2)), tuple(range(matrix.order))
    scalars: list[tuple[Node, Labels, Number]] = []
    chain: list[Node] = []
    for node, labels, exponent in factors:
        if not labels:
            scalars.append((node, (), exponent))
            continue
        chain += _power_of(work, _matrix_of(work, node, w, matrix), exponent)
    last = matrix.order - 1
    stops = [matrix.order - 2, *(f"k{place}" for place in range(1, len(chain))), last]
    links: list[Any] = [(link, (*batch, a, b)) for link, a, b in zip(chain, stops, stops[1:], strict=False)]
    return upright(work.edge(einsum(1, [*scalars, *links], whole)), matrix.dims)


def _power_of(work: Normaliser, base: Node, exponent: Number) -> list[Node]:
    """A power of a matrix as factors."""
    last = (base.order - 2, base.order - 1)
    if isinstance(exponent, Fraction) and exponent in ROOTS:
        root = upright(work.edge(primary("sqrtm", base)), base.dims)
        return [upright(work.edge(reduction("inv", root, last, True)), base.dims)] if ROOTS[exponent] else [root]
    if not isinstance(exponent, int) or abs(exponent) > HIGHEST:
        raise _Nameless
    if exponent < 0:
        base = upright(work.edge(reduction("inv", base, last, True)), base.dims)
    return [base] * abs(exponent)


# ------------------------------------------------------------------ exponentials


def join_exponentials(work: Normaliser, draft: Draft, out: Sequence[int]) -> bool:
    """Joins two exponentials of multiples of one matrix that stand side by side; was there a pair?

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n n")
    >>> (ic.expm(3 * A) @ ic.expm(-A)).simplify()
    expm(2*A)
    """
    rows = [(node, tuple(map(draft.find, labels)), exponent) for node, labels, exponent in draft.factors]
    own = [k for k, (node, _, e) in enumerate(rows) if isinstance(node, Matrix) and _is_exponential(node) and e == 1]
    fixed = {draft.find(label) for label in out}
    for one in own:
        for other in own:
            (left, (*batch, row, middle), _), (right, (*others, start, column), _) = rows[one], rows[other]
            if one == other or middle != start or batch != others or middle in fixed or middle in (row, column):
                continue
            if sum(labels.count(middle) for _, labels, _ in rows) != 2:
                continue
            (a, x), (b, y) = (direction(node.children[0]) for node in (left, right))
            if x is not y:
                continue
            draft.factors = [factor for k, factor in enumerate(draft.factors) if k not in (one, other)]
            draft.drop([middle])
            total = add(a, b)
            if total == 0:
                draft.join(row, column)
                return True
            inner = upright(work.edge(scaled(total, x)), x.dims)
            made = work.edge(primary("expm", inner))
            draft.factors += opened(draft, draft.attach(made, [*batch, row, column], 1))
            return True
    return False


def _is_exponential(node: Matrix) -> bool:
    return node.fn == "expm" and not node.times


def direction(node: Node) -> tuple[Number, Node]:
    """A node as a number times one that is the same for all its multiples.

    >>> from indexcalc.graph.constructors import variable
    >>> x = variable("x", (3,))
    >>> direction(scaled(2, x)) == (2, direction(x)[1])
    True
    """
    if type(node) is Product and isinstance(node.coef, int | Fraction) and node.coef:
        return node.coef, einsum(1, node.factors, node.out, dict(enumerate(node.sizes)))
    if type(node) is not Sum:
        return 1, node
    lead = node.terms[0].coef
    if not isinstance(lead, int | Fraction):
        return 1, node
    terms = [Term(multiply(number(Fraction(1) / lead), term.coef), term.node, term.labels) for term in node.terms]
    return lead, addition(terms, node.dims)
