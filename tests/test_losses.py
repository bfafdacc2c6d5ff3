"""Wrong gradients of losses that people use: each is caught, and the reason says what is wrong.

More of them stand in `test_judges`; here each formula has its verdict.
"""

from __future__ import annotations

from typing import Any

import pytest

import indexcalc as ic

a, x, y, z = ic.scalar("a"), *(ic.tensor(name, "n") for name in "xyz")
A, Q, m = ic.tensor("A", "n n"), ic.tensor("Q", "n d"), ic.tensor("m", "n", mask=True)
X, w, r = ic.tensor("X", "N d"), ic.tensor("w", "d"), ic.tensor("r", "N")
i, j = ic.indices("i j")
GAP = x[i] * ic.ones(j) - ic.ones(i) * x[j]
EVERY = "outer(x, ones(n)) - outer(ones(n), x)"
NEAR = ic.norm2(x - y)
MARGIN = NEAR**2 - ic.norm2(x - z) ** 2 + 1

LOSSES: dict[str, tuple[Any, Any, str, dict[str, str]]] = {
    "focal": (
        -(y * (1 - ic.sigmoid(x)) ** 2 * ic.log(ic.sigmoid(x))).sum(), x,
        "y*(2*sigmoid(x)*(1 - sigmoid(x))**2*log(sigmoid(x)) - (1 - sigmoid(x))**3)",
        {"-y*(1 - sigmoid(x))**3": "right but for a missing term"},
    ),
    "cross entropy of logits": (
        (ic.relu(x) - x * y + ic.log(1 + ic.exp(-ic.abs(x)))).sum(), x, "sigmoid(x) - y",
        {"y - sigmoid(x)": "right but for a sign", "sigmoid(abs(x)) - y": "right if x is positive"},
    ),
    "geman-mcclure": ((x**2 / (1 + x**2)).sum(), x, "2*x/(1 + x**2)**2", {"2*x/(1 + x**2)": "wrong"}),
    "welsch": ((1 - ic.exp(-(x**2) / 2)).sum(), x, "x*exp(-x**2/2)", {"exp(-x**2/2)": "wrong"}),
    "fair": ((ic.abs(x) - ic.log(1 + ic.abs(x))).sum(), x, "x/(1 + abs(x))", {"x/(1 + x)": "right if x is positive"}),
    "minimax concave": (
        ic.where(ic.abs(x) <= 6, 2 * ic.abs(x) - x**2 / 6, 6).sum(), x, "where(abs(x) <= 6, 2*sign(x) - x/3, 0)",
        {"2*sign(x) - x/3": "right where abs(x) <= 6", "where(abs(x) <= 6, 2 - x/3, 0)": "right if x is positive"},
    ),
    "triplet": (
        ic.relu(MARGIN), x, "2*(z - y)*(norm2(x - y)**2 - norm2(x - z)**2 + 1 > 0)",
        {
            "2*(z - y)": "right where norm2(x - y)**2 + 1 - norm2(x - z)**2 > 0",
            "2*(y - z)*(norm2(x - y)**2 - norm2(x - z)**2 + 1 > 0)": "right but for a sign",
        },
    ),
    "contrastive": (
        a * NEAR**2 + (1 - a) * ic.relu(2 - NEAR) ** 2, x, "",
        {"2*a*(x - y) - 2*(1 - a)*(2 - norm2(x - y))*(x - y)/norm2(x - y)": "right where 2 - norm2(x - y) > 0"},
    ),
    "ranking by pairs": (ic.relu(1 - GAP).sum(i, j, where="i<j"), x, "", {"0*x": "wrong", "-ones(n)": "wrong"}),
    "total variation by pairs": (
        ic.abs(GAP).sum(i, j, where="i<j"), x, f"sum(sign({EVERY}), axis=1)",
        {f"sum(sign({EVERY}), axis=0)": "right but for a sign", f"2*sum(sign({EVERY}), axis=1)": "right but for a fac"},
    ),
    "nuclear norm": (ic.norm_nuc(A), A, "polar(A)", {"A": "right if A is orthogonal", "A/normF(A)": "wrong"}),
    "spectral penalty": (
        ic.relu(ic.max(ic.svdvals(A)) - 1), A, "", {"0*A": "right where max(svdvals(A)) - 1 < 0"},
    ),
    "group lasso": (ic.norm2(Q, axis=1).sum(), Q, "diagm(1/norm2(Q, axis=1)) @ Q", {"Q/normF(Q)": "wrong"}),
    "distance to a halfspace": (
        ic.relu(y @ x - 1) ** 2 / (2 * (y @ y)), x, "relu(y @ x - 1)*y/(y @ y)",
        {"(y @ x - 1)*y/(y @ y)": "right where x @ y - 1 > 0", "relu(y @ x - 1)*y": "right but for a factor"},
    ),
    "projection on a ball": (
        ic.where(ic.norm2(x) <= 1, x @ y, x @ y / ic.norm2(x)), x, "", {"y": "right where norm2(x) <= 1"},
    ),
    "causal attention": (
        ic.softmax(ic.where(ic.tril(ic.ones("n", "n")), A, -1e4), axis=1)[:, 0].sum(), A, "", {"0*A": "wrong"},
    ),
    "masked mean": (
        (m * (x - y) ** 2).sum() / m.sum(), x, "2*m*(x - y)/sum(m)",
        {"2*m*(x - y)/n": "right but for a factor", "2*m*(x - y)": "right but for a factor"},
    ),
    "dice": (
        1 - 2 * (x * y).sum() / (x.sum() + y.sum()), x, "2*(x @ y)/(sum(x) + sum(y))**2 - 2*y/(sum(x) + sum(y))",
        {"-2*y/(sum(x) + sum(y))": "right but for a missing term"},
    ),
    "cosine": (
        1 - x @ y / (ic.norm2(x) * ic.norm2(y)), x,
        "(x @ y)*x/(norm2(x)**3*norm2(y)) - y/(norm2(x)*norm2(y))",
        {"(x @ y)*x/(norm2(x)**2*norm2(y)) - y/(norm2(x)*norm2(y))": "right but for a factor"},
    ),
    "barrier": (-ic.log(1 - X @ w).sum(), w, "X.T @ (1/(1 - X@w))", {"-X.T @ (1/(1 - X@w))": "right but for a sign"}),
    "capped": (
        ic.minimum(x**2, 4).sum(), x, "where(x**2 < 4, 2*x, 0)",
        {"2*x": "right where x**2 < 4", "where(x**2 < 2, 2*x, 0)": "right where x**2 < 2"},
    ),
    "logistic": (
        ic.log(1 + ic.exp(-r * (X @ w))).sum(), w, "-X.T @ (r*sigmoid(-r*(X@w)))",
        {"-X.T @ (r*sigmoid(r*(X@w)))": "wrong"},
    ),
}  # fmt: skip


SLOW = {
    "contrastive",
    "minimax concave",
    "projection on a ball",
    "spectral penalty",
    "focal",
    "cross entropy of logits",
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in LOSSES]
)
def test_a_wrong_gradient_is_told(name: str) -> None:
    loss, by, right, wrong = LOSSES[name]
    D = ic.grad(loss, by)
    for formula in (str(D), right):
        assert not formula or ic.check(formula, D).verdict == "right", formula
    for formula, said in wrong.items():
        assert ic.check(formula, D).verdict.startswith(said), ic.check(formula, D)
