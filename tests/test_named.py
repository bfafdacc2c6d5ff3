"""A variable may be named wherever one is asked for, and is what was declared; an unknown name lists the variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import indexcalc as ic
from indexcalc import IndexCalcError, NotationError
from indexcalc.views.named import CALLED

i, j, k = ic.indices("i j k")
n = ic.index("n", batch=True)
X, w, y, s = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n"), ic.scalar("s")
A, a, v = ic.tensor("A", "d d"), ic.column("a", "d"), ic.tensor("v", "d")
L = s * ((X @ w - y) ** 2).sum()
Y = ic.define("Y", X @ A)


@pytest.mark.parametrize(
    ("named", "given"),
    [
        (lambda: ic.grad(L, "w"), lambda: ic.grad(L, w)),
        (lambda: ic.grad(L, ["w", y, "s"]), lambda: ic.grad(L, [w, y, s])),
        (lambda: ic.derivative(X @ w, "X"), lambda: ic.derivative(X @ w, X)),
        (lambda: ic.derivative(ic.exp(w), "w", 2), lambda: ic.derivative(ic.exp(w), w, 2)),
        (lambda: ic.hessian(L, "w"), lambda: ic.hessian(L, w)),
        (lambda: ic.hessian(L, "w", y), lambda: ic.hessian(L, w, y)),
        (lambda: ic.jvp(X @ w, "w", v), lambda: ic.jvp(X @ w, w, v)),
        (lambda: ic.jvp([X @ w, w], ["w"], [v]), lambda: ic.jvp([X @ w, w], [w], [v])),
        (lambda: ic.vjp(X @ w, "X", y), lambda: ic.vjp(X @ w, X, y)),
        (lambda: ic.hvp(L, "w", v), lambda: ic.hvp(L, w, v)),
        (lambda: ic.differential(L, ["w", "y"]), lambda: ic.differential(L, [w, y])),
        (lambda: ic.differential(L, "w"), lambda: ic.differential(L, w)),
        (lambda: ic.differential(X[i, j] * w[j], "w"), lambda: ic.differential(X[i, j] * w[j], w)),
        (lambda: ic.diff(X[i, j] * w[j], "X[k,j]"), lambda: ic.diff(X[i, j] * w[j], X[k, j])),
        (lambda: (X[i, j] * w[j]).diff("X[i, k]", "w[k]"), lambda: (X[i, j] * w[j]).diff(X[i, k], w[k])),
        (lambda: (X[n, i] * w[i]).diff("X[n,k]"), lambda: (X[n, i] * w[i]).diff(X[n, k])),
        (lambda: L.diff("w[k]", "s"), lambda: L.diff(w[k], s)),
        (lambda: ic.grad(w[i] * w[i], "w"), lambda: ic.grad(w[i] * w[i], w)),
        (lambda: L.substitute({"w": v}), lambda: L.substitute({w: v})),
        (lambda: (w[i] * y[j]).substitute({"w[k]": v[k]}), lambda: (w[i] * y[j]).substitute({w[k]: v[k]})),
        (lambda: ic.grad((Y * Y).sum(), "Y"), lambda: ic.grad((Y * Y).sum(), Y)),
        (lambda: ic.grad(a.T @ A @ a, "a"), lambda: ic.grad(a.T @ A @ a, a)),
        (lambda: ic.grad(w.sum() - w.sum(), "w"), lambda: ic.grad(w.sum() - w.sum(), w)),
    ],
)
def test_a_name_is_the_variable(named: Callable[[], Any], given: Callable[[], Any]) -> None:
    assert named() == given()
    assert str(named()) == str(given())


def test_explain_compile_source_and_check_take_names() -> None:
    assert str(ic.explain(X[i, j] * w[j], "w[k]")) == str(ic.explain(X[i, j] * w[j], w[k]))
    assert str(ic.explain(L, "w", style="differential")) == str(ic.explain(L, w, style="differential"))
    names = ("X", "w", "y", "s")
    assert ic.to_source(L, names) == ic.to_source(L, (X, w, y, s))
    numbers = [np.ones((2, 3)), np.arange(3.0), np.ones(2), 2.0]
    assert_allclose(ic.compile(L, names)(*numbers), 16)
    assert_allclose(ic.compile(L, ("X", w, "y", s))(*numbers), 16)
    assert_allclose(ic.compile(ic.exp(w), "w")(np.zeros(3)), 1)
    assert ic.check([2.0, 4.0], ic.grad(w @ w, "w"), at={"w": [1.0, 2.0]})
    assert ic.check("2 w", ic.grad(w @ w, "w"))


def test_variables_are_the_tensors_by_name() -> None:
    f = ic.parse("a' A a + s", a="d", A="d d", s="", vectors="column")
    assert list(f.variables) == ["A", "a", "s"]
    assert f.variables["a"].shape == ("d", 1)
    assert ic.grad(f, f.variables["a"]) == ic.grad(f, "a") == (A + A.T) @ a
    e = X[i, j] * w[j]
    assert e.variables == {"X": X, "w": w}
    assert e.variables["X"][i, k] == X[i, k]
    assert (Y + 0).variables == {"A": A, "X": X}, "steps are opened"
    assert ic.zeros("n").variables == {}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: ic.grad(L, "W"),
            "grad.*'W' is no variable of it\n  instead: did you mean 'w'\\? known here: X, s, w, y",
        ),
        (lambda: ic.grad(L, ["w", "q"]), "'q' is no variable of it\n  instead: known here: X, s, w, y"),
        (lambda: ic.derivative(X @ w, "Z"), "'Z' is no variable"),
        (lambda: ic.hessian(L, "w", "z"), "'z' is no variable"),
        (lambda: ic.jvp(X @ w, "W", v), "'W' is no variable"),
        (lambda: ic.vjp(X @ w, "W", y), "'W' is no variable"),
        (lambda: ic.hvp(L, "W", v), "'W' is no variable"),
        (lambda: ic.differential(L, ["W"]), "'W' is no variable"),
        (
            lambda: L.diff("W[i]"),
            "'W\\[i\\]' is no variable of it\n  instead: did you mean 'w'\\? known here: X, s, w, y",
        ),
        (lambda: L.diff("w_i"), "'w_i' is no variable of it"),
        (lambda: L.diff("w.T"), "'w.T' is no variable of it"),
        (lambda: L.substitute({"W": v}), "'W' is no variable"),
        (lambda: ic.explain(L, "W"), "'W' is no variable"),
        (
            lambda: ic.compile(L, ("X", "W")),
            "W is no tensor of it\n  instead: did you mean 'w'\\? known here: X, s, w, y",
        ),
        (
            lambda: ic.to_source(L, ("X", "W")),
            "W is no tensor of it\n  instead: did you mean 'w'\\? known here: X, s, w, y",
        ),
        (lambda: ic.diff(X[i, j] * w[j], "X"), "X needs an index for each axis"),
        (lambda: ic.diff(X[i, j] * w[j], "X[k]"), "1 index for 2 axes"),
        (lambda: ic.grad(L, "w[i]"), "leave \\[i\\] out"),
        (lambda: ic.grad(ic.zeros(), "w"), "known here: none"),
    ],
)
def test_a_name_that_is_none_lists_the_variables(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(IndexCalcError, match=said):
        call()


def test_what_is_called_and_is_no_attribute() -> None:
    assert set(ic.__all__) > CALLED
    with pytest.raises(NotationError):
        ic.grad(L, "")
