"""Points: numbers at which expressions are compared.

A size for every dimension symbol, numbers of every scale and sign for every tensor, with what it is declared to be, and
smooth functions for the abstract ones. What is compared by numbers (`.equals`, `ic.check`, `ic.verify`) is compared
here. Scales run from 0.01 to 100, for all tensors together and for each by itself; every third point is positive, every
third negative, the others of both signs. Square matrices are as random as that (determinant and trace of both signs),
or near a multiple of the identity, where logarithms and roots of matrices exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from indexcalc.calculus.structure import tangent_words
from indexcalc.engine.bind.declared import MADE, respecting
from indexcalc.engine.bind.inputs import Numbers, symbols_in
from indexcalc.equality.reals import Reals
from indexcalc.errors import IndexCalcError
from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import variable as made_variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import NO_SYMMETRY, Matrix, Node, Reduction, Variable, topological
from indexcalc.graph.ranges import entries_taken
from indexcalc.index import size

LOW, HIGH = 0.2, 0.9
SCALES = (1.0, 0.1, 10.0, 1.0, 0.01, 100.0, 3.0)
"""The scales that are drawn in turn; ordinary numbers come twice."""
POOLS = ((2, 3, 4, 1), (1,), (3, 2, 5, 4), (2,), (6, 7, 8, 9))
"""Sizes for the symbols of dimensions, by turns: as different as possible, and all alike."""
MOST_ENTRIES = 1 << 15
"""How many entries an array may have at one point: sizes that give more are passed over."""


class Point(NamedTuple):
    """Inputs: sizes by symbol, arrays by variable, and arrays for named gradients by name."""

    sizes: dict[str, int]
    arrays: dict[Variable, Numbers]
    named: Mapping[str, Numbers] = {}

    def values(self, roots: Sequence[Node]) -> list[Numbers]:
        """The values of these nodes here; nan where a function refuses its argument."""
        at = Reals({v: np.asarray(a)[None] for v, a in self.arrays.items()}, self.sizes, rounding=False)
        at.given = dict(self.named)
        found = at.run(roots)
        return [np.asarray(found[root][0]) for root in roots]

    def moved(self, variable: Variable, value: Numbers) -> Point:
        """The point with another array for a variable."""
        return self._replace(arrays={**self.arrays, variable: value})


def within_axes(point: Point, roots: Sequence[Node]) -> Point:
    """The point, integers that choose along axes of one dimension being entries of these, as they are taken anyway.

    >>> from indexcalc.functions.entries.choosing import bracket
    >>> a = made_variable("a", (1,), ["integer"])
    >>> within_axes(Point({}, {a: np.array([7.0])}), [bracket(a, 3)]).arrays[a]
    array([1.])
    """
    found: dict[Variable, set[int]] = {}
    for node in topological(roots):
        chooser = chooser_of(node)
        if chooser is not None and isinstance(chooser.integers, Variable):
            found.setdefault(chooser.integers, set()).add(size(node.dims[chooser.place], point.sizes))
    for variable, sizes in found.items():
        if len(sizes) == 1 and min(sizes):
            point = point.moved(variable, point.arrays[variable] % min(sizes))
    return point


def of_matrices(node: Node) -> bool:
    """Is this a function of whole matrices, which may be singular?"""
    return isinstance(node, Matrix) or (isinstance(node, Reduction) and bool(reduction_row(node.fn).matrix))


def sizes_of(symbols: Iterable[str], pool: Sequence[int], turn: int = 0) -> dict[str, int]:
    """A size for each symbol from a pool, as different as possible; each turn gives each symbol another one.

    >>> sizes_of({"n", "m"}, [3, 1, 2]), sizes_of({"n", "m"}, [3, 1, 2], 1)
    ({'m': 3, 'n': 1}, {'m': 1, 'n': 2})
    """
    count = len(pool)
    return {name: int(pool[(k + k // count + turn) % count]) for k, name in enumerate(sorted(symbols))}


def several_sizes(roots: Sequence[Node], variables: Iterable[Variable] = ()) -> Iterator[dict[str, int]]:
    """Sizes at which the graph has arrays that are not too large, each once."""
    order = topological([*roots, *variables])
    symbols = symbols_in(order)
    seen: list[dict[str, int]] = []
    for turn in range(4):
        for pool in POOLS:
            sizes = sizes_of(symbols, pool, turn)
            if sizes not in seen and _fits(order, sizes):
                seen.append(sizes)
                yield sizes


def _fits(order: Sequence[Node], sizes: Mapping[str, int]) -> bool:
    try:
        shapes = [[size(dim, sizes) for dim in node.dims] for node in order]
        taken = (found.at(sizes) for node in order for found in entries_taken(node) or ())
        return all(np.prod(shape, dtype=object) <= MOST_ENTRIES for shape in shapes) and all(own.fits for own in taken)
    except IndexCalcError:
        return False


# ------------------------------------------------------------------ numbers with what was declared


class Shape:
    """A variable at some sizes: random numbers are made to be what it was declared with, at many points at once."""

    def __init__(self, variable: Variable, sizes: Mapping[str, int]) -> None:
        self.variable = variable
        self.dims = tuple(size(dim, sizes) for dim in variable.dims)
        self.words = variable.assumptions
        self.source, self.sign = pattern_of(variable, self.dims)

    def respecting(self, value: Numbers) -> Numbers:
        """The entries made to be what the variable was declared with; the points are the first axis."""
        count = len(value)
        if self.source is not None:
            value = (value.reshape(count, -1)[:, self.source] * self.sign).reshape(count, *self.dims)
        with np.errstate(all="ignore"):  # a row of zeros has no multiple that sums to 1: nan
            for word, make in OTHERS.items():
                if word in self.words:
                    value = make(value)
        return value

    def draw(self, rng: np.random.Generator, scales: Numbers, signs: Numbers, steady: Numbers) -> Numbers:
        """Random numbers at as many points as there are scales: `signs` are 1, -1, or 0 for both.

        A `steady` square matrix is near a multiple of the identity.
        """
        count = len(scales)
        whole = (count, *self.dims)
        spread = (count, *(1,) * len(self.dims))
        both = rng.choice([-1.0, 1.0], whole)
        sign = np.where(signs.reshape(spread) == 0, both, signs.reshape(spread))
        value = rng.uniform(LOW, HIGH, whole) * sign
        if len(self.dims) > 1 and self.dims[-1] == self.dims[-2]:
            value = value + 2 * self.dims[-1] * np.eye(self.dims[-1]) * steady.reshape(spread)
        return self.respecting(value * scales.reshape(spread))


def pattern_of(variable: Variable, dims: tuple[int, ...]) -> tuple[Any, Any]:
    """For each entry the place of the entry that it copies.

    Also its sign, or 0, by the linear part of what was declared; None where every entry is free.

    >>> pattern_of(made_variable("D", (2, 2), ["diagonal"]), (2, 2))[1]
    array([1., 0., 0., 1.])
    """
    words = frozenset(tangent_words(variable)) - {"positive", "constant"}
    rule = symmetry_of(variable)
    if "positive_definite" in variable.assumptions and len(dims) == 2 and rule == NO_SYMMETRY:
        words |= {"symmetric"}
    linear = made_variable(variable.label, variable.shape, words & MADE.keys(), rule)
    if not linear.assumptions and rule == NO_SYMMETRY:
        return None, None
    marks = respecting(linear, np.random.default_rng(0).uniform(1, 2, dims)).ravel()
    _, first, back = np.unique(np.round(np.abs(marks), 9), return_index=True, return_inverse=True)
    return first[back.ravel()], np.sign(marks) * np.sign(marks[first[back.ravel()]])


def _orthogonal(value: Numbers) -> Numbers:
    """Orthogonal matrices of both signs of the determinant."""
    q = np.linalg.qr(np.nan_to_num(value))[0]
    sign = np.where(value[..., :1, :1] > 0, 1.0, -1.0)
    made: Numbers = np.concatenate([q[..., :, :1] * sign, q[..., :, 1:]], axis=-1)
    return made


def _definite(value: Numbers) -> Numbers:
    """Gram matrices, of the size of the entries."""
    gram = value @ np.swapaxes(value, -1, -2)
    scale = np.sqrt(np.abs(np.trace(gram, axis1=-2, axis2=-1)))[..., None, None] + np.finfo(float).tiny
    return np.asarray(gram / scale + 0.1 * scale * np.eye(value.shape[-1]))


def _onehot(value: Numbers) -> Numbers:
    return np.asarray(np.arange(value.shape[-1]) == np.argmax(value, axis=-1)[..., None], float)


WIDE = 997
"""Integers up to so many are drawn, of numbers about 1: a prime, so that those that choose entries choose each."""
OTHERS: dict[str, Callable[[Numbers], Numbers]] = {
    "mask": lambda value: np.asarray(value > 0, float),
    "onehot": _onehot,
    "positive": lambda value: np.abs(value) + np.finfo(float).tiny,
    "positive_definite": _definite,
    "orthogonal": _orthogonal,
    "integer": lambda value: np.abs(np.where(value == np.floor(value), value, np.floor(value * WIDE))),
    "stochastic": lambda value: value if _is_onehot(value) else np.abs(value) / np.abs(value).sum(-1, keepdims=True),
}
"""What is declared and is no linear space: random entries made to have it."""


def _is_onehot(value: Numbers) -> bool:
    return bool(((value == 0) | (value == 1)).all() and (value.sum(axis=-1) == 1).all())


# ------------------------------------------------------------------ many points


@dataclass(frozen=True, slots=True)
class Draw:
    """Points of the same sizes: an array for each variable, the points along its first axis."""

    sizes: dict[str, int]
    arrays: dict[Variable, Numbers]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values()))) if self.arrays else 1

    def point(self, k: int) -> Point:
        """One of the points."""
        return Point(self.sizes, {variable: array[k] for variable, array in self.arrays.items()})

    def joined(self, others: Sequence[Draw]) -> Draw:
        """These points, and those of others at the same sizes."""
        arrays = {v: np.concatenate([a, *(other.arrays[v] for other in others)]) for v, a in self.arrays.items()}
        return Draw(self.sizes, arrays)

    def kept(self, which: Any) -> Draw:
        """Some of the points."""
        return Draw(self.sizes, {v: a[which] for v, a in self.arrays.items()})


def drawn(variables: Sequence[Variable], sizes: Mapping[str, int], count: int, rng: np.random.Generator) -> Draw:
    """Random points: the scales and signs in turn, for all variables together, and for each by itself.

    >>> draw = drawn([made_variable("s", ())], {}, 6, np.random.default_rng(0))
    >>> sorted(set(np.sign(next(iter(draw.arrays.values()))).tolist()))
    [-1.0, 1.0]
    """
    turn = np.arange(count)
    arrays = {}
    for variable in variables:
        alone = turn % 3 == 2
        scales = np.asarray(SCALES)[turn % len(SCALES)]
        scales = np.where(alone, rng.choice(SCALES, count), scales)
        signs = np.asarray([1, 0, -1])[(turn + turn // 3) % 3]
        signs = np.where(alone, rng.integers(-1, 2, count), signs)
        arrays[variable] = Shape(variable, sizes).draw(rng, scales, signs, (turn // 2) % 2 == 0)
    return Draw(dict(sizes), arrays)
