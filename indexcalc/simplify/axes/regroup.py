"""The normal form of axes joined and split: the rewrites of `grouped` and `joined`, in their order."""

from __future__ import annotations

from indexcalc.graph.constructors import regroup
from indexcalc.graph.edge import ZERO_EDGE, Edge, turned
from indexcalc.graph.node import Regroup
from indexcalc.simplify.axes.grouped import compose_groups, constant_groups, identity_groups
from indexcalc.simplify.axes.joined import distribute_groups, order_groups, split_constants, widen_groups
from indexcalc.simplify.normaliser import Normaliser


def normalise_regroup(work: Normaliser, node: Regroup, child: Edge) -> Edge:
    """The axes of an edge joined and split as those of the node's child are."""
    if child.coef == 0:
        return ZERO_EDGE
    if (split := split_constants(work, node, child)) is not None:
        return split[1] if split[0] is None else work.regrouped(split[0], split[1])
    known = constant_groups(work, node, child) or identity_groups(work, node, child)
    if known is not None:
        return known
    terms = distribute_groups(work, node, child) if work.flat or work.expanding else None
    if terms is not None:
        return work.total(terms, node.dims)
    coef, inner, axes = child
    written = [label for group in node.outer for label in group]
    axes = turned(inner, axes, lambda axis: written.index(node.inner[axis][0]))
    groups = [node.inner[axis] for axis in axes]
    constant = [axis for axis in range(node.child.order) if axis not in axes]
    wide = widen_groups(inner, [node.child.dims[axis] for axis in constant])
    one = compose_groups(node, wide, [*groups, *(node.inner[axis] for axis in constant)])
    if one is not None:
        made = regroup(*one)
        below = Edge(coef, inner.children[0], tuple(range(inner.children[0].order)))
        return work.regrouped(made, below) if made is not one[0] and isinstance(made, Regroup) else below
    if len(set(groups)) == len(groups) and set(groups) == set(node.outer):
        return Edge(coef, inner, tuple(node.outer.index(group) for group in groups))
    return order_groups(node, inner, groups, work.flat)._replace(coef=coef)
