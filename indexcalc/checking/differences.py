"""Derivatives measured by numbers, entry by entry.

Central differences are extrapolated (Richardson), `(4 d(h) - d(2h)) / 3` with `d(h) = (y(x + h v) - y(x - h v)) / 2h`,
whose error is of order h**4, at a sweep of steps: the one is taken that agrees best with the next. Where every function
is holomorphic a complex step, `Im y(x + i h v) / h` (W. Squire and G. Trapp, SIAM Review 40, 1998), has no difference
in it, so no cancellation: it is exact up to rounding.

By a structured tensor one moves in its space only: along the pattern of each independent entry.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from indexcalc.calculus.structure import tangent_words, unstructured
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.points import Point
from indexcalc.errors import InputError
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.constructors import variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Definition, Elementwise, Matrix, Node, Reduction, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.index import size

STEPS = (4e-3, 1e-3, 2.5e-4)
TINY = 1e-30


class Slope(NamedTuple):
    """What is measured: the derivative of `value` by `place`, a tensor or a named step, mapped as `structure` says."""

    value: Node
    place: Node
    structure: str

    def measure(self, point: Point, method: Callable[[Node, Point, Variable, Numbers], Numbers]) -> Numbers:
        """The derivative by this method: axes of the value, then of the place."""
        node, target, here = self._opened(point)
        total: Any = 0
        for pattern in self._patterns(target, point):
            moved = method(node, here, target, pattern)
            weight = 1 / np.sum(pattern**2) if self.structure == "projected" else 1
            total = total + np.multiply.outer(moved, pattern) * weight
        return np.asarray(total)

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

    def _patterns(self, target: Variable, point: Point) -> list[Numbers]:
        """The directions: each entry by itself, or what each independent entry fills, with signs."""
        shape = tuple(size(dim, point.sizes) for dim in target.dims)
        count = int(np.prod(shape, dtype=int))
        if self.structure not in ("projected", "independent"):
            return list(np.eye(count).reshape(count, *shape))
        linear = variable(target.label, target.shape, tangent_words(target), symmetry_of(target))
        marks = respecting(linear, np.random.default_rng(0).uniform(1, 2, shape))
        keys = np.round(np.abs(marks), 12)
        return [np.sign(marks) * (keys == key) for key in np.unique(keys) if key]


def by_differences(node: Node, point: Point, target: Variable, direction: Numbers) -> Numbers:
    """The derivative along a direction, by extrapolated central differences at the best step of the sweep."""

    def central(step: float) -> Numbers:
        here = point.arrays[target]
        ((ahead,), (behind,)) = (point.moved(target, here + sign * step * direction).values([node]) for sign in (1, -1))
        with np.errstate(invalid="ignore"):  # infinities cancel to nan, which counts as an infinite error
            return np.asarray((ahead - behind) / (2 * step))

    found = [(4 * central(step) - central(2 * step)) / 3 for step in STEPS]
    gaps = [float(np.max(np.abs(one - other), initial=0.0)) for one, other in pairwise(found)]
    return found[int(np.argmin(gaps)) + 1]


def by_complex_step(node: Node, point: Point, target: Variable, direction: Numbers) -> Numbers:
    """The derivative along a direction, by an imaginary step."""
    (ahead,) = point.moved(target, point.arrays[target] + 1j * TINY * direction).values([node])
    return np.asarray(np.imag(ahead) / TINY)


def is_analytic(node: Node, point: Point) -> bool:
    """Is every function in the graph holomorphic, and does it take complex numbers here?"""
    for inner in topological([node]):
        row: Any = None
        if isinstance(inner, Elementwise):
            row = elementwise_row(inner.fn)
        elif isinstance(inner, Reduction):
            row = reduction_row(inner.fn)
        elif isinstance(inner, Matrix):
            row = matrix_row(inner.fn)
        if row is not None and not row.holomorphic:
            return False
    try:
        point._replace(arrays={v: array + 0j for v, array in point.arrays.items()}).values([node])
    except InputError:
        return False
    return True
