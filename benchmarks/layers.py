"""Layers of networks: norms, attention, losses of classes, a recurrent cell, a graph, a Laplacian.

As in `problems.py`: an expression, the hand-written limit beside it, and a loss for JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import blocks, einsum
from problems import Problem, numbers

import indexcalc as ic

SMALL, COLD = 1e-5, 0.1
"""What is added to a variance, and the temperature of a contrastive loss."""


# ------------------------------------------------------------------ norms


def norm(axis: int) -> Any:
    X, a, b, G = ic.tensor("X", "n d"), ic.tensor("a", "d"), ic.tensor("b", "d"), ic.tensor("G", "n d")
    spread = ic.sqrt(ic.var(X, axis=axis, keepdims=True) + SMALL)
    y = (X - ic.mean(X, axis=axis, keepdims=True)) / spread * a + b
    L = (G * y).sum()
    return [ic.grad(L, X), ic.grad(L, a), ic.grad(L, b)], (X, a, b, G)


def norm_loss(axis: int) -> Any:
    def loss(xp: Any, X: Any, a: Any, b: Any, G: Any) -> Any:
        e = X - X.mean(axis, keepdims=True)
        return (G * (e / xp.sqrt((e * e).mean(axis, keepdims=True) + SMALL) * a + b)).sum()

    return loss


def make_norm(n: int, d: int) -> list[Any]:
    return numbers((n, d), (d,), (d,), (n, d))


def layer_norm(X: Any, a: Any, b: Any, G: Any) -> list[Any]:
    n, d = X.shape
    made, by_a, by_b, mean = np.empty_like(X), np.zeros(d), np.zeros(d), np.full(d, 1 / d)
    for rows in blocks(n, d):
        g, e = G[rows], X[rows] - np.dot(X[rows], mean)[:, None]
        root = np.sqrt(einsum("nd,nd->n", e, e) / d + SMALL)
        e /= root[:, None]
        by_a += einsum("nd,nd->d", e, g)
        by_b += np.dot(np.ones(len(g)), g)
        h = g * a
        e *= (einsum("nd,nd->n", h, e) / d)[:, None]
        h -= e
        h -= np.dot(g, a / d)[:, None]
        np.divide(h, root[:, None], out=made[rows])
    return [made, by_a, by_b]


def batch_norm(X: Any, a: Any, b: Any, G: Any) -> list[Any]:
    n, d = X.shape
    mean = np.dot(np.full(n, 1 / n), X)
    squares, by_a, by_b, parts = np.zeros(d), np.zeros(d), np.dot(np.ones(n), G), blocks(n, d)
    for rows in parts:
        e = X[rows] - mean
        squares += einsum("nd,nd->d", e, e)
        by_a += einsum("nd,nd->d", e, G[rows])
    root = np.sqrt(squares / n + SMALL)
    by_a /= root
    scale, slope, shift = a / root, by_a / (n * root), by_b / n
    made = np.empty_like(X)
    for rows in parts:
        if len(parts) > 1:
            e = X[rows] - mean
        e *= slope
        e += shift
        np.subtract(G[rows], e, out=e)
        np.multiply(e, scale, out=made[rows])
    return [made, by_a, by_b]


def rms() -> Any:
    X, a, G = ic.tensor("X", "n d"), ic.tensor("a", "d"), ic.tensor("G", "n d")
    L = (G * (X / ic.sqrt(ic.mean(X**2, axis=1, keepdims=True) + SMALL) * a)).sum()
    return [ic.grad(L, X), ic.grad(L, a)], (X, a, G)


def rms_loss(xp: Any, X: Any, a: Any, G: Any) -> Any:
    return (G * (X / xp.sqrt((X * X).mean(1, keepdims=True) + SMALL) * a)).sum()


def rms_norm(X: Any, a: Any, G: Any) -> list[Any]:
    n, d = X.shape
    made, by_a = np.empty_like(X), np.zeros(d)
    for rows in blocks(n, d):
        x, g = X[rows], G[rows]
        root = np.sqrt(einsum("nd,nd->n", x, x) / d + SMALL)
        weighted = x / root[:, None]
        by_a += einsum("nd,nd->d", weighted, g)
        h = g * a
        weighted *= (einsum("nd,nd->n", h, weighted) / d)[:, None]
        h -= weighted
        np.divide(h, root[:, None], out=made[rows])
    return [made, by_a]


# ------------------------------------------------------------------ attention


def transformer() -> Any:
    X, G = ic.tensor("X", "t d"), ic.tensor("G", "t d")
    Q, K, V, O = (ic.tensor(name, "d d") for name in "QKVO")  # noqa: E741
    U, W = ic.tensor("U", "d h"), ic.tensor("W", "h d")
    x = X / ic.sqrt(ic.mean(X**2, axis=1, keepdims=True) + SMALL)
    y = X + ic.softmax((x @ Q) @ (x @ K).T, axis=1) @ (x @ V) @ O
    z = y / ic.sqrt(ic.mean(y**2, axis=1, keepdims=True) + SMALL)
    out = y + ic.gelu(z @ U) @ W
    L = (G * out).sum()
    return [out, *(ic.grad(L, A) for A in (Q, K, V, O, U, W))], (X, G, Q, K, V, O, U, W)


def transformer_value(xp: Any, X: Any, G: Any, Q: Any, K: Any, V: Any, O: Any, U: Any, W: Any) -> Any:  # noqa: E741
    x = X / xp.sqrt((X * X).mean(1, keepdims=True) + SMALL)
    y = X + xp.softmax((x @ Q) @ (x @ K).T) @ (x @ V) @ O
    z = y / xp.sqrt((y * y).mean(1, keepdims=True) + SMALL)
    out = y + xp.gelu(z @ U) @ W
    return (G * out).sum(), out


def make_transformer(t: int, d: int) -> list[Any]:
    X, G, *square, U, W = numbers((t, d), (t, d), *[(d, d)] * 4, (d, 4 * d), (4 * d, d))
    return [X, G, *(A / d**0.5 / 2 for A in square), U / d**0.5, W / d**0.5]


def normal(z: Any) -> tuple[Any, Any]:
    """The normal distribution at z, and its density."""
    from scipy.special import ndtr

    density = z * z
    density *= -0.5
    np.exp(density, out=density)
    density *= (2 * np.pi) ** -0.5
    return ndtr(z), density


def transformer_gradients(X: Any, G: Any, Q: Any, K: Any, V: Any, O: Any, U: Any, W: Any) -> list[Any]:  # noqa: E741
    d = X.shape[1]
    x = X / np.sqrt(einsum("td,td->t", X, X) / d + SMALL)[:, None]
    q, k, v = np.dot(x, Q), np.dot(x, K), np.dot(x, V)
    P = np.dot(q, k.T)
    P -= P.max(axis=1, keepdims=True)
    np.exp(P, out=P)
    P /= np.dot(P, np.ones(len(P)))[:, None]
    mixed = np.dot(P, v)
    y = np.dot(mixed, O)
    y += X
    root = np.sqrt(einsum("td,td->t", y, y) / d + SMALL)[:, None]
    z = y / root
    a = np.dot(z, U)
    below, density = normal(a)
    h = a * below
    out = np.dot(h, W)
    out += y
    density *= a
    density += below
    density *= np.dot(G, W.T)
    by_z = np.dot(density, U.T)
    by_y = z * (einsum("td,td->t", by_z, z) / -d)[:, None]
    by_y += by_z
    by_y /= root
    by_y += G
    by_mixed = np.dot(by_y, O.T)
    D = np.dot(by_mixed, v.T)
    D -= einsum("td,td->t", by_mixed, mixed)[:, None]
    D *= P
    by_q, by_k, by_v = np.dot(D, k), np.dot(D.T, q), np.dot(P.T, by_mixed)
    return [out, np.dot(x.T, by_q), np.dot(x.T, by_k), np.dot(x.T, by_v), np.dot(mixed.T, by_y),
            np.dot(z.T, density), np.dot(h.T, G)]  # fmt: skip


def heads() -> Any:
    Q, K, V, G = (ic.tensor(name, "b h t e") for name in "QKVG")
    M = ic.tensor("M", "t t")
    Z = ic.softmax(Q @ K.mT + M, axis=3) @ V
    L = (G * Z).sum()
    return [Z, *(ic.grad(L, A) for A in (Q, K, V))], (Q, K, V, G, M)


def heads_value(xp: Any, Q: Any, K: Any, V: Any, G: Any, M: Any) -> Any:
    Z = xp.softmax(Q @ K.mT + M) @ V
    return (G * Z).sum(), Z


def make_heads(b: int, h: int, t: int, e: int) -> list[Any]:
    Q, K, V, G = numbers(*[(b, h, t, e)] * 4)
    return [Q / e**0.5, K, V, G, np.triu(np.full((t, t), -1e9), 1)]


def heads_gradients(Q: Any, K: Any, V: Any, G: Any, M: Any) -> list[Any]:
    """As many heads at once as caches hold."""
    b, h, t, e = Q.shape
    Q, K, V, G = (x.reshape(b * h, t, e) for x in (Q, K, V, G))
    made = [np.empty_like(Q) for _ in range(4)]
    for some in blocks(b * h, t * t):
        q, k, v, g = Q[some], K[some], V[some], G[some]
        P = np.matmul(q, k.mT)
        P += M
        P -= P.max(axis=2, keepdims=True)
        np.exp(P, out=P)
        P /= np.matmul(P, np.ones((t, 1)))
        z = np.matmul(P, v, out=made[0][some])
        D = np.matmul(g, v.mT)
        D -= einsum("bte,bte->bt", g, z)[:, :, None]
        D *= P
        np.matmul(D, k, out=made[1][some])
        np.matmul(D.mT, q, out=made[2][some])
        np.matmul(P.mT, g, out=made[3][some])
    return [x.reshape(b, h, t, e) for x in made]


# ------------------------------------------------------------------ classes


def labels(layer: bool) -> Any:
    Z, y, i = ic.tensor("Z", "n c"), ic.tensor("y", "n", integer=True), ic.index("i")
    X, W = ic.tensor("X", "n d"), ic.tensor("W", "d c")
    z = X @ W if layer else Z
    L = ic.logsumexp(z, axis=1).sum() - z[i, y[i]].sum(i)
    return [L, ic.grad(L, W if layer else Z)], ((X, W, y) if layer else (Z, y))


def labels_loss(xp: Any, Z: Any, y: Any) -> Any:
    return xp.logsumexp(Z).sum() - Z[xp.arange(len(Z)), y].sum()


def make_labels(n: int, c: int) -> list[Any]:
    return [*numbers((n, c)), np.random.default_rng(0).integers(0, c, n)]


def make_classes(n: int, d: int, c: int) -> list[Any]:
    X, W = numbers((n, d), (d, c))
    return [X, W / d**0.5, np.random.default_rng(0).integers(0, c, n)]


def labels_gradient(Z: Any, y: Any) -> list[Any]:
    n, c = Z.shape
    made, loss, one = np.empty_like(Z), 0.0, np.ones(c)
    for rows in blocks(n, c):
        z, p, at = Z[rows], made[rows], np.arange(len(Z[rows]))
        top = z.max(axis=1)
        np.subtract(z, top[:, None], out=p)
        np.exp(p, out=p)
        total = np.dot(p, one)
        loss += np.log(total).sum() + top.sum() - z[at, y[rows]].sum()
        p /= total[:, None]
        p[at, y[rows]] -= 1
    return [loss, made]


def classes_gradient(X: Any, W: Any, y: Any) -> list[Any]:
    loss, D = labels_gradient(np.dot(X, W), y)
    return [loss, np.dot(X.T, D)]


def contrastive() -> Any:
    A, B = ic.tensor("A", "n d"), ic.tensor("B", "n d")
    a, b = (x / ic.norm2(x, axis=1, keepdims=True) for x in (A, B))
    S = a @ b.T / COLD
    L = ic.logsumexp(S, axis=1).sum() - ic.tr(S)
    return [L, ic.grad(L, A), ic.grad(L, B)], (A, B)


def contrastive_loss(xp: Any, A: Any, B: Any) -> Any:
    a, b = (x / xp.sqrt((x * x).sum(1, keepdims=True)) for x in (A, B))
    S = a @ b.T / COLD
    return xp.logsumexp(S).sum() - xp.trace(S)


def contrastive_gradients(A: Any, B: Any) -> list[Any]:
    n = len(A)
    ra, rb = (np.sqrt(einsum("nd,nd->n", x, x))[:, None] for x in (A, B))
    a, b = A / ra, B / rb
    P = np.dot(a / COLD, b.T)
    top = P.max(axis=1)
    loss = top.sum() - P.trace()
    P -= top[:, None]
    np.exp(P, out=P)
    total = np.dot(P, np.ones(n))
    loss += np.log(total).sum()
    P /= total[:, None]
    P.ravel()[:: n + 1] -= 1
    by_a, by_b = np.dot(P, b / COLD), np.dot(P.T, a / COLD)
    by_a -= a * einsum("nd,nd->n", a, by_a)[:, None]
    by_b -= b * einsum("nd,nd->n", b, by_b)[:, None]
    by_a /= ra
    by_b /= rb
    return [loss, by_a, by_b]


# ------------------------------------------------------------------ cells, graphs, fields


def cell() -> Any:
    X, H, G = ic.tensor("X", "n d"), ic.tensor("H", "n h"), ic.tensor("G", "n h")
    W, U = [ic.tensor(f"W{k}", "d h") for k in range(3)], [ic.tensor(f"U{k}", "h h") for k in range(3)]
    r, z = (ic.sigmoid(X @ W[k] + H @ U[k]) for k in range(2))
    L = (G * ((1 - z) * ic.tanh(X @ W[2] + (r * H) @ U[2]) + z * H)).sum()
    return [ic.grad(L, A) for A in (*W, *U)], (X, H, G, *W, *U)


def cell_loss(xp: Any, X: Any, H: Any, G: Any, A: Any, B: Any, C: Any, D: Any, E: Any, F: Any) -> Any:
    r, z = xp.sigmoid(X @ A + H @ D), xp.sigmoid(X @ B + H @ E)
    return (G * ((1 - z) * xp.tanh(X @ C + (r * H) @ F) + z * H)).sum()


def make_cell(n: int, d: int, h: int) -> list[Any]:
    X, H, G, *W = numbers((n, d), (n, h), (n, h), *[(d, h)] * 3, *[(h, h)] * 3)
    return [X, np.tanh(H), G, *(A / len(A) ** 0.5 for A in W)]


def cell_gradients(X: Any, H: Any, G: Any, A: Any, B: Any, C: Any, D: Any, E: Any, F: Any) -> list[Any]:
    r, z = np.dot(X, A), np.dot(X, B)
    r += np.dot(H, D)
    z += np.dot(H, E)
    for gate in (r, z):
        np.negative(gate, out=gate)
        np.exp(gate, out=gate)
        gate += 1
        np.reciprocal(gate, out=gate)
    kept = r * H
    m = np.dot(X, C)
    m += np.dot(kept, F)
    np.tanh(m, out=m)
    by_z = H - m
    by_z *= G
    rest = 1 - z
    by_z *= z
    by_z *= rest
    rest *= G
    m *= m
    m -= 1
    m *= rest
    by_m = np.negative(m, out=m)
    by_r = np.dot(by_m, F.T)
    by_r *= kept
    by_r *= 1 - r
    return [np.dot(X.T, by_r), np.dot(X.T, by_z), np.dot(X.T, by_m),
            np.dot(H.T, by_r), np.dot(H.T, by_z), np.dot(kept.T, by_m)]  # fmt: skip


def graph() -> Any:
    A, X, Y = ic.tensor("A", "n n"), ic.tensor("X", "n d"), ic.tensor("Y", "n c")
    U, W = ic.tensor("U", "d h"), ic.tensor("W", "h c")
    z = A @ ic.relu(A @ X @ U) @ W
    L = (ic.logsumexp(z, axis=1)).sum() - (Y * z).sum()
    return [L, ic.grad(L, U), ic.grad(L, W)], (A, X, Y, U, W)


def graph_loss(xp: Any, A: Any, X: Any, Y: Any, U: Any, W: Any) -> Any:
    z = A @ (xp.relu(A @ (X @ U)) @ W)
    return xp.logsumexp(z).sum() - (Y * z).sum()


def make_graph(n: int, d: int, h: int, c: int) -> list[Any]:
    A, X, y, U, W = numbers((n, n), (n, d), (n, c), (d, h), (h, c))
    near = np.abs(A)
    return [near / near.sum(1, keepdims=True), X, np.eye(c)[y.argmax(1)], U, W]


def graph_gradients(A: Any, X: Any, Y: Any, U: Any, W: Any) -> list[Any]:
    near = np.dot(A, X)
    a = np.dot(near, U)
    h = np.maximum(a, 0)
    z = np.dot(A, np.dot(h, W))
    top = z.max(axis=1)
    loss = top.sum() - np.vdot(Y, z)
    z -= top[:, None]
    np.exp(z, out=z)
    total = np.dot(z, np.ones(z.shape[1]))
    loss += np.log(total).sum()
    z /= total[:, None]
    z -= Y
    back = np.dot(A.T, z)
    by_a = np.dot(back, W.T)
    by_a *= a > 0
    return [loss, np.dot(near.T, by_a), np.dot(h.T, back)]


def laplacian() -> Any:
    X, U, a = ic.tensor("X", "N d"), ic.tensor("U", "d h"), ic.tensor("a", "h")
    W, b, v = ic.tensor("W", "h h"), ic.tensor("b", "h"), ic.tensor("v", "h")
    n, i = ic.index("n", batch=True), ic.index("i")
    u = (ic.tanh(ic.tanh(X @ U + a) @ W + b) @ v)[n]
    return u.diff(X[n, i]).diff(X[n, i]), (X, U, a, W, b, v)


def laplacian_loss(xp: Any, x: Any, U: Any, a: Any, W: Any, b: Any, v: Any) -> Any:
    return xp.tanh(xp.tanh(x @ U + a) @ W + b) @ v


def make_laplacian(n: int, d: int, h: int) -> list[Any]:
    X, U, a, W, b, v = numbers((n, d), (d, h), (h,), (h, h), (h,), (h,))
    return [X, U / d**0.5, a, W / h**0.5, b, v / h**0.5]


def laplacian_forward(X: Any, U: Any, a: Any, W: Any, b: Any, v: Any) -> Any:
    """The value, its slopes and its Laplacian go forward together, some points at a time."""
    (n, d), h = X.shape, len(W)
    squares, made = einsum("dh,dh->h", U, U), np.empty(n)
    for rows in blocks(n, d * h):
        y = np.tanh(np.dot(X[rows], U) + a)
        slope = 1 - y * y
        lap = np.dot(-2 * y * slope * squares, W)
        J = np.dot((slope[:, None, :] * U).reshape(-1, h), W).reshape(-1, d, h)
        y = np.tanh(np.dot(y, W) + b)
        slope = 1 - y * y
        lap -= 2 * y * einsum("ndh,ndh->nh", J, J)
        lap *= slope
        made[rows] = np.dot(lap, v)
    return made


LAYERS = (
    Problem(
        "layer norm gradients", ((64, 64), (8192, 768)), lambda: norm(1), make_norm, layer_norm, norm_loss(1),
        "gradient", (0, 1, 2), work=lambda n, d: 0, loops="layer_norm",
    ),
    Problem(
        "batch norm gradients", ((64, 64), (8192, 768)), lambda: norm(0), make_norm, batch_norm, norm_loss(0),
        "gradient", (0, 1, 2), work=lambda n, d: 0, loops="batch_norm",
    ),
    Problem(
        "RMS norm gradients", ((64, 64), (8192, 768)), rms, lambda n, d: numbers((n, d), (d,), (n, d)), rms_norm,
        rms_loss, "gradient", (0, 1), work=lambda n, d: 0, loops="rms_norm",
    ),
    Problem(
        "transformer block", ((32, 16), (256, 128)), transformer, make_transformer, transformer_gradients,
        transformer_value, "gradient with value", (2, 3, 4, 5, 6, 7),
        work=lambda t, d: 2 * t * d * (6 * t + 33 * d),
    ),
    Problem(
        "causal attention heads", ((1, 2, 16, 8), (2, 4, 256, 32)), heads, make_heads, heads_gradients, heads_value,
        "gradient with value", (0, 1, 2), work=lambda b, h, t, e: 12 * b * h * t * t * e,
    ),
    Problem(
        "cross entropy by labels", ((64, 10), (8192, 512)), lambda: labels(False), make_labels, labels_gradient,
        labels_loss, "value+gradient", (0,), work=lambda n, c: 0, loops="labels_gradient",
    ),
    Problem(
        "cross entropy layer", ((64, 16, 10), (8192, 128, 100)), lambda: labels(True), make_classes, classes_gradient,
        lambda xp, X, W, y: labels_loss(xp, X @ W, y), "value+gradient", (1,), work=lambda n, d, c: 4 * n * d * c,
    ),
    Problem(
        "contrastive loss", ((32, 16), (1000, 128)), contrastive, lambda n, d: numbers((n, d), (n, d)),
        contrastive_gradients, contrastive_loss, "value+gradient", (0, 1), work=lambda n, d: 6 * n * n * d,
    ),
    Problem(
        "gated recurrent cell", ((16, 8, 8), (1024, 128, 128)), cell, make_cell, cell_gradients, cell_loss,
        "gradient", (3, 4, 5, 6, 7, 8), work=lambda n, d, h: 12 * n * d * h + 14 * n * h * h,
    ),
    Problem(
        "graph convolution", ((30, 8, 8, 4), (2000, 64, 32, 10)), graph, make_graph, graph_gradients, graph_loss,
        "value+gradient", (3, 4), work=lambda n, d, h, c: 2 * n * n * (min(d, h) + 2 * c) + 4 * n * h * (d + c),
    ),
    Problem(
        "Laplacian of a network", ((20, 3, 16), (2000, 8, 64)), laplacian, make_laplacian, laplacian_forward,
        laplacian_loss, "laplacian", (0,), batch=True, work=lambda n, d, h: 2 * n * h * h * (d + 2) + 2 * n * d * h,
    ),
)  # fmt: skip
