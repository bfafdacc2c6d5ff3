"""The best hand-written NumPy for each problem: what the library's programs are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from numpy._core.multiarray import c_einsum as einsum
except ImportError:
    from numpy import einsum

Array = Any
HELD = 2**15
"""Entries of a block of rows: a few arrays of them stay in the cache of a core."""


def blocks(rows: int, width: int, entries: int = HELD) -> list[slice]:
    """The ranges of rows that hold so many entries."""
    step = max(1, entries // width)
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def inverse_logdet(A: Array) -> tuple[Array, float]:
    """`inv(A)` and `log|det A|` from one factorisation."""
    from scipy.linalg.lapack import dgetrf, dgetri

    factors, pivots, _ = dgetrf(A)
    return dgetri(factors, pivots)[0], np.log(np.abs(factors.diagonal())).sum()


def quadratic_hessian(x: Array, A: Array) -> Array:
    """`A + A'`."""
    return A + A.T


def logistic_gradient(X: Array, y: Array, w: Array) -> list[Array]:
    """The loss and its gradient; the exponential never overflows."""
    t = y * np.dot(X, w)
    e = np.exp(-np.abs(t))
    loss = np.log1p(e).sum() - np.minimum(t, 0).sum()
    s = np.where(t >= 0, e, 1.0) / (1 + e)
    s *= y
    return [loss, np.dot(-s, X)]


def logistic_hessian(X: Array, y: Array, w: Array) -> Array:
    """`X' diag(s (1-s)) X` as a symmetric product of one array with itself."""
    e = np.exp(-np.abs(np.dot(X, w)))
    Z = X * (np.sqrt(e) / (1 + e))[:, None]
    return np.dot(Z.T, Z)


def factorisation_gradient(T: Array, U: Array, V: Array) -> list[Array]:
    """`|T - UV'|²` and its gradient by U; the residual is kept."""
    R = np.dot(U, V.T)
    np.subtract(T, R, out=R)
    flat = R.ravel()
    return [np.dot(flat, flat), np.dot(R, -2 * V)]


def factorisation_hessian(T: Array, U: Array, V: Array) -> Array:
    """`2 δ_ij (V'V)_ab`, written through a view of the diagonal."""
    n, k = U.shape
    H = np.zeros((n, k, n, k))
    einsum("iaib->iab", H)[...] = np.dot(2 * V.T, V)
    return H


def held_product(T: Array, U: Array, V: Array) -> Any:
    """The function that multiplies the Hessian by a vector, with what it consists of held."""
    core = np.dot(2 * V.T, V)
    return lambda x: np.dot(x.reshape(U.shape), core).ravel()


def network_hessian(X: Array, Y: Array, *W: Array) -> Array:
    """The Gauss-Newton form, which is exact here: one product over the batch."""
    N, d = X.shape
    h, masks = X, []
    for V in W[:-1]:
        a = np.dot(h, V)
        masks.append((a > 0).astype(float))
        h = np.maximum(a, 0)
    o = np.dot(h, W[-1])
    o -= o.max(axis=1, keepdims=True)
    p = np.exp(o)
    p /= np.dot(p, np.ones(p.shape[1]))[:, None]
    G = masks[-1][:, :, None] * W[-1]
    for V, mask in zip(W[-2:0:-1], masks[-2::-1], strict=True):
        G = np.matmul(V, G)
        G *= mask[:, :, None]
    G -= np.matmul(G, p[:, :, None])
    G *= np.sqrt(p)[:, None, :]
    M = np.matmul(G, G.transpose(0, 2, 1))
    XX = einsum("ni,nj->nij", X, X)
    return np.dot(XX.reshape(N, -1).T, M.reshape(N, -1)).reshape(d, d, d, d).transpose(0, 2, 1, 3)


def linear_jacobian(A: Array, X: Array, B: Array) -> Array:
    """`A_ik B_lj`."""
    return einsum("ik,lj->iklj", A, B).transpose(0, 3, 1, 2)


def softmax_jacobian(z: Array) -> Array:
    """`δ_cd p_nc - p_nc p_nd`: the dense term first."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= np.dot(p, np.ones(p.shape[1]))[:, None]
    J = einsum("nc,nd->ncd", -p, p)
    diagonal = einsum("ncc->nc", J)
    diagonal += p
    return J


def elasticity_tangent(F: Array, lam: float, mu: float) -> Array:
    """`μ δ_ik δ_jl + λ g_ij g_kl + (μ - λ log J) g_il g_kj` with `g = inv(F)'`; points last beyond a few."""
    n = len(F)
    if n < 40:
        g = np.linalg.inv(F).transpose(0, 2, 1)
        c = mu - lam * np.log(np.linalg.det(F))
        T = einsum("nij,nkl->nijkl", lam * g, g)
        T += einsum("nil,nkj->nijkl", c[:, None, None] * g, g)
        entries = einsum("nijij->nij", T)
        entries += mu
        return T
    f = np.ascontiguousarray(F.transpose(1, 2, 0))
    g = np.empty((3, 3, n))
    for i in range(3):
        for j in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
            np.multiply(f[a, c], f[b, d], out=g[i, j])
            g[i, j] -= f[a, d] * f[b, c]
    J = einsum("jn,jn->n", f[0], g[0])
    g /= J
    weighted = g * (mu - lam * np.log(J))
    scaled = lam * g
    T = np.empty((3, 3, 3, 3, n))
    scratch = np.empty((3, 3, n))
    for i in range(3):
        for j in range(3):
            np.multiply(scaled[i, j], g, out=T[i, j])
            np.multiply(weighted[i][None, :, :], g[:, j][:, None, :], out=scratch)
            T[i, j] += scratch
            T[i, j, i, j] += mu
    return T.transpose(4, 0, 1, 2, 3)


def cp_gradients(T: Array, a: Array, b: Array, c: Array) -> list[Array]:
    """All three gradients of `|T - [[a, b, c]]|²`: two products with T, one of them shared by two modes."""
    n, r = a.shape
    if n < 20:
        ab = einsum("ir,jr->ijr", a, b).reshape(n * n, r)
        R = np.dot(ab, c.T)
        R -= T.reshape(n * n, n)
        R *= 2
        C = np.dot(R, c).reshape(n, n, r)
        return [einsum("ijr,jr->ir", C, b), einsum("ijr,ir->jr", C, a), np.dot(R.T, ab)]
    aa, bb, cc = np.dot(a.T, a), np.dot(b.T, b), np.dot(c.T, c)
    C = np.dot(T.reshape(n * n, n), c).reshape(n, n, r)
    ab = einsum("ir,jr->ijr", a, b).reshape(n * n, r)
    one = np.dot(a, bb * cc)
    one -= einsum("ijr,jr->ir", C, b)
    two = np.dot(b, aa * cc)
    two -= einsum("ijr,ir->jr", C, a)
    three = np.dot(c, aa * bb)
    three -= np.dot(T.reshape(n * n, n).T, ab)
    for g in (one, two, three):
        g *= 2
    return [one, two, three]


def gaussian_mean(X: Array, m: Array, S: Array) -> Array:
    """`N inv(S)`."""
    return len(X) * np.linalg.inv(S)


def gaussian_covariance(X: Array, m: Array, S: Array) -> Array:
    """With `P = inv(S)` and `Y = P C P`, C the scatter: two outer products as one matrix product."""
    d = len(m)
    e = X - m
    P = np.linalg.inv(S)
    Q = np.dot(e, P)
    Y = np.dot(Q.T, Q)
    Y *= 0.5
    left = np.array((P.ravel(), Y.ravel()))
    right = np.array(((Y - 0.5 * len(X) * P).ravel(), P.ravel()))
    return np.dot(left.T, right).reshape(d, d, d, d).transpose(2, 0, 1, 3)


def gaussian_precision(X: Array, m: Array, P: Array) -> Array:
    """`N/2 inv(P) ⊗ inv(P)`."""
    S = np.linalg.inv(P)
    return einsum("jk,li->jkli", 0.5 * len(X) * S, S).transpose(3, 0, 1, 2)


def attention_gradients(Q: Array, K: Array, V: Array, G: Array) -> list[Array]:
    """The value `softmax(QK') V` and the gradients of its product with G."""
    P = np.dot(Q, K.T)
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    P /= np.dot(P, np.ones(P.shape[1]))[:, None]
    Z = np.dot(P, V)
    D = np.dot(G, V.T)
    D -= einsum("te,te->t", G, Z)[:, None]
    D *= P
    return [Z, np.dot(D, K), np.dot(D.T, Q), np.dot(P.T, G)]


def process_gradients(K: Array, D: Array, y: Array, s: float) -> list[Array]:
    """`(y' inv(A) y + logdet A)/2` for `A = K exp(-s D)` entrywise, and its derivative by s."""
    A = np.exp(D * -s)
    A *= K
    P = np.linalg.inv(A)
    alpha = np.dot(P, y)
    value = (np.dot(y, alpha) + np.linalg.slogdet(A)[1]) / 2
    P -= np.multiply.outer(alpha, alpha)
    A *= D
    return [value, -0.5 * np.vdot(P, A)]


def poisson_hessian(X: Array, y: Array, w: Array) -> list[Array]:
    """The likelihood's gradient and Hessian: `X'(exp(Xw) - y)` and `X' diag(exp(Xw)) X`."""
    z = np.dot(X, w)
    Z = X * np.exp(0.5 * z)[:, None]
    return [np.dot(np.exp(z) - y, X), np.dot(Z.T, Z)]


def student_hessian(X: Array, m: Array, P: Array) -> Array:
    """The Hessian in m of `sum log(1 + e'Pe)`, `e = x - m`, P symmetric."""
    e = X - m
    E = np.dot(e, P)
    q = einsum("ni,ni->n", E, e)
    q += 1
    np.divide(2, q, out=q)
    H = P * q.sum()
    E *= q[:, None]
    H -= np.dot(E.T, E)
    return H


# ------------------------------------------------------------------ structure


def variation_gradient(x: Array) -> list[Array]:
    """`sum sqrt(e² + 0.01)` of the differences `e`, and its gradient: `e/sqrt(...)`, taken apart again."""
    e = x[1:] - x[:-1]
    root = e * e
    root += 0.01
    np.sqrt(root, out=root)
    loss = root.sum()
    e /= root
    g = np.empty_like(x)
    g[0], g[-1] = -e[0], e[-1]
    np.subtract(e[:-1], e[1:], out=g[1:-1])
    return [loss, g]


def weights(x: Array) -> Array:
    """The second derivatives by the differences `e`: `0.01/(e² + 0.01)^(3/2)`."""
    e = x[1:] - x[:-1]
    e *= e
    e += 0.01
    root = np.sqrt(e)
    e *= root
    return np.divide(0.01, e, out=e)


def variation_product(x: Array, v: Array) -> Array:
    """`D' diag(w) D v`, D the matrix of differences."""
    e = weights(x)
    e *= v[1:] - v[:-1]
    g = np.empty_like(x)
    g[0], g[-1] = -e[0], e[-1]
    np.subtract(e[:-1], e[1:], out=g[1:-1])
    return g


def variation_bands(x: Array) -> Any:
    """The function that makes the three bands, as SciPy's `dia_array` has them."""

    def bands(_: Array) -> Array:
        w = weights(x)
        rows = np.zeros((3, len(x)))
        rows[1, 1:] = w
        rows[1, :-1] += w
        np.negative(w, out=w)
        rows[0, :-1], rows[2, 1:] = w, w
        return rows

    return bands


def newton_solver(x: Array) -> Any:
    """The function that solves by the two bands of a symmetric positive definite matrix, `I + D' diag(w) D`."""
    from scipy.linalg import solveh_banded

    upper = variation_bands(x)(x)[2:0:-1].copy()
    upper = np.array([upper[0], upper[1] + 1])
    return lambda b: solveh_banded(upper, b)


def image_gradient(X: Array) -> list[Array]:
    """The total variation of an image, smoothed, and its gradient."""
    here = X[:-1, :-1]
    down, across = X[1:, :-1] - here, X[:-1, 1:] - here
    root = down * down
    root += across * across
    root += 0.01
    np.sqrt(root, out=root)
    loss = root.sum()
    down /= root
    across /= root
    g = np.zeros_like(X)
    g[1:, :-1] = down
    g[:-1, 1:] += across
    down += across
    g[:-1, :-1] -= down
    return [loss, g]


def flow(u: Array, rate: float) -> Array:
    """`u + rate Δu` of a line or a plane, zeros beside it."""
    made = u * (1 - 2 * u.ndim * rate)
    scaled = u * rate
    made[1:] += scaled[:-1]
    made[:-1] += scaled[1:]
    if u.ndim == 2:
        made[:, 1:] += scaled[:, :-1]
        made[:, :-1] += scaled[:, 1:]
    return made


def heat(u: Array, target: Array) -> list[Array]:
    """A step, and the gradient of half the squared misfit, which is the step of the misfit: it is symmetric."""
    after = flow(u, 0.1)
    return [after, flow(after - target, 0.1)]


def layer_gradients(images: Array, kernels: Array, G: Array) -> list[Array]:
    """A layer of correlations with its gradients: one product for each entry of a kernel, images as columns."""
    (b, c, h, w), (o, _, p, q) = images.shape, kernels.shape
    rows, columns = h - p + 1, w - q + 1
    windows = np.lib.stride_tricks.sliding_window_view(images, (p, q), (2, 3))
    patches = windows.transpose(0, 1, 4, 5, 2, 3).reshape(b, c * p * q, rows * columns)
    flat, slopes = kernels.reshape(o, -1), G.reshape(b, o, -1)
    y = np.matmul(flat, patches).reshape(b, o, rows, columns)
    by_kernels = np.matmul(slopes, patches.transpose(0, 2, 1)).sum(0).reshape(kernels.shape)
    spread = np.matmul(flat.T, slopes).reshape(b, c, p, q, rows, columns)
    by_images = np.zeros_like(images)
    for i in range(p):
        for j in range(q):
            by_images[:, :, i : i + rows, j : j + columns] += spread[:, :, i, j]
    return [y, by_images, by_kernels]


def embedding_gradient(W: Array, G: Array, idx: Array) -> Array:
    """Rows added to the rows of zeros that the integers name: `add.at` of flat places, which NumPy has a loop for."""
    n, d = W.shape
    made = np.zeros(n * d)
    np.add.at(made, (idx[:, None] * d + np.arange(d)).ravel(), G.ravel())
    return made.reshape(n, d)


def pair_forces(X: Array) -> list[Array]:
    """The sum of `exp(-|x_i - x_j|²)` over pairs, and its negative gradient: all by one product of X with itself."""
    squares = einsum("ik,ik->i", X, X)
    E = np.dot(X, 2 * X.T)
    E -= squares[:, None]
    E -= squares
    np.exp(E, out=E)
    np.fill_diagonal(E, 0)
    rows = E.sum(1)
    return [rows.sum() / 2, 2 * (X * rows[:, None] - np.dot(E, X))]
