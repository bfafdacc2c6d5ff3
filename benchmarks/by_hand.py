"""The best hand-written NumPy for each problem: what the library's programs are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from numpy._core.multiarray import c_einsum as einsum
except ImportError:
    from numpy import einsum

Array = Any


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
