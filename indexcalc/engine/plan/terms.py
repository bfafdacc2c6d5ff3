"""Sums of products: what the planner works on.

A `Term` is `coef * product of leaf[labels]`, summed over the labels that `out` lacks. A label may repeat in `out` (a
delta), or be in no factor (an axis along which the term is constant). Leaves are nodes of the graph that are computed
as they are; everything between them, products and sums, is opened as far as the choice of the planner says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Definition, Labels, Node, Product, Sum
from indexcalc.graph.numbers import Number, multiply

MOST_FACTORS = 40
MOST_TERMS = 24


class Term(NamedTuple):
    """`coef * product of node[labels]**exponent`; `sizes` has the size of each label, `out` a label for each axis."""

    coef: Number
    factors: tuple[tuple[Node, Labels, Number], ...]
    out: Labels
    sizes: tuple[int, ...]


def as_leaf(node: Node, shape: Sequence[int]) -> list[Term]:
    """The node itself, as a sum of products."""
    axes = tuple(range(len(shape)))
    return [Term(1, ((node, axes, 1),), axes, tuple(shape))]


def relabelled(term: Term, labels: Sequence[int], sizes: Sequence[int], offset: int) -> tuple[list[int], list[int]]:
    """The labels of a term that stands where `labels` are its axes: new ones for what it sums, and their sizes."""
    table: dict[int, int] = {}
    extra: list[int] = []
    for own in range(len(term.sizes)):
        table[own] = offset + len(extra)
        extra.append(term.sizes[own])
    return [table[own] for own in range(len(term.sizes))], extra


def product(node: Product, sizes: Sequence[int], opened: Callable[[Node, Number], list[Term] | None]) -> list[Term]:
    """A product as a sum of products: the factors for which `opened` gives terms are multiplied out."""
    start = Term(node.coef, (), node.out, tuple(sizes))
    states: list[tuple[Number, list[tuple[Node, Labels, Number]], list[int], list[tuple[int, int]]]] = [
        (start.coef, [], list(sizes), [])
    ]
    for child, labels, exponent in node.factors:
        terms = opened(child, exponent)
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
    return [_joined(coef, factors, node.out, dims, joins) for coef, factors, dims, joins in states]


def total(node: Sum, shape: Sequence[int], opened: Callable[[Node, Number], list[Term] | None]) -> list[Term]:
    """A sum as a sum of products."""
    result = []
    axes = tuple(range(len(shape)))
    for coef, child, labels in node.terms:
        terms = opened(child, 1)
        if terms is None:
            result.append(Term(coef, ((child, labels, 1),), axes, tuple(shape)))
            continue
        for term in terms:
            place, extra = relabelled(term, labels, shape, len(shape))
            factors = [(leaf, tuple(place[x] for x in own), power) for leaf, own, power in term.factors]
            joins = [(outside, place[x]) for outside, x in zip(labels, term.out, strict=True)]
            result.append(_joined(multiply(coef, term.coef), factors, axes, [*shape, *extra], joins))
    return result


def opened_definition(
    node: Definition, opened: Callable[[Node, Number], list[Term] | None], shape: Sequence[int]
) -> list[Term]:
    """A named step is its child."""
    terms = opened(node.child, 1)
    return as_leaf(node.child, shape) if terms is None else terms


def _joined(
    coef: Number,
    factors: Sequence[tuple[Node, Labels, Number]],
    out: Sequence[int],
    sizes: Sequence[int],
    joins: Sequence[tuple[int, int]],
) -> Term:
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
    return Term(
        coef,
        tuple((leaf, tuple(place[x] for x in labels), power) for leaf, labels, power in factors),
        tuple(place[x] for x in out),
        tuple(new),
    )
