"""The lines of a program as they are written: what is known of the step at hand, and the names that lines use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import to_float
from indexcalc.engine.emit.numpy.buffers import Buffers
from indexcalc.engine.emit.numpy.function import SPACE, Stored
from indexcalc.engine.emit.numpy.kernels import Operand, einsum_code, viewed
from indexcalc.engine.emit.patterns import at_once, check_real, complex_values
from indexcalc.engine.program import Program, Step, Use
from indexcalc.functions.table import ElementwiseFunction, ReductionFunction
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number
from indexcalc.index import Dimension

Guard = Callable[[Callable[..., Any]], Callable[..., Any]]


class NumpyLines:
    """Lines, the `space` of names that they use, and of the `step` at hand its `number`, `name` and `kernel`.

    `complex` says which values are complex, `real` is the dtype of the others and `dtype` the widest. `waiting` has how
    the values are stored that a step before has made at once, and `small` the names of cofactors and determinants.
    """

    number: int
    step: Step
    name: str
    kernel: str

    def __init__(
        self,
        program: Program,
        names: Mapping[str, str],
        dtype: Any,
        complex_inputs: Collection[str] | None = None,
        order: str | None = None,
        targets: Mapping[int, str] | None = None,
        placed: Collection[int] = (),
    ) -> None:
        self.program, self.names, self.order = program, names, order
        self.real: np.dtype[Any] = np.zeros(0, dtype).real.dtype
        mixed = np.dtype(dtype).kind == "c"
        self.complex = complex_values(program, (names if complex_inputs is None else complex_inputs) if mixed else None)
        check_real(program, self.complex, np.dtype(dtype))
        self.dtype: np.dtype[Any] = np.result_type(dtype, 1j) if any(self.complex) else np.dtype(dtype)
        self.constants: dict[str, Callable[[], Any]] = {}
        self.space = {**SPACE, "dtype": self.dtype, "real": self.real}
        self.at_once = at_once(program, real=not any(self.complex), shares=self.shares)
        self.buffers = Buffers(program, self.dtype.itemsize, self.complex, self.at_once, placed)
        self.lines: list[str] = []
        self.targets, self.written, self.placed = targets or {}, set[int](), placed
        self.flat: tuple[int, ...] = ()
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.quiet = False
        self.waiting: dict[int, tuple[Labels, Labels]] = {}
        self.small: dict[tuple[int, Labels], tuple[str, str]] = {}
        self.reading: list[list[int]] = [[] for _ in program.steps]
        for number, step in enumerate(program.steps):
            for value in dict.fromkeys(use.value for use in step.uses):
                self.reading[value].append(number)

    def shares(self, function: Callable[..., Any]) -> bool:
        """May the function that gives several values at once be called?"""
        return True

    def begin(self, number: int) -> None:
        """The next step."""
        self.number, self.step, self.name, self.kernel = number, self.program.steps[number], self.local("v", number), ""
        self.buffers.begin(number)

    def end(self) -> None:
        """The step is done: what it read for the last time is freed."""
        if dead := self.buffers.end():
            self.lines.append(f"del {', '.join(dead)}")

    # -------------------------------------------------------------- operands

    def stored(self, use: Use) -> Stored:
        """How an operand is held."""
        return self.buffers.stored[use.value]

    def operand(self, use: Use) -> Operand:
        """An operand of a step, its labels as they are stored; a diagonal where one repeats."""
        held = self.stored(use)
        labels = tuple(use.labels[axis] for axis in held.order)
        if len(set(labels)) == len(labels):
            return Operand(held.name, labels, held.contiguous)
        distinct = tuple(dict.fromkeys(labels))
        return Operand(einsum_code([Operand(held.name, labels)], distinct), distinct, False)

    def logical(self, value: int) -> str:
        """A value with its axes in their own order."""
        held = self.buffers.stored[value]
        return viewed(Operand(held.name, held.order), tuple(range(len(held.order))), {})

    # -------------------------------------------------------------- values

    def put(self, code: str, labels: Sequence[int], out: Sequence[int], view: Stored | None = None) -> None:
        """A new buffer, or a view of one, stored with these labels; the axes of the value have the labels `out`."""
        order = tuple(list(out).index(x) for x in labels)
        if view is None and self.number in self.targets:
            code = self._targeted(code, order)
        elif view is None:
            code = self._in_place(code, tuple(self.step.shape[axis] for axis in order))
        self.lines.append(f"{self.name} = {code}")
        self.buffers.keep(Stored(self.name, order, view is None, self.number if view is None else view.owner))

    def _targeted(self, code: str, order: Labels) -> str:
        """A ufunc that writes into the array that is given for the value; other code is as it was."""
        name, _, rest = code.partition("(")
        own = self.targets[self.number]
        target = own if order == tuple(range(len(order))) else f"{own}.transpose({', '.join(map(str, order))})"
        if name == "empty":
            made = target
        elif name == "zeros":
            self.lines.append(f"{own}[...] = 0")
            made = target
        elif isinstance(self.space.get(name), np.ufunc) and name != "matmul" and _is_call(rest):
            made = f"{code[:-1].rpartition(', out=')[0] if ', out=' in code[-20:] else code[:-1]}, out={target})"
        else:
            return code
        self.written.add(self.number)
        return made

    def place(self, stored: Sequence[int]) -> str:
        """The name of the place of the step's value, stored in this shape; "" where it has none."""
        self.shapes[self.number] = tuple(stored)
        return self.local("m") if self.number in self.placed else ""

    def _in_place(self, code: str, stored: tuple[int, ...]) -> str:
        """The code with a place that its value is written into, if it has one; notes where it could have one."""
        shape, self.flat = self.flat or stored, ()
        name = code.partition("(")[0]
        call, back, tail = code.rpartition(").reshape(")
        call, tail = (f"{call})", f".reshape({tail}") if back and _is_call(call.partition("(")[2] + ")") else (code, "")
        function, place = self.space.get(name), self.local("m")
        if ", out=" in code or not stored or not _is_call(call.partition("(")[2]):
            return code
        if name == "empty" and not tail:
            made = place
        elif isinstance(function, np.ufunc) and name != "matmul" and not tail:
            made = f"{code[:-1]}, out={place})"
        elif name in ("dot", "matmul", "einsum") and len({self.complex[use.value] for use in self.step.uses}) == 1:
            made = f"{call[:-1]}, out={place}){tail}"
        else:
            return code
        self.shapes[self.number] = shape if tail else stored
        return made if self.number in self.placed else code

    def alias(self, use: Use, out: Sequence[int]) -> None:
        """The value is another one with its axes in another order."""
        held = self.stored(use)
        order = tuple(list(out).index(use.labels[axis]) for axis in held.order)
        self.buffers.keep(Stored(held.name, order, held.contiguous, held.owner))

    def reused(self, code: str, labels: Sequence[int]) -> str:
        """A ufunc that writes over an operand that dies here and has the shape of the result."""
        name = self.free(labels)
        return f"{code[:-1]}, out={name})" if name else code

    def free(self, labels: Sequence[int]) -> str:
        """The operand that a ufunc may write over, since it dies here and has the shape of the result; "" for none."""
        for use in self.step.uses:
            own = tuple(use.labels[axis] for axis in self.stored(use).order)
            if own == tuple(labels) and own and (self.buffers.dying(use) or self.buffers.squared()):
                return self.buffers.over(use)
        return ""

    def store_again(self, value: int, order: Labels) -> None:
        """The value copied so that its axes are stored in this order, for all that read it from here on."""
        held = self.buffers.stored[value]
        if held.order == order and held.contiguous:
            return
        name = self.local("s", value)
        axes = tuple(held.order.index(axis) for axis in order)
        self.buffers.hold(self.buffers.size(value))
        self.lines.append(f"{name} = ascontiguousarray({held.name}.transpose{axes})")
        self.buffers.stored[value] = Stored(name, order, True, held.owner)

    # -------------------------------------------------------------- names and numbers

    @property
    def itemsize(self) -> int:
        """The bytes of an entry of the step's value."""
        return (self.dtype if self.complex[self.number] else self.real).itemsize

    @property
    def kind(self) -> str:
        """The name of the dtype of the step's value."""
        return "dtype" if self.complex[self.number] else "real"

    def kept(self, code: str) -> str:
        """What a row gives, in the precision of the program: some of SciPy's functions know double alone."""
        return code if self.real.itemsize == 8 else f"asarray({code}, {self.kind})"

    def local(self, stem: str, number: int | None = None) -> str:
        """A name that is the step's own, or that of the step with this number."""
        return f"{stem}{self.number if number is None else number}"

    def dimension(self, value: Dimension) -> str:
        """A dimension as it is written."""
        return str(value)

    def fixed(self, size: int) -> bool:
        """Is the size that of each call?"""
        return True

    def ones(self, size: int) -> str:
        """A vector of ones, made once."""
        return self.constant(f"ones{size}", partial(np.ones, size, self.real), size * self.real.itemsize)

    def places(self, shape: Sequence[int]) -> str:
        """The places of all entries of an array."""
        return self.bound(self.local("n"), tuple(np.ndindex(*shape)))

    # -------------------------------------------------------------- functions

    def entries(self, row: ElementwiseFunction, args: Sequence[str], params: Sequence[Number]) -> str:
        """A function of entries, by its row."""
        name = row.numpy.__name__ if isinstance(row.numpy, np.ufunc) else self.bound(row.name, row.numpy)
        self.space.setdefault(name, row.numpy)
        return f"{name}({', '.join([*args, *map(parameter, params)])})"

    def writes_over(self, row: ElementwiseFunction, code: str) -> bool:
        """Does the function of entries take `out`?"""
        return isinstance(row.numpy, np.ufunc) or row.out

    def along(
        self,
        row: ReductionFunction,
        function: Callable[..., Any],
        x: str,
        axes: Labels,
        params: Sequence[Number],
        over: str,
    ) -> str:
        """A function along axes of an array, as they are stored; what is `over` is written over."""
        extra = "".join(f", {parameter(p)}" for p in params)
        return f"{self.bound(row.name, function)}({x}, {axes}{extra}{over})"

    def helper(self, function: Callable[..., Any], guard: Guard | None = None) -> str:
        """The name of a function of `functions/code`, with a guard that makes its errors those of this library."""
        return self.bound(function.__name__, guard(function) if guard else function)

    def solver(self, guard: Guard) -> str:
        """The name of the function that solves for columns."""
        return self.bound("solve", guard(np.linalg.solve))

    def constant(self, name: str, make: Callable[[], Any], size: int) -> str:
        """A name for an array of so many bytes that is made with the function, and is there as long as it is."""
        if name not in self.constants:
            self.constants[name] = make
            self.buffers.hold(size)
        return name

    def bound(self, stem: str, value: Any) -> str:
        """A name for something that the lines use."""
        name = stem
        while self.space.get(name, value) is not value:
            name += "_"
        self.space[name] = value
        return name


def _is_call(rest: str) -> bool:
    """Is this, behind an opening bracket, the rest of one call, and nothing behind it?"""
    depth = 1
    for place, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return place == len(rest) - 1
    return False


def literal(number: Number) -> str:
    """A number as Python writes it: it widens no array."""
    if isinstance(number, complex):
        return repr(number)
    return repr(to_float(number, "a coefficient"))


def parameter(number: Number) -> str:
    """A parameter of a function: an integer stays one."""
    return repr(number) if isinstance(number, int) else literal(number)
