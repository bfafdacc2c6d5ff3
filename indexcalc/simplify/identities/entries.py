"""Identities of functions of entries, a row each: in a product, and in a sum.

A side is a product, `sinh(z) cosh(z)**-1`, or a sum with whole coefficients, `cosh(z)**2 - sinh(z)**2`; z is any array,
and `-z` its negative. A sum is found with any common factor: `r*sin(z)**2 + r*cos(z)**2` is `r`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

DLMF = "NIST Digital Library of Mathematical Functions, "


class OfEntries(NamedTuple):
    """`left = right` for all z where both sides exist."""

    name: str
    left: str
    right: str
    source: str


class SidePart(NamedTuple):
    """`coef * fn(sign*z)**exponent`; without a function z itself, or 1 where the exponent is 0."""

    coef: int
    fn: str
    sign: int
    exponent: int


IN_PRODUCTS = (
    OfEntries("tangent", "sin(z) cos(z)**-1", "tan(z)", DLMF + "4.14.4"),
    OfEntries("cotangent", "sin(z)**-1 cos(z)", "tan(z)**-1", DLMF + "4.14.7"),
    OfEntries("sine of a tangent", "tan(z) cos(z)", "sin(z)", DLMF + "4.14.4"),
    OfEntries("cosine of a tangent", "tan(z)**-1 sin(z)", "cos(z)", DLMF + "4.14.4"),
    OfEntries("hyperbolic tangent", "sinh(z) cosh(z)**-1", "tanh(z)", DLMF + "4.28.4"),
    OfEntries("hyperbolic cotangent", "sinh(z)**-1 cosh(z)", "tanh(z)**-1", DLMF + "4.28.7"),
    OfEntries("hyperbolic sine of a tangent", "tanh(z) cosh(z)", "sinh(z)", DLMF + "4.28.4"),
    OfEntries("hyperbolic cosine of a tangent", "tanh(z)**-1 sinh(z)", "cosh(z)", DLMF + "4.28.4"),
    OfEntries("sigmoid of the other sign", "exp(z) sigmoid(-z)", "sigmoid(z)", "definition of the logistic function"),
)
"""Of two factors; each may stand to a higher power."""

IN_SUMS = (
    OfEntries("Pythagoras", "sin(z)**2 + cos(z)**2", "1", DLMF + "4.21.12"),
    OfEntries("hyperbolic Pythagoras", "cosh(z)**2 - sinh(z)**2", "1", DLMF + "4.35.11"),
    OfEntries("secant", "cos(z)**-2 - tan(z)**2", "1", DLMF + "4.21.13"),
    OfEntries("hyperbolic secant", "cosh(z)**-2 + tanh(z)**2", "1", DLMF + "4.35.12"),
    OfEntries("the sum of both", "cosh(z) + sinh(z)", "exp(z)", DLMF + "4.28.3"),
    OfEntries("their difference", "cosh(z) - sinh(z)", "exp(-z)", DLMF + "4.28.3"),
    OfEntries("sigmoids of both signs", "sigmoid(z) + sigmoid(-z)", "1", "definition of the logistic function"),
    OfEntries("softplus of both signs", "softplus(z) - softplus(-z)", "z", "definition: log(1 + exp(z))"),
    OfEntries("parts of both signs", "relu(z) - relu(-z)", "z", "definition: max(z, 0)"),
    OfEntries("size by parts", "relu(z) + relu(-z)", "abs(z)", "definition: max(z, 0)"),
    OfEntries("error functions", "erf(z) + erfc(z)", "1", DLMF + "7.2.2"),
)
"""Of two terms, with any common factor."""


@cache
def powers_of(text: str) -> tuple[SidePart, ...]:
    """The factors, or terms, of a side.

    >>> powers_of("cosh(z)**-2 - sigmoid(-z)")
    (SidePart(coef=1, fn='cosh', sign=1, exponent=-2), SidePart(coef=-1, fn='sigmoid', sign=-1, exponent=1))
    """
    found = []
    coef = 1
    for word in text.split():
        if word in "+-":
            coef = 1 if word == "+" else -1
            continue
        match = re.fullmatch(r"(?:(\w+)\((-?)z\)|z|1)(?:\*\*(-?\d+))?", word)
        assert match is not None, word
        fn, minus, exponent = match.groups()
        found.append(SidePart(coef, fn or "", -1 if minus else 1, 0 if word == "1" else int(exponent or 1)))
        coef = 1
    return tuple(found)
