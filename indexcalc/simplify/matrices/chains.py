"""Matrices taken apart into square ones: products of matrices as chains, and joined axes as Kronecker products.

A chain has its scalars and its diagonal factors beside the square matrices; a factor that is not square is kept with
its neighbours, so that what is left is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from indexcalc.graph.constructors import einsum
from indexcalc.graph.edge import Edge, materialise
from indexcalc.graph.node import Factor, Labels, Node, Product, Regroup
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser


class Square(NamedTuple):
    """A square matrix in a chain: a coefficient, a node in normal form, its labels, and its two axes."""

    coef: Number
    node: Node
    labels: tuple[Any, ...]
    axes: Labels


def square_of(
    work: Normaliser, factors: Sequence[Factor], out: Labels, sizes: dict[int, Dimension], names: tuple[Any, ...] = ()
) -> Square:
    """The product of these factors, matrices along the last two labels of `out`, with `names` for its labels."""
    carried = {*out, *(label for factor in factors for label in factor.labels)}
    edge = work.renormalise(einsum(1, factors, out, {label: sizes[label] for label in carried}))
    if len(edge.axes) < len(out):
        edge = Edge(1, materialise(edge, [sizes[label] for label in out]), tuple(range(len(out))))
    ends = sorted((edge.axes.index(len(out) - 2), edge.axes.index(len(out) - 1)))
    return Square(edge.coef, edge.node, tuple((names or out)[x] for x in edge.axes), tuple(ends))


class SquareProduct(NamedTuple):
    """A matrix as a product of square ones: scalars, diagonals (each with its label) and links, and all its labels."""

    scalars: list[Factor]
    diagonals: list[tuple[int, Factor]]
    links: list[Square]
    out: Labels
    sizes: dict[int, Dimension]


def take_apart(work: Normaliser, node: Product, axes: Labels) -> SquareProduct | None:
    """The chain that a product is, along these two of its axes; None where it is but one matrix."""
    a, b = (node.out[axis] for axis in axes)
    batch = {label for axis, label in enumerate(node.out) if axis not in axes}
    if node.coef != 1 or {a, b} & batch:
        return None
    rest, core = parted(node.factors, batch, {a, b})
    sizes = dict(enumerate(node.sizes))
    scalars = scalars_of(work, rest, batch, sizes)
    if a == b:
        return SquareProduct(scalars, _diagonal(work, core, batch, a, sizes), [], node.out, sizes)
    ends = [factor for factor in core if len(set(factor.labels) - batch) == 1]
    edges = [factor for factor in core if factor not in ends]
    path, n = _path(edges, batch, a, b), sizes[a]
    diagonals = [((set(factor.labels) - batch).pop(), factor) for factor in ends]
    if path is None:
        if not scalars:
            return None
        return SquareProduct(scalars, [], [_segment(work, core, batch, a, b, sizes)], node.out, sizes)
    stops = [k for k, label in enumerate(path.labels) if sizes[label] == n]
    inside = {label for k, label in enumerate(path.labels) if k not in stops}
    links = []
    for start, stop in pairwise(stops):
        row = path.factors[start:stop]
        between = {*path.labels[start + 1 : stop]}
        row += [factor for label, factor in diagonals if label in between]
        links.append(_segment(work, row, batch, path.labels[start], path.labels[stop], sizes))
    diagonals = [(label, factor) for label, factor in diagonals if label not in inside]
    if len(links) == 1 and not scalars and not diagonals:
        return None
    return SquareProduct(scalars, diagonals, links, node.out, sizes)


def _diagonal(
    work: Normaliser, core: Sequence[Factor], batch: set[int], a: int, sizes: dict[int, Dimension]
) -> list[tuple[int, Factor]]:
    """The vectors whose product is the diagonal of a diagonal matrix."""
    if all(set(factor.labels) <= batch | {a} for factor in core):
        return [(a, factor) for factor in core]
    out = (*sorted({label for factor in core for label in factor.labels} & batch), a)
    carried = {*out, *(label for factor in core for label in factor.labels)}
    made = einsum(1, core, out, {label: sizes[label] for label in carried})
    return [(a, Factor(materialise(work.renormalise(made), [sizes[label] for label in out]), out))]


def scalars_of(
    work: Normaliser, factors: Sequence[Factor], batch: set[int], sizes: dict[int, Dimension]
) -> list[Factor]:
    """Numbers of each batch: the factors, those that summed labels connect as one."""
    found, rest = [], list(factors)
    while rest:
        own = set(rest[0].labels) - batch
        if not own:
            found.append(rest.pop(0))
            continue
        rest, core = parted(rest, batch, own)
        out = sorted({label for factor in core for label in factor.labels} & batch)
        made = work.renormalise(einsum(1, core, out, {label: sizes[label] for label in out}))
        found.append(Factor(materialise(made, [sizes[label] for label in out]), tuple(out)))
    return found


def parted(factors: Sequence[Factor], batch: set[int], ends: set[int]) -> tuple[list[Factor], list[Factor]]:
    """The factors that summed labels do not connect with these ends, and those that they do."""
    inside, core = set(ends), list[Factor]()
    rest, grown = list(factors), True
    while grown:
        near = [factor for factor in rest if (set(factor.labels) - batch) & inside]
        inside |= {label for factor in near for label in factor.labels if label not in batch}
        rest = [factor for factor in rest if factor not in near]
        core += near
        grown = bool(near)
    return rest, core


class _Path(NamedTuple):
    labels: list[int]
    factors: list[Factor]


def _path(edges: Sequence[Factor], batch: set[int], a: int, b: int) -> _Path | None:
    """The matrices in their order from label a to label b, if they are a simple path."""
    labels, order, left = [a], list[Factor](), list(edges)
    while left:
        near = [factor for factor in left if labels[-1] in factor.labels]
        if len(near) != 1 or near[0].exponent != 1:
            return None
        own = [label for label in near[0].labels if label not in batch]
        if len(own) != 2 or own[0] == own[1]:
            return None
        labels.append(own[own[0] == labels[-1]])
        order.append(near[0])
        left.remove(near[0])
    return _Path(labels, order) if labels[-1] == b else None


def _segment(
    work: Normaliser, factors: Sequence[Factor], batch: set[int], a: int, b: int, sizes: dict[int, Dimension]
) -> Square:
    """Factors that are one matrix from label a to label b."""
    if len(factors) == 1 and factors[0].exponent == 1 and len(factors[0].labels) == len(set(factors[0].labels)):
        ((node, labels, _),) = factors
        if a in labels and b in labels and set(labels) <= batch | {a, b}:
            return Square(1, node, labels, tuple(sorted((labels.index(a), labels.index(b)))))
    front = sorted({label for factor in factors for label in factor.labels} & batch)
    return square_of(work, factors, (*front, a, b), sizes)


class KroneckerProduct(NamedTuple):
    """A Kronecker product: its square factors, each with the axes in front and its two last, and its scalars."""

    parts: list[Square]
    scalars: list[Factor]
    batch: Labels
    sizes: dict[int, Dimension]


def take_kronecker_apart(work: Normaliser, node: Regroup, axes: Labels) -> KroneckerProduct | None:
    """The factors of joined axes that are a Kronecker product of square matrices; None if they are none."""
    child = node.child
    groups = [node.outer[axis] for axis in axes]
    others = [group for axis, group in enumerate(node.outer) if axis not in axes]
    if not isinstance(child, Product) or child.coef != 1 or len(groups[0]) != len(groups[1]):
        return None
    if any(len(group) != 1 for group in (*node.inner, *others)):
        return None
    place = {group[0]: child.out[axis] for axis, group in enumerate(node.inner)}
    pairs = [(place[x], place[y]) for x, y in zip(*groups, strict=True)]
    batch = tuple(place[group[0]] for group in others)
    sizes = dict(enumerate(child.sizes))
    ends = [label for pair in pairs for label in set(pair)]
    if len(set(ends)) < len(ends) or set(ends) & set(batch) or len(set(batch)) < len(batch):
        return None
    if any(sizes[x] != sizes[y] for x, y in pairs):
        return None
    left, parts = list(child.factors), []
    for x, y in pairs:
        left, core = parted(left, set(batch), {x, y})
        if any(label in ends and label not in (x, y) for factor in core for label in factor.labels):
            return None
        names = (*range(len(batch)), "row", "column")
        parts.append(square_of(work, core, (*batch, x, y), sizes, names))
    return KroneckerProduct(parts, scalars_of(work, left, set(batch), sizes), batch, sizes)
