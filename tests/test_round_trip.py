"""Text reads back to what it was written from: the same node, or where reading decides, the same values."""

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
