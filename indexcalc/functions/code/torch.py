"""Functions in PyTorch: for generated code."""

import math

import torch

from indexcalc.functions.code.shared import adj_along, minors_of_four, singular_cofactor, small_cofactor

# ------------------------------------------------------------------ functions of the entries


def sigmoid(x):
    """1/(1 + exp(-x)), by the exponential that does not overflow."""
    if not torch.is_complex(x):
        return torch.sigmoid(x)
    right = x.real >= 0
    small = torch.exp(torch.where(right, -x, x))
    return torch.where(right, 1, small) / (1 + small)


def softplus(x):
    """log(1 + exp(x)), by the exponential that does not overflow."""
    if not torch.is_complex(x):
        return -torch.nn.functional.logsigmoid(-x)
    right = x.real >= 0
    return torch.where(right, x, 0) + torch.log1p(torch.exp(torch.where(right, -x, x)))


def power(x, y):
    """x**y; at y = 0 as exp(y*log(x)), since the second derivatives of torch.pow are 0 there."""
    zero = (y == 0) & (x.real > 0)
    return torch.where(zero, torch.exp(y * torch.log(torch.where(zero, x, 1))), torch.pow(x, y))


def gelu(x):
    """x*Phi(x), without cancellation in the left tail."""
    return x * torch.special.erfc(-x / math.sqrt(2)) / 2


def log_ndtr(x):
    """log(Phi(x)), by the scaled erfc in the left tail, where Phi underflows."""
    left = x < -1
    low, high = torch.where(left, x, -1), torch.where(left, -1, x)
    tail = torch.log(torch.special.erfcx(-low / math.sqrt(2)) / 2) - low * low / 2
    return torch.where(left, tail, torch.log1p(-torch.special.erfc(high / math.sqrt(2)) / 2))


def gammaln(x):
    """log|Gamma(x)|, by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = torch.lgamma(torch.where(left, 1 - x, x))
    offset = torch.where(left, x - torch.round(x), 0.25)
    return torch.where(left, torch.log(math.pi / torch.abs(torch.sin(math.pi * offset))) - value, value)


def digamma(x):
    """d/dx log Gamma(x), by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = torch.digamma(torch.where(left, 1 - x, x))
    offset = torch.where(left, x - torch.round(x), 0.25)
    return torch.where(left, value - math.pi / torch.tan(math.pi * offset), value)


def polygamma(x, k):
    """The k-th derivative of digamma, by reflection where x < 0: less that of pi*cot(pi*x), a polynomial of cot."""
    left, coefs = x < 0, [0.0, math.pi]
    for _ in range(k):
        slope = [math.pi * n * coef for n, coef in enumerate(coefs)][1:]
        coefs = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    value = torch.polygamma(k, torch.where(left, 1 - x, x))
    cot = 1 / torch.tan(math.pi * torch.where(left, x - torch.round(x), 0.25))
    return torch.where(left, (-1) ** k * value - sum(coef * cot**n for n, coef in enumerate(coefs)), value)


# ------------------------------------------------------------------ functions along axes


def prod(x, axes):
    """The product along the axes."""
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis)
    return x


def largest(x, axes):
    """The largest of each slice, whose derivative cancels and is not taken."""
    return torch.amax(x.detach(), axes, keepdim=True)


def median(x, axes):
    """The middle entry, or the mean of the middle two."""
    ordered, n = torch.sort(x, dim=axes[0]).values, x.shape[axes[0]]
    return (ordered.select(axes[0], (n - 1) // 2) + ordered.select(axes[0], n // 2)) / 2


def softmax(x, axes):
    """The exponentials over their sum, measured from the largest."""
    weights = torch.exp(x - largest(x.real, axes))
    return weights / torch.sum(weights, axes, keepdim=True)


# ------------------------------------------------------------------ functions of matrices by the inverse


def det(x):
    """The determinant; second derivatives of torch.linalg.det may be nan where singular values are equal."""
    sign, size = torch.linalg.slogdet(x)
    return sign * torch.exp(size)


def products_of_others(x):
    """For each entry along the last axis the product of the others, right where there are zeros."""
    one = torch.ones_like(x[..., :1])
    before = torch.cumprod(torch.concatenate([one, x[..., :-1]], -1), -1)
    after = torch.flip(torch.cumprod(torch.concatenate([one, torch.flip(x[..., 1:], (-1,))], -1), -1), (-1,))
    return before * after


class Cofactor(torch.autograd.Function):
    """The cofactors of X, singular or not, and their derivatives: minors up to order 4, else by singular values."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        if x.shape[-1] <= 3:
            return small_cofactor(x)
        return minors_of_four(x) if x.shape[-1] == 4 else singular_cofactor(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        return adj_along(ctx.saved_tensors[0].conj(), g).mT


def cofactor(x):
    """The cofactors of X, singular or not, and their derivatives."""
    return Cofactor.apply(x)


def inverted(x):
    """det(X), inv(X), and where X is so well conditioned that their product has the cofactors; there they are."""
    s = torch.linalg.svdvals(x.detach())
    good = (s[..., -1:] > torch.finfo(s.dtype).eps ** (1 / 3) * s[..., :1])[..., 0]
    safe = torch.where(good[..., None, None], x, torch.tril(torch.triu(torch.ones_like(x))))
    return det(safe)[..., None, None], torch.linalg.inv(safe), good


def where_good(good, value, other, *matrices):
    """The value of matrices that are good, else that of another function, which has derivatives in either case."""
    n = value.shape[-1]
    apart = torch.diag(torch.arange(1, n + 1, dtype=value.dtype, device=value.device))
    safe = (torch.where(good[..., None, None], apart, x) for x in matrices)
    return torch.where(good.reshape((*good.shape, *(1,) * (value.ndim - good.ndim))), value, other(*safe))


# ------------------------------------------------------------------ functions of matrices by singular values


def reciprocal(s, top, n):
    """1/s, 0 for what rounding cannot tell from 0, for matrices of order n."""
    small = s <= torch.finfo(s.dtype).eps * max(10, n) * top
    return torch.where(small, 0, 1 / torch.where(small, 1, s))


class SolveSymmetric(torch.autograd.Function):
    """The Ω with ΩH + HΩ = C, for symmetric H."""

    generate_vmap_rule = True

    @staticmethod
    def forward(h, c):
        w, q = torch.linalg.eigh(h)
        weights = reciprocal(w[..., None, :] + w[..., :, None], 2 * w[..., -1:, None], h.shape[-1])
        return q @ (weights * (q.mT @ c @ q)) @ q.mT

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx, g):
        h, y = ctx.saved_tensors
        z = SolveSymmetric.apply(h, g)
        return -(z @ y.mT + y.mT @ z), z


class PolarFactor(torch.autograd.Function):
    """The polar factor of matrices that have no fewer rows than columns."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        u, s, vt = torch.linalg.svd(x, full_matrices=False)
        return (u * (s * reciprocal(s, s[..., :1], x.shape[-2]))[..., None, :]) @ vt

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx, g):
        x, p = ctx.saved_tensors
        h, turn = p.mT @ x, p.mT @ g
        z = SolveSymmetric.apply(h, turn)
        eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).expand(h.shape)
        return p @ (z - z.mT) + (g - p @ turn) @ SolveSymmetric.apply(h, 2 * eye)


def polar(x):
    """The polar factor U V^T of X = U S V^T, without the singular values that are 0."""
    return PolarFactor.apply(x) if x.shape[-2] >= x.shape[-1] else PolarFactor.apply(x.mT).mT


class Norm(torch.autograd.Function):
    """The sum of the singular values of matrices that have no fewer rows than columns."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return torch.linalg.svdvals(x).sum(-1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        return g[..., None, None] * PolarFactor.apply(*ctx.saved_tensors)


def norm_nuc(x):
    """The sum of the singular values."""
    return Norm.apply(x if x.shape[-2] >= x.shape[-1] else x.mT)


# ------------------------------------------------------------------ decompositions


def gaps(s):
    """1/(s_b - s_a) for each pair, 0 for those that are equal but for rounding, beside the largest."""
    gap = s[..., None, :] - s[..., :, None]
    size = torch.amax(torch.abs(s), -1)[..., None, None]
    equal = torch.abs(gap) <= torch.finfo(s.dtype).eps * max(10, s.shape[-1]) * size
    return torch.where(equal, 0, 1 / torch.where(equal, 1, gap))


class Eigh(torch.autograd.Function):
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return tuple(torch.linalg.eigh(x))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx, gw, gv):
        w, v = ctx.saved_tensors
        return v @ (torch.diag_embed(gw) + gaps(w) * (v.mT @ gv)) @ v.mT


def eigh(x):
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices."""
    return Eigh.apply(x)


class Svd(torch.autograd.Function):
    """U, s, V^T with the singular values descending."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return tuple(torch.linalg.svd(x, full_matrices=False))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx, gu, gs, gvt):
        u, s, vt = ctx.saved_tensors
        row, column = s[..., None, :], s[..., :, None]
        left, right = gaps(s**2) * (u.mT @ gu), gaps(s**2) * (vt @ gvt.mT)
        g = u @ ((left + left.mT) * row + column * (right + right.mT) + torch.diag_embed(gs)) @ vt
        if u.shape[-2] > vt.shape[-1]:
            g = g + (gu - u @ (u.mT @ gu)) / row @ vt
        if u.shape[-2] < vt.shape[-1]:
            g = g + u @ ((gvt - gvt @ vt.mT @ vt) / column)
        return g


def svd(x):
    """U, s, V^T with the singular values descending."""
    return Svd.apply(x)


# ------------------------------------------------------------------ primary functions of matrices


def sinm(x):
    """The sine of a matrix, by exponentials."""
    if not torch.is_complex(x):
        return torch.linalg.matrix_exp(1j * x).imag
    return (torch.linalg.matrix_exp(1j * x) - torch.linalg.matrix_exp(-1j * x)) / 2j


def cosm(x):
    """The cosine of a matrix, by exponentials."""
    if not torch.is_complex(x):
        return torch.linalg.matrix_exp(1j * x).real
    return (torch.linalg.matrix_exp(1j * x) + torch.linalg.matrix_exp(-1j * x)) / 2


def sqrtm(x):
    """The principal square root, by the product form of the iteration of Denman and Beavers; nan if that fails."""
    eye, y, m = torch.tril(torch.triu(torch.ones_like(x))), x, x
    for _ in range(40):
        inverse = torch.linalg.inv(m)
        y, m = y @ (eye + inverse) / 2, (eye + (m + inverse) / 2) / 2
    error = torch.amax(torch.abs(m - eye), (-2, -1))[..., None, None]
    return torch.where(error < torch.finfo(x.dtype).eps ** 0.5, y, torch.nan)


# ------------------------------------------------------------------ entries that integers choose


def chosen(places, size, name):
    """Integers that choose along an axis of this size, those below 0 counted from its end; what is outside is `size`.

    PyTorch raises an IndexError where such a one is used.
    """
    places = torch.as_tensor(places)
    places = places.real if torch.is_complex(places) else places
    whole = places.long()
    inside = (whole >= -size) & (whole < size) & (whole == places)
    return torch.where(inside, torch.where(whole < 0, whole + size, whole), size)


def at_places(places, shared):
    """The index that lines up the first axes of an array with those that the integers have too."""
    places = torch.broadcast_tensors(*places)
    after = [(1,) * (places[0].ndim - k - 1) for k in range(shared)]
    device = places[0].device
    grid = (torch.arange(n, device=device).reshape(-1, *ones) for n, ones in zip(places[0].shape, after, strict=False))
    return (*grid, *places)


def gathered(x, places, axis, shared):
    """The entries that integers choose along an axis; else axes that they share come first, then those they choose."""
    if len(places) > 1 or shared:
        return x[at_places(places, shared)]
    made = torch.index_select(x, axis, places[0].flatten())
    return made.reshape((*x.shape[:axis], *places[0].shape, *x.shape[axis + 1 :]))


def scattered(x, places, sizes, shared):
    """Zeros, to which each entry is added where its integers say: axes that these share come first, then the new."""
    at = at_places(places, shared)
    shape, (rows, *others) = (*at[-1].shape[:shared], *sizes), at
    for k, size in zip(others, shape[1:], strict=True):
        rows = rows * size + k
    rest = x.shape[rows.ndim :]
    made = x.new_zeros(math.prod(shape), math.prod(rest))
    return made.index_add(0, rows.flatten(), x.reshape(rows.numel(), math.prod(rest))).reshape(*shape, *rest)
