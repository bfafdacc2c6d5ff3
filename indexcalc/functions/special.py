"""Special functions: erf, erfc, log|Gamma| and its derivatives, by SciPy where it is installed, else in NumPy alone.

All take real arrays and give back the dtype that came in. Errors are about 1e-13 relative to max(1, |value|), and
relative to the value itself away from the zeros of log|Gamma| and of digamma. SciPy is ten times faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from indexcalc.errors import InputError

LEFT = 14.0
"""Where the series of Mills' ratio in `log_ndtr` begins: there its ninth term is below a rounding."""
Real = np.ndarray[Any, np.dtype[np.float64]]

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""The Bernoulli numbers B2, B4, ..., B16 (DLMF 24.2(iv))."""


@cache
def scipy_special() -> Any:
    """SciPy's special functions; None where it is not installed."""
    try:
        from scipy import special
    except ImportError:
        return None
    return special


def erf(x: Any) -> Any:
    """The error function `2/sqrt(pi) * integral of exp(-t**2) from 0 to x` (DLMF 7.2.1)."""
    library = scipy_special()
    return _each(math.erf, _real("erf", x)) if library is None else library.erf(x)


def _real(name: str, x: Any) -> Any:
    """The argument, unless it is complex, which only SciPy can do."""
    if np.iscomplexobj(x):
        raise InputError(f"evaluate {name}", "complex numbers, and no SciPy", 'pip install "indexcalc[scipy]"')
    return x


def erfc(x: Any) -> Any:
    """`1 - erf(x)`, without cancellation where x is large (DLMF 7.2.2)."""
    library = scipy_special()
    return _each(math.erfc, _real("erfc", x)) if library is None else library.erfc(x)


@np.errstate(all="ignore")
def log_ndtr(x: Any) -> Any:
    """The logarithm of the normal distribution function, without underflow in the left tail (DLMF 7.2.2, 7.12.1)."""
    library = scipy_special()
    return _log_ndtr(x) if library is None else library.log_ndtr(x)


def _log_ndtr(x: Any) -> Any:
    """By erfc where that is no underflow, below by the asymptotic series of Mills' ratio."""
    given = np.asarray(x, np.float64)
    right = np.log1p(-_each(math.erfc, np.maximum(given, 0) / math.sqrt(2)) / 2)
    middle = np.log(_each(math.erfc, -np.clip(given, -LEFT, 0) / math.sqrt(2)) / 2)
    left = np.minimum(given, -LEFT)
    term, total = np.ones_like(left), np.ones_like(left)
    for k in range(1, 9):
        term = term * -(2 * k - 1) / left**2
        total = total + term
    tail = -(left**2) / 2 - np.log(-left) - math.log(2 * math.pi) / 2 + np.log(total)
    value = np.where(given > 0, right, np.where(given > -LEFT, middle, tail))
    return _as_given(np.where(np.isnan(given), np.nan, value), x)


def gammaln(x: Any) -> Any:
    """`log|Gamma(x)|`, infinite at 0, -1, -2, ..."""
    library = scipy_special()
    return _gammaln(x) if library is None else library.gammaln(x)


@np.errstate(all="ignore")
def _gammaln(x: Any) -> Any:
    """The logarithm of the absolute value of Gamma.

    From x = 5/2 on Stirling's series (DLMF 5.11.1) after the recurrence, below that the Taylor series around 2 (DLMF
    5.7.3), which is exact at the zeros 1 and 2; for negative x the reflection formula (DLMF 5.5.3).
    """
    given = np.asarray(x, np.float64)
    positive = np.where(given < 0, 1 - given, given)
    value = np.where(positive < 2.5, _gammaln_taylor(np.minimum(positive, 2.5)), _gammaln_stirling(positive))
    reflected = np.log(np.pi / np.abs(np.sin(np.pi * _offset(given)))) - value
    value = np.where(given < 0, reflected, value)
    return _as_given(np.where(_is_pole(given), np.inf, value), x)


def digamma(x: Any) -> Any:
    """`d/dx log Gamma(x)`, nan at 0, -1, -2, ..."""
    return polygamma(0, x)


def polygamma(k: int, x: Any) -> Any:
    """The k-th derivative of digamma; at 0, -1, -2, ... infinite for odd k and nan for even k."""
    if k < 0:
        raise InputError(f"polygamma({k}, x)", "the order is negative", "give 0 for digamma, 1 for its derivative")
    library = scipy_special()
    if library is None or not np.greater(x, 0).all():
        return _polygamma(k, x)
    return _as_given(library.polygamma(k, x), x) if k else library.psi(x)


@np.errstate(all="ignore")
def _polygamma(k: int, x: Any) -> Any:
    """The derivative of digamma of order k, which is digamma for k = 0.

    For k = 0 the series DLMF 5.11.2 (Abramowitz-Stegun 6.3.18) after the recurrence, for k > 0 a Hurwitz zeta function
    (DLMF 5.15.1, 25.11.12; Abramowitz-Stegun 6.4.10, 6.4.11), for negative x the reflection formula (DLMF 5.15.6).
    """
    given = np.asarray(x, np.float64)
    positive = np.where(given < 0, 1 - given, given)
    sign = (-1.0) ** k
    value = -sign * math.factorial(k) * _hurwitz(k + 1, positive) if k else _digamma_positive(positive)
    value = np.where(given < 0, sign * value - _cotangent_derivative(k, given), value)
    return _as_given(np.where(_is_pole(given), np.inf if k % 2 else np.nan, value), x)


def _each(fn: Callable[[float], float], x: Any) -> Any:
    """`fn` of each entry, in the dtype of x."""
    return np.asarray(np.frompyfunc(fn, 1, 1)(x), np.asarray(x).dtype)


def _as_given(value: Any, x: Any) -> Any:
    """The value in the dtype of x."""
    return np.asarray(value, np.asarray(x).dtype)


def _is_pole(x: Real) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Is x one of 0, -1, -2, ...?"""
    pole: np.ndarray[Any, np.dtype[np.bool_]] = (x <= 0) & (x == np.floor(x))
    return pole


def _offset(x: Real) -> Real:
    """x less the nearest integer: what the period of sin and cot leaves of it."""
    return x - np.round(x)


def _climb(x: Real, bound: float, term: Callable[[Real], Real]) -> tuple[Real, Real]:
    """`term(x) + term(x + 1) + ...` for as long as x is below the bound, and the x that is not; x is not negative."""
    total = np.zeros_like(x)
    for _ in range(math.ceil(bound)):
        low = x < bound
        total = total + np.where(low, term(x), 0.0)
        x = x + low
    return total, x


def _hurwitz(s: int, x: Real) -> Real:
    """`(x + 0)**-s + (x + 1)**-s + ...` for integer s > 1 and x >= 0: recurrence, then DLMF 25.11.43 (and 5.15.9)."""
    total, x = _climb(x, s + 10, lambda q: q**-s)
    total = total + x ** (1 - s) / (s - 1) + x**-s / 2
    term = s * x ** (-s - 1) / 2
    for j, bernoulli in enumerate(BERNOULLI, 1):
        total = total + bernoulli * term
        term = term * ((s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2))) / x**2
    return total


def _digamma_positive(x: Real) -> Real:
    """digamma for x > 0: recurrence DLMF 5.5.2, then the series DLMF 5.11.2."""
    total, x = _climb(x, 10, np.reciprocal)
    series = sum(bernoulli / (2 * j * x ** (2 * j)) for j, bernoulli in enumerate(BERNOULLI, 1))
    value: Real = np.log(x) - 1 / (2 * x) - series - total
    return value


def _cotangent_derivative(k: int, x: Real) -> Real:
    """The k-th derivative of `pi*cot(pi*x)`: a polynomial of the cotangent, as `cot' = -1 - cot**2`."""
    made = np.polynomial.Polynomial
    polynomial, slope = made([0.0, 1.0]), made([-1.0, 0.0, -1.0])
    for _ in range(k):
        polynomial = polynomial.deriv() * slope
    value: Real = np.pi ** (k + 1) * polynomial(1 / np.tan(np.pi * _offset(x)))
    return value


@cache
def _around_2() -> Any:
    """`log Gamma(2 + z) = (1 - gamma)*z + sum over k > 1 of (zeta(k) - 1)*(-z)**k/k`.

    Terms fall as 4**-k for |z| <= 1/2.
    """
    terms = (float(_hurwitz(k, np.asarray(2.0))) * (-1) ** k / k for k in range(2, 28))
    return np.polynomial.Polynomial([0.0, 1 - np.euler_gamma, *terms])


def _gammaln_taylor(x: Real) -> Real:
    """log Gamma for 0 <= x <= 5/2: Taylor series at the offset from 0, 1 or 2, less the logarithms that lead to 2."""
    offset, near = _offset(x), np.round(x)
    value: Real = _around_2()(offset)
    value = value - np.where(near < 2, np.log1p(offset), 0.0)
    return value - np.where(near < 1, np.log(offset), 0.0)


def _gammaln_stirling(x: Real) -> Real:
    """log Gamma for x >= 5/2: recurrence DLMF 5.5.1, then the series DLMF 5.11.1."""
    total, x = _climb(x, 10, np.log)
    series = sum(bernoulli / (2 * j * (2 * j - 1) * x ** (2 * j - 1)) for j, bernoulli in enumerate(BERNOULLI, 1))
    value: Real = (x - 0.5) * (np.log(x) - 1) + (math.log(2 * math.pi) - 1) / 2 + series - total
    return value
