"""Expressions as a function of arrays, planned once for each set of sizes and called often."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.given import with_functions
from indexcalc.engine.bind.inputs import cast, common_dtype, to_array
from indexcalc.engine.bind.own import with_own
from indexcalc.engine.bind.request import Request
from indexcalc.engine.compile.arranged import Arranged, Job, arrange, function
from indexcalc.engine.compile.source import to_source
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.limits import memory_limit
from indexcalc.engine.plan.plan import Options, planned
from indexcalc.engine.program import Program
from indexcalc.engine.report import Plan
from indexcalc.engine.wanted import Evaluable
from indexcalc.errors import InputError
from indexcalc.graph.walk import paused_collection
from indexcalc.progress import Callback, telling
from indexcalc.surface import public

MOST_PLANS = 64
"""Plans that a compiled function keeps, one for each set of sizes and dtypes that it has met: an arbitrary budget,
which bounds its memory; the oldest goes."""


INSTEAD = "keep it as factors, .compressed(...); evaluate less of it at once; or give a larger memory_limit"
"""What to do where a program needs too much memory."""


class OtherShapes(Exception):
    """The arrays are not those that the program at hand was made for."""


@public
class Compiled:
    """A function of arrays. `plan` says what it does, `source` how: once it is called, or `sizes` are given."""

    target = "numpy"

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
        self.options = options
        self.progress: Callback | None = None
        self.limit = memory_limit() if limit is None else limit
        dims = {v.label: v.dims for v in self.request.inputs}
        self.job = Job(
            tuple(self.request.roots),
            {name: dims[name] for name in self.names},
            options,
            order,
            self.request.units,
            self.request.single,
            whole=bool(self.request.functions),
        )
        self._programs: dict[Any, tuple[Callable[..., Any], Plan]] = {}
        self._fast: Callable[..., Any] | None = None
        self._plan: Plan | None = None
        self._extents: Mapping[str, int] = {}
        self.__name__ = "program"

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

    @property
    def source(self) -> str:
        """What the last call ran, as the text of a module: `to_source` for its sizes."""
        if self.plan and not self.target:
            found = "the steps of blocks are functions of the library, which have no text"
            raise InputError(self.request.asked, found, 'ic.to_source(outputs, inputs, target="numpy")')
        outputs = list(self.request.outputs)
        return to_source(
            outputs[0] if self.request.single else outputs,
            self.names,
            target=self.target,
            sizes=self._extents,
            optimize=self.options.optimize,
            reassociate=self.options.reassociate,
        )

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
        self._extents = extents
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
            functions = with_own(functions, self.request.functions, "numpy")
            program = with_functions(program, functions, self.request.functions, dtype)
        return program(*ready)

    def _made(
        self, key: Any, sizes: Mapping[str, int], dtype: Any, arrays: Sequence[Any], named: Sequence[str]
    ) -> tuple[Callable[..., Any], Plan]:
        mixed = [name for name, array in zip(self.names, arrays, strict=True) if array.dtype.kind == "c"]
        found = self._arranged(sizes, dtype, mixed)
        made = function(self.job, found)
        if not isinstance(found.code, Code):
            self._fast = self._checked(made, arrays)
        elif not self.request.functions and not named:
            space = {"Other": OtherShapes, "ndarray": np.ndarray, "float64": np.float64}
            names = self.job.arguments
            self._fast = function_of(found.code, names, self.request.single, quiet=found.code.quiet,
                                     first=_checks(names, arrays), space=space)  # fmt: skip
        if len(self._programs) >= MOST_PLANS:
            oldest, *_ = list(self._programs)
            self._programs.pop(oldest, None)  # another thread may have been faster
        self._programs[key] = known = made, found.plan
        return known

    def _arranged(self, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str] = ()) -> Arranged:
        """The program for these sizes; one that needs more memory than it may is an error."""
        with telling(self.progress), paused_collection():
            found = arrange(self.job, sizes, dtype, mixed)
        found.require(self.limit, dtype, self.request.asked, INSTEAD)
        return found

    def _program(self, sizes: Mapping[str, int], real: bool = True) -> Program:
        """The steps for these sizes, and for real or complex inputs, before a library has them."""
        with telling(self.progress):
            return planned(tuple(self.request.roots), tuple(sorted(sizes.items())), self.options._replace(real=real))

    def _checked(self, function: Callable[..., Any], arrays: Sequence[Any]) -> Callable[..., Any]:
        """A function that takes no other arrays than such."""
        names = self.job.arguments
        code = Code((), (), {}, (), 0, False, {})
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
        self._plan, self._extents = self._arranged(self.sizes, np.float64).plan, self.sizes


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
