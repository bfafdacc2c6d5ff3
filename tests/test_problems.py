"""The tables of benchmarks: programs, what is written by hand, and the derivatives of JAX have the same values."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexcalc as ic

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import likelihoods
import mechanics
import pairs
from layers import LAYERS
from likelihoods import LIKELIHOODS
from mechanics import MECHANICS
from pairs import PAIRS
from peers import Jax, forms
from problems import Problem
from ranks import RANKS

EVERY = {problem.name: problem for problem in (*LAYERS, *LIKELIHOODS, *PAIRS, *MECHANICS, *RANKS)}
SHORT = [(likelihoods, "STEPS", 3), (likelihoods, "FILTERED", 2), (pairs, "ROUNDS", 2), (pairs, "LENGTH", 3),
         (mechanics, "JOINTS", 2)]  # fmt: skip
"""Steps of what is unrolled: enough that one follows another."""


@pytest.fixture(params=EVERY)
def problem(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Problem:
    for module, name, steps in SHORT:
        monkeypatch.setattr(module, name, steps)
    return EVERY[request.param]


def agree(found: Any, wanted: Any, tolerance: float) -> None:
    """The same arrays, to a part of the largest entry of each."""
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            agree(one, other, tolerance)
    else:
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def flat(value: Any) -> list[Any]:
    return [one for part in value for one in flat(part)] if isinstance(value, list | tuple) else [value]


@pytest.mark.jax
def test_the_program_the_hand_and_jax_agree(problem: Problem) -> None:
    arrays = problem.make(*problem.sizes[0])
    given = [np.array(array) for array in arrays]
    wanted = flat(problem.limit(*arrays))
    agree(arrays, given, 0)  # by hand too, no input is written over
    outputs, inputs = problem.express()
    agree(flat(ic.compile(outputs, inputs)(*arrays)), wanted, problem.tolerance)
    xp = Jax()
    agree(flat(xp.ready(forms(xp, problem)[0], arrays)()), wanted, problem.tolerance)


def test_a_roof_is_told_for_each_size() -> None:
    for problem in EVERY.values():
        assert problem.work is not None
        assert all(problem.work(*size) >= 0 for size in problem.sizes)


def test_loops_agree_where_numba_is_there(problem: Problem) -> None:
    pytest.importorskip("numba")
    import loops

    if not problem.loops:
        pytest.skip("nothing is written as loops")
    arrays = problem.make(*problem.sizes[0])
    agree(flat(getattr(loops, problem.loops)(*arrays)), flat(problem.limit(*arrays)), problem.tolerance)
