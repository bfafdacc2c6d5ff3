"""Inputs: arrays by name are checked against the variables, and give the dimension symbols their sizes.

Nothing is guessed: a size of 1 is not stretched, a missing axis is not added, and a dtype that would lose something is
refused. Every message names the input and the axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexcalc.engine.bind.labelled import unlabelled
from indexcalc.errors import DimensionError, IndexCalcError, InputError, counted, did_you_mean
from indexcalc.graph.node import Node, Variable, topological
from indexcalc.graph.walk import variables as variables_of
from indexcalc.index import Dim, Dimension, number
from indexcalc.index import size as evaluate_dimension
from indexcalc.surface import is_integer

Numbers = NDArray[Any]

FLOATS = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))
SINGLE = FLOATS[0], FLOATS[2]
EQUAL = "give equal sizes; 1 is not stretched"
UNKNOWN = "?"
"""What the symbol of a dimension that nobody fixed begins with; the name of its index follows."""


class ShapeError(InputError, DimensionError):
    """An input whose shape breaks a dimension."""


class KnownSize(NamedTuple):
    """The size of a symbol, and the words for where it comes from."""

    size: int
    source: str


class SizeClaim(NamedTuple):
    """An axis of an input says that a dimension has this size."""

    dim: Dim
    size: int
    name: str
    axis: int

    @property
    def source(self) -> str:
        """The claim in words."""
        return f"{self.name} has {self.size} (axis {self.axis})"

    @property
    def plain(self) -> bool:
        """Is the dimension just a symbol?"""
        return str(self.dim) in self.dim.symbols


def bind(
    variables: Iterable[Variable],
    given: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    *,
    roots: Sequence[Node] | None = None,
    standing: Mapping[str, str] | None = None,
) -> tuple[dict[Variable, Numbers], dict[str, int]]:
    """The array of each variable that was given, and the size of each dimension symbol.

    `given` has array-likes by name, `sizes` sizes by symbol. With `roots`, the graph to be evaluated, only what occurs
    in it is needed, and its symbols have to come out; the other variables may be given, and then fix dimensions.
    Without, every variable is needed. Arrays are copied only if their dtype changes (integers become float64). A Python
    number has the precision of the other inputs. What `standing` calls a "column" may come as (n, 1), a "row" as
    (1, n).

    Raises InputError, or DimensionError where sizes disagree or don't come out (ShapeError is both).

    >>> from indexcalc.graph.constructors import variable
    >>> from indexcalc.index import dim
    >>> arrays, sizes = bind([variable("x", (dim("n"),))], {"x": [1, 2, 3]})
    >>> arrays.popitem()[1], sizes
    (array([1., 2., 3.]), {'n': 3})
    """
    accepted = {variable.label: variable for variable in sorted(variables, key=lambda v: v.label)}
    needed = list(accepted.values()) if roots is None else variables_of(roots)
    accepted |= {variable.label: variable for variable in needed}
    for name in given:
        if name not in accepted:
            raise InputError("evaluate", f"unknown input {name!r}", did_you_mean(name, accepted))
    require([variable for variable in needed if variable.label not in given])
    arrays = _arrays({accepted[name]: value for name, value in given.items()}, needed, standing or {})
    symbols = symbols_in(needed if roots is None else topological(roots))
    known = given_sizes(sizes or {}, symbols | symbols_in(accepted.values()) if roots is not None else None)
    left = _solve(_claims(arrays), known)
    for name in sorted(symbols - known.keys()):
        if not name.startswith(UNKNOWN):
            raise _unsettled(name, left, [v for v in accepted.values() if v not in arrays])
    return arrays, {name: found.size for name, found in known.items()}


def require(missing: Sequence[Variable]) -> None:
    """No variable is missing, or it is an error that lists those that are."""
    if missing:
        shown = ", ".join(f"{variable.label} ({', '.join(map(str, variable.dims))})" for variable in missing)
        raise InputError(
            "evaluate",
            f"missing input{'s' if len(missing) > 1 else ''} {shown}",
            f"give {', '.join(f'{variable.label}=...' for variable in missing)}",
        )


def size_of(dimension: Dimension, sizes: Mapping[str, int]) -> int:
    """The number that a dimension stands for; a symbol whose size is not known is an error that says what to give."""
    _require_sizes(dimension, sizes)
    return evaluate_dimension(dimension, sizes)


def number_of(value: Any, sizes: Mapping[str, int]) -> Any:
    """The number that a parameter or a factor stands for: a polynomial of symbols may come out negative here."""
    _require_sizes(value, sizes)
    return number(value, sizes) if isinstance(value, Dim) else value


def _require_sizes(value: Any, sizes: Mapping[str, int]) -> None:
    if not isinstance(value, Dim):
        return
    for name in sorted(value.symbols - sizes.keys()):
        if name.startswith(UNKNOWN):
            index = name.removeprefix(UNKNOWN).rstrip("'")
            raise DimensionError(
                "evaluate", f"the dimension of index {index} is not known", "give dim= or let it meet a tensor"
            )
        raise DimensionError(f"dimension `{name}`", "no input fixes it", f"give {name}=...")


# ------------------------------------------------------------------ arrays


def _arrays(
    given: Mapping[Variable, Any], needed: Iterable[Variable], standing: Mapping[str, str]
) -> dict[Variable, Numbers]:
    """The values as arrays of a dtype that is kept, with the axes that their variables have."""
    weak = {v: value for v, value in given.items() if type(value) in (int, float, complex, Fraction)}
    strong = {
        v: to_array(value, v.label, v.dims, "integer" in v.assumptions) for v, value in given.items() if v not in weak
    }
    arrays = {v: _fit(v, array, standing.get(v.label)) for v, array in strong.items()}
    used = [arrays[v].dtype for v in needed if v in arrays and arrays[v].dtype.kind != "i"]
    common = np.result_type(*used) if used else np.dtype(np.float64)
    for variable, value in weak.items():
        plain = value if type(value) is complex else to_float(value, f"input {variable.label}")
        with np.errstate(over="ignore"):
            arrays[variable] = _fit(variable, np.asarray(plain, np.result_type(common, plain)))
    return {variable: arrays[variable] for variable in given}


def common_dtype(arrays: Iterable[Numbers]) -> np.dtype[Any]:
    """The dtype of what is computed from arrays: complex if one is, double if one is or if there is none.

    Integers, which only integer tensors are given, count for nothing.
    """
    kinds = [array for array in arrays if array.dtype.kind != "i"]
    double = not kinds or any(array.dtype not in SINGLE for array in kinds)
    if any(array.dtype.kind == "c" for array in kinds):
        return np.dtype(np.complex128 if double else np.complex64)
    return np.dtype(np.float64 if double else np.float32)


def cast(array: Numbers, dtype: np.dtype[Any]) -> Numbers:
    """The array in the precision of the common dtype; what is real stays real, integers stay integers."""
    if array.dtype.kind == "i":
        return array
    real = array.dtype.kind != "c" and dtype.kind == "c"
    return array.astype(np.zeros(0, dtype).real.dtype if real else dtype, copy=False)


def to_float(value: int | float | Fraction, asked: str) -> float:
    """The nearest float; a number beyond the range of floats is an error."""
    try:
        return float(value)
    except OverflowError:
        power = abs(int(value)).bit_length() * 30103 // 100000
        found = f"an integer that would overflow: it is about 10**{power}, and floats end at 1.8e308"
        raise InputError(asked, found, "rescale it") from None


def to_array(value: Any, name: str, dims: Sequence[Dimension] | None = None, whole: bool = False) -> Numbers:
    """The value as an array of one of the four dtypes that are kept; integers become float64, of a `whole` one int64.

    Where its axes have names, they are placed by the dimensions of its tensor.
    """
    asked = f"input {name}"
    value = unlabelled(value, name, dims)
    try:
        array = np.asarray(value)
    except IndexCalcError:
        raise
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(asked, f"a {type(value).__name__} that is no array: {error}", "give a NumPy array") from None
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind in "iu":
        dtype = np.dtype(np.int64 if whole else np.float64)
    if dtype not in FLOATS and dtype.kind != "i":
        raise _bad_dtype(asked, array)
    return array.astype(dtype, copy=False)


def _bad_dtype(asked: str, array: Numbers) -> InputError:
    kind = "text" if array.dtype.kind in "US" else array.dtype.name
    if kind == "object" and array.size and all(type(entry) is int for entry in array.flat):
        return InputError(asked, "integers that would overflow an int64", "give floats")
    hints = {
        "bool": "for 0 and 1, convert it with .astype(float)",
        "float16": "convert it with .astype(np.float32)",
        "bfloat16": "convert it with .astype(np.float32)",
    }
    hint = hints.get(kind, "give float32, float64, complex64, complex128 or integers")
    return InputError(asked, f"its dtype is {kind}, which is not supported", hint)


def _fit(variable: Variable, array: Numbers, standing: str | None = None) -> Numbers:
    """The array with as many axes as the variable, and the sizes that are integers checked."""
    name, dims = variable.label, variable.dims
    if array.ndim == 2 and len(dims) == 1:
        if (standing == "column" or "column" in variable.assumptions) and array.shape[1] == 1:
            array = array[:, 0]
        elif (standing == "row" or "row" in variable.assumptions) and array.shape[0] == 1:
            array = array[0]
    if array.ndim != len(dims):
        shape = ", ".join(map(str, dims)) + ("," if len(dims) == 1 else "")
        wanted = counted(len(dims), "axis")
        found = f"it has {counted(array.ndim, 'axis')}, shape {array.shape}, and {name} has {wanted}, ({shape})"
        flat = len(dims) == 1 and array.ndim == 2 and 1 in array.shape
        raise ShapeError(f"input {name}", found, "give it flat, with .ravel()" if flat else f"give {wanted}")
    for axis, (dimension, size) in enumerate(zip(dims, array.shape, strict=True)):
        if isinstance(dimension, int) and dimension != size:
            raise ShapeError(f"input {name}", f"axis {axis} has {size}, its dimension is {dimension}", EQUAL)
    return array


# ------------------------------------------------------------------ sizes


def symbols_in(nodes: Iterable[Node]) -> set[str]:
    """The symbols in the dimensions of nodes, those of summed labels included."""
    found: set[str] = set()
    for node in nodes:
        for dimension in (*node.dims, *node.sizes):
            if isinstance(dimension, Dim):
                found |= dimension.symbols
    return found


def symbols_below(roots: Iterable[Node]) -> set[str]:
    """The symbols in the dimensions of all nodes below the roots, but for those that met no tensor yet."""
    return {name for name in symbols_in(topological(roots)) if not name.startswith(UNKNOWN)}


def given_sizes(sizes: Mapping[str, Any], symbols: set[str] | None) -> dict[str, KnownSize]:
    """The sizes that were given by symbol."""
    known = {}
    for name, size in sizes.items():
        if symbols is not None and name not in symbols:
            raise InputError("evaluate", f"unknown dimension {name!r}", did_you_mean(str(name), symbols))
        if not is_integer(size):
            raise InputError(f"{name}={size!r}", "a dimension is a whole number", f"give {name}=5, say")
        if size < 0:
            raise InputError(f"{name}={size}", "a dimension is not negative", f"give {name}=5, say")
        known[name] = KnownSize(int(size), f"{name}={size} was given")
    return known


def _claims(arrays: Mapping[Variable, Numbers]) -> list[SizeClaim]:
    """What the axes of the inputs say about dimensions, plain symbols first."""
    claims = [
        SizeClaim(dimension, size, variable.label, axis)
        for variable, array in arrays.items()
        for axis, (dimension, size) in enumerate(zip(variable.dims, array.shape, strict=True))
        if isinstance(dimension, Dim)
    ]
    return sorted(claims, key=lambda claim: not claim.plain)


def _solve(claims: list[SizeClaim], known: dict[str, KnownSize]) -> list[SizeClaim]:
    """Enters into `known` what the claims say, one unknown at a time; gives back the claims that say too little."""
    while True:
        left = []
        for claim in claims:
            unknown = claim.dim.symbols - known.keys()
            if not unknown:
                _check(claim, known)
            elif len(unknown) > 1 or not _enter(claim, min(unknown), known):
                left.append(claim)
        if len(left) == len(claims):
            return left
        claims = left


def _check(claim: SizeClaim, known: Mapping[str, KnownSize]) -> None:
    made = evaluate_dimension(claim.dim, {name: found.size for name, found in known.items()})
    if made == claim.size:
        return
    sources = ", ".join(known[name].source for name in sorted(claim.dim.symbols))
    raise ShapeError(
        f"dimension `{claim.dim}`",
        f"{sources}, {claim.source}" if claim.plain else f"{claim.source}, and it comes out as {made}: {sources}",
        EQUAL,
    )


def _enter(claim: SizeClaim, unknown: str, known: dict[str, KnownSize]) -> bool:
    """Solves a claim for its one unknown symbol; False if several sizes fit."""
    fitting = _solutions(claim, unknown, known)
    if fitting is None or len(fitting) > 1:
        return False
    if not fitting:
        others = ", ".join(known[name].source for name in sorted(claim.dim.symbols - {unknown}))
        raise ShapeError(
            f"dimension `{claim.dim}`",
            f"{claim.source}, and no {unknown} gives that" + (f": {others}" if others else ""),
            f"check the shape of {claim.name}",
        )
    known[unknown] = KnownSize(fitting[0], claim.source if claim.plain else f"{claim.source}, which is {claim.dim}")
    return True


def _solutions(claim: SizeClaim, unknown: str, known: Mapping[str, KnownSize]) -> list[int] | None:
    """The sizes of a symbol for which the dimension is what the claim says; None if any will do, or none is found."""
    if not claim.dim.plain:
        return None
    coefs: dict[int, Fraction] = {0: Fraction(-claim.size)}
    for monomial, coef in claim.dim.terms:
        powers = dict(monomial)
        degree = powers.pop(unknown, 0)
        for name, power in powers.items():
            coef *= known[name].size ** power
        coefs[degree] = coefs.get(degree, Fraction(0)) + coef
    if not any(coefs.values()):
        return None
    floats = [float(coefs.get(degree, 0)) for degree in range(max(coefs), -1, -1)]
    near = {round(root.real) + step for root in np.roots(floats) for step in (-1, 0, 1)}
    return sorted(n for n in near if n >= 0 and sum(coef * n**degree for degree, coef in coefs.items()) == 0)


def _unsettled(name: str, left: Iterable[SizeClaim], others: Iterable[Variable]) -> DimensionError:
    """The error for a symbol that nothing fixes."""
    claims = [claim for claim in left if name in claim.dim.symbols]
    found = "; ".join(f"only {claim.dim} = {claim.size} is known ({claim.name}, axis {claim.axis})" for claim in claims)
    helpful = [v.label for v in others if name in symbols_in([v])]
    instead = f"give {name}=..." + (f", or the input {' or '.join(helpful)}" if helpful else "")
    return DimensionError(f"dimension `{name}`", found or "no input fixes it", instead)
