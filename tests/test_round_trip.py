"""Text reads back to what it was written from: the same node, or where reading decides, the same values."""

import itertools

import numpy as np
import pytest

import indexcalc as ic

A, B, S, X = (ic.tensor(name, shape) for name, shape in zip("ABSX", ("n n", "n n", "n n", "n m"), strict=True))
d, x, y, s = ic.tensor("d", "n"), ic.tensor("x", "n"), ic.tensor("y", "n"), ic.scalar("s")
i, j, k, l, p = ic.indices("i j k l p")  # noqa: E741


def read(e):
    return ic.parse(str(e), **e.declarations)


def ones(*shape):
    return ic.ones(*shape)


FILLED = [
    (S + ones("n", "m") @ ones("m", "n"), "S + m"),
    (ones("n", "m") @ ones("m", "k"), "m*ones(n, k)"),
    (X + ones("n", 3) @ ones(3, "m"), "X + 3"),
    (x + ones("n", "m") @ ones("m"), "x + m"),
    (X.T @ ones("n", "n") @ ones("n", "k"), "n*X.T @ ones(n, k)"),
    (ones("n") @ ones("n", "m") @ ones("m"), "m*n"),
    (ic.inv(S + ones("n", "m") @ ones("m", "n")), "inv(S + m)"),
    (X @ ones("m", "k") @ ones("k", "n") @ X, "k*X @ ones(m, n) @ X"),
    (ic.kron(ones("n", "m") @ ones("m", "n"), S), "m*kron(ones(n, n), S)"),
]


@pytest.mark.parametrize(("e", "text"), FILLED)
def test_ones_that_meet_keep_the_dimension_between_them(e, text):
    assert str(e) == text
    assert read(e) == e


DIAGONALS = [
    (ic.diag(S) @ S, S), (ic.diag(S) @ A, S), (ic.diag(S) * d, S), (A @ ic.diag(S), S), (ic.exp(ic.diag(S) @ A), S),
    (ic.diag(S) ** 2, S), (ic.tr(S) * d, S), (d * (ic.diag(S) @ d), S), (ic.diagm(d) @ A, d), (ic.diagm(A @ d), d),
    (S * ic.outer(d, d), d), (ic.outer(d, d), d),
]  # fmt: skip


@pytest.mark.parametrize(("value", "by"), DIAGONALS)
def test_a_pair_of_equal_indices_is_no_khatri_rao_product_of_their_matrices(value, by):
    D = ic.derivative(value, by).layout("magnus-neudecker")
    shapes = {"A": (3, 3), "S": (3, 3), "d": (3,)}
    numbers = {name: np.random.default_rng(0).random(shapes[name]) for name in shapes if name in D.declarations}
    assert np.allclose(read(D).evaluate(**numbers), D.evaluate(**numbers))


def test_the_diagonal_in_magnus_and_neudecker():
    D = ic.derivative(ic.diag(S) @ S, S).layout("magnus-neudecker")
    assert str(D) == "(khatri_rao(eye(n), eye(n)) @ S + kron(eye(n), diag(S))).T"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("{l: x[l]*delta(l,l,dim=n)}", "x[l]"),
        ("{l: x[l] + delta(l,l,dim=n)}", "x[l] + 1"),
        ("{l: delta(l,l,dim=n)}", "ones[l]"),
        ("{l,m: A[l,m]*delta(m,m,dim=n)}", "A[l,m]"),
        ("delta(k,k,dim=n)*x[l]", "n*x[l]"),
        ("{l: sum[k](delta(k,k,dim=n))*x[l]}", "n*x[l]"),
        ("x[l]*delta(l,l,dim=n) -> [l]", "x"),
    ],
)
def test_the_delta_of_a_name_with_itself_is_one_where_the_name_is_kept(text, same):
    assert str(ic.parse(text, A="n n", x="n").simplify()) == same


b = ic.index("b", batch=True)
Z = ic.tensor("Z", "N D")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Z[b, i] - Z[b, i].mean(i), "(δ[i,k] - 1/D)*ones[b]"),
        (Z[b, i] + Z[b, j].sum(j), "(δ[i,k] + 1)*ones[b]"),
        (ic.softmax(Z[b, i], i), "{b,i,k: softmax(Z[b,i], i)*(δ[i,k] - softmax(Z[b,k], k))}"),
        (3 * Z[b, i] - Z[b, i] * ic.exp(Z[b, j]).sum(j), None),
        ((Z[b, i] - Z[b, i].mean(i)) / ic.norm2(Z[b, i], i), None),
    ],
)
def test_no_delta_of_a_batch_index_is_left_in_the_jacobian_of_each_sample(value, text):
    D = value.diff(Z[b, k])
    assert "δ[b,b]" not in str(D)
    assert text in (None, str(D))
    assert ic.verify(D)
    assert ic.parse(str(D), **D.declarations) == D


K = ic.tensor("K", "n n", skew=True)
a, c = ic.tensor("a", 3), ic.tensor("c", 3)
h, eps = ic.tensor("h", "D"), ic.scalar("eps")
normed = (h - h.mean()) / ic.sqrt(((h - h.mean()) ** 2).mean() + eps)


def ladder(rungs):
    e = x
    for _ in range(rungs):
        e = e * e + x
    return e


def chain(factors):
    e = ic.tensor("z0", "n")
    for number in range(1, factors):
        e = e * ic.tensor(f"z{number}", "n")
    return e


FILLED_ALONG = [
    ic.derivative(ic.softmax(ones("n")) * S, S), ic.softmax(ones("n"))[i] * ic.delta(i, j),
    ic.prod(ones(2, "n"), axis=0)[i] * ic.delta(i, j), ic.derivative(ic.log_softmax(ones("n")) * y, y),
    ic.softmax(ic.outer(x, ones("m")), axis=0), ic.softmax(ic.outer(x, ones("m")), axis=1), ic.log_softmax(x - x),
    ic.derivative(ic.maximum(S, ic.eye("n")), S), (ic.minimum(S, ic.diagm(x)))[i, j] * y[j],
    ic.derivative(ic.where(ic.diagm(x) < S, S, A), S), ic.abs(ic.diagm(x) - A)[i, j] * y[i],
]  # fmt: skip
PRODUCTS = [
    ic.derivative(normed, h), ic.grad((normed * ic.tensor("w", "D")).sum(), h), ic.hessian(ic.normp(x, 3), x),
    ic.hessian(ic.normp(S @ x, 4), x), 0.1 * (x @ y + s) * S, 0.3 * (S + A) @ x, 0.7 * (x + y) / s,
    ic.grad(0.1 * (x @ y - s) ** 2, x), (s - 1) ** -1 * ic.sqrt(1 - s), (2 - 2 * s) ** -2 / ic.sqrt(s - 1),
    ic.epsilon(i, j, k) * (a[j] - c[j]) * (a[k] - 2 * c[k]), ic.cross(a - c, c), ic.cross(a - c, c - a),
    K @ x, x @ K @ y, K.T, K + K.T @ K, ic.exp(K), ic.exp(-K), ic.exp(K.T) @ x, ic.where(S > 0, -K, A),
    ic.max(-K, axis=0), ic.maximum(-K, S), ic.derivative(K @ x, K), ic.grad(ic.logdet(ic.eye("n") + K @ S), K),
    chain(65), chain(128), chain(128).sum(), ic.exp(chain(100)), chain(128)[i] * y[i], ladder(3), ladder(5),
    ladder(5)[i], ic.grad(ladder(3).sum(), x),
]  # fmt: skip


@pytest.mark.parametrize("e", [*FILLED_ALONG, *PRODUCTS])
def test_text_reads_back_to_the_same_node(e):
    assert read(e) == e


def test_the_form_of_a_transposed_skew_argument_is_one():
    assert ic.exp(-K) == ic.exp(K).T
    assert ic.maximum(-K, 0) == ic.maximum(K, 0).T
    assert ic.maximum(-K, 0) != ic.maximum(K, 0)


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (2 * (1 / x), "2/x"),
        (s * (1 / x), "s/x"),
        (-2 * (1 / x), "-2/x"),
        (1 - 2 * (1 / x), "1 - 2/x"),
        (2 * (1 / ic.row("r", "n")), "2/r"),
        (2 * (1 / ic.column("r", "n")).T, "2*(1/r).T"),
        (2 * (1 / X.T), "2/X.T"),
        ((s + 1) * (1 / (x * x + 1)), "(s + 1)/(x**2 + 1)"),
    ],
)
def test_a_number_over_entries_is_one_quotient(e, text):
    assert str(e) == text
    assert read(e) == e


def test_products_of_floats_read_back() -> None:
    v, s, t = ic.tensor("v", "n"), ic.scalar("s"), ic.scalar("t")
    numbers = (0.1, 0.3, 7.7e-5)
    for a, b, c in itertools.product(numbers, repeat=3):
        for e in (a * v @ (b * v) * c, a * s * (b * t) * c, a * (b * (c * s) * t) * v):
            assert ic.parse(str(e), **e.declarations) == e
    one, other = 9.9e19 * (v @ v), 0.3 * 3.3e20 * (v @ v)
    assert one.equals(other), "rounding of floats is no exact difference"
    for start in (s, v):
        e = start
        for _ in range(6):
            e = e * e + start
            assert ic.parse(str(e), **e.declarations) == e
