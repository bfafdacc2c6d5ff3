"""The primary functions of matrices (exponential, logarithm, square root, sine, cosine, powers) and their derivatives.

A primary function f has no closed form for its derivative in matrix notation, in general. So `Matrix` nodes stand for
the derivatives D^k f(X)[E_1, ..., E_k] themselves: each evaluates, and differentiates to the next. What is simplified
is in `simplify/matrices/`.

Numbers come from f alone, on a matrix of blocks (N. Higham, Functions of Matrices, section 3.2):

    f([[X, E], [0, X]]) = [[f(X), D f(X)[E]], [0, f(X)]]

and the same again, with these blocks in place of X, for higher orders.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from indexcalc.errors import InputError
from indexcalc.functions.code.shared import frechet
from indexcalc.functions.primary import primary
from indexcalc.functions.rational import WHOLE_POWER
from indexcalc.functions.table import MATRICES, MatrixFunction, matrix_row
from indexcalc.graph.constructors import delta, dimension, einsum, matrix, reduction
from indexcalc.graph.node import Matrix, Node
from indexcalc.index import Dim

Function = Callable[..., Any]
LONGEST_POWER = 8
"""Factors: a power of a matrix up to this is a product, a higher one stays a function."""
DERIVATIVE = re.compile(r"D([2-9]|[1-9]\d+|)([a-z]\w*)")


# ------------------------------------------------------------------ derivatives


def derivative_name(name: str) -> tuple[str, int] | None:
    """The primary function and the order that the name of a derivative says: `D2expm` is the second of `expm`.

    >>> derivative_name("D2expm"), derivative_name("Dexpm"), derivative_name("Du")
    (('expm', 2), ('expm', 1), None)
    """
    found = DERIVATIVE.fullmatch(name)
    if found is None or found[2] not in MATRICES:
        return None
    times = int(found[1] or 1)
    return (found[2], times) if times <= MATRICES[found[2]].orders else None


def matrix_jacobian(node: Matrix, k: int) -> Node:
    """The derivative of a matrix function by child k: axes of the value, then rows and columns of the child."""
    row = matrix_row(node.fn)
    if row.rule is not None and k == 0:
        return row.rule(node)
    others = node.children if k == 0 else (*node.children[:k], *node.children[k + 1 :])
    return matrix(node.fn, others, (*node.dims, *node.children[0].dims[-2:]), node.params, node.times + (k == 0))


def matrix_numbers(node: Matrix, arrays: list[Any], params: tuple[Any, ...]) -> Any:
    """The value of a matrix function of these arrays."""
    row = matrix_row(node.fn)
    x, *directions = arrays
    left = node.times - len(directions)
    numerics = row.numerics(node.times, left)
    if numerics is not None:
        return numerics(x, *directions, *params)
    return np.ascontiguousarray(frechet(lambda blocks: row.numpy(blocks, *params), x, directions, left))


# ------------------------------------------------------------------ numerics


def _scipy() -> Any:
    """SciPy's linear algebra, or an error that says how to get it."""
    try:
        import scipy.linalg
    except ImportError:
        raise InputError("evaluate a function of matrices", "SciPy is not installed", "pip install scipy") from None
    return scipy.linalg


def _each(name: str, x: Any) -> Any:
    """SciPy's function of this name, of each matrix; nan for one with entries that are not finite."""
    f = getattr(_scipy(), name)
    result = np.full_like(x, np.nan)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for place in np.ndindex(*x.shape[:-2]):
            if x.shape[-1] and np.isfinite(x[place]).all():
                result[place] = _kept(name, f(x[place]), x.dtype)
    if any(warning.category.__name__ == "LogmExactlySingularWarning" for warning in caught):
        raise InputError(f"evaluate {name}", "a singular matrix has no logarithm", "give an invertible one")
    return result


def _kept(name: str, value: Any, dtype: Any) -> Any:
    """The value in this dtype; a real matrix whose value is not real is an error."""
    if np.iscomplexobj(value) and not np.issubdtype(dtype, np.complexfloating):
        scale = np.abs(value).max(initial=0)
        if not np.isfinite(scale) or np.abs(value.imag).max(initial=0) > 1e3 * np.finfo(dtype).eps * scale:
            raise InputError(
                f"evaluate {name}",
                "the matrix has a negative eigenvalue, so its principal value is not real",
                "give a matrix without such eigenvalues, or a complex one",
            )
        value = value.real
    return value


def _expm(x: Any) -> Any:
    """The exponentials; nan for a matrix with entries that are not finite."""
    if not x.size:
        return x.copy()
    bad = ~np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    value = _scipy().expm(np.where(bad, np.zeros_like(x), x)).astype(x.dtype, copy=False)
    return np.where(bad, np.full_like(value, np.nan), value)


def _by_scipy(name: str) -> Function:
    return lambda x: _each(name, x)


def _expm_along(x: Any, e: Any) -> Any:
    """The derivative of each exponential along a direction; nan where entries are not finite."""
    return _along(lambda x, e: _scipy().expm_frechet(x, e, compute_expm=False), x, e)


def _sqrtm_along(x: Any, e: Any) -> Any:
    """The derivative L of each root R along a direction E: R L + L R = E."""
    return _along(lambda root, e: _scipy().solve_sylvester(root, root, e), _each("sqrtm", x), e)


def _along(function: Function, x: Any, e: Any) -> Any:
    """A function of each matrix and its direction; nan where one of them has entries that are not finite."""
    result = np.full_like(x, np.nan)
    for place in np.ndindex(*x.shape[:-2]):
        if x.shape[-1] and np.isfinite(x[place]).all() and np.isfinite(e[place]).all():
            result[place] = function(x[place], e[place])
    return result


def _power(x: Any, k: Any) -> Any:
    """The integer power, of the inverse where it is negative; never the matrix itself, which others may write to."""
    return x.copy() if k == 1 else np.linalg.matrix_power(x, k)


# ------------------------------------------------------------------ rules


def _inverse(x: Node) -> Node:
    return reduction("inv", x, (x.order - 2, x.order - 1), True)


def _times(coef: Any, x: Node, *scalars: Node) -> Node:
    axes = range(x.order)
    return einsum(coef, [(x, axes), *((s, ()) for s in scalars)], axes)


def _power_slope(x: Node, params: tuple[Any, ...]) -> Node:
    """k X^(k-1)."""
    (k,) = params
    return _times(1, primary("matrix_power", x, (k - 1,)), dimension(k))


def _short_power(node: Matrix) -> Node | None:
    """A power to a small number as a product."""
    (k,) = node.params
    (x,) = node.children
    if isinstance(k, Dim) or abs(k) > LONGEST_POWER:
        return None
    front = range(x.order - 2)
    if k == 0:
        return einsum(1, [(delta(x.dims[-1]), "ij")], (*front, "i", "j"), dict(enumerate(x.dims[:-2])))
    base = x if k > 0 else _inverse(x)
    chain = [(base, (*front, ("k", step), ("k", step + 1))) for step in range(abs(k))]
    return einsum(1, chain, (*front, ("k", 0), ("k", abs(k))))


HIGHAM = "N. Higham, Functions of Matrices"
PRINCIPAL = "square matrices without eigenvalues on the negative real axis or 0; the principal value"

LOGARITHM = (
    "(lambda eye: sum(w / 2 * jnp.linalg.solve(eye + (t + 1) / 2 * (x - eye), x - eye)"
    " for t, w in zip(*np.polynomial.legendre.leggauss(60))))(jnp.eye(x.shape[-1]))"
)
"""In JAX the integral of (X - 1)/(1 + t (X - 1)) over t from 0 to 1, by the rule of Gauss and Legendre."""
ROOT = (
    "(lambda eye: x @ sum(jnp.linalg.inv(np.cos(t) ** 2 * eye + np.sin(t) ** 2 * x)"
    " for t in np.pi * (np.arange(120) + 0.5) / 120) / 120)(jnp.eye(x.shape[-1]))"
)
"""In JAX the mean of X/(cos(t)**2 + X sin(t)**2) over a period of t, by the midpoint rule."""

ROWS = (
    MatrixFunction(
        "expm", "the exponential of a matrix, sum of X^k/k!", _expm, r"\operatorname{{expm}}\left({}\right)",
        f"{HIGHAM}, chapter 10", slope=lambda x, params: primary("expm", x), turned=True,
        along=_expm_along,
        code={"numpy": "scipy.linalg.expm({x})", "jax": "jax.scipy.linalg.expm({x})",
              "torch": "torch.linalg.matrix_exp({x})"},
        workspace=(2.0, 4.7), oracle="jax.scipy.linalg.expm(x)",
    ),
    MatrixFunction(
        "logm", "the principal logarithm of a matrix", _by_scipy("logm"), r"\operatorname{{logm}}\left({}\right)",
        f"{HIGHAM}, chapter 11", slope=lambda x, params: _inverse(x), turned=True, domain=PRINCIPAL,
        settles=True, workspace=(1.0, 7.5), oracle=LOGARITHM,
    ),
    MatrixFunction(
        "sqrtm", "the principal square root of a matrix", _by_scipy("sqrtm"), r"\left({}\right)^{{1/2}}",
        f"{HIGHAM}, chapter 6", turned=True, domain=PRINCIPAL, along=_sqrtm_along,
        slope=lambda x, params: _times(Fraction(1, 2), _inverse(primary("sqrtm", x))), settles=True, squares=True,
        oracle=ROOT,
    ),
    MatrixFunction(
        "sinm", "the sine of a matrix", _by_scipy("sinm"), r"\operatorname{{sinm}}\left({}\right)",
        f"{HIGHAM}, chapter 12",
        slope=lambda x, params: primary("cosm", x), turned=True, settles=True,
        workspace=(0.0, 18.0), oracle="jax.scipy.linalg.expm(1j * x).imag",
    ),
    MatrixFunction(
        "cosm", "the cosine of a matrix", _by_scipy("cosm"), r"\operatorname{{cosm}}\left({}\right)",
        f"{HIGHAM}, chapter 12",
        slope=lambda x, params: _times(-1, primary("sinm", x)), turned=True, settles=True,
        workspace=(0.0, 18.0), oracle="jax.scipy.linalg.expm(1j * x).real",
    ),
    MatrixFunction(
        "matrix_power", "the power of a matrix with an integer exponent that may be a symbol", _power,
        r"\left({}\right)^{{{k}}}", f"{HIGHAM}, section 3.2", slope=_power_slope, turned=True, special=_short_power,
        params=("k",), domain="all square matrices; for a negative exponent invertible ones", public=False,
        code={"numpy": "np.array(np.linalg.matrix_power({x}, {k}))", "jax": "jnp.linalg.matrix_power({x}, {k})",
              "torch": "torch.linalg.matrix_power({x}, {k})"},
        rational=WHOLE_POWER,
        workspace=(1.0, 0.0), oracle="jnp.linalg.matrix_power(x, k)",
    ),
)  # fmt: skip

MATRICES.update({row.name: row for row in ROWS})
