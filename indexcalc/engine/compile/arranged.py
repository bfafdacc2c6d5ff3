"""A program for NumPy at given sizes, whole or tile by tile, with its memory: it is compiled, evaluated or foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.request import unit_axes
from indexcalc.engine.compile.loops import Loop, stages
from indexcalc.engine.compile.staged import Staged, staged
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.limits import require_fit
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Program
from indexcalc.engine.report import Plan
from indexcalc.errors import Asked
from indexcalc.graph.node import Node
from indexcalc.index import Dimension

SHARE = 1.0
"""Of the memory that a program takes whole, what it may take tile by tile."""


class Job(NamedTuple):
    """What is to be computed: roots, of inputs that have these names and dimensions, and how.

    `order` is that of the results in memory, `units` the index that gives each its unit axes, `single` says that the
    one result comes by itself, not in a list, `whole` that nothing may be cut into tiles, `quiet` that nothing warns.
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
    """The program, and its lines, or what runs it tile by tile; the kernel of each step, and the most bytes at once."""

    program: Program
    code: Code | Staged

    @property
    def plan(self) -> Plan:
        """What it does, to be shown."""
        return Plan(self.program, self.code.kernels, self.code.peak, self.program.notes)

    def require(self, limit: int, dtype: Any, asked: str | Asked, instead: str) -> None:
        """It needs at most `limit` bytes at once beside its inputs, or it is an error."""
        require_fit(self.program, self.code.peak, np.dtype(dtype).itemsize, limit, asked, instead)


def arrange(job: Job, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str] = ()) -> Arranged:
    """The program for these sizes and this common dtype; where that is complex, the inputs that are `mixed` are so.

    It runs tile by tile where that takes no more memory.
    """
    options = job.options._replace(real=np.dtype(dtype).kind != "c")
    program = planned(job.roots, tuple(sorted(sizes.items())), options)
    code = lines_of(job, program, dtype, mixed)
    sums = job.options.reassociate != "safe"
    parts = [] if job.whole else stages(program, np.dtype(dtype).itemsize, sums)
    made = staged(program, parts, dtype, mixed, job.order) if any(isinstance(part, Loop) for part in parts) else None
    if made is None or made.peak > SHARE * code.peak:
        return Arranged(program, code)
    return Arranged(replace(program, notes=(*program.notes, *made.notes)), made)


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


def function(job: Job, made: Arranged) -> Callable[..., Any]:
    """The program as a function of the arrays, which it does not check."""
    if isinstance(made.code, Code):
        return function_of(made.code, job.arguments, job.single, quiet=job.quiet or made.code.quiet)
    names, run = list(job.dims), made.code.function(job.quiet)
    units = job.units or ((),) * len(made.program.results)

    def called(*arrays: Any) -> Any:
        results = run(dict(zip(names, arrays, strict=True)))
        results = [value[own] if own else value for value, own in zip(results, units, strict=True)]
        return results[0] if job.single else results

    return called
