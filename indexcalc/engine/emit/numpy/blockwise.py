"""A step of a program as a function of NumPy arrays of any sizes: what a block of a larger array needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import to_float
from indexcalc.engine.emit.numpy.gathers import places_in
from indexcalc.engine.emit.numpy.strides import windows
from indexcalc.engine.program import (
    Add,
    Apply,
    Chosen,
    Contract,
    Cut,
    Gather,
    Map,
    Reduce,
    Scatter,
    Solve,
    Step,
    Use,
    Windows,
    lined_up,
)
from indexcalc.functions.code.numpy import gathered, scattered
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import taken

Function = Callable[..., Any]


def function_of_blocks(step: Step) -> Function:
    """The function of the operands, in the order of `step.uses`, of a step that computes.

    >>> step = Contract(2, (Use(0, (0, 1)), Use(1, (1,))), (0,), (9,), {0: 9, 1: 9})
    >>> function_of_blocks(step)(np.ones((2, 3)), np.ones(3))
    array([6., 6.])
    """
    made: Function = FUNCTIONS[type(step)](step)
    return made


def _contract(step: Contract) -> Function:
    spec, coef = _spec([use.labels for use in step.uses], step.out), _number(step.coef)

    def product(*arrays: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore"):
            made = np.einsum(spec, *arrays, optimize=len(arrays) > 1)
            return made if coef == 1 else made * coef

    return product


def _map(step: Map) -> Function:
    out, params = step.out, () if step.fn == "**" else step.params
    if step.fn == "**":
        (exponent,) = step.params
        power = exponent if isinstance(exponent, int) and exponent > 0 else _number(exponent)
        fn: Callable[..., Any] = lambda x: np.power(x, power)  # noqa: E731
    else:
        fn = elementwise_row(step.fn).numpy

    def function(*arrays: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return fn(*[_aligned(x, use, out) for x, use in zip(arrays, step.uses, strict=True)], *params)

    return function


def _add(step: Add) -> Function:
    """The sum in an array whose sizes are those of the operands, or of the step along axes that no operand has."""
    kinds = [np.complex64] if any(isinstance(part.coef, complex) for part in step.parts) else []

    def total(*arrays: Any) -> Any:
        shape = list(step.shape)
        for array, part in zip(arrays, step.parts, strict=True):
            for size, label in zip(array.shape, part.use.labels, strict=True):
                for axis, own in enumerate(part.places):
                    if own == label and not (part.ranges and part.ranges[axis]):
                        shape[axis] = size
        made = np.zeros(shape, np.result_type(*arrays, *kinds))
        for array, part in zip(arrays, step.parts, strict=True):
            distinct = tuple(dict.fromkeys(part.places))
            target = made[taken(part.ranges)] if part.ranges else made
            if len(distinct) < len(part.places):
                target = np.einsum(_spec([part.places], distinct), target)
            target += _number(part.coef) * _aligned(array, part.use, distinct)
        return made

    return total


def _reduce(step: Reduce) -> Function:
    row = reduction_row(step.fn)

    def function(x: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return row.numpy(x, step.axes, *step.params)

    return function


def _apply(step: Apply) -> Function:
    def function(*matrices: Any) -> Any:
        common = np.result_type(*matrices)
        return matrix_numbers(step.node, [x.astype(common, copy=False) for x in matrices], step.params)

    return function


def _solve(step: Solve) -> Function:
    (_, own), (_, labels) = step.uses
    row, column = sorted(own, key=lambda x: x not in labels)
    rest = tuple(x for x in labels if x != row)
    order = [labels.index(x) for x in (row, *rest)]
    back = [(column, *rest).index(x) for x in step.out]

    def function(a: Any, b: Any) -> Any:
        moved = b.transpose(order)
        columns = moved.reshape(len(moved), prod(moved.shape[1:]))
        made = np.linalg.solve(a if own == (row, column) else a.T, columns)
        return made.reshape(moved.shape).transpose(back)

    return function


def _slice(step: Cut) -> Function:
    where = taken(step.ranges, step.gone)
    return lambda x: x[where]


def _choose(step: Chosen) -> Function:
    """A gather or a scatter, with the result's axes in the order of the step."""
    shared, alone, rest = lined_up(step)
    checks = [places_in(size, name) for size, name in zip(step.sizes, step.names, strict=True)]

    def function(x: Any, *integers: Any) -> Any:
        rows = zip(checks, integers, step.uses[1:], strict=True)
        places = [check(_aligned(own, use, (*shared, *alone))) for check, own, use in rows]
        if not isinstance(step, Gather):
            return scattered(_aligned(x, step.uses[0], (*shared, *alone, *rest)), places, step.sizes, len(shared))
        if shared or len(step.places) > 1:
            return gathered(_aligned(x, step.uses[0], (*shared, *step.places, *rest)), places, 0, len(shared))
        return gathered(x, places, step.uses[0].labels.index(step.places[0]), 0)

    return function


def _windows(step: Windows) -> Function:
    return lambda x: windows(x, step)


FUNCTIONS: dict[type[Any], Callable[[Any], Function]] = {
    Contract: _contract,
    Map: _map,
    Add: _add,
    Reduce: _reduce,
    Apply: _apply,
    Solve: _solve,
    Cut: _slice,
    Gather: _choose,
    Scatter: _choose,
    Windows: _windows,
}


def _number(value: Number) -> Any:
    return value if isinstance(value, complex) else to_float(value, "a coefficient")


def _aligned(array: Any, use: Use, out: Sequence[int]) -> Any:
    """The array with its axes in the order of `out`, and unit axes where it lacks one; a diagonal where one repeats."""
    labels = tuple(dict.fromkeys(use.labels))
    if len(labels) < len(use.labels):
        array = np.einsum(_spec([use.labels], labels), array)
    own = [x for x in out if x in labels]
    turned = array.transpose([labels.index(x) for x in own])
    return turned[tuple(slice(None) if x in labels else None for x in out)]


def _spec(operands: Sequence[Sequence[int]], out: Sequence[int]) -> str:
    labels = dict.fromkeys([x for own in operands for x in own] + list(out))
    letter = dict(zip(labels, ascii_letters, strict=False))
    return ",".join("".join(letter[x] for x in own) for own in operands) + "->" + "".join(letter[x] for x in out)
