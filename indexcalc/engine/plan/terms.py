"""Sums of products: what the planner works on.

A `Summand` is `coef * product of leaf[labels]`, summed over the labels that `out` lacks. A label may repeat in `out` (a
delta), or be in no factor (an axis along which the term is constant). Leaves are nodes of the graph that are computed
as they are; everything between them, products and sums, is opened as far as the choice of the planner says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, assert_never

from indexcalc.engine.plan.pool import StepPool
from indexcalc.graph.constructors import as_number, einsum, elementwise
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Definition, Elementwise, Labels, Node, Product, Sum, Term
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import entries_taken

MOST_FACTORS = 40
"""Factors of all terms: a sum with more of them stays a value, or products of sums would grow without end."""
MOST_TERMS = 24
"""Terms: a sum of more stays a value, for the same reason."""
DELTA_TERMS = 4
"""Terms: a sum of at most so many that holds a delta is multiplied out, rather than written out."""
Inline = Product | Sum | Definition
INLINE = (Product, Sum, Definition)
"""The kinds of node that may be opened; all others are leaves."""


class Summand(NamedTuple):
    """`coef * product of node[labels]**exponent`; `sizes` has the size of each label, `out` a label for each axis."""

    coef: Number
    factors: tuple[tuple[Node, Labels, Number], ...]
    out: Labels
    sizes: tuple[int, ...]


Terms = list[Summand]


class Choice(NamedTuple):
    """Products and sums that stay values of their own, and sums that are multiplied out.

    With `deltas`, all short ones that hold a delta; `written` if each product and sum is made as it is written.
    """

    kept: frozenset[Node]
    opened: frozenset[Node]
    deltas: bool = True
    written: bool = False


class Opening:
    """The products, sums and named steps of a graph as sums of products, opened as far as a choice says.

    `order` has the nodes, children first; `terms` those that were opened, each as its summands.
    """

    def __init__(self, order: Sequence[Node], choice: Choice, pool: StepPool) -> None:
        self.order, self.choice, self.pool = order, choice, pool
        self.arguments = {child for node in order if not isinstance(node, INLINE) for child in node.children}
        self.banded, self.narrowed = banded(order), narrowed_sums(order)
        self.terms: dict[Node, Terms] = {}

    def values(self, roots: Sequence[Node]) -> set[Node]:
        """The products and sums that are values: roots, arguments of functions, and what the choice keeps."""
        wanted = set(roots) | self.arguments
        for node in self.order:
            if isinstance(node, Product):
                wanted |= {f.node for f in node.factors if not self.opens(node, f.node, f.exponent)}
            elif isinstance(node, Sum | Definition):
                wanted |= {child for child in node.children if not self.opens(node, child, 1)}
        return wanted

    def opens(self, parent: Node, child: Node, exponent: Number) -> bool:
        """Is a child, to this power, opened where it stands in this parent?"""
        if isinstance(child, Definition):
            return exponent == 1
        if exponent != 1 or not isinstance(child, INLINE):
            return False
        if child in self.choice.kept or (child in self.arguments and isinstance(child, Product) and child.bound):
            return False
        if isinstance(child, Product) or not isinstance(parent, Product):
            return not (isinstance(child, Sum) and child in self.arguments)
        if child in self.choice.opened or (self.choice.deltas and _holds_delta(child)):
            return True
        return child in self.banded or (self.choice.deltas and child in self.narrowed)

    def summands(self, node: Inline) -> Terms:
        """A product, sum or named step as a sum of products, found once; its children are opened before it."""
        found = self.terms.get(node)
        if found is None:
            inner = self._inner(node)
            name = node, tuple(map(id, inner))  # terms are as old as the pool: no two of one name
            found = self.pool.opened.get(name)
            if found is None:
                found = self.pool.opened[name] = self._opened(node, inner)
            self.terms[node] = found
        return found

    def _inner(self, node: Inline) -> list[Terms | None]:
        """The terms of the children that are opened, None for the others."""
        if isinstance(node, Product):
            uses = [(f.node, f.exponent) for f in node.factors]
        else:
            uses = [(child, 1) for child in ([t.node for t in node.terms] if isinstance(node, Sum) else node.children)]
        found = [self.terms.get(child) if self.opens(node, child, exponent) else None for child, exponent in uses]
        return [terms if terms is None or _is_short(terms) else None for terms in found]

    def _opened(self, node: Inline, inner: Sequence[Terms | None]) -> Terms:
        match node:
            case Product():
                return product(node, self.pool.extents(node), inner)
            case Sum():
                other = complement(node)
                if other is not None:
                    return as_leaf(other, self.pool.shape(node.dims))
                return total(node, self.pool.shape(node.dims), inner)
            case Definition():
                (terms,) = inner
                return as_leaf(node.child, self.pool.shape(node.dims)) if terms is None else terms
            case _:
                assert_never(node)


def _is_short(terms: Terms) -> bool:
    return len(terms) <= MOST_TERMS and sum(len(term.factors) for term in terms) <= MOST_FACTORS


def narrowed_sums(order: Sequence[Node]) -> set[Node]:
    """Sums of products that sum something, of which a diagonal is taken, or a sum along axes, and nothing else.

    Each product is made of that alone, `tr(A B + C D)` of two sums over two axes. They run along all axes: to add up
    what is centred is another matter.
    """
    users: dict[Node, list[Node]] = {}
    for node in order:
        for child in dict.fromkeys(node.children):
            users.setdefault(child, []).append(node)
    found: set[Node] = set()
    for node, (user, *others) in users.items():
        if isinstance(node, Sum) and not others and isinstance(user, Product) and len(user.factors) == 1:
            (factor,) = user.factors
            fewer = len(set(factor.labels) & set(user.out)) < len(factor.labels)
            if factor.exponent == 1 and fewer and all(_may_narrow(term, node.order) for term in node.terms):
                found.add(node)
    return found


def _may_narrow(term: Term, order: int) -> bool:
    """Is it a product that sums something, and that runs along all of so many axes?"""
    return isinstance(term.node, Product) and term.node.bound > 0 and len(set(term.labels)) == order


def as_leaf(node: Node, shape: Sequence[int]) -> Terms:
    """The node itself, as a sum of products."""
    axes = tuple(range(len(shape)))
    return [Summand(1, ((node, axes, 1),), axes, tuple(shape))]


def relabelled(term: Summand, labels: Sequence[int], sizes: Sequence[int], offset: int) -> tuple[list[int], list[int]]:
    """The labels of a term that stands where `labels` are its axes: new ones for what it sums, and their sizes."""
    table: dict[int, int] = {}
    extra: list[int] = []
    for own in range(len(term.sizes)):
        table[own] = offset + len(extra)
        extra.append(term.sizes[own])
    return [table[own] for own in range(len(term.sizes))], extra


def product(node: Product, sizes: Sequence[int], inner: Sequence[Terms | None]) -> Terms:
    """A product as a sum of products: the factors that have terms are multiplied out."""
    start = Summand(node.coef, (), node.out, tuple(sizes))
    states: list[tuple[Number, list[tuple[Node, Labels, Number]], list[int], list[tuple[int, int]]]] = [
        (start.coef, [], list(sizes), [])
    ]
    for (child, labels, exponent), terms in zip(node.factors, inner, strict=True):
        if terms is None:
            for _, factors, _, _ in states:
                factors.append((child, labels, exponent))
            continue
        grown = []
        for coef, factors, dims, joins in states:
            for term in terms:
                place, extra = relabelled(term, labels, dims, len(dims))
                grown.append(
                    (
                        multiply(coef, term.coef),
                        [*factors, *((leaf, tuple(place[x] for x in own), power) for leaf, own, power in term.factors)],
                        dims + extra,
                        [*joins, *((outside, place[x]) for outside, x in zip(labels, term.out, strict=True))],
                    )
                )
        states = grown
    return [joined_term(coef, factors, node.out, dims, joins) for coef, factors, dims, joins in states]


def total(node: Sum, shape: Sequence[int], inner: Sequence[Terms | None]) -> Terms:
    """A sum as a sum of products."""
    result = []
    axes = tuple(range(len(shape)))
    for (coef, child, labels), terms in zip(node.terms, inner, strict=True):
        if terms is None:
            result.append(Summand(coef, ((child, labels, 1),), axes, tuple(shape)))
            continue
        for term in terms:
            place, extra = relabelled(term, labels, shape, len(shape))
            factors = [(leaf, tuple(place[x] for x in own), power) for leaf, own, power in term.factors]
            joins = [(outside, place[x]) for outside, x in zip(labels, term.out, strict=True)]
            result.append(joined_term(multiply(coef, term.coef), factors, axes, [*shape, *extra], joins))
    return result


def joined_term(
    coef: Number,
    factors: Sequence[tuple[Node, Labels, Number]],
    out: Sequence[int],
    sizes: Sequence[int],
    joins: Sequence[tuple[int, int]],
) -> Summand:
    """A term whose labels are joined by deltas: joined ones become one, and all are numbered anew, `out` first."""
    joined = UnionFind()
    for one, other in joins:
        joined.join(one, other)
    number: dict[int, int] = {}
    for label in (*out, *(x for _, labels, _ in factors for x in labels), *range(len(sizes))):
        number.setdefault(joined.find(label), len(number))
    place = [number[joined.find(label)] for label in range(len(sizes))]
    new = [0] * len(number)
    for label, size in enumerate(sizes):
        new[place[label]] = size
    return Summand(
        coef,
        tuple((leaf, tuple(place[x] for x in labels), power) for leaf, labels, power in factors),
        tuple(place[x] for x in out),
        tuple(new),
    )


def complement(node: Sum) -> Node | None:
    """`1 - sigmoid(z)` as `sigmoid(-z)`, which has its digits where the sigmoid is near 1; None for other sums."""
    if len(node.terms) != 2:
        return None
    one, other = sorted(node.terms, key=lambda term: isinstance(term.node, Elementwise))
    inner = other.node
    if (one.coef, other.coef) != (1, -1) or as_number(one.node) != 1:
        return None
    if not isinstance(inner, Elementwise) or inner.fn != "sigmoid" or len(other.labels) != len(node.shape):
        return None
    (arg,) = inner.args
    axes = range(arg.node.order)
    turned = einsum(-1, [(arg.node, axes)], axes)
    return elementwise("sigmoid", [(turned, [other.labels[x] for x in arg.labels])], node.shape)


def banded(order: Sequence[Node]) -> set[Node]:
    """The sums with a term that lies on diagonals of a part of it: these are opened, and never written out as factors.

    `order` has its nodes, children first. Axes that deltas and selections join are told by a number for each axis.
    """
    joined: dict[Node, Labels] = {}
    selects: set[Node] = set()
    found: set[Node] = set()
    for node in order:
        if entries_taken(node) is not None:
            selects.add(node)
            joined[node] = (0,) * node.order if node.name == "selection" else tuple(range(node.order))
        elif isinstance(node, INLINE) and not selects.isdisjoint(node.children):
            selects.add(node)
            own = [_pattern(term, joined) for term in _parts(node)]
            joined[node] = own[0] if len(own) == 1 else tuple(_meet(own))
            if isinstance(node, Sum) and any(len(set(axes)) < node.order for axes in own):
                found.add(node)
    return found


def _parts(node: Inline) -> list[tuple[Labels, list[tuple[Node, Labels]]]]:
    """The terms of a node: the labels of its axes, and its factors with theirs."""
    if isinstance(node, Product):
        return [(node.out, [(f.node, f.labels) for f in node.factors])]
    axes = tuple(range(node.order))
    return (
        [(axes, [(t.node, t.labels)]) for t in node.terms] if isinstance(node, Sum) else [(axes, [(node.child, axes)])]
    )


def _pattern(term: tuple[Labels, list[tuple[Node, Labels]]], joined: Mapping[Node, Labels]) -> Labels:
    """A number for each axis of a term, the same for axes that are joined."""
    out, factors = term
    labels = UnionFind()
    for node, own in factors:
        first: dict[int, int] = {}
        for label, group in zip(own, joined.get(node, ()), strict=False):
            labels.join(first.setdefault(group, label), label)
    return tuple(map(labels.find, out))


def _meet(patterns: Sequence[Labels]) -> list[int]:
    """What is joined in all patterns."""
    number: dict[Labels, int] = {}
    return [number.setdefault(groups, len(number)) for groups in zip(*patterns, strict=True)]


def _holds_delta(node: Node) -> bool:
    """Is this a short sum with a delta among its terms?"""
    if not isinstance(node, Sum) or len(node.terms) > DELTA_TERMS:
        return False
    return any(isinstance(term.node, Product) and len(set(term.node.out)) < len(term.node.out) for term in node.terms)
