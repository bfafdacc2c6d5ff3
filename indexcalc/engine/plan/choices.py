"""What of a graph stays a value of its own, and which sums are multiplied out: guessed before there are programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count
from math import inf
from typing import NamedTuple

from indexcalc.engine.plan.orders.contract import Contraction
from indexcalc.engine.plan.orders.scheme import Piece
from indexcalc.engine.plan.orders.wide import guess
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.terms import INLINE, MOST_FACTORS, Choice, Opening, Summand, banded, joined_term, relabelled
from indexcalc.graph.node import Labels, Node, Product, Sum
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import entries_taken

SWOLLEN = 2
"""Times: a graph that is opened to more than so many times the factors that it has keeps what it shares as values. A
ladder of n rungs (`e*sin(e)`) has of the order of n² then; the programs of benchmarks/problems.py grow by 1.9"""
FEW_FACTORS = 100
"""and have fewer than so many factors, or grow less: below it, every program is searched as it is."""
WIDEST = 12
"""Factors: what a product of more takes is not guessed; so it takes nothing in."""


class Width(NamedTuple):
    """The factors of a graph's products and sums as they are, and once all of them are opened."""

    own: int
    opened: int

    @classmethod
    def of(cls, order: Sequence[Node]) -> Width:
        """That of the graph with these nodes, children first."""
        arguments = {child for node in order if not isinstance(node, INLINE) for child in node.children}
        width: dict[Node, int] = {}
        own = 0
        for node in order:
            if isinstance(node, Product | Sum):
                inner = [width.get(child, 1) if child not in arguments else 1 for child in node.children]
                width[node] = sum(n if n <= MOST_FACTORS else 1 for n in inner)
                own += len(inner)
        return cls(own, sum(width.values()))


def kept_apart(order: Sequence[Node]) -> frozenset[Node]:
    """The products, entry by entry, with several parents, where opening all of them would make a graph swell.

    None of them has bands as a factor, which would be written out as a whole array.

    `order` has its nodes, children first.
    """
    own, opened = Width.of(order)
    if opened < FEW_FACTORS or opened < SWOLLEN * own:
        return frozenset()
    parents = Counter(child for node in order for child in dict.fromkeys(node.children))
    whole = [node for node in order if isinstance(node, Product) and not node.bound and parents[node] > 1]
    bands = banded(order) if whole else set()
    return frozenset(node for node in whole if bands.isdisjoint(node.children))


def shared_products(order: Sequence[Node]) -> list[Node]:
    """Products that sum something and have several parents that are products or sums."""
    parents: Counter[Node] = Counter()
    for node in order:
        if isinstance(node, INLINE):
            parents.update(set(node.children))
    return [node for node in order if isinstance(node, Product) and node.bound and parents[node] > 1]


def shared_sums(order: Sequence[Node]) -> list[Node]:
    """Sums that are a factor of a product, and a term of another sum."""
    parents: dict[Node, set[type[Node]]] = {}
    for node in order:
        if isinstance(node, Product | Sum):
            for child in node.children:
                parents.setdefault(child, set()).add(type(node))
    return [node for node in order if isinstance(node, Sum) and parents.get(node) == {Product, Sum}]


def scaled_sums(order: Sequence[Node]) -> list[Node]:
    """Sums of products that a product has once, and only scales: it sums nothing, and all else in it has fewer axes.

    Each is used once, and so is the product, as a term of a sum: there like terms meet once it is multiplied out. No
    digits go where they had none: each term is rounded already.
    """
    parents: dict[Node, list[Node]] = {}
    for node in order:
        for child in node.children:
            parents.setdefault(child, []).append(node)
    found: list[Node] = []
    for node in order:
        if isinstance(node, Sum) and len(own := parents.get(node, [])) == 1 and all(map(_is_rounded, node.children)):
            (product,) = own
            users = parents.get(product, [])
            if isinstance(product, Product) and not product.bound and [type(user) for user in users] == [Sum]:
                uses = [f for f in product.factors if f.node is node]
                others = {x for f in product.factors if f.node is not node for x in f.labels}
                if len(uses) == 1 and uses[0].exponent == 1 and others < set(uses[0].labels):
                    found.append(node)
    return found


def _is_rounded(node: Node) -> bool:
    """Is this a product that is computed, and not a number or an input?"""
    return isinstance(node, Product) and (len(node.factors) > 1 or any(f.exponent != 1 for f in node.factors))


def kept_whole(roots: Sequence[Node], order: Sequence[Node], pool: StepPool, kept: frozenset[Node]) -> frozenset[Node]:
    """The products that sum something, and that several others have, where none of these gets cheaper by opening them.

    With them, sums that are a factor and a term. A graph of few factors has none: what is best there is found by
    comparing whole programs.
    """
    shared = shared_products(order) if Width.of(order).opened >= FEW_FACTORS else []
    bands = banded(order) if shared else set()
    shared = [node for node in shared if bands.isdisjoint(node.children)]
    if not shared:
        return frozenset()
    opening, takes = Opening(order, Choice(kept.union(shared), frozenset()), pool), Guess(order, pool)
    wanted = opening.values(roots)
    terms: list[Summand] = []
    made: dict[Node, list[int]] = {}
    users: dict[Node, list[int]] = {node: [] for node in shared}
    for node in order:
        found = opening.summands(node) if isinstance(node, INLINE) else []
        if node in wanted:
            made[node] = [*range(len(terms), len(terms) + len(found))]
            for number, term in zip(made[node], found, strict=True):
                for child in {factor for factor, _, _ in term.factors if factor in users}:
                    users[child].append(number)
            terms += found
    result = set(shared)
    for node in shared:
        own, using = [terms[k] for k in made[node]], [terms[k] for k in users[node]]
        if len(own) == 1 and all(power == 1 for term in using for f, _, power in term.factors if f is node):
            opened = [spliced(term, node, own[0]) for term in using]
            if sum(map(takes.seconds, opened)) < sum(map(takes.seconds, own + using)):
                result.remove(node)
                for number, term in zip(users[node], opened, strict=True):
                    terms[number] = term
    return frozenset(result.union(shared_sums(order)))


class Guess:
    """What products take before there are values: each for itself, its leaves being there."""

    def __init__(self, order: Sequence[Node], pool: StepPool) -> None:
        self.pool, self.places = pool, dict(zip(order, count()))
        self.known: dict[int, tuple[Summand, float]] = {}

    def seconds(self, term: Summand) -> float:
        """The cost of the cheapest order; infinite for many factors, of which a search would take too long."""
        if id(term) not in self.known:
            self.known[id(term)] = term, self._seconds(term)
        return self.known[id(term)][1]

    def _seconds(self, term: Summand) -> float:
        sizes = list(term.sizes)
        pieces = []
        for node, labels, _ in term.factors:
            taken = entries_taken(node)
            if taken is None:
                pieces.append(Piece(self.places[node], tuple(dict.fromkeys(labels))))
            elif len(taken) == len(labels):
                for label, one in zip(labels, taken, strict=True):
                    sizes[label] = self.pool.size(one.size)
        if not 1 < len(pieces) <= WIDEST:
            return 0.0 if len(pieces) < 2 else inf
        return guess(Contraction(pieces, term.out, dict(enumerate(sizes)), None, self.pool.schemes))


def spliced(term: Summand, node: Node, inner: Summand) -> Summand:
    """A term with what a factor of it is in the place of the factor."""
    factors: list[tuple[Node, Labels, Number]] = []
    sizes = list(term.sizes)
    joins: list[tuple[int, int]] = []
    for leaf, labels, power in term.factors:
        if leaf is not node:
            factors.append((leaf, labels, power))
            continue
        place, extra = relabelled(inner, labels, sizes, len(sizes))
        sizes += extra
        factors += [(own, tuple(place[x] for x in axes), times) for own, axes, times in inner.factors]
        joins += [(outside, place[x]) for outside, x in zip(labels, inner.out, strict=True)]
    return joined_term(multiply(term.coef, inner.coef), factors, term.out, sizes, joins)
