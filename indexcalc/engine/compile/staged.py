"""A program that runs in stages, some of them tile by tile: what is made between is kept, or written by slices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.compile.loops import WORKING_SET, Loop, Stage
from indexcalc.engine.compile.tiles import Fragment, Share, Tile, is_triangle, whole
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.emit.patterns import complex_values
from indexcalc.engine.program import Input, Known, Program
from indexcalc.graph.node import Labels

BESIDE = 1.75
"""A loop whose steps, run whole, take less than this times the memory of what they give, is not worth it."""
LEAST = 1024
"""Bytes that lie side by side in a slice: a loop whose slices have fewer would read cache lines in vain."""
MOST_TILES = 1000
"""Tiles of a loop: each is found when the program is made, which takes a millisecond."""
MOST_CODES = 48
"""Tiles of a triangle: each has other sizes, and so lines of its own, which take some milliseconds to write."""
Row = tuple[int, tuple[Share, ...], tuple[Share, ...]]
"""A run: the number of the code, what it takes, and what it gives."""


class StageCode(NamedTuple):
    """A stage: lines, with the number of their arguments, and the runs of them, one for each tile, or one.

    `made` are arrays that the tiles write parts of, with the order of their axes in memory, None for zeros to which
    they add; `gone` is what is read here last.
    """

    codes: tuple[tuple[Code, int], ...]
    rows: tuple[Row, ...]
    made: Mapping[int, Labels | None] = {}
    gone: tuple[int, ...] = ()


class Staged(NamedTuple):
    """A program by its stages; `dtypes` are those of its values, `results` where these are, behind those of steps."""

    program: Program
    parts: tuple[StageCode, ...]
    dtypes: Sequence[np.dtype[Any]]
    order: str | None
    results: tuple[int, ...]
    kernels: tuple[str, ...]
    peak: int
    notes: tuple[str, ...]

    def function(self, quiet: bool) -> Callable[[Mapping[str, Any]], list[Any]]:
        """What runs it, given the inputs by name: it keeps nothing from one call to the next."""
        steps = self.program.steps
        taken = sorted({one.value for part in self.parts for _, takes, _ in part.rows for one in takes})
        real = np.zeros(0, self.dtypes[0]).real.dtype
        fixed = {
            k: known(step.name, step.shape, real, step.params) for k in taken if isinstance(step := steps[k], Known)
        }
        inputs = [(k, step.name) for k in taken if isinstance(step := steps[k], Input)]
        runs = [(part.made, _calls(part, quiet), part.gone) for part in self.parts]

        def run(given: Mapping[str, Any]) -> list[Any]:
            held: dict[int, Any] = {**fixed, **{k: given[name] for k, name in inputs}}
            for made, calls, gone in runs:
                for k, order in made.items():
                    held[k] = self._array(k, order)
                for call, takes, gives in calls:
                    arrays = [held[k] if index is None else held[k][index] for k, index in takes]
                    targets = [held[k][index] for k, index, added in gives if index is not None and not added]
                    for value, (k, index, added) in zip(call(*arrays, *targets), gives, strict=True):
                        if value is not None:
                            _keep(held, k, index, added, value)
                for k in gone:
                    del held[k]
            results = [held[k] for k in self.results]
            return [np.ascontiguousarray(x) if np.ndim(x) else x for x in results] if self.order == "C" else results

        return run

    def _array(self, k: int, order: Labels | None) -> Any:
        """An array for a value, whose axes lie in memory in this order; zeros where there is none."""
        shape = self.program.steps[k].shape
        if order is None:
            return np.zeros(shape, self.dtypes[k])
        return np.empty([shape[axis] for axis in order], self.dtypes[k]).transpose(np.argsort(order))


def _keep(held: dict[int, Any], k: int, index: Any, added: bool, value: Any) -> None:
    """A value, or a part of one; what is `added` is a summand."""
    if index is None and (k not in held or not added):
        held[k] = value
    elif not added:
        held[k][index] = value
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            if index is None:
                held[k] = held[k] + value
            else:
                held[k][index] += value


def _calls(part: StageCode, quiet: bool) -> list[tuple[Callable[..., Any], Any, Any]]:
    """The function of each run, where what it takes lies, and where what it gives goes."""
    made = [function_of(code, _arguments(count), False, quiet=quiet or code.quiet) for code, count in part.codes]
    return [
        (made[n], [(x.value, x.where) for x in takes], [(x.value, x.where, x.axis is None) for x in gives])
        for n, takes, gives in part.rows
    ]


def _arguments(count: int) -> list[str]:
    return [f"g{k}" for k in range(count)]


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

    def _part(self, stage: Stage) -> StageCode:
        steps = _steps(stage)
        outs = [k for k in steps if k in self.wanted]
        part = self._loop(stage, outs) if isinstance(stage, Loop) and outs else None
        return part or self._whole(steps, outs)

    def _whole(self, steps: Sequence[int], outs: Sequence[int], first: int | None = None) -> StageCode:
        """Steps that run whole; results are numbered from the `first` on, if they are not by what they are."""
        piece = whole(self.program, steps, outs)
        gives = piece.results if first is None else tuple(Share(first + k) for k in range(len(outs)))
        return StageCode((self._code(piece),), ((0, piece.inputs, gives),))

    def _loop(self, loop: Loop, outs: Sequence[int]) -> StageCode | None:
        steps = self.program.steps
        low = min(-loop.shifts[k] for k in loop.axes)
        high = max(steps[k].shape[axis] - loop.shifts[k] for k, axis in loop.axes.items())
        size = self._size(Tile(self.program, loop, outs, low, high).piece(), high - low)
        if size is None:
            return None
        most = MOST_CODES if any(is_triangle(steps[k]) for k in loop.axes) else MOST_TILES
        size = max(size, -(-(high - low) // most))
        if 2 * size > high - low or any(self._ragged(k, axis, size) for k, axis in loop.axes.items() if k in outs):
            return None
        count = -(-(high - low) // size)
        size = -(-(high - low) // count)
        codes: dict[tuple[Any, ...], tuple[int, int, Fragment]] = {}
        made: list[tuple[Code, int]] = []
        rows: list[Row] = []
        arrays: dict[int, Labels | None] = {}
        for start in range(low, high, size):
            tile = Tile(self.program, loop, outs, start, min(start + size, high))
            if tile.key not in codes:
                piece = tile.piece()
                codes[tile.key] = len(made), start, piece
                made.append(self._code(piece, parts=True))
                for one, order in zip(piece.results, made[-1][0].orders, strict=True):
                    if one.box is not None:
                        laid = tuple(sorted(order)) if self.order == "C" else order
                        arrays.setdefault(one.value, laid if one.axis is not None else None)
            number, first, piece = codes[tile.key]
            takes, gives = (tuple(one.moved(start - first) for one in own) for own in (piece.inputs, piece.results))
            rows.append((number, takes, gives))
        numbers = loop.steps
        span = f"v{numbers[0]} to v{numbers[-1]}, {len(numbers)} steps"
        self.notes.append(f"{span}, run in {len(rows)} tiles of {size}")
        return StageCode(tuple(made), tuple(rows), arrays)

    def _size(self, piece: Fragment, length: int) -> int | None:
        """The places of a tile, from what the piece of all of them needs; None where that is little beside results."""
        peak, given = self._emitted(piece).peak, [one.value for one in piece.inputs if one.axis is not None]
        if peak < BESIDE * sum(self._bytes(one.value) for one in piece.results):
            return None
        return max(1, WORKING_SET * length // (peak + sum(map(self._bytes, given))))

    def _bytes(self, k: int) -> int:
        return prod(self.program.steps[k].shape) * self.dtypes[k].itemsize

    def _ragged(self, k: int, axis: int, size: int) -> bool:
        return axis > 0 and size * prod(self.program.steps[k].shape[axis + 1 :]) * self.dtype.itemsize < LEAST

    def _emitted(self, piece: Fragment, targets: Mapping[int, str] | None = None, order: str | None = None) -> Code:
        names = [f"v{k}" for k in range(len(piece.inputs))]
        mixed = [name for name, one in zip(names, piece.inputs, strict=True) if self.complex[one.value]]
        dtype = self.dtype if mixed or self.dtype.kind != "c" else np.zeros(0, self.dtype).real.dtype
        return emit(piece.program, dict(zip(names, _arguments(len(names)), strict=True)), dtype, mixed, order, targets)

    def _code(self, piece: Fragment, parts: bool = False) -> tuple[Code, int]:
        """The lines of a piece, whose inputs are wanted from now on; some results may be `parts` of arrays."""
        self.wanted |= {one.value for one in piece.inputs}
        rows = zip(piece.program.results, piece.results, strict=True)
        written = [k for k, one in rows if parts and one.box is not None and one.axis is not None]
        arguments = _arguments(len(piece.inputs) + len(written))
        targets = dict(zip(written, arguments[len(piece.inputs) :], strict=True))
        code = self._emitted(piece, targets, None if parts else self.order)
        for k, own in piece.made.items():
            self.kernels[k] = code.kernels[own]
        return code, len(arguments)

    def _peak(self, parts: Sequence[StageCode]) -> int:
        """The most bytes at once."""
        steps, held = self.program.steps, dict[int, int]()

        def size(k: int) -> int:
            return self._bytes(k) if k < len(steps) else 0

        fixed = {
            x.value for part in parts for _, takes, _ in part.rows for x in takes if isinstance(steps[x.value], Known)
        }
        most = 0
        for part in parts:
            given = {x.value for _, _, gives in part.rows for x in gives}
            new = {k: size(k) for k in given}
            there = sum(held.values()) + sum(map(size, part.made))
            most = max(most, there + max(code.peak for code, _ in part.codes))
            held |= new
            held = {k: n for k, n in held.items() if k not in part.gone}
        return most + sum(map(size, fixed))


def _steps(stage: Stage) -> list[int]:
    return stage.steps if isinstance(stage, Loop) else sorted(stage)


def _freed(parts: Sequence[StageCode], results: Collection[int]) -> tuple[StageCode, ...]:
    """The parts, each with the values that are read there last."""
    last: dict[int, int] = {}
    for number, part in enumerate(parts):
        for _, takes, gives in part.rows:
            last |= {one.value: number for one in (*takes, *gives)}
    return tuple(
        part._replace(gone=tuple(sorted(k for k, at in last.items() if at == number and k not in results)))
        for number, part in enumerate(parts)
    )
