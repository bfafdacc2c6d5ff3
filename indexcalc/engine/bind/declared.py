"""What tensors were declared to be: inputs are checked for it, and random inputs are made to have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from indexcalc.errors import InputError
from indexcalc.graph.canonical import settle
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Variable

Numbers = np.ndarray[Any, Any]


def check_declared(inputs: Mapping[Variable, Numbers]) -> None:
    """Every input has what its tensor was declared with, up to rounding, or it is an InputError that names it.

    >>> from indexcalc.graph.constructors import variable
    >>> check_declared({variable("p", (2,), ["stochastic"]): np.asarray([0.5, 0.6])})
    Traceback (most recent call last):
    ...
    indexcalc.errors.InputError: evaluate with p: it is declared stochastic, and the last axis does not sum to 1
      instead: give p/p.sum(-1, keepdims=True), or declare p without
    """
    for variable, array in inputs.items():
        if "diagonal" not in variable.assumptions:
            _check_symmetry(variable, array)
        words = variable.assumptions - ({"mask", "stochastic"} if "onehot" in variable.assumptions else set())
        for word in sorted(words & HOLDS.keys()):
            if not HOLDS[word](array):
                found, instead = SAID[word]
                name = variable.label
                raise InputError(
                    f"evaluate with {name}",
                    f"it is declared {word}, and {found}",
                    f"{instead.format(name)}, or declare {name} without",
                )


def _check_symmetry(variable: Variable, array: Numbers) -> None:
    rule, name = symmetry_of(variable), variable.label
    swaps = [(one, other, sign) for axes, sign in rule.blocks for one, other in pairwise(axes)]
    for one, other, sign in swaps:
        if not _near(array, sign * np.swapaxes(array, one, other)):
            word, mark = ("skew", "-") if sign < 0 else ("symmetric", "+")
            turned = f"{name}.T" if array.ndim == 2 else f"{name}.swapaxes({one}, {other})"
            found = f"it is declared {word}, and the numbers are not, along axes {one} and {other}"
            raise InputError(
                f"evaluate with {name}", found, f"give ({name} {mark} {turned})/2, or declare {name} without"
            )
    for perm in rule.perms:
        if not _near(array, np.transpose(array, perm)):
            found = f"it is declared not to change where its axes go as {perm}, and the numbers do"
            instead = f"give ({name} + {name}.transpose({perm}))/2, or declare {name} without"
            raise InputError(f"evaluate with {name}", found, instead)


def _near(array: Numbers, other: Any) -> bool:
    """Equal but for rounding, measured by the largest entry; nan is equal to nan."""
    scale = float(np.max(np.abs(array), initial=0.0)) * (1e-4 if array.dtype.itemsize < 8 else 1e-8)
    return bool(np.allclose(array, other, rtol=0, atol=scale, equal_nan=True))


def _diagonal(array: Numbers) -> bool:
    places = np.indices(array.shape)
    return _near(array, np.where((places == places[:1]).all(axis=0), array, np.zeros_like(array)))


def _toeplitz(array: Numbers) -> bool:
    return _near(array[..., 1:, 1:], array[..., :-1, :-1])


def _hankel(array: Numbers) -> bool:
    return _near(array[..., 1:, :-1], array[..., :-1, 1:])


def _circulant(array: Numbers) -> bool:
    return _near(array, np.roll(array, (1, 1), axis=(-2, -1)))


def _orthogonal(array: Numbers) -> bool:
    return _near(np.matmul(array, np.swapaxes(array, -1, -2)), np.eye(array.shape[-1]))


def _definite(array: Numbers) -> bool:
    if not np.isfinite(array).all():
        return True
    return bool((np.linalg.eigvalsh(array) > 0).all())


def _mask(array: Numbers) -> bool:
    return bool(((array == 0) | (array == 1)).all())


def _onehot(array: Numbers) -> bool:
    return _mask(array) and bool((array.sum(axis=-1) == 1).all())


def _full_rank(array: Numbers) -> bool:
    """Of full rank up to rounding, measured by the largest singular value; what is not finite is not asked."""
    if not np.isfinite(array).all() or not array.size:
        return True
    return bool((np.linalg.matrix_rank(array) == min(array.shape[-2:])).all())


def _stochastic(array: Numbers) -> bool:
    total = array.sum(axis=-1)
    return _near(np.where(np.isnan(total), np.ones_like(total), total), np.ones_like(total))


HOLDS: dict[str, Callable[[Numbers], bool]] = {
    "diagonal": _diagonal,
    "lower": lambda array: _near(array, np.tril(array)),
    "upper": lambda array: _near(array, np.triu(array)),
    "toeplitz": _toeplitz,
    "hankel": _hankel,
    "circulant": _circulant,
    "orthogonal": _orthogonal,
    "positive": lambda array: bool(np.isreal(array).all() and not (array.real <= 0).any()),
    "positive_definite": _definite,
    "stochastic": _stochastic,
    "mask": _mask,
    "onehot": _onehot,
    "full_rank": _full_rank,
    "integer": lambda array: bool((array == np.floor(array.real)).all()),
}
"""Whether an array is what a word says, along its last axes."""

SAID = {
    "diagonal": ("there are numbers off the diagonal", "give np.diag(np.diag({0}))"),
    "lower": ("there are numbers above the diagonal", "give np.tril({0})"),
    "upper": ("there are numbers below the diagonal", "give np.triu({0})"),
    "toeplitz": ("the numbers along a diagonal differ", "give equal numbers along each diagonal"),
    "hankel": ("the numbers along an antidiagonal differ", "give equal numbers along each antidiagonal"),
    "circulant": ("a row is not the one above it, turned by one", "give scipy.linalg.circulant({0}[:, 0])"),
    "orthogonal": ("its product with its transpose is not the identity", "give np.linalg.qr({0})[0]"),
    "positive": ("an entry is not above 0", "give np.abs({0}), say"),
    "positive_definite": ("an eigenvalue is not above 0", "give {0} @ {0}.T, say"),
    "stochastic": ("the last axis does not sum to 1", "give {0}/{0}.sum(-1, keepdims=True)"),
    "mask": ("an entry is neither 0 nor 1", "give ({0} != 0)*1.0, say"),
    "onehot": ("the last axis has not one 1 and else 0", "give np.eye(k)[numbers of the classes]"),
    "integer": ("an entry is no whole number", "give np.round({0}), say"),
    "full_rank": ("its rank is less than its smaller dimension", "check the numbers"),
}
"""What was found where a word does not hold, and what to give instead."""


# ------------------------------------------------------------------ made to hold


def respecting(variable: Any, value: Numbers) -> Numbers:
    """The entries made to be what the variable was declared with; random entries stay random.

    >>> from indexcalc.graph.constructors import variable
    >>> respecting(variable("L", (2, 2), ["lower"]), np.ones((2, 2)))
    array([[1., 0.],
           [1., 1.]])
    """
    rule = symmetry_of(variable)
    if rule.blocks or rule.perms:
        result = np.zeros_like(value)
        for place in np.ndindex(*value.shape):
            least, sign = settle(place, rule)
            result[place] = sign * value[least]
        value = result
    words = variable.assumptions if isinstance(variable, Variable) else frozenset()
    for word, make in MADE.items():
        if word in words:
            value = make(value)
    return value


def _made_diagonal(value: Numbers) -> Numbers:
    places = np.indices(value.shape)
    return np.where((places == places[:1]).all(axis=0), value, np.zeros_like(value))


def _made_toeplitz(value: Numbers) -> Numbers:
    rows, columns = np.indices(value.shape[-2:])
    shift = columns - rows
    found: Numbers = value[..., np.maximum(-shift, 0), np.maximum(shift, 0)]
    return found


def _made_hankel(value: Numbers) -> Numbers:
    rows, columns = np.indices(value.shape[-2:])
    down = np.minimum(rows + columns, value.shape[-2] - 1)
    return value[..., down, rows + columns - down]


def _made_circulant(value: Numbers) -> Numbers:
    """The means along the bands: so what was symmetric or skew stays so."""
    size = value.shape[-1]
    rows, columns = np.indices((size, size))
    means: Numbers = value[..., columns, (columns - rows) % max(size, 1)].mean(axis=-1)
    return means[..., (rows - columns) % max(size, 1)]


def _made_definite(value: Numbers) -> Numbers:
    found: Numbers = np.matmul(value, np.swapaxes(value, -1, -2)) + np.eye(value.shape[-1], dtype=value.dtype)
    return found


def _made_mask(value: Numbers) -> Numbers:
    """1 where a digit of the entry is odd, 0 where it is even, or where the entry is 0; 1 stays 1."""
    digit = 1 - np.floor(np.abs(value) * 997) % 2
    return np.where((value != 0) & (digit == 0), np.ones_like(value), np.zeros_like(value))


def _made_onehot(value: Numbers) -> Numbers:
    """1 at the largest entry along the last axis."""
    hit = np.arange(value.shape[-1]) == np.argmax(np.abs(value), axis=-1)[..., None]
    return np.where(hit, np.ones_like(value), np.zeros_like(value))


MADE: dict[str, Callable[[Numbers], Numbers]] = {
    "toeplitz": _made_toeplitz,
    "hankel": _made_hankel,
    "circulant": _made_circulant,
    "lower": np.tril,
    "upper": np.triu,
    "diagonal": _made_diagonal,
    "positive": lambda value: np.abs(value) + np.finfo(value.dtype).tiny,
    "positive_definite": _made_definite,
    "orthogonal": lambda value: np.linalg.qr(value)[0],
    "onehot": _made_onehot,
    "mask": _made_mask,
    "stochastic": lambda value: np.abs(value) / np.abs(value).sum(axis=-1, keepdims=True),
    "integer": _made_mask,
}
