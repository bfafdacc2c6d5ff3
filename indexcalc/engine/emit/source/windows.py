"""Windows of arrays as source: views in NumPy and PyTorch, by indices in JAX, and correlations of vectors."""

from __future__ import annotations

from collections.abc import Sequence

from indexcalc.engine.emit.patterns import turned_round
from indexcalc.engine.emit.source.python_text import ATOM, PRODUCT, PythonText
from indexcalc.engine.emit.source.writer import Writer
from indexcalc.engine.program import Contract, Windows
from indexcalc.graph.ranges import at_least
from indexcalc.index import Dimension

REACH = '''def reach(x, axis, low, high, spread):
    """The places low to high along an axis of which each entry is so many apart: 0 where there is none."""
    x = {np}.moveaxis(x, axis, 0)
    first, last = max(0, -(-low // spread)), min(len(x) - 1, high // spread)
    made = {zeros}
    if first <= last:
        where = slice(first * spread - low, last * spread - low + 1, spread)
        {put}
    return {np}.moveaxis(made, 0, axis)'''
ZEROS = {
    "np": "np.zeros((high - low + 1, *x.shape[1:]), x.dtype)",
    "jnp": "jnp.zeros((high - low + 1, *x.shape[1:]), x.dtype)",
    "torch": "x.new_zeros((high - low + 1, *x.shape[1:]))",
}
PUT = {
    "np": "made[where] = x[first:last + 1]",
    "jnp": "made = made.at[where].set(x[first:last + 1])",
    "torch": "made[where] = x[first:last + 1]",
}


def windows(writer: Writer, step: Windows) -> PythonText:
    """The operand in windows along an axis; what they reach alone, where it is only read by correlations."""
    (use,), text = step.uses, reached(writer, step)
    if _only_reached(writer, len(writer.values)):
        return text
    axis, fresh = use.labels.index(step.along), [x for x in step.window.near if x not in use.labels]
    if not step.window.near:
        return PythonText(f"{text.at(ATOM)}[{':, ' * axis}0]")
    if len(fresh) < len(step.window.near):
        return _diagonal(writer, step, text, axis, fresh)
    if len(fresh) == 2 and writer.module != "jnp":
        return _view(writer, step, text, axis)
    places = _places(writer, step, len(fresh))
    if writer.module == "torch":
        named = PythonText(places, PRODUCT)
        flat = f"{text.at(ATOM)}.index_select({axis}, {named.at(ATOM)}.flatten())"
        return PythonText(f"{flat}.unflatten({axis}, {writer.shape(_sizes(step, fresh))})")
    return PythonText(f"{writer.module}.take({text.code}, {places}, {axis})")


def reached(writer: Writer, step: Windows) -> PythonText:
    """What windows reach, from the least place to the largest: a part of the operand, or that with zeros about it."""
    (use,), window = step.uses, step.window
    text, (low, high) = writer.values[use.value], window.ends
    axis, last = use.labels.index(step.along), window.length - 1
    signs = [at_least(one, other, 1) for one, other in ((low, 0), (0, low), (last, high), (high, last))]
    if window.spread > 1 or not (signs[0] or signs[1]) or not (signs[2] or signs[3]):
        code = f"reach({text.code}, {axis}, {writer.dimension(low)}, {writer.dimension(high)}, {window.spread})"
        helper = REACH.replace("{zeros}", ZEROS[writer.module]).replace("{put}", PUT[writer.module])
        return PythonText(writer.with_helper(code, helper))
    before, after = (0 if signs[0] else -1 * low), (0 if signs[2] else high - last)
    if not signs[1] or not signs[3]:
        first = "" if signs[1] else writer.dimension(low)
        end = "" if signs[3] else writer.dimension(high + 1)
        text = PythonText(f"{text.at(ATOM)}[{':, ' * axis}{first}:{end}]")
    if before == 0 and after == 0:
        return text
    pads = [(0, 0)] * axis + [(before, after)] + [(0, 0)] * (len(use.labels) - axis - 1)
    if writer.module == "torch":
        while pads[0] == (0, 0):
            del pads[0]
        shown = ", ".join(writer.dimension(n) for row in reversed(pads) for n in row)
        return PythonText(f"torch.nn.functional.pad({text.code}, ({shown}))")
    shown = ", ".join(f"({', '.join(map(writer.dimension, row))})" for row in pads)
    return PythonText(f"{writer.module}.pad({text.code}, {f'({shown})' if len(pads) > 1 else shown})")


def _sizes(step: Windows, labels: Sequence[int]) -> list[int]:
    """The sizes that axes with these labels have."""
    return [step.shape[step.out.index(x)] for x in labels]


def _view(writer: Writer, step: Windows, text: PythonText, axis: int) -> PythonText:
    """Windows of two labels as a view; the shorter axis is that within a window."""
    (use,), window = step.uses, step.window
    sizes = _sizes(step, window.near)
    inner = min((0, 1), key=lambda k: (sizes[k], -k))
    width: Dimension = abs(window.steps[inner]) * (window.sizes[inner] - 1) + 1
    by, within = (abs(window.steps[k]) for k in (1 - inner, inner))
    order, shown = len(use.labels), writer.dimension(width)
    if writer.module == "torch":
        code = f"{text.at(ATOM)}.unfold({axis}, {shown}, {by})"
        code += f"[..., ::{within}]" if within > 1 else ""
        turned = [k for k, own in ((axis, 1 - inner), (order, inner)) if window.steps[own] < 0]
        code += f".flip({', '.join(map(str, turned))})" if turned else ""
    else:
        code = f"np.lib.stride_tricks.sliding_window_view({text.code}, {shown}, {axis})"
        keys = [":"] * order + [""]
        keys[axis] = _key(by, window.steps[1 - inner])
        keys[order] = _key(within, window.steps[inner])
        while keys and keys[-1] == ":":
            keys.pop()
        code += f"[{', '.join(keys)}]" if keys else ""
    labels = [*use.labels, window.near[inner]]
    labels[axis] = window.near[1 - inner]
    return writer.permuted(PythonText(code), [labels.index(x) for x in step.out])


def _key(by: int, step: int) -> str:
    """Every so many entries, backwards where the step is negative."""
    return ":" if by == 1 and step > 0 else f"::{by if step > 0 else -by}"


def _places(writer: Writer, step: Windows, order: int, axes: Sequence[int] = ()) -> str:
    """Where entries of windows are in what these reach: an array with so many axes, one for each label in order."""
    window = step.window
    low, _ = window.ends
    device = f", device={writer.values[step.uses[0].value].at(ATOM)}.device" if writer.module == "torch" else ""
    terms = [] if window.start == low else [writer.dimension(window.start - low)]
    for k, (by, size) in enumerate(zip(window.steps, window.sizes, strict=True)):
        place = axes[k] if axes else k
        keys = ["None"] * place + [":"] + ["None"] * (order - place - 1)
        text = f"{writer.module}.arange({writer.dimension(size)}{device})" + f"[{', '.join(keys)}]" * (order > 1)
        sign = "-" if by < 0 else "+" if terms else ""
        terms.append(f"{sign}{' ' if terms else ''}" + (text if abs(by) == 1 else f"{abs(by)}*{text}"))
    return " ".join(terms)


def _diagonal(writer: Writer, step: Windows, text: PythonText, axis: int, fresh: Sequence[int]) -> PythonText:
    """Windows of which a label is an axis of the operand too: entries are taken one by one along it."""
    (use,), window = step.uses, step.window
    labels = list(use.labels)
    labels[axis : axis + 1] = fresh[:1]
    if not fresh:
        labels.insert(axis, -1)
    order = len(labels)
    places = _places(writer, step, order, [labels.index(x) for x in window.near])
    take = {"np": "np.take_along_axis", "jnp": "jnp.take_along_axis", "torch": "torch.take_along_dim"}[writer.module]
    code = f"{take}({text.code}, {places}, {axis})" + (f".squeeze({axis})" if not fresh else "")
    return PythonText(code)


def vectors(writer: Writer, step: Contract) -> tuple[int, bool, bool] | None:
    """Which operand of a product is a vector in windows that are correlated with the other one; None if there is none.

    Then whether the first is turned round, and whether the other one is. Complex numbers are multiplied otherwise.
    """
    if len(step.uses) != 2 or any(writer.complex[use.value] for use in step.uses):
        return None
    for place, one in enumerate(step.uses):
        made, other = writer.program.steps[one.value], step.uses[1 - place]
        if isinstance(made, Windows):
            found = turned_round(step.out, one, other, made)
            if found is not None:
                return place, *found
    return None


def correlation(writer: Writer, step: Contract) -> PythonText | None:
    """A product as a correlation of two vectors; None for any other."""
    found = vectors(writer, step)
    if found is None:
        return None
    place, back, other_back = found
    one, other = writer.values[step.uses[place].value], writer.values[step.uses[1 - place].value]
    if not _only_reached(writer, step.uses[place].value):
        return None
    if writer.module == "torch":
        x = f"{one.at(ATOM)}.flip(0)" if back else one.at(ATOM)
        k = f"{other.at(ATOM)}.flip(0)" if other_back else other.at(ATOM)
        return PythonText(f"torch.nn.functional.conv1d({x}[None, None], {k}[None, None])[0, 0]")
    x = f"{one.at(ATOM)}[::-1]" if back else one.code
    k = f"{other.at(ATOM)}[::-1]" if other_back else other.code
    return PythonText(f"{writer.module}.correlate({x}, {k}, 'valid')")


def _only_reached(writer: Writer, value: int) -> bool:
    """Are windows read by correlations alone, which take what they reach?"""
    reading = [step for step in writer.program.steps if any(use.value == value for use in step.uses)]
    found = all(isinstance(step, Contract) and vectors(writer, step) is not None for step in reading)
    return found and value not in writer.program.results
