"""The decompositions and primary functions of matrices, as users call them: on the last two axes of an Array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexcalc.errors import DimensionError, NotationError
from indexcalc.functions.matrix_series import derivative_name
from indexcalc.functions.table import MATRICES, MatrixFunction, apply_matrix, matrix_row
from indexcalc.graph.constructors import matrix
from indexcalc.graph.node import Node
from indexcalc.surface import public, sentence
from indexcalc.views.array import Array, array_from, standing_array
from indexcalc.views.functions.arguments import asked_of, matrix_of
from indexcalc.views.functions.exponent import exponent_of


@public
def eigh(A: Array) -> tuple[Array, Array]:
    """The eigenvalues w, ascending, and eigenvectors V, as columns, of the symmetric part (A + A^T)/2.

    `(A + A.T)/2 = V @ diagm(w) @ V.T`. The derivatives are those of the symmetrised function: `dw_a = v_a^T dA v_a` and
    `dV = V (F o (V^T dA V))`, `F_ab = 1/(w_b - w_a)`. At equal eigenvalues F is given as 0, and V is any basis of
    theirs: what depends on the choice has no derivative there. The sign of each vector is arbitrary. A symmetric A is
    n×n, with axes in front as batches.

    Source: M. Giles, Collected matrix derivative results for forward and reverse mode, 2008, section 3.1.

    >>> import indexcalc as ic
    >>> w, V = ic.eigh(ic.tensor("A", 2, 2))
    >>> w.evaluate(A=[[2, 1], [1, 2]]).round(12).tolist()
    [1.0, 3.0]
    """
    node = matrix_of("eigh", A, square=True)
    return _view("eigvalsh", node, A), _view("eigh_v", node, A)


@public
def svd(X: Array) -> tuple[Array, Array, Array]:
    """The thin singular value decomposition (U, s, V^T), s descending: `X = U @ diagm(s) @ Vt`.

    X is m×n, U m×k, s k, Vt k×n with k = min(m, n). With `P = U^T dX V` and `F_ab = 1/(s_b**2 - s_a**2)`:
    `ds = diag(P)`, `dU = U (F o (P S + S P^T)) + (I - U U^T) dX V S^-1`, and V likewise. At equal singular values F is
    given as 0; where one is 0, the derivative of its vectors is nan or infinite. The signs of vectors are arbitrary.

    Source: M. Giles, Collected matrix derivative results for forward and reverse mode, 2008, section 3.2.

    >>> import indexcalc as ic
    >>> U, s, Vt = ic.svd(ic.tensor("X", "m n"))
    >>> U.shape, s.shape, Vt.shape
    ((m, min(m, n)), (min(m, n),), (min(m, n), n))
    """
    node = matrix_of("svd", X)
    return _view("svd_u", node, X), _view("svdvals", node, X), _view("svd_vt", node, X)


def matrix_function(name: str) -> Callable[[Array], Array]:
    """The public function of a row of the table."""
    row = MATRICES[name]

    def apply(X: Array) -> Array:
        return _view(name, matrix_of(name, X, row.square), X)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = _describe(row)
    return public(apply)


def _describe(row: MatrixFunction) -> str:
    parts = [
        f"{sentence(row.formula)}, along the last two axes; the axes before are batches.",
        f"Domain: {row.domain}.",
        f"Source: {row.source}.",
    ]
    if row.kink:
        parts.insert(-1, f"Where no derivative exists: {row.kink}.")
    return "\n\n".join(parts)


# ------------------------------------------------------------------ derivatives of primary functions


def derivative_function(fn: str, times: int) -> Callable[..., Array]:
    """The derivative of a primary function as text writes it: of the matrix, along directions, with the parameters.

    `Dexpm(X)[i,j,k,l]` is `d expm(X)[i,j] / d X[k,l]`, and `Dexpm(X, E)[i,j]` what E changes; of `D2expm` up to two
    directions may be given, and the others are left open.
    """
    name = f"D{times if times > 1 else ''}{fn}"
    row = matrix_row(fn)

    def apply(X: Array, *rest: Any) -> Array:
        x = matrix_of(name, X, square=True)
        split = len(rest) - len(row.params)
        directions, params = rest[: max(split, 0)], rest[max(split, 0) :]
        if len(params) < len(row.params) or len(directions) > times:
            wanted = ", ".join(["X", *(f"E{k + 1}" for k in range(times)), *row.params])
            raise NotationError(name, f"{1 + len(rest)} arguments", f"write {name}({wanted}), or fewer directions")
        nodes = [matrix_of(name, direction) for direction in directions]
        for node in nodes:
            if node.dims != x.dims:
                found = f"the matrix has shape {x.dims}, the direction {node.dims}"
                raise DimensionError(asked_of(name, X, *directions), found, "directions have the shape of the matrix")
        shape = (*x.dims, *x.dims[-2:] * (times - len(nodes)))
        value = matrix(fn, [x, *nodes], shape, tuple(exponent_of(name, X, k) for k in params), times)
        return array_from(value, [X, *directions])

    return apply


class NamedFunctions(dict[str, Callable[..., Any]]):
    """Functions by name, the derivatives of primary functions of every order among them."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and derivative_name(name) is not None)

    def __missing__(self, name: str) -> Callable[..., Any]:
        found = derivative_name(name)
        if found is None:
            raise KeyError(name)
        return derivative_function(*found)


def _view(row: str, node: Node, X: Array) -> Array:
    """The function of this row; a vector stands as vectors are meant in the argument."""
    value = apply_matrix(row, node)
    return array_from(value, [X]) if value.order == node.order else standing_array(value, [X])


DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    **{name: matrix_function(name) for name, row in MATRICES.items() if row.public},
    "eigh": eigh,
    "svd": svd,
}

PARTS: dict[str, Callable[..., Any]] = {
    name: matrix_function(name) for name, row in MATRICES.items() if not row.public and row.special is None
}
"""What stands in derivatives and in the outputs of `eigh` and `svd`."""
