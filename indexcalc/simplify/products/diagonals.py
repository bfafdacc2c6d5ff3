"""Diagonals within functions, sums and reductions: `f(X)[i,i]` as `f(X[i,i])`.

A step of normalising a product. The form that equality compares needs it, since text says both in one way; any form
needs it where a delta in a sum meets itself: `(δ[b,c]*x[i] - δ[b,c])` with c = b is `x[i] - 1`.
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import call, einsum, elementwise, reduction
from indexcalc.graph.edge import Draft, Edge, materialise, scaled
from indexcalc.graph.node import Call, Elementwise, Labels, Node, Product, Reduction, Sum
from indexcalc.graph.numbers import multiply
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened

DEEPEST = 50
"""So many functions within functions are gone through: seven calls deep each, of the 1000 that Python allows."""


def open_diagonals(work: Normaliser, draft: Draft) -> None:
    """Each function, and each sum, of which a product takes a diagonal, replaced by that of the diagonals.

    Where the sweep keeps what is shared, only sums in which that ends a delta.
    """
    if work.depth >= DEEPEST:
        work.cut = True
        return
    made = []
    for node, labels, exponent in draft.factors:
        found = [draft.find(label) for label in labels]
        distinct = list(dict.fromkeys(found))
        edge = None
        if len(distinct) < len(found) and (work.flat or _ends_delta(node, found)):
            work.depth += 1
            edge = _diagonal(work, node, tuple(distinct.index(label) for label in found))
            work.depth -= 1
        if edge is None:
            made.append((node, labels, exponent))
        else:
            made += opened(draft, draft.attach(edge, distinct, exponent))
    draft.factors = made


def _ends_delta(node: Node, labels: Sequence[int]) -> bool:
    """Do two axes of a delta within this sum have one label?"""
    if not isinstance(node, Sum):
        return False
    stack: list[tuple[Node, list[int]]] = [(node, list(labels))]
    while stack:
        inner, places = stack.pop()
        if len(set(places)) == len(places):
            continue
        if isinstance(inner, Sum):
            stack += [(term.node, [places[axis] for axis in term.labels]) for term in inner.terms]
        elif isinstance(inner, Product):
            pairs = list(zip(inner.out, places, strict=True))
            if len(set(pairs)) < len(pairs):
                return True
            where = dict(pairs)
            stack += [
                (f.node, [where.get(label, -1 - label) for label in f.labels])
                for f in inner.factors
                if f.exponent == 1 and isinstance(f.node, Sum)
            ]
    return False


def _diagonal(work: Normaliser, node: Node, axes: Labels) -> Edge | None:
    """The normal form of a function or a sum of which some axes are one: axis k is the axis `axes[k]` of the result."""
    if isinstance(node, Reduction):
        return _of_reduction(work, node, axes)
    if not isinstance(node, Elementwise | Sum) and not (isinstance(node, Call) and node.function.entrywise):
        return None
    dims = tuple(node.dims[axes.index(axis)] for axis in range(max(axes) + 1))
    if isinstance(node, Sum):
        terms = []
        for coef, part, labels in node.terms:
            edge, places = _along(work, part, [axes[x] for x in labels])
            terms.append(Edge(multiply(coef, edge.coef), edge.node, tuple(places[x] for x in edge.axes)))
        return work.total(terms, dims)
    rows: list[tuple[Node, Sequence[int]]] = []
    args = node.args if isinstance(node, Elementwise) else zip(node.children, node.labels, strict=True)
    for part, labels in args:
        edge, places = _along(work, part, [axes[x] for x in labels])
        rows.append((scaled(edge.coef, edge.node), [places[x] for x in edge.axes]))
    if isinstance(node, Call):
        return work.edge(call(node.function, node.orders, [part for part, _ in rows], [own for _, own in rows], dims))
    return work.edge(elementwise(node.fn, rows, dims, node.params))


def _along(work: Normaliser, part: Node, labels: list[int]) -> tuple[Edge, list[int]]:
    """A part used with these labels, of which some may be equal, and the labels of the axes of the form found."""
    distinct = list(dict.fromkeys(labels))
    if len(distinct) == len(labels):
        return Edge(1, part, tuple(range(part.order))), labels
    made = einsum(1, [(part, labels)], distinct)
    if made not in work.diagonals:
        work.diagonals[made] = work.edge(made)
    return work.diagonals[made], distinct


def _of_reduction(work: Normaliser, node: Reduction, axes: Labels) -> Edge | None:
    """The same for a reduction, along axes of which none is one with another."""
    kept = [axis for axis in range(node.child.order) if node.keeps or axis not in node.axes]
    names = [-1 - axis for axis in range(node.child.order)]
    for axis, label in zip(kept, axes, strict=True):
        names[axis] = label
    along = [names[axis] for axis in node.axes]
    if reduction_row(node.fn).axes == 2 or any(names.count(label) > 1 for label in along):
        return None
    edge, places = _along(work, node.child, names)
    dims = [node.child.dims[names.index(label)] for label in places]
    inner = materialise(edge, dims)
    made = reduction(node.fn, inner, [places.index(label) for label in along], node.keeps, node.params)
    coef, found, left = work.edge(made)
    there = [label for label in places if label >= 0]
    return Edge(coef, found, tuple(there[axis] for axis in left))
