"""The driver: runs an ordered table of rewrites over a product, the factors of one, a sum, or a node.

It alone knows the trace, and what a rewrite gives back is put together by whoever called the driver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexcalc.graph.constructors import addition, einsum, zeros
from indexcalc.graph.edge import Draft, Edge, materialise
from indexcalc.graph.node import Labels, Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.rewriting.rewrite import Rewrite

Factors = dict[tuple[Node, Labels], Number]
Terms = dict[tuple[Node, Labels], Number]
Parts = list[Draft]
"""The products whose sum a product is: none where it is 0."""


def rewrite_product(
    work: Normaliser, table: Sequence[Rewrite], draft: Draft, out: list[int], offered: int
) -> Edge | Parts | None:
    """Runs rewrites of a product whose axes are the labels `out`: each `apply(work, draft, out)` changes the draft.

    Where one gives the parts of a sum, or an edge, this ends the run and is given; None where none did.

    >>> from indexcalc.graph.constructors import reduction, variable
    >>> from indexcalc.simplify.passes import Pass
    >>> from indexcalc.simplify.rewriting.of_products import PRODUCTS
    >>> A, draft = variable("A", (3, 3)), Draft()
    >>> i, j, k = draft.fresh([3, 3, 3])
    >>> draft.factors = [(reduction("inv", A, (0, 1), True), [i, j], 1), (A, [j, k], 1)]
    >>> rewrite_product(Pass(), PRODUCTS, draft, [i, k], 0), draft.factors, draft.find(i) == draft.find(k)
    (None, [], True)
    """
    trace = work.trace
    for row in table:
        if row.needs and not row.needs & offered:
            continue
        found: Edge | Parts | None
        if trace is None:
            found = row.apply(work, draft, out)
        else:
            before = written(draft, None, out)
            with trace.at_work():
                found = row.apply(work, draft, out)
            trace.note(row, before, _after(found, draft, None, out))
        if found is not None:
            return found
    return None


def rewrite_factors(
    work: Normaliser, table: Sequence[Rewrite], draft: Draft, factors: Factors, out: Sequence[int]
) -> Parts | None:
    """Runs rewrites of the collected powers of a product: each `apply(draft, factors, out)` changes these.

    Where one gives the parts of a sum this ends the run and is given; None where none did.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> from indexcalc.simplify.passes import Pass
    >>> from indexcalc.simplify.rewriting.of_factors import RECOGNISED
    >>> t = variable("t", ())
    >>> factors = {(t, ()): 1, (elementwise("sign", [(t, ())], ()), ()): 1}
    >>> rewrite_factors(Pass(), RECOGNISED, Draft(), factors, [])
    >>> [node.name for node, _ in factors]
    ['abs']
    """
    trace = work.trace
    for row in table:
        found: Parts | None
        if trace is None:
            found = row.apply(draft, factors, out)
        else:
            before = written(draft, factors, out)
            with trace.at_work():
                found = row.apply(draft, factors, out)
            trace.note(row, before, _after(found, draft, factors, out))
        if found is not None:
            return found
    return None


def rewrite_terms(
    work: Normaliser, table: Sequence[Rewrite], terms: Terms, dims: Sequence[Dimension], offered: int
) -> Terms:
    """Runs rewrites of the terms of a sum: each `apply(work, terms, dims)` gives these or others.

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.simplify.passes import Pass
    >>> from indexcalc.simplify.rewriting.of_sums import SUMS
    >>> terms = {(variable("t", ()), ()): 1}
    >>> rewrite_terms(Pass(), SUMS, terms, (), 0) is terms
    True
    """
    trace = work.trace
    for row in table:
        if row.needs and not row.needs & offered:
            continue
        found: Terms
        if trace is None:
            found = row.apply(work, terms, dims)
        else:
            with trace.at_work():
                found = row.apply(work, terms, dims)
            trace.note(row, added(terms, dims), added(found, dims))
        terms = found
    return terms


def rewrite_node(work: Normaliser, table: Sequence[Rewrite], node: Node, *more: object) -> Edge | None:
    """The first that a rewrite of a node, its children in normal form, makes of it: `apply(work, node, ...)`; or None.

    What is made is a node, whose normal form is taken, or an edge.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> from indexcalc.simplify.passes import Pass
    >>> from indexcalc.simplify.rewriting.of_functions import FUNCTIONS
    >>> t = variable("t", ())
    >>> root = elementwise("exp", [(elementwise("log", [(t, ())], ()), ())], ())
    >>> rewrite_node(Pass(), FUNCTIONS["exp"], root).node is t
    True
    """
    trace = work.trace
    for row in table:
        found: Node | Edge | None
        if trace is None:
            found = row.apply(work, node, *more)
        else:
            with trace.at_work():
                found = row.apply(work, node, *more)
        if found is None:
            continue
        if trace is not None:
            trace.note(row, node, found if isinstance(found, Node) else materialise(found, node.dims))
        return found if isinstance(found, Edge) else work.renormalise(found)
    return None


# ------------------------------------------------------------------ what a trace keeps


def written(draft: Draft, factors: Mapping[tuple[Node, Labels], Number] | None, out: Sequence[int]) -> Node:
    """The product that a draft stands for, or its collected factors do, among the labels `out`.

    >>> written(Draft(), None, []).factors
    ()
    """
    find = draft.find
    rows = [(node, [find(label) for label in labels], exponent) for node, labels, exponent in draft.factors]
    if factors is not None:
        rows = [(node, [find(label) for label in labels], exponent) for (node, labels), exponent in factors.items()]
    sizes = {label: dim for label, dim in enumerate(draft.dims) if find(label) == label and label not in draft.gone}
    axes = [find(label) for label in out]
    return einsum(draft.coef, rows, axes, sizes | {label: draft.dims[label] for label in axes})


def added(terms: Mapping[tuple[Node, Labels], Number], dims: Sequence[Dimension]) -> Node:
    """The sum of these terms, along axes of these dimensions.

    >>> added({}, (3,)).dims
    (3,)
    """
    return addition([(coef, node, labels) for (node, labels), coef in terms.items()], dims) if terms else zeros(dims)


def _after(
    found: Edge | Parts | None,
    draft: Draft,
    factors: Mapping[tuple[Node, Labels], Number] | None,
    out: Sequence[int],
) -> Node:
    dims = [draft.dims[draft.find(label)] for label in out]
    if found is None:
        return written(draft, factors, out)
    if isinstance(found, Edge):
        return materialise(found, dims)
    parts = [(1, written(part, None, out), range(len(out))) for part in found]
    return addition(parts, dims) if parts else zeros(dims)
