"""A sum as lines of NumPy: its parts are added into one buffer, a delta is a diagonal of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

import numpy as np

from indexcalc.engine.emit.numpy.function import Stored
from indexcalc.engine.emit.numpy.kernels import (
    Operand,
    broadcast,
    einsum_code,
    viewed,
)
from indexcalc.engine.emit.numpy.lines import NumpyLines, literal
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
    full = [row for row in parts if _covers(row[0], step)]
    order = full[0][1].labels if full else axes
    if full:
        start = min([row for row in parts[:2] if row in full] or full[:1], key=lambda row: _starts(lines, row))
        parts = [start, *(row for row in parts if row is not start)]
    if not full:
        shape = tuple(step.shape[axis] for axis in order)
        made = "zeros" if pieces or not _fill([part for part, _, _ in parts], step) else "empty"
        lines.put(f"{made}({shape}, {lines.kind})", order, axes)
    else:
        parts = _started(lines, parts, order, step)
    before: list[Part] = []
    for part, operand, places in parts:
        _into(lines, part, operand, places, not full and all(_apart(part, other) for other in before))
        before.append(part)
    for part in step.parts:
        if part.use.value in pieces:
            _by_pieces(lines, part, step)


def _operands(lines: NumpyLines, part: Part) -> tuple[Number, list[Operand]]:
    """The coefficient and the operands of a product that is a term of a sum, with the axes of the sum as labels."""
    made = lines.program.steps[part.use.value]
    assert isinstance(made, Contract)
    axis = {label: part.places.index(part.use.labels[made.out.index(label)]) for label in made.out}
    operands = map(lines.operand, made.uses)
    return multiply(made.coef, part.coef), [o._replace(labels=tuple(axis[x] for x in o.labels)) for o in operands]


def _by_pieces(lines: NumpyLines, part: Part, step: Add) -> None:
    """A product added for one entry of the first axes after the other, so that each piece stays in the cache."""
    number, order = lines.number, lines.buffers.stored[lines.number].order
    leading = 1
    while prod(step.shape[x] for x in order[leading:]) > PIECE and leading < len(order) - 1:
        leading += 1
    while leading and prod(step.shape[x] for x in order[:leading]) > MOST_PIECES:
        leading -= 1
    first, rest = order[:leading], order[leading:]
    coef, operands = _operands(lines, part)
    values = []
    for name, operand in zip("ab", operands, strict=True):
        own = tuple(x for x in (*first, *rest) if x in operand.labels)
        code = viewed(operand, own, {})
        if name == "a" and coef not in (1, -1):
            code = f"multiply({code}, {literal(coef)})"
            lines.buffers.need(prod(step.shape[x] for x in own) * lines.itemsize)
        lines.lines.append(f"{name}{number} = {code}")
        steps = ", ".join(f"t{x}" for x in first if x in own)
        piece = Operand(f"{name}{number}[{steps}]" if steps else f"{name}{number}", tuple(x for x in own if x in rest))
        values.append(broadcast(piece, rest))
    shape = tuple(step.shape[x] for x in rest)
    lines.buffers.need(prod(shape) * lines.itemsize)
    lines.lines.append(f"p{number} = empty({shape}, {lines.kind})")
    target = f"v{number}[{', '.join(f't{x}' for x in first)}]" if first else f"v{number}"
    ufunc = "subtract" if coef == -1 else "add"
    body = f"{ufunc}({target}, multiply({', '.join(values)}, out=p{number}), out={target})"
    if first:
        space = lines.bound(f"n{number}", tuple(np.ndindex(*(step.shape[x] for x in first))))
        body = f"for {', '.join(f't{x}' for x in first)}, in {space}: {body}"
    lines.lines += [body, f"del a{number}, b{number}, p{number}"]


def _outer_sum(lines: NumpyLines, parts: Sequence[Part], step: Add, first: int | None) -> None:
    """Products of all pairs of entries, added: one matrix product whose inner axis runs over the terms.

    The axis that is `first` in what is added to it is among the rows.
    """
    rows: Labels = ()
    columns: Labels = ()
    number = lines.number
    for k, part in enumerate(parts):
        scale, (one, other) = _operands(lines, part)
        if not k:
            rows, columns = (other.labels, one.labels) if first in other.labels else (one.labels, other.labels)
            for side, axes in (("l", rows), ("r", columns)):
                size = prod(step.shape[x] for x in axes)
                lines.buffers.need(len(parts) * size * lines.itemsize)
                lines.lines.append(f"{side}{number} = empty(({len(parts)}, {size}), {lines.kind})")
        if set(one.labels) != set(rows):
            one, other = other, one
        for side, operand, axes in (("l", one, rows), ("r", other, columns)):
            shape = ", ".join(str(step.shape[x]) for x in axes)
            target = f"{side}{number}[{k}].reshape({shape})" if len(axes) > 1 else f"{side}{number}[{k}]"
            value = viewed(operand, axes, {})
            if side == "l" and scale != 1:
                lines.lines.append(f"multiply({value}, {literal(scale)}, out={target})")
            else:
                lines.lines.append(f"{target}[...] = {value}")
    shape = ", ".join(str(step.shape[x]) for x in (*rows, *columns))
    lines.kernel = "dot"
    lines.put(f"dot(l{number}.T, r{number}).reshape({shape})", rows + columns, range(len(step.shape)))


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
    within = sum(covered(part, step.shape) for part in parts)
    return within == prod(step.shape) and all(_apart(one, other) for one, other in combinations(parts, 2))


def _starts(lines: NumpyLines, row: tuple[Part, Operand, Labels]) -> tuple[bool, bool]:
    """Which of two parts a buffer begins as: one of its own kind, one that it may write over."""
    return lines.complex[row[0].use.value] != lines.complex[lines.number], not _may_start(lines, row[0])


def _may_start(lines: NumpyLines, part: Part) -> bool:
    return lines.buffers.dying(part.use) and part.coef == 1


def _started(
    lines: NumpyLines, parts: list[tuple[Part, Operand, Labels]], order: Labels, step: Add
) -> list[tuple[Part, Operand, Labels]]:
    """The buffer begins as the first part, or as a sum of two; gives the parts that are left."""
    axes = range(len(step.shape))
    (part, operand, _), *rest = parts
    order_here = operand.labels
    if lines.complex[part.use.value] != lines.complex[lines.number]:
        lines.put(f"multiply({operand.code}, {literal(part.coef)}, dtype=dtype)", order_here, axes)
        return rest
    if _may_start(lines, part):
        lines.lines.append(f"v{lines.number} = {lines.buffers.over(part.use)}")
        lines.buffers.keep(Stored(f"v{lines.number}", tuple(order_here), True, lines.number))
        return rest
    plain = bool(rest) and len(set(rest[0][2])) == len(rest[0][2]) and not rest[0][0].ranges
    alone = plain and rest[0][0].coef not in (1, -1) and not rest[0][1].labels
    other = rest[0] if alone or (plain and rest[0][0].coef in (1, -1)) else None
    if other is not None and part.coef in (1, -1) and (part.coef, other[0].coef) != (-1, -1):
        signs = part.coef, 1 if alone else other[0].coef
        one, two = operand.code, broadcast(other[1], order_here)
        two = f"multiply({two}, {literal(other[0].coef)})" if alone else two
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
    code = f"multiply({operand.code}, {literal(part.coef)})"
    if lines.buffers.dying(part.use):
        code = f"{code[:-1]}, out={lines.buffers.over(part.use)})"
    lines.put(code, order_here, axes)
    return rest


def _into(lines: NumpyLines, part: Part, operand: Operand, places: Labels, first: bool) -> None:
    """A part, written (the first in its places) or added into the buffer."""
    name = f"v{lines.number}"
    order = lines.buffers.stored[lines.number].order
    labels = tuple(places[axis] for axis in order)
    distinct = tuple(dict.fromkeys(labels))
    target = name
    if part.ranges:
        target = f"{name}{bracketed([part.ranges[axis] for axis in order])}"
    if len(distinct) < len(labels):
        target = einsum_code([Operand(target, labels)], distinct)
    if target != name:
        lines.lines.append(f"d{lines.number} = {target}")
        target = f"d{lines.number}"
    value = broadcast(operand, distinct)
    scale = literal(part.coef)
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
