"""Nodes that are computed as they are, one step each: inputs, constants, and functions of values that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from indexcalc.engine import cost
from indexcalc.engine.bind.inputs import number_of
from indexcalc.engine.plan.joined import HeldForm, HeldValue, whole
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.plan.steps import written
from indexcalc.engine.program import Apply, Fill, Input, Invoke, Known, Map, Reduce, Reshape, Use
from indexcalc.functions.table import reduction_row
from indexcalc.graph.node import Call, Constant, Elementwise, Matrix, Node, Reduction, Regroup, Variable
from indexcalc.graph.ranges import Range, entries_taken


def leaf(pool: StepPool, node: Node, operands: Sequence[HeldValue]) -> HeldValue:
    """The value of a node whose children have these values.

    They are whole arrays, or, of a function of entries, any without a delta.

    >>> from indexcalc.graph.constructors import variable
    >>> pool = StepPool({}, {})
    >>> leaf(pool, variable("x", (3,)), []), pool.steps
    ((0, HeldForm(labels=(0,), out=(0,), sizes=(3,), ranges=())), [Input(name='x', shape=(3,), uses=(), whole=False)])
    """
    return LEAVES[type(node)](pool, node, operands)


def _variable(pool: StepPool, node: Variable, operands: Sequence[HeldValue]) -> HeldValue:
    """The array that is given."""
    shape = pool.shape(node.dims)
    return pool.add(Input(node.label, shape, whole="integer" in node.assumptions), 0.0, pool.range(node)), whole(shape)


def _constant(pool: StepPool, node: Constant, operands: Sequence[HeldValue]) -> HeldValue:
    """A known tensor; of one that selects, the entries that it takes."""
    found = entries_taken(node)
    if found is not None:
        return pool.add(Fill(1, ()), 0.0, (1.0, 1.0)), _taking(pool, node, found)
    shape = pool.shape(node.dims)
    params = node.params if pool.symbols else tuple(number_of(value, pool.sizes) for value in node.params)
    return pool.add(Known(node.label, params, shape), 1e-6, pool.range(node)), whole(shape)


def _taking(pool: StepPool, node: Constant, found: Sequence[Range]) -> HeldForm:
    """How a tensor that selects is held: as 1 where its axes are at the entries that it takes."""
    if not pool.symbols:
        found = [one.at(pool.sizes) for one in found]
    sizes = tuple(pool.size(one.size) for one in found)
    if node.label == "selection":
        return HeldForm((), (0, 0), sizes, (None, *found))
    return HeldForm((), tuple(range(len(found))), sizes, tuple(found))


def _elementwise(pool: StepPool, node: Elementwise, operands: Sequence[HeldValue]) -> HeldValue:
    """A function of the entries, along the axes along which an argument varies, in the order of the arguments."""
    sizes = pool.shape(node.dims)
    uses = []
    for (value, form), (_, labels) in zip(operands, node.args, strict=True):
        place = dict(zip(form.out, labels, strict=True))
        uses.append(Use(value, tuple(place[x] for x in form.labels)))
    number: dict[int, int] = {}
    for label in (x for use in uses for x in use.labels):
        number.setdefault(label, len(number))
    uses = [Use(u.value, tuple(number[x] for x in u.labels)) for u in uses]
    shape = tuple(sizes[x] for x in number)
    step = Map(node.fn, node.params, tuple(uses), tuple(range(len(shape))), shape)
    value = pool.add(step, cost.elementary(prod(shape)), pool.range(node))
    return value, HeldForm(tuple(number), tuple(range(len(sizes))), sizes)


def _reduction(pool: StepPool, node: Reduction, operands: Sequence[HeldValue]) -> HeldValue:
    """A function along axes."""
    shape = pool.shape(node.dims)
    (own,) = _uses(operands)
    entries = prod(pool.steps[own.value].shape)
    spent = cost.elementary(entries) + entries * sum(shape[-1:]) / cost.LOOP * (reduction_row(node.fn).axes == 2)
    step = Reduce(node.fn, node.params, (own,), node.axes, node.keeps, shape)
    return pool.add(step, spent, pool.range(node)), whole(shape)


def _matrix(pool: StepPool, node: Matrix, operands: Sequence[HeldValue]) -> HeldValue:
    """A function of whole matrices."""
    shape = pool.shape(node.dims)
    params = tuple(number_of(value, pool.sizes) for value in node.params)
    spent = 10 * cost.CALL + 10 * prod(shape) * (shape[-1] if shape else 1) / cost.LOOP
    return pool.add(Apply(node.fn, params, node.times, _uses(operands), shape, node), spent), whole(shape)


def _regroup(pool: StepPool, node: Regroup, operands: Sequence[HeldValue]) -> HeldValue:
    """Axes split, put in order, and joined."""
    sizes, shape = pool.shape(node.sizes), pool.shape(node.dims)
    inner = [label for group in node.inner for label in group]
    axes = tuple(inner.index(label) for group in node.outer for label in group)
    step = Reshape(_uses(operands), tuple(sizes[x] for x in inner), axes, shape)
    return pool.add(step, cost.single(prod(shape), prod(shape)), pool.range(node)), whole(shape)


def _call(pool: StepPool, node: Call, operands: Sequence[HeldValue]) -> HeldValue:
    """A function that is given: of numbers, it gets whole arrays, else it is mapped over the samples."""
    shape, title, batch = pool.shape(node.dims), node.name, pool.shape(node.batch)
    rows = []
    for operand, labels in zip(operands, node.labels, strict=True):
        rows.append(_in_place(pool, operand, labels, batch) if labels else operand)
    mapped = "" if node.function.entrywise or not batch else node.function.mapped(node.orders)
    samples = tuple(len(batch) if labels else 0 for labels in node.labels) if mapped else ()
    step = Invoke(title, _uses(rows), shape, title == node.function.gradient, node.function.entrywise, mapped, samples)
    return pool.add(step, 0.0), whole(shape)


def _in_place(pool: StepPool, operand: HeldValue, labels: Sequence[int], batch: Sequence[int]) -> HeldValue:
    """A whole array with its sample axes among all of them: constant along those that it lacks."""
    value, form = operand
    own = form.sizes[len(labels) :]
    where = [*labels, *range(len(batch), len(batch) + len(own))]
    shape = (*batch, *own)
    if where == list(range(len(shape))):
        return operand
    placed = HeldForm(tuple(where), tuple(range(len(shape))), shape)
    return written(pool, value, placed), whole(shape)


def _uses(operands: Sequence[HeldValue]) -> tuple[Use, ...]:
    """The operands as they are, each with labels of its own."""
    return tuple(Use(value, form.labels) for value, form in operands)


LEAVES: dict[type[Node], Callable[[StepPool, Any, Sequence[HeldValue]], HeldValue]] = {
    Variable: _variable,
    Constant: _constant,
    Elementwise: _elementwise,
    Reduction: _reduction,
    Matrix: _matrix,
    Regroup: _regroup,
    Call: _call,
}
