"""Small inputs at which two nodes differ: whole numbers, sizes 1 to 3; else the point that was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.inputs import symbols_in
from indexcalc.equality.points import Point, Shape, of_matrices, sizes_of, within_axes
from indexcalc.errors import IndexCalcError
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.index import size

TRIES = 30
"""Points that are drawn for an example, the later half with both signs: an arbitrary budget."""
LARGEST = 3
"""The largest entry that is drawn: a person checks the example in the head."""
TOLERANCE = 1e-8
"""What differs by less, relative to the values, is rounding to the eye of a person."""


class Witness(NamedTuple):
    """Inputs by name, an entry, and the two values there."""

    inputs: dict[str, Any]
    entry: tuple[int, ...]
    own: float
    wanted: float


def witness(one: Node, other: Node, found: Point | None = None) -> Witness | None:
    """Small integers at which two nodes with the same axes differ, and the entry where they do.

    Positive ones if these show it. Where none do, the point `found`, where they are known to differ.
    """
    rng = np.random.default_rng(0)
    rows: list[tuple[int, Witness]] = []
    for attempt in range(TRIES):
        if rows and attempt >= TRIES // 2:
            break
        try:
            shown = _shown(one, other, _small([one, other], rng, signed=attempt >= TRIES // 2))
        except IndexCalcError:  # `x[3:]` is of no size below 3
            continue
        if shown is not None:
            rows.append((sum(np.size(value) for value in shown.inputs.values()), shown))
    if rows:
        return min(rows, key=lambda pair: pair[0])[1]
    return None if found is None else _shown(one, other, found, digits=None)


def _shown(one: Node, other: Node, point: Point, digits: int | None = 4) -> Witness | None:
    """The entry in which two nodes differ most at a point, if they do."""
    point = within_axes(point, [one, other])
    own, wanted = (np.real(value) for value in point.values([one, other]))
    if not np.isfinite(wanted).any():
        return None
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(own), np.abs(own - wanted), np.inf)
        gap = np.where(np.isfinite(wanted), gap, 0.0)
        scale = float(np.max(np.abs(wanted)[np.isfinite(wanted)], initial=0.0))
    if not gap.size or not gap.max() > TOLERANCE * scale:
        return None
    place = tuple(int(k) for k in np.argwhere(gap >= gap.max() / 2)[0])
    inputs: dict[str, Any] = {variable.label: array for variable, array in point.arrays.items()}
    inputs |= point.named
    tidy = {name: _tidy(value, digits) for name, value in inputs.items()}
    return Witness(tidy, place, float(own[place]), float(wanted[place]))


def _tidy(value: Any, digits: int | None) -> Any:
    whole = np.asarray(value)
    if np.array_equal(whole, np.round(whole)) and np.abs(whole).max(initial=0) < 1e15:
        return whole.astype(int)
    return whole if digits is None else np.round(whole, digits)


def _small(roots: Iterable[Node], rng: np.random.Generator, signed: bool) -> Point:
    """Small integers for every tensor, positive or of both signs, and for every gradient that has a name."""
    order = topological(roots)
    sizes = sizes_of(symbols_in(order), [int(k) for k in rng.permutation(np.arange(1, LARGEST + 1))])
    whole = any(of_matrices(node) for node in order)
    arrays = {}
    for node in order:
        if isinstance(node, Variable):
            shape = tuple(size(dim, sizes) for dim in node.dims)
            value = rng.integers(1, 4, shape) * (rng.choice([-1.0, 1.0], shape) if signed else 1.0)
            if whole and len(shape) > 1 and shape[-1] == shape[-2]:
                value = value + 2 * np.eye(shape[-1])
            arrays[node] = Shape(node, sizes).respecting(np.asarray(value, float)[None])[0]
    named = {}
    for node in order:
        if isinstance(node, Call) and node.name == node.function.gradient:
            named[node.name] = rng.integers(1, 4, tuple(size(dim, sizes) for dim in node.dims)).astype(float)
    return Point(sizes, arrays, named)
