"""A sum of two slices beside each other that overlap, as lines of NumPy: where both are they are added into the sum."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.engine.emit.numpy.kernels import Operand
from indexcalc.engine.emit.numpy.lines import NumpyLines
from indexcalc.engine.program import Add, Part
from indexcalc.graph.node import Labels

Row = tuple[Part, Operand, Labels]
"""A term of a sum, its operand with axes of the sum as labels, and the labels of all axes."""


def overlapping(lines: NumpyLines, rows: Sequence[Row], step: Add) -> bool:
    """Writes the sum of two terms that have entries in common along one axis, all along the others; False for others.

    Such is the transpose of a difference of neighbours: `y[1:] += x; y[:-1] -= x` is one difference, and two entries.
    """
    (one, a, _), (other, b, _) = rows
    axis, spans = _axis(one, other), []
    kinds = {lines.complex[part.use.value] for part in (one, other)} | {lines.complex[lines.number]}
    if axis is None or len(kinds) > 1 or a.labels != b.labels or {*a.labels} != {*range(len(step.shape))}:
        return False
    if {one.coef, other.coef} - {1, -1} or one.coef == other.coef == -1:
        return False
    for part in (one, other):
        own = part.ranges[axis]
        if own is None or own.step != 1 or not isinstance(own.start, int) or not isinstance(own.size, int):
            return False
        spans.append((own.start, own.start + own.size))
    low, high = max(span[0] for span in spans), min(span[1] for span in spans)
    if low >= high:
        return False
    order, axes = a.labels, tuple(range(len(step.shape)))
    whole = min(spans)[0] == 0 and max(span[1] for span in spans) == step.shape[axis]
    shape = tuple(step.shape[x] for x in order)
    lines.put(f"{'empty' if whole else 'zeros'}({shape}, {lines.kind})", order, axes)

    def part_of(code: str, start: int, stop: int) -> str:
        return f"{code}[{', '.join([':'] * order.index(axis) + [f'{start}:{stop}'])}]"

    first, second = (part_of(x.code, low - s[0], high - s[0]) for x, s in zip((a, b), spans, strict=True))
    if one.coef == -1:
        first, second = second, first
    verb = "add" if one.coef == other.coef else "subtract"
    lines.lines.append(f"{verb}({first}, {second}, out={part_of(lines.name, low, high)})")
    for (part, operand, _), (start, stop) in zip(rows, spans, strict=True):
        for left, right in ((start, low), (high, stop)):
            if left < right:
                value, target = part_of(operand.code, left - start, right - start), part_of(lines.name, left, right)
                lines.lines.append(f"{target} = {value}" if part.coef == 1 else f"negative({value}, out={target})")
    return True


def _axis(one: Part, other: Part) -> int | None:
    """The one axis along which two terms of a sum cover a part, where they run along the others each by itself."""
    if not one.ranges or not other.ranges or any(len({*part.places}) < len(part.places) for part in (one, other)):
        return None
    found = {axis for part in (one, other) for axis, own in enumerate(part.ranges) if own is not None}
    return found.pop() if len(found) == 1 else None
