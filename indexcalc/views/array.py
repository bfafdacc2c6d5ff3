"""Matrix notation: an `Array` is a node whose axes have places, as in NumPy.

`@`, `*`, `+`, `.T` and reductions mean what NumPy means by them, with one difference: only an axis declared with the
integer 1 is stretched to meet another; a symbol that turns out to be 1 is not.

An axis that a view shows may be a unit axis, which its node does not have: a column is an order-1 node that stands as
n×1, a row one that stands as 1×n. So transposes and products of columns and rows mean what they mean in books, and no
derivative has an axis that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, TypeAlias, TypeGuard, overload

from indexcalc import later
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.functions.table import REDUCTIONS
from indexcalc.graph.constructors import addition, constant_number, dimension, einsum, elementwise, reduction
from indexcalc.graph.node import Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim, Dimension, Index
from indexcalc.surface import public
from indexcalc.views.alignment import broadcast, common_sizes, sizes_shown
from indexcalc.views.expr import Expr
from indexcalc.views.placed import (
    Placed,
    context_of,
    is_one_by_one,
    numbered_axes,
    orientation_of,
    places_at,
    true_axes,
)
from indexcalc.views.view import PlainNumber, View, is_number, refuse_layout, refuse_zero, to_number
from indexcalc.writing.standing import ORIENTATIONS, Places, ascending, places_of

Place: TypeAlias = int | slice | EllipsisType | None
"""What picks entries of an axis, as type checkers see it."""


@public
class Array(Placed):
    """A tensor expression in matrix notation. Made by `ic.tensor`, and by arithmetic.

    `places` has, for each axis that is shown, the axis of the node, in their order, or None for a unit axis. `vectors`
    says how the order-1 parts are meant in text: "column" once a column has entered, "row" if only rows have, else
    "numpy"; `turned` has the names of those that stand the other way. `flipped` is a plain order-1 array's memory of
    `.T`, which changed nothing.
    """

    __slots__ = ()

    def _with(self, node: Node, inputs: Any = None) -> Array:
        """Another node of this order that stands as this one does."""
        inputs = self.inputs if inputs is None else inputs
        return Array(node, inputs, self.places, self.vectors, self.turned, self.flipped)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Array):
            same = self.shape == other.shape and self.places == other.places
            same = same or not (any(p is not None for p in (*self.places, *other.places)))
            return same and later.key_of(self.node, true_axes(self)) == later.key_of(other.node, true_axes(other))
        if is_number(other):
            return self._equals_number(other, tuple(range(self.ndim)))
        if isinstance(other, View) and self.ndim == other.order == 0:
            return later.key_of(self.node, ()) == later.key_of(other.node, ())
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash(true_axes(self))

    # -------------------------------------------------------------- arithmetic

    def _meets(self, other: object) -> TypeGuard[Expr]:
        """Is this an indexed expression? A scalar beside an Array with axes counts as an Array."""
        return isinstance(other, Expr) and (other.order > 0 or self.order == 0)

    @overload
    def __mul__(self, other: Expr) -> Expr: ...
    @overload
    def __mul__(self, other: Array | PlainNumber) -> Array: ...
    @overload
    def __mul__(self, other: object) -> Any: ...
    def __mul__(self, other: object) -> Any:
        return other * self.__as_expr() if self._meets(other) else _entries("*", self, other)

    __rmul__ = __mul__

    @overload
    def __add__(self, other: Expr) -> Expr: ...
    @overload
    def __add__(self, other: Array | PlainNumber) -> Array: ...
    @overload
    def __add__(self, other: object) -> Any: ...
    def __add__(self, other: object) -> Any:
        return self.__as_expr() + other if self._meets(other) else _entries("+", self, other)

    __radd__ = __add__

    @overload
    def __sub__(self, other: Expr) -> Expr: ...
    @overload
    def __sub__(self, other: Array | PlainNumber) -> Array: ...
    @overload
    def __sub__(self, other: object) -> Any: ...
    def __sub__(self, other: object) -> Any:
        return self.__as_expr() - other if self._meets(other) else _entries("-", self, other)

    def __rsub__(self, other: object) -> Array:
        return _entries("-", other, self)

    @overload
    def __truediv__(self, other: Expr) -> Expr: ...
    @overload
    def __truediv__(self, other: Array | PlainNumber) -> Array: ...
    @overload
    def __truediv__(self, other: object) -> Any: ...
    def __truediv__(self, other: object) -> Any:
        return self.__as_expr() / other if self._meets(other) else _entries("/", self, other)

    def __rtruediv__(self, other: object) -> Array:
        return _entries("/", other, self)

    def __neg__(self) -> Array:
        return _entries("*", self, -1)

    def __pos__(self) -> Array:
        return self

    def __pow__(self, exponent: object) -> Array:
        axes = range(self.order)
        if is_number(exponent):
            return self._with(einsum(1, [(self.node, axes, to_number(exponent))], axes))
        return entrywise_array("power", self, exponent)

    def __rpow__(self, base: object) -> Array:
        return entrywise_array("power", base, self)

    def __lt__(self, other: object) -> Array:
        return entrywise_array("less", self, other)

    def __le__(self, other: object) -> Array:
        return entrywise_array("less_equal", self, other)

    def __gt__(self, other: object) -> Array:
        return entrywise_array("greater", self, other)

    def __ge__(self, other: object) -> Array:
        return entrywise_array("greater_equal", self, other)

    def __matmul__(self, other: object) -> Array:
        return matmul(self, _array(other, self, "@"))

    def __rmatmul__(self, other: object) -> Array:
        return matmul(_array(other, self, "@"), self)

    def __as_expr(self) -> Expr:
        if self.order:
            letters = ", ".join("ijklmnpq"[: self.order])
            raise KindError(
                f"{self} beside an indexed expression",
                f"{self} has {counted(self.order, 'axis')} and no names for them",
                f"index it: ({self})[{letters}]",
            )
        return Expr(self.node, (), self.inputs)

    # -------------------------------------------------------------- axes

    @property
    def T(self) -> Array:
        """The axes reversed; a plain order-1 array stays as it is, a column becomes a row."""
        if self.ndim == 1:
            flipped = not self.flipped
            return Array(self.node, self.inputs, self.places, self.vectors, self.turned, flipped)
        return permuted(self, range(self.ndim)[::-1])

    @property
    def mT(self) -> Array:
        """The last two axes swapped."""
        if is_one_by_one(self):
            return self
        if self.ndim < 2:
            asked = Asked(lambda: f"({self}).mT")
            raise NotationError(asked, f"it has {counted(self.ndim, 'axis')}, and .mT swaps the last two", "write .T")
        axes = list(range(self.ndim))
        axes[-2:] = axes[-1], axes[-2]
        return permuted(self, axes)

    @overload
    def __getitem__(self, key: Index | tuple[Index, ...]) -> Expr: ...
    @overload
    def __getitem__(self, key: Place | tuple[Place, ...]) -> Array: ...
    def __getitem__(self, key: object) -> Any:
        """With indices, the `Expr` that has them: a name that occurs twice is summed, a batch name kept.

        With integers, slices, None and `...`, the Array of these entries, as NumPy picks them.
        """
        return later.picked(self, key if isinstance(key, tuple) else (key,))

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The sum along axes, or of everything."""
        axes = numbered_axes(self, axis, Asked(lambda: f"({self}).sum(axis={axis})"))
        gone = places_at(self, axes)
        kept = [k for k in range(self.order) if k not in gone]
        return without_axes(self, einsum(1, [(self.node, range(self.order))], kept), axes, keepdims)

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The mean along axes, or of everything."""
        axes = numbered_axes(self, axis, Asked(lambda: f"({self}).mean(axis={axis})"))
        gone = places_at(self, axes)
        kept = [k for k in range(self.order) if k not in gone]
        factors: list[Any] = [(self.node, range(self.order))]
        factors += [(dimension(self.node.dims[k]), (), -1) for k in gone]
        return without_axes(self, einsum(1, factors, kept), axes, keepdims)

    def max(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The largest entry along axes, or of all."""
        return reduce_array("max", self, axis, keepdims)

    def min(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The smallest entry along axes, or of all."""
        return reduce_array("min", self, axis, keepdims)

    def prod(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The product of the entries along axes, or of all."""
        return reduce_array("prod", self, axis, keepdims)

    # -------------------------------------------------------------- rewriting

    def matrix(self, *, rows: Any, cols: Any, order: str | None = None) -> Array:
        """The matrix whose rows run over some axes and whose columns over the others; `order` is "F" or "C"."""
        return later.matrix_array(self, rows, cols, order)

    def layout(self, name: str) -> Array:
        """Only a derivative has layouts; see `Derivative.layout`."""
        refuse_layout(self, f"layout({name!r})")

    def layouts(self) -> later.Layouts:
        """Only a derivative has layouts; see `Derivative.layouts`."""
        refuse_layout(self, "layouts()")

    def substitute(self, table: Mapping[Any, Any]) -> Array:
        """The expression with tensors replaced: `{W: A @ B}`."""
        node, inputs, values = later.replaced(self, table)
        return Array(node, inputs, self.places, *orientation_of([self, *values]), self.flipped)

    def diff(self, *wrt: Any, structure: str = "projected") -> later.Derivative:
        """The derivative of a scalar by indexed tensors; an Array with axes is an error that says what to write."""
        return later.diff(self, *wrt, structure=structure)

    def expand_definitions(self) -> Array:
        """The expression with named steps opened."""
        return self._with(later.without_definitions(self.node))

    def simplify(self) -> Array:
        """The simplified form."""
        return self._with(later.simplest(self.node))

    def expand(self) -> Array:
        """The form with products of sums multiplied out, inverses and determinants of two rows of blocks among them.

        Those are taken apart by the Schur complement of the first block, which is taken to be invertible.
        """
        return self._with(later.expand(later.simplify([self.node]), blocks=True)[0])


def size_number(value: Dim) -> Array:
    """A dimension as a number, which joins either view.

    >>> from indexcalc.index import dim
    >>> size_number(dim("n"))**0.5
    sqrt(n)
    """
    return Array(dimension(value), frozenset())


def _array(value: object, beside: object, operation: str) -> Array:
    if isinstance(value, Array):
        return value
    if is_number(value):
        return Array(constant_number(to_number(value)), frozenset())
    if isinstance(value, Dim):
        return size_number(value)
    if isinstance(value, Expr) and not value.order:
        return Array(value.node, value.inputs)
    if isinstance(value, Expr):
        raise KindError(
            f"{beside} {operation} {value}",
            "one side has names, the other places",
            f"name the axes of {beside}, or place those of ({value}).array(...)",
        )
    raise KindError(
        f"{beside} {operation} {value!r}",
        f"a {type(value).__name__} is no expression",
        "declare it with ic.tensor(...), and give the numbers to .evaluate(...)",
    )


# ------------------------------------------------------------------ how a result stands


def array_from(node: Node, views: Sequence[View], places: Places | None = None, flipped: bool = False) -> Array:
    """The Array of a node that was made from these views: it takes over what they know of vectors.

    >>> import indexcalc as ic
    >>> a = ic.column("a", "n")
    >>> array_from(a.node, [a]).shape, array_from(a.node, [a]).vectors
    ((n,), 'column')
    """
    inputs, vectors, turned = context_of(views)
    return Array(node, inputs, places, vectors, turned, flipped)


def standing_array(node: Node, views: Sequence[View], name: str = "") -> Array:
    """The Array of a node that was made from these views; of order 1 it stands as vectors are meant in them.

    Functions whose value may be of order 1 (a diagonal, a sum along an axis) end in this.

    >>> import indexcalc as ic
    >>> a, A = ic.column("a", "n"), ic.tensor("A", "n n")
    >>> standing_array(a.node, [A]).shape, standing_array(a.node, [A, a]).shape
    ((n,), (n, 1))
    """
    inputs, vectors, turned = context_of(views)
    return Array(node, inputs, places_of(node, name, vectors, turned), vectors, turned)


def standing_as(array: Array, kind: str) -> Array:
    """An order-1 array as a column or a row."""
    if array.order != 1:
        asked = Asked(lambda: f"{kind}({array})")
        raise NotationError(
            asked, f"it has {counted(array.order, 'axis')}, and a {kind} is of order 1", "leave it as it is"
        )
    vectors = kind if array.vectors == "numpy" else array.vectors
    return Array(array.node, array.inputs, ORIENTATIONS[kind], vectors, array.turned)


def permuted(array: Array, axes: Sequence[int]) -> Array:
    """The axes that are shown in another order."""
    places = [array.places[axis] for axis in axes]
    order = [place for place in places if place is not None]
    node = einsum(1, [(array.node, range(array.order))], order) if order != sorted(order) else array.node
    return array_from(node, [array], ascending(place is not None for place in places))


# ------------------------------------------------------------------ entry by entry


def _was_flipped(args: Sequence[Array]) -> bool:
    """Is this made entry by entry from a plain order-1 array of which `.T` was asked?"""
    return max(arg.ndim for arg in args) == 1 and any(arg.flipped for arg in args)


def _entries(operation: str, first: object, second: object) -> Array:
    """`+ - * /`, entry by entry."""
    anchor = first if isinstance(first, Array) else second
    args = [_array(first, anchor, operation), _array(second, anchor, operation)]
    edges, dims, places = broadcast(args, operation)
    if operation in "+-":
        signs = (1, 1 if operation == "+" else -1)
        terms = [(sign, node, axes) for sign, (node, axes) in zip(signs, edges, strict=True)]
        return array_from(addition(terms, dims), args, places, _was_flipped(args))
    if operation == "/":
        refuse_zero(*args)
    (one, at), (other, there) = edges
    factors: list[Any] = [(one, at), (other, there, 1 if operation == "*" else -1)]
    node = einsum(1, factors, range(len(dims)), dict(enumerate(dims)))
    return array_from(node, args, places, _was_flipped(args))


def entrywise_array(fn: str, *values: object, params: tuple[Number, ...] = ()) -> Array:
    """An elementwise function of Arrays, broadcast as NumPy does."""
    anchor = next(value for value in values if isinstance(value, Array))
    args = [_array(value, anchor, fn) for value in values]
    edges, dims, places = broadcast(args, fn)
    return array_from(elementwise(fn, edges, dims, params), args, places, _was_flipped(args))


# ------------------------------------------------------------------ reductions and products


def without_axes(array: Array, node: Node, axes: Sequence[int], keepdims: bool) -> Array:
    """What a node is that an array has become without these of the axes that it shows.

    Axes of dimension 1 stand in their places if they are to be kept.

    >>> import indexcalc as ic
    >>> X = ic.tensor("X", "n m")
    >>> without_axes(X, ic.max(X, axis=1).node, [1], True).shape
    (n, 1)
    """
    left = [axis for axis in true_axes(array) if axis not in axes]
    if not keepdims:
        shown = [axis in left for axis in range(array.ndim) if axis not in axes]
        return array_from(node, [array], ascending(shown)) if left and False in shown else standing_array(node, [array])
    if None in array.places:
        return array_from(node, [array], ascending(axis in left for axis in range(array.ndim)))
    ones: dict[Any, Dimension] = dict.fromkeys(axes, 1)
    return array_from(einsum(1, [(node, left)], range(array.order), ones), [array])


def reduce_array(
    fn: str,
    array: Array,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    params: tuple[Number, ...] = (),
    keeps: bool = False,
) -> Array:
    """A reduction along axes, or of everything."""
    axes = numbered_axes(array, axis, Asked(lambda: f"{fn}({array}, axis={axis})"))
    true = places_at(array, axes)
    needed = max(REDUCTIONS[fn].axes, 1 if axis is not None else 0)
    opened = range(array.order, array.order + min(len(axes), needed) - len(true))
    node = array.node
    if opened:
        ones: dict[Any, Dimension] = dict.fromkeys(opened, 1)
        node = einsum(1, [(node, range(array.order))], [*range(array.order), *opened], ones)
    node = reduction(fn, node, [*true, *opened], keeps, params)
    if not keeps:
        return without_axes(array, node, axes, keepdims)
    return array._with(einsum(1, [(node, range(node.order))], range(array.order)) if opened else node)


def matmul(first: Array, second: Array) -> Array:
    """`@` as NumPy means it: the last axis of the first with the second to last of the second.

    Axes in front are batches.
    """
    asked = Asked(lambda: f"({first}) @ ({second})")
    if not first.ndim or not second.ndim:
        return _scaled(first, second, asked)
    if second.flipped and first.ndim == second.ndim == 1:
        raise NotationError(
            Asked(lambda: f"({first}) @ ({second}).T"),
            "the right one is a plain order-1 tensor, which .T leaves as it is, so this would be the inner product",
            "write a @ b for the inner product, ic.outer(a, b) for the outer one; or declare columns, with ic.column, "
            'or vectors="column" in ic.parse',
        )
    inner = first.shape[-1], second.shape[-2 if second.ndim > 1 else -1]
    if inner[0] != inner[1]:
        raise DimensionError(
            asked,
            f"the last axis of {first} {tuple(first.shape)} has {inner[0]}, the "
            f"{'second to last' if second.ndim > 1 else 'only'} "
            f"axis of {second} {tuple(second.shape)} has {inner[1]}",
            "transpose one of them with .T, or check the declarations",
        )
    lead = common_sizes([sizes_shown(array)[:-2] for array in (first, second)], [first, second], "@")
    factors = []
    for array, ends in ((first, ["row", "inner"]), (second, ["inner", "column"])):
        sizes = sizes_shown(array)
        labels: list[Any] = [
            axis if dim != 1 or lead[axis] == 1 else ("one", axis, id(array))
            for axis, dim in enumerate(sizes[:-2], start=len(lead) - len(sizes[:-2]))
        ]
        labels += ends if array.ndim > 1 else ["inner"]
        factors.append((array.node, [x for x, dim in zip(labels, sizes, strict=True) if dim is not None]))
    out: list[Any] = [None if dim is None else axis for axis, dim in enumerate(lead)]
    out += [None if first.places[-2] is None else "row"] if first.ndim > 1 else []
    out += [None if second.places[-1] is None else "column"] if second.ndim > 1 else []
    node = einsum(1, factors, [label for label in out if label is not None])
    return array_from(node, [first, second], ascending(label is not None for label in out) if node.order else ())


def _scaled(first: Array, second: Array, asked: Asked) -> Array:
    """A 1×1 product beside a row, a column or another: `x.T @ y @ z.T` is a number times a row, as books have it."""
    if is_one_by_one(first) and (second.shape[:1] == (1,) if second.ndim == 2 else is_one_by_one(second)):
        return _entries("*", first, second)
    if is_one_by_one(second) and first.ndim == 2 and first.shape[1] == 1:
        return _entries("*", first, second)
    raise NotationError(asked, "@ takes no scalars", "write *")
