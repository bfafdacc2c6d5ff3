"""Simplification of matrix functions: which presentation they take, their symmetry, and derivatives in closed form.

A primary function f (exp, log, square root, powers, by a power series) has the derivative of order k

    D^k f(X)[E_1, ..., E_k] = sum over orders of the E, and over powers, of c * X^a0 E_1 X^a1 ... E_k X^ak

(N. Higham, Functions of Matrices, chapter 3). With a further matrix E_0 it becomes the number tr(E_0 D^k f(X)[...]),
which is the same for any order of E_0, ..., E_k: so the value, transposed, counts as one more direction. Where E_1
commutes with X, D f(X)[E_1] is E_1 f'(X).

The rewrites: `contract_directions` (a direction that is contracted with something moves into the derivative, so that
its numbers need not be found for every direction), `close_derivative` (a direction that commutes), `order_commuting`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from indexcalc.graph.canonical import settle, symmetry
from indexcalc.graph.edge import ZERO_EDGE, Draft, Edge, colour, materialise, symmetry_of
from indexcalc.graph.node import (
    Factor,
    Labels,
    Matrix,
    Node,
    Number,
    Perm,
    Product,
    Reduction,
    Sum,
    Term,
    addition,
    einsum,
    matrix,
    multiply,
)
from indexcalc.index import Dimension

PRIMARY: dict[str, Callable[[Node, tuple[Any, ...]], Node]] = {}
"""The primary functions: `f'(X)` from X and the parameters of f. The rows of the table of functions put them here."""

SPECIAL: dict[str, Callable[[Matrix], Node | None]] = {}
"""What a function is worth at some parameters; the rows put it here."""

TURNED: dict[str, bool] = {}
"""The functions that take X and its transpose alike: does the transpose have the transposed value, or the same?"""


class Work(Protocol):
    """What is needed of a pass over a graph."""

    expanding: bool

    def child(self, node: Node) -> Edge:
        """The normal form of a child, as an edge."""

    def edge(self, node: Node) -> Edge:
        """The normal form of a node, as an edge."""

    def total(self, terms: Iterable[Edge], dims: Sequence[Dimension]) -> Edge:
        """The normal form of the sum of these terms."""

    def renormalise(self, node: Node) -> Edge:
        """The normal form of a node that a rule made."""


def upright(edge: Edge, dims: Sequence[Dimension]) -> Node:
    """The node that an edge stands for, its axes turned as its symmetry allows."""
    coef, node, axes = edge
    rule = symmetry_of(node)
    if not (rule.blocks or rule.perms) or len(axes) < len(dims):
        return materialise(edge, dims)
    turned, sign = settle(axes, rule)
    return materialise(Edge(multiply(coef, sign), node, turned), dims)


def _square_symmetric(node: Node) -> bool:
    """May the last two axes be swapped?"""
    last = {node.order - 2, node.order - 1}
    return any(sign > 0 and last <= set(axes) for axes, sign in symmetry_of(node).blocks)


def pairs_of(node: Matrix) -> list[tuple[int, int]]:
    """The axes of a derivative in pairs: columns and rows of the value, then rows and columns of open directions."""
    batch = node.children[0].order - 2
    rest = list(range(batch, node.order))
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    return [pairs[0][::-1], *pairs[1:]]


def remember_symmetry(node: Matrix) -> None:
    """A function of symmetric matrices is symmetric; the directions of a derivative may be exchanged."""
    if "symmetry" in node.facts or TURNED.get(node.fn) is not True:
        return
    pairs = pairs_of(node)
    moves: list[Perm] = []
    for (a, b), (c, d) in pairwise(pairs):
        swap = list(range(node.order))
        swap[a], swap[b], swap[c], swap[d] = c, d, a, b
        moves.append(tuple(swap))
    if all(map(_square_symmetric, node.children)):
        turned = list(range(node.order))
        for a, b in pairs:
            turned[a], turned[b] = b, a
        moves.append(tuple(turned))
    if moves:
        node.facts["symmetry"] = symmetry(node.order, [(move, 1) for move in moves])


def primary(fn: str, x: Node, params: tuple[Any, ...] = ()) -> Node:
    """The function of square matrices along the last two axes."""
    made = matrix(fn, [x], x.dims, params)
    remember_symmetry(made)
    return made


def normalise_matrix(work: Work, node: Matrix) -> Edge:
    """The normal form of a matrix function whose children have theirs."""
    edges = [_settled(work, child) for child in node.children]
    rows = node.children[0].order - 2
    way = TURNED.get(node.fn)
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
    remember_symmetry(made)
    axes = list(range(made.order))
    if flip and way:
        for a, b in pairs_of(made):
            axes[a], axes[b] = b, a
    found = _linear(work, made)
    if found is None:
        known = SPECIAL[node.fn](made) if node.fn in SPECIAL and not node.times else close_derivative(work, made)
        found = Edge(1, made, tuple(range(made.order))) if known is None else work.renormalise(known)
    return found.through(Edge(coef, made, tuple(axes)))


def _linear(work: Work, node: Matrix) -> Edge | None:
    """A derivative with a scalar of a direction in front, and split into a sum where sums are opened; or None."""
    whole = tuple(range(node.order))
    for place, direction in enumerate(node.children[1:], 1):
        others = (*node.children[:place], *node.children[place + 1 :])
        if isinstance(direction, Sum) and work.expanding:
            parts = []
            for term in direction.terms:
                bare = upright(work.renormalise(placed(term, direction.dims)), direction.dims)
                edge = normalise_matrix(work, matrix(node.fn, (*others, bare), node.shape, node.params, node.times))
                parts.append(edge._replace(coef=multiply(edge.coef, term.coef)))
            return work.total(parts, node.dims)
        if isinstance(direction, Product) and len(set(direction.out)) == direction.order:
            batch = direction.out[:-2]
            scalars = [f for f in direction.factors if set(f.labels) <= set(batch)]
            if scalars:
                rest = [f for f in direction.factors if f not in scalars]
                sizes = dict(enumerate(direction.sizes))
                bare = upright(work.renormalise(einsum(direction.coef, rest, direction.out, sizes)), direction.dims)
                edge = normalise_matrix(work, matrix(node.fn, (*others, bare), node.shape, node.params, node.times))
                front = [(f.node, f.labels, f.exponent) for f in scalars]
                axes = (*batch, *(("own", axis) for axis in whole[len(batch) :]))
                inside = materialise(edge, node.dims)
                return work.renormalise(einsum(1, [*front, (inside, axes)], axes))
    return None


def _settled(work: Work, child: Node) -> Edge:
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


# ------------------------------------------------------------------ directions that commute


def close_derivative(work: Work, node: Matrix) -> Node | None:
    """`D f(X)[E]` as `E f'(X)` if E commutes with X; of a sum, the terms that do; else None."""
    if node.times != 1 or len(node.children) != 2:
        return None
    x, direction = node.children
    terms = direction.terms if isinstance(direction, Sum) else (Term(1, direction, tuple(range(direction.order))),)
    whole = tuple(range(direction.order))
    closed = [term for term in terms if commutes(work, placed(term, direction.dims), x)]
    if not closed:
        return None
    slope = PRIMARY[node.fn](x, node.params)
    *front, columns = whole
    made = []
    for term in closed:
        factors = [(placed(term, direction.dims), (*front, "k")), (slope, (*front[:-1], "k", columns))]
        made.append((1, einsum(term.coef, factors, whole), whole))
    rest = [term for term in terms if term not in closed]
    if rest:
        left = addition(rest, direction.dims)
        made.append((1, matrix(node.fn, [x, left], node.shape, node.params, 1), whole))
    return addition(made, node.dims)


def placed(term: Term, dims: Sequence[Dimension]) -> Node:
    """The node of a term, among all axes of its sum."""
    return einsum(1, [(term.node, term.labels)], range(len(dims)), dict(enumerate(dims)))


def commutes(work: Work, node: Node, x: Node) -> bool:
    """Is this a product of numbers and functions of x, such as itself? Not all that commutes is found."""
    chain = _core(work, node)
    base = _core(work, x)
    if chain[:2] == base[:2] or _is_function(work, chain.node, chain.axes, base):
        return True
    inner = chain.node
    if not isinstance(inner, Product) or not {node.order - 2, node.order - 1} <= set(chain.axes):
        return False
    place = dict(zip(chain.axes, inner.out, strict=True))
    *batch, here, end = [place.get(axis, -1) for axis in range(node.order)]
    left = list(inner.factors)
    while left:
        for factor in left:
            step = _step(work, factor, tuple(batch), here, base)
            if step is not None:
                here = step
                left.remove(factor)
                break
        else:
            return False
    return here == end


def _step(work: Work, factor: Factor, batch: Labels, here: int, base: Core) -> int | None:
    """Where a function of the base, as a factor of a chain, leads from this label; None if it is none."""
    front = len(batch)
    if factor.exponent != 1 or len(factor.labels) != front + 2 or factor.labels[:front] != batch:
        return None
    a, b = factor.labels[front:]
    whole = tuple(range(front))
    if a == here and _is_function(work, factor.node, (*whole, front, front + 1), base):
        return b
    if b == here and _is_function(work, factor.node, (*whole, front + 1, front), base):
        return a
    return None


class Core(NamedTuple):
    """A matrix but for numbers and scalars: `node[axes]`."""

    node: Node
    axes: Labels


def _core(work: Work, node: Node) -> Core:
    """The matrix but for numbers and scalars (of each batch)."""
    _, inner, axes = work.renormalise(node)
    if not isinstance(inner, Product):
        return Core(inner, axes)
    batch = {label for label, axis in zip(inner.out, axes, strict=True) if axis < node.order - 2}
    kept = [f for f in inner.factors if not set(f.labels) <= batch]
    if len(kept) == len(inner.factors):
        return Core(inner, axes)
    carried = {label for f in kept for label in f.labels} | set(inner.out)
    sizes = {label: dim for label, dim in enumerate(inner.sizes) if label in carried}
    _, bare, places = work.renormalise(einsum(1, kept, inner.out, sizes))
    return Core(bare, tuple(axes[place] for place in places))


def _is_function(work: Work, node: Node, axes: Labels, base: Core) -> bool:
    """Is `node[axes]` the base, a primary function of it, or its inverse?"""
    if _same(Core(node, axes), base):
        return True
    known = isinstance(node, Matrix) and node.fn in PRIMARY and not node.times
    inverse = isinstance(node, Reduction) and node.fn == "inv" and node.axes == (node.order - 2, node.order - 1)
    if not known and not inverse:
        return False
    inner = _core(work, node.children[0])
    if len(inner.axes) < node.order:
        return False
    return _same(Core(inner.node, tuple(axes[axis] for axis in inner.axes)), base)


def _same(a: Core, b: Core) -> bool:
    if a.node is not b.node or len(a.axes) != len(b.axes):
        return False
    rule = symmetry_of(a.node)
    return settle(a.axes, rule)[0] == settle(b.axes, rule)[0]


# ------------------------------------------------------------------ directions that are contracted


class Contracted(NamedTuple):
    """Axes of a derivative that are contracted with some of the other factors, which make the matrix `edge`."""

    pair: int
    edge: Edge
    factors: tuple[int, ...]
    labels: frozenset[int]


def contract_directions(work: Work, draft: Draft, out: Sequence[int]) -> list[tuple[int, int]]:
    """What is contracted with both axes of a direction of a derivative becomes this direction.

    Gives the pairs of axes that may be swapped, because they are the ends of a chain of symmetric factors that commute.
    """
    place = 0
    while place < len(draft.factors):
        node, _, exponent = draft.factors[place]
        if isinstance(node, Matrix) and node.times and exponent == 1 and _contract(work, draft, out, place):
            place = 0
        else:
            place += 1
    return order_commuting(work, draft, out) if len(draft.factors) > 1 else []


def _contract(work: Work, draft: Draft, out: Sequence[int], place: int) -> bool:
    """Moves what can be moved into this derivative; says whether there was anything."""
    node, places, _ = draft.factors[place]
    assert isinstance(node, Matrix)
    labels = [draft.find(label) for label in places]
    pairs = pairs_of(node)
    found = [one for k in range(len(pairs)) if (one := _partner(work, draft, out, place, labels, k)) is not None]
    found.sort(key=lambda one: (colour(one.edge.node), one.edge.axes))
    if len(found) == len(pairs):
        found.pop()
    if not found:
        return False
    rows = node.children[0].order - 2
    dims = node.children[0].dims
    taken = {one.pair for one in found}
    left = [pair for k, pair in enumerate(pairs) if k not in taken]
    axes = [*range(rows), *left[0][::-1], *(axis for pair in left[1:] for axis in pair)]
    directions = [*node.children[1:], *(upright(one.edge._replace(coef=1), dims) for one in found)]
    shape = [node.dims[axis] for axis in axes]
    made = matrix(node.fn, [node.children[0], *directions], shape, node.params, node.times)
    for one in found:
        draft.coef = multiply(draft.coef, one.edge.coef)
        draft.drop(one.labels)
    gone = {place, *(k for one in found for k in one.factors)}
    kept = [factor for k, factor in enumerate(draft.factors) if k not in gone]
    draft.factors = kept
    draft.factors += draft.opened(draft.attach(work.edge(made), [labels[axis] for axis in axes], 1))
    return True


def _partner(
    work: Work, draft: Draft, out: Sequence[int], place: int, labels: Sequence[int], k: int
) -> Contracted | None:
    """What the axes of pair k are contracted with, if that runs along nothing else but the batches."""
    node = draft.factors[place][0]
    assert isinstance(node, Matrix)
    batch = labels[: node.children[0].order - 2]
    pair = pairs_of(node)[k]
    ends = [labels[axis] for axis in pair]
    others = [label for axis, label in enumerate(labels) if axis not in pair]
    free = {draft.find(label) for label in out}
    if free & set(ends) or set(others) & set(ends) or len(set(batch)) < len(batch):
        return None
    closed = free | set(others)
    inside, members = set(ends), set[int]()
    grown = True
    while grown:
        grown = False
        for other, (_, row, _) in enumerate(draft.factors):
            own = {draft.find(label) for label in row}
            if other == place or other in members or not own & inside:
                continue
            members.add(other)
            inside |= own - closed
            grown = True
    rows = {draft.find(label) for other in members for label in draft.factors[other][1]}
    if not rows <= inside | set(batch):
        return None
    factors = [
        (base, [draft.find(label) for label in row], exponent)
        for base, row, exponent in (draft.factors[other] for other in sorted(members))
    ]
    sizes = {label: draft.dims[label] for label in (*batch, *ends)}
    edge = work.renormalise(einsum(1, factors, (*batch, *ends), sizes))
    return Contracted(k, edge, tuple(sorted(members)), frozenset(inside))


# ------------------------------------------------------------------ chains of factors that commute


def order_commuting(work: Work, draft: Draft, out: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours in a chain that are functions of one matrix, in the order of their names: `f(X) X` is `X f(X)`.

    Gives the pairs of axes that are the ends of a symmetric chain.
    """
    seen: set[Node] = set()
    ends: list[tuple[int, int]] = []
    for node, _, _ in list(draft.factors):
        if isinstance(node, Matrix) and node.fn in PRIMARY and not node.times and node.children[0] not in seen:
            seen.add(node.children[0])
            ends += _order_functions(work, draft, out, _core(work, node.children[0]), node.order - 2)
    return ends


def remember_swaps(edge: Edge, swaps: Sequence[tuple[int, int]]) -> None:
    """The product of an edge may have these of its axes swapped."""
    if not isinstance(edge.node, Product) or "symmetry" in edge.node.facts:
        return
    moves: list[tuple[Perm, int]] = []
    for pair in swaps:
        if set(pair) <= set(edge.axes):
            a, b = (edge.axes.index(axis) for axis in pair)
            moves.append((tuple({a: b, b: a}.get(axis, axis) for axis in range(edge.node.order)), 1))
    if moves:
        edge.node.facts["symmetry"] = symmetry(edge.node.order, moves)


class Link(NamedTuple):
    """A factor of a chain, from row to column; `turned` if its own labels run the other way."""

    place: int
    row: int
    column: int
    turned: bool

    @property
    def back(self) -> Link:
        """The link walked the other way, as a symmetric matrix allows."""
        return Link(self.place, self.column, self.row, not self.turned)


def _order_functions(work: Work, draft: Draft, out: Sequence[int], base: Core, front: int) -> list[tuple[int, int]]:
    """Sorts the chains of functions of the base; gives the axes that are the ends of symmetric ones."""
    links: dict[Labels, list[Link]] = {}
    whole = tuple(range(front))
    uses = Counter(draft.find(label) for label in out)
    for place, (node, row, exponent) in enumerate(draft.factors):
        own = tuple(draft.find(label) for label in row)
        uses.update(own)
        if exponent != 1 or len(own) != front + 2:
            continue
        for turned, axes in ((False, (*whole, front, front + 1)), (True, (*whole, front + 1, front))):
            if _is_function(work, node, axes, base):
                ends = own[front:][:: -1 if turned else 1]
                links.setdefault(own[:front], []).append(Link(place, ends[0], ends[1], turned))
                break
    axis = {draft.find(label): n for n, label in reversed(list(enumerate(out)))}
    swaps = []
    for batch, found in links.items():
        left = [link for link in found if link.row != link.column]
        while left:
            chain = _chain(draft, left, axis, uses)
            nodes = sorted(((draft.factors[link.place][0], link.turned) for link in chain), key=lambda n: colour(n[0]))
            for link, (node, turned) in zip(chain, nodes, strict=True):
                ends = (link.column, link.row) if turned else (link.row, link.column)
                draft.factors[link.place] = (node, [*batch, *ends], 1)
            first, last = chain[0].row, chain[-1].column
            symmetric = all(_square_symmetric(draft.factors[link.place][0]) for link in chain)
            if symmetric and first != last and {first, last} <= axis.keys() and uses[first] == uses[last] == 2:
                swaps.append((axis[first], axis[last]))
    return swaps


def _chain(draft: Draft, left: list[Link], axis: Mapping[int, int], uses: Mapping[int, int]) -> list[Link]:
    """The longest chain through the first link, which it takes out of the list with those that it found."""
    chain = [left.pop(0)]
    for forward in (True, False):
        while True:
            end = chain[-1].column if forward else chain[0].row
            ways = [way for link in left for way in _directions(draft, link)]
            step = next((way for way in ways if (way.row if forward else way.column) == end), None)
            if step is None or uses[end] != 2 or end in axis:
                break
            left[:] = [link for link in left if link.place != step.place]
            chain.insert(len(chain) if forward else 0, step)
    if all(_square_symmetric(draft.factors[link.place][0]) for link in chain):
        inside = {link.place for link in chain}
        if _end(draft, axis, inside, chain[-1].column) < _end(draft, axis, inside, chain[0].row):
            chain = [link.back for link in reversed(chain)]
    return chain


def _end(draft: Draft, axis: Mapping[int, int], inside: set[int], label: int) -> tuple[Any, ...]:
    """What a chain hangs on at an end, to be compared: an axis of the product, or the place in another factor."""
    if label in axis:
        return 0, axis[label]
    rows = [
        (colour(node), slot)
        for place, (node, labels, _) in enumerate(draft.factors)
        for slot, other in enumerate(labels)
        if place not in inside and draft.find(other) == label
    ]
    return 1, sorted(rows)


def _directions(draft: Draft, link: Link) -> list[Link]:
    return [link, link.back] if _square_symmetric(draft.factors[link.place][0]) else [link]
