"""`ic.compile`: expressions as a function of arrays, planned once for each set of sizes and called often."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from indexcalc.errors import Asked, InputError, KindError, did_you_mean
from indexcalc.evaluate.chunks import chunks, in_chunks
from indexcalc.evaluate.declared import check_declared
from indexcalc.evaluate.front import _ordered, _standing
from indexcalc.evaluate.given import with_functions
from indexcalc.evaluate.inputs import bind, cast, common_dtype, to_array
from indexcalc.evaluate.limits import largest_shape, memory_limit, require_fit
from indexcalc.evaluate.numpy_code import emit
from indexcalc.evaluate.numpy_function import Code, function_of
from indexcalc.evaluate.plan import Options, plan
from indexcalc.evaluate.program import Program
from indexcalc.evaluate.report import Plan
from indexcalc.graph.node import Call, Node, Variable
from indexcalc.graph.simplify import simplify
from indexcalc.graph.walk import topological, variables
from indexcalc.layout.project import Layout
from indexcalc.notation.view import View, join_inputs

MOST_PLANS = 64


class OtherShapes(Exception):
    """The arrays are not those that the program at hand was made for."""


class Compiled:
    """A function of arrays. `plan` says what it does; it is made at the first call, or when `sizes` are given."""

    def __init__(
        self,
        outputs: View | Sequence[View],
        inputs: View | Sequence[View],
        options: Options,
        order: str | None,
        limit: int | None,
    ) -> None:
        self.single = isinstance(outputs, View)
        self.outputs: tuple[View, ...] = (outputs,) if isinstance(outputs, View) else tuple(outputs)
        if not self.outputs or not all(isinstance(view, View) for view in self.outputs):
            found = "it has to be an expression, or several"
            raise KindError(f"compile {outputs!r}", found, "write ic.compile(y, (x,))")
        self.options, self.order = options, order
        self.limit = memory_limit() if limit is None else limit
        self.asked = Asked(lambda: f"compile {', '.join(map(str, self.outputs))}")
        self.names = _names((inputs,) if isinstance(inputs, View) else tuple(inputs), self.asked)
        self.roots: list[Node] = simplify([_ordered(view, None) for view in self.outputs])
        self.inputs = join_inputs(self.outputs)
        self.standing = {name: kind for view in self.outputs for name, kind in _standing(view).items()}
        self.functions = {n.name: n for n in topological(self.roots) if isinstance(n, Call)}
        self._check_names()
        self._programs: dict[Any, Callable[..., Any]] = {}
        self._plans: dict[Any, Plan] = {}
        self._fast: Callable[..., Any] | None = None
        self._plan: Plan | None = None

    def _check_names(self) -> None:
        known = {variable.label for variable in self.inputs}
        for name in self.names:
            if name not in known:
                raise InputError(self.asked, f"{name} is no tensor of it", did_you_mean(name, known))
        missing = [v.label for v in variables(self.roots) if v.label not in self.names]
        if missing:
            shown = ", ".join([*self.names, *missing])
            raise InputError(self.asked, f"no input for {', '.join(missing)}", f"give the inputs ({shown})")

    def __call__(self, *arrays: Any, **named: Any) -> Any:
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
            raise InputError(self.asked, "no sizes are known yet", "call it first, or compile with sizes={'n': 100}")
        return self._plan

    def __repr__(self) -> str:
        return f"compiled({', '.join(map(str, self.outputs))}; {', '.join(self.names)})"

    # -------------------------------------------------------------- the first call with new shapes

    def _slow(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if len(arrays) != len(self.names):
            shown = ", ".join(self.names)
            raise InputError(self.asked, f"{len(arrays)} arrays for {len(self.names)} inputs", f"give ({shown})")
        given, sizes, functions = dict(zip(self.names, arrays, strict=True)), {}, {}
        for name, value in named.items():
            if name in self.functions:
                functions[name] = value if callable(value) else to_array(value, name)
            else:
                sizes[name] = value
        bound, extents = bind(self.inputs, given, sizes, roots=self.roots, standing=self.standing)
        by_name = {variable.label: array for variable, array in bound.items()}
        used = {variable.label for variable in variables(self.roots)}
        dtype = common_dtype(array for name, array in by_name.items() if name in used)
        ready = [cast(np.asarray(by_name[name]), dtype) for name in self.names]
        key = (tuple(a.shape for a in ready), tuple(sorted(extents.items())), dtype, tuple(a.dtype for a in ready))
        program = self._programs.get(key)
        if program is None:
            check_declared({variable: array for variable, array in bound.items() if variable.label in used})
            program = self._made(key, extents, dtype, ready, tuple(named))
        self._plan = self._plans[key]
        if functions or self.functions:
            program = with_functions(program, functions, self.functions, dtype)
        return program(*ready)

    def _made(
        self, key: Any, sizes: Mapping[str, int], dtype: Any, arrays: Sequence[Any], named: Sequence[str]
    ) -> Callable[..., Any]:
        program = self.prepared(sizes, dtype)
        itemsize = np.dtype(dtype).itemsize
        mixed = [name for name, array in zip(self.names, arrays, strict=True) if array.dtype.kind == "c"]
        found = chunks(program, {v.label: v.dims for v in variables(self.roots)}, itemsize)
        if found is not None and not self.functions:
            symbol, cut = found
            made = in_chunks(cut, self.names, lambda n: self._function({**sizes, symbol: n}, dtype, mixed), self.single)
            program = self.prepared({**sizes, symbol: cut.step}, dtype)
            note = f"runs in chunks of {cut.step} along {symbol}; the figures are those of one"
            program = replace(program, notes=(*program.notes, note))
            code = self._code(program, dtype, mixed)
            self._fast = self._checked(made, arrays)
        else:
            code = self._code(program, dtype, mixed)
            names = self._arguments
            made = function_of(code, names, self.single, self.order, quiet=code.quiet)
            if not self.functions and not named:
                space = {"Other": OtherShapes, "ndarray": np.ndarray, "float64": np.float64}
                self._fast = function_of(code, names, self.single, self.order, quiet=code.quiet,
                                         checks=_checks(names, arrays), space=space)  # fmt: skip
        if len(self._programs) >= MOST_PLANS:
            oldest = next(iter(self._programs))
            del self._programs[oldest], self._plans[oldest]
        self._programs[key] = made
        self._plans[key] = Plan(program, code.kernels, code.workspace, itemsize, program.notes)
        return made

    def _code(self, program: Program, dtype: Any, mixed: Sequence[str] = ()) -> Code:
        code = emit(program, dict(zip(self.names, self._arguments, strict=True)), dtype, mixed)
        shown = zip(code.results, self.outputs, strict=True)
        return code._replace(results=tuple(f"{result}{_unit_axes(view)}" for result, view in shown))

    @property
    def _arguments(self) -> list[str]:
        """What the inputs are called in the lines."""
        return [f"a_{name}" for name in self.names]

    def _function(self, sizes: Mapping[str, int], dtype: Any, mixed: Sequence[str]) -> Callable[..., Any]:
        """The function for these sizes, without checks."""
        code = self._code(plan(self.roots, sizes, self.options), dtype, mixed)
        return function_of(code, self._arguments, self.single, quiet=code.quiet)

    def _checked(self, function: Callable[..., Any], arrays: Sequence[Any]) -> Callable[..., Any]:
        """A function that takes no other arrays than such."""
        names = self._arguments
        code = Code((), (), {}, (), (), False)
        space = {"Other": OtherShapes, "ndarray": np.ndarray, "float64": np.float64}
        check = function_of(code, names, False, checks=_checks(names, arrays), space=space)

        def checked(*given: Any) -> Any:
            check(*given)
            return function(*(np.float64(value) if type(value) is float else value for value in given))

        return checked

    def prepared(self, sizes: Mapping[str, int], dtype: Any = np.float64) -> Program:
        """The program for these sizes; one that needs more memory than there may be is an error."""
        program = plan(self.roots, sizes, self.options)
        instead = "keep it as factors, .compressed(...); evaluate less of it at once; or give a larger memory_limit"
        require_fit(largest_shape(program), np.dtype(dtype).itemsize, self.limit, self.asked, instead)
        return program


def _unit_axes(view: View) -> str:
    """What gives a laid out result the unit axes that it shows: a row is (1, n)."""
    if not isinstance(view, Layout) or None not in view.places:
        return ""
    return f"[{', '.join('None' if place is None else ':' for place in view.places)}]"


def _names(inputs: Sequence[Any], asked: Asked) -> tuple[str, ...]:
    names = []
    for value in inputs:
        if isinstance(value, str):
            names.append(value)
        elif isinstance(value, View) and isinstance(value.node, Variable):
            names.append(value.node.label)
        else:
            raise KindError(asked, f"{value!r} is no tensor", "give the tensors that it is a function of, as (X, w)")
    for name in names:
        if names.count(name) > 1:
            raise InputError(asked, f"{name} is given twice", "give it once")
    return tuple(names)


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


def compile_expressions(
    outputs: View | Sequence[View],
    inputs: View | Sequence[View],
    *,
    sizes: Mapping[str, int] | None = None,
    order: str | None = None,
    optimize: Any = None,
    reassociate: str = "full",
    memory_limit: int | None = None,
) -> Compiled:
    """A function of arrays that computes the outputs, fast: one in, one out; a list, a list.

    One program is made for all outputs together: contraction orders, shared work, kernels and buffers are chosen when
    the sizes are known, at the first call or from `sizes` by symbol, and kept for further calls with these sizes.
    Results may have any strides unless `order="C"`. `optimize` is what opt_einsum takes and fixes each product's own
    order. `reassociate="safe"` multiplies no difference out. An array beyond `memory_limit` bytes (half of the
    machine's memory) is an error before anything is computed.

    Inputs are trusted to be what their tensors were declared, after a check at the first call with new sizes.

    >>> import indexcalc as ic
    >>> X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    >>> loss = ((X @ w - y)**2).sum()
    >>> f = ic.compile([loss, ic.grad(loss, w)], (X, w, y))
    >>> f(np.eye(2), np.array([1.0, 2.0]), np.zeros(2))
    [np.float64(5.0), array([2., 4.])]
    """
    if reassociate not in ("full", "safe"):
        raise InputError("compile", f"reassociate={reassociate!r}", 'write "full" or "safe"')
    if order not in (None, "C", "K"):
        raise InputError("compile", f"order={order!r}", 'write "C", or leave it out for any strides')
    made = Compiled(outputs, inputs, Options(optimize, reassociate), order, memory_limit)
    if sizes is not None:
        program = made.prepared(sizes)
        code = made._code(program, np.float64)
        made._plan = Plan(program, code.kernels, code.workspace, 8, program.notes)
    return made
