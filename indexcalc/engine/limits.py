"""How much memory a program may need at once, checked before anything is computed."""

from __future__ import annotations

import os
import re
import sys
from math import prod
from typing import Any

import numpy as np

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


UNITS = {
    "": 1, "b": 1, "byte": 1, "bytes": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
"""Bytes in a unit, by its name in small letters."""
AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-z]*)\s*")


def most_bytes(value: Any, asked: str | Asked) -> int:
    """The bytes that a `memory_limit` means: a number, a text with its unit, or None for half of the machine's memory.

    >>> most_bytes("1.5 GB", "compile"), most_bytes("4KiB", "compile"), most_bytes(1e9, "compile")
    (1500000000, 4096, 1000000000)
    """
    if value is None:
        return memory_limit()
    if isinstance(value, str):
        found = AMOUNT.fullmatch(value)
        if found and found[2].lower() in UNITS:
            return int(float(found[1]) * UNITS[found[2].lower()])
    elif not isinstance(value, bool) and isinstance(value, int | float | np.integer | np.floating) and value >= 0:
        return sys.maxsize if value == np.inf else int(value)
    raise InputError(asked, f"memory_limit={value!r}", 'give bytes, memory_limit=4*10**9, or "4GB"')


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
