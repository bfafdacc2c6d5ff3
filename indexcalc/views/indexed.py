"""What an `Expr` is, without its arithmetic: a node with a name for each axis, and how names that meet agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc import later
from indexcalc.engine.wanted import Sides, Wanted
from indexcalc.errors import Asked, KindError, NotationError, RangeError, did_you_mean
from indexcalc.graph.constructors import einsum
from indexcalc.graph.inputs import inputs_of
from indexcalc.graph.node import Node
from indexcalc.graph.walk import resize
from indexcalc.index import Dimension, Index, symbol, unknown
from indexcalc.surface import public
from indexcalc.views.view import View
from indexcalc.writing.standing import NONE


@public
class Indexed(View):
    """A node with a name for each axis; `free` has the free indices, in order of first writing.

    `summed` has the names that a product has summed already.
    """

    __slots__ = ("free", "indices", "summed")
    indices: tuple[Index, ...]
    free: tuple[Index, ...]
    summed: frozenset[str]

    def __init__(
        self,
        node: Node,
        indices: Sequence[Index],
        inputs: Any = None,
        free: Sequence[Index] | None = None,
        summed: frozenset[str] = NONE,
    ) -> None:
        self.node, self.indices = node, tuple(indices)
        self.inputs = inputs_of(node) if inputs is None else inputs
        self.free = self.indices if free is None else tuple(free)
        self.summed = summed

    @property
    def shape(self) -> tuple[Dimension, ...]:
        """The dimensions of the free indices, in their order."""
        dims = dict(zip(self.indices, self.node.dims, strict=True))
        return tuple(dims[index] for index in self.free)

    def dim(self, index: Index) -> Dimension:
        """The dimension of a free index."""
        must_have(self, index, Asked(lambda: f"dimension of {index}"))
        return self.node.dims[self.indices.index(index)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the node's axes."""
        return tuple(index.name for index in self.indices)

    @property
    def starts(self) -> dict[str, Dimension]:
        """The first values of the free indices that affine uses bound, or ranges."""
        return {index.name: index.span.start for index in self.indices if index.span is not None}

    @property
    def note(self) -> str:
        """What is to be said of it: how it was read, and over which values its indices run."""
        ends = {
            index.name: start + self.dim(index) - 1
            for index in self.free
            for start in [self.starts.get(index.name)]
            if start is not None
        }
        ranges = [f"{name} from {self.starts[name]} to {end}" for name, end in ends.items()]
        return "; ".join([*([super().note] if super().note else []), *ranges])

    @property
    def batch(self) -> frozenset[str]:
        """The names of the free batch indices."""
        return frozenset(index.name for index in self.indices if index.batch)

    @property
    def declarations(self) -> dict[str, Any]:
        """What `ic.parse` has to be told to read `str(self)` back."""
        found = later.declarations(self)
        dims = {index.name: dim for index, dim in zip(self.free, self.shape, strict=True) if not unknown(dim)}
        found["dims"] = found.get("dims", {}) | dims
        found["dims"] |= later.ranges_told(self.node, self.names, self.batch, self.starts)
        if not found["dims"]:
            del found["dims"]
        if self.batch:
            found["batch"] = " ".join(sorted(self.batch))
        return found

    def __str__(self) -> str:
        return later.expr_text(self.shown, self.names, self.batch, starts=self.starts)

    def unicode(self) -> str:
        """The text, with Greek names as letters."""
        return later.expr_text(self.shown, self.names, self.batch, unicode=True, starts=self.starts)

    def latex(self, lhs: bool | str = False, *, environment: str | None = None) -> str:
        r"""The LaTeX of the expression; with a name as `lhs` an equation, in an `environment` if one is named.

        >>> import indexcalc as ic
        >>> i, j = ic.indices("i j"); x, W = ic.tensor("x", "n"), ic.tensor("W", "n m")
        >>> print((x[i]*W[i,j]).latex(lhs="y", environment="align"))
        \begin{align}
        y_{j} &= x_{i}\,W_{ij}
        \end{align}
        """
        left = later.left_name(lhs, [index.name for index in self.free])
        return later.equation(left, later.expr_latex(self.shown, self.names, self.batch, self.starts), environment)

    def wanted(self, order: Sequence[Any] | None = None) -> Wanted:
        """What the engine is told of it: axes in the order of `.free`, or of `order`."""
        wanted = self.free if order is None else tuple(order)
        if (
            not all(isinstance(index, Index) for index in wanted)
            or set(wanted) != set(self.free)
            or len(wanted) != len(self.free)
        ):
            free = ", ".join(map(str, self.free)) or "none"
            asked = Asked(lambda: f"evaluate {self} with order={order}")
            raise NotationError(asked, f"the free indices are {free}", "name each once")
        must_be_bounded(self, Asked(lambda: f"evaluate {self}"))
        node = self.node
        if wanted != self.indices:
            node = einsum(1, [(node, self.names)], [index.name for index in wanted])
        return Wanted(node, self.inputs, {}, axes=tuple(index.name for index in wanted))

    def sides(self) -> Sides:
        """The axes as rows and columns: the first half of the free indices, all of them where there is one."""
        return self._sides(self.free[(len(self.free) + 1) // 2 :])

    def _sides(self, columns: Sequence[Index]) -> Sides:
        rows = [index for index in self.free if index not in columns]
        names = tuple(index.name for index in (*rows, *columns))
        return Sides(einsum(1, [(self.node, self.names)], names), len(rows), names)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex(lhs=True)}$"


def must_be_bounded(expr: Indexed, asked: str | Asked) -> None:
    """Something tells where each index begins, or an error says what does: an offset below 0 alone does not."""
    for index in expr.indices:
        if index.span is not None and index.span.open:
            found = f"{index} runs from {index.span.start}, as an offset below 0 alone says"
            size = expr.dim(index)
            instead = f'declare its range: {index} = ic.range({size}, "{index}", start={index.span.start})'
            raise RangeError(asked, found, instead)


def must_have(expr: Indexed, index: object, asked: str | Asked) -> None:
    """The index is free in the expression, or an error says what is."""
    if not isinstance(index, Index):
        raise KindError(asked, f"{index!r} is a {type(index).__name__}, no index", 'make one: i = ic.index("i")')
    if index not in expr.indices:
        free = ", ".join(map(str, expr.free)) or "none"
        raise NotationError(
            asked, f"{index} is not free in {expr} (free: {free})", did_you_mean(index.name, expr.names)
        )


def own_unknowns(expr: Indexed) -> Node:
    """The node of an expression, its unknown dimensions named after the free indices."""
    wanted: dict[str, str] = {}
    for index, dim in sorted(zip(expr.indices, expr.node.dims, strict=True), key=lambda pair: pair[0].name):
        if unknown(dim):
            wanted.setdefault(str(dim), f"?{index.name}")
    table: dict[str, Dimension] = {old: symbol(new) for old, new in wanted.items() if old != new}
    if not table:
        return expr.node
    (node,) = resize([expr.node], table)
    return node
