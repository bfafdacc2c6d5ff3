"""Plots: a pattern has every entry that numbers have, blocks are told apart, and each plot is made."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.drawing.pattern import pattern
from indexcalc.drawing.plots import traced
from indexcalc.drawing.structure import STRUCTURES
from indexcalc.errors import Asked, IndexCalcError, InputError, KindError, LayoutError

i, j, k, l = ic.indices("i j k l")  # noqa: E741
x, y, z = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("z", 1)
W, A, B = ic.tensor("W", "m n"), ic.tensor("A", "n n"), ic.tensor("B", "n n")
D, S = ic.tensor("D", "n n", diagonal=True), ic.tensor("S", "n n", symmetric=True)
SIZES = {"n": 4, "m": 3}

VIEWS: dict[str, Any] = {
    "δ": ic.eye("n"),
    "a Jacobian of rows": ic.derivative(W @ x, W),
    "a Jacobian of entries": ic.derivative(ic.tanh(x), x),
    "what is 1 at 0": ic.derivative(ic.exp(x * x), x),
    "a Hessian of blocks": ic.hessian((ic.tanh(W @ x) ** 2).sum(), W),
    "softmax": ic.derivative(ic.softmax(x), x),
    "a slice": ic.derivative(x[1:] - x[:-1], x),
    "one entry": ic.derivative(x[1:2], x),
    "one entry of one": ic.derivative(z * z, z),
    "a triangle": ic.tril(A),
    "a diagonal matrix": D @ ic.tril(A),
    "ε": ic.epsilon(i, j, k) * ic.tensor("v", 3)[k],
    "kron": ic.kron(ic.eye("n"), W),
    "vec": ic.derivative(ic.vec(A @ B), B),
    "an inverse": ic.derivative(ic.inv(A), A),
    "a quotient": ic.derivative(x / (y * y + 1), x),
    "a choice": ic.derivative(ic.where(x > y, x * x, y), x),
    "a named step": ic.define("h", ic.diagm(x)) * 2,
    "a diagonal": ic.derivative(ic.diag(A), A),
    "constant along an axis": x[i] * ic.ones(j, dim="m") + ic.ones(i, dim="n") * W[j, k] * x[k],
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_a_pattern_has_what_numbers_have(name: str) -> None:
    view = VIEWS[name]
    rng = np.random.default_rng(1)
    found = pattern(view.node, SIZES, Asked(lambda: name))
    met = np.zeros(found.shape, bool)
    for _ in range(2):
        values = {}
        for variable in view.inputs:
            numbers = rng.normal(size=[SIZES.get(str(dim), dim) for dim in variable.dims])
            values[variable.label] = np.diag(np.diag(numbers)) if "diagonal" in variable.assumptions else numbers
        order = view.indices if hasattr(view, "indices") else None
        met |= view.evaluate(values, order=order, **({} if view.inputs else {"n": 4})) != 0
    assert not (met & ~found).any()
    assert name in ("a choice", "an inverse") or (met == found).all()


@pytest.mark.parametrize(
    ("view", "layout", "told"),
    [
        (VIEWS["δ"], None, "4 × 4, rows i=4, columns j=4; blocks of 4 × 4: 1 δ"),
        (ic.tril(A), None, "4 × 4, rows i=4, columns j=4; blocks of 4 × 4: 1 dense"),
        (x, None, "4 × 1, rows i=4, columns 1; blocks of 4 × 1: 1 dense"),
        (VIEWS["a slice"], None, "3 × 4, rows i=3, columns j=4; blocks of 3 × 4: 1 band"),
        (VIEWS["a slice"], "denominator", "4 × 3, rows j=4, columns i=3; blocks of 4 × 3: 1 band"),
        (
            VIEWS["a Jacobian of rows"],
            "magnus-neudecker",
            "3 × 12, rows i=3, columns (k=4, j=3); blocks of 3 × 3: 4 δ",
        ),
        (
            VIEWS["a Jacobian of rows"],
            "vec-rows",
            "3 × 12, rows i=3, columns (j=3, k=4); blocks of 1 × 4: 6 zero, 3 dense",
        ),
        (
            ic.diff(W[i, j] * x[j], W[k, l]),
            None,
            "3 × 12, rows i=3, columns (k=3, l=4); blocks of 1 × 4: 6 zero, 3 dense",
        ),
        (
            VIEWS["a Hessian of blocks"],
            None,
            "12 × 12, rows (i=3, j=4), columns (k=3, l=4); blocks of 4 × 4: 6 zero, 3 dense",
        ),
        (ic.derivative(S @ S, S), "vech", "10 × 10, rows {i j}=10, columns {k l}=10; blocks of 10 × 10: 1 dense"),
    ],
    ids=str,
)  # fmt: skip
def test_blocks_are_told(view: Any, layout: str | None, told: str) -> None:
    sizes = {name: size for name, size in SIZES.items() if name == "n" or "m" in str([v.dims for v in view.inputs])}
    assert str(view.plot(sizes, layout=layout)) == told


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: W.plot(n=3), InputError, "no size for m"),
        (lambda: W.plot(n=3, m=2, q=1), InputError, "unknown dimension 'q'"),
        (lambda: W.plot({"n": 3}, n=3, m=2), InputError, "n is given twice"),
        (lambda: W.plot(n=3, m=0), InputError, "nothing to draw"),
        (lambda: W.plot(n=3, m=-2), InputError, "no size"),
        (lambda: W.plot(n=3000, m=3000), InputError, "give smaller sizes"),
        (lambda: W.plot(n=3, m=2, layout="jax"), LayoutError, "no derivative"),
        (lambda: ic.derivative(W @ x, W).plot(n=3, m=2, layout="jx"), LayoutError, "no convention"),
        (lambda: ic.derivative(W @ x, W).plot(n=3, m=2, layout="numerator"), LayoutError, "no matrix holds it"),
        (lambda: x.plot(n=3).save("x.txt"), KindError, "no format"),
        (lambda: x.plot(n=3).save(3), KindError, "no format"),
    ],
)
def test_what_is_refused(call: Any, error: type[IndexCalcError], said: str) -> None:
    if "save" in call.__code__.co_names:
        pytest.importorskip("matplotlib")
    with pytest.raises(error, match=said):
        call()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"indexcalc\[plot\]"):
        _ = x.plot(n=3).figure


def test_each_structure_is_drawn_in_its_colour() -> None:
    colours = pytest.importorskip("matplotlib.colors")
    from indexcalc.drawing.plots import COLOURS

    assert set(COLOURS) == set(STRUCTURES)
    views = {"zero": ic.zeros("n", "n"), "δ": ic.eye("n"), "band": VIEWS["a slice"], "dense": A}
    for name, view in views.items():
        figure = view.plot(n=5).figure
        image = figure.axes[0].images[0]
        seen = {colours.to_hex(image.cmap(image.norm(value))) for value in np.unique(image.get_array())}
        assert COLOURS[name] in seen <= {COLOURS[name], COLOURS["zero"]}
        assert {text.get_text() for text in figure.legends[0].get_texts()} == {
            kind for kind, colour in COLOURS.items() if colour in seen
        }


def test_axes_have_names() -> None:
    pytest.importorskip("matplotlib")
    axes = ic.derivative(W @ x, W).plot(n=4, m=3, layout="magnus-neudecker").figure.axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("i=3", "(k=4, j=3)")
    assert axes.get_title() == "magnus-neudecker"


def test_the_memory_of_a_plan() -> None:
    pytest.importorskip("matplotlib")
    plan = ic.compile(A @ (A @ x), (A, x), sizes={"n": 9}).plan
    plot = plan.plot()
    assert str(plot) == repr(plot) == "4 steps, at most 18 entries at once beside the inputs"
    (line,) = plot.figure.axes[0].lines
    assert max(line.get_ydata()) == 18
    assert plan.peak_bytes == 8 * 18


def test_a_function_with_its_derivatives(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    s = ic.scalar("s")
    plot = ic.tanh(s).plot()
    lines = plot.figure.axes[0].lines[:3]
    points = lines[0].get_xdata()
    expected = (np.tanh(points), 1 - np.tanh(points) ** 2, -2 * np.tanh(points) * (1 - np.tanh(points) ** 2))
    for line, numbers in zip(lines, expected, strict=True):
        np.testing.assert_allclose(line.get_ydata(), numbers, atol=1e-12)
    for name in ("log", "relu", "sign", "sqrt", "gammaln"):
        assert len(getattr(ic, name)(s).plot().figure.axes[0].lines) == 4
    plot.save(tmp_path / "tanh.svg")
    assert (tmp_path / "tanh.svg").read_text("utf-8").startswith("<?xml")
    assert plot._repr_png_().startswith(b"\x89PNG")


# ------------------------------------------------------------------ curves


def test_a_curve_ends_where_the_function_does_and_jumps_are_no_lines() -> None:
    s, points = ic.scalar("s"), np.linspace(-2, 2, 81)
    log, slope = traced([ic.log(s), 1 / s], s, points)
    assert np.isnan(log[points <= 0]).all() and np.isnan(slope[points <= 0]).all() and np.isfinite(slope[41:]).all()
    (sign,) = traced([ic.sign(s)], s, points)
    assert not {-1.0, 1.0} <= {*sign[39:42]} and np.isnan(sign).sum() == 2
    (tangent,) = traced([ic.tan(s)], s, points)
    assert not (np.diff(tangent) < 0).any()  # where it is drawn it rises
    for smooth in (ic.exp(3 * s), ic.erf(9 * s), s**3, ic.abs(s)):
        assert np.isfinite(traced([smooth], s, points)).all()


def test_the_picture_of_functions_is_that_of_the_table() -> None:
    path = Path(__file__).resolve().parent.parent / "docs" / "curves.py"
    spec = importlib.util.spec_from_file_location("curves", path)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made, kept = tool.picture(), tool.PICTURE.read_text("utf-8")
    number = re.compile(r"-?\d+(?:\.\d+)?")
    assert number.sub("", made) == number.sub("", kept), "python docs/curves.py writes it"
    pairs = zip(number.findall(made), number.findall(kept), strict=True)
    assert all(abs(float(one) - float(other)) < 0.25 for one, other in pairs), "python docs/curves.py writes it"
    assert "functions.svg" in path.with_name("functions.md").read_text("utf-8")
