"""Simplification: the passes that bring a whole graph into normal form.

`simplify` keeps what is shared: a part that is used more than once stays a node of its own, because what is shared is
computed once and printed once. It first marks, from the roots down, which products and sums their only user absorbs,
and then normalises what is left from the leaves up, each node once.

`canonical` does not see sharing: it flattens products and sums as far as a cap allows, so that equal expressions
become one node however they were put together. `==`, `hash` and the collection of like terms compare by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from indexcalc.graph.edge import Draft, Edge, materialise, upright
from indexcalc.graph.node import Node, Product, Regroup, Sum, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.walk import paused_collection, uses
from indexcalc.index import Dimension
from indexcalc.simplify.axes.regroup import normalise_regroup
from indexcalc.simplify.kinds import NORMALISE, WIDEST_SUM, total
from indexcalc.simplify.normaliser import Core
from indexcalc.simplify.opened import opens
from indexcalc.simplify.products.gather import WIDEST_PRODUCT, finish_product
from indexcalc.simplify.rewriting.rewrite import Trace

EXPAND_ALL = 4096
"""So many terms, at most, come of multiplying out on request: beyond it a product is left as it is."""
ROUNDS = 4
"""How often a graph is gone through, at most: what one round opens, the next may take in."""
MOST_CONTRACTED = 2
"""So many sums that lose a delta to a summed label, at most, meet in a product that takes others in: each splits the
product in two, so a chain of L of them in one product would be 2^L terms, and is L sums otherwise. With one alone,
Hessians of networks take a third longer."""
WIDEST_FLAT = 256
"""So many factors, at most, has a product of the canonical form: the form of a wider one depends on how it was put
together. Text writes products of 64 in one another, and reads them back."""
EXPANDED_TERMS = 1024
"""So many terms, at most, come of multiplying out one product where two expressions are compared: `e*e + x`, six times,
has a square of 32 terms. It bounds the time of `==`, a tenth of a second for such a square."""
SMALL = 300
"""A graph of at most so many nodes is simplified until nothing changes, a larger one while it has what to absorb."""


class Pass:
    """One sweep over a graph, a `Normaliser`; `edges` has the normal form of each node that was met."""

    flat = False
    bound = EXPAND_ALL

    def __init__(self) -> None:
        self.edges: dict[Node, Edge] = {}
        self.absorbed: set[Node] = set()
        self.times: dict[Node, int] = {}
        self.expanding = self.blocks = False
        self.cut = False
        self.depth = 0
        self.diagonals: dict[Node, Edge] = {}
        self.cores: dict[Node, Core] = {}
        self.trace: Trace | None = None
        self.key: Callable[[Node], Edge] | None = None if self.flat else canonical

    def edge(self, node: Node) -> Edge:
        """The normal form of a node whose children have theirs."""
        return NORMALISE[type(node)](self, node)

    def child(self, node: Node) -> Edge:
        """The normal form of a child; a node made on the way is in normal form."""
        found = self.edges.get(node)
        return Edge(1, node, tuple(range(node.order))) if found is None else found

    def inlines(self, source: Node, node: Product | Sum, width: int) -> bool:
        """May this product (sum), the normal form of `source`, be opened into its parent of that width?"""
        if isinstance(node, Sum):
            return self.times.get(source, 1) == 1 and width + len(node.terms) <= WIDEST_SUM
        alone = self.times.get(source, 1) == 1 or len(node.factors) <= 1 or _only_scaled(node)
        return alone and width + len(node.factors) <= WIDEST_PRODUCT

    def renormalise(self, node: Node) -> Edge:
        """The normal form of a node made of normal ones, such as a rewrite returns."""
        return self.edge(node) if isinstance(node, Product | Sum) else Edge(1, node, tuple(range(node.order)))

    def uses(self, node: Node) -> int:
        """How often a node of the graph is used in it; once, if it was made on the way."""
        return self.times.get(node, 1)

    def finish(self, draft: Draft, out: list[int], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a gathered product, its axes the labels `out`."""
        return finish_product(self, draft, out, dims)

    def total(self, terms: Iterable[Edge], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a sum of normal forms."""
        return total(self, terms, dims)

    def regrouped(self, node: Regroup, child: Edge) -> Edge:
        """The axes of an edge joined and split as those of the node's child are."""
        return normalise_regroup(self, node, child)


def _only_scaled(node: Product) -> bool:
    """Is this one thing, times numbers, dimensions and scalar variables? Then nothing is lost if it is not shared."""
    others = [f for f in node.factors if f.node.dims or f.node.children]
    return node.bound == 0 and len(others) <= 1 and len(node.factors) <= len(others) + 2


# ------------------------------------------------------------------ keeping what is shared


def simplify(roots: Sequence[Node], trace: Trace | None = None) -> list[Node]:
    """The roots in simplified form, with what they share kept shared; a trace gets the steps that are made."""
    roots = list(roots)
    for _ in range(ROUNDS):
        if trace is None and all("simplified" in root.facts for root in roots):
            break
        work = Pass()
        work.trace = trace
        with paused_collection():
            order = topological(roots)
            work.times = uses(order, roots)
            work.absorbed = _absorbed(order, work.times)
            done = set(topological([root for root in roots if "simplified" in root.facts])) if trace is None else set()
            for node in order:
                if node not in work.absorbed and node not in done:
                    work.edges[node] = work.edge(node)
        previous, roots = roots, [upright(work.child(root), root.dims) for root in roots]
        settled = all(a is b for a, b in zip(previous, roots, strict=True))
        if settled or (len(order) > SMALL and not _opportunity(roots)):
            break
    for root in roots:
        root.facts["simplified"] = True
    return roots


def expand(
    roots: Sequence[Node], bound: int = EXPAND_ALL, blocks: bool = False, trace: Trace | None = None
) -> list[Node]:
    """The roots with products of sums multiplied out, each into at most `bound` terms, then simplified.

    With `blocks`, inverses and determinants of matrices of blocks are taken apart by Schur complements.
    """
    for _ in range(ROUNDS):
        work = Pass()
        work.expanding, work.bound, work.blocks, work.trace = True, bound, blocks, trace
        order = topological(roots)
        work.times = uses(order, roots)
        for node in order:
            work.edges[node] = work.edge(node)
        previous, roots = roots, [materialise(work.edges[root], root.dims) for root in roots]
        if all(a is b for a, b in zip(previous, roots, strict=True)):
            break
    return list(roots)


def _absorbed(order: Sequence[Node], times: dict[Node, int]) -> set[Node]:
    """The products inside products, and sums inside sums, that their only user takes in, from the roots down."""
    absorbed: set[Node] = set()
    leader: dict[Node, Node] = {}
    width: dict[Node, int] = {}
    raised: dict[Node, Number] = {}
    splits = _contracted(order, times)
    for node in reversed(order):
        inner: list[tuple[Node, Number]] = []
        if isinstance(node, Product):
            outer = raised.get(node, 1)
            inner = [(f.node, multiply(outer, f.exponent)) for f in node.factors if times[f.node] == 1]
            inner = [(child, exponent) for child, exponent in inner if opens(child, exponent)]
        elif isinstance(node, Sum):
            inner = [(t.node, 1) for t in node.terms if times[t.node] == 1 and type(t.node) is Sum]
        lead = leader.get(node, node)
        width.setdefault(lead, len(node.children))
        for child, exponent in inner:
            more = len(child.children) - 1
            together = splits.get(lead, 0) + splits.get(child, 0)
            if child in splits and together > MOST_CONTRACTED:
                continue
            if width[lead] + more <= (WIDEST_PRODUCT if isinstance(node, Product) else WIDEST_SUM):
                width[lead] += more
                splits[lead] = together
                absorbed.add(child)
                leader[child], raised[child] = lead, exponent
    return absorbed


def _contracted(order: Sequence[Node], times: dict[Node, int]) -> dict[Node, int]:
    """How many sums among the factors of each product have a delta along a label that it sums; where there are any.

    The factors of a factor that it alone uses count as its own.
    """
    found: dict[Node, int] = {}
    along: dict[Node, set[int]] = {}
    for node in order:
        if isinstance(node, Sum):
            along[node] = {
                term.labels[axis]
                for term in node.terms
                if isinstance(term.node, Product) and len(set(term.node.out)) < term.node.order
                for axis, label in enumerate(term.node.out)
                if term.node.out.count(label) > 1
            }
        elif isinstance(node, Product):
            deltas = [
                {f.labels[axis] for axis in along[f.node]}
                for f in node.factors
                if f.exponent == 1 and along.get(f.node) and (times[f.node] == 1 or isinstance(f.node, Sum))
            ]
            free = set(node.out)
            if count := sum(not labels <= free for labels in deltas):
                found[node] = count
            along[node] = {axis for axis, label in enumerate(node.out) if any(label in labels for labels in deltas)}
    return found


def _opportunity(roots: Sequence[Node]) -> bool:
    """Did simplifying leave something that another round would take in?"""
    order = topological(roots)
    times = uses(order, roots)
    for node in order:
        if isinstance(node, Product) and node.coef != 1 and len(node.factors) == 1:
            inner = node.factors[0].node
            if isinstance(inner, Product | Sum) and times[inner] == 1:
                return True
    return bool(_absorbed(order, times))


# ------------------------------------------------------------------ not seeing what is shared


class FlatPass(Pass):
    """A sweep whose result depends on the expression alone, not on what is shared."""

    flat = True
    fact = "canonical"

    def child(self, node: Node) -> Edge:
        """The normal form of a child, remembered on it by this sweep or an earlier one."""
        found = node.facts.get(self.fact)
        return Edge(1, node, tuple(range(node.order))) if found is None or found is True else found

    def inlines(self, source: Node, node: Product | Sum, width: int) -> bool:
        """Whether the parent stays within its width; what does not fit makes the form inexact."""
        fits = width + len(node.children) <= (WIDEST_SUM if isinstance(node, Sum) else WIDEST_FLAT)
        self.cut |= not fits
        return fits

    def settle(self, root: Node) -> Edge:
        """The edge of the root, remembered for every node below it."""
        for inner in topological([root], lambda inner: self.fact in inner.facts):
            edge = self.edge(inner)
            itself = edge.node is inner and edge.coef == 1 and edge.axes == tuple(range(inner.order))
            inner.facts[self.fact] = True if itself else edge
            if self.cut or any("inexact" in child.facts for child in (*inner.children, edge.node)):
                inner.facts["inexact"] = True
            self.cut = False
            edge.node.facts.setdefault(self.fact, True)
        return self.child(root)


class ExpandedPass(FlatPass):
    """A flat sweep that multiplies products of sums out, each as far as it stays within a bound."""

    fact = "expanded"
    bound = EXPANDED_TERMS

    def __init__(self) -> None:
        super().__init__()
        self.expanding = True


def canonical(node: Node) -> Edge:
    """The canonical edge of a node: equal expressions have the same, as far as the search goes.

    Where it was cut short (more than 256 factors, or too many symmetric labels) it is still an edge of an equal node.
    """
    return FlatPass().settle(node)


def expanded(node: Node) -> Edge:
    """The canonical edge with products of sums multiplied out, up to 1024 terms: what `==` compares."""
    return ExpandedPass().settle(canonical(node).node).through(canonical(node))
