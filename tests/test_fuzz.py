"""The fuzzer: what it draws, that it finds nothing, that it finds what is planted, and that texts are answered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from planted import FAULTS, HAVING

import indexcalc as ic
from indexcalc.testing import texts
from indexcalc.testing.__main__ import main
from indexcalc.testing.fuzzing import Fuzzed, failing, failure, fuzz, program
from indexcalc.testing.programs.examining import Finding, examine

ROOT = Path(__file__).resolve().parent.parent
DRAWN = 1200
"""Programs whose parts are counted: a share of 1% of them is known to a third of itself,"""
SHARE = 0.01 * 2 / 3
"""so that it may come out as so much: of 4,000 programs each part is in 1%."""


NOT_DRAWN = {
    "cumsum": "written by plans alone, for a triangle of ones that is summed: operations draw that",
    "triangle": "written by plans alone, for a triangle of ones times a matrix",
}
"""Functions that random programs have too seldom, or not at all, and why."""


@pytest.mark.slow
def test_everything_is_drawn() -> None:
    """Each function, kind, layout, structure, backend and printer is in 1% of the programs of 5 nodes or more."""
    run = Fuzzed(0)
    for number in range(DRAWN):
        run.count(program(0, number))
    assert run.large > DRAWN // 2
    exempt = tuple(f"function {name}:" for name in NOT_DRAWN)
    rare = [line for line in run.rare(SHARE) if not line.startswith(exempt)]
    assert rare == [], "too seldom drawn: give it a row, or a weight, in indexcalc/testing/programs/operations.py"


def test_what_is_missing_is_named() -> None:
    run = Fuzzed(0)
    for number in range(5):
        run.count(program(0, number))
    assert "function gelu: 0 of" in " ".join(run.rare()) or run.counts["function gelu"]
    assert "programs" in run.table() and "layout: " in run.table()


@pytest.mark.parametrize("number", range(8))
def test_small_programs_on_numpy(number: int) -> None:
    made = [program(11, k) for k in range(12 * number, 12 * number + 12)]
    for one in made:
        if not one.costly and one.tree.nodes < 8:
            assert examine(one) == [], one.source()


@pytest.mark.slow
def test_nothing_fails() -> None:
    run = fuzz(21, count=40)
    assert not run.failures, "\n\n".join(map(str, run.failures))


@pytest.mark.slow
def test_each_planted_fault_is_found() -> None:
    """Each in a process of its own, by a few programs with what it is in; without the fault they show nothing."""
    assert set(HAVING) <= set(FAULTS) and len(FAULTS) >= 30
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(ROOT / "tests" / "planted.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failure_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    from indexcalc.testing import fuzzing

    made = next(one for one in (program(0, k) for k in range(40)) if "tanh" in one.tree.text and one.tree.nodes > 6)
    wrong = Finding("text", "it has a tanh")
    monkeypatch.setattr(fuzzing, "examine", lambda one, only="": [wrong] if "tanh" in one.tree.text else [])
    found = failure(3, made, wrong)
    assert found.program.tree.nodes < made.tree.nodes and "tanh" in found.program.tree.text
    assert str(found).startswith("program 3") and "import indexcalc as ic" in str(found)
    scope: dict[str, Any] = {}
    exec(compile(found.program.source(), "<program>", "exec"), scope)
    assert isinstance(scope["e"], ic.Array | ic.Expr)


def test_a_raw_error_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr(ic.Array, "__str__", broken)
    monkeypatch.setattr(ic.Expr, "__str__", broken)
    found = failing(program(0, 3))
    assert found is not None and "raw RuntimeError" in found.text


def test_the_command_says_what_failed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from indexcalc.testing import fuzzing

    assert main(["fuzz", "--seed", "1", "--count", "2"]) == 0
    assert "0 failed" in capsys.readouterr().out
    monkeypatch.setattr(fuzzing, "examine", lambda one, only="": [Finding("value", "it is wrong")])
    assert main(["fuzz", "--seed", "1", "--count", "1"]) == 1
    assert "value: it is wrong" in capsys.readouterr().out


# ------------------------------------------------------------------ texts


def answered_wrongly(seed: int, count: int) -> list[str]:
    tried, broken = texts.fuzz_texts(seed, count=count)
    assert tried == count
    return [str(one) for one in broken]


def test_texts_are_answered() -> None:
    assert answered_wrongly(0, 150) == []


@pytest.mark.slow
def test_many_texts_are_answered() -> None:
    assert answered_wrongly(1, 400) == []


def test_a_text_that_breaks_the_reader_is_made_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(text: str) -> None:
        if "[" in text:
            raise IndexError("no")

    monkeypatch.setitem(texts.ENTRIES, "parse", reader)
    case = texts.Case("parse", "x[i]*W[i,j] + b[j]")
    assert texts.answered(case) == "a raw IndexError: no" and texts.shortened(case).text == "["
    monkeypatch.setattr(texts, "CORPUS", ("a[b]",))
    _, broken = texts.fuzz_texts(0, count=60)
    assert broken and "raw IndexError" in str(broken[0])
    monkeypatch.setattr(texts, "SLOWEST", -1.0)
    assert "took" in texts.answered(texts.Case("parse", "x"))


def test_the_harness_with_coverage_says_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['atheris'] = None; import fuzz_text; fuzz_text.main()"],
        cwd=ROOT / "tests", env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "fuzz" in done.stderr
