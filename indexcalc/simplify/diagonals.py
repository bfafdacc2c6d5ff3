"""Diagonals within functions, sums and reductions: `f(X)[i,i]` as `f(X[i,i])`.

A step of normalising a product. The form that equality compares needs it, since text says both in one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexcalc.functions.table import reduction_row
from indexcalc.graph.edge import Draft, Edge, materialise, scaled
from indexcalc.graph.node import Elementwise, Labels, Node, Reduction, Sum, einsum, elementwise, multiply, reduction

if TYPE_CHECKING:
    from indexcalc.simplify.passes import Pass

DEEPEST = 50
"""So many functions within functions are gone through."""


def open_diagonals(sweep: Pass, draft: Draft) -> None:
    """Each function, and each sum, of which a product takes a diagonal, replaced by that of the diagonals."""
    if sweep.depth >= DEEPEST:
        sweep.cut = True
        return
    made = []
    for node, labels, exponent in draft.factors:
        found = [draft.find(label) for label in labels]
        distinct = list(dict.fromkeys(found))
        edge = None
        if len(distinct) < len(found):
            sweep.depth += 1
            edge = _diagonal(sweep, node, tuple(distinct.index(label) for label in found))
            sweep.depth -= 1
        if edge is None:
            made.append((node, labels, exponent))
        else:
            made += draft.opened(draft.attach(edge, distinct, exponent))
    draft.factors = made


def _diagonal(sweep: Pass, node: Node, axes: Labels) -> Edge | None:
    """The normal form of a function or a sum of which some axes are one: axis k is the axis `axes[k]` of the result."""
    if isinstance(node, Reduction):
        return _of_reduction(sweep, node, axes)
    if not isinstance(node, Elementwise | Sum):
        return None
    dims = tuple(node.dims[axes.index(axis)] for axis in range(max(axes) + 1))
    if isinstance(node, Sum):
        terms = []
        for coef, part, labels in node.terms:
            edge, places = _along(sweep, part, [axes[x] for x in labels])
            terms.append(Edge(multiply(coef, edge.coef), edge.node, tuple(places[x] for x in edge.axes)))
        return sweep.total(terms, dims)
    rows = []
    for part, labels in node.args:
        edge, places = _along(sweep, part, [axes[x] for x in labels])
        rows.append((scaled(edge.coef, edge.node), [places[x] for x in edge.axes]))
    return sweep.edge(elementwise(node.fn, rows, dims, node.params))


def _along(sweep: Pass, part: Node, labels: list[int]) -> tuple[Edge, list[int]]:
    """A part used with these labels, of which some may be equal, and the labels of the axes of the form found."""
    distinct = list(dict.fromkeys(labels))
    if len(distinct) == len(labels):
        return Edge(1, part, tuple(range(part.order))), labels
    made = einsum(1, [(part, labels)], distinct)
    if made not in sweep.diagonals:
        sweep.diagonals[made] = sweep.edge(made)
    return sweep.diagonals[made], distinct


def _of_reduction(sweep: Pass, node: Reduction, axes: Labels) -> Edge | None:
    """The same for a reduction, along axes of which none is one with another."""
    kept = [axis for axis in range(node.child.order) if node.keeps or axis not in node.axes]
    names = [-1 - axis for axis in range(node.child.order)]
    for axis, label in zip(kept, axes, strict=True):
        names[axis] = label
    along = [names[axis] for axis in node.axes]
    if reduction_row(node.fn).axes == 2 or any(names.count(label) > 1 for label in along):
        return None
    edge, places = _along(sweep, node.child, names)
    dims = [node.child.dims[names.index(label)] for label in places]
    inner = materialise(edge, dims)
    made = reduction(node.fn, inner, [places.index(label) for label in along], node.keeps, node.params)
    coef, found, left = sweep.edge(made)
    there = [label for label in places if label >= 0]
    return Edge(coef, found, tuple(there[axis] for axis in left))
