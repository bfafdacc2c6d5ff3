"""The helper functions that code is generated with, where a row of the table needs more than an expression.

Each text is one function, `{np}` stands for the module of the target; `table.py` says the contract. What is the same in
all targets is one text, and targets that differ have one each. Derivatives are those that a target finds by itself
through the text; where these would not be the rule of the row, the text gives them (`jax.custom_jvp`,
`torch.autograd.Function`, in terms of the function itself, so for every order; PyTorch's in reverse mode alone).
"""

from __future__ import annotations

from collections.abc import Mapping

# ------------------------------------------------------------------ functions of the entries

_SIGMOID = '''\
def sigmoid(x):
    """1/(1 + exp(-x)), by the exponential that does not overflow."""
    right = x.real >= 0
    small = {np}.exp({np}.where(right, -x, x))
    return {np}.where(right, 1, small) / (1 + small)
'''

_SOFTPLUS = '''\
def softplus(x):
    """log(1 + exp(x)), by the exponential that does not overflow."""
    right = x.real >= 0
    return {np}.where(right, x, 0) + {np}.log1p({np}.exp({np}.where(right, -x, x)))
'''


def _real_first(text: str, real: str) -> str:
    """The text of a helper for PyTorch, with an expression of its own for real arguments."""
    head, docstring, body = text.split("\n", 2)
    return f"{head}\n{docstring}\n    if not torch.is_complex(x):\n        return {real}\n{body}"


SIGMOID = {
    "numpy": _SIGMOID,
    "jax": "jax.nn.sigmoid({0})",
    "torch": _real_first(_SIGMOID, "torch.sigmoid(x)"),
}
SOFTPLUS = {
    "numpy": _SOFTPLUS,
    "jax": "jnp.logaddexp({0}, 0.0)",
    "torch": _real_first(_SOFTPLUS, "-torch.nn.functional.logsigmoid(-x)"),
}

POWER = {
    "numpy": "np.power({0}, {1})",
    "jax": "jnp.power({0}, {1})",
    "torch": '''\
def power(x, y):
    """x**y; at y = 0 as exp(y*log(x)), since the second derivatives of torch.pow are 0 there."""
    zero = (y == 0) & (x.real > 0)
    return torch.where(zero, torch.exp(y * torch.log(torch.where(zero, x, 1))), torch.pow(x, y))
''',
}

_GELU = '''\
def gelu(x):
    """x*Phi(x), without cancellation in the left tail."""
    return x * ERFC(-x / math.sqrt(2)) / 2
'''
GELU = {
    "numpy": _GELU.replace("ERFC", "scipy.special.erfc"),
    "jax": _GELU.replace("ERFC", "jax.scipy.special.erfc"),
    "torch": _GELU.replace("ERFC", "torch.special.erfc"),
}

_GAMMALN = '''\
def gammaln(x):
    """log|Gamma(x)|, by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = NATIVE({np}.where(left, 1 - x, x))
    offset = {np}.where(left, x - {np}.round(x), 0.25)
    return {np}.where(left, {np}.log(math.pi / {np}.abs({np}.sin(math.pi * offset))) - value, value)
'''
GAMMALN = {
    "numpy": "scipy.special.gammaln({0})",
    "jax": _GAMMALN.replace("NATIVE", "jax.scipy.special.gammaln"),
    "torch": _GAMMALN.replace("NATIVE", "torch.lgamma"),
}

_DIGAMMA = '''\
def digamma(x):
    """d/dx log Gamma(x), by reflection where x < 0, so that its derivatives are right there."""
    left = x < 0
    value = NATIVE({np}.where(left, 1 - x, x))
    offset = {np}.where(left, x - {np}.round(x), 0.25)
    return {np}.where(left, value - math.pi / {np}.tan(math.pi * offset), value)
'''
DIGAMMA = {
    "numpy": "scipy.special.digamma({0})",
    "jax": _DIGAMMA.replace("NATIVE", "jax.scipy.special.digamma"),
    "torch": _DIGAMMA.replace("NATIVE", "torch.digamma"),
}

_POLYGAMMA = '''\
def polygamma(x, k):
    """The k-th derivative of digamma, by reflection where x < 0: less that of pi*cot(pi*x), a polynomial of cot."""
    left, coefs = x < 0, [0.0, math.pi]
    for _ in range(k):
        slope = [math.pi * n * coef for n, coef in enumerate(coefs)][1:]
        coefs = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    value = NATIVE(k, {np}.where(left, 1 - x, x))
    cot = 1 / {np}.tan(math.pi * {np}.where(left, x - {np}.round(x), 0.25))
    return {np}.where(left, (-1) ** k * value - sum(coef * cot**n for n, coef in enumerate(coefs)), value)
'''
POLYGAMMA = {
    "numpy": '''\
def polygamma(x, k):
    """The k-th derivative of digamma, in the dtype of x."""
    return scipy.special.polygamma(k, x).astype(x.dtype)
''',
    "jax": _POLYGAMMA.replace("NATIVE", "jax.scipy.special.polygamma"),
    "torch": _POLYGAMMA.replace("NATIVE", "torch.polygamma"),
}

ABS = {
    "numpy": "np.abs({0})",
    "jax": '''\
def absolute(x):
    """|x|, with the derivative 0 at 0, where that of jnp.abs is 1."""
    return x * jnp.sign(x)
''',
    "torch": "torch.abs({0})",
}

_STEP = '''\
def step(x):
    """1 where x > 0, 0 elsewhere."""
    return (x > 0).CAST(x.dtype)
'''


def _cast(text: str) -> dict[str, str]:
    """The text with the method that changes the dtype."""
    return {
        "numpy": text.replace("CAST", "astype"),
        "jax": text.replace("CAST", "astype"),
        "torch": text.replace("CAST", "to"),
    }


STEP = _cast(_STEP)


def comparison(name: str, operator: str) -> dict[str, str]:
    """The helper of a comparison, whose value has the dtype of its arguments."""
    return _cast(f'''\
def {name}(x, y):
    """1 where x {operator} y, 0 elsewhere."""
    return (x {operator} y).CAST({{np}}.result_type(x, y))
''')


# ------------------------------------------------------------------ functions along axes

_PROD = '''\
def prod(x, axes):
    """The product along the axes."""
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis)
    return x
'''
PROD = {"numpy": "np.prod({x}, {axes})", "jax": "jnp.prod({x}, {axes})", "torch": _PROD}

PROD_EXCEPT = '''\
def prod_except(x, axes):
    """At each entry the product of the others of its slice, right where there are zeros."""
    last = tuple(range(-len(axes), 0))
    moved = {np}.moveaxis(x, axes, last)
    flat = moved.reshape((*moved.shape[:-len(axes)], math.prod(moved.shape[-len(axes):])))
    one = {np}.ones_like(flat[..., :1])
    before = {np}.cumprod({np}.concatenate([one, flat[..., :-1]], -1), -1)
    after = {np}.flip({np}.cumprod({np}.concatenate([one, {np}.flip(flat[..., 1:], (-1,))], -1), -1), (-1,))
    return {np}.moveaxis((before * after).reshape(moved.shape), last, axes)
'''

_TOP = {
    "numpy": "np.max({}, axes, keepdims=True, initial={})",
    "jax": "jax.lax.stop_gradient(jnp.max({}, axes, keepdims=True, initial={}))",
    "torch": "torch.amax({}.detach(), axes, keepdim=True)",
}
"""The largest of each slice, whose derivative cancels and is not taken."""


def _measured(text: str, of: str, initial: str) -> dict[str, str]:
    """The text with what is written MAX in it, a largest entry, in each target."""
    return {target: text.replace("MAX", form.format(of, initial)) for target, form in _TOP.items()}


_LOGSUMEXP = '''\
def logsumexp(x, axes):
    """The logarithm of the sum of exponentials, measured from the largest; -inf for a slice that is all -inf."""
    top = np.max(x.real, axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.sum(np.exp(x - top), axes)) + np.squeeze(top, axes)
'''
LOGSUMEXP = {
    "numpy": _LOGSUMEXP,
    "jax": "jax.scipy.special.logsumexp({x}, {axes})",
    "torch": "torch.logsumexp({x}, {axes})",
}

SOFTMAX = _measured(
    '''\
def softmax(x, axes):
    """The exponentials over their sum, measured from the largest."""
    weights = {np}.exp(x - MAX)
    return weights / {np}.sum(weights, axes, keepdims=True)
''',
    "x.real",
    "-{np}.inf",
)

LOG_SOFTMAX = _measured(
    '''\
def log_softmax(x, axes):
    """The logarithm of softmax, finite where softmax underflows."""
    top = MAX
    shifted = x - {np}.where({np}.isfinite(top), top, 0)
    return shifted - {np}.log({np}.sum({np}.exp(shifted), axes, keepdims=True))
''',
    "x.real",
    "-{np}.inf",
)

NORM1 = {
    "numpy": "np.sum(np.abs({x}), {axes})",
    "jax": '''\
def norm1(x, axes):
    """The sum of |x|, with the derivative 0 where x is 0."""
    return jnp.sum(x * jnp.sign(x), axes)
''',
    "torch": "torch.sum(torch.abs({x}), {axes})",
}

NORM2 = _measured(
    '''\
def norm2(x, axes):
    """The root of the sum of squares, measured from the largest entry, so that no square overflows."""
    top = MAX
    top = {np}.where((top > 0) & {np}.isfinite(top), top, 1)
    return {np}.squeeze(top, axes) * {np}.sqrt({np}.sum((x / top) ** 2, axes))
''',
    "{np}.abs(x)",
    "0",
)

_NORMP = _measured(
    '''\
def normp(x, axes, p):
    """The p-norm, measured from the largest entry, so that no power overflows."""
    size = x if p % 2 == 0 else ABS
    top = MAX
    top = {np}.where((top > 0) & {np}.isfinite(top), top, 1)
    power = int(p) if p == int(p) else float(p)
    return {np}.squeeze(top, axes) * {np}.sum((size / top) ** power, axes) ** (1 / float(p))
''',
    "{np}.abs(x)",
    "0",
)
NORMP = {
    target: text.replace("ABS", "x * jnp.sign(x)" if target == "jax" else "{np}.abs(x)")
    for target, text in _NORMP.items()
}

# ------------------------------------------------------------------ functions of matrices by the inverse

DET = {
    "numpy": "np.linalg.det({x})",
    "jax": "jnp.linalg.det({x})",
    "torch": '''\
def det(x):
    """The determinant; second derivatives of torch.linalg.det may be nan where singular values are equal."""
    sign, size = torch.linalg.slogdet(x)
    return sign * torch.exp(size)
''',
}

_COFACTOR = '''\
def cofactor(x):
    """The cofactors of X = U S V^H, singular or not: det(U V^H) conj(U) cof(S) conj(V^H)."""
    u, s, vh = {np}.linalg.svd(FIXED, full_matrices=False)
    one = {np}.ones_like(s[..., :1])
    before = {np}.cumprod({np}.concatenate([one, s[..., :-1]], -1), -1)
    after = {np}.flip({np}.cumprod({np}.concatenate([one, {np}.flip(s[..., 1:], (-1,))], -1), -1), (-1,))
    scale = ({np}.linalg.det(u) * {np}.linalg.det(vh))[..., None, None]
    value = scale * ((u.conj() * (before * after)[..., None, :]) @ vh.conj())
'''
_BY_INVERSE = """\
    sign, size = {np}.linalg.slogdet(x)
    smooth = (sign * {np}.exp(size))[..., None, None] * INVERSE.mT  # has the derivatives
    return value + {np}.where({np}.isfinite(smooth), smooth - CONSTANT, 0)
"""
COFACTOR = {
    "numpy": _COFACTOR.replace("FIXED", "x") + "    return value\n",
    "jax": _COFACTOR.replace("FIXED", "jax.lax.stop_gradient(x)")
    + _BY_INVERSE.replace("INVERSE", "jnp.linalg.inv(x)").replace("CONSTANT", "jax.lax.stop_gradient(smooth)"),
    "torch": _COFACTOR.replace("FIXED", "x.detach()")
    + _BY_INVERSE.replace("INVERSE", "torch.linalg.inv_ex(x)[0]").replace("CONSTANT", "smooth.detach()"),
}

SMALL_COFACTOR = '''\
def small_cofactor(x):
    """The cofactors of matrices of order 1, 2 or 3, in closed form."""
    n = x.shape[-1]
    if n == 1:
        return {np}.ones_like(x)
    if n == 2:
        rows = [[x[..., 1, 1], -x[..., 1, 0]], [-x[..., 0, 1], x[..., 0, 0]]]
    else:
        places = [(1, 2), (2, 0), (0, 1)]
        rows = [
            [x[..., i, k] * x[..., j, m] - x[..., i, m] * x[..., j, k] for k, m in places] for i, j in places
        ]
    return {np}.stack([{np}.stack(row, -1) for row in rows], -2)
'''
SMALL_DET = '''\
def small_det(x):
    """The determinants of matrices of order 1, 2 or 3."""
    return (x[..., 0, :] * small_cofactor(x)[..., 0, :]).sum(-1)
'''
SMALL_INVERSE = '''\
def small_inverse(x):
    """The inverses of matrices of order 1, 2 or 3; infinite where one is singular."""
    cofactors = small_cofactor(x)
    return cofactors.mT / (x[..., 0, :] * cofactors[..., 0, :]).sum(-1)[..., None, None]
'''
SMALL: dict[str, tuple[str, tuple[str, ...]]] = {
    "inv": ("small_inverse({x})", (SMALL_COFACTOR, SMALL_INVERSE)),
    "det": ("small_det({x})", (SMALL_COFACTOR, SMALL_DET)),
    "logdet": ("{np}.log({np}.abs(small_det({x})))", (SMALL_COFACTOR, SMALL_DET)),
    "cofactor": ("small_cofactor({x})", (SMALL_COFACTOR,)),
}
"""Functions of many matrices of order 3 at most, whose numbers are known when the text is written."""

# ------------------------------------------------------------------ functions of matrices by singular values

PINV_T = '''\
def pinv_t(x):
    """The transposed pseudo-inverse; singular values within rounding of 0, beside the largest, count as 0."""
    return {np}.linalg.pinv(x, rtol={np}.finfo(x.dtype).eps * max(10, *x.shape[-2:])).mT
'''

_RECIPROCAL = '''\
    def reciprocal(s, largest):
        """1/s, 0 for what rounding cannot tell from 0."""
        small = s <= {np}.finfo(s.dtype).eps * max(10, *x.shape[-2:]) * largest
        return {np}.where(small, 0, 1 / {np}.where(small, 1, s))

'''
_FACTOR = {
    "numpy": """\
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    kept = s > np.finfo(s.dtype).eps * max(10, *x.shape[-2:]) * s[..., :1]
    return (u * kept[..., None, :]) @ vt
""",
    "jax": _RECIPROCAL.replace("{np}", "jnp")
    + '''\
    def solve(h, c):
        """The Ω with ΩH + HΩ = C, for symmetric H."""
        w, q = jnp.linalg.eigh(jax.lax.stop_gradient(h))
        weights = reciprocal(w[..., None, :] + w[..., :, None], 2 * w[..., -1:, None])
        return jax.lax.custom_linear_solve(
            lambda y: y @ h + h @ y, c, lambda _, c: q @ (weights * (q.mT @ c @ q)) @ q.mT, symmetric=True
        )

    @jax.custom_jvp
    def factor(x):
        u, s, vt = jnp.linalg.svd(x, full_matrices=False)
        return (u * (s * reciprocal(s, s[..., :1]))[..., None, :]) @ vt

    @factor.defjvp
    def factor_rule(primals, tangents):
        (x,), (dx,) = primals, tangents
        p = factor(x)
        h, turn = p.mT @ x, p.mT @ dx
        inverse = solve(h, 2 * jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), h.shape))
        return p, p @ solve(h, turn - turn.mT) + (dx - p @ turn) @ inverse

''',
    "torch": _RECIPROCAL.replace("{np}", "torch")
    + '''\
    class Solve(torch.autograd.Function):
        """The Ω with ΩH + HΩ = C, for symmetric H."""

        generate_vmap_rule = True

        @staticmethod
        def forward(h, c):
            w, q = torch.linalg.eigh(h)
            weights = reciprocal(w[..., None, :] + w[..., :, None], 2 * w[..., -1:, None])
            return q @ (weights * (q.mT @ c @ q)) @ q.mT

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output)

        @staticmethod
        def backward(ctx, g):
            h, y = ctx.saved_tensors
            z = Solve.apply(h, g)
            return -(z @ y.mT + y.mT @ z), z

    class Factor(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            u, s, vt = torch.linalg.svd(x, full_matrices=False)
            return (u * (s * reciprocal(s, s[..., :1]))[..., None, :]) @ vt

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output)

        @staticmethod
        def backward(ctx, g):
            x, p = ctx.saved_tensors
            h, turn = p.mT @ x, p.mT @ g
            z = Solve.apply(h, turn)
            inverse = Solve.apply(h, 2 * torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).expand(h.shape))
            return p @ (z - z.mT) + (g - p @ turn) @ inverse

''',
}
_NORM = {
    "numpy": "    return np.sum(np.linalg.svd(x, compute_uv=False), -1)\n",
    "jax": """\
    @jax.custom_jvp
    def norm(x):
        return jnp.sum(jnp.linalg.svd(x, compute_uv=False), -1)

    @norm.defjvp
    def norm_rule(primals, tangents):
        return norm(*primals), jnp.sum(factor(*primals) * tangents[0], (-2, -1))

""",
    "torch": """\
    class Norm(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return torch.linalg.svdvals(x).sum(-1)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return g[..., None, None] * Factor.apply(*ctx.saved_tensors)

""",
}


def _helper(name: str, docstring: str, *body: str) -> str:
    """The text of a helper of matrices x."""
    return f'def {name}(x):\n    """{docstring}"""\n{"".join(body)}'


_POLAR_DOC = "The polar factor U V^T of X = U S V^T, without the singular values that are 0."
POLAR = {
    "numpy": _helper("polar", _POLAR_DOC, _FACTOR["numpy"]),
    "jax": _helper("polar", _POLAR_DOC, _FACTOR["jax"])
    + "    return factor(x) if x.shape[-2] >= x.shape[-1] else factor(x.mT).mT\n",
    "torch": _helper("polar", _POLAR_DOC, _FACTOR["torch"])
    + "    return Factor.apply(x) if x.shape[-2] >= x.shape[-1] else Factor.apply(x.mT).mT\n",
}
_NUCLEAR_DOC = "The sum of the singular values."
NORM_NUC = {
    "numpy": _helper("norm_nuc", _NUCLEAR_DOC, _NORM["numpy"]),
    "jax": _helper("norm_nuc", _NUCLEAR_DOC, _FACTOR["jax"], _NORM["jax"])
    + "    return norm(x if x.shape[-2] >= x.shape[-1] else x.mT)\n",
    "torch": _helper("norm_nuc", _NUCLEAR_DOC, _FACTOR["torch"], _NORM["torch"])
    + "    return Norm.apply(x if x.shape[-2] >= x.shape[-1] else x.mT)\n",
}

# ------------------------------------------------------------------ decompositions

CHOLESKY = '''\
def cholesky(x):
    """The lower factor of the symmetric part."""
    return {np}.linalg.cholesky((x + x.mT) / 2)
'''

_GAPS = '''\
    def gaps(s):
        """1/(s_b - s_a) for each pair, 0 for those that are equal but for rounding, beside the largest."""
        gap = s[..., None, :] - s[..., :, None]
        size = {np}.amax({np}.abs(s), -1)[..., None, None]
        equal = {np}.abs(gap) <= {np}.finfo(s.dtype).eps * max(10, s.shape[-1]) * size
        return {np}.where(equal, 0, 1 / {np}.where(equal, 1, gap))

'''
_EIGH = {
    "numpy": "    w, v = np.linalg.eigh((x + x.mT) / 2)\n",
    "jax": """\
    @jax.custom_jvp
    def eigh(a):
        return tuple(jnp.linalg.eigh(a))

    @eigh.defjvp
    def eigh_rule(primals, tangents):
        w, v = eigh(*primals)
        change = v.mT @ tangents[0] @ v
        return (w, v), (jnp.diagonal(change, axis1=-2, axis2=-1), v @ (gaps(w) * change))

    w, v = eigh((x + x.mT) / 2)
""",
    "torch": """\
    class Eigh(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(a):
            return tuple(torch.linalg.eigh(a))

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*output)

        @staticmethod
        def backward(ctx, gw, gv):
            w, v = ctx.saved_tensors
            return v @ (torch.diag_embed(gw) + gaps(w) * (v.mT @ gv)) @ v.mT

    w, v = Eigh.apply((x + x.mT) / 2)
""",
}
_SVD = {
    "numpy": "    u, s, vt = np.linalg.svd(x, full_matrices=False)\n",
    "jax": """\
    @jax.custom_jvp
    def svd(x):
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

    u, s, vt = svd(x)
""",
    "torch": """\
    class Svd(torch.autograd.Function):
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

    u, s, vt = Svd.apply(x)
""",
}


def _parts(decomposition: Mapping[str, str], name: str, docstring: str, value: str) -> dict[str, str]:
    """The helper of one part of a decomposition."""
    texts = {}
    for target, body in decomposition.items():
        gaps = _GAPS if "gaps(" in body + value else ""
        texts[target] = _helper(name, docstring, gaps, body, f"    return {value}\n")
    return texts


EIGVALSH = _parts(_EIGH, "eigvalsh", "The eigenvalues of the symmetric part, ascending.", "w")
EIGH_V = _parts(_EIGH, "eigh_v", "The eigenvectors of the symmetric part, as columns.", "v")
EIGH_GAPS = _parts(_EIGH, "eigh_gaps", "1/(w_b - w_a) for the eigenvalues w, 0 where they are equal.", "gaps(w)")
SVDVALS = _parts(_SVD, "svdvals", "The singular values, descending.", "s")
SVD_U = _parts(_SVD, "svd_u", "The left singular vectors, as columns.", "u")
SVD_VT = _parts(_SVD, "svd_vt", "The right singular vectors, as rows.", "vt")
SVD_GAPS = _parts(
    _SVD, "svd_gaps", "1/(s_b**2 - s_a**2) for the singular values s, 0 where they are equal.", "gaps(s**2)"
)

# ------------------------------------------------------------------ primary functions of matrices

EXPM = {
    "numpy": "scipy.linalg.expm({x})",
    "jax": "jax.scipy.linalg.expm({x})",
    "torch": "torch.linalg.matrix_exp({x})",
}


def _by_expm(name: str, docstring: str, real: str, complex_: str) -> dict[str, str]:
    """The helper of what the exponentials of iX and -iX give, by one of them if X is real."""
    texts = {}
    for target, exponential in EXPM.items():
        plus, minus = exponential.replace("{x}", "1j * x"), exponential.replace("{x}", "-1j * x")
        is_complex = "torch.is_complex(x)" if target == "torch" else "{np}.iscomplexobj(x)"
        body = f"    if not {is_complex}:\n        return {plus}.{real}\n    return ({plus} {complex_.format(minus)}\n"
        texts[target] = _helper(name, docstring, body)
    return texts


SINM = _by_expm("sinm", "The sine of a matrix, by exponentials.", "imag", "- {}) / 2j")
COSM = _by_expm("cosm", "The cosine of a matrix, by exponentials.", "real", "+ {}) / 2")


def _principal(name: str, docstring: str) -> str:
    """The helper of a function of SciPy whose value for a real matrix may be complex."""
    return f'''\
def {name}(x):
    """{docstring}"""
    value = np.reshape([scipy.linalg.{name}(a) for a in x.reshape((-1, *x.shape[-2:]))], x.shape)
    if not np.iscomplexobj(x):
        if np.max(np.abs(value.imag)) > 1e3 * np.finfo(x.dtype).eps * np.max(np.abs(value)):
            raise ValueError("a matrix has a negative eigenvalue: its principal value is not real")
        value = value.real
    return value.astype(x.dtype)
'''


LOGM = {"numpy": _principal("logm", "The principal logarithm of each matrix.")}

_SQRTM = '''\
def sqrtm(x):
    """The principal square root, by the product form of the iteration of Denman and Beavers; nan if that fails."""
    eye = {np}.tril({np}.triu({np}.ones_like(x)))

    def step(_, state):
        y, m = state
        inverse = {np}.linalg.inv(m)
        return y @ (eye + inverse) / 2, (eye + (m + inverse) / 2) / 2

LOOP
    error = {np}.amax({np}.abs(m - eye), (-2, -1))[..., None, None]
    return {np}.where(error < {np}.finfo(x.dtype).eps ** 0.5, y, {np}.nan)
'''
SQRTM = {
    "numpy": _principal("sqrtm", "The principal square root of each matrix."),
    "jax": _SQRTM.replace("LOOP", "    y, m = jax.lax.fori_loop(0, 40, step, (x, x))"),
    "torch": _SQRTM.replace("LOOP", "    y, m = x, x\n    for k in range(40):\n        y, m = step(k, (y, m))"),
}

FRECHET = '''\
def frechet(f, x, directions, left):
    """The derivative of f at x along the directions; `left` further ones are left open, as axes after the value's."""
    def join(a, b, c, d):
        rows = [{np}.concatenate([a, b], -1), {np}.concatenate([c, d], -1)]
        return {np}.concatenate(rows, -2)

    *batch, n, _ = x.shape
    whole = (*batch, *(n, n) * left, n, n)
    eye = {np}.tril({np}.triu({np}.ones_like(x)))
    units = eye[..., :, None, :, None] * eye[..., None, :, None, :]
    ways = [e.reshape((*batch, *(1, 1) * left, n, n)) for e in directions]
    ways += [units.reshape((*batch, *(1, 1) * k, n, n, *(1, 1) * (left - k - 1), n, n)) for k in range(left)]
    block = {np}.broadcast_to(x.reshape((*batch, *(1, 1) * left, n, n)), whole)
    for depth, way in enumerate(ways):
        spread = {np}.broadcast_to(way, whole)
        for _ in range(depth):
            zero = {np}.zeros_like(spread)
            spread = join(spread, zero, zero, spread)
        block = join(block, spread, {np}.zeros_like(block), block)
    value = f(block)[..., :n, block.shape[-1] - n :]
    return {np}.moveaxis(value, (-2, -1), (len(batch), len(batch) + 1))
'''
"""The text of `frechet` of `matrix_series.py`, for all targets: `f` is the text of the primary function."""
