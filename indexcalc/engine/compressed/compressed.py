"""Compressed results of expressions, and what they would cost: the factors computed once, and held as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, overload

import numpy as np

from indexcalc.engine.bind.declared import check_declared
from indexcalc.engine.bind.given import with_functions
from indexcalc.engine.bind.inputs import FLOATS, cast, common_dtype, size_of
from indexcalc.engine.bind.named import bound_inputs, keyword_or_input
from indexcalc.engine.bind.own import calls_below, with_own
from indexcalc.engine.compressed.blocks import Blocks
from indexcalc.engine.compressed.factors import HeldTerm, factors
from indexcalc.engine.compressed.held import Compressed, HeldArrays
from indexcalc.engine.emit.numpy.function import Code, function_of
from indexcalc.engine.emit.numpy_code import emit
from indexcalc.engine.limits import most_bytes
from indexcalc.engine.measure import total_flops
from indexcalc.engine.program import Input, Program
from indexcalc.engine.wanted import Evaluable, Sides
from indexcalc.errors import Asked, InputError, KindError
from indexcalc.graph.node import Call, Node, Variable, topological
from indexcalc.simplify.passes import simplify
from indexcalc.surface import public


@overload
def compressed(
    D: Evaluable, values: Mapping[Any, Any] | None = None, /, *, memory_limit: Any = None, **named: Any
) -> Compressed: ...
@overload
def compressed(
    D: list[Any] | tuple[Any, ...],
    values: Mapping[Any, Any] | None = None,
    /,
    *,
    memory_limit: Any = None,
    **named: Any,
) -> Blocks: ...
@public
def compressed(
    D: Any,
    values: Mapping[Any, Any] | None = None,
    /,
    *,
    memory_limit: Any = None,
    **named: Any,
) -> Compressed | Blocks:
    """A derivative, or any expression, held as factors; a list, or a list of lists, as a grid of blocks.

    Inputs are given as to `evaluate`. What is held is computed once; a dense array of more than `memory_limit`,
    bytes or a text such as "4GB" (half of the machine's memory), is never made.

    >>> import indexcalc as ic
    >>> T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
    >>> H = ic.hessian(((T - U @ V.T)**2).sum(), U)
    >>> ic.compressed(H, V=[[1, 2], [3, 4], [5, 6]], m=4)
    D[i,j,k,l] = 2*δ[i,k] ⊗ H1[j,l]
    8 × 8, held in 32 bytes (dense: 512)
    H1: 2×2
    """
    rows = [[D]] if isinstance(D, Evaluable) else grid(D, "compressed")
    views = [view for row in rows for view in row]
    if memory_limit is not None:
        memory_limit = keyword_or_input("memory_limit", memory_limit, [view.wanted() for view in views], named)
    blocks = _made(views, values, named, most_bytes(memory_limit, "compressed"))
    if isinstance(D, Evaluable):
        return blocks[0]
    width = len(rows[0])
    return Blocks([blocks[k : k + width] for k in range(0, len(blocks), width)])


def grid(D: Any, asked: str) -> list[list[Evaluable]]:
    """Views in rows of one length: a list is one row, or a column of one if it has lists."""
    if not isinstance(D, list | tuple) or not D:
        raise KindError(f"{asked}({D!r})", f"a {type(D).__name__} is no expression", "give one, a list, or rows")
    rows = [list(row) for row in D] if all(isinstance(row, list | tuple) for row in D) else [list(D)]
    if len({len(row) for row in rows}) > 1 or not rows[0]:
        lengths = [len(row) for row in rows]
        raise InputError(f"{asked} of a grid", f"rows of {lengths} blocks", "give rows of one length")
    for view in (view for row in rows for view in row):
        if not isinstance(view, Evaluable):
            raise KindError(f"{asked} of a grid", f"{view!r} is no expression", "give derivatives or expressions")
    return rows


KEPT = 64
"""Plans that are kept, for graphs, sizes and dtypes: an arbitrary budget, which bounds their memory."""


def _made(
    views: Sequence[Evaluable], values: Mapping[Any, Any] | None, named: Mapping[str, Any], limit: int
) -> list[Compressed]:
    given = [view.sides() for view in views]
    asked = Asked(lambda: f"compressed {', '.join(map(str, views))}")
    key = None if values else _shapes([side.node for side in given], named)
    known = PLANNED.get(key) if key else None
    calls: dict[str, Any] = {}
    if known is None:
        known, arrays, calls = _bound(views, given, values, named, asked)
        if key and all(array is named[node.label] for node, array in arrays.items()) and not known.calls:
            PLANNED[key] = known
            for oldest in list(PLANNED)[:-KEPT]:
                PLANNED.pop(oldest, None)  # another thread may have been faster
    else:
        arrays = {node: named[node.label] for node in known.inputs}
    check_declared(arrays)
    _check(known.plan.code.peak, limit, asked)
    run, dtype = known.plan.run, known.dtype
    if known.calls:
        run = with_functions(run, with_own(calls, known.calls, "numpy"), known.calls, dtype)
    held = HeldArrays(
        tuple(cast(np.asarray(a), dtype) for a in run(*[cast(arrays[node], dtype) for node in known.used])),
        known.plan.titles,
        dtype,
        limit,
    )
    return [
        Compressed(held, terms, dims, side.rows, side.names)
        for terms, dims, side in zip(known.plan.terms, known.dims, given, strict=True)
    ]


class HeldPlan(NamedTuple):
    """How compressed results are made: their terms, what the arrays are called, and the function that makes them."""

    terms: list[list[HeldTerm]]
    titles: tuple[str, ...]
    code: Code
    run: Callable[..., Any]


class PlannedInputs(NamedTuple):
    """A plan for inputs of certain shapes: what may be given, what it takes, their dtype, and the sizes of all axes."""

    plan: HeldPlan
    inputs: tuple[Variable, ...]
    used: tuple[Variable, ...]
    dtype: np.dtype[Any]
    dims: list[tuple[int, ...]]
    calls: dict[str, Call]


PLANNED: dict[Any, PlannedInputs] = {}
"""The last plans by nodes, and by names, shapes and dtypes of arrays: with new numbers nothing is planned anew."""


def _shapes(nodes: Sequence[Node], named: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """By what a plan is known, where all inputs are arrays that are taken as they are, or sizes."""
    found: list[Any] = []
    for name, value in named.items():
        if type(value) is np.ndarray and value.dtype in FLOATS:
            found.append((name, value.shape, value.dtype))
        elif type(value) is int:
            found.append((name, value))
        else:
            return None
    return *nodes, *found


def _bound(
    views: Sequence[Evaluable],
    given: Sequence[Sides],
    values: Mapping[Any, Any] | None,
    named: Mapping[str, Any],
    asked: Asked,
) -> tuple[PlannedInputs, dict[Variable, Any], dict[str, Any]]:
    """The plan for these inputs, the arrays by variable, and the functions that were given."""
    roots = _simplified(tuple(side.node for side in given))
    inputs, sizes, calls = bound_inputs([view.wanted() for view in views], roots, values, named, asked)
    below = {node.label for node in topological(roots) if isinstance(node, Variable)}
    used = tuple(node for node in inputs if node.label in below)
    dtype = common_dtype(inputs[node] for node in used)
    mixed = tuple(node.label for node in used if inputs[node].dtype.kind == "c")
    plan = _planned(roots, tuple(sizes.items()), tuple(node.label for node in used), dtype, mixed)
    dims = [tuple(extents(side.node, sizes)) for side in given]
    return PlannedInputs(plan, tuple(inputs), used, dtype, dims, calls_below(roots)), inputs, calls


@lru_cache(maxsize=KEPT)
def _simplified(roots: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(simplify(roots))


@lru_cache(maxsize=KEPT)
def _planned(
    roots: tuple[Node, ...],
    sizes: tuple[tuple[str, int], ...],
    used: tuple[str, ...],
    dtype: np.dtype[Any],
    mixed: tuple[str, ...],
) -> HeldPlan:
    """The plan for these sizes, whose function takes the arrays of what is used, of which `mixed` are complex."""
    program, terms = factors(roots, dict(sizes), dtype.kind != "c")
    code = emit(program, {name: f"a_{name}" for name in used}, dtype, mixed)
    run: Callable[..., Any] = function_of(code, [f"a_{name}" for name in used], False, quiet=code.quiet)
    return HeldPlan(terms, _titles(program), code, run)


def extents(node: Node, sizes: Mapping[str, int]) -> list[int]:
    """The sizes of the axes of a node."""
    return [size_of(dimension, sizes) for dimension in node.dims]


def _titles(program: Program) -> tuple[str, ...]:
    """Inputs go by their names, what was computed by a number."""
    titles: list[str] = []
    count = 0
    for value in program.results:
        step = program.steps[value]
        if isinstance(step, Input):
            titles.append(step.name)
        else:
            count += 1
            titles.append(f"H{count}")
    return tuple(titles)


def _check(needed: int, limit: int, asked: Asked) -> None:
    if needed > limit:
        raise InputError(
            asked,
            f"its factors take {needed:,} bytes at once, and the limit is {limit:,}",
            "give a larger memory_limit",
        )


class Cost(NamedTuple):
    """What a compressed result costs: its bytes, the operations and the bytes at once to make it, and its terms."""

    nbytes: int
    flops: int
    peak_bytes: int
    shown: str


def cost(roots: Sequence[Node], sizes: Mapping[str, int], dtype: Any, names: Sequence[Sequence[str]]) -> Cost:
    """What compressed results cost; nothing is computed."""
    kind = np.dtype(dtype)
    program, terms = factors(roots, sizes, kind.kind != "c")
    code = emit(program, {name: f"a_{name}" for name in program.inputs}, kind)
    entries = sum(prod(program.steps[value].shape) for value in program.results)
    blank = HeldArrays((), _titles(program), np.dtype(np.float64), 0)
    shown = "; ".join(str(Compressed(blank, t, (), 0, n)) for t, n in zip(terms, names, strict=True))
    return Cost(entries * kind.itemsize, total_flops(program), code.peak, shown)
