"""What a program costs, counted: operations, entries that are alive at once, and bytes."""

from __future__ import annotations

from math import prod

from indexcalc.engine.program import (
    Apply,
    Contract,
    Cut,
    Fill,
    Input,
    Known,
    Program,
    Step,
    Windows,
    flops,
)
from indexcalc.functions.table import matrix_row


def total_flops(program: Program) -> int:
    """The floating-point operations of all steps."""
    return sum(flops(step) for step in program.steps)


def is_view(step: Step) -> bool:
    """Is the value of this step the value that it reads, its axes in another order, or a diagonal or a part of it?"""
    if isinstance(step, Cut):
        return True
    if isinstance(step, Windows):
        return step.window.inside
    if not isinstance(step, Contract) or len(step.uses) > 1 or step.coef != 1:
        return False
    return len(set(step.uses[0].labels)) == len(step.out)


def entries_held(step: Step) -> int:
    """The entries that the value of a step takes: windows overlap."""
    return step.span if isinstance(step, Windows) else prod(step.shape)


WORKING = 26
"""Arrays of the size of a matrix that a function of one makes on its way, at most: those of SciPy were counted, 3 of
`sqrtm` to 25 of `expm_frechet`."""
TOGETHER = 4
"""Arrays of the size of the result, or of its blocks, that hold all matrices together: counted."""


def working_entries(step: Step) -> int:
    """The entries that the derivative of a function of matrices makes on its way: by blocks, or along a direction."""
    if not isinstance(step, Apply) or not step.times:
        return 0
    left = step.times - len(step.uses) + 1
    blocks = 1 if matrix_row(step.fn).numerics(step.times, left) else 2**step.times
    return blocks**2 * (TOGETHER * prod(step.shape) + WORKING * step.shape[-1] ** 2)


def peak_entries(program: Program) -> int:
    """The most entries that are alive at once, the inputs apart.

    >>> from indexcalc.engine.plan.plan import plan
    >>> from indexcalc.graph.constructors import einsum, variable
    >>> A, x = variable("A", (9, 5)), variable("x", (5,))
    >>> peak_entries(plan([einsum(1, [(A, "ij"), (x, "j")], "i")], {}))
    9
    """
    return max(alive_entries(program), default=0)


def alive_entries(program: Program) -> list[int]:
    """The entries that are alive during each step, the inputs apart: each step's result, until its last use.

    A derivative of a function of matrices counts what it makes on its way too.

    >>> from indexcalc.engine.plan.plan import plan
    >>> from indexcalc.graph.constructors import einsum, variable
    >>> A, x = variable("A", (9, 5)), variable("x", (5,))
    >>> alive_entries(plan([einsum(1, [(A, "ij"), (x, "j")], "i")], {}))
    [0, 0, 9]
    """
    owner: list[int] = []
    for number, step in enumerate(program.steps):
        owner.append(owner[step.uses[0].value] if is_view(step) else number)
    last = list(range(len(program.steps)))
    for number, step in enumerate(program.steps):
        for use in step.uses:
            last[owner[use.value]] = max(last[owner[use.value]], number)
    for value in program.results:
        last[owner[value]] = len(program.steps)
    ends: dict[int, list[int]] = {}
    alive, during = 0, []
    for number, step in enumerate(program.steps):
        if owner[number] == number and not isinstance(step, Input | Known | Fill):
            alive += entries_held(step)
            ends.setdefault(last[number], []).append(number)
        during.append(alive + working_entries(step))
        alive -= sum(entries_held(program.steps[done]) for done in ends.pop(number, ()))
    return during
