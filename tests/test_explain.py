"""Derivations: every line is an equality, the last is the derivative, and textbook cases take a few lines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpus_case import cases, evaluated
from derivations import MORE, POSTED, numbers
from hypothesis import given
from hypothesis import strategies as st
from programs import SHAPES, TENSORS, arrays, program, sizes

import indexcalc as ic
from indexcalc.calculus.derivative import identity, push_forward
from indexcalc.engine.bind.inputs import symbols_below
from indexcalc.explaining.differentials import Differentials
from indexcalc.explaining.entries import Entries
from indexcalc.explaining.lines import Line, latex_title, names_met, put
from indexcalc.explaining.reasons import REASONS, constants_told, delta_rule, rules_in, told, transposes_told
from indexcalc.explaining.seeds import opened_latex, opened_text
from indexcalc.explaining.stages import depending, inside, part_names
from indexcalc.graph.constructors import variable
from indexcalc.graph.node import KINDS
from indexcalc.simplify.rewriting.rewrite import Trace

FRESH = {name: ic.index(name) for name in "efghuv"}
i, j, k, l = ic.indices("i j k l")  # noqa: E741
x, W, b = ic.tensor("x", "n"), ic.tensor("W", "n m"), ic.tensor("b", "m")
X, w, t = ic.tensor("X", "N n"), ic.tensor("w", "n"), ic.tensor("t", "N")
A, S = ic.tensor("A", "n n"), ic.tensor("S", "n n", symmetric=True)
LOSS = ic.function("L", "N m ->", gradient="G")


def close(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    exists = np.isfinite(one) & np.isfinite(other)
    scale = max(1.0, np.max(np.abs(one[exists]), initial=0.0))
    return one.shape == other.shape and bool(np.all(np.abs(one - other)[exists] <= 1e-8 * scale))


# ------------------------------------------------------------------ each line is an equality


@pytest.mark.slow
@pytest.mark.parametrize("style", ["index", "differential"])
@pytest.mark.parametrize("case", list(cases().values()), ids=lambda case: case.id)
def test_the_lines_of_the_corpus(case, style):
    """Both sides of each line at two sets of sizes; the last has the derivative's numbers."""
    if case.id == "cookbook-89":
        with pytest.raises(ic.IndexCalcError):
            ic.explain(case.value, case.wrt[0], style=style)
        return
    explained = ic.explain(case.value, case.wrt[0], style=style, structure="free")
    derived = ic.derivative(case.value, case.wrt[0], structure="free")
    assert 2 <= len(explained) <= 24
    layout = next(iter(case.expected))
    for which in (0, 1):
        values, _ = case.numbers(which, layout)
        rng = np.random.default_rng(which)
        for view in {v for line in explained for v in (*line.left.inputs, *line.right.inputs)}:
            if view.label.startswith("d") and view.label not in values and view.label[1:] in values:
                values[view.label] = rng.normal(size=np.shape(values[view.label[1:]]))
        for line in explained:
            assert close(evaluated(line.left, values, which), evaluated(line.right, values, which)), str(line)
        last = np.asarray(evaluated(explained.result, values, which))
        assert close(last.ravel(), np.asarray(evaluated(derived, values, which)).ravel())


def lines_hold(seed: int) -> None:
    rng = random.Random(seed)
    twin, dims = program(rng, 1 + seed % 3), sizes(rng)
    values = arrays(rng, dims)
    labels = sorted(v.label for v in twin.expr.inputs) or ["x"]
    label = rng.choice(labels)
    own = tuple(FRESH[name] for name in "efg")[: len(SHAPES[label].split())]
    by = TENSORS[label][own] if own else TENSORS[label]
    explained = ic.explain(twin.expr, by)
    for line in explained:
        sides = []
        order = line.left.free if isinstance(line.left, ic.Expr) else None
        for view in (line.left, line.right):
            needed = {v.label: values[v.label] for v in view.inputs}
            symbols = symbols_below([view.node, *view.inputs])
            own = order if isinstance(view, ic.Expr) else None
            sides.append(view.evaluate(needed, order=own, **{d: n for d, n in dims.items() if d in symbols}))
        assert close(*sides), str(line)
    assert explained.result == twin.expr.diff(by)


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_the_lines_of_random_expressions(seed):
    lines_hold(seed)


# ------------------------------------------------------------------ what a person would post


def test_a_linear_layer_in_entries():
    assert str(ic.explain(x[i] * W[i, j] + b[j], W[k, l])).splitlines() == [
        "y[j]          = x[i]*W[i,j] + b[j]     [write the entries]",
        "∂y[j]/∂W[k,l] = x[i]*∂W[i,j]/∂W[k,l]   [b and x are constant: they stay]",
        "              = x[i]*δ[i,k]*δ[j,l]     [∂W[i,j]/∂W[k,l] = δ[i,k]*δ[j,l]]",
        "              = x[k]*δ[j,l]            [each delta renames a summed index]",
    ]


def test_a_loss_in_differentials():
    shown = str(ic.explain(LOSS(X @ W + b), W, style="differential"))
    for part in ("dL    = G : du", "du    = X @ dW", "G : (X @ dW)", "(X.T @ G) : dW", "∂L/∂W = X.T @ G"):
        assert part in shown


def test_a_transpose_is_explained():
    remarks = ic.explain(LOSS(X @ W), W).remarks
    assert any("X.T on the left" in remark for remark in remarks)
    assert any("W.T on the right" in remark for remark in ic.explain(LOSS(X @ W), X).remarks)


@pytest.mark.parametrize("style", ["index", "differential"])
@pytest.mark.parametrize(("make", "by"), [
    (lambda: x @ A @ x, x), (lambda: ic.norm2(X @ w - t) ** 2, w), (lambda: ic.logdet(A), A), (lambda: ic.inv(A), A),
    (lambda: ic.tr(A @ A @ A), A), (lambda: ic.softmax(x), x), (lambda: ic.logsumexp(x), x), (lambda: X @ W, W),
    (lambda: ic.det(A), A), (lambda: ic.tanh(X @ w), w), (lambda: LOSS(X @ W), W), (lambda: A.T @ A, A),
    (lambda: ic.softplus(X @ w).sum() - t @ X @ w, w), (lambda: ic.normF(X @ W) ** 2 / 2, W),
])  # fmt: skip
def test_textbook_cases_take_three_to_eight_lines(make, by, style):
    explained = ic.explain(make(), by, style=style)
    assert 3 <= len(explained) <= 8, str(explained)
    assert all(line.rule and line.text and line.latex_text for line in explained)


COMMON = {
    "write the entries", "write the value", "name what stands inside", "put together", "put in",
    "read off the matrix form", "read off what multiplies the differential", "each delta renames a summed index",
}  # fmt: skip
"""What is said in many derivations and is no rule that tells one from another."""


def rules_of(explained: Any) -> list[str]:
    """The rules by name, each once, without what the table of the page leaves out."""
    told = [rule.partition(":")[0] for line in explained for rule in line.rule.split("; ")]
    kept = [r for r in told if r not in COMMON and not r.startswith(("∂", "A ", "a ")) and "constant" not in r]
    return list(dict.fromkeys(kept))


@pytest.mark.parametrize("style", ["index", "differential"])
@pytest.mark.parametrize("row", [*POSTED, *MORE], ids=lambda row: row.title)
def test_what_people_post(row, style):
    """A few lines, each with a rule that says its formula, each an equality, and a last one that is no longer."""
    explained = ic.explain(row.value, row.by, style=style)
    nested = sum(line.rule == "name what stands inside" for line in explained) > 1
    assert 3 <= len(explained) <= (12 if nested else 8), str(explained)
    assert len(explained.lines[-1].text.partition(" -> ")[0]) <= len(row.posted) + 2
    for line in explained:
        assert line.rule and not any(name in line.rule for name in ("Cookbook", "Higham", "Giles"))
        order = line.left.free if isinstance(line.left, ic.Expr) and isinstance(line.right, ic.Expr) else None
        assert close(numbers(line.left, order), numbers(line.right, order)), str(line)
    assert ic.check(row.posted, explained.result).verdict == "right"


def test_the_page_of_derivations():
    """Each is printed there, and the table has the numbers of lines, the rules and the lengths."""
    page = (Path(__file__).parent.parent / "docs" / "derivations.md").read_text()
    for row in POSTED:
        ours = ic.explain(row.value, row.by, style=row.style)
        other = ic.explain(row.value, row.by, style="index" if row.style == "differential" else "differential")
        assert str(ours) in page, row.title
        cells = [row.title, row.steps, len(ours), len(other), ", ".join(rules_of(ours)) or "none"]
        cells += [f"`{row.posted}`", len(row.posted), len(ours.lines[-1].text)]
        assert f"| {' | '.join(map(str, cells))} |" in page


def test_rules_of_matrix_functions_say_their_formula():
    P = ic.tensor("P", "n n", positive_definite=True)
    for value, by, formula in (
        (ic.cholesky(P).sum(), P, "dL = L Φ(L^-1 dS L^-T)"), (ic.expm(A).sum(), A, "dY = Dexpm(X, dX)"),
        (ic.svdvals(A).sum(), A, "∂norm_nuc/∂X[i,j] = polar(X[i,j], i, j)"), (ic.normF(A), A, "X[i,j]/normF(X[k,l])"),
    ):  # fmt: skip
        assert formula in " ".join(line.rule for line in ic.explain(value, by)), str(ic.explain(value, by))


def test_a_function_is_named_where_it_is_differentiated():
    """The rules of what stands inside are not told where the function outside is differentiated."""
    lines = ic.explain(ic.norm2(ic.tanh(A @ x) - x) ** 2, A).lines
    assert "tanh" not in lines[2].rule and any("tanh'" in line.rule for line in lines)


@pytest.mark.parametrize("style", ["index", "differential"])
def test_a_name_behind_with_is_the_name_of_no_part(style):
    U, h, c = ic.tensor("U", "n n"), ic.tensor("h", "n"), ic.tensor("b", "n")
    for value in (ic.tanh(U @ ic.tanh(U @ h + c) + c), ic.tanh(U @ ic.tanh(U @ ic.tanh(U @ h)))):
        explained = ic.explain(ic.norm2(value) ** 2 / 2, U, style=style)
        parts, own = names_met(explained)
        assert parts and own and parts.isdisjoint(own), str(explained)


def test_a_part_is_named_once():
    """What stands inside two functions has one name and one derivation."""
    s = ic.sigmoid(X @ w)
    text = ic.explain(-(t * ic.log(s) + (1 - t) * ic.log(1 - s)).sum(), w).text(full=True)
    assert len(text.splitlines()) <= 13 and text.count("= X[j,i]*w[i] ") == 1


def test_a_part_stands_upright():
    """`u = X @ W`, though a softmax of rows is kept as one of the columns of the transpose."""
    Y = ic.tensor("Y", "N m", onehot=True)
    value = -(Y * ic.log(ic.softmax(X @ W, axis=1))).sum()
    assert "u     = X @ W " in str(ic.explain(value, W, style="differential"))
    assert "u[k,l]          = X[k,i]*W[i,l]" in str(ic.explain(value, W))


def test_what_is_constant_stays_or_goes():
    y = ic.tensor("y", "n")
    assert "y is constant: it goes" in str(ic.explain(ic.norm2(x - y) ** 2, x))
    assert "X is constant: it stays" in str(ic.explain(X @ w, w))
    assert constants_told((x + y).node, x.node, x.node) == "y is constant: it goes"


def test_the_rules_are_named():
    rules = " ".join(line.rule for line in ic.explain(ic.tanh(X @ w).sum() * (w @ w), w))
    assert "product rule" in rules and "tanh' = 1 - tanh(x)**2" in rules


@pytest.mark.parametrize("style", ["index", "differential"])
def test_what_does_not_occur_is_said_so(style):
    explained = ic.explain(X @ w, ic.tensor("Q", "n m"), style=style)
    assert explained.result == 0 and "Q does not occur in it" in str(explained)


def test_a_structured_variable_says_which_derivative():
    explained = ic.explain((A @ S).sum(), S)
    assert any("structure='projected'" in line.rule for line in explained)
    independent = ic.explain(ic.logdet(S), S, structure="independent")
    assert explained.result != independent.result
    assert "independent" in str(independent)


def test_the_differential_of_a_structured_variable_has_each_entry_once():
    """`dL = G : dS` counts both entries of a pair: G is the projected derivative, the independent one is told after."""
    explained = ic.explain(ic.logdet(S), S, structure="independent", style="differential")
    values = {"S": np.array([[3.0, 1.0], [1.0, 2.0]]), "dS": np.array([[0.3, 0.7], [0.7, -0.2]])}
    for line in explained:
        left, right = (
            side.evaluate({v.label: values[v.label] for v in side.inputs}) for side in (line.left, line.right)
        )
        np.testing.assert_allclose(left, right, err_msg=str(line))
    assert [line.rule for line in explained][-1] == "structure='independent'"
    assert explained.result == ic.grad(ic.logdet(S), S, structure="independent")


def test_a_hessian_is_the_derivation_of_a_gradient():
    gradient = ic.grad(ic.softplus(X @ w).sum(), w)
    explained = ic.explain(gradient, w)
    assert explained.lines[-1].text == str(ic.hessian(ic.softplus(X @ w).sum(), w))


def test_a_long_derivation_folds():
    value = X
    for number in range(4):
        value = ic.tanh(value @ ic.tensor(f"V{number}", "n n"))
    explained = ic.explain(value.sum(), ic.tensor("V0", "n n"))
    assert "text(full=True)" in str(explained) or len(explained) <= 12
    assert len(explained.text(full=True).splitlines()) >= len(explained)


def test_latex_is_an_aligned_block():
    latex = ic.explain(x[i] * W[i, j] + b[j], W[k, l]).latex()
    assert latex.startswith("\\begin{aligned}") and latex.endswith("\\end{aligned}")
    assert "\\frac{\\partial y_{j}}{\\partial W_{kl}}" in latex
    assert "\\frac{\\partial W_{ij}}{\\partial W_{kl}}" in latex
    assert latex.count("&=") == 4


def test_text_does_not_depend_on_the_run():
    assert len({str(ic.explain(LOSS(X @ W + b), W)) for _ in range(3)}) == 1


@pytest.mark.parametrize(("make", "words"), [
    (lambda: ic.explain(x[i] * W[i, j], W), "no indices"),
    (lambda: ic.explain(X @ W, W[i, k]), "has indices"),
    (lambda: ic.explain(X @ W, W, style="prose"), "style"),
    (lambda: ic.explain(3, W), "expression"),
    (lambda: ic.explain(x[i] * W[i, j], W[k, l], style="differential"), "leave the indices out"),
])  # fmt: skip
def test_errors_say_what_to_write(make, words):
    with pytest.raises(ic.IndexCalcError, match=words):
        make()


# ------------------------------------------------------------------ the parts, each alone


def test_what_stands_inside_functions():
    value, target = ic.exp(X @ w).node, w.node
    depends = depending(value, target)
    assert depends == {target, value, (X @ w).node}
    assert inside(value, target, depends) == [(X @ w).node]
    assert part_names(2, {"u"}) == ["v", "z"]


def test_the_rules_that_a_derivative_uses():
    value, (n,) = (ic.exp(X @ w) ** 2).node, w.node.dims
    seeds = {w.node: identity(w.node)}, {ic.exp(X @ w).node: variable("s", (*ic.exp(X @ w).node.dims, n))}
    rules = []
    for seed in seeds:
        trace = Trace()
        push_forward([value], seed, (n,), trace)
        rules.append(rules_in(trace))
    assert rules == [["chain rule: exp' = exp(x)", "power rule"], ["power rule"]]
    assert told(["a", "b", "c", "d"]) == "a; b; c"
    assert constants_told((X @ w).node, w.node, X.node) == "X is constant: it stays"
    assert delta_rule("x", 1) == "∂x[i]/∂x[j] = δ[i,j]"
    assert [remark.partition(":")[0] for remark in transposes_told("X.T @ G")] == ["X.T on the left"]


def test_each_kind_has_its_rules():
    assert set(REASONS) == set(KINDS)


def test_open_derivatives_as_text_and_latex():
    assert opened_text("∂u[i,k]*∂L[k]", "w", 1) == "∂u[i]/∂w[k]*∂L/∂w[k]"
    assert opened_latex(r"\mathrm{∂u}_{ik}", "w", 1) == r"\frac{\partial u_{i}}{\partial w_{k}}"
    assert latex_title("∂y[j]/∂W[k,l]") == r"\frac{\partial y_{j}}{\partial W_{kl}}"


def test_a_line_that_says_nothing_new_is_left_out():
    lines: list[Line] = []
    for rule in ("one", "two"):
        put(lines, Line(rule, "y", x, x, "x", "y", "x"))
    assert [line.rule for line in lines] == ["one"]


def test_each_style_alone():
    loss = ic.norm2(X @ w) ** 2
    for style in (Entries(loss, w, "projected"), Differentials(loss, w, "projected")):
        explained = style.explanation()
        assert str(explained.lines[-1].right) == "2*X.T @ X @ w"
