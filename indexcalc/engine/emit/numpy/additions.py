"""A sum as lines of NumPy: its parts are added into one buffer, a delta is a diagonal of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import prod

from indexcalc.engine.emit.numpy.function import Stored
from indexcalc.engine.emit.numpy.kernels import (
    Operand,
    broadcast,
    einsum_code,
    viewed,
)
from indexcalc.engine.emit.numpy.lines import NumpyLines, literal
from indexcalc.engine.emit.numpy.overlaps import Row, overlapping
from indexcalc.engine.program import Add, Contract, Part, covered
from indexcalc.graph.node import Labels
from indexcalc.graph.numbers import Number, multiply
from indexcalc.graph.ranges import apart
from indexcalc.writing.slices import bracketed

PIECE = 2**17
"""Entries: a term is added by pieces of at most so many, which a second level of cache holds,"""
MOST_PIECES = 64
"""and by at most so many pieces: each takes a call of its own."""


def write_sum(lines: NumpyLines, step: Add) -> None:
    """The parts, added into one buffer; a delta is a diagonal of it."""
    axes = tuple(range(len(step.shape)))
    if not axes:
        terms = [_term(lines, part) for part in step.parts]
        lines.put(" + ".join(terms).replace("+ -", "- "), (), ())
        return
    fused = lines.at_once.outers.get(lines.number, ())
    pieces = lines.at_once.pieces.get(lines.number, ())
    apart = {*fused, *pieces}
    parts = [(part, *_placed(lines, part)) for part in step.parts if part.use.value not in apart]
    if fused:
        first = next((operand.labels[0] for part, operand, _ in parts if _covers(part, step)), None)
        _outer_sum(lines, [part for part in step.parts if part.use.value in fused], step, first)
        for part, operand, places in parts:
            _into(lines, part, operand, places, False)
        return
    left = _begun(lines, parts, step, bool(pieces))
    before: list[Part] = []
    for part, operand, places in left:
        _into(lines, part, operand, places, left is parts and all(_apart(part, other) for other in before))
        before.append(part)
    for part in step.parts:
        if part.use.value in pieces:
            _by_pieces(lines, part, step)


def _begun(lines: NumpyLines, parts: list[Row], step: Add, more: bool) -> list[Row]:
    """Makes the buffer, and gives the parts that are not in it yet: all, where it is empty; `more` come after them."""
    axes = tuple(range(len(step.shape)))
    full = [row for row in parts if _covers(row[0], step)]
    if full:
        start = min([row for row in parts[:2] if row in full] or full[:1], key=lambda row: _starts(lines, row))
        rest = [row for row in parts if row is not start]
        return _started(lines, [start, *rest], full[0][1].labels, step)
    if len(parts) > 1 and (code := _pair_of_parts(lines, parts, step)):
        lines.put(code, axes, axes)
        return parts[2:]
    if len(parts) == 2 and not more and overlapping(lines, parts, step):
        return []
    made = "zeros" if more or not _fill([part for part, _, _ in parts], step) else "empty"
    lines.put(f"{made}({step.shape}, {lines.kind})", axes, axes)
    return parts


def _operands(lines: NumpyLines, part: Part) -> tuple[Number, list[Operand]]:
    """The coefficient and the operands of a product that is a term of a sum, with the axes of the sum as labels."""
    made = lines.program.steps[part.use.value]
    assert isinstance(made, Contract)
    axis = {label: part.places.index(part.use.labels[made.out.index(label)]) for label in made.out}
    operands = map(lines.operand, made.uses)
    return multiply(made.coef, part.coef), [o._replace(labels=tuple(axis[x] for x in o.labels)) for o in operands]


def _by_pieces(lines: NumpyLines, part: Part, step: Add) -> None:
    """A product added for one entry of the first axes after the other, so that each piece stays in the cache."""
    order = lines.buffers.stored[lines.number].order
    leading = 1
    while prod(step.shape[x] for x in order[leading:]) > PIECE and leading < len(order) - 1:
        leading += 1
    while leading and prod(step.shape[x] for x in order[:leading]) > MOST_PIECES:
        leading -= 1
    first, rest = order[:leading], order[leading:]
    coef, operands = _operands(lines, part)
    values: list[str] = []
    for name, operand in zip("ab", operands, strict=True):
        own = tuple(x for x in (*first, *rest) if x in operand.labels)
        code = viewed(operand, own, {})
        if not values and coef not in (1, -1):
            code = f"multiply({code}, {literal(coef)})"
            lines.buffers.need(prod(step.shape[x] for x in own) * lines.itemsize)
        name = lines.local(name)
        lines.lines.append(f"{name} = {code}")
        steps = ", ".join(lines.local("q", x) for x in first if x in own)
        piece = Operand(f"{name}[{steps}]" if steps else name, tuple(x for x in own if x in rest))
        values.append(broadcast(piece, rest))
    shape = tuple(step.shape[x] for x in rest)
    lines.buffers.need(prod(shape) * lines.itemsize)
    made = lines.local("p")
    lines.lines.append(f"{made} = empty({shape}, {lines.kind})")
    target = f"{lines.name}[{', '.join(lines.local('q', x) for x in first)}]" if first else lines.name
    ufunc = "subtract" if coef == -1 else "add"
    body = f"{ufunc}({target}, multiply({', '.join(values)}, out={made}), out={target})"
    if first:
        space = lines.places([step.shape[x] for x in first])
        body = f"for {', '.join(lines.local('q', x) for x in first)}, in {space}: {body}"
    lines.lines += [body, f"del {lines.local('a')}, {lines.local('b')}, {made}"]


def _outer_sum(lines: NumpyLines, parts: Sequence[Part], step: Add, first: int | None) -> None:
    """Products of all pairs of entries, added: one matrix product whose inner axis runs over the terms.

    The axis that is `first` in what is added to it is among the rows.
    """
    rows: Labels = ()
    columns: Labels = ()
    left, right = lines.local("l"), lines.local("r")
    for k, part in enumerate(parts):
        scale, (one, other) = _operands(lines, part)
        if not k:
            rows, columns = (other.labels, one.labels) if first in other.labels else (one.labels, other.labels)
            for side, axes in ((left, rows), (right, columns)):
                size = prod(step.shape[x] for x in axes)
                lines.buffers.need(len(parts) * size * lines.itemsize)
                lines.lines.append(f"{side} = empty(({len(parts)}, {size}), {lines.kind})")
        if set(one.labels) != set(rows):
            one, other = other, one
        for side, operand, axes in ((left, one, rows), (right, other, columns)):
            shape = ", ".join(str(step.shape[x]) for x in axes)
            target = f"{side}[{k}].reshape({shape})" if len(axes) > 1 else f"{side}[{k}]"
            value = viewed(operand, axes, {})
            if side == left and scale != 1:
                lines.lines.append(f"multiply({value}, {literal(scale)}, out={target})")
            else:
                lines.lines.append(f"{target}[...] = {value}")
    shape = ", ".join(str(step.shape[x]) for x in (*rows, *columns))
    lines.kernel = "dot"
    lines.put(f"dot({left}.T, {right}).reshape({shape})", rows + columns, range(len(step.shape)))


def _term(lines: NumpyLines, part: Part) -> str:
    name = lines.operand(part.use).code
    if part.coef == 1:
        return name
    return f"-{name}" if part.coef == -1 else f"{literal(part.coef)}*{name}"


def _placed(lines: NumpyLines, part: Part) -> tuple[Operand, Labels]:
    """The operand with axes of the result as labels, where the part has no delta; and the labels of all axes."""
    operand = lines.operand(part.use)
    axis = {label: k for k, label in reversed(list(enumerate(part.places)))}
    return operand._replace(labels=tuple(axis[x] for x in operand.labels)), tuple(axis[x] for x in part.places)


def _covers(part: Part, step: Add) -> bool:
    return not part.ranges and len(set(part.places)) == len(step.shape) and set(part.places) <= set(part.use.labels)


def _apart(one: Part, other: Part) -> bool:
    """Do two parts share no entry?"""
    return bool(one.ranges and other.ranges) and apart(one.ranges, other.ranges)


def _fill(parts: Sequence[Part], step: Add) -> bool:
    """Do the parts lie beside each other, and cover the array?"""
    if any(len(set(part.places)) < len(part.places) for part in parts):
        return False
    if any(not isinstance(own.size, int) for part in parts for own in part.ranges if own is not None):
        return False
    within = sum(covered(part, step.shape) for part in parts)
    return within == prod(step.shape) and all(_apart(one, other) for one, other in combinations(parts, 2))


def _starts(lines: NumpyLines, row: Row) -> tuple[bool, bool]:
    """Which of two parts a buffer begins as: one of its own kind, one that it may write over."""
    return lines.complex[row[0].use.value] != lines.complex[lines.number], not _may_start(lines, row[0])


def _may_start(lines: NumpyLines, part: Part) -> bool:
    return lines.buffers.dying(part.use) and part.coef == 1


def _pair_of_parts(lines: NumpyLines, rows: Sequence[Row], step: Add) -> str:
    """The sum of two terms that together run along all axes, none of them along all; "" for others."""
    (one, a, _), (other, b, _) = rows[:2]
    axes = tuple(range(len(step.shape)))
    plain = all(not part.ranges and len(set(part.places)) == len(axes) for part in (one, other))
    if (
        not plain
        or {*a.labels, *b.labels} != {*axes}
        or {one.coef, other.coef} - {1, -1}
        or one.coef == other.coef == -1
    ):
        return ""
    if any(lines.complex[part.use.value] != lines.complex[lines.number] for part in (one, other)):
        return ""
    x, y = (broadcast(_turned(operand, axes), axes) for operand in (a, b))
    if one.coef == other.coef:
        return f"add({x}, {y}, order='C')"
    return f"subtract({x}, {y}, order='C')" if one.coef == 1 else f"subtract({y}, {x}, order='C')"


def _turned(operand: Operand, axes: Labels) -> Operand:
    """An operand that lacks axes, copied so that its own are in order: it is read often, and gone through fast then."""
    own = tuple(x for x in axes if x in operand.labels)
    if own == operand.labels:
        return operand
    return Operand(f"ascontiguousarray({viewed(operand, own, {})})", own)


def _started(lines: NumpyLines, parts: list[Row], order: Labels, step: Add) -> list[Row]:
    """The buffer begins as the first part, or as a sum of two; gives the parts that are left."""
    axes = range(len(step.shape))
    (part, operand, _), *rest = parts
    order_here = operand.labels
    if lines.complex[part.use.value] != lines.complex[lines.number]:
        lines.put(f"multiply({operand.code}, {literal(part.coef)}, dtype=dtype)", order_here, axes)
        return rest
    if _may_start(lines, part):
        lines.lines.append(f"{lines.name} = {lines.buffers.over(part.use)}")
        lines.buffers.keep(Stored(lines.name, tuple(order_here), True, lines.number))
        return rest
    plain = bool(rest) and len(set(rest[0][2])) == len(rest[0][2]) and not rest[0][0].ranges
    alone = plain and rest[0][0].coef not in (1, -1) and not rest[0][1].labels
    other = rest[0] if alone or (plain and rest[0][0].coef in (1, -1)) else None
    if other is not None and part.coef in (1, -1) and (part.coef, other[0].coef) != (-1, -1):
        signs = part.coef, 1 if alone else other[0].coef
        one, two = operand.code, broadcast(other[1], order_here)
        two = f"{two}*{literal(other[0].coef)}" if alone else two
        if signs == (1, 1):
            code = f"add({one}, {two})"
        else:
            code = f"subtract({one}, {two})" if signs == (1, -1) else f"subtract({two}, {one})"
        for row in (parts[0], other)[: 1 if alone else 2]:
            own = tuple(row[1].labels)
            if own == tuple(order_here) and lines.buffers.dying(row[0].use):
                code = f"{code[:-1]}, out={lines.buffers.over(row[0].use)})"
                break
        lines.put(code, order_here, axes)
        return rest[1:]
    number = next(
        (row for row in rest if not row[1].labels and not row[0].ranges and len({*row[2]}) == len(axes)), None
    )
    if number is not None and part.coef in (1, -1):
        text = _term(lines, number[0])
        code = f"add({operand.code}, {text})" if part.coef == 1 else f"subtract({text}, {operand.code})"
        rest = [row for row in rest if row is not number]
    else:
        code = f"multiply({operand.code}, {literal(part.coef)})"
    if lines.buffers.dying(part.use):
        code = f"{code[:-1]}, out={lines.buffers.over(part.use)})"
    lines.put(code, order_here, axes)
    return rest


def _into(lines: NumpyLines, part: Part, operand: Operand, places: Labels, first: bool) -> None:
    """A part, written (the first in its places) or added into the buffer."""
    name = lines.name
    order = lines.buffers.stored[lines.number].order
    labels = tuple(places[axis] for axis in order)
    distinct = tuple(dict.fromkeys(labels))
    target = name
    if part.ranges:
        target = f"{name}{bracketed([part.ranges[axis] for axis in order], (), lines.dimension)}"
    if len(distinct) < len(labels):
        target = einsum_code([Operand(target, labels)], distinct)
    if target != name:
        lines.lines.append(f"{lines.local('d')} = {target}")
        target = lines.local("d")
    value, scale = broadcast(operand, distinct), literal(part.coef)
    if not operand.labels:
        value, part = _term(lines, part), replace(part, coef=1)
    if first and part.coef == 1:
        lines.lines.append(f"{target}[...] = {value}")
    elif first:
        lines.lines.append(f"multiply({value}, {scale}, out={target})")
    elif part.coef in (1, -1):
        lines.lines.append(f"{'add' if part.coef == 1 else 'subtract'}({target}, {value}, out={target})")
    else:
        lines.lines.append(f"add({target}, multiply({value}, {scale}), out={target})")
        lines.buffers.need_entries(1, part.use.value)
    if target != name:
        lines.lines.append(f"del {target}")
