"""Compiled functions of dask arrays: data larger than memory, in blocks.

A step works block by block along every axis that it does not mix; a sum over an axis is that of what its blocks give.
Values that come of NumPy arrays alone are made at once. Results are dask arrays, computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import dask.array
import numpy as np

from indexcalc.errors import InputError
from indexcalc.evaluate.compiled import Compiled
from indexcalc.evaluate.constants import known
from indexcalc.evaluate.inputs import to_float
from indexcalc.evaluate.kernels import LETTERS
from indexcalc.evaluate.patterns import check_real
from indexcalc.evaluate.plan import plan
from indexcalc.evaluate.program import (
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
from indexcalc.evaluate.report import Plan
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.node import Number

da: Any = dask.array


class OnDask(Compiled):
    """A function of dask arrays; see `Compiled`."""

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """The values of the outputs, as dask arrays: one for one, a list for a list."""
        shapes = [np.shape(value) for value in arrays]
        stand_ins = [np.broadcast_to(np.float64(0), shape) for shape in shapes]
        bound, sizes, functions = self.request.bound(stand_ins, named)
        held = {variable.label: stand_in.shape for variable, stand_in in bound.items()}
        made = [value if isinstance(value, da.Array) else np.asarray(value) for value in arrays]
        dtype = np.result_type(*[a.dtype if a.dtype.kind in "fc" else np.float64 for a in made], np.float32)
        real = np.zeros(0, dtype).real.dtype
        ready = {
            name: array.reshape(held[name]).astype(dtype if array.dtype.kind == "c" else real)
            for name, array in zip(self.names, made, strict=True)
        }
        key = tuple(sorted(sizes.items()))
        if key not in self._plans:
            program = plan(self.request.roots, sizes, self.options)
            self._plans[key] = Plan(program, ("blocks",) * len(program.steps), (), 8, program.notes)
        self._plan = self._plans[key]
        check_real(self._plan.program, [name for name, array in ready.items() if array.dtype.kind == "c"])
        results = Run(self._plan.program, ready, functions, dtype, self.limit).results
        shown = [da.asarray(value) for value in results]
        return shown[0] if self.request.single else shown


class Run:
    """The values of a program, step by step."""

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Any],
        functions: Mapping[str, Any],
        dtype: Any,
        limit: int,
    ) -> None:
        self.program, self.inputs, self.functions, self.limit = program, inputs, functions, limit
        self.dtype = np.dtype(dtype)
        self.real = np.zeros(0, dtype).real.dtype
        self.values: list[Any] = []
        for step in program.steps:
            self.values.append(STEPS[type(step)](self, step))
        self.results = [self.values[value] for value in program.results]

    def blocks(
        self,
        function: Callable[..., Any],
        out: Sequence[int],
        operands: Sequence[tuple[Any, Sequence[int]]],
        *,
        whole: Sequence[int] = (),
        sizes: Mapping[int, int] | None = None,
        shrunk: Sequence[int] = (),
    ) -> Any:
        """The function of the blocks; labels that `out` lacks, and those in `whole`, are in one block. `sizes` has
        those of labels that no operand has, `shrunk` the labels along which a block gives one entry.
        """
        arrays = [array for array, _ in operands]
        if not any(isinstance(array, da.Array) for array in arrays):
            return function(*arrays)
        flat: list[Any] = []
        for array, labels in operands:
            held = da.asarray(array)
            one_block = {axis: -1 for axis, x in enumerate(labels) if x in whole or x not in out}
            flat += [held.rechunk(one_block) if one_block else held, tuple(labels)]
        dtype = np.result_type(*arrays)
        return da.blockwise(
            function,
            tuple(out),
            *flat,
            new_axes=dict(sizes or {}),
            adjust_chunks=dict.fromkeys(shrunk, 1) or None,
            concatenate=True,
            dtype=dtype,
            meta=np.empty((0,) * len(out), dtype),
        )

    def operand(self, use: Use) -> tuple[Any, tuple[int, ...]]:
        """The value of an operand and its labels; a diagonal where one repeats."""
        array, labels = self.values[use.value], use.labels
        distinct = tuple(dict.fromkeys(labels))
        if len(distinct) == len(labels):
            return array, labels
        spec = _spec([labels], distinct)
        return self.blocks(lambda x: np.einsum(spec, x), distinct, [(array, _apart(labels))], whole=distinct), distinct

    # -------------------------------------------------------------- steps

    def input(self, step: Input) -> Any:
        """The array that is given."""
        return self.inputs[step.name]

    def known(self, step: Known) -> Any:
        """A constant."""
        self._fits(step)
        return known(step.name, step.shape, self.real, step.params)

    def fill(self, step: Fill) -> Any:
        """One number in every entry."""
        number = step.number if isinstance(step.number, complex) else to_float(step.number, "a number")
        dtype = self.dtype if isinstance(number, complex) else self.real
        return np.broadcast_to(np.asarray(number, dtype), step.shape)

    def _fits(self, step: Step) -> None:
        """A value that is made in one block has to fit into memory."""
        taken = prod(step.shape) * self.dtype.itemsize
        if taken > self.limit:
            found = f"an array of shape {step.shape} is needed in one piece, {taken:,} bytes"
            raise InputError("evaluate with dask", found, f"the limit is {self.limit:,}: give memory_limit=...")

    def contract(self, step: Contract) -> Any:
        """A product: each block gives its part of the sum."""
        operands = [self.operand(use) for use in step.uses]
        labels = dict.fromkeys(x for _, own in operands for x in own)
        summed = [x for x in labels if x not in step.out]
        spec = _spec([own for _, own in operands], step.out)
        coef, ones = _number(step.coef), tuple(range(len(step.out), len(step.out) + len(summed)))

        def product(*arrays: Any) -> Any:
            made = np.einsum(spec, *arrays, optimize=len(arrays) > 1)
            return np.expand_dims(made if coef == 1 else made * coef, ones) if ones else made * coef

        if not any(isinstance(array, da.Array) for array, _ in operands):
            return product(*[array for array, _ in operands]).sum(ones)
        made = self.blocks(product, (*step.out, *summed), operands, shrunk=summed)
        return made.sum(ones, split_every=4) if summed else made

    def map(self, step: Map) -> Any:
        """A function of the entries."""
        operands = [self.operand(use) for use in step.uses]
        labels = [own for _, own in operands]
        if step.fn == "**":
            (exponent,) = step.params
            power = exponent if isinstance(exponent, int) else _number(exponent)
            return self.blocks(lambda x: _power(x, power), step.out, operands)
        row, params, out = elementwise_row(step.fn), step.params, step.out

        def function(*arrays: Any) -> Any:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return row.numpy(*[_aligned(x, own, out) for x, own in zip(arrays, labels, strict=True)], *params)

        return self.blocks(function, out, operands)

    def add(self, step: Add) -> Any:
        """A sum; a delta is a diagonal of a block."""
        axes = tuple(range(len(step.shape)))
        operands, rows, whole, new = [], [], [], dict(enumerate(step.shape))
        for part in step.parts:
            array, labels = self.operand(part.use)
            first = {x: part.places.index(x) for x in reversed(part.places)}
            twice = {x for x in part.places if part.places.count(x) > 1}
            # a label of a delta is no axis of the result: it has a number of its own, and comes in one block
            own = tuple(len(axes) + first[x] if x in twice else first[x] for x in labels)
            whole += [axis for axis, x in enumerate(part.places) if x in twice]
            operands.append((array, own))
            rows.append((_number(part.coef), labels, part.places))
        for axis in {x for _, own in operands for x in own if x < len(axes)}:
            del new[axis]
        lengths = dict(enumerate(step.shape))

        def total(*arrays: Any) -> Any:
            shape = list(step.shape)
            for array, (_, labels, places) in zip(arrays, rows, strict=True):
                for size, x in zip(array.shape, labels, strict=True):
                    if places.count(x) == 1:
                        shape[places.index(x)] = size
            made = np.zeros(shape, np.result_type(*arrays))
            for array, (coef, labels, places) in zip(arrays, rows, strict=True):
                distinct = tuple(dict.fromkeys(places))
                target = made if len(distinct) == len(places) else np.einsum(_spec([places], distinct), made)
                target += coef * _aligned(array, labels, distinct)
            return made

        return self.blocks(total, axes, operands, whole=whole, sizes={axis: lengths[axis] for axis in new})

    def reduce(self, step: Reduce) -> Any:
        """A function along axes: long ones block by block where that can be, else in one block."""
        (use,) = step.uses
        array, row, axes = self.values[use.value], reduction_row(step.fn), step.axes
        if isinstance(array, da.Array) and step.fn in LONG and any(array.numblocks[axis] > 1 for axis in axes):
            return LONG[step.fn](array, axes, *step.params)
        labels = tuple(range(array.ndim))
        out = labels if step.keeps else tuple(x for x in labels if x not in axes)

        def function(x: Any) -> Any:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return row.numpy(x, axes, *step.params)

        return self.blocks(function, out, [(array, labels)], whole=axes)

    def apply(self, step: Apply) -> Any:
        """A function of whole matrices, batch by batch."""
        batch = step.node.children[0].order - 2
        arrays = [self.values[use.value] for use in step.uses]
        common = np.result_type(*arrays)
        operands = [(x, (*range(batch), *range(99 + 2 * k, 101 + 2 * k))) for k, x in enumerate(arrays)]
        out = tuple(range(len(step.shape)))
        new = {axis: step.shape[axis] for axis in out[batch:]}
        node, params = step.node, step.params

        def function(*matrices: Any) -> Any:
            return matrix_numbers(node, [x.astype(common, copy=False) for x in matrices], params)

        return self.blocks(function, out, operands, sizes=new)

    def solve(self, step: Solve) -> Any:
        """Columns for which a matrix is solved, block by block."""
        (square, own), (right, labels) = (self.operand(use) for use in step.uses)
        row, column = sorted(own, key=lambda x: x not in labels)
        order = [labels.index(row), *(k for k, x in enumerate(labels) if x != row)]
        rest = tuple(x for x in labels if x != row)
        back = [(column, *rest).index(x) for x in step.out]
        turned = own != (row, column)

        def function(a: Any, b: Any) -> Any:
            moved = b.transpose(order)
            made = np.linalg.solve(a.T if turned else a, moved.reshape(len(moved), prod(moved.shape[1:])))
            return made.reshape(moved.shape).transpose(back)

        size = step.shape[step.out.index(column)]
        operands = [(square, (101, 102)), (right, tuple(103 if x == row else x for x in labels))]
        return self.blocks(function, step.out, operands, sizes={column: size})

    def reshape(self, step: Reshape) -> Any:
        """Axes split, put in order, and joined."""
        (use,) = step.uses
        return self.values[use.value].reshape(step.split).transpose(step.axes).reshape(step.shape)

    def invoke(self, step: Invoke) -> Any:
        """A function that is given, of dask arrays."""
        value = self.functions.get(step.title)
        instead = f"give {step.title}=..., a function of {len(step.uses)} array(s) with values of shape {step.shape}"
        if value is None or not (callable(value) or step.array_will_do):
            raise InputError(f"evaluate {step.title}", "no function was given for it", instead)
        made = value(*[self.values[use.value] for use in step.uses]) if callable(value) else value
        if np.shape(made) != step.shape:
            raise InputError(f"evaluate {step.title}", f"its value has shape {np.shape(made)}", instead)
        return made


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
}


# ------------------------------------------------------------------ along axes that are long


def _top(x: Any, axes: tuple[int, ...]) -> Any:
    top = da.max(x, axis=axes, keepdims=True)
    return da.where(da.isfinite(top), top, 0)


def _logsumexp(x: Any, axes: tuple[int, ...], keep: bool = False) -> Any:
    top = _top(x, axes)
    made = da.log(da.exp(x - top).sum(axis=axes, keepdims=True)) + top
    return made if keep else made.squeeze(axes)


def _norm(x: Any, axes: tuple[int, ...], p: Any) -> Any:
    size = abs(x)
    top = da.max(size, axis=axes, keepdims=True)
    top = da.where((top > 0) & da.isfinite(top), top, 1)
    return top.squeeze(axes) * ((size / top) ** float(p)).sum(axis=axes) ** (1 / float(p))


LONG: dict[str, Callable[..., Any]] = {
    "max": lambda x, axes: da.max(x, axis=axes),
    "min": lambda x, axes: da.min(x, axis=axes),
    "prod": lambda x, axes: da.prod(x, axis=axes),
    "logsumexp": _logsumexp,
    "softmax": lambda x, axes: da.exp(x - _logsumexp(x, axes, True)),
    "log_softmax": lambda x, axes: x - _logsumexp(x, axes, True),
    "norm1": lambda x, axes: abs(x).sum(axis=axes),
    "norm2": lambda x, axes: _norm(x, axes, 2),
    "normp": _norm,
}
"""Functions along axes that are in several blocks."""


def _number(value: Number) -> Any:
    return value if isinstance(value, complex) else to_float(value, "a coefficient")


def _power(x: Any, exponent: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return x**exponent if isinstance(exponent, int) and exponent > 0 else np.power(x, _number(exponent))


def _aligned(array: Any, labels: Sequence[int], out: Sequence[int]) -> Any:
    """The array with its axes in the order of `out`, and unit axes where it lacks one."""
    own = [x for x in out if x in labels]
    turned = array.transpose([list(labels).index(x) for x in own])
    return turned[tuple(slice(None) if x in labels else None for x in out)]


def _apart(labels: Sequence[int]) -> tuple[int, ...]:
    """Other labels where one repeats: the axes of a diagonal are in one block each."""
    return tuple(1000 + axis if x in labels[:axis] else x for axis, x in enumerate(labels))


def _spec(operands: Sequence[Sequence[int]], out: Sequence[int]) -> str:
    labels = dict.fromkeys([x for own in operands for x in own] + list(out))
    letter = dict(zip(labels, LETTERS, strict=False))
    return ",".join("".join(letter[x] for x in own) for own in operands) + "->" + "".join(letter[x] for x in out)
