"""A dimension is a number: what stays a dimension, and what is a scalar that joins either view."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.engine.bind.inputs import symbols_in
from indexcalc.graph.node import topological
from indexcalc.index import dim, symbol, told_by

Q, K, S = ic.tensor("Q", "n d"), ic.tensor("K", "m d"), ic.tensor("S", "n n")
x = ic.tensor("x", "n")
n, d = Q.shape
i, j = ic.indices("i j")
GIVEN: dict[str, Any] = {
    "Q": np.arange(12.0).reshape(3, 4),
    "K": np.ones((2, 4)),
    "S": 2 * np.eye(3),
    "x": np.arange(3.0),
}

NUMBERS = [
    ("1/n", 1 / n, 1 / 3), ("n/d", n / d, 3 / 4), ("d**0.5", d**0.5, 2.0), ("2**n", 2**n, 8), ("n**-2", n**-2, 1 / 9),
    ("n + 0.5", n + 0.5, 3.5), ("0.5 - n", 0.5 - n, -2.5), ("0.1*n", 0.1 * n, 0.3), ("sqrt(d)", ic.sqrt(d), 2.0),
    ("log(n)", ic.log(n), math.log(3)), ("n/2*logdet(S)", n / 2 * ic.logdet(S), 1.5 * math.log(8)),
    ("sum(x)/n", x.sum() / n, 1.0), ("x.x/(n-1)", (x @ x) / (n - 1), 2.5), ("x_i x_i/n", x[i] * x[i] / n, 5 / 3),
    ("n(n-1)/2", (n * (n - 1) / 2) * ic.sum(x), 9.0), ("maximum", ic.maximum(n, d), 4.0), ("n - sum", n - x.sum(), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("made", "value"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS])
def test_a_dimension_is_a_number(made: Any, value: float) -> None:
    given = {name: GIVEN[name] for name in made.variables}
    sizes = {name: size for name, size in {"n": 3, "d": 4}.items() if name in symbols_in(topological([made.node]))}
    np.testing.assert_allclose(made.evaluate(given, **sizes), value)


def test_what_is_a_polynomial_stays_a_dimension() -> None:
    assert n / n == 1 and n * d / d is n and (n + 1) * 2 - 2 == 2 * n and n * (n + 1) / 2 is dim("n*(n+1)/2")
    assert n == "n" and hash(n) == hash(dim("n")) and n != 3 and pickle.loads(pickle.dumps(n)) is n
    assert told_by(symbol("?t") * n, n * d) == ("?t", d) and told_by(symbol("?t"), d) == ("?t", d)
    assert told_by(symbol("?t") * n, d) is None


def test_attention_as_it_is_written() -> None:
    scores = ic.softmax(Q @ K.T / ic.sqrt(d), axis=1)
    assert str(scores) == "softmax(Q @ K.T/sqrt(d), axis=1)"
    assert ic.parse(str(scores), Q=Q, K=K) == scores
    logits = GIVEN["Q"] @ GIVEN["K"].T / 2
    wanted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(scores.evaluate(Q=GIVEN["Q"], K=GIVEN["K"]), wanted)


@pytest.mark.parametrize(
    "wrong", [lambda: n < 3, lambda: n >= d, lambda: float(n), lambda: int(n), lambda: n + "a", lambda: n * np.ones(3),
              lambda: np.ones(3) * n, lambda: n / 0, lambda: n / "x", lambda: n * None],
)  # fmt: skip
def test_what_is_no_number_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ic.IndexCalcError):
        wrong()
