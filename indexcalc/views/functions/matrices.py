"""Matrix functions: of Arrays, on their last two axes; the axes in front are batches.

Most are products and joined axes, put together here; inv, det, logdet, cofactor and the pseudo-inverse are rows of the
table of functions. A vector may be a column or a row, and then its value stands as vectors are meant in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from indexcalc.errors import DimensionError, KindError, NotationError
from indexcalc.functions.known import lower_places
from indexcalc.functions.table import apply_matrix
from indexcalc.graph.constructors import addition, constant, einsum, reduction, regroup
from indexcalc.graph.node import Node
from indexcalc.index import Dim, dim
from indexcalc.surface import public
from indexcalc.views.array import Array, array_from, matmul, standing_array
from indexcalc.views.functions.arguments import array_of, asked_of, matrix_of, vector_of
from indexcalc.views.functions.exponent import exponent_of
from indexcalc.views.view import is_number, to_number

LONGEST_CHAIN = 8
"""A power up to this is written as one chain, a higher one is made by squaring."""


def _reduced(name: str, x: Any, fn: str = "", square: bool = True) -> Node:
    """The function of this row, that of the name unless another is given, along the last two axes."""
    fn = fn or name
    node = matrix_of(name, x, square)
    return reduction(fn, node, (node.order - 2, node.order - 1), fn in ("inv", "cofactor", "pinv_t"))


def _turned(node: Node) -> Node:
    """The transposed matrix."""
    *front, rows, columns = range(node.order)
    return einsum(1, [(node, range(node.order))], [*front, columns, rows])


# ------------------------------------------------------------------ inverse and determinant


@public
def inv(X: Any) -> Array:
    """The inverse of square matrices: d inv(X) = -inv(X) dX inv(X).

    >>> import indexcalc as ic
    >>> i, j, k, l = ic.indices("i j k l"); F = ic.tensor("F", 3, 3)
    >>> ic.inv(F)[i,j].diff(F[k,l])
    -inv(F)[i,k]*inv(F)[l,j]
    """
    return array_from(_reduced("inv", X), [X])


@public
def pinv(X: Any) -> Array:
    """The Moore-Penrose pseudo-inverse, n×m for m×n.

    >>> import indexcalc as ic
    >>> ic.pinv(ic.tensor("X", "m n")).shape
    (n, m)
    """
    return array_from(_turned(_reduced("pinv", X, "pinv_t", False)), [X])


@public
def det(X: Any) -> Array:
    """The determinant of square matrices: d det(X) = det(X) tr(inv(X) dX).

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); F = ic.tensor("F", 3, 3)
    >>> ic.det(F).diff(F[i,j])
    cofactor(F)[i,j]
    """
    return standing_array(_reduced("det", X), [X])


@public
def logdet(X: Any) -> Array:
    """The logarithm of the absolute determinant, log|det X|, as NumPy's slogdet: d logdet(X) = tr(inv(X) dX).

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); F = ic.tensor("F", 3, 3)
    >>> ic.logdet(F).diff(F[i,j])
    inv(F)[j,i]
    """
    return standing_array(_reduced("logdet", X), [X])


@public
def cofactor(X: Any) -> Array:
    """The matrix of cofactors, det(X) inv(X)^T where X is invertible; its values are right where it is singular too.

    >>> import indexcalc as ic
    >>> ic.cofactor(ic.tensor("F", 3, 3)).shape
    (3, 3)
    """
    return array_from(_reduced("cofactor", X), [X])


@public
def adj(X: Any) -> Array:
    """The adjugate, the transposed matrix of cofactors: X adj(X) = det(X) I.

    >>> import indexcalc as ic
    >>> F = ic.tensor("F", 3, 3)
    >>> ic.adj(F) == ic.cofactor(F).T
    True
    """
    return array_from(_turned(_reduced("adj", X, "cofactor")), [X])


@public
def solve(A: Any, b: Any) -> Array:
    """The solution x of A x = b: inv(A) @ b.

    >>> import indexcalc as ic
    >>> A, b = ic.tensor("A", "n n"), ic.tensor("b", "n")
    >>> ic.solve(A, b) == ic.inv(A) @ b
    True
    """
    inverse = array_from(_reduced("solve", A, "inv"), [A])
    return matmul(inverse, array_of("solve", b, asked_of("solve", A, b)))


@public
def matrix_power(X: Any, k: Any) -> Array:
    """X multiplied by itself k times: eye for k = 0, powers of the inverse for negative k; k may be a symbol.

    An integer or a dimension: `ic.matrix_power(X, 3)`, `ic.matrix_power(X, "k")`.

    >>> import indexcalc as ic
    >>> X = ic.tensor("X", "n n")
    >>> ic.matrix_power(X, 3) == X @ X @ X
    True
    """
    node = matrix_of("matrix_power", X, square=True)
    exponent = exponent_of("matrix_power", X, k)
    if isinstance(exponent, Dim):
        return array_from(apply_matrix("matrix_power", node, (exponent,)), [X])
    if exponent < 0:
        node = reduction("inv", node, (node.order - 2, node.order - 1), True)
    return array_from(_chain(node, abs(exponent)), [X])


def _chain(node: Node, count: int) -> Node:
    """The product of so many of one matrix."""
    front = range(node.order - 2)
    if not count:
        n = node.dims[-1]
        return einsum(1, (), [*front, "i", "i"], {**dict(enumerate(node.dims[:-2])), "i": n})
    if count > LONGEST_CHAIN:
        root = _chain(node, count // 2)
        squared = einsum(1, [(root, (*front, "i", "j")), (root, (*front, "j", "k"))], (*front, "i", "k"))
        if count % 2 == 0:
            return squared
        return einsum(1, [(squared, (*front, "i", "j")), (node, (*front, "j", "k"))], (*front, "i", "k"))
    factors = [(node, (*front, ("step", step), ("step", step + 1))) for step in range(count)]
    return einsum(1, factors, (*front, ("step", 0), ("step", count)))


# ------------------------------------------------------------------ traces, diagonals, triangles


@public
def tr(X: Any) -> Array:
    """The trace: the sum of the diagonal.

    >>> import indexcalc as ic
    >>> A, i = ic.tensor("A", "n n"), ic.index("i")
    >>> ic.tr(A) == A[i,i]
    True
    """
    node = matrix_of("tr", X, square=True)
    front = range(node.order - 2)
    return standing_array(einsum(1, [(node, (*front, "i", "i"))], front), [X])


@public
def diag(X: Any) -> Array:
    """The diagonal of square matrices, as a vector.

    >>> import indexcalc as ic
    >>> ic.diag(ic.tensor("A", "n n")).shape
    (n,)
    """
    node = matrix_of("diag", X, square=True)
    front = range(node.order - 2)
    return standing_array(einsum(1, [(node, (*front, "i", "i"))], (*front, "i")), [X])


@public
def diagm(v: Any) -> Array:
    """The diagonal matrix with this vector on its diagonal.

    >>> import indexcalc as ic
    >>> ic.diagm(ic.tensor("v", "n")).shape
    (n, n)
    """
    node = vector_of("diagm", v)
    front = range(node.order - 1)
    return array_from(einsum(1, [(node, (*front, "i"))], (*front, "i", "i")), [v])


@public
def sym(A: Any) -> Array:
    """The symmetric part, (A + A^T)/2.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n n")
    >>> ic.sym(A) == (A + A.T)/2
    True
    """
    node = matrix_of("sym", A, square=True)
    *front, rows, columns = range(node.order)
    both = [(Fraction(1, 2), node, range(node.order)), (Fraction(1, 2), node, (*front, columns, rows))]
    return array_from(addition(both, node.dims), [A])


def _masked(name: str, X: Any, k: Any, turned: bool) -> Array:
    node = matrix_of(name, X)
    offset = to_number(k) if is_number(k) else k
    if not isinstance(offset, int):
        raise KindError(asked_of(name, X, k), f"the offset {k!r} is no integer", f"write ic.{name}(X, 1)")
    *front, rows, columns = range(node.order)
    shape, axes = node.dims[-2:], (rows, columns)
    if turned:
        shape, axes, offset = shape[::-1], axes[::-1], -offset
    mask = constant("tril", shape, (offset,) if offset else ())
    return array_from(einsum(1, [(node, (*front, rows, columns)), (mask, axes)], range(node.order)), [X])


@public
def tril(X: Any, k: Any = 0) -> Array:
    """The lower triangle: the entries with column - row <= k, else 0.

    >>> import indexcalc as ic
    >>> ic.tril(ic.tensor("A", "n n")).T == ic.triu(ic.tensor("A", "n n").T)
    True
    """
    return _masked("tril", X, k, False)


@public
def triu(X: Any, k: Any = 0) -> Array:
    """The upper triangle: the entries with column - row >= k, else 0.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", 2, 2)
    >>> ic.triu(A, 1).evaluate(A=[[1, 2], [3, 4]])
    array([[0., 2.],
           [0., 0.]])
    """
    return _masked("triu", X, k, True)


# ------------------------------------------------------------------ vectors of matrices


def _column_major(name: str, order: str, args: Sequence[Any]) -> bool:
    if order not in ("F", "C"):
        raise NotationError(asked_of(name, *args), f"order={order!r}", 'write order="F" (by columns) or "C" (by rows)')
    return order == "F"


@public
def vec(X: Any, order: str = "F") -> Array:
    """The entries of a matrix as one vector, column by column; with order="C" row by row. A vector stays as it is.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", 2, 2)
    >>> ic.vec(A).evaluate(A=[[1, 2], [3, 4]])
    array([1., 3., 2., 4.])
    """
    by_columns = _column_major("vec", order, [X])
    array = array_of("vec", X, asked_of("vec", X))
    if array.order == 1:
        return standing_array(array.node, [X])
    node = matrix_of("vec", X)
    rows, columns = node.order - 2, node.order - 1
    single = [(label,) for label in range(node.order)]
    joined = (columns, rows) if by_columns else (rows, columns)
    return standing_array(regroup(node, single, [*single[:-2], joined], node.dims), [X])


@public
def unvec(x: Any, m: Any, n: Any, order: str = "F") -> Array:
    """The m×n matrix whose vec is this vector.

    >>> import indexcalc as ic
    >>> ic.unvec(ic.tensor("x", "m*n"), "m", "n").shape
    (m, n)
    """
    by_columns = _column_major("unvec", order, [x, m, n])
    node = vector_of("unvec", x)
    rows, columns = dim(m), dim(n)
    if rows * columns != node.dims[-1]:
        found = f"a vector of {node.dims[-1]} entries makes no matrix of {rows} times {columns}"
        raise DimensionError(asked_of("unvec", x, m, n), found, "check m and n")
    front = [(label,) for label in range(node.order - 1)]
    i, j = node.order - 1, node.order
    joined = (j, i) if by_columns else (i, j)
    return array_from(regroup(node, [*front, joined], [*front, (i,), (j,)], (*node.dims[:-1], rows, columns)), [x])


@public
def vech(S: Any) -> Array:
    """The lower triangle as one vector, column by column: n(n+1)/2 entries.

    >>> import indexcalc as ic
    >>> S = ic.tensor("S", 2, 2, symmetric=True)
    >>> ic.vech(S).evaluate(S=[[1, 2], [2, 3]])
    array([1., 2., 3.])
    """
    node = matrix_of("vech", S, square=True)
    *front, rows, columns = range(node.order)
    places = (lower_places(node.dims[-1]), (rows, columns, "a"))
    return standing_array(einsum(1, [(node, range(node.order)), places], (*front, "a")), [S])
