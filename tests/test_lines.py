"""The line that a book would print: each derivative with its line, which reads back to it."""

from typing import Any

import numpy as np
import pytest

import indexcalc as ic

A, B, C = ic.tensor("A", "n n"), ic.tensor("B", "n n"), ic.tensor("C", "p n")
X, Z, Y = ic.tensor("X", "n n"), ic.tensor("Z", "n m"), ic.tensor("Y", "N d")
P, S = ic.tensor("P", "n n", positive_definite=True), ic.tensor("S", "n n", symmetric=True)
F = ic.tensor("F", "n m", full_rank=True)
b, x, y, w = (ic.tensor(name, size) for name, size in (("b", "n"), ("x", "n"), ("y", "N"), ("w", "d")))
u = ic.tensor("u", "n*n")
s, t, lam = ic.scalar("s"), ic.scalar("t"), ic.scalar("lam")
L, (values, V), (U, sigma, Vt) = ic.cholesky(P), ic.eigh(S), ic.svd(F)
p = ic.sigmoid(Y @ w)
CA, CB, CC, T = (ic.tensor(*one) for one in (("A", "I r"), ("B", "J r"), ("C", "K r"), ("T", "I J K")))
TU, TV, TW, G = (ic.tensor(*one) for one in (("U", "I r"), ("V", "J s"), ("W", "K t"), ("G", "r s t")))
VECTORS = [ic.tensor(*one) for one in (("x", "I"), ("y", "J"), ("z", "K"))]
CP, TUCKER = ic.einsum("ir,jr,kr->ijk", CA, CB, CC), ic.einsum("rst,ir,js,kt->ijk", G, TU, TV, TW)
HOT, HOTS = ic.tensor("q", "n", onehot=True), ic.tensor("Q", "n m", onehot=True)
STEP, NAMED = ic.define("p", ic.softmax(x)), ic.define("u", ic.sigmoid(A @ x))
POSITIVE = ic.tensor("r", "n", positive=True)
LOGISTIC = -ic.sum(y * ic.log(p) + (1 - y) * ic.log(1 - p))


def flat(f: Any, by: Any) -> Any:
    return ic.derivative(f, by).layout("magnus-neudecker")


LINES: dict[str, tuple[Any, str]] = {
    # functions of matrices know what defines them
    "log-determinant by Cholesky": (ic.grad(2 * ic.sum(ic.log(ic.diag(L))), P), "inv(P)"),
    "eigenvalues": (ic.grad(ic.sum(ic.eigvalsh(S)), S), "eye(n)"),
    "square eigenvalues": (ic.grad(ic.sum(ic.eigvalsh(S) ** 2), S), "2*S"),
    "entropy of eigenvalues": (
        ic.grad(-ic.sum(ic.eigvalsh(P) * ic.log(ic.eigvalsh(P))), P), "-(logm(P) + eye(n))",
    ),
    "exponentials of eigenvalues": (ic.grad(ic.sum(ic.exp(values)), S), "expm(S)"),
    "roots of eigenvalues": (ic.grad(ic.sum(ic.sqrt(ic.eigvalsh(P))), P), "inv(sqrtm(P))/2"),
    "inverse eigenvalues": (ic.grad(ic.sum(1 / ic.eigvalsh(P)), P), "-inv(P) @ inv(P)"),
    "product of eigenvalues": (ic.grad(ic.prod(ic.eigvalsh(S)), S), "cofactor(S)"),
    "square singular values": (ic.grad(ic.sum(sigma**2), F), "2*F"),
    "singular values": (ic.grad(ic.sum(sigma), F), "polar(F)"),
    "whitened": (ic.sum((ic.inv(L) @ x) ** 2).simplify(), "x @ inv(P) @ x"),
    "whitened, by the matrix": (ic.grad(ic.sum((ic.inv(L) @ x) ** 2), P), "-outer(inv(P) @ x, inv(P) @ x)"),
    "exponential of a square": (ic.grad(ic.tr(ic.expm(X @ X)), X), "2*(X @ expm(X @ X)).T"),
    "geometric mean": (ic.grad(ic.prod(POSITIVE) ** lam, POSITIVE), "lam*prod(r)**lam/r"),
    "log of an exponential": (ic.grad(ic.logdet(ic.expm(A)), A), "eye(n)"),
    "Gram determinant": (ic.grad(ic.logdet(F.T @ F), F), "2*pinv(F).T"),
    "determinant": (ic.grad(ic.det(X), X), "cofactor(X)"),
    # what is zero goes, what has a sign keeps it
    "logistic Hessian with a ridge": (
        ic.hessian(LOGISTIC + lam / 2 * (w @ w), w),
        "Y.T @ diagm(sigmoid(Y @ w)*(1 - sigmoid(Y @ w))) @ Y + lam*eye(d)",
    ),
    "layer norm": (
        ic.grad(ic.sum(b * (x - ic.mean(x)) / ic.sqrt(ic.mean((x - ic.mean(x)) ** 2))), x),
        "(b - (b @ (x - mean(x)))*(x - mean(x))/sum((x - mean(x))**2) - mean(b))/sqrt(mean((x - mean(x))**2))",
    ),
    "cross-entropy of a choice": (ic.grad(-ic.log(HOT @ ic.softmax(x)), x), "softmax(x) - q"),
    "cross-entropy of rows of choices": (
        ic.grad(-ic.sum(ic.log(ic.sum(HOTS * ic.softmax(Z, axis=1), axis=1))), Z), "softmax(Z, axis=1) - Q",
    ),
    "trace of entries": (ic.sum(ic.diag(X) ** 2).simplify(), "sum(diag(X)**2)"),
    # named steps come back
    "Jacobian of a named softmax": (ic.derivative(STEP, x), "diagm(p) - outer(p, p)"),
    "gradient through a named step": (ic.grad(ic.sum(STEP * b), x), "p*(b - b @ p)"),
    "Hessian through a named step": (
        ic.hessian(-ic.sum(b * ic.log(NAMED) + (1 - b) * ic.log(1 - NAMED)), x), "A.T @ diagm(u*(1 - u)) @ A",
    ),
    # every layout has its form
    "vec of a product": (ic.derivative(ic.vec(A @ ic.unvec(u, "n", "n") @ B), u), "kron(B.T, A)"),
    "elementwise of a product": (flat(ic.tanh(C @ Z), Z), "diagm(vec(1 - tanh(C @ Z)**2)) @ kron(eye(m), C)"),
    "softmax of rows": (
        flat(ic.log_softmax(Z, axis=1), Z), "eye(m*n) - kron(ones(m, m), eye(n)) @ diagm(vec(softmax(Z, axis=1)))",
    ),
    "a diagonal matrix": (flat(ic.diagm(X @ b), X), "khatri_rao(eye(n), eye(n)) @ kron(b.T, eye(n))"),
    "factors of a tensor": (
        ic.grad(ic.sum((T - CP) ** 2) / 2, CA), "A @ ((B.T @ B)*(C.T @ C)) - unfold(T, 0) @ khatri_rao(C, B)",
    ),
    "a core and its factors": (
        ic.grad(ic.sum((T - TUCKER) ** 2) / 2, TU),
        "(U @ unfold(G, 0) @ kron(W.T @ W, V.T @ V) - unfold(T, 0) @ kron(W, V)) @ unfold(G, 0).T",
    ),
    "a multilinear form": (ic.grad(ic.einsum("ijk,i,j,k->", T, *VECTORS), VECTORS[0]), "unfold(T, 0) @ kron(z, y)"),
    "a root": (flat(ic.sqrtm(A), A), "inv(kron(eye(n), sqrtm(A)) + kron(sqrtm(A).T, eye(n)))"),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_the_line(name: str) -> None:
    made, line = LINES[name]
    assert str(made) == line
    assert made.simplify() == made
    known = {key: value for key, value in made.declarations.items() if key != "vectors"} | {"p": STEP, "u": NAMED}
    known = {key: value for key, value in known.items() if key not in "pu" or key in line}
    assert ic.parse(line, **known) == made
    assert ic.parse(made.latex(), syntax="latex", **known) == made


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("vec-columns", "inv(kron(eye(n), sqrtm(A)) + kron(sqrtm(A).T, eye(n)))"),
        ("vec-rows", "inv(kron(sqrtm(A), eye(n)) + kron(eye(n), sqrtm(A).T))"),
    ],
)
def test_a_root_is_an_inverse_by_columns_and_by_rows(name: str, line: str) -> None:
    D, written = ic.derivative(ic.sqrtm(A), A).layout(name), ic.parse(line, A=A)
    assert written == D
    given, unit = np.array([[2.0, 0.5], [-0.3, 1.0]]), np.eye(2)
    root = ic.sqrtm(A).evaluate(A=given)
    blocks = np.kron(unit, root) + np.kron(root.T, unit), np.kron(root, unit) + np.kron(unit, root.T)
    np.testing.assert_allclose(D.evaluate(A=given), np.linalg.inv(blocks[name == "vec-rows"]))
