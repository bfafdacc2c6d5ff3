"""One program for one choice of what is opened: nodes become values, products become pairwise steps.

The trades are apart: what is opened (`terms`), a node that is computed as it is (`leaves`), the order of a product
(`products`), parts that terms share (`collect`), single steps (`steps`). Here they meet, node by node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from indexcalc.engine import cost
from indexcalc.engine.bind.inputs import number_of
from indexcalc.engine.plan.collect import collect
from indexcalc.engine.plan.joined import HeldForm, HeldValue, Joining, Related, Selected, axes_of, whole
from indexcalc.engine.plan.leaves import leaf
from indexcalc.engine.plan.orders.scheme import Key, Piece
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.products import Products, Ready, without_triangles
from indexcalc.engine.plan.steps import (
    Choosing,
    PlacedPiece,
    added,
    added_at,
    ones_along,
    over_norms,
    power,
    single,
    sliced,
    summed,
    windows,
    written,
)
from indexcalc.engine.plan.terms import INLINE, Choice, Inline, Opening, Summand
from indexcalc.engine.program import Fill, Known, Use, Windows
from indexcalc.functions.entries.choosing import Chooser, chooser_of
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.edge import is_symmetric_matrix, symmetry_of
from indexcalc.graph.node import Elementwise, Labels, Matrix, Node, Product, Reduction, topological
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import Relation, relation_of, selection_of
from indexcalc.progress import each
from indexcalc.simplify.intervals import ANY

ONE = Fill(1, ())
"""What a selection is held as: it has entries only where its labels meet."""


class Lowered(NamedTuple):
    """A program in the pool: `results` are values, `seconds` is its cost.

    `shares` is what it was planned with; `seen` has the keys of all parts of its products, and `parts`, by the key of
    each part that was made, the keys of the products that have it: the `before` of one that is planned again.
    """

    choice: Choice
    results: tuple[int, ...]
    seconds: float
    shares: Mapping[Key, int]
    seen: Sequence[Key]
    parts: Mapping[Key, set[Key]]


def lowered(
    roots: Sequence[Node], order: Sequence[Node], pool: StepPool, choice: Choice, products: Products
) -> Lowered:
    """The program whose results are the whole arrays of the roots; `order` has all nodes, children first.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> A, x = variable("A", (3, 2)), variable("x", (2,))
    >>> root, pool = einsum(1, [(A, "ij"), (x, "j")], "i"), StepPool({}, {})
    >>> made = lowered([root], [A, x, root], pool, Choice(frozenset(), frozenset()), Products(pool))
    >>> made.results, [type(step).__name__ for step in pool.steps]
    ((2,), ['Input', 'Input', 'Contract'])
    """
    lowering = Lowering(order, pool, choice, products)
    lowering.lower(roots)
    results = tuple(lowering.dense(root) for root in roots)
    seconds = sum(pool.costs[number] for number in pool.live(results))
    return Lowered(choice, results, seconds, products.shares, products.seen, products.parts)


def levelled(order: Iterable[Node]) -> set[Node]:
    """The symmetric matrices whose numbers are rounded, and of which entries are told apart.

    A function that jumps, as a comparison with the largest entry does, has to find entries equal that are so but for
    rounding: else it takes one of them here and the other one there.
    """
    found: set[Node] = set()
    for node in order:
        if isinstance(node, Elementwise) and not any(elementwise_row(node.fn).rules):
            found |= {arg.node for arg in node.args if is_symmetric_matrix(arg.node) and _is_rounded(arg.node)}
    return found


def _is_rounded(node: Node) -> bool:
    """Are products or functions of matrices in this? Numbers of these may lack a symmetry that they have."""
    return any(
        (isinstance(inner, Product) and inner.order > 1 and inner.bound)
        or isinstance(inner, Matrix)
        or (isinstance(inner, Reduction) and reduction_row(inner.fn).axes == 2)
        for inner in topological([node])
    )


class Lowering:
    """Makes values of nodes: `held` has the value of each, and how it is held."""

    def __init__(self, order: Sequence[Node], pool: StepPool, choice: Choice, products: Products) -> None:
        self.pool, self.products = pool, products
        self.opening = Opening(order, choice, pool)
        self.levelled = levelled(order)
        self.held: dict[Node, HeldValue] = {}

    def lower(self, roots: Sequence[Node]) -> None:
        """The values of all nodes that have one, children first; roots that are opened are made values too."""
        wanted = self.opening.values(roots)
        for node in each(self.opening.order, "nodes planned"):
            if isinstance(node, INLINE):
                self.opening.summands(node)
                if node in wanted:
                    self.hold(node)
            elif chooser_of(node) is None:
                self.hold(node)

    # -------------------------------------------------------------- values

    def hold(self, node: Node) -> HeldValue:
        """The value of a node, and how it is held."""
        found = self.held.get(node)
        if found is None:
            found = self._summed(node) if isinstance(node, INLINE) else self._leaf(node)
            found = self.held[node] = self._level(node, found) if node in self.levelled else found
            value, form = found
            if form.plain and len(form.labels) == len(form.out):
                self.pool.note(value, tuple([form.out.index(x) for x in form.labels]), symmetry_of(node))
        return found

    def _level(self, node: Node, found: HeldValue) -> HeldValue:
        """A value whose last two axes may be swapped, as it is in numbers: the mean of both ways round."""
        value, form = found
        value = value if form.whole else written(self.pool, value, form)
        shape = self.pool.steps[value].shape
        axes = tuple(range(len(shape)))
        ways = [axes, (*axes[:-2], axes[-1], axes[-2])]
        parts = [PlacedPiece(Fraction(1, 2), Piece(value, way), axes_of(axes)) for way in ways]
        return added(self.pool, parts, shape)

    def _leaf(self, node: Node) -> HeldValue:
        if chooser_of(node) is not None:
            axes, shape = tuple(range(node.order)), self.pool.shape(node.dims)
            return self.materialised([Summand(1, ((node, axes, 1),), axes, shape)], shape)
        if isinstance(node, Elementwise):
            return leaf(self.pool, node, [self.without_delta(child) for child, _ in node.args])
        return leaf(self.pool, node, [self._whole(child) for child in node.children])

    def _whole(self, node: Node) -> HeldValue:
        value = self.dense(node)
        return value, whole(self.pool.steps[value].shape)

    def _summed(self, node: Inline) -> HeldValue:
        found = self.materialised(self.opening.summands(node), self.pool.shape(node.dims))
        bound = self.pool.range(node)
        if self.pool.bounds[found[0]] == ANY and bound != ANY:
            self.pool.bounds[found[0]] = bound
        return found

    def dense(self, node: Node) -> int:
        """The whole array of a node, with its axes in order."""
        value, form = self.hold(node)
        return value if form.whole else written(self.pool, value, form)

    def without_delta(self, node: Node) -> HeldValue:
        """A value of a node that has no delta; axes along which it is constant are left out."""
        value, form = self.hold(node)
        return (value, form) if form.plain else self._whole(node)

    # -------------------------------------------------------------- sums of products

    def materialised(self, found: Sequence[Summand], shape: tuple[int, ...]) -> HeldValue:
        """The value of a sum of products, and how it is held; ranges that all terms have are held apart."""
        ready = [made for term in found if (made := self.ready(term)) is not None]
        if not ready:
            return self.pool.add(Fill(0, ()), 0.0, (0.0, 0.0)), HeldForm((), tuple(range(len(shape))), shape)
        common = ready[0].ranges if all(term.ranges == ready[0].ranges for term in ready) else ()
        if common:
            shape = tuple(ready[0].sizes[x] for x in ready[0].out)
            ready = [term._replace(ranges=()) for term in ready]
        if len(ready) > 1:
            ready = collect(self.products, ready)
        if len(ready) == 1:
            (term,) = ready
            piece = self.products.contracted(term, term.coef)
            number = {label: place for place, label in enumerate(dict.fromkeys(term.out))}
            form = HeldForm(
                tuple(number[x] for x in piece.labels),
                tuple(number[x] for x in term.out),
                tuple(term.sizes[x] for x in number),
                common or term.ranges,
            )
            return piece.value, form
        parts = [
            PlacedPiece(term.coef, self.products.contracted(term, 1), axes_of(term.out, term.ranges)) for term in ready
        ]
        value, form = added(self.pool, parts, shape)
        return value, form._replace(ranges=common)

    def ready(self, term: Summand) -> Ready | None:
        """A term in values: deltas and selections joined, powers taken, sums over what one factor has alone done.

        None for a term that is zero.
        """
        if term.coef == 0:
            return None
        joining = Joining(term.sizes, self.pool.size_written)
        rows = []
        brackets: list[tuple[Chooser, Labels]] = []
        relations: list[tuple[Relation, Labels]] = []
        for node, labels, exponent in term.factors:
            if (relation := relation_of(node)) is not None and isinstance(exponent, int) and exponent > 0:
                relations.append((relation, labels))
                continue
            positive = not isinstance(exponent, complex) and exponent > 0
            if positive and (found := chooser_of(node)) is not None:
                brackets.append((found, labels))
                continue
            value, form = self.hold(node) if positive else self.without_delta(node)
            rows.append((value, joining.attach(form, labels), exponent))
        joining.settle()
        if joining.empty:
            return None
        rows += [(self._selection(one), [one.short, one.long], 1) for one in joining.left]
        sizes, find = joining.sizes, joining.joined.find
        related = [self._related(joining, *row) for row in relations]
        if any(not one.coefs and isinstance(one.start, int) and one.start != 0 for one in related):
            return None
        single_entries = {label for label, size in sizes.items() if size == 1}
        axes = [joining.axis(x) for x in term.out]
        out = tuple(axis.label for axis in axes)
        bases: list[tuple[Piece, Number]] = []
        for value, held_labels, exponent in rows:
            if joining.places and self.pool.steps[value] == ONE:
                continue
            use = Use(value, tuple([find(x) for x in held_labels]))
            if joining.places:
                use = sliced(self.pool, value, [joining.axis(x) for x in held_labels], single_entries, sizes)
            distinct = tuple(dict.fromkeys(use.labels))
            bases.append((Piece(single(self.pool, 1, use, distinct, sizes), distinct), exponent))
        pieces = self._raised(bases, sizes)
        if related := [one for one in related if one.coefs or one.start != 0]:
            held = [joining.axis(find(x)).label for _, labels in brackets for x in labels]
            pieces = Meetings(self.products, pieces, related, (*out, *held), sizes).solved()
        if brackets:
            choices, more = self._choices(brackets, joining, sizes)
            pieces = self.products.chosen(pieces + more, choices, out, sizes)
        carried = {x for piece in pieces for x in piece.labels}
        pieces = without_triangles(self.products, pieces, out, sizes)
        coef = term.coef
        for label in sorted(sizes.keys() - carried - set(out)):
            if sizes[label] in self.pool.symbols:
                length = Known("size", (self.pool.symbols[sizes[label]],), ())
                pieces.append(Piece(self.pool.add(length, 0.0), ()))
            else:
                coef = multiply(coef, sizes[label])
        ranges = tuple(axis.range for axis in axes)
        return Ready(coef, tuple(summed(self.pool, pieces, out, sizes)), out, sizes, ranges if any(ranges) else ())

    def _related(self, joining: Joining, found: Relation, labels: Labels) -> Related:
        """A relation of labels, of those that are left."""
        start = found.start if self.pool.symbols else number_of(found.start, self.pool.sizes)
        return joining.related(found._replace(start=start), [joining.joined.find(x) for x in labels])

    def _raised(self, bases: Sequence[tuple[Piece, Number]], sizes: Mapping[int, int]) -> list[Piece]:
        """Values to their powers: a low one as so many factors."""
        pieces: list[Piece] = []
        for (made, distinct), exponent in over_norms(self.pool, bases, sizes):
            times = exponent if isinstance(exponent, int) and 1 <= exponent <= 3 else 1
            if times != exponent:
                made = power(self.pool, made, exponent)
            pieces += [Piece(made, distinct)] * times
        return pieces

    def _choices(
        self, brackets: Sequence[tuple[Chooser, Labels]], joining: Joining, sizes: dict[int, int]
    ) -> tuple[list[Choosing], list[Piece]]:
        """The brackets of a product, the labels of their integers as they are joined.

        One along a part of its places is a piece, the part of an array, as is one that has an axis for each.
        """
        choices: list[Choosing] = []
        pieces: list[Piece] = []
        single_entries = {label for label, size in sizes.items() if size == 1}
        for found, labels in brackets:
            place = joining.axis(labels[found.place])
            value, axes = self.dense(found.integers), [joining.axis(labels[x]) for x in found.labels]
            if place.range is not None:
                whole = dict(enumerate(self.pool.shape(found.node.dims)))
                one = Choosing(Piece(value, found.labels), found.place, found.name)
                made = added_at(self.pool, ones_along(self.pool, found.labels, whole), [one], found.labels, whole)
                value, axes = made.value, [joining.axis(labels[x]) for x in made.labels]
            use = sliced(self.pool, value, axes, single_entries, sizes)
            distinct = tuple(dict.fromkeys(use.labels))
            piece = Piece(single(self.pool, 1, use, distinct, sizes), distinct)
            if place.range is not None:
                pieces.append(piece)
            else:
                choices.append(Choosing(piece, place.label, found.name))
        return list(dict.fromkeys(choices)), pieces

    def _selection(self, one: Selected) -> int:
        """The array of a selection that can't be joined with others, since it depends on sizes what they share."""
        node = selection_of(one.range)
        return self.pool.add(Known(node.label, node.params, self.pool.shape(node.dims)), 1e-6)


class Solving(NamedTuple):
    """A label of a relation that is solved for, the pieces that are multiplied before, and the labels that these keep.

    `seconds` is what it takes to make windows of that, and to multiply, before or behind.
    """

    seconds: float
    relation: int
    along: int
    group: tuple[Piece, ...]
    kept: Labels


class Meetings:
    """The pieces of a product whose labels are related, and the relations: each goes with a label that is summed.

    What has that label becomes windows of itself along the others, so that no relation is ever an array; where all
    labels of one are in the result, or in others, it is.
    """

    def __init__(
        self,
        products: Products,
        pieces: Sequence[Piece],
        related: Sequence[Related],
        out: Labels,
        sizes: dict[int, int],
    ) -> None:
        self.products, self.pieces, self.related, self.out, self.sizes = products, list(pieces), [*related], out, sizes

    def solved(self) -> list[Piece]:
        """The pieces once no relation is left; labels that are solved for have no size any more."""
        while self.related:
            found = min((way for number in range(len(self.related)) for way in self._ways(number)), default=None)
            if found is None:
                self.pieces.append(self._as_array(self.related.pop()))
            else:
                self._solve(found)
        return self.pieces

    def _ways(self, number: int) -> Iterator[Solving]:
        """The labels that a relation may be solved for, each with or without what is multiplied before."""
        others = {x for k, other in enumerate(self.related) if k != number for x in other.coefs}
        held = {*self.out, *others, *self.related[number].coefs}
        for along in self.related[number].coefs:
            if along in self.out or along in others:
                continue
            own = [piece for piece in self.pieces if along in piece.labels]
            group = list(own)
            while more := [
                piece for piece in self.pieces if piece not in group and (_labels(group) - held) & {*piece.labels}
            ]:
                group += more
            near = self.related[number].coefs.keys() - {along}
            behind = self._size((_labels(group) | near) - {along}) if len(group) > 1 else 0
            yield self._way(number, along, own, _labels(own), 2 * behind)
            if _labels(group) - held:
                yield self._way(number, along, group, held & _labels(group), 2 * self._size(_labels(group)))

    def _way(self, number: int, along: int, group: Sequence[Piece], kept: set[int], work: int) -> Solving:
        entries = self._size((kept | self.related[number].coefs.keys()) - {along})
        seconds = entries / cost.MEMORY + work / cost.GEMM
        return Solving(seconds, number, along, tuple(group), tuple(sorted(kept)))

    def _size(self, labels: Iterable[int]) -> int:
        return prod(self.sizes[x] for x in labels)

    def _solve(self, way: Solving) -> None:
        """One relation and one label go."""
        sizes = dict(self.sizes)
        pool, (_, number, along, group, kept), found = self.products.pool, way, self.related[way.relation]
        del self.related[number]
        for piece in group:
            self.pieces.remove(piece)
        for label in _labels(group) - {*kept}:
            del self.sizes[label]
        if len(group) == 1 and set(group[0].labels) == set(kept):
            (whole,) = group
        elif group:
            whole = self.products.contracted(Ready(1, group, kept, sizes), 1)
        else:
            whole = Piece(pool.add(Fill(1, (self.sizes[along],)), 0.0, (1.0, 1.0)), (along,))
        made = windows(pool, whole, along, found, self.sizes)
        step = pool.steps[made.value]
        if group or not (isinstance(step, Windows) and step.window.inside):
            self.pieces.append(made)
        del self.sizes[along]

    def _as_array(self, found: Related) -> Piece:
        shape = tuple(self.sizes[x] for x in found.coefs)
        step = Known("affine_delta", (found.start, *found.coefs.values()), shape)
        return Piece(self.products.pool.add(step, cost.single(prod(shape), prod(shape)), (0.0, 1.0)), (*found.coefs,))


def _labels(pieces: Iterable[Piece]) -> set[int]:
    return {x for piece in pieces for x in piece.labels}
