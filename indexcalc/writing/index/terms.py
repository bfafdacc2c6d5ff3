"""The terms of a sum in the order in which people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from indexcalc.graph.fingerprint import fingerprint
from indexcalc.graph.node import Reduction
from indexcalc.graph.numbers import Number, multiply
from indexcalc.index import Dimension
from indexcalc.writing.index.opened import OpenProduct, entry_args, is_negative
from indexcalc.writing.syntax import Piece


class Addend(NamedTuple):
    """A term of a sum before it is written: coefficient, product, its names, and names along which it is constant."""

    coef: Number
    flat: OpenProduct
    names: list[str]
    extra: list[tuple[str, Dimension]]
    turned: bool = False

    @property
    def value(self) -> Number:
        """The number in front, whose sign is seen."""
        value = multiply(self.coef, self.flat.coef)
        return multiply(value, -1) if self.turned else value

    @property
    def degree(self) -> int:
        """How many factors there are."""
        total = len(self.flat.alone)
        for item in self.flat.items:
            total += abs(item.exponent) if isinstance(item.exponent, int) else 1
        return total

    @property
    def is_number(self) -> bool:
        """Is this a plain number?"""
        return not self.flat.items and not self.flat.alone and not self.flat.order

    @property
    def is_function(self) -> bool:
        """Is this a function, or a power of one?"""
        only = self.flat.items[0].node if len(self.flat.items) == 1 else None
        return only is not None and (isinstance(only, Reduction) or entry_args(only) is not None)


Written = tuple[Addend, Piece]
"""A term, and how it is written."""
Texts = Callable[[Piece], str]


def in_order(terms: Iterable[Written], text: Texts) -> list[Written]:
    """Positive terms first, long ones before short ones, a lone delta before the others of its length; then by text."""

    def place(written: Written) -> tuple[object, ...]:
        term, piece = written
        only = all(item.node is None for item in term.flat.items)
        return is_negative(term.value), -term.degree, not only, text(piece)

    done = sorted(terms, key=place)
    places = [place(written) for written in done]
    if len(set(places)) < len(places):
        done.sort(key=lambda written: (*place(written), _mark(written[0])))
    return done


def number_last(terms: list[Written]) -> list[Written]:
    """A positive number goes last, unless all the others are negative or the only other one is a function."""
    number = next((written for written in terms if written[0].is_number and not is_negative(written[0].value)), None)
    if number is None:
        return terms
    rest = [written for written in terms if written is not number]
    function = len(rest) == 1 and rest[0][0].is_function
    first = function or all(is_negative(term.value) for term, _ in rest)
    return [number, *rest] if first else [*rest, number]


def _mark(term: Addend) -> bytes:
    """What tells terms of equal text apart, however they were typed: the entries of their factors modulo a prime."""
    marks = [np.sort(fingerprint(item.node), axis=None).tobytes() for item in term.flat.items if item.node is not None]
    return b"".join(sorted(marks))
