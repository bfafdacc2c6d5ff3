"""Matrices that commute, because they are functions of one matrix: closed derivatives, and chains in one order.

The rewrites: `close_derivative` (D f(X)[E] is E f'(X) where E commutes with X) and `order_commuting` (f(X) X is X f(X);
N. Higham, Functions of Matrices, theorem 1.13).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.functions.primary import is_primary
from indexcalc.functions.table import matrix_row
from indexcalc.graph.canonical import settle, symmetry
from indexcalc.graph.constructors import addition, einsum, matrix
from indexcalc.graph.edge import Draft, Edge, colour, is_symmetric_matrix, symmetry_of
from indexcalc.graph.node import Factor, Labels, Matrix, Node, Perm, Product, Reduction, Sum, Term
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Core, Normaliser


def placed(term: Term, dims: Sequence[Dimension]) -> Node:
    """The node of a term, among all axes of its sum."""
    return einsum(1, [(term.node, term.labels)], range(len(dims)), dict(enumerate(dims)))


def close_derivative(work: Normaliser, node: Matrix) -> Node | None:
    """`D f(X)[E]` as `E f'(X)` if E commutes with X; of a sum, the terms that do; else None."""
    slope = matrix_row(node.fn).slope
    if node.times != 1 or len(node.children) != 2 or slope is None:
        return None
    x, direction = node.children
    terms = direction.terms if isinstance(direction, Sum) else (Term(1, direction, tuple(range(direction.order))),)
    whole = tuple(range(direction.order))
    bases = _bases(work, x)
    closed = [term for term in terms if any(commutes(work, placed(term, direction.dims), base) for base in bases)]
    if not closed:
        return None
    derived = slope(x, node.params)
    *front, columns = whole
    made = []
    for term in closed:
        factors = [(placed(term, direction.dims), (*front, "k")), (derived, (*front[:-1], "k", columns))]
        made.append((1, einsum(term.coef, factors, whole), whole))
    rest = [term for term in terms if term not in closed]
    if rest:
        left = addition(rest, direction.dims)
        made.append((1, matrix(node.fn, [x, left], node.shape, node.params, 1), whole))
    return addition(made, node.dims)


def commutes(work: Normaliser, node: Node, x: Node) -> bool:
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


def _step(work: Normaliser, factor: Factor, batch: Labels, here: int, base: Core) -> int | None:
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


def _core(work: Normaliser, node: Node) -> Core:
    """The matrix but for numbers and scalars (of each batch); found once in a sweep: it normalises the node again."""
    found = work.cores.get(node)
    if found is None:
        found = work.cores[node] = _bare(work, node)
    return found


def _bare(work: Normaliser, node: Node) -> Core:
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


def _is_function(work: Normaliser, node: Node, axes: Labels, base: Core) -> bool:
    """Is `node[axes]` the base, a primary function of it, or its inverse?"""
    if _same(Core(node, axes), base):
        return True
    known = isinstance(node, Matrix) and is_primary(node) and not node.times
    inverse = isinstance(node, Reduction) and node.fn == "inv" and node.axes == (node.order - 2, node.order - 1)
    if not known and not inverse:
        return False
    inner = _core(work, node.children[0])
    if len(inner.axes) < node.order:
        return False
    argument = Core(inner.node, tuple(axes[axis] for axis in inner.axes))
    return _same(argument, base) or _is_chain(work, argument, base)


def _is_chain(work: Normaliser, chain: Core, base: Core) -> bool:
    """Is this a power of a function of the base, such as X X? Other chains would be gone through at each link."""
    if not isinstance(chain.node, Product) or len(base.axes) < len(chain.axes) or chain.node.bound == 0:
        return False
    if len({factor.node for factor in chain.node.factors}) > 1:
        return False
    placed_chain = einsum(1, [(chain.node, chain.axes)], range(len(chain.axes)))
    return commutes(work, placed_chain, einsum(1, [(base.node, base.axes)], range(len(base.axes))))


def _same(a: Core, b: Core) -> bool:
    if a.node is not b.node or len(a.axes) != len(b.axes):
        return False
    rule = symmetry_of(a.node)
    return settle(a.axes, rule)[0] == settle(b.axes, rule)[0]


# ------------------------------------------------------------------ chains of factors that commute


def order_commuting(work: Normaliser, draft: Draft, out: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours in a chain that are functions of one matrix, in the order of their names: `f(X) X` is `X f(X)`.

    Gives the pairs of axes that are the ends of a symmetric chain of several.
    """
    seen: set[Node] = set()
    ends: list[tuple[int, int]] = []
    for node, _, _ in list(draft.factors):
        if isinstance(node, Matrix) and is_primary(node) and not node.times and node.children[0] not in seen:
            seen.add(node.children[0])
            for base in _bases(work, node.children[0]):
                ends += _order_functions(work, draft, out, _core(work, base), node.order - 2)
    return ends


def _bases(work: Normaliser, argument: Node) -> list[Node]:
    """The matrices of which an argument is a function: the one that it is a power of, and itself."""
    whole = _core(work, argument).node
    if isinstance(whole, Product) and len({factor.node for factor in whole.factors}) == 1:
        link = whole.factors[0].node
        if link.order == argument.order and not isinstance(link, Product) and commutes(work, argument, link):
            return [link, argument]
    return [argument]


def swapped(order: int, a: int, b: int) -> Perm:
    """The permutation of so many axes that swaps two.

    >>> swapped(4, 0, 2)
    (2, 1, 0, 3)
    """
    return tuple({a: b, b: a}.get(axis, axis) for axis in range(order))


def remember_swaps(edge: Edge, swaps: Sequence[tuple[int, int]]) -> None:
    """The product of an edge may have these of its axes swapped, beside what is known of it."""
    if not isinstance(edge.node, Product):
        return
    known, order = symmetry_of(edge.node), edge.node.order
    moves: list[tuple[Perm, int]] = [(perm, 1) for perm in known.perms]
    for axes, sign in known.blocks:
        moves += [(swapped(order, axes[0], axis), sign) for axis in axes[1:]]
    before = len(moves)
    for pair in swaps:
        if set(pair) <= set(edge.axes):
            a, b = (edge.axes.index(axis) for axis in pair)
            moves.append((swapped(order, a, b), 1))
    if len(moves) > before:
        edge.node.facts["symmetry"] = symmetry(order, moves)


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


def _order_functions(
    work: Normaliser, draft: Draft, out: Sequence[int], base: Core, front: int
) -> list[tuple[int, int]]:
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
            symmetric = all(is_symmetric_matrix(draft.factors[link.place][0]) for link in chain)
            if (
                len(chain) > 1
                and symmetric
                and first != last
                and {first, last} <= axis.keys()
                and uses[first] == uses[last] == 2
            ):
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
    if all(is_symmetric_matrix(draft.factors[link.place][0]) for link in chain):
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
    return [link, link.back] if is_symmetric_matrix(draft.factors[link.place][0]) else [link]
