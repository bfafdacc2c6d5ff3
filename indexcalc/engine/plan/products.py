"""Products as steps: each in the cheapest order of pairwise contractions, given what of it is there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

from indexcalc.engine import cost
from indexcalc.engine.plan.orders import wide
from indexcalc.engine.plan.orders.contract import EXACT, Contraction, given_order
from indexcalc.engine.plan.orders.scheme import Key, Piece, Tree, tree_mask
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.steps import (
    Choosing,
    added_at,
    alike,
    masked,
    ones_along,
    pair,
    places_of,
    power,
    read_at,
    settled,
    single,
    summed,
    summed_up,
)
from indexcalc.engine.program import Fill, Known, Step, Use
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import Range

FEW = 4
"""Factors: products of more are contracted greedily where the program is made as it is written, since a search would
take longer than the one run that it is for."""
HALF = Fraction(1, 2)
ROOTED = 1.0
"""A share of the time: a weighted Gram matrix is made from the root of its weights where that takes at most this."""
THERE = 0.01
"""A share of its cost: what a part costs that is there already. It is not 0, so that of two ways to use what is there
the one with less work is taken."""


class Ready(NamedTuple):
    """A term in values: `coef * product of pieces`, with the label of each axis of the result, and the sizes.

    `ranges` has what an axis covers, where that is not all of it: it is empty if there are none.
    """

    coef: Number
    pieces: tuple[Piece, ...]
    out: Labels
    sizes: Mapping[int, int]
    ranges: tuple[Range | None, ...] = ()


class Products:
    """Makes products in a pool: `made` has the value of each part that is there, by its key.

    A key that several products have costs each its share: one part in `shares[key]`. Of a program that is planned again
    `before` has, by the key of each part, the keys of the products that have it; `parts` gets those of this program,
    and `seen` the keys of all parts of all products. With `written` each product is made as it is written; `optimize`
    is opt_einsum's, and `halve` says that weights may be split into their roots.
    """

    def __init__(
        self,
        pool: StepPool,
        shares: Mapping[Key, int] | None = None,
        before: Mapping[Key, set[Key]] | None = None,
        *,
        written: bool = False,
        optimize: Any = None,
        halve: bool = True,
    ) -> None:
        self.pool, self.shares, self.before = pool, shares or {}, before or {}
        self.written, self.optimize, self.halve = written, optimize, halve
        self.made: dict[Key, int] = {}
        self.parts: dict[Key, set[Key]] = {}
        self.planned: set[Key] = set()
        self.seen: list[Key] = []

    def contracted(self, term: Ready, coef: Number) -> Piece:
        """A product as one value, times `coef`; its labels are those of the result that some factor has."""
        scalars = [piece for piece in term.pieces if not piece.labels]
        pieces = [piece for piece in term.pieces if piece.labels]
        scale: Piece | None = None
        for piece in scalars:
            scale = piece if scale is None else pair(self.pool, scale, piece, (), term.sizes)
        if not pieces:
            if scale is None:
                return Piece(self.pool.add(Fill(coef, ()), 0.0), ())
            return Piece(single(self.pool, coef, Use(*scale), (), term.sizes), ())
        return self.product(pieces, frozenset(term.out), term.sizes, coef, scale)

    def chosen(
        self, pieces: list[Piece], choices: Sequence[Choosing], out: Sequence[int], sizes: dict[int, int]
    ) -> list[Piece]:
        """The pieces of a product with brackets `[a_b = i]`, without these.

        What has the label i is read at a, so that nothing is multiplied with a bracket; where i is a label of the
        result, what has the labels of a is added up where a says. Labels that are summed there go from the sizes.
        Products are made on the side of a bracket that has fewer entries.
        """
        found, more = self._apart(choices, sizes)
        pieces = self._before([*pieces, *more], found, out, sizes)
        pieces = [self._read(piece, found, sizes) for piece in pieces]
        for one in found:
            if one.place not in out:
                del sizes[one.place]
        found = [one for one in found if one.place in out]
        for group in joined_by_labels(found):
            integers = {x for one in group for x in one.piece.labels}
            others = {x for one in found if one not in group for x in one.piece.labels}
            inside, outside = connected(pieces, integers, None if _are_many(group, sizes) else out)
            kept = {*out, *others, *(x for p in outside for x in p.labels)}
            lacking = integers - {x for p in inside for x in p.labels}
            inside += [ones_along(self.pool, sorted(lacking), sizes)] * bool(lacking)
            stays = frozenset(x for p in inside for x in p.labels if x in kept or x in integers)
            made = self.product(inside, stays, dict(sizes), 1) if inside else ones_along(self.pool, (), sizes)
            pieces = [*outside, added_at(self.pool, made, group, kept, sizes)]
            for label in {x for p in inside for x in p.labels} - kept:
                del sizes[label]
            found = [one for one in found if one not in group]
        return pieces

    def _apart(self, choices: Sequence[Choosing], sizes: Mapping[int, int]) -> tuple[list[Choosing], list[Piece]]:
        """Brackets with a place of its own each, that is a label of no integers; and pieces, what two of one place say.

        Integers along a place are read at the integers that are it.
        """
        found: list[Choosing] = []
        pieces = []
        for one in choices:
            same = next((other for other in found if other.place == one.place), None)
            if same is None:
                found.append(one)
            else:
                first, second = (settled(self.pool, own, sizes) for own in (same, one))
                pieces.append(alike(self.pool, first, second, sizes))
        done: list[Choosing] = []
        while found:
            one = found.pop()
            if one.place in one.piece.labels:
                places = places_of(self.pool, one.place, sizes[one.place])
                pieces.append(alike(self.pool, settled(self.pool, one, sizes), places, sizes))
                continue
            rest = [own for own in found + done if one.place in own.piece.labels]
            found = [own for own in found if own not in rest]
            done = [own for own in done if own not in rest]
            found += [own._replace(piece=read_at(self.pool, own.piece, [one], sizes)) for own in rest]
            done.append(one)
        return done, pieces

    def _before(
        self, pieces: list[Piece], choices: Sequence[Choosing], out: Sequence[int], sizes: dict[int, int]
    ) -> list[Piece]:
        """The pieces, multiplied along places of which there are fewer than integers: `(W V)[a]`, and not `W[a] V`."""
        taken = {x for one in choices for x in (*one.piece.labels, one.place)}
        for group in joined_by_labels([one for one in choices if one.place not in out]):
            beside = [p for p in pieces if any(set(p.labels) & set(one.piece.labels) for one in group)]
            apart = [p for p in pieces if p not in beside]
            inside, outside = connected(apart, {one.place for one in group}, {*out, *taken})
            if len(inside) < 2 or not _are_many(group, sizes):
                continue
            outside, labels = [*outside, *beside], {x for p in inside for x in p.labels}
            kept = {*out, *taken, *(x for p in outside for x in p.labels)}
            pieces = [*outside, self.product(inside, frozenset(labels & kept), dict(sizes), 1)]
            for label in labels - kept:
                del sizes[label]
        return pieces

    def _read(self, piece: Piece, choices: Sequence[Choosing], sizes: Mapping[int, int]) -> Piece:
        """A piece without the places of brackets: read where their integers say."""
        for group in joined_by_labels([one for one in choices if one.place in piece.labels]):
            piece = read_at(self.pool, piece, group, sizes)
        return piece

    def product(
        self,
        pieces: list[Piece],
        kept: frozenset[int],
        sizes: Mapping[int, int],
        coef: Number,
        scale: Piece | None = None,
    ) -> Piece:
        """The product of pieces that all have labels, times `coef`, and a value without axes, if any."""
        pieces = self.reduced(summed(self.pool, pieces, tuple(kept), sizes), kept, sizes)
        if len(pieces) == 1:
            (piece,) = pieces
            if scale is not None:
                return pair(self.pool, scale, piece, piece.labels, sizes, coef)
            return Piece(single(self.pool, coef, Use(*piece), piece.labels, sizes), piece.labels)
        contraction = self.pool.contraction(pieces, kept, sizes)
        spent, tree = self.order(contraction)
        halves = self.halved(contraction, spent) if self.halve and not self.written else None
        if halves is not None:
            made = self.product(halves, kept, sizes, coef if scale is None else 1)
            return made if scale is None else pair(self.pool, scale, made, made.labels, sizes, coef)
        return self.built(contraction, tree, coef, scale)

    def reduced(self, pieces: list[Piece], kept: frozenset[int], sizes: Mapping[int, int]) -> list[Piece]:
        """At most `EXACT` pieces: of more, what only scales goes into what it scales, then parts of the best order."""
        if len(pieces) <= EXACT or self.optimize is not None or self.written:
            return pieces
        contraction = self.pool.contraction(pieces, kept, sizes)
        pieces = self._made(contraction, [_chain(group) for group in wide.scalings(contraction)])
        if len(pieces) <= EXACT:
            return pieces
        contraction = self.pool.contraction(pieces, kept, sizes)
        tree, found = wide.ordered(contraction)
        if found:
            return self._made(contraction, [tree])
        parts: list[Tree] = [tree]
        while len(parts) < EXACT:
            place = max(range(len(parts)), key=lambda k: tree_mask(parts[k]).bit_count())
            whole = parts.pop(place)
            assert not isinstance(whole, int)
            parts += whole
        return self._made(contraction, [part for part in parts if not isinstance(part, int)])

    def _made(self, contraction: Contraction, trees: Sequence[Tree]) -> list[Piece]:
        """The pieces of a contraction, those of each tree as one."""
        gone = 0
        made = []
        for tree in trees:
            made.append(self.built(contraction, tree, 1))
            gone |= tree_mask(tree)
        return [piece for k, piece in enumerate(contraction.pieces) if not gone >> k & 1] + made

    def order(self, contraction: Contraction) -> tuple[float, Tree]:
        """The order of a contraction and its cost; with `optimize`, opt_einsum's."""
        if self.optimize is not None:
            return 0.0, given_order(contraction, self.optimize)
        if self.written and len(contraction.pieces) > FEW:
            return 0.0, given_order(contraction, "greedy")
        found = self.searched(contraction)
        if not self.written:
            self.seen += contraction.subsets
        return found

    def searched(self, contraction: Contraction) -> tuple[float, Tree]:
        """The cheapest order of a contraction, and its cost.

        A part has a share of its cost: nothing if it is there, or if a product that is still to come was made
        from it in the program before.
        """
        own = contraction.key(contraction.everything)[0]

        def share(key: Key) -> float:
            if key in self.made or any(x != own and x not in self.planned for x in self.before.get(key, ())):
                return THERE
            return 1 / self.shares.get(key, 1)

        return contraction.search(share)

    def halved(self, contraction: Contraction, spent: float) -> list[Piece] | None:
        """`X' diag(w) X` as `(sqrt(w) X)' (sqrt(w) X)`, where w >= 0 is known and that is cheaper."""
        twice = [value for value, times in Counter(p.value for p in contraction.pieces).items() if times == 2]
        for value in twice:
            one, other = (piece for piece in contraction.pieces if piece.value == value)
            shared = {x for x, y in zip(one.labels, other.labels, strict=True) if x == y} - contraction.out
            if set(one.labels) & set(other.labels) != shared or not shared or one == other:
                continue
            weights = [p for p in contraction.pieces if p.value != value and set(p.labels) <= shared]
            rest = [p for p in contraction.pieces if p.value != value and p not in weights]
            even = Counter(weights)
            if not weights or not all(n % 2 == 0 or self.pool.bounds[p.value][0] >= 0 for p, n in even.items()):
                continue
            price = self._halved_price(one, other, weights, rest, contraction)
            if price < ROOTED * spent:
                root = self._root(even, contraction.sizes)
                made = pair(self.pool, root, one, one.labels, contraction.sizes)
                return [made, Piece(made.value, other.labels), *rest]
        return None

    def _halved_price(
        self, one: Piece, other: Piece, weights: Sequence[Piece], rest: Sequence[Piece], whole_product: Contraction
    ) -> float:
        sizes = whole_product.sizes
        entries = max(_size(piece, sizes) for piece in weights)
        price = len(weights) * cost.single(entries, entries) + cost.elementary(entries)
        price += cost.pair(one.labels, (), frozenset(one.labels), sizes)
        trial = Contraction(
            [Piece(-1, one.labels), Piece(-1, other.labels), *rest], whole_product.out, sizes, None, self.pool.schemes
        )
        return price + trial.search()[0]

    def _root(self, weights: Mapping[Piece, int], sizes: Mapping[int, int]) -> Piece:
        """The square root of a product of weights: half of what occurs twice, the root of what occurs once."""
        odd = [piece for piece, times in weights.items() if times % 2]
        factors = [piece for piece, times in weights.items() for _ in range(times // 2)]
        if odd:
            labels = frozenset(x for piece in odd for x in piece.labels)
            base = self.product(odd, labels, sizes, 1)
            factors.append(Piece(power(self.pool, base.value, HALF), base.labels))
        return self.product(factors, frozenset(x for piece in factors for x in piece.labels), sizes, 1)

    # -------------------------------------------------------------- steps

    def built(self, contraction: Contraction, tree: Tree, coef: Number, scale: Piece | None = None) -> Piece:
        """The steps of a tree; what the pool has is taken from there."""
        scaled = 0 if scale is None else self._scaled(contraction, tree)
        whole_key = contraction.key(contraction.everything)[0]
        self.planned.add(whole_key)

        def made(tree: Tree, coef: Number) -> Piece:
            if isinstance(tree, int):
                mask, piece = 1 << tree, contraction.pieces[tree]
            else:
                mask = tree_mask(tree)
                key, stay = contraction.key(mask)
                self.parts.setdefault(key, set()).add(whole_key)
                within = 0 < scaled == mask & scaled < mask
                if key in self.made and not within:
                    times = 1 if mask == scaled else coef
                    piece = Piece(single(self.pool, times, Use(self.made[key], stay), stay, contraction.sizes), stay)
                else:
                    one, other = (made(part, 1) for part in tree)
                    piece = pair(self.pool, one, other, stay, contraction.sizes, 1 if mask == scaled else coef)
                    if coef == 1 and not within:
                        self.made[key] = piece.value
            if scale is None or mask != scaled:
                return piece
            return pair(self.pool, scale, piece, piece.labels, contraction.sizes, coef)

        return made(tree, coef)

    def _scaled(self, contraction: Contraction, tree: Tree) -> int:
        """Which part of a product a number multiplies: the smallest, so that what others have too stays as it is."""
        best, stack = (_stays(contraction, tree), tree_mask(tree)), [tree]
        while stack:
            parent = stack.pop()
            if isinstance(parent, int) or (parent != tree and self._shared(contraction, parent)):
                continue
            if parent == tree and contraction.key(tree_mask(tree))[0] in self.made:
                break
            for part in parent:
                best = min(best, (_stays(contraction, part), tree_mask(part)), key=lambda found: found[0])
                stack.append(part)
        return best[1]

    def _shared(self, contraction: Contraction, tree: Tree) -> bool:
        key = contraction.key(tree_mask(tree))[0]
        return key in self.made or key in self.shares or len(self.before.get(key, ())) > 1


def without_triangles(
    products: Products, pieces: Sequence[Piece], out: Sequence[int], sizes: Mapping[int, int]
) -> list[Piece]:
    """The pieces, products with triangles of ones made: sums up to each entry, and triangles of matrices.

    A triangle that a label of the result alone ties to others stays an array.
    """
    left, waiting = list(pieces), True
    while waiting:
        waiting = any(_triangle(products, left, k, set(out), sizes) for k in range(len(left)))
    return left


def _triangle(products: Products, pieces: list[Piece], k: int, out: set[int], sizes: Mapping[int, int]) -> bool:
    """Makes the product with one triangle, if this piece is one; says whether it was made."""
    value, labels = pieces[k]
    step = products.pool.steps[value]
    if not isinstance(step, Known) or not _is_triangle(step) or len(labels) < 2:
        return False
    (row, column), offset = labels, int(sum(step.params))
    others = [piece for n, piece in enumerate(pieces) if n != k]
    for n, piece in enumerate(others):
        if {row, column} <= set(piece.labels) and not _is_triangle(products.pool.steps[piece.value]):
            others[n] = masked(products.pool, piece, row, column, offset)
            pieces[:] = others
            return True
    if products.pool.symbols and (offset or sizes[row] != sizes[column]):
        return False
    for own, other in ((column, row), (row, column)):
        group = [piece for piece in others if own in piece.labels]
        single_use = any(other in piece.labels or _is_triangle(products.pool.steps[piece.value]) for piece in group)
        if own in out or single_use:
            continue
        rest = [piece for piece in others if own not in piece.labels]
        stay = frozenset({own, *(x for p in group for x in p.labels if x in out or any(x in q.labels for q in rest))})
        ones = Piece(products.pool.add(Fill(1, (sizes[own],)), 0.0, (1.0, 1.0)), (own,))
        made = products.product(group, stay, sizes, 1) if group else ones
        pieces[:] = [*rest, summed_up(products.pool, made, own, other, sizes, offset, own == row)]
        return True
    return False


def _is_triangle(step: Step) -> bool:
    """Is this a triangle of ones?"""
    return isinstance(step, Known) and step.name == "tril"


def connected(
    pieces: Sequence[Piece], labels: Collection[int], ends: Collection[int] | None
) -> tuple[list[Piece], list[Piece]]:
    """The pieces that have some of these labels, and what meets them along labels that are no ends; and the others.

    Where there are no ends, what meets them is left to the others.
    """
    inside: list[Piece] = []
    reach = set(labels)
    while more := [p for p in pieces if p not in inside and reach & set(p.labels)]:
        inside += more
        reach |= set() if ends is None else {x for p in more for x in p.labels if x not in ends}
    return inside, [p for p in pieces if p not in inside]


def _are_many(group: Sequence[Choosing], sizes: Mapping[int, int]) -> bool:
    """Are there more integers than entries of which they choose?"""
    integers = {x for one in group for x in one.piece.labels}
    return prod(sizes[x] for x in integers) > prod(sizes[one.place] for one in group)


def joined_by_labels(choices: Sequence[Choosing]) -> list[list[Choosing]]:
    """The brackets in groups whose integers share labels."""
    groups: list[list[Choosing]] = []
    for one in choices:
        met = [g for g in groups if any(set(one.piece.labels) & set(other.piece.labels) for other in g)]
        groups = [g for g in groups if g not in met] + [[*(other for g in met for other in g), one]]
    return groups


def _chain(group: Sequence[int]) -> Tree:
    """Pieces one after the other."""
    tree: Tree = group[0]
    for other in group[1:]:
        tree = tree, other
    return tree


def _size(piece: Piece, sizes: Mapping[int, int]) -> int:
    return prod(sizes[x] for x in piece.labels)


def _stays(contraction: Contraction, tree: Tree) -> int:
    """The entries of a part once it is contracted."""
    return prod(contraction.sizes[x] for x in contraction.stays(tree_mask(tree)))
