"""Long batches in chunks.

Where every step works along an axis entry by entry, and every result has that axis, the program runs on slices of a
length whose arrays fit into a cache, and its results are written into one array each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.measure import peak_entries
from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Cut,
    Fill,
    Gather,
    Input,
    Invoke,
    Known,
    Map,
    Program,
    Reduce,
    Reshape,
    Scatter,
    Solve,
    Step,
    Windows,
)

LONG = 8 * 2**20
"""Results of fewer bytes are not worth a loop."""
BESIDE = 1.5
"""Nor are those of a program that takes less than this times their memory: a chunk of them would be copied."""
WORKING_SET = 4 * 2**20
"""Bytes that a chunk may need."""


class Chunks(NamedTuple):
    """The axis of each input that is cut, by name, the axis of each result, the length of it all and of a chunk."""

    inputs: Mapping[str, int]
    results: tuple[int, ...]
    length: int
    step: int


def chunks(program: Program, dims: Mapping[str, Sequence[object]], itemsize: int) -> tuple[str, Chunks] | None:
    """The dimension along which a program runs in chunks, and how; None where there is none, or it is not worth it.

    `dims` has the dimensions of each input by name.
    """
    made, most = sum(prod(program.steps[value].shape) for value in program.results), peak_entries(program)
    if made * itemsize < LONG or most < BESIDE * made:
        return None
    names = dict.fromkeys(str(dim) for own in dims.values() for dim in own)
    for symbol in names:
        axes = {name: [k for k, dim in enumerate(own) if str(dim) == symbol] for name, own in dims.items()}
        if any(len(found) > 1 for found in axes.values()):
            continue
        cut = {name: found[0] for name, found in axes.items() if found}
        along = _along(program, cut)
        if along is None or any(along[value] is None for value in program.results):
            continue
        results = tuple(axis for value in program.results if (axis := along[value]) is not None)
        length = program.steps[program.results[0]].shape[results[0]]
        if length:
            step = max(1, WORKING_SET * length // max(1, most * itemsize))
            if 2 * step <= length:
                return symbol, Chunks(cut, results, length, step)
    return None


def _along(program: Program, cut: Mapping[str, int]) -> list[int | None] | None:
    """The axis of each value along which it runs with the batch; None for the whole where a step mixes entries."""
    along: list[int | None] = []
    for step in program.steps:
        found = axis_along(step, along, cut)
        if found == MIXED:
            return None
        along.append(found)
    return along


MIXED = -1
"""What stands for the batch axis of a value that has none because its step works across the batch: no axis is -1."""


def axis_along(step: Step, along: Sequence[int | None], cut: Mapping[str, int]) -> int | None:
    """The batch axis of a step's value, None if it has none, `MIXED` if the step works across the batch."""
    if isinstance(step, Input):
        return cut.get(step.name)
    if isinstance(step, Known | Fill):
        return None
    batched = [use for use in step.uses if along[use.value] is not None]
    if not batched:
        return None
    if isinstance(step, Apply | Solve | Reshape | Invoke):
        return MIXED
    if isinstance(step, Reduce):
        axis = along[step.uses[0].value]
        assert axis is not None
        if axis in step.axes:
            return MIXED
        return axis if step.keeps else axis - sum(other < axis for other in step.axes)
    if isinstance(step, Windows):
        label = _label(step.uses[0], along)
        return MIXED if label is None or label in (step.along, *step.window.near) else step.out.index(label)
    if isinstance(step, Cut):
        axis = along[step.uses[0].value]
        assert axis is not None
        return axis - sum(other < axis for other in step.gone) if step.ranges[axis] is None else MIXED
    if isinstance(step, Add):
        places = {tuple(k for k, x in enumerate(part.places) if x == _label(part.use, along)) for part in step.parts}
        others = [use for use in step.uses if along[use.value] is None]
        if len(places - {()}) != 1 or len(next(iter(places - {()}))) != 1:
            return MIXED
        (axis,) = next(iter(places - {()}))
        if any(part.ranges and part.ranges[axis] is not None for part in step.parts):
            return MIXED
        free = [part for part in step.parts if along[part.use.value] is None]
        return MIXED if any(_runs(part.places[axis], part) for part in free) and others else axis
    labels = {_label(use, along) for use in batched}
    if len(labels) != 1:
        return MIXED
    (label,) = labels
    assert isinstance(step, Contract | Map | Gather | Scatter)
    carried = [use for use in step.uses if label in use.labels]
    if label not in step.out or len(carried) != len(batched) or any(use.labels.count(label) > 1 for use in carried):
        return MIXED
    return step.out.index(label)


def sums_along(step: Step, along: Sequence[int | None]) -> bool:
    """Is this a product summed over the batch, so that a part of the batch gives a part of the sum?"""
    if not isinstance(step, Contract):
        return False
    labels = [_label(use, along) for use in step.uses]
    found = set(labels) - {None}
    if len(found) != 1 or found & set(step.out):
        return False
    (label,) = found
    return all(use.labels.count(label) == (own is not None) for use, own in zip(step.uses, labels, strict=True))


def _label(use: Any, along: Sequence[int | None]) -> int | None:
    axis = along[use.value]
    return None if axis is None else use.labels[axis]


def _runs(label: int, part: Any) -> bool:
    """Does a part without a batch vary along this axis, or have a delta there?"""
    return label in part.use.labels or part.places.count(label) > 1


def in_chunks(
    plan: Chunks, names: Sequence[str], make: Callable[[int], Callable[..., Any]], single: bool, order: str | None
) -> Callable[..., Any]:
    """The function that runs `make(length)`, the program for chunks of a length, over all of them.

    Results are laid out in memory as those of a chunk are, or in C order where that is asked for.
    """
    whole = make(plan.step)
    rest = plan.length % plan.step
    last = make(rest) if rest else whole
    axes = [plan.inputs.get(name) for name in names]

    def run(*arrays: Any) -> Any:
        results: list[Any] = []
        for start in range(0, plan.length, plan.step):
            stop = min(start + plan.step, plan.length)
            part = [
                array if axis is None else array[(slice(None),) * axis + (slice(start, stop),)]
                for array, axis in zip(arrays, axes, strict=True)
            ]
            made = (whole if stop - start == plan.step else last)(*part)
            values = [made] if single else made
            if not results:
                shapes = [
                    (*value.shape[:axis], plan.length, *value.shape[axis + 1 :])
                    for value, axis in zip(values, plan.results, strict=True)
                ]
                results = [_laid_out(shape, value, order) for shape, value in zip(shapes, values, strict=True)]
            for result, value, axis in zip(results, values, plan.results, strict=True):
                result[(slice(None),) * axis + (slice(start, stop),)] = value
        return results[0] if single else results

    return run


def _laid_out(shape: Sequence[int], like: Any, order: str | None) -> Any:
    """An empty array of this shape, its axes in memory in the order of those of another one."""
    axes = list(range(len(shape)))
    if order != "C":
        axes.sort(key=lambda axis: -like.strides[axis])
    return np.empty([shape[axis] for axis in axes], like.dtype).transpose(np.argsort(axes))
