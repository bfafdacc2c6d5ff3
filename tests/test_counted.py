"""So many of something in words: one is no plural, wherever a picture, a panel, a check or an error counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexcalc as ic

A, x, s = ic.tensor("A", "n n"), ic.tensor("x", "n"), ic.scalar("s")
i, j = ic.indices("i j")
f = ic.function("f", "n, n ->")
ONE = ic.explain(s, s).lines[:1]
TOLD: list[tuple[str, Callable[[], Any]]] = [
    ("1 tensor, 0 functions, 1 wire", lambda: x.diagram()),
    (": 1 diagram", lambda: type(ic.explain(s, s))(ONE, (), s).diagrams()),
    ("at most 1 entry at once", lambda: ic.compile(s * s, (s,), sizes={}).plan.plot()),
    ("total    1 FLOP, at most 8 bytes", lambda: ic.compile(s * s, (s,), sizes={}).plan),
    ("; 1 FLOP, at most", lambda: ic.preflight(s * s)),
    ("1 number", lambda: ic.minimize_args(s * s, s, {})),
    ("D is a number", lambda: ic.grad(s * s, s).layouts()),
    ("has axis i:", lambda: ic.grad(x @ x, x).layouts()),
    ("x has 1 axis and no names", lambda: x * A[i, j]),
    ("1 index for 2 axes", lambda: A[i]),
    ("2 indices for 1 axis", lambda: x[i, j]),
    ("2 keys for 1 axis", lambda: x[0, 0]),
    ("1 argument", lambda: ic.atan2(s)),
    ("1 argument for 2", lambda: f(x)),
    ("1 direction for 2 tensors", lambda: ic.jvp(A @ x, [A, x], [x])),
    ("it has 1 axis", lambda: x.mT),
    ("1 group of letters for 2 operands", lambda: ic.einsum("i", x, x)),
    ("1 shift for 2 axes", lambda: ic.roll(A, [1], (0, 1))),
    ("x has 1 axis, (n,)", lambda: x.evaluate(x=np.ones((2, 2, 2)))),
]
"""What is said, and of what."""


@pytest.mark.parametrize(("words", "of"), TOLD, ids=[words for words, _ in TOLD])
def test_one_is_no_plural(words: str, of: Callable[[], Any]) -> None:
    try:
        said = str(of())
    except ic.IndexCalcError as error:
        said = str(error)
    assert words in said
