"""Index notation: an `Expr` is a node with a name for each axis.

`*` follows Einstein: a name that occurs once is free, twice is summed. A product remembers the names that it has
summed, so a third occurrence is an error however the factors were grouped. Sums, powers, functions and definitions
close their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexcalc import later
from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.graph.constructors import (
    ONE,
    addition,
    constant_number,
    dimension,
    einsum,
    elementwise,
    reduction,
    zeros,
)
from indexcalc.graph.node import Node
from indexcalc.graph.numbers import Number
from indexcalc.index import Dim, Dimension, Index
from indexcalc.surface import public
from indexcalc.views.affine.meeting import agreed
from indexcalc.views.indexed import Indexed, must_be_bounded, must_have, own_unknowns
from indexcalc.views.patterns import selected
from indexcalc.views.view import View, is_number, join_inputs, refuse_layout, refuse_zero, to_number

if TYPE_CHECKING:
    from indexcalc.views.array import Array

NONE: frozenset[str] = frozenset()


@public
class Expr(Indexed):
    """A tensor expression in index notation. Made by indexing a tensor, `W[i,j]`, and by arithmetic.

    `free` has the free indices, in order of first writing.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expr):
            if set(self.free) != set(other.free):
                return False
            try:
                first, second = meet([self, other], "==")
            except DimensionError:
                return False
            return later.key_of(first.node, first.names) == later.key_of(second.node, second.names)
        if is_number(other):
            return self._equals_number(other, self.names)
        if isinstance(other, View) and self.order == other.order == 0 and not getattr(other, "ndim", 0):
            return later.key_of(self.node, ()) == later.key_of(other.node, ())
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash(self.names)

    # -------------------------------------------------------------- arithmetic

    def _yields(self, other: object) -> bool:
        """Is this a scalar beside an Array with axes? Then the result is an Array."""
        return not self.indices and isinstance(other, View) and not isinstance(other, Expr) and other.order > 0

    def __mul__(self, other: object) -> Expr:
        return NotImplemented if self._yields(other) else _times(self, lifted(other, self, "*"))

    def __rmul__(self, other: object) -> Expr:
        return _times(lifted(other, self, "*"), self)

    def __add__(self, other: object) -> Expr:
        return NotImplemented if self._yields(other) else _plus(self, lifted(other, self, "+"), 1)

    def __radd__(self, other: object) -> Expr:
        return _plus(lifted(other, self, "+"), self, 1)

    def __sub__(self, other: object) -> Expr:
        return NotImplemented if self._yields(other) else _plus(self, lifted(other, self, "-"), -1)

    def __rsub__(self, other: object) -> Expr:
        return _plus(lifted(other, self, "-"), self, -1)

    def __neg__(self) -> Expr:
        return self._with(einsum(-1, [(self.node, self.names)], self.names), summed=self.summed)

    def __pos__(self) -> Expr:
        return self

    def __truediv__(self, other: object) -> Expr:
        return NotImplemented if self._yields(other) else _over(self, lifted(other, self, "/"))

    def __rtruediv__(self, other: object) -> Expr:
        return _over(lifted(other, self, "/"), self)

    def __pow__(self, exponent: object) -> Expr:
        if is_number(exponent):
            factors = [(self.node, self.names, to_number(exponent))]
            return self._with(einsum(1, factors, self.names))
        return entrywise("power", self, lifted(exponent, self, "**"))

    def __rpow__(self, base: object) -> Expr:
        return entrywise("power", lifted(base, self, "**"), self)

    def __lt__(self, other: object) -> Expr:
        return entrywise("less", self, lifted(other, self, "<"))

    def __le__(self, other: object) -> Expr:
        return entrywise("less_equal", self, lifted(other, self, "<"))

    def __gt__(self, other: object) -> Expr:
        return entrywise("greater", self, lifted(other, self, "<"))

    def __ge__(self, other: object) -> Expr:
        return entrywise("greater_equal", self, lifted(other, self, "<"))

    def __matmul__(self, other: object) -> Expr:
        raise NotationError(f"{self} @ {other}", "`@` is matrix notation", "in index notation write `*`: A[i,k]*B[k,j]")

    __rmatmul__ = __matmul__

    def __getitem__(self, key: object) -> Expr:
        raise NotationError(
            f"({self})[{key}]",
            "this has names already",
            "rename: .rename({i: k}); or place its axes first: .array(i, j)[k, l]",
        )

    # -------------------------------------------------------------- indices

    def _with(self, node: Node, summed: frozenset[str] = NONE) -> Expr:
        return Expr(node, self.indices, self.inputs, self.free, summed)

    def sum(self, *indices: Index, where: str = "") -> Expr:
        """The sum over free indices, batch indices among them; over those of which `where` holds.

        `where` is a condition between two free indices, `"i<j"` or `"i!=j"`, or several with commas. What it leaves out
        enters no value and no derivative of any order, even where that is infinite.

        >>> import indexcalc as ic
        >>> i, j = ic.indices("i j"); x = ic.tensor("x", "n")
        >>> ic.exp(x[i]).sum(i)
        sum[i](exp(x[i]))
        >>> (1/(x[i]*ic.ones(j) - ic.ones(i)*x[j])).sum(i, j, where="i<j").evaluate(x=[1, 3, 5])
        np.float64(-1.25)
        """
        for index in indices:
            must_have(self, index, "sum")
        if not indices:
            raise NotationError(f"({self}).sum()", "over which index?", f"write .sum({', '.join(map(str, self.free))})")
        kept = [index for index in self.free if index not in indices]
        held = selected(self, where, f"({self}).sum(where={where!r})") if where != "" else []
        node = einsum(1, [*held, (self.node, self.names)], [index.name for index in kept])
        return Expr(node, kept, self.inputs)

    def mean(self, *indices: Index) -> Expr:
        """The mean over free indices: the sum, divided by their dimensions."""
        if not indices:
            raise NotationError(
                f"({self}).mean()", "over which index?", f"write .mean({', '.join(map(str, self.free))})"
            )
        total = self.sum(*indices)
        factors: list[Any] = [(total.node, total.names)]
        factors += [(dimension(self.dim(index)), (), -1) for index in indices]
        return total._with(einsum(1, factors, total.names))

    def max(self, *indices: Index) -> Expr:
        """The largest entry along free indices."""
        return reduce_expr("max", self, indices)

    def min(self, *indices: Index) -> Expr:
        """The smallest entry along free indices."""
        return reduce_expr("min", self, indices)

    def prod(self, *indices: Index) -> Expr:
        """The product of the entries along free indices."""
        return reduce_expr("prod", self, indices)

    def rename(self, names: Mapping[Index, Index]) -> Expr:
        """The same expression with other names for free indices."""
        for old, new in names.items():
            must_have(self, old, f"rename {old}")
            if not isinstance(new, Index):
                raise KindError(f"rename {old}", f"{new!r} is no index", 'make one: k = ic.index("k")')
        spans = {index: index.span for index in self.indices}
        given = {old: replace(new, span=new.span or spans[old]) for old, new in names.items()}
        indices = tuple(given.get(index, index) for index in self.indices)
        if len(set(indices)) < len(indices):
            double = next(index for index in indices if indices.count(index) > 1)
            raise NotationError(
                f"({self}).rename(...)",
                f"{double} would name two axes",
                f"to sum over both, multiply by ic.delta({', '.join(map(str, (*names, *names.values())))})",
            )
        made = Expr(self.node, indices, self.inputs, [given.get(index, index) for index in self.free])
        return Expr(own_unknowns(made), made.indices, made.inputs, made.free, made.summed)

    def array(self, *indices: Index) -> Array:
        """The Array with these axes, in this order."""
        from indexcalc.views.array import Array

        asked = Asked(lambda: f"({self}).array({', '.join(map(str, indices))})")
        must_be_bounded(self, asked)
        for index in indices:
            must_have(self, index, asked)
        if set(indices) != set(self.free) or len(indices) != len(self.free):
            raise NotationError(
                asked, f"the free indices are {', '.join(map(str, self.free))}", "name each of them once"
            )
        node = einsum(1, [(self.node, self.names)], [index.name for index in indices])
        return Array(node, self.inputs)

    def matrix(self, *, rows: Any, cols: Any, order: str | None = None) -> Array:
        """The matrix whose rows run over some indices and whose columns over the others; `order` is "F" or "C"."""
        return later.matrix_expr(self, rows, cols, order)

    def layout(self, name: str) -> Array:
        """Only a derivative has layouts; see `Derivative.layout`."""
        refuse_layout(self, f"layout({name!r})")

    def layouts(self) -> later.Layouts:
        """Only a derivative has layouts; see `Derivative.layouts`."""
        refuse_layout(self, "layouts()")

    def substitute(self, table: Mapping[Any, Any]) -> Expr:
        """The expression with tensors replaced: `{W: A @ B}`."""
        node, inputs, _ = later.replaced(self, table)
        return Expr(node, self.indices, inputs, self.free)

    def expand_definitions(self) -> Expr:
        """The expression with named steps opened."""
        return Expr(later.without_definitions(self.node), self.indices, self.inputs, self.free)

    def simplify(self) -> Expr:
        """The simplified form."""
        return self._with(later.simplest(self.node))

    def expand(self) -> Expr:
        """The form with products of sums multiplied out, inverses and determinants of two rows of blocks among them.

        Those are taken apart by the Schur complement of the first block, which is taken to be invertible.
        """
        return self._with(later.expand(later.simplify([self.node]), blocks=True)[0])

    def diff(self, *wrt: Any, structure: str = "projected") -> later.Derivative:
        """The derivative by indexed tensors: `y.diff(W[i,k])`; see `ic.diff`."""
        return later.diff(self, *wrt, structure=structure)


def from_number(value: Number) -> Expr:
    """A number, as an expression."""
    return Expr(constant_number(value), (), frozenset())


def lifted(value: object, beside: Expr, operation: str) -> Expr:
    """What stands beside an expression, as an expression: a number, or a tensor without axes."""
    if isinstance(value, Expr):
        return value
    if is_number(value):
        return from_number(to_number(value))
    if isinstance(value, Dim):
        return Expr(dimension(value), (), frozenset())
    if isinstance(value, View):
        if value.order == 0:
            return Expr(value.node, (), value.inputs)
        letters = ", ".join("ijklmnpq"[: value.order])
        raise KindError(
            f"{beside} {operation} {value}",
            f"{value} has {counted(value.order, 'axis')} and no names for them",
            f"index it: ({value})[{letters}]",
        )
    raise KindError(
        f"{beside} {operation} {value!r}",
        f"a {type(value).__name__} is no expression",
        "declare it with ic.tensor(...), and give the numbers to .evaluate(...)",
    )


# ------------------------------------------------------------------ indices that meet


def meet(exprs: Sequence[Expr], operation: str) -> list[Expr]:
    """The expressions, once their common indices have been found to agree.

    Deltas take their dimensions from the others.
    """
    return [
        one if isinstance(one, Expr) else Expr(one.node, one.indices, one.inputs, one.free, one.summed)
        for one in agreed(exprs, operation)
    ]


def _spread(first: Expr, second: Expr) -> list[Index]:
    """The free indices of two expressions together, in order of first writing."""
    return list(dict.fromkeys((*first.free, *second.free)))


def _too_often(first: Expr, second: Expr, operation: str) -> None:
    for one, other in ((first, second), (second, first)):
        for index in other.indices:
            if index.name in one.summed and not index.batch:
                asked = Asked(lambda: f"({first}) {operation} ({second})")
                raise NotationError(
                    asked,
                    f"index {index} occurs a third time: it is summed in {one} already",
                    f"use another index; or, to keep or sum it in all factors, "
                    f'ic.einsum("{_einsum_hint(first, second)}", ...), '
                    f'or a batch index, ic.index("{index}", batch=True)',
                )


def _einsum_hint(first: Expr, second: Expr) -> str:
    return "ni,nj,n->ij" if max(first.order, second.order) > 1 else "n,n,n->n"


def _times(first: Expr, second: Expr) -> Expr:
    """Einstein's product: a name on both sides is summed, unless it is a batch index."""
    _too_often(first, second, "*")
    first, second = meet([first, second], "*")
    shared = {index for index in first.indices if index in second.indices and not index.batch}
    out = [index for index in _spread(first, second) if index not in shared]
    names = [index.name for index in out]
    node = einsum(1, [(first.node, first.names), (second.node, second.names)], names)
    summed = first.summed | second.summed | {index.name for index in shared}
    return Expr(node, out, join_inputs([first, second]), summed=summed)


def _over(first: Expr, second: Expr) -> Expr:
    """The quotient, by something that carries no free index of the first."""
    _too_often(first, second, "/")
    refuse_zero(first, second)
    first, second = meet([first, second], "/")
    shared = [index for index in first.free if index in second.indices and not index.batch]
    if shared:
        index = shared[0]
        raise NotationError(
            f"({first})/({second})",
            f"both carry {index}, and books read that in two ways: entry by entry, or summed",
            f"entry by entry: ic.hadamard({first}, ({second})**-1); summed: ({first}).sum... as "
            f'ic.einsum("i,i->", ..., ...)',
        )
    out = _spread(first, second)
    factors: list[Any] = [(first.node, first.names), (second.node, second.names, -1)]
    node = einsum(1, factors, [index.name for index in out])
    return Expr(node, out, join_inputs([first, second]), summed=first.summed | second.summed)


def _plus(first: Expr, second: Expr, sign: int) -> Expr:
    """The sum: both sides have the same free indices, but for numbers, scalars and batch indices."""
    operation = "+" if sign > 0 else "-"
    first, second = meet([first, second], operation)
    for one, other in ((first, second), (second, first)):
        missing = [index for index in other.free if index not in one.free and not index.batch]
        if missing and [index for index in one.free if not index.batch]:
            names = ", ".join(map(str, missing))
            raise NotationError(
                f"({first}) {operation} ({second})",
                f"{one} lacks the free index {names} of {other}",
                f"write the same free indices on both sides; constant along {names}: ({one})*ic.ones({names})",
            )
    out = _spread(first, second)
    place = {index: axis for axis, index in enumerate(out)}
    dims: dict[Index, Dimension] = {}
    for expr in (first, second):
        dims.update(zip(expr.indices, expr.node.dims, strict=True))
    terms = [(coef, expr.node, [place[index] for index in expr.indices]) for coef, expr in ((1, first), (sign, second))]
    node = addition(terms, [dims[index] for index in out])
    return Expr(node, out, join_inputs([first, second]))


def align(exprs: Sequence[Expr], operation: str) -> tuple[list[Expr], list[Index], list[Dimension]]:
    """Expressions with equal names aligned and kept: they, all free indices, and the dimensions of these."""
    exprs = meet(exprs, operation)
    out = list(dict.fromkeys(index for expr in exprs for index in expr.free))
    dims: dict[Index, Dimension] = {}
    for expr in exprs:
        dims.update(zip(expr.indices, expr.node.dims, strict=True))
    return exprs, out, [dims[index] for index in out]


def entrywise(fn: str, *args: Expr, params: tuple[Number, ...] = ()) -> Expr:
    """An elementwise function: equal names are aligned and kept."""
    exprs, out, dims = align(args, fn)
    place = {index: axis for axis, index in enumerate(out)}
    edges = [(expr.node, [place[index] for index in expr.indices]) for expr in exprs]
    return Expr(elementwise(fn, edges, dims, params), out, join_inputs(exprs))


def hadamard_exprs(*args: Expr) -> Expr:
    """The product entry by entry: equal names are aligned and kept."""
    exprs, out, _ = align(args, "hadamard")
    node = einsum(1, [(expr.node, expr.names) for expr in exprs], [index.name for index in out])
    return Expr(node, out, join_inputs(exprs))


def reduce_expr(
    fn: str, expr: Expr, indices: Sequence[Index], params: tuple[Number, ...] = (), keeps: bool = False
) -> Expr:
    """A reduction along free indices; with one free index it need not be named."""
    asked = Asked(lambda: f"{fn}({expr})")
    for index in indices:
        must_have(expr, index, asked)
    if not indices:
        if not expr.free:
            instead = "a scalar needs no reduction; to keep a name that occurs twice, ic.hadamard"
            raise NotationError(asked, "there is no free index to go along", instead)
        if len(expr.free) != 1:
            free = ", ".join(map(str, expr.free))
            raise NotationError(
                asked, f"along which index? (free: {free})", f"write ic.{fn}(..., {free.split(', ')[-1]})"
            )
        indices = expr.free
    axes = [expr.indices.index(index) for index in dict.fromkeys(indices)]
    node = reduction(fn, expr.node, axes, keeps, params)
    if keeps:
        return expr._with(node)
    kept = [index for index in expr.indices if index not in indices]
    return Expr(node, kept, expr.inputs, [index for index in expr.free if index not in indices])


def zero(indices: Sequence[Index], dims: Sequence[Dimension]) -> Expr:
    """The zero with these free indices."""
    return Expr(zeros(dims), indices, frozenset())


UNIT = Expr(ONE, (), frozenset())
