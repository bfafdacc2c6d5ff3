"""The numbers of expressions: exact where they can be, floats and complex numbers where not."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

from indexcalc.errors import KindError

Number = int | Fraction | float | complex


def number(value: object) -> Number:
    """A number in normal form: exact where it is one (`0.5` is 1/2, `0.1` stays a float).

    >>> number(0.5), number(2.0), number(0.1)
    (Fraction(1, 2), 2, 0.1)
    """
    if isinstance(value, bool):
        raise KindError(f"number {value!r}", "a bool is no number here", "write 1 or 0")
    if isinstance(value, int):
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    if isinstance(value, float):
        if not isfinite(value):
            raise KindError(f"number {value!r}", "only finite numbers stand in an expression", "give it as an input")
        value = float(value)
        top, bottom = value.as_integer_ratio()
        if bottom <= 1024 and abs(top) < 2**53:
            return top if bottom == 1 else Fraction(top, bottom)
        return value
    if isinstance(value, complex):
        return number(value.real) if value.imag == 0 else complex(value)
    convert = getattr(value, "item", None)
    if convert is not None and getattr(value, "shape", None) == ():
        return number(convert())
    raise KindError(
        f"number {value!r}", f"a {type(value).__name__} is no number", "write an int, Fraction, float or complex"
    )


def multiply(a: Number, b: Number) -> Number:
    """The product of two numbers in normal form."""
    if type(a) is int and type(b) is int:
        return a * b
    return number(a * b)


def add(a: Number, b: Number) -> Number:
    """The sum of two numbers in normal form."""
    if type(a) is int and type(b) is int:
        return a + b
    return number(a + b)
