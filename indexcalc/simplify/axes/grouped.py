"""Simplification of joined axes: a product of joined arrays is the joined product, so kron(A, B) vec(X) = vec(B X A^T).

The rewrites: `open_groups` (in a product, a label that only joined axes carry becomes the labels that they join),
`compose_groups` (one regrouping after another is one), `constant_groups` (what is constant along all the axes that are
joined is constant along the axis) and `identity_groups` (deltas that join to one identity).
"""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.graph.constructors import einsum, regroup
from indexcalc.graph.edge import Draft, Edge, materialise
from indexcalc.graph.node import Labels, Node, Product, Regroup
from indexcalc.graph.numbers import multiply
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened

Groups = list[Labels]
Composed = tuple[Node, Groups, Groups, list[Dimension]]


def joined(work: Normaliser, child: Edge, dims: Sequence[Dimension], outer: Sequence[Labels]) -> Edge:
    """The edge of an edge whose axes, of these dimensions, are joined so."""
    single = [(axis,) for axis in range(len(dims))]
    below = materialise(child, dims)
    node = regroup(below, single, outer, dims)
    return work.regrouped(node, child) if node is not below and isinstance(node, Regroup) else child


# ------------------------------------------------------------------ in a product


def open_groups(work: Normaliser, draft: Draft, out: list[int]) -> Edge | None:
    """The product with its joined labels opened and joined again outside; None if there is none to open."""
    if not any(isinstance(node, Regroup) for node, _, _ in draft.factors):
        return None
    free = [draft.find(label) for label in out]
    rows = [(node, [draft.find(label) for label in labels], e) for node, labels, e in draft.factors]
    _, row, exponent = rows[0]
    if len(rows) == 1 and exponent == 1 and len(set(row)) == len(row) and set(row) <= set(free):
        known = draft.gone.union(row, free)
        if all(label in known for label in range(len(draft.dims)) if draft.find(label) == label):
            return None
    apart = {label: sizes for label in dict.fromkeys(x for _, row, _ in rows for x in row)
              if (sizes := _sizes(rows, label)) is not None}  # fmt: skip
    if not work.flat:
        apart = _whole(rows, apart)
    if not apart:
        return None
    parts = {label: draft.fresh(sizes) for label, sizes in apart.items()}
    draft.drop(apart)
    draft.factors = []
    for node, row, exponent in rows:
        places = [tuple(parts.get(label, [label])) for label in row]
        if all(len(place) == 1 for place in places):
            draft.factors.append((node, row, exponent))
            continue
        assert isinstance(node, Regroup)
        edge, flat = _split(work, node, [len(place) > 1 for place in places]), [x for place in places for x in place]
        draft.factors += opened(draft, draft.attach(edge, flat, exponent))
    inside = [tuple(parts.get(label, [label])) for label in free]
    flat = [label for group in inside for label in group]
    dims = [draft.dims[label] for label in flat]
    count = iter(range(len(flat)))
    outer = [tuple(next(count) for _ in group) for group in inside]
    return joined(work, work.finish(draft, flat, dims), dims, outer)


def _whole(
    rows: Sequence[tuple[Node, list[int], object]], opened: dict[int, tuple[Dimension, ...]]
) -> dict[int, tuple[Dimension, ...]]:
    """The labels by whose opening no factor is left half open: `kron(A, B) @ x` for a plain x reads best as it is."""
    while True:
        closed = {
            label for node, row, _ in rows if isinstance(node, Regroup)
            for group, label in zip(node.outer, row, strict=True) if len(group) > 1 and label not in opened
        }  # fmt: skip
        half = {label for _, row, _ in rows if closed.intersection(row) for label in row if label in opened}
        if not half:
            return opened
        opened = {label: sizes for label, sizes in opened.items() if label not in half}


def _sizes(rows: Sequence[tuple[Node, list[int], object]], label: int) -> tuple[Dimension, ...] | None:
    """The dimensions that a label joins in all that carry it; None where it joins none, or not the same."""
    found = None
    for node, row, _ in rows:
        for axis, other in enumerate(row):
            if other != label:
                continue
            if not isinstance(node, Regroup) or len(node.outer[axis]) < 2:
                return None
            sizes = tuple(node.sizes[x] for x in node.outer[axis])
            if found not in (None, sizes):
                return None
            found = sizes
    return found


def _split(work: Normaliser, node: Regroup, flags: Sequence[bool]) -> Edge:
    """The node with some of its joined axes split."""
    outer: Groups = []
    for group, flag in zip(node.outer, flags, strict=True):
        outer += [(label,) for label in group] if flag else [group]
    child = Edge(1, node.child, tuple(range(node.child.order)))
    made = regroup(node.child, node.inner, outer, node.sizes)
    return work.regrouped(made, child) if made is not node.child and isinstance(made, Regroup) else child


# ------------------------------------------------------------------ regroupings themselves


def compose_groups(node: Regroup, child: Node, groups: Sequence[Labels]) -> Composed | None:
    """The regrouping of a regrouping, its axes split into `groups`, as one: child, inner, outer and sizes; or None."""
    if not isinstance(child, Regroup):
        return None
    sizes: list[Dimension] = []
    first: dict[int, Labels] = {}
    second: dict[int, Labels] = {}
    for own, other in zip(child.outer, groups, strict=True):
        fine, coarse, table = (own, other, child.sizes) if len(own) >= len(other) else (other, own, node.sizes)
        start = len(sizes)
        sizes += [table[label] for label in fine]
        whole = tuple(range(start, len(sizes)))
        mine, theirs = (first, second) if fine is own else (second, first)
        mine.update({label: (start + k,) for k, label in enumerate(fine)})
        if len(fine) == len(coarse):
            if [child.sizes[x] for x in own] != [node.sizes[x] for x in other]:
                return None
            theirs.update({label: (start + k,) for k, label in enumerate(coarse)})
        elif len(coarse) == 1:
            theirs[coarse[0]] = whole
        else:
            return None
    inner = [tuple(x for label in group for x in first[label]) for group in child.inner]
    outer = [tuple(x for label in group for x in second[label]) for group in node.outer]
    return child.child, inner, outer, sizes


def identity_groups(work: Normaliser, node: Regroup, child: Edge) -> Edge | None:
    """A regrouping in which two joined axes are one identity: the delta of both, and the rest; or None."""
    inner = child.node
    if not isinstance(inner, Product) or len(set(inner.out)) == len(inner.out) or len(child.axes) < node.child.order:
        return None
    if any(len(group) > 1 for group in node.inner):
        return None
    label = {node.inner[axis][0]: inner.out[k] for k, axis in enumerate(child.axes)}
    seen: dict[tuple[int, ...], int] = {}
    for axis, group in enumerate(node.outer):
        first = seen.setdefault(tuple(label[x] for x in group), axis)
        if first == axis:
            continue
        kept = [k for k, place in enumerate(child.axes) if node.inner[place][0] not in group]
        factors = [(f.node, f.labels, f.exponent) for f in inner.factors]
        rest = einsum(inner.coef, factors, [inner.out[k] for k in kept], dict(enumerate(inner.sizes)))
        axes = sorted(child.axes[k] for k in kept)
        edge = work.renormalise(rest)
        moved = Edge(edge.coef, edge.node, tuple(axes.index(child.axes[kept[k]]) for k in edge.axes))
        outer = [g for other, g in enumerate(node.outer) if other != axis]
        place = {node.inner[old][0]: new for new, old in enumerate(axes)}
        dims = [node.child.dims[old] for old in axes]
        made = joined(work, moved, dims, [tuple(place[x] for x in g) for g in outer])
        labels = [k for k in range(node.order) if k != axis]
        body = materialise(made, [node.dims[k] for k in labels])
        out = [first if k == axis else k for k in range(node.order)]
        result = work.renormalise(einsum(1, [(body, labels)], out))
        return result._replace(coef=multiply(result.coef, child.coef))
    return None


def constant_groups(work: Normaliser, node: Regroup, child: Edge) -> Edge | None:
    """A regrouping along whose axes, some of them, the child is constant; None if there are none."""
    if len(child.axes) == node.child.order or any(len(group) > 1 for group in node.inner):
        return None
    there = {node.inner[axis][0] for axis in child.axes}
    kept = [k for k, group in enumerate(node.outer) if set(group) & there]
    if len(kept) == node.order:
        return None
    old = [axis for axis, group in enumerate(node.inner) if any(group[0] in node.outer[k] for k in kept)]
    place = {node.inner[axis][0]: new for new, axis in enumerate(old)}
    moved = Edge(child.coef, child.node, tuple(old.index(axis) for axis in child.axes))
    outer = [tuple(place[x] for x in node.outer[k]) for k in kept]
    edge = joined(work, moved, [node.child.dims[axis] for axis in old], outer)
    return edge._replace(axes=tuple(kept[axis] for axis in edge.axes))
