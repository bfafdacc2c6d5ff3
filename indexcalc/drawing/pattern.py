"""Which entries of a tensor may differ from 0, whatever numbers it is made from: a pattern of True and False.

A pattern is found from those below: of a product it is the sum of products (some summand has no zero factor), of a sum
where any term has it, of a function of entries with f(0) = 0 where any argument has it; whatever else is dense. So an
entry that is False is 0; one that is True may be, where numbers cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from indexcalc.engine.bind.constants import known
from indexcalc.engine.bind.inputs import number_of, size_of
from indexcalc.errors import Asked, InputError
from indexcalc.functions.table import ELEMENTWISE
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

MOST = 2_000_000
"""Entries of the largest pattern: more than a picture has pixels."""
Pattern = np.ndarray[Any, np.dtype[np.bool_]]
Sizes = Mapping[str, int]


def pattern(node: Node, sizes: Sizes, asked: Asked) -> Pattern:
    """Where a node may differ from 0, at these sizes.

    >>> from indexcalc.graph.constructors import einsum, variable
    >>> pattern(einsum(1, [(variable("x", (2,)), "i")], "ii"), {}, Asked(str)).tolist()
    [[True, False], [False, True]]
    """
    found: dict[Node, Pattern] = {}
    for inner in topological([node]):
        shape = tuple(size_of(dim, sizes) for dim in inner.dims)
        if prod(shape) > MOST:
            raise InputError(asked, f"{prod(shape):,} entries", f"a picture has at most {MOST:,}: give smaller sizes")
        found[inner] = PATTERNS[type(inner)](inner, [found[child] for child in inner.children], shape, sizes)
    return found[node]


def _dense(node: Node, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    return np.ones(shape, bool)


def _variable(node: Variable, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    """All entries, but for those that an assumption says are 0."""
    made = np.ones(shape, bool)
    for word, keep in DECLARED.items():
        if word in node.assumptions:
            made &= keep(*np.indices(shape)[-2:])
    return made


DECLARED: dict[str, Callable[[Any, Any], Any]] = {
    "diagonal": lambda row, column: row == column,
    "lower": lambda row, column: row >= column,
    "upper": lambda row, column: row <= column,
}
"""Where a matrix with this assumption may differ from 0."""


def _constant(node: Constant, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    params = tuple(number_of(value, sizes) for value in node.params)
    return np.asarray(known(node.label, shape, np.dtype(float), params) != 0)


def _product(node: Product, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    """Where some summand has no zero factor; what is divided by is no zero."""
    free = list(dict.fromkeys(node.out))
    bare = [np.ones(size_of(dim, sizes), bool) for dim in node.sizes]
    operands: list[Any] = []
    for factor, own in zip(node.factors, below, strict=True):
        kept = own if factor.exponent.real > 0 else np.ones_like(own)
        operands += [kept.astype(float), list(factor.labels)]
    for label in free:
        operands += [bare[label].astype(float), [label]]
    core = np.einsum(*operands, free, optimize=True) > 0 if operands else np.array(True)
    made = np.zeros(shape, bool)
    if node.coef == 0:
        return made
    places = np.indices(core.shape)
    made[tuple(places[free.index(label)] for label in node.out)] = core
    return made


def _sum(node: Sum, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    made = np.zeros(shape, bool)
    for term, own in zip(node.terms, below, strict=True):
        made |= _along(own, term.labels, len(shape))
    return made


def _elementwise(node: Elementwise, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    """Where some argument may differ from 0, if the function is 0 at 0; everywhere if it is not."""
    zeros = [np.zeros(()) for _ in node.args]
    with np.errstate(all="ignore"):
        at_zero = ELEMENTWISE[node.fn].numpy(*zeros, *node.params)
    made = np.ones(shape, bool)
    if at_zero == 0:
        made[...] = False
        for arg, own in zip(node.args, below, strict=True):
            made |= _along(own, arg.labels, len(shape))
    return made


def _along(own: Pattern, labels: Sequence[int], order: int) -> Pattern:
    """A pattern among axes of which it has some; a label twice is a diagonal."""
    axes = sorted(set(labels))
    turned = np.einsum(own, list(labels), axes)
    shape = [1] * order
    for axis, size in zip(axes, turned.shape, strict=True):
        shape[axis] = size
    return np.asarray(turned.reshape(shape))


def _regroup(node: Regroup, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    inner = [label for group in node.inner for label in group]
    outer = [label for group in node.outer for label in group]
    split = below[0].reshape([size_of(node.sizes[label], sizes) for label in inner])
    return np.asarray(split.transpose([inner.index(label) for label in outer]).reshape(shape))


def _child(node: Definition, below: Sequence[Pattern], shape: tuple[int, ...], sizes: Sizes) -> Pattern:
    return below[0]


PATTERNS: dict[type[Node], Callable[..., Pattern]] = {
    Variable: _variable,
    Product: _product,
    Sum: _sum,
    Constant: _constant,
    Regroup: _regroup,
    Elementwise: _elementwise,
    Reduction: _dense,
    Matrix: _dense,
    Call: _dense,
    Definition: _child,
}
"""The pattern of each kind, from those of its children."""
