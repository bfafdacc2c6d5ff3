"""Expressions of Python as text that knows how tightly it binds, so that no bracket is missing and few are idle."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from math import isfinite
from typing import NamedTuple

from indexcalc.engine.bind.inputs import to_float
from indexcalc.graph.numbers import Number
from indexcalc.writing.brackets import wrapped

SUM, PRODUCT, SIGN, POWER, ATOM = 0, 1, 2, 3, 4
"""How tightly an expression binds: in the order of Python's operators, in which a sign has a place of its own."""
EXACT = 2**31
"""Integers beyond this are written as floats: arrays of 32-bit integers could not hold them."""


class PythonText(NamedTuple):
    """An expression; `static` says that it is a Python number, made of numbers and sizes alone.

    Where it is `1 / x`, `below` is x; where it is a product of matrices, `turned` is its transpose.
    """

    code: str
    level: int = ATOM
    static: bool = False
    below: PythonText | None = None
    turned: PythonText | None = None

    def at(self, level: int) -> str:
        """The expression where something that binds this tightly is due."""
        return wrapped(self.code, self.level, level)

    @property
    def plain(self) -> bool:
        """Is it a name, or a transpose of one?"""
        return re.fullmatch(r"\w+(\.T|\.mT)?", self.code) is not None


def number(value: Number) -> PythonText:
    """A number as Python writes it: a fraction as a quotient.

    >>> number(Fraction(-1, 2)).code
    '-1/2'
    """
    if isinstance(value, complex):
        return PythonText(repr(value), SUM if value.real else PRODUCT, True)
    if isinstance(value, Fraction) and value.denominator > 1:
        if max(abs(value.numerator), value.denominator) > EXACT:
            return number(to_float(value, "a number"))
        return PythonText(f"{value.numerator}/{value.denominator}", PRODUCT, True)
    if isinstance(value, int | Fraction) and abs(int(value)) <= EXACT:
        return PythonText(str(int(value)), ATOM if int(value) >= 0 else SIGN, True)
    made = repr(to_float(value, "a number"))
    if not isfinite(float(made)):
        return PythonText(f"float('{made}')", ATOM, True)
    return PythonText(made, SIGN if made.startswith("-") else ATOM, True)


def scaled(coef: Number, text: PythonText) -> PythonText:
    """A multiple of an expression.

    >>> scaled(Fraction(1, 2), PythonText("a + b", SUM)).code, scaled(-1, PythonText("x")).code
    ('(a + b) / 2', '-x')
    """
    if coef == 1:
        return text
    turned = scaled(coef, text.turned) if text.turned else None
    if coef == -1:
        return PythonText(f"-{text.at(SIGN + 1)}", SIGN, text.static, None, turned)
    if text.below:
        return PythonText(f"{number(coef).at(POWER)} / {text.below.at(POWER)}", PRODUCT, text.static)
    if isinstance(coef, Fraction) and abs(coef.numerator) == 1 and coef.denominator <= EXACT:
        code = f"-{text.at(POWER)}" if coef < 0 else text.at(PRODUCT)
        return PythonText(f"{code} / {coef.denominator}", PRODUCT, text.static, None, turned)
    factor = number(coef)
    return PythonText(f"{factor.at(PRODUCT)} * {text.at(POWER)}", PRODUCT, text.static, None, turned)


def times(one: PythonText, other: PythonText) -> PythonText:
    """A product, entry by entry.

    >>> times(PythonText("1 / n", PRODUCT, True, PythonText("n")), PythonText("x")).code
    'x / n'
    """
    if (other.static and not one.static) or (one.below and not other.below):
        one, other = other, one
    if other.below:
        return PythonText(f"{one.at(PRODUCT)} / {other.below.at(POWER)}", PRODUCT, one.static and other.static)
    return PythonText(f"{one.at(PRODUCT)} * {other.at(POWER)}", PRODUCT, one.static and other.static)


def total(terms: list[tuple[Number, PythonText]]) -> PythonText:
    """A sum of multiples.

    >>> total([(-1, PythonText("a")), (2, PythonText("b")), (-3, PythonText("c"))]).code
    '2 * b - a - 3 * c'
    """
    if len(terms) == 1:
        return scaled(*terms[0])
    ordered = sorted(terms, key=lambda term: _negative(term[0]))
    code = ""
    for coef, text in ordered:
        if code and _negative(coef):
            code += f" - {scaled(-coef, text).at(PRODUCT)}"
        else:
            code += (" + " if code else "") + scaled(coef, text).at(SUM if not code else PRODUCT)
    return PythonText(code, SUM, all(text.static for _, text in terms))


def _negative(coef: Number) -> bool:
    return not isinstance(coef, complex) and coef < 0


def bare(code: str) -> PythonText:
    """An expression without brackets round the whole of it.

    >>> bare("(a + b)").code, bare("(a) + (b)").code
    ('a + b', '(a) + (b)')
    """
    depth = 0
    for place, letter in enumerate(code):
        depth += (letter == "(") - (letter == ")")
        if not depth and place < len(code) - 1:
            return PythonText(code, level_of(code))
    return PythonText(code[1:-1], level_of(code[1:-1])) if code.startswith("(") else PythonText(code)


def level_of(expression: str) -> int:
    """How tightly an expression binds.

    >>> level_of("a @ b") == PRODUCT, level_of("f(a)") == ATOM
    (True, True)
    """
    match ast.parse(expression, mode="eval").body:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return SUM
        case ast.BinOp(op=ast.Pow()):
            return POWER
        case ast.BinOp():
            return PRODUCT
        case ast.UnaryOp():
            return SIGN
        case ast.Compare() | ast.BoolOp() | ast.IfExp() | ast.Lambda():
            return SUM - 1
    return ATOM


def broken(code: str) -> list[str]:
    """A sum in lines, one a term.

    >>> broken("a - f(b + c) + d")
    ['a', '- f(b + c)', '+ d']
    """
    lines, depth, start = [], 0, 0
    for place, letter in enumerate(code):
        depth += (letter in "([{") - (letter in ")]}")
        if not depth and code[place : place + 3] in (" + ", " - "):
            lines.append(code[start:place])
            start = place + 1
    return [*lines, code[start:]]
