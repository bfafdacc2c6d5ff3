"""Derivations as people post them, a row each: what is differentiated, by what, and the usual answer.

`docs/derivations.md` shows those of `POSTED`, and its table has a line for each; `test_explain` holds all of them in
both styles. A posted answer is the usual one, with all that it abbreviates spelled out; `steps` are the lines of the
usual derivation, counted by hand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import indexcalc as ic
from indexcalc.graph.node import Call, topological
from indexcalc.index import Dim


class Derivation(NamedTuple):
    """A value, the tensor it is differentiated by, the lines of the usual derivation, and its last formula.

    `style` is that of the page.
    """

    title: str
    value: ic.Array
    by: ic.Array
    steps: int
    posted: str
    style: str = "index"


SIZES = {"N": 2, "n": 3, "m": 4, "p": 2, "h": 3, "k": 2, "d": 2}
"""Sizes at which the lines are compared."""
s, lam, eps, mu_, lam_ = (ic.tensor(name) for name in ("s", "lam", "eps", "mu", "lam"))
x, y, z, mu = (ic.tensor(name, "n") for name in ("x", "y", "z", "mu"))
A, S = ic.tensor("A", "n n"), ic.tensor("S", "n n", positive_definite=True)
X, w, t = ic.tensor("X", "N n"), ic.tensor("w", "n"), ic.tensor("t", "N")
label = ic.tensor("y", "n", onehot=True)
Z = ic.tensor("X", "n n")
R, P, Q = ic.tensor("X", "n m"), ic.tensor("A", "p n"), ic.tensor("B", "m p")
W1, W2, b1, b2, goal = (
    ic.tensor("W1", "h n"), ic.tensor("W2", "m h"), ic.tensor("b1", "h"), ic.tensor("b2", "m"), ic.tensor("t", "m"),
)  # fmt: skip
queries, keys, values = ic.tensor("Q", "n d"), ic.tensor("K", "m d"), ic.tensor("V", "m p")
attended = ic.function("L", "n p ->", gradient="G")
F = ic.tensor("F", 3, 3)
rows, W, B = ic.tensor("X", "N n"), ic.tensor("W", "n m"), ic.tensor("B", "N m")
row_loss = ic.function("L", "N m ->", gradient="G")
column, weights, bias = ic.column("x", "n"), ic.tensor("W", "m n"), ic.column("b", "m")
column_loss = ic.function("L", "m ->", gradient="G")
K, alpha = ic.tensor("K", "N N", symmetric=True), ic.tensor("alpha", "N")
U, V, D = ic.tensor("U", "m k"), ic.tensor("V", "n k"), ic.tensor("D", "m n")
centred = x - ic.mean(x)
logistic = ic.softplus(X @ w).sum() - t @ X @ w
likelihood = -(ic.logdet(S) + (x - mu) @ ic.inv(S) @ (x - mu)) / 2

POSTED = [
    Derivation("quadratic form", x @ A @ x, x, 4, "(A + A.T) @ x"),
    Derivation("least squares", ic.norm2(X @ w - t) ** 2, w, 4, "2*X.T @ X @ w - 2*X.T @ t", "differential"),
    Derivation(
        "ridge",
        ic.norm2(X @ w - t) ** 2 + lam * ic.norm2(w) ** 2,
        w,
        4,
        "2*X.T @ (X @ w - t) + 2*lam*w",
        "differential",
    ),
    Derivation("softmax", ic.softmax(z), z, 6, "diagm(softmax(z)) - outer(softmax(z), softmax(z))"),
    Derivation("cross entropy", -label @ ic.log(ic.softmax(z)), z, 6, "softmax(z) - y"),
    Derivation("logistic gradient", logistic, w, 6, "X.T @ (sigmoid(X @ w) - t)", "differential"),
    Derivation(
        "logistic Hessian",
        ic.grad(logistic, w),
        w,
        4,
        "X.T @ diagm(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X",
        "differential",
    ),
    Derivation("tr(AXB)", ic.tr(P @ R @ Q), R, 4, "A.T @ B.T", "differential"),
    Derivation("tr(X'AX)", ic.tr(R.T @ A @ R), R, 5, "A @ X + A.T @ X"),
    Derivation("logdet", ic.logdet(Z), Z, 4, "inv(X).T", "differential"),
    Derivation("inverse", ic.inv(Z), Z, 4, "-inv(X)[i,k]*inv(X)[l,j]"),
    Derivation(
        "Gaussian by covariance",
        likelihood,
        S,
        6,
        "inv(S) @ outer(x - mu, x - mu) @ inv(S)/2 - inv(S)/2",
        "differential",
    ),
    Derivation("Frobenius norm", ic.normF(R), R, 4, "X/normF(X)"),
    Derivation("determinant", ic.det(Z), Z, 4, "det(X)*inv(X).T"),
    Derivation(
        "two layers by the first",
        ic.norm2(W2 @ ic.tanh(W1 @ x + b1) + b2 - goal) ** 2 / 2,
        W1,
        7,
        "outer((1 - tanh(W1 @ x + b1)**2)*(W2.T @ (W2 @ tanh(W1 @ x + b1) + b2 - t)), x)",
    ),
    Derivation(
        "attention by queries",
        attended(ic.softmax(queries @ keys.T, axis=1) @ values),
        queries,
        7,
        "(softmax(Q @ K.T, axis=1)*(G @ V.T - sum(softmax(Q @ K.T, axis=1)*(G @ V.T), axis=1, keepdims=True))) @ K",
        "differential",
    ),
    Derivation(
        "layer norm",
        centred / ic.sqrt(ic.mean(centred**2) + eps),
        x,
        9,
        "(eye(n) - 1/n - outer(x - mean(x), x - mean(x))/(n*(mean((x - mean(x))**2) + eps)))"
        "/sqrt(mean((x - mean(x))**2) + eps)",
        "differential",
    ),
    Derivation("Rayleigh quotient", x @ S @ x / (x @ x), x, 4, "2*S @ x/(x @ x) - 2*(x @ S @ x)*x/(x @ x)**2"),
    Derivation(
        "cosine similarity",
        x @ y / (ic.norm2(x) * ic.norm2(y)),
        x,
        5,
        "y/(norm2(x)*norm2(y)) - (x @ y)*x/(norm2(x)**3*norm2(y))",
        "differential",
    ),
    Derivation(
        "neo-Hookean energy",
        mu_ / 2 * (ic.tr(F.T @ F) - 3) - mu_ * ic.logdet(F) + lam_ / 2 * ic.logdet(F) ** 2,
        F,
        5,
        "mu*F - mu*inv(F).T + lam*logdet(F)*inv(F).T",
        "differential",
    ),
    Derivation("layer in rows", row_loss(rows @ W + B), W, 5, "X.T @ G", "differential"),
    Derivation("layer in columns", column_loss(weights @ column + bias), weights, 5, "G @ x.T", "differential"),
]
"""Those of the page, twenty, two of them in two parts."""

MORE = [
    Derivation("tr(AX)", ic.tr(R.T @ ic.tensor("A", "n m")), R, 4, "A"),
    Derivation("norm", ic.norm2(x), x, 4, "x/norm2(x)"),
    Derivation("Gaussian by mean", likelihood, mu, 4, "inv(S) @ (x - mu)"),
    Derivation(
        "Mahalanobis",
        ic.sqrt((x - mu) @ ic.inv(S) @ (x - mu)),
        x,
        4,
        "inv(S) @ (x - mu)/sqrt((x - mu) @ inv(S) @ (x - mu))",
    ),
    Derivation("log-sum-exp", ic.logsumexp(z), z, 3, "softmax(z)"),
    Derivation(
        "kernel ridge",
        ic.norm2(t - K @ alpha) ** 2 + lam * alpha @ K @ alpha,
        alpha,
        4,
        "2*K @ (K @ alpha - t) + 2*lam*K @ alpha",
    ),
    Derivation("matrix factorisation", ic.normF(D - U @ V.T) ** 2, U, 5, "-2*(D - U @ V.T) @ V"),
    Derivation("portfolio risk", ic.sqrt(w @ S @ w), w, 4, "S @ w/sqrt(w @ S @ w)"),
    Derivation(
        "Gaussian bump",
        ic.exp(-(ic.norm2(x - mu) ** 2) / (2 * s**2)),
        x,
        3,
        "-exp(-norm2(x - mu)**2/(2*s**2))*(x - mu)/s**2",
    ),
    Derivation("power of a matrix", ic.tr(Z @ Z @ Z), Z, 5, "3*(X @ X).T"),
    Derivation("nuclear norm", ic.norm_nuc(R), R, 5, "polar(X)"),
    Derivation("log-likelihood of counts", t @ (X @ w) - ic.exp(X @ w).sum(), w, 4, "X.T @ (t - exp(X @ w))"),
]


def numbers(view: Any, order: Any = None) -> Any:
    """The numbers of a view at arrays that its names decide; the abstract loss is linear, with the gradient G."""
    given: dict[str, Any] = {}
    for variable in view.inputs:
        given[variable.label] = _array(variable.label, tuple(SIZES.get(str(dim), dim) for dim in variable.dims))
    for call in (n for n in topological([view.node]) if isinstance(n, Call)):
        slope = _array("G", tuple(SIZES[str(dim)] for dim in call.children[0].dims))
        given[call.function.title(call.orders)] = slope if any(call.orders) else lambda u, c=slope: np.sum(c * u)
    told = {str(dim) for variable in view.inputs for dim in variable.dims}
    wanted = {
        symbol
        for node in topological([view.node])
        for dim in node.dims
        if isinstance(dim, Dim)
        for symbol in dim.symbols
    }
    return view.evaluate(given, order=order, **{name: SIZES[name] for name in wanted - told})


def _array(name: str, shape: tuple[int, ...]) -> Any:
    """An array for a name: symmetric where one of that name is, positive definite for S, a choice for y."""
    made = np.random.default_rng(list(name.encode())).uniform(0.2, 1, size=shape)
    if name in ("S", "dS", "K") and len(set(shape)) == 1:
        return made + made.T + len(made) * np.eye(len(made))
    return np.eye(len(made))[1] if name == "y" else made
