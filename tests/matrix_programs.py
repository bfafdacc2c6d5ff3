"""Random expressions in matrix notation, each built twice: with indexcalc, and as a JAX function of the same arrays.

A shape is drawn first, then an operation that makes it, then the operation's arguments. In JAX a vector is always of
order 1; in indexcalc it is that in the world "numpy", and a column or a row, at random, in the two other worlds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from later import jax, jnp
from matrix_jax import (
    ELEMENTWISE,
    INVERSES,
    KEEPING,
    NEAREST,
    OF_POSITIVE,
    REDUCTIONS,
    by_columns,
    khatri_rao,
    of_symmetric,
    pinv,
    shifted,
)
from programs import DRAWN

import indexcalc as ic
from indexcalc.index import dim, size

Shape = tuple[Any, ...]
Run = Callable[[dict[str, jax.Array]], jax.Array]
MOST_LEAVES = 4
WORLDS = ("numpy", "column", "row")
SQUARE_WORDS = (
    "symmetric", "positive_definite", "diagonal", "orthogonal", "skew", "lower", "upper", "toeplitz", "positive",
)  # fmt: skip


class Twin(NamedTuple):
    """An expression and the same thing in JAX, a function of the arrays; vectors have order 1 there."""

    expr: ic.Array
    run: Run


class Leaf(NamedTuple):
    """A variable: the Array as it stands, its dimensions, and what is assumed of it ("" for nothing)."""

    expr: ic.Array
    shape: Shape
    word: str


class Program:
    """The random choices of one example: its world, its variables, their sizes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.world = self.rng.choice(WORLDS)
        self.sizes = dict(zip("abc", self.rng.sample([1, 2, 3, 4], 3), strict=True))
        self.leaves: dict[str, Leaf] = {}
        DRAWN[f"world {self.world}"] += 1

    # ------------------------------------------------------------------ shapes, variables, numbers

    def dim(self) -> Any:
        """A symbol, or seldom an integer."""
        return self.rng.choice(["a", "b", "c", "a", "b", "c", 2, 3, 1])

    def shape(self) -> Shape:
        """No axes, one, two, or two with one in front; often a square, seldom a dimension that is a product."""
        order = self.rng.choice([0, 0, 0, 1, 1, 2, 2, 2, 3])
        if order == 2 and self.rng.random() < 0.4:
            return (self.dim(),) * 2
        if order in (1, 2) and self.rng.random() < 0.2:
            return ("a*b", "b*c")[:order]
        return tuple(self.dim() for _ in range(order))

    def size(self, one: Any) -> int:
        return size(dim(one), self.sizes)

    def leaf(self, shape: Shape, word: str = "") -> Twin:
        """A variable of this shape: one that is there, or a new one."""
        known = [name for name, one in self.leaves.items() if (one.shape, one.word) == (shape, word)]
        if known and (self.rng.random() < 0.6 or len(self.leaves) >= MOST_LEAVES):
            name = self.rng.choice(known)
        else:
            name = f"{'suAT'[len(shape)]}{len(self.leaves)}"
            assumed = {word: True} if word else {}
            stands = self.rng.choice([self.world, "column"]) if self.world != "numpy" else "numpy"
            make = getattr(ic, stands) if len(shape) == 1 and stands != "numpy" else ic.tensor
            self.leaves[name] = Leaf(make(name, *shape, **assumed), shape, word)
            DRAWN[f"{word or 'plain'} {('scalar', 'vector', 'matrix', 'batch')[len(shape)]}"] += 1
        return Twin(self.leaves[name].expr, lambda values: values[name])

    def numbers(self, name: str, draw: np.random.Generator) -> np.ndarray:
        """Numbers for a variable that respect what is assumed of it."""
        leaf = self.leaves[name]
        x = draw.uniform(-1, 1, [self.size(one) for one in leaf.shape])
        if leaf.word == "positive":
            return np.abs(x) + 0.2
        if leaf.word == "stochastic":
            return np.asarray(jax.nn.softmax(x, axis=-1))
        if leaf.word == "orthogonal":
            return np.linalg.qr(x)[0]
        if leaf.word == "positive_definite":
            return x @ x.T + np.eye(len(x))
        return NEAREST.get(leaf.word, lambda x: x)(x)

    # ------------------------------------------------------------------ expressions

    def make(self, shape: Shape, depth: int) -> Twin:
        """A random expression of this shape and at most this depth."""
        if depth <= 0:
            return self.bottom(shape)
        rows = (SCALARS, VECTORS, MATRICES, BATCHES)[len(shape)]
        for _ in range(20):
            row = self.rng.choice(rows)
            found = row(self, shape, depth - 1)
            if found is not None:
                DRAWN[row.__name__] += 1
                return found
        return self.bottom(shape)

    def bottom(self, shape: Shape) -> Twin:
        """A variable, with assumptions or without."""
        word = ""
        if self.rng.random() < 0.35:
            if len(shape) == 2 and shape[0] == shape[1]:
                word = self.rng.choice(SQUARE_WORDS)
            else:
                word = "stochastic" if len(shape) == 2 and self.rng.random() < 0.5 else "positive"
        made = self.leaf(shape, word)
        if len(shape) == 2 and not word and self.rng.random() < 0.2:
            other = self.leaf(shape[::-1])
            return Twin(other.expr.T, lambda values: other.run(values).T)
        return made

    def stood(self, x: ic.Array, how: str) -> ic.Array:
        """A vector as a column or a row; in the world "numpy" as it is."""
        if self.world == "numpy" or x.order != 1 or x.standing in (how, ""):
            return x
        return getattr(ic, how)(x) if x.standing == "numpy" else x.T

    def positive(self, shape: Shape, depth: int) -> Twin:
        """An expression whose entries are positive and away from 0."""
        kind = self.rng.choice(["variable", "square", "softplus", "exp"])
        if kind == "variable":
            return self.leaf(shape, "positive")
        x, run = self.make(shape, depth)
        if kind == "square":
            return Twin(1 + x**2, lambda values: 1 + run(values) ** 2)
        if kind == "exp":
            return Twin(ic.exp(ic.tanh(x)), lambda values: jnp.exp(jnp.tanh(run(values))))
        return Twin(ic.softplus(x) + 1, lambda values: jax.nn.softplus(run(values)) + 1)

    def definite(self, n: Any, depth: int) -> Twin:
        """A positive definite matrix."""
        if self.rng.random() < 0.4:
            return self.leaf((n, n), "positive_definite")
        x, run = self.tame((n, n), depth)
        return Twin(x @ x.T + ic.eye(n), lambda values: run(values) @ run(values).T + jnp.eye(self.size(n)))

    def spread_out(self, n: Any) -> Twin:
        """A positive definite matrix whose eigenvalues are apart, unless by chance."""
        if self.rng.random() < 0.5:
            return self.leaf((n, n), "positive_definite")
        x, run = self.leaf((n, n))
        return Twin(x @ x.T + ic.eye(n), lambda values: run(values) @ run(values).T + jnp.eye(self.size(n)))

    def regular(self, n: Any, depth: int) -> Twin:
        """A matrix that is well conditioned."""
        if self.rng.random() < 0.4:
            return self.definite(n, depth)
        x, run = self.tame((n, n), depth)
        return Twin(3 * ic.eye(n) + x / 2, lambda values: 3 * jnp.eye(self.size(n)) + run(values) / 2)

    def tame(self, shape: Shape, depth: int) -> Twin:
        """An expression with entries between -1 and 1."""
        x, run = self.make(shape, depth)
        if depth <= 0 and self.rng.random() < 0.7:
            return Twin(x, run)
        return Twin(ic.tanh(x), lambda values: jnp.tanh(run(values)))


Row = Callable[[Program, Shape, int], Twin | None]


# ------------------------------------------------------------------ operations for any shape


def _pair(p: Program, shape: Shape, depth: int) -> tuple[ic.Array, ic.Array, Run, Run]:
    """Two of one shape, which stand alike."""
    x, y = p.make(shape, depth), p.make(shape, p.rng.randrange(depth + 1))
    how = p.rng.choice(["column", "row"])
    return p.stood(x.expr, how), p.stood(y.expr, how), x.run, y.run


def added(p: Program, shape: Shape, depth: int) -> Twin:
    x, y, f, g = _pair(p, shape, depth)
    if p.rng.random() < 0.5:
        return Twin(x - y, lambda v: f(v) - g(v))
    return Twin(2 * x + y / 4 + 1, lambda v: 2 * f(v) + g(v) / 4 + 1)


def multiplied(p: Program, shape: Shape, depth: int) -> Twin:
    x, y, f, g = _pair(p, shape, depth)
    made = ic.hadamard(x, y) if shape and p.rng.random() < 0.3 else x * y
    return Twin(made, lambda v: f(v) * g(v))


def scaled(p: Program, shape: Shape, depth: int) -> Twin:
    x, s = p.make(shape, depth), p.make((), p.rng.randrange(depth + 1))
    return Twin(x.expr * s.expr, lambda v: x.run(v) * s.run(v))


def divided(p: Program, shape: Shape, depth: int) -> Twin:
    x, y = p.make(shape, depth), p.positive(shape, p.rng.randrange(depth + 1))
    how = p.rng.choice(["column", "row"])
    return Twin(p.stood(x.expr, how) / p.stood(y.expr, how), lambda v: x.run(v) / y.run(v))


def powered(p: Program, shape: Shape, depth: int) -> Twin:
    k = p.rng.choice([2, 3, -1, 0.5, -1.5])
    x = p.make(shape, depth) if k in (2, 3) else p.positive(shape, depth)
    return Twin(x.expr**k, lambda v: x.run(v) ** k)


def power_of_two(p: Program, shape: Shape, depth: int) -> Twin:
    """`x**y` with an expression as exponent."""
    x, y = p.positive(shape, depth), p.tame(shape, p.rng.randrange(depth + 1))
    how = p.rng.choice(["column", "row"])
    return Twin(p.stood(x.expr, how) ** p.stood(y.expr, how), lambda v: x.run(v) ** y.run(v))


def elementwise(p: Program, shape: Shape, depth: int) -> Twin:
    name = p.rng.choice([*ELEMENTWISE, *OF_POSITIVE, "exp"])
    DRAWN[name] += 1
    function = ELEMENTWISE.get(name) or OF_POSITIVE.get(name) or jnp.exp
    x = p.positive(shape, depth) if name in OF_POSITIVE else p.make(shape, depth)
    if name == "exp":
        x = Twin(x.expr, x.run) if depth <= 0 else Twin(ic.sin(x.expr), lambda v, run=x.run: jnp.sin(run(v)))
    return Twin(getattr(ic, name)(x.expr), lambda v: function(x.run(v)))


def chosen(p: Program, shape: Shape, depth: int) -> Twin:
    """`where` with a comparison, maximum, minimum."""
    x, y, f, g = _pair(p, shape, depth)
    kind = p.rng.choice(["where", "maximum", "minimum"])
    if kind == "where":
        return Twin(ic.where(x < y + 0.1, x, 3 * y), lambda v: jnp.where(f(v) < g(v) + 0.1, f(v), 3 * g(v)))
    function = jnp.maximum if kind == "maximum" else jnp.minimum
    return Twin(getattr(ic, kind)(x, y + 0.1), lambda v: function(f(v), g(v) + 0.1))


# ------------------------------------------------------------------ scalars


def _reducible(p: Program, name: str, shape: Shape, depth: int) -> Twin:
    """What a reduction is applied to: away from 0 for norms, small for products."""
    if name == "norm2":
        return p.positive(shape, depth)
    return p.make(shape, depth)


def reduced(p: Program, shape: Shape, depth: int) -> Twin:
    name = p.rng.choice(list(REDUCTIONS))
    inner = tuple(p.dim() for _ in range(p.rng.choice([1, 2, 2, 3])))
    DRAWN[name] += 1
    x = _reducible(p, name, inner, depth)
    made = getattr(ic, name)(x.expr, axis=tuple(range(x.expr.ndim)))
    return Twin(made, lambda v: REDUCTIONS[name](x.run(v)))


def norms(p: Program, shape: Shape, depth: int) -> Twin:
    kind = p.rng.choice(["normF", "normp", "norm_nuc"])
    DRAWN[kind] += 1
    if kind == "norm_nuc":
        n = p.dim()
        x = p.spread_out(n)
        return Twin(ic.norm_nuc(x.expr), lambda v: jnp.sum(jnp.linalg.svd(x.run(v), compute_uv=False)))
    x = p.positive((p.dim(), p.dim()), depth)
    if kind == "normF":
        return Twin(ic.normF(x.expr), lambda v: jnp.sqrt(jnp.sum(x.run(v) ** 2)))
    return Twin(ic.normp(x.expr, 3, axis=(0, 1)), lambda v: jnp.sum(x.run(v) ** 3) ** (1 / 3))


def determined(p: Program, shape: Shape, depth: int) -> Twin:
    kind = p.rng.choice(["det", "logdet", "logdet", "tr"])
    DRAWN[kind] += 1
    n = p.dim()
    if kind == "tr":
        x = p.make((n, n), depth)
        return Twin(ic.tr(x.expr), lambda v: jnp.trace(x.run(v)))
    x = p.regular(n, depth)
    if kind == "det":
        return Twin(ic.det(x.expr), lambda v: jnp.linalg.det(x.run(v)))
    return Twin(ic.logdet(x.expr), lambda v: jnp.linalg.slogdet(x.run(v))[1])


def inner_product(p: Program, shape: Shape, depth: int) -> Twin:
    n = p.dim()
    x, y = p.make((n,), depth), p.make((n,), p.rng.randrange(depth + 1))
    return Twin(p.stood(x.expr, "row") @ p.stood(y.expr, "column"), lambda v: x.run(v) @ y.run(v))


def quadratic(p: Program, shape: Shape, depth: int) -> Twin:
    n = p.dim()
    x, m = p.make((n,), p.rng.randrange(depth + 1)), p.make((n, n), depth)
    made = p.stood(x.expr, "row") @ m.expr @ p.stood(x.expr, "column")
    return Twin(made, lambda v: x.run(v) @ m.run(v) @ x.run(v))


def entry(p: Program, shape: Shape, depth: int) -> Twin:
    x, k, m = p.make((p.dim(), p.dim()), depth), p.rng.choice([0, -1]), p.rng.choice([0, -1])
    return Twin(x.expr[k, m], lambda v: x.run(v)[k, m])


# ------------------------------------------------------------------ vectors


def applied(p: Program, shape: Shape, depth: int) -> Twin:
    n = p.dim()
    if p.rng.random() < 0.5:
        m, x = p.make((*shape, n), depth), p.make((n,), p.rng.randrange(depth + 1))
        return Twin(m.expr @ p.stood(x.expr, "column"), lambda v: m.run(v) @ x.run(v))
    m, x = p.make((n, *shape), depth), p.make((n,), p.rng.randrange(depth + 1))
    return Twin(p.stood(x.expr, "row") @ m.expr, lambda v: x.run(v) @ m.run(v))


def reduced_matrix(p: Program, shape: Shape, depth: int) -> Twin:
    name, axis = p.rng.choice(list(REDUCTIONS)), p.rng.choice([0, 1, -1, -2])
    other = p.dim()
    x = _reducible(p, name, (other, *shape) if axis % 2 == 0 else (*shape, other), depth)
    DRAWN[f"{name} along an axis"] += 1
    return Twin(getattr(ic, name)(x.expr, axis=axis), lambda v: REDUCTIONS[name](x.run(v), axis=axis))


def normalised_vector(p: Program, shape: Shape, depth: int) -> Twin:
    name = p.rng.choice(list(KEEPING))
    x = p.make(shape, depth)
    along = x.expr.places.index(0)
    DRAWN[name] += 1
    return Twin(getattr(ic, name)(x.expr, axis=along), lambda v: KEEPING[name](x.run(v)))


def diagonal(p: Program, shape: Shape, depth: int) -> Twin:
    x = p.make(shape * 2, depth)
    return Twin(ic.diag(x.expr), lambda v: jnp.diagonal(x.run(v)))


def solved(p: Program, shape: Shape, depth: int) -> Twin:
    m, x = p.regular(shape[0], depth), p.make(shape, p.rng.randrange(depth + 1))
    right = p.stood(x.expr, "column") if len(shape) == 1 else x.expr
    return Twin(ic.solve(m.expr, right), lambda v: jnp.linalg.solve(m.run(v), x.run(v)))


def spectrum(p: Program, shape: Shape, depth: int) -> Twin:
    n = shape[0]
    if p.rng.random() < 0.5:
        x = p.spread_out(n)
        return Twin(ic.eigvalsh(x.expr), lambda v: jnp.linalg.eigvalsh(x.run(v)))
    x = p.leaf((n, n))
    return Twin(ic.svdvals(x.expr), lambda v: jnp.linalg.svd(x.run(v), compute_uv=False))


def crossed(p: Program, shape: Shape, depth: int) -> Twin | None:
    if shape != (3,):
        return None
    x, y, f, g = _pair(p, shape, depth)
    return Twin(ic.cross(x, y), lambda v: jnp.cross(f(v), g(v)))


def picked(p: Program, shape: Shape, depth: int) -> Twin:
    """A row or a column of a matrix."""
    k, other = p.rng.choice([0, -1]), p.dim()
    if p.rng.random() < 0.5:
        x = p.make((other, *shape), depth)
        return Twin(x.expr[k], lambda v: x.run(v)[k])
    x = p.make((*shape, other), depth)
    return Twin(x.expr[:, k], lambda v: x.run(v)[:, k])


def cut_vector(p: Program, shape: Shape, depth: int) -> Twin | None:
    """A slice of a vector, or of a longer one backwards."""
    if shape != (2,) or p.world != "numpy":
        return None
    x = p.make((3,), depth)
    step = p.rng.choice([slice(1, None), slice(None, 2), slice(None, None, 2), slice(-1, 0, -1)])
    return Twin(x.expr[step], lambda v: x.run(v)[step])


def joined(p: Program, shape: Shape, depth: int) -> Twin | None:
    """`vec` of a matrix, `kron` of vectors, for a dimension that is a product; vech and `duplication` for 3 and 4."""
    (n,) = shape
    if n == 3:
        x = p.make((2, 2), depth)
        return Twin(ic.vech(x.expr), lambda v: jnp.stack([x.run(v)[0, 0], x.run(v)[1, 0], x.run(v)[1, 1]]))
    if not isinstance(n, str) or "*" not in n:
        return None
    one, two = n.split("*")
    if p.rng.random() < 0.4:
        x, y = p.make((one,), depth), p.make((two,), depth)
        how = p.rng.choice(["column", "row"])
        return Twin(ic.kron(p.stood(x.expr, how), p.stood(y.expr, how)), lambda v: jnp.kron(x.run(v), y.run(v)))
    x = p.make((two, one), depth)
    if p.rng.random() < 0.3:
        return Twin(ic.vec(x.expr.T, order="C"), lambda v: jnp.reshape(x.run(v).T, -1))
    return Twin(ic.vec(x.expr), lambda v: by_columns(x.run(v)))


def matrix_of_batch(p: Program, shape: Shape, depth: int) -> Twin:
    """det, logdet or trace of each matrix of a batch."""
    kind = p.rng.choice(["det", "logdet", "tr"])
    n = p.rng.choice(["a", "b", 2])
    x = p.make((*shape, n, n), depth)
    DRAWN[f"{kind} of a batch"] += 1
    if kind == "tr":
        return Twin(ic.tr(x.expr), lambda v: jnp.trace(x.run(v), axis1=-2, axis2=-1))
    made = 3 * ic.eye(n) + ic.tanh(x.expr) / 2
    run = partial(shifted, p.size(n), x.run)
    if kind == "det":
        return Twin(ic.det(made), lambda v: jnp.linalg.det(run(v)))
    return Twin(ic.logdet(made), lambda v: jnp.linalg.slogdet(run(v))[1])


# ------------------------------------------------------------------ matrices


def matmul(p: Program, shape: Shape, depth: int) -> Twin:
    n = p.dim()
    x, y = p.make((shape[0], n), depth), p.make((n, shape[1]), p.rng.randrange(depth + 1))
    return Twin(x.expr @ y.expr, lambda v: x.run(v) @ y.run(v))


def gram(p: Program, shape: Shape, depth: int) -> Twin | None:
    if shape[0] != shape[1]:
        return None
    x = p.make((p.dim(), shape[0]), depth)
    return Twin(x.expr.T @ x.expr, lambda v: x.run(v).T @ x.run(v))


def transposed(p: Program, shape: Shape, depth: int) -> Twin:
    x = p.make(shape[::-1], depth)
    made = x.expr.mT if p.rng.random() < 0.3 else x.expr.T
    return Twin(made, lambda v: x.run(v).T)


def outer(p: Program, shape: Shape, depth: int) -> Twin:
    x, y = p.make(shape[:1], depth), p.make(shape[1:], p.rng.randrange(depth + 1))
    one, two = p.stood(x.expr, "column"), p.stood(y.expr, "row")
    made = one @ two if p.world != "numpy" and p.rng.random() < 0.5 else ic.outer(x.expr, y.expr)
    return Twin(made, lambda v: jnp.outer(x.run(v), y.run(v)))


def spread(p: Program, shape: Shape, depth: int) -> Twin:
    """A matrix and a vector that is stretched along rows or columns."""
    by_rows = p.rng.random() < 0.5
    x, y = p.make(shape, depth), p.make(shape[1:] if by_rows else shape[:1], p.rng.randrange(depth + 1))
    flat = p.stood(y.expr, "row" if by_rows else "column")
    if p.world == "numpy" and not by_rows:
        flat = flat[:, None]
    kind = p.rng.choice("+-*")
    made = x.expr + flat if kind == "+" else flat - x.expr if kind == "-" else x.expr * flat

    def run(v: dict[str, jax.Array]) -> jax.Array:
        m, w = x.run(v), y.run(v)[None, :] if by_rows else y.run(v)[:, None]
        return m + w if kind == "+" else w - m if kind == "-" else m * w

    return Twin(made, run)


def kept_axis(p: Program, shape: Shape, depth: int) -> Twin:
    """A matrix less, or over, what one of its reductions leaves with `keepdims`."""
    name, axis = p.rng.choice(list(REDUCTIONS)), p.rng.choice([0, 1])
    x = p.positive(shape, depth)
    DRAWN[f"{name} with keepdims"] += 1
    reduction, function = getattr(ic, name), REDUCTIONS[name]
    if p.rng.random() < 0.5:
        made = x.expr - reduction(x.expr, axis=axis, keepdims=True)
        return Twin(made, lambda v: x.run(v) - function(x.run(v), axis=axis, keepdims=True))
    y = p.make(shape, p.rng.randrange(depth + 1))
    made = y.expr * reduction(x.expr, axis=axis, keepdims=True)
    return Twin(made, lambda v: y.run(v) * function(x.run(v), axis=axis, keepdims=True))


def narrow(p: Program, shape: Shape, depth: int) -> Twin:
    """A matrix and one with an axis declared as 1."""
    x, y = p.make(shape, depth), p.make(p.rng.choice([(1, shape[1]), (shape[0], 1)]), p.rng.randrange(depth + 1))
    return Twin(x.expr * y.expr + y.expr, lambda v: x.run(v) * y.run(v) + y.run(v))


def normalised(p: Program, shape: Shape, depth: int) -> Twin:
    name, axis = p.rng.choice(list(KEEPING)), p.rng.choice([0, 1, -1])
    x = p.make(shape, depth)
    DRAWN[f"{name} along an axis"] += 1
    return Twin(getattr(ic, name)(x.expr, axis=axis), lambda v: KEEPING[name](x.run(v), axis=axis))


def diagonal_matrix(p: Program, shape: Shape, depth: int) -> Twin | None:
    if shape[0] != shape[1]:
        return None
    x = p.make(shape[:1], depth)
    return Twin(ic.diagm(x.expr), lambda v: jnp.diag(x.run(v)))


def triangle(p: Program, shape: Shape, depth: int) -> Twin:
    name, k = p.rng.choice(["triu", "tril"]), p.rng.choice([0, 0, 1, -1])
    x = p.make(shape, depth)
    return Twin(getattr(ic, name)(x.expr, k), lambda v: getattr(jnp, name)(x.run(v), k))


def inverted(p: Program, shape: Shape, depth: int) -> Twin | None:
    name = p.rng.choice(["inv", "inv", *INVERSES])
    if name == "pinv" and p.rng.random() < 0.7:
        x = p.leaf(shape[::-1])
        DRAWN["pinv"] += 1
        return Twin(ic.pinv(x.expr), lambda v: pinv(x.run(v)))
    if shape[0] != shape[1]:
        return None
    x = p.regular(shape[0], depth)
    DRAWN[name] += 1
    return Twin(getattr(ic, name)(x.expr), lambda v: INVERSES[name](x.run(v)))


def matrix_powered(p: Program, shape: Shape, depth: int) -> Twin | None:
    if shape[0] != shape[1]:
        return None
    k = p.rng.choice([0, 1, 2, 3, -1, -2, 9])
    x = p.regular(shape[0], p.rng.randrange(depth + 1))
    return Twin(ic.matrix_power(x.expr / 4, k), lambda v: jnp.linalg.matrix_power(x.run(v) / 4, k))


def of_matrix(p: Program, shape: Shape, depth: int) -> Twin | None:
    """cholesky, expm, sqrtm, logm, sym."""
    if shape[0] != shape[1]:
        return None
    name = p.rng.choice(["cholesky", "cholesky", "expm", "sym", "sym", "sqrtm", "logm"])
    DRAWN[name] += 1
    if name == "sym":
        x = p.make(shape, depth)
        return Twin(ic.sym(x.expr), lambda v: (x.run(v) + x.run(v).T) / 2)
    if name == "expm":
        x = p.tame(shape, depth)
        return Twin(ic.expm(x.expr / 2), lambda v: jax.scipy.linalg.expm(x.run(v) / 2))
    x = p.definite(shape[0], depth) if name == "cholesky" else p.spread_out(shape[0])
    if name == "cholesky":
        return Twin(ic.cholesky(x.expr), lambda v: jnp.linalg.cholesky(x.run(v)))
    function = jnp.sqrt if name == "sqrtm" else jnp.log
    made = ic.sym(x.expr)
    return Twin(getattr(ic, name)(made), lambda v: of_symmetric(function, x.run(v)))


def rebuilt(p: Program, shape: Shape, depth: int) -> Twin | None:
    """A function of a symmetric matrix, put together from `eigh` or `svd`."""
    if shape[0] != shape[1]:
        return None
    x = p.spread_out(shape[0])
    w, vectors = ic.eigh(x.expr)
    return Twin(vectors @ ic.diagm(ic.sin(w)) @ vectors.T, lambda v: of_symmetric(jnp.sin, x.run(v)))


def constant(p: Program, shape: Shape, depth: int) -> Twin:
    m, n = (p.size(one) for one in shape)
    kind = p.rng.choice(["eye", "ones", "zeros", "unit"])
    DRAWN[kind] += 1
    if kind == "eye" and shape[0] == shape[1]:
        made, value = ic.eye(shape[0]), jnp.eye(m)
    elif kind == "unit":
        made, value = ic.unit(0, 0, *shape), jnp.zeros((m, n)).at[0, 0].set(1.0)
    else:
        made, value = ic.ones(*shape), jnp.ones((m, n))
    x = p.make(shape, p.rng.randrange(depth + 1))
    return Twin(made * 2 - x.expr, lambda v: value * 2 - x.run(v))


def kron(p: Program, shape: Shape, depth: int) -> Twin | None:
    """For dimensions that are products: kron, khatri_rao, commutation."""
    if not all(isinstance(one, str) and "*" in one for one in shape):
        if isinstance(shape[0], str) and "*" in shape[0]:
            one, two = shape[0].split("*")
            x, y = p.make((one, shape[1]), depth), p.make((two, shape[1]), depth)
            return Twin(ic.khatri_rao(x.expr, y.expr), lambda v: khatri_rao(x.run(v), y.run(v)))
        return None
    (one, two), (three, four) = (one.split("*") for one in shape)
    x, y = p.make((one, three), depth), p.make((two, four), depth)
    made = ic.kron(x.expr, y.expr)
    if p.rng.random() < 0.3:
        made = made @ ic.commutation(three, four) @ ic.commutation(four, three)
    return Twin(made, lambda v: jnp.kron(x.run(v), y.run(v)))


def through_products(p: Program, shape: Shape, depth: int) -> Twin:
    """A detour through a dimension that is a product: unvec of a vector, a product with a Kronecker product."""
    if p.rng.random() < 0.4 and "*" not in f"{shape[0]}{shape[1]}":
        x = p.make((f"{shape[1]}*{shape[0]}",), depth) if _symbols(shape) else None
        if x is not None:
            m, n = (p.size(one) for one in shape)
            return Twin(ic.unvec(x.expr, *shape), lambda v: jnp.reshape(x.run(v), (n, m)).T)
    n = f"{p.rng.choice('ab')}*{p.rng.choice('bc')}"
    x, y = p.make((n, shape[0]), depth), p.make((n, shape[1]), p.rng.randrange(depth + 1))
    return Twin(x.expr.T @ y.expr, lambda v: x.run(v).T @ y.run(v))


def _symbols(shape: Shape) -> bool:
    return all(isinstance(one, str) for one in shape)


def cut(p: Program, shape: Shape, depth: int) -> Twin | None:
    """Rows or columns of a larger matrix; rows in reverse."""
    if shape[0] == 2:
        x, step = p.make((3, shape[1]), depth), p.rng.choice([slice(1, None), slice(-1, 0, -1)])
        return Twin(x.expr[step], lambda v: x.run(v)[step])
    if shape[1] == 2:
        x, step = p.make((shape[0], 3), depth), p.rng.choice([slice(1, None), slice(None, None, 2)])
        return Twin(x.expr[:, step], lambda v: x.run(v)[:, step])
    if isinstance(shape[0], int):
        x = p.make(shape, depth)
        return Twin(x.expr[::-1, ...], lambda v: x.run(v)[::-1])
    return None


def unbatched(p: Program, shape: Shape, depth: int) -> Twin:
    """The sum, the mean, or one, of a batch of matrices."""
    x = p.make((p.rng.choice(["a", "c", 2]), *shape), depth)
    if (kind := p.rng.choice(["sum", "mean", "one"])) == "one":
        return Twin(x.expr[0], lambda v: x.run(v)[0])
    return Twin(getattr(ic, kind)(x.expr, axis=0), lambda v: getattr(jnp, kind)(x.run(v), axis=0))


# ------------------------------------------------------------------ batches of matrices


def batch_matmul(p: Program, shape: Shape, depth: int) -> Twin:
    n, kind = p.dim(), p.rng.choice(["both", "left", "right"])
    x = p.make((shape[0], shape[1], n) if kind != "right" else (shape[1], n), depth)
    y = p.make((shape[0], n, shape[2]) if kind != "left" else (n, shape[2]), p.rng.randrange(depth + 1))
    return Twin(x.expr @ y.expr, lambda v: x.run(v) @ y.run(v))


def batch_turned(p: Program, shape: Shape, depth: int) -> Twin:
    x = p.make((shape[0], shape[2], shape[1]), depth)
    return Twin(x.expr.mT, lambda v: jnp.swapaxes(x.run(v), -1, -2))


def batch_inverse(p: Program, shape: Shape, depth: int) -> Twin | None:
    if shape[1] != shape[2]:
        return None
    x, n = p.make(shape, depth), shape[1]
    name = p.rng.choice(["inv", "cofactor", "adj"])
    DRAWN[f"{name} of a batch"] += 1
    made = getattr(ic, name)(3 * ic.eye(n) + ic.tanh(x.expr) / 2)
    return Twin(made, lambda v: INVERSES[name](shifted(p.size(n), x.run, v)))


def batch_softmax(p: Program, shape: Shape, depth: int) -> Twin:
    x, axis = p.make(shape, depth), p.rng.choice([0, 1, 2, -1])
    return Twin(ic.softmax(x.expr, axis=axis), lambda v: jax.nn.softmax(x.run(v), axis=axis))


def batch_and_matrix(p: Program, shape: Shape, depth: int) -> Twin:
    x, y = p.make(shape, depth), p.make(shape[1:], p.rng.randrange(depth + 1))
    return Twin(x.expr * y.expr - y.expr, lambda v: x.run(v) * y.run(v) - y.run(v))


def batch_diagonal(p: Program, shape: Shape, depth: int) -> Twin | None:
    """`diagm`, a triangle, or the symmetric part, of each matrix."""
    x = p.make(shape, depth)
    if shape[1] == shape[2] and p.rng.random() < 0.6:
        if p.rng.random() < 0.5:
            made = ic.diagm(ic.diag(x.expr))
            return Twin(made, lambda v: x.run(v) * jnp.eye(p.size(shape[1])))
        return Twin(ic.sym(x.expr), lambda v: (x.run(v) + jnp.swapaxes(x.run(v), -1, -2)) / 2)
    return Twin(ic.tril(x.expr), lambda v: jnp.tril(x.run(v)))


ANY: tuple[Row, ...] = (
    added, added, multiplied, multiplied, scaled, divided, powered, power_of_two, elementwise, elementwise, chosen,
)  # fmt: skip
SCALARS: tuple[Row, ...] = (
    *ANY, reduced, reduced, reduced, norms, determined, determined, determined, inner_product, inner_product,
    quadratic, quadratic, entry,
)  # fmt: skip
VECTORS: tuple[Row, ...] = (
    *ANY, applied, applied, applied, reduced_matrix, reduced_matrix, reduced_matrix, normalised_vector, diagonal,
    solved, spectrum, crossed, picked, cut_vector, joined, joined, matrix_of_batch,
)  # fmt: skip
MATRICES: tuple[Row, ...] = (
    *ANY, matmul, matmul, matmul, matmul, gram, transposed, outer, spread, spread, kept_axis, narrow, normalised,
    diagonal_matrix, triangle, inverted, inverted, inverted, matrix_powered, of_matrix, of_matrix, rebuilt, constant,
    kron, kron, kron, through_products, cut, cut, unbatched, solved,
)  # fmt: skip
BATCHES: tuple[Row, ...] = (
    *ANY, batch_matmul, batch_matmul, batch_turned, batch_inverse, batch_softmax, batch_and_matrix, batch_diagonal,
)  # fmt: skip
