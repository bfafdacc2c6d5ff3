"""Simplification: the passes that bring a whole graph into normal form.

`simplify` keeps what is shared: a part used more than once stays a node of its own, computed once and printed once. It
first marks, from the roots down, products and sums that their only user absorbs, then normalises from the leaves up.

`canonical` does not see sharing: it flattens products and sums as far as a cap allows, so that equal expressions
become one node however they were put together. `==`, `hash` and the collection of like terms compare by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from indexcalc.graph.cancel import cancel
from indexcalc.graph.canonical import Item, labelling, settle
from indexcalc.graph.diagonals import open_diagonals
from indexcalc.graph.edge import (
    ZERO_EDGE,
    Draft,
    Edge,
    closed_parts,
    colour,
    even,
    materialise,
    opens,
    scaled,
    symmetry_of,
)
from indexcalc.graph.grouped import compose_groups, constant_groups, identity_groups, joined, open_groups
from indexcalc.graph.inverse import OF_MATRICES, normalise_inverse
from indexcalc.graph.joined import (
    distribute_groups,
    expose_groups,
    map_groups,
    order_groups,
    reduce_groups,
    split_constants,
    widen_groups,
)
from indexcalc.graph.matrix import contract_directions, normalise_matrix, remember_swaps, upright
from indexcalc.graph.node import (
    NO_SYMMETRY,
    ONE,
    Call,
    Constant,
    Definition,
    Elementwise,
    Labels,
    Matrix,
    Node,
    Number,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Variable,
    add,
    as_number,
    call,
    einsum,
    elementwise,
    multiply,
    number,
    reduction,
    regroup,
)
from indexcalc.graph.product import normalise_product
from indexcalc.graph.recognise import EXACT, RECOGNISE
from indexcalc.graph.sums import Terms, collect_terms, degree, normalise_sum, remember_symmetry, signature
from indexcalc.graph.walk import paused_collection, topological, uses
from indexcalc.index import Dimension, symbol

WIDEST_PRODUCT = 64
MOST_COPIES = 4
WIDEST_SUM = 512
EXPAND_TERMS = 64
EXPAND_ALL = 4096
ROUNDS = 4
SMALL = 300
"""A graph of at most so many nodes is simplified until nothing changes, a larger one while it has what to absorb."""
COMMUTATIVE = {"maximum", "minimum", "equal", "not_equal"}


class Pass:
    """One sweep over a graph; `edges` has the normal form of each node that was met."""

    flat = False
    bound = EXPAND_ALL

    def __init__(self) -> None:
        self.edges: dict[Node, Edge] = {}
        self.absorbed: set[Node] = set()
        self.times: dict[Node, int] = {}
        self.expanding = False
        self.cut = False
        self.depth = 0
        self.diagonals: dict[Node, Edge] = {}

    def edge(self, node: Node) -> Edge:
        """The normal form of a node whose children have theirs."""
        found: Edge = NORMALISE[type(node)](self, node)
        return found

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

    # -------------------------------------------------------------- one method a kind of node

    def leaf(self, node: Node) -> Edge:
        """A node that has no normal form but itself."""
        return Edge(1, node, tuple(range(node.order)))

    def product(self, node: Product) -> Edge:
        """The normal form of a product."""
        draft = Draft()
        labels = draft.fresh(node.sizes)
        draft.coef = node.coef
        if node.coef == 0:
            return ZERO_EDGE
        stack: list[tuple[Node, list[int], Number]] = [
            (f.node, [labels[x] for x in f.labels], f.exponent) for f in reversed(node.factors)
        ]
        while stack:
            source, places, exponent = stack.pop()
            if source in self.absorbed and isinstance(source, Product):
                stack += reversed(draft.open(source, places, exponent))
                continue
            factor = draft.attach(self.child(source), places, exponent)
            if factor is None:
                continue
            if draft.coef == 0:
                return ZERO_EDGE
            inner = factor[0]
            if (
                isinstance(inner, Product)
                and opens(inner, exponent)
                and self.inlines(source, inner, len(draft.factors))
            ):
                draft.factors += draft.open(inner, factor[1], exponent)
            else:
                draft.factors += self.split_power(draft, *factor)
        return self.finish(draft, [labels[x] for x in node.out], node.dims)

    def split_power(
        self, draft: Draft, node: Node, labels: list[int], exponent: Number
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
            factor = draft.attach(self.renormalise(part), [labels[axis] for axis in axes], exponent)
            made += draft.opened(factor)
        if not parts:
            made.append((node, labels, exponent))
        return [copy for factor in made for copy in self.copies(draft, *factor)] if self.flat else made

    def copies(
        self, draft: Draft, node: Node, labels: list[int], exponent: Number
    ) -> list[tuple[Node, list[int], Number]]:
        """A power of what is summed inside, along axes, as so many products: `(Σ_i A_ij)**2` is `A_ij A_kj`."""
        summed = isinstance(node, Product) and node.order and node.bound
        if not summed or not isinstance(exponent, int) or not 2 <= exponent <= MOST_COPIES:
            return [(node, labels, exponent)]
        assert isinstance(node, Product)
        if len(draft.factors) + exponent * len(node.factors) > WIDEST_PRODUCT:
            return [(node, labels, exponent)]
        return [factor for _ in range(exponent) for factor in draft.open(node, labels, 1)]

    def finish(self, draft: Draft, out: list[int], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a gathered product, split into a sum where a rewrite wants it."""
        cancel(draft, out)
        if self.flat:
            open_diagonals(self, draft)
        swaps = contract_directions(self, draft, out)
        grouped = None if swaps else open_groups(self, draft, out, self.finish)
        if grouped is not None:
            return grouped
        if self.flat and not swaps and expose_groups(self, draft, out):
            return self.finish(draft, out, dims)
        split = (distribute(draft, self.bound) or open_dimension(draft, out)) if self.expanding else None
        if self.expanding and split is None and any(_sum_to_open(node, e) for node, _, e in draft.factors):
            self.cut = True
        done = split or normalise_product(draft, out)
        if isinstance(done, Edge):
            remember_swaps(done, swaps)
            return done
        return self.total([self.finish(part, out, dims) for part in done], dims)

    def total(self, terms: Iterable[Edge], dims: Sequence[Dimension]) -> Edge:
        """The normal form of a sum of normal forms."""
        opened: list[Edge] = []
        for coef, node, axes in terms:
            if isinstance(node, Sum):
                opened += [Edge(multiply(coef, t.coef), t.node, tuple(axes[x] for x in t.labels)) for t in node.terms]
            else:
                opened.append(Edge(coef, node, axes))
        return self.collect(opened, dims)

    def collect(self, terms: list[Edge], dims: Sequence[Dimension]) -> Edge:
        """Like terms collected; multiplied out first where that lets terms cancel."""
        found = collect_terms(terms, None if self.flat else canonical)
        return normalise_sum(self.expand_to_cancel(found, dims), dims)

    def sum(self, node: Sum) -> Edge:
        """The normal form of a sum."""
        terms: list[Edge] = []
        within = Counter(t.node for t in node.terms)
        stack: list[tuple[Number, Node, Labels]] = [(t.coef, t.node, t.labels) for t in reversed(node.terms)]
        while stack:
            coef, source, places = stack.pop()
            if source in self.absorbed and isinstance(source, Sum):
                stack += [
                    (multiply(coef, t.coef), t.node, tuple(places[x] for x in t.labels)) for t in reversed(source.terms)
                ]
                continue
            factor, inner, axes = self.child(source)
            coef, axes = multiply(coef, factor), tuple(places[x] for x in axes)
            whole = self.times.get(source, 1) == within[source] and len(terms) + len(inner.children) <= WIDEST_SUM
            if isinstance(inner, Sum) and (whole or self.inlines(source, inner, len(terms))):
                terms += [Edge(multiply(coef, t.coef), t.node, tuple(axes[x] for x in t.labels)) for t in inner.terms]
            else:
                terms.append(Edge(coef, inner, axes))
        return self.collect(terms, node.dims)

    def elementwise(self, node: Elementwise) -> Edge:
        """The normal form of a function of the entries."""
        args: list[tuple[Node, Labels]] = []
        for arg in node.args:
            coef, inner, axes = self.child(arg.node)
            merge = self.times.get(arg.node, 1) == 1
            args.append((scaled(coef, inner, merge), tuple(arg.labels[x] for x in axes)))
        if node.fn == "power" and (exponent := as_number(args[1][0])) is not None:
            base, labels = args[0]
            raised = einsum(1, [(base, range(base.order), exponent)], range(base.order))
            coef, inner, axes = self.renormalise(raised)
            return Edge(coef, inner, tuple(labels[x] for x in axes))
        if len(args) == 1:
            return self.unary(node, *args[0])
        value = {axis: (1, str(node.dims[axis])) for _, labels in args for axis in labels}
        items = [
            Item((0 if node.fn in COMMUTATIVE else k, *colour(inner)), labels, even(symmetry_of(inner)))
            for k, (inner, labels) in enumerate(args)
        ]
        form = labelling(items, value)
        assert form is not None
        order = form.items if node.fn in COMMUTATIVE else range(len(args))
        place = {axis: k for k, axis in enumerate(form.labels)}
        rows = []
        for k in order:
            inner, labels = args[k]
            settled = settle([place[x] for x in labels], even(symmetry_of(inner)))[0]
            rows.append((inner, settled))
        made = elementwise(node.fn, rows, [node.dims[axis] for axis in form.labels], node.params)
        remember_symmetry(made, form.labels, form.symmetries)
        return Edge(1, made, tuple(form.labels))

    def unary(self, node: Elementwise, inner: Node, labels: Labels) -> Edge:
        """A function of one argument: its axes are those of the argument."""
        value = as_number(inner)
        if value is not None and isinstance(value, int) and (node.fn, value) in EXACT:
            return Edge(EXACT[node.fn, value], ONE, ())
        if isinstance(inner, Regroup):
            below, every = inner.child, tuple(range(inner.child.order))
            entries = elementwise(node.fn, [(below, every)], below.dims, node.params)
            assert isinstance(entries, Elementwise)
            edge = self.regrouped(map_groups(inner, entries), self.unary(entries, below, every))
            return edge._replace(axes=tuple(labels[x] for x in edge.axes))
        made = elementwise(node.fn, [(inner, range(inner.order))], inner.dims, node.params)
        assert isinstance(made, Elementwise)
        known = RECOGNISE[node.fn](made) if node.fn in RECOGNISE else None
        if known is not None:
            coef, named, axes = self.renormalise(known)
            return Edge(coef, named, tuple(labels[x] for x in axes))
        if symmetry_of(inner) is not NO_SYMMETRY and "symmetry" not in made.facts:
            made.facts["symmetry"] = even(symmetry_of(inner))
        return Edge(1, made, labels)

    def renormalise(self, node: Node) -> Edge:
        """The normal form of a node made of normal ones, such as a rewrite returns."""
        return self.edge(node) if isinstance(node, Product | Sum) else self.leaf(node)

    def reduction(self, node: Reduction) -> Edge:
        """The normal form of a function along axes."""
        coef, inner, axes = self.child(node.child)
        if len(axes) < node.child.order:
            inner, axes = materialise(Edge(coef, inner, axes), node.child.dims), tuple(range(node.child.order))
            coef = 1
        elif node.fn not in OF_MATRICES:
            inner, coef = scaled(coef, inner, self.times.get(node.child, 1) == 1), 1
        axes = _turned(inner, axes, lambda axis: (axis not in node.axes, axis))
        if node.fn in OF_MATRICES:
            return self.inverse(node, Edge(coef, inner, axes))
        opened = None
        if isinstance(inner, Regroup) and (self.flat or inner.child.order <= 2):
            opened = reduce_groups(node, inner, axes)
        if opened is not None:
            below, outer, left = opened
            edge = joined(self, self.edge(below), below.dims, outer)
            there = [axis for axis in range(node.child.order) if axis not in node.axes]
            return edge._replace(axes=tuple(there.index(axes[left[x]]) for x in edge.axes))
        made = reduction(
            node.fn, inner, [k for k, axis in enumerate(axes) if axis in node.axes], node.keeps, node.params
        )
        if node.keeps:
            assert isinstance(made, Reduction)
            remember_kept(made)
            return Edge(1, made, axes)
        kept = [axis for axis in range(node.child.order) if axis not in node.axes]
        return Edge(1, made, tuple(kept.index(axis) for axis in axes if axis in kept))

    def inverse(self, node: Reduction, child: Edge) -> Edge:
        """A function of matrices with this argument, whose axes are all there."""
        along = tuple(k for k, axis in enumerate(child.axes) if axis in node.axes)
        edge = normalise_inverse(self, node.fn, child.coef, child.node, along)
        kept = [axis for axis in range(node.child.order) if node.keeps or axis not in node.axes]
        where = [kept.index(axis) for axis in child.axes if axis in kept]
        return edge._replace(axes=tuple(where[axis] for axis in edge.axes))

    def regroup(self, node: Regroup) -> Edge:
        """The normal form of axes joined and split."""
        return self.regrouped(node, self.child(node.child))

    def regrouped(self, node: Regroup, child: Edge) -> Edge:
        """The axes of an edge joined and split as those of the node's child are."""
        if child.coef == 0:
            return ZERO_EDGE
        if (split := split_constants(node, child, self.renormalise)) is not None:
            return split[1] if split[0] is None else self.regrouped(split[0], split[1])
        known = constant_groups(self, node, child) or identity_groups(self, node, child)
        if known is not None:
            return known
        terms = distribute_groups(node, child, self.regrouped) if self.flat or self.expanding else None
        if terms is not None:
            return self.total(terms, node.dims)
        coef, inner, axes = child
        written = [label for group in node.outer for label in group]
        axes = _turned(inner, axes, lambda axis: written.index(node.inner[axis][0]))
        groups = [node.inner[axis] for axis in axes]
        constant = [axis for axis in range(node.child.order) if axis not in axes]
        wide = widen_groups(inner, [node.child.dims[axis] for axis in constant])
        one = compose_groups(node, wide, [*groups, *(node.inner[axis] for axis in constant)])
        if one is not None:
            made = regroup(*one)
            below = Edge(coef, inner.children[0], tuple(range(inner.children[0].order)))
            return self.regrouped(made, below) if made is not one[0] and isinstance(made, Regroup) else below
        if len(set(groups)) == len(groups) and set(groups) == set(node.outer):
            return Edge(coef, inner, tuple(node.outer.index(group) for group in groups))
        return order_groups(node, inner, groups, self.flat)._replace(coef=coef)

    def matrix(self, node: Matrix) -> Edge:
        """The normal form of a function of matrices."""
        return normalise_matrix(self, node)

    def call(self, node: Call) -> Edge:
        """The normal form of an abstract function."""
        args = [upright(self.child(c), c.dims) for c in node.children]
        return self.leaf(call(node.function, node.orders, args))

    # -------------------------------------------------------------- multiplying out

    def expand_to_cancel(self, terms: Terms, dims: Sequence[Dimension]) -> Terms:
        """The terms, multiplied out if the result is shorter: `a*(b+c) - a*b - a*c` is 0.

        Tried only where two terms have, once multiplied out, a product with the same factors, and within a bound.
        """
        if len(terms) < 2 or not any(isinstance(node, Product) and _sum_inside(node) for node, _ in terms):
            return terms
        if not _would_cancel(terms):
            return terms
        work = [Edge(coef, node, axes) for (node, axes), coef in terms.items()]
        done: list[Edge] = []
        while work:
            if len(work) + len(done) > EXPAND_TERMS:
                return terms
            coef, node, axes = work.pop()
            if not isinstance(node, Product):
                done.append(Edge(coef, node, axes))
                continue
            draft = Draft()
            places = draft.fresh(dims[axis] for axis in axes)
            draft.coef = coef
            draft.factors = draft.open(node, places, 1)
            parts = distribute(draft)
            if parts is None:
                done.append(Edge(coef, node, axes))
                continue
            for part in parts:
                edge = normalise_product(part, places)
                if not isinstance(edge, Edge):
                    return terms
                work.append(Edge(edge.coef, edge.node, tuple(axes[x] for x in edge.axes)))
        expanded = collect_terms(done, None if self.flat else canonical)
        return expanded if len(expanded) < len(done) and _weight(expanded) < _weight(terms) else terms


def _only_scaled(node: Product) -> bool:
    """Is this one thing, times numbers, dimensions and scalar variables? Then nothing is lost if it is not shared."""
    others = [f for f in node.factors if f.node.dims or f.node.children]
    return node.bound == 0 and len(others) <= 1 and len(node.factors) <= len(others) + 2


def _sum_inside(node: Product) -> bool:
    return any(isinstance(f.node, Sum) and f.exponent == 1 for f in node.factors)


def _would_cancel(terms: Terms) -> bool:
    """Would the terms, multiplied out, be fewer and shorter, as far as the signatures of their factors tell?"""
    total: dict[int, Number] = {}
    length: dict[int, int] = {}
    for (node, _), coef in terms.items():
        marks = _marks(node)
        if marks is None:
            return False
        for mark, own, factors in marks:
            total[mark] = add(total.get(mark, 0), multiply(coef, own))
            length[mark] = factors
    left = [mark for mark, coef in total.items() if coef != 0]
    return len(total) > len(left) and sum(1 + length[mark] for mark in left) < _weight(terms)


Mark = tuple[int, Number, int]


def _marks(node: Node) -> list[Mark] | None:
    """Signature, coefficient and degree of each product of a term that is multiplied out; None past the bound."""
    if not isinstance(node, Product):
        return [(signature(node), 1, 1)]
    if "marks" in node.facts:
        known: list[Mark] | None = node.facts["marks"]
        return known
    made: list[Mark] | None = [(0, node.coef, 0)]
    for node_in, _, exponent in node.factors:
        if isinstance(exponent, int):
            inner: list[Mark] = [(signature(node_in) * exponent, 1, abs(exponent))]
        else:
            inner = [(signature(einsum(1, [(node_in, range(node_in.order), exponent)], range(node_in.order))), 1, 1)]
        if isinstance(node_in, Sum) and exponent == 1:
            inner = []
            for term in node_in.terms:
                inner += [(mark, multiply(term.coef, own), factors) for mark, own, factors in _flat_marks(term.node)]
        if made is None or len(made) * len(inner) > EXPAND_TERMS:
            made = None
            break
        made = [((a + b) % 2**61, multiply(p, q), m + n) for a, p, m in made for b, q, n in inner]
    node.facts["marks"] = made
    return made


def _flat_marks(node: Node) -> list[Mark]:
    return [(signature(node), 1, degree(node))]


def _weight(terms: Terms) -> int:
    """How long the terms are, sums among their factors opened once."""
    total = 0
    for node, _ in terms:
        total += 1 + degree(node)
        if isinstance(node, Product):
            total += sum(1 + degree(t.node) for f in node.factors if isinstance(f.node, Sum) for t in f.node.terms)
    return total


def _sum_to_open(node: Node, exponent: Number) -> bool:
    return isinstance(node, Sum) and isinstance(exponent, int) and exponent > 0


def distribute(draft: Draft, bound: int = EXPAND_TERMS) -> list[Draft] | None:
    """The products that come of multiplying out the first sum among the factors; None if none, or too many."""
    total = 1
    for node, _, exponent in draft.factors:
        if _sum_to_open(node, exponent):
            assert isinstance(node, Sum) and isinstance(exponent, int)
            total *= len(node.terms) ** min(exponent, bound)
    if not 1 < total <= bound:
        return None
    for k, (node, labels, exponent) in enumerate(draft.factors):
        if not isinstance(node, Sum) or not isinstance(exponent, int) or exponent < 1:
            continue
        parts = []
        for term in node.terms:
            part = draft.copy()
            part.coef = multiply(draft.coef, term.coef)
            part.factors = [*draft.factors[:k], *draft.factors[k + 1 :]]
            if exponent > 1:
                part.factors.append((node, labels, exponent - 1))
            places = [labels[x] for x in term.labels]
            if isinstance(term.node, Product):
                part.factors += part.open(term.node, places, 1)
            else:
                part.factors.append((term.node, places, 1))
            parts.append(part)
        return parts
    return None


def open_dimension(draft: Draft, out: Sequence[int]) -> list[Draft] | None:
    """The products that come of multiplying out the first dimension, such as n - 1, that is a sum."""
    carried = {draft.find(x) for x in (*out, *(x for _, labels, _ in draft.factors for x in labels))}
    for label, dim in enumerate(draft.dims):
        bare = draft.find(label) == label and label not in carried and label not in draft.gone
        if not bare or isinstance(dim, int) or len(dim.terms) < 2:
            continue
        parts = []
        for monomial, coef in dim.terms:
            part = draft.copy()
            part.drop([label])
            part.coef = multiply(draft.coef, number(coef))
            part.fresh(symbol(name) for name, power in monomial for _ in range(power))
            parts.append(part)
        return parts
    return None


NORMALISE: dict[type[Node], Any] = {
    Variable: Pass.leaf,
    Constant: Pass.leaf,
    Definition: Pass.leaf,
    Product: Pass.product,
    Sum: Pass.sum,
    Elementwise: Pass.elementwise,
    Reduction: Pass.reduction,
    Matrix: Pass.matrix,
    Regroup: Pass.regroup,
    Call: Pass.call,
}


# ------------------------------------------------------------------ keeping what is shared


def simplify(roots: Sequence[Node]) -> list[Node]:
    """The roots in simplified form, with what they share kept shared."""
    roots = list(roots)
    for _ in range(ROUNDS):
        if all("simplified" in root.facts for root in roots):
            break
        work = Pass()
        with paused_collection():
            order = topological(roots)
            work.times = uses(order, roots)
            work.absorbed = _absorbed(order, work.times)
            for node in order:
                if node not in work.absorbed:
                    work.edges[node] = work.edge(node)
        previous, roots = roots, [upright(work.edges[root], root.dims) for root in roots]
        settled = all(a is b for a, b in zip(previous, roots, strict=True))
        if settled or (len(order) > SMALL and not _opportunity(roots)):
            break
    for root in roots:
        root.facts["simplified"] = True
    return roots


def expand(roots: Sequence[Node], bound: int = EXPAND_ALL) -> list[Node]:
    """The roots with products of sums multiplied out, each into at most `bound` terms, then simplified."""
    for _ in range(ROUNDS):
        work = Pass()
        work.expanding, work.bound = True, bound
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
            if width[lead] + more <= (WIDEST_PRODUCT if isinstance(node, Product) else WIDEST_SUM):
                width[lead] += more
                absorbed.add(child)
                leader[child], raised[child] = lead, exponent
    return absorbed


def _turned(node: Node, axes: Labels, rank: Callable[[int], Any]) -> Labels:
    """The places of the axes of a node, as its symmetry allows to turn them: in the order that `rank` wants."""
    rule = even(symmetry_of(node))
    if rule is NO_SYMMETRY:
        return axes
    order = sorted(axes, key=rank)
    places, _ = settle([order.index(axis) for axis in axes], rule)
    return tuple(order[place] for place in places)


def remember_kept(made: Reduction) -> None:
    """Note the symmetry of a reduction that keeps its axes: its argument's, where that mixes no axes of both kinds."""
    rule, along = even(symmetry_of(made.child)), set(made.axes)
    blocks = tuple(block for block in rule.blocks if len({axis in along for axis in block[0]}) == 1)
    whole = len(blocks) == len(rule.blocks)
    perms = rule.perms if whole and all({perm[axis] for axis in along} == along for perm in rule.perms) else ()
    if (blocks or perms) and "symmetry" not in made.facts:
        made.facts["symmetry"] = Symmetry(blocks, perms)


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
        """The normal form of a child, remembered among its facts."""
        found = node.facts.get(self.fact)
        return Edge(1, node, tuple(range(node.order))) if found is None or found is True else found

    def inlines(self, source: Node, node: Product | Sum, width: int) -> bool:
        """Does the normal form of `source` take its place in a parent of that width?"""
        fits = width + len(node.children) <= (WIDEST_SUM if isinstance(node, Sum) else WIDEST_PRODUCT)
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
    bound = EXPAND_TERMS

    def __init__(self) -> None:
        super().__init__()
        self.expanding = True


def canonical(node: Node) -> Edge:
    """The canonical edge of a node: equal expressions have the same, as far as the search goes.

    Where it was cut short (more than 64 factors, or too many symmetric labels) it is still an edge of an equal node.
    """
    return FlatPass().settle(node)


def expanded(node: Node) -> Edge:
    """The canonical edge with products of sums multiplied out, where that has at most 64 terms: what `==` compares."""
    return ExpandedPass().settle(canonical(node).node).through(canonical(node))
