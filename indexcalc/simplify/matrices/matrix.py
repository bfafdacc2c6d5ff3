"""The normal form of functions of matrices: which presentation they take, and derivatives that are linear.

A primary function f (exp, log, square root, powers, by a power series) has the derivative of order k

    D^k f(X)[E_1, ..., E_k] = sum over orders of the E, and over powers, of c * X^a0 E_1 X^a1 ... E_k X^ak

(N. Higham, Functions of Matrices, chapter 3). It is linear in each direction, so numbers and scalars of a direction go
in front; where a direction commutes with X, it is E f'(X): see `commuting`.
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.functions.primary import pairs_of, remember_exchanges
from indexcalc.functions.table import matrix_row
from indexcalc.graph.constructors import einsum, matrix
from indexcalc.graph.edge import ZERO_EDGE, Edge, colour, materialise, symmetry_of, upright
from indexcalc.graph.node import Matrix, Node, Product, Sum
from indexcalc.graph.numbers import Number, multiply
from indexcalc.simplify.identities.nested import NESTED_FUNCTIONS
from indexcalc.simplify.matrices.commuting import close_derivative, placed
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.rewriting.driver import rewrite_node
from indexcalc.simplify.rewriting.rewrite import Rewrite

HIGHAM = "N. Higham, Functions of Matrices, "


def rule_matrix(work: Normaliser, node: Matrix) -> Edge:
    """The normal form of a matrix function whose children have theirs."""
    edges = [_settled(work, child) for child in node.children]
    rows = node.children[0].order - 2
    way = matrix_row(node.fn).turned
    flip = way is not None and _descends(edges, rows)
    swap = {rows: rows + 1, rows + 1: rows} if flip else {}
    coef: Number = 1
    children = []
    for place, (edge, child) in enumerate(zip(edges, node.children, strict=True)):
        if place:
            if edge.coef == 0:
                return ZERO_EDGE
            coef, edge = multiply(coef, edge.coef), edge._replace(coef=1)
        dims = [child.dims[swap.get(axis, axis)] for axis in range(child.order)]
        children.append(upright(edge._replace(axes=tuple(swap.get(axis, axis) for axis in edge.axes)), dims))
    children[1:] = sorted(children[1:], key=colour)
    made = matrix(node.fn, children, node.shape, node.params, node.times)
    remember_exchanges(made)
    axes = list(range(made.order))
    if flip and way:
        for a, b in pairs_of(made):
            axes[a], axes[b] = b, a
    known = rewrite_node(work, DERIVATIVES if node.times else VALUES, made)
    found = Edge(1, made, tuple(range(made.order))) if known is None else known
    return found.through(Edge(coef, made, tuple(axes)))


def _linear(work: Normaliser, node: Matrix) -> Edge | None:
    """A derivative with a scalar of a direction in front, and split into a sum where sums are opened; or None."""
    whole = tuple(range(node.order))
    for place, direction in enumerate(node.children[1:], 1):
        others = (*node.children[:place], *node.children[place + 1 :])
        if isinstance(direction, Sum) and work.expanding:
            parts = []
            for term in direction.terms:
                bare = upright(work.renormalise(placed(term, direction.dims)), direction.dims)
                edge = rule_matrix(work, matrix(node.fn, (*others, bare), node.shape, node.params, node.times))
                parts.append(edge._replace(coef=multiply(edge.coef, term.coef)))
            return work.total(parts, node.dims)
        if isinstance(direction, Product) and len(set(direction.out)) == direction.order:
            batch = direction.out[:-2]
            scalars = [f for f in direction.factors if set(f.labels) <= set(batch)]
            if scalars:
                rest = [f for f in direction.factors if f not in scalars]
                sizes = dict(enumerate(direction.sizes))
                bare = upright(work.renormalise(einsum(direction.coef, rest, direction.out, sizes)), direction.dims)
                edge = rule_matrix(work, matrix(node.fn, (*others, bare), node.shape, node.params, node.times))
                front = [(f.node, f.labels, f.exponent) for f in scalars]
                axes = (*batch, *(("own", axis) for axis in whole[len(batch) :]))
                inside = materialise(edge, node.dims)
                return work.renormalise(einsum(1, [*front, (inside, axes)], axes))
    return None


def _special(work: Normaliser, node: Matrix) -> Node | None:
    special = matrix_row(node.fn).special
    return None if special is None else special(node)


def _settled(work: Normaliser, child: Node) -> Edge:
    """The normal form of a child, turned back if it is the transpose of a node in normal form."""
    edge = work.child(child)
    return work.renormalise(edge.node).through(edge) if isinstance(edge.node, Product) else edge


def _descends(edges: Sequence[Edge], rows: int) -> bool:
    """Is the transpose presented: do columns come before rows in the first node that is not symmetric?"""
    for edge in (edges[0], *sorted(edges[1:], key=lambda edge: (colour(edge.node), edge.axes))):
        if rows in edge.axes and rows + 1 in edge.axes:
            places = [edge.axes.index(rows), edge.axes.index(rows + 1)]
            if not any(sign > 0 and set(places) <= set(axes) for axes, sign in symmetry_of(edge.node).blocks):
                return places[0] > places[1]
    return False


LINEAR = Rewrite(
    "linear in a direction", "Df(X)[a E + F] = a Df(X)[E] + Df(X)[F]", _linear,
    HIGHAM + "chapter 3", ("Dexpm(A, a*B)", "a*Dexpm(A, B)"),
)  # fmt: skip
DERIVATIVES = (
    LINEAR,
    Rewrite(
        "a direction that commutes", "Df(X)[E] = E f'(X) where E X = X E", close_derivative,
        HIGHAM + "chapter 3", ("Dexpm(A, A)", "A @ expm(A)"),
        "E commutes with X", ("Dexpm(A, B)", "B @ expm(A)"),
    ),
)  # fmt: skip
"""Rewrites of a derivative of a function of matrices, in their order: each `apply(work, node)`."""
VALUES = (
    LINEAR,
    Rewrite(
        "values by name", "X^2 = X X, and what the row of a function says", _special,
        HIGHAM + "section 1.2", ("matrix_power(A, 2)", "A @ A"),
    ),
    NESTED_FUNCTIONS,
)  # fmt: skip
"""Rewrites of a function of matrices, in their order."""
