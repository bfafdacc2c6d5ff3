"""Matrices modulo a prime: by Gauss and Jordan. The prime is below 2**31, so that products of residues fit 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

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
