"""Bands of windows: `sum over j of k[j] [l = t + j]` as one term for each entry of k, so that none has a core t × l.

A relation of three labels, two of them those of rows and columns, is a matrix with few diagonals where the third one is
summed and short. With that one at an entry it is a relation of two labels, which is a pair of selections.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from indexcalc.engine.bind.inputs import number_of, size_of
from indexcalc.graph.constructors import addition, constant, einsum, variable
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import Labels, Node, Product, Sum, Term
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Relation, affine_delta, range_of, relation_of, selection_of
from indexcalc.graph.walk import replace
from indexcalc.index import Dimension

MOST_BANDS = 200
"""Terms: of longer sums the windows are held as a relation."""
MOST_WINDOWS = 10_000
"""Entries of a sum over windows that is longer than rows or columns: of more, the array by rows and columns is held."""


class Banded(NamedTuple):
    """Roots with windows written out, and those of long sums by the names of the variables that stand for them."""

    roots: list[Node]
    apart: dict[str, Relation]


def banded(roots: Sequence[Node], sizes: Mapping[str, int], whole: bool = False) -> Banded:
    """The roots with short sums over a label of windows written out, where the others are rows and columns.

    Windows of longer sums are held apart: a variable stands for them, unless they are to stay `whole`.

    >>> from indexcalc.graph.constructors import variable
    >>> windows, axes = affine_delta(Relation(0, (1, 1, -1), (3, 6, 8)))
    >>> root = einsum(1, [(variable("k", (3,)), (0,)), (windows, axes)], (1, 2))
    >>> len(banded([root], {}).roots[0].children)
    3
    """
    sums: set[Node] = set()
    ties, apart = Ties(sizes), dict[str, Relation]()

    def change(_: Node, node: Node) -> Node:
        made = _spliced(node) if isinstance(node, Sum) else node
        if isinstance(node, Product):
            products = _multiplied_out(node, ties)
            parts = [_written_out(part, ties, sums, None if whole else apart) for part in products]
            if products != [node] or parts != [[node]]:
                axes = tuple(range(node.order))
                made = addition([(1, term, axes) for part in parts for term in part], node.dims)
                sums.add(made)
        ties.of(made)
        return made

    return Banded(replace(roots, change), apart)


def _multiplied_out(node: Product, ties: Ties) -> list[Node]:
    """A product as products: sums that have windows as terms, or that are sparse, are multiplied out."""
    rows: list[tuple[Number, list[tuple[Node, Labels, Number]]]] = [(node.coef, [])]
    for child, labels, exponent in node.factors:
        terms: list[tuple[Number, Node, Labels]] = [(1, child, labels)]
        if isinstance(child, Sum) and exponent == 1 and ties.opened(child, MOST_BANDS // len(rows)):
            terms = [(coef, inner, tuple(labels[x] for x in own)) for coef, inner, own in child.terms]
        rows = [
            (multiply(coef, own), [*factors, (inner, places, exponent)])
            for coef, factors in rows
            for own, inner, places in terms
        ]
    dims: dict[Any, Dimension] = dict(enumerate(node.sizes))
    return [node] if len(rows) == 1 else [einsum(coef, factors, node.out, dims) for coef, factors in rows]


class Ties:
    """Which axes of nodes are tied by deltas and selections in them: an entry of one tells that of the other.

    Nodes are met from below, and remembered.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.known: dict[Node, tuple[int, ...]] = {}

    def of(self, node: Node) -> tuple[int, ...]:
        """For each axis the first one that it is tied to."""
        found = self.known.get(node)
        if found is None:
            self.known[node] = found = self._of(node)
        return found

    def _of(self, node: Node) -> tuple[int, ...]:
        axes = tuple(range(node.order))
        if range_of(node) is not None:
            return 0, 0
        if isinstance(node, Product):
            joined = self._joined(node)
            roots = [joined.find(x) for x in node.out]
            return tuple(roots.index(root) for root in roots)
        if isinstance(node, Sum) and node.order > 1:
            rows = []
            for term in node.terms:
                own = [self.of(term.node)[term.labels.index(axis)] if axis in term.labels else -1 for axis in axes]
                rows.append(own)
            classes = [tuple(row[axis] for row in rows) for axis in axes]
            return tuple(axis if -1 in found else classes.index(found) for axis, found in enumerate(classes))
        return axes

    def _joined(self, node: Product) -> UnionFind:
        joined = UnionFind()
        for f in node.factors:
            for label, first in zip(f.labels, self._tied(f.node), strict=True):
                joined.join(label, f.labels[first])
        return joined

    def _tied(self, node: Node) -> tuple[int, ...]:
        known = node in self.known or range_of(node) is not None
        return self.of(node) if known else tuple(range(node.order))

    def entries(self, node: Node) -> int:
        """How many entries a node has that may be other than 0."""
        ties, least = self.of(node), dict[int, int]()
        for axis, dimension in zip(ties, node.dims, strict=True):
            extent = size_of(dimension, self.sizes)
            least[axis] = min(least.get(axis, extent), extent)
        return prod(least.values())

    def opened(self, node: Sum, most: int) -> bool:
        """Is a product with this sum written as several, at most so many: are there windows in it, or is it sparse?"""
        return len(node.terms) <= most and (self.sparse(node) or any(relation_of(t.node) for t in node.terms))

    def sparse(self, node: Node) -> bool:
        """Has this sum, or product, at most half of the entries of its array, all terms together?"""
        if not isinstance(node, Sum | Product) or node.order < 2:
            return False
        extents = [size_of(dimension, self.sizes) for dimension in node.dims]
        if isinstance(node, Product):
            return 2 * self.entries(node) <= prod(extents)
        constant_along = (prod(extents[axis] for axis in range(node.order) if axis not in t.labels) for t in node.terms)
        counts = (self.entries(t.node) * times for t, times in zip(node.terms, constant_along, strict=True))
        return 2 * sum(counts) <= prod(extents)


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


def _written_out(node: Node, ties: Ties, sums: Container[Node], apart: dict[str, Relation] | None) -> list[Node]:
    """A product as the terms for the entries of its short labels of windows, or itself, long windows held `apart`."""
    if not isinstance(node, Product):
        return [node]
    sizes = ties.sizes
    extents = [size_of(dimension, sizes) for dimension in node.sizes]
    related = {k: (found, f.labels) for k, f in enumerate(node.factors) if (found := relation_of(f.node)) is not None}
    inner = [f.labels for f in node.factors if f.node in sums or range_of(f.node) or ties.sparse(f.node)]
    fixed = _short(node.out, [labels for _, labels in related.values()], inner, extents)
    if not fixed or prod(extents[x] for x in fixed) > MOST_BANDS:
        long = _short(node.out, [labels for _, labels in related.values()], inner, extents, False)
        count = prod(extents[x] for x in long)
        if apart is None or count <= MOST_BANDS or (long != fixed and count > MOST_WINDOWS):
            return [node]
        return [_held_apart(node, related, long, sizes, apart)]
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


def _held_apart(
    node: Product,
    related: Mapping[int, tuple[Relation, Labels]],
    fixed: Sequence[int],
    sizes: Mapping[str, int],
    apart: dict[str, Relation],
) -> Node:
    """The product with a variable for each of its relations, where each leaves a row and a column of its own."""
    left = [x for _, labels in related.values() for x in labels if x not in fixed]
    if len(set(left)) < len(left) or len(left) != 2 * len(related) or not {*left} <= {*node.out}:
        return node
    factors: list[Any] = list(node.factors)
    for k, (found, labels) in related.items():
        shape = tuple(size_of(size, sizes) for size in found.sizes)
        made = Relation(number_of(found.start, sizes), found.coefs, shape)
        name = f"{made.start} {made.coefs} {shape}"
        apart[name] = made
        factors[k] = (variable(name, shape), labels)
    return einsum(node.coef, factors, node.out, dict(enumerate(node.sizes)))


def _short(
    out: Labels, related: Sequence[Labels], inner: Sequence[Labels], extents: Sequence[int], least: bool = True
) -> list[int]:
    """The labels that are fixed: summed, the `least` of a relation whose windows go from an axis to another one.

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
        if len(ends) > 1 and any(
            len(left) > 2 and (not least or extents[label] == min(extents[x] for x in left)) for left in free
        ):
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
