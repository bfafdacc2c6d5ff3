"""What functions of matrices are of a 1×1 product of columns, `x.T @ A @ x`: the number that it is, or of that number.

A product of columns and rows that leaves no axis is a number, and a matrix of one entry: `tr` of it is itself, `inv`
its reciprocal, `kron` beside it a multiple.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import wraps
from math import prod
from typing import Any, ParamSpec, TypeGuard, TypeVar, cast

from indexcalc.graph.constructors import dimension, einsum
from indexcalc.index import Dimension
from indexcalc.views.array import Array, array_from, entrywise_array
from indexcalc.views.functions.arguments import vector_of
from indexcalc.views.functions.exponent import exponent_of
from indexcalc.views.functions.products import kron
from indexcalc.views.placed import is_one_by_one
from indexcalc.writing.standing import ascending

P = ParamSpec("P")
R = TypeVar("R")


def _is_number(x: object) -> TypeGuard[Array]:
    return isinstance(x, Array) and is_one_by_one(x)


def as_matrix(x: Array) -> Array:
    """The matrix of one entry.

    >>> import indexcalc as ic
    >>> x = ic.column("x", "n")
    >>> as_matrix(x.T @ x).shape
    (1, 1)
    """
    sizes: dict[int, Dimension] = {0: 1, 1: 1}
    return array_from(einsum(1, [(x.node, ())], (0, 1), sizes), [x])


def _same(x: Array, *sizes: Any, order: str = "F") -> Array:
    return x


def _one(x: Array) -> Array:
    return array_from(einsum(1, (), ()), [x])


def _entry(fn: str) -> Callable[[Array], Array]:
    """A function of the entry."""
    return lambda x: entrywise_array(fn, x)


def _zero_beyond(sign: int) -> Callable[..., Array]:
    """A triangle: the entry stands on the diagonal, so an offset on the wrong side of it leaves nothing."""
    return lambda x, k=0: x if sign * k >= 0 else 0 * x


def _pinv(x: Array) -> Array:
    return entrywise_array("where", entrywise_array("not_equal", x, 0), 1 / x, 0)


def _solved(A: Any, b: Any) -> Any:
    return b / A if _is_number(A) else A**-1 * b


def _power(x: Array, k: Any) -> Array:
    exponent = exponent_of("matrix_power", x, k)
    return x**exponent if isinstance(exponent, int) else entrywise_array("power", x, Array(dimension(exponent)))


def _kron(*factors: Any) -> Any:
    """The numbers times the Kronecker product of the others."""
    scale = prod(filter(_is_number, factors))
    others = [factor for factor in factors if not _is_number(factor)]
    return scale * (kron(*others) if len(others) > 1 else prod(others))


def _outer(a: Any, b: Any) -> Any:
    """Beside a number the other vector is multiplied: as a column on the left, as a row on the right."""
    if _is_number(a) and _is_number(b):
        return a * b
    node = vector_of("outer", b if _is_number(a) else a)
    shown = [True] * (node.order - 1) + ([False, True] if _is_number(a) else [True, False])
    return (a if _is_number(a) else b) * array_from(node, [a, b], ascending(shown))


def _svd(x: Array) -> tuple[Array, Array, Array]:
    sign = entrywise_array("where", x < 0, -1, 1)
    return sign, entrywise_array("abs", x), _one(x)


ONE_BY_ONE: dict[str, Callable[..., Any]] = {
    "tr": _same, "det": _same, "sym": _same, "eigvalsh": _same, "diag": _same, "diagm": _same, "vec": _same,
    "vech": _same, "unvec": _same, "tril": _zero_beyond(1), "triu": _zero_beyond(-1),
    "inv": lambda x: 1 / x, "pinv": _pinv, "logdet": lambda x: entrywise_array("log", entrywise_array("abs", x)),
    "adj": _one, "cofactor": _one, "matrix_power": _power,
    "expm": _entry("exp"), "logm": _entry("log"), "sinm": _entry("sin"), "cosm": _entry("cos"),
    "sqrtm": lambda x: x ** Fraction(1, 2), "cholesky": lambda x: x ** Fraction(1, 2),
    "svdvals": _entry("abs"), "norm_nuc": _entry("abs"), "polar": _entry("sign"),
    "eigh": lambda x: (x, _one(x)), "svd": _svd,
    "kron": _kron, "khatri_rao": lambda A, B: A * B,
    "outer": _outer, "solve": _solved,
}  # fmt: skip
"""Each function of matrices, of its arguments where one of them is a number; it is called as the function is."""
OF_TWO = ("kron", "khatri_rao", "outer", "solve")
"""Those of two matrices; a second argument of the others is none, as the exponent of a power."""


def also_of_numbers(function: Callable[P, R]) -> Callable[P, R]:
    """The function of matrices, which takes a 1×1 product of columns as the number that it is.

    >>> import indexcalc as ic
    >>> x, A = ic.column("x", "n"), ic.tensor("A", "n n")
    >>> ic.tr(x.T @ A @ x), ic.inv(x.T @ x), ic.kron(x.T @ x, A)
    (x.T @ A @ x, 1/(x.T @ x), (x.T @ x)*A)
    """
    of_numbers = ONE_BY_ONE[function.__name__]
    matrices = 2 if function.__name__ in OF_TWO else 1

    @wraps(function)
    def apply(*args: P.args, **keywords: P.kwargs) -> R:
        if not any(map(_is_number, args[:matrices])):
            return function(*args, **keywords)
        opened: Any = [as_matrix(x) if _is_number(x) else x for x in args[:matrices]]
        opened += args[matrices:]
        function(*opened, **keywords)  # refuses what does not fit
        return cast(R, of_numbers(*args, **keywords))

    return apply
