"""What a formula claims in `check`: its left side, its readings, its names, the assumptions under which it is right."""

from __future__ import annotations

from typing import Any

import pytest

import indexcalc as ic

i, j, k = ic.indices("i j k")
X, W, B = ic.tensor("X", "n d"), ic.tensor("W", "d m"), ic.tensor("B", "n m")
L = ic.function("L", "n m ->", gradient="G")
LAYER = ic.grad(L(X @ W + B), W)
A, C = ic.tensor("A", "n n"), ic.tensor("C", "n n")
x, y = ic.column("x", "n"), ic.column("y", "n")
QUADRATIC = ic.grad(x.T @ A @ x, x)
w, t = ic.tensor("w", "d"), ic.tensor("t", "n")
SQUARES = ic.grad(ic.norm2(X @ w - t) ** 2, w)
HESSIAN = ic.hessian(ic.norm2(X @ w - t) ** 2, w)
c, U, b = ic.tensor("c", "n"), ic.tensor("U", "n m"), ic.tensor("b", "m")
TENSOR = (c[i] * U[i, j] + b[j]).diff(U[i, k])

# ------------------------------------------------------------------ the left side


@pytest.mark.parametrize(
    "text",
    [
        "dL/dW = X^T G", "∂L/∂W = X^T G", "d L / d W = X^T G", "(dL/dW) = X^T G", "dL/d(W) = X^T G", "∇L = X^T G",
        "∇_W L = X^T G",
        "-dL/dW = -X^T G", "−∂L/∂W = -X^T G", "2 dL/dW = 2 X^T G", "1/2 dL/dW = X^T G/2", "n dL/dW = n X^T G",
        "(1/n) dL/dW = X^T G/n", "dL/dW/n = X^T G/n", "dL/dW * 3 = 3 X^T G", "2*(dL/dW) = 2*X^T G", "grad_W L = X^T G",
        "R = G^T X; dL/dW = R^T", "-(dL/dW)^T = -G^T X", "dL/dW_ij = X_ni G_nj", "∂L/∂W_{ij} = X_ni G_nj",
        "gradient(L, W) = X^T G", r"\begin{align} dL/dW &= X^T G \end{align}",
        "∂L/∂W[i,j] = X[n,i]*G[n,j]", "∂L/∂W_pq = X_np G_nq", "df/dW = X^T G", "df(x)/dW = X^T G", "dL/dvec(W) = X^T G",
    ],
)  # fmt: skip
def test_a_left_side_is_read(text: str) -> None:
    report = ic.check(text, LAYER)
    assert report.right and report.formula == " ".join(text.split()), str(report)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("-dL/dW = X^T G", ("sign",)), ("2 dL/dW = X^T G", ("factor",)), ("dL/dW = 2 X^T G", ("factor",)),
        ("n dL/dW = X^T G", ("factor",)), ("dL/dW/2 = X^T G", ("factor",)), ("∂L/∂W_ji = X_ni G_nj", ()),
    ],
)  # fmt: skip
def test_a_wrong_left_side_is_wrong(text: str, faults: tuple[str, ...]) -> None:
    report = ic.check(text, LAYER)
    assert not report.right and (not faults or report.faults == faults), str(report)


def test_a_transpose_on_the_left_is_part_of_the_claim() -> None:
    assert ic.check("(dL/dW)^T = X^T G", LAYER).layouts == ("numerator",)
    assert ic.check("(dL/dW)^T = G^T X", LAYER).layouts[0] == "denominator"
    for turned in ("(∂L/∂W)ᵀ", "(dL/dW)'", "(dL/dW).T", "(dL/dW)^{T}", "(dL/dW)^⊤"):
        assert ic.check(f"{turned} = G^T X", LAYER, layout="gradient").right
        assert ic.check(f"{turned} = X^T G", LAYER, layout="gradient").faults == ("transpose",)
    assert ic.check("(dL/dx)^T = x^T (A + A^T)", QUADRATIC, layout="gradient")
    assert ic.check("∇L = G^T X", LAYER).faults == ("transpose",)  # a gradient has the shape of its variable


def test_indices_on_the_left_name_the_axes() -> None:
    square = ic.grad(x.T @ A @ C @ x, A)
    assert ic.check("∂f/∂A_ij = x_i C_jk x_k", square)
    assert not ic.check("∂f/∂A_ji = x_i C_jk x_k", square).right
    assert ic.check("∂f/∂A_ji = x_j C_ik x_k", square)
    assert ic.check("∂y_j/∂U_ik = c_i δ_jk", TENSOR) and ic.check("∂y_p/∂U_qr = c_q δ_pr", TENSOR)
    with pytest.raises(ic.ParseError, match="the right side"):
        ic.check("∂f/∂A_ij = x_i C_pk x_k", square)
    with pytest.raises(ic.ParseError, match="around the right side"):
        ic.check("∂L/∂W_ij = X^T G", LAYER)
    with pytest.raises(ic.NotationError, match="one entry"):
        ic.check("∂y_0/∂W_00 = X^T G", LAYER)


def test_second_derivatives_on_the_left() -> None:
    for left in ("∂²f/∂w²", "d^2f/dw^2", "∂²f/∂w∂w", "d²f/dw dw^T", "H", "Hessian", "∇²f"):
        assert ic.check(f"{left} = 2 X^T X", HESSIAN), left
    with pytest.raises(ic.NotationError, match="of order 1"):
        ic.check("df/dw = 2 X^T X", HESSIAN)
    with pytest.raises(ic.NotationError, match="of order 2"):
        ic.check("d²f/dw² = 2 X^T (X w - t)", SQUARES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dL/dX = X^T G", "a derivative by X, and the one asked about is by W"), ("∇_B L = X^T G", "by B"),
        ("dX/dW = X^T G", "the derivative of X"), ("banana = X^T G", "names no derivative"),
        ("Z = X^T G", "names no derivative"),
        ("dL/dW + 1 = X^T G", "stands after"), ("G dL/dW = X^T G", "is no number"), ("q dL/dW = X^T G", "is no factor"),
        ("2/(dL/dW) = X^T G", "is divided by"), ("d(X q)/dW = X^T G", "'q' is not declared"),
        ("d(X +)/dW = X^T G", "found ')'"), ("d(X W)/dW = X^T G", "is not what was derived"),
        ("A x = X^T G", "names no derivative"),
        ("W = X^T G", "names no derivative"),
    ],
)  # fmt: skip
def test_another_derivative_on_the_left_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(ic.NotationError) as caught:
        ic.check(text, LAYER)
    assert words in str(caught.value) and text.split(" =")[0] in str(caught.value)


def test_the_name_of_a_step_is_its_left_side() -> None:
    step = ic.define("slope", QUADRATIC)
    assert ic.check("slope = A x + A^T x", step) and not ic.check("slope = A x", step).right


def test_the_transpose_of_what_one_derives_by_turns_the_claim() -> None:
    J = ic.derivative(A @ x, x)
    assert ic.check("dy/dx = A", J).layouts == ic.check("dy/dx' = A^T", J).layouts != ic.check("dy/dx' = A", J).layouts
    with pytest.raises(ic.ParseError, match="the transpose of a derivative with 4 axes"):
        ic.check("(dY/dW)^T = X[i,j]*δ[k,l]", ic.derivative(X @ W, W))


def test_what_was_derived_may_stand_on_the_left() -> None:
    assert ic.check("d(x^T A x)/dx = (A + A^T) x", QUADRATIC)
    assert ic.check("∂(x' A x)/∂x = A x + A^T x", QUADRATIC)
    with pytest.raises(ic.NotationError, match="not what was derived"):
        ic.check("d(x^T x)/dx = (A + A^T) x", QUADRATIC)
    with pytest.raises(ic.NotationError, match="no derivative"):
        ic.check("dy/dx = A x", A @ x)


# ------------------------------------------------------------------ readings and names


def test_a_reading_that_the_declarations_contradict_makes_no_verdict() -> None:
    assert not ic.check("x^T A + A x", QUADRATIC).right
    assert not ic.check("x A + x A^T", QUADRATIC).right
    r = ic.row("r", "n")
    D = ic.grad(r @ A @ r.T, r)
    assert ic.check("r (A + A^T)", D).readings.keys() == {"row"}
    assert not ic.check("(A + A^T) r", D).right
    plain = ic.tensor("p", "n")
    assert ic.check("p A + A p", ic.grad(plain @ A @ plain, plain)).right


@pytest.mark.parametrize("text", ["2 (A x - r x)/(x' x)", "2*A@x + q", "X^T (X w - zz)", "R x + A x", "A x + x^T q"])
def test_a_name_that_nobody_declared_is_said(text: str) -> None:
    with pytest.raises(ic.ParseError, match="is not declared"):
        ic.check(text, QUADRATIC if "w" not in text else SQUARES)
    with pytest.raises(ic.ParseError, match="'z' is not declared"):  # and not u, though X @ X has no value
        ic.check("u = X; u @ X @ z + X @ X", ic.grad(ic.tr(X.T @ X), X))


def test_stars_are_read_as_products_where_that_is_right() -> None:
    report = ic.check("2*X'*(X*w - t)", SQUARES)
    assert report.faults == ("product",) and "2 X' (X w - t)" in report.mend and not report.right
    assert ic.check("A*x + A'*x", QUADRATIC).faults == ("product",)
    assert ic.check("X'*G", LAYER).faults == ("product",)  # entry by entry its shapes do not fit
    assert ic.check("2*X'*(X@w - t)", SQUARES).faults == ("product",)
    assert ic.check("A*C", A * C).right  # entrywise, as it is written
    assert ic.check("3*X'*(X*w - t)", SQUARES).faults != ("product",)


# ------------------------------------------------------------------ assumptions


@pytest.mark.parametrize(
    ("formula", "D", "condition"),
    [
        ("2 A x", QUADRATIC, "A is symmetric"),
        ("2*A@C@x", ic.grad(x.T @ A @ C @ x + x.T @ C.T @ A.T @ x, x) / 2 + ic.grad(x.T @ C @ A @ x, x) / 2, ""),
        ("A @ x + C @ x", ic.grad(x.T @ A @ x + x.T @ C @ x, x) / 2, "A is symmetric and C is symmetric"),
        ("ones(n, 1)", ic.grad(ic.abs(x).sum(), x), "x is positive"),
        ("2*x", ic.grad(x.T @ A.T @ A @ x, x), "A is orthogonal"),
        ("softmax(x) - y", ic.grad(-y.T @ ic.log_softmax(x), x), "sum(y) = 1"),
        ("0*x", ic.grad(x.T @ A @ x, x), ""),
    ],
)
def test_conditions_are_minimal(formula: str, D: Any, condition: str) -> None:
    report = ic.check(formula, D, y="n", vectors="column")
    assert not report.right and (report.condition == condition or not condition), str(report)
    assert "diagonal" not in report.condition


def test_no_condition_is_made_of_numbers_that_did_not_meet_a_branch() -> None:
    r, z = ic.tensor("r", "n"), ic.tensor("z", "d")
    D = ic.grad(ic.relu(1 - r * (X @ z)).sum(), z)
    report = ic.check("-X.T @ r", D)
    assert "sums to 1" not in report.condition and not report.right


def test_nothing_is_evaluated_where_forms_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    from indexcalc.equality import arithmetic

    def refuse(*_: Any) -> None:
        raise AssertionError("it was evaluated")

    monkeypatch.setattr(arithmetic.Arithmetic, "run", refuse)
    for D in (LAYER, QUADRATIC, SQUARES, TENSOR):
        assert ic.check(D, D)
    assert ic.check("X^T G", LAYER, layout="gradient")


def test_a_long_chain_is_checked_by_its_form() -> None:
    s = ic.scalar("s")
    e = s
    for _ in range(1000):
        e = ic.sin(e) + s
    D = ic.grad(e, s)
    report = ic.check(D, D)
    assert report and report.exact and "nodes" in report.formula
