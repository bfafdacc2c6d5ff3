"""Mechanics and geometry: tangents in float32, elements, springs, arms, cameras.

As in `problems.py`: an expression, the hand-written limit beside it, and a loss for JAX and PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from by_hand import einsum
from problems import Problem, numbers

import indexcalc as ic

LAME, SHEAR, BULK, JOINTS = 0.7, 1.5, 2.0, 6
"""Constants of materials, and the joints of an arm."""


# ------------------------------------------------------------------ tangents


def venant() -> Any:
    n, (i, j, k, l) = ic.index("n", batch=True), ic.indices("i j k l")  # noqa: E741
    F = ic.tensor("F", "p", 3, 3)
    E = (F.mT @ F - ic.eye(3)) / 2
    energy = (LAME / 2 * ic.tr(E) ** 2 + SHEAR * (E * E).sum(axis=(1, 2)))[n]
    return energy.diff(F[n, i, j]).diff(F[n, k, l]), (F,)


def venant_loss(xp: Any, F: Any) -> Any:
    E = (F.T @ F - xp.eye(3, dtype=F.dtype)) / 2
    return LAME / 2 * xp.trace(E) ** 2 + SHEAR * (E * E).sum()


def isochoric() -> Any:
    n, (i, j, k, l) = ic.index("n", batch=True), ic.indices("i j k l")  # noqa: E741
    F = ic.tensor("F", "p", 3, 3)
    J = ic.det(F)[n]
    energy = SHEAR / 2 * J ** (-2 / 3) * (F[n, i, j] * F[n, i, j]) + BULK / 2 * (J - 1) ** 2
    return energy.diff(F[n, i, j]).diff(F[n, k, l]), (F,)


def isochoric_loss(xp: Any, F: Any) -> Any:
    a, b, c = F[0], F[1], F[2]
    J = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    return SHEAR / 2 * J ** (-2 / 3) * (F * F).sum() + BULK / 2 * (J - 1) ** 2


def make_tangent(n: int) -> list[Any]:
    (F,) = numbers((n, 3, 3))
    return [(np.eye(3) + 0.1 * F).astype(np.float32)]


def venant_tangent(F: Any) -> Any:
    """`δ_ik S_jl + λ F_ij F_kl + μ ((FF')_ik δ_jl + F_il F_kj)`, points last."""
    n = len(F)
    f = np.ascontiguousarray(F.transpose(1, 2, 0))
    C, B = einsum("kin,kjn->ijn", f, f), einsum("ikn,jkn->ijn", f, f)
    S = SHEAR * C
    pressure = LAME / 2 * (C[0, 0] + C[1, 1] + C[2, 2] - 3) - SHEAR
    for k in range(3):
        S[k, k] += pressure
    B *= SHEAR
    stretched, sheared = LAME * f, SHEAR * f
    T, scratch = np.empty((3, 3, 3, 3, n), F.dtype), np.empty((3, 3, n), F.dtype)
    for i in range(3):
        for j in range(3):
            np.multiply(stretched[i, j], f, out=T[i, j])
            np.multiply(sheared[i], f[:, j, None], out=scratch)
            T[i, j] += scratch
            T[i, j, i] += S[j]
            T[i, j, :, j] += B[i]
    return T.transpose(4, 0, 1, 2, 3)


def cofactors(f: Any) -> Any:
    """The matrix of cofactors, points last."""
    g, scratch = np.empty_like(f), np.empty_like(f[0, 0])
    for i in range(3):
        for j in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
            np.multiply(f[a, c], f[b, d], out=g[i, j])
            g[i, j] -= np.multiply(f[a, d], f[b, c], out=scratch)
    return g


def isochoric_tangent(F: Any) -> Any:
    """`p_ij g_kl + g_ij p_kl + c g_il g_kj + a δ_ik δ_jl`, `g = inv(F)'`, points last; p is a sum of F and g."""
    n = len(F)
    f = np.ascontiguousarray(F.transpose(1, 2, 0))
    g = cofactors(f)
    J = einsum("jn,jn->n", f[0], g[0])
    g /= J
    a = SHEAR * J ** np.float32(-2 / 3)
    inner = einsum("ijn,ijn->n", f, f) * a
    crossed, plain = g * (inner / 3 - BULK * J * (J - 1)), f * (-2 / 3 * a)
    plain += g * (inner / 9 + BULK / 2 * J * (2 * J - 1))
    T, scratch = np.empty((3, 3, 3, 3, n), F.dtype), np.empty((3, 3, n), F.dtype)
    for i in range(3):
        for j in range(3):
            np.multiply(g[i, j], plain, out=T[i, j])
            T[i, j] += np.multiply(plain[i, j], g, out=scratch)
            T[i, j] += np.multiply(crossed[i], g[:, j, None], out=scratch)
            T[i, j, i, j] += a
    return T.transpose(4, 0, 1, 2, 3)


# ------------------------------------------------------------------ elements, springs


def elements() -> Any:
    u, nodes = ic.tensor("u", "p 3"), ic.tensor("nodes", "e 4", integer=True)
    B, w = ic.tensor("B", "e 4 3"), ic.tensor("w", "e")
    F = u[nodes].mT @ B + ic.eye(3)
    J = ic.logdet(F)
    L = (w * (SHEAR / 2 * (F * F).sum(axis=(1, 2)) - SHEAR * J + LAME / 2 * J**2)).sum()
    return [L, ic.grad(L, u)], (u, nodes, B, w)


def elements_loss(xp: Any, u: Any, nodes: Any, B: Any, w: Any) -> Any:
    F = u[nodes].mT @ B + xp.eye(3, dtype=u.dtype)
    a, b, c = F[:, 0], F[:, 1], F[:, 2]
    J = xp.log(
        a[:, 0] * (b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1])
        - a[:, 1] * (b[:, 0] * c[:, 2] - b[:, 2] * c[:, 0])
        + a[:, 2] * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    )
    return (w * (SHEAR / 2 * (F * F).sum((1, 2)) - SHEAR * J + LAME / 2 * J**2)).sum()


def make_elements(e: int) -> list[Any]:
    p = max(8, e // 5)
    u, B, w = numbers((p, 3), (e, 4, 3), (e,))
    return [0.05 * u, np.random.default_rng(0).integers(0, p, (e, 4)), B, np.abs(w)]


def scattered(rows: int, at: Any, values: Any) -> Any:
    """Rows added where integers say: one weighted count a column."""
    return np.stack([np.bincount(at, column, rows) for column in values], axis=1)


def elements_gradient(u: Any, nodes: Any, B: Any, w: Any) -> list[Any]:
    """Elements last: the gradient is `w (μ F + (λ log J - μ) inv(F)') B'`, added at the nodes."""
    b = np.ascontiguousarray(B.transpose(1, 2, 0))
    f = einsum("ian,ajn->ijn", np.ascontiguousarray(u.T).take(nodes.T, axis=1), b)
    for k in range(3):
        f[k, k] += 1
    g = cofactors(f)
    J = einsum("jn,jn->n", f[0], g[0])
    logs = np.log(J)
    value = np.dot(w, SHEAR / 2 * einsum("ijn,ijn->n", f, f) + (LAME / 2 * logs - SHEAR) * logs)
    g *= w * (LAME * logs - SHEAR) / J
    f *= SHEAR * w
    f += g
    return [value, scattered(len(u), nodes.T.ravel(), einsum("ijn,ajn->ian", f, b).reshape(3, -1))]


def springs() -> Any:
    X, s, l = ic.tensor("X", "n 3"), ic.tensor("s", "e"), ic.tensor("l", "e")  # noqa: E741
    p, q = ic.tensor("p", "e", integer=True), ic.tensor("q", "e", integer=True)
    L = (s * (ic.norm2(X[p] - X[q], axis=1) - l) ** 2).sum() / 2
    return [L, -ic.grad(L, X)], (X, s, l, p, q)


def springs_loss(xp: Any, X: Any, s: Any, l: Any, p: Any, q: Any) -> Any:  # noqa: E741
    e = X[p] - X[q]
    return (s * (xp.sqrt((e * e).sum(1)) - l) ** 2).sum() / 2


def make_springs(e: int) -> list[Any]:
    n = max(10, e // 4)
    X, s, l = numbers((n, 3), (e,), (e,))  # noqa: E741
    p = np.random.default_rng(0).integers(0, n, e)
    return [X, np.abs(s), np.abs(l), p, (p + 1 + np.arange(e) % (n - 1)) % n]


def springs_forces(X: Any, s: Any, l: Any, p: Any, q: Any) -> list[Any]:  # noqa: E741
    x = np.ascontiguousarray(X.T)
    e = x.take(p, axis=1)
    e -= x.take(q, axis=1)
    r = np.sqrt(einsum("kn,kn->n", e, e))
    pull = r - l
    weighted = s * pull
    value = np.dot(weighted, pull) / 2
    weighted /= r
    e *= weighted
    return [value, scattered(len(X), q, e) - scattered(len(X), p, e)]


# ------------------------------------------------------------------ arms, cameras


def arm() -> Any:
    angle, goal = ic.tensor("angle", "n", JOINTS), ic.tensor("goal", "n 3")
    axes, offset = ic.tensor("axes", JOINTS, 3, 3), ic.tensor("offset", JOINTS, 3)
    P: Any = ic.zeros("n", 3)
    for k in range(JOINTS - 1, -1, -1):
        P = P + offset[k]
        once = P @ axes[k].T
        P = P + ic.sin(angle[:, k])[:, None] * once + (1 - ic.cos(angle[:, k]))[:, None] * (once @ axes[k].T)
    L = ((P - goal) ** 2).sum()
    return [L, ic.grad(L, angle)], (angle, goal, axes, offset)


def arm_loss(xp: Any, angle: Any, goal: Any, axes: Any, offset: Any) -> Any:
    P = 0 * goal
    for k in range(JOINTS - 1, -1, -1):
        P = P + offset[k]
        once = P @ axes[k].T
        P = P + xp.sin(angle[:, k])[:, None] * once + (1 - xp.cos(angle[:, k]))[:, None] * (once @ axes[k].T)
    return ((P - goal) ** 2).sum()


def make_arm(n: int) -> list[Any]:
    angle, goal, axis, offset = numbers((n, JOINTS), (n, 3), (JOINTS, 3), (JOINTS, 3))
    axis /= np.linalg.norm(axis, axis=1)[:, None]
    return [angle, goal, np.cross(axis[:, None], np.eye(3)).transpose(0, 2, 1), offset]


def arm_gradient(angle: Any, goal: Any, axes: Any, offset: Any) -> list[Any]:
    """Rotations forward; then the misfit is turned back, and its moment about each axis is the derivative."""
    sines, cosines, P, kept = np.sin(angle.T), np.cos(angle.T), np.zeros((3, len(angle))), []
    lost = 1 - cosines
    for k in range(JOINTS - 1, -1, -1):
        P = P + offset[k][:, None]
        once = np.dot(axes[k], P)
        twice = np.dot(axes[k], once)
        kept.append((once, twice))
        P += sines[k] * once
        P += lost[k] * twice
    back = P - goal.T
    value = np.vdot(back, back)
    back *= 2
    made = np.empty((JOINTS, len(angle)))
    for k in range(JOINTS):
        once, twice = kept.pop()
        once *= cosines[k]
        twice *= sines[k]
        once += twice
        einsum("kn,kn->n", back, once, out=made[k])
        turned = np.dot(axes[k], back)
        back -= sines[k] * turned
        back += lost[k] * np.dot(axes[k], turned)
    return [value, made.T]


def cameras() -> Any:
    R, t, P = ic.tensor("R", "c 3 3"), ic.tensor("t", "c 3"), ic.tensor("P", "p 3")
    z, camera, point = (
        ic.tensor("z", "o 2"),
        ic.tensor("camera", "o", integer=True),
        ic.tensor("point", "o", integer=True),
    )
    q = (R[camera] @ P[point][:, :, None])[:, :, 0] + t[camera]
    e = q[:, :2] / q[:, 2:] - z
    L = (e * e).sum() / 2
    return [L, *(ic.grad(L, x) for x in (R, t, P))], (R, t, P, z, camera, point)


def cameras_loss(xp: Any, R: Any, t: Any, P: Any, z: Any, camera: Any, point: Any) -> Any:
    q = xp.einsum("oij,oj->oi", R[camera], P[point]) + t[camera]
    e = q[:, :2] / q[:, 2:] - z
    return (e * e).sum() / 2


def make_cameras(o: int) -> list[Any]:
    c, p = max(2, o // 500), max(5, o // 4)
    R, t, P, z = numbers((c, 3, 3), (c, 3), (p, 3), (o, 2))
    rng = np.random.default_rng(0)
    at = [rng.integers(0, c, o), rng.integers(0, p, o)]
    return [np.eye(3) + 0.1 * R, 0.1 * t + np.array([0, 0, 6]), P, z, *at]


def cameras_gradients(R: Any, t: Any, P: Any, z: Any, camera: Any, point: Any) -> list[Any]:
    """Observations last, each entry of what is derived by one weighted count."""
    r, x = (
        np.ascontiguousarray(R.transpose(1, 2, 0)).take(camera, axis=2),
        np.ascontiguousarray(P.T).take(point, axis=1),
    )
    q = einsum("ijn,jn->in", r, x)
    q += np.ascontiguousarray(t.T).take(camera, axis=1)
    e = q[:2] / q[2]
    g = np.empty_like(q)
    np.subtract(e, z.T, out=g[:2])
    value = np.vdot(g[:2], g[:2]) / 2
    g[:2] /= q[2]
    np.negative(einsum("in,in->n", g[:2], e), out=g[2])
    by_R = scattered(len(R), camera, (g[:, None] * x).reshape(9, -1)).reshape(-1, 3, 3)
    return [value, by_R, scattered(len(t), camera, g), scattered(len(P), point, einsum("ijn,in->jn", r, g))]


MECHANICS = (
    Problem(
        "St Venant tangent, float32", ((1000,), (100_000,)), venant, make_tangent, venant_tangent, venant_loss,
        "hessian", (0,), batch=True, work=lambda n: 0, loops="venant_tangent", tolerance=1e-4,
    ),
    Problem(
        "isochoric tangent, float32", ((1000,), (100_000,)), isochoric, make_tangent, isochoric_tangent,
        isochoric_loss, "hessian", (0,), batch=True, work=lambda n: 0, loops="isochoric_tangent", tolerance=1e-4,
    ),
    Problem(
        "element energies", ((50,), (20_000,)), elements, make_elements, elements_gradient, elements_loss,
        "value+gradient", (0,), work=lambda e: 0, loops="elements_gradient",
    ),
    Problem(
        "springs between nodes", ((50,), (200_000,)), springs, make_springs, springs_forces, springs_loss,
        "value-gradient", (0,), work=lambda e: 0, loops="springs_forces",
    ),
    Problem(
        "arm of six joints", ((1,), (5000,)), arm, make_arm, arm_gradient, arm_loss, "value+gradient", (0,),
        work=lambda n: 0,
    ),
    Problem(
        "bundle adjustment", ((50,), (50_000,)), cameras, make_cameras, cameras_gradients, cameras_loss,
        "value+gradient", (0, 1, 2), work=lambda o: 0, loops="cameras_gradients",
    ),
)  # fmt: skip
