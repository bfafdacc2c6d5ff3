"""Arrays made of parts, in products: a slice of one is the part, also within functions of entries; sums and diagonals.

The rewrites: `open_beside`, and `open_single` for axes of dimension 1. A sum whose terms all lie in ranges of an axis
is such an array, whether or not these cover it. What a slice takes of it is a sum of what it takes of each term, which
`fold_selections` finds; it is opened where all of that is known, so that no more stands there than before; beside
terms that run along all of the axis, where it is all or nothing of each part: a step of heat is a sum of `u` and its
neighbours, and stays one array. Where sharing is not seen, a slice of a function of entries is the function of the
slice, and one of a product the product of slices, whatever these are of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indexcalc.graph.constructors import addition, einsum, elementwise
from indexcalc.graph.edge import Draft
from indexcalc.graph.node import Arg, Constant, Elementwise, Factor, Labels, Node, Product, Sum, Term
from indexcalc.graph.numbers import multiply
from indexcalc.graph.ranges import NOTHING, Range, entries_taken, met, selection_of
from indexcalc.simplify.normaliser import Normaliser


def factors_of(node: Node) -> tuple[tuple[Factor, ...], Labels]:
    """The factors of a node and the labels of its axes, whatever it is.

    >>> from indexcalc.graph.constructors import constant
    >>> factors_of(constant("unit", (3,), (1,)))[1]
    (0,)
    """
    if isinstance(node, Product):
        return node.factors, node.out
    axes = tuple(range(node.order))
    return (Factor(node, axes),), axes


def placed(node: Node, axis: int) -> Range | None:
    """The range of an axis beside which a node is 0, because a factor puts it there; None where none does.

    >>> from indexcalc.graph.constructors import constant, variable
    >>> x, part = variable("x", (2,)), constant("selection", (2, 5), (3, 1))
    >>> placed(einsum(1, [(x, "i"), (part, "ij")], "j"), 0)
    Range(start=3, step=1, size=2, length=5)
    """
    factors, out = factors_of(node)
    for factor in factors:
        found = entries_taken(factor.node)
        if found is None or factor.exponent != 1:
            continue
        if isinstance(factor.node, Constant) and factor.node.label == "unit":
            at = next((k for k, label in enumerate(factor.labels) if label == out[axis]), None)
            if at is not None:
                return found[at]
        elif factor.labels[-1] == out[axis] and factor.labels[0] not in out:
            return found[0]
    return None


def open_beside(work: Normaliser, draft: Draft, out: Sequence[int]) -> list[Draft] | None:
    """The products whose sum a product is, where a slice, a sum or a diagonal is of parts; or None."""
    find = draft.find
    fixed = {find(label) for label in out}
    places: dict[int, list[int]] = {}
    for k, (_, labels, _) in enumerate(draft.factors):
        for label in labels:
            places.setdefault(find(label), []).append(k)
    for k, (node, labels, exponent) in enumerate(draft.factors):
        if isinstance(node, Sum) and exponent == 1:
            alone = [a for a, label in enumerate(labels) if _alone(places[find(label)], find(label) in fixed)]
            if alone and all(_placed_term(term, axis) for term in node.terms for axis in alone):
                return _terms(draft, k)
        found = entries_taken(node)
        if found is None or len(found) > 1 or exponent != 1 or find(labels[-1]) in fixed:
            continue
        others = [other for other in places[find(labels[-1])] if other != k]
        if len(set(others)) == len(others) == len(places[find(labels[-1])]) - 1 and others:
            made = _taken(work, draft, k, others, found[0])
            if made is not None:
                return [made]
    return None


def open_single(work: Normaliser, draft: Draft, out: Sequence[int]) -> Draft | None:
    """The product with the one entry of each factor where a summed axis has no more than one; None if all have theirs.

    So `sin(a)[0]` is `sin(a[0])`, and `a @ b` is `a[0]*b[0]`.
    """
    find = draft.find
    fixed = {find(label) for label in out}
    rows = [(node, [find(x) for x in labels], exponent) for node, labels, exponent in draft.factors]
    uses = Counter(x for _, labels, _ in rows for x in labels)
    single = {x for x in uses if draft.dims[x] == 1 and x not in fixed}
    opens = [any(x in single and (uses[x] > 1 or isinstance(node, Elementwise)) for x in own) for node, own, _ in rows]
    if not any(opens):
        return None
    made = draft.copy()
    made.factors = []
    for (node, labels, exponent), opened in zip(rows, opens, strict=True):
        part, left = node, labels
        while opened and (axis := next((k for k, x in enumerate(left) if x in single), None)) is not None:
            part, left = _entry(part, axis), [*left[:axis], *left[axis + 1 :]]
        factor = made.attach(work.renormalise(part), left, exponent) if opened else (node, labels, exponent)
        if factor is not None:
            whole = isinstance(factor[0], Product) and factor[2] == 1
            made.factors += made.open(factor[0], factor[1], 1) if whole else [factor]  # type: ignore[arg-type]
    made.drop([x for x in single if not any(x in map(find, own) for _, own, _ in made.factors)])
    return made


def _alone(found: Sequence[int], fixed: bool) -> bool:
    """Is a label summed in one factor alone, or the diagonal of one?"""
    return len(set(found)) == 1 and (len(found) == 2 or (len(found) == 1 and not fixed))


def _placed_term(term: Term, axis: int) -> bool:
    return axis in term.labels and placed(term.node, term.labels.index(axis)) is not None


def _terms(draft: Draft, k: int) -> list[Draft]:
    """The products that come of multiplying out one sum among the factors."""
    node, labels, _ = draft.factors[k]
    assert isinstance(node, Sum)
    parts = []
    for term in node.terms:
        part = draft.copy()
        part.coef = multiply(draft.coef, term.coef)
        part.factors = [*draft.factors[:k], *draft.factors[k + 1 :]]
        where = [labels[x] for x in term.labels]
        part.factors += part.open(term.node, where, 1) if isinstance(term.node, Product) else [(term.node, where, 1)]
        parts.append(part)
    return parts


def _taken(work: Normaliser, draft: Draft, k: int, others: Sequence[int], own: Range) -> Draft | None:
    """The product with what a slice takes of the factors that have its axis, if it is known of one of them."""
    _, labels, _ = draft.factors[k]
    long, selecting = draft.find(labels[-1]), selection_of(own)
    rows = [(draft.factors[other], [draft.find(x) for x in draft.factors[other][1]].index(long)) for other in others]
    splits = work.flat and (len(rows) > 1 or rows[0][0][2] != 1)
    if not splits and not any(_sliceable(node, axis, own, work.flat) for (node, _, _), axis in rows):
        return None
    made = draft.copy()
    made.factors = [factor for n, factor in enumerate(draft.factors) if n not in (k, *others)]
    made.drop([long])
    for (node, at, exponent), axis in rows:
        where, part = [*at], _sliced(node, axis, selecting, own, work.flat)
        if len(labels) > 1:
            where[axis] = labels[0]
        else:
            del where[axis]
            part = _entry(part, axis)
        factor = made.attach(work.renormalise(part), where, exponent)
        if factor is not None:
            opens = isinstance(factor[0], Product) and factor[2] == 1
            made.factors += made.open(factor[0], factor[1], 1) if opens else [factor]  # type: ignore[arg-type]
    return made


def _sliceable(node: Node, axis: int, own: Range, flat: bool) -> bool:
    """Is it known what a range takes of the parts of which a node is made, along an axis?"""
    if isinstance(node, Sum):
        terms = [(t.node, t.labels.index(axis)) for t in node.terms if axis in t.labels]
        ranges = [found for one in terms if (found := placed(*one)) is not None]
        shared = [met(found, own) for found in ranges]
        if len(ranges) < len(terms) and not all(one and (one is NOTHING or one[0].whole) for one in shared):
            return False
        return None not in shared and (bool(ranges) or any(_sliceable(*one, own, flat) for one in terms))
    if isinstance(node, Elementwise):
        return flat or any(_sliceable(a.node, a.labels.index(axis), own, flat) for a in node.args if axis in a.labels)
    if isinstance(node, Product) and node.out.count(node.out[axis]) == 1:
        having = [f for f in node.factors if node.out[axis] in f.labels]
        once = all(f.labels.count(node.out[axis]) == 1 for f in having)
        return once and any(_sliceable(f.node, f.labels.index(node.out[axis]), own, flat) for f in having)
    return False


def _sliced(node: Node, axis: int, selecting: Constant, own: Range, flat: bool) -> Node:
    """The entries of a range of an axis, taken of the parts where it is known which these are."""
    if not _sliceable(node, axis, own, flat):
        factors, out = factors_of(node)
        sizes = dict(enumerate(node.sizes if isinstance(node, Product) else node.dims))
        kept: list[object] = list(out)
        kept[axis] = "short"
        coef = node.coef if isinstance(node, Product) else 1
        return einsum(coef, [*factors, (selecting, ("short", out[axis]))], kept, sizes)
    dims = (*node.dims[:axis], own.size, *node.dims[axis + 1 :])
    if isinstance(node, Product):
        label = node.out[axis]
        rows = [
            (_sliced(f.node, f.labels.index(label), selecting, own, flat) if label in f.labels else f.node, *f[1:])
            for f in node.factors
        ]
        return einsum(node.coef, rows, node.out, {**dict(enumerate(node.sizes)), label: own.size})
    parts = [
        _sliced(part, labels.index(axis), selecting, own, flat) if axis in labels else part
        for part, labels in ((edge.node, edge.labels) for edge in _edges(node))
    ]
    if isinstance(node, Sum):
        return addition([(t.coef, part, t.labels) for t, part in zip(node.terms, parts, strict=True)], dims)
    assert isinstance(node, Elementwise)
    args = [Arg(part, arg.labels) for arg, part in zip(node.args, parts, strict=True)]
    return elementwise(node.fn, args, dims, node.params)


def _entry(node: Node, axis: int) -> Node:
    """The one entry of an axis of dimension 1, which goes, taken within sums, products and functions of entries."""

    def left(labels: Labels) -> list[int]:
        return [x - (x > axis) for x in labels if x != axis]

    def within(part: Node, labels: Labels, label: int) -> Node:
        return _entry(part, labels.index(label)) if label in labels else part

    dims = [size for k, size in enumerate(node.dims) if k != axis]
    if isinstance(node, Sum):
        return addition([(t.coef, within(t.node, t.labels, axis), left(t.labels)) for t in node.terms], dims)
    if isinstance(node, Elementwise):
        args = [Arg(within(a.node, a.labels, axis), tuple(left(a.labels))) for a in node.args]
        return elementwise(node.fn, args, dims, node.params)
    if isinstance(node, Product) and node.out.count(node.out[axis]) == 1:
        label = node.out[axis]
        if all(f.labels.count(label) < 2 for f in node.factors):
            rows = [
                (within(f.node, f.labels, label), [x for x in f.labels if x != label], f.exponent) for f in node.factors
            ]
            sizes = {x: size for x, size in enumerate(node.sizes) if x != label}
            return einsum(node.coef, rows, [x for x in node.out if x != label], sizes)
    return einsum(1, [(node, range(node.order))], [k for k in range(node.order) if k != axis])


def _edges(node: Node) -> Sequence[Arg | Term]:
    assert isinstance(node, Sum | Elementwise)
    return node.terms if isinstance(node, Sum) else node.args
