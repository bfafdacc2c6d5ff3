"""Places: known tensors that pick the entries of a symmetric matrix, for vech and the orders of Voigt and Mandel."""

from __future__ import annotations

from indexcalc.errors import DimensionError, NameRefused, did_you_mean
from indexcalc.graph.constructors import constant
from indexcalc.graph.node import Node
from indexcalc.index import Dimension

VOIGT = {2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))}
"""The entries in the order of W. Voigt (Lehrbuch der Kristallphysik, 1910): 11 22 33 23 13 12."""


SHEAR = {"stress": 1.0, "strain": 2.0, "mandel": 2.0**0.5}
"""By how much a Voigt vector multiplies the entries off the diagonal."""


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
        raise NameRefused(f"voigt({kind}, {n})", f"{kind!r} is no kind", did_you_mean(str(kind), SHEAR))
    if n not in VOIGT:
        found = f"dimension {n}, and Voigt's order is one of dimension 2 or 3"
        raise DimensionError(f"voigt({kind}, {n})", found, "declare the tensor with the integer 2 or 3")
    return constant("voigt", (n, n, triangle(n)), (kind,))
