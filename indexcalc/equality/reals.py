"""Nodes in float64 at many points at once, with what rounding does to them.

Each point is computed several times: as it is, and with every operand of every operation changed by a few units in the
last place (random rounding: J. Vignes, A stochastic arithmetic for reliable scientific computation, 1993). How far
these copies lie apart says how much of a value is rounding, cancellation and ill-conditioned matrices included.

A point is `extreme` where something on the way overflowed, or vanished though it cannot be 0: what is not finite there
says nothing about the mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import indexcalc.functions  # noqa: F401  (fills the tables)
from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import size_of
from indexcalc.engine.bind.smooth import Declared, Smooth, numbers_of
from indexcalc.engine.emit.numpy.function import of_nothing
from indexcalc.equality.arithmetic import Arithmetic, Array, Labelled
from indexcalc.errors import IndexCalcError
from indexcalc.functions.entries.choosing import chooser_of
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import elementwise_row, reduction_row
from indexcalc.graph.node import Call, Constant, Elementwise, Matrix, Node, Reduction, Variable
from indexcalc.graph.numbers import Number
from indexcalc.graph.signature import Signature
from indexcalc.simplify.selection import select

COPIES = 4
"""How often each point is computed: once as it is, the other times with random rounding."""
UNITS = 4 * 2.0**-53
"""The largest relative change of an operand: two units in the last place."""
SPREAD = 32
"""What is taken for rounding: so many times the distance of the copies, which are few."""
LARGE = 1 << 20
"""Products of entries, at all points, that are made before they are added: more, 8 MB, are a product of matrices."""
LARGEST, LEAST = 1e150, 1e-150
"""Beyond these a square overflows, or vanishes."""


def _is_signs(array: Array) -> bool:
    """Are all entries 1 or -1?"""
    return bool(array.size and np.abs(array.flat[0]) == 1 and (np.abs(array) == 1).all())


def _grouped(array: Array, labels: Sequence[int], groups: Sequence[Sequence[int]], sizes: Mapping[int, int]) -> Array:
    """The array with its axes in these groups, those of a group as one."""
    turned = array.transpose(0, *(1 + labels.index(x) for group in groups for x in group))
    return turned.reshape(len(array), *(math.prod(sizes[x] for x in group) for group in groups))


class Reals(Arithmetic):
    """Values at points whose inputs are given, the points along the first axis of each array.

    With `rounding` each value has `COPIES` times as many points: the points themselves come first.

    >>> from indexcalc.graph.constructors import elementwise, variable
    >>> x = variable("x", ())
    >>> at = Reals({x: np.array([0.0, 1.0])}, {}, rounding=False)
    >>> at.run([elementwise("exp", [(x, ())], ())])[elementwise("exp", [(x, ())], ())].round(2)
    array([1.  , 2.72])
    """

    def __init__(self, inputs: Mapping[Variable, Array], sizes: Mapping[str, int], *, rounding: bool = True) -> None:
        self.points = len(next(iter(inputs.values()))) if inputs else 1
        self.copies = COPIES if rounding else 1
        super().__init__(sizes, self.points * self.copies)
        self.inputs = inputs
        self.extreme = np.zeros(self.points, bool)
        self.functions: dict[tuple[Signature, bool], Smooth | Declared] = {}
        self.given: dict[str, Array] = {}
        self._pool = np.random.default_rng(0).uniform(-UNITS, UNITS, 1 << 14) if rounding else np.zeros(0)
        self._place = 0

    def run(self, roots: Any) -> dict[Node, Array]:
        """The values of the roots, each as the engine makes it; infinities and nan come out quietly.

        Conditions select before numbers are made (`simplify/selection`): the other half of a sum over pairs, the
        branch that is not taken, count nowhere.
        """
        missing = [root for root in roots if root not in self.values]
        made = select(missing) if missing else []
        with np.errstate(all="ignore"):
            super().run(made)
        self.values |= {root: self.values[node] for root, node in zip(missing, made, strict=True)}
        return self.values

    def base(self, node: Node) -> Array:
        """The values at the points themselves."""
        return self.run([node])[node][: self.points]

    def rounding(self, node: Node, part: Callable[[Array], Array] = np.asarray) -> Array:
        """How much of each value may be rounding, or of a part of it, the imaginary one say."""
        value = self.run([node])[node]
        if self.copies == 1:
            return np.zeros_like(value, dtype=float)
        copies = value.reshape(self.copies, self.points, *value.shape[1:])
        with np.errstate(all="ignore"):
            return np.asarray(SPREAD * np.abs(part(copies[1:] - copies[0])).max(axis=0))

    # -------------------------------------------------------------- rounding and extremes

    def _shaken(self, array: Array) -> Array:
        """The operand of an operation, in the copies a little changed; integers in the base stay what they are."""
        if self.copies == 1 or array.shape[0] != self.count:
            return array
        made = np.array(array, dtype=np.result_type(array, np.float64))
        rest = made[self.points :]
        rest *= 1 + self._noise(rest.shape)
        return made

    def _noise(self, shape: tuple[int, ...]) -> Array:
        count = int(np.prod(shape))
        if count > len(self._pool) // 2:
            self._pool = np.random.default_rng(count).uniform(-UNITS, UNITS, 4 * count)
        self._place = (self._place + 7919) % (len(self._pool) - count)
        return self._pool[self._place : self._place + count].reshape(shape)

    def _watched(self, array: Array, vanishing: bool = False) -> Array:
        """The array; points are marked at which an entry is beyond the range of squares, or 0 where it cannot be."""
        if array.shape[0] == self.count:
            size = np.abs(array[: self.points].reshape(self.points, math.prod(array.shape[1:])))
            strange = (size > LARGEST) & np.isfinite(size) | (size < LEAST) & ((size > 0) | vanishing)
            self.extreme |= strange.any(axis=1)
        return array

    # -------------------------------------------------------------- numbers

    def number(self, value: Number) -> Any:
        """The number as a float."""
        return value if isinstance(value, complex) else float(value)

    def times(self, one: Array, other: Array) -> Array:
        """The product, entry by entry; by 1 and -1 it is exact."""
        if _is_signs(one) or _is_signs(other):
            return np.asarray(one * other)
        return np.asarray(self._shaken(one) * other)

    def total(self, array: Array, axes: tuple[int, ...]) -> Array:
        """The sum along axes, each entry rounded."""
        return np.asarray(self._shaken(array).sum(axis=axes))

    def plus(self, one: Array, other: Array) -> Array:
        """The sum of two arrays, rounded: what cancels exactly, the diagonal of x_i - x_j, is 0 in every copy."""
        return self._shaken(np.asarray(one + other))

    def contracted(self, one: Labelled, other: Labelled, union: Sequence[int], rest: set[int]) -> Array:
        """The product summed, where all products of entries would be large without making these."""
        sizes = {x: n for array, labels in (one, other) for x, n in zip(labels, array.shape[1:], strict=True)}
        if math.prod(sizes.values()) * self.count <= LARGE or set(union) <= rest:
            return super().contracted(one, other, union, rest)
        rows = []
        for (array, labels), beside in ((one, other[1]), (other, one[1])):
            alone = tuple(1 + k for k, x in enumerate(labels) if x not in rest and x not in beside)
            rows.append((self._shaken(array).sum(axis=alone), [x for x in labels if x in rest or x in beside]))
        (left, own), (right, others) = rows
        inner = [x for x in own if x in others and x not in rest]
        both = [x for x in own if x in others and x in rest]
        first, last = ([x for x in labels if x not in (*inner, *both)] for labels in (own, others))
        made = np.matmul(
            _grouped(left, own, (both, first, inner), sizes), _grouped(right, others, (both, inner, last), sizes)
        )
        found = [*both, *first, *last]
        made = made.reshape(len(made), *(sizes[x] for x in found))
        return np.asarray(made.transpose(0, *(1 + found.index(x) for x in union if x in rest)))

    def power(self, array: Array, exponent: Number) -> Array:
        """Each entry to a power: real roots are of what is not negative."""
        if exponent == 1:
            return array
        if exponent == -1:
            return self._watched(np.asarray(1 / array))
        if isinstance(exponent, complex):
            return self._watched(np.asarray(np.power(array + 0j, exponent)))
        plain = exponent if isinstance(exponent, int) else float(exponent)
        return self._watched(self._shaken(np.asarray(np.power(np.asarray(array, np.result_type(array, float)), plain))))

    def variable(self, node: Variable) -> Array:
        """The input, exact in every copy."""
        found = self.inputs[node]
        return np.concatenate([found] * self.copies) if self.copies > 1 else found

    def constant(self, node: Constant, shape: tuple[int, ...]) -> Array:
        """The known tensor, the same at every point."""
        return np.broadcast_to(known(node.label, shape, np.dtype(float), self.params(node)), (self.count, *shape))

    # -------------------------------------------------------------- functions

    def elementwise(self, node: Elementwise, args: list[Array]) -> Array:
        """The row's function, rounded; integers that choose entries go round the axis."""
        row, found = elementwise_row(node.fn), chooser_of(node)
        if found is not None:
            size = max(1, size_of(node.dims[found.place], self.sizes))
            args = [array % size for array in args]
        value = self._each(node, lambda *own: row.numpy(*own, *node.params), np.broadcast_arrays(*args))
        if row.unrounded:
            return value
        return self._watched(self._shaken(value), vanishing=not row.zero)

    def reduction(self, node: Reduction, x: Array) -> Array:
        """The row's function of each point, its argument rounded."""
        row = reduction_row(node.fn)
        axes = tuple(1 + axis for axis in node.axes)
        of_slices = row.numpy if x.size else of_nothing(node.fn, x.shape[1:])
        if row.unrounded:
            return self._each(node, lambda own: of_slices(own, axes, *node.params), [x])
        value = self._each(node, lambda own: of_slices(own, axes, *node.params), [self._shaken(x)])
        return self._watched(value, vanishing=not row.zero)

    def matrix(self, node: Matrix, args: list[Array]) -> Array:
        """The function of these matrices, or its derivative."""
        params = self.params(node)
        common = np.result_type(*args, float)
        shaken = [np.asarray(self._shaken(a), common) for a in args]
        return self._watched(self._each(node, lambda *own: matrix_numbers(node, list(own), params), shaken))

    def call(self, node: Call, args: list[Array]) -> Array:
        """A random smooth function, the same wherever its name stands; what was declared or given for it instead."""
        if node.name in self.given:
            shape = (self.count, *self.given[node.name].shape)
            return np.broadcast_to(self.given[node.name], shape)
        made = self.functions.setdefault((node.function, any(node.orders)), numbers_of(node, self.sizes))
        return self._shaken(self._each(node, lambda *own: made.derivative(node.orders, *own), args))

    def _each(self, node: Node, f: Callable[..., Any], args: Sequence[Array]) -> Array:
        """The function of all points at once.

        Where it refuses some (a singular matrix), point by point, nan for these.
        """
        try:
            return np.asarray(f(*args))
        except (IndexCalcError, np.linalg.LinAlgError, FloatingPointError):
            pass
        shape = tuple(size_of(dim, self.sizes) for dim in node.dims)
        rows: list[Any] = []
        for k in range(self.count):
            try:
                rows.append(np.asarray(f(*(a[k : k + 1] for a in args)))[0])
            except (IndexCalcError, np.linalg.LinAlgError, FloatingPointError):
                rows.append(np.full(shape, np.nan))
        return np.asarray(rows)
