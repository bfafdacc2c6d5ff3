"""What `indexcalc.testing` ships: its checks see what is wrong, its strategies draw what they say."""

from __future__ import annotations

import sys
from importlib import util
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.functions.table import ELEMENTWISE, MATRICES, REDUCTIONS
from indexcalc.layout.conventions import CONVENTIONS
from indexcalc.testing import check_derivative, check_layout, check_round_trip, check_rule, point, strategies
from indexcalc.testing.definitions import PLAIN, SHEAR
from indexcalc.testing.programs.examining import examine
from indexcalc.views.assumptions import ASSUMPTIONS

X, w, y = ic.tensor("X", "n d"), ic.tensor("w", "d"), ic.tensor("y", "n")
S, A = ic.tensor("S", "n n", symmetric=True), ic.tensor("A", "n n")
i, j, k = ic.indices("i j k")
ROWS = [*ELEMENTWISE.values(), *REDUCTIONS.values(), *MATRICES.values()]


LONG = {"logm"}
"""SciPy's logarithm takes half a minute for the many small matrices of its check; test_decompositions.py has it."""


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in LONG], ids=lambda row: row.name)
def test_the_rule_of_a_function(row: Any) -> None:
    assert check_rule(row)


@pytest.mark.parametrize("name", ["tanh", "power", "softmax", "norm2", "cholesky"])
def test_a_rule_by_its_name(name: str) -> None:
    assert check_rule(name)


def test_a_wrong_rule_is_seen() -> None:
    assert not check_rule(lambda x: x * ic.sigmoid(x), "n", rule=lambda x: ic.sigmoid(x))
    assert not check_rule(lambda x, v: x @ v, "m n", "n", rule=lambda x, v: ic.derivative(2 * x @ v, x))
    assert check_rule(lambda x: A @ x, "n", rule=lambda x: A)
    with pytest.raises(ic.NotationError, match="did you mean"):
        check_rule("sofmax")


def test_a_derivative_is_compared_with_three_methods() -> None:
    loss = ic.norm2(X @ w - y) ** 2
    found = check_derivative(loss, w)
    assert found and {trial.method for trial in found.trials} >= {"finite differences"}
    if util.find_spec("jax"):
        assert "automatic differentiation" in {trial.method for trial in found.trials}
    assert not check_derivative(loss, w, X.T @ (X @ w - y))
    assert not check_derivative(ic.logdet(S), S, 2 * ic.inv(S))
    assert check_derivative(x_ := w[i] * ic.sin(w[i]), w[k]) and x_.order == 0
    with pytest.raises(ic.KindError):
        check_derivative(loss, w, order=3)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_layout_has_its_entries(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    E = ic.tensor("E", 3, 3, symmetric=True)
    D = ic.grad(ic.tr(E @ E @ E), E) if name in SHEAR or name == "gradient" else ic.derivative(A @ ic.sin(y @ A), y)
    if name in PLAIN and name != "gradient":
        D = ic.derivative(A @ ic.sin(ic.tensor("x", "n")), ic.tensor("x", "n"))
    assert check_layout(D, name)
    assert {*PLAIN, *SHEAR} == set(CONVENTIONS)
    if name in PLAIN and name != "gradient":
        turned = CONVENTIONS[name]._replace(place=lambda *asked: CONVENTIONS_[name].place(*asked)[::-1])
        monkeypatch.setitem(CONVENTIONS, name, turned)
        assert not check_layout(D, name)


CONVENTIONS_ = dict(CONVENTIONS)


@pytest.mark.parametrize("structure", ["projected", "independent", "free"])
@pytest.mark.parametrize("name", ["vech", "mandel", "voigt-stress"])
def test_a_packed_layout_of_each_meaning(structure: str, name: str) -> None:
    E = ic.tensor("E", 3, 3, symmetric=True)
    assert check_layout(ic.derivative(ic.tr(E @ E @ E), E, structure=structure), name)
    assert check_layout(ic.hessian(ic.tr(E @ E @ E), E, structure=structure), name)


def test_a_text_that_does_not_read_back_is_told() -> None:
    assert check_round_trip(ic.grad(ic.logdet(S) + w @ w, w))
    read = check_round_trip(ic.softmax(ic.zeros("n")))
    assert bool(read) == ("reads back" in repr(read))


# ------------------------------------------------------------------ strategies


@settings(max_examples=60)
@given(strategies.tensors(), st.data())
def test_points_have_what_is_assumed(tensor: Any, data: st.DataObject) -> None:
    given_ = data.draw(strategies.points(tensor))
    value = np.asarray(tensor.evaluate(**given_))
    (variable,) = tensor.inputs
    if "symmetric" in variable.assumptions:
        assert np.array_equal(value, value.T)
    assert variable.assumptions <= set(ASSUMPTIONS)


@settings(max_examples=40)
@given(strategies.expressions(), st.data())
def test_expressions_have_numbers(e: Any, data: st.DataObject) -> None:
    assert isinstance(e, ic.Array | ic.Expr)
    with np.errstate(all="ignore"):
        value = np.asarray(e.evaluate(**data.draw(strategies.points(e))))
    assert value.ndim == e.order


@settings(max_examples=40)
@given(strategies.expressions("index", order=1), strategies.indices())
def test_expressions_in_index_notation(e: Any, index: ic.Index) -> None:
    assert e.order == 1 and index.name in strategies.LETTERS


@settings(max_examples=15)
@given(st.data())
def test_layouts_are_those_that_hold(data: st.DataObject) -> None:
    D = ic.grad(ic.tr(S @ S), S)
    assert check_layout(D, data.draw(strategies.layouts(D)))


@settings(max_examples=10)
@given(strategies.programs())
def test_programs(program: Any) -> None:
    if program.backend == "numpy" and program.judge != "JAX" and "source" not in program.printers[-1]:
        assert examine(program) == []


def test_hypothesis_is_asked_for_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategies, "find_spec", lambda name: None)
    with pytest.raises(ic.KindError, match="pip install hypothesis"):
        strategies.indices()
    monkeypatch.undo()
    with pytest.raises(ic.KindError, match="notation"):
        strategies.expressions("matrices")
    assert "hypothesis" in sys.modules


def test_a_point_is_the_same_for_a_seed() -> None:
    one, other = (point(S @ S, {"n": 3}, seed=4) for _ in range(2))
    assert np.array_equal(one["S"], other["S"])
