"""The tests' own evaluation: each node by itself, as it is written; slow, and without anything that could be wrong.

A delta is an identity matrix, an axis along which nothing varies a vector of ones, a product one einsum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import number_of
from indexcalc.functions.matrix_series import matrix_numbers
from indexcalc.functions.table import elementwise_row, reduction_row
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
from indexcalc.index import size

Sizes = Mapping[str, int]
MANY = 10**6
"""From so many points on, NumPy may contract the factors of a product pair by pair."""


def naive(
    roots: Sequence[Node],
    arrays: Mapping[Variable, Any],
    sizes: Sizes | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> list[Any]:
    """The value of each root."""
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in topological(roots):
            children = [values[child] for child in node.children]
            values[node] = _value(node, children, arrays, sizes or {}, functions or {})
            assert np.shape(values[node]) == _shape(node.dims, sizes or {}), node
    return [np.asarray(values[root]) for root in roots]


def _shape(dims: Sequence[Any], sizes: Sizes) -> tuple[int, ...]:
    return tuple(size(dim, sizes) for dim in dims)


def _value(
    node: Node, children: list[Any], arrays: Mapping[Variable, Any], sizes: Sizes, functions: Mapping[str, Any]
) -> Any:
    shape = _shape(node.dims, sizes)
    match node:
        case Variable():
            return np.asarray(arrays[node])
        case Constant():
            return known(node.label, shape, float, node.params)
        case Product():
            return _product(node, children, sizes)
        case Sum():
            terms = zip(node.terms, children, strict=True)
            return sum((_number(term.coef) * _spread(x, term.labels, shape) for term, x in terms), np.zeros(shape))
        case Elementwise():
            args = [_spread(x, arg.labels, shape) for arg, x in zip(node.args, children, strict=True)]
            return elementwise_row(node.fn).numpy(*args, *node.params)
        case Reduction():
            return reduction_row(node.fn).numpy(children[0], node.axes, *node.params)
        case Matrix():
            return matrix_numbers(node, children, tuple(number_of(value, sizes) for value in node.params))
        case Regroup():
            inner = [label for group in node.inner for label in group]
            order = [inner.index(label) for group in node.outer for label in group]
            split = _shape([node.sizes[label] for label in inner], sizes)
            return children[0].reshape(split).transpose(order).reshape(shape)
        case Call():
            return np.asarray(functions[node.name](*children))
        case Definition():
            return children[0]
    raise AssertionError(node)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | Fraction) else value


def _product(node: Product, children: Sequence[Any], symbols: Sizes) -> Any:
    """The einsum; the second and further times that a label is an axis of the result it gets a name of its own."""
    coef = _number(node.coef)
    operands: list[Any] = []
    carried: set[int] = set()
    for (_, labels, exponent), x in zip(node.factors, children, strict=True):
        operands += [x if exponent == 1 else np.power(x, _number(exponent)), labels]
        carried |= set(labels)
    sizes: list[int] = []
    for label, dim in enumerate(node.sizes):
        lone = label not in carried and label not in node.out
        coef = coef * _number(number_of(dim, symbols)) if lone else coef
        sizes.append(1 if lone else size(dim, symbols))
        operands += [] if lone or label in carried else [np.ones(sizes[label]), (label,)]
    operands += [np.asarray(coef), ()]
    out: list[int] = []
    points = prod(sizes)
    for place, label in enumerate(node.out):
        own = len(sizes) + place if label in out else label
        if own != label:
            operands += [np.eye(sizes[label]), (own, label)]
            points *= sizes[label]
        out.append(own)
    return np.einsum(*operands, out, optimize="greedy" if points > MANY else False)


def _spread(x: Any, labels: Sequence[int], shape: Sequence[int]) -> Any:
    """An argument or a term along all axes of the result; its diagonal where it has one of them twice."""
    ones = [part for axis, size in enumerate(shape) for part in (np.ones(size), (axis,))]
    return np.einsum(x, labels, *ones, range(len(shape)))
