"""Preflight: what it says is what an evaluation takes, and an evaluation that is too large does not start."""

from __future__ import annotations

import numpy as np
import pytest

import indexcalc as ic

A, X, B = ic.tensor("A", "n n"), ic.tensor("X", "n n"), ic.tensor("B", "n n")
D = ic.derivative(A @ X @ B, X)


def pair_energy() -> ic.Expr:
    a, b, k, p, q, r, s = ic.indices("a b k p q r s")
    x = ic.tensor("x", "n 3")
    squared = ((x[a, k] * ic.ones(b) - x[b, k] * ic.ones(a)) ** 2).sum(k)
    return ic.exp(-squared).sum(a, b).diff(x[p, q], x[r, s])


def test_a_hessian_of_2483_atoms() -> None:
    found = ic.preflight(pair_energy(), n=2483)
    assert found.shape == (2483, 3, 2483, 3)
    assert found.bytes == 8 * (2483 * 3) ** 2
    assert found.compressed_bytes < 8 * 5 * 2483**2 < found.bytes
    assert found.peak_bytes < 3 * found.bytes
    assert "444 MB" in str(found)


def test_it_counts_what_is_held() -> None:
    found = ic.preflight(D, n=7)
    held = D.compressed(A=np.eye(7), B=np.eye(7))
    assert (found.bytes, found.compressed_bytes) == (held.dense_nbytes, held.nbytes)
    assert ic.preflight(D, n=7, dtype=np.float32).bytes == found.bytes // 2
    H = pair_energy()
    x = np.random.default_rng(0).standard_normal((6, 3))
    assert ic.preflight(H, n=6).compressed_bytes == H.compressed(x=x).nbytes
    np.testing.assert_allclose(H.compressed(x=x).todense(), H.evaluate(x=x), atol=1e-12)


def test_several_at_once_and_html() -> None:
    found = ic.preflight([D, A @ X], n=3)
    assert (found.shape, found.bytes) == ([(3, 3, 3, 3), (3, 3)], 8 * 90)
    assert found.fits
    assert found._repr_html_().startswith("<pre>dense:")


def test_an_evaluation_beyond_the_limit_does_not_start() -> None:
    a = np.eye(40)
    with pytest.raises(ic.InputError, match=r"shape \(40, 40, 40, 40\).*\n.*compressed.*25.6 kB"):
        D.evaluate(A=a, B=a, memory_limit=10**6)
    with pytest.raises(ic.InputError, match="give a larger memory_limit") as error:
        (A @ X).evaluate(A=a, X=a, memory_limit=100)
    assert "compressed" not in str(error.value)
    found = ic.preflight(D, n=40, memory_limit=10**6)
    assert not found.fits
    assert "instead:" in str(found)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "no size for n"),
        ({"n": 3, "k": 2}, "unknown dimension 'k'"),
        ({"n": -1}, "no size"),
        ({"n": 2.5}, "no size"),
        ({"n": 3, "dtype": int}, "dtype int64"),
    ],
)
def test_wrong_sizes(sizes: dict[str, object], message: str) -> None:
    with pytest.raises(ic.InputError, match=message):
        ic.preflight(D, **sizes)


def test_what_is_no_expression() -> None:
    with pytest.raises(ic.KindError, match="no expression"):
        ic.preflight(3)
