"""What the functions of matrix notation are in JAX, and the projections onto structured matrices in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from later import jax, jnp

ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "sin": jnp.sin, "cos": jnp.cos, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
    "atan": jnp.arctan, "erf": jax.scipy.special.erf, "relu": jax.nn.relu, "abs": jnp.abs,
    "gelu": partial(jax.nn.gelu, approximate=False),
}  # fmt: skip
OF_POSITIVE: dict[str, Callable[[Any], Any]] = {
    "log": jnp.log, "sqrt": jnp.sqrt, "log1p": jnp.log1p, "gammaln": jax.scipy.special.gammaln,
    "digamma": jax.scipy.special.digamma,
}  # fmt: skip
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": jnp.sum, "mean": jnp.mean, "max": jnp.max, "min": jnp.min, "prod": jnp.prod,
    "logsumexp": jax.nn.logsumexp,
    "norm1": lambda x, axis=None, keepdims=False: jnp.sum(jnp.abs(x), axis=axis, keepdims=keepdims),
    "norm2": lambda x, axis=None, keepdims=False: jnp.sqrt(jnp.sum(x * x, axis=axis, keepdims=keepdims)),
}  # fmt: skip
KEEPING: dict[str, Callable[..., Any]] = {"softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax}


def of_symmetric(function: Callable[[Any], Any], x: jax.Array) -> jax.Array:
    """A function of a symmetric matrix through its eigenvalues."""
    w, v = jnp.linalg.eigh((x + jnp.swapaxes(x, -1, -2)) / 2)
    return (v * function(w)[..., None, :]) @ jnp.swapaxes(v, -1, -2)


def cofactors(x: jax.Array) -> jax.Array:
    """The cofactors of an invertible matrix."""
    return jnp.linalg.det(x)[..., None, None] * jnp.swapaxes(jnp.linalg.inv(x), -1, -2)


def by_columns(x: jax.Array) -> jax.Array:
    """The vec of a matrix."""
    return jnp.reshape(x.T, -1)


def to_band(x: np.ndarray) -> np.ndarray:
    """The nearest Toeplitz matrix."""
    n = len(x)
    return sum(np.mean(np.diagonal(x, k)) * np.eye(n, k=k) for k in range(1 - n, n))


NEAREST: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "symmetric": lambda x: (x + x.T) / 2,
    "positive_definite": lambda x: (x + x.T) / 2,
    "diagonal": lambda x: np.diag(np.diag(x)),
    "skew": lambda x: (x - x.T) / 2,
    "lower": np.tril,
    "upper": np.triu,
    "toeplitz": to_band,
}
"""The orthogonal projection onto the matrices of each linear structure."""


INVERSES: dict[str, Callable[[Any], Any]] = {
    "inv": jnp.linalg.inv, "adj": lambda x: jnp.swapaxes(cofactors(x), -1, -2), "cofactor": cofactors,
    "pinv": jnp.linalg.inv,
}  # fmt: skip


def pinv(x: jax.Array) -> jax.Array:
    """The pseudo-inverse of a matrix of full rank."""
    return x.T @ jnp.linalg.inv(x @ x.T) if x.shape[0] < x.shape[1] else jnp.linalg.inv(x.T @ x) @ x.T


def khatri_rao(x: jax.Array, y: jax.Array) -> jax.Array:
    """The Kronecker products of columns."""
    return jnp.reshape(x[:, None, :] * y[None, :, :], (-1, x.shape[1]))


def shifted(n: int, run: Callable[..., jax.Array], v: dict[str, jax.Array]) -> jax.Array:
    """Three times the identity and half the hyperbolic tangent of a matrix: well conditioned."""
    return 3 * jnp.eye(n) + jnp.tanh(run(v)) / 2
