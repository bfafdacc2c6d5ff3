"""What SymPy calls our functions: a row for each, which is read both ways where SymPy has the function.

A row makes SymPy's expression from the module and from expressions of entries, or of matrices. Where SymPy has no
function of its own, it is the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

CALLED = {
    **{name: name for name in (
        "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
        "erf", "erfc", "digamma", "polygamma", "sign", "atan2",
    )},
    "abs": "Abs", "maximum": "Max", "minimum": "Min", "gammaln": "loggamma",
    "less": "StrictLessThan", "less_equal": "LessThan", "greater": "StrictGreaterThan",
    "greater_equal": "GreaterThan", "equal": "Equality", "not_equal": "Unequality",
}  # fmt: skip
"""Functions of entries that SymPy has too, and its name for each: parameters first, arguments in one order."""
READ = {theirs: ours for ours, theirs in CALLED.items()}
"""The way back."""
BY_ORDER = {"polygamma"}
"""Functions whose first argument is a parameter."""
CHOICE, EXPONENTIAL = "where", "exp"
"""What `Piecewise` and `E` are."""
SPELT: dict[str, Callable[..., Any]] = {
    "expm1": lambda sp, x: sp.exp(x) - 1,
    "log1p": lambda sp, x: sp.log(1 + x),
    "logit": lambda sp, x: sp.log(x / (1 - x)),
    "sigmoid": lambda sp, x: 1 / (1 + sp.exp(-x)),
    "silu": lambda sp, x: x / (1 + sp.exp(-x)),
    "softplus": lambda sp, x: sp.log(1 + sp.exp(x)),
    "gelu": lambda sp, x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
    "log_ndtr": lambda sp, x: sp.log(sp.erfc(-x / sp.sqrt(2)) / 2),
    "logaddexp": lambda sp, x, y: sp.log(sp.exp(x) + sp.exp(y)),
    "xlogy": lambda sp, x, y: sp.Piecewise((0, sp.Eq(x, 0)), (x * sp.log(y), True)),
    "entr": lambda sp, x: sp.Piecewise((0, sp.Eq(x, 0)), (-x * sp.log(x), True)),
    "relu": lambda sp, x: sp.Max(x, 0),
    "step": lambda sp, x: sp.Piecewise((1, x > 0), (0, True)),
    "power": lambda sp, x, y: x**y,
    "where": lambda sp, c, x, y: sp.Piecewise((x, condition(sp, c)), (y, True)),
}
"""Functions of entries for which SymPy has a formula alone."""


def entry(sp: Any, name: str, args: Sequence[Any]) -> Any:
    """A function of the entries in SymPy, of its expressions, parameters first.

    >>> import sympy
    >>> entry(sympy, "softplus", [sympy.Symbol("t")])
    log(exp(t) + 1)
    """
    made = SPELT[name](sp, *args) if name in SPELT else getattr(sp, CALLED[name])(*args)
    return sp.Piecewise((1, made), (0, True)) if isinstance(made, sp.logic.boolalg.Boolean) else made


def condition(sp: Any, value: Any) -> Any:
    """That a value is not 0, as a condition; what a comparison made is the comparison.

    >>> import sympy
    >>> t = sympy.Symbol("t")
    >>> condition(sympy, t), condition(sympy, entry(sympy, "less", [t, 2]))
    (Ne(t, 0), t < 2)
    """
    if isinstance(value, sp.Piecewise) and [one for one, _ in value.args] == [1, 0]:
        return value.args[0][1]
    return sp.Eq(*value.args) if isinstance(value, sp.KroneckerDelta) else sp.Ne(value, 0)


ALONG: dict[str, Callable[..., Any]] = {
    "softmax": lambda sp, x, total: sp.exp(x) / total(sp.exp(x)),
    "log_softmax": lambda sp, x, total: x - sp.log(total(sp.exp(x))),
    "logsumexp": lambda sp, x, total: sp.log(total(sp.exp(x))),
    "prod": lambda sp, x, total: total(x, sp.Product),
    "norm1": lambda sp, x, total: total(sp.Abs(x)),
    "norm2": lambda sp, x, total: sp.sqrt(total(x**2)),
}
"""Functions along axes: of an entry, and of what sums an expression over the axes, or multiplies it."""


def total(sp: Any, x: Any) -> Any:
    """The sum of all entries of a matrix, a scalar."""
    return sp.Trace(sp.OneMatrix(1, x.shape[0]) * x * sp.OneMatrix(x.shape[1], 1))


def along(sp: Any, x: Any, axis: int) -> Any:
    """The sums along an axis of a matrix, a column."""
    return x * sp.OneMatrix(x.shape[1], 1) if axis else x.T * sp.OneMatrix(x.shape[0], 1)


MATRICES: dict[str, Callable[..., Any]] = {
    "inv": lambda sp, x: sp.Inverse(x),
    "det": lambda sp, x: sp.Determinant(x),
    "logdet": lambda sp, x: sp.log(sp.Abs(sp.Determinant(x))),
    "tr": lambda sp, x: sp.Trace(x),
    "kron": lambda sp, x, y: sp.KroneckerProduct(x, y),
    "sym": lambda sp, x: (x + x.T) / 2,
    "diag": lambda sp, x: sp.matrices.expressions.diagonal.DiagonalOf(x),
    "normF": lambda sp, x: sp.sqrt(sp.Trace(x.T * x)),
    "norm2": lambda sp, x: sp.sqrt(sp.Trace(x.T * x)),
    "sum": lambda sp, x, axis=None: total(sp, x) if axis is None else along(sp, x, axis),
    "mean": lambda sp, x, axis=None: (
        total(sp, x) / (x.shape[0] * x.shape[1]) if axis is None else along(sp, x, axis) / x.shape[axis]
    ),
    "matrix_power": lambda sp, x, power: sp.MatPow(x, int(power)),
}
"""Functions of matrices; a vector is a column, a scalar is no matrix."""
