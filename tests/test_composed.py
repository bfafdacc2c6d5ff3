"""Functions that are one formula of others, against JAX and NumPy: values, derivatives to second order, digits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import indexcalc as ic

jax.config.update("jax_enable_x64", True)
pytestmark = pytest.mark.jax
i, j = ic.indices("i j")
x, X = ic.tensor("x", "n"), ic.tensor("X", "n d")
RNG = np.random.default_rng(0)

CASES = {
    "clip": (lambda v: ic.clip(v, -1, 0.5), lambda v: jnp.clip(v, -1, 0.5)),
    "hard_tanh": (ic.hard_tanh, jax.nn.hard_tanh),
    "leaky_relu": (lambda v: ic.leaky_relu(v, 0.2), lambda v: jax.nn.leaky_relu(v, 0.2)),
    "elu": (lambda v: ic.elu(v, 1.5), lambda v: jax.nn.elu(v, 1.5)),
    "selu": (ic.selu, jax.nn.selu),
    "silu": (ic.silu, jax.nn.silu),
    "var": (lambda v: ic.var(v, ddof=1), lambda v: jnp.var(v, ddof=1)),
    "std": (ic.std, jnp.std),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    ours, theirs = CASES[name]
    f, at = (ours(x) * x).sum(), 2 * RNG.normal(size=5)

    def oracle(v):
        return (theirs(v) * v).sum()

    g, H = ic.grad(f, x), ic.hessian(f, x)
    run = ic.compile([f, g, H], (x,))(at)
    for made, want in zip(run, (oracle(at), jax.grad(oracle)(at), jax.hessian(oracle)(at)), strict=True):
        np.testing.assert_allclose(made, want, rtol=1e-10, atol=1e-12)
    assert ic.parse(str(g), x="n") == g
    bounds = ", -1, 1/2" if name == "clip" else ""
    assert ic.parse(f"{name}(x{bounds})", x="n") == (ic.clip(x, -1, 0.5) if bounds else getattr(ic, name)(x))


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (2, 3)], ids=str)
def test_moments_along_axes(shape):
    at = RNG.normal(size=shape)
    for axis in (None, 0, 1, (0, 1), -1):
        for keepdims in (False, True):
            np.testing.assert_allclose(
                ic.var(X, axis=axis, keepdims=keepdims).evaluate(X=at), at.var(axis, keepdims=keepdims), atol=1e-15
            )
            made = ic.std(X, axis=axis, keepdims=keepdims).evaluate(X=at)
            np.testing.assert_allclose(made, at.std(axis, keepdims=keepdims), atol=1e-15)
    np.testing.assert_allclose(ic.var(X[i, j], i).evaluate(X=at), at.var(0), atol=1e-15)
    np.testing.assert_allclose(ic.std(X[i, j], axis=(i, j)).evaluate(X=at), at.std(), atol=1e-15)
    np.testing.assert_allclose(ic.cov(X).evaluate(X=at), np.cov(at.T, bias=True).reshape(shape[1:] * 2), atol=1e-15)


def test_covariances():
    at, v = RNG.normal(size=(6, 3)), RNG.normal(size=6)
    both = np.cov(np.column_stack([at, v]).T)
    np.testing.assert_allclose(ic.cov(X, ddof=1).evaluate(X=at), both[:3, :3])
    np.testing.assert_allclose(ic.cov(X, x, correction=1).evaluate(X=at, x=v), both[:3, 3])
    np.testing.assert_allclose(ic.cov(x, ddof=1).evaluate(x=v), both[3, 3])
    L = ic.sum(ic.cov(X) ** 2)
    want = jax.grad(lambda a: (jnp.cov(a.T, bias=True) ** 2).sum())(at)
    np.testing.assert_allclose(ic.grad(L, X).evaluate(X=at), want, atol=1e-12)
    assert ic.verify(ic.grad(L, X))


def test_digits_are_kept_far_from_0():
    at = 1e8 + RNG.normal(size=(50, 2))
    np.testing.assert_allclose(ic.cov(X, ddof=1).evaluate(X=at), np.cov(at.T), rtol=1e-9)
    np.testing.assert_allclose(ic.var(x).evaluate(x=at[:, 0]), at[:, 0].var(), rtol=1e-14)
    want = jax.grad(jnp.std)(at[:, 0] - 1e8)
    np.testing.assert_allclose(ic.grad(ic.std(x), x).evaluate(x=at[:, 0]), want, rtol=1e-6, atol=1e-9)
    for name in ("cov", "std"):
        f = getattr(ic, name)(X) if name == "cov" else ic.std(X, axis=0)
        space = {}
        exec(ic.to_source(f, (X,), name="made"), space)
        np.testing.assert_allclose(space["made"](at), f.evaluate(X=at), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ic.clip(x), "there is no bound"),
        (lambda: ic.var(x, ddof=1, correction=1), "one thing, given twice"),
        (lambda: ic.var(x, ddof=0.5), "ddof is an integer"),
        (lambda: ic.var(ic.tensor("v", 2), ddof=2), "2 are taken off"),
        (lambda: ic.cov(X[i, j]), "no matrix whose rows are samples"),
        (lambda: ic.cov(X, ic.tensor("Z", "m d")), "as many rows"),
        (lambda: ic.var(X[i, j], ic.index("k")), "k"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ic.IndexCalcError, match=message):
        make()


def test_functions_that_undo_each_other():
    p = ic.scalar("p")
    for f, g in (("logit", "sigmoid"), ("sigmoid", "logit"), ("sinh", "asinh"), ("cosh", "acosh"), ("tanh", "atanh")):
        outer, inner = getattr(ic, f), getattr(ic, g)
        assert outer(inner(p)) == p and outer(inner(x)) == x and inner(p) + outer(inner(p)) == p + inner(p)
        assert outer(2 * inner(p)) != 2 * p


def test_moments_in_text():
    assert ic.parse("np.var(X, axis=0, ddof=1)", X="n d") == ic.var(X, axis=0, ddof=1)
    assert ic.parse("cov(X, ddof=1)", X="n d") == ic.cov(X, ddof=1)
    assert ic.parse("std(X_ij, i)", X="n d") == ic.std(X[i, j], i)
    for text, syntax in (("np.cov(X)", ""), ("torch.var(X)", ""), ("torch.std(X)", ""), ("cov(X)", "matlab")):
        with pytest.raises(ic.ParseError, match="divides by n - 1"):
            ic.parse(text, X="n d", syntax=syntax)
