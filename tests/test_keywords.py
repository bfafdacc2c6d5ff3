"""No keyword is ignored: each documented one matters, and each other one is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sympy import IndexedBase, Symbol

import indexcalc as ic
from indexcalc import later
from indexcalc.errors import IndexCalcError

i, a = ic.indices("i a")
T, x, X = ic.tensor("T", "n m"), ic.tensor("x", "n"), ic.tensor("X", 2, 2)
S, A = ic.tensor("S", "n n", symmetric=True), ic.tensor("A", "n n")
L = ic.grad(x @ x, x)
Q = ic.tr(A @ S @ S)
Z = IndexedBase("Z", shape=(3,))
POINT = np.array([1.0, 2.0])
SAME = {("jvp", "structure"): "the direction is taken as it is: the three maps have one derivative along it"}
"""Keywords whose values are checked and all mean one thing, with the reason."""


MORE: dict[str, tuple[Any, ...]] = {
    "normp": (3,),
    "quantile": (0.5,),
    "take": ([1, 0],),
    "take_along_axis": (np.zeros((1, 1), int),),
}
"""What functions along axes take behind their first argument."""


def _reductions() -> dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]]:
    """With and without `axis` and `keepdims`, for each function that has them."""
    rows: dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]] = {}
    for name in (n for n, f in ic.FUNCTIONS.items() if "axis" in inspect.signature(f).parameters):
        own, more = getattr(ic, name), MORE.get(name, ())
        f = partial(lambda own, more, e, **kw: own(e, *more, **kw), own, more)
        if name in ("concatenate", "stack"):
            rows[name, "axis"] = (partial(own, [A, A], axis=1), partial(own, [A, A]))
        elif name in ("roll", "split"):
            given = [1] if name == "split" else 1
            rows[name, "axis"] = (lambda f=own, g=given: str(f(T, g, axis=1)), lambda f=own, g=given: str(f(T, g)))
        elif name in ("norm_nuc", "polar"):
            B = ic.tensor("B", "k n n")
            rows[name, "axis"] = (partial(f, B, axis=(0, 1)), partial(f, B))
        else:
            rows[name, "axis"] = (partial(f, T, axis=0), partial(f, T, axis=1) if name == "take" else partial(f, T))
        if "keepdims" in inspect.signature(getattr(ic, name)).parameters:
            rows[name, "keepdims"] = (partial(f, T, keepdims=True), partial(f, T))
    return rows


def _moments() -> dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]]:
    """With and without `ddof` and `correction`."""
    rows: dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]] = {}
    for name in ("var", "std", "cov"):
        f = getattr(ic, name)
        rows[name, "ddof"] = (partial(f, A, ddof=1), partial(f, A))
        rows[name, "correction"] = (partial(f, A, correction=1), partial(f, A))
    return rows


def _convolutions() -> dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]]:
    """With and without each keyword of a convolution, and of a range."""
    line, kernel, plane = ic.tensor("p", 7), ic.tensor("q", 3), ic.tensor("P", 7, 7)
    rows: dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]] = {}
    for name, other in (("convolve", "valid"), ("correlate", "full")):
        f = getattr(ic, name)
        rows[name, "mode"] = (partial(f, line, kernel, mode=other), partial(f, line, kernel))
        rows[name, "axes"] = (partial(f, plane, kernel, axes=0), partial(f, plane, kernel, axes=1))
        rows[name, "boundary"] = (
            partial(f, line, kernel, "same", boundary="periodic"), partial(f, line, kernel, "same"),
        )  # fmt: skip
        rows[name, "stride"] = (partial(f, line, kernel, stride=2), partial(f, line, kernel))
        rows[name, "dilation"] = (partial(f, line, kernel, dilation=2), partial(f, line, kernel))
    rows["range", "name"] = (partial(ic.range, 3, "t"), partial(ic.range, 3))
    rows["range", "start"] = (lambda: line[ic.range(3, "t", start=2)], lambda: line[ic.range(3, "t")])
    rows["range", "boundary"] = (
        lambda: line[ic.range(3, "t", boundary="zero") - 1], lambda: line[ic.range(3, "t", start=1) - 1],
    )  # fmt: skip
    return rows


CHAIN = ic.einsum("ij,j,i->", A, x, x)


def _source(**options: Any) -> str:
    return ic.to_source((A @ A @ x + A @ A.T @ x, A - x), (A, x), **options)


ROWS: dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]] = {
    **_reductions(),
    **_moments(),
    **_convolutions(),
    ("cov", "y"): (lambda: ic.cov(A, y=x), lambda: ic.cov(A)),
    ("clip", "min"): (lambda: ic.clip(x, min=0, max=1), lambda: ic.clip(x, max=1)),
    ("clip", "max"): (lambda: ic.clip(x, min=0, max=1), lambda: ic.clip(x, min=0)),
    ("leaky_relu", "negative_slope"): (lambda: ic.leaky_relu(x, negative_slope=2), lambda: ic.leaky_relu(x)),
    ("elu", "alpha"): (lambda: ic.elu(x, alpha=2), lambda: ic.elu(x)),
    ("index", "batch"): (lambda: ic.index("i", batch=True).batch, lambda: ic.index("i").batch),
    ("indices", "batch"): (lambda: ic.indices("i", batch=True)[0].batch, lambda: ic.indices("i")[0].batch),
    ("delta", "dim"): (lambda: ic.delta(i, a, dim=3).shape, lambda: ic.delta(i, a).shape),
    ("ones", "dim"): (lambda: ic.ones(i, dim=3).shape, lambda: ic.ones(i).shape),
    ("zeros", "dim"): (lambda: ic.zeros(i, dim=3).shape, lambda: ic.zeros(i).shape),
    ("tensor", "symmetric"): (lambda: A - A.T, lambda: (B := ic.tensor("A", "n n", symmetric=True)) - B.T),
    ("tensor", "skew"): (lambda: A + A.T, lambda: (B := ic.tensor("A", "n n", skew=True)) + B.T),
    ("tensor", "latex"): (lambda: ic.tensor("A", "n", latex="Q").latex(), lambda: ic.tensor("A", "n").latex()),
    ("scalar", "latex"): (lambda: ic.scalar("s", latex="Q").latex(), lambda: ic.scalar("s").latex()),
    ("column", "latex"): (lambda: ic.column("s", "n", latex="Q").latex(), lambda: ic.column("s", "n").latex()),
    ("row", "latex"): (lambda: ic.row("s", "n", latex="Q").latex(), lambda: ic.row("s", "n").latex()),
    ("function", "gradient"): (
        lambda: str(ic.grad(ic.function("f", "n ->", gradient="G")(x), x)),
        lambda: str(ic.grad(ic.function("f", "n ->")(x), x)),
    ),
    ("function", "derivative"): (
        lambda: str(ic.grad(ic.function("f", "n ->", derivative=lambda v: 2 * v)(x), x)),
        lambda: str(ic.grad(ic.function("f", "n ->")(x), x)),
    ),
    ("function", "latex"): (
        lambda: ic.function("f", "n ->", latex="Q")(x).latex(),
        lambda: ic.function("f", "n ->")(x).latex(),
    ),
    ("function", "domain"): (lambda: ic.function("f", "->", domain="x > 0"), lambda: ic.function("f", "->")),
    **{
        ("function", word): (
            lambda word=word: _refused(ic.function, "f", "->", **{word: 3}),
            lambda: ic.function("f", "->"),
        )
        for word in ("numpy", "jax", "torch")
    },
    ("function", "symmetric"): (
        lambda: str((ic.function("f", "n -> n n", symmetric=True)(x).T).simplify()),
        lambda: str((ic.function("f", "n -> n n")(x).T).simplify()),
    ),
    ("vec", "order"): (lambda: ic.vec(T, order="C"), lambda: ic.vec(T)),
    ("unvec", "order"): (
        lambda: ic.unvec(ic.vec(T), "n", "m", order="C"),
        lambda: ic.unvec(ic.vec(T), "n", "m"),
    ),
    ("tril", "k"): (lambda: ic.tril(T, k=1), lambda: ic.tril(T)),
    ("triu", "k"): (lambda: ic.triu(T, k=1), lambda: ic.triu(T)),
    ("voigt", "n"): (lambda: ic.voigt("stress", n=2).shape, lambda: ic.voigt("stress").shape),
    ("derivative", "order"): (lambda: ic.derivative(x * x, x, order=2), lambda: ic.derivative(x * x, x)),
    ("hessian", "v"): (lambda: ic.hessian(Q, A, v=S), lambda: ic.hessian(Q, A)),
    **{
        (name, "structure"): (partial(f, structure="free"), f)
        for name, f in {
            "derivative": partial(ic.derivative, Q, S),
            "grad": partial(ic.grad, Q, S),
            "hessian": partial(ic.hessian, Q, S),
            "vjp": partial(ic.vjp, A @ S, S, A.T),
            "hvp": partial(ic.hvp, Q, S, A),
            "differential": lambda **kw: (A @ ic.differential(S.T, [S], **kw)) - ic.differential(A @ S, [S], **kw),
            "diff": partial(ic.diff, Q, S[i, a]),
            "explain": lambda **kw: str(ic.explain(Q, S, **kw)),
            "verify": lambda **kw: bool(ic.verify(ic.grad(Q, S), of=Q, wrt=S, **kw)),
        }.items()
    },
    ("explain", "style"): (lambda: str(ic.explain(x @ x, x, style="differential")), lambda: str(ic.explain(x @ x, x))),
    ("verify", "of"): (lambda: bool(ic.verify(L, of=x.sum(), wrt=x)), lambda: bool(ic.verify(L))),
    ("verify", "wrt"): (
        lambda: bool(ic.verify(L, of=x @ x + T.sum(), wrt=x)),
        lambda: _refused(ic.verify, L, of=x @ x),
    ),
    ("verify", "seed"): (lambda: str(ic.verify(L, seed=1)), lambda: str(ic.verify(L))),
    ("verify", "progress"): (lambda: _heard(ic.verify, L), list),
    ("check", "progress"): (lambda: _heard(ic.check, "2*x", L), list),
    ("compile", "progress"): (lambda: _heard(ic.compile, A @ x, (A, x), sizes={"n": 17}), list),
    ("check", "vectors"): (lambda: str(ic.check("2*x", L, vectors="row")), lambda: str(ic.check("2*x", L))),
    ("check", "layout"): (lambda: ic.check("2*x", L, layout="gradient").layouts, lambda: ic.check("2*x", L).layouts),
    ("check", "at"): (
        lambda: ic.check(np.array([2.0, 4.0]), L, at={"x": POINT}).verdict,
        lambda: _refused(ic.check, np.array([2.0, 4.0]), L),
    ),
    ("from_sympy", "batch"): (
        lambda: ic.from_sympy(Z[Symbol("i")] ** 2, batch="i").indices[0].batch,
        lambda: ic.from_sympy(Z[Symbol("i")] ** 2).indices[0].batch,
    ),
    ("parse", "dims"): (lambda: ic.parse("δ_ij", dims={"i": 3}).shape, lambda: ic.parse("δ_ij").shape),
    ("parse", "batch"): (lambda: ic.parse("x_i*x_i", x="n", batch="i").free, lambda: ic.parse("x_i*x_i", x="n").free),
    ("parse", "guess"): (lambda: ic.parse("x'x", guess=True), lambda: _refused(ic.parse, "x'x")),
    ("check", "syntax"): (
        lambda: ic.check("A*x + A'*x", ic.grad(x @ A @ x, x), syntax="matlab").faults,
        lambda: ic.check("A*x + A'*x", ic.grad(x @ A @ x, x)).faults,
    ),
    ("parse", "syntax"): (
        lambda: ic.parse("A*A", syntax="matlab", A="n n"),
        lambda: ic.parse("A*A", A="n n"),
    ),
    ("parse", "vectors"): (lambda: ic.parse("x", x="n", vectors="column").shape, lambda: ic.parse("x", x="n").shape),
    ("compressed", "memory_limit"): (
        lambda: _refused(ic.compressed, A @ A @ A, A=np.eye(9), memory_limit=8),
        lambda: ic.compressed(A @ A @ A, A=np.eye(9)).shape,
    ),
    ("preflight", "memory_limit"): (
        lambda: ic.preflight(A @ A, n=9, memory_limit=8).fits,
        lambda: ic.preflight(A @ A, n=9).fits,
    ),
    ("preflight", "dtype"): (lambda: ic.preflight(x, n=9, dtype="float32").bytes, lambda: ic.preflight(x, n=9).bytes),
    ("to_source", "target"): (lambda: _source(target="torch"), _source),
    ("to_source", "name"): (lambda: _source(name="f"), _source),
    ("to_source", "sizes"): (
        lambda: ic.to_source(T @ (T.T @ T), (T,), sizes={"n": 1, "m": 99}),
        lambda: ic.to_source(T @ (T.T @ T), (T,), sizes={"n": 99, "m": 1}),
    ),
    ("to_source", "optimize"): (
        lambda: ic.to_source(CHAIN, (A, x), optimize=[(1, 2), (0, 1)]),
        lambda: ic.to_source(CHAIN, (A, x)),
    ),
    ("to_source", "wrap"): (lambda: _source(target="jax", wrap="custom_vjp"), lambda: _source(target="jax")),
    ("to_source", "checks"): (lambda: _source(checks=False), _source),
    ("to_source", "reassociate"): (
        lambda: ic.to_source(A @ x + A @ (2 * x), (A, x), reassociate="safe"),
        lambda: ic.to_source(A @ x + A @ (2 * x), (A, x)),
    ),
    ("compile", "backend"): (
        lambda: type(ic.compile(x, (x,), backend="torch")(POINT)),
        lambda: type(ic.compile(x, (x,))(POINT)),
    ),
    ("compile", "sizes"): (
        lambda: ic.compile(x, (x,), sizes={"n": 3}).plan.flops,
        lambda: _refused(getattr, ic.compile(x, (x,)), "plan"),
    ),
    ("compile", "order"): (
        lambda: ic.compile(A.T + 0, (A,), order="C")(np.eye(3)).flags.c_contiguous,
        lambda: ic.compile(A.T, (A,))(np.eye(3)).flags.c_contiguous,
    ),
    ("compile", "optimize"): (
        lambda: ic.compile(CHAIN, (A, x), sizes={"n": 9}, optimize=[(1, 2), (0, 1)]).plan.flops,
        lambda: ic.compile(CHAIN, (A, x), sizes={"n": 9}).plan.flops,
    ),
    ("compile", "reassociate"): (
        lambda: ic.compile(A @ x + A @ (2 * x), (A, x), sizes={"n": 9}, reassociate="safe").plan.flops,
        lambda: ic.compile(A @ x + A @ (2 * x), (A, x), sizes={"n": 9}).plan.flops,
    ),
    ("compile", "memory_limit"): (
        lambda: _refused(ic.compile(A @ A, (A,), memory_limit=8), np.eye(9)),
        lambda: ic.compile(A @ A, (A,))(np.eye(9)).shape,
    ),
    ("compile", "mesh"): (lambda: _refused(ic.compile, x, (x,), mesh="m"), lambda: ic.compile(x, (x,)).names),
    ("compile", "shard"): (lambda: _refused(ic.compile, x, (x,), shard={"n": "d"}), lambda: ic.compile(x, (x,)).names),
}
"""Each keyword of each public function: a call with it, and one without it or with another value; they differ."""


def _heard(f: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
    """What is told of progress."""
    heard: list[Any] = []
    f(*args, **kwargs, progress=lambda *told: heard.append(told))
    return heard


def _refused(f: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(IndexCalcError) as error:
        f(*args, **kwargs)
    return type(error.value).__name__


def documented() -> list[tuple[str, str]]:
    """The keywords in the signatures of all public functions."""
    found = []
    for name in ic.__all__:
        f = getattr(ic, name)
        if inspect.isfunction(f):
            for word, one in inspect.signature(f).parameters.items():
                named = one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)
                if named and one.default is not one.empty:
                    found.append((name, word))
    return found


@pytest.mark.parametrize(("name", "word"), ROWS)
def test_each_keyword_matters(name: str, word: str) -> None:
    given, left_out = ROWS[name, word]
    first, second = given(), left_out()
    assert first != second or repr(first) != repr(second)


def test_each_documented_keyword_has_a_row() -> None:
    assert set(ROWS) | set(SAME) == set(documented())


@pytest.mark.parametrize(
    "name", [name for name in ic.__all__ if name in later.PUBLIC or inspect.isfunction(vars(ic)[name])]
)
def test_another_keyword_is_refused(name: str) -> None:
    """`axsi={}` is a slip of the keys, not something to pass over."""
    f = getattr(ic, name)
    args = {
        "tensor": ("A", "n"), "scalar": ("s",), "column": ("c", "n"), "row": ("r", "n"), "index": ("i",),
        "indices": ("i",), "delta": (i, a), "epsilon": (i, a), "function": ("f", "n ->"), "define": ("p", x),
        "einsum": ("i->i", x), "where": (A < 1, A, A), "diff": (Q, S[i, a]), "derivative": (x, x), "grad": (x @ x, x),
        "hessian": (x @ x, x), "jvp": (x, x, x), "vjp": (x, x, x), "hvp": (x @ x, x, x), "differential": (x, [x]),
        "from_sympy": (Symbol("s"),), "minimize_args": (x @ x, x), "rearrange": (A, "a b -> b a"),
        "reduce": (A, "a b -> a", "sum"), "repeat": (A, "a b -> a b 2"), "verify": (L,),
        "check": ("2*x", L), "explain": (x @ x, x), "parse": ("x",), "to_source": (x, (x,)),
        "compile": (x, (x,)), "compressed": (x,), "preflight": (x,), "normp": (x, 3), "matrix_power": (A, 2),
        "polygamma": (1, x), "unvec": (ic.vec(A), "n", "n"), "voigt": ("stress",), "unit": (0, 3), "eye": ("n",),
        "commutation": (2, 2), "duplication": (2,), "elimination": (2,), "outer": (x, x), "kron": (x, x),
        "cross": (X[0], X[0]), "khatri_rao": (A, A), "unfold": (A, 0), "solve": (A, x), "hadamard": (x, x),
        "ones": (3,), "zeros": (3,),
        "range": (3,), "convolve": (x, x), "correlate": (x, x),
    }.get(name)  # fmt: skip
    if args is None:
        args = (A,)
    with pytest.raises(IndexCalcError, match="axsi") as error:
        f(*args, axsi={})
    takes_any = any(one.kind is one.VAR_KEYWORD for one in inspect.signature(f).parameters.values())
    assert takes_any or name in error.value.instead


# ------------------------------------------------------------------ methods

D = (x[i] * A[i, a]).diff(A[ic.index("k"), ic.index("c")])
H = ic.hessian((x @ x) ** 2, x)
HELD = H.compressed(x=POINT)
LARGE = ic.hessian(x @ A @ x, x).compressed(A=np.eye(3), memory_limit=100)
LONG = ic.explain(ic.tanh(A @ ic.tanh(A @ ic.tanh(A @ x))).sum(), A)
ARRAY = {"evaluate": {"A": np.eye(9)}, "compressed": {"A": np.eye(9)}}
METHODS: dict[tuple[str, str], tuple[Callable[[], Any], Callable[[], Any]]] = {
    **{("Array", f"{name} axis"): (partial(getattr(T, name), axis=0), getattr(T, name)) for name in (
        "sum", "mean", "max", "min", "prod")},
    **{("Array", f"{name} keepdims"): (partial(getattr(T, name), keepdims=True), getattr(T, name)) for name in (
        "sum", "mean", "max", "min", "prod")},
    ("Array", "matrix order"): (
        lambda: ic.tensor("Z", "a b c").matrix(rows=(0, 1), cols=(2,), order="C"),
        lambda: ic.tensor("Z", "a b c").matrix(rows=(0, 1), cols=(2,), order="F"),
    ),
    ("Expr", "matrix order"): (
        lambda: (T[i, a] * x[ic.index("k")]).matrix(rows=(i, a), cols=(ic.index("k"),), order="C"),
        lambda: (T[i, a] * x[ic.index("k")]).matrix(rows=(i, a), cols=(ic.index("k"),), order="F"),
    ),
    ("Array", "diff structure"): (lambda: Q.diff(S[i, a], structure="free"), lambda: Q.diff(S[i, a])),
    ("Expr", "diff structure"): (
        lambda: (A[i, a] * S[i, a]).diff(S[i, a], structure="independent"),
        lambda: (A[i, a] * S[i, a]).diff(S[i, a]),
    ),
    ("Array", "formula define"): (
        lambda: ic.vjp(ic.softmax(T @ T.T, axis=1), T, A).formula(define=True),
        lambda: ic.vjp(ic.softmax(T @ T.T, axis=1), T, A).formula(),
    ),
    ("Derivative", "latex lhs"): (lambda: D.latex(lhs=True), D.latex),
    ("Array", "latex lhs"): (lambda: A.latex(lhs="Y"), A.latex),
    ("Expr", "latex lhs"): (lambda: x[i].latex(lhs="y"), x[i].latex),
    ("Layout", "latex lhs"): (lambda: H.layout("jax").latex(lhs="Y"), H.layout("jax").latex),
    **{(title, "latex environment"): (partial(e.latex, environment="align"), e.latex) for title, e in (
        ("Array", A), ("Expr", x[i]), ("Explanation", ic.explain(x @ x, x)), ("Layouts", L.layouts()))},
    ("ArrayDerivative", "latex lhs"): (lambda: H.latex(lhs=True), H.latex),
    ("Array", "to_xarray dims"): (
        lambda: T.to_xarray(T=np.ones((2, 3)), dims=("a", "b")).dims, lambda: T.to_xarray(T=np.ones((2, 3))).dims),
    ("Expr", "to_xarray dims"): (
        lambda: x[i].to_xarray(x=POINT, dims=["b"]).dims, lambda: x[i].to_xarray(x=POINT).dims),
    ("Array", "evaluate order"): (
        lambda: T.evaluate(T=np.ones((2, 3)), order=(1, 0)).shape, lambda: T.evaluate(T=np.ones((2, 3))).shape),
    ("Expr", "evaluate order"): (
        lambda: T[i, a].evaluate(T=np.ones((2, 3)), order=(a, i)).shape,
        lambda: T[i, a].evaluate(T=np.ones((2, 3))).shape,
    ),
    **{(title, f"{name} memory_limit"): (
        lambda e=e, name=name: _refused(getattr(e, name), ARRAY[name], memory_limit="8 bytes"),
        lambda e=e, name=name: type(getattr(e, name)(ARRAY[name])),
    ) for title, e in (("Array", A @ A @ A), ("Expr", (A @ A @ A)[i, a])) for name in ("evaluate", "compressed")},
    ("Array", "wanted order"): (lambda: T.wanted((1, 0)).node, lambda: T.wanted().node),
    ("Expr", "wanted order"): (lambda: T[i, a].wanted((a, i)).node, lambda: T[i, a].wanted().node),
    ("Layout", "wanted order"): (lambda: H.layout("jax").wanted((1, 0)).units, lambda: D.layout("jax").wanted().node),
    ("Explanation", "text full"): (lambda: LONG.text(full=True), LONG.text),
    ("Compressed", "solver positive_definite"): (
        lambda: LARGE.solver(positive_definite=True).method,
        lambda: _refused(LARGE.solver),
    ),
    ("Compressed", "tosparse format"): (lambda: HELD.tosparse(format="coo").format, lambda: HELD.tosparse().format),
    ("View", "plot layout"): (lambda: str(D.plot(n=3, layout="magnus-neudecker")), lambda: str(D.plot(n=3))),
    ("Expr", "sum where"): (lambda: A[i, a].sum(i, a, where="i<a"), lambda: A[i, a].sum(i, a)),
}  # fmt: skip
"""Each keyword of each public method, as for functions."""
SAME_OF_METHODS = {
    ("Compressed", "solve positive_definite"): "it is that of `solver`",
}


@pytest.mark.parametrize(("title", "word"), METHODS)
def test_each_keyword_of_a_method_matters(title: str, word: str) -> None:
    given, left_out = METHODS[title, word]
    first, second = given(), left_out()
    assert first != second or repr(first) != repr(second)


@pytest.mark.parametrize(
    "thing",
    [A, x[i], D, H, H.layout("jax"), HELD, LONG, ic.compile(x, (x,)), H.layouts()],
    ids=lambda e: type(e).__name__,
)
def test_each_documented_keyword_of_a_method_has_a_row(thing: Any) -> None:
    known = {*METHODS, *SAME_OF_METHODS}
    kinds = [kind.__name__ for kind in type(thing).__mro__]
    for name in dir(thing):
        f = getattr(type(thing), name, None)
        if not name.startswith("_") and inspect.isfunction(f):
            for word, one in inspect.signature(f).parameters.items():
                if one.default is not one.empty and one.kind is not one.POSITIONAL_ONLY:
                    assert any((kind, f"{name} {word}") in known for kind in kinds), f"{kinds[0]}.{name}({word}=)"


@pytest.mark.parametrize("name", ["sum", "mean", "normF", "max", "min", "prod", "softmax", "norm1", "norm2"])
def test_axes_by_place_and_by_keyword_are_the_same(name: str) -> None:
    f = getattr(ic, name)
    assert f(T[i, a], axis=i) == f(T[i, a], i)
    assert f(T[i, a], axis=(i, a)) == f(T[i, a], i, a)
    assert f(T, axis=1) == f(T, 1) == f(T, axis=-1) == f(T, axis=np.int64(1))
    assert f(T, axis=[0, 1]) == f(T, axis=(0, 1))


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: ic.sum(T[i, a], axis=i, keepdims=True), "keepdims"),
        (lambda: ic.sum(T, 0, 1), "axis=(0, 1)"),
        (lambda: ic.sum(T[i, a], i, axis=a), "one of them"),
        (lambda: ic.sum(T, axis=()), "no axis"),
        (lambda: ic.sum(T, axis=(0, 0)), "twice"),
        (lambda: ic.sum(T, axis=True), "no integer"),
        (lambda: ic.sum(T, axis="0"), "no integer"),
        (lambda: T.sum(i), "is a name"),
        (lambda: ic.ones("n", dim=3), "dim="),
        (lambda: ic.zeros("n", dim=3), "dim="),
        (lambda: ic.function("L", "n, m ->", gradient="G"), "2 arguments"),
        (lambda: ic.verify(L, structure="bogus"), "bogus"),
        (lambda: ic.verify(L, seed="a"), "seed"),
        (lambda: ic.jvp(x, x, x, structure="bogus"), "bogus"),
        (lambda: ic.check("2*x", L, z={}), "z"),
        (lambda: ic.tensor("ⅹ", "n"), "'x'"),
        (lambda: ic.scalar("ﬁ"), "'fi'"),
        (lambda: ic.parse("ⅹ", **{"ⅹ": "n"}), "'x'"),
        (lambda: ic.tensor("__debug__", "n"), "Python"),
        (lambda: ic.where(x != 0, x, 1), "ic.not_equal"),
        (lambda: ic.where(x == 0, x, 1), "ic.equal"),
        (lambda: ic.maximum(x[i] == 1, x[i]), "ic.equal"),
        (lambda: ic.relu(A != A.T), "ic.not_equal"),
        (lambda: ic.check(2 * x, L, z="n"), "no text"),
        (lambda: ic.check([2.0, 4.0], L, at={"x": POINT}, z="n"), "no text"),
    ],
)
def test_what_would_be_dropped_is_refused(call: Callable[[], Any], word: str) -> None:
    with pytest.raises(IndexCalcError) as error:
        call()
    assert word in str(error.value)


@pytest.mark.parametrize("name", ["self", "text", "values", "view", "formula", "D", "order", "memory_limit"])
def test_tensors_may_be_called_as_arguments_are(name: str) -> None:
    """By name and by tensor, in all that takes keywords: where a keyword is called so, the tensor comes first."""
    v = ic.tensor(name, "n")
    assert ic.parse(str(2 * v), **(2 * v).declarations) == 2 * v and ic.check(f"2*{name}", ic.grad(v @ v, v))
    for given in ({v: POINT}, {name: POINT}):
        np.testing.assert_array_equal((2 * v).evaluate(given), 2 * POINT)
        np.testing.assert_array_equal(ic.compressed(2 * v, given).todense(), 2 * POINT)
    np.testing.assert_array_equal((2 * v).evaluate(**{name: POINT}), 2 * POINT)
    np.testing.assert_array_equal((2 * v).compressed(**{name: POINT}).todense(), 2 * POINT)
    np.testing.assert_array_equal(ic.compressed(2 * v, **{name: POINT}).todense(), 2 * POINT)
    for backend in ("numpy", "jax", "torch", "dask"):
        np.testing.assert_array_equal(np.asarray(ic.compile(2 * v, (v,), backend=backend)(POINT)), 2 * POINT)
    space: dict[str, Any] = {}
    exec(ic.to_source(2 * v, (v,)), space)
    np.testing.assert_array_equal(space["program"](POINT), 2 * POINT)
    assert ic.parse(f"2*{name}", **{name: "n"}) == 2 * v and ic.check(f"2*{name} + 0*q", ic.grad(v @ v, v), q="n")


@pytest.mark.parametrize("name", ["order", "memory_limit", "dtype", "self", "values", "D"])
def test_dimensions_and_functions_may_be_called_as_arguments_are(name: str) -> None:
    e = ic.eye(name) @ ic.ones(name, "m")
    assert e.evaluate({name: 2, "m": 3}).shape == e.evaluate(**{name: 2, "m": 3}).shape == (2, 3)
    assert ic.preflight(e, {name: 2, "m": 3}).shape == (2, 3)
    if name not in ("dtype", "memory_limit"):
        assert ic.preflight(e, **{name: 2, "m": 3}).shape == (2, 3)
    f = ic.function(name, "n -> n")
    for call in ((lambda **named: f(x).evaluate({x: POINT}, **named)), partial(ic.compile(f(x), (x,)), POINT)):
        np.testing.assert_array_equal(call(**{name: np.square}), POINT**2)


@pytest.mark.parametrize("name", ["ⅹ", "ﬁ", "__debug__", "µ", "a-b", "1x", ""])
def test_names_that_are_not_their_own_are_refused_everywhere(name: str) -> None:
    """Python makes one of x and ⅹ (NFKC): a keyword of that name would never arrive."""
    for make in (
        ic.tensor, ic.scalar, ic.index, lambda one: ic.define(one, x), lambda one: ic.function(one, "->"),
        lambda one: ic.function("f", "n ->", gradient=one or " "), lambda one: ic.parse("x", x="n", batch=one or "1"),
        lambda one: ic.parse("x", **{one: "n"}), lambda one: ic.to_source(x, (x,), name=one),
    ):  # fmt: skip
        with pytest.raises(IndexCalcError):
            make(name)
