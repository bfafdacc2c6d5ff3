"""The meaning of the corpus's formulas, in NumPy alone: what the library's results are compared with.

In a matrix formula every vector is a column. In an index formula each term of the top level is summed over every index
that is not after the arrow; inside parentheses and functions a sum is written out.
"""

from __future__ import annotations

import ast
import zlib
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

SIZES = (
    {"m": 3, "n": 4, "p": 2, "q": 5, "r": 2, "s": 3, "N": 6, "B": 3, "T": 3, "H": 2},
    {"m": 4, "n": 3, "p": 5, "q": 2, "r": 3, "s": 2, "N": 7, "B": 2, "T": 4, "H": 3},
)
Array = np.ndarray[Any, Any]


def column(value: Any) -> Array:
    return np.reshape(np.asarray(value), (-1, 1))


def _along(f: Any) -> Any:
    def reduce(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if axis is None:
            return f(np.asarray(x))
        return f(x, axis=axis, keepdims=True) if keepdims else column(f(x, axis=axis))

    return reduce


def logsumexp(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    value = scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)
    return value if axis is None or keepdims else column(value)


def softmax(x: Any, axis: int | None = None) -> Any:
    return scipy.special.softmax(x, axis=axis)


def commutation(m: int, n: int) -> Array:
    out = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            out[i * n + j, j * m + i] = 1
    return out


def _lower(n: int) -> list[tuple[int, int]]:
    return [(i, j) for j in range(n) for i in range(j, n)]


def duplication(n: int) -> Array:
    out = np.zeros((n * n, n * (n + 1) // 2))
    for k, (i, j) in enumerate(_lower(n)):
        out[j * n + i, k] = out[i * n + j, k] = 1
    return out


def unit(*args: int) -> Array:
    if len(args) == 2:
        return column(np.eye(args[1])[args[0]])
    out = np.zeros(args[2:])
    out[args[0], args[1]] = 1
    return out


def cofactor(x: Array) -> Array:
    n = len(x)
    minors = [[np.delete(np.delete(x, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)])


def hat(x: Array) -> Array:
    a, b, c = np.reshape(x, 3)
    return np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])


def shared(key: Any, entries: Any) -> Any:
    """The matrix whose entry i, j is the sum of all A[k, l] with `entries(k, l) == key(i, j)`."""

    def sums(a: Array) -> Array:
        n = len(a)
        total: dict[int, float] = {}
        for k in range(n):
            for l in range(n):  # noqa: E741
                total[entries(k, l, n)] = total.get(entries(k, l, n), 0.0) + a[k, l]
        return np.array([[total[key(i, j, n)] for j in range(n)] for i in range(n)])

    return sums


def norm(x: Any) -> Any:
    return np.sqrt(np.sum(x * x))


FUNCTIONS: dict[str, Any] = {
    "tr": np.trace, "det": np.linalg.det, "logdet": lambda x: np.linalg.slogdet(x)[1], "inv": np.linalg.inv,
    "pinv": np.linalg.pinv, "cofactor": cofactor, "adj": lambda x: cofactor(x).T, "solve": np.linalg.solve,
    "matrix_power": np.linalg.matrix_power, "expm": scipy.linalg.expm, "sinm": scipy.linalg.sinm,
    "cosm": scipy.linalg.cosm, "sqrtm": scipy.linalg.sqrtm, "logm": scipy.linalg.logm,
    "eigh_v": lambda s: np.linalg.eigh(s)[1], "svd_u": lambda x: np.linalg.svd(x, full_matrices=False)[0],
    "svd_vt": lambda x: np.linalg.svd(x, full_matrices=False)[2], "min": min,
    "cholesky": np.linalg.cholesky, "eigvalsh": lambda s: column(np.linalg.eigvalsh(s)),
    "norm_nuc": lambda x: np.linalg.svd(x)[1].sum(),
    "svdvals": lambda x: np.linalg.svd(x, compute_uv=False), "exp": np.exp, "log": np.log, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh, "atan": np.arctan,
    "sigmoid": scipy.special.expit, "relu": lambda x: np.maximum(x, 0), "softplus": lambda x: np.logaddexp(x, 0),
    "erf": scipy.special.erf, "abs": np.abs, "sign": np.sign, "sqrt": np.sqrt, "step": lambda x: (x > 0) * 1.0,
    "maximum": np.maximum, "gammaln": scipy.special.gammaln, "digamma": scipy.special.digamma, "conj": np.conj,
    "real": np.real, "sum": _along(np.sum), "mean": _along(np.mean), "prod": _along(np.prod), "max": _along(np.max),
    "norm2": norm, "normF": norm, "normp": lambda x, p: np.sum(np.abs(x) ** p) ** (1 / p), "softmax": softmax,
    "logsumexp": logsumexp, "diag": lambda x: column(np.diagonal(x)), "diagm": lambda x: np.diag(np.ravel(x)),
    "vec": lambda x: column(x.T), "unvec": lambda x, m, n: np.reshape(x, (n, m)).T,
    "vech": lambda x: column([x[i, j] for i, j in _lower(len(x))]), "kron": np.kron, "outer": lambda a, b: a @ b.T,
    "commutation": commutation, "duplication": duplication, "unit": unit, "eye": np.eye, "hat": hat,
    "ones": lambda *s: np.ones(s if len(s) == 2 else (*s, 1)),
    "zeros": lambda *s: np.zeros(s if len(s) == 2 else (*s, 1)), "tril": np.tril, "triu": np.triu,
    "khatri_rao": lambda a, b: np.einsum("ir,jr->ijr", a, b).reshape(-1, a.shape[1]), "einsum": np.einsum,
    "cross": lambda a, b: column(np.cross(np.ravel(a), np.ravel(b))), "sym": lambda a: (a + a.T) / 2,
    "toeplitz_sums": shared(lambda i, j, n: i - j, lambda i, j, n: j - i),
    "hankel_sums": shared(lambda i, j, n: i + j, lambda i, j, n: i + j),
    "circulant_sums": shared(lambda i, j, n: (i - j) % n, lambda i, j, n: (i - j) % n),
    "reshape": np.reshape, "polar": lambda x: FUNCTIONS["svd_u"](x) @ FUNCTIONS["svd_vt"](x), "pi": np.pi,
}  # fmt: skip


def size(dim: str, sizes: dict[str, int]) -> int:
    return int(dim) if dim.isdigit() else sizes[dim]


# ------------------------------------------------------------------ values


def value(shape: tuple[int, ...], kinds: list[str], rng: np.random.Generator) -> Array:
    """Random numbers of a kind."""
    x = rng.normal(size=shape)
    n = shape[-1] if shape else 1
    for kind in kinds:
        match kind:
            case "spd":
                x = x @ x.T / n + np.eye(n)
            case "symmetric":
                x = (x + x.T) / 2
            case "skew":
                x = x - x.T
            case "diagonal":
                x = np.diag(np.diag(x) + 3)
            case "lower":
                x = np.tril(x) + 3 * np.eye(n)
            case "toeplitz" | "symmetric-toeplitz" | "hankel" | "circulant":
                t = rng.normal(size=2 * n)
                key = {"toeplitz": lambda i, j: i - j + n, "symmetric-toeplitz": lambda i, j: abs(i - j),
                       "hankel": lambda i, j: i + j, "circulant": lambda i, j: (i - j) % n}[kind]  # fmt: skip
                x = np.array([[t[key(i, j)] for j in range(n)] for i in range(n)])
            case "invertible" | "deformation":
                x = np.eye(n) * (2 if kind == "invertible" else 1) + 0.3 * x
                x = x if np.linalg.det(x) > 0 else value(shape, kinds, rng)
            case "positive" | "nonzero":
                x = np.abs(x) + 0.3
            case "small":
                x = 0.2 * x
            case "unitinterval":
                x = rng.uniform(0.2, 0.8, shape)
            case "prob" | "stochastic":
                x = np.abs(x) + 0.2
                x = x / x.sum(axis=-1, keepdims=True)
            case "unit":
                x = x / norm(x)
            case "onehot" | "onehot-rows":
                x = np.eye(n)[rng.integers(n, size=shape[:-1])]
            case "binary":
                x = rng.integers(2, size=shape) * 1.0
            case "pm1":
                x = rng.integers(2, size=shape) * 2.0 - 1
            case _:
                raise ValueError(kind)
    return x


def abstract(name: str, spec: str, kinds: list[str], sizes: dict[str, int]) -> dict[str, Any]:
    """A smooth function under its name, with its derivatives: axes of the value, then of the argument."""
    source, target = ([size(d, sizes) for d in side.split()] for side in spec.split("->"))
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    inside, outside = int(np.prod(source)), int(np.prod(target))
    w1, b1 = rng.normal(size=(7, inside)) * 0.7, rng.normal(size=7) * 0.5
    w2, line = rng.normal(size=(outside, 7)) * 0.6, rng.normal(size=(outside, inside)) * 0.4

    def value_and_slopes(z: Any) -> tuple[Any, Any, Any]:
        """`y = w2 tanh(w1 z + b1) + line z`, or its exponential, and two derivatives; tanh' = 1 - tanh^2."""
        flat = np.reshape(z, -1)
        bend = np.tanh(w1 @ flat + b1)
        steep = 1 - bend**2
        y = w2 @ bend + line @ flat
        first = (w2 * steep) @ w1 + line
        second = np.einsum("ob,b,bi,bj->oij", w2, -2 * bend * steep, w1, w1)
        if "positive" in kinds:
            y = np.exp(y / 2)
            second = y[:, None, None] * (second / 2 + first[:, :, None] * first[:, None, :] / 4)
            first = y[:, None] * first / 2
        shift = 3 * np.eye(target[0]).ravel() if "invertible" in kinds else 0
        return y + shift, first, second

    def derivative(order: int) -> Any:
        return lambda z: value_and_slopes(z)[order].reshape((*target, *source * order))

    return {name: derivative(0), "D" + name: derivative(1), "D2" + name: derivative(2)}


def numerator(d: Array, value_order: int, wrt_order: int) -> Array:
    """A derivative as a matrix formula of the corpus has it: numerator layout."""
    match value_order, wrt_order:
        case (0, 1):
            return d.reshape(1, -1)
        case (1, 0):
            return column(d)
        case (0, 2):
            return d.T
    return d


def in_columns(functions: dict[str, Any], name: str, spec: str) -> dict[str, Any]:
    """An abstract function and its derivatives as matrix formulas use them."""
    source, target = (len(side.split()) for side in spec.split("->"))
    f, first, second = (functions[key + name] for key in ("", "D", "D2"))
    return {
        name: lambda z: column(f(z)) if target == 1 else f(z),
        "D" + name: lambda z: numerator(first(z), target, source),
        "D2" + name: second,
    }


# ------------------------------------------------------------------ formulas


def evaluate(formula: str, names: dict[str, Any]) -> Any:
    """A matrix formula's value; vectors are columns."""
    return eval(compile(formula, "<formula>", "eval"), {"__builtins__": {}, **FUNCTIONS, **names})


def evaluate_index(formula: str, arrays: dict[str, Any], names: dict[str, Any], shape: tuple[int, ...]) -> Array:
    """An index formula's value, with the axes that its arrow says."""
    body, out = formula.rsplit("->", 1)
    indices = [word.strip() for word in out.strip().strip("[]").split(",") if word.strip()]
    tree = ast.parse(body.strip(), mode="eval").body
    reader = Reader(arrays, names, dict(zip(indices, shape, strict=True)))
    reader.collect(tree)
    total = np.zeros(shape)
    for sign, term in _terms(tree):
        found, axes = reader.read(term)
        order = [*indices, *(axis for axis in axes if axis not in indices)]
        spread = np.broadcast_to(_aligned(found, axes, order), [reader.sizes[axis] for axis in order])
        total = total + sign * spread.sum(axis=tuple(range(len(indices), len(order))))
    return total


def _terms(tree: Any, sign: int = 1) -> Any:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        yield from _terms(tree.left, sign)
        yield from _terms(tree.right, sign if isinstance(tree.op, ast.Add) else -sign)
    else:
        yield sign, tree


def _aligned(array: Any, axes: list[str], order: list[str]) -> Array:
    array = np.transpose(array, [axes.index(axis) for axis in order if axis in axes])
    where = iter(array.shape)
    return array.reshape([next(where) if axis in axes else 1 for axis in order])


EPSILON = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)] for i in range(3)])


class Reader:
    """Reads an index formula: arrays with the names of their axes."""

    def __init__(self, arrays: dict[str, Any], names: dict[str, Any], sizes: dict[str, int]) -> None:
        self.arrays, self.names, self.sizes = arrays, names, sizes

    def indices(self, tree: Any) -> list[Any]:
        parts = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        return [part.id if isinstance(part, ast.Name) else ast.literal_eval(part) for part in parts]

    def collect(self, tree: Any) -> None:
        """The size of each index, from the arrays that carry it."""
        for part in ast.walk(tree):
            if isinstance(part, ast.Subscript):
                indices = self.indices(part)
                word = part.value.id if isinstance(part.value, ast.Name) else ""
                if word in ("delta", "one", "sum"):
                    continue
                shape = (3, 3, 3) if word == "eps" else self.array(part.value, len(indices)).shape
                for index, extent in zip(indices, shape, strict=True):
                    assert self.sizes.setdefault(index, extent) == extent

    def array(self, tree: Any, order: int) -> Array:
        if isinstance(tree, ast.Name):
            return np.asarray(self.arrays[tree.id])
        found = np.asarray(evaluate(ast.unparse(tree), self.names))
        return found.reshape(-1) if found.ndim == 2 and order == 1 else found

    def read(self, tree: Any) -> tuple[Any, list[str]]:
        match tree:
            case ast.Constant():
                return np.asarray(float(tree.value)), []
            case ast.Name():
                return np.asarray(self.names[tree.id], float).reshape(()), []
            case ast.UnaryOp():
                array, axes = self.read(tree.operand)
                return -array, axes
            case ast.BinOp():
                return self._binary(tree)
            case ast.Subscript():
                return self._subscript(tree)
            case ast.Call(func=ast.Subscript()):
                return self._sum(tree)
        if any(isinstance(part, ast.Subscript) for part in ast.walk(tree.args[0])):
            array, axes = self.read(tree.args[0])
            return FUNCTIONS[tree.func.id](array), axes
        return np.asarray(evaluate(ast.unparse(tree), self.names)).reshape(()), []

    def _binary(self, tree: Any) -> tuple[Any, list[str]]:
        (x, first), (y, second) = self.read(tree.left), self.read(tree.right)
        order = list(dict.fromkeys([*first, *second]))
        x, y = _aligned(x, first, order), _aligned(y, second, order)
        match tree.op:
            case ast.Add():
                return x + y, order
            case ast.Sub():
                return x - y, order
            case ast.Mult():
                return x * y, order
            case ast.Div():
                return x / y, order
        return x**y, order

    def _sum(self, tree: Any) -> tuple[Any, list[str]]:
        indices = self.indices(tree.func)
        array, axes = self.read(tree.args[0])
        order = list(dict.fromkeys([*axes, *indices]))
        spread = np.broadcast_to(_aligned(array, axes, order), [self.sizes[axis] for axis in order])
        return spread.sum(axis=tuple(order.index(i) for i in indices)), [a for a in order if a not in indices]

    def _subscript(self, tree: Any) -> tuple[Any, list[str]]:
        indices = self.indices(tree)
        word = tree.value.id if isinstance(tree.value, ast.Name) else ""
        if word == "delta":
            array: Any = np.eye(self.sizes[indices[0]], self.sizes[indices[1]])
        elif word == "one":
            array = np.ones([self.sizes[index] for index in indices])
        elif word == "eps":
            array = EPSILON
        else:
            array = self.array(tree.value, len(indices))
        array = array[tuple(i if isinstance(i, int) else slice(None) for i in indices)]
        names = [index for index in indices if not isinstance(index, int)]
        axes = list(dict.fromkeys(names))
        letters = {axis: chr(97 + k) for k, axis in enumerate(axes)}
        spec = "".join(letters[name] for name in names) + "->" + "".join(letters[axis] for axis in axes)
        return np.einsum(spec, array), axes
