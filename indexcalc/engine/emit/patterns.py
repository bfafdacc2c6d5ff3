"""What a backend may make at once though a program has it in several steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple, assert_never

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
    readers,
)
from indexcalc.errors import InputError
from indexcalc.functions.table import elementwise_row, matrix_row, reduction_row
from indexcalc.graph.node import Labels

HALF = Fraction(1, 2)
LARGE = 4000
"""Entries: a sum of so many is worth a matrix product, which has to be filled first."""
PIECES = 2**16
"""Entries, half a megabyte: a sum of so many is made without a second array of its size."""


class AtOnce(NamedTuple):
    """What is made at once.

    These are sums as one matrix product (`outers`) or by `pieces`, `quotients`, `slopes` of sigmoids, and `groups` of
    steps that one function gives.

    `within` has, by step, the steps that are made with it; those that have no lines of their own are `skipped`.
    """

    outers: dict[int, list[int]]
    pieces: dict[int, list[int]]
    quotients: dict[int, int]
    slopes: dict[int, SigmoidSlope]
    groups: dict[int, Together]
    within: dict[int, list[int]]
    skipped: frozenset[int]


def at_once(
    program: Program, *, real: bool, shares: Callable[[Callable[..., Any]], bool] = lambda function: True
) -> AtOnce:
    """What of a program is made at once; derivatives of sigmoids and groups only if all of it is real.

    Of functions that give several values those are called that `shares` admits.
    """
    times = readers(program)
    outers = outer_sums(program, times)
    pieces, found = piecewise(program, times, outers), quotients(program, times)
    own = slopes(program, times) if real else {}
    within = {
        **(correlations(program, times) if real else {}),
        **overlaps(program, times),
        **outers,
        **pieces,
        **{number: [value] for number, value in found.items()},
        **{number: list(slope.steps) for number, slope in own.items()},
    }
    skipped = {value for group in within.values() for value in group}
    groups = together(program, times, {*skipped, *own}, shares) if real else {}
    for number, group in groups.items():
        if number == group.steps[0]:
            within[number] = [*group.between, *group.steps[1:]]
            skipped |= set(group.between)
    return AtOnce(outers, pieces, found, own, groups, within, frozenset(skipped))


def outer_sums(program: Program, readers: Sequence[int]) -> dict[int, list[int]]:
    """For each sum that is made as one matrix product those of its terms that are in it.

    They are products of all pairs of entries of two arrays, which run along the same axes in each term.
    """
    found = {}
    for number, step in enumerate(program.steps):
        if not isinstance(step, Add) or prod(step.shape) < LARGE:
            continue
        groups: dict[frozenset[frozenset[int]], list[int]] = {}
        for part in step.parts:
            made = program.steps[part.use.value]
            if not isinstance(made, Contract) or len(made.uses) != 2 or readers[part.use.value] > 1 or part.ranges:
                continue
            one, other = (set(use.labels) for use in made.uses)
            if not one or not other or one & other:
                continue
            if {len(one) + len(other), len(set(part.places))} != {len(step.shape)}:
                continue
            axis = {label: part.places.index(part.use.labels[made.out.index(label)]) for label in made.out}
            sides = frozenset(frozenset(axis[x] for x in side) for side in (one, other))
            groups.setdefault(sides, []).append(part.use.value)
        largest = max(groups.values(), key=len, default=[])
        if len(largest) > 1:
            found[number] = largest
    return found


def piecewise(program: Program, readers: Sequence[int], outers: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """For each large sum those of its terms, but the one that it begins as, that are added piece by piece.

    They are products of two arrays which both lack some of the sum's axes, and are never there as a whole.
    """
    found: dict[int, list[int]] = {}
    for number, step in enumerate(program.steps):
        if not isinstance(step, Add) or prod(step.shape) < PIECES or number in outers:
            continue
        plain = [part for part in step.parts if len(set(part.places)) == len(part.places) and not part.ranges]
        full = [part.use.value for part in plain if set(part.places) <= set(part.use.labels)]
        large = [value for value in full if readers[value] == 1 and _grows(program.steps[value])]
        chosen = large if len(full) > len(large) else large[1:]
        if chosen:
            found[number] = chosen
    return found


def _grows(step: Step) -> bool:
    """Is it a product, entry by entry, of two arrays that both lack some of its axes?"""
    if not isinstance(step, Contract) or len(step.uses) != 2:
        return False
    sides = [set(use.labels) for use in step.uses]
    plain = all(len(side) == len(use.labels) for side, use in zip(sides, step.uses, strict=True))
    return plain and sides[0] | sides[1] == set(step.out) and all(side and side < set(step.out) for side in sides)


class Alongside(NamedTuple):
    """How a step that works entry by entry uses a value: with these labels, together with others, to these labels."""

    labels: Labels
    others: tuple[Use, ...]
    out: Labels


def alongside(step: Step, value: int) -> Alongside | None:
    """How a step that joins its operands entry by entry, and may add up what it joined, uses a value, if once."""
    match step:
        case Contract() | Map():
            uses, out = step.uses, step.out
        case Add():
            parts = [part for part in step.parts if set(part.places) <= set(part.use.labels)]
            if any(part.ranges or len(set(part.places)) < len(part.places) for part in step.parts):
                return None
            uses = tuple(Use(p.use.value, tuple(p.places.index(x) for x in p.use.labels)) for p in parts)
            out = tuple(range(len(step.shape)))
        case (
            Input()
            | Known()
            | Fill()
            | Reduce()
            | Apply()
            | Solve()
            | Reshape()
            | Invoke()
            | Cut()
            | Gather()
            | Scatter()
            | Windows()
        ):
            return None
        case _:
            assert_never(step)
    own = [use for use in uses if use.value == value]
    if len(own) != 1 or len(set(own[0].labels)) < len(own[0].labels):
        return None
    return Alongside(own[0].labels, tuple(use for use in uses if use is not own[0]), out)


def complements(program: Program) -> dict[int, int]:
    """For each sigmoid of a value whose negative has a sigmoid too: the step of the other one."""
    maps = {
        step.uses[0].value: k for k, step in enumerate(program.steps) if isinstance(step, Map) and step.fn == "sigmoid"
    }
    found: dict[int, int] = {}
    for value, number in maps.items():
        step = program.steps[value]
        if isinstance(step, Contract) and len(step.uses) == 1 and step.coef == -1:
            (use,) = step.uses
            other = maps.get(use.value)
            alike = use.labels == step.out and program.steps[number].uses[0].labels
            if other is not None and alike == program.steps[other].uses[0].labels:
                found[number], found[other] = other, number
    return found


class Together(NamedTuple):
    """Steps whose values one function of one operand gives at once, by one exponential or one factorisation.

    The function, its names for them, and the steps between that nothing else reads.
    """

    function: Callable[..., Any]
    use: Use
    steps: tuple[int, ...]
    names: tuple[str, ...]
    between: tuple[int, ...]


Shared = tuple[Callable[..., Any] | None, Use, Labels]


def together(
    program: Program,
    readers: Sequence[int],
    without: Collection[int],
    shares: Callable[[Callable[..., Any]], bool],
) -> dict[int, Together]:
    """For each step that shares its exponential, or the factors of a matrix, with another one: all that do.

    Those `without` are made otherwise.
    """
    steps = {k: step for k, step in enumerate(program.steps) if k not in without and 0 not in step.shape}
    maps = {k: step for k, step in steps.items() if isinstance(step, Map) and _shared_of(step) is not None}
    maps = {k: step for k, step in maps.items() if len(set(step.uses[0].labels)) == len(step.uses[0].labels)}
    operands = {step.uses[0] for step in maps.values()}
    groups: dict[Shared, list[tuple[int, str]]] = {}
    between: dict[Shared, list[int]] = {}
    for number, step in maps.items():
        (use,), function = step.uses, _shared_of(step)
        made = program.steps[use.value]
        negated = isinstance(made, Contract) and made.coef == -1 and [one.labels for one in made.uses] == [made.out]
        base = Use(made.uses[0].value, use.labels) if negated else use
        if step.fn == "sigmoid" and negated and base in operands:
            groups.setdefault((function, base, ()), []).append((number, "complement"))
            if readers[use.value] == 1:
                between.setdefault((function, base, ()), []).append(use.value)
        else:
            groups.setdefault((function, use, ()), []).append((number, step.fn))
    for number, other in steps.items():
        if isinstance(other, Reduce) and (function := _shared_of(other)) is not None:
            groups.setdefault((function, other.uses[0], other.axes), []).append((number, other.fn))
    found: dict[int, Together] = {}
    for key, members in groups.items():
        function, use, _ = key
        if len(members) > 1 and function is not None and shares(function):
            numbers, names = zip(*members, strict=True)
            group = Together(function, use, numbers, names, tuple(between.get(key, ())))
            found.update(dict.fromkeys(group.steps, group))
    return found


def _shared_of(step: Map | Reduce) -> Callable[..., Any] | None:
    """The function that may give the value of a step together with others; for matrices, of one alone."""
    if isinstance(step, Map):
        return None if step.fn == "**" else elementwise_row(step.fn).together
    row = reduction_row(step.fn)
    return None if row.axes == 2 and step.uses[0].labels != step.axes else row.together


def quotients(program: Program, readers: Sequence[int]) -> dict[int, int]:
    """For each product, entry by entry, with a reciprocal that nothing else reads: the step of the reciprocal."""
    found = {}
    for number, step in enumerate(program.steps):
        if not isinstance(step, Contract) or len(step.uses) != 2:
            continue
        for use, other in (step.uses, step.uses[::-1]):
            made = program.steps[use.value]
            plain = all(len(set(one.labels)) == len(one.labels) for one in (use, other))
            if not plain or not set(other.labels) <= set(use.labels) == set(step.out) or readers[use.value] > 1:
                continue
            if isinstance(made, Map) and (made.fn, made.params) == ("**", (-1,)) and made.uses[0].labels == made.out:
                found[number] = use.value
    return found


def turned_round(out: Sequence[int], one: Use, other: Use, made: Windows) -> tuple[bool, bool] | None:
    """Whether what windows of a vector reach is turned round, and the vector that it is correlated with.

    None where it is no correlation of two vectors: their labels are the two of the window, and one of them is summed.
    """
    if len(made.uses[0].labels) != 1 or len(one.labels) != 2 or len(set(one.labels)) != 2 or len(other.labels) != 1:
        return None
    if tuple(out) != tuple(x for x in one.labels if x not in other.labels) or len(out) != 1:
        return None
    by = dict(zip(made.window.near, made.window.steps, strict=True))
    label = dict(zip(one.labels, made.out, strict=True))
    slow, fast = by[label[out[0]]], by[label[other.labels[0]]]
    if abs(slow) != 1 or abs(fast) != 1 or 0 in made.shape:
        return None
    return slow < 0, slow * fast < 0


def correlations(program: Program, readers: Sequence[int]) -> dict[int, list[int]]:
    """For each correlation of two vectors, the windows that it is read from, where nothing else reads them."""
    found = {}
    for number, step in enumerate(program.steps):
        if not isinstance(step, Contract) or len(step.uses) != 2:
            continue
        for one, other in ((0, 1), (1, 0)):
            value = step.uses[one].value
            made = program.steps[value]
            if not isinstance(made, Windows) or readers[value] > 1 or made.window.inside:
                continue
            if turned_round(step.out, step.uses[one], step.uses[other], made) is not None:
                found[number] = [value]
    return found


def overlaps(program: Program, readers: Sequence[int]) -> dict[int, list[int]]:
    """For each sum over a label that windows have of their own and of their operand: the windows, which are added up.

    Entry t, j of the operand is added to entry l of the sum, where these are related: the overlap-add of columns.
    """
    found = {}
    for number, step in enumerate(program.steps):
        made = program.steps[step.uses[0].value] if isinstance(step, Contract) and len(step.uses) == 1 else None
        if not isinstance(made, Windows) or not isinstance(step, Contract) or made.window.inside:
            continue
        (use,), window = step.uses, made.window
        gone = [x for x, label in zip(made.out, use.labels, strict=True) if label not in step.out]
        twice = [x for x in window.near if x in made.uses[0].labels]
        fresh = [by for x, by in zip(window.near, window.steps, strict=True) if x not in twice]
        plain = len(set(use.labels)) == len(use.labels) == len(step.out) + 1 and 0 not in made.shape
        if plain and gone == twice and len(fresh) == 1 and abs(fresh[0]) == 1 and readers[use.value] == 1:
            found[number] = [use.value]
    return found


class SigmoidSlope(NamedTuple):
    """A value whose sigmoid's derivative, or the root of that, a step makes at once with `steps` before it."""

    value: int
    steps: tuple[int, ...]
    root: bool


def slopes(program: Program, readers: Sequence[int]) -> dict[int, SigmoidSlope]:
    """The products of a sigmoid and its complement that nothing else reads: derivatives of sigmoids, by their step."""
    found = {}
    pairs, roots = complements(program), {}
    for number, step in enumerate(program.steps):
        if isinstance(step, Map) and step.fn == "**" and step.params == (HALF,) and step.uses[0].labels == step.out:
            roots[step.uses[0].value] = number
    for number, step in enumerate(program.steps):
        if not isinstance(step, Contract) or len(step.uses) != 2 or step.coef != 1:
            continue
        one, other = (use.value for use in step.uses)
        alike = all(use.labels == step.out == tuple(range(len(step.out))) for use in step.uses)
        if pairs.get(one) != other or not alike or readers[one] > 1 or readers[other] > 1:
            continue
        low, high = sorted(program.steps[k].uses[0].value for k in (one, other))
        if any(program.steps[k].uses[0].labels != step.out for k in (one, other)):
            continue
        steps = (one, other) if readers[high] > 1 else (one, other, high)
        root = roots.get(number) if readers[number] == 1 else None
        if root is None:
            found[number] = SigmoidSlope(low, steps, False)
        else:
            found[root] = SigmoidSlope(low, (*steps, number), True)
    return found


def complex_values(program: Program, inputs: Collection[str] | None) -> list[bool]:
    """Which values are complex, where these inputs are, and what is given by a function may be; None: all are real."""
    found: list[bool] = []
    for step in program.steps:
        match step:
            case Input():
                made = inputs is not None and step.name in inputs
            case Invoke():
                made = inputs is not None
            case Known():
                made = False
            case Fill():
                made = isinstance(step.number, complex)
            case Contract():
                made = isinstance(step.coef, complex)
            case Map():
                made = any(isinstance(value, complex) for value in step.params)
            case Add():
                made = any(isinstance(part.coef, complex) for part in step.parts)
            case Reduce() | Apply() | Solve() | Reshape() | Cut() | Gather() | Scatter() | Windows():
                made = False
            case _:
                assert_never(step)
        found.append(made or any(found[use.value] for use in step.uses))
    return found


def check_real(program: Program, found: Sequence[bool], dtype: Any) -> None:
    """A complex operand, as `complex_values` has found it, of a function that takes real numbers is an error."""
    for step in program.steps:
        if isinstance(step, Map | Reduce | Apply) and step.fn != "**" and any(found[use.value] for use in step.uses):
            row = ROWS[type(step)](step.fn)
            chooses = isinstance(step, Map) and row.choice and not found[step.uses[0].value]
            if not row.holomorphic and not chooses:
                words = f"its argument is {dtype}, and {step.fn} takes real numbers"
                raise InputError(f"evaluate {step.fn}", words, "give real inputs")


ROWS: dict[type[Any], Callable[[str], Any]] = {Map: elementwise_row, Reduce: reduction_row, Apply: matrix_row}
