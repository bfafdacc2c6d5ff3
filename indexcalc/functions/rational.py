"""Functions that are rational over any field: their values modulo a prime, and of which degree they are.

Matrices are brought into echelon form by Gauss and Jordan. The prime is below 2**31, so that products of residues fit
64 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, combinations
from math import prod
from typing import Any

import numpy as np

Degrees = tuple[int, int]
"""Every entry is a quotient of polynomials of at most these degrees, the denominator common to all entries."""

Residues = np.ndarray[Any, np.dtype[np.int64]]


class ZeroDivisor(Exception):
    """A division by zero modulo the prime."""


def reduced(a: Residues, p: int) -> tuple[Residues, list[int], int]:
    """The reduced row echelon form, the columns of its pivots.

    The determinant of what was left-multiplied by, as the product of the pivots with the sign of the exchanges.

    >>> reduced(np.array([[0, 2], [3, 1]]), 7)
    (array([[1, 0],
           [0, 1]]), [0, 1], 1)
    """
    a = a.astype(np.int64) % p
    rows, columns = a.shape
    pivots: list[int] = []
    det = 1
    for column in range(columns):
        row = len(pivots)
        if row == rows:
            break
        found = np.flatnonzero(a[row:, column])
        if not len(found):
            continue
        if found[0]:
            a[[row, row + found[0]]] = a[[row + found[0], row]]
            det = -det
        pivot = int(a[row, column])
        det = det * pivot % p
        a[row] = a[row] * pow(pivot, -1, p) % p
        others = a[:, column].copy()
        others[row] = 0
        a = (a - others[:, None] * a[row][None] % p) % p
        pivots.append(column)
    return a, pivots, det % p


def multiplied(a: Residues, b: Residues, p: int) -> Residues:
    """The product of two matrices."""
    return np.asarray((a[:, :, None] * b[None] % p).sum(axis=1) % p)


def inverse(a: Residues, p: int) -> Residues:
    """The inverse; a singular matrix is `ZeroDivisor`.

    >>> inverse(np.array([[2]]), 7)
    array([[4]])
    """
    n = len(a)
    made, pivots, _ = reduced(np.concatenate([a, np.eye(n, dtype=np.int64)], axis=1), p)
    if pivots[:n] != list(range(n)):
        raise ZeroDivisor
    return made[:, n:]


def determinant(a: Residues, p: int) -> int:
    """The determinant."""
    _, pivots, det = reduced(a, p)
    return det if len(pivots) == len(a) else 0


def adjugate(a: Residues, p: int) -> Residues:
    """The adjugate, of a singular matrix too: the determinants of what is left without a row and a column."""
    n = len(a)
    made = np.zeros((n, n), np.int64)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(a, i, axis=0), j, axis=1)
            made[j, i] = (-1) ** (i + j) * determinant(minor, p) % p
    return made


def adjugate_slope(a: Residues, p: int) -> Residues:
    """The derivative of the adjugate, [i, j, k, l] by the entry k, l: the minors without rows j, k and columns i, l.

    >>> adjugate_slope(np.array([[1, 2], [3, 4]]), 7)[0, 0].tolist()
    [[0, 0], [0, 1]]
    """
    n = len(a)
    made = np.zeros((n, n, n, n), np.int64)
    for j, k in combinations(range(n), 2):
        for i, l in combinations(range(n), 2):  # noqa: E741
            minor = np.delete(np.delete(a, (j, k), axis=0), (i, l), axis=1)
            value = (-1) ** (i + j + k + l) * determinant(minor, p) % p
            made[i, j, k, l] = made[l, k, j, i] = value
            made[l, j, k, i] = made[i, k, j, l] = -value % p
    return made


def pseudo_inverse(a: Residues, p: int) -> Residues:
    """The pseudo-inverse, `G' (G G')^-1 (F' F)^-1 F'` of factors `A = F G` of full rank.

    >>> a = np.array([[1, 2], [2, 4]])
    >>> multiplied(multiplied(a, pseudo_inverse(a, 101), 101), a, 101)
    array([[1, 2],
           [2, 4]])
    """
    form, pivots, _ = reduced(a, p)
    if not pivots:
        return np.zeros(a.shape[::-1], np.int64)
    right, left = form[: len(pivots)], a[:, pivots] % p
    outer = multiplied(right.T, inverse(multiplied(right, right.T, p), p), p)
    inner = multiplied(inverse(multiplied(left.T, left, p), p), left.T, p)
    return multiplied(outer, inner, p)


def product(entries: Residues, p: int) -> int:
    """The product of all entries."""
    value = 1
    for entry in entries.ravel().tolist():
        value = value * entry % p
    return value


def products_of_others(entries: Residues, p: int) -> Residues:
    """For each entry the product of all others."""
    flat = entries.ravel().tolist()
    others = [product(np.array(flat[:k] + flat[k + 1 :]), p) for k in range(len(flat))]
    return np.array(others, np.int64).reshape(entries.shape)


def cumulative_products(entries: Residues, p: int) -> Residues:
    """At each entry the product of those up to it.

    >>> cumulative_products(np.array([2, 3, 4]), 7)
    array([2, 6, 3])
    """
    flat = accumulate(entries.ravel().tolist(), lambda one, other: one * other % p)
    return np.array(list(flat), np.int64).reshape(entries.shape)


def whole_power(a: Residues, p: int, exponent: int) -> Residues:
    """The power of a matrix, of its inverse where the exponent is negative.

    >>> whole_power(np.array([[2]]), 7, -2)
    array([[2]])
    """
    base, result = (inverse(a, p) if exponent < 0 else a), np.eye(len(a), dtype=np.int64)
    for bit in bin(abs(exponent))[2:]:
        result = multiplied(result, result, p)
        if bit == "1":
            result = multiplied(result, base, p)
    return result


# ------------------------------------------------------------------ degrees


def scaled(inner: Degrees, times: int) -> Degrees:
    """The degrees of a product of so many entries."""
    return inner[0] * times, inner[1] * times


def _of_inverse(inner: Degrees, shape: tuple[int, ...], batches: int) -> Degrees:
    """The denominator is the determinants of all batches."""
    a, b = inner
    n = min(shape)
    return b + (n - 1) * a + (batches - 1) * n * a, batches * n * a


def _of_pseudo_inverse(inner: Degrees, shape: tuple[int, ...], batches: int) -> Degrees:
    a, b = _of_inverse(scaled(inner, 2), shape, batches)
    return 2 * (a + inner[0]), 2 * (b + inner[1])


def _of_power(inner: Degrees, shape: tuple[int, ...], batches: int, exponent: int) -> Degrees:
    return scaled(_of_inverse(inner, shape, batches) if exponent < 0 else inner, abs(exponent))


@dataclass(frozen=True, slots=True)
class Rational:
    """A rational function of a slice or of a matrix.

    `residues(x, p, *params)` is its value of one slice modulo the prime p; `ZeroDivisor` where it has none.
    `degrees(inner, shape, batches, *params)` bounds the degrees of its entries by those of the entries of its argument,
    of which there are `batches` slices of this shape. `slope(x, p)` is its derivative modulo the prime, if that is
    asked for: axes of the value, then of the argument.
    """

    residues: Callable[..., Any]
    degrees: Callable[..., Degrees]
    slope: Callable[..., Any] | None = None


INVERSE = Rational(inverse, _of_inverse)
DETERMINANT = Rational(determinant, lambda inner, shape, batches: scaled(inner, min(shape)))
COFACTORS = Rational(lambda a, p: adjugate(a, p).T, lambda inner, shape, batches: scaled(inner, max(min(shape) - 1, 0)))
ADJUGATE = Rational(adjugate, COFACTORS.degrees, adjugate_slope)
PSEUDO_INVERSE_T = Rational(lambda a, p: pseudo_inverse(a, p).T, _of_pseudo_inverse)
PRODUCT = Rational(product, lambda inner, shape, batches: scaled(inner, prod(shape)))
PRODUCTS_OF_OTHERS = Rational(products_of_others, lambda inner, shape, batches: scaled(inner, prod(shape)))
CUMULATIVE_PRODUCTS = Rational(cumulative_products, lambda inner, shape, batches: scaled(inner, prod(shape)))
CUMULATIVE_SUMS = Rational(lambda a, p: np.cumsum(a) % p, lambda inner, shape, batches: inner)
WHOLE_POWER = Rational(whole_power, _of_power)
