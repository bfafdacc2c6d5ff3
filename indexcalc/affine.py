"""Arithmetic of indices: affine functions of them, as in `x[t + j]`, and the ranges over which indices run."""

from __future__ import annotations

from typing import Any, NamedTuple

from indexcalc.errors import NotationError
from indexcalc.surface import is_integer

BOUNDARIES = ("", "zero", "periodic", "reflect")
"""What lies beside an array: nothing, so that a use there is an error, zeros, the array again, or its mirror image."""

MODES = ("full", "same", "valid")
"""Which places of a convolution there are: all where both meet, as many as the first has, or where all of it does."""


class Span(NamedTuple):
    """Where an index runs: from `start`, over `size` values if that was declared.

    One that was not is that of its axis. `boundary` says what lies beside arrays there. It is `open` while no use
    bounds it from below, and has `room` where it runs as far as another index of its use lets it.
    """

    start: Any = 0
    size: Any = None
    boundary: str = ""
    open: bool = False
    room: bool = False


class IndexTerm(NamedTuple):
    """A multiple of an index."""

    coef: int
    index: Any


class Addable:
    """What may be added to others, and multiplied by integers, to an affine index."""

    __slots__ = ()

    @property
    def affine(self) -> Affine:
        """The affine function of indices that this is."""
        return Affine((IndexTerm(1, self),))

    def __add__(self, other: object) -> Affine:
        return self.affine.plus(other, 1, f"{self} + {other}")

    def __radd__(self, other: object) -> Affine:
        return self.affine.plus(other, 1, f"{other} + {self}")

    def __sub__(self, other: object) -> Affine:
        return self.affine.plus(other, -1, f"{self} - {other}")

    def __rsub__(self, other: object) -> Affine:
        return self.affine.times(-1).plus(other, 1, f"{other} - {self}")

    def __neg__(self) -> Affine:
        return self.affine.times(-1)

    def __mul__(self, other: object) -> Affine:
        if not is_integer(other):
            raise NotationError(
                f"{self}*{other}", "an index is multiplied by integers alone", "write 2*i in brackets, x[2*i + j]"
            )
        return self.affine.times(other.__index__())  # type: ignore[attr-defined]

    __rmul__ = __mul__


class Affine(Addable):
    """`offset` and multiples of indices, added: what stands in brackets for an axis, `x[2*t + j - 1]`."""

    __slots__ = ("offset", "terms")

    def __init__(self, terms: tuple[IndexTerm, ...], offset: Any = 0) -> None:
        self.terms, self.offset = terms, offset

    @property
    def affine(self) -> Affine:
        """It is one."""
        return self

    def plus(self, other: object, sign: int, asked: str) -> Affine:
        """Another affine function, an integer or a dimension added, or taken away."""
        if isinstance(other, Addable):
            made = other.affine.times(sign)
            coefs = {term.index: term for term in self.terms}
            for coef, index in made.terms:
                if index in coefs and coefs[index].index.span != index.span:
                    raise NotationError(asked, f"{index} is declared in two ways", "give one of them another name")
                coefs[index] = IndexTerm(coef + (coefs[index].coef if index in coefs else 0), index)
            return Affine(tuple(term for term in coefs.values() if term.coef), self.offset + made.offset)
        if not is_integer(other) and not hasattr(other, "symbols"):
            raise NotationError(
                asked,
                f"{other!r} is neither an index nor an integer",
                "an affine index is x[i + 1], x[t + j], x[2*t - j]",
            )
        return Affine(self.terms, self.offset + sign * other)  # type: ignore[operator]

    def times(self, factor: int) -> Affine:
        """A multiple of it."""
        terms = tuple(IndexTerm(factor * coef, index) for coef, index in self.terms if factor)
        return Affine(terms, factor * self.offset)

    def __repr__(self) -> str:
        return affine_text([(coef, str(index)) for coef, index in self.terms], self.offset)


def affine_text(terms: list[tuple[int, str]], offset: Any = 0) -> str:
    """An affine function as it is typed.

    >>> affine_text([(2, "t"), (-1, "j")], 3), affine_text([(-1, "i")])
    ('2*t-j+3', '-i')
    """
    parts = [f"{'-' if coef < 0 else '+'}{'' if abs(coef) == 1 else f'{abs(coef)}*'}{name}" for coef, name in terms]
    shown = str(offset).replace(" ", "")
    parts += [shown if shown.startswith("-") else f"+{shown}"] if offset != 0 or not parts else []
    return "".join(parts).removeprefix("+")


def first_and_count(size: Any, width: Any, sign: int, mode: str, dilation: int) -> tuple[Any, Any]:
    """The first place of a correlation (sign 1) or convolution (-1) of these sizes in a mode, and how many there are.

    A value of a correlation, at place t, is `sum_j k[j] x[t + dilation*j]`. In the mode "same" the reach of the second
    array has to be an integer.

    >>> first_and_count(9, 3, 1, "full", 2), first_and_count(9, 3, -1, "same", 1), first_and_count(9, 3, -1, "valid", 1)
    ((-4, 13), (1, 9), (2, 7))
    """
    reach = dilation * (width - 1)
    if mode == "full":
        return (-1 * reach if sign > 0 else 0), size + reach
    if mode == "same":
        return reach // 2 - (reach if sign > 0 else 0), size
    return (0 if sign > 0 else reach), size - reach
