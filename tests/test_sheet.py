"""LaTeX to paste, compiled by pdflatex: formulas, derivations, panels and pictures, in one document."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from corpus_case import cases

import indexcalc as ic

ROOT = Path(__file__).resolve().parent.parent
PDFLATEX = shutil.which("pdflatex")
pytestmark = pytest.mark.skipif(PDFLATEX is None, reason="it runs pdflatex, not installed here: CONTRIBUTING says how")
HEAD = r"""\documentclass{article}
\usepackage{amsmath, amssymb, tikz}
\begin{document}\tiny"""
EVERY = 12
"""The distance of the formulas of the corpus that are tried: what they are made of comes back many times."""


def refused(text: str, where: Path) -> list[str]:
    """What LaTeX says against a document."""
    (where / "sheet.tex").write_text(text, "utf-8")
    command = [PDFLATEX or "", "-interaction=nonstopmode", "-no-shell-escape", "sheet.tex"]
    done = subprocess.run(command, cwd=where, capture_output=True, timeout=120)
    log = done.stdout.decode("utf-8", "replace")
    found = [line for line in log.splitlines() if line.startswith("!")]
    assert found or (done.returncode == 0 and (where / "sheet.pdf").stat().st_size), log[-2000:]
    return found


def document(parts: Sequence[str]) -> str:
    return "\n".join([HEAD, *parts, r"\end{document}"])


def corpus() -> Iterator[str]:
    """Formulas of the corpus, their derivatives, layouts and diagrams."""
    for number, case in enumerate(cases().values()):
        if number % EVERY:
            continue
        try:
            value, result = case.value, case.derivative()
            drawn = result.diagram().tikz
        except ic.IndexCalcError:
            continue  # docs/corpus.md names what cannot be done
        yield value.latex(lhs="Z", environment="align")
        yield result.latex(lhs=True, environment="equation*")
        yield result.layouts().latex(environment="align*")
        yield drawn


def derivations() -> Iterator[str]:
    """Derivations in both styles, as lines and drawn: names with scripts, a loss, functions of all kinds."""
    X, W, b = ic.tensor("X", "n d"), ic.tensor("W2", "d m"), ic.tensor("b_hat", "m", latex=r"\hat{b}")
    x, T = ic.tensor("x_1", "d"), ic.tensor("T", "n m")
    S, loss = ic.tensor("Sigma", "d d", symmetric=True), ic.function("loss", "n m ->", gradient="G")
    Z = ic.define("Z", X @ W + b)
    for value, by in (
        (((ic.softmax(Z, axis=1) - T) ** 2).sum(), W), (loss(Z), b), (ic.logdet(S) + x @ ic.inv(S) @ x, S),
        (ic.norm2(ic.tanh(W.T @ x) * b) ** 3, W), (ic.define("E", ic.norm2(X @ x)), x), (ic.tr(ic.expm(S)), S),
    ):  # fmt: skip
        for style in ("index", "differential"):
            steps = ic.explain(value, by, style=style)
            yield steps.latex(environment="align*")
            yield steps.diagrams().tikz
        yield ic.grad(value, [by]).latex(environment="align")


@pytest.mark.slow
def test_formulas_derivations_panels_and_pictures(tmp_path: Path) -> None:
    parts = [*corpus(), *derivations()]
    assert len(parts) > 100 and refused(document(parts), tmp_path) == []


def test_the_sheet_of_the_examples(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "derivation_sheet.out").read_text("utf-8")
    assert refused(text, tmp_path) == []


def test_what_is_no_formula_is_refused(tmp_path: Path) -> None:
    assert refused(document([r"\begin{align*}x_{i}_{j}\end{align*}"]), tmp_path) == ["! Double subscript."] * 2
