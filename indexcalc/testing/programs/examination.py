"""A program with its numbers and what was derived of it, and how far two arrays of numbers are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

import indexcalc as ic
from indexcalc.engine.bind.inputs import symbols_below
from indexcalc.engine.bind.smooth import smooth_functions
from indexcalc.graph.node import Node, topological
from indexcalc.testing.programs.reference import Evaluation, direction, tangent
from indexcalc.testing.programs.trees import Numbers, Sample

LARGEST = 1e4
"""Programs with larger numbers on their way are not judged by numbers: too many digits may cancel in them."""
EXACT = 1e-8
"""How far two evaluations of one program may be apart, relative to the largest number on the way."""
MEASURED = 1e-6
"""How far a derivative may be from what was measured, relative to the largest number on the way or in it."""
UNSURE = 1e-4
"""A measured derivative that may be off by more is not compared: a kink is near, or a pole."""
INDICES = ("p", "q", "r", "u", "v", "w")
"""The names of a derivative's indices."""


class Finding(NamedTuple):
    """What is wrong with a program: what was tried, and what came out."""

    check: str
    text: str


class Examination:
    """A program with its numbers, and what was derived of it so far; each is made once."""

    def __init__(self, sample: Sample, turn: int = 0) -> None:
        self.sample, self.turn = sample, turn
        self.inputs = sample.numbers(turn)
        self.expression: Any = sample.expression
        self.run = Evaluation(sample)
        with np.errstate(all="ignore"):
            self.wanted = np.asarray(self.run(self.inputs))
        rng = np.random.default_rng([sample.seed, turn, 1])
        self.steps = {}
        for name in dict.fromkeys((sample.by, sample.then)):
            if name:
                leaf = sample.leaves[name]
                self.steps[name] = tangent(leaf, self.inputs[name], direction(leaf, sample.sizes, rng))

    @property
    def tame(self) -> bool:
        """Are its numbers such that they can be compared?"""
        return self.run.largest < LARGEST

    @property
    def free(self) -> tuple[Any, ...]:
        """The free indices of the expression, in the order of the reference; () for an Array."""
        return tuple(ic.index(name) for name in self.sample.tree.names or ())

    @cached_property
    def targets(self) -> list[Any]:
        """The tensors that it is differentiated by, with indices of their own where it is in index notation."""
        found, letters = [], iter(INDICES)
        for name in (self.sample.by, self.sample.then):
            if name:
                view = self.sample.scope[name]
                indexed = isinstance(self.expression, ic.Expr) and view.order
                found.append(view[tuple(ic.index(next(letters)) for _ in range(view.order))] if indexed else view)
        return found

    @cached_property
    def slope(self) -> Any:
        """The first derivative."""
        return self._derived(self.expression, self.targets[0])

    @cached_property
    def bend(self) -> Any:
        """The second derivative."""
        return self._derived(self.slope, self.targets[1])

    def _derived(self, value: Any, by: Any) -> Any:
        make = ic.diff if isinstance(value, ic.Expr) or isinstance(by, ic.Expr) else ic.derivative
        return make(value, by, structure=self.sample.structure)

    def order(self, view: Any) -> dict[str, Any]:
        """The order of the axes of a view, for `evaluate`: those of the reference, then those of the targets."""
        if not isinstance(view, ic.Expr):
            return {}
        own = [index for target in self.targets if isinstance(target, ic.Expr) for index in target.free]
        return {"order": tuple(index for index in (*self.free, *own) if index in view.free)}

    def given(self, *nodes: Node) -> dict[str, Any]:
        """The sizes and functions that an evaluation of these nodes takes by name."""
        named = symbols_below(nodes)
        sizes = {name: number for name, number in self.sample.sizes.items() if name in named}
        return sizes | smooth_functions(topological(nodes), self.sample.sizes)

    def numbers(self, view: Any, steps: Mapping[str, Numbers] | None = None) -> Numbers:
        """The numbers of a view by the library; `steps` are those of tensors that stand for directions."""
        known = self.inputs | {f"d{name}": step for name, step in (steps or {}).items()}
        values = {tensor.label: known[tensor.label] for tensor in view.inputs}
        given = self.given(view.node, *view.inputs)
        return np.asarray(view.evaluate(values, **given, **self.order(view)))

    def apart(self, found: Any, wanted: Any, what: str, tolerance: float, scale: float = 1.0) -> str:
        """How two arrays differ, "" where they agree."""
        found, wanted = np.asarray(found), np.asarray(wanted)
        if found.shape != wanted.shape:
            return f"{what} has shape {found.shape}, and should have {wanted.shape}"
        here = np.isfinite(wanted)
        with np.errstate(invalid="ignore"):
            gap = np.abs(np.where(here, found - np.where(here, wanted, 0), 0))
        worst = float(np.max(np.where(np.isfinite(gap), gap, np.inf), initial=0.0))
        scale = max(1.0, scale, self.run.largest, float(np.max(np.abs(wanted[here]), initial=0.0)))
        if worst <= tolerance * scale:
            return ""
        place = np.unravel_index(int(np.argmax(np.where(np.isfinite(gap), gap, np.inf))), gap.shape) if gap.ndim else ()
        return f"{what} is {found[place]:.8g} at {tuple(map(int, place))}, and should be {wanted[place]:.8g}"


def views(made: Examination) -> Iterator[Any]:
    """The expression and its derivatives, as far as they are printed."""
    yield made.expression
    yield made.slope
    if made.sample.then and made.sample.whole and made.bend.order <= 4:
        yield made.bend
