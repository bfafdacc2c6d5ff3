"""Every row of the table of kinks: value, derivative and second derivative at the numbers that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.views.functions.apply import FUNCTIONS

PAGE = Path(__file__).parents[1] / "docs" / "kinks.md"
s, x, A = ic.scalar("s"), ic.tensor("x", "n"), ic.tensor("A", "n n")
TENSORS = {"s": s, "x": x, "A": A}


def pairs() -> Any:
    """The second derivatives of the determinant of order 2."""
    made = np.zeros((2, 2, 2, 2))
    made[0, 0, 1, 1] = made[1, 1, 0, 0] = 1
    made[0, 1, 1, 0] = made[1, 0, 0, 1] = -1
    return made


NUMBERS = {name: getattr(np, name) for name in ("inf", "nan", "pi", "zeros", "full", "eye", "diag")} | {"pairs": pairs}


def table() -> list[list[str]]:
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row[0]} at {row[1]}")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_row_of_the_table_of_kinks(row: list[str]) -> None:
    expression, at, *wanted, chosen = row
    assert chosen
    e = eval(expression, {**FUNCTIONS, **TENSORS})
    ((name, numbers),) = eval(f"dict({at})", dict(NUMBERS)).items()
    numbers = np.asarray(numbers, dtype=float)
    for text in wanted:
        if text:
            sizes = {"n": len(numbers)} if numbers.ndim else {}
            found = ic.compile(e, (TENSORS[name],), sizes=sizes)(numbers)
            np.testing.assert_allclose(found, np.asarray(eval(text, dict(NUMBERS)), dtype=float), atol=1e-12)
        e = ic.derivative(e, TENSORS[name])


PLACES = [
    (s * ic.log(s), 0), (s**2 * ic.log(s), 0), (ic.sqrt(s) * ic.log(s), 0), ((s * ic.log(s)) ** 2, 0),
    (2 * s * ic.log(2 * s), 0), (s * ic.log(s / 3), 0), (s * (ic.log(s) - 3), 0), (s * ic.log(s * ic.exp(s)), 0),
    (s * ic.log(ic.abs(s)), 0), (s * ic.log(1 / s), 0), (s * ic.log(ic.sin(s)), 0), (ic.tanh(s) * ic.log(s), 0),
    (ic.sqrt(s) * ic.log(s) ** 2, 0), (s * (ic.log(s) + 1) * ic.log(s), 0),
]  # fmt: skip


@pytest.mark.parametrize(("e", "value"), PLACES, ids=str)
def test_a_logarithm_beside_its_argument_is_its_limit(e: Any, value: float) -> None:
    space: dict[str, Any] = {}
    exec(ic.to_source(e, (s,), name="f"), space)
    assert e.evaluate(s=0.0) == ic.compile(e, (s,))(0.0) == space["f"](np.asarray(0.0)) == value


def test_relative_entropy_with_zeros() -> None:
    p, q = ic.tensor("p", "n"), ic.tensor("q", "n")
    e = (p * ic.log(p / q)).sum()
    found = e.evaluate(p=[0.0, 1.0], q=[0.0, 0.5])
    np.testing.assert_allclose(found, np.log(2))
    np.testing.assert_allclose(ic.grad(e, q).evaluate(p=[0.0, 1.0], q=[0.5, 0.5]), [0, -2])


def test_derivatives_of_entropies_with_zeros() -> None:
    p, q = ic.tensor("p", "n"), ic.tensor("q", "n")
    log, at = ic.log, {"p": [0.0, 0.5], "q": [0.25, 0.5]}
    slopes = {
        p * log(p / q): ([-np.inf, 1], [0, -1]),
        p * (log(p) - log(q)): ([-np.inf, 1], [0, -1]),
        p * log(p / q) - p + q: ([-np.inf, 0], [1, 0]),
        p * log(q / p): ([np.inf, -1], [0, 1]),
        p * log(p) ** 2: ([np.inf, np.log(0.5) * (np.log(0.5) + 2)], None),
        ic.sqrt(p) * log(p): ([-np.inf, (np.log(0.5) + 2) / np.sqrt(2)], None),
    }
    for e, wanted in slopes.items():
        for by, slope in zip((p, q), wanted, strict=True):
            if slope is not None:
                g = ic.grad(e.sum(), by)
                np.testing.assert_allclose(g.evaluate(**{name: at[name] for name in g.variables}), slope, atol=1e-15)
    P = ic.tensor("P", "n m")
    mutual = (P * log(P / ic.outer(P.sum(axis=1), P.sum(axis=0)))).sum()
    assert ic.grad(mutual, P).evaluate(P=np.array([[0, 0.5], [0.2, 0.3]]))[0, 0] == -np.inf
    entropy = -(p * log(p) + (1 - p) * log(1 - p)).sum()
    assert entropy.evaluate(p=[0.0, 1.0]) == 0
    assert ic.grad(entropy, p).evaluate(p=[0.0, 1.0]).tolist() == [np.inf, -np.inf]


def test_a_weight_of_a_logarithm_that_is_no_limit() -> None:
    p, y = ic.tensor("p", "n"), ic.tensor("y", "n")
    assert np.isnan((y * ic.log(p)).evaluate(y=[0.0], p=[0.0])).all()
    for chosen in (ic.tensor("y", "n", onehot=True), ic.tensor("y", "n", mask=True)):
        loss = -(chosen * ic.log(p)).sum()
        np.testing.assert_allclose(loss.evaluate(y=[0.0, 1.0], p=[0.0, 0.5]), np.log(2))
        np.testing.assert_allclose(ic.grad(loss, p).evaluate(y=[0.0, 1.0], p=[0.0, 0.5]), [0, -2])
    loss = -ic.where(y > 0, y * ic.log(p), 0).sum()
    np.testing.assert_allclose(ic.grad(loss, p).evaluate(y=[0.0, 1.0], p=[0.0, 0.5]), [0, -2])


def test_entries_that_are_equal_but_for_rounding() -> None:
    """What jumps keeps no symmetry of what is rounded: of two equal entries of a polar factor one may be the larger."""
    S, rng = ic.tensor("A1", "3 3", symmetric=True), np.random.default_rng(0)
    point = np.array([[0.51182071, 0.00830545, 0.31065712], [0.00830545, 0.22553642, 1.3526847],
                      [0.31065712, 1.3526847, 0.65451087]])  # fmt: skip
    e = ic.min(ic.polar(S))
    for _ in range(3):
        step, h = rng.normal(size=(3, 3)), 1e-5
        step += step.T
        rise = (e.evaluate(A1=point + h * step) - e.evaluate(A1=point - h * step)) / (2 * h)
        np.testing.assert_allclose((ic.grad(e, S).evaluate(A1=point) * step).sum(), rise, rtol=1e-6)
    assert np.allclose(ic.grad(ic.norm1(ic.polar(S)), S).evaluate(A1=2 * np.eye(3) + 0.1), 0)
    assert ic.step(S) == ic.step(S.T)
