"""SymPy's expressions as ours: matrix expressions as an `Array`, what has indices as an `Expr`.

An `Indexed` is one entry to SymPy, so a name that occurs in two factors is kept where a `Sum` binds it. Where no `Sum`
does, it is open whether it is summed, and that is an error, as is each class that is not in the tables of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from functools import reduce
from typing import Any

from indexcalc.errors import Asked, KindError, NotationError, did_you_mean
from indexcalc.graph.constructors import constant_number
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim
from indexcalc.interop.read_arrays import ARRAYS, power
from indexcalc.interop.read_indexed import INDEXED, added, compared, multiplied
from indexcalc.interop.read_names import SymPyReader
from indexcalc.interop.spellings import BY_ORDER, CHOICE, EXPONENTIAL, READ
from indexcalc.surface import public
from indexcalc.views.array import Array, size_number
from indexcalc.views.declare import scalar
from indexcalc.views.expr import Expr
from indexcalc.views.functions.apply import FUNCTIONS, pi


@public
def from_sympy(expr: Any, *, batch: str = "") -> Expr | Array:
    """SymPy's expression as ours: an Array of a matrix expression or a scalar, an Expr where it has indices.

    `MatrixSymbol("x", n, 1)` is a column. Sums count from 0. A name that occurs in two factors is summed by a `Sum`;
    without one it has to be in `batch`, and is kept. What has no counterpart, or two, is an error that names the class.

    >>> import indexcalc as ic
    >>> from sympy import MatrixSymbol, Trace, symbols
    >>> n = symbols("n"); A = MatrixSymbol("A", n, n)
    >>> f = ic.from_sympy(Trace(A**2) + Trace(A)); f
    tr(A) + tr(A @ A)
    >>> ic.grad(f, "A")
    2*A.T + eye(n)
    """
    asked = Asked(lambda: f"from_sympy({expr})")
    if isinstance(expr, type) or not any(str(cls.__module__).startswith("sympy.") for cls in type(expr).__mro__):
        found = f"a {type(expr).__name__} is no expression of SymPy"
        raise KindError(f"from_sympy({expr!r})", found, "text is read by ic.parse; numbers are given to .evaluate")
    reading = SymPyReader(asked, RULES, frozenset(batch.replace(",", " ").split()))
    if not isinstance(expr, Hashable):
        raise reading.refusal(expr)
    reading.scan(expr)
    for name in reading.batch:
        known = [one.name for one in reading.indices]
        if name not in known:
            raise NotationError(asked, f"batch={batch!r}: {name} is no index of it", did_you_mean(name, known))
    made: Expr | Array = reading.of(expr)
    return made


def _number(value: Number) -> Array:
    return Array(constant_number(value), frozenset())


def _symbol(reading: SymPyReader, expr: Any) -> Any:
    if expr in reading.values:
        return reading.values[expr]
    if expr in reading.indices:
        raise reading.refusal(expr, f"the index {expr} as a number", "give its values as an input: a tensor t[i]")
    if expr.is_commutative is False:
        raise reading.refusal(expr, f"{expr} does not commute", "write a MatrixSymbol")
    name = reading.name(expr, expr.name)
    size = reading.size(expr) if expr in reading.sizes else None
    if isinstance(size, Dim):
        return size_number(size)
    return scalar(name, positive=True) if expr.is_positive else scalar(name)


def _product(reading: SymPyReader, expr: Any) -> Any:
    return multiplied(reading, [reading.of(arg) for arg in expr.args])


def _function(reading: SymPyReader, expr: Any) -> Any:
    """A function of entries that both have; of a matrix SymPy leaves open what it means."""
    if any(getattr(arg, "is_Matrix", False) for arg in expr.args):
        word = type(expr).__name__
        raise reading.refusal(expr, f"{word} of a matrix: of its entries, or of the matrix?", f"A.applyfunc({word})")
    function = FUNCTIONS[READ[type(expr).__name__]]
    if type(expr).__name__ in BY_ORDER:
        if not expr.args[0].is_Integer:
            raise reading.refusal(expr, f"{expr}, whose order is no number", "an integer")
        return function(int(expr.args[0]), reading.of(expr.args[1]))
    args = [reading.of(arg) for arg in expr.args]
    return function(*args) if len(args) < 3 else reduce(function, args)


def _condition(reading: SymPyReader, expr: Any) -> Any:
    """A condition, as 1 where it holds and 0 where it does not."""
    word = type(expr).__name__
    if word in READ and all(arg in reading.indices for arg in expr.args):
        return compared(reading, expr)
    if word in READ:
        return FUNCTIONS[READ[word]](*(reading.of(arg) for arg in expr.args))
    if word in ("BooleanTrue", "BooleanFalse"):
        return _number(int(bool(expr)))
    if word not in ("And", "Or", "Not", "ITE"):
        raise reading.refusal(expr, f"the condition {expr}", "comparisons, And, Or and Not")
    parts = [_condition(reading, arg) for arg in expr.args]
    if word == "ITE":
        held, first, second = parts
        return added([multiplied(reading, [held, first]), multiplied(reading, [1 - held, second])])
    if word == "Not":
        return 1 - parts[0]
    signs = parts if word == "And" else [1 - part for part in parts]
    held = reduce(lambda one, other: multiplied(reading, [one, other]), signs)
    return held if word == "And" else 1 - held


def _piecewise(reading: SymPyReader, expr: Any) -> Any:
    *first, (last, always) = expr.args
    if always != True:  # noqa: E712  (SymPy's own true)
        raise reading.refusal(expr, "a Piecewise without a value elsewhere", "end it with (value, True)")
    made = reading.of(last)
    for value, condition in reversed(first):
        made = FUNCTIONS[CHOICE](_condition(reading, condition), reading.of(value), made)
    return made


RULES: dict[str, Callable[[SymPyReader, Any], Any]] = {
    **ARRAYS,
    **INDEXED,
    **dict.fromkeys((word for word in READ if not word.endswith(("Than", "ality"))), _function),
    "Rational": lambda reading, expr: _number(Fraction(int(expr.p), int(expr.q))),
    "Integer": lambda reading, expr: _number(int(expr)),
    "Float": lambda reading, expr: _number(float(expr)),
    "Pi": lambda reading, expr: pi,
    "Exp1": lambda reading, expr: FUNCTIONS[EXPONENTIAL](_number(1)),
    "Symbol": _symbol,
    "Add": lambda reading, expr: added([reading.of(arg) for arg in expr.args]),
    "Mul": _product,
    "Pow": lambda reading, expr: power(reading, reading.of(expr.base), expr.exp),
    "Piecewise": _piecewise,
}
"""The rule of each class of SymPy's, by its name: SymPy itself is not imported."""
