"""Products of many factors: what only scales is folded, two orders are found, and made better part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from math import prod
from typing import NamedTuple

from opt_einsum.paths import get_path_fn

from indexcalc.engine import cost
from indexcalc.engine.plan.orders.contract import EXACT, Contraction, state_kept, tree_of
from indexcalc.engine.plan.orders.scheme import Key, Piece, Tree, set_of, tree_mask

WINDOW = 6
"""Parts: every order of so many is tried where an order of many factors is made better, in half a millisecond,"""
SWEEPS = 2
"""and so often: what the second changes is a few in a hundred."""


ASKED = 1000
"""Operations: of a product of many factors that takes fewer, the order is not asked for: it is made in microseconds."""
EASY, MOST_ASKED = 16, 200
"""Factors: opt_einsum finds the best order of so many in some 10 ms; more take it up to a third of a second, so it is
asked about products of so many in all."""
MORE = 1.1
"""Times: so many more operations than opt_einsum's order may one have that takes less time."""


class Price(NamedTuple):
    """What an order takes: seconds, and operations."""

    seconds: float
    operations: int


def ordered(product: Contraction) -> tuple[Tree, bool]:
    """An order of many factors, and whether it is to stay so: it has fewer operations, or takes less time."""
    scheme, schemes = product.scheme, product.schemes
    if scheme.wide is None:
        count, first = len(product.pieces), merged(product)
        own, trees = takes(product, first), [refined(product, first)]
        if own.operations > ASKED and (count <= EASY or schemes.asked + count <= MOST_ASKED):
            schemes.asked += count * (count > EASY)
            trees.append(refined(product, asked(product)))
        other, tree = min([(takes(product, tree), tree) for tree in trees], key=lambda found: found[0].operations)
        fewer = own.operations > MORE * other.operations or other.seconds < own.seconds
        scheme.wide = (tree, True) if fewer else (first, False)
    return scheme.wide


def scalings(product: Contraction) -> list[tuple[int, ...]]:
    """Pieces that only scale a larger one, behind it: where they meet it nothing is summed, or gets larger.

    Of several it is the smallest, of those that occur no more often if it can be: equal parts stay equal.
    """
    often = Counter(piece.value for piece in product.pieces)
    equal = [often[piece.value] for piece in product.pieces]
    labels = [set(piece.labels) for piece in product.pieces]
    times = Counter(x for own in labels for x in own)
    entries = [(prod(product.sizes[x] for x in own), k) for k, own in enumerate(labels)]
    stay = [all(times[x] > 2 or x in product.out for x in own) for own in labels]
    taken: dict[int, int] = {}
    for _, k in sorted(entries):
        larger = [one for one in entries if one > entries[k] and labels[one[1]] >= labels[k]]
        if stay[k] and larger:
            taken[k] = min(larger, key=lambda one: (equal[one[1]] > equal[k], one))[1]
    groups: dict[int, list[int]] = {}
    for k in taken:
        top = taken[k]
        while top in taken:
            top = taken[top]
        groups.setdefault(top, [top]).append(k)
    return [tuple(group) for group in groups.values()]


def merged(product: Contraction) -> Tree:
    """An order of many factors: labels are summed one by one, each over the pieces that have it.

    Parts that are alike are merged at once; the last ones are searched.
    """
    pieces, trees = list(product.pieces), list[Tree](range(len(product.pieces)))
    values: dict[Key, int] = {}
    while len(pieces) > EXACT:
        rest = Contraction(pieces, product.out, product.sizes, product.turns, product.schemes)
        groups = rest.to_merge()
        for group in groups:
            part = rest.part(group)
            key, labels = part.key(part.everything)
            pieces.append(Piece(values.setdefault(key, -1 - len(values)), labels))
            trees.append(_filled(part.search()[1], [trees[k] for k in group]))
        gone = {k for group in groups for k in group}
        pieces = [piece for k, piece in enumerate(pieces) if k not in gone]
        trees = [tree for k, tree in enumerate(trees) if k not in gone]
    rest = Contraction(pieces, product.out, product.sizes, product.turns, product.schemes)
    return _filled(rest.search()[1], trees)


def guess(product: Contraction) -> float:
    """About what the product takes, found once for each scheme."""
    if len(product.pieces) <= EXACT:
        return product.search()[0]
    if product.scheme.guessed is None:
        product.scheme.guessed = takes(product, merged(product)).seconds
    return product.scheme.guessed


def asked(product: Contraction) -> Tree:
    """The order that opt_einsum's `auto-hq` finds; the labels are numbers, of which sets have one order always."""
    inputs = [frozenset(piece.labels) for piece in product.scheme.rows]
    sizes = {x: product.sizes[name] for x, name in enumerate(product.names)}
    with state_kept():
        path = get_path_fn("auto-hq")(inputs, set_of(product.scheme.kept), sizes, None)
    return tree_of(path, len(inputs))


def refined(product: Contraction, tree: Tree) -> Tree:
    """The order with each part of it, of up to `WINDOW` factors or parts, as it has the fewest operations."""
    for _ in range(SWEEPS):
        tree = _refined(product, tree)
    return tree


def _refined(product: Contraction, tree: Tree) -> Tree:
    if isinstance(tree, int):
        return tree
    parts = [_refined(product, part) for part in tree]
    while len(parts) < WINDOW and any(not isinstance(part, int) for part in parts):
        place = max(range(len(parts)), key=lambda k: (not isinstance(parts[k], int), _entries(product, parts[k])))
        split = parts.pop(place)
        assert not isinstance(split, int)
        parts += split
    return _fewest(product, parts)


def _entries(product: Contraction, tree: Tree) -> int:
    return product.scheme.size[product.scheme.stay(tree_mask(tree))]


def _fewest(product: Contraction, parts: Sequence[Tree]) -> Tree:
    """The order of some parts that has the fewest operations."""
    masks, every, size = [tree_mask(part) for part in parts], range(1, 1 << len(parts)), product.scheme.size
    stay = {x: product.scheme.stay(sum(mask for k, mask in enumerate(masks) if x >> k & 1)) for x in every}
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


def takes(product: Contraction, tree: Tree, there: Container[Key] = ()) -> Price:
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
        key = product.key(both)[0]
        if key in seen or key in there:
            continue
        seen.add(key)
        left, right = (product.scheme.stay(x) if x & (x - 1) else product.scheme.own[x.bit_length() - 1] for x in masks)
        out, size = product.scheme.stay(both), product.scheme.size
        seconds += cost.masked_pair(left, right, out, size, False)
        operations += size[left | right] * (2 if (left | right) & ~out else 1)
        stack += parent
    return Price(seconds, operations)


def _filled(tree: Tree, trees: Sequence[Tree]) -> Tree:
    """The tree with these trees as its leaves."""
    return trees[tree] if isinstance(tree, int) else (_filled(tree[0], trees), _filled(tree[1], trees))
