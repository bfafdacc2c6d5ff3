"""What people type and paste: what is read, what is said of the reading, what is refused with both readings."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import indexcalc as ic
from indexcalc.reading.guess import told, unknown_names
from indexcalc.reading.tokens.dialects import DIALECTS
from indexcalc.reading.tokens.lexing import lexed
from indexcalc.reading.tokens.passes import PASSES, parse_tree
from indexcalc.reading.tokens.words import Words, spellings, splits

A, B, X = ic.tensor("A", "n n"), ic.tensor("B", "n n"), ic.tensor("X", "m n")
x, y, b = ic.column("x", "n"), ic.column("y", "n"), ic.column("b", "m")
s, lam = ic.scalar("s"), ic.scalar("lam")
f = ic.function("f", "n ->")
KNOWN = {"A": A, "B": B, "X": X, "x": x, "y": y, "b": b, "s": s, "lam": lam}
i, j = ic.indices("i j")


def read(text: str, **options: Any) -> Any:
    """A text of columns."""
    return ic.parse(text, **{"vectors": "column", **KNOWN, **options})


MEANINGS = [
    # where a bar opens, and what stands around
    ("|x'x||y'y|", ic.abs(x.T @ x) * ic.abs(y.T @ y)), ("2|s|", 2 * ic.abs(s)), ("||x||_∞", ic.max(ic.abs(x))),
    ("‖x‖₂²", ic.norm2(x) ** 2), ("||x||^2_2", ic.norm2(x) ** 2), ("‖A‖_2", ic.max(ic.svdvals(A))),
    ("‖A‖_*", ic.norm_nuc(A)), ("||x||_A^2", x.T @ A @ x), ("<x, y> + s", x.T @ y + s), ("(s < lam)", s < lam),
    # what stands above
    ("A^TA", A.T @ A), ("x^TA x", x.T @ A @ x), ("A^-T x", ic.inv(A).T @ x), ("X^+ b", ic.pinv(X) @ b),
    ("A^{-1/2}", ic.inv(ic.sqrtm(A))), ("A³", ic.matrix_power(A, 3)), ("e^A", ic.expm(A)), ("e^x", ic.exp(x)),
    ("sin^2 s", ic.sin(s) ** 2), ("(A^T)^2", A.T @ A.T),
    # names side by side
    ("2x'A'Ax", 2 * x.T @ A.T @ A @ x), ("XA + X", X @ A + X), ("λI + A", A + lam * ic.eye("n")),
    ("1'A1", ic.sum(A)), ("A + 11'", A + ic.ones("n", "n")), ("I_n - A", ic.eye("n") - A),
    # functions without brackets
    ("log det A", ic.logdet(A)), ("tr A B", ic.tr(A @ B)), ("sin 2s", ic.sin(2 * s)),
    ("sin s cos s", ic.sin(s) * ic.cos(s)), ("√s", ic.sqrt(s)), ("log(det(A))", ic.log(ic.det(A))),
    # names of other programs
    ("np.linalg.inv(A)", ic.inv(A)), ("torch.relu(x)", ic.relu(x)), ("A.trace()", ic.tr(A)), ("x.sum()", ic.sum(x)),
    ("norm(A, 'fro')", ic.normF(A)), ("max(s, lam)", ic.maximum(s, lam)),
    # the question itself
    ("∇ x'x", 2 * x), ("1_n' x", ic.sum(x)), ("d/dx x'Ax + y", (A + A.T) @ x + y), ("grad_x x'x", 2 * x),
    ("∂²(x'Ax)/∂x∂x", A + A.T), ("f = x'x; df/dx", 2 * x),
    # pasted
    (r"\log\det(A)", ic.logdet(A)), (r"\frac{\partial s x}{\partial s}", x), (r"\vec{x}^T y", x.T @ y),
    (r"\langle A, B \rangle_F", ic.sum(A * B)), ("{x}^{T}{A}{x}", x.T @ A @ x), (r"\(x^T A x\)", x.T @ A @ x),
    ("x^T A x.", x.T @ A @ x), (r"\|x\|_{A^{-1}}^2", x.T @ ic.inv(A) @ x), (r"{\rm tr}(A)", ic.tr(A)),
    (r"\sum x_i", ic.sum(x)), (r"\sum x_i y_i", x.T @ y), (r"A^{\circ 2}", A**2),
    (r"\begin{cases} s, & \text{if } s > 0, \\ 0, & \text{otherwise.}\end{cases}", ic.where(s > 0, s, 0)),
    (r"\begin{align*} r &= Ax \\ &= A x \\ f &= r^T r \end{align*}", x.T @ A.T @ A @ x),
    (r"\mathbb{1}_{s>0} s", ic.where(s > 0, s, 0)), (r"\sqrt[3]{s}", s ** Fraction(1, 3)),
    # letters
    ("λ x", lam * x), ("lambda x", lam * x), ("½ s", s / 2), ("x ⊙ y", x * y), ("x·y", x.T @ y), ("x·A", A.T @ x),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_one_meaning_is_read(text: str, meaning: Any) -> None:
    made = read(text)
    assert made == meaning or bool(made.equals(meaning)), made


REFUSED = [
    ("x^2", "x**2 for each entry", "x'x"), ("sum(A^2)", "A**2 for each entry", "matrix_power(A, 2)"),
    ("x'*A*x", "x.T @ A", "diagm"), ("x*y'", "x @ y.T", ""), ("|x|", "norm2(x)", "abs(x)"),
    ("‖A‖", "normF(A)", "svdvals"), ("‖A‖_1", "norm1(A)", "axis=0"), ("x ⊗ y", "outer(x, y)", "kron(x, y)"),
    ("x·y·x", "(x·y) z", "x (y·z)"), ("x y", "x' y", "x ∘ y"), ("log s lam", "log(s) lam", "log(s lam)"),
    ("log s/2", "log(s)/2", "log(s/2)"), ("A d(Ax)/dx", "layout", "numerator"), ("∇_x (A x)", "∂(...)/∂x", ""),
    ("Σ_i x_i + y_i", "brackets", "another index"), ("A x = b", "equation", "ic.check"), ("x_1", "from 0", "[0]"),
    ("A .* B", 'syntax="matlab"', ""), ("1'1", "nothing tells the length", "ones(n)"), ("2'", "vector of ones", ""),
    ("Σ_{i=1}^m x_i", "from 1 to m", "1 to n"), ("A_ij x_i^j", "indices", ""), ("qr(A)", "cholesky", ""),
    ("foo(x, y)", "'foo' is not declared", ""), (r"A \pm B", "two readings", ""), (r"\frobnicate A", "not read", ""),
    ("\top A", "backslash was lost", "raw"), (r"\sigma x", "'sigma' is not declared", ""),
    (r"A + \sigma^2 I", "'sigma' is not declared", ""), ("ψ x", "not declared", ""), ("t x", "'t' is not declared", ""),
    ("H x", "'H' is not declared", ""), ("dx/ds", "is 0", "x = t y"), (r"\frac{dx}{dy}", "is 0", ""),
    ("|x", "nothing closes", ""), (r"\frac{1}{2", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "first", "second"), REFUSED, ids=[row[0] for row in REFUSED])
def test_two_readings_are_both_spelled_out(text: str, first: str, second: str) -> None:
    with pytest.raises(ic.ParseError) as caught:
        read(text)
    assert first in str(caught.value) and second in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Ax", "`Ax` is read as A x"), ("A : B", "A_ij B_ij"), ("|A|", "det(A)"), ("log|A|", "logdet(A)"),
        ("A·x", "sums the axes"), ("e^A", "expm"), ("x'A x", ""),
        ("d(x'x)/ds", "nothing in it depends on s"), (r"x^\top A x", ""),
    ],
)  # fmt: skip
def test_the_reading_is_said_where_it_is_not_obvious(text: str, note: str) -> None:
    said = read(text).note
    assert note in said and bool(said) == bool(note)


def test_a_note_leaves_the_declared_tensor_alone() -> None:
    assert read("f = Ax; f").note and not A.note and not (A @ x).note


def test_errors_keep_the_column_of_what_was_typed() -> None:
    with pytest.raises(ic.ParseError, match="column 13"):
        read(r"\frac{1}{2} q + x")
    with pytest.raises(ic.ParseError, match="line 2, column 5"):
        read("t = x'x\nt + q")


# ------------------------------------------------------------------ guesses


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X w - y", "X n×d, w d, y n"), ("x'A x + b'x + c", "x n, A n×n, b n, c a number"),
        ("tr(A X B)", "A n×d, X d×m, B m×n"), ("(A + λI)^-1 b", "A n×n, lam a number, b n"),
        ("x_i W_ij + b_j", "x n, W n×d, b d"), (r"X \Sigma^{-1} X^\top", "X n×d, Sigma d×d"),
        ("A ⊗ B", "A n×d, B m×k"), ("W_1 x + W_2 y", "W_1 n×d, x d, W_2 n×m, y m"), ("log|A|", "A n×n"),
        ("‖Xw - y‖²", "X n×d, w d, y n"),
        (r"X X^T + \sigma^2 I", "X n×d, sigma a number"), (r"\sigma(Wx + b)", "W n×d, x d, b n"),
        ("d(x'Ax)/dx", "x n, A n×n"), ("Σ_i x_i y_i", "x n, y n"), ("Σ_{i<j} (x_i - x_j)^2", "x n"), ("Π_i x_i", "x n"),
        ("x'Σ x", "x n, Sigma n×n"), ("Σ_ij x_j", "Sigma n×d, x d"), (r"\Sigma_{ij} x_j", "Sigma n×d, x d"),
    ],
)  # fmt: skip
def test_dimensions_are_found_from_the_formula(text: str, said: str) -> None:
    made = ic.parse(text, guess=True, vectors="column")
    assert made.note.startswith(f"read with {said}")


def test_what_is_declared_is_not_guessed() -> None:
    made = ic.parse("X w - y", guess=True, vectors="column", X="m p")
    assert [str(size) for size in made.shape] == ["m", "1"] and made.note == "read with w p, y m"


def test_a_guess_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ic.ParseError):
        ic.parse("x y", guess=True, vectors="column")
    assert unknown_names("x'A x + sin(t)", Words(), "") == {"x": 1, "A": 2, "t": 1}
    assert told({}) == "" and told({"c": ""}) == "read with c a number"


# ------------------------------------------------------------------ the parts


def test_a_word_is_split_in_one_way_only() -> None:
    words = Words.of({"A": A, "x": x, "Ax": x, "xA": A}, ())
    assert list(splits("AxA", words)) == [["A", "x", "A"], ["A", "xA"], ["Ax", "A"]]
    with pytest.raises(ic.ParseError, match="splits in 3 ways"):
        ic.parse("AxA", A=A, x=x, Ax=x, xA=A)


def test_spellings_of_a_name() -> None:
    assert "lam" in spellings("λ") and "Sigma" in spellings("Σ") and "x_hat" in spellings("x\u0302")
    assert spellings("W_1") == ("W_1", "W1")


def test_each_dialect_is_a_row() -> None:
    for name, row in DIALECTS.items():
        made = ic.parse(row.example, syntax=name, vectors="column", a="n", b="n", c="n", x="n", A="n n")
        assert made.order == 0, name
    with pytest.raises(ic.ParseError, match="'text', 'latex', 'matlab', 'python'"):
        read("x", syntax="fortran")


def test_passes_keep_the_places_of_tokens() -> None:
    text = "2x'Ax + ‖x‖²"
    found = lexed(text, "text")
    for step in PASSES:
        found = step(text, found, Words.of(KNOWN, ["n"]))
    assert all(0 <= token.start_pos < len(text) for token in found)
    assert parse_tree(text, Words.of(KNOWN, ["n"])) is parse_tree(text, Words.of(KNOWN, ["n"]))


LONG = [
    "{" * 10_000, "(" * 10_000, "\\frac" * 2_000, "|" * 10_000, "x^" * 5_000, "Σ_i " * 3_000, "\\left" * 2_000,
    "A" * 10_000, "x" * 200_000, "∂" * 5_000, "$" * 999, "\\begin{aligned}" * 500, "x\u0302" * 3_000, "d/dx " * 2_000,
    "A_i^j" * 2_000, "x^{" * 3_000, "\\sqrt{" * 3_000, "e^{-" * 3_000,
]  # fmt: skip


@pytest.mark.parametrize("text", LONG, ids=[text[:8] for text in LONG])
@pytest.mark.parametrize("syntax", ["", "latex", "matlab"])
def test_long_texts_end_in_a_named_error(text: str, syntax: str) -> None:
    with pytest.raises(ic.IndexCalcError):
        read(text, syntax=syntax)


@pytest.mark.parametrize(
    "left",
    [
        r"\frac{\partial L}{\partial W}", r"\frac{dL}{dW}", r"\nabla_W L", r"\nabla_{W} L",
        r"$\frac{\partial L}{\partial W}",
        r"\left(\frac{\partial L}{\partial W}\right)", r"\dfrac{\mathrm{d}L}{\mathrm{d}W}", "∂L/∂W",
    ],
)  # fmt: skip
def test_a_left_side_in_latex_is_part_of_the_claim(left: str) -> None:
    W, Z, G = ic.tensor("W", "d m"), ic.tensor("Z", "n d"), ic.function("L", "n m ->", gradient="G")
    D = ic.grad(G(Z @ W), W)
    end = "$" if left.startswith("$") else ""
    assert ic.check(rf"{left} = Z^\top G{end}", D).right
    assert not ic.check(rf"{left} = 2 Z^\top G{end}", D).right
    assert ic.check(rf"{left} = Z^\top \frac{{\partial L}}{{\partial Y}}{end}", D).right


v = ic.tensor("x", "n")
LOWER, UPPER = ic.tril(ic.ones("n", "n"), -1), ic.triu(ic.ones("n", "n"))
PARTIAL = [
    ("y_i = \\sum_{j<i} x_j", LOWER @ v), ("\\sum_{j<i} x_j", LOWER @ v), ("Σ_{j<i} x_j", LOWER @ v),
    ("sum_{j<i} x_j", LOWER @ v), ("\\sum_{i<j} x_j", LOWER.T @ v), ("sum[j: j<i](x[j])", LOWER @ v),
    ("y_i = 2 \\sum_{j<i} A_{ij} x_j - x_i", 2 * ic.hadamard(LOWER, A) @ v - v),
    ("y_i = \\sum_{j \\ne i} A_{ij}", A @ ic.ones("n") - ic.diag(A)),
    ("y_i = \\sum_{j \\ge i} x_j", UPPER @ v), ("y[i] = Σ_{j>=i} x[j]", UPPER @ v),
    ("y_i = \\sum_{j=1}^{i-1} x_j", LOWER @ v), ("y_i = \\sum_{j=i}^{n} x_j", UPPER @ v),
    ("y_i = \\sum_{j=i+1}^{n} A_{ij}", ic.triu(A, 1) @ ic.ones("n")),
    ("\\sum_{i=1}^n \\sum_{j=1}^{i} A_{ij}", ic.sum(ic.tril(A))), ("\\sum_{i<j} A_{ij}", ic.sum(ic.triu(A, 1))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), PARTIAL)
def test_a_sum_up_to_a_free_index_is_a_partial_sum(text: str, meaning: Any) -> None:
    found = ic.parse(text, x="n", A="n n")
    assert (found.array(ic.index("i")) if found.order else found).equals(meaning)
    assert ic.parse(str(found), **found.declarations) == found


@pytest.mark.parametrize("text", ["\\sum_{j=1}^{i} x_j", "y_i = \\sum_{j=1}^{m} x_j", "\\sum_{j=1}^{m} A_{ij}"])
def test_a_bound_that_is_nowhere_else_is_no_index(text: str) -> None:
    with pytest.raises(ic.ParseError, match="a sum from 1 to"):
        ic.parse(text, x="n", A="n n")
