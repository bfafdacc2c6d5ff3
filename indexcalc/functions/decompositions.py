"""The decompositions of matrices: Cholesky, eigenvalues and singular values, with their vectors; a row each.

Each part of a decomposition is a row of its own, and every rule is written in these rows, so there are derivatives of
every order. Cholesky and the eigenvalues read the symmetric part of their argument, (A + A^T)/2, in the value as in the
derivative: so the derivative of an eigenvalue is v v^T.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from indexcalc.functions.code import shared
from indexcalc.functions.spectral import finite
from indexcalc.functions.table import MATRICES, MatrixFunction, apply_matrix
from indexcalc.graph.constructors import addition, constant, delta, einsum, reduction
from indexcalc.graph.node import Matrix, Node
from indexcalc.index import Dimension, smaller

HALF = Fraction(1, 2)

# ------------------------------------------------------------------ numerics


def _of_finite(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of matrices, nan for those with entries that are not finite."""
    return lambda x: finite(function, x)


# ------------------------------------------------------------------ rules


def _vector(rows: Dimension, columns: Dimension) -> tuple[Dimension, ...]:
    return (smaller(rows, columns),)


def _rule(node: Matrix, letters: str, *terms: tuple[Any, ...]) -> Node:
    """The sum of `(coef, factor, ...)`, with axes: batches, those of the value, rows and columns of the argument.

    `letters` names the axes after the batches; a factor is `(part, letters)` or `(part, letters, exponent)`, a part
    being a node without batches or the name of another part of the decomposition.
    """
    (x,) = node.children
    lead = tuple(range(x.order - 2))
    dims = (*node.dims, *x.dims[-2:])
    made = []
    for coef, *factors in terms:
        rows = [
            (apply_matrix(part, x), (*lead, *at), *rest) if isinstance(part, str) else (part, tuple(at), *rest)
            for part, at, *rest in factors
        ]
        sizes = dict(zip((*lead, *letters), dims, strict=True))
        made.append((coef, einsum(1, rows, (*lead, *letters), sizes), range(len(dims))))
    return addition(made, dims)


def _eigvalsh_rule(node: Matrix) -> Node:
    """dw_a = V_xa dA_xy V_ya."""
    return _rule(node, "axy", (1, ("eigh_v", "xa"), ("eigh_v", "ya")))


def _eigh_v_rule(node: Matrix) -> Node:
    """dV = V (F o (V^T dA V)), F_ba = 1/(w_a - w_b), 0 where the two are equal; dA symmetrised."""
    return _rule(
        node, "iaxy",
        *[(HALF, ("eigh_v", "ib"), ("eigh_gaps", "ba"), ("eigh_v", b), ("eigh_v", a))
          for b, a in (("xb", "ya"), ("yb", "xa"))],
    )  # fmt: skip


def _eigh_gaps_rule(node: Matrix) -> Node:
    """dF_ab = -F_ab**2 (dw_b - dw_a)."""
    square = ("eigh_gaps", "ab", 2)
    return _rule(
        node, "abxy", (-1, square, ("eigh_v", "xb"), ("eigh_v", "yb")), (1, square, ("eigh_v", "xa"), ("eigh_v", "ya"))
    )


def _svdvals_rule(node: Matrix) -> Node:
    """ds_a = U_xa dX_xy V_ya."""
    return _rule(node, "axy", (1, ("svd_u", "xa"), ("svd_vt", "ay")))


def _svd_u_rule(node: Matrix) -> Node:
    """dU = U (F o (P S + S P^T)) + (I - U U^T) dX V S^-1 with P = U^T dX V and F_ba = 1/(s_a**2 - s_b**2)."""
    u, gaps = ("svd_u", "ib"), ("svd_gaps", "ba")
    terms: list[tuple[Any, ...]] = [
        (1, u, gaps, ("svd_u", "xb"), ("svd_vt", "ay"), ("svdvals", "a")),
        (1, u, gaps, ("svd_u", "xa"), ("svd_vt", "by"), ("svdvals", "b")),
    ]
    rows, kept = node.dims[-2:]
    if rows != kept:
        side = (("svd_vt", "ay"), ("svdvals", "a", -1))
        terms += [(1, (delta(rows), "ix"), *side), (-1, ("svd_u", "ic"), ("svd_u", "xc"), *side)]
    return _rule(node, "iaxy", *terms)


def _svd_vt_rule(node: Matrix) -> Node:
    """dV = V (F o (S P + P^T S)) + (I - V V^T) dX^T U S^-1, transposed, with P and F as for U."""
    vt, gaps = ("svd_vt", "bj"), ("svd_gaps", "ba")
    terms: list[tuple[Any, ...]] = [
        (1, vt, gaps, ("svd_u", "xb"), ("svd_vt", "ay"), ("svdvals", "b")),
        (1, vt, gaps, ("svd_u", "xa"), ("svd_vt", "by"), ("svdvals", "a")),
    ]
    kept, columns = node.dims[-2:]
    if columns != kept:
        side = (("svd_u", "xa"), ("svdvals", "a", -1))
        terms += [(1, (delta(columns), "jy"), *side), (-1, ("svd_vt", "cj"), ("svd_vt", "cy"), *side)]
    return _rule(node, "ajxy", *terms)


def _svd_gaps_rule(node: Matrix) -> Node:
    """dF_ab = -2 F_ab**2 (s_b ds_b - s_a ds_a)."""
    square = ("svd_gaps", "ab", 2)
    return _rule(
        node, "abxy",
        (-2, square, ("svdvals", "b"), ("svd_u", "xb"), ("svd_vt", "by")),
        (2, square, ("svdvals", "a"), ("svd_u", "xa"), ("svd_vt", "ay")),
    )  # fmt: skip


def _cholesky_rule(node: Matrix) -> Node:
    """dL = L Φ(L^-1 dS L^-T), Φ taking the lower triangle and half of the diagonal; dS symmetrised."""
    n = node.dims[-1]
    lower, axes = apply_matrix("cholesky", node.children[0]), (node.order - 2, node.order - 1)
    inverse = reduction("inv", lower, axes, True)
    lead = range(node.order - 2)
    mask = addition([(1, constant("tril", (n, n)), (0, 1)), (-HALF, delta(n), (0, 1))], (n, n))
    return _rule(
        node, "ijxy",
        *[(HALF, ("cholesky", "ia"), (mask, "aj"), (inverse, (*lead, *a)), (inverse, (*lead, *j)))
          for a, j in (("ax", "jy"), ("ay", "jx"))],
    )  # fmt: skip


GILES = "M. Giles, Collected matrix derivative results for forward and reverse mode, 2008"
MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, chapter 9, section 8"
SYMMETRIC = "real matrices, of which the symmetric part (A + A^T)/2 is taken"
TIES = (
    "at equal {} the vectors are any basis of theirs, and what one such vector does to another is left out of their "
    "derivatives (the factor 1/(x_b - x_a) is given as 0)"
)
EIGEN = TIES.format("eigenvalues")
SINGULAR = TIES.format("singular values") + "; of a vector whose singular value is 0 it is nan or infinite"

CURVE = "{} are equal at single points of a curve"
"""Why nobody is to meet two sides."""
GAPS = "(lambda w: 1 / (w[..., None, :] - w[..., :, None] + jnp.diag(jnp.full(w.shape[-1], jnp.inf))))({})"
"""In JAX 1/(w_b - w_a) of values w that differ, 0 on the diagonal."""

ROWS = (
    MatrixFunction(
        "cholesky", "the lower triangular L with L L^T = S and a positive diagonal", _of_finite(shared.cholesky),
        r"\operatorname{{cholesky}}\left({}\right)", f"{GILES}, section 3.3", _cholesky_rule, turned=False,
        domain="symmetric positive definite matrices; the symmetric part (S + S^T)/2 is taken", holomorphic=False,
        unmet="of positive definite matrices alone",
        workspace=(1.0, 0.0), oracle="jnp.linalg.cholesky((x + x.mT) / 2)",
    ),
    MatrixFunction(
        "eigvalsh", "the eigenvalues of a symmetric matrix, ascending", _of_finite(shared.eigvalsh),
        r"\operatorname{{eigvalsh}}\left({}\right)", MAGNUS, _eigvalsh_rule, shape=_vector, turned=False,
        domain=SYMMETRIC,
        kink="at equal eigenvalues they have directional derivatives alone; the diagonal of V^T dA V comes out",
        holomorphic=False,
        unmet=CURVE.format("eigenvalues"),
        workspace=(2.0, 0.0), oracle="jnp.linalg.eigh((x + x.mT) / 2)[0]",
    ),
    MatrixFunction(
        "eigh_v", "the eigenvectors of a symmetric matrix, V_ia with a the number of the eigenvalue",
        _of_finite(shared.eigh_v), r"\operatorname{{eigh\_v}}\left({}\right)", f"{GILES}, section 3.1", _eigh_v_rule,
        turned=False, domain=SYMMETRIC, kink=EIGEN, holomorphic=False, public=False,
        unmet=CURVE.format("eigenvalues"),
        workspace=(1.0, 0.0), oracle="jnp.linalg.eigh((x + x.mT) / 2)[1]",
    ),
    MatrixFunction(
        "eigh_gaps", "1/(w_b - w_a) for the eigenvalues w, 0 where they are equal", _of_finite(shared.eigh_gaps),
        r"\operatorname{{eigh\_gaps}}\left({}\right)", f"{GILES}, section 3.1", _eigh_gaps_rule, turned=False,
        domain=SYMMETRIC, kink=EIGEN, holomorphic=False, public=False,
        unmet=CURVE.format("eigenvalues"),
        workspace=(2.0, 0.0), oracle=GAPS.format("jnp.linalg.eigh((x + x.mT) / 2)[0]"),
    ),
    MatrixFunction(
        "svdvals", "the singular values, descending", _of_finite(shared.svdvals),
        r"\operatorname{{svdvals}}\left({}\right)",
        f"{GILES}, section 3.2", _svdvals_rule, shape=_vector, turned=False, square=False, domain="real matrices",
        kink="at 0 and at equal singular values they have directional derivatives alone; the diagonal of U^T dX V "
        "comes out", holomorphic=False,
        unmet=CURVE.format("singular values"),
        workspace=(2.0, 0.0), oracle="jnp.linalg.svd(x, full_matrices=False)[1]",
    ),
    MatrixFunction(
        "svd_u", "the left singular vectors, U_ia with a the number of the singular value", _of_finite(shared.svd_u),
        r"\operatorname{{svd\_u}}\left({}\right)", f"{GILES}, section 3.2", _svd_u_rule,
        shape=lambda rows, columns: (rows, smaller(rows, columns)), square=False, domain="real matrices",
        kink=SINGULAR, holomorphic=False, public=False,
        unmet=CURVE.format("singular values"),
        workspace=(1.0, 0.0), oracle="jnp.linalg.svd(x, full_matrices=False)[0]",
    ),
    MatrixFunction(
        "svd_vt", "the right singular vectors, V_ja as [a,j] with a the number of the singular value",
        _of_finite(shared.svd_vt), r"\operatorname{{svd\_vt}}\left({}\right)", f"{GILES}, section 3.2",
        _svd_vt_rule, shape=lambda rows, columns: (smaller(rows, columns), columns), square=False,
        domain="real matrices", kink=SINGULAR, holomorphic=False, public=False,
        unmet=CURVE.format("singular values"),
        workspace=(1.0, 0.0), oracle="jnp.linalg.svd(x, full_matrices=False)[2]",
    ),
    MatrixFunction(
        "svd_gaps", "1/(s_b**2 - s_a**2) for the singular values s, 0 where they are equal",
        _of_finite(shared.svd_gaps), r"\operatorname{{svd\_gaps}}\left({}\right)", f"{GILES}, section 3.2",
        _svd_gaps_rule, shape=lambda rows, columns: (smaller(rows, columns),) * 2, turned=False, square=False,
        domain="real matrices", kink=SINGULAR, holomorphic=False, public=False,
        unmet=CURVE.format("singular values"),
        workspace=(2.0, 0.0), oracle=GAPS.format("jnp.linalg.svd(x, compute_uv=False) ** 2"),
    ),
)  # fmt: skip

MATRICES.update({row.name: row for row in ROWS})
