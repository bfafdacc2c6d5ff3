"""The variables that hold the values of a program: how their axes lie in memory, and how long each buffer lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from indexcalc.engine.emit.numpy.function import Stored
from indexcalc.engine.emit.patterns import AtOnce
from indexcalc.engine.emit.workspace import LEAST, Life
from indexcalc.engine.measure import entries_held
from indexcalc.engine.program import Program, Use, readers

FREED = 2048
"""Bytes: a buffer of so many is freed when it is dead; to free a smaller one takes longer than its memory is worth."""


class Buffers:
    """How values are `stored`, and what lives; `peak` is the most bytes that were alive at once.

    Steps are taken in order: `begin(number)`, then `keep` what holds the value, then `end()`, which gives the names of
    the variables that are dead from there on. A value is stored with its axes in an order of its own; several values
    may be views of one buffer, whose `owner` is the step that made it, None where it was given. `need` is told what a
    step takes beside its operands and its value, `hold` what is there to the end, as constants are; `most` has the
    bytes that were there in each step. Values that are `placed` are in the memory that is kept, see `emit/workspace`.
    """

    def __init__(
        self,
        program: Program,
        itemsize: int,
        complex_values: Sequence[bool],
        at_once: AtOnce,
        placed: Collection[int] = (),
    ) -> None:
        self.program, self.itemsize, self.complex, self.at_once = program, itemsize, complex_values, at_once
        self.stored: dict[int, Stored] = {}
        self.alive: dict[int, int] = {}
        self.real = itemsize // 2 if any(complex_values) else itemsize
        self.names: dict[int | None, dict[str, None]] = {}
        self.left = readers(program)
        self.pending: Counter[int | None] = Counter()
        self.number = self.scratch = self.held = self.peak = 0
        self.overwritten: int | None = None
        self.base: int | None = None
        self.inside: dict[int, int | None] = {}
        self.placed, self.root = placed, dict[int, int]()
        self.ends: dict[int, int] = {}
        self.most: dict[int, int] = {}

    def begin(self, number: int) -> None:
        """The next step, which needs no `scratch` and writes over nothing so far."""
        self.number, self.scratch, self.overwritten, self.base = number, 0, None, self.inside.get(number)

    def size(self, value: int) -> int:
        """The bytes of a value."""
        return entries_held(self.program.steps[value]) * (self.itemsize if self.complex[value] else self.real)

    def need(self, size: int) -> None:
        """The step takes so many bytes more, until it is done."""
        self.scratch += size

    def need_entries(self, count: float, value: int) -> None:
        """The step takes the memory of so many arrays like this value more."""
        self.scratch += round(count * self.size(value))

    def hold(self, size: int) -> None:
        """From here on so many bytes more are there."""
        self.held += size

    def make(self, value: int) -> None:
        """A buffer for a value is there from here on."""
        self._free(value)
        self.alive[value] = 0 if value in self.placed else self.size(value)
        self.held += self.alive[value]

    def make_copy(self, value: int) -> None:
        """A result is copied at the end."""
        self.held += self.size(value)
        self.peak = max(self.peak, self.held)

    def lives(self, outside: Collection[int]) -> dict[int, Life]:
        """How long the memory of values is used, by the value that it was made for, but for values held `outside`."""
        roots = {self.root.get(owner, owner) for owner in map(self.owner, outside) if owner is not None}
        return {
            root: Life(root, last, self.size(root))
            for root, last in self.ends.items()
            if root not in roots and self.size(root) >= LEAST
        }

    def owner(self, value: int) -> int | None:
        """The value whose buffer holds this one."""
        return self.stored[value].owner

    def _free(self, value: int) -> None:
        self.held -= self.alive.pop(value, 0)

    def keep(self, held: Stored) -> None:
        """The value of the step is held like this; its buffer will be read as often as the value is."""
        self.stored[self.number] = held
        self.names.setdefault(held.owner, {})[held.name] = None
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

    def squared(self) -> bool:
        """Is the step a product of a value with itself, entry by entry, that may be written over it?"""
        uses, number = self.program.steps[self.number].uses, self.number
        held = self.stored[uses[0].value]
        same = len(uses) == 2 and uses[0] == uses[1] and self.complex[uses[0].value] == self.complex[number]
        return same and self.last(held, 2)

    def over(self, use: Use) -> str:
        """The name of the buffer of an operand that the step writes over."""
        held = self.stored[use.value]
        self.overwritten = held.owner
        return held.name

    def within(self, use: Use) -> None:
        """The value may be a view of this operand, whose memory it has from here on."""
        self.base = self.stored[use.value].owner

    def end(self) -> list[str]:
        """What was read for the last time; the step is done."""
        self._count()
        return self._dead()

    def _count(self) -> None:
        """The bytes that are there during a step: a buffer that is written over is none beside the new one."""
        if self.stored[self.number].owner == self.number:
            over = self.overwritten
            base = self.base if over is None else over
            self.root[self.number] = self.number if base is None else self.root.get(base, base)
            if over in self.alive:
                self.alive[self.number] = self.alive.pop(over)
            else:
                self.make(self.number)
        self.most[self.number] = self.held + self.scratch
        self.peak = max(self.peak, self.held + self.scratch)

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
            if held.owner is None or self.pending[held.owner] or self.size(held.owner) < FREED:
                continue
            own = {held.name: None, **self.names.pop(held.owner, {})}
            if held.name != self.stored[number].name:
                names += [name for name in own if name != self.stored[number].name]
                self.ends[self.root.get(held.owner, held.owner)] = number
                self._free(held.owner)
        return list(dict.fromkeys(names))
