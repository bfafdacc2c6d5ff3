"""Products as lines of NumPy: two operands on the fastest kernel there is, one summed, turned or scaled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np

from indexcalc.engine.emit.numpy import kernels
from indexcalc.engine.emit.numpy.kernels import Operand, PairContraction, broadcast, einsum_code
from indexcalc.engine.emit.numpy.lines import NumpyLines, literal
from indexcalc.engine.emit.numpy.strides import overlapped, stretch
from indexcalc.engine.emit.patterns import alongside, turned_round
from indexcalc.engine.program import Contract, Use, Windows
from indexcalc.graph.node import Labels

ENTRIES = 500
"""Entries of a matrix: the rows or columns of one with so many are added by BLAS, whose call takes longer than a short
loop."""


def contract(lines: NumpyLines, step: Contract) -> None:
    """One product, or one operand summed, turned or scaled."""
    if len(step.uses) == 1:
        single(lines, step)
    elif lines.number in lines.at_once.quotients:
        quotient(lines, step)
    elif code := _correlated(lines, step):
        lines.kernel = "correlate"
        lines.put(code, step.out, step.out)
        if step.coef != 1:
            _scale(lines, literal(step.coef), not isinstance(step.coef, complex))
    else:
        pair(lines, step)


def pair(lines: NumpyLines, step: Contract) -> None:
    """One product of two operands; a coefficient goes where it takes least."""
    one, other = (lines.operand(use) for use in step.uses)
    sizes = step.sizes
    scale = "" if step.coef == 1 else literal(step.coef)
    if scale and (not one.labels or not other.labels):
        one, other = (other, one) if one.labels else (one, other)
        one, scale = one._replace(code=f"{one.code}*{scale}"), ""
    if scale:
        smaller = min((one, other), key=lambda o: prod(sizes[x] for x in o.labels))
        if prod(sizes[x] for x in smaller.labels) * 2 < prod(step.shape):
            made = smaller._replace(code=f"multiply({smaller.code}, {scale})")
            one, other = (made, other) if smaller is one else (one, made)
            scale = ""
            lines.buffers.need(prod(sizes[x] for x in smaller.labels) * lines.itemsize)
    if not one.labels and not other.labels:
        lines.put(f"{one.code}*{other.code}", (), step.out)
        return
    order = wished(lines, lines.number, step.out) or _for_overlap(lines, step, (one, other))
    option = kernels.choose(PairContraction(one, other, frozenset(step.out), sizes), order, step.out)
    lines.kernel, code = option.name, option.code
    lines.buffers.need(option.scratch * lines.itemsize)
    labels, lines.flat = option.labels, option.flat
    if option.name == "multiply":
        code = lines.reused(code, labels)
    elif option.name == "outer" and order is not None and len(order) == len(step.out):
        code, labels = einsum_code([one, other], order), order
    lines.put(code, labels, step.out)
    if scale:
        turned = lines.complex[lines.number] and not any(lines.complex[use.value] for use in step.uses)
        _scale(lines, scale, bool(step.shape) and not turned)


def _for_overlap(lines: NumpyLines, step: Contract, operands: Sequence[Operand]) -> Labels | None:
    """The label that comes first where slices of the value are added up: one of the operand with that of the slices."""
    for reader in lines.reading[lines.number]:
        made = lines.program.steps[reader]
        if isinstance(made, Windows) and reader in lines.at_once.skipped:
            label = dict(zip(made.uses[0].labels, step.out, strict=True))
            slices = {label[x] for x in made.window.near if x in label}
            own = next((operand for operand in operands if slices & {*operand.labels}), None)
            if own is not None:
                return tuple(x for x in own.labels if x in step.out)[:1]
    return None


def _correlated(lines: NumpyLines, step: Contract) -> str:
    """A correlation of two vectors, the one in windows; "" for any other product, or one of complex numbers."""
    if lines.complex[lines.number] or any(lines.complex[use.value] for use in step.uses):
        return ""
    for place, use in enumerate(step.uses):
        made = lines.program.steps[use.value]
        other = step.uses[1 - place]
        found = turned_round(step.out, use, other, made) if isinstance(made, Windows) else None
        if found is not None and isinstance(made, Windows):
            lines.space["correlate"] = np.correlate
            back, other_back = ("[::-1]" * turned for turned in found)
            k = f"{lines.operand(other).code}{other_back}"
            part = _of_full(made, step.shape[0], step.sizes[other.labels[0]], found[0])
            if part and use.value in lines.at_once.skipped:
                return f"correlate({lines.operand(made.uses[0]).code}{back}, {k}, 'full'){part}"
            if use.value in lines.at_once.skipped:
                reach = lines.bound(f"reach{use.value}", partial(stretch, axis=0, step=made))
                lines.buffers.need(made.span * lines.itemsize)
                return f"correlate({reach}({lines.operand(made.uses[0]).code}){back}, {k})"
            return f"correlate(y{use.value}{back}, {k})"
    return ""


def _of_full(made: Windows, length: int, width: int, back: bool) -> str:
    """Which part of the correlation at all places the windows with zeros beside them are; "" where it is none."""
    window = made.window
    low, high = map(int, window.ends)
    before, after = -low, high - int(window.length) + 1
    before, after = (after, before) if back else (before, after)
    if window.inside or window.spread > 1 or not (0 <= before < width and 0 <= after < width):
        return ""
    first = width - 1 - before
    return f"[{first}:{first + length}]" if first or after < width - 1 else "[:]"


def quotient(lines: NumpyLines, step: Contract) -> None:
    """A product with a reciprocal that nothing else reads, as one division."""
    below, above = sorted(step.uses, key=lambda use: use.value != lines.at_once.quotients[lines.number])
    below = Use(lines.program.steps[below.value].uses[0].value, below.labels)
    divisor, lines.quiet, lines.kernel = lines.operand(below), True, "divide"
    code = f"divide({broadcast(lines.operand(above), divisor.labels)}, {divisor.code})"
    kinds = [lines.complex[use.value] for use in (below, above)]
    if step.shape and lines.buffers.last(lines.stored(below)) and kinds[0] == lines.complex[lines.number]:
        code = f"{code[:-1]}, out={lines.buffers.over(below)})"
    lines.put(code, divisor.labels, step.out)
    if step.coef != 1:
        _scale(lines, literal(step.coef), bool(step.shape) and any(kinds) == lines.complex[lines.number])


def wished(lines: NumpyLines, number: int, out: Labels, further: int = 3) -> Labels | None:
    """How the order begins in which a value with these labels is stored best.

    It is that of an array which is there already, and which a step joins with it, or with a function of its entries,
    entry by entry; with the labels of a batch of matrices, which it is the batch of; a result as it is asked for.
    It looks so many steps `further` on.
    """
    for reader in lines.reading[number]:
        found = alongside(lines.program.steps[reader], number)
        if found is None:
            continue
        label = dict(zip(found.labels, out, strict=True))
        for other in found.others:
            held = lines.buffers.stored.get(other.value)
            if held is not None and set(other.labels) == set(found.labels):
                return tuple(label[other.labels[axis]] for axis in held.order)
            shared = set(other.labels) & set(found.labels)
            batch = tuple(label[x] for x in found.labels if x in shared and x in found.out)
            if held is not None and batch and shared - set(found.out):
                return batch
        if further and not found.others and set(found.out) == set(found.labels):
            order = wished(lines, reader, tuple(label[x] for x in found.out), further - 1)
            if order is not None:
                return order
    return out if lines.order == "C" and number in lines.program.results else None


def _scale(lines: NumpyLines, scale: str, in_place: bool) -> None:
    name = lines.name
    if not in_place:
        lines.lines.append(f"{name} = {name}*{scale}")
        lines.buffers.need_entries(1, lines.number)
    elif scale == "-1.0":
        lines.lines.append(f"negative({name}, out={name})")
    else:
        lines.lines.append(f"multiply({name}, {scale}, out={name})")


def single(lines: NumpyLines, step: Contract) -> None:
    """One operand: a view where nothing is summed, einsum where something is."""
    (use,) = step.uses
    labels, out = use.labels, step.out
    operand_step = lines.program.steps[use.value]
    if isinstance(operand_step, Windows) and use.value in lines.at_once.skipped:
        overlap(lines, step, operand_step)
        return
    if len(set(labels)) == len(labels) == len(out):
        if step.coef == 1:
            lines.alias(use, out)
            return
        made = lines.operand(use)
        code = f"multiply({made.code}, {literal(step.coef)})"
        lines.put(lines.reused(code, made.labels), made.labels, out)
        return
    held = lines.stored(use)
    operand = Operand(held.name, tuple(labels[axis] for axis in held.order), held.contiguous)
    order = tuple(x for x in operand.labels if x in out)
    order = tuple(dict.fromkeys(order))
    view = len(set(labels)) == len(out)
    code, lines.kernel = einsum_code([operand], order), "einsum"
    if not view and len(order) == len(operand.labels) - 1 and operand.contiguous and len(operand.labels) == 2:
        code = _sum_of_matrix(lines, operand, order, step)
    if step.coef != 1:
        code = f"{code}*{literal(step.coef)}"
        lines.buffers.need_entries(0 if view else 1, lines.number)
        view = False
    lines.put(code, order, out, held if view else None)


def overlap(lines: NumpyLines, step: Contract, made: Windows) -> None:
    """A sum over windows that overlap: each slice of the operand is added to where it lies."""
    held, window = lines.stored(made.uses[0]), made.window
    own = tuple(made.uses[0].labels[axis] for axis in held.order)
    (twice,) = (x for x in window.near if x in own)
    (fresh,) = (x for x in window.near if x not in own)
    label = dict(zip(made.out, step.uses[0].labels, strict=True))
    order = tuple(label[fresh if x == made.along else x] for x in own if x != twice)
    add = lines.bound(
        f"overlap{lines.number}", partial(overlapped, along=own.index(made.along), other=own.index(twice), step=made)
    )
    lines.kernel = "overlap-add"
    lines.put(f"{add}({held.name})", order, step.out)
    if step.coef != 1:
        _scale(lines, literal(step.coef), not isinstance(step.coef, complex))


def _sum_of_matrix(lines: NumpyLines, operand: Operand, order: Sequence[int], step: Contract) -> str:
    """Rows or columns added by a product with ones, which BLAS does faster than a loop."""
    gone = next(x for x in operand.labels if x not in order)
    size = step.sizes[gone]
    if prod(step.sizes[x] for x in operand.labels) < ENTRIES:
        return einsum_code([operand], order)
    ones, lines.kernel = lines.ones(size), "dot"
    return f"dot({ones}, {operand.code})" if operand.labels[0] == gone else f"dot({operand.code}, {ones})"
