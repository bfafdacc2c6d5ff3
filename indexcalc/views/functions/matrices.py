"""Matrix functions: of Arrays, on their last two axes; the axes in front are batches.

Most are products and joined axes, put together here; inv, det, logdet, cofactor and the pseudo-inverse are rows of the
table of functions. A vector may be a column or a row, and then its value stands as vectors are meant in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from indexcalc.errors import Asked, DimensionError, KindError, NameRefused, NotationError, did_you_mean
from indexcalc.functions.table import apply_matrix
from indexcalc.graph.constructors import addition, constant, delta, einsum, reduction, regroup
from indexcalc.graph.node import Node
from indexcalc.graph.numbers import number
from indexcalc.index import Dim, Dimension, dim
from indexcalc.views.array import (
    Array,
    ascending,
    made,
    matmul,
    stand,
)
from indexcalc.views.expr import Expr
from indexcalc.views.functions.exponent import exponent_of
from indexcalc.views.view import is_number, to_number

LONGEST_CHAIN = 8
"""A power up to this is written as one chain, a higher one is made by squaring."""
HALF = number(0.5)
VOIGT = {2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))}
"""The entries in the order of W. Voigt (Lehrbuch der Kristallphysik, 1910): 11 22 33 23 13 12."""
SHEAR = {"stress": 1.0, "strain": 2.0, "mandel": 2.0**0.5}
"""By how much a Voigt vector multiplies the entries off the diagonal."""


# ------------------------------------------------------------------ arguments


def array_of(name: str, x: Any, asked: str | Asked) -> Array:
    """The argument of a matrix function, an Array; an indexed expression is an error that says what to write.

    >>> import indexcalc as ic
    >>> F = ic.tensor("F", 3, 3)
    >>> array_of("det", F, "det(F)") is F
    True
    """
    if isinstance(x, Expr):
        raise NotationError(
            asked,
            f"{name} is a function of a whole matrix, and {x} has indices",
            f"index the value of an Array, as in ic.inv(F)[j,i]; the Array of this is ({x}).array({_listed(x)})",
        )
    if not isinstance(x, Array):
        hint = "declare data with ic.tensor, and give the numbers to .evaluate"
        raise KindError(asked, f"a {type(x).__name__} is no expression", hint)
    return x


def _listed(x: Expr) -> str:
    return ", ".join(map(str, x.free))


def asked_of(name: str, *args: Any) -> Asked:
    """What was asked, for an error."""
    return Asked(lambda: f"{name}({', '.join(map(str, args))})")


def matrix_of(name: str, x: Any, square: bool = False) -> Node:
    """The node of an argument that is a matrix, or a batch of them, unit axes opened; with `square` that is checked.

    >>> import indexcalc as ic
    >>> matrix_of("tr", ic.column("a", "n")).dims
    (n, 1)
    """
    asked = asked_of(name, x)
    array = array_of(name, x, asked)
    if array.ndim < 2:
        axes = {0: "no axes", 1: "1 axis"}[array.ndim]
        raise NotationError(asked, f"{name} takes a matrix, and {array} has {axes}", _instead(name))
    node = opened(array)
    rows, columns = node.dims[-2:]
    if square and rows != columns:
        raise DimensionError(
            asked, f"{name} takes a square matrix, and the last two axes have {rows} and {columns}", _instead(name)
        )
    return node


def _instead(name: str) -> str:
    known = {
        "inv": "write pinv for a matrix that is not square, 1/x for numbers", "diag": "write diagm for vector to matrix"
    }  # fmt: skip
    return known.get(name, "check the declarations")


def opened(array: Array) -> Node:
    """The node of an Array, with an axis of dimension 1 for each unit axis that is shown."""
    if None not in array.places:
        return array.node
    labels = [("unit", axis) if place is None else place for axis, place in enumerate(array.places)]
    ones: dict[Any, Dimension] = {label: 1 for label in labels if isinstance(label, tuple)}
    return einsum(1, [(array.node, range(array.order))], labels, ones)


def vector_of(name: str, x: Any) -> Node:
    """The node of an argument that is a vector, standing or not, or a batch of them along the last axis."""
    asked = asked_of(name, x)
    array = array_of(name, x, asked)
    if array.order == 1:
        return array.node
    if not array.ndim:
        raise NotationError(asked, f"{name} takes a vector, and {array} has no axes", "write * for numbers")
    return opened(array)


def batches_of(name: str, args: Sequence[Any], nodes: Sequence[Node], own: int) -> tuple[list[list[Any]], list[Any]]:
    """Labels of the axes in front of the last `own` of each node, aligned from the right, and those of the value."""
    count = max(node.order for node in nodes) - own
    rows: list[list[Any]] = []
    dims: dict[int, Dimension] = {}
    for node in nodes:
        labels = list(range(count - (node.order - own), count))
        for label, size in zip(labels, node.dims, strict=False):
            if dims.setdefault(label, size) != size:
                found = f"axis {label - count - own}: {dims[label]} meets {size}"
                raise DimensionError(asked_of(name, *args), found, "axes in front are batches, and of one size")
        rows.append(labels)
    return rows, list(range(count))


def _reduced(name: str, fn: str, x: Any, square: bool = True) -> Node:
    node = matrix_of(name, x, square)
    return reduction(fn, node, (node.order - 2, node.order - 1), fn in ("inv", "cofactor", "pinv_t"))


def _turned(node: Node) -> Node:
    """The transposed matrix."""
    *front, rows, columns = range(node.order)
    return einsum(1, [(node, range(node.order))], [*front, columns, rows])


# ------------------------------------------------------------------ inverse and determinant


def inv(X: Any) -> Array:
    """The inverse of square matrices: d inv(X) = -inv(X) dX inv(X).

    >>> import indexcalc as ic
    >>> i, j, k, l = ic.indices("i j k l"); F = ic.tensor("F", 3, 3)
    >>> ic.inv(F)[i,j].diff(F[k,l])
    -inv(F)[i,k]*inv(F)[l,j]
    """
    return made(_reduced("inv", "inv", X), [X])


def pinv(X: Any) -> Array:
    """The Moore-Penrose pseudo-inverse, n×m for m×n.

    >>> import indexcalc as ic
    >>> ic.pinv(ic.tensor("X", "m n")).shape
    (n, m)
    """
    return made(_turned(_reduced("pinv", "pinv_t", X, False)), [X])


def det(X: Any) -> Array:
    """The determinant of square matrices: d det(X) = det(X) tr(inv(X) dX).

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); F = ic.tensor("F", 3, 3)
    >>> ic.det(F).diff(F[i,j])
    det(F)*inv(F)[j,i]
    """
    return stand(_reduced("det", "det", X), [X])


def logdet(X: Any) -> Array:
    """The logarithm of the absolute determinant, log|det X|, as NumPy's slogdet: d logdet(X) = tr(inv(X) dX).

    >>> import indexcalc as ic
    >>> i, j = ic.indices("i j"); F = ic.tensor("F", 3, 3)
    >>> ic.logdet(F).diff(F[i,j])
    inv(F)[j,i]
    """
    return stand(_reduced("logdet", "logdet", X), [X])


def cofactor(X: Any) -> Array:
    """The matrix of cofactors, det(X) inv(X)^T where X is invertible; its values are right where it is singular too.

    >>> import indexcalc as ic
    >>> ic.cofactor(ic.tensor("F", 3, 3)).shape
    (3, 3)
    """
    return made(_reduced("cofactor", "cofactor", X), [X])


def adj(X: Any) -> Array:
    """The adjugate, the transposed matrix of cofactors: X adj(X) = det(X) I.

    >>> import indexcalc as ic
    >>> F = ic.tensor("F", 3, 3)
    >>> ic.adj(F) == ic.cofactor(F).T
    True
    """
    return made(_turned(_reduced("adj", "cofactor", X)), [X])


def solve(A: Any, b: Any) -> Array:
    """The solution x of A x = b: inv(A) @ b.

    >>> import indexcalc as ic
    >>> A, b = ic.tensor("A", "n n"), ic.tensor("b", "n")
    >>> ic.solve(A, b) == ic.inv(A) @ b
    True
    """
    inverse = made(_reduced("solve", "inv", A), [A])
    return matmul(inverse, array_of("solve", b, asked_of("solve", A, b)))


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
        return made(apply_matrix("matrix_power", node, (exponent,)), [X])
    if exponent < 0:
        node = reduction("inv", node, (node.order - 2, node.order - 1), True)
    return made(_chain(node, abs(exponent)), [X])


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


def tr(X: Any) -> Array:
    """The trace: the sum of the diagonal.

    >>> import indexcalc as ic
    >>> A, i = ic.tensor("A", "n n"), ic.index("i")
    >>> ic.tr(A) == A[i,i]
    True
    """
    node = matrix_of("tr", X, square=True)
    front = range(node.order - 2)
    return stand(einsum(1, [(node, (*front, "i", "i"))], front), [X])


def diag(X: Any) -> Array:
    """The diagonal of square matrices, as a vector.

    >>> import indexcalc as ic
    >>> ic.diag(ic.tensor("A", "n n")).shape
    (n,)
    """
    node = matrix_of("diag", X, square=True)
    front = range(node.order - 2)
    return stand(einsum(1, [(node, (*front, "i", "i"))], (*front, "i")), [X])


def diagm(v: Any) -> Array:
    """The diagonal matrix with this vector on its diagonal.

    >>> import indexcalc as ic
    >>> ic.diagm(ic.tensor("v", "n")).shape
    (n, n)
    """
    node = vector_of("diagm", v)
    front = range(node.order - 1)
    return made(einsum(1, [(node, (*front, "i"))], (*front, "i", "i")), [v])


def sym(A: Any) -> Array:
    """The symmetric part, (A + A^T)/2.

    >>> import indexcalc as ic
    >>> A = ic.tensor("A", "n n")
    >>> ic.sym(A) == (A + A.T)/2
    True
    """
    node = matrix_of("sym", A, square=True)
    *front, rows, columns = range(node.order)
    both = [(HALF, node, range(node.order)), (HALF, node, (*front, columns, rows))]
    return made(addition(both, node.dims), [A])


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
    return made(einsum(1, [(node, (*front, rows, columns)), (mask, axes)], range(node.order)), [X])


def tril(X: Any, k: Any = 0) -> Array:
    """The lower triangle: the entries with column - row <= k, else 0.

    >>> import indexcalc as ic
    >>> ic.tril(ic.tensor("A", "n n")).T == ic.triu(ic.tensor("A", "n n").T)
    True
    """
    return _masked("tril", X, k, False)


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
        return stand(array.node, [X])
    node = matrix_of("vec", X)
    rows, columns = node.order - 2, node.order - 1
    single = [(label,) for label in range(node.order)]
    joined = (columns, rows) if by_columns else (rows, columns)
    return stand(regroup(node, single, [*single[:-2], joined], node.dims), [X])


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
    return made(regroup(node, [*front, joined], [*front, (i,), (j,)], (*node.dims[:-1], rows, columns)), [x])


def triangle(n: Dimension) -> Dimension:
    """How many entries the lower triangle of an n×n matrix has: n(n+1)/2.

    >>> from indexcalc.index import dim
    >>> triangle(3), triangle(dim("n"))
    (6, n**2/2 + n/2)
    """
    double = n * n + n
    return double // 2 if isinstance(double, int) else double / 2


def both_places(n: Dimension) -> Node:
    """The tensor that is 1 where the entries i, j and j, i of a symmetric matrix are entry a of its vech.

    >>> both_places(3).dims
    (3, 3, 6)
    """
    return constant("duplication", (n, n, triangle(n)))


def lower_places(n: Dimension) -> Node:
    """The tensor that is 1 where the entry i, j of the lower triangle is entry a of vech.

    >>> lower_places(3).dims
    (3, 3, 6)
    """
    return constant("elimination", (n, n, triangle(n)))


def voigt_places(kind: str, n: Dimension) -> Node:
    """The tensor V[i,j,a] for which `V[i,j,a]*T[i,j]` is entry a of the Voigt vector of a symmetric T; see `voigt`.

    >>> voigt_places("stress", 3).dims
    (3, 3, 6)
    """
    if kind not in SHEAR:
        raise NameRefused(asked_of("voigt", kind, n), f"{kind!r} is no kind", did_you_mean(str(kind), SHEAR))
    if n not in VOIGT:
        found = f"dimension {n}, and Voigt's order is one of dimension 2 or 3"
        raise DimensionError(asked_of("voigt", kind, n), found, "declare the tensor with the integer 2 or 3")
    return constant("voigt", (n, n, triangle(n)), (kind,))


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
    return stand(einsum(1, [(node, range(node.order)), places], (*front, "a")), [S])


# ------------------------------------------------------------------ products


def kron(A: Any, B: Any, *others: Any) -> Array:
    """The Kronecker product: the blocks A_ij B. Of vectors, a vector.

    >>> import indexcalc as ic
    >>> ic.kron(ic.tensor("A", "m n"), ic.tensor("B", "p q")).shape
    (m*p, n*q)
    """
    asked = asked_of("kron", A, B)
    one, other = array_of("kron", A, asked), array_of("kron", B, asked)
    if min(one.ndim, other.ndim) == 0:
        raise NotationError(
            asked, "kron takes vectors and matrices, and one of these has no axes", "write * for numbers"
        )
    own = max(min(one.ndim, 2), min(other.ndim, 2))
    result = _kron(one, other, own)
    return kron(result, *others) if others else result


def _kron(one: Array, other: Array, own: int) -> Array:
    """The Kronecker product along the last axes, `own` of them; a unit axis leaves the other's as it is."""
    nodes = (one.node, other.node)
    groups: list[list[Any]] = [[] for _ in range(own)]
    labels: list[list[Any]] = [[], []]
    front, lead = batches_of("kron", (one, other), [_front(array, own) for array in (one, other)], 0)
    for side, array in enumerate((one, other)):
        labels[side] += front[side]
        for axis in range(own):
            shown = array.ndim - own + axis
            if shown >= 0 and array.places[shown] is not None:
                labels[side].append((side, axis))
                groups[axis].append((side, axis))
    flat = [*lead, *(label for group in groups for label in group)]
    product = einsum(1, list(zip(nodes, labels, strict=True)), flat)
    place = {label: k for k, label in enumerate(flat)}
    outer = [(place[label],) for label in lead] + [tuple(place[x] for x in group) for group in groups if group]
    node = regroup(product, [(k,) for k in range(len(flat))], outer, product.dims)
    if own == 1 or all(groups):
        return stand(node, [one, other]) if own == 1 else made(node, [one, other])
    return made(node, [one, other], ascending([True] * len(lead) + [bool(group) for group in groups]))


def _front(array: Array, own: int) -> Node:
    """What stands for the batches of an array: ones of their dimensions."""
    true = [place for place in array.places[: max(array.ndim - own, 0)] if place is not None]
    return einsum(1, (), range(len(true)), {k: array.node.dims[place] for k, place in enumerate(true)})


def khatri_rao(A: Any, B: Any) -> Array:
    """The Khatri-Rao product: column k is the Kronecker product of columns k of A and B.

    >>> import indexcalc as ic
    >>> ic.khatri_rao(ic.tensor("A", "m k"), ic.tensor("B", "n k")).shape
    (m*n, k)
    """
    nodes = [matrix_of("khatri_rao", X) for X in (A, B)]
    sizes = [node.dims[-1] for node in nodes]
    if sizes[0] != sizes[1]:
        found = f"{A} has {sizes[0]} columns, {B} has {sizes[1]}"
        raise DimensionError(asked_of("khatri_rao", A, B), found, "both have the same number of columns")
    front, lead = batches_of("khatri_rao", (A, B), nodes, 2)
    factors = [(nodes[0], (*front[0], "i", "k")), (nodes[1], (*front[1], "j", "k"))]
    product = einsum(1, factors, (*lead, "i", "j", "k"))
    single = [(label,) for label in range(product.order)]
    i, j, k = range(len(lead), len(lead) + 3)
    return made(regroup(product, single, [*single[: len(lead)], (i, j), (k,)], product.dims), [A, B])


def outer(a: Any, b: Any) -> Array:
    """The outer product of two vectors: the matrix a_i b_j.

    >>> import indexcalc as ic
    >>> ic.outer(ic.tensor("a", "n"), ic.tensor("b", "m")).shape
    (n, m)
    """
    nodes = [vector_of("outer", x) for x in (a, b)]
    front, lead = batches_of("outer", (a, b), nodes, 1)
    factors = [(nodes[0], (*front[0], "i")), (nodes[1], (*front[1], "j"))]
    return made(einsum(1, factors, (*lead, "i", "j")), [a, b])


def cross(a: Any, b: Any) -> Array:
    """The cross product of vectors of dimension 3: ε_ijk a_j b_k.

    >>> import indexcalc as ic
    >>> a, b = ic.tensor("a", 3), ic.tensor("b", 3)
    >>> ic.cross(a, b) == -ic.cross(b, a)
    True
    """
    nodes = [vector_of("cross", x) for x in (a, b)]
    if any(node.dims[-1] != 3 for node in nodes):
        found = f"the vectors have dimensions {nodes[0].dims[-1]} and {nodes[1].dims[-1]}"
        raise DimensionError(asked_of("cross", a, b), found, "the cross product is for dimension 3")
    front, lead = batches_of("cross", (a, b), nodes, 1)
    epsilon = (constant("epsilon", (3, 3, 3)), ("i", "j", "k"))
    factors = [epsilon, (nodes[0], (*front[0], "j")), (nodes[1], (*front[1], "k"))]
    return stand(einsum(1, factors, (*lead, "i")), [a, b])


# ------------------------------------------------------------------ constants


def commutation(m: Any, n: Any) -> Array:
    """The commutation matrix K, m*n × m*n: K(m, n) vec(X) = vec(X^T) for X of m×n.

    >>> import indexcalc as ic
    >>> X = ic.tensor("X", "m n")
    >>> ic.commutation("m", "n") @ ic.vec(X) == ic.vec(X.T)
    True
    """
    rows, columns = dim(m), dim(n)
    return Array(regroup(delta(rows, columns), [(0,), (1,), (2,), (3,)], [(0, 1), (3, 2)], (rows, columns) * 2))


def duplication(n: Any) -> Array:
    """The duplication matrix D, n**2 × n(n+1)/2: D vech(S) = vec(S) for symmetric S.

    >>> import indexcalc as ic
    >>> ic.duplication(2).evaluate()
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    size = dim(n)
    node = both_places(size)
    return Array(regroup(node, [(0,), (1,), (2,)], [(1, 0), (2,)], node.dims))


def elimination(n: Any) -> Array:
    """The elimination matrix L, n(n+1)/2 × n**2: L vec(A) = vech(A).

    >>> import indexcalc as ic
    >>> ic.elimination(2).evaluate()
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 0., 1.]])
    """
    return _by_vec(lower_places(dim(n)))


def voigt(kind: str, n: Any = 3) -> Array:
    """The matrix V whose product with vec(T) is the Voigt vector of a symmetric T, in the order 11 22 33 23 13 12.

    V vec(T) has the entries T_11, T_22, T_33, s T_23, s T_13, s T_12, with s = 1 for "stress", 2 for "strain" (T_23 is
    strain, 2 T_23 the engineering shear strain), and the root of 2 for "mandel". In dimension 2 the order is 11 22 12.

    Source: P. Helnwein, Computer Methods in Applied Mechanics and Engineering 190, 2001, pages 2753-2770.

    >>> import indexcalc as ic
    >>> ic.voigt("strain", 2).evaluate()
    array([[1., 0., 0., 0.],
           [0., 0., 0., 1.],
           [0., 1., 1., 0.]])
    """
    return _by_vec(voigt_places(kind, dim(n)))


def _by_vec(node: Node) -> Array:
    """Places, as the matrix that a column-major vec is multiplied by."""
    return Array(regroup(node, [(0,), (1,), (2,)], [(2,), (1, 0)], node.dims))


def unit(k: Any, *others: Any) -> Array:
    """The unit vector e_k, `unit(k, "n")`, or the single entry matrix that is 1 at k, l: `unit(k, l, "m", "n")`.

    Places are numbered from 0.

    >>> import indexcalc as ic
    >>> ic.unit(1, 3).evaluate()
    array([0., 1., 0.])
    """
    half = (len(others) + 1) // 2
    places, sizes = (k, *others)[:half], [dim(size) for size in (k, *others)[half:]]
    asked = asked_of("unit", k, *others)
    if len(places) != len(sizes) or len(places) > 2:
        raise NotationError(asked, f"{len(others) + 1} arguments", 'write unit(k, "n") or unit(k, l, "m", "n")')
    factors = []
    for axis, (place, size) in enumerate(zip(places, sizes, strict=True)):
        if isinstance(place, bool) or not isinstance(place, int) or place < 0:
            raise KindError(asked, f"the place {place!r} is no integer from 0", 'write unit(0, "n"), say')
        if isinstance(size, int) and place >= size:
            raise DimensionError(asked, f"there is no place {place} among {size}", "places are numbered from 0")
        factors.append((constant("unit", (size,), (place,)), (axis,)))
    return Array(einsum(1, factors, range(len(factors))))


MATRIX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        inv, pinv, det, logdet, adj, cofactor, tr, solve, matrix_power, diag, diagm, triu, tril, vec, unvec, vech,
        kron, khatri_rao, cross, outer, sym, commutation, duplication, elimination, voigt, unit,
    )
}  # fmt: skip
