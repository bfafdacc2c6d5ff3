"""Bands of windows: `sum over j of k[j] [l = t + j]` as one term for each entry of k, so that none has a core t × l.

A relation of three labels, two of them those of rows and columns, is a matrix with few diagonals where the third one is
summed and short. With that one at an entry it is a relation of two labels, which is a pair of selections.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from indexcalc.engine.bind.inputs import number_of, size_of
from indexcalc.graph.constructors import addition, constant, einsum
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels, Node, Product, Sum, Term, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Relation, affine_delta, relation_of, selection_of
from indexcalc.graph.walk import replace
from indexcalc.index import Dimension

MOST_BANDS = 200
"""Terms: of longer sums the windows stay one factor."""


def banded(roots: Sequence[Node], sizes: Mapping[str, int]) -> list[Node]:
    """The roots with short sums over a label of windows written out, where the others are rows and columns.

    >>> from indexcalc.graph.constructors import variable
    >>> windows, axes = affine_delta(Relation(0, (1, 1, -1), (3, 6, 8)))
    >>> root = einsum(1, [(variable("k", (3,)), (0,)), (windows, axes)], (1, 2))
    >>> len(banded([root], {})[0].children)
    3
    """
    if not any(relation_of(node) for node in topological(roots)):
        return list(roots)
    sums: set[Node] = set()

    def change(_: Node, node: Node) -> Node:
        if isinstance(node, Sum):
            return _spliced(node)
        if not isinstance(node, Product):
            return node
        axes = tuple(range(node.order))
        parts = [_written_out(part, sizes, sums) for part in _multiplied_out(node)]
        if all(len(part) == 1 for part in parts):
            return node
        made = addition([(1, term, axes) for part in parts for term in part], node.dims)
        sums.add(made)
        return made

    return replace(roots, change)


def _multiplied_out(node: Product) -> list[Node]:
    """A product as products: sums that have windows as terms are multiplied out."""
    rows: list[tuple[Number, list[tuple[Node, Labels, Number]]]] = [(node.coef, [])]
    for child, labels, exponent in node.factors:
        terms: list[tuple[Number, Node, Labels]] = [(1, child, labels)]
        if isinstance(child, Sum) and exponent == 1 and any(relation_of(term.node) for term in child.terms):
            terms = [(coef, inner, tuple(labels[x] for x in own)) for coef, inner, own in child.terms]
        rows = [
            (multiply(coef, own), [*factors, (inner, places, exponent)])
            for coef, factors in rows
            for own, inner, places in terms
        ]
    dims: dict[Any, Dimension] = dict(enumerate(node.sizes))
    return [node] if len(rows) == 1 else [einsum(coef, factors, node.out, dims) for coef, factors in rows]


def _spliced(node: Sum) -> Node:
    """A sum with the terms of sums in it as its own."""
    terms: list[Term] = []
    for term in node.terms:
        inner = term.node.terms if isinstance(term.node, Sum) else None
        if inner is None:
            terms.append(term)
        else:
            terms += [Term(multiply(term.coef, t.coef), t.node, tuple(term.labels[x] for x in t.labels)) for t in inner]
    return addition(terms, node.shape)


def _written_out(node: Node, sizes: Mapping[str, int], sums: Container[Node]) -> list[Node]:
    """A product as the terms for the entries of its short labels of windows, or itself."""
    if not isinstance(node, Product):
        return [node]
    extents = [size_of(dimension, sizes) for dimension in node.sizes]
    related = {k: (found, f.labels) for k, f in enumerate(node.factors) if (found := relation_of(f.node)) is not None}
    inner = [f.labels for f in node.factors if f.node in sums]
    fixed = _short(node.out, [labels for _, labels in related.values()], inner, extents)
    if not fixed or prod(extents[x] for x in fixed) > MOST_BANDS:
        return [node]
    others = [f for k, f in enumerate(node.factors) if k not in related]
    units = [x for x in fixed if any(x in f.labels for f in others)]
    dims = {x: size for x, size in enumerate(node.sizes) if x not in fixed}
    terms = []
    for entries in product(*(range(extents[x]) for x in fixed)):
        at = dict(zip(fixed, entries, strict=True))
        met: list[tuple[Node, Sequence[Any]]] = []
        for k, (found, labels) in related.items():
            own = _met(found, labels, at, sizes, k)
            if own is None:
                break
            met += own
        else:
            chosen = [(constant("unit", (node.sizes[x],), (at[x],)), (x,)) for x in units]
            terms.append(einsum(node.coef, [*others, *chosen, *met], node.out, dims))
    return terms


def _short(out: Labels, related: Sequence[Labels], inner: Sequence[Labels], extents: Sequence[int]) -> list[int]:
    """The labels that are fixed: summed, the smallest of a relation whose windows go from an axis to another one.

    They go through relations, and through the `inner` sums, which were written out before.
    """
    joined = UnionFind()
    for labels in (*related, *inner):
        for x in labels[1:]:
            joined.join(labels[0], x)
    fixed: list[int] = []
    for label in sorted({x for labels in related for x in labels} - {*out}, key=lambda x: (extents[x], x)):
        ends = {x for x in out if joined.find(x) == joined.find(label)}
        free = [[x for x in labels if x not in fixed] for labels in related if label in labels]
        if len(ends) > 1 and any(len(left) > 2 and extents[label] == min(extents[x] for x in left) for left in free):
            fixed.append(label)
    return fixed


def _met(
    found: Relation, labels: Sequence[int], at: Mapping[int, int], sizes: Mapping[str, int], number: int
) -> list[tuple[Node, Sequence[Any]]] | None:
    """What is left of a relation at these entries: a known tensor, a pair of selections, or nothing; None for 0."""
    start = number_of(found.start, sizes)
    for coef, x in zip(found.coefs, labels, strict=True):
        start += coef * at.get(x, 0)
    rest = [k for k, x in enumerate(labels) if x not in at]
    left = Relation(start, tuple(found.coefs[k] for k in rest), tuple(size_of(found.sizes[k], sizes) for k in rest))
    if not rest:
        return [] if start == 0 else None
    if left.never:
        return None
    if len(rest) == 2 and (pair := left.pair) is not None:
        return [(selection_of(one), (("short", number), labels[k])) for one, k in zip(pair, rest, strict=True)]
    node, axes = affine_delta(left)
    return [(node, [labels[rest[k]] for k in axes])]
