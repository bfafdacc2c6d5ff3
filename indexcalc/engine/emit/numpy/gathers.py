"""Entries that integers choose as lines of NumPy: read at their places, or added to zeros there."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from indexcalc.engine.emit.numpy.kernels import broadcast
from indexcalc.engine.emit.numpy.lines import NumpyLines
from indexcalc.engine.program import Chosen, Gather, Use, lined_up
from indexcalc.errors import InputError
from indexcalc.functions.code.numpy import chosen, gathered, scattered

CHECKED = 24
"""Bytes: each integer is made an index, and tested, in arrays of so many beside each other."""


def places_in(size: int, name: str) -> Callable[[Any], Any]:
    """The function that makes indices of the numbers of an integer tensor, which must lie in an axis of this size.

    >>> places_in(3, "y")([0.0, -1.0])
    array([0, 2])
    """

    def places(numbers: Any) -> Any:
        try:
            return chosen(numbers, size, name)
        except IndexError as error:
            raise InputError(f"evaluate with {name}", str(error), "check the integers") from None

    return places


def choose(lines: NumpyLines, step: Chosen) -> None:
    """A gather, or a scatter."""
    shared, alone, rest = lined_up(step)
    value, *integers = step.uses
    places: list[str] = []
    for use, size, name in zip(integers, step.sizes, step.names, strict=True):
        checked = lines.bound(f"places_{lines.number}_{len(places)}", places_in(size, name))
        code = broadcast(lines.operand(use), (*shared, *alone))
        places.append(f"{checked}({code})")
        lines.buffers.need(CHECKED * prod(lines.program.steps[use.value].shape))
    listed = f"({', '.join(places)},)"
    if isinstance(step, Gather):
        _gather(lines, step, value, listed)
        return
    name, axes = lines.bound("scattered", scattered), tuple(range(len(step.shape)))
    lines.kernel = "scattered"
    lines.buffers.need(8 * lines.buffers.size(value.value) // lines.itemsize)
    code = broadcast(lines.operand(value), (*shared, *alone, *rest))
    lines.put(f"{name}({code}, {listed}, {step.sizes}, {len(shared)})", axes, axes)


def _gather(lines: NumpyLines, step: Gather, value: Use, listed: str) -> None:
    """A gather: along one axis wherever this is stored."""
    shared, alone, rest = lined_up(step)
    name, operand = lines.bound("gathered", gathered), lines.operand(value)
    lines.kernel = "gathered"
    if shared or len(step.places) > 1:
        code = broadcast(operand, (*shared, *step.places, *rest))
        lines.put(f"{name}({code}, {listed}, 0, {len(shared)})", step.out, step.out)
        return
    (place,) = step.places
    axis = operand.labels.index(place)
    stored = (*operand.labels[:axis], *alone, *operand.labels[axis + 1 :])
    lines.put(f"{name}({operand.code}, {listed}, {axis}, 0)", stored, step.out)
