"""Expressions as a function of arrays, planned once for each set of sizes and called often."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.given import with_functions
from indexcalc.engine.bind.inputs import cast, common_dtype, to_array
from indexcalc.engine.bind.request import Request, unit_axes
from indexcalc.engine.compile.chunks import chunks, in_chunks
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.limits import largest_shape, memory_limit, require_fit
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Program
from indexcalc.engine.report import Plan
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import InputError
from indexcalc.surface import public

MOST_PLANS = 64
"""Plans that a compiled function keeps, one for each set of sizes and dtypes that it has met: an arbitrary budget,
which bounds its memory; the oldest goes."""


class OtherShapes(Exception):
    """The arrays are not those that the program at hand was made for."""


@public
class Compiled:
    """A function of arrays. `plan` says what it does; it is made at the first call, or when `sizes` are given."""

    def __init__(
        self,
        outputs: Evaluable | Sequence[Evaluable],
        inputs: Evaluable | Sequence[Evaluable],
        options: Options,
        order: str | None,
        limit: int | None,
    ) -> None:
        self.request = Request(outputs, inputs, "compile", options.reassociate)
        self.names = self.request.names
        self.made_of: tuple[Any, ...] = (outputs, self.names, options, order, limit)
        self.sizes: dict[str, int] | None = None
        self.options, self.order = options, order
        self.limit = memory_limit() if limit is None else limit
        self._programs: dict[Any, tuple[Callable[..., Any], Plan]] = {}
        self._fast: Callable[..., Any] | None = None
        self._plan: Plan | None = None

    def __call__(self, /, *arrays: Any, **named: Any) -> Any:
        """The values of the outputs: one for one, a list for a list. Named gradients and functions come by name."""
        fast = self._fast
        if fast is not None and not named and len(arrays) == len(self.names):
            try:
                return fast(*arrays)
            except OtherShapes:
                pass
        return self._slow(arrays, named)

    @property
    def plan(self) -> Plan:
        """What the last call did: its steps, their shapes and kernels, operations and bytes."""
        if self._plan is None:
            raise InputError(self.request.asked, "no sizes are known yet", "call it, or compile with sizes={'n': 100}")
        return self._plan

    def __reduce__(self) -> tuple[Any, ...]:
        """What it was made of: programs are made again where it is read."""
        return type(self), self.made_of, self.sizes

    def __setstate__(self, sizes: Mapping[str, int]) -> None:
        self.plan_for(sizes)

    def __repr__(self) -> str:
        return f"compiled({', '.join(map(str, self.request.outputs))}; {', '.join(self.request.names)})"

    # -------------------------------------------------------------- the first call with new shapes

    def _slow(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> Any:
        bound, extents, functions = self.request.bound(arrays, named)
        functions = {name: f if callable(f) else to_array(f, name) for name, f in functions.items()}
        by_name = {variable.label: array for variable, array in bound.items()}
        used = {variable.label for variable in self.request.used}
        dtype = common_dtype(array for name, array in by_name.items() if name in used)
        ready = [cast(np.asarray(by_name[name]), dtype) for name in self.names]
        key = (tuple(a.shape for a in ready), tuple(sorted(extents.items())), dtype, tuple(a.dtype for a in ready))
        known = self._programs.get(key)
        if known is None:
            check_declared({variable: array for variable, array in bound.items() if variable.label in used})
            known = self._made(key, extents, dtype, ready, tuple(named))
        program, self._plan = known
        if functions or self.request.functions:
            program = with_functions(program, functions, self.request.functions, dtype)
        return program(*ready)

    def _made(
        self, key: Any, sizes: Mapping[str, int], dtype: Any, arrays: Sequence[Any], named: Sequence[str]
    ) -> tuple[Callable[..., Any], Plan]:
        program = self.prepared(sizes, dtype)
        itemsize = np.dtype(dtype).itemsize
        mixed = [name for name, array in zip(self.names, arrays, strict=True) if array.dtype.kind == "c"]
        found = chunks(program, {v.label: v.dims for v in self.request.used}, itemsize)
        if found is not None and not self.request.functions:
            symbol, cut = found
            made = in_chunks(cut, self.names, lambda n: self._function({**sizes, symbol: n}, dtype, mixed),
                             self.request.single, self.order)  # fmt: skip
            whole, program = program, self.prepared({**sizes, symbol: cut.step}, dtype)
            note = f"runs in chunks of {cut.step} along {symbol}; the steps are those of one"
            entries = sum(prod(whole.steps[value].shape) for value in whole.results)
            program = replace(program, notes=(*program.notes, note))
            code = self._code(program, dtype, mixed)
            code = code._replace(peak=code.peak + entries)
            self._fast = self._checked(made, arrays)
        else:
            code = self._code(program, dtype, mixed, self.order)
            names = self._arguments
            made = function_of(code, names, self.request.single, quiet=code.quiet)
            if not self.request.functions and not named:
                space = {"Other": OtherShapes, "ndarray": np.ndarray, "float64": np.float64}
                self._fast = function_of(code, names, self.request.single, quiet=code.quiet,
                                         first=_checks(names, arrays), space=space)  # fmt: skip
        if len(self._programs) >= MOST_PLANS:
            oldest, *_ = list(self._programs)
            self._programs.pop(oldest, None)  # another thread may have been faster
        self._programs[key] = known = made, Plan(program, code.kernels, code.peak, itemsize, program.notes)
        return known

    def _code(self, program: Program, dtype: Any, mixed: Sequence[str] = (), order: str | None = None) -> Code:
        code = emit(program, dict(zip(self.names, self._arguments, strict=True)), dtype, mixed, order)
        results = code.results
        if order == "C":
            axes = [program.steps[value].shape for value in program.results]
            results = tuple(f"ascontiguousarray({x})" if own else x for x, own in zip(results, axes, strict=True))
        shown = zip(results, self.request.units, strict=True)
        return code._replace(results=tuple(f"{result}{unit_axes(units)}" for result, units in shown))

    @property
    def _arguments(self) -> list[str]:
        """What the inputs are called in the lines."""
        return [f"a_{name}" for name in self.names]

    def _function(self, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str]) -> Callable[..., Any]:
        """The function for these sizes, without checks."""
        code = self._code(self.prepared(sizes), dtype, mixed)
        return function_of(code, self._arguments, self.request.single, quiet=code.quiet)

    def _checked(self, function: Callable[..., Any], arrays: Sequence[Any]) -> Callable[..., Any]:
        """A function that takes no other arrays than such."""
        names = self._arguments
        code = Code((), (), {}, (), 0, False)
        space = {"Other": OtherShapes, "ndarray": np.ndarray, "float64": np.float64}
        check = function_of(code, names, False, first=_checks(names, arrays), space=space)

        def checked(*given: Any) -> Any:
            check(*given)
            return function(*(np.float64(value) if type(value) is float else value for value in given))

        return checked

    def plan_for(self, sizes: Mapping[str, int]) -> None:
        """Plans for these sizes, by symbol."""
        self.sizes = self.request.sizes(sizes)
        if not self.request.settled(self.sizes):
            return
        program = self.prepared(self.sizes)
        code = self._code(program, np.float64, order=self.order)
        self._plan = Plan(program, code.kernels, code.peak, 8, program.notes)

    def prepared(self, sizes: Mapping[str, int], dtype: Any = np.float64) -> Program:
        """The program for these sizes; one that needs more memory than there may be is an error."""
        program = planned(tuple(self.request.roots), tuple(sorted(sizes.items())), self.options)
        instead = "keep it as factors, .compressed(...); evaluate less of it at once; or give a larger memory_limit"
        require_fit(largest_shape(program), np.dtype(dtype).itemsize, self.limit, self.request.asked, instead)
        return program


def _checks(names: Sequence[str], arrays: Sequence[Any]) -> list[str]:
    """The lines that take a plain number as a scalar, and send arrays of another type, shape or dtype away."""
    lines, tests = [], []
    for name, array in zip(names, arrays, strict=True):
        kinds = "(ndarray,)"
        if not array.shape and array.dtype.char == "d":
            lines.append(f"if type({name}) is float: {name} = float64({name})")
            kinds = "(ndarray, float64)"
        tests.append(f"type({name}) not in {kinds} or {name}.shape != {array.shape}")
        tests.append(f"{name}.dtype.char != {array.dtype.char!r}")
    return [*lines, f"if {' or '.join(tests)}: raise Other"] if tests else []
