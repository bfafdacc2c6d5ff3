"""Norms beside squares of what they are norms of: `(x @ x)/norm2(x)**5` is `norm2(x)**-3`.

The rewrites: `join_norms` and `join_squares`. Where expressions are compared, `norm2(x)**2` is `x @ x` too; a negative
power of a norm stays one, since it can be computed without overflow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import Draft, Edge, power
from indexcalc.graph.node import Labels, Node, Product, Reduction, Sum
from indexcalc.graph.numbers import Number, add, multiply, number
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened
from indexcalc.simplify.products.cancel import Matcher
from indexcalc.simplify.sums import Terms, collect_terms

Row = tuple[Node, Labels, Number]


def join_norms(work: Normaliser, draft: Draft, out: Sequence[int]) -> None:
    """Squares of what a norm is of, in a product with a power of the norm, become part of that power.

    >>> import indexcalc as ic
    >>> x = ic.tensor("x", "n")
    >>> (x @ x / ic.norm2(x)**5).simplify(), (x @ x * ic.norm2(x)).simplify(), ic.norm2(x)**2 == x @ x
    (1/norm2(x)**3, norm2(x)**3, True)
    """
    while any(_is_norm(node) for node, _, _ in draft.factors) and _join_one(work, draft, out):
        pass


def join_squares(work: Normaliser, terms: Terms) -> Terms:
    """The terms with squares of norms as sums of squares, if that leaves fewer: `norm2(x)**2 - x @ x` is 0.

    >>> import indexcalc as ic
    >>> x, y = ic.tensor("x", "n"), ic.tensor("y", "n")
    >>> (ic.norm2(x - y)**2 - (x - y) @ (x - y)).simplify(), (ic.norm2(x)**2 + 1).simplify()
    (0, norm2(x)**2 + 1)
    """
    squares = [key for key in terms if _has_square(key[0])]
    if not squares or len(terms) < 2:
        return terms
    edges = [Edge(coef, *key) for key, coef in terms.items() if key not in squares]
    for node, labels in squares:
        assert isinstance(node, Product)
        draft = Draft()
        places = draft.fresh(node.dims)
        rows = draft.open(node, places, 1)
        for inner, own, exponent in rows:
            if isinstance(inner, Reduction) and _is_even(inner, exponent):
                assert isinstance(exponent, int)
                draft.factors += opened(draft, draft.attach(_square(work, inner), own, exponent // 2))
            else:
                draft.factors.append((inner, own, exponent))
        coef, made, axes = work.finish(draft, places, node.dims)
        if isinstance(made, Sum):
            return terms
        edges.append(Edge(multiply(terms[node, labels], coef), made, tuple(labels[axis] for axis in axes)))
    found = collect_terms(edges, work.key)
    return found if len(found) < len(terms) else terms


def _has_square(node: Node) -> bool:
    return type(node) is Product and any(_is_even(f.node, f.exponent) for f in node.factors)


def _is_even(node: Node, exponent: Number) -> bool:
    return isinstance(exponent, int) and exponent > 0 and exponent % 2 == 0 and _is_norm(node)


def _is_norm(node: Node) -> bool:
    """Is it a norm of what can be squared in one step? In a chain of products each square would open all below."""
    if type(node) is not Reduction or not reduction_row(node.fn).norm:
        return False
    child = node.child
    return not isinstance(child, Product) or not any(factor.node.children for factor in child.factors)


def _join_one(work: Normaliser, draft: Draft, out: Sequence[int]) -> bool:
    """Changes one power of a norm; says whether there was one."""
    rows = _collected(draft)
    for place, (node, labels, exponent) in enumerate(rows):
        if not isinstance(node, Reduction) or not _is_norm(node) or not isinstance(exponent, int):
            continue
        square = _square(work, node)
        found = _found(draft, rows, square, labels, out)
        if found is not None:
            places, times = found
            raised = power(square.coef, multiply(times, -1))
            if raised is None:
                continue
            draft.coef = multiply(draft.coef, raised)
            total = add(exponent, multiply(2, times))
            kept = [row for k, row in enumerate(rows) if k != place and k not in places]
            _put(draft, kept, [(node, list(labels), total)] if total != 0 else [])
            return True
        if work.flat and _is_even(node, exponent):
            made = draft.attach(square, list(labels), exponent // 2)
            _put(draft, [row for k, row in enumerate(rows) if k != place], opened(draft, made))
            return True
    return False


def _collected(draft: Draft) -> list[Row]:
    """The factors, equal ones as powers."""
    powers: dict[tuple[Node, Labels], Number] = {}
    for node, labels, exponent in draft.factors:
        key = node, tuple(map(draft.find, labels))
        powers[key] = add(powers[key], exponent) if key in powers else exponent
    return [(node, labels, exponent) for (node, labels), exponent in powers.items() if exponent != 0]


def _square(work: Normaliser, node: Reduction) -> Edge:
    """The square of a norm, as a sum of squares."""
    whole = tuple(range(node.child.order))
    kept = [axis for axis in whole if axis not in node.axes]
    return work.edge(einsum(1, [(node.child, whole, 2)], kept))


def _found(
    draft: Draft, rows: list[Row], square: Edge, labels: Labels, out: Sequence[int]
) -> tuple[set[int], Number] | None:
    """The places of factors that are a power of the square, and its exponent; None where there are none."""
    _, node, axes = square
    if len(axes) < len(labels) or not isinstance(node, Product):
        return None
    where = tuple(labels[axis] for axis in axes)
    for place, (other, own, exponent) in enumerate(rows):
        if other is node and own == where and isinstance(exponent, int | Fraction):
            return {place}, exponent
    times = Counter(label for _, own, _ in rows for label in own)
    times.update(draft.find(label) for label in out)
    start = dict(zip(node.out, where, strict=True))
    match = Matcher(rows, node, start, len(node.sizes) - 1, times).found()
    gone = set() if match is None else match.inside
    if match is None or not gone or any(draft.find(label) in gone for label in where):
        return None
    draft.drop(gone)
    return set(match.places), number(1)


def _put(draft: Draft, kept: list[Row], made: list[tuple[Node, list[int], Number]]) -> None:
    draft.factors = [(node, list(labels), exponent) for node, labels, exponent in kept] + made
