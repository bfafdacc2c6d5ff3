"""Functions in NumPy: for generated code, and for the rows of the table."""

import functools
import math

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


def logistics(x, wanted):
    """What is wanted of softplus(x), sigmoid(x), and sigmoid(-x), the "complement", for real x, by one exponential."""
    e, made = over(np.exp, -np.abs(x)), {}
    if "softplus" in wanted:
        made["softplus"] = np.log1p(e)
        made["softplus"] += np.maximum(x, 0)
    large = over(np.reciprocal, 1 + e)
    small = e * large
    large = np.copysign(large, x)
    if "sigmoid" in wanted:
        made["sigmoid"] = np.maximum(small, large)
    if "complement" in wanted:
        made["complement"] = np.maximum(small, over(np.negative, large))
    return [made[name] for name in wanted]


def sigmoid_slope(x):
    """The derivative of the sigmoid, `e/(1 + e)**2` with `e = exp(-|x|)`, for real x."""
    e = over(np.exp, -np.abs(x))
    return e / np.square(1 + e)


def root_slope(x):
    """The root of the derivative of the sigmoid, `h/(1 + h**2)` with `h = exp(-|x|/2)`, for real x."""
    h = over(np.exp, np.abs(x) * -0.5)
    return h / (1 + h * h)


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


def norm2(x, axes):
    """The root of the sum of squares, measured from the largest entry where squares leave the range of numbers."""
    places, info = list(range(x.ndim)), np.finfo(x.dtype)
    gone = [axis % x.ndim for axis in axes]
    total = np.einsum(x, places, x, places, [axis for axis in places if axis not in gone])
    if not np.iscomplexobj(x) and total.size and total.min() > info.tiny / info.eps and total.max() < info.max:
        return np.sqrt(total)
    top = largest(np.abs(x), axes)
    top = np.where((top > 0) & np.isfinite(top), top, 1)
    return np.squeeze(top, axes) * np.sqrt(np.sum((x / top) ** 2, axes))


def exponentials(x, axes, wanted, out=None):
    """Both of "softmax" and "logsumexp" along axes, in the order that is wanted, by one exponential; `out` may be x."""
    top = largest(x.real, axes)
    weights = np.subtract(x, top, out=out)
    np.exp(weights, out=weights)
    total = np.add.reduce(weights, axis=axes, keepdims=True)
    weights /= total
    logarithm = np.where(np.isfinite(top), np.log(total) + top, top).squeeze(axes)
    made = {"softmax": weights, "logsumexp": logarithm[()]}
    return [made[name] for name in wanted]


def sort(x, axes):
    """The entries in ascending order along an axis."""
    return np.sort(x, axes[0])


def argsort(x, axes):
    """The places of the entries in ascending order along an axis; those that tie keep their order."""
    return np.argsort(x, axes[0], kind="stable").astype(x.dtype)


def median(x, axes):
    """The middle entry, or the mean of the middle two."""
    return np.median(x, axes[0])


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


@functools.cache
def lapack(dtype):
    """LAPACK's factorisation `P L U` and its inverse from that, for a dtype; None where SciPy is not installed."""
    try:
        from scipy.linalg import lapack as found
    except ImportError:
        return None
    kind = {"f": "s", "d": "d", "F": "c", "D": "z"}.get(dtype.char, "d")
    return getattr(found, f"{kind}getrf"), getattr(found, f"{kind}getri")


def factored(x, wanted):
    """What is wanted of "inv" and "logdet" of one matrix, by one factorisation where SciPy is installed."""
    known, made = lapack(x.dtype) if x.size else None, {}
    if known is None:
        rows = {"inv": np.linalg.inv, "logdet": lambda matrix: np.linalg.slogdet(matrix)[1]}
        return [rows[name](x) for name in wanted]
    lu, pivots, singular = known[0](x.T)
    if "logdet" in wanted:
        sizes = np.abs(lu.diagonal())
        made["logdet"] = sizes.dtype.type(-np.inf) if singular else np.log(sizes).sum()
    if "inv" in wanted:
        if singular:
            raise np.linalg.LinAlgError("Singular matrix")
        made["inv"] = known[1](lu, pivots, lwork=64 * len(lu), overwrite_lu=True)[0].T
    return [made[name] for name in wanted]


def small_cofactors(x):
    """Cofactors and determinants of many matrices of order 1 to 3, which are the first two axes, in closed form.

    For order 3 the cofactor of entry i, j is `x[i+1,j+1] x[i+2,j+2] - x[i+1,j+2] x[i+2,j+1]`, places counted modulo 3.
    """
    size = len(x)
    if size == 1:
        return np.ones_like(x), x[0, 0].copy()
    if size == 2:
        cofactors = np.empty_like(x)
        cofactors[0, 0], cofactors[1, 1] = x[1, 1], x[0, 0]
        np.negative(x[1, 0], out=cofactors[0, 1, ...])
        np.negative(x[0, 1], out=cofactors[1, 0, ...])
    else:
        wrapped = np.empty((5, 5, *x.shape[2:]), x.dtype)
        wrapped[:3, :3], wrapped[3:, :3] = x, x[:2]
        wrapped[:, 3:] = wrapped[:, :2]
        cofactors = wrapped[1:4, 1:4] * wrapped[2:, 2:]
        cofactors -= wrapped[1:4, 2:] * wrapped[2:, 1:4]
    return cofactors, np.einsum("j...,j...->...", x[0], cofactors[0])


def small_inverses(cofactors, det):
    """The transposed inverses from cofactors and determinants, over the cofactors."""
    if not np.all(det):
        raise np.linalg.LinAlgError("Singular matrix")
    cofactors *= 1 / det
    return cofactors


def gaps(s):
    """1/(s_b - s_a) for each pair, 0 for those that are equal but for rounding, beside the largest."""
    gap = s[..., None, :] - s[..., :, None]
    size = np.max(np.abs(s), -1, initial=0)[..., None, None]
    equal = np.abs(gap) <= np.finfo(s.dtype).eps * max(10, s.shape[-1]) * size
    return np.where(equal, 0, 1 / np.where(equal, 1, gap))


# ------------------------------------------------------------------ entries that integers choose


def chosen(places, size, name):
    """Integers that choose along an axis of this size, those below 0 counted from its end."""
    places = np.real(places)
    whole = places.astype(np.intp, copy=False)
    least, most = (whole.min(), whole.max()) if whole.size else (0, 0)
    if whole.size and (least < -size or most >= size or (whole is not places and (whole != places).any())):
        outside = (whole < -size) | (whole >= size) | (whole != places)
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        shown = f"{name}[{', '.join(map(str, place))}]" if place else name
        entries = f"they are -{size} to {size - 1}" if size else "it has none"
        raise IndexError(f"{shown} is {places[place]:g}, which is no entry of an axis of dimension {size}: {entries}")
    return np.where(whole < 0, whole + size, whole) if least < 0 else whole


def at_places(places, shared):
    """The index that lines up the first axes of an array with those that the integers have too."""
    places = np.broadcast_arrays(*places)
    after = [(1,) * (places[0].ndim - k - 1) for k in range(shared)]
    return (*(np.arange(n).reshape(-1, *ones) for n, ones in zip(places[0].shape, after, strict=False)), *places)


def gathered(x, places, axis, shared):
    """The entries that integers choose along an axis; else axes that they share come first, then those they choose."""
    if len(places) == 1 and not shared:
        return np.take(x, places[0], axis)
    return x[at_places(places, shared)]


def scattered(x, places, sizes, shared):
    """Zeros, to which each entry is added where its integers say: axes that these share come first, then the new."""
    at = at_places(places, shared)
    shape, (rows, *others) = (*at[-1].shape[:shared], *sizes), at
    for k, size in zip(others, shape[1:], strict=True):
        rows = rows * size + k
    rest = x.shape[rows.ndim :]
    width = math.prod(rest)
    where = (rows[..., None] * width + np.arange(width)).ravel()
    parts = [
        np.bincount(where, part.ravel(), math.prod(shape) * width)
        for part in (x.real, x.imag)[: 1 + np.iscomplexobj(x)]
    ]
    made = parts[0] + 1j * parts[1] if np.iscomplexobj(x) else parts[0]
    return made.astype(x.dtype, copy=False).reshape(*shape, *rest)
