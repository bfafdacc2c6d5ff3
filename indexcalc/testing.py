"""Checks of derivatives by numbers, for tests and for doubters.

`check_derivative` compares a derivative with central differences, extrapolated (Richardson), along random directions:
`(4 d(h) - d(2h)) / 3` with `d(h) = (y(x + h v) - y(x - h v)) / 2h`, whose error is of order h**4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexcalc.errors import Asked, InputError
from indexcalc.evaluate.declared import respecting
from indexcalc.evaluate.equality import symmetrised
from indexcalc.evaluate.run import evaluate
from indexcalc.functions.table import reduction_row
from indexcalc.graph.node import Matrix, Node, Reduction, Variable
from indexcalc.graph.walk import topological
from indexcalc.index import Dim, Index, size
from indexcalc.notation.array import Array
from indexcalc.notation.build import place_of
from indexcalc.notation.differentiate import derivative, diff
from indexcalc.notation.expr import Expr
from indexcalc.notation.view import View

LOW, HIGH = 0.2, 0.9
STEP = 1e-3
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a check: the worst relative error, at which sizes, and over how many directions."""

    error: float
    sizes: dict[str, int]
    directions: int

    def __bool__(self) -> bool:
        return self.error < 1e-6

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={value}" for name, value in self.sizes.items())
        verdict = "agrees with" if self else "DIFFERS from"
        return f"{verdict} finite differences: relative error {self.error:.1e}, {self.directions} random directions" + (
            f" at {sizes}" if sizes else ""
        )


def random_sizes(views: list[View], rng: np.random.Generator) -> dict[str, int]:
    """A size for each dimension symbol, 2 to 5, different as far as possible."""
    symbols = sorted(
        {name for view in views for v in view.inputs for dim in v.dims if isinstance(dim, Dim) for name in dim.symbols}
    )
    pool = [2 + k % 4 for k in range(len(symbols))]
    return dict(zip(symbols, map(int, rng.permutation(pool)), strict=True))


def random_inputs(
    views: list[View], sizes: Mapping[str, int], rng: np.random.Generator, low: float = LOW, high: float = HIGH
) -> dict[Variable, np.ndarray[Any, Any]]:
    """Numbers for every variable, uniform, with what it is declared to have; square matrices far from singular ones
    where there is a function of matrices.
    """
    found: dict[Variable, np.ndarray[Any, Any]] = {}
    whole = any(_of_matrices(node) for node in topological([view.node for view in views]))
    for variable in sorted({v for view in views for v in view.inputs}, key=lambda v: v.label):
        shape = tuple(size(dim, sizes) for dim in variable.dims)
        value = rng.uniform(low, high, shape)
        if whole and len(shape) > 1 and shape[-2] == shape[-1]:
            value = value + 2 * np.eye(shape[-1])
        found[variable] = respecting(variable, value)
    return found


def _of_matrices(node: Node) -> bool:
    return isinstance(node, Matrix) or (isinstance(node, Reduction) and bool(reduction_row(node.fn).matrix))


def check_derivative(
    y: View,
    wrt: Any,
    result: Any = None,
    *,
    seed: int = 0,
    directions: int = 3,
    low: float = LOW,
    high: float = HIGH,
) -> Check:
    """Compare the derivative of `y` by `wrt` with finite differences at random inputs.

    `result` is the derivative to check: by default the one that the library derives.

    >>> import indexcalc as ic
    >>> i = ic.index("i"); x = ic.tensor("x", "n")
    >>> bool(check_derivative(ic.sin(x[i])*x[i], x[i].rename({i: ic.index("k")})))
    True
    """
    rng = np.random.default_rng(seed)
    if isinstance(y, Expr) or isinstance(wrt, Expr):
        y, wrt = (Expr(view.node, (), view.inputs) if view.order == 0 else view for view in (y, wrt))
    node, axes = place_of(wrt, Asked(lambda: f"check_derivative({y}, {wrt})"))
    if isinstance(y, Expr):
        fresh = _apart(wrt, y)
        full = diff(y, fresh, structure="free")
        value, to_axes = y.array(*y.free), _to_axes(fresh, axes)
        known = full.array(*y.free, *fresh.free)
        if result is not None and fresh.free == wrt.free:
            known = result.array(*y.free, *wrt.free)
    else:
        assert isinstance(y, Array)
        known = result if result is not None else derivative(y, wrt, structure="free")
        value, to_axes = y, list(range(node.order))
    assert isinstance(node, Variable)
    for attempt in range(ATTEMPTS):  # at some sizes a matrix is singular, as X.T @ X of a wide X
        sizes = random_sizes([value, known, wrt], rng)
        arrays = random_inputs([value, known, wrt], sizes, rng, low, high)
        try:
            slope, worst = _compared(value.node, known.node, arrays, sizes, node, to_axes, rng, directions)
        except InputError:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        if np.isfinite(worst):
            break
    if isinstance(y, Expr) and result is not None and fresh.free != wrt.free:
        names = [index.name for index in (*y.free, *wrt.free)]
        labels = [names.index(name) for name in names]
        kept = [names.index(index.name) for index in result.free]
        (claimed,) = evaluate([result.array(*result.free).node], arrays, sizes)
        gap = np.abs(np.einsum(slope, labels, kept) - claimed)
        worst = max(worst, float(np.max(gap, initial=0.0)))
    return Check(worst, sizes, directions)


def _compared(
    value: Node,
    known: Node,
    arrays: dict[Variable, np.ndarray[Any, Any]],
    sizes: dict[str, int],
    target: Variable,
    to_axes: Sequence[int],
    rng: np.random.Generator,
    directions: int,
) -> tuple[np.ndarray[Any, Any], float]:
    """The derivative's numbers, and the worst relative error along random directions."""
    (slope,) = evaluate([known], arrays, sizes)
    worst = 0.0
    for _ in range(directions):
        direction = symmetrised(target, rng.normal(size=arrays[target].shape))
        steps = [_central(value, arrays, sizes, target, direction, h) for h in (STEP, 2 * STEP)]
        measured = (4 * steps[0] - steps[1]) / 3
        tail = np.transpose(direction, to_axes)
        claimed = np.tensordot(slope, tail, axes=tail.ndim) if tail.ndim else slope * tail
        scale = max(1.0, float(np.max(np.abs(measured), initial=0.0)))
        error = float(np.max(np.abs(measured - claimed), initial=0.0)) / scale
        worst = max(worst, error if np.isfinite(error) else np.inf)
    return slope, worst


def _apart(wrt: Any, y: Expr) -> Any:
    """The target with fresh names for the indices that it shares with the free ones of y."""
    taken = {index.name for index in (*y.free, *wrt.free)}
    table: dict[Index, Index] = {}
    for index in wrt.free:
        if index in y.free:
            name = index.name
            while name in taken:
                name += "_"
            taken.add(name)
            table[index] = Index(name)
    return wrt.rename(table)


def _to_axes(wrt: Expr, axes: tuple[int, ...]) -> list[int]:
    """Which axis of the variable each free index of `wrt` runs over, in the order in which they are written."""
    own = [wrt.indices[axis] for axis in axes]
    return [own.index(index) for index in wrt.free]


def _central(
    node: Node,
    arrays: Mapping[Variable, np.ndarray[Any, Any]],
    sizes: Mapping[str, int],
    target: Variable,
    direction: np.ndarray[Any, Any],
    step: float,
) -> np.ndarray[Any, Any]:
    ahead = {**arrays, target: arrays[target] + step * direction}
    behind = {**arrays, target: arrays[target] - step * direction}
    (plus,) = evaluate([node], ahead, sizes)
    (minus,) = evaluate([node], behind, sizes)
    with np.errstate(invalid="ignore"):  # infinities cancel to nan, which counts as an infinite error
        difference: np.ndarray[Any, Any] = (plus - minus) / (2 * step)
    return difference
