"""Windows of an array as views of it, or of a copy with zeros beside and between its entries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from indexcalc.engine.program import Windows


def stretch(x: Any, axis: int, step: Windows) -> Any:
    """What the windows along an axis reach, from the least place to the largest: zeros where there is no entry.

    >>> from indexcalc.engine.program import Use, Window
    >>> reach = Windows((Use(0, (0,)),), 0, Window((1, 2), (1, 1), (4, 2), -1, 2, 2), (1, 2), (4, 2))
    >>> stretch(np.array([1.0, 2.0]), 0, reach)
    array([0., 1., 0., 2., 0.])
    """
    window = step.window
    low, high = map(int, window.ends)
    if high < low:
        return x[(slice(None),) * axis + (slice(0),)]
    count = x.shape[axis]
    if window.spread == 1 and low >= 0 and high < count:
        return x[(slice(None),) * axis + (slice(low, high + 1),)]
    made = np.zeros((*x.shape[:axis], high - low + 1, *x.shape[axis + 1 :]), x.dtype)
    first = max(0, -(-low // window.spread))
    last = min(count - 1, high // window.spread)
    if first <= last:
        where = slice(first * window.spread - low, last * window.spread - low + 1, window.spread)
        made[(slice(None),) * axis + (where,)] = x[(slice(None),) * axis + (slice(first, last + 1),)]
    return made


def strided(y: Any, axis: int, step: Windows) -> Any:
    """The windows, as a view of what they reach."""
    (use,), window = step.uses, step.window
    sizes = {
        **dict(zip(window.near, map(int, window.sizes), strict=True)),
        **dict(zip(use.labels, y.shape, strict=True)),
    }
    shape = tuple(sizes[x] for x in step.out)
    if 0 in shape:
        return np.zeros(shape, y.dtype)
    strides = dict.fromkeys(step.out, 0)
    for label, stride in zip(use.labels, y.strides, strict=True):
        if label != step.along:
            strides[label] += stride
    for label, by in zip(window.near, window.steps, strict=True):
        strides[label] += by * y.strides[axis]
    offset = int(window.start) - int(window.ends[0])
    from_start = y[(slice(None),) * axis + (slice(offset, None),)]
    return as_strided(from_start, shape, tuple(strides[x] for x in step.out), writeable=False)


def windows(x: Any, step: Windows) -> Any:
    """The windows of an array whose axes are in order."""
    axis = step.uses[0].labels.index(step.along)
    return strided(stretch(x, axis, step), axis, step)


def overlapped(x: Any, along: int, other: int, step: Windows) -> Any:
    """The sum over windows whose label j is an axis of the operand too: `y[l]` is that of `x[t, j]` where these meet.

    They do where `spread*t = start + by*l + each*j`, with t `along` one axis and j along the `other`. Slices are added,
    along the shorter of the two.

    >>> from indexcalc.engine.program import Use, Window
    >>> step = Windows((Use(0, (0, 1)),), 0, Window((2, 1), (1, -1), (4, 2), 0, 1, 3), (2, 1), (4, 2))
    >>> overlapped(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]), 0, 1, step)
    array([ 1., 12., 23., 30.])
    """
    window = step.window
    place = next(k for k, label in enumerate(window.near) if label not in step.uses[0].labels)
    by, each, length = window.steps[place], window.steps[1 - place], int(window.sizes[place])
    start, spread = int(window.start), window.spread
    turned = np.moveaxis(x, (along, other), (0, 1))
    slope = (by * spread, -by * each)
    if turned.shape[1] > turned.shape[0]:
        turned, slope = turned.swapaxes(0, 1), slope[::-1]
    kept = [n for axis, n in enumerate(x.shape) if axis != other]
    made = np.zeros([length if axis == along - (other < along) else n for axis, n in enumerate(kept)], x.dtype)
    target = np.moveaxis(made, along - (other < along), 0)
    count = turned.shape[0]
    for k in range(turned.shape[1]):
        first = slope[1] * k - by * start
        low, high = (-first, length - 1 - first) if slope[0] > 0 else (first - length + 1, first)
        begin, end = max(0, -(-low // abs(slope[0]))), min(count - 1, high // abs(slope[0]))
        if begin <= end:
            place_of = first + slope[0] * begin
            last = first + slope[0] * end + (1 if slope[0] > 0 else -1)
            target[place_of : last if last >= 0 else None : slope[0]] += turned[begin : end + 1, k]
    return made
