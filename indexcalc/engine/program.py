"""Programs: straight-line code over arrays whose sizes are known, the same for every backend.

A program is a list of steps; step k makes value k, an array that has one axis for each label of the step. Deltas and
axes along which a value is constant are resolved before: they show only where an `Add` writes them out. A backend is a
table with one row for each class of step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, NamedTuple, assert_never

from indexcalc.graph.node import Labels, Matrix
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import Range, at_least
from indexcalc.index import Dimension

Shape = tuple[int, ...]


class Use(NamedTuple):
    """A value as an operand: axis k has the label `labels[k]`; a repeated one takes the diagonal."""

    value: int
    labels: Labels


@dataclass(frozen=True, slots=True)
class Input:
    """The array that was given for a variable; that of a `whole` one has integers, and may have an integer dtype."""

    name: str
    shape: Shape
    uses: tuple[Use, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A tensor that is known by name and parameters: epsilon, pi, a selection."""

    name: str
    params: tuple[Any, ...]
    shape: Shape
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Fill:
    """An array with one number in every entry."""

    number: Number
    shape: Shape
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """`coef * sum of the product` of one or two operands, over the labels that `out` lacks."""

    coef: Number
    uses: tuple[Use, ...]
    out: Labels
    shape: Shape
    sizes: dict[int, int] = field(hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class Map:
    """An elementwise function of operands aligned by label; `fn` is a row's name, or `**` with its exponent."""

    fn: str
    params: tuple[Number, ...]
    uses: tuple[Use, ...]
    out: Labels
    shape: Shape


@dataclass(frozen=True, slots=True)
class Part:
    """A term of an `Add`: axis k of the result runs along the label `places[k]` of the operand.

    A label twice in `places` is a delta: the term lies on that diagonal. A label that the operand lacks is an axis
    along which the term is constant. `ranges` has, by axis of the result, the entries that the term covers, where these
    are not all: it is empty if there are none.
    """

    coef: Number
    use: Use
    places: Labels
    ranges: tuple[Range | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """The sum of its parts, in an array of its own; what no part covers is 0."""

    parts: tuple[Part, ...]
    shape: Shape

    @property
    def uses(self) -> tuple[Use, ...]:
        """The operands."""
        return tuple(part.use for part in self.parts)


@dataclass(frozen=True, slots=True)
class Reduce:
    """A function along `axes` of its operand."""

    fn: str
    params: tuple[Number, ...]
    uses: tuple[Use, ...]
    axes: Labels
    keeps: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of whole matrices, or its derivative (`times`), see `graph.node.Matrix`."""

    fn: str
    params: tuple[Any, ...]
    times: int
    uses: tuple[Use, ...]
    shape: Shape
    node: Matrix


@dataclass(frozen=True, slots=True)
class Solve:
    """`inv(A) b`, or `inv(A).T b`, without the inverse: the operands are A, of order 2, and b.

    The label that A shares with b is that of the equations; the result has A's other label in its place.
    """

    uses: tuple[Use, ...]
    out: Labels
    shape: Shape


@dataclass(frozen=True, slots=True)
class Reshape:
    """The operand's axes split to `split`, put in the order `axes`, and joined to `shape`."""

    uses: tuple[Use, ...]
    split: Shape
    axes: Labels
    shape: Shape


@dataclass(frozen=True, slots=True)
class Invoke:
    """A function that is given with the inputs, or the array of a named gradient.

    One that is `entrywise` acts on each entry of its arguments. `mapped` is the signature of a function that is called
    for each sample, as NumPy's `vectorize` has it, "" of one that gets the arrays as they are; `samples` says along how
    many axes each argument is mapped, the first ones.
    """

    title: str
    uses: tuple[Use, ...]
    shape: Shape
    array_will_do: bool
    entrywise: bool = False
    mapped: str = ""
    samples: Shape = ()

    @property
    def own(self) -> Shape:
        """The shape of the value for one sample."""
        return self.shape[max(self.samples, default=0) :]


@dataclass(frozen=True, slots=True)
class Cut:
    """The entries of the operand in the `ranges` of its axes, None for all of one; axes in `gone` have one, and go."""

    uses: tuple[Use, ...]
    ranges: tuple[Range | None, ...]
    gone: Labels
    shape: Shape


@dataclass(frozen=True, slots=True)
class Gather:
    """The entries of the first operand at integers: each of its labels in `places` is what the operand behind says.

    The result has `out`: where the integers share labels with the first operand, or are several, the labels that they
    share, those that they have alone, and the rest of the first operand's; else theirs stand where the place stood.
    `names` say whose integers they are.
    """

    uses: tuple[Use, ...]
    places: Labels
    sizes: Shape
    out: Labels
    shape: Shape
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Zeros, to which the entries of the first operand are added where the integers of those behind it say.

    Its labels are those that the integers and the result share, those that the integers have alone, over which it is
    summed, and the rest; the result has those that are shared, the `places`, of these `sizes`, and the rest.
    """

    uses: tuple[Use, ...]
    places: Labels
    sizes: Shape
    out: Labels
    shape: Shape
    names: tuple[str, ...]


Chosen = Gather | Scatter
"""The steps in which integers choose entries."""


def lined_up(step: Gather | Scatter) -> tuple[Labels, Labels, Labels]:
    """The labels that integers share with the other side of a step, those that they have alone, and the rest.

    >>> lined_up(Gather((Use(0, (0, 1, 2)), Use(1, (0,))), (1,), (5,), (0, 2), (3, 4), ("y",)))
    ((0,), (), (2,))
    """
    integers = tuple(dict.fromkeys(x for use in step.uses[1:] for x in use.labels))
    other = step.uses[0].labels if isinstance(step, Gather) else step.out
    shared = tuple(x for x in integers if x in other)
    alone = tuple(x for x in integers if x not in other)
    own = step.uses[0].labels
    return shared, alone, tuple(x for x in own if x not in integers and x not in step.places)


class Window(NamedTuple):
    """How an axis is run through: entry `(start + sum of steps[k]*entry[k]) / spread` of it, 0 where there is none.

    The axes that do so have the labels `near` and these `sizes`, the axis itself the size `length`.
    """

    near: Labels
    steps: tuple[int, ...]
    sizes: tuple[Dimension, ...]
    start: Dimension
    spread: int
    length: Dimension

    @property
    def ends(self) -> tuple[Dimension, Dimension]:
        """The least place that is met, and the largest, in steps of which `spread` are one entry."""
        low = high = self.start
        for step, size in zip(self.steps, self.sizes, strict=True):
            low, high = (low + step * (size - 1), high) if step < 0 else (low, high + step * (size - 1))
        return low, high

    @property
    def inside(self) -> bool:
        """Is it known that each place is an entry?"""
        low, high = self.ends
        return self.spread == 1 and at_least(low, 0) and at_least(self.length - 1, high)


@dataclass(frozen=True, slots=True)
class Windows:
    """The operand with the window in place of its axis that has the label `along`; what it meets along others is kept.

    A label of the window that the operand has too takes the diagonal.
    """

    uses: tuple[Use, ...]
    along: int
    window: Window
    out: Labels
    shape: Shape

    @property
    def span(self) -> int:
        """The entries that are held: those of the operand, with zeros beside and between them, all in all."""
        (use,), (low, high) = self.uses, self.window.ends
        if not isinstance(low, int) or not isinstance(high, int):
            return prod(self.shape)
        rest = prod(n for x, n in zip(self.out, self.shape, strict=True) if x in use.labels)
        return rest * max(1, high - low + 1)


Step = (
    Input
    | Known
    | Fill
    | Contract
    | Map
    | Add
    | Reduce
    | Apply
    | Solve
    | Reshape
    | Invoke
    | Cut
    | Gather
    | Scatter
    | Windows
)
STEPS: tuple[type[Any], ...] = (Input, Known, Fill, Contract, Map, Add, Reduce, Apply, Solve, Reshape, Invoke, Cut,
                                Gather, Scatter, Windows)  # fmt: skip


def moved(step: Any, place: Mapping[int, int]) -> Step:
    """The step with the values that it uses under other numbers."""
    if all(place[use.value] == use.value for use in step.uses):
        same: Step = step
        return same
    if isinstance(step, Add):
        parts = tuple(replace(part, use=Use(place[part.use.value], part.use.labels)) for part in step.parts)
        return replace(step, parts=parts)
    made: Step = replace(step, uses=tuple([Use(place[use.value], use.labels) for use in step.uses]))
    return made


def replaced(
    steps: Sequence[Step], results: Sequence[int], found: Mapping[int, Sequence[Step]]
) -> tuple[list[Step], tuple[int, ...]]:
    """The steps, some of them replaced with several, and the results; value -1 - k is what the k-th of these makes."""
    if not found:
        return list(steps), tuple(results)
    place: dict[int, int] = {}
    made: list[Step] = []
    for number, step in enumerate(steps):
        for k, own in enumerate(found.get(number, (step,))):
            place[-1 - k] = len(made)
            made.append(moved(own, place))
        place[number] = len(made) - 1
    return made, tuple(place[number] for number in results)


def chooses_alone(program: Program, value: int) -> bool:
    """Is the value read only as integers that choose entries?"""
    steps = [step for step in program.steps if any(use.value == value for use in step.uses)]
    return value not in program.results and all(
        isinstance(step, Gather | Scatter) and step.uses[0].value != value for step in steps
    )


@dataclass(frozen=True, slots=True)
class Program:
    """Steps, the values that are the results, and notes on what was re-associated."""

    steps: tuple[Step, ...]
    results: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the steps."""
        return tuple(step.name for step in self.steps if isinstance(step, Input))


def readers(program: Program) -> list[int]:
    """How often each value is read, a result once more.

    >>> readers(Program((Input("x", ()), Map("exp", (), (Use(0, ()),), (), ())), (1, 1)))
    [1, 2]
    """
    times = [0] * len(program.steps)
    for step in program.steps:
        for use in step.uses:
            times[use.value] += 1
    for value in program.results:
        times[value] += 1
    return times


def covered(part: Part, shape: Shape) -> int:
    """The entries of a sum that a part with ranges is written to; all, as an upper bound, of one without."""
    if not part.ranges:
        return prod(shape)
    rows = zip(part.places, part.ranges, shape, strict=True)
    return prod({x: r.size if r is not None and isinstance(r.size, int) else n for x, r, n in rows}.values())


def flops(step: Step) -> int:
    """The floating-point operations of a step: a multiplication and an addition count one each."""
    match step:
        case Contract():
            labels = {label for use in step.uses for label in use.labels}
            points = prod(step.sizes[label] for label in labels)
            summed = len(labels) > len(step.out)
            return points * max(1, len(step.uses) - 1 + summed) if len(step.uses) > 1 or summed else 0
        case Map() | Fill():
            return prod(step.shape)
        case Add():
            return sum(covered(part, step.shape) for part in step.parts)
        case Reduce() | Invoke():
            return 2 * prod(step.shape)
        case Reshape() | Cut() | Gather() | Windows() | Input() | Known():
            return 0
        case Scatter():
            return prod(step.shape)
        case Apply() | Solve():
            return 2 * prod(step.shape) * (step.shape[-1] if step.shape else 1)
        case _:
            assert_never(step)
