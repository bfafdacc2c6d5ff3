"""What is told of long works: to whoever asks, on a terminal as one line, and elsewhere nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import indexcalc as ic
from indexcalc.progress import telling
from indexcalc.testing.fuzzing import fuzz
from indexcalc.testing.texts import fuzz_texts

A, x = ic.tensor("A", "n n"), ic.tensor("x", "n")
D = ic.grad(ic.relu(A @ x).sum(), x)
AT = {"x": np.array([1.0, 2.0]), "A": np.eye(2)}
CHAIN = ic.tanh(A @ x) + A @ A @ x
WORKS: dict[str, Callable[..., Any]] = {
    "verify": lambda **how: ic.verify(D, **how),
    "check": lambda **how: ic.check("A' relu(A x)", D, **how),
    "check of what is right as it stands": lambda **how: ic.check("A.T @ step(A @ x)", D, **how),
    "check of numbers": lambda **how: ic.check(np.ones(2), D, at=AT, **how),
    "compile": lambda **how: ic.compile(CHAIN, (A, x), sizes={"n": 19}, **how),
    "compile, at the first call": lambda **how: ic.compile(CHAIN, (A, x), **how)(np.eye(3), np.ones(3)),
    "fuzz": lambda **how: fuzz(1, count=1, **how),
    "fuzz_texts": lambda **how: fuzz_texts(1, count=2, **how),
}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", WORKS)
def test_each_work_tells_and_ends(name: str) -> None:
    told: list[tuple[int, int | None, str]] = []
    WORKS[name](progress=lambda done, total, what: told.append((done, total, what)))
    assert told and all(total is None or 0 <= done <= total for done, total, _ in told)
    assert told[-1][0] == told[-1][1] and told[-1][2]


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("progress", [3, "a line", True, int, lambda done: None])
def test_what_cannot_be_called_is_refused(name: str, progress: object) -> None:
    with pytest.raises(ic.KindError, match="can't be called"):
        WORKS[name](progress=progress)


@pytest.mark.parametrize("name", ["verify", "check", "compile"])
def test_nothing_is_written_unasked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Terminal()
    monkeypatch.setattr("sys.stderr", written)
    WORKS[name]()
    assert written.getvalue() == ""


def test_a_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Terminal()
    monkeypatch.setattr("sys.stderr", written)
    ic.show_progress(1, 3, "points")
    ic.show_progress(1, None, "points")
    ic.show_progress(3, 3, "points")
    assert written.getvalue() == "\r\x1b[Kpoints: 1 of 3\r\r\x1b[Kpoints: 1\r\r\x1b[K\r"
    quiet = io.StringIO()
    monkeypatch.setattr("sys.stderr", quiet)
    ic.verify(D, progress=ic.show_progress)
    monkeypatch.setattr("sys.stderr", None)  # as under pythonw
    ic.show_progress(1, 3, "points")
    assert quiet.getvalue() == ""


def test_whoever_listens_may_end_the_work() -> None:
    class Enough(Exception):
        pass

    def enough(done: int, total: int | None, what: str) -> None:
        raise Enough

    with pytest.raises(Enough):
        ic.verify(D, progress=enough)
    told: list[object] = []
    with telling(lambda *how: told.append(how)):
        pass
    ic.verify(D)
    assert told == []


def test_a_compiled_function_pickles_without_its_listener() -> None:
    f = ic.compile(CHAIN, (A, x), progress=lambda *told: None)
    function, made_of, _ = f.__reduce__()
    assert function(*made_of)(np.eye(3), np.ones(3)).shape == (3,)
