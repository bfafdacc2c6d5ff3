"""Powers of one array by products: `x**-3`, `x**-6` and `x**-7` are a reciprocal and products of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod
from typing import NamedTuple

from indexcalc.engine.program import (
    Contract,
    Map,
    Step,
    Use,
    moved,
)

MANY = 40
"""Entries: from so many on, a product is faster than a power."""
HALF = Fraction(1, 2)
Exponent = int | Fraction
PASSES: dict[Exponent, float] = {2: 1.0, -1: 1.0, HALF: 1.5, -HALF: 2.5}
"""What these powers cost, in products of as many entries; others are made by logarithms."""
LOGARITHM = 20.0
"""What any other power costs, in products of as many entries."""
AT_ONCE: dict[Exponent, float] = {
    3: 2.0, -2: 2.0, -3: 3.0, 4: 2.0, 3 * HALF: 2.5, -3 * HALF: 3.5,
}  # fmt: skip
"""Further ones that a backend makes from these without a name for what is between."""
LARGEST = 24
"""Exponents below this are split into any two; of a larger one the parts have to be wanted, or the search is long."""


class Split(NamedTuple):
    """How a power is made, and what it costs: as a product of two others, as one over another one, or at once."""

    cost: float
    parts: tuple[Exponent, ...] | None = None


def by_products(steps: Sequence[Step], results: Sequence[int]) -> tuple[list[Step], tuple[int, ...]]:
    """The steps with powers of one array made from each other, where that takes less, and the results.

    `x**(a + b) = x**a x**b` holds for zero, infinite and negative x too, where a and b have one sign and one of them is
    an integer; `x**-a = 1/x**a` holds for all.

    >>> from indexcalc.engine.program import Input
    >>> x = Use(0, (0,))
    >>> steps = [Input("x", (99,)), *(Map("**", (k,), (x,), (0,), (99,)) for k in (-3, -6))]
    >>> [getattr(step, "params", "product") for step in by_products(steps, (2,))[0][1:]]
    [(-1,), 'product', 'product', 'product']
    """
    wanted: dict[int, list[Exponent]] = {}
    for step in steps:
        found = _power(step)
        if found is not None:
            wanted.setdefault(found.value, []).append(found.exponent)
    chains = {value: chain for value, powers in wanted.items() if (chain := PowerChain(powers)).pays}
    if not chains:
        return list(steps), tuple(results)
    place: dict[int, int] = {}
    made: list[Step] = []
    for number, step in enumerate(steps):
        found = _power(step)
        if found is not None and found.value in chains:
            place[number] = chains[found.value].value(found.exponent, place[found.value], made)
        else:
            place[number] = len(made)
            made.append(moved(step, place))
    return made, tuple(place[number] for number in results)


class EntryPower(NamedTuple):
    """A power of the entries of a value."""

    value: int
    exponent: Exponent


def _power(step: Step) -> EntryPower | None:
    """What power of which value a step is; None for other steps and for small arrays."""
    if prod(step.shape) < MANY:
        return None
    match step:
        case Map("**", (int() | Fraction() as exponent,), (use,), out) if use.labels == out:
            return EntryPower(use.value, exponent)
        case Contract(1, (one, other), out) if one == other and one.labels == out:
            return EntryPower(one.value, 2)
    return None


class PowerChain:
    """The powers of one value in the order in which they are wanted; `pays` if they are better made from each other."""

    def __init__(self, wanted: Sequence[Exponent]) -> None:
        self.wanted = set(wanted)
        self.places: dict[Exponent, int] = {}
        self.made: set[Exponent] = {1}
        apart = sum(PASSES.get(x, AT_ONCE.get(x, LOGARITHM)) for x in self.wanted)
        self.pays = sum(self._make(x) for x in dict.fromkeys(wanted)) < apart
        self.made = {1}

    def value(self, exponent: Exponent, base: int, steps: list[Step]) -> int:
        """The number of the step that is this power; steps that lack are added, the base being a value of them."""
        self.places.setdefault(1, base)
        if exponent not in self.places:
            shape = steps[base].shape
            axes = tuple(range(len(shape)))
            parts = self._split(exponent, {}).parts
            if parts is None:
                step: Step = Map("**", (exponent,), (Use(base, axes),), axes, shape)
            elif len(parts) == 1:
                step = Map("**", (-1,), (Use(self.value(parts[0], base, steps), axes),), axes, shape)
            else:
                uses = tuple(Use(self.value(part, base, steps), axes) for part in parts)
                step = Contract(1, uses, axes, shape, dict(enumerate(shape)))
            self.places[exponent] = len(steps)
            self.made.add(exponent)
            steps.append(step)
        return self.places[exponent]

    def _make(self, exponent: Exponent) -> float:
        """What a power costs, and what of it is there from now on."""
        if exponent in self.made:
            return 0.0
        found = self._split(exponent, {})
        spent = found.cost if found.parts is None else 1 + sum(map(self._make, dict.fromkeys(found.parts)))
        self.made.add(exponent)
        return spent

    def _split(self, exponent: Exponent, known: dict[Exponent, Split]) -> Split:
        """The cheapest way to a power, given what is there; what will be wanted anyway costs nothing more."""
        if exponent in self.made:
            return Split(0.0)
        if exponent not in known:
            best = known[exponent] = Split(PASSES.get(exponent, LOGARITHM))
            if exponent < 0 and -exponent in self.wanted | self.made - {1} and best.cost > PASSES[-1]:
                best = Split(PASSES[-1], (-exponent,))
            for part in self._parts(exponent):
                rest = exponent - part
                rest = int(rest) if _whole(rest) == 1 else rest
                both = [self._split(one, known).cost * (one not in self.wanted) for one in {part, rest}]
                if 1 + sum(both) < best.cost:
                    best = Split(1 + sum(both), (part, rest))
            known[exponent] = best
        return known[exponent]

    def _parts(self, exponent: Exponent) -> list[Exponent]:
        """The first of two exponents of one sign that add up to this one, one of them an integer."""
        sign = 1 if exponent > 0 else -1
        size: Exponent = sign * exponent
        near: list[Exponent] = [sign * k for k in range(1, ceil(float(size)))] if size < LARGEST else []
        there: list[Exponent] = sorted(x for x in self.wanted | self.made if sign * (exponent - x) < LARGEST)
        within = [x for x in dict.fromkeys(near + there) if 0 < sign * x < size]
        return [x for x in within if 1 in (_whole(x), _whole(exponent - x))]


def _whole(exponent: Exponent) -> int:
    """The denominator: 1 where it is an integer."""
    return Fraction(exponent).denominator
