"""What goes into code as text is checked where code is written: a pickle that somebody bent gets round declarations."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, assert_never

from indexcalc.engine.program import (
    Add,
    Apply,
    Contract,
    Cut,
    Fill,
    Gather,
    Input,
    Invoke,
    Known,
    Map,
    Program,
    Reduce,
    Reshape,
    Scatter,
    Solve,
    Windows,
)
from indexcalc.errors import NameRefused
from indexcalc.graph.ranges import Range
from indexcalc.index import Dim

NUMBERS = (int, Fraction, float, complex, Dim)


def check_texts(program: Program) -> None:
    """Names of inputs and functions are identifiers, coefficients and parameters numbers, or it is an error.

    >>> from indexcalc.engine.program import Program
    >>> check_texts(Program((Input("x)", (2,)),), (0,)))
    Traceback (most recent call last):
        ...
    indexcalc.errors.NameRefused: a program of 'x)': it is no identifier
      instead: use letters, digits and _
    """
    for step in program.steps:
        match step:
            case Input(name) | Invoke(name):
                require_identifier(name)
            case Fill(number) | Contract(number):
                _require_numbers(number)
            case Add(parts):
                _require_numbers(*(part.coef for part in parts))
                _require_ranges(*(found for part in parts for found in part.ranges))
            case Cut():
                _require_ranges(*step.ranges)
            case Gather() | Scatter():
                for own in step.names:
                    require_identifier(own)
            case Windows(window=window):
                _require_numbers(window.start, window.length, *window.sizes)
            case Map() | Reduce() | Apply():
                _require_numbers(*step.params)
            case Known():
                for value in step.params:
                    require_identifier(value) if isinstance(value, str) else _require_numbers(value)
            case Solve() | Reshape():
                pass
            case _:
                assert_never(step)


def require_identifier(name: object) -> None:
    """The name is an identifier, or it is an error."""
    if not isinstance(name, str) or not name.isidentifier():
        raise NameRefused(f"a program of {name!r}", "it is no identifier", "use letters, digits and _")


def _require_numbers(*values: Any) -> None:
    for value in values:
        if not isinstance(value, NUMBERS):
            raise NameRefused(f"a program of {value!r}", "it is no number", "write an int, Fraction, float or complex")


def _require_ranges(*ranges: Range | None) -> None:
    for found in ranges:
        _require_numbers(*(found or ()))
