"""The numbers of known tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import Numbers
from indexcalc.errors import InputError, NoRuleError
from indexcalc.functions.known import SHEAR, VOIGT


def known(name: str, shape: tuple[int, ...], dtype: Any, params: tuple[Any, ...]) -> Numbers:
    """The numbers of a known tensor.

    >>> known("unit", (3,), float, (1,))
    array([0., 1., 0.])
    """
    if name not in CONSTANTS:
        raise NoRuleError(f"constant {name}", "no numbers are known for it")
    return CONSTANTS[name](shape, dtype, *params)


def _epsilon(shape: tuple[int, ...], dtype: Any) -> Numbers:
    """The sign of each permutation, 0 elsewhere."""
    values = np.zeros(shape, dtype)
    for places in permutations(range(len(shape))):
        swaps = sum(a > b for k, b in enumerate(places) for a in places[:k])
        values[places] = (-1) ** swaps
    return values


def _unit(shape: tuple[int, ...], dtype: Any, *place: int) -> Numbers:
    """1 at one place, 0 elsewhere."""
    if any(not 0 <= k < size for k, size in zip(place, shape, strict=True)):
        raise InputError(f"entry {', '.join(map(str, place))}", f"there are {shape}", "they are numbered from 0")
    values = np.zeros(shape, dtype)
    values[place] = 1
    return values


def _selection(shape: tuple[int, ...], dtype: Any, start: int, step: int) -> Numbers:
    """1 where row k meets column `start + k*step`; a negative start counts from the end."""
    size, length = shape
    first = start + length if start < 0 else start
    last = first + (size - 1) * step
    if size and not (0 <= first < length and 0 <= last < length):
        raise InputError(
            "a slice",
            f"the entries {first} to {last} by steps of {step}, of an axis of dimension {length}",
            "give a longer input",
        )
    rows = np.arange(size)
    values = np.zeros(shape, dtype)
    values[rows, first + step * rows] = 1
    return values


def _affine_delta(shape: tuple[int, ...], dtype: Any, start: int, *coefs: int) -> Numbers:
    """1 where `start` and the entries, times their coefficients, add up to 0."""
    total = sum((coef * along for coef, along in zip(coefs, np.ix_(*map(np.arange, shape)), strict=True)), start)
    return np.asarray(total == 0, dtype)


def _duplication(shape: tuple[int, ...], dtype: Any) -> Numbers:
    """1 where the entries i, j and j, i are entry a of the lower triangle, which is counted column by column."""
    values = np.zeros(shape, dtype)
    columns, rows = np.triu_indices(shape[0])
    count = np.arange(len(rows))
    values[rows, columns, count] = values[columns, rows, count] = 1
    return values


def _elimination(shape: tuple[int, ...], dtype: Any) -> Numbers:
    """1 where the entry i, j of the lower triangle is entry a, counted column by column."""
    values = np.zeros(shape, dtype)
    columns, rows = np.triu_indices(shape[0])
    values[rows, columns, np.arange(len(rows))] = 1
    return values


def _voigt(shape: tuple[int, ...], dtype: Any, kind: str) -> Numbers:
    """Where the entries i, j and j, i are entry a of a Voigt vector, half of what multiplies them there, each."""
    values = np.zeros(shape, dtype)
    for count, (row, column) in enumerate(VOIGT[shape[0]]):
        values[row, column, count] = values[column, row, count] = 1 if row == column else SHEAR[kind] / 2
    return values


def _bands(shape: tuple[int, ...], dtype: Any, kind: str) -> Numbers:
    """1 where the entry i, j belongs to band d, see `calculus/structure.py`."""
    count, rows, columns = shape
    row, column = np.ogrid[:rows, :columns]
    ahead, behind = (row - column) % max(rows, 1), (column - row) % max(rows, 1)
    places = {
        "toeplitz": row - column + columns - 1,
        "hankel": row + column,
        "circulant": ahead,
        "symmetric_toeplitz": abs(row - column),
        "symmetric_circulant": np.minimum(ahead, behind),
    }
    return np.asarray(np.arange(count)[:, None, None] == places[kind], dtype)


def _quantile_weights(shape: tuple[int, ...], dtype: Any, top: int, bottom: int) -> Numbers:
    """By how much each entry in ascending order counts in the quantile of a share `top/bottom`."""
    distance = np.abs(np.arange(shape[0]) - (shape[0] - 1) * top / bottom)
    return np.asarray(np.maximum(0, 1 - distance), dtype)


CONSTANTS: dict[str, Callable[..., Numbers]] = {
    "epsilon": _epsilon,
    "pi": lambda shape, dtype: np.asarray(np.pi, dtype),
    "unit": _unit,
    "selection": _selection,
    "affine_delta": _affine_delta,
    "tril": lambda shape, dtype, offset=0: np.tri(shape[0], shape[1], offset, dtype=dtype),
    "duplication": _duplication,
    "elimination": _elimination,
    "voigt": _voigt,
    "bands": _bands,
    "arange": lambda shape, dtype: np.arange(shape[0], dtype=dtype),
    "quantile_weights": _quantile_weights,
    "integers": lambda shape, dtype, *values: np.array(values, dtype),
}
"""The numbers of known tensors: from a shape and a dtype, and from their parameters."""


# ------------------------------------------------------------------ as source

EPSILON = """def epsilon(order):
    \"\"\"The sign of each permutation, 0 elsewhere.\"\"\"
    values = np.zeros((order,) * order)
    for place in np.ndindex(values.shape):
        values[place] = round(np.linalg.det(np.eye(order)[list(place)]))
    return values"""
SELECTION = """def selection(rows, columns, start, step):
    \"\"\"1 where row k meets column `start + k*step`; a negative start counts from the end.\"\"\"
    places = (start + columns if start < 0 else start) + step * np.arange(rows)
    if rows and not (0 <= places.min() and places.max() < columns):
        raise ValueError(f"entries {places} of an axis of size {columns}")
    return np.eye(columns)[places]"""
AFFINE_DELTA = """def affine_delta(shape, start, *coefs):
    \"\"\"1 where `start` and the entries, times their coefficients, add up to 0.\"\"\"
    total = start + sum(coef * along for coef, along in zip(coefs, np.ix_(*map(np.arange, shape))))
    return (total == 0).astype(float)"""
UNIT = """def unit(shape, place):
    \"\"\"1 at one place, 0 elsewhere.\"\"\"
    values = np.zeros(shape)
    values[place] = 1
    return values"""
DUPLICATION = """def duplication(size):
    \"\"\"1 where the entries i, j and j, i are entry a of the lower triangle, counted column by column.\"\"\"
    columns, rows = np.triu_indices(size)
    values = np.zeros((size, size, len(rows)))
    values[rows, columns, np.arange(len(rows))] = values[columns, rows, np.arange(len(rows))] = 1
    return values"""
ELIMINATION = """def elimination(size):
    \"\"\"1 where the entry i, j of the lower triangle is entry a, counted column by column.\"\"\"
    columns, rows = np.triu_indices(size)
    values = np.zeros((size, size, len(rows)))
    values[rows, columns, np.arange(len(rows))] = 1
    return values"""
QUANTILE = """def quantile_weights(size, top, bottom):
    \"\"\"By how much each entry in ascending order counts in the quantile of a share.\"\"\"
    return np.maximum(0, 1 - abs(np.arange(size) - (size - 1) * top / bottom))"""
BANDS = """def bands(count, rows, columns, kind):
    \"\"\"1 where the entry i, j belongs to band d of a matrix of this kind.\"\"\"
    row, column = np.ogrid[:rows, :columns]
    ahead, behind = (row - column) % max(rows, 1), (column - row) % max(rows, 1)
    places = {
        "toeplitz": row - column + columns - 1,
        "hankel": row + column,
        "circulant": ahead,
        "symmetric_toeplitz": abs(row - column),
        "symmetric_circulant": np.minimum(ahead, behind),
    }
    return (np.arange(count)[:, None, None] == places[kind]).astype(float)"""


def _voigt_code(sizes: Sequence[str], kind: str) -> tuple[str, str]:
    values = _voigt(tuple(map(int, sizes)), float, kind)
    return f"np.array({values.tolist()})", ""


CODE: dict[str, Callable[..., tuple[str, str]]] = {
    "epsilon": lambda sizes: (f"epsilon({len(sizes)})", EPSILON),
    "unit": lambda sizes, *place: (f"unit(({', '.join(sizes)},), {place})", UNIT),
    "selection": lambda sizes, start, step: (f"selection({', '.join(sizes)}, {start}, {step})", SELECTION),
    "affine_delta": lambda sizes, *params: (
        f"affine_delta(({', '.join(sizes)},), {', '.join(map(str, params))})",
        AFFINE_DELTA,
    ),
    "tril": lambda sizes, offset=0: (f"np.tri({sizes[0]}, {sizes[1]}, {offset})", ""),
    "duplication": lambda sizes: (f"duplication({sizes[0]})", DUPLICATION),
    "elimination": lambda sizes: (f"elimination({sizes[0]})", ELIMINATION),
    "voigt": _voigt_code,
    "arange": lambda sizes: (f"np.arange({sizes[0]})", ""),
    "quantile_weights": lambda sizes, top, bottom: (f"quantile_weights({sizes[0]}, {top}, {bottom})", QUANTILE),
    "integers": lambda sizes, *values: (f"np.array([{', '.join(map(str, values))}])", ""),
    "bands": lambda sizes, kind: (f"bands({', '.join(sizes)}, {kind!r})", BANDS),
}
"""NumPy that makes the numbers of a known tensor: an expression, and the function that it calls, if any."""


def known_code(name: str, sizes: Sequence[str], params: tuple[Any, ...]) -> tuple[str, str]:
    """NumPy that makes the numbers of a known tensor, from the texts of its sizes.

    It is an expression, and the function that it calls, if any.

    >>> known_code("tril", ["n", "n"], ())
    ('np.tri(n, n, 0)', '')
    """
    if name not in CODE:
        raise NoRuleError(f"constant {name}", "no source is known for it")
    return CODE[name](sizes, *params)
