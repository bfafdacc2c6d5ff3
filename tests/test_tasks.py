"""What people asked for, with the formula to read: linear layers, matrix functions, learning, tensors, mechanics.

Every formula was derived by hand; `test_corpus.py` and `test_matrix_programs.py` check numbers.
"""

from __future__ import annotations

from typing import Any

import pytest

import indexcalc as ic

i, j, k, l = ic.indices("i j k l")  # noqa: E741


def texts(*views: Any) -> list[str]:
    return [str(view) for view in views]


# ------------------------------------------------------------------ linear layers and layout


def test_linear_layer_with_an_unspecified_loss() -> None:
    X, W, B = ic.tensor("X", "b i"), ic.tensor("W", "i o"), ic.tensor("B", "o")
    L = ic.function("L", "b o ->", gradient="G")
    assert texts(*ic.grad(L(X @ W + B), [W, X, B])) == ["X.T @ G", "G @ W.T", "sum(G, axis=0)"]
    V = ic.tensor("W", "o i")
    assert str(ic.grad(L(X @ V.T), V)) == "G.T @ X"


def test_jacobian_of_a_linear_layer() -> None:
    X, W, x = ic.tensor("X", "b n"), ic.tensor("W", "n o"), ic.tensor("x", "n")
    assert str((x[i] * W[i, j]).diff(W[i, k])) == "x[i]*δ[j,k]"
    D = ic.derivative(X @ W, W)
    assert str(D) == "X[i,k]*delta(j, l, dim=o) -> [i,j,k,l]"
    assert str(D.layout("magnus-neudecker")) == "kron(eye(o), X)"


@pytest.mark.parametrize(
    ("stand", "value", "numerator", "denominator"),
    [(ic.column, lambda A, x: A @ x, "A", "A.T"), (ic.row, lambda A, x: x @ A.T, "A", "A.T")],
)
def test_matrix_times_vector(stand: Any, value: Any, numerator: str, denominator: str) -> None:
    """A column `A x` and the row `x Aᵀ` have one Jacobian: how a vector stands changes no layout."""
    A, x = ic.tensor("A", "m n"), stand("x", "n")
    D = ic.derivative(value(A, x), x)
    assert texts(D.layout("numerator"), D.layout("denominator")) == [numerator, denominator]


def test_both_vecs_of_a_product() -> None:
    A, X, B = ic.tensor("A", "m n"), ic.tensor("X", "n p"), ic.tensor("B", "p q")
    D = ic.derivative(A @ X @ B, X)
    assert str(D) == "A[i,k]*B[l,j] -> [i,j,k,l]"
    assert str(D.layout("magnus-neudecker")) == "kron(B.T, A)"
    assert str(D.matrix(rows=(0, 1), cols=(2, 3), order="C")) == "kron(A, B.T)"


# ------------------------------------------------------------------ scalars and functions of matrices


def test_quadratic_form() -> None:
    A, S, x = ic.tensor("A", "n n"), ic.tensor("S", "n n", symmetric=True), ic.tensor("x", "n")
    assert texts(ic.grad(x @ A @ x, x), ic.hessian(x @ A @ x, x)) == ["(A + A.T) @ x", "A + A.T"]
    assert texts(ic.grad(x @ S @ x, x), ic.hessian(x @ S @ x, x)) == ["2*S @ x", "2*S"]


def test_least_squares() -> None:
    A, x, b = ic.tensor("A", "m n"), ic.tensor("x", "n"), ic.tensor("b", "m")
    loss = ic.norm2(A @ x - b) ** 2
    assert texts(ic.grad(loss, x), ic.hessian(loss, x)) == ["2*A.T @ (A @ x - b)", "2*A.T @ A"]


def test_two_sided_least_squares() -> None:
    A, X, B = ic.tensor("A", "m n"), ic.tensor("X", "n p"), ic.tensor("B", "p q")
    loss = ic.normF(A @ X @ B - ic.tensor("C", "m q")) ** 2 / 2
    assert str(ic.grad(loss, X)) == "A.T @ (A @ X @ B - C) @ B.T"
    H = ic.hessian(loss, X)
    assert str(H) == "A[r,i]*A[r,k]*B[j,s]*B[l,s] -> [i,j,k,l]"
    assert str(H.layout("magnus-neudecker")) == "kron(B @ B.T, A.T @ A)"


def test_inverse_and_determinant() -> None:
    X = ic.tensor("X", "n n")
    assert str(ic.derivative(ic.inv(X), X)) == "-inv(X)[i,k]*inv(X)[l,j] -> [i,j,k,l]"
    assert texts(ic.grad(ic.logdet(X), X), ic.grad(ic.det(X), X)) == ["inv(X).T", "cofactor(X)"]
    assert str(ic.hessian(ic.logdet(X), X)) == "-inv(X)[l,i]*inv(X)[j,k] -> [i,j,k,l]"


def test_traces_of_powers() -> None:
    X = ic.tensor("X", "n n")
    cube = ic.tr(X @ X @ X)
    assert str(ic.grad(cube, X)) == "3*(X @ X).T"
    assert str(ic.hessian(cube, X)) == "3*X[j,k]*δ[i,l] + 3*X[l,i]*δ[j,k] -> [i,j,k,l]"
    assert str(ic.grad(ic.tr(ic.matrix_power(X, "k")), X)) == "k*matrix_power(X, k - 1).T"


@pytest.mark.parametrize(
    ("structure", "expected"),
    [("projected", "inv(S)"), ("independent", "2*inv(S) - diagm(diag(inv(S)))"), ("free", "inv(S)")],
)
def test_two_camps(structure: str, expected: str) -> None:
    S = ic.tensor("S", "n n", symmetric=True)
    D = ic.grad(ic.logdet(S), S, structure=structure)
    assert str(D) == expected
    assert f"structure={structure!r}" in D.note


# ------------------------------------------------------------------ where a silent zero was the answer elsewhere


def test_no_silent_zero() -> None:
    A, B, E = ic.tensor("A", "n n"), ic.tensor("B", "n n"), ic.tensor("E", "n n")
    x = ic.column("x", "n")
    assert texts(
        ic.grad(ic.tr(E) + 1, E), ic.grad(ic.tr(A) ** 2 + ic.tr(A), A), ic.grad(ic.exp(ic.tr(A)), A)
    ) == ["eye(n)", "(2*tr(A) + 1)*eye(n)", "exp(tr(A))*eye(n)"]  # fmt: skip
    assert str(ic.grad(ic.tr(A.T @ A) + ic.tr(B.T @ B), A)) == "2*A"
    assert texts(ic.grad(ic.log(ic.det(A)), A), ic.grad(ic.det(A) ** 2, A)) == ["inv(A).T", "2*det(A)*cofactor(A)"]
    assert texts(ic.grad(x.T @ x, x), ic.grad(E[1, 1], E)) == ["2*x", "unit(1, 1, n, n)"]
    softmax = ic.derivative(ic.exp(x) / ic.exp(x).sum(), x)
    assert str(softmax) == "diagm(softmax(x)) - softmax(x) @ softmax(x).T"
    assert texts(ic.grad(ic.tr(ic.matrix_power(A, "k")), A), ic.grad(ic.tr(ic.hadamard(A, B)), A)) == [
        "k*matrix_power(A, k - 1).T", "diagm(diag(B))",
    ]  # fmt: skip
    assert texts(ic.grad(ic.sqrt(x.T @ x), x), ic.grad(ic.det(A), A)) == ["x/sqrt(x.T @ x)", "cofactor(A)"]


# ------------------------------------------------------------------ learning


def test_softmax_and_cross_entropy() -> None:
    z, Z, Y = ic.tensor("z", "c"), ic.tensor("Z", "n c"), ic.tensor("Y", "n c", stochastic=True)
    assert str(ic.derivative(ic.softmax(z), z)) == "diagm(softmax(z)) - outer(softmax(z), softmax(z))"
    blocks = "softmax(Z[i,j], j)*(δ[j,l] - softmax(Z[i,l], l))*δ[i,k] -> [i,j,k,l]"
    assert str(ic.derivative(ic.softmax(Z, axis=1), Z)) == blocks
    loss = -(Y * ic.log_softmax(Z, axis=1)).sum()
    assert texts(ic.grad(loss, Z), ic.hessian(loss, Z)) == ["softmax(Z, axis=1) - Y", blocks]


@pytest.mark.parametrize("form", ["softplus", "bernoulli"])
def test_logistic_regression(form: str) -> None:
    X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
    q = ic.sigmoid(X @ w)
    losses = {
        "softplus": ic.softplus(X @ w).sum() - y @ (X @ w),
        "bernoulli": -(y * ic.log(q) + (1 - y) * ic.log(1 - q)).sum(),
    }
    assert texts(ic.grad(losses[form], w), ic.hessian(losses[form], w)) == [
        "X.T @ (sigmoid(X @ w) - y)", "X.T @ diagm(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X",
    ]  # fmt: skip


def test_attention() -> None:
    Q, K, V, G = ic.tensor("Q", "t d"), ic.tensor("K", "s d"), ic.tensor("V", "s v"), ic.tensor("G", "t v")
    value = ic.softmax(Q @ K.T / ic.sqrt(ic.scalar("r", positive=True)), axis=1) @ V
    by_q, by_k, by_v = (ic.vjp(value, part, G).formula(define=True) for part in (Q, K, V))
    P = " with P = softmax(Q @ K.T/sqrt(r), axis=1)"
    assert str(by_q) == "(P*(G @ V.T - sum(P*(G @ V.T), axis=1, keepdims=True))) @ K/sqrt(r)" + P
    assert str(by_k) == "(P*(G @ V.T - sum(P*(G @ V.T), axis=1, keepdims=True))).T @ Q/sqrt(r)" + P
    assert str(by_v) == "softmax(Q @ K.T/sqrt(r), axis=1).T @ G"


def test_squared_error_of_a_layer() -> None:
    X, W = ic.tensor("X", "n d"), ic.tensor("W", "d m")
    H = ic.hessian(ic.normF(X @ W - ic.tensor("T", "n m")) ** 2 / 2, W)
    assert str(H.layout("magnus-neudecker")) == "kron(eye(m), X.T @ X)"
    assert str(ic.einsum("ijij->", H)) == "m*sum(X**2)"


def test_gaussian_likelihood() -> None:
    X, mu, S = ic.tensor("X", "n d"), ic.tensor("mu", "d"), ic.tensor("S", "d d", positive_definite=True)
    R = X - mu
    n = ic.parse("n", X=X)
    likelihood = -ic.tr(ic.inv(S) @ R.T @ R) / 2 - n * ic.logdet(S) / 2
    assert str(ic.grad(likelihood, mu)) == "inv(S) @ (sum(X, axis=0) - n*mu)"
    assert ic.grad(likelihood, S) == ic.inv(S) @ R.T @ R @ ic.inv(S) / 2 - n * ic.inv(S) / 2


def test_sum_of_exponentials() -> None:
    A, x = ic.tensor("A", "m n"), ic.tensor("x", "n")
    f = ic.exp(A @ x).sum()
    assert texts(ic.grad(f, x), ic.hessian(f, x), ic.derivative(f, x, order=3)) == [
        "A.T @ exp(A @ x)", "A.T @ diagm(exp(A @ x)) @ A", "A[l,i]*A[l,j]*A[l,k]*exp(A[l,p]*x[p]) -> [i,j,k]",
    ]  # fmt: skip


# ------------------------------------------------------------------ tensors


def test_canonical_polyadic_fit() -> None:
    T, A, B, C = (ic.tensor(name, dims) for name, dims in (("T", "I J K"), ("A", "I R"), ("B", "J R"), ("C", "K R")))
    loss = ((ic.einsum("ir,jr,kr->ijk", A, B, C) - T) ** 2).sum()
    assert str(ic.grad(loss, A)) == "2*(A @ ((B.T @ B)*(C.T @ C)) - unfold(T, 0) @ khatri_rao(C, B))"
    H = ic.hessian(loss, A)
    assert str(H) == "2*B[m,j]*B[m,l]*C[n,j]*C[n,l]*delta(i, k, dim=I) -> [i,j,k,l]"
    assert H[i, j, k, l] == 2 * ic.delta(i, k) * ((B.T @ B) * (C.T @ C))[j, l]


def test_quartic_form() -> None:
    x, a = ic.tensor("x", "n"), ic.index("a")
    general, symmetric = ic.tensor("c", "n n n n"), ic.tensor("c", "n n n n", symmetric=True)
    f = [c[i, j, k, l] * x[i] * x[j] * x[k] * x[l] for c in (general, symmetric)]
    assert len(str(f[0].diff(x[a])).split(" + ")) == 4
    assert f[1].diff(x[a]) == 4 * symmetric[a, j, k, l] * x[j] * x[k] * x[l]


def test_einsum_strings() -> None:
    A, g = ic.tensor("A", "n n"), ic.tensor("g", "n")
    assert str(ic.vjp(ic.einsum("ii->i", A), A, g)) == "diagm(g)"
    assert str(ic.vjp(ic.einsum("ij->i", A), A, g)) == "outer(g, ones(n))"
    X, W, G = ic.tensor("X", "b i"), ic.tensor("W", "i o"), ic.tensor("G", "b o")
    assert texts(*ic.vjp(ic.einsum("bi,io->bo", X, W), [X, W], G)) == ["G @ W.T", "X.T @ G"]


# ------------------------------------------------------------------ mechanics


def test_neo_hookean() -> None:
    F, mu, lam = ic.tensor("F", 3, 3), ic.scalar("mu"), ic.scalar("lam")
    J = ic.log(ic.det(F))
    psi = mu / 2 * (ic.tr(F.T @ F) - 3) - mu * J + lam / 2 * J**2
    assert str(ic.grad(psi, F)) == "mu*F + (lam*log(det(F)) - mu)*inv(F).T"
    Fi = ic.inv(F)
    tangent = (
        mu * ic.delta(i, k) * ic.delta(j, l)
        + (mu - lam * J[()]) * Fi[j, k] * Fi[l, i]
        + lam * Fi[j, i] * Fi[l, k]
    )  # fmt: skip
    assert ic.hessian(psi, F)[i, j, k, l] == tangent


def test_isotropic_elasticity() -> None:
    lam, mu = ic.scalar("lam"), ic.scalar("mu")
    symmetric, general = ic.tensor("eps", 3, 3, symmetric=True), ic.tensor("eps", 3, 3)
    pairs = ic.delta(i, k) * ic.delta(j, l), ic.delta(i, l) * ic.delta(j, k)
    volume = lam * ic.delta(i, j) * ic.delta(k, l)
    stress = [lam * ic.tr(eps) * ic.eye(3) + 2 * mu * eps for eps in (symmetric, general)]
    D = ic.derivative(stress[0], symmetric)
    assert D[i, j, k, l] == volume + mu * pairs[0] + mu * pairs[1]
    assert "projected" in D.note
    assert ic.derivative(stress[1], general)[i, j, k, l] == volume + 2 * mu * pairs[0]
