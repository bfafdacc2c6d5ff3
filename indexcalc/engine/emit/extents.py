"""Sizes that know how they are written: lines for given sizes are then lines for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from indexcalc.engine.program import Program, Step


class Extent(int):
    """A size with the text that stands for it; so has its product with another size.

    >>> n, d = Extent(50, "n"), Extent(20, "d")
    >>> f"reshape({n * d}, 3)", (n, 3), n < 60
    ('reshape(n*d, 3)', (n, 3), True)
    """

    text: str

    def __new__(cls, number: int, text: str) -> Extent:
        """The size, and its text."""
        made = super().__new__(cls, number)
        made.text = text
        return made

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, int) or isinstance(other, bool):
            return NotImplemented
        text = self.text if other == 1 and not isinstance(other, Extent) else f"{self.text}*{_factor(other)}"
        return Extent(int(self) * int(other), text)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return self.text


def _factor(size: int) -> str:
    return size.text if isinstance(size, Extent) else str(size)


SIZED = ("shape", "sizes", "split")
"""The fields of steps that have sizes."""


def with_texts(program: Program, texts: Mapping[int, str]) -> Program:
    """The program with sizes that are written as `texts` says."""
    known = {size: Extent(size, text if text.isidentifier() else f"({text})") for size, text in texts.items()}

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {label: known.get(size, size) for label, size in value.items()}
        return tuple(known.get(size, size) for size in value)

    def own(step: Any) -> Step:
        held = {one.name for one in fields(step)}
        made: Step = replace(step, **{name: named(getattr(step, name)) for name in SIZED if name in held})
        return made

    return Program(tuple(map(own, program.steps)), program.results, program.notes)
