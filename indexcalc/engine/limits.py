"""How large the arrays of a program may be, checked before anything is computed."""

from __future__ import annotations

import os
import sys
from math import prod
from typing import Any

from indexcalc.engine.program import Input, Program
from indexcalc.errors import Asked, InputError


class TooLarge(InputError):
    """An array that would take more than the limit; it knows the limit and the bytes of an entry."""

    def __init__(self, asked: str | Asked, found: str, instead: str, itemsize: int, limit: int) -> None:
        super().__init__(asked, found, instead)
        self.itemsize, self.limit = itemsize, limit

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.asked, self.found, self.instead, self.itemsize, self.limit)


def memory_limit() -> int:
    """Half of the machine's memory, in bytes."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def largest_shape(program: Program) -> tuple[int, ...]:
    """The shape of the largest array that a program makes."""
    return max((step.shape for step in program.steps if not isinstance(step, Input)), key=prod, default=())


def require_fit(shape: tuple[int, ...], itemsize: int, limit: int, asked: str | Asked, instead: str) -> None:
    """An array of this shape takes at most `limit` bytes, or it is an error."""
    total = prod(shape) * itemsize
    if total > limit:
        found = f"an array of shape {shape} takes {total:,} bytes, and the limit is {limit:,}"
        raise TooLarge(asked, found, instead, itemsize, limit)
