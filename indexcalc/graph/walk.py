"""Walks over the graph. All are iterative, and visit a shared node once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from indexcalc.graph.constructors import (
    addition,
    call,
    constant,
    definition,
    einsum,
    elementwise,
    matrix,
    reduction,
    regroup,
)
from indexcalc.graph.node import (
    Arg,
    Call,
    Constant,
    Definition,
    Elementwise,
    Factor,
    Matrix,
    Node,
    Product,
    Reduction,
    Regroup,
    Sum,
    Term,
    Variable,
    topological,
)
from indexcalc.index import Dim, Dimension
from indexcalc.index import substitute as replace_symbols


@contextmanager
def paused_collection() -> Iterator[None]:
    """Python's cycle collector paused.

    A pass makes many objects and no cycles, and the collector would look at all of them again and again.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def variables(roots: Iterable[Node]) -> list[Variable]:
    """The variables below, by name."""
    return sorted((n for n in topological(roots) if isinstance(n, Variable)), key=lambda v: (v.label, v.digest))


def rebuild(node: Node, children: Sequence[Node]) -> Node:
    """The node with other children, of the same dimensions, in the same places."""
    if all(a is b for a, b in zip(children, node.children, strict=True)):
        return node
    match node:
        case Product():
            dims = dict(enumerate(node.sizes))
            factors = [Factor(c, f.labels, f.exponent) for c, f in zip(children, node.factors, strict=True)]
            return einsum(node.coef, factors, node.out, dims)
        case Sum():
            return addition([Term(t.coef, c, t.labels) for c, t in zip(children, node.terms, strict=True)], node.shape)
        case Elementwise():
            args = [Arg(c, a.labels) for c, a in zip(children, node.args, strict=True)]
            return elementwise(node.fn, args, node.shape, node.params)
        case Reduction():
            return reduction(node.fn, children[0], node.axes, node.keeps, node.params)
        case Matrix():
            return matrix(node.fn, children, node.shape, node.params, node.times)
        case Regroup():
            return regroup(children[0], node.inner, node.outer, node.sizes)
        case Call():
            return call(node.function, node.orders, children, node.labels, node.batch)
        case Definition():
            return definition(node.label, children[0])
    raise AssertionError(f"a {node.kind} has no children")


def replace(roots: Sequence[Node], change: Callable[[Node, Node], Node]) -> list[Node]:
    """The roots with every node replaced: `change(old, new)` gets the node and itself with changed children."""
    done: dict[Node, Node] = {}
    for node in topological(roots):
        done[node] = change(node, rebuild(node, [done[child] for child in node.children]))
    return [done[root] for root in roots]


def substitute(roots: Sequence[Node], table: dict[Node, Node]) -> list[Node]:
    """The roots with some nodes replaced by others of the same dimensions."""
    return replace(roots, lambda old, new: table.get(old, new))


def resize(roots: Sequence[Node], table: Mapping[str, Dimension]) -> list[Node]:
    """The roots with dimension symbols replaced, in everything but variables."""

    def new(dims: Iterable[Dimension]) -> tuple[Dimension, ...]:
        return tuple(replace_symbols(dim, table) for dim in dims)

    def change(old: Node, node: Node) -> Node:
        match node:
            case Product():
                return einsum(node.coef, node.factors, node.out, dict(enumerate(new(node.sizes))))
            case Sum():
                return addition(node.terms, new(node.shape))
            case Elementwise():
                return elementwise(node.fn, node.args, new(node.shape), node.params)
            case Constant():
                places = [replace_symbols(value, table) if isinstance(value, Dim) else value for value in node.params]
                return constant(node.label, new(node.shape), tuple(places))
            case Matrix():
                return matrix(node.fn, node.children, new(node.shape), new(node.params), node.times)
            case Regroup():
                return regroup(node.child, node.inner, node.outer, new(node.sizes))
            case Call():
                return call(node.function, node.orders, node.children, node.labels, new(node.batch))
            case Variable() | Reduction() | Definition():
                return node  # a variable stays, and the others have the dimensions of what they are made from
        raise AssertionError(node.kind)

    return replace(roots, change)


def count(roots: Iterable[Node]) -> int:
    """How many nodes there are."""
    return len(topological(roots))


def uses(order: Iterable[Node], roots: Iterable[Node]) -> dict[Node, int]:
    """How often each node occurs as a child, or as a root."""
    times: dict[Any, int] = {}
    for root in roots:
        times[root] = times.get(root, 0) + 1
    for node in order:
        for child in node.children:
            times[child] = times.get(child, 0) + 1
    return times
