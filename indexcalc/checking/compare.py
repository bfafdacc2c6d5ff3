"""Comparing by form and by numbers: is one array another, or a multiple of it?"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.decide import Decision, decide
from indexcalc.equality.reals import Reals
from indexcalc.equality.survey import Survey, relative_error
from indexcalc.functions.table import reduction_row
from indexcalc.graph.constructors import dimension, einsum, reduction
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Node, Reduction, Variable, topological
from indexcalc.graph.numbers import number
from indexcalc.index import symbol
from indexcalc.progress import tell
from indexcalc.views.array import Array

TOLERANCE = 1e-8
"""The relative error up to which given numbers are one multiple of others."""
LIKE = 1e-4
"""What is not a multiple up to this relative error is none: a few numbers sort out quickly."""
STEADY = 1e-10
"""Ratios are taken where rounding is a smaller part of the values than this."""
LARGEST_DENOMINATOR = 1000
"""A ratio is a fraction with a denominator up to this, or it is a float: an arbitrary budget."""
MOST_SCALARS = 8
"""Scalars of a formula that are tried as a factor, the first ones: an arbitrary budget."""
EXPONENTS = tuple(map(Fraction, (-1, 1, -2, 2, 0.5, -0.5)))


class Multiple(NamedTuple):
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
    def inverse(self) -> Multiple:
        """One over it."""
        return Multiple(1 / self.value, tuple((name, node, -exponent) for name, node, exponent in self.scalars))

    def times(self, node: Node) -> Node:
        """The node times this."""
        factors: list[Any] = [(scalar, (), number(exponent)) for _, scalar, exponent in self.scalars]
        return einsum(number(self.value), [*factors, (node, range(node.order))], range(node.order))


def _power(name: str, exponent: Fraction) -> str:
    if exponent == Fraction(1, 2):
        return f"sqrt({name})"
    name = name if name.isidentifier() or name.endswith(")") else f"({name})"
    return name if exponent == 1 else f"{name}**{exponent}"


ONE = Multiple(Fraction(1))


def ratio(one: Numbers, other: Numbers, limit: float = TOLERANCE) -> float | None:
    """The number r with `one = r * other`; None if there is none, nan where both are zero."""
    if one.shape != other.shape:
        return None
    small, large = (float(np.max(np.abs(a), initial=0.0)) for a in (one, other))
    if not large:
        return None if small else float("nan")
    found = float(np.vdot(other / large, one / large).real / np.vdot(other / large, other / large).real)
    gap = float(np.max(np.abs(one - found * other), initial=0.0))
    return found if found and gap <= limit * small else None


class Bench:
    """Inputs that have met every branch of a formula and a derivative, at which any node made from them has values.

    `domain` are nodes outside whose domain nothing is judged. Nothing is drawn before it is asked for.
    """

    def __init__(self, roots: Sequence[Node], variables: Sequence[Variable], domain: Sequence[Node] = ()) -> None:
        self.roots, self.variables, self.domain = roots, variables, domain
        self._decided: dict[tuple[Node, Node], Decision] = {}

    @cached_property
    def survey(self) -> Survey:
        """The points."""
        return Survey(self.roots, self.variables, self.domain)

    @cached_property
    def _first(self) -> Reals:
        """A few of the points with the most entries, computed once each, to sort out quickly."""
        panel = max(self.survey.panels, key=lambda panel: sum(a[0].size for a in panel.draw.arrays.values()))
        which = np.flatnonzero(panel.clear)[:3]
        draw = panel.draw.kept(which if len(which) else slice(0, 1))
        return Reals(draw.arrays, draw.sizes)

    @cached_property
    def _scalars(self) -> list[Node]:
        """The scalars in both, and the determinants of matrices whose inverse or cofactors are there."""
        order = topological(self.roots)
        of_matrices = [n for n in order if isinstance(n, Reduction) and n.keeps and reduction_row(n.fn).square]
        determinants = [reduction("det", n.child, n.axes, False) for n in of_matrices]
        scalars = [node for node in (*order, *determinants) if not node.order and inputs_of(node)]
        return list(dict.fromkeys(scalars))[:MOST_SCALARS]

    @property
    def empty(self) -> bool:
        """Is there no point at which anything can be compared?"""
        return not any(inside.any() for inside in self.survey.judged())

    def unlike(self, one: Node, other: Node) -> bool:
        """Do a few numbers say that two nodes are no multiples of each other?"""
        if not self.survey.panels:
            return False
        values = [self._first.base(node) for node in (one, other)]
        noise = [self._first.rounding(node) for node in (one, other)]
        pairs = [pair for *pair, a, b in zip(*values, *noise, strict=True) if _telling(pair, (a, b))]
        return bool(pairs) and all(ratio(own, wanted, LIKE) is None for own, wanted in pairs)

    def decided(self, one: Node, other: Node) -> Decision:
        """Is one node the other, which says what should be?"""
        key = one, other
        if key not in self._decided:
            tell(len(self._decided), None, "formulas compared")
            self._decided[key] = decide(one, other, self.variables, self.domain, survey=lambda: self.survey)
        return self._decided[key]

    def multiple(self, one: Node, other: Node) -> Multiple | None:
        """The factor f with `one = f * other`, a number, or a number times scalars and sizes."""
        if self.unlike(one, other):
            return None
        ratios: list[Numbers] = []
        kept: list[tuple[int, Numbers]] = []
        limit = relative_error([one, other])
        for k, (panel, inside) in enumerate(zip(self.survey.panels, self.survey.judged(), strict=True)):
            parts = [
                a.reshape(panel.at.points, -1)
                for node in (one, other)
                for a in (panel.at.base(node), panel.at.rounding(node))
            ]
            a, noise, b, rounding = parts
            found = _ratios(a, noise, b, rounding, inside & ~panel.at.extreme, limit)
            if found is None:
                return None
            which = np.flatnonzero(~np.isnan(found))
            ratios.append(found[which])
            kept.append((k, which))
        values = np.concatenate(ratios) if ratios else np.zeros(0)
        if not len(values):
            return None
        return self._named(values, kept, any(dim != 1 for dim in one.dims))

    def _named(self, ratios: Numbers, kept: Sequence[tuple[int, Numbers]], several: bool) -> Multiple | None:
        """The ratios as one number, or as one times a scalar or a size, or two of them.

        Of one entry alone every scalar part of it would be a factor: there tensors without axes count, no other part.
        """
        alone = constant_ratio(ratios)
        if alone is not None:
            return Multiple(alone)
        if len(ratios) < 2:
            return None
        rows: list[tuple[tuple[str, Node, Fraction], Numbers]] = []
        for name, node, values in self._magnitudes(kept, several):
            for exponent in EXPONENTS:
                if (values > 0).all() or exponent.denominator == 1:
                    rows.append(((name, node, exponent), values ** float(exponent)))
        for row, values in rows:
            rest = constant_ratio(ratios / values)
            if rest is not None:
                return Multiple(rest, (row,))
        for (row, values), (other, more) in combinations(rows, 2):
            rest = constant_ratio(ratios / (values * more)) if row[0] != other[0] else None
            if rest is not None and len(ratios) > 2:
                return Multiple(rest, (row, other))
        return None

    def _magnitudes(self, kept: Sequence[tuple[int, Numbers]], several: bool) -> list[tuple[str, Node, Numbers]]:
        """Sizes and scalars, at these points, as far as they vary."""
        panels = [(self.survey.panels[k], which) for k, which in kept]
        names = panels[0][0].draw.sizes if panels else {}
        found = [
            (
                name,
                dimension(symbol(name)),
                np.concatenate([np.full(len(w), p.draw.sizes[name], float) for p, w in panels]),
            )
            for name in names
            if not name.startswith("?")
        ]
        for node in self._scalars:
            if several or isinstance(node, Variable):
                values = np.concatenate([np.real(p.at.base(node))[w] for p, w in panels])
                if np.isfinite(values).all():
                    found.append((str(Array(node)), node, values))
        return [row for row in found if np.ptp(row[2]) > 0 and (row[2] != 0).all()]


def _telling(values: Sequence[Numbers], noise: Sequence[Numbers]) -> bool:
    """Are these numbers, and no rounding?"""
    sizes = [float(np.max(np.abs(value), initial=0.0)) for value in values]
    return all(
        np.isfinite(size) and np.max(part, initial=0.0) <= LIKE / 10 * size
        for size, part in zip(sizes, noise, strict=True)
    )


def _ratios(a: Numbers, noise: Numbers, b: Numbers, rounding: Numbers, inside: Numbers, limit: float) -> Numbers | None:
    """For each point the number r with `a = r*b` in every entry.

    It is nan where both are zero, or where nothing is compared; None if at one of the points inside there is none.
    """
    with np.errstate(all="ignore"):
        if not b.shape[1]:
            return np.full(len(b), np.nan)
        there = inside & np.isfinite(b).all(axis=1)
        if (there & ~np.isfinite(a).all(axis=1)).any():
            return None
        place = np.argmax(np.where(there[:, None], np.abs(b) - rounding, 0), axis=1)
        rows = np.arange(len(b))
        large = b[rows, place]
        zero = np.abs(large) <= rounding[rows, place]
        found = np.real(a[rows, place] / large)
        wanted = np.where(zero[:, None], 0, found[:, None] * b)
        allowed = noise + np.abs(found)[:, None] * (
            rounding + np.abs(b) * rounding[rows, place][:, None] / np.abs(large)[:, None]
        )
        allowed = np.where(zero[:, None], noise + rounding, allowed) + limit * (np.abs(a) + np.abs(wanted))
        if (there[:, None] & (np.abs(a - wanted) > allowed)).any() or (there & ~zero & (found == 0)).any():
            return None
        limits = STEADY * np.abs(np.stack([large, a[rows, place]]))
        steady = ~zero & (rounding[rows, place] <= limits[0]) & (noise[rows, place] <= limits[1])
    return np.where(there & steady, found, np.nan)


def constant_ratio(ratios: Numbers, limit: float = 1e-8) -> Fraction | float | None:
    """The one number that these are, a fraction if it is a simple one."""
    middle = float(np.median(ratios))
    if not middle or np.max(np.abs(ratios - middle)) > limit * abs(middle):
        return None
    simple = Fraction(middle).limit_denominator(LARGEST_DENOMINATOR)
    return simple if simple and abs(float(simple) - middle) <= limit * abs(middle) else middle
