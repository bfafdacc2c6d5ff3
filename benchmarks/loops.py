"""What memory binds, as loops that numba compiles: each entry is met once, while it is near.

Needs numba, which nothing else here does; `speed.py` leaves this column out where it is not installed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from layers import SMALL
from mechanics import BULK, LAME, SHEAR
from numba import njit

compiled = njit(fastmath=True)


# ------------------------------------------------------------------ layers


@compiled
def layer_norm(X: Any, a: Any, b: Any, G: Any) -> Any:
    n, d = X.shape
    made, by_a, by_b = np.empty_like(X), np.zeros(d), np.zeros(d)
    for i in range(n):
        x, g = X[i], G[i]
        mean = x.sum() / d
        squares = first = second = 0.0
        for k in range(d):
            e = x[k] - mean
            squares += e * e
            first += g[k] * a[k]
            second += g[k] * a[k] * e
        r = 1 / math.sqrt(squares / d + SMALL)
        first /= d
        second *= r * r / d
        for k in range(d):
            e = x[k] - mean
            by_a[k] += e * r * g[k]
            by_b[k] += g[k]
            made[i, k] = (g[k] * a[k] - first - e * second) * r
    return made, by_a, by_b


@compiled
def batch_norm(X: Any, a: Any, b: Any, G: Any) -> Any:
    n, d = X.shape
    made, mean, squares, by_a, by_b = np.empty_like(X), np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d)
    for i in range(n):
        for k in range(d):
            mean[k] += X[i, k]
            by_b[k] += G[i, k]
    mean /= n
    for i in range(n):
        for k in range(d):
            e = X[i, k] - mean[k]
            squares[k] += e * e
            by_a[k] += e * G[i, k]
    r = 1 / np.sqrt(squares / n + SMALL)
    by_a *= r
    scale, slope, shift = a * r, by_a * r / n, by_b / n
    for i in range(n):
        for k in range(d):
            made[i, k] = scale[k] * (G[i, k] - shift[k] - (X[i, k] - mean[k]) * slope[k])
    return made, by_a, by_b


@compiled
def rms_norm(X: Any, a: Any, G: Any) -> Any:
    n, d = X.shape
    made, by_a = np.empty_like(X), np.zeros(d)
    for i in range(n):
        x, g = X[i], G[i]
        squares = second = 0.0
        for k in range(d):
            squares += x[k] * x[k]
            second += g[k] * a[k] * x[k]
        r = 1 / math.sqrt(squares / d + SMALL)
        second *= r * r / d
        for k in range(d):
            by_a[k] += x[k] * r * g[k]
            made[i, k] = (g[k] * a[k] - x[k] * second) * r
    return made, by_a


@compiled
def labels_gradient(Z: Any, y: Any) -> Any:
    n, c = Z.shape
    made, loss = np.empty_like(Z), 0.0
    for i in range(n):
        top = Z[i].max()
        total = 0.0
        for k in range(c):
            made[i, k] = math.exp(Z[i, k] - top)
            total += made[i, k]
        loss += math.log(total) + top - Z[i, y[i]]
        for k in range(c):
            made[i, k] /= total
        made[i, y[i]] -= 1
    return loss, made


# ------------------------------------------------------------------ pairs and mixtures


@compiled
def mixture_gradients(X: Any, m: Any, s: Any, w: Any) -> Any:
    (n, d), k = X.shape, len(m)
    tight, by_m, by_s, by_w = np.exp(-2 * s), np.zeros_like(m), np.zeros_like(s), np.zeros(k)
    shift, z, value = w - s.sum(axis=1), np.empty(k), 0.0
    for i in range(n):
        for c in range(k):
            z[c] = shift[c]
            for j in range(d):
                e = X[i, j] - m[c, j]
                z[c] -= 0.5 * e * e * tight[c, j]
        top, total = z.max(), 0.0
        for c in range(k):
            z[c] = math.exp(z[c] - top)
            total += z[c]
        value += top + math.log(total)
        for c in range(k):
            p = z[c] / total
            by_w[c] += p
            for j in range(d):
                e = X[i, j] - m[c, j]
                by_m[c, j] += p * e
                by_s[c, j] += p * e * e
    by_m *= tight
    by_s *= tight
    for c in range(k):
        by_s[c] -= by_w[c]
    return value, by_m, by_s, by_w


@compiled
def ard_gradients(X: Any, s: Any, G: Any) -> Any:
    (n, d), tight = X.shape, np.exp(-s)
    x, value, by_x, by_s = X * tight, 0.0, np.zeros_like(X), np.zeros(d)
    for i in range(n):
        for j in range(n):
            squares = 0.0
            for k in range(d):
                e = x[i, k] - x[j, k]
                squares += e * e
            pull = G[i, j] * math.exp(-0.5 * squares)
            value += pull
            for k in range(d):
                e = x[i, k] - x[j, k]
                by_x[i, k] -= pull * e
                by_x[j, k] += pull * e
                by_s[k] += pull * e * e
    return value, by_x * tight, by_s


@compiled
def coulomb_forces(X: Any, q: Any) -> Any:
    n, value, made = len(X), 0.0, np.zeros_like(X)
    for i in range(n):
        a = b = c = 0.0
        for j in range(i + 1, n):
            x, y, z = X[i, 0] - X[j, 0], X[i, 1] - X[j, 1], X[i, 2] - X[j, 2]
            r = 1 / math.sqrt(x * x + y * y + z * z)
            energy = q[i] * q[j] * r
            value += energy
            pull = energy * r * r
            a += pull * x
            b += pull * y
            c += pull * z
            made[j, 0] -= pull * x
            made[j, 1] -= pull * y
            made[j, 2] -= pull * z
        made[i, 0] += a
        made[i, 1] += b
        made[i, 2] += c
    return value, made


@compiled
def lennard_jones_forces(X: Any) -> Any:
    n, value, made = len(X), 0.0, np.zeros_like(X)
    for i in range(n):
        a = b = c = 0.0
        for j in range(i + 1, n):
            x, y, z = X[i, 0] - X[j, 0], X[i, 1] - X[j, 1], X[i, 2] - X[j, 2]
            near = 1 / (x * x + y * y + z * z)
            cube = near * near * near
            value += 4 * (cube - 1) * cube
            pull = (48 * cube - 24) * cube * near
            a += pull * x
            b += pull * y
            c += pull * z
            made[j, 0] -= pull * x
            made[j, 1] -= pull * y
            made[j, 2] -= pull * z
        made[i, 0] += a
        made[i, 1] += b
        made[i, 2] += c
    return value, made


@compiled
def embedded_gradient(Y: Any, P: Any) -> Any:
    n, value, total = len(Y), 0.0, 0.0
    near, far = np.zeros_like(Y), np.zeros_like(Y)
    for i in range(n):
        a = b = c = d = 0.0
        for j in range(n):
            x, y = Y[i, 0] - Y[j, 0], Y[i, 1] - Y[j, 1]
            apart = 1 + x * x + y * y
            w = 1 / apart
            value += P[i, j] * math.log(apart)
            total += w
            pull, push = P[i, j] * w, w * w
            a += pull * x
            b += pull * y
            c += push * x
            d += push * y
            near[j, 0] -= pull * x
            near[j, 1] -= pull * y
        near[i, 0] += a
        near[i, 1] += b
        far[i, 0] = c
        far[i, 1] = d
    total -= n
    return math.log(total) + value, 2 * near - (4 / total) * far


@njit(fastmath={"reassoc", "contract"})
def alignment_gradient(x: Any, y: Any) -> Any:
    n, m = x.shape
    made, value = np.zeros_like(x), 0.0
    R, E, W = np.empty((m + 1, m + 1)), np.zeros((m + 1, m + 1)), np.zeros((m, m, 3))
    for k in range(n):
        R[:] = np.inf
        for i in range(m):
            for j in range(m):
                e = x[k, i] - y[k, j]
                R[i + 1, j + 1] = e * e
                if i or j:
                    low = min(R[i, j + 1], R[i + 1, j], R[i, j])
                    p, q, r = math.exp(low - R[i, j + 1]), math.exp(low - R[i + 1, j]), math.exp(low - R[i, j])
                    total = p + q + r
                    W[i, j, 0], W[i, j, 1], W[i, j, 2] = p / total, q / total, r / total
                    R[i + 1, j + 1] += low - math.log(total)
        value += R[m, m]
        E[:] = 0
        E[m, m] = 1
        for i in range(m, 0, -1):
            for j in range(m, 0, -1):
                e = E[i, j]
                E[i - 1, j] += e * W[i - 1, j - 1, 0]
                E[i, j - 1] += e * W[i - 1, j - 1, 1]
                E[i - 1, j - 1] += e * W[i - 1, j - 1, 2]
                made[k, i - 1] += 2 * e * (x[k, i - 1] - y[k, j - 1])
    return value, made


# ------------------------------------------------------------------ mechanics


@compiled
def inverse(f: Any, g: Any) -> Any:
    """Writes the transposed inverse of f into g; the determinant comes back."""
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            c, d = (j + 1) % 3, (j + 2) % 3
            g[i, j] = f[a, c] * f[b, d] - f[a, d] * f[b, c]
    J = f[0, 0] * g[0, 0] + f[0, 1] * g[0, 1] + f[0, 2] * g[0, 2]
    for i in range(3):
        for j in range(3):
            g[i, j] /= J
    return J


@compiled
def venant_tangent(F: Any) -> Any:
    n = len(F)
    T = np.empty((n, 3, 3, 3, 3), F.dtype)
    lame, shear, zero = np.float32(LAME), np.float32(SHEAR), np.float32(0)
    S, B = np.empty((3, 3), F.dtype), np.empty((3, 3), F.dtype)
    for p in range(n):
        f = F[p]
        for i in range(3):
            for j in range(3):
                S[i, j] = shear * (f[0, i] * f[0, j] + f[1, i] * f[1, j] + f[2, i] * f[2, j])
                B[i, j] = shear * (f[i, 0] * f[j, 0] + f[i, 1] * f[j, 1] + f[i, 2] * f[j, 2])
        trace = (S[0, 0] + S[1, 1] + S[2, 2]) / shear - np.float32(3)
        for i in range(3):
            S[i, i] += lame / np.float32(2) * trace - shear
        for i in range(3):
            for j in range(3):
                for k in range(3):
                    for l in range(3):  # noqa: E741
                        t = lame * f[i, j] * f[k, l] + shear * f[i, l] * f[k, j]
                        T[p, i, j, k, l] = t + (S[j, l] if i == k else zero) + (B[i, k] if j == l else zero)
    return T


@compiled
def isochoric_tangent(F: Any) -> Any:
    n = len(F)
    T, g, u = np.empty((n, 3, 3, 3, 3), F.dtype), np.empty((3, 3), F.dtype), np.empty((3, 3), F.dtype)
    for p in range(n):
        f = F[p]
        J = inverse(f, g)
        a = np.float32(SHEAR) * J ** np.float32(-2 / 3)
        inner = a * (f * f).sum()
        crossed = inner / np.float32(3) - np.float32(BULK) * J * (J - np.float32(1))
        half = inner / np.float32(9) + np.float32(BULK / 2) * J * (np.float32(2) * J - np.float32(1))
        for i in range(3):
            for j in range(3):
                u[i, j] = half * g[i, j] - np.float32(2 / 3) * a * f[i, j]
        for i in range(3):
            for j in range(3):
                for k in range(3):
                    for l in range(3):  # noqa: E741
                        T[p, i, j, k, l] = g[i, j] * u[k, l] + u[i, j] * g[k, l] + crossed * g[i, l] * g[k, j]
                T[p, i, j, i, j] += a
    return T


@compiled
def elements_gradient(u: Any, nodes: Any, B: Any, w: Any) -> Any:
    made, value, f, g = np.zeros_like(u), 0.0, np.empty((3, 3)), np.empty((3, 3))
    for e in range(len(nodes)):
        squares = 0.0
        for i in range(3):
            for j in range(3):
                f[i, j] = 1.0 if i == j else 0.0
                for a in range(4):
                    f[i, j] += u[nodes[e, a], i] * B[e, a, j]
                squares += f[i, j] * f[i, j]
        logs = math.log(inverse(f, g))
        value += w[e] * (SHEAR / 2 * squares - SHEAR * logs + LAME / 2 * logs * logs)
        for i in range(3):
            for j in range(3):
                f[i, j] = w[e] * (SHEAR * f[i, j] + (LAME * logs - SHEAR) * g[i, j])
        for a in range(4):
            for i in range(3):
                made[nodes[e, a], i] += f[i, 0] * B[e, a, 0] + f[i, 1] * B[e, a, 1] + f[i, 2] * B[e, a, 2]
    return value, made


@compiled
def springs_forces(X: Any, s: Any, l: Any, p: Any, q: Any) -> Any:  # noqa: E741
    made, value = np.zeros_like(X), 0.0
    for e in range(len(p)):
        i, j = p[e], q[e]
        x, y, z = X[i, 0] - X[j, 0], X[i, 1] - X[j, 1], X[i, 2] - X[j, 2]
        r = math.sqrt(x * x + y * y + z * z)
        pull = s[e] * (r - l[e])
        value += pull * (r - l[e]) / 2
        pull /= r
        made[i, 0] -= pull * x
        made[i, 1] -= pull * y
        made[i, 2] -= pull * z
        made[j, 0] += pull * x
        made[j, 1] += pull * y
        made[j, 2] += pull * z
    return value, made


@compiled
def cameras_gradients(R: Any, t: Any, P: Any, z: Any, camera: Any, point: Any) -> Any:
    by_R, by_t, by_P, value = np.zeros_like(R), np.zeros_like(t), np.zeros_like(P), 0.0
    for o in range(len(z)):
        c, p = camera[o], point[o]
        r, x = R[c], P[p]
        a = r[0, 0] * x[0] + r[0, 1] * x[1] + r[0, 2] * x[2] + t[c, 0]
        b = r[1, 0] * x[0] + r[1, 1] * x[1] + r[1, 2] * x[2] + t[c, 1]
        w = 1 / (r[2, 0] * x[0] + r[2, 1] * x[1] + r[2, 2] * x[2] + t[c, 2])
        u, v = a * w - z[o, 0], b * w - z[o, 1]
        value += (u * u + v * v) / 2
        g = (u * w, v * w, -(u * a + v * b) * w * w)
        for i in range(3):
            by_t[c, i] += g[i]
            for j in range(3):
                by_R[c, i, j] += g[i] * x[j]
                by_P[p, j] += g[i] * r[i, j]
    return value, by_R, by_t, by_P
