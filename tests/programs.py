"""Random index expressions, each built twice: with indexcalc, and as a JAX function of the same arrays."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from later import jax, jnp

import indexcalc as ic

DRAWN: Counter[str] = Counter()
"""What was drawn, over the whole run: kinds of step, functions, layouts."""

SHAPES = {"x": "a", "y": "b", "z": "c", "A": "a b", "B": "b c", "C": "a c", "S": "a a", "Q": "a b c", "s": ""}
NAMES = {"a": ("i", "m"), "b": ("j", "n"), "c": ("k", "p")}
INDEX = {name: ic.index(name) for names in NAMES.values() for name in names}
DIM = {name: dim for dim, names in NAMES.items() for name in names}
TENSORS = {name: ic.tensor(name, shape) for name, shape in SHAPES.items()}
ELEMENTWISE: dict[str, Callable[[jax.Array], jax.Array]] = {
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "atan": jnp.arctan,
    "erf": jax.scipy.special.erf,
    "relu": jax.nn.relu,
    "abs": jnp.abs,
}
REDUCTIONS: dict[str, Callable[..., jax.Array]] = {
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "logsumexp": jax.nn.logsumexp,
    "max": jnp.max,
    "min": jnp.min,
    "prod": jnp.prod,
    "norm2": lambda x, axis: jnp.sqrt(jnp.sum(x * x, axis=axis)),
}
KEEPS = {"softmax", "log_softmax"}


@dataclass
class Twin:
    """An expression, its free names in order, and the same thing in JAX.

    In JAX it is a function of the arrays, with axes in that order.
    """

    expr: ic.Expr
    names: tuple[str, ...]
    run: Callable[[dict[str, jax.Array]], jax.Array]


def leaf(rng: random.Random) -> Twin:
    """A tensor with random indices; a repeated one is a trace."""
    name = rng.choice(list(SHAPES))
    places = tuple(rng.choice(NAMES[dim]) for dim in SHAPES[name].split())
    names = tuple(place for place in dict.fromkeys(places) if places.count(place) == 1)
    letters = {place: chr(97 + k) for k, place in enumerate(NAMES["a"] + NAMES["b"] + NAMES["c"])}
    spec = "".join(letters[p] for p in places) + "->" + "".join(letters[p] for p in names)
    DRAWN["trace" if len(names) < len(places) else "tensor"] += 1
    if not places:
        return Twin(ic.Expr(TENSORS[name].node, ()), (), lambda arrays: arrays[name])
    return Twin(TENSORS[name][tuple(INDEX[p] for p in places)], names, lambda arrays: jnp.einsum(spec, arrays[name]))


def _spec(parts: list[tuple[str, ...]], out: tuple[str, ...]) -> str:
    letters = {name: chr(97 + k) for k, name in enumerate(sorted({n for part in parts for n in part}))}
    return ",".join("".join(letters[n] for n in p) for p in parts) + "->" + "".join(letters[n] for n in out)


def product(rng: random.Random, one: Twin, two: Twin) -> Twin:
    """Einstein's product, or where a name would occur a third time, or by choice, the one that keeps names."""
    shared = set(one.names) & set(two.names)
    union = tuple(dict.fromkeys((*one.names, *two.names)))
    clash = one.expr.summed & set(two.names) or two.expr.summed & set(one.names)
    if clash or rng.random() < 0.3:
        DRAWN["hadamard"] += 1
        out = union
        expr = ic.hadamard(one.expr, two.expr)
    else:
        DRAWN["product"] += 1
        out = tuple(name for name in union if name not in shared)
        expr = one.expr * two.expr
    spec = _spec([one.names, two.names], out)
    return Twin(expr, out, lambda arrays: jnp.einsum(spec, one.run(arrays), two.run(arrays)))


def function(rng: random.Random, one: Twin) -> Twin:
    """An elementwise function."""
    name = rng.choice(list(ELEMENTWISE))
    DRAWN[name] += 1
    run = ELEMENTWISE[name]
    return Twin(getattr(ic, name)(one.expr), one.names, lambda arrays: run(one.run(arrays)))


def power(rng: random.Random, one: Twin) -> Twin:
    """A square, a cube, or one over one plus a square."""
    kind = rng.choice(["square", "cube", "reciprocal", "root"])
    DRAWN[kind] += 1
    if kind == "square":
        return Twin(one.expr**2, one.names, lambda arrays: one.run(arrays) ** 2)
    if kind == "cube":
        return Twin(one.expr**3, one.names, lambda arrays: one.run(arrays) ** 3)
    if kind == "root":
        return Twin(ic.sqrt(1 + one.expr**2), one.names, lambda arrays: jnp.sqrt(1 + one.run(arrays) ** 2))
    return Twin((1 + one.expr**2) ** -1, one.names, lambda arrays: 1 / (1 + one.run(arrays) ** 2))


def reduction(rng: random.Random, one: Twin) -> Twin:
    """A reduction along one free index; a sum or a mean among them."""
    if not one.names:
        return function(rng, one)
    along = rng.choice(one.names)
    axis = one.names.index(along)
    kept = tuple(name for name in one.names if name != along)
    name = rng.choice([*REDUCTIONS, "sum", "mean"])
    DRAWN[name] += 1
    if name in ("sum", "mean"):
        run = getattr(jnp, name)
        return Twin(getattr(one.expr, name)(INDEX[along]), kept, lambda arrays: run(one.run(arrays), axis=axis))
    if name == "norm2":
        one = Twin(one.expr + 2, one.names, lambda arrays, inner=one.run: inner(arrays) + 2)
    run = REDUCTIONS[name]
    names = one.names if name in KEEPS else kept
    return Twin(getattr(ic, name)(one.expr, INDEX[along]), names, lambda arrays: run(one.run(arrays), axis=axis))


def total(rng: random.Random, one: Twin, two: Twin) -> Twin:
    """A sum: of two things with the same free names, or with a number."""
    DRAWN["sum of terms"] += 1
    if set(one.names) == set(two.names):
        order = tuple(two.names.index(name) for name in one.names)
        return Twin(
            one.expr - two.expr, one.names, lambda arrays: one.run(arrays) - jnp.transpose(two.run(arrays), order)
        )
    other = function(rng, one)
    return Twin(one.expr * 2 + other.expr - 1, one.names, lambda arrays: one.run(arrays) * 2 + other.run(arrays) - 1)


def where(one: Twin) -> Twin:
    """`where(x > 0, x, x/2)` and `maximum(x, 1/3)`."""
    DRAWN["where, maximum"] += 1
    return Twin(
        ic.where(ic.greater(one.expr, 0), one.expr, one.expr / 2) + ic.maximum(one.expr, 0.25),
        one.names,
        lambda arrays: (
            jnp.where(one.run(arrays) > 0, one.run(arrays), one.run(arrays) / 2) + jnp.maximum(one.run(arrays), 0.25)
        ),
    )


def program(rng: random.Random, depth: int) -> Twin:
    """A random expression of at most this depth, with at most 3 free names."""
    if depth == 0:
        return leaf(rng)
    kind = rng.choice(["product", "product", "product", "function", "power", "reduction", "total", "total", "where"])
    one = program(rng, depth - 1)
    if kind == "product":
        made = product(rng, one, program(rng, rng.randrange(depth)))
    elif kind == "total":
        made = total(rng, one, program(rng, rng.randrange(depth)))
    elif kind == "where":
        made = where(one)
    else:
        made = {"function": function, "power": power, "reduction": reduction}[kind](rng, one)
    while len(made.names) > 3:
        made = _sum_last(made)
    return made


def _sum_last(one: Twin) -> Twin:
    last = len(one.names) - 1
    return Twin(one.expr.sum(INDEX[one.names[-1]]), one.names[:-1], lambda arrays: jnp.sum(one.run(arrays), axis=last))


def sizes(rng: random.Random) -> dict[str, int]:
    """Sizes 1 to 4, no two alike."""
    return dict(zip("abc", rng.sample([1, 2, 3, 4], 3), strict=True))


def arrays(rng: random.Random, dims: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers for every tensor, of either sign, away from the kinks of abs and relu at 0."""
    draw = np.random.default_rng(rng.randrange(2**32))
    return {name: draw.uniform(-1, 1, [dims[d] for d in shape.split()]) for name, shape in SHAPES.items()}
