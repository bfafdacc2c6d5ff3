"""Functions in NumPy that need SciPy: for generated code alone. The rows of the table do without where they can."""

import math

import numpy as np
import scipy.linalg
import scipy.special


def gelu(x):
    """x*Phi(x), without cancellation in the left tail."""
    return x * scipy.special.erfc(-x / math.sqrt(2)) / 2


def polygamma(x, k):
    """The k-th derivative of digamma, in the dtype of x."""
    return scipy.special.polygamma(k, x).astype(x.dtype)


def sinm(x):
    """The sine of a matrix, by exponentials."""
    if not np.iscomplexobj(x):
        return scipy.linalg.expm(1j * x).imag
    return (scipy.linalg.expm(1j * x) - scipy.linalg.expm(-1j * x)) / 2j


def cosm(x):
    """The cosine of a matrix, by exponentials."""
    if not np.iscomplexobj(x):
        return scipy.linalg.expm(1j * x).real
    return (scipy.linalg.expm(1j * x) + scipy.linalg.expm(-1j * x)) / 2


def along(function, x, e):
    """The function of each matrix and its direction."""
    pairs = zip(x.reshape((-1, *x.shape[-2:])), e.reshape((-1, *e.shape[-2:])), strict=True)
    return np.reshape([function(a, b) for a, b in pairs], x.shape).astype(x.dtype)


def expm_along(x, e):
    """What a direction changes in the exponential of each matrix."""
    return along(lambda x, e: scipy.linalg.expm_frechet(x, e, compute_expm=False), x, e)


def sqrtm_along(x, e):
    """What a direction E changes in the principal root R of each matrix: the L with R L + L R = E."""
    return along(lambda r, e: scipy.linalg.solve_sylvester(r, r, e), sqrtm(x), e)


def principal(function, x):
    """The function of each matrix; a real matrix whose value is not real is an error."""
    value = np.reshape([function(a) for a in x.reshape((-1, *x.shape[-2:]))], x.shape)
    if not np.iscomplexobj(x):
        if np.max(np.abs(value.imag)) > 1e3 * np.finfo(x.dtype).eps * np.max(np.abs(value)):
            raise ValueError("a matrix has a negative eigenvalue: its principal value is not real")
        value = value.real
    return value.astype(x.dtype)


def logm(x):
    """The principal logarithm of each matrix."""
    return principal(scipy.linalg.logm, x)


def sqrtm(x):
    """The principal square root of each matrix."""
    return principal(scipy.linalg.sqrtm, x)
