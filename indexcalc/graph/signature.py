"""Signatures: what an abstract function takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from indexcalc.index import Dimension

LETTERS = "abcdefgh"
"""Names of arguments, in signatures of functions that are mapped."""
MOST_PRIMES = 3
"""Primes that people count at a glance; a higher derivative is written with its order."""


class Signature(NamedTuple):
    """An abstract smooth function: its name, the dimensions of its arguments and of its value.

    `gradient` is the name under which its first derivative is known, if it has one ("G" for an unspecified loss);
    `symmetric` says that its value is a symmetric matrix.

    A function of one's own has more: `latex` is how its name is set, `domain` where it is one, in words; `rules` has
    its derivative by each argument, a node of the `parameters` of `graph/samples`, or None where there is none; `code`
    has for "numpy", "jax", "torch" a function, or the dotted name of one.
    """

    name: str
    args: tuple[tuple[Dimension, ...], ...]
    value: tuple[Dimension, ...]
    gradient: str = ""
    symmetric: bool = False
    latex: str = ""
    domain: str = ""
    rules: tuple[Any, ...] = ()
    code: tuple[tuple[str, Any], ...] = ()

    @property
    def entrywise(self) -> bool:
        """Is it a function of numbers, which acts entry by entry?"""
        return not self.value and not any(self.args)

    @property
    def numeric(self) -> bool:
        """Was it declared with its numbers?"""
        return "numpy" in dict(self.code)

    @property
    def content(self) -> str:
        """What it is, as text: equal for equal functions, in every process."""
        rules = tuple(rule and rule.digest for rule in self.rules)
        code = tuple((target, getattr(given, "__qualname__", str(given))) for target, given in self.code)
        return str(tuple(self._replace(rules=rules, code=code)))

    def title(self, orders: Sequence[int]) -> str:
        """The name of a derivative: `Du`, `D2u`; with several arguments a digit for each, `D10f`.

        >>> Signature("u", ((2,),), (3,)).title((1,))
        'Du'
        """
        total = sum(orders)
        if total == 0:
            return self.name
        if total == 1 and self.gradient:
            return self.gradient
        if len(orders) == 1:
            return f"D{total if total > 1 else ''}{self.name}"
        return f"D{''.join(map(str, orders))}{self.name}"

    def primes(self, orders: Sequence[int]) -> int:
        """With how many primes a derivative is written, f' and f'': up to three, of a function of one number.

        >>> Signature("f", ((),), ()).primes((2,)), Signature("u", ((2,),), ()).primes((2,))
        (2, 0)
        """
        return sum(orders) if self.entrywise and len(orders) == 1 and sum(orders) <= MOST_PRIMES else 0

    def mapped(self, orders: Sequence[int]) -> str:
        """The axes of one sample, as functions that are mapped name them: those of the arguments, and of the value.

        >>> Signature("net", ((2,), (4,)), (3,)).mapped((1, 0))
        '(a0),(b0)->(v0,v1)'
        """

        def named(dims: Sequence[Dimension], stem: str) -> str:
            return f"({','.join(f'{stem}{k}' for k in range(len(dims)))})"

        stems = (LETTERS[k % len(LETTERS)] * (1 + k // len(LETTERS)) for k in range(len(self.args)))
        args = ",".join(named(arg, stem) for arg, stem in zip(self.args, stems, strict=True))
        return f"{args}->{named(self.dims(orders), 'v')}"

    def dims(self, orders: Sequence[int]) -> tuple[Dimension, ...]:
        """The dimensions of a derivative: those of the value, then of each argument as often as it was derived by.

        >>> Signature("u", ((2,),), (3,)).dims((2,))
        (3, 2, 2)
        """
        return (*self.value, *(dim for times, arg in zip(orders, self.args, strict=True) for dim in arg * times))

    def blocks(self, orders: Sequence[int]) -> tuple[tuple[tuple[int, ...], int], ...]:
        """The sets of axes of a derivative that may be permuted: those by one vector, and the two of a symmetric value.

        >>> Signature("u", ((2,),), (3,)).blocks((2,))
        (((1, 2), 1),)
        """
        found: list[tuple[tuple[int, ...], int]] = [((0, 1), 1)] if self.symmetric else []
        place = len(self.value)
        for times, arg in zip(orders, self.args, strict=True):
            if times > 1 and len(arg) == 1:
                found.append((tuple(range(place, place + times)), 1))
            place += len(arg) * times
        return tuple(found)
