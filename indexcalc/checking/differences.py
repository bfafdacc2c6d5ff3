"""Derivatives measured by numbers, entry by entry.

Central differences are extrapolated (Richardson), `(4 d(h) - d(2h)) / 3` with `d(h) = (y(x + h v) - y(x - h v)) / 2h`,
whose error is of order h**4, at a sweep of steps: the one is taken that agrees best with the next. Where every function
is holomorphic a complex step, `Im y(x + i h v) / h` (W. Squire and G. Trapp, SIAM Review 40, 1998), has no difference
in it, so no cancellation: it is exact up to rounding.

By a structured tensor one moves in its space only: along the pattern of each independent entry.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from indexcalc.calculus.structure import tangent_words, unstructured
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.points import Point
from indexcalc.equality.reals import Reals
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.constructors import variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Call, Definition, Elementwise, Matrix, Node, Reduction, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.index import size

STEPS = (8e-3, 4e-3, 2e-3, 1e-3, 5e-4, 2.5e-4)
"""Steps, relative to the largest entry of what moves; each is half of the one before."""
MOVED = 2**21
"""Entries of all arrays in which something has moved a step, at most, 16 MB: a tensor of 400 entries moves whole,"""
FEWEST = 8
"""and a larger one along so many directions at each point, or more."""
TINY = 1e-30
"""The imaginary step, so small that its square is nothing beside 1: no difference is taken, so nothing cancels."""
SETTLED = 1e-6
"""The relative error of differences that have settled: beside a kink or a pole they don't, and say nothing."""
EPSILON = 2.0**-50
"""The rounding of a value, relative: four units in the last place of a double."""

Method = Callable[[Node, Point, Variable, Numbers], tuple[Numbers, float]]


class MeasuredSlope(NamedTuple):
    """A derivative: axes of the value, then of the place; what rounding may make of it; the entries that are known.

    Known are those that moved, and those that cannot: what is beside a structure is 0.
    """

    value: Numbers
    error: float
    known: Numbers


class Slope(NamedTuple):
    """What is measured: the derivative of `value` by `place`, a tensor or a named step, mapped as `structure` says."""

    value: Node
    place: Node
    structure: str

    def measure(self, point: Point, method: Method) -> MeasuredSlope:
        """The derivative by this method."""
        node, target, here = self._opened(point)
        patterns, known = self._patterns(target, point)
        moved, error = method(node, here, target, patterns)
        weights = np.ones(len(patterns))
        if self.structure == "projected":
            weights = 1 / (patterns**2).sum(axis=tuple(range(1, patterns.ndim)))
        weighted = moved * weights.reshape(-1, *(1,) * (moved.ndim - 1))
        with np.errstate(all="ignore"):  # what is not finite comes out as that
            return MeasuredSlope(np.tensordot(weighted, patterns, (0, 0)), error, known)

    def _opened(self, point: Point) -> tuple[Node, Variable, Point]:
        """The value, the tensor that moves in it, and the point at which that has numbers; a named step is made one.

        For a free derivative a tensor without structure moves: the value is taken as it is written.
        """
        if isinstance(self.place, Variable) and self.structure == "free":
            plain = unstructured(self.place)
            (node,) = substitute([self.value], {self.place: plain})
            return node, plain, point.moved(plain, point.arrays[self.place])
        if isinstance(self.place, Variable):
            return self.value, self.place, point
        assert isinstance(self.place, Definition)
        free = variable(self.place.label, self.place.dims)
        (node,) = substitute([self.value], {self.place: free})
        (here,) = point.values([self.place.child])
        return node, free, point.moved(free, here)

    def _patterns(self, target: Variable, point: Point) -> tuple[Numbers, Numbers]:
        """The directions, each entry by itself or what each independent entry fills, with signs; and what is known."""
        shape = tuple(size(dim, point.sizes) for dim in target.dims)
        count = int(np.prod(shape, dtype=int))
        if self.structure not in ("projected", "independent"):
            places = chosen(count, len(STEPS) * count, self._seed(point))
            patterns: Numbers = np.zeros((len(places), count))
            patterns[np.arange(len(places)), places] = 1
            return patterns.reshape(len(places), *shape), patterns.any(axis=0).reshape(shape)
        linear = variable(target.label, target.shape, tangent_words(target), symmetry_of(target))
        marks = respecting(linear, np.random.default_rng(0).uniform(1, 2, shape))
        keys = np.round(np.abs(marks), 12)
        kinds = np.unique(keys[keys > 0])
        kinds = kinds[chosen(len(kinds), len(STEPS) * count, self._seed(point))]
        patterns = np.sign(marks) * (keys == kinds.reshape(-1, *(1,) * len(shape)))
        return patterns, np.asarray(np.isin(keys, kinds) | (keys == 0))

    def _seed(self, point: Point) -> int:
        """A number of the point, so that each has directions of its own."""
        return zlib.crc32(b"".join(np.ascontiguousarray(array).tobytes() for array in point.arrays.values()))


def chosen(count: int, each: int, seed: int) -> Numbers:
    """The numbers of the directions that are measured: all, or as many as there is room for, if each takes so much.

    >>> chosen(4, 10, 0), len(chosen(100_000, 600_000, 0))
    (array([0, 1, 2, 3]), 8)
    """
    most = max(FEWEST, MOVED // max(1, each))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def values_at(node: Node, point: Point, target: Variable, arrays: Numbers) -> Numbers:
    """The values of a node at a point in which a tensor is each of these arrays."""
    given = {v: np.broadcast_to(a, (len(arrays), *np.shape(a))) for v, a in point.arrays.items()} | {target: arrays}
    return Reals(given, point.sizes, rounding=False).base(node)


def rounding_at(
    node: Node, point: Point, target: Variable, array: Numbers, part: Callable[[Numbers], Numbers] = np.asarray
) -> float:
    """What rounding makes of the values of a node, or a part of them: what is added up counts, where it cancels too."""
    given = {v: np.asarray(a)[None] for v, a in point.arrays.items()} | {target: array[None]}
    noise = Reals(given, point.sizes).rounding(node, part)
    return float(np.max(noise[np.isfinite(noise)], initial=0.0))


def by_differences(node: Node, point: Point, target: Variable, patterns: Numbers) -> tuple[Numbers, float]:
    """The derivatives along directions, by extrapolated central differences at the best step of the sweep.

    Two that follow one another are 15 errors of the second apart, as the error is of order h**4. Where that is more
    than rounding and `SETTLED` allow, there is no number: nan.
    """
    here = point.arrays[target]
    scale = float(np.max(np.abs(here), initial=0.0)) or 1.0
    steps = np.array([sign * step * scale for step in STEPS for sign in (1, -1)])
    moves = steps.reshape(-1, 1, *(1,) * here.ndim) * patterns
    value = values_at(node, point, target, (here + moves).reshape(-1, *here.shape))
    value = value.reshape(len(STEPS), 2, len(patterns), *value.shape[1:])
    with np.errstate(invalid="ignore", over="ignore"):  # infinities cancel to nan, which counts as an infinite error
        central = (value[:, 0] - value[:, 1]) / (2 * scale * np.array(STEPS).reshape(-1, *(1,) * (value.ndim - 2)))
        found = (4 * central[1:] - central[:-1]) / 3
        gaps = [float(np.max(np.abs(one - other), initial=0.0)) for one, other in pairwise(found)]
        best = int(np.argmin(np.nan_to_num(gaps, nan=np.inf))) + 1
        least = EPSILON * float(np.max(np.abs(value), initial=0.0))
    error = max(least, rounding_at(node, point, target, here)) / (scale * STEPS[best + 1])
    settled = gaps[best - 1] / 15 <= error + SETTLED * float(np.max(np.abs(found[best]), initial=0.0))
    return found[best] if settled else np.full_like(found[best], np.nan), error


def by_complex_step(node: Node, point: Point, target: Variable, patterns: Numbers) -> tuple[Numbers, float]:
    """The derivatives along directions, by an imaginary step."""
    ahead = values_at(node, point, target, point.arrays[target] + 1j * TINY * patterns)
    everywhere = point.arrays[target] + 1j * TINY * patterns.sum(axis=0)
    rounding = rounding_at(node, point, target, everywhere, np.imag) / TINY
    return np.asarray(np.imag(ahead) / TINY), rounding + TINY**1.5  # the third derivative leaves the step's square


def is_analytic(node: Node, point: Point) -> bool:
    """Is every function in the graph holomorphic, and does it take complex numbers here, tiny steps among them?"""
    for inner in topological([node]):
        row: Any = None
        if isinstance(inner, Elementwise):
            row = elementwise_row(inner.fn)
        elif isinstance(inner, Reduction):
            row = reduction_row(inner.fn)
        elif isinstance(inner, Matrix):
            row = matrix_row(inner.fn)
            if row.settles:
                return False
        elif isinstance(inner, Call) and inner.function.numeric:
            return False  # what was declared may take the real part of what it gets
        if row is not None and not row.holomorphic:
            return False
    (value,) = point._replace(arrays={v: array + 0j for v, array in point.arrays.items()}).values([node])
    return bool(np.isfinite(value).all())
