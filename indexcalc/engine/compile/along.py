"""Along which axes the steps of a program work entry by entry, so that a part of an axis is made of parts of operands.

Tiles of long arrays (`loops`) and blocks of dask follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, assert_never

from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Cut,
    Fill,
    Gather,
    Input,
    Invoke,
    Known,
    Map,
    Program,
    Reduce,
    Reshape,
    Scatter,
    Solve,
    Step,
    Use,
    Windows,
)
from indexcalc.functions.reductions import TRIANGLE

MIXED = -1
"""What stands for the batch axis of a value that has none because its step works across the batch: no axis is -1."""


class AxisLink(NamedTuple):
    """Entry t of an axis is made of entry t + `shift` of this axis of this operand, and of all of other operands.

    It is None where the axes are one: entry t is made of entry t, for all t, as if there were no others.
    """

    use: int
    axis: int
    shift: int | None = None

    @property
    def by(self) -> int:
        """The shift as a number."""
        return self.shift or 0


def links(step: Step, axis: int) -> list[AxisLink] | None:
    """What entry t of an axis of a step's value is made of; None where the step works across it.

    >>> from indexcalc.graph.ranges import Range
    >>> links(Cut((Use(0, (0, 1)),), (Range(2, 1, 7, 9), None), (), (7, 5)), 0)
    [AxisLink(use=0, axis=0, shift=2)]
    """
    match step:
        case Contract() | Map():
            return _carried(step.uses, step.out[axis])
        case Add():
            return _of_sum(step, axis)
        case Cut():
            own = [k for k in range(len(step.ranges)) if k not in step.gone][axis]
            found = step.ranges[own]
            if found is None:
                return [AxisLink(0, own)]
            return [AxisLink(0, own, found.start)] if found.step == 1 and isinstance(found.start, int) else None
        case Reduce():
            if step.keeps and axis in step.axes:
                return [AxisLink(0, axis, 0)] if step.fn == TRIANGLE else None
            if step.keeps:
                return [AxisLink(0, axis)]
            order = len(step.uses[0].labels)
            return [AxisLink(0, [k for k in range(order) if k not in step.axes][axis])]
        case Gather() | Scatter():
            return None if step.out[axis] in step.places else _carried(step.uses, step.out[axis])
        case Windows():
            label = step.out[axis]
            return None if label in (step.along, *step.window.near) else _carried(step.uses, label)
        case Fill():
            return []
        case Apply() | Solve() | Reshape() | Invoke() | Input() | Known():
            return None
        case _:
            assert_never(step)


def summed_links(step: Step) -> dict[int, list[AxisLink]]:
    """The labels over which a product is summed, so that a part of one gives a part of the sum, and who has them.

    >>> summed_links(Contract(1, (Use(0, (0, 1)), Use(1, (1,))), (0,), (2,), {0: 2, 1: 3}))
    {1: [AxisLink(use=0, axis=1, shift=None), AxisLink(use=1, axis=0, shift=None)]}
    """
    if not isinstance(step, Contract):
        return {}
    gone = dict.fromkeys(x for use in step.uses for x in use.labels if x not in step.out)
    found = {label: _carried(step.uses, label) for label in gone}
    return {label: own for label, own in found.items() if own is not None}


def _carried(uses: Sequence[Use], label: int) -> list[AxisLink] | None:
    """The operands that have a label; None where one has it twice."""
    if any(use.labels.count(label) > 1 for use in uses):
        return None
    return [AxisLink(k, use.labels.index(label)) for k, use in enumerate(uses) if label in use.labels]


def _of_sum(step: Add, axis: int) -> list[AxisLink] | None:
    found = []
    for k, part in enumerate(step.parts):
        label, own = part.places[axis], part.ranges[axis] if part.ranges else None
        if part.places.count(label) > 1 or part.use.labels.count(label) > 1:
            return None
        if own is not None and (own.step != 1 or not isinstance(own.start, int)):
            return None
        if label in part.use.labels:
            shift = None if own is None else -own.start
            assert shift is None or isinstance(shift, int)
            found.append(AxisLink(k, part.use.labels.index(label), shift))
    return found


# ------------------------------------------------------------------ a batch


def axis_along(step: Step, along: Sequence[int | None], cut: Mapping[str, int]) -> int | None:
    """The batch axis of a step's value, None if it has none, `MIXED` if the step works across the batch.

    `along` has the axes of the values before, `cut` those of the inputs by name.

    >>> axis_along(Map("exp", (), (Use(0, (0, 1)),), (1, 0), (5, 3)), [0], {})
    1
    """
    if isinstance(step, Input):
        return cut.get(step.name)
    batched = {(k, along[use.value], None) for k, use in enumerate(step.uses) if along[use.value] is not None}
    if not batched:
        return None
    found = (axis for axis in range(len(step.shape)) if set(map(tuple, links(step, axis) or ())) == batched)
    return next(found, MIXED)


def sums_along(step: Step, along: Sequence[int | None]) -> bool:
    """Is this a product summed over the batch, so that a part of the batch gives a part of the sum?

    >>> sums_along(Contract(1, (Use(0, (0, 1)),), (1,), (3,), {0: 5, 1: 3}), [0])
    True
    """
    batched = {(k, along[use.value], None) for k, use in enumerate(step.uses) if along[use.value] is not None}
    return any(set(map(tuple, own)) == batched for own in summed_links(step).values())


def reading(program: Program) -> list[list[int]]:
    """The steps that read each value, in order.

    >>> reading(Program((Input("x", ()), Map("exp", (), (Use(0, ()),), (), ())), (1,)))
    [[1], []]
    """
    found: list[list[int]] = [[] for _ in program.steps]
    for number, step in enumerate(program.steps):
        for value in dict.fromkeys(use.value for use in step.uses):
            found[value].append(number)
    return found
