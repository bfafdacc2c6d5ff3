"""Functions of dask arrays along axes that lie in several blocks, which are made block by block; for `evaluate` alone.

A reduction that is not here takes its slice in one block.
"""

import dask.array as da


def max(x, axes):
    """The largest of each slice."""
    return da.max(x, axes)


def min(x, axes):
    """The smallest of each slice."""
    return da.min(x, axes)


def prod(x, axes):
    """The product along the axes."""
    return da.prod(x, axes)


def exponent(x, axes):
    """The logarithm of the sum of exponentials, with its axes kept, and measured from the largest."""
    top = da.max(x, axes, keepdims=True)
    top = da.where(da.isfinite(top), top, 0)
    return da.log(da.sum(da.exp(x - top), axes, keepdims=True)) + top


def logsumexp(x, axes):
    """The logarithm of the sum of exponentials."""
    return da.squeeze(exponent(x, axes), axes)


def softmax(x, axes):
    """The exponentials over their sum."""
    return da.exp(x - exponent(x, axes))


def log_softmax(x, axes):
    """The logarithm of softmax."""
    return x - exponent(x, axes)


def norm1(x, axes):
    """The sum of |x|."""
    return da.sum(abs(x), axes)


def norm2(x, axes):
    """The root of the sum of squares."""
    return normp(x, axes, 2)


def normp(x, axes, p):
    """The p-norm, measured from the largest entry, so that no power overflows."""
    size = abs(x)
    top = da.max(size, axes, keepdims=True)
    top = da.where((top > 0) & da.isfinite(top), top, 1)
    return da.squeeze(top, axes) * da.sum((size / top) ** float(p), axes) ** (1 / float(p))
