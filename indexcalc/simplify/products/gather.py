"""The normal form of a product in a graph: its factors gathered, those that are products opened, and brought in order.

The rewrites: `split_power` ((A B)**n is A**n B**n where no summed label ties A to B) and `copies` (a small power of
what is summed, as so many products).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from indexcalc.graph.edge import ZERO_EDGE, Draft, Edge, closed_parts
from indexcalc.graph.node import Node, Product
from indexcalc.graph.numbers import Number, multiply, number
from indexcalc.index import Dimension
from indexcalc.simplify.identities.sides import names_in
from indexcalc.simplify.identities.table import SQUARED_NAMES
from indexcalc.simplify.matrices.commuting import remember_swaps
from indexcalc.simplify.normaliser import Normaliser
from indexcalc.simplify.opened import opened, opens
from indexcalc.simplify.products.distribute import is_open_sum
from indexcalc.simplify.products.normal_form import normalise_product
from indexcalc.simplify.rewriting.driver import Parts, rewrite_product, written
from indexcalc.simplify.rewriting.of_products import ENTRIES, EXPANSIONS, PRODUCTS
from indexcalc.simplify.rewriting.rewrite import Rewrite
from indexcalc.simplify.traits import traits

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
    out = [labels[x] for x in node.out]
    if work.trace is not None and _renames(work, node.children):
        work.trace.note(DELTA, node, written(draft, None, out))
    return work.finish(draft, out, node.dims)


def _renames(work: Normaliser, factors: Iterable[Node]) -> bool:
    """Is a factor, or one of those that are opened, a delta that joins labels of this product?"""
    return any(
        isinstance(inner, Product) and len(set(inner.out)) < inner.order
        for node in factors
        for inner in (node, work.child(node).node)
    ) or any(_renames(work, node.children) for node in factors if node in work.absorbed)


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
    done: Edge | Parts | None = rewrite_product(work, ENTRIES, draft, out, 0)
    if done is None:
        offered = 0
        for node, _, _ in draft.factors:
            offered |= traits(node)
        done = rewrite_product(work, PRODUCTS, draft, out, offered)
    if done is None and work.expanding:
        done = rewrite_product(work, EXPANSIONS, draft, out, 0)
        work.cut |= done is None and any(is_open_sum(node, e) for node, _, e in draft.factors)
    if done is None:
        done = normalise_product(work, draft, out)
        if isinstance(done, Edge):
            remember_swaps(done, draft.swaps)
    if isinstance(done, Edge):
        return done
    if len(done) == 1:
        return work.finish(done[0], out, dims)
    return work.total([work.finish(part, out, dims) for part in done], dims)


DELTA = Rewrite(
    "delta", "δ_ik x_k = x_i", rule_product, "definition of Kronecker's delta", ("δ[i,k]*x[k]", "x[i]"),
    said="each delta renames a summed index",
)  # fmt: skip
"""Labels are joined as a product is gathered, before the tables are run."""
