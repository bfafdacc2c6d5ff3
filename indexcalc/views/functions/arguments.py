"""The arguments of matrix functions: matrices along the last two axes of an Array, vectors along the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexcalc.errors import Asked, DimensionError, KindError, NotationError
from indexcalc.graph.constructors import einsum
from indexcalc.graph.node import Node
from indexcalc.index import Dimension
from indexcalc.views.array import Array
from indexcalc.views.expr import Expr


def array_of(name: str, x: Any, asked: str | Asked) -> Array:
    """The argument of a matrix function, an Array; an indexed expression is an error that says what to write.

    >>> import indexcalc as ic
    >>> F = ic.tensor("F", 3, 3)
    >>> array_of("det", F, "det(F)") is F
    True
    """
    if isinstance(x, Expr):
        raise NotationError(
            asked,
            f"{name} is a function of a whole matrix, and {x} has indices",
            f"index the value of an Array, as in ic.inv(F)[j,i]; the Array of this is ({x}).array({_listed(x)})",
        )
    if not isinstance(x, Array):
        hint = "declare data with ic.tensor, and give the numbers to .evaluate"
        raise KindError(asked, f"a {type(x).__name__} is no expression", hint)
    return x


def _listed(x: Expr) -> str:
    return ", ".join(map(str, x.free))


def asked_of(name: str, *args: Any) -> Asked:
    """What was asked, for an error."""
    return Asked(lambda: f"{name}({', '.join(map(str, args))})")


def matrix_of(name: str, x: Any, square: bool = False) -> Node:
    """The node of an argument that is a matrix, or a batch of them, unit axes opened; with `square` that is checked.

    >>> import indexcalc as ic
    >>> matrix_of("tr", ic.column("a", "n")).dims
    (n, 1)
    """
    asked = asked_of(name, x)
    array = array_of(name, x, asked)
    if array.ndim < 2:
        axes = {0: "no axes", 1: "1 axis"}[array.ndim]
        raise NotationError(asked, f"{name} takes a matrix, and {array} has {axes}", _instead(name))
    node = opened(array)
    rows, columns = node.dims[-2:]
    if square and rows != columns:
        raise DimensionError(
            asked, f"{name} takes a square matrix, and the last two axes have {rows} and {columns}", _instead(name)
        )
    return node


def _instead(name: str) -> str:
    known = {
        "inv": "write pinv for a matrix that is not square, 1/x for numbers", "diag": "write diagm for vector to matrix"
    }  # fmt: skip
    return known.get(name, "check the declarations")


def opened(array: Array) -> Node:
    """The node of an Array, with an axis of dimension 1 for each unit axis that is shown."""
    if None not in array.places:
        return array.node
    labels = [("unit", axis) if place is None else place for axis, place in enumerate(array.places)]
    ones: dict[Any, Dimension] = {label: 1 for label in labels if isinstance(label, tuple)}
    return einsum(1, [(array.node, range(array.order))], labels, ones)


def vector_of(name: str, x: Any) -> Node:
    """The node of an argument that is a vector, standing or not, or a batch of them along the last axis.

    One of the last two axes that was declared with the integer 1 is a view's: n×1 and 1×n are the vector.

    >>> import indexcalc as ic
    >>> vector_of("diagm", ic.tensor("X", "n", 1)).dims, vector_of("diagm", ic.tensor("X", "b n")).dims
    ((n,), (b, n))
    """
    asked = asked_of(name, x)
    array = array_of(name, x, asked)
    if array.order == 1:
        return array.node
    if not array.ndim:
        raise NotationError(asked, f"{name} takes a vector, and {array} has no axes", "write * for numbers")
    return flat(opened(array))


def flat(node: Node) -> Node:
    """The node without one axis of dimension 1 among its last two, if it has such."""
    *_, rows, columns = node.dims
    if 1 not in (rows, columns):
        return node
    gone = node.order - (1 if columns == 1 else 2)
    return einsum(1, [(node, range(node.order))], [axis for axis in range(node.order) if axis != gone])


def batches_of(name: str, args: Sequence[Any], nodes: Sequence[Node], own: int) -> tuple[list[list[Any]], list[Any]]:
    """Labels of the axes in front of the last `own` of each node, aligned from the right, and those of the value."""
    count = max(node.order for node in nodes) - own
    rows: list[list[Any]] = []
    dims: dict[int, Dimension] = {}
    for node in nodes:
        labels = list(range(count - (node.order - own), count))
        for label, size in zip(labels, node.dims, strict=False):
            if dims.setdefault(label, size) != size:
                found = f"axis {label - count - own}: {dims[label]} meets {size}"
                raise DimensionError(asked_of(name, *args), found, "axes in front are batches, and of one size")
        rows.append(labels)
    return rows, list(range(count))
