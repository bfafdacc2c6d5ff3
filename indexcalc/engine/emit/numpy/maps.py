"""Functions of entries as lines of NumPy: ufuncs over operands that die, powers, and several functions at once."""

from __future__ import annotations

from math import prod

from indexcalc.engine.emit.numpy.kernels import broadcast
from indexcalc.engine.emit.numpy.lines import NumpyLines, literal
from indexcalc.engine.emit.patterns import HALF, SigmoidSlope, Together
from indexcalc.engine.program import Map, Reduce, Use
from indexcalc.functions.code.numpy import root_slope, sigmoid_slope
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.numbers import Number

SLOPE, TOGETHER = 2, 3
"""Arrays of the value's size that the derivative of a sigmoid, and several functions of one exponential, take beside
it: as many as there are at once in `functions/elementwise`."""
MANY = 40
"""Entries: a power of fewer takes less by NumPy's own function than by the several calls of `POWERS`."""
POWERS: dict[Number, str] = {
    2: "square({0})", -1: "divide(1.0, {0})", HALF: "sqrt({0})", -HALF: "divide(1.0, sqrt({0}{1}))",
    3: "multiply(square({0}), {0})", -2: "divide(1.0, square({0}{1}))", 4: "square(square({0}{1}))",
    -3: "divide(1.0, multiply(square({0}), {0}{1}))", 3 * HALF: "multiply(sqrt({0}), {0})",
    -3 * HALF: "divide(1.0, multiply(sqrt({0}), {0}{1}))",
}  # fmt: skip
"""Powers that take less than NumPy's own, which goes through logarithms: where there are many entries. `{1}` is where
what is between may be written over; `1.0/x` is twice as fast as NumPy's `reciprocal`."""
FEW_CALLS = {2, -1, HALF, -HALF}
"""Those that do for a few entries too."""


def map_entries(lines: NumpyLines, step: Map) -> None:
    """A function of the entries, over an operand that dies here where it is a ufunc."""
    operands = [lines.operand(use) for use in step.uses]
    whole = max(operands, key=lambda operand: len(operand.labels)).labels
    order = (*whole, *(x for x in step.out if x not in whole))
    args = [broadcast(operand, order) for operand in operands]
    if step.fn == "**":
        lines.quiet = lines.quiet or step.params[0] != 2
        over = lines.free(order) if order else ""
        code = power(args[0], step.params[0], prod(step.shape), over)
        lines.buffers.need_entries(code.count("(") - max(1, code.count("out=")), lines.number)
        lines.put(code, order, step.out)
        return
    row = elementwise_row(step.fn)
    code = lines.entries(row, args, step.params)
    own = lines.writes_over(row, code)
    code = code if own else lines.kept(code)
    lines.quiet = lines.quiet or not row.calm
    lines.buffers.need_entries(row.workspace, lines.number)
    lines.put(lines.reused(code, order) if own and order else code, order, step.out)


def power(base: str, exponent: Number, size: int, over: str = "") -> str:
    """A power of so many entries, written over an array, which may be its base, if one is named.

    >>> power("x", -2, 100), power("x", -2, 1), power("x", -2, 100, "x")
    ('divide(1.0, square(x))', 'power(x, -2.0)', 'divide(1.0, square(x, out=x), out=x)')
    """
    out = f", out={over}" if over else ""
    found = f"power({base}, {literal(exponent)})"
    if exponent in POWERS and (size >= MANY or exponent in FEW_CALLS):
        found = POWERS[exponent].format(base, out)
    return f"{found[:-1]}{out})"


def slope(lines: NumpyLines, found: SigmoidSlope) -> None:
    """The derivative of a sigmoid, or its root, by one exponential."""
    axes = tuple(range(len(lines.step.shape)))
    operand = lines.operand(Use(found.value, axes))
    function = root_slope if found.root else sigmoid_slope
    name = lines.helper(function)
    lines.kernel = "slope"
    lines.buffers.need_entries(SLOPE, lines.number)
    lines.put(f"{name}({operand.code})", operand.labels, axes)


def together(lines: NumpyLines, group: Together) -> None:
    """A function that gives the values of several steps: the first one calls it, the others wait under a name."""
    number, step, lines.kernel = lines.number, lines.step, "together"
    if number != group.steps[0]:
        lines.put(lines.local("w"), *lines.waiting.pop(number))
        lines.lines.append(f"del {lines.local('w')}")
        return
    held = lines.stored(group.use)
    for other in group.steps:
        made = lines.program.steps[other]
        gone = made.axes if isinstance(made, Reduce) and not made.keeps else ()
        order = tuple(group.use.labels[axis] for axis in held.order if axis not in gone)
        lines.waiting[other] = order, tuple(x for x in sorted(group.use.labels) if x in order)
        lines.buffers.make(other)
    lines.buffers.need_entries(TOGETHER if isinstance(step, Map) else 0, number)
    name = lines.helper(group.function)
    given = [lines.operand(group.use).code, str(group.names)]
    if isinstance(step, Reduce) and not reduction_row(step.fn).axes:
        given.insert(1, str(tuple(held.order.index(axis) for axis in step.axes)))
        if lines.buffers.last(held, len(group.steps)):
            given.append(lines.buffers.over(group.use))
            lines.buffers.inside |= dict.fromkeys(group.steps[1:], held.owner)
    lines.quiet = lines.quiet or isinstance(step, Reduce)
    code = f"{name}({', '.join(given)})"
    lines.put(code, *lines.waiting.pop(number))
    lines.lines[-1] = f"{', '.join([lines.name, *(lines.local('w', k) for k in group.steps[1:])])} = {code}"
