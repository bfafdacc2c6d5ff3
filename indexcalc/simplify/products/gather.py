"""The normal form of a product in a graph: its factors gathered, those that are products opened, and brought in order.

The rewrites: `split_power` ((A B)**n is A**n B**n where no summed label ties A to B) and `copies` (a small power of
what is summed, as so many products).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from indexcalc.graph.edge import ZERO_EDGE, Draft, Edge, closed_parts
from indexcalc.graph.node import Node, Product
from indexcalc.graph.numbers import Number, multiply, number
from indexcalc.index import Dimension
from indexcalc.simplify.axes.grouped import open_groups
from indexcalc.simplify.axes.joined import expose_groups
from indexcalc.simplify.identities.gathered import identify
from indexcalc.simplify.identities.sides import names_in
from indexcalc.simplify.identities.table import SQUARED_NAMES
from indexcalc.simplify.matrices.commuting import remember_swaps
from indexcalc.simplify.matrices.directions import contract_directions
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened, opens
from indexcalc.simplify.powers.exponents import join_exponents
from indexcalc.simplify.powers.norms import join_norms
from indexcalc.simplify.products.beside import open_beside
from indexcalc.simplify.products.cancel import cancel, cancel_shared
from indexcalc.simplify.products.centred import drop_centred
from indexcalc.simplify.products.choosing import fold_listed, recognise_sorts
from indexcalc.simplify.products.diagonals import open_diagonals
from indexcalc.simplify.products.distribute import collect_composite, distribute, is_open_sum, open_dimension
from indexcalc.simplify.products.normal_form import normalise_product
from indexcalc.simplify.products.relations import fold_entries
from indexcalc.simplify.traits import CHOOSES, NESTED_SUMS, NORM, OF_MATRIX, RAISED, traits

WIDEST_PRODUCT = 64
"""So many factors, at most, has a product that another is opened into: the derivative of a product of n factors has n
terms of n factors, so a long chain is derived in linear time only if its products are short."""
MOST_COPIES = 4
"""The highest power of a sum over labels that is written out as so many factors; text of higher ones is a power."""


def rule_product(work: Normaliser, node: Product) -> Edge:
    """The product with the factors of products in it opened, and brought into normal form."""
    draft = Draft()
    labels = draft.fresh(node.sizes)
    draft.coef = node.coef
    if node.coef == 0:
        return ZERO_EDGE
    stack: list[tuple[Node, list[int], Number]] = [
        (f.node, [labels[x] for x in f.labels], f.exponent) for f in reversed(node.factors)
    ]
    outside: list[tuple[int, Number]] = []  # floats are multiplied as they are written, from the inside: 0.1*(0.1*0.3)
    while stack:
        while outside and outside[-1][0] == len(stack):
            draft.coef = multiply(outside.pop()[1], draft.coef)
        source, places, exponent = stack.pop()
        if source in work.absorbed and isinstance(source, Product):
            outside.append((len(stack), draft.coef))
            draft.coef = 1
            stack += reversed(draft.open(source, places, exponent))
            continue
        factor = draft.attach(work.child(source), places, exponent)
        if factor is None:
            continue
        if draft.coef == 0:
            return ZERO_EDGE
        inner = factor[0]
        if isinstance(inner, Product) and opens(inner, exponent) and work.inlines(source, inner, len(draft.factors)):
            draft.factors += draft.open(inner, factor[1], exponent)
        else:
            draft.factors += split_power(work, draft, *factor)
    for _, coef in reversed(outside):
        draft.coef = multiply(coef, draft.coef)
    return work.finish(draft, [labels[x] for x in node.out], node.dims)


def split_power(
    work: Normaliser, draft: Draft, node: Node, labels: list[int], exponent: Number
) -> list[tuple[Node, list[int], Number]]:
    """A factor that is a power of a product: the powers of those parts that share no summed label."""
    made: list[tuple[Node, list[int], Number]] = []
    if isinstance(node, Product) and isinstance(exponent, Fraction) and abs(exponent) > 1:
        whole = int(exponent)
        made = [(node, labels, number(exponent - whole))]
        if opens(node, whole):
            return made + draft.open(node, labels, whole)
        exponent = whole
    raised = isinstance(exponent, int) and (exponent != 1 or made)
    parts = closed_parts(node) if raised and isinstance(node, Product) else None
    for part, axes in parts or ():
        factor = draft.attach(work.renormalise(part), [labels[axis] for axis in axes], exponent)
        made += opened(draft, factor)
    if not parts:
        made.append((node, labels, exponent))
    return [copy for factor in made for copy in (copies(work, draft, *factor) if _opens(work, factor[0]) else [factor])]


def _opens(work: Normaliser, node: Node) -> bool:
    """Is a power of what is summed written out? Where sharing is not seen, and where squares have a shorter form."""
    return work.flat or (isinstance(node, Product) and any(names_in(f.node, SQUARED_NAMES) for f in node.factors))


def copies(
    work: Normaliser, draft: Draft, node: Node, labels: list[int], exponent: Number
) -> list[tuple[Node, list[int], Number]]:
    """A power of what is summed inside, along axes, as so many products: `(Σ_i A_ij)**2` is `A_ij A_kj`."""
    summed = isinstance(node, Product) and node.order and node.bound
    if not summed or not isinstance(exponent, int) or not 2 <= exponent <= MOST_COPIES:
        return [(node, labels, exponent)]
    assert isinstance(node, Product)
    if len(draft.factors) + exponent * len(node.factors) > WIDEST_PRODUCT:
        return [(node, labels, exponent)]
    return [factor for _ in range(exponent) for factor in draft.open(node, labels, 1)]


def finish_product(work: Normaliser, draft: Draft, out: list[int], dims: Sequence[Dimension]) -> Edge:
    """The normal form of a gathered product, split into a sum where a rewrite wants it."""
    if not fold_entries(draft, out):
        return ZERO_EDGE
    parts = open_beside(work, draft, out)
    if parts is not None:
        return work.total([work.finish(part, out, dims) for part in parts], dims)
    offered = 0
    for node, _, _ in draft.factors:
        offered |= traits(node)
    if offered & CHOOSES:
        fold_listed(draft, out)
        recognise_sorts(draft, out)
    if offered & OF_MATRIX:
        identify(work, draft, out)
    if offered & NORM:
        join_norms(work, draft, out)
    if offered & RAISED:
        join_exponents(work, draft)
    if offered & NESTED_SUMS:
        drop_centred(work, draft, out)
    cancel_shared(draft)
    cancel(draft, out)
    open_diagonals(work, draft)
    swaps = contract_directions(work, draft, out)
    grouped = None if swaps else open_groups(work, draft, out)
    if grouped is not None:
        return grouped
    if work.flat and not swaps and expose_groups(work, draft, out):
        return work.finish(draft, out, dims)
    split = None
    if work.expanding:
        collect_composite(draft)
        split = distribute(draft, work.bound) or open_dimension(draft, out)
    if work.expanding and split is None and any(is_open_sum(node, e) for node, _, e in draft.factors):
        work.cut = True
    done = split or normalise_product(draft, out)
    if isinstance(done, Edge):
        remember_swaps(done, swaps)
        return done
    return work.total([work.finish(part, out, dims) for part in done], dims)
