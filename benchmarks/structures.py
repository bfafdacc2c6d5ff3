"""Problems of structure: neighbours, windows, chosen entries and pairs, of which no program makes a matrix.

As in `problems.py`: an expression, its inputs, the hand-written limit, and a loss for JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any

import by_hand
import numpy as np
from problems import Problem, numbers

import indexcalc as ic

SMOOTH, RATE = 0.01, 0.1
"""What is added under a root, and how fast heat flows."""


# ------------------------------------------------------------------ expressions


def variation() -> tuple[Any, Any]:
    x = ic.tensor("x", "n")
    return ic.sqrt((x[1:] - x[:-1]) ** 2 + SMOOTH).sum(), x


def variation_gradient() -> Any:
    L, x = variation()
    return [L, ic.grad(L, x)], (x,)


def variation_product() -> Any:
    L, x = variation()
    v = ic.tensor("v", "n")
    return ic.jvp(ic.grad(L, x), x, v), (x, v)


def variation_hessian() -> Any:
    L, x = variation()
    return ic.hessian(L, x), (x,)


def newton() -> Any:
    L, x = variation()
    return ic.hessian(L + (x**2).sum() / 2, x), (x,)


def image() -> Any:
    X = ic.tensor("X", "n m")
    here = X[:-1, :-1]
    L = ic.sqrt((X[1:, :-1] - here) ** 2 + (X[:-1, 1:] - here) ** 2 + SMOOTH).sum()
    return [L, ic.grad(L, X)], (X,)


def heat(axes: int) -> Any:
    dims = "n m"[: 2 * axes - 1]
    u, target = ic.tensor("u", dims), ic.tensor("target", dims)
    at = [ic.range(size, f"p{size}", boundary="zero") for size in dims.split()]
    step = u[tuple(at)]
    for axis, p in enumerate(at):
        ahead, behind = ([*at[:axis], p + shift, *at[axis + 1 :]] for shift in (1, -1))
        step = step + RATE * (u[tuple(ahead)] - 2 * u[tuple(at)] + u[tuple(behind)])
    after = step.array(*at)
    return [after, ic.grad(((after - target) ** 2).sum() / 2, u)], (u, target)


def layer() -> Any:
    images, kernels, G = ic.tensor("images", "b c h w"), ic.tensor("kernels", "o c 3 3"), ic.tensor("G", "b o h-2 w-2")
    y = ic.correlate(images, kernels, axes=(-2, -1))
    L = (G * y).sum()
    return [y, ic.grad(L, images), ic.grad(L, kernels)], (images, kernels, G)


def embedding() -> Any:
    W, G, idx = ic.tensor("W", "n d"), ic.tensor("G", "b d"), ic.tensor("idx", "b", integer=True)
    return ic.grad((G * W[idx]).sum(), W), (W, G, idx)


def particles() -> Any:
    X, (i, j, k) = ic.tensor("X", "n 3"), ic.indices("i j k")
    one = ic.ones("n")
    apart = ((X[i, k] * one[j] - X[j, k] * one[i]) ** 2).sum(k)
    energy = ic.exp(-apart).sum(i, j, where="i<j")
    return [energy, -ic.grad(energy, X)], (X,)


# ------------------------------------------------------------------ inputs


def make_embedding(n: int, d: int, b: int) -> list[Any]:
    return [*numbers((n, d), (b, d)), np.random.default_rng(0).integers(0, n, b)]


def make_layer(b: int, c: int, o: int, h: int) -> list[Any]:
    return numbers((b, c, h, h), (o, c, 3, 3), (b, o, h - 2, h - 2))


# ------------------------------------------------------------------ losses, over xp


def variation_loss(xp: Any, x: Any) -> Any:
    return (((x[1:] - x[:-1]) ** 2 + SMOOTH) ** 0.5).sum()


def image_loss(xp: Any, X: Any) -> Any:
    here = X[:-1, :-1]
    return (((X[1:, :-1] - here) ** 2 + (X[:-1, 1:] - here) ** 2 + SMOOTH) ** 0.5).sum()


def heat_value(xp: Any, u: Any, target: Any) -> Any:
    p = xp.padded(u)
    if u.ndim == 1:
        after = u + RATE * (p[2:] + p[:-2] - 2 * u)
    else:
        after = u + RATE * (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u)
    return ((after - target) ** 2).sum() / 2, after


def layer_value(xp: Any, images: Any, kernels: Any, G: Any) -> Any:
    y = xp.correlated(images, kernels)
    return (G * y).sum(), y


def embedding_loss(xp: Any, W: Any, G: Any, idx: Any) -> Any:
    return (G * W[idx]).sum()


def particles_loss(xp: Any, X: Any) -> Any:
    e = X[:, None] - X
    return (xp.exp(-(e * e).sum(-1)).sum() - len(X)) / 2


LONG = ((1000,), (100_000,), (1_000_000,))

STRUCTURES = (
    Problem(
        "total variation value+gradient", LONG, variation_gradient, lambda n: numbers((n,)),
        by_hand.variation_gradient, variation_loss, "value+gradient", (0,),
    ),
    Problem(
        "total variation Hessian-vector product", LONG, variation_product, lambda n: numbers((n,), (n,)),
        by_hand.variation_product, variation_loss, "product", (0,),
    ),
    Problem(
        "total variation Hessian, bands", LONG, variation_hessian, lambda n: numbers((n,)),
        by_hand.variation_bands, variation_loss, "held", (0,), held="bands",
    ),
    Problem(
        "Newton step, banded", LONG[:2], newton, lambda n: numbers((n,)),
        by_hand.newton_solver, variation_loss, "held", (0,), held="solve",
    ),
    Problem(
        "image energy value+gradient", ((32, 32), (512, 512)), image, lambda n, m: numbers((n, m)),
        by_hand.image_gradient, image_loss, "value+gradient", (0,),
    ),
    Problem(
        "heat step and adjoint, 1-D", LONG, lambda: heat(1), lambda n: numbers((n,), (n,)),
        by_hand.heat, heat_value, "gradient with value", (0,),
    ),
    Problem(
        "heat step and adjoint, 2-D", ((32, 32), (512, 512)), lambda: heat(2), lambda n, m: numbers((n, m), (n, m)),
        by_hand.heat, heat_value, "gradient with value", (0,),
    ),
    Problem(
        "convolution layer", ((2, 2, 3, 8), (8, 3, 16, 32)), layer, make_layer,
        by_hand.layer_gradients, layer_value, "gradient with value", (0, 1),
    ),
    Problem(
        "embedding gradient", ((100, 4, 30), (50_000, 64, 4096)), embedding, make_embedding,
        by_hand.embedding_gradient, embedding_loss, "gradient", (0,),
    ),
    Problem(
        "pair energy and forces", ((20,), (1000,)), particles, lambda n: numbers((n, 3)),
        by_hand.pair_forces, particles_loss, "value-gradient", (0,),
    ),
)  # fmt: skip
