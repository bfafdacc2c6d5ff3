"""Matrix notation: an `Array` is a node whose axes have places, as in NumPy.

`@`, `*`, `+`, `.T` and reductions mean what NumPy means by them, with one difference: only an axis declared with the
integer 1 is stretched to meet another; a symbol that turns out to be 1 is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from indexcalc.errors import Asked, DimensionError, KindError, LayoutError, NotationError
from indexcalc.graph.node import (
    Definition,
    Node,
    Number,
    addition,
    constant_number,
    dimension,
    einsum,
    elementwise,
    reduction,
    transpose,
)
from indexcalc.graph.simplify import expand, simplify
from indexcalc.graph.walk import replace
from indexcalc.index import Dimension, Index
from indexcalc.notation.expr import Expr
from indexcalc.notation.view import View, inputs_of, is_number, join_inputs, refuse_zero, to_number


class Array(View):
    """A tensor expression in matrix notation. Made by `ic.tensor`, and by arithmetic."""

    __slots__ = ()

    def __init__(self, node: Node, inputs: Any = None) -> None:
        self.node = node
        self.inputs = inputs_of(node) if inputs is None else inputs

    # -------------------------------------------------------------- what it is

    @property
    def shape(self) -> tuple[Dimension, ...]:
        """The dimension of each axis."""
        return self.node.dims

    @property
    def ndim(self) -> int:
        """The number of axes, as NumPy calls it."""
        return self.node.order

    @property
    def declarations(self) -> dict[str, Any]:
        """What `ic.parse` has to be told to read `str(self)` back."""
        from indexcalc.notation.build import declarations

        return declarations(self)

    def __str__(self) -> str:
        from indexcalc.notation.text import array_text

        return array_text(self.node)

    def unicode(self) -> str:
        """The text, with Greek names as letters."""
        from indexcalc.notation.text import array_text

        return array_text(self.node, unicode=True)

    def latex(self, lhs: bool = False) -> str:
        """The LaTeX of the entries, in index notation; an Array has no left-hand side."""
        from indexcalc.notation.latex import array_latex

        return array_latex(self.node)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(lhs=True)}$"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Array):
            axes = tuple(range(self.order))
            return self.shape == other.shape and self._key(axes) == other._key(axes)
        if is_number(other):
            return self._equals_number(other, tuple(range(self.order)))
        if isinstance(other, View) and self.order == other.order == 0:
            return self._key(()) == other._key(())
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash(tuple(range(self.order)))

    # -------------------------------------------------------------- arithmetic

    def __mul__(self, other: object) -> Any:
        return other * self.__as_expr() if isinstance(other, Expr) else _entries("*", self, other)

    __rmul__ = __mul__

    def __add__(self, other: object) -> Any:
        return self.__as_expr() + other if isinstance(other, Expr) else _entries("+", self, other)

    __radd__ = __add__

    def __sub__(self, other: object) -> Any:
        return self.__as_expr() - other if isinstance(other, Expr) else _entries("-", self, other)

    def __rsub__(self, other: object) -> Any:
        return _entries("-", other, self)

    def __truediv__(self, other: object) -> Any:
        return self.__as_expr() / other if isinstance(other, Expr) else _entries("/", self, other)

    def __rtruediv__(self, other: object) -> Any:
        return _entries("/", other, self)

    def __neg__(self) -> Array:
        return _entries("*", self, -1)

    def __pos__(self) -> Array:
        return self

    def __pow__(self, exponent: object) -> Array:
        axes = range(self.order)
        if is_number(exponent):
            return Array(einsum(1, [(self.node, axes, to_number(exponent))], axes), self.inputs)
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
                f"{self} has {self.order} axes and no names for them",
                f"index it: ({self})[{letters}]",
            )
        return Expr(self.node, (), self.inputs)

    # -------------------------------------------------------------- axes

    @property
    def T(self) -> Array:
        """The axes reversed; an order-1 array stays as it is."""
        return Array(transpose(self.node, range(self.order)[::-1]), self.inputs)

    @property
    def mT(self) -> Array:
        """The last two axes swapped."""
        if self.order < 2:
            raise NotationError(f"({self}).mT", f"it has {self.order} axes, and .mT swaps the last two", "write .T")
        axes = list(range(self.order))
        axes[-2:] = axes[-1], axes[-2]
        return Array(transpose(self.node, axes), self.inputs)

    def __getitem__(self, key: object) -> Expr:
        """The `Expr` with these indices: a name that occurs twice is summed, a batch name kept."""
        keys = key if isinstance(key, tuple) else (key,)
        asked = Asked(lambda: f"({self})[{', '.join(map(str, keys))}]")
        for one in keys:
            if not isinstance(one, Index):
                raise KindError(asked, f"{one!r} is a {type(one).__name__}, no index", 'make one: i = ic.index("i")')
        indices = [one for one in keys if isinstance(one, Index)]
        if len(indices) != self.order:
            raise NotationError(
                asked,
                f"{len(indices)} indices for {self.order} axes of dimensions {self.shape}",
                "give one index for each axis",
            )
        batch: dict[str, bool] = {}
        for index in indices:
            if batch.setdefault(index.name, index.batch) != index.batch:
                raise NotationError(
                    asked, f"{index} is a batch index at one axis only", "give one of them another name"
                )
        dims: dict[Index, tuple[int, Dimension]] = {}
        for axis, (index, dim) in enumerate(zip(indices, self.shape, strict=True)):
            first = dims.setdefault(index, (axis, dim))
            if first[1] != dim:
                raise DimensionError(
                    asked, f"index {index}: axis {first[0]} has {first[1]}, axis {axis} has {dim}", "use another index"
                )
        out = [index for index in dict.fromkeys(indices) if index.batch or indices.count(index) == 1]
        summed = frozenset(index.name for index in indices if index not in out)
        if any(indices.count(index) > 2 and not index.batch for index in indices):
            index = next(index for index in indices if indices.count(index) > 2)
            raise NotationError(
                asked, f"{index} occurs {indices.count(index)} times", "use ic.einsum, or a batch index"
            )
        node = einsum(1, [(self.node, [index.name for index in indices])], [index.name for index in out])
        return Expr(node, out, self.inputs, summed=summed)

    def _axes(self, axis: int | Sequence[int] | None, asked: str | Asked) -> list[int]:
        if axis is None:
            return list(range(self.order))
        found = []
        for one in [axis] if isinstance(axis, int) else list(axis):
            if isinstance(one, Index) or not isinstance(one, int) or not -self.order <= one < self.order:
                raise NotationError(asked, f"there is no axis {one} among {self.order}", "axes are numbered from 0")
            found.append(one % self.order)
        return found

    def _kept(self, node: Node, axes: Sequence[int], keepdims: bool) -> Array:
        """A node that lost these axes, with axes of dimension 1 in their places if they are to be kept."""
        if not keepdims:
            return Array(node, self.inputs)
        kept = [axis for axis in range(self.order) if axis not in axes]
        ones: dict[Any, Dimension] = dict.fromkeys(axes, 1)
        return Array(einsum(1, [(node, kept)], range(self.order), ones), self.inputs)

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The sum along axes, or of everything."""
        axes = self._axes(axis, Asked(lambda: f"({self}).sum(axis={axis})"))
        kept = [k for k in range(self.order) if k not in axes]
        return self._kept(einsum(1, [(self.node, range(self.order))], kept), axes, keepdims)

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The mean along axes, or of everything."""
        axes = self._axes(axis, Asked(lambda: f"({self}).mean(axis={axis})"))
        kept = [k for k in range(self.order) if k not in axes]
        factors: list[Any] = [(self.node, range(self.order))]
        factors += [(dimension(self.shape[k]), (), -1) for k in axes]
        return self._kept(einsum(1, factors, kept), axes, keepdims)

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

    def matrix(self, *, rows: Sequence[int], cols: Sequence[int], order: str | None = None) -> Array:
        """The matrix whose rows run over some axes and whose columns over the others; `order` is "F" or "C"."""
        from indexcalc.layout.project import matrix_array

        return matrix_array(self, rows, cols, order)

    def layout(self, name: str) -> Array:
        """Only a derivative has layouts; see `Derivative.layout`."""
        raise LayoutError(
            f"({self}).layout({name!r})",
            "this is no derivative, so nothing says which axes are the numerator's",
            "write .matrix(rows=..., cols=...), or take the layout before the arithmetic",
        )

    def substitute(self, table: Mapping[Any, Any]) -> Array:
        """The expression with tensors replaced: `{W: A @ B}`."""
        from indexcalc.notation.build import replaced

        return Array(*replaced(self, table))

    def diff(self, *wrt: Any, structure: str = "projected") -> Any:
        """The derivative of a scalar by indexed tensors; an Array with axes is an error that says what to write."""
        from indexcalc.notation.differentiate import diff

        return diff(self, *wrt, structure=structure)

    def expand_definitions(self) -> Array:
        """The expression with named steps opened."""
        (node,) = replace([self.node], lambda old, new: new.child if isinstance(new, Definition) else new)
        return Array(node, self.inputs)

    def simplify(self) -> Array:
        """The simplified form."""
        return Array(self._simplified(), self.inputs)

    def expand(self) -> Array:
        """The form with products of sums multiplied out."""
        return Array(expand(simplify([self.node]))[0], self.inputs)


def _array(value: object, beside: object, operation: str) -> Array:
    if isinstance(value, Array):
        return value
    if is_number(value):
        return Array(constant_number(to_number(value)), frozenset())
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


def broadcast(args: Sequence[Array], operation: str) -> tuple[list[tuple[Node, list[int]]], list[Dimension]]:
    """Arrays among common axes, as NumPy aligns them: nodes, the axes that each has, and the dimensions."""
    order = max(arg.order for arg in args)
    dims: list[Dimension] = [1] * order
    origin: list[Array | None] = [None] * order
    for arg in args:
        for axis, dim in enumerate(arg.shape, start=order - arg.order):
            if dims[axis] == 1:
                dims[axis], origin[axis] = dim, arg
            elif dim not in (1, dims[axis]):
                asked = f" {operation} ".join(f"({one})" for one in args)
                first = origin[axis]
                raise DimensionError(
                    asked,
                    f"axis {axis - order}: {first} has {dims[axis]}, {arg} has {dim}",
                    "axes that meet have one size; only an axis declared with the integer 1 is stretched",
                )
    edges = []
    for arg in args:
        start = order - arg.order
        keep = [axis for axis, dim in enumerate(arg.shape) if dim != 1 or dims[start + axis] == 1]
        node = einsum(1, [(arg.node, range(arg.order))], keep) if len(keep) < arg.order else arg.node
        edges.append((node, [start + axis for axis in keep]))
    return edges, dims


def _entries(operation: str, first: object, second: object) -> Array:
    """`+ - * /`, entry by entry."""
    anchor = first if isinstance(first, Array) else second
    args = [_array(first, anchor, operation), _array(second, anchor, operation)]
    edges, dims = broadcast(args, operation)
    inputs = join_inputs(args)
    if operation in "+-":
        signs = (1, 1 if operation == "+" else -1)
        terms = [(sign, node, axes) for sign, (node, axes) in zip(signs, edges, strict=True)]
        return Array(addition(terms, dims), inputs)
    if operation == "/":
        refuse_zero(*args)
    (one, at), (other, there) = edges
    factors: list[Any] = [(one, at), (other, there, 1 if operation == "*" else -1)]
    return Array(einsum(1, factors, range(len(dims)), dict(enumerate(dims))), inputs)


def entrywise_array(fn: str, *values: object, params: tuple[Number, ...] = ()) -> Array:
    """An elementwise function of Arrays, broadcast as NumPy does."""
    anchor = next(value for value in values if isinstance(value, Array))
    args = [_array(value, anchor, fn) for value in values]
    edges, dims = broadcast(args, fn)
    return Array(elementwise(fn, edges, dims, params), join_inputs(args))


def reduce_array(
    fn: str,
    array: Array,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    params: tuple[Number, ...] = (),
    keeps: bool = False,
) -> Array:
    """A reduction along axes, or of everything."""
    axes = array._axes(axis, Asked(lambda: f"{fn}({array}, axis={axis})"))
    node = reduction(fn, array.node, axes, keeps, params)
    return Array(node, array.inputs) if keeps else array._kept(node, axes, keepdims)


def matmul(first: Array, second: Array) -> Array:
    """`@` as NumPy means it: the last axis of the first with the second to last of the second; axes in front are
    batches.
    """
    asked = Asked(lambda: f"({first}) @ ({second})")
    if not first.order or not second.order:
        raise NotationError(asked, "@ takes no scalars", "write *")
    inner = first.shape[-1], second.shape[-2 if second.order > 1 else -1]
    if inner[0] != inner[1]:
        raise DimensionError(
            asked,
            f"the last axis of {first} {tuple(first.shape)} has {inner[0]}, the "
            f"{'second to last' if second.order > 1 else 'only'} "
            f"axis of {second} {tuple(second.shape)} has {inner[1]}",
            "transpose one of them with .T, or check the declarations",
        )
    left = first.shape[:-2]
    right = second.shape[:-2]
    lead = broadcast([_shape_only(left), _shape_only(right)], "@")[1] if left or right else []
    front = len(lead)
    own = [range(front - len(part), front) for part in (left, right)]
    labels: list[list[Any]] = []
    for array, axes, dims in zip((first, second), own, (left, right), strict=True):
        marks: list[Any] = [
            axis if dim != 1 or lead[axis] == 1 else ("one", axis, id(array))
            for axis, dim in zip(axes, dims, strict=True)
        ]
        labels.append(marks)
    labels[0] += ["row", "inner"] if first.order > 1 else ["inner"]
    labels[1] += ["inner", "column"] if second.order > 1 else ["inner"]
    out: list[Any] = list(range(front))
    out += ["row"] if first.order > 1 else []
    out += ["column"] if second.order > 1 else []
    node = einsum(1, [(first.node, labels[0]), (second.node, labels[1])], out)
    return Array(node, join_inputs([first, second]))


def _shape_only(dims: Sequence[Dimension]) -> Array:
    return Array(einsum(1, (), range(len(dims)), dict(enumerate(dims))), frozenset())
