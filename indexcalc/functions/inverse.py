"""The functions of square matrices that come of the inverse: inv, det, logdet, cofactor.

Each runs along exactly two axes of one dimension, the rows and columns of a matrix; all other axes are batches. As in
`spectral.py` the transposed argument may be presented: inv and cofactor are equivariant, f(X^T) = f(X)^T, det and
logdet are invariant, and so are their rules.

The rule of inv needs inv alone, and the others need inv and themselves: so there are derivatives of every order. That
of det is written with inv so that what it is multiplied by cancels; what is left of it, `det(X) inv(X)^T`, is
`cofactor(X)` (`simplify/recognise`), which is there for singular matrices too. So is its derivative, the minors of two
rows and columns less: that of the adjugate, `Dadj(X)`, is a node (`ADJUGATE`). Derivatives of that need inverses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexcalc.errors import InputError
from indexcalc.functions import rational
from indexcalc.functions.code import numpy, shared
from indexcalc.functions.entry import Entry
from indexcalc.functions.primary import remember_exchanges
from indexcalc.functions.spectral import along, finite
from indexcalc.functions.table import MATRICES, REDUCTIONS, MatrixFunction, ReductionFunction, Slice
from indexcalc.graph.constructors import addition, einsum, matrix, reduction
from indexcalc.graph.node import Matrix, Node

Axes = tuple[int, ...]
SQUARE: Axes = (-2, -1)
SINGULAR = "a matrix that is singular has no inverse"
ADVICE = (
    "check the input (derivatives of det above the second, and of cofactors above the first, need the inverse), "
    "or write pinv where a pseudo-inverse is meant"
)


# ------------------------------------------------------------------ numerics


LARGE = 50
"""From this order on, LAPACK's inverse from its factors is faster than NumPy's, which solves for the unit matrix."""


def factored(x: Any, wanted: Sequence[str]) -> list[Any]:
    """What is wanted of "inv" and "logdet" of one matrix, by one factorisation where SciPy is installed.

    >>> np.diag(factored(np.array([[2.0, 0.0], [0.0, 4.0]]), ("logdet", "inv"))[1])
    array([0.5 , 0.25])
    """
    try:
        found: list[Any] = numpy.factored(x, wanted)
    except np.linalg.LinAlgError:
        raise InputError("evaluate inv", SINGULAR, ADVICE) from None
    return found


def _inv(x: Any, axes: Axes) -> Any:
    """The inverse of each slice; a singular one is an error."""
    if x.ndim == 2 and len(x) >= LARGE and numpy.lapack(x.dtype) is not None:
        return factored(x, ("inv",))[0]
    try:
        if axes == (x.ndim - 2, x.ndim - 1):
            return np.linalg.inv(x)
        return np.moveaxis(np.linalg.inv(np.moveaxis(x, axes, SQUARE)), SQUARE, axes)
    except np.linalg.LinAlgError:
        raise InputError("evaluate inv", SINGULAR, ADVICE) from None


def _matrices(x: Any, axes: Axes) -> Any:
    """The array with these two axes last."""
    return x if axes == (x.ndim - 2, x.ndim - 1) else np.moveaxis(x, axes, SQUARE)


def _det(x: Any, axes: Axes) -> Any:
    """The determinant of each slice."""
    return np.linalg.det(_matrices(x, axes))


def _logdet(x: Any, axes: Axes) -> Any:
    """log|det| of each slice; -inf where it is singular."""
    return np.linalg.slogdet(_matrices(x, axes))[1]


# ------------------------------------------------------------------ rules


def _inverse(s: Slice) -> Node:
    """The inverse of the argument of the slice."""
    rows, columns = (s.x.labels.index(label) for label in s.own)
    return reduction("inv", s.x.node, (rows, columns), True)


def _inv_rule(s: Slice) -> Entry:
    """dY = -Y dX Y, so dY_ij/dX_kl = -Y_ik Y_lj."""
    (i, j), (k, l) = s.own, s.along  # noqa: E741
    return -s.product((s.y.node, s.at(i, k)), (s.y.node, s.at(l, j)))


def _det_rule(s: Slice) -> Entry:
    """d det X = det(X) tr(X^-1 dX), so d det X/dX_ij = det(X) inv(X)_ji."""
    i, j = s.own
    return s.product((s.y.node, s.y.labels), (_inverse(s), s.at(j, i)))


def _logdet_rule(s: Slice) -> Entry:
    """d log|det X| = tr(X^-1 dX), so d log|det X|/dX_ij = inv(X)_ji."""
    i, j = s.own
    return s.product((_inverse(s), s.at(j, i)))


def _cofactor_rule(s: Slice) -> Entry:
    """dC_ij/dX_kl = Dadj(X)_jikl: the cofactors are the transposed adjugate."""
    (i, j), along = s.own, s.along
    made = _adjugate_slope(einsum(1, [(s.x.node, s.x.labels)], (*s.batch, i, j)))
    return Entry(made, (*s.batch, j, i, *along), s.x.dims)


def _adjugate_slope(x: Node) -> Node:
    """The derivative of the adjugate of the matrices along the last two axes, `Dadj(X)`."""
    made = matrix("adj", [x], (*x.dims, *x.dims[-2:]), (), 1)
    remember_exchanges(made)
    return made


def _adjugate(x: Node) -> Node:
    """The transposed cofactors of the matrices along the last two axes."""
    *front, rows, columns = range(x.order)
    cofactors = reduction("cofactor", x, (rows, columns), True)
    return einsum(1, [(cofactors, range(x.order))], (*front, columns, rows))


def _adjugate_rule(node: Matrix) -> Node:
    """Dadj_ijkl = A_ij Y_lk - A_lj Y_ik with A = adj(X), Y = inv(X), and dY_ij/dX_pq = -Y_ip Y_qj."""
    x, *directions = node.children
    lead = tuple(range(x.order - 2))
    adjugate, slope = _adjugate(x), _adjugate_slope(x)
    inverse = reduction("inv", x, (x.order - 2, x.order - 1), True)
    out = (*lead, *("ij" if directions else "ijkl"), *"pq")
    terms: list[tuple[Any, ...]] = [(1, (slope, "ijpq"), (inverse, "lk")), (-1, (slope, "ljpq"), (inverse, "ik"))]
    terms += [
        (-1, (adjugate, "ij"), (inverse, "lp"), (inverse, "qk")),
        (1, (adjugate, "lj"), (inverse, "ip"), (inverse, "qk")),
    ]
    made = []
    for coef, *factors in terms:
        rows = [(factor, (*lead, *at)) for factor, at in (*factors, *((e, "kl") for e in directions))]
        made.append((coef, einsum(1, rows, out), range(len(out))))
    return addition(made, (*node.dims, *x.dims[-2:]))


MAGNUS = "J. Magnus, H. Neudecker, Matrix Differential Calculus, chapter 8, sections 3, 4 and 6"
COOKBOOK = "K. Petersen, M. Pedersen, The Matrix Cookbook, sections 2.1 and 2.2"

INVERSE = (
    ReductionFunction(
        "inv", "the inverse of X", _inv, _inv_rule, True, r"{{{}}}^{{-1}}", COOKBOOK,
        domain="invertible matrices; a singular one is an error", axes=2, public=False, matrix="inv", square=True,
        code="{np}.linalg.inv({x})",
        opened=True, small="small_inverse({x})", together=factored,
        rational=rational.INVERSE,
        oracle="jnp.linalg.inv(x)",
    ),
    ReductionFunction(
        "det", "the determinant of X", _det, _det_rule, False, r"\det\left({}\right)", COOKBOOK,
        domain="square matrices; the derivative, the cofactors, is there for singular ones too", axes=2, public=False,
        matrix="det", square=True,
        code={"numpy": "np.linalg.det({x})", "jax": "jnp.linalg.det({x})"},
        rational=rational.DETERMINANT, opened=True, small="small_det({x})", total=True, oracle="jnp.linalg.det(x)",
    ),
    ReductionFunction(
        "logdet", "log|det X|", _logdet, _logdet_rule, False, r"\log\left|\det\left({}\right)\right|", COOKBOOK,
        domain="real invertible matrices; -inf for a singular one", holomorphic=False, axes=2, public=False,
        matrix="logdet", square=True,
        code="{np}.linalg.slogdet({x})[1]",
        opened=True, small="{np}.log({np}.abs(small_det({x})))", together=factored,
        absolute="det",
        oracle="jnp.linalg.slogdet(x)[1]",
    ),
    ReductionFunction(
        "cofactor", "the cofactors of X, det(X) inv(X)^T where X is invertible", along(shared.cofactor),
        _cofactor_rule, True,
        r"\operatorname{{cofactor}}\left({}\right)", MAGNUS,
        domain="square matrices; the derivative, minors of two rows and columns less, is there for singular ones too",
        axes=2, public=False, matrix="cofactor", square=True,
        rational=rational.COFACTORS, iterated=True, small="small_cofactor({x})", total=True,
        workspace=1.0, oracle="jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x).mT",
    ),
)  # fmt: skip

REDUCTIONS.update({row.name: row for row in INVERSE})

ADJUGATE = MatrixFunction(
    "adj", "the adjugate of X, its transposed cofactors", lambda x: finite(lambda x: shared.cofactor(x).mT, x),
    r"\operatorname{{adj}}\left({}\right)", MAGNUS, _adjugate_rule, turned=True,
    special=lambda node: _adjugate(node.children[0]),
    along=lambda x, e: finite(lambda x: shared.adj_along(x, e), x), opened=lambda x: finite(shared.adj_opened, x),
    domain="square matrices; the first derivative is there for singular ones too", public=False,
    rational=rational.ADJUGATE, code="cofactor({x}).mT",
    oracle="jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x)",
)  # fmt: skip

MATRICES[ADJUGATE.name] = ADJUGATE
