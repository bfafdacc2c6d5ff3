"""Abstract functions: of numbers entry by entry, of arrays for each sample, in both views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from indexcalc.errors import Asked, DimensionError, KindError, NotationError, counted
from indexcalc.graph import constructors as graph
from indexcalc.graph.node import Node
from indexcalc.graph.signature import Signature
from indexcalc.index import Dim, Dimension, Index, dims
from indexcalc.surface import is_integer, public
from indexcalc.views.alignment import broadcast
from indexcalc.views.array import Array, array_from, size_number, standing_array
from indexcalc.views.declare import checked_name
from indexcalc.views.expr import UNIT, Expr, align, lifted
from indexcalc.views.functions.rules import coded, of_order, rules_of
from indexcalc.views.view import is_number, join_inputs, to_number


@public
class AbstractFunction:
    """An abstract smooth function; call it with expressions. Its derivatives print as `Du(x)`, `D2u(x)`.

    One of numbers acts entry by entry. Of any other, further axes in front of the arguments are samples, as further
    batch indices of an indexed one are.

    >>> import indexcalc as ic
    >>> f, l = ic.function("f", "->"), ic.function("l", "o ->")
    >>> b, i = ic.index("b", batch=True), ic.index("i"); X = ic.tensor("X", "n o")
    >>> ic.grad(f(X).sum(), X), l(X).shape, l(X[b,i]).free
    (Df(X), (n,), (b,))
    """

    __slots__ = ("signature",)

    def __init__(self, signature: Signature) -> None:
        self.signature = signature

    def __repr__(self) -> str:
        shown = ", ".join(" ".join(map(str, arg)) for arg in self.signature.args)
        own = f"{self.signature.name}: {shown} -> {' '.join(map(str, self.signature.value))}".rstrip()
        return f"{own}, {self.signature.domain}" if self.signature.domain else own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbstractFunction) and self.signature == other.signature

    def __hash__(self) -> int:
        return hash(self.signature)

    @overload
    def __call__(self, *args: Array | float) -> Array: ...

    @overload
    def __call__(self, *args: Expr | Array | float) -> Expr | Array: ...

    def __call__(self, *args: Any) -> Expr | Array:
        """The function at these arguments."""
        return self.derivative((0,) * len(self.signature.args), *args)

    def derivative(self, orders: Sequence[int], *args: Any) -> Expr | Array:
        """The derivative, `orders[a]` times by argument a: axes of the samples, of the value, then of the arguments."""
        count = len(self.signature.args)
        if len(orders) != count or not all(is_integer(times) and times >= 0 for times in orders):
            found = f"{tuple(orders)} are no orders of its {count} arguments"
            raise NotationError(
                f"derivative of {self.signature.name}", found, f"write .derivative({(1,) * count}, ...)"
            )
        asked = Asked(lambda: f"{self.signature.title(orders)}({', '.join(map(str, args))})")
        if len(args) != count:
            raise NotationError(asked, f"{counted(len(args), 'argument')} for {count}", f"it is {self!r}")
        views = [self._view(arg, asked) for arg in args]
        if self.signature.entrywise:
            return self._of_entries(tuple(orders), views)
        return self._of_samples(tuple(orders), views, asked)

    def _view(self, arg: Any, asked: Asked) -> Expr | Array:
        """An argument as a view: numbers and dimensions have no axes."""
        if isinstance(arg, Dim):
            return size_number(arg)
        if is_number(arg):
            return Array(graph.constant_number(to_number(arg)), frozenset())
        if not isinstance(arg, Expr | Array):
            raise KindError(asked, f"{arg!r} is no expression", "give an Array, such as x or A @ x")
        return arg

    def _of_entries(self, orders: tuple[int, ...], views: Sequence[Expr | Array]) -> Expr | Array:
        """The function of entries: of Exprs equal names are aligned and kept, Arrays broadcast as NumPy does."""
        if any(isinstance(view, Expr) for view in views):
            exprs, out, dims = align([lifted(view, UNIT, self.signature.name) for view in views], self.signature.name)
            place = {index: axis for axis, index in enumerate(out)}
            labels = [[place[index] for index in expr.indices] for expr in exprs]
            node = of_order(graph.call(self.signature, orders, [expr.node for expr in exprs], labels, dims))
            return Expr(node, out, join_inputs(exprs))
        arrays = [view for view in views if isinstance(view, Array)]
        edges, shape, places = broadcast(arrays, self.signature.name)
        made = graph.call(self.signature, orders, [inner for inner, _ in edges], [own for _, own in edges], shape)
        node = of_order(made)
        return array_from(node, arrays, places)

    def _of_samples(self, orders: tuple[int, ...], views: Sequence[Expr | Array], asked: Asked) -> Expr | Array:
        """The function of arrays, for each sample; an Expr where nothing but batch indices is left."""
        nodes: list[Node] = []
        labels: list[list[Any]] = []
        sizes: dict[Any, Dimension] = {}
        for view, shape in zip(views, self.signature.args, strict=True):
            node, own = _indexed(view, len(shape)) if isinstance(view, Expr) else (view.node, [])
            front = node.order - len(shape)
            unnamed = isinstance(view, Expr) and len(own) != front
            if node.dims[max(front, 0) :] != shape or unnamed:
                found = f"{view} has dimensions {view.node.dims}, the argument {shape}"
                found += ", and only a batch index names samples" if unnamed and front > 0 else ""
                raise DimensionError(asked, found, f"{self!r}")
            places: list[Any] = [*own] or list(range(-front, 0))
            for place, size in zip(places, node.dims[:front], strict=True):
                if sizes.setdefault(place, size) != size:
                    found = f"samples along {place} are {sizes[place]}, and {size} of {view}"
                    raise DimensionError(asked, found, "axes in front are samples, and of one size")
            nodes.append(node)
            labels.append(places)
        batch = sorted(place for place in sizes if isinstance(place, int))
        indices = [place for place in sizes if isinstance(place, Index)]
        number = {place: axis for axis, place in enumerate([*indices, *batch])}
        rows = [[number[place] for place in own] for own in labels]
        node = of_order(graph.call(self.signature, orders, nodes, rows, [sizes[place] for place in number]))
        if indices and len(indices) == node.order:
            return Expr(node, indices, join_inputs(views))
        return standing_array(node, views)


def _indexed(view: Expr, count: int) -> tuple[Node, list[Index]]:
    """The node of an argument with indices, those of samples first: batch indices, where there are more than axes."""
    samples = [index for index in view.free if index.batch] if view.order > count else []
    own = [index for index in view.free if index not in samples]
    return view.array(*samples, *own).node, samples


@public
def function(
    name: str,
    spec: str,
    *,
    gradient: str = "",
    symmetric: bool = False,
    derivative: Any = None,
    numpy: Any = None,
    jax: Any = None,
    torch: Any = None,
    latex: str = "",
    domain: str = "",
) -> AbstractFunction:
    """An abstract smooth function: `"n -> m"`, `"n m ->"` (a scalar), `"n, m -> p"` (two arguments).

    `"->"` is one of numbers, which acts entry by entry. With `gradient="G"` the first derivative goes by that name: an
    unspecified loss. With `symmetric` the value is a symmetric matrix.

    A function of one's own has a rule, numbers and code. `derivative` gives the derivative, axes of the value, then of
    the argument: a function of the arguments (and, if it takes one more, of the value) that gives an expression, an
    expression in one tensor, or another abstract function; of several arguments a list, with None where there is
    none. `numpy`, `jax`, `torch` are functions of arrays, or dotted names of such; `latex` is how the name is set,
    `domain` says in words where it is a function. Shapes are checked here, values by `ic.verify` and
    `indexcalc.testing.check_rule`.

    >>> import indexcalc as ic
    >>> u, x = ic.function("u", "n -> m"), ic.tensor("x", "n")
    >>> ic.derivative(u(x), x).shape
    (m, n)
    >>> S = ic.function("S", "n -> d d", symmetric=True)
    >>> S(x).T == S(x)
    True
    >>> W = ic.function("W", "->", derivative=lambda x, y: y/(x*(1 + y)), domain="x > 0")
    >>> ic.grad(W(x).sum(), x)
    W(x)/(x*(W(x) + 1))
    """
    checked_name(name, "function")
    asked = f"function({name!r}, {spec!r})"
    left, arrow, right = spec.partition("->")
    if not arrow or "->" in right:
        found = "there are two arrows" if arrow else "there is no arrow"
        raise NotationError(asked, found, 'write "n -> m", "n m ->" for a scalar, "->" for a function of numbers')
    arguments, value = tuple(dims(part) for part in left.split(",")), dims(right)
    if gradient:
        checked_name(gradient, "function")
        asked = f"function({name!r}, {spec!r}, gradient={gradient!r})"
        if len(arguments) > 1:
            raise NotationError(asked, f"{len(arguments)} arguments have as many gradients", "leave gradient= out")
        if derivative is not None:
            raise NotationError(asked, "a gradient that is given as derivative= has no name", "give one of them")
    if symmetric and (len(value) != 2 or value[0] != value[1]):
        asked = f"function({name!r}, {spec!r}, symmetric=True)"
        raise DimensionError(asked, f"its value has the dimensions {value}", "a symmetric matrix is square: n -> d d")
    code = coded({"numpy": numpy, "jax": jax, "torch": torch}, asked)
    made = Signature(name, arguments, value, gradient, symmetric, latex, domain, (), code)
    return AbstractFunction(made if derivative is None else made._replace(rules=rules_of(made, derivative, asked)))
