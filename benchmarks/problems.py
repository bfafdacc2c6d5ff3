"""The problems: as expressions, with inputs and sizes, the hand-written limit, and a loss for JAX and PyTorch.

A loss is written once, over `xp`, a few functions that `Jax` and `Torch` of `peers.py` take from the two libraries;
`kind` says what is derived from it, `by` which of its arguments, and `batch` that it is of one sample, mapped over the
first axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import by_hand
import numpy as np

import indexcalc as ic

Size = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """One row of the table for each size.

    `work` is how many operations the best form takes in products of matrices or between pairs, 0 where these are few;
    `loops` names the function of `loops.py` that does the same in numba; values may differ by `tolerance`. One that is
    `held` is compressed: "matvec" multiplies it by a vector, "solve" solves for it, "bands" has all of it made for each
    call, as the rows of a `dia_array`. Its `limit` gives a function of that vector.
    """

    name: str
    sizes: tuple[Size, ...]
    express: Callable[..., tuple[Any, tuple[Any, ...]]]
    make: Callable[..., list[Any]]
    limit: Callable[..., Any]
    loss: Callable[..., Any]
    kind: str
    by: tuple[int, ...]
    batch: bool = False
    held: str = ""
    work: Callable[..., float] | None = None
    loops: str = ""
    tolerance: float = 1e-6

    def direction(self, arrays: Sequence[Any]) -> Any:
        """What a held Hessian is multiplied by, or what is solved for."""
        return np.linspace(-1, 1, arrays[self.by[0]].size)

    def product(self, arrays: Sequence[Any]) -> Callable[[], Any]:
        """The call of what is held, for `direction`."""
        outputs, inputs = self.express()
        named = {view.node.label: array for view, array in zip(inputs, arrays, strict=True)}
        x, held = self.direction(arrays), outputs.compressed(**named)
        return {
            "matvec": lambda: held.matvec(x),
            "solve": lambda: held.solve(x),
            "bands": lambda: outputs.compressed(**named).tosparse("dia").data,
        }[self.held]


def numbers(*shapes: tuple[int, ...]) -> list[Any]:
    """Normal numbers, the same at each call."""
    rng = np.random.default_rng(len(shapes))
    return [rng.standard_normal(shape) for shape in shapes]


def definite(d: int) -> Any:
    """A symmetric positive definite matrix."""
    (A,) = numbers((d, d))
    return A @ A.T / d + np.eye(d)


# ------------------------------------------------------------------ expressions


def quadratic() -> Any:
    x, A = ic.tensor("x", "n"), ic.tensor("A", "n n")
    return ic.hessian(x @ A @ x, x), (x, A)


def logistic(hessian: bool) -> Any:
    X, y, w = ic.tensor("X", "m n"), ic.tensor("y", "m"), ic.tensor("w", "n")
    L = ic.softplus(-y * (X @ w)).sum()
    return (ic.hessian(L, w) if hessian else [L, ic.grad(L, w)]), (X, y, w)


def factorisation(hessian: bool) -> Any:
    T, U, V = ic.tensor("T", "m n"), ic.tensor("U", "m k"), ic.tensor("V", "n k")
    L = ((T - U @ V.T) ** 2).sum()
    return (ic.hessian(L, U) if hessian else [L, ic.grad(L, U)]), (T, U, V)


def network(layers: int) -> Any:
    W = [ic.tensor(f"W{k}", "d d") for k in range(1, layers + 1)]
    X, Y = ic.tensor("X", "N d"), ic.tensor("Y", "N d")
    h: Any = X
    for V in W[:-1]:
        h = ic.relu(h @ V)
    o = h @ W[-1]
    L = ic.logsumexp(o, axis=1).sum() - (Y * o).sum()
    return ic.hessian(L, W[0]), (X, Y, *W)


def linear() -> Any:
    A, X, B = ic.tensor("A", "n n"), ic.tensor("X", "n n"), ic.tensor("B", "n n")
    return ic.derivative(A @ X @ B, X), (A, X, B)


def softmax() -> Any:
    n, (c, d) = ic.index("n", batch=True), ic.indices("c d")
    z = ic.tensor("z", "N C")
    return ic.softmax(z[n, c], c).diff(z[n, d]), (z,)


def elasticity() -> Any:
    n, (i, j, k, l) = ic.index("n", batch=True), ic.indices("i j k l")  # noqa: E741
    F, lam, mu = ic.tensor("F", "p", 3, 3), ic.scalar("lam"), ic.scalar("mu")
    J = ic.logdet(F)[n]
    energy = mu / 2 * (F[n, i, j] * F[n, i, j]) - mu * J + lam / 2 * J**2
    return energy.diff(F[n, i, j]).diff(F[n, k, l]), (F, lam, mu)


def cp() -> Any:
    T, a, b, c = ic.tensor("T", "n n n"), ic.tensor("a", "n r"), ic.tensor("b", "n r"), ic.tensor("c", "n r")
    L = ((T - ic.einsum("ir,jr,kr->ijk", a, b, c)) ** 2).sum()
    return [ic.grad(L, a), ic.grad(L, b), ic.grad(L, c)], (T, a, b, c)


def gaussian(by: str) -> Any:
    X, m = ic.tensor("X", "N d"), ic.tensor("m", "d")
    S = ic.tensor("S", "d d", symmetric=True)
    e, N = X - m, ic.ones("N").sum()
    if by == "precision":
        L = (e @ S * e).sum() / 2 - ic.logdet(S) * N / 2
    else:
        L = (e @ ic.inv(S) * e).sum() / 2 + ic.logdet(S) * N / 2
    H = ic.hessian(L, m) if by == "mean" else ic.hessian(L, S, structure="free")
    return H, (X, m, S)


def attention() -> Any:
    Q, K, V, G = ic.tensor("Q", "t d"), ic.tensor("K", "s d"), ic.tensor("V", "s e"), ic.tensor("G", "t e")
    Z = ic.softmax(Q @ K.T, axis=1) @ V
    L = (G * Z).sum()
    return [Z, ic.grad(L, Q), ic.grad(L, K), ic.grad(L, V)], (Q, K, V, G)


def process() -> Any:
    K, D, y, s = ic.tensor("K", "n n"), ic.tensor("D", "n n"), ic.tensor("y", "n"), ic.scalar("s")
    A = K * ic.exp(-s * D)
    L = (y @ ic.inv(A) @ y + ic.logdet(A)) / 2
    return [L, ic.grad(L, s)], (K, D, y, s)


def poisson() -> Any:
    X, y, w = ic.tensor("X", "m n"), ic.tensor("y", "m"), ic.tensor("w", "n")
    z = X @ w
    L = (ic.exp(z) - y * z).sum()
    return [ic.grad(L, w), ic.hessian(L, w)], (X, y, w)


def student() -> Any:
    X, m, P = ic.tensor("X", "N d"), ic.tensor("m", "d"), ic.tensor("P", "d d", symmetric=True)
    e = X - m
    L = ic.log(1 + ((e @ P) * e).sum(axis=1)).sum()
    return ic.hessian(L, m), (X, m, P)


# ------------------------------------------------------------------ inputs


def make_logistic(m: int, n: int) -> list[Any]:
    X, y, w = numbers((m, n), (m,), (n,))
    return [X, np.sign(y), w / n**0.5]


def make_poisson(m: int, n: int) -> list[Any]:
    X, y, w = numbers((m, n), (m,), (n,))
    return [X, np.floor(np.abs(y) * 3), w / n**0.5]


def make_network(layers: int) -> Callable[..., list[Any]]:
    def make(N: int, d: int) -> list[Any]:
        X, y, *W = numbers((N, d), (N, d), *[(d, d)] * layers)
        return [X, np.eye(d)[y.argmax(1)], *(w * (2 / d) ** 0.5 for w in W)]

    return make


def make_elasticity(n: int) -> list[Any]:
    (F,) = numbers((n, 3, 3))
    return [np.eye(3) + 0.1 * F, 1.5, 0.7]


def make_process(n: int) -> list[Any]:
    x, y = numbers((n,), (n,))
    D = (x[:, None] - x) ** 2
    return [np.exp(-np.abs(x[:, None] - x)) + 0.5 * np.eye(n), D, y, 0.3]


# ------------------------------------------------------------------ losses, over xp


def network_loss(xp: Any, X: Any, Y: Any, *W: Any) -> Any:
    h = X
    for V in W[:-1]:
        h = xp.relu(h @ V)
    o = h @ W[-1]
    return xp.logsumexp(o).sum() - (Y * o).sum()


def elasticity_loss(xp: Any, F: Any, lam: Any, mu: Any) -> Any:
    a, b, c = F[0], F[1], F[2]
    det = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    J = xp.log(det)
    return mu / 2 * (F * F).sum() - mu * J + lam / 2 * J * J


def gaussian_loss(sign: int) -> Callable[..., Any]:
    def loss(xp: Any, X: Any, m: Any, S: Any) -> Any:
        e = X - m
        inner = (e @ S * e) if sign < 0 else (xp.solve(S, e.T).T * e)
        return inner.sum() / 2 + sign * len(X) / 2 * xp.logdet(S)

    return loss


def process_loss(xp: Any, K: Any, D: Any, y: Any, s: Any) -> Any:
    A = K * xp.exp(-s * D)
    return (y @ xp.solve(A, y) + xp.logdet(A)) / 2


def attention_value(xp: Any, Q: Any, K: Any, V: Any, G: Any) -> Any:
    Z = xp.softmax(Q @ K.T) @ V
    return (G * Z).sum(), Z


def logistic_loss(xp: Any, X: Any, y: Any, w: Any) -> Any:
    return xp.softplus(-y * (X @ w)).sum()


def factorisation_loss(xp: Any, T: Any, U: Any, V: Any) -> Any:
    return ((T - U @ V.T) ** 2).sum()


def poisson_loss(xp: Any, X: Any, y: Any, w: Any) -> Any:
    z = X @ w
    return (xp.exp(z) - y * z).sum()


def student_loss(xp: Any, X: Any, m: Any, P: Any) -> Any:
    e = X - m
    return xp.log(1 + ((e @ P) * e).sum(1)).sum()


def cp_loss(xp: Any, T: Any, a: Any, b: Any, c: Any) -> Any:
    return ((T - xp.einsum("ir,jr,kr->ijk", a, b, c)) ** 2).sum()


PROBLEMS = (
    Problem(
        "quadratic form Hessian", ((100,), (1000,), (2000,)), quadratic, lambda n: numbers((n,), (n, n)),
        by_hand.quadratic_hessian, lambda xp, x, A: x @ A @ x, "hessian", (0,),
    ),
    Problem(
        "logistic value+gradient", ((20, 10), (200, 100), (2000, 1000)), lambda: logistic(False), make_logistic,
        by_hand.logistic_gradient, logistic_loss, "value+gradient", (2,),
    ),
    Problem(
        "logistic Hessian", ((20, 10), (200, 100), (2000, 1000)), lambda: logistic(True), make_logistic,
        by_hand.logistic_hessian, logistic_loss, "hessian", (2,),
    ),
    Problem(
        "factorisation value+gradient", ((20, 20, 5), (200, 200, 5), (1000, 1000, 5)), lambda: factorisation(False),
        lambda m, n, k: numbers((m, n), (m, k), (n, k)), by_hand.factorisation_gradient, factorisation_loss,
        "value+gradient", (1,),
    ),
    Problem(
        "factorisation Hessian", ((20, 20, 5), (100, 100, 5), (200, 200, 5)), lambda: factorisation(True),
        lambda m, n, k: numbers((m, n), (m, k), (n, k)), by_hand.factorisation_hessian, factorisation_loss,
        "hessian", (1,),
    ),
    Problem(
        "factorisation Hessian, compressed", ((20, 20, 5), (100, 100, 5), (200, 200, 5)), lambda: factorisation(True),
        lambda m, n, k: numbers((m, n), (m, k), (n, k)), by_hand.held_product, factorisation_loss,
        "product", (1,), held="matvec",
    ),
    Problem(
        "network Hessian, 3 layers", ((10, 10), (100, 30)), lambda: network(3), make_network(3),
        by_hand.network_hessian, network_loss, "hessian", (2,),
    ),
    Problem(
        "network Hessian, 10 layers", ((10, 10), (20, 20), (30, 30)), lambda: network(10), make_network(10),
        by_hand.network_hessian, network_loss, "hessian", (2,),
    ),
    Problem(
        "d(AXB)/dX", ((5,), (20,), (40,)), linear, lambda n: numbers((n, n), (n, n), (n, n)),
        by_hand.linear_jacobian, lambda xp, A, X, B: A @ X @ B, "jacobian", (1,),
    ),
    Problem(
        "softmax Jacobian", ((64, 10), (1000, 10), (1000, 100)), softmax, lambda N, C: numbers((N, C)),
        by_hand.softmax_jacobian, lambda xp, z: xp.softmax(z), "jacobian", (0,), batch=True,
    ),
    Problem(
        "elasticity tangent", ((1,), (100,), (1000,), (10_000,), (100_000,)), elasticity, make_elasticity,
        by_hand.elasticity_tangent, elasticity_loss, "hessian", (0,), batch=True,
    ),
    Problem(
        "CP gradients", ((10, 3), (30, 5), (100, 10), (200, 10)), cp,
        lambda n, r: numbers((n, n, n), (n, r), (n, r), (n, r)), by_hand.cp_gradients, cp_loss, "gradient", (1, 2, 3),
    ),
    Problem(
        "Gaussian Hessian in mean", ((200, 5), (1000, 20), (2000, 200)), lambda: gaussian("mean"),
        lambda N, d: [*numbers((N, d), (d,)), definite(d)], by_hand.gaussian_mean, gaussian_loss(1), "hessian", (1,),
    ),
    Problem(
        "Gaussian Hessian in covariance", ((200, 5), (1000, 20), (2000, 40)), lambda: gaussian("covariance"),
        lambda N, d: [*numbers((N, d), (d,)), definite(d)], by_hand.gaussian_covariance, gaussian_loss(1),
        "hessian", (2,),
    ),
    Problem(
        "Gaussian Hessian in precision", ((200, 5), (1000, 20), (2000, 40)), lambda: gaussian("precision"),
        lambda N, d: [*numbers((N, d), (d,)), definite(d)], by_hand.gaussian_precision, gaussian_loss(-1),
        "hessian", (2,),
    ),
    Problem(
        "attention value+gradients", ((8, 16), (64, 32), (256, 64)), attention,
        lambda t, d: numbers((t, d), (t, d), (t, d), (t, d)), by_hand.attention_gradients, attention_value,
        "gradient with value", (0, 1, 2),
    ),
    Problem(
        "Gaussian process value+gradient", ((20,), (200,), (1000,)), process, make_process,
        by_hand.process_gradients, process_loss, "value+gradient", (3,),
    ),
    Problem(
        "Poisson gradient+Hessian", ((20, 10), (200, 100), (2000, 500)), poisson, make_poisson,
        by_hand.poisson_hessian, poisson_loss, "gradient+hessian", (2,),
    ),
    Problem(
        "Student-t Hessian", ((20, 5), (1000, 20), (5000, 100)), student,
        lambda N, d: [*numbers((N, d), (d,)), definite(d)], by_hand.student_hessian, student_loss, "hessian", (1,),
    ),
)  # fmt: skip
