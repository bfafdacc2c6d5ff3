"""Comparing by form and by numbers: is one array another, or a multiple of it?"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.points import Point, random_points
from indexcalc.errors import InputError
from indexcalc.graph.constructors import addition, dimension, einsum, is_zero
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.graph.numbers import number
from indexcalc.index import symbol
from indexcalc.simplify.passes import simplify
from indexcalc.views.array import Array

POINTS = 4
TOLERANCE = 1e-8
ROUNDING = 1e-12
"""What may be left of numbers near 1 that cancel: smaller ones are taken for 0, larger ones compared relatively."""
LARGEST_DENOMINATOR = 1000
MOST_SCALARS = 8
EXPONENTS = tuple(map(Fraction, (-1, 1, -2, 2, 0.5, -0.5)))


class Factor(NamedTuple):
    """The multiple: a number, times scalars and sizes to powers, each with its name."""

    value: Fraction | float
    scalars: tuple[tuple[str, Node, Fraction], ...] = ()

    def __str__(self) -> str:
        above = [_power(name, exponent) for name, _, exponent in self.scalars if exponent > 0]
        below = [_power(name, -exponent) for name, _, exponent in self.scalars if exponent < 0]
        number = self.value
        if isinstance(number, Fraction):
            if number.denominator != 1:
                below.insert(0, str(number.denominator))
            if number.numerator != 1 or not above:
                above.insert(0, str(number.numerator))
        else:
            above.insert(0, f"{number:.6g}")
        top, bottom = "*".join(above), "*".join(below)
        return top + (f"/({bottom})" if len(below) > 1 else f"/{bottom}" if below else "")

    @property
    def inverse(self) -> Factor:
        """One over it."""
        return Factor(1 / self.value, tuple((name, node, -exponent) for name, node, exponent in self.scalars))

    def times(self, node: Node) -> Node:
        """The node times this."""
        factors: list[Any] = [(scalar, (), number(exponent)) for _, scalar, exponent in self.scalars]
        return einsum(number(self.value), [*factors, (node, range(node.order))], range(node.order))


def _power(name: str, exponent: Fraction) -> str:
    if exponent == Fraction(1, 2):
        return f"sqrt({name})"
    name = name if name.isidentifier() or name.endswith(")") else f"({name})"
    return name if exponent == 1 else f"{name}**{exponent}"


ONE = Factor(Fraction(1))


def is_same_form(one: Node, other: Node) -> bool:
    """Is the difference of two nodes zero by its simplified form?"""
    if one.dims != other.dims:
        return False
    axes = tuple(range(one.order))
    (gap,) = simplify([addition([(1, one, axes), (-1, other, axes)], one.dims)])
    return is_zero(gap)


def near(one: Numbers, other: Numbers, limit: float = TOLERANCE) -> bool:
    """Are these equal but for rounding?"""
    if one.shape != other.shape:
        return False
    scale = float(np.max(np.abs(other), initial=0.0))
    return bool(np.max(np.abs(one - other), initial=0.0) <= limit * scale + ROUNDING)


def ratio(one: Numbers, other: Numbers, limit: float = TOLERANCE) -> float | None:
    """The number r with `one = r * other`; None if there is none, nan where both are zero."""
    if one.shape != other.shape:
        return None
    small, large = (float(np.max(np.abs(a), initial=0.0)) for a in (one, other))
    if large <= ROUNDING:
        return float("nan") if small <= ROUNDING else None
    found = float(np.vdot(other, one).real / np.vdot(other, other).real)
    gap = float(np.max(np.abs(one - found * other), initial=0.0))
    return found if found and gap <= limit * small + ROUNDING else None


class Bench:
    """Random inputs for a formula and a derivative, at which any node made from them has values."""

    def __init__(self, roots: Sequence[Node], variables: Sequence[Variable], count: int = POINTS) -> None:
        self.points = [point for point, _ in random_points(roots, variables, count=count)]
        scalars = [node for node in topological(roots) if not node.order and inputs_of(node)]
        self._scalars = scalars[:MOST_SCALARS]
        self._known: dict[Node, list[Numbers] | None] = {}

    def values(self, node: Node) -> list[Numbers] | None:
        """The values of a node at each point; None where one has none."""
        if node not in self._known:
            try:
                found = [point.values([node])[0] for point in self.points]
                self._known[node] = found if all(np.isfinite(v).all() for v in found) else None
            except InputError:
                self._known[node] = None
        return self._known[node]

    def at_first(self, node: Node) -> Numbers | None:
        """The value at the point with the most entries alone, to sort out quickly."""
        try:
            (found,) = self._largest.values([node])
        except InputError:
            return None
        return found

    @property
    def _largest(self) -> Point:
        return max(self.points, key=lambda point: sum(array.size for array in point.arrays.values()))

    def equal(self, one: Node, other: Node) -> bool:
        """Have two nodes the same values at every point?"""
        first, second = self.values(one), self.values(other)
        if first is None or second is None or not first:
            return False
        return all(near(a, b) for a, b in zip(first, second, strict=True))

    def multiple(self, one: Node, other: Node) -> Factor | None:
        """The factor f with `one = f * other`, a number, or a number times scalars and sizes."""
        first, second = self.values(one), self.values(other)
        if first is None or second is None:
            return None
        found = [ratio(a, b) for a, b in zip(first, second, strict=True)]
        if any(r is None for r in found):
            return None
        kept = [k for k, r in enumerate(found) if r is not None and not np.isnan(r)]
        if not kept:
            return None
        return self._named(np.array([found[k] for k in kept], dtype=float), kept, any(dim != 1 for dim in one.dims))

    def _named(self, ratios: Numbers, kept: Sequence[int], several: bool) -> Factor | None:
        """The ratios as one number, or as one times a scalar or a size, or two of them.

        Of one entry alone every scalar part of it would be a factor: there tensors without axes count, no other part.
        """
        alone = constant_ratio(ratios)
        if alone is not None:
            return Factor(alone)
        if len(kept) < 2:
            return None
        rows: list[tuple[tuple[str, Node, Fraction], Numbers]] = []
        for name, node, values in self._magnitudes(kept, several):
            for exponent in EXPONENTS:
                if (values > 0).all() or exponent.denominator == 1:
                    rows.append(((name, node, exponent), values ** float(exponent)))
        for row, values in rows:
            rest = constant_ratio(ratios / values)
            if rest is not None:
                return Factor(rest, (row,))
        for (row, values), (other, more) in combinations(rows, 2):
            rest = constant_ratio(ratios / (values * more)) if row[0] != other[0] else None
            if rest is not None and len(kept) > 2:
                return Factor(rest, (row, other))
        return None

    def _magnitudes(self, kept: Sequence[int], several: bool) -> list[tuple[str, Node, Numbers]]:
        """Sizes and scalars, at these points, as far as they vary."""
        points = [self.points[k] for k in kept]
        found = [
            (name, dimension(symbol(name)), np.array([point.sizes[name] for point in points], float))
            for name in points[0].sizes
            if not name.startswith("?")
        ]
        for node in self._scalars:
            values = self.values(node) if several or isinstance(node, Variable) else None
            if values is not None:
                found.append((str(Array(node)), node, np.array([float(values[k]) for k in kept])))
        return [row for row in found if np.ptp(row[2]) > 0 and (row[2] != 0).all()]


def constant_ratio(ratios: Numbers, limit: float = 1e-7) -> Fraction | float | None:
    """The one number that these are, a fraction if it is a simple one."""
    middle = float(np.median(ratios))
    if not middle or np.max(np.abs(ratios - middle)) > limit * abs(middle):
        return None
    simple = Fraction(middle).limit_denominator(LARGEST_DENOMINATOR)
    return simple if simple and abs(float(simple) - middle) <= limit * abs(middle) else middle
