"""SymPy's expressions read and written: both have the same numbers, and what is open is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array import expressions as arrays

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import ELEMENTWISE
from indexcalc.interop.spellings import ALONG, CALLED, SPELT
from indexcalc.views.expr import Expr

SIZES = {"n": 3, "m": 2}
i, j, k, r = sp.symbols("i j k r", integer=True)
a, b = sp.symbols("a b")
t = sp.Symbol("t", positive=True)
d = sp.Symbol("d")


class Pool:
    """The tensors of one pair of sizes, which are symbols or integers."""

    def __init__(self, n: Any, m: Any) -> None:
        self.n, self.m = n, m
        matrix = sp.MatrixSymbol
        self.A, self.B, self.C, self.D = matrix("A", n, n), matrix("B", n, n), matrix("C", n, m), matrix("D", m, n)
        self.x, self.y, self.z, self.w = matrix("x", n, 1), matrix("y", n, 1), matrix("z", m, 1), matrix("w", 1, n)
        base = sp.IndexedBase
        self.u, self.v, self.P, self.Q = (
            base("u", shape=(n,)),
            base("v", shape=(n,)),
            base("P", shape=(n, m)),
            base("Q"),
        )
        self.e, self.f = base("e", shape=(3,)), base("f", shape=(3,))
        self.S, self.T = base("S", shape=(n, n)), arrays.ArraySymbol("T", (n, m, n))

    def sum(self, body: Any, *names: Any) -> Any:
        return sp.Sum(body, *[(name, 0, (self.m if name in (k,) else self.n) - 1) for name in names])


MATRICES: dict[str, Callable[[Pool], Any]] = {
    "symbol": lambda p: p.C,
    "row": lambda p: p.w,
    "sum": lambda p: p.A + 2 * p.B - p.A.T / 3,
    "product": lambda p: p.A * p.C * p.D,
    "scaled": lambda p: a * p.A * p.x + sp.Rational(2, 3) * b * p.y,
    "power": lambda p: p.A**3,
    "inverse": lambda p: p.A.inv() * p.C,
    "inverse power": lambda p: p.A**-2,
    "transposed product": lambda p: (p.A * p.C).T,
    "trace": lambda p: sp.Trace(p.A * p.B),
    "trace of a sum": lambda p: sp.Trace(p.A + p.B) + 1,
    "trace squared": lambda p: sp.Trace(p.A) ** 2 + sp.exp(sp.Trace(p.A) / 4),
    "determinant": lambda p: sp.Determinant(p.A) ** 2,
    "log of a determinant": lambda p: sp.log(sp.Determinant(p.A.T * p.A)),
    "diagonal matrix": lambda p: DiagMatrix(p.x) * p.C,
    "diagonal of": lambda p: DiagonalOf(p.A) + p.x,
    "only the diagonal": lambda p: DiagonalMatrix(p.A) * p.B,
    "entry by entry": lambda p: sp.HadamardProduct(p.A, p.B, p.A.T),
    "entrywise power": lambda p: sp.HadamardPower(p.A, 2) + sp.HadamardPower(p.B, 3),
    "kronecker": lambda p: sp.KroneckerProduct(p.A, p.C),
    "identity": lambda p: p.A - 2 * sp.Identity(p.n),
    "ones": lambda p: p.A * sp.OneMatrix(p.n, p.m) + p.C,
    "zeros": lambda p: p.A * sp.ZeroMatrix(p.n, p.m) + p.C,
    "column of ones": lambda p: sp.OneMatrix(1, p.n) * p.A + p.w,
    "applied": lambda p: p.A.applyfunc(sp.exp) * p.x,
    "applied formula": lambda p: (p.A * p.x).applyfunc(sp.Lambda(d, 1 / (1 + sp.exp(-d)) + a)),
    "applied constant": lambda p: p.C.applyfunc(sp.Lambda(d, 3)) + p.C,
    "quadratic form": lambda p: p.x.T * p.A * p.x,
    "quadratic form plus one": lambda p: p.x.T * p.A * p.x + sp.Identity(1),
    "inner product times row": lambda p: p.x.T * p.y * p.z.T,
    "outer product": lambda p: p.x * p.z.T + p.C,
    "rows": lambda p: p.w * p.A * p.w.T * p.w,
    "slice": lambda p: p.A[1:, 0:2],
    "slice of a column": lambda p: p.x[1:, :] - p.x[:-1, :],
    "entry": lambda p: p.A[0, 1] * p.x[2, 0],
    "entry of a product": lambda p: sp.Trace(p.A) * (p.A * p.B)[0, 1],
    "size as a number": lambda p: sp.Trace(p.A) / p.n + p.n**2,
    "norm": lambda p: sp.sqrt(sp.Trace(p.A.T * p.A)),
    "least squares": lambda p: (p.C.T * p.C + t * sp.Identity(p.m)).inv() * p.C.T * p.y,
    "array contraction": lambda p: arrays.ArrayContraction(arrays.ArrayTensorProduct(p.A, p.C), (1, 2)),
    "array diagonal": lambda p: arrays.ArrayDiagonal(arrays.ArrayTensorProduct(p.A, p.B), (1, 3)),
    "array with columns": lambda p: arrays.ArrayContraction(arrays.ArrayTensorProduct(p.A, p.x), (1, 2)),
    "permuted": lambda p: arrays.PermuteDims(p.T, [1, 2, 0]),
    "array sum": lambda p: arrays.ArrayAdd(p.T, arrays.PermuteDims(p.T, [2, 1, 0])),
    "array applied": lambda p: arrays.ArrayElementwiseApplyFunc(sp.cos, p.T),
}
ENTRIES: dict[str, Callable[[Pool], Any]] = {
    "scalars": lambda p: a**2 + 3 * a * b - sp.sqrt(t) / 2 + sp.pi,
    "functions": lambda p: sp.sin(a) * sp.atan2(a, t) + sp.loggamma(t) + sp.polygamma(1, t) + sp.E**a,
    "piecewise": lambda p: sp.Piecewise((a, a > b), (2 * b, sp.And(a < 3, sp.Not(b > a))), (t, True)),
    "nested conditions": lambda p: sp.Piecewise(
        (a, sp.ITE(a > 1, b > 1, t < 1)), (sp.Piecewise((b, a < b), (t, True)), True)
    ),
    "largest": lambda p: sp.Max(a, b, t) - sp.Min(a, b) + sp.Abs(a) + sp.sign(b),
    "power of a symbol": lambda p: t**a + 2**b,
    "entry": lambda p: p.P[i, k] + p.P[i, k] ** 2,
    "matrix product": lambda p: p.sum(p.S[i, j] * p.P[j, k], j),
    "quadratic": lambda p: p.sum(p.u[i] * p.S[i, j] * p.v[j], i, j),
    "trace": lambda p: p.sum(p.S[i, i], i),
    "three factors": lambda p: p.sum(p.u[i] * p.v[i] * p.S[i, j], i),
    "sum of a sum": lambda p: p.sum(p.u[i] * p.sum(p.S[i, j] + p.v[j], j), i) + a,
    "constant along": lambda p: p.sum(a + p.u[i], i) + p.sum(2, j),
    "delta": lambda p: p.sum(sp.KroneckerDelta(i, j) * p.u[j], j),
    "delta kept": lambda p: sp.KroneckerDelta(i, j) * a + p.S[i, j],
    "delta with a number": lambda p: p.sum(p.u[i] * sp.KroneckerDelta(i, 1), i),
    "cross product": lambda p: sp.Sum(sp.LeviCivita(i, j, r) * p.e[j] * p.f[r], (j, 0, 2), (r, 0, 2)),
    "softmax": lambda p: sp.exp(p.u[i]) / p.sum(sp.exp(p.u[j]), j),
    "log of a sum": lambda p: sp.log(p.sum(sp.exp(p.S[i, j]), j)),
    "outer sum": lambda p: p.u[i] + p.v[j],
    "product over": lambda p: sp.Product(p.u[i] + a, (i, 0, p.n - 1)),
    "matrix element": lambda p: p.sum(p.A[i, j] * p.x[j, 0], j),
    "array element": lambda p: p.sum(p.T[i, k, j], j),
    "range of the index": lambda p: sp.Sum(p.Q[sp.Idx("q", p.n)] ** 2, (sp.Idx("q", p.n), 0, p.n - 1)),
    "same letter twice": lambda p: p.sum(p.u[i], i) * p.v[i] + p.u[i],
    "norm": lambda p: sp.sqrt(p.sum(p.u[i] ** 2, i)),
    "differences": lambda p: sp.Sum((p.u[i + 1] - p.u[i]) ** 2, (i, 0, p.n - 2)),
    "differences of rows": lambda p: sp.Sum(p.S[i + 1, j] * p.S[i, j], (i, 0, p.n - 2), (j, 0, p.n - 1)),
    "backwards": lambda p: p.sum(p.u[i] * p.v[p.n - 1 - i], i),
    "convolution": lambda p: sp.Sum(p.u[i] * p.v[p.n - 2 - i], (i, 0, p.n - 2)),
    "ends": lambda p: p.u[0] * p.u[p.n - 1] - p.S[p.n - 2, j],
    "part of a sum": lambda p: sp.Sum(p.u[i], (i, 0, 1)) * a if p.n == 3 else sp.Sum(p.u[i], (i, 0, p.n - 2)) * a,
    "pairs": lambda p: p.sum(sp.Piecewise((p.u[i] / p.v[j], i < j), (p.u[j], sp.Eq(i, j)), (0, True)), i, j),
    "other pairs": lambda p: p.sum(sp.Piecewise((p.S[i, j], sp.And(i >= j, sp.Ne(i, j))), (a, True)), i, j),
    "piecewise entries": lambda p: p.sum(sp.Piecewise((p.u[i], p.u[i] > 0), (a * p.u[i], True)), i),
}
TABLE = {**MATRICES, **ENTRIES}
SHAPES = {
    "A": (3, 3), "B": (3, 3), "C": (3, 2), "D": (2, 3), "x": (3, 1), "y": (3, 1), "z": (2, 1), "w": (1, 3), "u": 3,
    "v": 3, "e": 3, "f": 3, "P": (3, 2), "Q": 3, "S": (3, 3), "T": (3, 2, 3), "a": (), "b": (), "t": (),
}  # fmt: skip
VALUES = {
    name: np.random.default_rng(number).uniform(0.3, 1.5, shape) for number, (name, shape) in enumerate(SHAPES.items())
}


def numbers(expr: Any, free: tuple[str, ...] = ()) -> Any:
    """SymPy's numbers of an expression whose sizes are integers, along its free indices in this order."""
    if free:
        symbol = next(one for one in expr.free_symbols if one.name == free[0] and one.is_integer)
        places = range(2 if free[0] == "k" else 3)
        return np.array([numbers(expr.subs(symbol, place), free[1:]) for place in places])
    known = {one: sp.ImmutableMatrix(VALUES[one.name]) for one in expr.atoms(sp.MatrixSymbol)}
    if type(expr).__name__.startswith(("Array", "PermuteDims")) and hasattr(expr, "shape"):
        return np.array(sp.flatten(_entries(expr.as_explicit()).subs(known)), float).reshape(expr.shape)
    if expr.has(DiagonalOf, DiagonalMatrix):  # SymPy fails for explicit matrices in these
        return np.array(_entries(expr.as_explicit()).evalf().tolist(), float)
    made = expr.subs(known).doit()
    if not getattr(made, "is_Matrix", False):
        return np.array(float(_entries(made)))
    return np.array(_entries(made.as_explicit()).evalf().tolist(), float)


def _entries(expr: Any) -> Any:
    """The expression with numbers in place of scalars and of entries."""
    table: dict[Any, Any] = {one: VALUES[one.name].item() for one in (a, b, t)}
    for one in expr.atoms(sp.Indexed, arrays.ArrayElement):
        name = one.base.label if isinstance(one, sp.Indexed) else one.name
        table[one] = VALUES[str(name)].squeeze()[tuple(map(int, one.indices))]
    for one in expr.atoms(MatrixElement):
        table[one] = VALUES[one.parent.name][one.i, one.j]
    return expr.xreplace(table) if not hasattr(expr, "applyfunc") else expr.applyfunc(lambda e: e.xreplace(table))


def own_numbers(view: Any, *free: ic.Index) -> Any:
    """Our numbers of an expression whose sizes are symbols."""
    sizes = {"n": 3, "m": 2}
    given = {
        name: VALUES[name].reshape([sizes.get(str(size), size) for size in array.node.dims])
        for name, array in view.variables.items()
    }
    return np.asarray(view.evaluate(given, order=free or None, **sizes_of(view, sizes)))


def sizes_of(view: Any, sizes: dict[str, int]) -> dict[str, int]:
    """The sizes that a size says, and no tensor."""
    return {name: size for name, size in sizes.items() if re.search(rf"\b{name}\b", str(view))}


SYMBOLS, INTEGERS = Pool(*sp.symbols("n m", integer=True)), Pool(sp.Integer(3), sp.Integer(2))


@pytest.mark.parametrize("name", TABLE)
def test_it_is_read_and_written_with_the_same_numbers(name: str) -> None:
    expr, read = TABLE[name](INTEGERS), ic.from_sympy(TABLE[name](SYMBOLS))
    free = read.free if isinstance(read, Expr) else ()
    wanted, own = numbers(expr, tuple(index.name for index in free)), own_numbers(read)
    assert own.shape == tuple(size for size, place in zip(wanted.shape, places(read), strict=False) if place)
    assert own.size == wanted.size
    np.testing.assert_allclose(own.reshape(wanted.shape), wanted, rtol=1e-9)
    if read.order > 2:
        free = ic.indices("i k j")
        read = read[free]
    again = ic.from_sympy(read.to_sympy(), batch=" ".join(index.name for index in free))
    np.testing.assert_allclose(own_numbers(again, *free).reshape(own.shape), own, rtol=1e-9)
    if read.order < 3:
        written = numbers(ic.from_sympy(expr).to_sympy(), tuple(index.name for index in free))
        np.testing.assert_allclose(written.reshape(own.shape), own, rtol=1e-9)


def places(view: Any) -> Any:
    """For each axis that SymPy shows, whether it is one of ours."""
    if isinstance(view, Expr):
        return [True] * view.order
    return [place is not None for place in view.places]


# ------------------------------------------------------------------ what is written


n, m = sp.symbols("n m", integer=True)
A, x = ic.tensor("A", 3, 3), ic.column("x", 3)
S, C = ic.tensor("S", 3, 3, symmetric=True), ic.tensor("C", 3, 2)
i_, j_ = ic.indices("i j")
RESULTS = {
    "gradient": ic.grad(ic.logdet(A) + ic.tr(A @ A @ A), A),
    "hessian": ic.hessian(x.T @ A @ x, x),
    "softmax Jacobian": ic.derivative(ic.sigmoid(A @ x), x),
    "mean": (A - A.mean(axis=0)).mean(),
    "row of sums": (A @ C).sum(axis=0),
    "entry": A[0, 1] * x[2] + A[:, 0][1],
    "rows": A[1] @ C,
    "slices": A[1:, :2] + C[:2],
    "quotient": ic.exp(A) / (1 + A**2),
    "norm": ic.normF(A) * x / ic.norm2(x),
    "kronecker": ic.kron(C, x),
    "plain vectors": ic.tensor("u", 3) @ A,
    "row in a Kronecker product": ic.kron(A, ic.row("w", 3)),
    "softmax backwards": ic.softmax(ic.tensor("u", 3)[::-1])[::-1][i_] * ic.tensor("e", 3)[i_],
    "row times a matrix": ic.row("w", 3) @ A,
    "pairs": (1 / (ic.tensor("u", 3)[i_] * ic.ones(j_, dim=3) - ic.ones(i_, dim=3) * ic.tensor("u", 3)[j_])).sum(
        i_, j_, where="i<j"
    ),
    "condition in a product": ic.hadamard(ic.tensor("u", 3)[i_] > 0.5, ic.log(ic.tensor("u", 3)[i_])).sum(i_),
    "choice": ic.where(A[0, 0] > 1, A[0, 1], 2),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_written(name: str) -> None:
    view = RESULTS[name]
    wanted = own_numbers(view)
    np.testing.assert_allclose(numbers(view.to_sympy()).reshape(wanted.shape), wanted, rtol=1e-9, atol=1e-12)


def test_each_function_of_entries_is_written() -> None:
    assert set(CALLED) | set(SPELT) == set(ELEMENTWISE)
    assert not set(CALLED) & set(SPELT)
    for name, row in ELEMENTWISE.items():
        letters = [ic.scalar(f"a{place}") for place in range(row.arity)]
        params = [1] * len(row.params)
        view = getattr(ic, name)(*params, *letters)
        for ends in (0, 1):
            values = {f"a{place}": bounds[ends] * 0.9 for place, bounds in enumerate(row.inputs)}
            written = view.to_sympy().subs(values)
            assert float(written) == pytest.approx(float(view.evaluate(values)), rel=1e-12), name


@pytest.mark.parametrize("name", ALONG)
def test_each_function_along_axes_is_written(name: str) -> None:
    q = ic.index("q")
    view = getattr(ic, name)(ic.tensor("u", 3)[q])
    free = tuple(index.name for index in view.free)
    np.testing.assert_allclose(numbers(view.to_sympy(), free), own_numbers(view), rtol=1e-9)


def test_what_was_read_is_written_as_it_was() -> None:
    same = "product, inverse, trace, diagonal matrix, row, kronecker, slice, matrix product"
    for name in same.split(", "):
        expr = TABLE[name](SYMBOLS)
        assert ic.from_sympy(expr).to_sympy() == expr
    assert ic.from_sympy(t).to_sympy() == t
    assert ic.from_sympy(SYMBOLS.x.T * SYMBOLS.y).to_sympy() == sp.Trace(SYMBOLS.x.T * SYMBOLS.y)


# ------------------------------------------------------------------ what is refused

u, v = sp.IndexedBase("u", shape=(n,)), sp.IndexedBase("v", shape=(n,))
M = sp.MatrixSymbol("M", n, n)
REFUSED = {
    "summed or kept": (u[i] * v[i], "no Sum says"),
    "twice in one": (sp.IndexedBase("S", shape=(n, n))[i, i], "no Sum says"),
    "no size": (sp.IndexedBase("q")[i], "shape="),
    "counted from 1": (sp.Sum(u[i], (i, 1, n)), "count from 0"),
    "another range": (sp.Sum(u[i], (i, 0, m - 1)), "runs over m"),
    "exp of a matrix": (sp.exp(M), "applyfunc"),
    "explicit": (sp.Matrix([[1, 2]]), "MatrixSymbol"),
    "imaginary": (sp.I * a, "ImaginaryUnit"),
    "infinity": (sp.oo, "Infinity"),
    "integral": (sp.Integral(a, (a, 0, 1)), "Integral"),
    "no size is said": (sp.matrices.expressions.special.GenericIdentity(), "Identity(n)"),
    "no end": (sp.Sum(2, (i, 0, sp.oo)), "Infinity"),
    "an entry beyond": (u[n + 1], "the entry n + 1"),
    "two indices in one": (sp.Sum(u[i + j], (i, 0, n - 1), (j, 0, n - 1)), "no symbol"),
    "undefined function": (sp.Function("f")(a), "has no counterpart"),
    "derivative": (sp.Derivative(sp.Determinant(M), M), "doit"),
    "index as a number": (sp.Sum(i * u[i], (i, 0, n - 1)), "as a number"),
    "indices of two ranges": (
        sp.Sum(sp.Piecewise((u[i], i < k), (0, True)), (i, 0, n - 1), (k, 0, m - 1)),
        "no one range",
    ),
    "triangle": (sp.Sum(u[j], (j, 0, i), (i, 0, n - 1)), "depends on the index"),
    "adjoint": (sp.Adjoint(M), "write .T"),
    "square root of a matrix": (M ** sp.Rational(1, 2), "HadamardPower"),
    "no value elsewhere": (sp.Piecewise((a, a > 0)), "elsewhere"),
    "one name, two symbols": (a + sp.Symbol("a", positive=True), "two symbols"),
    "not commuting": (sp.Symbol("h", commutative=False), "commute"),
    "an index that moves": (u[2 * i] + u[i], "no symbol"),
    "step": (sp.Heaviside(a), "at 0"),
    "an equation": (sp.Eq(a, b), "Equality"),
    "size that no dimension is": (sp.Trace(sp.MatrixSymbol("R", sp.sin(n), sp.sin(n))), "size"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_open_is_refused(name: str) -> None:
    expr, words = REFUSED[name]
    with pytest.raises(IndexCalcError, match=re.escape(words)):
        ic.from_sympy(expr)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (ic.expm(A), "expm"),
        (ic.tensor("T", 3, 3, 3), "matrix holds two"),
        (ic.inv(A)[ic.indices("i j")], "inv of a matrix"),
        (ic.maximum(A, S), "maximum"),
        (ic.function("g", "n -> n")(ic.tensor("u", "n")), "no g"),
        (A[::-1], "backwards"),
        (ic.tensor("u", "n")[ic.index("n")], "rename"),
    ],
    ids=str,
)
def test_what_has_no_word_is_refused(view: Any, words: str) -> None:
    with pytest.raises(IndexCalcError, match=words):
        view.to_sympy()


def test_a_name_is_kept_where_it_is_said() -> None:
    with pytest.raises(IndexCalcError, match="no index"):
        ic.from_sympy(u[i] * v[i], batch="i q")
    assert ic.from_sympy(u[i] * v[i], batch="i").free == ic.indices("i")


def test_sympy_is_not_imported_before() -> None:
    code = "import sys, indexcalc as ic; ic.from_sympy; assert 'sympy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
