"""Numbers for abstract functions: random smooth ones, whose derivatives are known exactly.

    f(z) = c + Σ_h w_h sin(a_h·z + b_h)

with `a_h·z` summed over all arguments, so every derivative is a sum of the same terms, and f is analytic. The name of a
function seeds its numbers: the same function is the same in every graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import Any
from zlib import crc32

import numpy as np

from indexcalc.engine.bind.inputs import Numbers, size_of
from indexcalc.engine.bind.own import own_code
from indexcalc.graph.node import Call, Node
from indexcalc.graph.signature import Signature

WAVES = 4
"""Sine waves, each in a direction of its own, that a random function adds up: an arbitrary small number; each costs an
outer product in a derivative."""
LEVEL = 1.5
"""What is added to the value, so that logarithms and inverses of it exist, as a rule."""


class Smooth:
    """A random smooth function with this signature, at these sizes.

    >>> from indexcalc.index import dim
    >>> u = Smooth(Signature("u", ((dim("n"),),), (dim("m"),)), {"n": 3, "m": 2})
    >>> u.derivative((1,), np.ones(3)).shape
    (2, 3)
    """

    def __init__(self, signature: Signature, sizes: Mapping[str, int]) -> None:
        rng = np.random.default_rng(crc32(signature.name.encode()))
        shapes = [tuple(size_of(dim, sizes) for dim in arg) for arg in signature.args]
        value = tuple(size_of(dim, sizes) for dim in signature.value)
        self.slopes = [rng.uniform(-1, 1, (WAVES, *shape)) for shape in shapes]
        self.shifts = rng.uniform(0, 2 * np.pi, WAVES)
        self.weights = rng.uniform(-0.5, 0.5, (WAVES, *value))
        if signature.symmetric:
            self.weights = (self.weights + self.weights.swapaxes(1, 2)) / 2
        square = len(value) > 1 and value[-1] == value[-2]
        self.level = np.broadcast_to(2 * np.eye(value[-1]) if square else LEVEL, value)

    def derivative(self, orders: Sequence[int], *args: Numbers) -> Numbers:
        """The derivative, `orders[a]` times by argument a: axes of the value, then of the arguments.

        Further axes in front of the arguments, which broadcast, are several points.
        """
        phases: Any = self.shifts
        for slope, arg in zip(self.slopes, args, strict=True):
            axes = range(1, slope.ndim)
            phases = phases + np.tensordot(arg, slope, (range(arg.ndim - len(axes), arg.ndim), axes))
        total = sum(orders)
        waves = np.sin(phases + total * np.pi / 2)
        shapes = []
        for h in range(WAVES):
            directions = [slope[h] for slope, times in zip(self.slopes, orders, strict=True) for _ in range(times)]
            shapes.append(reduce(np.multiply.outer, directions, self.weights[h]))
        return np.asarray(np.tensordot(waves, np.asarray(shapes), 1) + (0 if total else self.level))


class Declared:
    """A function that was declared with its numbers: these.

    >>> f = Declared(Signature("f", ((),), (), code=(("numpy", "math.sqrt"),)))
    >>> f.derivative((0,), np.asarray(4.0))
    array(2.)
    """

    def __init__(self, signature: Signature) -> None:
        self.signature, self.numbers = signature, own_code(signature, "numpy")

    def derivative(self, orders: Sequence[int], *args: Numbers) -> Numbers:
        """The value; a derivative has no numbers of its own. Further axes in front are several points."""
        if self.signature.entrywise:
            return np.asarray(self.numbers(*args))
        return np.asarray(np.vectorize(self.numbers, signature=self.signature.mapped(orders))(*args))


def numbers_of(node: Call, sizes: Mapping[str, int]) -> Smooth | Declared:
    """The numbers of a call: those that its function was declared with; else, and of a derivative, random ones."""
    return Declared(node.function) if has_numbers(node) else Smooth(node.function, sizes)


def has_numbers(node: Call) -> bool:
    """Was the function of this call, which is no derivative, declared with its numbers?"""
    return node.function.numeric and not any(node.orders)


def smooth_functions(nodes: Iterable[Node], sizes: Mapping[str, int]) -> dict[str, Callable[..., Numbers]]:
    """A random smooth function for each abstract one among the nodes, and its derivatives, by their names.

    Those that were declared with their numbers have these.
    """
    made: dict[Signature, Smooth] = {}
    found: dict[str, Callable[..., Numbers]] = {}
    for node in nodes:
        if isinstance(node, Call) and not has_numbers(node):
            function = made.setdefault(node.function, Smooth(node.function, sizes))
            found[node.name] = partial(function.derivative, node.orders)
    return found
