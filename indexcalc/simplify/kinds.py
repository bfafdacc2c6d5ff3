"""The normal form of each kind of node, from the normal forms of its children: a rule a kind, in one table.

Every rule takes the sweep that it is part of (`Normaliser`) and a node, and gives the edge of the node's normal form.
The rules of products, matrices and joined axes have files of their own, beside the rewrites that they call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from indexcalc.functions.entries.choosing import EQUAL
from indexcalc.functions.table import POWER, elementwise_row, reduction_row
from indexcalc.graph.canonical import Hyperedge, labelling, settle
from indexcalc.graph.constructors import ONE, addition, as_number, call, einsum, elementwise, reduction
from indexcalc.graph.edge import Edge, colour, even, materialise, scaled, symmetry_of, turned, upright
from indexcalc.graph.node import (
    NO_SYMMETRY,
    Call,
    Constant,
    Definition,
    Elementwise,
    Labels,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Variable,
)
from indexcalc.graph.numbers import Number, multiply
from indexcalc.index import Dimension
from indexcalc.simplify.axes.grouped import joined
from indexcalc.simplify.axes.joined import map_groups, reduce_groups
from indexcalc.simplify.identities.nested import NESTED_FUNCTIONS
from indexcalc.simplify.matrices.inverse import normalise_inverse
from indexcalc.simplify.matrices.matrix import rule_matrix
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.powers.exponents import power_of_power
from indexcalc.simplify.products.choosing import open_bracket
from indexcalc.simplify.products.gather import rule_product
from indexcalc.simplify.recognise import COMPARED, recognise_choice, recognise_comparison
from indexcalc.simplify.rewriting.driver import added, rewrite_node, rewrite_terms
from indexcalc.simplify.rewriting.of_functions import FUNCTIONS, OTHERS
from indexcalc.simplify.rewriting.of_sums import SUMS
from indexcalc.simplify.sums import LIKE_TERMS, collect_terms, normalise_sum, remember_symmetry
from indexcalc.simplify.traits import traits

WIDEST_SUM = 512
"""So many terms, at most, has a sum that another is opened into: a chain of shared sums would grow without end."""


def rule_leaf(work: Normaliser, node: Node) -> Edge:
    """What has no children, or is looked at as a whole (a named step), is its own normal form."""
    return Edge(1, node, tuple(range(node.order)))


# ------------------------------------------------------------------ sums


def rule_sum(work: Normaliser, node: Sum) -> Edge:
    """The sum with the terms of sums in it opened, and like terms collected."""
    terms: list[Edge] = []
    within = Counter(t.node for t in node.terms)
    stack: list[tuple[Number, Node, Labels]] = [(t.coef, t.node, t.labels) for t in reversed(node.terms)]
    while stack:
        coef, source, places = stack.pop()
        if source in work.absorbed and isinstance(source, Sum):
            stack += [
                (multiply(coef, t.coef), t.node, tuple(places[x] for x in t.labels)) for t in reversed(source.terms)
            ]
            continue
        factor, inner, axes = work.child(source)
        coef, axes = multiply(coef, factor), tuple(places[x] for x in axes)
        whole = work.uses(source) == within[source] and len(terms) + len(inner.children) <= WIDEST_SUM
        if isinstance(inner, Sum) and (whole or work.inlines(source, inner, len(terms))):
            terms += [Edge(multiply(coef, t.coef), t.node, tuple(axes[x] for x in t.labels)) for t in inner.terms]
        else:
            terms.append(Edge(coef, inner, axes))
    return collect(work, terms, node.dims)


def total(work: Normaliser, terms: Iterable[Edge], dims: Sequence[Dimension]) -> Edge:
    """The normal form of a sum of normal forms."""
    opened: list[Edge] = []
    for coef, node, axes in terms:
        if isinstance(node, Sum):
            opened += [Edge(multiply(coef, t.coef), t.node, tuple(axes[x] for x in t.labels)) for t in node.terms]
        else:
            opened.append(Edge(coef, node, axes))
    return collect(work, opened, dims)


def collect(work: Normaliser, terms: list[Edge], dims: Sequence[Dimension]) -> Edge:
    """Like terms collected; multiplied out first where that lets terms cancel."""
    found = collect_terms(terms, work.key)
    if work.trace is not None and len(found) < len(terms):
        before = addition([(coef, node, axes) for coef, node, axes in terms], dims)
        work.trace.note(LIKE_TERMS, before, added(found, dims))
    offered = 0
    for node, _ in found:
        offered |= traits(node)
    found = rewrite_terms(work, SUMS, found, dims, offered)
    return normalise_sum(found, dims)


# ------------------------------------------------------------------ functions


def rule_elementwise(work: Normaliser, node: Elementwise) -> Edge:
    """The function of normal forms, its axes numbered in one way; a power to a number is a product."""
    args: list[tuple[Node, Labels]] = []
    for arg in node.args:
        coef, inner, axes = argument(work, work.child(arg.node))
        merge = work.uses(arg.node) == 1
        args.append((scaled(coef, inner, merge), tuple(arg.labels[x] for x in axes)))
    if node.fn == POWER and (number := as_number(args[1][0])) is not None:
        base, labels = args[0]
        raised = einsum(1, [(base, range(base.order), number)], range(base.order))
        coef, inner, axes = work.renormalise(raised)
        return Edge(coef, inner, tuple(labels[x] for x in axes))
    if node.fn == POWER:
        (base, below), (exponent, above) = args
        found = power_of_power(base, below, exponent, above)
        if found is not None:
            inner, below, exponent = found
            args = [(inner, below), (upright(work.renormalise(exponent), ()), ())]
    if len(args) == 1:
        return unary(work, node, *args[0])
    if node.fn in COMPARED and (known := recognise_comparison(node.fn, args)) is not None:
        return Edge(1, *known)
    if node.fn == EQUAL and (opened := open_bracket(args, node.dims)) is not None:
        return work.renormalise(opened)
    row = elementwise_row(node.fn)
    args = recognise_choice(args) if row.choice else args
    value = {axis: (1, str(node.dims[axis])) for _, own in args for axis in own}
    items = [
        Hyperedge((0 if row.commutative else k, *colour(inner)), labels, even(symmetry_of(inner)))
        for k, (inner, labels) in enumerate(args)
    ]
    form = labelling(items, value)
    assert form is not None
    order = form.items if row.commutative else range(len(args))
    place = {axis: k for k, axis in enumerate(form.labels)}
    rows = []
    for k in order:
        inner, labels = args[k]
        settled = settle([place[x] for x in labels], even(symmetry_of(inner)))[0]
        rows.append((inner, settled))
    made = elementwise(node.fn, rows, [node.dims[axis] for axis in form.labels], node.params)
    remember_symmetry(made, form.labels, form.symmetries)
    return Edge(1, made, tuple(form.labels))


def argument(work: Normaliser, edge: Edge) -> Edge:
    """An argument; where sharing is not seen, minus a skew one is its transpose: `exp(-K)` is `exp(K.T)`.

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.graph.node import Symmetry
    >>> from indexcalc.simplify.passes import FlatPass
    >>> K = variable("K", (3, 3), ["skew"], Symmetry((((0, 1), -1),)))
    >>> coef, _, axes = argument(FlatPass(), Edge(-2, K, (0, 1)))
    >>> coef, axes
    (2, (1, 0))
    """
    coef, inner, axes = edge
    if not work.flat or isinstance(coef, complex) or coef > 0:
        return edge
    block = next((block for block, sign in symmetry_of(inner).blocks if sign < 0), None)
    if block is None:
        return edge
    swapped = list(axes)
    swapped[block[0]], swapped[block[1]] = axes[block[1]], axes[block[0]]
    return Edge(-coef, inner, tuple(swapped))


def unary(work: Normaliser, node: Elementwise, inner: Node, labels: Labels) -> Edge:
    """A function of one argument: its axes are those of the argument."""
    value = as_number(inner)
    if isinstance(value, int) and (exact := elementwise_row(node.fn).exact.get(value)) is not None:
        return Edge(exact, ONE, ())
    if isinstance(inner, Regroup):
        below, every = inner.child, tuple(range(inner.child.order))
        entries = elementwise(node.fn, [(below, every)], below.dims, node.params)
        assert isinstance(entries, Elementwise)
        edge = work.regrouped(map_groups(inner, entries), unary(work, entries, below, every))
        return edge._replace(axes=tuple(labels[x] for x in edge.axes))
    made = elementwise(node.fn, [(inner, range(inner.order))], inner.dims, node.params)
    assert isinstance(made, Elementwise)
    opened = rewrite_node(work, FUNCTIONS[node.fn], made) if node.fn in FUNCTIONS else None
    if opened is not None:
        return opened._replace(axes=tuple(labels[x] for x in opened.axes))
    if symmetry_of(inner) is not NO_SYMMETRY and "symmetry" not in made.facts:
        made.facts["symmetry"] = even(symmetry_of(inner))
    return Edge(1, made, labels)


def rule_reduction(work: Normaliser, node: Reduction) -> Edge:
    """The function along axes of a normal form, turned so that these come first where a symmetry allows to choose."""
    coef, inner, axes = argument(work, work.child(node.child))
    if len(axes) < node.child.order:
        dims, own = node.child.dims, tuple(range(len(axes)))
        lacks = sorted(
            set(range(len(dims))) - set(axes), key=lambda axis: (axis not in node.axes, str(dims[axis]), axis)
        )
        axes = (*axes, *lacks)
        inner, coef = materialise(Edge(coef, inner, own), [dims[axis] for axis in axes]), 1
    elif reduction_row(node.fn).axes != 2:
        inner, coef = scaled(coef, inner, work.uses(node.child) == 1), 1
    axes = turned(inner, axes, lambda axis: (axis not in node.axes, axis))
    if reduction_row(node.fn).axes == 2:
        return matrix_reduction(work, node, Edge(coef, inner, axes))
    opened = None
    if isinstance(inner, Regroup) and (work.flat or inner.child.order <= 2):
        opened = reduce_groups(node, inner, axes)
    if opened is not None:
        below, outer, left = opened
        edge = joined(work, work.edge(below), below.dims, outer)
        there = [axis for axis in range(node.child.order) if axis not in node.axes]
        return edge._replace(axes=tuple(there.index(axes[left[x]]) for x in edge.axes))
    made = reduction(node.fn, inner, [k for k, axis in enumerate(axes) if axis in node.axes], node.keeps, node.params)
    assert isinstance(made, Reduction)
    if node.keeps:
        others = rewrite_node(work, OTHERS, made)
        if others is not None:
            return others._replace(axes=tuple(axes[x] for x in others.axes))
        remember_kept(made)
        return Edge(1, made, axes)
    known = rewrite_node(work, (NESTED_FUNCTIONS,), made)
    if known is not None:
        return known
    kept = [axis for axis in range(node.child.order) if axis not in node.axes]
    return Edge(1, made, tuple(kept.index(axis) for axis in axes if axis in kept))


def matrix_reduction(work: Normaliser, node: Reduction, child: Edge) -> Edge:
    """A function of matrices with this argument, whose axes are all there."""
    along = tuple(k for k, axis in enumerate(child.axes) if axis in node.axes)
    edge = normalise_inverse(work, node.fn, child.coef, child.node, along, params=node.params)
    kept = [axis for axis in range(node.child.order) if node.keeps or axis not in node.axes]
    where = [kept.index(axis) for axis in child.axes if axis in kept]
    return edge._replace(axes=tuple(where[axis] for axis in edge.axes))


def remember_kept(made: Reduction) -> None:
    """Note the symmetry of a reduction that keeps its axes: its argument's, where that mixes no axes of both kinds."""
    rule, along = even(symmetry_of(made.child)), set(made.axes)
    blocks = tuple(block for block in rule.blocks if len({axis in along for axis in block[0]}) == 1)
    whole = len(blocks) == len(rule.blocks)
    perms = rule.perms if whole and all({perm[axis] for axis in along} == along for perm in rule.perms) else ()
    if (blocks or perms) and "symmetry" not in made.facts:
        made.facts["symmetry"] = Symmetry(blocks, perms)


def rule_regroup(work: Normaliser, node: Regroup) -> Edge:
    """The axes of a normal form joined and split."""
    return work.regrouped(node, work.child(node.child))


def rule_call(work: Normaliser, node: Call) -> Edge:
    """The abstract function of normal forms, its sample axes in one order, without those that no argument has."""
    args = [_sampled(work, child, labels) for child, labels in zip(node.children, node.labels, strict=True)]
    if len(args) == 1 and node.function.entrywise:
        return _unary_call(work, node, *args[0])
    items = []
    for k, (inner, labels) in enumerate(args):
        symmetry = even(symmetry_of(inner)) if len(labels) == inner.order else NO_SYMMETRY
        items.append(Hyperedge((k, *colour(inner)), labels, symmetry))
    form = labelling(items, {axis: (1, str(node.batch[axis])) for _, labels in args for axis in labels})
    assert form is not None
    place = {axis: k for k, axis in enumerate(form.labels)}
    rows = [settle([place[x] for x in labels], item.symmetry)[0] for (_, labels), item in zip(args, items, strict=True)]
    batch = [node.batch[axis] for axis in form.labels]
    made = call(node.function, node.orders, [inner for inner, _ in args], rows, batch)
    own = range(len(node.batch), node.order)
    if not own:
        remember_symmetry(made, form.labels, form.symmetries)
    return Edge(1, made, (*form.labels, *own))


def _sampled(work: Normaliser, child: Node, labels: Labels) -> tuple[Node, Labels]:
    """An argument in normal form, and the sample axes that it has; the axes of the function's own are all there."""
    edge, own = work.child(child), range(len(labels), child.order)
    if not own:
        coef, inner, axes = edge
        return scaled(coef, inner, work.uses(child) == 1), tuple(labels[x] for x in axes)
    kept = [axis for axis in edge.axes if axis in range(len(labels))]
    order = (*kept, *own)
    turned = edge._replace(axes=tuple(order.index(axis) for axis in edge.axes))
    return upright(turned, [child.dims[axis] for axis in order]), tuple(labels[axis] for axis in kept)


def _unary_call(work: Normaliser, node: Call, inner: Node, labels: Labels) -> Edge:
    """An abstract function of the entries of one argument: its axes are those of the argument."""
    if isinstance(inner, Regroup):
        below, every = inner.child, tuple(range(inner.child.order))
        entries = call(node.function, node.orders, [below], [every], below.dims)
        edge = work.regrouped(map_groups(inner, entries), _unary_call(work, entries, below, every))
        return edge._replace(axes=tuple(labels[x] for x in edge.axes))
    made = call(node.function, node.orders, [inner], [range(inner.order)], inner.dims)
    if symmetry_of(inner) is not NO_SYMMETRY and "symmetry" not in made.facts:
        made.facts["symmetry"] = even(symmetry_of(inner))
    return Edge(1, made, labels)


NORMALISE: dict[type[Node], Callable[[Normaliser, Any], Edge]] = {
    Variable: rule_leaf,
    Constant: rule_leaf,
    Definition: rule_leaf,
    Product: rule_product,
    Sum: rule_sum,
    Elementwise: rule_elementwise,
    Reduction: rule_reduction,
    Matrix: rule_matrix,
    Regroup: rule_regroup,
    Call: rule_call,
}
