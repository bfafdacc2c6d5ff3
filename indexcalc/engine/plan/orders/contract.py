"""One product to be contracted, and the order that is given for it, or asked of opt_einsum.

Up to `EXACT` factors every order is tried; more are merged first, equal parts at once, so that they stay equal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import opt_einsum
from opt_einsum.path_random import RandomOptimizer

from indexcalc.engine import cost
from indexcalc.engine.plan.orders.scheme import Key, Piece, Schemes, Tree, Turns, set_of
from indexcalc.errors import InputError, counted
from indexcalc.graph.node import Labels, Perm

EXACT = 7
"""Factors: every order of so many is tried, 3**7 pairs of subsets, about two milliseconds; one more takes thrice."""


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
        return frozenset([self.names[x] for x in set_of(self.scheme.stay(mask))])

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


def tree_of(path: Iterable[Sequence[int]], many: int) -> Tree:
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
        tree = tree_of(path, len(contraction.pieces))
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        found = f"it gives no order for {spec}->{out}, a product of {counted(len(shapes), 'factor')}: {error}"
        raise InputError(f"optimize={optimize!r}", found, "leave it out, or write a path for each product") from error
    return tree
