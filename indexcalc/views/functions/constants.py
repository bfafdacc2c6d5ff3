"""Known matrices: commutation, duplication, elimination, Voigt's, unit vectors and single entries."""

from __future__ import annotations

from typing import Any

from indexcalc.errors import DimensionError, KindError, NotationError
from indexcalc.functions.entries.choosing import ARANGE, listed
from indexcalc.functions.known import both_places, lower_places, voigt_places
from indexcalc.graph.constructors import constant, delta, einsum, regroup
from indexcalc.graph.node import Node
from indexcalc.index import dim
from indexcalc.surface import public
from indexcalc.views.array import Array
from indexcalc.views.functions.arguments import asked_of


@public
def commutation(m: Any, n: Any) -> Array:
    """The commutation matrix K, m*n × m*n: K(m, n) vec(X) = vec(X^T) for X of m×n.

    >>> import indexcalc as ic
    >>> X = ic.tensor("X", "m n")
    >>> ic.commutation("m", "n") @ ic.vec(X) == ic.vec(X.T)
    True
    """
    rows, columns = dim(m), dim(n)
    return Array(regroup(delta(rows, columns), [(0,), (1,), (2,), (3,)], [(0, 1), (3, 2)], (rows, columns) * 2))


@public
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


@public
def elimination(n: Any) -> Array:
    """The elimination matrix L, n(n+1)/2 × n**2: L vec(A) = vech(A).

    >>> import indexcalc as ic
    >>> ic.elimination(2).evaluate()
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 0., 1.]])
    """
    return _by_vec(lower_places(dim(n)))


@public
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


@public
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


def arange(size: object) -> Array:
    """The places of an axis, 0 and on; they are integers, so they choose entries.

    >>> arange(3).evaluate()
    array([0., 1., 2.])
    """
    return Array(constant(ARANGE, (dim(size),)))


def integers(*values: int) -> Array:
    """A vector of known integers.

    >>> integers(2, 0).evaluate()
    array([2., 0.])
    """
    return Array(listed(values))


def quantile_weights(top: int, bottom: int, size: object) -> Array:
    """By how much each entry in ascending order counts in the quantile of a share `top/bottom`.

    >>> quantile_weights(1, 2, 4).evaluate()
    array([0. , 0.5, 0.5, 0. ])
    """
    return Array(constant("quantile_weights", (dim(size),), (top, bottom)))
