"""Products of sums, multiplied out: on request, within a bound, and where that lets terms cancel.

The rewrites: `collect_composite` (what cancels does so first), `distribute` (one sum among the factors),
`open_dimension` (n - 1 as a number is n less 1) and `expand_to_cancel` (`a*(b+c) - a*b - a*c` is 0).
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import Draft, Edge
from indexcalc.graph.node import Node, Product, Sum
from indexcalc.graph.numbers import Number, add, multiply, number
from indexcalc.index import Dimension, symbol
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened
from indexcalc.simplify.products.normal_form import normalise_product
from indexcalc.simplify.sums import Terms, collect_terms, degree, signature

EXPAND_TERMS = 64
"""So many terms, at most, come of multiplying out unasked, in the hope that they cancel."""


def is_whole(exponent: Number) -> bool:
    """Is this a positive whole power?

    >>> is_whole(2), is_whole(-1)
    (True, False)
    """
    return isinstance(exponent, int) and exponent > 0


def is_open_sum(node: Node, exponent: Number) -> bool:
    """Is this factor a sum to a positive whole power, which could be multiplied out?"""
    return isinstance(node, Sum) and is_whole(exponent)


def collect_composite(draft: Draft) -> None:
    """Powers of one sum, or of one product, become one factor where some are denominators or roots.

    So `p*(p + q)/(p + q)` is `p`, which it no longer is once what stands above the line is multiplied out. A product
    whose roots make a whole power is opened: `sqrt(2*p)*sqrt(2*p)*q` is `2*p*q`.

    >>> import indexcalc as ic
    >>> p, q = ic.scalar("p"), ic.scalar("q")
    >>> (p*(p + q)/(p + q)).simplify(), (ic.sqrt(2*p)*ic.sqrt(2*p)*q).simplify()
    (p, 2*p*q)
    """
    parts = [(node, exponent) for node, _, exponent in draft.factors if isinstance(node, Sum | Product)]
    if all(is_whole(exponent) for _, exponent in parts):
        return
    places: dict[tuple[Node, tuple[int, ...]], int] = {}
    found: list[tuple[Node, list[int], Number]] = []
    for node, labels, exponent in draft.factors:
        key = (node, tuple(draft.find(label) for label in labels))
        if isinstance(node, Sum | Product) and key in places:
            found[places[key]] = (node, labels, add(found[places[key]][2], exponent))
            continue
        places[key] = len(found)
        found.append((node, labels, exponent))
    whole = [factor for factor in found if factor[2] != 0]
    draft.factors = [
        one for factor in whole for one in (opened(draft, factor) if isinstance(factor[2], int) else [factor])
    ]


def distribute(draft: Draft, bound: int = EXPAND_TERMS) -> list[Draft] | None:
    """The products that come of multiplying out a sum among the factors: the first that has denominators, or the first.

    Beside what is in denominators the other sums may cancel. None if there is no sum, or too many terms result.
    """
    total = 1
    for node, _, exponent in draft.factors:
        if is_open_sum(node, exponent):
            assert isinstance(node, Sum) and isinstance(exponent, int)
            total *= len(node.terms) ** min(exponent, bound)
    if not 1 < total <= bound:
        return None
    for k in sorted(range(len(draft.factors)), key=lambda k: not _has_denominators(draft.factors[k][0])):
        node, labels, exponent = draft.factors[k]
        if not isinstance(node, Sum) or not isinstance(exponent, int) or exponent < 1:
            continue
        parts = []
        for term in node.terms:
            part = draft.copy()
            part.coef = multiply(draft.coef, term.coef)
            part.factors = [*draft.factors[:k], *draft.factors[k + 1 :]]
            if exponent > 1:
                part.factors.append((node, labels, exponent - 1))
            places = [labels[x] for x in term.labels]
            if isinstance(term.node, Product):
                part.factors += part.open(term.node, places, 1)
            else:
                part.factors.append((term.node, places, 1))
            parts.append(part)
        return parts
    return None


def _has_denominators(node: Node) -> bool:
    """Is this a sum in which a sum stands in a denominator, or under a root there?"""
    return isinstance(node, Sum) and any(
        isinstance(f.node, Sum) and f.exponent.real < 0
        for term in node.terms
        if isinstance(term.node, Product)
        for f in term.node.factors
    )


def open_dimension(draft: Draft, out: Sequence[int]) -> list[Draft] | None:
    """The products that come of multiplying out the first dimension, such as n - 1, that is a sum."""
    carried = {draft.find(x) for x in (*out, *(x for _, labels, _ in draft.factors for x in labels))}
    for label, dim in enumerate(draft.dims):
        bare = draft.find(label) == label and label not in carried and label not in draft.gone
        if not bare or isinstance(dim, int) or len(dim.terms) < 2:
            continue
        parts = []
        for monomial, coef in dim.terms:
            part = draft.copy()
            part.drop([label])
            part.coef = multiply(draft.coef, number(coef))
            part.fresh(symbol(name) for name, power in monomial for _ in range(power))
            parts.append(part)
        return parts
    return None


# ------------------------------------------------------------------ where terms cancel


def expand_to_cancel(work: Normaliser, terms: Terms, dims: Sequence[Dimension]) -> Terms:
    """The terms, multiplied out if the result is shorter: `a*(b+c) - a*b - a*c` is 0.

    Tried only where two terms have, once multiplied out, a product with the same factors, and within a bound. Sums
    within the sums stay, as they do where that is foreseen: opened too, a chain of them would be opened at each link.
    """
    if len(terms) < 2 or not any(isinstance(node, Product) and _sum_inside(node) for node, _ in terms):
        return terms
    if not _would_cancel(terms):
        return terms
    left = [(Edge(coef, node, axes), _sums_inside(node)) for (node, axes), coef in terms.items()]
    done: list[Edge] = []
    while left:
        if len(left) + len(done) > EXPAND_TERMS:
            return terms
        (coef, node, axes), sums = left.pop()
        if not sums or not isinstance(node, Product):
            done.append(Edge(coef, node, axes))
            continue
        draft = Draft()
        places = draft.fresh(dims[axis] for axis in axes)
        draft.coef = coef
        draft.factors = draft.open(node, places, 1)
        parts = distribute(draft)
        if parts is None:
            done.append(Edge(coef, node, axes))
            continue
        for part in parts:
            edge = normalise_product(work, part, places)
            if not isinstance(edge, Edge):
                return terms
            left.append((Edge(edge.coef, edge.node, tuple(axes[x] for x in edge.axes)), sums - 1))
    expanded = collect_terms(done, work.key)
    return expanded if len(expanded) < len(done) and _weight(expanded) < _weight(terms) else terms


def _sum_inside(node: Product) -> bool:
    return any(isinstance(f.node, Sum) and f.exponent == 1 for f in node.factors)


def _sums_inside(node: Node) -> int:
    """How many sums there are to multiply out among the factors, a power of one counted as so many."""
    if not isinstance(node, Product):
        return 0
    return sum(int(f.exponent.real) for f in node.factors if is_open_sum(f.node, f.exponent))


def _would_cancel(terms: Terms) -> bool:
    """Would the terms, multiplied out, be fewer and shorter, as far as the signatures of their factors tell?"""
    total: dict[int, Number] = {}
    length: dict[int, int] = {}
    for (node, _), coef in terms.items():
        marks = _marks(node)
        if marks is None:
            return False
        for mark, own, factors in marks:
            total[mark] = add(total.get(mark, 0), multiply(coef, own))
            length[mark] = factors
    left = [mark for mark, coef in total.items() if coef != 0]
    return len(total) > len(left) and sum(1 + length[mark] for mark in left) < _weight(terms)


Mark = tuple[int, Number, int]


def _marks(node: Node) -> list[Mark] | None:
    """What a term becomes when it is multiplied out: signature, coefficient and degree of each product.

    None past the bound.
    """
    if not isinstance(node, Product):
        return [(signature(node), 1, 1)]
    if "marks" in node.facts:
        known: list[Mark] | None = node.facts["marks"]
        return known
    made: list[Mark] | None = [(0, node.coef, 0)]
    for node_in, _, exponent in node.factors:
        if isinstance(exponent, int):
            inner: list[Mark] = [(signature(node_in) * exponent, 1, abs(exponent))]
        else:
            inner = [(signature(einsum(1, [(node_in, range(node_in.order), exponent)], range(node_in.order))), 1, 1)]
        if isinstance(node_in, Sum) and exponent == 1:
            inner = [(signature(term.node), term.coef, degree(term.node)) for term in node_in.terms]
        if made is None or len(made) * len(inner) > EXPAND_TERMS:
            made = None
            break
        made = [((a + b) % 2**61, multiply(p, q), m + n) for a, p, m in made for b, q, n in inner]
    node.facts["marks"] = made
    return made


def _weight(terms: Terms) -> int:
    """How long the terms are, sums among their factors opened once."""
    total = 0
    for node, _ in terms:
        total += 1 + degree(node)
        if isinstance(node, Product):
            total += sum(1 + degree(t.node) for f in node.factors if isinstance(f.node, Sum) for t in f.node.terms)
    return total
