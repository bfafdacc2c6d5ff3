"""A program that runs in stages, some of them tile by tile: what is made between is kept, or written by slices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.compile.loops import WORKING_SET, Loop, Stage
from indexcalc.engine.compile.tiles import Piece, Slice, Tile, is_triangle, whole
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.emit.patterns import complex_values
from indexcalc.engine.measure import peak_entries
from indexcalc.engine.program import Input, Known, Program

LEAST = 1024
"""Bytes that lie side by side in a slice: a loop whose slices have fewer would read cache lines in vain."""
MOST_CODES = 48
"""Tiles of a triangle: each has other sizes, and so lines of its own, which take some milliseconds to write."""
Row = tuple[int, tuple[Slice, ...], tuple[Slice, ...]]
"""A run: the number of the code, what it takes, and what it gives."""


class Part(NamedTuple):
    """A stage: the lines that it has, and the runs of them, one for each tile, or one; what is read here last."""

    codes: tuple[Code, ...]
    rows: tuple[Row, ...]
    gone: tuple[int, ...] = ()


class Staged(NamedTuple):
    """A program by its stages; `dtypes` are those of its values, `results` where these are, behind those of steps."""

    program: Program
    parts: tuple[Part, ...]
    dtypes: Sequence[np.dtype[Any]]
    order: str | None
    results: tuple[int, ...]
    kernels: tuple[str, ...]
    peak: int
    notes: tuple[str, ...]

    def function(self, quiet: bool) -> Callable[[Mapping[str, Any]], list[Any]]:
        """What runs it, given the inputs by name: it keeps nothing from one call to the next."""
        steps = self.program.steps
        taken = {one.value for part in self.parts for _, takes, _ in part.rows for one in takes}
        real = self.dtypes[0].type(0).real.dtype if self.dtypes else np.dtype(float)
        fixed = {
            k: known(step.name, step.shape, real, step.params)
            for k in sorted(taken)
            if isinstance(step := steps[k], Known)
        }
        inputs = [(k, step.name) for k in sorted(taken) if isinstance(step := steps[k], Input)]
        runs = [(_calls(part, quiet), part.gone) for part in self.parts]

        def run(given: Mapping[str, Any]) -> list[Any]:
            held: dict[int, Any] = {**fixed, **{k: given[name] for k, name in inputs}}
            for rows, gone in runs:
                for made, takes, gives in rows:
                    values = made(*[held[k] if index is None else held[k][index] for k, index in takes])
                    for value, (k, index, added) in zip(values, gives, strict=True):
                        self._keep(held, k, index, added, value)
                for k in gone:
                    del held[k]
            results = [held[k] for k in self.results]
            return [np.ascontiguousarray(x) if np.ndim(x) else x for x in results] if self.order == "C" else results

        return run

    def _keep(self, held: dict[int, Any], k: int, index: Any, added: bool, value: Any) -> None:
        """A value; slices of one are written into an array of its own, and summands are `added`."""
        if k not in held:
            if index is None:
                held[k] = value
                return
            held[k] = _laid_out(self.program.steps[k].shape, value, self.dtypes[k], self.order)
            if added:
                held[k][...] = 0
        if not added:
            held[k][index] = value
            return
        with np.errstate(over="ignore", invalid="ignore"):
            if index is None:
                held[k] = held[k] + value
            else:
                held[k][index] += value


def _calls(part: Part, quiet: bool) -> list[tuple[Callable[..., Any], Any, Any]]:
    made = [
        function_of(code, _arguments(len(part.rows[n][1])), False, quiet=quiet or code.quiet)
        for code, n in zip(part.codes, _firsts(part), strict=True)
    ]
    return [
        (made[n], [(x.value, x.index) for x in takes], [(x.value, x.index, x.axis is None) for x in gives])
        for n, takes, gives in part.rows
    ]


def _firsts(part: Part) -> list[int]:
    """The first run of each code."""
    numbers = [row[0] for row in part.rows]
    return [numbers.index(k) for k in range(len(part.codes))]


def _arguments(count: int) -> list[str]:
    return [f"g{k}" for k in range(count)]


def _laid_out(shape: Sequence[int], like: Any, dtype: np.dtype[Any], order: str | None) -> Any:
    """An empty array of this shape, its axes in memory in the order of those of another one, or in their own."""
    axes = list(range(len(shape)))
    if order != "C":
        axes.sort(key=lambda axis: -like.strides[axis])
    return np.empty([shape[axis] for axis in axes], dtype).transpose(np.argsort(axes))


def staged(
    program: Program, stages: Sequence[Stage], dtype: Any, mixed: Collection[str], order: str | None
) -> Staged | None:
    """The program in these stages; None where no loop among them is worth it."""
    return Staging(program, dtype, mixed, order).made(stages)


class Staging:
    """Stages as they are made, the last one first, so that each knows what the others read of it."""

    def __init__(self, program: Program, dtype: Any, mixed: Collection[str], order: str | None) -> None:
        self.program, self.dtype, self.order = program, np.dtype(dtype), order
        self.complex = complex_values(program, mixed if self.dtype.kind == "c" else None)
        real = np.zeros(0, self.dtype).real.dtype
        widest = np.result_type(self.dtype, 1j) if any(self.complex) else self.dtype
        self.dtypes = [widest if own else real for own in self.complex]
        self.kernels = ["at once"] * len(program.steps)
        self.notes: list[str] = []
        self.wanted: set[int] = set()

    def made(self, stages: Sequence[Stage]) -> Staged | None:
        """All of them."""
        program, within = self.program, {k for stage in stages for k in _steps(stage)}
        results: list[int] = []
        again: list[int] = []
        for value in program.results:
            first = value in within and value not in results
            results.append(value if first else len(program.steps) + len(again))
            again += [] if first else [value]
        parts = [self._whole((), again, len(program.steps))] if again else []
        self.wanted |= {value for value in results if value in within}
        for stage in reversed(stages):
            parts.insert(0, self._part(stage))
        if not self.notes:
            return None
        found = _freed(parts, {*results})
        peak = self._peak(found)
        return Staged(
            program, found, self.dtypes, self.order, tuple(results), tuple(self.kernels), peak, tuple(self.notes[::-1])
        )

    def _part(self, stage: Stage) -> Part:
        steps = _steps(stage)
        outs = [k for k in steps if k in self.wanted]
        part = self._loop(stage, outs) if isinstance(stage, Loop) and outs else None
        return part or self._whole(steps, outs)

    def _whole(self, steps: Sequence[int], outs: Sequence[int], first: int | None = None) -> Part:
        """Steps that run whole; results are numbered from the `first` on, if they are not by what they are."""
        piece = whole(self.program, steps, outs)
        gives = piece.results if first is None else tuple(Slice(first + k) for k in range(len(outs)))
        return Part((self._code(piece, self.order),), ((0, piece.inputs, gives),))

    def _loop(self, loop: Loop, outs: Sequence[int]) -> Part | None:
        steps = self.program.steps
        low = min(-loop.shifts[k] for k in loop.axes)
        high = max(steps[k].shape[axis] - loop.shifts[k] for k, axis in loop.axes.items())
        size = self._size(Tile(self.program, loop, outs, low, high).piece(), high - low)
        if any(is_triangle(steps[k]) for k in loop.axes):
            size = max(size, -(-(high - low) // MOST_CODES))
        if 2 * size > high - low or any(self._ragged(k, axis, size) for k, axis in loop.axes.items() if k in outs):
            return None
        count = -(-(high - low) // size)
        size = -(-(high - low) // count)
        codes: dict[tuple[Any, ...], tuple[int, int, Piece]] = {}
        made: list[Code] = []
        rows: list[Row] = []
        for start in range(low, high, size):
            tile = Tile(self.program, loop, outs, start, min(start + size, high))
            if tile.key not in codes:
                piece = tile.piece()
                codes[tile.key] = len(made), start, piece
                made.append(self._code(piece, None))
            number, first, piece = codes[tile.key]
            takes, gives = (tuple(one.moved(start - first) for one in own) for own in (piece.inputs, piece.results))
            rows.append((number, takes, gives))
        own = loop.steps
        self.notes.append(f"v{own[0]} to v{own[-1]}, {len(own)} steps, run in {len(rows)} tiles of {size}")
        return Part(tuple(made), tuple(rows))

    def _size(self, piece: Piece, length: int) -> int:
        """The places of a tile, from what the piece of all of them needs."""
        cut = [prod(self.program.steps[one.value].shape) for one in piece.inputs if one.axis is not None]
        entries = peak_entries(piece.program) + sum(cut)
        return max(1, WORKING_SET * length // max(1, entries * self.dtype.itemsize))

    def _ragged(self, k: int, axis: int, size: int) -> bool:
        return axis > 0 and size * prod(self.program.steps[k].shape[axis + 1 :]) * self.dtype.itemsize < LEAST

    def _code(self, piece: Piece, order: str | None) -> Code:
        """The lines of a piece, whose inputs are wanted from now on."""
        steps = self.program.steps
        self.wanted |= {one.value for one in piece.inputs}
        names = [f"v{k}" for k in range(len(piece.inputs))]
        mixed = [name for name, one in zip(names, piece.inputs, strict=True) if self.complex[one.value]]
        dtype = self.dtype if mixed or self.dtype.kind != "c" else np.zeros(0, self.dtype).real.dtype
        code = emit(piece.program, dict(zip(names, _arguments(len(names)), strict=True)), dtype, mixed, order)
        for k, own in piece.made.items():
            self.kernels[k] = code.kernels[own]
        return code

    def _peak(self, parts: Sequence[Part]) -> int:
        """The most bytes at once."""
        steps, held = self.program.steps, dict[int, int]()

        def size(k: int) -> int:
            return prod(steps[k].shape) * self.dtypes[k].itemsize if k < len(steps) else 0

        fixed = {x.value for part in parts for _, takes, _ in part.rows for x in takes if isinstance(steps[x.value], Known)}
        most = 0
        for part in parts:
            given = {x.value for _, _, gives in part.rows for x in gives}
            loops = any(x.index is not None for _, _, gives in part.rows for x in gives) or len(part.rows) > 1
            new = {k: size(k) for k in given}
            most = max(most, sum(held.values()) + sum(new.values()) * loops + max(code.peak for code in part.codes))
            held |= new
            held = {k: n for k, n in held.items() if k not in part.gone}
        return most + sum(map(size, fixed))


def _steps(stage: Stage) -> list[int]:
    return stage.steps if isinstance(stage, Loop) else sorted(stage)


def _freed(parts: Sequence[Part], results: Collection[int]) -> tuple[Part, ...]:
    """The parts, each with the values that are read there last."""
    last: dict[int, int] = {}
    for number, part in enumerate(parts):
        for _, takes, gives in part.rows:
            last |= {one.value: number for one in (*takes, *gives)}
    return tuple(
        part._replace(gone=tuple(sorted(k for k, at in last.items() if at == number and k not in results)))
        for number, part in enumerate(parts)
    )
