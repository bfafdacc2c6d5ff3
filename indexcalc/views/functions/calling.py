"""What functions are called with, in either view: entries that meet, and the axes that a call names."""

from __future__ import annotations

from typing import Any

from indexcalc.errors import Asked, KindError, NotationError
from indexcalc.index import Dim
from indexcalc.views.array import Array, entrywise_array, size_number
from indexcalc.views.expr import UNIT, Expr, entrywise, from_number, lifted
from indexcalc.views.view import View, is_number, to_number


def refused(name: str, value: object) -> KindError:
    """The error of an argument that is no expression."""
    return KindError(
        f"{name}({value!r})",
        f"a {type(value).__name__} is no expression",
        "declare data with ic.tensor, and give the numbers to .evaluate",
    )


def entries_of(name: str, *args: Any, params: tuple[Any, ...] = ()) -> Expr | Array:
    """The elementwise function of this name of numbers, dimensions, Exprs or Arrays.

    >>> import indexcalc as ic
    >>> entries_of("maximum", ic.tensor("x", "n"), 0)
    maximum(x, 0)
    """
    args = tuple(size_number(arg) if isinstance(arg, Dim) else arg for arg in args)
    for arg in args:
        if isinstance(arg, bool):
            found = f"{arg} is a bool: == and != compare expressions as a whole"
            instead = "entry by entry write ic.equal(s, 0) or ic.not_equal(s, 0)"
            raise KindError(Asked(lambda: f"{name}({', '.join(map(str, args))})"), found, instead)
        if not isinstance(arg, View) and not is_number(arg):
            raise refused(name, arg)
    if any(isinstance(arg, Array) for arg in args) and not any(isinstance(arg, Expr) for arg in args):
        return entrywise_array(name, *args, params=params)
    if all(is_number(arg) for arg in args):
        return entrywise(name, *[from_number(to_number(arg)) for arg in args], params=params)
    return entrywise(name, *[lifted(arg, UNIT, name) for arg in args], params=params)


def axes_named(
    name: str, x: Any, by_place: tuple[Any, ...], axis: Any, keepdims: bool = False
) -> tuple[Any, ...] | None:
    """The axes that a call names, by place or as `axis=`: indices of an Expr, numbers of an Array; None for none.

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); A = ic.tensor("A", "n m")
    >>> axes_named("sum", A[i,j], (), j), axes_named("sum", A, (), (0, 1)), axes_named("sum", A, (), None)
    ((j,), (0, 1), None)
    """
    given = (*by_place, *(() if axis is None else (f"axis={axis}",)), *(("keepdims=True",) if keepdims else ()))
    asked = Asked(lambda: f"{name}({', '.join(map(str, (x, *given)))})")
    if not isinstance(x, Expr | Array):
        raise refused(name, x)
    if not isinstance(keepdims, bool):
        raise KindError(asked, f"keepdims is {keepdims!r}", "write keepdims=True, or leave it out")
    if keepdims and isinstance(x, Expr):
        raise NotationError(asked, "an index is free or gone: none is of dimension 1", "leave keepdims out")
    if by_place and axis is not None:
        raise NotationError(asked, "axes are named by place and as axis=", "write one of them")
    if isinstance(x, Array) and len(by_place) > 1:
        raise NotationError(asked, "several axes by place", f"write ic.{name}(..., axis={by_place})")
    named = by_place if axis is None else (axis,)
    if len(named) == 1 and isinstance(named[0], tuple | list):
        named = tuple(named[0])
        if not named:
            raise NotationError(asked, "no axis is named", "leave it out for all axes")
    return named or None
