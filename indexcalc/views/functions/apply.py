"""The functions that users call, made from the rows of the table of functions, for both views."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from indexcalc.errors import Asked, KindError, NotationError
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS, ElementwiseFunction, ReductionFunction
from indexcalc.graph.constructors import constant
from indexcalc.index import Index
from indexcalc.views.array import Array, entrywise_array, reduce_array
from indexcalc.views.expr import (
    UNIT,
    Expr,
    entrywise,
    from_number,
    lifted,
    reduce_expr,
)
from indexcalc.views.functions.constants import commutation, duplication, elimination, unit, voigt
from indexcalc.views.functions.decompositions import DECOMPOSITIONS, PARTS, Written
from indexcalc.views.functions.matrices import (
    adj,
    cofactor,
    det,
    diag,
    diagm,
    inv,
    logdet,
    matrix_power,
    pinv,
    solve,
    sym,
    tr,
    tril,
    triu,
    unvec,
    vec,
    vech,
)
from indexcalc.views.functions.products import cross, khatri_rao, kron, outer
from indexcalc.views.placed import numbered_axes
from indexcalc.views.view import View, is_number, to_number


def _refuse(name: str, value: object) -> KindError:
    return KindError(
        f"{name}({value!r})",
        f"a {type(value).__name__} is no expression",
        "declare data with ic.tensor, and give the numbers to .evaluate",
    )


def _elementwise(name: str, *args: Any, params: tuple[Any, ...] = ()) -> Any:
    for arg in args:
        if not isinstance(arg, View) and not is_number(arg):
            raise _refuse(name, arg)
    if any(isinstance(arg, Array) for arg in args) and not any(isinstance(arg, Expr) for arg in args):
        return entrywise_array(name, *args, params=params)
    if all(is_number(arg) for arg in args):
        return entrywise(name, *[from_number(to_number(arg)) for arg in args], params=params)
    return entrywise(name, *[lifted(arg, UNIT, name) for arg in args], params=params)


def _describe(row: ElementwiseFunction | ReductionFunction) -> str:
    parts = [
        f"{row.formula[:1].upper()}{row.formula[1:]}".rstrip(".") + ".",
        f"Domain: {row.domain}.",
        f"Source: {row.source}.",
    ]
    if isinstance(row, ReductionFunction) and row.axes:
        parts.insert(1, f"Along {row.axes} axes: the last of an Array, the free indices of an Expr, or those named.")
    if row.kink:
        parts.insert(-1, f"Where no derivative exists: {row.kink}.")
    return "\n\n".join(parts)


def elementwise_function(name: str) -> Callable[..., Any]:
    """The public function of an elementwise row."""
    row = ELEMENTWISE[name]

    def apply(*args: Any) -> Any:
        params, rest = args[: len(row.params)], args[len(row.params) :]
        if len(rest) != row.arity:
            wanted = ", ".join((*row.params, *"xyz"[: row.arity]))
            raise NotationError(
                f"{name}({', '.join(map(str, args))})", f"{len(args)} arguments", f"write ic.{name}({wanted})"
            )
        return _elementwise(name, *rest, params=tuple(to_number(value) for value in params))

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _describe(row)
    return apply


def _exactly(count: int, name: str, x: Expr | Array, named: Any) -> tuple[Any, ...]:
    """The `count` axes that a function runs along.

    They are the last ones of an Array, the free indices of an Expr, or those that are named.
    """
    given = tuple(named) if isinstance(named, tuple | list) else () if named is None else (named,)
    asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *given)))})")
    axes: list[Any]
    if isinstance(x, Array):
        axes = numbered_axes(x, given, asked) if given else list(range(x.ndim))[-count:]
        found, instead = f"of {x.order} axes", f"axis={tuple(range(count))}"
    else:
        axes = list(given or x.free)
        found = f"of the free indices {', '.join(map(str, x.free)) or 'none'}"
        instead = ", ".join("ijkl"[:count])
    distinct = [one for k, one in enumerate(axes) if one not in axes[:k]]
    if len(distinct) == count:
        return tuple(distinct)
    raise NotationError(
        asked,
        f"{name} runs along exactly {count} axes, and got {len(distinct)} {found}",
        f"write ic.{name}(..., {instead})",
    )


def reduction_function(name: str) -> Callable[..., Any]:
    """The public function of a reduction row: `f(expr, *indices)`, `f(array, axis=None, keepdims=False)`."""
    row = REDUCTIONS[name]

    def apply(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
        params, rest = args[: len(row.params)], args[len(row.params) :]
        if len(params) < len(row.params):
            raise NotationError(
                f"{name}({x})", f"{', '.join(row.params)} is missing", f"write ic.{name}(x, {', '.join(row.params)})"
            )
        values = tuple(to_number(value) for value in params)
        if isinstance(x, Expr):
            if axis is not None:
                rest = (*rest, *(axis if isinstance(axis, tuple) else (axis,)))
            if row.axes:
                rest = _exactly(row.axes, name, x, rest)
            return reduce_expr(name, x, rest, values, row.keeps)
        if not isinstance(x, Array):
            raise _refuse(name, x)
        if rest and isinstance(rest[0], Index):
            raise NotationError(
                f"{name}({x}, {rest[0]})",
                "an Array has axes by number",
                f"write axis=0, or index it: ic.{name}(({x})[...], {rest[0]})",
            )
        named = rest[0] if rest else axis
        if row.axes:
            named = _exactly(row.axes, name, x, named)
        return reduce_array(name, x, named, keepdims, values, row.keeps)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _describe(row)
    return apply


def sqrt(x: Any) -> Any:
    """The square root, entry by entry: `x**(1/2)`.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s"); ic.sqrt(s)
    sqrt(s)
    """
    if is_number(x):
        return from_number(to_number(x)) ** Fraction(1, 2)
    if not isinstance(x, View):
        raise _refuse("sqrt", x)
    return x ** Fraction(1, 2)  # type: ignore[operator]


def normF(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The Frobenius norm, `sqrt(sum x_ij**2)`, over all axes unless some are named.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n m")
    >>> ic.normF(A[i,j])
    normF(A[i,j])
    """
    if isinstance(x, Expr):
        return reduce_expr("norm2", x, args or x.free)
    if not isinstance(x, Array):
        raise _refuse("normF", x)
    return reduce_array("norm2", x, args[0] if args else axis, keepdims)


def total(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum along free indices (of an Expr) or axes (of an Array)."""
    if isinstance(x, Expr):
        return x.sum(*(args or x.free))
    if not isinstance(x, Array):
        raise _refuse("sum", x)
    return x.sum(args[0] if args else axis, keepdims)


def mean(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along free indices (of an Expr) or axes (of an Array)."""
    if isinstance(x, Expr):
        return x.mean(*(args or x.free))
    if not isinstance(x, Array):
        raise _refuse("mean", x)
    return x.mean(args[0] if args else axis, keepdims)


pi = Array(constant("pi"), frozenset())

MATRIX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        inv, pinv, det, logdet, adj, cofactor, tr, solve, matrix_power, diag, diagm, triu, tril, vec, unvec, vech,
        kron, khatri_rao, cross, outer, sym, commutation, duplication, elimination, voigt, unit,
    )
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: elementwise_function(name) for name in ELEMENTWISE},
    **{name: reduction_function(name) for name, row in REDUCTIONS.items() if row.public},
    "sqrt": sqrt,
    "normF": normF,
    "sum": total,
    "mean": mean,
    **DECOMPOSITIONS,
    **MATRIX_FUNCTIONS,
}

WRITTEN: dict[str, Callable[..., Any]] = Written(
    {
        **FUNCTIONS,
        **{name: reduction_function(name) for name, row in REDUCTIONS.items() if not (row.public or row.matrix)},
        **PARTS,
    }
)
"""All functions that a text may name: also those that stand in derivatives alone."""
