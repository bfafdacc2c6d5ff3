"""Random graphs, made node by node, and numbers for them: products with deltas, traces, powers and weights, sums."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from indexcalc.graph.constructors import (
    addition,
    constant,
    definition,
    delta,
    dimension,
    einsum,
    elementwise,
    reduction,
    regroup,
    variable,
)
from indexcalc.graph.node import Node, Variable
from indexcalc.index import dim, size

n, m = dim("n"), dim("m")
DIMS = (n, m, 2)
MOST_AXES = 4


class Graph(NamedTuple):
    """Nodes, the later of them made from the earlier, and a size for each symbol, an array for each variable."""

    nodes: list[Node]
    sizes: dict[str, int]
    arrays: dict[Variable, Any]


def graph(rng: np.random.Generator, steps: int = 9, largest: int = 5) -> Graph:
    """A graph over a few variables, whose axes have the dimensions n, m and 2, and some joined ones at the end."""
    sizes = {"n": int(rng.integers(1, largest + 1)), "m": int(rng.integers(1, largest + 1))}
    leaves = []
    for k in range(4):
        shape = [DIMS[d] for d in rng.integers(0, 3, int(rng.integers(0, 3)))]
        leaves.append(variable(f"x{k}", shape, ["positive"] if k == 3 else []))
    nodes: list[Node] = [*leaves, delta(n), delta(m, 2), einsum(2, [], "i", {"i": m}), dimension(n)]
    nodes.append(constant("tril", (n, n)))
    for _ in range(steps):
        made = STEPS[int(rng.integers(len(STEPS)))](rng, nodes)
        if made.order <= MOST_AXES:
            nodes.append(definition(f"d{len(nodes)}", made) if rng.integers(8) == 0 else made)
        if not set(made.dims) <= set(DIMS):
            break
    arrays = {v: rng.normal(size=[size(d, sizes) for d in v.dims]) for v in leaves}
    return Graph(nodes, sizes, {v: np.abs(x) if v.assumptions else x for v, x in arrays.items()})


def _pick(rng: np.random.Generator, nodes: Sequence[Node]) -> Node:
    return nodes[int(rng.integers(len(nodes)))]


def product(rng: np.random.Generator, nodes: Sequence[Node]) -> Node:
    """A product: a label may be shared, repeated, summed, missing, or in the result twice."""
    factors: list[Any] = []
    labels: set[Any] = set()
    for _ in range(int(rng.integers(1, 5))):
        child = _pick(rng, nodes)
        own = [(d, int(rng.integers(2))) for d in child.dims]
        factors.append((child, own, (1, 1, 1, 1, 2, 3)[int(rng.integers(6))]))
        labels |= set(own)
    labels |= {(DIMS[d], 2) for d in rng.integers(0, 3, int(rng.integers(0, 2)))}
    pool = sorted(labels, key=str)
    count = int(rng.integers(0, 4)) if pool else 0
    out = [pool[int(k)] for k in rng.integers(0, len(pool), count)] if count else []
    coef = (1, -1, Fraction(1, 2), 3)[int(rng.integers(4))]
    return einsum(coef, factors, out, {label: label[0] for label in pool})


def gram(rng: np.random.Generator, nodes: Sequence[Node]) -> Node:
    """One node twice, some of its axes shared and summed, with weights along these: `X' diag(w) X`."""
    child = _pick(rng, [node for node in nodes if node.order])
    shared = [bool(k == 0 or rng.integers(2)) for k in rng.permutation(child.order)]
    one = [(d, k) for k, d in enumerate(child.dims)]
    other = [label if own else (label[0], label[1] + child.order) for label, own in zip(one, shared, strict=True)]
    summed = [label for label, own in zip(one, shared, strict=True) if own]
    factors: list[Any] = [(child, one), (child, other)]
    for _ in range(int(rng.integers(1, 3))):
        weight = _pick(rng, [node for node in nodes if node.order])
        places = [[label for label in summed if label[0] == d] for d in weight.dims]
        if all(places):
            exponent = (1, 2, Fraction(1, 2))[int(rng.integers(3))]
            positive = elementwise("sigmoid", [(weight, range(weight.order))], weight.dims)
            base = positive if exponent == Fraction(1, 2) or rng.integers(2) else weight
            factors.append((base, [own[int(rng.integers(len(own)))] for own in places], exponent))
    out = [label for label in (*one, *other) if label not in summed]
    return einsum((1, Fraction(-1, 2))[int(rng.integers(2))], factors, out)


def total(rng: np.random.Generator, nodes: Sequence[Node]) -> Node:
    """A sum: its terms run along some of its axes, a diagonal of it along one, or along none."""
    terms = [_pick(rng, nodes) for _ in range(int(rng.integers(2, 4)))]
    shape = list(max((t.dims for t in terms), key=len))
    placed = []
    for term in terms:
        places = [[a for a, d in enumerate(shape) if d == own] for own in term.dims]
        if all(places):
            axes = [own[int(rng.integers(len(own)))] for own in places]
            own = list(dict.fromkeys(axes))
            placed.append(((1, -1, 3, Fraction(1, 2))[int(rng.integers(4))], einsum(1, [(term, axes)], own), own))
    return addition(placed, shape)


def function(rng: np.random.Generator, nodes: Sequence[Node]) -> Node:
    """A function of the entries, of one node or of two along axes of their own, along axes, or a rearrangement."""
    child = _pick(rng, nodes)
    axes = list(range(child.order))
    if rng.integers(5) == 0:
        other = _pick(rng, nodes)
        shape = (*child.dims, *other.dims)
        if len(shape) <= MOST_AXES:
            return elementwise("maximum", [(child, axes), (other, range(child.order, len(shape)))], shape)
    if not child.order or rng.integers(2):
        names = rng.permutation(axes).tolist() if len(set(child.dims)) == 1 else axes
        name = ("tanh", "sigmoid", "exp")[int(rng.integers(3))]
        inner = elementwise("tanh", [(child, axes)], child.dims)
        return elementwise(name, [(inner if name == "exp" else child, names)], child.dims)
    if rng.integers(3) == 0:
        return regroup(child, [(a,) for a in axes], [tuple(reversed(axes))], child.dims)
    fn, keeps = (("softmax", True), ("logsumexp", False), ("max", False))[int(rng.integers(3))]
    return reduction(fn, child, [int(rng.integers(child.order))], keeps)


STEPS = (product, product, gram, gram, total, function)
