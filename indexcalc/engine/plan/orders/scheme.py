"""What contractions are but for the names of values and labels, and the search for the cheapest order of each.

Every order is tried, by dynamic programming over subsets. A subset of factors has a key that does not depend on names
of labels: what is there under its key costs next to nothing, and one that several products have costs each its share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from itertools import permutations, product
from operator import and_
from typing import Any, NamedTuple

from indexcalc.engine import cost
from indexcalc.graph.node import Labels, Perm


class Piece(NamedTuple):
    """A value as a factor; its labels are all different."""

    value: int
    labels: Labels


Key = tuple[int, tuple[int, ...]]
"""What equal parts of products have in common: the number of their shape, and their values."""
Shape = tuple[tuple[tuple[int, Labels], ...], Labels]
Tree = int | tuple["Tree", "Tree"]


Turns = tuple[tuple[int, tuple[Perm, ...]], ...]
"""The permutations of their axes that leave values as they are."""


@lru_cache(maxsize=2**16)
def key_of(pieces: tuple[Piece, ...], kept: frozenset[int], turns: Turns = ()) -> tuple[Shape, Labels]:
    """What equal products have in common, whatever their labels are called, and the order of the labels that stay.

    >>> key_of((Piece(0, (7, 8)), Piece(1, (7,))), frozenset([8]))
    ((((0, (0, 1)), (1, (0,))), (1,)), (8,))
    >>> key_of((Piece(0, (7, 8)), Piece(1, (8,))), frozenset([7]), ((0, ((0, 1), (1, 0))),))
    ((((0, (0, 1)), (1, (0,))), (1,)), (7,))
    """
    groups: dict[int, list[Piece]] = {}
    for piece in sorted(pieces):
        groups.setdefault(piece.value, []).append(piece)
    rows: list[tuple[int, Labels]] = []
    found: list[dict[int, int]] = [{}]
    same = dict(turns)
    for value, group in groups.items():
        orders: list[Sequence[Piece]] = list(permutations(group)) if 1 < len(group) <= 3 else [group]
        if value in same and len(group) <= 3:
            orders = [turned for order in orders for turned in product(*(_turned(p, same[value]) for p in order))]
        least, found = _least(found, orders)
        rows += [(value, labels) for labels in least]
    stay, chosen = min((tuple(n for label, n in number.items() if label in kept), k) for k, number in enumerate(found))
    return (tuple(rows), stay), tuple(label for label in found[chosen] if label in kept)


def _turned(piece: Piece, perms: Sequence[Perm]) -> list[Piece]:
    return [Piece(piece.value, tuple([piece.labels[axis] for axis in perm])) for perm in perms]


def _least(
    found: Sequence[dict[int, int]], orders: Sequence[Sequence[Piece]]
) -> tuple[list[Labels], list[dict[int, int]]]:
    """The least numbers that labels can have in one of the orders, and all ways to number them so."""
    least: list[Labels] | None = None
    result: list[dict[int, int]] = []
    for before in found:
        for pieces in orders:
            number, rows = dict(before), []
            for piece in pieces:
                for label in piece.labels:
                    number.setdefault(label, len(number))
                rows.append(tuple([number[label] for label in piece.labels]))
            if least is None or rows < least:
                least, result = rows, [number]
            elif rows == least:
                result.append(number)
    assert least is not None
    return least, result


class SchemePart(NamedTuple):
    """A subset of the pieces of a scheme: its shape by number, the ranks of its values, the labels that it keeps."""

    shape: int
    ranks: tuple[int, ...]
    labels: Labels


class Scheme:
    """What contractions are but for the names of values and labels: it is searched once, however often it occurs.

    The value of a row is its rank among the values of the contraction; labels are numbered as they come first. Equal
    parts of any two schemes have one number in `shapes`.
    """

    def __init__(
        self,
        rows: tuple[Piece, ...],
        kept: int,
        sizes: Labels,
        turns: Turns = (),
        shapes: dict[Any, int] | None = None,
    ) -> None:
        self.rows, self.kept, self.turns = rows, kept, dict(turns)
        self.shapes: dict[Any, int] = {} if shapes is None else shapes
        self.size = cost.Sizes(dict(enumerate(sizes)))
        self.own = [cost.mask_of(piece.labels) for piece in rows]
        self.everything = (1 << len(rows)) - 1
        self.parts: dict[int, SchemePart] = {}
        self.prices: dict[tuple[int, int], float] = {}
        self.searches: dict[tuple[float, ...], dict[int, tuple[float, Tree]]] = {}
        # no `cached_property`: before Python 3.12 it has a lock, which a forked process may find held for ever
        self.wide: tuple[Tree, bool] | None = None
        self.guessed: float | None = None
        self._several: list[int] | None = None
        self._linked: list[int] | None = None
        self._ranks: list[Labels] | None = None

    def stay(self, mask: int) -> int:
        """The labels of a subset that the rest, or the result, has too, as a bit mask."""
        inside, outside = 0, self.kept
        for k, labels in enumerate(self.own):
            if mask >> k & 1:
                inside |= labels
            else:
                outside |= labels
        return inside & outside

    def part(self, mask: int) -> SchemePart:
        """What a subset is."""
        found = self.parts.get(mask)
        if found is None:
            chosen = [piece for k, piece in enumerate(self.rows) if mask >> k & 1]
            ranks = tuple(sorted({piece.value for piece in chosen}))
            own = {rank: k for k, rank in enumerate(ranks)}
            turns = tuple([(own[rank], self.turns[rank]) for rank in ranks if rank in self.turns])
            key, order = key_of(tuple([Piece(own[p.value], p.labels) for p in chosen]), set_of(self.stay(mask)), turns)
            found = self.parts[mask] = SchemePart(self.shapes.setdefault(key, len(self.shapes)), ranks, order)
        return found

    @property
    def several(self) -> list[int]:
        """The subsets of two pieces and more, smaller ones first."""
        if self._several is None:
            self._several = [x for x in sorted(range(1, self.everything + 1), key=int.bit_count) if x & (x - 1)]
        return self._several

    @property
    def linked(self) -> list[int]:
        """The connected ones of these, the whole among them."""
        if self._linked is None:
            self._linked = [mask for mask in range(1, self.everything + 1) if mask & (mask - 1) and self._joined(mask)]
        return self._linked

    @property
    def ranks(self) -> list[Labels]:
        """The ranks of each subset, in order, each as often as it occurs."""
        if self._ranks is None:
            every = range(self.everything + 1)
            self._ranks = [tuple(sorted([p.value for k, p in enumerate(self.rows) if x >> k & 1])) for x in every]
        return self._ranks

    def _joined(self, mask: int) -> bool:
        rest = [self.own[k] for k in range(len(self.rows)) if mask >> k & 1]
        reached = rest.pop()
        while rest:
            near = [labels for labels in rest if labels & reached]
            if not near:
                return False
            for labels in near:
                reached |= labels
            rest = [labels for labels in rest if not labels & reached]
        return True

    def search(self, shares: tuple[float, ...]) -> dict[int, tuple[float, Tree]]:
        """The cheapest order of each subset, in seconds and as a tree; `several` have these shares of their cost."""
        found = self.searches.get(shares)
        if found is None:
            found = self.searches[shares] = {1 << k: (0.0, k) for k in range(len(self.rows))}
            stay = [self.stay(mask) if mask & (mask - 1) else 0 for mask in range(self.everything + 1)]
            for k, labels in enumerate(self.own):
                stay[1 << k] = labels
            for mask, share in zip(self.several, shares, strict=True):
                spent, part = self._split(mask, stay, found)
                found[mask] = spent * share, (found[part][1], found[mask ^ part][1])
        return found

    def _split(self, mask: int, stay: Sequence[int], best: Mapping[int, tuple[float, Tree]]) -> tuple[float, int]:
        """The cheapest way to make a subset from two: its cost, and the one of them with the lowest piece.

        Two that are equal but for their labels are made once. Of smaller factors of a tensor that all run along one
        axis any may come last: it is the first one, so that the tensor lies in memory as its axes are.
        """
        prices, ranks, found, chosen = self.prices, self.ranks, math.inf, 0
        lowest, part = mask & -mask, (mask - 1) & mask
        axes = stay[mask].bit_count() if mask == self.everything and reduce(and_, self.own) else 0
        first = axes > 2 and all(own.bit_count() < axes for own in self.own)
        while part:
            if part & lowest:
                other = mask ^ part
                same = ranks[part] == ranks[other]
                spent = best[part][0]
                if not same or self.part(part)[:2] != self.part(other)[:2]:
                    spent += best[other][0]
                if spent <= found:
                    price = prices.get((part, other))
                    if price is None:
                        price = cost.masked_pair(stay[part], stay[other], stay[mask], self.size, same)
                        prices[part, other] = price
                    if spent + price < found or (first and spent + price == found):
                        found, chosen = spent + price, part
            part = (part - 1) & mask
        return found, chosen


class Schemes:
    """The schemes of all contractions of one plan, by what they are.

    `asked` counts the factors of products whose order was asked for elsewhere.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[Any, ...], Scheme] = {}
        self.shapes: dict[Any, int] = {}
        self.asked = 0

    def of(self, rows: tuple[Piece, ...], kept: int, sizes: Labels, turns: Turns) -> Scheme:
        """The scheme that is this."""
        name = rows, kept, sizes, turns
        found = self.found.get(name)
        if found is None:
            found = self.found[name] = Scheme(rows, kept, sizes, turns, self.shapes)
        return found


def set_of(mask: int) -> frozenset[int]:
    """The labels of a bit mask."""
    return frozenset([x for x in range(mask.bit_length()) if mask >> x & 1])


def tree_mask(tree: Tree) -> int:
    """The pieces of a tree, as a bit mask."""
    stack, mask = [tree], 0
    while stack:
        part = stack.pop()
        if isinstance(part, int):
            mask |= 1 << part
        else:
            stack += part
    return mask
