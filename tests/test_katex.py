"""KaTeX, at its strictest, sets all LaTeX that the library writes: what the page shows is what is meant."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from corpus_case import cases

import indexcalc as ic
from indexcalc.writing.signs import prose

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="it runs node, not installed here")
NAMES = ("x", "x_1", "x1", "x_hat", "alpha", "beta_2", "delta_x", "loss")
SET = (
    r"\mathbf{x}^{\star}",
    r"x^\ast",
    r"x_0^{(k)}",
    "x'",
    r"\hat x^{+}_{1}",
    r"\tilde{x}^{2}_{t}",
    r"x_{i_{1}}",
    r"x_{n^{2}}",
)
"""How names are set that have scripts of their own."""


def refused(formulas: list[tuple[str, str]]) -> list[Any]:
    """Those of the formulas, each with a name, that KaTeX refuses, with what it says."""
    done = subprocess.run(
        [NODE or "", str(Path(__file__).with_name("katex.mjs"))], input=json.dumps(formulas), capture_output=True,
        text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_corpus() -> None:
    formulas: list[tuple[str, str]] = []
    for number, (name, case) in enumerate(cases().items()):
        try:
            value, result = case.value, case.derivative()
        except ic.IndexCalcError:
            continue  # docs/corpus.md names what cannot be done
        formulas += [(name, value.latex()), (name, result.latex(lhs=True))]
        if number % 8 == 0:
            formulas += [(f"{name} {row.name}", row.latex) for row in result.layouts().held if row.latex]
    assert len(formulas) > 700 and refused(formulas) == []


def of_names(x: Any, S: Any, s: Any) -> list[Any]:
    """Expressions in which a name has scripts, and what else stands above or below it."""
    i, j = ic.indices("i j")
    A = ic.tensor("A", "n n")
    plain = ic.tensor("v", "n")
    placed = [
        x.T @ A @ x, x**2, x[1:], x[1:] - x[:-1], (x * x)[1:], x[0] ** 2, x**3 / s**2, ic.exp(x)[1:] ** 2,
        S.T @ S, S @ S @ S, ic.inv(S), ic.inv(S).T, ic.pinv(S), S[0] @ x, S[1:].T, S[:, -1], ic.inv(S[1:, 1:]),
        ic.det(S) ** 2, ic.kron(S, S)[1:], ic.vec(S)[1:], ic.softmax(S, axis=1)[1:], (S - S.T)[:, 0],
        s**2 * x, s / (1 + s**2), s ** ic.scalar("t"), ic.sqrt(s), ic.abs(s) ** 3,
        ic.eye("n**2")[1:], ic.eye("n")[0] * plain,
        ic.grad(ic.norm2(x) ** 3, x), ic.grad((x[1:] ** 2).sum(), x), ic.hessian((x[1:] ** 3).sum(), x),
    ]  # fmt: skip
    indexed = [
        x[i] * x[i], x[i] ** 2, x[1:][i] ** 2, ic.inv(S)[i, j] * x[j], S[i, j] ** 2 * x[j],
        ic.diff(x[1:][i] ** 2, x[j]),
    ]  # fmt: skip
    return [*placed, *indexed]


def test_names_with_scripts() -> None:
    formulas = []
    for name in (*NAMES, *SET):
        latex = {} if name in NAMES else {"latex": name}
        made = (name, f"{name}_s", f"{name}_t") if name in NAMES else ("x", "S", "s")
        x, S = ic.column(made[0], "n", **latex), ic.tensor(made[1], "n n", **latex)
        formulas += [(f"{name}: {e}", e.latex()) for e in of_names(x, S, ic.scalar(made[2], **latex))]
    assert refused(formulas) == []


@pytest.mark.parametrize("latex", SET)
def test_names_with_scripts_read_back(latex: str) -> None:
    x, A = ic.column("xs", "n", latex=latex), ic.tensor("A", "n n")
    i, j = ic.indices("i j")
    for e in (x.T @ A @ x, x**2, x[1:], A.T @ x, A[i, j] * x[j]):
        assert ic.parse(e.latex(), **e.declarations) == e


def test_lines_of_a_derivation() -> None:
    X, W, b, y = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("b_1", "m"), ic.tensor("y_hat", "n m")
    loss = ((ic.softmax(X @ W + b, axis=1) - y) ** 2).sum()
    W2, x = ic.tensor("W2", "m d"), ic.tensor("x_1", "d")
    named = ic.explain(ic.norm2(W2 @ ic.tanh(W2.T @ W2 @ x)) ** 2, W2).lines
    lines = [line for style in ("index", "differential") for line in ic.explain(loss, W, style=style).lines]
    lines += named
    rules = [(line.rule, rf"\text{{{prose(line.rule)}}}") for line in lines]
    assert refused(rules) == []
    assert refused([(line.title, f"{line.latex_title} = {line.latex_text}") for line in lines]) == []


def test_what_is_no_formula_is_refused() -> None:
    assert [row[0] for row in refused([("good", "x_{i}"), ("bad", "x_{i}_{j}"), ("odd", r"\nothing")])] == [
        "bad",
        "odd",
    ]
