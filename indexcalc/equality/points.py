"""Random points: a size for every dimension symbol, numbers for every tensor, a smooth function for every abstract one.

What is compared by numbers (`.equals`, `ic.check`, `ic.verify`) is compared here. Sizes are 1 to 5, as different as
possible; tensors have what they are declared with. Every other point has numbers of both signs, so that `relu(x)` is
not taken for `x`. A point is passed over where a value is not finite (a logarithm), or where a matrix is so nearly
singular (`X.T @ X` of a wide X) that rounding decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from indexcalc.engine.bind.declared import respecting
from indexcalc.engine.bind.inputs import Numbers, symbols_in
from indexcalc.engine.bind.smooth import smooth_functions
from indexcalc.engine.compile import run
from indexcalc.errors import InputError
from indexcalc.functions.table import reduction_row
from indexcalc.graph.node import Matrix, Node, Reduction, Variable, topological
from indexcalc.index import size

LOW, HIGH = 0.2, 0.9
LARGEST = 5
ATTEMPTS = 4
"""How many points are tried for each that is wanted."""


NUDGE, STEADY = 1e-10, 1e-6
"""A relative change of all inputs, and the relative change of a value that it may make."""


class Point(NamedTuple):
    """Inputs: sizes by symbol, arrays by variable, abstract functions and their derivatives by name."""

    sizes: dict[str, int]
    arrays: dict[Variable, Numbers]
    functions: Mapping[str, Callable[..., Numbers]]

    def values(self, roots: Sequence[Node]) -> list[Numbers]:
        """The values of these nodes here."""
        return run.evaluate(roots, self.arrays, self.sizes, self.functions)

    def moved(self, variable: Variable, value: Numbers) -> Point:
        """The point with another array for a variable."""
        return self._replace(arrays={**self.arrays, variable: value})


def of_matrices(node: Node) -> bool:
    """Is this a function of whole matrices, which may be singular?"""
    return isinstance(node, Matrix) or (isinstance(node, Reduction) and bool(reduction_row(node.fn).matrix))


def sizes_of(symbols: Iterable[str], pool: Sequence[int], turn: int = 0) -> dict[str, int]:
    """A size for each symbol from a pool, as different as possible; each turn gives each symbol another one.

    >>> sizes_of({"n", "m"}, [3, 1, 2]), sizes_of({"n", "m"}, [3, 1, 2], 1)
    ({'m': 3, 'n': 1}, {'m': 1, 'n': 2})
    """
    count = len(pool)
    return {name: int(pool[(k + k // count + turn) % count]) for k, name in enumerate(sorted(symbols))}


def random_point(
    roots: Sequence[Node],
    variables: Iterable[Variable],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    signed: bool,
) -> Point:
    """Random inputs for these nodes and variables at these sizes, of both signs or positive.

    Square matrices are far from singular ones where there is a function of matrices.

    >>> from indexcalc.graph.constructors import variable
    >>> x = variable("x", (3,), ["positive"])
    >>> random_point([x], [], {}, np.random.default_rng(0), True).arrays[x].shape
    (3,)
    """
    order = topological([*roots, *variables])
    whole = any(of_matrices(node) for node in order)
    arrays: dict[Variable, Numbers] = {}
    for variable in sorted({n for n in order if isinstance(n, Variable)}, key=lambda v: v.label):
        shape = tuple(size(dim, sizes) for dim in variable.dims)
        value: Any = rng.uniform(LOW, HIGH, shape)
        if signed:
            value = value * rng.choice([-1.0, 1.0], shape)
        if whole and len(shape) > 1 and shape[-2] == shape[-1]:
            value = value + 2 * np.eye(shape[-1])
        arrays[variable] = respecting(variable, np.asarray(value))
    return Point(dict(sizes), arrays, smooth_functions(order, sizes))


def random_points(
    roots: Sequence[Node], variables: Iterable[Variable] = (), *, count: int, seed: int = 0
) -> Iterator[tuple[Point, list[Numbers]]]:
    """At most `count` random points at which all these nodes have finite values, and the values there."""
    rng = np.random.default_rng(seed)
    variables = list(variables)
    symbols = symbols_in(topological([*roots, *variables]))
    pool = [int(k) for k in rng.permutation(np.arange(1, LARGEST + 1))]
    found = 0
    for attempt in range(ATTEMPTS * count):
        point = random_point(roots, variables, sizes_of(symbols, pool, attempt), rng, attempt % 2 == 1)
        try:
            values = point.values(roots)
        except InputError:
            continue
        if all(np.isfinite(value).all() for value in values) and _is_steady(point, roots, values):
            yield point, values
            found += 1
            if found == count:
                return


def _is_steady(point: Point, roots: Sequence[Node], values: Sequence[Numbers]) -> bool:
    """Does the least change of the inputs change functions of matrices little?"""
    if not any(of_matrices(node) for node in topological(roots)):
        return True
    nearby = point._replace(arrays={variable: array * (1 + NUDGE) for variable, array in point.arrays.items()})
    try:
        changed = nearby.values(roots)
    except InputError:
        return False
    limits = [STEADY * max(1.0, float(np.max(np.abs(value), initial=0.0))) for value in values]
    return all(
        float(np.max(np.abs(one - other), initial=0.0)) <= limit
        for one, other, limit in zip(values, changed, limits, strict=True)
    )
