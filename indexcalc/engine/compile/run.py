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
from indexcalc.engine.bind.own import calls_below, with_own
from indexcalc.engine.compile.arranged import Arranged, Job, arrange, function
from indexcalc.engine.limits import memory_limit
from indexcalc.engine.plan.plan import Options
from indexcalc.graph.constructors import variable
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.simplify.passes import simplify

KEPT = 128
"""How many programs are kept."""
AS_WRITTEN = Options(search=False)
"""No program is looked for, unless the one that is written would run long: then it is that of a compiled function."""
LITTLE = 2**20
"""Bytes: so is a program that needs more at once. Below both, to look for one takes up to three times as long as the
whole first evaluation of it as it is written."""
INSTEAD = "evaluate less of it at once, or give a larger memory_limit"
"""What to do where a program needs too much memory."""

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

    Overflow, division by zero and invalid operations come out quietly, as inf and nan. A program that needs more than
    `limit` bytes at once (by default half of the machine's memory) is an InputError, raised before anything is
    computed.

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
    mixed = tuple(name for name, array in zip(inputs.names, used, strict=True) if array.dtype.kind == "c")
    made = _chosen(wanted, extents, dtype, mixed).made
    made.require(memory_limit() if limit is None else limit, dtype, "evaluate", INSTEAD)
    run = _function(wanted, extents, dtype, mixed)
    if inputs.functions:
        run = with_functions(run, with_own(given, inputs.functions, "numpy"), inputs.functions, dtype)
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
    return Inputs(own, variables, tuple(named), calls_below(roots))


class Chosen(NamedTuple):
    """A job, and the program that was arranged for it."""

    job: Job
    made: Arranged


@lru_cache(maxsize=KEPT)
def _chosen(roots: tuple[Node, ...], sizes: Sizes, dtype: np.dtype[Any], mixed: tuple[str, ...]) -> Chosen:
    """The program as it is written where that takes little, else the one that is compiled; `mixed` are complex."""
    inputs = _inputs(roots)
    dims = {name: one.dims for name, one in zip(inputs.names, inputs.variables, strict=True)}
    job = Job(inputs.roots, dims, AS_WRITTEN, whole=True, quiet=True)
    found = arrange(job, dict(sizes), dtype, mixed)
    if found.code.peak > LITTLE:
        roots = tuple(simplify(inputs.roots))
        job = job._replace(roots=roots, options=Options(), whole=bool(inputs.functions))
        found = arrange(job, dict(sizes), dtype, mixed)
    return Chosen(job, found)


@lru_cache(maxsize=KEPT)
def _function(
    roots: tuple[Node, ...], sizes: Sizes, dtype: np.dtype[Any], mixed: tuple[str, ...]
) -> Callable[..., list[Any]]:
    """The program as a function of the arrays of all variables; those that are `mixed` are complex."""
    job, made = _chosen(roots, sizes, dtype, mixed)
    return function(job, made)
