"""Simplification of inverses and determinants: what they are of products, multiples, diagonals and Kronecker products.

All of it assumes that what is written exists, so that every factor of an invertible product of square matrices is
invertible. The rewrites: `invert_chain` (inv(A B) = inv(B) inv(A), det(A B) = det(A) det(B), logdet likewise; numbers,
scalars and diagonal factors go in front), `invert_joined` (Kronecker products), `invert_atom` (inv(inv(X)) = X, an
orthogonal matrix has its transpose for inverse).

J. Magnus, H. Neudecker, Matrix Differential Calculus, chapters 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from indexcalc.functions.table import reduction_row
from indexcalc.graph.canonical import symmetry
from indexcalc.graph.constructors import (
    ONE,
    addition,
    as_number,
    constant_number,
    dimension,
    einsum,
    elementwise,
    reduction,
    regroup,
)
from indexcalc.graph.edge import Edge, materialise, power, scaled, symmetry_of
from indexcalc.graph.node import (
    NO_SYMMETRY,
    Factor,
    Labels,
    Node,
    Perm,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
)
from indexcalc.graph.numbers import Number, multiply, number
from indexcalc.index import Dimension
from indexcalc.simplify.identities.nested import NESTED_FUNCTIONS
from indexcalc.simplify.identities.sylvester import derived_root
from indexcalc.simplify.matrices.chains import (
    Square,
    SquareProduct,
    take_apart,
    take_kronecker_apart,
)
from indexcalc.simplify.matrices.commuting import swapped
from indexcalc.simplify.matrices.grids import invert_blocks
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.rewriting.driver import rewrite_node
from indexcalc.simplify.rewriting.rewrite import Rewrite

DEEPEST = 40
"""So many matrices within matrices are looked into at once: four calls deep each, of the 1000 that Python allows."""
Row = tuple[Node, Sequence[Any], Number]


def remember_equivariance(node: Reduction) -> None:
    """A value with the axes of its argument, f(X^T) = f(X)^T, has those symmetries of it that keep the two together."""
    if not node.keeps or "symmetry" in node.facts:
        return
    ends, rule = set(node.axes), symmetry_of(node.child)
    moves: list[tuple[Perm, int]] = []
    for axes, sign in rule.blocks:
        for group in ([x for x in axes if x in ends], [x for x in axes if x not in ends]):
            if sign > 0 or node.fn == "inv":
                moves += [(swapped(node.order, group[0], x), sign) for x in group[1:] if sign > 0 or set(group) == ends]
    moves += [(perm, 1) for perm in rule.perms if {perm[x] for x in ends} == ends]
    found = symmetry(node.order, moves) if moves else NO_SYMMETRY
    if found != NO_SYMMETRY:
        node.facts["symmetry"] = found


def normalise_inverse(
    work: Normaliser, fn: str, coef: Number, child: Node, axes: Labels, depth: int = 0, params: tuple[Number, ...] = ()
) -> Edge:
    """The normal form of a function of `coef * child`, matrices along these axes; the child is in normal form.

    The axes of the edge are those of the child, without the two unless they stay.
    """
    row = reduction_row(fn)
    keeps, free = row.keeps, coef != 0 and (row.opened or fn == "pinv_t")
    node = reduction(fn, child if free else scaled(coef, child), axes, keeps, params)
    assert isinstance(node, Reduction)
    remember_equivariance(node)
    whole = Edge(1, node, tuple(range(node.order)))
    if not free:
        return whole
    if depth < DEEPEST:
        known = rewrite_node(work, OPENED if row.opened else (NESTED_FUNCTIONS,), node, depth)
        whole = whole if known is None else known
    if coef == 1:
        return whole
    if keeps:
        inverse = power(coef, -1)
        assert inverse is not None
        return whole._replace(coef=multiply(whole.coef, inverse))
    inside = materialise(whole, node.dims)
    everything, n = range(node.order), child.dims[axes[0]]
    if fn == "det":
        factors = [(inside, everything), _power(work, constant_number(coef), (), 1, n)]
        return work.renormalise(einsum(1, factors, everything))
    logs = _log_size(work, constant_number(coef))
    times = einsum(1, [(dimension(n), ()), (logs, ())], ())
    return work.renormalise(addition([(1, inside, everything), (1, times, ())], node.dims))


def _of_product(work: Normaliser, node: Reduction, depth: int) -> Edge | None:
    chain = take_apart(work, node.child, node.axes) if isinstance(node.child, Product) else None
    return None if chain is None else invert_chain(work, node, chain, depth)


def _of_joined(work: Normaliser, node: Reduction, depth: int) -> Edge | None:
    return invert_joined(work, node, node.child, depth) if isinstance(node.child, Regroup) else None


def _of_atom(work: Normaliser, node: Reduction, depth: int) -> Edge | None:
    return None if isinstance(node.child, Product | Regroup | Sum) else invert_atom(work, node, depth)


def _of_root(work: Normaliser, node: Reduction, depth: int) -> Edge | None:
    return derived_root(work, node) if node.fn == "inv" else None


# ------------------------------------------------------------------ one matrix


def is_orthogonal(node: Node, axes: Iterable[int]) -> bool:
    """Is this a tensor that was declared orthogonal, along these two axes?"""
    return (
        isinstance(node, Variable)
        and "orthogonal" in node.assumptions
        and set(axes) == {node.order - 2, node.order - 1}
    )


def invert_atom(work: Normaliser, node: Reduction, depth: int) -> Edge | None:
    """The inverse or determinant of an inverse, or of an orthogonal matrix."""
    child = node.child
    if is_orthogonal(child, node.axes):
        if node.fn == "inv":
            swapped = list(range(node.order))
            a, b = node.axes
            swapped[a], swapped[b] = b, a
            return Edge(1, child, tuple(swapped))
        return Edge(0, ONE, ()) if node.fn == "logdet" else None
    if not isinstance(child, Reduction) or child.fn != "inv" or child.axes != node.axes:
        return None
    if node.fn == "inv":
        return Edge(1, child.child, tuple(range(node.order)))
    inner = normalise_inverse(work, node.fn, 1, child.child, node.axes, depth + 1)
    if node.fn == "logdet":
        return inner._replace(coef=multiply(inner.coef, -1))
    everything = range(node.order)
    return work.renormalise(einsum(1, [(materialise(inner, node.dims), everything, -1)], everything))


# ------------------------------------------------------------------ products


def invert_chain(work: Normaliser, node: Reduction, chain: SquareProduct, depth: int) -> Edge:
    """The inverse, determinant or log-determinant of a chain."""
    a, b = (chain.out[axis] for axis in node.axes)
    if node.fn == "inv":
        rows: list[Row] = [(f.node, f.labels, multiply(f.exponent, -1)) for f in chain.scalars]
        rows += [(f.node, f.labels, multiply(f.exponent, -1)) for _, f in chain.diagonals]
        rows += [(_done(work, "inv", link, depth), _crossed(link), 1) for link in chain.links]
        out = list(chain.out)
        out[node.axes[0]], out[node.axes[1]] = b, a
        sizes = {label: chain.sizes[label] for label in out}
        return work.renormalise(einsum(1, rows, out, sizes))
    batch = [label for axis, label in enumerate(chain.out) if axis not in node.axes]
    n = chain.sizes[a]
    if node.fn == "det":
        rows = [_power(work, f.node, f.labels, f.exponent, n) for f in chain.scalars]
        rows += [_diagonal_product(f, label) for label, f in chain.diagonals]
        rows += [(_done(work, "det", link, depth), _front(link), 1) for link in chain.links]
        return work.renormalise(einsum(1, rows, batch, {label: chain.sizes[label] for label in batch}))
    terms: list[Row] = []
    for f in chain.scalars:
        part = (_log_size(work, f.node), f.labels)
        terms.append((einsum(1, [(dimension(n), ()), part], f.labels), f.labels, f.exponent))
    for label, f in chain.diagonals:
        left = tuple(x for x in dict.fromkeys(f.labels) if x != label)
        terms.append((einsum(1, [(_log_size(work, f.node), f.labels)], left), left, f.exponent))
    terms += [(_done(work, "logdet", link, depth), _front(link), 1) for link in chain.links]
    return _total(work, terms, batch, node.dims)


def _total(work: Normaliser, terms: Iterable[Row], out: Sequence[Any], dims: Sequence[Dimension]) -> Edge:
    """The sum of nodes with labels and coefficients, among the labels `out`."""
    rows = []
    for node, labels, coef in terms:
        edge = work.renormalise(node)
        rows.append((multiply(coef, edge.coef), edge.node, [out.index(labels[axis]) for axis in edge.axes]))
    return work.renormalise(addition(rows, dims))


def _done(work: Normaliser, fn: str, link: Square, depth: int) -> Node:
    """The function of a link, among all its axes or those in front."""
    edge = normalise_inverse(work, fn, link.coef, link.node, link.axes, depth + 1)
    dims = [size for axis, size in enumerate(link.node.dims) if fn == "inv" or axis not in link.axes]
    return materialise(edge, dims)


def _crossed(link: Square) -> list[Any]:
    """The labels of an inverse, whose rows run along the columns of the link."""
    labels = list(link.labels)
    a, b = link.axes
    labels[a], labels[b] = labels[b], labels[a]
    return labels


def _front(link: Square) -> list[Any]:
    return [label for axis, label in enumerate(link.labels) if axis not in link.axes]


def _power(work: Normaliser, node: Node, labels: Sequence[Any], exponent: Number, n: Dimension) -> Row:
    """`node[labels]**(exponent*n)` as a factor; n may be a symbol."""
    if isinstance(n, int):
        return node, labels, multiply(exponent, n)
    whole = tuple(range(node.order))
    raised = work.renormalise(einsum(1, [(node, whole, exponent)], whole)) if exponent != 1 else Edge(1, node, whole)
    base = materialise(raised, node.dims)
    edge = work.edge(elementwise("power", [(base, whole), (dimension(n), ())], node.dims))
    return materialise(edge, node.dims), labels, 1


def _diagonal_product(factor: Factor, label: int) -> Row:
    """The product of the entries of a factor along a label."""
    order = list(dict.fromkeys(factor.labels))
    node = einsum(1, [(factor.node, factor.labels)], order)
    kept = [x for x in order if x != label]
    return reduction("prod", node, [order.index(label)], False), kept, factor.exponent


def _log_size(work: Normaliser, node: Node) -> Node:
    """log|x| of the entries of a node in normal form."""
    whole, value = tuple(range(node.order)), as_number(node)
    if value is not None and not isinstance(value, complex):
        return materialise(work.edge(elementwise("log", [(constant_number(number(abs(value))), ())], ())), ())
    size = materialise(work.edge(elementwise("abs", [(node, whole)], node.dims)), node.dims)
    return materialise(work.edge(elementwise("log", [(size, whole)], node.dims)), node.dims)


# ------------------------------------------------------------------ Kronecker products


def invert_joined(work: Normaliser, node: Reduction, child: Regroup, depth: int) -> Edge | None:
    """inv(kron(A, B)) = kron(inv(A), inv(B)), det(kron(A, B)) = det(A)**p det(B)**n for A of n×n and B of p×p."""
    found = take_kronecker_apart(work, child, node.axes)
    if found is None:
        return None
    front, links = range(len(found.batch)), found.parts
    place: dict[Any, Any] = {label: k for k, label in enumerate(found.batch)}
    scalars = [(f, tuple(place.get(label, ("own", label)) for label in f.labels)) for f in found.scalars]
    if node.fn == "inv":
        rows: list[Row] = [(f.node, labels, multiply(f.exponent, -1)) for f, labels in scalars]
        for k, link in enumerate(links):
            labels = tuple(label if isinstance(label, int) else (label, k) for label in link.labels)
            rows.append((_done(work, "inv", link, depth), labels, 1))
        return _rejoined(work, node, child, rows, links, front)
    total: Dimension = 1
    for link in links:
        total = total * _side(link)
    rows = []
    for k, link in enumerate(links):
        times: Dimension = 1
        for other, one in enumerate(links):
            times = times if other == k else times * _side(one)
        rows.append(_raised(work, node.fn, _done(work, node.fn, link, depth), _front(link), 1, times))
    for f, labels in scalars:
        part = f.node if node.fn == "det" else _log_size(work, f.node)
        rows.append(_raised(work, node.fn, part, labels, f.exponent, total))
    if node.fn == "det":
        return work.renormalise(einsum(1, rows, front, dict(enumerate(node.dims))))
    return _total(work, rows, list(front), node.dims)


def _raised(work: Normaliser, fn: str, part: Node, labels: Sequence[Any], exponent: Number, times: Dimension) -> Row:
    """A power of a determinant, or a multiple of its logarithm."""
    if fn == "det":
        return _power(work, part, labels, exponent, times)
    return einsum(1, [(dimension(times), ()), (part, labels)], labels), labels, exponent


def _rejoined(
    work: Normaliser,
    node: Reduction,
    child: Regroup,
    rows: Sequence[Row],
    links: Sequence[Square],
    front: Sequence[int],
) -> Edge:
    """The Kronecker product of these factors, with its axes where the node has them."""
    count = len(links)
    out = [*front, *(("row", k) for k in range(count)), *(("column", k) for k in range(count))]
    product = einsum(1, rows, out, dict(zip(front, (node.dims[x] for x in _others(node)), strict=True)))
    flat = materialise(work.renormalise(product), [*_sizes(node, links)])
    groups = {node.axes[0]: tuple(range(len(front), len(front) + count))}
    groups[node.axes[1]] = tuple(range(len(front) + count, len(out)))
    single = iter(front)
    outer = [groups[axis] if axis in groups else (next(single),) for axis in range(node.order)]
    return work.edge(regroup(flat, [(k,) for k in range(len(out))], outer, flat.dims))


def _side(link: Square) -> Dimension:
    return link.node.dims[link.axes[0]]


def _others(node: Reduction) -> list[int]:
    return [axis for axis in range(node.child.order) if axis not in node.axes]


def _sizes(node: Reduction, links: Sequence[Square]) -> list[Dimension]:
    square = [_side(link) for link in links]
    return [*(node.dims[axis] for axis in _others(node)), *square, *square]


MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, "
OPENED = (
    NESTED_FUNCTIONS,
    Rewrite(
        "an inverse of a product", "(A B)^-1 = B^-1 A^-1, det(A B) = det(A) det(B)", _of_product,
        MAGNUS + "sections 1.7 and 1.9", ("inv(A @ B)", "inv(B) @ inv(A)"),
    ),
    Rewrite(
        "an inverse of a Kronecker product", "kron(A, B)^-1 = kron(A^-1, B^-1), det(kron(A, B)) = det(A)^p det(B)^n",
        _of_joined, MAGNUS + "sections 2.2 and 2.3", ("inv(kron(A, B))", "kron(inv(A), inv(B))"),
    ),
    Rewrite(
        "an inverse of blocks", "det([A B; 0 D]) = det(A) det(D)",
        lambda work, node, depth: invert_blocks(work, node),
        MAGNUS + "section 1.11", ("logdet(block([[A, B], [zeros(n, n), C]]))", "logdet(A) + logdet(C)"),
    ),
    Rewrite(
        "an inverse of an inverse", "(A^-1)^-1 = A, Q^-1 = Q' for orthogonal Q", _of_atom,
        MAGNUS + "sections 1.7 and 1.8", ("inv(inv(A))", "A"),
    ),
    Rewrite(
        "the derivative of a root", "(kron(1, R) + kron(R', 1))^-1 is the derivative of R = A^(1/2)", _of_root,
        "N. Higham, Functions of Matrices, section 6.1",
        ("inv(kron(eye(n), sqrtm(P)) + kron(sqrtm(P), eye(n)))",) * 2,
    ),
)  # fmt: skip
"""Rewrites of inverses and determinants, in their order: each `apply(work, node, depth)`."""
