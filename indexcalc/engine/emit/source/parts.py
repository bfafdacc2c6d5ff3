"""Parts of arrays as source: what a slice takes, and an array of zeros with a part that is given."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.engine.emit.source.python_text import ATOM, PythonText
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Cut
from indexcalc.graph.ranges import Range
from indexcalc.index import Dimension
from indexcalc.writing.slices import bracketed

SPREAD = '''def spread(x, axis, step):
    """Zeros behind each entry along an axis: it is so many times as long."""
    x = torch.movedim(x, axis, -1)[..., None]
    return torch.movedim(torch.nn.functional.pad(x, (0, step - 1)).flatten(-2), -1, axis)'''


def part(writer: Writer, step: Cut) -> PythonText:
    """A part of the operand; PyTorch takes one that runs backwards forwards, and turns it round."""
    text, ranges, turned = writer.values[step.uses[0].value], list(step.ranges), []
    if writer.module == "torch":
        kept = [axis for axis in range(len(ranges)) if axis not in step.gone]
        turned = [kept.index(axis) for axis in kept if (found := ranges[axis]) is not None and found.step < 0]
        ranges = [found.turned if found is not None and found.step < 0 else found for found in ranges]
    code = f"{text.at(ATOM)}{bracketed(ranges, step.gone, writer.dimension)}"
    return PythonText(code + f".flip({', '.join(map(str, turned))})" * bool(turned))


def padded(writer: Writer, text: PythonText, ranges: Sequence[Range | None]) -> PythonText:
    """An array with zeros about it, and between its entries, so that it covers these ranges: JAX and PyTorch."""
    turned = [axis for axis, found in enumerate(ranges) if found is not None and found.step < 0]
    forwards = [found.turned if found is not None and found.step < 0 else found for found in ranges]
    code = text.code
    if turned and writer.module == "torch":
        code = f"{text.at(ATOM)}.flip({', '.join(map(str, turned))})"
    elif turned:
        code = f"jnp.flip({code}, {tuple(turned)})"
    beside = [_beside(found, writer.module == "torch") for found in forwards]
    if writer.module == "torch":
        for axis, (_, _, step) in enumerate(beside):
            if step > 1:
                code = writer.with_helper(f"spread({code}, {axis}, {step})", SPREAD)
        shown = ", ".join(writer.dimension(n) for before, after, _ in reversed(beside) for n in (before, after))
        return PythonText(f"torch.nn.functional.pad({code}, ({shown}))")
    if all(step == 1 for _, _, step in beside):
        shown = ", ".join(f"({writer.dimension(before)}, {writer.dimension(after)})" for before, after, _ in beside)
        return PythonText(f"jnp.pad({code}, ({shown}{',' if len(beside) == 1 else ''}))")
    shown = ", ".join(
        f"({writer.dimension(before)}, {writer.dimension(after)}, {step - 1})" for before, after, step in beside
    )
    return PythonText(f"jax.lax.pad({code}, jnp.zeros((), {writer.like}), ({shown}{',' if len(beside) == 1 else ''}))")


def _beside(found: Range | None, spread: bool) -> tuple[Dimension, Dimension, int]:
    """The zeros before and after, and the step from entry to entry; `spread` if zeros follow the last entry too."""
    if found is None:
        return 0, 0, 1
    if found.size == 0:
        return 0, found.length, 1
    low, high = found.ends
    return low, found.length - 1 - high - (found.step - 1 if spread else 0), found.step
