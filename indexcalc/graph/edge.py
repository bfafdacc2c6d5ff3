"""Edges: what a node is, but for a coefficient, a permutation of axes, and axes along which it is constant.

Every node `n` becomes an `Edge`: a coefficient, a node without one, and where its axes lie among the axes of `n`; an
axis of `n` that the edge lacks is one along which `n` is constant. So numbers, transposes and broadcasts never stand
between a node and its parent, and two nodes that differ by them alone become one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any, NamedTuple

from indexcalc.errors import NotationError
from indexcalc.graph.canonical import settle
from indexcalc.graph.constructors import ONE, addition, as_number, einsum
from indexcalc.graph.labels import UnionFind
from indexcalc.graph.node import NO_SYMMETRY, Factor, Labels, Node, Product, Sum, Symmetry
from indexcalc.graph.numbers import Number, multiply, number
from indexcalc.index import Dimension

BY_KIND = (
    "constant", "variable", "call", "definition", "elementwise", "reduction", "matrix", "regroup", "sum", "product",
)  # fmt: skip
KIND_RANK = {kind: rank for rank, kind in enumerate(BY_KIND)}


class Edge(NamedTuple):
    """`coef * node[axes]`: axis k of the node is axis `axes[k]` of what this stands for."""

    coef: Number
    node: Node
    axes: Labels

    def through(self, outer: Edge) -> Edge:
        """The edge of `outer.node`, as an edge of what `outer` stands for."""
        return Edge(multiply(outer.coef, self.coef), self.node, tuple(outer.axes[x] for x in self.axes))


ZERO_EDGE = Edge(0, ONE, ())


def colour(node: Node) -> tuple[int, str, bytes]:
    """What orders nodes: kind and name, as people see them, and the content last."""
    return KIND_RANK[node.kind], node.name, node.digest


def symmetry_of(node: Node) -> Symmetry:
    """The declared symmetry of a variable, or the one that was found when the node was made."""
    found: Symmetry = node.facts.get("symmetry", NO_SYMMETRY)
    return found


def is_symmetric_matrix(node: Node) -> bool:
    """May the last two axes be swapped?"""
    last = {node.order - 2, node.order - 1}
    return any(sign > 0 and last <= set(axes) for axes, sign in symmetry_of(node).blocks)


def even(rule: Symmetry) -> Symmetry:
    """The symmetry, if it changes no sign: where a sign would be lost, none is used."""
    return NO_SYMMETRY if any(sign < 0 for _, sign in rule.blocks) else rule


def materialise(edge: Edge, dims: Sequence[Dimension], merge: bool = True) -> Node:
    """The node that an edge stands for, among axes of these dimensions.

    With `merge`, a product or a sum takes the coefficient in; without, it stays whole, because it is shared.
    """
    coef, node, axes = edge
    if coef == 1 and axes == tuple(range(len(dims))):
        return node
    if merge and isinstance(node, Sum) and len(axes) == len(dims):
        terms = [(multiply(coef, t.coef), t.node, [axes[x] for x in t.labels]) for t in node.terms]
        return _as_symmetric(addition(terms, dims), edge, dims)
    if merge and isinstance(node, Product):
        inner: dict[int, object] = {x: ("inner", x) for x in range(len(node.sizes))}
        out: list[object] = list(range(len(dims)))
        sizes: dict[object, Dimension] = dict(enumerate(dims))
        for axis, label in zip(axes, node.out, strict=True):
            out[axis] = inner[label]
        factors = [(f.node, [inner[x] for x in f.labels], f.exponent) for f in node.factors]
        sizes = {label: dim for label, dim in sizes.items() if label in out}
        sizes |= {inner[x]: dim for x, dim in enumerate(node.sizes)}
        return _as_symmetric(einsum(multiply(coef, node.coef), factors, out, sizes), edge, dims)
    made = einsum(coef, [(node, axes)], range(len(dims)), dict(enumerate(dims)))
    return _as_symmetric(made, edge, dims)


def upright(edge: Edge, dims: Sequence[Dimension]) -> Node:
    """The node that an edge stands for, its axes turned as its symmetry allows."""
    coef, node, axes = edge
    rule = symmetry_of(node)
    if not (rule.blocks or rule.perms) or len(axes) < len(dims):
        return materialise(edge, dims)
    turned, sign = settle(axes, rule)
    return materialise(Edge(multiply(coef, sign), node, turned), dims)


def turned(node: Node, axes: Labels, rank: Callable[[int], Any]) -> Labels:
    """The places of the axes of a node, as its symmetry allows to turn them: in the order that `rank` wants."""
    rule = even(symmetry_of(node))
    if rule is NO_SYMMETRY:
        return axes
    order = sorted(axes, key=rank)
    places, _ = settle([order.index(axis) for axis in axes], rule)
    return tuple(order[place] for place in places)


def _as_symmetric(made: Node, edge: Edge, dims: Sequence[Dimension]) -> Node:
    """A node made from an edge that turns no axes, with the symmetry of the edge's node."""
    rule = symmetry_of(edge.node)
    if rule is not NO_SYMMETRY and edge.axes == tuple(range(len(dims))):
        made.facts.setdefault("symmetry", rule)
    return made


def scaled(coef: Number, node: Node, merge: bool = True) -> Node:
    """The node times a number, with its axes as they are."""
    return materialise(Edge(coef, node, tuple(range(node.order))), node.dims, merge)


def power(base: Number, exponent: Number) -> Number | None:
    """A number to a power, if that is a number without rounding an exact one."""
    if base == 1:
        return 1
    if base == 0 and exponent.real < 0:
        raise NotationError("0 ** -1", "a division by zero", "check the expression: a factor in a denominator is 0")
    if isinstance(exponent, int):
        if isinstance(base, int | Fraction):
            return number(Fraction(base) ** exponent)
        return number(base**exponent)
    if isinstance(base, int | Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 2:
        value = Fraction(base)
        roots = isqrt(abs(value.numerator)), isqrt(value.denominator)
        if value > 0 and roots[0] ** 2 == value.numerator and roots[1] ** 2 == value.denominator:
            return number(Fraction(*roots) ** exponent.numerator)
        return None
    if isinstance(base, float) and base > 0 and isinstance(exponent, float | Fraction):
        return number(base ** float(exponent))
    return None


# ------------------------------------------------------------------ products


class Draft(UnionFind):
    """A product that is being gathered: its coefficient, its factors, and which labels are one."""

    __slots__ = ("coef", "dims", "factors", "gone", "swaps")

    def __init__(self) -> None:
        super().__init__()
        self.coef: Number = 1
        self.factors: list[tuple[Node, list[int], Number]] = []
        self.dims: list[Dimension] = []
        self.gone: set[int] = set()
        self.swaps: list[tuple[int, int]] = []  # pairs of axes that may be swapped, since their chain commutes

    def copy(self) -> Draft:
        """Another draft with the same content."""
        other = Draft()
        other.coef, other.factors, other.dims = self.coef, list(self.factors), list(self.dims)
        other.parent, other.gone = dict(self.parent), set(self.gone)
        return other

    def drop(self, labels: Iterable[int]) -> None:
        """The sum over these labels is accounted for."""
        self.gone.update(labels)

    def fresh(self, dims: Iterable[Dimension]) -> list[int]:
        """New labels of these dimensions."""
        start = len(self.dims)
        self.dims += dims
        return list(range(start, len(self.dims)))

    def open(self, node: Product, labels: Sequence[int], exponent: Number) -> list[tuple[Node, list[int], Number]]:
        """The factors of a product that is a factor, its labels joined with ours; its coefficient is taken up."""
        raised = power(node.coef, exponent)
        assert raised is not None
        self.coef = multiply(self.coef, raised)
        inner = self.fresh(node.sizes)
        for outside, label in zip(labels, node.out, strict=True):
            self.join(outside, inner[label])
        return [
            (
                f.node,
                [inner[label] for label in f.labels],
                f.exponent if exponent == 1 else multiply(f.exponent, exponent),
            )
            for f in node.factors
        ]

    def attach(self, edge: Edge, labels: Sequence[int], exponent: Number) -> tuple[Node, list[int], Number] | None:
        """An edge as a factor, its coefficient taken up; None if nothing but the coefficient is left."""
        coef, node, axes = edge
        if coef != 1:
            raised = power(coef, exponent)
            if raised is None:
                node = scaled(coef, node)
            else:
                self.coef = multiply(self.coef, raised)
        value = as_number(node)
        if value is not None and (raised := power(value, exponent)) is not None:
            self.coef = multiply(self.coef, raised)
            return None
        return node, [labels[axis] for axis in axes], exponent


def closed_parts(node: Product) -> list[tuple[Node, Labels]] | None:
    """A product as several that share no summed label, each with the axes of the node that it runs along; or None.

    `(Σ_k C_k) B_j` is two: a power of it is the product of their powers.
    """
    if not node.bound or len(set(node.out)) < len(node.out):
        return None
    free, joined = set(node.out), UnionFind()
    groups: dict[object, list[Factor]] = {}
    for f in node.factors:
        bound = [x for x in f.labels if x not in free]
        for x in bound[1:]:
            joined.join(x, bound[0])
    for k, f in enumerate(node.factors):
        bound = [x for x in f.labels if x not in free]
        groups.setdefault(joined.find(bound[0]) if bound else ("alone", k), []).append(f)
    if len(groups) < 2:
        return None
    parts = []
    for group in groups.values():
        out = [x for x in dict.fromkeys(x for f in group for x in f.labels) if x in free]
        parts.append((einsum(1, group, out), tuple(node.out.index(x) for x in out)))
    return parts
