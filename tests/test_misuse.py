"""Misuse is told in the library's words: wrong kinds, shapes, names, counts of arguments, keywords that are not there.

The calls are generated: a good call of each public function and method, with each argument in turn replaced by each
value of a pool. What comes back is an IndexCalcError, or the value is one that the parameter takes.
"""

from __future__ import annotations

import inspect
import operator
import pickle
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import numpy as np
import pytest
from sympy import IndexedBase, Symbol

import indexcalc as ic
from indexcalc.errors import IndexCalcError
from indexcalc.functions.table import ELEMENTWISE, REDUCTIONS

i, j, k, c = ic.indices("i j k c")
x, s, v, A = ic.tensor("x", "n"), ic.scalar("s"), ic.tensor("v", 3), ic.tensor("A", "n n")
E, Y = x[i] * A[i, j], A @ x
u = ic.function("u", "n -> n")
ONE, TWO = np.ones(2), np.eye(2) + 0.5

POOL: dict[str, Any] = {
    "None": None, "3": 3, "-1": -1, "0": 0, "2.5": 2.5, "nan": float("nan"), "1j": 1j, "10**30": 10**30, "True": True,
    "'x'": "x", "''": "", "'a b'": "a b", "'1GB'": "1GB", "b'x'": b"x", "[]": [], "[1]": [1], "(0, 1)": (0, 1),
    "['n']": ["n"], "{}": {}, "{'n': 3}": {"n": 3}, "{1: 2}": {1: 2}, "set()": set(), "object": object(), "int": int,
    "f": lambda *args: 1, "...": ..., "ones": ONE, "eye": TWO, "[x]": [x], "i": i, "x": x, "x[i]": x[i], "A": A, "s": s,
    "n": x.shape[0], "u": u,
}  # fmt: skip
"""The values that stand in for a right one, by what the tests call them."""

NUMBERS = {"3", "-1", "0", "2.5", "1j", "10**30", "n"}
COUNTS = {"3", "0", "10**30"}
SIZES = {"3", "0", "10**30", "'x'", "n"}
SHAPES = SIZES | {"''", "'a b'", "[]", "[1]", "(0, 1)", "['n']"}
VIEWS = {"x", "x[i]", "A", "s"}
BYTES = {"None", "3", "0", "2.5", "10**30", "'1GB'"}
TAKES: dict[str, set[str]] = {
    "axis": {"None", "-1", "0", "[]", "[1]", "(0, 1)"}, "keepdims": {"True"}, "batch": {"True", "'x'", "''", "'a b'"},
    "lhs": {"True", "'x'"}, "environment": {"None"},
    "define": {"True"}, "full": {"True"}, "positive_definite": {"True"}, "latex": {"'x'", "''", "'a b'", "'1GB'"},
    "dim": {"None", *SIZES},
    "symmetric": {"True"}, "positive": {"True"}, "gradient": {"'x'", "''"}, "memory_limit": BYTES, "n": COUNTS,
    "seed": COUNTS, "order": {"None", "3"}, "sizes": {"None", "{}", "{'n': 3}"}, "optimize": {"None", "True", "f", "u"},
    "wrap": {"None"}, "checks": {"True"}, "progress": {"None", "f", "u"},
    "mesh": {"None"}, "shard": {"None"}, "vectors": {"None"}, "layout": {"None"}, "of": {"s"},
    "wrt": {"x", "[x]"}, "structure": {"''"}, "k": {"3", "-1", "0", "10**30"},
    "rows": {"0"}, "cols": {"[]"}, "name": {"'x'"}, "dims": {"None", "{}", "{'n': 3}", "['n']"}, "y": {
        *NUMBERS, *SHAPES, *VIEWS, "u"} - {"n"}, "x": {"[]", "[1]", "(0, 1)", "ones", "x", "x[i]", "['n']", "'x'"},
    "A": {"eye"}, "c": SIZES, "where": {"''"},
    "start": {"-1", *SIZES}, "axes": {"None", "0", "-1", "[]"}, "boundary": {"''"},
    "stride": {"3", "10**30", "[1]"}, "dilation": {"3", "10**30", "[1]"},
    "ddof": {"3", "-1", "0", "10**30"}, "correction": {"None", "3", "-1", "0", "10**30"},
}  # fmt: skip
"""What a parameter takes of the pool, by its keyword, wherever it stands."""


class Call(NamedTuple):
    """A good call, and what its arguments by place take of the pool."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    named: dict[str, Any] = {}  # noqa: RUF012  (never written to)
    takes: tuple[set[str], ...] = ()
    arity: bool = True

    def taken(self, place: int | str) -> set[str]:
        """What an argument may be of the pool."""
        if isinstance(place, str):
            return TAKES.get(place, set())
        return self.takes[min(place, len(self.takes) - 1)] if self.takes else set()


def by(function: Callable[..., Any], *args: Any, takes: Any = (), arity: bool = True, **named: Any) -> Call:
    return Call(function, args, named, (takes,) if isinstance(takes, set) else tuple(takes), arity)


def _table_rows() -> Iterator[tuple[str, Call]]:
    """The calls of the functions that are rows of the table."""
    for name, f in ic.FUNCTIONS.items():
        if name in ELEMENTWISE:
            row = ELEMENTWISE[name]
            kinds = [{"3", "0", "10**30"}] * len(row.params) + [NUMBERS | VIEWS]
            yield f"ic.{name}", by(f, *[1] * len(row.params), *[x] * row.arity, takes=kinds)
        elif name == "normp":
            yield "ic.normp", by(f, A, 3, takes=[{"x", "A"}, {"3", "2.5", "10**30"}], axis=0, keepdims=False)
        elif (name in REDUCTIONS and REDUCTIONS[name].public) or name in ("sum", "mean", "normF"):
            flag = {"keepdims": False} if "keepdims" in inspect.signature(f).parameters else {}
            double = name in ("norm_nuc", "polar")
            yield f"ic.{name}", by(f, A, takes={"x", "A"}, axis=(0, 1) if double else 0, **flag)
            yield f"ic.{name} by place", by(f, A[i, j], *(i, j)[: 1 + double], takes=[{"x[i]", "x", "A"}, {"i"}])


LISTS = {"[]", "[1]", "(0, 1)"}
VECTORS, MATRIX, BY = [{"x", "A"}], [{"A"}], {"'x'", "x", "A", "s"}
CALLS: dict[str, Call] = {
    **dict(_table_rows()),
    **{f"ic.{name}": by(getattr(ic, name), A, takes=MATRIX) for name in (
        "cholesky", "eigvalsh", "svdvals", "expm", "logm", "sqrtm", "sinm", "cosm", "eigh", "svd", "inv", "pinv", "det",
        "logdet", "adj", "cofactor", "tr", "diag", "vech", "sym")},
    "ic.sqrt": by(ic.sqrt, x, takes=[NUMBERS | VIEWS]),
    **{f"ic.{name}": by(getattr(ic, name), x, takes=[NUMBERS | VIEWS]) for name in ("hard_tanh", "selu")},
    **{f"ic.{name}": by(getattr(ic, name), x, 2, takes=[NUMBERS | VIEWS, (NUMBERS | VIEWS) - {"x[i]"}])
       for name in ("elu", "leaky_relu")},
    "ic.clip": by(ic.clip, s, 1, 3, takes=[NUMBERS | VIEWS, NUMBERS | VIEWS | {"None"}]),
    **{f"ic.{name}": by(getattr(ic, name), A, axis=0, ddof=0, correction=None, keepdims=False, takes={"x", "A"})
       for name in ("var", "std")},
    **{f"ic.{name} by place": by(getattr(ic, name), A[i, j], i, takes=[{"x[i]", "x", "A"}, {"i"}])
       for name in ("var", "std")},
    "ic.quantile": by(ic.quantile, A, 0.5, takes=[{"x", "A"}, {"0"}], axis=0, keepdims=False),
    "ic.quantile by place": by(ic.quantile, A[i, j], 0.5, i, takes=[{"x[i]", "x", "A"}, {"0"}, {"i"}]),
    "ic.take": by(ic.take, A, [0, 2], takes=[{"x", "A"}, {"3", "-1", "0", "10**30", *LISTS}], axis=0),
    "ic.take_along_axis": by(ic.take_along_axis, x, [0, 2], takes=[{"x"}, LISTS], axis=0),
    "ic.one_hot": by(ic.one_hot, [0, 2], "n", takes=[{"3", "-1", "0", "10**30", *LISTS}, {*SIZES} - {"0"}]),
    "ic.cov": by(ic.cov, A, x, ddof=0, correction=None, takes=[{"x", "A"}, {"x", "A", "None"}]),
    **{f"ic.{name}": by(getattr(ic, name), [A, A], 0, takes=[{"[x]", "[1]", "(0, 1)"}, {"None", "-1", "0"}])
       for name in ("concatenate", "stack")},
    "ic.block": by(ic.block, [[A, A]], takes={"[x]", "[1]"}),
    "ic.tile": by(ic.tile, A, 2, takes=[{*VIEWS, *NUMBERS} - {"x[i]"},
                                        {"3", "0", "10**30", "[]", "[1]", "(0, 1)", "n"}]),
    "ic.roll": by(ic.roll, A, 1, 0, takes=[{"x", "A"}, {"3", "-1", "0", "10**30", "n", "[1]", "(0, 1)"},
                                           {"None", "-1", "0", "[1]", "(0, 1)"}]),
    "ic.split": by(ic.split, A, [1], 0, takes=[{"x", "A"}, {"[1]", "(0, 1)", "[]"}, {"-1", "0"}]),
    **{f"ic.{name}": by(getattr(ic, name), A, axis=0, takes={"x", "A", "s"}) for name in ("cumsum", "cumprod")},
    "ic.solve": by(ic.solve, A, x, takes=[{"A"}, {"x", "A"}]),
    "ic.matrix_power": by(ic.matrix_power, A, 2, takes=[{"A"}, {"3", "-1", "0", "10**30", "'x'", "n"}]),
    "ic.triu": by(ic.triu, A, takes=MATRIX, k=1),
    "ic.tril": by(ic.tril, A, takes=MATRIX, k=1),
    "ic.vec": by(ic.vec, A, "F", takes=[{"x", "A"}, set()]),
    "ic.unvec": by(ic.unvec, ic.vec(A), "n", "n", takes=[set(), {"n"}, {"n"}]),
    "ic.diagm": by(ic.diagm, x, takes=VECTORS),
    "ic.kron": by(ic.kron, A, A, takes=VECTORS),
    "ic.outer": by(ic.outer, x, x, takes=VECTORS),
    "ic.khatri_rao": by(ic.khatri_rao, A, A, takes=MATRIX),
    "ic.unfold": by(ic.unfold, A, 0, takes=[{"A"}, {"-1", "0"}]),
    "ic.cross": by(ic.cross, v, v),
    "ic.commutation": by(ic.commutation, "n", "m", takes=SIZES),
    "ic.duplication": by(ic.duplication, "n", takes=SIZES),
    "ic.elimination": by(ic.elimination, "n", takes=SIZES),
    "ic.voigt": by(ic.voigt, "stress", 3, takes=[set(), {"3"}]),
    "ic.unit": by(ic.unit, 0, 1, "n", "n", takes=[COUNTS, COUNTS, SIZES - {"0"}]),
    "ic.index": by(ic.index, "i", takes=[{"'x'"}], batch=False),
    "ic.indices": by(ic.indices, "i j", takes=[{"'x'", "''", "'a b'"}], batch=False),
    "ic.tensor": by(ic.tensor, "T", "n", "n", takes=[{"'x'"}, SHAPES], symmetric=False, skew=False, latex="",
                    positive=True, arity=False),
    "ic.scalar": by(ic.scalar, "t", takes=[{"'x'"}], latex="", positive=True, arity=False),
    "ic.column": by(ic.column, "t", "n", takes=[{"'x'"}, SIZES | {"[1]", "['n']"}], latex="", positive=True,
                    arity=False),
    "ic.row": by(ic.row, "t", "n", takes=[{"'x'"}, SIZES | {"[1]", "['n']"}], latex="", positive=True, arity=False),
    "ic.delta": by(ic.delta, i, j, takes={"i"}, dim=3),
    "ic.epsilon": by(ic.epsilon, i, j, k, takes={"i"}),
    "ic.ones": by(ic.ones, "n", 3, takes=SHAPES),
    "ic.ones along indices": by(ic.ones, i, takes={"i"}, dim=3),
    "ic.zeros": by(ic.zeros, "n", 3, takes=SHAPES),
    "ic.zeros along indices": by(ic.zeros, i, takes={"i"}, dim=3),
    "ic.eye": by(ic.eye, "n", takes=SIZES | {"[1]", "['n']"}),
    "ic.define": by(ic.define, "Y", Y, takes=[{"'x'"}, VIEWS]),
    "ic.function": by(ic.function, "h", "n -> m", takes=[{"'x'"}, set()], gradient=""),
    "ic.einsum": by(ic.einsum, "ij,j->i", A, x, takes=[set(), {"A"}, {"x", "x[i]"}]),
    "ic.hadamard": by(ic.hadamard, x, x, takes=[(NUMBERS | VIEWS) - {"x[i]"}]),
    "ic.diff": by(ic.diff, E, A[k, c], takes=[{"x[i]", "s"}], structure="free"),
    "ic.derivative": by(ic.derivative, Y, x, takes=[{"x", "A", "s"}, BY], order=1, structure="free"),
    "ic.grad": by(ic.grad, x @ x, x, takes=[{"s"}, BY | {"[]", "[x]"}], structure="free"),
    "ic.hessian": by(ic.hessian, x @ x, x, x, takes=[{"s"}, BY, BY | {"None"}], structure="free"),
    "ic.jvp": by(ic.jvp, Y, x, x, takes=[{"x", "A", "s", "[]", "[x]"}, {"'x'", "x", "[x]"}, {"x"}], structure="free"),
    "ic.vjp": by(ic.vjp, Y, x, x, takes=[{"x", "[x]"}, BY | {"[]", "[x]"}, {"x"}], structure="free"),
    "ic.hvp": by(ic.hvp, x @ x, x, x, takes=[{"s"}, {"'x'", "x", "[x]"}, {"x"}], structure="free"),
    "ic.differential": by(ic.differential, x @ x, [x], takes=[{"[]", "[x]", *VIEWS}, BY | {"[]", "[x]"}],
                          structure="free"),
    "ic.simplify": by(ic.simplify, x, takes=VIEWS),
    "ic.expand": by(ic.expand, x, takes=VIEWS),
    "ic.parse": by(ic.parse, "x_i", takes={"'x'"}, dims={"i": "n"}, batch="", vectors="numpy", x="n", arity=False),
    "ic.check": by(ic.check, "2*x", ic.grad(x @ x, x), takes=[{"'x'"}], vectors="numpy", layout="gradient", y="n",
                   progress=None, arity=False),
    "ic.from_sympy": by(ic.from_sympy, IndexedBase("q", shape=(3,))[Symbol("i")], batch="i"),
    "ic.range": by(ic.range, 3, "t", takes=[SIZES, {"'x'", "''"}], start=0, boundary="zero"),
    "ic.convolve": by(ic.convolve, v, x, "full", takes=[{"x", "A"}, {"x"}, set()], axes=0, boundary="zero", stride=1,
                      dilation=1),
    "ic.correlate": by(ic.correlate, v, v, "same", takes=[{"x", "A"}, set(), set()], axes=0, boundary="reflect",
                       stride=1, dilation=1),
    "ic.rearrange": by(ic.rearrange, A, "a b -> (b a)", takes=[{"A"}, set()], arity=False),
    "ic.reduce": by(ic.reduce, A, "a b -> a", "sum", takes=[{"A"}, set(), set()], arity=False),
    "ic.repeat": by(ic.repeat, A, "a b -> a b c", c=2, takes=[{"A"}, set()], arity=False),
    "ic.minimize_args": by(ic.minimize_args, x @ x, [x], {"x": ONE}, takes=[{"s"}, {"'x'", "x", "[x]"}, {"{'n': 3}"}],
                           arity=False),
    "ic.minimize_args by name": by(ic.minimize_args, x @ x, [x], takes=[{"s"}, {"'x'", "x", "[x]"}], n=3, arity=False),
    "ic.explain": by(ic.explain, x @ x, x, takes=[{"x", "A", "s"}, BY], style="index", structure="free"),
    "ic.verify": by(ic.verify, ic.grad(x @ x, x), of=x @ x, wrt=x, structure="projected", seed=0, progress=None,
                    takes={"x", "x[i]"}),
    "ic.preflight": by(ic.preflight, Y, {"n": 3}, takes=[VIEWS - {"s"} | {"[x]"}, {"{'n': 3}"}], dtype="float64",
                       memory_limit=9, arity=False),
    "ic.preflight by name": by(ic.preflight, Y, takes=[VIEWS - {"s"} | {"[x]"}], n=3, arity=False),
    "ic.compressed": by(ic.compressed, 2 * x, {"x": ONE}, takes=[{"x", "x[i]", "[x]"}, set()], memory_limit=10**9,
                        arity=False),
    "ic.to_source": by(ic.to_source, Y, (A, x), target="numpy", name="prog", sizes={"n": 3}, optimize=None,
                       reassociate="full", wrap=None, checks=True),
    "ic.compile": by(ic.compile, Y, (A, x), backend="numpy", sizes={"n": 3}, order=None, optimize=None,
                     reassociate="full", memory_limit=None, mesh=None, shard=None, progress=None),
    "ic.free_workspace": by(ic.free_workspace),
    "ic.show_progress": by(ic.show_progress, 1, 2, "points", takes=[
        COUNTS | {"-1"}, COUNTS | {"-1", "None"}, {"'x'", "''", "'a b'", "'1GB'"}]),
}  # fmt: skip
"""A good call of each public function."""


def _views() -> Iterator[tuple[str, Any, dict[str, Call]]]:
    """A good call of each method of the two views and of derivatives."""
    numbers = {"x": ONE, "A": TWO}
    for title, e, axes, own in (("Expr", E, (j,), {"x[i]", "s"}), ("Array", Y, (0,), {"x", "A", "s"})):
        scalar = e if title == "Expr" else s * s
        yield title, e, {
            "evaluate": by(e.evaluate, numbers, arity=False, order=axes, memory_limit="1GB"),
            "evaluate by name": by(e.evaluate, arity=False, x=ONE, A=TWO),
            "compressed": by(e.compressed, numbers, arity=False, memory_limit="1GB"),
            "substitute": by(e.substitute, {A: A}, takes={"{}"}),
            "equals": by(e.equals, e, takes=own | NUMBERS),
            "wanted": by(e.wanted, axes, takes={"None"}),
            "diagram": by(e.diagram),
            "plot": by(e.plot, {"n": 3}, layout=None, takes={"{'n': 3}"}, arity=False),
            "plot by name": by(e.plot, arity=False, n=3),
            "latex": by(e.latex, lhs=False, environment=None),
            "to_sympy": by(e.to_sympy),
            "to_xarray": by(e.to_xarray, numbers, arity=False, dims=["i"]),
            "to_xarray by name": by(e.to_xarray, arity=False, x=ONE, A=TWO),
            "matrix": by(e.matrix, rows=axes, cols=(), order="F"),
            "diff": by(scalar.diff, A[k, c] if title == "Expr" else s, structure="free", takes={"x[i]", "s"}),
            **{name: by(getattr(e, name)) for name in (
                "simplify", "expand", "expand_definitions", "unicode", "sides")},
        }  # fmt: skip
    yield (
        "Expr",
        E,
        {
            **{name: by(getattr(E, name), j, takes={"j"}) for name in ("mean", "array", "dim")},
            "sum": by(A[i, j].sum, i, j, takes={"i"}, where="i<j"),
            **{name: by(getattr(E, name), j, arity=False) for name in ("max", "min", "prod")},
            "rename": by(E.rename, {j: k}, takes={"{}"}),
        },
    )
    yield (
        "Array",
        Y,
        {
            **{name: by(getattr(Y, name), axis=0, keepdims=False) for name in ("sum", "mean", "max", "min", "prod")},
            "formula": by(Y.formula, define=False),
            "stood": by(Y.stood),
        },
    )
    for D in (E.diff(A[k, c]), ic.hessian((x @ x) ** 2, x)):
        layouts = {
            "layout": by(D.layout, "jax"),
            "layouts": by(D.layouts),
            "latex": by(D.latex, lhs=True, environment="align"),
        }
        yield type(D).__name__, D, layouts | {"sides": by(D.sides)}


def _objects() -> Iterator[tuple[str, Any, dict[str, Call]]]:
    """A good call of each method of what the library gives beside expressions."""
    D, H = E.diff(A[k, c]), ic.hessian((x @ x) ** 2, x)
    f, C, explained = ic.compile(Y, (A, x)), H.compressed(x=ONE), ic.explain(x @ x, x)
    blocks, panel, flat = ic.compressed([[H, H], [H, H]], x=ONE), D.layouts(), {"ones", "(0, 1)"}
    f(TWO, ONE)
    yield (
        "AbstractFunction",
        u,
        {
            "derivative": by(u.derivative, (1,), x, takes=[{"[1]"}, {"x", "x[i]", "A"}]),
            "__call__": by(u, x, takes={"x", "x[i]", "A"}),
        },
    )
    yield (
        "Compiled",
        f,
        {
            "__call__": by(f, TWO, ONE, takes=[{"eye"}, flat], arity=False),
            "plan_for": by(f.plan_for, {"n": 3}, takes={"{}", "{'n': 3}"}),
        },
    )
    for title, held, vector in (("Compressed", C, ONE), ("Blocks", blocks, np.ones(4))):
        own = flat if title == "Compressed" else set()
        yield title, held, {
            **{name: by(getattr(held, name)) for name in (
                "todense", "diagonal", "trace", "logdet", "structure", "as_linear_operator")},
            **{name: by(getattr(held, name), vector, takes=own) for name in ("matvec", "rmatvec")},
            "tosparse": by(held.tosparse, format="csr"),
            "solve": by(held.solve, vector, takes=own) if title == "Compressed" else Call(held.solve, arity=False),
            "solver": by(held.solver, positive_definite=False) if title == "Compressed" else Call(held.solver),
        }  # fmt: skip
    yield "Compressed", C, {"matmat": by(C.matmat, TWO, takes={"eye"})}
    problem = ic.minimize_args(x @ x, x, x=ONE)
    yield "Problem", problem, {
        "fun": by(problem.fun, ONE, takes=[flat]), "hessp": by(problem.hessp, ONE, ONE, takes=[flat, flat]),
        "unpack": by(problem.unpack, ONE, takes=[flat]), "keys": by(problem.keys),
    }  # fmt: skip
    yield (
        "Layouts",
        panel,
        {
            "table": by(panel.table),
            "latex": by(panel.latex, environment="align"),
            "__getitem__": by(panel.__getitem__, "jax", arity=False),
        },
    )
    texts = {"text": by(explained.text, full=True), "latex": by(explained.latex, environment="align")}
    yield "Explanation", explained, texts | {"diagrams": by(explained.diagrams)}
    yield "Plan", f.plan, {"plot": by(f.plan.plot)}
    strip, path = explained.diagrams(), Path(mkdtemp()) / "picture.svg"
    yield "Picture", Y.diagram(), {"save": by(Y.diagram().save, path)}
    yield (
        "Strip",
        strip,
        {"save": by(strip.save, path), "__getitem__": by(strip.__getitem__, 0, takes={"0", "3", "-1"}, arity=False)},
    )


@cache
def methods() -> dict[str, Call]:
    """A good call of each public method, bound to an object."""
    made = [*_views(), *_objects()]
    return {f"{title}.{name}": call for title, _, rows in made for name, call in rows.items()}


def _operators() -> Iterator[tuple[str, Call]]:
    """The operators of the two views, from both sides."""
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "lt", "le", "gt", "ge"):
        f = getattr(operator, name)
        for title, e in {"x": x, "A": A, "s": s, "x[i]": x[i], "A[i,j]": A[i, j]}.items():
            takes = NUMBERS | VIEWS if name != "matmul" else {"x", "A"}
            yield f"{title} {name} _", by(lambda value, f=f, e=e: f(e, value), 3, takes=takes, arity=False)
            yield f"_ {name} {title}", by(lambda value, f=f, e=e: f(value, e), 3, takes=takes, arity=False)
    places = {"None", "3", "-1", "0", "10**30", "...", "i", "(0, 1)", "[]", "[1]", "n"}
    yield "x[_]", by(lambda value: x[value], 0, takes=places, arity=False)
    yield "A[_]", by(lambda value: A[value], 0, takes=places, arity=False)
    yield "x[i][_]", by(lambda value: x[i][value], 0, arity=False)


OPERATORS = dict(_operators())


def variants(call: Call) -> Iterator[tuple[str, int | str, tuple[Any, ...], dict[str, Any]]]:
    """The call with each argument in turn replaced by each value of the pool."""
    for word, value in POOL.items():
        for place in range(len(call.args)):
            yield word, place, (*call.args[:place], value, *call.args[place + 1 :]), call.named
        for name in call.named:
            yield word, name, call.args, {**call.named, name: value}


def misuses(call: Call) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The call with arguments missing, with too many, and with a keyword that it lacks."""
    needed = [
        one for one in inspect.signature(call.function).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]  # fmt: skip
    if needed:
        yield (), call.named
        yield call.args[: len(needed) - 1], {}
    yield (*call.args, *[object()] * 5), call.named
    yield call.args, {**call.named, "axsi": {}}


def answer(call: Call, args: tuple[Any, ...], named: dict[str, Any]) -> IndexCalcError | None:
    """The error of a call, or nothing where it gave a value; another error is a fault."""
    try:
        call.function(*args, **named)
    except IndexCalcError as error:
        return error if str(error) and error.found else None
    return None


def judged(call: Call) -> int:
    """How many misuses of a call were refused; one that was taken and should not be, or a raw error, is a fault."""
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for word, place, args, named in variants(call):
            error = answer(call, args, named)
            assert error is not None or word in call.taken(place), f"{place} may be {word}"
            count += error is not None
        if call.arity:
            for args, named in misuses(call):
                assert answer(call, args, named) is not None, f"{args} {named} are taken"
                count += 1
    return count


@pytest.mark.parametrize("name", CALLS)
def test_a_misused_function_says_so(name: str) -> None:
    call = CALLS[name]
    assert answer(call, call.args, call.named) is None
    assert judged(call)


def test_misused_methods_say_so() -> None:
    for name, call in methods().items():
        own = answer(call, call.args, call.named)
        assert own is None or name.startswith(("Blocks.sol", "Blocks.logdet")), f"{name}: {own}"
        judged(call)


@pytest.mark.parametrize("name", OPERATORS)
def test_misused_operators_say_so(name: str) -> None:
    assert judged(OPERATORS[name])


def test_each_public_function_has_a_call() -> None:
    functions = {f"ic.{name}" for name in ic.__all__ if inspect.isfunction(getattr(ic, name))}
    assert functions == {name.partition(" ")[0] for name in CALLS}


def test_each_public_method_has_a_call() -> None:
    for title, thing, _ in (*_views(), *_objects()):
        for name in dir(thing):
            if not name.startswith("_") and inspect.isroutine(getattr(type(thing), name, None)):
                owner = next(kind for kind in type(thing).__mro__ if name in vars(kind)).__name__
                known = [f"{kind}.{name}" for kind in (title, owner, "Array", "Expr")]
                assert any(one in methods() for one in known) or name in ("layout", "layouts"), f"{title}.{name}"


def test_each_property_gives_something() -> None:
    for _, thing, _ in (*_views(), *_objects()):
        for name in dir(thing):
            if not name.startswith("__") and isinstance(getattr(type(thing), name, None), property):
                answer(by(getattr, thing, name), (thing, name), {})


NESTED: dict[str, Callable[[Any], Any]] = {
    "[[H, _]] as a grid": lambda value: ic.compressed([[H, value]], x=ONE),
    "a grid of sizes": lambda value: ic.preflight([[H, value]], n=3),
    "grad by [x, _]": lambda value: ic.grad(x @ x, [x, value]),
    "jvp of [Y, _]": lambda value: ic.jvp([Y, value], [A, x], [A, x]),
    "jvp along [_, x]": lambda value: ic.jvp(Y, [A, x], [value, x]),
    "rename to": lambda value: x[i].rename({i: value}),
    "substitute": lambda value: Y.substitute({A: value}),
    "symmetric": lambda value: ic.tensor("T", "n n n n", symmetric=[value]),
    "skew": lambda value: ic.tensor("T", "n n n n", skew=[(0, value)]),
    "an assumption": lambda value: ic.tensor("T", "n n", bogus=value),
    "order by number": lambda value: A.evaluate(A=TWO, order=(0, value)),
    "order by index": lambda value: A[i, j].evaluate(A=TWO, order=(i, value)),
    "A[0, _]": lambda value: A[0, value],
    "A[i, _]": lambda value: A[i, value],
    "x[_:]": lambda value: x[value:],
    "x[::_]": lambda value: x[::value],
    "rows": lambda value: A.matrix(rows=(0, value), cols=(1,)),
    "sizes": lambda value: ic.compile(Y, (A, x), sizes={"n": value}),
    "inputs": lambda value: ic.compile(Y, (A, value)),
    "outputs": lambda value: ic.compile([Y, value], (A, x)),
    "dims": lambda value: ic.parse("x_i", x="n", dims={"i": value}),
    "a path": lambda value: ic.compile(A @ A @ A @ x, (A, x), sizes={"n": 3}, optimize=[(0, value)]),
    "at": lambda value: ic.check(ONE, ic.grad(x @ x, x), at={"x": value}),
    "two arguments": lambda value: ic.function("f", "n, n ->")(x, value),
    "shard": lambda value: ic.compile(Y, (A, x), backend="jax", mesh=object(), shard=value),
    "right-hand sides": lambda value: C.solver()(value),
    "blocks": lambda value: BLOCKS.matvec([value, value]),
    "a value": lambda value: u(x).evaluate(x=ONE, u=lambda _: value),
}
"""Misuse within a list, a table, a slice."""
H = ic.hessian((x @ x) ** 2, x)
C, BLOCKS = H.compressed(x=ONE), ic.compressed([[H, H], [H, H]], x=ONE)


@pytest.mark.parametrize("name", NESTED)
def test_misuse_within_a_list_or_a_table_says_so(name: str) -> None:
    refused = [answer(by(NESTED[name]), (value,), {}) for value in POOL.values()]
    assert sum(error is not None for error in refused) > len(POOL) / 2


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "dask"])
def test_misused_compiled_functions_say_so(backend: str) -> None:
    f, g = ic.compile(Y, (A, x), backend=backend), ic.compile(ic.tr(ic.eye("k")) * x, (x,), backend=backend)
    taken = {
        "first": {word for word, value in POOL.items() if answer(by(f), (value, ONE), {}) is None},
        "second": {word for word, value in POOL.items() if answer(by(f), (TWO, value), {}) is None},
        "size": {word for word, value in POOL.items() if answer(by(g), (ONE,), {"k": value}) is None},
        "unknown": {word for word, value in POOL.items() if answer(by(f), (TWO, ONE), {"axsi": value}) is None},
        "count": {word for word, value in POOL.items() if answer(by(f), (TWO, ONE, value), {}) is None},
    }
    assert taken == {"first": {"eye"}, "second": {"ones", "(0, 1)"}, "size": COUNTS, "unknown": set(), "count": set()}


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Y.evaluate({"x": ONE, "A": TWO}, order=0), "order=0 is no list or tuple of its axes"),
        (lambda: Y.evaluate({"x": ONE, "A": TWO}, memory_limit="a lot"), "memory_limit='a lot'"),
        (lambda: Y.evaluate({"x": ONE, "A": TWO}, memory_limit=-1), "memory_limit=-1"),
        (lambda: ic.preflight(Y, n=3, memory_limit="1 XB"), "memory_limit='1 XB'"),
        (lambda: ic.preflight(Y, n=3, dtype="foo"), "dtype 'foo'"),
        (lambda: ic.parse("x_i", x="n", batch=["n"]), "batch is a str"),
        (lambda: ic.parse("x_i", x="n", dims=3), "dims is a dict"),
        (lambda: ic.compile(Y, (A, x), optimize=3), "optimize=3"),
        (lambda: ic.compile(Y, (A, x), memory_limit=float("nan")), "memory_limit=nan"),
        (lambda: ic.index("n", batch="no"), "batch is True or False, not 'no' (str)"),
        (lambda: ic.Index("n", "no"), "batch is 'no'"),  # type: ignore[arg-type]
        (lambda: ic.tensor("T", "n", latex=3), "latex is a str, not 3 (int)"),
        (lambda: ic.grad(x @ x), "missing a required argument: 'W'"),
        (lambda: ic.grad(x @ x, x, x), "too many positional arguments"),
        (lambda: ic.grad(x @ x, x, struct="free"), "did you mean 'structure'?"),
        (lambda: A.sum(axsi=0), "did you mean 'axis'? It is sum(axis=None, keepdims=False)"),
        (lambda: ic.function("f", 3), "spec is a str"),
        (lambda: ic.polygamma(2.5, x), "there is no polygamma of k = 5/2"),
        (lambda: ic.normp(x, -1), "there is no normp of p = -1"),
        (lambda: x.substitute("x"), "table is a dict"),
        (lambda: (x > 0) and (x < 1), "choose by ic.where(c, x, y), join conditions as (a > 0)*(b > 0)"),
        (lambda: (x > 0) & (x < 1), "join conditions by a product"),
        (lambda: True | (x > 0), "join conditions by the larger"),
        (lambda: ~(x > 0), "write 1 - (x > 0)"),
        (lambda: x[i] ^ 2, "write x**2 for a power"),
        (lambda: abs(x[i]), "write ic.abs(...)"),
        (lambda: (x // 2, 2 // x), "(x) // (2)"),
        (lambda: 7 % x, "(x) % (7)"),
        (lambda: divmod(x, 2), "divmod(x, 2)"),
        (lambda: round(x, 2), "round(x)"),
        (lambda: int(s), "evaluate it"),
        (lambda: x.__setitem__(0, 1), "(x)[0] = 1"),
        (lambda: x[x > 0], "x > 0 is an Array, no index\n  instead: choose entries by ic.where(c, x, 0)"),
        (
            lambda: A[i, 1:],
            "(A)[i, 1:]: i is an index, beside keys that are none\n  instead: pick entries first, then "
            "name the axes that are left: A[:, 1:][i, j]",
        ),
        (lambda: A[0, i], "A[0, :][i]"),
        (lambda: x[::-2], "(x)[::-2]: how many entries"),
        (lambda: A[..., 1:, 2, 3], "(A)[..., 1:, 2, 3]: 3 keys for 2 axes"),
        (lambda: ic.softmax(A, dim=1), "did you mean 'axis'? It is softmax("),
        (lambda: ic.var(A, unbiased=True), "did you mean 'correction'?"),
        (lambda: A.sum(axis=1, keepdim=True), "did you mean 'keepdims'?"),
        (lambda: x[i].mean(), "(x[i]).mean(): over which index?\n  instead: write .mean(i)"),
        (lambda: ic.function("f", "n -> m -> n"), "there are two arrows"),
        (lambda: ic.function("f", "->", derivative=lambda x, y, z: x), "a rule of 3 arguments, and the function has 1"),
        (lambda: ic.parse("foo(x)", x="n"), "'foo' is not declared, and no function here"),
    ],
)
def test_what_is_said(call: Callable[[], Any], word: str) -> None:
    with pytest.raises(IndexCalcError) as error:
        call()
    assert word in str(error.value)


def test_memory_limits_are_bytes_or_text() -> None:
    e, given = A @ A, {"A": np.eye(9)}
    for enough in (648, 648.0, np.int64(648), "648", "0.648 kB", "1KiB", "1 MB", float("inf"), None):
        assert e.evaluate(given, memory_limit=enough).shape == (9, 9)
        assert ic.compile(e, (A,), memory_limit=enough)(np.eye(9)).shape == (9, 9)
        assert ic.preflight(e, n=9, memory_limit=enough).fits
        assert ic.compressed(A, given, memory_limit=enough).todense().shape == (9, 9)
    for less in (647, 647.9, "647", "0.647kb", "647 bytes"):
        assert not ic.preflight(e, n=9, memory_limit=less).fits
        for call in (
            lambda less=less: e.evaluate(given, memory_limit=less),
            lambda less=less: ic.compile(e, (A,), memory_limit=less)(np.eye(9)),
            lambda less=less: ic.compressed(A, given, memory_limit=less).todense(),
        ):
            with pytest.raises(ic.InputError, match="limit"):
                call()


def test_a_wrapped_function_is_what_it_was() -> None:
    """For editors, `help`, pickles, and those who read its signature."""
    assert str(inspect.signature(ic.grad)).startswith("(L: 'Any', W: 'Any', *, structure: ")
    assert str(inspect.signature(ic.exp)) == "(x, /)" and str(inspect.signature(ic.where)) == "(c, x, y, /)"
    assert ic.grad.__doc__ and ic.grad.__module__ == "indexcalc.views.derivatives.differentiate"
    assert pickle.loads(pickle.dumps(ic.grad)) is ic.grad
    for kind in (ic.Expr, ic.Array):
        wrapped = {name for name, f in vars(kind).items() if name.startswith("__") and hasattr(f, "__wrapped__")}
        assert "__add__" in wrapped and not wrapped & {"__eq__", "__hash__", "__init__"}


def test_there_are_many_misuses() -> None:
    calls = [*CALLS.values(), *methods().values(), *OPERATORS.values()]
    assert sum(1 for call in calls for _ in variants(call)) > 5000
