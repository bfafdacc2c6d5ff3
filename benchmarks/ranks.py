"""What has low rank or few factors: Tucker's form, sensing, subspaces, low rank plus diagonal, a ratio of two forms.

As in `problems.py`: an expression, the hand-written limit beside it, and a loss for JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import einsum, inverse_logdet
from problems import Problem, definite, numbers

import indexcalc as ic


def tucker() -> Any:
    T, g = ic.tensor("T", "n n n"), ic.tensor("g", "r r r")
    a, b, c = (ic.tensor(name, "n r") for name in "abc")
    L = ((T - ic.einsum("pqr,ip,jq,kr->ijk", g, a, b, c)) ** 2).sum()
    return [ic.grad(L, x) for x in (g, a, b, c)], (T, g, a, b, c)


def tucker_loss(xp: Any, T: Any, g: Any, a: Any, b: Any, c: Any) -> Any:
    return ((T - xp.einsum("pqr,ip,jq,kr->ijk", g, a, b, c)) ** 2).sum()


def make_tucker(n: int, r: int) -> list[Any]:
    T, g, a, b, c = numbers((n, n, n), (r, r, r), (n, r), (n, r), (n, r))
    return [T, g, a, b, c]


def tucker_gradients(T: Any, g: Any, a: Any, b: Any, c: Any) -> list[Any]:
    """T is read twice, times c and times a; the model is met in its factors' products alone.

    A small T is taken from the model.
    """
    n, r = a.shape
    if n < 20:
        B = np.matmul(b, np.dot(g, c.T)).reshape(r, n * n)
        R = np.dot(a, B)
        R -= T.reshape(n, -1)
        R *= 2
        aR = np.dot(a.T, R).reshape(r, n, n)
        aRb, aRc = np.matmul(b.T, aR), np.dot(aR, c)
        by_c = np.dot(aRb.reshape(-1, n).T, g.reshape(-1, r))
        return [np.matmul(b.T, aRc), np.dot(R, B.T), np.matmul(aRc, g.mT).sum(axis=0), by_c]
    aa, bb, cc = np.dot(a.T, a), np.dot(b.T, b), np.dot(c.T, c)
    Tc = np.dot(T.reshape(n * n, n), c).reshape(n, n, r)
    Tbc = np.matmul(b.T, Tc)
    Tac = np.dot(a.T, Tc.reshape(n, n * r)).reshape(r, n, r)
    Tab = np.matmul(b.T, np.dot(a.T, T.reshape(n, n * n)).reshape(r, n, n))
    gc = np.dot(g, cc)
    gbc = np.matmul(bb, gc)
    full = np.dot(aa, gbc.reshape(r, -1)).reshape(r, r, r)
    by_g = full - np.dot(a.T, Tbc.reshape(n, -1)).reshape(r, r, r)
    flat = g.reshape(r, -1)
    by_a = np.dot(a, np.dot(gbc.reshape(r, -1), flat.T)) - np.dot(Tbc.reshape(n, -1), flat.T)
    gac = np.dot(aa, gc.reshape(r, -1)).reshape(r, r, r)
    by_b = np.dot(b, einsum("pqr,psr->qs", gac, g)) - einsum("pjr,pqr->jq", Tac, g)
    gab = np.matmul(bb, np.dot(aa, flat).reshape(r, r, r))
    by_c = np.dot(c, np.dot(gab.reshape(-1, r).T, g.reshape(-1, r)))
    by_c -= np.dot(Tab.transpose(2, 0, 1).reshape(n, -1), g.reshape(-1, r))
    made = [by_g, by_a, by_b, by_c]
    for x in made:
        x *= 2
    return made


def sensing() -> Any:
    A, y, U, V = ic.tensor("A", "m n p"), ic.tensor("y", "m"), ic.tensor("U", "n r"), ic.tensor("V", "p r")
    L = ((ic.einsum("mij,ik,jk->m", A, U, V) - y) ** 2).sum()
    return [L, ic.grad(L, U), ic.grad(L, V)], (A, y, U, V)


def sensing_loss(xp: Any, A: Any, y: Any, U: Any, V: Any) -> Any:
    return ((xp.einsum("mij,ij->m", A, U @ V.T) - y) ** 2).sum()


def sensing_gradients(A: Any, y: Any, U: Any, V: Any) -> list[Any]:
    """Measurements are read twice, once for what they see, and once for what that changes."""
    m, n, p = A.shape
    flat = A.reshape(m, -1)
    e = np.dot(flat, np.dot(U, V.T).ravel())
    e -= y
    G = np.dot(2 * e, flat).reshape(n, p)
    return [np.dot(e, e), np.dot(G, V), np.dot(G.T, U)]


def subspace() -> Any:
    S, W = ic.tensor("S", "n n", symmetric=True), ic.tensor("W", "n k")
    L = ic.tr(ic.inv(W.T @ W) @ (W.T @ S @ W))
    return [L, ic.grad(L, W)], (S, W)


def subspace_loss(xp: Any, S: Any, W: Any) -> Any:
    return xp.trace(xp.solve(W.T @ W, W.T @ S @ W))


def subspace_gradient(S: Any, W: Any) -> list[Any]:
    SW, P = np.dot(S, W), np.linalg.inv(np.dot(W.T, W))
    M = np.dot(P, np.dot(W.T, SW))
    SW -= np.dot(W, M)
    return [M.trace(), np.dot(SW, 2 * P)]


def plus_diagonal() -> Any:
    s, U = ic.tensor("s", "n", positive=True), ic.tensor("U", "n r")
    L = ic.logdet(ic.diagm(s) + U @ U.T)
    return [L, ic.grad(L, s), ic.grad(L, U)], (s, U)


def plus_diagonal_loss(xp: Any, s: Any, U: Any) -> Any:
    return xp.logdet(xp.diag(s) + U @ U.T)


def make_plus_diagonal(n: int, r: int) -> list[Any]:
    s, U = numbers((n,), (n, r))
    return [np.abs(s) + 0.5, U]


def plus_diagonal_gradients(s: Any, U: Any) -> list[Any]:
    """Woodbury: all is made of `M = I + U' diag(1/s) U`; `inv(S) U = diag(1/s) U inv(M)`."""
    V = U / s[:, None]
    M = np.dot(U.T, V)
    M.ravel()[:: len(M) + 1] += 1
    P, logdet = inverse_logdet(M)
    by_U = np.dot(V, P)
    by_s = 1 / s
    by_s -= einsum("nr,nr->n", by_U, V)
    by_U *= 2
    return [logdet + np.log(s).sum(), by_s, by_U]


def factors() -> Any:
    s, U, y = ic.tensor("s", "n", positive=True), ic.tensor("U", "n r"), ic.tensor("y", "n")
    S = ic.diagm(s) + U @ U.T
    L = (y @ ic.inv(S) @ y + ic.logdet(S)) / 2
    return [L, ic.grad(L, s)], (s, U, y)


def factors_loss(xp: Any, s: Any, U: Any, y: Any) -> Any:
    S = xp.diag(s) + U @ U.T
    return (y @ xp.solve(S, y) + xp.logdet(S)) / 2


def factors_gradient(s: Any, U: Any, y: Any) -> list[Any]:
    logdet, by_s, half = plus_diagonal_gradients(s, U)
    alpha = (y - np.dot(U, np.dot(half.T, y) / 2)) / s
    by_s -= alpha * alpha
    by_s /= 2
    return [(np.dot(y, alpha) + logdet) / 2, by_s]


def ratio() -> Any:
    m, S, w = ic.tensor("m", "n"), ic.tensor("S", "n n", symmetric=True), ic.tensor("w", "n")
    L = (w @ m) / ic.sqrt(w @ S @ w)
    return [ic.grad(L, w), ic.hessian(L, w)], (m, S, w)


def ratio_loss(xp: Any, m: Any, S: Any, w: Any) -> Any:
    return (w @ m) / xp.sqrt(w @ S @ w)


def ratio_hessian(m: Any, S: Any, w: Any) -> list[Any]:
    """A multiple of S, and what has rank 2 as one product."""
    a = np.dot(S, w)
    q, r = np.dot(w, a), np.dot(w, m)
    left = np.array((m - (1.5 * r / q) * a, a)) * -(q**-1.5)
    H = np.dot(left.T, np.array((a, m - (1.5 * r / q) * a)))
    H -= S * (r * q**-1.5)
    return [m * q**-0.5 - a * (r * q**-1.5), H]


RANKS = (
    Problem(
        "Tucker gradients", ((10, 3), (100, 8)), tucker, make_tucker, tucker_gradients, tucker_loss, "gradient",
        (1, 2, 3, 4), work=lambda n, r: 4 * n**3 * r,
    ),
    Problem(
        "matrix sensing", ((50, 10, 8, 2), (500, 60, 50, 5)), sensing,
        lambda m, n, p, r: numbers((m, n, p), (m,), (n, r), (p, r)), sensing_gradients, sensing_loss,
        "value+gradient", (2, 3), work=lambda m, n, p, r: 4 * m * n * p,
    ),
    Problem(
        "trace ratio of a subspace", ((20, 2), (1000, 10)), subspace, lambda n, k: [definite(n), *numbers((n, k))],
        subspace_gradient, subspace_loss, "value+gradient", (1,), work=lambda n, k: 2 * n * n * k,
    ),
    Problem(
        "low rank plus diagonal", ((60, 4), (1000, 20)), plus_diagonal, make_plus_diagonal, plus_diagonal_gradients,
        plus_diagonal_loss, "value+gradient", (0, 1), work=lambda n, r: 4 * n * r * r,
    ),
    Problem(
        "factor model likelihood", ((60, 4), (1000, 20)), factors,
        lambda n, r: [*make_plus_diagonal(n, r), numbers((n,))[0]], factors_gradient, factors_loss,
        "value+gradient", (0,), work=lambda n, r: 4 * n * r * r,
    ),
    Problem(
        "Sharpe ratio gradient+Hessian", ((20,), (1000,)), ratio, lambda n: [numbers((n,))[0], definite(n), np.ones(n)],
        ratio_hessian, ratio_loss, "gradient+hessian", (2,), work=lambda n: 0,
    ),
)  # fmt: skip
