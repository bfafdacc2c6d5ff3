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
