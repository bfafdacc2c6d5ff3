"""A program as straight-line NumPy: each step on its fastest kernel, buffers reused and freed, nothing copied unasked.

A value is stored with its axes in an order of its own; a transpose is a view, so each kernel gives its result in the
order that is cheapest for it, and those that read it adapt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import to_float
from indexcalc.engine.emit import kernels
from indexcalc.engine.emit.kernels import (
    Operand,
    Pair,
    broadcast,
    einsum_code,
    viewed,
)
from indexcalc.engine.emit.numpy_function import (
    SPACE,
    Code,
    Stored,
    of_nothing,
    solved,
)
from indexcalc.engine.emit.numpy_sums import write_sum
from indexcalc.engine.emit.patterns import (
    FACTORED,
    HALF,
    alongside,
    check_real,
    complex_values,
    outer_sums,
    piecewise,
    quotients,
    slopes,
    together,
)
from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Fill,
    Input,
    Invoke,
    Known,
    Map,
    Program,
    Reduce,
    Reshape,
    Solve,
    Step,
    Use,
)
from indexcalc.errors import InputError
from indexcalc.functions.elementwise import logistics, root_slope, sigmoid_slope
from indexcalc.functions.inverse import factored, small_cofactors, small_inverses
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.reductions import exponentials
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number

MANY = 40
"""From so many matrices on, their closed form beats LAPACK called for each."""
ENTRIES = 500
"""The rows or columns of a matrix of so many entries are added by BLAS."""
FREED = 2048
"""Buffers of so many bytes are freed when they are dead."""
POWERS: dict[Number, str] = {
    2: "square({0})", -1: "reciprocal({0})", HALF: "sqrt({0})", -HALF: "reciprocal(sqrt({0}))",
    3: "multiply(square({0}), {0})", -2: "reciprocal(square({0}))", -3: "reciprocal(multiply(square({0}), {0}))",
    4: "square(square({0}))", 3 * HALF: "multiply(sqrt({0}), {0})", -3 * HALF: "reciprocal(multiply(sqrt({0}), {0}))",
}  # fmt: skip
"""Powers that take less than NumPy's own, which goes through logarithms: where there are many entries."""
FEW_CALLS = {2, -1, HALF, -HALF}
"""Those that do for a few entries too."""


class Emitter:
    """Writes the lines of a program, step by step."""

    def __init__(
        self,
        program: Program,
        names: Mapping[str, str],
        dtype: Any,
        complex_inputs: Collection[str] | None,
        order: str | None,
    ) -> None:
        self.program, self.real, self.order = program, np.zeros(0, dtype).real.dtype, order
        mixed = np.dtype(dtype).kind == "c"
        self.complex = complex_values(program, (names if complex_inputs is None else complex_inputs) if mixed else None)
        check_real(program, self.complex, np.dtype(dtype))
        self.dtype = np.result_type(dtype, 1j) if any(self.complex) else np.dtype(dtype)
        self.space = {**SPACE, "dtype": self.dtype, "real": self.real}
        self.lines: list[str] = []
        self.alive: dict[int, int] = {}
        self.peak = 0
        self.overwritten: int | None = None
        self.stored: dict[int, Stored] = {}
        self.names = names
        self.quiet = False
        self.small: dict[tuple[int, Labels], tuple[str, str]] = {}
        self.readers = self._readers()
        self.pending: Counter[int | None] = Counter()
        self.waiting: dict[int, tuple[Labels, Labels]] = {}
        self.reading: list[list[int]] = [[] for _ in program.steps]
        for number, step in enumerate(program.steps):
            for value in dict.fromkeys(use.value for use in step.uses):
                self.reading[value].append(number)
        self.outers = outer_sums(program, self.readers)
        self.pieces = piecewise(program, self.readers, self.outers)
        self.quotients = quotients(program, self.readers)
        self.slopes = {} if any(self.complex) else slopes(program, self.readers)
        self.within = {
            **self.outers,
            **self.pieces,
            **{number: [value] for number, value in self.quotients.items()},
            **{number: list(slope.steps) for number, slope in self.slopes.items()},
        }
        skipped = {value for group in self.within.values() for value in group}
        self.groups = {} if any(self.complex) else together(program, self.readers, {*skipped, *self.slopes})
        for number, group in self.groups.items():
            if number == group.steps[0]:
                self.within[number] = [*group.between, *group.steps[1:]]
                skipped |= set(group.between)
        self.chosen: list[str] = [""] * len(program.steps)
        inputs = [number for number, step in enumerate(program.steps) if isinstance(step, Input)]
        for number in dict.fromkeys([*inputs, *range(len(program.steps))]):
            self.number, self.kernel, self.scratch, self.overwritten = number, "", 0, None
            if number not in skipped:
                self._write(program.steps[number])
                self._count(number)
                self._free(number)
            self.chosen[number] = "at once" if number in skipped else self.kernel

    def _write(self, step: Step) -> None:
        if self.number in self.slopes:
            self.slope(step)
        elif self.number in self.groups:
            self.together(step)
        else:
            WRITERS[type(step)](self, step)

    def code(self) -> Code:
        """The finished lines."""
        taken: set[int | None] = {None}
        results = []
        for value in self.program.results:
            held, step = self.stored[value], self.program.steps[value]
            axes = tuple(range(len(step.shape)))
            code = viewed(Operand(held.name, held.order), axes, {})
            if held.owner in taken:
                code = f"array({code})"
                self.space["array"] = np.array
            taken.add(held.owner)
            results.append(code)
        return Code(tuple(self.lines), tuple(results), self.space, tuple(self.chosen), self.peak, self.quiet)

    # -------------------------------------------------------------- buffers

    def _readers(self) -> list[int]:
        """How often each value is read, a result once more."""
        times = [0] * len(self.program.steps)
        for step in self.program.steps:
            for use in step.uses:
                times[use.value] += 1
        for value in self.program.results:
            times[value] += 1
        return times

    def _count(self, number: int) -> None:
        """The buffers that are there during a step, in entries: one that is written over is none beside the new one."""
        if self.stored[number].owner == number:
            self.alive[number] = prod(self.program.steps[number].shape)
            if self.overwritten is not None:
                self.alive.pop(self.overwritten, None)
        self.peak = max(self.peak, sum(self.alive.values()) + self.scratch)

    def _free(self, number: int) -> None:
        """After a step: what it read for the last time is freed."""
        step = self.program.steps[number]
        if number in self.groups and number not in self.within:
            return
        within = [self.program.steps[value] for value in self.within.get(number, ())]
        read = [use.value for made in (step, *within) for use in made.uses if use.value in self.stored]
        for value in read:
            self.readers[value] -= 1
            self.pending[self.stored[value].owner] -= 1
        for value in dict.fromkeys(read):
            held = self.stored[value]
            if held.owner is not None and not self.pending[held.owner]:
                size = prod(self.program.steps[held.owner].shape) * self.dtype.itemsize
                if size >= FREED and held.name != self.stored[number].name:
                    self.lines.append(f"del {held.name}")
                    self.alive.pop(held.owner, None)

    def keep(self, held: Stored) -> None:
        """The value of the step is held like this; its buffer will be read as often as the value is."""
        self.stored[self.number] = held
        self.pending[held.owner] += self.readers[self.number]

    def dying(self, use: Use) -> bool:
        """May the step write over this operand? It is a buffer of the program, read here for the last time."""
        held = self.stored[use.value]
        if held.owner is None or not held.contiguous or self.complex[use.value] != self.complex[self.number]:
            return False
        step = self.program.steps[self.number]
        here = sum(other.value in self.stored and self.stored[other.value].owner == held.owner for other in step.uses)
        return bool(here == 1 and self.pending[held.owner] == 1)

    def over(self, use: Use) -> str:
        """The buffer of an operand that the step writes over."""
        held = self.stored[use.value]
        self.overwritten = held.owner
        return held.name

    def operand(self, use: Use) -> Operand:
        """An operand of a step, its labels as they are stored; a diagonal where one repeats."""
        held = self.stored[use.value]
        labels = tuple(use.labels[axis] for axis in held.order)
        if len(set(labels)) == len(labels):
            return Operand(held.name, labels, held.contiguous)
        distinct = tuple(dict.fromkeys(labels))
        return Operand(einsum_code([Operand(held.name, labels)], distinct), distinct, False)

    def put(self, code: str, labels: Sequence[int], out: Sequence[int], view: Stored | None = None) -> None:
        """A new buffer, or a view of one, stored with these labels; the axes of the value have the labels `out`."""
        name = f"v{self.number}"
        self.lines.append(f"{name} = {code}")
        order = tuple(list(out).index(x) for x in labels)
        self.keep(Stored(name, order, view is None, self.number if view is None else view.owner))

    def alias(self, use: Use, out: Sequence[int]) -> None:
        """The value is another one with its axes in another order."""
        held = self.stored[use.value]
        order = tuple(list(out).index(use.labels[axis]) for axis in held.order)
        self.keep(Stored(held.name, order, held.contiguous, held.owner))

    def literal(self, number: Number) -> str:
        """A number as Python writes it: it widens no array."""
        if isinstance(number, complex):
            return repr(number)
        return repr(to_float(number, "a coefficient"))

    def parameter(self, number: Number) -> str:
        """A parameter of a function: an integer stays one."""
        return repr(number) if isinstance(number, int) else self.literal(number)

    @property
    def kind(self) -> str:
        """The name of the dtype of the step's value."""
        return "dtype" if self.complex[self.number] else "real"

    def kept(self, code: str) -> str:
        """What a row gives, in the precision of the program: some of SciPy's functions know double alone."""
        return code if self.real.itemsize == 8 else f"asarray({code}, {self.kind})"

    def bound(self, stem: str, value: Any) -> str:
        """A name for something that the lines use."""
        name = stem
        while self.space.get(name, value) is not value:
            name += "_"
        self.space[name] = value
        return name

    # -------------------------------------------------------------- steps

    def input(self, step: Input) -> None:
        """The array that is given."""
        self.keep(Stored(self.names[step.name], tuple(range(len(step.shape))), True, None))

    def known(self, step: Known) -> None:
        """A constant, made once."""
        value = known(step.name, step.shape, self.real, step.params)
        name = self.bound(f"c{self.number}", value)
        self.keep(Stored(name, tuple(range(len(step.shape))), True, None))

    def fill(self, step: Fill) -> None:
        """One number in every entry; without axes it is just the number."""
        if step.shape:
            axes = tuple(range(len(step.shape)))
            self.put(f"full({step.shape}, {self.literal(step.number)}, {self.kind})", axes, axes)
        else:
            value = step.number if isinstance(step.number, complex) else to_float(step.number, "a number")
            dtype = self.dtype if self.complex[self.number] else self.real
            name = self.bound(f"c{self.number}", dtype.type(value))
            self.keep(Stored(name, (), True, None))

    def contract(self, step: Contract) -> None:
        """One product, or one operand summed, turned or scaled."""
        if len(step.uses) == 1:
            self.single(step)
            return
        if self.number in self.quotients:
            self.quotient(step)
            return
        one, other = (self.operand(use) for use in step.uses)
        sizes = step.sizes
        scale = "" if step.coef == 1 else self.literal(step.coef)
        if scale and (not one.labels or not other.labels):
            one, other = (other, one) if one.labels else (one, other)
            one, scale = one._replace(code=f"{one.code}*{scale}"), ""
        if scale:
            smaller = min((one, other), key=lambda o: prod(sizes[x] for x in o.labels))
            if prod(sizes[x] for x in smaller.labels) * 2 < prod(step.shape):
                made = smaller._replace(code=f"multiply({smaller.code}, {scale})")
                one, other = (made, other) if smaller is one else (one, made)
                scale = ""
        if not one.labels and not other.labels:
            self.put(f"{one.code}*{other.code}", (), step.out)
            return
        wished = self._wished(self.number, step.out)
        option = kernels.choose(Pair(one, other, frozenset(step.out), sizes), wished, step.out)
        self.kernel, self.scratch, code = option.name, option.scratch, option.code
        labels = option.labels
        if option.name == "multiply":
            code = self._reused(step, code, labels)
        elif option.name == "outer" and wished is not None and len(wished) == len(step.out):
            code, labels = einsum_code([one, other], wished), wished
        self.put(code, labels, step.out)
        if scale:
            turned = self.complex[self.number] and not any(self.complex[use.value] for use in step.uses)
            self._scale(scale, bool(step.shape) and not turned)

    def quotient(self, step: Contract) -> None:
        """A product with a reciprocal that nothing else reads, as one division."""
        below, above = sorted(step.uses, key=lambda use: use.value != self.quotients[self.number])
        below = Use(self.program.steps[below.value].uses[0].value, below.labels)
        divisor, self.quiet, self.kernel = self.operand(below), True, "divide"
        code = f"divide({broadcast(self.operand(above), divisor.labels)}, {divisor.code})"
        held, kinds = self.stored[below.value], [self.complex[use.value] for use in (below, above)]
        last = held.owner is not None and held.contiguous and self.pending[held.owner] == 1
        if step.shape and last and kinds[0] == self.complex[self.number]:
            code = f"{code[:-1]}, out={self.over(below)})"
        self.put(code, divisor.labels, step.out)
        if step.coef != 1:
            self._scale(self.literal(step.coef), bool(step.shape) and any(kinds) == self.complex[self.number])

    def _wished(self, number: int, out: Labels, further: int = 3) -> Labels | None:
        """How the order begins in which a value with these labels is stored best: as that of an array which is there
        already, and which a step joins with it, or with a function of its entries, entry by entry; with the labels of a
        batch of matrices, which it is the batch of; a result as it is asked for.
        """
        for reader in self.reading[number]:
            found = alongside(self.program.steps[reader], number)
            if found is None:
                continue
            label = dict(zip(found.labels, out, strict=True))
            for other in found.others:
                held = self.stored.get(other.value)
                if held is not None and set(other.labels) == set(found.labels):
                    return tuple(label[other.labels[axis]] for axis in held.order)
                shared = set(other.labels) & set(found.labels)
                batch = tuple(label[x] for x in found.labels if x in shared and x in found.out)
                if held is not None and batch and shared - set(found.out):
                    return batch
            if further and not found.others and set(found.out) == set(found.labels):
                wished = self._wished(reader, tuple(label[x] for x in found.out), further - 1)
                if wished is not None:
                    return wished
        return out if self.order == "C" and number in self.program.results else None

    def _scale(self, scale: str, in_place: bool) -> None:
        name = f"v{self.number}"
        if not in_place:
            self.lines.append(f"{name} = {name}*{scale}")
        elif scale == "-1.0":
            self.lines.append(f"negative({name}, out={name})")
        else:
            self.lines.append(f"multiply({name}, {scale}, out={name})")

    def _reused(self, step: Step, code: str, labels: Sequence[int]) -> str:
        """A ufunc that writes over an operand that dies here and has the shape of the result."""
        for use in step.uses:
            held = self.stored[use.value]
            own = tuple(use.labels[axis] for axis in held.order)
            if own == tuple(labels) and own and self.dying(use):
                return f"{code[:-1]}, out={self.over(use)})"
        return code

    def single(self, step: Contract) -> None:
        """One operand: a view where nothing is summed, einsum where something is."""
        (use,) = step.uses
        labels, out = use.labels, step.out
        if len(set(labels)) == len(labels) == len(out):
            if step.coef == 1:
                self.alias(use, out)
                return
            made = self.operand(use)
            code = f"multiply({made.code}, {self.literal(step.coef)})"
            self.put(self._reused(step, code, made.labels), made.labels, out)
            return
        held = self.stored[use.value]
        operand = Operand(held.name, tuple(labels[axis] for axis in held.order), held.contiguous)
        order = tuple(x for x in operand.labels if x in out)
        order = tuple(dict.fromkeys(order))
        view = len(set(labels)) == len(out)
        code, self.kernel = einsum_code([operand], order), "einsum"
        if not view and len(order) == len(operand.labels) - 1 and operand.contiguous and len(operand.labels) == 2:
            code = self._sum_of_matrix(operand, order, step)
        if step.coef != 1:
            code = f"{code}*{self.literal(step.coef)}"
            view = False
        self.put(code, order, out, held if view else None)

    def _sum_of_matrix(self, operand: Operand, order: Sequence[int], step: Contract) -> str:
        """Rows or columns added by a product with ones, which BLAS does faster than a loop."""
        gone = next(x for x in operand.labels if x not in order)
        size = step.sizes[gone]
        if prod(step.sizes[x] for x in operand.labels) < ENTRIES:
            return einsum_code([operand], order)
        ones = self.bound(f"ones{size}", self._ones(size))
        self.kernel = "dot"
        return f"dot({ones}, {operand.code})" if operand.labels[0] == gone else f"dot({operand.code}, {ones})"

    def _ones(self, size: int) -> Any:
        name = f"ones{size}"
        return self.space[name] if name in self.space else np.ones(size, self.real)

    # -------------------------------------------------------------- functions

    def map(self, step: Map) -> None:
        """A function of the entries, over an operand that dies here where it is a ufunc."""
        operands = [self.operand(use) for use in step.uses]
        whole = max(operands, key=lambda operand: len(operand.labels)).labels
        order = (*whole, *(x for x in step.out if x not in whole))
        args = [broadcast(operand, order) for operand in operands]
        if step.fn == "**":
            code, over = self._power(args[0], step.params[0], prod(step.shape)), True
        else:
            row = elementwise_row(step.fn)
            ufunc = isinstance(row.numpy, np.ufunc)
            name = self.bound(row.numpy.__name__ if ufunc else step.fn, row.numpy)
            code, over = f"{name}({', '.join([*args, *map(self.parameter, step.params)])})", ufunc or row.out
            code = code if over else self.kept(code)
            self.quiet = self.quiet or not row.calm
        self.put(self._reused(step, code, order) if over and order else code, order, step.out)

    def slope(self, step: Step) -> None:
        """The derivative of a sigmoid, or its root, by one exponential."""
        found, axes = self.slopes[self.number], tuple(range(len(step.shape)))
        operand = self.operand(Use(found.value, axes))
        function = root_slope if found.root else sigmoid_slope
        name = self.bound(function.__name__, function)
        self.kernel = "slope"
        self.put(f"{name}({operand.code})", operand.labels, axes)

    def together(self, step: Step) -> None:
        """A function that gives the values of several steps: the first one calls it, the others wait under a name."""
        number, group, self.kernel = self.number, self.groups[self.number], "together"
        if number != group.steps[0]:
            self.put(f"w{number}", *self.waiting.pop(number))
            self.lines.append(f"del w{number}")
            return
        held = self.stored[group.use.value]
        for other in group.steps:
            made = self.program.steps[other]
            gone = made.axes if isinstance(made, Reduce) and not made.keeps else ()
            order = tuple(group.use.labels[axis] for axis in held.order if axis not in gone)
            self.waiting[other] = order, tuple(x for x in sorted(group.use.labels) if x in order)
            self.alive[other] = prod(made.shape)
        operand = self.operand(group.use)
        if isinstance(step, Reduce) and step.fn in FACTORED:
            code, self.quiet = f"{self.bound('factored', factored)}({operand.code}, {group.names})", True
        elif isinstance(step, Reduce):
            axes = tuple(held.order.index(axis) for axis in step.axes)
            alone = held.owner is not None and held.contiguous and self.pending[held.owner] == len(group.steps)
            last = f", {self.over(group.use)}" if alone else ""
            code = f"{self.bound('exponentials', exponentials)}({operand.code}, {axes}, {group.names}{last})"
            self.quiet = True
        else:
            code = f"{self.bound('logistics', logistics)}({operand.code}, {group.names})"
        self.put(code, *self.waiting.pop(number))
        self.lines[-1] = f"{', '.join([f'v{number}', *(f'w{k}' for k in group.steps[1:])])} = {code}"

    def _power(self, base: str, exponent: Number, size: int) -> str:
        self.quiet = self.quiet or exponent != 2
        if exponent in POWERS and (size >= MANY or exponent in FEW_CALLS):
            return POWERS[exponent].format(base)
        return f"power({base}, {self.literal(exponent)})"

    def reduce(self, step: Reduce) -> None:
        """A function along axes, wherever they are stored."""
        (use,) = step.uses
        if self._of_small_matrices(step):
            self._small(step, use)
            return
        held = self.stored[use.value]
        row = reduction_row(step.fn)
        axes = tuple(held.order.index(axis) for axis in step.axes)
        last = f", {self.over(use)}" if row.out and self.dying(use) else ""
        shape = self.program.steps[use.value].shape
        name = self.bound(step.fn, row.numpy if prod(shape) else of_nothing(step.fn, shape))
        extra = "".join(f", {self.parameter(p)}" for p in step.params)
        kept = [axis for axis in held.order if step.keeps or axis not in step.axes]
        logical = [axis for axis in range(len(held.order)) if step.keeps or axis not in step.axes]
        self.quiet = True
        self.put(self.kept(f"{name}({held.name}, {axes}{extra}{last})"), kept, logical)

    def _of_small_matrices(self, step: Reduce) -> bool:
        """Is it about many matrices of order 3 at most, whose inverses and determinants have a closed form?"""
        shape = self.program.steps[step.uses[0].value].shape
        batch = prod(size for axis, size in enumerate(shape) if axis not in step.axes)
        return reduction_row(step.fn).small != "" and batch >= MANY and 1 <= shape[step.axes[0]] <= 3

    def _small(self, step: Reduce, use: Use) -> None:
        """The closed form, with the matrices first and the batch last, where it is contiguous."""
        batch = tuple(axis for axis in range(len(self.stored[use.value].order)) if axis not in step.axes)
        order = (*step.axes, *batch)
        found = self.small.get((use.value, step.axes))
        if found is None:
            found = self.small[use.value, step.axes] = (f"k{self.number}", f"e{self.number}")
            self._store_again(use.value, order)
            source = self.bound("small_cofactors", small_cofactors)
            self.lines.append(f"{', '.join(found)} = {source}({self.stored[use.value].name})")
        cofactors, det = found
        self.quiet = True
        if step.fn == "inv":
            name = self.bound("small_inverses", small_inverses)
            more = any(s.fn == "cofactor" for s in self.program.steps if isinstance(s, Reduce))
            code = f"{name}({cofactors}{'.copy()' if more else ''}, {det})"
            self.put(code, (step.axes[1], step.axes[0], *batch), range(len(order)))
        elif step.fn == "cofactor":
            self.put(cofactors, order, range(len(order)))
        else:
            code = f"log(absolute({det}))" if step.fn == "logdet" else f"{det}.copy()"
            self.put(code, batch, batch)

    def _store_again(self, value: int, order: Labels) -> None:
        """The value copied so that its axes are stored in this order, for all that read it from here on."""
        held = self.stored[value]
        if held.order == order and held.contiguous:
            return
        name = f"s{value}"
        axes = tuple(held.order.index(axis) for axis in order)
        self.lines.append(f"{name} = ascontiguousarray({held.name}.transpose{axes})")
        self.stored[value] = Stored(name, order, True, held.owner)

    def logical(self, use: Use) -> str:
        """An operand with its axes in their own order."""
        held = self.stored[use.value]
        return viewed(Operand(held.name, held.order), tuple(range(len(held.order))), {})

    def apply(self, step: Apply) -> None:
        """A function of whole matrices."""
        node, params, row = step.node, step.params, matrix_row(step.fn)

        def call(*arrays: Any) -> Any:
            common = np.result_type(*arrays)
            try:
                return matrix_numbers(node, [array.astype(common, copy=False) for array in arrays], params)
            except np.linalg.LinAlgError as error:
                raise InputError(f"evaluate {step.fn}", f"it has no value: {error}", f"it takes {row.domain}") from None

        name = self.bound(f"{step.fn}_{self.number}", call)
        axes = tuple(range(len(step.shape)))
        self.put(self.kept(f"{name}({', '.join(map(self.logical, step.uses))})"), axes, axes)

    def solve(self, step: Solve) -> None:
        """Columns for which a matrix is solved."""
        matrix, right = step.uses
        row, column = sorted(matrix.labels, key=lambda label: label not in right.labels)
        name = self.bound("solve", solved)
        square = self.operand(matrix)
        other = self.operand(right)
        rest = tuple(x for x in other.labels if x != row)
        left = viewed(square, (row, column), {})
        sizes = dict(zip(step.out, step.shape, strict=True))
        sizes[row] = sizes[column]
        values = viewed(other, (row, *rest), sizes, ((row,), rest) if len(rest) != 1 else ())
        code = f"{name}({left}, {values})"
        if len(rest) != 1:
            code += f".reshape({tuple(sizes[x] for x in (column, *rest))})"
        self.put(code, (column, *rest), step.out)

    def reshape(self, step: Reshape) -> None:
        """Axes split, put in order, and joined."""
        (use,) = step.uses
        axes = tuple(range(len(step.shape)))
        code = f"{self.logical(use)}.reshape({step.split}).transpose({step.axes}).reshape({step.shape})"
        self.put(code, axes, axes)
        owner = self.stored[use.value].owner
        if owner is None or self.pending[owner] > 1:
            self.lines[-1] += ".copy()"

    def invoke(self, step: Invoke) -> None:
        """A function that is given with the inputs."""
        axes = tuple(range(len(step.shape)))
        args = ", ".join([repr(step.title), repr(step.shape), *map(self.logical, step.uses)])
        name = f"v{self.number}"
        self.lines.append(f"{name} = asarray(given({args}), {self.kind})")
        self.keep(Stored(name, axes, False, None))


WRITERS: dict[type[Any], Callable[[Emitter, Any], None]] = {
    Input: Emitter.input,
    Known: Emitter.known,
    Fill: Emitter.fill,
    Contract: Emitter.contract,
    Map: Emitter.map,
    Add: write_sum,
    Reduce: Emitter.reduce,
    Apply: Emitter.apply,
    Solve: Emitter.solve,
    Reshape: Emitter.reshape,
    Invoke: Emitter.invoke,
}


def emit(
    program: Program,
    names: Mapping[str, str],
    dtype: Any,
    complex_inputs: Collection[str] | None = None,
    order: str | None = None,
) -> Code:
    """The lines of a program, for inputs that have these names in the lines; `dtype` is their common one.

    Where that is complex, `complex_inputs` are those that are; all, if it is not given. The others are real.
    With the order "C", results lie in memory in the order of their axes where a kernel can make them so.
    """
    return Emitter(program, names, dtype, complex_inputs, order).code()
