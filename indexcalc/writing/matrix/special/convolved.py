"""Sums of two tensors over affine deltas, as their convolution or correlation, with modes, strides and dilations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from indexcalc.affine import first_and_count
from indexcalc.graph.node import Node
from indexcalc.graph.ranges import Range, Relation, at_least, relation_of
from indexcalc.index import Dim, Dimension
from indexcalc.writing.matrix.form import Form
from indexcalc.writing.matrix.forms import Pick, call, ones, part, zeros
from indexcalc.writing.matrix.special.tiles import beside

DEFAULTS = {"correlate": "valid", "convolve": "full"}
"""The modes that are not written."""
WAYS = (
    ("valid", True, False),
    ("same", True, False),
    ("full", True, False),
    ("full", False, False),
    ("full", False, True),
)
"""What is tried: a mode, whether all of its places are meant, and whether the stride is that of a slice."""


class TakenPlaces(NamedTuple):
    """Which places along an axis are meant, in which order, and how many zeros stand before them and behind them."""

    range: Range
    before: int = 0
    behind: int = 0

    @property
    def whole(self) -> bool:
        """Are these all places, and nothing else?"""
        return self.range.whole and not self.before and not self.behind


class Convolution(NamedTuple):
    """A convolution or correlation of two tensors: what it is called with, and the part of it that is meant.

    `axes` are those of the first along which the second runs, which has as many.
    """

    name: str
    mode: str
    axes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    parts: Mapping[int, TakenPlaces]

    def keywords(self, order: int) -> list[tuple[str, str]]:
        """The keywords of the call, where the first tensor has so many axes."""
        found = [] if self.mode == DEFAULTS[self.name] else [("mode", f'"{self.mode}"')]
        if self.axes != tuple(range(order)):
            found.append(("axes", _listed(self.axes)))
        steps = (("stride", self.strides), ("dilation", self.dilations))
        return found + [(word, _listed(values)) for word, values in steps if set(values) != {1}]


def _listed(values: Sequence[int]) -> str:
    """One integer for all axes, where they have the same, or a list."""
    return str(values[0]) if len(set(values)) == 1 else f"[{', '.join(map(str, values))}]"


class AxisRun(NamedTuple):
    """One axis of a convolution: the relation `start + stride*t + step*j - x`, and the sizes of x, j and t."""

    start: Dimension
    stride: int
    step: int
    size: Dimension
    width: Dimension
    places: Dimension

    @property
    def turned(self) -> AxisRun:
        """The same with the places in the opposite order."""
        return self._replace(start=self.start + self.stride * (self.places - 1), stride=-self.stride)


def convolution(runs: Sequence[AxisRun], axes: Sequence[int]) -> Convolution | None:
    """What a convolution along these axes is called: a mode that has just these places, or a part of the longest one.

    >>> run = AxisRun(-1, 1, 1, 9, 3, 9)
    >>> convolution([run], [0]).mode, convolution([run._replace(places=8)], [0]).parts[0].range[:3]
    ('same', (1, 1, 8))
    """
    signs = {1 if run.step > 0 else -1 for run in runs}
    if len(signs) != 1 or any(not run.stride or not run.step for run in runs):
        return None
    (sign,) = signs
    turned = [run.stride < 0 for run in runs]
    runs = [run.turned if run.stride < 0 else run for run in runs]
    name = "correlate" if sign > 0 else "convolve"
    strides, dilations = tuple(run.stride for run in runs), tuple(abs(run.step) for run in runs)
    for mode, whole, sliced in WAYS:
        found = [_part(run, sign, mode, sliced) for run in runs]
        taken = [one for one in found if one is not None]
        if len(taken) < len(runs) or (whole and not all(one.whole for one in taken)):
            continue
        taken = [_reversed(one) if back else one for one, back in zip(taken, turned, strict=True)]
        parts = {axis: one for axis, one in zip(axes, taken, strict=True) if not one.whole}
        return Convolution(name, mode, tuple(axes), (1,) * len(runs) if sliced else strides, dilations, parts)
    return None


def _reversed(one: TakenPlaces) -> TakenPlaces:
    return TakenPlaces(one.range.turned, one.behind, one.before)


def _part(run: AxisRun, sign: int, mode: str, sliced: bool) -> TakenPlaces | None:
    """Which places of a mode these are, along one axis; None if they aren't known to be some."""
    dilation = abs(run.step)
    if mode == "same" and isinstance(run.width, Dim):
        return None
    first, length = first_and_count(run.size, run.width, sign, mode, dilation)
    if isinstance(length, int) and length <= 0:
        return None
    if sliced:
        found = Range(run.start - first, run.stride, run.places, length)
        return TakenPlaces(found) if found.fits else None
    if run.stride > 1:
        if not isinstance(length, int) or not isinstance(run.start - first, int):
            return None
        length = -(-length // run.stride)
        if (run.start - first) % run.stride:
            return None
    low = run.start - first if run.stride == 1 else (run.start - first) // run.stride
    if at_least(low, 0) and at_least(length, low + run.places):
        return TakenPlaces(Range(low, 1, run.places, length))
    if mode != "full" or not all(isinstance(value, int) for value in (low, length, run.places)):
        return None
    before = max(-int(low), 0)
    behind = max(int(low) + int(run.places) - int(length), 0)
    count = int(run.places) - before - behind
    return TakenPlaces(Range(max(int(low), 0), 1, count, length), before, behind) if count > 0 else None


class Joined(NamedTuple):
    """Two factors that affine deltas join, what that is called, and the label of each axis of it."""

    name: Convolution
    first: Any
    second: Any
    rows: list[Any]
    gone: list[Any]
    out: list[Any]
    rank: tuple[Any, ...]


def convolved(
    factors: list[Any],
    dims: dict[Any, Dimension],
    form: Callable[[Node], Form],
    picks: Sequence[tuple[Form, list[Any]]] = (),
) -> list[tuple[Form, list[Any]]]:
    """Tensors of at most two axes that affine deltas join, as convolutions or correlations, with the labels they have.

    A label that is summed in an affine delta alone is one of ones, unless a convolution or one of `picks` has it too.
    """
    made: list[tuple[Form, list[Any]]] = []
    while options := _options(factors, [x for _, labels in (*picks, *made) for x in labels]):
        found = min(options, key=lambda option: option.rank)
        extents = [dims[label] for label in found.gone]
        first = form(found.first[0])
        second = form(found.second[0]) if found.second else ones(*(*extents[len(found.rows) :], None)[:2])
        for row in (found.first, found.second, *found.rows):
            if row:
                factors.remove(row)
        for label in found.gone:
            del dims[label]
        made.append((_called(found, [first, second], [dims[label] for label in found.out]), found.out))
    return made


def _called(found: Joined, forms: Sequence[Form], sizes: Sequence[Dimension]) -> Form:
    """The call, the part of it that is meant, and zeros beside that."""
    parts = found.name.parts
    own = [parts[axis].range.length if axis in parts else size for axis, size in enumerate(sizes)]
    rows, cols = (*own, None)[:2]
    one = call(found.name.name, forms, rows, cols, tuple(found.name.keywords(len(sizes))))
    picks = [Pick(parts[axis].range) if axis in parts else None for axis in range(len(sizes))]
    if any(pick is not None and not pick.range.whole for pick in picks):
        one = part(one, *(None if pick is None or pick.range.whole else pick for pick in picks))
    extents = [parts[axis].range.size if axis in parts else size for axis, size in enumerate(sizes)]
    for axis, taken in parts.items():
        extents[axis] = sizes[axis]
        beside_it = [zeros(*_with(extents, axis, count)) if count else None for count in taken[1:]]
        cells = [cell for cell in (beside_it[0], one, beside_it[1]) if cell is not None]
        one = beside(axis, cells, *(*extents, None)[:2]) if len(cells) > 1 else one
    return one


def _with(sizes: Sequence[Dimension], axis: int, count: int) -> list[Any]:
    return [*(count if k == axis else size for k, size in enumerate(sizes)), None][:2]


def _options(factors: Sequence[Any], beside: Sequence[Any]) -> list[Joined]:
    """The pairs of factors that are joined so, each in the order in which it has a name; labels `beside` are theirs."""
    times = Counter([*beside, *(label for _, labels, _ in factors for label in labels)])
    deltas = [row for row in factors if relation_of(row[0]) is not None and row[2] == 1 and len(set(row[1])) == 3]
    tensors = [row for row in factors if relation_of(row[0]) is None and row[2] == 1 and 0 < len(row[1]) <= 2]
    options = []
    for first in tensors:
        rows = [row for row in deltas if set(row[1]) & set(first[1])]
        for second in [*(other for other in tensors if other is not first), None]:
            found = _joined(first, second, rows, times) if rows else None
            options += [found] if found else []
    return options


def _joined(first: Any, second: Any, rows: Sequence[Any], times: Mapping[Any, int]) -> Joined | None:
    runs: dict[Any, tuple[AxisRun, Any, Any, Any]] = {}
    for row in rows:
        shared = [x for x in row[1] if x in first[1] and isinstance(x, tuple) and times[x] == 2]
        rest = [x for x in row[1] if x not in first[1]]
        if second:
            inner = [x for x in rest if x in second[1] and isinstance(x, tuple) and times[x] == 2]
        else:
            inner = [x for x in rest if isinstance(x, tuple) and times[x] == 1]
        if len(shared) != 1 or len(rest) != 2 or len(inner) != 1:
            return None
        (own,), (other,) = shared, inner
        (out,) = [x for x in rest if x != other]
        if second and out in second[1]:
            return None
        runs[other] = run_of(relation_of(row[0]), [row[1].index(x) for x in (out, other, own)]), own, out, row
    labels = list(second[1]) if second else sorted(runs, key=lambda x: first[1].index(runs[x][1]))
    if sorted(map(str, labels)) != sorted(map(str, runs)) or len(set(first[1])) < len(first[1]):
        return None
    ordered = [runs[label] for label in labels]
    named = convolution([run for run, *_ in ordered], [first[1].index(own) for _, own, _, _ in ordered])
    if named is None:
        return None
    place = {own: out for _, own, out, _ in ordered}
    sizes = [run.size for run, *_ in ordered]
    rank = (
        len(named.parts),
        len(named.keywords(len(first[1]))),
        [-size if isinstance(size, int) else 0 for size in sizes],
        [row[1].index(own) for _, own, _, row in ordered],
    )
    gone = [*place, *labels]
    return Joined(named, first, second, [row for *_, row in ordered], gone, [place.get(x, x) for x in first[1]], rank)


def run_of(found: Relation | None, places: Sequence[int]) -> AxisRun:
    """A relation by its axes of the value, of the second array and of the first."""
    assert found is not None
    t, j, x = places
    sign = -1 if found.coefs[x] > 0 else 1
    stride = sign * found.coefs[t] if abs(found.coefs[x]) == 1 else 0
    return AxisRun(sign * found.start, stride, sign * found.coefs[j], found.sizes[x], found.sizes[j], found.sizes[t])
