"""What a step costs, in seconds of one core: enough to choose between plans, and no promise.

The rates were measured on common x86 cores with OpenBLAS: a matrix product does 40 operations a nanosecond, a batched
one 12, an einsum loop 1, memory moves 8 bytes a nanosecond, and every call takes about 1.2 microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CALL = 1.2e-6
"""Seconds that a call of NumPy takes whatever the size."""
GEMM, BATCHED, LOOP, MEMORY = 40e9, 12e9, 1.2e9, 1e9
"""Operations a second of three kinds of product, and entries a second that pass through memory."""


class Sizes(dict[int, int]):
    """The number of entries along a set of labels, by the set as a bit mask; each is multiplied out once."""

    def __init__(self, sizes: Mapping[int, int]) -> None:
        super().__init__({0: 1})
        self.sizes = sizes

    def __missing__(self, mask: int) -> int:
        lowest = mask & -mask
        found = self[mask] = self[mask ^ lowest] * self.sizes[lowest.bit_length() - 1]
        return found


def mask_of(labels: Iterable[int]) -> int:
    """A set of labels as a bit mask."""
    mask = 0
    for label in labels:
        mask |= 1 << label
    return mask


def pair(a: Iterable[int], b: Iterable[int], out: Iterable[int], sizes: Mapping[int, int], same: bool = False) -> float:
    """The product of two operands with these labels, summed over what `out` lacks; `same`: of one array by itself."""
    return masked_pair(mask_of(a), mask_of(b), mask_of(out), Sizes(sizes), same)


def masked_pair(left: int, right: int, out: int, size: Sizes, same: bool) -> float:
    """What `pair` gives, for labels as bit masks."""
    both, shared = left | right, left & right
    moved = size[left] + size[right] + size[both & out]
    summed = both & ~out
    if not summed:
        return (CALL / 2 if left == right or not left or not right else CALL) + moved / MEMORY
    points = size[both]
    batch, rows, columns = size[shared & out], size[left & ~right], size[right & ~left]
    if rows == 1 and columns == 1:
        return CALL + points / (2 * LOOP if batch > 1 else 4 * LOOP)
    if batch == 1:
        rate = GEMM / 2 if min(rows, columns) <= 2 else GEMM
        work = 2 * points / rate * (0.6 if same and rows == columns >= 50 else 1)
        return CALL + work + moved / (8 * MEMORY)
    if max(rows, columns, size[summed]) <= 4:
        return CALL + points / LOOP
    return CALL + batch * 0.15e-6 + 2 * points / BATCHED + moved / (4 * MEMORY)


def single(size: int, result: int) -> float:
    """A sum over axes of one operand, or an entrywise function of it."""
    return CALL + max(size, result) / MEMORY


def elementary(size: int) -> float:
    """An elementary function of so many entries."""
    return CALL + 8 * size / MEMORY
