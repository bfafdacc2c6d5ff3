"""What a step costs, in seconds of one core: enough to choose between plans, and no promise.

The rates were measured on common x86 cores with OpenBLAS: a matrix product does 40 operations a nanosecond, a batched
one 12, an einsum loop 1, memory moves 8 bytes a nanosecond, and every call takes about 1.2 microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

CALL = 1.2e-6
GEMM, BATCHED, LOOP, MEMORY = 40e9, 12e9, 1.2e9, 1e9
"""Operations a second of three kinds of product, and entries a second that pass through memory."""


def pair(
    a: Iterable[int], b: Iterable[int], out: frozenset[int], sizes: Mapping[int, int], same: bool = False
) -> float:
    """The product of two operands with these labels, summed over what `out` lacks; `same`: of one array by itself."""
    left, right = frozenset(a), frozenset(b)
    moved = sum(prod(sizes[x] for x in part) for part in (left, right, (left | right) & out))
    summed = (left | right) - out
    points = prod(sizes[x] for x in left | right)
    if not summed:
        return (CALL / 2 if left == right or not left or not right else CALL) + moved / MEMORY
    shared = left & right
    batch = prod(sizes[x] for x in shared & out)
    rows = prod(sizes[x] for x in left - right)
    columns = prod(sizes[x] for x in right - left)
    inner = prod(sizes[x] for x in summed)
    if rows == 1 and columns == 1:
        return CALL + points / (2 * LOOP if batch > 1 else 4 * LOOP)
    if batch == 1:
        rate = GEMM / 2 if min(rows, columns) <= 2 else GEMM
        work = 2 * points / rate * (0.6 if same and rows == columns >= 50 else 1)
        return CALL + work + moved / (8 * MEMORY)
    if max(rows, columns, inner) <= 4:
        return CALL + points / LOOP
    return CALL + batch * 0.15e-6 + 2 * points / BATCHED + moved / (4 * MEMORY)


def single(size: int, result: int) -> float:
    """A sum over axes of one operand, or an entrywise function of it."""
    return CALL + max(size, result) / MEMORY


def elementary(size: int) -> float:
    """An elementary function of so many entries."""
    return CALL + 8 * size / MEMORY
