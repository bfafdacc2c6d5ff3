"""Memory for the values between: one piece a thread, kept from call to call, in which large values have places.

An array that is freed and made again is memory that the system maps anew, page by page, which takes longer than most of
what is done with it. So values that are large, that are no results and that nothing else may hold have a place from
the step that makes them to the one that reads them last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np

from indexcalc.surface import public

LEAST = 2**17
"""Bytes: from so many on a C library asks the system for memory, and gives it back."""
MOST = 64 * 2**20
"""Bytes that a thread keeps at most: what does not find a place there is memory of its own, as it is without."""
MORE = 1.5
"""Of the memory that a program takes at once without places, what it may take with them."""
ALIGNED = 64
"""Bytes: a line of the cache, where each place begins."""


class Life(NamedTuple):
    """A value in memory of its own, of so many bytes: the step that makes it, and the one that reads it last."""

    first: int
    last: int
    size: int


class MemoryPlace(NamedTuple):
    """An array in the memory: where it begins, and the shape in which it is written."""

    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Workspace(NamedTuple):
    """So many bytes, and the places in them by the names that they have in lines."""

    size: int = 0
    places: Mapping[str, MemoryPlace] = {}


class MemoryBlock(NamedTuple):
    """Values that are not there at one time, in their order."""

    values: list[int]
    size: int


def placed(lives: Mapping[int, Life], most: Mapping[int, int]) -> tuple[int, dict[int, int]]:
    """How many bytes are needed, and where each value begins that has a place.

    Two that are there at one time do not overlap. `most` has the bytes that are there in each step without places. Kept
    memory is there beside the results too: where that is too much, the blocks that serve least go.

    >>> lives = {0: Life(0, 2, 128), 1: Life(1, 3, 64), 2: Life(3, 4, 100)}
    >>> placed(lives, {0: 128, 1: 192, 2: 192, 3: 164, 4: 100})
    (192, {0: 0, 2: 0, 1: 128})
    """
    blocks = _blocks(lives)
    limit = MORE * max(most.values(), default=0)
    while blocks and (sum(block.size for block in blocks) > MOST or _peak(blocks, lives, most) > limit):
        blocks.remove(min(blocks, key=lambda own: sum(lives[value].size for value in own.values) / own.size))
    starts: dict[int, int] = {}
    size = 0
    for block in blocks:
        starts |= dict.fromkeys(block.values, size)
        size += block.size
    return size, starts


def _blocks(lives: Mapping[int, Life]) -> list[MemoryBlock]:
    """A value takes the smallest block that is free and large enough, else the largest free one, which grows."""
    blocks: list[MemoryBlock] = []
    for value, life in sorted(lives.items(), key=lambda row: row[1].first):
        size = -(-life.size // ALIGNED) * ALIGNED
        free = [k for k, block in enumerate(blocks) if lives[block.values[-1]].last < life.first]
        large = [k for k in free if blocks[k].size >= size]
        if not free:
            blocks.append(MemoryBlock([value], size))
            continue
        k = min(large, key=lambda k: blocks[k].size) if large else max(free, key=lambda k: blocks[k].size)
        blocks[k] = MemoryBlock([*blocks[k].values, value], max(blocks[k].size, size))
    return blocks


def _peak(blocks: Sequence[MemoryBlock], lives: Mapping[int, Life], most: Mapping[int, int]) -> int:
    """The most bytes at once, where values of these blocks have their places there."""
    left = dict(most)
    for block in blocks:
        for value in block.values:
            life = lives[value]
            for step in range(life.first, life.last + 1):
                if step in left:
                    left[step] -= life.size
    return sum(block.size for block in blocks) + max(left.values())


class Kept:
    """The memory of a thread, and whether a call has it."""

    def __init__(self) -> None:
        self.bytes: Any = None
        self.taken = False


class Memory(threading.local):
    """What the thread keeps."""

    def __init__(self) -> None:
        self.kept = Kept()
        KEPT.add(self.kept)


KEPT: WeakSet[Kept] = WeakSet()
MEMORY = Memory()


def taking(own: Workspace) -> Callable[[], list[Any]]:
    """The function that takes memory for a call: gives it, or None where it is the call's own, and all its arrays.

    A call within a call of the same thread has memory of its own.
    """
    size, rows = own.size, tuple(own.places.values())

    def take() -> list[Any]:
        kept = MEMORY.kept
        if kept.taken:
            space = np.empty(size, np.uint8)
            return [None, *(np.ndarray(row.shape, row.dtype, space, row.start) for row in rows)]
        kept.taken = True
        if kept.bytes is None or kept.bytes.size < size:
            kept.bytes = None
            kept.bytes = np.empty(size, np.uint8)
        space = kept.bytes
        return [kept, *(np.ndarray(row.shape, row.dtype, space, row.start) for row in rows)]

    return take


def give(kept: Kept | None) -> None:
    """The call is done."""
    if kept is not None:
        kept.taken = False


@public
def free_workspace() -> int:
    """Lets go of the memory that compiled functions keep between calls, of all threads; gives its bytes.

    Each thread keeps one piece for all functions, of at most 64 MiB; a call that runs at the moment keeps its own.

    >>> free_workspace() >= 0, free_workspace()
    (True, 0)
    """
    freed = 0
    for kept in list(KEPT):
        if kept.bytes is not None and not kept.taken:
            freed += kept.bytes.size
            kept.bytes = None
    return freed
