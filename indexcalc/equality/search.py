"""Points on a side of a branch that drawing did not reach: the threshold is solved for.

First many points of all magnitudes are drawn; then one tensor at a time moves along a line (scaled, set to a number,
shifted, one entry set), over 21 decades of both signs, and the best places of the best lines are refined. So a
threshold at 1e9 is met, and a window of width 1e-3 at 1234.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.equality.arithmetic import Array
from indexcalc.equality.points import Draw, Shape, drawn
from indexcalc.equality.reals import Reals
from indexcalc.graph.node import Variable

Objective = Callable[[Reals], Array]
DRAWN, MANY = 192, 4096
"""Random points of all magnitudes; many of them, where a line that moves towards a side may end at a tie."""
BASES, LINES, ROUNDS, GRID = 3, 6, 9, 24
"""Points that lines start from, lines that are refined, how often, and at how many places each time."""
STEPS = np.concatenate([-np.logspace(12, -9, 43), np.logspace(-9, 12, 43)])
"""Where a line is looked at first."""
WANTED = 6
"""How many points are given back."""


def reached(
    objective: Objective,
    variables: Sequence[Variable],
    moving: Sequence[Variable],
    base: Draw,
    seed: int,
    count: int = DRAWN,
) -> Draw | None:
    """Points at which the objective is positive, at the sizes of `base`; None where none was found.

    Only the `moving` variables change; `objective` gives a number for each point. First `count` are drawn.
    """
    rng = np.random.default_rng(seed)
    wide = _wide(variables, base, rng, count)
    value = _measured(objective, wide)
    if (value > 0).any():
        return wide.kept(_spread(value))
    order = np.argsort(-value, kind="stable")[:BASES]
    starts = [wide.kept(order), base.kept(slice(0, 1))] if len(base.arrays) else []
    lines = [(start.kept([k]), v, way) for start in starts for k in range(len(start)) for v in moving for way in WAYS]
    if not lines:
        return None
    return _along(objective, lines, rng)


def _wide(variables: Sequence[Variable], base: Draw, rng: np.random.Generator, count: int) -> Draw:
    """Random points of magnitudes 1e-6 to 1e6, for all tensors together and for each by itself.

    Of many points most have ordinary magnitudes, 0.1 to 1000, some of their tensors that of the draw.
    """
    draw = drawn(variables, base.sizes, count, rng)
    common = 10.0 ** rng.uniform(-6, 6, count)
    arrays: dict[Variable, Numbers] = {}
    for v, array in draw.arrays.items():
        scale = np.where(np.arange(count) % 2 == 0, common, 10.0 ** rng.uniform(-6, 6, count))
        more = max(count - DRAWN, 0)
        scale[DRAWN:] = np.where(rng.random(more) < 0.5, 1, 10.0 ** rng.uniform(-1, 3, more))
        scaled = array * scale.reshape(count, *(1,) * len(v.dims))
        arrays[v] = Shape(v, base.sizes).respecting(scaled)
    return Draw(base.sizes, arrays).joined([base])


def _measured(objective: Objective, draw: Draw) -> Numbers:
    return np.asarray(objective(Reals(draw.arrays, draw.sizes, rounding=False)))


def _spread(value: Numbers) -> Any:
    """Of the points on the side some of small, middle and large margin."""
    good = np.flatnonzero(value > 0)
    order = good[np.argsort(value[good], kind="stable")]
    return order[np.unique(np.linspace(0, len(order) - 1, WANTED).round().astype(int))]


def _scaled(array: Numbers, steps: Numbers, place: int) -> Numbers:
    return array * steps


def _set(array: Numbers, steps: Numbers, place: int) -> Numbers:
    return np.zeros_like(array) + steps


def _shifted(array: Numbers, steps: Numbers, place: int) -> Numbers:
    return array + steps


def _one_set(array: Numbers, steps: Numbers, place: int) -> Numbers:
    made = np.repeat(array, len(steps), axis=0).reshape(len(steps), -1)
    made[:, place % made.shape[1]] = steps.ravel()
    return made.reshape(len(steps), *array.shape[1:])


WAYS = (_scaled, _set, _shifted, _one_set)
Line = tuple[Draw, Variable, Callable[[Numbers, Numbers, int], Numbers]]


def _along(objective: Objective, lines: Sequence[Line], rng: np.random.Generator) -> Draw | None:
    """Points where the objective is positive, along these lines."""
    places = [int(k) for k in rng.integers(0, 1 << 16, len(lines))]
    steps = [STEPS] * len(lines)
    for _ in range(ROUNDS):
        draws = [_moved(*line, own, place) for line, own, place in zip(lines, steps, places, strict=True)]
        whole = draws[0].joined(draws[1:])
        value = _measured(objective, whole)
        if (value > 0).any():
            return whole.kept(_spread(value))
        rows = value.reshape(len(lines), -1)
        best = [k for k in np.argsort(-rows.max(axis=1), kind="stable")[:LINES] if np.isfinite(rows[k].max())]
        if not best:
            return None
        steps = [_nearer(steps[k], rows[k]) for k in best]
        lines, places = [lines[k] for k in best], [places[k] for k in best]
    return None


def _moved(start: Draw, v: Variable, way: Any, steps: Numbers, place: int) -> Draw:
    shape = Shape(v, start.sizes)
    spread = steps.reshape(-1, *(1,) * len(v.dims))
    moved = shape.respecting(np.asarray(way(start.arrays[v], spread, place), float))
    arrays = {other: np.repeat(array, len(steps), axis=0) for other, array in start.arrays.items()}
    return Draw(start.sizes, {**arrays, v: moved})


def _nearer(steps: Numbers, value: Numbers) -> Numbers:
    """Steps between the neighbours of the best one, and numbers of few digits near it."""
    k = int(np.argmax(value))
    low, high = np.sort([steps[max(k - 1, 0)], steps[min(k + 1, len(steps) - 1)]])
    return np.sort([*np.linspace(low, high, GRID), *(np.round(steps[k], digits) for digits in (0, 1, 3))])


def between(gap: Callable[[Reals], Array], below: Draw, above: Draw) -> Draw | None:
    """Points on both sides of a threshold, near it and less near.

    `gap` is negative at the first point and positive at the second, and the line between them is divided where it
    changes its sign.
    """
    low, high = 0.0, 1.0
    for _ in range(6):
        steps = np.linspace(low, high, 18)
        value = np.asarray(gap(Reals(_line(below, above, steps).arrays, below.sizes, rounding=False)))
        up = np.flatnonzero(value > 0)
        if not len(up) or up[0] == 0:
            return None
        low, high = float(steps[up[0] - 1]), float(steps[up[0]])
    near = np.array([-0.3, -1e-2, -1e-4, 1e-4, 1e-2, 0.3]) * max(high, 1 - low, 1e-3) + (low + high) / 2
    return _line(below, above, near)


def _line(one: Draw, other: Draw, steps: Numbers) -> Draw:
    arrays = {}
    for v, array in one.arrays.items():
        spread = steps.reshape(-1, *(1,) * len(v.dims))
        arrays[v] = Shape(v, one.sizes).respecting(array + spread * (other.arrays[v] - array))
    return Draw(one.sizes, arrays)
