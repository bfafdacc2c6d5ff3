"""Steps in the pool, one at a time: one operand, a product of two, a power, a sum; each gives the number of a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import NamedTuple

from indexcalc.engine import cost
from indexcalc.engine.plan.joined import Axis, HeldForm, HeldValue, Related, axes_of
from indexcalc.engine.plan.orders.scheme import Piece
from indexcalc.engine.plan.pool import StepPool
from indexcalc.engine.program import (
    Add,
    Contract,
    Cut,
    Fill,
    Gather,
    Known,
    Map,
    Part,
    Reduce,
    Scatter,
    Use,
    Window,
    Windows,
    covered,
)
from indexcalc.functions.entries.choosing import ARANGE, EQUAL
from indexcalc.functions.reductions import CUMULATIVE, TRIANGLE
from indexcalc.functions.table import reduction_row
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number, add, multiply
from indexcalc.graph.ranges import Range
from indexcalc.simplify.intervals import ANY

VIEW = 0.2e-6
"""Seconds that a view takes: its axes in another order, a diagonal, or a part."""


class PlacedPiece(NamedTuple):
    """A term of a sum: `coef * piece`, and what each axis of the sum is in its labels."""

    coef: Number
    piece: Piece
    out: tuple[Axis, ...]


def single(pool: StepPool, coef: Number, use: Use, out: Sequence[int], sizes: Mapping[int, int]) -> int:
    """One operand: its axes in another order, a diagonal of it, a sum along axes, or a multiple."""
    if coef == 1 and use.labels == tuple(out):
        return use.value
    if coef == -1 and sorted(use.labels) == sorted(out) and (other := negative(pool, use.value)) is not None:
        return single(pool, 1, Use(other, use.labels), out, sizes)
    number: dict[int, int] = {}
    for label in use.labels:
        number.setdefault(label, len(number))
    shape = tuple(sizes[label] for label in out)
    step = Contract(
        coef,
        (Use(use.value, tuple(number[x] for x in use.labels)),),
        tuple(number[x] for x in out),
        shape,
        {number[x]: sizes[x] for x in number},
    )
    free = coef == 1 and len(set(out)) == len(set(use.labels))
    spent = VIEW if free else cost.single(prod(sizes[x] for x in number), prod(shape))
    low, high = pool.bounds[use.value]
    return pool.add(step, spent, (low, high) if free or (coef == 1 and low >= 0) else ANY)


def negative(pool: StepPool, value: int) -> int | None:
    """The value that is minus this sum, if there is one: `y - x` is no other value than `-(x - y)`."""
    step = pool.steps[value]
    if not isinstance(step, Add):
        return None
    parts = tuple(replace(part, coef=multiply(-1, part.coef)) for part in step.parts)
    return pool.numbers.get(Add(parts, step.shape))


def power(pool: StepPool, value: int, exponent: Number) -> int:
    """The entries to a power."""
    shape = pool.steps[value].shape
    axes = tuple(range(len(shape)))
    low = pool.bounds[value][0]
    positive = low >= 0 or (isinstance(exponent, int) and exponent % 2 == 0)
    step = Map("**", (exponent,), (Use(value, axes),), axes, shape)
    return pool.add(step, cost.elementary(prod(shape)), (0.0, float("inf")) if positive else ANY)


def over_norms(
    pool: StepPool, bases: Sequence[tuple[Piece, Number]], sizes: Mapping[int, int]
) -> list[tuple[Piece, Number]]:
    """Powers of values, those of a norm in a denominator shared out to what it is the norm of.

    In `x x / norm(x)**3` no power of x is made, which might overflow: it is `(x/norm(x)) (x/norm(x)) / norm(x)`.
    """
    made = list(bases)
    for place, (norm, exponent) in enumerate(bases):
        step = pool.steps[norm.value]
        if not isinstance(step, Reduce) or not reduction_row(step.fn).norm:
            continue
        if isinstance(exponent, complex) or exponent >= -1:
            continue
        for k, (piece, times) in enumerate(made):
            if isinstance(times, complex) or times <= 0 or exponent == 0 or not _is_size_of(pool, piece, norm, step):
                continue
            count = min(times, -exponent)
            inverse = Piece(power(pool, norm.value, -1), norm.labels)
            ratio = pair(pool, piece, inverse, piece.labels, sizes)
            exponent += count
            made[k], made[place] = (piece, add(times, -count)), (norm, exponent)
            made.append((ratio, count))
    return [(piece, exponent) for piece, exponent in made if exponent != 0]


def _is_size_of(pool: StepPool, piece: Piece, norm: Piece, step: Reduce) -> bool:
    """Is the norm one of this value or of minus it, or of what it is the size of, along labels of it?"""
    (argument,), value = step.uses, pool.steps[piece.value]
    same = [piece.value, negative(pool, piece.value)]
    if isinstance(value, Map) and value.fn == "abs":
        same.append(value.uses[0].value)
    return argument.value in same and set(norm.labels) <= set(piece.labels)


def pair(
    pool: StepPool, one: Piece, other: Piece, stay: Sequence[int], sizes: Mapping[int, int], coef: Number = 1
) -> Piece:
    """One product of two values, summed over the labels that `stay` lacks."""
    one, other = sorted((one, other), key=lambda p: (p.value, [sizes[x] for x in p.labels]))
    number: dict[int, int] = {}
    for label in (*one.labels, *other.labels):
        number.setdefault(label, len(number))
    uses = tuple(Use(p.value, tuple(number[x] for x in p.labels)) for p in (one, other))
    shape = tuple(sizes[x] for x in stay)
    named = {number[x]: sizes[x] for x in number}
    step = Contract(coef, uses, tuple(number[x] for x in stay), shape, named)
    spent = cost.pair(one.labels, other.labels, frozenset(stay), sizes, one.value == other.value)
    a, b = pool.bounds[one.value], pool.bounds[other.value]
    positive = (a[0] >= 0 and b[0] >= 0) or one == other
    return Piece(pool.add(step, spent, (0.0, float("inf")) if positive and coef == 1 else ANY), tuple(stay))


def summed(pool: StepPool, pieces: Sequence[Piece], out: Sequence[int], sizes: Mapping[int, int]) -> list[Piece]:
    """The pieces, each summed over the labels that neither another piece nor the result has."""
    count = Counter([x for piece in pieces for x in piece.labels])
    alone = {x for x, times in count.items() if times == 1}.difference(out)
    if not alone:
        return list(pieces)
    result = []
    for piece in pieces:
        kept = tuple([x for x in piece.labels if x not in alone])
        result.append(Piece(single(pool, 1, Use(*piece), kept, sizes), kept))
    return result


def added(pool: StepPool, parts: Sequence[PlacedPiece], shape: tuple[int, ...]) -> HeldValue:
    """The sum of values: a delta of all of them is held apart, as is an axis along which all are constant.

    Its axes are in the order in which its first operand has them, so that it is the same whatever their order is in
    a node.
    """
    first: dict[tuple[Axis, ...], int] = {}
    out = [first.setdefault(tuple(part.out[k] for part in parts), k) for k in range(len(shape))]
    groups = list(dict.fromkeys(out))
    shared = [Counter(part.out[k].label for k in groups) for part in parts]
    varies = [
        {k for k in groups if (axis := part.out[k]).label in part.piece.labels or count[axis.label] > 1 or axis.range}
        for part, count in zip(parts, shared, strict=True)
    ]
    carried = {k for k in groups if any(k in own for own in varies)}
    parts = sorted(parts, key=lambda part: part.piece.value)
    labels = [[axis.label for axis in part.out] for part in parts]
    seen = [own.index(x) for part, own in zip(parts, labels, strict=True) for x in part.piece.labels if x in own]
    axes = [k for k in dict.fromkeys([out[axis] for axis in seen] + groups) if k in carried]
    step_parts = []
    for part in parts:
        places = [part.out[k].label for k in axes]
        number: dict[int, int] = {}
        for label in (*part.piece.labels, *places):
            number.setdefault(label, len(number))
        use = Use(part.piece.value, tuple(number[x] for x in part.piece.labels))
        ranges = tuple(part.out[k].range for k in axes)
        step_parts.append(Part(part.coef, use, tuple(number[x] for x in places), ranges if any(ranges) else ()))
    made_shape = tuple(shape[k] for k in axes)
    step = Add(tuple(step_parts), made_shape)
    spent = cost.CALL * len(parts) + sum(covered(part, made_shape) for part in step_parts) / cost.MEMORY
    spent += prod(made_shape) / cost.MEMORY if any(part.ranges for part in step_parts) else 0.0
    number = {k: place for place, k in enumerate(dict.fromkeys(out))}
    form = HeldForm(tuple(number[k] for k in axes), tuple(number[k] for k in out), tuple(shape[k] for k in number))
    return pool.add(step, spent), form


def sliced(pool: StepPool, value: int, axes: Sequence[Axis], gone: Collection[int], sizes: Mapping[int, int]) -> Use:
    """A value with its axes as they are told: a part of it, without those of one entry whose labels are `gone`."""
    if not any(axis.range for axis in axes):
        return Use(value, tuple(axis.label for axis in axes))
    places = tuple(k for k, axis in enumerate(axes) if axis.range and axis.label in gone)
    labels = tuple(axis.label for k, axis in enumerate(axes) if k not in places)
    ranges = tuple(axis.range for axis in axes)
    step = Cut((Use(value, tuple(range(len(axes)))),), ranges, places, tuple(sizes[x] for x in labels))
    return Use(pool.add(step, VIEW, pool.bounds[value]), labels)


def masked(pool: StepPool, piece: Piece, row: int, column: int, offset: int) -> Piece:
    """The triangle of a matrix: the entries with column - row <= offset, else 0."""
    shape, axes = pool.steps[piece.value].shape, (piece.labels.index(row), piece.labels.index(column))
    step = Reduce(TRIANGLE, (offset,), (Use(piece.value, tuple(range(len(shape)))),), axes, True, shape)
    low, high = pool.bounds[piece.value]
    bounds = (min(low, 0.0), max(high, 0.0))
    return Piece(pool.add(step, cost.single(prod(shape), prod(shape)), bounds), piece.labels)


def summed_up(
    pool: StepPool, piece: Piece, own: int, other: int, sizes: Mapping[int, int], offset: int, backwards: bool
) -> Piece:
    """The sums of a value along the label `own`: entry t of `other` has the sum of those up to t + offset.

    Backwards it has the sum of those from t - offset on.
    """
    shape, axis = pool.steps[piece.value].shape, piece.labels.index(own)
    length = pool.symbols.get(sizes[own], sizes[own])
    turn = Range(length - 1, -1, length, length)
    value = _cut(pool, piece.value, axis, turn, sizes[own]) if backwards else piece.value
    step = Reduce(CUMULATIVE, (), (Use(value, tuple(range(len(shape)))),), (axis,), True, shape)
    bounds = (0.0, float("inf")) if pool.bounds[value][0] >= 0 else ANY
    value = pool.add(step, cost.single(prod(shape), prod(shape)), bounds)
    value = _cut(pool, value, axis, turn, sizes[own]) if backwards else value
    labels = tuple(other if x == own else x for x in piece.labels)
    if offset == 0 and sizes[own] == sizes[other]:
        return Piece(value, labels)
    return _moved(pool, Piece(value, labels), other, sizes, -offset if backwards else offset, backwards)


def _moved(pool: StepPool, piece: Piece, label: int, sizes: Mapping[int, int], shift: int, backwards: bool) -> Piece:
    """Entry t has entry t + shift, beyond these the total: that is the first one backwards, and else the last one."""
    axis, count = piece.labels.index(label), sizes[label]
    have = pool.steps[piece.value].shape[axis]
    low = min(max(0, -shift), count)
    high = max(low, min(count, have - shift))
    parts = []

    def place(value: int, labels: tuple[int, ...], start: int, size: int) -> None:
        found = Range(start, 1, size, count)
        parts.append(
            PlacedPiece(1, Piece(value, labels), tuple(Axis(x, found if x == label else None) for x in piece.labels))
        )

    if low < high:
        place(
            _cut(pool, piece.value, axis, Range(low + shift, 1, high - low, have), high - low),
            piece.labels,
            low,
            high - low,
        )
    start, end = (0, low) if backwards else (high, count)
    if start < end and have:
        total = _cut(pool, piece.value, axis, Range(0 if backwards else have - 1, 1, 1, have), 0)
        place(total, tuple(x for x in piece.labels if x != label), start, end - start)
    if not parts:
        return Piece(pool.add(Fill(0, ()), 0.0, (0.0, 0.0)), ())
    made, form = added(pool, parts, tuple(sizes[x] for x in piece.labels))
    return Piece(made, tuple(piece.labels[form.out.index(x)] for x in form.labels))


def _cut(pool: StepPool, value: int, axis: int, found: Range, size: int) -> int:
    """A range of an axis of a value, of this size; with 0 its one entry, without the axis."""
    shape = pool.steps[value].shape
    ranges = tuple(found if k == axis else None for k in range(len(shape)))
    left = (*shape[:axis], *([size] if size else []), *shape[axis + 1 :])
    step = Cut((Use(value, tuple(range(len(shape)))),), ranges, () if size else (axis,), left)
    return pool.add(step, VIEW, pool.bounds[value])


class Choosing(NamedTuple):
    """A bracket in a product: integers, a value with these labels, say which entry of the label `place` it is."""

    piece: Piece
    place: int
    name: str


def read_at(pool: StepPool, piece: Piece, choices: Sequence[Choosing], sizes: Mapping[int, int]) -> Piece:
    """The entries of a piece where integers say, whose labels it has in place of theirs."""
    integers = tuple(dict.fromkeys(x for one in choices for x in one.piece.labels))
    places = tuple(one.place for one in choices)
    shared = tuple(x for x in integers if x in piece.labels)
    if shared or len(places) > 1:
        rest = [x for x in piece.labels if x not in shared and x not in places]
        out = (*shared, *(x for x in integers if x not in shared), *rest)
    else:
        at = piece.labels.index(places[0])
        out = (*piece.labels[:at], *integers, *piece.labels[at + 1 :])
    return _choose(pool, Gather, piece, choices, out, sizes)


def added_at(
    pool: StepPool, piece: Piece, choices: Sequence[Choosing], kept: Collection[int], sizes: Mapping[int, int]
) -> Piece:
    """Zeros along the places, to which a piece is added where integers say; it has all of their labels.

    It is summed over those that are not kept.
    """
    integers = tuple(dict.fromkeys(x for one in choices for x in one.piece.labels))
    rest = (x for x in piece.labels if x not in integers)
    out = (*(x for x in integers if x in kept), *(one.place for one in choices), *rest)
    return _choose(pool, Scatter, piece, choices, out, sizes)


def _choose(
    pool: StepPool,
    kind: type[Gather] | type[Scatter],
    piece: Piece,
    choices: Sequence[Choosing],
    out: Labels,
    sizes: Mapping[int, int],
) -> Piece:
    number: dict[int, int] = {}
    for label in (x for own in (piece.labels, *(one.piece.labels for one in choices), out) for x in own):
        number.setdefault(label, len(number))
    uses = [Use(p.value, tuple(number[x] for x in p.labels)) for p in (piece, *(one.piece for one in choices))]
    places, shape = [one.place for one in choices], tuple(sizes[x] for x in out)
    step = kind(
        tuple(uses), tuple(number[x] for x in places), tuple(sizes[x] for x in places),
        tuple(number[x] for x in out), shape, tuple(one.name for one in choices),
    )  # fmt: skip
    moved = prod(shape) + prod(sizes[x] for x in piece.labels) * (kind is Scatter)
    low, high = pool.bounds[piece.value]
    bounds = (low, high) if kind is Gather else (0.0, float("inf")) if low >= 0 else ANY
    return Piece(pool.add(step, 3 * cost.CALL + moved / cost.LOOP, bounds), out)


def settled(pool: StepPool, one: Choosing, sizes: Mapping[int, int]) -> Piece:
    """The integers of a bracket, those that count from the end counted from the start."""
    fresh, size = max(sizes) + 1, sizes[one.place]
    return read_at(pool, places_of(pool, fresh, size), [one._replace(place=fresh)], {**sizes, fresh: size})


def places_of(pool: StepPool, label: int, size: int) -> Piece:
    """The places of an axis of this size, along a label."""
    return Piece(pool.add(Known(ARANGE, (), (size,)), 1e-6), (label,))


def alike(pool: StepPool, one: Piece, other: Piece, sizes: Mapping[int, int]) -> Piece:
    """1 where two tensors of integers are equal, 0 elsewhere."""
    labels = tuple(dict.fromkeys((*one.labels, *other.labels)))
    uses = tuple(Use(p.value, tuple(labels.index(x) for x in p.labels)) for p in (one, other))
    shape = tuple(sizes[x] for x in labels)
    step = Map(EQUAL, (), uses, tuple(range(len(labels))), shape)
    return Piece(pool.add(step, cost.elementary(prod(shape)), (0.0, 1.0)), labels)


def ones_along(pool: StepPool, labels: Sequence[int], sizes: Mapping[int, int]) -> Piece:
    """1 in every entry along some labels."""
    return Piece(pool.add(Fill(1, tuple(sizes[x] for x in labels)), 0.0, (1.0, 1.0)), tuple(labels))


def windows(pool: StepPool, piece: Piece, along: int, found: Related, sizes: Mapping[int, int]) -> Piece:
    """A value, its axis with the label `along` solved for in a relation: windows along the other labels of that."""
    number: dict[int, int] = {}
    near = [label for label in found.coefs if label != along]
    for label in (*piece.labels, *near):
        number.setdefault(label, len(number))
    sign = -1 if found.coefs[along] > 0 else 1
    window = Window(
        tuple(number[x] for x in near),
        tuple(sign * found.coefs[x] for x in near),
        tuple(pool.symbols.get(sizes[x], sizes[x]) for x in near),
        sign * found.start,
        abs(found.coefs[along]),
        pool.symbols.get(sizes[along], sizes[along]),
    )
    place, fresh = piece.labels.index(along), [x for x in near if x not in piece.labels]
    labels = (*piece.labels[:place], *fresh, *piece.labels[place + 1 :])
    use = Use(piece.value, tuple(number[x] for x in piece.labels))
    out = tuple(number[x] for x in labels)
    step = Windows((use,), number[along], window, out, tuple(sizes[x] for x in labels))
    low, high = pool.bounds[piece.value]
    if window.inside:
        return Piece(pool.add(step, VIEW, (low, high)), labels)
    return Piece(pool.add(step, cost.single(step.span, step.span), (min(low, 0.0), max(high, 0.0))), labels)


def written(pool: StepPool, value: int, form: HeldForm) -> int:
    """The array that a form stands for; deltas, constant axes and what lies beside a range are written out."""
    if form.plain and len(form.labels) == len(form.out):
        return single(pool, 1, Use(value, form.labels), form.out, dict(enumerate(form.sizes)))
    axes = axes_of(form.out, form.ranges)
    shape = tuple(form.sizes[x.label] if x.range is None else pool.size(x.range.length) for x in axes)
    step = Add((Part(1, Use(value, form.labels), form.out, form.ranges),), shape)
    low, high = pool.bounds[value]
    return pool.add(step, cost.single(prod(shape), prod(shape)), (min(low, 0.0), max(high, 0.0)))
