"""Parts of a program as programs of their own: a tile of a loop, and steps that run whole.

Values that are made elsewhere are inputs of a part. A tile reads slices of them, and gives slices of what is read
elsewhere; of one that is added up it gives a summand. Of a triangle it makes the rectangle that has its entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from indexcalc.engine.compile.along import links, summed_links
from indexcalc.engine.compile.loops import Loop
from indexcalc.engine.measure import is_view
from indexcalc.engine.program import Add, Contract, Cut, Fill, Input, Part, Program, Reduce, Step, Use
from indexcalc.functions.reductions import TRIANGLE
from indexcalc.graph.ranges import Range

Span = tuple[int, int]
"""The first entry of an axis, and the one behind the last."""
Box = tuple[Span, ...]
"""A span of each axis."""


class Share(NamedTuple):
    """A value, or the part of it in a box; `axis` is the one along which the next tile has the next part."""

    value: int
    box: Box | None = None
    axis: int | None = None

    @property
    def where(self) -> tuple[slice, ...] | None:
        """How an array is indexed for it; None for all of one."""
        return None if self.box is None else tuple(slice(*span) for span in self.box)

    def moved(self, by: int) -> Share:
        """The part so many entries further on."""
        if self.box is None or self.axis is None:
            return self
        low, high = self.box[self.axis]
        return self._replace(box=(*self.box[: self.axis], (low + by, high + by), *self.box[self.axis + 1 :]))


class Fragment(NamedTuple):
    """A program, what its inputs are, in order, what of the values its results are, and the numbers of steps in it."""

    program: Program
    inputs: tuple[Share, ...]
    results: tuple[Share, ...]
    made: Mapping[int, int]


class Cutting:
    """A piece as it is made, step by step: `place` has the numbers in it of what the whole program makes elsewhere."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps: list[Step] = []
        self.place: dict[tuple[int, Box | None], int] = {}
        self.inputs: list[Share] = []

    def add(self, step: Step) -> int:
        """The number of a new step."""
        self.steps.append(step)
        return len(self.steps) - 1

    def given(self, part: Share) -> int:
        """The number of what is made elsewhere: a number is written again, a view is taken again, all else comes in."""
        step = self.program.steps[part.value]
        if part.box == whole_box(step.shape):
            part = Share(part.value)
        key = part.value, part.box
        if key not in self.place:
            shape = step.shape if part.box is None else sizes_of(part.box)
            if isinstance(step, Fill):
                self.place[key] = self.add(replace(step, shape=shape))
            elif part.box is None and is_view(step):
                self.place[key] = self.add(self.of_wholes(step))
            else:
                integers = isinstance(step, Input) and step.whole
                self.place[key] = self.add(Input(f"v{len(self.inputs)}", shape, whole=integers))
                self.inputs.append(part)
        return self.place[key]

    def of_wholes(self, step: Step) -> Step:
        """A step of values, all of each."""
        return reading_from(step, [self.given(Share(use.value)) for use in step.uses])

    def part(self, number: int, inner: Box, outer: Box) -> int:
        """The part in a box of a value of the piece, which is itself the part in an outer one."""
        if inner == outer:
            return number
        pairs = zip(inner, outer, strict=True)
        ranges = tuple(Range(a - b, 1, c - a, d - b) if (a, c) != (b, d) else None for (a, c), (b, d) in pairs)
        return self.add(Cut((Use(number, tuple(range(len(inner)))),), ranges, (), sizes_of(inner)))

    def piece(self, results: Sequence[Share], numbers: Sequence[int], own: Mapping[int, int]) -> Fragment:
        """What was made: these results, by steps of its own under these numbers."""
        return Fragment(Program(tuple(self.steps), tuple(numbers)), tuple(self.inputs), tuple(results), own)


def whole(program: Program, steps: Sequence[int], results: Sequence[int]) -> Fragment:
    """The piece that makes these values, by these steps, in order.

    >>> from indexcalc.engine.program import Map
    >>> x, of = Input("x", (9,)), lambda k: Map("exp", (), (Use(k, (0,)),), (0,), (9,))
    >>> whole(Program((x, of(0), of(1), of(2)), (3,)), [2, 3], [3]).inputs
    (Share(value=1, box=None, axis=None),)
    """
    made = Cutting(program)
    needed = set(results)
    for k in reversed(steps):
        if k in needed:
            needed |= {use.value for use in program.steps[k].uses}
    own: dict[int, int] = {}
    for k in steps:
        if k in needed:
            own[k] = made.place[k, None] = made.add(made.of_wholes(program.steps[k]))
    return made.piece([Share(k) for k in results], [made.given(Share(k)) for k in results], own)


class Tile:
    """The places of a loop from `low` to before `high`: `boxes` has what is needed of each value that it makes.

    `piece` makes the `outs`. Tiles with one `key` have one program, at other places.
    """

    def __init__(self, program: Program, loop: Loop, outs: Sequence[int], low: int, high: int) -> None:
        self.program, self.loop, self.low, self.high = program, loop, low, high
        self.boxes: dict[int, Box] = {}
        self.sums: dict[int, dict[int, Span]] = {}
        self.outs = [k for k in outs if self._wanted(k)]
        keys = [self._needed(k) for k in reversed(loop.steps) if k in self.boxes]
        self.key = tuple(keys)

    def _wanted(self, k: int) -> bool:
        """Notes what of a value the tile has to make; False where that is nothing."""
        box = whole_box(self.program.steps[k].shape)
        if k in self.loop.axes:
            axis = self.loop.axes[k]
            span = self._clipped(box[axis][1], self.loop.shifts[k])
            box = (*box[:axis], span, *box[axis + 1 :])
        else:
            span = self._summed(k)
        if span[0] < span[1]:
            self.boxes[k] = box
        return k in self.boxes

    def _summed(self, k: int) -> Span:
        """The entries that belong to the tile of the label over which a product is added up."""
        step, label = self.program.steps[k], self.loop.sums[k]
        assert isinstance(step, Contract)
        own = [step.uses[link.use].value for link in summed_links(step)[label]]
        return self._clipped(step.sizes[label], next(self.loop.shifts[x] for x in own if x in self.loop.axes))

    def _clipped(self, length: int, shift: int) -> Span:
        low, high = (max(0, min(length, place + shift)) for place in (self.low, self.high))
        return low, max(low, high)

    # -------------------------------------------------------------- what is needed

    def _needed(self, k: int) -> tuple[Any, ...]:
        """Notes what of its operands a step needs; gives what decides the program, but for where the tile is."""
        step = self.program.steps[k]
        if isinstance(step, Contract):
            own = {self.loop.sums[k]: self._summed(k)} if k in self.loop.sums else {}
            self.sums[k] = {x: own.get(x, (0, step.sizes[x])) for x in summed_links(step)}
            self._trim(k, step)
        found = self.operands(k)
        for box, use in zip(found, step.uses, strict=True):
            if box is not None and use.value in self.loop.axes:
                made, before = self.program.steps[use.value], self.boxes.get(use.value, box)
                both = enumerate(zip(before, box, made.shape, strict=True))
                self.boxes[use.value] = tuple(
                    (min(a[0], b[0]), max(a[1], b[1])) if links(made, axis) is not None else (0, size)
                    for axis, (a, b, size) in both
                )
        return k, *(self._placed(step, box, self.loop.axes.get(k)) for box in (self.boxes[k], *self._covers(k)))

    def _placed(self, step: Step, box: Box, axis: int | None) -> Any:
        """A box, along the axis of the loop from the tile on: but where the place matters."""
        away = 0 if axis is None or is_triangle(step) else self.low
        return tuple((a - away, b - away) if n == axis else (a, b) for n, (a, b) in enumerate(box))

    def _covers(self, k: int) -> list[Box]:
        step = self.program.steps[k]
        return [covered(part, self.boxes[k]) for part in step.parts] if isinstance(step, Add) else []

    def _trim(self, k: int, step: Contract) -> None:
        """A product with a triangle is summed over the entries that are in it, and has others where it is added up."""
        for use, box in zip(step.uses, self.operands(k), strict=True):
            made, own = self.program.steps[use.value], self.loop.axes.get(use.value)
            if (
                box is None
                or own is None
                or not isinstance(made, Reduce)
                or not is_triangle(made)
                or own not in made.axes
            ):
                continue
            other = made.axes[1 - made.axes.index(own)]
            label, span = use.labels[other], filled(made, own, box)
            if label in self.sums[k]:
                low, high = self.sums[k][label]
                self.sums[k][label] = max(low, span[0]), min(high, span[1])
            elif k in self.loop.sums:
                self.boxes[k] = tuple(span if x == label else a for x, a in zip(step.out, self.boxes[k], strict=True))

    def operands(self, k: int) -> list[Box | None]:
        """What a step needs of each operand for what is needed of it; None of a term that covers none of that."""
        step, box = self.program.steps[k], self.boxes[k]
        found: list[Any] = [[*whole_box(self.program.steps[use.value].shape)] for use in step.uses]
        for axis, span in enumerate(box):
            for link in links(step, axis) or ():
                part = covered(step.parts[link.use], box)[axis] if isinstance(step, Add) else span
                found[link.use][link.axis] = (part[0] + link.by, part[1] + link.by)
        for label, own in summed_links(step).items():
            for link in own:
                found[link.use][link.axis] = self.sums[k][label]
        if isinstance(step, Add):
            empty = [any(a >= b for a, b in covered(part, box)) for part in step.parts]
            return [None if gone else tuple(own) for own, gone in zip(found, empty, strict=True)]
        return [tuple(own) for own in found]

    # -------------------------------------------------------------- the program

    def piece(self) -> Fragment:
        """The program of the tile."""
        made = Cutting(self.program)
        number: dict[int, int] = {}
        for k in sorted(self.boxes):
            step, uses = self.program.steps[k], list[int | None]()
            for n, (use, box) in enumerate(zip(step.uses, self.operands(k), strict=True)):
                if box is None:
                    uses.append(None)
                elif use.value in self.loop.axes:
                    uses.append(made.part(number[use.value], box, self.boxes[use.value]))
                else:
                    uses.append(made.given(Share(use.value, box, self._moving(k, n))))
            number[k] = made.add(self._cut(k, step, uses))
        return made.piece([self._out(k) for k in self.outs], [number[k] for k in self.outs], number)

    def _moving(self, k: int, use: int) -> int | None:
        """The axis of an operand along which the next tile has the next part."""
        step = self.program.steps[k]
        own = summed_links(step)[self.loop.sums[k]] if k in self.loop.sums else links(step, self.loop.axes[k]) or []
        return next((link.axis for link in own if link.use == use), None)

    def _out(self, k: int) -> Share:
        """What a tile gives of a value; a part without an axis along which it moves is added."""
        box = None if self.boxes[k] == whole_box(self.program.steps[k].shape) else self.boxes[k]
        return Share(k, box, self.loop.axes.get(k))

    def _cut(self, k: int, step: Step, uses: Sequence[int | None]) -> Step:
        """A step of the tile, its operands under these numbers."""
        box = self.boxes[k]
        if isinstance(step, Add):
            rows = zip(step.parts, uses, strict=True)
            parts = [within(part, box, Use(use, part.use.labels)) for part, use in rows if use is not None]
            return Add(tuple(parts), sizes_of(box))
        found = _changed(reading_from(step, [use for use in uses if use is not None]), shape=sizes_of(box))
        if isinstance(step, Contract):
            spans = {**dict(zip(step.out, box, strict=True)), **self.sums[k]}
            return _changed(found, sizes={**step.sizes, **{x: b - a for x, (a, b) in spans.items()}})
        if isinstance(step, Cut):
            own = [n for n in range(len(step.ranges)) if n not in step.gone]
            cut = {own[axis] for axis in range(len(box)) if links(step, axis) is not None}
            return _changed(found, ranges=tuple(None if n in cut else one for n, one in enumerate(step.ranges)))
        if isinstance(step, Reduce) and is_triangle(step):
            row, column = (box[axis][0] for axis in step.axes)
            return _changed(found, params=(step.params[0] + row - column,))
        return found


def is_triangle(step: Step) -> bool:
    """Does it keep the entries of a triangle?"""
    return isinstance(step, Reduce) and step.fn == TRIANGLE


def filled(step: Reduce, axis: int, box: Box) -> Span:
    """The entries along the other axis that rows, or columns, of a triangle have, at least one.

    >>> filled(Reduce(TRIANGLE, (-1,), (Use(0, (0, 1)),), (0, 1), True, (9, 9)), 0, ((3, 5), (0, 9)))
    (0, 4)
    """
    (low, high), length, (offset,) = box[axis], step.shape[step.axes[1 - step.axes.index(axis)]], step.params
    assert isinstance(offset, int)
    if axis == step.axes[0]:
        return 0, max(1, min(length, high + offset))
    return max(0, min(length - 1, low - offset)), length


def whole_box(shape: Sequence[int]) -> Box:
    """All entries."""
    return tuple((0, size) for size in shape)


def sizes_of(box: Box) -> tuple[int, ...]:
    """The shape of what is in a box."""
    return tuple(b - a for a, b in box)


def reading_from(step: Step, values: Sequence[int]) -> Step:
    """The step with its operands under these numbers."""
    if isinstance(step, Add):
        rows = zip(step.parts, values, strict=True)
        return replace(step, parts=tuple(replace(part, use=Use(value, part.use.labels)) for part, value in rows))
    uses = tuple(Use(value, use.labels) for value, use in zip(values, step.uses, strict=True))
    return _changed(step, uses=uses) if uses else step


def _changed(step: Any, **fields: Any) -> Step:
    made: Step = replace(step, **fields)
    return made


def covered(part: Part, box: Box) -> Box:
    """The entries of a box that a term of a sum covers; of none, with ends that meet."""
    if not part.ranges:
        return box
    found = []
    for (low, high), own in zip(box, part.ranges, strict=True):
        if own is None or own.step != 1:
            found.append((low, high))
        else:
            assert isinstance(own.start, int) and isinstance(own.size, int)
            first = max(low, own.start)
            found.append((first, max(first, min(high, own.start + own.size))))
    return tuple(found)


def within(part: Part, box: Box, use: Use) -> Part:
    """A term of a sum in a box of it, of another operand."""
    ranges: list[Range | None] = []
    for axis, ((low, high), (first, last)) in enumerate(zip(box, covered(part, box), strict=True)):
        own = part.ranges[axis] if part.ranges else None
        if own is None or own.step != 1:
            ranges.append(own)
        else:
            ranges.append(None if (low, high) == (first, last) else Range(first - low, 1, last - first, high - low))
    return replace(part, use=use, ranges=tuple(ranges) if any(ranges) else ())
