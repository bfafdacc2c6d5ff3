"""What a plain `import indexcalc` need not load, and what views reach above themselves: imported when first used.

Views are made at once; evaluation, text, layouts, the reader and the checks are loaded by whoever asks for them, and
`import indexcalc` stays light. `later.evaluate` is the function; nothing else in the package imports late, but for
`Expr.array` (the two views make each other).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexcalc.calculus.derivative import derive as derive
    from indexcalc.checking.check import check as check
    from indexcalc.checking.verify import verify as verify
    from indexcalc.drawing.diagram import Diagram as Diagram
    from indexcalc.drawing.diagram import Strip as Strip
    from indexcalc.drawing.diagram import diagram as diagram
    from indexcalc.drawing.diagram import strip as strip
    from indexcalc.drawing.plots import Plot as Plot
    from indexcalc.drawing.plots import plan_plot as plan_plot
    from indexcalc.drawing.plots import plot as plot
    from indexcalc.engine.compile.backends import compile_expressions as compile_expressions
    from indexcalc.engine.compile.dask_arrays import OnDask as OnDask
    from indexcalc.engine.compile.source import to_source as to_source
    from indexcalc.engine.compressed.compressed import compressed as compressed
    from indexcalc.engine.compressed.held import Compressed as Compressed
    from indexcalc.engine.emit.workspace import free_workspace as free_workspace
    from indexcalc.engine.evaluate import evaluate as evaluate
    from indexcalc.engine.preflight import preflight as preflight
    from indexcalc.explaining.derivation import explain as explain
    from indexcalc.foreign import answer as answer
    from indexcalc.interop.axes import rearrange as rearrange
    from indexcalc.interop.axes import reduce as reduce
    from indexcalc.interop.axes import repeat as repeat
    from indexcalc.interop.named_axes import to_xarray as to_xarray
    from indexcalc.interop.optimizers import minimize_args as minimize_args
    from indexcalc.interop.read_sympy import from_sympy as from_sympy
    from indexcalc.interop.write_sympy import to_sympy as to_sympy
    from indexcalc.page.server import serve as serve
    from indexcalc.reading.reader import parse as parse
    from indexcalc.simplify.passes import canonical as canonical
    from indexcalc.simplify.passes import expand as expand
    from indexcalc.simplify.passes import simplify as simplify
    from indexcalc.simplify.same import is_exhaustive as is_exhaustive
    from indexcalc.simplify.same import key_of as key_of
    from indexcalc.simplify.same import simplest as simplest
    from indexcalc.simplify.same import without_definitions as without_definitions
    from indexcalc.views.array import Array as Array
    from indexcalc.views.array import size_number as size_number
    from indexcalc.views.choosing.keys import picked as picked
    from indexcalc.views.derivatives.derivative import Derivative as Derivative
    from indexcalc.views.derivatives.differentiate import derivative as derivative
    from indexcalc.views.derivatives.differentiate import diff as diff
    from indexcalc.views.derivatives.differentiate import differential as differential
    from indexcalc.views.derivatives.differentiate import grad as grad
    from indexcalc.views.derivatives.differentiate import hessian as hessian
    from indexcalc.views.derivatives.differentiate import hvp as hvp
    from indexcalc.views.derivatives.differentiate import jvp as jvp
    from indexcalc.views.derivatives.differentiate import vjp as vjp
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
    from indexcalc.writing.equation import aligned as aligned
    from indexcalc.writing.equation import equation as equation
    from indexcalc.writing.equation import left_name as left_name
    from indexcalc.writing.index.latex import expr_latex as expr_latex
    from indexcalc.writing.index.text import expr_text as expr_text
    from indexcalc.writing.index.text import ranges_told as ranges_told
    from indexcalc.writing.matrix.formula import Formula as Formula
    from indexcalc.writing.matrix.formula import array_latex as array_latex
    from indexcalc.writing.matrix.formula import array_ranges as array_ranges
    from indexcalc.writing.matrix.formula import array_text as array_text
    from indexcalc.writing.matrix.formula import formula as formula
    from indexcalc.writing.typed import as_typed as as_typed

MODULES = {
    "aligned": "writing.equation",
    "answer": "foreign",
    "Array": "views.array",
    "array_latex": "writing.matrix.formula",
    "array_ranges": "writing.matrix.formula",
    "array_text": "writing.matrix.formula",
    "as_typed": "writing.typed",
    "canonical": "simplify.passes",
    "check": "checking.check",
    "compile_expressions": "engine.compile.backends",
    "compressed": "engine.compressed.compressed",
    "Compressed": "engine.compressed.held",
    "declarations": "views.named",
    "Derivative": "views.derivatives.derivative",
    "derivative": "views.derivatives.differentiate",
    "derive": "calculus.derivative",
    "Diagram": "drawing.diagram",
    "diagram": "drawing.diagram",
    "diff": "views.derivatives.differentiate",
    "differential": "views.derivatives.differentiate",
    "Equality": "views.equals",
    "equals": "views.equals",
    "equation": "writing.equation",
    "evaluate": "engine.evaluate",
    "expand": "simplify.passes",
    "explain": "explaining.derivation",
    "expr_latex": "writing.index.latex",
    "expr_text": "writing.index.text",
    "Formula": "writing.matrix.formula",
    "formula": "writing.matrix.formula",
    "from_sympy": "interop.read_sympy",
    "grad": "views.derivatives.differentiate",
    "hessian": "views.derivatives.differentiate",
    "hvp": "views.derivatives.differentiate",
    "is_exhaustive": "simplify.same",
    "jvp": "views.derivatives.differentiate",
    "free_workspace": "engine.emit.workspace",
    "key_of": "simplify.same",
    "lacking": "views.named",
    "left_name": "writing.equation",
    "layout_of": "views.derivatives.projection",
    "Layouts": "views.derivatives.panel",
    "layouts": "views.derivatives.panel",
    "matrix_array": "views.derivatives.projection",
    "matrix_expr": "views.derivatives.projection",
    "minimize_args": "interop.optimizers",
    "OnDask": "engine.compile.dask_arrays",
    "parse": "reading.reader",
    "picked": "views.choosing.keys",
    "plan_plot": "drawing.plots",
    "Plot": "drawing.plots",
    "plot": "drawing.plots",
    "preflight": "engine.preflight",
    "ranges_told": "writing.index.text",
    "rearrange": "interop.axes",
    "reduce": "interop.axes",
    "repeat": "interop.axes",
    "replaced": "views.named",
    "serve": "page.server",
    "simplest": "simplify.same",
    "simplify": "simplify.passes",
    "size_number": "views.array",
    "Strip": "drawing.diagram",
    "strip": "drawing.diagram",
    "tensors_in": "views.named",
    "to_source": "engine.compile.source",
    "to_sympy": "interop.write_sympy",
    "to_xarray": "interop.named_axes",
    "verify": "checking.verify",
    "vjp": "views.derivatives.differentiate",
    "without_definitions": "simplify.same",
}
"""The module of each name; the imports above say the same to type checkers."""

PUBLIC = {
    "check": "check",
    "compile": "compile_expressions",
    "compressed": "compressed",
    "derivative": "derivative",
    "diff": "diff",
    "differential": "differential",
    "explain": "explain",
    "free_workspace": "free_workspace",
    "from_sympy": "from_sympy",
    "grad": "grad",
    "hessian": "hessian",
    "hvp": "hvp",
    "jvp": "jvp",
    "minimize_args": "minimize_args",
    "parse": "parse",
    "preflight": "preflight",
    "rearrange": "rearrange",
    "reduce": "reduce",
    "repeat": "repeat",
    "to_source": "to_source",
    "verify": "verify",
    "vjp": "vjp",
}
"""What few programs need, or need late, by its name in `indexcalc`: the name here."""


def __getattr__(name: str) -> Any:
    """The function of this name, which stays here once it is loaded."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"indexcalc.{MODULES[name]}"), name)
    globals()[name] = found
    return found
