"""Names, dimensions and numbers as SymPy's, and SymPy itself, which is imported when it is asked for."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from typing import Any

from indexcalc.errors import InputError
from indexcalc.graph.node import Variable
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim, Dimension, Smaller


def sympy_of(asked: str) -> Any:
    """The module, or an error that says how it is installed.

    >>> sympy_of("to_sympy").__name__
    'sympy'
    """
    try:
        return import_module("sympy")
    except ImportError:
        raise InputError(asked, "SymPy is not installed", 'pip install "indexcalc[sympy]"') from None


def number_of(sp: Any, value: Number) -> Any:
    """A number: a fraction stays exact.

    >>> import sympy
    >>> number_of(sympy, Fraction(1, 3))
    1/3
    """
    if isinstance(value, Fraction):
        return sp.Rational(value.numerator, value.denominator)
    return sp.sympify(value)


def dimension_of(sp: Any, value: Dimension) -> Any:
    """A dimension: symbols are integers of the same names.

    >>> import sympy
    >>> from indexcalc.index import dim
    >>> dimension_of(sympy, dim("n*(n+1)/2"))
    n**2/2 + n/2
    """
    if not isinstance(value, Dim):
        return sp.Integer(value)
    made = sp.Integer(0)
    for mono, coef in value.terms:
        term = number_of(sp, coef)
        for name, power in mono:
            parts = [dimension_of(sp, part) for part in name.parts] if isinstance(name, Smaller) else []
            term *= (sp.Min(*parts) if parts else index_of(sp, name)) ** power
        made += term
    return made


def index_of(sp: Any, name: str) -> Any:
    """The symbol of an index or of a dimension."""
    return sp.Symbol(name, integer=True)


def scalar_of(sp: Any, variable: Variable) -> Any:
    """The symbol of a tensor without axes; of what was declared, SymPy is told `positive`."""
    known = {"positive": True} if "positive" in variable.assumptions else {}
    return sp.Symbol(variable.label, **known)
