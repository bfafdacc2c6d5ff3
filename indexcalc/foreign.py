"""Names that other programs and books have for what is here, or is not: what to write instead.

A name is looked up, never guessed by its spelling. Attributes of the package and of the views ask `answer`, and so does
text; `ours` is the name here of what takes the same arguments.
"""

from __future__ import annotations

from typing import NamedTuple


class Foreign(NamedTuple):
    """A name of another program, and what it is here.

    `ours` takes the same arguments: a name of the package, an attribute (".T") or an operator ("@"), or None.
    `instead` says what to write, with code in backticks.
    """

    name: str
    source: str
    ours: str | None
    instead: str


def _same(source: str, ours: str, code: str, *names: str) -> list[Foreign]:
    """Names of what takes the same arguments here."""
    return [Foreign(name, source, ours, f"write `{code}`") for name in names]


def _other(source: str, instead: str, *names: str) -> list[Foreign]:
    """Names of what is written in another way here, or is not here."""
    return [Foreign(name, source, None, instead) for name in names]


_DECLARE_MATRIX = 'write `ic.tensor("A", "n m")`'
_DECLARE_VECTOR = 'write `ic.tensor("x", "n")`, or `ic.column("x", "n")` for one that stands as a column'
_DECLARE_SCALAR = 'write `ic.scalar("s")`; `ic.tensor("A", "n m")` for a matrix'
_EVALUATE = "write `f.evaluate(x=...)`, with the numbers of each tensor"
_INNER = "`x @ y` of vectors, `a.T @ b` of columns, `ic.sum(A*B)` of matrices"
_BELOW = "write `ic.concatenate([A, A])`"
_BESIDE = "write `ic.concatenate([A, A], axis=1)`"
_DIAGONAL = 'write `ic.block([[A, ic.zeros("n", "n")], [ic.zeros("n", "n"), A]])`'
_NORM = "write `ic.norm2(x)` of a vector, `ic.normF(A)` of a matrix; `ic.norm1(x)`, `ic.normp(x, 3)`, `ic.norm_nuc(A)`"
_PERMUTE = "write the axes in another order: `A[i,j].array(j, i)`"
_RESHAPE = 'write `ic.vec(A, order="C")` for all entries row by row, `ic.unvec(v, 2, 3)` for a matrix of them'
_AXES = "write `A[:, None]` for an axis of dimension 1, `B[:, 0]` to drop one"
_WHOLE = "write `ic.compile([f, ic.grad(f, x)], (x,))`"

ROWS: tuple[Foreign, ...] = (
    # functions of matrices
    *_same("NumPy, MATLAB, books", "tr", "ic.tr(A)", "trace", "Tr", "Trace"),
    *_same("books, SymPy", "det", "ic.det(A)", "Det", "determinant", "Determinant"),
    *_same("books, SymPy", "inv", "ic.inv(A)", "inverse", "Inverse"),
    *_other("books, NumPy", 'write `ic.eye("n")` for the identity, `ic.inv(A)` for the inverse', "I"),
    *_same("books", "pinv", "ic.pinv(A)", "pseudoinverse", "pseudo_inverse"),
    *_same("SymPy, books", "adj", "ic.adj(A)", "adjugate"),
    *_same("SymPy", "cofactor", "ic.cofactor(A)", "cofactor_matrix"),
    *_same("MATLAB", "cholesky", "ic.cholesky(A)", "chol"),
    *_same("NumPy", "diag", "ic.diag(A)", "diagonal"),
    *_same("books, NumPy, PyTorch", "diagm", "ic.diagm(x)", "Diag", "diagflat", "diag_embed", "DiagMatrix"),
    *_same("MATLAB", "matrix_power", "ic.matrix_power(A, 2)", "mpower", "matpow"),
    *_same("MATLAB", "solve", "ic.solve(A, x)", "mldivide", "linsolve"),
    *_same("SymPy, Julia", "kron", "ic.kron(A, B)", "kronecker", "kronecker_product", "KroneckerProduct"),
    *_same("SymPy, books", "hadamard", "ic.hadamard(A, B)", "hadamard_product", "HadamardProduct", "schur"),
    *_same("SymPy", "delta", "ic.delta(i, j)", "KroneckerDelta", "kronecker_delta"),
    *_same("SymPy", "epsilon", "ic.epsilon(i, j, k)", "LeviCivita", "levi_civita", "eijk"),
    *_same("NumPy, SymPy", "eye", 'ic.eye("n")', "identity", "Identity"),
    *_same("PyTorch, books", "norm_nuc", "ic.norm_nuc(A)", "nuclear_norm", "trace_norm"),
    *_same("books", "normF", "ic.normF(A)", "frobenius_norm", "norm_fro", "norm_F"),
    *_same("books", "norm2", "ic.norm2(x)", "l2norm", "norm_2"),
    *_same("NumPy, MATLAB, SymPy", ".T", "A.T", "transpose", "Transpose", "t"),
    *_same("NumPy, MATLAB, PyTorch", "@", "A @ B", "matmul", "mtimes", "mm", "mv", "bmm", "multi_dot"),
    *_other("NumPy, SymPy, PyTorch", f"write `A @ x` for a product, {_INNER}", "dot"),
    *_other("NumPy, SymPy", f"write {_INNER}", "inner", "vdot", "vecdot", "inner_product"),
    *_other("NumPy", 'write `ic.einsum("ij,jk->ik", A, B)`, or indices: `A[i,j]*B[j,k]`', "tensordot", "contract"),
    *_other("NumPy, MATLAB", _NORM, "norm", "vector_norm", "matrix_norm", "vecnorm"),
    *_other("MATLAB", "write `ic.solve(A.T, B.T).T`", "mrdivide"),
    *_other("NumPy, PyTorch", "write `ic.logdet(A)` for the logarithm, `ic.sign(ic.det(A))` for the sign", "slogdet"),
    *_other("books", "write `ic.adj(A)` for the adjugate, `A.T` for the transpose of a real matrix", "adjoint"),
    *_other(
        "NumPy, books",
        "write `A.T` for real matrices; there is no complex conjugate",
        "H",
        "ctranspose",
        "conj",
        "conjugate",
    ),
    *_other(
        "NumPy",
        "write `ic.eigvalsh(A)`, `ic.eigh(A)` of a symmetric matrix; there is none for others",
        "eig",
        "eigvals",
        "eigenvals",
        "eigenvects",
    ),
    *_other("NumPy, SymPy", "there is none; write `ic.cholesky(A)`, `ic.svd(A)` or `ic.polar(A)`", "qr", "lu"),
    *_other("NumPy", "write `ic.pinv(A) @ x`, or `ic.solve(A.T @ A, A.T @ x)`", "lstsq"),
    *_other(
        "NumPy, MATLAB",
        "there is none: a rank has no derivative; `ic.svdvals(A)` are the singular values",
        "rank",
        "matrix_rank",
    ),
    *_other("NumPy, MATLAB", "write `ic.max(ic.svdvals(A))/ic.min(ic.svdvals(A))`", "cond"),
    *_other("books", "write `ic.max(ic.svdvals(A))`", "spectral_norm", "opnorm"),
    *_same("CVXPY", "logdet", "ic.logdet(A)", "log_det"),
    *_same("books", "vec", "ic.vec(A)", "Vec"),
    *_other("CVXPY", "write `x @ A @ x`, or `a.T @ A @ a` of a column", "quad_form"),
    *_other("CVXPY", "write `ic.sum(x**2)`", "sum_squares", "sumsqr"),
    *_other("books, CVXPY", "write `ic.max(ic.eigvalsh(A))`", "lambda_max"),
    *_other("MATLAB", _BELOW, "vertcat"),
    *_other("MATLAB", _BESIDE, "horzcat"),
    *_other("MATLAB, SciPy", _DIAGONAL, "blkdiag", "block_diag"),
    *_same("MATLAB", "tile", "ic.tile(A, (2, 3))", "repmat"),
    *_same("MATLAB", "roll", "ic.roll(x, 1)", "circshift"),
    # functions of entries
    *_same("books", "log", "ic.log(x)", "ln"),
    *_same("NumPy, MATLAB", "asin", "ic.asin(x)", "arcsin"),
    *_same("NumPy", "acos", "ic.acos(x)", "arccos"),
    *_same("NumPy", "atan", "ic.atan(x)", "arctan"),
    *_same("NumPy, SymPy", "abs", "ic.abs(x)", "absolute", "fabs", "Abs"),
    *_same("books, PyTorch", "sign", "ic.sign(x)", "sgn", "signum"),
    *_same("SciPy, books", "sigmoid", "ic.sigmoid(x)", "expit", "logistic"),
    *_same("books, PyTorch", "relu", "ic.relu(x)", "ReLU", "positive_part", "pos"),
    *_same("PyTorch", "gelu", "ic.gelu(x)", "GELU"),
    *_same("SciPy, PyTorch", "gammaln", "ic.gammaln(x)", "lgamma", "loggamma"),
    *_same("SciPy, MATLAB", "digamma", "ic.digamma(x)", "psi"),
    *_same("books, SciPy", "logsumexp", "ic.logsumexp(x)", "lse", "log_sum_exp", "LogSumExp"),
    *_same("NumPy, Python", "power", "ic.power(x, 2)", "pow"),
    *_same("NumPy", "maximum", "ic.maximum(x, y)", "fmax"),
    *_same("NumPy", "minimum", "ic.minimum(x, y)", "fmin"),
    *_same("NumPy, TensorFlow", "max", "ic.max(x)", "amax", "reduce_max"),
    *_same("NumPy", "min", "ic.min(x)", "amin"),
    *_same("NumPy, TensorFlow", "mean", "ic.mean(x)", "average", "reduce_mean"),
    *_same("TensorFlow", "sum", "ic.sum(x)", "reduce_sum"),
    *_same("NumPy, MATLAB", "*", "A * B", "multiply", "times", "mul"),
    *_same("NumPy, MATLAB", "/", "x / y", "divide", "true_divide", "rdivide", "div"),
    *_same("NumPy, MATLAB", "+", "x + y", "add", "plus"),
    *_same("NumPy, MATLAB", "-", "x - y", "subtract", "minus", "sub"),
    *_other("NumPy", "write `-x`", "negative", "neg"),
    *_other("NumPy", "write `x**2`", "square"),
    *_other("NumPy", "write `1/x`", "reciprocal"),
    *_other("PyTorch", "write `1/ic.sqrt(x)`", "rsqrt"),
    *_other("NumPy", "write `x**ic.power(3, -1)`", "cbrt"),
    *_other("NumPy", "write `ic.log(x)/ic.log(10)`", "log10"),
    *_other("NumPy", "write `ic.log(x)/ic.log(2)`", "log2"),
    *_other("NumPy", "write `2**x`", "exp2"),
    *_same("NumPy, books", "atan2", "ic.atan2(y, x)", "arctan2"),
    *_same("NumPy, books", "asinh", "ic.asinh(x)", "arcsinh", "arsinh"),
    *_same("NumPy, books", "acosh", "ic.acosh(x)", "arccosh", "arcosh"),
    *_same("NumPy, books", "atanh", "ic.atanh(x)", "arctanh", "artanh"),
    *_same("R", "logit", "ic.logit(x)", "qlogis"),
    *_same("books, TensorFlow", "log_ndtr", "ic.log_ndtr(x)", "normlogcdf", "log_normal_cdf"),
    *_other("SciPy", "write `ic.exp(ic.gammaln(x))`", "gamma"),
    *_other("NumPy, SymPy", "write `ic.step(x)`", "heaviside", "Heaviside"),
    *_same("PyTorch", "clip", "ic.clip(x, 0, 1)", "clamp", "clip_by_value"),
    *_same("PyTorch, JAX", "silu", "ic.silu(x)", "swish", "SiLU"),
    *_same("PyTorch", "leaky_relu", "ic.leaky_relu(x)", "LeakyReLU"),
    *_same("PyTorch", "elu", "ic.elu(x)", "ELU"),
    *_same("PyTorch", "selu", "ic.selu(x)", "SELU"),
    *_other("PyTorch, JAX", "write `x*ic.tanh(ic.softplus(x))`", "mish", "Mish"),
    *_other("PyTorch, JAX", "write `x/(1 + ic.abs(x))`", "softsign", "soft_sign", "Softsign"),
    *_other("PyTorch", "write `x - ic.tanh(x)`", "tanhshrink", "Tanhshrink"),
    *_other("PyTorch", "write `ic.sign(x)*ic.relu(ic.abs(x) - 0.5)`", "softshrink", "Softshrink", "soft_threshold"),
    *_other("PyTorch", "write `ic.softmax(-x)`", "softmin", "Softmin"),
    *_other("PyTorch, JAX", "write `ic.clip(x/6 + 0.5, 0, 1)`", "hardsigmoid", "hard_sigmoid", "Hardsigmoid"),
    *_other("PyTorch, JAX", "write `x*ic.clip(x/6 + 0.5, 0, 1)`", "hardswish", "hard_silu", "hard_swish", "Hardswish"),
    *_other("PyTorch, JAX", "write `A*ic.sigmoid(B)`, with the halves as tensors of their own", "glu", "GLU"),
    *_same("PyTorch", "hard_tanh", "ic.hard_tanh(x)", "hardtanh", "Hardtanh"),
    *_other("PyTorch", "write `ic.clip(x, 0, 6)`", "relu6", "ReLU6"),
    *_other("PyTorch, SciPy", "write `ic.log(ic.sigmoid(x))`", "logsigmoid", "log_sigmoid", "log_expit"),
    *_other("SymPy", "write `ic.where(x > 0, x, 0)`", "Piecewise"),
    *_same("SymPy", "maximum", "ic.maximum(x, y)", "Max"),
    *_same("SymPy", "minimum", "ic.minimum(x, y)", "Min"),
    *_same("R", "where", "ic.where(x > 0, x, y)", "ifelse"),
    *_other("NumPy", "there is none: it is constant but for jumps", "floor", "ceil", "round"),
    # statistics and losses
    *_same("books, R", "var", "ic.var(x)", "variance"),
    *_same("books, R", "std", "ic.std(x)", "sd", "stddev"),
    *_same("books", "cov", "ic.cov(A)", "covariance"),
    *_other("NumPy", "write `ic.cov(x, y)/(ic.std(x)*ic.std(y))`", "corrcoef"),
    *_other("PyTorch, JAX", "write `ic.mean((x - y)**2)`", "mse_loss", "mse"),
    *_other(
        "PyTorch, JAX",
        "write `-ic.sum(y*ic.log_softmax(x))`, of rows `-ic.mean(ic.sum(B*ic.log_softmax(A, axis=1), axis=1))`",
        "cross_entropy",
        "cross_entropy_loss",
        "CrossEntropyLoss",
    ),
    *_other(
        "PyTorch", "write `-ic.mean(ic.sum(B*A, axis=1))`, B being `ic.one_hot` of the labels", "nll_loss", "NLLLoss"
    ),
    *_other(
        "PyTorch",
        "write `-ic.mean(y*ic.log(x) + (1 - y)*ic.log(1 - x))`, of logits `ic.mean(ic.softplus(x) - y*x)`",
        "binary_cross_entropy",
        "bce_loss",
        "BCELoss",
    ),
    *_other(
        "PyTorch", "write `ic.mean(ic.softplus(x) - y*x)`", "binary_cross_entropy_with_logits", "BCEWithLogitsLoss"
    ),
    *_other("PyTorch", "write `ic.mean(ic.abs(x - y))`", "l1_loss", "L1Loss", "mae"),
    *_other(
        "PyTorch, JAX",
        "write `ic.mean(ic.where(ic.abs(x - y) <= 1, (x - y)**2/2, ic.abs(x - y) - 0.5))`",
        "huber_loss",
        "huber",
        "HuberLoss",
        "smooth_l1_loss",
        "smooth_l1",
        "SmoothL1Loss",
    ),
    *_other("PyTorch, SciPy", "write `ic.sum(x*ic.log(x/y))`", "kl_div", "kl_divergence", "rel_entr", "KLDivLoss"),
    *_other("PyTorch", "write `ic.mean(ic.relu(1 - x*y))`", "hinge_loss", "hinge"),
    *_other(
        "PyTorch, SciPy", "write `x @ y/(ic.norm2(x)*ic.norm2(y))`", "cosine_similarity", "CosineSimilarity", "cosine"
    ),
    *_other("PyTorch", "write `ic.norm2(x - y)`", "pairwise_distance", "PairwiseDistance", "dist"),
    *_other(
        "PyTorch", "write `x/ic.norm2(x)`, of rows `A/ic.norm2(A, axis=1, keepdims=True)`", "normalize", "l2_normalize"
    ),
    *_other(
        "PyTorch, JAX",
        "write `(A - ic.mean(A, axis=1, keepdims=True))/ic.sqrt(ic.var(A, axis=1, keepdims=True) + 1e-5)`",
        "layer_norm",
        "LayerNorm",
    ),
    *_other(
        "PyTorch", "write `(A - ic.mean(A, axis=0))/ic.sqrt(ic.var(A, axis=0) + 1e-5)`", "batch_norm", "BatchNorm1d"
    ),
    *_other("PyTorch", "write `A/ic.sqrt(ic.mean(A**2, axis=1, keepdims=True) + 1e-6)`", "rms_norm", "RMSNorm"),
    *_other(
        "PyTorch, JAX",
        "write `ic.softmax(A @ B.T/ic.sqrt(A.shape[1]), axis=1) @ A`",
        "scaled_dot_product_attention",
        "dot_product_attention",
    ),
    *_other("PyTorch", "write `ic.where(A > 0, A, -1e9)`, with the condition that is kept", "masked_fill"),
    *_other("Julia", 'write `ic.one_hot([0, 2], "n")`, or declare it: `ic.tensor("Y", "n k", onehot=True)`', "onehot"),
    *_other(
        "PyTorch",
        'write `A[[0, 2]]`, or with integers that are declared, `A[ic.tensor("b", "k", integer=True)]`',
        "embedding",
        "Embedding",
        "index_select",
    ),
    *_other("PyTorch", 'write a product with a mask, `x*ic.tensor("m", "n", mask=True)`', "dropout", "Dropout"),
    *_other("PyTorch", "write `A @ B.T + x`, or of samples in rows and B turned `A @ B + x`", "linear", "Linear"),
    *_other("NumPy", "there is none: a place has no derivative; `ic.max(x)` is the value", "argmax", "argmin"),
    *_other("NumPy", "write `ic.quantile(x, 0.25)`, of a share in place of percents", "percentile"),
    # derivatives
    *_same("SymPy, books", "grad", "ic.grad(f, x)", "gradient", "Grad", "nabla"),
    *_same("SymPy, MATLAB", "derivative", "ic.derivative(y, x)", "jacobian", "Jacobian", "Derivative"),
    *_same("MATLAB, PyTorch", "hessian", "ic.hessian(f, x)", "Hessian"),
    *_other(
        "JAX",
        "write `ic.derivative(y, x)`: derivatives are of expressions, not of Python functions",
        "jacfwd",
        "jacrev",
    ),
    *_other("JAX", _WHOLE, "value_and_grad"),
    *_other("PyTorch", "write `ic.grad(f, x)`", "backward", "requires_grad", "requires_grad_", "autograd"),
    # declarations
    *_other("SymPy", _DECLARE_SCALAR, "symbols", "Symbol", "syms"),
    *_other(
        "NumPy, SymPy", _DECLARE_MATRIX, "matrix", "Matrix", "MatrixSymbol", "IndexedBase", "array", "asarray", "Tensor"
    ),
    *_other("books, MATLAB", _DECLARE_VECTOR, "vector", "Vector", "VectorSymbol"),
    *_other("PyTorch, CVXPY", 'write `ic.tensor("x", "n")`', "Variable", "Parameter", "placeholder", "from_numpy"),
    *_other("SymPy", 'write `ic.index("i")`', "Idx"),
    *_other("SymPy", 'write `ic.function("f", "n -> m")`', "Function"),
    *_other("SymPy", 'write `ic.parse("x_i A_ij", x="n", A="n m")`', "sympify", "parse_expr", "S"),
    *_other("SymPy", "write a repeated index, `x[i]*y[i]`, or `ic.sum(x)`", "Sum", "summation"),
    *_other("SymPy", "write `ic.prod(x)`", "Product"),
    # what is done with an expression
    *_other(
        "SymPy, MATLAB", "write `f.substitute({x: y})`, or numbers: `f.evaluate(x=...)`", "subs", "xreplace", "replace"
    ),
    *_other("SymPy, PyTorch", _EVALUATE, "evalf", "eval", "numpy", "item", "N", "tolist"),
    *_other("SymPy", "write `ic.compile(f, (x,))`", "lambdify", "jit"),
    *_other("JAX", 'write a batch index: `ic.index("b", batch=True)`', "vmap"),
    *_other("SymPy", "write `f.simplify()`", "doit", "refine", "ratsimp", "as_explicit"),
    *_other("SymPy", "write `f.variables`", "free_symbols", "atoms"),
    *_other("SymPy", "write `f.latex()`", "_repr_latex", "to_latex"),
    *_other("NumPy", _PERMUTE, "swapaxes", "moveaxis", "permute"),
    *_other("NumPy", _RESHAPE, "reshape", "ravel", "flatten", "view"),
    *_other("NumPy, PyTorch", _AXES, "expand_dims", "unsqueeze", "squeeze", "newaxis"),
    *_same("PyTorch, JAX", "concatenate", "ic.concatenate([x, x])", "cat", "concat"),
    *_other("NumPy", _BELOW, "vstack", "row_stack", "append"),
    *_other("NumPy", _BESIDE, "hstack", "column_stack"),
    *_other("NumPy", "write `x[::-1]`, `A[:, ::-1]`", "flip", "fliplr", "flipud"),
    *_other("NumPy", "write `A.shape`; an expression has dimensions and no numbers", "size", "numel", "nbytes"),
    *_other(
        "NumPy, PyTorch",
        "an expression has no numbers, so no type or device: those of `f.evaluate(x=...)` are the inputs'",
        "dtype",
        "astype",
        "device",
        "to",
        "detach",
        "cpu",
        "float",
    ),
    # modules
    *_other(
        "NumPy, PyTorch",
        "its functions stand in the package itself: `ic.inv(A)`, `ic.det(A)`, `ic.solve(A, x)`",
        "linalg",
    ),
    *_other(
        "PyTorch, JAX",
        "its functions stand in the package itself: `ic.relu(x)`, `ic.softmax(x)`",
        "nn",
        "functional",
        "special",
    ),
    *_other("NumPy", _EVALUATE, "random"),
)
"""What people write who come from elsewhere; a name that the package has stands in no row."""

NAMES: dict[str, Foreign] = {row.name: row for row in ROWS}
"""The rows by their names."""


def ours(name: str) -> str | None:
    """The name here of what takes the same arguments, an attribute (".T") or an operator ("@"); else None.

    >>> ours("trace"), ours("transpose"), ours("argmax")
    ('tr', '.T', None)
    """
    return NAMES[name].ours if name in NAMES else None


def answer(name: str) -> str:
    """What to write instead of a name, as errors say it; nothing for a name that stands in no row.

    >>> answer("trace")
    'write ic.tr(A)'
    >>> answer("tracer")
    ''
    """
    return NAMES[name].instead.replace("`", "") if name in NAMES else ""
