"""Values at any scale: norms and their derivatives, and functions whose parts overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import indexcalc as ic

x, X, v, s = ic.tensor("x", "n"), ic.tensor("X", "m n"), ic.tensor("v", "n"), ic.scalar("s")
AT = np.array([3.0, -4.0, 1.0])
NORMS = [ic.norm2(x), ic.normp(x, 3), ic.normp(x, 4), ic.normp(x, 1.5)]


def values(e: Any, names: Any, arrays: Any) -> list[Any]:
    """From `evaluate`, from compiled functions, and from source."""
    space: dict[str, Any] = {}
    exec(ic.to_source(e, names, name="f"), space)
    inputs = {tensor.node.label: array for tensor, array in zip(names, arrays, strict=True)}
    return [e.evaluate(**inputs), ic.compile(e, names)(*arrays), space["f"](*arrays)]


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-110, 1e110, 1e160, 1e300])
@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_derivatives_of_norms_at_any_scale(norm: Any, scale: float) -> None:
    """The gradient is the same at every scale, the Hessian goes with its inverse."""
    g, H, h = ic.grad(norm, x), ic.hessian(norm, x), ic.hvp(norm, x, v)
    for value in values(g, (x,), (AT * scale,)):
        np.testing.assert_allclose(value, g.evaluate(x=AT), rtol=1e-12)
    for value in values(H, (x,), (AT * scale,)):
        np.testing.assert_allclose(value * scale, H.evaluate(x=AT), rtol=1e-11, atol=1e-14)
    for value in values(h, (x, v), (AT * scale, np.ones(3))):
        np.testing.assert_allclose(value * scale, h.evaluate(x=AT, v=np.ones(3)), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-30, 1e-14, 1e14, 1e30])
def test_derivatives_of_norms_in_single_precision(scale: float) -> None:
    H, at = ic.hessian(ic.norm2(x), x), (AT * scale).astype(np.float32)
    for value in values(H, (x,), (at,)):
        np.testing.assert_allclose(value * np.float64(scale), H.evaluate(x=AT), rtol=1e-5, atol=1e-6)


def test_norms_of_matrices_and_of_differences() -> None:
    M = np.array([[3.0, 0.0], [1.0, 4.0]])
    H = ic.hessian(ic.normF(X), X)
    np.testing.assert_allclose(H.evaluate(X=M * 1e200) * 1e200, H.evaluate(X=M), rtol=1e-12)
    H = ic.hessian(ic.norm2(x - v), x)
    small = H.evaluate(x=AT, v=np.ones(3))
    np.testing.assert_allclose(H.evaluate(x=AT * 1e200, v=np.full(3, 1e200)) * 1e200, small, rtol=1e-11, atol=1e-14)


def test_the_hessian_is_written_as_in_books() -> None:
    assert str(ic.hessian(ic.norm2(x), x)) == "eye(n)/norm2(x) - outer(x, x)/norm2(x)**3"


@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (ic.log(ic.exp(x).sum()), 1000),
        (ic.log(ic.softmax(x)), [0, -1000]),
        (ic.exp(x) / ic.exp(x).sum(), [1, 0]),
        (ic.log(ic.exp(x) / ic.exp(x).sum()), [0, -1000]),
        (ic.log(1 + ic.exp(x)), [1000, np.log(2)]),
        (ic.log1p(ic.exp(x)), [1000, np.log(2)]),
        (ic.log(ic.sigmoid(-x)), [-1000, -np.log(2)]),
    ],
    ids=str,
)
def test_evaluate_is_as_stable_as_compile(e: Any, expected: Any) -> None:
    for value in values(e, (x,), (np.array([1000.0, 0.0]),)):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-300)


def test_log_of_sigmoid_has_a_name() -> None:
    assert ic.log(ic.sigmoid(s)).evaluate(s=-1000.0) == ic.compile(ic.log(ic.sigmoid(s)), s)(-1000.0) == -1000.0
