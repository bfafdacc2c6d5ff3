"""Functions in NumPy: for generated code, and for the rows of the table."""

import numpy as np

# ------------------------------------------------------------------ functions of the entries


def over(function, x):
    """The function of an array that nobody else has: in place."""
    return function(x, out=x) if isinstance(x, np.ndarray) else function(x)


def sigmoid(x):
    """1/(1 + exp(-x)), by the exponential that does not overflow."""
    if np.iscomplexobj(x):
        right = x.real >= 0
        small = np.exp(np.where(right, -x, x))
        return np.where(right, 1, small) / (1 + small)
    small = over(np.exp, np.abs(x) * -1.0)
    large = over(np.reciprocal, 1 + small)
    return np.maximum(small * large, np.copysign(large, x))


def softplus(x):
    """log(1 + exp(x)), by the exponential that does not overflow."""
    if np.iscomplexobj(x):
        right = x.real >= 0
        return np.where(right, x, 0) + np.log1p(np.exp(np.where(right, -x, x)))
    return over(np.log1p, over(np.exp, np.abs(x) * -1.0)) + np.maximum(x, 0)


def xlogy(x, y):
    """x*log(y), 0 where x is 0 and y a number."""
    zero = (x == 0) & (y == y)
    return np.where(zero, 0, x) * np.log(np.where(zero, 1, y))


def entr(x):
    """-x*log(x), 0 at 0, -inf below."""
    value = np.where(x > 0, x, 1)
    return np.where(x < 0, -np.inf, np.where(x == 0, 0, -x * np.log(value)))


# ------------------------------------------------------------------ functions along axes


def largest(x, axes):
    """The largest of each slice, -inf of nothing."""
    return np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf)


def logsumexp(x, axes):
    """The logarithm of the sum of exponentials, measured from the largest; -inf for a slice that is all -inf."""
    top = largest(x.real, axes)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(x - top).sum(axes)) + top.squeeze(axes)


def softmax(x, axes, out=None):
    """The exponentials over their sum, measured from the largest; `out` may be x itself."""
    weights = np.subtract(x, largest(x.real, axes), out=out)
    np.exp(weights, out=weights)
    weights /= weights.sum(axes, keepdims=True)
    return weights


# ------------------------------------------------------------------ functions of matrices


def polar(x):
    """The polar factor U V^T of X = U S V^T, without the singular values that are 0."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    kept = s > np.finfo(s.dtype).eps * max(10, *x.shape[-2:]) * s[..., :1]
    return (u * kept[..., None, :]) @ vt


def norm_nuc(x):
    """The sum of the singular values."""
    return np.sum(np.linalg.svd(x, compute_uv=False), -1)


def eigh(x):
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices."""
    return np.linalg.eigh(x)


def svd(x):
    """U, s, V^T with the singular values descending."""
    return np.linalg.svd(x, full_matrices=False)


def gaps(s):
    """1/(s_b - s_a) for each pair, 0 for those that are equal but for rounding, beside the largest."""
    gap = s[..., None, :] - s[..., :, None]
    size = np.max(np.abs(s), -1, initial=0)[..., None, None]
    equal = np.abs(gap) <= np.finfo(s.dtype).eps * max(10, s.shape[-1]) * size
    return np.where(equal, 0, 1 / np.where(equal, 1, gap))
