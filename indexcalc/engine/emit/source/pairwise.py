"""Products as source: a matrix product, a broadcast or an einsum, whichever a person would write."""

from __future__ import annotations

from math import prod

from indexcalc.engine.emit.source.python_text import ATOM, POWER, PRODUCT, PythonText, scaled, times
from indexcalc.engine.emit.source.windows import correlation
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Contract, Solve


def contract(writer: Writer, step: Contract) -> PythonText:
    """A product of two operands, or one operand summed, turned or scaled."""
    correlated = correlation(writer, step)
    if correlated is not None:
        writer.kernel = "correlate"
        return scaled(step.coef, correlated)
    operands = [writer.value(use) for use in step.uses]
    if len(operands) == 1:
        (text, labels), out = operands[0], list(step.out)
        gone = [x for x in labels if x not in out]
        if gone:
            axes = sorted(labels.index(x) for x in gone)
            along = "" if len(gone) == len(labels) else str(axes[0]) if len(gone) == 1 else str(tuple(axes))
            text, labels = PythonText(f"{text.at(ATOM)}.sum({along})"), [x for x in labels if x in out]
        return scaled(step.coef, writer.permuted(text, [labels.index(x) for x in out]))
    (one, own), (other, others) = operands
    entries = [prod(step.sizes[x] for x in labels) for labels in (own, others)]
    smallest = min((entries[0], 0), (entries[1], 1), (prod(step.shape), 2), key=lambda row: (row[0], -row[1]))[1]
    if smallest == 0:
        one = scaled(step.coef, one)
    elif smallest == 1:
        other = scaled(step.coef, other)
    if writer.module == "torch":
        one, other = alike(writer, step, one, other)
    made = _pair(writer, one, own, other, others, list(step.out))
    return scaled(step.coef, made) if smallest == 2 else made


def alike(writer: Writer, step: Contract | Solve, one: PythonText, other: PythonText) -> tuple[PythonText, PythonText]:
    """Two operands of one dtype, which PyTorch's products want: a real one beside a complex one is made complex."""
    first, second = (writer.complex[use.value] for use in step.uses)
    if first == second or one.static or other.static:
        return one, other
    whole = writer.named(step.uses[second].value).code
    turned = [text if own else PythonText(f"{text.at(ATOM)}.to({whole}.dtype)")
              for text, own in ((one, first), (other, second))]  # fmt: skip
    return turned[0], turned[1]


def _pair(
    writer: Writer, one: PythonText, own: list[int], other: PythonText, others: list[int], out: list[int]
) -> PythonText:
    """A product of two operands with these labels, as a person would write it."""
    summed = [x for x in own if x in others and x not in out]
    if not own or not others or set(own) | set(others) == set(out):
        return times(writer.aligned(one, own, out), writer.aligned(other, others, out))
    if len(summed) == 1 and len(set(own) | set(others)) == len(out) + 1 and max(len(own), len(others)) <= 2:
        (x,) = summed
        if not set(own) & set(others) & set(out):
            if len(out) == 2 and out[0] in others:
                one, own, other, others = other, others, one, own
            left = writer.permuted(one, [own.index(y) for y in own if y != x] + [own.index(x)])
            right = writer.permuted(other, [others.index(x)] + [others.index(y) for y in others if y != x])
            if len(own) == 1 and len(others) == 2 and others[-1] == x:
                left, right = other, one
            if writer.module == "jnp" and len(own) == 2 and len(others) == 1 and own[0] == x:
                left, right = other, one  # XLA turns a matrix that is written as turned
            writer.kernel = "matmul"
            made = PythonText(f"{left.at(POWER)} @ {right.at(POWER)}", PRODUCT)
            if len(out) < 2:
                return made
            left, right = writer.permuted(right, (1, 0)), writer.permuted(left, (1, 0))
            return made._replace(turned=PythonText(f"{left.at(POWER)} @ {right.at(POWER)}", PRODUCT))
    return writer.einsum([(one, own), (other, others)], out)
