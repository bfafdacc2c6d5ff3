"""Memory that is kept between calls: for results alone pages are asked for, and nobody else ever sees it."""

from __future__ import annotations

import random
import threading
from itertools import combinations
from typing import Any

import matrix_programs
import numpy as np
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexcalc as ic
from indexcalc.engine.emit import workspace
from indexcalc.engine.emit.numpy import buffers
from indexcalc.engine.emit.workspace import ALIGNED, KEPT, LEAST, MORE, MOST, Life, placed

resource = pytest.importorskip("resource", reason="only POSIX systems count the pages of a process")
N, D = 1500, 200
X, G, g = ic.tensor("X", "n d"), ic.tensor("G", "n d"), ic.tensor("g", "d")
CENTRED = X - X.mean(axis=1, keepdims=True)
NORM = CENTRED / ic.sqrt((CENTRED**2).mean(axis=1, keepdims=True) + 1e-5) * g
W, V = ic.tensor("W", "d d"), ic.tensor("V", "d d")
LOSSES: dict[str, Any] = {
    "layer norm": ((NORM * G).sum(), (X, g, G)),
    "two layers": ((ic.tanh(ic.tanh(X @ W) @ V) ** 2).sum(), (W, X, V)),
    "softmax": ((ic.softmax(X @ W, axis=1) * G).sum(), (W, X, G)),
    "contrastive": (ic.logsumexp(X @ W, axis=1).sum() - (ic.softmax(X @ W, axis=1) @ V * G).sum(), (X, W, V, G)),
    "a product of four": ((X @ W @ V @ G.T @ X @ V).sum(), (X, W, V, G)),
}


def arrays(tensors: Any, seed: int = 0, n: int = N) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=[{"n": n, "d": D}[str(dim)] for dim in one.node.dims]) for one in tensors]


def compiled(name: str) -> tuple[Any, Any]:
    loss, tensors = LOSSES[name]
    return ic.compile([ic.grad(loss, one) for one in tensors[:2]], tensors), tensors


def faults(call: Any) -> int:
    """The fewest pages that one of several calls asks for."""
    counts = []
    for _ in range(6):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        kept = call()
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        del kept
    return min(counts)


@pytest.mark.parametrize("name", LOSSES)
def test_pages_are_asked_for_results_alone(name: str) -> None:
    f, tensors = compiled(name)
    given = arrays(tensors)
    results = sum(value.nbytes for value in f(*given))
    assert faults(lambda: f(*given)) <= 1.1 * results / resource.getpagesize() + 64


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_made_at_once_stays_where_it_is(name: str) -> None:
    """What one function gives at once, and writes over its argument, stays where that was."""
    f, tensors = compiled(name)
    given, loss = arrays(tensors), LOSSES[name][0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LEAST", 2**40)
        plain = ic.compile([loss, *(ic.grad(loss, one) for one in tensors[:2])], tensors)(*given)
    g = ic.compile([loss, *(ic.grad(loss, one) for one in tensors[:2])], tensors)
    for made in (f(*given), g(*given)[1:], g(*given)[1:]):
        for one, other in zip(made, plain[1:], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LOSSES)
def test_results_are_nobody_elses_memory(name: str) -> None:
    f, tensors = compiled(name)
    first, second = arrays(tensors, 1), arrays(tensors, 2)
    one = f(*first)
    held = [value.copy() for value in one]
    other = f(*second)
    spaces = [kept.bytes for kept in KEPT if kept.bytes is not None]
    assert spaces, "there is a workspace"
    for a, b in combinations([*one, *other, *first, *second, *spaces], 2):
        assert not np.shares_memory(a, b)
    assert all(np.array_equal(a, b) for a, b in zip(one, held, strict=True)), "a later call writes into none"
    for a, b in zip(f(*first), held, strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_have_memory_of_their_own() -> None:
    f, tensors = compiled("two layers")
    inputs = [arrays(tensors, seed) for seed in range(4)]
    wanted = [f(*own) for own in inputs]
    wrong: list[int] = []

    def run(k: int) -> None:
        for _ in range(5):
            if not all(np.array_equal(a, b) for a, b in zip(f(*inputs[k]), wanted[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_call_within_a_call_has_memory_of_its_own() -> None:
    inner, tensors = compiled("two layers")
    own = arrays(tensors)
    alone = inner(*own)
    u = ic.function("u", "d ->", gradient="Du")
    outer = ic.compile([(ic.tanh(ic.tanh(X @ W)) ** 2 @ V).sum() + u(g), ic.sin(X @ W) @ V], (X, W, V, g))
    given = [own[1], own[0], own[2], np.ones(D)]
    seen = []

    def called(_: Any) -> Any:
        seen.append(inner(*own))
        return 2.0

    plain = outer(*given, u=lambda _: 2.0)
    for a, b in zip(outer(*given, u=called), plain, strict=True):
        np.testing.assert_array_equal(a, b)
    for made in seen:
        assert all(np.array_equal(a, b) for a, b in zip(made, alone, strict=True))


def test_an_error_gives_the_memory_back() -> None:
    u = ic.function("u", "n d ->")
    f = ic.compile((ic.tanh(ic.tanh(X @ W) @ V) ** 2).sum() * u(X), (X, W, V))
    x, w, v = arrays((X, W, V))

    def fails(_: Any) -> Any:
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            f(x, w, v, u=fails)
        assert not any(kept.taken for kept in KEPT)


def test_the_memory_is_freed_and_has_a_cap() -> None:
    f, tensors = compiled("layer norm")
    f(*arrays(tensors))
    assert ic.free_workspace() >= LEAST and ic.free_workspace() == 0
    rows = 2 * MOST // (8 * D)
    f(*arrays(tensors, n=rows))
    assert ic.free_workspace() <= MOST


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(1, 1000)), max_size=20))
def test_values_that_are_there_at_one_time_do_not_overlap(rows: list[tuple[int, int, int]]) -> None:
    lives = {k: Life(first, first + long, size) for k, (first, long, size) in enumerate(rows)}
    most = {k: sum(one.size for one in lives.values() if one.first <= k <= one.last) for k in range(41)}
    size, starts = placed(lives, most)
    assert size <= MORE * max(most.values())
    for k, start in starts.items():
        assert start % ALIGNED == 0 and start + lives[k].size <= size
    for a, b in combinations(starts, 2):
        one, other = lives[a], lives[b]
        if one.first <= other.last and other.first <= one.last:
            assert starts[a] + one.size <= starts[b] or starts[b] + other.size <= starts[a]


def drawn(seed: int) -> list[tuple[Any, list[str], list[list[Any]]]]:
    """A random program of each view with a derivative, the names of its inputs, and two draws of these."""
    made = matrix_programs.Program(seed)
    value = made.make(made.shape(), 1 + seed % 3).expr
    found = []
    if made.leaves:
        first = made.leaves[made.rng.choice(list(made.leaves))].expr
        outputs = [value, ic.derivative(value, first, structure="free")]
        names = [name for name in made.leaves if any(name == v.label for view in outputs for v in view.inputs)]
        draws = [[made.numbers(name, np.random.default_rng(seed + k)) for name in names] for k in range(2)]
        found.append((outputs, names, draws))
    rng = random.Random(seed)
    value = programs.program(rng, 1 + seed % 4).expr
    label = rng.choice(list(programs.SHAPES))
    own = tuple(ic.index(name) for name in "efg"[: len(programs.SHAPES[label].split())])
    outputs = [value, value.diff(programs.TENSORS[label][own] if own else programs.TENSORS[label])]
    names = sorted({variable.label for view in outputs for variable in view.inputs})
    numbers = [programs.arrays(random.Random(seed + k), {"a": 3, "b": 2, "c": 4}) for k in range(2)]
    return [*found, (outputs, names, [[own[name] for name in names] for own in numbers])]


@pytest.mark.slow
@given(st.integers(0, 2**40))
def test_values_are_the_same_with_and_without(seed: int) -> None:
    """With places for arrays of any size, and memory that the calls before have left their numbers in."""
    for outputs, names, draws in drawn(seed):
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
            patch.setattr(buffers, "LEAST", 2**40)
            plain = ic.compile(outputs, names)
            try:
                wanted = [plain(*values) for values in draws]
            except ic.DimensionError:  # a size that no input fixes
                continue
            patch.setattr(buffers, "LEAST", 1)
            patch.setattr(buffers, "FREED", 1)
            patch.setattr(workspace, "MORE", 100)
            f = ic.compile(outputs, names)
            for values, due in [*zip(draws, wanted, strict=True)] * 2:
                before = [np.array(value) for value in values]
                for made, value in zip(f(*values), due, strict=True):
                    np.testing.assert_allclose(made, value, rtol=1e-12, atol=1e-14, equal_nan=True)
                for value, kept in zip(values, before, strict=True):
                    np.testing.assert_array_equal(value, kept)
