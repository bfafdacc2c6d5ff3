"""The NumPy expression that makes a layout from the numbers of a derivative: `D.reshape(m*n, -1, order="F")` and such.

In it `D` is `D.evaluate(...)`, whose axes are the free indices of a derivative in their order, or the axes of an Array,
and the symbols of dimensions are integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from indexcalc.functions.known import VOIGT
from indexcalc.index import Dimension
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.layout.project import Held, Pair
from indexcalc.simplify.same import is_symmetric

Groups = Sequence[Sequence[Any]]
TAKEN = ("D", "np")


def numpy_text(held: Held, order: Sequence[Any], groups: Groups, convention: str) -> str:
    """What makes the numbers of a layout from those of the derivative that is held, whose axes come in this order.

    >>> from indexcalc.graph.constructors import variable
    >>> numpy_text(Held(variable("A", (2, 3)), (0, 1), ((0,), (1,))), (0, 1), ((1,), (0,)), "denominator")
    'D.T'
    """
    axes = list(order)
    dims = dict(zip(held.axes, held.node.dims, strict=True))
    sizes = {axis: _size(dims[axis], place) for place, axis in enumerate(axes)}
    pairs = [axis for group in groups for axis in group if isinstance(axis, Pair)]
    if not pairs:
        return _arranged("D", axes, groups, sizes)
    text, axes = _packed(held, axes, pairs, sizes, convention)
    sizes |= {pair: _count(dims[pair.first], sizes[pair.first]) for pair in pairs}
    return _arranged(text, axes, groups, sizes)


def _size(size: Dimension, place: int) -> str:
    """A dimension as NumPy is told it: a number, its symbol, or what the array has."""
    text = str(size)
    return text if isinstance(size, int) or (text.isidentifier() and text not in TAKEN) else f"D.shape[{place}]"


def _count(size: Dimension, text: str) -> str:
    """How many entries a symmetric matrix has."""
    return str(size * (size + 1) // 2) if isinstance(size, int) else f"{text}*({text} + 1)//2"


# ------------------------------------------------------------------ axes moved and joined


def _arranged(text: str, axes: list[Any], groups: Groups, sizes: dict[Any, str]) -> str:
    """An array with these axes, transposed and reshaped so that its axes are the groups."""
    flat = [axis for group in groups for axis in group]
    rest = [axis for axis in axes if axis not in flat]
    if not rest and all(len(group) == 1 for group in groups):
        return _moved(text, axes, flat)
    if not rest and len(groups) == 2 and sum(map(len, groups)) == 1:
        return f"{_atom(text)}[:, None]" if groups[0] else f"{_atom(text)}[None, :]"
    shape = ", ".join("*".join(sizes[axis] for axis in group) or "1" for group in groups)
    by_columns = [axis for group in groups for axis in reversed(group)]
    if any(len(group) > 1 for group in groups) and _cost(axes, [*by_columns, *rest]) <= _cost(axes, [*flat, *rest]):
        return f'{_atom(_moved(text, axes, [*by_columns, *rest]))}.reshape({shape}, order="F")'
    return f"{_atom(_moved(text, axes, [*flat, *rest]))}.reshape({shape})"


def _cost(axes: list[Any], wanted: list[Any]) -> int:
    """How long it takes to write the axes in another order."""
    return 0 if axes == wanted else 1 if axes[::-1] == wanted else 2


def _moved(text: str, axes: list[Any], wanted: list[Any]) -> str:
    """An array with its axes in another order."""
    if axes == wanted:
        return text
    if axes[::-1] == wanted:
        return f"{_atom(text)}.T"
    return f"np.transpose({text}, ({', '.join(str(axes.index(axis)) for axis in wanted)}))"


def _atom(text: str) -> str:
    """The text, in parentheses where it is a product, a quotient or a sum."""
    depth = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter in " /" and not depth:
            return f"({text})"
    return text


# ------------------------------------------------------------------ symmetric pairs


def _packed(
    held: Held, axes: list[Any], pairs: Sequence[Pair], sizes: dict[Any, str], name: str
) -> tuple[str, list[Any]]:
    """The array with each pair of axes as one, and its axes: one entry for each pair of equal entries, weighted."""
    text = "D"
    dims = dict(zip(held.axes, held.node.dims, strict=True))
    for pair in pairs:  # that of a value is symmetric then, or there would be no such layout
        if pair.first in held.parts[0]:
            continue
        if not is_symmetric(held.node, *(held.axes.index(axis) for axis in pair)):
            first, second = (axes.index(axis) for axis in pair)
            text = f"({text} + np.swapaxes({text}, {first}, {second}))/2"
    paired = {axis for pair in pairs for axis in pair}
    wanted = [*(axis for axis in axes if axis not in paired), *(axis for pair in pairs for axis in pair)]
    for pair in pairs:  # leave a pair where it stands, if its axes stand together
        if axes.index(pair.second) == axes.index(pair.first) + 1:
            continue
        text, axes = _moved(text, axes, wanted), wanted
        break
    row = CONVENTIONS[name].pack
    assert row is not None
    weights = []
    for pair in sorted(pairs, key=lambda pair: axes.index(pair.first)):
        place = axes.index(pair.first)
        size = dims[pair.first]
        entries = _entries(size, sizes[pair.first], row.voigt)
        text = f"{_atom(text)}[{':, ' * place}{entries if place else entries.lstrip('*')}]"
        axes = [*axes[:place], pair, *axes[place + 2 :]]
        weights.append((pair, _weights(size, sizes[pair.first], row.voigt, _factor(held, pair, row.factors))))
    for pair, weight in weights:
        after = len(axes) - 1 - axes.index(pair)
        if weight:
            text += f" * {_atom(weight)}" if not after else f" * np.reshape({weight}, (-1, {', '.join('1' * after)}))"
    return text, axes


def _factor(held: Held, pair: Pair, factors: tuple[float, float]) -> float:
    """What an entry off the diagonal is multiplied by; half of it where it is the derivative by both entries."""
    place = next(k for k, part in enumerate(held.parts) if pair.first in part)
    if not place:
        return factors[0]
    independent = held.structures[place - len(held.parts)] == "independent"
    return factors[1] / 2 if independent else factors[1]


def _entries(size: Dimension, text: str, voigt: bool) -> str:
    """The index that takes the entries on and above the diagonal."""
    if not voigt:
        return f"*np.triu_indices({text})"
    assert isinstance(size, int)
    rows, columns = zip(*VOIGT[size], strict=True)
    return f"{list(rows)}, {list(columns)}"


def _weights(size: Dimension, text: str, voigt: bool, factor: float) -> str:
    """The vector that multiplies these entries; nothing where all are 1."""
    if factor == 1:
        return ""
    if not voigt:
        assert factor == 2
        return f"(2 - np.eye({text}))[np.triu_indices({text})]"
    assert isinstance(size, int)
    whole = factor * 4 == int(factor * 4)
    value = Fraction(factor if whole else factor**2).limit_denominator(16)
    listed = f"[{', '.join(['1'] * size + [str(value)] * (size * (size - 1) // 2))}]"
    return listed if whole else f"np.sqrt({listed})"
