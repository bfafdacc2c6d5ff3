"""indexcalc: index notation for tensors, with derivatives that come from index-level rules.

>>> import indexcalc as ic
>>> i, j, k = ic.indices("i j k")
>>> x, W, b = ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("b", "m")
>>> y = x[i]*W[i,j] + b[j]
>>> y.diff(W[i,k])
x[i]*δ[j,k]
"""

from typing import TYPE_CHECKING, Any

from indexcalc import later
from indexcalc import simplify as _room
from indexcalc.errors import (
    DerivativeError,
    DimensionError,
    IndexCalcError,
    InputError,
    KindError,
    LayoutError,
    NameRefused,
    NoRuleError,
    NotationError,
    ParseError,
    RangeError,
    did_you_mean,
)
from indexcalc.index import Index, index, indices
from indexcalc.progress import show_progress
from indexcalc.surface import public
from indexcalc.views.affine.uses import index_range as range
from indexcalc.views.array import Array
from indexcalc.views.declare import (
    column,
    define,
    delta,
    epsilon,
    eye,
    hadamard,
    ones,
    row,
    scalar,
    tensor,
    zeros,
)
from indexcalc.views.declare import einsum_array as einsum
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import function
from indexcalc.views.functions.apply import FUNCTIONS, pi

if TYPE_CHECKING:
    from indexcalc.checking.check import check
    from indexcalc.checking.verify import verify
    from indexcalc.engine.compile.backends import compile_expressions as compile
    from indexcalc.engine.compile.source import to_source
    from indexcalc.engine.compressed.compressed import compressed
    from indexcalc.engine.emit.workspace import free_workspace
    from indexcalc.engine.preflight import preflight
    from indexcalc.explaining.derivation import explain
    from indexcalc.interop.axes import rearrange, reduce, repeat
    from indexcalc.interop.optimizers import minimize_args
    from indexcalc.interop.read_sympy import from_sympy
    from indexcalc.reading.reader import parse
    from indexcalc.views.derivatives.differentiate import (
        derivative,
        diff,
        differential,
        grad,
        hessian,
        hvp,
        jvp,
        vjp,
    )

del _room  # a room is imported before the function of its name, which it would replace later

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What is imported when it is first asked for."""
    if name in later.PUBLIC:
        return getattr(later, later.PUBLIC[name])
    said = later.answer(name)
    if said:
        raise AttributeError(f"indexcalc has no {name}; {said}", name=name)
    hint = did_you_mean(name, __all__) if not name.startswith("_") else ""
    close = f"; {hint}" if hint.startswith("did") else ""
    raise AttributeError(f"module 'indexcalc' has no attribute {name!r}{close}")


def __dir__() -> list[str]:
    """The surface, and nothing else."""
    return sorted([*__all__, "__version__"])


@public
def simplify(expr: Any) -> Any:
    """The simplified form of an expression."""
    return _expression(expr, "simplify").simplify()


@public
def expand(expr: Any) -> Any:
    """The form of an expression with products of sums multiplied out, simplified."""
    return _expression(expr, "expand").expand()


def _expression(value: Any, verb: str) -> Any:
    if not isinstance(value, Expr | Array):
        raise KindError(f"{verb}({value!r})", f"a {type(value).__name__} is no expression", f"write ic.{verb}(x*x)")
    return value


globals().update(FUNCTIONS)

__all__ = [
    "Array",
    "DerivativeError",
    "DimensionError",
    "Expr",
    "Index",
    "IndexCalcError",
    "InputError",
    "KindError",
    "LayoutError",
    "NameRefused",
    "NoRuleError",
    "NotationError",
    "ParseError",
    "RangeError",
    "check",
    "column",
    "compile",
    "compressed",
    "define",
    "delta",
    "derivative",
    "diff",
    "differential",
    "einsum",
    "epsilon",
    "expand",
    "explain",
    "eye",
    "free_workspace",
    "from_sympy",
    "function",
    "grad",
    "hadamard",
    "hessian",
    "hvp",
    "index",
    "indices",
    "jvp",
    "minimize_args",
    "ones",
    "parse",
    "pi",
    "preflight",
    "range",
    "rearrange",
    "reduce",
    "repeat",
    "row",
    "scalar",
    "show_progress",
    "simplify",
    "tensor",
    "to_source",
    "verify",
    "vjp",
    "zeros",
    *FUNCTIONS,
]
