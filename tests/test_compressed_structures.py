"""Structures of compressed results against dense ones: how each is solved, determinants, entries, bytes and plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.compressed import compressed as module

pytest.importorskip("scipy", reason="bands and sparse matrices are solved by SciPy")

x, u, v, w = (ic.tensor(name, "n") for name in "xuvw")
X, J, A, B, C = (ic.tensor(name, dims) for name, dims in zip("XJABC", ("n m", "n m", "n n", "m m", "n n"), strict=True))
G = ic.tensor("G", "N n")
SMOOTH = ((x[1:] - x[:-1]) ** 2 + 0.1) ** 0.5


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(sum(shape) + seed).standard_normal(shape)


def definite(n: int) -> np.ndarray:
    root = draw(n, n)
    return root @ root.T + np.eye(n)


def hold(D: Any, **named: Any) -> Any:
    return ic.compressed(D, **named)


def agrees(H: Any, method: str) -> None:
    """Solutions, determinant, entries, diagonal and trace are those of the dense matrix; and how it is solved."""
    M = H.todense().reshape(H.matrix_shape)
    b = draw(len(M))
    single = H.dtype in (np.float32, np.complex64)
    rtol = 1e-3 if single else 1e-8
    assert method in H.solver().method
    np.testing.assert_allclose(np.ravel(H.solve(b)), np.linalg.solve(M, b), rtol=rtol, atol=10 * rtol)
    np.testing.assert_allclose(np.ravel(H.solve(b * 1j)), np.linalg.solve(M, b * 1j), rtol=rtol, atol=10 * rtol)
    np.testing.assert_allclose(H.logdet(), np.linalg.slogdet(M)[1], rtol=1e-4 if single else 1e-9)
    np.testing.assert_allclose(H.tosparse("csc").toarray(), M, rtol=rtol)
    np.testing.assert_allclose(np.ravel(H.diagonal()), np.diag(M), rtol=rtol)
    np.testing.assert_allclose(H.trace(), np.trace(M), rtol=rtol)
    np.testing.assert_allclose(np.ravel(H.rmatvec(b)), M.conj().T @ b, rtol=rtol, atol=10 * rtol)


def chain() -> Any:
    """A trajectory: each state follows from the one before."""
    return ((X[1:] - ic.tanh(X[:-1] @ B)) ** 2).sum() + (X**2).sum()


def image() -> Any:
    return ((X[1:] - X[:-1]) ** 2).sum() + ((X[:, 1:] - X[:, :-1]) ** 2).sum() + (X**2).sum()


def low() -> Any:
    return ic.softplus(G @ x).sum() + (x * x).sum()


def hessian(f: Any, of: Any = x) -> Any:
    return ic.hessian(f, of)


def steps(z: Any) -> Any:
    """A tridiagonal one."""
    return ((z[1:] - z[:-1]) ** 2).sum() + (z * z).sum()


BANDS: tuple[tuple[str, Any, dict[str, Any], str], ...] = (
    ("definite", hessian(SMOOTH.sum() + (x**2).sum()), {"x": draw(40)}, "banded, 1 below the diagonal and 1 above it"),
    ("indefinite", hessian(SMOOTH.sum() - 3 * (x**2).sum()), {"x": draw(40)}, "banded, 1 below"),
    ("wide", hessian((SMOOTH[1:] * SMOOTH[:-1]).sum() + 9 * (x**2).sum()), {"x": draw(200)}, "banded, 2 below"),
    ("one-sided", ic.derivative(x[:] + 2 * ic.concatenate([x[1:], x[:1]]), x), {"n": 9}, "dense"),
    ("complex", hessian((x[1:] * x[:-1] ** 2).sum() + 3 * (x**2).sum()), {"x": draw(40) + 1j * draw(40, seed=1)},
     "banded"),
    ("single", hessian(SMOOTH.sum() + (x**2).sum()), {"x": draw(40).astype(np.float32)}, "banded"),
    ("one", hessian(SMOOTH.sum() + (x**2).sum()), {"x": draw(1)}, "dense"),
    ("two", hessian(SMOOTH.sum() + (x**2).sum()), {"x": draw(2)}, "dense"),
    ("of blocks", hessian(chain(), X), {"X": draw(30, 3), "B": draw(3, 3)},
     "banded, 5 below the diagonal and 5 above it"),
    ("of blocks of one", hessian(chain(), X), {"X": draw(30, 1), "B": draw(1, 1)}, "banded, 1 below"),
    ("of an image", hessian(image(), X), {"n": 20, "m": 21}, "banded, 21 below"),
    ("in columns", hessian(steps(X), X), {"n": 20, "m": 3},
     "3 right-hand sides for δ ⊗ a 20×20 matrix: banded, 1 below"),
    ("in rows", hessian(steps(X.T), X), {"n": 3, "m": 20},
     "3 right-hand sides for δ ⊗ a 20×20 matrix: banded, 1 below"),
    ("reversed", ic.derivative((x + 0 * x)[::-1] * 2 + x[::-1] ** 2, x), {"x": draw(12)}, "sparse LU"),
)  # fmt: skip


@pytest.mark.parametrize(("D", "named", "method"), [row[1:] for row in BANDS], ids=[row[0] for row in BANDS])
def test_bands(D: Any, named: dict[str, Any], method: str) -> None:
    agrees(hold(D, **named), method)


SUMS: tuple[tuple[str, Any, dict[str, Any], str], ...] = (
    ("A⊗B", ic.derivative(A @ X @ B, X), {"A": draw(15, 15), "B": draw(14, 14)}, "factor by factor: 15×15 ⊗ 14×14"),
    ("(A+3C)⊗B", ic.derivative(A @ X @ B + 3 * C @ X @ B, X),
     {"A": draw(15, 15), "B": draw(14, 14), "C": definite(15)}, "factor by factor"),
    ("A⊗(B+1)+C⊗(B+1)", ic.derivative(A @ X @ B + C @ X @ B + A @ X + C @ X, X),
     {"A": draw(5, 5), "B": definite(3), "C": definite(5)}, "factor by factor"),
    ("A⊗1+1⊗B", ic.derivative(A @ X + X @ B, X), {"A": draw(15, 15), "B": draw(14, 14)},
     "triangular pairs of 15×15, 14×14"),
    ("single", ic.derivative(A @ X + X @ B, X),
     {"A": (draw(15, 15) + 9 * np.eye(15)).astype(np.float32), "B": definite(14).astype(np.float32)},
     "triangular pairs"),
    ("complex", ic.derivative(A @ X + X @ B, X), {"A": draw(15, 15) * 1j, "B": draw(14, 14)}, "triangular pairs"),
    ("A⊗B+C⊗B'", ic.derivative(A @ X @ B + C @ X @ B.T, X),
     {"A": draw(15, 15), "B": draw(14, 14), "C": definite(15)}, "triangular pairs"),
    ("symmetric", ic.derivative(A @ X + 2 * X @ B, X), {"A": definite(15), "B": definite(14)},
     "generalised eigenproblems"),
    ("A⊗B+bands", hessian(ic.tr(X.T @ A @ X @ B) / 2 + ((X[1:] - X[:-1]) ** 2).sum(), X),
     {"A": definite(15), "B": definite(14)}, "generalised eigenproblems"),
    ("A⊗B+bands+rank 1", hessian(ic.tr(X.T @ A @ X @ B) / 2 + ((X[1:] - X[:-1]) ** 2).sum() + X.sum() ** 2, X),
     {"A": definite(15), "B": definite(14)}, "rank 1: Woodbury"),
    ("diagonal+low rank", hessian(low()), {"G": draw(3, 30), "x": draw(30)}, "rank 3: Woodbury, 3×3"),
    ("bands+low rank", hessian(low() + steps(x)), {"G": draw(3, 60), "x": draw(60)},
     "banded, 1 below the diagonal and 1 above it and rank 3: Woodbury, 3×3"),
    ("bands+a part of rank 1", hessian(steps(x) + x[3:].sum() ** 2), {"n": 40}, "and rank 1: Woodbury, 1×1"),
    ("blocks+rank 1", hessian(((X**2).sum(0) ** 2).sum() + X.sum() ** 2 + (X**2).sum(), X), {"X": draw(4, 6)},
     "block diagonal, 6 blocks 4×4 and rank 1: Woodbury"),
    ("parts", hessian(x[:4] @ ic.tensor("P", 4, 4) @ x[:4] + steps(x[4:])), {"P": definite(4), "n": 60},
     "2 parts beside each other: banded"),
    ("crossed parts", ic.derivative(ic.concatenate([ic.tensor("P", 4, 4) @ x[3:7], 2 * x[:3]]), x),
     {"P": definite(4), "n": 7},
     "2 parts beside each other"),
)  # fmt: skip


@pytest.mark.parametrize(("D", "named", "method"), [row[1:] for row in SUMS], ids=[row[0] for row in SUMS])
def test_sums_of_structures(D: Any, named: dict[str, Any], method: str) -> None:
    agrees(hold(D, **named), method)


def test_kronecker_sums_of_three() -> None:
    i, j, k, s, p, q, r = ic.indices("i j k s p q r")
    T, Q = ic.tensor("T", "n m o"), ic.tensor("Q", "o o")
    y = A[i, s] * T[s, j, k] + 2 * B[j, s] * T[i, s, k] + 3 * Q[k, s] * T[i, j, s]
    H = hold(y.diff(T[p, q, r]), A=definite(7), B=definite(6), Q=definite(8))
    agrees(H, "generalised eigenproblems of 7×7, 6×6, 8×8")


def test_grids_are_solved_by_structure() -> None:
    f = steps(u) + steps(v) + (u * v).sum() / 2
    agrees(ic.compressed([[ic.hessian(f, a, b) for b in (u, v)] for a in (u, v)], n=50),
           "sparse LU")  # fmt: skip
    apart = steps(u) + v @ A @ v
    grid = ic.compressed([[ic.hessian(apart, a, b) for b in (u, v)] for a in (u, v)], A=definite(30))
    agrees(grid, "2 parts beside each other: banded, 1 below")
    two = image() + steps(J) + (X * J).sum() / 2
    agrees(ic.compressed([[ic.hessian(two, a, b) for b in (X, J)] for a in (X, J)], n=12, m=13), "sparse LU")


def test_nothing_is_made_dense_unasked() -> None:
    """A matrix without structure is an error where a dense one would be far larger than what is held."""
    f = ic.tr(X.T @ A @ X @ B) + ic.tr(X.T @ C @ X @ B @ B) + (X**4).sum()
    named = {"A": definite(50), "B": definite(50), "C": definite(50), "X": draw(50, 50)}
    H = hold(hessian(f, X), **named)
    with pytest.raises(ic.InputError, match=r"no structure of the terms helps.*where 100,000 are held(.|\n)*todense"):
        H.solve(draw(50, 50))
    b = draw(50, 50)
    np.testing.assert_allclose(H.matvec(H.solve(b, positive_definite=True)), b, atol=1e-6)
    with pytest.raises(ic.InputError, match="gradients know none"):
        H.solver(positive_definite=True).logdet()
    with pytest.raises(ic.InputError, match=r"determinant.*singular"):
        hold(hessian(x.sum() ** 2), n=4).logdet()


def test_long_bands_take_memory_of_their_length() -> None:
    n = 10**5
    H = hold(hessian(SMOOTH.sum() + (x**2).sum()), x=draw(n))
    assert H.nbytes <= 8 * n
    assert ic.preflight(hessian(SMOOTH.sum() + (x**2).sum()), n=n).compressed_bytes == H.nbytes
    made = H.tosparse("dia")
    assert made.data.nbytes == 3 * 8 * n
    np.testing.assert_allclose(H.matvec(H.solve(np.ones(n))), 1)
    np.testing.assert_allclose(made @ np.ones(n), H.matvec(np.ones(n)))


# ------------------------------------------------------------------ planned once


def test_new_numbers_are_not_planned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    real: Callable[..., Any] = module.factors
    monkeypatch.setattr(module, "factors", lambda *args: plans.append(1) or real(*args))
    D = hessian((SMOOTH**3).sum())
    for given in (draw(21), draw(21, seed=1), list(draw(21)), draw(21).astype(np.float32)):
        H = D.compressed(x=given)
        np.testing.assert_allclose(H.todense(), D.evaluate(x=given), rtol=1e-4, atol=1e-4)
    assert len(plans) == 2  # one for each dtype
    assert D.compressed(x=draw(22)).shape == (22, 22)


def test_what_is_known_of_inputs_is_checked_each_time() -> None:
    P = ic.tensor("P", "n n", symmetric=True)
    D = ic.derivative(P @ x, x)
    D.compressed(P=definite(3), x=draw(3))
    with pytest.raises(ic.InputError, match="symmetric"):
        D.compressed(P=draw(3, 3), x=draw(3))
    with pytest.raises(ic.IndexCalcError, match="unknown input"):
        D.compressed(P=definite(3), x=draw(3), y=draw(3))


def test_what_a_condition_excludes_counts_nowhere() -> None:
    D = hessian(ic.where(x > 0, ic.log(x), 0 * x).sum())
    np.testing.assert_array_equal(D.compressed(x=[1, -1, 0]).todense(), D.evaluate(x=[1, -1, 0]))


def test_selections_in_a_circle_are_no_loop_over_entries() -> None:
    """The diagonal of a slice of bands: `i + 1 = k` and `i = k` are no entry at all, which is seen at once."""
    H = hessian(SMOOTH.sum())
    for D in (ic.diag(H), ic.diag(H[1:, :-1]), ic.diag(H[1:, 1:]), ic.tr(H[1:, :-1])):
        np.testing.assert_allclose(D.compressed(x=draw(9)).todense(), D.evaluate(x=draw(9)), atol=1e-12)
        assert ic.preflight(D, n=10**5).compressed_bytes <= 16 * 10**5
        assert ic.preflight(D, n=10**5).peak_bytes <= 8 * 10 * 10**5
        assert not any(word in ic.to_source(D, x) for word in ("einsum", "(n, n)", "(n - 1, n)", "selection"))


CURVED = {
    "neighbours": lambda x: ic.sqrt((x[1:] - x[:-1]) ** 2 + 0.01).sum(),
    "second differences": lambda x: ((x[2:] - 2 * x[1:-1] + x[:-2]) ** 4).sum(),
    "turned": lambda x: (x[::-1] ** 2 * x**2).sum(),
    "far": lambda x: (x[3:] ** 2 * x[:-3] ** 2).sum() + 3 * (x**3).sum(),
    "every second": lambda x: (x[::2] ** 3).sum() * 0.5 - (x[1:] * x[:-1]).sum() * 0.5,
}


@pytest.mark.parametrize("name", CURVED)
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_bands_are_written_once_for_all_numbers(name: str, dtype: str) -> None:
    for n in (4, 5, 9):
        x = ic.tensor("x", n)
        H = ic.hessian(CURVED[name](x), x)
        for seed in (0, 1):  # the second is written by what is known of the first
            numbers = np.random.default_rng(seed).normal(size=n) * (1 + 0.5j if dtype == "complex128" else 1)
            held = H.compressed(x=numbers.astype(dtype))
            wanted, found = held.todense(), held.tosparse("dia")
            assert found.dtype == dtype
            assert np.allclose(found.toarray(), wanted, rtol=1e-5 if dtype == "float32" else 1e-12)
            assert np.allclose(wanted, H.evaluate(x=numbers.astype(dtype)), rtol=1e-4 if dtype == "float32" else 1e-9)


LONG = ic.tensor("K", 250)
WAVE = ic.tensor("s", 400)
KERNEL = np.where(np.arange(250) == 125, 3.0, draw(250, seed=1) / 100)
RELATED: dict[str, tuple[Any, dict[str, Any], int]] = {
    "valid": (ic.derivative(ic.correlate(WAVE, LONG), WAVE), {"K": KERNEL}, 250),
    "same": (ic.derivative(ic.correlate(WAVE, LONG, "same"), WAVE), {"K": KERNEL}, 250),
    "full": (ic.derivative(ic.convolve(WAVE, LONG), WAVE), {"K": KERNEL}, 250),
    "stride": (ic.derivative(ic.correlate(WAVE, LONG, stride=3), WAVE), {"K": KERNEL}, 250),
    "single": (ic.derivative(ic.correlate(WAVE, LONG, "same"), WAVE), {"K": KERNEL.astype(np.float32)}, 250),
    "complex": (ic.derivative(ic.correlate(WAVE, LONG, "same"), WAVE), {"K": KERNEL + 0.01j * KERNEL[::-1]}, 250),
    "weighted": (
        ic.derivative(ic.tanh(ic.correlate(WAVE, LONG, "same")), WAVE),
        {"K": KERNEL, "s": draw(400) / 10},
        250 + 400,
    ),
    "beside a diagonal": (
        ic.derivative(ic.correlate(WAVE, LONG, "same") + WAVE**2, WAVE),
        {"K": KERNEL, "s": draw(400)},
        250 + 400,
    ),
    "of a batch": (
        ic.derivative(ic.correlate(ic.tensor("W", 2, 300), LONG, "same", axes=1), ic.tensor("W", 2, 300)),
        {"K": KERNEL},
        250,
    ),
    "by the kernel": (ic.derivative(ic.correlate(WAVE, LONG), LONG), {"s": draw(400)}, 400),
    "two axes": (
        ic.derivative(ic.correlate(ic.tensor("I", 18, 20), ic.tensor("L", 15, 16)), ic.tensor("I", 18, 20)),
        {"L": draw(15, 16)},
        240,
    ),
    "a part": (ic.derivative(ic.correlate(WAVE, LONG)[5:50], WAVE), {"K": KERNEL}, 250),
    "as long": (ic.derivative(ic.correlate(WAVE, ic.tensor("K", 400)), WAVE), {"K": draw(400)}, 400),
}  # fmt: skip


@pytest.mark.parametrize("name", RELATED)
def test_long_kernels_are_held_in_their_numbers(name: str) -> None:
    D, named, count = RELATED[name]
    H = D.compressed(**named)
    M = np.asarray(D.evaluate(**named)).reshape(H.matrix_shape)
    tol = 1e-3 if H.dtype == np.float32 else 1e-8
    v, b = draw(H.matrix_shape[1]), draw(H.matrix_shape[0])
    assert H.nbytes <= count * H.dtype.itemsize
    assert np.allclose(H.todense().reshape(H.matrix_shape), M, atol=tol)
    assert np.allclose(np.ravel(H.matvec(v)), M @ v, atol=tol)
    assert np.allclose(np.ravel(H.rmatvec(b)), M.conj().T @ b, atol=tol)
    assert np.allclose(H.tosparse().toarray(), M, atol=tol)
    if H.rows == H.columns:
        assert np.allclose(np.ravel(H.diagonal()), np.diag(M), atol=tol) and np.isclose(H.trace(), np.trace(M))
        assert np.allclose(M @ np.ravel(H.solve(b)), b, atol=tol)
        assert np.isclose(H.logdet(), np.linalg.slogdet(M)[1], rtol=tol)


def test_long_kernels_against_jax() -> None:
    jax = pytest.importorskip("jax")
    wanted = jax.jacobian(lambda s: jax.numpy.tanh(jax.numpy.convolve(s, KERNEL, "full")))(draw(400))
    held = ic.derivative(ic.tanh(ic.convolve(WAVE, LONG)), WAVE).compressed(K=KERNEL, s=draw(400))
    assert np.allclose(held.tosparse().toarray(), wanted) and held.nbytes == 8 * (250 + 649)


def test_grids_of_long_kernels() -> None:
    other = ic.tensor("y", 400)
    first, second = ic.correlate(WAVE, LONG, "same") + other, 3 * other + WAVE
    grid = ic.compressed([[ic.derivative(one, v) for v in (WAVE, other)] for one in (first, second)], K=KERNEL)
    M, b = grid.todense(), draw(800)
    assert np.allclose(grid.matvec(b), M @ b) and np.allclose(M @ grid.solve(b), b)
    assert np.allclose(grid.tosparse().toarray(), M)
