"""Compiled functions of dask arrays: data larger than memory, in blocks.

Where the data are cut along one dimension, as rows usually are, all steps that work row by row are one function of a
block, and so are the sums over the rows that come of them: each block is read once for all results, and nothing of it
is kept but its part of the sums. Other steps work in blocks by themselves. What comes of NumPy arrays alone is made at
once. Results are dask arrays, computed when they are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import dask
import dask.array
import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import to_float
from indexcalc.engine.bind.own import with_own
from indexcalc.engine.compile.along import MIXED, axis_along, sums_along
from indexcalc.engine.compile.compiled import Compiled
from indexcalc.engine.compile.dask_given import invoked, on_blocks
from indexcalc.engine.emit.numpy.blockwise import function_of_blocks
from indexcalc.engine.emit.patterns import check_real, complex_values
from indexcalc.engine.limits import refuse_over
from indexcalc.engine.measure import peak_entries
from indexcalc.engine.program import (
    Add,
    Apply,
    Chosen,
    Contract,
    Cut,
    Fill,
    Gather,
    Input,
    Invoke,
    Known,
    Map,
    Part,
    Program,
    Reduce,
    Reshape,
    Scatter,
    Solve,
    Step,
    Use,
    Windows,
)
from indexcalc.engine.report import Plan
from indexcalc.errors import IndexCalcError, InputError
from indexcalc.functions.code import dask as blocks
from indexcalc.graph.ranges import taken
from indexcalc.index import Dim, Dimension
from indexcalc.surface import public

da: Any = dask.array
ROWS = "rows"
"""The label of the axis along which the data are cut."""


@public
class OnDask(Compiled):
    """A function of dask arrays; see `Compiled`."""

    target = ""

    def __call__(self, /, *arrays: Any, **named: Any) -> Any:
        """The values of the outputs, as dask arrays: one for one, a list for a list."""
        own = self.request.unlabelled(arrays, "data")
        stand_ins = [np.broadcast_to(np.float64(0), np.shape(value)) for value in own]
        bound, sizes, functions = self.request.bound(stand_ins, named)
        held = {variable.label: (stand_in.shape, variable.dims) for variable, stand_in in bound.items()}
        made = [value if isinstance(value, da.Array) else np.asarray(value) for value in own]
        dtype = np.result_type(*[a.dtype if a.dtype.kind in "fc" else np.float64 for a in made], np.float32)
        real = np.zeros(0, dtype).real.dtype
        ready = {
            name: array.reshape(held[name][0]).astype(dtype if array.dtype.kind == "c" else real)
            for name, array in zip(self.names, made, strict=True)
        }
        key = tuple(sorted(sizes.items())), dtype.kind
        if key not in self._programs:
            plan = self._planned(sizes, dtype.kind != "c")
            self._programs[key] = partial(Run, plan.program), plan
        run, self._plan = self._programs[key]
        self._require(ready, {name: dims for name, (_, dims) in held.items()}, sizes, dtype)
        cut = _cut(ready, {name: dims for name, (_, dims) in held.items()})
        declared = with_own(functions, self.request.functions, "numpy")
        functions |= {
            title: on_blocks(self.request.functions[title], declared[title])
            for title in declared.keys() - functions.keys()
        }
        values = run(ready, functions, dtype, self.limit, cut).results
        shown = [da.asarray(value)[units] for value, units in zip(values, self.request.units, strict=True)]
        return shown[0] if self.request.single else shown

    def plan_for(self, sizes: Mapping[str, int]) -> None:
        """Plans for these sizes, by symbol; no array is too large, it is in blocks."""
        self.sizes = self.request.sizes(sizes)
        if not self.request.settled(self.sizes):
            return
        self._plan = self._planned(self.sizes)

    def _require(
        self, arrays: Mapping[str, Any], dims: Mapping[str, Sequence[Dimension]], sizes: Mapping[str, int], dtype: Any
    ) -> None:
        """The largest block of each worker fits, all of them at once."""
        block = dict(sizes)
        for name, array in arrays.items():
            for dim, parts in zip(dims[name], array.chunks if isinstance(array, da.Array) else (), strict=False):
                if isinstance(dim, Dim) and str(dim) in block:
                    block[str(dim)] = min(block[str(dim)], max(parts, default=0))
        program = self._of_blocks(block, sizes)
        workers = dask.config.get("num_workers", None) or os.cpu_count() or 1
        peak = peak_entries(program) * np.dtype(dtype).itemsize * workers
        found = f"by blocks of {', '.join(f'{k}={v}' for k, v in block.items())} in each of {workers} workers"
        instead = "give smaller blocks, fewer workers (num_workers), or a larger memory_limit"
        refuse_over(peak, self.limit, np.dtype(dtype).itemsize, self.request.asked, found, instead)

    def _of_blocks(self, block: dict[str, int], sizes: Mapping[str, int]) -> Program:
        """The program for a block, which gets longer until it has the entries that slices take."""
        while True:
            try:
                return self._program(block)
            except IndexCalcError:
                if block == sizes:
                    raise
            block.update({symbol: min(2 * size, sizes[symbol]) for symbol, size in block.items()})

    def _planned(self, sizes: Mapping[str, int], real: bool = True) -> Plan:
        program = self._program(sizes, real)
        return Plan(program, ("blocks",) * len(program.steps), 8 * peak_entries(program), program.notes)


def _cut(arrays: Mapping[str, Any], dims: Mapping[str, Sequence[object]]) -> dict[str, int]:
    """The axis of each array along the one dimension along which arrays are in several blocks.

    It is empty if there is no such dimension, or if there are several.
    """
    long = {
        str(dims[name][axis])
        for name, array in arrays.items()
        if isinstance(array, da.Array)
        for axis, count in enumerate(array.numblocks)
        if count > 1
    }
    axes = {name: [k for k, dim in enumerate(own) if str(dim) in long] for name, own in dims.items() if name in arrays}
    if len(long) != 1 or any(len(found) > 1 for found in axes.values()):
        return {}
    return {name: found[0] for name, found in axes.items() if found}


class Run:
    """The values of a program, step by step. `cut` has the axis of each input along which the data are cut.

    `along[k]` is the axis of value k that runs over the rows of the data, if it has one. Such a value is made within
    the function of a block, and so is a sum over the rows, when a result or another step needs it.
    """

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Any],
        functions: Mapping[str, Any],
        dtype: Any,
        limit: int,
        cut: Mapping[str, int],
    ) -> None:
        self.program, self.inputs, self.functions, self.limit = program, inputs, functions, limit
        self.real = np.zeros(0, dtype).real.dtype
        self.dtype = np.result_type(dtype, np.complex64)
        whole = [name for name, array in inputs.items() if array.dtype.kind == "c"]
        self.complex = complex_values(program, whole or None)
        check_real(program, self.complex, dtype)
        self.values: dict[int, Any] = {}
        self.along: list[int | None] = []
        self.sums: list[int] = []
        for number, step in enumerate(program.steps):
            self.number = number
            axis = axis_along(step, self.along, cut)
            if axis == MIXED and sums_along(step, self.along):
                self.sums.append(number)
            self.along.append(None if axis == MIXED else axis)
            if isinstance(step, Input) or (self.along[number] is None and number not in self.sums):
                self.values[number] = STEPS[type(step)](self, step)
        self.results = [self.value(value) for value in program.results]

    def value(self, number: int) -> Any:
        """The array of a value; what is pending is made now."""
        while number in self.sums:
            self._add_up()
        if number not in self.values:
            function, inputs = self._of_a_block([number])
            shape, axis = self.program.steps[number].shape, self.along[number]
            self.values[number] = self._over_rows(lambda *x: function(*x)[0], inputs, shape, axis, self.kind([number]))
        return self.values[number]

    def kind(self, numbers: Sequence[int]) -> Any:
        """The dtype of these values together."""
        return self.dtype if any(self.complex[number] for number in numbers) else self.real

    def operands(self, step: Step) -> list[Any]:
        """The arrays that a step takes."""
        return [self.value(use.value) for use in step.uses]

    # -------------------------------------------------------------- row by row

    def _add_up(self) -> None:
        """The sums over rows that are pending and need no other, in one pass over the data: a block gives its part."""
        numbers = [number for number in self.sums if not self._needs_another(number)]
        self.sums = [number for number in self.sums if number not in numbers]
        function, inputs = self._of_a_block(numbers)
        shapes = [self.program.steps[number].shape for number in numbers]

        def part(*blocks: Any) -> Any:
            return np.concatenate([np.ravel(value) for value in function(*blocks)])[None]

        size, dtype, start = sum(map(prod, shapes)), self.kind(numbers), 0
        packed = self._over_rows(part, inputs, (1, size), 0, dtype, {ROWS: 1}).sum(0, split_every=4)
        for number, shape in zip(numbers, shapes, strict=True):
            made = packed[start : start + prod(shape)].reshape(shape)
            self.values[number] = made if self.complex[number] or packed.dtype.kind != "c" else made.real
            start += prod(shape)

    def _needs_another(self, number: int) -> bool:
        """Do the rows that a sum adds up need another sum that is pending?"""
        seen: set[int] = set()
        stack = [use.value for use in self.program.steps[number].uses]
        while stack:
            value = stack.pop()
            if value in self.sums:
                return True
            if value not in seen and value not in self.values:
                seen.add(value)
                stack += [use.value for use in self.program.steps[value].uses]
        return False

    def _over_rows(
        self,
        function: Any,
        inputs: Sequence[int],
        shape: Sequence[int],
        axis: int | None,
        dtype: Any,
        shrunk: Any = None,
    ) -> Any:
        """The function of the blocks of these values: an array of this shape, whose axis `axis` runs over the rows."""
        flat: list[Any] = []
        for number in inputs:
            array = da.asarray(self.values[number])
            rows = self.along[number]
            flat += [array, tuple(ROWS if k == rows else f"{number} {k}" for k in range(array.ndim))]
        out = tuple(ROWS if k == axis else f"out {k}" for k in range(len(shape)))
        new = {f"out {k}": size for k, size in enumerate(shape) if k != axis}
        meta = np.empty((0,) * len(out), dtype)
        return da.blockwise(
            function, out, *flat, new_axes=new, adjust_chunks=shrunk, concatenate=True, dtype=dtype, meta=meta
        )

    def _of_a_block(self, wanted: Sequence[int]) -> tuple[Callable[..., list[Any]], list[int]]:
        """The function that makes these values of a block, and the values that it takes: those that are there."""
        needed: set[int] = set()
        inputs: set[int] = set()
        stack = list(wanted)
        while stack:
            number = stack.pop()
            if number not in wanted and (number in self.values or self.along[number] is None):
                self.value(number)
                inputs.add(number)
            elif number not in needed:
                needed.add(number)
                stack += [use.value for use in self.program.steps[number].uses]
        given = sorted(inputs)
        steps = [(number, function_of_blocks(step), [use.value for use in step.uses])
                 for number in sorted(needed) for step in [self.program.steps[number]]]  # fmt: skip

        def run(*blocks: Any) -> list[Any]:
            made = dict(zip(given, blocks, strict=True))
            for number, function, uses in steps:
                made[number] = function(*[made[use] for use in uses])
            return [made[number] for number in wanted]

        return run, given

    # -------------------------------------------------------------- step by step

    def blocks(
        self,
        function: Callable[..., Any],
        out: Sequence[int],
        operands: Sequence[tuple[Any, Sequence[int]]],
        *,
        whole: Collection[int] = (),
        sizes: Mapping[int, int] | None = None,
        shrunk: Sequence[int] = (),
    ) -> Any:
        """The function of the blocks; labels that `out` lacks, and those in `whole`, are in one block.

        `sizes` has those of labels that no operand has, `shrunk` the labels along which a block gives one entry.
        """
        flat: list[Any] = []
        for array, labels in operands:
            held = da.asarray(array)
            one_block = {axis: -1 for axis, x in enumerate(labels) if x in whole or x not in out}
            flat += [held.rechunk(one_block) if one_block else held, tuple(labels)]
        dtype = self.kind([self.number])
        return da.blockwise(
            function,
            tuple(out),
            *flat,
            new_axes=dict(sizes or {}),
            adjust_chunks=dict.fromkeys(shrunk, 1),
            concatenate=True,
            dtype=dtype,
            meta=np.empty((0,) * len(out), dtype),
        )

    def input(self, step: Input) -> Any:
        """The array that is given."""
        return self.inputs[step.name]

    def known(self, step: Known) -> Any:
        """A constant, in one piece."""
        taken = prod(step.shape) * self.dtype.itemsize
        if taken > self.limit:
            found = f"an array of shape {step.shape} is needed in one piece, {taken:,} bytes"
            raise InputError("evaluate with dask", found, f"the limit is {self.limit:,}: give memory_limit=...")
        return known(step.name, step.shape, self.real, step.params)

    def fill(self, step: Fill) -> Any:
        """One number in every entry."""
        number = step.number if isinstance(step.number, complex) else to_float(step.number, "a number")
        dtype = self.dtype if isinstance(number, complex) else self.real
        return np.broadcast_to(np.asarray(number, dtype), step.shape)

    def contract(self, step: Contract) -> Any:
        """A product: each block gives its part of the sum."""
        function, arrays = function_of_blocks(step), self.operands(step)
        if not _any_blocks(arrays):
            return function(*arrays)
        labels = dict.fromkeys(x for use in step.uses for x in use.labels)
        summed = [x for x in labels if x not in step.out]
        ones = tuple(range(len(step.out), len(step.out) + len(summed)))
        operands = [(array, _apart(use.labels)) for array, use in zip(arrays, step.uses, strict=True)]
        made = self.blocks(
            lambda *x: np.expand_dims(function(*x), ones), (*step.out, *summed), operands,
            whole=_repeated(step), shrunk=summed,
        )  # fmt: skip
        return made.sum(ones, split_every=4) if summed else made

    def map(self, step: Map) -> Any:
        """A function of the entries."""
        function, arrays = function_of_blocks(step), self.operands(step)
        if not _any_blocks(arrays):
            return function(*arrays)
        operands = [(array, _apart(use.labels)) for array, use in zip(arrays, step.uses, strict=True)]
        return self.blocks(function, step.out, operands, whole=_repeated(step))

    def add(self, step: Add, arrays: Sequence[Any] | None = None) -> Any:
        """A sum; a label of a delta is no axis of the result: it has a number of its own, and is in one block."""
        function, arrays = function_of_blocks(step), self.operands(step) if arrays is None else arrays
        if not _any_blocks(arrays):
            return function(*arrays)
        if any(part.ranges for part in step.parts):
            return self._into_parts(step, arrays)
        order = len(step.shape)
        operands, whole = [], set()
        for array, part in zip(arrays, step.parts, strict=True):
            twice = {x for x in part.places if part.places.count(x) > 1}
            whole |= {axis for axis, x in enumerate(part.places) if x in twice}
            own = tuple(part.places.index(x) + order * (x in twice) for x in part.use.labels)
            operands.append((array, _apart(own)))
            whole |= {x for x in own if own.count(x) > 1}
        covered = {x for _, own in operands for x in own}
        new = {axis: size for axis, size in enumerate(step.shape) if axis not in covered}
        return self.blocks(function, range(order), operands, whole=whole, sizes=new)

    def _into_parts(self, step: Add, arrays: Sequence[Any]) -> Any:
        """A sum of terms that cover a part of it each: by itself, in zeros."""
        rows = zip(step.parts, arrays, strict=True)
        return sum(_laid(self.add(_inner(part, step.shape, x), [x]), part, step.shape) for part, x in rows)

    def slice(self, step: Cut) -> Any:
        """A part of an array."""
        (array,) = self.operands(step)
        return array[taken(step.ranges, step.gone)]

    def windows(self, step: Windows) -> Any:
        """Windows along an axis, which is in one block; they are copies there."""
        function, (array,), (use,) = function_of_blocks(step), self.operands(step), step.uses
        if not _any_blocks([array]):
            return function(array)
        operands = [(array, tuple(1000 if x == step.along else x for x in use.labels))]
        new = {x: n for x, n in zip(step.out, step.shape, strict=True) if x not in use.labels}
        return self.blocks(lambda x: function(x).copy(), step.out, operands, whole=(1000, *step.window.near), sizes=new)

    def reduce(self, step: Reduce) -> Any:
        """A function along axes: long ones block by block where that can be, else in one block."""
        function, (array,), axes = function_of_blocks(step), self.operands(step), step.axes
        if not _any_blocks([array]):
            return function(array)
        by_blocks = getattr(blocks, step.fn, None)
        if by_blocks is not None and any(array.numblocks[axis] > 1 for axis in axes):
            return by_blocks(array, axes, *step.params)
        labels = tuple(range(array.ndim))
        out = labels if step.keeps else tuple(x for x in labels if x not in axes)
        return self.blocks(function, out, [(array, labels)], whole=axes)

    def apply(self, step: Apply) -> Any:
        """A function of whole matrices, batch by batch."""
        function, arrays = function_of_blocks(step), self.operands(step)
        if not _any_blocks(arrays):
            return function(*arrays)
        batch = step.node.children[0].order - 2
        operands = [(x, (*range(batch), 1000 + 2 * k, 1001 + 2 * k)) for k, x in enumerate(arrays)]
        new = dict(list(enumerate(step.shape))[batch:])
        return self.blocks(function, range(len(step.shape)), operands, sizes=new)

    def solve(self, step: Solve) -> Any:
        """Columns for which a matrix is solved, block by block."""
        function, (square, right) = function_of_blocks(step), self.operands(step)
        if not _any_blocks([square, right]):
            return function(square, right)
        (_, own), (_, labels) = step.uses
        row, column = sorted(own, key=lambda x: x not in labels)
        operands = [(square, (1000, 1001)), (right, tuple(1002 if x == row else x for x in labels))]
        return self.blocks(function, step.out, operands, sizes={column: step.shape[step.out.index(column)]})

    def reshape(self, step: Reshape) -> Any:
        """Axes split, put in order, and joined."""
        (array,) = self.operands(step)
        return array.reshape(step.split).transpose(step.axes).reshape(step.shape)

    def choose(self, step: Chosen) -> Any:
        """Entries that integers choose, along axes that are in one block."""
        function, arrays = function_of_blocks(step), self.operands(step)
        if not _any_blocks(arrays):
            return function(*arrays)
        operands = [(array, use.labels) for array, use in zip(arrays, step.uses, strict=True)]
        new = dict(zip(step.places, step.sizes, strict=True)) if isinstance(step, Scatter) else {}
        return self.blocks(function, step.out, operands, sizes=new)

    def invoke(self, step: Invoke) -> Any:
        """A function that is given, of dask arrays."""
        return invoked(step, self.functions.get(step.title), self.operands(step))


STEPS: dict[type[Any], Callable[[Run, Any], Any]] = {
    Input: Run.input,
    Known: Run.known,
    Fill: Run.fill,
    Contract: Run.contract,
    Map: Run.map,
    Add: Run.add,
    Reduce: Run.reduce,
    Apply: Run.apply,
    Solve: Run.solve,
    Reshape: Run.reshape,
    Invoke: Run.invoke,
    Cut: Run.slice,
    Gather: Run.choose,
    Scatter: Run.choose,
    Windows: Run.windows,
}


def _inner(part: Part, shape: Sequence[int], array: Any) -> Add:
    """A term of a sum of this shape, in an array of the entries that it covers."""
    sizes = dict(zip(part.use.labels, array.shape, strict=True))
    rows = zip(part.places, part.ranges or (None,) * len(shape), shape, strict=True)
    inner = tuple(sizes.get(x, n if found is None else int(found.size)) for x, found, n in rows)
    return Add((replace(part, use=Use(0, part.use.labels), ranges=()),), inner)


def _laid(made: Any, part: Part, shape: Sequence[int]) -> Any:
    """The term in zeros."""
    if not part.ranges:
        return made
    whole = da.zeros(shape, dtype=made.dtype)
    whole[taken(part.ranges)] = made
    return whole


def _any_blocks(arrays: Sequence[Any]) -> bool:
    return any(isinstance(array, da.Array) for array in arrays)


def _apart(labels: Sequence[int]) -> tuple[int, ...]:
    """Another label where one repeats: it is no axis of the result, so it is in one block."""
    return tuple(2000 + axis if x in labels[:axis] else x for axis, x in enumerate(labels))


def _repeated(step: Step) -> set[int]:
    """The labels of diagonals."""
    return {x for use in step.uses for x in use.labels if use.labels.count(x) > 1}
