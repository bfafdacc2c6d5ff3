"""The constructors of nodes: one for each kind, and numbers, zeros and deltas, which are products, and are known again.

Constructors drop what is worth nothing (zeros, exponents of zero) and fold numbers; they never flatten and never
reorder: that is simplification's work, which sees the whole graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from indexcalc.graph.node import (
    NO_SYMMETRY,
    Arg,
    Call,
    Constant,
    Definition,
    Elementwise,
    Factor,
    Labels,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Symmetry,
    Term,
    Variable,
    intern,
)
from indexcalc.graph.numbers import Number, multiply, number
from indexcalc.graph.signature import Signature
from indexcalc.index import Dim, Dimension, primitive


def variable(
    name: str,
    dims: Sequence[Dimension],
    assumptions: Iterable[str] = (),
    symmetry: Symmetry = NO_SYMMETRY,
    latex: str = "",
) -> Variable:
    """The variable of this name and these dimensions."""
    made: Variable = intern(Variable, (name, tuple(dims), frozenset(assumptions), symmetry, latex))
    return made


def einsum(
    coef: Number,
    factors: Iterable[tuple[Any, ...]],
    out: Sequence[Any],
    dims: dict[Any, Dimension] | None = None,
) -> Node:
    """`out = coef * sum of the product of node[labels]**exponent`, over every label that `out` lacks.

    A factor is `(node, labels)` or `(node, labels, exponent)`. Labels are anything hashable; a label that no factor
    carries takes its dimension from `dims`, and if `dims` has one that is not in `out` either, it is summed, and gives
    its dimension.
    """
    rows: list[tuple[Node, Sequence[Any], Number]] = [(f[0], f[1], f[2] if len(f) == 3 else 1) for f in factors]
    place: dict[Any, int] = {}
    for label in out:
        place.setdefault(label, len(place))
    kept: list[Factor] = []
    found: dict[Any, Dimension] = {}
    for node, labels, exponent in rows:
        if node.dims:
            for label, dim in zip(labels, node.dims, strict=True):
                found[label] = dim
        if exponent == 0 or coef == 0:
            continue
        if (
            type(node) is Product
            and not node.factors
            and not node.sizes
            and type(exponent) is int
            and (node.coef or exponent > 0)
        ):
            exact = Fraction(node.coef) if isinstance(node.coef, int) else node.coef
            coef = multiply(coef, number(exact**exponent))
            continue
        for label in labels:
            place.setdefault(label, len(place))
        kept.append(Factor(node, tuple([place[label] for label in labels]), exponent))
    if dims:
        for label, dim in dims.items():
            found.setdefault(label, dim)
            if coef != 0:
                place.setdefault(label, len(place))
    if coef == 0:
        kept = []
        place = {label: place[label] for label in dict.fromkeys(out)}
    if (
        len(kept) == 1 and coef == 1 and kept[0].exponent == 1 and len(place) == len(out)
        and kept[0].labels == tuple([place[label] for label in out]) == tuple(range(len(out)))
    ):  # fmt: skip
        return kept[0].node
    sizes = tuple([found[label] for label in place])
    made: Node = intern(Product, (coef, tuple(kept), tuple([place[label] for label in out]), sizes))
    return made


def constant_number(value: Number) -> Node:
    """A number, as a node without axes."""
    return einsum(value, (), ())


ONE = constant_number(1)


def as_number(node: Node) -> Number | None:
    """The number that this node is, if it is one."""
    if type(node) is Product and not node.factors and not node.sizes:
        return node.coef
    return None


def zeros(dims: Sequence[Dimension]) -> Node:
    """The zero with these axes."""
    labels = range(len(dims))
    return einsum(0, (), labels, dict(zip(labels, dims, strict=True)))


def is_zero(node: Node) -> bool:
    """Is this written as a zero?"""
    return type(node) is Product and node.coef == 0


def delta(*pairs: Dimension) -> Node:
    """The identity from axes to axes: with dimensions (m, n) the product `δ_ik δ_jl` with axes i j k l."""
    labels = list(range(len(pairs)))
    return einsum(1, (), labels + labels, dict(zip(labels, pairs, strict=True)))


def dimension(value: Dimension) -> Node:
    """The dimension itself, as a number: `n/2` is half of n."""
    if isinstance(value, int):
        return constant_number(value)
    coef, factors = primitive(value)
    sizes = [factor for factor, power in factors for _ in range(power)]
    return einsum(coef, (), (), dict(enumerate(sizes)))


def addition(terms: Iterable[tuple[Number, Node, Sequence[int]]], dims: Sequence[Dimension]) -> Node:
    """The sum of `coef * node[labels]`; zero terms go."""
    kept = tuple(Term(coef, node, tuple(labels)) for coef, node, labels in terms if coef != 0 and not is_zero(node))
    if not kept:
        return zeros(dims)
    everything = tuple(range(len(dims)))
    if len(kept) == 1:
        coef, node, labels = kept[0]
        if coef == 1 and labels == everything:
            return node
        return einsum(coef, [(node, labels)], everything, dict(enumerate(dims)))
    made: Node = intern(Sum, (kept, tuple(dims)))
    return made


def elementwise(
    fn: str, args: Iterable[tuple[Node, Sequence[int]]], dims: Sequence[Dimension], params: tuple[Number, ...] = ()
) -> Node:
    """`fn` of the entries."""
    made: Node = intern(Elementwise, (fn, params, tuple(Arg(n, tuple(ls)) for n, ls in args), tuple(dims)))
    return made


def reduction(fn: str, child: Node, axes: Iterable[int], keeps: bool, params: tuple[Number, ...] = ()) -> Node:
    """`fn` along these axes of the child."""
    made: Node = intern(Reduction, (fn, params, child, tuple(sorted(axes)), keeps))
    return made


def matrix(
    fn: str, children: Iterable[Node], shape: Sequence[Dimension], params: tuple[Any, ...] = (), times: int = 0
) -> Matrix:
    """`fn` of these matrices, a value with these axes; or its derivative, see `Matrix`."""
    made: Matrix = intern(Matrix, (fn, params, times, tuple(children), tuple(shape)))
    return made


def constant(name: str, dims: Sequence[Dimension] = (), params: tuple[Any, ...] = ()) -> Constant:
    """A known tensor. A selection begins at an integer, else so many from the end, else at a polynomial of symbols.

    >>> from indexcalc.index import dim
    >>> constant("selection", (2, dim("n")), (dim("n - 3"), 1)).params
    (-3, 1)
    """
    if name == "selection":
        params = (_begun(params[0], dims[1]), *params[1:])
    made: Constant = intern(Constant, (name, params, tuple(dims)))
    return made


def _begun(start: Dimension, length: Dimension) -> Dimension:
    """A place of an axis in its one form."""
    if isinstance(length, int):
        return start + length if isinstance(start, int) and start < 0 else start
    behind = start - length if isinstance(start, Dim) else 0
    return behind if isinstance(behind, int) and behind < 0 else start


def regroup(child: Node, inner: Sequence[Labels], outer: Sequence[Labels], sizes: Sequence[Dimension]) -> Node:
    """The child with its axes split into `inner` and joined again into `outer`."""
    if tuple(inner) == tuple(outer):
        return child
    made: Node = intern(Regroup, (child, tuple(inner), tuple(outer), tuple(sizes)))
    return made


def call(
    function: Signature,
    orders: tuple[int, ...],
    args: Iterable[Node],
    labels: Iterable[Sequence[int]] = (),
    batch: Iterable[Dimension] = (),
) -> Call:
    """An abstract function, or its derivative, at these arguments.

    For samples along axes of dimensions `batch`, the first axes of each argument run along those in `labels`.
    """
    nodes = tuple(args)
    places = tuple(tuple(own) for own in labels) or ((),) * len(nodes)
    made: Call = intern(Call, (function, orders, nodes, places, tuple(batch)))
    return made


def sample_arrays(node: Call) -> list[Node]:
    """The arguments of a call as arrays whose sample axes are the last of the call's, in order.

    >>> from indexcalc.graph.signature import Signature
    >>> X, t = variable("X", (4, 3)), variable("t", (2,))
    >>> made = call(Signature("f", ((2,), (3,)), ()), (0, 0), [t, X], [(), (0,)], [4])
    >>> [array.dims for array in sample_arrays(made)]
    [(2,), (4, 3)]
    """
    made = []
    for child, labels in zip(node.children, node.labels, strict=True):
        first = min(labels, default=len(node.batch))
        front = range(first, len(node.batch))
        own = [("own", axis) for axis in range(child.order - len(labels))]
        sizes: dict[Any, Dimension] = {axis: node.batch[axis] for axis in front}
        made.append(einsum(1, [(child, (*labels, *own))], [*front, *own], sizes))
    return made


def definition(name: str, child: Node) -> Definition:
    """The child, under a name of its own."""
    made: Definition = intern(Definition, (name, child))
    return made


def transpose(node: Node, axes: Sequence[int]) -> Node:
    """The node with its axes in this order: axis `k` of the result is axis `axes[k]`."""
    return einsum(1, [(node, range(node.order))], axes)
