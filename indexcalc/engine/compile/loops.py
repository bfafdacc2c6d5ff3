"""Which steps of a program run tile by tile: parts of long arrays that a cache holds, one after the other.

A `Loop` is steps that work entry by entry along one axis, each value having it at one of its axes, shifted where
slices are; a product that is summed over the axis is added up. What is made and read in a loop is never an array of
full length. The other steps run whole, before or behind, and are looked through for loops again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

from indexcalc.engine.compile.along import AxisLink, links, reading, summed_links
from indexcalc.engine.emit.patterns import at_once
from indexcalc.engine.measure import alive_entries, entries_held, is_view
from indexcalc.engine.program import Contract, Fill, Input, Known, Program, Step

WORKING_SET = 2**22
"""Bytes that a tile may need: caches hold it, and few calls are made."""
LARGE = 16 * 2**20
"""Bytes alive at once: a program of fewer is not worth a loop."""
SAVED = 2**20
"""Nor is a loop whose steps would have fewer bytes between them."""
DENSE = 16
"""Operations for each entry that is read or made: a product of more is bound by arithmetic, and runs whole."""
MOST_STEPS = 2000
"""Steps of a program that is looked through for loops, since it takes their square;"""
MOST_LOOPS = 8
"""the loops that are looked for in one;"""
SEEDS = 6
"""and the large arrays from which each is looked for."""


class Loop(NamedTuple):
    """Steps that run tile by tile: for the values that they make the `axes`, and how far these are shifted.

    Entry t + shift of a value belongs to place t. `sums` has, by step, the label over which it is added up.
    """

    axes: Mapping[int, int]
    shifts: Mapping[int, int]
    sums: Mapping[int, int]

    @property
    def steps(self) -> list[int]:
        """The numbers of its steps, in order."""
        return sorted((*self.axes, *self.sums))


Stage = Loop | frozenset[int]
"""A loop, or steps that run whole."""


def stages(program: Program, itemsize: int, sums: bool = True) -> list[Stage]:
    """The program in parts that run one after the other; one part where there is no loop. `sums` may be cut too.

    >>> from indexcalc.engine.program import Map, Use
    >>> def of(k): return Map("exp", (), (Use(k, (0,)),), (0,), (10**7,))
    >>> [list(loop.steps) for loop in stages(Program((Input("x", (10**7,)), of(0), of(1), of(2)), (3,)), 8)]
    [[1, 2, 3]]
    """
    steps = [k for k, step in enumerate(program.steps) if not isinstance(step, Input | Known | Fill)]
    if len(steps) > MOST_STEPS or max(alive_entries(program), default=0) * itemsize < LARGE:
        return [frozenset(steps)]
    return Search(program, itemsize, sums).stages(steps)


class Search:
    """The loops of a program, with or without `sums` that are added up tile by tile; `spent` counts the loops."""

    def __init__(self, program: Program, itemsize: int, sums: bool) -> None:
        self.program, self.itemsize, self.sums, self.spent = program, itemsize, sums, 0
        self.readers = reading(program)
        self.groups = {group.steps for group in at_once(program, real=True).groups.values()}

    def stages(self, steps: Sequence[int]) -> list[Stage]:
        """The stages of these steps: the best loop among them, those of what it needs, and those of the rest."""
        found = max(self._loops(steps), key=lambda one: one[0], default=None) if self.spent < MOST_LOOPS else None
        if found is None or found[0] * self.itemsize < SAVED:
            return [frozenset(steps)] if steps else []
        self.spent += 1
        loop, within = found[1], set(found[1].steps)
        needed = self._needed({use.value for k in within for use in self.program.steps[k].uses})
        before = [k for k in steps if k in needed and k not in within]
        after = [k for k in steps if k not in needed and k not in within]
        return [*self.stages(before), loop, *self.stages(after)]

    def _needed(self, values: set[int]) -> set[int]:
        """These values, all that they are made of, and what is made at once with any of it."""
        left, found = [*values], set(values)
        while left:
            value = left.pop()
            more = {use.value for use in self.program.steps[value].uses}.union(*(g for g in self.groups if value in g))
            left += more - found
            found |= more
        return found

    def _loops(self, steps: Sequence[int]) -> Iterator[tuple[int, Loop]]:
        """Loops along the axes of the largest values, with the entries that each saves."""
        known: set[tuple[int, int]] = set()
        largest = sorted(steps, key=lambda k: -prod(self.program.steps[k].shape))
        for seed in largest[:SEEDS]:
            for axis in range(len(self.program.steps[seed].shape)):
                if (seed, axis) in known or not self._runs(seed, axis):
                    continue
                loop = self._late(self._grown(seed, axis, set(steps)), steps)
                known |= set(loop.axes.items())
                yield self._saved(loop), loop

    def _runs(self, number: int, axis: int) -> bool:
        step = self.program.steps[number]
        return not is_dense(self.program, step) and links(step, axis) is not None

    def _grown(self, seed: int, axis: int, within: Collection[int]) -> Loop:
        """All that runs along the axis with it; a value that would along two of its axes does along the first."""
        steps = self.program.steps
        axes, shifts, left = {seed: axis}, {seed: 0}, [seed]
        while left:
            value = left.pop()
            near = [
                (steps[value].uses[link.use].value, link.axis, link.by)
                for link in links(steps[value], axes[value]) or ()
            ]
            for reader in self.readers[value]:
                near += [
                    (reader, own, -link.by)
                    for own in range(len(steps[reader].shape))
                    for link in links(steps[reader], own) or ()
                    if (steps[reader].uses[link.use].value, link.axis) == (value, axes[value])
                ]
            for other, own, shift in near:
                if other in within and other not in axes and self._runs(other, own):
                    axes[other], shifts[other] = own, shifts[value] + shift
                    left.append(other)
        return Loop(axes, shifts, {})

    def _late(self, loop: Loop, steps: Sequence[int]) -> Loop:
        """The loop without what needs all entries of what it makes: that is made behind it."""
        axes: dict[int, int] = {}
        sums: dict[int, int] = {}
        late: set[int] = set()
        for k in steps:
            step = self.program.steps[k]
            read = {use.value for use in step.uses}
            if k in loop.axes and not read & (late | sums.keys()) and _cuts(step, links(step, loop.axes[k]), axes):
                axes[k] = loop.axes[k]
                continue
            if not read & (late | sums.keys() | axes.keys()):
                continue
            label = None if read & (late | sums.keys()) else self._sum(step, axes, loop.shifts)
            if label is None:
                late.add(k)
            else:
                sums[k] = label
        return Loop(axes, {k: loop.shifts[k] for k in axes}, sums)

    def _sum(self, step: Step, axes: Mapping[int, int], shifts: Mapping[int, int]) -> int | None:
        """The label over which a product is added up tile by tile, if it is one that takes little."""
        large = prod(step.shape) * self.itemsize > WORKING_SET // 4
        if not self.sums or large or is_dense(self.program, step):
            return None
        for label, own in summed_links(step).items():
            apart = {shifts[step.uses[link.use].value] for link in own if step.uses[link.use].value in axes}
            if len(apart) == 1 and _cuts(step, own, axes):
                return label
        return None

    def _saved(self, loop: Loop) -> int:
        """The entries of the values that are made and read in the loop alone."""
        within = {*loop.steps}
        inner = [
            k
            for k in loop.axes
            if k not in self.program.results
            and within.issuperset(self.readers[k])
            and not is_view(self.program.steps[k])
        ]
        return sum(entries_held(self.program.steps[k]) for k in inner)


def _cuts(step: Step, found: Sequence[AxisLink] | None, axes: Mapping[int, int]) -> bool:
    """Is each operand that is made in a loop cut along its axis there?"""
    if found is None:
        return False
    own = {(link.use, link.axis) for link in found}
    return all((k, axes[use.value]) in own for k, use in enumerate(step.uses) if use.value in axes)


def is_dense(program: Program, step: Step) -> bool:
    """Is it a product that takes many operations for each entry that it reads or makes?"""
    if not isinstance(step, Contract) or len(step.uses) < 2:
        return False
    points = prod(step.sizes[x] for x in {x for use in step.uses for x in use.labels})
    return points > DENSE * (prod(step.shape) + sum(prod(program.steps[use.value].shape) for use in step.uses))
