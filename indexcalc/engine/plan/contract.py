"""The order in which the factors of one product are contracted, and what of it other products have already.

Up to `EXACT` factors every order is tried, by dynamic programming over subsets; more are first merged pair by pair, a
pair that occurs several times at once, so that equal parts stay equal. A subset of factors has a key that does not
depend on the names of labels: what is in the `pool` under its key costs nothing, and a key that several products have
costs each its share.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache, reduce
from itertools import combinations, permutations, product
from math import prod
from operator import and_
from typing import Any, NamedTuple

import numpy as np
import opt_einsum
from opt_einsum.path_random import RandomOptimizer
from opt_einsum.paths import get_path_fn

from indexcalc.engine import cost
from indexcalc.errors import InputError, counted
from indexcalc.graph.node import Labels, Perm

EXACT = 7
"""Factors: every order of so many is tried, 3**7 pairs of subsets, about two milliseconds; one more takes thrice."""


WINDOW = 6
"""Parts: every order of so many is tried where an order of many factors is made better, in half a millisecond,"""
SWEEPS = 2
"""and so often: what the second changes is a few in a hundred."""


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
            key, order = key_of(tuple([Piece(own[p.value], p.labels) for p in chosen]), _set(self.stay(mask)), turns)
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
    """The schemes of all contractions of one plan, by what they are."""

    def __init__(self) -> None:
        self.found: dict[tuple[Any, ...], Scheme] = {}
        self.shapes: dict[Any, int] = {}

    def of(self, rows: tuple[Piece, ...], kept: int, sizes: Labels, turns: Turns) -> Scheme:
        """The scheme that is this."""
        name = rows, kept, sizes, turns
        found = self.found.get(name)
        if found is None:
            found = self.found[name] = Scheme(rows, kept, sizes, turns, self.shapes)
        return found


class Contraction:
    """One product to be contracted: pieces, the labels that the result has, and the sizes of all labels.

    `turns` has, of values, those that leave them as they are. Its scheme is one of the `schemes`.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        out: Iterable[int],
        sizes: Mapping[int, int],
        turns: Mapping[int, tuple[Perm, ...]] | None = None,
        schemes: Schemes | None = None,
    ) -> None:
        self.pieces, self.out, self.sizes = list(pieces), frozenset(out), sizes
        self.values = tuple(sorted({piece.value for piece in pieces}))
        rank = {value: k for k, value in enumerate(self.values)}
        number: dict[int, int] = {}
        for piece in pieces:
            for label in piece.labels:
                number.setdefault(label, len(number))
        self.names = tuple(number)
        self.turns = {value: turns[value] for value in self.values if value in turns} if turns else {}
        rows = tuple([Piece(rank[value], tuple([number[x] for x in labels])) for value, labels in pieces])
        kept = cost.mask_of([number[x] for x in self.out if x in number])
        own = tuple([(rank[value], perms) for value, perms in self.turns.items()])
        self.schemes = schemes or Schemes()
        self.scheme = self.schemes.of(rows, kept, tuple([sizes[x] for x in number]), own)
        self.best: Mapping[int, tuple[float, Tree]] = {}

    def stays(self, mask: int) -> frozenset[int]:
        """The labels of a subset that the rest, or the result, has too."""
        return frozenset([self.names[x] for x in _set(self.scheme.stay(mask))])

    def key(self, mask: int) -> tuple[Key, Labels]:
        """The key of a subset, and the labels that it keeps, in an order that equal ones share."""
        shape, ranks, labels = self.scheme.part(mask)
        values, names = self.values, self.names
        return (shape, tuple([values[k] for k in ranks])), tuple([names[x] for x in labels])

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
        return self.scheme.everything

    def search(self, free: Callable[[Key], float] | None = None) -> tuple[float, Tree]:
        """The cheapest order, in seconds and as a tree; `free(key)` is the share of its cost that a subset has."""
        several = self.scheme.several
        shares = tuple([1.0 if free is None else free(self.key(mask)[0]) for mask in several])
        self.best = self.scheme.search(shares)
        return self.best[self.everything]

    @property
    def subsets(self) -> list[Key]:
        """The keys of all connected subsets of two pieces and more, the whole among them."""
        return [self.key(mask)[0] for mask in self.scheme.linked]

    def scalings(self) -> list[tuple[int, ...]]:
        """Pieces that only scale a larger one, behind it: where they meet it nothing is summed, or gets larger.

        Of several that they scale it is the smallest.
        """
        labels = [set(piece.labels) for piece in self.pieces]
        times = Counter(x for own in labels for x in own)
        entries = [(prod(self.sizes[x] for x in own), k) for k, own in enumerate(labels)]
        stay = [all(times[x] > 2 or x in self.out for x in own) for own in labels]
        taken: dict[int, int] = {}
        for _, k in sorted(entries):
            larger = [one for one in entries if one > entries[k] and labels[one[1]] >= labels[k]]
            if stay[k] and larger:
                taken[k] = min(larger)[1]
        groups: dict[int, list[int]] = {}
        for k in taken:
            top = taken[k]
            while top in taken:
                top = taken[top]
            groups.setdefault(top, [top]).append(k)
        return [tuple(group) for group in groups.values()]

    def merged(self) -> Tree:
        """An order of many factors: labels are summed one by one, each over the pieces that have it.

        Parts that are alike are merged at once; the last ones are searched.
        """
        pieces, trees = list(self.pieces), list[Tree](range(len(self.pieces)))
        values: dict[Key, int] = {}
        while len(pieces) > EXACT:
            rest = Contraction(pieces, self.out, self.sizes, self.turns, self.schemes)
            groups = rest.to_merge()
            for group in groups:
                part = rest.part(group)
                key, labels = part.key(part.everything)
                pieces.append(Piece(values.setdefault(key, -1 - len(values)), labels))
                trees.append(_filled(part.search()[1], [trees[k] for k in group]))
            gone = {k for group in groups for k in group}
            pieces = [piece for k, piece in enumerate(pieces) if k not in gone]
            trees = [tree for k, tree in enumerate(trees) if k not in gone]
        rest = Contraction(pieces, self.out, self.sizes, self.turns, self.schemes)
        return _filled(rest.search()[1], trees)

    def asked(self) -> Tree:
        """The order that opt_einsum's `auto-hq` finds; the labels are numbers, of which sets have one order always."""
        inputs = [frozenset(piece.labels) for piece in self.scheme.rows]
        sizes = {x: self.sizes[name] for x, name in enumerate(self.names)}
        with state_kept():
            path = get_path_fn("auto-hq")(inputs, _set(self.scheme.kept), sizes, None)
        return _tree_of(path, len(inputs))

    def refined(self, tree: Tree) -> Tree:
        """The order with each part of it, of up to `WINDOW` factors or parts, as it has the fewest operations."""
        for _ in range(SWEEPS):
            tree = self._refined(tree)
        return tree

    def _refined(self, tree: Tree) -> Tree:
        if isinstance(tree, int):
            return tree
        parts = [self._refined(part) for part in tree]
        while len(parts) < WINDOW and any(not isinstance(part, int) for part in parts):
            place = max(range(len(parts)), key=lambda k: (not isinstance(parts[k], int), self._entries(parts[k])))
            whole = parts.pop(place)
            assert not isinstance(whole, int)
            parts += whole
        return self._fewest(parts)

    def _entries(self, tree: Tree) -> int:
        return self.scheme.size[self.scheme.stay(tree_mask(tree))]

    def _fewest(self, parts: Sequence[Tree]) -> Tree:
        """The order of some parts that has the fewest operations."""
        masks, every, size = [tree_mask(part) for part in parts], range(1, 1 << len(parts)), self.scheme.size
        stay = {x: self.scheme.stay(sum(mask for k, mask in enumerate(masks) if x >> k & 1)) for x in every}
        best: dict[int, tuple[int, Tree]] = {1 << k: (0, part) for k, part in enumerate(parts)}
        for x in every:
            lowest, part = x & -x, (x - 1) & x
            while part:
                if part & lowest:
                    (one, left), (other, right), labels = best[part], best[x ^ part], stay[part] | stay[x ^ part]
                    spent = one + other + size[labels] * (2 if labels & ~stay[x] else 1)
                    if x not in best or spent < best[x][0]:
                        best[x] = spent, (left, right)
                part = (part - 1) & x
        return best[every[-1]][1]

    def takes(self, tree: Tree, there: Container[Key] = ()) -> Price:
        """What an order takes: parts that are equal, and those that are there, are made once."""
        seen: set[Key] = set()
        seconds, operations = 0.0, 0
        stack = [tree]
        while stack:
            parent = stack.pop()
            if isinstance(parent, int):
                continue
            masks = [tree_mask(part) for part in parent]
            both = masks[0] | masks[1]
            key = self.key(both)[0]
            if key in seen or key in there:
                continue
            seen.add(key)
            left, right = (self.scheme.stay(x) if x & (x - 1) else self.scheme.own[x.bit_length() - 1] for x in masks)
            out, size = self.scheme.stay(both), self.scheme.size
            seconds += cost.masked_pair(left, right, out, size, False)
            operations += size[left | right] * (2 if (left | right) & ~out else 1)
            stack += parent
        return Price(seconds, operations)

    def part(self, group: Sequence[int]) -> Contraction:
        """The contraction of some pieces."""
        stays = self.stays(sum(1 << k for k in group))
        return Contraction([self.pieces[k] for k in group], stays, self.sizes, self.turns, self.schemes)

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
        chosen = min(alike, key=lambda key: self._price(alike[key]))
        taken: set[int] = set()
        result = []
        for group in alike[chosen]:
            if not taken & set(group):
                taken |= set(group)
                result.append(group)
        return result

    def _price(self, groups: list[tuple[int, ...]]) -> float:
        """The cost of contracting one of the groups, for each of them, and of what it leaves behind."""
        part = self.part(groups[0])
        work, _ = part.search()
        made = prod(self.sizes[x] for x in part.out)
        taken = sum(prod(self.sizes[x] for x in piece.labels) for piece in part.pieces)
        return work / len(groups) + (made - taken) / cost.MEMORY


class Price(NamedTuple):
    """What an order takes: seconds, and operations."""

    seconds: float
    operations: int


def _filled(tree: Tree, trees: Sequence[Tree]) -> Tree:
    """The tree with these trees as its leaves."""
    return trees[tree] if isinstance(tree, int) else (_filled(tree[0], trees), _filled(tree[1], trees))


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


def _tree_of(path: Iterable[Sequence[int]], many: int) -> Tree:
    """The tree that a path of opt_einsum is."""
    stack: list[Tree] = list(range(many))
    for group in path:
        chosen = [stack.pop(k) for k in sorted(group, reverse=True)][::-1]
        whole = chosen[0]
        for other in chosen[1:]:
            whole = whole, other
        stack.append(whole)
    (tree,) = stack
    return tree


@contextmanager
def state_kept() -> Iterator[None]:
    """The random numbers of Python and of NumPy go on as if nothing had been drawn: opt_einsum seeds them anew."""
    ours, theirs = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)


def _set(mask: int) -> frozenset[int]:
    """The labels of a bit mask."""
    return frozenset([x for x in range(mask.bit_length()) if mask >> x & 1])


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
        with state_kept():
            path, _ = opt_einsum.contract_path(f"{spec}->{out}", *shapes, shapes=True, optimize=optimize)
        tree = _tree_of(path, len(contraction.pieces))
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        found = f"it gives no order for {spec}->{out}, a product of {counted(len(shapes), 'factor')}: {error}"
        raise InputError(f"optimize={optimize!r}", found, "leave it out, or write a path for each product") from error
    return tree
