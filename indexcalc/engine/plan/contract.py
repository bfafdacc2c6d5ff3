"""The order in which the factors of one product are contracted, and what of it other products have already.

Up to `EXACT` factors every order is tried, by dynamic programming over subsets; more are first merged pair by pair, a
pair that occurs several times at once, so that equal parts stay equal. A subset of factors has a key that does not
depend on the names of labels: what is in the `pool` under its key costs nothing, and a key that several products have
costs each its share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache, reduce
from itertools import combinations, permutations, product
from math import prod
from operator import and_
from typing import Any, NamedTuple

import opt_einsum
from opt_einsum.path_random import RandomOptimizer

from indexcalc.engine import cost
from indexcalc.errors import InputError, counted
from indexcalc.graph.node import Labels, Perm

EXACT = 7
"""Factors: every order of so many is tried, 3**7 pairs of subsets, about two milliseconds; one more takes thrice."""


class Piece(NamedTuple):
    """A value as a factor; its labels are all different."""

    value: int
    labels: Labels


Key = tuple[tuple[tuple[int, Labels], ...], Labels]
Tree = int | tuple["Tree", "Tree"]


Turns = tuple[tuple[int, tuple[Perm, ...]], ...]
"""The permutations of their axes that leave values as they are."""


@lru_cache(maxsize=2**16)
def key_of(pieces: tuple[Piece, ...], kept: frozenset[int], turns: Turns = ()) -> tuple[Key, Labels]:
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


class Contraction:
    """One product to be contracted: pieces, the labels that the result has, and the sizes of all labels.

    `turns` has, of values, those that leave them as they are.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        out: Iterable[int],
        sizes: Mapping[int, int],
        turns: Mapping[int, tuple[Perm, ...]] | None = None,
    ) -> None:
        self.turns = {piece.value: turns[piece.value] for piece in pieces if piece.value in turns} if turns else {}
        self.pieces, self.out, self.sizes = list(pieces), frozenset(out), sizes
        self.keys: dict[int, tuple[Key, Labels]] = {}
        self.best: dict[int, tuple[float, Tree]] = {}
        self.prices: dict[tuple[int, int], float] = {}
        # no `cached_property`: before Python 3.12 it has a lock, which a forked process may find held for ever
        self._values: dict[int, tuple[int, ...]] | None = None
        self._subsets: list[Key] | None = None
        self.size = cost.Sizes(sizes)
        self.own = [cost.mask_of(piece.labels) for piece in self.pieces]
        self.kept = cost.mask_of(self.out)

    def stay(self, mask: int) -> int:
        """The labels of a subset that the rest, or the result, has too, as a bit mask."""
        inside, outside = 0, self.kept
        for k, labels in enumerate(self.own):
            if mask >> k & 1:
                inside |= labels
            else:
                outside |= labels
        return inside & outside

    def stays(self, mask: int) -> frozenset[int]:
        """The same as a set."""
        found = self.stay(mask)
        return frozenset([x for x in range(found.bit_length()) if found >> x & 1])

    def key(self, mask: int) -> tuple[Key, Labels]:
        """The key of a subset."""
        found = self.keys.get(mask)
        if found is None:
            chosen = tuple([piece for k, piece in enumerate(self.pieces) if mask >> k & 1])
            found = self.keys[mask] = key_of(chosen, self.stays(mask), self.turns_of(chosen))
        return found

    def turns_of(self, pieces: Sequence[Piece]) -> Turns:
        """The turns of some of the pieces."""
        if not self.turns:
            return ()
        return tuple([(v, self.turns[v]) for v in sorted({p.value for p in pieces}) if v in self.turns])

    def labels(self, mask: int) -> Labels:
        """The labels that a subset has once it is contracted."""
        if mask & (mask - 1):
            return self.key(mask)[1]
        return self.pieces[mask.bit_length() - 1].labels

    @property
    def everything(self) -> int:
        """All pieces."""
        return (1 << len(self.pieces)) - 1

    def search(self, free: Callable[[Key], float]) -> tuple[float, Tree]:
        """The cheapest order, in seconds and as a tree; `free(key)` is the share of its cost that a subset has."""
        best, everything = self.best, self.everything
        stay = [0] * (everything + 1)
        for mask in range(1, everything + 1):
            stay[mask] = self.stay(mask) if mask & (mask - 1) else self.own[mask.bit_length() - 1]
        for k in range(len(self.pieces)):
            best[1 << k] = (0.0, k)
        for mask in sorted(range(1, everything + 1), key=int.bit_count):
            if mask & (mask - 1):
                spent, part = self._split(mask, stay)
                tree = (best[part][1], best[mask ^ part][1])
                best[mask] = (spent * free(self.key(mask)[0]), tree)
        return best[everything]

    def _split(self, mask: int, stay: Sequence[int]) -> tuple[float, int]:
        """The cheapest way to make a subset from two: its cost, and the one of them with the lowest piece.

        Two that are equal but for their labels are made once. Of smaller factors of a tensor that all run along one
        axis any may come last: it is the first one, so that the tensor lies in memory as its axes are.
        """
        best, prices, values, found, chosen = self.best, self.prices, self.values, math.inf, 0
        lowest, part = mask & -mask, (mask - 1) & mask
        axes = stay[mask].bit_count() if mask == self.everything and reduce(and_, self.own) else 0
        first = axes > 2 and all(own.bit_count() < axes for own in self.own)
        while part:
            if part & lowest:
                other = mask ^ part
                same = values[part] == values[other]
                spent = best[part][0]
                if not same or self.key(part)[0] != self.key(other)[0]:
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

    @property
    def values(self) -> dict[int, tuple[int, ...]]:
        """The values of each subset but the whole, in order."""
        if self._values is None:
            self._values = {
                mask: tuple(sorted([piece.value for k, piece in enumerate(self.pieces) if mask >> k & 1]))
                for mask in range(1, self.everything)
            }
        return self._values

    @property
    def subsets(self) -> list[Key]:
        """The keys of all connected subsets of two pieces and more, the whole among them."""
        if self._subsets is None:
            masks = [mask for mask in range(1, self.everything + 1) if mask & (mask - 1) and self._connected(mask)]
            self._subsets = [self.key(mask)[0] for mask in masks]
        return self._subsets

    def _connected(self, mask: int) -> bool:
        rest = [self.own[k] for k in range(len(self.pieces)) if mask >> k & 1]
        reached = rest.pop()
        while rest:
            near = [labels for labels in rest if labels & reached]
            if not near:
                return False
            for labels in near:
                reached |= labels
            rest = [labels for labels in rest if not labels & reached]
        return True

    def to_merge(self) -> list[tuple[int, ...]]:
        """What to contract first where there are too many pieces: those of one summed label, and all that are alike."""
        groups: dict[tuple[int, ...], None] = {}
        for label in sorted({x for piece in self.pieces for x in piece.labels} - self.out):
            group = tuple(k for k, piece in enumerate(self.pieces) if label in piece.labels)
            if len(group) <= EXACT - 1:
                groups[group] = None
        if not groups:
            linked = combinations(range(len(self.pieces)), 2)
            pairs = [(a, b) for a, b in linked if set(self.pieces[a].labels) & set(self.pieces[b].labels)]
            groups = dict.fromkeys(pairs or [(0, 1)])
        alike: dict[Key, list[tuple[int, ...]]] = {}
        for group in groups:
            alike.setdefault(self.key(sum(1 << k for k in group))[0], []).append(group)
        chosen = min(alike, key=lambda key: (self._price(alike[key]), key))
        taken: set[int] = set()
        result = []
        for group in alike[chosen]:
            if not taken & set(group):
                taken |= set(group)
                result.append(group)
        return result

    def _price(self, groups: list[tuple[int, ...]]) -> float:
        """The cost of contracting one of the groups, for each of them, and of what it leaves behind."""
        pieces = [self.pieces[k] for k in groups[0]]
        stays = self.stays(sum(1 << k for k in groups[0]))
        work, _ = Contraction(pieces, stays, self.sizes).search(lambda key: 1.0)
        made = prod(self.sizes[x] for x in stays)
        taken = sum(prod(self.sizes[x] for x in piece.labels) for piece in pieces)
        return work / len(groups) + (made - taken) / cost.MEMORY


def given_order(contraction: Contraction, optimize: Any) -> Tree:
    """The order that opt_einsum finds with `optimize`.

    >>> pieces = [Piece(0, (0, 1)), Piece(1, (1, 2)), Piece(2, (2,))]
    >>> given_order(Contraction(pieces, (0,), dict.fromkeys(range(3), 9)), [(1, 2), (0, 1)])
    (0, (1, 2))
    """
    names = [opt_einsum.get_symbol(x) for x in range(max(contraction.sizes) + 1)]
    spec = ",".join("".join(names[x] for x in piece.labels) for piece in contraction.pieces)
    out = "".join(names[x] for x in sorted(contraction.stays(contraction.everything)))
    shapes = [tuple(contraction.sizes[x] for x in piece.labels) for piece in contraction.pieces]
    if isinstance(optimize, RandomOptimizer):
        optimize = deepcopy(optimize)  # it serves one contraction
    try:
        path, _ = opt_einsum.contract_path(f"{spec}->{out}", *shapes, shapes=True, optimize=optimize)
        stack: list[Tree] = list(range(len(contraction.pieces)))
        for group in path:
            chosen = [stack.pop(k) for k in sorted(group, reverse=True)][::-1]
            tree = chosen[0]
            for other in chosen[1:]:
                tree = (tree, other)
            stack.append(tree)
        (tree,) = stack
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        found = f"it gives no order for {spec}->{out}, a product of {counted(len(shapes), 'factor')}: {error}"
        raise InputError(f"optimize={optimize!r}", found, "leave it out, or write a path for each product") from error
    return tree
