"""A program as straight-line NumPy: each step on its fastest kernel, buffers reused and freed, nothing copied unasked.

A value is stored with its axes in an order of its own; a transpose is a view, so each kernel gives its result in the
order that is cheapest for it, and those that read it adapt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import to_float
from indexcalc.engine.emit.numpy import maps
from indexcalc.engine.emit.numpy.additions import write_sum
from indexcalc.engine.emit.numpy.contractions import contract
from indexcalc.engine.emit.numpy.function import Code, Stored
from indexcalc.engine.emit.numpy.gathers import choose
from indexcalc.engine.emit.numpy.lines import NumpyLines, literal
from indexcalc.engine.emit.numpy.matrices import apply, reduce, solve
from indexcalc.engine.emit.numpy.strides import stretch, strided
from indexcalc.engine.emit.texts import check_texts
from indexcalc.engine.emit.workspace import Life, MemoryPlace, Workspace, placed
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
    Windows,
    chooses_alone,
)
from indexcalc.writing.slices import bracketed


def emit(
    program: Program,
    names: Mapping[str, str],
    dtype: Any,
    complex_inputs: Collection[str] | None = None,
    order: str | None = None,
    targets: Mapping[int, str] | None = None,
) -> Code:
    """The lines of a program, for inputs that have these names in the lines; `dtype` is their common one.

    Where that is complex, `complex_inputs` are those that are; all, if it is not given. The others are real.
    With the order "C", results lie in memory in the order of their axes where a kernel can make them so. Results with
    `targets` are written into arrays of these names where a ufunc makes them.
    """
    check_texts(program)
    lines, chosen = _written(NumpyLines(program, names, dtype, complex_inputs, order, targets))
    size, starts = placed(_lives(lines), lines.buffers.most)
    workspace = Workspace()
    if starts:
        shapes = lines.shapes
        lines = NumpyLines(program, names, dtype, complex_inputs, order, targets, starts.keys())
        lines.buffers.hold(size)
        lines, chosen = _written(lines)
        kinds = {k: lines.dtype if lines.complex[k] else lines.real for k in starts}
        rows = {lines.local("m", k): MemoryPlace(start, shapes[k], kinds[k]) for k, start in starts.items()}
        workspace = Workspace(size, rows)
    made = results(lines)
    orders = tuple(lines.buffers.stored[value].order for value in program.results)
    return Code(
        tuple(lines.lines),
        made,
        lines.space,
        chosen,
        lines.buffers.peak,
        lines.quiet,
        lines.constants,
        orders,
        workspace,
    )


def _lives(lines: NumpyLines) -> dict[int, Life]:
    """The values that may have a place: results, and what functions get that are given, nothing else may write to."""
    steps = lines.program.steps
    given = {use.value for step in steps if isinstance(step, Invoke | Apply) for use in step.uses}
    found = lines.buffers.lives({value for value in (*given, *lines.program.results) if value in lines.buffers.stored})
    return {value: life for value, life in found.items() if value in lines.shapes}


def _written(lines: NumpyLines) -> tuple[NumpyLines, tuple[str, ...]]:
    """All lines, and the kernel of each step."""
    program = lines.program
    chosen = ["at once"] * len(program.steps)
    inputs = [number for number, step in enumerate(program.steps) if isinstance(step, Input)]
    for number in dict.fromkeys([*inputs, *range(len(program.steps))]):
        if number not in lines.at_once.skipped:
            lines.begin(number)
            write(lines)
            lines.end()
            chosen[number] = lines.kernel
    return lines, tuple(chosen)


def write(lines: NumpyLines) -> None:
    """The lines of the step at hand."""
    number, step = lines.number, lines.step
    if number in lines.at_once.slopes:
        maps.slope(lines, lines.at_once.slopes[number])
    elif number in lines.at_once.groups:
        maps.together(lines, lines.at_once.groups[number])
    else:
        WRITERS[type(step)](lines, step)


def results(lines: NumpyLines) -> tuple[str, ...]:
    """The results, each an array of its own."""
    taken: set[int | None] = {None}
    found = []
    for value in lines.program.results:
        if value in lines.written:
            found.append("None")
            continue
        held, code = lines.buffers.stored[value], lines.logical(value)
        owner = held.owner
        if owner in taken:
            code = f"array({code})"
            lines.space["array"] = np.array
            lines.buffers.make_copy(value)
        elif lines.order == "C" and (held.order != tuple(range(len(held.order))) or not held.contiguous):
            lines.buffers.make_copy(value)
        taken.add(owner)
        found.append(code)
    return tuple(found)


def _input(lines: NumpyLines, step: Input) -> None:
    """The array that is given; integers that do more than to choose entries are made numbers."""
    if step.whole and not chooses_alone(lines.program, lines.number):
        axes = tuple(range(len(step.shape)))
        lines.put(f"asarray({lines.names[step.name]}, real)", axes, axes)
        return
    lines.buffers.keep(Stored(lines.names[step.name], tuple(range(len(step.shape))), True, None))


def _known(lines: NumpyLines, step: Known) -> None:
    """A constant, made once."""
    name = lines.constant(
        f"c{lines.number}",
        partial(known, step.name, step.shape, lines.real, step.params),
        lines.buffers.size(lines.number),
    )
    lines.buffers.keep(Stored(name, tuple(range(len(step.shape))), True, None))


def _fill(lines: NumpyLines, step: Fill) -> None:
    """One number in every entry; without axes it is just the number."""
    if step.shape:
        axes = tuple(range(len(step.shape)))
        lines.put(f"full({step.shape}, {literal(step.number)}, {lines.kind})", axes, axes)
    else:
        value = step.number if isinstance(step.number, complex) else to_float(step.number, "a number")
        dtype = lines.dtype if lines.complex[lines.number] else lines.real
        name = lines.bound(f"c{lines.number}", dtype.type(value))
        lines.buffers.keep(Stored(name, (), True, None))


def _reshape(lines: NumpyLines, step: Reshape) -> None:
    """Axes split, put in order, and joined."""
    (use,) = step.uses
    axes = tuple(range(len(step.shape)))
    code = f"{lines.logical(use.value)}.reshape({step.split}).transpose({step.axes}).reshape({step.shape})"
    lines.put(code, axes, axes)
    owner = lines.stored(use).owner
    if owner is None or lines.buffers.pending[owner] > 1:
        lines.lines[-1] += ".copy()"
    else:
        lines.buffers.within(use)


def _slice(lines: NumpyLines, step: Cut) -> None:
    """A part of the operand, as a view."""
    (use,) = step.uses
    held = lines.stored(use)
    ranges = [step.ranges[axis] for axis in held.order]
    gone = [k for k, axis in enumerate(held.order) if axis in step.gone]
    left = [axis for axis in range(len(step.ranges)) if axis not in step.gone]
    order = [axis for axis in held.order if axis not in step.gone]
    lines.kernel = "view"
    lines.put(f"{held.name}{bracketed(ranges, gone, lines.dimension)}", order, left, held)


def _windows(lines: NumpyLines, step: Windows) -> None:
    """Windows along an axis: what they reach, and a view of it."""
    (use,) = step.uses
    held, axes = lines.stored(use), tuple(range(len(step.out)))
    axis = use.labels.index(step.along)
    reach = lines.bound(f"reach{lines.number}", partial(stretch, axis=axis, step=step))
    view = lines.bound(f"windows{lines.number}", partial(strided, axis=axis, step=step))
    lines.lines.append(f"y{lines.number} = {reach}({lines.logical(use.value)})")
    lines.kernel = "view"
    lines.lines.append(f"{lines.name} = {view}(y{lines.number})")
    owner = held.owner if step.window.inside else lines.number
    lines.buffers.keep(Stored(lines.name, axes, False, owner))


def _invoke(lines: NumpyLines, step: Invoke) -> None:
    """A function that is given with the inputs."""
    axes = tuple(range(len(step.shape)))
    args = ", ".join([repr(step.title), repr(step.shape), *(lines.logical(use.value) for use in step.uses)])
    args += f", mapped={step.mapped!r}, own={step.own}" if step.mapped else ""
    lines.lines.append(f"{lines.name} = asarray(given({args}), {lines.kind})")
    lines.buffers.keep(Stored(lines.name, axes, False, None))


WRITERS: dict[type[Any], Callable[[NumpyLines, Any], None]] = {
    Input: _input,
    Known: _known,
    Fill: _fill,
    Contract: contract,
    Map: maps.map_entries,
    Add: write_sum,
    Reduce: reduce,
    Apply: apply,
    Solve: solve,
    Reshape: _reshape,
    Invoke: _invoke,
    Cut: _slice,
    Gather: choose,
    Scatter: choose,
    Windows: _windows,
}
