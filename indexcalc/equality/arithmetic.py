"""Nodes evaluated over any numbers, at many points at once: what products, sums and regroupings do to arrays.

Every array has the points along its first axis, and then the axes of its node. `Arithmetic` knows the kinds of node
that are the same over all numbers; `Reals` and `Residues` add what a number, a power and a function are there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.inputs import number_of, size_of
from indexcalc.errors import DimensionError
from indexcalc.graph.node import (
    Call,
    Constant,
    Definition,
    Elementwise,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.numbers import Number

Array = np.ndarray[Any, Any]
Labelled = tuple[Array, Sequence[int]]
"""An array, and the labels of its axes after the first."""


def aligned(array: Array, labels: Sequence[int], order: int) -> Array:
    """The array with its axes, after the first, in the places `labels` of `order` axes, the others of size 1."""
    if tuple(labels) == tuple(range(order)):
        return array
    sort = sorted(range(len(labels)), key=labels.__getitem__)
    shape = [array.shape[0]] + [1] * order
    for axis in sort:
        shape[1 + labels[axis]] = array.shape[1 + axis]
    return array.transpose(0, *(1 + axis for axis in sort)).reshape(shape)


def _next(held: Sequence[int], left: Sequence[Sequence[int]], sizes: Sequence[int], times: Mapping[int, int]) -> int:
    """Which factor makes the smallest array with what is held; one that adds no label is taken at once.

    `times` says how often each label is still wanted.
    """
    if not held or set(left[0]) <= set(held):
        return 0
    weights = []
    for own in left:
        kept = [sizes[x] for x in {*held, *own} if times[x] > (x in own)]
        weights.append(prod(kept))
    return weights.index(min(weights))


class Arithmetic(ABC):
    """Values of nodes at `count` points whose dimension symbols have these sizes; `values` has what was computed."""

    def __init__(self, sizes: Mapping[str, int], count: int) -> None:
        self.sizes, self.count = dict(sizes), count
        self.values: dict[Node, Array] = {}

    def run(self, roots: Iterable[Node]) -> dict[Node, Array]:
        """The values of all nodes below the roots; those that are known already are not computed again."""
        for node in topological(roots, self.values.__contains__):
            value = self._value(node)
            shape = (self.count, *(size_of(dim, self.sizes) for dim in node.dims))
            self.values[node] = value if value.shape == shape else np.broadcast_to(value, shape)
        return self.values

    def _value(self, node: Node) -> Array:
        match node:
            case Variable():
                return self.variable(node)
            case Constant():
                return self.constant(node, tuple(size_of(dim, self.sizes) for dim in node.dims))
            case Product():
                return self._product(node)
            case Sum():
                return self._sum(node)
            case Regroup():
                return self._regroup(node, self.values[node.child])
            case Elementwise():
                return self.elementwise(node, [aligned(self.values[a.node], a.labels, node.order) for a in node.args])
            case Reduction():
                return self.reduction(node, self.values[node.child])
            case Matrix():
                return self.matrix(node, [self.values[child] for child in node.children])
            case Call():
                return self.call(node, [self._samples(node, k) for k in range(len(node.children))])
            case Definition():
                return self.values[node.child]
        raise AssertionError(node.kind)

    # -------------------------------------------------------------- what depends on the numbers

    @abstractmethod
    def number(self, value: Number) -> Any:
        """A number, as something that multiplies an array."""

    @abstractmethod
    def times(self, one: Array, other: Array) -> Array:
        """The product, entry by entry."""

    @abstractmethod
    def total(self, array: Array, axes: tuple[int, ...]) -> Array:
        """The sum along axes."""

    @abstractmethod
    def power(self, array: Array, exponent: Number) -> Array:
        """Each entry to a power."""

    @abstractmethod
    def variable(self, node: Variable) -> Array:
        """The entries of a tensor."""

    @abstractmethod
    def constant(self, node: Constant, shape: tuple[int, ...]) -> Array:
        """The entries of a known tensor."""

    @abstractmethod
    def elementwise(self, node: Elementwise, args: list[Array]) -> Array:
        """A function of entries, of arguments that are aligned."""

    @abstractmethod
    def reduction(self, node: Reduction, x: Array) -> Array:
        """A function along axes."""

    @abstractmethod
    def matrix(self, node: Matrix, args: list[Array]) -> Array:
        """A function of matrices."""

    @abstractmethod
    def call(self, node: Call, args: list[Array]) -> Array:
        """An abstract function, of arguments whose samples are aligned."""

    # -------------------------------------------------------------- what does not

    def size(self, dim: Any) -> int:
        """The size of a dimension; that of an axis which nothing has may be negative, as n - 8 is."""
        found = number_of(dim, self.sizes)
        if not isinstance(found, int):
            raise DimensionError(f"dimension {dim}", f"comes out as {found}", "give sizes for which it is whole")
        return found

    def params(self, node: Constant | Matrix) -> tuple[Any, ...]:
        """The parameters of a known tensor, or of a function of matrices: dimensions are numbers."""
        return tuple(number_of(value, self.sizes) for value in node.params)

    def _samples(self, node: Call, k: int) -> Array:
        """Argument k of a call: its samples in the places of the call's, then its own axes."""
        value, labels, count = self.values[node.children[k]], node.labels[k], len(node.batch)
        own = value.ndim - 1 - len(labels)
        return aligned(value, (*labels, *range(count, count + own)), count + own)

    def _product(self, node: Product) -> Array:
        """The factors multiplied one after another, the one next that makes the smallest array.

        Labels are summed as soon as no further factor has them.
        """
        value: Array = np.broadcast_to(np.asarray(self.number(node.coef)), (self.count,))
        held: list[int] = []
        left = [self._factor(f.labels, self.power(self.values[f.node], f.exponent)) for f in node.factors]
        sizes = [self.size(dim) for dim in node.sizes]
        times = Counter(label for labels, _ in left for label in labels) + Counter(set(node.out))
        carried = set(times)
        while left:
            labels, part = left.pop(_next(held, [own for own, _ in left], sizes, times))
            times.subtract(labels)
            union = list(dict.fromkeys([*held, *labels]))
            rest = {x for x in union if times[x]}
            value = self.contracted((value, held), (part, labels), union, rest)
            held = [x for x in union if x in rest]
        for label, size in enumerate(sizes):
            if label not in carried:
                value = self.times(value, np.asarray(self.number(size)))
        return self._placed(value, held, node)

    def contracted(self, one: Labelled, other: Labelled, union: Sequence[int], rest: set[int]) -> Array:
        """The product of two arrays with these labels, summed along those that are not in `rest`."""
        at = {label: k for k, label in enumerate(union)}
        both = self.times(*(aligned(array, [at[x] for x in labels], len(union)) for array, labels in (one, other)))
        gone = tuple(1 + at[x] for x in union if x not in rest)
        return self.total(both, gone) if gone else both

    def _factor(self, labels: Sequence[int], part: Array) -> tuple[list[int], Array]:
        """A factor whose labels are all different: of those that repeat the diagonal is taken."""
        own = list(dict.fromkeys(labels))
        if len(own) == len(labels):
            return own, part
        return own, np.einsum(part, [len(part.shape) + 9, *labels], [len(part.shape) + 9, *own])

    def _placed(self, value: Array, held: Sequence[int], node: Product) -> Array:
        """The value along the labels of `out`: constant along those that it lacks, on the diagonal of repeated ones."""
        labels = list(dict.fromkeys(node.out))
        shape = [self.count, *(self.size(node.sizes[label]) for label in labels)]
        value = np.broadcast_to(aligned(value, [labels.index(x) for x in held], len(labels)), shape)
        if len(labels) == len(node.out):
            return value
        result = np.zeros([self.count, *(self.size(node.sizes[label]) for label in node.out)], value.dtype)
        places = np.ogrid[tuple(slice(size) for size in shape[1:])]
        where: Any = (slice(None), *(places[labels.index(label)] for label in node.out))
        result[where] = value
        return result

    def _sum(self, node: Sum) -> Array:
        total: Any = 0
        for term in node.terms:
            part = self.times(
                aligned(self.values[term.node], term.labels, node.order), np.asarray(self.number(term.coef))
            )
            total = self.plus(total, part) if isinstance(total, np.ndarray) else part
        return np.asarray(total)

    def plus(self, one: Array, other: Array) -> Array:
        """The sum of two arrays."""
        return one + other

    def _regroup(self, node: Regroup, array: Array) -> Array:
        sizes = [self.size(dim) for dim in node.sizes]
        flat = [label for group in node.inner for label in group]
        order = [1 + flat.index(label) for group in node.outer for label in group]
        split = array.reshape(self.count, *(sizes[label] for label in flat))
        shape = [int(np.prod([sizes[label] for label in group], dtype=int)) for group in node.outer]
        return split.transpose(0, *order).reshape(self.count, *shape)
