"""A node for each sample: what is written of one value is made one of many, along axes in front.

A function's own rule is a node of its arguments. At arguments that have samples, each node of the rule that depends on
them gets their axes in front, and nothing else changes: it is the same formula for each sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from indexcalc.graph.constructors import addition, call, einsum, elementwise, matrix, reduction, regroup, variable
from indexcalc.graph.node import (
    Call,
    Definition,
    Elementwise,
    Labels,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Variable,
    topological,
)
from indexcalc.graph.signature import Signature
from indexcalc.index import Dimension

Sampled = tuple[Node, Labels]
"""A node whose first axes run along these axes of the samples; the others are its own."""


def parameters(function: Signature) -> tuple[Variable, ...]:
    """What stands for the arguments in the rules of a function, and last for its value; no tensor has such names.

    >>> from indexcalc.graph.signature import Signature
    >>> [one.label for one in parameters(Signature("f", ((), (3,)), ()))]
    ['f.1', 'f.2', 'f.0']
    """
    made = [variable(f"{function.name}.{k + 1}", dims) for k, dims in enumerate(function.args)]
    return (*made, variable(f"{function.name}.0", function.value))


def for_samples(root: Node, table: Mapping[Node, Sampled], batch: Sequence[Dimension]) -> Node:
    """The root with some nodes replaced, for each sample: the axes of dimensions `batch`, then its own.

    >>> x, X = variable("x", ()), variable("X", (3, 4))
    >>> for_samples(elementwise("exp", [(x, ())], ()), {x: (X, (1, 0))}, (4, 3)).dims
    (4, 3)
    """
    done: dict[Node, Sampled] = dict(table)
    for node in topological([root], done.__contains__):
        children = [done[child] for child in node.children]
        have = tuple(sorted({label for _, labels in children for label in labels}))
        if all(made is child and not labels for (made, labels), child in zip(children, node.children, strict=True)):
            done[node] = node, ()
        else:
            made = EACH[type(node)](node, children, have, tuple(batch[label] for label in have))
            done[node] = made, have
    found, labels = done[root]
    return _spread(found, labels, tuple(range(len(batch))), tuple(batch))


def _spread(node: Node, labels: Labels, wanted: Labels, dims: Sequence[Dimension]) -> Node:
    """The node with these samples in front, constant along those that it lacks."""
    own = [("own", axis) for axis in range(node.order - len(labels))]
    sizes: dict[Any, Dimension] = dict(zip(wanted, dims, strict=True))
    return einsum(1, [(node, (*labels, *own))], (*wanted, *own), sizes)


def _places(labels: Labels, have: Labels, own: Sequence[int]) -> list[int]:
    """The axes of a child among those of a node that has its samples in front."""
    return [*(have.index(label) for label in labels), *(len(have) + axis for axis in own)]


def _product(node: Product, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    marks = {label: ("sample", label) for label in have}
    factors = [
        (child, (*(marks[x] for x in labels), *factor.labels), factor.exponent)
        for (child, labels), factor in zip(children, node.factors, strict=True)
    ]
    return einsum(node.coef, factors, (*marks.values(), *node.out), dict(enumerate(node.sizes)))


def _sum(node: Sum, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    rows = zip(children, node.terms, strict=True)
    terms = [(term.coef, child, _places(labels, have, term.labels)) for (child, labels), term in rows]
    return addition(terms, (*dims, *node.shape))


def _elementwise(node: Elementwise, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    args = [
        (child, _places(labels, have, arg.labels)) for (child, labels), arg in zip(children, node.args, strict=True)
    ]
    return elementwise(node.fn, args, (*dims, *node.shape), node.params)


def _reduction(node: Reduction, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    ((child, _),) = children
    return reduction(node.fn, child, [len(have) + axis for axis in node.axes], node.keeps, node.params)


def _matrix(node: Matrix, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    spread = [_spread(child, labels, have, dims) for child, labels in children]
    return matrix(node.fn, spread, (*dims, *node.shape), node.params, node.times)


def _regroup(node: Regroup, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    ((child, _),) = children
    front = [(len(node.sizes) + k,) for k in range(len(have))]
    return regroup(child, (*front, *node.inner), (*front, *node.outer), (*node.sizes, *dims))


def _call(node: Call, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    rows = [_places(labels, have, own) for (_, labels), own in zip(children, node.labels, strict=True)]
    return call(node.function, node.orders, [child for child, _ in children], rows, (*dims, *node.batch))


def _definition(node: Definition, children: Sequence[Sampled], have: Labels, dims: Sequence[Dimension]) -> Node:
    ((child, _),) = children
    return child


EACH: dict[type[Node], Callable[..., Node]] = {
    Product: _product,
    Sum: _sum,
    Elementwise: _elementwise,
    Reduction: _reduction,
    Matrix: _matrix,
    Regroup: _regroup,
    Call: _call,
    Definition: _definition,
}
"""Each kind that has children, for each sample; a named step is opened, since it has another value for each."""
