"""Functions that NumPy, JAX and PyTorch spell alike: other targets read them with their own module in place of `np`.

They call those of `numpy.py` under the names of which each target has its own.
"""

import math

import numpy as np

from indexcalc.functions.code.numpy import eigh, gaps, largest, svd

# ------------------------------------------------------------------ functions of the entries


def step(x):
    """1 where x > 0, 0 elsewhere."""
    return np.asarray(x > 0, dtype=x.dtype)


def less(x, y):
    """1 where x < y, 0 elsewhere."""
    return np.asarray(x < y, dtype=np.result_type(x, y))


def less_equal(x, y):
    """1 where x <= y, 0 elsewhere."""
    return np.asarray(x <= y, dtype=np.result_type(x, y))


def greater(x, y):
    """1 where x > y, 0 elsewhere."""
    return np.asarray(x > y, dtype=np.result_type(x, y))


def greater_equal(x, y):
    """1 where x >= y, 0 elsewhere."""
    return np.asarray(x >= y, dtype=np.result_type(x, y))


def equal(x, y):
    """1 where x == y, 0 elsewhere."""
    return np.asarray(x == y, dtype=np.result_type(x, y))


def not_equal(x, y):
    """1 where x != y, 0 elsewhere."""
    return np.asarray(x != y, dtype=np.result_type(x, y))


def logit(x):
    """log(x/(1 - x)): by 2*x - 1, which is exact near 1/2, and by log1p elsewhere."""
    near = np.abs(x - 0.5) < 0.25
    middle, rest = np.where(near, x, 0.5), np.where(near, 0.25, x)
    return np.where(near, 2 * np.arctanh(2 * middle - 1), np.log(rest) - np.log1p(-rest))


# ------------------------------------------------------------------ functions along axes


def products_of_others(x):
    """For each entry along the last axis the product of the others, right where there are zeros."""
    one = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([one, x[..., :-1]], -1), -1)
    after = np.flip(np.cumprod(np.concatenate([one, np.flip(x[..., 1:], (-1,))], -1), -1), (-1,))
    return before * after


def prod_except(x, axes):
    """At each entry the product of the others of its slice."""
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    flat = moved.reshape((*moved.shape[: -len(axes)], math.prod(moved.shape[-len(axes) :])))
    return np.moveaxis(products_of_others(flat).reshape(moved.shape), last, axes)


def cumsum(x, axes):
    """The sums of the entries up to each one, along an axis."""
    return np.cumsum(x, axes[0])


def cumprod(x, axes):
    """The products of the entries up to each one, along an axis."""
    return np.cumprod(x, axes[0])


def log_softmax(x, axes):
    """The logarithm of softmax, finite where softmax underflows."""
    top = largest(x.real, axes)
    shifted = x - np.where(np.isfinite(top), top, 0)
    return shifted - np.log(np.sum(np.exp(shifted), axes, keepdims=True))


def scale(x, axes):
    """What the entries of each slice are measured from, so that no power overflows: the largest |x|, or 1."""
    top = largest(np.abs(x), axes)
    return np.where((top > 0) & np.isfinite(top), top, 1)


def norm2(x, axes):
    """The root of the sum of squares."""
    top = scale(x, axes)
    return np.squeeze(top, axes) * np.sqrt(np.sum((x / top) ** 2, axes))


def normp(x, axes, p):
    """The p-norm."""
    size, top = x if p % 2 == 0 else np.abs(x), scale(x, axes)
    power = int(p) if p == int(p) else float(p)
    return np.squeeze(top, axes) * np.sum((size / top) ** power, axes) ** (1 / float(p))


# ------------------------------------------------------------------ functions of matrices by the inverse


def cofactor(x):
    """The cofactors of X, singular or not: minors up to order 4, else det(X) inv(X)^T where X is well conditioned."""
    if x.shape[-1] <= 3:
        return small_cofactor(x)
    if x.shape[-1] == 4:
        return minors_of_four(x)
    det, inverse, good = inverted(x)
    return where_good(good, det * inverse.mT, singular_cofactor, x)


def inverted(x):
    """det(X), inv(X), and where X is so well conditioned that their product has the cofactors."""
    det = np.linalg.det(x)[..., None, None]
    inverse = np.linalg.inv(np.where(det == 0, np.tril(np.triu(np.ones_like(x))), x))
    size = np.linalg.matrix_norm(x) * np.linalg.matrix_norm(inverse)
    return det, inverse, (det[..., 0, 0] != 0) & (size < np.finfo(x.dtype).eps ** (-1 / 3))


def where_good(good, value, other, *matrices):
    """The value of matrices that are good, which is overwritten for those that are not: with another function's."""
    if not np.all(good):
        value[~good] = other(*(x[~good] for x in matrices))
    return value


def singular_cofactor(x):
    """The cofactors of X = U S V^H, singular or not: det(U V^H) conj(U) cof(S) conj(V^H)."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    size = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return size * ((u.conj() * products_of_others(s)[..., None, :]) @ vh.conj())


def minors_of_four(x):
    """The cofactors of matrices of order 4: the determinants without a row and a column, with their signs."""
    rest = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    rows = np.asarray([[[[i] * 3 for i in row]] * 4 for row in rest])
    columns = np.asarray([[[column] * 3 for column in rest]] * 4)
    minors = small_det(x[..., rows, columns])
    return np.where(np.asarray([[(i + j) % 2 == 0 for j in range(4)] for i in range(4)]), minors, -minors)


def adj_along(x, e):
    """What a direction E changes in the adjugate of X, singular or not: det(X) (tr(Y E) Y - Y E Y) with Y = inv(X)."""
    if x.shape[-1] <= 3:
        return small_adj_along(x, e)
    det, y, good = inverted(x)
    turned = y @ e
    value = det * (np.sum(y.mT * e, (-2, -1), keepdims=True) * y - turned @ y)
    return where_good(good, value, singular_adj_along, x, e)


def adj_opened(x):
    """The derivative of the adjugate of X by its entries: minors of two rows and columns less, as [..., i, j, k, l]."""
    if x.shape[-1] <= 3:
        return small_adj_opened(x)
    det, y, good = inverted(x)
    value = crossed(det[..., None, None] * (y[..., :, :, None, None] * y.mT[..., None, None, :, :]))
    return where_good(good, value, singular_adj_opened, x)


def small_adj_opened(x):
    """The derivative of the adjugate of X, of order 3 at most, by its entries."""
    n = x.shape[-1]
    if n < 2:
        return 0 * (x[..., None, None] * x[..., None, None, :, :])
    entries = [np.zeros_like(x[..., 0, 0])] * n**4
    for i, k, j, m, minor in minors_of_rest(x):
        for a, b, c, d, value in ((j, i, k, m, minor), (m, k, i, j, minor), (m, i, k, j, -minor), (j, k, i, m, -minor)):
            entries[((a * n + b) * n + c) * n + d] = value
    return np.stack(entries, -1).reshape((*x.shape, n, n))


def small_adj_along(x, e):
    """What a direction E changes in the adjugate of X, of order 3 at most, in closed form."""
    n = x.shape[-1]
    if n < 2:
        return 0 * (x * e)
    entries = [[0] * n for _ in range(n)]
    for i, k, j, m, minor in minors_of_rest(x):
        entries[j][i] += minor * e[..., k, m]
        entries[m][k] += minor * e[..., i, j]
        entries[m][i] -= minor * e[..., k, j]
        entries[j][k] -= minor * e[..., i, m]
    return np.stack([np.stack(row, -1) for row in entries], -2)


def minors_of_rest(x):
    """Of matrices of order 2 or 3, what rows i < k and columns j < m leave, with its sign: (i, k, j, m, it)."""
    n = x.shape[-1]
    pairs = [(i, k) for i in range(n) for k in range(i + 1, n)]
    if n == 2:
        return [(0, 1, 0, 1, np.ones_like(x[..., 0, 0]))]
    return [(i, k, j, m, (-1) ** (i + k + j + m) * x[..., 3 - i - k, 3 - j - m]) for i, k in pairs for j, m in pairs]


def crossed(g):
    """G_ijkl - G_ikjl."""
    return g - np.swapaxes(g, -3, -2)


def singular_parts(x):
    """For X = U S V^H: det(U V^H), V, U^H, and for each pair the product of all singular values but these two."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    eye = np.tril(np.triu(np.ones_like(x))).real > 0
    others = products_of_others(np.where(eye, np.ones_like(s)[..., None, :], s[..., None, :]))
    scale = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return scale, vh.conj().mT, u.conj().mT, np.where(eye, np.zeros_like(others), others)


def singular_adj_along(x, e):
    """What a direction changes in the adjugate of X = U S V^H, singular or not, by that of S."""
    scale, v, uh, others = singular_parts(x)
    turned = uh @ e @ v
    eye = np.tril(np.triu(np.ones_like(turned)))
    own = np.sum(others * np.sum(turned * eye, -1)[..., None, :], -1)
    return scale * (v @ (eye * own[..., None] - others * turned) @ uh)


def singular_adj_opened(x):
    """The derivative of the adjugate of X = U S V^H, singular or not, by the entries of X."""
    scale, v, uh, others = singular_parts(x)
    pairs = v[..., :, None, :] * uh.mT[..., None, :, :]
    n = x.shape[-1]
    flat = pairs.reshape((*x.shape[:-2], n * n, n))
    whole = (flat @ (others + np.zeros_like(flat[..., :1, :])) @ flat.mT).reshape((*x.shape, n, n))
    return crossed(scale[..., None, None] * np.swapaxes(whole, -2, -1))


def small_cofactor(x):
    """The cofactors of matrices of order 3 at most, in closed form."""
    n = x.shape[-1]
    if n < 2:
        return np.ones_like(x)
    if n == 2:
        rows = [[x[..., 1, 1], -x[..., 1, 0]], [-x[..., 0, 1], x[..., 0, 0]]]
    else:
        places = [(1, 2), (2, 0), (0, 1)]
        rows = [[x[..., i, k] * x[..., j, m] - x[..., i, m] * x[..., j, k] for k, m in places] for i, j in places]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def small_det(x):
    """The determinants of matrices of order 1, 2 or 3."""
    return (x[..., 0, :] * small_cofactor(x)[..., 0, :]).sum(-1)


def small_inverse(x):
    """The inverses of matrices of order 1, 2 or 3; infinite where one is singular."""
    cofactors = small_cofactor(x)
    return cofactors.mT / (x[..., 0, :] * cofactors[..., 0, :]).sum(-1)[..., None, None]


# ------------------------------------------------------------------ functions of matrices by singular and eigenvalues


def pinv_t(x):
    """The transposed pseudo-inverse; singular values within rounding of 0, beside the largest, count as 0."""
    return np.linalg.pinv(x, rtol=np.finfo(x.dtype).eps * max(10, *x.shape[-2:])).mT


def cholesky(x):
    """The lower factor of the symmetric part."""
    return np.linalg.cholesky((x + x.mT) / 2)


def eigvalsh(x):
    """The eigenvalues of the symmetric part, ascending."""
    return eigh((x + x.mT) / 2)[0]


def eigh_v(x):
    """The eigenvectors of the symmetric part, as columns."""
    return eigh((x + x.mT) / 2)[1]


def eigh_gaps(x):
    """1/(w_b - w_a) for the eigenvalues w, 0 where they are equal."""
    return gaps(eigvalsh(x))


def svdvals(x):
    """The singular values, descending."""
    return svd(x)[1]


def svd_u(x):
    """The left singular vectors, as columns."""
    return svd(x)[0]


def svd_vt(x):
    """The right singular vectors, as rows."""
    return svd(x)[2]


def svd_gaps(x):
    """1/(s_b**2 - s_a**2) for the singular values s, 0 where they are equal."""
    return gaps(svdvals(x) ** 2)


# ------------------------------------------------------------------ primary functions of matrices


def frechet(f, x, directions, left=0):
    """The derivative of f at x along the directions; `left` further ones are left open, as axes after the value's."""

    def join(a, b, c, d):
        return np.concatenate([np.concatenate([a, b], -1), np.concatenate([c, d], -1)], -2)

    *batch, n, _ = x.shape
    whole = (*batch, *(n, n) * left, n, n)
    ways = [e.reshape((*batch, *(1, 1) * left, n, n)) for e in directions]
    if left:
        eye = np.tril(np.triu(np.ones_like(x)))
        units = eye[..., :, None, :, None] * eye[..., None, :, None, :]
        ways += [units.reshape((*batch, *(1, 1) * k, n, n, *(1, 1) * (left - k - 1), n, n)) for k in range(left)]
    block = np.broadcast_to(x.reshape((*batch, *(1, 1) * left, n, n)), whole)
    for depth, way in enumerate(ways):
        spread = np.broadcast_to(way, whole)
        for _ in range(depth):
            zero = np.zeros_like(spread)
            spread = join(spread, zero, zero, spread)
        block = join(block, spread, np.zeros_like(block), block)
    value = f(block)[..., :n, block.shape[-1] - n :]
    return np.moveaxis(value, (-2, -1), (len(batch), len(batch) + 1))
