"""What a plain `import indexcalc` need not load, and what views reach above themselves: imported when first used.

Views are made at once; evaluation, text, layouts, the reader and the checks are loaded by whoever asks for them, and
`import indexcalc` stays light. `later.evaluate` is the function; nothing else in the package imports late, but for
`Expr.array` (the two views make each other).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexcalc.checking.check import check as check
    from indexcalc.checking.verify import verify as verify
    from indexcalc.engine.compile.backends import compile_expressions as compile_expressions
    from indexcalc.engine.compile.dask_arrays import OnDask as OnDask
    from indexcalc.engine.compile.source import to_source as to_source
    from indexcalc.engine.compressed.compressed import compressed as compressed
    from indexcalc.engine.compressed.held import Compressed as Compressed
    from indexcalc.engine.evaluate import evaluate as evaluate
    from indexcalc.engine.preflight import preflight as preflight
    from indexcalc.explaining.derivation import explain as explain
    from indexcalc.interop.axes import rearrange as rearrange
    from indexcalc.interop.axes import reduce as reduce
    from indexcalc.interop.axes import repeat as repeat
    from indexcalc.interop.named_axes import to_xarray as to_xarray
    from indexcalc.interop.optimizers import minimize_args as minimize_args
    from indexcalc.interop.read_sympy import from_sympy as from_sympy
    from indexcalc.interop.write_sympy import to_sympy as to_sympy
    from indexcalc.reading.reader import parse as parse
    from indexcalc.views.array import Array as Array
    from indexcalc.views.array import size_number as size_number
    from indexcalc.views.choosing.keys import picked as picked
    from indexcalc.views.derivatives.derivative import Derivative as Derivative
    from indexcalc.views.derivatives.differentiate import diff as diff
    from indexcalc.views.derivatives.panel import Layouts as Layouts
    from indexcalc.views.derivatives.panel import layouts as layouts
    from indexcalc.views.derivatives.projection import layout_of as layout_of
    from indexcalc.views.derivatives.projection import matrix_array as matrix_array
    from indexcalc.views.derivatives.projection import matrix_expr as matrix_expr
    from indexcalc.views.equals import Equality as Equality
    from indexcalc.views.equals import equals as equals
    from indexcalc.views.named import declarations as declarations
    from indexcalc.views.named import lacking as lacking
    from indexcalc.views.named import replaced as replaced
    from indexcalc.views.named import tensors_in as tensors_in
    from indexcalc.writing.index.latex import expr_latex as expr_latex
    from indexcalc.writing.index.text import expr_text as expr_text
    from indexcalc.writing.index.text import ranges_told as ranges_told
    from indexcalc.writing.matrix.formula import Formula as Formula
    from indexcalc.writing.matrix.formula import array_latex as array_latex
    from indexcalc.writing.matrix.formula import array_text as array_text
    from indexcalc.writing.matrix.formula import formula as formula

MODULES = {
    "Array": "views.array",
    "Compressed": "engine.compressed.held",
    "Derivative": "views.derivatives.derivative",
    "Equality": "views.equals",
    "Formula": "writing.matrix.formula",
    "Layouts": "views.derivatives.panel",
    "OnDask": "engine.compile.dask_arrays",
    "array_latex": "writing.matrix.formula",
    "array_text": "writing.matrix.formula",
    "check": "checking.check",
    "compile_expressions": "engine.compile.backends",
    "compressed": "engine.compressed.compressed",
    "declarations": "views.named",
    "diff": "views.derivatives.differentiate",
    "equals": "views.equals",
    "evaluate": "engine.evaluate",
    "explain": "explaining.derivation",
    "expr_latex": "writing.index.latex",
    "expr_text": "writing.index.text",
    "formula": "writing.matrix.formula",
    "from_sympy": "interop.read_sympy",
    "lacking": "views.named",
    "layout_of": "views.derivatives.projection",
    "layouts": "views.derivatives.panel",
    "matrix_array": "views.derivatives.projection",
    "matrix_expr": "views.derivatives.projection",
    "minimize_args": "interop.optimizers",
    "parse": "reading.reader",
    "picked": "views.choosing.keys",
    "preflight": "engine.preflight",
    "ranges_told": "writing.index.text",
    "rearrange": "interop.axes",
    "reduce": "interop.axes",
    "repeat": "interop.axes",
    "replaced": "views.named",
    "tensors_in": "views.named",
    "size_number": "views.array",
    "to_source": "engine.compile.source",
    "to_sympy": "interop.write_sympy",
    "to_xarray": "interop.named_axes",
    "verify": "checking.verify",
}
"""The module of each name; the imports above say the same to type checkers."""

PUBLIC = {
    "check": "check",
    "compile": "compile_expressions",
    "compressed": "compressed",
    "explain": "explain",
    "from_sympy": "from_sympy",
    "minimize_args": "minimize_args",
    "parse": "parse",
    "preflight": "preflight",
    "rearrange": "rearrange",
    "reduce": "reduce",
    "repeat": "repeat",
    "to_source": "to_source",
    "verify": "verify",
}
"""What few programs need, or need late, by its name in `indexcalc`: the name here."""


def __getattr__(name: str) -> Any:
    """The function of this name, which stays here once it is loaded."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"indexcalc.{MODULES[name]}"), name)
    globals()[name] = found
    return found
