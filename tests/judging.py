"""Losses with branches, drawn at random, and what becomes of their derivatives when a branch is changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import indexcalc as ic
from indexcalc.engine.bind.declared import respecting
from indexcalc.graph.constructors import addition, constant_number, einsum, elementwise, zeros
from indexcalc.graph.node import Elementwise, Node, Product, Reduction, Sum, Term, Variable, topological
from indexcalc.graph.walk import substitute
from indexcalc.index import Dim, size

THRESHOLDS = (0, 1, -1, 0.5, 3, -2, 6, 10, 40, 0.01, 250, 1500)
X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
v, a, b, s = ic.tensor("v", "d"), ic.tensor("a", "d"), ic.tensor("b", "d"), ic.scalar("s")
A = ic.tensor("A", "d d")


def residual(rng: random.Random) -> Any:
    """What a loss is taken of: linear in w, or w itself."""
    return rng.choice([w, w - a, X @ w - y, y * (X @ w), s * w, A @ w, w * a - b])


def piecewise(rng: random.Random, r: Any, depth: int = 0) -> Any:
    """A function of a residual, entry by entry, in pieces."""
    c, e = rng.choice(THRESHOLDS), rng.choice(THRESHOLDS)
    low, high = min(c, e), max(c, e) + 0.5
    ways: list[Callable[[], Any]] = [
        lambda: ic.abs(r - c),
        lambda: ic.relu(r - c),
        lambda: ic.relu(r - c) ** 2,
        lambda: ic.where(ic.abs(r) <= abs(c) + 0.5, r**2 / 2, (abs(c) + 0.5) * ic.abs(r)),
        lambda: ic.where(r > c, r**2, 3 * r),
        lambda: ic.maximum(r, c) * r,
        lambda: ic.minimum(ic.maximum(r, low), high) ** 2,
        lambda: ic.maximum(c * r, (c - 1) * r),
        lambda: ic.where((r > low) * (r < high), ic.sin(r), r),
        lambda: ic.tanh(r) * ic.step(r - c),
        lambda: ic.softplus(r) + ic.abs(r),
        lambda: ic.minimum(r**2, abs(c) + 1),
        lambda: ic.sqrt(r**2 + 1) + ic.relu(-r - c),
        lambda: ic.sign(r - c) * r**2,
    ]
    made = rng.choice(ways)()
    if depth < 1 and rng.random() < 0.3:
        made = made + rng.choice([1, -1, 2]) * piecewise(rng, r, depth + 1)
    return made


def branching(seed: int) -> Any:
    """The gradient of a random loss in pieces; None where it does not depend on w."""
    rng = random.Random(seed)
    r = residual(rng)
    f = piecewise(rng, r)
    how = rng.random()
    if how < 0.7:
        loss = f.sum()
    elif how < 0.8:
        loss = ic.max(f)
    elif how < 0.9:
        loss = ic.relu(f.sum() - rng.choice(THRESHOLDS))
    else:
        loss = ic.where(ic.norm2(w) > rng.choice([0.5, 1, 10]), f.sum(), w @ w)
    D = ic.grad(loss, w)
    return None if D == 0 else D


# ------------------------------------------------------------------ changed


def mutants(D: Any, seed: int) -> Iterator[tuple[str, Any]]:
    """The derivative with something in it changed, and what: a branch first of all."""
    rng = random.Random(seed)
    node: Node = D.node

    def view(changed: Node) -> Any:
        return ic.Array(changed, None, D.places, D.vectors, D.turned)

    order = [inner for inner in topological([node]) if isinstance(inner, Elementwise | Reduction | Sum | Product)]
    rng.shuffle(order)
    for inner in order:
        for kind, other in _others(inner, rng):
            if other is not inner and other.dims == inner.dims:
                (made,) = substitute([node], {inner: other})
                if made is not node:
                    yield kind, view(made)


def _others(node: Node, rng: random.Random) -> Iterator[tuple[str, Node]]:
    match node:
        case Elementwise(fn="where"):
            yield "first branch alone", _only(node, 1)
            yield "second branch alone", _only(node, 2)
            c, f, g = node.args
            yield "branches exchanged", elementwise("where", [c, g, f], node.shape)
        case Elementwise(fn="less" | "less_equal" | "greater" | "greater_equal"):
            one, other = node.args
            yield "a condition turned", elementwise(node.fn, [other, one], node.shape)
            yield "a condition always met", _filled(node, 1)
            shift = rng.choice([0.5, -0.5, 2, 100])
            moved = addition(
                [Term(1, other.node, tuple(range(other.node.order))), Term(shift, constant_number(1), ())],
                other.node.dims,
            )
            yield "a threshold moved", elementwise(node.fn, [one, (moved, other.labels)], node.shape)
        case Elementwise(fn="relu" | "abs"):
            yield "a kink left out", _only(node, 0)
        case Elementwise(fn="sign" | "step"):
            yield "a jump left out", _filled(node, 1)
        case Elementwise(fn="maximum" | "minimum"):
            yield "one of two alone", _only(node, rng.choice([0, 1]))
            yield "max for min", elementwise("minimum" if node.fn == "maximum" else "maximum", node.args, node.shape)
        case Reduction(fn="max"):
            yield "min for max", _reduced(node, "min")
        case Sum():
            k = rng.randrange(len(node.terms))
            kept = [term for n, term in enumerate(node.terms) if n != k]
            yield "a term left out", addition(kept, node.shape)
            terms = [term._replace(coef=-term.coef) if n == k else term for n, term in enumerate(node.terms)]
            yield "a sign", addition(terms, node.shape)
        case Product():
            factor = rng.choice([2, -1, 1.001, 0.5])
            yield "a factor", einsum(factor, [(node, range(node.order))], range(node.order))


def _only(node: Elementwise, k: int) -> Node:
    arg = node.args[k]
    return einsum(1, [(arg.node, arg.labels)], range(node.order), dict(enumerate(node.shape)))


def _filled(node: Elementwise, value: int) -> Node:
    return einsum(value, (), range(node.order), dict(enumerate(node.shape))) if value else zeros(node.shape)


def _reduced(node: Reduction, fn: str) -> Node:
    from indexcalc.graph.constructors import reduction

    return reduction(fn, node.child, node.axes, node.keeps)


# ------------------------------------------------------------------ other numbers?


def have_other_numbers(one: Any, other: Any, seed: int = 0, count: int = 120) -> bool:
    """Do two expressions differ at one of many inputs, drawn here and evaluated by the engine?

    Magnitudes run from 0.001 to 5000; half of the entries lie near the thresholds that are drawn from.
    """
    rng = np.random.default_rng(seed)
    inputs = sorted({*one.inputs, *other.inputs}, key=lambda variable: variable.label)
    symbols = sorted({name for q in inputs for dim in q.dims if isinstance(dim, Dim) for name in dim.symbols})
    sizes = dict(zip(symbols, (1, 2, 3), strict=False))
    both = ic.compile([one, other], [q.label for q in inputs])
    for turn in range(count):
        arrays = [_numbers(q, sizes, rng, turn) for q in inputs]
        with np.errstate(all="ignore"):
            first, second = (np.asarray(value) for value in both(*arrays, **sizes))
            scale = np.maximum(np.abs(first), np.abs(second))
            allowed = 1e-7 * scale.max(initial=0) + 1e-12  # what is left of 1 - tanh(20)**2 is rounding
            differ = ~(np.abs(first - second) <= allowed) & np.isfinite(second)
        if differ.any():
            return True
    return False


def _numbers(q: Variable, sizes: dict[str, int], rng: np.random.Generator, turn: int) -> Any:
    shape = tuple(size(dim, sizes) for dim in q.dims)
    scale = 10.0 ** rng.uniform(-3, 3.7, () if turn % 2 else shape)
    value = rng.uniform(0.2, 1, shape) * rng.choice([-1, 1], shape) * scale
    near = rng.choice(THRESHOLDS, shape) + rng.uniform(-0.4, 0.4, shape)
    return respecting(q, np.asarray(np.where(rng.random(shape) < (0.5 if turn % 3 else 0.0), near, value)))
