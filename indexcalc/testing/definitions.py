"""What each convention of layouts means, entry by entry, in NumPy: from the numbers of a derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]


def numerator(J: Numbers, top: int, bottom: int) -> Numbers | None:
    """The axes of the numerator, then those of the denominator reversed, if they are two; one is a column or a row."""
    if top + bottom > 2:
        return None
    J = np.transpose(J, (*range(top), *range(top, top + bottom)[::-1]))
    return J if J.ndim == 2 else J.reshape((-1, 1) if top else (1, -1))


def denominator(J: Numbers, top: int, bottom: int) -> Numbers | None:
    """The transpose of the numerator layout."""
    turned = numerator(J, top, bottom)
    return None if turned is None else turned.T


def mixed(J: Numbers, top: int, bottom: int) -> Numbers | None:
    """The denominator layout for a scalar, the numerator layout for the rest."""
    return numerator(J, top, bottom) if top else denominator(J, top, bottom)


def vectorised(J: Numbers, top: int, order: Any) -> Numbers:
    """Column b is the vec of the derivative of the value by entry b of the vec of the variable."""
    bottom = J.shape[top:]
    places = [np.unravel_index(b, bottom, order=order) for b in range(int(np.prod(bottom)))]
    return np.stack([np.reshape(_at(J, place) if place else J, -1, order=order) for place in places], axis=1)


def _at(J: Numbers, place: tuple[Any, ...]) -> Numbers:
    where: tuple[Any, ...] = (..., *place)
    return np.asarray(J[where])


PLAIN: dict[str, Callable[[Numbers, int, int], Numbers | None]] = {
    "numerator": numerator,
    "denominator": denominator,
    "mixed": mixed,
    "cookbook": mixed,
    "gradient": lambda J, top, bottom: None if top else J,
    "jax": lambda J, top, bottom: J,
    "pytorch": lambda J, top, bottom: J,
    "tensor": lambda J, top, bottom: J,
    "magnus-neudecker": lambda J, top, bottom: vectorised(J, top, "F"),
    "vec-columns": lambda J, top, bottom: vectorised(J, top, "F"),
    "vec-rows": lambda J, top, bottom: vectorised(J, top, "C"),
}
"""What is expected of a Jacobian whose first axes are the value's; None where there is no such layout."""

VOIGT = {2: [(0, 0), (1, 1), (0, 1)], 3: [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]}
SHEAR = {"vech": (1, 1), "voigt-stress": (1, 2), "voigt-strain": (2, 1), "mandel": (2**0.5, 2**0.5)}
"""By how much a coordinate is larger than the entry off the diagonal: in the value, and in the variable."""


def entries(name: str, n: int) -> list[tuple[int, int]]:
    """The entries of a symmetric matrix in the order of a convention."""
    return [(i, j) for j in range(n) for i in range(j, n)] if name == "vech" else VOIGT[n]


def coordinates(name: str, Y: Numbers, axis: int) -> Numbers:
    """The vectors of a symmetric value, whose rows and columns are this axis and the next one."""
    places = entries(name, Y.shape[axis])
    taken = [np.take(np.take(Y, i, axis), j, axis) * (1 if i == j else SHEAR[name][0]) for i, j in places]
    return np.stack(taken, axis)


def by_coordinates(name: str, J: Numbers, axis: int) -> Numbers:
    """The derivative by the vector of a symmetric variable, from that by its entries, a pair of axes from this one on.

    Coordinate a moves the entries (i, j) and (j, i) alike.
    """
    found = []
    for i, j in entries(name, J.shape[axis]):
        one, other = (np.take(np.take(J, p, axis), q, axis) for p, q in ((i, j), (j, i)))
        found.append(one if i == j else (one + other) / SHEAR[name][1])
    return np.stack(found, axis)


def laid_out(name: str, J: Numbers, top: int, groups: Sequence[int]) -> Numbers | None:
    """The layout of this name: the value has `top` axes, each variable of `groups` so many; None where there is none.

    >>> laid_out("denominator", np.array([[1.0, 2.0], [3.0, 4.0]]), 1, [1]).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    if name in PLAIN:
        return PLAIN[name](J, J.ndim - groups[-1], groups[-1])
    if any(count != 2 for count in (*groups, *([top] if top else []))):
        return None
    found = coordinates(name, J, 0) if top else J
    for place in range(len(groups)):
        found = by_coordinates(name, found, (1 if top else 0) + place)
    return found[None] if name == "vech" and found.ndim == 1 else found
