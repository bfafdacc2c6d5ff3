"""What is declared of a tensor: words, and groups of slots that may be permuted, with their signs.

A value is a bool or, for `symmetric` and `skew`, groups of slots. What leaves only zero, or nothing at all, is refused:
the permutations that were declared are closed to a group, and a permutation with both signs says that T = -T.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from indexcalc.errors import Asked, DimensionError, KindError, NameRefused, NotationError, did_you_mean
from indexcalc.graph.canonical import SignedPerm, closed, symmetry
from indexcalc.graph.node import NO_SYMMETRY, Symmetry
from indexcalc.index import Dimension

ASSUMPTIONS = (
    "symmetric", "skew", "diagonal", "lower", "upper", "positive_definite", "positive", "orthogonal", "toeplitz",
    "hankel", "circulant", "stochastic", "onehot", "mask", "full_rank", "constant", "major", "integer",
)  # fmt: skip
GROUPED = {"symmetric": 1, "skew": -1}
"""Words that take groups of slots, and the sign of a transposition in them."""
MATRICES_ONLY = set(ASSUMPTIONS) - {"positive", "stochastic", "onehot", "mask", "constant", "major", "integer"}
ALONG_LAST = {"stochastic", "onehot"}
"""Words about the last axis, which must be there."""
WITH_SKEW = {
    "diagonal": "its diagonal is 0", "lower": "only zero is both", "upper": "only zero is both",
    "hankel": "only zero is both", "positive_definite": "x @ K @ x is 0 for each x",
}  # fmt: skip
"""What no tensor but zero, or none at all, is beside skew in its last two slots."""
PERMUTATIONS = "only permutations are both, and no numbers are drawn for them"
SHIFTS = "only shifts are both, and no numbers are drawn for them"
TOGETHER = {
    ("mask", "skew"): "only zero is both",
    ("mask", "positive"): "only a tensor of ones is both",
    ("mask", "positive_definite"): "only the unit matrix is both",
    ("mask", "orthogonal"): PERMUTATIONS,
    ("onehot", "diagonal"): "only the unit matrix is both",
    ("onehot", "symmetric"): PERMUTATIONS,
    ("onehot", "major"): PERMUTATIONS,
    ("onehot", "toeplitz"): SHIFTS,
    ("onehot", "hankel"): SHIFTS,
    ("onehot", "circulant"): SHIFTS,
}
"""Words of which no tensor has both, or too few to call it an assumption, and why."""


def assumed(
    asked: str | Asked, sizes: tuple[Dimension, ...], given: Mapping[str, object]
) -> tuple[frozenset[str], Symmetry]:
    """The words that hold of a tensor with these dimensions, and its symmetry.

    >>> assumed("", (3, 3, 3, 3), {"skew": [(0, 1), (2, 3)], "major": True})[1].blocks
    (((0, 1), -1), ((2, 3), -1))
    """
    for word in given:
        if word not in ASSUMPTIONS:
            hint = did_you_mean(word, ASSUMPTIONS)
            raise NameRefused(asked, f"{word!r} is no assumption", hint or f"known: {', '.join(ASSUMPTIONS)}")
    words = frozenset(word for word, value in given.items() if _holds(asked, word, value))
    if "onehot" in words or words >= {"mask", "stochastic"}:
        words |= {"onehot", "mask", "stochastic"}
    order = len(sizes)
    if (words & MATRICES_ONLY and order < 2) or (words & ALONG_LAST and not order):
        several = "an assumption about several axes, and it has fewer than 2"
        found = several if order else "an assumption about axes, and it has none"
        raise NotationError(asked, found, "leave the assumption out")
    if "circulant" in words and sizes[-2] != sizes[-1]:
        raise DimensionError(asked, f"the last axes are {sizes[-2]} and {sizes[-1]}", "a circulant matrix is square")
    generators = _generators(asked, sizes, words, given)
    _check_entries(asked, sizes, words)
    _check_there_are_some(asked, order, words, generators)
    return words, symmetry(order, generators) if generators else NO_SYMMETRY


def _holds(asked: str | Asked, word: str, value: object) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if word in GROUPED and isinstance(value, Sequence) and not isinstance(value, str) and len(value):
        return True
    instead = f"write {word}=True" + (f", or groups of slots, {word}=[(0, 1)]" if word in GROUPED else "")
    raise KindError(asked, f"{word}={value!r} is neither a bool nor groups of slots", instead)


def _generators(
    asked: str | Asked, sizes: tuple[Dimension, ...], words: frozenset[str], given: Mapping[str, object]
) -> list[SignedPerm]:
    """The permutations of the slots that were declared, each with its sign."""
    order = len(sizes)
    found: list[SignedPerm] = []
    for word, sign in GROUPED.items():
        implied = word == "symmetric" and bool(words & {"positive_definite", "diagonal"})
        for group in _groups(asked, word, given.get(word, False), order, implied):
            if len({sizes[axis] for axis in group}) > 1:
                told = f"axes {group} are to be {word}, with dimensions {sizes}"
                raise DimensionError(asked, told, f"{word} axes have one dimension")
            for a, b in pairwise(group):
                swap = list(range(order))
                swap[a], swap[b] = b, a
                found.append((tuple(swap), sign))
    if "major" in words:
        if order != 4 or sizes[:2] != sizes[2:]:
            told = f"the pairs of axes of {sizes} do not swap"
            raise DimensionError(asked, told, "major is for order 4, dimensions (a, b, a, b)")
        found.append(((2, 3, 0, 1), 1))
    return found


def _groups(asked: str | Asked, word: str, value: object, order: int, implied: bool) -> list[tuple[int, ...]]:
    """The groups of slots: all in one for True; of what is symmetric by another word too."""
    if isinstance(value, bool | np.bool_):
        return [tuple(range(order))] if value or implied else []
    found = [tuple(range(order))] if implied else []
    for group in value if isinstance(value, Sequence) else ():
        slots = tuple(group) if isinstance(group, list | tuple) else ()
        whole = all(isinstance(slot, int) and not isinstance(slot, bool) and 0 <= slot < order for slot in slots)
        if len(slots) < 2 or not whole or len(set(slots)) < len(slots):
            instead = f"a group is two or more of the slots 0 to {order - 1}, as in {word}=[(0, 1)]"
            raise NotationError(asked, f"{word} in the slots {group!r}", instead)
        found.append(slots)
    return found


def _check_entries(asked: str | Asked, sizes: tuple[Dimension, ...], words: frozenset[str]) -> None:
    """No entry is positive that is 0, and no skew matrix of odd order is invertible, or it is an error."""
    zeros = {"diagonal": sizes[-2:] != (1, 1), "lower": sizes[-1:] != (1,), "upper": sizes[-2:-1] != (1,)}
    for word, there in zeros.items():
        if there and words >= {word, "positive"}:
            found = f"{word} and positive: there is no such tensor, some of its entries are 0"
            raise NotationError(asked, found, "leave one of them out")
    if words >= {"skew", "full_rank"} and isinstance(sizes[-1], int) and sizes[-1] % 2 and sizes[-2] == sizes[-1]:
        raise NotationError(asked, "skew and full_rank: of odd order there is none", "leave one of them out")


def _check_there_are_some(
    asked: str | Asked, order: int, words: frozenset[str], generators: Sequence[SignedPerm]
) -> None:
    """There are other tensors than zero of which all this holds, or it is an error."""
    group = closed(order, generators)
    shown = ", ".join(sorted(words))
    for pair, why in TOGETHER.items():
        if words >= set(pair):
            raise NotationError(asked, f"{' and '.join(pair)}: {why}", "leave one of them out")
    if "skew" not in words or group is None:
        return
    if len(dict(group)) < len(group):
        raise NotationError(asked, f"{shown}: only zero is all of these, T = -T", "leave one of them out")
    last = list(range(order))
    last[-2:] = last[:-3:-1]
    for word in sorted(words & WITH_SKEW.keys()):
        if (tuple(last), -1) in group:
            raise NotationError(asked, f"{shown}: {WITH_SKEW[word]}", "leave one of them out")
    if "positive" in words:
        found = f"{shown}: there is no such tensor, its entries are 0 where two indices are equal"
        raise NotationError(asked, found, "leave one of them out")
    if "stochastic" in words and any(sign < 0 and perm[-1] != order - 1 for perm, sign in group):
        raise NotationError(asked, f"{shown}: there is no such tensor, its entries sum to 0", "leave one of them out")
