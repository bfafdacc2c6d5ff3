"""Functions in JAX: for generated code."""

import math

import jax
import jax.numpy as jnp

from indexcalc.functions.code.shared import adj_along, minors_of_four, singular_cofactor, small_cofactor

# ------------------------------------------------------------------ functions of the entries


def gelu(x):
    """x*Phi(x), without cancellation in the left tail."""
    return x * jax.scipy.special.erfc(-x / math.sqrt(2)) / 2


def gammaln(x):
    """log|Gamma(x)|, by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = jax.scipy.special.gammaln(jnp.where(left, 1 - x, x))
    offset = jnp.where(left, x - jnp.round(x), 0.25)
    return jnp.where(left, jnp.log(math.pi / jnp.abs(jnp.sin(math.pi * offset))) - value, value)


def digamma(x):
    """d/dx log Gamma(x), by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = jax.scipy.special.digamma(jnp.where(left, 1 - x, x))
    offset = jnp.where(left, x - jnp.round(x), 0.25)
    return jnp.where(left, value - math.pi / jnp.tan(math.pi * offset), value)


def polygamma(x, k):
    """The k-th derivative of digamma, by reflection where x < 0: less that of pi*cot(pi*x), a polynomial of cot."""
    left, coefs = x < 0, [0.0, math.pi]
    for _ in range(k):
        slope = [math.pi * n * coef for n, coef in enumerate(coefs)][1:]
        coefs = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    value = jax.scipy.special.polygamma(k, jnp.where(left, 1 - x, x))
    cot = 1 / jnp.tan(math.pi * jnp.where(left, x - jnp.round(x), 0.25))
    return jnp.where(left, (-1) ** k * value - sum(coef * cot**n for n, coef in enumerate(coefs)), value)


def absolute(x):
    """|x|, with the derivative 0 at 0, where that of jnp.abs is 1."""
    return x * jnp.sign(x)


# ------------------------------------------------------------------ functions along axes


def largest(x, axes):
    """The largest of each slice, whose derivative cancels and is not taken."""
    return jax.lax.stop_gradient(jnp.max(x, axes, keepdims=True, initial=-jnp.inf))


def softmax(x, axes):
    """The exponentials over their sum, measured from the largest."""
    weights = jnp.exp(x - largest(x.real, axes))
    return weights / jnp.sum(weights, axes, keepdims=True)


def norm1(x, axes):
    """The sum of |x|, with the derivative 0 where x is 0."""
    return jnp.sum(absolute(x), axes)


def normp(x, axes, p):
    """The p-norm, measured from the largest entry, so that no power overflows."""
    size, top = x if p % 2 == 0 else absolute(x), largest(jnp.abs(x), axes)
    top = jnp.where((top > 0) & jnp.isfinite(top), top, 1)
    power = int(p) if p == int(p) else float(p)
    return jnp.squeeze(top, axes) * jnp.sum((size / top) ** power, axes) ** (1 / float(p))


# ------------------------------------------------------------------ functions of matrices by the inverse


def products_of_others(x):
    """For each entry along the last axis the product of the others, right where there are zeros."""
    one = jnp.ones_like(x[..., :1])
    before = jnp.cumprod(jnp.concatenate([one, x[..., :-1]], -1), -1)
    after = jnp.flip(jnp.cumprod(jnp.concatenate([one, jnp.flip(x[..., 1:], (-1,))], -1), -1), (-1,))
    return before * after


@jax.custom_jvp
def cofactor(x):
    """The cofactors of X, singular or not, and their derivatives: minors up to order 4, else by singular values."""
    if x.shape[-1] <= 3:
        return small_cofactor(x)
    return minors_of_four(x) if x.shape[-1] == 4 else singular_cofactor(x)


@cofactor.defjvp
def cofactor_rule(primals, tangents):
    return cofactor(*primals), adj_along(*primals, *tangents).mT


def inverted(x):
    """det(X), inv(X), and where X is so well conditioned that their product has the cofactors; there they are."""
    eye, fixed = jnp.tril(jnp.triu(jnp.ones_like(x))), jax.lax.stop_gradient(x)
    s = jnp.linalg.svd(fixed, compute_uv=False)
    good = (s[..., -1:] > jnp.finfo(s.dtype).eps ** (1 / 3) * s[..., :1])[..., 0]
    safe = jnp.where(good[..., None, None], x, eye)
    sign, size = jnp.linalg.slogdet(safe)
    return (sign * jnp.exp(size))[..., None, None], jnp.linalg.inv(safe), good


def where_good(good, value, other, *matrices):
    """The value of matrices that are good, else that of another function, which has derivatives in either case."""
    n = value.shape[-1]
    apart = jnp.diag(jnp.arange(1, n + 1, dtype=value.dtype))
    safe = (jnp.where(good[..., None, None], apart, x) for x in matrices)
    return jnp.where(good.reshape((*good.shape, *(1,) * (value.ndim - good.ndim))), value, other(*safe))


# ------------------------------------------------------------------ functions of matrices by singular values


def reciprocal(s, top, n):
    """1/s, 0 for what rounding cannot tell from 0, for matrices of order n."""
    small = s <= jnp.finfo(s.dtype).eps * max(10, n) * top
    return jnp.where(small, 0, 1 / jnp.where(small, 1, s))


def solve_symmetric(h, c):
    """The Ω with ΩH + HΩ = C, for symmetric H."""
    w, q = jnp.linalg.eigh(jax.lax.stop_gradient(h))
    weights = reciprocal(w[..., None, :] + w[..., :, None], 2 * w[..., -1:, None], h.shape[-1])
    return jax.lax.custom_linear_solve(
        lambda y: y @ h + h @ y, c, lambda _, c: q @ (weights * (q.mT @ c @ q)) @ q.mT, symmetric=True
    )


@jax.custom_jvp
def factor(x):
    """The polar factor of matrices that have no fewer rows than columns."""
    u, s, vt = jnp.linalg.svd(x, full_matrices=False)
    return (u * (s * reciprocal(s, s[..., :1], x.shape[-2]))[..., None, :]) @ vt


@factor.defjvp
def factor_rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    p = factor(x)
    h, turn = p.mT @ x, p.mT @ dx
    inverse = solve_symmetric(h, 2 * jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), h.shape))
    return p, p @ solve_symmetric(h, turn - turn.mT) + (dx - p @ turn) @ inverse


def polar(x):
    """The polar factor U V^T of X = U S V^T, without the singular values that are 0."""
    return factor(x) if x.shape[-2] >= x.shape[-1] else factor(x.mT).mT


@jax.custom_jvp
def norm(x):
    """The sum of the singular values of matrices that have no fewer rows than columns."""
    return jnp.sum(jnp.linalg.svd(x, compute_uv=False), -1)


@norm.defjvp
def norm_rule(primals, tangents):
    return norm(*primals), jnp.sum(factor(*primals) * tangents[0], (-2, -1))


def norm_nuc(x):
    """The sum of the singular values."""
    return norm(x if x.shape[-2] >= x.shape[-1] else x.mT)


# ------------------------------------------------------------------ decompositions


def gaps(s):
    """1/(s_b - s_a) for each pair, 0 for those that are equal but for rounding, beside the largest."""
    gap = s[..., None, :] - s[..., :, None]
    size = jnp.amax(jnp.abs(s), -1)[..., None, None]
    equal = jnp.abs(gap) <= jnp.finfo(s.dtype).eps * max(10, s.shape[-1]) * size
    return jnp.where(equal, 0, 1 / jnp.where(equal, 1, gap))


@jax.custom_jvp
def eigh(x):
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices."""
    return tuple(jnp.linalg.eigh(x))


@eigh.defjvp
def eigh_rule(primals, tangents):
    w, v = eigh(*primals)
    change = v.mT @ tangents[0] @ v
    return (w, v), (jnp.diagonal(change, axis1=-2, axis2=-1), v @ (gaps(w) * change))


@jax.custom_jvp
def svd(x):
    """U, s, V^T with the singular values descending."""
    return tuple(jnp.linalg.svd(x, full_matrices=False))


@svd.defjvp
def svd_rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    u, s, vt = svd(x)
    row, column, p = s[..., None, :], s[..., :, None], u.mT @ dx @ vt.mT
    du = u @ (gaps(s**2) * (p * row + column * p.mT))
    dvt = (gaps(s**2) * (column * p + p.mT * row)).mT @ vt
    if x.shape[-2] > x.shape[-1]:
        du = du + (dx @ vt.mT - u @ p) / row
    if x.shape[-2] < x.shape[-1]:
        dvt = dvt + (u.mT @ dx - p @ vt) / column
    return (u, s, vt), (du, jnp.diagonal(p, axis1=-2, axis2=-1), dvt)


# ------------------------------------------------------------------ primary functions of matrices


def expm_along(x, e):
    """What a direction changes in the exponential."""
    return jax.jvp(jax.scipy.linalg.expm, (x,), (e,))[1]


def sinm(x):
    """The sine of a matrix, by exponentials."""
    if not jnp.iscomplexobj(x):
        return jax.scipy.linalg.expm(1j * x).imag
    return (jax.scipy.linalg.expm(1j * x) - jax.scipy.linalg.expm(-1j * x)) / 2j


def cosm(x):
    """The cosine of a matrix, by exponentials."""
    if not jnp.iscomplexobj(x):
        return jax.scipy.linalg.expm(1j * x).real
    return (jax.scipy.linalg.expm(1j * x) + jax.scipy.linalg.expm(-1j * x)) / 2


def sqrtm(x):
    """The principal square root, by the product form of the iteration of Denman and Beavers; nan if that fails."""
    eye = jnp.tril(jnp.triu(jnp.ones_like(x)))

    def step(_, state):
        y, m = state
        inverse = jnp.linalg.inv(m)
        return y @ (eye + inverse) / 2, (eye + (m + inverse) / 2) / 2

    y, m = jax.lax.fori_loop(0, 40, step, (x, x))
    error = jnp.amax(jnp.abs(m - eye), (-2, -1))[..., None, None]
    return jnp.where(error < jnp.finfo(x.dtype).eps ** 0.5, y, jnp.nan)


# ------------------------------------------------------------------ functions that sort


def sort(x, axes):
    """The entries in ascending order along an axis."""
    return jnp.sort(x, axes[0])


def argsort(x, axes):
    """The places of the entries in ascending order along an axis; those that tie keep their order."""
    return jnp.argsort(x, axes[0], stable=True).astype(x.dtype)


def median(x, axes):
    """The middle entry, or the mean of the middle two."""
    return jnp.median(x, axes[0])


# ------------------------------------------------------------------ entries that integers choose


def chosen(places, size, name):
    """Integers that choose along an axis of this size, those below 0 counted from its end; what is outside is `size`.

    XLA raises no errors: where such a one is read nan comes out, and what it is given goes nowhere.
    """
    places = jnp.real(places)
    whole = places.astype(int)
    inside = (whole >= -size) & (whole < size) & (whole == places)
    return jnp.where(inside, jnp.where(whole < 0, whole + size, whole), size)


def at_places(places, shared):
    """The index that lines up the first axes of an array with those that the integers have too."""
    places = jnp.broadcast_arrays(*places)
    after = [(1,) * (places[0].ndim - k - 1) for k in range(shared)]
    return (*(jnp.arange(n).reshape(-1, *ones) for n, ones in zip(places[0].shape, after, strict=False)), *places)


def gathered(x, places, axis, shared):
    """The entries that integers choose along an axis; else axes that they share come first, then those they choose."""
    if len(places) == 1 and not shared:
        return jnp.take(x, places[0], axis, mode="fill")
    return x.at[at_places(places, shared)].get(mode="fill")


def scattered(x, places, sizes, shared):
    """Zeros, to which each entry is added where its integers say: axes that these share come first, then the new."""
    at = at_places(places, shared)
    made = jnp.zeros((*at[-1].shape[:shared], *sizes, *x.shape[at[-1].ndim :]), x.dtype)
    return made.at[at].add(x, mode="drop")
