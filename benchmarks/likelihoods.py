"""Likelihoods: mixtures, chains of hidden states, filters, classes, counts, hazards, sources.

As in `problems.py`: an expression, the hand-written limit beside it, and a loss for JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import blocks, einsum, inverse_logdet
from problems import Problem, definite, numbers

import indexcalc as ic

STEPS, FILTERED = 50, 20
"""Steps of a chain of hidden states, and of a filter."""


# ------------------------------------------------------------------ mixtures


def mixture() -> Any:
    X, m, s, w = ic.tensor("X", "n d"), ic.tensor("m", "k d"), ic.tensor("s", "k d"), ic.tensor("w", "k")
    apart = ((X[:, None] - m) * ic.exp(-s)) ** 2
    L = ic.logsumexp(w - s.sum(axis=1) - apart.sum(axis=2) / 2, axis=1).sum()
    return [L, ic.grad(L, m), ic.grad(L, s), ic.grad(L, w)], (X, m, s, w)


def mixture_loss(xp: Any, X: Any, m: Any, s: Any, w: Any) -> Any:
    apart = ((X[:, None] - m) * xp.exp(-s)) ** 2
    return xp.logsumexp(w - s.sum(1) - apart.sum(2) / 2).sum()


def make_mixture(n: int, d: int, k: int) -> list[Any]:
    X, m, s, w = numbers((n, d), (k, d), (k, d), (k,))
    return [X, m, s / 4, w]


def mixture_gradients(X: Any, m: Any, s: Any, w: Any) -> list[Any]:
    (n, d), k = X.shape, len(m)
    tight = np.exp(-2 * s)
    shift = w - s.sum(axis=1)
    value, first, second, total = 0.0, np.zeros((k, 1, d)), np.zeros((k, 1, d)), np.zeros(k)
    for rows in blocks(n, k * d):
        E = X[rows] - m[:, None]
        F = E * E
        z = np.matmul(F, (-0.5 * tight)[:, :, None])[:, :, 0]
        z += shift[:, None]
        top = z.max(axis=0)
        z -= top
        np.exp(z, out=z)
        mass = np.dot(np.ones(k), z)
        value += top.sum() + np.log(mass).sum()
        z /= mass
        total += np.dot(z, np.ones(z.shape[1]))
        first += np.matmul(z[:, None], E)
        second += np.matmul(z[:, None], F)
    return [value, first[:, 0] * tight, second[:, 0] * tight - total[:, None], total]


# ------------------------------------------------------------------ chains


def hidden() -> Any:
    A, B, p = ic.tensor("A", "k k"), ic.tensor("B", STEPS, "k"), ic.tensor("p", "k")
    a = p + B[0]
    for t in range(1, STEPS):
        a = ic.logsumexp(a[:, None] + A, axis=0) + B[t]
    L = ic.logsumexp(a)
    return [L, ic.grad(L, A), ic.grad(L, B)], (A, B, p)


def hidden_loss(xp: Any, A: Any, B: Any, p: Any) -> Any:
    a = p + B[0]
    for t in range(1, STEPS):
        a = xp.logsumexp(a[:, None] + A, 0) + B[t]
    return xp.logsumexp(a)


def hidden_gradients(A: Any, B: Any, p: Any) -> list[Any]:
    """Forward and backward with each step scaled to sum 1."""
    tops = B.max(axis=1)
    highest, start = A.max(), p.max()
    E, P = np.exp(B - tops[:, None]), np.exp(A - highest)
    ahead, scale = np.empty_like(B), np.empty(STEPS)
    a = np.exp(p - start) * E[0]
    for t in range(STEPS):
        if t:
            a = np.dot(a, P)
            a *= E[t]
        scale[t] = a.sum()
        a /= scale[t]
        ahead[t] = a
    seen, behind = np.empty_like(B), np.ones(B.shape[1])
    marginal = ahead.copy()
    for t in range(STEPS - 1, 0, -1):
        marginal[t] *= behind
        np.multiply(E[t], behind, out=seen[t])
        seen[t] /= scale[t]
        behind = np.dot(P, seen[t])
    marginal[0] *= behind
    P *= np.dot(ahead[:-1].T, seen[1:])
    return [np.log(scale).sum() + tops.sum() + (STEPS - 1) * highest + start, P, marginal]


def kalman() -> Any:
    F, H, m, y = ic.tensor("F", "d d"), ic.tensor("H", "o d"), ic.tensor("m", "d"), ic.tensor("y", FILTERED, "o")
    Q, P = ic.tensor("Q", "d d", symmetric=True), ic.tensor("P", "d d", symmetric=True)
    R = ic.tensor("R", "o o", symmetric=True)
    L: Any = 0
    a, C = m, P
    for t in range(FILTERED):
        a, C = F @ a, F @ C @ F.T + Q
        e, S = y[t] - H @ a, H @ C @ H.T + R
        K = C @ H.T @ ic.inv(S)
        L = L + (e @ ic.inv(S) @ e + ic.logdet(S)) / 2
        a, C = a + K @ e, C - K @ H @ C
    return [L, ic.grad(L, F)], (F, H, m, y, Q, P, R)


def kalman_loss(xp: Any, F: Any, H: Any, m: Any, y: Any, Q: Any, P: Any, R: Any) -> Any:
    L = 0.0
    for t in range(FILTERED):
        m, P = F @ m, F @ P @ F.T + Q
        e, S = y[t] - H @ m, H @ P @ H.T + R
        K = xp.solve(S, H @ P).T
        L = L + (e @ xp.solve(S, e) + xp.logdet(S)) / 2
        m, P = m + K @ e, P - K @ H @ P
    return L


def make_kalman(d: int, o: int) -> list[Any]:
    F, H, m, y = numbers((d, d), (o, d), (d,), (FILTERED, o))
    return [F / (2 * d**0.5), H, m, y, definite(d), definite(d), definite(o)]


def kalman_gradient(F: Any, H: Any, m: Any, y: Any, Q: Any, P: Any, R: Any) -> list[Any]:
    """The adjoint of the filter: of the mean and of the covariance, from the last step to the first."""
    value, kept = 0.0, []
    for t in range(FILTERED):
        before = (m, P)
        m = np.dot(F, m)
        P = np.dot(np.dot(F, P), F.T)
        P += Q
        HP = np.dot(H, P)
        S = np.dot(HP, H.T)
        S += R
        inverse, logdet = inverse_logdet(S)
        e = y[t] - np.dot(H, m)
        w = np.dot(inverse, e)
        value += (np.dot(e, w) + logdet) / 2
        K = np.dot(HP.T, inverse)
        keep = np.dot(K, -H)
        keep.ravel()[:: len(m) + 1] += 1
        kept.append((*before, keep, np.dot(w, H), inverse))
        m = m + np.dot(K, e)
        P = np.dot(keep, P)
    by_F, by_m, by_P = np.zeros_like(F), np.zeros_like(m), np.zeros_like(P)
    for m, P, keep, w, inverse in reversed(kept):
        back = np.dot(by_m, keep)
        by_P = np.dot(np.dot(keep.T, by_P), keep)
        by_P += np.dot(0.5 * H.T, np.dot(inverse, H))
        by_P += np.multiply.outer(back - 0.5 * w, w)
        by_P = 0.5 * (by_P + by_P.T)
        back -= w
        FP = np.dot(by_P, F)
        by_F += np.multiply.outer(back, m)
        by_F += np.dot(FP, 2 * P)
        by_m, by_P = np.dot(back, F), np.dot(F.T, FP)
    return [value, by_F]


# ------------------------------------------------------------------ regressions


def classes() -> Any:
    X, W, y = ic.tensor("X", "n d"), ic.tensor("W", "d c"), ic.tensor("y", "n", integer=True)
    Z, i = X @ W, ic.index("i")
    return ic.hessian(ic.logsumexp(Z, axis=1).sum() - Z[i, y[i]].sum(i), W), (X, W, y)


def classes_loss(xp: Any, X: Any, W: Any, y: Any) -> Any:
    Z = X @ W
    return xp.logsumexp(Z).sum() - Z[xp.arange(len(Z)), y].sum()


def make_classes(n: int, d: int, c: int) -> list[Any]:
    X, W = numbers((n, d), (d, c))
    return [X, W / d**0.5, np.random.default_rng(0).integers(0, c, n)]


def classes_hessian(X: Any, W: Any, y: Any) -> Any:
    """`δ_cf X' diag(p_c) X - Z'Z` with `Z = X ⊗ p` by rows, added up over blocks of them."""
    (n, d), c = X.shape, W.shape[1]
    Z = np.dot(X, W)
    Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z /= np.dot(Z, np.ones(c))[:, None]
    made, roots = np.zeros((d * c, d * c)), np.sqrt(Z).T
    diagonal = einsum("dcec->cde", made.reshape(d, c, d, c))
    for rows in blocks(n, d * c, 2**17):
        each = einsum("nd,nc->ndc", X[rows], Z[rows]).reshape(-1, d * c)
        made -= np.dot(each.T, each)
        each = einsum("nd,cn->cnd", X[rows], roots[:, rows])
        diagonal += np.matmul(each.mT, each)
    return made.reshape(d, c, d, c)


def counts() -> Any:
    Y, U, V = ic.tensor("Y", "m n"), ic.tensor("U", "m k", positive=True), ic.tensor("V", "n k", positive=True)
    R = U @ V.T
    L = (R - Y * ic.log(R)).sum()
    return [L, ic.grad(L, U), ic.grad(L, V)], (Y, U, V)


def counts_loss(xp: Any, Y: Any, U: Any, V: Any) -> Any:
    R = U @ V.T
    return (R - Y * xp.log(R)).sum()


def make_counts(m: int, n: int, k: int) -> list[Any]:
    Y, U, V = numbers((m, n), (m, k), (n, k))
    return [np.floor(3 * np.abs(Y)), np.abs(U) + 0.1, np.abs(V) + 0.1]


def counts_gradients(Y: Any, U: Any, V: Any) -> list[Any]:
    by_U, by_V = np.empty_like(U), np.zeros_like(V)
    all_U, all_V = np.dot(np.ones(len(U)), U), np.dot(np.ones(len(V)), V)
    value = np.dot(all_U, all_V)
    for rows in blocks(*Y.shape):
        R = np.dot(U[rows], V.T)
        logs = np.log(R)
        value -= np.vdot(Y[rows], logs)
        np.divide(Y[rows], R, out=R)
        np.dot(R, V, out=by_U[rows])
        by_V += np.dot(R.T, U[rows])
    return [value, all_V - by_U, all_U - by_V]


def hazards() -> Any:
    X, w, seen = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("seen", "n")
    z = X @ w
    L = (seen * (ic.log(ic.cumsum(ic.exp(z), axis=0)) - z)).sum()
    return [L, ic.grad(L, w)], (X, w, seen)


def hazards_loss(xp: Any, X: Any, w: Any, seen: Any) -> Any:
    z = X @ w
    return (seen * (xp.log(xp.cumsum(xp.exp(z), 0)) - z)).sum()


def make_hazards(n: int, d: int) -> list[Any]:
    X, w, seen = numbers((n, d), (d,), (n,))
    return [X, w / d**0.5, (seen > 0).astype(float)]


def hazards_gradient(X: Any, w: Any, seen: Any) -> list[Any]:
    """Rows come from the last event to the first, so that those at risk are the rows before."""
    z = np.dot(X, w)
    risk = np.exp(z)
    total = np.cumsum(risk)
    value = np.dot(seen, np.log(total)) - np.dot(seen, z)
    np.divide(seen, total, out=total)
    risk *= np.cumsum(total[::-1])[::-1]
    risk -= seen
    return [value, np.dot(risk, X)]


def sources() -> Any:
    X, W = ic.tensor("X", "n d"), ic.tensor("W", "d d")
    Y = X @ W
    L = ic.log(ic.cosh(Y)).sum() - ic.ones("n").sum() * ic.logdet(W)
    return [L, ic.grad(L, W)], (X, W)


def sources_loss(xp: Any, X: Any, W: Any) -> Any:
    return xp.log(xp.cosh(X @ W)).sum() - len(X) * xp.logdet(W)


def make_sources(n: int, d: int) -> list[Any]:
    X, W = numbers((n, d), (d, d))
    return [X, np.eye(d) + 0.1 * W / d**0.5]


def sources_gradient(X: Any, W: Any) -> list[Any]:
    P, logdet = inverse_logdet(W)
    made, value = -len(X) * P.T, -len(X) * logdet
    for rows in blocks(*X.shape):
        y = np.dot(X[rows], W)
        value += np.log(np.cosh(y)).sum()
        made += np.dot(X[rows].T, np.tanh(y))
    return [value, made]


LIKELIHOODS = (
    Problem(
        "Gaussian mixture", ((200, 3, 5), (20_000, 8, 16)), mixture, make_mixture, mixture_gradients, mixture_loss,
        "value+gradient", (1, 2, 3), work=lambda n, d, k: 10 * n * d * k, loops="mixture_gradients",
    ),
    Problem(
        "hidden Markov chain, 50 steps", ((4,), (32,)), hidden, lambda k: numbers((k, k), (STEPS, k), (k,)),
        hidden_gradients, hidden_loss, "value+gradient", (0, 1), work=lambda k: 6 * STEPS * k * k,
    ),
    Problem(
        "Kalman filter, 20 steps", ((2, 1), (16, 8)), kalman, make_kalman, kalman_gradient, kalman_loss,
        "value+gradient", (0,), work=lambda d, o: 2 * FILTERED * (9 * d**3 + 4 * d * d * o + 3 * d * o * o),
    ),
    Problem(
        "softmax regression Hessian", ((100, 5, 3), (5000, 20, 10)), classes, make_classes, classes_hessian,
        classes_loss, "hessian", (1,), work=lambda n, d, c: n * (d * c) ** 2 + n * d * d * c + 2 * n * d * c,
    ),
    Problem(
        "Poisson factorisation", ((50, 40, 5), (2000, 1000, 10)), counts, make_counts, counts_gradients, counts_loss,
        "value+gradient", (1, 2), work=lambda m, n, k: 6 * m * n * k,
    ),
    Problem(
        "Cox partial likelihood", ((50, 5), (4000, 20)), hazards, make_hazards, hazards_gradient, hazards_loss,
        "value+gradient", (1,), work=lambda n, d: 4 * n * d,
    ),
    Problem(
        "independent components", ((200, 5), (20_000, 20)), sources, make_sources, sources_gradient, sources_loss,
        "value+gradient", (1,), work=lambda n, d: 4 * n * d * d,
    ),
)  # fmt: skip
