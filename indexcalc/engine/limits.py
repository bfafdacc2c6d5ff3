"""How much memory a program may need at once, checked before anything is computed."""

from __future__ import annotations

import os
import sys
from math import prod
from typing import Any

from indexcalc.engine.program import Input, Program
from indexcalc.errors import Asked, InputError


class TooLarge(InputError):
    """A program that needs more than the limit at once; it knows the limit and the bytes of an entry."""

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


def refuse_over(peak: int, limit: int, itemsize: int, asked: str | Asked, found: str, instead: str) -> None:
    """What needs `peak` bytes at once has at most `limit`, or it is an error that says what was found."""
    if peak > limit:
        words = f"it takes {peak:,} bytes at once, {found}, and the limit is {limit:,}"
        raise TooLarge(asked, words, instead, itemsize, limit)


def require_fit(program: Program, peak: int, itemsize: int, limit: int, asked: str | Asked, instead: str) -> None:
    """A program that has `peak` bytes alive at once beside its inputs has at most `limit`, or it is an error."""
    shape = largest_shape(program)
    found = f"{prod(shape) * itemsize:,} of them for an array of shape {shape}"
    refuse_over(peak, limit, itemsize, asked, found, instead)
