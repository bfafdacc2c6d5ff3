"""Slices as text: what stands in brackets after an array, as Python writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from indexcalc.graph.ranges import Range, at_least
from indexcalc.index import Dim, Dimension

Shown = Callable[[Dimension], str]


def slice_text(found: Range | None, shown: Shown = str, entry: bool = False) -> str:
    """The range of an axis as Python writes it, None for all of it, or its one entry; `shown` writes a dimension.

    An entry at a symbol has a sign, `x[+k]`: `x[k]` has an index.

    >>> from indexcalc.index import dim
    >>> n = dim("n")
    >>> slice_text(Range(1, 1, n - 1, n)), slice_text(Range(n - 3, 1, 2, n)), slice_text(Range(0, 2, 3, n))
    ('1:', '-3:-1', ':6:2')
    >>> slice_text(Range(n - 1, -1, n, n)), slice_text(Range(5, -2, 2, 9)), slice_text(None)
    ('::-1', '5:1:-2', ':')
    """
    if found is None:
        return ":"
    if entry:
        place = _place(found.start, found.length, shown)
        return f"+{place}" if place.isidentifier() else place
    start, end = found.start, found.start + found.step * found.size
    if found.size == 0:
        return f"{_place(start, found.length, shown)}:{_place(start, found.length, shown)}"
    first = "" if start == (0 if found.step > 0 else found.length - 1) else _place(start, found.length, shown)
    if found.step > 0:
        over = isinstance(end - found.length, int) and at_least(end, found.length)
    else:
        over = isinstance(end, int) and end < 0
    last = "" if over else _place(end, found.length, shown)
    return f"{first}:{last}" if found.step == 1 else f"{first}:{last}:{found.step}"


def _place(place: Dimension, length: Dimension, shown: Shown) -> str:
    """A place as it is counted: from the end, where it is at a symbol's."""
    behind = place - length
    if isinstance(place, Dim) and isinstance(behind, int) and behind < 0:
        return str(behind)
    return shown(place)


def bracketed(ranges: Sequence[Range | None], gone: Sequence[int] = (), shown: Shown = str) -> str:
    """What is taken of all axes, in brackets; axes in `gone` have one entry, and go.

    >>> bracketed([None, Range(2, 1, 1, 5), Range(1, 1, 4, 5)], [1])
    '[:, 2, 1:]'
    """
    texts = [slice_text(found, shown, k in gone) for k, found in enumerate(ranges)]
    while texts and texts[-1] == ":":
        texts.pop()
    return f"[{', '.join(texts)}]" if texts else ""
