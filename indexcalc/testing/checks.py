"""Checks of rules, derivatives, layouts and texts by numbers, for tests and for doubters: true or false.

Each says what it found, so `assert check_derivative(f, x)` shows where a derivative is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from indexcalc.calculus.structure import tangent_words
from indexcalc.checking.point import point
from indexcalc.checking.verify import AUTOMATIC, Trial, Verification, verify
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import Numbers, symbols_below
from indexcalc.engine.compile.backends import compile_expressions
from indexcalc.errors import InputError, KindError, NoRuleError, NotationError, did_you_mean
from indexcalc.functions.table import (
    ELEMENTWISE,
    MATRICES,
    REDUCTIONS,
    ElementwiseFunction,
    MatrixFunction,
    ReductionFunction,
    apply_matrix,
)
from indexcalc.graph.constructors import einsum, elementwise, reduction, variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Call, Variable, topological
from indexcalc.index import Index
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.reading.reader import parse
from indexcalc.testing.definitions import laid_out
from indexcalc.testing.programs.operations import PARAMETER
from indexcalc.testing.programs.reference import TableRow
from indexcalc.views.array import Array
from indexcalc.views.declare import tensor
from indexcalc.views.derivatives.derivative import ArrayDerivative, Derivative
from indexcalc.views.derivatives.differentiate import derivative, diff
from indexcalc.views.derivatives.projection import layout_of
from indexcalc.views.expr import Expr
from indexcalc.views.functions.abstract import AbstractFunction
from indexcalc.views.named import place_of
from indexcalc.views.view import View

SIZES = ((3, 2, 4), (1, 3, 2))
"""The sizes of a point, for symbols in the order of the alphabet: unequal ones, and 1 among them."""
MOST_AXES = 4
"""Axes of a second derivative that is checked: more have thousands of entries, and no other rule in them."""
CLOSE = 1e-9
"""How far numbers of one thing, made in two ways, may be apart, relative to the largest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something holds; printed, it says what was compared, or how it differs."""

    holds: bool
    text: str

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return self.text


# ------------------------------------------------------------------ derivatives


def check_derivative(y: View, wrt: Any, result: Any = None, *, order: int = 2, seed: int = 0) -> Verification:
    """Compare the derivative of `y` by `wrt` with numbers: finite differences, complex steps, and JAX if it is there.

    `result` is the derivative to check: by default the one that the library derives, whatever the structure of `wrt`,
    and the second derivative too, unless `order` is 1. Points are random, at sizes 1 to 5 that differ; JAX
    differentiates the expression itself in float64, along a random direction. What comes back is true or false, and
    says where it is worst: see `ic.verify`.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x = ic.tensor("x", "n")
    >>> bool(check_derivative(ic.sin(x[i])*x[i], x[i].rename({i: ic.index("k")})))
    True
    >>> bool(check_derivative(x @ x, x, 3*x))
    False
    """
    if order not in (1, 2):
        raise KindError(f"check_derivative(..., order={order!r})", "derivatives are checked to order 2", "give 1 or 2")
    indexed = isinstance(y, Expr) or isinstance(wrt, Expr)
    made: Callable[..., Any] = diff if indexed else derivative
    first = made(y, wrt, structure="free") if result is None else result
    trials = list(verify(first, of=y, wrt=wrt, seed=seed).trials)
    if result is None and order == 2 and y.order + 2 * wrt.order <= MOST_AXES:
        again = _renamed(wrt) if isinstance(wrt, Expr) else wrt
        second = made(first, again, structure="free")
        trials += verify(second, of=first, wrt=again, seed=seed).trials
    trials += _by_jax(y, wrt, first, seed)
    return Verification(tuple(trials), seed)


def _renamed(target: Expr) -> Expr:
    """The same tensor with other indices."""
    return target.rename({index: Index(f"{index.name}_2", index.batch) for index in target.free})


ROUNDING, UNSTEADY = 1e-14, 1e-6
"""What is a rounding of an input, and the change of a derivative by it that says that there is none."""


def _by_jax(y: View, wrt: View, result: View, seed: int) -> list[Trial]:
    """The trials against JAX, at two sets of sizes; none where JAX is not there, or can't be asked this."""
    target, _ = place_of(wrt, "check_derivative")
    arrays = _as_arrays(y, wrt, result)
    if not find_spec("jax") or arrays is None or not isinstance(target, Variable) or target not in arrays[0].inputs:
        return []
    free = not isinstance(result, Derivative | ArrayDerivative) or "independent" not in result.structure
    abstract = any(isinstance(node, Call) for node in topological([y.node]))
    if abstract or not free or target.assumptions & {"orthogonal", "stochastic"}:
        return []
    symbols = sorted(symbols_below([view.node for view in arrays] + [*y.inputs]))
    found = []
    for row in SIZES:
        sizes = {name: row[k % len(row)] for k, name in enumerate(symbols)}
        trial = _jax_trial(*arrays, target, sizes, seed)
        found += [trial] if trial is not None else []
    return found


def _as_arrays(y: View, wrt: View, result: View) -> tuple[Array, Array] | None:
    """Value and derivative as Arrays, axes of the value, then of the tensor; None where they share an index."""
    if isinstance(y, Array) and isinstance(result, Array):
        return y, result
    own = tuple(index for view in (y, wrt) if isinstance(view, Expr) for index in view.free)
    if not isinstance(result, Expr) or set(result.free) != set(own) or len(set(own)) < len(own):
        return None
    return (y.array(*y.free) if isinstance(y, Expr) else Array(y.node, y.inputs)), result.array(*own)


def _jax_trial(y: Array, result: Array, target: Variable, sizes: Mapping[str, int], seed: int) -> Trial | None:
    """One trial; None where JAX lacks a function, or rounding alone changes the derivative, as of a singular matrix."""
    jax = import_module("jax")
    given = point(result, sizes, seed) | point(y, sizes, seed)
    linear = variable(target.label, target.shape, tangent_words(target), symmetry_of(target))
    shape = np.shape(given[target.label])
    along = np.asarray(respecting(linear, np.random.default_rng([seed, 1]).uniform(-1, 1, shape)))

    def slope(at: Mapping[str, Any]) -> Any:
        slopes = np.asarray(result.evaluate(**_taken(result, at, sizes)))
        opened = slopes.reshape(*slopes.shape[: slopes.ndim - along.ndim], *shape)
        return np.asarray(np.tensordot(opened, along, along.ndim))

    shaken = given[target.label] * (1 + ROUNDING * np.random.default_rng([seed, 2]).uniform(-1, 1, shape))
    try:
        claimed, nearby = slope(given), slope({**given, target.label: shaken})
    except InputError:  # a matrix that is singular
        return None
    if np.max(np.abs(nearby - claimed), initial=0.0) > UNSTEADY * np.max(np.abs(claimed), initial=1.0):
        return None
    inputs = sorted(y.inputs, key=lambda one: one.label)
    rest = {name: sizes[name] for name in symbols_below([y.node]) - symbols_below(inputs)}
    with jax.enable_x64(True):
        function = compile_expressions(y, [Array(one) for one in inputs], backend="jax")
        arrays = {one.label: jax.numpy.asarray(given[one.label]) for one in inputs}

        def run(x: Any) -> Any:
            return function(*{**arrays, target.label: x}.values(), **rest)

        try:
            value, measured = map(np.asarray, jax.jvp(run, (arrays[target.label],), (jax.numpy.asarray(along),)))
        except NoRuleError:  # JAX has no such function
            return None
    here = np.isfinite(measured) & np.isfinite(value)  # elsewhere the derivative does not exist
    with np.errstate(invalid="ignore"):
        gap = np.where(here, np.nan_to_num(np.abs(measured - claimed), nan=np.inf), 0)
    entry = tuple(map(int, np.unravel_index(int(np.argmax(gap)), gap.shape))) if gap.ndim and gap.size else ()
    scale = max(1.0, float(np.max(np.abs(measured[here]), initial=0.0)))
    error = float(np.max(gap, initial=0.0)) / scale
    return Trial(
        f"by {target.label}", AUTOMATIC, dict(sizes), error, entry, float(claimed[entry]), float(measured[entry])
    )


# ------------------------------------------------------------------ rules


def check_rule(
    function: str | TableRow | Callable[..., Any], *shapes: str, rule: Callable[..., Any] | None = None, seed: int = 0
) -> Verification:
    """Compare the derivative of a function by each of its arguments with numbers, to second order.

    `function` is the name of a row of the table of functions, the row itself, or a Python function of tensors with
    these `shapes`: `check_rule(swish, "n")`. With `rule`, a function of the same tensors, its value is what is checked:
    the derivative by the first argument, axes of the value, then of the argument; or, of what acts entry by entry,
    the slope of each entry. A function of one's own, `ic.function(...)`, is held against its own numbers.

    >>> import indexcalc as ic
    >>> def swish(x):
    ...     return x*ic.sigmoid(x)
    >>> bool(check_rule(swish, "n")), bool(check_rule("softmax"))
    (True, True)
    >>> bool(check_rule(swish, "n", rule=lambda x: ic.sigmoid(x)))
    False
    """
    if isinstance(function, str):
        table: dict[str, TableRow] = {**ELEMENTWISE, **REDUCTIONS, **MATRICES}
        if function not in table:
            raise NotationError(f"check_rule({function!r})", "no function of this name", did_you_mean(function, table))
        function = table[function]
    if isinstance(function, ElementwiseFunction | ReductionFunction | MatrixFunction):
        return _check_row(function, seed)
    if isinstance(function, AbstractFunction):
        return _check_own(function, seed)
    tensors = [tensor(f"x{k}", shape) for k, shape in enumerate(shapes)]
    y = function(*tensors)
    if rule is None:
        return _together([check_derivative(y, one, seed=seed) for one in tensors], seed)
    claimed = rule(*tensors)
    if claimed.node.dims == y.node.dims == tensors[0].node.dims and y.order:  # the slope of each entry: on a diagonal
        axes = range(y.order)
        claimed = Array(einsum(1, [(claimed.node, axes)], (*axes, *axes)), claimed.inputs)
    return check_derivative(y, tensors[0], claimed, seed=seed)


def _together(found: list[Verification], seed: int) -> Verification:
    return Verification(tuple(trial for one in found for trial in one.trials), seed)


def _check_own(function: AbstractFunction, seed: int) -> Verification:
    """A function of one's own, by each argument that has a rule; to second order where the rule has derivatives."""
    signature = function.signature
    places = ["n"] if signature.entrywise else []
    tensors = [tensor(f"x{k}", [*places, *dims]) for k, dims in enumerate(signature.args)]
    y, found = function(*tensors), []
    for one, rule in zip(tensors, signature.rules or [None] * len(tensors), strict=True):
        if rule is None:
            continue
        first = derivative(y, one)
        found.append(verify(first, seed=seed))
        with suppress(NoRuleError):
            second = derivative(first, one)
            calls = [node for node in topological([second.node]) if isinstance(node, Call)]
            if not any(call.function.numeric and any(call.orders) for call in calls):
                found.append(verify(second, seed=seed))
    if not found:
        raise NotationError(
            f"check_rule({function!r})", "it was declared without a rule", "declare it with derivative="
        )
    return _together(found, seed)


def _check_row(row: TableRow, seed: int) -> Verification:
    """A function of the table, by each argument."""
    params = (PARAMETER,) * len(row.params)
    if isinstance(row, ElementwiseFunction):
        tensors = [tensor(f"x{k}", "n") for k in range(row.arity)]
        node: Any = elementwise(row.name, [(one.node, (0,)) for one in tensors], tensors[0].node.dims, params)
    elif isinstance(row, ReductionFunction):
        tensors = [tensor("x0", "n n" if row.square else "n m")]
        node = reduction(row.name, tensors[0].node, (0, 1) if row.axes == 2 else (1,), row.keeps, params)
    else:
        words: dict[str, Any] = {"positive_definite": True} if row.turned is not None and row.square else {}
        tensors = [tensor("x0", "n n", **words)]
        node = apply_matrix(row.name, tensors[0].node, params)
    y = Array(node)
    return _together([check_derivative(y, one, seed=seed) for one in tensors], seed)


# ------------------------------------------------------------------ layouts, texts


def check_layout(D: Any, name: str, *, seed: int = 0) -> Answer:
    """Compare a layout of a derivative with its definition, entry by entry, at random numbers.

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
    >>> check_layout(ic.derivative(A @ ic.sin(x), x), "denominator")
    denominator: agrees entry by entry at m=3, n=2; m=1, n=3
    """
    if not isinstance(D, Derivative | ArrayDerivative):
        raise KindError(f"check_layout({D}, {name!r})", "it does not know its sides", "give ic.grad(...), say")
    laid = layout_of(D, name)
    symbols = sorted(symbols_below([D.node, laid.node, *D.inputs]))
    told = []
    for row in SIZES:
        sizes = {symbol: row[k % len(row)] for k, symbol in enumerate(symbols)}
        given = point(D, sizes, seed)
        order = {"order": (*D.of, *D.wrt)} if isinstance(D, Expr) else {}
        numbers = _packable(D, name, np.asarray(D.evaluate(**given, **order)))
        wanted = laid_out(name, numbers, len(D.of), [len(group) for group in D.groups])
        found = np.asarray(laid.evaluate(**_taken(laid, given, sizes)))
        if wanted is None or found.shape != wanted.shape:
            shape = "none" if wanted is None else str(wanted.shape)
            return Answer(False, f"{name}: has shape {found.shape}, by its definition {shape}")
        scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
        if not np.allclose(found, wanted, rtol=0, atol=CLOSE * scale, equal_nan=True):
            place = np.unravel_index(int(np.argmax(np.abs(found - wanted))), found.shape)
            at = ", ".join(map(str, place))
            return Answer(False, f"{name}: {found[place]:.6g} at entry [{at}], by its definition {wanted[place]:.6g}")
        told.append(", ".join(f"{symbol}={number}" for symbol, number in sizes.items()))
    return Answer(True, f"{name}: agrees entry by entry at {'; '.join(dict.fromkeys(told)) or 'its sizes'}")


def _packable(D: Derivative | ArrayDerivative, name: str, numbers: Numbers) -> Numbers:
    """The numbers as those of a free derivative, where a convention packs pairs: independent entries count twice."""
    if CONVENTIONS[name].pack is None:
        return numbers
    place = len(D.of)
    for group, how in zip(D.groups, D.structures, strict=True):
        if how == "independent":
            n = numbers.shape[place]
            share = np.reshape(0.5 + 0.5 * np.eye(n), (n, n) + (1,) * (numbers.ndim - place - 2))
            numbers = numbers * share
        place += len(group)
    return numbers


def _taken(view: View, given: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    """What an evaluation of this view takes of a point."""
    labels = {one.label for one in view.inputs} | symbols_below([view.node, *view.inputs])
    calls = {name for name, value in given.items() if callable(value)}
    return {name: value for name, value in {**sizes, **given}.items() if name in labels | calls}


def check_round_trip(e: Array | Expr) -> Answer:
    """Does the text of an expression read back as an equal one, `ic.parse(str(e), **e.declarations) == e`?

    >>> import indexcalc as ic
    >>> A, x = ic.tensor("A", "n n"), ic.tensor("x", "n")
    >>> check_round_trip(ic.grad(x @ A @ x, x))
    (A + A.T) @ x reads back
    """
    text = str(e)
    read = parse(text, **e.declarations)
    return Answer(read == e, f"{text} reads back" if read == e else f"{text} reads as {read}")
