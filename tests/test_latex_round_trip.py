"""LaTeX reads back: what `latex()` writes is read as the expression that it was written from."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from corpus_case import Case, cases
from matrix_programs import Program
from programs import TENSORS, program
from test_corpus import NAMES, PAIRS
from test_latex import parsed

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.graph.constructors import elementwise
from indexcalc.views.array import Array

LONGEST = 400
"""Characters of a derivative that is read back: an arbitrary budget."""


def reads_back(e: Any) -> None:
    """The LaTeX is read as the same expression, an array with the axes that its text gives it."""
    latex = e.latex()
    read = ic.parse(latex, **e.declarations)
    kind = isinstance(read, ic.Expr) is isinstance(e, ic.Expr)
    assert kind or not e.order, f"{type(read).__name__}: {latex}"
    assert read == e or (kind and str(read) == str(e)), f"{latex}\nis read as {read}"
    if isinstance(e, ic.Array) and isinstance(read, ic.Array):
        text = ic.parse(str(e), **e.declarations)
        wanted = (text.shape, text.standing) if isinstance(text, ic.Array) else ((), "")
        assert (read.shape, read.standing) == wanted, latex
    assert parsed(latex)


LAST = 1000 if os.environ.get("INDEXCALC_PROFILE") == "thorough" else 160
"""Where the seeds of random programs end."""
SAMPLE = set(random.Random(1).sample(NAMES, 60))
"""What of the corpus is read in the fast tier."""


@pytest.mark.parametrize(
    ("case", "layout"),
    [
        pytest.param(*pair, id=name, marks=() if name in SAMPLE else pytest.mark.slow)
        for pair, name in zip(PAIRS, NAMES, strict=True)
    ],
)
def test_the_corpus(case: Case, layout: str) -> None:
    reads_back(case.result(layout))


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in cases().values() if case.id != "cookbook-89"], ids=repr)
def test_the_values_of_the_corpus(case: Case) -> None:
    reads_back(case.value)


@pytest.mark.parametrize("row", ELEMENTWISE.values(), ids=lambda row: row.name)
def test_the_functions_of_the_table(row: Any) -> None:
    arguments = [ic.tensor(name, "n") for name in "xyz"[: row.arity]]
    y = Array(
        elementwise(row.name, [(one.node, (0,)) for one in arguments], arguments[0].node.dims, (2,) * len(row.params))
    )
    results = [y, 1 - 2 * y**2, y[ic.index("i")]]
    results += [ic.hessian(y.sum(), arguments[-1])] if row.rules[-1] else []
    for e in [*results, *(ic.grad(y.sum(), one) for one, rule in zip(arguments, row.rules, strict=True) if rule)]:
        reads_back(e)
        assert ic.parse(str(e), **e.declarations) == e == ic.parse(e.latex(), **e.declarations)


def indexed(seed: int) -> list[Any]:
    """A random program in index notation, simplified, as an array, and a derivative of it."""
    rng = random.Random(seed)
    try:
        made = program(rng, rng.choice([1, 2, 2, 3])).expr
    except IndexCalcError:
        return []
    name = rng.choice(list(made.variables))
    fresh = [ic.index(letter) for letter in "uvw"[: TENSORS[name].order]]
    slope = made.diff(TENSORS[name][tuple(fresh)] if fresh else ic.Expr(TENSORS[name].node, ()))
    return [made, made.simplify(), made.array(*made.free), *([slope] if len(str(slope)) < LONGEST else [])]


def placed(seed: int) -> list[Any]:
    """A random program in matrix notation, its vectors plain, columns or rows, and a derivative of it."""
    made = Program(seed)
    value = made.make(made.shape(), 1 + seed % 3).expr
    if not made.leaves:
        return [value]
    by = made.leaves[made.rng.choice(list(made.leaves))].expr
    if value.order + by.order > 4:
        return [value]
    slope = ic.derivative(value, by, structure="free")
    return [value, *([slope] if len(str(slope)) < LONGEST else [])]


@pytest.mark.parametrize("start", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(40, LAST, 40))])
@pytest.mark.parametrize("draw", [indexed, placed])
def test_random_programs(draw: Any, start: int) -> None:
    """40 seeds each: 320 in all, 2,000 in the thorough profile."""
    for seed in range(start, start + 40):
        for e in draw(seed):
            reads_back(e)


i, j, k, l = ic.indices("i j k l")  # noqa: E741
x, y, A, B = ic.tensor("x", "n"), ic.tensor("y", "n"), ic.tensor("A", "n n"), ic.tensor("B", "n m")
s, z, v = ic.scalar("s"), ic.tensor("z", "m"), ic.tensor("v", 3)
c, r = ic.column("c", "n"), ic.row("r", "n")
f, g, L = ic.function("f", "n, m -> m"), ic.function("g_1", "n -> n"), ic.function("L", "n ->", gradient="G")
sigma, lam, T = ic.scalar("sigma"), ic.tensor("lambda_", "n"), ic.tensor("T", "n n")
star, second = ic.tensor("xs", "n", latex=r"\mathbf{x}_{\star}"), ic.tensor("x2", "n", latex="x^{(2)}")
hat, bar, covariance = ic.tensor("x_hat", "n"), ic.tensor("mu_bar_1", "n"), ic.tensor("Sigma_xy", "n n")

ONES = [
    ic.gammaln(s), ic.gammaln(x), ic.polygamma(2, x[i]), 2 * ic.digamma(s), 0.002 * x, 2e-30 * x[i], 1e20 * s,
    ic.derivative(f(x, z), x), ic.derivative(ic.derivative(f(x, z), x), z)[i, j, k],
    ic.derivative(ic.derivative(g(x), x), x), L(x), ic.grad(L(x), x), ic.derivative(g(A @ x), x),
    star @ A @ second, star[i] * second[j], hat @ x, hat[i] * bar[j], lam * x, lam[i] * y[j], covariance @ x,
    covariance**2, T @ x, T.T @ T.T, c @ r @ A, r @ A @ c, r.T + c, c @ c.T, ic.outer(x, z), ic.outer(A @ x, x) @ A,
    ic.kron(x, y), ic.kron(A, B), ic.kron(c.T, A), A @ ic.kron(c, A).T, ic.khatri_rao(A, A), ic.sqrtm(A),
    ic.expm(A)[i, j], ic.logm(A) @ x, ic.sinm(A), ic.cosm(A), ic.svdvals(B), ic.eigvalsh(A)[i], ic.pinv(B)[i, j],
    ic.inv(A).T, (ic.inv(A) @ ic.outer(x, y) @ ic.inv(A)).T, ic.matrix_power(A, "k"), ic.matrix_power(A, -2),
    sigma * ic.sigmoid(sigma), ic.sigmoid(sigma * x), ic.digamma(ic.scalar("psi")) * s, ic.unit(1, "n")[i] * x[i],
    ic.ones("n", "m*n"), ic.zeros("n", "n**2"), ic.cross(v, ic.tensor("w", 3)), ic.epsilon(i, j, k) * v[k],
    ic.commutation("n", "m"), ic.duplication("n"), ic.voigt("strain", 3), ic.vec(A), ic.vech(A), ic.norm2(A, axis=1),
    ic.norm1(A), ic.normp(x[i], 2.5, i), ic.normF(A[i, j], i, j), ic.norm_nuc(A[i, j], i, j), ic.polar(A),
    ic.max(A[i, j], j) * x[i], ic.prod(A[i, j], i) * y[j], ic.logsumexp(A[i, j], i, j), ic.softmax(A, axis=0),
    ic.log_softmax(A[i, j], j), ic.abs(A), ic.abs(s) * x, A**A, s**x, x[i] ** y[i], ic.tril(A), ic.triu(A, 1),
    ic.det(A) * A, ic.logdet(A) * x, ic.log(ic.det(A)), ic.tr(A) * A, ic.where(ic.greater(x, 0), x, 0), 1 / x,
    ic.hadamard(x[i], y[i]) * ic.exp(ic.hadamard(x[j], y[j])), ic.softmax(x[i], i).diff(x[j]),
    ic.inv(A + 2 * ic.eye("n"))[i, j] * A[i, k], ic.derivative(B, B), B[i, j].diff(B[k, l]),
    ic.sqrtm(A)[i, j] * x[j], ic.sqrtm(A + A.T)[i, j] * x[j], ic.matrix_power(A, "k")[i, j] * x[j], A[i, i] ** 2,
    ic.zeros("n")[i], ic.zeros("n"), ic.ones("n"), ic.eye("n"), second[i], second**2, ic.tensor("W_1", "n n")[i, j],
    A + A.sum(0), (1 + 2j) * s, A.mean(0) @ A, A[0] @ x, A[0, 1] * s, x[1:] @ x[1:],
]  # fmt: skip


@pytest.mark.parametrize("e", ONES, ids=str)
def test_one_of_each(e: Any) -> None:
    reads_back(e)


@pytest.mark.parametrize(
    ("e", "latex"),
    [
        (
            (ic.inv(A) @ ic.outer(x, y) @ ic.inv(A)).T,
            r"\left(A^{-1} \, x \, y^{\mathsf{T}} \, A^{-1}\right)^{\mathsf{T}}",
        ),
        (ic.norm2(A, axis=1), r"\operatorname{norm2}_{\text{rows}}\left(A\right)"),
        (ic.softmax(x[i], i).diff(x[j]), None),
        (x[i] * y[j] + A[i, j], r"x_{i}\,y_{j} + A_{ij}"),
        (ic.hadamard(x[i], y[i]), r"\left[x_{i}\,y_{i}\right]_{i}"),
        (hat[i], r"\hat{x}_{i}"),
        (bar, r"\bar{\mu}_{1}"),
        (sigma * ic.sigmoid(sigma), r"\sigma\,\operatorname{sigmoid}\left(\sigma\right)"),
        (s * ic.sigmoid(s), r"s\,\sigma\left(s\right)"),
        (ic.where(s > 0, s, 0), r"\begin{cases} s & s > 0 \\ 0 & \text{otherwise} \end{cases}"),
    ],
)
def test_the_form(e: Any, latex: str | None) -> None:
    assert latex in (None, e.latex())


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\left(x_i y_j\right)_{ij}", "x[i]*y[j] -> [i,j]"),
        (r"\left(A B\right)_{ij}", "A[i,k]*B[k,j]"),
        (r"[A B]_{ij}", "A[i,k]*B[k,j]"),
        (r"\left[x_i y_i\right]_{i}", "{i: x[i]*y[i]}"),
        (r"\operatorname{softmax}_{j}(B_{ij})", "softmax(B[i,j], j)"),
        (r"\underset{j}{\max}(B_{ij})", "max(B[i,j], j)"),
        (r"\operatorname{logsumexp}_{\text{rows}}(B)", "logsumexp(B, axis=1)"),
        (r"y \, x^\top B", "outer(y, x) @ B"),
        (r"3 \times 10^{-2} \, s", "0.03*s"),
        (r"t_1 = \left[x_i y_i\right]_{i};\; t_1^\top x", "t = {i: x[i]*y[i]}; t.T @ x"),
    ],
)
def test_the_forms_of_latex_are_read(latex: str, text: str) -> None:
    known = {"x": x, "y": y, "A": A, "B": B, "s": s}
    assert ic.parse(latex, syntax="latex", **known) == ic.parse(text, **known)


def test_a_plain_vector_beside_a_matrix_is_a_column_of_kron() -> None:
    u, w = ic.tensor("u", "a"), ic.tensor("w", "b")
    for e in (
        ic.derivative(ic.kron(u, w), w), ic.derivative(ic.kron(u, w), u), ic.kron(u, ic.eye("b")), ic.kron(B, x),
        ic.kron(ic.eye("b"), u), ic.kron(ic.column("u", "a"), A), ic.kron(A, ic.row("u", "a")),
    ):  # fmt: skip
        reads_back(e)
    shapes = {text: ic.parse(text, x="n", A="n n").shape for text in ("x ⊗ A", "A ⊗ x", "x' ⊗ A", "A ⊗ x^T")}
    assert [str(rows) for rows, _ in shapes.values()] == ["n**2", "n**2", "n", "n"]


def test_what_random_programs_have_found() -> None:
    """Names of functions with digits, powers of matrices within sums, sums before terms that have their index."""
    B2, C, g = ic.tensor("B2", "n n"), ic.tensor("C", "m m"), ic.function("u4", "n ->")
    power, cubed, each = ic.matrix_power(A, "m"), ic.matrix_power(A, 3), ic.function("f_3", "->")
    q, left = ic.indices("q left")
    for e in (
        g(x) * y, ic.grad(g(x), x), ic.hessian(g(x) * g(y), x), each(x), ic.grad(each(x).sum(), x),
        ic.function("h12", "n n -> n n")(A)[i, j] * x[j],
        ic.sum(B2 * power), ic.sum(B2 * ic.tanh(power), axis=0), ic.mean(B2 * ic.inv(power)), ic.logsumexp(power),
        each(cubed), each(power) @ x, ic.sum(B2 * B2 * cubed), ic.sum(B2 * (power @ B2)),
        ic.sum(ic.tanh(x[i]), i) * A[j, j] + A[i, i] * x[q] * x[q] * y[j] * y[j],
        ic.max(x[i], i) - 2 * x[i] * y[i], ic.prod(x[i], i) * x[j] * x[j] + x[i] * y[i],
        -ic.sum(ic.exp(x[i]), i) + A[i, i],
        ic.tensor("T", "m n m")[q, i, left].sum(q, i, left, where="q<left"), C[q, left].sum(q, left, where="q<=left"),
        ic.zeros("n**2"), ic.eye("n**2"), ic.ones("n**2"), ic.one_hot(ic.tensor("k", "m", integer=True), "2*n")[q, i],
        ic.logdet(A) * x[i] * x[j] + ic.logdet(A) * A[i, j], ic.logdet(A) * ic.inv(A)[i, j] * x[j],
        ic.derivative(ic.vec(A.T), A), ic.unvec(ic.tensor("w", "n*m"), "n", "m"), ic.diff(ic.vec(A)[i], A[q, j]),
    ):  # fmt: skip
        assert ic.parse(e.latex(), **e.declarations) == e, e.latex()
        assert ic.parse(str(e), **e.declarations) == e, str(e)


def test_what_integers_choose_beside_affine_indices() -> None:
    """Ranges are told of the names of the text: LaTeX, which sums over what is chosen, has other names."""
    z, w, chosen = ic.tensor("z", "m"), ic.tensor("w", "3"), ic.tensor("k", "m", integer=True)
    T, c, t = ic.tensor("T", "m 3"), ic.tensor("c", "p"), ic.index("t")
    long = ic.tensor("l", "m+p-1")
    for e in (
        ic.roll(z[i], 1, axis=i) * w[chosen[i],],
        c[t] * long[i + t] * T[i, chosen[i]],
    ):
        assert ic.parse(e.latex(), **e.declarations) == e, e.latex()
        assert ic.parse(str(e), **e.declarations) == e, str(e)


def test_letters_below_a_sum_with_a_condition() -> None:
    wanted = ic.parse("sum[i,j: i<j](B[i,j])", B="n n")
    for latex in (r"\sum_{ij, i<j} B_{ij}", r"\sum_{i,j, i<j} B_{ij}", r"\sum_{i<j} B_{ij}"):
        assert ic.parse(latex, B="n n") == wanted
