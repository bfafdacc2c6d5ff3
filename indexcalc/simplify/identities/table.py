"""The identities of functions of one matrix A: each a row with its name, both sides, its condition and its source.

A side is factors with an index for each axis, such as `cholesky[i,a] cholesky[j,a]`; an index of the left side that
the right one lacks is summed. What stands before the brackets is a function of A, or functions within one another:

    A            the matrix itself
    sym          its symmetric part, (A + A^T)/2, which is what decompositions of symmetric matrices read
    inv(sqrtm)   any function of the library of any other

`GATHERED` are looked for among the factors of a product, `NESTED` where a function is applied to another one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from indexcalc.graph.edge import is_symmetric_matrix
from indexcalc.graph.node import Node, Variable
from indexcalc.graph.numbers import Number
from indexcalc.graph.ranges import at_least

HALF = Fraction(1, 2)
HIGHAM = "N. Higham, Functions of Matrices, chapter 1"
GOLUB = "G. Golub, C. Van Loan, Matrix Computations, chapters 2, 4 and 8"
MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, chapter 1"
PENROSE = "R. Penrose, A generalized inverse for matrices, 1955"


class Identity(NamedTuple):
    """`left = coef * right` for every matrix A for which `when(A)` holds and the left side exists.

    Where a singular value is 0 its vectors exist, though they are not unique: what holds at full rank alone says so.

    `example` says of what kind a matrix is that the tests draw: any, symmetric, positive definite, tall or wide.
    """

    name: str
    left: str
    right: str
    source: str
    coef: Number = 1
    when: Callable[[Node], bool] = lambda matrix: True
    example: str = "any"


def has_full_rank(matrix: Node) -> bool:
    """Was it declared so?

    >>> from indexcalc.graph.constructors import variable
    >>> has_full_rank(variable("X", (4, 3), ["full_rank"])), has_full_rank(variable("X", (4, 3)))
    (True, False)
    """
    return isinstance(matrix, Variable) and "full_rank" in matrix.assumptions


def is_wide(matrix: Node) -> bool:
    """Has it at least as many columns as rows, whatever the sizes of symbols are?

    >>> from indexcalc.graph.constructors import variable
    >>> is_wide(variable("X", (3, 4))), is_wide(variable("X", (4, 3)))
    (True, False)
    """
    return at_least(matrix.dims[-1], matrix.dims[-2])


def is_tall(matrix: Node) -> bool:
    """Has it at least as many rows as columns, whatever the sizes of symbols are?

    >>> from indexcalc.graph.constructors import variable
    >>> is_tall(variable("X", (3, 4))), is_tall(variable("X", (3, 3)))
    (False, True)
    """
    return at_least(matrix.dims[-2], matrix.dims[-1])


PD, SYMMETRIC, TALL, WIDE = "positive_definite", "symmetric", "tall", "wide"

GATHERED = (
    # A = L L^T with L lower triangular
    Identity("what Cholesky factors make", "cholesky[i,a] cholesky[j,a]", "sym[i,j]", GOLUB, example=PD),
    Identity("inverse Cholesky factors", "inv(cholesky)[a,i] inv(cholesky)[a,j]", "inv(sym)[i,j]", GOLUB, example=PD),
    Identity("whitening", "inv(cholesky)[i,a] A[a,j]", "cholesky[j,i]", GOLUB, 1, is_symmetric_matrix, PD),
    Identity("half an inverse", "inv(A)[i,a] cholesky[a,j]", "inv(cholesky)[j,i]", GOLUB, 1, is_symmetric_matrix, PD),
    Identity("a lower triangle of a lower one", "tril[i,j] cholesky[i,j]", "cholesky[i,j]", GOLUB, example=PD),
    Identity("a lower triangle of an upper one", "tril[j,i] cholesky[i,j]", "δ[i,j] cholesky[i,i]", GOLUB, example=PD),
    Identity("a lower triangle of an inverse", "tril[i,j] inv(cholesky)[i,j]", "inv(cholesky)[i,j]", GOLUB, example=PD),
    Identity(
        "an upper triangle of one", "tril[j,i] inv(cholesky)[i,j]", "δ[i,j] inv(cholesky)[i,i]", GOLUB, example=PD
    ),
    Identity("the diagonal of a triangular inverse", "inv(cholesky)[i,i]", "cholesky[i,i]**-1", GOLUB, example=PD),
    Identity("log of a Cholesky diagonal", "log(diag(cholesky))[a]", "logdet(sym)", GOLUB, HALF, example=PD),
    # A = V diag(w) V^T with V orthogonal
    Identity("eigenvectors by rows", "eigh_v[i,a] eigh_v[j,a]", "δ[i,j]", GOLUB, example=SYMMETRIC),
    Identity("eigenvectors by columns", "eigh_v[a,i] eigh_v[a,j]", "δ[i,j]", GOLUB, example=SYMMETRIC),
    Identity("eigenvectors", "A[i,a] eigh_v[a,j]", "eigh_v[i,j] eigvalsh[j]", GOLUB, 1, is_symmetric_matrix, SYMMETRIC),
    Identity("the sum of eigenvalues", "eigvalsh[a]", "sym[b,b]", GOLUB, example=SYMMETRIC),
    Identity("the sum of their squares", "eigvalsh[a]**2", "sym[b,c] sym[b,c]", GOLUB, example=SYMMETRIC),
    Identity("the sum of their inverses", "eigvalsh[a]**-1", "inv(sym)[b,b]", GOLUB, example=PD),
    Identity("the sum of their logarithms", "log(eigvalsh)[a]", "logdet(sym)", GOLUB, example=PD),
    Identity("the sum of logarithms of their sizes", "log(abs(eigvalsh))[a]", "logdet(sym)", GOLUB, example=SYMMETRIC),
    # A = U diag(s) V^T with orthonormal columns
    Identity("left singular vectors by columns", "svd_u[a,i] svd_u[a,j]", "δ[i,j]", GOLUB, example=TALL),
    Identity("right singular vectors by columns", "svd_vt[i,a] svd_vt[j,a]", "δ[i,j]", GOLUB, example=WIDE),
    Identity("left singular vectors by rows", "svd_u[i,a] svd_u[j,a]", "δ[i,j]", GOLUB, 1, is_wide, WIDE),
    Identity("right singular vectors by rows", "svd_vt[a,i] svd_vt[a,j]", "δ[i,j]", GOLUB, 1, is_tall, TALL),
    Identity("what singular parts make", "svd_u[i,a] svdvals[a] svd_vt[a,j]", "A[i,j]", GOLUB, example=TALL),
    Identity("pseudo-inverses by parts", "svd_u[i,a] svdvals[a]**-1 svd_vt[a,j]", "pinv_t[i,j]", GOLUB, example=TALL),
    Identity("the polar factor by parts", "svd_u[i,a] svd_vt[a,j]", "polar[i,j]", HIGHAM, 1, has_full_rank, TALL),
    Identity("right singular vectors", "A[i,a] svd_vt[j,a]", "svd_u[i,j] svdvals[j]", GOLUB, example=TALL),
    Identity("left singular vectors", "svd_u[a,i] A[a,j]", "svdvals[i] svd_vt[i,j]", GOLUB, example=WIDE),
    Identity("the sum of singular values", "svdvals[a]", "norm_nuc", GOLUB, example=TALL),
    Identity("the sum of their squares", "svdvals[a]**2", "A[b,c] A[b,c]", GOLUB, example=WIDE),
    # roots, logarithms
    Identity("the square of a root", "sqrtm[i,a] sqrtm[a,j]", "A[i,j]", HIGHAM, example=PD),
    Identity("a root beside an inverse", "sqrtm[i,a] inv(A)[a,j]", "inv(sqrtm)[i,j]", HIGHAM, example=PD),
    Identity("the square of an inverse root", "inv(sqrtm)[i,a] inv(sqrtm)[a,j]", "inv(A)[i,j]", HIGHAM, example=PD),
    Identity("the trace of a logarithm", "logm[a,a]", "logdet(A)", HIGHAM, example=PD),
    # pseudo-inverses
    Identity("Penrose's first", "A[i,a] pinv_t[b,a] A[b,j]", "A[i,j]", PENROSE, example=TALL),
    Identity("Penrose's second", "pinv_t[i,a] A[b,a] pinv_t[b,j]", "pinv_t[i,j]", PENROSE, example=WIDE),
    Identity("a pseudo-inverse by columns", "A[i,a] inv(gram)[a,j]", "pinv_t[i,j]", PENROSE, 1, has_full_rank, TALL),
    Identity("a pseudo-inverse by rows", "inv(outer)[i,a] A[a,j]", "pinv_t[i,j]", PENROSE, 1, has_full_rank, WIDE),
)  # fmt: skip
"""Among the factors of a product: each leaves fewer factors, or the same number with fewer functions of A itself."""

NESTED = (
    Identity("the determinant of a Cholesky factor", "det(cholesky)", "det(sym)**1/2", GOLUB, example=PD),
    Identity("the log-determinant of a Cholesky factor", "logdet(cholesky)", "logdet(sym)", GOLUB, HALF, example=PD),
    Identity("the product of a Cholesky diagonal", "prod(diag(cholesky))", "det(sym)**1/2", GOLUB, example=PD),
    Identity("the product of eigenvalues", "prod(eigvalsh)", "det(sym)", GOLUB, example=SYMMETRIC),
    Identity("the determinant of an exponential", "det(expm)", "exp(tr)", HIGHAM),
    Identity("the log-determinant of an exponential", "logdet(expm)", "tr", HIGHAM),
    Identity("the determinant of a root", "det(sqrtm)", "det(A)**1/2", HIGHAM, example=PD),
    Identity("the log-determinant of a root", "logdet(sqrtm)", "logdet(A)", HIGHAM, HALF, example=PD),
    Identity("the inverse of an exponential", "inv(expm)[i,j]", "expm(minus)[i,j]", HIGHAM),
    Identity("the exponential of a logarithm", "expm(logm)[i,j]", "A[i,j]", HIGHAM, example=PD),
    Identity("logarithms of exponentials", "logm(expm)[i,j]", "A[i,j]", HIGHAM, 1, is_symmetric_matrix, SYMMETRIC),
    Identity("roots of exponentials", "sqrtm(expm)[i,j]", "expm(half)[i,j]", HIGHAM, 1, is_symmetric_matrix, SYMMETRIC),
    Identity("the logarithm of a root", "logm(sqrtm)[i,j]", "logm[i,j]", HIGHAM, HALF, example=PD),
    Identity("the logarithm of an inverse", "logm(inv)[i,j]", "logm[i,j]", HIGHAM, -1, example=PD),
    Identity("the root of an inverse", "sqrtm(inv)[i,j]", "inv(sqrtm)[i,j]", HIGHAM, example=PD),
    Identity(
        "the eigenvalues of an exponential", "eigvalsh(expm)[i]", "exp(eigvalsh)[i]", HIGHAM, 1,
        is_symmetric_matrix, SYMMETRIC,
    ),
    Identity("the eigenvalues of a root", "eigvalsh(sqrtm)[i]", "eigvalsh[i]**1/2", HIGHAM, 1, is_symmetric_matrix, PD),
    Identity("a pseudo-inverse twice", "pinv_t(pinv_t)[i,j]", "A[i,j]", PENROSE, example=TALL),
)  # fmt: skip
"""A function of a function of A."""

SQUARED_NAMES = frozenset(("cholesky", "eigh_v", "svd_u", "svd_vt"))
"""Functions whose values, times themselves, have a shorter form: `sum((inv(L) @ x)**2)` is `x @ inv(P) @ x`."""
