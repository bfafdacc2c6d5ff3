"""The one form of joined axes among those that differ by an order of axes, or by where a sum is taken.

The rewrites: `distribute_groups` (a sum that is regrouped is the sum of what is regrouped), `map_groups` and
`reduce_groups` (a function of joined axes is taken of what they join), `split_constants` (an axis along which a node is
constant, or two that are a delta, split into such axes), `expose_groups` (in a product, joined axes that stay are
tensors of their own) and `order_groups` (the axes of a regrouping in an order of their own, and its symmetries).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import factorial
from typing import Any, NamedTuple

from indexcalc.functions.table import reduction_row
from indexcalc.graph.canonical import settle, symmetry
from indexcalc.graph.constructors import delta, einsum, reduction, regroup
from indexcalc.graph.edge import Draft, Edge, even, materialise, symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Labels, Node, Product, Reduction, Regroup, Sum
from indexcalc.graph.numbers import multiply
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened

MOST_ORDERS = 120
"""So many orders of the axes of a regrouping are tried where the node below has symmetries."""


# ------------------------------------------------------------------ sums, functions and constants


def distribute_groups(work: Normaliser, node: Regroup, child: Edge) -> list[Edge] | None:
    """The terms of a sum, each with the axes that the node joins and splits; None if the child is no sum."""
    if not isinstance(child.node, Sum):
        return None
    return [work.regrouped(node, Edge(t.coef, t.node, t.labels).through(child)) for t in child.node.terms]


def map_groups(node: Regroup, made: Node) -> Regroup:
    """The regrouping of a function of the entries of the node's child, which is that function of the node."""
    joined = regroup(made, node.inner, node.outer, node.sizes)
    assert isinstance(joined, Regroup)
    return joined


def reduce_groups(
    node: Reduction, child: Regroup, places: Sequence[int]
) -> tuple[Node, list[Labels], list[int]] | None:
    """A reduction along joined axes as one along what they join: it, how its axes are joined, and which are left.

    `places` has the axes of the child of the reduction where the regrouping's axes stand. None if none is reduced.
    """
    along = [axis for axis, place in enumerate(places) if place in node.axes]
    if not reduction_row(node.fn).of_sets or all(len(child.outer[axis]) == 1 for axis in along):
        return None
    if any(len(group) > 1 for group in child.inner):
        return None
    gone = {label for axis in along for label in child.outer[axis]}
    axis_of = {group[0]: axis for axis, group in enumerate(child.inner)}
    left = {label: k for k, (label,) in enumerate(group for group in child.inner if group[0] not in gone)}
    kept = [axis for axis in range(child.order) if axis not in along]
    made = reduction(node.fn, child.child, [axis_of[label] for label in gone], False, node.params)
    return made, [tuple(left[label] for label in child.outer[axis]) for axis in kept], kept


def split_constants(work: Normaliser, node: Regroup, child: Edge) -> tuple[Regroup | None, Edge] | None:
    """The same regrouping of a child whose axes are split where no tensor carries them; None if there are none.

    With the edge of what is regrouped comes None where nothing is split or joined any more.

    `δ` of the dimension m n is `δ_ik δ_jl` of its parts; what is constant along an axis is constant along its parts.
    """
    if all(len(group) == 1 for group in node.inner):
        return None
    label_of: dict[int, Any] = dict(zip(child.axes, _own_labels(child.node), strict=True))
    loose = {axis for axis in range(node.child.order) if axis not in child.axes}
    deltas = _loose_deltas(node, child)
    if any(len(node.inner[axis]) == 1 for axis in deltas):
        node = _with_partners(node, deltas)
    loose |= deltas.keys()
    if all(len(node.inner[axis]) == 1 for axis in loose):
        return None
    out: list[Any] = []
    inner: list[Labels] = []
    dims: dict[Any, Dimension] = {}
    for axis, group in enumerate(node.inner):
        whole = label_of.get(axis, ("constant", axis))
        parts = [(label,) for label in group] if axis in loose else [group]
        inner += parts
        for k, part in enumerate(parts):
            label = (whole, k) if axis in loose else whole
            out.append(label)
            dims[label] = node.sizes[part[0]] if axis in loose else node.child.dims[axis]
    below = child.node
    if isinstance(below, Product):
        bare = {label: dim for label, dim in enumerate(below.sizes) if label not in below.out}
        made = einsum(below.coef, [(f.node, f.labels, f.exponent) for f in below.factors], out, dims | bare)
    else:
        made = einsum(1, [(below, tuple(label_of[axis] for axis in child.axes))], out, dims)
    coef, below, axes = work.renormalise(made)
    split = regroup(made, inner, node.outer, node.sizes)
    rest = split if isinstance(split, Regroup) and split is not made else None
    return rest, Edge(multiply(coef, child.coef), below, axes)


def _own_labels(node: Node) -> Labels:
    return node.out if isinstance(node, Product) else tuple(range(node.order))


def _loose_deltas(node: Regroup, child: Edge) -> dict[int, Labels]:
    """The axes that are deltas, carried by no factor, and how they are split: in one way, or not at all."""
    below = child.node
    if not isinstance(below, Product):
        return {}
    carried = {label for factor in below.factors for label in factor.labels}
    places: dict[int, list[int]] = {}
    for axis, label in zip(child.axes, below.out, strict=True):
        places.setdefault(label, []).append(axis)
    found: dict[int, Labels] = {}
    for label, axes in places.items():
        groups = [node.inner[axis] for axis in axes if len(node.inner[axis]) > 1]
        if label not in carried and len({tuple(node.sizes[x] for x in group) for group in groups}) == 1:
            found |= dict.fromkeys(axes, groups[0])
    return found


def _with_partners(node: Regroup, deltas: dict[int, Labels]) -> Regroup:
    """The regrouping with each whole axis of a delta that is split beside it split too, and joined again outside."""
    partner = {axis: group for axis, group in deltas.items() if len(node.inner[axis]) == 1}
    inner, outer, sizes = list(node.inner), list(node.outer), list(node.sizes)
    for axis, parts in partner.items():
        (label,) = inner[axis]
        made = tuple(range(len(sizes), len(sizes) + len(parts)))
        sizes += [sizes[part] for part in parts]
        inner[axis] = made
        outer = [tuple(x for old in group for x in (made if old == label else (old,))) for group in outer]
    used = sorted({x for group in inner for x in group})
    number = {label: k for k, label in enumerate(used)}
    inner, outer = ([tuple(number[x] for x in group) for group in groups] for groups in (inner, outer))
    made_node = regroup(node.child, inner, outer, [sizes[label] for label in used])
    assert isinstance(made_node, Regroup)
    return made_node


# ------------------------------------------------------------------ in a product


def expose_groups(work: Normaliser, draft: Draft, out: Sequence[int]) -> bool:
    """Whether the joined axes of a product have become tensors of their own, `T_Jxy`, 1 where x and y join to J.

    What is joined becomes a factor, so the form does not depend on which part of a product was joined. An axis that is
    joined twice in one way is so once: `T_Jxy T_Juv` is `T_Jxy δ_xu δ_yv`.
    """
    if not any(isinstance(node, Regroup) for node, _, _ in draft.factors):
        return False
    rows = [(node, [draft.find(label) for label in labels], e) for node, labels, e in draft.factors]
    groups = [(node, labels) for node, labels, _ in rows if isinstance(node, Regroup)]
    _, row, power = rows[0]
    free = {draft.find(label) for label in out}
    if len(rows) == 1 and power == 1 and set(row) <= free:
        return False
    known: dict[object, list[int]] = {}
    if all(_is_joint(node) and e == 1 for node, _, e in rows if isinstance(node, Regroup)):
        joints = {
            (label, tuple(node.sizes[x] for x in group))
            for node, labels in groups
            for label, group in zip(labels, node.outer, strict=True)
            if len(group) > 1
        }
        if len(joints) == len(groups):
            return False
    draft.factors = []
    for node, labels, exponent in rows:
        if not isinstance(node, Regroup):
            draft.factors.append((node, labels, exponent))
            continue
        place: dict[int, int] = {}
        for group, label in zip(node.outer, labels, strict=True):
            place.update(zip(group, _joint(work, draft, known, label, [node.sizes[x] for x in group]), strict=True))
        below = [_whole(work, draft, known, [place[x] for x in group]) for group in node.inner]
        child = Edge(1, node.child, tuple(range(node.child.order)))
        of_deltas = isinstance(node.child, Product) and not node.child.factors and node.child.coef == 1
        raised = 1 if of_deltas and exponent.real > 0 else exponent
        draft.factors += opened(draft, draft.attach(child, below, raised))
    return True


def _is_joint(node: Regroup) -> bool:
    child, joined = node.child, [group for group in node.outer if len(group) > 1]
    if not isinstance(child, Product) or child.factors or child.coef != 1 or len(joined) != 1:
        return False
    parts = {child.out[axis] for axis, group in enumerate(node.inner) if group[0] in joined[0]}
    return len(parts) == len(joined[0]) == len(child.sizes) and len(child.out) == 2 * len(parts)


def _joint(
    work: Normaliser, draft: Draft, known: dict[object, list[int]], label: int, sizes: Sequence[Dimension]
) -> list[int]:
    """The labels that a label joins, with the tensor that says so among the factors."""
    if len(sizes) == 1:
        return [label]
    key = (label, tuple(sizes))
    if key not in known:
        known[key] = draft.fresh(sizes)
        count = len(sizes)
        node = delta(*sizes)
        parts = [(k,) for k in range(2 * count)]
        joined = regroup(node, parts, [tuple(range(count)), *parts[count:]], node.dims)
        assert isinstance(joined, Regroup)
        edge = work.regrouped(joined, work.renormalise(node))
        draft.factors += opened(draft, draft.attach(edge, [label, *known[key]], 1))
    return known[key]


def _whole(work: Normaliser, draft: Draft, known: dict[object, list[int]], parts: list[int]) -> int:
    """The label that joins these."""
    if len(parts) == 1:
        return parts[0]
    sizes = [draft.dims[label] for label in parts]
    total: Dimension = 1
    for size in sizes:
        total = total * size
    (label,) = draft.fresh([total])
    for mine, part in zip(_joint(work, draft, known, label, sizes), parts, strict=True):
        draft.join(mine, part)
    return label


# ------------------------------------------------------------------ the order of axes


class Ordered(NamedTuple):
    """The axes of a regrouping as they may stand: labels numbered along the child's axes, and its axes in an order."""

    inner: tuple[Labels, ...]
    sizes: tuple[Dimension, ...]
    outer: tuple[Labels, ...]
    order: Labels

    def rank(self) -> tuple[list[int], list[str], tuple[Labels, ...]]:
        """What the least of several is least by."""
        return [len(group) for group in self.inner], [str(size) for size in self.sizes], self.outer


def order_groups(node: Regroup, child: Node, groups: Sequence[Labels], turn: bool, most: int = MOST_ORDERS) -> Edge:
    """The regrouping of a child whose axes run over `groups`, its own axes in their order, or with `turn` in the least.

    The child is constant along the labels that `groups` lack: they come last. Where it has symmetries, they turn its
    axes, and those that are left are the symmetries of the regrouping.
    """
    rule = even(symmetry_of(child))
    asked = tuple(range(node.order))
    few = factorial(node.order) <= most
    if rule is NO_SYMMETRY or not few:
        found = [_numbered(node, groups, asked)]
        if turn:
            outer = found[0].outer
            found = [_numbered(node, groups, sorted(asked, key=lambda axis: min(outer[axis], default=-1)))]
    else:
        everything = [_turned(node, child, groups, order) for order in permutations(asked)]
        least = min(everything, key=Ordered.rank) if turn else everything[0]
        found = [one for one in everything if one.rank() == least.rank()]
    first = found[0]
    dims = [*child.dims, *(first.sizes[group[0]] for group in first.inner[child.order :])]
    below = materialise(Edge(1, child, tuple(range(child.order))), dims)
    made = regroup(below, first.inner, first.outer, first.sizes)
    if made is below:
        return Edge(1, child, first.order)
    if rule is not NO_SYMMETRY and not few:
        made.facts["inexact"] = True
    if len(found) > 1 and "symmetry" not in made.facts:
        moves = [(tuple(first.order.index(axis) for axis in other.order), 1) for other in found[1:]]
        made.facts["symmetry"] = symmetry(node.order, moves)
    return Edge(1, made, first.order)


def _turned(node: Regroup, child: Node, groups: Sequence[Labels], order: Sequence[int]) -> Ordered:
    """The regrouping with its axes in this order, and the child's turned as its symmetry allows."""
    written = [label for axis in order for label in node.outer[axis]]
    ranks = sorted(range(child.order), key=lambda axis: [written.index(label) for label in groups[axis]])
    places, _ = settle([ranks.index(axis) for axis in range(child.order)], even(symmetry_of(child)))
    return _numbered(node, [groups[ranks[place]] for place in places], order)


def _numbered(node: Regroup, groups: Sequence[Labels], order: Sequence[int]) -> Ordered:
    written = [label for axis in order for label in node.outer[axis]]
    carried = [label for group in groups for label in group]
    constant = [(label,) for label in written if label not in carried]
    place = {label: k for k, label in enumerate([*carried, *(label for (label,) in constant)])}
    return Ordered(
        tuple(tuple(place[x] for x in group) for group in (*groups, *constant)),
        tuple(node.sizes[label] for label in place),
        tuple(tuple(place[x] for x in node.outer[axis]) for axis in order),
        tuple(order),
    )


def widen_groups(child: Node, dims: Sequence[Dimension]) -> Node:
    """A regrouping constant along further axes of these dimensions as one of what is constant; any other as it is."""
    if not isinstance(child, Regroup) or not dims:
        return child
    below = materialise(Edge(1, child.child, tuple(range(child.child.order))), [*child.child.dims, *dims])
    single = [(len(child.sizes) + k,) for k in range(len(dims))]
    return regroup(below, [*child.inner, *single], [*child.outer, *single], [*child.sizes, *dims])
