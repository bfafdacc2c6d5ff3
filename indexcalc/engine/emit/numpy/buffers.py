"""The variables that hold the values of a program: how their axes lie in memory, and how long each buffer lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from indexcalc.engine.emit.numpy.function import Stored
from indexcalc.engine.emit.patterns import AtOnce
from indexcalc.engine.program import Program, Use, readers

FREED = 2048
"""Bytes: a buffer of so many is freed when it is dead; to free a smaller one takes longer than its memory is worth."""


class Buffers:
    """How values are `stored`, and what lives; `peak` is the most entries that were alive at once.

    Steps are taken in order: `begin(number)`, then `keep` what holds the value, then `end()`, which gives the names of
    the variables that are dead from there on. A value is stored with its axes in an order of its own; several values
    may be views of one buffer, whose `owner` is the step that made it, None where it was given.
    """

    def __init__(self, program: Program, itemsize: int, complex_values: Sequence[bool], at_once: AtOnce) -> None:
        self.program, self.itemsize, self.complex, self.at_once = program, itemsize, complex_values, at_once
        self.stored: dict[int, Stored] = {}
        self.alive: dict[int, int] = {}
        self.left = readers(program)
        self.pending: Counter[int | None] = Counter()
        self.number = self.scratch = self.peak = 0
        self.overwritten: int | None = None

    def begin(self, number: int) -> None:
        """The next step, which needs no `scratch` and writes over nothing so far."""
        self.number, self.scratch, self.overwritten = number, 0, None

    def keep(self, held: Stored) -> None:
        """The value of the step is held like this; its buffer will be read as often as the value is."""
        self.stored[self.number] = held
        self.pending[held.owner] += self.left[self.number]

    def last(self, held: Stored, times: int = 1) -> bool:
        """Is this a buffer of the program that is read so many times from here on, and no more?"""
        return held.owner is not None and held.contiguous and self.pending[held.owner] == times

    def dying(self, use: Use) -> bool:
        """May the step write over this operand? It is a buffer of the program, read here for the last time."""
        held = self.stored[use.value]
        if not self.last(held) or self.complex[use.value] != self.complex[self.number]:
            return False
        step = self.program.steps[self.number]
        return (
            sum(other.value in self.stored and self.stored[other.value].owner == held.owner for other in step.uses) == 1
        )

    def over(self, use: Use) -> str:
        """The name of the buffer of an operand that the step writes over."""
        held = self.stored[use.value]
        self.overwritten = held.owner
        return held.name

    def end(self) -> list[str]:
        """What was read for the last time; the step is done."""
        self._count()
        return self._dead()

    def _count(self) -> None:
        """The buffers that are there during a step, in entries: one that is written over is none beside the new one."""
        if self.stored[self.number].owner == self.number:
            self.alive[self.number] = prod(self.program.steps[self.number].shape)
            if self.overwritten is not None:
                self.alive.pop(self.overwritten, None)
        self.peak = max(self.peak, sum(self.alive.values()) + self.scratch)

    def _dead(self) -> list[str]:
        number, within = self.number, self.at_once.within
        if number in self.at_once.groups and number not in within:
            return []
        steps = (self.program.steps[number], *(self.program.steps[value] for value in within.get(number, ())))
        read = [use.value for step in steps for use in step.uses if use.value in self.stored]
        for value in read:
            self.left[value] -= 1
            self.pending[self.stored[value].owner] -= 1
        names = []
        for value in dict.fromkeys(read):
            held = self.stored[value]
            if held.owner is not None and not self.pending[held.owner]:
                size = prod(self.program.steps[held.owner].shape) * self.itemsize
                if size >= FREED and held.name != self.stored[number].name:
                    names.append(held.name)
                    self.alive.pop(held.owner, None)
        return names
