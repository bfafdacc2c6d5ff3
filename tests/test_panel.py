"""`D.layouts()`: its lines, its NumPy expressions, its slices, and which derivative by a structured variable it is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.layout.conventions import CONVENTIONS

i, j, k, l = ic.indices("i j k l")  # noqa: E741
p, q = ic.indices("p q")
n_ = ic.index("n", batch=True)
SIZES = {"h": 5, "n": 3, "m": 2, "N": 4, "C": 5}
x, W, b, X = ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("b", "m"), ic.tensor("X", "N n")
A, S, w, z = ic.tensor("A", "n n"), ic.tensor("S", "n n", symmetric=True), ic.column("w", "n"), ic.tensor("z", "N C")
s, eps, F = ic.scalar("s"), ic.tensor("eps", 3, 3, symmetric=True), ic.tensor("F", 3, 3)
V = ic.tensor("V", "n h")
R, U = ic.tensor("R", 1, 3), ic.tensor("U", 3, 2)
D_ = ic.tensor("D", "n n")
DERIVATIVES = {
    "layer": lambda: (x[i] * W[i, j] + b[j]).diff(W[i, k]),
    "order of writing": lambda: (W[i, j] * x[i] * X[k, l]).diff(X[p, q]),
    "matrix by matrix": lambda: ic.derivative(X @ W, W),
    "gradient": lambda: ic.grad(ic.sum(ic.tanh(X @ W)), W),
    "column": lambda: ic.grad(w.T @ A @ w, w),
    "row": lambda: ic.grad(ic.row(w).T.T @ A @ w, w),
    "Hessian": lambda: ic.hessian(w.T @ A @ w, w),
    "Hessian by a matrix": lambda: ic.hessian(ic.sum((X @ W) ** 2), W),
    "third": lambda: ic.derivative(ic.sum(ic.exp(x)), x, 3),
    "scalars": lambda: (s**3).diff(s),
    "vector by scalar": lambda: ic.derivative(s * x, s),
    "matrix by scalar": lambda: ic.derivative(s * X, s),
    "vector by matrix": lambda: ic.derivative(W.T @ x, W),
    "matrix by vector": lambda: ic.derivative(ic.outer(x, x), x),
    "batch": lambda: ic.softmax(z[n_, i], i).diff(z[n_, j]),
    "unit axes": lambda: ic.derivative(R @ U, R),
    "structured": lambda: ic.grad(ic.logdet(S), S),
    "independent": lambda: ic.grad(ic.logdet(S), S, structure="independent"),
    "inverse": lambda: ic.derivative(ic.inv(S), S),
    "free": lambda: ic.derivative(ic.inv(S), S, structure="free"),
    "twice": lambda: ic.hessian(ic.logdet(S), S, structure="independent"),
    "strain": lambda: ic.hessian(s * ic.tr(eps @ eps @ eps), eps),
    "strain, free": lambda: ic.hessian(ic.tr(F @ eps @ F @ eps), eps, structure="free"),
    "strain, independent": lambda: ic.hessian(s * ic.tr(eps @ eps @ eps), eps, structure="independent"),
    "by a vector too": lambda: ic.hessian(ic.sum(eps @ ic.exp(ic.tensor("a", 3))), ic.tensor("a", 3), eps),
    "named D": lambda: ic.derivative(D_ @ X.T, D_),
    "divergence": lambda: (x[i] * S[i, j]).diff(x[j]),
    "keywords": lambda: (x[ic.index("in")] * V[ic.index("in"), ic.index("is")]).diff(V[ic.index("as"), ic.index("if")]),
    "zero": lambda: ic.derivative(x, W),
}
each = pytest.mark.parametrize("name", DERIVATIVES)


def numbers(view: Any, given: dict[str, Any]) -> Any:
    dims = [dim for node in (view.node, *view.inputs) for dim in node.dims]
    symbols = {symbol for dim in dims for symbol in getattr(dim, "symbols", ())}
    return np.asarray(view.evaluate({v.label: given[v.label] for v in view.inputs}, **{d: SIZES[d] for d in symbols}))


def inputs(view: Any) -> dict[str, Any]:
    draw, found = np.random.default_rng(0), {}
    for v in view.inputs:
        value = draw.uniform(0.5, 1.5, [SIZES.get(str(dim), dim) for dim in v.dims])
        found[v.label] = value + value.T + 3 * np.eye(3) if "symmetric" in v.assumptions else value
    return found


@each
def test_every_line_is_right(name: str) -> None:
    """The formula is the text of the layout; the NumPy expression makes its numbers; a refusal is the layout's."""
    D = DERIVATIVES[name]()
    panel = D.layouts()
    assert [row.name for row in panel] == list(CONVENTIONS) and len(panel) == len(CONVENTIONS)
    given = inputs(D)
    for row in panel:
        if row.shape is None:
            with pytest.raises(ic.LayoutError) as caught:
                D.layout(row.name)
            assert (row.reason, row.instead) == (caught.value.found, caught.value.instead) and row.reason
            continue
        laid = D.layout(row.name)
        assert (row.shape, row.formula) == (laid.shape, str(laid))
        made = eval(row.numpy, {"np": np, **SIZES, "D": numbers(D, given)})
        expected = numbers(laid, given)
        assert made.shape == expected.shape and np.allclose(made, expected), (row.name, row.numpy)


@each
def test_every_view_is_right(name: str) -> None:
    """Slices for fixed entries, and what contracting gives, by their NumPy expressions and their formulas."""
    D = DERIVATIVES[name]()
    given = inputs(D)
    array = numbers(D, given)
    panel = D.layouts()
    assert bool(panel.views) == (D.order > 2)
    for row in panel.views:
        shape = tuple(SIZES.get(str(dim), dim) for dim in row.shape)
        if row.name.startswith("contracted"):
            letter, first, axes = re.search(r'"(\w+),(\w+)->.*", (\w+), D\)|$', row.numpy).group(3, 1, 2)
            dims = [D.shape[axes.index(axis)] for axis in first]
            value = np.random.default_rng(1).normal(size=[SIZES.get(str(dim), dim) for dim in dims])
            made = eval(row.numpy, {"np": np, "D": array, letter: value})
            tensors = {v.label: ic.Array(v) for v in D.inputs} | {letter: ic.tensor(letter, *dims)}
            known = {word: ic.column(view) if view.order == 1 else view for word, view in tensors.items()}
            read = ic.parse(row.formula, vectors="column", **known)
            assert np.allclose(np.squeeze(numbers(read, {**given, letter: value})), np.squeeze(made)), row
        else:
            fixed = [word for word in re.findall(r"\w+", row.numpy) if word != "D"]
            made = eval(row.numpy, {"np": np, "D": array, **dict.fromkeys(fixed, 0)})
        assert made.shape == shape, row


def test_text_and_notebook() -> None:
    """The panel prints aligned lines; the notebook has a table; both say what no matrix holds."""
    panel = DERIVATIVES["layer"]().layouts()
    text, html = str(panel), panel._repr_html_()
    assert repr(panel) == text and text.isprintable() is False and "No matrix holds it: it has 3 axes" in text
    assert "numerator, denominator, mixed, cookbook: no matrix holds it: 3 axes" in text
    for row in panel.held:
        assert row.name in html and row.numpy.replace('"', "&quot;") in html and row.latex
    assert html.count("<table>") == 2 and html.count("<tr>") == 2 + len(panel.held) + len(panel.views)
    lines = [line for line in text.splitlines() if line.endswith('order="F")')]
    assert len({line.index("D.reshape") for line in lines}) == 1
    assert panel["vec-rows"].numpy == "D.reshape(m, n*m)" and panel["gradient"].instead
    with pytest.raises(ic.LayoutError):
        panel["vec"]


def test_a_structured_derivative_says_which_it_is() -> None:
    """In the panel, in a notebook, in `structure` and `note`, for each variable; the text reads back all the same."""
    for structure in ("projected", "independent", "free"):
        named = (A[i, j] * S[i, j]).diff(S[k, l], structure=structure)
        for D in (ic.grad(ic.logdet(S), S, structure=structure), named):
            assert D.structure == structure and f"structure='{structure}'" in str(D.layouts()) and structure in D.note
            assert f"({structure})" in D._repr_latex_() and structure in D.layouts()._repr_html_()
            assert ic.parse(str(D), **D.declarations) == D
    both = (A[i, j] * S[i, j] * S[p, p]).diff(S[k, l], structure="independent").diff(S[p, q])
    assert both.structure == "independent, projected" and both.structures == ("independent", "projected")
    assert "independent entry" in both.note and "projection" in both.note
    plain = DERIVATIVES["layer"]()
    assert plain.structure == "" and "structure" not in str(plain.layouts())


def test_only_a_derivative_has_a_panel() -> None:
    for view in (A, A[i, j], ic.grad(ic.logdet(S), S) + S):
        with pytest.raises(ic.LayoutError) as caught:
            view.layouts()
        assert "no derivative" in caught.value.found and caught.value.asked.endswith(".layouts()")


@pytest.mark.parametrize(
    ("vector", "value", "jacobian", "contracted"),
    [
        (ic.row("r", "n"), lambda r, W: r @ W, "kron(eye(m), r)", "r.T @ G"),
        (ic.row("r", "n"), lambda r, W: r @ W + ic.row("b", "m"), "kron(eye(m), r)", "r.T @ G"),
        (ic.column("c", "n"), lambda c, W: W.T @ c, "kron(eye(m), c.T)", "c @ G.T"),
        (ic.tensor("x", "n"), lambda x, W: x @ W, "kron(eye(m), x.T)", "x @ G.T"),
    ],
)
def test_vectors_stand_in_one_way_in_all_rows(vector, value, jacobian, contracted):
    W = ic.tensor("W", "n m")
    panel = ic.derivative(value(vector, W), W).layouts()
    assert panel["magnus-neudecker"].formula == jacobian
    assert panel["contracted with G = dL/dY"].formula == contracted


def test_a_numpy_expression_has_nothing_needless() -> None:
    """No order for axes that stand in it, no half sum for what is symmetric once the pairs of its variable are one."""
    rows = {row.name: row.numpy for row in ic.derivative(R @ U, R).layouts()}
    assert rows["numerator"] == "np.transpose(D, (1, 3, 0, 2)).reshape(2, 3)"
    assert rows["vec-columns"] == 'D.reshape(2*1, 3*1, order="F")'
    for Y, swaps in ((eps, 1), (eps @ eps, 1), (ic.tr(eps) * eps, 1)):
        free = {row.name: row.numpy for row in ic.derivative(Y, eps, structure="free").layouts()}
        assert all(free[name].count("swapaxes") == swaps for name in ("vech", "mandel", "voigt-strain")), (Y, free)
