"""All pairs: kernels, forces between particles, transport, alignments.

As in `problems.py`: an expression, the hand-written limit beside it, and a loss for JAX and PyTorch. By hand too the
differences are squared and never multiplied out: what is near far from the origin would lose its digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import blocks, einsum
from problems import Problem, numbers

import indexcalc as ic

NOISE, ROUNDS, LENGTH, FEW = 0.1, 20, 8, 60
"""What a process adds to its diagonal, rounds of scaling rows and columns, the length of an aligned series, and how
many points are met in pairs all at once: of more the pairs are made block by block, one coordinate after the other."""


# ------------------------------------------------------------------ kernels


def kernel() -> Any:
    X, s = ic.tensor("X", "n d"), ic.tensor("s", "d")
    apart = ((X[:, None] - X) * ic.exp(-s)) ** 2
    return ic.exp(-apart.sum(axis=2) / 2), X, s


def ard() -> Any:
    K, X, s = kernel()
    G = ic.tensor("G", "n n")
    L = (G * K).sum()
    return [L, ic.grad(L, X), ic.grad(L, s)], (X, s, G)


def ard_loss(xp: Any, X: Any, s: Any, G: Any) -> Any:
    apart = ((X[:, None] - X) * xp.exp(-s)) ** 2
    return (G * xp.exp(-apart.sum(2) / 2)).sum()


def ard_gradients(X: Any, s: Any, G: Any) -> list[Any]:
    """The kernel is symmetric: beyond a few points half of the pairs are made, and both weights of each added."""
    (n, d), tight = X.shape, np.exp(-s)
    if n < FEW:
        E = (X[:, None] - X) * tight
        F = E * E
        M = np.dot(F, np.full(d, -0.5))
        np.exp(M, out=M)
        M *= G
        by_s = np.dot(M.ravel(), F.reshape(-1, d))
        M += M.T
        return [np.vdot(M, np.ones_like(M)) / 2, einsum("ij,ijk->ik", M, E) * -tight, by_s]
    x = np.ascontiguousarray((X * tight).T)
    value, by_x, by_s = 0.0, np.zeros((d, n)), np.zeros(d)
    for rows in blocks(n, n, 2**14):
        rest = slice(rows.start, n)
        E = [x[k, rows, None] - x[k, rest] for k in range(d)]
        M = E[0] * E[0]
        scratch = np.empty_like(M)
        for e in E[1:]:
            M += np.multiply(e, e, out=scratch)
        M *= -0.5
        np.exp(M, out=M)
        np.add(G[rows, rest], G[rest, rows].T, out=scratch)
        scratch[:, : len(M)] *= 0.5
        M *= scratch
        value += M.sum()
        for k, e in enumerate(E):
            np.multiply(M, e, out=scratch)
            by_s[k] += np.vdot(scratch, e)
            by_x[k, rows] -= scratch.sum(axis=1)
            by_x[k, rest] += np.dot(np.ones(len(e)), scratch)
    return [value, (by_x * tight[:, None]).T, by_s]


def process() -> Any:
    K, X, s = kernel()
    y = ic.tensor("y", "n")
    A = K + NOISE * ic.eye("n")
    L = (y @ ic.inv(A) @ y + ic.logdet(A)) / 2
    return [L, ic.grad(L, s)], (X, s, y)


def process_loss(xp: Any, X: Any, s: Any, y: Any) -> Any:
    apart = ((X[:, None] - X) * xp.exp(-s)) ** 2
    A = xp.exp(-apart.sum(2) / 2) + NOISE * xp.eye(len(X), dtype=X.dtype)
    return (y @ xp.solve(A, y) + xp.logdet(A)) / 2


def process_gradient(X: Any, s: Any, y: Any) -> list[Any]:
    """One factorisation gives the inverse and the determinant."""
    from scipy.linalg.lapack import dpotrf, dpotri

    (n, d), tight = X.shape, np.exp(-s)
    x = np.ascontiguousarray((X * tight).T)
    K, apart, scratch = np.zeros((n, n)), np.empty((d, n, n)), np.empty((n, n))
    for k in range(d):
        np.subtract(x[k, :, None], x[k], out=apart[k])
        apart[k] *= apart[k]
        K += apart[k]
    K *= -0.5
    np.exp(K, out=K)
    scratch[...] = K
    scratch.ravel()[:: n + 1] += NOISE
    factor, _ = dpotrf(scratch.T, lower=1, overwrite_a=1)
    value = np.log(factor.diagonal()).sum()
    P = np.tril(dpotri(factor, lower=1, overwrite_c=1)[0], -1)
    diagonal = factor.diagonal()
    P += P.T
    P.ravel()[:: n + 1] = diagonal
    alpha = np.dot(P, y)
    P -= np.multiply.outer(alpha, alpha)
    P *= K
    return [value + np.dot(y, alpha) / 2, np.dot(apart.reshape(d, -1), P.ravel()) / 2]


# ------------------------------------------------------------------ forces


def apart() -> Any:
    X, (i, j, k) = ic.tensor("X", "n 3"), ic.indices("i j k")
    one = ic.ones("n")
    return X, i, j, ((X[i, k] * one[j] - X[j, k] * one[i]) ** 2).sum(k)


def coulomb() -> Any:
    X, i, j, squares = apart()
    q = ic.tensor("q", "n")
    energy = ic.hadamard(q[i] * q[j], 1 / ic.sqrt(squares)).sum(i, j, where="i<j")
    return [energy, -ic.grad(energy, X)], (X, q)


def coulomb_loss(xp: Any, X: Any, q: Any) -> Any:
    e = X[:, None] - X
    squares = (e * e).sum(-1) + xp.eye(len(X), dtype=X.dtype)
    return ((q[:, None] * q / xp.sqrt(squares)).sum() - (q * q).sum()) / 2


def lennard_jones() -> Any:
    X, i, j, squares = apart()
    energy = (4 * squares**-6 - 4 * squares**-3).sum(i, j, where="i<j")
    return [energy, -ic.grad(energy, X)], (X,)


def lennard_jones_loss(xp: Any, X: Any) -> Any:
    e = X[:, None] - X
    cubes = ((e * e).sum(-1) + xp.eye(len(X), dtype=X.dtype)) ** -3
    return 2 * ((cubes * cubes - cubes) * (1 - xp.eye(len(X), dtype=X.dtype))).sum()


def forces(X: Any, pull: Any) -> list[Any]:
    """The energy and the forces; `pull` makes those of a block from squares, and writes what multiplies differences.

    Of the triangle the rectangle is made that has it; a square below the diagonal is made infinite.
    """
    n = len(X)
    if n < FEW:
        E = X[:, None] - X
        M = einsum("ijk,ijk->ij", E, E)
        M.ravel()[:: n + 1] = np.inf
        return [pull(M, np.empty_like(M), slice(0, n)) / 2, einsum("ij,ijk->ik", M, E)]
    x = np.ascontiguousarray(X.T)
    value, made = 0.0, np.zeros((3, n))
    for rows in blocks(n, n, 2**14):
        E = [x[k, rows, None] - x[k, rows.start :] for k in range(3)]
        M = E[0] * E[0]
        scratch = np.empty_like(M)
        for e in E[1:]:
            M += np.multiply(e, e, out=scratch)
        M[:, : len(M)][np.tri(len(M), dtype=bool)] = np.inf
        value += pull(M, scratch, rows)
        for k, e in enumerate(E):
            np.multiply(M, e, out=scratch)
            made[k, rows] += scratch.sum(axis=1)
            made[k, rows.start :] -= np.dot(np.ones(len(e)), scratch)
    return [value, made.T]


def coulomb_forces(X: Any, q: Any) -> list[Any]:
    def pull(M: Any, scratch: Any, rows: slice) -> Any:
        np.reciprocal(M, out=M)
        np.sqrt(M, out=scratch)
        scratch *= q[rows, None]
        scratch *= q[rows.start :]
        M *= scratch
        return scratch.sum()

    return forces(X, pull)


def lennard_jones_forces(X: Any) -> list[Any]:
    def pull(M: Any, scratch: Any, rows: slice) -> Any:
        np.reciprocal(M, out=M)
        cubes = M * M
        cubes *= M
        np.multiply(cubes, 48, out=scratch)
        scratch -= 24
        scratch *= cubes
        M *= scratch
        return 4 * (np.vdot(cubes, cubes) - cubes.sum())

    return forces(X, pull)


def spread(n: int) -> Any:
    """Points of a cube, none near another."""
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3), -1).reshape(-1, 3)[:n]
    return 1.2 * grid + 0.05 * numbers((n, 3))[0]


def embedded() -> Any:
    Y, P = ic.tensor("Y", "n 2"), ic.tensor("P", "n n")
    W = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(axis=2))
    L = ic.log(W.sum() - ic.ones("n").sum()) - (P * ic.log(W)).sum()
    return [L, ic.grad(L, Y)], (Y, P)


def embedded_loss(xp: Any, Y: Any, P: Any) -> Any:
    W = 1 / (1 + ((Y[:, None] - Y) ** 2).sum(2))
    return xp.log(W.sum() - len(Y)) - (P * xp.log(W)).sum()


def make_embedded(n: int) -> list[Any]:
    Y, P = numbers((n, 2), (n, n))
    P = np.abs(P + P.T)
    np.fill_diagonal(P, 0)
    return [Y, P / P.sum()]


def embedded_gradient(Y: Any, P: Any) -> list[Any]:
    """Two sums over pairs, one of which is divided by the sum of all weights at the end; P is not used as symmetric."""
    n = len(Y)
    if n < FEW:
        E = Y[:, None] - Y
        W = einsum("ijk,ijk->ij", E, E)
        W += 1
        value = np.vdot(P, np.log(W))
        np.reciprocal(W, out=W)
        total = W.sum() - n
        M = P + P.T
        M -= W * (2 / total)
        M *= W
        return [np.log(total) + value, 2 * einsum("ij,ijk->ik", M, E)]
    y = np.ascontiguousarray(Y.T)
    total, value, near, far = 0.0, 0.0, np.zeros((2, n)), np.empty((2, n))
    for rows in blocks(n, n, 2**14):
        E = [y[k, rows, None] - y[k] for k in range(2)]
        W = E[0] * E[0]
        scratch = E[1] * E[1]
        W += scratch
        W += 1
        value += np.vdot(P[rows], np.log(W))
        np.reciprocal(W, out=W)
        total += W.sum()
        M = W * P[rows]
        W *= W
        for k, e in enumerate(E):
            np.multiply(M, e, out=scratch)
            near[k, rows] += scratch.sum(axis=1)
            near[k] -= np.dot(np.ones(len(e)), scratch)
            far[k, rows] = einsum("ij,ij->i", W, e)
    total -= n
    return [np.log(total) + value, (2 * near - (4 / total) * far).T]


# ------------------------------------------------------------------ transport, alignment


def sinkhorn() -> Any:
    C, a, b = ic.tensor("C", "n n"), ic.tensor("a", "n"), ic.tensor("b", "n")
    K, u, v = ic.exp(-C), ic.ones("n"), ic.ones("n")
    for _ in range(ROUNDS):
        u = a / (K @ v)
        v = b / (u @ K)
    L = u @ (K * C) @ v
    return [L, ic.grad(L, C)], (C, a, b)


def sinkhorn_loss(xp: Any, C: Any, a: Any, b: Any) -> Any:
    K, v = xp.exp(-C), xp.ones_like(b)
    for _ in range(ROUNDS):
        u = a / (K @ v)
        v = b / (u @ K)
    return u @ (K * C) @ v


def make_sinkhorn(n: int) -> list[Any]:
    C, a, b = numbers((n, n), (n,), (n,))
    a, b = np.abs(a) + 0.1, np.abs(b) + 0.1
    return [np.abs(C), a / a.sum(), b / b.sum()]


def sinkhorn_gradient(C: Any, a: Any, b: Any) -> list[Any]:
    """The rounds backwards; what each adds to the kernel's slope is an outer product, and all are one product."""
    n = len(a)
    K = np.exp(-C)
    U, V = np.empty((ROUNDS, n)), np.ones((ROUNDS + 1, n))
    for t in range(ROUNDS):
        np.divide(a, np.dot(K, V[t]), out=U[t])
        np.divide(b, np.dot(U[t], K), out=V[t + 1])
    u, v = U[-1], V[-1]
    KC = K * C
    by_u, by_v = np.dot(KC, v), np.dot(u, KC)
    value = np.dot(u, by_u)
    by_row, by_column = np.empty((ROUNDS, n)), np.empty((ROUNDS, n))
    for t in range(ROUNDS - 1, -1, -1):
        np.multiply(by_v, V[t + 1], out=by_column[t])
        by_column[t] *= V[t + 1]
        by_column[t] /= b
        by_u = (by_u if t == ROUNDS - 1 else 0) - np.dot(K, by_column[t])
        np.multiply(by_u, U[t], out=by_row[t])
        by_row[t] *= U[t]
        by_row[t] /= a
        by_v = -np.dot(by_row[t], K)
    slope = np.dot(np.vstack((by_row, U)).T, np.vstack((V[:-1], by_column)))
    slope += u[:, None] * v * (1 - C)
    slope *= K
    return [value, slope]


def alignment() -> Any:
    x, y = ic.tensor("x", "n", LENGTH), ic.tensor("y", "n", LENGTH)
    D = {(i, j): (x[:, i] - y[:, j]) ** 2 for i in range(LENGTH) for j in range(LENGTH)}
    R: dict[tuple[int, int], Any] = {}
    for i, j in D:
        before = [R[at] for at in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if at in R]
        R[i, j] = D[i, j]
        if len(before) == 1:
            R[i, j] = R[i, j] + before[0]
        elif before:
            R[i, j] = R[i, j] - ic.logsumexp(ic.stack([-r for r in before], axis=0), axis=0)
    L = R[LENGTH - 1, LENGTH - 1].sum()
    return [L, ic.grad(L, x)], (x, y)


def alignment_loss(xp: Any, x: Any, y: Any) -> Any:
    R: dict[tuple[int, int], Any] = {}
    for i in range(LENGTH):
        for j in range(LENGTH):
            before = [R[at] for at in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if at in R]
            R[i, j] = (x[:, i] - y[:, j]) ** 2
            if before:
                R[i, j] = R[i, j] - xp.logsumexp(xp.stack([-r for r in before]), 0)
    return R[LENGTH - 1, LENGTH - 1].sum()


def alignment_gradient(x: Any, y: Any) -> list[Any]:
    """Samples last; weights of the three ways into a cell are kept, and taken backwards."""
    n, m = len(x), LENGTH
    e = x.T[:, None] - y.T
    R = np.full((m + 1, m + 1, n), np.inf)
    W = np.empty((m, m, 3, n))
    for i in range(m):
        for j in range(m):
            R[i + 1, j + 1] = e[i, j] * e[i, j]
            if i or j:
                w = W[i, j]
                w[0], w[1], w[2] = R[i, j + 1], R[i + 1, j], R[i, j]
                low = w.min(axis=0)
                np.subtract(low, w, out=w)
                np.exp(w, out=w)
                total = w.sum(axis=0)
                w /= total
                low -= np.log(total)
                R[i + 1, j + 1] += low
    E = np.zeros((m + 1, m + 1, n))
    E[m - 1, m - 1] = 1
    for i in range(m - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            if i or j:
                E[i - 1, j] += E[i, j] * W[i, j, 0]
                E[i, j - 1] += E[i, j] * W[i, j, 1]
                E[i - 1, j - 1] += E[i, j] * W[i, j, 2]
    return [R[m, m].sum(), 2 * einsum("ijn,ijn->ni", E[:m, :m], e)]


PAIRS = (
    Problem(
        "ARD kernel", ((30, 3), (1000, 8)), ard, lambda n, d: numbers((n, d), (d,), (n, n)), ard_gradients, ard_loss,
        "value+gradient", (0, 1), work=lambda n, d: 4 * n * n * d, loops="ard_gradients",
    ),
    Problem(
        "Gaussian process, ARD", ((20, 2), (400, 4)), process, lambda n, d: numbers((n, d), (d,), (n,)),
        process_gradient, process_loss, "value+gradient", (1,), work=lambda n, d: n**3,
    ),
    Problem(
        "Coulomb forces", ((20,), (1000,)), coulomb, lambda n: [spread(n), numbers((n,))[0]], coulomb_forces,
        coulomb_loss, "value-gradient", (0,), work=lambda n: 11 * n * n, loops="coulomb_forces",
    ),
    Problem(
        "Lennard-Jones forces", ((20,), (1000,)), lennard_jones, lambda n: [spread(n)], lennard_jones_forces,
        lennard_jones_loss, "value-gradient", (0,), work=lambda n: 12 * n * n, loops="lennard_jones_forces",
    ),
    Problem(
        "neighbour embedding", ((30,), (1000,)), embedded, make_embedded, embedded_gradient, embedded_loss,
        "value+gradient", (0,), work=lambda n: 22 * n * n, loops="embedded_gradient",
    ),
    Problem(
        "Sinkhorn, 20 rounds", ((10,), (300,)), sinkhorn, make_sinkhorn, sinkhorn_gradient, sinkhorn_loss,
        "value+gradient", (0,), work=lambda n: 12 * ROUNDS * n * n,
    ),
    Problem(
        "soft alignment, 8 by 8", ((1,), (2000,)), alignment, lambda n: numbers((n, LENGTH), (n, LENGTH)),
        alignment_gradient, alignment_loss, "value+gradient", (0,), work=lambda n: 20 * n * LENGTH**2,
        loops="alignment_gradient",
    ),
)  # fmt: skip
