"""A program for NumPy at given sizes, whole or in chunks, with its memory: it is compiled, evaluated or foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.request import unit_axes
from indexcalc.engine.compile.chunks import Chunks, chunks, in_chunks
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.limits import require_fit
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Program
from indexcalc.engine.report import Plan
from indexcalc.errors import Asked
from indexcalc.graph.node import Node
from indexcalc.index import Dimension


class Job(NamedTuple):
    """What is to be computed: roots, of inputs that have these names and dimensions, and how.

    `order` is that of the results in memory, `units` the index that gives each its unit axes, `single` says that the
    one result comes by itself, not in a list, `whole` that nothing may be cut into chunks, `quiet` that nothing warns.
    """

    roots: tuple[Node, ...]
    dims: Mapping[str, Sequence[Dimension]]
    options: Options
    order: str | None = None
    units: Sequence[tuple[slice | None, ...]] = ()
    single: bool = False
    whole: bool = False
    quiet: bool = False

    @property
    def arguments(self) -> list[str]:
        """What the inputs are called in the lines."""
        return [f"a_{name}" for name in self.dims]


class Arranged(NamedTuple):
    """The program, of one chunk where it is `cut` along a dimension, its lines, and its `whole` program."""

    program: Program
    code: Code
    whole: Program
    cut: tuple[str, Chunks] | None = None

    @property
    def plan(self) -> Plan:
        """What it does, to be shown."""
        return Plan(self.program, self.code.kernels, self.code.peak, self.program.notes)

    def require(self, limit: int, dtype: Any, asked: str | Asked, instead: str) -> None:
        """It needs at most `limit` bytes at once beside its inputs, or it is an error."""
        require_fit(self.whole, self.code.peak, np.dtype(dtype).itemsize, limit, asked, instead)


def arrange(job: Job, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str] = ()) -> Arranged:
    """The program for these sizes and this common dtype; where that is complex, the inputs that are `mixed` are so."""
    program = _planned(job, sizes)
    found = None if job.whole else chunks(program, job.dims, np.dtype(dtype).itemsize)
    if found is None:
        return Arranged(program, lines_of(job, program, dtype, mixed), program)
    symbol, cut = found
    note = f"runs in chunks of {cut.step} along {symbol}; the steps are those of one"
    chunk = _planned(job, {**sizes, symbol: cut.step})
    chunk = replace(chunk, notes=(*chunk.notes, note))
    code = lines_of(job._replace(order=None), chunk, dtype, mixed)
    results = sum(prod(program.steps[value].shape) for value in program.results) * np.dtype(dtype).itemsize
    return Arranged(chunk, code._replace(peak=code.peak + results), program, found)


def lines_of(job: Job, program: Program, dtype: Any, mixed: Sequence[str] = ()) -> Code:
    """The lines of a program."""
    names = dict(zip(job.dims, job.arguments, strict=True))
    code = emit(program, names, dtype, mixed, job.order)
    results = code.results
    if job.order == "C":
        axes = [program.steps[value].shape for value in program.results]
        results = tuple(f"ascontiguousarray({x})" if own else x for x, own in zip(results, axes, strict=True))
    units = job.units or ((),) * len(results)
    return code._replace(results=tuple(f"{x}{unit_axes(own)}" for x, own in zip(results, units, strict=True)))


def function(
    job: Job, made: Arranged, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str] = ()
) -> Callable[..., Any]:
    """The program as a function of the arrays, which it does not check."""
    if made.cut is None:
        return function_of(made.code, job.arguments, job.single, quiet=job.quiet or made.code.quiet)
    symbol, cut = made.cut

    def part(length: int) -> Callable[..., Any]:
        code = lines_of(job._replace(order=None), _planned(job, {**sizes, symbol: length}), dtype, mixed)
        return function_of(code, job.arguments, job.single, quiet=job.quiet or code.quiet)

    return in_chunks(cut, list(job.dims), part, job.single, job.order)


def _planned(job: Job, sizes: Mapping[str, int]) -> Program:
    return planned(job.roots, tuple(sorted(sizes.items())), job.options)
