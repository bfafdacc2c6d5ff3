"""`check` and `verify`: what they answer, that the answers are true, and what wrong input gets."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import mutations
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import DRAWN

import indexcalc as ic
from indexcalc.checking.mends import FAULTS
from indexcalc.engine.bind.declared import HOLDS
from indexcalc.layout.conventions import CONVENTIONS

i, j, k, l = ic.indices("i j k l")  # noqa: E741
X, W, B = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("B", "n m")
L = ic.function("L", "n m ->", gradient="G")
LAYER = ic.grad(L(X @ W + B), W)
A, x, y = ic.tensor("A", "n n"), ic.column("x", "n"), ic.column("y", "n")
QUADRATIC = ic.grad(x.T @ A @ x, x)
w, t = ic.tensor("w", "d"), ic.tensor("t", "n")
SQUARES = ic.grad(ic.norm2(X @ w - t) ** 2, w)

# ------------------------------------------------------------------ right


@pytest.mark.parametrize(
    ("text", "layouts"),
    [("X.T @ G", {"gradient", "denominator"}), ("X^T G", {"gradient", "jax"}), ("(G^T X)^T", {"mixed"})],
)
def test_a_right_formula_is_right_in_its_layouts(text: str, layouts: set[str]) -> None:
    report = ic.check(text, LAYER)
    assert report and report.right and report.verdict == "right" and report.exact
    assert layouts <= set(report.layouts) <= set(CONVENTIONS) and "numerator" not in report.layouts
    assert report.readings == {} and not report.faults and report.example is None


def test_the_transpose_is_right_in_numerator_layout() -> None:
    assert "numerator" in ic.check("G^T X", LAYER).layouts
    asked = ic.check("G^T X", LAYER, layout="gradient")
    assert asked.faults == ("transpose",) and asked.repair == "X.T @ G"


@pytest.mark.parametrize("left", ["dL/dW = ", "∂L/∂W = ", "∇L = ", "dL/dW=", ""])
def test_a_left_hand_side_may_name_the_derivative(left: str) -> None:
    assert ic.check(f"{left}X^T G", LAYER)


def test_every_layout_of_a_derivative_is_right_in_itself() -> None:
    for D in (LAYER, QUADRATIC, SQUARES, ic.hessian(ic.sin(x).sum(), x), ic.derivative(X @ W, W)):
        for name in CONVENTIONS:
            try:
                laid = D.layout(name)
            except ic.LayoutError:
                continue
            report = ic.check(laid, D)
            assert report and name in report.layouts, f"{name}: {laid}"
            assert name in ic.check(str(laid), D, vectors=laid.vectors).layouts


def test_readings_are_named() -> None:
    report = ic.check("2 X^T (X w - t)", SQUARES)
    assert report.reading == "numpy" and set(report.readings) == {"numpy", "column"}
    assert "denominator" in report.readings["column"] and "denominator" not in report.readings["numpy"]
    assert ic.check("2 (X w - t)^T X", SQUARES, vectors="column").layouts[0] == "numerator"
    z = ic.tensor("z", "n")
    row = ic.check("z (A + A^T)", ic.grad(z @ A @ z, z))
    assert row and set(row.readings) == {"numpy", "row"}


def test_by_numbers_where_forms_differ() -> None:
    s = ic.scalar("s")
    report = ic.check("sin(2*s)", ic.grad(ic.sin(s) ** 2, s))
    assert report and not report.exact and "random inputs" in report.how


def test_abstract_functions_have_random_numbers() -> None:
    u = ic.function("u", "n -> m")
    D = ic.derivative(ic.sin(u(x)) ** 2, x)
    report = ic.check("diagm(sin(2*u(x))) @ Du(x)", D)
    assert report and not report.exact
    assert ic.check("-diagm(sin(2*u(x))) @ Du(x)", D).faults == ("sign",)
    z = ic.tensor("z", "n")
    assert (ic.sin(u(z)) ** 2).equals(1 - ic.cos(u(z)) ** 2) and not u(z).equals(2 * u(z))


def test_a_plain_expression_is_compared_as_it_is() -> None:
    assert ic.check("A x", A @ x) and ic.check(A @ x, A @ x)
    assert ic.check("A[i,j]*z[j]", A[i, j] * ic.tensor("z", "n")[j])
    assert ic.check(0, ic.scalar("s") * 0)
    assert ic.check("A^T x", A @ x).faults == ("sum",)


def test_both_meanings_of_a_structured_derivative() -> None:
    S = ic.tensor("S", "n n", symmetric=True)
    texts = {"projected": "inv(S)", "independent": "2 inv(S) - diagm(diag(inv(S)))"}
    for structure in texts:
        D = ic.grad(ic.logdet(S), S, structure=structure)
        for other, formula in texts.items():
            report = ic.check(formula, D)
            assert report.right == (other == structure) and report.meaning == other
            assert report.right or (report.faults == ("meaning",) and "gradient" in report.layouts)


# ------------------------------------------------------------------ index notation


def test_names_of_indices_are_matched_by_dimension() -> None:
    c, U = ic.tensor("c", "n"), ic.tensor("U", "n m")
    D = (c[i] * U[i, j]).diff(U[i, k])
    assert ic.check("c[i]*δ[j,k]", D).names == {}
    assert ic.check("c_p δ_qr", D).names in ({"p": "i", "q": "j", "r": "k"}, {"p": "i", "r": "j", "q": "k"})
    assert ic.check("X[b,i]*G[b,o]", LAYER).names == {"i": "axis 0", "o": "axis 1"}


def test_exchanged_indices_are_a_transpose() -> None:
    a, b, c = (ic.tensor(name, "n") for name in "abc")
    D = (a[k] * b[i] * c[i]).diff(c[j])
    report = ic.check("a[j]*b[k]", D)
    assert report.faults == ("transpose",) and report.mend == "exchange indices: j is k, k is j"
    assert ic.check("a[p]*b[q]", D)


def test_indices_of_other_dimensions_are_matched_too() -> None:
    loss = ic.function("L", "m ->", gradient="G")
    c, U, G = ic.tensor("c", "n"), ic.tensor("U", "n m"), ic.tensor("G", "m")
    D = ic.diff(loss(c[i] * U[i, j]), U[i, j])
    assert ic.check("c[i]*G[j]", D) and ic.check("c[p]*G[q]", D) and ic.check(c[i] * G[j], D)
    assert ic.check("c[j]*G[i]", D).mend == "exchange indices: j is i, i is j"
    assert "denominator" in ic.check("c G^T", D, vectors="column").layouts
    assert ic.check("c G^T", D, G="m").right


def test_a_name_is_one_tensor() -> None:
    loose = ic.tensor("S", "n n")
    S = ic.tensor("S", "n n", symmetric=True)
    assert ic.check(ic.inv(loose), ic.grad(ic.logdet(S), S))
    report = ic.check("inv(S)", ic.grad(ic.logdet(S), S), S="p p")
    assert report.verdict == "wrong" and "S has dimensions (p, p)" in report.note


def test_axes_in_another_order() -> None:
    D = ic.derivative(X @ W, W)
    report = ic.check('einsum("ni,mj->mnij", X, eye(m))', D, layout="jax")
    assert report.faults == ("transpose",) and "axes in the order" in report.mend


def test_a_missing_index_is_named() -> None:
    report = ic.check("A[i,j]", (A[i, j] * ic.tensor("z", "n")[k]).diff(A[i, l]))
    assert report.verdict == "wrong" and "free indices are i, j" in report.note


def test_tensors_of_many_axes() -> None:
    D = (A[i, j] * A[k, l]).diff(A[ic.indices("p q")])
    assert ic.check(D, D) and ic.check(str(D), D) and ic.check(-D, D).faults == ("sign",)


# ------------------------------------------------------------------ what would mend it

MENDED: list[tuple[str, Any, tuple[str, ...], str]] = [
    ("-2 X^T (X w - t)", SQUARES, ("sign",), "change the sign"),
    ("X^T (X w - t)", SQUARES, ("factor",), "multiply by 2"),
    ("2 X^T (X w - t)/n", SQUARES, ("factor",), "multiply by n"),
    ("3 X^T (X w - t)/(n*d)", SQUARES, ("factor",), "multiply by 2*d*n/3"),
    ("2 X^T X w", SQUARES, ("missing term",), "add -2*t @ X"),
    ("2 X^T (X w - t) + w", SQUARES, ("extra term",), "leave out w"),
    ("2 X^T (X w + t)", SQUARES, ("sign",), "change the sign of the term 2*t @ X"),
    ("2 X^T X w - 3 X^T t", SQUARES, ("factor",), "the term -3*t @ X should be -2*t @ X"),
    ("2 X (X w - t)", SQUARES, ("transpose",), "transpose X"),
    ("2 X^T X w - w[0]*2 X^T t", SQUARES, ("factor",), "should be -2*t @ X"),
    ("X G", LAYER, ("transpose",), "transpose X"),
    ("X^T G^T", LAYER, ("transpose",), "write G for G^T"),
    ("A x", QUADRATIC, ("symmetric part",), "add A.T @ x"),
    ("A + A^T", ic.hessian(x.T @ A @ x / 2, x), ("factor",), "multiply by 1/2"),
    ("A", ic.hessian(x.T @ A @ x, x), ("symmetric part",), "add its transpose"),
    ("2 A A x", ic.grad(x.T @ A.T @ A @ x, x), ("sum",), "transpose A"),
    ("det(A) inv(A)", ic.grad(ic.det(A), A, structure="free"), ("transpose",), ""),
    ("inv(A).T", ic.grad(ic.det(A), A), ("factor",), "multiply by det(A)"),
]


@pytest.mark.parametrize(("text", "D", "faults", "words"), MENDED, ids=[row[0] for row in MENDED])
def test_what_would_mend_it(text: str, D: Any, faults: tuple[str, ...], words: str) -> None:
    layout = "gradient" if faults == ("transpose",) and D.of == () else None
    report = ic.check(text, D, layout=layout)
    assert not report and report.faults == faults, str(report)
    assert words in report.mend and set(report.faults) <= set(FAULTS)
    assert report.verdict == "right but for " + " and ".join(FAULTS[fault] for fault in faults)
    assert ic.check(report.repair, D, layout=layout), report.repair
    shown = report.example
    assert shown is None or shown.formula != shown.derivative


def test_the_order_of_vec() -> None:
    P, V, Q = ic.tensor("P", "p m"), ic.tensor("V", "m n"), ic.tensor("Q", "n q")
    D = ic.derivative(P @ V @ Q, V)
    assert "magnus-neudecker" in ic.check("kron(Q.T, P)", D).layouts
    whole = ic.check("kron(P, Q.T)", D, layout="magnus-neudecker")
    assert whole.faults == ("vec order",) and "rows and the columns" in whole.mend
    columns = ic.check("kron(Q.T, P) @ commutation(n, m)", D, layout="magnus-neudecker")
    assert columns.faults == ("vec order",) and "rows" not in columns.mend
    both = ic.check("kron(P^T, Q)", D, layout="magnus-neudecker")
    assert both.faults == ("transpose", "vec order")
    rows = ic.check("commutation(p, q) @ kron(Q.T, P)", D, layout="magnus-neudecker")
    assert rows.faults == ("vec order",) and "columns" not in rows.mend


CONDITIONS = [
    ("2 A x", QUADRATIC, "A is symmetric"),
    ("softmax(x) - y", ic.grad(-y.T @ ic.log_softmax(x), x), "sum(y) = 1"),
    ("2*x", ic.grad(x.T @ A.T @ A @ x, x), "A is orthogonal"),
    ("sign(y)", ic.grad(ic.abs(x).sum(), x), ""),
    ("ones(n, 1)", ic.grad(ic.abs(x).sum(), x), "x is positive"),
    ("0*x", QUADRATIC, ""),
]


@pytest.mark.parametrize(("text", "D", "condition"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_an_assumption_that_would_make_it_right(text: str, D: Any, condition: str) -> None:
    report = ic.check(text, D, y="n", vectors="column")
    assert not report and report.condition == condition, str(report)
    assert report.verdict == (f"right if {condition}" if condition else report.verdict)


def test_the_condition_is_true() -> None:
    S = ic.tensor("A", "n n", symmetric=True)
    assert ic.check("2 A x", ic.grad(x.T @ S @ x, x))
    p = ic.column("y", "n", stochastic=True)
    assert ic.check("softmax(x) - y", ic.grad(-p.T @ ic.log_softmax(x), x))


def test_a_symmetric_tensor_of_order_4() -> None:
    c, z, a = ic.tensor("c", "n n n n"), ic.tensor("z", "n"), ic.index("a")
    D = (c[i, j, k, l] * z[i] * z[j] * z[k] * z[l]).diff(z[a])
    assert ic.check("4 c[a,j,k,l]*z[j]*z[k]*z[l]", D).condition == "c is symmetric"


def test_every_assumption_of_the_library_is_tried() -> None:
    from indexcalc.checking.conditions import STRONGER, WORDS

    assert set(HOLDS) | {"symmetric", "skew"} == {*WORDS, *STRONGER}


def test_a_wrong_formula_shows_a_term_and_an_input() -> None:
    a = ic.column("a", "n")
    D = ic.grad(ic.exp(a.T @ x), x)
    report = ic.check("exp(a^T x) x", D)
    assert report.verdict == "wrong" and not report.faults
    assert str(report.difference) == "it has exp(a.T @ x)*x, and the derivative exp(a.T @ x)*a"
    shown = report.example
    assert shown is not None
    assert all(np.all(np.asarray(value) == np.round(value)) and np.size(value) <= 9 for value in shown.inputs.values())
    right = np.atleast_1d(D.evaluate(shown.inputs))[shown.entry]
    own = np.atleast_1d((ic.exp(a.T @ x) * x).evaluate(shown.inputs))[shown.entry]
    assert (shown.formula, shown.derivative) == (pytest.approx(own), pytest.approx(right))


def test_shapes_that_do_not_fit_where_there_is_no_tensor() -> None:
    assert "has 3, the only axis of ones(4)" in ic.check("ones(3) @ ones(4)", ic.eye(3)).note


def test_a_term_too_many_is_named() -> None:
    report = ic.check("A x + A^T x + exp(x)", QUADRATIC)
    assert report.faults == ("extra term",) and str(report.difference).startswith("it has exp(x), which the derivative")
    assert report.mend == "leave out exp(x)"


@pytest.mark.parametrize(
    ("factor", "mend"),
    [
        ("1/sqrt(a)", "multiply by sqrt(a)"), ("a**2", "multiply by 1/a**2"), ("a/10", "multiply by 10/a"),
        (np.e, "multiply by 0.367879"), (-0.25, "multiply by -4"),
    ],
)  # fmt: skip
def test_a_factor_is_named(factor: Any, mend: str) -> None:
    v, a = ic.tensor("v", "n"), ic.scalar("a", positive=True)
    D = ic.grad(a * ic.norm2(v), v)
    report = ic.check(D * (ic.parse(factor, a=a) if isinstance(factor, str) else factor), D)
    assert report.faults == ("factor",) and report.mend == mend


def test_a_tensor_with_a_symmetry_is_assumed_no_other() -> None:
    T, v = ic.tensor("T", "n n n", symmetric=[(0, 1)]), ic.tensor("v", "n")
    report = ic.check(3 * ic.einsum("ijk,j,k->i", T, v, v), ic.grad(ic.einsum("ijk,i,j,k->", T, v, v, v), v))
    assert not report.right and report.condition == ""


def test_a_wrong_shape_says_which_is_asked() -> None:
    report = ic.check("A", QUADRATIC)
    assert report.verdict == "wrong" and "its shape is (n, n), and should be (n,) in gradient" in report.note


def test_an_example_with_a_matrix_that_is_not_square() -> None:
    report = ic.check("X inv(X' X)", ic.grad(ic.logdet(X.T @ X), X))
    assert report.mend == "multiply by 2" and report.example is not None
    given = report.example.inputs["X"]
    wanted = 2 * given @ np.linalg.inv(given.T @ given)
    assert np.isclose(report.example.derivative, wanted[report.example.entry])


@pytest.mark.parametrize("factor", [2, -1, 7])
def test_an_example_has_its_values_at_its_inputs(factor: int) -> None:
    shown = ic.check(f"{factor} X^T G", LAYER).example
    assert shown is not None
    right = (shown.inputs["X"].T @ shown.inputs["G"])[shown.entry]
    assert (shown.formula, shown.derivative) == (factor * right, right)


def test_an_example_has_negative_numbers_where_positive_ones_show_nothing() -> None:
    v = ic.tensor("v", "n")
    shown = ic.check("ones(n)", ic.grad(ic.relu(v).sum(), v)).example
    assert shown is not None and (shown.formula, shown.derivative) == (1, 0)
    assert "is 6, and should be" not in str(ic.check("A x + A^T x + 0.00001*x", QUADRATIC).example)


def test_a_report_reads_well() -> None:
    report = ic.check("X^T G", LAYER)
    assert str(report) == repr(report) and str(report).startswith("right: X^T G\n  layouts    ")
    shown = ic.check("A x", QUADRATIC)._repr_html_()
    assert shown.startswith("<b>right but for a dropped symmetric part</b>: <code>A x</code><table>")


# ------------------------------------------------------------------ numbers


def test_numbers_are_compared_at_their_inputs() -> None:
    rng = np.random.default_rng(0)
    at = {"A": rng.normal(size=(3, 3)), "x": rng.normal(size=3)}
    right = (at["A"] + at["A"].T) @ at["x"]
    for values in (right, right.tolist(), right[:, None], right + 1e-7, right.astype(np.float32)):
        report = ic.check(values, QUADRATIC, at=at)
        assert report and "gradient" in report.layouts and not report.exact
    assert "numerator" in ic.check(right[None, :], QUADRATIC, at=at).layouts
    assert ic.check(-right, QUADRATIC, at=at).faults == ("sign",)
    assert ic.check(right / 3, QUADRATIC, at=at).mend == "multiply by 3"
    wrong = ic.check(right + np.array([0, 1, 0]), QUADRATIC, at=at)
    assert wrong.verdict == "wrong" and wrong.example is not None and wrong.example.entry == (1,)
    assert ic.check(right[:2], QUADRATIC, at=at).note.startswith("its shape is (2,)")
    H = ic.hessian(x.T @ A @ x, x)
    assert ic.check(at["A"], H, at=at).faults == ("symmetric part",)
    assert ic.check(at["A"] + at["A"].T, H, at={x: at["x"], A: at["A"]})


def test_numbers_of_a_matrix() -> None:
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(2, 3)), "W": rng.normal(size=(3, 4)), "B": rng.normal(size=(2, 4))}
    G = rng.normal(size=(2, 4))
    right = at["X"].T @ G
    assert "gradient" in ic.check(right, LAYER, at={**at, "G": lambda Y: G}).layouts
    assert "numerator" in ic.check(right.T, LAYER, at={**at, "G": lambda Y: G}).layouts
    D = ic.derivative(X @ W, W)
    kron = np.kron(np.eye(4), at["X"])
    assert "magnus-neudecker" in ic.check(kron, D, at={"X": at["X"], "W": at["W"]}, layout="magnus-neudecker").layouts
    v = ic.tensor("v", "m")
    turned = ic.check(-at["W"].T, ic.derivative(W @ v, v), at={"W": at["W"], "v": np.ones(4)})
    assert turned.faults == ("sign",) and turned.layouts == ("denominator",) and turned.example is None
    other = ic.check(np.kron(at["X"], np.eye(4)), D, at={"X": at["X"], "W": at["W"]}, layout="magnus-neudecker")
    assert other.faults == ("vec order",)


def test_numbers_of_another_meaning() -> None:
    given = np.array([[2.0, 1.0], [1.0, 3.0]])
    inverse = np.linalg.inv(given)
    report = ic.check(2 * inverse - np.diag(np.diag(inverse)), ic.grad(ic.logdet(S), S), at={"S": given})
    assert report.faults == ("meaning",) and "this is the independent derivative" in report.mend
    assert ic.check(np.zeros(0), ic.grad(x.T @ x, x), at={"x": np.zeros(0)}).right


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: ic.check("2 A q", QUADRATIC), ic.ParseError, "'q' is not declared"),
        (lambda: ic.check("2 A (", QUADRATIC), ic.ParseError, "found the text ends"),
        (lambda: ic.check("", QUADRATIC), ic.ParseError, "expected"),
        (lambda: ic.check("x", 3), ic.KindError, "no derivative"),
        (lambda: ic.check(None, QUADRATIC), ic.KindError, "no formula"),
        (lambda: ic.check(np.ones(3), QUADRATIC), ic.InputError, "at which inputs"),
        (lambda: ic.check(np.ones(3), QUADRATIC, at={"x": [1, 2]}), ic.InputError, "missing input A"),
        (lambda: ic.check(np.ones(3), QUADRATIC, at=[1]), ic.KindError, "no table"),
        (lambda: ic.check("A x", QUADRATIC, at={"x": [1]}), ic.InputError, "leave at= out"),
        (lambda: ic.check("A x", QUADRATIC, layout="nope"), ic.LayoutError, "no convention"),
        (lambda: ic.check("A x", A @ x, layout="jax"), ic.LayoutError, "no derivative"),
        (lambda: ic.check("A x", QUADRATIC, vectors="up"), ic.InputError, "not known"),
        (lambda: ic.check("log(-s**2) + s", ic.log(-(ic.scalar("s") ** 2))), ic.InputError, "no random input"),
        (lambda: ic.verify(x * QUADRATIC), ic.DerivativeError, "does not know"),
        (lambda: ic.verify(QUADRATIC, of=x.T @ x), ic.DerivativeError, "one of of= and wrt="),
        (lambda: ic.verify(A @ x, of=A @ x, wrt=x), ic.DerivativeError, "axes"),
        (lambda: ic.verify(2 * t[i], of=t[j] * t[j], wrt=t[k]), ic.DerivativeError, "its indices are (i,)"),
        (lambda: ic.verify("x"), ic.KindError, "no derivative"),
        (lambda: ic.verify(ic.hvp(x.T @ A @ x, x, y)), ic.DerivativeError, "does not know"),
        (lambda: ic.verify(ic.grad(ic.log(-(x.T @ x)), x)), ic.InputError, "no random input"),
    ],
)
def test_wrong_input_is_an_error_that_helps(ask: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        ask()
    assert words in str(caught.value)


# ------------------------------------------------------------------ verify

S = ic.tensor("S", "n n", symmetric=True)
T = ic.tensor("T", "n n", toeplitz=True)
K = ic.tensor("K", "n n", skew=True)
U = ic.function("U", "n -> m")
n_, c_, d_ = ic.index("n", batch=True), ic.index("c"), ic.index("d")
Z = ic.tensor("Z", "N C")
STEP = ic.define("h", X @ w)
MEANINGS = ("projected", "independent")
VERIFIED = [
    LAYER, QUADRATIC, SQUARES,
    *(ic.grad(ic.tr(V @ V @ V) + ic.tr(A @ V), V, structure=how) for V in (S, T) for how in MEANINGS),
    ic.grad(ic.tr(A @ K), K, structure="independent"), ic.grad(ic.logdet(S), S, structure="free"),
    *(ic.hessian(ic.tr(S @ S @ S), S, structure=how) for how in ("projected", "independent", "free")),
    ic.hessian(L(X @ W + B), W, X), ic.derivative(ic.exp(U(x)), x, 2), ic.vjp(X @ W, W, B),
    ic.softmax(Z[n_, c_], c_).diff(Z[n_, d_]), (ic.sin(t[i]) * t[i]).diff(t[i]), ic.grad(ic.norm2(STEP) ** 2, STEP),
    (t[i] * A[i, j]).diff(A[k, l], t[k]), (S[i, j] * S[i, j]).diff(S[k, l], structure="free"),
    ic.grad(ic.eigvalsh(S).sum(), S), ic.derivative(ic.inv(A), A),
]  # fmt: skip


@pytest.mark.parametrize("D", VERIFIED, ids=lambda D: str(D)[:40])
def test_derivatives_are_verified(D: Any) -> None:
    found = ic.verify(D)
    assert found and found.error < 1e-8, str(found)
    assert {trial.method for trial in found.trials} <= {"finite differences", "complex steps"}
    assert len({tuple(trial.sizes.items()) for trial in found.trials}) > 1
    assert str(found).startswith("agrees with finite differences")


def test_complex_steps_where_all_is_analytic() -> None:
    def methods(D: Any) -> set[str]:
        return {trial.method for trial in ic.verify(D).trials}

    assert methods(ic.grad(ic.exp(x).sum(), x)) == {"finite differences", "complex steps"}
    assert methods(ic.grad(ic.abs(x).sum(), x)) == {"finite differences"}


def test_beside_a_kink_or_a_pole_nothing_is_measured() -> None:
    """Differences that do not settle say nothing, whatever the seed; nor does a norm of what is 0."""
    a, b, c = (ic.tensor(name, "N d") for name in "abc")
    u, v = ic.tensor("u", "n"), ic.tensor("v", "n")
    margin = ic.norm2(a - b, axis=1) - ic.norm2(a - c, axis=1) + 1
    correlation = ic.cov(u, v) / (ic.std(u) * ic.std(v))
    for value, by, seeds in (
        (ic.mean(ic.relu(margin)), a, (0, 5)),
        (ic.std(u), u, (0, 1)),
        (correlation, u, range(0, 25, 4)),
        ((1 / (u - v)).sum(), u, range(0, 25, 4)),
    ):
        D = ic.grad(value, by)
        for seed in seeds:
            assert ic.verify(D, seed=seed), ic.verify(D, seed=seed)
            assert not ic.verify(1.001 * D, of=value, wrt=by, seed=seed)
    with pytest.raises(ic.InputError, match="no random input gives finite numbers that settle"):
        ic.verify(ic.grad(ic.std(ic.tensor("u", 1)), ic.tensor("u", 1)))


@pytest.mark.parametrize("factor", [-1, 1.001, 0, 2])
def test_a_wrong_derivative_is_caught(factor: float) -> None:
    D = ic.grad(ic.sin(x).sum() + x.T @ A @ x, x)
    found = ic.verify(factor * D, of=ic.sin(x).sum() + x.T @ A @ x, wrt=x)
    assert not found and found.line.startswith("DIFFERS from ")
    worst = found.worst
    assert worst.claimed == pytest.approx(factor * worst.measured, rel=1e-6, abs=1e-9)


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from indexcalc.functions.table import ELEMENTWISE

    row = ELEMENTWISE["atan"]
    v = ic.tensor("v", "n")
    right = ic.grad(ic.atan(v).sum(), v)
    monkeypatch.setitem(ELEMENTWISE, "atan", replace(row, rules=(lambda x, y: 1 / (1 + x),)))
    u = ic.tensor("u", "n")
    wrong = ic.grad(ic.atan(u).sum(), u)
    assert ic.verify(right) and not ic.verify(wrong)


def test_a_wrong_meaning_is_caught() -> None:
    D = ic.grad(ic.tr(A @ S), S)
    assert ic.verify(D) and not ic.verify(D, of=ic.tr(A @ S), wrt=S, structure="independent")


def test_seeds_give_other_inputs() -> None:
    one, other = (ic.verify(QUADRATIC, seed=seed) for seed in (0, 1))
    assert one and other and one.seed != other.seed and one.trials != other.trials
    assert ic.verify(QUADRATIC, seed=1).trials == other.trials


def test_the_text_of_a_derivative_with_ranges_of_sums() -> None:
    """Its own indices run as far as in it, or as far as arrays bound them: both are readings of a formula."""
    x, y, A, i = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("A", "m m"), ic.index("i")
    p, q = ic.indices("p q")
    summed = ic.diff(ic.roll(x[i], 1, axis=i) * y[i] * ic.sum(ic.sin(A)), A[p, q])
    free = ic.diff(ic.roll(x[i], 1, axis=i) * ic.sum(ic.sin(A)), A[p, q])
    for D in (summed, free):
        assert "i-1" in str(D) and ic.check(str(D), D).verdict == "right"
        assert not ic.check(str(-D), D) and not ic.check(str(2 * D), D)


# ------------------------------------------------------------------ random derivatives, and mistakes in them


@pytest.mark.slow
def test_a_derivative_is_right_and_a_changed_one_is_not() -> None:
    """The text of a derivative is right, two changes of it with other numbers are not, 95 % of reasons are right."""
    tally: Counter[bool] = Counter()

    @given(st.integers(0, 2**40))
    def examine(seed: int) -> None:
        D = mutations.derivative(seed)
        if D is None:
            return
        layout = None if isinstance(D, ic.Expr) else "jax"
        assert ic.check(str(D), D, layout=layout)
        changes = list(mutations.mutants(D, seed))
        for kind, changed in random.Random(seed).sample(changes, min(2, len(changes))):
            if changed.equals(D):
                DRAWN[f"check {kind}: same numbers"] += 1
                continue
            report = ic.check(changed, D, layout=layout)
            assert not report, f"{kind}: {changed}"
            good = len(report.faults) == 1 and report.faults[0] in mutations.REASONS[kind]
            tally[good] += 1
            DRAWN[f"check {kind}: {report.verdict}"] += 1

    examine()
    assert tally[True] >= 0.95 * tally.total(), dict(tally)
