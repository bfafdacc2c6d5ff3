"""What a program should give: its own text evaluated with NumPy or JAX, and derivatives by differences or by JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from indexcalc.calculus.structure import tangent_words
from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.smooth import Smooth
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS, ElementwiseFunction, ReductionFunction
from indexcalc.functions.table import MatrixFunction as MatrixRow
from indexcalc.graph.constructors import variable
from indexcalc.graph.edge import symmetry_of
from indexcalc.graph.node import Call, topological
from indexcalc.index import dim, size
from indexcalc.testing.programs.operations import PARAMETER
from indexcalc.testing.programs.trees import Leaf, Numbers, Sample, Tree, compiled

STEP = 8e-3
"""The largest step of the differences, for inputs of the size of 1: smaller ones lose digits of second differences."""
TableRow = ElementwiseFunction | ReductionFunction | MatrixRow
Inputs = Mapping[str, Any]


class Measured(NamedTuple):
    """A derivative that was measured, and how far that may be off."""

    value: Numbers
    error: float


def oracle(row: TableRow) -> Callable[..., Any]:
    """The row in JAX, called as its `numpy` is: arguments, the axes of a reduction, parameters."""
    jax = import_module("jax")
    jnp = import_module("jax.numpy")
    names = ["x", "y", "z"][: row.arity] if isinstance(row, ElementwiseFunction) else ["x"]
    names += ["axes"] * (isinstance(row, ReductionFunction) and row.axes != 2)
    text = f"lambda {', '.join([*names, *row.params])}: {row.oracle}"
    call: Callable[..., Any] = eval(compiled(text), {"jax": jax, "jnp": jnp, "np": np})
    if not (isinstance(row, ReductionFunction) and row.axes == 2):
        return call

    def along(x: Any, axes: tuple[int, ...], *values: Any) -> Any:
        result = call(jnp.moveaxis(x, axes, (-2, -1)), *values)
        return jnp.moveaxis(result, (-2, -1), axes) if result.ndim == x.ndim else result

    return along


@cache
def _called(name: str, in_jax: bool) -> Callable[..., Any]:
    table: dict[str, TableRow] = {**ELEMENTWISE, **REDUCTIONS, **MATRICES}
    row = table[name]
    function = oracle(row) if in_jax else row.numpy
    params = (PARAMETER,) * len(row.params)
    return lambda *arguments: function(*arguments, *params)


class Rows(dict[str, Callable[..., Any]]):
    """The functions of the table by their names, of one module."""

    def __init__(self, in_jax: bool) -> None:
        self.in_jax = in_jax

    def __missing__(self, name: str) -> Callable[..., Any]:
        return _called(name, self.in_jax)


class Evaluation:
    """A program evaluated as its tree is written, operation by operation; `largest` is the largest number met."""

    def __init__(self, sample: Sample, in_jax: bool = False) -> None:
        self.sample = sample
        self.largest = 0.0
        calls = {node.function for node in topological([sample.expression.node]) if isinstance(node, Call)}
        made = {call.name: Smooth(call, sample.sizes) for call in calls}
        smooth = {name: lambda x, f=function: f.derivative((0,), x) for name, function in made.items()}
        module = import_module("jax.numpy") if in_jax else np
        self.in_jax = in_jax
        self.scope = {"np": module, "rows": Rows(in_jax), "smooth": smooth, **sample.sizes}

    def __call__(self, inputs: Inputs) -> Any:
        """The value; `inputs` are the arrays of the tensors."""
        return self._value(self.sample.tree, inputs, {})

    def _value(self, tree: Tree, inputs: Inputs, seen: dict[int, Any]) -> Any:
        if id(tree) in seen:
            return seen[id(tree)]
        if tree.leaf:
            value = inputs[tree.leaf]
        else:
            parts = [self._value(part, inputs, seen) for part in tree.parts]
            names = [f"a{k}" for k in range(len(parts))]
            text = tree.theirs.format(*names, np="np")
            value = eval(compiled(text), {**self.scope, **dict(zip(names, parts, strict=True))})
        if not self.in_jax:
            self.largest = max(self.largest, float(np.max(np.abs(value), initial=0.0)))
            if np.isnan(value).any():
                self.largest = np.inf
        seen[id(tree)] = value
        return value


# ------------------------------------------------------------------ directions


def direction(leaf: Leaf, sizes: Mapping[str, int], rng: np.random.Generator) -> Numbers:
    """A random direction in which a tensor may move, so that it keeps what is assumed of it."""
    node = leaf.variable
    shape = [size(dim(axis), sizes) for axis in leaf.shape]
    step = rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape)
    if leaf.word == "orthogonal":
        return np.asarray(step)  # its tangents depend on the point: see `tangent`
    if leaf.word == "stochastic":
        return np.asarray(step - step.mean(-1, keepdims=True))
    linear = variable("x", node.shape, tangent_words(node), symmetry_of(node))
    return np.asarray(respecting(linear, step))


def tangent(leaf: Leaf, point: Numbers, step: Numbers) -> Numbers:
    """The direction at a point: on an orthogonal matrix Q, Q times a skew matrix."""
    if leaf.word != "orthogonal":
        return step
    return np.asarray(np.matmul(point, (step - np.swapaxes(step, -1, -2)) / 2))


def shares(leaf: Leaf, step: Numbers, structure: str) -> Numbers:
    """What each entry of a derivative counts along a direction.

    Where the derivative is by independent entries, shown at each place that they fill, one place of each counts.
    """
    if structure != "independent" or not leaf.structured:
        return step
    keys = np.round(np.abs(step), 12)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(step / counts[inverse].reshape(step.shape))


def outside(leaf: Leaf, numbers: Numbers, structure: str) -> float:
    """By how much a derivative, its last axes those of a tensor, lies outside the space of such tensors.

    Where it is projected, or by independent entries shown at each place that they fill, it lies in it.
    """
    if structure == "free" or not leaf.structured:
        return 0.0
    node = leaf.variable
    linear = variable("x", node.shape, tangent_words(node), symmetry_of(node))
    parts = numbers.reshape(-1, *numbers.shape[numbers.ndim - len(leaf.shape) :])
    return max((float(np.max(np.abs(part - respecting(linear, part)), initial=0.0)) for part in parts), default=0.0)


# ------------------------------------------------------------------ measured


def slope(run: Callable[[Inputs], Any], inputs: Inputs, name: str, along: Numbers) -> Measured:
    """The derivative along a direction: extrapolated central differences at three steps, the last two compared."""

    def central(step: float) -> Any:
        ahead, behind = (run({**inputs, name: inputs[name] + sign * step * along}) for sign in (1, -1))
        return (ahead - behind) / (2 * step)

    return _extrapolated(central)


def bend(run: Callable[[Inputs], Any], inputs: Inputs, first: tuple[str, Numbers], second: tuple[str, Numbers]) -> Any:
    """The second derivative along two directions."""

    def moved(one: float, other: float) -> Any:
        given = dict(inputs)
        for (name, along), step in ((first, one), (second, other)):
            given[name] = given[name] + step * along
        return run(given)

    def mixed(step: float) -> Any:
        corners = moved(step, step) - moved(step, -step) - moved(-step, step) + moved(-step, -step)
        return corners / (4 * step**2)

    return _extrapolated(mixed)


def _extrapolated(difference: Callable[[float], Any]) -> Measured:
    with np.errstate(all="ignore"):
        found = [np.asarray(difference(STEP / 2**k)) for k in range(4)]
        better = [(4 * one - other) / 3 for one, other in zip(found[1:], found[:-1], strict=True)]
        best = [(16 * one - other) / 15 for one, other in zip(better[1:], better[:-1], strict=True)]
        error = float(np.max(np.abs(best[1] - best[0]), initial=0.0))
    return Measured(best[1], error if np.isfinite(error) else np.inf)


def in_jax(sample: Sample, inputs: Inputs, first: tuple[str, Numbers], second: tuple[str, Numbers] | None) -> list[Any]:
    """Value, derivative along a direction, and second derivative along two, by JAX in float64."""
    jax = import_module("jax")
    jnp = import_module("jax.numpy")
    with jax.enable_x64(True):
        run = Evaluation(sample, in_jax=True)
        given = {name: jnp.asarray(value) for name, value in inputs.items()}

        def along(values: Inputs) -> Any:
            name, step = first
            return jax.jvp(lambda x: run({**values, name: x}), (values[name],), (jnp.asarray(step),))[1]

        found = [run(given), along(given)]
        if second is not None:
            name, step = second
            found.append(jax.jvp(lambda x: along({**given, name: x}), (given[name],), (jnp.asarray(step),))[1])
        return [np.asarray(value) for value in found]
