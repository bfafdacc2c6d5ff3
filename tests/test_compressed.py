"""Compressed results against dense ones: random derivatives, every way of solving, bytes counted."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import SHAPES, TENSORS, arrays, program, sizes

import indexcalc as ic
from indexcalc.engine.compressed import held as module
from indexcalc.engine.compressed.factors import HeldTerm
from indexcalc.engine.compressed.held_matrix import HeldMatrix, axis_groups, dense, restricted, shared_pairs
from indexcalc.engine.compressed.operator import vector
from indexcalc.engine.compressed.solves import solver
from indexcalc.engine.compressed.structured import Singular, structured

RNG = np.random.default_rng(0)
T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
A, B, X = ic.tensor("A", "n n"), ic.tensor("B", "p p"), ic.tensor("X", "n p")


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def definite(n: int, seed: int = 0) -> np.ndarray:
    root = np.random.default_rng(n + seed).standard_normal((n, n))
    return root @ root.T + np.eye(n)


def agree(H: Any, want: np.ndarray, seed: int = 0) -> None:
    """Every product of a compressed array is that of the dense one."""
    rng = np.random.default_rng(seed)
    M = want.reshape(H.matrix_shape)
    v, u = rng.standard_normal(M.shape[1]), rng.standard_normal(M.shape[0])
    np.testing.assert_allclose(H.todense(), want, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(np.ravel(H.matvec(v)), M @ v, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(np.ravel(H.rmatvec(u)), M.T @ u, rtol=1e-8, atol=1e-8)
    several = np.stack([v, -2 * v], axis=1)
    np.testing.assert_allclose(H.matmat(several).reshape(-1, 2), M @ several, rtol=1e-8, atol=1e-8)
    if H.rows == H.columns:
        np.testing.assert_allclose(np.ravel(H.diagonal()), np.diag(M), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(H.trace(), np.trace(M), rtol=1e-8, atol=1e-8)
    if M.shape[0] == M.shape[1] and M.size:
        condition = np.linalg.cond(M)
        try:
            x = H.solve(u)
        except ic.InputError as error:
            if "singular" not in str(error):
                raise
            assert condition > 1e10 or np.abs(M).max() < 1e-12  # rounding is what is left of it
        else:
            if condition < 1e8:
                np.testing.assert_allclose(M @ np.ravel(x), u, atol=1e-5)


@settings(max_examples=80)
@given(st.integers(0, 10**6))
def test_random_derivatives(seed: int) -> None:
    rng = random.Random(seed)
    twin = program(rng, 3)
    given_arrays = arrays(rng, sizes(rng))
    D: Any = twin.expr
    for order in range(rng.choice([1, 1, 2])):
        name = rng.choice(list(SHAPES))
        names = tuple(ic.index(f"u{order}{k}") for k in range(len(SHAPES[name].split())))
        if len(D.free) + len(names) <= 6:
            D = D.diff(TENSORS[name][names] if names else TENSORS[name])
    named = {v.label: given_arrays[v.label] for v in D.inputs}
    H = D.compressed(**named)
    want = np.asarray(D.evaluate(**named))
    order_of = [str(index) for index in D.free]
    agree(H, want.transpose([order_of.index(name) for name in H.names]), seed)


# ------------------------------------------------------------------ what is held


def test_a_delta_is_not_held() -> None:
    H = ic.hessian(((T - U @ V.T) ** 2).sum(), U).compressed(V=draw(50, 5), m=200)
    assert (H.nbytes, H.dense_nbytes, H.matrix_shape) == (25 * 8, 8 * 10**6, (1000, 1000))
    assert "2*δ[i,k] ⊗ H1[j,l]" in repr(H)
    assert "right-hand sides for δ ⊗ a 5×5 matrix" in H.solver().method


def test_a_kronecker_product_is_two_matrices() -> None:
    H = ic.derivative(A @ X @ B, X).compressed(A=draw(20, 20), B=draw(30, 30))
    assert H.nbytes == 8 * (400 + 900)
    G = draw(20, 30)
    np.testing.assert_allclose(H.matvec(G), H.held.arrays[0] @ G @ H.held.arrays[1])
    assert str(H) == "A[i,k] ⊗ B[l,j]"


def test_what_is_held_is_a_copy() -> None:
    a = draw(3, 3)
    H = ic.derivative(A @ X @ B, X).compressed(A=a, B=np.eye(2))
    before = H.todense()
    a[:] = 0
    np.testing.assert_array_equal(H.todense(), before)


def test_a_product_with_a_vector_repeats_no_forward_pass() -> None:
    calls = []

    def f(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.asarray(2 * x)

    u = ic.function("u", "n -> n")
    x = ic.tensor("x", "n")
    H = ic.derivative(ic.exp(u(x)) * x, x).compressed(x=draw(4), u=f, Du=lambda x: 2 * np.eye(4))
    assert len(calls) == 1
    for _ in range(3):
        H.matvec(draw(4))
    assert len(calls) == 1


def test_a_product_with_a_vector_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    real: Callable[..., Any] = module.plan
    monkeypatch.setattr(module, "plan", lambda *args: plans.append(1) or real(*args))
    H = ic.derivative(A @ X @ B, X).compressed(A=draw(3, 3), B=draw(2, 2))
    for _ in range(3):
        H.matvec(draw(6))
        H.matvec(draw(3, 2))
    assert len(plans) == 1


def test_the_trace_of_a_gauss_newton_hessian_takes_memory_of_the_size_of_the_data() -> None:
    data, W = ic.tensor("X", "N F"), ic.tensor("W", "F o")
    D = ic.hessian(((data @ W) ** 2).sum() / 2, W)
    x = draw(40, 300)
    D.compressed(X=x, o=200).trace()
    tracemalloc.start()
    H = D.compressed(X=x, o=200)
    trace, diagonal = H.trace(), H.diagonal()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(trace, 200 * np.sum(x * x))
    np.testing.assert_allclose(diagonal, np.tile(np.sum(x * x, 0)[:, None], 200))
    assert H.dense_nbytes == 8 * 60000**2
    assert peak < 3 * (x.nbytes + diagonal.nbytes) + 500_000


def test_a_dense_array_beyond_the_limit_is_never_made() -> None:
    H = ic.derivative(A @ X @ B, X).compressed(A=definite(40), B=definite(30), memory_limit=100_000)
    with pytest.raises(ic.InputError, match=r"todense.*11,520,000 bytes, and the limit is 100,000"):
        H.todense()
    G = draw(40, 30)
    np.testing.assert_allclose(H.matvec(H.solve(G)), G, atol=1e-8)
    with pytest.raises(ic.InputError, match="factors take"):
        ic.derivative(A @ X @ ic.exp(B), X).compressed(A=definite(40), B=definite(40), p=40, memory_limit=100)


# ------------------------------------------------------------------ solving


def solving(D: Any, method: str, **named: Any) -> None:
    H = D.compressed(**named)
    assert method in H.solver().method
    agree(H, H.todense())
    M, b = H.todense().reshape(H.matrix_shape), draw(H.matrix_shape[0])
    np.testing.assert_allclose(np.ravel(H.solve(b)), np.linalg.solve(M, b), rtol=1e-6, atol=1e-6)
    assert H.solve(b.reshape(H.rows)).shape == H.columns


def test_ways_of_solving() -> None:
    i, j, k, n = ic.indices("i j k n")
    x, Q = ic.tensor("x", "n"), ic.tensor("Q", "n p p")
    y = ic.tensor("y", "n p")
    solving(ic.derivative(A @ X @ B, X), "factor by factor: 4×4 ⊗ 3×3", A=definite(4), B=definite(3))
    solving(ic.derivative(A @ X, X), "3 right-hand sides for δ ⊗ a 4×4", A=definite(4), p=3)
    solving(ic.derivative(ic.exp(x), x), "diagonal", x=draw(5))
    solving(ic.hadamard(Q[n, i, j], y[n, j]).sum(j).diff(y[ic.index("m"), k]), "block diagonal, 4 blocks 3×3",
            Q=np.stack([definite(3, s) for s in range(4)]), n=4)  # fmt: skip
    solving(ic.derivative(A @ x, x), "dense", A=definite(5))


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("boundary", ["zero", "periodic", "reflect"])
@pytest.mark.parametrize(("n", "m"), [(7, 3), (4, 2), (3, 3), (4, 1)])
def test_correlations_are_bands(mode: str, boundary: str, n: int, m: int) -> None:
    """At most a number for each entry of the kernel and row, and of what lies beside the array."""
    if mode == "valid" and boundary != "zero":
        return
    x, k = ic.tensor("x", "n"), ic.tensor("k", m)
    y = ic.correlate(x, k, mode, boundary=boundary)
    for D in (ic.derivative(y, x), ic.derivative(ic.tanh(y), x), ic.hessian((y**2).sum(), x)):
        given_arrays = {"x": draw(n), "k": draw(m)}
        named = {v.label: given_arrays[v.label] for v in D.inputs} | {"n": n}
        H = D.compressed(**named)
        agree(H, np.asarray(D.evaluate(**named)))
        if boundary == "zero" and n > 2 * m:
            assert H.tosparse().nnz <= (2 * m - 1) * n and H.nbytes <= 8 * m * (n + m)
            assert ic.preflight(D, n=n).compressed_bytes == H.nbytes


def test_layers_are_bands() -> None:
    """Of two axes, with channels and strides, and through a function of the entries; twice, and by the kernel."""
    X, K = ic.tensor("X", 3, 7, 6), ic.tensor("K", 2, 3, 3, 2)
    for options in ({}, {"stride": 2, "mode": "same"}, {"dilation": 2}):
        y = ic.tanh(ic.correlate(X, K, axes=(-2, -1), **options))
        for D in (ic.derivative(y, X), ic.derivative(y, K)):
            agree(D.compressed(X=draw(3, 7, 6), K=draw(2, 3, 3, 2)), D.evaluate(X=draw(3, 7, 6), K=draw(2, 3, 3, 2)))
    x, k = ic.tensor("x", 80), ic.tensor("k", 3)
    H = ic.hessian((ic.tanh(ic.correlate(x, k, "full")) ** 2).sum(), x)
    held = H.compressed(x=draw(80), k=draw(3))
    agree(held, H.evaluate(x=draw(80), k=draw(3)))
    assert held.tosparse().nnz <= 5 * 80 and held.solver().method == "banded, 2 below the diagonal and 2 above it"


def test_a_long_kernel_stays_one_factor() -> None:
    x, k = ic.tensor("x", 300), ic.tensor("k", 201)
    D = ic.derivative(ic.correlate(x, k), x).compressed(k=draw(201))
    assert len(D.terms) == 1


def test_kronecker_sums_are_eigenproblems() -> None:
    square = ic.tensor("X", "n n")
    D = ic.derivative(A @ square @ A + 2 * A @ square + square @ A / 3 + square, square)
    solving(D, "generalised eigenproblems of 15×15, 15×15", A=definite(15) / 15)
    solving(D, "dense", A=definite(4))


def test_a_diagonal_and_low_rank_is_woodbury() -> None:
    data, w, lam = ic.tensor("X", "N n"), ic.tensor("w", "n"), ic.scalar("lam")
    L = ic.softplus(data @ w).sum() + lam * (w * w).sum() / 2
    solving(ic.hessian(L, w), "rank 4: Woodbury", X=draw(4, 30), w=draw(30), lam=0.5)


def test_conjugate_gradients_where_dense_does_not_fit() -> None:
    x = ic.tensor("x", "n")
    H = ic.derivative(A @ x, x).compressed(A=definite(30), memory_limit=7500)
    b = draw(30)
    with pytest.raises(ic.InputError, match="positive_definite=True"):
        H.solve(b)
    np.testing.assert_allclose(H.solve(b, positive_definite=True), np.linalg.solve(definite(30), b), rtol=1e-6)
    with pytest.raises(ic.InputError, match="not positive definite"):
        ic.derivative(-A @ x, x).compressed(A=definite(30), memory_limit=7500).solve(b, positive_definite=True)


def test_singular_matrices_are_errors() -> None:
    x = ic.tensor("x", "n")
    flat = np.ones((4, 4))
    for D, named in (
        (ic.derivative(A @ x, x), {"A": flat}),
        (ic.derivative(A @ X @ B, X), {"A": flat, "B": definite(2)}),
        (ic.derivative(A @ X, X), {"A": np.arange(16.0).reshape(4, 4), "p": 2}),
        (ic.derivative(x * x, x), {"x": [1.0, 0.0, 2.0]}),
        (ic.derivative(ic.outer(x, x) @ x, x), {"x": np.zeros(3)}),
    ):
        with pytest.raises(ic.InputError, match="singular"):
            D.compressed(**named).solve(np.ones(D.compressed(**named).matrix_shape[0]))
    P = ic.tensor("P", "m n")
    held = ic.derivative(P @ x, x).compressed(P=draw(3, 2))
    with pytest.raises(ic.InputError, match="the matrix is 3 × 2"):
        held.solve(np.ones(3))


# ------------------------------------------------------------------ dtypes, SciPy, blocks, errors


def test_precision_and_complex_numbers_are_kept() -> None:
    D = ic.derivative(A @ X @ B, X)
    a, b = definite(3), definite(2)
    single = D.compressed(A=a.astype(np.float32), B=b.astype(np.float32))
    assert single.dtype == single.matvec(draw(6)).dtype == single.todense().dtype == np.float32
    z = D.compressed(A=a + 1j * draw(3, 3), B=b)
    M, v = z.todense().reshape(6, 6), draw(6) + 1j * draw(7)[:6]
    np.testing.assert_allclose(np.ravel(z.matvec(v)), M @ v)
    np.testing.assert_allclose(np.ravel(z.rmatvec(v)), M.conj().T @ v)
    np.testing.assert_allclose(np.ravel(z.solve(v)), np.linalg.solve(M, v))
    assert D.compressed(A=a, B=b).matvec(v).dtype == np.complex128


def test_scipy_takes_it() -> None:
    linalg = pytest.importorskip("scipy.sparse.linalg", reason="the products of SciPy's operators need SciPy")

    H = ic.derivative(A @ X @ B, X).compressed(A=definite(4), B=definite(3))
    b = draw(12)
    x, info = linalg.cg(H.as_linear_operator(), b, rtol=1e-12)
    assert info == 0
    np.testing.assert_allclose(x, np.ravel(H.solve(b)), rtol=1e-6)
    np.testing.assert_allclose(H.as_linear_operator().H @ b, np.ravel(H.rmatvec(b)))


def test_several_variables_are_a_grid() -> None:
    L = ((T - U @ V.T) ** 2).sum() + (U**2).sum() + (V**2).sum()
    given_arrays = {"T": draw(4, 5), "U": draw(4, 2), "V": draw(5, 2)}
    H = ic.compressed([[ic.hessian(L, u, v) for v in (U, V)] for u in (U, V)], **given_arrays)
    M = H.todense()
    np.testing.assert_allclose(M, M.T, atol=1e-12)
    v = draw(18)
    np.testing.assert_allclose(H.matvec(v), M @ v)
    np.testing.assert_allclose(H.rmatvec(v), M.T @ v)
    np.testing.assert_allclose(H.solve(v), np.linalg.solve(M, v), rtol=1e-6)
    np.testing.assert_allclose(H.diagonal(), np.diag(M))
    np.testing.assert_allclose(H.trace(), np.trace(M))
    parts = H.matvec([v[:8].reshape(4, 2), v[8:].reshape(5, 2)])
    np.testing.assert_allclose(np.concatenate([part.ravel() for part in parts]), M @ v)
    hvp = ic.hvp(L, [U, V], [ic.tensor("P", "m k"), ic.tensor("Q", "n k")])
    named = {**given_arrays, "P": v[:8].reshape(4, 2), "Q": v[8:].reshape(5, 2)}
    for one, other in zip(parts, hvp, strict=True):
        np.testing.assert_allclose(one, other.evaluate(**{x.label: named[x.label] for x in other.inputs}))
    row = ic.compressed(ic.grad(L, [U, V]), **given_arrays)
    assert row.matrix_shape == (1, 18)


def test_wrong_inputs_are_errors() -> None:
    H = ic.derivative(A @ X @ B, X).compressed(A=draw(4, 4), B=draw(3, 3))
    x = ic.tensor("x", "n")
    for run, message in (
        (lambda: H.matvec(draw(11)), r"shape \(11,\)\n  instead: give one of shape \(12,\) or \(4, 3\)"),
        (lambda: H.matvec(draw(3, 4)), r"\(12,\) or \(4, 3\)"),
        (lambda: H.matvec(x), "no numbers"),
        (lambda: H.matvec(["a"] * 12), "dtype"),
        (lambda: H.solve(draw(5)), "b has shape"),
        (lambda: ic.derivative(A @ X, X).compressed(C=draw(4, 4)), "unknown input 'C'"),
        (lambda: ic.derivative(A @ X, X).compressed(A=draw(4, 4)), "`p`"),
        (lambda: ic.derivative(A @ x, A).compressed(x=draw(4)).trace(), "same axes"),
        (lambda: ic.compressed(5), "no expression"),
        (lambda: ic.compressed([[x, x], [x]], x=draw(2)), "rows of one length"),
        (lambda: ic.compressed([[A], [x]], A=draw(2, 2), x=draw(2)), "the same columns"),
        (lambda: ic.compressed([x, 3], x=draw(2)), "no expression"),
    ):
        with pytest.raises(ic.IndexCalcError, match=message):
            run()


def test_an_expression_without_derivative() -> None:
    x = ic.tensor("x", "n")
    assert A.compressed(A=draw(3, 3)).matrix_shape == (3, 3)
    assert x.compressed(x=draw(3)).matrix_shape == (3, 1)
    zero = (x - x).compressed(n=3, x=draw(3))
    assert (zero.nbytes, str(zero), zero.todense().tolist()) == (0, "0", [0, 0, 0])
    i, j = ic.indices("i j")
    assert str((ic.delta(i, j, dim="n") * 2).compressed(n=3)) == "2*δ[i,j]"


# ------------------------------------------------------------------ the parts, each alone


def held_matrix(*out: int, factors: tuple[tuple[int, tuple[int, ...]], ...], terms: int = 1) -> HeldMatrix:
    """Matrices `h0`, `h1` of order 2, each with labels, whose product has the labels `out`, half of them rows."""
    arrays = (definite(3), definite(4))
    sizes = {label: arrays[number].shape[0] for number, labels in factors for label in labels} | {9: 5}
    term = HeldTerm(1, factors, out, sizes)
    return HeldMatrix((term,) * terms, arrays, len(out) // 2, np.dtype(float), 10**9)


def test_a_held_matrix_knows_how_its_axes_fall_apart() -> None:
    kronecker = held_matrix(0, 2, 1, 3, factors=((0, (0, 1)), (1, (2, 3))))
    assert kronecker.shape == (12, 12)
    assert axis_groups(kronecker) == [(0, 2), (1, 3)]
    assert shared_pairs(kronecker) == []
    block = held_matrix(0, 9, 1, 9, factors=((0, (0, 1)),))
    assert shared_pairs(block) == [(1, 3)]
    np.testing.assert_array_equal(dense(restricted(block, [0, 2]), [0, 1]), block.arrays[0])


def test_each_structure_is_solved_by_itself() -> None:
    for matrix, method in (
        (held_matrix(0, 2, 1, 3, factors=((0, (0, 1)), (1, (2, 3)))), "factor by factor"),
        (held_matrix(0, 9, 1, 9, factors=((0, (0, 1)),)), "right-hand sides for δ"),
    ):
        rows, columns = matrix.axes
        whole, b = dense(matrix, [*rows, *columns]).reshape(matrix.shape), draw(matrix.shape[0], 2)
        made = structured(matrix)
        assert made is not None
        assert method in made.method
        np.testing.assert_allclose(whole @ made(b), b, atol=1e-9)


def test_nothing_is_singular() -> None:
    with pytest.raises(Singular):
        structured(held_matrix(0, 1, factors=((0, (0, 1)),), terms=0))


class Plain:
    """A matrix that is known by its products alone."""

    dtype = np.dtype(float)
    matrix_shape = (6, 6)

    def __init__(self, limit: int) -> None:
        self.limit, self.array = limit, definite(6)

    def structure(self) -> None:
        """There is none."""

    def todense(self) -> np.ndarray:
        return self.array

    def matvec(self, v: np.ndarray) -> np.ndarray:
        return self.array @ v


def test_a_matrix_without_structure_is_solved_dense_or_by_its_products() -> None:
    b = draw(6, 2)
    for limit, method in ((10**6, "dense, 288 bytes"), (0, "conjugate gradients")):
        matrix = Plain(limit)
        made = solver(matrix, positive_definite=True)
        assert made.method == method
        np.testing.assert_allclose(matrix.array @ made(b), b, atol=1e-9)


def test_a_vector_has_the_precision_of_the_factors() -> None:
    assert vector([1, 2], np.dtype(np.float32), "matvec").dtype == np.float32
    assert vector([1j, 2], np.dtype(np.float32), "matvec").dtype == np.complex64
    with pytest.raises(ic.KindError, match="has no numbers"):
        vector(X, np.dtype(float), "matvec")
