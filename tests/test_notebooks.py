"""The notebooks of the docs: their cells are run, what they show is compared, and each thing has a form of its own."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexcalc as ic

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
ROUNDING = re.compile(r"\d\.\de-\d\d")
"""What rounding leaves, which is another number on another machine."""


def rerun() -> Any:
    spec = importlib.util.spec_from_file_location("rerun", ROOT / "docs" / "rerun.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def cells(text: str) -> list[Any]:
    """The cells; of plots only that they are there, for matplotlib draws them as its version does."""
    found = json.loads(ROUNDING.sub("few", text))["cells"]
    for cell in found:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", ()):
                output["data"]["image/png"] = "a plot"
    return list(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_its_cells_show(path: Path) -> None:
    text = path.read_text("utf-8")
    if '"image/png"' in text:
        pytest.importorskip("matplotlib")
    assert cells(rerun().notebook(text)) == cells(text), f"python docs/rerun.py docs/notebooks/{path.name} writes it"
    assert f"notebooks/{path.stem}" in (ROOT / "docs" / "index.md").read_text("utf-8")


i, j, k = ic.indices("i j k")
X, W, x = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("x", "d")
L = ic.function("L", "n m ->", gradient="G")
D = ic.grad(L(X @ W), W)
S = ic.tensor("S", "d d", symmetric=True)
COMPILED = ic.compile(x @ x, (x,), sizes={"d": 3})
HELD = ic.hessian((x @ x) ** 2, x).compressed(x=np.ones(2))
SHOWN: dict[str, tuple[Any, str, str]] = {
    "an expression": (x[i] * W[i, j], "latex", r"x_{i}\,W_{ij}"),
    "an array": (X @ W, "latex", r"X \, W"),
    "a derivative of a loss": (D, "latex", r"\frac{\partial L}{\partial W} = X^{\mathsf{T}} \, G"),
    "of a step": (ic.define("y", x[i] * W[i, j]).diff(W[i, k]), "latex", r"\frac{\partial y_{j}}{\partial W_{ik}} = "),
    "of what has no name": (ic.grad((x @ x) ** 2, x), "latex", r"\frac{\partial}{\partial x}\left("),
    "by a symmetric matrix": (ic.grad(ic.logdet(S), S), "latex", r"\text{(projected)}"),
    "a list": (ic.grad(L(X @ W), [X, W]), "latex", r"\frac{\partial L}{\partial X} &= G \, W^{\mathsf{T}} \\"),
    "a list by a symmetric matrix": (ic.grad(ic.logdet(S), [S]), "latex", r"\text{(projected)}"),
    "a list of products with a Hessian": (ic.hvp((x @ x) ** 2, [x], [x]), "latex", "&12"),
    "a list of cotangents": (ic.vjp(X @ W, [W], ic.tensor("Z", "n m")), "latex", r"X^{\mathsf{T}} \, Z"),
    "a layout": (D.layout("numerator"), "latex", r"G^{\mathsf{T}} \, X"),
    "a panel": (D.layouts(), "html", "magnus-neudecker"),
    "a check": (ic.check("2 X' G", D), "html", "multiply by 1/2"),
    "a check of < and &": (ic.check("X.T @ (G < 1)", D), "html", "&lt;"),
    "a derivation": (ic.explain((x * x).sum(), x), "latex", r"\begin{aligned}"),
    "a verification": (ic.verify(D), "html", "finite differences"),
    "what it costs": (ic.preflight(D, n=2, d=3, m=4), "html", "dense:"),
    "a plan": (COMPILED.plan, "html", "FLOPs"),
    "a compressed result": (HELD, "html", "held in"),
    "a grid of them": (ic.compressed([[ic.hessian((x @ x) ** 2, x)]], x=np.ones(2)), "html", "held in"),
    "a diagram": (D.diagram(), "svg", "<title"),
    "a strip": (ic.explain((x * x).sum(), x).diagrams(), "svg", "<title"),
}
"""Each thing that a notebook shows, the form in which it does, and a part of that."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_has_a_form_for_it(name: str) -> None:
    value, form, part = SHOWN[name]
    shown = rerun().shown(value)
    own = {"svg": "image/svg+xml"}.get(form, f"text/{form}")
    assert part in "".join(shown[own])
    if form == "html":
        text = re.sub(r"<code>.*?</code>|\$.*?\$", "", "".join(shown[own]), flags=re.DOTALL)
        assert len(re.findall("<(table|tr|td|th|p|b|div|pre)[ >]", text)) == len(re.findall("</", text))


def test_an_empty_list_shows_its_text() -> None:
    assert ic.grad((x @ x), [])._repr_latex_() is None
