"""Graphs evaluated at once: a program that is planned, and called; the last ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import indexcalc.functions  # noqa: F401  (fills the tables)
from indexcalc.engine.bind.given import with_functions
from indexcalc.engine.bind.inputs import (
    Numbers,
    cast,
    common_dtype,
    require,
    to_array,
)
from indexcalc.engine.emit.numpy.function import function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.limits import largest_shape, memory_limit, require_fit
from indexcalc.engine.plan.plan import Options, plan
from indexcalc.engine.program import Program
from indexcalc.graph.constructors import variable
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.graph.walk import substitute

KEPT = 128
"""How many programs are kept."""
AS_WRITTEN = Options(search=False)
"""No program is looked for, unless the one that is written would run long: then it is that of a compiled function."""

Sizes = tuple[tuple[str, int], ...]


class Inputs(NamedTuple):
    """What roots need: arrays of variables, and functions by name; `roots` have a name of its own for each variable."""

    roots: tuple[Node, ...]
    variables: tuple[Variable, ...]
    names: tuple[str, ...]
    functions: dict[str, Call]


def evaluate(
    roots: Sequence[Node],
    arrays: Mapping[Variable, Numbers],
    sizes: Mapping[str, int] | None = None,
    functions: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
) -> list[Numbers]:
    """The value of each root, a new array that may be written to and may have any strides.

    `arrays` and `sizes` are what `bind` gives. `functions` has a callable for each abstract function and derivative by
    its name (`u`, `Du`, `D2u`), which gets and gives arrays, and may have an array for a named gradient. Every result
    has the precision of the inputs (double if one is, or if there is none), numbers in the expression widen nothing,
    and what does not depend on a complex input is real.

    Overflow, division by zero and invalid operations come out quietly, as inf and nan. A value of more than `limit`
    bytes (by default half of the machine's memory) is an InputError, raised before anything is computed.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> x = variable("x", (3,))
    >>> evaluate([einsum(2, [(x, "i")], "ii")], {x: np.ones(3)})
    [array([[2., 0., 0.],
           [0., 2., 0.],
           [0., 0., 2.]])]
    """
    wanted, extents = tuple(roots), tuple((sizes or {}).items())
    inputs = _inputs(wanted)
    require([one for one in inputs.variables if one not in arrays])
    given = {name: f if callable(f) else to_array(f, name) for name, f in (functions or {}).items()}
    used = [arrays[one] for one in inputs.variables]
    dtype = common_dtype([*used, *(value for value in given.values() if not callable(value))])
    largest = _program(wanted, extents)[1]
    most = memory_limit() if limit is None else limit
    require_fit(largest, dtype.itemsize, most, "evaluate", "evaluate less of it at once, or give a larger memory_limit")
    mixed = tuple(name for name, array in zip(inputs.names, used, strict=True) if array.dtype.kind == "c")
    run = _function(wanted, extents, dtype, mixed)
    if inputs.functions:
        run = with_functions(run, given, inputs.functions, dtype)
    return [np.asarray(value) for value in run(*(cast(array, dtype) for array in used))]


@lru_cache(maxsize=KEPT)
def _inputs(roots: tuple[Node, ...]) -> Inputs:
    order = topological(roots)
    variables = tuple(node for node in order if isinstance(node, Variable))
    named: dict[str, Variable] = {}
    for one in variables:
        name = one.label
        while name in named:
            name += "_"
        named[name] = one
    others: dict[Node, Node] = {
        one: variable(name, one.dims, one.assumptions) for name, one in named.items() if name != one.label
    }
    own = tuple(substitute(roots, others)) if others else roots
    return Inputs(own, variables, tuple(named), {node.name: node for node in order if isinstance(node, Call)})


@lru_cache(maxsize=KEPT)
def _program(roots: tuple[Node, ...], sizes: Sizes) -> tuple[Program, tuple[int, ...]]:
    """The program, and the shape of its largest array."""
    made = plan(_inputs(roots).roots, dict(sizes), AS_WRITTEN)
    return made, largest_shape(made)


@lru_cache(maxsize=KEPT)
def _function(
    roots: tuple[Node, ...], sizes: Sizes, dtype: np.dtype[Any], mixed: tuple[str, ...]
) -> Callable[..., list[Any]]:
    """The program as a function of the arrays of all variables; those that are `mixed` are complex."""
    names = {name: f"a_{name}" for name in _inputs(roots).names}
    code = emit(_program(roots, sizes)[0], names, dtype, mixed)
    return function_of(code, list(names.values()), False, quiet=True)
