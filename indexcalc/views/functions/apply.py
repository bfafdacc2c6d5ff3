"""The functions that users call, made from the rows of the table of functions, for both views."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from inspect import Parameter, Signature
from typing import Any

from indexcalc.errors import Asked, NotationError, counted
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS, ElementwiseFunction, ReductionFunction
from indexcalc.graph.constructors import constant
from indexcalc.index import Dim
from indexcalc.surface import public, sentence
from indexcalc.views.affine.convolutions import convolve, correlate
from indexcalc.views.array import Array, reduce_array, size_number
from indexcalc.views.blocks.table import BLOCKS
from indexcalc.views.expr import (
    Expr,
    from_number,
    reduce_expr,
)
from indexcalc.views.functions.calling import axes_named, entries_of, refused
from indexcalc.views.functions.composed import COMPOSED
from indexcalc.views.functions.constants import commutation, duplication, elimination, unit, voigt
from indexcalc.views.functions.decompositions import DECOMPOSITIONS, PARTS, NamedFunctions
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
from indexcalc.views.functions.one_by_one import ONE_BY_ONE, also_of_numbers
from indexcalc.views.functions.products import cross, khatri_rao, kron, outer, unfold
from indexcalc.views.indexed import must_have
from indexcalc.views.placed import numbered_axes
from indexcalc.views.view import View, is_number, to_number


def _parameters(row: ElementwiseFunction | ReductionFunction, given: tuple[Any, ...], asked: Asked) -> tuple[Any, ...]:
    """The static parameters of a function as numbers, which it has to have."""
    if len(given) < len(row.params):
        raise NotationError(
            asked, f"{row.params[len(given)]} is missing", f"its parameters are {', '.join(row.params)}"
        )
    values = tuple(to_number(value) for value in given[: len(row.params)])
    if row.admits is not None and not row.admits(*values):
        shown = ", ".join(f"{word} = {value}" for word, value in zip(row.params, values, strict=True))
        raise NotationError(asked, f"there is no {row.name} of {shown}", f"its domain: {row.domain}")
    return values


def _words(row: ElementwiseFunction) -> str:
    """The letters of the arguments, as the formula has them."""
    return "cxy" if row.arity == 3 else "xyz"[: row.arity]


def _describe(row: ElementwiseFunction | ReductionFunction) -> str:
    parts = [
        f"{sentence(row.formula)}.",
        f"Domain: {row.domain}.",
        f"Source: {row.source}.",
    ]
    if isinstance(row, ReductionFunction) and row.axes:
        several = "2 axes: the last" if row.axes > 1 else "1 axis: the last"
        parts.insert(1, f"Along {several} of an Array, the free indices of an Expr, or those named.")
    if row.kink:
        parts.insert(-1, f"Where no derivative exists: {row.kink}.")
    return "\n\n".join(parts)


def elementwise_function(name: str) -> Callable[..., Any]:
    """The public function of an elementwise row."""
    row = ELEMENTWISE[name]

    def apply(*args: Any) -> Any:
        params, rest = args[: len(row.params)], args[len(row.params) :]
        if len(rest) != row.arity:
            wanted = ", ".join((*row.params, *_words(row)))
            raise NotationError(
                f"{name}({', '.join(map(str, args))})",
                counted(len(args), "argument"),
                f"write ic.{name}({wanted})",
            )
        asked = Asked(lambda: f"{name}({', '.join(map(str, args))})")
        return entries_of(name, *rest, params=_parameters(row, params, asked) if params else ())

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _describe(row)
    words = [Parameter(word, Parameter.POSITIONAL_ONLY) for word in (*row.params, *_words(row))]
    made = public(apply)
    made.__signature__ = Signature(words)  # type: ignore[attr-defined]
    return made


def _exactly(count: int, name: str, x: Expr | Array, named: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """The `count` axes that a function runs along.

    They are the last ones of an Array, the free indices of an Expr, or those that are named; one axis is no unit axis.
    """
    given = named or ()
    asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *given)))})")
    axes: list[Any]
    if isinstance(x, Array):
        shown = [axis for axis in range(x.ndim) if x.places[axis] is not None or count > 1]
        axes = numbered_axes(x, given, asked) if given else shown[-count:]
        found, instead = f"of {counted(x.order, 'axis')}", f"axis={tuple(range(count)) if count > 1 else 0}"
    else:
        for index in given:
            must_have(x, index, asked)
        axes = list(given or x.free)
        found = f"of the free indices {', '.join(map(str, x.free)) or 'none'}"
        instead = ", ".join("ijkl"[:count])
    distinct = [one for k, one in enumerate(axes) if one not in axes[:k]]
    if len(distinct) == count:
        return tuple(distinct)
    raise NotationError(
        asked,
        f"{name} runs along exactly {count} {'axes' if count > 1 else 'axis'}, and got {len(distinct)} {found}",
        f"write ic.{name}(..., {instead})",
    )


def reduction_function(name: str) -> Callable[..., Any]:
    """The public function of a reduction row: `f(expr, *indices)`, `f(array, axis=None, keepdims=False)`.

    One that keeps its axes, as softmax does, has no `keepdims`.
    """
    row = REDUCTIONS[name]

    def reduced(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Expr | Array:
        params, rest = args[: len(row.params)], args[len(row.params) :]
        asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *args)))})")
        values = _parameters(row, params, asked) if row.params else ()
        named = axes_named(name, x, rest, axis, keepdims)
        if row.axes:
            named = _exactly(row.axes, name, x, named)
        if isinstance(x, Expr):
            return reduce_expr(name, x, named or (), values, row.keeps)
        return reduce_array(name, x, named, keepdims, values, row.keeps)

    def kept(x: Any, *args: Any, axis: Any = None) -> Expr | Array:
        return reduced(x, *args, axis=axis)

    apply: Callable[..., Any] = kept if row.keeps else reduced
    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _describe(row)
    return public(apply)


@public
def sqrt(x: Any) -> Any:
    """The square root, entry by entry: `x**(1/2)`.

    >>> import indexcalc as ic
    >>> s = ic.scalar("s"); ic.sqrt(s)
    sqrt(s)
    """
    if isinstance(x, Dim):
        x = size_number(x)
    if is_number(x):
        return from_number(to_number(x)) ** Fraction(1, 2)
    if not isinstance(x, View):
        raise refused("sqrt", x)
    return x ** Fraction(1, 2)  # type: ignore[operator]


@public
def normF(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The Frobenius norm, `sqrt(sum x_ij**2)`, over all axes unless some are named.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n m")
    >>> ic.normF(A[i,j])
    normF(A[i,j])
    """
    named = axes_named("normF", x, args, axis, keepdims)
    if isinstance(x, Expr):
        return reduce_expr("norm2", x, named or x.free)
    return reduce_array("norm2", x, named, keepdims)


@partial(public, name="sum")
def total(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum along free indices (of an Expr) or axes (of an Array).

    >>> import indexcalc as ic
    >>> i, a = ic.indices("i a"); T = ic.tensor("T", "n m")
    >>> ic.sum(T[i,a], axis=i).free, ic.sum(T, axis=0).shape
    ((a,), (m,))
    """
    named = axes_named("sum", x, args, axis, keepdims)
    return x.sum(*(named or x.free)) if isinstance(x, Expr) else x.sum(named, keepdims)


@public
def mean(x: Any, *args: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along free indices (of an Expr) or axes (of an Array)."""
    named = axes_named("mean", x, args, axis, keepdims)
    return x.mean(*(named or x.free)) if isinstance(x, Expr) else x.mean(named, keepdims)


pi = Array(constant("pi"), frozenset())

MATRIX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        inv, pinv, det, logdet, adj, cofactor, tr, solve, matrix_power, diag, diagm, triu, tril, vec, unvec, vech,
        kron, khatri_rao, unfold, cross, outer, sym, commutation, duplication, elimination, voigt, unit,
    )
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: elementwise_function(name) for name in ELEMENTWISE},
    **{name: reduction_function(name) for name, row in REDUCTIONS.items() if row.public},
    "sqrt": sqrt,
    "normF": normF,
    "sum": total,
    "mean": mean,
    "convolve": convolve,
    "correlate": correlate,
    **COMPOSED,
    **DECOMPOSITIONS,
    **MATRIX_FUNCTIONS,
    **BLOCKS,
}
FUNCTIONS |= {name: also_of_numbers(FUNCTIONS[name]) for name in ONE_BY_ONE if name in FUNCTIONS}

WRITTEN: dict[str, Callable[..., Any]] = NamedFunctions(
    {
        **{name: reduction_function(name) for name, row in REDUCTIONS.items() if not (row.public or row.matrix)},
        **FUNCTIONS,
        **PARTS,
    }
)
"""All functions that a text may name: also those that stand in derivatives alone."""
